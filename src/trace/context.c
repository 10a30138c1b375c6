/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context.c: see context.h. Only lower-case hexadecimal digits count; an id of zeroes is no id.
 */
#include "trace/context.h"

#include <errno.h>

#define BASIC 55 /* "00-" 32 digits "-" 16 digits "-" 2 digits */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* len octets from twice as many digits; false: not hexadecimal in lower case. */
static bool unhex(const char *at, uint8_t *ret, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		int hi = digit(at[2 * i]), lo = digit(at[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		ret[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

static bool is_zero(const uint8_t *at, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= at[i];
	return !any;
}

int traceparent_parse(struct slice s, struct traceparent *ret)
{
	struct traceparent p;
	uint8_t version, flags;

	if (s.len < BASIC || s.at[2] != '-' || s.at[35] != '-' || s.at[52] != '-')
		return -EINVAL;
	if (!unhex(s.at, &version, 1) || version == 0xff)
		return -EINVAL;
	if (s.len > BASIC && (version == 0 || s.at[BASIC] != '-'))
		return -EINVAL;
	if (!unhex(s.at + 3, p.trace_id, 16) || is_zero(p.trace_id, 16))
		return -EINVAL;
	if (!unhex(s.at + 36, p.parent_id, 8) || is_zero(p.parent_id, 8))
		return -EINVAL;
	if (!unhex(s.at + 53, &flags, 1))
		return -EINVAL;
	p.sampled = flags & 1;
	*ret = p;
	return 0;
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_key_char(char c)
{
	return is_lower(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '*' ||
	       c == '/';
}

/* At most max characters of keys; the first a letter, or a digit where that is allowed. */
static bool is_key_part(struct slice s, size_t max, bool digit_first)
{
	if (!s.len || s.len > max)
		return false;
	if (!is_lower(s.at[0]) && !(digit_first && s.at[0] >= '0' && s.at[0] <= '9'))
		return false;
	for (size_t i = 1; i < s.len; i++)
		if (!is_key_char(s.at[i]))
			return false;
	return true;
}

/* simple-key, or tenant-id "@" system-id (section 3.3.1.3.1). */
static bool is_key(struct slice s)
{
	struct slice vendor = s, tenant = slice_next(&vendor, '@');

	if (!vendor.at)
		return is_key_part(s, 256, false);
	return is_key_part(tenant, 241, true) && is_key_part(vendor, 14, false);
}

/* 0*255(chr) nblk-chr: printable without ',' and '=', not ending in a space (3.3.1.3.2). */
static bool is_value(struct slice s)
{
	if (!s.len || s.len > 256 || s.at[s.len - 1] == ' ')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < 0x20 || s.at[i] > 0x7e || s.at[i] == ',' || s.at[i] == '=')
			return false;
	return true;
}

bool tracestate_valid(struct slice s)
{
	unsigned members = 0;

	while (s.at) {
		struct slice value = slice_trim(slice_next(&s, ',')), key;

		if (!value.len)
			continue;
		key = slice_next(&value, '=');
		if (++members > TRACESTATE_MEMBERS || !value.at || !is_key(key) || !is_value(value))
			return false;
	}
	return members;
}

bool tracestate_randomness(struct slice s, uint64_t *ret_randomness)
{
	while (s.at) {
		struct slice value = slice_trim(slice_next(&s, ','));
		uint8_t octets[7];

		if (!slice_eq(slice_next(&value, '='), SLICE("ot")))
			continue;
		while (value.at) {
			struct slice v = slice_next(&value, ';');

			if (!slice_eq(slice_next(&v, ':'), SLICE("rv")))
				continue;
			if (v.len != 14 || !unhex(v.at, octets, 7))
				return false;
			*ret_randomness = 0;
			for (unsigned i = 0; i < 7; i++)
				*ret_randomness = *ret_randomness << 8 | octets[i];
			return true;
		}
	}
	return false;
}
