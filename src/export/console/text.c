/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c: text of strangers for a terminal (console_add_text). A terminal obeys what it is sent, so
 * whatever it might obey, and whatever would make a line look like another one, is written as an escape.
 * Columns are counted as terminals do, by the East Asian Width property of Unicode; where two terminals
 * disagree the larger number is taken. Pure.
 */
#include <stdio.h>

#include "base/utf8.h"
#include "export/console.h"

#define SHOWN 12 /* octets of a character as it is shown: \u{10ffff} and NUL */

struct codes {
	uint32_t from, to;
};

static bool is_within(const struct codes *ranges, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count && ranges[i].from <= code; i++)
		if (code <= ranges[i].to)
			return true;
	return false;
}

/* Controls, what is invisible, what turns the direction of writing, and marks that pile up on the
 * character before them without end. In ascending order. */
static const struct codes hidden[] = {
	{ 0x80, 0x9f },	    { 0xad, 0xad },	{ 0x300, 0x36f },   { 0x483, 0x489 },
	{ 0x61c, 0x61c },   { 0x115f, 0x1160 }, { 0x180b, 0x180f }, { 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff }, { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
	{ 0x20d0, 0x20ff }, { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
	{ 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff },
};

/* Two columns. */
static const struct codes wide[] = {
	{ 0x1100, 0x115e },   { 0x231a, 0x231b },   { 0x2329, 0x232a },	  { 0x23e9, 0x23f3 },
	{ 0x25fd, 0x25fe },   { 0x2600, 0x27bf },   { 0x2b1b, 0x2b55 },	  { 0x2e80, 0x303e },
	{ 0x3041, 0x4dbf },   { 0x4e00, 0xa4cf },   { 0xa960, 0xa97f },	  { 0xac00, 0xd7a3 },
	{ 0xf900, 0xfaff },   { 0xfe10, 0xfe19 },   { 0xfe30, 0xfe6f },	  { 0xff01, 0xff60 },
	{ 0xffe0, 0xffe6 },   { 0x16fe0, 0x18dff }, { 0x1aff0, 0x1b2ff }, { 0x1f000, 0x1faff },
	{ 0x20000, 0x3fffd },
};

#define IS_IN(ranges, code) is_within(ranges, sizeof(ranges) / sizeof((ranges)[0]), code)

/* One character as it may be shown; returns the octets of `s` that it took. */
static size_t show(struct slice s, char text[SHOWN], size_t *ret_octets, size_t *ret_columns)
{
	unsigned char c = (unsigned char)s.at[0];
	size_t n = utf8_length(s.at, s.len);
	uint32_t code = n ? utf8_code(s.at, n) : 0;

	if (!n || c < 0x20 || c == 0x7f) {
		*ret_octets = *ret_columns = (size_t)snprintf(text, SHOWN, "\\x%02x", c);
		return n ? n : 1;
	}
	if (IS_IN(hidden, code)) {
		*ret_octets = *ret_columns = (size_t)snprintf(text, SHOWN, "\\u{%x}", code);
		return n;
	}
	memcpy(text, s.at, n);
	*ret_octets = n;
	*ret_columns = IS_IN(wide, code) ? 2 : 1;
	return n;
}

size_t console_add_text(struct buf *out, struct slice s, size_t columns)
{
	size_t used = 0;

	while (s.len) {
		char text[SHOWN];
		size_t octets, columns_of, n = show(s, text, &octets, &columns_of);
		bool last = n == s.len;

		if (used + columns_of + !last > columns) {
			if (used < columns) {
				buf_add_str(out, "…");
				used++;
			}
			break;
		}
		buf_add(out, slice_of(text, octets));
		used += columns_of;
		s = slice_sub(s, n, s.len);
	}
	return used;
}
