/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8.c: one validator for all writers. Plain ASCII, nearly all there is, is passed eight octets at
 * a time.
 */
#include "base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"

size_t utf8_length(const char *s, size_t left)
{
	const unsigned char *at = (const unsigned char *)s;
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (at[0] < 0x80)
		return 1;
	if (at[0] >= 0xc2 && at[0] <= 0xdf)
		n = 2;
	else if (at[0] >= 0xe0 && at[0] <= 0xef)
		n = 3;
	else if (at[0] >= 0xf0 && at[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (left < n)
		return 0;
	if (at[0] == 0xe0)
		low = 0xa0;
	else if (at[0] == 0xed)
		high = 0x9f;
	else if (at[0] == 0xf0)
		low = 0x90;
	else if (at[0] == 0xf4)
		high = 0x8f;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

uint32_t utf8_code(const char *s, size_t length)
{
	static const unsigned char first_bits[5] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	const unsigned char *at = (const unsigned char *)s;
	uint32_t code = at[0] & first_bits[length];

	for (size_t i = 1; i < length; i++)
		code = code << 6 | (at[i] & 0x3f);
	return code;
}

/* Index of the first octet from `i` on that is not ASCII. */
static size_t skip_ascii(struct slice s, size_t i)
{
	uint64_t eight;

	for (; i + 8 <= s.len; i += 8) {
		memcpy(&eight, s.at + i, 8);
		if (eight & 0x8080808080808080ull)
			break;
	}
	while (i < s.len && (unsigned char)s.at[i] < 0x80)
		i++;
	return i;
}

/* Index of the first octet from `i` on that is no UTF-8. */
static size_t skip_valid(struct slice s, size_t i)
{
	while ((i = skip_ascii(s, i)) < s.len) {
		size_t n = utf8_length(s.at + i, s.len - i);

		if (!n)
			break;
		i += n;
	}
	return i;
}

bool utf8_is_valid(struct slice s)
{
	return skip_valid(s, 0) == s.len;
}

size_t utf8_clean_len(struct slice s)
{
	size_t len = s.len;

	for (size_t i = skip_valid(s, 0); i < s.len; i = skip_valid(s, i + 1))
		len += sizeof(REPLACEMENT) - 2;
	return len;
}

int utf8_add_clean(struct buf *out, struct slice s)
{
	size_t plain = 0, i;
	int err = buf_reserve(out, utf8_clean_len(s));

	if (err)
		return err;
	while ((i = skip_valid(s, plain)) < s.len) {
		buf_add(out, slice_sub(s, plain, i));
		buf_add(out, SLICE(REPLACEMENT));
		plain = i + 1;
	}
	return buf_add(out, slice_sub(s, plain, s.len));
}
