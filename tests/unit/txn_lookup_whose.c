/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which questions are one look-up: with endings of the search list, from threads side by side, from goroutines;
 * its end by its thread and its process; and what is not told where something was not seen.
 */
#include "lookup_kit.h"

/* ---- the search list ---- */

static void test_search_list_short_name(void **state)
{
	static const char *const names[] = { "db.a.example", "db.b.example", "db" };
	struct kit k;

	kit_new(&k, 16);
	for (unsigned i = 0; i < 3; i++) {
		k.port++;
		ask_both(&k, i, names[i], 2 * i);
		answer_both(&k, i, names[i], 2 * i, DNS_NXDOMAIN);
	}
	tick(&k, 600);
	is_told(&k, 0, "db", "NXDOMAIN");
	assert_int_equal(k.told[0].start_ms, 0);
	ends(&k, 1);
	/* the second ending is the right one, though its server is slow */
	kit_new(&k, 16);
	ask_both(&k, 0, names[0], 1);
	answer_both(&k, 1, names[0], 1, DNS_NXDOMAIN);
	ask_both(&k, 2, names[1], 3);
	tick(&k, 2000);
	answer(&k, 2002, names[1], DNS_A, 3, DNS_NOERROR, true);
	answer(&k, 2003, names[1], DNS_AAAA, 4, DNS_NOERROR, false);
	ends(&k, 0);
}

/* Kubernetes: five dots or the endings first. */
static void test_search_list_long_name(void **state)
{
	static const char *const names[] = { "pay.example.com.default.svc.cluster.local",
					     "pay.example.com.svc.cluster.local",
					     "pay.example.com.cluster.local", "pay.example.com" };
	struct kit k;

	for (unsigned last = 0; last < 2; last++) {
		kit_new(&k, 16);
		for (unsigned i = 0; i < 4; i++) {
			ask_both(&k, 10 * i, names[i], 2 * i);
			if (i < 3)
				answer_both(&k, 10 * i + 5, names[i], 2 * i, DNS_NXDOMAIN);
		}
		answer(&k, 40, names[3], DNS_A, 6, last ? DNS_NOERROR : DNS_SERVFAIL, last);
		answer(&k, 41, names[3], DNS_AAAA, 7, last ? DNS_NOERROR : DNS_SERVFAIL, false);
		tick(&k, 600);
		if (!last)
			is_told(&k, 0, "pay.example.com", "SERVFAIL");
		ends(&k, !last);
	}
}

/* With a dot the name itself comes first. */
static void test_search_list_after_the_name(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask_both(&k, 0, "pay.example", 1);
	answer_both(&k, 1, "pay.example", 1, DNS_NXDOMAIN);
	ask_both(&k, 2, "pay.example.corp.test", 3);
	answer(&k, 3, "pay.example.corp.test", DNS_A, 3, DNS_NOERROR, true);
	answer(&k, 3, "pay.example.corp.test", DNS_AAAA, 4, DNS_NOERROR, false);
	ends(&k, 0);
	/* nobody answers for the name, and the endings are not there */
	kit_new(&k, 16);
	ask_both(&k, 0, "pay.example", 1);
	ask_both(&k, 1000, "pay.example", 1);
	ask_both(&k, 2000, "pay.example.corp.test", 3);
	answer_both(&k, 2001, "pay.example.corp.test", 3, DNS_NXDOMAIN);
	tick(&k, 60000);
	is_told(&k, 0, "pay.example", "timeout");
	ends(&k, 1);
}

/* The same, and the name servers are gone: each ending takes its time, and it is one look-up. */
static void test_search_list_without_servers(void **state)
{
	static const char *const names[] = { "pay.example.com.default.svc.cluster.local",
					     "pay.example.com.svc.cluster.local",
					     "pay.example.com.cluster.local", "pay.example.com" };
	struct kit k;

	kit_new(&k, 16);
	for (unsigned i = 0; i < 8; i++) {
		tick(&k, 5000 * i);
		ask_both(&k, 5000 * i, names[i / 2], i / 2);
	}
	tick(&k, 35000 + 10900);
	assert_int_equal(k.count, 0);
	tick(&k, 35000 + 11100);
	is_told(&k, 0, "pay.example.com", "timeout");
	assert_int_equal(k.told[0].start_ms, 0);
	ends(&k, 1);
}

static void test_two_hosts_are_two(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask_both(&k, 0, "www.a.example", 1);
	answer_both(&k, 1, "www.a.example", 1, DNS_NXDOMAIN);
	ask_both(&k, 40, "www.b.example", 3); /* not at once */
	answer_both(&k, 41, "www.b.example", 3, DNS_NXDOMAIN);
	ask_both(&k, 42, "api.b.example", 5); /* another beginning */
	answer_both(&k, 43, "api.b.example", 5, DNS_NXDOMAIN);
	tick(&k, 1000);
	is_told(&k, 0, "www.a.example", "NXDOMAIN");
	is_told(&k, 1, "www.b.example", "NXDOMAIN");
	is_told(&k, 2, "api.b.example", "NXDOMAIN");
	ends(&k, 3);
}

/* One event loop asks for two hosts side by side. */
static void test_side_by_side_on_one_thread(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask(&k, 0, "www.a.example", DNS_A, 1);
	ask(&k, 0, "www.b.example", DNS_A, 2);
	ask(&k, 0, "www", DNS_A, 3);
	answer(&k, 5, "www.b.example", DNS_A, 2, DNS_NXDOMAIN, false);
	answer(&k, 6, "www.a.example", DNS_A, 1, DNS_NOERROR, true);
	answer(&k, 7, "www", DNS_A, 3, DNS_SERVFAIL, false);
	tick(&k, 600);
	assert_int_equal(k.count, 2);
	ends(&k, 2);
}

/* ---- threads ---- */

static void test_threads_that_ask_for_the_same(void **state)
{
	struct kit k;

	kit_new(&k, 512);
	for (unsigned i = 0; i < 200; i++) {
		k.tid = 100 + i;
		k.port = (uint16_t)(30000 + i);
		ask_both(&k, i / 50, "a.example", i);
	}
	for (unsigned i = 0; i < 200; i++) {
		k.tid = 100 + i;
		k.port = (uint16_t)(30000 + i);
		answer(&k, 10, "a.example", DNS_A, i, i % 4 ? DNS_NXDOMAIN : DNS_NOERROR, !(i % 4));
		answer(&k, 10, "a.example", DNS_AAAA, i + 1, i % 4 ? DNS_NXDOMAIN : DNS_NOERROR,
		       false);
	}
	tick(&k, 600);
	for (unsigned i = 0; i < k.count; i++)
		assert_int_not_equal(k.told[i].tid % 4, 0);
	ends(&k, 150);
}

/* Two servers refuse each of two threads, in turns. */
static void test_threads_that_two_servers_refuse(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	for (unsigned i = 0; i < 4; i++) {
		k.tid = 100 + i % 2;
		k.port++;
		k.server = (uint8_t)(1 + i / 2);
		ask_both(&k, i, "a.example", 2 * i);
		answer_both(&k, i, "a.example", 2 * i, DNS_REFUSED);
	}
	tick(&k, 1000);
	ends(&k, 2);
}

/* All of them wait for a server that is not there; each has failed. */
static void test_threads_that_nobody_answers(void **state)
{
	struct kit k;

	kit_new(&k, 64);
	for (unsigned at = 0; at < 2; at++)
		for (unsigned i = 0; i < 8; i++) {
			k.tid = 100 + i;
			k.port = (uint16_t)(30000 + i);
			ask_both(&k, at * 5000 + 200 * i, "a.example", 2 * i);
		}
	tick(&k, 60000);
	ends(&k, 8);
}

/* Go: A and AAAA by a goroutine and a socket each, and whatever thread is free asks again. */
static void test_goroutines(void **state)
{
	struct kit k;

	for (unsigned found = 0; found < 2; found++) {
		kit_new(&k, 16);
		for (unsigned i = 0; i < 4; i++) {
			k.tid = 50 + i;
			k.port = (uint16_t)(30000 + i);
			ask(&k, i / 2 * 5000, "a.example.", i % 2 ? DNS_AAAA : DNS_A, i);
		}
		if (found) {
			answer(&k, 5003, "a.example", DNS_AAAA, 3, DNS_NOERROR, false);
			k.port--;
			answer(&k, 5004, "a.example", DNS_A, 2, DNS_NOERROR, true);
		}
		tick(&k, 60000);
		if (!found)
			is_told(&k, 0, "a.example", "timeout");
		ends(&k, !found);
	}
	/* one server, which cannot say: it is asked again from other sockets */
	kit_new(&k, 16);
	for (unsigned i = 0; i < 4; i++) {
		k.tid = 50 + i;
		k.port = (uint16_t)(30000 + i);
		ask(&k, i / 2, "a.example", i % 2 ? DNS_AAAA : DNS_A, i);
		if (i % 2) {
			answer(&k, i / 2, "a.example", DNS_AAAA, i, DNS_SERVFAIL, false);
			k.port--;
			answer(&k, i / 2, "a.example", DNS_A, i - 1, DNS_SERVFAIL, false);
		}
	}
	tick(&k, 1000);
	is_told(&k, 0, "a.example", "SERVFAIL");
	ends(&k, 1);
	/* nobody answers for the name, the ending is not there */
	kit_new(&k, 16);
	for (unsigned i = 0; i < 4; i++) {
		const char *name = i < 2 ? "a.example" : "a.example.corp.test";

		k.tid = 50 + i;
		k.port = (uint16_t)(30000 + i);
		ask(&k, i / 2 * 2000, name, i % 2 ? DNS_AAAA : DNS_A, i);
		if (i > 1)
			answer(&k, 2001, name, i % 2 ? DNS_AAAA : DNS_A, i, DNS_NXDOMAIN, false);
	}
	tick(&k, 60000);
	is_told(&k, 0, "a.example", "timeout");
	ends(&k, 1);
	/* the endings, too */
	kit_new(&k, 16);
	for (unsigned i = 0; i < 4; i++) {
		const char *name = i < 2 ? "a.example" : "a.example.corp.test";

		k.tid = 50 + i;
		k.port = (uint16_t)(30000 + i);
		ask(&k, i, name, i % 2 ? DNS_AAAA : DNS_A, i);
		if (i % 2) {
			answer(&k, i, name, DNS_AAAA, i, DNS_NXDOMAIN, false);
			k.port--;
			answer(&k, i, name, DNS_A, i - 1, i < 2 ? DNS_NXDOMAIN : DNS_NOERROR,
			       i > 2);
		}
	}
	ends(&k, 0);
}

static void test_its_thread_went_on(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask_both(&k, 100, "a.example", 1);
	answer_both(&k, 101, "a.example", 1, DNS_NXDOMAIN);
	lookups_settle(k.l, TGID, 71, BASE, BASE + 110 * MS);		 /* another */
	lookups_settle(k.l, TGID, 70, BASE + 105 * MS, BASE + 110 * MS); /* since later */
	lookups_settle(k.l, TGID, 70, BASE, BASE + 100 * MS); /* until before the answer */
	assert_int_equal(k.count, 0);
	lookups_settle(k.l, TGID, 70, BASE, BASE + 110 * MS);
	is_told(&k, 0, "a.example", "NXDOMAIN");
	ask_both(&k, 2000, "b.example", 1);
	lookups_settle(k.l, TGID, 70, BASE, BASE + 2900 * MS); /* who knows */
	assert_int_equal(k.count, 1);
	lookups_settle(k.l, TGID, 70, BASE, BASE + 3000 * MS);
	is_told(&k, 1, "b.example", "timeout");
	ends(&k, 2);
}

static void test_its_process_ended(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask(&k, 0, "a.example", DNS_A, 1);
	ask(&k, 1900, "b.example", DNS_A, 2);
	ask(&k, 1900, "c.example", DNS_A, 3);
	lookups_exit(k.l, TGID, BASE + 2000 * MS);
	answer(&k, 1999, "c.example", DNS_A, 3, DNS_NOERROR, true); /* ends are told first */
	ask(&k, 1999, "d.example", DNS_A, 4);
	tick(&k, 2100);
	assert_int_equal(k.count, 0);
	tick(&k, 2300);
	assert_int_equal(k.count, 3);
	is_told(&k, 0, "a.example", "timeout");
	is_told(&k, 1, "b.example", "abandoned");
	assert_true(k.told[1].abandoned && !k.told[0].abandoned);
	is_told(&k, 2, "d.example", "abandoned");
	ends(&k, 3);
}

/* Ends are told ahead of octets, so of many processes that ask and end all ends may come first. */
static void test_many_processes_that_ended(void **state)
{
	struct kit k;

	kit_new(&k, 512);
	for (unsigned i = 0; i < 500; i++)
		lookups_exit(k.l, 1000 + i, BASE + i * MS);
	for (unsigned i = 0; i < 500; i++) {
		k.tgid = k.tid = 1000 + i;
		ask(&k, i, "a.example", DNS_A, 1);
	}
	tick(&k, 1000);
	assert_int_equal(k.count, 500);
	for (unsigned i = 0; i < 500; i++)
		is_told(&k, i, "a.example", "abandoned");
	ends(&k, 500);
}

/* The number of a process that ended is another's now, whose look-up is its own. */
static void test_a_number_is_used_again(void **state)
{
	struct kit k;

	kit_new(&k, 16);
	ask(&k, 0, "a.example", DNS_A, 1);
	lookups_exit(k.l, TGID, BASE + 10 * MS);
	ask(&k, 100, "a.example", DNS_A, 2);
	answer(&k, 101, "a.example", DNS_A, 2, DNS_NXDOMAIN, false);
	tick(&k, 2000);
	is_told(&k, 0, "a.example", "abandoned");
	is_told(&k, 1, "a.example", "NXDOMAIN");
	assert_int_equal(k.told[1].start_ms, 100);
	ends(&k, 2);
}

/* ---- what was not seen ---- */

static void test_nothing_is_made_up_after_a_loss(void **state)
{
	struct lookup_stats s;
	struct kit k;

	kit_new(&k, 16);
	ask(&k, 0, "a.example", DNS_A, 1);
	ask(&k, 0, "b.example", DNS_A, 2);
	lookups_lost(k.l);
	answer(&k, 1, "b.example", DNS_A, 2, DNS_NOERROR, true);
	tick(&k, 100);
	tick(&k, 200);
	ask(&k, 201, "c.example", DNS_A, 3);
	tick(&k, 60000);
	is_told(&k, 0, "c.example", "timeout");
	lookups_stats(k.l, &s);
	assert_int_equal(s.unobserved, 1);
	ends(&k, 1);
}

/* A loss is told ahead of what was written before it (capture/reader.c), and of what was held back: until the second
 * tick after it a question may be one whose answer is missing. A tick that does not go forward tells the loss. */
static void test_a_question_that_is_read_after_the_loss(void **state)
{
	struct lookup_stats s;
	struct kit k;

	kit_new(&k, 16);
	tick(&k, 100);
	lookups_lost(k.l);
	tick(&k, 100);
	ask(&k, 150, "a.example", DNS_A, 1);
	tick(&k, 200); /* its time was taken before the loss was seen */
	ask(&k, 210, "b.example", DNS_A, 2);
	tick(&k, 300);
	ask(&k, 299, "c.example", DNS_A, 3); /* held back until its process was known */
	ask(&k, 301, "d.example", DNS_A, 4);
	tick(&k, 60000);
	is_told(&k, 0, "d.example", "timeout");
	lookups_stats(k.l, &s);
	assert_int_equal(s.unobserved, 3);
	ends(&k, 1);
}

static void test_an_answer_that_cannot_be_read(void **state)
{
	struct lookup_stats s;
	struct kit k;

	kit_new(&k, 16);
	ask(&k, 0, "a.example", DNS_A, 1);
	k.unread = true;
	datagram(&k, 1, PC_RX, &(struct dns_octets){ 0 }); /* by an io_uring */
	k.unread = false;
	tick(&k, 60000);
	lookups_stats(k.l, &s);
	assert_int_equal(s.unobserved, 1);
	ends(&k, 0);
}

/* A head without the question, as some servers refuse: who takes it for an answer is up to the resolver. */
static void test_an_answer_without_its_question(void **state)
{
	static const uint8_t head[12] = { 0, 1, 0x81, 0x81 };
	struct dns_octets o = { .len = sizeof(head) };
	struct lookup_stats s;
	struct kit k;

	memcpy(o.at, head, sizeof(head));
	for (unsigned n = 0; n < 4; n++) {
		kit_new(&k, 16);
		ask(&k, 0, "a.example", DNS_A, 1);
		o.at[1] = n == 1 ? 2 : 1; /* of another question */
		k.port += n == 2;	  /* to another socket */
		o.len = n == 3 ? 1 : sizeof(head);
		datagram(&k, 1, PC_RX, &o);
		k.port = PORT;
		tick(&k, 60000);
		lookups_stats(k.l, &s);
		assert_int_equal(s.malformed, 1);
		assert_int_equal(s.unobserved, n == 0);
		if (n)
			is_told(&k, 0, "a.example", "timeout");
		ends(&k, n > 0);
	}
}

static void test_what_is_not_for_us(void **state)
{
	struct lookup_stats s;
	struct dns_octets o;
	struct kit k;

	kit_new(&k, 16);
	ask(&k, 0, "7.0.0.10.in-addr.arpa", 12, 1);
	ask(&k, 0, "_sip._tcp.a.example", 33, 2);
	ask(&k, 0, "a.example", 65, 3);
	ask(&k, 0, "", DNS_A, 4);
	dns_begin(&o, 5, 0, "a.example", DNS_A, 0); /* of a server that looks for itself */
	datagram(&k, 0, PC_TX, &o);
	lookups_stats(k.l, &s);
	assert_int_equal(s.begun, 0);
	assert_int_equal(s.malformed, 0);
	o.len = 11;
	datagram(&k, 0, PC_TX, &o);
	dns_begin(&o, 5, DNS_IS_ANSWER, "a.example", DNS_A, 0); /* an answer that was sent */
	datagram(&k, 0, PC_TX, &o);
	lookups_stats(k.l, &s);
	assert_int_equal(s.malformed, 2);
	ends(&k, 0);
}

/* What makes room before its time may be found yet: not told, but counted. The last eight have their time. */
static void test_at_the_bound(void **state)
{
	char name[32];
	struct lookup_stats s;
	struct kit k;

	kit_new(&k, 8);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "h%u.example", i);
		ask(&k, i, name, DNS_A, i);
		if (i % 2)
			answer(&k, i, name, DNS_A, i, DNS_NXDOMAIN, false);
	}
	assert_int_equal(k.count, 0);
	answer(&k, 100, "h98.example", DNS_A, 98, DNS_NOERROR, true);
	tick(&k, 60000);
	lookups_stats(k.l, &s);
	assert_int_equal(s.begun, 100);
	assert_int_equal(s.unobserved, 92);
	ends(&k, 7);
}

/* Who waits long enough makes room as one that failed, though no tick came by. */
static void test_at_the_bound_in_its_time(void **state)
{
	char name[32];
	struct kit k;

	kit_new(&k, 2);
	for (unsigned i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "h%u.example", i);
		ask(&k, 300 * i, name, DNS_A, i);
		answer(&k, 300 * i, name, DNS_A, i, DNS_NXDOMAIN, false);
	}
	assert_int_equal(k.count, 8);
	ends(&k, 10);
}

/* More questions than are remembered of one. */
static void test_many_questions(void **state)
{
	char name[64];
	struct kit k;

	kit_new(&k, 8);
	for (unsigned i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "db.s%u.example", i);
		ask_both(&k, i, name, 2 * i);
		answer_both(&k, i, name, 2 * i, DNS_NXDOMAIN);
	}
	ask_both(&k, 30, "db", 100);
	answer_both(&k, 30, "db", 100, DNS_NXDOMAIN);
	tick(&k, 1000);
	is_told(&k, 0, "db", "NXDOMAIN");
	ends(&k, 1);
}

static void test_the_end_of_input(void **state)
{
	struct lookup_stats s;
	struct kit k;

	kit_new(&k, 8);
	ask(&k, 0, "a.example", DNS_A, 1);
	answer(&k, 1, "a.example", DNS_A, 1, DNS_NXDOMAIN, false);
	ask(&k, 2, "b.example", DNS_A, 2); /* may be answered yet */
	lookups_finish(k.l);
	is_told(&k, 0, "a.example", "NXDOMAIN");
	lookups_stats(k.l, &s);
	assert_int_equal(s.unobserved, 1);
	ends(&k, 1);
}

UNIT_MAIN(T(test_search_list_short_name), T(test_search_list_long_name),
	  T(test_search_list_after_the_name), T(test_search_list_without_servers),
	  T(test_two_hosts_are_two), T(test_side_by_side_on_one_thread),
	  T(test_threads_that_ask_for_the_same), T(test_threads_that_two_servers_refuse),
	  T(test_threads_that_nobody_answers), T(test_goroutines), T(test_its_thread_went_on),
	  T(test_its_process_ended), T(test_many_processes_that_ended),
	  T(test_a_number_is_used_again), T(test_nothing_is_made_up_after_a_loss),
	  T(test_a_question_that_is_read_after_the_loss), T(test_an_answer_that_cannot_be_read),
	  T(test_an_answer_without_its_question), T(test_what_is_not_for_us), T(test_at_the_bound),
	  T(test_at_the_bound_in_its_time), T(test_many_questions), T(test_the_end_of_input))
