/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto_preface.c: the PROXY protocol in front of a connection: whose address it names, whole and
 * octet by octet, and what is no such line.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/preface.h"
#include "stream/address.h"

struct preface_case {
	struct slice bytes;
	long size;
	const char *ip; /* NULL: none named */
	uint16_t port;
};

#define V2 "\r\n\r\n\0\r\nQUIT\n"

static const struct preface_case cases[] = {
	{ SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"), 42, "::ffff:192.0.2.1", 56324 },
	{ SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nGET / HTTP/1.1\r\n"), 42,
	  "::ffff:192.0.2.1", 56324 },
	{ SLICE("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"), 44, "2001:db8::1", 1 },
	{ SLICE("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n"), 37, "::ffff:192.0.2.1", 1 },
	{ SLICE("PROXY UNKNOWN\r\n"), 15, NULL, 0 },
	{ SLICE("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), 59, NULL, 0 },
	/* passed over, but not believed */
	{ SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\n"), 41, NULL, 0 },
	{ SLICE("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"), 40, NULL, 0 },
	{ SLICE("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"), 36, NULL, 0 },
	{ SLICE("PROXY TCP4 192.0.2.1:80 192.0.2.2 1 2\r\n"), 39, NULL, 0 },
	{ SLICE("PROXY TCP6 [::1] [::1] 1 2\r\n"), 28, NULL, 0 },
	{ SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 65536 443\r\n"), 42, NULL, 0 },
	{ SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"), 34, NULL, 0 },
	{ SLICE("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"), 38, NULL, 0 },
	{ SLICE("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"), 37, NULL, 0 },
	{ SLICE("PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n"), 36, NULL, 0 },
	{ SLICE("PROXY \r\n"), 8, NULL, 0 },
	/* version 2 */
	{ SLICE(V2 "\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\xdc\x04\x01\xbb"), 28,
	  "::ffff:192.0.2.1", 56324 },
	{ SLICE(V2 "\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
		   "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\xdc\x04\x01\xbb"),
	  52, "2001:db8::1", 56324 },
	{ SLICE(V2 "\x20\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\xdc\x04\x01\xbb"), 28, NULL, 0 },
	{ SLICE(V2 "\x20\0\0\0"), 16, NULL, 0 },
	{ SLICE(V2 "\x21\x11\0\x0b\xc0\0\x02\x01\xc0\0\x02\x02\xdc\x04\x01"), 27, NULL, 0 },
	{ SLICE(V2 "\x21\x12\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\xdc\x04\x01\xbb"), 28, NULL, 0 },
	{ SLICE(V2 "\x31\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\xdc\x04\x01\xbb"), 28, NULL, 0 },
	/* none */
	{ SLICE("GET / HTTP/1.1\r\n"), 0, NULL, 0 },
	{ SLICE("PROXX TCP4"), 0, NULL, 0 },
	{ SLICE("\r\n\r\nGET /"), 0, NULL, 0 },
};

static void names(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct preface_case *k = &cases[i];
		struct pc_addr a = { 0 };
		uint8_t ip[16] = { 0 };

		if (k->ip)
			assert_int_equal(inet_pton(AF_INET6, k->ip, ip), 1);
		assert_int_equal(preface_size(k->bytes, &a), k->size);
		if (memcmp(a.ip, ip, 16) || a.port != k->port)
			fail_msg("case %zu: another address, or port %u", i, a.port);
	}
}

/* As the octets come: undecided until they decide, then for good, and never read beyond. */
static void octet_by_octet(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct preface_case *k = &cases[i];
		bool decided = false;

		for (size_t n = 1; n <= k->bytes.len; n++) {
			char *copy = malloc(n);
			struct pc_addr a = { 0 };
			long size;

			assert_non_null(copy);
			memcpy(copy, k->bytes.at, n);
			size = preface_size(slice_of(copy, n), &a);
			free(copy);
			if (size == -EAGAIN) {
				assert_false(decided);
				assert_true(address_is_none(&a));
				continue;
			}
			decided = true;
			assert_int_equal(size, k->size);
		}
		assert_true(decided);
	}
}

static void a_line_without_end(void **state)
{
	char line[200];
	struct pc_addr a = { 0 };

	memset(line, ' ', sizeof(line));
	memcpy(line, "PROXY TCP4", 10);
	assert_int_equal(preface_size(slice_of(line, 106), &a), -EAGAIN);
	assert_int_equal(preface_size(slice_of(line, 107), &a), 0);
	line[106] = '\n';
	assert_int_equal(preface_size(slice_of(line, 107), &a), 107);
	line[106] = ' ';
	line[107] = '\n';
	assert_int_equal(preface_size(slice_of(line, 200), &a), 0);
	assert_true(address_is_none(&a));
}

UNIT_MAIN(T(names), T(octet_by_octet), T(a_line_without_end))
