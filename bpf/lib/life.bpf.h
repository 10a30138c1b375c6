/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * life.bpf.h: the attach points that both sources share: connections are born, connect, end and are
 * destroyed; data arrives, a send is queued; processes fork, exec and exit; and the scan of what existed
 * before us. Each program here gets a typed socket or task, so fields are read directly.
 *
 * Runs wherever a packet was handled, so it never asks who "current" is unless a comment says why it may.
 */
#ifndef PC_BPF_LIFE_H
#define PC_BPF_LIFE_H

#include "lib/door.bpf.h"
#include "lib/process.h"
#include "lib/socket.h"

/* Set by the loader before each pass of the scan. */
__u32 pc_scan_pass = 0;
__u64 pc_scanned = 0;

/* Data reached a socket. Runs in the sender's context or none at all; only looks up. */
SEC("tp_btf/sk_data_ready")
int BPF_PROG(pc_on_arrival, struct sock *sk)
{
	struct tcp_sock *tp;
	struct pc_sock *s;

	if (sk->sk_protocol != IPPROTO_TCP || sk->__sk_common.skc_state == TCP_LISTEN)
		return 0;
	s = pc_state_tcp(sk);
	if (!s || s->scope == PC_SCOPE_NO)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (tp && pc_arrival_wanted(s, tp->rcv_nxt)) {
		/* TCP looked at the clock when it took the packet in, a moment ago. */
		__u64 now = bpf_core_field_exists(tp->tcp_clock_cache) ? tp->tcp_clock_cache : 0;

		pc_arrival_note(s, tp->rcv_nxt, now ?: bpf_ktime_get_ns());
	}
	return 0;
}

/* A part of a send is about to be queued. Attached only while sends that sleep are seen. Fires again
 * after the call slept for room; as long as nothing was queued the later time is the right one. */
SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(pc_on_queue, struct sock *sk, struct msghdr *msg)
{
	unsigned long left = msg->msg_iter.count;
	struct pc_sock *s;

	if (left <= PC_STAMP_BYTES && sk->sk_wmem_queued + 2 * (int)left < sk->sk_sndbuf)
		return 0;
	s = pc_state_tcp(sk);
	if (!s || s->scope == PC_SCOPE_NO)
		return 0;
	if (!s->begin_ns || left >= s->begin_left) {
		s->begin_ns = bpf_ktime_get_ns();
		s->begin_left = left;
	}
	return 0;
}

/* A child of a watched listener: born with the listener's state, begins its own. */
static __always_inline void pc_adopt(struct pc_sock *s, struct sock *sk, const struct pc_control *c)
{
	const __u32 by_user = PC_SCOPE_BY_PROCESS | PC_SCOPE_BY_CGROUP;

	pc_sock_begin(s, sk, c, PC_S_PASSIVE);
	if (!(c->scope_kinds & by_user)) /* else: who uses it decides */
		pc_sock_verdict(s, c, PC_SCOPE_YES);
}

/* listen(): in the calling task. */
static __always_inline void pc_on_listen(struct sock *sk, const struct pc_control *c)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, verdict;

	pc_door_opened(sk);
	if ((c->scope_kinds & PC_SCOPE_BY_LISTENER) && tgid != c->warden_tgid &&
	    tgid != c->brain_tgid && pc_proc_state(tgid) != PC_SERVES)
		pc_proc_set(tgid, PC_SERVES);
	verdict = pc_decide_current(c, tgid, PC_S_LISTENER, sk->__sk_common.skc_num, 0);
	if (verdict == PC_SCOPE_NO)
		return;
	pc_listener_new(sk, c);
	pc_door_new(sk, tgid, verdict);
}

/* connect(): in the calling task. The socket may have been connected before. */
static __always_inline void pc_on_connect(struct sock *sk, const struct pc_control *c)
{
	struct pc_sock *s = pc_state_get(sk);
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u32 verdict = pc_decide_current(c, tgid, PC_S_ACTIVE, 0, pc_remote_port(sk));

	if (s && s->open_generation && s->open_generation == c->brain_generation)
		pc_tell_gone(s, NULL, 0, 0);
	if (verdict == PC_SCOPE_NO) {
		if (s)
			pc_state_delete(sk);
		return;
	}
	s = pc_sock_new(sk, c, PC_S_ACTIVE);
	if (!s)
		return;
	s->tgid = tgid;
	s->tid = (__u32)bpf_get_current_pid_tgid();
	s->cgroup = bpf_get_current_cgroup_id();
	s->start_ns = bpf_ktime_get_ns();
	pc_sock_verdict(s, c, verdict);
}

/* Did bytes move that no call has told of? */
static __noinline bool pc_has_unseen(struct pc_sock *s, struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct pc_tcp t;

	if (!s || !tp || s->scope != PC_SCOPE_YES || !(s->flags & PC_S_ANCHORED) ||
	    (s->flags & PC_S_COUNTED))
		return false;
	pc_tcp_read(sk, tp, s->flags, &t);
	return pc_rx_pos(&t, s->seq0) > s->pos[PC_RX] || pc_tx_pos(&t, s->seq0) > s->pos[PC_TX];
}

/* Those that were sent are told before the END of their direction. */
static __noinline int pc_tell_unseen_sent(struct pc_sock *s, struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct pc_tcp t;
	__u64 pos;

	if (!s || !tp)
		return 0;
	pc_tcp_read(sk, tp, s->flags, &t);
	pos = pc_tx_pos(&t, s->seq0);
	pc_tell_rest(s, PC_TX, pos, bpf_get_current_pid_tgid());
	if (s->pos[PC_TX] < pos)
		s->pos[PC_TX] = pos;
	return 0;
}

/*
 * A source that sees calls only hears of what an io_uring moves when the connection ends: from TCP's
 * own numbers. A connection that was never used by a call is told then, so that its bytes are counted.
 * Here: we close or shut down sending, in the calling task, before the FIN has a number. Where a peer's
 * reset ends the connection it is told with GONE, since a first call may be on its way back.
 */
static __always_inline void pc_count_unseen(struct pc_sock *s, struct sock *sk,
					    const struct pc_control *c)
{
	if (s->scope == PC_SCOPE_UNKNOWN)
		pc_sock_ask(sk, s);
	if (!pc_has_unseen(s, sk))
		return;
	if (s->open_generation != c->brain_generation)
		pc_tell_open(s, sk, bpf_ktime_get_ns());
	pc_tell_unseen_sent(s, sk);
}

/* Established, never used by a call, and now reset: by the peer of who connected, or by the server, which
 * may have left unread what was asked. Somebody was not answered. */
static __noinline bool pc_is_unanswered(struct pc_sock *s, struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct pc_tcp t;

	if (!s || !tp || (s->open_generation && !(s->flags & PC_S_MADE)) || s->ended ||
	    (s->flags & PC_S_EXISTED) || !(s->flags & PC_S_ANCHORED) || (s->flags & PC_S_COUNTED))
		return false;
	if (s->flags & PC_S_ACTIVE ? !(s->flags & PC_S_RESET_IN)
				   : (s->flags & PC_S_RESET_IN) || sk->sk_err)
		return false;
	pc_tcp_read(sk, tp, s->flags, &t);
	return !pc_rx_pos(&t, s->seq0) && !pc_tx_pos(&t, s->seq0);
}

/* What comes to nothing is told although no call ever used it. A server's is ours as its listener is. Apart
 * from pc_on_close, so that their stacks do not add up. */
static __always_inline void pc_tell_in_vain(struct pc_sock *s, struct sock *sk, int old,
					    const struct pc_control *c)
{
	if (s->scope == PC_SCOPE_NO)
		return;
	if (old != TCP_SYN_SENT) {
		if ((old != TCP_ESTABLISHED && old != TCP_CLOSE_WAIT) || !pc_is_unanswered(s, sk))
			return;
		if (s->flags & PC_S_PASSIVE)
			s->scope = PC_SCOPE_YES;
		s->flags |= PC_S_IN_VAIN;
	}
	if (s->open_generation != c->brain_generation)
		pc_tell_open(s, sk, bpf_ktime_get_ns());
}

static __always_inline __u32 pc_refused_flags(const struct sock *sk, const struct tcp_sock *tp)
{
	return PC_F_REFUSED | (tp && !sk->sk_err && !tp->write_seq ? PC_F_UNSENT : 0);
}

static __noinline int pc_on_close(struct pc_sock *s, struct sock *sk, int old)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	const struct pc_control *c = pc_controls();
	bool open = old == TCP_ESTABLISHED || old == TCP_CLOSE_WAIT;
	struct pc_tcp t = {};
	__u32 flags;

	if (!s || !c || s->scope == PC_SCOPE_NO)
		return 0;
	if (tp)
		pc_tcp_read(sk, tp, s->flags, &t);
	pc_note_closed(s, &t);
	s->flags |= PC_S_CLOSED;
	if (!s->open_generation || s->open_generation != c->brain_generation)
		return 0;
	flags = pc_close_flags(s->flags, open, sk->sk_err);
	if (old == TCP_SYN_SENT)
		flags |= pc_refused_flags(sk, tp);
	else if ((s->flags & PC_S_PASSIVE) && !sk->sk_socket)
		flags |= PC_F_UNACCEPTED;
	flags |= s->flags & PC_S_IN_VAIN ? PC_F_IN_VAIN : 0;
	pc_tell_close(s, &t, flags, sk->sk_err);
	return 0;
}

static __noinline int pc_on_established(struct pc_sock *s, struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	__u64 now = bpf_ktime_get_ns();

	if (!s || !tp)
		return 0;
	if (s->flags & PC_S_ACTIVE) {
		s->handshake_ns = now - s->start_ns;
	} else {
		s->start_ns = now;
		s->handshake_ns = (__u64)(tp->srtt_us >> 3) * 1000;
	}
	pc_anchor_sock(s, sk);
	return 0;
}

/*
 * Who connected is told before an octet moves: where the other end is on this host, its server asks whether
 * that client is watched (src/trace/ends.h), and may have answered by the time that the client's first call
 * returns. Not of a socket that no process has (the kernel's own), nor of a subflow of MPTCP: only plain TCP
 * is anchored.
 */
static __always_inline void pc_tell_made(struct pc_sock *s, struct sock *sk)
{
	const __u32 plain = PC_S_ACTIVE | PC_S_ANCHORED;

	if ((s->flags & (plain | PC_S_COUNTED)) != plain || s->scope != PC_SCOPE_YES ||
	    s->open_generation || !pc_file_of(sk))
		return;
	s->flags |= PC_S_MADE;
	pc_tell_open(s, sk, bpf_ktime_get_ns());
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(pc_on_state, struct sock *sk, int old, int new)
{
	const struct pc_control *c = pc_controls();
	struct pc_sock *s;
	bool child, fin;

	if (!c || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	pc_state_name(sk);
	if (new == TCP_LISTEN) {
		pc_on_listen(sk, c);
		return 0;
	}
	if (new == TCP_SYN_SENT) {
		pc_on_connect(sk, c);
		return 0;
	}
	if (old == TCP_LISTEN && new == TCP_CLOSE) {
		pc_door_closed(sk);
		return 0;
	}
	s = pc_state_at(sk, old, new, &child);
	if (!s)
		return 0;
	if (child)
		pc_adopt(s, sk, c);
	else if (s->flags & PC_S_LISTENER)
		return 0;
	fin = new == TCP_FIN_WAIT1 || new == TCP_LAST_ACK;
	if (PC_CALLS_ONLY && fin)
		pc_count_unseen(s, sk, c);
	if (new == TCP_ESTABLISHED) {
		pc_on_established(s, sk);
		pc_tell_made(s, sk);
	} else if (fin) {
		if (s->open_generation && s->open_generation == c->brain_generation &&
		    s->scope != PC_SCOPE_NO)
			pc_tell_end(s, PC_TX, 0);
		s->flags |= PC_S_FIN_OUT;
	} else if (new == TCP_FIN_WAIT2) {
		pc_await_over(s);
	} else if (new == TCP_CLOSE) {
		pc_tell_in_vain(s, sk, old, c);
		pc_on_close(s, sk, old);
	}
	return 0;
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(pc_on_reset_in, struct sock *sk)
{
	struct pc_sock *s = pc_state_tcp(sk);

	if (s)
		s->flags |= PC_S_RESET_IN;
	return 0;
}

SEC("tp_btf/tcp_send_reset")
int BPF_PROG(pc_on_reset_out, struct sock *sk, struct sk_buff *skb)
{
	struct pc_sock *s;

	if (!sk) { /* a reset for no socket at all */
		if (pc_doors_shut && skb)
			pc_on_refused(skb);
		return 0;
	}
	s = pc_state_tcp(sk);
	if (s && !(s->flags & PC_S_LISTENER))
		s->flags |= PC_S_RESET_OUT;
	return 0;
}

/* Was the brain told of it, or is it now because bytes moved that no call has told of? */
static __always_inline bool pc_gone_told(struct pc_sock *s, struct sock *sk,
					 const struct pc_control *c)
{
	if (s->open_generation && s->open_generation == c->brain_generation)
		return true;
	if (!PC_CALLS_ONLY || s->scope != PC_SCOPE_YES ||
	    (s->closed_pos[PC_RX] <= s->pos[PC_RX] && s->closed_pos[PC_TX] <= s->pos[PC_TX]))
		return false;
	pc_tell_open(s, sk, bpf_ktime_get_ns());
	return true;
}

static __always_inline void pc_on_gone(struct sock *sk)
{
	struct pc_sock *s = pc_state_tcp(sk);
	const struct pc_control *c = pc_controls();
	struct tcp_sock *tp;
	struct pc_tcp t = {};

	if (!s || !c || (s->flags & PC_S_LISTENER) || s->scope == PC_SCOPE_NO ||
	    (!PC_CALLS_ONLY && !s->open_generation))
		return;
	tp = bpf_skc_to_tcp_sock(sk);
	if (tp)
		pc_tcp_read(sk, tp, s->flags, &t);
	if (!(s->flags & PC_S_CLOSED))
		pc_note_closed(s, &t);
	if (!pc_gone_told(s, sk, c))
		return;
	pc_tell_gone(s, &t, pc_close_flags(s->flags, false, 0), sk->sk_err);
	s->open_generation = 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(pc_on_destroy, struct sock *sk)
{
	pc_on_gone(sk);
	pc_state_gone(sk);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(pc_fork, struct task_struct *parent, struct task_struct *child)
{
	pc_on_fork(parent, child);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(pc_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	pc_on_exec(task, bprm);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(pc_exit, struct task_struct *task)
{
	pc_on_exit(task);
	return 0;
}

/*
 * Sockets that existed before us, found through the descriptors of each process. First pass: who
 * listens (by default that is the scope). Second pass: listeners in scope get storage that their
 * children inherit, connections get their position.
 */
SEC("iter/task_file")
int pc_scan(struct bpf_iter__task_file *ctx)
{
	const struct pc_control *c = pc_controls();
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *sock;
	struct pc_sock *s;
	struct sock *sk;
	__u32 tgid;
	__u32 verdict;
	bool listens;

	if (!c || !task || !file)
		return 0;
	sock = bpf_sock_from_file(file);
	if (!sock)
		return 0;
	sk = sock->sk;
	if (!sk || !pc_is_stream(sk))
		return 0;
	tgid = task->tgid;
	if (tgid == c->warden_tgid || tgid == c->brain_tgid)
		return 0;
	listens = sk->__sk_common.skc_state == TCP_LISTEN && sk->__sk_common.skc_family != AF_UNIX;
	if (pc_scan_pass == 1) {
		if (listens && (c->scope_kinds & PC_SCOPE_BY_LISTENER) &&
		    pc_proc_state(tgid) != PC_SERVES)
			pc_proc_set(tgid, PC_SERVES);
		return 0;
	}
	verdict = pc_decide_task(c, task, tgid, listens ? PC_S_LISTENER : 0, pc_local_port(sk),
				 pc_remote_port(sk));
	if (verdict == PC_SCOPE_NO)
		return 0;
	pc_state_name(sk);
	if (listens)
		pc_door_new(sk, tgid, verdict);
	if (pc_state_get(sk))
		return 0;
	__sync_fetch_and_add(&pc_scanned, 1);
	if (listens) {
		pc_listener_new(sk, c);
		return 0;
	}
	s = pc_sock_new(sk, c, PC_S_EXISTED);
	if (s)
		pc_anchor_sock(s, sk);
	return 0;
}

#endif
