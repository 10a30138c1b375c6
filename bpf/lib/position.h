/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * position.h: TCP's own sequence numbers → 64-bit positions of the application's bytes. Pure, tested
 * on the host (tests/bpf).
 *
 * Sequence numbers have 32 bits and count two things that are no data: the SYN (before position 0)
 * and the FIN (after the last byte). A connection is anchored once: `seq0`, the number of its first
 * data byte, follows from the 64-bit totals that TCP keeps, also for a connection that was open
 * before us. After that each position is the distance from seq0, widened with a 64-bit total that is
 * never further away than 2 GiB; so it survives wrap-around, bytes that moved unseen, and a torn
 * read of the total (the fields are read without the socket's lock).
 */
#ifndef PC_BPF_POSITION_H
#define PC_BPF_POSITION_H

#include "parcours/abi.h"
#include "state.h"

struct pc_tcp {
	__u64 bytes_received, bytes_acked, bytes_sent, bytes_retrans;
	__u32 copied_seq, rcv_nxt;
	__u32 write_seq, snd_una, snd_nxt;
	__u32 srtt_us, min_rtt_us, retrans;
	bool fin_in;  /* the peer's FIN was taken in: rcv_nxt counts it */
	bool fin_out; /* write_seq counts ours */
};

/* The 64-bit value whose low half is `low`, closest to `near`. */
static inline __u64 pc_widen(__u64 near, __u32 low)
{
	return near + (__u64)(__s64)(__s32)(low - (__u32)near);
}

/* The sequence number after the last byte the application read. */
static inline __u32 pc_rx_seq(const struct pc_tcp *t)
{
	return t->copied_seq - (t->fin_in && t->copied_seq == t->rcv_nxt);
}

static inline __u32 pc_unread(const struct pc_tcp *t)
{
	__u32 n = t->rcv_nxt - t->fin_in - pc_rx_seq(t);

	return (__s32)n < 0 ? 0 : n; /* torn read */
}

static inline __u32 pc_tx_seq(const struct pc_tcp *t)
{
	return t->write_seq - t->fin_out;
}

static inline __u32 pc_unacked(const struct pc_tcp *t)
{
	__u32 n = pc_tx_seq(t) - t->snd_una;

	return (__s32)n < 0 ? 0 : n; /* the FIN is acknowledged, or a torn read */
}

/* Did this end connect? Its SYN is in bytes_acked but never in bytes_sent, a passive end's is in
 * neither. PC_S_ACTIVE, PC_S_PASSIVE, or 0 when a retransmission in flight blurs the sum. */
static inline __u32 pc_role(const struct pc_tcp *t)
{
	__u64 queued = t->bytes_acked + (__u32)(t->snd_nxt - t->snd_una);
	__u64 data = t->bytes_sent - t->bytes_retrans + (t->fin_out && t->snd_nxt == t->write_seq);

	return queued == data + 1 ? PC_S_ACTIVE : queued == data ? PC_S_PASSIVE : 0;
}

/* `active`: this end sent the SYN, so bytes_acked is one too high (once it was acknowledged; before
 * that write_seq - snd_una is). */
static inline void pc_anchor(const struct pc_tcp *t, bool active, __u32 ret_seq0[2])
{
	ret_seq0[PC_RX] = t->rcv_nxt - t->fin_in - (__u32)t->bytes_received;
	ret_seq0[PC_TX] = t->snd_una - (__u32)t->bytes_acked + active;
}

static inline __u64 pc_rx_pos(const struct pc_tcp *t, const __u32 seq0[2])
{
	return pc_widen(t->bytes_received, pc_rx_seq(t) - seq0[PC_RX]);
}

static inline __u64 pc_tx_pos(const struct pc_tcp *t, const __u32 seq0[2])
{
	return pc_widen(t->bytes_acked, pc_tx_seq(t) - seq0[PC_TX]);
}

static inline __u64 pc_acked_pos(const struct pc_tcp *t, const __u32 seq0[2])
{
	__u64 tx = pc_tx_pos(t, seq0);
	__u32 unacked = pc_unacked(t);

	return unacked > tx ? 0 : tx - unacked;
}

/* Where the bytes of one call lie. */
struct pc_span {
	__u64 start, end;
	__u64 hole_pos; /* bytes before start that moved unseen; hole_len 0 = none */
	__u64 hole_len;
	bool uncertain;
	bool filled; /* they are those of the hole that was kept */
	__u8 pad[6];
};

/*
 * `now` is the position after the call, `last` the one after the call before, `ret` what the call
 * moved. Three cases: they agree; more moved than the call says (something we do not see, or another
 * thread's call that we have not heard of yet); less moved (that other thread, heard of now: its
 * bytes were counted before).
 */
static inline void pc_span_of(__u64 last, __u64 now, __u32 ret, __u64 hole_pos, __u32 hole_len,
			      struct pc_span *s)
{
	__s64 moved = (__s64)(now - last);

	s->start = now - ret;
	s->end = now;
	s->hole_pos = hole_pos;
	s->hole_len = 0;
	s->uncertain = moved != (__s64)ret || hole_len; /* or it came in another's place */
	s->filled = false;
	if (moved > (__s64)ret) {
		s->hole_pos = last;
		s->hole_len = (__u64)(moved - (__s64)ret);
	} else if (moved < (__s64)ret && hole_len >= ret) {
		s->start = hole_pos;
		s->end = hole_pos + ret;
		s->filled = true;
	}
	if (s->start > s->end)
		s->start = 0; /* a torn number near the beginning: never wrap */
}

#endif
