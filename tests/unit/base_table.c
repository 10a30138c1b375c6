/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_table.c: look-up, bound, order of use, and a long random run against a plain array.
 */
#include "unit.h"

#include <stdlib.h>

#include "base/table.h"

struct thing {
	uint64_t key;
	uint64_t value;
};

static void bound_and_order(void **state)
{
	struct table *t;
	struct thing *a, *b;
	bool new;

	assert_int_equal(table_new(sizeof(struct thing), 8, 3, &t), 0);
	for (uint64_t k = 1; k <= 3; k++)
		((struct thing *)table_add(t, &k, &new))->value = k * 10;
	assert_null(table_add(t, &(uint64_t){ 4 }, &new));
	a = table_add(t, &(uint64_t){ 2 }, &new);
	assert_false(new);
	assert_u64(a->value, 20);
	a = table_oldest(t);
	assert_u64(a->key, 1);
	table_touch(t, a);
	assert_u64(((struct thing *)table_oldest(t))->key, 2);
	b = table_newer(t, table_oldest(t));
	assert_u64(b->key, 3);
	assert_ptr_equal(table_newer(t, b), a);
	assert_null(table_newer(t, a));
	table_remove(t, b);
	assert_null(table_find(t, &(uint64_t){ 3 }));
	b = table_add(t, &(uint64_t){ 4 }, &new);
	assert_true(new);
	assert_u64(b->value, 0); /* a reused entry is cleared */
	assert_int_equal(table_count(t), 3);
	table_free(t);
	table_free(NULL);
}

static void refuses_nonsense(void **state)
{
	struct table *t;

	assert_int_not_equal(table_new(8, 16, 3, &t), 0);
	assert_int_not_equal(table_new(8, 0, 3, &t), 0);
	assert_int_not_equal(table_new(8, 8, 0, &t), 0);
}

#define KEYS 3000

/* Adds, finds, removes and touches at random; key of 20 bytes takes the other hash. */
static void random_against_array(void **state)
{
	struct wide {
		char key[20];
		uint32_t number;
	};
	static struct wide *at[KEYS];
	struct table *t;
	uint32_t count = 0;

	srandom(1);
	assert_int_equal(table_new(sizeof(struct wide), 20, KEYS, &t), 0);
	for (int step = 0; step < 200000; step++) {
		uint32_t n = (uint32_t)random() % KEYS;
		char key[20] = { 0 };
		struct wide *w;
		bool new;

		memcpy(key, &n, sizeof(n));
		w = table_find(t, key);
		assert_ptr_equal(w, at[n]); /* never moves */
		switch (random() % 4) {
		case 0:
		case 1:
			w = table_add(t, key, &new);
			assert_non_null(w);
			assert_int_equal(new, !at[n]);
			count += new;
			w->number = n;
			at[n] = w;
			break;
		case 2:
			if (!w)
				break;
			table_remove(t, w);
			at[n] = NULL;
			count--;
			break;
		case 3:
			if (w)
				table_touch(t, w);
		}
		assert_int_equal(table_count(t), count);
	}
	for (struct wide *w = table_oldest(t); w; w = table_newer(t, w)) {
		assert_ptr_equal(at[w->number], w);
		count--;
	}
	assert_int_equal(count, 0);
	table_free(t);
}

UNIT_MAIN(T(bound_and_order), T(refuses_nonsense), T(random_against_array))
