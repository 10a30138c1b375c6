/* SPDX-License-Identifier: Apache-2.0 */
/*
 * txn_times.c: durations, first byte, wait, and what is said when a time was not seen or two clocks
 * disagree. Nothing is ever negative, nothing is made up.
 */
#include "txn_kit.h"

static struct connection c;

static void start(bool server)
{
	struct txn_limits l = kit_limits();

	kit_start(&l);
	c = kit_conn(7);
	kit.in.open(kit.in.ctx, &c, server);
}

static const struct transaction *last(void)
{
	assert_true(kit.seen_count > 0);
	return &kit.seen[kit.seen_count - 1];
}

static void stop(void)
{
	kit.in.close(kit.in.ctx, &c, STREAM_CLOSE_GONE);
	kit_stop();
}

static void server_side(void **state)
{
	start(true);
	kit_moved(&c, PC_RX, 0, 10, (struct moment){ .time_ns = 60 * MS, .arrival_ns = 10 * MS });
	kit_moved(
		&c, PC_TX, 0, 20,
		(struct moment){ .time_ns = 100 * MS, .begin_ns = 90 * MS, .tgid = 55, .tid = 56 });
	kit_exchange(&c, 0, "/", 200);
	assert_u64(last()->start_ns, 60 * MS);
	assert_u64(last()->wait_ns, 50 * MS);
	assert_u64(last()->duration_ns, 40 * MS);
	assert_u64(last()->first_byte_ns, 30 * MS);
	assert_u64(last()->request_ns, 0);
	assert_int_equal(last()->tgid, 55); /* who wrote the response */
	assert_int_equal(last()->tid, 56);
	assert_int_equal(last()->unobserved, UNOBSERVED_ACKNOWLEDGED | UNOBSERVED_RESENT);
	assert_null(last()->process); /* nobody told its name */
	stop();
}

static void client_side(void **state)
{
	start(false);
	c.flags = PC_F_ACTIVE;
	kit_moved(&c, PC_TX, 0, 10,
		  (struct moment){ .time_ns = 12 * MS, .begin_ns = 10 * MS, .tgid = 55 });
	kit_moved(&c, PC_RX, 0, 20, (struct moment){ .time_ns = 30 * MS, .arrival_ns = 25 * MS });
	kit_exchange(&c, 0, "/", 200);
	assert_u64(last()->start_ns, 10 * MS);
	assert_u64(last()->duration_ns, 20 * MS);
	assert_u64(last()->first_byte_ns, 20 * MS);
	assert_u64(last()->wait_ns, 0);
	assert_int_equal(last()->unobserved & UNOBSERVED_WAIT, 0); /* a client has none */
	assert_int_equal(last()->tgid, 55);			   /* who wrote the request */
	assert_int_equal(last()->isn_client, 2000);
	assert_int_equal(last()->server_port, 40000);
	stop();
}

static void blocked_write(void **state)
{
	start(true);
	kit_moved(&c, PC_RX, 0, 10, (struct moment){ .time_ns = 1 * MS, .arrival_ns = 1 * MS });
	kit_moved(&c, PC_TX, 0, 20, (struct moment){ .time_ns = 150 * MS, .blocked = true });
	kit_exchange(&c, 0, "/6MB", 200);
	assert_true(last()->unobserved & UNOBSERVED_FIRST_BYTE);
	assert_u64(last()->first_byte_ns, 0);
	assert_u64(last()->duration_ns, 149 * MS);
	stop();
}

/* Two responses in one write that blocked: only its first byte's time is known. */
static void blocked_write_of_two(void **state)
{
	start(true);
	kit_moved(&c, PC_RX, 0, 20, (struct moment){ .time_ns = 1 * MS });
	kit_moved(&c, PC_TX, 0, 40,
		  (struct moment){ .time_ns = 150 * MS,
				   .begin_ns = 2 * MS,
				   .blocked = true,
				   .call_start = true,
				   .to = 40 });
	kit_exchange(&c, 0, "/first", 200);
	assert_u64(last()->first_byte_ns, 1 * MS);
	kit_exchange(&c, 1, "/second", 200);
	assert_true(last()->unobserved & UNOBSERVED_FIRST_BYTE);
	assert_u64(last()->duration_ns, 149 * MS);
	stop();
}

/* A client's write that may have blocked has no known beginning: no start, no duration. */
static void blocked_request(void **state)
{
	start(false);
	kit_moved(&c, PC_TX, 0, 10, (struct moment){ .time_ns = 50 * MS, .blocked = true });
	kit_moved(&c, PC_RX, 0, 20, (struct moment){ .time_ns = 60 * MS });
	kit_exchange(&c, 0, "/", 200);
	assert_int_equal(last()->unobserved & (UNOBSERVED_START | UNOBSERVED_END),
			 UNOBSERVED_START | UNOBSERVED_END);
	assert_true(last()->unobserved & UNOBSERVED_FIRST_BYTE);
	stop();
}

static void short_write_without_begin(void **state)
{
	start(true);
	kit_moved(&c, PC_RX, 0, 10, (struct moment){ .time_ns = 1 * MS });
	kit_moved(&c, PC_TX, 0, 20, (struct moment){ .time_ns = 3 * MS });
	kit_exchange(&c, 0, "/", 200);
	assert_u64(last()->first_byte_ns, 2 * MS);
	assert_true(last()->unobserved & UNOBSERVED_WAIT); /* arrival was not seen */
	stop();
}

static void nothing_observed(void **state)
{
	start(true);
	kit_exchange(&c, 0, "/", 200);
	assert_int_equal(last()->unobserved, UNOBSERVED_START | UNOBSERVED_END |
						     UNOBSERVED_FIRST_BYTE | UNOBSERVED_WAIT |
						     UNOBSERVED_REQUEST_END | UNOBSERVED_PROCESS |
						     UNOBSERVED_ACKNOWLEDGED | UNOBSERVED_RESENT);
	assert_int_equal(last()->outcome, OUTCOME_COMPLETE); /* all of it was seen but its times */
	stop();
}

static void clocks_that_disagree(void **state)
{
	start(true);
	/* A little: another thread answered before the reader's call was stamped. */
	kit_moved(&c, PC_RX, 0, 10,
		  (struct moment){ .time_ns = 10 * MS, .arrival_ns = 10 * MS + 5 });
	kit_moved(&c, PC_TX, 0, 20, (struct moment){ .time_ns = 10 * MS - 300000 });
	kit_exchange(&c, 0, "/", 200);
	assert_u64(last()->duration_ns, 0);
	assert_u64(last()->wait_ns, 0);
	assert_int_equal(last()->unobserved & UNOBSERVED_END, 0);
	assert_true(last()->flags & TXN_UNCERTAIN);
	/* Much: no value is right. */
	kit_moved(&c, PC_RX, 10, 10, (struct moment){ .time_ns = 50 * MS });
	kit_moved(&c, PC_TX, 20, 20, (struct moment){ .time_ns = 40 * MS });
	kit_exchange(&c, 1, "/", 200);
	assert_true(last()->unobserved & UNOBSERVED_END);
	assert_true(last()->flags & TXN_UNCERTAIN);
	stop();
}

static void uncertain_moment(void **state)
{
	start(true);
	kit_moved(&c, PC_RX, 0, 10, (struct moment){ .time_ns = 1 * MS, .uncertain = true });
	kit_exchange(&c, 0, "/", 200);
	assert_true(last()->flags & TXN_UNCERTAIN);
	stop();
}

/* Two requests in one read: the second had arrived 30 ms later, and both before the first response. */
static void pipelined_by_time(void **state)
{
	start(true);
	kit_moved(&c, PC_RX, 0, 10, (struct moment){ .time_ns = 60 * MS, .arrival_ns = 10 * MS });
	kit_moved(&c, PC_RX, 10, 10, (struct moment){ .time_ns = 60 * MS, .arrival_ns = 40 * MS });
	kit_moved(&c, PC_TX, 0, 20, (struct moment){ .time_ns = 70 * MS });
	kit_moved(&c, PC_TX, 20, 20, (struct moment){ .time_ns = 80 * MS });
	kit_exchange(&c, 0, "/1", 200);
	assert_u64(last()->wait_ns, 50 * MS);
	assert_int_equal(last()->flags & TXN_PIPELINED, 0);
	kit_exchange(&c, 1, "/2", 200);
	assert_u64(last()->wait_ns, 20 * MS);
	assert_true(last()->flags & TXN_PIPELINED);
	/* In turn, although the first write returns after the next request arrived. */
	kit_moved(&c, PC_RX, 20, 10, (struct moment){ .time_ns = 85 * MS, .arrival_ns = 85 * MS });
	kit_moved(&c, PC_TX, 40, 20, (struct moment){ .time_ns = 92 * MS, .begin_ns = 90 * MS });
	kit_moved(&c, PC_RX, 30, 10, (struct moment){ .time_ns = 93 * MS, .arrival_ns = 91 * MS });
	kit_exchange(&c, 2, "/3", 200);
	assert_int_equal(last()->flags & TXN_PIPELINED, 0);
	kit_exchange(&c, 3, "/4", 200);
	assert_int_equal(last()->flags & TXN_PIPELINED, 0);
	stop();
}

/* Until the connection ends: the time of the last octet is not asked for at the end. */
static void close_delimited(void **state)
{
	struct head h = { .size = 20, .status = 200, .framing = FRAMING_CLOSE };
	struct range r = { .pos = 20, .len = 100 };

	start(true);
	kit_moved(&c, PC_RX, 0, 10, (struct moment){ .time_ns = 1 * MS });
	kit_moved(&c, PC_TX, 0, 120, (struct moment){ .time_ns = 5 * MS });
	kit_request(&c, 0, 10, "GET", "/", NULL, 0);
	kit_end(&c, true, 10, 10, 0, MESSAGE_COMPLETE);
	kit.in.response(kit.in.ctx, &c, &h);
	kit.in.content(kit.in.ctx, &c, false, &r);
	kit.piece_count = 0;
	kit_end(&c, false, 120, 120, 100, MESSAGE_COMPLETE);
	assert_u64(last()->duration_ns, 4 * MS);
	assert_u64(last()->response.body_bytes, 100);
	assert_u64(last()->response.wire_bytes, 120);
	stop();
}

static void end_in_a_hole(void **state)
{
	start(true);
	kit_moved(&c, PC_RX, 0, 10, (struct moment){ .time_ns = 1 * MS });
	kit_moved(&c, PC_TX, 0, 20, (struct moment){ .time_ns = 2 * MS });
	kit_request(&c, 0, 10, "GET", "/", NULL, 0);
	kit_end(&c, true, 10, 10, 0, MESSAGE_COMPLETE);
	kit_response(&c, 0, 20, 200, 0);
	kit_end(&c, false, 120, 120, 100, MESSAGE_COMPLETE); /* by its Content-Length */
	assert_true(last()->unobserved & UNOBSERVED_END);
	assert_u64(last()->first_byte_ns, 1 * MS);
	assert_u64(last()->response.body_bytes, 100);
	assert_int_equal(last()->outcome, OUTCOME_COMPLETE);
	stop();
}

UNIT_MAIN(T(server_side), T(client_side), T(blocked_write), T(blocked_write_of_two),
	  T(blocked_request), T(short_write_without_begin), T(nothing_observed),
	  T(clocks_that_disagree), T(uncertain_moment), T(pipelined_by_time), T(close_delimited),
	  T(end_in_a_hole))
