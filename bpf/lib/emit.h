/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * emit.h: records into the rings, each one counted as submitted or lost. Both families.
 *
 * The record of a short call is written in the ring (quick.h). Others are built in the CPU's scratch
 * memory, where vectors can be gathered and lengths are known at the end, and copied from there.
 */
#ifndef PC_BPF_EMIT_H
#define PC_BPF_EMIT_H

#include "lib/ring.h"

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

/* The one taken last: whoever interrupted its owner has given back its own. */
static __always_inline struct pc_scratch *pc_scratch_taken(void)
{
	__u32 i = 1;
	struct pc_scratch *x = bpf_map_lookup_elem(&pc_scratch, &i);

	if (x && !x->busy) {
		i = 0;
		x = bpf_map_lookup_elem(&pc_scratch, &i);
	}
	return x && x->busy ? x : NULL;
}

static __always_inline void pc_scratch_give(struct pc_scratch *x)
{
	barrier();
	x->busy = 0;
}

/* The record stands in x->data; `bytes` of arrivals and data follow in x->rest. */
static __always_inline void pc_emit_data(struct pc_scratch *x, __u64 bytes)
{
	struct pc_counters *n = pc_count();
	struct pc_room room;
	__u64 size;

	if (!n)
		return;
	barrier_var(bytes);
	if (bytes > PC_ARRIVALS * sizeof(struct pc_arrival) + PC_PIECE)
		return;
	size = sizeof(x->data) + bytes;
	x->data.head.size = size;
	if (x->data.why) {
		pc_add(n->why[x->data.why & 15], 1);
		pc_add(n->why_bytes[x->data.why & 15], x->data.len - x->data.captured);
	}
	if (x->data.head.flags & PC_F_UNCERTAIN)
		pc_add(n->uncertain, 1);
	if (!pc_ring_take(size, &room)) {
		pc_add(n->lost[PC_DATA], 1);
		pc_add(n->lost_bytes, x->data.len);
		return;
	}
	pc_add(n->submitted[PC_DATA], 1);
	bpf_probe_read_kernel(room.mark + 1, size, &x->data);
	pc_ring_give(&room);
	pc_ring_wake(n, size);
}

/* A record for the control ring: true when it went in. */
static __always_inline bool pc_emit_control(void *rec, __u32 size, __u32 kind)
{
	struct pc_counters *n = pc_count();
	long err = bpf_ringbuf_output(&pc_control_ring, rec, size, BPF_RB_NO_WAKEUP);

	if (n) {
		if (err)
			pc_add(n->lost[kind % PC_KINDS], 1);
		else
			pc_add(n->submitted[kind % PC_KINDS], 1);
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
