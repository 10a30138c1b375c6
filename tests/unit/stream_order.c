/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_order.c: order, overlap, holes, late records, directives, positions.
 */
#include "stream_kit.h"

static void in_order(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	kit_data(&k, 7, PC_RX, 0, "hello", 0, 0);
	kit_data(&k, 7, PC_TX, 0, "wor", 10, PC_WHY_BUDGET);
	kit_data(&k, 7, PC_RX, 5, "x", 0, 0);
	kit_expect(&k, "open 7\nrange 7 rx 0+5 \"hello\"\nrange 7 tx 0+13 \"wor\" budget\n"
		       "range 7 rx 5+1 \"x\"\n");
	assert_u64(kit_stats(&k).bytes[PC_TX], 13);
	assert_u64(kit_stats(&k).hole_bytes[PC_WHY_BUDGET], 10);
	assert_u64(kit_stats(&k).holes[PC_WHY_BUDGET], 1);
	kit_free(&k);
}

/* Two CPUs: the later bytes are read first. Nothing is lost, nothing waits longer than needed. */
static void between_cpus(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	kit_data(&k, 7, PC_RX, 3, "def", 0, 0);
	kit_data(&k, 7, PC_RX, 9, "jkl", 0, 0);
	kit_data(&k, 7, PC_RX, 6, "ghi", 0, 0);
	kit_expect(&k, "open 7\n");
	kit_tick(&k, 199 * MS);
	kit_expect(&k, "");
	kit_data(&k, 7, PC_RX, 0, "abc", 0, 0);
	kit_expect(&k, "range 7 rx 0+3 \"abc\"\nrange 7 rx 3+3 \"def\"\nrange 7 rx 6+3 \"ghi\"\n"
		       "range 7 rx 9+3 \"jkl\"\n");
	assert_u64(kit_stats(&k).hole_bytes[PC_WHY_RING], 0);
	assert_u64(kit_stats(&k).buffered_bytes, 0);
	kit_free(&k);
}

static void overlap_and_duplicates(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	kit_data(&k, 7, PC_RX, 0, "abcd", 0, 0);
	kit_data(&k, 7, PC_RX, 0, "abcd", 0, 0);
	k.flags = PC_F_UNCERTAIN;
	kit_data(&k, 7, PC_RX, 2, "cdef", 0, 0);
	kit_data(&k, 7, PC_RX, 4, "ef", 6, PC_WHY_BUDGET); /* all bytes known, absent ones new */
	kit_data(&k, 7, PC_RX, 11, "lm", 0, 0);		   /* only its tail is new */
	kit_data(&k, 7, PC_RX, 15, "p", 0, 0);
	kit_data(&k, 7, PC_RX, 15, "p", 0, 0); /* twice while waiting */
	kit_data(&k, 7, PC_RX, 13, "no", 0, 0);
	kit_expect(&k, "open 7\nrange 7 rx 0+4 \"abcd\"\nrange 7 rx 4+2 \"ef\"\n"
		       "range 7 rx 6+6 \"\" budget\nrange 7 rx 12+1 \"m\"\n"
		       "range 7 rx 13+2 \"no\"\nrange 7 rx 15+1 \"p\"\n");
	assert_u64(kit_stats(&k).duplicate_bytes, 4 + 2 + 2 + 1 + 1);
	assert_u64(kit_stats(&k).late_bytes, 0);
	assert_u64(kit_stats(&k).uncertain, 1);
	kit_free(&k);
}

static void ring_loss_is_a_hole(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	kit_data(&k, 7, PC_RX, 0, "abc", 0, 0);
	kit_data(&k, 7, PC_RX, 10, "x", 0, 0);
	kit_tick(&k, 200 * MS);
	kit_expect(&k, "open 7\nrange 7 rx 0+3 \"abc\"\nrange 7 rx 3+7 \"\" ring\nrange 7 rx 10+1 "
		       "\"x\"\n");
	/* Late by then: counted, not handed out; what lies behind the hole came twice. */
	kit_data(&k, 7, PC_RX, 2, "cdefgh", 0, 0);
	kit_expect(&k, "");
	assert_u64(kit_stats(&k).late_bytes, 5);
	assert_u64(kit_stats(&k).duplicate_bytes, 1);
	assert_u64(kit_stats(&k).hole_bytes[PC_WHY_RING], 7);
	assert_u64(kit_stats(&k).holes[PC_WHY_RING], 1);
	kit_free(&k);
}

/* Each gap has its own age; progress gives the first one more time. */
static void two_gaps(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	kit_data(&k, 7, PC_RX, 2, "c", 0, 0);
	k.now_ns += 100 * MS;
	kit_data(&k, 7, PC_RX, 5, "f", 0, 0);
	kit_tick(&k, 100 * MS);
	kit_expect(&k, "open 7\nrange 7 rx 0+2 \"\" ring\nrange 7 rx 2+1 \"c\"\n");
	kit_data(&k, 7, PC_RX, 3, "d", 0, 0);
	kit_tick(&k, 199 * MS);
	kit_expect(&k, "range 7 rx 3+1 \"d\"\n");
	kit_tick(&k, 1 * MS);
	kit_expect(&k, "range 7 rx 4+1 \"\" ring\nrange 7 rx 5+1 \"f\"\n");
	kit_free(&k);
}

/* More waits than is allowed: the oldest gaps are given up, in order. */
static void too_many_early(void **state)
{
	struct stream_limits limits = kit_limits();
	struct kit k;

	limits.pending = 2;
	kit_new_limits(&k, limits);
	kit_open(&k, 7);
	kit_data(&k, 7, PC_RX, 4, "e", 0, 0);
	kit_data(&k, 7, PC_RX, 8, "i", 0, 0);
	kit_expect(&k, "open 7\n");
	kit_data(&k, 7, PC_RX, 6, "g", 0, 0);
	kit_expect(&k, "range 7 rx 0+4 \"\" ring\nrange 7 rx 4+1 \"e\"\nrange 7 rx 5+1 \"\" ring\n"
		       "range 7 rx 6+1 \"g\"\n");
	kit_data(&k, 7, PC_RX, 7, "h", 0, 0);
	kit_expect(&k, "range 7 rx 7+1 \"h\"\nrange 7 rx 8+1 \"i\"\n");
	kit_free(&k);
}

/* The total bound counts early records too. */
static void early_within_total(void **state)
{
	struct stream_limits limits = kit_limits();
	struct kit k;

	limits.total_bytes = 300;
	kit_new_limits(&k, limits);
	kit_open(&k, 7);
	for (uint64_t pos = 10; pos < 100; pos += 10)
		kit_data(&k, 7, PC_RX, pos, "12345", 0, 0);
	assert_true(kit_stats(&k).buffered_bytes <= 300);
	assert_u64(kit_stats(&k).bytes[PC_RX], k.c->pos[PC_RX]);
	stream_flush(k.s);
	assert_u64(kit_stats(&k).bytes[PC_RX], 95);
	assert_u64(kit_stats(&k).hole_bytes[PC_WHY_RING], 50);
	kit_free(&k);
}

static void absent_in_the_middle(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	k.take = 0;
	kit_data(&k, 7, PC_TX, 0, "head", 100, PC_WHY_SENDFILE);
	kit_data(&k, 7, PC_TX, 104, "", 50, PC_WHY_SENDFILE);
	kit_data(&k, 7, PC_TX, 154, "tail", 0, 0);
	buf_clear(&k.log);
	k.take = KIT_ALL;
	stream_kick(k.s, k.c, PC_TX);
	kit_expect(&k, "range 7 tx 0+154 \"head\" sendfile\nrange 7 tx 154+4 \"tail\"\n");
	assert_u64(kit_stats(&k).hole_bytes[PC_WHY_SENDFILE], 150);
	kit_free(&k);
}

/* Asked for nothing before 1000: the jump is no loss, at once, and the piece that reaches it is told. */
static void directive_is_no_loss(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	kit_data(&k, 7, PC_RX, 0, "abc", 0, 0);
	stream_skip_to(k.s, k.c, PC_RX, 1000, 77);
	assert_u64(k.directive.conn, 7);
	assert_u64(k.directive.until[PC_RX], 1000);
	assert_int_equal(k.directive.budget[PC_RX], 77);
	assert_u64(k.directive.until[PC_TX], 0);
	kit_data(&k, 7, PC_RX, 900, "", 100, PC_WHY_DIRECTIVE);
	kit_data(&k, 7, PC_RX, 1000, "next", 0, 0);
	kit_expect(&k, "open 7\nrange 7 rx 0+3 \"abc\"\nrange 7 rx 3+897 \"\" directive\n"
		       "range 7 rx 900+100 \"\" directive\nrange 7 rx 1000+4 \"next\"\n");
	stream_skip_to(k.s, k.c, PC_RX, 500, 77); /* long past: nothing to tell */
	assert_int_equal(k.directives, 1);
	kit_free(&k);
}

/* The piece that reaches the asked position was lost: the gap is old enough, then split by cause. */
static void directive_and_loss(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	kit_data(&k, 7, PC_RX, 0, "abc", 0, 0);
	stream_skip_to(k.s, k.c, PC_RX, 1000, 0);
	kit_data(&k, 7, PC_RX, 1010, "next", 0, 0);
	kit_expect(&k, "open 7\nrange 7 rx 0+3 \"abc\"\n");
	kit_tick(&k, 200 * MS);
	kit_expect(&k, "range 7 rx 3+997 \"\" directive\nrange 7 rx 1000+10 \"\" ring\n"
		       "range 7 rx 1010+4 \"next\"\n");
	kit_free(&k);
}

/* A body that was asked not to be captured and is cut: no record will come, none was lost. */
static void directive_then_end(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	stream_skip_to(k.s, k.c, PC_RX, 1000, 0);
	kit_end(&k, 7, PC_RX, 600, 104);
	kit_tick(&k, 200 * MS);
	kit_expect(&k, "open 7\nrange 7 rx 0+600 \"\" directive\nend 7 rx 104\n");
	assert_u64(kit_stats(&k).hole_bytes[PC_WHY_RING], 0);
	kit_free(&k);
}

static void beyond_4_gib(void **state)
{
	uint64_t at = 0xfffffff0ull;
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	stream_skip_to(k.s, k.c, PC_TX, at, 0);
	kit_data(&k, 7, PC_TX, at - 5, "", 5, PC_WHY_DIRECTIVE);
	kit_data(&k, 7, PC_TX, at, "0123456789abcdefghij", 0, 0);
	kit_data(&k, 7, PC_TX, at + 20, "", 0xf0000000u, PC_WHY_SENDFILE);
	kit_data(&k, 7, PC_TX, at + 20 + 0xf0000000ull, "z", 0, 0);
	kit_expect(&k, "open 7\nrange 7 tx 0+4294967275 \"\" directive\n"
		       "range 7 tx 4294967275+5 \"\" directive\n"
		       "range 7 tx 4294967280+20 \"0123456789abcdefghij\"\n"
		       "range 7 tx 4294967300+4026531840 \"\" sendfile\n"
		       "range 7 tx 8321499140+1 \"z\"\n");
	assert_u64(kit_stats(&k).bytes[PC_TX], 8321499141ull);
	kit_free(&k);
}

/* A torn position far ahead, then the right ones again: they are handed out, the wild one waits. */
static void wild_position(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	kit_data(&k, 7, PC_RX, 0, "a", 0, 0);
	kit_data(&k, 7, PC_RX, 1 + (1ull << 32), "wild", 0, 0);
	for (uint64_t pos = 1; pos < 20; pos++) {
		kit_tick(&k, 150 * MS);
		kit_data(&k, 7, PC_RX, pos, "b", 0, 0);
	}
	assert_u64(k.c->pos[PC_RX], 20);
	assert_u64(kit_stats(&k).bytes[PC_RX], 20);
	kit_tick(&k, 200 * MS);
	assert_u64(k.c->pos[PC_RX], 5 + (1ull << 32));
	kit_data(&k, 7, PC_RX, 20, "b", 0, 0); /* backwards: late, never handed out twice */
	assert_u64(kit_stats(&k).late_bytes, 1);
	kit_free(&k);
}

/* COUNTED positions start where watching did; the flag changes nothing else. */
static void counted(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open_at(&k, 7, 40, 90, PC_F_JOINED | PC_F_COUNTED);
	k.flags = PC_F_COUNTED;
	kit_data(&k, 7, PC_RX, 40, "abc", 0, 0);
	kit_expect(&k, "open 7\nrange 7 rx 40+3 \"abc\"\n");
	assert_u64(k.c->start[PC_RX], 40);
	assert_u64(k.c->start[PC_TX], 90);
	assert_true(k.c->flags & PC_F_COUNTED);
	assert_u64(kit_stats(&k).joined, 1);
	kit_free(&k);
}

/* A reader that was kept from running gets a second of one ring before the first byte of the other. What
 * is not read yet is not lost: only a tick says how far all was read. */
static void late_reader(void **state)
{
	struct kit k;

	kit_new(&k);
	for (uint64_t conn = 1; conn <= 3; conn++, k.now_ns += 500 * MS) {
		kit_open(&k, conn);
		kit_close_kind(&k, PC_CLOSE, conn, 3, 0, 0);
		kit_close_kind(&k, PC_GONE, conn, 3, 0, 0);
	}
	kit_expect(&k, "open 1\nopen 2\nopen 3\n");
	k.now_ns = 1000 * MS;
	kit_data(&k, 1, PC_RX, 0, "abc", 0, 0);
	kit_expect(&k, "range 1 rx 0+3 \"abc\"\nend 1 rx 0\nend 1 tx 0\nclose 1 gone\n");
	kit_data(&k, 3, PC_RX, 0, "abc", 0, 0);
	kit_expect(&k, "range 3 rx 0+3 \"abc\"\nend 3 rx 0\nend 3 tx 0\nclose 3 gone\n");
	k.now_ns = 2000 * MS;
	kit_tick(&k, 0);
	kit_expect(&k, "range 2 rx 0+3 \"\" ring\nend 2 rx 0\nend 2 tx 0\nclose 2 gone\n");
	assert_u64(kit_stats(&k).late_bytes, 0);
	kit_free(&k);
}

/* Told when something begins to wait, once for all that waits; not of what is behind or asked not to come. */
static void a_gap_is_told_at_once(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	kit_data(&k, 7, PC_RX, 0, "a", 0, 0);
	assert_int_equal(k.gaps[PC_RX], 0);
	kit_data(&k, 7, PC_RX, 2, "c", 0, 0);
	assert_int_equal(k.gaps[PC_RX], 1);
	kit_data(&k, 7, PC_RX, 4, "e", 0, 0);
	kit_data(&k, 7, PC_RX, 0, "a", 0, 0);
	assert_int_equal(k.gaps[PC_RX], 1);
	kit_data(&k, 7, PC_RX, 1, "b", 0, 0);
	kit_data(&k, 7, PC_RX, 3, "d", 0, 0);
	kit_data(&k, 7, PC_RX, 9, "j", 0, 0);
	assert_int_equal(k.gaps[PC_RX], 2);
	assert_int_equal(k.gaps[PC_TX], 0);
	kit_free(&k);
}

UNIT_MAIN(T(in_order), T(between_cpus), T(overlap_and_duplicates), T(ring_loss_is_a_hole),
	  T(two_gaps), T(too_many_early), T(early_within_total), T(absent_in_the_middle),
	  T(directive_is_no_loss), T(directive_and_loss), T(directive_then_end), T(beyond_4_gib),
	  T(wild_position), T(counted), T(late_reader), T(a_gap_is_told_at_once))
