/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every place of a transaction where an address or another thing of a person's may stand, in every
 * privacy mode; and which host and port a server has (HTTP semantic conventions, stable).
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "export/metric.h"
#include "export/ndjson.h"
#include "export/semconv.h"
#include "export/span.h"
#include "sample.h"
#include "txn/target/target.h"

static struct view view;

static void hosts(void **state)
{
	static const struct {
		const char *in, *out; /* NULL: no address */
	} cases[] = {
		{ "203.0.113.9", "203.0.113.0" },
		{ "203.0.113.9.", "203.0.113.0" },
		{ "203.0.113", "203.0.0.0" }, /* inet_aton: the last number fills the rest */
		{ "3405803785", "203.0.113.0" },
		{ "0xcb007109", "203.0.113.0" },
		{ "0313.0.0161.011", "203.0.113.0" },
		{ "2001:db8:1:2::77", "2001:db8:1::" },
		{ "[2001:db8:1:2::77]", "2001:db8:1::" },
		{ "fe80::1%eth0", "fe80::" },
		{ "::ffff:203.0.113.9", "203.0.113.0" },
		{ "2002:cb00:7109::1", "2002:cb00:7100::" }, /* 6to4 */
		{ "64:ff9b::203.0.113.9", "64:ff9b::" },
		{ "::1", "::" },
		{ "shop.example", NULL },
		{ "3com.example", NULL },
		{ "1.2.3.4.example", NULL },
		{ "", NULL },
		{ ":", NULL },
		{ "[", NULL },
		{ "999.1.1.1", "{id}" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[PRIVACY_HOST] = "";
		bool is = privacy_host(slice_str(cases[i].in), false, text);

		assert_int_equal(is, cases[i].out != NULL);
		if (is)
			assert_string_equal(text, cases[i].out);
	}
}

/* Labels by the rules of segments; what is allowed by name is allowed, and no more. */
static void host_words(void **state)
{
	static const struct {
		const char *in, *out; /* NULL: as it is */
	} cases[] = {
		{ "d41d8cd98f00b204e9800998ecf8427e.users.example", "{token}.users.example" },
		{ "customer-123456789.shop.example", "{id}.shop.example" },
		{ "a.D41D8CD98F00B204E9800998ECF8427E", "a.{token}" },
		{ "203-0-113-5.dsl.example", "{id}.dsl.example" },
		{ "mara.lind%40post.example", "{email}" },
		{ "4111.1111.1111.1111", "{id}" },
		{ "d41d8cd98f00b204e9800998ecf8427e:x", "{token}" },
		{ "d41d8cd98f00b204e9800998ecf8427e.example:80", NULL }, /* an authority */
		{ "xn--80ak6aa92e.com", NULL },
		{ "shop.example.", NULL },
		{ "..", NULL },
		{ "my-svc.my-ns.svc.cluster.local", NULL },
		{ "s3.eu-central-1.amazonaws.com", NULL },
		{ "web-5d8f7c9b6-x2k4q", NULL },
		{ "www2.shop24.example", NULL },
	};
	char long_name[2 * PRIVACY_HOST], text[PRIVACY_HOST];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned addresses = 0; addresses < 2; addresses++) {
			bool is = privacy_host(slice_str(cases[i].in), addresses, text);

			if (is != (cases[i].out != NULL) || (is && strcmp(text, cases[i].out)))
				fail_msg("%s became %s", cases[i].in, is ? text : "itself");
		}
	}
	assert_false(privacy_host(SLICE("203.0.113.9"), true, text));
	for (size_t n = PRIVACY_HOST - 4; n <= sizeof(long_name); n++) {
		for (size_t i = 0; i < n; i++)
			long_name[i] = i % 5 == 4 ? '.' : "a@bc"[i % 5];
		assert_true(privacy_host(slice_of(long_name, n), false, text));
		for (size_t i = 0; i < n; i++) /* each label grows from 6 to 4 octets and back */
			long_name[i] = i % 7 == 6 ? '.' : '1';
		assert_true(privacy_host(slice_of(long_name, n), false, text));
		assert_true(strlen(text) < sizeof(text));
	}
}

/* The operator's own names are no secrets, whatever they look like; nor in which form a host asks. */
static void sites(void **state)
{
	static const char *const hosts[] = { "shop.example=10.0.0.7", "b.example=store-1000042",
					     NULL };
	static const struct {
		const char *in, *out;
	} cases[] = { { "10.0.0.7", "10.0.0.7" },   { "store-1000042", "store-1000042" },
		      { "4711-4711", "4711-4711" }, { "10.0.0.8", "10.0.0.0" },
		      { "store-1000043", "{id}" },  { "b.example", "b.example" } };
	struct privacy_rules rules = { .site = "4711-4711", .site_hosts = hosts };
	char text[PRIVACY_HOST];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rules.mode = i % 2 ? PRIVACY_AUDIENCE : PRIVACY_CUSTOMER;
		assert_true(slice_eq(privacy_site(slice_str(cases[i].in), &rules, text),
				     slice_str(cases[i].out)));
		rules.mode = PRIVACY_NONE;
		assert_true(slice_eq(privacy_site(slice_str(cases[i].in), &rules, text),
				     slice_str(cases[i].in)));
	}
}

static void authorities(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "203.0.113.9:8080", "203.0.113.0:8080" },
		{ "203.0.113.9", "203.0.113.0" },
		{ "203.0.113.9:x", "203.0.113.0" },
		{ "[2001:db8:1:2::77]:443", "[2001:db8:1::]:443" },
		{ "[2001:db8:1:2::77]", "[2001:db8:1::]" },
		{ "2001:db8:1:2::77", "[2001:db8:1::]" },
		{ "shop.example:8080", "shop.example:8080" },
		{ "customer-123456789.shop.example:8080", "{id}.shop.example:8080" },
		{ "customer-123456789.shop.example", "{id}.shop.example" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out;

		buf_init(&out, 100);
		privacy_authority(slice_str(cases[i].in), false, &out);
		assert_true(slice_eq(buf_slice(&out), slice_str(cases[i].out)));
		buf_done(&out);
	}
}

static void tracestates(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "" },
		{ "dd=t.usr.id:am9obg==,congo=john", "" },
		{ "congo=t61rcWkgMzE,ot=th:c;rv:0123456789abcd", "ot=th:c;rv:0123456789abcd" },
		{ "ot=mail:john.doe;th:8", "ot=th:8" },
		{ "ot=th:john;rv:0123456789abcdef", "" },
		{ "ot=", "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out;

		buf_init(&out, 100);
		privacy_tracestate(slice_str(cases[i].in), &out);
		assert_true(slice_eq(buf_slice(&out), slice_str(cases[i].out)));
		buf_done(&out);
	}
}

/* A transaction that has something personal in every place. */
static struct transaction personal(enum side side)
{
	struct transaction t = sample();

	t.side = side;
	t.local = sample_addr("198.51.100.21", 8080);
	t.remote = sample_addr("198.51.100.22", 40000);
	t.authority = SLICE("198.51.100.23:8080");
	t.server_name = SLICE("198.51.100.23");
	t.authority_port = 8080;
	t.client_source = side == SIDE_SERVER ? "forwarded" : NULL;
	t.client = sample_addr("198.51.100.24", 4711);
	t.method = SLICE("eyJhbGciOiJIUzI1NiJ9");
	t.method_known = false;
	t.path = SLICE("/u/198.51.100.26/john@example.com/a#token=secret1");
	t.template_ = t.path;
	t.query = SLICE("q=secret2&ip=198.51.100.27#secret3");
	t.referer = SLICE("http://198.51.100.28:81/a?b=secret4#secret5");
	t.location = SLICE("//[2001:db8:51:1::29]/x;jsessionid=secret6");
	t.content_type = SLICE("john@example.com");
	t.response_type = SLICE("image/png; name=\"secret7\"");
	t.user_agent = SLICE("secret8@198.51.100.30/1.0 (198.51.100.31; secret9)");
	t.tracestate = SLICE("dd=t.usr.id:secret10,ot=th:8;u:secret11");
	return t;
}

/* All that leaves of one transaction: its row, its span and its series. */
static struct buf everything(const struct transaction *t, enum privacy mode, bool by_name)
{
	struct export_options o = { .privacy = mode,
				    .peer_address = by_name,
				    .ndjson_fd = -1,
				    .console_fd = -1,
				    .host_name = "h" };
	const struct privacy_rules rules = { .mode = mode, .peer_address = by_name };
	const struct resource_limits limits = { 10, 10 };
	const struct ndjson_context context = { .wall_minus_mono_ns = SAMPLE_WALL };
	struct resources *resources;
	struct spans *spans;
	struct buf out;
	char *message;
	size_t len;

	view_init(&view);
	buf_init(&out, 1 << 20);
	assert_int_equal(view_make(&view, &rules, t), 0);
	ndjson_transaction(&out, &context, t, &view);
	assert_int_equal(resources_new(&o, &limits, &resources), 0);
	assert_int_equal(spans_new(resources, 1 << 20, &spans), 0);
	assert_int_equal(spans_add(spans, t, &view, SAMPLE_WALL), 0);
	assert_int_equal(spans_take(spans, &message, &len), 0);
	buf_add(&out, slice_of(message, len));
	free(message);
	spans_free(spans);
	resources_free(resources);
	view_done(&view);
	assert_false(out.failed);
	return out;
}

static void nothing_personal_leaves(void **state)
{
	for (unsigned mode = 0; mode < 2; mode++) {
		for (unsigned side = 0; side < 2; side++) {
			struct transaction t = personal((enum side)side);
			struct buf all =
				everything(&t, mode ? PRIVACY_CUSTOMER : PRIVACY_AUDIENCE, false);

			for (unsigned i = 21; i <= 31; i++) {
				char text[32];

				snprintf(text, sizeof(text), "198.51.100.%u", i);
				if (slice_find_slice(buf_slice(&all), slice_str(text)) >= 0)
					fail_msg("%s went out, side %u", text, side);
			}
			assert_true(slice_find_slice(buf_slice(&all), SLICE("secret")) < 0);
			assert_true(slice_find_slice(buf_slice(&all), SLICE("john")) < 0);
			assert_true(slice_find_slice(buf_slice(&all), SLICE("eyJ")) < 0);
			assert_true(slice_find_slice(buf_slice(&all), SLICE("::29")) < 0);
			assert_true(slice_find_slice(buf_slice(&all), SLICE("198.51.100.0")) >= 0);
			assert_true(slice_find_slice(buf_slice(&all), SLICE("ot=th:8")) >= 0);
			buf_done(&all);
		}
	}
}

static void whole_by_name(void **state)
{
	static const char *const wanted[] = { "198.51.100.21", "198.51.100.22", "198.51.100.23",
					      "198.51.100.24", "198.51.100.28" };
	struct transaction t = personal(SIDE_SERVER);
	struct buf all = everything(&t, PRIVACY_AUDIENCE, true);

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (slice_find_slice(buf_slice(&all), slice_str(wanted[i])) < 0)
			fail_msg("%s is not there", wanted[i]);
	assert_true(slice_find_slice(buf_slice(&all), SLICE("secret")) < 0);
	buf_done(&all);
	all = everything(&t, PRIVACY_NONE, false);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_true(slice_find_slice(buf_slice(&all), slice_str(wanted[i])) >= 0);
	buf_done(&all);
}

struct seen {
	struct buf text;
};

static void keep(void *ctx, char *message, size_t len, uint32_t points)
{
	struct seen *s = ctx;

	buf_add(&s->text, slice_of(message, len));
	free(message);
}

/* Two clients of two servers in one network: one series, with the network's address. */
static void series_withhold_addresses(void **state)
{
	for (unsigned truncate = 0; truncate < 2; truncate++) {
		const struct metric_options o = { .series = 10,
						  .strict = true,
						  .truncate = truncate };
		const struct export_options options = { .host_name = "h" };
		const struct resource_limits limits = { 10, 10 };
		struct seen seen;
		const struct metric_sink sink = { &seen, keep };
		struct resources *resources;
		struct metrics *m;
		uint64_t lost;

		buf_init(&seen.text, 1 << 20);
		assert_int_equal(resources_new(&options, &limits, &resources), 0);
		assert_int_equal(metrics_new(&o, resources, &m), 0);
		for (unsigned i = 0; i < 3; i++) {
			struct transaction t = personal(SIDE_CLIENT);

			if (i == 1) { /* another host of the same network */
				t.authority = SLICE("198.51.100.99:8080");
				t.server_name = SLICE("198.51.100.99");
			} else if (i == 2) { /* none was named */
				t.authority = t.server_name = slice_of(NULL, 0);
				t.authority_port = 0;
				t.remote.port = 8080;
			}
			metrics_add(m, &t, 1000, 2000);
		}
		assert_int_equal(metrics_of(m, resources_next_service(resources, NULL))->next ==
					 NULL,
				 truncate);
		assert_true(metrics_encode(m, NULL, 2000, 3000, 0, NULL, 0, 1 << 20, &sink, &lost) >
			    0);
		assert_int_equal(slice_find_slice(buf_slice(&seen.text), SLICE("198.51.100.23")) <
					 0,
				 truncate);
		assert_int_equal(slice_find_slice(buf_slice(&seen.text), SLICE("198.51.100.22")) <
					 0,
				 truncate);
		assert_int_equal(slice_find_slice(buf_slice(&seen.text), SLICE("198.51.100.0")) >=
					 0,
				 truncate);
		buf_done(&seen.text);
		metrics_free(m);
		resources_free(resources);
	}
}

/* Host and port of the server as head.c makes them of a request, by the form of its target. */
static void server_of_each_form(void **state)
{
	static const struct {
		const char *method, *target, *host; /* NULL: no Host field */
		const char *address;
		int port;
	} cases[] = {
		/* origin-form: Host */
		{ "GET", "/", "shop.example", "shop.example", 80 },
		{ "GET", "/", "shop.example:", "shop.example", 80 },
		{ "GET", "/", "shop.example:8080", "shop.example", 8080 },
		{ "GET", "/", "[2001:db8::1]", "2001:db8::1", 80 },
		{ "GET", "/", "[2001:db8::1]:8080", "2001:db8::1", 8080 },
		{ "OPTIONS", "*", "shop.example:81", "shop.example", 81 },
		/* no Host, or an empty one: who it is connected to */
		{ "GET", "/", NULL, "192.0.2.77", 3128 },
		{ "GET", "/", "", "192.0.2.77", 3128 },
		/* absolute-form, as to a proxy: the target's wins over Host (RFC 9112 3.2.2) */
		{ "GET", "http://shop.example/a", "proxy:3128", "shop.example", 80 },
		{ "GET", "http://shop.example:8080/a", "proxy:3128", "shop.example", 8080 },
		{ "GET", "https://shop.example/a", "proxy:3128", "shop.example", 443 },
		{ "GET", "HTTPS://user:pw@shop.example", NULL, "shop.example", 443 },
		{ "GET", "http://[2001:db8::1]:81/a", NULL, "2001:db8::1", 81 },
		{ "GET", "ftp://files.example/a", NULL, "files.example", 0 },
		/* authority-form */
		{ "CONNECT", "shop.example:443", "shop.example:443", "shop.example", 443 },
		{ "CONNECT", "[2001:db8::1]:443", NULL, "2001:db8::1", 443 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct privacy_rules rules = { .mode = PRIVACY_NONE };
		struct transaction t = sample();
		struct slice host = cases[i].host ? slice_str(cases[i].host) : slice_of(NULL, 0);
		struct target target;
		struct authority a;

		target_parse(slice_str(cases[i].method), slice_str(cases[i].target), &target);
		t.side = SIDE_CLIENT;
		t.scheme = target.scheme.at ? target.scheme : SLICE("http");
		t.authority = target.authority.at ? target.authority : host;
		authority_parse(t.authority, &a);
		t.server_name = a.name;
		t.authority_port = a.port;
		t.remote.port = t.server_port = 3128;
		view_init(&view);
		assert_int_equal(view_make(&view, &rules, &t), 0);
		assert_true(slice_eq(view.server, slice_str(cases[i].address)));
		assert_int_equal(semconv_server_port(&t), cases[i].port);
		view_done(&view);
	}
}

/* Nobody knows whom a request that was not seen was for, or through what a server's client came. */
static void server_is_not_guessed(void **state)
{
	const struct privacy_rules rules = { .mode = PRIVACY_NONE };
	struct transaction t = sample();

	t.authority_port = 0;
	assert_int_equal(semconv_server_port(&t), 8080); /* the port it listens on */
	t.side = SIDE_CLIENT;
	t.unobserved = UNOBSERVED_METHOD;
	t.server_name = t.authority = slice_of(NULL, 0);
	view_init(&view);
	assert_int_equal(view_make(&view, &rules, &t), 0);
	assert_int_equal(view.server.len, 0);
	assert_int_equal(semconv_server_port(&t), 0);
	view_done(&view);
}

UNIT_MAIN(T(hosts), T(host_words), T(sites), T(authorities), T(tracestates),
	  T(nothing_personal_leaves), T(whole_by_name), T(series_withhold_addresses),
	  T(server_of_each_form), T(server_is_not_guessed))
