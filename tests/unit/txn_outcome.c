/* SPDX-License-Identifier: Apache-2.0 */
/*
 * txn_outcome.c: who ended an exchange that was not whole, for each way a connection can end and on
 * both sides.
 */
#include <errno.h>

#include "txn_kit.h"

struct how {
	const char *name;
	bool server;
	bool eof;	/* the other end closed and this one read that */
	int rx, tx;	/* errors */
	uint16_t flags; /* PC_F_RESET_* */
	enum outcome expect;
};

static const struct how hows[] = {
	{ "client reads no more: EPIPE", true, false, 0, EPIPE, 0, OUTCOME_CLIENT_GONE },
	{ "client reset, seen by a write", true, false, 0, ECONNRESET, 0, OUTCOME_CLIENT_GONE },
	{ "client reset, seen by a read", true, true, ECONNRESET, 0, 0, OUTCOME_CLIENT_GONE },
	{ "client closed", true, true, 0, 0, 0, OUTCOME_CLIENT_GONE },
	{ "client reset, seen by nobody", true, false, 0, 0, PC_F_RESET_IN, OUTCOME_CLIENT_GONE },
	{ "server closed", true, false, 0, 0, 0, OUTCOME_SERVER_RESET },
	{ "server reset: unread data", true, false, 0, 0, PC_F_RESET_OUT, OUTCOME_SERVER_RESET },
	{ "client closed, then we reset", true, true, 0, 0, PC_F_RESET_OUT, OUTCOME_CLIENT_GONE },
	{ "client unreachable", true, false, 0, ETIMEDOUT, 0, OUTCOME_TIMEOUT },
	{ "timed out on a read", true, true, ETIMEDOUT, 0, 0, OUTCOME_TIMEOUT },
	{ "server closed, client side", false, true, 0, 0, 0, OUTCOME_SERVER_RESET },
	{ "server reset, client side", false, true, ECONNRESET, 0, PC_F_RESET_IN,
	  OUTCOME_SERVER_RESET },
	{ "client gave up, client side", false, false, 0, 0, 0, OUTCOME_CLIENT_GONE },
	{ "client reset, client side", false, false, 0, 0, PC_F_RESET_OUT, OUTCOME_CLIENT_GONE },
	{ "timed out, client side", false, true, ETIMEDOUT, 0, 0, OUTCOME_TIMEOUT },
};

static void begin(struct connection *c, const struct how *h)
{
	struct txn_limits l = kit_limits();

	kit_start(&l);
	*c = kit_conn(7);
	kit.in.open(kit.in.ctx, c, h->server);
	kit_request(c, 0, 10, "GET", "/", NULL, 0);
	kit_end(c, true, 10, 10, 0, MESSAGE_COMPLETE);
	c->told[PC_RX] = h->eof || h->rx;
	c->told[PC_TX] = h->tx;
	c->error[PC_RX] = h->rx;
	c->error[PC_TX] = h->tx;
	c->flags |= h->flags;
	c->end_ns[PC_RX] = c->end_ns[PC_TX] = 99 * MS;
}

static void response_cut(void **state)
{
	for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
		struct connection c;

		begin(&c, &hows[i]);
		kit_response(&c, 0, 20, 200, 0);
		kit_end(&c, false, 60, 60, 40, MESSAGE_CUT);
		assert_int_equal(kit.seen_count, 1);
		if (kit.seen[0].outcome != hows[i].expect)
			fail_msg("%s: %s", hows[i].name, outcome_name(kit.seen[0].outcome));
		assert_u64(kit.seen[0].response.body_bytes, 40);
		assert_int_equal(kit.seen[0].unobserved & UNOBSERVED_RESPONSE_SIZE, 0);
		kit.in.close(kit.in.ctx, &c, STREAM_CLOSE_GONE);
		kit_stop();
	}
}

/* Told by proto as an end without a head, or not at all: the same. */
static void no_response_at_all(void **state)
{
	for (size_t i = 0; i < 2 * sizeof(hows) / sizeof(hows[0]); i++) {
		const struct how *h = &hows[i / 2];
		struct connection c;

		begin(&c, h);
		kit_moved(&c, h->server ? PC_RX : PC_TX, 0, 10,
			  (struct moment){ .time_ns = 9 * MS });
		if (i & 1)
			kit_end(&c, false, 0, 0, 0, MESSAGE_CUT);
		kit.in.close(kit.in.ctx, &c, STREAM_CLOSE_GONE);
		assert_int_equal(kit.seen_count, 1);
		if (kit.seen[0].outcome != h->expect)
			fail_msg("%s: %s", h->name, outcome_name(kit.seen[0].outcome));
		assert_true(kit.seen[0].unobserved & UNOBSERVED_STATUS);
		assert_true(kit.seen[0].unobserved & UNOBSERVED_RESPONSE_SIZE);
		kit_stop();
	}
}

static void duration_without_a_response(void **state)
{
	struct txn_limits l = kit_limits();
	struct connection c = kit_conn(7);

	kit_start(&l);
	kit.in.open(kit.in.ctx, &c, true);
	kit_moved(&c, PC_RX, 0, 10, (struct moment){ .time_ns = 9 * MS, .tgid = 5 });
	kit_request(&c, 0, 10, "GET", "/", NULL, 0);
	kit_end(&c, true, 10, 10, 0, MESSAGE_COMPLETE);
	c.told[PC_RX] = true;
	c.end_ns[PC_TX] = 40 * MS;
	kit.in.close(kit.in.ctx, &c, STREAM_CLOSE_GONE);
	assert_u64(kit.seen[0].duration_ns, 31 * MS);
	assert_int_equal(kit.seen[0].unobserved & UNOBSERVED_END, 0);
	assert_true(kit.seen[0].unobserved & UNOBSERVED_FIRST_BYTE);
	assert_int_equal(kit.seen[0].tgid, 5); /* nobody answered: who read it */
	kit_stop();
}

static void we_stopped_looking(void **state)
{
	static const struct {
		enum stream_close_reason close;
		enum pc_why why;
	} ways[] = {
		{ STREAM_CLOSE_EVICTED, PC_WHY_BUFFER },
		{ STREAM_CLOSE_IDLE, PC_WHY_BUFFER },
		{ STREAM_CLOSE_SHUTDOWN, PC_WHY_SHUTDOWN },
	};

	for (size_t i = 0; i < 3; i++) {
		struct connection c;

		begin(&c, &hows[0]);
		kit.in.close(kit.in.ctx, &c, ways[i].close);
		assert_int_equal(kit.seen[0].outcome, OUTCOME_UNOBSERVED);
		assert_int_equal(kit.seen[0].why, ways[i].why);
		assert_true(kit.seen[0].unobserved & UNOBSERVED_END);
		kit_stop();
	}
}

/* The response may have been in what was lost: nobody is blamed. */
static void lost_bytes_before_the_end(void **state)
{
	struct connection c;

	begin(&c, &hows[0]);
	kit.in.lost(kit.in.ctx, &c, PC_TX, 0, 500, PROTO_LOSS_HOLE, PC_WHY_KERNEL);
	kit.in.close(kit.in.ctx, &c, STREAM_CLOSE_GONE);
	assert_int_equal(kit.seen[0].outcome, OUTCOME_UNOBSERVED);
	assert_int_equal(kit.seen[0].why, PC_WHY_KERNEL);
	kit_stop();
}

/* A whole response is a whole exchange, whatever became of the request's size or the connection. */
static void complete_with_an_unobserved_request_size(void **state)
{
	struct txn_limits l = kit_limits();
	struct connection c = kit_conn(7);

	kit_start(&l);
	kit.in.open(kit.in.ctx, &c, true);
	kit_request(&c, 0, 10, "POST", "/", NULL, 0);
	kit_end(&c, true, 500, 500, 0, MESSAGE_UNOBSERVED);
	c.flags |= PC_F_RESET_OUT;
	kit_response(&c, 0, 20, 200, 0);
	kit_end(&c, false, 20, 20, 0, MESSAGE_COMPLETE);
	assert_int_equal(kit.seen[0].outcome, OUTCOME_COMPLETE);
	assert_int_equal(kit.seen[0].why, PC_WHY_RING);
	assert_true(kit.seen[0].unobserved & UNOBSERVED_REQUEST_SIZE);
	assert_true(kit.seen[0].reset_out);
	kit.in.close(kit.in.ctx, &c, STREAM_CLOSE_GONE);
	kit_stop();
}

static void names_of_all(void **state)
{
	for (unsigned o = 0; o <= OUTCOME_UNOBSERVED; o++)
		assert_non_null(outcome_name(o));
	for (unsigned w = 0; w < PC_WHY_MAX; w++)
		assert_non_null(why_name(w));
}

UNIT_MAIN(T(response_cut), T(no_response_at_all), T(duration_without_a_response),
	  T(we_stopped_looking), T(lost_bytes_before_the_end),
	  T(complete_with_an_unobserved_request_size), T(names_of_all))
