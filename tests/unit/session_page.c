/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_page.c: page views of the stage through its sinks: bounds, refused memory, a checkpoint in the
 * middle of a page. What whole traffic says is tested in tests/flow/cases/page-*.flow. malloc and its like
 * are wrapped by the linker (rules.mk).
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "sample.h"
#include "session/session.h"

#define MS     1000000ull
#define SECOND 1000000000ull

/* ---- memory ---- */

static bool refuses;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t n);

void *__wrap_malloc(size_t n)
{
	return refuses ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refuses ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *at, size_t n)
{
	return refuses ? NULL : __real_realloc(at, n);
}

/* ---- the stage ---- */

static struct kit {
	struct session *s;
	struct txn_sink in;
	struct transaction out;
	struct session_fact page, visit; /* the last told */
	struct page_seen seen;
	char path[32], host[32];
	uint8_t id[KEY_BYTES];
	unsigned told, measured, visits;
	uint64_t exchange;
} kit;

static void on_fact(void *ctx, const struct session_fact *f)
{
	if (f->kind == FACT_END) {
		kit.visit = *f;
		kit.visits++;
	}
	if (f->kind != FACT_PAGE)
		return;
	kit.page = *f;
	kit.seen = *f->page;
	memcpy(kit.id, f->page->id, KEY_BYTES);
	kit.path[0] = kit.host[0] = 0;
	if (f->page->path.len)
		memcpy(kit.path, f->page->path.at,
		       f->page->path.len + 1 < 32 ? f->page->path.len : 31);
	kit.path[f->page->path.len < 32 ? f->page->path.len : 31] = 0;
	kit.told++;
}

static void on_measure(void *ctx, const struct session_fact *f)
{
	kit.measured += f->page != NULL;
}

static void on_out(void *ctx, struct transaction *t)
{
	kit.out = *t;
}

static const char *const virtual_pages[] = { "/route/*", NULL };

static void start(uint32_t visits, uint64_t wall_ns)
{
	const struct session_sink sink = { NULL, on_out, NULL, on_fact, on_measure };
	const struct session_options o = { .secret = { 7 },
					   .timeout_ns = 1800 * SECOND,
					   .cap_ns = 86400 * SECOND,
					   .period_s = 86400,
					   .visits = visits,
					   .sites = 4,
					   .virtual_pages = virtual_pages };

	memset(&kit, 0, sizeof(kit));
	assert_int_equal(session_new(&o, &sink, &kit.s), 0);
	kit.in = session_txn_sink(kit.s);
	session_clock(kit.s, (int64_t)wall_ns);
}

static int stop(void **state)
{
	refuses = false;
	session_free(kit.s);
	kit.s = NULL;
	return 0;
}

static struct page_stats stats(void)
{
	struct session_stats s;

	session_stats(kit.s, &s);
	return s.pages;
}

struct what {
	const char *path, *referer, *type, *location;
	uint64_t cookie, at_ms, wait_ms;
	uint16_t status;
	bool prefetch, call;
};

/* Takes 10 ms. */
static void request(const struct what *w)
{
	struct evidence e = { .hash = { w->cookie, ~w->cookie },
			      .name = 1,
			      .kind = EVIDENCE_KNOWN };
	struct field fields[3];
	struct transaction t = sample();

	t.request.field_count = 0;
	if (!w->type && !w->call)
		fields[t.request.field_count++] =
			(struct field){ SLICE("accept"), SLICE("text/html") };
	if (w->prefetch)
		fields[t.request.field_count++] =
			(struct field){ SLICE("sec-purpose"), SLICE("prefetch") };
	if (w->call)
		fields[t.request.field_count++] =
			(struct field){ SLICE("x-requested-with"), SLICE("fetch") };
	t.referer = w->referer ? slice_str(w->referer) : slice_of(NULL, 0);
	if (w->referer)
		fields[t.request.field_count++] = (struct field){ SLICE("referer"), t.referer };
	t.request.fields = fields;
	t.path = t.template_ = slice_str(w->path);
	t.query = slice_of(NULL, 0);
	t.has_query = false;
	t.response_type = slice_str(w->type ? w->type : "text/html");
	t.location = w->location ? slice_str(w->location) : slice_of(NULL, 0);
	t.status = w->status ? w->status : 200;
	t.start_ns = w->at_ms * MS;
	t.wait_ns = w->wait_ms * MS;
	t.duration_ns = t.first_byte_ns = 10 * MS;
	t.exchange_pos = ++kit.exchange + w->at_ms * 1000;
	t.request.evidence = (struct evidence_list){ &e, 1 };
	kit.in.transaction(kit.in.ctx, &t);
}

#define REQUEST(...) request(&(struct what){ __VA_ARGS__ })
#define FROM(path)   "http://shop.example" path

static void tick(uint64_t at_ms)
{
	session_tick(kit.s, at_ms * MS);
}

static void a_page_is_told_and_measured_once(void **state)
{
	start(80, SAMPLE_WALL);
	tick(1000);
	REQUEST(.path = "/a", .cookie = 1, .at_ms = 1000);
	tick(2900);
	assert_int_equal(kit.told, 0);
	tick(3100);
	assert_int_equal(kit.told, 1);
	assert_u64(kit.seen.lived_ns, 10 * MS + 180000);
	REQUEST(.path = "/a.png", .referer = FROM("/a"), .type = "image/png", .cookie = 1,
		.at_ms = 3200);
	tick(14000);
	tick(30000);
	assert_int_equal(kit.told, 2);
	assert_int_equal(kit.measured, 1);
	assert_int_equal(kit.seen.resources, 1);
	assert_int_equal(stats().told, 1);
	assert_int_equal(stats().measured, 1);
}

static void what_the_bound_lets_go_is_told_and_counted(void **state)
{
	start(8, SAMPLE_WALL); /* two pages */
	tick(1000);
	for (uint64_t i = 1; i <= 4; i++)
		REQUEST(.path = "/a", .cookie = i, .at_ms = 1000 * i);
	assert_int_equal(kit.told, 2);
	assert_int_equal(kit.measured, 2);
	assert_u64(stats().views, 4);
	assert_u64(stats().evicted, 2);
	assert_u64(stats().hurried, 2);
	session_finish(kit.s);
	assert_int_equal(kit.told, 4);
	assert_u64(stats().told, 4);
	assert_u64(stats().lost, 0);
}

static void a_page_without_room_is_lost_and_counted_by_its_visit(void **state)
{
	start(80, SAMPLE_WALL);
	tick(1000);
	REQUEST(.path = "/x.png", .type = "image/png", .cookie = 1, .at_ms = 1000);
	refuses = true;
	REQUEST(.path = "/a", .cookie = 1, .at_ms = 2000);
	assert_false(kit.out.has_page);
	refuses = false;
	session_finish(kit.s);
	assert_u64(stats().views, 1);
	assert_u64(stats().lost, 1);
	assert_u64(stats().told, 0);
	assert_int_equal(kit.told, 0);
	assert_u64(kit.visit.page_views, 1);
}

static void what_is_fetched_ahead_pushes_out_no_page(void **state)
{
	static const char *const ahead[] = { "/1", "/2", "/3", "/4", "/5", "/6", "/7" };
	uint8_t id[KEY_BYTES];

	start(80, SAMPLE_WALL);
	tick(1000);
	REQUEST(.path = "/a", .cookie = 1, .at_ms = 1000);
	memcpy(id, kit.out.page_id, KEY_BYTES);
	for (unsigned i = 0; i < 7; i++)
		REQUEST(.path = ahead[i], .referer = FROM("/a"), .prefetch = true, .cookie = 1,
			.at_ms = 1100 + i);
	REQUEST(.path = "/a.png", .referer = FROM("/a"), .type = "image/png", .cookie = 1,
		.at_ms = 1200);
	assert_true(kit.out.has_page);
	assert_memory_equal(kit.out.page_id, id, KEY_BYTES);
	/* the latest of them are still known */
	REQUEST(.path = "/7.png", .referer = FROM("/7"), .type = "image/png", .cookie = 1,
		.at_ms = 9000);
	assert_true(kit.out.has_page);
	assert_u64(stats().used, 1);
	assert_int_equal(stats().open, 1 + 4);
}

static void what_was_fetched_ahead_is_measured_when_it_is_looked_at(void **state)
{
	start(80, SAMPLE_WALL);
	tick(1000);
	REQUEST(.path = "/a", .cookie = 1, .at_ms = 1000);
	REQUEST(.path = "/b", .referer = FROM("/a"), .prefetch = true, .cookie = 1, .at_ms = 1100);
	tick(4000);
	tick(15000);
	assert_int_equal(kit.measured, 1);
	tick(40000);
	REQUEST(.path = "/b.png", .referer = FROM("/b"), .type = "image/png", .cookie = 1,
		.at_ms = 40000);
	assert_true(kit.out.has_page);
	tick(43000);
	tick(54000);
	assert_int_equal(kit.measured, 2);
	assert_string_equal(kit.path, "/b");
	assert_u64(stats().measured, stats().views);
}

static void a_redirect_takes_no_negative_time(void **state)
{
	start(80, SAMPLE_WALL);
	tick(1000);
	REQUEST(.path = "/in", .location = "/home", .status = 302, .cookie = 1, .at_ms = 1000);
	/* it was in its socket before the one that led to it was read */
	REQUEST(.path = "/home", .cookie = 1, .at_ms = 1100, .wait_ms = 150);
	session_finish(kit.s);
	assert_int_equal(kit.seen.redirects, 1);
	assert_u64(kit.seen.redirect_ns, 0);
}

/* ---- a checkpoint in the middle of a page ---- */

static struct buf saved;

static int collect(void *ctx, struct slice piece)
{
	return buf_add(&saved, piece);
}

/* The process is gone, and `lost_ms` later another one begins, whose clock begins at `now_ms`. */
static void restart(uint64_t saved_ms, uint64_t lost_ms, uint64_t now_ms)
{
	buf_init(&saved, 1 << 20);
	assert_int_equal(session_save(kit.s, NULL, collect), 0);
	session_free(kit.s);
	start(80, SAMPLE_WALL + (saved_ms + lost_ms - now_ms) * MS);
	assert_int_equal(session_load(kit.s, buf_slice(&saved)), 0);
	buf_done(&saved);
}

static void a_page_goes_on_after_a_kill(void **state)
{
	for (int reboot = 0; reboot < 2; reboot++) {
		uint64_t now = reboot ? 500 : 101500; /* of the new clock, 1.5 s later */
		uint8_t id[KEY_BYTES];

		start(80, SAMPLE_WALL);
		tick(99000);
		REQUEST(.path = "/page/of/somebody", .cookie = 1, .at_ms = 99500);
		memcpy(id, kit.out.page_id, KEY_BYTES);
		REQUEST(.path = "/1.png", .referer = FROM("/page/of/somebody"), .type = "image/png",
			.cookie = 1, .at_ms = 99600);
		tick(100000);
		restart(100000, 1500, now);
		assert_u64(stats().restored, 1);
		tick(now);
		REQUEST(.path = "/2.png", .referer = FROM("/page/of/somebody"), .type = "image/png",
			.cookie = 1, .at_ms = now - 1000);
		assert_true(kit.out.has_page);
		assert_memory_equal(kit.out.page_id, id, KEY_BYTES);
		tick(now + 2500);
		assert_int_equal(kit.told, 1);
		assert_true(kit.seen.revision > 1);
		assert_string_equal(kit.path, "/page/of/somebody");
		assert_memory_equal(kit.id, id, KEY_BYTES);
		assert_int_equal(kit.seen.resources, 2);
		assert_u64(kit.page.start_unix_ns, SAMPLE_WALL + 99500 * MS);
		/* its burst is whole: 99.5 s to 100.51 s, and a round trip */
		assert_u64(kit.seen.lived_ns, 1010 * MS + 180000);
		tick(now + 13000);
		tick(now + 30000);
		assert_int_equal(kit.measured, 1);
		assert_u64(stats().views, 0);
		assert_u64(stats().told, 0);
		session_finish(kit.s);
		assert_u64(kit.visit.page_views, 1);
		if (!reboot)
			session_free(kit.s);
	}
}

static void a_page_by_rule_begins_once(void **state)
{
	uint8_t id[KEY_BYTES];

	start(80, SAMPLE_WALL);
	tick(1000);
	REQUEST(.path = "/api", .referer = FROM("/route/7"), .call = true, .cookie = 1,
		.at_ms = 1000);
	memcpy(id, kit.out.page_id, KEY_BYTES);
	session_finish(kit.s); /* as a service that is restarted */
	assert_int_equal(kit.told, 1);
	assert_int_equal(kit.measured, 1);
	restart(2000, 1000, 3000);
	tick(3000);
	REQUEST(.path = "/api", .referer = FROM("/route/7"), .call = true, .cookie = 1,
		.at_ms = 3500);
	assert_memory_equal(kit.out.page_id, id, KEY_BYTES);
	tick(20000);
	session_finish(kit.s);
	assert_u64(stats().views, 0);
	assert_int_equal(kit.measured, 0);
	assert_u64(kit.visit.page_views, 1);
	assert_int_equal(kit.seen.calls, 2);
}

static void a_checkpoint_holds_no_path_in_clear(void **state)
{
	struct slice whole;

	start(80, SAMPLE_WALL);
	tick(1000);
	REQUEST(.path = "/page/of/somebody", .cookie = 1, .at_ms = 1000);
	buf_init(&saved, 1 << 20);
	assert_int_equal(session_save(kit.s, NULL, collect), 0);
	whole = buf_slice(&saved);
	assert_true(whole.len > 500);
	assert_true(slice_find_slice(whole, SLICE("somebody")) < 0);
	assert_true(slice_find_slice(whole, SLICE("/page")) < 0);
	buf_done(&saved);
}

static void another_version_or_a_damaged_page_is_refused_whole(void **state)
{
	struct slice whole;
	char *text;

	start(80, SAMPLE_WALL);
	tick(1000);
	REQUEST(.path = "/a", .cookie = 1, .at_ms = 1000);
	buf_init(&saved, 1 << 20);
	assert_int_equal(session_save(kit.s, NULL, collect), 0);
	session_free(kit.s);
	whole = buf_slice(&saved);
	start(80, SAMPLE_WALL);
	for (size_t len = 4; len < whole.len; len++)
		assert_int_equal(session_load(kit.s, slice_sub(whole, 0, len)), -EBADMSG);
	text = (char *)whole.at;
	text[0]--; /* the version before, as long as it was and shorter */
	assert_int_equal(session_load(kit.s, whole), -EPROTO);
	assert_int_equal(session_load(kit.s, slice_sub(whole, 0, 40)), -EPROTO);
	text[0]++;
	assert_u64(stats().restored, 0);
	assert_int_equal(stats().open, 0);
	assert_int_equal(session_load(kit.s, whole), 0);
	assert_u64(stats().restored, 1);
	buf_done(&saved);
}

static void pages_without_memory_at_the_restart_are_lost(void **state)
{
	start(80, SAMPLE_WALL);
	tick(1000);
	REQUEST(.path = "/a", .cookie = 1, .at_ms = 1000);
	buf_init(&saved, 1 << 20);
	assert_int_equal(session_save(kit.s, NULL, collect), 0);
	session_free(kit.s);
	start(80, SAMPLE_WALL);
	REQUEST(.path = "/x.png", .type = "image/png", .cookie = 9, .at_ms = 500);
	refuses = true;
	assert_int_equal(session_load(kit.s, buf_slice(&saved)), 0);
	refuses = false;
	assert_u64(stats().restored, 0);
	assert_u64(stats().lost, 1);
	buf_done(&saved);
}

#define STAGE(function) cmocka_unit_test_teardown(function, stop)

UNIT_MAIN(STAGE(a_page_is_told_and_measured_once),
	  STAGE(what_the_bound_lets_go_is_told_and_counted),
	  STAGE(a_page_without_room_is_lost_and_counted_by_its_visit),
	  STAGE(what_is_fetched_ahead_pushes_out_no_page),
	  STAGE(what_was_fetched_ahead_is_measured_when_it_is_looked_at),
	  STAGE(a_redirect_takes_no_negative_time), STAGE(a_page_goes_on_after_a_kill),
	  STAGE(a_page_by_rule_begins_once), STAGE(a_checkpoint_holds_no_path_in_clear),
	  STAGE(another_version_or_a_damaged_page_is_refused_whole),
	  STAGE(pages_without_memory_at_the_restart_are_lost))
