/* SPDX-License-Identifier: Apache-2.0 */
/*
 * internal.h: what the files of this folder share.
 *
 *   pair.c     proto's calls → open transactions, paired by number
 *   head.c     heads → the fields of a transaction
 *   finish.c   an open transaction → outcome, times, process → the sink
 *   sent.c     what became of a response after it was written
 *   held.c     over, but too early for the next stage
 *   attempt.c  connections that came to nothing, and for which request
 *   reading.c  contents → the values that somebody wants of them
 *   txn.c      life of the stage, memory and eviction
 *
 * An open transaction lives in its own arena, itself included, so closing it is giving a block back.
 * A connection has its transactions in a list by number; the stage has all of them in two lists by
 * age, one of a value each, for eviction.
 */
#ifndef PC_TXN_INTERNAL_H
#define PC_TXN_INTERNAL_H

#include "base/arena.h"
#include "base/list.h"
#include "base/table.h"
#include "txn/body/body.h"
#include "txn/fields.h"
#include "txn/target/template.h"
#include "txn/txn.h"

#define NO_NUMBER (~0ull) /* a response without a request */

/* One end of a message in time. begin_ns: the byte began to move; for what was written the call's
 * start where known, otherwise its end, and 0 when the call may have blocked. */
struct instant {
	uint64_t begin_ns, time_ns, arrival_ns;
	uint32_t tgid, tid;
	bool awaited, arrived; /* as in struct moment */
};

struct message_state {
	bool done;
	enum message_outcome outcome;
	enum pc_why why;
	int error;
	bool size_known;
	struct instant first, last;
	uint64_t last_pos; /* the octet that `last` is of */
};

struct open_txn {
	struct transaction t;
	struct arena arena;		/* holds this struct too */
	struct txn_conn *conn;		/* NULL: held, and on no list but that */
	struct open_txn *next;		/* on the connection */
	struct open_txn *older, *newer; /* in txn.age[value] */
	uint64_t number;		/* n-th request head of the connection, or NO_NUMBER */
	unsigned value;
	bool counted; /* active(+1) was said */
	struct message_state request, response;
	struct instant before; /* last byte of the previous response */
	struct list
		waiting; /* in txn.waiting: for the acknowledgement of its response; or in txn.held */
	uint64_t held_ns;		      /* since when */
	uint64_t acknowledged_ns, at_most_ns; /* its last byte; 0 = not */
	bool tunnel_hidden[2];		      /* the latest bytes of the tunnel have no time */
	struct content
		*content[2]; /* of request and response, where somebody wants something of it */
};

#define ACKS_KEPT   2
#define RESENT_KEPT 4

struct txn_conn {
	uint64_t id; /* key of the table */
	struct connection *c;
	enum side side;
	struct open_txn *first, *last;
	struct open_txn *request;  /* whose request is being delivered; NULL also when given up */
	struct open_txn *response; /* likewise */
	bool in_response;	   /* between a response head and its end */
	uint64_t requests, responses; /* heads delivered, or passed over */
	uint32_t ordinal;
	struct instant last_response;
	uint32_t head_tid; /* of the latest request */
	struct open_txn *tunnel;
	uint64_t tunnel_pos[2];
	/* By enum pc_dir: bytes since the last head are in no message; why any are missing. */
	bool lost[2];
	enum pc_why lost_why[2];
	/* What was told of a response before its bytes were: the latest acknowledgements, and segments
	 * that were sent again. */
	struct sent acked[ACKS_KEPT];
	uint32_t acks; /* ever */
	struct {
		uint64_t pos;
		uint32_t segments;
	} resent[RESENT_KEPT];
	uint32_t resents;	  /* kept */
	uint64_t resent_lost_pos; /* below it one may have been dropped; 0 = none was */
};

/* What eviction takes first: what only waits for its acknowledgement, then requests that still arrive (nobody was answered yet; a flood of
 * half-sent requests is the usual reason for being here), then everything else by age. */
enum { VALUE_HALF, VALUE_WHOLE, VALUES };

struct age_list {
	struct open_txn *oldest, *newest;
};

struct txn {
	struct txn_limits limits;
	struct txn_sink sink;
	struct txn_witness witness; /* head == NULL: nobody looks */
	struct txn_reader reader;
	struct bodies *bodies;
	struct stream *stream;
	struct arena_pool pool;
	struct table *conns;
	struct process_table *processes;
	struct template_set *templates;
	struct attempts *attempts;
	struct field_index fields;
	struct age_list age[VALUES];
	struct list waiting; /* transactions that are over but for the acknowledgement, in order */
	struct list held;    /* and those of held.c */
	uint64_t now_ns;     /* of the latest tick */
	struct txn_stats stats;
	int64_t wall_minus_mono_ns;
};

/* txn.c */
/* A new open transaction, evicting others where it must; NULL: refused, counted as unobserved. */
struct open_txn *txn_add(struct txn *x, struct txn_conn *conn, uint64_t number);
void txn_refuse(struct txn *x);
void txn_set_value(struct txn *x, struct open_txn *o, unsigned value);
/* Makes room: hands out one transaction that is not `keep` as unobserved. false: there is none. */
bool txn_evict(struct txn *x, const struct open_txn *keep);
/* Whatever of it has not ended is unobserved from here on, for want of memory. */
void txn_give_up(struct open_txn *o);
/* From its connection and from what eviction looks at. */
void txn_detach(struct txn *x, struct open_txn *o);
/* Takes it from all lists and frees it. */
void txn_remove(struct txn *x, struct open_txn *o);

/* finish.c */
/* It is over: hands it out, or holds it. */
void finish(struct txn *x, struct open_txn *o);
/* … to the sink; then its memory goes back. */
void hand_out(struct txn *x, struct open_txn *o);
void say_begin(struct txn *x, struct open_txn *o);
void say_answered(struct txn *x, struct open_txn *o);
void say_active(struct txn *x, struct open_txn *o, int delta);

static inline enum pc_dir request_dir(enum side side)
{
	return side == SIDE_SERVER ? PC_RX : PC_TX;
}

static inline enum pc_dir response_dir(enum side side)
{
	return side == SIDE_SERVER ? PC_TX : PC_RX;
}

/* sent.c */
/* Both messages have ended: hands the transaction out, or lets it wait for its acknowledgement. */
void settle(struct txn *x, struct open_txn *o);
void sent_tick(struct txn *x, uint64_t now_ns);
void sent_told(struct txn *x, struct txn_conn *conn, const struct sent *sent);
/* What is known when it is handed out. */
void sent_set(struct open_txn *o);

/* held.c */
/* Held, if it comes too early. */
bool held_take(struct txn *x, struct open_txn *o);
void held_tick(struct txn *x, uint64_t now_ns);
bool held_give(struct txn *x); /* hands out the oldest; false: there is none */

/* attempt.c */
int attempts_new(struct txn *x, struct attempts **ret);
void attempts_free(struct attempts *s);
/* A connection has ended, or its handshake (tls, at when_ns): is it one that came to nothing? */
void attempt_over(struct txn *x, const struct connection *c, const struct handshake *tls,
		  uint64_t when_ns);
void attempt_made(struct txn *x, const struct connection *c);
void attempt_named(struct txn *x, const struct connection *c, struct slice host);
void attempt_learn(struct txn *x, const struct transaction *t);
/* The response has ended: what was attempted for it is known by now. */
void attempt_claim(struct txn *x, struct open_txn *o);
void attempt_hand_out(struct txn *x, struct open_txn *o); /* right before the sink gets it */
void attempt_release(struct txn *x, struct open_txn *o);  /* and after */
void attempt_listener(struct txn *x, const struct pc_listener *rec);
void attempt_dns(struct txn *x, const struct pc_dns *rec);
void attempt_exit(struct txn *x, const struct pc_process *rec);
void attempt_lost(struct txn *x); /* records found no room */
void attempt_stats(const struct txn *x, struct txn_stats *ret);
void attempt_tick(struct txn *x, uint64_t now_ns);
void attempt_finish(struct txn *x);

/* reading.c */
/* A head was copied: what proto is answered (WANT_*), asked for right after say_begin. */
unsigned reading_begin(struct txn *x, struct open_txn *o, const struct head *h, bool request);
bool reading_push(struct open_txn *o, bool request, const struct range *r); /* false: no more */
void reading_end(struct open_txn *o, bool request, bool whole);
void reading_release(struct open_txn *o); /* before its arena goes */

static inline bool is_read(const struct txn *x)
{
	return x->reader.contents | x->witness.contents;
}

/* Somebody wants something of it: nearly always nobody does. */
static inline bool has_content(const struct open_txn *o)
{
	return o->content[0] || o->content[1];
}

/* head.c */
/* Copies what is wanted of a head; -ENOMEM: the arena is full. */
int head_request(struct txn *x, struct open_txn *o, const struct head *h);
int head_response(struct txn *x, struct open_txn *o, const struct head *h);

#endif
