/* SPDX-License-Identifier: Apache-2.0 */
/*
 * burst.c: see burst.h. Sets are small and kept in order by insertion; a page has them only while it
 * loads. Stateless.
 */
#include "session/page/burst.h"

#include <string.h>

/* ---- stretches ---- */

/* Two neighbours become one, gap and all: the least wrong that a full set can be. */
static void close_gap(struct stretches *s)
{
	uint32_t least = 1;

	for (uint32_t i = 2; i < s->count; i++)
		if (s->at[i].from - s->at[i - 1].to < s->at[least].from - s->at[least - 1].to)
			least = i;
	s->at[least - 1].to = s->at[least].to;
	s->count--;
	memmove(&s->at[least], &s->at[least + 1], (s->count - least) * sizeof(s->at[0]));
}

void stretches_add(struct stretches *s, uint64_t from, uint64_t to)
{
	uint32_t first = 0, last;

	if (from >= to)
		return;
	while (first < s->count && s->at[first].to < from)
		first++;
	last = first;
	while (last < s->count && s->at[last].from <= to)
		last++;
	if (first < last) { /* it touches [first, last): they and it are one */
		if (s->at[first].from < from)
			from = s->at[first].from;
		if (s->at[last - 1].to > to)
			to = s->at[last - 1].to;
		s->at[first] = (struct stretch){ from, to };
		memmove(&s->at[first + 1], &s->at[last], (s->count - last) * sizeof(s->at[0]));
		s->count -= last - first - 1;
		return;
	}
	if (s->count == BURST_WORK) {
		close_gap(s);
		stretches_add(s, from, to);
		return;
	}
	memmove(&s->at[first + 1], &s->at[first], (s->count - first) * sizeof(s->at[0]));
	s->at[first] = (struct stretch){ from, to };
	s->count++;
}

uint64_t stretches_within(const struct stretches *s, const struct stretches *less, uint64_t from,
			  uint64_t to)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		uint64_t begin = s->at[i].from > from ? s->at[i].from : from;
		uint64_t end = s->at[i].to < to ? s->at[i].to : to;

		if (begin >= end)
			continue;
		sum += end - begin;
		if (less)
			sum -= stretches_within(less, NULL, begin, end);
	}
	return sum;
}

/* ---- the burst ---- */

static void extend(struct part_group *g, const struct part_group *by)
{
	if (by->time.from < g->time.from)
		g->time.from = by->time.from;
	if (by->last_from > g->last_from)
		g->last_from = by->last_from;
	if (by->time.to > g->time.to) {
		g->time.to = by->time.to;
		g->estimated = by->estimated;
	}
}

static bool follows(const struct part_group *g, uint64_t end)
{
	return g->time.from <= end + BURST_GAP_NS;
}

/* Groups that `fresh` joins become one with it. false: no room; the latest group is farthest from the
 * document, and is the one that stays out. */
static bool add_part(struct burst *b, struct part_group fresh)
{
	uint32_t kept = 0, latest = 0;

	for (uint32_t i = 0; i < b->part_count; i++) {
		struct part_group *g = &b->parts[i];

		if (follows(g, fresh.time.to) && follows(&fresh, g->time.to))
			extend(&fresh, g);
		else
			b->parts[kept++] = *g;
	}
	b->part_count = (uint8_t)kept;
	if (kept < BURST_PARTS) {
		b->parts[b->part_count++] = fresh;
		return true;
	}
	for (uint32_t i = 1; i < kept; i++)
		if (b->parts[i].time.from > b->parts[latest].time.from)
			latest = i;
	if (fresh.time.from < b->parts[latest].time.from)
		b->parts[latest] = fresh;
	return false;
}

static bool add_call(struct burst *b, struct part_group fresh)
{
	uint32_t latest = 0;

	if (b->call_count < BURST_CALLS) {
		b->calls[b->call_count++] = fresh;
		return true;
	}
	for (uint32_t i = 1; i < BURST_CALLS; i++)
		if (b->calls[i].time.from > b->calls[latest].time.from)
			latest = i;
	if (fresh.time.from < b->calls[latest].time.from)
		b->calls[latest] = fresh;
	return false;
}

void burst_add(struct burst *b, const struct part_times *t, bool call)
{
	uint64_t from = t->arrived_ns ? t->arrived_ns : t->read_ns;
	struct part_group g = { { from, t->end_ns }, from, t->estimated };

	if (t->arrived_ns)
		stretches_add(&b->wait, t->arrived_ns, t->read_ns);
	if (t->first_byte_ns)
		stretches_add(&b->work, t->read_ns, t->first_byte_ns);
	if (!t->end_ns || t->end_ns < from)
		return;
	if (!call)
		b->crowded |= !add_part(b, g);
	else if (!t->first_byte_ns || t->first_byte_ns - t->read_ns < BURST_POLL_NS)
		b->crowded |= !add_call(b, g);
}

static void stretches_join(struct stretches *into, const struct stretches *from)
{
	for (uint32_t i = 0; i < from->count; i++)
		stretches_add(into, from->at[i].from, from->at[i].to);
}

void burst_join(struct burst *into, const struct burst *from)
{
	into->crowded |= from->crowded;
	for (uint32_t i = 0; i < from->part_count; i++)
		into->crowded |= !add_part(into, from->parts[i]);
	for (uint32_t i = 0; i < from->call_count; i++)
		into->crowded |= !add_call(into, from->calls[i]);
	stretches_join(&into->work, &from->work);
	stretches_join(&into->wait, &from->wait);
}

/* From the document on, whatever starts within the gap of what came before. */
static struct part_group chain(const struct burst *b, struct part_group g, uint64_t calls_until)
{
	uint64_t end;

	do {
		end = g.time.to;
		for (uint32_t i = 0; i < b->part_count; i++)
			if (follows(&b->parts[i], g.time.to))
				extend(&g, &b->parts[i]);
		for (uint32_t i = 0; i < b->call_count; i++) {
			struct part_group c = b->calls[i];

			if (c.time.from > calls_until || !follows(&c, g.time.to))
				continue;
			c.last_from = 0; /* no part */
			extend(&g, &c);
		}
	} while (g.time.to != end);
	return g;
}

struct burst_end burst_end(const struct burst *b, const struct part_times *document)
{
	struct part_group first = { { document->read_ns, document->end_ns },
				    document->read_ns,
				    document->estimated };
	/* every call that leads to a later part began before that part */
	struct part_group all = chain(b, first, UINT64_MAX);
	struct part_group g = chain(b, first, all.last_from);

	return (struct burst_end){ g.time.to, g.estimated || b->crowded };
}
