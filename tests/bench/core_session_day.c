/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_session_day.c: a day of a large site against src/session, without a kernel: visits begin at an even pace,
 * each with five pages and a picture of each within four minutes, and end by the pause of half an hour.
 * Most visitors never come again, a tenth do a while later. Told is what the stage weighs once its index of
 * visitors has filled, and the most that it weighs in the rest of the day; nothing may grow with the number of
 * visits that there were, and none may be let go before it is over.
 *
 *   core_session_day [VISITS]     1,000,000
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "session/session.h"

#define SECOND	   1000000000ull
#define DAY	   (86400 * SECOND)
#define REMEMBERED 100000 /* limits.visits by default */
#define PAGES	   5

static const uint64_t page_at_ns[PAGES] = { 0, 20 * SECOND, 65 * SECOND, 130 * SECOND,
					    240 * SECOND };

struct day {
	struct session *session;
	struct txn_witness witness;
	struct txn_sink in;
	struct arena_pool pool;
	uint64_t every_ns, ended;
	size_t weighed_at_first;
};

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static size_t weigh(const struct day *d)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd - d->weighed_at_first;
}

static void on_transaction(void *ctx, struct transaction *t)
{
}

static void on_fact(void *ctx, const struct session_fact *f)
{
	struct day *d = ctx;

	d->ended += f->kind == FACT_END && f->end_reason == END_TIMEOUT;
}

static void make(struct day *d)
{
	const struct session_options options = { .secret = { 1 },
						 .timeout_ns = 1800 * SECOND,
						 .cap_ns = DAY,
						 .period_s = 86400,
						 .visits = REMEMBERED,
						 .sites = 1024 };
	const struct session_sink sink = { d, on_transaction, NULL, on_fact };

	d->weighed_at_first = weigh(d);
	if (session_new(&options, &sink, &d->session))
		abort();
	session_clock(d->session, 1700000000ll * (int64_t)SECOND);
	d->witness = session_witness(d->session);
	d->in = session_txn_sink(d->session);
	arena_pool_init(&d->pool, 2000, 1 << 20);
}

/* Who begins visit `n`: every tenth is the visitor of one that began an hour and a half before. */
static unsigned visitor_of(const struct day *d, unsigned long n)
{
	unsigned long before = 5400 * SECOND / d->every_ns / 10 * 10 + 1;

	return (unsigned)(n % 10 == 9 && n > before ? n - before : n);
}

/* A page of a visitor, or what it pulls in. The first one sets the cookie that the others bring. */
static void request(struct day *d, unsigned long visit, unsigned page, bool picture, uint64_t at_ns)
{
	unsigned visitor = visitor_of(d, visit);
	bool again = visitor != visit;
	char cookie[64], path[32], referer[64];
	size_t len =
		(size_t)snprintf(cookie, sizeof(cookie), "PHPSESSID=q1w2e3r4t5z6u7i8%08x", visitor);
	size_t path_len = (size_t)snprintf(path, sizeof(path), "/page/%c", 'a' + (int)page);
	size_t referer_len = (size_t)snprintf(referer, sizeof(referer),
					      "http://shop.example/page/%c", 'a' + (int)page);
	bool brings = page || picture || again;
	const struct field fields[] = {
		{ SLICE("host"), SLICE("shop.example") },
		{ SLICE("user-agent"), SLICE("Mozilla/5.0 (X11; Linux x86_64; rv:120.0)") },
		{ SLICE("accept"), picture ? SLICE("image/png") : SLICE("text/html") },
		{ SLICE("referer"), slice_of(referer, picture ? referer_len : 0) },
		{ SLICE("cookie"), slice_of(cookie, len) },
	};
	const struct field set[] = { { SLICE("set-cookie"), slice_of(cookie, len) } };
	struct head h = { .target = picture ? SLICE("/picture.png") : slice_of(path, path_len),
			  .fields = fields,
			  .field_count = brings ? 5 : 4 };
	struct head answer = { .fields = set, .field_count = brings ? 0 : 1 };
	uint32_t address = visitor * 2654435761u;
	struct transaction t = { .side = SIDE_SERVER,
				 .method = SLICE("GET"),
				 .method_known = true,
				 .path = h.target,
				 .template_ = h.target,
				 .server_name = fields[0].value,
				 .user_agent = fields[1].value,
				 .response_type = picture ? SLICE("image/png") : SLICE("text/html"),
				 .start_ns = at_ns,
				 .duration_ns = 1000000,
				 .status = 200,
				 .family = AF_INET,
				 .referer = fields[3].value,
				 .exchange_pos = at_ns,
				 .request = { .seen = true, .fields = fields, .field_count = 4 },
				 .response = { .seen = true } };
	struct arena arena;

	arena_init(&arena, &d->pool);
	t.remote.ip[10] = t.remote.ip[11] = 0xff;
	memcpy(t.remote.ip + 12, &address, 4);
	d->witness.head(d->witness.ctx, &h, true, &arena, &t.request.evidence);
	d->witness.head(d->witness.ctx, &answer, false, &arena, &t.response.evidence);
	d->in.transaction(d->in.ctx, &t);
	arena_clear(&arena);
}

static double mebibytes(size_t octets)
{
	return (double)octets / (1 << 20);
}

/* Each step begins a visit, and goes on with one of each age. */
static void run(struct day *d, unsigned long visits)
{
	size_t full = 0, most = 0, now;
	uint64_t begin = cpu_ns(), at_ns = SECOND;
	struct session_stats stats;

	d->every_ns = DAY / visits;
	for (unsigned long i = 0; i < visits; i++, at_ns += d->every_ns) {
		for (unsigned page = 0; page < PAGES; page++) {
			unsigned long ago = page_at_ns[page] / d->every_ns;

			if (ago > i)
				continue;
			request(d, i - ago, page, false, at_ns);
			request(d, i - ago, page, true, at_ns + 50000000);
		}
		session_tick(d->session, at_ns);
		if (i % 1024)
			continue;
		now = weigh(d);
		most = now > most ? now : most;
		if (at_ns < DAY / 8)
			full = most;
	}
	begin = cpu_ns() - begin;
	session_tick(d->session, at_ns + 2000 * SECOND);
	session_stats(d->session, &stats);
	printf("%lu visits in a day: %llu begun, %llu over by their pause, %llu page views, %llu "
	       "of them lost: %.2f us a visit\n",
	       visits, (unsigned long long)stats.started, (unsigned long long)d->ended,
	       (unsigned long long)stats.pages.views, (unsigned long long)stats.pages.lost,
	       (double)begin / (double)visits / 1e3);
	printf("memory: %.1f MiB in the first three hours, %.1f MiB at most in the day\n",
	       mebibytes(full), mebibytes(most));
}

int main(int argc, char **argv)
{
	static struct day d;
	unsigned long visits = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;

	if (visits < 100 || visits > 50000000)
		return 2;
	make(&d);
	run(&d, visits);
	session_free(d.session);
	arena_pool_done(&d.pool);
	return 0;
}
