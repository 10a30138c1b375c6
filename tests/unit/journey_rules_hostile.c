/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_rules_hostile.c: what a stranger sends, or a careless rule asks, costs a bounded time and says nothing
 * that is not so.
 */
#include <time.h>

#include "rules_kit.h"

#define SAYS_LOGIN(when) "rules:\n- name: a\n  say: login\n  when:\n    " when "\n"

/* An expression that would try for ever gives up soon, and nothing is said. */
static void catastrophic_expression(void **state)
{
	struct timespec from, to;
	char target[5000] = "/a?q=";
	uint64_t ns;

	memset(target + 5, 'a', sizeof(target) - 7);
	target[sizeof(target) - 2] = '!';
	kit_rules(SAYS_LOGIN("{ path: /a, query.q: { regex: '^(a+)+$' } }"));
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_string_equal(kit_get(target), "");
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_int_equal(kit.undecided, 1);
	ns = (uint64_t)(to.tv_sec - from.tv_sec) * 1000000000ull + (uint64_t)to.tv_nsec -
	     (uint64_t)from.tv_nsec;
	assert_true(ns < 1000000000ull); /* unbounded it is longer than the age of the world */
	kit_rules(SAYS_LOGIN("{ path: /a, query.q: { not: { regex: '^(a+)+$' } } }"));
	assert_string_equal(kit_get(target), ""); /* nor is the contrary known */
	assert_string_equal(kit_get("/a?q=b"), "login\n");
}

/* Nor can thousands of values, each of which would try for as long as it may. */
static void catastrophic_expression_many_times(void **state)
{
	struct timespec from, to;
	struct buf text;
	uint64_t ns;

	buf_init(&text, 1 << 20);
	buf_add_str(&text, "{\"a\":[");
	for (unsigned i = 0; i < 4000; i++)
		buf_addf(&text, "%s\"aaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"", i ? "," : "");
	buf_add_str(&text, "]}");
	buf_add_byte(&text, 0);
	kit_rules(SAYS_LOGIN("{ path: /api, 'request json $.a[*]': { regex: '^(a+)+$' } }"));
	kit_request("POST", "/api");
	kit_content(true, "application/json", text.at);
	kit_status(200, NULL);
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_string_equal(kit_say(), "");
	clock_gettime(CLOCK_MONOTONIC, &to);
	assert_int_equal(kit.undecided, 1);
	ns = (uint64_t)(to.tv_sec - from.tv_sec) * 1000000000ull + (uint64_t)to.tv_nsec -
	     (uint64_t)from.tv_nsec;
	assert_true(ns < 1000000000ull);
	buf_done(&text);
}

/* Hostile targets: as much as a head can hold, all of it encoded. */
static void long_targets(void **state)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	buf_add_str(&text, "/a/");
	while (text.len < 300000)
		buf_add_str(&text, "%41");
	buf_add_str(&text, "?q=");
	while (text.len < 700000)
		buf_add_str(&text, "%42");
	buf_add_byte(&text, 0);
	kit_rules(SAYS_LOGIN("{ path: '/a/{x}', query.q: { exists: false } }"));
	assert_string_equal(kit_get(text.at), "");
	buf_done(&text);
}

UNIT_MAIN(T(catastrophic_expression), T(catastrophic_expression_many_times), T(long_targets))
