/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * by_storage.h: how the socket source answers the questions of lib/socket.h. Every program of it gets
 * its socket as a typed argument, so fields are plain loads and the state of a socket is in the
 * socket's own storage: born with the first use (a listener's child with the listener's copy), freed
 * by the kernel with the socket. Its counterpart is by_cookie.h.
 */
#ifndef PC_BPF_BY_STORAGE_H
#define PC_BPF_BY_STORAGE_H

#include "kernel.h"
#include "maps.bpf.h"

#include <bpf/bpf_core_read.h>

#include "lib/emit.h"

#define PC_READ(p, field) ((p)->field)

/* Part of every kernel that has this source's tracepoints; the verifier turns it into a move. */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym;

/* bpf_skc_to_tcp_sock without the call. */
static __always_inline struct tcp_sock *pc_tcp_of(struct sock *sk)
{
	if (sk->sk_protocol != IPPROTO_TCP || sk->__sk_common.skc_family == AF_UNIX)
		return NULL;
	return bpf_rdonly_cast(sk, bpf_core_type_id_kernel(struct tcp_sock));
}

static __always_inline struct tcp_sock *pc_tcp_known(const struct pc_sock *s, struct sock *sk)
{
	return pc_tcp_of(sk);
}

/* Nearly every socket of the host has no storage at all: seen without the call of a helper. */
static __always_inline struct pc_sock *pc_state_get(struct sock *sk)
{
	if (!sk->sk_bpf_storage)
		return NULL;
	return bpf_sk_storage_get(&pc_socks, sk, 0, 0);
}

/* Of a typed TCP socket. */
static __always_inline struct pc_sock *pc_state_tcp(struct sock *sk)
{
	return pc_state_get(sk);
}

/* The state of before, if there was one; cleared by the caller in any case. */
static __always_inline struct pc_sock *pc_state_make(struct sock *sk)
{
	struct pc_sock *s = bpf_sk_storage_get(&pc_socks, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!s) /* two at once make it for the same socket: one is told no, and it is there */
		s = bpf_sk_storage_get(&pc_socks, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!s)
		pc_count_refused();
	return s;
}

/* The id of a connection whose state was just made. */
static __always_inline __u64 pc_conn_of(struct sock *sk)
{
	return bpf_get_socket_cookie(sk);
}

static __always_inline void pc_state_delete(struct sock *sk)
{
	bpf_sk_storage_delete(&pc_socks, sk);
}

/* The socket is about to be freed, its storage with it. */
static __always_inline void pc_state_gone(struct sock *sk)
{
}

/* A state change: the state of a listener's child is the listener's until the child is adopted. Not
 * before it is established: in SYN_RECV some kernels still show the listener's cookie. */
static __always_inline struct pc_sock *pc_state_at(struct sock *sk, int old, int new,
						   bool *ret_child)
{
	struct pc_sock *s = pc_state_get(sk);

	*ret_child = s && (s->flags & PC_S_LISTENER) && new == TCP_ESTABLISHED;
	return s;
}

/* A listener in scope has state of its own here, which its children inherit. */
static __always_inline bool pc_state_listens(struct sock *sk)
{
	return false;
}

/* The cause of bytes that moved without an event: the one way in and the one way out that fire none. */
static __always_inline __u32 pc_unseen(__u32 d)
{
	return d == PC_RX ? PC_WHY_NO_BUFFER : PC_WHY_SENDFILE;
}
#define PC_CALLS_ONLY false

/* For the first event of a typed socket: makes the name by which others will know it. */
static __always_inline void pc_state_name(struct sock *sk)
{
}

static __always_inline __u64 pc_peer_conn(const struct unix_sock *u)
{
	return BPF_CORE_READ(u, peer, __sk_common.skc_cookie.counter);
}

#endif
