/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match.c: which rules hold, as far as heads tell. Most requests are no business of any rule, so the first
 * segment of the path finds the few that may hold (group.c), method and side are looked at next, and whatever
 * costs more comes last. Nothing is allocated.
 */
#include "journey/rule/inside.h"

const struct slice rule_methods[METHODS] = {
	SLICE("GET"),  SLICE("POST"),  SLICE("PUT"),	 SLICE("PATCH"), SLICE("DELETE"),
	SLICE("HEAD"), SLICE("QUERY"), SLICE("OPTIONS"), SLICE("TRACE"), SLICE("CONNECT"),
};

uint16_t look_method(const struct transaction *t)
{
	for (unsigned i = 0; t->method_known && i < METHODS; i++)
		if (slice_eq(t->method, rule_methods[i]))
			return (uint16_t)(1u << i);
	return 0;
}

const struct bucket *look_bucket(struct look *l)
{
	struct slice path = l->t->path, segment;
	bool cut = false;

	if (!path.len || path.at[0] != '/')
		return &l->rules->rest;
	segment = slice_sub(path, 1, path.len);
	segment = slice_next(&segment, '/');
	for (size_t i = 0; i < segment.len && !cut; i++)
		cut = segment.at[i] == '%' || segment.at[i] == ';';
	if (cut) {
		path_cut(l->rules, path, &l->path);
		segment = l->path.count ? l->path.segment[0] : slice_of(NULL, 0);
	}
	return rules_bucket(l->rules, segment);
}

void look_path(struct look *l, const struct bucket *b)
{
	struct path_cut *p = &l->path;

	path_cut(l->rules, l->t->path, p);
	/* where there is more, the last one is all of the rest */
	p->marks = p->count - (p->more && p->count);
	if (p->marks > b->marks)
		p->marks = b->marks;
	for (uint32_t i = 0; i < p->marks; i++)
		p->mark[i] = segment_mark(p->segment[i]);
}

/* ---- parts of a rule ---- */

static bool is_site(struct slice rule, struct slice site)
{
	if (slice_starts(rule, SLICE("*.")))
		return slice_ends(site, slice_sub(rule, 1, rule.len));
	return slice_eq(rule, site);
}

static bool is_any(const struct text_list *list, struct slice name)
{
	for (; list; list = list->next)
		if (is_site(list->text, name))
			return true;
	return false;
}

/* The site is told by a later stage once the request's head was seen. */
static enum truth site_holds(const struct look *l, const struct rule *rule)
{
	struct site host;

	if (!rule->sites && !rule->hosts)
		return YES;
	site_of_name(l->t->server_name, &host);
	if (rule->hosts && !is_any(rule->hosts, site_slice(&host)))
		return NO;
	if (!rule->sites || is_any(rule->sites, site_slice(&host)))
		return YES;
	if (!l->t->site.at)
		return OPEN;
	return is_any(rule->sites, l->t->site) ? YES : NO;
}

static bool patterns_hold(const struct pattern *p, const struct path_cut *path,
			  struct slice place[PLACES], uint32_t places)
{
	for (uint32_t i = 0; i < places; i++)
		place[i] = slice_of(NULL, 0);
	for (; p; p = p->next)
		if (pattern_holds(p, path, place))
			return true;
		else
			for (uint32_t i = 0; i < places; i++)
				place[i] = slice_of(NULL, 0);
	return false;
}

static bool type_holds(const struct rule *rule, struct slice field)
{
	struct slice type = slice_trim(slice_next(&field, ';'));

	for (const struct text_list *i = rule->types; i; i = i->next) {
		struct slice text = i->text;

		if (slice_ends(text, SLICE("/*"))) {
			if (slice_istarts(type, slice_sub(text, 0, text.len - 1)))
				return true;
		} else if (slice_ieq(text, type)) {
			return true;
		}
	}
	return !rule->types;
}

static bool status_holds(const struct look *l, const struct rule *rule)
{
	const struct transaction *t = l->t;
	const uint64_t *set = rule->status[(l->method & CHANGING) != 0];
	unsigned n = t->status - 100u;

	return t->response.seen && t->status >= 100 && n < STATUS_WORDS * 64 &&
	       set[n / 64] >> n % 64 & 1;
}

static bool location_holds(struct look *l, const struct rule *rule)
{
	if (!rule->has_location)
		return true;
	look_location(l);
	return patterns_hold(rule->location, &l->location, l->location_place,
			     rule->location_places.count);
}

/* What was fetched ahead was seen by nobody. */
static bool page_holds(struct look *l, const struct rule *rule, bool answered)
{
	const struct transaction *t = l->t;
	bool navigation;

	if (!l->has_signs) {
		struct who_fields f;

		who_fields_find(t->request.fields, t->request.field_count, &f);
		page_signs_of(t->method, t->path, &f, &l->signs);
		l->has_signs = true;
	}
	if (l->signs.flags & PAGE_PREFETCH)
		return false;
	if (!rule->has_navigation)
		return true;
	if (!answered)
		return l->signs.kind == PAGE_UNOBSERVED ||
		       (l->signs.kind == PAGE_NAVIGATION) == rule->navigation;
	if (!l->has_page)
		page_kind_of(&l->signs, t->status, t->response_type, slice_of(NULL, 0), &l->page);
	l->has_page = true;
	navigation = l->page.kind == PAGE_NAVIGATION;
	return l->page.kind != PAGE_UNOBSERVED && navigation == rule->navigation;
}

/* ---- rules ---- */

static enum truth request_holds(struct look *l, const struct rule *rule)
{
	enum truth site = site_holds(l, rule), fields;

	if (site == NO ||
	    (rule->path && !patterns_hold(rule->path, &l->path, l->place, rule->places.count)))
		return NO;
	fields = conditions_hold(l, rule->request, NULL, 0);
	return fields == YES ? site : fields;
}

static enum truth response_holds(struct look *l, const struct rule *rule)
{
	if (!status_holds(l, rule) || !type_holds(rule, l->t->response_type) ||
	    !location_holds(l, rule))
		return NO;
	return conditions_hold(l, rule->response, NULL, 0);
}

enum truth rule_holds(struct look *l, const struct rule *rule)
{
	enum truth request, response;

	l->rule = rule;
	/* the cheapest first: status and type */
	if (!status_holds(l, rule))
		return NO;
	request = request_holds(l, rule);
	if (request == NO)
		return NO;
	response = response_holds(l, rule);
	if (response == NO || !page_holds(l, rule, true))
		return NO;
	return request == OPEN || response == OPEN ? OPEN : YES;
}

/* `answered`: the head of the response was seen. */
static bool may_hold(struct look *l, const struct rule *rule, bool answered)
{
	l->rule = rule;
	if (answered && !status_holds(l, rule))
		return false;
	if (request_holds(l, rule) == NO)
		return false;
	if (answered && response_holds(l, rule) == NO)
		return false;
	return page_holds(l, rule, answered);
}

/* The first rule that wants something of that message and may hold; NULL. */
static const struct rule *first_wanting(struct rules *r, const struct transaction *t, bool request,
					bool answered)
{
	struct look *l = &r->look;
	const struct bucket *b;

	look_init(l, r, t);
	b = look_bucket(l);
	if (!(b->wants >> request & 1))
		return NULL;
	l->method = look_method(t);
	look_path(l, b);
	for (uint32_t i = 0; i < b->count; i++) {
		const struct entry *e = &b->entry[i];

		if (e->wants >> request & 1 && look_entry(l, e) &&
		    may_hold(l, r->rule[e->rule], answered))
			return r->rule[e->rule];
	}
	return NULL;
}

const struct body_wants *rules_wants(struct rules *r, const struct transaction *t, bool request)
{
	const struct rule *rule = first_wanting(r, t, request, !request);

	return rule ? rule->group->wants[request] : NULL;
}

bool rules_may_want_response(struct rules *r, const struct transaction *t)
{
	return first_wanting(r, t, false, false) != NULL;
}

uint32_t rules_contents(const struct rules *r)
{
	uint32_t contents = 0;

	for (uint32_t i = 0; i < r->count; i++)
		contents |= (r->rule[i]->wants[true] ? TXN_REQUESTS : 0) |
			    (r->rule[i]->wants[false] ? TXN_RESPONSES : 0);
	return contents;
}
