/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.c: see words.h. Strings know \r \n \t \\ \" \xHH, and "text"*1000 repeats.
 */
#include "words.h"

#include <errno.h>

void words_init(struct words *w)
{
	*w = (struct words){ 0 };
	buf_init(&w->octets, WORDS_BYTES);
}

void words_done(struct words *w)
{
	buf_done(&w->octets);
}

static bool bad(struct words *w, const char *why)
{
	w->why = why;
	return false;
}

static bool add_escape(struct words *w, struct slice *line)
{
	static const char from[] = "rnt0\\\"", to[] = "\r\n\t\0\\\"";
	char c = line->len ? line->at[0] : 0;
	const char *at = c ? strchr(from, c) : NULL;
	uint64_t value;

	if (at) {
		*line = slice_sub(*line, 1, line->len);
		return buf_add_byte(&w->octets, to[at - from]) == 0;
	}
	if (c != 'x' || line->len < 3 || slice_hex_u64(slice_sub(*line, 1, 3), &value))
		return bad(w, "unknown escape: \\r \\n \\t \\0 \\\\ \\\" \\xHH");
	*line = slice_sub(*line, 3, line->len);
	return buf_add_byte(&w->octets, (char)value) == 0;
}

/* "*COUNT" after a string: that often in all. */
static bool repeat(struct words *w, struct slice *line, size_t from)
{
	size_t n = 1, len = w->octets.len - from;
	uint64_t count;

	if (!line->len || line->at[0] != '*')
		return true;
	while (n < line->len && line->at[n] >= '0' && line->at[n] <= '9')
		n++;
	if (slice_u64(slice_sub(*line, 1, n), &count) || !count)
		return bad(w, "\"text\"*COUNT wants a count");
	*line = slice_sub(*line, n, line->len);
	if (buf_reserve(&w->octets, (count - 1) * len))
		return bad(w, "string too long");
	for (; count > 1; count--)
		buf_add(&w->octets, slice_of(w->octets.at + from, len));
	return true;
}

/* The text slices hold offsets until all is read: the buffer may move. */
static bool cut_string(struct words *w, struct slice *line)
{
	size_t from = w->octets.len;

	*line = slice_sub(*line, 1, line->len);
	for (;;) {
		char c = line->len ? line->at[0] : 0;

		if (!line->len)
			return bad(w, "string without its closing quote");
		*line = slice_sub(*line, 1, line->len);
		if (c == '"')
			break;
		if (c == '\\' && !add_escape(w, line))
			return false;
		if (c != '\\' && buf_add_byte(&w->octets, c))
			return bad(w, "string too long");
	}
	if (!repeat(w, line, from))
		return false;
	if (w->text_count < 4)
		w->text[w->text_count++].len = w->octets.len - from;
	else
		w->text[3].len += w->octets.len - from;
	return true;
}

bool words_cut(struct words *w, struct slice line)
{
	size_t at = 0;

	buf_clear(&w->octets);
	w->count = w->next = w->text_count = 0;
	w->why = NULL;
	for (line = slice_trim(line); line.len && line.at[0] != '#'; line = slice_trim(line)) {
		size_t n = 0;

		if (line.at[0] == '"') {
			if (!cut_string(w, &line))
				return false;
			continue;
		}
		while (n < line.len && line.at[n] != ' ' && line.at[n] != '\t')
			n++;
		if (w->count == WORDS_MAX)
			return bad(w, "too many words");
		w->at[w->count++] = slice_sub(line, 0, n);
		line = slice_sub(line, n, line.len);
	}
	for (unsigned i = 0; i < w->text_count; i++) {
		w->text[i].at = w->octets.at + at;
		at += w->text[i].len;
	}
	return true;
}

struct slice words_next(struct words *w)
{
	while (w->next < w->count) {
		struct slice s = w->at[w->next++];

		if (s.at[0] != '@' && slice_find(s, '=') < 0)
			return s;
	}
	return (struct slice){ 0 };
}

bool words_has(struct words *w, const char *flag)
{
	for (unsigned i = 1; i < w->count; i++)
		if (slice_eq(w->at[i], slice_str(flag)))
			return true;
	return false;
}

struct slice words_value(struct words *w, const char *key)
{
	for (unsigned i = 1; i < w->count; i++) {
		struct slice value = w->at[i], name = slice_next(&value, '=');

		if (value.at && slice_eq(name, slice_str(key)))
			return value;
	}
	return (struct slice){ 0 };
}

uint64_t words_number(struct words *w, const char *key, uint64_t otherwise)
{
	struct slice s = words_value(w, key);
	uint64_t value = otherwise;

	if (s.at && slice_u64(s, &value))
		w->why = "not a number";
	return value;
}

uint64_t words_time(struct words *w, struct slice text)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };
	uint64_t value;
	size_t n = 0;

	while (n < text.len && text.at[n] >= '0' && text.at[n] <= '9')
		n++;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (slice_eq(slice_sub(text, n, text.len), slice_str(units[i].unit)) &&
		    !slice_u64(slice_sub(text, 0, n), &value))
			return value * units[i].ns;
	w->why = "not a time: a number with ns, us, ms or s";
	return 0;
}

int words_errno(struct words *w, const char *key)
{
	static const struct {
		const char *name;
		int value;
	} names[] = {
		{ "ECONNRESET", ECONNRESET },	  { "EPIPE", EPIPE },
		{ "ETIMEDOUT", ETIMEDOUT },	  { "EHOSTUNREACH", EHOSTUNREACH },
		{ "ECONNABORTED", ECONNABORTED }, { "ECONNREFUSED", ECONNREFUSED },
		{ "ENETUNREACH", ENETUNREACH },
	};
	struct slice s = words_value(w, key);

	if (!s.at)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_eq(s, slice_str(names[i].name)))
			return names[i].value;
	w->why = "unknown errno";
	return 0;
}
