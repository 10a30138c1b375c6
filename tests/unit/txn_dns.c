/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of DNS: whole, cut at every octet, and as nobody should write them.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "dns.h"

static const uint8_t v4[4] = { 192, 0, 2, 7 };
static const uint8_t v6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 9 };

/* In memory of its own, so that a look beyond its end is found. */
static int read_copy(struct slice s, struct dns_message *m)
{
	char *copy = malloc(s.len ? s.len : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, s.at, s.len);
	memset(m, 0xee, sizeof(*m));
	err = dns_read(slice_of(copy, s.len), m);
	free(copy);
	return err;
}

static void test_question(void **state)
{
	struct dns_octets o;
	struct dns_message m;

	dns_begin(&o, 0xbeef, DNS_ASKS, "Payment.EXAMPLE.com", DNS_AAAA, 0);
	assert_int_equal(read_copy(dns_slice(&o), &m), 0);
	assert_int_equal(m.id, 0xbeef);
	assert_int_equal(m.type, DNS_AAAA);
	assert_false(m.answer);
	assert_true(m.recursion);
	assert_false(m.found);
	assert_slice(slice_of(m.name, m.name_len), "payment.example.com");
	dns_begin(&o, 1, 0, "", 2, 0); /* of the root, not recursive */
	assert_int_equal(read_copy(dns_slice(&o), &m), 0);
	assert_int_equal(m.name_len, 0);
	assert_int_equal(m.type, 2);
	assert_false(m.recursion);
}

static void test_answer(void **state)
{
	struct dns_octets o;
	struct dns_message m;

	dns_begin(&o, 7, DNS_IS_ANSWER, "a.example", DNS_A, 3);
	dns_record(&o, NULL, 5, "\1b\xc0\x0c", 4); /* an alias */
	dns_record(&o, "b.a.example", DNS_A, v4, sizeof(v4));
	dns_record(&o, NULL, DNS_AAAA, v6, sizeof(v6)); /* not asked for */
	assert_int_equal(read_copy(dns_slice(&o), &m), 0);
	assert_true(m.answer && m.found);
	assert_int_equal(m.addresses, 1);
	assert_memory_equal(m.ip[0], "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\7", 16);

	dns_begin(&o, 7, DNS_IS_ANSWER, "a.example", DNS_AAAA, 1);
	dns_record(&o, NULL, DNS_AAAA, v6, sizeof(v6));
	assert_int_equal(read_copy(dns_slice(&o), &m), 0);
	assert_int_equal(m.addresses, 1);
	assert_memory_equal(m.ip[0], v6, 16);
}

static void test_nothing_found(void **state)
{
	struct dns_octets o;
	struct dns_message m;

	dns_begin(&o, 7, DNS_IS_ANSWER, "a.example", DNS_AAAA, 0);
	assert_int_equal(read_copy(dns_slice(&o), &m), 0);
	assert_int_equal(m.rcode, DNS_NOERROR);
	assert_false(m.found);
	/* an alias to a name without such an address */
	dns_begin(&o, 7, DNS_IS_ANSWER, "a.example", DNS_AAAA, 1);
	dns_record(&o, NULL, 5, "\1b\xc0\x0c", 4);
	assert_int_equal(read_copy(dns_slice(&o), &m), 0);
	assert_false(m.found);
	/* one that does not exist, with the alias that led there */
	dns_begin(&o, 7, DNS_IS_ANSWER | DNS_NXDOMAIN, "a.example", DNS_A, 1);
	dns_record(&o, NULL, DNS_A, v4, sizeof(v4));
	assert_int_equal(read_copy(dns_slice(&o), &m), 0);
	assert_int_equal(m.rcode, DNS_NXDOMAIN);
	assert_false(m.found);
	assert_int_equal(m.addresses, 0);
}

static void test_part_of_an_answer(void **state)
{
	struct dns_octets o;
	struct dns_message m;

	dns_begin(&o, 7, DNS_IS_ANSWER | 0x200, "a.example", DNS_A, 0); /* TC: the rest by TCP */
	assert_int_equal(read_copy(dns_slice(&o), &m), 0);
	assert_true(m.found);
	assert_int_equal(m.addresses, 0);
	/* more records than are here */
	dns_begin(&o, 7, DNS_IS_ANSWER, "a.example", DNS_A, 2);
	dns_record(&o, NULL, 5, "\1b\xc0\x0c", 4);
	assert_int_equal(read_copy(dns_slice(&o), &m), 0);
	assert_true(m.found);
}

static void test_many_addresses(void **state)
{
	struct dns_octets o;
	struct dns_message m;

	dns_begin(&o, 7, DNS_IS_ANSWER, "a.example", DNS_A, 20);
	for (unsigned i = 0; i < 20; i++)
		dns_record(&o, NULL, DNS_A, (uint8_t[]){ 10, 0, 0, (uint8_t)i }, 4);
	assert_int_equal(read_copy(dns_slice(&o), &m), 0);
	assert_int_equal(m.addresses, DNS_ADDRESSES);
	assert_int_equal(m.ip[DNS_ADDRESSES - 1][15], DNS_ADDRESSES - 1);
	/* of another length than such an address has */
	dns_begin(&o, 7, DNS_IS_ANSWER, "a.example", DNS_A, 1);
	dns_record(&o, NULL, DNS_A, v6, sizeof(v6));
	assert_int_equal(read_copy(dns_slice(&o), &m), 0);
	assert_true(m.found);
	assert_int_equal(m.addresses, 0);
}

/* What is cut has the same question or is none; and it is never said that nothing was found. */
static void test_cut_everywhere(void **state)
{
	struct dns_octets o;
	struct dns_message m;
	size_t question;

	dns_begin(&o, 7, DNS_IS_ANSWER, "payment.a.example", DNS_A, 2);
	question = o.len;
	dns_record(&o, NULL, 5, "\1b\xc0\x0c", 4);
	dns_record(&o, "b.payment.a.example", DNS_A, v4, sizeof(v4));
	for (size_t len = 0; len <= o.len; len++) {
		int err = read_copy(slice_of(o.at, len), &m);

		assert_int_equal(err, len < question ? -EBADMSG : 0);
		if (err)
			continue;
		assert_slice(slice_of(m.name, m.name_len), "payment.a.example");
		assert_true(m.found);
		assert_int_equal(m.addresses, len == o.len);
	}
}

/* Each octet in turn has every value: nothing is read beyond the end, and a name stays one. */
static void test_every_octet_wrong(void **state)
{
	struct dns_octets o;
	struct dns_message m;

	dns_begin(&o, 7, DNS_IS_ANSWER, "ab.c", DNS_A, 2);
	dns_record(&o, NULL, 5, "\1b\xc0\x0c", 4);
	dns_record(&o, "b.ab.c", DNS_A, v4, sizeof(v4));
	for (size_t i = 0; i < o.len; i++)
		for (unsigned v = 0; v < 256; v++) {
			struct dns_octets wrong = o;

			wrong.at[i] = (unsigned char)v;
			if (read_copy(dns_slice(&wrong), &m))
				continue;
			assert_true(m.name_len <= DNS_NAME && m.addresses <= DNS_ADDRESSES);
			for (unsigned k = 0; k < m.name_len; k++)
				assert_true(m.name[k] > ' ' && m.name[k] < 0x7f);
		}
}

static void test_names_that_are_none(void **state)
{
	static const char *const bad[] = { "a b.example", "a\tb", "caf\xc3\xa9.example", "a\\b",
					   "a\x7f" };
	struct dns_octets o;
	struct dns_message m;
	char label[65] = { 0 };

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		dns_begin(&o, 7, DNS_ASKS, bad[i], DNS_A, 0);
		assert_int_equal(read_copy(dns_slice(&o), &m), -EBADMSG);
	}
	dns_begin(&o, 7, DNS_ASKS, "a_b.c", DNS_A, 0);
	o.at[13] = '.'; /* a dot within a label */
	assert_int_equal(read_copy(dns_slice(&o), &m), -EBADMSG);
	dns_begin(&o, 7, DNS_ASKS, "_sip._udp.a-b.example", DNS_A, 0);
	assert_int_equal(read_copy(dns_slice(&o), &m), 0);
	memset(label, 'x', 63);
	dns_begin(&o, 7, DNS_ASKS, label, DNS_A, 0);
	assert_int_equal(read_copy(dns_slice(&o), &m), 0);
	assert_int_equal(m.name_len, 63);
	memset(label, 'x', 64);
	dns_begin(&o, 7, DNS_ASKS, label, DNS_A, 0);
	assert_int_equal(read_copy(dns_slice(&o), &m), -EBADMSG);
}

static void test_the_longest_name(void **state)
{
	char name[260] = { 0 };
	struct dns_octets o;
	struct dns_message m;

	for (unsigned i = 0; i < 253; i++)
		name[i] = i % 64 == 63 ? '.' : 'x';
	dns_begin(&o, 7, DNS_ASKS, name, DNS_A, 0);
	assert_int_equal(read_copy(dns_slice(&o), &m), 0);
	assert_int_equal(m.name_len, 253);
	assert_memory_equal(m.name, name, 253);
	name[253] = 'x';
	dns_begin(&o, 7, DNS_ASKS, name, DNS_A, 0);
	assert_int_equal(read_copy(dns_slice(&o), &m), -EBADMSG);
	/* 127 labels of one octet */
	for (unsigned i = 0; i < 253; i++)
		name[i] = i % 2 ? '.' : 'x';
	name[253] = 0;
	dns_begin(&o, 7, DNS_ASKS, name, DNS_A, 0);
	assert_int_equal(read_copy(dns_slice(&o), &m), 0);
	assert_int_equal(m.name_len, 253);
}

/* A pointer in a question, to itself, forwards, backwards; records that point in circles are stepped over. */
static void test_pointers(void **state)
{
	struct dns_octets o;
	struct dns_message m;

	for (unsigned to = 0; to < 64; to++) {
		dns_begin(&o, 7, DNS_ASKS, "", DNS_A, 0);
		o.len = 12;
		dns_u16(&o, 0xc000 | to);
		dns_u16(&o, DNS_A);
		dns_u16(&o, 1);
		assert_int_equal(read_copy(dns_slice(&o), &m), -EBADMSG);
	}
	dns_begin(&o, 7, DNS_IS_ANSWER, "a.example", DNS_A, 2);
	dns_u16(&o, 0xc000 | (unsigned)o.len); /* its own owner: itself */
	dns_u16(&o, 5);
	dns_u16(&o, 1);
	dns_u16(&o, 0);
	dns_u16(&o, 0);
	dns_u16(&o, 2);
	dns_u16(&o, 0xc000 | (unsigned)(o.len + 20));
	dns_record(&o, NULL, DNS_A, v4, sizeof(v4));
	assert_int_equal(read_copy(dns_slice(&o), &m), 0);
	assert_true(m.found);
	assert_int_equal(m.addresses, 1);
}

static void test_not_for_us(void **state)
{
	struct dns_octets o;
	struct dns_message m;

	for (unsigned opcode = 1; opcode < 16; opcode++) {
		dns_begin(&o, 7, DNS_ASKS | opcode << 11, "a.example", DNS_A, 0);
		assert_int_equal(read_copy(dns_slice(&o), &m), -EBADMSG);
	}
	for (unsigned questions = 0; questions < 4; questions++) {
		dns_begin(&o, 7, DNS_ASKS, "a.example", DNS_A, 0);
		o.at[5] = (unsigned char)questions;
		assert_int_equal(read_copy(dns_slice(&o), &m), questions == 1 ? 0 : -EBADMSG);
	}
	dns_begin(&o, 7, DNS_ASKS, "version.bind", 16, 0);
	o.at[o.len - 1] = 3; /* the class CHAOS */
	assert_int_equal(read_copy(dns_slice(&o), &m), -EBADMSG);
	assert_int_equal(read_copy(SLICE("GET / HTTP/1.1\r\n\r\n"), &m), -EBADMSG);
}

static void test_code_names(void **state)
{
	assert_string_equal(dns_rcode_name(DNS_NXDOMAIN), "NXDOMAIN");
	assert_string_equal(dns_rcode_name(DNS_SERVFAIL), "SERVFAIL");
	assert_string_equal(dns_rcode_name(DNS_REFUSED), "REFUSED");
	for (unsigned i = 6; i < 256; i++)
		assert_string_equal(dns_rcode_name((uint8_t)i), "_OTHER");
}

UNIT_MAIN(T(test_question), T(test_answer), T(test_nothing_found), T(test_part_of_an_answer),
	  T(test_many_addresses), T(test_cut_everywhere), T(test_every_octet_wrong),
	  T(test_names_that_are_none), T(test_the_longest_name), T(test_pointers),
	  T(test_not_for_us), T(test_code_names))
