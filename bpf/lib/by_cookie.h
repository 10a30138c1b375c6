/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * by_cookie.h: how the syscall source answers the questions of lib/socket.h. A socket that was walked
 * to from a descriptor is an untrusted pointer: fields are probe reads, storage and cookie helper
 * refuse it. So the state of a socket is in a hash.
 *
 * TCP: key and connection id are the socket's cookie, made by the helper wherever a typed socket is at
 * hand (state changes, the scan, tcp_rcv_space_adjust) and read raw elsewhere. Deleted when the socket
 * is destroyed; when the hash is full a connection is counted as refused and not captured.
 *
 * Others (Unix, MPTCP): nothing in a kernel tells us of them before they are used and nothing of their
 * end, so there is no cookie to read. Key: the inode number of the socket's file. The hash forgets the
 * least recently used, and so that neither that nor a reused inode can be taken for the connection of
 * before, each state gets a connection id of its own: the time of its birth with the highest bit set.
 */
#ifndef PC_BPF_BY_COOKIE_H
#define PC_BPF_BY_COOKIE_H

#include "kernel.h"
#include "maps.bpf.h"

#include <bpf/bpf_core_read.h>

#include "lib/emit.h"

#define PC_READ(p, field) BPF_CORE_READ(p, field)

#define PC_OWN_ID (1ull << 63)

/* What a new entry starts as: too large for the stack. */
static const struct pc_sock pc_blank = {};

static __always_inline struct tcp_sock *pc_tcp_of(struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	if (family == AF_UNIX || BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return NULL;
	return (struct tcp_sock *)sk;
}

/* The state tells what the socket is. */
static __always_inline struct tcp_sock *pc_tcp_known(const struct pc_sock *s, struct sock *sk)
{
	return s->conn & PC_OWN_ID ? NULL : (struct tcp_sock *)sk;
}

static __always_inline bool pc_has_cookie(struct sock *sk)
{
	return pc_tcp_of(sk);
}

static __always_inline __u64 pc_inode_key(const struct sock *sk)
{
	const struct socket_alloc *a = (const void *)BPF_CORE_READ(sk, sk_socket);

	return a ? BPF_CORE_READ(a, vfs_inode.i_ino) : 0;
}

static __always_inline struct pc_sock *pc_state_get(struct sock *sk)
{
	__u64 key;

	if (pc_has_cookie(sk)) {
		key = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
		return bpf_map_lookup_elem(&pc_conns, &key);
	}
	key = pc_inode_key(sk);
	return bpf_map_lookup_elem(&pc_others, &key);
}

static __always_inline bool pc_listened(__u16 port)
{
	__u32 word = port / 64;
	__u64 *bits = bpf_map_lookup_elem(&pc_listening, &word);

	return bits && (*bits >> (port % 64)) & 1;
}

/* Of a listener in scope only the port is kept. */
static __always_inline bool pc_state_listens(struct sock *sk)
{
	__u16 port = BPF_CORE_READ(sk, __sk_common.skc_num);
	__u32 word = port / 64;
	__u64 *bits = bpf_map_lookup_elem(&pc_listening, &word);

	if (bits)
		__sync_fetch_and_or(bits, 1ull << (port % 64));
	return true;
}

/* Of a typed TCP socket: a plain load. */
static __always_inline struct pc_sock *pc_state_tcp(struct sock *sk)
{
	__u64 key = sk->__sk_common.skc_cookie.counter;

	return bpf_map_lookup_elem(&pc_conns, &key);
}

/* The state of before is overwritten, if there was one. */
static __always_inline struct pc_sock *pc_state_make(struct sock *sk)
{
	struct pc_sock *s = NULL;
	__u64 key;

	if (pc_has_cookie(sk)) {
		key = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
		if (key && !bpf_map_update_elem(&pc_conns, &key, &pc_blank, BPF_ANY))
			s = bpf_map_lookup_elem(&pc_conns, &key);
	} else {
		key = pc_inode_key(sk);
		if (key && !bpf_map_update_elem(&pc_others, &key, &pc_blank, BPF_ANY))
			s = bpf_map_lookup_elem(&pc_others, &key);
	}
	if (!s)
		pc_count_refused();
	return s;
}

/* The id of a connection whose state was just made. */
static __always_inline __u64 pc_conn_of(struct sock *sk)
{
	if (pc_has_cookie(sk))
		return BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	return bpf_ktime_get_ns() | PC_OWN_ID;
}

static __always_inline void pc_state_delete(struct sock *sk)
{
	__u64 key;

	if (!pc_has_cookie(sk))
		return;
	key = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	bpf_map_delete_elem(&pc_conns, &key);
}

static __always_inline void pc_state_gone(struct sock *sk)
{
	pc_state_delete(sk);
}

/* The cause of bytes that moved without a call: nearly always an io_uring, seldom a zero-copy receive
 * or a 32-bit call for several messages. */
static __always_inline __u32 pc_unseen(__u32 d)
{
	return PC_WHY_IO_URING;
}
#define PC_CALLS_ONLY true

static __always_inline void pc_state_name(struct sock *sk)
{
	bpf_get_socket_cookie(sk);
}

/* A state change. A child does not say whose it is, but it has the listener's port; where another
 * network namespace listens on the same one, who uses the child decides, as for any socket. */
static __always_inline struct pc_sock *pc_state_at(struct sock *sk, int old, int new,
						   bool *ret_child)
{
	struct pc_sock *s = pc_state_get(sk);

	*ret_child = !s && old == TCP_SYN_RECV &&
		     new == TCP_ESTABLISHED &&pc_listened(BPF_CORE_READ(sk, __sk_common.skc_num));
	return *ret_child ? pc_state_make(sk) : s;
}

static __always_inline __u64 pc_peer_conn(const struct unix_sock *u)
{
	const struct sock *peer = BPF_CORE_READ(u, peer);
	__u64 key = peer ? pc_inode_key(peer) : 0;
	struct pc_sock *s = key ? bpf_map_lookup_elem(&pc_others, &key) : NULL;

	return s ? s->conn : 0;
}

#endif
