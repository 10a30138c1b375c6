/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * sent.h: what became of bytes after they were written: which write waits for its acknowledgement, and
 * does this segment give it? Pure, tested on the host; sent.bpf.h has the attach points.
 *
 * A write waits only where it tells something: the peer is a millisecond or more away, or does not take
 * what it is sent. The time of a near peer is that of the write, and to wait for it would cost every
 * short exchange on the host a record. Only the latest write waits: what was written before it and not
 * acknowledged yet gets the same acknowledgement, and the brain says of it "at most".
 */
#ifndef PC_BPF_SENT_H
#define PC_BPF_SENT_H

#include "parcours/abi.h"

#define PC_FAR_US	1000 /* round trip from which on a peer is distant */
#define PC_UNSENT_BYTES 4096 /* so little on the way is not asked whether it was sent */

/* Does the round trip alone say that the write waits? The smallest one of late, since the smoothed one
 * counts how long a busy or an idle peer took to acknowledge. ~0: there was none yet. */
static inline bool pc_is_far(__u32 min_rtt_us)
{
	return min_rtt_us >= PC_FAR_US && min_rtt_us != ~0u;
}

enum pc_ack {
	PC_ACK_NOT_YET,
	PC_ACK_NOW,   /* by this very segment */
	PC_ACK_BEFORE /* by one that came before anybody waited */
};

/*
 * `end`: sequence number after the write's last byte, `ack`: of the segment, una and nxt: of the
 * socket before it takes the segment in. An acknowledgement of what was never sent is a forgery.
 */
static inline enum pc_ack pc_ack_of(__u32 end, __u32 ack, __u32 una, __u32 nxt)
{
	if ((__s32)(una - end) >= 0)
		return PC_ACK_BEFORE;
	if ((__s32)(ack - end) < 0 || (__s32)(ack - nxt) > 0)
		return PC_ACK_NOT_YET;
	return PC_ACK_NOW;
}

#endif
