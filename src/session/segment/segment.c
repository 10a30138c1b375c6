/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment.c: see segment.h. Called by session.c for each request of a visit; what is told is made when a fact
 * is. Owns the words for User-Agents, the database of places, the operator's rules and the campaigns.
 */
#include "session/segment/segment.h"

#include <errno.h>
#include <stdlib.h>

/* Nobody looks at twenty pages, each less than a second, and fetches nothing of any: no picture, no style, no
 * call of a script. Few people ask for robots.txt. */
#define SUSPECT_PAGES	20
#define SUSPECT_PAGE_NS 1000000000ull

struct segments {
	struct agents *agents;
	struct agent_word *words; /* the operator's */
	struct conditions *rules;
	struct touches *touches;
	struct geo *geo;
};

/* ---- life ---- */

static uint32_t count(const char *const *list)
{
	uint32_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

static void add_words(struct agent_word **to, const char *const *list, enum agent_word_kind kind)
{
	for (; list && *list; list++)
		*(*to)++ = (struct agent_word){ .text = *list, .kind = (uint8_t)kind, .rank = 255 };
}

/* Of an operator: what is a robot on his site, what a monitor, what an application that people use. */
static int make_words(struct segments *s, const struct session_options *o)
{
	uint32_t n = count(o->robots) + count(o->monitors) + count(o->applications);
	struct agent_word *at;

	if (!n)
		return 0;
	s->words = at = calloc(n + 1, sizeof(*at));
	if (!at)
		return -ENOMEM;
	add_words(&at, o->applications, WORD_PERSON);
	add_words(&at, o->robots, WORD_BOT);
	add_words(&at, o->monitors, WORD_TEST);
	return 0;
}

int segments_new(const struct session_options *o, struct segments **ret)
{
	struct segments *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	err = make_words(s, o);
	if (!err)
		err = agents_new(s->words, &s->agents);
	if (!err)
		err = conditions_new(o->touchpoints, o->classes, &s->rules);
	if (!err)
		err = touches_new(TOUCHES, &s->touches);
	if (err) {
		segments_free(s);
		return err;
	}
	*ret = s;
	return 0;
}

void segments_free(struct segments *s)
{
	if (!s)
		return;
	agents_free(s->agents);
	conditions_free(s->rules);
	touches_free(s->touches);
	geo_free(s->geo);
	free(s->words);
	free(s);
}

int segments_places(struct segments *s, struct slice file, const char **ret_why)
{
	if (file.at)
		return geo_replace(&s->geo, file, ret_why);
	geo_free(s->geo);
	s->geo = NULL;
	return 0;
}

const struct conditions *segments_conditions(const struct segments *s)
{
	return s->rules;
}

struct touches *segments_touches(const struct segments *s)
{
	return s->touches;
}

void segments_stats(const struct segments *s, struct segment_stats *ret)
{
	struct geo_stats geo = { 0 };

	if (s->geo)
		geo_get_stats(s->geo, &geo);
	*ret = (struct segment_stats){ .places_found = geo.found,
				       .places_absent = geo.absent,
				       .places_damaged = geo.damaged,
				       .campaigns_overflow = touches_overflow(s->touches) };
}

void segments_agent(struct segments *s, const struct who_fields *f, struct transaction *t)
{
	struct agent agent;

	agent_of(s->agents, f, &agent);
	t->agent_name = agent.name;
	t->agent_version = agent.version;
	t->agent_synthetic = synthetic_name(agent.synthetic);
}

uint32_t segments_words(const struct segments *s)
{
	return agents_count(s->agents);
}

/* ---- of a visit ---- */

void segment_begin(struct segments *s, const struct request *r, enum visitor_kind visitor,
		   struct visit_segment *ret)
{
	struct agent agent;

	*ret = (struct visit_segment){ .visitor = (uint8_t)visitor };
	agent_of(s->agents, &r->fields, &agent);
	ret->device = (uint8_t)agent.device;
	ret->os = (uint8_t)agent.os;
	ret->browser = (uint8_t)agent.browser;
	ret->synthetic = (uint8_t)agent.synthetic;
	ret->robot = agent.robot;
	if (r->client.source)
		geo_find(s->geo, &r->client.address, &ret->place);
}

void segment_leave(struct segments *s, struct visit_segment *v)
{
	touches_leave(s->touches, v->first);
	touches_leave(s->touches, v->last);
	v->first = v->last = 0;
}

void segment_forget_way(struct segments *s, struct visit_segment *v)
{
	segment_leave(s, v);
	v->first_channel = v->last_channel = CHANNEL_UNOBSERVED;
}

/* The campaign's own name of its source, else the host that led here. */
static uint16_t hold(struct segments *s, const struct touch *t)
{
	const struct slice part[3] = {
		t->source.len ? slice_of(t->source.at, t->source.len) : site_slice(&t->referrer),
		slice_of(t->medium.at, t->medium.len),
		slice_of(t->name.at, t->name.len),
	};

	return touches_hold(s->touches, part);
}

/* First: of the first page. Last: of the latest page that was come to from elsewhere; who only types the
 * address came by what was before (GA4's last non-direct). */
static void take_touch(struct segments *s, struct visit_segment *v, const struct request *r,
		       const struct sites *sites, const struct known_site *site)
{
	const struct transaction *t = r->t;
	struct slice own[2] = { r->host };
	struct touch touch;
	size_t count_own = 1;

	if (!v->first_channel || t->referer.len || t->query.len) {
		if (sites_has_url(sites, site, t->referer, &own[1]))
			count_own++;
		channel_of(site_name(site), t->referer, t->query, own, count_own, &touch);
	} else {
		return; /* direct, and not the first */
	}
	if (!v->first_channel) {
		v->first_channel = v->last_channel = (uint8_t)touch.channel;
		v->first = hold(s, &touch);
		v->last = hold(s, &touch);
		return;
	}
	if (touch.channel == CHANNEL_INTERNAL || touch.channel == CHANNEL_DIRECT)
		return;
	touches_leave(s->touches, v->last);
	v->last_channel = (uint8_t)touch.channel;
	v->last = hold(s, &touch);
}

static bool is_part(enum page_kind k)
{
	switch (k) {
	case PAGE_FRAME:
	case PAGE_STYLE:
	case PAGE_SCRIPT:
	case PAGE_IMAGE:
	case PAGE_FONT:
	case PAGE_MEDIA:
	case PAGE_RESOURCE:
	case PAGE_CALL:
	case PAGE_BEACON:
	case PAGE_EVENT_STREAM:
	case PAGE_WEBSOCKET:
		return true;
	default:
		return false;
	}
}

static bool is_hasty(const struct visit_segment *v, uint32_t page_views, uint64_t lasted_ns)
{
	return page_views >= SUSPECT_PAGES && !v->fetched &&
	       lasted_ns < page_views * SUSPECT_PAGE_NS;
}

void segment_add(struct segments *s, struct visit_segment *v, const struct request *r,
		 const struct sites *sites, const struct known_site *site, bool page,
		 uint32_t page_views, uint64_t lasted_ns)
{
	v->touchpoint = conditions_of_request(s->rules, RULE_TOUCHPOINT, r, v->touchpoint);
	v->class = conditions_of_request(s->rules, RULE_CLASS, r, v->class);
	if (page) {
		v->pages = true;
		take_touch(s, v, r, sites, site);
	}
	if (slice_eq(r->t->path, SLICE("/robots.txt")))
		v->suspected = true;
	else if (!page)
		v->fetched |= is_part(r->page.kind);
	v->suspected |= is_hasty(v, page_views, lasted_ns);
}

static const char *touchpoint_of(const struct segments *s, const struct visit_segment *v)
{
	if (v->touchpoint)
		return conditions_name(s->rules, v->touchpoint);
	if (v->browser == BROWSER_APP)
		return "application";
	return v->pages ? "web" : NULL;
}

static void tell_touch(const struct touches *t, uint8_t channel, uint16_t number,
		       struct segment_touch *to)
{
	to->channel = channel ? channel_name((enum channel)channel) : NULL;
	to->source = touches_part(t, number, 0);
	to->medium = touches_part(t, number, 1);
	to->campaign = touches_part(t, number, 2);
}

void segment_tell(const struct segments *s, const struct visit_segment *v, bool cart,
		  struct segment *ret)
{
	static const char *const visitors[] = { NULL, "new", "returning" };

	*ret = (struct segment){
		.synthetic = synthetic_name((enum synthetic)v->synthetic),
		.device = device_name((enum device)v->device),
		.os = os_name((enum os)v->os),
		.browser = agents_name(s->agents, (enum browser)v->browser, v->robot),
		.touchpoint = touchpoint_of(s, v),
		.customer = conditions_name(s->rules, v->class),
		.visitor = visitors[v->visitor],
		.suspected = v->suspected && !v->fetched && !v->synthetic && !cart,
	};
	memcpy(ret->country, v->place.country, sizeof(ret->country));
	if (v->place.country[0] && v->place.region[0]) {
		memcpy(ret->region, v->place.country, 2);
		ret->region[2] = '-';
		memcpy(ret->region + 3, v->place.region, sizeof(v->place.region));
	}
	tell_touch(s->touches, v->first_channel, v->first, &ret->first);
	tell_touch(s->touches, v->last_channel, v->last, &ret->last);
}
