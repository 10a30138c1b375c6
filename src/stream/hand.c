/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hand.c: the only place that hands ranges and ends to the sink, and therefore the only one that
 * counts them: what is taken, present or absent by cause, adds up to the stream.
 *
 * The ordinary range is offered straight from the ring and taken whole: no copy. What is left is
 * kept and offered again together with what comes next.
 */
#include "stream/link.h"

#include <assert.h>

#define KICKS_MAX 4096 /* of one link while it closes: a reader that never takes must not hang us */

static void count_taken(struct stream *s, struct link *l, enum pc_dir d, const struct range *r,
			uint64_t taken)
{
	s->stats.bytes[d] += taken;
	l->c.pos[d] = r->pos + taken;
	if (taken <= r->bytes.len)
		return;
	s->stats.hole_bytes[r->why] += taken - r->bytes.len;
	if (taken == r->len)
		s->stats.holes[r->why]++;
}

static uint64_t offer(struct stream *s, struct link *l, enum pc_dir d, const struct range *r,
		      bool last)
{
	uint64_t taken;

	s->inside++;
	taken = s->sink.range(s->sink.ctx, &l->c, d, r, last);
	s->inside--;
	assert(taken <= r->len); /* a later stage's bug */
	count_taken(s, l, d, r, taken);
	return taken;
}

/* Cuts what was taken off the front. */
static void advance(struct range *r, uint64_t taken)
{
	r->bytes = slice_sub(r->bytes, taken < r->bytes.len ? taken : r->bytes.len, r->bytes.len);
	r->pos += taken;
	r->len -= taken;
}

static void drop_part(struct stream *s, struct link *l, enum pc_dir d, uint64_t pos, uint64_t len,
		      enum pc_why why)
{
	struct range hole = { .pos = pos, .len = len, .why = why };
	uint64_t taken;

	if (!len || l->ignored)
		return;
	taken = offer(s, l, d, &hole, true);
	if (l->ignored)
		return;
	advance(&hole, taken);
	if (hole.len)
		count_taken(s, l, d, &hole, hole.len);
}

/* The reader left this at the last offer: it is told as holes. */
static void drop_rest(struct stream *s, struct link *l, enum pc_dir d, const struct range *r)
{
	uint64_t present = r->bytes.len, absent = r->len - present;

	drop_part(s, l, d, r->pos, present, PC_WHY_BUFFER);
	drop_part(s, l, d, r->pos + present, absent, r->why);
}

void hand_kept(struct stream *s, struct link *l, enum pc_dir d, bool last)
{
	while (l->dir[d].hold && !l->ignored) {
		struct hold *h = l->dir[d].hold;
		struct range r;
		uint64_t taken;

		hold_front(h, &r);
		taken = offer(s, l, d, &r, last);
		if (l->ignored)
			return;
		if (taken)
			hold_consume(s, h, taken);
		if (taken == r.len)
			continue;
		if (!last)
			return;
		advance(&r, taken);
		drop_rest(s, l, d, &r);
		if (!l->ignored)
			hold_consume(s, h, r.len);
	}
}

/* Offers a range that nothing stands before. Returns what is left of it. */
static void offer_direct(struct stream *s, struct link *l, enum pc_dir d, struct range *r,
			 const struct pc_data *rec, bool uncertain, bool last)
{
	uint64_t taken;

	s->direct.link = l;
	s->direct.rec = rec;
	s->direct.uncertain = uncertain;
	taken = offer(s, l, d, r, last);
	s->direct.link = NULL;
	if (taken)
		advance(r, taken);
}

/* Behind what is kept. false: there is no room for it. */
static bool append(struct stream *s, struct link *l, enum pc_dir d, struct range *r,
		   const struct pc_data *rec, bool uncertain)
{
	if (!hold_append(s, l, d, r, rec, uncertain))
		return false;
	hand_kept(s, l, d, false);
	return true;
}

void hand_range(struct stream *s, struct link *l, enum pc_dir d, struct range r,
		const struct pc_data *rec, bool uncertain)
{
	l->dir[d].frontier = r.pos + r.len;
	if (l->dir[d].hold) {
		if (append(s, l, d, &r, rec, uncertain))
			return;
		/* The other way may have been told what it waits for and not been offered it yet, since
		 * many records are fed at once behind a gap. Only then is this one forced to decide. */
		hand_kicked(s, l);
		if (l->dir[d].hold && append(s, l, d, &r, rec, uncertain))
			return;
		hand_kept(s, l, d, true);
		if (l->ignored)
			return;
	}
	offer_direct(s, l, d, &r, rec, uncertain, false);
	if (!r.len || l->ignored || hold_append(s, l, d, &r, rec, uncertain))
		return;
	offer_direct(s, l, d, &r, rec, uncertain, true);
	if (r.len && !l->ignored)
		drop_rest(s, l, d, &r);
}

void hand_kicked(struct stream *s, struct link *l)
{
	for (int n = 0; n < KICKS_MAX && l->kick && !l->ignored; n++) {
		uint8_t kick = l->kick;

		l->kick = 0;
		for (int d = PC_RX; d <= PC_TX; d++)
			if (kick >> d & 1)
				hand_kept(s, l, d, false);
	}
}

void hand_end(struct stream *s, struct link *l, enum pc_dir d)
{
	if (l->c.ended[d] || l->ignored)
		return;
	l->c.ended[d] = true;
	s->inside++;
	s->sink.end(s->sink.ctx, &l->c, d, l->c.error[d]);
	s->inside--;
}
