/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool.c: see pool.h. Sizes are rounded up to one of four classes a doubling, so at most a quarter is
 * wasted and a piece fits the next body whose decoder wants about as much. Pieces that nobody uses make
 * way, the largest first, when another size is asked for at the bound.
 */
#include "txn/body/pool.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#define SMALLEST_SHIFT 8

struct pool_piece {
	union {
		struct pool_piece *next; /* free */
		size_t size_class;	 /* handed out */
	};
	size_t align; /* what follows begins at 16 octets, as malloc's does */
};

static size_t class_bytes(size_t size_class)
{
	return (4 + size_class % 4) << (size_class / 4 + SMALLEST_SHIFT - 2);
}

/* The smallest size_class that holds so much; POOL_CLASSES: none does. */
static size_t class_of(size_t bytes)
{
	size_t size_class = 0;

	if (bytes > class_bytes(POOL_CLASSES - 1))
		return POOL_CLASSES;
	if (bytes > class_bytes(0))
		size_class = 4 * (size_t)(63 - __builtin_clzll(bytes - 1) - SMALLEST_SHIFT);
	while (class_bytes(size_class) < bytes)
		size_class++;
	return size_class;
}

void coder_pool_init(struct coder_pool *p, size_t max_bytes)
{
	*p = (struct coder_pool){ .max_bytes = max_bytes };
}

/* Gives the largest piece that is not in use back to the system; false: there is none. */
static bool pool_trim(struct coder_pool *p)
{
	for (size_t size_class = POOL_CLASSES; size_class-- > 0;) {
		struct pool_piece *piece = p->free[size_class];

		if (!piece)
			continue;
		p->free[size_class] = piece->next;
		p->held_bytes -= class_bytes(size_class);
		free(piece);
		return true;
	}
	return false;
}

void coder_pool_done(struct coder_pool *p)
{
	assert(!p->used_bytes); /* a decoder outlives its pool: our bug */
	while (pool_trim(p))
		;
}

/* From those that are kept, else made; NULL: at the bound. */
static struct pool_piece *piece_get(struct coder_pool *p, size_t size_class)
{
	struct pool_piece *piece = p->free[size_class];

	if (piece) {
		p->free[size_class] = piece->next;
		return piece;
	}
	while (p->held_bytes + class_bytes(size_class) > p->max_bytes)
		if (!pool_trim(p))
			return NULL;
	piece = malloc(sizeof(*piece) + class_bytes(size_class));
	if (piece)
		p->held_bytes += class_bytes(size_class);
	return piece;
}

void *coder_pool_take(struct coder_pool *p, size_t bytes)
{
	size_t size_class = class_of(bytes);
	struct pool_piece *piece = size_class < POOL_CLASSES ? piece_get(p, size_class) : NULL;

	if (!piece) {
		p->refused++;
		return NULL;
	}
	p->used_bytes += class_bytes(size_class);
	piece->size_class = size_class;
	return piece + 1;
}

void coder_pool_give(struct coder_pool *p, void *at)
{
	struct pool_piece *piece;
	size_t size_class;

	if (!at)
		return;
	piece = (struct pool_piece *)at - 1;
	size_class = piece->size_class;
	p->used_bytes -= class_bytes(size_class);
	piece->next = p->free[size_class];
	p->free[size_class] = piece;
}
