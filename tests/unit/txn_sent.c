/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a response after it was written: acknowledged, sent again, in any order of telling. */
#include "txn_kit.h"

static struct connection c;

static void start(void)
{
	struct txn_limits l = kit_limits();

	kit_start(&l);
	c = kit_conn(7);
	kit.in.open(kit.in.ctx, &c, true);
}

static void stop(void)
{
	kit.in.close(kit.in.ctx, &c, STREAM_CLOSE_GONE);
	kit_stop();
}

/* Exchange n: request read at 10 n + 1 ms, response written at 10 n + 3 ms. */
static void exchange(uint64_t n, bool awaited)
{
	uint64_t at = n * 10 * MS;

	kit_moved(&c, PC_RX, n * 10, 10,
		  (struct moment){ .time_ns = at + MS, .arrival_ns = at + MS });
	kit_moved(&c, PC_TX, n * 20, 20,
		  (struct moment){ .time_ns = at + 3 * MS, .awaited = awaited });
	kit_exchange(&c, n, "/", 200);
}

static void sent(uint64_t pos, uint64_t time_ns, uint32_t again, bool at_most)
{
	struct sent s = { .pos = pos, .time_ns = time_ns, .again = again, .at_most = at_most };

	kit.in.sent(kit.in.ctx, &c, &s);
}

static const struct transaction *seen(unsigned n)
{
	assert_int_equal(kit.seen_count, n + 1);
	return &kit.seen[n];
}

static void waits_for_it(void **state)
{
	start();
	exchange(0, true);
	assert_int_equal(kit.seen_count, 0);
	assert_int_equal(kit.active, 0); /* nobody is served any more */
	sent(19, 40 * MS, 0, false);	 /* not its last octet */
	assert_int_equal(kit.seen_count, 0);
	sent(20, 50 * MS, 0, false);
	assert_u64(seen(0)->acknowledged_ns, 49 * MS);
	assert_u64(seen(0)->acknowledged_at_most_ns, 0);
	assert_u64(seen(0)->duration_ns, 2 * MS);
	assert_int_equal(seen(0)->unobserved, 0);
	assert_true(seen(0)->resent_known);
	assert_int_equal(seen(0)->resent, 0);
	stop();
}

static void told_before_the_octets(void **state)
{
	start();
	sent(20, 50 * MS, 0, false);
	exchange(0, true);
	assert_u64(seen(0)->acknowledged_ns, 49 * MS);
	stop();
}

/* The write of another response took its place: known, but not when. */
static void of_a_later_write(void **state)
{
	start();
	exchange(0, true);
	exchange(1, true);
	sent(40, 60 * MS, 0, false);
	assert_int_equal(kit.seen_count, 2);
	assert_u64(kit.seen[0].acknowledged_ns, 0);
	assert_u64(kit.seen[0].acknowledged_at_most_ns, 59 * MS);
	assert_int_equal(kit.seen[0].unobserved, UNOBSERVED_ACKNOWLEDGED);
	assert_true(kit.seen[0].resent_known);
	assert_u64(kit.seen[1].acknowledged_ns, 49 * MS);
	assert_u64(kit.seen[1].acknowledged_at_most_ns, 0);
	stop();
}

static void at_most(void **state)
{
	start();
	exchange(0, true);
	sent(20, 50 * MS, 0, true);
	assert_u64(seen(0)->acknowledged_ns, 0);
	assert_u64(seen(0)->acknowledged_at_most_ns, 49 * MS);
	stop();
}

/* Stamped on another CPU, a moment before the call returned. */
static void never_before_it_was_written(void **state)
{
	start();
	exchange(0, true);
	sent(20, 2 * MS, 0, false);
	assert_u64(seen(0)->acknowledged_ns, seen(0)->duration_ns);
	stop();
}

static void within_the_call(void **state)
{
	start();
	kit_moved(&c, PC_RX, 0, 10, (struct moment){ .time_ns = MS, .arrival_ns = MS });
	kit_moved(&c, PC_TX, 0, 20, (struct moment){ .time_ns = 3 * MS, .arrived = true });
	kit_exchange(&c, 0, "/", 200);
	assert_u64(seen(0)->acknowledged_ns, 2 * MS);
	assert_true(seen(0)->resent_known);
	stop();
}

static void nobody_waits(void **state)
{
	start();
	exchange(0, false);
	assert_int_equal(seen(0)->unobserved, UNOBSERVED_ACKNOWLEDGED | UNOBSERVED_RESENT);
	assert_false(seen(0)->resent_known);
	stop();
}

static void patience_ends(void **state)
{
	struct txn_limits l = kit_limits();

	start();
	exchange(0, true);
	txn_tick(kit.x, 3 * MS + l.patience_ns - 1);
	assert_int_equal(kit.seen_count, 0);
	txn_tick(kit.x, 3 * MS + l.patience_ns);
	assert_int_equal(seen(0)->outcome, OUTCOME_COMPLETE);
	assert_int_equal(seen(0)->unobserved, UNOBSERVED_ACKNOWLEDGED | UNOBSERVED_RESENT);
	stop();
}

static void connection_ends(void **state)
{
	start();
	exchange(0, true);
	kit.in.close(kit.in.ctx, &c, STREAM_CLOSE_GONE);
	assert_int_equal(seen(0)->outcome, OUTCOME_COMPLETE);
	assert_int_equal(seen(0)->unobserved, UNOBSERVED_ACKNOWLEDGED | UNOBSERVED_RESENT);
	kit_stop();
}

/* CLOSE was read before the octets: what it said is remembered. */
static void close_said_it(void **state)
{
	start();
	c.acked_pos = 20;
	c.closed_ns = 30 * MS;
	exchange(0, true);
	assert_u64(seen(0)->acknowledged_at_most_ns, 29 * MS);
	assert_true(seen(0)->resent_known);
	stop();
}

static void made_room(void **state)
{
	struct txn_limits l = kit_limits();

	l.open = 1;
	kit_start(&l);
	c = kit_conn(7);
	kit.in.open(kit.in.ctx, &c, true);
	exchange(0, true);
	exchange(1, true);
	assert_int_equal(seen(0)->outcome, OUTCOME_COMPLETE); /* all of it was seen */
	assert_int_equal(seen(0)->unobserved, UNOBSERVED_ACKNOWLEDGED | UNOBSERVED_RESENT);
	stop();
}

/* … before one that is still being answered, though it is younger. */
static void made_room_first(void **state)
{
	struct connection slow = kit_conn(8);
	struct txn_limits l = kit_limits();

	l.open = 2;
	kit_start(&l);
	c = kit_conn(7);
	kit.in.open(kit.in.ctx, &slow, true);
	kit.in.open(kit.in.ctx, &c, true);
	kit_request(&slow, 0, 10, "GET", "/slow", NULL, 0);
	kit_end(&slow, true, 10, 10, 0, MESSAGE_COMPLETE);
	exchange(0, true);
	exchange(1, true);
	assert_int_equal(seen(0)->outcome, OUTCOME_COMPLETE);
	kit.in.close(kit.in.ctx, &slow, STREAM_CLOSE_GONE);
	stop();
}

static void sent_again(void **state)
{
	start();
	exchange(0, true);
	sent(0, 20 * MS, 2, false);
	sent(15, 30 * MS, 1, false);
	sent(20, 40 * MS, 1, false); /* behind it: of nobody yet */
	sent(20, 50 * MS, 0, false);
	assert_int_equal(seen(0)->resent, 3);
	exchange(1, true);
	sent(40, 60 * MS, 0, false);
	assert_int_equal(kit.seen[1].resent, 1); /* told before its octets */
	exchange(2, true);
	sent(60, 70 * MS, 0, false);
	assert_int_equal(kit.seen[2].resent, 0);
	assert_true(kit.seen[2].resent_known);
	stop();
}

/* More than a connection keeps: the figure is unobserved, not wrong. */
static void sent_again_too_often(void **state)
{
	start();
	for (uint64_t i = 0; i < 9; i++)
		sent(i, 2 * MS, 1, false);
	exchange(0, true);
	sent(20, 50 * MS, 0, false);
	assert_false(seen(0)->resent_known);
	assert_int_equal(seen(0)->unobserved, UNOBSERVED_RESENT);
	exchange(1, true);
	sent(40, 60 * MS, 0, false);
	assert_true(kit.seen[1].resent_known);
	assert_int_equal(kit.seen[1].resent, 0);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_for_it),
		cmocka_unit_test(told_before_the_octets),
		cmocka_unit_test(of_a_later_write),
		cmocka_unit_test(at_most),
		cmocka_unit_test(never_before_it_was_written),
		cmocka_unit_test(within_the_call),
		cmocka_unit_test(nobody_waits),
		cmocka_unit_test(patience_ends),
		cmocka_unit_test(connection_ends),
		cmocka_unit_test(close_said_it),
		cmocka_unit_test(made_room),
		cmocka_unit_test(made_room_first),
		cmocka_unit_test(sent_again),
		cmocka_unit_test(sent_again_too_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
