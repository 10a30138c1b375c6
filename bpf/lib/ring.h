/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * ring.h: room in a data ring (struct pc_ring of abi.h): take it, write the record, give it to the
 * reader. Both families; lib/emit.h and lib/quick.h write through this.
 *
 * Several CPUs write one ring and a writer may be interrupted by another, so room is taken by a
 * compare-and-swap. Everything that waits for earlier stores (the swap, counters) is done before the
 * record is written: its lines are cold, and nobody has to wait for them any more.
 */
#ifndef PC_BPF_RING_H
#define PC_BPF_RING_H

#include "kernel.h"
#include "maps.bpf.h"

#include "lib/calls.h"

/* Set by the loader. */
const volatile __u32 pc_rings = 1;	      /* in use */
const volatile __u64 pc_ring_mask = 4096 - 1; /* bytes of one, less one */
const volatile __u64 pc_ring_key = 0;	      /* random: no byte on a wire is ever a mark */
const volatile __u32 pc_wake_bytes = 512;     /* an eighth of one */

#define PC_RING_TRIES                                                                              \
	8 /* so many others in a row between our look and our swap: given up, counted */

struct pc_room {
	__u64 *mark;
	__u64 value;
};

static __always_inline __u32 pc_ring_no(void)
{
	return bpf_get_smp_processor_id() % (pc_rings ?: 1);
}

/* Room for a record of `size` bytes, at most PC_RECORD_MAX; the record begins behind ret->mark. False:
 * there is none. */
static __always_inline bool pc_ring_take(__u64 size, struct pc_room *ret)
{
	__u32 no = pc_ring_no();
	struct pc_ring *q = bpf_map_lookup_elem(&pc_ring_ends, &no);
	__u8 *bytes = bpf_map_lookup_elem(&pc_ring_bytes, &no);
	__u64 need = pc_ring_need(size), pos;

	if (!q || !bytes)
		return false;
	for (int i = 0; i < PC_RING_TRIES; i++) {
		pos = *(volatile __u64 *)&q->head;
		if (!pc_ring_fits(pos, *(volatile __u64 *)&q->tail, need, pc_ring_mask + 1))
			return false;
		if (__sync_val_compare_and_swap(&q->head, pos, pos + need) == pos)
			goto taken;
	}
	return false;
taken:
	ret->value = pc_ring_mark(pos, pc_ring_key);
	pos &= pc_ring_mask & ~7ull;
	ret->mark = (__u64 *)(bytes + pos);
	return true;
}

/* The record is written. */
static __always_inline void pc_ring_give(const struct pc_room *room)
{
	pc_store_release(room->mark, room->value);
}

/* A CPU wakes the reader after each eighth of a ring, by a record in the control ring that is taken
 * back; otherwise the reader's timer is enough. */
static __always_inline void pc_ring_wake(struct pc_counters *n, __u32 size)
{
	void *nothing;

	n->unwoken += size;
	if (n->unwoken < pc_wake_bytes)
		return;
	n->unwoken = 0;
	nothing = bpf_ringbuf_reserve(&pc_control_ring, 8, 0);
	if (nothing)
		bpf_ringbuf_discard(nothing, BPF_RB_FORCE_WAKEUP);
}

/* The brain is behind: the ring of this CPU is three quarters full. What is left is for what begins a message
 * (lib/copy.h): so a ring that nobody reads takes a third more heads before it overflows. */
static __always_inline bool pc_ring_pressed(void)
{
	__u32 no = pc_ring_no();
	struct pc_ring *q = bpf_map_lookup_elem(&pc_ring_ends, &no);

	return q && (__s64)(q->head - q->tail) * 4 > (__s64)pc_ring_mask * 3;
}

#endif
