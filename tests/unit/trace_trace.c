/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_trace.c: ids of both ends, parents by header and by link, sampling.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "trace/trace.h"

#define F(n, v)                                                                                    \
	{                                                                                          \
		{ n, sizeof(n) - 1 },                                                              \
		{                                                                                  \
			v, sizeof(v) - 1                                                           \
		}                                                                                  \
	}
#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"

static struct transaction seen;
static struct trace *trace;

static void keep(void *ctx, struct transaction *t)
{
	seen = *t;
}

static void start(struct trace_options o)
{
	struct txn_sink sink = { .transaction = keep };

	o.connections = 100;
	assert_int_equal(trace_new(&o, &sink, &trace), 0);
}

static struct trace_stats stop(void)
{
	struct trace_stats s;

	trace_stats(trace, &s);
	trace_free(trace);
	return s;
}

static struct connection end_of(enum side side, uint64_t id)
{
	struct connection c = { .id = id, .flags = PC_F_ACTIVE };

	c.isn[side == SIDE_SERVER ? PC_RX : PC_TX] = 111;
	c.isn[side == SIDE_SERVER ? PC_TX : PC_RX] = 222;
	return c;
}

static struct transaction exchange(enum side side, uint64_t pos)
{
	return (struct transaction){ .side = side,
				     .outcome = OUTCOME_COMPLETE,
				     .status = 200,
				     .connection_id = side == SIDE_SERVER ? 5 : 6,
				     .isn_client = 111,
				     .isn_server = 222,
				     .exchange_pos = pos,
				     .request = { .seen = true, .pos = pos },
				     .response = { .seen = true } };
}

static struct transaction push(struct transaction t)
{
	struct txn_sink in = trace_txn_sink(trace);

	in.transaction(in.ctx, &t);
	return seen;
}

static void both_ends_agree(void **state)
{
	struct connection c = end_of(SIDE_CLIENT, 6);
	struct transaction client, server, next;
	struct trace_stats s;

	start((struct trace_options){ .sampler = SAMPLER_ON });
	trace_open(trace, &c, SIDE_CLIENT);
	client = push(exchange(SIDE_CLIENT, 0));
	server = push(exchange(SIDE_SERVER, 0));
	next = push(exchange(SIDE_SERVER, 100));
	assert_memory_equal(client.trace_id, server.trace_id, 16);
	assert_memory_not_equal(client.span_id, server.span_id, 8);
	assert_true(server.has_parent);
	assert_memory_equal(server.parent_id, client.span_id, 8);
	assert_false(client.has_parent);
	assert_memory_not_equal(next.trace_id, server.trace_id, 16);
	assert_memory_not_equal(next.span_id, server.span_id, 8);
	s = stop();
	assert_u64(s.parent_linked, 2);
	assert_u64(s.sampled, 3);
}

/* The ids are a contract between versions and hosts: computed apart, by another SipHash-1-3. */
static void ids_never_change(void **state)
{
	static const uint8_t trace_id[16] = { 0xf4, 0x30, 0x08, 0x27, 0x61, 0x8f, 0xac, 0x26,
					      0x0f, 0x15, 0xbd, 0x51, 0xa5, 0xa8, 0x24, 0xe2 };
	static const uint8_t span_id[8] = { 0xc6, 0xe3, 0xa6, 0x3d, 0x6f, 0xb9, 0xa0, 0x90 };

	start((struct trace_options){ .sampler = SAMPLER_ON });
	push(exchange(SIDE_SERVER, 0));
	assert_memory_equal(seen.trace_id, trace_id, 16);
	assert_memory_equal(seen.span_id, span_id, 8);
	stop();
}

static void no_parent_that_nobody_sends(void **state)
{
	struct connection c = end_of(SIDE_CLIENT, 6), s = end_of(SIDE_SERVER, 5);

	start((struct trace_options){ .sampler = SAMPLER_ON });
	trace_open(trace, &s, SIDE_SERVER);
	assert_false(push(exchange(SIDE_SERVER, 0)).has_parent);
	trace_open(trace, &c, SIDE_CLIENT);
	trace_close(trace, &s);
	assert_true(push(exchange(SIDE_SERVER, 0)).has_parent);
	/* The client closed; its server's transaction is still on its way for a while. */
	trace_tick(trace, 1000);
	trace_close(trace, &c);
	assert_true(push(exchange(SIDE_SERVER, 0)).has_parent);
	trace_tick(trace, 15000000999);
	assert_true(push(exchange(SIDE_SERVER, 0)).has_parent);
	trace_tick(trace, 15000001000);
	assert_false(push(exchange(SIDE_SERVER, 0)).has_parent);
	stop();
}

static void links_are_bounded(void **state)
{
	struct connection c = end_of(SIDE_CLIENT, 6);

	start((struct trace_options){ .sampler = SAMPLER_ON });
	for (uint32_t i = 0; i < 1000; i++) {
		c.isn[PC_TX] = 1000 + i;
		trace_open(trace, &c, SIDE_CLIENT);
		if (i & 1)
			trace_close(trace, &c);
	}
	stop();
}

static void unix_sockets(void **state)
{
	struct connection c = { .id = 6 };
	struct transaction client = exchange(SIDE_CLIENT, 10), server = exchange(SIDE_SERVER, 10);

	client.unobserved = server.unobserved = UNOBSERVED_EXCHANGE;
	server.peer_id = 6;
	start((struct trace_options){ .sampler = SAMPLER_ON, .secret = { 1 } });
	server = push(server);
	assert_false(server.has_parent);
	trace_open(trace, &c, SIDE_CLIENT);
	client = push(client);
	server = push(server);
	assert_true(server.has_parent);
	assert_memory_equal(server.parent_id, client.span_id, 8);
	assert_memory_equal(server.trace_id, client.trace_id, 16);
	stop();
	/* Another host has the same small numbers, and another secret. */
	start((struct trace_options){ .sampler = SAMPLER_ON, .secret = { 2 } });
	assert_memory_not_equal(push(client).trace_id, client.trace_id, 16);
	stop();
}

static bool is_early(struct transaction t)
{
	struct txn_sink in = trace_txn_sink(trace);

	return in.early(in.ctx, &t);
}

static void begins(struct transaction t)
{
	struct txn_sink in = trace_txn_sink(trace);

	in.begin(in.ctx, &t);
}

/* That a client is watched is known since it connected; what it wrote, since its call returned. */
static void what_is_waited_for(void **state)
{
	struct connection c = end_of(SIDE_CLIENT, 6);
	struct txn_sink in;

	start((struct trace_options){ .sampler = SAMPLER_ON });
	in = trace_txn_sink(trace);
	assert_false(is_early(exchange(SIDE_SERVER, 0))); /* nobody is known */
	in.made(in.ctx, &c);
	assert_false(is_early(exchange(SIDE_CLIENT, 0)));
	assert_true(is_early(exchange(SIDE_SERVER, 0)));
	begins(exchange(SIDE_CLIENT, 0));
	assert_false(is_early(exchange(SIDE_SERVER, 0)));
	assert_true(is_early(exchange(SIDE_SERVER, 100)));
	in.unmade(in.ctx,
		  &c); /* closed, or no HTTP as far as we see: it is a client all the same */
	assert_true(is_early(exchange(SIDE_SERVER, 100)));
	assert_true(push(exchange(SIDE_SERVER, 100)).has_parent);
	assert_false(is_early(exchange(SIDE_SERVER, 200))); /* it was too late once */
	stop();
}

/* Whose client may be of this host: connections of before us and Unix sockets, their first request. */
static void a_client_that_may_come(void **state)
{
	struct connection s = end_of(SIDE_SERVER, 5);
	struct transaction t = exchange(SIDE_SERVER, 0), u = t;

	start((struct trace_options){ .sampler = SAMPLER_ON });
	s.opened = true;
	s.family = t.family = 2;
	s.local = t.local = (struct pc_addr){ .ip = { [10] = 0xff, 0xff, 10, 0, 0, 1 } };
	trace_open(trace, &s, SIDE_SERVER);
	t.remote = (struct pc_addr){ .ip = { [10] = 0xff, 0xff, 10, 0, 0, 2 } };
	t.flags = TXN_JOINED;
	assert_false(is_early(t)); /* another host's */
	t.remote.ip[15] = 1;
	assert_true(is_early(t));
	t.remote = (struct pc_addr){ .ip = { [10] = 0xff, 0xff, 127, 0, 0, 1 } };
	assert_true(is_early(t));
	t.ordinal = 1;
	assert_false(is_early(t));
	t.ordinal = 0;
	t.flags = 0;
	assert_false(is_early(t)); /* it would be known */
	u.family = 1;
	u.unobserved = UNOBSERVED_EXCHANGE;
	assert_false(is_early(u));
	u.peer_id = 6;
	assert_true(is_early(u));
	stop();
}

static void unnamed_are_told_apart(void **state)
{
	struct transaction a = exchange(SIDE_SERVER, 10), b = a, c = a;

	a.unobserved = b.unobserved = c.unobserved = UNOBSERVED_EXCHANGE;
	b.connection_id = 99;
	c.request.seen = false;
	c.response.pos = 10;
	start((struct trace_options){ .sampler = SAMPLER_ON });
	a = push(a);
	b = push(b);
	c = push(c);
	assert_memory_not_equal(a.trace_id, b.trace_id, 16);
	assert_memory_not_equal(a.trace_id, c.trace_id, 16);
	assert_false(a.has_parent || b.has_parent || c.has_parent);
	stop();
}

static void header_is_honoured(void **state)
{
	static const struct field fields[] = { F("traceparent", PARENT "1"), F("tracestate", "a=1"),
					       F("tracestate", "b=2") };
	struct connection c = end_of(SIDE_CLIENT, 6);
	struct transaction t = exchange(SIDE_SERVER, 0);
	struct trace_stats s;

	t.request.fields = fields;
	t.request.field_count = 3;
	start((struct trace_options){ .sampler = SAMPLER_OFF, .parent_based = true });
	trace_open(trace, &c, SIDE_CLIENT);
	push(t);
	assert_int_equal(seen.trace_id[0], 0x0a);
	assert_int_equal(seen.parent_id[0], 0xb7);
	assert_true(seen.has_parent && seen.sampled);
	assert_slice(seen.traceparent, PARENT "1");
	assert_slice(seen.tracestate, "a=1,b=2");
	s = stop();
	assert_u64(s.parent_header, 1);
	assert_u64(s.parent_linked, 0);
}

static void bad_header_is_absent(void **state)
{
	static const struct field twice[] = { F("traceparent", PARENT "1"),
					      F("traceparent", PARENT "1"),
					      F("tracestate", "a=1") };
	static const struct field bad[] = { F("traceparent", "00-xyz"), F("tracestate", "a=1") };
	static const struct field bad_state[] = { F("traceparent", PARENT "0"),
						  F("tracestate", "A=1") };
	struct transaction t = exchange(SIDE_SERVER, 0);

	start((struct trace_options){ .sampler = SAMPLER_ON, .parent_based = true });
	t.request.fields = twice;
	t.request.field_count = 3;
	push(t);
	assert_false(seen.has_parent);
	assert_null(seen.traceparent.at);
	assert_null(seen.tracestate.at);
	t.request.fields = bad;
	t.request.field_count = 2;
	push(t);
	assert_false(seen.has_parent);
	assert_null(seen.tracestate.at);
	t.request.fields = bad_state;
	push(t);
	assert_true(seen.has_parent);
	assert_false(seen.sampled); /* the parent said so */
	assert_null(seen.tracestate.at);
	assert_u64(stop().bad_traceparent, 2);
}

static void huge_tracestate(void **state)
{
	static char value[4000];
	struct field fields[] = { F("traceparent", PARENT "1"),
				  F("tracestate", "a=1"),
				  { SLICE("tracestate"), { value, sizeof(value) } } };
	struct transaction t = exchange(SIDE_SERVER, 0);

	memset(value, ',', sizeof(value));
	t.request.fields = fields;
	t.request.field_count = 3;
	start((struct trace_options){ .sampler = SAMPLER_ON });
	push(t);
	assert_true(seen.has_parent);
	assert_null(seen.tracestate.at);
	stop();
}

static bool ratio_takes(double ratio, uint64_t r, const char *rv)
{
	char parent[] = "00-00000000000000010000000000000000-b7ad6b7169203331-00";
	struct field fields[] = { { SLICE("traceparent"), { parent, sizeof(parent) - 1 } },
				  { SLICE("tracestate"), slice_str(rv) } };
	struct transaction t = exchange(SIDE_SERVER, 0);

	for (unsigned i = 0; i < 14; i++)
		parent[34 - i] = "0123456789abcdef"[r >> (4 * i) & 15];
	t.request.fields = fields;
	t.request.field_count = rv ? 2 : 1;
	start((struct trace_options){ .sampler = SAMPLER_RATIO, .ratio = ratio });
	push(t);
	stop();
	return seen.sampled;
}

static void ratio(void **state)
{
	const uint64_t all = 0xffffffffffffff, half = 0x80000000000000;

	assert_true(ratio_takes(1, 0, NULL));
	assert_false(ratio_takes(0, all, NULL));
	assert_true(ratio_takes(0.5, half, NULL));
	assert_false(ratio_takes(0.5, half - 1, NULL));
	assert_true(ratio_takes(0.25, 0xc0000000000000, NULL));
	assert_false(ratio_takes(0.25, 0xbfffffffffffff, NULL));
	assert_true(ratio_takes(0.5, 0, "ot=rv:80000000000000"));
	assert_false(ratio_takes(0.5, all, "ot=rv:7fffffffffffff"));
}

/* Our own ids are random enough: 1 % of 200,000 exchanges is 2,000, give or take five sigma. */
static void ratio_of_derived_ids(void **state)
{
	struct trace_stats s;

	start((struct trace_options){
		.sampler = SAMPLER_RATIO, .ratio = 0.01, .parent_based = true });
	for (uint64_t i = 0; i < 200000; i++) {
		struct transaction t = exchange(SIDE_SERVER, i * 77);

		t.isn_client = (uint32_t)(i / 10);
		push(t);
	}
	s = stop();
	assert_in_range(s.sampled, 2000 - 5 * 45, 2000 + 5 * 45);
	assert_u64(s.sampled + s.dropped, 200000);
}

static void errors_and_the_slow_are_kept(void **state)
{
	struct transaction t = exchange(SIDE_SERVER, 0);
	struct trace_stats s;

	start((struct trace_options){
		.sampler = SAMPLER_RATIO, .keep_errors = true, .keep_slow_ns = 1000 });
	assert_false(push(t).sampled);
	t.status = 503;
	assert_true(push(t).sampled);
	t.status = 404;
	assert_false(push(t).sampled);
	t.side = SIDE_CLIENT; /* whose request was the mistake */
	assert_true(push(t).sampled);
	t.side = SIDE_SERVER;
	t.outcome = OUTCOME_CLIENT_GONE;
	assert_true(push(t).sampled);
	t.outcome = OUTCOME_COMPLETE;
	t.duration_ns = 1000;
	assert_true(push(t).sampled);
	s = stop();
	assert_u64(s.kept_error, 3);
	assert_u64(s.kept_slow, 1);
	assert_u64(s.dropped, 2);
}

/* Nothing that an operator switched off goes out, whatever our own rules would keep. */
static void off_is_off(void **state)
{
	for (int based = 0; based < 2; based++) {
		struct transaction t = exchange(SIDE_SERVER, 0);
		struct trace_stats s;

		start((struct trace_options){ .sampler = SAMPLER_OFF,
					      .parent_based = based,
					      .keep_errors = true,
					      .keep_slow_ns = 1 });
		t.duration_ns = 1000;
		assert_false(push(t).sampled);
		t.status = 503;
		assert_false(push(t).sampled);
		t.outcome = OUTCOME_UNOBSERVED;
		assert_false(push(t).sampled);
		s = stop();
		assert_u64(s.sampled + s.kept_error + s.kept_slow, 0);
		assert_u64(s.dropped, 3);
	}
}

static void refuses_a_ratio_that_is_none(void **state)
{
	struct txn_sink sink = { .transaction = keep };
	struct trace_options o = { .ratio = 1.5, .connections = 1 };

	assert_true(trace_new(&o, &sink, &trace) < 0);
	o.ratio = -0.1;
	assert_true(trace_new(&o, &sink, &trace) < 0);
	o.ratio = 0.0 / 0.0;
	assert_true(trace_new(&o, &sink, &trace) < 0);
	trace_free(NULL);
}

UNIT_MAIN(T(both_ends_agree), T(ids_never_change), T(no_parent_that_nobody_sends),
	  T(links_are_bounded), T(unix_sockets), T(what_is_waited_for), T(a_client_that_may_come),
	  T(unnamed_are_told_apart), T(header_is_honoured), T(bad_header_is_absent),
	  T(huge_tracestate), T(ratio), T(ratio_of_derived_ids), T(errors_and_the_slow_are_kept),
	  T(off_is_off), T(refuses_a_ratio_that_is_none))
