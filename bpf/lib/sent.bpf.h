/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * sent.bpf.h: the attach points that tell what became of what was written. tcp_probe fires for each
 * segment that an established connection of the host receives, so it is attached only while writes
 * wait for it (src/capture/later.c), and asks first what a typed socket answers by itself.
 * tcp_retransmit_skb fires where a segment was lost, and is always attached.
 *
 * Run wherever a packet or a timer was handled: never ask who "current" is.
 */
#ifndef PC_BPF_SENT_BPF_H
#define PC_BPF_SENT_BPF_H

#include "lib/await.h"
#include "lib/socket.h"

static __always_inline const struct tcp_skb_cb *pc_cb(const struct sk_buff *skb)
{
	return (const struct tcp_skb_cb *)skb->cb;
}

/* Before the segment is taken in. */
SEC("tp_btf/tcp_probe")
int BPF_PROG(pc_on_ack, struct sock *sk, struct sk_buff *skb)
{
	const struct pc_control *c;
	struct tcp_sock *tp;
	struct pc_sock *s;
	enum pc_ack when;
	__u32 ack = 0;
	__u64 pos;

	if (!sk->sk_wmem_queued) /* all was acknowledged */
		return 0;
	s = pc_state_tcp(sk);
	if (!s || !s->awaited)
		return 0;
	c = pc_controls();
	tp = bpf_skc_to_tcp_sock(sk);
	if (!c || !tp || bpf_probe_read_kernel(&ack, sizeof(ack), &pc_cb(skb)->ack_seq))
		return 0;
	pos = s->awaited;
	when = pc_ack_of(s->seq0[PC_TX] + (__u32)pos, ack, tp->snd_una, tp->snd_nxt);
	if (when == PC_ACK_NOT_YET)
		return 0;
	s->awaited = 0;
	if (pc_is_told(s, c))
		pc_tell_sent(s, PC_ACKED, pos, when == PC_ACK_BEFORE ? PC_F_AT_MOST : 0);
	return 0;
}

SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(pc_on_resent, struct sock *sk, struct sk_buff *skb)
{
	const struct pc_control *c = pc_controls();
	struct pc_sock *s = pc_state_tcp(sk);
	__u32 seq = 0, segments;
	struct tcp_sock *tp;
	__u64 pos;

	if (!c || !s || !(s->flags & PC_S_ANCHORED) || (s->flags & PC_S_COUNTED))
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp || bpf_probe_read_kernel(&seq, sizeof(seq), &pc_cb(skb)->seq))
		return 0;
	segments = tp->total_retrans - s->resent;
	s->resent = tp->total_retrans;
	pos = pc_widen(s->pos[PC_TX], seq - s->seq0[PC_TX]);
	if (segments && (__s64)pos >= 0 && pc_is_told(s, c))
		pc_tell_sent(s, PC_RESENT, pos, segments);
	return 0;
}

#endif
