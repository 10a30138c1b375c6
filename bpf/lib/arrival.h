/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * arrival.h: when did the bytes that a call reads reach the socket? sk_data_ready notes (sequence,
 * time) pairs, up to four, so that pipelined and joined requests each have their own; the receiving
 * call takes those that concern its range. Pure, tested on the host.
 *
 * One writer at a time (TCP holds the socket's lock around sk_data_ready), one reader at a time
 * (two threads that read one socket at once are uncertain anyway). When four are waiting, what
 * arrives later has no pair: unobserved rather than wrong.
 */
#ifndef PC_BPF_ARRIVAL_H
#define PC_BPF_ARRIVAL_H

#include "parcours/abi.h"
#include "state.h"

static inline bool pc_arrival_wanted(const struct pc_sock *s, __u32 rcv_nxt)
{
	__u32 waiting = s->arrived_head - s->arrived_tail;

	if (waiting >= PC_ARRIVALS)
		return false;
	/* Nothing new in order (out-of-order data, a FIN): no pair. */
	return waiting == 0 || s->arrived[(s->arrived_head - 1) % PC_ARRIVALS].seq != rcv_nxt;
}

static inline void pc_arrival_note(struct pc_sock *s, __u32 rcv_nxt, __u64 now_ns)
{
	struct pc_arrived *a = &s->arrived[s->arrived_head % PC_ARRIVALS];

	a->seq = rcv_nxt;
	a->time_ns = now_ns;
	s->arrived_head++;
}

/* How many pairs concern the bytes that end at sequence `end_seq`. */
static inline __u32 pc_arrival_count(const struct pc_sock *s, __u32 end_seq)
{
	__u32 tail = s->arrived_tail, n = 0;

	for (int i = 0; i < PC_ARRIVALS; i++) {
		if (tail == s->arrived_head)
			break;
		n = i + 1;
		if ((__s32)(s->arrived[tail % PC_ARRIVALS].seq - end_seq) > 0)
			break;
		tail++;
	}
	return n;
}

/* Pairs for the bytes that end at sequence `end_seq` = position `end_pos`, at most `max`; what is fully
 * read leaves the ring, a pair that reaches beyond stays for the next call and is told to both. */
static inline void pc_arrival_take(struct pc_sock *s, __u32 end_seq, __u64 end_pos, __u32 max,
				   struct pc_arrival ret[PC_ARRIVALS])
{
	__u32 tail = s->arrived_tail;

	for (__u32 i = 0; i < PC_ARRIVALS && i < max; i++) {
		const struct pc_arrived *a = &s->arrived[tail % PC_ARRIVALS];
		__s32 beyond = (__s32)(a->seq - end_seq);

		ret[i].end_pos = end_pos + (__u64)(__s64)beyond;
		ret[i].time_ns = a->time_ns;
		if (beyond > 0)
			break;
		tail++;
	}
	s->arrived_tail = tail;
}

/* The same for bytes that nobody wants to hear of. */
static inline void pc_arrival_drop(struct pc_sock *s, __u32 end_seq)
{
	__u32 tail = s->arrived_tail;

	for (int i = 0; i < PC_ARRIVALS; i++) {
		if (tail == s->arrived_head ||
		    (__s32)(s->arrived[tail % PC_ARRIVALS].seq - end_seq) > 0)
			break;
		tail++;
	}
	s->arrived_tail = tail;
}

#endif
