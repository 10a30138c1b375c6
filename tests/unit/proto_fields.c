/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto_fields.c: the looks at eight octets at a time (fields.h) against the same by single octets: every
 * octet, at every place, of every length around eight.
 */
#include "unit.h"

#include "proto/fields.h"

static const char lower[] = "x-forwarded-for-9-and-more";

static void a_name_in_any_case(void **state)
{
	char name[sizeof(lower)];

	for (size_t len = 0; len < sizeof(lower); len++) {
		for (size_t at = 0; at < len; at++) {
			for (int c = 0; c < 256; c++) {
				struct slice s = { name, len }, want = { lower, len };

				memcpy(name, lower, len);
				name[at] = (char)c;
				assert_int_equal(is_name(s, want), slice_ieq(s, want));
			}
		}
		assert_true(is_name(slice_of(lower, len), slice_of(lower, len)));
		assert_false(is_name(slice_of(lower, len), slice_of(lower, len ? len - 1 : 1)));
	}
}

static bool is_control(unsigned char c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

static void controls_at_every_place(void **state)
{
	char text[26];

	for (size_t len = 0; len <= sizeof(text); len++) {
		memset(text, 'v', sizeof(text));
		assert_false(has_control(slice_of(text, len)));
		for (size_t at = 0; at < sizeof(text); at++) {
			for (int c = 0; c < 256; c++) {
				memset(text, c & 1 ? '\t' : '\x80', sizeof(text));
				text[at] = (char)c;
				assert_int_equal(has_control(slice_of(text, len)),
						 at < len && is_control((unsigned char)c));
			}
		}
	}
}

static void blanks_at_both_ends(void **state)
{
	static const char *const all[] = { "",	   " ",	    " \t ", "a",      " a",
					   "a\t ", " a b ", "\ra ", " \x80 ", "\t\ta  b\t" };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct slice s = { all[i], strlen(all[i]) }, a = trim(s), b = slice_trim(s);

		assert_int_equal(a.len, b.len);
		assert_ptr_equal(a.at, b.at);
	}
}

UNIT_MAIN(T(a_name_in_any_case), T(controls_at_every_place), T(blanks_at_both_ends))
