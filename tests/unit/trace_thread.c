/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_thread.c: which request a thread is serving: what a process must show until it is believed, what shows
 * nothing, bounds, and content that says otherwise.
 */
#include "thread_kit.h"

/* ---- belief ---- */

static void one_thread_that_lets_wait(void **state)
{
	struct transaction t;
	uint64_t before;

	start();
	settle();
	show_single(TRIALS); /* the first of them had not waited */
	believed(0);
	show_single(2);
	believed(1);
	before = stats().by_thread;
	serves(&t, T1);
	assert_true(call_is_linked(T1));
	assert_true(call_is_linked(T1)); /* as many as it likes */
	answers(&t, T1);
	assert_u64(stop().by_thread - before, 2);
}

static void the_call_is_the_child(void **state)
{
	struct transaction t, call;

	start_serving(&t);
	calls(&call, T1);
	pass(1 * MS);
	returns(&call, T1);
	call = seen;
	answers(&t, T1);
	assert_memory_equal(call.parent_id, seen.span_id, 8);
	assert_memory_equal(call.trace_id, seen.trace_id, 16);
	stop();
}

/* One request at a time looks the same on a loop. */
static void light_load_is_no_proof(void **state)
{
	struct transaction t;

	start();
	settle();
	for (unsigned i = 0; i < 1000; i++) {
		t = reads(T1 + i % 3, 0);
		begin(&t);
		pass(1 * MS);
		assert_false(call_is_linked(T1 + i % 3));
		answers(&t, T1 + i % 3);
		pass(1 * MS);
	}
	assert_u64(stop().threads.believed, 0);
}

/* Too short a wait, one that began after the call, a request in parts, one of the same connection. */
static void a_wait_that_shows_nothing(void **state)
{
	for (unsigned how = 0; how < 4; how++) {
		start();
		settle();
		for (unsigned i = 0; i < 3 * TRIALS; i++) {
			struct transaction t = reads(T1, how == 0   ? 2 * MS + 100000
							 : how == 1 ? 1 * MS
								    : 5 * MS);
			struct transaction call;

			t.head_ns += how == 2;
			t.connection_id = how == 3 ? 7 : t.connection_id;
			begin(&t);
			calls(&call, T1);
			pass(6 * MS);
			returns(&call, T1);
			pass(1 * MS);
			answers(&t, T1);
			pass(1 * MS);
		}
		believed(0);
		stop();
	}
}

static void threads_beside_each_other(void **state)
{
	struct transaction a, b;

	start();
	settle();
	show_many(TRIALS);
	believed(0); /* two threads that serve several connections: twice as often */
	show_many(TRIALS);
	believed(1);
	a = reads(T1, 0);
	b = reads(T2, 0);
	begin(&a);
	begin(&b);
	pass(1 * MS);
	assert_true(call_is_linked(T2));
	assert_false(call_is_linked(T3)); /* in the background */
	answers(&a, T1);
	answers(&b, T2);
	believed(1);
	stop();
}

/* Loops that have their connections: what comes by a connection of the other's is no choice. */
static void connections_that_stay_show_nothing(void **state)
{
	start();
	settle();
	for (unsigned i = 0; i < 1000; i++) {
		struct transaction a = reads(T1, 0), b, call;

		a.connection_id = 7;
		a.ordinal = i;
		a.head_tid_before = i ? T1 : 0;
		begin(&a);
		calls(&call, T1);
		pass(1 * MS);
		b = reads(T2, 0);
		b.connection_id = 8;
		b.ordinal = i;
		b.head_tid_before = i ? T2 : 0;
		begin(&b);
		pass(1 * MS);
		returns(&call, T1);
		answers(&a, T1);
		answers(&b, T2);
		pass(1 * MS);
	}
	believed(0);
	stop();
}

/* A single one that lets wait: what is open beside it may be the cause all the same. */
static void single_and_not_alone(void **state)
{
	struct transaction a, b;

	start();
	settle();
	show_single(TRIALS + 1);
	believed(1);
	a = reads(T1, 0);
	b = reads(T2, 0);
	begin(&a);
	begin(&b);
	pass(1 * MS);
	assert_false(call_is_linked(T1));
	answers(&b, T2);
	assert_true(call_is_linked(T1));
	answers(&a, T1);
	stop();
}

/* ---- what says nothing ---- */

/* Two requests in one read: they are answered in turn, and which it is at nobody knows. */
static void pipelined(void **state)
{
	struct transaction a, b;

	start_believed();
	a = reads(T1, 0);
	b = reads(T1, 0);
	b.connection_id = a.connection_id;
	b.ordinal = 1;
	begin(&a);
	begin(&b);
	pass(1 * MS);
	assert_false(call_is_linked(T1));
	answers(&a, T1);
	pass(1 * MS);
	assert_false(call_is_linked(T1));
	answers(&b, T1);
	believed(1);
	stop();
}

/* The client went away: the thread does not know yet. */
static void an_end_that_was_not_seen(void **state)
{
	struct transaction a;

	start_believed();
	a = reads(T1, 0);
	begin(&a);
	in.transaction(in.ctx, &a);
	pass(1 * MS);
	assert_false(call_is_linked(T1));
	believed(1);
	serves(&a, T1);
	assert_true(call_is_linked(T1));
	answers(&a, T1);
	stop();
}

static void after_it_began_to_answer(void **state)
{
	struct transaction a;

	start_serving(&a);
	a.response.seen = true;
	assert_false(call_is_linked(T1));
	answers(&a, T1);
	believed(1);
	stop();
}

/* A tunnel does not end; what its thread does from then on is not known. */
static void a_tunnel(void **state)
{
	struct transaction a;

	start_serving(&a);
	a.flags |= TXN_UPGRADED;
	a.response = (struct txn_message){ .seen = true, .first_ns = now, .first_tid = T2 };
	in.answered(in.ctx, &a);
	assert_false(call_is_linked(T1));
	believed(1);
	in.transaction(in.ctx, &a);
	stop();
}

/* ---- bounds and others ---- */

static void another_process_by_the_same_number(void **state)
{
	struct process first = { .tgid = 100, .start_ns = 1 },
		       second = { .tgid = 100, .start_ns = 2 };
	struct transaction a;

	start_believed();
	a = reads(T1, 0);
	a.process = &first;
	begin(&a);
	assert_true(call_is_linked(T1));
	answers(&a, T1);
	believed(1);
	pass(1 * MS);
	a = reads(T1, 0);
	a.process = &second;
	begin(&a);
	believed(0);
	assert_false(call_is_linked(T1));
	answers(&a, T1);
	stop();
}

static void threads_that_come_and_go(void **state)
{
	struct transaction t;

	start_believed();
	for (uint32_t i = 0; i < 5000; i++) { /* 1000 are remembered */
		t = reads(1000 + i, 0);
		begin(&t);
		pass(1 * MS);
		assert_true(call_is_linked(1000 + i));
		answers(&t, 1000 + i);
	}
	believed(1);
	for (uint32_t i = 0; i < 1500; i++) { /* also those that are at one */
		static struct transaction many[1500];

		many[i] = reads(10000 + i, 0);
		begin(&many[i]);
		if (i < 1499)
			continue;
		assert_false(call_is_linked(10000));
		assert_true(call_is_linked(10000 + i));
		for (uint32_t n = 0; n < 1500; n++)
			answers(&many[n], 10000 + n);
	}
	stop();
}

static void content_and_thread(void **state)
{
	struct field id = { SLICE("x-request-id"), SLICE("7") };
	struct transaction a, b, call;

	for (unsigned how = 0; how < 3; how++) {
		start_believed();
		a = reads(T1, 0);
		b = reads(T2, 0);
		a.path = b.path = SLICE("/b");
		if (how == 1)
			a.request.fields = &id, a.request.field_count = 1;
		else if (how == 2)
			b.request.fields = &id, b.request.field_count = 1;
		begin(&a);
		begin(&b);
		pass(1 * MS);
		call = made(SIDE_CLIENT, T1);
		call.request.fields = &id;
		call.request.field_count = 1;
		begin(&call);
		returns(&call, T1);
		assert_int_equal(seen.has_parent, how < 2);
		assert_u64(stats().disagreed, how == 2);
		answers(&a, T1);
		answers(&b, T2);
		if (how < 2)
			believed(1);
		else
			disbelieved(THREAD_FAULT_CONTENT);
		stop();
	}
}

static void another_trace(void **state)
{
	struct field given = { SLICE("traceparent"),
			       SLICE("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") };
	struct field other = { SLICE("traceparent"),
			       SLICE("00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") };
	struct transaction a, call;

	start_believed();
	a = reads(T1, 0);
	a.request.fields = &given;
	a.request.field_count = 1;
	begin(&a);
	pass(1 * MS);
	call = made(SIDE_CLIENT, T1);
	call.request.fields = &other;
	call.request.field_count = 1;
	begin(&call);
	returns(&call, T1);
	assert_u64(stats().disagreed, 1);
	answers(&a, T1);
	believed(1);
	stop();
}

UNIT_MAIN(T(one_thread_that_lets_wait), T(the_call_is_the_child), T(light_load_is_no_proof),
	  T(a_wait_that_shows_nothing), T(threads_beside_each_other),
	  T(connections_that_stay_show_nothing), T(single_and_not_alone), T(pipelined),
	  T(an_end_that_was_not_seen), T(after_it_began_to_answer), T(a_tunnel),
	  T(another_process_by_the_same_number), T(threads_that_come_and_go), T(content_and_thread),
	  T(another_trace))
