/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_buf.c: growth, bounds and failure of buf and arena.
 */
#include "unit.h"

#include <errno.h>

#include "base/arena.h"
#include "base/buf.h"

static void grows_to_max(void **state)
{
	struct buf b;

	buf_init(&b, 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_add_byte(&b, (char)i), 0);
	assert_int_equal(buf_add_byte(&b, 'x'), -ENOBUFS);
	assert_true(b.failed);
	assert_int_equal(b.len, 1000);
	assert_true(b.room <= 1000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(b.at[i], (char)i);
	buf_clear(&b);
	assert_false(b.failed);
	buf_shrink(&b, 100);
	assert_int_equal(b.room, 100);
	buf_shrink(&b, 0);
	assert_null(b.at);
	buf_done(&b);
}

static void nothing_written_on_error(void **state)
{
	struct buf b;

	buf_init(&b, 8);
	assert_int_equal(buf_add(&b, SLICE("12345")), 0);
	assert_int_equal(buf_add(&b, SLICE("6789")), -ENOBUFS);
	assert_int_equal(buf_addf(&b, "%s", "6789"), -ENOBUFS);
	assert_int_equal(buf_add_hex(&b, "ab", 2), -ENOBUFS);
	assert_int_equal(buf_reserve(&b, SIZE_MAX), -ENOBUFS);
	assert_slice(buf_slice(&b), "12345");
	buf_done(&b);
}

static void writers(void **state)
{
	struct buf b;
	char big[600];

	buf_init(&b, 1 << 20);
	buf_add_u64(&b, 0);
	buf_add_byte(&b, ' ');
	buf_add_u64(&b, UINT64_MAX);
	buf_add_str(&b, " ");
	buf_add_hex(&b, "\x00\xfe", 2);
	assert_int_equal(buf_addf(&b, " %d-%s", -5, "x"), 0);
	assert_slice(buf_slice(&b), "0 18446744073709551615 00fe -5-x");
	buf_consume(&b, 2);
	assert_true(slice_starts(buf_slice(&b), SLICE("1844")));
	buf_consume(&b, 1000);
	assert_int_equal(b.len, 0);

	memset(big, 'y', sizeof(big));
	assert_int_equal(buf_addf(&b, "%.*s!", (int)sizeof(big), big), 0);
	assert_int_equal(b.len, sizeof(big) + 1);
	assert_int_equal(b.at[sizeof(big)], '!');
	buf_done(&b);
}

static void arena_bound_and_reuse(void **state)
{
	struct arena_pool p;
	struct arena a, other;
	struct slice copy;
	void *first;

	arena_pool_init(&p, 1000, 4000);
	arena_init(&a, &p);
	arena_init(&other, &p);
	first = arena_alloc(&a, 1);
	assert_non_null(first);
	for (int i = 0; i < 30; i++) {
		char *at = arena_alloc(&a, 100);

		assert_non_null(at);
		assert_int_equal((uintptr_t)at % 8, 0);
		memset(at, i, 100);
	}
	assert_int_equal(p.used_bytes, 4000);
	assert_null(arena_alloc(&other, 1));
	assert_int_equal(p.refused, 1);
	arena_clear(&a);
	assert_int_equal(p.used_bytes, 0);
	assert_int_equal(p.held_bytes, 4000);
	/* A large one pushes out kept small ones and is given back at once. */
	assert_non_null(arena_alloc(&other, 3500));
	assert_int_equal(p.used_bytes, 3504);
	assert_true(p.held_bytes <= p.max_bytes);
	assert_null(arena_alloc(&a, 5000));
	assert_null(arena_alloc(&a, SIZE_MAX - 3));
	arena_clear(&other);
	assert_int_equal(arena_copy(&a, SLICE("hello"), &copy), 0);
	assert_slice(copy, "hello");
	assert_int_equal(arena_copy(&a, slice_of(NULL, 0), &copy), 0);
	assert_int_equal(copy.len, 0);
	arena_clear(&a);
	arena_pool_done(&p);
	assert_int_equal(p.held_bytes, 0);
}

static void arena_large_keeps_filling(void **state)
{
	struct arena_pool p;
	struct arena a;
	char *small, *large, *next;

	arena_pool_init(&p, 256, 1 << 20);
	arena_init(&a, &p);
	small = arena_alloc(&a, 8);
	large = arena_alloc(&a, 5000);
	next = arena_alloc(&a, 8);
	assert_ptr_equal(next, small + 8);
	memset(large, 1, 5000);
	arena_clear(&a);
	arena_pool_done(&p);
}

UNIT_MAIN(T(grows_to_max), T(nothing_written_on_error), T(writers), T(arena_bound_and_reuse),
	  T(arena_large_keeps_filling))
