/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h: state of the stage and of one connection, shared by the files of this folder only.
 *
 * An HTTP/1 connection has two ways: the direction of requests and that of responses. Each way is a
 * small machine over its bytes (http1.c). Between them stands the queue of requests that wait for a
 * response (http1_pair.c). A way that does not know where a message starts is lost and follows the
 * rules of http1_resync.c.
 *
 * No bytes are kept here: what cannot be used yet is left with the stream, which offers it again. So
 * a connection is one fixed struct from the pool of proto.c. One thread.
 */
#ifndef PC_PROTO_INSIDE_H
#define PC_PROTO_INSIDE_H

#include "proto/http1_head.h"

enum way_state {
	WAY_START,  /* a message starts at the next octet (or empty lines, or a preface do) */
	WAY_LENGTH, /* content: `left` octets */
	WAY_CHUNK_LINE,
	WAY_CHUNK_DATA, /* `left` octets */
	WAY_CHUNK_END,	/* the line end after the data */
	WAY_TRAILERS,
	WAY_CLOSE, /* content until the connection ends */
	WAY_TUNNEL,
	WAY_LOST, /* looking for a message start */
};

/* way.flags, of the message in progress */
#define MESSAGE_MUTED  0x1  /* parsed for its end only; its octets are told as lost */
#define MESSAGE_ORPHAN 0x2  /* response whose request fell into a hole */
#define LOSS_COUNTED   0x4  /* WAY_LOST: octets were passed over, stats.lost has it */
#define HEAD_BEGUN     0x8  /* WAY_LOST: the last octets passed over began a head */
#define MESSAGE_WANTED 0x10 /* its content is */

/* Some fields mean something else in WAY_LOST (second line). */
struct way {
	/* Position of the message's first octet;
	 * where the way was lost. */
	uint64_t start;
	/* Octets of the content or of the chunk to come;
	 * responses: requests that were passed over since, requests: 1 where it was inside of one. */
	uint64_t left;
	uint64_t content; /* octets of content so far */
	/* Responses: when the first octet was moved;
	 * requests: when the first one that was passed over was, 0: none. */
	uint64_t first_ns;
	uint64_t seen_ns;    /* WAY_LOST: when the octet just before was moved; 0: in a hole */
	uint64_t offered_ns; /* while the other way is lost: the latest time offered here */
	uint32_t scanned;    /* of a head that is not whole yet: searched so far */
	uint32_t
		budget; /* octets a call that the kernel copies (0: its default), and PC_BUDGET_* */
	uint8_t state, flags;
	uint8_t loss; /* enum proto_loss, of WAY_LOST or a muted message */
	uint8_t why;
};

/* A request that waits: time of its first octet << 4 | flags | enum request_class. */
#define REQUEST_CUT 0x4 /* its end was not observed */
#define REQUEST_GAP 0x8 /* others may have been missed after it */
#define QUEUE_FEW   2

struct queue {
	uint64_t few[QUEUE_FEW];
	uint64_t *many; /* ring of `room`, only where requests are pipelined */
	uint16_t first, count, room;
};

#define GIVEN_UP_ANY UINT8_MAX
#define TURNS	     2 /* so many are believed */

struct http1 {
	struct connection *c;
	struct http1 *older, *newer; /* list of those that wait with a deadline */
	uint64_t wait_ns;	     /* since when */
	struct way way[2];	     /* by enum pc_dir */
	struct queue queue;
	/* The latest final response that tells a lost request way where it is (http1_resync.c). */
	uint64_t answer_from_ns, answer_to_ns;
	uint64_t orphan_ns; /* first octet of the latest response that found no request */
	/* The last octet of the response before, or its first where its end was not seen. */
	uint64_t before_ns;
	uint8_t request_dir;
	uint8_t waiting, expired; /* bits 1 << dir */
	/* Responses that waited in vain for requests that may still be told: so many of those that are
	 * older than orphan_ns have been answered. GIVEN_UP_ANY: it cannot be said how many. */
	uint8_t given_up;
	uint8_t turns; /* requests that waited for the end of the response before them; up to TURNS */
	bool orphan_told : 1; /* the latest of them was delivered */
	bool joined : 1;      /* in use before us, and no exchange seen since */
	bool check : 1; /* after a resync: the next response must not be older than its request */
	bool await : 1; /* what follows the newest request depends on its response (CONNECT, Upgrade) */
	bool tunnel : 1;
	bool before_gap : 1; /* its end or the request after it was not seen, or is counted */
	bool pipelined : 1;  /* a request was sent before the response before it had ended */
	bool blind : 1;	     /* a tunnel may have begun unseen: never a message again */
	bool reads : 1;	     /* somebody wants contents of responses, if not of this one */
};

struct proto_conn {
	union {
		const struct protocol *speaks; /* NULL: not known yet */
		struct proto_conn *next_free;
	};
	bool met[2];	       /* octets of this direction were offered: its start is known */
	bool missed[2];	       /* … and something before them was not seen or passed over */
	bool counted[2];       /* … in stats.lost */
	uint8_t missed_why[2]; /* enum pc_why, where a hole was offered */
	bool holed;	       /* octets fell into a hole */
	bool told;	       /* a request or response was delivered */
	uint8_t turns;	       /* how often the other direction took over, while unknown */
	uint8_t turn_dir;
	bool shakes; /* it is TLS, and its handshake is looked at */
	union {
		struct http1 http1;
		struct handshake handshake;
	};
};

struct proto {
	struct proto_limits limits;
	struct proto_sink sink;
	struct proto_stats stats;
	struct stream *stream;
	void *pass_ctx;
	void (*record)(void *ctx, const struct pc_head *rec);
	void (*direct)(void *ctx, const struct pc_directive *d);
	struct proto_conn *free;
	struct slab *slabs;
	struct http1 *oldest, *newest; /* waiting with a deadline, in order of wait_ns */
	struct head_scratch scratch;
};

extern const struct protocol http1_protocol;

static inline struct http1 *http1_of(const struct connection *c)
{
	return &((struct proto_conn *)c->proto)->http1;
}

/* A message is delivered. */
static inline void proto_tell(const struct connection *c)
{
	((struct proto_conn *)c->proto)->told = true;
}

static inline bool is_request(const struct http1 *h, enum pc_dir d)
{
	return d == (enum pc_dir)h->request_dir;
}

static inline enum pc_dir other_dir(enum pc_dir d)
{
	return d == PC_RX ? PC_TX : PC_RX;
}

static inline struct way *request_way(struct http1 *h)
{
	return &h->way[h->request_dir];
}

/* Could waiting bring the octets right behind those that are here? */
static inline bool can_wait(const struct range *r, bool last)
{
	return r->bytes.len == r->len && !last;
}

/* ---- proto.c ---- */

/* Octets that are no part of a message delivered. */
void proto_lose(struct proto *p, struct connection *c, enum pc_dir d, uint64_t pos, uint64_t bytes,
		enum proto_loss loss, enum pc_why why);
/* First octets of a direction: notes whether the stream began before them. */
void proto_meet(struct connection *c, enum pc_dir d);
bool proto_is_joined(const struct connection *c, enum pc_dir d);

/* ---- http1.c ---- */

/* Octets of the message in progress are taken. */
void http1_account(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t pos, uint64_t bytes);
/* The message in progress is over: e->outcome, why, error, end_pos and trailers are set, the rest is
 * filled in here. */
void http1_finish(struct proto *p, struct http1 *h, enum pc_dir d, struct message_end *e);
void http1_complete(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t end_pos);
/* What should stand here is not whole and never will be: by a hole behind it or by its own fault.
 * Returns 0: nothing is taken. */
uint64_t http1_lose_broken(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r);
/* The message in progress, if any, ends unobserved; the way is lost from `pos` on. */
void http1_lose_way(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t pos,
		    enum proto_loss loss, enum pc_why why);
/* Nothing can be done with these octets before the other way has moved on, or limits.hold_ns. */
void http1_wait(struct proto *p, struct http1 *h, enum pc_dir d);
/* Offer the octets of this way again if it waits. */
void http1_wake(struct proto *p, struct http1 *h, enum pc_dir d);

/* ---- http1_content.c ---- */

/* A head is behind us (r begins with it): sets the state for what follows, or completes the message. */
void http1_begin_content(struct proto *p, struct http1 *h, enum pc_dir d, const struct head *head,
			 const struct range *r);
/* A step inside content, chunk framing or trailers: octets taken. */
uint64_t http1_content(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r,
		       bool last);

/* ---- http1_pair.c ---- */

enum answer { ANSWER_WAIT, ANSWER_FRONT, ANSWER_ORPHAN, ANSWER_MUTED, ANSWER_UNSURE };

bool http1_queue_full(const struct proto *p, const struct http1 *h);
/* 0 or -ENOMEM. */
int http1_queue_push(struct proto *p, struct http1 *h, uint64_t time_ns, enum request_class class);
uint64_t http1_queue_at(const struct http1 *h, uint32_t i); /* 0 = oldest */
void http1_queue_pop(struct http1 *h);
void http1_queue_mark(struct http1 *h, uint64_t flag); /* the newest request */
void http1_queue_done(struct http1 *h);
static inline uint64_t entry_ns(uint64_t entry)
{
	return entry >> 4;
}

/* Which request does the response at r->pos answer? MUTED: sets way.loss. */
enum answer http1_answer(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r,
			 bool last);
/* The oldest request has no response: tells it. */
void http1_pass_over(struct proto *p, struct http1 *h, const struct message_end *e);
/* A final response has ended at end_pos: draws the conclusions. */
void http1_answered(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t end_pos,
		    bool complete);
/* The client keeps requests in flight: from now on nothing is believed behind a hole. */
void http1_in_flight(struct proto *p, struct http1 *h);
/* The request right after a response that was seen whole was moved at asked_ns. */
void http1_note_turn(struct proto *p, struct http1 *h, uint64_t asked_ns);

/* ---- http1_resync.c ---- */

/* Does the client wait for the end of a response before it asks again? (rule 5) */
static inline bool http1_takes_turns(const struct http1 *h)
{
	return !h->pipelined && (h->turns == TURNS || h->joined);
}

/* A lost way: octets passed over, or 0: wait (the state may have become WAY_START). */
uint64_t http1_resync(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r,
		      bool last);

/* ---- budget.c ---- */

void budget_content(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t end_pos,
		    uint64_t offered);
void budget_chunk(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t end_pos,
		  uint64_t offered);
void budget_counting(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t pos);
void budget_raise(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t pos);
/* Content that is wanted is to come. */
void budget_wanted(struct proto *p, struct http1 *h, enum pc_dir d);
/* What is left of the content in progress, from `pos` on, is not wanted any more. */
void budget_enough(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t pos, uint64_t offered);
/* A request is told: `wants` is what the sink said of its response. */
void budget_expect(struct proto *p, struct http1 *h, unsigned wants);

#endif
