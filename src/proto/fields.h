/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.h: character classes of RFC 9110 5.6, by table.
 */
#ifndef PC_PROTO_FIELDS_H
#define PC_PROTO_FIELDS_H

#include <string.h>

#include "base/slice.h"

extern const unsigned char char_class[256];

#define CHAR_TOKEN 0x1 /* tchar, RFC 9110 5.6.2 */

static inline bool is_token(char c)
{
	return char_class[(unsigned char)c] & CHAR_TOKEN;
}

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* As slice_trim, where hardly anything is there to trim. */
static inline struct slice trim(struct slice s)
{
	while (s.len && is_blank(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

/* Eight octets, of which `lower` are small letters, digits or hyphens: equal but for the case of letters?
 * Letters alone have the bit 0x40, and differ from their capitals in 0x20. */
static inline bool same_eight(const char *at, const char *lower)
{
	uint64_t a, b;

	memcpy(&a, at, 8);
	memcpy(&b, lower, 8);
	return ((a ^ b) & ~((b & 0x4040404040404040ull) >> 1)) == 0;
}

/* Is s the name `lower` (small letters, digits, hyphens), in any case? As slice_ieq; most calls compare
 * what is equal, so eight octets at a time, the last of them twice. */
static inline bool is_name(struct slice s, struct slice lower)
{
	if (s.len != lower.len)
		return false;
	if (s.len < 8)
		return slice_ieq(s, lower);
	for (size_t i = 0; i + 8 < s.len; i += 8)
		if (!same_eight(s.at + i, lower.at + i))
			return false;
	return same_eight(s.at + s.len - 8, lower.at + s.len - 8);
}

bool has_control(struct slice s); /* a control octet other than HTAB */

#endif
