/* SPDX-License-Identifier: Apache-2.0 */
/*
 * definition.c: see definition.h. Pure.
 */
#include "journey/definition.h"

#include <fnmatch.h>

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : !a && !b;
}

static bool same_list(const char *const *a, const char *const *b)
{
	while (a && *a && b && *b && !strcmp(*a, *b))
		a++, b++;
	return !(a && *a) && !(b && *b);
}

static bool same_step(const struct funnel_step *a, const struct funnel_step *b)
{
	return same(a->name, b->name) && same(a->event, b->event) && same_list(a->pages, b->pages);
}

bool funnel_same(const struct funnel *a, const struct funnel *b)
{
	if (!same(a->name, b->name) || !same(a->site, b->site) || a->step_count != b->step_count)
		return false;
	for (uint32_t i = 0; i < a->step_count; i++)
		if (!same_step(&a->steps[i], &b->steps[i]))
			return false;
	return true;
}

bool objective_same(const struct objective *a, const struct objective *b)
{
	return same(a->name, b->name) && same(a->funnel->name, b->funnel->name) &&
	       same(a->funnel->site, b->funnel->site) && same_step(a->step, b->step) &&
	       same(a->device, b->device) && same(a->country, b->country) &&
	       same(a->touchpoint, b->touchpoint) && same(a->customer, b->customer) &&
	       same(a->visitor, b->visitor) && same(a->channel, b->channel) &&
	       a->under_ns == b->under_ns && a->share_ppm == b->share_ppm;
}

/* Of a wish that was named. What is unobserved fits none. */
static bool fits(const char *wish, const char *is)
{
	return !wish || (is && !strcmp(wish, is));
}

/* Staff and tests only where they are asked for. */
static bool is_human_customer(const struct objective *o, const struct segment *s)
{
	return !s->synthetic &&
	       (o->customer || !s->customer ||
		(strcmp(s->customer, "staff") != 0 && strcmp(s->customer, "test") != 0));
}

static bool is_of_segment(const struct objective *o, const struct segment *s)
{
	return fits(o->device, s->device) && fits(o->country, s->country) &&
	       fits(o->touchpoint, s->touchpoint) && fits(o->customer, s->customer) &&
	       fits(o->visitor, s->visitor) && fits(o->channel, s->first.channel);
}

static bool is_of_step(const struct funnel_step *step, struct slice path)
{
	char text[1025];

	if (path.len >= sizeof(text))
		return false;
	memcpy(text, path.at, path.len);
	text[path.len] = 0;
	for (const char *const *page = step->pages; page && *page; page++)
		if (!fnmatch(*page, text, 0))
			return true;
	return false;
}

enum objective_result objective_judge(const struct objective *o, const struct session_fact *f)
{
	const struct page_seen *p = f->page;

	if (!is_human_customer(o, &f->segment) || !is_of_segment(o, &f->segment) ||
	    (o->funnel->site && !slice_eq(f->site, slice_str(o->funnel->site))) ||
	    !is_of_step(o->step, p->path))
		return OBJECTIVE_NOT_OF_IT;
	if (p->outcome == PAGE_FAILED || p->outcome == PAGE_SERVER_RESET ||
	    p->outcome == PAGE_TIMED_OUT)
		return OBJECTIVE_MISSED;
	if (!(p->has & PAGE_HAS_LIVED))
		return OBJECTIVE_NOT_OF_IT;
	if (p->lived_ns > o->under_ns)
		return OBJECTIVE_MISSED;
	return p->outcome == PAGE_COMPLETE ? OBJECTIVE_MET : OBJECTIVE_NOT_OF_IT;
}
