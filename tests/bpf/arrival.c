/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrivals: pairs of (position, time) from sk_data_ready to the receiving call.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/arrival.h"

#define SEQ0 0xffffff00u /* wraps within the test */

static uint32_t seq(uint64_t pos)
{
	return SEQ0 + (uint32_t)pos;
}

static void arrive(struct pc_sock *s, uint64_t pos, uint64_t time_ns)
{
	if (pc_arrival_wanted(s, seq(pos)))
		pc_arrival_note(s, seq(pos), time_ns);
}

static uint32_t take(struct pc_sock *s, uint64_t pos, struct pc_arrival a[PC_ARRIVALS])
{
	unsigned n = pc_arrival_count(s, seq(pos));

	pc_arrival_take(s, seq(pos), pos, n, a);
	return n;
}

static void test_each_its_own(void **state)
{
	struct pc_sock s = { 0 };
	struct pc_arrival a[PC_ARRIVALS];

	arrive(&s, 100, 1);
	arrive(&s, 300, 2);
	arrive(&s, 300, 3); /* nothing new in order */
	assert_int_equal(take(&s, 300, a), 2);
	assert_int_equal(a[0].end_pos, 100);
	assert_int_equal(a[0].time_ns, 1);
	assert_int_equal(a[1].end_pos, 300);
	assert_int_equal(a[1].time_ns, 2);
	assert_int_equal(take(&s, 400, a), 0);
}

/* Half a burst is read: its pair is told to both calls. */
static void test_split(void **state)
{
	struct pc_sock s = { 0 };
	struct pc_arrival a[PC_ARRIVALS];

	arrive(&s, 1000, 7);
	assert_int_equal(take(&s, 400, a), 1);
	assert_int_equal(a[0].end_pos, 1000);
	arrive(&s, 1200, 8);
	assert_int_equal(take(&s, 1100, a), 2);
	assert_int_equal(a[0].time_ns, 7);
	assert_int_equal(a[1].end_pos, 1200);
	assert_int_equal(take(&s, 1200, a), 1);
	assert_int_equal(a[0].time_ns, 8);
	assert_int_equal(s.arrived_head, s.arrived_tail);
}

/* More bursts than pairs: the first are right, the rest is unobserved. */
static void test_full(void **state)
{
	struct pc_sock s = { 0 };
	struct pc_arrival a[PC_ARRIVALS];

	for (unsigned i = 1; i <= 10; i++)
		arrive(&s, i * 100, i);
	assert_int_equal(take(&s, 1000, a), PC_ARRIVALS);
	for (unsigned i = 0; i < PC_ARRIVALS; i++) {
		assert_int_equal(a[i].end_pos, (i + 1) * 100);
		assert_int_equal(a[i].time_ns, i + 1);
	}
	arrive(&s, 1100, 20);
	assert_int_equal(take(&s, 1100, a), 1);
	assert_int_equal(a[0].time_ns, 20);
}

/* Bytes of no interest take their pairs with them. */
static void test_drop(void **state)
{
	struct pc_sock s = { 0 };
	struct pc_arrival a[PC_ARRIVALS];

	arrive(&s, 100, 1);
	arrive(&s, 200, 2);
	arrive(&s, 300, 3);
	pc_arrival_drop(&s, seq(250));
	assert_int_equal(take(&s, 300, a), 1);
	assert_int_equal(a[0].time_ns, 3);
}

static void test_long_run(void **state)
{
	struct pc_sock s = { .arrived_head = 0xfffffffe, .arrived_tail = 0xfffffffe };
	struct pc_arrival a[PC_ARRIVALS];

	for (uint64_t i = 1; i < 2000; i++) {
		arrive(&s, i * 4000000, i);
		assert_int_equal(take(&s, i * 4000000, a), 1);
		assert_int_equal(a[0].end_pos, i * 4000000);
		assert_int_equal(a[0].time_ns, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_its_own), cmocka_unit_test(test_split),
		cmocka_unit_test(test_full),	     cmocka_unit_test(test_drop),
		cmocka_unit_test(test_long_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
