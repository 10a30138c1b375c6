/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.h: memory of decoders. They ask for a few large pieces when a body opens and give them back when
 * it ends; the pieces are kept by size for the next body, all together within one bound. Whoever asks
 * beyond it gets NULL, counted: a stranger's window of 16 MiB must not be had by every connection.
 */
#ifndef PC_TXN_BODY_POOL_H
#define PC_TXN_BODY_POOL_H

#include <stddef.h>
#include <stdint.h>

#define POOL_CLASSES 72 /* four a doubling, from 256 octets to 56 MiB */

struct pool_piece;

struct coder_pool {
	struct pool_piece *free[POOL_CLASSES];
	size_t used_bytes; /* handed out */
	size_t held_bytes; /* used + kept */
	size_t max_bytes;
	uint64_t refused;
};

void coder_pool_init(struct coder_pool *p, size_t max_bytes);
void coder_pool_done(struct coder_pool *p); /* all must be back */
/* 16-byte aligned, not cleared. */
void *coder_pool_take(struct coder_pool *p, size_t bytes);
void coder_pool_give(struct coder_pool *p, void *at); /* NULL is fine */

#endif
