/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hold.c: bytes that the reader did not take yet: an unfinished head, a response whose request is
 * still to come. They lie in one buffer without gaps, so that they can be offered as one slice; what
 * is absent between them takes no memory. Released holds are kept for the next use, so that heads
 * in two pieces do not cost an allocation each.
 *
 * Bounds: limits.buffer_bytes a direction, limits.pending ranges a direction, limits.total_bytes
 * together with all records that came early.
 */
#include "stream/link.h"

#include <stdlib.h>

#define RANGES_FIRST 4
#define SPARES	     64
#define SPARE_BYTES  16384 /* a released hold keeps at most this */

static size_t hold_cost(const struct hold *h)
{
	return sizeof(*h) + h->bytes.room + h->room * sizeof(*h->ranges) +
	       h->moments.room * sizeof(*h->moments.at);
}

static void hold_count_cost(struct stream *s, struct hold *h)
{
	size_t cost = hold_cost(h);

	s->stats.buffered_bytes += cost - h->cost;
	h->cost = cost;
}

static struct hold *hold_make(struct stream *s, struct link *l, enum pc_dir d)
{
	struct hold *h;

	if (!list_empty(&s->spare)) {
		h = list_entry(s->spare.next, struct hold, by_age);
		list_remove(&h->by_age);
		s->spares--;
	} else {
		h = calloc(1, sizeof(*h));
		if (!h)
			return NULL;
		list_init(&h->by_age);
		buf_init(&h->bytes, s->limits.buffer_bytes);
	}
	h->link = l;
	h->dir = d;
	l->dir[d].hold = h;
	return h;
}

void hold_free(struct hold *h)
{
	buf_done(&h->bytes);
	free(h->ranges);
	free(h->moments.at);
	free(h);
}

void hold_release(struct stream *s, struct hold *h)
{
	h->link->dir[h->dir].hold = NULL;
	list_remove(&h->by_age);
	s->stats.buffered_bytes -= h->cost;
	h->cost = 0;
	h->link = NULL;
	h->consumed = 0;
	h->count = 0;
	moments_clear(&h->moments);
	buf_clear(&h->bytes);
	if (s->spares >= SPARES) {
		hold_free(h);
		return;
	}
	buf_shrink(&h->bytes, SPARE_BYTES);
	list_append(&s->spare, &h->by_age);
	s->spares++;
}

bool hold_reserve_total(struct stream *s, size_t bytes, const struct hold *except)
{
	while (s->stats.buffered_bytes + bytes > s->limits.total_bytes) {
		struct list *oldest = s->holds.next;
		struct hold *victim;
		struct link *l;

		if (except && oldest == &except->by_age)
			oldest = oldest->next;
		if (oldest == &s->holds)
			return false;
		victim = list_entry(oldest, struct hold, by_age);
		l = victim->link;
		hand_kept(s, l, victim->dir, true);
		if (l->dir[victim->dir].hold) /* the reader wants nothing of it any more */
			hold_release(s, victim);
		link_later(s, l);
	}
	return true;
}

/* Does the range continue the last kept one, so that no new entry is needed? */
static bool continues(const struct hold *h, const struct range *r)
{
	const struct kept *k = h->count ? &h->ranges[h->count - 1] : NULL;

	if (!k)
		return false;
	if (!k->absent)
		return true;
	return !r->bytes.len && k->why == r->why;
}

static bool ranges_reserve(struct stream *s, struct hold *h)
{
	uint32_t room = h->room ? h->room * 2 : RANGES_FIRST;
	struct kept *ranges;

	if (h->count < h->room)
		return true;
	if (h->count >= s->limits.pending)
		return false;
	ranges = realloc(h->ranges, room * sizeof(*ranges));
	if (!ranges)
		return false;
	h->ranges = ranges;
	h->room = room;
	return true;
}

/* All that can fail, before anything is changed. */
static bool append_reserve(struct stream *s, struct hold *h, const struct range *r, bool moments)
{
	size_t present = h->bytes.len - h->consumed, need = present + r->bytes.len;
	size_t grow = hold_cost(h) - h->cost; /* a spare one brings what it has */

	if (need > s->limits.buffer_bytes)
		return false;
	if (need > h->bytes.room)
		grow += need * 2 + 256 - h->bytes.room; /* a buf doubles from 256 */
	if (h->count == h->room)
		grow += (h->room ? h->room : RANGES_FIRST) * sizeof(*h->ranges);
	if (!hold_reserve_total(s, grow + moments_growth(&h->moments), h))
		return false;
	if (h->consumed && h->bytes.room - h->bytes.len < r->bytes.len) {
		buf_consume(&h->bytes, h->consumed);
		h->consumed = 0;
	}
	if (buf_reserve(&h->bytes, r->bytes.len)) {
		h->bytes.failed = false;
		return false;
	}
	if (!continues(h, r) && !ranges_reserve(s, h))
		return false;
	return !moments || moments_reserve(&h->moments);
}

bool hold_append(struct stream *s, struct link *l, enum pc_dir d, const struct range *r,
		 const struct pc_data *rec, bool uncertain)
{
	struct hold *h = l->dir[d].hold;
	uint64_t absent = r->len - r->bytes.len;
	struct kept *k;

	if (!h)
		h = hold_make(s, l, d);
	if (!h)
		return false;
	if (!append_reserve(s, h, r, rec != NULL)) {
		if (!h->count)
			hold_release(s, h);
		else
			hold_count_cost(s, h);
		return false;
	}
	if (continues(h, r)) {
		k = &h->ranges[h->count - 1];
	} else {
		k = &h->ranges[h->count++];
		*k = (struct kept){ 0 };
	}
	buf_add(&h->bytes, r->bytes); /* has room */
	k->present += r->bytes.len;
	k->absent += absent;
	if (absent)
		k->why = r->why;
	if (rec)
		moments_add(&h->moments, rec, r->pos, r->pos + r->len, uncertain);
	if (list_is_on(&h->by_age))
		list_remove(&h->by_age);
	list_append(&s->holds, &h->by_age);
	hold_count_cost(s, h);
	return true;
}

void hold_front(const struct hold *h, struct range *ret)
{
	const struct kept *k = &h->ranges[0];

	*ret = (struct range){
		.pos = h->link->c.pos[h->dir],
		.len = k->present + k->absent,
		.bytes = slice_of(h->bytes.at ? h->bytes.at + h->consumed : NULL, k->present),
		.why = k->absent ? k->why : PC_WHY_NONE,
	};
}

/* n lies within the first range. */
void hold_consume(struct stream *s, struct hold *h, uint64_t n)
{
	struct kept *k = &h->ranges[0];
	uint64_t present = n < k->present ? n : k->present;

	k->present -= present;
	k->absent -= n - present;
	h->consumed += present;
	if (!k->present && !k->absent) {
		h->count--;
		memmove(k, k + 1, h->count * sizeof(*k));
	}
	if (!h->count)
		hold_release(s, h);
	else
		moments_drop_before(&h->moments, h->link->c.pos[h->dir]);
}
