/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * state.h: what the kernel side remembers of one socket. The socket source keeps it in socket
 * storage (freed with the socket), the syscall source in a hash keyed by the cookie.
 *
 * Fields of the two directions stand apart and are written by the call of that direction only, so a
 * reader and a writer thread do not disturb each other; two writers at once may, and then the range
 * says PC_F_UNCERTAIN. Positions do not depend on this state for plain TCP: `seq0` never changes and
 * the rest comes from TCP's own numbers.
 */
#ifndef PC_BPF_STATE_H
#define PC_BPF_STATE_H

#include "parcours/abi.h"
#ifndef __bpf__ /* the tests on the host */
#include <stdbool.h>
#endif

#define PC_S_ANCHORED  0x001 /* seq0 is known (plain TCP) */
#define PC_S_COUNTED   0x002 /* pos is a byte counter; never goes back to TCP's numbers */
#define PC_S_LISTENER  0x004 /* put on a listener: a child is born with this and starts anew */
#define PC_S_ACTIVE    0x008
#define PC_S_PASSIVE   0x010
#define PC_S_FIN_OUT   0x020 /* we sent FIN: write_seq is one beyond the data */
#define PC_S_RESET_IN  0x040
#define PC_S_RESET_OUT 0x080
#define PC_S_CLOSED    0x100
#define PC_S_EXISTED   0x200 /* found by the scan: bytes may have moved before us */

#define PC_SEVERAL 0xffffffff

/* Arrivals not yet read: written by sk_data_ready (under the socket's lock), read by the receiving
 * call. A ring of PC_ARRIVALS; head and tail only grow. */
struct pc_arrived {
	__u32 seq; /* TCP: rcv_nxt at that time */
	__u32 pad;
	__u64 time_ns;
};

struct pc_sock {
	__u64 conn;
	__u64 pos[2];  /* end of the last call, by enum pc_dir */
	__u64 told[2]; /* the brain knows of everything before this */
	__u64 skipped_ns
		[2]; /* told < pos: when the latest call that made no record moved its bytes */
	__u64 hole_pos[2];
	__u64 hole_ns[2];     /* when it was noticed */
	__u32 user[2];	      /* task that made the last call; PC_SEVERAL = not always the same */
	__u32 hole_len[2];    /* moved by something we did not see, not yet told */
	__u32 seq0[2];	      /* TCP sequence number of position 0 */
	__u32 provisional[2]; /* bytes left to capture while the scope is unknown */
	__u32 flags;	      /* PC_S_* */
	__u32 scope;	      /* enum pc_scope_state; UNKNOWN: ask again at each use */
	__u32 scope_generation;
	__u32 brain_generation; /* `scope` was decided under */
	__u32 open_generation;	/* OPEN was told to this brain; 0 = never */
	__u32 ended;		/* bit per direction: END was told */
	__u32 tgid;		/* who connected or used it first */
	__u32 begin_left;	/* bytes that the blocked send still had to queue at begin_ns */
	__u64 begin_ns;		/* first byte of the send under way was queued */
	__u64 start_ns, handshake_ns;
	__u64 cgroup;
	__u32 arrived_head, arrived_tail;
	struct pc_arrived arrived[PC_ARRIVALS];
};

#endif
