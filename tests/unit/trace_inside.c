/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace_inside.c: which request of a process caused its call, and the trace of both ends of the call.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "stream/address.h"
#include "trace/trace.h"

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static struct trace *trace;
static struct transaction seen;

static void keep(void *ctx, struct transaction *t)
{
	seen = *t;
}

static void start(uint32_t connections)
{
	struct trace_options o = { .sampler = SAMPLER_ON, .connections = connections };
	struct txn_sink sink = { .transaction = keep };

	assert_int_equal(trace_new(&o, &sink, &trace), 0);
}

static struct trace_stats stop(void)
{
	struct trace_stats s;

	trace_stats(trace, &s);
	trace_free(trace);
	return s;
}

/* A request for /shop/a?x=1 by 192.0.2.1:4000 to process 100 and what that one sends; `name` makes the
 * connection. */
struct request {
	struct transaction t;
	struct field fields[4];
};

static void field(struct request *r, const char *name, const char *value)
{
	r->fields[r->t.request.field_count++] = (struct field){ slice_str(name), slice_str(value) };
	r->t.request.fields = r->fields;
}

static void make(struct request *r, enum side side, uint32_t name, uint64_t start_ns)
{
	*r = (struct request){ .t = { .side = side,
				      .status = 200,
				      .tgid = 100,
				      .start_ns = start_ns,
				      .method = SLICE("GET"),
				      .path = SLICE("/shop/a"),
				      .query = SLICE("x=1"),
				      .has_query = true,
				      .user_agent = SLICE("me"),
				      .isn_client = name,
				      .isn_server = 1,
				      .request = { .seen = true } } };
	if (side == SIDE_SERVER)
		assert_int_equal(address_parse(SLICE("192.0.2.1:4000"), &r->t.remote), 0);
}

static void begin(struct request *r)
{
	struct txn_sink in = trace_txn_sink(trace);

	in.begin(in.ctx, &r->t);
}

static const struct transaction *end(struct request *r)
{
	struct txn_sink in = trace_txn_sink(trace);

	r->t.response.seen = true;
	r->t.has_parent = false; /* may be ended again */
	in.transaction(in.ctx, &r->t);
	return &seen;
}

static struct request in, out;

static void fresh(void)
{
	start(100);
	make(&in, SIDE_SERVER, 10, 1000);
	make(&out, SIDE_CLIENT, 20, 2000);
}

/* Is `out` linked to `in`? Ends both. */
static bool linked(void)
{
	struct transaction call;
	uint64_t found;

	begin(&in);
	begin(&out);
	call = *end(&out);
	end(&in);
	found = stop().parent_inside;
	assert_u64(call.has_parent, found);
	if (found) {
		assert_memory_equal(call.parent_id, seen.span_id, 8);
		assert_memory_equal(call.trace_id, seen.trace_id, 16);
	}
	return found;
}

static bool linked_by(const char *name, const char *value)
{
	fresh();
	field(&out, name, value);
	return linked();
}

static void who_asked_is_named(void **state)
{
	assert_true(linked_by("x-forwarded-for", "192.0.2.1"));
	assert_true(linked_by("x-forwarded-for", "203.0.113.9, 192.0.2.1"));
	assert_true(linked_by("x-forwarded-for", "192.0.2.1:4000"));
	assert_true(linked_by("x-real-ip", "192.0.2.1"));
	assert_true(linked_by("forwarded", "for=203.0.113.9, for=\"192.0.2.1:4000\";proto=http"));
	assert_false(linked_by("x-forwarded-for", "192.0.2.1, 203.0.113.9"));
	assert_false(linked_by("x-forwarded-for", "192.0.2.1:4001"));
	assert_false(linked_by("x-forwarded-for", "unknown"));
	assert_false(linked_by("forwarded", "by=192.0.2.1"));
	assert_false(linked_by("accept", "192.0.2.1"));
	fresh(); /* the last field counts, and all that are named must agree */
	field(&out, "x-forwarded-for", "203.0.113.9");
	field(&out, "x-forwarded-for", "192.0.2.1");
	assert_true(linked());
	fresh();
	field(&out, "x-forwarded-for", "192.0.2.1");
	field(&out, "x-real-ip", "203.0.113.9");
	assert_false(linked());
}

static void the_request_is_named(void **state)
{
	fresh();
	field(&in, "x-request-id", "a");
	field(&out, "x-request-id", "a");
	assert_true(linked());
	fresh();
	field(&in, "x-request-id", "a");
	field(&out, "x-request-id", "b");
	field(&out, "x-forwarded-for", "192.0.2.1");
	assert_false(linked());
	fresh(); /* the proxy gave it a name */
	field(&out, "x-request-id", "b");
	field(&out, "x-forwarded-for", "192.0.2.1");
	assert_true(linked());
}

static void otherwise_alike(void **state)
{
	struct slice *const parts[] = { &out.t.method, &out.t.path, &out.t.query, &out.t.user_agent,
					&out.t.referer };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		fresh();
		field(&out, "x-forwarded-for", "192.0.2.1");
		*parts[i] = SLICE("/another");
		assert_false(linked());
	}
	fresh();
	field(&out, "x-forwarded-for", "192.0.2.1");
	out.t.tgid = 101;
	assert_false(linked());
	fresh();
	field(&out, "x-forwarded-for", "192.0.2.1");
	out.t.start_ns = 999; /* before it was read */
	assert_false(linked());
	fresh();
	field(&out, "x-forwarded-for", "192.0.2.1");
	in.t.response.seen = true;
	assert_false(linked());
	fresh(); /* a prefix taken off, or put before it */
	field(&out, "x-forwarded-for", "192.0.2.1");
	out.t.path = SLICE("/a");
	assert_true(linked());
	fresh();
	field(&out, "x-forwarded-for", "192.0.2.1");
	out.t.path = SLICE("/base/shop/a");
	assert_true(linked());
	fresh();
	field(&out, "x-forwarded-for", "192.0.2.1");
	out.t.path = SLICE("/other/a");
	assert_false(linked());
}

static void two_that_fit_are_none(void **state)
{
	struct request other;
	struct trace_stats s;

	fresh();
	make(&other, SIDE_SERVER, 11, 1500);
	field(&out, "x-forwarded-for", "192.0.2.1");
	begin(&in);
	begin(&other);
	begin(&out);
	end(&other);
	assert_false(end(&out)->has_parent);
	/* Only one is left, but whose call was the first? */
	make(&out, SIDE_CLIENT, 21, 3000);
	field(&out, "x-forwarded-for", "192.0.2.1");
	begin(&out);
	assert_false(end(&out)->has_parent);
	end(&in);
	s = stop();
	assert_u64(s.ambiguous, 1);
	assert_u64(s.parent_inside, 0);
}

static void more_than_one_looks_at(void **state)
{
	static struct request many[200];

	fresh();
	for (unsigned i = 0; i < 200; i++) {
		make(&many[i], SIDE_SERVER, 100 + i, 1000);
		many[i].t.user_agent = SLICE("you");
		begin(&many[i]);
	}
	field(&in, "x-request-id", "a");
	field(&out, "x-request-id", "a");
	begin(&in);
	begin(&out);
	assert_false(end(&out)->has_parent);
	end(&in);
	for (unsigned i = 0; i < 200; i++)
		end(&many[i]);
	assert_u64(stop().ambiguous, 1);
}

/* By the peer alone a second call may be that of a request which was not seen; by a name it is a retry. */
static void a_second_call(void **state)
{
	for (int named = 0; named < 2; named++) {
		fresh();
		field(&out, "x-forwarded-for", "192.0.2.1");
		if (named)
			field(&in, "x-request-id", "a");
		begin(&in);
		for (uint32_t i = 0; i < 2; i++) {
			make(&out, SIDE_CLIENT, 20 + i, 2000 + i);
			field(&out, "x-forwarded-for", "192.0.2.1");
			if (named)
				field(&out, "x-request-id", "a");
			begin(&out);
			assert_int_equal(end(&out)->has_parent, named || !i);
		}
		end(&in);
		stop();
	}
}

/* A request that looks the same may have been lost, and the call be its own. By a name it is not. */
static void a_hole_may_hide_a_twin(void **state)
{
	struct connection c = { .id = 9, .tgid = 100 };
	struct txn_sink sink;

	for (unsigned how = 0; how < 8; how++) {
		fresh();
		sink = trace_txn_sink(trace);
		if (how & 1) {
			field(&in, "x-request-id", "a");
			field(&out, "x-request-id", "a");
		} else {
			field(&out, "x-forwarded-for", "192.0.2.1");
		}
		begin(&in);
		if (how & 2)
			sink.lost(sink.ctx, &c, SIDE_SERVER);
		else
			trace_lost(trace);
		trace_tick(trace, 1500);
		trace_tick(trace, 1600);
		if (how & 4) { /* whatever was open then is over */
			end(&in);
			make(&in, SIDE_SERVER, 11, 63000000000);
			make(&out, SIDE_CLIENT, 20, 64000000000);
			field(&out, "x-forwarded-for", "192.0.2.1");
			begin(&in);
		}
		begin(&out);
		assert_int_equal(end(&out)->has_parent, (how & 5) != 0);
		end(&in);
		stop();
	}
}

/* So may one that we had no room for, and one that was under way when we came. */
static void an_unseen_end_may_hide_a_twin(void **state)
{
	struct connection joined = { .id = 9, .tgid = 100, .flags = PC_F_JOINED };
	struct request evicted;
	struct txn_sink sink;

	for (unsigned how = 0; how < 4; how++) {
		fresh();
		sink = trace_txn_sink(trace);
		trace_tick(trace, 1500);
		field(&out, "x-forwarded-for", "192.0.2.1");
		joined.tgid = how == 3 ? 101 : 100;
		if (how >= 2)
			sink.open(sink.ctx, &joined, SIDE_SERVER);
		make(&evicted, SIDE_SERVER, 11, 900);
		evicted.t.outcome = how == 1 ? OUTCOME_UNOBSERVED : OUTCOME_COMPLETE;
		begin(&evicted);
		end(&evicted);
		begin(&in);
		begin(&out);
		assert_int_equal(end(&out)->has_parent, how == 0 || how == 3);
		end(&in);
		stop();
	}
}

/* Two proxies and an application; they end from the inside out, and all is one trace. */
static void one_trace_from_the_inside(void **state)
{
	struct connection c = { .flags = PC_F_ACTIVE }, s = { .id = 9, .tgid = 100 };
	struct request in2, out2, in3;
	struct transaction first;

	fresh();
	trace_open(trace, &s, SIDE_SERVER);
	for (uint32_t i = 0; i < 2; i++) {
		c.id = 50 + i;
		c.tgid = 100 + i;
		c.isn[PC_TX] = 20 + i;
		c.isn[PC_RX] = 1;
		trace_open(trace, &c, SIDE_CLIENT);
	}
	make(&in2, SIDE_SERVER, 20, 3000);
	make(&out2, SIDE_CLIENT, 21, 4000);
	make(&in3, SIDE_SERVER, 21, 5000);
	in2.t.tgid = out2.t.tgid = 101;
	field(&out, "x-forwarded-for", "192.0.2.1");
	field(&out2, "x-forwarded-for", "192.0.2.1");
	begin(&in);
	begin(&in2); /* read before its call's record was */
	begin(&out2);
	begin(&out);
	begin(&in3);
	first = *end(&in3);
	assert_true(first.has_parent && first.inner);
	assert_memory_equal(end(&out2)->trace_id, first.trace_id, 16);
	assert_memory_equal(seen.span_id, first.parent_id, 8);
	assert_memory_equal(end(&in2)->trace_id, first.trace_id, 16);
	assert_true(seen.inner);
	assert_memory_equal(end(&out)->trace_id, first.trace_id, 16);
	assert_memory_equal(end(&in)->trace_id, first.trace_id, 16);
	assert_false(seen.has_parent || seen.inner);
	stop();
}

/* A proxy's call is a hop even where it is not certain of which request; what a program asks on its own is
 * none. */
static void what_is_passed_on_is_a_hop(void **state)
{
	struct request other;

	fresh();
	make(&other, SIDE_SERVER, 11, 1500);
	field(&out, "x-forwarded-for", "192.0.2.1");
	begin(&in);
	begin(&other);
	begin(&out);
	assert_true(end(&out)->hop);
	make(&out, SIDE_CLIENT, 21, 3000); /* again, after it failed */
	field(&out, "x-forwarded-for", "192.0.2.1");
	begin(&out);
	assert_true(end(&out)->hop);
	make(&out, SIDE_CLIENT, 22, 4000);
	out.t.path = SLICE("/pay");
	begin(&out);
	assert_false(end(&out)->hop);
	assert_false(end(&other)->hop);
	end(&in);
	stop();
}

/* traceparent passed on as it came: the spans between are named; one that the process made itself stays. */
static void header_passed_on(void **state)
{
	fresh();
	field(&in, "traceparent", PARENT);
	field(&out, "traceparent", PARENT);
	begin(&in);
	begin(&out);
	end(&out);
	assert_int_equal(seen.trace_id[0], 0x0a);
	assert_int_not_equal(seen.parent_id[0], 0xb7);
	end(&in);
	assert_int_equal(seen.parent_id[0], 0xb7);
	assert_u64(stop().parent_inside, 1);
	fresh();
	field(&in, "traceparent", PARENT);
	field(&out, "x-forwarded-for", "192.0.2.1");
	field(&out, "traceparent", "00-0af7651916cd43dd8448eb211c80319c-1111111111111111-01");
	begin(&in);
	begin(&out);
	end(&out);
	assert_int_equal(seen.parent_id[0], 0x11);
	end(&in);
	stop();
}

static void calls_are_bounded_and_forgotten(void **state)
{
	struct trace_stats s;

	start(10);
	trace_tick(trace, 1);
	for (uint32_t i = 0; i < 15; i++) {
		make(&in, SIDE_SERVER, 1000 + i, 1000);
		make(&out, SIDE_CLIENT, 2000 + i, 2000);
		field(&out, "x-real-ip", "192.0.2.1");
		begin(&in);
		begin(&out);
		end(&in);
	}
	assert_true(end(&out)->has_parent);
	trace_tick(trace, 14000000000);
	assert_true(end(&out)->has_parent);
	trace_tick(trace, 29000000000);
	assert_false(end(&out)->has_parent);
	make(&out, SIDE_CLIENT, 2000, 2000); /* the first had to go */
	assert_false(end(&out)->has_parent);
	make(&out, SIDE_CLIENT, 2010, 2000); /* lasts longer than any grace */
	assert_true(end(&out)->has_parent);
	s = stop();
	assert_u64(s.calls_evicted, 5);
}

UNIT_MAIN(T(who_asked_is_named), T(the_request_is_named), T(otherwise_alike),
	  T(two_that_fit_are_none), T(more_than_one_looks_at), T(a_second_call),
	  T(a_hole_may_hide_a_twin), T(an_unseen_end_may_hide_a_twin), T(one_trace_from_the_inside),
	  T(what_is_passed_on_is_a_hop), T(header_passed_on), T(calls_are_bounded_and_forgotten))
