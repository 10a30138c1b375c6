/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners: when a queue that stands still is news, and which address a listener had: lib/door.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/door.h"

static void test_a_queue_that_moves_is_no_news(void **state)
{
	struct pc_door d = { 0 };

	assert_false(pc_door_waits(&d, 0, 1));
	assert_false(pc_door_waits(&d, 7, 2)); /* somebody waits: perhaps not for long */
	assert_false(pc_door_waits(&d, 8, 3));
	assert_false(pc_door_waits(&d, 0, 4));
	assert_int_equal(d.still, 0);
}

static void test_a_queue_that_stands_is_told_now_and_then(void **state)
{
	struct pc_door d = { 0 };
	unsigned told = 0;

	assert_false(pc_door_waits(&d, 7, 10));
	assert_true(pc_door_waits(&d, 7, 11));
	assert_int_equal(d.still_ns, 10);
	for (unsigned i = 0; i < 10 * PC_STILL_LOOKS; i++)
		told += pc_door_waits(&d, 7, 12 + i);
	assert_int_equal(told, 10);
	assert_int_equal(d.still_ns, 10);
	/* that it moves again is told once */
	assert_true(pc_door_waits(&d, 0, 500));
	assert_int_equal(d.still, 0);
	assert_false(pc_door_waits(&d, 0, 501));
}

static void test_another_first_after_a_stand(void **state)
{
	struct pc_door d = { 0 };

	pc_door_waits(&d, 7, 1);
	assert_true(pc_door_waits(&d, 7, 2));
	assert_true(pc_door_waits(&d, 9, 3));
	assert_int_equal(d.still_ns, 3);
	assert_true(pc_door_waits(&d, 9, 4));
	assert_int_equal(d.still_ns, 3);
}

static const uint8_t any4[16] = { [10] = 0xff, [11] = 0xff }, any6[16],
		     own4[16] = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 },
		     other4[16] = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2 },
		     own6[16] = { 0x20, 1, [15] = 1 }, other6[16] = { 0x20, 1, [15] = 2 };

static void test_addresses(void **state)
{
	assert_true(pc_addr_covers(own4, own4));
	assert_false(pc_addr_covers(own4, other4));
	assert_true(pc_addr_covers(any4, own4));
	assert_false(pc_addr_covers(any4, own6));
	assert_true(pc_addr_covers(own6, own6));
	assert_false(pc_addr_covers(own6, other6));
	assert_false(pc_addr_covers(own6, own4));
	assert_true(pc_addr_covers(any6, own6));
	assert_true(pc_addr_covers(any6, own4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_queue_that_moves_is_no_news),
		cmocka_unit_test(test_a_queue_that_stands_is_told_now_and_then),
		cmocka_unit_test(test_another_first_after_a_stand),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
