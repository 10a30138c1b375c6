/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * syscall.bpf.c: the syscall source, for kernels without the tracepoints of the socket source (before
 * 6.3). One program at the exit of every system call of the host: the registers still hold the
 * arguments, the result is given, and the socket is found through the descriptor. First room of the
 * flow: what is emitted here is read by src/capture/reader.c.
 *
 * It runs for everybody, so it decides by price: by the call's number (a constant table), by the
 * process, then the walk descriptor → file → socket → sock, then the scope of the socket. Against the
 * socket source: what an io_uring moves is no call and is counted later, from TCP's own numbers
 * (life.bpf.h); a descriptor that was passed to a process out of scope is not followed, but for the
 * default scope, where being handed a listener or an accepted connection makes a server; the position
 * is read at the exit of the call, so two threads that write one socket at once are uncertain more
 * often.
 */
#include "kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "lib/by_cookie.h"
#include "lib/dns.bpf.h"
#include "lib/fd.h"
#include "lib/life.bpf.h"
#include "lib/look.bpf.h"
#include "lib/sent.bpf.h"

/* What a call asked for. */
struct pc_asked {
	struct sock *sk;
	__u32 dir, why, msg_flags;
	struct pc_args args;
};

/* recvmsg; struct msghdr and struct cmsghdr of 64 bits: one with a descriptor in it. */
#define PC_FORM_RECVMSG (PC_FORM_MSG | PC_FORM_FLAGS)
#define PC_MSG_CONTROL	__builtin_offsetof(struct user_msghdr, msg_control)
#define PC_CMSG_BYTES	20

struct pc_mmsg {
	__u64 at;
	__u64 total;
};

static long pc_mmsg_add(__u32 i, struct pc_mmsg *m)
{
	__u32 len = 0;

	if (bpf_probe_read_user(&len, sizeof(len),
				(void *)(m->at + i * PC_MMSG_BYTES + PC_MMSG_LEN)))
		return 1;
	m->total += len;
	return 0;
}

/* sendmmsg and recvmmsg return how many messages went, not how many bytes. */
static __noinline __u64 pc_mmsg_bytes(__u64 at, __u32 messages)
{
	struct pc_mmsg m = { .at = at };

	bpf_loop(messages < PC_VECTORS_MAX ? messages : PC_VECTORS_MAX, pc_mmsg_add, &m, 0);
	return m.total;
}

/* splice: either end may be the socket. */
static __always_inline void pc_asked_splice(struct task_struct *task, struct pt_regs *regs,
					    struct pc_asked *a)
{
	a->dir = PC_TX;
	a->sk = pc_sock_of_fd(task, pc_reg_2(regs));
	if (a->sk)
		return;
	a->dir = PC_RX;
	a->why = PC_WHY_NO_BUFFER;
	a->sk = pc_sock_of_fd(task, pc_reg_0(regs));
}

static __always_inline void pc_asked_native(struct task_struct *task, struct pt_regs *regs,
					    __u32 form, struct pc_asked *a)
{
	__u32 what = form & PC_FORM_MASK;

	a->args.form = form;
	a->args.at = pc_reg_1(regs);
	a->args.count = pc_reg_2(regs);
	if (what == PC_FORM_SPLICE) {
		pc_asked_splice(task, regs, a);
		return;
	}
	a->dir = form & PC_FORM_TX ? PC_TX : PC_RX;
	if (form & PC_FORM_FLAGS)
		a->msg_flags = what == PC_FORM_MSG ? pc_reg_2(regs) : pc_reg_3(regs);
	a->sk = pc_sock_of_fd(task, pc_reg_0(regs));
}

/* A 32-bit call: whose bytes moved is said, the bytes are not looked for. */
static __noinline int pc_asked_compat(struct task_struct *task, struct pt_regs *regs, __u32 form,
				      struct pc_asked *a)
{
	__u32 v[4] = { pc_compat_0(regs), pc_compat_1(regs), pc_compat_2(regs), pc_compat_3(regs) };

	if ((form & PC_FORM_MASK) == PC_FORM_SOCKETCALL) {
		form = pc_socketcall_form(v[0]);
		if (!form || bpf_probe_read_user(v, sizeof(v), (void *)(__u64)v[1]))
			return 0;
	}
	a->why = PC_WHY_COMPAT;
	a->dir = form & PC_FORM_TX ? PC_TX : PC_RX;
	if (form & PC_FORM_FLAGS)
		a->msg_flags = (form & PC_FORM_MASK) == PC_FORM_MSG ? v[2] : v[3];
	a->sk = pc_sock_of_fd(task, v[0]);
	return 0;
}

/*
 * Not static, so that the verifier walks each of the following once instead of once for every way that
 * leads to it. What is handed over lies in memory of ours, the socket as a number in it.
 */
__noinline int pc_call_sent(struct pc_asked *a, struct pc_sock *s, __u32 bytes)
{
	if (a && s)
		pc_sock_moved(s, a->sk, bpf_get_current_task_btf(), bytes, PC_TX, a->why, &a->args);
	return 0;
}

__noinline int pc_call_received(struct pc_asked *a, struct pc_sock *s, __u32 bytes)
{
	if (a && s)
		pc_sock_moved(s, a->sk, bpf_get_current_task_btf(), bytes, PC_RX, a->why, &a->args);
	return 0;
}

/* It is no stream: a UDP socket of a resolver? */
static __noinline int pc_call_dns(struct pc_asked *a, long ret)
{
	struct pc_datagram g = {};

	if (!a)
		return 0;
	g.d = a->dir;
	g.role = pc_dns_role(a->sk);
	if (!pc_dns_may(a->sk, g.role, g.d) || !(ret > 0 || pc_is_final(-ret)))
		return 0;
	return pc_dns_call(a->sk, &g, &a->args, ret, a->why);
}

/* A call on a socket returned. s: its state, if it is a TCP socket that has one; what it is was not
 * looked at otherwise. */
__noinline int pc_call_returned(struct pc_asked *a, struct pc_sock *s, long ret)
{
	const struct pc_control *c = pc_controls();

	if (!a || !c)
		return 0;
	if (!s) {
		if (!pc_is_socket(a->sk))
			return 0;
		if (!pc_is_stream(a->sk))
			return pc_call_dns(a, ret);
		s = pc_state_get(a->sk);
	}
	if (ret <= 0) {
		if (a->dir == PC_TX || ret != -PC_EAGAIN)
			pc_sock_ended(a->sk, ret, a->dir);
		return 0;
	}
	s = pc_sock_used(s, a->sk, c);
	if (!s)
		return 0;
	if ((a->args.form & PC_FORM_MASK) == PC_FORM_MMSG) {
		a->args.count = ret;
		ret = pc_mmsg_bytes(a->args.at, ret);
		if (!ret)
			return 0;
	}
	if (a->dir == PC_RX && (a->msg_flags & MSG_TRUNC) && !(s->flags & PC_S_COUNTED))
		a->why = PC_WHY_TRUNC;
	if (s->open_generation != c->brain_generation)
		pc_sock_open(s, a->sk, a->dir, ret);
	/* A task that has an io_uring answers by a call: what it answers to came by no call, so it is told
	 * now and not only when the connection ends. */
	if (a->dir == PC_TX && bpf_get_current_task_btf()->io_uring)
		pc_tell_unseen_read(s, a->sk);
	return a->dir == PC_TX ? pc_call_sent(a, s, ret) : pc_call_received(a, s, ret);
}

/* Errors that say nothing of the connection need no walk. */
static __always_inline bool pc_is_news(long ret, __u32 form)
{
	if (ret > 0)
		return true;
	if (form & PC_FORM_TX)
		return ret < 0; /* a stamp may have to be taken back */
	return ret == 0 || pc_is_final(-ret);
}

/* With --port most sockets are told by their ports alone; a Unix socket has none, one that was reset only
 * the peer's. */
static __always_inline bool pc_port_possible(const struct sock *sk)
{
	__u32 pair = BPF_CORE_READ(sk, __sk_common.skc_portpair);
	__u16 port[2];

	__builtin_memcpy(port, &pair, sizeof(port));
	if (!port[1] && port[0])
		port[1] = pc_inet_port(sk);
	return pc_port_listed(port[1]) || pc_port_listed(bpf_ntohs(port[0]));
}

/*
 * A process that is not watched was handed something by recvmsg: is it a listener, or a connection that
 * a watched one accepted (a cluster of workers)? Only recvmsg with a control message pays. The first
 * descriptor of the first message is looked at: who hands over several hands over several of a kind.
 */
static __noinline int pc_was_handed(__u64 msg)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct {
		__u64 len;
		__u32 level, type, fd;
	} c = {};
	__u64 m[2] = {}; /* msg_control, msg_controllen */
	struct sock *sk;

	if (bpf_probe_read_user(m, sizeof(m), (void *)(msg + PC_MSG_CONTROL)) ||
	    m[1] < PC_CMSG_BYTES || bpf_probe_read_user(&c, PC_CMSG_BYTES, (void *)m[0]))
		return 0;
	if (c.level != SOL_SOCKET || c.type != SCM_RIGHTS)
		return 0;
	sk = pc_sock_of_fd(task, c.fd);
	if (sk && pc_sock_serves(sk))
		pc_proc_set(task->tgid, PC_SERVES);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(pc_on_call, struct pt_regs *regs, long ret)
{
	__u32 form = pc_form_any(pc_reg_nr(regs));
	struct task_struct *task;
	const struct pc_control *c;
	struct pc_asked a = {};
	struct sock *sk;
	__u64 key;

	if (!form || !pc_is_news(ret, form))
		return 0;
	task = bpf_get_current_task_btf();
	if (!!(form & PC_FORM_COMPAT) != pc_is_compat(task))
		return 0;
	c = pc_controls();
	if (!c)
		return 0;
	if ((c->scope_kinds & (PC_SCOPE_BY_PROCESS | PC_SCOPE_BY_LISTENER)) &&
	    pc_proc_state(task->tgid) == PC_SCOPE_NO) {
		if ((c->scope_kinds & PC_SCOPE_BY_LISTENER) && form == PC_FORM_RECVMSG)
			pc_was_handed(pc_reg_1(regs));
		return 0;
	}
	if (form & PC_FORM_COMPAT)
		pc_asked_compat(task, regs, form, &a);
	else
		pc_asked_native(task, regs, form, &a);
	sk = a.sk;
	if (!sk || (a.msg_flags & (MSG_PEEK | MSG_ERRQUEUE)))
		return 0;
	if ((a.msg_flags & MSG_OOB) && a.dir == PC_RX) /* written, it is a byte like others */
		return 0;
	if ((c->scope_kinds & PC_SCOPE_BY_PORT) && !pc_port_possible(sk))
		return 0;
	key = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	pc_call_returned(&a, bpf_map_lookup_elem(&pc_conns, &key), ret);
	return 0;
}

/* Connections that were established before us and accepted after the scan have no cookie yet; here is
 * a typed socket before the first receive returns. */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(pc_on_receive, struct sock *sk)
{
	if (!sk->__sk_common.skc_cookie.counter)
		pc_state_name(sk);
	return 0;
}
