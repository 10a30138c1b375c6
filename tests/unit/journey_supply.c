/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_supply.c: contents of inner hops for the edge: by which links, of which message, and never of another
 * exchange; within bounds.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "journey/supply.h"
#include "txn/body/body.h"

#define S 1000000000ull

static struct supply *supply;
static const struct body_wants *const wanted[2] = { (const void *)"response",
						    (const void *)"request" };

static int start(void **state)
{
	return supply_new(&supply);
}

static int stop(void **state)
{
	supply_free(supply);
	return 0;
}

/* The spans of a test are used again. */
static void start_over(void)
{
	supply_free(supply);
	assert_int_equal(supply_new(&supply), 0);
}

static struct supply_stats stats(void)
{
	struct supply_stats s;

	supply_stats(supply, &s);
	return s;
}

static void span(uint8_t at[8], unsigned n)
{
	memset(at, 0, 8);
	memcpy(at, &n, sizeof(n));
}

/* Both contents seen whole, each with one value. */
static struct transaction told(unsigned id, unsigned parent)
{
	static const struct reading_value values[2] = { { .text = { "shown", 5 } },
							{ .text = { "asked", 5 } } };
	struct transaction t = { .start_ns = 1000 * S,
				 .method = SLICE("POST"),
				 .path = SLICE("/order"),
				 .status = 200,
				 .content_type = SLICE("application/json"),
				 .response_type = SLICE("application/json"),
				 .has_parent = parent };

	span(t.span_id, id);
	span(t.parent_id, parent);
	t.request.seen = t.response.seen = true;
	t.request.body_bytes = 20;
	t.response.body_bytes = 100;
	t.response.reading = (struct reading){
		.wants = wanted[0], .wanted = true, .opened = true, .count = 1, .values = &values[0]
	};
	t.request.reading = t.response.reading;
	t.request.reading.wants = wanted[1];
	t.request.reading.values = &values[1];
	return t;
}

/* Spans: the edge 1, the proxy's call 2, the inner end 3. */
static struct transaction edge(void)
{
	return told(1, 0);
}

static struct transaction client(void)
{
	struct transaction t = told(2, 1);

	t.side = SIDE_CLIENT;
	t.hop = true;
	t.request.reading = t.response.reading = (struct reading){ 0 };
	return t;
}

static struct transaction inner(void)
{
	struct transaction t = told(3, 2);

	t.inner = true;
	return t;
}

static void lose(struct txn_message *m, enum body_flag why)
{
	m->reading.flags = 1u << why;
	m->reading.count = 0;
}

static void hops(const struct transaction *in, const struct transaction *c)
{
	supply_hop(supply, in);
	supply_hop(supply, c);
}

static bool take(const struct transaction *e, struct transaction *ret)
{
	const struct body_wants *wants[2] = { wanted[0], wanted[1] };

	return supply_edge(supply, e, wants, ret);
}

static const char *value(const struct txn_message *m)
{
	static char text[32];

	if (m->reading.flags || !m->reading.count)
		return NULL;
	snprintf(text, sizeof(text), "%.*s", (int)m->reading.values[0].text.len,
		 m->reading.values[0].text.at);
	return text;
}

static void inner_end_supplies_the_edge(void **state)
{
	struct transaction in = inner(), c = client(), e = edge(), got;

	lose(&e.response, BODY_HOLE);
	lose(&e.request, BODY_MEMORY);
	hops(&in, &c);
	assert_true(take(&e, &got));
	assert_string_equal(value(&got.response), "shown");
	assert_string_equal(value(&got.request), "asked");
	assert_memory_equal(got.span_id, e.span_id, 8);
	assert_u64(stats().supplied, 2);
	assert_false(take(&e, &got)); /* once */
}

static void only_what_lacks_is_taken(void **state)
{
	struct transaction in = inner(), c = client(), e = edge(), got;
	struct reading_value own = { .text = SLICE("own") };

	e.request.reading.values = &own;
	lose(&e.response, BODY_CODING_UNKNOWN);
	hops(&in, &c);
	assert_true(take(&e, &got));
	assert_string_equal(value(&got.request), "own");
	assert_string_equal(value(&got.response), "shown");
	assert_u64(stats().supplied, 1);
}

static void whole_edge_takes_nothing(void **state)
{
	struct transaction in = inner(), c = client(), e = edge(), got;

	hops(&in, &c);
	assert_false(take(&e, &got));
	assert_u64(stats().unlike, 0);
}

/* Values that are cut are so at every hop. */
static void beginnings_are_as_good_anywhere(void **state)
{
	struct transaction in = inner(), c = client(), e = edge(), got;

	e.response.reading.flags = 1u << BODY_CUT_TEXT | 1u << BODY_MORE;
	hops(&in, &c);
	assert_false(take(&e, &got));
}

static void proxys_own_end_supplies_it(void **state)
{
	struct transaction in = inner(), c = client(), e = edge(), got;

	c.response.reading = in.response.reading;
	lose(&in.response, BODY_HOLE);
	lose(&e.response, BODY_HOLE);
	hops(&in, &c);
	assert_true(take(&e, &got));
	assert_string_equal(value(&got.response), "shown");
}

static void through_two_proxies(void **state)
{
	struct transaction deepest = told(5, 4), call = client(), in = inner(), c = client(),
			   e = edge(), got;

	span(call.span_id, 4);
	span(call.parent_id, 3);
	lose(&in.response, BODY_HOLE);
	lose(&e.response, BODY_HOLE);
	supply_hop(supply, &deepest);
	supply_hop(supply, &call);
	hops(&in, &c);
	assert_true(take(&e, &got));
	assert_string_equal(value(&got.response), "shown");
}

static void nobody_has_it(void **state)
{
	struct transaction in = inner(), c = client(), e = edge(), got;

	lose(&in.response, BODY_HOLE);
	in.request.reading = (struct reading){ 0 };
	lose(&e.response, BODY_HOLE);
	hops(&in, &c);
	assert_false(take(&e, &got));
	assert_u64(stats().unlike, 0);
}

/* An end may be told after the one that it led to: it waited for an acknowledgement. */
static void inner_end_told_after_its_client(void **state)
{
	struct transaction deepest = told(5, 4), call = client(), in = inner(), c = client(),
			   e = edge(), got;

	span(call.span_id, 4);
	span(call.parent_id, 3);
	lose(&in.response, BODY_HOLE);
	lose(&e.response, BODY_HOLE);
	supply_hop(supply, &c);
	supply_hop(supply, &in);
	supply_hop(supply, &call);
	supply_hop(supply, &deepest);
	assert_true(take(&e, &got));
	assert_string_equal(value(&got.response), "shown");
	/* told when all is over, it supplies nothing, nor is it left behind for another */
	supply_hop(supply, &deepest);
	assert_false(take(&e, &got));
}

static void late_end_of_another_answer(void **state)
{
	struct transaction in = inner(), c = client(), e = edge(), got;

	lose(&e.response, BODY_HOLE);
	in.status = 500;
	supply_hop(supply, &c);
	supply_hop(supply, &in);
	assert_false(take(&e, &got));
}

/* Each makes the hop another message than the edge's. */
static void spoil(struct transaction *e, unsigned how)
{
	switch (how) {
	case 0:
		e->status = 206;
		break;
	case 1:
		e->method = SLICE("PUT");
		break;
	case 2:
		e->path = SLICE("/shop/order");
		break;
	case 3:
		e->has_query = true;
		break;
	case 4:
		e->has_query = true;
		e->query = SLICE("a");
		break;
	case 5:
		e->response_type = SLICE("text/html");
		break;
	case 6:
		e->response.body_bytes = 101;
		break;
	case 7:
		e->response.seen = false;
		break;
	case 8:
		e->request.seen = false;
		break;
	case 9: /* began under other rules */
		e->response.reading.wants = NULL;
		break;
	default:
		span(e->span_id, 77);
	}
}

static void another_message_supplies_nothing(void **state)
{
	for (unsigned how = 0; how <= 10; how++) {
		const struct body_wants *wants[2] = { how == 9 ? wanted[1] : wanted[0], NULL };
		struct transaction in = inner(), c = client(), e = edge(), got;

		lose(&e.response, BODY_HOLE);
		spoil(&e, how);
		hops(&in, &c);
		assert_false(supply_edge(supply, &e, wants, &got));
		assert_u64(stats().supplied, 0);
		start_over();
	}
}

/* The sizes of coded contents differ, and one that was not seen is no other. */
static void sizes_tell_only_where_they_can(void **state)
{
	struct field gzip = { SLICE("content-encoding"), SLICE("gzip") };
	struct transaction in = inner(), c = client(), e = edge(), got;

	lose(&e.response, BODY_HOLE);
	e.response.body_bytes = 55;
	e.response.fields = &gzip;
	e.response.field_count = 1;
	hops(&in, &c);
	assert_true(take(&e, &got));
	start_over();
	e = edge();
	lose(&e.response, BODY_HOLE);
	e.response.body_bytes = 55;
	e.unobserved = UNOBSERVED_RESPONSE_SIZE;
	hops(&in, &c);
	assert_true(take(&e, &got));
}

/* A second upstream was tried, or the request was mirrored: which of them the edge passed on, nobody knows. */
static void two_hops_of_one_request_supply_nothing(void **state)
{
	struct transaction in = inner(), c = client(), other = client(), e = edge(), got;

	lose(&e.response, BODY_HOLE);
	span(other.span_id, 9);
	hops(&in, &c);
	supply_hop(supply, &other);
	assert_false(take(&e, &got));
	assert_u64(stats().unlike, 1);
	start_over();
	/* also where the one that is not read comes first */
	supply_hop(supply, &other);
	hops(&in, &c);
	assert_false(take(&e, &got));
	assert_u64(stats().unlike, 1);
	start_over();
	/* who was not answered is none of them */
	other.response.seen = false;
	supply_hop(supply, &other);
	hops(&in, &c);
	assert_true(take(&e, &got));
}

/* The page before is sent while the cache asks for the next one, which is as long. */
static void cache_that_is_renewed_in_the_background_supplies_nothing(void **state)
{
	struct transaction in = inner(), c = client(), e = edge(), got;

	lose(&e.response, BODY_HOLE);
	lose(&e.request, BODY_MEMORY);
	e.start_ns = 1000;
	e.first_byte_ns = 50;
	c.start_ns = 1010;
	c.first_byte_ns = 41;
	hops(&in, &c);
	assert_true(take(&e, &got)); /* what was asked for is the same */
	assert_string_equal(value(&got.request), "asked");
	assert_null(value(&got.response));
	start_over();
	c.first_byte_ns = 40;
	hops(&in, &c);
	assert_true(take(&e, &got));
	assert_string_equal(value(&got.response), "shown");
	start_over();
	c.first_byte_ns = 41;
	c.unobserved = UNOBSERVED_FIRST_BYTE;
	hops(&in, &c);
	assert_true(take(&e, &got));
	assert_string_equal(value(&got.response), "shown");
}

static void without_a_link_nothing(void **state)
{
	struct transaction in = inner(), c = client(), e = edge(), got;

	lose(&e.response, BODY_HOLE);
	c.has_parent = false;
	hops(&in, &c);
	assert_false(supply_has(supply, &e));
	assert_false(take(&e, &got));
}

static void bodies_that_lack_nothing_count_for_nothing(void **state)
{
	struct transaction in = inner(), c = client(), e = edge(), got;

	e.request.reading = (struct reading){ .wants = wanted[1], .wanted = true };
	e.request.body_bytes = 0;
	hops(&in, &c);
	assert_false(take(&e, &got));
	assert_u64(stats().unlike, 0);
}

static void forgotten_in_time(void **state)
{
	struct transaction in = inner(), c = client(), e = edge(), got;

	supply_tick(supply, 1000 * S);
	hops(&in, &c);
	supply_tick(supply, 1000 * S + SUPPLY_NS);
	lose(&e.response, BODY_HOLE);
	assert_false(take(&e, &got));
}

/* What had to be forgotten may have been the second hop of the edge's request. */
static void bound_of_hops(void **state)
{
	struct transaction in = inner(), c = client(), e = edge(), got;

	supply_tick(supply, 1001 * S);
	for (unsigned i = 0; i < SUPPLY_HOPS + 10; i++) {
		struct transaction t = told(1000000 + i, 2000000 + i);

		t.request.reading = t.response.reading = (struct reading){ 0 };
		supply_hop(supply, &t);
	}
	assert_u64(stats().dropped, 10);
	hops(&in, &c);
	lose(&e.response, BODY_HOLE);
	assert_false(take(&e, &got));
	e.start_ns = 1002 * S;
	supply_tick(supply, 1007 * S);
	hops(&in, &c);
	assert_true(take(&e, &got));
}

static void bound_of_bytes(void **state)
{
	static char text[100000];
	struct reading_value big = { .text = { text, sizeof(text) } };

	for (unsigned i = 0; i < 500; i++) {
		struct transaction t = told(1000000 + i, 2000000 + i);

		t.response.reading.values = &big;
		supply_hop(supply, &t);
	}
	assert_true(stats().dropped > 400);
	assert_true(stats().dropped < 500);
}

/* The transaction's memory is gone by then. */
static void kept_values_are_copies(void **state)
{
	char text[] = "shown";
	struct reading_value v = { .text = { text, 5 } };
	struct transaction in = inner(), c = client(), e = edge(), got;

	in.response.reading.values = &v;
	hops(&in, &c);
	memset(text, '#', 5);
	v.text.len = 0;
	lose(&e.response, BODY_HOLE);
	assert_true(take(&e, &got));
	assert_string_equal(value(&got.response), "shown");
}

static void which_hops_are_read(void **state)
{
	struct transaction t = client();

	t.family = AF_INET;
	memcpy(t.local.ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1", 16);
	memcpy(t.remote.ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\2", 16);
	assert_true(supply_needs(&t));
	memcpy(t.remote.ip, t.local.ip, 16);
	assert_false(supply_needs(&t));
	memcpy(t.remote.ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16);
	assert_false(supply_needs(&t));
	t.hop = false; /* a call of its own */
	assert_true(supply_needs(&t));
	t.hop = true;
	memcpy(t.remote.ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\2", 16);
	t.family = AF_UNIX;
	assert_false(supply_needs(&t));
}

#define C(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		C(inner_end_supplies_the_edge),
		C(only_what_lacks_is_taken),
		C(whole_edge_takes_nothing),
		C(beginnings_are_as_good_anywhere),
		C(proxys_own_end_supplies_it),
		C(through_two_proxies),
		C(nobody_has_it),
		C(inner_end_told_after_its_client),
		C(late_end_of_another_answer),
		C(another_message_supplies_nothing),
		C(sizes_tell_only_where_they_can),
		C(two_hops_of_one_request_supply_nothing),
		C(cache_that_is_renewed_in_the_background_supplies_nothing),
		C(without_a_link_nothing),
		C(bodies_that_lack_nothing_count_for_nothing),
		C(forgotten_in_time),
		C(bound_of_hops),
		C(bound_of_bytes),
		C(kept_values_are_copies),
		C(which_hops_are_read)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
