/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * tell.h: what the brain is told of one socket: OPEN, the DATA of a call, END, CLOSE, GONE. Both
 * families fill struct pc_moved (facts of a call) or struct pc_tcp; here they become records, with the
 * brain's directive and the budgets applied.
 *
 * `told` is how far the brain has been told. What is skipped by a directive makes no record until a
 * call reaches the wanted position; then one piece without bytes covers all that was skipped.
 */
#ifndef PC_BPF_TELL_H
#define PC_BPF_TELL_H

#include "lib/arrival.h"
#include "lib/copy.h"
#include "lib/decide.h"
#include "lib/position.h"
#include "lib/quick.h"

#define PC_LATE_NS     100000000ull /* a task that lost its CPU before it could report */
#define PC_SKIP_REPORT (1u << 30)   /* tell of skipped bytes at least this often: fits a u32 */

/* A reset takes the port from a socket (inet_put_port) before its last call is on its way back. What it put
 * into its segments stays. */
static __always_inline __u16 pc_inet_port(const struct sock *sk)
{
	__u16 port = PC_READ(sk, __sk_common.skc_num);

	return port ?: bpf_ntohs(BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));
}

static __always_inline __u16 pc_local_port(const struct sock *sk)
{
	return PC_READ(sk, __sk_common.skc_family) == AF_UNIX ? 0 : pc_inet_port(sk);
}

static __always_inline void pc_addr_of(const struct sock *sk, bool remote, __u16 family,
				       struct pc_addr *ret)
{
	const struct sock_common *c = &sk->__sk_common;
	__u32 v4;

	if (family == AF_INET6) {
		bpf_core_read(ret->ip, 16, remote ? &c->skc_v6_daddr : &c->skc_v6_rcv_saddr);
	} else {
		bpf_core_read(&v4, 4, remote ? &c->skc_daddr : &c->skc_rcv_saddr);
		ret->ip[10] = ret->ip[11] = 0xff;
		__builtin_memcpy(ret->ip + 12, &v4, 4);
	}
	ret->port = remote ? bpf_ntohs(BPF_CORE_READ(c, skc_dport)) : pc_inet_port(sk);
}

/* Read by the loader: Unix sockets are looked for while there are any (look.bpf.h). */
__u64 pc_unix_opened = 0;

/* `now` when both positions are about to move on from rx_pos and tx_pos. */
static __noinline int pc_tell_open(struct pc_sock *s, const struct sock *sk, __u64 now_ns)
{
	const struct pc_control *c = pc_controls();
	struct pc_open o = {};
	__u32 flags = 0, size = sizeof(o);

	if (!c || !s)
		return 0;
	flags |= s->flags & PC_S_ACTIVE ? PC_F_ACTIVE : 0;
	flags |= s->flags & PC_S_PASSIVE ? PC_F_PASSIVE : 0;
	flags |= s->flags & PC_S_COUNTED ? PC_F_COUNTED : 0;
	flags |= s->scope == PC_SCOPE_UNKNOWN ? PC_F_PROVISIONAL : 0;
	if ((s->flags & PC_S_EXISTED) || s->pos[PC_RX] || s->pos[PC_TX])
		flags |= PC_F_JOINED;
	pc_head_set(&o.head, PC_OPEN, flags, size, now_ns);
	o.conn = s->conn;
	o.rx_pos = s->pos[PC_RX];
	o.tx_pos = s->pos[PC_TX];
	o.cgroup = s->cgroup;
	o.start_ns = s->start_ns;
	o.handshake_ns = s->handshake_ns;
	if (s->flags & PC_S_ANCHORED) {
		o.rx_isn = s->seq0[PC_RX] - 1;
		o.tx_isn = s->seq0[PC_TX] - 1;
	}
	o.tgid = s->tgid;
	o.uid = (__u32)bpf_get_current_uid_gid();
	o.tid = s->flags & PC_S_ACTIVE ? s->tid : 0;
	o.family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (o.family == AF_UNIX) {
		__sync_fetch_and_add(&pc_unix_opened, 1);
		o.peer_conn = pc_peer_conn((const void *)sk);
	} else {
		pc_addr_of(sk, false, o.family, &o.local);
		pc_addr_of(sk, true, o.family, &o.remote);
	}
	s->told[PC_RX] = s->pos[PC_RX];
	s->told[PC_TX] = s->pos[PC_TX];
	if (pc_emit_control(&o, size, PC_OPEN))
		s->open_generation = c->brain_generation;
	return 0;
}

/* A range that nobody can have, at position `from`. */
static __noinline int pc_tell_gap(struct pc_sock *s, const struct pc_fact *f, __u64 from, __u64 to,
				  __u32 why)
{
	struct pc_scratch *x;
	__u64 len = to - from;

	if (!s || !f || to <= from)
		return 0;
	x = pc_scratch_take();
	if (!x)
		return 0; /* not a loss: it was told absent anyway, and its place shows */
	__builtin_memset(&x->data, 0, sizeof(x->data));
	pc_head_set(&x->data.head, PC_DATA, f->flags, 0, f->time_ns);
	x->data.conn = s->conn;
	x->data.pos = from;
	x->data.len = len < 0xffffffff ? len : 0xffffffff;
	x->data.tgid = f->who >> 32;
	x->data.tid = (__u32)f->who;
	x->data.srtt_us = f->srtt_us;
	x->data.retrans = f->retrans;
	x->data.unread = f->unread;
	x->data.dir = f->dir;
	x->data.why = why;
	pc_emit_data(x, 0);
	pc_scratch_give(x);
	return 0;
}

/* What was skipped, up to `to`. If that ends before the call of m, its last byte moved with the latest call
 * that made no record, not now: a directive was taken back, or content was not as long as it was said. */
static __always_inline void pc_tell_skipped(struct pc_sock *s, struct pc_moved *m, __u32 d,
					    __u64 to)
{
	__u64 now = m->f.time_ns;

	if (to <= m->span.start && s->skipped_ns[d])
		m->f.time_ns = s->skipped_ns[d];
	pc_tell_gap(s, &m->f, s->told[d], to, PC_WHY_DIRECTIVE);
	m->f.time_ns = now;
}

/* The call of m makes a record that begins at `from`: tell what was skipped before it. Without a directive
 * what is missing is another task's call, about to report. A function of its own: pc_tell_call has no
 * stack to spare. */
static __noinline int pc_tell_skip(struct pc_sock *s, struct pc_moved *m, __u64 from, __u64 until)
{
	__u32 d;

	if (!s || !m || m->span.filled)
		return 0;
	d = m->f.dir & 1;
	if (s->skipped_ns[d] || until > s->told[d])
		pc_tell_skipped(s, m, d, from);
	return 0;
}

/*
 * Bytes that moved without a call that we saw (splice in, TCP_ZEROCOPY_RECEIVE). Where several tasks
 * use this direction they may belong to a call that has not reported yet: kept until that is late.
 */
static __noinline int pc_tell_hole(struct pc_sock *s, struct pc_moved *m, __u64 until)
{
	__u32 d, why;

	if (!s || !m)
		return 0;
	d = m->f.dir & 1;
	why = pc_unseen(d);
	if (m->span.filled) {
		s->hole_pos[d] += m->ret;
		s->hole_len[d] -= m->ret;
		return 0;
	}
	if (s->hole_len[d] && !m->span.hole_len && m->f.time_ns - s->hole_ns[d] < PC_LATE_NS)
		return 0;
	if (s->hole_len[d]) {
		pc_tell_gap(s, &m->f, s->hole_pos[d], s->hole_pos[d] + s->hole_len[d], why);
		s->hole_len[d] = 0;
	}
	if (!m->span.hole_len || m->span.start <= until)
		return 0; /* part of what the brain does not want */
	if (s->told[d] < m->span.hole_pos && s->skipped_ns[d])
		pc_tell_skipped(s, m, d, m->span.hole_pos);
	s->skipped_ns[d] = 0;
	s->told[d] = m->span.start;
	if (m->single) {
		pc_tell_gap(s, &m->f, m->span.hole_pos, m->span.start, why);
		return 0;
	}
	s->hole_ns[d] = m->f.time_ns;
	s->hole_pos[d] = m->span.hole_pos;
	s->hole_len[d] = m->span.hole_len < 0xffffffff ? m->span.hole_len : 0xffffffff;
	return 0;
}

/* What the brain wants of this connection and direction, of a call that begins at `start`; budget 0: the
 * default. False: nothing, ever. */
static __always_inline bool pc_directed(struct pc_sock *s, const struct pc_control *c, __u32 d,
					__u64 start, __u64 *until, __u32 *budget)
{
	__u32 slot = pc_slot(s->conn);
	volatile struct pc_directive *v = bpf_map_lookup_elem(&pc_directives, &slot);
	__u64 mine, other;
	__u32 b;

	s->keep[d & 1] = c->contents;
	if (!v || v->conn != s->conn)
		return true;
	pc_read_barrier();
	mine = v->until[d & 1];
	other = v->until[!(d & 1)];
	b = v->budget[d & 1];
	pc_read_barrier();
	if (v->conn != s->conn)
		return true; /* being rewritten for another */
	if (mine == PC_NEVER && other == PC_NEVER)
		return false;
	*until = mine;
	s->keep[d & 1] = pc_keep(b, mine, start, c->contents);
	*budget = b & PC_BUDGET_BYTES;
	return true;
}

/* A call moved bytes of a socket that is in scope. Not static, so that the verifier walks it once and
 * not once for every way that leads here. 1: its bytes are still to be copied, by pc_copy_long, which
 * the caller calls: kernels up to 6.12 have 512 bytes of stack for a whole chain of calls. */
__noinline int pc_tell_call(struct pc_sock *s, struct pc_moved *m, const struct pc_args *args)
{
	const struct pc_control *c = pc_controls();
	struct pc_scratch *x;
	__u64 until = 0, from;
	__u32 d, budget = 0, why;

	if (!s || !m || !args || !c)
		return 0;
	d = m->f.dir & 1;
	from = m->span.start;
	why = m->why;
	if (!pc_directed(s, c, d, from, &until, &budget)) {
		s->scope = PC_SCOPE_NO;
		return 0;
	}
	if (!budget)
		budget = c->budget[d] << (s->keep[d] ? PC_KEEP_SHIFT : 0);
	if (s->content[!d])
		s->content[!d] = 0; /* the other side speaks: what it was told of lengths is over */
	if (s->content[d] > until && s->keep[d] != PC_KEEP_WANTED)
		until = s->content[d];
	if (s->scope == PC_SCOPE_UNKNOWN) {
		budget = pc_min(budget, s->provisional[d]);
		s->provisional[d] -= pc_min(budget, m->ret);
		m->f.flags |= PC_F_PROVISIONAL;
	}
	if (m->span.end < until && m->span.end - s->told[d] < PC_SKIP_REPORT) {
		s->skipped_ns[d] = m->f.time_ns;
		s->skipped_pos[d] = m->span.end;
		if (d == PC_RX)
			pc_arrival_drop(s, m->end_seq);
		return 0;
	}
	if (m->span.hole_len || m->span.filled || s->hole_len[d])
		pc_tell_hole(s, m, until);
	if (until > m->span.end)
		until = m->span.end;
	if (until > from)
		from = until;
	if (s->told[d] < from)
		pc_tell_skip(s, m, from, until);
	s->skipped_ns[d] = 0;
	if (s->told[d] < m->span.end)
		s->told[d] = m->span.end;
	if (from == m->span.end) {
		if (d == PC_RX)
			pc_arrival_drop(s, m->end_seq);
		return 0;
	}
	m->f.pressed = m->ret > PC_FEW && pc_ring_pressed();
	if (!why && from == m->span.start && m->ret <= budget && !m->f.pressed &&
	    pc_tell_quick(s, m, args))
		return 0;
	x = pc_scratch_take();
	if (!x) {
		pc_count_lost(m->span.end - from);
		return 0;
	}
	pc_data_fill(&x->data, s, m, from);
	if (d == PC_RX && s->arrived_head != s->arrived_tail) {
		x->data.arrivals = pc_arrival_count(s, m->end_seq);
		pc_arrival_take(s, m->end_seq, m->span.end, x->data.arrivals,
				(struct pc_arrival *)x->rest);
	}
	x->pressed = m->f.pressed;
	if (x->pressed) /* better a body in part than a head less */
		budget = pc_min(budget, PC_PIECE);
	pc_walk_begin(&x->walk, m->ret, m->span.start, until, budget);
	if (!why)
		why = pc_walk_source(&x->walk, args);
	if (why) {
		x->data.head.flags |= PC_F_LAST;
		pc_piece_hole(x, m->span.end - from, why);
		pc_piece_send(x);
	} else if (!pc_copy_short(x)) {
		return 1;
	}
	pc_scratch_give(x);
	return 0;
}

/* No call will follow in this direction: tell what was kept back, so that every byte has a cause. */
static __noinline int pc_tell_rest(struct pc_sock *s, __u32 d, __u64 pos, __u64 who)
{
	struct pc_fact f = {};
	__u64 seen, now;

	if (!s)
		return 0;
	d &= 1;
	f.time_ns = bpf_ktime_get_ns();
	f.who = who;
	f.dir = d;
	if (s->hole_len[d])
		pc_tell_gap(s, &f, s->hole_pos[d], s->hole_pos[d] + s->hole_len[d], pc_unseen(d));
	s->hole_len[d] = 0;
	/* A body that was skipped and cut: its last byte moved with the latest call, not now. */
	seen = s->pos[d] < pos ? s->pos[d] : pos;
	now = f.time_ns;
	if (s->told[d] < seen && s->skipped_ns[d])
		f.time_ns = s->skipped_ns[d];
	pc_tell_gap(s, &f, s->told[d], seen, PC_WHY_DIRECTIVE);
	if (s->told[d] < seen)
		s->told[d] = seen;
	f.time_ns = now;
	pc_tell_gap(s, &f, s->told[d], pos, pc_unseen(d));
	if (s->told[d] < pos)
		s->told[d] = pos;
	return 0;
}

/* A direction ended: by end of stream (error 0) or by an error of the call. Told once. */
static __noinline int pc_tell_end(struct pc_sock *s, __u32 d, __s32 error)
{
	struct pc_end e = {};
	__u32 size = sizeof(e);

	if (!s || s->ended & (1 << (d & 1)))
		return 0;
	pc_tell_rest(s, d, s->pos[d & 1], bpf_get_current_pid_tgid());
	pc_head_set(&e.head, PC_END, 0, size, bpf_ktime_get_ns());
	e.conn = s->conn;
	e.pos = s->pos[d & 1];
	e.error = error;
	e.tgid = bpf_get_current_pid_tgid() >> 32;
	e.dir = d & 1;
	if (pc_emit_control(&e, size, PC_END))
		s->ended |= 1 << (d & 1);
	return 0;
}

/* The connection closes, but a call on it may not have reported yet: what was skipped is told, what is
 * missing beyond that is not. */
static __noinline int pc_tell_skipped_rest(struct pc_sock *s, __u32 d)
{
	struct pc_fact f = {};
	__u64 told, end;

	if (!s)
		return 0;
	d &= 1;
	told = s->told[d];
	end = s->skipped_pos[d];
	f.time_ns = s->skipped_ns[d];
	f.dir = d;
	if (f.time_ns && told < end && __sync_val_compare_and_swap(&s->told[d], told, end) == told)
		pc_tell_gap(s, &f, told, end, PC_WHY_DIRECTIVE);
	return 0;
}

/*
 * A reset ends a connection in the middle of a call on it: another CPU takes it in while the call is on its
 * way back, or the call itself does, when it lets go of the socket. TCP has counted the bytes of that call,
 * and the call is about to tell of them. So CLOSE tells of nothing that no call has told, and notes how far
 * TCP was: an aborted connection (tcp_disconnect) has its numbers reset soon after, with write_seq set
 * beyond the window. GONE, which no call can follow, tells the rest.
 */
static __always_inline void pc_note_closed(struct pc_sock *s, const struct pc_tcp *t)
{
	bool plain = (s->flags & PC_S_ANCHORED) && !(s->flags & PC_S_COUNTED);

	s->closed_pos[PC_RX] = plain ? pc_rx_pos(t, s->seq0) : s->pos[PC_RX];
	s->closed_pos[PC_TX] = plain ? pc_tx_pos(t, s->seq0) : s->pos[PC_TX];
}

static __always_inline __u64 pc_gone_pos(const struct pc_sock *s, __u32 d)
{
	__u64 pos = s->pos[d] > s->told[d] ? s->pos[d] : s->told[d];

	return pos > s->closed_pos[d] ? pos : s->closed_pos[d];
}

static __always_inline void pc_close_fill(struct pc_close *e, const struct pc_sock *s,
					  const struct pc_tcp *t, __u32 kind, __u32 flags,
					  __s32 error)
{
	pc_head_set(&e->head, kind, flags, sizeof(*e), bpf_ktime_get_ns());
	e->conn = s->conn;
	e->error = error;
	if (!t)
		return;
	e->srtt_us = t->srtt_us;
	e->min_rtt_us = t->min_rtt_us;
	e->retrans = t->retrans;
}

static __always_inline void pc_tell_close(struct pc_sock *s, const struct pc_tcp *t, __u32 flags,
					  __s32 error)
{
	struct pc_close e = {};

	pc_close_fill(&e, s, t, PC_CLOSE, flags, error);
	e.rx_pos = s->pos[PC_RX];
	e.tx_pos = s->pos[PC_TX];
	if ((s->flags & PC_S_ANCHORED) && !(s->flags & PC_S_COUNTED)) {
		e.acked = pc_acked_pos(t, s->seq0);
		e.unread = pc_unread(t);
	}
	pc_tell_skipped_rest(s, PC_RX);
	pc_tell_skipped_rest(s, PC_TX);
	pc_emit_control(&e, sizeof(e), PC_CLOSE);
}

/* t = NULL: nothing is known of it but what was told. */
static __always_inline void pc_tell_gone(struct pc_sock *s, const struct pc_tcp *t, __u32 flags,
					 __s32 error)
{
	struct pc_close e = {};

	pc_close_fill(&e, s, t, PC_GONE, flags, error);
	e.rx_pos = pc_gone_pos(s, PC_RX);
	e.tx_pos = pc_gone_pos(s, PC_TX);
	pc_tell_rest(s, PC_RX, e.rx_pos, 0);
	pc_tell_rest(s, PC_TX, e.tx_pos, 0);
	pc_emit_control(&e, sizeof(e), PC_GONE);
}

#endif
