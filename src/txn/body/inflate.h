/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate.h: content codings off, as a stream (RFC 9110 section 8.4.1): gzip (RFC 1952, any number of
 * members), deflate (zlib's form, or none around it, as browsers take both), br (RFC 7932), zstd (RFC 8878,
 * windows up to 8 MiB). Two of them on top of each other at most. What comes out is in pieces of at most
 * INFLATE_PIECE octets that live during the call of `out`.
 */
#ifndef PC_TXN_BODY_INFLATE_H
#define PC_TXN_BODY_INFLATE_H

#include "base/slice.h"
#include "txn/body/pool.h"

#define INFLATE_CHAIN 2
#define INFLATE_PIECE 32768
#define INFLATE_GRACE 65536 /* octets that may come out whatever the ratio is */

enum coding { CODING_GZIP, CODING_DEFLATE, CODING_BROTLI, CODING_ZSTD, CODINGS };

struct inflate_limits {
	uint64_t output_bytes; /* of each coding */
	uint32_t ratio;	       /* of each coding */
};

/* Where pieces are made: one for all bodies, used only during inflate_push. */
struct inflate_room {
	char piece[INFLATE_CHAIN][INFLATE_PIECE];
};

struct inflate_stage {
	enum coding coding;
	void *state;
	bool begun, ended, after; /* ended: whole; after: something stood behind it */
	uint8_t head[2]; /* deflate: its first octets, until it is known which form it is */
	uint8_t head_len;
	uint64_t in_bytes, out_bytes;
};

struct inflate {
	struct coder_pool *pool;
	struct inflate_room *room;
	struct inflate_limits limits;
	struct inflate_stage stage[INFLATE_CHAIN]; /* in the order of decoding */
	unsigned count;
	bool (*out)(void *ctx, struct slice piece); /* false: no more is wanted */
	void *ctx;
};

/* The codings of a field value, first applied first; "identity" is none. How many, or -ENOTSUP: a name
 * that is none of ours, -E2BIG: more than INFLATE_CHAIN. */
int inflate_codings(struct slice content_encoding, enum coding ret[INFLATE_CHAIN]);
/* -ENOMEM: the pool is at its bound; nothing needs closing then. */
int inflate_open(struct inflate *f, struct coder_pool *pool, struct inflate_room *room,
		 const struct inflate_limits *limits, const enum coding *list, unsigned count,
		 bool (*out)(void *ctx, struct slice piece), void *ctx);
/* 0; -EBADMSG: not of that coding, or damaged; -EFBIG: output_bytes, all of them came out; -EOVERFLOW:
 * ratio; -ENOMEM: pool; -ECANCELED: out returned false. Nothing may be pushed after an error. */
int inflate_push(struct inflate *f, struct slice in);
/* Whole so far, each coding at its end. */
bool inflate_is_whole(const struct inflate *f);
/* Something stood behind the end of a coding; it was left out. */
bool inflate_has_after(const struct inflate *f);
void inflate_close(struct inflate *f);

#endif
