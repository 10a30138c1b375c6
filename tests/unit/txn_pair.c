/* SPDX-License-Identifier: Apache-2.0 */
/*
 * txn_pair.c: which response answers which request: in turn, pipelined, early, passed over, without
 * a request, through tunnels, and around what was evicted or refused.
 */
#include "txn_kit.h"

static void start(struct connection *c)
{
	struct txn_limits l = kit_limits();

	kit_start(&l);
	*c = kit_conn(7);
	kit.in.open(kit.in.ctx, c, true);
}

static void stop(struct connection *c)
{
	kit.in.close(kit.in.ctx, c, STREAM_CLOSE_GONE);
	kit_stop();
}

static void one_after_the_other(void **state)
{
	struct connection c;

	start(&c);
	kit_exchange(&c, 0, "/a?x=1", 200);
	kit_exchange(&c, 1, "/b", 404);
	assert_int_equal(kit.seen_count, 2);
	assert_slice(kit.seen[0].path, "/a");
	assert_slice(kit.seen[0].query, "x=1");
	assert_int_equal(kit.seen[0].status, 200);
	assert_int_equal(kit.seen[0].flags & TXN_REUSED, 0);
	assert_int_equal(kit.seen[1].status, 404);
	assert_true(kit.seen[1].flags & TXN_REUSED);
	assert_int_equal(kit.seen[1].ordinal, 1);
	assert_int_equal(kit.seen[1].outcome, OUTCOME_COMPLETE);
	assert_u64(kit.seen[1].exchange_pos, 10);
	assert_int_equal(kit.seen[1].isn_client, 1000);
	assert_int_equal(kit.seen[1].isn_server, 2000);
	assert_int_equal(kit.active_max, 1);
	stop(&c);
}

static void pipelined_eight_deep(void **state)
{
	struct connection c;
	char target[16];

	start(&c);
	for (unsigned i = 0; i < 8; i++) {
		snprintf(target, sizeof(target), "/p%u", i);
		kit_request(&c, i * 10, 10, "GET", target, NULL, 0);
		kit_end(&c, true, i * 10 + 10, 10, 0, MESSAGE_COMPLETE);
	}
	assert_int_equal(kit.active_max, 8);
	for (unsigned i = 0; i < 8; i++) {
		kit_response(&c, i * 20, 20, (uint16_t)(200 + i), 0);
		kit_end(&c, false, i * 20 + 20, 20, 0, MESSAGE_COMPLETE);
	}
	assert_int_equal(kit.seen_count, 8);
	for (unsigned i = 0; i < 8; i++) {
		assert_int_equal(kit.seen[i].status, 200 + i);
		assert_int_equal(kit.seen[i].path.at[2], '0' + i);
	}
	stop(&c);
}

static void response_before_the_request_ended(void **state)
{
	struct connection c;

	start(&c);
	kit_moved(&c, PC_RX, 0, 50, (struct moment){ .time_ns = 1 * MS });
	kit_moved(&c, PC_TX, 0, 20, (struct moment){ .time_ns = 2 * MS });
	kit_moved(&c, PC_RX, 50, 50, (struct moment){ .time_ns = 3 * MS });
	kit_request(&c, 0, 50, "POST", "/upload", NULL, 0);
	kit_response(&c, 0, 20, 413, 0);
	kit_end(&c, false, 20, 20, 0, MESSAGE_COMPLETE);
	assert_int_equal(kit.seen_count, 0);
	assert_int_equal(kit.active, 0); /* its response has ended */
	kit_end(&c, true, 100, 100, 50, MESSAGE_COMPLETE);
	assert_int_equal(kit.seen_count, 1);
	assert_int_equal(kit.seen[0].outcome, OUTCOME_COMPLETE);
	assert_true(kit.seen[0].flags & TXN_EARLY);
	assert_u64(kit.seen[0].duration_ns, 1 * MS);
	assert_u64(kit.seen[0].request_ns, 2 * MS);
	stop(&c);
}

static void early_response_then_closed(void **state)
{
	struct connection c;

	start(&c);
	kit_request(&c, 0, 50, "POST", "/upload", NULL, 0);
	kit_response(&c, 0, 20, 413, 0);
	kit_end(&c, false, 20, 20, 0, MESSAGE_COMPLETE);
	kit_end(&c, true, 70, 70, 20, MESSAGE_CUT);
	assert_int_equal(kit.seen[0].outcome, OUTCOME_COMPLETE);
	assert_u64(kit.seen[0].request.body_bytes, 20);
	stop(&c);
}

static void passed_over(void **state)
{
	struct connection c;

	start(&c);
	for (unsigned i = 0; i < 3; i++) {
		kit_request(&c, i * 10, 10, "GET", i == 1 ? "/lost" : "/kept", NULL, 0);
		kit_end(&c, true, i * 10 + 10, 10, 0, MESSAGE_COMPLETE);
	}
	kit_response(&c, 0, 20, 200, 0);
	kit_end(&c, false, 20, 20, 0, MESSAGE_COMPLETE);
	kit_end(&c, false, 40, 0, 0, MESSAGE_UNOBSERVED); /* a hole: no head before it */
	kit_response(&c, 40, 20, 204, 0);
	kit_end(&c, false, 60, 20, 0, MESSAGE_COMPLETE);
	assert_int_equal(kit.seen_count, 3);
	assert_slice(kit.seen[1].path, "/lost");
	assert_int_equal(kit.seen[1].outcome, OUTCOME_UNOBSERVED);
	assert_int_equal(kit.seen[1].why, PC_WHY_RING);
	assert_true(kit.seen[1].unobserved & UNOBSERVED_STATUS);
	assert_true(kit.seen[1].unobserved & UNOBSERVED_RESPONSE_SIZE);
	assert_true(kit.seen[1].unobserved & UNOBSERVED_END);
	assert_slice(kit.seen[2].path, "/kept");
	assert_int_equal(kit.seen[2].status, 204);
	stop(&c);
}

static void response_without_a_request(void **state)
{
	struct connection c;

	start(&c);
	kit.in.lost(kit.in.ctx, &c, PC_RX, 0, 10, PROTO_LOSS_HOLE, PC_WHY_IO_URING);
	kit_request(&c, 10, 10, "GET", "/second", NULL, 0);
	kit_end(&c, true, 20, 10, 0, MESSAGE_COMPLETE);
	kit_response(&c, 0, 20, 201, HEAD_METHOD_UNKNOWN);
	kit_end(&c, false, 20, 20, 0, MESSAGE_COMPLETE);
	kit_response(&c, 20, 20, 202, 0);
	kit_end(&c, false, 40, 20, 0, MESSAGE_COMPLETE);
	assert_int_equal(kit.seen_count, 2);
	assert_true(kit.seen[0].unobserved & UNOBSERVED_METHOD);
	assert_true(kit.seen[0].unobserved & UNOBSERVED_EXCHANGE);
	assert_int_equal(kit.seen[0].outcome, OUTCOME_UNOBSERVED);
	assert_int_equal(kit.seen[0].why, PC_WHY_IO_URING);
	assert_int_equal(kit.seen[0].status, 201);
	assert_null(kit.seen[0].method.at);
	assert_slice(kit.seen[1].path, "/second");
	assert_int_equal(kit.seen[1].status, 202);
	stop(&c);
}

/* It may have answered a HEAD, and what was taken for its content been the next one's response. */
static void answer_to_an_unknown_head(void **state)
{
	struct connection c;

	start(&c);
	kit.in.lost(kit.in.ctx, &c, PC_RX, 0, 10, PROTO_LOSS_HOLE, PC_WHY_RING);
	kit_response(&c, 0, 20, 200, HEAD_METHOD_UNKNOWN);
	kit_request(&c, 10, 10, "GET", "/swallowed", NULL, 0);
	kit_end(&c, true, 20, 10, 0, MESSAGE_COMPLETE);
	kit_end(&c, false, 60, 60, 40, MESSAGE_CUT);
	assert_true(kit.seen[0].unobserved & UNOBSERVED_RESPONSE_SIZE);
	kit.in.close(kit.in.ctx, &c, STREAM_CLOSE_GONE);
	assert_slice(kit.seen[1].path, "/swallowed");
	assert_int_equal(kit.seen[1].outcome, OUTCOME_UNOBSERVED); /* nobody is blamed */
	assert_int_equal(kit.seen[1].why, PC_WHY_RING);
	kit_stop();
	/* No content: nothing to doubt. */
	start(&c);
	kit_response(&c, 0, 20, 204, HEAD_METHOD_UNKNOWN);
	kit_end(&c, false, 20, 20, 0, MESSAGE_COMPLETE);
	assert_int_equal(kit.seen[0].unobserved & UNOBSERVED_RESPONSE_SIZE, 0);
	stop(&c);
}

static void interim_responses(void **state)
{
	struct connection c;
	struct head h = { .status = 100 };

	start(&c);
	kit_request(&c, 0, 10, "PUT", "/a", NULL, 0);
	kit.in.interim(kit.in.ctx, &c, &h);
	h.status = 103;
	kit.in.interim(kit.in.ctx, &c, &h);
	kit_end(&c, true, 20, 20, 10, MESSAGE_COMPLETE);
	kit_response(&c, 50, 20, 201, 0);
	kit_end(&c, false, 70, 20, 0, MESSAGE_COMPLETE);
	assert_int_equal(kit.seen[0].interim, 2);
	assert_true(kit.seen[0].flags & TXN_CONTINUE);
	assert_int_equal(kit.seen[0].status, 201);
	stop(&c);
}

static void tunnel(void **state)
{
	struct connection c;

	start(&c);
	kit_moved(&c, PC_RX, 0, 10, (struct moment){ .time_ns = 1 * MS });
	kit_moved(&c, PC_TX, 0, 20, (struct moment){ .time_ns = 2 * MS });
	kit_moved(&c, PC_TX, 20, 5, (struct moment){ .time_ns = 9 * MS });
	kit_moved(&c, PC_RX, 10, 7, (struct moment){ .time_ns = 5 * MS });
	kit_request(&c, 0, 10, "GET", "/ws", NULL, 0);
	kit_end(&c, true, 10, 10, 0, MESSAGE_COMPLETE);
	kit_response(&c, 0, 20, 101, 0);
	kit_end(&c, false, 20, 20, 0, MESSAGE_COMPLETE);
	kit.in.tunnel(kit.in.ctx, &c, PC_TX, 5);
	kit.in.tunnel(kit.in.ctx, &c, PC_RX, 7);
	assert_int_equal(kit.seen_count, 0);
	assert_int_equal(kit.active, 1);
	kit.in.close(kit.in.ctx, &c, STREAM_CLOSE_GONE);
	assert_int_equal(kit.seen_count, 1);
	assert_int_equal(kit.seen[0].outcome, OUTCOME_COMPLETE);
	assert_true(kit.seen[0].flags & TXN_UPGRADED);
	assert_u64(kit.seen[0].tunnel_bytes[PC_TX], 5);
	assert_u64(kit.seen[0].tunnel_bytes[PC_RX], 7);
	assert_u64(kit.seen[0].duration_ns, 8 * MS);
	assert_u64(kit.seen[0].first_byte_ns, 1 * MS);
	kit_stop();
}

static void tunnel_when_the_agent_ends(void **state)
{
	struct connection c;

	start(&c);
	kit_request(&c, 0, 10, "GET", "/ws", NULL, 0);
	kit_end(&c, true, 10, 10, 0, MESSAGE_COMPLETE);
	kit_response(&c, 0, 20, 101, 0);
	kit_end(&c, false, 20, 20, 0, MESSAGE_COMPLETE);
	kit.in.close(kit.in.ctx, &c, STREAM_CLOSE_SHUTDOWN);
	assert_int_equal(kit.seen[0].outcome, OUTCOME_UNOBSERVED);
	assert_int_equal(kit.seen[0].why, PC_WHY_SHUTDOWN);
	assert_string_equal(why_name(kit.seen[0].why), "shutdown");
	kit_stop();
}

/* Two open at most: the half-sent request goes first although it is younger. */
static void eviction(void **state)
{
	struct txn_limits l = kit_limits();
	struct connection a = kit_conn(1), b = kit_conn(2);

	l.open = 2;
	kit_start(&l);
	kit.in.open(kit.in.ctx, &a, true);
	kit.in.open(kit.in.ctx, &b, true);
	kit_request(&a, 0, 10, "GET", "/whole", NULL, 0);
	kit_end(&a, true, 10, 10, 0, MESSAGE_COMPLETE);
	kit_request(&b, 0, 10, "POST", "/half", NULL, 0);
	kit_request(&a, 10, 10, "GET", "/next", NULL, 0);
	kit_end(&a, true, 20, 10, 0, MESSAGE_COMPLETE);
	assert_int_equal(kit.seen_count, 1);
	assert_slice(kit.seen[0].path, "/half");
	assert_int_equal(kit.seen[0].why, PC_WHY_BUFFER);
	/* The rest of the evicted request and its response fall into the gap. */
	kit_end(&b, true, 30, 30, 20, MESSAGE_COMPLETE);
	kit_response(&b, 0, 20, 500, 0);
	kit_end(&b, false, 20, 20, 0, MESSAGE_COMPLETE);
	assert_int_equal(kit.seen_count, 1);
	/* The next on that connection is right again, at the cost of the oldest. */
	kit_exchange(&b, 3, "/after", 202);
	assert_slice(kit.seen[1].path, "/whole");
	assert_int_equal(kit.seen[1].outcome, OUTCOME_UNOBSERVED);
	assert_slice(kit.seen[2].path, "/after");
	assert_int_equal(kit.seen[2].status, 202);
	/* The response of the evicted /whole passes; /next gets its own. */
	kit_response(&a, 0, 20, 500, 0);
	kit_end(&a, false, 20, 20, 0, MESSAGE_COMPLETE);
	kit_response(&a, 20, 20, 203, 0);
	kit_end(&a, false, 40, 20, 0, MESSAGE_COMPLETE);
	assert_slice(kit.seen[3].path, "/next");
	assert_int_equal(kit.seen[3].status, 203);
	assert_u64(kit_stats().evicted, 2);
	kit.in.close(kit.in.ctx, &a, STREAM_CLOSE_GONE);
	kit.in.close(kit.in.ctx, &b, STREAM_CLOSE_GONE);
	kit_stop();
}

/* A target that no memory within the bound can hold is one counted, unobserved transaction. */
static void too_large_for_the_bound(void **state)
{
	struct txn_limits l = kit_limits();
	struct connection c = kit_conn(1);
	static char target[60001];

	l.bytes = 8000;
	memset(target, 'a', sizeof(target) - 1);
	target[0] = '/';
	kit_start(&l);
	kit.in.open(kit.in.ctx, &c, true);
	kit_exchange(&c, 0, target, 200);
	assert_int_equal(kit.seen_count, 1);
	assert_int_equal(kit.seen[0].outcome, OUTCOME_UNOBSERVED);
	assert_int_equal(kit.seen[0].why, PC_WHY_BUFFER);
	assert_true(kit.seen[0].unobserved & UNOBSERVED_METHOD); /* half of a head is none */
	kit_exchange(&c, 1, "/small", 200);
	assert_slice(kit.seen[1].path, "/small");
	kit.in.close(kit.in.ctx, &c, STREAM_CLOSE_GONE);
	kit_stop();
}

static void more_connections_than_the_bound(void **state)
{
	struct txn_limits l = kit_limits();
	struct connection a = kit_conn(1), b = kit_conn(2);
	struct txn_stats s;

	l.open = 1;
	kit_start(&l);
	kit.in.open(kit.in.ctx, &a, true);
	kit.in.open(kit.in.ctx, &b, true);
	kit_exchange(&b, 0, "/nowhere", 200);
	s = kit_stats();
	assert_int_equal(kit.seen_count, 0);
	assert_u64(s.refused, 1);
	assert_u64(s.closed[OUTCOME_UNOBSERVED], 1);
	kit.in.close(kit.in.ctx, &b, STREAM_CLOSE_GONE);
	kit.in.close(kit.in.ctx, &a, STREAM_CLOSE_GONE);
	kit_stop();
}

/* Any order of calls that proto may make leaves the sum right and no memory behind. */
static void random_calls(void **state)
{
	struct txn_limits l = kit_limits();
	struct connection c[8];
	unsigned seed = 1;

	l.open = 12;
	kit_start(&l);
	for (unsigned i = 0; i < 8; i++) {
		c[i] = kit_conn(i + 1);
		kit.in.open(kit.in.ctx, &c[i], i & 1);
	}
	for (unsigned i = 0; i < 200000; i++) {
		unsigned what = (unsigned)rand_r(&seed);
		struct connection *at = &c[what >> 8 & 7];
		enum message_outcome outcome = what >> 12 & 3;

		switch (what % 6) {
		case 0:
			kit_request(at, i, 10, "GET", "/r/1?q", NULL, 0);
			break;
		case 1:
			kit_end(at, true, i + 10, 10, 0, outcome);
			break;
		case 2:
			kit_response(at, i, 10, 200, what & 0x10000 ? HEAD_METHOD_UNKNOWN : 0);
			break;
		case 3:
			kit_end(at, false, i + 10, 10, 0, outcome);
			break;
		case 4:
			kit.in.lost(kit.in.ctx, at, what >> 9 & 1, i, 5, PROTO_LOSS_HOLE,
				    PC_WHY_RING);
			break;
		case 5:
			if (what & 0x70000)
				break;
			kit.in.close(kit.in.ctx, at, what >> 20 & 3);
			kit.in.open(kit.in.ctx, at, what & 0x80000);
			break;
		}
		kit.text_len = 0;
		kit_stats();
	}
	for (unsigned i = 0; i < 8; i++)
		kit.in.close(kit.in.ctx, &c[i], STREAM_CLOSE_GONE);
	assert_true(kit_stats().opened > 1000);
	kit_stop();
}

UNIT_MAIN(T(one_after_the_other), T(pipelined_eight_deep), T(response_before_the_request_ended),
	  T(early_response_then_closed), T(passed_over), T(response_without_a_request),
	  T(answer_to_an_unknown_head), T(interim_responses), T(tunnel),
	  T(tunnel_when_the_agent_ends), T(eviction), T(too_large_for_the_bound),
	  T(more_connections_than_the_bound), T(random_calls))
