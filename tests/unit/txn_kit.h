/* SPDX-License-Identifier: Apache-2.0 */
/*
 * txn_kit.h: drives the transaction stage through its proto_sink, without stream and proto. Moments
 * are a list of pieces that the test moved; transactions are kept, their slices copied.
 */
#ifndef PC_TESTS_TXN_KIT_H
#define PC_TESTS_TXN_KIT_H

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "txn/txn.h"

#define KIT_PIECES 256
#define KIT_SEEN   256
#define MS	   1000000ull

struct piece {
	const struct connection *c;
	enum pc_dir d;
	uint64_t from, to;
	struct moment m;
};

static struct kit {
	struct txn *x;
	struct proto_sink in;
	struct piece pieces[KIT_PIECES];
	unsigned piece_count;
	struct transaction seen[KIT_SEEN];
	unsigned seen_count;
	int active, active_max;
	unsigned opens, closes;
	struct transaction begun, answered; /* the latest; their slices are not kept */
	unsigned answered_count, lost[2];   /* by enum side */
	bool early;			    /* so it is of all */
	unsigned made, unmade;
	char text[1 << 16];
	size_t text_len;
} kit;

/* Takes the place of the stream's: src/stream is not linked in. */
bool stream_moment(struct stream *s, const struct connection *c, enum pc_dir d, uint64_t pos,
		   struct moment *ret)
{
	for (unsigned i = 0; i < kit.piece_count; i++) {
		struct piece *p = &kit.pieces[i];

		if (p->c != c || p->d != d || pos < p->from || pos >= p->to)
			continue;
		*ret = p->m;
		return true;
	}
	*ret = (struct moment){ 0 };
	return false;
}

static inline void kit_moved(struct connection *c, enum pc_dir d, uint64_t from, uint64_t len,
			     struct moment m)
{
	assert_true(kit.piece_count < KIT_PIECES);
	if (!m.tgid)
		m.tgid = m.tid = 100;
	kit.pieces[kit.piece_count++] = (struct piece){ c, d, from, from + len, m };
}

static struct slice kit_dup(struct slice s)
{
	char *at = kit.text + kit.text_len;

	if (!s.at)
		return s;
	assert_true(kit.text_len + s.len <= sizeof(kit.text));
	memcpy(at, s.at, s.len);
	kit.text_len += s.len;
	return slice_of(at, s.len);
}

static void kit_transaction(void *ctx, struct transaction *t)
{
	struct transaction *k = &kit.seen[kit.seen_count++ % KIT_SEEN];
	struct slice *slices[] = { &k->method,	    &k->scheme,	       &k->path,
				   &k->query,	    &k->authority,     &k->server_name,
				   &k->template_,   &k->user_agent,    &k->referer,
				   &k->location,    &k->response_type, &k->upgrade,
				   &k->content_type };

	*k = *t;
	for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++)
		*slices[i] = kit_dup(*slices[i]);
}

static void kit_active(void *ctx, const struct connection *c, enum side side, struct slice method,
		       int delta)
{
	kit.active += delta;
	if (kit.active > kit.active_max)
		kit.active_max = kit.active;
}

static void kit_open(void *ctx, const struct connection *c, enum side side)
{
	kit.opens++;
}

static void kit_close(void *ctx, const struct connection *c)
{
	kit.closes++;
}

static void kit_begin(void *ctx, struct transaction *t)
{
	kit.begun = *t;
}

static void kit_answered(void *ctx, struct transaction *t)
{
	kit.answered = *t;
	kit.answered_count++;
}

static bool kit_early(void *ctx, const struct transaction *t)
{
	return kit.early;
}

static void kit_made(void *ctx, const struct connection *c)
{
	kit.made++;
}

static void kit_unmade(void *ctx, const struct connection *c)
{
	kit.unmade++;
}

static void kit_lost(void *ctx, const struct connection *c, enum side side)
{
	kit.lost[side]++;
}

static inline struct txn_limits kit_limits(void)
{
	return (struct txn_limits){ .open = 1000,
				    .bytes = 4 << 20,
				    .patience_ns = 10000 * MS,
				    .hold_ns = 250 * MS,
				    .templates = 100,
				    .processes = { .processes = 100, .keep_ns = 30000 * MS } };
}

static inline void kit_start(const struct txn_limits *limits)
{
	struct txn_sink sink = { .begin = kit_begin,
				 .transaction = kit_transaction,
				 .early = kit_early,
				 .answered = kit_answered,
				 .lost = kit_lost,
				 .active = kit_active,
				 .open = kit_open,
				 .close = kit_close,
				 .made = kit_made,
				 .unmade = kit_unmade };

	memset(&kit, 0, sizeof(kit));
	assert_int_equal(txn_new(limits, &sink, &kit.x), 0);
	kit.in = txn_proto_sink(kit.x);
}

static inline struct txn_stats kit_stats(void)
{
	struct txn_stats s;
	uint64_t closed = 0;

	txn_stats(kit.x, &s);
	for (unsigned i = 0; i < 8; i++)
		closed += s.closed[i];
	assert_u64(s.opened, closed + s.open); /* always */
	return s;
}

static inline void kit_stop(void)
{
	struct txn_stats s = kit_stats();

	assert_u64(s.open, 0);
	assert_u64(s.bytes, 0);
	assert_int_equal(kit.active, 0);
	assert_int_equal(kit.opens, kit.closes);
	txn_free(kit.x);
}

static inline struct connection kit_conn(uint64_t id)
{
	return (struct connection){
		.id = id,
		.family = 2,
		.flags = PC_F_PASSIVE,
		.opened = true,
		.local = { .port = 80 },
		.remote = { .port = 40000 },
		.isn = { 1000, 2000 },
	};
}

/* A head; `line` is "GET /x" or a status line's "200". Fields as in the array, count of them. */
static inline void kit_request(struct connection *c, uint64_t pos, uint32_t size,
			       const char *method, const char *target, const struct field *fields,
			       uint32_t count)
{
	struct head h = { .pos = pos,
			  .size = size,
			  .major = 1,
			  .minor = 1,
			  .method = slice_str(method),
			  .target = slice_str(target),
			  .fields = fields,
			  .field_count = count };

	kit.in.request(kit.in.ctx, c, &h);
}

static inline void kit_response(struct connection *c, uint64_t pos, uint32_t size, uint16_t status,
				uint16_t flags)
{
	struct head h = {
		.pos = pos, .size = size, .flags = flags, .major = 1, .minor = 1, .status = status
	};

	if (status == 101)
		h.framing = FRAMING_TUNNEL;
	kit.in.response(kit.in.ctx, c, &h);
}

static inline void kit_end(struct connection *c, bool request, uint64_t end_pos, uint64_t wire,
			   uint64_t content, enum message_outcome outcome)
{
	struct message_end e = { .outcome = outcome,
				 .why = outcome == MESSAGE_UNOBSERVED ? PC_WHY_RING : PC_WHY_NONE,
				 .error = outcome == MESSAGE_CUT ? c->error[request ? 0 : 1] : 0,
				 .size_known = outcome != MESSAGE_UNOBSERVED,
				 .content_bytes = content,
				 .wire_bytes = wire,
				 .end_pos = end_pos };

	kit.in.end(kit.in.ctx, c, request, &e);
}

/* A whole request of 10 octets and a whole response of 20, at the n-th place of its connection. */
static inline void kit_exchange(struct connection *c, uint64_t n, const char *target,
				uint16_t status)
{
	kit_request(c, n * 10, 10, "GET", target, NULL, 0);
	kit_end(c, true, n * 10 + 10, 10, 0, MESSAGE_COMPLETE);
	kit_response(c, n * 20, 20, status, 0);
	kit_end(c, false, n * 20 + 20, 20, 0, MESSAGE_COMPLETE);
}

#endif
