/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_burst.c: the parts that page views are made of: bursts, URLs, what timers ask for. All pure.
 */
#include "unit.h"

#include <string.h>

#include "session/page/again.h"
#include "session/page/burst.h"
#include "session/page/url.h"

#define MS     1000000ull
#define SECOND 1000000000ull

/* ---- stretches and bursts ---- */

static void stretches_that_touch_are_one(void **state)
{
	struct stretches s = { 0 };

	stretches_add(&s, 10, 20);
	stretches_add(&s, 40, 50);
	stretches_add(&s, 30, 30); /* nothing */
	stretches_add(&s, 20, 25);
	assert_int_equal(s.count, 2);
	stretches_add(&s, 5, 45);
	assert_int_equal(s.count, 1);
	assert_u64(s.at[0].from, 5);
	assert_u64(s.at[0].to, 50);
	assert_u64(stretches_within(&s, NULL, 0, 7), 2);
	assert_u64(stretches_within(&s, NULL, 60, 70), 0);
}

static void a_full_set_closes_its_smallest_gap(void **state)
{
	struct stretches s = { 0 };

	for (uint64_t i = 0; i < BURST_WORK; i++)
		stretches_add(&s, 100 * i, 100 * i + (i == 4 ? 99 : 50));
	stretches_add(&s, 2000, 2001);
	assert_int_equal(s.count, BURST_WORK);
	assert_u64(stretches_within(&s, NULL, 0, 3000), BURST_WORK * 50 + 49 + 1 + 1);
}

static void less_is_taken_off_once(void **state)
{
	struct stretches wait = { 0 }, work = { 0 };

	stretches_add(&wait, 0, 100);
	stretches_add(&work, 20, 30);
	stretches_add(&work, 90, 200);
	assert_u64(stretches_within(&wait, &work, 0, 1000), 80);
	assert_u64(stretches_within(&wait, &work, 25, 95), 60);
}

static struct part_times part(uint64_t from_ms, uint64_t to_ms)
{
	return (struct part_times){ .read_ns = from_ms * MS, .end_ns = to_ms * MS };
}

static void add(struct burst *b, uint64_t from_ms, uint64_t to_ms, bool call)
{
	const struct part_times t = part(from_ms, to_ms);

	burst_add(b, &t, call);
}

static uint64_t end_ms(const struct burst *b)
{
	const struct part_times document = part(1000, 1100);

	return burst_end(b, &document).at_ns / MS;
}

/* As if all had been of one page from the beginning, whichever of the two is joined to the other. */
static void two_that_are_joined(void **state)
{
	struct burst page = { 0 }, frame = { 0 }, one = { 0 }, other;

	add(&page, 1200, 1300, false);
	add(&page, 5000, 5100, false);
	add(&frame, 1500, 2200, false);
	add(&frame, 3000, 4300, true);
	add(&frame, 4200, 4250, false);
	stretches_add(&page.work, 1, 5);
	stretches_add(&frame.work, 4, 9);
	other = frame;
	burst_join(&other, &page);
	burst_join(&page, &frame);
	add(&one, 1200, 1300, false);
	add(&one, 1500, 2200, false);
	add(&one, 3000, 4300, true);
	add(&one, 4200, 4250, false);
	add(&one, 5000, 5100, false);
	assert_u64(end_ms(&page), end_ms(&one));
	assert_u64(end_ms(&other), end_ms(&one));
	assert_u64(end_ms(&one), 5100);
	assert_u64(stretches_within(&page.work, NULL, 0, 100), 8);
	assert_false(page.crowded);
	frame.crowded = true;
	burst_join(&page, &frame);
	assert_true(page.crowded);
}

static void a_part_belongs_within_the_gap(void **state)
{
	struct burst b = { 0 };

	assert_u64(end_ms(&b), 1100);
	add(&b, 2100, 2200, false); /* 1 s after the end, to the ns */
	assert_u64(end_ms(&b), 2200);
	add(&b, 3201, 3300, false);
	assert_u64(end_ms(&b), 2200);
	add(&b, 2150, 2250, false); /* it closes the hole */
	assert_u64(end_ms(&b), 3300);
}

static void parts_may_come_in_any_order(void **state)
{
	static const uint64_t parts[4][2] = {
		{ 1050, 1200 }, { 2000, 2900 }, { 3800, 3900 }, { 5000, 5100 }
	};

	for (unsigned order = 0; order < 256; order++) {
		struct burst b = { 0 };
		unsigned seen = 0;

		for (unsigned i = 0; i < 4; i++) {
			unsigned n = order >> 2 * i & 3;

			add(&b, parts[n][0], parts[n][1], false);
			seen |= 1u << n;
		}
		if (seen == 15)
			assert_u64(end_ms(&b), 3900);
	}
}

static void a_call_counts_only_when_a_part_follows(void **state)
{
	struct burst b = { 0 };

	add(&b, 1100, 1900, true);
	assert_u64(end_ms(&b), 1100);
	add(&b, 2800, 2900, false); /* what the answer led to */
	assert_u64(end_ms(&b), 2900);
	add(&b, 2850, 3500, true); /* began after the last part */
	assert_u64(end_ms(&b), 2900);
}

static void a_call_that_waits_for_news_is_none(void **state)
{
	struct burst b = { 0 };
	struct part_times t = part(1100, 12000);

	t.first_byte_ns = 11200 * MS;
	burst_add(&b, &t, true);
	add(&b, 12500, 12600, false);
	assert_u64(end_ms(&b), 1100);
}

static void what_finds_no_room_makes_an_estimate(void **state)
{
	const struct part_times document = part(1000, 1100);
	struct burst b = { 0 };

	for (uint64_t i = 0; i < BURST_PARTS; i++)
		add(&b, 10000 * (i + 1), 10000 * (i + 1) + 1, false);
	assert_false(burst_end(&b, &document).estimated);
	add(&b, 1200, 1300, false); /* the latest makes room */
	assert_u64(end_ms(&b), 1300);
	assert_true(burst_end(&b, &document).estimated);
}

static void the_end_that_counts_may_be_an_estimate(void **state)
{
	const struct part_times document = part(1000, 1100);
	struct part_times t = part(1050, 1090);
	struct burst b = { 0 };

	t.estimated = true;
	burst_add(&b, &t, false);
	assert_false(burst_end(&b, &document).estimated);
	t.end_ns = 1200 * MS;
	burst_add(&b, &t, false);
	assert_true(burst_end(&b, &document).estimated);
}

/* ---- URLs ---- */

static void split(const char *url, const char *base, const char *path, const char *query)
{
	char room[URL_ROOM];
	struct url_parts got;

	url_split(slice_str(url), slice_str(base), room, &got);
	assert_int_equal(got.path.len, strlen(path));
	assert_memory_equal(got.path.at, path, strlen(path));
	assert_int_equal(got.query.len, strlen(query));
	if (*query)
		assert_memory_equal(got.query.at, query, strlen(query));
}

static void urls_in_all_their_forms(void **state)
{
	split("http://a.example/b?c=d#e", "/", "/b", "c=d");
	split("http://a.example", "/", "/", "");
	split("http://a.example?x", "/", "/", "x");
	split("//a.example/b", "/", "/b", "");
	split("/b/c", "/x", "/b/c", "");
	split("?x=1", "/list", "/list", "x=1");
	split("account", "/shop/login", "/shop/account", "");
	split("../x", "/a/b/c", "/a/x", "");
	split("../../../x", "/a/b", "/x", "");
	split("./x", "/a/b", "/a/x", "");
	split("#top", "/a", "/a", "");
	split("", "", "/", "");
	/* a URL in a query or a path is none */
	split("/go?to=http://b.example/c", "/", "/go", "to=http://b.example/c");
	split("/go/http://b.example/c", "/", "/go/http://b.example/c", "");
}

static void a_path_without_room_is_empty(void **state)
{
	char base[URL_ROOM + 2], room[URL_ROOM];
	struct url_parts got;

	memset(base, 'b', sizeof(base));
	base[0] = base[URL_ROOM - 2] = '/';
	url_split(SLICE("x"), slice_of(base, URL_ROOM), room, &got);
	assert_int_equal(got.path.len, URL_ROOM);
	url_split(SLICE("xy"), slice_of(base, URL_ROOM), room, &got);
	assert_int_equal(got.path.len, 0);
}

static void a_mark_tells_path_and_query_apart(void **state)
{
	uint32_t whole = url_mark(SLICE("/ab"), SLICE(""));

	assert_int_not_equal(whole, url_mark(SLICE("/a"), SLICE("b")));
	assert_int_not_equal(whole, url_mark(SLICE("/ab"), SLICE("/ab")));
	assert_int_equal(whole, url_mark(SLICE("/ab"), slice_of(NULL, 0)));
	for (char c = 'a'; c <= 'z'; c++)
		assert_int_not_equal(url_mark(slice_of(&c, 1), SLICE("")), 0);
}

static void globs_match_whole_paths(void **state)
{
	assert_true(url_matches("/product/*", SLICE("/product/17")));
	assert_true(url_matches("*", SLICE("")));
	assert_true(url_matches("/a*b*c", SLICE("/a-b-b-c")));
	assert_true(url_matches("/cart", SLICE("/cart")));
	assert_false(url_matches("/cart", SLICE("/cart/")));
	assert_false(url_matches("/a*b*c", SLICE("/a-b-b-")));
	assert_false(url_matches("", SLICE("/")));
	assert_false(url_matches("/product/?", SLICE("/product/1")));
}

/* ---- what timers ask for ---- */

static struct asked_set asked;

static bool again(uint32_t path, uint32_t mark, uint64_t from_ms, uint64_t to_ms, bool is_part,
		  bool get)
{
	const struct asking a = { .path = path,
				  .mark = mark,
				  .from = from_ms * MS,
				  .to = to_ms * MS,
				  .part = is_part,
				  .get = get };

	return asked_again(&asked, &a);
}

static void the_same_part_is_asked_for_once(void **state)
{
	struct asking a = { .path = 9, .mark = 9, .from = SECOND, .to = SECOND, .part = true };

	memset(&asked, 0, sizeof(asked));
	assert_false(again(1, 1, 1000, 1100, true, true));
	assert_false(again(1, 1, 1050, 1150, true, true)); /* a frame's, beside it */
	assert_true(again(1, 1, 1200, 1300, true, true));
	assert_false(again(1, 1, 1010, 1400, true, true)); /* told late */
	a.failed = true;
	assert_false(asked_again(&asked, &a));
	a.from += 5;
	assert_false(asked_again(&asked, &a)); /* tried again */
}

static void another_query_is_the_next_of_many_or_a_timer(void **state)
{
	memset(&asked, 0, sizeof(asked));
	assert_false(again(1, 1, 1000, 1100, true, true));
	assert_false(again(1, 2, 1110, 2200, true, true)); /* thumbnails */
	assert_false(again(1, 3, 2250, 2400, true, true)); /* a slow one before it */
	assert_false(again(1, 4, 2700, 2800, true, true)); /* idle, but no timer is that quick */
	assert_true(again(1, 5, 3700, 3800, true, true));
	assert_false(again(2, 6, 4000, 4100, true, true)); /* another path */
}

static void one_url_for_all_calls_needs_a_steady_interval(void **state)
{
	memset(&asked, 0, sizeof(asked));
	assert_false(again(1, 1, 1000, 1100, false, false));
	assert_false(again(1, 1, 2000, 2100, false, false));
	assert_true(again(1, 1, 3050, 3100, false, false));
	assert_false(again(1, 1, 5000, 5100, false, false));
	assert_false(again(2, 2, 1000, 1100, false, true));
	assert_true(again(2, 2, 2000, 2100, false, true));
}

static void the_longest_ago_makes_room(void **state)
{
	memset(&asked, 0, sizeof(asked));
	for (uint32_t i = 1; i <= ASKED; i++)
		assert_false(again(i, i, 1000 + i, 1000 + i, true, true));
	assert_false(again(99, 99, 2000, 2001, true, true));
	assert_true(again(2, 2, 2000, 2001, true, true));
	assert_false(again(1, 1, 2002, 2003, true, true));
}

UNIT_MAIN(T(stretches_that_touch_are_one), T(a_full_set_closes_its_smallest_gap),
	  T(less_is_taken_off_once), T(two_that_are_joined), T(a_part_belongs_within_the_gap),
	  T(parts_may_come_in_any_order), T(a_call_counts_only_when_a_part_follows),
	  T(a_call_that_waits_for_news_is_none), T(what_finds_no_room_makes_an_estimate),
	  T(the_end_that_counts_may_be_an_estimate), T(urls_in_all_their_forms),
	  T(a_path_without_room_is_empty), T(a_mark_tells_path_and_query_apart),
	  T(globs_match_whole_paths), T(the_same_part_is_asked_for_once),
	  T(another_query_is_the_next_of_many_or_a_timer),
	  T(one_url_for_all_calls_needs_a_steady_interval), T(the_longest_ago_makes_room))
