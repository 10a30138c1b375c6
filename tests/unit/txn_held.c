/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions that are over, and that the next stage cannot place yet: held, handed out, never lost. */
#include "txn_kit.h"

static struct connection c;

static void start(struct txn_limits l)
{
	kit_start(&l);
	c = kit_conn(7);
	c.start_ns = 77;
	kit.in.open(kit.in.ctx, &c, true);
	txn_tick(kit.x, 1000 * MS);
	kit.early = true;
}

static void exchange(uint64_t n)
{
	kit_moved(&c, PC_RX, n * 10, 10, (struct moment){ .time_ns = 900 * MS });
	kit_moved(&c, PC_TX, n * 20, 20, (struct moment){ .time_ns = 901 * MS });
	kit_exchange(&c, n, "/", 200);
}

static void close(void)
{
	kit.in.close(kit.in.ctx, &c, STREAM_CLOSE_GONE);
	memset(&c, 0xff, sizeof(c)); /* it is another one's now */
}

/* With all that was known of its connection, which has ended. */
static void until_it_is_known(void **state)
{
	start(kit_limits());
	exchange(0);
	close();
	assert_int_equal(kit.active, 0);
	txn_tick(kit.x, 1249 * MS);
	assert_int_equal(kit.seen_count, 0);
	assert_int_equal(kit_stats().open, 1);
	kit.early = false;
	txn_tick(kit.x, 1249 * MS);
	assert_int_equal(kit.seen_count, 1);
	assert_u64(kit.seen[0].connection_id, 7);
	assert_u64(kit.seen[0].established_ns, 77);
	assert_u64(kit.seen[0].duration_ns, MS);
	assert_int_equal(kit.seen[0].status, 200);
	assert_int_equal(kit.seen[0].tgid, 100);
	assert_u64(kit_stats().held, 1);
	kit_stop();
}

static void no_longer_than_that(void **state)
{
	start(kit_limits());
	exchange(0);
	txn_tick(kit.x, 1100 * MS);
	exchange(1);
	txn_tick(kit.x, 1250 * MS);
	assert_int_equal(kit.seen_count, 1);
	assert_int_equal(kit.seen[0].ordinal, 0);
	txn_tick(kit.x, 1349 * MS);
	assert_int_equal(kit.seen_count, 1);
	txn_tick(kit.x, 1350 * MS);
	assert_int_equal(kit.seen_count, 2);
	close();
	kit_stop();
}

/* Others of its connection go on. */
static void the_next_is_not(void **state)
{
	start(kit_limits());
	exchange(0);
	kit.early = false;
	exchange(1);
	assert_int_equal(kit.seen_count, 1);
	assert_int_equal(kit.seen[0].ordinal, 1);
	txn_tick(kit.x, 1001 * MS);
	assert_int_equal(kit.seen_count, 2);
	assert_int_equal(kit.seen[1].ordinal, 0);
	close();
	kit_stop();
}

static void at_the_end_of_input(void **state)
{
	start(kit_limits());
	exchange(0);
	close();
	txn_finish(kit.x);
	assert_int_equal(kit.seen_count, 1);
	kit_stop();
}

static void within_the_bound(void **state)
{
	struct txn_limits l = kit_limits();

	l.open = 8;
	start(l);
	for (uint64_t n = 0; n < 100; n++) {
		exchange(n);
		assert_true(kit_stats().open <= 8);
	}
	assert_int_equal(kit.seen_count, 92);
	for (unsigned i = 0; i < 92; i++) {
		assert_int_equal(kit.seen[i].ordinal, i);
		assert_int_equal(kit.seen[i].outcome, OUTCOME_COMPLETE);
	}
	assert_u64(kit_stats().evicted, 92);
	close();
	txn_free(kit.x); /* eight of them with it */
}

static void clients_that_connect(void **state)
{
	start(kit_limits());
	kit.in.made(kit.in.ctx, &c);
	assert_int_equal(kit.made, 1);
	kit.in.unmade(kit.in.ctx, &c);
	assert_int_equal(kit.unmade, 1);
	close();
	kit_stop();
}

UNIT_MAIN(T(until_it_is_known), T(no_longer_than_that), T(the_next_is_not), T(at_the_end_of_input),
	  T(within_the_bound), T(clients_that_connect))
