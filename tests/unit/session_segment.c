/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_segment.c: which group of customers a visit is told to belong to, through the stage: rules of each
 * kind, touches, words of an operator, new and returning, suspected, countries, and what a checkpoint keeps.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mmdb_kit.h"
#include "sample.h"
#include "session/segment/segment.h"

#define SECOND	1000000000ull
#define BROWSER "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"

static struct kit {
	struct session *s;
	struct txn_sink in;
	struct txn_witness witness;
	struct session_fact end;
	char text[6][64]; /* of the touches of `end` */
	unsigned ended, measured;
	struct arena_pool pool;
} kit;

static struct slice copy(unsigned i, struct slice s)
{
	assert_true(s.len <= sizeof(kit.text[i]));
	if (s.len)
		memcpy(kit.text[i], s.at, s.len);
	return slice_of(kit.text[i], s.len);
}

static void on_fact(void *ctx, const struct session_fact *f)
{
	struct segment *s = &kit.end.segment;

	if (f->kind != FACT_END)
		return;
	kit.end = *f;
	s->first.source = copy(0, s->first.source);
	s->first.medium = copy(1, s->first.medium);
	s->first.campaign = copy(2, s->first.campaign);
	s->last.source = copy(3, s->last.source);
	s->last.medium = copy(4, s->last.medium);
	s->last.campaign = copy(5, s->last.campaign);
	kit.ended++;
}

static void on_measure(void *ctx, const struct session_fact *f)
{
	kit.measured += f->kind == FACT_END;
}

static void on_out(void *ctx, struct transaction *t)
{
}

static const char *const touchpoints[] = { "path:/app/*\napplication",
					   "host:partner.*\npartner_api", NULL };
static const char *const classes[] = { "address:10.1.0.0/16\nstaff", "header:X-Load-Test\ntest",
				       "cookie:tier=gold*\ngold",    "query:club=1\nclub",
				       "agent:*Kiosk*\nkiosk",	     NULL };
static const char *const robots[] = { "shopcrawler", NULL };
static const char *const monitors[] = { "heartbeat*", NULL };
static const char *const applications[] = { "scrapybara", NULL };
static const char *const hosts[] = { "shop.example=shop", "m.example.net=shop", NULL };

static struct session_options options(void)
{
	return (struct session_options){ .secret = { 7 },
					 .timeout_ns = 1800 * SECOND,
					 .cap_ns = 86400 * SECOND,
					 .period_s = 86400,
					 .visits = 100,
					 .sites = 4,
					 .site_hosts = hosts,
					 .touchpoints = touchpoints,
					 .classes = classes,
					 .robots = robots,
					 .monitors = monitors,
					 .applications = applications };
}

static void start_with(const struct session_options *o)
{
	const struct session_sink sink = { NULL, on_out, NULL, on_fact, on_measure };

	memset(&kit, 0, sizeof(kit));
	assert_int_equal(session_new(o, &sink, &kit.s), 0);
	kit.in = session_txn_sink(kit.s);
	kit.witness = session_witness(kit.s);
	session_clock(kit.s, SAMPLE_WALL);
	arena_pool_init(&kit.pool, 4096, 1 << 20);
}

static void start(void)
{
	const struct session_options o = options();

	start_with(&o);
}

static int stop(void **state)
{
	session_free(kit.s);
	arena_pool_done(&kit.pool);
	return 0;
}

struct ask {
	const char *host, *path, *query, *agent, *referer, *cookie, *field, *address, *set, *accept;
};

/* A request with its response, by both of its ways: the heads to the witness, then the transaction. */
static void ask_at(uint64_t at_s, struct ask a)
{
	struct field fields[8], set = { SLICE("set-cookie"), slice_str(a.set) };
	struct transaction t = sample();
	struct head h = { .fields = fields };
	struct arena arena;
	uint32_t n = 0;

	arena_init(&arena, &kit.pool);
	t.authority = t.server_name = slice_str(a.host ? a.host : "shop.example");
	t.path = slice_str(a.path ? a.path : "/");
	t.query = slice_str(a.query);
	t.has_query = a.query;
	t.referer = slice_str(a.referer);
	t.user_agent = slice_str(a.agent ? a.agent : BROWSER);
	t.start_ns = at_s * SECOND;
	if (a.address)
		t.remote = sample_addr(a.address, 4711);
	fields[n++] = (struct field){ SLICE("user-agent"), t.user_agent };
	fields[n++] =
		(struct field){ SLICE("accept"), slice_str(a.accept ? a.accept : "text/html") };
	if (a.referer)
		fields[n++] = (struct field){ SLICE("referer"), t.referer };
	t.request.fields = fields;
	t.request.field_count = n;
	if (a.cookie)
		fields[n++] = (struct field){ SLICE("cookie"), slice_str(a.cookie) };
	if (a.field)
		fields[n++] = (struct field){ slice_str(a.field), SLICE("x") };
	h.target = t.path;
	h.field_count = n;
	assert_int_equal(kit.witness.head(kit.witness.ctx, &h, true, &arena, &t.request.evidence),
			 0);
	h.fields = &set;
	h.field_count = a.set ? 1 : 0;
	assert_int_equal(kit.witness.head(kit.witness.ctx, &h, false, &arena, &t.response.evidence),
			 0);
	kit.in.transaction(kit.in.ctx, &t);
	arena_clear(&arena);
}

/* What is told of the visit so far; the visit goes on. */
static const struct segment *told(void)
{
	unsigned before = kit.ended;

	session_finish(kit.s);
	assert_int_equal(kit.ended, before + 1);
	return &kit.end.segment;
}

#define ONE(...)                                                                                   \
	do {                                                                                       \
		start();                                                                           \
		ask_at(1, (struct ask){ __VA_ARGS__ });                                            \
	} while (0)

static void classes_by_rule(void **state)
{
	static const struct {
		struct ask ask;
		const char *class, *touchpoint;
	} list[] = {
		{ { 0 }, NULL, "web" },
		{ { .address = "10.1.2.3" }, "staff", "web" },
		{ { .address = "10.2.2.3" }, NULL, "web" },
		{ { .field = "x-load-test" }, "test", "web" },
		{ { .cookie = "a=b; tier=golden" }, "gold", "web" },
		{ { .cookie = "a=b; tier=silver" }, NULL, "web" },
		{ { .query = "a=b&club=1" }, "club", "web" },
		{ { .query = "club=12" }, NULL, "web" },
		{ { .agent = "Mozilla/5.0 (Kiosk 7)" }, "kiosk", "web" },
		/* the first that holds */
		{ { .address = "10.1.2.3", .cookie = "tier=gold" }, "staff", "web" },
		{ { .path = "/app/x" }, NULL, "application" },
		{ { .host = "Partner.example" }, NULL, "partner_api" },
		{ { .agent = "okhttp/4.9", .accept = "application/json" }, NULL, "application" },
		{ { .agent = "Thing/1", .accept = "application/json" }, NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		const struct segment *s;

		start();
		ask_at(1, list[i].ask);
		s = told();
		if (!s->customer != !list[i].class ||
		    (s->customer && strcmp(s->customer, list[i].class)))
			fail_msg("%zu: class %s", i, s->customer);
		if (!s->touchpoint != !list[i].touchpoint ||
		    (s->touchpoint && strcmp(s->touchpoint, list[i].touchpoint)))
			fail_msg("%zu: touchpoint %s", i, s->touchpoint);
		stop(NULL);
	}
	start();
}

/* A better rule that holds later wins; one that held is not lost. */
static void a_class_is_of_the_whole_visit(void **state)
{
	ONE(.cookie = "tier=gold");
	ask_at(2, (struct ask){ .path = "/a" });
	assert_string_equal(told()->customer, "gold");
	ask_at(3, (struct ask){ .path = "/b", .field = "X-Load-Test" });
	assert_string_equal(told()->customer, "test");
}

static void conditions_are_checked(void **state)
{
	static const char *const good[] = { "path:/a",
					    "path:*",
					    "host:*.example",
					    "header:X=1",
					    "cookie:a",
					    "query:a=*",
					    "address:2001:db8::/32" },
				 *const bad[] = { "",	       "path:",	   "path:a",
						  "nothing",   "header:",  "address:10.0.0.1/8",
						  "address:x", "query:=1", "path:/\nstaff" };
	const char *const one[] = { "path:/a\nx", NULL }, *const no_name[] = { "path:/a", NULL };
	const char *many[RULES + 2] = { NULL };
	struct conditions *r;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (segment_check(good[i]))
			fail_msg("%s: %s", good[i], segment_check(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!segment_check(bad[i]))
			fail_msg("'%s' is taken", bad[i]);
	assert_int_equal(conditions_new(no_name, NULL, &r), -EINVAL);
	for (unsigned i = 0; i <= RULES; i++)
		many[i] = one[0];
	assert_int_equal(conditions_new(many, NULL, &r), -ENOSPC);
	many[RULES] = NULL;
	assert_int_equal(conditions_new(many, one, &r), -ENOSPC);
	assert_int_equal(conditions_new(NULL, many, &r), 0);
	conditions_free(r);
	start();
}

static void words_of_an_operator(void **state)
{
	ONE(.agent = "ShopCrawler/2.0");
	assert_string_equal(told()->synthetic, "bot");
	stop(NULL);
	ONE(.agent = "heartbeat-eu/1.0");
	assert_string_equal(told()->synthetic, "test");
	stop(NULL);
	ONE(.agent = "Scrapybara/1.0");
	assert_null(told()->synthetic);
}

static void touches_first_and_last(void **state)
{
	const struct segment *s;

	ONE(.query = "utm_source=news&utm_medium=email&utm_campaign=spring", .path = "/a");
	s = told();
	assert_string_equal(s->first.channel, "email");
	assert_slice(s->first.source, "news");
	assert_slice(s->first.medium, "email");
	assert_slice(s->first.campaign, "spring");
	assert_slice(s->last.campaign, "spring");
	/* from a page of the site, of another host of it, and directly: nothing new */
	ask_at(2, (struct ask){ .path = "/b", .referer = "http://www.shop.example/a" });
	ask_at(3, (struct ask){ .path = "/c", .referer = "http://m.example.net/a" });
	ask_at(4, (struct ask){ .path = "/d" });
	assert_string_equal(told()->last.channel, "email");
	ask_at(5, (struct ask){ .path = "/e", .referer = "https://www.google.com/" });
	s = told();
	assert_string_equal(s->first.channel, "email");
	assert_slice(s->first.source, "news");
	assert_string_equal(s->last.channel, "organic_search");
	assert_slice(s->last.source, "google.com");
	assert_int_equal(s->last.campaign.len, 0);
	ask_at(6, (struct ask){ .path = "/f" });
	assert_string_equal(told()->last.channel, "organic_search");
}

/* Made-up campaigns share one place beyond the bound; places of those that no visit has are used again. */
static void touches_are_bounded(void **state)
{
	struct touches *t;
	uint16_t held[3], again;
	struct slice part[3] = { SLICE("a"), SLICE(""), SLICE("") };

	assert_int_equal(touches_new(2, &t), 0);
	held[0] = touches_hold(t, part);
	assert_int_equal(touches_hold(t, part), held[0]);
	part[2] = SLICE("b");
	held[1] = touches_hold(t, part);
	assert_int_not_equal(held[1], held[0]);
	part[2] = SLICE("c");
	held[2] = touches_hold(t, part);
	assert_slice(touches_part(t, held[2], 2), "{other}");
	assert_u64(touches_overflow(t), 1);
	touches_leave(t, held[2]);
	touches_leave(t, held[1]);
	again = touches_hold(t, part);
	assert_slice(touches_part(t, again, 0), "a");
	assert_slice(touches_part(t, again, 2), "c");
	assert_u64(touches_overflow(t), 1);
	part[0] = part[2] = SLICE("");
	assert_int_equal(touches_hold(t, part), 0);
	assert_int_equal(touches_part(t, 0, 1).len, 0);
	touches_free(t);
	start();
}

#define SET "PHPSESSID=q1w2e3r4t5z6u7i8o9p0; Path=/"

static void new_and_returning(void **state)
{
	ONE(.set = SET);
	assert_string_equal(told()->visitor, "new");
	/* the same visit */
	ask_at(100, (struct ask){ .cookie = "PHPSESSID=q1w2e3r4t5z6u7i8o9p0", .path = "/a" });
	assert_string_equal(told()->visitor, "new");
	session_tick(kit.s, 3000 * SECOND);
	ask_at(3001, (struct ask){ .cookie = "PHPSESSID=q1w2e3r4t5z6u7i8o9p0", .path = "/a" });
	assert_string_equal(told()->visitor, "returning");
	/* the key of the day before is not known any more */
	session_tick(kit.s, 6000 * SECOND);
	ask_at(86000, (struct ask){ .cookie = "PHPSESSID=q1w2e3r4t5z6u7i8o9p0", .path = "/a" });
	assert_null(told()->visitor);
	stop(NULL);
	/* who brings something may have been here before us */
	ONE(.cookie = "PHPSESSID=q1w2e3r4t5z6u7i8o9p0");
	assert_null(told()->visitor);
	stop(NULL);
	/* nor is one known who takes nothing */
	ONE(.path = "/a");
	assert_null(told()->visitor);
}

static void hasty(unsigned pages, uint64_t pause_s, bool picture, const char *last)
{
	start();
	for (unsigned i = 0; i < pages; i++) {
		static const char *const paths[] = { "/a", "/b", "/c" };

		ask_at(1 + i * pause_s, (struct ask){ .path = paths[i % 3] });
	}
	if (picture)
		ask_at(2 + pages * pause_s, (struct ask){ .path = "/a.png", .accept = "image/*" });
	if (last)
		ask_at(2 + pages * pause_s, (struct ask){ .path = last });
}

static void suspected_by_behaviour(void **state)
{
	hasty(20, 0, false, NULL);
	assert_true(told()->suspected);
	assert_null(kit.end.segment.synthetic);
	assert_u64(kit.end.page_views, 20); /* and counted all the same */
	stop(NULL);
	hasty(19, 0, false, NULL);
	assert_false(told()->suspected);
	stop(NULL);
	hasty(40, 2, false, NULL);
	assert_false(told()->suspected);
	stop(NULL);
	hasty(40, 0, true, NULL);
	assert_false(told()->suspected);
	stop(NULL);
	hasty(1, 0, false, "/robots.txt");
	assert_true(told()->suspected);
	stop(NULL);
	hasty(40, 0, false, "/checkout/");
	assert_false(told()->suspected);
}

static void countries(void **state)
{
	struct mmdb_kit db;
	struct buf file;
	const char *why;

	start();
	mmdb_init(&db, 6, 24);
	mmdb_put(&db, "192.0.2.0/24", mmdb_nested(&db, "BE", "VLG"));
	buf_init(&file, 1 << 20);
	mmdb_write(&db, "Test", &file);
	assert_int_equal(session_places(kit.s, buf_slice(&file), &why), 0);
	ask_at(1, (struct ask){ .address = "192.0.2.9" });
	assert_string_equal(told()->country, "BE");
	assert_string_equal(kit.end.segment.region, "BE-VLG");
	assert_int_equal(session_places(kit.s, SLICE("nothing"), &why), -EBADMSG);
	assert_non_null(why);
	session_tick(kit.s, 3000 * SECOND);
	ask_at(3001, (struct ask){ .address = "192.0.2.9" });
	assert_string_equal(told()->country, "BE"); /* the one before goes on */
	assert_int_equal(session_places(kit.s, slice_of(NULL, 0), &why), 0);
	session_tick(kit.s, 6000 * SECOND);
	ask_at(6001, (struct ask){ .address = "192.0.2.9" });
	assert_string_equal(told()->country, "");
	buf_done(&file);
	mmdb_done(&db);
}

static struct buf saved;

static int collect(void *ctx, struct slice piece)
{
	return buf_add(&saved, piece);
}

/* A visit that a restart takes up is of the same segment; of another set of rules its classes mean nothing. */
static void a_checkpoint_keeps_it(void **state)
{
	struct session_options o = options();

	ONE(.query = "utm_source=news&utm_medium=email&utm_campaign=spring", .path = "/a",
	    .field = "x-load-test", .set = SET);
	buf_init(&saved, 1 << 20);
	assert_int_equal(session_save(kit.s, NULL, collect), 0);
	stop(NULL);
	start();
	for (size_t len = 0; len < saved.len; len++)
		assert_int_equal(session_load(kit.s, slice_of(saved.at, len)), -EBADMSG);
	assert_int_equal(session_load(kit.s, buf_slice(&saved)), 0);
	assert_string_equal(told()->customer, "test");
	assert_string_equal(kit.end.segment.first.channel, "email");
	assert_slice(kit.end.segment.first.campaign, "spring");
	assert_slice(kit.end.segment.last.source, "news");
	assert_string_equal(kit.end.segment.visitor, "new");
	stop(NULL);
	o.classes = classes + 1;
	start_with(&o);
	assert_int_equal(session_load(kit.s, buf_slice(&saved)), 0);
	assert_null(told()->customer);
	assert_slice(kit.end.segment.first.campaign, "spring");
	buf_done(&saved);
}

/* For metrics that add up: when it first ended, not at our own end, and not once more when it was taken up. */
static void a_visit_is_measured_once(void **state)
{
	ONE(.path = "/a");
	told();
	assert_int_equal(kit.measured, 0);
	ask_at(2, (struct ask){ .path = "/b" });
	session_tick(kit.s, 1900 * SECOND);
	assert_int_equal(kit.measured, 1);
	ask_at(1700, (struct ask){ .path = "/c" }); /* told late */
	session_tick(kit.s, 3800 * SECOND);
	assert_int_equal(kit.end.revision, 3);
	assert_int_equal(kit.measured, 1);
}

UNIT_MAIN(cmocka_unit_test_teardown(classes_by_rule, stop),
	  cmocka_unit_test_teardown(a_class_is_of_the_whole_visit, stop),
	  cmocka_unit_test_teardown(conditions_are_checked, stop),
	  cmocka_unit_test_teardown(words_of_an_operator, stop),
	  cmocka_unit_test_teardown(touches_first_and_last, stop),
	  cmocka_unit_test_teardown(touches_are_bounded, stop),
	  cmocka_unit_test_teardown(new_and_returning, stop),
	  cmocka_unit_test_teardown(suspected_by_behaviour, stop),
	  cmocka_unit_test_teardown(countries, stop),
	  cmocka_unit_test_teardown(a_checkpoint_keeps_it, stop),
	  cmocka_unit_test_teardown(a_visit_is_measured_once, stop))
