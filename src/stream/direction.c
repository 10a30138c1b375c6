/* SPDX-License-Identifier: Apache-2.0 */
/*
 * direction.c: puts the records of one direction in order of position.
 *
 * A record that continues the frontier is handed on. One that lies behind it came twice or late: cut
 * or dropped, and counted. One that lies ahead waits as `early`: the gap before it may still be
 * filled by a record of another CPU. A gap also opens when a control record promises a position that
 * we have not reached. A gap becomes a hole
 *   - at once, where the next record starts before the position up to which we asked for nothing:
 *     the kernel makes no record of calls that end before it, so nothing is missing;
 *   - after limits.reorder_ns without a record that fills it, or when too much waits behind it.
 * Of a hole, what lies before `until` is PC_WHY_DIRECTIVE and the rest PC_WHY_RING.
 */
#include "stream/link.h"

#include <stdlib.h>

void direction_start(struct link *l, enum pc_dir d, uint64_t pos)
{
	struct direction *dir = &l->dir[d];

	dir->started = true;
	dir->frontier = dir->promised = dir->lost_from = dir->lost_to = pos;
	l->c.start[d] = l->c.pos[d] = pos;
}

/*
 * The OPEN was lost, so nobody said where watching started. Where the other direction was seen from its
 * first byte, this one is told from its first byte too. Otherwise data starts where it starts; and
 * where no data came at all, something moved that we cannot tell: a hole from 0, PC_WHY_BEFORE.
 */
static void start_without_open(struct link *l, enum pc_dir d, uint64_t pos, bool data)
{
	enum pc_dir other = d == PC_RX ? PC_TX : PC_RX;
	bool from_birth = l->dir[other].started && l->c.start[other] <= 1;

	direction_start(l, d, from_birth || !data ? 0 : pos);
	if (!from_birth)
		l->dir[d].before = pos;
}

/* Bytes behind the frontier: late where we had declared a hole, otherwise they came twice. */
static void count_behind(struct stream *s, const struct direction *dir, uint64_t from, uint64_t to)
{
	uint64_t low = from > dir->lost_from ? from : dir->lost_from;
	uint64_t high = to < dir->lost_to ? to : dir->lost_to;
	uint64_t late = low < high ? high - low : 0;

	s->stats.late_bytes += late;
	s->stats.duplicate_bytes += to - from - late;
}

/* The part of the record from the frontier on. */
static void feed(struct stream *s, struct link *l, const struct pc_data *rec)
{
	const struct direction *dir = &l->dir[rec->dir];
	const char *bytes = (const char *)(rec + 1) + rec->arrivals * sizeof(struct pc_arrival);
	bool uncertain = rec->head.flags & PC_F_UNCERTAIN;
	uint64_t cut = dir->frontier - rec->pos;
	struct range r = {
		.pos = rec->pos,
		.len = rec->len,
		.bytes = slice_of(bytes, rec->captured),
		.why = rec->captured < rec->len ? rec->why : PC_WHY_NONE,
	};

	if (cut) {
		if (cut > rec->len)
			cut = rec->len;
		count_behind(s, dir, rec->pos, rec->pos + cut);
		if (cut == rec->len)
			return;
		r.pos += cut;
		r.len -= cut;
		r.bytes = slice_sub(r.bytes, cut, r.bytes.len);
		uncertain = true;
	}
	hand_range(s, l, rec->dir, r, rec, uncertain);
}

static void hole(struct stream *s, struct link *l, enum pc_dir d, uint64_t to)
{
	struct direction *dir = &l->dir[d];

	dir->lost_from = dir->frontier;
	dir->lost_to = to;
	while (dir->frontier < to && !l->ignored) {
		struct range r = { .pos = dir->frontier, .why = PC_WHY_RING };
		uint64_t end = to;

		if (r.pos < dir->until) {
			r.why = PC_WHY_DIRECTIVE;
			end = dir->until < to ? dir->until : to;
		} else if (r.pos < dir->before) {
			r.why = PC_WHY_BEFORE;
			end = dir->before < to ? dir->before : to;
		}
		r.len = end - r.pos;
		hand_range(s, l, d, r, NULL, false);
	}
}

static void early_free(struct stream *s, struct early *e)
{
	s->stats.buffered_bytes -= sizeof(*e) + e->rec.head.size;
	free(e);
}

void direction_drop(struct stream *s, struct direction *dir)
{
	while (dir->early) {
		struct early *e = dir->early;

		dir->early = e->next;
		early_free(s, e);
	}
	dir->early_count = 0;
	if (dir->hold)
		hold_release(s, dir->hold);
}

/* The first one that waits, when nothing is missing before it any more. */
static bool feed_early(struct stream *s, struct link *l, enum pc_dir d)
{
	struct direction *dir = &l->dir[d];
	struct early *e = dir->early;

	if (!e || e->rec.pos > dir->frontier || l->ignored)
		return false;
	dir->early = e->next;
	dir->early_count--;
	feed(s, l, &e->rec);
	early_free(s, e);
	return true;
}

bool direction_has_gap(const struct direction *dir)
{
	return dir->early || dir->promised > dir->frontier;
}

static uint64_t later_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint64_t direction_gap_deadline(const struct stream *s, const struct link *l, enum pc_dir d)
{
	const struct direction *dir = &l->dir[d];
	uint64_t since = dir->early ? dir->early->came_ns : dir->promised_ns;

	if (!direction_has_gap(dir))
		return UINT64_MAX;
	return add_ns(later_of(since, dir->moved_ns), s->limits.reorder_ns);
}

void direction_close_gaps(struct stream *s, struct link *l, enum pc_dir d, bool all)
{
	struct direction *dir = &l->dir[d];

	while (!l->ignored) {
		uint64_t next = dir->early ? dir->early->rec.pos : dir->promised;

		if (feed_early(s, l, d))
			continue;
		if (next <= dir->frontier)
			return;
		if (!(dir->early && next < dir->until) && !all &&
		    s->tick_ns < direction_gap_deadline(s, l, d))
			return;
		hole(s, l, d, next);
	}
}

/* Keeps a copy in order of position; false: no room. */
static bool keep_early(struct stream *s, struct link *l, const struct pc_data *rec)
{
	struct direction *dir = &l->dir[rec->dir];
	size_t size = sizeof(*rec) + rec->arrivals * sizeof(struct pc_arrival) + rec->captured;
	struct early **at = &dir->early;
	struct early *e;

	if (dir->early_count >= s->limits.pending ||
	    !hold_reserve_total(s, sizeof(*e) + size, NULL) || l->ignored)
		return false;
	while (*at && (*at)->rec.pos < rec->pos)
		at = &(*at)->next;
	if (*at && (*at)->rec.pos == rec->pos && (*at)->rec.len == rec->len) {
		s->stats.duplicate_bytes += rec->len;
		return true;
	}
	e = malloc(offsetof(struct early, rec) + size);
	if (!e)
		return false;
	memcpy(&e->rec, rec, size);
	e->rec.head.size = (__u32)size; /* without the padding */
	e->came_ns = s->now_ns;
	e->next = *at;
	*at = e;
	dir->early_count++;
	s->stats.buffered_bytes += sizeof(*e) + size;
	if (dir->early_count == 1 && s->sink.gap)
		s->sink.gap(s->sink.ctx, &l->c, rec->dir);
	return true;
}

/* Too much waits: every gap up to this record is a hole now. */
static void give_up_before(struct stream *s, struct link *l, const struct pc_data *rec)
{
	struct direction *dir = &l->dir[rec->dir];

	while (!l->ignored && dir->frontier < rec->pos) {
		if (feed_early(s, l, rec->dir))
			continue;
		hole(s, l, rec->dir,
		     dir->early && dir->early->rec.pos < rec->pos ? dir->early->rec.pos : rec->pos);
	}
	if (!l->ignored)
		feed(s, l, rec);
}

static void out_of_order(struct stream *s, struct link *l, const struct pc_data *rec)
{
	struct direction *dir = &l->dir[rec->dir];

	if (rec->pos <= dir->frontier) {
		feed(s, l, rec);
		dir->moved_ns = s->now_ns;
	} else if (!dir->early && rec->pos < dir->until) {
		hole(s, l, rec->dir, rec->pos);
		if (!l->ignored)
			feed(s, l, rec);
	} else if (!keep_early(s, l, rec)) {
		give_up_before(s, l, rec);
	}
	direction_close_gaps(s, l, rec->dir, false);
	l->odd |= direction_has_gap(dir);
}

void direction_data(struct stream *s, struct link *l, const struct pc_data *rec)
{
	struct direction *dir = &l->dir[rec->dir];

	if (rec->head.flags & PC_F_UNCERTAIN)
		s->stats.uncertain++;
	if (!dir->started)
		start_without_open(l, rec->dir, rec->pos, true);
	if (l->c.ended[rec->dir]) {
		direction_promise(s, l, rec->dir, rec->pos + rec->len); /* counted at the close */
	} else if (rec->pos == dir->frontier && !dir->early) {
		feed(s, l, rec);
		if (l->odd)
			dir->moved_ns = s->now_ns;
	} else {
		out_of_order(s, l, rec);
	}
}

void direction_promise(struct stream *s, struct link *l, enum pc_dir d, uint64_t pos)
{
	struct direction *dir = &l->dir[d];

	if (!dir->started && l->c.opened)
		direction_start(l, d, pos);
	else if (!dir->started)
		start_without_open(l, d, pos, false);
	if (pos <= dir->promised)
		return;
	dir->promised = pos;
	dir->promised_ns = s->now_ns;
}
