/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conditions.c: the operator's conditions, see segment.h. A condition is PLACE:WHAT,
 *
 *   host:GLOB  path:GLOB  agent:GLOB  address:NETWORK
 *   query:NAME  header:NAME  cookie:NAME, each with =GLOB or, without, for any value
 *
 * with '*' for any octets; hosts and names of fields in any case. The first that holds of a kind wins, over
 * all requests of a visit: who was staff once is staff. Fields and cookies are asked where the head stands in
 * the stream, since most are never copied; what is kept of them is one bit.
 */
#include "session/segment/segment.h"

#include <errno.h>
#include <stdlib.h>

#include "session/evidence/cookie.h"
#include "session/page/url.h"

enum rule_place { AT_HOST, AT_PATH, AT_AGENT, AT_ADDRESS, AT_QUERY, AT_HEADER, AT_COOKIE, PLACES };

struct rule {
	enum rule_place place;
	enum rule_of kind;
	struct slice what;  /* GLOB or NAME, up to its end */
	struct slice value; /* at == NULL: any */
	const char *name;   /* what is said where it holds */
	uint32_t net;	    /* AT_ADDRESS: place in rules.nets */
};

struct conditions {
	struct rule at[RULES];
	uint32_t count;
	uint64_t of_head; /* bits of those that ask for fields and cookies */
	struct trust nets[];
};

/* ---- reading them ---- */

static bool parse(struct slice text, struct rule *ret)
{
	static const struct slice places[PLACES] = {
		[AT_HOST] = SLICE("host:"),	[AT_PATH] = SLICE("path:"),
		[AT_AGENT] = SLICE("agent:"),	[AT_ADDRESS] = SLICE("address:"),
		[AT_QUERY] = SLICE("query:"),	[AT_HEADER] = SLICE("header:"),
		[AT_COOKIE] = SLICE("cookie:"),
	};

	for (unsigned p = 0; p < PLACES; p++) {
		struct trust net = { .count = 0 };

		if (!slice_starts(text, places[p]))
			continue;
		text = slice_sub(text, places[p].len, text.len);
		*ret = (struct rule){ .place = (enum rule_place)p };
		ret->what = text;
		if (p >= AT_QUERY) {
			ret->what = slice_next(&text, '=');
			ret->value = text;
		}
		if (p == AT_PATH && ret->what.len && !memchr("/*", ret->what.at[0], 2))
			return false; /* no path begins so */
		return ret->what.len && (p != AT_ADDRESS || !trust_add(&net, ret->what));
	}
	return false;
}

const char *segment_check(const char *condition)
{
	struct rule r;

	return parse(slice_str(condition), &r) && !strchr(condition, '\n')
		       ? NULL
		       : "is no condition: host:, path:, agent: with a glob, address: with a "
			 "network, "
			 "query:, header:, cookie: with NAME or NAME=GLOB";
}

static int add(struct conditions *r, enum rule_of kind, const char *const *list, uint32_t *nets)
{
	for (; list && *list; list++) {
		struct slice text = slice_str(*list), condition = slice_next(&text, '\n');
		struct rule *rule = &r->at[r->count];

		if (r->count == RULES)
			return -ENOSPC;
		if (!text.at || !parse(condition, rule))
			return -EINVAL;
		rule->kind = kind;
		rule->name = text.at;
		if (rule->place >= AT_HEADER)
			r->of_head |= 1ull << r->count;
		if (rule->place == AT_ADDRESS) {
			rule->net = (*nets)++;
			trust_add(&r->nets[rule->net], rule->what);
		}
		r->count++;
	}
	return 0;
}

static uint32_t count_nets(const char *const *list)
{
	uint32_t n = 0;

	for (; list && *list; list++)
		n += slice_starts(slice_str(*list), SLICE("address:"));
	return n;
}

int conditions_new(const char *const *touchpoints, const char *const *classes,
		   struct conditions **ret)
{
	uint32_t nets = count_nets(touchpoints) + count_nets(classes);
	struct conditions *r = calloc(1, sizeof(*r) + nets * sizeof(r->nets[0]));
	int err;

	if (!r)
		return -ENOMEM;
	nets = 0;
	err = add(r, RULE_TOUCHPOINT, touchpoints, &nets);
	if (!err)
		err = add(r, RULE_CLASS, classes, &nets);
	if (err) {
		free(r);
		return err;
	}
	*ret = r;
	return 0;
}

void conditions_free(struct conditions *r)
{
	free(r);
}

const char *conditions_name(const struct conditions *r, uint8_t rule)
{
	return rule && rule <= r->count ? r->at[rule - 1].name : NULL;
}

uint64_t conditions_mark(const struct conditions *r)
{
	uint64_t mark = r->count;

	for (uint32_t i = 0; i < r->count; i++) {
		mark = slice_hash(r->at[i].what, mark + r->at[i].place);
		mark = slice_hash(r->at[i].value, mark + r->at[i].kind);
		mark = slice_hash(slice_str(r->at[i].name), mark);
	}
	return mark;
}

/* ---- asking them ---- */

static bool fits(struct slice glob, struct slice value)
{
	size_t g = 0, at = 0, mark = 0;
	long star = -1;

	while (at < value.len) {
		if (g < glob.len && glob.at[g] == '*') {
			star = (long)++g;
			mark = at;
		} else if (g < glob.len && glob.at[g] == value.at[at]) {
			g++;
			at++;
		} else if (star >= 0) {
			g = (size_t)star;
			at = ++mark;
		} else {
			return false;
		}
	}
	while (g < glob.len && glob.at[g] == '*')
		g++;
	return g == glob.len;
}

static bool is_value(const struct rule *r, struct slice value)
{
	return !r->value.at || fits(r->value, value);
}

static bool has_cookie(const struct rule *r, struct slice field)
{
	struct cookie c;

	while (cookie_next(&field, &c))
		if (slice_eq(c.name, r->what) && is_value(r, c.value))
			return true;
	return false;
}

static bool holds_in(const struct rule *r, const struct head *h)
{
	for (uint32_t i = 0; i < h->field_count; i++) {
		const struct field *f = &h->fields[i];

		if (r->place == AT_COOKIE) {
			if (slice_ieq(f->name, SLICE("cookie")) && has_cookie(r, f->value))
				return true;
		} else if (slice_ieq(f->name, r->what) && is_value(r, slice_trim(f->value))) {
			return true;
		}
	}
	return false;
}

uint64_t conditions_of_head(const struct conditions *r, const struct head *h)
{
	uint64_t holds = 0;

	for (uint32_t i = 0; r->of_head && i < r->count; i++)
		if (r->of_head >> i & 1 && holds_in(&r->at[i], h))
			holds |= 1ull << i;
	return holds;
}

static bool has_parameter(const struct rule *r, struct slice query)
{
	while (query.at) {
		struct slice value = slice_next(&query, '&'), name = slice_next(&value, '=');

		if (slice_eq(name, r->what) && is_value(r, value))
			return true;
	}
	return false;
}

static bool is_host(struct slice glob, struct slice host)
{
	char text[SITE_BYTES];

	if (host.len > sizeof(text))
		return false;
	for (size_t i = 0; i < host.len; i++)
		text[i] = host.at[i] >= 'A' && host.at[i] <= 'Z' ? (char)(host.at[i] | 0x20)
								 : host.at[i];
	return fits(glob, slice_of(text, host.len));
}

static bool holds(const struct conditions *rules, uint32_t i, const struct request *request)
{
	const struct transaction *t = request->t;
	const struct rule *r = &rules->at[i];

	switch (r->place) {
	case AT_HOST:
		return is_host(r->what, t->server_name);
	case AT_PATH:
		return fits(r->what, t->path);
	case AT_AGENT:
		return t->user_agent.at && fits(r->what, t->user_agent);
	case AT_ADDRESS:
		return request->client.source &&
		       trust_has(&rules->nets[r->net], &request->client.address);
	case AT_QUERY:
		return has_parameter(r, t->query);
	default:
		return t->request.evidence.marks >> i & 1;
	}
}

uint8_t conditions_of_request(const struct conditions *r, enum rule_of kind,
			      const struct request *request, uint8_t best)
{
	uint32_t until = best ? best - 1u : r->count;

	for (uint32_t i = 0; i < until; i++)
		if (r->at[i].kind == kind && holds(r, i, request))
			return (uint8_t)(i + 1);
	return best;
}
