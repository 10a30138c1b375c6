/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h: many small things that die together. Memory comes in blocks from a pool that keeps them
 * for the next arena, so opening and closing a transaction does not call malloc in the steady state.
 * One thread.
 */
#ifndef PC_BASE_ARENA_H
#define PC_BASE_ARENA_H

#include "base/slice.h"

struct arena_block;

/* Blocks shared by many arenas. max_bytes bounds all of them together. */
struct arena_pool {
	struct arena_block *free;
	size_t block_bytes;
	size_t used_bytes; /* handed out to arenas */
	size_t held_bytes; /* used + kept on the free list */
	size_t max_bytes;
	uint64_t refused;
};

struct arena {
	struct arena_pool *pool;
	struct arena_block *blocks;
	char *next, *end;
};

void arena_pool_init(struct arena_pool *p, size_t block_bytes, size_t max_bytes);
void arena_pool_done(struct arena_pool *p);
void arena_init(struct arena *a, struct arena_pool *p);
void arena_clear(struct arena *a); /* everything made from it is gone; blocks go to the pool */
void *arena_alloc_block(struct arena *a, size_t len); /* for arena_alloc */

/* 8-byte aligned, not cleared; NULL = bound reached. */
static inline void *arena_alloc(struct arena *a, size_t len)
{
	size_t whole = (len + 7) & ~(size_t)7;
	char *at = a->next;

	if (whole < len || !at || whole > (size_t)(a->end - at))
		return arena_alloc_block(a, len);
	a->next += whole;
	return at;
}

int arena_copy(struct arena *a, struct slice s, struct slice *ret_copy);

#endif
