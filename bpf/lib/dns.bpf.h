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
	__u64 who;     /* tgid and tid */
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

/* How often a socket asked that is not connected. Until one has, no other has to be looked for. */
__u64 pc_loose_asked = 0;

/* The first load: nearly every datagram ends here. */
static __always_inline enum pc_dns_role pc_dns_role(const struct sock *sk)
{
	__u32 pair = PC_READ(sk, __sk_common.skc_portpair);
	enum pc_dns_role role;
	__u16 port[2]; /* the peer's, its own */
	__u16 family;

	__builtin_memcpy(port, &pair, sizeof(port));
	role = pc_dns_role_of(port[1], port[0]);
	if (role == PC_DNS_NONE)
		return role;
	family = PC_READ(sk, __sk_common.skc_family);
	if ((family != AF_INET && family != AF_INET6) || PC_READ(sk, sk_protocol) != IPPROTO_UDP)
		return PC_DNS_NONE;
	return role;
}

/* Is the current process watched? */
static __noinline __u32 pc_dns_scope(void)
{
	const struct pc_control *c = pc_controls();

	return c ? pc_decide_current(c, bpf_get_current_pid_tgid() >> 32, PC_S_ACTIVE, 0,
				     PC_DNS_PORT)
		 : PC_SCOPE_NO;
}

/* Does it answer on port 53 itself? `serves`: from now on. */
static __noinline bool pc_dns_serves(bool serves)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 start_ns = BPF_CORE_READ(task, group_leader, start_boottime), *since;
	__u32 tgid = task->tgid;

	since = bpf_map_lookup_elem(&pc_name_servers, &tgid);
	if (since && *since == start_ns)
		return true;
	if (serves)
		bpf_map_update_elem(&pc_name_servers, &tgid, &start_ns, BPF_ANY);
	return serves;
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
	r->tgid = g->who >> 32;
	r->tid = (__u32)g->who;
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

/* TX of a socket that is not connected: to a name server? */
static __noinline bool pc_dns_addressed(struct pc_datagram *g)
{
	__u8 name[PC_SOCKADDR_BYTES] = {};

	if (!g || !g->name || g->name_len < PC_SOCKADDR4 ||
	    bpf_probe_read_user(name, PC_SOCKADDR4, (void *)g->name))
		return false;
	if (name[2] || name[3] != PC_DNS_PORT)
		return false;
	if (g->name_len >= PC_SOCKADDR_BYTES &&
	    bpf_probe_read_user(name, PC_SOCKADDR_BYTES, (void *)g->name))
		return false;
	return pc_dns_is_to(name, g->name_len, &g->remote);
}

/* Its answers, if it is not connected, and errors will be looked for. Returns the error that came already. */
static __always_inline __u32 pc_dns_note_asker(const struct sock *sk, __u32 role)
{
	__u64 who = bpf_get_current_pid_tgid(), key = (__u64)sk;
	struct pc_asker asker = { .asked_ns = bpf_ktime_get_ns(),
				  .tgid = who >> 32,
				  .tid = (__u32)who,
				  .port = PC_READ(sk, __sk_common.skc_num) };
	const struct pc_asker *before = bpf_map_lookup_elem(&pc_askers, &key);
	__u32 early = before ? pc_dns_early(before, asker.port, asker.asked_ns) : 0;

	if (role == PC_DNS_LOOSE)
		__sync_fetch_and_add(&pc_loose_asked, 1);
	bpf_map_update_elem(&pc_askers, &key, &asker, BPF_ANY);
	return early;
}

static __always_inline struct pc_asker *pc_dns_asker(const struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct pc_asker *a = bpf_map_lookup_elem(&pc_askers, &key);

	return a && pc_dns_awaits(a, PC_READ(sk, __sk_common.skc_num), bpf_ktime_get_ns()) ? a
											   : NULL;
}

/* May a call on it be a resolver's? What costs little is asked first. */
static __always_inline bool pc_dns_may(const struct sock *sk, __u32 role, __u32 d)
{
	if (role == PC_DNS_NONE || (role == PC_DNS_LOOSE && d == PC_RX && !pc_loose_asked))
		return false;
	return pc_dns_scope() != PC_SCOPE_NO;
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

static __always_inline void pc_dns_ends(const struct sock *sk, struct pc_datagram *g)
{
	g->family = PC_READ(sk, __sk_common.skc_family);
	pc_addr_of(sk, false, g->family, &g->local);
	if (g->role == PC_DNS_PEER)
		pc_addr_of(sk, true, g->family, &g->remote);
}

/* The octets of one datagram are where they are; who it is from or for is looked at. */
static __noinline int pc_dns_one(struct sock *sk, struct pc_datagram *g)
{
	__u32 early = 0;

	if (!g || (g->role == PC_DNS_LOOSE && g->d == PC_TX && !pc_dns_addressed(g)))
		return 0;
	if (pc_dns_serves(g->role == PC_DNS_SERVER))
		return 0;
	if (g->d == PC_TX)
		early = pc_dns_note_asker(sk, g->role);
	g->scope = pc_dns_scope();
	g->who = bpf_get_current_pid_tgid();
	pc_dns_ends(sk, g);
	pc_dns_emit(g);
	if (early && !g->error) {
		g->d = PC_RX;
		g->error = early;
		g->len = 0;
		pc_dns_emit(g);
		g->d = PC_TX;
		g->error = 0;
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

	if (!g || !args || (g->role == PC_DNS_LOOSE && g->d == PC_RX && !pc_dns_asker(sk)))
		return 0;
	if (moved < 0)
		g->error = -moved;
	if (why || (g->d == PC_RX && moved < 0))
		return pc_dns_one(sk, g);
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
	pc_dns_one(sk, g);
	if (g->d == PC_TX && count > 1) {
		pc_dns_message(g, args->at + PC_MMSG_BYTES);
		pc_dns_one(sk, g);
	}
	return 0;
}

/*
 * An ICMP message says that nobody is at the server's port, or that there is no way to it. glibc sees that the socket
 * has an error and closes it, without a call that would return it. Runs wherever the packet was handled: who asked is
 * what was noted then, or will be (the loopback, within the call that asks).
 */
SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(pc_on_error, const struct sock *sk)
{
	struct pc_datagram g = { .d = PC_RX, .role = PC_DNS_PEER, .error = sk->sk_err };
	struct pc_asker *a;

	if (sk->sk_protocol != IPPROTO_UDP || pc_dns_role(sk) != PC_DNS_PEER ||
	    !pc_is_final(g.error))
		return 0;
	a = pc_dns_asker(sk);
	if (!a) { /* who asks is known when his call returns */
		struct pc_asker early = { .asked_ns = bpf_ktime_get_ns(),
					  .port = PC_READ(sk, __sk_common.skc_num),
					  .error = g.error };
		__u64 key = (__u64)sk;

		bpf_map_update_elem(&pc_askers, &key, &early, BPF_ANY);
		return 0;
	}
	g.who = (__u64)a->tgid << 32 | a->tid;
	g.scope = pc_proc_state(a->tgid);
	pc_dns_ends(sk, &g);
	pc_dns_emit(&g);
	return 0;
}

#endif
