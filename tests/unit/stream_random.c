/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_random.c: random schedules against a model that knows each byte.
 *
 * The model is a small kernel: calls on a few connections make records, obey directives (sometimes a
 * slot is taken and they do not), lose some, deliver them after a random delay (so between "CPUs"
 * they come in any order), some of them twice. Control records overtake data. The reader takes a
 * random part of what it is offered, kicks, skips and ignores.
 *
 * Checked on every call: order, content, cause of each absent byte, times. Checked at each close: what
 * was handed out is final − start, exactly. PARCOURS_SEEDS=n runs n schedules of each kind.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "stream/stream.h"

#define CONNS 5
#define SPAN  6000 /* bytes a direction, at most */
#define QUEUE 512
#define MS    1000000ull

enum { TRUTH_LOST = 200, TRUTH_SKIPPED, TRUTH_PRESENT };

struct way { /* one direction of one connection */
	uint64_t start, pos;
	uint64_t until;		/* what the kernel knows */
	uint64_t asked;		/* what the reader asked for */
	uint64_t taken;		/* by the sink */
	uint8_t truth[SPAN];	/* or enum pc_why of absent bytes */
	uint32_t time_ms[SPAN]; /* of the record */
	bool ended;
};

struct conn {
	uint64_t id;
	struct way way[2];
	bool gone, closed, ignored;
};

struct queued {
	uint64_t due_ns;
	struct pc_head *rec;
};

struct world {
	struct stream *s;
	uint64_t random, now_ns;
	bool lossy, skips, ignores, tight;
	struct conn conn[CONNS];
	uint64_t next_id;
	struct queued queue[QUEUE];
	int queued;
	uint64_t taken, absent, lost_bytes;
};

static uint64_t roll(struct world *w, uint64_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random % below;
}

static char byte_at(uint64_t id, int d, uint64_t pos)
{
	return (char)((id * 31 + (uint64_t)d * 7 + pos * 13) >> 2);
}

static struct conn *conn_of(struct world *w, uint64_t id)
{
	for (int i = 0; i < CONNS; i++)
		if (w->conn[i].id == id && !w->conn[i].closed)
			return &w->conn[i];
	assert_true(w->tight); /* evicted, and more of it came: joined in the middle */
	return NULL;
}

static void check_moment(struct world *w, const struct connection *c, const struct way *y, int d,
			 uint64_t pos)
{
	struct moment m;

	assert_true(stream_moment(w->s, c, d, pos, &m));
	assert_true(m.from <= pos && pos < m.to);
	if (!m.uncertain)
		assert_u64(m.time_ns, y->time_ms[pos - y->start] * MS);
	assert_u64(stream_when(w->s, c, d, pos), m.uncertain		    ? 0
						 : d == PC_TX && m.begin_ns ? m.begin_ns
									    : m.time_ns);
}

static void check_range(struct world *w, const struct connection *c, struct conn *k, int d,
			const struct range *r)
{
	struct way *y = &k->way[d];

	assert_u64(r->pos, c->pos[d]);
	assert_u64(r->pos, y->start + y->taken);
	assert_true(r->len > 0 && r->bytes.len <= r->len);
	assert_true(r->pos + r->len <= y->start + SPAN);
	for (uint64_t i = 0; i < r->bytes.len; i++)
		if (r->bytes.at[i] != byte_at(k->id, d, r->pos + i))
			fail_msg("byte %lu is wrong", (unsigned long)(r->pos + i));
	if (r->bytes.len) {
		check_moment(w, c, y, d, r->pos);
		check_moment(w, c, y, d, r->pos + r->bytes.len - 1);
	}
	for (uint64_t p = r->pos + r->bytes.len; p < r->pos + r->len && !w->tight; p++) {
		uint8_t truth = y->truth[p - y->start];

		if (r->why == PC_WHY_RING)
			assert_int_equal(truth, TRUTH_LOST);
		else if (r->why == PC_WHY_DIRECTIVE)
			assert_true(p < y->asked);
		else if (r->why == PC_WHY_BUFFER)
			assert_int_equal(truth, TRUTH_PRESENT);
		else
			assert_int_equal(truth, r->why);
	}
}

static void on_open(void *ctx, struct connection *c)
{
	struct conn *k = conn_of(ctx, c->id);

	if (!k)
		return;
	assert_u64(c->start[PC_RX], k->way[PC_RX].start);
	assert_u64(c->start[PC_TX], k->way[PC_TX].start);
}

static uint64_t on_range(void *ctx, struct connection *c, enum pc_dir d, const struct range *r,
			 bool last)
{
	struct world *w = ctx;
	struct conn *k = conn_of(w, c->id);
	uint64_t take = r->len;

	if (!k) {
		w->taken += take;
		w->absent += take - r->bytes.len;
		return take;
	}
	assert_false(k->closed || k->ignored || c->ended[d]);
	check_range(w, c, k, d, r);
	if (roll(w, 3) == 0)
		take = roll(w, r->len + 1);
	else if (roll(w, 6) == 0)
		take = 0;
	if (roll(w, 4) == 0)
		stream_kick(w->s, c, !d);
	if (w->skips && roll(w, 12) == 0) {
		uint64_t to = r->pos + roll(w, 800);

		if (to > k->way[d].asked)
			k->way[d].asked = to;
		stream_skip_to(w->s, c, d, to, 0);
	}
	if (last && !r->bytes.len && r->why == PC_WHY_BUFFER)
		take = r->len; /* gone whatever we say */
	if (w->ignores && roll(w, 200) == 0) {
		k->ignored = true;
		stream_ignore(w->s, c);
	}
	k->way[d].taken += take;
	w->taken += take;
	if (take > r->bytes.len)
		w->absent += take - r->bytes.len;
	/* Absent bytes that the last offer leaves come once more, then they are gone. */
	if (last && take < r->len && !r->bytes.len && !k->ignored) {
		w->taken += r->len - take;
		w->absent += r->len - take;
		k->way[d].taken += r->len - take;
		take = r->len;
	}
	return take;
}

static void on_end(void *ctx, struct connection *c, enum pc_dir d, int error)
{
	struct conn *k = conn_of(ctx, c->id);

	if (!k)
		return;
	assert_false(k->closed || k->ignored);
	assert_u64(c->pos[d], k->way[d].pos); /* nothing is missing before it */
}

static void on_close(void *ctx, struct connection *c, enum stream_close_reason why)
{
	struct conn *k = conn_of(ctx, c->id);

	if (!k)
		return;
	assert_false(k->closed);
	k->closed = true;
	for (int d = 0; d < 2 && !k->ignored; d++) {
		assert_u64(k->way[d].taken, c->pos[d] - c->start[d]);
		if (why == STREAM_CLOSE_GONE)
			assert_u64(c->pos[d], k->way[d].pos);
	}
}

static void on_direct(void *ctx, const struct pc_directive *dir)
{
	struct world *w = ctx;
	struct conn *k = conn_of(w, dir->conn);

	if (roll(w, 5) == 0) /* another connection takes the slot first */
		return;
	for (int d = 0; d < 2 && k; d++)
		k->way[d].until = dir->until[d];
}

static void deliver_later(struct world *w, const struct pc_head *rec, uint64_t delay)
{
	struct queued *q = &w->queue[w->queued++];

	assert_true(w->queued < QUEUE);
	q->due_ns = w->now_ns + delay;
	q->rec = malloc(rec->size);
	memcpy(q->rec, rec, rec->size);
}

static void deliver(struct world *w)
{
	for (;;) {
		int best = -1;
		struct pc_head *rec;

		for (int i = 0; i < w->queued; i++)
			if (w->queue[i].due_ns <= w->now_ns &&
			    (best < 0 || w->queue[i].due_ns < w->queue[best].due_ns))
				best = i;
		if (best < 0)
			return;
		rec = w->queue[best].rec;
		w->queue[best] = w->queue[--w->queued];
		stream_push(w->s, rec);
		free(rec);
	}
}

/* A piece of a call: present bytes, then absent ones because of why. */
static void piece(struct world *w, struct conn *k, int d, uint64_t pos, uint32_t present,
		  uint32_t absent, enum pc_why why)
{
	struct {
		struct pc_data rec;
		char bytes[256];
	} r = { .rec = { .head = { PC_DATA, 0, 0, w->now_ns },
			 .conn = k->id,
			 .pos = pos,
			 .len = present + absent,
			 .captured = present,
			 .dir = (__u8)d,
			 .why = (__u8)why } };
	struct way *y = &k->way[d];
	bool lost = w->lossy && roll(w, 12) == 0;

	if (!present && !absent)
		return;
	r.rec.head.size = (__u32)(sizeof(r.rec) + present);
	for (uint32_t i = 0; i < present + absent; i++) {
		uint64_t at = pos + i - y->start;

		y->time_ms[at] = (uint32_t)(w->now_ns / MS);
		y->truth[at] = lost ? TRUTH_LOST : i < present ? TRUTH_PRESENT : (uint8_t)why;
		if (i < present)
			r.bytes[i] = byte_at(k->id, d, pos + i);
	}
	if (lost)
		return;
	deliver_later(w, &r.rec.head, roll(w, 4) ? 0 : roll(w, 90 * MS));
	if (roll(w, 15) == 0)
		deliver_later(w, &r.rec.head, roll(w, 90 * MS));
}

static void call(struct world *w, struct conn *k, int d)
{
	struct way *y = &k->way[d];
	uint32_t len = 1 + (uint32_t)roll(w, roll(w, 3) ? 20 : 250), present, skipped = 0;
	uint64_t pos = y->pos;

	if (pos + len > y->start + SPAN)
		return;
	y->pos += len;
	if (pos + len < y->until) {
		for (uint32_t i = 0; i < len; i++)
			y->truth[pos + i - y->start] = TRUTH_SKIPPED;
		return;
	}
	if (pos < y->until) {
		skipped = (uint32_t)(y->until - pos);
		piece(w, k, d, pos, 0, skipped, PC_WHY_DIRECTIVE);
	}
	len -= skipped;
	present = roll(w, 5) ? len : (uint32_t)roll(w, len + 1);
	piece(w, k, d, pos + skipped, present, len - present, PC_WHY_BUDGET);
}

static void open_conn(struct world *w, struct conn *k)
{
	struct pc_open rec = { .head = { PC_OPEN, 0, sizeof(rec), w->now_ns } };

	memset(k, 0, sizeof(*k));
	k->id = ++w->next_id;
	for (int d = 0; d < 2; d++)
		k->way[d].start = k->way[d].pos = roll(w, 2) ? 0 : roll(w, 1ull << 40);
	rec.conn = k->id;
	rec.rx_pos = k->way[PC_RX].pos;
	rec.tx_pos = k->way[PC_TX].pos;
	stream_push(w->s, &rec.head);
}

static void end_way(struct world *w, struct conn *k, int d)
{
	struct pc_end rec = { .head = { PC_END, 0, sizeof(rec), w->now_ns },
			      .conn = k->id,
			      .pos = k->way[d].pos,
			      .dir = (__u8)d };

	if (k->way[d].ended)
		return;
	k->way[d].ended = true;
	stream_push(w->s, &rec.head);
}

static void gone(struct world *w, struct conn *k)
{
	struct pc_close rec = { .head = { PC_GONE, 0, sizeof(rec), w->now_ns },
				.conn = k->id,
				.rx_pos = k->way[PC_RX].pos,
				.tx_pos = k->way[PC_TX].pos };

	k->gone = true;
	stream_push(w->s, &rec.head);
}

static void check_sums(struct world *w)
{
	struct stream_stats st;
	uint64_t holes = 0;

	stream_stats(w->s, &st);
	for (int i = 0; i < PC_WHY_MAX; i++)
		holes += st.hole_bytes[i];
	assert_u64(st.bytes[PC_RX] + st.bytes[PC_TX], w->taken);
	assert_u64(holes, w->absent);
	assert_true(st.buffered_bytes <= (w->tight ? 24u << 10 : 1u << 20));
	assert_u64(st.malformed, 0);
	if (!w->lossy && !w->tight)
		assert_u64(st.hole_bytes[PC_WHY_RING], 0);
}

static void step(struct world *w)
{
	struct conn *k = &w->conn[roll(w, CONNS)];
	int d = (int)roll(w, 2);

	w->now_ns += roll(w, 5) * MS;
	deliver(w);
	if (k->closed || !k->id)
		open_conn(w, k);
	else if (k->gone)
		;
	else if (roll(w, 150) == 0)
		gone(w, k);
	else if (roll(w, 150) == 0)
		end_way(w, k, d);
	else if (!k->way[d].ended)
		call(w, k, d);
	if (roll(w, 3) == 0)
		stream_tick(w->s, w->now_ns);
	check_sums(w);
}

static void run(uint64_t seed, bool lossy, bool skips, bool ignores, bool tight)
{
	static struct world w;
	struct stream_limits limits = { .connections = tight ? 3 : 64,
					.buffer_bytes = tight ? 300 : 4096,
					.total_bytes = tight ? 24 << 10 : 1 << 20,
					.pending = tight ? 4 : 64,
					.reorder_ns = 200 * MS,
					.grace_ns = 1000 * MS };
	struct stream_sink sink = { &w, on_open, on_range, on_end, on_close, NULL, on_direct };
	struct stream_stats st;

	memset(&w, 0, sizeof(w));
	w.random = seed * 0x9E3779B97F4A7C15ull + 1;
	w.now_ns = 1000 * MS;
	w.lossy = lossy;
	w.skips = skips;
	w.ignores = ignores;
	w.tight = tight;
	assert_int_equal(stream_new(&limits, &sink, &w.s), 0);
	for (int i = 0; i < 1500; i++)
		step(&w);
	w.now_ns += 100 * MS;
	deliver(&w);
	for (int i = 0; i < CONNS; i++)
		if (w.conn[i].id && !w.conn[i].closed && !w.conn[i].gone)
			gone(&w, &w.conn[i]);
	stream_tick(w.s, w.now_ns += 1000 * MS);
	check_sums(&w);
	if (tight) /* strangers of which no GONE will come */
		stream_flush(w.s);
	check_sums(&w);
	stream_stats(w.s, &st);
	assert_int_equal(st.connections, 0);
	assert_u64(st.buffered_bytes, 0);
	assert_u64(st.opened, st.closed);
	assert_int_equal(w.queued, 0);
	stream_free(w.s);
}

static void run_seeds(bool lossy, bool skips, bool ignores, bool tight)
{
	const char *more = getenv("PARCOURS_SEEDS");
	uint64_t seeds = more ? strtoull(more, NULL, 10) : 200;

	for (uint64_t seed = 1; seed <= seeds; seed++)
		run(seed, lossy, skips, ignores, tight);
}

static void reordered(void **state)
{
	run_seeds(false, false, false, false);
}

static void with_loss(void **state)
{
	run_seeds(true, false, false, false);
}

static void with_directives(void **state)
{
	run_seeds(false, true, false, false);
}

static void with_loss_and_directives(void **state)
{
	run_seeds(true, true, true, false);
}

/* Every bound is reached all the time: causes are not predicted, sums and order are. */
static void within_tight_bounds(void **state)
{
	run_seeds(true, true, true, true);
}

UNIT_MAIN(T(reordered), T(with_loss), T(with_directives), T(with_loss_and_directives),
	  T(within_tight_bounds))
