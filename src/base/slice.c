/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slice.c: searching, comparing and reading numbers in borrowed bytes. Nothing here depends on the
 * locale: case folding is ASCII's, as HTTP wants it.
 */
#include "base/slice.h"

#include <errno.h>

#include "base/sip.h"

static inline unsigned char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : (unsigned char)c;
}

bool slice_ieq(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (fold(a.at[i]) != fold(b.at[i]))
			return false;
	return true;
}

bool slice_starts(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_eq(slice_sub(s, 0, prefix.len), prefix);
}

bool slice_istarts(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_ieq(slice_sub(s, 0, prefix.len), prefix);
}

bool slice_ends(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len && slice_eq(slice_sub(s, s.len - suffix.len, s.len), suffix);
}

long slice_find(struct slice s, char c)
{
	const char *hit = s.len ? memchr(s.at, c, s.len) : NULL;

	return hit ? hit - s.at : -1;
}

long slice_find_slice(struct slice s, struct slice what)
{
	const char *hit;

	if (what.len == 0)
		return 0;
	hit = s.len ? memmem(s.at, s.len, what.at, what.len) : NULL;
	return hit ? hit - s.at : -1;
}

static bool is_ows(char c)
{
	return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice s)
{
	while (s.len && is_ows(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len && is_ows(s.at[s.len - 1]))
		s.len--;
	return s;
}

struct slice slice_next(struct slice *s, char c)
{
	struct slice all = *s;
	long at = slice_find(all, c);

	if (at < 0) {
		*s = (struct slice){ NULL, 0 };
		return all;
	}
	*s = slice_sub(all, (size_t)at + 1, all.len);
	return slice_sub(all, 0, (size_t)at);
}

int slice_u64(struct slice s, uint64_t *ret_value)
{
	uint64_t v = 0;

	if (s.len == 0)
		return -EINVAL;
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < '0' || s.at[i] > '9')
			return -EINVAL;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned)(s.at[i] - '0');

		if (v > ((uint64_t)INT64_MAX - digit) / 10)
			return -ERANGE;
		v = v * 10 + digit;
	}
	*ret_value = v;
	return 0;
}

static int hex_digit(char c)
{
	unsigned char f = fold(c);

	if (f >= '0' && f <= '9')
		return f - '0';
	if (f >= 'a' && f <= 'f')
		return f - 'a' + 10;
	return -1;
}

int slice_hex_u64(struct slice s, uint64_t *ret_value)
{
	uint64_t v = 0;

	if (s.len == 0)
		return -EINVAL;
	for (size_t i = 0; i < s.len; i++)
		if (hex_digit(s.at[i]) < 0)
			return -EINVAL;
	for (size_t i = 0; i < s.len; i++) {
		if (v > (uint64_t)INT64_MAX >> 4)
			return -ERANGE;
		v = v << 4 | (uint64_t)hex_digit(s.at[i]);
	}
	*ret_value = v;
	return 0;
}

uint64_t slice_hash(struct slice s, uint64_t seed)
{
	struct sip_key key = { seed, ~seed };

	return sip13(&key, s.at, s.len);
}
