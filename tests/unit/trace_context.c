/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_context.c: the cases of the W3C Trace Context validation suite that concern reading, in our
 * own words, and the prefixes and single-octet changes of a valid traceparent.
 */
#include "unit.h"

#include <string.h>

#include "trace/context.h"

#define TID "12345678901234567890123456789012"
#define PID "1234567890123456"

static const struct {
	const char *text;
	bool ok, sampled;
} parents[] = {
	{ "00-" TID "-" PID "-00", true, false },
	{ "00-" TID "-" PID "-01", true, true },
	{ "00-" TID "-" PID "-03", true, true },
	{ "00-" TID "-" PID "-fe", true, false },
	{ "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true, true },
	/* a later version: the same in front, and more only after '-' */
	{ "cc-" TID "-" PID "-01", true, true },
	{ "cc-" TID "-" PID "-01-what-the-future-will-be-like", true, true },
	{ "cc-" TID "-" PID "-01.what-the-future-will-not-be-like", false, false },
	{ "00-" TID "-" PID "-01-what-the-future-will-be-like", false, false },
	{ "00-" TID "-" PID "-01-", false, false },
	{ "ff-" TID "-" PID "-01", false, false },
	{ ".0-" TID "-" PID "-01", false, false },
	{ "0.-" TID "-" PID "-01", false, false },
	{ "000-" TID "-" PID "-01", false, false },
	{ "0000-" TID "-" PID "-01", false, false },
	{ "0-" TID "-" PID "-01", false, false },
	{ "-" TID "-" PID "-01", false, false },
	{ "00-00000000000000000000000000000000-" PID "-01", false, false },
	{ "00-.2345678901234567890123456789012-" PID "-01", false, false },
	{ "00-1234567890123456789012345678901.-" PID "-01", false, false },
	{ "00-123456789012345678901234567890123-" PID "-01", false, false },
	{ "00-1234567890123456789012345678901-" PID "-01", false, false },
	{ "00-" TID "-0000000000000000-01", false, false },
	{ "00-" TID "-.234567890123456-01", false, false },
	{ "00-" TID "-123456789012345.-01", false, false },
	{ "00-" TID "-12345678901234567-01", false, false },
	{ "00-" TID "-123456789012345-01", false, false },
	{ "00-" TID "-" PID "-.0", false, false },
	{ "00-" TID "-" PID "-0.", false, false },
	{ "00-" TID "-" PID "-001", false, false },
	{ "00-" TID "-" PID "-1", false, false },
	{ "00-" TID "-" PID "-", false, false },
	{ "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false, false },
	{ "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01", false, false },
	{ "00_" TID "-" PID "-01", false, false },
	{ "", false, false },
};

static void traceparents(void **state)
{
	for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
		struct traceparent p = { 0 };
		bool ok = !traceparent_parse(slice_str(parents[i].text), &p);

		if (ok != parents[i].ok || p.sampled != parents[i].sampled)
			fail_msg("%s: %s", parents[i].text, ok ? "taken" : "refused");
	}
}

static void octets(void **state)
{
	struct traceparent p;

	assert_int_equal(traceparent_parse(SLICE("00-0af7651916cd43dd8448eb211c80319c-"
						 "b7ad6b7169203331-01"),
					   &p),
			 0);
	assert_int_equal(p.trace_id[0], 0x0a);
	assert_int_equal(p.trace_id[15], 0x9c);
	assert_int_equal(p.parent_id[0], 0xb7);
	assert_int_equal(p.parent_id[7], 0x31);
}

static void prefixes_and_changes(void **state)
{
	static const char valid[] = "00-" TID "-" PID "-01";
	struct traceparent p;
	char text[sizeof(valid)];

	for (size_t n = 0; n < sizeof(valid) - 1; n++)
		assert_true(traceparent_parse(slice_of(valid, n), &p) < 0);
	for (size_t at = 0; at < sizeof(valid) - 1; at++) {
		for (unsigned c = 0; c < 256; c++) {
			bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
			bool dash = at == 2 || at == 35 || at == 52;

			memcpy(text, valid, sizeof(valid));
			text[at] = (char)c;
			assert_int_equal(!traceparent_parse(slice_of(text, sizeof(valid) - 1), &p),
					 dash ? c == '-' : hex);
		}
	}
}

#define K16  "kkkkkkkkkkkkkkkk"
#define K240 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16

static const struct {
	const char *text;
	bool ok;
} states[] = {
	{ "foo=1", true },
	{ "foo=1,bar=2", true },
	{ "foo=1 , bar=2", true },
	{ "foo=1,\tbar=2", true },
	{ ",foo=1,,bar=2,", true },
	{ "foo=1,foo=2", true }, /* wrong of the sender, harmless here */
	{ "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", true },
	{ "fw529a3039@dt=FfzGTMXoybhyJxDlw+PV;x", true },
	{ "0tenant@sys=1", true },
	{ "a_-*/b=!\"#$%&'()*+-./:;<>?@[\\]^_`{|}~", true },
	{ "foo= 1", true },
	{ "", false },
	{ ",", false },
	{ "foo", false },
	{ "foo=", false },
	{ "=1", false },
	{ "foo =1", false },
	{ "FOO=1", false },
	{ "foo.bar=1", false },
	{ "foo@=1,bar=2", false },
	{ "@foo=1,bar=2", false },
	{ "foo@@bar=1,bar=2", false },
	{ "foo@bar@baz=1,bar=2", false },
	{ "0foo=1", false },
	{ "foo@0sys=1", false },
	{ "foo=bar=baz", false },
	{ "foo=\x01", false },
	{ "foo=\xc3\xa9", false },
	{ K240 K16 "=1", true }, /* 256 */
	{ K240 K16 "k=1", false },
	{ K240 "k@ssssssssssssss=1", true }, /* 241 and 14 */
	{ K240 "kk@ssssssssssssss=1", false },
	{ K240 "k@sssssssssssssss=1", false },
	{ "k=" K240 K16, true },
	{ "k=" K240 K16 "k", false },
};

static void tracestates(void **state)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (tracestate_valid(slice_str(states[i].text)) != states[i].ok)
			fail_msg("%s", states[i].text);
}

static void member_count(void **state)
{
	char text[512];
	size_t len = 0;

	for (unsigned i = 0; i < 33; i++) {
		memcpy(text + len, "k=1,", 4);
		len += 4;
		assert_int_equal(tracestate_valid(slice_of(text, len)), i < 32);
	}
}

static void randomness(void **state)
{
	uint64_t r = 0;

	assert_true(tracestate_randomness(SLICE("a=1,ot=th:c;rv:ffffffffffffff"), &r));
	assert_u64(r, 0xffffffffffffff);
	assert_true(tracestate_randomness(SLICE("ot=rv:00000000000001"), &r));
	assert_u64(r, 1);
	assert_false(tracestate_randomness(SLICE("ot=rv:1"), &r));
	assert_false(tracestate_randomness(SLICE("ot=rv:0000000000000G"), &r));
	assert_false(tracestate_randomness(SLICE("xot=rv:00000000000001"), &r));
	assert_false(tracestate_randomness(SLICE("ot=th:8"), &r));
	assert_false(tracestate_randomness(SLICE("ot"), &r));
}

UNIT_MAIN(T(traceparents), T(octets), T(prefixes_and_changes), T(tracestates), T(member_count),
	  T(randomness))
