/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_visit.c: the stage through its sinks: bounds, eviction, what is taken up again. What whole
 * traffic says is tested in tests/flow/cases/visit-*.flow.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "sample.h"
#include "session/identity.h"
#include "session/session.h"

#define SECOND 1000000000ull
#define DAY    (86400 * SECOND)

static struct kit {
	struct session *s;
	struct txn_sink in;
	struct session_fact last[4]; /* by kind */
	unsigned facts[4];
	struct transaction out;
} kit;

static void on_fact(void *ctx, const struct session_fact *f)
{
	kit.last[f->kind] = *f;
	kit.facts[f->kind]++;
}

static void on_out(void *ctx, struct transaction *t)
{
	kit.out = *t;
}

static struct session_options options(uint32_t visits)
{
	return (struct session_options){ .secret = { 7 },
					 .timeout_ns = 1800 * SECOND,
					 .cap_ns = DAY,
					 .period_s = 86400,
					 .opt_out = true,
					 .visits = visits,
					 .sites = 4 };
}

static void start(uint32_t visits)
{
	const struct session_sink sink = { NULL, on_out, NULL, on_fact };
	const struct session_options o = options(visits);

	memset(&kit, 0, sizeof(kit));
	assert_int_equal(session_new(&o, &sink, &kit.s), 0);
	kit.in = session_txn_sink(kit.s);
	session_clock(kit.s, SAMPLE_WALL);
}

static int stop(void **state)
{
	session_free(kit.s);
	return 0;
}

/* A request at a time, with one cookie of a made-up value (0: none). */
static void request_to(const char *host, const char *path, uint64_t cookie, uint64_t at_s)
{
	struct evidence e = { .hash = { cookie, ~cookie }, .name = 1, .kind = EVIDENCE_KNOWN };
	struct transaction t = sample();

	t.server_name = t.authority = slice_str(host);
	t.path = slice_str(path);
	t.start_ns = at_s * SECOND;
	t.request.evidence = (struct evidence_list){ &e, cookie ? 1 : 0 };
	kit.in.transaction(kit.in.ctx, &t);
}

static void request(uint64_t cookie, uint64_t at_s)
{
	request_to("shop.example", "/", cookie, at_s);
}

static struct session_stats stats(void)
{
	struct session_stats s;

	session_stats(kit.s, &s);
	return s;
}

static void a_flood_of_cookies_stays_within_its_bound(void **state)
{
	start(100);
	request_to("shop.example", "/checkout", 1, 1);
	for (uint64_t i = 2; i < 10000; i++)
		request(i, 2);
	assert_int_equal(stats().identities, 100);
	assert_u64(stats().identities_evicted, 9999 - 100);
	assert_u64(stats().ended[END_EVICTED], 9999 - 100);
	/* the one with a cart is still there, the oldest of the others is not */
	request(1, 3);
	assert_u64(stats().started, 9999);
	request(2, 3);
	assert_u64(stats().started, 10000);
}

static void visitors_without_a_visit_go_first(void **state)
{
	start(2);
	request(1, 1);
	request(2, 1000);
	session_tick(kit.s, 1802 * SECOND); /* the first has timed out */
	request(3, 1803);
	assert_u64(stats().ended[END_EVICTED], 0);
	request(2, 1804);
	assert_u64(stats().started, 3);
}

static void a_day_is_the_longest(void **state)
{
	start(10);
	for (uint64_t at = 0; at <= 100000; at += 1000)
		request_to("shop.example", at / 1000 % 2 ? "/a" : "/b", 1, at + at / 1000 % 7);
	assert_u64(stats().ended[END_CAP], 1);
	assert_int_equal(kit.last[FACT_END].end_reason, END_CAP);
	assert_u64(stats().started, 2);
	/* the period turned in each of the two, and is told once for each */
	assert_int_equal(kit.facts[FACT_ALIAS], 2);
	assert_string_equal(kit.last[FACT_ALIAS].reason, "period");
}

/* A visit is one whatever the wall clock is set to meanwhile, and its end is not before its start: set forward it
 * is told by the clock as it is then, set back as so long after the start as it was. */
static void a_clock_that_is_set_ends_no_visit(void **state)
{
	static const int64_t steps[] = { -3600, 3600, -86400 * 3, 86400 * 3 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		uint64_t took;

		start(10);
		request(1, 100);
		session_clock(kit.s, SAMPLE_WALL + steps[i] * (int64_t)SECOND);
		request(1, 700);
		session_tick(kit.s, 701 * SECOND);
		assert_int_equal(kit.facts[FACT_END], 0);
		assert_u64(stats().started, 1);
		session_tick(
			kit.s,
			2600 * SECOND); /* 30 minutes after the second, by the kernel's clock */
		assert_int_equal(kit.facts[FACT_END], 1);
		assert_int_equal(kit.last[FACT_END].end_reason, END_TIMEOUT);
		assert_int_equal(kit.last[FACT_END].transactions, 2);
		took = kit.last[FACT_END].time_unix_ns - kit.last[FACT_END].start_unix_ns;
		assert_u64(took, steps[i] < 0 ? 600 * SECOND : (uint64_t)(600 + steps[i]) * SECOND);
		stop(state);
	}
	start(10);
}

static void a_host_that_is_none_makes_no_site(void **state)
{
	start(10);
	request_to("a/b", "/", 1, 1);
	request_to("", "/", 1, 1);
	assert_u64(stats().no_site, 2);
	/* as many sites as there are places, and visitors on each */
	request_to("1.example", "/", 1, 1);
	request_to("2.example", "/", 1, 1);
	request_to("3.example", "/", 1, 1);
	request_to("www.4.Example.", "/", 1, 1);
	assert_slice(kit.out.site, "4.example");
	request_to("5.example", "/", 1, 1);
	assert_u64(stats().no_site, 3);
	assert_u64(stats().started, 4);
}

static void the_same_value_on_two_sites_is_two_visitors(void **state)
{
	uint8_t key[KEY_BYTES];

	start(10);
	request_to("a.example", "/", 1, 1);
	memcpy(key, kit.out.session_key, KEY_BYTES);
	request_to("b.example", "/", 1, 1);
	assert_memory_not_equal(kit.out.session_key, key, KEY_BYTES);
}

static void the_end_of_input_tells_what_stands_open(void **state)
{
	start(10);
	request(1, 1);
	session_finish(kit.s);
	assert_int_equal(kit.last[FACT_END].end_reason, END_SHUTDOWN);
	assert_int_equal(kit.last[FACT_END].revision, 1);
	assert_u64(stats().open, 0);
}

/* What is known of a visit by now is told by its id for as long as it is open. */
static void an_open_visit_is_known_by_its_id(void **state)
{
	struct segment segment = { 0 };
	uint8_t id[KEY_BYTES], other[KEY_BYTES] = { 9 };

	start(10);
	request(1, 1);
	memcpy(id, kit.out.session_id, KEY_BYTES);
	assert_true(session_segment(kit.s, id, &segment));
	assert_false(session_segment(kit.s, other, &segment));
	session_tick(kit.s, 1802 * SECOND);
	assert_int_equal(kit.last[FACT_END].end_reason, END_TIMEOUT);
	assert_false(session_segment(kit.s, id, &segment));
	request(1, 1700); /* it comes late, and the visit goes on */
	assert_memory_equal(kit.out.session_id, id, KEY_BYTES);
	assert_true(session_segment(kit.s, id, &segment));
	request(1, 9000); /* another visit of the same visitor */
	assert_false(session_segment(kit.s, id, &segment));
	assert_true(session_segment(kit.s, kit.out.session_id, &segment));
	session_finish(kit.s);
	assert_false(session_segment(kit.s, kit.out.session_id, &segment));
}

/* With another cookie that goes before the first, from the second request on. */
static void request_of_two(uint64_t cookie, bool both, uint64_t at_s)
{
	struct evidence e[] = {
		{ .hash = { cookie, 1 }, .name = 1, .kind = EVIDENCE_KNOWN },
		{ .hash = { cookie, 2 }, .name = 2, .kind = EVIDENCE_CONFIGURED },
	};
	struct transaction t = sample();

	t.start_ns = at_s * SECOND;
	t.request.evidence = (struct evidence_list){ e, both ? 2 : 1 };
	kit.in.transaction(kit.in.ctx, &t);
}

/* However often it comes and goes; one that is told again, where there are too many, is the same fact. */
static void an_alias_is_told_once(void **state)
{
	struct session_fact first;

	start(8); /* remembers two */
	for (uint64_t at = 1; at < 20; at++)
		request_of_two(1, at % 3 == 0, at);
	assert_int_equal(kit.facts[FACT_ALIAS], 1);
	first = kit.last[FACT_ALIAS];
	assert_string_equal(first.reason, "basis");
	for (uint64_t visitor = 2; visitor < 4; visitor++)
		for (uint64_t at = 20; at < 30; at++)
			request_of_two(visitor, at % 2, at);
	assert_int_equal(kit.facts[FACT_ALIAS], 3);
	request_of_two(1, false, 30);
	request_of_two(1, true, 31);
	assert_int_equal(kit.facts[FACT_ALIAS], 4);
	assert_memory_equal(kit.last[FACT_ALIAS].event_id, first.event_id, KEY_BYTES);
	assert_memory_equal(kit.last[FACT_ALIAS].key_new, first.key_new, KEY_BYTES);
	assert_int_equal(kit.last[FACT_ALIAS].revision, first.revision);
	for (uint64_t at = 40; at < 200; at++)
		for (uint64_t visitor = 1; visitor < 4; visitor++)
			request_of_two(visitor, at % 2, at);
	assert_true(kit.facts[FACT_ALIAS] <= 3 * ALIASES_MAX); /* nor without end */
	assert_true(stats().aliases_dropped > 0);
	assert_u64(stats().aliases, kit.facts[FACT_ALIAS]);
}

/* Times are remembered as milliseconds in 32 bits: a host that is up for 49.7 days polls on. */
static void polling_goes_on_when_a_short_clock_turns(void **state)
{
	static const uint64_t begins[] = { 1000, 4294967 - 25, 2 * 4294967 - 5 };

	for (unsigned i = 0; i < 3; i++) {
		start(10);
		request(1, begins[i]);
		for (unsigned n = 1; n <= 9; n++)
			request_to("shop.example", "/news", 1, begins[i] + 10 * n);
		assert_u64(stats().polls, 9 - 3);
		session_tick(kit.s, (begins[i] + 4000) * SECOND);
		assert_u64(kit.last[FACT_END].time_unix_ns,
			   (begins[i] + 10) * SECOND + (uint64_t)SAMPLE_WALL);
		stop(NULL);
	}
	start(10);
}

/* In the second half of such a turn too a place that is free is taken before one that is in use. */
static void two_polls_are_told_whatever_the_clock(void **state)
{
	static const uint64_t begins[] = { 1000, 2147483 + 1000, 4294967 - 200, 3 * 2147483 + 7 };

	for (unsigned i = 0; i < 4; i++) {
		start(10);
		request(1, begins[i]);
		for (unsigned n = 1; n <= 9; n++) {
			request_to("shop.example", "/news", 1, begins[i] + 10 * n);
			request_to("shop.example", "/stock", 1, begins[i] + 10 * n + 1);
		}
		assert_u64(stats().polls, 2 * (9 - 3));
		stop(NULL);
	}
	start(10);
}

static struct buf saved;

static int collect(void *ctx, struct slice piece)
{
	return buf_add(&saved, piece);
}

static void a_checkpoint_is_taken_up_by_another_process(void **state)
{
	struct session_options o = options(10);
	const struct session_sink sink = { NULL, on_out, NULL, on_fact };
	struct segment segment;
	uint8_t id[KEY_BYTES];
	struct slice whole;

	start(10);
	request(1, 1);
	request_to("shop.example", "/checkout", 2, 5);
	memcpy(id, kit.out.session_id, KEY_BYTES);
	session_finish(kit.s);
	buf_init(&saved, 1 << 20);
	assert_int_equal(session_save(kit.s, NULL, collect), 0);
	whole = buf_slice(&saved);
	session_free(kit.s);

	/* as after a reboot: the clock has begun anew, the wall clock went on */
	start(10);
	session_clock(kit.s, SAMPLE_WALL + (int64_t)(600 * SECOND));
	for (size_t len = 0; len < whole.len; len++)
		assert_int_equal(session_load(kit.s, slice_sub(whole, 0, len)), -EBADMSG);
	assert_int_equal(stats().identities, 0);
	assert_int_equal(session_load(kit.s, whole), 0);
	assert_u64(stats().restored, 2);
	assert_true(session_segment(kit.s, id, &segment));
	request(2, 1);
	assert_memory_equal(kit.out.session_id, id, KEY_BYTES);
	assert_int_equal(kit.facts[FACT_START], 0);
	session_tick(kit.s, 1203 * SECOND); /* 30 minutes after the first of the two */
	assert_int_equal(kit.last[FACT_END].end_reason, END_TIMEOUT);
	assert_int_equal(kit.last[FACT_END].revision, 2);
	assert_u64(kit.last[FACT_END].time_unix_ns, SAMPLE_WALL + SECOND);
	assert_u64(stats().restored, stats().ended[END_TIMEOUT] + stats().open);
	session_free(kit.s);

	o.secret[0]++;
	assert_int_equal(session_new(&o, &sink, &kit.s), 0);
	assert_int_equal(session_load(kit.s, whole), -EKEYREJECTED);
	buf_done(&saved);
}

/* Who was taken up and goes on is behind the others in the order of age, however long the host is up. */
static void who_was_taken_up_ages_like_others(void **state)
{
	static const uint64_t ups[] = { 2000, 2147483 + 2000, 4294967 + 2000 };

	for (unsigned i = 0; i < 3; i++) {
		start(10);
		session_tick(kit.s, ups[i] * SECOND);
		request(1, ups[i]);
		request(2, ups[i] + 1);
		buf_init(&saved, 1 << 20);
		assert_int_equal(session_save(kit.s, NULL, collect), 0);
		session_free(kit.s);

		start(10);
		assert_int_equal(session_load(kit.s, buf_slice(&saved)), 0);
		assert_u64(stats().restored, 2);
		request(1, ups[i] + 1700);
		session_tick(kit.s, (ups[i] + 1900) * SECOND);
		assert_u64(stats().ended[END_TIMEOUT], 1);
		buf_done(&saved);
		stop(NULL);
	}
	start(10);
}

/* The clock was set back by two hours while nobody looked: a visit ends 30 minutes after it was taken up. */
static void a_checkpoint_from_the_future_is_of_now(void **state)
{
	start(10);
	session_tick(kit.s, 10 * SECOND);
	request(1, 20);
	session_tick(kit.s, 30 * SECOND);
	buf_init(&saved, 1 << 20);
	assert_int_equal(session_save(kit.s, NULL, collect), 0);
	session_free(kit.s);

	start(10);
	session_clock(kit.s, SAMPLE_WALL - (int64_t)(7200 * SECOND));
	session_tick(kit.s, 40 * SECOND);
	assert_int_equal(session_load(kit.s, buf_slice(&saved)), 0);
	assert_u64(stats().restored, 1);
	request(1, 50);
	assert_u64(stats().started, 0);
	session_tick(kit.s, 1849 * SECOND);
	assert_int_equal(kit.facts[FACT_END], 0);
	session_tick(kit.s, 1852 * SECOND);
	assert_int_equal(kit.facts[FACT_END], 1);
	assert_int_equal(kit.last[FACT_END].end_reason, END_TIMEOUT);
	assert_u64(kit.last[FACT_END].time_unix_ns - kit.last[FACT_END].start_unix_ns, 20 * SECOND);
	buf_done(&saved);
}

UNIT_MAIN(cmocka_unit_test_teardown(an_open_visit_is_known_by_its_id, stop),
	  cmocka_unit_test_teardown(an_alias_is_told_once, stop),
	  cmocka_unit_test_teardown(polling_goes_on_when_a_short_clock_turns, stop),
	  cmocka_unit_test_teardown(two_polls_are_told_whatever_the_clock, stop),
	  cmocka_unit_test_teardown(a_checkpoint_is_taken_up_by_another_process, stop),
	  cmocka_unit_test_teardown(who_was_taken_up_ages_like_others, stop),
	  cmocka_unit_test_teardown(a_checkpoint_from_the_future_is_of_now, stop),
	  cmocka_unit_test_teardown(a_flood_of_cookies_stays_within_its_bound, stop),
	  cmocka_unit_test_teardown(visitors_without_a_visit_go_first, stop),
	  cmocka_unit_test_teardown(a_day_is_the_longest, stop),
	  cmocka_unit_test_teardown(a_clock_that_is_set_ends_no_visit, stop),
	  cmocka_unit_test_teardown(a_host_that_is_none_makes_no_site, stop),
	  cmocka_unit_test_teardown(the_same_value_on_two_sites_is_two_visitors, stop),
	  cmocka_unit_test_teardown(the_end_of_input_tells_what_stands_open, stop))
