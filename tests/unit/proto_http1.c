/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto_http1.c: what the cases in Markdown cannot say: waiting and its limits, the depth of
 * pipelining, directives to the kernel, content, times of writes, memory, bounds.
 */
#include "unit.h"

#include <malloc.h>

#include "proto_kit.h"

#define GET   SLICE("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
#define OK    SLICE("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
#define GET_N 28
#define OK_N  40

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

static struct kit world;

static struct kit *start(void)
{
	struct kit *k = &world;

	kit_start(k, false);
	kit_connect(k, PC_F_PASSIVE, 0, 0);
	return k;
}

static void expect(struct kit *k, const char *want)
{
	if (!slice_eq(buf_slice(&k->text), slice_str(want)))
		fail_msg("got\n%.*s", (int)k->text.len, k->text.at);
	kit_free(k);
}

static void done(struct kit *k, const char *want)
{
	kit_gone(k);
	kit_finish(k);
	expect(k, want);
}

/* ---- a response is read before its request ---- */

static void response_waits_for_its_request(void **state)
{
	struct kit *k = start();

	kit_call(k, PC_TX, OK);
	assert_int_equal(k->text.len, 0);
	kit_tick(k, 900 * KIT_MS);
	assert_int_equal(k->text.len, 0);
	kit_call_at(k, PC_RX, 0, GET, 1000 * KIT_MS + 1);
	done(k, "> GET /a 1.1 none keep-alive\n> complete content=0 wire=28\n"
		"< 1.1 200 OK length=2 keep-alive\n< complete content=2 wire=40\n");
}

static void response_waits_no_longer_than_allowed(void **state)
{
	struct kit *k = start();

	kit_call(k, PC_TX, OK);
	kit_tick(k, 1001 * KIT_MS);
	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX, OK);
	done(k, "> GET /a 1.1 none keep-alive\n> complete content=0 wire=28\n"
		"< 1.1 200 OK length=2 keep-alive\n< complete content=2 wire=40\n"
		"< lost no-request 40\n");
}

/* Its response was given up; it must not take the next one. */
static void request_that_comes_too_late(void **state)
{
	struct kit *k = start();

	kit_call(k, PC_TX, OK);
	kit_tick(k, 1001 * KIT_MS);
	kit_call_at(k, PC_RX, 0, GET, 1000 * KIT_MS + 1);
	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX, OK);
	done(k, "> GET /a 1.1 none keep-alive\n> complete content=0 wire=28\n"
		"< passed-over unobserved\n"
		"> GET /a 1.1 none keep-alive\n> complete content=0 wire=28\n"
		"< 1.1 200 OK length=2 keep-alive\n< complete content=2 wire=40\n"
		"< lost no-request 40\n");
}

static void no_request_can_come_after_the_end(void **state)
{
	struct kit *k = start();

	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX, OK);
	kit_dir_end(k, PC_RX, 0);
	kit_call(k, PC_TX, OK);
	assert_true(k->lost[PC_TX][PROTO_LOSS_NO_REQUEST] == OK_N); /* at once */
	done(k, "> GET /a 1.1 none keep-alive\n> complete content=0 wire=28\n"
		"< 1.1 200 OK length=2 keep-alive\n< complete content=2 wire=40\n"
		"< lost no-request 40\n");
}

/* ---- bounds ---- */

static void pipelining_is_bounded_by_waiting(void **state)
{
	struct kit *k = start();
	char all[GET_N * 1500], answers[OK_N * 1500];

	for (int i = 0; i < 1500; i++) {
		memcpy(all + i * GET_N, GET.at, GET_N);
		memcpy(answers + i * OK_N, OK.at, OK_N);
	}
	kit_call(k, PC_RX, slice_of(all, sizeof(all)));
	assert_int_equal(k->requests, 1024);
	kit_call(k, PC_TX, slice_of(answers, sizeof(answers)));
	assert_int_equal(k->requests, 1500);
	assert_int_equal(k->response_ends, 1500);
	kit_gone(k);
	kit_finish(k);
	kit_free(k);
}

/* Requests that nobody answers, more than the stream may keep: the rest is lost and counted. */
static void what_cannot_be_kept_is_lost(void **state)
{
	struct kit *k = start();
	struct proto_stats stats;

	for (int i = 0; i < 8000; i++)
		kit_call(k, PC_RX, GET);
	proto_stats(k->proto, &stats);
	assert_int_equal(k->requests, 1024);
	assert_true(stats.lost_bytes[PROTO_LOSS_HOLE] > 0);
	kit_gone(k);
	kit_finish(k);
	kit_free(k);
}

static void head_in_single_octets(void **state)
{
	struct kit *k = start();
	static char head[60000];

	memset(head, 'q', sizeof(head));
	memcpy(head, "GET /", 5);
	memcpy(head + sizeof(head) - 13, " HTTP/1.1\r\n\r\n", 13);
	for (size_t i = 0; i < sizeof(head); i++)
		kit_call(k, PC_RX, slice_of(head + i, 1));
	assert_int_equal(k->requests, 1);
	kit_gone(k);
	kit_finish(k);
	kit_free(k);
}

/* ---- directives ---- */

static void long_content_is_skipped(void **state)
{
	struct kit *k = start();

	kit_call(k, PC_RX, GET);
	assert_int_equal(k->directs, 0);
	kit_call(k, PC_TX, SLICE("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"));
	assert_int_equal(k->directs, 1);
	assert_u64(k->direct.until[PC_TX], 43 + 100000);
	assert_int_equal(k->direct.budget[PC_TX], 16384);
	assert_int_equal(k->direct.budget[PC_RX], 0);
	kit_hole(k, PC_TX, 100000 - 1); /* no record: as asked */
	kit_absent(k, PC_TX, 1, PC_WHY_DIRECTIVE);
	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX, OK);
	assert_int_equal(k->directs, 1);
	done(k, "> GET /a 1.1 none keep-alive\n> complete content=0 wire=28\n"
		"< 1.1 200 OK length=100000 keep-alive\n< complete content=100000 wire=100043\n"
		"> GET /a 1.1 none keep-alive\n> complete content=0 wire=28\n"
		"< 1.1 200 OK length=2 keep-alive\n< complete content=2 wire=40\n");
}

static void short_content_costs_no_directive(void **state)
{
	struct kit *k = start();

	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX, SLICE("HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n"));
	assert_int_equal(k->directs, 0);
	kit_gone(k);
	kit_finish(k);
	kit_free(k);
}

static void who_wants_octets_gets_them(void **state)
{
	struct kit *k = &world;

	kit_start(k, true);
	kit_connect(k, PC_F_PASSIVE, 0, 0);
	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX, SLICE("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"));
	assert_int_equal(k->directs, 1);
	assert_u64(k->direct.until[PC_TX], 0);
	assert_true(k->direct.budget[PC_TX] & PC_BUDGET_CONTENT);
	kit_gone(k);
	kit_finish(k);
	kit_free(k);
}

static void budget_is_raised_again(void **state)
{
	struct kit *k = start();

	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX, SLICE("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"));
	kit_absent(k, PC_TX, 100000, PC_WHY_DIRECTIVE);
	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX, SLICE("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
	assert_int_equal(k->direct.budget[PC_TX], 0);
	kit_call(k, PC_TX, SLICE("0\r\n\r\n"));
	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX, SLICE("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"));
	assert_int_equal(k->direct.budget[PC_TX], 16384);
	kit_call(k, PC_RX, GET); /* while the response is under way: pipelined */
	kit_absent(k, PC_TX, 100000, PC_WHY_DIRECTIVE);
	assert_int_equal(k->direct.budget[PC_TX], 0);
	kit_gone(k);
	kit_finish(k);
	kit_free(k);
}

static void what_is_only_counted_is_not_copied(void **state)
{
	struct kit *k = start();

	kit_call(k, PC_RX, SLICE("CONNECT h:1 HTTP/1.1\r\n\r\n"));
	kit_call(k, PC_TX, SLICE("HTTP/1.1 200 OK\r\n\r\n"));
	assert_int_equal(k->direct.budget[PC_TX], 1);
	assert_int_equal(k->direct.budget[PC_RX], 1);
	kit_absent(k, PC_RX, 1000, PC_WHY_BUDGET);
	kit_absent(k, PC_TX, 2000, PC_WHY_BUDGET);
	done(k, "> CONNECT h:1 1.1 none keep-alive\n> complete content=0 wire=24\n"
		"< 1.1 200 OK tunnel\n< complete content=0 wire=19\n"
		"> tunnel 1000\n< tunnel 2000\n");
}

static void not_ours_is_told_to_the_kernel(void **state)
{
	struct kit *k = start();
	struct proto_stats stats;

	kit_call(k, PC_RX, SLICE("\x16\x03\x01"));
	assert_u64(k->direct.until[PC_RX], PC_NEVER);
	assert_u64(k->direct.until[PC_TX], PC_NEVER);
	proto_stats(k->proto, &stats);
	assert_u64(stats.not_http, 1);
	done(k, "> lost not-http\n");
}

/* ---- content ---- */

static void content_has_no_chunk_framing(void **state)
{
	struct kit *k = &world;

	kit_start(k, true);
	kit_connect(k, PC_F_PASSIVE, 0, 0);
	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX,
		 SLICE("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhel"));
	kit_call(k, PC_TX, SLICE("lo\r\n6\r\n world\r\n0\r\nT: 1\r\n\r\n"));
	assert_slice(buf_slice(&k->content), "hello world");
	kit_gone(k);
	kit_finish(k);
	kit_free(k);
}

/* ---- connections without an OPEN, or with one that came late ---- */

static void open_was_lost(void **state)
{
	struct kit *k = &world;

	kit_start(k, false);
	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX, OK);
	done(k, "> GET /a 1.1 none keep-alive\n> complete content=0 wire=28\n"
		"< 1.1 200 OK length=2 keep-alive\n< complete content=2 wire=40\n");
}

static void open_was_lost_in_the_middle(void **state)
{
	struct kit *k = &world;

	kit_start(k, false);
	k->pos[PC_RX] = k->pos[PC_TX] = 50000;
	kit_call(k, PC_RX, SLICE("middle of something"));
	kit_call(k, PC_TX, OK);
	kit_tick(k,
		 1500 * KIT_MS); /* a pause says nothing: requests may have been in flight before */
	kit_call(k, PC_RX, GET);
	kit_call(k, PC_TX, OK);
	done(k, "> lost hole 47\n< lost hole 80\n");
}

/* ---- memory ---- */

static void idle_connections_are_cheap(void **state)
{
	static const struct stream_limits bounds = {
		.connections = 20000,
		.buffer_bytes = 132 * 1024,
		.total_bytes = 1 << 24,
		.pending = 64,
		.reorder_ns = 200 * KIT_MS,
		.grace_ns = KIT_MS,
		.idle_ns = 600000 * KIT_MS,
	};
	static const struct proto_limits limits = { .pipelined = 1024, .hold_ns = 1000 * KIT_MS };
	struct proto_sink sink;
	struct stream_sink in;
	struct kit *k = &world;
	size_t before, after;

	kit_new(k, false);
	kit_sink(k, &sink);
	assert_int_equal(proto_new(&limits, &sink, &k->proto), 0);
	in = proto_stream_sink(k->proto);
	before = mallinfo2().uordblks;
	for (uint64_t i = 1; i <= 10000; i++) {
		struct connection c = { .id = i, .family = AF_INET };

		in.open(in.ctx, &c);
	}
	after = mallinfo2().uordblks;
	print_message("%zu octets a connection\n", (after - before) / 10000);
	assert_true(after > before || SANITIZED); /* its allocator does not say */
	assert_true(after - before <= 10000 * 260ul);
	assert_int_equal(stream_new(&bounds, &in, &k->stream), 0);
	kit_free(k);
}

UNIT_MAIN(T(response_waits_for_its_request), T(response_waits_no_longer_than_allowed),
	  T(request_that_comes_too_late), T(no_request_can_come_after_the_end),
	  T(pipelining_is_bounded_by_waiting), T(what_cannot_be_kept_is_lost),
	  T(head_in_single_octets), T(long_content_is_skipped), T(short_content_costs_no_directive),
	  T(who_wants_octets_gets_them), T(budget_is_raised_again),
	  T(what_is_only_counted_is_not_copied), T(not_ours_is_told_to_the_kernel),
	  T(content_has_no_chunk_framing), T(open_was_lost), T(open_was_lost_in_the_middle),
	  T(idle_connections_are_cheap))
