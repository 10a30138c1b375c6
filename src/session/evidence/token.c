/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.c: see token.h. JSON is walked, not parsed: strings and what stands between them are enough for the
 * two questions that are asked.
 */
#include "session/evidence/token.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (is_digit(c))
		return c - '0' + 52;
	return c == '-' || c == '+' ? 62 : c == '_' || c == '/' ? 63 : -1;
}

/* Octets written; 0: it is no base64 (RFC 4648 sections 4 and 5), or does not fit. */
static size_t unbase64(struct slice s, char *to, size_t room)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	while (s.len && s.at[s.len - 1] == '=')
		s.len--;
	for (size_t i = 0; i < s.len; i++) {
		int v = base64_digit(s.at[i]);

		if (v < 0 || n == room)
			return 0;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			to[n++] = (char)(bits >> have);
		}
	}
	return n;
}

/* The end of the JSON string that begins at `at`, one past its quote; 0: it does not end. */
static size_t string_end(struct slice s, size_t at)
{
	for (size_t i = at + 1; i < s.len; i++) {
		if (s.at[i] == '\\')
			i++;
		else if (s.at[i] == '"')
			return i + 1;
	}
	return 0;
}

static size_t skip_space(struct slice s, size_t at)
{
	while (at < s.len && memchr(" \t\r\n", s.at[at], 4))
		at++;
	return at;
}

/* The value of "sub" of the outermost object, as written; at == NULL: none, or no JSON. */
static struct slice subject_of(struct slice json)
{
	unsigned depth = 0;

	for (size_t i = 0; i < json.len; i++) {
		size_t end, value;

		if (json.at[i] == '{' || json.at[i] == '[')
			depth++;
		else if (json.at[i] == '}' || json.at[i] == ']')
			depth--;
		if (json.at[i] != '"')
			continue;
		end = string_end(json, i);
		if (!end)
			break;
		value = skip_space(json, end);
		if (depth == 1 && slice_eq(slice_sub(json, i, end), SLICE("\"sub\"")) &&
		    value < json.len && json.at[value] == ':') {
			value = skip_space(json, value + 1);
			end = value < json.len && json.at[value] == '"' ? string_end(json, value)
									: 0;
			for (size_t n = value; !end && n < json.len; n++)
				if (json.at[n] == ',' || json.at[n] == '}')
					end = n;
			return end > value ? slice_sub(json, value, end) : slice_of(NULL, 0);
		}
		i = end - 1;
	}
	return slice_of(NULL, 0);
}

struct slice token_subject(struct slice payload, char room[TOKEN_ROOM])
{
	return subject_of(slice_of(room, unbase64(payload, room, TOKEN_ROOM)));
}

/* A string that is no key and not empty, a number, true. */
static bool has_value(struct slice json)
{
	for (size_t i = 0; i < json.len; i++) {
		size_t end, next;

		if (is_digit(json.at[i]) || json.at[i] == 't')
			return true;
		if (json.at[i] != '"')
			continue;
		end = string_end(json, i);
		if (!end)
			return true;
		next = skip_space(json, end);
		if (end - i > 2 && !(next < json.len && json.at[next] == ':'))
			return true;
		i = end - 1;
	}
	return false;
}

bool token_is_empty(struct slice value)
{
	char room[TOKEN_ROOM];
	size_t len;

	if (!slice_starts(value, SLICE("eyJ")))
		return false;
	len = unbase64(value, room, sizeof(room));
	return len && !has_value(slice_of(room, len));
}
