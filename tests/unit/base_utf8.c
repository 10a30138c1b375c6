/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 3629, every border of its table, alone and at every place of a longer text. */
#include "unit.h"

#include "base/utf8.h"

static const struct {
	const char *text;
	bool valid;
} cases[] = {
	{ "a", true },
	{ "\xc2\x80", true },
	{ "\xdf\xbf", true },
	{ "\xe0\xa0\x80", true },
	{ "\xed\x9f\xbf", true },
	{ "\xee\x80\x80", true },
	{ "\xef\xbf\xbf", true },
	{ "\xf0\x90\x80\x80", true },
	{ "\xf4\x8f\xbf\xbf", true },
	{ "\x80", false },
	{ "\xbf", false },
	{ "\xc0\x80", false }, /* overlong */
	{ "\xc1\xbf", false },
	{ "\xe0\x9f\xbf", false },
	{ "\xed\xa0\x80", false }, /* surrogate */
	{ "\xf0\x8f\xbf\xbf", false },
	{ "\xf4\x90\x80\x80", false }, /* beyond U+10FFFF */
	{ "\xf5\x80\x80\x80", false },
	{ "\xff", false },
	{ "\xc2", false }, /* cut */
	{ "\xe2\x82", false },
	{ "\xf0\x9f\x98", false },
};

static void borders(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice s = slice_str(cases[i].text);

		assert_int_equal(utf8_is_valid(s), cases[i].valid);
		assert_int_equal(utf8_length(s.at, s.len), cases[i].valid ? s.len : 0);
	}
}

static void in_a_text(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t before = 0; before < 20; before++) {
			struct slice s = slice_str(cases[i].text);
			struct buf in, out;

			buf_init(&in, 100);
			buf_init(&out, 200);
			buf_add(&in, slice_of("abcdefghijklmnopqrstuvwxyz", before));
			buf_add(&in, s);
			buf_add_str(&in, "0123456789");
			assert_int_equal(utf8_is_valid(buf_slice(&in)), cases[i].valid);
			assert_int_equal(utf8_add_clean(&out, buf_slice(&in)), 0);
			assert_true(utf8_is_valid(buf_slice(&out)));
			assert_int_equal(out.len, utf8_clean_len(buf_slice(&in)));
			if (cases[i].valid)
				assert_true(slice_eq(buf_slice(&in), buf_slice(&out)));
			assert_true(slice_ends(buf_slice(&out), SLICE("0123456789")));
			buf_done(&in);
			buf_done(&out);
		}
	}
}

static void replaced(void **state)
{
	struct buf out;

	buf_init(&out, 100);
	utf8_add_clean(&out, SLICE("a\xffz\xc3\xa9\xe2\x82"));
	assert_slice(buf_slice(&out), "a\xef\xbf\xbdz\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd");
	assert_int_equal(utf8_code("\xe2\x82\xac", 3), 0x20ac);
	assert_int_equal(utf8_code("\xf0\x9f\x98\x80", 4), 0x1f600);
	assert_int_equal(utf8_code("a", 1), 'a');
	buf_clear(&out);
	out.max = 2;
	assert_true(utf8_add_clean(&out, SLICE("\xff")) < 0 || out.room > 2);
	buf_done(&out);
}

UNIT_MAIN(T(borders), T(in_a_text), T(replaced))
