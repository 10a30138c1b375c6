/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look-ups of one name: when it has failed and why, with one server and several, answered late or never. Questions
 * and answers are written as the resolvers of glibc, musl and c-ares send them; a failure told twice or of what
 * was found at last fails the test.
 */
#include "lookup_kit.h"

/* ---- one name ---- */

static void test_found(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask_both(&k, 0, "a.example", 1);
	answer(&k, 3, "a.example", DNS_A, 1, DNS_NOERROR, true);
	answer(&k, 4, "a.example", DNS_AAAA, 2, DNS_NOERROR, false); /* no IPv6 is no failure */
	assert_int_equal(k.found, 1);
	ends(&k, 0);
}

static void test_found_in_the_other_order(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask_both(&k, 0, "a.example", 1);
	answer(&k, 3, "a.example", DNS_AAAA, 2, DNS_SERVFAIL, false);
	answer(&k, 4, "a.example", DNS_A, 1, DNS_NOERROR, true);
	ends(&k, 0);
}

static void test_not_there(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask_both(&k, 0, "a.example", 1);
	answer(&k, 3, "a.example", DNS_A, 1, DNS_NXDOMAIN, false);
	answer(&k, 5, "a.example", DNS_AAAA, 2, DNS_NXDOMAIN, false);
	tick(&k, 500);
	assert_int_equal(k.count, 0);
	tick(&k, 510);
	is_told(&k, 0, "a.example", "NXDOMAIN");
	assert_int_equal(k.told[0].start_ms, 0);
	assert_int_equal(k.told[0].end_ms, 5);
	assert_int_equal(k.told[0].tid, 70);
	ends(&k, 1);
}

static void test_each_code(void **state)
{
	static const char *const errors[] = { "NODATA", "FORMERR", "SERVFAIL", "NXDOMAIN",
					      "NOTIMP", "REFUSED", "_OTHER" };
	struct kit k;

	for (unsigned code = 0; code < 7; code++) {
		kit_new(&k, 16);
		ask_both(&k, 0, "a.example", 1);
		answer_both(&k, 3, "a.example", 1, code);
		tick(&k, 600);
		is_told(&k, 0, "a.example", errors[code]);
		ends(&k, 1);
	}
}

static void test_only_one_kind(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask(&k, 0, "a.example", DNS_AAAA, 1); /* curl -6 */
	answer(&k, 3, "a.example", DNS_AAAA, 1, DNS_NOERROR, false);
	tick(&k, 600);
	is_told(&k, 0, "a.example", "NODATA");
	ends(&k, 1);
}

/* c-ares of old: AAAA first, and A when that gave nothing. */
static void test_one_kind_after_the_other(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask(&k, 0, "a.example", DNS_AAAA, 1);
	answer(&k, 3, "a.example", DNS_AAAA, 1, DNS_NOERROR, false);
	ask(&k, 3, "a.example", DNS_A, 2);
	answer(&k, 900, "a.example", DNS_A, 2, DNS_NOERROR, true);
	ends(&k, 0);
}

static void test_case_is_folded(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask(&k, 0, "A.Example", DNS_A, 1);
	answer(&k, 1, "a.eXAMPLE", DNS_A, 1, DNS_NXDOMAIN, false);
	tick(&k, 600);
	is_told(&k, 0, "a.example", "NXDOMAIN");
	ends(&k, 1);
}

static void test_answers_of_nobody(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	answer(&k, 0, "b.example", DNS_A, 9, DNS_NXDOMAIN, false); /* never asked */
	ask(&k, 5000, "a.example", DNS_A, 1);
	answer(&k, 5001, "a.example", DNS_A, 2, DNS_NXDOMAIN, false);	 /* another number */
	answer(&k, 5001, "a.example", DNS_AAAA, 1, DNS_NXDOMAIN, false); /* another type */
	answer(&k, 5001, "c.example", DNS_A, 1, DNS_NXDOMAIN, false);	 /* another name */
	k.port++;
	answer(&k, 5001, "a.example", DNS_A, 1, DNS_NXDOMAIN, false); /* another socket */
	k.port--;
	k.tgid++;
	answer(&k, 5001, "a.example", DNS_A, 1, DNS_NXDOMAIN, false); /* another process */
	k.tgid--;
	answer(&k, 5002, "a.example", DNS_A, 1, DNS_NOERROR, true);
	ends(&k, 0);
}

/* What nobody asked for gives no address a name: anybody may have sent it to a socket that is not connected. */
static void test_names_that_nobody_asked_for(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	k.loose = true;
	answer(&k, 0, "a.example", DNS_A, 1, DNS_NOERROR, true);
	ask(&k, 5000, "a.example", DNS_A, 1);
	answer(&k, 5001, "a.example", DNS_A, 2, DNS_NOERROR, true);
	answer(&k, 5001, "b.example", DNS_A, 1, DNS_NOERROR, true);
	assert_int_equal(k.found, 0);
	answer(&k, 5002, "a.example", DNS_A, 1, DNS_NOERROR, true);
	assert_int_equal(k.found, 1);
	answer(&k, 5003, "a.example", DNS_A, 1, DNS_NOERROR, true); /* the resolver has one */
	assert_int_equal(k.found, 1);
	ends(&k, 0);
}

/* No resolver asks whether the answer repeats that recursion was desired. */
static void test_answer_that_forgot_what_was_desired(void **state)
{
	struct dns_octets o;
	struct kit k;

	kit_new(&k, 16);
	ask(&k, 0, "a.example", DNS_A, 1);
	dns_begin(&o, 1, 0x8000 | DNS_NXDOMAIN, "a.example", DNS_A, 0);
	datagram(&k, 3, PC_RX, &o);
	tick(&k, 600);
	is_told(&k, 0, "a.example", "NXDOMAIN");
	ends(&k, 1);
}

/* Sockets of IPv4 and IPv6 may have one port; the error is of one of them. */
static void test_an_error_of_another_socket(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask(&k, 0, "a.example", DNS_A, 1);
	k.server = 2;
	k.error = ECONNREFUSED;
	datagram(&k, 1, PC_RX, &(struct dns_octets){ 0 });
	k.error = 0;
	tick(&k, 60000);
	is_told(&k, 0, "a.example", "timeout");
	ends(&k, 1);
}

/* Two rings: an answer may be read before its question. */
static void test_answer_before_the_question(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	answer(&k, 3, "a.example", DNS_A, 1, DNS_NOERROR, true);
	ask(&k, 2, "a.example", DNS_A, 1);
	answer(&k, 1001, "b.example", DNS_A, 2, DNS_NXDOMAIN, false);
	ask(&k, 1000, "b.example", DNS_A, 2);
	tick(&k, 2000);
	is_told(&k, 0, "b.example", "NXDOMAIN");
	ends(&k, 1);
}

/* ---- nobody answers ---- */

static void test_never_answered(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask_both(&k, 0, "a.example", 1);
	ask_both(&k, 5005, "a.example", 1); /* glibc: the same question again */
	tick(&k, 15900);
	assert_int_equal(k.count, 0);
	tick(&k, 17000);
	is_told(&k, 0, "a.example", "timeout");
	assert_int_equal(k.told[0].end_ms, 5005);
	assert_int_equal(k.told[0].again, 2);
	ends(&k, 1);
}

static void test_asked_once_and_never_answered(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask(&k, 0, "a.example", DNS_A, 1);
	tick(&k, 30900);
	assert_int_equal(k.count, 0);
	tick(&k, 31100);
	is_told(&k, 0, "a.example", "timeout");
	ends(&k, 1);
}

static void test_answered_at_last(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask_both(&k, 0, "a.example", 1);
	ask_both(&k, 5000, "a.example", 1);
	answer(&k, 9900, "a.example", DNS_A, 1, DNS_NOERROR, true);
	answer(&k, 9901, "a.example", DNS_AAAA, 2, DNS_NOERROR, false);
	ends(&k, 0);
	/* a slow server, once asked */
	kit_new(&k, 16);
	ask(&k, 0, "a.example", DNS_A, 1);
	tick(&k, 20000);
	answer(&k, 29000, "a.example", DNS_A, 1, DNS_NOERROR, true);
	ends(&k, 0);
}

/* c-ares doubles what it waits: 2, 4, 8 s; each from a socket of its own. */
static void test_waits_that_double(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	for (unsigned at = 0, i = 0, wait = 2000; i < 4; i++, at += wait, wait *= 2) {
		k.port++;
		ask(&k, at, "a.example", DNS_A, 10 + i);
		tick(&k, at + wait - 1);
	}
	assert_int_equal(k.count, 0);
	answer(&k, 14500, "a.example", DNS_A, 13, DNS_NOERROR, true);
	ends(&k, 0);
}

static void test_one_kind_is_never_answered(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask_both(&k, 0, "a.example", 1);
	answer(&k, 1, "a.example", DNS_AAAA, 2, DNS_NOERROR, false);
	tick(&k, 20000);
	assert_int_equal(k.count, 0);
	tick(&k, 32000);
	is_told(&k, 0, "a.example", "timeout");
	ends(&k, 1);
	/* but there is no address of a name that does not exist */
	kit_new(&k, 16);
	ask_both(&k, 0, "a.example", 1);
	answer(&k, 1, "a.example", DNS_A, 1, DNS_NXDOMAIN, false);
	tick(&k, 600);
	is_told(&k, 0, "a.example", "NXDOMAIN");
	ends(&k, 1);
}

static void test_nobody_at_the_port(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask_both(&k, 0, "a.example", 1);
	k.error = ECONNREFUSED;
	datagram(&k, 1, PC_RX, &(struct dns_octets){ 0 });
	k.error = 0;
	tick(&k, 600);
	is_told(&k, 0, "a.example", "ECONNREFUSED");
	ends(&k, 1);
	/* the next server knows it */
	kit_new(&k, 16);
	ask(&k, 0, "a.example", DNS_A, 1);
	k.error = ECONNREFUSED;
	datagram(&k, 1, PC_RX, &(struct dns_octets){ 0 });
	k.error = 0;
	k.port++;
	k.server++;
	ask(&k, 2, "a.example", DNS_A, 1);
	tick(&k, 4000);
	answer(&k, 4002, "a.example", DNS_A, 1, DNS_NOERROR, true);
	ends(&k, 0);
	/* glibc asks the only one again, from another socket */
	kit_new(&k, 16);
	for (unsigned i = 0; i < 2; i++) {
		k.port++;
		ask_both(&k, i, "a.example", 1 + i);
		k.error = ECONNREFUSED;
		datagram(&k, i, PC_RX, &(struct dns_octets){ 0 });
		datagram(&k, i, PC_RX, &(struct dns_octets){ 0 }); /* by the call, too */
		k.error = 0;
	}
	tick(&k, 600);
	is_told(&k, 0, "a.example", "ECONNREFUSED");
	ends(&k, 1);
	/* no way there: it did not leave */
	kit_new(&k, 16);
	k.error = ENETUNREACH;
	ask_both(&k, 0, "a.example", 1);
	tick(&k, 600);
	is_told(&k, 0, "a.example", "ENETUNREACH");
	ends(&k, 1);
}

/* ---- several servers ---- */

static void test_the_second_server_knows(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask_both(&k, 0, "a.example", 1);
	answer_both(&k, 1, "a.example", 1, DNS_REFUSED);
	k.port++;
	k.server++;
	ask_both(&k, 2, "a.example", 3);
	tick(&k, 4000); /* slow, but it knows */
	answer(&k, 4500, "a.example", DNS_A, 3, DNS_NOERROR, true);
	answer(&k, 4501, "a.example", DNS_AAAA, 4, DNS_NOERROR, false);
	ends(&k, 0);
}

static void test_the_second_server_never_answers(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask(&k, 0, "a.example", DNS_A, 1);
	answer(&k, 1, "a.example", DNS_A, 1, DNS_SERVFAIL, false);
	k.port++;
	k.server++;
	ask(&k, 2, "a.example", DNS_A, 2);
	tick(&k, 30000);
	assert_int_equal(k.count, 0);
	tick(&k, 32000);
	is_told(&k, 0, "a.example", "SERVFAIL");
	ends(&k, 1);
}

/* musl asks all at once, and takes the first answer. */
static void test_all_servers_at_once(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	for (unsigned s = 1; s < 4; s++) {
		k.server = (uint8_t)s;
		ask_both(&k, 0, "a.example", 1);
	}
	answer_both(&k, 3, "a.example", 1, DNS_NXDOMAIN);
	tick(&k, 600);
	is_told(&k, 0, "a.example", "NXDOMAIN");
	assert_int_equal(k.told[0].again, 0);
	ends(&k, 1);
}

/* It takes what is no answer for none, and asks again when half of its time is over. */
static void test_musl_asks_again(void **state)
{
	struct kit k;

	for (unsigned found = 0; found < 2; found++) {
		kit_new(&k, 16);
		k.loose = true;
		ask_both(&k, 0, "a.example", 1);
		answer_both(&k, 1, "a.example", 1, DNS_REFUSED);
		tick(&k, 2400);
		ask_both(&k, 2500, "a.example", 1);
		answer(&k, 2501, "a.example", DNS_A, 1, found ? DNS_NOERROR : DNS_REFUSED, found);
		answer(&k, 2501, "a.example", DNS_AAAA, 2, DNS_REFUSED, false);
		tick(&k, 6000);
		if (!found)
			is_told(&k, 0, "a.example", "REFUSED");
		ends(&k, !found);
	}
}

static void test_the_same_server_twice_in_one(void **state)
{
	struct kit k;

	kit_new(&k, 16); /* glibc: attempts:2, one server */
	for (unsigned i = 0; i < 2; i++) {
		ask_both(&k, 2 * i, "a.example", 1);
		answer_both(&k, 2 * i + 1, "a.example", 1, DNS_SERVFAIL);
	}
	tick(&k, 600);
	is_told(&k, 0, "a.example", "SERVFAIL");
	ends(&k, 1);
}

/* A was found, and for AAAA the server could not say: musl asks it again, others the next one. The name was found. */
static void test_asked_again_for_the_other_kind(void **state)
{
	struct kit k;

	for (unsigned n = 0; n < 4; n++) {
		kit_new(&k, 16);
		k.loose = n < 2;
		ask_both(&k, 0, "a.example", 1);
		if (n % 2)
			answer(&k, 2, "a.example", DNS_AAAA, 2, DNS_SERVFAIL, false);
		answer(&k, 3, "a.example", DNS_A, 1, DNS_NOERROR, true);
		if (n % 2 == 0)
			answer(&k, 4, "a.example", DNS_AAAA, 2, DNS_SERVFAIL, false);
		k.port += !k.loose;
		k.server += !k.loose;
		ask(&k, 5, "a.example", DNS_AAAA, 2);
		answer(&k, 8, "a.example", DNS_AAAA, 2, DNS_SERVFAIL, false);
		ends(&k, 0);
	}
	/* a goroutine for each kind */
	kit_new(&k, 16);
	ask(&k, 0, "a.example", DNS_A, 1);
	k.port++;
	k.tid++;
	ask(&k, 0, "a.example", DNS_AAAA, 2);
	answer(&k, 3, "a.example", DNS_AAAA, 2, DNS_SERVFAIL, false);
	k.port--;
	answer(&k, 3, "a.example", DNS_A, 1, DNS_NOERROR, true);
	k.port += 2;
	k.tid += 5;
	k.server++;
	ask(&k, 4, "a.example", DNS_AAAA, 3);
	answer(&k, 7, "a.example", DNS_AAAA, 3, DNS_SERVFAIL, false);
	ends(&k, 0);
	/* but whoever asks anew, does */
	kit_new(&k, 16);
	ask_both(&k, 0, "a.example", 1);
	answer(&k, 3, "a.example", DNS_A, 1, DNS_NOERROR, true);
	answer(&k, 4, "a.example", DNS_AAAA, 2, DNS_SERVFAIL, false);
	k.port++;
	ask(&k, 20, "a.example", DNS_AAAA, 3);
	answer(&k, 23, "a.example", DNS_AAAA, 3, DNS_SERVFAIL, false);
	tick(&k, 600);
	is_told(&k, 0, "a.example", "SERVFAIL");
	ends(&k, 1);
}

/* ---- one after the other ---- */

static void test_each_look_up_counts(void **state)
{
	struct kit k;

	kit_new(&k, 64);
	for (unsigned i = 0; i < 12; i++) {
		k.port++;
		ask_both(&k, i, "a.example", i * 2);
		answer_both(&k, i, "a.example", i * 2, i % 2 ? DNS_NXDOMAIN : DNS_SERVFAIL);
	}
	tick(&k, 600);
	assert_int_equal(k.count, 12);
	ends(&k, 12);
}

static void test_found_and_then_not(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask(&k, 0, "a.example", DNS_A, 1);
	answer(&k, 1, "a.example", DNS_A, 1, DNS_NOERROR, true);
	k.port++;
	ask(&k, 2, "a.example", DNS_A, 2);
	answer(&k, 3, "a.example", DNS_A, 2, DNS_SERVFAIL, false);
	tick(&k, 600);
	is_told(&k, 0, "a.example", "SERVFAIL");
	ends(&k, 1);
}

UNIT_MAIN(T(test_found), T(test_found_in_the_other_order), T(test_not_there), T(test_each_code),
	  T(test_only_one_kind), T(test_one_kind_after_the_other), T(test_case_is_folded),
	  T(test_answers_of_nobody), T(test_names_that_nobody_asked_for),
	  T(test_answer_that_forgot_what_was_desired), T(test_an_error_of_another_socket),
	  T(test_answer_before_the_question), T(test_never_answered),
	  T(test_asked_once_and_never_answered), T(test_answered_at_last),
	  T(test_waits_that_double), T(test_one_kind_is_never_answered), T(test_nobody_at_the_port),
	  T(test_the_second_server_knows), T(test_the_second_server_never_answers),
	  T(test_all_servers_at_once), T(test_musl_asks_again),
	  T(test_the_same_server_twice_in_one), T(test_asked_again_for_the_other_kind),
	  T(test_each_look_up_counts), T(test_found_and_then_not))
