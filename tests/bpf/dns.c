/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which datagrams are a resolver's: lib/dns.h, against the host's own struct sockaddr.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/dns.h"

static void test_ports(void **state)
{
	assert_int_equal(pc_dns_role_of(40000, htons(53)), PC_DNS_PEER);
	assert_int_equal(pc_dns_role_of(40000, 0), PC_DNS_LOOSE);
	assert_int_equal(pc_dns_role_of(0, 0), PC_DNS_LOOSE);
	assert_int_equal(pc_dns_role_of(53, 0), PC_DNS_SERVER);
	assert_int_equal(pc_dns_role_of(53, htons(53)), PC_DNS_SERVER);
	for (unsigned port = 1; port < 65536; port++)
		if (port != 53)
			assert_int_equal(pc_dns_role_of(40000, htons((uint16_t)port)), PC_DNS_NONE);
}

static void test_addresses(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(53) };
	struct sockaddr_in6 b = { .sin6_family = AF_INET6, .sin6_port = htons(53) };
	uint8_t octets[PC_SOCKADDR_BYTES] = { 0 };
	struct pc_addr got;

	_Static_assert(sizeof(a) == PC_SOCKADDR4, "sockaddr_in");
	_Static_assert(sizeof(b) == PC_SOCKADDR_BYTES, "sockaddr_in6");
	inet_pton(AF_INET, "127.0.0.53", &a.sin_addr);
	inet_pton(AF_INET6, "2001:db8::53", &b.sin6_addr);
	memcpy(octets, &a, sizeof(a));
	for (uint32_t len = 0; len < 40; len++)
		assert_int_equal(pc_dns_is_to(octets, len, &got), len >= sizeof(a));
	assert_memory_equal(got.ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x35", 16);
	assert_int_equal(got.port, 53);
	memcpy(octets, &b, sizeof(b));
	for (uint32_t len = 0; len < 40; len++)
		assert_int_equal(pc_dns_is_to(octets, len, &got), len >= sizeof(b));
	assert_memory_equal(got.ip, &b.sin6_addr, 16);
	octets[0] = 1; /* a Unix socket's name */
	assert_false(pc_dns_is_to(octets, sizeof(octets), &got));
	a.sin_port = 53; /* in the wrong order */
	memcpy(octets, &a, sizeof(a));
	assert_false(pc_dns_is_to(octets, sizeof(a), &got));
}

static void test_who_asked(void **state)
{
	const struct pc_asker a = { .asked_ns = 1000, .tgid = 7, .port = 40000 };

	assert_true(pc_dns_awaits(&a, 40000, 1000));
	assert_true(pc_dns_awaits(&a, 40000, 1000 + PC_ASKED_NS - 1));
	assert_false(pc_dns_awaits(&a, 40000, 1000 + PC_ASKED_NS));
	assert_false(pc_dns_awaits(&a, 40001, 1000)); /* another socket at the same place */
}

/* The error was there before who asked was known: nobody's until he is, and his then. */
static void test_error_before_its_asker(void **state)
{
	const struct pc_asker early = { .asked_ns = 1000, .port = 40000, .error = 111 };
	const struct pc_asker asker = { .asked_ns = 1000, .tgid = 7, .port = 40000, .error = 111 };

	assert_false(pc_dns_awaits(&early, 40000, 1000));
	assert_int_equal(pc_dns_early(&early, 40000, 1000), 111);
	assert_int_equal(pc_dns_early(&early, 40000, 1000 + PC_EARLY_NS - 1), 111);
	assert_int_equal(pc_dns_early(&early, 40000, 1000 + PC_EARLY_NS), 0);
	assert_int_equal(pc_dns_early(&early, 40001, 1000), 0);
	assert_int_equal(pc_dns_early(&asker, 40000, 1000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_who_asked),
		cmocka_unit_test(test_error_before_its_asker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
