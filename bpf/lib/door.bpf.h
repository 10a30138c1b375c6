/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * door.bpf.h: who was turned away by a watched listener. No connection tells of them, because there was
 * none:
 *
 *   dropped   its accept queue or its SYN queue was full: the kernel counts that in the listener itself
 *             (sk_drops), and the look tells what was added
 *   waiting   established, and nobody accepts: the first of the accept queue is the same at two looks
 *   refused   nobody listens there any more: the reset for no socket names the port. Since 6.10 the kernel
 *             shows such resets (tcp_send_reset); before, they are not seen
 *
 * So the drops cost nobody anything, and the resets only whoever asks for a port where nobody listens. The
 * look walks the storage of watched listeners, in any network namespace, once a second (src/capture/later.c).
 */
#ifndef PC_BPF_DOOR_H
#define PC_BPF_DOOR_H

#include "lib/door.h"
#include "lib/socket.h"

#define PC_SYN_FLAGS 0x17 /* FIN, SYN, RST, ACK */
#define PC_SYN	     0x02

/* Read by the loader: there is something to look at. */
__u64 pc_doors_made = 0;
__u64 pc_doors_shut = 0;

static __always_inline __u32 pc_netns(const struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
}

/* A listener in scope: from listen() on, or found by the scan. What it dropped before is not ours. */
static __noinline int pc_door_new(struct sock *sk, __u32 tgid, __u32 verdict)
{
	const struct pc_control *c = pc_controls();
	struct pc_door *d;
	__u64 conn = bpf_get_socket_cookie(sk);

	if (!c)
		return 0;
	d = bpf_sk_storage_get(&pc_doors, sk, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!d) {
		pc_count_refused();
		return 0;
	}
	d->scope_generation = c->scope_generation;
	d->undecided = verdict == PC_SCOPE_UNKNOWN;
	if (d->conn == conn)
		return 0;
	d->conn = conn;
	d->tgid = tgid;
	d->drops = BPF_CORE_READ(sk, sk_drops.counter);
	__sync_fetch_and_add(&pc_doors_made, 1);
	return 0;
}

/* Is it (still) ours to tell of? A process that is undecided may become so. */
static __always_inline bool pc_door_is_ours(struct pc_door *d, const struct pc_control *c)
{
	if (d->scope_generation != c->scope_generation)
		return false;
	if (!d->undecided)
		return true;
	if (pc_proc_state(d->tgid) == PC_SCOPE_UNKNOWN || pc_proc_state(d->tgid) == PC_SCOPE_NO)
		return false;
	d->undecided = 0;
	return true;
}

/* Who waits first, by something that the next one will not have. */
static __always_inline __u64 pc_door_first(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = (const void *)sk;
	void *head = BPF_CORE_READ(icsk, icsk_accept_queue.rskq_accept_head);

	if (!head)
		return 0;
	return (__u64)head ^ (__u64)BPF_CORE_READ((const struct tcp_request_sock *)head, rcv_isn)
				     << 32;
}

/* `turned` more than the last time, and whether what waits moves. A listener that closes holds nobody. */
static __noinline int pc_tell_door(struct pc_door *d, struct sock *sk, bool closes)
{
	__u32 drops = BPF_CORE_READ(sk, sk_drops.counter), size;
	struct pc_listener r = {};
	__u64 now_ns = bpf_ktime_get_ns();
	bool news;

	if (!d)
		return 0;
	size = sizeof(r);
	news = pc_door_waits(d, closes ? 0 : pc_door_first(sk), now_ns);
	r.turned = drops - d->drops;
	if (!r.turned && !news)
		return 0;
	pc_head_set(&r.head, PC_LISTENER, 0, size, now_ns);
	r.conn = d->conn;
	r.still_ns = d->still ? d->still_ns : 0;
	r.waiting = BPF_CORE_READ(sk, sk_ack_backlog);
	r.backlog = BPF_CORE_READ(sk, sk_max_ack_backlog);
	r.tgid = d->tgid;
	r.family = BPF_CORE_READ(sk, __sk_common.skc_family);
	pc_addr_of(sk, false, r.family, &r.local);
	if (pc_emit_control(&r, size, PC_LISTENER))
		d->drops = drops;
	return 0;
}

/* Nobody listens there: what was refused since it was told. */
static __noinline int pc_tell_shut(const struct pc_shut_key *key, struct pc_shut *s)
{
	struct pc_listener r = {};
	__u32 size = sizeof(r);
	__u64 refused;

	if (!key || !s)
		return 0;
	refused = s->refused;
	if (refused == s->told)
		return 0;
	pc_head_set(&r.head, PC_LISTENER, PC_F_REFUSED, size, bpf_ktime_get_ns());
	r.conn = s->conn;
	r.turned = refused - s->told;
	r.tgid = s->tgid;
	r.family = s->family;
	r.local.port = key->port;
	__builtin_memcpy(r.local.ip, s->ip, sizeof(r.local.ip));
	if (pc_emit_control(&r, size, PC_LISTENER))
		s->told = refused;
	return 0;
}

/* Somebody listens (again). */
static __noinline int pc_door_opened(struct sock *sk)
{
	struct pc_shut_key key = { .netns = pc_netns(sk), .port = pc_local_port(sk) };
	struct pc_shut *s;

	if (!pc_doors_shut)
		return 0;
	s = bpf_map_lookup_elem(&pc_shut, &key);
	if (!s)
		return 0;
	pc_tell_shut(&key, s);
	bpf_map_delete_elem(&pc_shut, &key);
	return 0;
}

/* A listener closes: in the closing task, or wherever its last user ended. */
static __noinline int pc_door_closed(struct sock *sk)
{
	const struct pc_control *c = pc_controls();
	struct pc_door *d = bpf_sk_storage_get(&pc_doors, sk, 0, 0);
	struct pc_shut_key key = {};
	struct pc_shut s = {};
	struct pc_addr a = {};

	if (!d || !c || !pc_door_is_ours(d, c))
		return 0;
	pc_tell_door(d, sk, true);
	key.netns = pc_netns(sk);
	key.port = pc_local_port(sk);
	s.family = BPF_CORE_READ(sk, __sk_common.skc_family);
	s.conn = d->conn;
	s.tgid = d->tgid;
	pc_addr_of(sk, false, s.family, &a);
	__builtin_memcpy(s.ip, a.ip, sizeof(s.ip));
	bpf_map_update_elem(&pc_shut, &key, &s, BPF_ANY);
	__sync_fetch_and_add(&pc_doors_shut, 1);
	bpf_sk_storage_delete(&pc_doors, sk);
	return 0;
}

/* The address that a packet was sent to, as in struct pc_addr. */
static __always_inline void pc_packet_to(const unsigned char *at, __u8 ret_ip[16])
{
	__u8 version = 0;

	bpf_probe_read_kernel(&version, sizeof(version), at);
	if (version >> 4 == 4) {
		ret_ip[10] = ret_ip[11] = 0xff;
		bpf_probe_read_kernel(ret_ip + 12, 4, at + 16);
	} else {
		bpf_probe_read_kernel(ret_ip, 16, at + 24);
	}
}

/* A reset for no socket. Did it answer a SYN to a port that was ours? */
static __noinline int pc_on_refused(const struct sk_buff *skb)
{
	const unsigned char *head = BPF_CORE_READ(skb, head);
	struct pc_shut_key key = {};
	__u8 tcp[14] = {}, ip[16] = {};
	struct pc_shut *s;

	bpf_probe_read_kernel(tcp, sizeof(tcp), head + BPF_CORE_READ(skb, transport_header));
	if ((tcp[13] & PC_SYN_FLAGS) != PC_SYN)
		return 0;
	key.port = tcp[2] << 8 | tcp[3];
	key.netns = BPF_CORE_READ(skb, dev, nd_net.net, ns.inum);
	s = bpf_map_lookup_elem(&pc_shut, &key);
	if (!s)
		return 0;
	pc_packet_to(head + BPF_CORE_READ(skb, network_header), ip);
	if (pc_addr_covers(s->ip, ip))
		__sync_fetch_and_add(&s->refused, 1);
	return 0;
}

struct bpf_map;

static long pc_look_at_shut(struct bpf_map *map, const struct pc_shut_key *key, struct pc_shut *s,
			    void *ctx)
{
	pc_tell_shut(key, s);
	return 0;
}

SEC("iter/bpf_sk_storage_map")
int pc_look_at_doors(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	const struct pc_control *c = pc_controls();
	struct sock *sk = ctx->sk;
	struct pc_door *d;

	if (!c)
		return 0;
	if (!sk) { /* the end */
		if (pc_doors_shut)
			bpf_for_each_map_elem(&pc_shut, pc_look_at_shut, NULL, 0);
		return 0;
	}
	d = bpf_sk_storage_get(&pc_doors, sk, 0, 0);
	if (d && sk->__sk_common.skc_state == TCP_LISTEN && pc_door_is_ours(d, c))
		pc_tell_door(d, sk, false);
	return 0;
}

#endif
