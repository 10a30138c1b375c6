/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_session_visit.c: what one transaction costs in src/session, without a kernel: the witness on both
 * heads, then the stage, with a sink that does nothing. CPU time of the thread, best of the rounds (the
 * machine is seldom quiet). And what 100,000 open visits weigh, and a checkpoint of them takes.
 *
 *   core_session_visit [ROUNDS]
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "session/session.h"

#define TRANSACTIONS 400000
#define SECOND	     1000000000ull

struct job {
	const char *name;
	unsigned visitors; /* they come in turn */
	bool cookies;	   /* the jar of a shop's customer; else nothing */
	bool sets;	   /* each response sets a session */
};

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void on_transaction(void *ctx, struct transaction *t)
{
	*(uint64_t *)ctx += t->has_session;
}

static void on_fact(void *ctx, const struct session_fact *f)
{
}

static struct session *make(uint64_t *attributed)
{
	const struct session_options options = { .secret = { 1 },
						 .timeout_ns = 1800 * SECOND,
						 .cap_ns = 86400 * SECOND,
						 .period_s = 86400,
						 .visits = 100000,
						 .sites = 1024 };
	const struct session_sink sink = { attributed, on_transaction, NULL, on_fact };
	struct session *s;

	if (session_new(&options, &sink, &s))
		abort();
	session_clock(s, 1700000000ll * SECOND);
	return s;
}

static const char *const names[] = {
	"host",	   "user-agent", "accept",	   "accept-encoding", "accept-language",
	"referer", "connection", "sec-fetch-dest", "sec-fetch-mode",  "sec-fetch-site",
	"cookie"
};
static const char *const values[] = {
	"www.shop.example",
	"Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
	"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
	"gzip, deflate, br",
	"de,en-US;q=0.7,en;q=0.3",
	"http://www.shop.example/shoes/list",
	"keep-alive",
	"document",
	"navigate",
	"same-origin",
};
#define FIELDS (sizeof(names) / sizeof(names[0]))

/* One request with its response, as txn would have it. */
static void one(struct session *s, const struct txn_witness *w, const struct txn_sink *in,
		struct arena_pool *pool, const struct job *job, unsigned visitor, uint64_t at_ns)
{
	char jar[256], set[128];
	struct field fields[FIELDS];
	struct head h = { .target = SLICE("/shoes/list?page=2&sort=price"), .fields = fields };
	struct transaction t = { .side = SIDE_SERVER,
				 .method = SLICE("GET"),
				 .method_known = true,
				 .path = SLICE("/shoes/list"),
				 .server_name = SLICE("www.shop.example"),
				 .start_ns = at_ns,
				 .duration_ns = 1000000,
				 .status = 200 };
	struct arena arena;

	arena_init(&arena, pool);
	for (unsigned i = 0; i < FIELDS - 1; i++)
		fields[i] = (struct field){ slice_str(names[i]), slice_str(values[i]) };
	h.field_count = FIELDS - 1;
	t.remote.ip[10] = t.remote.ip[11] = 0xff;
	memcpy(t.remote.ip + 12, &visitor, 4);
	t.user_agent = slice_str(values[1]);
	t.referer = slice_str(values[5]);
	t.request.fields = fields;
	t.request.field_count = h.field_count;
	if (job->cookies) {
		int n = snprintf(
			jar, sizeof(jar),
			"theme=dark; _ga=GA1.1.%u.1700000000; PHPSESSID=q1w2e3r4t5z6u7i8%08x; "
			"consent=%%7B%%22all%%22%%3Atrue%%7D",
			visitor + 100000000, visitor);

		fields[h.field_count++] =
			(struct field){ SLICE("cookie"), slice_of(jar, (size_t)n) };
	}
	w->head(w->ctx, &h, true, &arena, &t.request.evidence);
	h.field_count = 0;
	fields[h.field_count++] = (struct field){ SLICE("content-type"), SLICE("text/html") };
	fields[h.field_count++] = (struct field){ SLICE("content-length"), SLICE("5120") };
	fields[h.field_count++] = (struct field){ SLICE("server"), SLICE("nginx") };
	if (job->sets) {
		int n = snprintf(set, sizeof(set),
				 "PHPSESSID=q1w2e3r4t5z6u7i8%08x; Path=/; HttpOnly", visitor);

		fields[h.field_count++] =
			(struct field){ SLICE("set-cookie"), slice_of(set, (size_t)n) };
	}
	w->head(w->ctx, &h, false, &arena, &t.response.evidence);
	t.request.field_count = FIELDS - 1;
	for (unsigned i = 0; i < FIELDS - 1; i++)
		fields[i] = (struct field){ slice_str(names[i]), slice_str(values[i]) };
	in->transaction(in->ctx, &t);
	arena_clear(&arena);
}

/* ns a transaction, of which making its text is taken off. */
static double run(const struct job *job)
{
	uint64_t attributed = 0, begin;
	struct session *s = make(&attributed);
	struct txn_witness w = session_witness(s);
	struct txn_sink in = session_txn_sink(s);
	struct arena_pool pool;
	double took;

	arena_pool_init(&pool, 2000, 1 << 20);
	for (unsigned i = 0; i < job->visitors; i++)
		one(s, &w, &in, &pool, job, i, SECOND + i);
	begin = cpu_ns();
	for (unsigned i = 0; i < TRANSACTIONS; i++)
		one(s, &w, &in, &pool, job, i % job->visitors, 2 * SECOND + i * 1000ull);
	took = (double)(cpu_ns() - begin) / TRANSACTIONS;
	if (attributed != TRANSACTIONS + job->visitors)
		printf("%s: only %llu attributed\n", job->name, (unsigned long long)attributed);
	session_free(s);
	arena_pool_done(&pool);
	return took;
}

static int nothing(void *ctx, const struct head *h, bool request, struct arena *a,
		   struct evidence_list *ret)
{
	return 0;
}

static void pass(void *ctx, struct transaction *t)
{
}

/* What making the texts costs. */
static double idle(const struct job *job)
{
	struct txn_witness w = { NULL, nothing };
	struct txn_sink in = { .transaction = pass };
	struct arena_pool pool;
	uint64_t begin = cpu_ns();

	arena_pool_init(&pool, 2000, 1 << 20);
	for (unsigned i = 0; i < TRANSACTIONS; i++)
		one(NULL, &w, &in, &pool, job, i % job->visitors, i);
	arena_pool_done(&pool);
	return (double)(cpu_ns() - begin) / TRANSACTIONS;
}

static double least(double (*what)(const struct job *), const struct job *job, unsigned rounds)
{
	double best = 0;

	for (unsigned i = 0; i < rounds; i++) {
		double took = what(job);

		if (!i || took < best)
			best = took;
	}
	return best;
}

/* As agent/brain/checkpoint.c writes it, but for the sum. */
struct text {
	FILE *to; /* NULL: counted only */
	size_t len;
};

static int add(void *ctx, struct slice piece)
{
	struct text *t = ctx;

	t->len += piece.len;
	if (t->to && piece.len)
		fwrite(piece.at, piece.len, 1, t->to);
	return 0;
}

static void save(const struct session *s)
{
	uint64_t best = UINT64_MAX;
	struct text text;

	for (unsigned i = 0; i < 5; i++) {
		uint64_t begin = cpu_ns();

		text = (struct text){ 0 };
		session_save(s, &text, add);
		text = (struct text){ .to = tmpfile() };
		if (!text.to)
			abort();
		session_save(s, &text, add);
		fflush(text.to);
		begin = cpu_ns() - begin;
		best = begin < best ? begin : best;
		fclose(text.to);
	}
	printf("a checkpoint of them: %.2f ms, %.1f MiB\n", (double)best / 1e6,
	       (double)text.len / (1 << 20));
}

static void weigh(unsigned visitors)
{
	const struct job job = { "", visitors, true, false };
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	uint64_t attributed = 0;
	struct session *s = make(&attributed);
	struct txn_witness w = session_witness(s);
	struct txn_sink in = session_txn_sink(s);
	struct session_stats stats;
	struct arena_pool pool;

	arena_pool_init(&pool, 2000, 1 << 20);
	for (unsigned i = 0; i < 3 * job.visitors; i++)
		one(s, &w, &in, &pool, &job, i % job.visitors, SECOND + i);
	session_stats(s, &stats);
	printf("%u open visits: %.1f MiB\n", stats.open,
	       (double)(mallinfo2().uordblks + mallinfo2().hblkhd - before) / (1 << 20));
	save(s);
	session_free(s);
	arena_pool_done(&pool);
}

int main(int argc, char **argv)
{
	static const struct job jobs[] = {
		{ "a jar, 1,000 visitors", 1000, true, false },
		{ "a jar, 90,000 visitors", 90000, true, false },
		{ "no cookies, 1,000 visitors", 1000, false, false },
		{ "no jar, a cookie set each time", 1000, false, true },
	};
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;

	for (unsigned i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		printf("%-32s %6.0f ns a transaction\n", jobs[i].name,
		       least(run, &jobs[i], rounds) - least(idle, &jobs[i], rounds));
	weigh(1000);
	weigh(10000);
	weigh(100000);
	return 0;
}
