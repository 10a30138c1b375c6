/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_session_visit.c: what one transaction costs in src/session, without a kernel: the witness on both
 * heads, then the stage, with a sink that does nothing. CPU time of the thread, best of the rounds (the
 * machine is seldom quiet). And what 100,000 open visits weigh, and a checkpoint of them takes.
 *
 * Visitors look at pages as in browse.lua: of 8 requests one is for the document, 4 are for scripts, 2 for
 * pictures, one is a call of a script; SIDE_BY_SIDE of them load theirs at once, the next follow. The stage has
 * room for the 520 page views a second that these transactions make, and no more: all its bounds are reached.
 * Without pages (no head of a response was seen) it is left with whose request it is.
 *
 *   core_session_visit [ROUNDS]
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "session/internal.h"

#define TRANSACTIONS 400000
#define VISITS	     100000
#define SECOND	     NS_PER_SECOND
#define EVERY                                                                                      \
	240000 /* ns from one transaction to the next: of 100,000 visitors each looks at a page in 192 s */
#define TICK_EVERY   416 /* transactions: 0.1 s */
#define SIDE_BY_SIDE 64
#define STEPS	     8 /* requests of a page */

struct job {
	const char *name;
	unsigned visitors;
	bool cookies; /* the jar of a shop's customer; else nothing */
	bool sets;    /* each response sets a session */
	bool pages;   /* else the visitors come in turn, and no response is seen */
};

struct stage {
	struct session *session;
	struct txn_witness witness;
	struct txn_sink in;
	struct arena_pool pool;
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
						 .visits = VISITS,
						 .sites = 1024 };
	const struct session_sink sink = { attributed, on_transaction, NULL, on_fact };
	struct session *s;

	if (session_new(&options, &sink, &s))
		abort();
	session_clock(s, 1700000000ll * SECOND);
	return s;
}

#define PAGE "/shoes/list"

/* What is asked for, step by step. */
static const struct step {
	const char *target, *path, *accept, *dest, *mode, *type;
} steps[STEPS] = {
#define HTML   "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
#define SCRIPT "*/*", "script", "no-cors", "text/javascript"
#define IMAGE  "image/avif,image/webp,*/*", "image", "no-cors", "image/jpeg"
#define CALL   "application/json, text/plain, */*", "empty", "cors", "application/json"
	{ PAGE "?page=2&sort=price", PAGE, HTML, "document", "navigate", "text/html" },
	{ "/assets/app.1.js", "/assets/app.1.js", SCRIPT },
	{ "/assets/app.2.js", "/assets/app.2.js", SCRIPT },
	{ "/assets/app.3.js", "/assets/app.3.js", SCRIPT },
	{ "/assets/app.4.js", "/assets/app.4.js", SCRIPT },
	{ "/assets/img/5.jpg", "/assets/img/5.jpg", IMAGE },
	{ "/assets/img/6.jpg", "/assets/img/6.jpg", IMAGE },
	{ "/api/stock", "/api/stock", CALL },
};

enum { AGENT = 1, ACCEPT, REFERER = 5, DEST = 7, MODE, COOKIE = 10, FIELDS };

static const struct field request_fields[FIELDS - 1] = {
	{ SLICE("host"), SLICE("www.shop.example") },
	{ SLICE("user-agent"),
	  SLICE("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0") },
	{ SLICE("accept"), SLICE("") },
	{ SLICE("accept-encoding"), SLICE("gzip, deflate, br") },
	{ SLICE("accept-language"), SLICE("de,en-US;q=0.7,en;q=0.3") },
	{ SLICE("referer"), SLICE("") },
	{ SLICE("connection"), SLICE("keep-alive") },
	{ SLICE("sec-fetch-dest"), SLICE("") },
	{ SLICE("sec-fetch-mode"), SLICE("") },
	{ SLICE("sec-fetch-site"), SLICE("same-origin") },
};

static void see_response(struct stage *s, const struct job *job, const struct step *step,
			 unsigned visitor, struct arena *arena, struct transaction *t)
{
	char set[128];
	struct field fields[4] = { { SLICE("content-type"), slice_str(step->type) },
				   { SLICE("content-length"), SLICE("5120") },
				   { SLICE("server"), SLICE("nginx") } };
	struct head h = { .fields = fields, .field_count = 3 };

	if (job->sets) {
		int n = snprintf(set, sizeof(set),
				 "PHPSESSID=q1w2e3r4t5z6u7i8%08x; Path=/; HttpOnly", visitor);

		fields[h.field_count++] =
			(struct field){ SLICE("set-cookie"), slice_of(set, (size_t)n) };
	}
	s->witness.head(s->witness.ctx, &h, false, arena, &t->response.evidence);
	if (!job->pages)
		return;
	t->response.seen = true;
	t->response.first_ns = t->start_ns + 500000;
	t->response.last_ns = t->start_ns + t->duration_ns;
	t->response_type = fields[0].value;
}

/* One request with its response, as txn would have it. */
static void one(struct stage *s, const struct job *job, unsigned visitor, unsigned at,
		uint64_t at_ns)
{
	const struct step *step = &steps[job->pages ? at : 0];
	char jar[256];
	struct field fields[FIELDS];
	struct head h = { .target = slice_str(step->target),
			  .fields = fields,
			  .field_count = FIELDS - 1 };
	struct transaction t = { .side = SIDE_SERVER,
				 .method = SLICE("GET"),
				 .method_known = true,
				 .path = slice_str(step->path),
				 .template_ = slice_str(step->path),
				 .server_name = request_fields[0].value,
				 .user_agent = request_fields[AGENT].value,
				 .start_ns = at_ns,
				 .duration_ns = 1000000,
				 .exchange_pos = at_ns,
				 .status = 200 };
	struct arena arena;

	arena_init(&arena, &s->pool);
	memcpy(fields, request_fields, sizeof(request_fields));
	fields[ACCEPT].value = slice_str(step->accept);
	fields[DEST].value = slice_str(step->dest);
	fields[MODE].value = slice_str(step->mode);
	fields[REFERER].value =
		step == steps ? SLICE("http://www.shop.example/")
			      : SLICE("http://www.shop.example" PAGE "?page=2&sort=price");
	if (step == steps)
		t.query = SLICE("page=2&sort=price");
	t.remote.ip[10] = t.remote.ip[11] = 0xff;
	memcpy(t.remote.ip + 12, &visitor, 4);
	t.referer = fields[REFERER].value;
	t.request.seen = true;
	t.request.first_ns = t.request.last_ns = at_ns;
	t.request.fields = fields;
	t.request.field_count = FIELDS - 1;
	if (job->cookies) {
		int n = snprintf(
			jar, sizeof(jar),
			"theme=dark; _ga=GA1.1.%u.1700000000; PHPSESSID=q1w2e3r4t5z6u7i8%08x; "
			"consent=%%7B%%22all%%22%%3Atrue%%7D",
			visitor + 100000000, visitor);

		fields[h.field_count++] =
			(struct field){ SLICE("cookie"), slice_of(jar, (size_t)n) };
	}
	s->witness.head(s->witness.ctx, &h, true, &arena, &t.request.evidence);
	see_response(s, job, step, visitor, &arena, &t);
	s->in.transaction(s->in.ctx, &t);
	arena_clear(&arena);
}

/* So many transactions. Returns the time of the next. */
static uint64_t browse(struct stage *s, const struct job *job, unsigned count, uint64_t at_ns)
{
	for (unsigned i = 0; i < count; i++, at_ns += EVERY) {
		unsigned turn = i / (SIDE_BY_SIDE * STEPS) * SIDE_BY_SIDE + i % SIDE_BY_SIDE;

		one(s, job, (job->pages ? turn : i) % job->visitors, i / SIDE_BY_SIDE % STEPS,
		    at_ns);
		if (s->session && i % TICK_EVERY == 0)
			session_tick(s->session, at_ns);
	}
	return at_ns;
}

/* All visitors are there. */
static uint64_t fill(struct stage *s, const struct job *job)
{
	unsigned group = SIDE_BY_SIDE * STEPS;
	unsigned count =
		job->pages ? (job->visitors * STEPS + group - 1) / group * group : job->visitors;

	return browse(s, job, count, SECOND);
}

static void begin(struct stage *s, uint64_t *attributed)
{
	s->session = make(attributed);
	s->witness = session_witness(s->session);
	s->in = session_txn_sink(s->session);
	arena_pool_init(&s->pool, 2000, 1 << 20);
}

static void end(struct stage *s)
{
	session_free(s->session);
	arena_pool_done(&s->pool);
}

/* ns a transaction, of which making its text is taken off. */
static double run(const struct job *job)
{
	uint64_t attributed = 0, at_ns, begun;
	struct session_stats stats;
	struct stage s;
	double took;

	begin(&s, &attributed);
	at_ns = fill(&s, job);
	attributed = 0;
	begun = cpu_ns();
	browse(&s, job, TRANSACTIONS, at_ns);
	took = (double)(cpu_ns() - begun) / TRANSACTIONS;
	session_stats(s.session, &stats);
	if (attributed != TRANSACTIONS || !stats.pages.told == job->pages)
		printf("%s: only %llu attributed, %llu pages told\n", job->name,
		       (unsigned long long)attributed, (unsigned long long)stats.pages.told);
	end(&s);
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
	struct stage s = { .witness = { NULL, nothing }, .in = { .transaction = pass } };
	uint64_t begun = cpu_ns();

	arena_pool_init(&s.pool, 2000, 1 << 20);
	browse(&s, job, TRANSACTIONS, SECOND);
	arena_pool_done(&s.pool);
	return (double)(cpu_ns() - begun) / TRANSACTIONS;
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

/* Where the octets of a visit lie. */
static void weigh_tables(const struct session *s)
{
	const struct identities *x = s->identities;
	const struct {
		const char *name;
		const struct table *table;
	} tables[] = { { "visitors with their visits", x->identities },
		       { "clues", x->clues },
		       { "prints", x->prints },
		       { "pages", s->pages->table },
		       { "pages that load", s->pages->loading },
		       { "aliases", s->aliases } };

	for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		printf("  %-28s %6u of them, %6.1f octets a visit\n", tables[i].name,
		       table_count(tables[i].table),
		       (double)table_bytes(tables[i].table) / s->stats.open);
}

static void weigh(unsigned visitors)
{
	const struct job job = { "", visitors, true, false, true };
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	uint64_t attributed = 0;
	struct session_stats stats;
	struct stage s;

	begin(&s, &attributed);
	fill(&s, &job);
	session_stats(s.session, &stats);
	printf("%u open visits, %u pages kept: %.1f MiB\n", stats.open, stats.pages.open,
	       (double)(mallinfo2().uordblks + mallinfo2().hblkhd - before) / (1 << 20));
	if (visitors == VISITS)
		weigh_tables(s.session);
	save(s.session);
	end(&s);
}

int main(int argc, char **argv)
{
	static const struct job jobs[] = {
		{ "pages, a jar, 1,000 visitors", 1000, true, false, true },
		{ "pages, a jar, 90,000 visitors", 90000, true, false, true },
		{ "pages, no cookies, 1,000 visitors", 1000, false, false, true },
		{ "pages, no jar, a cookie set each time", 1000, false, true, true },
		{ "no page, a jar, 1,000 visitors in turn", 1000, true, false, false },
		{ "no page, a jar, 90,000 visitors in turn", 90000, true, false, false },
	};
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;

	for (unsigned i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		printf("%-40s %6.0f ns a transaction\n", jobs[i].name,
		       least(run, &jobs[i], rounds) - least(idle, &jobs[i], rounds));
	weigh(1000);
	weigh(10000);
	weigh(VISITS);
	return 0;
}
