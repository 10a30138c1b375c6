/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * moved.h: the facts of one call that moved bytes, collected by the source (socket.h), and the fixed
 * part of the record that they become.
 */
#ifndef PC_BPF_MOVED_H
#define PC_BPF_MOVED_H

#include "lib/emit.h"
#include "lib/position.h"

/* What every record of a call says, whatever became of its bytes. */
struct pc_fact {
	__u64 time_ns, begin_ns;
	__u64 who;   /* tgid and tid, as the helper gives them; 0 = nobody's call */
	__u32 flags; /* PC_F_* */
	__u32 srtt_us, retrans, unread;
	__u32 dir;
	__u32 pressed; /* the ring is filling, and the call is long: kept here, as stack is short */
};

/* No hidden padding: a function of its own takes this from the caller's stack, which must be written. */
struct pc_moved {
	struct pc_fact f;
	struct pc_span span;
	__u32 ret;
	__u32 why;     /* PC_WHY_NONE, or the bytes cannot be had */
	__u32 end_seq; /* TCP: sequence number at span.end, for the arrivals */
	__u32 single;  /* one task only: what moved unseen was no other call */
};

static __always_inline void pc_data_fill(struct pc_data *r, const struct pc_sock *s,
					 const struct pc_moved *m, __u64 pos)
{
	pc_head_set(&r->head, PC_DATA, m->f.flags | PC_F_FIRST, 0, m->f.time_ns);
	r->conn = s->conn;
	r->pos = pos;
	r->begin_ns = m->f.begin_ns;
	r->len = 0;
	r->captured = 0;
	r->tgid = m->f.who >> 32;
	r->tid = (__u32)m->f.who;
	r->srtt_us = m->f.srtt_us;
	r->retrans = m->f.retrans;
	r->dir = m->f.dir;
	r->why = PC_WHY_NONE;
	r->arrivals = 0;
	r->pad = 0;
	r->unread = m->f.unread;
}

#endif
