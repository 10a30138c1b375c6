/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.c: the values of a source in one transaction, and whether what is not found is not there. Texts are
 * slices of the transaction; those that had to be decoded stand in the rules' room until the next
 * transaction.
 */
#include "journey/rule/inside.h"
#include "session/page/url.h"
#include "txn/fields.h"

/* After such a body more may have stood there. A text that is cut says so itself, and what follows a document
 * is no part of it. */
#define FLAGS_WHOLE (1u << BODY_CUT_TEXT | 1u << BODY_MORE)

/* ---- decoding ---- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t url_decode(struct slice text, bool plus, char *to)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '+' && plus) {
			c = ' ';
		} else if (c == '%' && i + 2 < text.len && hex(text.at[i + 1]) >= 0 &&
			   hex(text.at[i + 2]) >= 0) {
			c = (char)(hex(text.at[i + 1]) << 4 | hex(text.at[i + 2]));
			i += 2;
		}
		to[n++] = c;
	}
	return n;
}

struct slice look_decoded(struct rules *r, struct slice text, bool plus)
{
	char *to = r->room + r->room_used;
	size_t n;

	if (!text.len ||
	    (!memchr(text.at, '%', text.len) && !(plus && memchr(text.at, '+', text.len))))
		return text;
	if (r->room_used + text.len > RULES_ROOM)
		return slice_of(NULL, 0);
	n = url_decode(text, plus, to);
	r->room_used += n;
	return slice_of(to, n);
}

/* ---- a transaction ---- */

void look_init(struct look *l, struct rules *r, const struct transaction *t)
{
	r->room_used = 0;
	l->rules = r;
	l->t = t;
	l->rule = NULL;
	l->has_location = l->has_signs = l->has_page = false;
	l->group = NULL;
	l->seen[0] = l->seen[1] = SEEN_NOT;
	l->values[0] = l->values[1] = 0;
	l->ordinals = 1;
	l->ordinal = 0;
}

void look_location(struct look *l)
{
	struct url_parts parts = { { 0 }, { 0 } };
	struct slice url = slice_trim(l->t->location);

	if (l->has_location)
		return;
	l->has_location = true;
	l->location = (struct path_cut){ .more = true };
	l->location_query = l->location_text = slice_of(NULL, 0);
	l->location_host.len = 0;
	if (!l->t->location.at)
		return;
	l->location_text = url;
	url_split(url, l->t->path, l->location_room, &parts);
	path_cut(l->rules, parts.path, &l->location);
	l->location_query = parts.query;
	if (slice_starts(url, SLICE("//"))) {
		struct slice rest = slice_sub(url, 2, url.len);

		site_of_host(slice_next(&rest, '/'), &l->location_host);
	} else {
		site_of_url(url, &l->location_host);
	}
}

/* ---- contents ---- */

/* The chains of values by want, in the order of the octets. */
static void chain(struct look *l, bool request, const struct reading *g)
{
	uint32_t *first = l->rules->first[request], *next = l->rules->next[request];
	uint32_t count = g->count < RULES_VALUES ? g->count : RULES_VALUES;

	for (uint32_t i = count; i-- > 0;) {
		uint32_t want = g->values[i].want;

		if (want >= l->group->count[request])
			continue;
		next[i] = first[want];
		first[want] = i;
	}
	l->values[request] = count;
}

/* How many operations a batch has, by what was taken of both of its messages. */
static void count_ordinals(struct look *l, bool request, const struct reading *g)
{
	for (uint32_t i = 0; i < l->values[request]; i++) {
		const struct reading_value *v = &g->values[i];
		uint8_t source;

		if (v->want >= l->group->count[request])
			continue;
		source = l->group->source[request][v->want];
		if (source >= BODY_GRAPHQL_NAME && source <= BODY_GRAPHQL_ERROR &&
		    v->index[0] >= l->ordinals && v->index[0] < ORDINALS)
			l->ordinals = v->index[0] + 1;
	}
}

static const struct reading *reading_of(const struct look *l, bool request)
{
	return request ? &l->t->request.reading : &l->t->response.reading;
}

void look_contents(struct look *l, const struct group *g)
{
	l->group = g;
	l->ordinals = 1;
	l->values[0] = l->values[1] = 0;
	l->seen[0] = l->seen[1] = SEEN_NOT;
	for (unsigned request = 0; request < 2; request++) {
		const struct reading *reading = reading_of(l, request);

		for (uint32_t i = 0; i < g->count[request]; i++)
			l->rules->first[request][i] = UINT32_MAX;
		/* what other rules asked for, before a reload, has other numbers */
		if (!reading->wanted || reading->wants != g->wants[request] || !reading->opened)
			continue;
		chain(l, request, reading);
		if (g->batch)
			count_ordinals(l, request, reading);
		l->seen[request] = reading->flags & ~FLAGS_WHOLE || reading->values_lost ||
						   reading->count > RULES_VALUES
					   ? SEEN_PART
					   : SEEN_WHOLE;
	}
}

const struct reading_value *look_value(const struct look *l, bool request, uint32_t value)
{
	return &reading_of(l, request)->values[value];
}

/* Behind a hole the number of a field is not known: such a value belongs to nothing. */
static bool is_of(const struct look *l, const struct source *s, const struct reading_value *v,
		  const uint32_t *item, uint32_t slots)
{
	for (uint32_t i = 0; i < BODY_INDICES; i++)
		if (v->index[i] == BODY_INDEX_LOST)
			return false;
	if (s->batch && v->index[0] != l->ordinal)
		return false;
	return !item || !s->per_item || memcmp(v->index, item, slots * sizeof(*item)) == 0;
}

static bool next_of_content(struct look *l, const struct source *s, const uint32_t *item,
			    uint32_t slots, struct cursor *c, struct found *ret)
{
	bool request = s->wish->request;

	if (!l->group || !l->values[request])
		return false;
	if (!c->begun)
		c->at = l->rules->first[request][s->wish->number];
	c->begun = true;
	while (c->at != UINT32_MAX) {
		const struct reading_value *v = look_value(l, request, c->at);
		uint32_t at = c->at;

		c->at = l->rules->next[request][at];
		if (!is_of(l, s, v, item, slots))
			continue;
		*ret = (struct found){ v->text, (enum taken_kind)v->kind, v->cut, at };
		return true;
	}
	return false;
}

/* ---- heads ---- */

static bool is_named(struct rules *r, struct slice name, struct slice wanted)
{
	size_t used = r->room_used;
	bool same = slice_eq(name, wanted) || slice_eq(look_decoded(r, name, true), wanted);

	r->room_used = used;
	return same;
}

static bool next_of_query(struct look *l, struct slice query, struct slice name, struct cursor *c,
			  struct found *ret)
{
	if (!c->begun)
		c->rest = query;
	c->begun = true;
	while (c->rest.at) {
		struct slice value = slice_next(&c->rest, '&'), key = slice_next(&value, '=');

		if (!is_named(l->rules, key, name))
			continue;
		if (!value.at)
			value = slice_of(key.at + key.len, 0);
		*ret = (struct found){ .text = look_decoded(l->rules, value, true) };
		ret->cut = !ret->text.at;
		return true;
	}
	return false;
}

static bool next_of_fields(const struct txn_message *m, struct slice name, struct cursor *c,
			   struct found *ret)
{
	while (c->at < m->field_count) {
		const struct field *f = &m->fields[c->at++];

		if (!slice_eq(f->name, name))
			continue;
		*ret = (struct found){ .text = slice_trim(f->value) };
		return true;
	}
	return false;
}

static bool one(struct cursor *c, struct slice text, struct found *ret)
{
	if (c->begun || !text.at)
		return false;
	c->begun = true;
	*ret = (struct found){ .text = text };
	return true;
}

bool look_next(struct look *l, const struct source *s, const uint32_t *item, uint32_t slots,
	       struct cursor *c, struct found *ret)
{
	switch (s->from) {
	case FROM_CONSTANT:
		return one(c, s->name, ret);
	case FROM_PATH:
		return one(c, l->path.whole, ret);
	case FROM_PLACE:
		return one(c, l->place[s->place], ret);
	case FROM_QUERY:
		return next_of_query(l, l->t->query, s->name, c, ret);
	case FROM_FIELD:
		return next_of_fields(&l->t->request, s->name, c, ret);
	case FROM_ANSWER_FIELD:
		return next_of_fields(&l->t->response, s->name, c, ret);
	case FROM_BODY:
		return next_of_content(l, s, item, slots, c, ret);
	default:
		break;
	}
	look_location(l);
	switch (s->from) {
	case FROM_LOCATION:
		return one(c, l->location_text, ret);
	case FROM_LOCATION_PLACE:
		return one(c, l->location_place[s->place], ret);
	case FROM_LOCATION_QUERY:
		return next_of_query(l, l->location_query, s->name, c, ret);
	default:
		return l->location_host.len && one(c, site_slice(&l->location_host), ret);
	}
}

/* A head of which no field was kept may be one that found no memory. */
static enum seen head_seen(const struct txn_message *m)
{
	if (!m->seen)
		return SEEN_NOT;
	return m->field_count && m->field_count < FIELDS_KEPT ? SEEN_WHOLE : SEEN_PART;
}

enum seen look_seen(const struct look *l, const struct source *s)
{
	switch (s->from) {
	case FROM_CONSTANT:
	case FROM_PATH:
	case FROM_PLACE:
	case FROM_QUERY:
		return SEEN_WHOLE;
	case FROM_FIELD:
		return head_seen(&l->t->request);
	case FROM_BODY:
		return l->seen[s->wish->request];
	default:
		return head_seen(&l->t->response);
	}
}
