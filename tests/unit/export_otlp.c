/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encoded attributes against bytes written by hand, spans and metrics read back field by field with
 * the reader of base/pb. What a whole message must be is checked from outside, by tests/collector.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "export/metric.h"
#include "export/span.h"
#include "sample.h"

static struct export_options options = { .host_name = "h", .host_id = "i" };
static struct resources *resources;
static struct view view;

static void begin(uint32_t origins, uint32_t services)
{
	const struct resource_limits limits = { origins, services };

	assert_int_equal(resources_new(&options, &limits, &resources), 0);
	view_init(&view);
}

static void end(void)
{
	resources_free(resources);
	view_done(&view);
}

/* First field `number` of a message; fails when there is none. */
static struct pb_field field(struct slice message, uint32_t number)
{
	struct pb_field f;

	while (pb_next(&message, &f) == 1)
		if (f.number == number)
			return f;
	fail_msg("no field %u", number);
	return f;
}

static unsigned count(struct slice message, uint32_t number)
{
	struct pb_field f;
	unsigned n = 0;

	while (pb_next(&message, &f) == 1)
		n += f.number == number;
	return n;
}

/* Value of an attribute as an AnyValue's field; number 0: there is none. */
static struct pb_field attribute(struct slice message, uint32_t number, const char *key)
{
	struct pb_field f, none = { 0 };

	while (pb_next(&message, &f) == 1)
		if (f.number == number && slice_eq(field(f.bytes, 1).bytes, slice_str(key))) {
			struct slice value = field(f.bytes, 2).bytes;

			assert_int_equal(pb_next(&value, &f), 1);
			return f;
		}
	return none;
}

static void attributes(void **state)
{
	const char *const words[] = { "a", "bc" };
	struct buf b;

	buf_init(&b, 1000);
	attr_text(&b, 9, SLICE("key"), SLICE("value"));
	assert_slice(buf_slice(&b), "\x4a\x0e\x0a\x03key\x12\x07\x0a\x05value");
	buf_clear(&b);
	attr_int(&b, 1, SLICE("n"), 300);
	assert_slice(buf_slice(&b), "\x0a\x08\x0a\x01n\x12\x03\x18\xac\x02");
	buf_clear(&b);
	attr_bool(&b, 7, SLICE("b"), true);
	assert_slice(buf_slice(&b), "\x3a\x07\x0a\x01"
				    "b\x12\x02\x10\x01");
	buf_clear(&b);
	attr_text(&b, 1, SLICE("k"), SLICE("\xff"));
	assert_slice(buf_slice(&b), "\x0a\x0a\x0a\x01k\x12\x05\x0a\x03\xef\xbf\xbd");
	buf_clear(&b);
	attr_text(&b, 1, SLICE("k"), SLICE(""));
	assert_slice(buf_slice(&b), "\x0a\x07\x0a\x01k\x12\x02\x0a\x00");
	buf_clear(&b);
	attr_texts(&b, 1, SLICE("k"), words, 2);
	assert_slice(buf_slice(&b), "\x0a\x12\x0a\x01k\x12\x0d\x2a\x0b\x0a\x03\x0a\x01"
				    "a\x0a\x04\x0a\x02"
				    "bc");
	buf_done(&b);
}

/* Lengths around the places where a varint grows. */
static void attribute_lengths(void **state)
{
	char *text = malloc(20000);

	memset(text, 'x', 20000);
	for (size_t len = 0; len < 20000; len += len < 300 ? 1 : 997) {
		struct slice value, message;
		struct buf b;

		buf_init(&b, 30000);
		attr_text(&b, 9, SLICE("key"), slice_of(text, len));
		message = buf_slice(&b);
		assert_int_equal(count(message, 9), 1);
		value = attribute(message, 9, "key").bytes;
		assert_int_equal(value.len, len);
		buf_done(&b);
	}
	free(text);
}

static struct slice take(struct spans *s, char **ret)
{
	size_t len;

	assert_int_equal(spans_take(s, ret, &len), 0);
	return slice_of(*ret, len);
}

static void add(struct spans *s, const struct transaction *t)
{
	const struct privacy_rules rules = { .mode = PRIVACY_NONE };

	assert_int_equal(view_make(&view, &rules, t), 0);
	assert_int_equal(spans_add(s, t, &view, SAMPLE_WALL), 0);
}

static void a_span(void **state)
{
	struct transaction t = sample();
	struct slice block, scope, span;
	struct spans *s;
	char *message;

	begin(10, 10);
	spans_new(resources, 100000, &s);
	add(s, &t);
	block = field(take(s, &message), 1).bytes;
	scope = field(block, 2).bytes;
	span = field(scope, 2).bytes;
	assert_slice(field(span, 1).bytes, "\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10");
	assert_slice(field(span, 2).bytes, "\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8");
	assert_int_equal(count(span, 4), 0);
	assert_slice(field(span, 5).bytes, "GET /shop/cart");
	assert_u64(field(span, 6).value, 2);
	assert_u64(field(span, 7).value, 1700000005000000000);
	assert_u64(field(span, 8).value, 1700000005012345678);
	assert_int_equal(count(span, 15), 0);
	assert_u64(field(span, 16).value, 0x101);
	assert_slice(attribute(span, 9, "url.path").bytes, "/shop/cart");
	assert_u64(attribute(span, 9, "http.response.status_code").value, 200);
	assert_int_equal(attribute(span, 9, "http.route").number, 0);
	assert_u64(attribute(field(block, 1).bytes, 1, "process.pid").value, 812);
	assert_slice(attribute(field(block, 1).bytes, 1, "service.name").bytes, "shop-front");
	free(message);
	spans_free(s);
	end();
}

static void span_names(void **state)
{
	static const struct {
		const char *method, *template_, *name;
		bool known;
		uint32_t unobserved;
	} cases[] = {
		{ "GET", "/orders/{id}", "GET /orders/{id}", true, 0 },
		{ "PROPFIND", "/dav", "HTTP /dav", false, 0 },
		{ "GET", "{other}", "GET", true, 0 },
		{ "GET", "", "GET", true, 0 },
		{ "", "", "HTTP", false, UNOBSERVED_METHOD },
	};
	struct spans *s;

	begin(10, 10);
	spans_new(resources, 100000, &s);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct transaction t = sample();
		struct slice span;
		char *message;

		t.method = slice_str(cases[i].method);
		t.method_known = cases[i].known;
		t.template_ = slice_str(cases[i].template_);
		t.unobserved = cases[i].unobserved;
		add(s, &t);
		span = field(field(field(take(s, &message), 1).bytes, 2).bytes, 2).bytes;
		assert_true(slice_eq(field(span, 5).bytes, slice_str(cases[i].name)));
		free(message);
	}
	spans_free(s);
	end();
}

/* Times that were not observed are not made up: the nearest that were stand in, or there is no span. */
static void span_times(void **state)
{
	const struct privacy_rules rules = { .mode = PRIVACY_NONE };
	struct transaction t = sample();
	struct slice span;
	struct spans *s;
	char *message;

	begin(10, 10);
	spans_new(resources, 100000, &s);
	t.unobserved = UNOBSERVED_START;
	t.request.first_ns = 0;
	t.start_ns = 0;
	add(s, &t);
	span = field(field(field(take(s, &message), 1).bytes, 2).bytes, 2).bytes;
	assert_u64(field(span, 7).value, t.request.last_ns + SAMPLE_WALL);
	assert_u64(field(span, 8).value, t.response.last_ns + SAMPLE_WALL);
	assert_int_equal(attribute(span, 9, "parcours.unobserved").number, 5);
	free(message);

	t.request.last_ns = t.response.first_ns = t.response.last_ns = 0;
	view_make(&view, &rules, &t);
	assert_int_equal(spans_add(s, &t, &view, SAMPLE_WALL), -ENODATA);
	assert_int_equal(spans_count(s), 0);
	spans_free(s);
	end();
}

/* Spans of one process stand together, whatever their order; a process that called exec is another. */
static void grouped(void **state)
{
	struct process a = sample_process, b = sample_process;
	struct transaction t = sample();
	struct slice message, block;
	struct spans *s;
	char *owned;
	struct pb_field f;
	unsigned sizes[3], n = 0;

	begin(10, 10);
	spans_new(resources, 100000, &s);
	b.tgid = 900;
	for (int i = 0; i < 10; i++) {
		t.process = i % 2 ? &a : &b;
		t.tgid = t.process->tgid;
		add(s, &t);
	}
	memcpy(a.exe, "/usr/bin/other", sizeof("/usr/bin/other"));
	t.process = &a;
	t.tgid = a.tgid;
	add(s, &t);
	message = take(s, &owned);
	assert_int_equal(count(message, 1), 3);
	while (pb_next(&message, &f) == 1) {
		block = f.bytes;
		sizes[n++] = count(field(block, 2).bytes, 2);
	}
	assert_int_equal(sizes[0], 5);
	assert_int_equal(sizes[1], 5);
	assert_int_equal(sizes[2], 1);
	free(owned);
	assert_int_equal(spans_count(s), 0);
	spans_free(s);
	end();
}

/* The resource of a process is made once; another privacy makes it anew. */
static void home_of_a_person(void **state)
{
	static const char *const want[] = { "/var/home/alice/shop", "/var/home/{user}/shop",
					    "/var/home/alice/shop" };
	static const enum privacy modes[] = { PRIVACY_NONE, PRIVACY_AUDIENCE, PRIVACY_NONE };
	struct process p = sample_process;
	struct transaction t = sample();
	struct spans *s;
	char *owned;

	begin(10, 10);
	spans_new(resources, 100000, &s);
	memcpy(p.exe, "/var/home/alice/shop", sizeof("/var/home/alice/shop"));
	t.process = &p;
	for (int i = 0; i < 3; i++) {
		struct slice resource, path;

		options.privacy = modes[i];
		add(s, &t);
		resource = field(field(take(s, &owned), 1).bytes, 1).bytes;
		path = attribute(resource, 1, "process.executable.path").bytes;
		assert_true(slice_eq(path, slice_str(want[i])));
		free(owned);
	}
	spans_free(s);
	end();
}

static void batch_is_bounded(void **state)
{
	const struct privacy_rules rules = { .mode = PRIVACY_NONE };
	struct transaction t = sample();
	char *long_path = malloc(700000), *message;
	struct spans *s;
	int err = 0;

	begin(10, 10);
	spans_new(resources, 1000, &s);
	view_make(&view, &rules, &t);
	for (int i = 0; i < 10000 && !err; i++)
		err = spans_add(s, &t, &view, SAMPLE_WALL);
	assert_int_equal(err, -ENOBUFS);
	assert_true(spans_bytes(s) <= 1000 + (512 << 10));
	take(s, &message);
	free(message);
	assert_int_equal(spans_add(s, &t, &view, SAMPLE_WALL), 0);
	take(s, &message);
	free(message);

	memset(long_path, 'x',
	       700000); /* larger than any batch: refused, and the batch stays right */
	view.path = slice_of(long_path, 700000);
	assert_int_equal(spans_add(s, &t, &view, SAMPLE_WALL), -ENOBUFS);
	assert_int_equal(spans_count(s), 0);
	view.path = SLICE("/");
	assert_int_equal(spans_add(s, &t, &view, SAMPLE_WALL), 0);
	take(s, &message);
	free(message);
	spans_free(s);
	free(long_path);
	end();
}

struct taken {
	char *message;
	size_t len;
	uint32_t points;
};

static void keep(void *ctx, char *message, size_t len, uint32_t points)
{
	struct taken *t = ctx;

	assert_null(t->message);
	*t = (struct taken){ message, len, points };
}

static struct taken encode(struct metrics *m, uint64_t now)
{
	struct taken t = { 0 };
	const struct metric_sink sink = { &t, keep };
	const struct counter one = { .name = "parcours.agent.x", .unit = "1", .value = 1 };
	uint64_t lost;

	assert_true(metrics_encode(m, NULL, now, SAMPLE_WALL + (int64_t)now, SAMPLE_WALL, &one, 1,
				   SIZE_MAX, &sink, &lost) > 0);
	assert_u64(lost, 0);
	return t;
}

/* Data points of a metric in all blocks of a message, summed by their count. */
static uint64_t total(struct taken taken, const char *name, unsigned *ret_points)
{
	struct slice message = slice_of(taken.message, taken.len);
	struct pb_field b, m, p;
	uint64_t sum = 0;

	*ret_points = 0;
	while (pb_next(&message, &b) == 1) {
		struct slice scope = field(b.bytes, 2).bytes;

		while (pb_next(&scope, &m) == 1) {
			struct slice points;

			if (m.number != 2 || !slice_eq(field(m.bytes, 1).bytes, slice_str(name)))
				continue;
			points = field(m.bytes, 10).bytes;
			while (pb_next(&points, &p) == 1)
				if (p.number == 1) {
					sum += field(p.bytes, 4).value;
					(*ret_points)++;
				}
		}
	}
	return sum;
}

static void series(void **state)
{
	const struct metric_options o = { .series = 4 };
	struct transaction t = sample();
	uint64_t now = 10 * NS_PER_S;
	struct metrics *m;
	struct taken taken;
	unsigned points;

	begin(10, 10);
	assert_int_equal(metrics_new(&o, resources, &m), 0);
	for (uint16_t status = 200; status < 210; status++) { /* ten sets, four places */
		t.status = status;
		for (int i = 0; i < 3; i++)
			metrics_add(m, &t, now, SAMPLE_WALL + now);
	}
	taken = encode(m, now);
	assert_u64(total(taken, "http.server.request.duration", &points), 30);
	assert_int_equal(points, 5);
	assert_u64(total(taken, "http.server.response.body.size", &points), 30);
	assert_u64(total(taken, "http.server.request.body.size", &points), 30); /* all zero */
	assert_u64(metrics_overflow(m), 18);
	free(taken.message);

	/* After a long silence the idle ones make room, and the new one begins where it begins. */
	now += SERIES_IDLE_NS + 1;
	t.status = 404;
	metrics_add(m, &t, now, SAMPLE_WALL + now);
	assert_u64(metrics_overflow(m), 18);
	taken = encode(m, now);
	total(taken, "http.server.request.duration", &points);
	assert_int_equal(points, 5);
	free(taken.message);
	metrics_free(m);
	end();
}

/* More services than places: the rest is told in a series of the agent's own, nothing is lost. */
static void services(void **state)
{
	const struct metric_options o = { .series = 100 };
	struct transaction t = sample();
	struct process p = sample_process;
	uint64_t now = 10 * NS_PER_S;
	struct metrics *m;
	struct taken taken;
	unsigned points;

	begin(100, 3);
	metrics_new(&o, resources, &m);
	for (unsigned i = 0; i < 10; i++) {
		p.tgid = t.tgid = 1000 + i;
		snprintf(p.service, sizeof(p.service), "service-%u", i);
		t.process = &p;
		metrics_add(m, &t, now, SAMPLE_WALL + now);
	}
	taken = encode(m, now);
	assert_u64(total(taken, "http.server.request.duration", &points), 10);
	assert_int_equal(points, 4);
	free(taken.message);

	now += SERIES_IDLE_NS + 1; /* an idle service gives its place */
	metrics_add(m, &t, now, SAMPLE_WALL + now);
	taken = encode(m, now);
	assert_u64(total(taken, "http.server.request.duration", &points), 10);
	assert_int_equal(points, 4);
	free(taken.message);
	metrics_free(m);
	end();
}

/* Two workers of one service are one series; a pid that is new in the table does not lose a count. */
static void workers_add_up(void **state)
{
	const struct metric_options o = { .series = 100 };
	struct process a = sample_process, b = sample_process;
	struct transaction t = sample();
	struct metrics *m;
	struct taken taken;
	unsigned points;

	begin(2, 10);
	metrics_new(&o, resources, &m);
	for (unsigned i = 0; i < 100; i++) {
		a.tgid = 100 + i % 7; /* more than the table of origins holds */
		b.tgid = 500;
		t.process = i % 2 ? &a : &b;
		t.tgid = t.process->tgid;
		metrics_add(m, &t, 5, SAMPLE_WALL);
	}
	taken = encode(m, 6);
	assert_u64(total(taken, "http.server.request.duration", &points), 100);
	assert_int_equal(points, 1);
	free(taken.message);
	metrics_free(m);
	end();
}

/* The end of a request that began before a reload, or before its pid was forgotten. */
static void active_is_never_below_none(void **state)
{
	const struct metric_options o = { .series = 100 };
	const int32_t *active;
	struct metrics *m;

	begin(2, 10);
	metrics_new(&o, resources, &m);
	active = &resources_pid(resources, 7)->active[otlp_method(SLICE("GET"))];
	metrics_active(m, 7, SLICE("GET"), -1);
	assert_int_equal(*active, 0);
	metrics_active(m, 7, SLICE("GET"), 1);
	metrics_active(m, 7, SLICE("GET"), 1);
	metrics_active(m, 7, SLICE("GET"), -1);
	assert_int_equal(*active, 1);
	metrics_free(m);
	end();
}

UNIT_MAIN(T(attributes), T(attribute_lengths), T(a_span), T(span_names), T(span_times), T(grouped),
	  T(home_of_a_person), T(batch_is_bounded), T(series), T(services), T(workers_add_up),
	  T(active_is_never_below_none))
