/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c: JSON text, one value after the other. Output is always valid: bytes that are no UTF-8
 * turn into U+FFFD one by one, so a string of a stranger can neither end a line nor break a reader.
 */
#include "base/json.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

#define JSON_DEPTH 63

void json_init(struct json *j, struct buf *out)
{
	*j = (struct json){ .out = out };
}

/* Before each value or key: the comma after the one before it. */
static void separate(struct json *j)
{
	uint64_t bit = 1ull << j->depth;

	if (j->comma & bit)
		buf_add_byte(j->out, ',');
	j->comma |= bit;
}

static void open_level(struct json *j, char bracket, bool array)
{
	assert(j->depth < JSON_DEPTH);
	separate(j);
	buf_add_byte(j->out, bracket);
	j->depth++;
	j->comma &= ~(1ull << j->depth);
	if (array)
		j->array |= 1ull << j->depth;
	else
		j->array &= ~(1ull << j->depth);
}

void json_object(struct json *j)
{
	open_level(j, '{', false);
}

void json_array(struct json *j)
{
	open_level(j, '[', true);
}

void json_end(struct json *j)
{
	assert(j->depth);
	buf_add_byte(j->out, j->array >> j->depth & 1 ? ']' : '}');
	j->depth--;
}

void json_key(struct json *j, const char *key)
{
	separate(j);
	buf_add_byte(j->out, '"');
	buf_add_str(j->out, key);
	buf_add(j->out, SLICE("\":"));
	j->comma &= ~(1ull << j->depth); /* the value follows without a comma … */
}

static void add_escaped(struct buf *out, unsigned char c)
{
	static const char short_form[] = "btn?fr"; /* 8..13; 11 has none */

	if (c == '"' || c == '\\') {
		buf_add_byte(out, '\\');
		buf_add_byte(out, (char)c);
	} else if (c >= 8 && c <= 13 && c != 11) {
		buf_add_byte(out, '\\');
		buf_add_byte(out, short_form[c - 8]);
	} else {
		buf_add(out, SLICE("\\u00"));
		buf_add_hex(out, &c, 1);
	}
}

/* Index of the first octet from `i` on that cannot stand in a string as it is, or is no ASCII: eight
 * at a time, as most text has none. */
static size_t skip_plain(struct slice s, size_t i)
{
	const uint64_t ones = 0x0101010101010101ull, tops = 0x8080808080808080ull;

	for (; i + 8 <= s.len; i += 8) {
		uint64_t w, quote, slash, del, odd;

		memcpy(&w, s.at + i, 8);
		quote = w ^ ones * '"';
		slash = w ^ ones * '\\';
		del = w ^ ones * 0x7f;
		/* (x - 1) & ~x has the top bit where x is 0, x - 0x20 where x is below a space. A borrow
		 * may mark the octet above a true hit too: never one without a hit. */
		odd = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
		      ((del - ones) & ~del) | ((w - ones * 0x20) & ~w) | w;
		if (odd & tops)
			break;
	}
	while (i < s.len && (unsigned char)s.at[i] >= 0x20 && (unsigned char)s.at[i] < 0x7f &&
	       s.at[i] != '"' && s.at[i] != '\\')
		i++;
	return i;
}

void json_string(struct json *j, struct slice s)
{
	const unsigned char *at = (const unsigned char *)s.at;
	size_t plain = 0, i = 0;

	separate(j);
	buf_add_byte(j->out, '"');
	while (i < s.len) {
		size_t n;

		i = skip_plain(s, i);
		if (i == s.len)
			break;
		n = at[i] >= 0x80 ? utf8_length(s.at + i, s.len - i) : 0;
		if (n) {
			i += n;
			continue;
		}
		buf_add(j->out, slice_sub(s, plain, i));
		if (at[i] >= 0x80)
			buf_add(j->out, SLICE("\xef\xbf\xbd"));
		else
			add_escaped(j->out, at[i]);
		plain = ++i;
	}
	buf_add(j->out, slice_sub(s, plain, s.len));
	buf_add_byte(j->out, '"');
}

void json_u64(struct json *j, uint64_t v)
{
	separate(j);
	buf_add_u64(j->out, v);
}

void json_i64(struct json *j, int64_t v)
{
	separate(j);
	if (v < 0)
		buf_add_byte(j->out, '-');
	buf_add_u64(j->out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void json_double(struct json *j, double v)
{
	char text[40];
	int n = 0;

	separate(j);
	if (!isfinite(v)) {
		buf_add(j->out, SLICE("null"));
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	buf_add(j->out, slice_of(text, (size_t)n));
}

void json_bool(struct json *j, bool v)
{
	separate(j);
	buf_add(j->out, v ? SLICE("true") : SLICE("false"));
}

void json_number(struct json *j, struct slice s)
{
	separate(j);
	buf_add(j->out, s);
}
