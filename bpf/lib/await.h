/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * await.h: a write asks for its acknowledgement. Between the call (socket.h) and the hook that sees
 * the segments (sent.bpf.h): the one leaves a position in the state of the socket, the other takes it
 * back. Both families; costs a load and a comparison where nobody asked.
 */
#ifndef PC_BPF_AWAIT_H
#define PC_BPF_AWAIT_H

#include "lib/decide.h"
#include "lib/moved.h"
#include "lib/sent.h"

/* A function of its own: its variables must not lie in the stack of a chain of calls that fills what
 * 6.1 allows. After the numbers of the call were read. The hook may see the acknowledgement before the
 * record of the call is in the ring: the brain takes both in any order. */
static __noinline int pc_await(struct pc_sock *s, const struct tcp_sock *tp, struct pc_moved *m)
{
	const struct pc_control *c = pc_controls();
	struct pc_counters *n;

	if (!s || !m || !c || !c->acknowledge || !tp || (m->f.flags & PC_F_COUNTED))
		return 0;
	if (!m->f.unread) {
		m->f.flags |= PC_F_ARRIVED;
		return 0;
	}
	if (c->acknowledge != PC_ACKNOWLEDGE_ALL &&
	    !(pc_is_far(m->f.srtt_us) && pc_is_far(PC_READ(tp, rtt_min.s[0].v))) &&
	    (m->f.unread <= PC_UNSENT_BYTES || PC_READ(tp, snd_nxt) == PC_READ(tp, write_seq)))
		return 0;
	n = pc_count();
	if (n)
		pc_add(n->awaited, 1);
	if (c->acknowledge == PC_ACKNOWLEDGE_COUNT)
		return 0;
	m->f.flags |= PC_F_AWAITED;
	s->awaited = m->span.end;
	return 0;
}

/* Into the data ring: they come as often as data. */
static __noinline int pc_tell_sent(struct pc_sock *s, __u32 kind, __u64 pos, __u32 what)
{
	struct pc_counters *n = pc_count();
	struct pc_sent r = {};
	struct pc_room room;
	__u32 size = sizeof(r);

	if (!s || !n)
		return 0;
	pc_head_set(&r.head, kind, kind == PC_ACKED ? what : 0, size, bpf_ktime_get_ns());
	r.conn = s->conn;
	r.pos = pos;
	r.segments = kind == PC_RESENT ? what : 0;
	r.retrans = s->resent;
	if (!pc_ring_take(size, &room)) {
		pc_add(n->lost[kind % PC_KINDS], 1);
		return 0;
	}
	pc_add(n->submitted[kind % PC_KINDS], 1);
	bpf_probe_read_kernel(room.mark + 1, sizeof(r), &r);
	pc_ring_give(&room);
	pc_ring_wake(n, size);
	return 0;
}

static __always_inline bool pc_is_told(const struct pc_sock *s, const struct pc_control *c)
{
	return s->scope != PC_SCOPE_NO && s->open_generation &&
	       s->open_generation == c->brain_generation;
}

/* Our FIN was acknowledged, and everything before it: perhaps by an earlier segment, which a socket
 * that is closing does not show. */
static __noinline int pc_await_over(struct pc_sock *s)
{
	const struct pc_control *c = pc_controls();
	__u64 pos;

	if (!s || !c || !s->awaited)
		return 0;
	pos = s->awaited;
	s->awaited = 0;
	if (pc_is_told(s, c))
		pc_tell_sent(s, PC_ACKED, pos, PC_F_AT_MOST);
	return 0;
}

#endif
