/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_address.c: addresses in text. The oracle for what is an IPv6 address is the C library.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stream/address.h"

static void good(void **state)
{
	static const struct {
		const char *in, *ip;
		uint16_t port;
	} list[] = {
		{ "192.0.2.1", "::ffff:192.0.2.1", 0 },
		{ "192.0.2.1:8080", "::ffff:192.0.2.1", 8080 },
		{ "0.0.0.0", "::ffff:0.0.0.0", 0 },
		{ "255.255.255.255:65535", "::ffff:255.255.255.255", 65535 },
		{ "::", "::", 0 },
		{ "::1", "::1", 0 },
		{ "1::", "1::", 0 },
		{ "2001:db8::1", "2001:db8::1", 0 },
		{ "2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a", 0 },
		{ "[2001:db8::1]", "2001:db8::1", 0 },
		{ "[2001:db8::1]:443", "2001:db8::1", 443 },
		{ "fe80::1%eth0", "fe80::1", 0 },
		{ "[fe80::1%25eth0]:80", "fe80::1", 80 },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1", 0 },
		{ "::ffff:c000:201", "::ffff:192.0.2.1", 0 },
		{ "64:ff9b::192.0.2.1", "64:ff9b::c000:201", 0 },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0", 0 },
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8", 0 },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct pc_addr a;
		uint8_t ip[16];

		assert_int_equal(inet_pton(AF_INET6, list[i].ip, ip), 1);
		if (address_parse(slice_str(list[i].in), &a))
			fail_msg("%s: refused", list[i].in);
		if (memcmp(a.ip, ip, 16) || a.port != list[i].port)
			fail_msg("%s: another address or port %u", list[i].in, a.port);
		assert_int_equal(address_is_v4(&a),
				 !memcmp(ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12));
	}
}

static void bad(void **state)
{
	static const char *const list[] = {
		"",
		" ",
		"1",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.256",
		"01.2.3.4",
		"1.2.3.04",
		"1.2.3.",
		".1.2.3",
		"1..2.3",
		"1.2.3.4 ",
		"1.2.3.4:",
		"1.2.3.4:65536",
		"1.2.3.4:x",
		"1.2.3.4:-1",
		"1.2.3.0004",
		":",
		":::",
		"1:2",
		"1:2:3:4:5:6:7:8:9",
		"1::2::3",
		"12345::",
		"g::",
		"1:",
		":1",
		"::1.2.3",
		"::1.2.3.4.5",
		"1:2:3:4:5:6:7:1.2.3.4",
		"[::1",
		"::1]",
		"[]",
		"[::1]x",
		"[::1]:",
		"[::1]:99999",
		"[1.2.3.4]",
		"localhost",
		"_hidden",
		"unknown",
		"1.2.3.4,5.6.7.8",
		"%",
		"%eth0",
		"1.2.3.4%eth0",
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct pc_addr a;

		if (address_parse(slice_str(list[i]), &a) != -EINVAL)
			fail_msg("'%s' was taken", list[i]);
	}
}

/* Strings of the octets that addresses are made of: the same are addresses for us and for libc. */
static void as_the_c_library(void **state)
{
	static const char octets[] = "0123456789abcdefABCDEF::::::....";
	unsigned taken = 0;

	srand(4);
	for (unsigned round = 0; round < 2000000; round++) {
		char text[48];
		unsigned len = 2 + (unsigned)rand() % 12;
		struct pc_addr a;
		uint8_t ip[16];
		bool ours, theirs;

		for (unsigned i = 0; i < len; i++)
			text[i] = octets[(unsigned)rand() % (sizeof(octets) - 1)];
		text[len] = 0;
		ours = !address_parse(slice_of(text, len), &a);
		theirs = inet_pton(AF_INET6, text, ip) == 1;
		if (!theirs && inet_pton(AF_INET, text, ip + 12) == 1) {
			memcpy(ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
			theirs = true;
		}
		if (ours && !theirs && a.port)
			continue;
		if (ours && !theirs && strchr(text, '.') && strchr(text, ':'))
			continue; /* with port 0 */
		if (ours != theirs || (ours && memcmp(a.ip, ip, 16)))
			fail_msg("'%s': %d, the C library %d", text, ours, theirs);
		taken += ours;
	}
	assert_true(taken > 500);
}

UNIT_MAIN(T(good), T(bad), T(as_the_c_library))
