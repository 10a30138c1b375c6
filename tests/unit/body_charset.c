/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_charset.c: charsets → UTF-8 by themselves, whole and octet by octet; labels, marks, halves, what is
 * decided by the first octet beyond ASCII; and bodies whose charset is said, or lies.
 */
#include "body_kit.h"

#include "txn/body/charset.h"

static struct buf got;

static bool gather(void *ctx, struct slice piece)
{
	assert_true(piece.len > 0);
	return !buf_add(&got, piece);
}

static void expect(enum charset c, struct slice in, const char *out)
{
	static char piece[CHARSET_PIECE];

	for (size_t step = 1; step <= in.len + 1; step++) {
		struct charset_reader r;

		buf_clear(&got);
		charset_begin(&r, c, gather, NULL);
		for (size_t at = 0; at < in.len; at += step)
			assert_true(charset_push(&r, piece, slice_sub(in, at, at + step)));
		assert_true(charset_end(&r, piece));
		kit_same(buf_slice(&got), slice_str(out), "charset");
	}
}

static void single_octets(void **state)
{
	buf_init(&got, 1 << 20);
	expect(CHARSET_1252, SLICE("a\x80\xe9\xff\x81\x9f"),
	       "a\xe2\x82\xac\xc3\xa9\xc3\xbf\xc2\x81\xc5\xb8");
	expect(CHARSET_8859_15, SLICE("\xa4\xa6\xa8\xb4\xb8\xbc\xbd\xbe\xa3\x80"),
	       "\xe2\x82\xac\xc5\xa0\xc5\xa1\xc5\xbd\xc5\xbe\xc5\x92\xc5\x93\xc5\xb8\xc2\xa3\xc2"
	       "\x80");
	expect(CHARSET_UTF8, SLICE("a\xff\xe9"), "a\xff\xe9"); /* replaced where it is taken */
}

static void utf16(void **state)
{
	expect(CHARSET_UTF16LE, SLICE("a\0\xac\x20\x3d\xd8\x00\xde"),
	       "a\xe2\x82\xac\xf0\x9f\x98\x80");
	expect(CHARSET_UTF16BE, SLICE("\0a\x20\xac\xd8\x3d\xde\x00"),
	       "a\xe2\x82\xac\xf0\x9f\x98\x80");
	expect(CHARSET_UTF16LE, SLICE("\x3d\xd8z\0\x00\xde\x3d\xd8"),
	       "\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd");
	expect(CHARSET_UTF16LE, SLICE("a\0b"), "a\xef\xbf\xbd");
	expect(CHARSET_UTF16BE, SLICE("\xd8\x3d\xd8\x3d\xde\x00"), "\xef\xbf\xbd\xf0\x9f\x98\x80");
}

static void marks_are_worth_more_than_labels(void **state)
{
	expect(CHARSET_1252, SLICE("\xef\xbb\xbf\xc3\xa9"), "\xc3\xa9");
	expect(CHARSET_UTF8, SLICE("\xff\xfe\xe9\0"), "\xc3\xa9");
	expect(CHARSET_UTF16LE, SLICE("\xfe\xff\0\xe9"), "\xc3\xa9");
	expect(CHARSET_1252, SLICE("\xef\xbb"), "\xc3\xaf\xc2\xbb"); /* not whole: none */
	expect(CHARSET_1252, SLICE("\xef\xbb\xbe"), "\xc3\xaf\xc2\xbb\xc2\xbe");
	expect(CHARSET_UNDECIDED, SLICE("\xef\xbb\xbf\xe9"), "\xe9");
	expect(CHARSET_UTF8, SLICE(""), "");
}

static void decided_by_the_first_that_is_no_ascii(void **state)
{
	expect(CHARSET_UNDECIDED, SLICE("plain"), "plain");
	expect(CHARSET_UNDECIDED, SLICE("caf\xc3\xa9 \xff"), "caf\xc3\xa9 \xff");
	expect(CHARSET_UNDECIDED, SLICE("caf\xe9 \xc3\xa9"), "caf\xc3\xa9 \xc3\x83\xc2\xa9");
	expect(CHARSET_UNDECIDED, SLICE("\x80 5"), "\xe2\x82\xac 5");
	expect(CHARSET_UNDECIDED, SLICE("5 \xe2\x82\xac"), "5 \xe2\x82\xac");
	expect(CHARSET_UNDECIDED, SLICE("5 \xe2\x82"), "5 \xc3\xa2\xe2\x80\x9a");
	expect(CHARSET_UNDECIDED, SLICE("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80");
}

static void labels(void **state)
{
	assert_int_equal(charset_named(SLICE("ISO-8859-1")), CHARSET_1252);
	assert_int_equal(charset_named(SLICE("UTF-8")), CHARSET_UTF8);
	assert_int_equal(charset_named(SLICE("iso-8859-15")), CHARSET_8859_15);
	assert_int_equal(charset_named(SLICE("utf-16")), CHARSET_UTF16LE);
	assert_int_equal(charset_named(SLICE("Shift_JIS")), CHARSET_UNKNOWN);
	assert_int_equal(charset_named(SLICE("")), CHARSET_UNKNOWN);
}

static void pieces_are_bounded(void **state)
{
	static char in[3 * CHARSET_PIECE], piece[CHARSET_PIECE + 1];
	struct charset_reader r;

	memset(in, 0x80, sizeof(in));
	piece[CHARSET_PIECE] = 0x55;
	buf_clear(&got);
	charset_begin(&r, CHARSET_1252, gather, NULL);
	assert_true(charset_push(&r, piece, slice_of(in, sizeof(in))));
	assert_int_equal(got.len, 3 * sizeof(in));
	memset(in, 0xdd, sizeof(in)); /* halves of pairs: three octets each */
	charset_begin(&r, CHARSET_UTF16LE, gather, NULL);
	assert_true(charset_push(&r, piece, slice_of(in, sizeof(in))));
	assert_int_equal(piece[CHARSET_PIECE], 0x55);
	buf_done(&got);
}

static void charsets_of_bodies(void **state)
{
	struct body_kind kind = { .content_type = SLICE("application/json; charset=iso-8859-1"),
				  .response = true };
	struct body_kind odd = { .content_type = SLICE("application/json; charset=gbk"),
				 .response = true };

	KIT_WANTS(JSON_PATH("$.a"), JSON_PATH("$['\xc3\xa9']"));
	kit_expect(kind, SLICE("{\"a\":\"\xa3\x80\",\"\xe9\":1}"), 0,
		   "0 text \xc2\xa3\xe2\x82\xac\n1 number 1\n");
	kit_expect(odd, SLICE("{\"a\":1}"), FLAG(CHARSET_UNKNOWN), "");
}

KIT_MAIN(T(single_octets), T(utf16), T(marks_are_worth_more_than_labels),
	 T(decided_by_the_first_that_is_no_ascii), T(labels), T(pieces_are_bounded),
	 T(charsets_of_bodies))
