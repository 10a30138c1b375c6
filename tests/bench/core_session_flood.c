/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_session_flood.c: a flood of made-up cookies against src/session, without a kernel: each request comes
 * from another address with session cookies that nobody was ever given, all within the time of a visit, and is
 * answered with a page. What it costs, whether memory stays within its bound, and what became of the visits
 * from before: those with a cart must outlive every empty one.
 *
 *   core_session_flood [REQUESTS [COOKIES]]     10,000,000 of one cookie; COOKIES of each request, up to 8
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "session/session.h"

#define SECOND 1000000000ull
#define VISITS 100000
#define BEFORE 1000	       /* visitors of each kind who were there before */
#define STEP   (1500 * SECOND) /* the whole flood lasts as long; a visit may pause for 1800 s */

enum kind { WITH_CART, EMPTY, KINDS };

struct flood {
	struct session *session;
	struct txn_witness witness;
	struct txn_sink in;
	struct arena_pool pool;
	size_t weighed_at_first;
	unsigned cookies;
	uint8_t last_id[KEY_BYTES]; /* of the transaction that went through */
	bool attributed;
	uint8_t id[KINDS][BEFORE][KEY_BYTES]; /* the visits from before */
};

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static size_t weigh(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void on_transaction(void *ctx, struct transaction *t)
{
	struct flood *f = ctx;

	f->attributed = t->has_session;
	memcpy(f->last_id, t->session_id, KEY_BYTES);
}

static void on_fact(void *ctx, const struct session_fact *fact)
{
}

static void make(struct flood *f)
{
	const struct session_options options = { .secret = { 1 },
						 .timeout_ns = 1800 * SECOND,
						 .cap_ns = 86400 * SECOND,
						 .period_s = 86400,
						 .visits = VISITS,
						 .sites = 1024 };
	const struct session_sink sink = { f, on_transaction, NULL, on_fact };

	f->weighed_at_first = weigh();
	if (session_new(&options, &sink, &f->session))
		abort();
	session_clock(f->session, 1700000000ll * SECOND);
	f->witness = session_witness(f->session);
	f->in = session_txn_sink(f->session);
	arena_pool_init(&f->pool, 2000, 1 << 20);
}

static size_t make_jar(char *to, size_t room, unsigned cookies, const char *who, unsigned n)
{
	static const char *const names[] = { "PHPSESSID", "JSESSIONID", "sessionid", "sid",
					     "SESSION",	  "zenid",	"osCsid",    "OCSESSID" };
	size_t len = 0;

	for (unsigned i = 0; i < cookies && i < sizeof(names) / sizeof(names[0]); i++)
		len += (size_t)snprintf(to + len, room - len, "%s%s=q1w2e3r4t%uz6%s%08x",
					i ? "; " : "", names[i], i, who, n);
	return len;
}

/* A request with its response, as txn would have it. */
static void request(struct flood *f, bool cart, unsigned cookies, const char *who, unsigned n,
		    uint32_t address, uint64_t at_ns)
{
	char jar[512];
	const struct field fields[] = {
		{ SLICE("host"), SLICE("www.shop.example") },
		{ SLICE("user-agent"), SLICE("Mozilla/5.0 (X11; Linux x86_64; rv:120.0)") },
		{ SLICE("accept"), SLICE("text/html") },
		{ SLICE("cookie"), slice_of(jar, make_jar(jar, sizeof(jar), cookies, who, n)) },
	};
	struct head h = { .target = cart ? SLICE("/cart/add") : SLICE("/shoes"),
			  .fields = fields,
			  .field_count = 4 };
	struct transaction t = { .side = SIDE_SERVER,
				 .method = cart ? SLICE("POST") : SLICE("GET"),
				 .method_known = true,
				 .path = h.target,
				 .template_ = h.target,
				 .server_name = fields[0].value,
				 .user_agent = fields[1].value,
				 .response_type = SLICE("text/html"),
				 .start_ns = at_ns,
				 .duration_ns = 1000000,
				 .status = 200,
				 .family = AF_INET,
				 .request = { .seen = true, .fields = fields, .field_count = 3 },
				 .response = { .seen = true } };
	struct arena arena;

	arena_init(&arena, &f->pool);
	t.remote.ip[10] = t.remote.ip[11] = 0xff;
	memcpy(t.remote.ip + 12, &address, 4);
	f->witness.head(f->witness.ctx, &h, true, &arena, &t.request.evidence);
	f->in.transaction(f->in.ctx, &t);
	arena_clear(&arena);
}

/* Everybody from before once, each time from another address, so that only the cookie names them; how many of
 * the kind are still in the visit that they had. */
static unsigned round_of(struct flood *f, enum kind kind, bool first, uint64_t at_ns)
{
	unsigned same = 0;

	for (unsigned i = 0; i < BEFORE; i++) {
		request(f, kind == WITH_CART && first, 1, kind == WITH_CART ? "cart" : "none", i,
			(first ? 3u : 2u) << 30 | i, at_ns + i);
		if (first)
			memcpy(f->id[kind][i], f->last_id, KEY_BYTES);
		same += f->attributed && !memcmp(f->id[kind][i], f->last_id, KEY_BYTES);
	}
	return same;
}

static double mebibytes(size_t octets)
{
	return (double)octets / (1 << 20);
}

static void run(struct flood *f, unsigned long requests)
{
	size_t full = 0, most = 0, now;
	uint64_t begin, at_ns = 2 * SECOND, every = STEP / requests;
	struct session_stats stats;

	round_of(f, WITH_CART, true, SECOND);
	round_of(f, EMPTY, true, SECOND);
	begin = cpu_ns();
	for (unsigned long i = 0; i < requests; i++, at_ns += every) {
		request(f, false, f->cookies, "flood", (unsigned)i, (uint32_t)i, at_ns);
		if (i % 1024)
			continue;
		session_tick(f->session, at_ns);
		now = weigh() - f->weighed_at_first;
		most = now > most ? now : most;
		if (i < 2 * VISITS)
			full = most;
	}
	begin = cpu_ns() - begin;
	session_stats(f->session, &stats);
	printf("%lu requests with %u made-up cookies each: %.2f us a request\n", requests,
	       f->cookies, (double)begin / (double)requests / 1e3);
	printf("memory: %.1f MiB after the first %u, %.1f MiB at most\n", mebibytes(full),
	       2 * VISITS, mebibytes(most));
	printf("open visits: %u of at most %u; evicted: %llu\n", stats.open, VISITS,
	       (unsigned long long)stats.identities_evicted);
	printf("visits from before that went on: %u of %u with a cart, %u of %u without\n",
	       round_of(f, WITH_CART, false, at_ns), BEFORE, round_of(f, EMPTY, false, at_ns),
	       BEFORE);
}

int main(int argc, char **argv)
{
	static struct flood f;
	unsigned long requests = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000000;

	f.cookies = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
	if (!requests || !f.cookies || f.cookies > 8)
		return 2;
	make(&f);
	run(&f, requests);
	session_free(f.session);
	arena_pool_done(&f.pool);
	return 0;
}
