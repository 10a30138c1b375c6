/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * sock.bpf.c: the socket source. The kernel hands us the socket of each send and receive, so state
 * lives in the socket's own storage, positions come from TCP's own numbers, and only socket calls
 * pay. First room of the flow: what is emitted here is read by src/capture/reader.c.
 *
 * Who decides what is watched: scope.h. What a call becomes: tell.h. Here: the attach points and how
 * a kernel that has them answers our questions. Runs in the calling task, except sk_data_ready and
 * the state changes, which run wherever a packet was handled: they never ask who "current" is unless
 * a comment says why they may.
 */
#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "lib/process.h"
#include "lib/tell.h"

/* Set by the loader: tcp_sendmsg_locked is attached. */
const volatile bool pc_stamps = false;

/* Set by the loader before each pass of the scan. */
__u32 pc_scan_pass = 0;
__u64 pc_scanned = 0;

#define PC_STAMP_BYTES 16384 /* a write this small that fits the buffer is one moment */
#define PC_PSOCK       4     /* SK_USER_DATA_PSOCK: the socket sits in a sockmap */
#define PC_EAGAIN      11

static __always_inline bool pc_is_stream(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return (family == AF_INET || family == AF_INET6 || family == AF_UNIX) &&
	       sk->sk_type == SOCK_STREAM;
}

/* TCP's own numbers count the application's bytes only where nothing sits in between. */
static __always_inline bool pc_is_plain(const struct sock *sk, const struct tcp_sock *tp)
{
	return tp && !tp->inet_conn.icsk_ulp_ops && !((__u64)sk->sk_user_data & PC_PSOCK);
}

static __always_inline void pc_tcp_read(const struct sock *sk, const struct tcp_sock *tp,
					__u32 sock_flags, struct pc_tcp *t)
{
	t->copied_seq = tp->copied_seq;
	t->rcv_nxt = tp->rcv_nxt;
	t->write_seq = tp->write_seq;
	t->snd_una = tp->snd_una;
	t->snd_nxt = tp->snd_nxt;
	t->bytes_received = tp->bytes_received;
	t->bytes_acked = tp->bytes_acked;
	t->bytes_sent = tp->bytes_sent;
	t->bytes_retrans = tp->bytes_retrans;
	t->srtt_us = tp->srtt_us >> 3;
	t->min_rtt_us = tp->rtt_min.s[0].v;
	t->retrans = tp->total_retrans;
	t->fin_in = (sk->__sk_common.skc_flags >> SOCK_DONE) & 1;
	t->fin_out = !!(sock_flags & PC_S_FIN_OUT);
}

/* Fixes position 0, once. The numbers are read without the lock: twice, until both are equal. */
static __noinline int pc_anchor_sock(struct pc_sock *s, struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	__u32 again[2];
	struct pc_tcp t;
	__u8 state;

	if (!s)
		return 0;
	if (!pc_is_plain(sk, tp)) {
		s->flags |= PC_S_COUNTED;
		return 0;
	}
	state = sk->__sk_common.skc_state;
	if (state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 || state == TCP_CLOSING ||
	    state == TCP_LAST_ACK)
		s->flags |= PC_S_FIN_OUT;
	for (int i = 0; i < 4; i++) {
		pc_tcp_read(sk, tp, s->flags, &t);
		if (!(s->flags & (PC_S_ACTIVE | PC_S_PASSIVE)))
			s->flags |= pc_role(&t);
		pc_anchor(&t, s->flags & PC_S_ACTIVE, s->seq0);
		barrier();
		pc_tcp_read(sk, tp, s->flags, &t);
		pc_anchor(&t, s->flags & PC_S_ACTIVE, again);
		if (again[PC_RX] == s->seq0[PC_RX] && again[PC_TX] == s->seq0[PC_TX])
			break;
	}
	s->pos[PC_RX] = pc_rx_pos(&t, s->seq0);
	s->pos[PC_TX] = pc_tx_pos(&t, s->seq0);
	s->flags |= PC_S_ANCHORED;
	return 0;
}

static __always_inline void pc_sock_begin(struct pc_sock *s, struct sock *sk,
					  const struct pc_control *c, __u32 flags)
{
	__builtin_memset(s, 0, sizeof(*s));
	s->conn = bpf_get_socket_cookie(sk);
	s->flags = flags;
	s->scope = PC_SCOPE_UNKNOWN;
	s->scope_generation = c->scope_generation;
	s->brain_generation = c->brain_generation;
	s->provisional[PC_RX] = s->provisional[PC_TX] = c->provisional_bytes;
}

static __always_inline struct pc_sock *pc_sock_new(struct sock *sk, const struct pc_control *c,
						   __u32 flags)
{
	struct pc_sock *s =
		bpf_sk_storage_get(&pc_socks, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct pc_counters *n;

	if (s) {
		pc_sock_begin(s, sk, c, flags);
	} else {
		n = pc_count();
		if (n)
			pc_add(n->sockets_refused, 1);
	}
	return s;
}

static __always_inline __u16 pc_local_port(const struct sock *sk)
{
	return sk->__sk_common.skc_family == AF_UNIX ? 0 : sk->__sk_common.skc_num;
}

static __always_inline __u16 pc_remote_port(const struct sock *sk)
{
	return sk->__sk_common.skc_family == AF_UNIX ? 0 : bpf_ntohs(sk->__sk_common.skc_dport);
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
	verdict = pc_decide_current(c, tgid, s ? s->flags : 0, pc_local_port(sk),
				    pc_remote_port(sk));
	if (verdict == PC_SCOPE_NO)
		return NULL;
	if (!s) {
		if (!sk->sk_socket || !sk->sk_socket->file)
			return NULL; /* the kernel's own socket */
		s = pc_sock_new(sk, c, 0);
		if (!s)
			return NULL;
		pc_anchor_sock(s, sk);
	}
	if (!s->tgid) {
		s->tgid = tgid;
		s->cgroup = bpf_get_current_cgroup_id();
	}
	pc_sock_verdict(s, c, verdict);
	return s->scope == PC_SCOPE_NO ? NULL : s;
}

static __always_inline struct pc_sock *pc_sock_used(struct sock *sk, const struct pc_control *c)
{
	struct pc_sock *s = bpf_sk_storage_get(&pc_socks, sk, 0, 0);

	if (s && s->scope != PC_SCOPE_UNKNOWN && s->scope_generation == c->scope_generation &&
	    s->brain_generation == c->brain_generation && s->tgid)
		return s->scope == PC_SCOPE_YES ? s : NULL;
	return pc_sock_ask(sk, s);
}

/* First use that this brain hears of. Positions start before this call, whatever moved unseen. */
static __noinline int pc_sock_open(struct pc_sock *s, struct sock *sk, __u32 d, __u32 ret)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	struct pc_tcp t;

	if (!s)
		return 0;
	if ((s->flags & PC_S_ANCHORED) && !(s->flags & PC_S_COUNTED) && pc_is_plain(sk, tp)) {
		pc_tcp_read(sk, tp, s->flags, &t);
		s->pos[PC_RX] = pc_rx_pos(&t, s->seq0) - (d == PC_RX ? ret : 0);
		s->pos[PC_TX] = pc_tx_pos(&t, s->seq0) - (d == PC_TX ? ret : 0);
	}
	s->hole_len[PC_RX] = s->hole_len[PC_TX] = 0;
	s->ended = 0;
	return pc_tell_open(s, sk, bpf_ktime_get_ns());
}

/* A task with an io_uring may complete a receive while it sits in an unrelated call: the arguments
 * count only if the file they name is this very socket. */
static __noinline bool pc_fd_is(__u32 fd, const struct sock *sk)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct fdtable *t = BPF_CORE_READ(task, files, fdt);
	struct file **files, *file = NULL;
	struct socket *sock;

	if (fd >= BPF_CORE_READ(t, max_fds))
		return false;
	files = BPF_CORE_READ(t, fd);
	if (bpf_probe_read_kernel(&file, sizeof(file), files + fd) || !file)
		return false;
	if ((BPF_CORE_READ(file, f_inode, i_mode) & 0170000) != 0140000)
		return false;
	sock = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(sock, sk) == sk;
}

/* The arguments of the call that moved the bytes, or why they cannot be believed. */
static __always_inline __u32 pc_args_of(const struct sock *sk, __u32 d, int msg_flags,
					struct pc_args *a)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	__u32 form;

	if (task->flags & (PF_IO_WORKER | PF_KTHREAD))
		return task->flags & PF_IO_WORKER ? PC_WHY_IO_URING : PC_WHY_KERNEL;
	if (pc_is_compat(task))
		return PC_WHY_COMPAT;
	if (d == PC_RX && (msg_flags & MSG_TRUNC) && sk->__sk_common.skc_family != AF_UNIX)
		return PC_WHY_TRUNC;
	form = pc_form_of(pc_reg_nr(regs));
	a->form = form;
	a->at = pc_reg_1(regs);
	a->count = pc_reg_2(regs);
	a->fd = (form & PC_FORM_MASK) == PC_FORM_SPLICE ? pc_reg_2(regs) : pc_reg_0(regs);
	if (task->io_uring && (form == PC_FORM_NONE || form == PC_FORM_URING ||
			       !pc_fd_is(a->fd, sk)))
		return PC_WHY_IO_URING;
	if (!!(form & PC_FORM_TX) != (d == PC_TX))
		return PC_WHY_CALL;
	return PC_WHY_NONE;
}

/* When was the first byte of this send queued? */
static __always_inline void pc_send_began(struct pc_sock *s, const struct sock *sk, bool tcp,
					  struct pc_moved *m)
{
	bool wait_possible;
	__u32 half;

	if (pc_stamps && tcp) {
		m->begin_ns = s->begin_ns ?: m->time_ns;
		s->begin_ns = 0;
		return;
	}
	half = (__u32)sk->sk_sndbuf / 2; /* the kernel counts its overhead too */
	wait_possible = m->ret >= half || (__u32)sk->sk_wmem_queued >= half;
	if (wait_possible && !(sk->sk_socket->file->f_flags & O_NONBLOCK))
		m->flags |= PC_F_BLOCKED;
	else
		m->begin_ns = m->time_ns;
}

static __always_inline void pc_place(struct pc_sock *s, const struct sock *sk,
				     const struct tcp_sock *tp, struct pc_moved *m)
{
	__u32 d = m->dir;
	struct pc_tcp t;

	if (tp) {
		pc_tcp_read(sk, tp, s->flags, &t);
		m->srtt_us = t.srtt_us;
		m->retrans = t.retrans;
		m->unread = d == PC_RX ? pc_unread(&t) : pc_unacked(&t);
	}
	if ((s->flags & PC_S_COUNTED) || !pc_is_plain(sk, tp)) {
		s->flags |= PC_S_COUNTED;
		m->flags |= PC_F_COUNTED;
		m->span.start = __sync_fetch_and_add(&s->pos[d], m->ret);
		m->span.end = m->span.start + m->ret;
		m->end_seq = s->arrived_tail; /* no pairs here */
		return;
	}
	m->end_seq = d == PC_RX ? pc_rx_seq(&t) : pc_tx_seq(&t);
	pc_span_of(s->pos[d], d == PC_RX ? pc_rx_pos(&t, s->seq0) : pc_tx_pos(&t, s->seq0), m->ret,
		   s->hole_pos[d], s->hole_len[d], &m->span);
	if (m->span.uncertain)
		m->flags |= PC_F_UNCERTAIN;
	if (s->pos[d] < m->span.end)
		s->pos[d] = m->span.end;
}

/* End of stream, and errors that end the connection. Others (EAGAIN, EINTR …) say nothing. */
static __noinline int pc_sock_ended(struct sock *sk, int ret, __u32 d)
{
	const struct pc_control *c = pc_controls();
	struct pc_sock *s;

	if (!c)
		return 0;
	s = bpf_sk_storage_get(&pc_socks, sk, 0, 0);
	if (!s)
		return 0;
	if (d == PC_TX)
		s->begin_ns = 0;
	if (ret == 0 && (d == PC_TX || !(sk->sk_shutdown & RCV_SHUTDOWN)))
		return 0; /* a call with length 0 */
	if (ret < 0 && !pc_is_final(-ret))
		return 0;
	if (s->open_generation == c->brain_generation && s->scope != PC_SCOPE_NO)
		pc_tell_end(s, d, -ret);
	return 0;
}

static __always_inline int pc_sock_moved(struct sock *sk, int ret, int msg_flags, const __u32 d)
{
	const struct pc_control *c = pc_controls();
	struct pc_moved m = {};
	struct pc_args args = {};
	struct tcp_sock *tp;
	struct pc_sock *s;

	if (!c || !pc_is_stream(sk) || (msg_flags & (MSG_PEEK | MSG_ERRQUEUE | MSG_OOB)))
		return 0;
	if (ret <= 0) {
		if (d == PC_TX || ret != -PC_EAGAIN)
			pc_sock_ended(sk, ret, d);
		return 0;
	}
	s = pc_sock_used(sk, c);
	if (!s)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (s->open_generation != c->brain_generation)
		pc_sock_open(s, sk, d, ret);
	m.time_ns = bpf_ktime_get_ns();
	m.who = bpf_get_current_pid_tgid();
	m.ret = ret;
	m.dir = d;
	pc_place(s, sk, tp, &m);
	if (d == PC_TX)
		pc_send_began(s, sk, !!tp, &m);
	m.why = pc_args_of(sk, d, msg_flags, &args);
	if (m.span.hole_len)
		m.single = bpf_get_current_task_btf()->signal->nr_threads == 1;
	pc_tell_call(s, c, &m, &args);
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(pc_on_send, struct sock *sk, int ret, int flags)
{
	return pc_sock_moved(sk, ret, flags, PC_TX);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(pc_on_recv, struct sock *sk, int ret, int flags)
{
	return pc_sock_moved(sk, ret, flags, PC_RX);
}

/* Data reached a socket. Runs in the sender's context or none at all; only looks up. */
SEC("tp_btf/sk_data_ready")
int BPF_PROG(pc_on_arrival, struct sock *sk)
{
	struct tcp_sock *tp;
	struct pc_sock *s;

	if (sk->sk_protocol != IPPROTO_TCP || sk->__sk_common.skc_state == TCP_LISTEN)
		return 0;
	s = bpf_sk_storage_get(&pc_socks, sk, 0, 0);
	if (!s || s->scope == PC_SCOPE_NO)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (tp && pc_arrival_wanted(s, tp->rcv_nxt))
		pc_arrival_note(s, tp->rcv_nxt, bpf_ktime_get_ns());
	return 0;
}

/* A part of a send is about to be queued. Fires again after the call slept for room; as long as
 * nothing was queued the later time is the right one. */
SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(pc_on_queue, struct sock *sk, struct msghdr *msg)
{
	unsigned long left = msg->msg_iter.count;
	struct pc_sock *s;

	if (left <= PC_STAMP_BYTES && sk->sk_wmem_queued + 2 * (int)left < sk->sk_sndbuf)
		return 0;
	s = bpf_sk_storage_get(&pc_socks, sk, 0, 0);
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
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if ((c->scope_kinds & PC_SCOPE_BY_LISTENER) && tgid != c->warden_tgid &&
	    tgid != c->brain_tgid && pc_proc_state(tgid) == PC_SCOPE_NO)
		pc_proc_set(tgid, PC_SCOPE_YES);
	if (pc_decide_current(c, tgid, PC_S_LISTENER, sk->__sk_common.skc_num, 0) != PC_SCOPE_NO)
		pc_sock_new(sk, c, PC_S_LISTENER);
}

/* connect(): in the calling task. The socket may have been connected before. */
static __always_inline void pc_on_connect(struct sock *sk, const struct pc_control *c)
{
	struct pc_sock *s = bpf_sk_storage_get(&pc_socks, sk, 0, 0);
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u32 verdict = pc_decide_current(c, tgid, PC_S_ACTIVE, 0, pc_remote_port(sk));

	if (s && s->open_generation && s->open_generation == c->brain_generation)
		pc_tell_close(s, NULL, PC_GONE, 0, 0);
	if (verdict == PC_SCOPE_NO) {
		if (s)
			bpf_sk_storage_delete(&pc_socks, sk);
		return;
	}
	s = pc_sock_new(sk, c, PC_S_ACTIVE);
	if (!s)
		return;
	s->tgid = tgid;
	s->cgroup = bpf_get_current_cgroup_id();
	s->start_ns = bpf_ktime_get_ns();
	pc_sock_verdict(s, c, verdict);
}

static __noinline int pc_on_close(struct pc_sock *s, struct sock *sk, int old)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);
	const struct pc_control *c = pc_controls();
	bool refused = old == TCP_SYN_SENT;
	struct pc_tcp t = {};
	__u32 flags;

	if (!s || !c || s->scope == PC_SCOPE_NO)
		return 0;
	if (refused && s->scope == PC_SCOPE_YES && s->open_generation != c->brain_generation)
		pc_tell_open(s, sk, bpf_ktime_get_ns());
	if (!s->open_generation || s->open_generation != c->brain_generation)
		return 0;
	flags = pc_close_flags(s->flags, old == TCP_ESTABLISHED || old == TCP_CLOSE_WAIT,
			       sk->sk_err);
	if (refused)
		flags |= PC_F_REFUSED;
	if (tp)
		pc_tcp_read(sk, tp, s->flags, &t);
	s->flags |= PC_S_CLOSED;
	pc_tell_close(s, &t, PC_CLOSE, flags, sk->sk_err);
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

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(pc_on_state, struct sock *sk, int old, int new)
{
	const struct pc_control *c = pc_controls();
	struct pc_sock *s;

	if (!c || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (new == TCP_LISTEN) {
		pc_on_listen(sk, c);
		return 0;
	}
	if (new == TCP_SYN_SENT) {
		pc_on_connect(sk, c);
		return 0;
	}
	s = bpf_sk_storage_get(&pc_socks, sk, 0, 0);
	if (!s)
		return 0;
	if (s->flags & PC_S_LISTENER) {
		if (new != TCP_SYN_RECV && new != TCP_ESTABLISHED)
			return 0;
		pc_adopt(s, sk, c);
	}
	if (new == TCP_ESTABLISHED) {
		pc_on_established(s, sk);
	} else if (new == TCP_FIN_WAIT1 || new == TCP_LAST_ACK) {
		if (s->open_generation && s->open_generation == c->brain_generation &&
		    s->scope != PC_SCOPE_NO)
			pc_tell_end(s, PC_TX, 0);
		s->flags |= PC_S_FIN_OUT;
	} else if (new == TCP_CLOSE) {
		pc_on_close(s, sk, old);
	}
	return 0;
}

SEC("tp_btf/tcp_receive_reset")
int BPF_PROG(pc_on_reset_in, struct sock *sk)
{
	struct pc_sock *s = bpf_sk_storage_get(&pc_socks, sk, 0, 0);

	if (s)
		s->flags |= PC_S_RESET_IN;
	return 0;
}

SEC("tp_btf/tcp_send_reset")
int BPF_PROG(pc_on_reset_out, struct sock *sk)
{
	struct pc_sock *s;

	if (!sk) /* a reset for no socket at all */
		return 0;
	s = bpf_sk_storage_get(&pc_socks, sk, 0, 0);
	if (s && !(s->flags & PC_S_LISTENER))
		s->flags |= PC_S_RESET_OUT;
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(pc_on_destroy, struct sock *sk)
{
	struct pc_sock *s = bpf_sk_storage_get(&pc_socks, sk, 0, 0);
	const struct pc_control *c = pc_controls();
	struct tcp_sock *tp;
	struct pc_tcp t = {};

	if (!s || !c || (s->flags & PC_S_LISTENER) || s->scope == PC_SCOPE_NO ||
	    !s->open_generation || s->open_generation != c->brain_generation)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (tp)
		pc_tcp_read(sk, tp, s->flags, &t);
	pc_tell_close(s, &t, PC_GONE, pc_close_flags(s->flags, false, 0), sk->sk_err);
	s->open_generation = 0;
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
		    pc_proc_state(tgid) == PC_SCOPE_NO)
			pc_proc_set(tgid, PC_SCOPE_YES);
		return 0;
	}
	if (pc_decide_task(c, task, tgid, listens ? PC_S_LISTENER : 0, pc_local_port(sk),
			   pc_remote_port(sk)) == PC_SCOPE_NO)
		return 0;
	if (bpf_sk_storage_get(&pc_socks, sk, 0, 0))
		return 0;
	s = pc_sock_new(sk, c, listens ? PC_S_LISTENER : PC_S_EXISTED);
	if (!s)
		return 0;
	if (!listens)
		pc_anchor_sock(s, sk);
	__sync_fetch_and_add(&pc_scanned, 1);
	return 0;
}
