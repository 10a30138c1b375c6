/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * holds.h: does a process serve, by what it has in hand? Where listening is the scope, an exec drops
 * what was inherited, so whatever sshd or a service manager starts is not watched; but a new program may
 * have been given a listener (socket activation, a server that replaces itself) or an accepted
 * connection (inetd), and that is found here, among its descriptors. Both families; in the current task.
 *
 * The socket source cannot ask what a descriptor's connection is (an untrusted pointer): there the
 * connection itself is in scope and its first use says so, see pc_decide_current.
 */
#ifndef PC_BPF_HOLDS_H
#define PC_BPF_HOLDS_H

#include "lib/fd.h"

/* Descriptors looked at after an exec. What is handed over stands at the lowest numbers; beyond them a
 * server is known by its first accepted connection (socket source) or not at all. */
#define PC_HELD_FDS 1024

struct pc_held {
	unsigned long *open_fds;
	__u64 word; /* of open_fds */
	bool serves;
};

/* A listener, or a child of a watched one. */
static __noinline bool pc_sock_serves(struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	struct pc_sock *s;

	if ((family != AF_INET && family != AF_INET6) || !pc_is_socket(sk))
		return false;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN)
		return true;
	if (!PC_CALLS_ONLY || !pc_tcp_of(sk))
		return false;
	s = pc_state_get(sk);
	return s && (s->flags & PC_S_PASSIVE);
}

static long pc_held_one(__u32 fd, struct pc_held *h)
{
	struct sock *sk;

	if (fd % 64 == 0 && bpf_probe_read_kernel(&h->word, sizeof(h->word), h->open_fds + fd / 64))
		return 1;
	if (!((h->word >> (fd % 64)) & 1))
		return 0;
	sk = pc_sock_of_fd(bpf_get_current_task_btf(), fd);
	if (!sk || !pc_sock_serves(sk))
		return 0;
	h->serves = true;
	return 1;
}

static __noinline bool pc_holds_server(void)
{
	struct fdtable *t = bpf_get_current_task_btf()->files->fdt;
	__u32 max = t->max_fds; /* 0 without files */
	struct pc_held h = { .open_fds = t->open_fds };

	bpf_loop(max < PC_HELD_FDS ? max : PC_HELD_FDS, pc_held_one, &h, 0);
	return h.serves;
}

#endif
