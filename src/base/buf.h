/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h: owned bytes that grow up to a maximum given at creation. All writers return 0 or -ENOBUFS
 * (would pass the maximum) or -ENOMEM; on an error nothing was written and `failed` stays set until
 * buf_clear, so a sequence of appends may be checked once at its end.
 */
#ifndef PC_BASE_BUF_H
#define PC_BASE_BUF_H

#include "base/slice.h"

struct buf {
	char *at;
	size_t len;
	size_t room; /* allocated */
	size_t max;
	bool failed;
};

void buf_init(struct buf *b, size_t max); /* allocates nothing yet */
void buf_done(struct buf *b);
void buf_clear(struct buf *b);			 /* keeps the memory */
void buf_shrink(struct buf *b, size_t keep);	 /* gives memory above `keep` back when empty */
int buf_reserve(struct buf *b, size_t more);	 /* room for `more` bytes after len */
int buf_add_grow(struct buf *b, struct slice s); /* what buf_add does when there is no room yet */
int buf_add_str(struct buf *b, const char *s);
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_add_u64(struct buf *b, uint64_t v);		       /* decimal */
int buf_add_hex(struct buf *b, const void *bytes, size_t len); /* lower case */
void buf_consume(struct buf *b, size_t n);		       /* drop from the front */

/* Inline: writers of rows and messages call it a hundred times a transaction, mostly with literals. */
static inline int buf_add(struct buf *b, struct slice s)
{
	if (s.len > b->room - b->len)
		return buf_add_grow(b, s);
	if (s.len)
		memcpy(b->at + b->len, s.at, s.len);
	b->len += s.len;
	return 0;
}

static inline int buf_add_byte(struct buf *b, char c)
{
	return buf_add(b, (struct slice){ &c, 1 });
}

static inline struct slice buf_slice(const struct buf *b)
{
	return (struct slice){ b->at, b->len };
}

#endif
