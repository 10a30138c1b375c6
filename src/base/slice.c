/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slice.c: searching, comparing and reading numbers in borrowed bytes. Nothing here depends on the
 * locale: case folding is ASCII's, as HTTP wants it.
 */
#include "base/slice.h"

#include <errno.h>

#include "base/sip.h"

/* Eight octets at once, each on its own: none carries into the next. An octet is a capital when it is below
 * 0x80, at or past 'A' and not past 'Z'; 0x20 makes it small. */
static inline uint64_t fold_word(uint64_t w)
{
	const uint64_t ones = 0x0101010101010101ull, high = 0x80 * ones;
	uint64_t low = w & ~high;
	uint64_t capital = (low + (0x80 - 'A') * ones) & ~(low + (0x7f - 'Z') * ones) & ~w & high;

	return w | capital >> 2;
}

static inline bool same_word(uint64_t a, uint64_t b)
{
	return a == b || fold_word(a) == fold_word(b);
}

static inline uint64_t word_at(const char *at)
{
	uint64_t w;

	memcpy(&w, at, sizeof(w));
	return w;
}

/* Up to seven octets: two that overlap, or first, middle and last. */
static inline uint64_t short_at(const char *at, size_t len)
{
	uint32_t first, last;

	if (len < 4)
		return (uint64_t)(unsigned char)at[0] << 16 |
		       (uint64_t)(unsigned char)at[len / 2] << 8 | (unsigned char)at[len - 1];
	memcpy(&first, at, sizeof(first));
	memcpy(&last, at + len - sizeof(last), sizeof(last));
	return (uint64_t)first << 32 | last;
}

bool slice_same_folded(const char *a, const char *b, size_t len)
{
	if (len < sizeof(uint64_t))
		return !len || same_word(short_at(a, len), short_at(b, len));
	for (size_t i = 0; i < len - sizeof(uint64_t); i += sizeof(uint64_t))
		if (!same_word(word_at(a + i), word_at(b + i)))
			return false;
	return same_word(word_at(a + len - sizeof(uint64_t)), word_at(b + len - sizeof(uint64_t)));
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

struct slice slice_next(struct slice *s, char c)
{
	struct slice all = *s;
	const char *hit = all.len ? memchr(all.at, c, all.len) : NULL;

	if (!hit) {
		*s = (struct slice){ NULL, 0 };
		return all;
	}
	*s = slice_of(hit + 1, (size_t)(all.at + all.len - hit) - 1);
	return slice_of(all.at, (size_t)(hit - all.at));
}

#define SURE_DIGITS 18 /* 10^18 is below 2^63 */

int slice_u64(struct slice s, uint64_t *ret_value)
{
	uint64_t v = 0;

	bool over = false;

	if (s.len == 0)
		return -EINVAL;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned)(s.at[i] - '0');

		if (digit > 9)
			return -EINVAL;
		over |= i >= SURE_DIGITS && v > ((uint64_t)INT64_MAX - digit) / 10;
		v = v * 10 + digit;
	}
	if (over)
		return -ERANGE;
	*ret_value = v;
	return 0;
}

static int hex_digit(char c)
{
	unsigned digit = (unsigned)(c - '0'), letter = (unsigned)((c | 0x20) - 'a');

	if (digit <= 9)
		return (int)digit;
	return letter < 6 ? (int)letter + 10 : -1;
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

uint64_t slice_mix(struct slice s, uint64_t seed)
{
	/* the factor must have bits everywhere, whatever the seed is: digits of the golden ratio and of pi */
	const struct sip_key key = { seed ^ 0x9e3779b97f4a7c15ull, seed ^ 0x243f6a8885a308d3ull };
	uint64_t h = s.len, word = 0;
	size_t at = 0;

	for (; s.len - at > sizeof(word); at += sizeof(word)) {
		memcpy(&word, s.at + at, sizeof(word));
		h = sip_mix(&key, h ^ word);
	}
	/* the last word overlaps the one before it; the length is in h already */
	if (s.len >= sizeof(word)) {
		memcpy(&word, s.at + s.len - sizeof(word), sizeof(word));
	} else {
		word = 0;
		for (; at < s.len; at++)
			word = word << 8 | (unsigned char)s.at[at];
	}
	return sip_mix(&key, h ^ word);
}
