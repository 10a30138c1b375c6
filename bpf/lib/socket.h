/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * socket.h: one socket, its state and a call on it: scope, position, times. What both sources do with a
 * socket once they have one. How a field is read (PC_READ) and where the state is kept (pc_state_*) is
 * the family's: by_storage.h or by_cookie.h, included before this.
 */
#ifndef PC_BPF_SOCKET_H
#define PC_BPF_SOCKET_H

#include "lib/await.h"
#include "lib/tell.h"

#define PC_STAMP_BYTES 16384 /* a write this small that fits the buffer is one moment */
#define PC_PSOCK       4     /* SK_USER_DATA_PSOCK: the socket sits in a sockmap */
#define PC_EAGAIN      11
#define PC_TURN_TRIES                                                                              \
	256 /* looks at a held turn: its holder cannot sleep and is done in about 1 µs */

static __always_inline bool pc_is_stream(const struct sock *sk)
{
	__u16 family = PC_READ(sk, __sk_common.skc_family);

	return (family == AF_INET || family == AF_INET6 || family == AF_UNIX) &&
	       PC_READ(sk, sk_type) == SOCK_STREAM;
}

/* TCP's own numbers count the application's bytes only where nothing sits in between. */
static __always_inline bool pc_is_plain(const struct sock *sk, const struct tcp_sock *tp)
{
	return tp && !PC_READ(tp, inet_conn.icsk_ulp_ops) &&
	       !((__u64)PC_READ(sk, sk_user_data) & PC_PSOCK);
}

/* Before rcv_nxt is read: another CPU may take the FIN in meanwhile, which counts it there first. The other
 * way round it would be taken off what was read before it came. */
static __always_inline bool pc_fin_in(const struct sock *sk)
{
	bool in = (PC_READ(sk, __sk_common.skc_flags) >> SOCK_DONE) & 1;

	pc_read_barrier();
	return in;
}

static __always_inline void pc_tcp_read(const struct sock *sk, const struct tcp_sock *tp,
					__u32 sock_flags, struct pc_tcp *t)
{
	t->fin_in = pc_fin_in(sk);
	t->copied_seq = PC_READ(tp, copied_seq);
	t->rcv_nxt = PC_READ(tp, rcv_nxt);
	t->write_seq = PC_READ(tp, write_seq);
	t->snd_una = PC_READ(tp, snd_una);
	t->snd_nxt = PC_READ(tp, snd_nxt);
	t->bytes_received = PC_READ(tp, bytes_received);
	t->bytes_acked = PC_READ(tp, bytes_acked);
	t->bytes_sent = PC_READ(tp, bytes_sent);
	t->bytes_retrans = PC_READ(tp, bytes_retrans);
	t->srtt_us = PC_READ(tp, srtt_us) >> 3;
	t->min_rtt_us = PC_READ(tp, rtt_min.s[0].v);
	t->retrans = PC_READ(tp, total_retrans);
	t->fin_out = !!(sock_flags & PC_S_FIN_OUT);
}

/* The same, but only what the position of one direction needs: for each call. */
static __always_inline void pc_tcp_read_way(const struct sock *sk, const struct tcp_sock *tp,
					    __u32 sock_flags, __u32 d, struct pc_tcp *t)
{
	if (d == PC_RX) {
		t->fin_in = pc_fin_in(sk);
		t->copied_seq = PC_READ(tp, copied_seq);
		t->rcv_nxt = PC_READ(tp, rcv_nxt);
		t->bytes_received = PC_READ(tp, bytes_received);
	} else {
		t->write_seq = PC_READ(tp, write_seq);
		t->snd_una = PC_READ(tp, snd_una);
		t->bytes_acked = PC_READ(tp, bytes_acked);
		t->fin_out = !!(sock_flags & PC_S_FIN_OUT);
	}
	t->srtt_us = PC_READ(tp, srtt_us) >> 3;
	t->retrans = PC_READ(tp, total_retrans);
}

/* The numbers are read without the lock: twice. False: they moved in between. */
static __noinline bool pc_anchor_try(struct pc_sock *s, struct sock *sk)
{
	struct tcp_sock *tp = pc_tcp_of(sk);
	__u32 again[2];
	struct pc_tcp t;

	if (!s || !tp)
		return true;
	pc_tcp_read(sk, tp, s->flags, &t);
	if (!(s->flags & (PC_S_ACTIVE | PC_S_PASSIVE)))
		s->flags |= pc_role(&t);
	pc_anchor(&t, s->flags & PC_S_ACTIVE, s->seq0);
	barrier();
	pc_tcp_read(sk, tp, s->flags, &t);
	pc_anchor(&t, s->flags & PC_S_ACTIVE, again);
	s->pos[PC_RX] = pc_rx_pos(&t, s->seq0);
	s->pos[PC_TX] = pc_tx_pos(&t, s->seq0);
	s->resent = t.retrans;
	return again[PC_RX] == s->seq0[PC_RX] && again[PC_TX] == s->seq0[PC_TX];
}

/* Fixes position 0, once. */
static __noinline int pc_anchor_sock(struct pc_sock *s, struct sock *sk)
{
	__u8 state;

	if (!s)
		return 0;
	if (!pc_is_plain(sk, pc_tcp_of(sk))) {
		s->flags |= PC_S_COUNTED;
		return 0;
	}
	state = PC_READ(sk, __sk_common.skc_state);
	if (state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 || state == TCP_CLOSING ||
	    state == TCP_LAST_ACK)
		s->flags |= PC_S_FIN_OUT;
#pragma unroll /* 6.1 takes no loop that is entered by falling into it */
	for (int i = 0; i < 4; i++)
		if (pc_anchor_try(s, sk))
			break;
	s->flags |= PC_S_ANCHORED;
	return 0;
}

static __always_inline void pc_sock_begin(struct pc_sock *s, struct sock *sk,
					  const struct pc_control *c, __u32 flags)
{
	__builtin_memset(s, 0, sizeof(*s));
	s->conn = pc_conn_of(sk);
	s->flags = flags;
	s->scope = PC_SCOPE_UNKNOWN;
	s->scope_generation = c->scope_generation;
	s->brain_generation = c->brain_generation;
	s->provisional[PC_RX] = s->provisional[PC_TX] = c->provisional_bytes;
}

static __always_inline struct pc_sock *pc_sock_new(struct sock *sk, const struct pc_control *c,
						   __u32 flags)
{
	struct pc_sock *s = pc_state_make(sk);

	if (s)
		pc_sock_begin(s, sk, c, flags);
	return s;
}

static __always_inline void pc_listener_new(struct sock *sk, const struct pc_control *c)
{
	if (!pc_state_listens(sk))
		pc_sock_new(sk, c, PC_S_LISTENER);
}

/* NULL: the kernel's own socket, or one that nobody has accepted yet. */
static __always_inline struct file *pc_file_of(const struct sock *sk)
{
	struct socket *q = PC_READ(sk, sk_socket);

	return q ? PC_READ(q, file) : NULL;
}

static __always_inline __u16 pc_remote_port(const struct sock *sk)
{
	return PC_READ(sk, __sk_common.skc_family) == AF_UNIX
		       ? 0
		       : bpf_ntohs(PC_READ(sk, __sk_common.skc_dport));
}

/* The verdict that counts from now on; NO by the process is not remembered: another process may
 * have the same socket. */
static __always_inline void pc_sock_verdict(struct pc_sock *s, const struct pc_control *c,
					    __u32 verdict)
{
	struct pc_counters *n;

	s->scope = verdict;
	s->scope_generation = c->scope_generation;
	s->brain_generation = c->brain_generation;
	if (verdict == PC_SCOPE_YES && pc_sampled_out(s->conn, c->sample_shift)) {
		s->scope = PC_SCOPE_NO;
		n = pc_count();
		if (n)
			pc_add(n->sampled_out, 1);
	}
}

/* A socket without a verdict is used by the current process. */
static __noinline struct pc_sock *pc_sock_ask(struct sock *sk, struct pc_sock *s)
{
	const struct pc_control *c = pc_controls();
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u32 verdict;

	if (!c)
		return NULL;
	verdict =
		pc_decide_current(c, tgid, s ? s->flags : 0, pc_local_port(sk), pc_remote_port(sk));
	if (verdict == PC_SCOPE_NO)
		return NULL;
	if (!s) {
		if (!pc_file_of(sk))
			return NULL;
		s = pc_sock_new(sk, c, 0);
		if (!s)
			return NULL;
		pc_anchor_sock(s, sk);
	} else if (s->flags & PC_S_LISTENER) { /* a child that is used before it is established */
		pc_sock_begin(s, sk, c, PC_S_PASSIVE);
		pc_anchor_sock(s, sk);
	}
	if (!s->tgid) {
		s->tgid = tgid;
		s->cgroup = bpf_get_current_cgroup_id();
	}
	pc_sock_verdict(s, c, verdict);
	return s->scope == PC_SCOPE_NO ? NULL : s;
}

/* `s`: the state of the socket, NULL if it has none. */
static __always_inline struct pc_sock *pc_sock_used(struct pc_sock *s, struct sock *sk,
						    const struct pc_control *c)
{
	if (s && s->scope != PC_SCOPE_UNKNOWN && s->scope_generation == c->scope_generation &&
	    s->brain_generation == c->brain_generation && s->tgid)
		return s->scope == PC_SCOPE_YES ? s : NULL;
	return pc_sock_ask(sk, s);
}

/* First use that this brain hears of. Positions start before this call, whatever moved unseen. */
static __noinline int pc_sock_open(struct pc_sock *s, struct sock *sk, __u32 d, __u32 ret)
{
	struct tcp_sock *tp = pc_tcp_of(sk);
	struct pc_tcp t;
	bool unseen;

	if (!s)
		return 0;
	/* Known from birth, and an io_uring was there before this call: counted from 0. */
	unseen = PC_CALLS_ONLY && !s->open_generation && !(s->flags & PC_S_EXISTED) &&
		 bpf_get_current_task_btf()->io_uring;
	if (!unseen && (s->flags & PC_S_ANCHORED) && !(s->flags & PC_S_COUNTED) &&
	    pc_is_plain(sk, tp)) {
		pc_tcp_read(sk, tp, s->flags, &t);
		s->pos[PC_RX] = pc_rx_pos(&t, s->seq0) - (d == PC_RX ? ret : 0);
		s->pos[PC_TX] = pc_tx_pos(&t, s->seq0) - (d == PC_TX ? ret : 0);
	}
	s->hole_len[PC_RX] = s->hole_len[PC_TX] = 0;
	s->ended = 0;
	return pc_tell_open(s, sk, bpf_ktime_get_ns());
}

/* When was the first byte of this send queued? Known if the send was stamped; if it cannot have slept
 * it is now; otherwise nobody knows, and the warden attaches the stamp for the next ones. */
static __always_inline void pc_send_began(struct pc_sock *s, const struct sock *sk,
					  struct pc_moved *m)
{
	__u32 half = (__u32)PC_READ(sk, sk_sndbuf) / 2; /* the kernel counts its overhead too */
	struct pc_counters *n;
	struct file *file;

	m->f.begin_ns = s->begin_ns;
	if (m->f.begin_ns) {
		s->begin_ns = 0;
		return;
	}
	m->f.begin_ns = m->f.time_ns;
	if (m->ret < half && (__u32)PC_READ(sk, sk_wmem_queued) < half)
		return;
	file = pc_file_of(sk);
	if (!file || (PC_READ(file, f_flags) & O_NONBLOCK))
		return;
	m->f.begin_ns = 0;
	m->f.flags |= PC_F_BLOCKED;
	n = pc_count();
	if (n)
		pc_add(n->blocked, 1);
}

static __always_inline void pc_place(struct pc_sock *s, const struct sock *sk,
				     const struct tcp_sock *tp, struct pc_moved *m)
{
	__u32 d = m->f.dir;
	struct pc_tcp
		t = {}; /* else clang spills what it never set, and the verifier refuses that */

	if (tp) {
		pc_tcp_read_way(sk, tp, s->flags, d, &t);
		m->f.srtt_us = t.srtt_us;
		m->f.retrans = t.retrans;
		m->f.unread = d == PC_RX ? pc_unread(&t) : pc_unacked(&t);
	}
	/* Not the clock that TCP keeps from its sending (tcp_clock_cache): on a loopback the delivery to
	 * the receiver and its waking come after it, and they are part of the call. */
	m->f.time_ns = bpf_ktime_get_ns();
	if ((s->flags & PC_S_COUNTED) || !pc_is_plain(sk, tp)) {
		s->flags |= PC_S_COUNTED;
		m->f.flags |= PC_F_COUNTED;
		m->span.start = __sync_fetch_and_add(&s->pos[d], m->ret);
		m->span.end = m->span.start + m->ret;
		m->end_seq = s->arrived_tail; /* no pairs here */
		return;
	}
	m->end_seq = d == PC_RX ? pc_rx_seq(&t) : pc_tx_seq(&t);
	pc_span_of(s->pos[d], d == PC_RX ? pc_rx_pos(&t, s->seq0) : pc_tx_pos(&t, s->seq0), m->ret,
		   s->hole_pos[d], s->hole_len[d], &m->span);
	if (m->span.uncertain)
		m->f.flags |= PC_F_UNCERTAIN;
	if (s->pos[d] < m->span.end)
		s->pos[d] = m->span.end;
}

/* Bytes that were read and that no call has told of: TCP's own numbers say how many. */
static __noinline int pc_tell_unseen_read(struct pc_sock *s, struct sock *sk)
{
	struct tcp_sock *tp = pc_tcp_of(sk);
	struct pc_tcp t;
	__u64 pos;

	if (!s || !tp || !(s->flags & PC_S_ANCHORED) || (s->flags & PC_S_COUNTED))
		return 0;
	pc_tcp_read(sk, tp, s->flags, &t);
	pos = pc_rx_pos(&t, s->seq0);
	if (pos <= s->pos[PC_RX])
		return 0;
	pc_tell_rest(s, PC_RX, pos, bpf_get_current_pid_tgid());
	s->pos[PC_RX] = pos;
	return 0;
}

/* End of stream, and errors that end the connection. Others (EAGAIN, EINTR …) say nothing. */
static __noinline int pc_sock_ended(struct sock *sk, int ret, __u32 d)
{
	const struct pc_control *c = pc_controls();
	struct pc_sock *s;

	if (!c)
		return 0;
	s = pc_state_get(sk);
	if (!s)
		return 0;
	if (d == PC_TX)
		s->begin_ns = 0;
	if (ret == 0 && (d == PC_TX || !(PC_READ(sk, sk_shutdown) & RCV_SHUTDOWN)))
		return 0; /* a call with length 0 */
	if (ret < 0 && !pc_is_final(-ret))
		return 0;
	if (s->open_generation == c->brain_generation && s->scope != PC_SCOPE_NO) {
		if (d == PC_RX) /* what was spliced stands before the end */
			pc_tell_unseen_read(s, sk);
		pc_tell_end(s, d, -ret);
	}
	return 0;
}

/* Several tasks use this direction. What a call finds moved before it and untold may be another's, about to
 * report: which of the two is decided on `pos`, `told` and `hole_*`, which only one of them may have in its
 * hands. False: the holder lost its CPU; this call goes on without, at worst a range is told absent that
 * comes later, and the stream joins them by position. */
static __noinline int pc_turn_take(struct pc_sock *s, __u32 d)
{
	if (!s)
		return 0;
	for (int i = 0; i < PC_TURN_TRIES; i++)
		if (__sync_val_compare_and_swap(&s->turn[d & 1], 0, 1) == 0)
			return 1;
	return 0;
}

static __always_inline void pc_turn_give(struct pc_sock *s, __u32 d)
{
	(void)__sync_lock_test_and_set(&s->turn[d], 0);
}

/* A call moved `ret` bytes of a socket in scope that was told of. why: PC_WHY_NONE, or they cannot be
 * had. */
static __always_inline void pc_sock_moved(struct pc_sock *s, struct sock *sk,
					  const struct task_struct *task, __u32 ret, const __u32 d,
					  __u32 why, const struct pc_args *args)
{
	struct tcp_sock *tp = pc_tcp_known(s, sk);
	struct pc_moved m = {};
	bool turn, more;

	m.f.who = (__u64)task->tgid << 32 | (__u32)task->pid;
	m.ret = ret;
	m.f.dir = d;
	m.why = why;
	if (s->user[d] != (__u32)task->pid)
		s->user[d] = s->user[d] ? PC_SEVERAL : (__u32)task->pid;
	m.single = s->user[d] != PC_SEVERAL;
	turn = !m.single && pc_turn_take(s, d);
	pc_place(s, sk, tp, &m);
	if (d == PC_TX) {
		pc_send_began(s, sk, &m);
		pc_await(s, tp, &m);
	}
	more = pc_tell_call(s, &m, args);
	if (turn)
		pc_turn_give(s, d);
	if (more)
		pc_copy_long(s);
}

#endif
