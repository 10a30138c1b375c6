/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which bytes of a call are captured: the plan, walked over vectors of every shape, against a
 * definition that asks byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/piece.h"

#define BYTES_MAX 20000

/* What the header of piece.h says, for byte `i` that lies in a vector of `vector` bytes. */
static bool wanted(uint32_t i, uint32_t vector, uint32_t total, uint32_t skip, uint32_t budget)
{
	if (i < skip)
		return false;
	return i < skip + budget || vector <= PC_SMALL || i + PC_TAIL >= total;
}

static void check_walk(const uint32_t *vectors, unsigned count, uint64_t start, uint64_t until,
		       uint32_t budget)
{
	static bool taken[BYTES_MAX];
	uint32_t total = 0, at = 0, skip;
	struct pc_walk w;
	unsigned next = 0;

	for (unsigned i = 0; i < count; i++)
		total += vectors[i];
	memset(taken, 0, sizeof(taken));
	pc_walk_begin(&w, total, start, until, budget);
	while (w.done < w.total) {
		struct pc_plan p;

		if (!w.left) {
			assert_true(next < count);
			w.left = w.vector = vectors[next++];
			continue;
		}
		pc_plan_next(&w, &p);
		assert_true((p.copy == 0) != (p.hole == 0)); /* always on, one or the other */
		assert_true(p.copy + p.hole <= w.left);
		memset(taken + w.done, p.copy > 0, p.copy + p.hole);
		w.done += p.copy + p.hole;
		w.left -= p.copy + p.hole;
	}
	skip = until > start ? (until - start < total ? (uint32_t)(until - start) : total) : 0;
	for (unsigned v = 0; v < count; v++)
		for (uint32_t i = 0; i < vectors[v]; i++, at++)
			assert_int_equal(taken[at], wanted(at, vectors[v], total, skip, budget));
}

/* One vector, every length around every bound. */
static void test_boundaries(void **state)
{
	static const uint32_t edges[] = {
		1,    PC_SMALL - 1, PC_SMALL, PC_SMALL + 1, 2 * PC_TAIL,
		1000, PC_PIECE - 1, PC_PIECE, PC_PIECE + 1, 3 * PC_PIECE
	};
	static const uint32_t budgets[] = { 0, 1, 63, 64, 65, 999, 4095, 4096, 4097, 65536 };

	for (unsigned e = 0; e < 10; e++)
		for (unsigned b = 0; b < 10; b++)
			for (uint64_t until = 0; until <= edges[e] + 2;
			     until += 1 + until / 3 + (until > 70) * 501)
				check_walk(&edges[e], 1, 0, until, budgets[b]);
}

static void test_until(void **state)
{
	const uint32_t v[] = { 300, 5000, 10 };

	check_walk(v, 3, 1ull << 40, 0, 100);
	check_walk(v, 3, 1ull << 40, (1ull << 40) + 299, 100);
	check_walk(v, 3, 1ull << 40, (1ull << 40) + 300, 100);
	check_walk(v, 3, 1ull << 40, (1ull << 40) + 5310, 100);
	check_walk(v, 3, 1ull << 40, PC_NEVER, 100);
}

/* A chunked body as servers write it: size line, data, end of line, … , last chunk. */
static void test_chunks(void **state)
{
	const uint32_t v[] = { 180, 6, 4096, 2, 6, 8000, 2, 5 };
	struct pc_walk w;
	struct pc_plan p;

	check_walk(v, 8, 0, 0, 180);
	check_walk(v, 8, 0, 0, 65536);
	pc_walk_begin(&w, 12297, 0, 0, 180);
	w.done = 180;
	w.left = w.vector = 6;
	pc_plan_next(&w, &p);
	assert_int_equal(p.copy, 6); /* the chunk-size line, beyond the budget */
	w.done = 186;
	w.left = w.vector = 4096;
	pc_plan_next(&w, &p);
	assert_int_equal(p.hole, 4096);
}

static void test_random(void **state)
{
	srand(1);
	for (int i = 0; i < 3000; i++) {
		uint32_t v[12];
		unsigned n = 1 + rand() % 12;

		for (unsigned k = 0; k < n; k++)
			v[k] = rand() % 3 ? rand() % 130 : rand() % 1600;
		if (v[0] == 0)
			v[0] = 1;
		check_walk(v, n, 5000, 4900 + rand() % 3000, rand() % 2000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boundaries),
		cmocka_unit_test(test_until),
		cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
