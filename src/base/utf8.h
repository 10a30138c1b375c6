/* SPDX-License-Identifier: Apache-2.0 */
/*
 * utf8.h: what is UTF-8 (RFC 3629: no overlong form, no surrogate, at most U+10FFFF) and what to
 * write where it is not. Protobuf strings and JSON must be UTF-8; wire data need not be.
 */
#ifndef PC_BASE_UTF8_H
#define PC_BASE_UTF8_H

#include "base/buf.h"

/* Octets of the sequence at the start, 1 to 4; 0 = none is there. `left` > 0. */
size_t utf8_length(const char *at, size_t left);
/* Code point of a sequence that utf8_length measured. */
uint32_t utf8_code(const char *at, size_t length);
bool utf8_is_valid(struct slice s);
/* Octets of `s` once each byte that is no UTF-8 is written as U+FFFD (three octets). */
size_t utf8_clean_len(struct slice s);
int utf8_add_clean(struct buf *out, struct slice s);

#endif
