/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_table.c: look-up, bound, order of use, other keys, places, and a long random run against a plain array.
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

/* A place names an entry as long as it lives, wherever it stands in the order; 0 names none. */
static void places(void **state)
{
	struct table *t;
	struct thing *at[4];
	bool new;

	assert_int_equal(table_new(sizeof(struct thing), 8, 4, &t), 0);
	assert_null(table_at(t, 0));
	for (uint64_t k = 0; k < 4; k++)
		at[k] = table_add(t, &k, &new);
	table_touch(t, at[0]);
	table_remove(t, at[2]);
	at[2] = table_add(t, &(uint64_t){ 7 }, &new);
	table_touch(t, at[1]);
	for (unsigned i = 0; i < 4; i++) {
		uint32_t place = table_place(t, at[i]);

		assert_int_not_equal(place, 0);
		assert_ptr_equal(table_at(t, place), at[i]);
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal(place, table_place(t, at[j]));
	}
	table_free(t);
}

/* Under its new key it is the same entry, in the same order; of two with one key each can be removed. */
static void another_key(void **state)
{
	struct table *t;
	struct thing *at[3];
	uint64_t two = 2;
	bool new;

	assert_int_equal(table_new(sizeof(struct thing), 8, 3, &t), 0);
	for (uint64_t k = 0; k < 3; k++) {
		at[k] = table_add(t, &k, &new);
		at[k]->value = 10 + k;
	}
	table_rekey(t, at[0], &(uint64_t){ 9 });
	assert_null(table_find(t, &(uint64_t){ 0 }));
	assert_ptr_equal(table_find(t, &(uint64_t){ 9 }), at[0]);
	assert_ptr_equal(table_oldest(t), at[0]);
	assert_u64(at[0]->value, 10);
	table_rekey(t, at[0], &two);
	assert_non_null(table_find(t, &two));
	table_remove(t, at[2]);
	assert_ptr_equal(table_find(t, &two), at[0]);
	table_rekey(t, at[1], &two);
	table_remove(t, at[0]);
	assert_ptr_equal(table_find(t, &two), at[1]);
	assert_int_equal(table_count(t), 1);
	table_rekey(t, at[1], &two); /* the one that it has */
	assert_ptr_equal(table_find(t, &two), at[1]);
	table_free(t);
}

/* 8 octets beside an entry, and from 5/4 to 5/2 slots of 8 for it. */
static void little_beside_the_entries(void **state)
{
	struct table *t;
	size_t none;
	bool new;

	assert_int_equal(table_new(24, 8, 100000, &t), 0);
	none = table_bytes(t);
	assert_true(none < 4096);
	for (uint64_t k = 0; k < 100000; k++)
		assert_non_null(table_add(t, &k, &new));
	assert_true(table_bytes(t) > (24 + 8 + 10) * 100000);
	assert_true(table_bytes(t) < (24 + 8 + 20 + 1) * 100000);
	table_free(t);
}

#define KEYS 3000

struct run {
	struct table *t;
	char *at[KEYS]; /* the entry of each key; NULL: not there */
	size_t key_bytes;
	uint32_t count;
};

/* Little endian, the rest from a few values, so that keys differ in one word only. */
static void make_key(const struct run *r, uint32_t n, char key[32])
{
	uint32_t last = n / 2;

	memset(key, (int)(n % 2), 32);
	memcpy(key + r->key_bytes - sizeof(last), &last, sizeof(last));
	if (r->key_bytes == sizeof(n))
		memcpy(key, &n, sizeof(n));
}

/* One that nothing has. */
static void give_another_key(struct run *r, uint32_t n, char *w)
{
	uint32_t to = (uint32_t)random() % KEYS;
	char key[32];

	if (!w || r->at[to])
		return;
	make_key(r, to, key);
	table_rekey(r->t, w, key);
	assert_ptr_equal(table_at(r->t, table_place(r->t, w)), w);
	memcpy(w + r->key_bytes, &to, sizeof(to));
	r->at[to] = w;
	r->at[n] = NULL;
}

static void step(struct run *r)
{
	uint32_t n = (uint32_t)random() % KEYS;
	char key[32], *w;
	bool new;

	make_key(r, n, key);
	w = table_find(r->t, key);
	assert_ptr_equal(w, r->at[n]); /* never moves */
	switch (random() % 5) {
	case 0:
	case 1:
		w = table_add(r->t, key, &new);
		assert_non_null(w);
		assert_int_equal(new, !r->at[n]);
		r->count += new;
		memcpy(w + r->key_bytes, &n, sizeof(n));
		r->at[n] = w;
		break;
	case 2:
		if (!w)
			break;
		table_remove(r->t, w);
		r->at[n] = NULL;
		r->count--;
		break;
	case 3:
		if (w)
			table_touch(r->t, w);
		break;
	case 4:
		give_another_key(r, n, w);
	}
	assert_int_equal(table_count(r->t), r->count);
}

/* Adds, finds, removes and touches at random, with each way to hash and compare a key. */
static void random_against_array(void **state)
{
	static const size_t sizes[] = { 4, 8, 16, 20, 32 };

	srandom(1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		static struct run r;

		r = (struct run){ .key_bytes = sizes[i] };
		assert_int_equal(table_new(sizes[i] + sizeof(uint32_t), sizes[i], KEYS, &r.t), 0);
		for (int n = 0; n < 100000; n++)
			step(&r);
		for (char *w = table_oldest(r.t); w; w = table_newer(r.t, w), r.count--) {
			uint32_t n;

			memcpy(&n, w + sizes[i], sizeof(n));
			assert_ptr_equal(r.at[n], w);
		}
		assert_int_equal(r.count, 0);
		table_free(r.t);
	}
}

/* An id that counts up, in one word of a key whose other word is the same: no long runs of slots. */
static void spreads(void **state)
{
	for (size_t word = 0; word < 2; word++) {
		uint64_t key[2] = { 7, 7 };
		struct table *t;
		bool new;

		assert_int_equal(table_new(16, 16, 1 << 20, &t), 0);
		for (uint64_t i = 0; i < 1 << 20; i++) {
			key[word] = i << 32 |
				    i; /* quadratic, and the test would not end, if it did not */
			assert_non_null(table_add(t, key, &new));
			assert_true(new);
		}
		table_free(t);
	}
}

UNIT_MAIN(T(bound_and_order), T(refuses_nonsense), T(places), T(another_key),
	  T(little_beside_the_entries), T(random_against_array), T(spreads))
