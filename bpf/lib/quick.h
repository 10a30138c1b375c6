/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * quick.h: the short call, which is nearly every call of a server that is busy: one buffer or two, up
 * to a piece, wanted whole; not a whole piece, as that is what fills a reader's buffer of 4 KiB, and
 * more of a message follows (content.h). Its record is written in the ring itself. What is longer, in
 * more vectors, or wanted in part goes through the scratch memory of copy.h.
 */
#ifndef PC_BPF_QUICK_H
#define PC_BPF_QUICK_H

#include "lib/arrival.h"
#include "lib/copy.h"
#include "lib/moved.h"

/* Where the bytes lie: one buffer, or two when second_len > 0. */
struct pc_two {
	__u64 first, second;
	__u64 first_len, second_len;
};

/* False: another shape. */
static __always_inline bool pc_two_of(const struct pc_args *a, __u64 total, struct pc_two *t)
{
	struct iovec v[2] = {};
	__u64 at = a->at, count = a->count;

	t->second = t->second_len = 0;
	t->first_len = total;
	switch (a->form & PC_FORM_MASK) {
	case PC_FORM_BUF:
		t->first = at;
		return true;
	case PC_FORM_MSG:
		/* msg_iov and msg_iovlen, laid out as an iovec */
		if (bpf_probe_read_user(v, sizeof(v[0]), (void *)(at + PC_MSG_IOV)))
			return false;
		at = v[0].iov_base;
		count = v[0].iov_len;
		break;
	case PC_FORM_IOV:
		break;
	default:
		return false;
	}
	if (count != 1 && count != 2)
		return false;
	if (count == 1 ? bpf_probe_read_user(v, sizeof(v[0]), (void *)at)
		       : bpf_probe_read_user(v, sizeof(v), (void *)at))
		return false;
	t->first = v[0].iov_base;
	if (v[0].iov_len >= total)
		return true;
	t->first_len = v[0].iov_len;
	t->second = v[1].iov_base;
	t->second_len = total - v[0].iov_len;
	return v[1].iov_len >= t->second_len;
}

/* True: told. False: not such a call, nothing was done. */
static __always_inline bool pc_tell_quick(struct pc_sock *s, const struct pc_moved *m,
					  const struct pc_args *args)
{
	struct pc_counters *n = pc_count();
	__u64 first, second, size;
	struct pc_room room;
	struct pc_data *r;
	struct pc_two t;
	__u32 pairs = 0;
	__u8 *bytes;
	long bad;

	if (!n || m->ret >= PC_PIECE || !pc_two_of(args, m->ret, &t))
		return false;
	first = t.first_len;
	second = t.second_len;
	barrier_var(first);
	barrier_var(second);
	if (first > PC_PIECE || second > PC_PIECE)
		return false;
	if (m->f.dir == PC_RX && s->arrived_head != s->arrived_tail)
		pairs = pc_arrival_count(s, m->end_seq);
	size = sizeof(*r) + pairs * sizeof(struct pc_arrival) + m->ret;
	if (!pc_ring_take(size, &room)) {
		pc_add(n->lost[PC_DATA], 1);
		pc_add(n->lost_bytes, m->ret);
		return true;
	}
	pc_add(n->submitted[PC_DATA], 1);
	if (m->f.flags & PC_F_UNCERTAIN)
		pc_add(n->uncertain, 1);
	r = (struct pc_data *)(room.mark + 1);
	pc_data_fill(r, s, m, m->span.start);
	r->head.flags |= PC_F_LAST;
	r->head.size = size;
	r->len = r->captured = m->ret;
	r->arrivals = pairs;
	barrier_var(pairs);
	if (pairs > PC_ARRIVALS)
		pairs = PC_ARRIVALS;
	if (pairs)
		pc_arrival_take(s, m->end_seq, m->span.end, pairs, (struct pc_arrival *)(r + 1));
	bytes = (__u8 *)(r + 1) + pairs * sizeof(struct pc_arrival);
	/* What cannot be read is cleared by the helper. */
	bad = bpf_probe_read_user(bytes, first, (void *)t.first);
	if (second)
		bad |= bpf_probe_read_user(bytes + first, second, (void *)t.second);
	if (bad) {
		r->captured = 0;
		r->why = PC_WHY_FAULT;
		pc_add(n->why[PC_WHY_FAULT], 1);
		pc_add(n->why_bytes[PC_WHY_FAULT], m->ret);
	}
	pc_ring_give(&room);
	pc_ring_wake(n, size);
	return true;
}

#endif
