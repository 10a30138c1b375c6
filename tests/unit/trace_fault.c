/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_fault.c: what takes the belief in the threads of a process away: for good where it did what a thread that
 * serves one request at a time does not do, for a while where records were lost.
 */
#include "thread_kit.h"

/* ---- belief that is lost ---- */

static void a_second_request_while_one_is_open(void **state)
{
	struct transaction a, b;

	start_serving(&a);
	serves(&b, T1);
	assert_false(call_is_linked(T1));
	answers(&b, T1);
	believed(1); /* until it shows that the first one was still being served */
	answers(&a, T1);
	disbelieved(THREAD_FAULT_OVERLAP);
	show_many(9 * TRIALS);
	disbelieved(THREAD_FAULT_OVERLAP);
	stop();
}

/* Told late (its connection ended it), but over by then. */
static void an_end_that_is_told_late(void **state)
{
	struct transaction a, b;
	uint64_t ended;

	start_believed();
	a = reads(T1, 0);
	begin(&a);
	a.response.seen = true; /* as far as it was told */
	ended = now += MS;
	pass(1 * MS);
	serves(&b, T1);
	assert_true(call_is_linked(T1));
	a.response = (struct txn_message){
		.seen = true, .first_ns = ended, .last_ns = ended, .first_tid = T1, .last_tid = T1
	};
	in.answered(in.ctx, &a);
	in.transaction(in.ctx, &a);
	answers(&b, T1);
	believed(1);
	stop();
}

static void another_thread_goes_on(void **state)
{
	for (unsigned how = 0; how < 5; how++) {
		struct transaction t, call;

		start_serving(&t);
		calls(&call, T1);
		pass(1 * MS);
		if (how == 4) { /* it answers, and then comes the response of the call */
			answers(&t, T1);
			pass(1 * MS);
			returns(&call, T1);
		} else {
			returns(&call, how == 0 ? T2 : T1);
			t.request.last_tid = how == 1 ? T2 : T1;
			answers(&t, how == 2 ? T3 : T1);
		}
		if (how == 3)
			believed(1);
		else
			disbelieved(THREAD_FAULT_HANDED);
		stop();
	}
}

static void a_call_outside(void **state)
{
	struct transaction t;

	start_believed();
	assert_false(call_is_linked(T1));
	disbelieved(THREAD_FAULT_OUTSIDE);
	stop();
	start_believed(); /* a thread that calls first and serves later */
	assert_false(call_is_linked(T3));
	believed(1);
	t = reads(T3, 0);
	begin(&t);
	disbelieved(THREAD_FAULT_OUTSIDE);
	answers(&t, T3);
	stop();
}

static void out_of_order(void **state)
{
	struct transaction a, b, call;

	start_believed();
	a = reads(T1, 0);
	begin(&a);
	pass(2 * MS);
	answers(&a, T1);
	now -= 1 * MS;
	b = reads(T1, 0);
	begin(&b);
	disbelieved(THREAD_FAULT_OVERLAP);
	answers(&b, T1);
	stop();
	start_believed();
	a = reads(T1, 0);
	begin(&a);
	now -= 1 * MS;
	calls(&call, T1);
	disbelieved(THREAD_FAULT_ORDER);
	returns(&call, T1);
	assert_false(seen.has_parent);
	answers(&a, T1);
	stop();
}

/* ---- losses ---- */

static void tick(void)
{
	pass(1 * MS);
	trace_tick(trace, now);
}

static void a_loss_takes_what_is_open(void **state)
{
	struct transaction a, b;

	start_believed();
	a = reads(T1, 0);
	begin(&a);
	trace_lost(trace);
	pass(1 * MS);
	assert_false(call_is_linked(T1)); /* it may be at one that was lost */
	b = reads(T2, 0);
	begin(&b);
	assert_false(call_is_linked(T2)); /* nobody knows yet whether it came before or after */
	tick();
	tick();
	assert_false(call_is_linked(T2));
	answers(&b, T2);
	assert_false(call_is_linked(T2)); /* not outside: it may be at a lost one */
	believed(1);
	pass(1 * MS);
	b = reads(T1, 0); /* the end of `a` was lost */
	begin(&b);
	pass(1 * MS);
	assert_true(call_is_linked(T1));
	answers(&b, T1);
	in.transaction(in.ctx, &a);
	believed(1);
	pass(11 * S);
	assert_false(call_is_linked(T1));
	disbelieved(THREAD_FAULT_OUTSIDE);
	stop();
}

static void a_hole_of_the_process(void **state)
{
	struct connection c = { .id = 5, .tgid = 101 };
	struct transaction a;

	start_serving(&a);
	in.lost(in.ctx, &c, SIDE_SERVER); /* another process's */
	c.tgid = 100;
	in.lost(in.ctx, &c, SIDE_CLIENT); /* hides no request */
	assert_true(call_is_linked(T1));
	in.lost(in.ctx, &c, SIDE_SERVER);
	assert_false(call_is_linked(T1));
	answers(&a, T1);
	believed(1);
	stop();
}

/* The connection may be told of late: until then nothing is linked in its process. */
static void what_a_hole_holds_back(void **state)
{
	struct connection c = { .id = 5, .tgid = 100 };
	struct transaction a;

	start_believed();
	in.lost(in.ctx, &c, SIDE_SERVER);
	for (unsigned i = 0; i < 3; i++) {
		a = reads(T1, 0);
		begin(&a);
		assert_int_equal(call_is_linked(T1), i == 2);
		answers(&a, T1);
		pass(1 * S);
	}
	believed(1);
	stop();
}

static void doubt_is_bounded(void **state)
{
	struct doubt *d;

	assert_int_equal(doubt_new(2, &d), 0);
	assert_u64(doubt_until(d, 1), 0);
	doubt_process(d, 1, 10);
	doubt_process(d, 2, 20);
	doubt_process(d, 1, 15);
	assert_u64(doubt_until(d, 1), 15);
	assert_u64(doubt_until(d, 3), 0);
	doubt_process(d, 3, 30); /* the one that lost nothing for the longest time goes */
	assert_u64(doubt_until(d, 2), 20);
	assert_u64(doubt_until(d, 9), 20);
	assert_u64(doubt_until(d, 3), 30);
	doubt_process(d, 0, 40);
	assert_u64(doubt_until(d, 9), 40);
	doubt_all(d);
	assert_u64(doubt_until(d, 9), UINT64_MAX);
	doubt_tick(d, 50); /* may be of before */
	assert_u64(doubt_until(d, 9), UINT64_MAX);
	doubt_tick(d, 60);
	assert_u64(doubt_until(d, 9), 60);
	doubt_free(d);
}

UNIT_MAIN(T(a_second_request_while_one_is_open), T(an_end_that_is_told_late),
	  T(another_thread_goes_on), T(a_call_outside), T(out_of_order),
	  T(a_loss_takes_what_is_open), T(a_hole_of_the_process), T(what_a_hole_holds_back),
	  T(doubt_is_bounded))
