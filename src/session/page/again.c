/* SPDX-License-Identifier: Apache-2.0 */
/*
 * again.c: see again.h. A small set that is looked through; who was asked for longest ago makes room.
 * Stateless.
 */
#include "session/page/again.h"

#define NS_PER_MS 1000000

static struct asked *place_of(struct asked_set *s, uint32_t path)
{
	struct asked *oldest = &s->at[0];

	for (unsigned i = 0; i < ASKED; i++) {
		struct asked *e = &s->at[i];

		if (e->mark && e->path == path)
			return e;
		if (oldest->mark && (!e->mark || (int64_t)(e->from - oldest->from) < 0))
			oldest = e;
	}
	*oldest = (struct asked){ .path = path };
	return oldest;
}

/* A timer that may wait for the answer before. */
static bool is_alike(uint32_t one, uint32_t other)
{
	uint32_t slack = other / 10;

	return one + slack >= other && one <= other + slack;
}

static bool is_timer(const struct asked *e, const struct asking *a, int64_t interval_ns)
{
	int64_t idle_ns = (int64_t)(a->from - e->to);

	if (interval_ns < 0 || idle_ns < 0 || e->failed)
		return false;
	if (a->part && a->mark == e->mark)
		return true;
	return interval_ns >= (int64_t)ASKED_LEAST_NS && idle_ns >= (int64_t)ASKED_IDLE_NS &&
	       (a->get || is_alike((uint32_t)(interval_ns / NS_PER_MS), e->interval_ms));
}

bool asked_again(struct asked_set *s, const struct asking *a)
{
	struct asked *e = place_of(s, a->path);
	int64_t interval_ns = (int64_t)(a->from - e->from);
	bool fresh = !e->mark, timer = !fresh && is_timer(e, a, interval_ns);

	if (!fresh && interval_ns < 0)
		return false; /* told late: the later one stays */
	e->interval_ms = fresh || interval_ns > (int64_t)UINT32_MAX * NS_PER_MS
				 ? 0
				 : (uint32_t)(interval_ns / NS_PER_MS);
	e->mark = a->mark;
	e->from = a->from;
	e->to = a->to;
	e->failed = a->failed;
	return timer;
}
