/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.c: bump allocation in blocks that go back to a shared pool. A request larger than a block
 * gets a block of its own, which is freed rather than pooled so that one large head does not keep
 * its memory for ever.
 */
#include "base/arena.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define ALIGN 8

struct arena_block {
	struct arena_block *next;
	size_t bytes; /* usable, after this head */
};

void arena_pool_init(struct arena_pool *p, size_t block_bytes, size_t max_bytes)
{
	*p = (struct arena_pool){
		.block_bytes = (block_bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1),
		.max_bytes = max_bytes,
	};
}

void arena_pool_done(struct arena_pool *p)
{
	assert(p->used_bytes == 0); /* an arena outlives its pool: our bug */
	while (p->free) {
		struct arena_block *b = p->free;

		p->free = b->next;
		p->held_bytes -= b->bytes;
		free(b);
	}
}

void arena_init(struct arena *a, struct arena_pool *p)
{
	*a = (struct arena){ .pool = p };
}

static void block_put(struct arena_pool *p, struct arena_block *b)
{
	p->used_bytes -= b->bytes;
	if (b->bytes == p->block_bytes) {
		b->next = p->free;
		p->free = b;
		return;
	}
	p->held_bytes -= b->bytes;
	free(b);
}

/* Makes room for a large block by giving kept small ones back. */
static void pool_trim(struct arena_pool *p, size_t need)
{
	while (p->free && p->held_bytes + need > p->max_bytes) {
		struct arena_block *b = p->free;

		p->free = b->next;
		p->held_bytes -= b->bytes;
		free(b);
	}
}

static struct arena_block *block_get(struct arena_pool *p, size_t len)
{
	size_t bytes = len > p->block_bytes ? len : p->block_bytes;
	struct arena_block *b = p->free;

	if (bytes == p->block_bytes && b) {
		p->free = b->next;
		p->used_bytes += bytes;
		return b;
	}
	if (bytes > p->max_bytes)
		goto refused;
	pool_trim(p, bytes);
	if (p->held_bytes + bytes > p->max_bytes)
		goto refused;
	b = malloc(sizeof(*b) + bytes);
	if (!b)
		goto refused;
	b->bytes = bytes;
	p->held_bytes += bytes;
	p->used_bytes += bytes;
	return b;
refused:
	p->refused++;
	return NULL;
}

void arena_clear(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *b = a->blocks;

		a->blocks = b->next;
		block_put(a->pool, b);
	}
	a->next = a->end = NULL;
}

void *arena_alloc_block(struct arena *a, size_t len)
{
	struct arena_block *b;
	char *at;

	if (len > SIZE_MAX - ALIGN - sizeof(*b))
		return NULL;
	len = (len + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	b = block_get(a->pool, len);
	if (!b)
		return NULL;
	at = (char *)(b + 1);
	if (len > a->pool->block_bytes && a->blocks) {
		/* Its own block is full at once: keep filling the current one. */
		b->next = a->blocks->next;
		a->blocks->next = b;
		return at;
	}
	b->next = a->blocks;
	a->blocks = b;
	a->next = at + len;
	a->end = at + b->bytes;
	return at;
}

int arena_copy(struct arena *a, struct slice s, struct slice *ret_copy)
{
	char *at = arena_alloc(a, s.len ? s.len : 1);

	if (!at)
		return -ENOMEM;
	if (s.len)
		memcpy(at, s.at, s.len);
	*ret_copy = slice_of(at, s.len);
	return 0;
}
