/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit.h: cmocka with the headers that it wants before itself. Every file in tests/unit includes it
 * first; UNIT_MAIN at its end lists the tests.
 */
#ifndef PC_TESTS_UNIT_H
#define PC_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define assert_u64(a, b) assert_int_equal((uint64_t)(a), (uint64_t)(b))
#define assert_slice(s, text)                                                                      \
	do {                                                                                       \
		struct slice got_ = (s);                                                           \
		assert_int_equal(got_.len, sizeof(text) - 1);                                      \
		assert_memory_equal(got_.at, text, sizeof(text) - 1);                              \
	} while (0)

#define UNIT_MAIN(...)                                                                             \
	int main(void)                                                                             \
	{                                                                                          \
		static const struct CMUnitTest tests[] = { __VA_ARGS__ };                          \
		return cmocka_run_group_tests(tests, NULL, NULL);                                  \
	}
#define T(function) cmocka_unit_test(function)

#endif
