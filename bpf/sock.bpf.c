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

#include "lib/by_storage.h"
#include "lib/dns.bpf.h"
#include "lib/fd.h"
#include "lib/life.bpf.h"
#include "lib/look.bpf.h"
#include "lib/sent.bpf.h"

/* A task with an io_uring may complete a receive while it sits in an unrelated call: the arguments
 * count only if the file they name is this very socket. */
static __noinline bool pc_fd_is(__u32 fd, const struct sock *sk)
{
	return pc_sock_of_fd(bpf_get_current_task_btf(), fd) == sk;
}

/* The arguments of the call that moved the bytes, or why they cannot be believed. */
static __always_inline __u32 pc_args_of(struct task_struct *task, const struct sock *sk, __u32 d,
					int msg_flags, struct pc_args *a)
{
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
	if (task->io_uring &&
	    (form == PC_FORM_NONE || form == PC_FORM_URING || !pc_fd_is(a->fd, sk)))
		return PC_WHY_IO_URING;
	if (!!(form & PC_FORM_TX) != (d == PC_TX))
		return PC_WHY_CALL;
	return PC_WHY_NONE;
}

/* A call of a watched process on a UDP socket that may be a resolver's. */
static __noinline int pc_used_dns(struct sock *sk, int ret, int msg_flags, const __u32 d,
				  __u32 role)
{
	struct pc_datagram g = { .d = d, .role = role };
	struct pc_args args = {};
	__u32 why = pc_args_of(bpf_get_current_task_btf(), sk, d, msg_flags, &args);

	return pc_dns_call(sk, &g, &args, ret, why);
}

static __always_inline int pc_used(struct sock *sk, int ret, int msg_flags, const __u32 d)
{
	const struct pc_control *c = pc_controls();
	struct task_struct *task;
	struct pc_args args = {};
	struct pc_sock *s;
	__u32 why;

	if (!c || (msg_flags & (MSG_PEEK | MSG_ERRQUEUE | MSG_OOB)))
		return 0;
	if (!pc_is_stream(sk)) {
		__u32 role = pc_dns_role(sk);

		if (pc_dns_may(sk, role, d) && (ret > 0 || pc_is_final(-ret)))
			pc_used_dns(sk, ret, msg_flags, d, role);
		return 0;
	}
	if (ret <= 0) {
		if (d == PC_TX || ret != -PC_EAGAIN)
			pc_sock_ended(sk, ret, d);
		return 0;
	}
	s = pc_sock_used(pc_state_get(sk), sk, c);
	if (!s)
		return 0;
	if (s->open_generation != c->brain_generation)
		pc_sock_open(s, sk, d, ret);
	task = bpf_get_current_task_btf();
	why = pc_args_of(task, sk, d, msg_flags, &args);
	pc_sock_moved(s, sk, task, ret, d, why, &args);
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(pc_on_send, struct sock *sk, int ret, int flags)
{
	return pc_used(sk, ret, flags, PC_TX);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(pc_on_recv, struct sock *sk, int ret, int flags)
{
	return pc_used(sk, ret, flags, PC_RX);
}
