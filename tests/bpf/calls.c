/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of calls (lib/calls.h), against the kernel's own numbers: those of x86-64, or of arm64, which
 * are the generic ones. Compiled once for each machine; numbers of the other one are headers too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/calls.h"

#if defined(__TARGET_ARCH_arm64)
#include <asm-generic/unistd.h>
#elif __has_include(<asm/unistd_64.h>)
#include <asm/unistd_64.h>
#endif

#ifdef __NR_read
static const struct {
	unsigned number, form;
} calls[] = {
	{ __NR_read, PC_FORM_BUF },
	{ __NR_write, PC_FORM_BUF | PC_FORM_TX },
	{ __NR_readv, PC_FORM_IOV },
	{ __NR_writev, PC_FORM_IOV | PC_FORM_TX },
	{ __NR_preadv2, PC_FORM_IOV },
	{ __NR_pwritev2, PC_FORM_IOV | PC_FORM_TX },
	{ __NR_recvfrom, PC_FORM_BUF | PC_FORM_FLAGS },
	{ __NR_sendto, PC_FORM_BUF | PC_FORM_FLAGS | PC_FORM_TX },
	{ __NR_recvmsg, PC_FORM_MSG | PC_FORM_FLAGS },
	{ __NR_sendmsg, PC_FORM_MSG | PC_FORM_FLAGS | PC_FORM_TX },
	{ __NR_recvmmsg, PC_FORM_MMSG | PC_FORM_FLAGS },
	{ __NR_sendmmsg, PC_FORM_MMSG | PC_FORM_FLAGS | PC_FORM_TX },
	{ __NR_sendfile, PC_FORM_SENDFILE | PC_FORM_TX },
	{ __NR_splice, PC_FORM_SPLICE | PC_FORM_TX },
	{ __NR_io_uring_enter, PC_FORM_URING },
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

static void test_every_call_has_its_form(void **state)
{
	for (unsigned i = 0; i < CALLS; i++)
		assert_int_equal(pc_form_of(calls[i].number), calls[i].form);
}

static void test_no_other_call_has_one(void **state)
{
	unsigned known = 0;

	for (unsigned nr = 0; nr < 2 * PC_CALLS; nr++)
		known += pc_form_of(nr) != PC_FORM_NONE;
	assert_int_equal(known, CALLS);
	assert_int_equal(pc_form_of(~0ull), PC_FORM_NONE);
}
#else
static void test_every_call_has_its_form(void **state)
{
	skip(); /* no header with these numbers on this machine */
}

static void test_no_other_call_has_one(void **state)
{
	skip();
}
#endif

/* arch/x86/entry/syscalls/syscall_32.tbl and arch/arm/tools/syscall.tbl: no header has both. */
static const struct {
	unsigned number, form;
} calls_32[] = {
	{ 3, PC_FORM_BUF }, /* read */
	{ 4, PC_FORM_BUF | PC_FORM_TX },
	{ 145, PC_FORM_IOV }, /* readv */
	{ 146, PC_FORM_IOV | PC_FORM_TX },
	{ 187, PC_FORM_SENDFILE | PC_FORM_TX },
	{ 239, PC_FORM_SENDFILE | PC_FORM_TX }, /* sendfile64 */
#if defined(__TARGET_ARCH_arm64)
	{ 289, PC_FORM_BUF | PC_FORM_FLAGS | PC_FORM_TX }, /* send */
	{ 290, PC_FORM_BUF | PC_FORM_FLAGS | PC_FORM_TX }, /* sendto */
	{ 291, PC_FORM_BUF | PC_FORM_FLAGS },
	{ 292, PC_FORM_BUF | PC_FORM_FLAGS },
	{ 296, PC_FORM_MSG | PC_FORM_FLAGS | PC_FORM_TX }, /* sendmsg */
	{ 297, PC_FORM_MSG | PC_FORM_FLAGS },
	{ 392, PC_FORM_IOV }, /* preadv2 */
	{ 393, PC_FORM_IOV | PC_FORM_TX },
#else
	{ 102, PC_FORM_SOCKETCALL },
	{ 369, PC_FORM_BUF | PC_FORM_FLAGS | PC_FORM_TX }, /* sendto */
	{ 370, PC_FORM_MSG | PC_FORM_FLAGS | PC_FORM_TX }, /* sendmsg */
	{ 371, PC_FORM_BUF | PC_FORM_FLAGS },
	{ 372, PC_FORM_MSG | PC_FORM_FLAGS },
	{ 378, PC_FORM_IOV }, /* preadv2 */
	{ 379, PC_FORM_IOV | PC_FORM_TX },
#endif
};
#define CALLS_32 (sizeof(calls_32) / sizeof(calls_32[0]))

/* A number of a 32-bit call means nothing in a 64-bit one, and there is one form a number. */
static void test_32_bit_calls(void **state)
{
	unsigned known = 0;

	for (unsigned i = 0; i < CALLS_32; i++) {
		assert_int_equal(pc_form_any(calls_32[i].number),
				 PC_FORM_COMPAT | calls_32[i].form);
		assert_int_equal(pc_form_of(calls_32[i].number), PC_FORM_NONE);
	}
	for (unsigned nr = 0; nr < PC_CALLS; nr++)
		known += (pc_form_any(nr) & PC_FORM_COMPAT) != 0;
	assert_int_equal(known, CALLS_32);
}

static void test_socketcall(void **state)
{
	assert_int_equal(pc_socketcall_form(9), PC_FORM_BUF | PC_FORM_FLAGS | PC_FORM_TX);
	assert_int_equal(pc_socketcall_form(12), PC_FORM_BUF | PC_FORM_FLAGS);
	assert_int_equal(pc_socketcall_form(16), PC_FORM_MSG | PC_FORM_FLAGS | PC_FORM_TX);
	assert_int_equal(pc_socketcall_form(17), PC_FORM_MSG | PC_FORM_FLAGS);
	for (uint32_t call = 0; call < 9; call++) /* socket to socketpair: no bytes move */
		assert_int_equal(pc_socketcall_form(call), PC_FORM_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_call_has_its_form),
		cmocka_unit_test(test_no_other_call_has_one),
		cmocka_unit_test(test_32_bit_calls),
		cmocka_unit_test(test_socketcall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
