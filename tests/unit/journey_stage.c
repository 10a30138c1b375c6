/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_stage.c: the stage around rules and carts, which are played here: which transactions say something and
 * in what order it is told, whose visit a call belongs to, what a reload leaves in use, definitions and
 * objectives.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "journey/cart/cart.h"
#include "journey/journey.h"
#include "journey/outgoing.h"
#include "sample.h"

#define S 1000000000ull

/* ---- rules and carts, as this test has them (linked by --wrap) ---- */

struct rules {
	const char *name;
	bool in_use, freed;
};

struct carts {
	struct carts_options options;
};

static char heard[4096];

static void hear(const char *fmt, ...)
{
	size_t len = strlen(heard);
	va_list args;

	va_start(args, fmt);
	vsnprintf(heard + len, sizeof(heard) - len, fmt, args);
	va_end(args);
}

static void expect(const char *text)
{
	assert_string_equal(heard, text);
	heard[0] = 0;
}

/* A rule holds of every path with "order" in it. */
void __wrap_rules_say(struct rules *r, const struct transaction *t, const struct rules_sink *sink);
void __wrap_rules_say(struct rules *r, const struct transaction *t, const struct rules_sink *sink)
{
	struct said s = { .say = SAY_PURCHASE, .rule = r->name, .t = t, .at_ns = t->start_ns };

	if (slice_find_slice(t->path, SLICE("order")) >= 0)
		sink->said(sink->ctx, &s);
	if (slice_find_slice(t->path, SLICE("lacks")) >= 0 && sink->missed)
		sink->missed(sink->ctx, 0, "value", AMOUNT_READ);
}

const struct body_wants *__wrap_rules_wants(struct rules *r, const struct transaction *t,
					    bool request);
const struct body_wants *__wrap_rules_wants(struct rules *r, const struct transaction *t,
					    bool request)
{
	return (const struct body_wants *)r;
}

bool __wrap_rules_in_use(const struct rules *r);
bool __wrap_rules_in_use(const struct rules *r)
{
	return r->in_use;
}

void __wrap_rules_free(struct rules *r);
void __wrap_rules_free(struct rules *r)
{
	if (r)
		r->freed = true;
}

int __wrap_carts_new(const struct carts_options *options, struct carts **ret);
int __wrap_carts_new(const struct carts_options *options, struct carts **ret)
{
	*ret = calloc(1, sizeof(**ret));
	(*ret)->options = *options;
	return 0;
}

void __wrap_carts_free(struct carts *c);
void __wrap_carts_free(struct carts *c)
{
	free(c);
}

void __wrap_carts_push(struct carts *c, const struct said *s);
void __wrap_carts_push(struct carts *c, const struct said *s)
{
	struct event e = { .kind = EVENT_PURCHASE,
			   .site = s->t->site,
			   .has_session = s->t->has_session,
			   .rule = s->rule };

	memcpy(e.session_id, s->t->session_id, KEY_BYTES);
	c->options.event(c->options.ctx, &e);
}

void __wrap_carts_transaction(struct carts *c, const struct transaction *t);
void __wrap_carts_transaction(struct carts *c, const struct transaction *t)
{
	struct segment segment;

	hear("alive %u%s\n", t->session_id[0],
	     c->options.visit(c->options.ctx, t->session_id, &segment) ? "" : ", over");
}

void __wrap_carts_fact(struct carts *c, const struct session_fact *f);
void __wrap_carts_fact(struct carts *c, const struct session_fact *f)
{
	hear("cart hears fact\n");
}

void __wrap_carts_finish(struct carts *c);
void __wrap_carts_finish(struct carts *c)
{
	hear("carts finish\n");
}

void __wrap_carts_clock(struct carts *c, int64_t wall_minus_mono_ns);
void __wrap_carts_clock(struct carts *c, int64_t wall_minus_mono_ns)
{
}

void __wrap_carts_tick(struct carts *c, uint64_t now_ns);
void __wrap_carts_tick(struct carts *c, uint64_t now_ns)
{
}

void __wrap_carts_stats(const struct carts *c, struct carts_stats *ret);
void __wrap_carts_stats(const struct carts *c, struct carts_stats *ret)
{
	*ret = (struct carts_stats){ 0 };
}

/* ---- what comes out ---- */

static void on_transaction(void *ctx, struct transaction *t)
{
	hear("transaction %.*s\n", (int)t->path.len, t->path.at);
}

static void on_fact(void *ctx, const struct session_fact *f)
{
	hear("fact\n");
}

static void on_event(void *ctx, const struct event *e)
{
	hear("event %s", e->rule);
	if (e->has_session)
		hear(" of %u at %.*s", e->session_id[0], (int)e->site.len, e->site.at);
	hear("\n");
}

static void on_definition(void *ctx, const struct definition *d)
{
	hear("%s %s%s %llu\n", d->objective ? "objective" : "funnel",
	     d->objective ? d->objective->name : d->funnel->name, d->removed ? " removed" : "",
	     (unsigned long long)d->revision);
}

static void on_objective(void *ctx, const struct objective *o, const struct session_fact *f,
			 bool met)
{
	hear("%s %s\n", o->name, met ? "met" : "missed");
}

static bool on_visit(void *ctx, const uint8_t session_id[KEY_BYTES], struct segment *ret)
{
	return session_id[0] != 99;
}

static struct rules first = { .name = "first" }, second = { .name = "second" };
static struct journey *journey;
static struct session_sink in;

static void begin(struct rules *rules, const struct definitions *definitions)
{
	const struct journey_sink sink = { .session = { .transaction = on_transaction,
							.fact = on_fact },
					   .event = on_event,
					   .definition = on_definition,
					   .objective = on_objective };
	const struct journey_options o = {
		.rules = rules, .definitions = definitions, .carts = 10, .visit = on_visit
	};

	first.freed = second.freed = first.in_use = second.in_use = false;
	heard[0] = 0;
	assert_int_equal(journey_new(&o, &sink, &journey), 0);
	in = journey_session_sink(journey);
}

static void end(void)
{
	journey_free(journey);
}

static struct transaction edge(const char *path, uint8_t span, uint8_t session)
{
	struct transaction t = sample();

	t.path = slice_str(path);
	memset(t.span_id, span, 8);
	t.session_id[0] = session;
	return t;
}

/* Of the span `of`. */
static struct transaction call(const char *path, uint8_t span, uint8_t of)
{
	struct transaction t = edge(path, span, 0);

	t.side = SIDE_CLIENT;
	t.site = slice_of(NULL, 0);
	t.has_session = false;
	t.has_parent = of != 0;
	memset(t.parent_id, of, 8);
	return t;
}

static void push(struct transaction t)
{
	in.transaction(in.ctx, &t);
}

static void events_follow_their_transaction(void **state)
{
	struct journey_stats s;

	begin(&first, NULL);
	push(edge("/order", 1, 7));
	expect("transaction /order\nevent first of 7 at shop.example\nalive 7\n");
	push(edge("/other", 2, 99));
	expect("transaction /other\nalive 99, over\n");
	push(edge("/lacks", 3, 7));
	expect("transaction /lacks\nalive 7\n");
	journey_stats(journey, &s);
	assert_u64(s.matched, 1);
	assert_u64(s.events[EVENT_PURCHASE], 1);
	assert_u64(s.required_missing, 1);
	journey_finish(journey);
	expect("carts finish\n");
	end();
}

/* A fact goes on before the cart says what it makes of it. */
static void facts_pass_through(void **state)
{
	struct session_fact f = { .kind = FACT_END };

	begin(&first, NULL);
	in.fact(in.ctx, &f);
	expect("fact\ncart hears fact\n");
	end();
}

static void inner_hops_say_nothing(void **state)
{
	struct transaction t = edge("/order", 1, 7);

	begin(&first, NULL);
	t.inner = true;
	push(t);
	expect("transaction /order\n");
	end();
}

static void no_rules_no_events(void **state)
{
	struct transaction t = edge("/order", 1, 7);

	begin(NULL, NULL);
	push(t);
	expect("transaction /order\nalive 7\n");
	assert_null(journey_reader(journey).wants(journey_reader(journey).ctx, &t, true));
	end();
}

/* browser → proxy (1) → its hop (2) → application (3, inner) → payment service (4) */
static void a_call_is_of_the_edges_visit(void **state)
{
	struct transaction inner = edge("/pay", 3, 0), hop = call("/pay", 2, 1);
	struct journey_stats s;

	begin(&first, NULL);
	inner.inner = true;
	inner.has_session = false;
	inner.has_parent = true;
	memset(inner.parent_id, 2, 8);
	hop.hop = true;
	push(call("/order", 4, 3));
	push(inner);
	push(hop);
	expect("transaction /order\ntransaction /pay\ntransaction /pay\n");
	journey_stats(journey, &s);
	assert_u64(s.calls_held, 1);
	push(edge("/pay", 1, 7));
	expect("transaction /pay\nevent first of 7 at shop.example\nalive 7\nalive 7\n");
	journey_stats(journey, &s);
	assert_u64(s.calls_attributed, 1);
	assert_u64(s.calls_alone, 0);
	end();
}

/* The inner ends are told late, after the edge: their responses waited for an acknowledgement. */
static void spans_may_come_in_any_order(void **state)
{
	struct transaction inner = edge("/pay", 3, 0), hop = call("/pay", 2, 1);

	begin(&first, NULL);
	inner.inner = inner.has_parent = hop.hop = true;
	inner.has_session = false;
	memset(inner.parent_id, 2, 8);
	push(call("/order", 4, 3));
	push(edge("/pay", 1, 7));
	push(hop);
	expect("transaction /order\ntransaction /pay\nalive 7\ntransaction /pay\n");
	push(inner);
	expect("transaction /pay\nevent first of 7 at shop.example\nalive 7\n");
	push(call("/order/2", 5, 3)); /* and a call that outlives all of them */
	expect("transaction /order/2\nevent first of 7 at shop.example\nalive 7\n");
	end();
}

static void a_call_of_nobody_is_alone(void **state)
{
	struct journey_stats s;

	begin(&first, NULL);
	push(call("/order", 4, 0));
	expect("transaction /order\nevent first\n");
	push(call("/order", 5, 77)); /* whose cause is never seen */
	expect("transaction /order\n");
	journey_tick(journey, CALLS_PATIENCE_NS + 2 * S);
	expect("event first\n");
	push(call("/order", 6, 78));
	journey_finish(journey);
	expect("transaction /order\nevent first\ncarts finish\n");
	journey_stats(journey, &s);
	assert_u64(s.calls_held, 3);
	assert_u64(s.calls_alone, 3);
	end();
}

/* What preceded a cart that was left: services that failed while its visit was served. */
static void failed_calls_reach_their_visit(void **state)
{
	struct transaction t = call("/stock", 4, 1);

	begin(&first, NULL);
	t.status = 503;
	push(t);
	push(edge("/cart", 1, 7));
	expect("transaction /stock\ntransaction /cart\nalive 7\nalive 7\n");
	end();
}

static void calls_without_a_word_are_not_kept(void **state)
{
	struct journey_stats s;

	begin(&first, NULL);
	push(call("/stock", 4, 1));
	journey_stats(journey, &s);
	assert_u64(s.calls_held, 0);
	end();
}

static void calls_are_bounded(void **state)
{
	struct journey_stats s;

	begin(&first, NULL);
	for (unsigned i = 0; i < CALLS_MOST + 5; i++) {
		push(call("/order", 4, 77));
		heard[0] = 0;
	}
	journey_stats(journey, &s);
	assert_u64(s.calls_held, CALLS_MOST);
	assert_u64(s.calls_dropped, 5);
	end();
	assert_true(first.freed);
}

/* All that a rule may ask of a call is still there when its cause comes. */
static void a_kept_call_is_whole(void **state)
{
	char path[] = "/order/x", value[] = "1001";
	struct reading_value taken = { .want = 3, .text = slice_of(value, 4) };
	struct field field = { SLICE("x-order"), slice_of(value, 4) };
	struct transaction t = call(path, 4, 1);

	begin(&first, NULL);
	t.response.reading = (struct reading){ .count = 1, .values = &taken };
	t.response.fields = &field;
	t.response.field_count = 1;
	push(t);
	memset(path, '#', sizeof(path) - 1); /* the arena is gone */
	memset(value, '#', 4);
	push(edge("/pay", 1, 7));
	expect("transaction /order/x\ntransaction /pay\nevent first of 7 at shop.example\nalive "
	       "7\nalive 7\n");
	end();
}

static void reload(struct rules *rules, const struct definitions *definitions)
{
	const struct journey_options o = { .rules = rules, .definitions = definitions };

	assert_int_equal(journey_reload(journey, &o), 0);
}

/* Contents that were asked for under old rules are read by them. */
static void a_transaction_goes_by_the_rules_it_began_under(void **state)
{
	struct transaction old = edge("/order", 1, 7), new = edge("/order", 2, 7);
	struct txn_reader reader;

	begin(&first, NULL);
	reader = journey_reader(journey);
	journey_tick(journey, 4 * S);
	old.start_ns = 6 * S; /* its head was read already, the tick is late */
	assert_ptr_equal(reader.wants(reader.ctx, &old, true), &first);
	reload(&second, NULL);
	assert_ptr_equal(reader.wants(reader.ctx, &old, false), &first);
	new.start_ns = 7 * S;
	assert_ptr_equal(reader.wants(reader.ctx, &new, true), &second);
	push(old);
	push(new);
	expect("transaction /order\nevent first of 7 at shop.example\nalive 7\n"
	       "transaction /order\nevent second of 7 at shop.example\nalive 7\n");
	first.in_use = true;
	journey_tick(journey, 5000 * S);
	assert_false(first.freed);
	first.in_use = false;
	journey_tick(journey, 5001 * S);
	assert_true(first.freed);
	assert_false(second.freed);
	reload(&second, NULL); /* the same: nothing changes */
	journey_tick(journey, 9000 * S);
	assert_false(second.freed);
	end();
	assert_true(second.freed);
}

static void old_rules_are_kept_for_what_carts_keep(void **state)
{
	begin(&first, NULL);
	journey_tick(journey, 100 * S);
	reload(NULL, NULL);
	journey_tick(journey, 200 * S);
	assert_false(first.freed);
	push(edge("/order", 1, 7)); /* began long before */
	expect("transaction /order\nevent first of 7 at shop.example\nalive 7\n");
	journey_tick(journey, 701 * S);
	assert_true(first.freed);
	end();
}

/* ---- definitions ---- */

static const char *const pages[] = { "/checkout", "/checkout/*", NULL };
static const struct funnel_step steps[] = { { "product", "view_item", NULL },
					    { "checkout", NULL, pages } };
static const struct funnel funnel = { "buy", "shop.example", steps, 2 };
static const struct objective objective = { .name = "fast",
					    .funnel = &funnel,
					    .step = &steps[1],
					    .device = "mobile",
					    .under_ns = 2 * S,
					    .share_ppm = 950000 };

static void definitions_are_told_once_and_on_change(void **state)
{
	const struct definitions both = { &funnel, &objective, 1, 1 },
				 one = { &funnel, NULL, 1, 0 };
	struct objective slower = objective;
	const struct definitions changed = { &funnel, &slower, 1, 1 };
	struct funnel elsewhere = funnel;
	const struct definitions moved = { &elsewhere, NULL, 1, 0 };

	begin(NULL, &both);
	journey_tick(journey, S); /* nobody knows what time it is */
	expect("");
	journey_clock(journey, 1000 * S);
	journey_tick(journey, S);
	expect("funnel buy 1001000\nobjective fast 1001000\n");
	journey_tick(journey, 2 * S);
	reload(NULL, &both);
	expect("");
	slower.under_ns = 3 * S;
	reload(NULL, &changed);
	expect("objective fast 1002000\n");
	reload(NULL, &one);
	expect("objective fast removed 1002000\n");
	elsewhere.site = "other.example";
	reload(NULL, &moved);
	expect("funnel buy removed 1002000\nfunnel buy 1002000\n");
	reload(NULL, NULL);
	expect("funnel buy removed 1002000\n");
	end();
}

static void objectives_are_judged_by_page_views(void **state)
{
	static const struct {
		const char *path, *device, *customer, *synthetic, *site;
		enum page_outcome outcome;
		bool lived;
		uint64_t lived_ns;
		const char *said;
	} cases[] = {
		{ "/checkout", "mobile", NULL, NULL, "shop.example", PAGE_COMPLETE, true, 2 * S,
		  "fast met\n" },
		{ "/checkout/a/b", "mobile", NULL, NULL, "shop.example", PAGE_COMPLETE, true,
		  2 * S + 1, "fast missed\n" },
		{ "/checkout", "mobile", NULL, NULL, "shop.example", PAGE_FAILED, false, 0,
		  "fast missed\n" },
		{ "/checkout", "mobile", NULL, NULL, "shop.example", PAGE_COMPLETE, false, 0, "" },
		{ "/checkout", "mobile", NULL, NULL, "shop.example", PAGE_CLIENT_GONE, true, S,
		  "" },
		{ "/checkout", "mobile", NULL, NULL, "shop.example", PAGE_CLIENT_GONE, true, 3 * S,
		  "fast missed\n" },
		{ "/checkouts", "mobile", NULL, NULL, "shop.example", PAGE_COMPLETE, true, S, "" },
		{ "/checkout", "desktop", NULL, NULL, "shop.example", PAGE_COMPLETE, true, S, "" },
		{ "/checkout", NULL, NULL, NULL, "shop.example", PAGE_COMPLETE, true, S, "" },
		{ "/checkout", "mobile", "staff", NULL, "shop.example", PAGE_COMPLETE, true, S,
		  "" },
		{ "/checkout", "mobile", NULL, "bot", "shop.example", PAGE_COMPLETE, true, S, "" },
		{ "/checkout", "mobile", "gold", NULL, "shop.example", PAGE_COMPLETE, true, S,
		  "fast met\n" },
		{ "/checkout", "mobile", NULL, NULL, "other.example", PAGE_COMPLETE, true, S, "" },
	};
	const struct definitions both = { &funnel, &objective, 1, 1 };
	struct session_fact visit = { .kind = FACT_END };

	begin(NULL, &both);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct page_seen p = { .path = slice_str(cases[i].path),
				       .outcome = cases[i].outcome,
				       .has = cases[i].lived ? PAGE_HAS_LIVED : 0,
				       .lived_ns = cases[i].lived_ns };
		struct session_fact f = { .kind = FACT_PAGE,
					  .site = slice_str(cases[i].site),
					  .page = &p,
					  .segment = { .device = cases[i].device,
						       .customer = cases[i].customer,
						       .synthetic = cases[i].synthetic } };

		in.measure(in.ctx, &f);
		expect(cases[i].said);
	}
	in.measure(in.ctx, &visit);
	expect("");
	end();
}

UNIT_MAIN(T(events_follow_their_transaction), T(facts_pass_through), T(inner_hops_say_nothing),
	  T(no_rules_no_events), T(a_call_is_of_the_edges_visit), T(spans_may_come_in_any_order),
	  T(a_call_of_nobody_is_alone), T(failed_calls_reach_their_visit),
	  T(calls_without_a_word_are_not_kept), T(calls_are_bounded), T(a_kept_call_is_whole),
	  T(a_transaction_goes_by_the_rules_it_began_under),
	  T(old_rules_are_kept_for_what_carts_keep), T(definitions_are_told_once_and_on_change),
	  T(objectives_are_judged_by_page_views))
