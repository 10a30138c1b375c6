/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_stage.c: the whole stage: transactions whose contents are really read by the wants of its rules, whole
 * or up to a hole; calls to others, pages, ends of visits; rules and definitions that are reloaded while
 * transactions are open; time, checkpoints, a new process. Input: eight octets a step.
 *
 * What must hold: all that session tells passes through, once; each event is counted; prices, orders and sums of
 * carts that are told are those that the contents had; no order twice, but with the next revision; opened +
 * restored = ordered + emptied +
 * abandoned + evicted + open; calls that were held were handed out; definitions that were told and not taken
 * back are those of the configuration; objectives are judged of each page; facts of carts: cart_facts.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cart_facts.h"
#include "journey/journey.h"
#include "journey_stage.h"
#include "txn/body/body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WALL	1700000000000000000ll
#define PENDING 4
#define VALUES	256
#define STEP	8
#define TOLD	16

/* ---- the world ---- */

struct pending {
	bool used;
	struct transaction t;
	struct arena arena;
	struct reading_value values[2][VALUES];
};

static struct {
	struct journey *j;
	struct session_sink sink;
	struct journey_options options;
	struct bodies *bodies;
	struct arena_pool pool;
	struct pending pending[PENDING];
	struct buf content;
	uint64_t now, spans;
	bool clock, keeps;
	const struct definitions *defined;

	struct cart_facts facts;
	uint64_t ordered[SITES][NUMBERS]; /* revisions of the order; 0: none */
	uint64_t events[EVENTS], passed, told_objectives;
	struct {
		bool is_objective, removed;
		const char *name, *site;
		uint64_t revision;
	} told[TOLD];
	unsigned told_count;
} w;

/* ---- rules ---- */

static void on_error(void *ctx, const struct rules_error *e)
{
	fprintf(stderr, "%u:%u: %s\n", e->line, e->column, e->text);
	abort();
}

/* Compiling takes longer than all else, so most inputs use again what the stage has let go; what it lets go is
 * used by nobody. */
#define KEPT 8
static struct rules *kept[2][KEPT];

void __real_rules_free(struct rules *r);
void __wrap_rules_free(struct rules *r);
void __wrap_rules_free(struct rules *r)
{
	bool all;

	if (!r)
		return;
	check(!rules_in_use(r));
	all = rules_count(r) > 2;
	for (unsigned i = 0; w.keeps && i < KEPT; i++) {
		if (kept[all][i])
			continue;
		kept[all][i] = r;
		return;
	}
	__real_rules_free(r);
}

/* 0: none. */
static struct rules *compile(unsigned which)
{
	struct rules_builder *b;
	struct rules *r;

	if (!which)
		return NULL;
	for (unsigned i = 0; w.keeps && i < KEPT; i++) {
		r = kept[which == 1][i];
		kept[which == 1][i] = NULL;
		if (r)
			return r;
	}
	check(!rules_begin(&b));
	check(!rules_add(b, "fuzz.yaml", slice_str(which == 1 ? all_rules : few_rules), on_error,
			 NULL));
	check(!rules_end(b, on_error, NULL, &r));
	return r;
}

static struct field some_field = { SLICE("host"), SLICE("a.example") };

/* ---- what is told ---- */

static void check_order(const struct event *e)
{
	unsigned n = NUMBERS, site = !slice_eq(e->site, slice_str(sites[0]));

	check(e->transaction_id.len == 2);
	n = (unsigned)(e->transaction_id.at[1] - '0');
	/* told again, it is the next word of the same fact */
	check(n < NUMBERS && e->revision == w.ordered[site][n] + 1);
	w.ordered[site][n]++;
	check(!(e->has & SAID_VALUE) || is_amount(&e->value, 1000 * n + 7));
	check(!(e->has & SAID_TAX) || is_amount(&e->tax, 10 * n + 1));
}

static void on_event(void *ctx, const struct event *e)
{
	int64_t pieces;

	w.events[e->kind]++;
	/* a call whose visit was not found is of no site */
	check(e->revision && (e->site.len || (e->kind == EVENT_PAYMENT_ERROR && !e->has_session)));
	check_prices(e->items, e->item_count, &pieces);
	check((e->kind != EVENT_ADD_TO_CART && e->kind != EVENT_REMOVE_FROM_CART) || e->cart);
	if (e->cart)
		check_cart(e->cart);
	if (e->kind == EVENT_CART || e->kind == EVENT_CART_ABANDONED)
		cart_fact_check(&w.facts, e);
	if (e->kind == EVENT_PURCHASE)
		check_order(e);
}

static bool same_name(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : !a && !b;
}

static void on_definition(void *ctx, const struct definition *d)
{
	const char *name = d->objective ? d->objective->name : d->funnel->name;
	const char *site = d->objective ? d->objective->funnel->site : d->funnel->site;
	unsigned i = 0;

	while (i < w.told_count &&
	       (w.told[i].is_objective != !!d->objective || !same_name(w.told[i].name, name) ||
		!same_name(w.told[i].site, site)))
		i++;
	check(i < TOLD && d->revision >= w.told[i].revision);
	if (i == w.told_count)
		w.told_count++;
	w.told[i].is_objective = d->objective;
	w.told[i].name = name;
	w.told[i].site = site;
	w.told[i].revision = d->revision;
	w.told[i].removed = d->removed;
}

/* Those that stand are those of the configuration. */
static void check_definitions(void)
{
	unsigned standing = 0;

	for (unsigned i = 0; i < w.told_count; i++) {
		bool is = false;

		for (uint32_t k = 0; w.told[i].is_objective && k < w.defined->objective_count; k++)
			is |= same_name(w.told[i].name, w.defined->objectives[k].name) &&
			      same_name(w.told[i].site, w.defined->objectives[k].funnel->site);
		for (uint32_t k = 0; !w.told[i].is_objective && k < w.defined->funnel_count; k++)
			is |= same_name(w.told[i].name, w.defined->funnels[k].name) &&
			      same_name(w.told[i].site, w.defined->funnels[k].site);
		check(is == !w.told[i].removed);
		standing += is;
	}
	check(!w.told_count || standing == w.defined->funnel_count + w.defined->objective_count);
}

static void on_objective(void *ctx, const struct objective *o, const struct session_fact *f,
			 bool met)
{
	check(o >= w.defined->objectives && o < w.defined->objectives + w.defined->objective_count);
	check(objective_judge(o, f) == (met ? OBJECTIVE_MET : OBJECTIVE_MISSED));
	w.told_objectives++;
}

static void on_transaction(void *ctx, struct transaction *t)
{
	w.passed++;
}

static void on_active(void *ctx, const struct connection *c, enum side side, struct slice method,
		      int delta)
{
	w.passed++;
}

static void on_fact(void *ctx, const struct session_fact *f)
{
	w.passed++;
}

static void on_attempt(void *ctx, const struct attempt *a)
{
	w.passed++;
}

static void on_listener(void *ctx, const struct listener_news *n)
{
	w.passed++;
}

static bool on_visit(void *ctx, const uint8_t id[KEY_BYTES], struct segment *ret)
{
	*ret = (struct segment){ .device = "mobile" };
	return id[0] & 1;
}

/* ---- contents ---- */

static void add_cents(int64_t cents)
{
	buf_addf(&w.content, "\"%lld.%02lld\"", (long long)cents / 100, (long long)cents % 100);
}

/* Two bits a product: how many. */
static void add_answer(const uint8_t b[STEP], uint16_t status)
{
	int64_t sum = 0, pieces = 0;
	unsigned n = b[4] & (NUMBERS - 1);
	const char *comma = "";

	buf_clear(&w.content);
	if (status >= 400) {
		buf_add_str(&w.content, "{\"error\":\"no\"}");
		return;
	}
	buf_addf(&w.content, "{\"number\":\"N%u\",\"order\":%u,", n, n);
	if (b[4] & 0x40)
		buf_addf(&w.content, "\"id\":\"c%u\",", b[4] >> 3 & 3);
	buf_add_str(&w.content, "\"currency\":\"EUR\",\"items\":[");
	for (unsigned p = 0; p < PRODUCTS; p++) {
		unsigned q = b[3] >> 2 * p & 3;

		if (!q)
			continue;
		buf_addf(&w.content, "%s{\"product\":\"P%u\",\"quantity\":%u,\"price\":", comma, p,
			 q);
		add_cents(prices[p]);
		buf_add_byte(&w.content, '}');
		comma = ",";
		sum += q * prices[p];
		pieces += q;
	}
	buf_addf(&w.content, "],\"quantity\":%lld,\"value\":", (long long)pieces);
	add_cents(sum);
	buf_add_str(&w.content, ",\"total\":");
	add_cents(1000 * n + 7);
	buf_add_str(&w.content, ",\"tax\":");
	add_cents(10 * n + 1);
	buf_add_str(&w.content, b[4] & 0x80 ? ",\"redirect\":\"x\"}" : "}");
}

struct taking {
	struct pending *p;
	bool request;
};

static void on_taken(void *ctx, const struct taken *v)
{
	struct taking *k = ctx;
	struct txn_message *m = k->request ? &k->p->t.request : &k->p->t.response;
	struct reading_value *at = &k->p->values[k->request][m->reading.count];

	if (m->reading.count == VALUES) {
		m->reading.values_lost = true;
		return;
	}
	*at = (struct reading_value){ .want = v->want, .kind = (uint8_t)v->kind, .cut = v->cut };
	memcpy(at->index, v->index, sizeof(at->index));
	check(!arena_copy(&k->p->arena, v->text, &at->text));
	m->reading.count++;
}

/* As src/txn reads it; cut: of 256 parts so many are there, 0: all. */
static void read_content(struct pending *p, bool request, uint8_t cut)
{
	const struct txn_reader reader = journey_reader(w.j);
	const struct body_wants *wants =
		reader.contents ? reader.wants(reader.ctx, &p->t, request) : NULL;
	const struct body_kind kind = { .content_type = SLICE("application/json"),
					.response = !request };
	struct reading *r = request ? &p->t.request.reading : &p->t.response.reading;
	struct taking k = { p, request };
	const struct body_sink sink = { &k, on_taken };
	struct body_result result;
	struct body *b;

	*r = (struct reading){ .wants = wants, .wanted = wants, .values = p->values[request] };
	if (!wants)
		return;
	wants_hold(wants);
	if (body_open(w.bodies, &kind, wants, &sink, &b))
		return;
	body_push(b, slice_sub(buf_slice(&w.content), 0,
			       cut ? w.content.len * cut / 256 : w.content.len));
	if (cut)
		body_hole(b, 1);
	body_end(b, &result);
	r->opened = true;
	r->flags = result.flags;
}

/* ---- transactions ---- */

/* A visit and its key are of one site. */
static void id_of(uint8_t n, const uint8_t b[STEP], uint8_t ret[KEY_BYTES])
{
	memset(ret, 0, KEY_BYTES);
	ret[0] = n;
	ret[1] = b[6] & 1;
}

static void hand_out(struct pending *p)
{
	const struct reading *r[] = { &p->t.request.reading, &p->t.response.reading };

	if (!p->used)
		return;
	p->used = false;
	w.sink.transaction(w.sink.ctx, &p->t);
	for (unsigned i = 0; i < 2; i++)
		if (r[i]->wants)
			wants_release(r[i]->wants);
	arena_clear(&p->arena);
}

/* Octets: 1 what, client's; 2 who; 3 lines; 4 number, cart, redirect; 5 cut of the answer; 6 cut of what is
 * asked, site; 7 when, whose call. */
static void begin(const uint8_t b[STEP])
{
	struct pending *p = &w.pending[b[0] >> 4 & (PENDING - 1)];
	struct transaction *t = &p->t;
	unsigned a = b[1] & 15;

	hand_out(p);
	p->used = true;
	*t = (struct transaction){ .side = b[1] & 0x10 ? SIDE_CLIENT : SIDE_SERVER,
				   .hop = b[1] & 0x20,
				   .inner = b[1] & 0x40,
				   .has_parent = b[1] & 0x80,
				   .method = slice_str(asks[a].method),
				   .method_known = true,
				   .path = slice_str(asks[a].path),
				   .status = asks[a].status,
				   .server_name = slice_str(sites[b[6] & 1]),
				   .site = slice_str(sites[b[6] & 1]),
				   .response_type = SLICE("application/json"),
				   .start_ns = (w.now - (b[7] >> 4)) * MS,
				   .duration_ns = (b[7] & 15) * MS,
				   .exchange_pos = ++w.spans,
				   .isn_client = 1,
				   .isn_server = 2 };
	t->request.seen = t->response.seen = true;
	t->request.fields = t->response.fields = &some_field;
	t->request.field_count = t->response.field_count = 1;
	t->unobserved = b[6] & 2 ? UNOBSERVED_EXCHANGE : 0;
	t->span_id[0] = (uint8_t)w.spans;
	t->span_id[1] = (uint8_t)(w.spans >> 8);
	t->span_id[2] = 1;
	memcpy(t->parent_id, t->span_id, sizeof(t->parent_id));
	t->parent_id[0] = (uint8_t)(t->span_id[0] + (b[7] & 7) - 3);
	t->has_session = b[2] & 7 && t->side == SIDE_SERVER;
	id_of(b[2] & 7, b, t->session_id);
	id_of(100 + (b[2] >> 3 & 3), b, t->session_key);
	buf_clear(&w.content);
	buf_addf(&w.content, "{\"product\":\"P%u\",\"quantity\":%u}", b[3] & 3, b[3] >> 2 & 3);
	read_content(p, true, b[6] & 0xf0);
	add_answer(b, t->status);
	read_content(p, false, b[5] & 0x80 ? (uint8_t)(b[5] << 1) : 0);
	if (!(b[0] & 0x40))
		hand_out(p);
}

/* ---- all else ---- */

static void fact(const uint8_t b[STEP])
{
	static const char *const paths[] = { "/checkout", "/checkout/contact", "/", "/slow" };
	struct page_seen page = { .path = slice_str(paths[b[3] & 3]),
				  .has = b[3] & 4 ? PAGE_HAS_LIVED : 0,
				  .lived_ns = b[4] * MS,
				  .outcome = b[3] >> 3 & 7,
				  .apdex = b[3] >> 6 };
	struct session_fact f = { .kind = (enum fact_kind)(b[2] >> 6),
				  .site = slice_str(sites[b[6] & 1]),
				  .end_reason = (enum end_reason)(b[3] % END_REASONS),
				  .reason = b[3] & 1 ? "merge" : "rotation",
				  .time_unix_ns = w.now * MS + WALL,
				  .start_unix_ns = w.now * MS + WALL,
				  .segment = { .device = b[4] & 1 ? "mobile" : NULL } };
	uint64_t judged = w.told_objectives;

	if (page.outcome > PAGE_OUTCOME_UNOBSERVED)
		page.outcome = PAGE_COMPLETE;
	if (f.kind == FACT_PAGE)
		f.page = &page;
	id_of(b[2] & 7, b, f.session_id);
	id_of(100 + (b[2] >> 3 & 3), b, f.key);
	id_of(100 + (b[5] & 3), b, f.key_new);
	w.sink.fact(w.sink.ctx, &f);
	if (f.kind != FACT_PAGE)
		return;
	w.sink.measure(w.sink.ctx, &f);
	for (uint32_t i = 0; i < w.defined->objective_count; i++)
		judged += objective_judge(&w.defined->objectives[i], &f) != OBJECTIVE_NOT_OF_IT;
	check(w.told_objectives == judged);
}

static void reload(const uint8_t b[STEP])
{
	struct journey_options o = w.options;

	/* the same once more, or others */
	o.rules = b[2] & 4 ? w.options.rules : compile(b[2] & 3);
	w.defined = o.definitions = &definitions[b[3] & 3];
	check(!journey_reload(w.j, &o));
	w.options = o;
}

static void make(void)
{
	const struct journey_sink sink = { .session = { .transaction = on_transaction,
							.active = on_active,
							.fact = on_fact,
							.measure = on_fact,
							.attempt = on_attempt,
							.listener = on_listener },
					   .event = on_event,
					   .definition = on_definition,
					   .objective = on_objective };

	check(!journey_new(&w.options, &sink, &w.j));
	w.sink = journey_session_sink(w.j);
	memset(w.events, 0, sizeof(w.events));
	if (w.clock)
		journey_clock(w.j, WALL);
}

static int collect(void *ctx, struct slice piece)
{
	return buf_add(ctx, piece);
}

static void check_stats(void)
{
	struct journey_stats s;

	journey_stats(w.j, &s);
	check(!memcmp(s.events, w.events, sizeof(w.events)));
	check(s.carts_opened + s.carts_restored == s.carts_ordered + s.carts_emptied +
							   s.carts_abandoned + s.carts_evicted +
							   s.carts_open);
	check(s.bytes <= w.options.bytes && s.carts_open <= w.options.carts);
	check(s.calls_held >= s.calls_attributed + s.calls_alone);
}

/* The process ends, and another takes up what it had. */
static void restart(unsigned which)
{
	struct journey_stats before, after;
	struct buf saved;

	for (unsigned i = 0; i < PENDING; i++)
		hand_out(&w.pending[i]);
	journey_finish(w.j);
	check_stats();
	journey_stats(w.j, &before);
	check(before.calls_held == before.calls_attributed + before.calls_alone);
	buf_init(&saved, 1 << 22);
	check(!journey_save(w.j, &saved, collect));
	journey_free(w.j);
	w.options.rules = compile(which);
	w.told_count = 0; /* it knows nothing of what another process told */
	make();
	check(!journey_load(w.j, buf_slice(&saved)));
	journey_stats(w.j, &after);
	check(after.carts_restored == before.carts_open && after.carts_open == before.carts_open);
	buf_done(&saved);
}

static void other(const uint8_t b[STEP])
{
	uint64_t passed = w.passed;

	switch (b[1] & 7) {
	case 0:
		w.now += 1ull << (b[2] & 31);
		journey_tick(w.j, w.now * MS);
		break;
	case 1:
		reload(b);
		break;
	case 2:
		restart(b[2] & 3);
		break;
	case 3:
		w.clock = true;
		journey_clock(w.j, WALL);
		break;
	case 4:
		journey_finish(w.j);
		break;
	case 5:
		w.sink.active(w.sink.ctx, NULL, SIDE_SERVER, SLICE("GET"), 1);
		w.sink.attempt(w.sink.ctx, NULL);
		w.sink.listener(w.sink.ctx, NULL);
		check(w.passed == passed + 3);
		break;
	default:
		fact(b);
	}
}

static void start(uint8_t how)
{
	static struct bodies *bodies;
	static struct buf content;
	struct pending *p = w.pending;

	if (!bodies) {
		check(!bodies_new(&body_limits_default, &bodies));
		buf_init(&content, 1 << 16);
		check(!buf_reserve(&content, 4096));
	}
	memset(&w, 0, sizeof(w));
	w.bodies = bodies;
	w.content = content; /* its room is made once */
	w.now = 1000000;
	w.clock = how & 8;
	w.keeps = !(how & 32);
	w.defined = &definitions[how & 3];
	arena_pool_init(&w.pool, 4096, 16 << 20);
	for (unsigned i = 0; i < PENDING; i++)
		arena_init(&p[i].arena, &w.pool);
	w.options = (struct journey_options){ .rules = compile(how & 4 ? 2 : 1),
					      .definitions = w.defined,
					      .carts = 20,
					      .bytes = how & 16 ? 5000 : 1 << 20,
					      .visit = on_visit };
	make();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	start(data[0]);
	for (size_t i = 1; i + STEP <= size && i < STEP * 500; i += STEP) {
		const uint8_t *b = data + i;

		w.now += b[7] & 15;
		if (b[0] & 0x80)
			other(b);
		else
			begin(b);
		check_stats();
		check_definitions();
	}
	restart(0);
	journey_finish(w.j);
	check_stats();
	journey_free(w.j);
	arena_pool_done(&w.pool);
	return 0;
}
