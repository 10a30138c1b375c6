/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_chunk.c: the line before a chunk's data: chunk-size [ chunk-ext ] CRLF (RFC 9112 7.1). The
 * size decides where everything after it lies, so here we are strict: hexadecimal digits, then blanks
 * or an extension, or the message is given up. Stateless.
 */
#include <errno.h>

#include "proto/fields.h"
#include "proto/http1_head.h"

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

long http1_chunk_line(struct slice s, uint64_t *ret_size)
{
	const char *lf;
	uint64_t size = 0;
	size_t i;

	for (i = 0; i < s.len; i++) {
		int v = hex_value(s.at[i]);

		if (v < 0)
			break;
		if (size >> 59) /* beyond 2^63 */
			return -EBADMSG;
		size = size << 4 | (uint64_t)v;
	}
	if (i == s.len)
		return i > CHUNK_LINE_BYTES ? -EBADMSG : 0;
	if (i == 0 || !(is_blank(s.at[i]) || s.at[i] == ';' || s.at[i] == '\r' || s.at[i] == '\n'))
		return -EBADMSG;
	lf = memchr(s.at + i, '\n', s.len - i);
	if (!lf)
		return s.len > CHUNK_LINE_BYTES ? -EBADMSG : 0;
	while (i < s.len && is_blank(s.at[i]))
		i++;
	/* A bare CR is no line end, and blanks lead to nothing but an extension or the end. */
	if (s.at[i] == '\r' && s.at[i + 1] != '\n')
		return -EBADMSG;
	if (s.at[i] != ';' && s.at[i] != '\r' && s.at[i] != '\n')
		return -EBADMSG;
	*ret_size = size;
	return lf - s.at + 1;
}
