/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does this segment acknowledge the write that is waited for? Also across the wrap-around of sequence
 * numbers, for what was acknowledged before anybody asked, and for forgeries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/sent.h"

static void acknowledgements(void **state)
{
	static const uint32_t bases[] = { 0, 1000, 0x7ffffff0, 0xfffffff0 };

	for (unsigned i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		uint32_t una = bases[i], end = una + 100, nxt = una + 120;

		assert_int_equal(pc_ack_of(end, una, una, nxt), PC_ACK_NOT_YET);
		assert_int_equal(pc_ack_of(end, end - 1, una, nxt), PC_ACK_NOT_YET);
		assert_int_equal(pc_ack_of(end, end, una, nxt), PC_ACK_NOW);
		assert_int_equal(pc_ack_of(end, nxt, una, nxt), PC_ACK_NOW);
		assert_int_equal(pc_ack_of(end, nxt + 1, una, nxt), PC_ACK_NOT_YET); /* forged */
		assert_int_equal(pc_ack_of(end, una - 5, una, nxt), PC_ACK_NOT_YET); /* old */
		assert_int_equal(pc_ack_of(end, nxt, end, nxt), PC_ACK_BEFORE);
		assert_int_equal(pc_ack_of(end, nxt, end - 1, nxt), PC_ACK_NOW);
	}
}

static void distance(void **state)
{
	assert_false(pc_is_far(0));
	assert_false(pc_is_far(PC_FAR_US - 1));
	assert_true(pc_is_far(PC_FAR_US));
	assert_false(pc_is_far(~0u)); /* no sample yet */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acknowledgements),
		cmocka_unit_test(distance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
