/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.h: character classes of RFC 9110 5.6, by table.
 */
#ifndef PC_PROTO_FIELDS_H
#define PC_PROTO_FIELDS_H

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

bool has_control(struct slice s); /* a control octet other than HTAB */

#endif
