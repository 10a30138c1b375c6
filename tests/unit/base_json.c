/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_json.c: commas, escapes, bytes that are no UTF-8, numbers; and the clock and the log, which
 * are too small for files of their own.
 */
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

static void structure(void **state)
{
	struct buf b;
	struct json j;

	buf_init(&b, 4096);
	json_init(&j, &b);
	json_object(&j);
	json_key_u64(&j, "a", 1);
	json_key(&j, "b");
	json_array(&j);
	json_i64(&j, INT64_MIN);
	json_bool(&j, true);
	json_object(&j);
	json_end(&j);
	json_array(&j);
	json_end(&j);
	json_end(&j);
	json_key_string(&j, "c", SLICE("x"));
	json_end(&j);
	assert_slice(buf_slice(&b),
		     "{\"a\":1,\"b\":[-9223372036854775808,true,{},[]],\"c\":\"x\"}");
	buf_done(&b);
}

static void check_string(struct slice in, const char *out)
{
	struct buf b;
	struct json j;

	buf_init(&b, 4096);
	json_init(&j, &b);
	json_string(&j, in);
	assert_int_equal(b.len, strlen(out));
	assert_memory_equal(b.at, out, b.len);
	buf_done(&b);
}

static void strings(void **state)
{
	check_string(SLICE("a\"b\\c/"), "\"a\\\"b\\\\c/\"");
	check_string(SLICE("\b\t\n\v\f\r\0\x1f\x7f"),
		     "\"\\b\\t\\n\\u000b\\f\\r\\u0000\\u001f\\u007f\"");
	check_string(SLICE("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
		     "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
	/* Lone continuation, overlong, surrogate, beyond U+10FFFF, cut: each byte by itself. */
	check_string(SLICE("\x80"), "\"\xef\xbf\xbd\"");
	check_string(SLICE("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	check_string(SLICE("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	check_string(SLICE("\xf4\x90\x80\x80"),
		     "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	check_string(SLICE("a\xe2\x82"), "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
	check_string(slice_of(NULL, 0), "\"\"");
}

static void check_double(double v, const char *out)
{
	struct buf b;
	struct json j;

	buf_init(&b, 100);
	json_init(&j, &b);
	json_double(&j, v);
	assert_int_equal(b.len, strlen(out));
	assert_memory_equal(b.at, out, b.len);
	buf_done(&b);
}

static void doubles(void **state)
{
	check_double(0.1, "0.1");
	check_double(1, "1");
	check_double(1e300, "1e+300");
	check_double(0.1 + 0.2, "0.30000000000000004");
	check_double(NAN, "null");
	check_double(INFINITY, "null");
}

static void clocks(void **state)
{
	uint64_t a = clock_mono_ns(), b = clock_mono_ns();
	int64_t away = (int64_t)(clock_wall_ns() - clock_mono_ns()) - clock_wall_minus_mono_ns();

	assert_true(b >= a && a > 0);
	assert_true(llabs(away) < (int64_t)NS_PER_S);
}

/* What a stranger sent cannot make a second line; a flood is held back and told. */
static void log_lines(void **state)
{
	int saved = dup(STDERR_FILENO), pipe_fds[2], lines = 0;
	char got[65536];
	ssize_t n;

	assert_int_equal(pipe(pipe_fds), 0);
	dup2(pipe_fds[1], STDERR_FILENO);
	log_error("bad \x1b[2J\nline %d", 7);
	log_debug("not shown %d", 1);
	for (int i = 0; i < 2; i++)
		log_once(LOG_INFO, "once");
	for (int i = 0; i < 1000; i++)
		log_warn("flood %d", i);
	dup2(saved, STDERR_FILENO);
	n = read(pipe_fds[0], got, sizeof(got));
	assert_true(n > 0);
	assert_true(slice_starts(slice_of(got, (size_t)n),
				 SLICE("parcours: error: bad \\x1b[2J\\x0aline 7\nparcours: once\n"
				       "parcours: warning: flood 0\n")));
	for (ssize_t i = 0; i < n; i++)
		lines += got[i] == '\n';
	assert_in_range(lines, 100, 250);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(saved);
}

UNIT_MAIN(T(structure), T(strings), T(doubles), T(clocks), T(log_lines))
