/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_slice.c: comparing, searching, numbers, and SipHash-1-3 against reference values.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "base/sip.h"
#include "base/slice.h"

static void compare(void **state)
{
	assert_true(slice_eq(SLICE("abc"), SLICE("abc")));
	assert_false(slice_eq(SLICE("abc"), SLICE("abd")));
	assert_false(slice_eq(SLICE("abc"), SLICE("ab")));
	assert_true(slice_eq(slice_of(NULL, 0), SLICE("")));
	assert_true(slice_ieq(SLICE("Content-LENGTH"), SLICE("content-length")));
	assert_false(slice_ieq(SLICE("@"), SLICE("`"))); /* differ in bit 5 but are no letters */
	assert_false(slice_ieq(SLICE("["), SLICE("{")));
	assert_true(slice_starts(SLICE("HTTP/1.1"), SLICE("HTTP/")));
	assert_false(slice_starts(SLICE("HTT"), SLICE("HTTP/")));
	assert_true(slice_istarts(SLICE("Bearer x"), SLICE("bearer ")));
	assert_true(slice_ends(SLICE("a.css"), SLICE(".css")));
	assert_false(slice_ends(SLICE("css"), SLICE(".css")));
}

static int small(int c)
{
	return c >= 'A' && c <= 'Z' ? c + 0x20 : c;
}

/* Each pair of octets, at each place of each length up to three words. */
static void fold_each_octet(void **state)
{
	char a[24], b[24];

	for (size_t len = 1; len <= sizeof(a); len++)
		for (size_t at = 0; at < len; at++)
			for (int pair = 0; pair < 65536; pair += len < 9 ? 1 : 7) {
				memset(a, 'X', sizeof(a));
				memset(b, 'x', sizeof(b));
				a[at] = (char)(pair >> 8);
				b[at] = (char)pair;
				if (slice_ieq(slice_of(a, len), slice_of(b, len)) !=
				    (small(pair >> 8) == small(pair & 255)))
					fail_msg("%02x at %zu of %zu", (unsigned)pair, at, len);
			}
	assert_true(slice_ieq(slice_of(NULL, 0), SLICE("")));
	assert_false(slice_ieq(SLICE("a"), SLICE("")));
}

static void search(void **state)
{
	assert_int_equal(slice_find(SLICE("a\0b"), 'b'), 2);
	assert_int_equal(slice_find(SLICE("ab"), 'c'), -1);
	assert_int_equal(slice_find(slice_of(NULL, 0), 'c'), -1);
	assert_int_equal(slice_find_slice(SLICE("xx\r\n\r\n"), SLICE("\r\n\r\n")), 2);
	assert_int_equal(slice_find_slice(SLICE("xx\r\n\r"), SLICE("\r\n\r\n")), -1);
	assert_int_equal(slice_find_slice(SLICE("x"), SLICE("")), 0);
	assert_int_equal(slice_find_slice(slice_of(NULL, 0), SLICE("x")), -1);
	assert_slice(slice_trim(SLICE(" \t a b\t ")), "a b");
	assert_slice(slice_trim(SLICE(" \t ")), "");
	assert_slice(slice_sub(SLICE("abc"), 1, 9), "bc");
	assert_slice(slice_sub(SLICE("abc"), 7, 9), "");
}

static void next(void **state)
{
	struct slice s = SLICE("a,,b,");

	assert_slice(slice_next(&s, ','), "a");
	assert_slice(slice_next(&s, ','), "");
	assert_slice(slice_next(&s, ','), "b");
	assert_non_null(s.at);
	assert_slice(slice_next(&s, ','), "");
	assert_null(s.at);
}

static void number(void **state)
{
	uint64_t v = 7;

	assert_int_equal(slice_u64(SLICE("0"), &v), 0);
	assert_u64(v, 0);
	assert_int_equal(slice_u64(SLICE("9223372036854775807"), &v), 0);
	assert_u64(v, INT64_MAX);
	assert_int_equal(slice_u64(SLICE("9223372036854775808"), &v), -ERANGE);
	assert_int_equal(slice_u64(SLICE("99999999999999999999999"), &v), -ERANGE);
	assert_int_equal(slice_u64(SLICE("18446744073709551617"), &v), -ERANGE); /* 2^64 + 1 */
	assert_int_equal(slice_u64(SLICE("99999999999999999999999x"), &v), -EINVAL);
	assert_int_equal(slice_u64(SLICE("000000000000000000000000000007"), &v), 0);
	assert_u64(v, 7);
	v = INT64_MAX;
	assert_int_equal(slice_u64(SLICE(""), &v), -EINVAL);
	assert_int_equal(slice_u64(SLICE("+1"), &v), -EINVAL);
	assert_int_equal(slice_u64(SLICE("99999999999999999999999x"), &v), -EINVAL);
	assert_u64(v, INT64_MAX); /* untouched by failures */
	assert_int_equal(slice_hex_u64(SLICE("7fFFffffFFFFffff"), &v), 0);
	assert_u64(v, INT64_MAX);
	assert_int_equal(slice_hex_u64(SLICE("8000000000000000"), &v), -ERANGE);
	assert_int_equal(slice_hex_u64(SLICE("00000000000000000000001a"), &v), 0);
	assert_u64(v, 26);
	assert_int_equal(slice_hex_u64(SLICE("0x1"), &v), -EINVAL);
	assert_int_equal(slice_hex_u64(SLICE(""), &v), -EINVAL);
}

/* Input 00 01 02 …; key zero: the values that CPython 3.11 (an implementation of its own) gives for
 * hash(bytes) with PYTHONHASHSEED=0. Key 00..0f: the first vector of the authors' SipHash-1-3 set.
 */
static void sip(void **state)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} zero[] = {
		{ 1, 0x68a914128e01e473 },  { 7, 0x2f098ab0c751325a },	{ 8, 0xead411e67ebe2eea },
		{ 15, 0xf30eb725bb91c9ea }, { 16, 0x8972188433a5c5b7 }, { 63, 0x385d3e39e5f37359 },
	};
	struct sip_key key = { 0, 0 };
	unsigned char in[64];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
		assert_u64(sip13(&key, in, zero[i].len), zero[i].hash);
	key = (struct sip_key){ 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull };
	assert_u64(sip13(&key, in, 0), 0xabac0158050fc4dcull);
	assert_true(slice_hash(SLICE("a"), 1) != slice_hash(SLICE("a"), 2));
}

/* Each octet and the length count, at each length, and the slots are filled evenly. */
static void mix(void **state)
{
	unsigned slots[64] = { 0 };
	char text[40];

	for (size_t len = 1; len <= sizeof(text); len++) {
		memset(text, 'a', sizeof(text));
		uint64_t h = slice_mix(slice_of(text, len), 1);

		assert_true(h != slice_mix(slice_of(text, len - 1), 1));
		assert_true(h != slice_mix(slice_of(text, len), 2));
		for (size_t i = 0; i < len; i++) {
			text[i] = 'b';
			assert_true(h != slice_mix(slice_of(text, len), 1));
			text[i] = 'a';
		}
	}
	for (unsigned n = 0; n < 6400; n++) {
		int len = snprintf(text, sizeof(text), "/assets/img/%u.jpg", n);

		slots[slice_mix(slice_of(text, (size_t)len), 3) % 64]++;
	}
	for (unsigned i = 0; i < 64; i++)
		assert_in_range(slots[i], 50, 150);
}

UNIT_MAIN(T(compare), T(fold_each_octet), T(search), T(next), T(number), T(sip), T(mix))
