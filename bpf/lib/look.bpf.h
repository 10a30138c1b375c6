/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * look.bpf.h: which Unix connections are still there? Nothing in a kernel tells of the end of a Unix
 * socket: its process was killed, or both ends were closed unread. So while such connections are watched
 * the warden lets this look at every descriptor of the host from time to time (src/capture/later.c): what
 * is held is told (ALIVE), and after the last one LOOKED. What two looks in a row did not find is gone:
 * the brain ends it, and the state of the syscall source, which no socket owns, is deleted here.
 *
 * A descriptor that travels inside a message is in no table; it does not do so for the time between two
 * looks.
 */
#ifndef PC_BPF_LOOK_H
#define PC_BPF_LOOK_H

#include "lib/await.h"
#include "lib/socket.h"

/* Set by the loader before each look, the first being 1. */
__u32 pc_look = 0;
__u64 pc_look_since = 0;
/* Read by the loader after it. */
__u64 pc_look_found = 0;
__u64 pc_look_lost = 0;

#define PC_LOOKS 2 /* that do not find a socket, and it is gone */

static __noinline int pc_tell_alive(__u32 kind, __u64 conn)
{
	struct pc_alive r = {};
	__u32 size = sizeof(r);

	pc_head_set(&r.head, kind, 0, size, bpf_ktime_get_ns());
	r.conn = conn;
	r.since_ns = pc_look_since;
	if (!pc_emit_control(&r, size, kind))
		__sync_fetch_and_add(&pc_look_lost, 1);
	return 0;
}

/* The other end was closed and nothing is left to read: whether the application looks or not. Told by
 * the second look that finds it so: a read under way may not have told of its bytes at the first. */
static __noinline int pc_look_at_peer(struct pc_sock *s, struct sock *sk)
{
	const struct sock *peer = BPF_CORE_READ((const struct unix_sock *)sk, peer);
	struct pc_end e = {};
	__u32 size = sizeof(e);

	if (!s || !peer || (s->ended & (1 << PC_RX)))
		return 0;
	if (!((BPF_CORE_READ(peer, __sk_common.skc_flags) >> SOCK_DEAD) & 1) ||
	    BPF_CORE_READ(sk, sk_receive_queue.qlen))
		return 0;
	if (!(s->flags & PC_S_LEFT)) {
		s->flags |= PC_S_LEFT;
		return 0;
	}
	pc_head_set(&e.head, PC_END, 0, size, bpf_ktime_get_ns());
	e.conn = s->conn;
	e.pos = s->pos[PC_RX];
	e.tgid = s->tgid;
	e.dir = PC_RX;
	if (pc_emit_control(&e, size, PC_END))
		s->ended |= 1 << PC_RX;
	return 0;
}

struct bpf_map;

static long pc_forget(struct bpf_map *map, const __u64 *key, struct pc_sock *s, void *ctx)
{
	if (!s->looked)
		s->looked = pc_look;
	else if (pc_look - s->looked >= PC_LOOKS)
		bpf_map_delete_elem(map, key);
	return 0;
}

SEC("iter/task_file")
int pc_look_around(struct bpf_iter__task_file *ctx)
{
	const struct pc_control *c = pc_controls();
	struct file *file = ctx->file;
	struct socket *sock;
	struct pc_sock *s;
	struct sock *sk;

	if (!c)
		return 0;
	if (!file) { /* the end */
		if (PC_CALLS_ONLY)
			bpf_for_each_map_elem(&pc_others, pc_forget, NULL, 0);
		if (!pc_look_lost)
			pc_tell_alive(PC_LOOKED, 0);
		return 0;
	}
	sock = bpf_sock_from_file(file);
	if (!sock)
		return 0;
	sk = sock->sk;
	if (!sk || sk->sk_protocol == IPPROTO_TCP || !pc_is_stream(sk))
		return 0;
	s = pc_state_get(sk);
	if (!s || s->looked == pc_look) /* or found by another descriptor of it */
		return 0;
	s->looked = pc_look;
	if (sk->__sk_common.skc_family != AF_UNIX || !pc_is_told(s, c))
		return 0;
	__sync_fetch_and_add(&pc_look_found, 1);
	pc_tell_alive(PC_ALIVE, s->conn);
	pc_look_at_peer(s, sk);
	return 0;
}

#endif
