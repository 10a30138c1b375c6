/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who moved which octets of a transaction, as told when it begins, when its response has ended, and when it is
 * handed out; and what is told of requests that nobody will hear of.
 */
#include "txn_kit.h"

static struct connection c;
static bool awaited; /* what is written, by the kernel */

static void start(bool server)
{
	struct txn_limits l = kit_limits();

	kit_start(&l);
	awaited = false;
	c = kit_conn(7);
	kit.in.open(kit.in.ctx, &c, server);
}

static void stop(void)
{
	kit.in.close(kit.in.ctx, &c, STREAM_CLOSE_GONE);
	kit_stop();
}

static void moved(enum pc_dir d, uint64_t from, uint64_t len, uint32_t tid, uint64_t ms)
{
	kit_moved(&c, d, from, len,
		  (struct moment){ .time_ns = ms * MS,
				   .arrival_ns = ms * MS,
				   .tgid = 100,
				   .tid = tid,
				   .awaited = d == PC_TX && awaited });
}

/* A head in two parts, a body by a third thread, a response by two more. */
static void each_part_by_another(void **state)
{
	const struct transaction *t = &kit.answered;

	start(true);
	moved(PC_RX, 0, 5, 1, 10);
	moved(PC_RX, 5, 5, 2, 20);
	moved(PC_RX, 10, 10, 3, 30);
	moved(PC_TX, 0, 20, 4, 40);
	moved(PC_TX, 20, 10, 5, 50);
	kit_request(&c, 0, 10, "GET", "/", NULL, 0);
	assert_u64(kit.begun.start_ns, 10 * MS);
	assert_u64(kit.begun.arrival_ns, 10 * MS);
	assert_u64(kit.begun.tid, 1);
	assert_u64(kit.begun.head_tid, 2);
	assert_u64(kit.begun.head_ns, 20 * MS);
	assert_u64(kit.begun.head_tid_before, 0);
	kit_end(&c, true, 20, 20, 10, MESSAGE_COMPLETE);
	kit_response(&c, 0, 20, 200, 0);
	assert_int_equal(kit.answered_count, 0);
	kit_end(&c, false, 30, 30, 10, MESSAGE_COMPLETE);
	assert_int_equal(kit.answered_count, 1);
	for (unsigned i = 0; i < 2; i++, t = &kit.seen[0]) {
		assert_u64(t->request.first_tid, 1);
		assert_u64(t->request.last_tid, 3);
		assert_u64(t->request.last_ns, 30 * MS);
		assert_u64(t->response.first_tid, 4);
		assert_u64(t->response.first_ns, 40 * MS);
		assert_u64(t->response.last_tid, 5);
		assert_u64(t->response.last_ns, 50 * MS);
	}
	moved(PC_RX, 20, 10, 6, 60);
	kit_request(&c, 20, 10, "GET", "/", NULL, 0);
	assert_u64(kit.begun.head_tid_before, 2);
	stop();
}

/* Its acknowledgement may take long; its thread has long gone on. */
static void answered_before_it_is_handed_out(void **state)
{
	struct sent sent = { .pos = 20, .time_ns = 90 * MS };

	start(true);
	awaited = true;
	moved(PC_RX, 0, 10, 1, 10);
	moved(PC_TX, 0, 20, 1, 20);
	kit_exchange(&c, 0, "/", 200);
	assert_int_equal(kit.answered_count, 1);
	assert_int_equal(kit.seen_count, 0);
	kit.in.sent(kit.in.ctx, &c, &sent);
	assert_int_equal(kit.answered_count, 1);
	assert_int_equal(kit.seen_count, 1);
	stop();
}

static void a_tunnel_is_answered_when_it_begins(void **state)
{
	start(true);
	moved(PC_RX, 0, 10, 1, 10);
	moved(PC_TX, 0, 20, 1, 20);
	kit_request(&c, 0, 10, "GET", "/", NULL, 0);
	kit_end(&c, true, 10, 10, 0, MESSAGE_COMPLETE);
	kit_response(&c, 0, 20, 101, 0);
	kit_end(&c, false, 20, 20, 0, MESSAGE_COMPLETE);
	assert_int_equal(kit.answered_count, 1);
	assert_true(kit.answered.flags & TXN_UPGRADED);
	assert_int_equal(kit.seen_count, 0);
	stop();
	assert_int_equal(kit.answered_count, 1);
}

static void not_answered(void **state)
{
	start(true);
	moved(PC_RX, 0, 10, 1, 10);
	kit_request(&c, 0, 10, "GET", "/", NULL, 0);
	kit_end(&c, true, 10, 10, 0, MESSAGE_COMPLETE);
	stop(); /* closed without a response */
	assert_int_equal(kit.answered_count, 0);
	start(false);
	kit_exchange(&c, 0, "/", 200);
	stop(); /* a client's: its thread did not answer */
	assert_int_equal(kit.answered_count, 0);
	start(true);
	moved(PC_RX, 0, 10, 1, 10);
	moved(PC_TX, 0, 10, 1, 20);
	kit_request(&c, 0, 10, "GET", "/", NULL, 0);
	kit_end(&c, true, 10, 10, 0, MESSAGE_COMPLETE);
	kit_response(&c, 0, 10, 200, 0);
	kit_end(&c, false, 20, 20, 0, MESSAGE_UNOBSERVED);
	assert_u64(kit.answered.response.last_ns, 0); /* nobody saw when */
	stop();
}

static void what_is_lost_is_told(void **state)
{
	for (unsigned server = 0; server < 2; server++) {
		start(server);
		kit.in.lost(kit.in.ctx, &c, PC_RX, 0, 10, PROTO_LOSS_HOLE, PC_WHY_RING);
		assert_int_equal(kit.lost[server ? SIDE_SERVER : SIDE_CLIENT], 1);
		kit.in.lost(kit.in.ctx, &c, PC_TX, 0, 10, PROTO_LOSS_NO_REQUEST, PC_WHY_NONE);
		assert_int_equal(kit.lost[0] + kit.lost[1], 1); /* a 408: nothing is missing */
		kit.in.gap(kit.in.ctx, &c, PC_RX);
		assert_int_equal(kit.lost[server ? SIDE_SERVER : SIDE_CLIENT], 2);
		stop();
	}
}

/* Which side it is, or whether it is HTTP, is not known: it may be a server's. */
static void of_a_connection_that_is_not_known(void **state)
{
	struct connection other = kit_conn(8);

	start(true);
	kit.in.gap(kit.in.ctx, &other, PC_TX);
	kit.in.lost(kit.in.ctx, &other, PC_RX, 0, 10, PROTO_LOSS_HOLE, PC_WHY_RING);
	kit.in.lost(kit.in.ctx, &other, PC_RX, 0, 10, PROTO_LOSS_NOT_HTTP, PC_WHY_NONE);
	assert_int_equal(kit.lost[SIDE_SERVER], 2);
	stop();
}

static void a_request_without_memory_is_told(void **state)
{
	struct txn_limits l = kit_limits();
	struct connection other = kit_conn(8);

	l.open = 1;
	kit_start(&l);
	c = kit_conn(7);
	kit.in.open(kit.in.ctx, &c, true);
	kit.in.open(kit.in.ctx, &other, true); /* finds no room */
	kit_request(&other, 0, 10, "GET", "/", NULL, 0);
	assert_int_equal(kit.lost[SIDE_SERVER], 1);
	kit.in.close(kit.in.ctx, &other, STREAM_CLOSE_GONE);
	stop();
	l = kit_limits();
	l.bytes = 1000; /* no transaction fits */
	kit_start(&l);
	kit.in.open(kit.in.ctx, &c, true);
	kit_request(&c, 0, 10, "GET", "/", NULL, 0);
	assert_int_equal(kit.lost[SIDE_SERVER], 1);
	stop();
}

UNIT_MAIN(T(each_part_by_another), T(answered_before_it_is_handed_out),
	  T(a_tunnel_is_answered_when_it_begins), T(not_answered), T(what_is_lost_is_told),
	  T(of_a_connection_that_is_not_known), T(a_request_without_memory_is_told))
