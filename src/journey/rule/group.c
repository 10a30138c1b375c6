/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.c: all rules → groups with the wants of their contents, and the table by which the few are found that
 * may hold of a request. Runs once, after the last file.
 *
 * A content is read once, for one struct body_wants. One for all rules would look in each page for what the
 * rules of all other pages want, and with 200 rules be more than a reader may have (body_limits.steps). So
 * two rules are of one group when one request may answer both, as far as methods and paths say, and so are
 * those that are joined by a third: then all that may hold of a message are in one group, whatever the message
 * is, and nobody outside has a say in how many groups there are. Rules without a path join all.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "journey/rule/inside.h"

/* ---- who meets whom ---- */

static bool paths_meet(const struct rule *a, const struct rule *b)
{
	if (!a->path || !b->path)
		return true;
	for (const struct pattern *p = a->path; p; p = p->next)
		for (const struct pattern *q = b->path; q; q = q->next)
			if (patterns_meet(p, q))
				return true;
	return false;
}

static bool rules_meet(const struct rule *a, const struct rule *b)
{
	return a->sides & b->sides && a->methods & b->methods && paths_meet(a, b);
}

static uint32_t root_of(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i)
		i = parent[i] = parent[parent[i]];
	return i;
}

/* ---- wants of a group ---- */

static bool same_want(const struct body_want *a, const struct body_want *b)
{
	return a->source == b->source && slice_eq(a->path, b->path) &&
	       slice_eq(a->attribute, b->attribute) && slice_eq(a->expression, b->expression);
}

struct gathering {
	struct body_want *list;
	uint8_t *source;
	uint32_t count, room;
};

static int gather(struct gathering *g, struct wish *w)
{
	for (w->number = 0; w->number < g->count; w->number++)
		if (same_want(&g->list[w->number], &w->want))
			return 0;
	if (g->count == WANTS_MAX)
		return -E2BIG;
	if (g->count == g->room) {
		uint32_t room = g->room ? g->room * 2 : 32;
		struct body_want *list = realloc(g->list, room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		g->list = list;
		g->room = room;
	}
	g->list[g->count++] = w->want;
	return 0;
}

/* Of all rules whose root it is. */
static int gather_all(struct rules *r, uint32_t *parent, uint32_t root, bool request,
		      struct gathering *g)
{
	for (uint32_t i = 0; i < r->count; i++) {
		if (root_of(parent, i) != root)
			continue;
		for (struct wish *w = r->rule[i]->wishes; w; w = w->next) {
			int err = w->request == request ? gather(g, w) : 0;

			if (err)
				return err;
		}
	}
	return 0;
}

static int too_much(struct rules *r, uint32_t *parent, uint32_t root, uint32_t steps,
		    void (*tell)(void *ctx, const struct rule *rule, const char *text), void *ctx)
{
	char text[200];
	uint32_t rules = 0;

	for (uint32_t i = 0; i < r->count; i++)
		rules += root_of(parent, i) == root;
	snprintf(text, sizeof(text),
		 "this rule and %u others may hold of one request by method and path, and together "
		 "want "
		 "more of its content than can be looked for at once (%u steps, at most %d): give "
		 "them narrower paths",
		 rules - 1, steps, RULES_STEPS_MAX);
	tell(ctx, r->rule[root], text);
	return -EINVAL;
}

static int make_wants(struct rules *r, uint32_t *parent, uint32_t root, bool request,
		      struct group *ret,
		      void (*tell)(void *ctx, const struct rule *rule, const char *text), void *ctx)
{
	struct gathering g = { 0 };
	struct body_error error;
	uint8_t *source;
	int err = gather_all(r, parent, root, request, &g);

	if (err || !g.count)
		goto out;
	err = wants_new(g.list, g.count, &error, &ret->wants[request]);
	if (err)
		goto out;
	err = -ENOMEM;
	source = arena_alloc(&r->arena, g.count);
	if (!source)
		goto out;
	for (uint32_t i = 0; i < g.count; i++) {
		source[i] = (uint8_t)g.list[i].source;
		ret->batch |= source[i] >= BODY_GRAPHQL_NAME && source[i] <= BODY_GRAPHQL_ERROR;
	}
	ret->source[request] = source;
	ret->count[request] = g.count;
	err = 0;
out:
	free(g.list);
	if (err == -E2BIG ||
	    (!err && g.count && wants_steps(ret->wants[request]) > RULES_STEPS_MAX))
		return too_much(r, parent, root, err ? WANTS_MAX : wants_steps(ret->wants[request]),
				tell, ctx);
	if (err == -EINVAL) { /* each was tried by itself, so it is their number */
		tell(ctx, r->rule[root], error.text);
		return err;
	}
	return err;
}

/* The group of a root, made where it wants something. */
static int make_group(struct rules *r, uint32_t *parent, uint32_t root,
		      void (*tell)(void *ctx, const struct rule *rule, const char *text), void *ctx)
{
	struct group *g = arena_alloc(&r->arena, sizeof(*g));
	int err = 0, more;

	if (!g)
		return -ENOMEM;
	*g = (struct group){ .next = r->groups };
	r->groups = g;
	for (unsigned request = 0; request < 2; request++) {
		more = make_wants(r, parent, root, request, g, tell, ctx);
		err = err ? err : more;
	}
	for (uint32_t i = 0; i < r->count; i++)
		if (r->rule[i]->wishes && root_of(parent, i) == root)
			r->rule[i]->group = g;
	return err;
}

static int make_groups(struct rules *r,
		       void (*tell)(void *ctx, const struct rule *rule, const char *text),
		       void *ctx)
{
	uint32_t *parent = calloc((size_t)r->count + 1, sizeof(*parent));
	int err = 0;

	if (!parent)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->count; i++)
		parent[i] = i;
	for (uint32_t i = 0; i < r->count; i++)
		for (uint32_t j = 0; j < i; j++)
			if (r->rule[i]->wishes && r->rule[j]->wishes &&
			    rules_meet(r->rule[i], r->rule[j]))
				parent[root_of(parent, i)] = root_of(parent, j);
	for (uint32_t i = 0; i < r->count && err != -ENOMEM; i++) {
		int more = r->rule[i]->wishes && root_of(parent, i) == i
				   ? make_group(r, parent, i, tell, ctx)
				   : 0;

		err = more ? more : err;
	}
	free(parent);
	return err;
}

/* ---- the table ---- */

static bool is_fixed(const struct pattern *p)
{
	return !p->count || !p->segment[0].open;
}

static struct slice first_of(const struct pattern *p)
{
	return p->count ? p->segment[0].front : slice_of(NULL, 0);
}

static struct bucket *find(const struct rules *r, struct slice segment)
{
	uint64_t h = slice_mix(segment, 1);

	for (;; h++) {
		struct bucket *b = &r->bucket[h & r->bucket_mask];

		if (!b->used || slice_eq(b->segment, segment))
			return b;
	}
}

const struct bucket *rules_bucket(const struct rules *r, struct slice segment)
{
	const struct bucket *b = find(r, segment);

	return b->used ? b : &r->rest;
}

/* NULL: of the rest, which rules with a fixed first segment have no part in. */
static bool is_in(const struct rule *rule, const struct bucket *b)
{
	if (!rule->path)
		return true;
	for (const struct pattern *p = rule->path; p; p = p->next)
		if (!is_fixed(p) || (b && slice_eq(first_of(p), b->segment)))
			return true;
	return false;
}

/* The last segment that must be one text, where the rule has but one template. */
static void mark(struct entry *e, const struct rule *rule, struct bucket *b)
{
	const struct pattern *p = rule->path;
	uint32_t i = p && !p->next ? p->count : 0;

	while (i && p->segment[i - 1].open)
		i--;
	if (!i)
		return;
	e->at = (uint8_t)(i - 1);
	e->mark = segment_mark(p->segment[i - 1].front);
	if (b->marks < i)
		b->marks = i;
}

/* The first text that a content must have, by which rules of one address are told apart: an operation. */
static void mark_text(struct entry *e, const struct rule *rule)
{
	const struct condition *c = rule->content;

	while (c && c->test->kind != TEST_EQUALS)
		c = c->next;
	if (!c)
		return;
	e->of_request = c->source.wish->request;
	e->of_response = !e->of_request;
	e->want = (uint16_t)c->source.wish->number;
	e->text_mark = segment_mark(c->test->text);
}

static int fill(struct rules *r, struct bucket *ret, bool rest)
{
	struct entry *e;
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->count; i++)
		n += is_in(r->rule[i], rest ? NULL : ret);
	e = arena_alloc(&r->arena, n * sizeof(*e));
	if (!e)
		return -ENOMEM;
	ret->entry = e;
	for (uint32_t i = 0; i < r->count; i++) {
		const struct rule *rule = r->rule[i];

		if (!is_in(rule, rest ? NULL : ret))
			continue;
		*e = (struct entry){ .rule = (uint16_t)i,
				     .methods = rule->methods,
				     .sides = rule->sides,
				     .wants = (uint8_t)(rule->wants[0] | rule->wants[1] << 1),
				     .at = ANY_SEGMENT };
		mark(e, rule, ret);
		mark_text(e, rule);
		ret->wants |= e->wants;
		e++;
	}
	ret->count = n;
	return 0;
}

static int make_table(struct rules *r)
{
	uint32_t paths = 0, room = 8;
	int err = 0;

	for (uint32_t i = 0; i < r->count; i++)
		for (const struct pattern *p = r->rule[i]->path; p; p = p->next)
			paths++;
	while (room < paths * 4)
		room *= 2;
	r->bucket = calloc(room, sizeof(*r->bucket));
	if (!r->bucket)
		return -ENOMEM;
	r->bucket_mask = room - 1;
	for (uint32_t i = 0; i < r->count; i++)
		for (const struct pattern *p = r->rule[i]->path; p; p = p->next) {
			struct bucket *b = is_fixed(p) ? find(r, first_of(p)) : NULL;

			if (b)
				*b = (struct bucket){ .segment = first_of(p), .used = true };
		}
	for (uint32_t i = 0; i < room && !err; i++)
		err = r->bucket[i].used ? fill(r, &r->bucket[i], false) : 0;
	return err ? err : fill(r, &r->rest, true);
}

int rules_group(struct rules *r, void (*tell)(void *ctx, const struct rule *rule, const char *text),
		void *ctx)
{
	int err = make_groups(r, tell, ctx);
	uint32_t most[2] = { 0, 0 };

	if (err)
		return err;
	for (const struct group *g = r->groups; g; g = g->next)
		for (unsigned request = 0; request < 2; request++)
			if (g->count[request] > most[request])
				most[request] = g->count[request];
	for (unsigned request = 0; request < 2; request++) {
		r->first[request] = calloc((size_t)most[request] + 1, sizeof(uint32_t));
		if (!r->first[request])
			return -ENOMEM;
	}
	return make_table(r);
}
