/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * abi.h: the one contract between the kernel side and the user side.
 *
 * The programs in bpf/ write records into two kinds of rings; the brain reads them, and the core
 * (stream … export) takes nothing else as input. A few records are made in user space (PC_WHO,
 * PC_CLOCK, PC_TICK) so that a record file holds all that the core saw and `replay` runs the very
 * same code. Mapped arrays carry what the brain tells the kernel.
 *
 * Layout: host byte order, natural alignment, no implicit padding (checked by _Static_assert in
 * bpf/ and in src/). A record file carries PC_ABI_VERSION. Times are CLOCK_MONOTONIC nanoseconds
 * (bpf_ktime_get_ns). Positions are 64-bit offsets in one direction of one connection, the first
 * byte of the stream being 0.
 */
#ifndef PARCOURS_ABI_H
#define PARCOURS_ABI_H

#ifdef __bpf__
#include "../../bpf/kernel.h"
#else
#include <linux/types.h>
#endif

#define PC_ABI_VERSION 1

/*
 * Which record. Control ring: OPEN, END, CLOSE, GONE, FORK, EXEC, EXIT, ALIVE, LOOKED, LISTENER. Data rings:
 * DATA, ACKED, RESENT, DNS. Made in user space: WHO, CLOCK, TICK.
 *
 * The brain notes how far the data rings reach, drains the control ring, then drains the data rings
 * up to that mark: so the OPEN of a connection is always read before its DATA. END, CLOSE and GONE
 * may be read before the last DATA; the position in them says what is still to come.
 */
enum pc_kind {
	PC_DATA = 1,
	PC_OPEN, /* a watched process's connect() came about, or a watched connection is used for the first
		    time (again after a new brain) */
	PC_END,	  /* one direction ended: end of stream or an error */
	PC_CLOSE, /* TCP state became CLOSE; reads may still follow */
	PC_GONE,  /* the socket is destroyed: nothing follows */
	PC_FORK,
	PC_EXEC,
	PC_EXIT,
	PC_WHO,	     /* user-made: what the warden found out about a process */
	PC_CLOCK,    /* user-made: wall clock minus CLOCK_MONOTONIC */
	PC_TICK,     /* user-made: time passed without an event (live: after each drain) */
	PC_ACKED,    /* the peer acknowledged what a DATA with PC_F_AWAITED wrote */
	PC_RESENT,   /* a segment was sent again */
	PC_ALIVE,    /* a Unix connection that a look at every descriptor of the host found */
	PC_LOOKED,   /* the end of that look: what it did not find is gone */
	PC_LISTENER, /* what a watched listener turned away, or left waiting */
	PC_DNS,	     /* a datagram between a watched process and a name server */
};

#define PC_KINDS 32 /* room in whatever is counted by kind */

enum pc_dir { PC_RX, PC_TX }; /* as the watched process sees it: RX = bytes it read */

/* Why bytes of a range are not here. Every byte of a connection has exactly one cause. */
enum pc_why {
	PC_WHY_NONE,
	PC_WHY_BUDGET,	  /* longer than the budget of a call; the call's head told the length */
	PC_WHY_DIRECTIVE, /* nothing before a position: the brain said so, or a head before */
	PC_WHY_SENDFILE,  /* sendfile or splice out: no user buffer */
	PC_WHY_IO_URING,  /* moved by an io_uring, or the arguments were not the socket's */
	PC_WHY_COMPAT,	  /* 32-bit call */
	PC_WHY_MMSG,	  /* sendmmsg/recvmmsg with several messages on a stream */
	PC_WHY_ZEROCOPY,  /* MSG_ZEROCOPY, TCP_ZEROCOPY_RECEIVE */
	PC_WHY_NO_BUFFER, /* read without a buffer of the call: splice into a pipe,
			     TCP_ZEROCOPY_RECEIVE, an urgent byte that a read passes over */
	PC_WHY_TRUNC,	  /* MSG_TRUNC: taken off the queue, never copied */
	PC_WHY_FAULT,	  /* the user page was not there when we read it */
	PC_WHY_KERNEL,	  /* a kernel thread moved the bytes (NFS, ksmbd, kTLS …) */
	PC_WHY_CALL,	  /* a system call that we do not know */
	PC_WHY_RING,	  /* user-made: no room in the ring (a hole between two positions) */
	PC_WHY_BEFORE,	  /* user-made: before we joined the connection */
	PC_WHY_BUFFER,	  /* user-made: a bound of the user side (window, memory) */
	PC_WHY_SHUTDOWN,  /* user-made: the agent ended first */
	PC_WHY_MALFORMED, /* user-made: the bytes are here but are no message */
	PC_WHY_MAX
};

/* First 16 bytes of every record. `size` counts the whole record, this head included. */
struct pc_head {
	__u16 kind;
	__u16 flags; /* PC_F_* */
	__u32 size;
	__u64 time_ns;
};

#define PC_F_UNCERTAIN 0x0001 /* start of range != last end: two threads at once */
#define PC_F_COUNTED   0x0002 /* position from a byte counter, not from TCP's own numbers */
#define PC_F_JOINED    0x0004 /* OPEN: the connection was in use before we saw it */
#define PC_F_ACTIVE    0x0008 /* OPEN: this end called connect() */
#define PC_F_PASSIVE   0x0010 /* OPEN: this end was accepted from a listener */
			      /* neither: unknown, told as if passive. tx_isn is always the sequence
				 number of byte 0 less one; so if this end did connect, tx positions
				 are one too high (its SYN was acknowledged) and tx_isn one too low */
#define PC_F_RESET_IN  0x0020 /* CLOSE: the peer sent a reset */
#define PC_F_RESET_OUT 0x0040 /* CLOSE: we sent a reset */
#define PC_F_REFUSED   0x0080 /* CLOSE: connect() never succeeded */
#define PC_F_PROVISIONAL                                                                           \
	0x0100		    /* DATA, OPEN, FORK, EXEC: scope unknown yet (exe to be looked at) */
#define PC_F_FIRST   0x0200 /* DATA: first piece of its call */
#define PC_F_LAST    0x0400 /* DATA: last piece of its call */
#define PC_F_BLOCKED 0x0800 /* DATA, tx: may have blocked inside the call, begin_ns unknown */
#define PC_F_AWAITED 0x1000 /* DATA, tx: not all acknowledged yet; ACKED will tell when */
#define PC_F_ARRIVED 0x2000 /* DATA, tx: all acknowledged before the call returned */
#define PC_F_AT_MOST 0x4000 /* ACKED: it was acknowledged then or earlier */
#define PC_F_LOST    0x8000 /* TICK: records found no room before what follows was written */
/* Of CLOSE alone: what DATA has these bits for says nothing there. */
#define PC_F_UNSENT                                                                                \
	0x0200 /* REFUSED: no SYN left the host (no free port …), the errno is unobserved */
#define PC_F_IN_VAIN	0x0800 /* reset before an octet moved; REFUSED does not say so too */
#define PC_F_UNACCEPTED 0x0400 /* passive: nobody had accepted it */

/*
 * DATA: the range [pos, pos + len) moved in one direction. The bytes of [pos, pos + captured)
 * follow; the rest is absent because of `why`. One call makes one or more records (pieces) that
 * partition its range in ascending order: head of the call up to the budget in pieces of at most
 * PC_PIECE bytes, then small vectors and the tail (PC_TAIL), where chunk framing sits. Where the head
 * says how long its content is, little of that content comes (bpf/lib/content.h).
 *
 * After the struct: `arrivals` × struct pc_arrival, then the captured bytes; head.size is at least their
 * sum. The first piece of a call carries the arrivals of the whole call.
 */
struct pc_data {
	struct pc_head head; /* time_ns: when the call returned */
	__u64 conn;
	__u64 pos;
	__u64 begin_ns; /* tx: the first byte was queued; 0 = unobserved. rx: 0 */
	__u32 len;
	__u32 captured;
	__u32 tgid;
	__u32 tid;
	__u32 srtt_us; /* 0 = not TCP or no sample yet */
	__u32 retrans; /* total of the connection so far */
	__u8 dir;      /* enum pc_dir */
	__u8 why;      /* enum pc_why of [pos + captured, pos + len) */
	__u8 arrivals; /* rx: pairs that follow, 0..PC_ARRIVALS */
	__u8 pad;
	__u32 unread; /* rx: bytes still in the receive queue; tx: bytes not acknowledged */
};

/* Bytes before `end_pos` (and after the previous pair) had arrived at `time_ns`. Bytes beyond the
 * last pair: arrival unobserved (more than PC_ARRIVALS bursts between two reads). */
struct pc_arrival {
	__u64 end_pos;
	__u64 time_ns;
};

#define PC_ARRIVALS   4
#define PC_PIECE      4096 /* a ring record never carries more */
#define PC_TAIL	      64   /* "\r\n0\r\n\r\n" and short trailers */
#define PC_SMALL      64   /* a vector this small beyond the budget is copied: chunk-size lines */
#define PC_RECORD_MAX (sizeof(struct pc_data) + PC_ARRIVALS * sizeof(struct pc_arrival) + PC_PIECE)

/*
 * A data ring: a mapped array of `bytes` (a power of two) and PC_RING_SLACK behind them, so that a
 * record that begins inside never wraps. `head` and `tail` count bytes since the ring was made. A
 * writer takes room by moving head on, writes the record behind the 8 bytes of its mark, and last of
 * all the mark: a value that only this position has, so what an earlier lap left there is never taken
 * for it. Until the mark stands the reader waits. Rings of our own and not the kernel's, because their
 * commit is an exchange that waits for all that the record wrote, and their reserve a lock.
 */
struct pc_ring {
	__u64 head; /* kernel writes */
	__u64 pad[15];
	__u64 tail; /* brain writes: before this there is room */
	__u64 pad2[15];
};
#define PC_RING_SLACK 12288 /* pages: a record, and what the verifier thinks it could be */

static inline __u64 pc_ring_mark(__u64 pos, __u64 key)
{
	return (pos * 0x9E3779B97F4A7C15ull) ^ key;
}

/* What a record of `size` bytes takes of a ring. */
static inline __u64 pc_ring_need(__u64 size)
{
	return (size + sizeof(__u64) + 7) & ~7ull;
}

/* Do `need` bytes fit? The ends are read one after the other: `tail` may have passed a `head` of before. */
static inline int pc_ring_fits(__u64 head, __u64 tail, __u64 need, __u64 bytes)
{
	return (__s64)(head + need - tail) <= (__s64)bytes;
}

struct pc_addr {
	__u8 ip[16]; /* IPv4 as ::ffff:a.b.c.d */
	__u16 port;  /* host order */
	__u16 pad[3];
};

struct pc_open {
	struct pc_head head;
	__u64 conn;
	__u64 rx_pos, tx_pos; /* where watching starts */
	__u64 peer_conn;      /* Unix: cookie of the peer if it has one, else 0 */
	__u64 cgroup;
	__u64 start_ns;	    /* passive: established; active: SYN sent; 0 = unobserved */
	__u64 handshake_ns; /* active: SYN sent → established. passive: srtt at establishment (an
			       estimate). 0 = unobserved */
	__u32 rx_isn, tx_isn; /* initial sequence numbers; 0/0 where not plain TCP */
	__u32 tgid;
	__u32 uid;
	__u16 family; /* AF_INET, AF_INET6, AF_UNIX */
	__u16 pad;
	__u32 tid; /* active: the thread that connected; 0 = unobserved */
	struct pc_addr local, remote;
};

struct pc_end {
	struct pc_head head;
	__u64 conn;
	__u64 pos;   /* of the direction that ended */
	__s32 error; /* 0 = orderly end; otherwise the errno of the call, positive */
	__u32 tgid;
	__u8 dir;
	__u8 pad[7];
};

/* CLOSE and GONE. A CLOSE may come in the middle of a call: its positions are those that calls had told by
 * then. After it the numbers of TCP are no longer the connection's (a disconnect resets them): GONE has
 * neither acked nor unread. */
struct pc_close {
	struct pc_head head;
	__u64 conn;
	__u64 rx_pos, tx_pos; /* what the application had read and written */
	__u64 acked;	      /* of what it had written, acknowledged by the peer */
	__u32 unread;	      /* arrived, never read */
	__u32 srtt_us;
	__u32 min_rtt_us;
	__u32 retrans;
	__s32 error; /* sk_err */
	__u32 pad;
};

/*
 * ACKED: the peer's TCP has every byte before `pos`, the end of the latest DATA with PC_F_AWAITED (two
 * such before the first is acknowledged: one ACKED, for the later). RESENT: a segment that begins at
 * `pos` was sent again; `segments` more than the last one told of, `retrans` in all.
 */
struct pc_sent {
	struct pc_head head;
	__u64 conn;
	__u64 pos;
	__u32 segments;
	__u32 retrans;
};

/* ALIVE and LOOKED (conn 0). Nothing tells of the end of a Unix socket that nobody reads to its end, so
 * from time to time all descriptors of the host are looked at. A look that lost an ALIVE has no LOOKED. */
struct pc_alive {
	struct pc_head head;
	__u64 conn;
	__u64 since_ns; /* when the look began */
};

/*
 * LISTENER: what became of attempts to reach a watched listener that no connection tells of. Told by a look
 * once a second, when there is news: `turned` attempts were turned away since it was told last, or nobody
 * accepted what waits since a look before (then every PC_STILL_LOOKS looks, and once when somebody does).
 * A client that gets no answer asks again, so attempts are more than clients.
 */
struct pc_listener {
	struct pc_head
		head; /* PC_F_REFUSED: nobody listens any more, and SYNs were answered by resets;
				otherwise it dropped them: a queue was full, or (seldom) no memory */
	__u64 conn;   /* the listener's own cookie */
	__u64 turned;
	__u64 still_ns; /* the accept queue has stood still since then or longer; 0 = it moves, or is empty */
	__u32 waiting; /* established, in its accept queue now */
	__u32 backlog; /* so many may wait, and one more */
	__u32 tgid;    /* who called listen(), or had it when the agent came */
	__u16 family;
	__u16 pad;
	struct pc_addr local;
};
#define PC_STILL_LOOKS 10

/*
 * DNS: a watched process sent a datagram to port 53 (dir TX), or took one from there (RX), or learned that this
 * failed (`error`). After the struct its first `captured` octets, PC_DNS_BYTES at most; 0 = they could not be had.
 * Of a sendmmsg of several the first two are told, each perhaps twice. Not of a process that answers on port
 * 53 itself: what it asks is what others want to know.
 */
struct pc_dns {
	struct pc_head head;
	__u32 tgid;
	__u32 tid;
	__u32 captured;
	__u32 error; /* errno of the call */
	__u8 dir;    /* enum pc_dir */
	__u8 pad;
	__u16 family;
	__u32 pad2;
	struct pc_addr local, remote; /* RX of a socket that is not connected: remote is all zero */
};
#define PC_DNS_PORT  53
#define PC_DNS_BYTES 512 /* RFC 1035, 2.3.4; what EDNS adds comes behind the question */

#define PC_COMM 16
#define PC_PATH 256

struct pc_process {
	struct pc_head head; /* FORK: of the child; EXEC; EXIT */
	__u64 start_ns;	     /* task start_boottime: with tgid the identity of a process */
	__u64 cgroup;
	__u32 tgid;
	__u32 parent;
	__s32 exit_code;
	__u32 uid;
	char comm[PC_COMM];
	char file[PC_PATH]; /* EXEC: bprm->filename, as given to execve; else empty */
};

/* WHO: the warden's answer; strings end with NUL, empty = not found out. */
struct pc_who {
	struct pc_head head;
	__u64 start_ns;
	__u32 tgid;
	__u32 uid;
	char comm[PC_COMM];
	char exe[PC_PATH];    /* target of /proc/PID/exe */
	char service[128];    /* see src/agent/look.c for how it is derived */
	char container[72];   /* 64 hexadecimal digits */
	char unit[128];	      /* systemd unit */
	char cgroup[PC_PATH]; /* path below the cgroup2 mount */
	char args[PC_PATH];   /* empty: arguments may hold secrets, so the warden keeps them */
};

struct pc_clock {
	struct pc_head head;
	__s64 wall_minus_mono_ns;
};

/* ---- mapped arrays ---- */

/* Brain → kernel, direct-mapped cache keyed by connection. Written id-last; a collision costs only
 * bandwidth. A call whose range ends before `until` makes no record; the one that reaches it does
 * (its time is that of the last byte), first a piece without bytes up to `until` (PC_WHY_DIRECTIVE),
 * then the rest. until = PC_NEVER in both directions means "not ours": the kernel remembers that in
 * its own storage. */
struct pc_directive {
	__u64 conn;
	__u64 until[2]; /* by enum pc_dir */
	__u32 budget
		[2]; /* bytes a call from there on (0 = the default of pc_control), and PC_BUDGET_* */
};
#define PC_BUDGET_BYTES 0x3fffffff
/* The kernel reads the length of contents by itself (bpf/lib/content.h) and leaves out what nobody wants.
 * Here: the content that moves is wanted; that of the message that begins at `until` is not. Neither: what
 * pc_control.contents says. */
#define PC_BUDGET_CONTENT 0x80000000u
#define PC_BUDGET_LEAVE	  0x40000000u
#define PC_NEVER	  (~(__u64)0)
#define PC_DIRECTIVES	  16384 /* × 32 bytes = 512 KiB; 10,000 busy connections collide rarely */

static inline __u32 pc_slot(__u64 conn)
{
	return (__u32)((conn * 0x9E3779B97F4A7C15ull) >> 50); /* 64 - 14 bits */
}

/* Two bits a process in the map pc_procs; a process that nobody spoke of is NO. */
enum pc_scope_state {
	PC_SCOPE_NO,
	PC_SCOPE_YES,
	PC_SCOPE_UNKNOWN, /* captured with a small budget until the warden has looked */
	PC_SCOPE_PINNED,  /* YES by --pid: an exec does not ask again */
};
#define PC_PIDS (4 * 1024 * 1024) /* the kernel's own limit of pid_max on 64 bits */

#define PC_SCOPE_BY_PROCESS  0x1 /* --pid, --exe: procs map decides, unknown = provisional */
#define PC_SCOPE_BY_PORT     0x2
#define PC_SCOPE_BY_CGROUP   0x4
#define PC_SCOPE_BY_LISTENER 0x8  /* default: who listens on TCP or serves, and what they call */
#define PC_SCOPE_EXEC_ASKS   0x10 /* not a kind: --exe, an exec makes a process UNKNOWN */
#define PC_CGROUPS	     8

/* Which writes wait for their acknowledgement. Each step costs more, see lib/sent.h. */
enum pc_acknowledge {
	PC_ACKNOWLEDGE_NONE,
	PC_ACKNOWLEDGE_COUNT, /* none, but those that would are counted (pc_counters.awaited) */
	PC_ACKNOWLEDGE_FAR,   /* those to a distant or slow peer */
	PC_ACKNOWLEDGE_ALL,
};

/* Warden → kernel and brain → kernel, one entry. Kinds are AND, values of one kind are OR. */
struct pc_control {
	__u32 scope_generation; /* a change makes sockets decide again */
	__u32 brain_generation; /* a change makes OPEN be told again */
	__u32 scope_kinds;	/* PC_SCOPE_BY_* */
	__u32 cgroups;
	__u64 cgroup_id[PC_CGROUPS];
	__u32 cgroup_level[PC_CGROUPS];
	__u32 budget[2];	       /* bytes captured of a call, by enum pc_dir */
	__u32 provisional_bytes;       /* a direction, while the scope is unknown */
	__u32 sample_shift;	       /* governor's seam: 0 = every connection */
	__u32 warden_tgid, brain_tgid; /* never watched */
	__u32 acknowledge;	       /* enum pc_acknowledge */
	__u32 contents; /* PC_CONTENTS_*: of some messages they are wanted, so none is left out unasked */
};
#define PC_CONTENTS_REQUESTS  0x1
#define PC_CONTENTS_RESPONSES 0x2
#define PC_BUDGET	      65536 /* a head of 64 KiB in one call */

/* Kernel → brain: one slot a CPU, cache-line apart, added atomically, read without a call.
 * submitted[] + lost[] by kind; the brain's own count of what it read makes the sum. */
struct pc_counters {
	__u64 submitted[PC_KINDS]; /* by enum pc_kind */
	__u64 lost[PC_KINDS];	   /* reserve failed, by enum pc_kind */
	__u64 lost_bytes;	   /* of DATA that found no room */
	__u64 why[16];		   /* ranges by enum pc_why (never RING and after) */
	__u64 why_bytes[16];
	__u64 sockets_refused; /* no memory for socket storage, table full */
	__u64 uncertain;
	__u64 sampled_out; /* connections left out by sample_shift */
	__u64 blocked;	   /* sends that may have waited, first byte unobserved */
	__u64 unwoken;	   /* the kernel's own: bytes since the reader was last woken */
	__u64 awaited;	   /* writes to a distant or slow peer: worth an acknowledgement */
	__u64 pad;
};
#define PC_CPUS 128 /* slots; CPU n uses slot n % PC_CPUS */

#endif
