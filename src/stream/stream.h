/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h: records of one host → bytes of each connection and direction, in order, holes explicit.
 *
 * Input: every record of abi.h, in the order in which it was read (which is not causal order).
 * Output: struct stream_sink. This stage knows nothing of protocols. It owns the connections; later
 * stages hang their state on connection.proto and connection.txn and are told when to let go.
 *
 * Order: within a direction ranges are handed out strictly by position, without overlap, without
 * omission: what was not captured comes as a range without bytes. Between the directions and between
 * connections there is no order. Time is the largest time seen in any record (live: TICK).
 *
 * One thread. Nothing is allocated per record in the steady state.
 */
#ifndef PC_STREAM_STREAM_H
#define PC_STREAM_STREAM_H

#include "base/slice.h"
#include "parcours/abi.h"

/* When and by whom a byte was moved. Times are CLOCK_MONOTONIC ns; 0 = unobserved. */
struct moment {
	uint64_t time_ns;    /* the call that moved it returned */
	uint64_t begin_ns;   /* tx: the call's first byte was queued */
	uint64_t arrival_ns; /* rx: it had arrived at the socket */
	uint32_t tgid, tid;
	uint32_t srtt_us, retrans;
	bool blocked; /* tx: begin_ns is 0 because the call may have blocked: only its end is known */
	bool awaited;	 /* tx: sink.sent tells when it was acknowledged */
	bool arrived;	 /* tx: acknowledged before the call returned */
	bool uncertain;	 /* position or time not certain: two threads at once, or merged calls */
	bool call_start; /* byte `from` is the first of its call (PC_F_FIRST) */
	uint64_t from,
		to; /* the piece that holds the position: these facts are true of all of it */
};

/* A piece of one direction: [pos, pos + len). The first bytes.len bytes are here, the rest is absent
 * because of `why`. bytes.len == len: whole. bytes.len == 0: a hole. */
struct range {
	uint64_t pos;
	uint64_t len;
	struct slice bytes; /* valid during the call only */
	enum pc_why why;
};

/* What became of bytes that were written. */
struct sent {
	uint64_t pos;	  /* everything before it is acknowledged; again: the segment begins here */
	uint64_t time_ns; /* when that was seen */
	uint32_t again;	  /* segments sent again; 0: this is an acknowledgement */
	bool at_most;	  /* it was acknowledged then or earlier */
};

/* Facts of a connection. Owned by stream; valid from open to close. Times as in moment. */
struct connection {
	uint64_t id; /* socket cookie; key, must be first */
	uint16_t family;
	uint16_t flags; /* PC_F_* of the OPEN; what CLOSE has of its own is added */
	bool opened;	/* an OPEN was seen (lost OPEN: addresses are unobserved) */
	bool ended[2];	/* by enum pc_dir: end delivered */
	bool told
		[2]; /* an END told it (end of stream read, or an error); else CLOSE or GONE implied it */
	int error
		[2]; /* errno of the end, 0 = orderly or none; of CLOSE's sk_err where no END came */
	uint64_t end_ns[2]; /* time of that END, CLOSE or GONE; 0 = none */
	struct pc_addr local, remote;
	/* Who is behind the peer, as its PROXY protocol line says; set by the protocol stage before
	 * the first message. All zero: it said nothing. Only as true as the peer. */
	struct pc_addr source;
	uint32_t isn[2]; /* by enum pc_dir; 0 and 0 = none */
	uint64_t peer_id;
	uint64_t start_ns, handshake_ns;
	uint32_t tgid; /* who used it first */
	uint32_t tid;  /* PC_F_ACTIVE: the thread that connected; 0 = unobserved */
	uint64_t cgroup;
	uint32_t srtt_us, min_rtt_us, retrans; /* the latest seen */
	uint64_t final_pos[2];		       /* PC_NEVER until CLOSE or GONE said it */
	uint32_t unread;
	uint64_t acked_pos, closed_ns; /* what CLOSE said was acknowledged, and when; 0 = nothing */
	uint64_t pos[2];	       /* next position to hand out */
	uint64_t start[2];	       /* position at which watching started */
	void *proto;		       /* state of the protocol stage */
	void *txn;		       /* state of the transaction stage */
};

enum stream_close_reason {
	STREAM_CLOSE_GONE,     /* all there is has been handed out */
	STREAM_CLOSE_IDLE,     /* Unix, or no OPEN was seen: nothing for limits.idle_ns */
	STREAM_CLOSE_EVICTED,  /* our limit */
	STREAM_CLOSE_SHUTDOWN, /* stream_flush: the agent ends */
};

struct stream_sink {
	void *ctx;
	void (*open)(void *ctx, struct connection *c);
	/*
	 * Returns how many bytes of the range were taken, 0..len. What was not taken is kept (bounded
	 * by limits.buffer_bytes) and offered again, longer, when more has come, or after stream_kick.
	 * Present bytes that lie together are offered as one slice, so a head in many pieces needs no
	 * reassembly downstream. When the bound is reached, or nothing more can come, the kept bytes
	 * are offered once more with `last` set: what is not taken then is dropped and comes at once
	 * as a range without bytes, PC_WHY_BUFFER (absent bytes keep their cause), also with `last`:
	 * that one is gone whatever is returned. So the taken bytes of all calls add up to the stream.
	 */
	uint64_t (*range)(void *ctx, struct connection *c, enum pc_dir d, const struct range *r,
			  bool last);
	/* No more bytes will come in this direction. After all its ranges. error: errno or 0. Comes
	 * before close(GONE); when we stop looking (IDLE, EVICTED, SHUTDOWN) a direction that did not
	 * end gets none. */
	void (*end)(void *ctx, struct connection *c, enum pc_dir d, int error);
	void (*close)(void *ctx, struct connection *c, enum stream_close_reason why);
	/* FORK, EXEC, EXIT, WHO, CLOCK, LISTENER, DNS pass through, in place. */
	void (*record)(void *ctx, const struct pc_head *rec);
	/* The brain's directive for the kernel; may be NULL (replay). */
	void (*direct)(void *ctx, const struct pc_directive *d);
	/* May come before the range that it is about. May be NULL. */
	void (*sent)(void *ctx, struct connection *c, const struct sent *sent);
	/* Something is missing in a direction and what was read after it waits, for limits.reorder_ns at most:
	 * what this connection is told to do lags behind the others. May be NULL. */
	void (*gap)(void *ctx, struct connection *c, enum pc_dir d);
};

struct stream_limits {
	uint32_t connections; /* 65,536 */
	size_t buffer_bytes; /* a direction: 64 KiB of head and what is read along with it: 132 KiB */
	size_t total_bytes;  /* all buffers together: 16 MiB */
	uint32_t pending;    /* ranges out of order, a direction: 64 */
	uint64_t reorder_ns; /* a missing range is declared a hole after this: 200 ms */
	uint64_t grace_ns;   /* after CLOSE without GONE; an end whose bytes nobody takes: 1 s */
	uint64_t idle_ns;    /* connections whose end may never be told: 10 min */
};

struct stream_stats {
	uint64_t records[PC_KINDS]; /* by enum pc_kind, as read */
	uint64_t opened, closed, evicted, joined;
	uint64_t refused;		 /* connections for which there was no memory */
	uint64_t malformed;		 /* records that contradict abi.h: dropped */
	uint64_t bytes[2];		 /* handed out as taken, present or absent, by direction */
	uint64_t hole_bytes[PC_WHY_MAX]; /* of them absent, by cause */
	uint64_t holes[PC_WHY_MAX];
	uint64_t duplicate_bytes; /* came twice (overlap), dropped */
	uint64_t late_bytes;	  /* came after their place was declared a hole, dropped */
	uint64_t after_end_bytes; /* moved after the end of their direction, dropped */
	uint64_t ignored;	  /* connections that the reader did not want */
	uint64_t ignored_bytes;	  /* of them, that came nevertheless */
	uint64_t uncertain;
	uint32_t connections;  /* now */
	size_t buffered_bytes; /* now */
};

struct stream;

int stream_new(const struct stream_limits *limits, const struct stream_sink *sink,
	       struct stream **ret);
void stream_free(struct stream *s); /* does not flush */
/* One record, checked against its size before use: bytes may come from a file. Never fails: what is
 * wrong is counted. */
void stream_push(struct stream *s, const struct pc_head *rec);
void stream_tick(struct stream *s, uint64_t now_ns);
/* The agent ends: hand out what is held, close everything. */
void stream_flush(struct stream *s);
void stream_stats(const struct stream *s, struct stream_stats *ret);
uint64_t stream_now_ns(const struct stream *s);

/* For the sink, during its callbacks or between pushes. */

/* When was the byte at `pos` moved? Answers for the range being offered and what is kept.
 * false: unobserved (a hole), *ret is cleared. */
bool stream_moment(struct stream *s, const struct connection *c, enum pc_dir d, uint64_t pos,
		   struct moment *ret);
/* The same of the time alone: a write counts from its begin where that is known. 0: unobserved or
 * uncertain. */
uint64_t stream_when(struct stream *s, const struct connection *c, enum pc_dir d, uint64_t pos);
/* Bytes before `pos` need not be captured (a body whose length is known). Ranges still come, without
 * bytes. Becomes a directive. budget: bytes a call from there on, 0 = default, and PC_BUDGET_* of abi.h. */
void stream_skip_to(struct stream *s, struct connection *c, enum pc_dir d, uint64_t pos,
		    uint32_t budget);
/* This connection is of no interest: directive PC_NEVER, buffers freed, no more ranges. */
void stream_ignore(struct stream *s, struct connection *c);
/* Offer what is kept in this direction again (its reader was waiting for the other one). Safe inside
 * a callback: it happens after the callback returned. */
void stream_kick(struct stream *s, struct connection *c, enum pc_dir d);

#endif
