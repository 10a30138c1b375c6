/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * dns.bpf.h: datagrams between watched processes and name servers → DNS records. A name that is not found
 * makes a call fail before a connection is tried, and only the answer to the question tells of it. Both
 * sources: they come here with a call on a socket that is no stream.
 *
 * What a resolver does: a connected socket (glibc, c-ares, Go), or one that says where each datagram goes
 * (musl, Netty). Of the second kind the source of what comes is not there yet when the call is seen: so who
 * asked is remembered. Where the octets of an answer cannot be had it is told without them, so that nobody takes the
 * question for one without an answer. In the calling task.
 */
#ifndef PC_BPF_DNS_H
#define PC_BPF_DNS_H

#include "lib/dns.h"
#include "lib/socket.h"

/* struct mmsghdr: a msghdr and the length that the kernel filled in. */
#define PC_MMSG_BYTES 64
#define PC_MMSG_LEN   56

/* One datagram of a call on a socket. */
struct pc_datagram {
	__u64 at, len; /* its octets at the user; len 0: not to be had */
	__u64 name;    /* TX, not connected: the struct sockaddr */
	__u32 name_len;
	__u32 error;
	__u32 d;
	__u32 role; /* enum pc_dns_role */
	__u32 scope;
	__u32 family;
	struct pc_addr local, remote;
};

/* The first two loads: nearly every datagram ends here. */
static __always_inline enum pc_dns_role pc_dns_role(const struct sock *sk)
{
	__u16 family = PC_READ(sk, __sk_common.skc_family);

	if ((family != AF_INET && family != AF_INET6) || PC_READ(sk, sk_protocol) != IPPROTO_UDP)
		return PC_DNS_NONE;
	return pc_dns_role_of(PC_READ(sk, __sk_common.skc_num), PC_READ(sk, __sk_common.skc_dport));
}

/* The current process, if its look-ups are watched. Else PC_SCOPE_NO. */
static __noinline __u32 pc_dns_scope(__u32 role)
{
	const struct pc_control *c = pc_controls();
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 tgid = task->tgid, verdict;
	__u64 start_ns, *since;

	if (!c)
		return PC_SCOPE_NO;
	verdict = pc_decide_current(c, tgid, PC_S_ACTIVE, 0, PC_DNS_PORT);
	if (verdict == PC_SCOPE_NO)
		return PC_SCOPE_NO;
	start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	since = bpf_map_lookup_elem(&pc_name_servers, &tgid);
	if (since && *since == start_ns)
		return PC_SCOPE_NO;
	if (role != PC_DNS_SERVER)
		return verdict;
	bpf_map_update_elem(&pc_name_servers, &tgid, &start_ns, BPF_ANY);
	return PC_SCOPE_NO;
}

/* Not static, so that the verifier walks it once. */
__noinline int pc_dns_emit(struct pc_datagram *g)
{
	struct pc_counters *n = pc_count();
	__u64 len, size, now;
	struct pc_room room;
	struct pc_dns *r;

	if (!g || !n)
		return 0;
	len = g->len;
	barrier_var(len);
	if (len > PC_DNS_BYTES)
		len = PC_DNS_BYTES;
	now = bpf_ktime_get_ns();
	size = sizeof(*r) + len;
	if (!pc_ring_take(size, &room)) {
		pc_add(n->lost[PC_DNS], 1);
		return 0;
	}
	pc_add(n->submitted[PC_DNS], 1);
	r = (struct pc_dns *)(room.mark + 1);
	__builtin_memset(r, 0, sizeof(*r));
	pc_head_set(&r->head, PC_DNS, g->scope == PC_SCOPE_UNKNOWN ? PC_F_PROVISIONAL : 0, size,
		    now);
	r->tgid = bpf_get_current_pid_tgid() >> 32;
	r->tid = (__u32)bpf_get_current_pid_tgid();
	r->error = g->error;
	r->dir = g->d;
	r->family = g->family;
	r->local = g->local;
	r->remote = g->remote;
	r->captured = len;
	barrier_var(len);
	if (len > PC_DNS_BYTES)
		len = PC_DNS_BYTES;
	if (len && bpf_probe_read_user(r + 1, len, (void *)g->at))
		r->captured = 0;
	pc_ring_give(&room);
	pc_ring_wake(n, size);
	return 0;
}

/* TX of a socket that is not connected: to a name server? Then its answers will be looked for. */
static __noinline bool pc_dns_addressed(struct pc_datagram *g, __u64 sk)
{
	struct pc_asker asker = {};
	__u8 name[PC_SOCKADDR_BYTES] = {};

	if (!g || !g->name || g->name_len < PC_SOCKADDR4)
		return false;
	if (g->name_len < PC_SOCKADDR_BYTES
		    ? bpf_probe_read_user(name, PC_SOCKADDR4, (void *)g->name)
		    : bpf_probe_read_user(name, PC_SOCKADDR_BYTES, (void *)g->name))
		return false;
	if (!pc_dns_is_to(name, g->name_len, &g->remote))
		return false;
	asker.asked_ns = bpf_ktime_get_ns();
	asker.port = g->local.port;
	bpf_map_update_elem(&pc_askers, &sk, &asker, BPF_ANY);
	return true;
}

/* RX of such a one. */
static __noinline bool pc_dns_asked(const struct pc_datagram *g, __u64 sk)
{
	struct pc_asker *a = bpf_map_lookup_elem(&pc_askers, &sk);

	return g && a && pc_dns_awaits(a, g->local.port, bpf_ktime_get_ns());
}

static __noinline int pc_dns_one(struct pc_datagram *g, __u64 sk)
{
	if (!g)
		return 0;
	if (g->role == PC_DNS_LOOSE &&
	    !(g->d == PC_TX ? pc_dns_addressed(g, sk) : pc_dns_asked(g, sk)))
		return 0;
	pc_dns_emit(g);
	return 0;
}

/* The datagram that a struct msghdr describes: its first vector, which is all of it for every resolver. */
static __noinline int pc_dns_message(struct pc_datagram *g, __u64 at)
{
	struct user_msghdr m = {};
	struct iovec v = {};

	if (!g)
		return 0;
	g->len = 0;
	g->name = 0;
	if (bpf_probe_read_user(&m, __builtin_offsetof(struct user_msghdr, msg_control),
				(void *)at))
		return 0;
	g->name = m.msg_name;
	g->name_len = m.msg_namelen;
	if (!m.msg_iovlen || bpf_probe_read_user(&v, sizeof(v), (void *)m.msg_iov))
		return 0;
	g->at = v.iov_base;
	g->len = v.iov_len;
	return 0;
}

/* Where the call has its octets. */
static __noinline int pc_dns_find(struct pc_datagram *g, const struct pc_args *args)
{
	struct iovec v = {};

	if (!g || !args)
		return 0;
	switch (args->form & PC_FORM_MASK) {
	case PC_FORM_BUF:
		g->at = args->at;
		g->len = args->count;
		if (g->d == PC_TX && (args->form & PC_FORM_FLAGS)) { /* sendto */
			struct pt_regs *regs =
				(struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());

			g->name = pc_reg_4(regs);
			g->name_len = pc_reg_5(regs);
		}
		break;
	case PC_FORM_IOV:
		if (bpf_probe_read_user(&v, sizeof(v), (void *)args->at))
			break;
		g->at = v.iov_base;
		g->len = v.iov_len;
		break;
	case PC_FORM_MSG:
	case PC_FORM_MMSG:
		pc_dns_message(g, args->at);
		break;
	}
	return 0;
}

/*
 * A call on a datagram socket returned `moved`: octets, or, from a source that sees calls, how many messages. What was
 * asked is as long as the arguments say, what was received as long as the kernel does. Of several that are
 * received by one call none is read: which of them this is cannot be told.
 */
static __noinline int pc_dns_call(struct sock *sk, struct pc_datagram *g,
				  const struct pc_args *args, long moved, __u32 why)
{
	__u32 count = 1, len = 0;

	if (!g || !args)
		return 0;
	g->family = PC_READ(sk, __sk_common.skc_family);
	pc_addr_of(sk, false, g->family, &g->local);
	if (g->role == PC_DNS_PEER)
		pc_addr_of(sk, true, g->family, &g->remote);
	if (moved < 0)
		g->error = -moved;
	if (why || (g->d == PC_RX && moved < 0)) {
		pc_dns_one(g, (__u64)sk);
		return 0;
	}
	pc_dns_find(g, args);
	if ((args->form & PC_FORM_MASK) == PC_FORM_MMSG) {
		count = args->count;
		if (PC_CALLS_ONLY && moved > 0) {
			count = moved;
			bpf_probe_read_user(&len, sizeof(len), (void *)(args->at + PC_MMSG_LEN));
			moved = len;
		}
	}
	if (g->d == PC_RX && moved < (long)g->len)
		g->len = moved;
	if (g->d == PC_RX && count > 1)
		g->len = 0;
	pc_dns_one(g, (__u64)sk);
	if (g->d == PC_TX && count > 1) {
		pc_dns_message(g, args->at + PC_MMSG_BYTES);
		pc_dns_one(g, (__u64)sk);
	}
	return 0;
}

#endif
