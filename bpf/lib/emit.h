/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * emit.h: records into the rings, each one counted as submitted or lost. Both families.
 *
 * A record is built in the CPU's scratch memory and copied into the ring by one helper call: it takes
 * exactly the room that it needs, nothing has to be cleared, and vectors can be gathered. Wake-ups:
 * the reader polls on a timer, so a CPU wakes it only after each eighth of a ring.
 */
#ifndef PC_BPF_EMIT_H
#define PC_BPF_EMIT_H

#include "kernel.h"
#include "maps.bpf.h"

/* Set by the loader. */
const volatile __u32 pc_rings = 1;	      /* data rings in use */
const volatile __u32 pc_wake_bytes = 1 << 19; /* an eighth of a data ring */

static __always_inline struct pc_counters *pc_count(void)
{
	__u32 slot = bpf_get_smp_processor_id() % PC_CPUS;

	return bpf_map_lookup_elem(&pc_counters, &slot);
}

#define pc_add(field, n) __sync_fetch_and_add(&(field), (n))

/* A record that could not even be made. */
static __always_inline void pc_count_lost(__u32 bytes)
{
	struct pc_counters *n = pc_count();

	if (n) {
		pc_add(n->lost[PC_DATA], 1);
		pc_add(n->lost_bytes, bytes);
	}
}

/* A CPU wakes the reader after each eighth of a ring; otherwise the reader's timer is enough. */
static __always_inline __u64 pc_wakes(struct pc_counters *n, __u32 size)
{
	n->unwoken += size;
	if (n->unwoken < pc_wake_bytes)
		return BPF_RB_NO_WAKEUP;
	n->unwoken = 0;
	return BPF_RB_FORCE_WAKEUP;
}

/* A socket without state: it is not captured. */
static __always_inline void pc_count_refused(void)
{
	struct pc_counters *n = pc_count();

	if (n)
		pc_add(n->sockets_refused, 1);
}

/* Tracepoint programs do not migrate but may be interrupted by another on the same CPU, which then
 * finds the first entry busy. A plain flag is enough: whoever interrupts ends first. */
static __always_inline struct pc_scratch *pc_scratch_take(void)
{
	__u32 i = 0;
	struct pc_scratch *x = bpf_map_lookup_elem(&pc_scratch, &i);

	if (x && x->busy) {
		i = 1;
		x = bpf_map_lookup_elem(&pc_scratch, &i);
		if (x && x->busy)
			return NULL;
	}
	if (x)
		x->busy = 1;
	return x;
}

static __always_inline void pc_scratch_give(struct pc_scratch *x)
{
	barrier();
	x->busy = 0;
}

/* The brain is behind: the ring of this CPU is three quarters full. */
static __always_inline bool pc_ring_pressed(void)
{
	__u32 ring_no = bpf_get_smp_processor_id() % (pc_rings ?: 1);
	void *ring = bpf_map_lookup_elem(&pc_data_rings, &ring_no);

	return ring && bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) >= 4 * pc_wake_bytes;
}

/* The record stands in x->data; `bytes` of arrivals and data follow in x->rest. */
static __always_inline void pc_emit_data(struct pc_scratch *x, __u64 bytes)
{
	__u32 ring_no = bpf_get_smp_processor_id() % (pc_rings ?: 1);
	struct pc_counters *n = pc_count();
	void *ring = bpf_map_lookup_elem(&pc_data_rings, &ring_no);
	__u64 size;

	if (!n || !ring)
		return;
	barrier_var(bytes);
	if (bytes > PC_ARRIVALS * sizeof(struct pc_arrival) + PC_PIECE)
		return;
	size = sizeof(x->data) + bytes;
	x->data.head.size = size;
	if (bpf_ringbuf_output(ring, &x->data, size, pc_wakes(n, size))) {
		pc_add(n->lost[PC_DATA], 1);
		pc_add(n->lost_bytes, x->data.len);
	} else {
		pc_add(n->submitted[PC_DATA], 1);
	}
	if (x->data.why) {
		pc_add(n->why[x->data.why & 15], 1);
		pc_add(n->why_bytes[x->data.why & 15], x->data.len - x->data.captured);
	}
	if (x->data.head.flags & PC_F_UNCERTAIN)
		pc_add(n->uncertain, 1);
}

/* A record for the control ring: true when it went in. Wakes the reader: these are rare. */
static __always_inline bool pc_emit_control(void *rec, __u32 size, __u32 kind)
{
	struct pc_counters *n = pc_count();
	long err = bpf_ringbuf_output(&pc_control_ring, rec, size, BPF_RB_NO_WAKEUP);

	if (n) {
		if (err)
			pc_add(n->lost[kind & 15], 1);
		else
			pc_add(n->submitted[kind & 15], 1);
	}
	return !err;
}

static __always_inline void pc_head_set(struct pc_head *h, __u32 kind, __u32 flags, __u32 size,
					__u64 now_ns)
{
	h->kind = kind;
	h->flags = flags;
	h->size = size;
	h->time_ns = now_ns;
}

#endif
