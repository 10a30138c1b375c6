/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_cookie.c: Cookie and Set-Cookie as RFC 6265 sections 5.1.1, 5.2 and 5.4 have browsers do.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "session/evidence/cookie.h"

static void expect(struct slice *rest, const char *name, const char *value)
{
	struct cookie c;

	assert_true(cookie_next(rest, &c));
	assert_true(slice_eq(c.name, slice_str(name)));
	assert_true(slice_eq(c.value, slice_str(value)));
}

static void pairs_of_a_cookie_field(void **state)
{
	struct slice s = SLICE("a=1; b=\"x=y\";c = 3 ;; =nameless; alone ;d==; e=");
	struct cookie c;

	expect(&s, "a", "1");
	expect(&s, "b", "\"x=y\"");
	expect(&s, "c", "3");
	expect(&s, "", "nameless");
	expect(&s, "", "alone");
	expect(&s, "d", "=");
	expect(&s, "e", "");
	assert_false(cookie_next(&s, &c));
	s = SLICE(" ; ;");
	assert_false(cookie_next(&s, &c));
}

static void a_thousand_cookies_and_one_of_64_kib(void **state)
{
	size_t room = 65536 + 1000 * 16, len = 0;
	char *text = malloc(room);
	struct cookie c;
	struct slice s;
	unsigned count = 0;

	for (unsigned i = 0; i < 1000; i++)
		len += (size_t)snprintf(text + len, room - len, "name%u=%u; ", i, i);
	text[len++] = 'x';
	text[len++] = '=';
	memset(text + len, 'v', 65000);
	len += 65000;
	s = slice_of(text, len);
	while (cookie_next(&s, &c))
		count++;
	assert_int_equal(count, 1001);
	assert_int_equal(c.value.len, 65000);
	free(text);
}

static void attributes_of_set_cookie(void **state)
{
	struct set_cookie c;

	assert_true(set_cookie_parse(SLICE(" id = a;b ; max-age=5; PATH=/shop; Secure"), &c));
	assert_slice(c.cookie.name, "id");
	assert_slice(c.cookie.value, "a");
	assert_true(c.has_max_age && c.max_age_s == 5);
	assert_slice(c.path, "/shop");
	assert_true(set_cookie_parse(SLICE("id=a; Path=shop; Max-Age=5x; Expires=never"), &c));
	assert_null(c.path.at);
	assert_false(c.has_max_age || c.has_expires);
	assert_true(set_cookie_parse(SLICE("alone"), &c));
	assert_int_equal(c.cookie.name.len, 0);
	assert_false(set_cookie_parse(SLICE("="), &c));
	assert_false(set_cookie_parse(SLICE(" ; Path=/"), &c));
	assert_true(set_cookie_parse(SLICE("a=b; Max-Age=99999999999999999999"), &c));
	assert_false(set_cookie_is_over(&c, 1700000000));
}

static void cookies_that_are_taken_away(void **state)
{
	static const struct {
		const char *text;
		bool over;
	} cases[] = {
		{ "a=b", false },
		{ "a=b; Max-Age=0", true },
		{ "a=b; Max-Age=-1", true },
		{ "a=b; Max-Age=1", false },
		{ "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT", true },
		{ "a=b; Expires=Thu, 01-Jan-1970 00:00:10 GMT", true },
		{ "a=b; Expires=Fri, 31 Dec 2100 23:59:59 GMT", false },
		{ "a=b; Max-Age=100; Expires=Thu, 01 Jan 1970 00:00:00 GMT", false },
		{ "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0", true },
		{ "a=b; Expires=yesterday", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct set_cookie c;

		assert_true(set_cookie_parse(slice_str(cases[i].text), &c));
		assert_int_equal(set_cookie_is_over(&c, 1700000000), cases[i].over);
	}
}

static void dates(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t unix_s;
	} cases[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", true, 784111777 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", true, 784111777 },
		{ "Sun Nov  6 08:49:37 1994", true, 784111777 },
		{ "06 november 94 8:49:37", true, 784111777 },
		{ "Thu, 29 Feb 2024 00:00:00 GMT", true, 1709164800 },
		{ "1 jan 69 0:0:0", true, 3124224000 },
		{ "", false, 0 },
		{ "06 Nov 1994", false, 0 },
		{ "32 Nov 1994 08:49:37", false, 0 },
		{ "06 Nov 1994 24:49:37", false, 0 },
		{ "06 Nov 1600 08:49:37", false, 0 },
		{ "06 Nov 1994 08:49:037", false, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t got = 0;

		assert_int_equal(cookie_date(slice_str(cases[i].text), &got), cases[i].ok);
		if (cases[i].ok)
			assert_u64(got, cases[i].unix_s);
	}
}

UNIT_MAIN(cmocka_unit_test(pairs_of_a_cookie_field),
	  cmocka_unit_test(a_thousand_cookies_and_one_of_64_kib),
	  cmocka_unit_test(attributes_of_set_cookie), cmocka_unit_test(cookies_that_are_taken_away),
	  cmocka_unit_test(dates))
