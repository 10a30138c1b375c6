/* SPDX-License-Identifier: Apache-2.0 */
/* NDJSON rows of transactions made by hand, to the last byte. */
#include "unit.h"

#include "export/ndjson.h"
#include "sample.h"

static struct view view;
static struct buf out;

static const char *row(const struct transaction *t, enum privacy mode)
{
	const struct privacy_rules rules = { .mode = mode };
	const struct ndjson_context context = { .wall_minus_mono_ns = SAMPLE_WALL };

	view_init(&view);
	buf_init(&out, 1 << 20);
	assert_int_equal(view_make(&view, &rules, t), 0);
	ndjson_transaction(&out, &context, t, &view);
	assert_int_equal(out.at[out.len - 1], '\n');
	buf_add_byte(&out, 0);
	assert_false(out.failed);
	return out.at;
}

static void done(void)
{
	view_done(&view);
	buf_done(&out);
}

#define HAS(text, what)	    assert_non_null(strstr(text, what))
#define HAS_NOT(text, what) assert_null(strstr(text, what))

static void whole_row(void **state)
{
	struct transaction t = sample();

	assert_string_equal(
		row(&t, PRIVACY_NONE),
		"{\"type\":\"transaction\",\"kind\":\"server\",\"start_time_unix_nano\":"
		"1700000005000000000,"
		"\"duration_ns\":12345678,\"time_to_first_byte_ns\":12000000,\"time_to_request_end_"
		"ns\":1000,"
		"\"wait_ns\":3200000,\"outcome\":\"complete\",\"process.pid\":812,\"thread.id\":"
		"813,"
		"\"process.executable.name\":\"nginx\",\"process.executable.path\":\"/usr/sbin/"
		"nginx\","
		"\"service.name\":\"shop-front\",\"container.id\":"
		"\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\","
		"\"parcours.process.unit\":\"nginx.service\",\"http.request.method\":\"GET\","
		"\"url.path\":\"/shop/cart\",\"url.query\":\"item=7&q=shoes\","
		"\"parcours.url.template\":\"/shop/cart\",\"server.address\":\"shop.example\","
		"\"url.scheme\":\"http\",\"server.port\":8080,\"user_agent.original\":"
		"\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
		"Chrome/120.0.0.0 Safari/537.36\",\"user_agent.name\":\"Chrome\","
		"\"user_agent.version\":\"120\",\"http.request.header.referer\":"
		"[\"http://shop.example/list?page=3\"],\"http.response.status_code\":200,"
		"\"http.response.header.content-type\":[\"text/"
		"html\"],\"http.request.body.size\":0,"
		"\"http.response.body.size\":4096,\"http.request.size\":300,\"http.response.size\":"
		"4296,"
		"\"network.protocol.name\":\"http\",\"network.protocol.version\":\"1.1\","
		"\"client.address\":\"192.0.2.77\",\"client.port\":51234,"
		"\"network.transport\":\"tcp\",\"network.type\":\"ipv4\","
		"\"network.peer.address\":\"192.0.2.77\",\"network.peer.port\":51234,"
		"\"network.local.address\":\"10.1.2.3\",\"network.local.port\":8080,"
		"\"trace_id\":\"0102030405060708090a0b0c0d0e0f10\",\"span_id\":"
		"\"a1a2a3a4a5a6a7a8\","
		"\"parcours.sampled\":true,\"parcours.edge\":true,\"parcours.site\":\"shop."
		"example\","
		"\"session.id\":\"01020000000000000000000000000000\",\"parcours.key\":"
		"\"03040000000000000000000000000000\","
		"\"parcours.exchange\":"
		"\"010203040a0b0c0d000000000000012c\","
		"\"parcours.connection.id\":4711,\"parcours.connection.ordinal\":1,"
		"\"parcours.connection.handshake_estimate_ns\":250000,\"parcours.connection.rtt_"
		"ns\":180000,"
		"\"parcours.connection.retransmissions\":0,\"parcours.flags\":[\"reused\"]}\n");
	done();
}

static void audience_is_the_default(void **state)
{
	struct transaction t = sample();
	struct process p = sample_process;
	const char *text;

	memcpy(p.exe, "/var/home/alice/shop", sizeof("/var/home/alice/shop"));
	t.process = &p;
	assert_int_equal((enum privacy)0, PRIVACY_AUDIENCE);
	text = row(&t, PRIVACY_AUDIENCE);
	HAS(text, "\"url.query\":\"item=REDACTED&q=REDACTED\"");
	HAS(text, "\"network.peer.address\":\"192.0.2.0\"");
	HAS(text, "\"client.address\":\"192.0.2.0\"");
	HAS(text, "page=REDACTED");
	HAS_NOT(text, "user_agent.original");
	HAS_NOT(text, "192.0.2.77");
	HAS(text, "\"network.local.address\":\"10.1.2.0\"");
	HAS_NOT(text, "10.1.2.3");
	HAS(text, "\"process.executable.path\":\"/var/home/{user}/shop\"");
	done();
}

/* Every bit takes its values away and puts their names into `unobserved`. */
static void unobserved(void **state)
{
	static const struct {
		uint32_t bit;
		const char *absent[4], *named[4];
	} cases[] = {
		{ UNOBSERVED_METHOD,
		  { "\"http.request.method\":", "\"url.path\":", "\"url.query\":" },
		  { "\"http.request.method\"", "\"url.path\"", "\"url.query\"" } },
		{ UNOBSERVED_STATUS,
		  { "\"http.response.status_code\":" },
		  { "\"http.response.status_code\"" } },
		{ UNOBSERVED_REQUEST_SIZE,
		  { "\"http.request.body.size\":", "\"http.request.size\":" },
		  { "\"http.request.body.size\"", "\"http.request.size\"" } },
		{ UNOBSERVED_RESPONSE_SIZE,
		  { "\"http.response.body.size\":", "\"http.response.size\":" },
		  { "\"http.response.body.size\"", "\"http.response.size\"" } },
		{ UNOBSERVED_START,
		  { "\"start_time_unix_nano\":", "\"duration_ns\":", "\"time_to_first_byte_ns\":",
		    "\"time_to_request_end_ns\":" },
		  { "\"start_time_unix_nano\"", "\"duration_ns\"", "\"time_to_first_byte_ns\"",
		    "\"time_to_request_end_ns\"" } },
		{ UNOBSERVED_END, { "\"duration_ns\":" }, { "\"duration_ns\"" } },
		{ UNOBSERVED_FIRST_BYTE,
		  { "\"time_to_first_byte_ns\":" },
		  { "\"time_to_first_byte_ns\"" } },
		{ UNOBSERVED_WAIT, { "\"wait_ns\":" }, { "\"wait_ns\"" } },
		{ UNOBSERVED_ADDRESS,
		  { "\"network.peer.address\":", "\"network.local.address\":",
		    "\"client.address\":" },
		  { "\"network.peer.address\"", "\"network.local.address\"" } },
		{ UNOBSERVED_CLIENT,
		  { "\"client.address\":", "\"client.port\":", "\"parcours.client.source\":" },
		  { "\"client.address\"" } },
		{ UNOBSERVED_PROCESS,
		  { "\"process.pid\":", "\"process.executable.name\":", "\"thread.id\":" },
		  { "\"process.pid\"", "\"process.executable.name\"" } },
		{ UNOBSERVED_EXCHANGE, { "\"parcours.exchange\":" }, { "\"parcours.exchange\"" } },
		{ UNOBSERVED_REQUEST_END,
		  { "\"time_to_request_end_ns\":" },
		  { "\"time_to_request_end_ns\"" } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct transaction t = sample();
		const char *text, *list;

		t.unobserved = cases[i].bit;
		if (cases[i].bit == UNOBSERVED_ADDRESS || cases[i].bit == UNOBSERVED_CLIENT)
			t.client_source = NULL;
		if (cases[i].bit == UNOBSERVED_PROCESS)
			t.process = NULL;
		t.outcome = OUTCOME_UNOBSERVED;
		t.why = PC_WHY_RING;
		text = row(&t, PRIVACY_NONE);
		HAS(text, "\"outcome\":\"unobserved\",\"parcours.unobserved.cause\":\"ring\"");
		list = strstr(text, "\"unobserved\":[");
		assert_non_null(list);
		for (unsigned k = 0; k < 4 && cases[i].absent[k]; k++)
			HAS_NOT(text, cases[i].absent[k]);
		for (unsigned k = 0; k < 4 && cases[i].named[k]; k++)
			HAS(list, cases[i].named[k]);
		done();
	}
}

static void errors_by_side(void **state)
{
	static const struct {
		enum side side;
		enum outcome outcome;
		uint16_t status;
		const char *error; /* NULL: none */
	} cases[] = {
		{ SIDE_SERVER, OUTCOME_COMPLETE, 200, NULL },
		{ SIDE_SERVER, OUTCOME_COMPLETE, 404, NULL },
		{ SIDE_SERVER, OUTCOME_COMPLETE, 500, "\"500\"" },
		{ SIDE_CLIENT, OUTCOME_COMPLETE, 302, NULL },
		{ SIDE_CLIENT, OUTCOME_COMPLETE, 404, "\"404\"" },
		{ SIDE_CLIENT, OUTCOME_COMPLETE, 503, "\"503\"" },
		{ SIDE_SERVER, OUTCOME_CLIENT_GONE, 200, "\"client_gone\"" },
		{ SIDE_SERVER, OUTCOME_CLIENT_GONE, 500, "\"500\"" },
		{ SIDE_CLIENT, OUTCOME_SERVER_RESET, 0, "\"server_reset\"" },
		{ SIDE_CLIENT, OUTCOME_TIMEOUT, 0, "\"timed_out\"" },
		{ SIDE_SERVER, OUTCOME_UNOBSERVED, 200, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct transaction t = sample();
		char want[64];
		const char *text;

		t.side = cases[i].side;
		t.outcome = cases[i].outcome;
		t.status = cases[i].status;
		text = row(&t, PRIVACY_NONE);
		if (cases[i].error) {
			snprintf(want, sizeof(want), "\"error.type\":%s", cases[i].error);
			HAS(text, want);
		} else {
			HAS_NOT(text, "error.type");
		}
		done();
	}
}

static void odd_transactions(void **state)
{
	struct transaction t = sample();
	const char *text;

	t.method = SLICE("PROPFIND");
	t.method_known = false;
	t.side = SIDE_CLIENT;
	t.family = AF_UNIX;
	t.unobserved = UNOBSERVED_EXCHANGE;
	t.peer_id = 99;
	t.path = SLICE("/a\"b\\\x01\xff\n");
	t.has_query = true;
	t.query = slice_of("", 0);
	t.flags = TXN_UPGRADED | TXN_CONFLICT;
	t.upgrade = SLICE("websocket");
	t.tunnel_bytes[PC_RX] = 5;
	t.tunnel_bytes[PC_TX] = 6;
	t.interim = 2;
	t.connection_id = UINT64_MAX;
	t.has_parent = true;
	memset(t.parent_id, 0xbb, 8);
	text = row(&t, PRIVACY_NONE);
	HAS(text,
	    "\"http.request.method\":\"PROPFIND\",\"http.request.method_original\":\"PROPFIND\"");
	HAS(text, "\"url.path\":\"/a\\\"b\\\\\\u0001\xef\xbf\xbd\\n\",\"url.query\":\"\"");
	HAS(text, "\"kind\":\"client\"");
	HAS_NOT(text, "wait_ns");
	HAS(text, "\"network.transport\":\"unix\"");
	HAS_NOT(text, "network.peer.address");
	HAS_NOT(text, "retransmissions");
	HAS(text, "\"parcours.connection.peer_id\":99");
	HAS(text, "\"parcours.tunnel.protocol\":\"websocket\",\"parcours.tunnel.received_bytes\":5,"
		  "\"parcours.tunnel.sent_bytes\":6");
	HAS(text, "\"parcours.http.interim_responses\":2");
	HAS(text, "\"parcours.connection.id\":18446744073709551615");
	HAS(text, "\"parent_span_id\":\"bbbbbbbbbbbbbbbb\"");
	HAS(text, "\"parcours.flags\":[\"conflict\",\"upgraded\"],\"unobserved\":[\"parcours."
		  "exchange\"]}");
	done();
}

static void stats_row(void **state)
{
	const struct counter figures[] = {
		{ "parcours.agent.records.lost", "{record}", "kind", "data", 5, false },
		{ "parcours.agent.records.lost", "{record}", "kind", "open", 0, false },
		{ "parcours.agent.uptime", "s", NULL, NULL, 10, true },
	};

	buf_init(&out, 1000);
	ndjson_stats(&out, 1700000000000000000, true, figures, 3);
	buf_add_byte(&out, 0);
	assert_string_equal(
		out.at, "{\"type\":\"stats\",\"time_unix_nano\":1700000000000000000,\"final\":true,"
			"\"parcours.agent.records.lost{kind=data}\":5,"
			"\"parcours.agent.records.lost{kind=open}\":0,"
			"\"parcours.agent.uptime\":10}\n");
	buf_done(&out);
}

UNIT_MAIN(T(whole_row), T(audience_is_the_default), T(unobserved), T(errors_by_side),
	  T(odd_transactions), T(stats_row))
