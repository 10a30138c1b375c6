/* SPDX-License-Identifier: Apache-2.0 */
/*
 * when.c: which transactions a rule is about. Keys that it has by name are read first, since the names in the
 * template of its path may be used by the others, which are sources.
 */
#include <stdio.h>

#include "journey/rule/file/file.h"

/* ---- lists of texts ---- */

static bool add_text(struct parse *p, const struct node *n, const char *what, bool lower,
		     struct text_list ***end)
{
	struct text_list *one;
	struct slice copy;

	if (!node_text(p->f, n, what))
		return false;
	one = file_alloc(p->f, sizeof(*one));
	copy = file_copy(p->f, n->text);
	if (!one || !copy.at)
		return false;
	for (size_t i = 0; lower && i < copy.len; i++)
		if (copy.at[i] >= 'A' && copy.at[i] <= 'Z')
			((char *)(uintptr_t)copy.at)[i] |= 0x20;
	one->text = copy;
	**end = one;
	*end = (struct text_list **)(uintptr_t)&one->next;
	return true;
}

/* One text, or a list of them. */
const struct text_list *texts_read(struct parse *p, const struct node *n, const char *what,
				   bool lower)
{
	struct text_list *list = NULL, **end = &list;

	if (n->kind != NODE_LIST) {
		add_text(p, n, what, lower, &end);
		return list;
	}
	if (!n->first)
		file_error(p->f, n, "an empty list: leave the key out for any");
	for (const struct node *i = n->first; i; i = i->next)
		add_text(p, i, what, lower, &end);
	return list;
}

const struct text_list *sites_read(struct parse *p, const struct node *n)
{
	const struct text_list *list = texts_read(p, n, "a name such as shop.example", true);

	for (struct text_list *i = (struct text_list *)(uintptr_t)list; i;
	     i = (struct text_list *)(uintptr_t)i->next) {
		if (slice_find(i->text, '/') >= 0)
			file_error(p->f, n, "%.*s: a name, not an address: shop.example",
				   (int)slice_sub(i->text, 0, 60).len, i->text.at);
		if (slice_starts(i->text, SLICE("www.")) &&
		    slice_find(slice_sub(i->text, 4, i->text.len), '.') > 0)
			i->text = slice_sub(i->text, 4, i->text.len);
	}
	return list;
}

/* ---- keys by name ---- */

static void method_add(struct parse *p, const struct node *n)
{
	if (!node_text(p->f, n, "a method such as POST"))
		return;
	for (unsigned i = 0; i < METHODS; i++) {
		if (!slice_ieq(n->text, rule_methods[i]))
			continue;
		if (!slice_eq(n->text, rule_methods[i]))
			file_error(p->f, n, "methods are written in capitals: %s",
				   rule_methods[i].at);
		p->rule->methods |= (uint16_t)(1u << i);
		return;
	}
	file_error(p->f, n,
		   "unknown method %.*s: GET, POST, PUT, PATCH, DELETE, HEAD, QUERY, OPTIONS",
		   (int)slice_sub(n->text, 0, 40).len, n->text.at);
}

static void method_read(struct parse *p, const struct node *n)
{
	p->rule->methods = 0;
	if (n->kind != NODE_LIST)
		method_add(p, n);
	else if (!n->first)
		file_error(p->f, n, "an empty list: leave `method` out for any");
	for (const struct node *i = n->kind == NODE_LIST ? n->first : NULL; i; i = i->next)
		method_add(p, i);
}

static void status_set(struct rule *rule, unsigned from, unsigned to)
{
	for (unsigned s = from; s <= to; s++)
		for (unsigned c = 0; c < 2; c++)
			rule->status[c][(s - 100) / 64] |= 1ull << (s - 100) % 64;
}

static void status_add(struct parse *p, const struct node *n)
{
	struct slice s = n->text;
	uint64_t v;

	if (!node_text(p->f, n, "a status such as 303 or 2xx"))
		return;
	if (s.len == 3 && s.at[0] >= '1' && s.at[0] <= '5' &&
	    slice_ieq(slice_sub(s, 1, 3), SLICE("xx")))
		status_set(p->rule, (unsigned)(s.at[0] - '0') * 100,
			   (unsigned)(s.at[0] - '0') * 100 + 99);
	else if (!slice_u64(s, &v) && v >= 100 && v <= 599)
		status_set(p->rule, (unsigned)v, (unsigned)v);
	else
		file_error(p->f, n, "no status: %.*s; write a number such as 303, or 2xx",
			   (int)slice_sub(s, 0, 40).len, s.at);
}

static void status_read(struct parse *p, const struct node *n)
{
	memset(p->rule->status, 0, sizeof(p->rule->status));
	if (n->kind != NODE_LIST)
		status_add(p, n);
	else if (!n->first)
		file_error(p->f, n, "an empty list: leave `status` out for the usual ones");
	for (const struct node *i = n->kind == NODE_LIST ? n->first : NULL; i; i = i->next)
		status_add(p, i);
}

static void pattern_add(struct parse *p, const struct node *n, struct place_names *names,
			struct pattern ***end)
{
	const char *why;
	size_t at;

	if (!node_text(p->f, n, "a path such as /orders/{number}"))
		return;
	**end = pattern_read(p->f->arena, n->text, names, &at, &why);
	if (**end)
		*end = &(**end)->next;
	else if (why)
		file_error_in(p->f, n, at, "%s", why);
	else
		p->f->no_memory = true;
}

/* A template, or several of them. */
static void patterns_read(struct parse *p, const struct node *n, struct place_names *names,
			  struct pattern **ret)
{
	unsigned count = 0;

	if (n->kind == NODE_VALUE)
		pattern_add(p, n, names, &ret);
	else if (!n->first)
		file_error(p->f, n, "an empty list: write the paths that it may be");
	for (const struct node *i = n->kind == NODE_LIST ? n->first : NULL; i; i = i->next) {
		if (++count > PLACES) {
			file_error(p->f, i, "more than %d paths in one rule: write two rules",
				   PLACES);
			return;
		}
		pattern_add(p, i, names, &ret);
	}
}

static void side_read(struct parse *p, const struct node *n)
{
	static const char *const sides[] = { "incoming", "outgoing", "both", NULL };

	if (!node_text(p->f, n, "incoming, outgoing or both"))
		return;
	for (unsigned i = 0; i < 3; i++)
		if (slice_eq(n->text, slice_str(sides[i]))) {
			p->rule->sides = (uint8_t)(i + 1);
			return;
		}
	file_unknown(p->f, n, "side", n->text, sides);
}

_Static_assert(1 << SIDE_SERVER == 1 && 1 << SIDE_CLIENT == 2, "sides in the order of their bits");

enum when_key {
	K_METHOD,
	K_STATUS,
	K_PATH,
	K_LOCATION,
	K_TYPE,
	K_SITE,
	K_HOST,
	K_SIDE,
	K_NAVIGATION,
	K_NONE
};

static const char *const keys[] = { "method", "status", "path", "location",   "type",
				    "site",   "host",	"side", "navigation", NULL };

/* K_NONE: a source. */
static enum when_key key_of(const struct node *n)
{
	unsigned k = 0;

	while (keys[k] && !slice_eq(n->key->text, slice_str(keys[k])))
		k++;
	/* operators ask the whole text */
	return n->kind == NODE_GROUP && (k == K_PATH || k == K_LOCATION) ? K_NONE
									 : (enum when_key)k;
}

static void named(struct parse *p, const struct node *n)
{
	struct rule *rule = p->rule;

	switch (key_of(n)) {
	case K_METHOD:
		method_read(p, n);
		break;
	case K_STATUS:
		status_read(p, n);
		break;
	case K_PATH:
		patterns_read(p, n, &rule->places, &rule->path);
		break;
	case K_LOCATION:
		patterns_read(p, n, &rule->location_places, &rule->location);
		rule->has_location = true;
		break;
	case K_TYPE:
		rule->types = texts_read(p, n, "a content type such as text/html", true);
		break;
	case K_SITE:
		rule->sites = sites_read(p, n);
		break;
	case K_HOST:
		rule->hosts = sites_read(p, n);
		break;
	case K_SIDE:
		side_read(p, n);
		break;
	case K_NAVIGATION:
		rule->has_navigation = file_bool(p->f, n, &rule->navigation);
		break;
	default:
		break;
	}
}

/* ---- sources ---- */

static struct condition *condition_read(struct parse *p, const struct node *n)
{
	struct condition *c = file_alloc(p->f, sizeof(*c));

	if (!c || !source_read(p, n->key, n->key->text, &c->source))
		return NULL;
	if (c->source.from == FROM_CONSTANT) {
		file_error(p->f, n->key, "a constant is always the same: nothing to ask of it");
		return NULL;
	}
	c->test = test_read(p, n);
	return c->test ? c : NULL;
}

const struct condition *conditions_read(struct parse *p, const struct node *n)
{
	struct condition *first = NULL, **end = &first;

	if (!group_is(p->f, n, "conditions such as `json $.ok: true`"))
		return NULL;
	group_each(p->f, n, m)
	{
		*end = condition_read(p, m);
		if (*end)
			end = &(*end)->next;
	}
	return first;
}

/* To those that are asked at the same time. */
static void file_condition(struct rule *rule, struct condition *c)
{
	struct condition **list;

	switch (c->source.from) {
	case FROM_BODY:
		list = &rule->content;
		break;
	case FROM_PATH:
	case FROM_PLACE:
	case FROM_QUERY:
	case FROM_FIELD:
		list = &rule->request;
		break;
	default:
		list = &rule->response;
		break;
	}
	while (*list)
		list = &(*list)->next;
	*list = c;
}

/* A single word that is no key was meant to be one. */
static bool is_misspelt(struct parse *p, const struct node *n)
{
	if (slice_find(n->key->text, ' ') >= 0 || slice_find(n->key->text, '.') >= 0 ||
	    slice_eq(n->key->text, SLICE("path")) || slice_eq(n->key->text, SLICE("location")))
		return false;
	file_unknown(p->f, n->key, "key", n->key->text, keys);
	return true;
}

void when_read(struct parse *p, const struct node *n)
{
	struct rule *rule = p->rule;

	status_set(rule, 200, 299);
	status_set(rule, 304, 304);
	for (unsigned s = 300; s < 400; s++) /* what changed something sends its visitor on */
		rule->status[1][(s - 100) / 64] |= 1ull << (s - 100) % 64;
	if (!group_is(p->f, n, "what the rule is about, such as `path: /cart`"))
		return;
	group_each(p->f, n, m)
	{
		named(p, m);
	}
	for (const struct node *m = n->first; m; m = m->next) {
		struct condition *c;

		if (key_of(m) != K_NONE || is_misspelt(p, m))
			continue;
		c = condition_read(p, m);
		if (c)
			file_condition(rule, c);
	}
}
