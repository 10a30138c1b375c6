/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope, processes' two bits, ports by role, ends and resets: the decisions of lib/scope.h.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/scope.h"

static void test_process_bits(void **state)
{
	static const uint32_t pids[] = { 0, 1, 31, 32, 33, 32767, PC_PIDS - 1 };

	for (unsigned i = 0; i < 7; i++) {
		assert_true(pc_proc_word(pids[i]) < PC_PIDS / 32);
		for (uint64_t st = 0; st < 4; st++) {
			uint64_t word = st << pc_proc_shift(pids[i]);

			assert_int_equal(pc_proc_get(word, pids[i]), st);
			assert_int_equal(pc_proc_get(~word, pids[i]), 3 - st);
		}
	}
	assert_int_not_equal(pc_proc_shift(5), pc_proc_shift(6));
}

static void test_exec(void **state)
{
	const uint32_t pid = PC_SCOPE_BY_PROCESS, exe = pid | PC_SCOPE_EXEC_ASKS;

	for (unsigned serves = 0; serves < 2; serves++) {
		assert_int_equal(pc_proc_after_exec(PC_SCOPE_NO, exe, serves), PC_SCOPE_UNKNOWN);
		assert_int_equal(pc_proc_after_exec(PC_SCOPE_YES, exe, serves), PC_SCOPE_UNKNOWN);
		assert_int_equal(pc_proc_after_exec(PC_SCOPE_PINNED, exe, serves), PC_SCOPE_PINNED);
		assert_int_equal(pc_proc_after_exec(PC_SCOPE_NO, pid, serves), PC_SCOPE_NO);
		assert_int_equal(pc_proc_after_exec(PC_SCOPE_YES, pid, serves), PC_SCOPE_YES);
	}
}

/* sshd's shell is not watched, a server that replaces itself or was given its listener is. */
static void test_exec_of_listener(void **state)
{
	const uint32_t listener = PC_SCOPE_BY_LISTENER;

	assert_int_equal(pc_proc_after_exec(PC_SCOPE_YES, listener, false), PC_SCOPE_NO);
	assert_int_equal(pc_proc_after_exec(PC_SCOPE_NO, listener, false), PC_SCOPE_NO);
	assert_int_equal(pc_proc_after_exec(PC_SERVES, listener, false), PC_SCOPE_NO);
	assert_int_equal(pc_proc_after_exec(PC_SERVES, listener, true), PC_SERVES);
	assert_int_equal(pc_proc_after_exec(PC_SCOPE_NO, listener, true), PC_SERVES);
	assert_int_equal(pc_decide(listener, PC_SERVES, false, false), PC_SCOPE_YES);
}

static void test_use_serves(void **state)
{
	assert_true(pc_use_serves(PC_SCOPE_BY_LISTENER, PC_S_PASSIVE | PC_S_ANCHORED));
	assert_true(pc_use_serves(PC_SCOPE_BY_LISTENER, PC_S_LISTENER));
	assert_false(pc_use_serves(PC_SCOPE_BY_LISTENER, PC_S_ACTIVE | PC_S_ANCHORED));
	assert_false(pc_use_serves(PC_SCOPE_BY_LISTENER, 0));
	assert_false(pc_use_serves(PC_SCOPE_BY_PROCESS, PC_S_PASSIVE));
	assert_false(pc_use_serves(PC_SCOPE_BY_PORT, PC_S_LISTENER));
}

static void test_ports(void **state)
{
	assert_true(pc_port_matches(PC_S_PASSIVE, true, false));
	assert_false(pc_port_matches(PC_S_PASSIVE, false, true));
	assert_true(pc_port_matches(PC_S_LISTENER, true, false));
	assert_true(pc_port_matches(PC_S_ACTIVE, false, true));
	assert_false(pc_port_matches(PC_S_ACTIVE, true, false));
	assert_true(pc_port_matches(0, true, false));
	assert_true(pc_port_matches(0, false, true));
	assert_false(pc_port_matches(0, false, false));
}

static void test_decide(void **state)
{
	const uint32_t p = PC_SCOPE_BY_PROCESS, o = PC_SCOPE_BY_PORT, g = PC_SCOPE_BY_CGROUP;

	assert_int_equal(pc_decide(0, PC_SCOPE_YES, true, true), PC_SCOPE_NO);
	assert_int_equal(pc_decide(o, PC_SCOPE_NO, true, true), PC_SCOPE_YES);
	assert_int_equal(pc_decide(o, PC_SCOPE_YES, false, true), PC_SCOPE_NO);
	assert_int_equal(pc_decide(g, PC_SCOPE_NO, false, true), PC_SCOPE_YES);
	assert_int_equal(pc_decide(g, PC_SCOPE_NO, true, false), PC_SCOPE_NO);
	assert_int_equal(pc_decide(p, PC_SCOPE_UNKNOWN, false, false), PC_SCOPE_UNKNOWN);
	assert_int_equal(pc_decide(p, PC_SCOPE_PINNED, false, false), PC_SCOPE_YES);
	assert_int_equal(pc_decide(p | o | g, PC_SCOPE_YES, true, true), PC_SCOPE_YES);
	assert_int_equal(pc_decide(p | o | g, PC_SCOPE_UNKNOWN, true, true), PC_SCOPE_UNKNOWN);
	assert_int_equal(pc_decide(p | o | g, PC_SCOPE_YES, true, false), PC_SCOPE_NO);
	assert_int_equal(pc_decide(PC_SCOPE_BY_LISTENER, PC_SCOPE_YES, false, false), PC_SCOPE_YES);
	assert_int_equal(pc_decide(PC_SCOPE_BY_LISTENER, PC_SCOPE_NO, true, true), PC_SCOPE_NO);
}

static void test_sample(void **state)
{
	unsigned in = 0;

	assert_false(pc_sampled_out(12345, 0));
	for (uint64_t conn = 1; conn <= 16000; conn++)
		in += !pc_sampled_out(conn, 4);
	assert_in_range(in, 900, 1100);
}

static void test_final(void **state)
{
	assert_true(pc_is_final(EPIPE));
	assert_true(pc_is_final(ECONNRESET));
	assert_true(pc_is_final(ETIMEDOUT));
	assert_false(pc_is_final(EAGAIN));
	assert_false(pc_is_final(EINTR));
	assert_false(pc_is_final(512)); /* ERESTARTSYS */
	assert_false(pc_is_final(EFAULT));
}

static void test_close(void **state)
{
	assert_int_equal(pc_close_flags(0, false, 0), 0);
	assert_int_equal(pc_close_flags(0, true, 0), PC_F_RESET_OUT);
	assert_int_equal(pc_close_flags(0, true, ETIMEDOUT), 0);
	assert_int_equal(pc_close_flags(PC_S_RESET_IN, true, ECONNRESET), PC_F_RESET_IN);
	assert_int_equal(pc_close_flags(PC_S_RESET_OUT, false, 0), PC_F_RESET_OUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process_bits), cmocka_unit_test(test_exec),
		cmocka_unit_test(test_ports),	     cmocka_unit_test(test_decide),
		cmocka_unit_test(test_sample),	     cmocka_unit_test(test_final),
		cmocka_unit_test(test_close),	     cmocka_unit_test(test_exec_of_listener),
		cmocka_unit_test(test_use_serves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
