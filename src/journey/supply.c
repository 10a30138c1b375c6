/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supply.c: see supply.h. One table of contents, by the span that a hop leads to. When that span is over, and
 * is a hop itself, what was kept under it moves on to the next, as far as the hop has nothing of its own; so at
 * the end it stands under the edge. Each step compares the two messages again. Where a hop is told after the one
 * that it leads to, a second table says where that one has led to.
 */
#include "journey/supply.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/table.h"
#include "stream/address.h"
#include "txn/body/body.h"

#define SPAN	    8
#define BLOCK_BYTES 4096
#define DEPTH	    8
#define LEADS_NS    5000000000ull

/* Of one message, in the arena. */
struct part {
	struct reading reading; /* wants == NULL: there is none */
	struct slice type, coding;
	bool has_size;
	uint64_t size;
};

struct copy {
	struct arena arena;
	struct slice method, path, query;
	bool has_query;
	struct part part[2]; /* response, request */
};

/* Key first. */
struct hop {
	uint8_t above[SPAN];
	uint16_t status; /* 0: nothing that was answered */
	bool several;
	uint64_t since_ns;
	uint64_t first_ns; /* its answer began to be read; 0: unobserved */
	struct copy *copy; /* NULL: nothing was read whole */
};

struct lead { /* key first */
	uint8_t from[SPAN], to[SPAN];
	uint64_t since_ns;
};

struct supply {
	struct table *hops, *leads;
	struct arena_pool pool;
	struct copy *lent; /* until the next call */
	uint64_t now_ns, forgot_ns;
	struct supply_stats stats;
};

/* ---- copies ---- */

static void copy_free(struct copy *k)
{
	if (!k)
		return;
	arena_clear(&k->arena);
	free(k);
}

static struct slice coding_of(const struct txn_message *m)
{
	for (uint32_t i = 0; i < m->field_count; i++)
		if (slice_eq(m->fields[i].name, SLICE("content-encoding")))
			return m->fields[i].value;
	return slice_of(NULL, 0);
}

static const struct txn_message *message_of(const struct transaction *t, bool request)
{
	return request ? &t->request : &t->response;
}

/* As it stands in the transaction. */
static struct part part_of(const struct transaction *t, bool request)
{
	const struct txn_message *m = message_of(t, request);
	uint32_t bit = request ? UNOBSERVED_REQUEST_SIZE : UNOBSERVED_RESPONSE_SIZE;

	return (struct part){ .reading = m->reading,
			      .type = request ? t->content_type : t->response_type,
			      .coding = coding_of(m),
			      .has_size = !(t->unobserved & bit),
			      .size = m->body_bytes };
}

/* A value that is only cut, or what follows the document, is the same at every hop. */
static bool is_whole(const struct reading *r)
{
	const uint32_t same = 1u << BODY_CUT_TEXT | 1u << BODY_MORE;

	return r->opened && !(r->flags & ~same) && !r->values_lost;
}

static int copy_slice(struct arena *a, struct slice *s)
{
	return s->len ? arena_copy(a, *s, s) : 0;
}

static int copy_part(struct arena *a, struct part *p)
{
	struct reading_value *to = arena_alloc(a, p->reading.count * sizeof(*to) + 1);
	int err = to ? copy_slice(a, &p->type) : -ENOMEM;

	if (!err)
		err = copy_slice(a, &p->coding);
	for (uint32_t i = 0; i < p->reading.count && !err; i++) {
		to[i] = p->reading.values[i];
		err = copy_slice(a, &to[i].text);
	}
	p->reading.values = to;
	return err;
}

/* ---- the same message? ---- */

static bool same_part(const struct part *a, const struct part *b)
{
	return slice_ieq(a->type, b->type) && (!slice_ieq(a->coding, b->coding) || !a->has_size ||
					       !b->has_size || a->size == b->size);
}

static bool is_same(const struct transaction *t, const struct hop *h)
{
	const struct copy *k = h->copy;

	return t->request.seen && t->response.seen && !h->several && k && t->status == h->status &&
	       slice_eq(t->method, k->method) && slice_eq(t->path, k->path) &&
	       t->has_query == k->has_query && slice_eq(t->query, k->query);
}

static uint64_t first_of(const struct transaction *t)
{
	return t->unobserved & (UNOBSERVED_START | UNOBSERVED_FIRST_BYTE)
		       ? 0
		       : t->start_ns + t->first_byte_ns;
}

/* The edge answered before the hop was answered, out of a cache that was renewed meanwhile: of other content. */
static bool came_after(const struct hop *h, const struct transaction *edge)
{
	uint64_t first = first_of(edge);

	return first && h->first_ns && first < h->first_ns;
}

/* ---- hops ---- */

bool supply_needs(const struct transaction *t)
{
	return t->side == SIDE_SERVER || !t->hop ||
	       !(t->family == AF_UNIX || address_is_loopback(&t->remote) ||
		 !memcmp(t->local.ip, t->remote.ip, sizeof(t->local.ip)));
}

static void hop_remove(struct supply *s, struct hop *h)
{
	copy_free(h->copy);
	table_remove(s->hops, h);
}

static struct hop *hop_find(const struct supply *s, const uint8_t span[SPAN])
{
	return table_count(s->hops) ? table_find(s->hops, span) : NULL;
}

static void forget(struct supply *s, struct hop *h)
{
	s->stats.dropped++;
	s->forgot_ns = s->now_ns;
	hop_remove(s, h);
}

static struct hop *place(struct supply *s, const uint8_t span[SPAN], bool *ret_fresh)
{
	struct hop *h = table_add(s->hops, span, ret_fresh);

	if (!h && table_oldest(s->hops)) {
		forget(s, table_oldest(s->hops));
		h = table_add(s->hops, span, ret_fresh);
	}
	return h;
}

/* Its own where that is whole, else what was kept for it. NULL: neither, or no room. */
static struct copy *copy_of(struct supply *s, const struct transaction *t, const struct hop *deeper)
{
	struct copy *k = NULL;
	bool same = deeper && is_same(t, deeper), failed = false;

	for (unsigned request = 0; request < 2 && !failed; request++) {
		struct part p = part_of(t, request);

		if (!is_whole(&p.reading)) {
			const struct part *its = same ? &deeper->copy->part[request] : NULL;

			if (!its || !its->reading.wants || !same_part(&p, its))
				continue;
			p.reading = its->reading;
		}
		if (!k) {
			k = calloc(1, sizeof(*k));
			if (!k)
				return NULL;
			arena_init(&k->arena, &s->pool);
			k->method = t->method;
			k->path = t->path;
			k->query = t->query;
			k->has_query = t->has_query;
			failed = copy_slice(&k->arena, &k->method) ||
				 copy_slice(&k->arena, &k->path) ||
				 copy_slice(&k->arena, &k->query);
		}
		failed = failed || copy_part(&k->arena, &p);
		k->part[request] = p;
		s->stats.kept++;
	}
	if (!failed)
		return k;
	s->stats.dropped++;
	copy_free(k);
	return NULL;
}

/* The span that the hop leads to by now; false: that one is not over, nothing led on from it. */
static bool led_on(const struct supply *s, const uint8_t to[SPAN], uint8_t ret[SPAN])
{
	const struct lead *l = table_count(s->leads) ? table_find(s->leads, to) : NULL;

	for (unsigned depth = 0; l && depth < DEPTH; depth++) {
		memcpy(ret, l->to, SPAN);
		l = table_find(s->leads, ret);
		if (!l)
			return true;
	}
	return false;
}

static void lead_add(struct supply *s, const uint8_t from[SPAN], const uint8_t to[SPAN])
{
	struct lead *l = table_add(s->leads, from, NULL);

	if (!l && table_oldest(s->leads)) {
		table_remove(s->leads, table_oldest(s->leads));
		l = table_add(s->leads, from, NULL);
	}
	if (!l)
		return;
	memcpy(l->to, to, SPAN);
	l->since_ns = s->now_ns;
}

/* Those that *to lacks. */
static void add_parts(struct supply *s, struct copy *to, const struct copy *from)
{
	if (!from || !slice_eq(to->method, from->method) || !slice_eq(to->path, from->path) ||
	    to->has_query != from->has_query || !slice_eq(to->query, from->query))
		return;
	for (unsigned request = 0; request < 2; request++) {
		struct part p = from->part[request];

		if (to->part[request].reading.wants || !p.reading.wants)
			continue;
		if (copy_part(&to->arena, &p))
			s->stats.dropped++;
		else
			to->part[request] = p;
	}
}

/* What it leads to was over first: it is what the one hop of that request lacks. */
static void come_late(struct supply *s, const uint8_t top[SPAN], uint16_t status, struct copy *k)
{
	struct hop *h = hop_find(s, top);

	if (!h || h->several || h->status != status) {
		copy_free(k);
	} else if (!h->copy) {
		h->copy = k;
	} else {
		add_parts(s, h->copy, k);
		copy_free(k);
	}
}

static void come(struct supply *s, const struct transaction *t, struct copy *k)
{
	bool fresh;
	struct hop *h = place(s, t->parent_id, &fresh);

	if (!h) {
		s->forgot_ns = s->now_ns;
		copy_free(k);
	} else if (!fresh) {
		h->several = true;
		copy_free(h->copy);
		h->copy = NULL;
		copy_free(k);
	} else {
		h->status = t->status;
		h->since_ns = s->now_ns;
		h->first_ns = t->side == SIDE_CLIENT ? first_of(t) : 0;
		h->copy = k;
	}
}

void supply_hop(struct supply *s, const struct transaction *t)
{
	struct hop *deeper = hop_find(s, t->span_id);
	uint8_t top[SPAN];
	struct copy *k;

	if (t->has_parent && t->response.seen) {
		k = copy_of(s, t, deeper);
		if (led_on(s, t->parent_id, top))
			come_late(s, top, t->status, k);
		else
			come(s, t, k);
		lead_add(s, t->span_id, t->parent_id);
	}
	deeper = hop_find(s, t->span_id); /* the table may have made room */
	if (deeper)
		hop_remove(s, deeper);
}

/* ---- the edge ---- */

bool supply_has(const struct supply *s, const struct transaction *t)
{
	return hop_find(s, t->span_id);
}

/* There was, or may have been, content that is not known whole. */
static bool lacks(const struct part *own, const struct body_wants *wants)
{
	return wants && !is_whole(&own->reading) &&
	       (own->reading.opened || !own->has_size || own->size);
}

bool supply_edge(struct supply *s, const struct transaction *t, const struct body_wants *wants[2],
		 struct transaction *ret)
{
	struct hop *h = hop_find(s, t->span_id);
	bool any = false, lacking = false;

	copy_free(s->lent);
	s->lent = NULL;
	if (!h)
		return false;
	for (unsigned request = 0; request < 2; request++) {
		const struct part own = part_of(t, request);
		const struct part *its = h->copy ? &h->copy->part[request] : NULL;

		if (!lacks(&own, wants[request]))
			continue;
		lacking = true;
		if (!is_same(t, h) || (!request && came_after(h, t)) ||
		    t->start_ns <= s->forgot_ns || !its->reading.wants ||
		    its->reading.wants != wants[request] || !same_part(&own, its))
			continue;
		if (!any)
			*ret = *t;
		any = true;
		if (request)
			ret->request.reading = its->reading;
		else
			ret->response.reading = its->reading;
		s->stats.supplied++;
	}
	s->stats.unlike += lacking && !any && (h->several || h->copy);
	s->lent = h->copy;
	h->copy = NULL;
	hop_remove(s, h);
	return any;
}

/* ---- life ---- */

void supply_tick(struct supply *s, uint64_t now_ns)
{
	struct lead *l;
	struct hop *h;

	s->now_ns = now_ns;
	while ((h = table_oldest(s->hops)) && h->since_ns + SUPPLY_NS <= now_ns)
		hop_remove(s, h);
	while ((l = table_oldest(s->leads)) && l->since_ns + LEADS_NS <= now_ns)
		table_remove(s->leads, l);
}

void supply_stats(const struct supply *s, struct supply_stats *ret)
{
	*ret = s->stats;
}

int supply_new(struct supply **ret)
{
	struct supply *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	arena_pool_init(&s->pool, BLOCK_BYTES, SUPPLY_BYTES);
	err = table_new(sizeof(struct hop), SPAN, SUPPLY_HOPS, &s->hops);
	if (!err)
		err = table_new(sizeof(struct lead), SPAN, SUPPLY_HOPS, &s->leads);
	if (err) {
		supply_free(s);
		return err;
	}
	*ret = s;
	return 0;
}

void supply_free(struct supply *s)
{
	struct hop *h;

	if (!s)
		return;
	copy_free(s->lent);
	while (s->hops && (h = table_oldest(s->hops)))
		hop_remove(s, h);
	table_free(s->hops);
	table_free(s->leads);
	arena_pool_done(&s->pool);
	free(s);
}
