/* SPDX-License-Identifier: Apache-2.0 */
/*
 * internal.h: what the files of this folder share.
 *
 *   pair.c     proto's calls → open transactions, paired by number
 *   head.c     heads → the fields of a transaction
 *   finish.c   an open transaction → outcome, times, process → the sink
 *   txn.c      life of the stage, memory and eviction
 *
 * An open transaction lives in its own arena, itself included, so closing it is giving a block back.
 * A connection has its transactions in a list by number; the stage has all of them in two lists by
 * age, one of a value each, for eviction.
 */
#ifndef PC_TXN_INTERNAL_H
#define PC_TXN_INTERNAL_H

#include "base/arena.h"
#include "base/table.h"
#include "txn/fields.h"
#include "txn/template.h"
#include "txn/txn.h"

#define NO_NUMBER (~0ull) /* a response without a request */

/* One end of a message in time. begin_ns: the byte began to move; for what was written the call's
 * start where known, otherwise its end, and 0 when the call may have blocked. */
struct instant {
	uint64_t begin_ns, time_ns, arrival_ns;
	uint32_t tgid, tid;
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
	struct arena arena; /* holds this struct too */
	struct txn_conn *conn;
	struct open_txn *next;		/* on the connection */
	struct open_txn *older, *newer; /* in txn.age[value] */
	uint64_t number;		/* n-th request head of the connection, or NO_NUMBER */
	unsigned value;
	bool counted; /* active(+1) was said */
	struct message_state request, response;
	struct instant before; /* last byte of the previous response */
	bool tunnel_hidden[2]; /* the latest bytes of the tunnel have no time */
};

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
	struct open_txn *tunnel;
	uint64_t tunnel_pos[2];
	/* By enum pc_dir: bytes since the last head are in no message; why any are missing. */
	bool lost[2];
	enum pc_why lost_why[2];
};

/* What eviction takes first: requests that still arrive (nobody was answered yet; a flood of
 * half-sent requests is the usual reason for being here), then everything else by age. */
enum { VALUE_HALF, VALUE_WHOLE, VALUES };

struct age_list {
	struct open_txn *oldest, *newest;
};

struct txn {
	struct txn_limits limits;
	struct txn_sink sink;
	struct stream *stream;
	struct arena_pool pool;
	struct table *conns;
	struct process_table *processes;
	struct template_set *templates;
	struct field_index fields;
	struct age_list age[VALUES];
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
/* Takes it from all lists and frees it. */
void txn_remove(struct txn *x, struct open_txn *o);

/* finish.c */
/* Hands a transaction out, then frees it. */
void finish(struct txn *x, struct open_txn *o);
void say_active(struct txn *x, struct open_txn *o, int delta);

static inline enum pc_dir request_dir(enum side side)
{
	return side == SIDE_SERVER ? PC_RX : PC_TX;
}

static inline enum pc_dir response_dir(enum side side)
{
	return side == SIDE_SERVER ? PC_TX : PC_RX;
}

/* head.c */
/* Copies what is wanted of a head; -ENOMEM: the arena is full. */
int head_request(struct txn *x, struct open_txn *o, const struct head *h);
int head_response(struct txn *x, struct open_txn *o, const struct head *h);

#endif
