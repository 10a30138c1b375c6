/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address.c: see address.h. Not inet_pton: wire bytes have no NUL at their end, and a list of a
 * thousand of them comes in one header field. Stateless.
 */
#include "stream/address.h"

#include <errno.h>

#define ADDRESS_BYTES 64 /* the longest, with zone and port */

static bool is_digit(char c)
{
	return (unsigned)(c - '0') < 10;
}

/* Four numbers 0..255 (RFC 3986 section 3.2.2, IPv4address) at the start: octets of it, or 0. */
static size_t parse_v4(struct slice s, uint8_t ret[4])
{
	size_t i = 0;

	for (unsigned part = 0; part < 4; part++) {
		unsigned value = 0, digits = 0;

		if (part && (i == s.len || s.at[i++] != '.'))
			return 0;
		for (; i < s.len && is_digit(s.at[i]) && digits < 4; digits++)
			value = value * 10 + (unsigned)(s.at[i++] - '0');
		if (!digits || digits > 3 || value > 255)
			return 0;
		if (digits > 1 && s.at[i - digits] == '0')
			return 0;
		ret[part] = (uint8_t)value;
	}
	return i;
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 4291 section 2.2: groups of four digits, one "::", perhaps an IPv4 address at the end. */
static bool parse_v6(struct slice s, uint8_t ret[16])
{
	uint8_t out[16] = { 0 };
	unsigned used = 0, gap = 17; /* octets; 17 = no "::" */
	size_t i = 0;

	if (s.len >= 2 && s.at[0] == ':') {
		if (s.at[1] != ':')
			return false;
		gap = 0;
		i = 2;
	}
	while (i < s.len) {
		unsigned value = 0, digits = 0;
		size_t from = i;

		for (; i < s.len && hex_digit(s.at[i]) >= 0 && digits < 5; digits++)
			value = value << 4 | (unsigned)hex_digit(s.at[i++]);
		if (i < s.len && s.at[i] == '.') {
			if (used > 12 ||
			    parse_v4(slice_sub(s, from, s.len), out + used) != s.len - from)
				return false;
			used += 4;
			break;
		}
		if (!digits || digits > 4 || used > 14)
			return false;
		out[used++] = (uint8_t)(value >> 8);
		out[used++] = (uint8_t)value;
		if (i == s.len)
			break;
		if (s.at[i++] != ':' || i == s.len)
			return false;
		if (s.at[i] != ':')
			continue;
		if (gap != 17)
			return false;
		gap = used;
		i++;
	}
	if (gap == 17 ? used != 16 : used > 14)
		return false;
	if (gap == 17)
		gap = used;
	memset(ret, 0, 16);
	memcpy(ret, out, gap);
	memcpy(ret + 16 - (used - gap), out + gap, used - gap);
	return true;
}

static bool parse_port(struct slice s, uint16_t *ret)
{
	uint64_t port;

	if (slice_u64(s, &port) || port > 65535)
		return false;
	*ret = (uint16_t)port;
	return true;
}

static bool parse_v6_zoned(struct slice s, uint8_t ret[16])
{
	long zone = slice_find(s, '%');

	return parse_v6(zone < 0 ? s : slice_sub(s, 0, (size_t)zone), ret);
}

static int parse_bracketed(struct slice s, struct pc_addr *a)
{
	long end = slice_find(s, ']');

	if (end < 0 || !parse_v6_zoned(slice_sub(s, 1, (size_t)end), a->ip))
		return -EINVAL;
	s = slice_sub(s, (size_t)end + 1, s.len);
	if (!s.len)
		return 0;
	return s.at[0] == ':' && parse_port(slice_sub(s, 1, s.len), &a->port) ? 0 : -EINVAL;
}

int address_parse(struct slice text, struct pc_addr *ret)
{
	struct pc_addr a = { .ip = { [10] = 0xff, [11] = 0xff } };
	size_t n;

	if (!text.len || text.len > ADDRESS_BYTES)
		return -EINVAL;
	n = parse_v4(text, a.ip + 12);
	if (n) {
		if (n < text.len &&
		    (text.at[n] != ':' || !parse_port(slice_sub(text, n + 1, text.len), &a.port)))
			return -EINVAL;
	} else if (text.at[0] == '[') {
		if (parse_bracketed(text, &a))
			return -EINVAL;
	} else if (!parse_v6_zoned(text, a.ip)) {
		return -EINVAL;
	}
	*ret = a;
	return 0;
}
