/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_hist.c: every value lies in its bucket's bounds, at every scale that was reached; sums hold.
 */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/hist.h"

static uint64_t total(const struct hist *h)
{
	uint64_t n = h->zero_count;

	for (uint32_t i = 0; i < h->used; i++)
		n += h->bucket[i];
	return n;
}

/* Upper bound of bucket `at`: 2^((at+1)/2^scale). */
static long double upper(const struct hist *h, long at)
{
	return powl(2, (long double)(at + 1) * powl(2, -(long double)h->scale));
}

static void one_value(double v)
{
	struct hist h;

	hist_init(&h);
	hist_add(&h, v);
	assert_int_equal(h.used, 1);
	assert_true((long double)v <= upper(&h, h.offset) * (1 + 1e-15L));
	assert_true((long double)v > upper(&h, h.offset - 1) * (1 - 1e-15L));
}

static void bounds(void **state)
{
	one_value(1);
	one_value(2);
	one_value(0.5);
	one_value(nextafter(2, 0));
	one_value(nextafter(2, 3));
	one_value(3.7e-9);
	srandom(3);
	for (int i = 0; i < 5000; i++)
		one_value(exp((double)random() / RAND_MAX * 60 - 30));
}

/* Powers of two are upper bounds, inclusive: at any scale they fall in bucket n * 2^scale - 1. */
static void powers_of_two(void **state)
{
	struct hist h;

	for (int n = -20; n <= 20; n++) {
		hist_init(&h);
		hist_add(&h, ldexp(1, n));
		assert_int_equal(h.offset, n * 256 - 1);
	}
}

static void scale_drops(void **state)
{
	struct hist h;
	double values[3000];

	srandom(5);
	hist_init(&h);
	for (int i = 0; i < 3000; i++) {
		values[i] = exp((double)random() / RAND_MAX * (i / 30.0) - i / 60.0);
		hist_add(&h, values[i]);
		assert_u64(total(&h), h.count);
		assert_true(h.used <= HIST_BUCKETS);
	}
	assert_true(h.scale < HIST_SCALE);
	/* Recount from the values at the final scale. */
	for (uint32_t b = 0; b < h.used; b++) {
		uint64_t n = 0;

		for (int i = 0; i < 3000; i++)
			n += (long double)values[i] > upper(&h, h.offset + (long)b - 1) &&
			     (long double)values[i] <= upper(&h, h.offset + (long)b);
		assert_u64(h.bucket[b], n);
	}
}

static void extremes(void **state)
{
	struct hist h;

	hist_init(&h);
	hist_add(&h, 0);
	hist_add(&h, DBL_MAX);
	hist_add(&h, DBL_TRUE_MIN);
	hist_add(&h, 1);
	assert_u64(h.count, 4);
	assert_u64(h.zero_count, 1);
	assert_u64(total(&h), 4);
	assert_true(h.min == 0 && h.max == DBL_MAX);
}

static void merge_is_addition(void **state)
{
	struct hist all, a, b, empty;

	srandom(9);
	hist_init(&all);
	hist_init(&a);
	hist_init(&b);
	hist_init(&empty);
	for (int i = 0; i < 4000; i++) {
		double v = i % 3 ? exp((double)random() / RAND_MAX * 3)
				 : exp((double)random() / RAND_MAX * 20 - 15);

		hist_add(&all, v);
		hist_add(i % 3 ? &a : &b, v);
	}
	hist_merge(&a, &empty);
	hist_merge(&a, &b);
	hist_merge(&empty, &a);
	assert_u64(a.count, all.count);
	assert_int_equal(a.scale, all.scale);
	assert_true(a.min == all.min && a.max == all.max);
	for (uint32_t i = 0; i < all.used; i++) {
		assert_u64(all.bucket[i], a.bucket[all.offset + (int32_t)i - a.offset]);
		assert_u64(all.bucket[i], empty.bucket[all.offset + (int32_t)i - empty.offset]);
	}
}

UNIT_MAIN(T(bounds), T(powers_of_two), T(scale_drops), T(extremes), T(merge_is_addition))
