/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which heads say where their content ends: only those without any doubt. And what a call then captures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/content.h"
#include "lib/piece.h"

#define NONE UINT64_MAX

/* The length that is believed of these bytes, which go on as content; NONE: left to the brain. */
static uint64_t believed(const char *text)
{
	const uint8_t *b = (const uint8_t *)text;
	size_t len = strlen(text), i = 0;
	struct pc_content k = { 0 };
	bool response;

	if (!pc_content_begins(b, &response))
		return NONE;
	while (i < len && k.state == PC_HEAD_MORE)
		pc_content_byte(&k, b[i++]);
	assert_int_equal(k.size, i);
	if (i + 4 > len || !pc_content_follows(&k, response, b + i))
		return NONE;
	return k.length;
}

#define RESPONSE "HTTP/1.1 200 OK\r\n"

static void test_believed(void **state)
{
	assert_int_equal(believed(RESPONSE "Content-Length: 70000\r\n\r\nabcd"), 70000);
	assert_int_equal(believed(RESPONSE "cONTENT-lENGTH:70000 \t\r\nA: b\r\n\r\nabcd"), 70000);
	assert_int_equal(believed(RESPONSE "Content-Length-A: 5\r\nContent-Length: 0\r\n\r\nabcd"),
			 0);
	assert_int_equal(believed("HTTP/1.0 404 \r\nX: y\r\nContent-Length: 9\r\n\r\nabcd"), 9);
	assert_int_equal(believed("POST /a HTTP/1.1\r\nContent-Length: 9\r\nHost: b\r\n\r\nabcd"),
			 9);
	assert_int_equal(believed("PUT /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nHTTP"), 9);
	assert_int_equal(believed("PATCH /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nabcd"), 9);
	assert_int_equal(believed(RESPONSE "Content-Length: 999999999999999\r\n\r\nabcd"),
			 999999999999999);
}

static void test_left_to_the_brain(void **state)
{
	static const char *const heads[] = {
		"GET /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nabcd",
		"<html>\r\nContent-Length: 9\r\n\r\nabcd",
		RESPONSE "A: b\r\n\r\nabcd",			     /* no length */
		RESPONSE "Content-Length: 9\r\n",		     /* no end */
		RESPONSE "Content-Length: 9\r\n\r\n",		     /* nothing follows */
		RESPONSE "Content-Length: 9\r\n\r\nHTTP/1.1 200 OK", /* to HEAD */
		RESPONSE "Content-Length: 9\r\nContent-Length: 9\r\n\r\nabcd",
		RESPONSE "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\nabcd",
		RESPONSE "transfer-encoding:chunked\r\nContent-Length: 9\r\n\r\nabcd",
		RESPONSE "Content-Length: 9,9\r\n\r\nabcd",
		RESPONSE "Content-Length: 9 9\r\n\r\nabcd",
		RESPONSE "Content-Length: -9\r\n\r\nabcd",
		RESPONSE "Content-Length: 0x9\r\n\r\nabcd",
		RESPONSE "Content-Length:\r\n\r\nabcd",
		RESPONSE "Content-Length: 9999999999999999\r\n\r\nabcd",
		RESPONSE "Content-Length : 9\r\n\r\nabcd",
		RESPONSE "A: b\r\n Content-Length: 9\r\n\r\nabcd", /* folded */
		RESPONSE "Content-Length: 9\r\n 9\r\n\r\nabcd",
		RESPONSE "Content-Length: 9\n\r\nabcd", /* bare line ends */
		RESPONSE "A: b\rContent-Length: 9\r\n\r\nabcd",
		"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\nabcd",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nabcd",
		"HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\nabcd",
		"HTTP/1.1 20\r\nContent-Length: 9\r\n\r\nabcd",
		"HTTP/2.0 200 OK\r\nContent-Length: 9\r\n\r\nabcd",
	};

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (believed(heads[i]) != NONE)
			fail_msg("believed: %s", heads[i]);
}

/* A walk of one vector that found at `at` that content ends at `end`: which bytes are taken? */
static void check_content(uint32_t total, uint32_t at, uint64_t end, uint32_t budget)
{
	struct pc_walk w;
	uint64_t from = end < total ? end : total;

	pc_walk_begin(&w, total, 0, 0, budget);
	w.left = w.vector = total;
	w.done = at;
	w.left -= at;
	pc_walk_content(&w, end);
	while (w.done < w.total) {
		struct pc_plan p;

		pc_plan_next(&w, &p);
		assert_true((p.copy == 0) != (p.hole == 0));
		for (uint32_t i = 0; i < p.copy + p.hole; i++, w.done++) {
			bool want = w.done >= from &&
				    (w.done < from + budget || w.done + PC_TAIL >= total);

			assert_int_equal(p.copy > 0, want);
		}
		w.left = total - w.done;
	}
}

static void test_walk(void **state)
{
	check_content(100000, PC_PIECE, 70000, 10000); /* another message behind it */
	check_content(65536, PC_PIECE, 70000, 65536);  /* ends in a later call */
	check_content(65536, PC_PIECE, 1ull << 40, 65536);
	check_content(65536, PC_PIECE, 65536, 65536);
	check_content(65536, PC_PIECE, 65535, 65536);
	check_content(PC_PIECE, PC_PIECE, 70000, 65536);
	check_content(100000, PC_PIECE, PC_PIECE + 1, 500);
}

/* Of whose content the kernel leaves nothing out by itself. */
static void test_keep(void **state)
{
	const __u32 both = PC_CONTENTS_REQUESTS | PC_CONTENTS_RESPONSES;

	assert_int_equal(pc_keep(0, 0, 0, 0), 0);
	assert_int_equal(pc_keep(0, 0, 0, both), both);
	assert_int_equal(pc_keep(0, 900, 900, PC_CONTENTS_RESPONSES), PC_CONTENTS_RESPONSES);
	assert_int_equal(pc_keep(PC_BUDGET_LEAVE, 900, 900, both), 0);
	assert_int_equal(pc_keep(PC_BUDGET_LEAVE, 900, 901, both), both); /* the next message */
	assert_int_equal(pc_keep(PC_BUDGET_CONTENT | 5, 0, 7, 0), PC_KEEP_WANTED);
	assert_int_equal(pc_keep(PC_BUDGET_CONTENT, 0, 7, both), PC_KEEP_WANTED);
	assert_int_equal(PC_KEEP_WANTED & both, both);
}

/* What is worth its bytes where a ring fills. */
static void test_message_begins(void **state)
{
	static const char *const yes[] = { "GET / HTTP/1.1", "HEAD /",	       "POST /",
					   "PUT /",	     "PATCH /",	       "DELETE /",
					   "OPTIONS *",	     "HTTP/1.1 200 OK" };
	static const char *const no[] = { "get /",  "1000\r\nGET ", "\r\nGET /",
					  "<html>", "GETX",	    "PUTS" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(pc_message_begins((const uint8_t *)yes[i]));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(pc_message_begins((const uint8_t *)no[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_believed),       cmocka_unit_test(test_left_to_the_brain),
		cmocka_unit_test(test_walk),	       cmocka_unit_test(test_keep),
		cmocka_unit_test(test_message_begins),
	};

	return cmocka_run_group_tests_name("bpf content", tests, NULL, NULL);
}
