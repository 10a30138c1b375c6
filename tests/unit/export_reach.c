/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was not reached, as it leaves: rows under each privacy, metrics and events read back field by field.
 */
#include "unit.h"

#include <stdio.h>
#include <sys/socket.h>

#include "export/console.h"
#include "export/metric.h"
#include "export/reach.h"

static struct pc_addr v4(unsigned last, uint16_t port)
{
	struct pc_addr a = { .port = port };

	a.ip[10] = a.ip[11] = 0xff;
	a.ip[12] = 10;
	a.ip[14] = 9;
	a.ip[15] = (uint8_t)last;
	return a;
}

static struct attempt refused(const char *name)
{
	struct attempt a = { .client = true,
			     .phase = ATTEMPT_CONNECT,
			     .error = "ECONNREFUSED",
			     .start_ns = 1000,
			     .end_ns = 2000,
			     .connection_id = 77,
			     .family = AF_INET,
			     .local = v4(1, 50000),
			     .remote = v4(33, 8443),
			     .tgid = 12,
			     .tid = 13 };

	a.name_len = (uint8_t)strlen(name);
	memcpy(a.name, name, a.name_len);
	return a;
}

static struct listener_news news(uint64_t id, uint64_t dropped, uint64_t still_ns, uint32_t waiting)
{
	return (struct listener_news){ .time_ns = 5000,
				       .listener_id = id,
				       .dropped = dropped,
				       .still_ns = still_ns,
				       .open = true,
				       .waiting = waiting,
				       .backlog = 1,
				       .local = v4(1, 80),
				       .tgid = 12,
				       .site = SLICE("a.example") };
}

static void row_is(const struct reach_view *v, const char *const *has, const char *const *lacks)
{
	struct buf out;

	buf_init(&out, 1 << 16);
	reach_row(&out, v);
	buf_add_byte(&out, '\0');
	for (; *has; has++)
		if (!strstr(out.at, *has))
			fail_msg("no %s in %s", *has, out.at);
	for (; *lacks; lacks++)
		if (strstr(out.at, *lacks))
			fail_msg("%s in %s", *lacks, out.at);
	buf_done(&out);
}

static void test_rows(void **state)
{
	const struct privacy_rules none = { .mode = PRIVACY_NONE },
				   audience = { .mode = PRIVACY_AUDIENCE };
	static const struct process p = {
		.tgid = 12, .exe = "/srv/home/jo/bin/app", .service = "shop", .unit = "shop.service"
	};
	struct attempt a = refused(""), named = refused("payment.example");
	struct reach_view v;

	a.process = named.process = &p;
	reach_view_init(&v);
	assert_int_equal(reach_view_attempt(&v, &none, &a, 100, NULL), 0);
	row_is(&v,
	       (const char *[]){ "\"type\":\"connection_failure\"", "\"kind\":\"client\"",
				 "\"start_time_unix_nano\":1100", "\"end_time_unix_nano\":2100",
				 "\"server.address\":\"10.0.9.33\"", "\"server.port\":8443",
				 "\"network.peer.address\":\"10.0.9.33\"",
				 "\"service.name\":\"shop\"",
				 "\"process.executable.path\":\"/srv/home/jo/bin/app\"",
				 "\"thread.id\":13", NULL },
	       (const char *[]){ "trace_id", "page_id", "superseded", "parcours.site", NULL });
	assert_int_equal(reach_view_attempt(&v, &audience, &a, 100, "mine"), 0);
	row_is(&v,
	       (const char *[]){ "\"server.address\":\"10.0.9.0\"",
				 "\"network.peer.address\":\"10.0.9.0\"",
				 "\"network.local.address\":\"10.0.9.0\"",
				 "/srv/home/{user}/bin/app", "\"service.name\":\"mine\"", NULL },
	       (const char *[]){ "10.0.9.33", "/jo/", NULL });
	named.has_cause = true;
	assert_int_equal(reach_view_attempt(&v, &audience, &named, 100, NULL), 0);
	row_is(&v,
	       (const char *[]){ "\"server.address\":\"payment.example\"",
				 "\"trace_id\":\"00000000000000000000000000000000\"",
				 "\"parent_span_id\":\"0000000000000000\"", NULL },
	       (const char *[]){ "session.id", "10.0.9.33", NULL });
	reach_view_done(&v);
}

static void line_is(struct console *c, const struct reach_view *v, const char *want)
{
	struct buf out;

	buf_init(&out, 1 << 12);
	assert_true(console_reach(c, &out, v, 0));
	buf_add_byte(&out, '\0');
	assert_string_equal(out.at + sizeof("00:00:00.000"), want); /* the time is local */
	buf_done(&out);
}

static void test_lines(void **state)
{
	const struct privacy_rules none = { .mode = PRIVACY_NONE };
	static const struct process p = { .tgid = 12, .exe = "/usr/bin/app", .service = "shop" };
	struct console c = { .show = CONSOLE_ALL };
	struct attempt call = refused("pay\033[2J.example"), visitor = {
		.error = "reset", .phase = ATTEMPT_ANSWER, .local = v4(1, 80), .remote = v4(9, 999)
	};
	struct listener_news n = news(5, 20, 0, 0), still = news(5, 0, 1500 * 1000000ull, 2);
	struct reach_view v;
	struct buf out;

	call.process = n.process = &p;
	call.superseded = true;
	reach_view_init(&v);
	assert_int_equal(reach_view_attempt(&v, &none, &call, 0, NULL), 0);
	line_is(&c, &v,
		"x app[12] did not reach pay\\x1b[2J.example:8443 ECONNREFUSED, another address "
		"did\n");
	assert_int_equal(reach_view_attempt(&v, &none, &visitor, 0, NULL), 0);
	line_is(&c, &v, "x ? :80 left 10.0.9.9 without an answer\n");
	assert_int_equal(reach_view_listener(&v, &none, &n, 0, NULL), 0);
	line_is(&c, &v, "x app[12] :80 dropped 20\n");
	assert_int_equal(reach_view_listener(&v, &none, &still, 0, NULL), 0);
	line_is(&c, &v, "x ?[12] :80, accepts nobody since 1.5 s, 2 wait\n");
	c.width = 40;
	assert_int_equal(reach_view_attempt(&v, &none, &call, 0, NULL), 0);
	buf_init(&out, 1 << 12);
	assert_true(console_reach(&c, &out, &v, 0));
	assert_true(out.len > 30 &&
		    out.len <= 40 + 3); /* an ellipsis is three octets, and the line end */
	buf_done(&out);
	c.width = 0;
	n.open = false;
	n.refused = 3;
	assert_int_equal(reach_view_listener(&v, &none, &n, 0, "mine"), 0);
	line_is(&c, &v, "x app[12] :80 dropped 20 refused 3, listens no more\n");
	buf_init(&out, 1 << 12);
	c.show = CONSOLE_PAGES;
	assert_false(console_reach(&c, &out, &v, 0));
	c.show = CONSOLE_ALL;
	c.window_transactions = CONSOLE_ROWS; /* enough for this second */
	assert_false(console_reach(&c, &out, &v, 0));
	assert_int_equal(out.len, 0);
	assert_int_equal(c.left_out, 1);
	buf_done(&out);
	reach_view_done(&v);
}

/* A name that somebody made of an e-mail address leaves as a host of a transaction would. */
static void test_a_name_like_a_secret(void **state)
{
	const struct privacy_rules audience = { .mode = PRIVACY_AUDIENCE };
	struct attempt a = refused("4f9b2c7e1d8a6350f4e2b9c8d7a60153.example");
	struct reach_view v;

	reach_view_init(&v);
	assert_int_equal(reach_view_attempt(&v, &audience, &a, 0, NULL), 0);
	row_is(&v, (const char *[]){ "\"server.address\":\"", NULL },
	       (const char *[]){ "4f9b2c7e1d8a6350f4e2b9c8d7a60153", NULL });
	reach_view_done(&v);
}

/* ---- metrics ---- */

static bool text_in(struct slice message, const char *text)
{
	return slice_find_slice(message, slice_str(text)) >= 0;
}

/* Sum of the points of a metric, and how many; `with`: only those that have this text in them. */
static uint64_t sum_of(struct slice all, const char *name, const char *with, unsigned *ret_points,
		       bool *ret_monotonic)
{
	struct pb_field m, f, p;
	uint64_t sum = 0;

	*ret_points = 0;
	*ret_monotonic = false;
	while (pb_next(&all, &m) == 1) {
		struct slice data = { 0 }, metric = m.bytes;
		bool mine = false;

		while (pb_next(&metric, &f) == 1) {
			mine |= f.number == 1 && slice_eq(f.bytes, slice_str(name));
			if (f.number == 7)
				data = f.bytes;
		}
		while (mine && pb_next(&data, &f) == 1) {
			struct slice point = f.bytes;

			if (f.number == 3)
				*ret_monotonic = f.value;
			if (f.number != 1 || !text_in(point, with))
				continue;
			++*ret_points;
			while (pb_next(&point, &p) == 1)
				if (p.number == 6)
					sum += p.value;
		}
	}
	return sum;
}

static void sums_to(const struct reach_metrics *m, const char *name, const char *with,
		    uint64_t want, unsigned points, bool monotonic)
{
	struct buf out;
	unsigned found;
	bool rises;

	buf_init(&out, 1 << 20);
	reach_metrics_encode(m, 9000, &out);
	assert_u64(sum_of(buf_slice(&out), name, with, &found, &rises), want);
	assert_int_equal(found, points);
	assert_int_equal(rises, monotonic);
	buf_done(&out);
}

static struct reach_view view;
static const struct privacy_rules rules = { .mode = PRIVACY_NONE };

static void count_attempt(struct reach_metrics *m, const struct attempt *a)
{
	assert_int_equal(reach_view_attempt(&view, &rules, a, 0, NULL), 0);
	reach_metrics_add(m, &view, 4000);
}

static void count_news(struct reach_metrics *m, struct listener_news n)
{
	assert_int_equal(reach_view_listener(&view, &rules, &n, 0, NULL), 0);
	reach_metrics_add(m, &view, 4000);
}

static void test_metrics(void **state)
{
	struct attempt payment = refused("payment.example"), maps = refused("maps.example"), server;
	struct reach_metrics *m;

	assert_int_equal(reach_metrics_new(100, &m), 0);
	reach_view_init(&view);
	for (unsigned i = 0; i < 12; i++)
		count_attempt(m, &payment);
	count_attempt(m, &maps);
	sums_to(m, "parcours.client.connection.failures", "payment.example", 12, 1, true);
	sums_to(m, "parcours.client.connection.failures", "ECONNREFUSED", 13, 2, true);
	server = (struct attempt){
		.phase = ATTEMPT_ACCEPT, .error = "unaccepted", .end_ns = 1, .local = v4(1, 80)
	};
	count_attempt(m, &server);
	server.phase = ATTEMPT_ANSWER;
	server.error = "reset";
	count_attempt(m, &server);
	count_attempt(m, &server);
	sums_to(m, "parcours.server.connections.unaccepted", "server.port", 1, 1, true);
	sums_to(m, "parcours.server.connections.reset", "server.port", 2, 1, true);
	count_news(m, news(1, 3, 0, 2));
	count_news(m, news(1, 4, 0, 2));
	sums_to(m, "parcours.server.connections.overflowed", "a.example", 7, 1, true);
	reach_metrics_free(m);
	reach_view_done(&view);
}

/* Of the listeners of one port, and back to nothing. */
static void test_who_waits(void **state)
{
	struct reach_metrics *m;

	assert_int_equal(reach_metrics_new(100, &m), 0);
	reach_view_init(&view);
	count_news(m, news(1, 1, 0, 9)); /* it moves: nobody waits for long */
	sums_to(m, "parcours.server.connections.waiting", "server.port", 0, 0, false);
	count_news(m, news(1, 0, 1000, 5));
	count_news(m, news(2, 0, 1000, 7));
	sums_to(m, "parcours.server.connections.waiting", "server.port", 12, 1, false);
	count_news(m, news(1, 0, 2000, 2));
	sums_to(m, "parcours.server.connections.waiting", "server.port", 9, 1, false);
	count_news(m, news(2, 0, 0, 7));
	count_news(m, news(1, 0, 0, 0));
	sums_to(m, "parcours.server.connections.waiting", "server.port", 0, 1, false);
	assert_u64(reach_metrics_lost(m), 0);
	reach_metrics_free(m);
	reach_view_done(&view);
}

static void test_bound(void **state)
{
	struct reach_metrics *m;
	char name[32];

	assert_int_equal(reach_metrics_new(10, &m), 0);
	reach_view_init(&view);
	for (unsigned i = 0; i < 50; i++) {
		struct attempt a;

		snprintf(name, sizeof(name), "h%u.example", i);
		a = refused(name);
		count_attempt(m, &a);
	}
	sums_to(m, "parcours.client.connection.failures", "", 50, 11, true);
	sums_to(m, "parcours.client.connection.failures", "otel.metric.overflow", 40, 1, true);
	assert_u64(reach_metrics_overflow(m), 40);
	assert_u64(reach_metrics_lost(m), 0);
	reach_metrics_free(m);
	reach_view_done(&view);
}

/* ---- events ---- */

static void test_event(void **state)
{
	const struct export_options options = { .host_name = "h" };
	const struct resource_limits limits = { 10, 10 };
	struct attempt a = refused("payment.example");
	struct resources *resources;
	struct events *e;
	char *message;
	size_t len;

	assert_int_equal(resources_new(&options, &limits, &resources), 0);
	assert_int_equal(events_new(resources, 1 << 16, &e), 0);
	reach_view_init(&view);
	a.has_cause = true;
	memset(a.trace_id, 0xab, sizeof(a.trace_id));
	memset(a.parent_id, 0xcd, sizeof(a.parent_id));
	assert_int_equal(reach_view_attempt(&view, &rules, &a, 0, NULL), 0);
	assert_int_equal(reach_event(e, &view, 8000), 0);
	assert_int_equal(events_count(e), 1);
	assert_int_equal(events_take(e, &message, &len), 0);
	assert_true(text_in(slice_of(message, len), "parcours.connection.failure"));
	assert_true(text_in(slice_of(message, len), "payment.example"));
	assert_true(text_in(slice_of(message, len),
			    "\x4a\x10\xab\xab\xab\xab")); /* field 9, 16 octets */
	assert_true(text_in(slice_of(message, len),
			    "\x52\x08\xcd\xcd\xcd\xcd")); /* field 10, 8 octets */
	free(message);
	events_free(e);
	resources_free(resources);
	reach_view_done(&view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_a_name_like_a_secret),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_who_waits),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
