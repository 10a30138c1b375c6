/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moments.c: when was the byte at a position moved? Answered for bytes that are kept; a record that
 * is handed out straight from the ring answers for itself (moment_of).
 *
 * The list is bounded, but a server may read a head byte by byte. When it is full, neighbours in the
 * middle become one whose times are unobserved; the first and the last stay exact: they are what
 * times of a message are made of. Each time the middle halves, so the cost is constant a record.
 */
#include "stream/link.h"

#include <assert.h>
#include <stdlib.h>

#define MOMENTS_MAX   1024 /* a buffer full of short messages, each with times of its own */
#define MOMENTS_FIRST 8
#define MOMENTS_SPARE 64 /* a released list keeps room for this many */
#define A_RECORD      (PC_ARRIVALS + 1)

void moment_of(const struct pc_data *rec, uint64_t pos, bool uncertain, struct moment *ret)
{
	const struct pc_arrival *arrival = (const struct pc_arrival *)(rec + 1);

	*ret = (struct moment){
		.time_ns = rec->head.time_ns,
		.begin_ns = rec->dir == PC_TX ? rec->begin_ns : 0,
		.tgid = rec->tgid,
		.tid = rec->tid,
		.srtt_us = rec->srtt_us,
		.retrans = rec->retrans,
		.blocked = rec->head.flags & PC_F_BLOCKED,
		.awaited = rec->head.flags & PC_F_AWAITED,
		.arrived = rec->head.flags & PC_F_ARRIVED,
		.uncertain = uncertain,
		.from = rec->pos,
		.to = rec->pos + rec->len,
	};
	for (unsigned i = 0; i < rec->arrivals; i++) {
		if (pos < arrival[i].end_pos) {
			ret->arrival_ns = arrival[i].time_ns;
			if (arrival[i].end_pos < ret->to)
				ret->to = arrival[i].end_pos;
			break;
		}
		if (arrival[i].end_pos > ret->from)
			ret->from = arrival[i].end_pos;
	}
	ret->call_start = (rec->head.flags & PC_F_FIRST) && ret->from == rec->pos;
}

/* Several calls as one: who and when is not known any more of a single byte. */
static void merge_into(struct moment *a, const struct moment *b)
{
	*a = (struct moment){ .from = a->from, .to = b->to, .uncertain = true };
}

/* Pairs after the first become one where no hole lies between them; the next record, for which room
 * is made here, will be the last. */
static void compact(struct moments *m)
{
	uint32_t out = 1, i = 1;

	while (i < m->count) {
		struct moment one = m->at[i++];

		if (i < m->count && one.to == m->at[i].from)
			merge_into(&one, &m->at[i++]);
		m->at[out++] = one;
	}
	m->count = out;
}

static bool has_room(const struct moments *m)
{
	return m->first + m->count + A_RECORD <= m->room;
}

bool moments_reserve(struct moments *m)
{
	uint32_t room = m->room ? m->room * 2 : MOMENTS_FIRST;
	struct moment *at;

	if (has_room(m))
		return true;
	if (m->first) {
		memmove(m->at, m->at + m->first, m->count * sizeof(*m->at));
		m->first = 0;
	}
	if (m->count + A_RECORD <= m->room / 2)
		return true;
	if (m->room == MOMENTS_MAX) {
		if (!has_room(m))
			compact(m);
		return has_room(m);
	}
	at = realloc(m->at, room * sizeof(*at));
	if (!at)
		return has_room(m);
	m->at = at;
	m->room = room;
	return true;
}

size_t moments_growth(const struct moments *m)
{
	if (has_room(m) || m->room == MOMENTS_MAX)
		return 0;
	return (m->room ? m->room : MOMENTS_FIRST) * sizeof(*m->at);
}

void moments_clear(struct moments *m)
{
	m->first = m->count = 0;
	if (m->room <= MOMENTS_SPARE)
		return;
	free(m->at);
	*m = (struct moments){ 0 };
}

/* A call is copied in pieces: the next one says the same about later bytes. */
static bool same_call(const struct moment *a, const struct moment *b)
{
	return a->to == b->from && !b->call_start && a->time_ns == b->time_ns && a->tid == b->tid &&
	       a->begin_ns == b->begin_ns && a->arrival_ns == b->arrival_ns &&
	       a->uncertain == b->uncertain && a->blocked == b->blocked;
}

void moments_add(struct moments *m, const struct pc_data *rec, uint64_t from, uint64_t to,
		 bool uncertain)
{
	struct moment *next = m->at + m->first + m->count;

	while (from < to) {
		struct moment one;

		moment_of(rec, from, uncertain, &one);
		if (one.from < from) { /* what stood before was handed out or came twice */
			one.from = from;
			one.call_start = false;
		}
		if (one.to > to)
			one.to = to;
		from = one.to;
		if (m->count && same_call(next - 1, &one)) {
			next[-1].to = one.to;
			continue;
		}
		assert(m->first + m->count < m->room);
		*next++ = one;
		m->count++;
	}
}

void moments_drop_before(struct moments *m, uint64_t pos)
{
	while (m->count && m->at[m->first].to <= pos) {
		m->first++;
		m->count--;
	}
}

bool moments_find(const struct moments *m, uint64_t pos, struct moment *ret)
{
	uint32_t low = m->first, high = m->first + m->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (m->at[middle].to <= pos)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == m->first + m->count || m->at[low].from > pos)
		return false;
	*ret = m->at[low];
	return true;
}
