/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reading_kit.h: one connection through the real stream, proto and txn, with a reader who wants JSON fields
 * named "v" and form fields named "v" of everything, and what was read as a transcript, one line a
 * transaction:
 *
 *   POST /a 200 complete > 0=1 < 0=ab !hole          values of request and response, flags
 *   GET /b - unobserved > - < -                      "-": nobody was asked, "none": nothing to look at
 *
 * No cmocka here: the fuzzer uses it too.
 */
#ifndef PC_TESTS_READING_KIT_H
#define PC_TESTS_READING_KIT_H

#include "proto_kit.h"
#include "txn/body/body.h"
#include "txn/txn.h"

#define V(source, path)                                                                            \
	{                                                                                          \
		source, SLICE(path)                                                                \
	}

struct world {
	struct kit k; /* stream and proto, and the records */
	struct txn *x;
	struct buf out;
	struct body_wants *wants;
	struct txn_reader reader;
	struct txn_limits limits;
	struct body_limits bodies;
	unsigned asked[2]; /* requests, responses */
	bool no_response;  /* what may_want_response says */
	unsigned shown;	   /* values that the witness saw */
};

static inline const char *world_say_text(struct slice s)
{
	static char text[64];
	size_t n = 0;

	for (size_t i = 0; i < s.len && n < sizeof(text) - 5; i++) {
		unsigned char c = (unsigned char)s.at[i];

		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      c > ' ' && c < 0x7f ? "%c" : "%%%02x", c);
	}
	text[n] = 0;
	return text;
}

static void world_reading(struct world *w, const struct reading *r)
{
	if (!r->wanted || !r->opened)
		buf_addf(&w->out, " %s", r->wanted ? "none" : "-");
	for (uint32_t i = 0; i < r->count; i++)
		buf_addf(&w->out, " %u=%s", r->values[i].want, world_say_text(r->values[i].text));
	for (unsigned f = 0; r->opened && f < BODY_FLAGS; f++)
		if (r->flags >> f & 1)
			buf_addf(&w->out, " !%s", body_flag_name((enum body_flag)f));
	if (r->values_lost)
		buf_addf(&w->out, " lost");
}

static void world_transaction(void *ctx, struct transaction *t)
{
	struct world *w = ctx;

	buf_addf(&w->out, "%.*s %.*s ", (int)(t->method.len ? t->method.len : 1),
		 t->method.len ? t->method.at : "-", (int)(t->path.len ? t->path.len : 1),
		 t->path.len ? t->path.at : "-");
	if (t->response.seen)
		buf_addf(&w->out, "%u", t->status);
	else
		buf_addf(&w->out, "-");
	buf_addf(&w->out, " %s >", outcome_name(t->outcome));
	world_reading(w, &t->request.reading);
	buf_addf(&w->out, " <");
	world_reading(w, &t->response.reading);
	buf_addf(&w->out, "\n");
}

static const struct body_wants *world_wants(void *ctx, const struct transaction *t, bool request)
{
	struct world *w = ctx;

	w->asked[!request]++;
	return w->wants;
}

static bool world_may(void *ctx, const struct transaction *t)
{
	return !((struct world *)ctx)->no_response;
}

static inline struct body_wants *world_compile(void)
{
	static const struct body_want list[] = { V(BODY_JSON, "$..v"), V(BODY_FORM, "v") };
	struct body_error error;
	struct body_wants *wants;

	if (wants_new(list, 2, &error, &wants))
		abort();
	return wants;
}

static inline void world_start(struct world *w)
{
	const struct txn_sink told = { .ctx = w, .transaction = world_transaction };
	struct proto_sink sink;

	*w = (struct world){ .wants = w->wants, .limits = w->limits, .bodies = w->bodies };
	if (!w->limits.open)
		w->limits = (struct txn_limits){ .open = 1000,
						 .bytes = 4 << 20,
						 .patience_ns = 10000 * KIT_MS,
						 .templates = 100,
						 .processes = { 100, 30000 * KIT_MS } };
	buf_init(&w->out, 1 << 22);
	if (!w->wants)
		w->wants = world_compile();
	w->reader = (struct txn_reader){ w, TXN_REQUESTS | TXN_RESPONSES, world_wants, world_may };
	kit_new(&w->k, false);
	if (txn_new(&w->limits, &told, &w->x))
		abort();
	sink = txn_proto_sink(w->x);
	kit_with(&w->k, &sink);
	txn_attach(w->x, w->k.stream);
	txn_read(w->x, &w->reader);
}

/* Everything is handed out; the counts must add up. */
static inline void world_end(struct world *w)
{
	struct txn_stats s;
	struct body_stats b;
	struct kit *k = &w->k;

	stream_flush(k->stream);
	txn_finish(w->x);
	txn_stats(w->x, &s);
	kit_check(s.open == 0 && s.bytes == 0);
	txn_body_stats(w->x, &b);
	kit_check(b.opened == b.ended + b.dropped + b.open);
	kit_check(b.open == 0);
	kit_check(wants_users(w->wants) == 0);
}

static inline void world_free(struct world *w)
{
	txn_free(w->x);
	w->x = NULL;
	kit_free(&w->k);
	buf_done(&w->out);
	wants_free(w->wants);
	w->wants = NULL;
	w->limits = (struct txn_limits){ 0 };
}

#endif
