/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * state.h: what the kernel side remembers of one socket. The socket source keeps it in socket
 * storage (freed with the socket), the syscall source in a hash keyed by the cookie.
 *
 * Fields of the two directions stand apart and are written by the call of that direction only (but for
 * `content`, which a call of the other one ends), so a reader and a writer thread do not disturb each
 * other. Two tasks that write at once take turns (`turn`, socket.h): what one finds missing is what the
 * other is about to tell, and both have to see the same account of it. Positions do not depend on this
 * state for plain TCP: `seq0` never changes and the rest comes from TCP's own numbers.
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
#define PC_S_LEFT      0x400 /* Unix: a look found the other end closed */
#define PC_S_IN_VAIN   0x800 /* no octet moved in it, and it is told all the same */

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
	__u64 skipped_pos[2]; /* and the end of that call */
	__u64 closed_pos
		[2]; /* what TCP counted when the connection closed, told by a call or not */
	__u64 content
		[2]; /* content of known length reaches to here; not wanted before that (content.h) */
	__u64 hole_pos[2];
	__u64 hole_ns[2];     /* when it was noticed */
	__u32 user[2];	      /* task that made the last call; PC_SEVERAL = not always the same */
	__u32 turn[2];	      /* of several tasks one at a time finds its place and tells of it */
	__u32 hole_len[2];    /* moved by something we did not see, not yet told */
	__u32 keep[2];	      /* of what the latest call moved: content.h */
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
	__u64 awaited; /* end of the write whose acknowledgement is waited for; 0 = none */
	__u32 resent;  /* segments sent again that were told of */
	union {
		__u32 looked; /* Unix: the latest look that found it */
		__u32 tid;    /* TCP, active: the thread that connected */
	};
	__u32 arrived_head, arrived_tail;
	struct pc_arrived arrived[PC_ARRIVALS];
};

/* A listener in scope. Written by listen(), the scan and the look. */
struct pc_door {
	__u64 conn;
	__u64 first; /* who waits first in its accept queue, as the latest look found; 0 = nobody */
	__u64 still_ns; /* when the first look found it so */
	__u32 still;	/* looks after that */
	__u32 drops;	/* of the kernel's count, told of */
	__u32 tgid;
	__u32 scope_generation;
	__u32 undecided; /* the scope of its process is unknown yet */
	__u32 pad;
};

/* A port that a listener in scope had, and where nobody listens any more as far as we know. */
struct pc_shut_key {
	__u32 netns; /* inode number */
	__u16 port;
	__u16 pad;
};

struct pc_shut {
	__u64 conn; /* of the listener */
	__u64 refused, told;
	__u8 ip[16]; /* its address, as in struct pc_addr */
	__u32 tgid;
	__u32 family;
};

#endif
