/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outgoing.c: see outgoing.h. Two things: spans of transactions that are over (where each leads to), and calls
 * that wait for a span that is not over yet. Whenever a span comes, what waited for it goes on: to the edge,
 * or to the next span, or it turns out that there is none.
 */
#include "journey/outgoing.h"

#include <errno.h>
#include <stdlib.h>

#include "base/table.h"
#include "session/key.h"

#define SPAN	    8
#define SITE_MOST   256
#define BLOCK_BYTES 4096

/* Key first. */
struct seen {
	uint8_t span[SPAN];
	uint8_t parent[SPAN];
	bool has_parent, edge, has_session, has_page;
	uint8_t session_id[KEY_BYTES], session_key[KEY_BYTES], page_id[KEY_BYTES];
	uint16_t site_len;
	char site[SITE_MOST];
};

struct held {
	struct list list; /* of all, the oldest first */
	struct transaction t;
	struct arena arena;
	uint8_t waits_for[SPAN];
	uint64_t since_ns;
};

struct outgoing {
	void *ctx;
	void (*ready)(void *ctx, const struct transaction *call);
	struct table *spans;
	struct list held;
	struct arena_pool pool;
	uint64_t now_ns;
	struct outgoing_stats stats;
};

/* ---- copies ---- */

static bool copy_fields(struct arena *a, struct txn_message *m)
{
	struct field *to = arena_alloc(a, m->field_count * sizeof(*to) + 1);

	if (!to)
		return false;
	for (uint32_t i = 0; i < m->field_count; i++)
		if (arena_copy(a, m->fields[i].name, &to[i].name) ||
		    arena_copy(a, m->fields[i].value, &to[i].value))
			return false;
	m->fields = to;
	return true;
}

static bool copy_reading(struct arena *a, struct reading *r)
{
	struct reading_value *to = arena_alloc(a, r->count * sizeof(*to) + 1);

	if (!to)
		return false;
	for (uint32_t i = 0; i < r->count; i++) {
		to[i] = r->values[i];
		if (arena_copy(a, r->values[i].text, &to[i].text))
			return false;
	}
	r->values = to;
	return true;
}

/* All that rules may ask of a transaction. What lives elsewhere (process, attempts, evidence) is left out. */
static bool copy(struct arena *a, struct transaction *t)
{
	struct slice *const texts[] = { &t->method,	  &t->scheme,	     &t->path,
					&t->query,	  &t->authority,     &t->server_name,
					&t->template_,	  &t->user_agent,    &t->referer,
					&t->content_type, &t->response_type, &t->location,
					&t->upgrade };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i]->at && arena_copy(a, *texts[i], texts[i]))
			return false;
	t->process = NULL;
	t->attempts = NULL;
	t->request.evidence = t->response.evidence = (struct evidence_list){ 0 };
	t->traceparent = t->tracestate = t->site = slice_of(NULL, 0);
	memset(&t->open, 0, sizeof(t->open));
	return copy_fields(a, &t->request) && copy_fields(a, &t->response) &&
	       copy_reading(a, &t->request.reading) && copy_reading(a, &t->response.reading);
}

static void let_go(struct outgoing *c, struct held *h)
{
	list_remove(&h->list);
	arena_clear(&h->arena);
	free(h);
	c->stats.open--;
}

/* ---- where a call leads to ---- */

enum way { WAY_EDGE, WAY_OPEN, WAY_NONE };

/* From a span on, until it is not known any further. */
static enum way follow(struct outgoing *c, const uint8_t from[SPAN], const struct seen **ret_edge,
		       uint8_t ret_waits_for[SPAN])
{
	const struct seen *s;

	memcpy(ret_waits_for, from, SPAN);
	for (unsigned depth = 0; depth < CALLS_DEPTH; depth++) {
		s = table_find(c->spans, ret_waits_for);
		if (!s)
			return WAY_OPEN;
		if (s->edge) {
			*ret_edge = s;
			return WAY_EDGE;
		}
		if (!s->has_parent)
			return WAY_NONE;
		memcpy(ret_waits_for, s->parent, SPAN);
	}
	return WAY_NONE;
}

static void hand_out(struct outgoing *c, const struct transaction *t, const struct seen *edge)
{
	struct transaction call = *t;

	if (edge) {
		call.site = slice_of(edge->site, edge->site_len);
		call.has_session = edge->has_session;
		call.has_page = edge->has_page;
		memcpy(call.session_id, edge->session_id, KEY_BYTES);
		memcpy(call.session_key, edge->session_key, KEY_BYTES);
		memcpy(call.page_id, edge->page_id, KEY_BYTES);
		c->stats.attributed++;
	} else {
		c->stats.alone++;
	}
	c->ready(c->ctx, &call);
}

static void hold(struct outgoing *c, const struct transaction *t, const uint8_t waits_for[SPAN])
{
	struct held *h;

	if (c->stats.open >= CALLS_MOST) {
		c->stats.dropped++;
		return;
	}
	h = calloc(1, sizeof(*h));
	if (!h) {
		c->stats.dropped++;
		return;
	}
	h->t = *t;
	h->since_ns = c->now_ns;
	memcpy(h->waits_for, waits_for, SPAN);
	arena_init(&h->arena, &c->pool);
	list_append(&c->held, &h->list);
	c->stats.open++;
	if (copy(&h->arena, &h->t)) {
		c->stats.held++;
		return;
	}
	let_go(c, h);
	c->stats.dropped++;
}

void outgoing_push(struct outgoing *c, const struct transaction *call)
{
	const struct seen *edge = NULL;
	uint8_t waits_for[SPAN];
	enum way way = WAY_NONE;

	if (call->has_parent)
		way = follow(c, call->parent_id, &edge, waits_for);
	if (way == WAY_OPEN) {
		hold(c, call, waits_for);
		return;
	}
	c->stats.held++;
	hand_out(c, call, edge);
}

static struct seen *place(struct outgoing *c, const uint8_t span[SPAN])
{
	struct seen *s;
	bool fresh;

	s = table_add(c->spans, span, &fresh);
	if (!s && table_oldest(c->spans)) {
		table_remove(c->spans, table_oldest(c->spans));
		s = table_add(c->spans, span, &fresh);
	}
	return s;
}

static bool remember(struct outgoing *c, const struct transaction *t)
{
	struct seen *s = place(c, t->span_id);

	if (!s)
		return false;
	s->edge = t->side == SIDE_SERVER && !t->inner;
	s->has_parent = t->has_parent;
	memcpy(s->parent, t->parent_id, SPAN);
	s->has_session = t->has_session;
	s->has_page = t->has_page;
	memcpy(s->session_id, t->session_id, KEY_BYTES);
	memcpy(s->session_key, t->session_key, KEY_BYTES);
	memcpy(s->page_id, t->page_id, KEY_BYTES);
	s->site_len = (uint16_t)(t->site.len < SITE_MOST ? t->site.len : 0);
	if (s->site_len)
		memcpy(s->site, t->site.at, s->site_len);
	return true;
}

void outgoing_seen(struct outgoing *c, const struct transaction *t)
{
	struct list *next;

	/* a call leads on only where it passed on what its process was asked */
	if ((t->side == SIDE_CLIENT && !t->hop) || !remember(c, t))
		return;
	for (struct list *l = c->held.next; l != &c->held; l = next) {
		struct held *h = list_entry(l, struct held, list);
		const struct seen *edge = NULL;

		next = l->next;
		if (memcmp(h->waits_for, t->span_id, SPAN) != 0 ||
		    follow(c, t->span_id, &edge, h->waits_for) == WAY_OPEN)
			continue;
		hand_out(c, &h->t, edge);
		let_go(c, h);
	}
}

/* ---- life ---- */

static void give_up(struct outgoing *c, uint64_t until_ns)
{
	while (!list_empty(&c->held)) {
		struct held *h = list_entry(c->held.next, struct held, list);

		if (h->since_ns > until_ns)
			break;
		hand_out(c, &h->t, NULL);
		let_go(c, h);
	}
}

void outgoing_tick(struct outgoing *c, uint64_t now_ns)
{
	c->now_ns = now_ns;
	if (now_ns > CALLS_PATIENCE_NS)
		give_up(c, now_ns - CALLS_PATIENCE_NS);
}

void outgoing_finish(struct outgoing *c)
{
	give_up(c, UINT64_MAX);
}

void outgoing_stats(const struct outgoing *c, struct outgoing_stats *ret)
{
	*ret = c->stats;
}

int outgoing_new(void *ctx, void (*ready)(void *ctx, const struct transaction *call),
		 struct outgoing **ret)
{
	struct outgoing *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->ctx = ctx;
	c->ready = ready;
	list_init(&c->held);
	arena_pool_init(&c->pool, BLOCK_BYTES, CALLS_BYTES);
	err = table_new(sizeof(struct seen), SPAN, CALLS_SPANS, &c->spans);
	if (err) {
		outgoing_free(c);
		return err;
	}
	*ret = c;
	return 0;
}

void outgoing_free(struct outgoing *c)
{
	if (!c)
		return;
	while (!list_empty(&c->held))
		let_go(c, list_entry(c->held.next, struct held, list));
	arena_pool_done(&c->pool);
	table_free(c->spans);
	free(c);
}
