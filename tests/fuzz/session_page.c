/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_page.c: URLs and pages. Input that begins with 'u': lines url, base, glob, method, path, status,
 * type: what url.h and page kinds make of them. Any other input is traffic of a few visitors, four octets a
 * request: which page, from which, what it is, how much later. What must hold: borrowed parts lie inside of
 * what they were borrowed from; and page views begun = told + lost = counted by the visits, each
 * measured once, revisions rise, and no time is negative, whatever comes in which order; also through a
 * checkpoint in the middle.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "session/page/url.h"
#include "session/session.h"
#include "session/who.h"

#define MS	 1000000ull
#define VIEWS	 512
#define VISITORS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* ---- URLs ---- */

static bool is_in(struct slice part, struct slice whole)
{
	return whole.at && part.at >= whole.at && part.at + part.len <= whole.at + whole.len;
}

static void check_url(struct slice url, struct slice base, const char *glob)
{
	char room[URL_ROOM], again_room[URL_ROOM];
	struct url_parts got, again;
	const struct slice of_room = slice_of(room, sizeof(room));

	url_split(url, base, room, &got);
	url_split(url, base, again_room, &again);
	check(slice_eq(got.path, again.path) && slice_eq(got.query, again.query));
	check(!got.query.len || is_in(got.query, url));
	check(!got.path.len || is_in(got.path, url) || is_in(got.path, base) ||
	      is_in(got.path, of_room) || slice_eq(got.path, SLICE("/")));
	check(url_mark(got.path, got.query) != 0);
	check(slice_find(got.query, '#') < 0);
	url_is_origin(&got);
	check(url_matches("*", got.path));
	url_matches(glob, got.path);
}

static void check_kind(struct slice method, struct slice path, uint16_t status, struct slice type)
{
	const struct who_fields none = { 0 };
	struct page_signs signs;
	struct page page;

	page_signs_of(method, path, &none, &signs);
	check(signs.kind < PAGE_KINDS);
	page_kind_of(&signs, status, type, slice_of(NULL, 0), &page);
	check(page.kind < PAGE_KINDS && !page.kind == !page_kind_name(page.kind));
	check(!page_is_view(&page) || page.kind == PAGE_NAVIGATION);
	check(status || page.flags & PAGE_NO_ANSWER);
}

static void urls(struct slice text)
{
	struct slice url = slice_next(&text, '\n'), base = slice_next(&text, '\n'),
		     glob = slice_next(&text, '\n'), method = slice_next(&text, '\n'),
		     path = slice_next(&text, '\n'), status = slice_next(&text, '\n');
	char pattern[64] = { 0 };

	if (glob.len)
		memcpy(pattern, glob.at, glob.len < 63 ? glob.len : 63);
	check_url(url, base, pattern);
	check_kind(method, path, status.len ? (uint16_t)(status.at[0] * 7 + status.len) : 0, text);
}

/* ---- traffic ---- */

struct view {
	uint8_t id[KEY_BYTES];
	uint32_t revision;
	bool measured;
};

static struct state {
	struct session *s;
	struct txn_sink in;
	struct view views[VIEWS];
	uint32_t count, measured;
	uint64_t counted; /* by visits that are over, their revisions replaced */
	struct {
		uint8_t id[KEY_BYTES];
		uint64_t views;
		bool measured;
	} visits[VIEWS];
	uint32_t visit_count;
	uint64_t now_ns;
} at;

static struct view *view_of(const struct session_fact *f)
{
	for (uint32_t i = 0; i < at.count; i++)
		if (!memcmp(at.views[i].id, f->page->id, KEY_BYTES))
			return &at.views[i];
	check(at.count < VIEWS);
	memcpy(at.views[at.count].id, f->page->id, KEY_BYTES);
	return &at.views[at.count++];
}

static void check_times(const struct page_seen *p)
{
	const uint64_t most = 1ull << 62;

	check(p->lived_ns < most && p->first_byte_ns < most && p->redirect_ns < most &&
	      p->wait_ns < most && p->server_ns < most && p->network_ns < most &&
	      p->on_page_ns < most);
	check(!(p->has & PAGE_HAS_LIVED) ||
	      p->lived_ns == p->server_ns + p->wait_ns + p->network_ns);
}

static uint32_t visit_of(const struct session_fact *f)
{
	uint32_t i = 0;

	while (i < at.visit_count && memcmp(at.visits[i].id, f->session_id, KEY_BYTES))
		i++;
	check(i < VIEWS);
	at.visit_count += i == at.visit_count;
	memcpy(at.visits[i].id, f->session_id, KEY_BYTES);
	return i;
}

static void on_fact(void *ctx, const struct session_fact *f)
{
	if (f->kind == FACT_PAGE) {
		struct view *v = view_of(f);

		check(f->revision > v->revision);
		v->revision = f->revision;
		check_times(f->page);
	}
	if (f->kind == FACT_END)
		at.visits[visit_of(f)].views = f->page_views;
}

static void on_measure(void *ctx, const struct session_fact *f)
{
	struct view *v;

	if (!f->page) {
		uint32_t i = visit_of(f);

		check(!at.visits[i].measured);
		at.visits[i].measured = true;
		return;
	}
	v = view_of(f);
	check(!v->measured);
	v->measured = true;
	check_times(f->page);
}

static void on_transaction(void *ctx, struct transaction *t)
{
}

static const char *const rules[] = { "/rule*", NULL };

static void start(int64_t wall_minus_mono_ns)
{
	const struct session_sink sink = { NULL, on_transaction, NULL, on_fact, on_measure };
	const struct session_options o = { .secret = { 7 },
					   .timeout_ns = 30000 * MS,
					   .cap_ns = 200000 * MS,
					   .period_s = 86400,
					   .visits = 40, /* 6 pages */
					   .sites = 2,
					   .virtual_pages = rules };

	check(!session_new(&o, &sink, &at.s));
	at.in = session_txn_sink(at.s);
	session_clock(at.s, wall_minus_mono_ns);
}

static int collect(void *ctx, struct slice piece)
{
	return buf_add(ctx, piece);
}

/* The process ends in between, by its own will or not, and its clock begins anew or not. */
static void restart(bool finished, bool reboot, int64_t *wall_ns)
{
	struct buf saved;

	buf_init(&saved, 1 << 22);
	if (finished)
		session_finish(at.s);
	check(!session_save(at.s, &saved, collect));
	session_free(at.s);
	if (reboot) {
		*wall_ns += (int64_t)(at.now_ns - 1000 * MS);
		at.now_ns = 1000 * MS;
	}
	start(*wall_ns);
	check(!session_load(at.s, buf_slice(&saved)));
	buf_done(&saved);
}

static const char *const paths[] = { "/",  "/a", "/b",	   "/c",     "/a.css", "/b.js",
				     "/x", "/y", "/rule1", "/rule2", "/p.png", "/q.png" };
static const char *const froms[] = { "http://s.example/",      "http://s.example/a",
				     "http://s.example/b",     "http://s.example/a.css",
				     "http://s.example/rule1", "http://s.example/x",
				     "http://s.example/c#d",   "" };
static const char *const types[] = { "text/html", "text/css", "image/png", "application/json" };

static void request(const uint8_t byte[4], uint64_t exchange)
{
	uint64_t who = byte[3] % VISITORS + 1;
	struct evidence e = { .hash = { who, ~who }, .name = 1, .kind = EVIDENCE_KNOWN };
	struct slice referer = slice_str(froms[byte[1] & 7]);
	struct field fields[] = { { SLICE("accept"), SLICE("text/html") },
				  { SLICE("referer"), referer },
				  { SLICE("sec-purpose"), SLICE("prefetch") } };
	struct transaction t = { .side = SIDE_SERVER,
				 .method = SLICE("GET"),
				 .method_known = true,
				 .server_name = SLICE("s.example"),
				 .path = slice_str(paths[byte[0] % 12]),
				 .template_ = slice_str(paths[byte[0] % 12]),
				 .referer = referer,
				 .response_type = slice_str(types[byte[1] >> 3 & 3]),
				 .location = SLICE("/a"),
				 .status = byte[1] & 0x20   ? 302
					   : byte[1] & 0x40 ? 500
							    : 200,
				 .outcome = byte[1] & 0x80 ? OUTCOME_CLIENT_GONE : OUTCOME_COMPLETE,
				 .exchange_pos = exchange,
				 .duration_ns = (byte[2] >> 4) * 40 * MS,
				 .acknowledged_ns = (byte[2] >> 4) * 41 * MS,
				 .wait_ns = (byte[0] >> 4) * 10 * MS,
				 .request = { .seen = true, .fields = fields } };

	/* may have begun before the one that was told last */
	t.start_ns = at.now_ns - (byte[2] & 4 ? (byte[3] >> 2) * 20 * MS : 0);
	t.request.field_count = byte[2] & 8 ? 3 : 2;
	t.response.seen = byte[1] != 0xff;
	t.request.evidence = (struct evidence_list){ &e, 1 };
	at.in.transaction(at.in.ctx, &t);
}

static void traffic(const uint8_t *data, size_t size)
{
	int64_t wall_ns = 1700000000000000000;
	struct session_stats stats;
	uint64_t begun = 0, lost = 0, told = 0, counted = 0;

	memset(&at, 0, sizeof(at));
	at.now_ns = 1000000 * MS;
	start(wall_ns);
	if (size > 4 * VIEWS)
		size = 4 * VIEWS;
	for (size_t i = 0; i + 4 <= size; i += 4) {
		at.now_ns += (1ull << (data[i + 2] & 3) * 4) * 3 * MS;
		if (data[i] == 0xff && data[i + 1] == 0xff) {
			session_stats(at.s, &stats);
			begun += stats.pages.views;
			lost += stats.pages.lost;
			restart(data[i + 2] & 1, data[i + 2] & 2, &wall_ns);
			continue;
		}
		if (data[i + 3] & 0x80)
			session_tick(at.s, at.now_ns);
		request(data + i, i);
	}
	session_finish(at.s);
	session_stats(at.s, &stats);
	begun += stats.pages.views;
	lost += stats.pages.lost;
	session_free(at.s);
	for (uint32_t i = 0; i < at.count; i++)
		told += at.views[i].revision > 0;
	for (uint32_t i = 0; i < at.visit_count; i++)
		counted += at.visits[i].views;
	check(told == at.count);
	check(begun == told + lost);
	check(begun == counted);
	for (uint32_t i = 0; i < at.count; i++)
		check(at.views[i].measured);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size && data[0] == 'u')
		urls(slice_of(data + 1, size - 1));
	else
		traffic(data, size);
	return 0;
}
