/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * quick.h: the short call, which is nearly every call of a server that is busy: one buffer or two, up
 * to 2 KiB, wanted whole. Its record is built in the ring itself. What is longer, in more vectors, or
 * wanted in part goes through the scratch memory of copy.h, which costs a tenth of a microsecond more.
 *
 * The verifier wants a constant size for a record in the ring, so there are three; head.size says how
 * much of it is the record. What lies behind that are bytes of records that the brain has had.
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
	__u64 m[2]; /* msg_iov, msg_iovlen */
	__u64 at = a->at, count = a->count;

	t->second = t->second_len = 0;
	t->first_len = total;
	switch (a->form & PC_FORM_MASK) {
	case PC_FORM_BUF:
		t->first = at;
		return true;
	case PC_FORM_MSG:
		if (bpf_probe_read_user(m, sizeof(m), (void *)(at + PC_MSG_IOV)))
			return false;
		at = m[0];
		count = m[1];
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

/* `cap`: bytes that either buffer may have at most; the record has room for both. `pairs`: 0 or 1. */
static __always_inline void pc_put(void *ring, struct pc_counters *n, const struct pc_sock *s,
				   const struct pc_moved *m, const struct pc_two *t,
				   const struct pc_arrival *arrived, const __u32 pairs,
				   const __u32 cap, const __u32 buffers)
{
	const __u32 fixed = sizeof(struct pc_data) + pairs * sizeof(struct pc_arrival);
	__u64 first = t->first_len, second = t->second_len;
	struct pc_data *r;
	__u8 *bytes;
	long bad;

	barrier_var(first);
	barrier_var(second);
	if (first > cap || second > cap)
		return;
	r = bpf_ringbuf_reserve(ring, fixed + buffers * cap, 0);
	if (!r) {
		pc_add(n->lost[PC_DATA], 1);
		pc_add(n->lost_bytes, m->ret);
		return;
	}
	pc_data_fill(r, s, m, m->span.start);
	r->head.flags |= PC_F_LAST;
	r->head.size = fixed + first + second;
	r->len = r->captured = first + second;
	r->arrivals = pairs;
	bytes = (__u8 *)(r + 1);
	if (pairs) {
		*(struct pc_arrival *)bytes = *arrived;
		bytes += sizeof(*arrived);
	}
	bad = bpf_probe_read_user(bytes, first, (void *)t->first);
	if (buffers == 2)
		bad |= bpf_probe_read_user(bytes + first, second, (void *)t->second);
	if (bad) {
		r->head.size = fixed;
		r->captured = 0;
		r->why = PC_WHY_FAULT;
		pc_add(n->why[PC_WHY_FAULT], 1);
		pc_add(n->why_bytes[PC_WHY_FAULT], m->ret);
	}
	bpf_ringbuf_submit(r, pc_wakes(n, fixed + buffers * cap));
	pc_add(n->submitted[PC_DATA], 1);
}

/* True: told. False: not such a call, nothing was done. */
static __always_inline bool pc_tell_quick(struct pc_sock *s, const struct pc_moved *m,
					  const struct pc_args *args)
{
	struct pc_arrival arrived = { m->span.start, 0 };
	__u32 ring_no = bpf_get_smp_processor_id() % (pc_rings ?: 1);
	struct pc_counters *n;
	struct pc_two t;
	void *ring;

	if (m->ret > 2048 || !pc_two_of(args, m->ret, &t))
		return false;
	n = pc_count();
	ring = bpf_map_lookup_elem(&pc_data_rings, &ring_no);
	if (!n || !ring)
		return false;
	if (m->f.dir == PC_RX) {
		if (t.second_len || s->arrived_head - s->arrived_tail > 1)
			return false;
		pc_arrival_one(s, m->end_seq, m->span.end, &arrived);
		if (m->ret <= 192)
			pc_put(ring, n, s, m, &t, &arrived, 1, 192, 1);
		else if (m->ret <= 640)
			pc_put(ring, n, s, m, &t, &arrived, 1, 640, 1);
		else
			pc_put(ring, n, s, m, &t, &arrived, 1, 2048, 1);
	} else if (!t.second_len) {
		if (m->ret <= 256)
			pc_put(ring, n, s, m, &t, NULL, 0, 256, 1);
		else if (m->ret <= 640)
			pc_put(ring, n, s, m, &t, NULL, 0, 640, 1);
		else
			pc_put(ring, n, s, m, &t, NULL, 0, 2048, 1);
	} else if (t.first_len <= 256 && t.second_len <= 256) {
		pc_put(ring, n, s, m, &t, NULL, 0, 256, 2);
	} else if (t.first_len <= 1024 && t.second_len <= 1024) {
		pc_put(ring, n, s, m, &t, NULL, 0, 1024, 2);
	} else {
		return false;
	}
	return true;
}

#endif
