/* SPDX-License-Identifier: Apache-2.0 */
/*
 * txn_reading.c: contents on their way through stream, proto and txn: what is read of them whole, cut at every
 * octet, with holes at every place, and that nothing else is ever read or kept.
 */
#include "unit.h"

#include <zlib.h>

#include "reading_kit.h"

#define GET  "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
#define JSON "{\"a\":[1,2],\"v\":\"one\",\"b\":{\"v\":2},\"c\":\"end\"}" /* 43 octets */
#define OK   "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define POST "POST /a HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"

static struct world w;

/* Calls: octets of one direction, where a conversation turns. */
struct call {
	enum pc_dir d;
	struct slice s;
};
#define RX(text)                                                                                   \
	{                                                                                          \
		PC_RX, SLICE(text)                                                                 \
	}
#define TX(text)                                                                                   \
	{                                                                                          \
		PC_TX, SLICE(text)                                                                 \
	}

static void start(void)
{
	world_start(&w);
	kit_connect(&w.k, PC_F_PASSIVE, 0, 0);
}

static void said(const char *expected)
{
	world_end(&w);
	buf_add_byte(&w.out, 0);
	assert_string_equal(w.out.at, expected);
	world_free(&w);
}

/* Whole, and in calls of every size up to 63 octets. */
static void expect(const struct call *calls, unsigned count, const char *expected)
{
	for (size_t size = 0; size < 64; size++) {
		start();
		for (unsigned i = 0; i < count; i++) {
			size_t step = size ? size : calls[i].s.len;

			for (size_t at = 0; at < calls[i].s.len; at += step)
				kit_call(&w.k, calls[i].d, slice_sub(calls[i].s, at, at + step));
		}
		kit_gone(&w.k);
		said(expected);
	}
}
#define EXPECT(expected, ...)                                                                      \
	do {                                                                                       \
		const struct call calls_[] = { __VA_ARGS__ };                                      \
		expect(calls_, sizeof(calls_) / sizeof(calls_[0]), expected);                      \
	} while (0)

static void of_known_length(void **state)
{
	EXPECT("GET /a 200 complete > none < 0=one 0=2\n", RX(GET),
	       TX(OK "Content-Length: 43\r\n\r\n" JSON));
}

static void in_chunks(void **state)
{
	EXPECT("GET /a 200 complete > none < 0=one 0=2\n", RX(GET),
	       TX(OK "Transfer-Encoding: chunked\r\n\r\n"
		     "d;x=y\r\n{\"a\":[1,2],\"v\r\n"
		     "1e\r\n\":\"one\",\"b\":{\"v\":2},\"c\":\"end\"}\r\n0\r\nX: y\r\n\r\n"));
}

static void until_the_close(void **state)
{
	const struct call calls[] = { RX(GET), TX(OK "\r\n" JSON) };

	start();
	for (unsigned i = 0; i < 2; i++)
		kit_call(&w.k, calls[i].d, calls[i].s);
	kit_dir_end(&w.k, PC_TX, 0);
	kit_gone(&w.k);
	said("GET /a 200 complete > none < 0=one 0=2\n");
}

static void of_requests(void **state)
{
	EXPECT("POST /a 204 complete > 0=one 0=2 < none\n",
	       RX(POST "Content-Length: 43\r\n\r\n" JSON), TX("HTTP/1.1 204 No Content\r\n\r\n"));
	EXPECT("POST /a 200 complete > 1=x%20y < none\n",
	       RX("POST /a HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
		  "Content-Length: 14\r\n\r\na=1&v=x+y&b=2&"),
	       TX("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
	EXPECT("GET /a 200 complete > 1=x < none\n", RX("GET /a?b=1&v=x HTTP/1.1\r\n\r\n"),
	       TX("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
}

/* Each answer with its request, whatever the calls are. */
static void pipelined(void **state)
{
	EXPECT("POST /a 200 complete > 0=one 0=2 < 0=7\nGET /a 200 complete > none < 0=8\n",
	       RX(POST "Content-Length: 43\r\n\r\n" JSON GET),
	       TX(OK "Content-Length: 7\r\n\r\n{\"v\":7}" OK "Content-Length: 7\r\n\r\n{\"v\":8}"));
}

static void without_content(void **state)
{
	EXPECT("HEAD /a 200 complete > none < none\nGET /a 304 complete > none < none\n"
	       "GET /a 200 complete > none < 0=1\n",
	       RX("HEAD /a HTTP/1.1\r\n\r\n"), TX(OK "Content-Length: 43\r\n\r\n"), RX(GET),
	       TX("HTTP/1.1 304 Not Modified\r\nContent-Length: 43\r\n\r\n"), RX(GET),
	       TX("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK
		  "Content-Length: 7\r\n\r\n{\"v\":1}"));
	EXPECT("GET /a 200 complete > none < none\n", RX(GET),
	       TX(OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
}

static void of_a_type_that_nobody_wants(void **state)
{
	EXPECT("GET /a 200 complete > none < none\n", RX(GET),
	       TX("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 43\r\n\r\n" JSON));
}

static struct slice compressed(struct slice in, char *room, size_t max)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)in.at;
	z.avail_in = (uInt)in.len;
	z.next_out = (Bytef *)room;
	z.avail_out = (uInt)max;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return slice_of(room, max - z.avail_out);
}

static void in_a_coding(void **state)
{
	char room[200], head[200], wire[400];
	struct slice body = compressed(SLICE(JSON), room, sizeof(room));
	static const char *const fields[] = { "Content-Encoding: gzip\r\n",
					      "Transfer-Encoding: gzip, chunked\r\n" };

	for (unsigned i = 0; i < 2; i++) {
		int n = i ? snprintf(head, sizeof(head), OK "%s\r\n%zx\r\n", fields[i], body.len)
			  : snprintf(head, sizeof(head), OK "%sContent-Length: %zu\r\n\r\n",
				     fields[i], body.len);
		size_t len = (size_t)n;
		struct call calls[] = { RX(GET), { PC_TX, { wire, 0 } } };

		memcpy(wire, head, len);
		memcpy(wire + len, body.at, body.len);
		len += body.len;
		if (i) {
			memcpy(wire + len, "\r\n0\r\n\r\n", 7);
			len += 7;
		}
		calls[1].s.len = len;
		expect(calls, 2, "GET /a 200 complete > none < 0=one 0=2\n");
	}
	EXPECT("GET /a 200 complete > none < !coding_unknown\n", RX(GET),
	       TX(OK "Content-Encoding: gzip\r\nContent-Encoding: gzip, x-own\r\n"
		     "Content-Length: 43\r\n\r\n" JSON));
}

/* What was no JSON before the damage is all that is found, wherever the octets are cut. */
static void in_a_damaged_coding(void **state)
{
	char room[200], wire[400];
	struct slice body = compressed(SLICE("{\"v\":1}]\"v\":2"), room, sizeof(room));
	int n = snprintf(wire, sizeof(wire),
			 OK "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", body.len);
	struct call calls[] = { RX(GET), { PC_TX, { wire, 0 } } };

	room[body.len - 5] ^= 1;
	memcpy(wire + n, body.at, body.len);
	calls[1].s.len = (size_t)n + body.len;
	expect(calls, 2, "GET /a 200 complete > none < 0=1 !more\n");
}

/* One octet is missing: of the content, that and what is behind it is not told, and that is said. */
static void a_hole_at_every_place(void **state)
{
	static const struct call calls[] = { RX(GET), TX(OK "Content-Length: 43\r\n\r\n" JSON) };
	struct slice answer = calls[1].s;
	size_t head = answer.len - 43;

	for (unsigned how = 0; how < 2; how++)
		for (size_t at = head; at < answer.len; at++) {
			const char *expected = "!hole";

			start();
			kit_call(&w.k, PC_RX, calls[0].s);
			kit_call(&w.k, PC_TX, slice_sub(answer, 0, at));
			if (how)
				kit_absent(&w.k, PC_TX, 1, PC_WHY_SENDFILE);
			else
				kit_hole(&w.k, PC_TX, 1);
			kit_call(&w.k, PC_TX, slice_sub(answer, at + 1, answer.len));
			kit_gone(&w.k);
			if (at >= head + 32)
				expected = "0=one 0=2 !hole";
			else if (at >= head + 20)
				expected = "0=one !hole";
			world_end(&w);
			buf_add_byte(&w.out, 0);
			if (!strstr(w.out.at, expected) || strstr(w.out.at, "end") ||
			    (at < head + 20 && strstr(w.out.at, "0=")))
				fail_msg("hole at %zu: %s", at - head, w.out.at);
			world_free(&w);
		}
}

/* Cut off by its client, or by the end of what we see. */
static void cut_messages(void **state)
{
	for (unsigned how = 0; how < 3; how++) {
		start();
		kit_call(&w.k, PC_RX, SLICE(GET));
		kit_call(&w.k, PC_TX,
			 SLICE(OK "Content-Length: 43\r\n\r\n{\"a\":[1,2],\"v\":\"one\",\"b"));
		if (how == 1)
			kit_dir_end(&w.k, PC_TX, 104);
		if (how < 2)
			kit_gone(&w.k);
		world_end(&w);
		buf_add_byte(&w.out, 0);
		assert_non_null(strstr(w.out.at, "< 0=one !hole"));
		world_free(&w);
	}
	start(); /* not an octet of it */
	kit_call(&w.k, PC_RX, SLICE(POST "Content-Length: 43\r\n\r\n"));
	kit_gone(&w.k);
	said("POST /a - server_reset > !hole < -\n");
}

/* Chunk framing in a hole: nobody knows where it goes on. */
static void framing_is_lost(void **state)
{
	start();
	kit_call(&w.k, PC_RX, SLICE(GET));
	kit_call(&w.k, PC_TX, SLICE(OK "Transfer-Encoding: chunked\r\n\r\n7\r\n{\"v\":1,"));
	kit_absent(&w.k, PC_TX, 40, PC_WHY_IO_URING);
	kit_call(&w.k, PC_TX, SLICE("7\r\n\"v\":2}\r\n0\r\n\r\n"));
	kit_gone(&w.k);
	said("GET /a 200 unobserved > none < 0=1 !hole\n");
}

/* Was it a HEAD? Then there is no content, and what looks like it is another response. */
static void an_answer_to_an_unknown_request(void **state)
{
	world_start(&w);
	kit_connect(&w.k, PC_F_PASSIVE | PC_F_JOINED, 1000, 1000);
	kit_call(&w.k, PC_RX, SLICE("rest of something"));
	kit_call(&w.k, PC_TX, SLICE(OK "Content-Length: 7\r\n\r\n{\"v\":1}"));
	kit_call(&w.k, PC_RX, SLICE(GET));
	kit_call(&w.k, PC_TX, SLICE(OK "Content-Length: 7\r\n\r\n{\"v\":2}"));
	kit_gone(&w.k);
	world_end(&w);
	buf_add_byte(&w.out, 0);
	assert_null(strstr(w.out.at, "0=1"));
	world_free(&w);
}

static void after_an_upgrade(void **state)
{
	EXPECT("GET /a 101 complete > none < -\n",
	       RX("GET /a HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
	       TX("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
		  "Content-Type: application/json\r\n\r\n" JSON));
}

static void nobody_is_asked_who_wants_nothing(void **state)
{
	start();
	w.reader.contents = 0;
	txn_read(w.x, &w.reader);
	kit_call(&w.k, PC_RX, SLICE(GET));
	kit_call(&w.k, PC_TX, SLICE(OK "Content-Length: 100000\r\n\r\n"));
	assert_int_equal(w.asked[0] + w.asked[1], 0);
	assert_int_equal(w.k.direct.budget[PC_TX], 16384); /* as ever */
	kit_absent(&w.k, PC_TX, 100000, PC_WHY_DIRECTIVE);
	kit_gone(&w.k);
	said("GET /a 200 complete > - < -\n");
}

static void only_what_may_be_wanted_is_asked_for(void **state)
{
	start();
	w.no_response = true;
	kit_call(&w.k, PC_RX, SLICE(GET));
	assert_int_equal(w.k.direct.budget[PC_TX], PC_BUDGET_LEAVE);
	kit_call(&w.k, PC_TX, SLICE(OK "Content-Length: 43\r\n\r\n" JSON));
	w.no_response = false;
	kit_call(&w.k, PC_RX, SLICE(GET));
	assert_true(w.k.direct.budget[PC_TX] & PC_BUDGET_CONTENT);
	kit_call(&w.k, PC_TX, SLICE(OK "Content-Length: 43\r\n\r\n" JSON));
	kit_gone(&w.k);
	assert_int_equal(w.asked[1], 2);
	/* what came all the same is read: it is here */
	said("GET /a 200 complete > none < 0=one 0=2\nGET /a 200 complete > none < 0=one 0=2\n");
}

/* The document is over, or can be of no use any more: the rest stays on the wire. */
static void the_rest_is_left_on_the_wire(void **state)
{
	start();
	kit_call(&w.k, PC_RX, SLICE(GET));
	kit_call(&w.k, PC_TX, SLICE(OK "Content-Length: 100000\r\n\r\n{\"v\":1 no json"));
	assert_u64(w.k.direct.until[PC_TX], w.k.pos[PC_TX] - 14 + 100000);
	kit_absent(&w.k, PC_TX, 100000 - 14, PC_WHY_DIRECTIVE);
	kit_gone(&w.k);
	said("GET /a 200 complete > none < 0=1 !malformed\n");
}

static void bodies_are_bounded(void **state)
{
	struct txn_stats s;
	struct body_stats b;

	w.bodies = body_limits_default;
	w.bodies.open = 1;
	w.limits = (struct txn_limits){ .open = 1000,
					.bytes = 4 << 20,
					.templates = 100,
					.processes = { 100, 1000 },
					.bodies = &w.bodies };
	start();
	kit_call(&w.k, PC_RX, SLICE(POST "Content-Length: 43\r\n\r\n{\"a\":[1,2],"));
	kit_call(&w.k, PC_TX, SLICE(OK "Content-Length: 7\r\n\r\n{\"v\":7}")); /* early */
	kit_call(&w.k, PC_RX, slice_sub(SLICE(JSON), 11, 43));
	txn_stats(w.x, &s);
	txn_body_stats(w.x, &b);
	assert_u64(b.refused, 1);
	assert_u64(s.readings, 2);
	kit_gone(&w.k);
	said("POST /a 200 complete > 0=one 0=2 < !memory\n");
}

static void values_are_bounded(void **state)
{
	enum { MANY = 4000 };
	static char text[MANY * 8 + 200];
	struct txn_stats s;
	struct body_stats b;
	size_t n = (size_t)snprintf(text, sizeof(text), OK "Content-Length: %u\r\n\r\n[",
				    MANY * 8 + 1);

	for (unsigned i = 0; i < MANY; i++, n += 8)
		memcpy(text + n, i + 1 < MANY ? "{\"v\":1}," : "{\"v\":1}]", 8);
	start();
	kit_call(&w.k, PC_RX, SLICE(GET));
	kit_call(&w.k, PC_TX, slice_of(text, n));
	kit_gone(&w.k);
	world_end(&w);
	txn_stats(w.x, &s);
	txn_body_stats(w.x, &b);
	assert_u64(b.values, MANY);
	assert_true(s.values_lost > 0 && s.values_lost < MANY);
	buf_add_byte(&w.out, 0);
	assert_non_null(strstr(w.out.at, "0=1 0=1 lost\n"));
	world_free(&w);
}

static const struct body_wants *other_wants(void *ctx, const struct transaction *t, bool request)
{
	return ctx;
}

/* Old wants are used by what began under them, and until it was handed out. */
static void a_reload_in_the_middle(void **state)
{
	struct body_wants *second = world_compile();
	const struct txn_reader reader = { second, TXN_RESPONSES, other_wants, NULL };

	start();
	kit_call(&w.k, PC_RX, SLICE(GET));
	kit_call(&w.k, PC_TX, SLICE(OK "Content-Length: 43\r\n\r\n{\"a\":[1,2],"));
	assert_int_equal(wants_users(w.wants), 2);
	txn_read(w.x, &reader);
	kit_call(&w.k, PC_TX, slice_sub(SLICE(JSON), 11, 43));
	assert_int_equal(wants_users(w.wants), 0);
	kit_call(&w.k, PC_RX, SLICE(GET));
	kit_call(&w.k, PC_TX, SLICE(OK "Content-Length: 43\r\n\r\n{\"a\":[1,2],"));
	assert_int_equal(wants_users(w.wants), 0);
	assert_int_equal(wants_users(second), 1);
	txn_read(w.x, NULL);
	kit_call(&w.k, PC_TX, slice_sub(SLICE(JSON), 11, 43));
	kit_call(&w.k, PC_RX, SLICE(GET));
	kit_call(&w.k, PC_TX, SLICE(OK "Content-Length: 43\r\n\r\n" JSON));
	kit_gone(&w.k);
	assert_int_equal(wants_users(second), 0);
	wants_free(second);
	said("GET /a 200 complete > none < 0=one 0=2\nGET /a 200 complete > - < 0=one 0=2\n"
	     "GET /a 200 complete > - < -\n");
}

/* The stage ends with bodies open: nothing refers to the wants any more. */
static void the_end_in_the_middle(void **state)
{
	start();
	kit_call(&w.k, PC_RX, SLICE(GET));
	kit_call(&w.k, PC_TX, SLICE(OK "Content-Length: 43\r\n\r\n{\"a\":[1,2],"));
	txn_free(w.x);
	assert_int_equal(wants_users(w.wants), 0);
	w.x = NULL;
	stream_free(w.k.stream);
	w.k.stream = NULL;
	world_free(&w);
}

static int see_head(void *ctx, const struct head *h, bool request, struct arena *a,
		    struct evidence_list *ret)
{
	return 0;
}

static int see_value(void *ctx, const struct taken *v, bool request, struct arena *a,
		     struct evidence_list *list)
{
	struct world *at = ctx;

	at->shown += request ? 100 : 1;
	return 0;
}

/* He is shown the same values beside the reader, and of servers only. */
static void the_witness(void **state)
{
	for (unsigned client = 0; client < 2; client++) {
		const struct txn_witness witness = { &w, see_head, TXN_RESPONSES, world_wants,
						     see_value };

		world_start(&w);
		kit_connect(&w.k, client ? PC_F_ACTIVE : PC_F_PASSIVE, 0, 0);
		txn_watch(w.x, &witness);
		txn_read(w.x, NULL);
		assert_int_equal(txn_contents(w.x), TXN_RESPONSES);
		kit_call(&w.k, client ? PC_TX : PC_RX, SLICE(GET));
		kit_call(&w.k, client ? PC_RX : PC_TX, SLICE(OK "Content-Length: 43\r\n\r\n" JSON));
		kit_gone(&w.k);
		assert_int_equal(w.shown, client ? 0 : 2);
		said("GET /a 200 complete > - < -\n");
	}
}

UNIT_MAIN(T(of_known_length), T(in_chunks), T(until_the_close), T(of_requests), T(pipelined),
	  T(without_content), T(of_a_type_that_nobody_wants), T(in_a_coding),
	  T(in_a_damaged_coding), T(a_hole_at_every_place), T(cut_messages), T(framing_is_lost),
	  T(an_answer_to_an_unknown_request), T(after_an_upgrade),
	  T(nobody_is_asked_who_wants_nothing), T(only_what_may_be_wanted_is_asked_for),
	  T(the_rest_is_left_on_the_wire), T(bodies_are_bounded), T(values_are_bounded),
	  T(a_reload_in_the_middle), T(the_end_in_the_middle), T(the_witness))
