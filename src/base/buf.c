/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.c: owned bytes, doubling up to the maximum that the creator gave. The only place where a
 * growing buffer calls realloc, so the bound cannot be forgotten by a writer.
 */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_FIRST 256

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_done(struct buf *b)
{
	free(b->at);
	*b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

void buf_shrink(struct buf *b, size_t keep)
{
	char *at;

	if (b->len || b->room <= keep)
		return;
	at = keep ? realloc(b->at, keep) : NULL;
	if (keep && !at)
		return; /* a shrink that fails leaves the larger memory: still ours, still valid */
	if (!keep)
		free(b->at);
	b->at = at;
	b->room = keep;
}

int buf_reserve(struct buf *b, size_t more)
{
	size_t need, room = b->room ? b->room : BUF_FIRST;
	char *at;

	if (more <= b->room - b->len)
		return 0;
	if (more > b->max - b->len) {
		b->failed = true;
		return -ENOBUFS;
	}
	need = b->len + more;
	while (room < need)
		room = room > b->max / 2 ? b->max : room * 2;
	if (room > b->max)
		room = b->max;
	at = realloc(b->at, room);
	if (!at) {
		b->failed = true;
		return -ENOMEM;
	}
	b->at = at;
	b->room = room;
	return 0;
}

int buf_add_grow(struct buf *b, struct slice s)
{
	int err = buf_reserve(b, s.len);

	if (err)
		return err;
	memcpy(b->at + b->len, s.at, s.len); /* not empty: nothing would have fitted */
	b->len += s.len;
	return 0;
}

int buf_add_str(struct buf *b, const char *s)
{
	return buf_add(b, slice_str(s));
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	va_list args;
	int n, err;

	va_start(args, fmt);
	n = vsnprintf(small, sizeof(small), fmt, args);
	va_end(args);
	if (n < 0) {
		b->failed = true;
		return -EINVAL;
	}
	if ((size_t)n < sizeof(small))
		return buf_add(b, slice_of(small, (size_t)n));

	err = buf_reserve(b, (size_t)n + 1); /* vsnprintf ends with a NUL, which does not count */
	if (err)
		return err;
	va_start(args, fmt);
	vsnprintf(b->at + b->len, (size_t)n + 1, fmt, args);
	va_end(args);
	b->len += (size_t)n;
	return 0;
}

int buf_add_u64(struct buf *b, uint64_t v)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char digits[20];
	size_t at = sizeof(digits);

	for (; v >= 100; v /= 100) {
		at -= 2;
		memcpy(digits + at, pairs + v % 100 * 2, 2);
	}
	if (v >= 10) {
		at -= 2;
		memcpy(digits + at, pairs + v * 2, 2);
	} else {
		digits[--at] = (char)('0' + v);
	}
	return buf_add(b, slice_of(digits + at, sizeof(digits) - at));
}

int buf_add_hex(struct buf *b, const void *bytes, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *in = bytes;
	int err;

	if (len > SIZE_MAX / 2) {
		b->failed = true;
		return -ENOBUFS;
	}
	err = buf_reserve(b, len * 2);
	if (err)
		return err;
	for (size_t i = 0; i < len; i++) {
		b->at[b->len++] = hex[in[i] >> 4];
		b->at[b->len++] = hex[in[i] & 15];
	}
	return 0;
}

void buf_consume(struct buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
		return;
	}
	if (n) {
		memmove(b->at, b->at + n, b->len - n);
		b->len -= n;
	}
}
