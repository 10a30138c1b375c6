/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_sink.c: a reader that takes nothing, a part or all; bounds of what is kept; times by
 * position; what the reader may call while it is being called.
 */
#include "stream_kit.h"

static void takes_nothing_then_all(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	k.take = 0;
	kit_data(&k, 7, PC_RX, 0, "GET / HT", 0, 0);
	kit_data(&k, 7, PC_RX, 8, "TP/1.1\r", 0, 0);
	k.take = KIT_ALL;
	kit_data(&k, 7, PC_RX, 15, "\n", 0, 0);
	kit_expect(&k, "open 7\nrange 7 rx 0+8 \"GET / HT\"\nrange 7 rx 0+15 \"GET / HTTP/1.1\r\"\n"
		       "range 7 rx 0+16 \"GET / HTTP/1.1\r\n\"\n");
	assert_u64(kit_stats(&k).buffered_bytes, 0);
	assert_u64(kit_stats(&k).bytes[PC_RX], 16);
	kit_free(&k);
}

static void takes_a_part(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	k.take = 4;
	kit_data(&k, 7, PC_RX, 0, "abcdef", 0, 0);
	k.take = 3;
	kit_data(&k, 7, PC_RX, 6, "g", 9, PC_WHY_TRUNC);
	kit_expect(&k, "open 7\nrange 7 rx 0+6 \"abcdef\"\nrange 7 rx 4+12 \"efg\" trunc\n");
	k.take = 5; /* a part of the absent ones */
	stream_kick(k.s, k.c, PC_RX);
	assert_u64(kit_stats(&k).hole_bytes[PC_WHY_TRUNC], 5);
	assert_u64(kit_stats(&k).holes[PC_WHY_TRUNC], 0);
	k.take = KIT_ALL;
	kit_data(&k, 7, PC_RX, 16, "h", 0, 0);
	kit_expect(&k, "range 7 rx 7+9 \"\" trunc\nrange 7 rx 12+4 \"\" trunc\n"
		       "range 7 rx 16+1 \"h\"\n");
	assert_u64(kit_stats(&k).holes[PC_WHY_TRUNC], 1);
	kit_free(&k);
}

/* At the bound: once more with last, the rest is told as a hole, the new bytes are offered alone. */
static void buffer_bound(void **state)
{
	struct stream_limits limits = kit_limits();
	struct kit k;

	limits.buffer_bytes = 10;
	kit_new_limits(&k, limits);
	kit_open(&k, 7);
	k.take = 0;
	kit_data(&k, 7, PC_RX, 0, "12345678", 0, 0);
	k.take = 3;
	kit_data(&k, 7, PC_RX, 8, "abcde", 0, 0);
	kit_expect(&k, "open 7\nrange 7 rx 0+8 \"12345678\"\nrange 7 rx 0+8 \"12345678\" last\n"
		       "range 7 rx 3+5 \"\" buffer last\nrange 7 rx 8+5 \"abcde\"\n");
	assert_u64(kit_stats(&k).hole_bytes[PC_WHY_BUFFER], 5);
	/* More in one record than can ever be kept. */
	k.take = 1;
	kit_data(&k, 7, PC_TX, 0, "123456789012345", 7, PC_WHY_BUDGET);
	kit_expect(&k, "range 7 tx 0+22 \"123456789012345\" budget\n"
		       "range 7 tx 1+21 \"23456789012345\" budget last\n"
		       "range 7 tx 2+13 \"\" buffer last\nrange 7 tx 15+7 \"\" budget last\n");
	assert_u64(kit_stats(&k).bytes[PC_TX], 22);
	assert_u64(kit_stats(&k).hole_bytes[PC_WHY_BUDGET], 7);
	kit_free(&k);
}

/* All together: the one that grew longest ago gives way, not the newcomer. */
static void total_bound(void **state)
{
	struct stream_limits limits = kit_limits();
	struct kit k;
	char bytes[1001];
	uint64_t most = 0;

	memset(bytes, 'x', 1000);
	bytes[1000] = 0;
	limits.total_bytes = 64 << 10;
	limits.buffer_bytes = 4096;
	kit_new_limits(&k, limits);
	k.take = 0;
	for (uint64_t id = 1; id <= 60; id++) {
		kit_open(&k, id);
		kit_data(&k, id, PC_RX, 0, bytes, 0, 0);
		if (kit_stats(&k).buffered_bytes > most)
			most = kit_stats(&k).buffered_bytes;
	}
	assert_in_range(most, 32 << 10, 64 << 10);
	assert_true(kit_stats(&k).hole_bytes[PC_WHY_BUFFER] >= 10000);
	buf_clear(&k.log);
	k.take = KIT_ALL;
	stream_kick(k.s, k.c, PC_RX); /* the latest one is still whole */
	assert_true(slice_starts(buf_slice(&k.log), SLICE("range 60 rx 0+1000 \"xxx")));
	assert_u64(k.c->pos[PC_RX], 1000);
	stream_flush(k.s);
	assert_u64(kit_stats(&k).bytes[PC_RX], 60 * 1000);
	kit_free(&k);
}

/* Many absent ranges in a row need no bytes but entries: bounded as well. */
static void ranges_bound(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	k.take = 0;
	for (uint64_t i = 0; i < 100; i++)
		kit_data(&k, 7, PC_RX, i * 6, "a", 5, PC_WHY_BUDGET);
	stream_flush(k.s);
	assert_u64(kit_stats(&k).bytes[PC_RX], 600);
	assert_u64(kit_stats(&k).hole_bytes[PC_WHY_BUDGET], 500);
	assert_u64(kit_stats(&k).hole_bytes[PC_WHY_BUFFER], 100);
	kit_free(&k);
}

/* A server that reads its head byte by byte: first and last byte exact, the middle says so if not. */
static void read_byte_by_byte(void **state)
{
	struct stream_limits limits = kit_limits();
	struct kit k;
	struct moment m;

	limits.buffer_bytes = 8192;
	kit_new_limits(&k, limits);
	kit_open(&k, 7);
	k.take = 0;
	for (uint64_t i = 0; i < 5000; i++) {
		k.now_ns = 1000 + i;
		k.tid = (uint32_t)i;
		k.flags = PC_F_FIRST | PC_F_LAST;
		k.arrivals[0] = (struct pc_arrival){ 5000, 500 };
		k.arrival_count = 1;
		kit_data(&k, 7, PC_RX, i, "a", 0, 0);
		assert_true(stream_moment(k.s, k.c, PC_RX, 0, &m));
		assert_u64(m.time_ns, 1000);
		assert_u64(m.arrival_ns, 500);
		assert_int_equal(m.tid, 0);
		assert_false(m.uncertain);
		assert_true(m.call_start && m.from == 0 && m.to == 1);
		assert_true(stream_moment(k.s, k.c, PC_RX, i, &m));
		assert_u64(m.time_ns, 1000 + i);
		assert_int_equal(m.tid, i);
		assert_false(m.uncertain);
		if (i < 40) /* a short head: all of it */
			for (uint64_t j = 0; j < i; j++) {
				assert_true(stream_moment(k.s, k.c, PC_RX, j, &m));
				assert_u64(m.time_ns, 1000 + j);
			}
	}
	for (uint64_t j = 1; j < 4999; j++) {
		assert_true(stream_moment(k.s, k.c, PC_RX, j, &m));
		assert_true(m.from <= j && j < m.to);
		if (m.to - m.from == 1)
			assert_u64(m.time_ns, 1000 + j);
		else /* right or absent, never a neighbour's */
			assert_true(m.uncertain && !m.time_ns && !m.arrival_ns && !m.tid);
	}
	assert_false(stream_moment(k.s, k.c, PC_RX, 5000, &m));
	assert_u64(m.time_ns, 0);
	kit_free(&k);
}

static void ask_moments(struct kit *k, struct connection *c, enum pc_dir d, const struct range *r)
{
	struct moment m;

	if (r->pos == 100) { /* straight from the ring */
		assert_true(stream_moment(k->s, c, d, 100, &m));
		assert_u64(m.arrival_ns, 1);
		assert_u64(m.to, 102);
		assert_true(m.call_start);
		assert_true(stream_moment(k->s, c, d, 102, &m));
		assert_u64(m.arrival_ns, 2);
		assert_u64(m.from, 102);
		assert_false(m.call_start);
		assert_true(stream_moment(k->s, c, d, 105, &m)); /* absent, but its call was seen */
		assert_u64(m.arrival_ns, 0);
		assert_u64(m.time_ns, k->now_ns);
		assert_false(stream_moment(k->s, c, d, 110, &m));
		assert_u64(stream_when(k->s, c, d, 105), k->now_ns);
		assert_u64(stream_when(k->s, c, d, 110), 0);
		assert_u64(stream_when(k->s, c, !d, 100), 0);
		assert_false(stream_moment(k->s, c, !d, 100, &m));
	}
}

static void take_no_more(struct kit *k, struct connection *c, enum pc_dir d, const struct range *r)
{
	k->take = 0;
	assert_false(stream_moment(k->s, c, d, 60, &(struct moment){ 0 })); /* a hole has no time */
}

static void moments_direct_and_kept(void **state)
{
	struct kit k;
	struct moment m;

	kit_new(&k);
	kit_open(&k, 7);
	kit_data(&k, 7, PC_RX, 0, "a", 49, PC_WHY_BUDGET);
	k.arrivals[0] = (struct pc_arrival){ 102, 1 };
	k.arrivals[1] = (struct pc_arrival){ 104, 2 };
	k.arrival_count = 2;
	k.flags = PC_F_FIRST;
	k.take = 0;
	kit_data(&k, 7, PC_RX, 100, "abcd", 6, PC_WHY_BUDGET);
	k.take = KIT_ALL; /* the first range goes, the hole and the record stay */
	k.in_range = take_no_more;
	kit_tick(&k, 200 * MS);
	kit_expect(&k, "open 7\nrange 7 rx 0+50 \"a\" budget\nrange 7 rx 50+50 \"\" ring\n"
		       "range 7 rx 50+50 \"\" ring\n");
	assert_false(stream_moment(k.s, k.c, PC_RX, 99, &m));
	assert_true(stream_moment(k.s, k.c, PC_RX, 101, &m));
	assert_u64(m.arrival_ns, 1);
	assert_true(stream_moment(k.s, k.c, PC_RX, 103, &m));
	assert_u64(m.arrival_ns, 2);
	assert_true(stream_moment(k.s, k.c, PC_RX, 109, &m));
	assert_u64(m.arrival_ns, 0);
	k.take = KIT_ALL;
	k.in_range = NULL;
	stream_kick(k.s, k.c, PC_RX);
	assert_u64(k.c->pos[PC_RX], 110);
	assert_false(stream_moment(k.s, k.c, PC_RX, 101, &m));
	/* And straight from the ring. */
	kit_data(&k, 7, PC_RX, 110, "z", 0, 0);
	kit_open_at(&k, 8, 100, 0, 0);
	k.in_range = ask_moments;
	k.arrivals[0] = (struct pc_arrival){ 102, 1 };
	k.arrivals[1] = (struct pc_arrival){ 104, 2 };
	k.arrival_count = 2;
	k.flags = PC_F_FIRST;
	kit_data(&k, 8, PC_RX, 100, "abcd", 6, PC_WHY_BUDGET);
	kit_free(&k);
}

/* Pieces of one call are one moment; a blocked write says that its begin is unknown. */
static void moments_of_a_call(void **state)
{
	struct kit k;
	struct moment m;

	kit_new(&k);
	kit_open(&k, 7);
	k.take = 0;
	k.flags = PC_F_FIRST | PC_F_BLOCKED;
	kit_data(&k, 7, PC_TX, 0, "aaaa", 0, 0);
	k.flags = PC_F_LAST | PC_F_BLOCKED;
	kit_data(&k, 7, PC_TX, 4, "bbbb", 0, 0);
	k.begin_ns = 900;
	k.flags = PC_F_FIRST | PC_F_LAST | PC_F_UNCERTAIN;
	kit_data(&k, 7, PC_TX, 8, "cc", 0, 0);
	assert_true(stream_moment(k.s, k.c, PC_TX, 5, &m));
	assert_true(m.from == 0 && m.to == 8 && m.call_start && m.blocked && !m.uncertain);
	assert_u64(m.begin_ns, 0);
	assert_true(stream_moment(k.s, k.c, PC_TX, 8, &m));
	assert_true(m.from == 8 && m.uncertain && !m.blocked);
	assert_u64(m.begin_ns, 900);
	k.now_ns++;
	/* What is kept of a record that came twice in part does not begin its call. */
	k.flags = PC_F_FIRST | PC_F_LAST;
	kit_data(&k, 7, PC_TX, 9, "ccc", 0, 0);
	assert_true(stream_moment(k.s, k.c, PC_TX, 10, &m));
	assert_true(m.from == 10 && m.to == 12 && m.uncertain && !m.call_start);
	kit_free(&k);
}

static void kick_other(struct kit *k, struct connection *c, enum pc_dir d, const struct range *r)
{
	if (d != PC_RX)
		return;
	k->take = KIT_ALL; /* the request is there: now the response may be read */
	stream_kick(k->s, c, PC_TX);
	assert_int_equal(k->log.at[k->log.len - 1], '\n');
	buf_add(&k->log, SLICE("kicked\n"));
}

static void kick_inside(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	k.take = 0;
	kit_data(&k, 7, PC_TX, 0, "200 OK", 0, 0);
	k.in_range = kick_other;
	kit_data(&k, 7, PC_RX, 0, "GET", 0, 0);
	kit_expect(&k, "open 7\nrange 7 tx 0+6 \"200 OK\"\nrange 7 rx 0+3 \"GET\"\nkicked\n"
		       "range 7 tx 0+6 \"200 OK\"\n");
	kit_free(&k);
}

/* Reads a request kept in RX as soon as TX began; TX waits for that request. */
static void answer_first(struct kit *k, struct connection *c, enum pc_dir d, const struct range *r)
{
	k->take = 0;
	if (d == PC_TX)
		stream_kick(k->s, c, PC_RX);
	else
		k->take = KIT_ALL;
}

/* What waited behind a gap is fed all at once. A way that waits for the other one, which was kicked
 * and would go on, is not forced to decide before that was offered. */
static void kicked_before_forced(void **state)
{
	static char half[601];
	struct kit k;

	memset(half, 'x', 600);
	kit_new(&k); /* keeps 1,024 bytes of a way */
	kit_open(&k, 7);
	k.take = 0;
	kit_data(&k, 7, PC_RX, 0, "GET", 0, 0);
	kit_data(&k, 7, PC_TX, 10, half, 0, 0);
	kit_data(&k, 7, PC_TX, 610, half, 0, 0);
	buf_clear(&k.log);
	k.in_range = answer_first;
	kit_tick(&k, 300 * MS);
	assert_u64(k.c->pos[PC_RX], 3);
	assert_true(slice_find_slice(buf_slice(&k.log), SLICE("range 7 rx 0+3 \"GET\"\n")) <
		    slice_find_slice(buf_slice(&k.log), SLICE("last")));
	kit_free(&k);
}

/* The last bytes of a connection that is gone: what they kick is offered in the ordinary way before
 * anything is offered for the last time. */
static void kick_while_closing(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	k.take = 0;
	kit_data(&k, 7, PC_TX, 0, "200 OK", 0, 0);
	kit_data(&k, 7, PC_RX, 2, "T", 0, 0);
	kit_gone(&k, 7, 3, 6);
	buf_clear(&k.log);
	k.in_range = kick_other;
	kit_tick(&k, 2000 * MS);
	kit_expect(&k, "range 7 rx 0+2 \"\" ring\nkicked\nrange 7 rx 2+1 \"T\"\nkicked\n"
		       "range 7 tx 0+6 \"200 OK\"\nend 7 rx 0\nend 7 tx 0\nclose 7 gone\n");
	kit_free(&k);
}

static void kick_self(struct kit *k, struct connection *c, enum pc_dir d, const struct range *r)
{
	k->tid++;
	stream_kick(k->s, c, d);
}

/* A reader that asks again and again and never takes must not hang us. */
static void kick_for_ever(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	k.take = 0;
	kit_data(&k, 7, PC_RX, 0, "a", 0, 0);
	k.in_range = kick_self;
	kit_data(&k, 7, PC_RX, 1, "b", 0, 0);
	assert_in_range(k.tid, 2, 100000);
	stream_flush(k.s);
	kit_free(&k);
}

static void ignore_it(struct kit *k, struct connection *c, enum pc_dir d, const struct range *r)
{
	stream_ignore(k->s, c);
	stream_kick(k->s, c, d); /* without effect from here on */
	stream_skip_to(k->s, c, d, 5000, 0);
}

static void ignore_inside(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	k.take = 0;
	kit_data(&k, 7, PC_TX, 0, "kept", 0, 0);
	kit_data(&k, 7, PC_RX, 50, "early", 0, 0);
	k.in_range = ignore_it;
	k.take = 2;
	kit_data(&k, 7, PC_RX, 0, "SSH-", 0, 0);
	assert_u64(k.directive.until[PC_RX], PC_NEVER);
	assert_u64(k.directive.until[PC_TX], PC_NEVER);
	assert_int_equal(k.directives, 1);
	assert_u64(kit_stats(&k).buffered_bytes, 0);
	assert_u64(kit_stats(&k).ignored, 1);
	buf_clear(&k.log);
	kit_data(&k, 7, PC_RX, 4, "more", 0, 0); /* the slot was taken: told again */
	assert_int_equal(k.directives, 2);
	assert_u64(kit_stats(&k).ignored_bytes, 4);
	kit_end(&k, 7, PC_RX, 8, 0);
	kit_tick(&k, 2000 * MS);
	kit_expect(&k, "");
	kit_gone(&k, 7, 800, 900);
	kit_expect(&k, "close 7 gone\n");
	kit_free(&k);
}

/* While its kept bytes are offered, and while they are offered for the last time. */
static void ignore_kept(void **state)
{
	struct stream_limits limits = kit_limits();
	struct kit k;

	for (int last = 0; last < 2; last++) {
		limits.buffer_bytes = last ? 4 : 100;
		kit_new_limits(&k, limits);
		kit_open(&k, 7);
		k.take = 0;
		kit_data(&k, 7, PC_TX, 0, "kept", 0, 0);
		k.in_range = ignore_it;
		kit_data(&k, 7, PC_TX, 4, "more", 0, 0);
		assert_u64(kit_stats(&k).buffered_bytes, 0);
		assert_u64(kit_stats(&k).bytes[PC_TX], 0);
		kit_free(&k);
	}
}

static void skip_it(struct kit *k, struct connection *c, enum pc_dir d, const struct range *r)
{
	if (r->pos == 0)
		stream_skip_to(k->s, c, d, 100, 0);
}

static void skip_inside(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	k.in_range = skip_it;
	kit_data(&k, 7, PC_RX, 0, "POST", 0, 0);
	assert_u64(k.directive.until[PC_RX], 100);
	kit_data(&k, 7, PC_RX, 90, "", 10, PC_WHY_DIRECTIVE);
	kit_expect(&k, "open 7\nrange 7 rx 0+4 \"POST\"\nrange 7 rx 4+86 \"\" directive\n"
		       "range 7 rx 90+10 \"\" directive\n");
	kit_free(&k);
}

/* The end waits for its bytes to be taken, but not for ever. */
static void end_waits_for_reader(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	k.take = 0;
	kit_data(&k, 7, PC_TX, 0, "200 OK", 0, 0);
	kit_end(&k, 7, PC_TX, 6, 0);
	kit_expect(&k, "open 7\nrange 7 tx 0+6 \"200 OK\"\n");
	k.in_range = kick_other;
	kit_data(&k, 7, PC_RX, 0, "GET", 0, 0);
	kit_expect(&k, "range 7 rx 0+3 \"GET\"\nkicked\nrange 7 tx 0+6 \"200 OK\"\nend 7 tx 0\n");
	k.take = 0;
	k.in_range = NULL;
	kit_data(&k, 7, PC_RX, 3, "GET / HT", 0, 0);
	kit_end(&k, 7, PC_RX, 11, 0);
	buf_clear(&k.log);
	kit_tick(&k, 999 * MS);
	kit_expect(&k, "");
	kit_tick(&k, 1 * MS);
	kit_expect(
		&k,
		"range 7 rx 3+8 \"GET / HT\" last\nrange 7 rx 3+8 \"\" buffer last\nend 7 rx 0\n");
	kit_free(&k);
}

UNIT_MAIN(T(takes_nothing_then_all), T(takes_a_part), T(buffer_bound), T(total_bound),
	  T(ranges_bound), T(read_byte_by_byte), T(moments_direct_and_kept), T(moments_of_a_call),
	  T(kick_inside), T(kicked_before_forced), T(kick_while_closing), T(kick_for_ever),
	  T(ignore_inside), T(ignore_kept), T(skip_inside), T(end_waits_for_reader))
