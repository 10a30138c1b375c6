/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey.c: the stage, see journey.h. Passes on what session tells, and asks in between: the rules about
 * each transaction that may say something, the carts about what was said. Owns both.
 *
 *   transaction ─┬─ edge ─────────────────────────────────────┬─ rules ─ said ─ carts ─ event
 *                ├─ inner hop: its contents ─ supply ─ edge ──┤
 *                └─ call: says something, or failed? ─ calls ─┘
 *
 * After a reload two sets of rules may be at work: values that were asked for by the numbers of one must not
 * be read by another's, so a transaction is asked about under the rules that it began with.
 */
#include "journey/journey.h"

#include <errno.h>
#include <stdlib.h>

#include "journey/cart/cart.h"
#include "journey/outgoing.h"
#include "journey/supply.h"

#define ORDERS	   100000
#define UNSHOWN_NS 60000000000ull
/* What carts keep of what was asked for, and calls, may name a rule for as long as a minute. */
#define KEEP_NS	     600000000000ull
#define NS_PER_MS_64 1000000ull

/* Rules, and from when on transactions began under them. */
struct era {
	struct era *before;
	struct rules *rules; /* NULL: none */
	uint64_t from_ns;
	uint64_t left_ns; /* when others took its place */
};

struct journey {
	struct journey_sink sink;
	struct journey_witness witness; /* over == NULL: nobody */
	struct keys *keys;
	struct era *era;
	struct carts *carts;
	struct outgoing *outgoing;
	struct supply *supply;
	const struct definitions *definitions;
	void *visit_ctx;
	bool (*visit)(void *ctx, const uint8_t session_id[KEY_BYTES], struct segment *ret);
	bool told; /* the definitions were */
	int64_t wall_minus_mono_ns;
	uint64_t now_ns, latest_ns; /* latest: start of a transaction */
	bool says;		    /* the transaction at hand: a rule held of it */
	struct journey_stats stats;
};

/* ---- rules ---- */

static struct rules *rules_of(const struct journey *j, const struct transaction *t)
{
	const struct era *e = j->era;

	while (e->before && e->from_ns > t->start_ns)
		e = e->before;
	return e->rules;
}

static void on_said(void *ctx, const struct said *s)
{
	struct journey *j = ctx;

	j->says = true;
	if (j->witness.said)
		j->witness.said(j->witness.ctx, s);
	carts_push(j->carts, s);
}

static void on_missed(void *ctx, uint32_t rule, const char *value, enum amount_refusal why)
{
	struct journey *j = ctx;

	if (why == AMOUNT_READ || why >= AMOUNT_REFUSALS)
		j->stats.required_missing++;
	else
		j->stats.amounts_refused[why]++;
	if (j->witness.missed)
		j->witness.missed(j->witness.ctx, rule, value, why);
}

static void on_undecided(void *ctx, uint32_t rule)
{
	struct journey *j = ctx;

	j->stats.undecided++;
	if (j->witness.undecided)
		j->witness.undecided(j->witness.ctx, rule);
}

static void on_overlapped(void *ctx, uint32_t rule)
{
	struct journey *j = ctx;

	j->stats.overlapped++;
	if (j->witness.overlapped)
		j->witness.overlapped(j->witness.ctx, rule);
}

static void ask(struct journey *j, const struct transaction *t)
{
	const struct rules_sink sink = { j, on_said, on_missed, on_undecided, on_overlapped };
	struct rules *rules = rules_of(j, t);

	if (!rules)
		return;
	j->says = false;
	rules_say(rules, t, &sink);
	j->stats.matched += j->says;
	if (j->witness.over)
		j->witness.over(j->witness.ctx, t);
}

static void on_anything(void *ctx, const struct said *s)
{
	*(bool *)ctx = true;
}

/* Only whether: what is said of a call waits for its visit. */
static bool says_anything(struct journey *j, const struct transaction *t)
{
	bool any = false;
	const struct rules_sink sink = { .ctx = &any, .said = on_anything };
	struct rules *rules = rules_of(j, t);

	if (rules)
		rules_say(rules, t, &sink);
	return any;
}

/* What passes a request on is asked about as the request itself; nothing else will be asked of it. */
static const struct body_wants *wants_of(struct rules *rules, const struct transaction *t,
					 bool request)
{
	struct transaction as;

	if (t->side == SIDE_SERVER || !t->hop)
		return rules_wants(rules, t, request);
	as = *t;
	as.side = SIDE_SERVER;
	return rules_wants(rules, &as, request);
}

static const struct body_wants *on_wants(void *ctx, const struct transaction *t, bool request)
{
	struct journey *j = ctx;
	const struct body_wants *wants;
	struct rules *rules;

	/* so that a reload begins after it */
	if (t->start_ns > j->latest_ns)
		j->latest_ns = t->start_ns;
	rules = rules_of(j, t);
	if (!rules || !supply_needs(t))
		return NULL;
	wants = wants_of(rules, t, request);
	j->stats.wanted += wants != NULL;
	return wants;
}

/* By the heads of requests: what only an answer's head could tell is open then. */
static bool on_may_want(void *ctx, const struct transaction *t)
{
	struct journey *j = ctx;
	struct rules *rules = rules_of(j, t);

	return rules && supply_needs(t) && wants_of(rules, t, false);
}

struct txn_reader journey_reader(struct journey *j)
{
	return (struct txn_reader){ .ctx = j,
				    .contents = j->era->rules ? TXN_REQUESTS | TXN_RESPONSES : 0,
				    .wants = on_wants,
				    .may_want_response = on_may_want };
}

/* Of whichever era: without any nothing is said, and no cart is opened. */
static bool has_rules(const struct journey *j)
{
	return j->era->rules || j->era->before;
}

/* ---- transactions ---- */

static void on_call(void *ctx, const struct transaction *call)
{
	struct journey *j = ctx;

	ask(j, call);
	if (call->has_session)
		carts_transaction(j->carts, call);
}

/* Of another service; what a proxy passes on is the edge's own failure. */
static bool is_failure(const struct transaction *t)
{
	return t->status >= 500 || t->outcome == OUTCOME_SERVER_RESET ||
	       t->outcome == OUTCOME_TIMEOUT;
}

static void on_hop(struct journey *j, const struct transaction *t)
{
	struct rules *rules = rules_of(j, t);

	if (rules && (wants_of(rules, t, true) || wants_of(rules, t, false)))
		supply_hop(j->supply, t);
}

static void on_edge(struct journey *j, const struct transaction *t)
{
	struct rules *rules = supply_has(j->supply, t) ? rules_of(j, t) : NULL;
	const struct body_wants *wants[2] = { NULL, NULL };
	struct transaction whole;

	for (unsigned request = 0; rules && request < 2; request++)
		wants[request] = rules_wants(rules, t, request);
	ask(j, supply_edge(j->supply, t, wants, &whole) ? &whole : t);
	if (t->has_session)
		carts_transaction(j->carts, t);
}

static void on_transaction(void *ctx, struct transaction *t)
{
	struct journey *j = ctx;

	j->sink.session.transaction(j->sink.session.ctx, t);
	if (t->start_ns > j->latest_ns)
		j->latest_ns = t->start_ns;
	if (has_rules(j))
		outgoing_seen(j->outgoing, t);
	if (t->side == SIDE_CLIENT) {
		if (t->hop)
			on_hop(j, t);
		else if (has_rules(j) && (is_failure(t) || says_anything(j, t)))
			outgoing_push(j->outgoing, t);
	} else if (t->inner) {
		on_hop(j, t);
	} else {
		on_edge(j, t);
	}
}

static void on_event(void *ctx, const struct event *e)
{
	struct journey *j = ctx;

	j->stats.events[e->kind]++;
	j->sink.event(j->sink.ctx, e);
}

static bool on_visit(void *ctx, const uint8_t session_id[KEY_BYTES], struct segment *ret)
{
	struct journey *j = ctx;

	return j->visit && j->visit(j->visit_ctx, session_id, ret);
}

/* ---- what session tells ---- */

static void on_active(void *ctx, const struct connection *conn, enum side side, struct slice method,
		      int delta)
{
	struct journey *j = ctx;

	if (j->sink.session.active)
		j->sink.session.active(j->sink.session.ctx, conn, side, method, delta);
}

static void on_fact(void *ctx, const struct session_fact *f)
{
	struct journey *j = ctx;

	j->sink.session.fact(j->sink.session.ctx, f);
	carts_fact(j->carts, f);
}

static void on_measure(void *ctx, const struct session_fact *f)
{
	struct journey *j = ctx;
	const struct definitions *d = j->definitions;

	if (j->sink.session.measure)
		j->sink.session.measure(j->sink.session.ctx, f);
	if (f->kind != FACT_PAGE || !d || !j->sink.objective)
		return;
	for (uint32_t i = 0; i < d->objective_count; i++) {
		enum objective_result r = objective_judge(&d->objectives[i], f);

		if (r != OBJECTIVE_NOT_OF_IT)
			j->sink.objective(j->sink.ctx, &d->objectives[i], f, r == OBJECTIVE_MET);
	}
}

static void on_attempt(void *ctx, const struct attempt *a)
{
	struct journey *j = ctx;

	if (j->sink.session.attempt)
		j->sink.session.attempt(j->sink.session.ctx, a);
}

static void on_listener(void *ctx, const struct listener_news *n)
{
	struct journey *j = ctx;

	if (j->sink.session.listener)
		j->sink.session.listener(j->sink.session.ctx, n);
}

struct session_sink journey_session_sink(struct journey *j)
{
	return (struct session_sink){ .ctx = j,
				      .transaction = on_transaction,
				      .active = on_active,
				      .fact = on_fact,
				      .measure = on_measure,
				      .attempt = on_attempt,
				      .listener = on_listener };
}

/* ---- definitions ---- */

static void tell_definition(struct journey *j, struct definition *d, const char *name,
			    const char *site)
{
	const char *kind = d->objective ? "objective" : "funnel";
	char what[16 + DEFINITION_NAME];
	size_t len = strlen(kind) + 1, name_len = strlen(name);

	if (!j->sink.definition)
		return;
	if (name_len > DEFINITION_NAME)
		name_len = DEFINITION_NAME;
	memcpy(what, kind, len);
	memcpy(what + len, name, name_len);
	keys_event(j->keys, SLICE("parcours.definition"), slice_str(site),
		   slice_of(what, len + name_len), d->event_id);
	d->time_unix_ns = j->now_ns + (uint64_t)j->wall_minus_mono_ns;
	d->revision = d->time_unix_ns / NS_PER_MS_64;
	j->sink.definition(j->sink.ctx, d);
}

static void tell_funnel(struct journey *j, const struct funnel *f, bool removed)
{
	struct definition d = { .funnel = f, .removed = removed };

	tell_definition(j, &d, f->name, f->site);
}

static void tell_objective(struct journey *j, const struct objective *o, bool removed)
{
	struct definition d = { .objective = o, .removed = removed };

	tell_definition(j, &d, o->name, o->funnel->site);
}

static const struct funnel *funnel_named(const struct definitions *d, const struct funnel *like)
{
	for (uint32_t i = 0; d && i < d->funnel_count; i++)
		if (!strcmp(d->funnels[i].name, like->name))
			return &d->funnels[i];
	return NULL;
}

static const struct objective *objective_named(const struct definitions *d,
					       const struct objective *like)
{
	for (uint32_t i = 0; d && i < d->objective_count; i++)
		if (!strcmp(d->objectives[i].name, like->name))
			return &d->objectives[i];
	return NULL;
}

static bool same_site(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : !a && !b;
}

/* Those of `was` that are gone, or are another site's now and so have another name as a fact. */
static void tell_removed(struct journey *j, const struct definitions *was,
			 const struct definitions *is)
{
	for (uint32_t i = 0; was && i < was->funnel_count; i++) {
		const struct funnel *f = funnel_named(is, &was->funnels[i]);

		if (!f || !same_site(f->site, was->funnels[i].site))
			tell_funnel(j, &was->funnels[i], true);
	}
	for (uint32_t i = 0; was && i < was->objective_count; i++) {
		const struct objective *o = objective_named(is, &was->objectives[i]);

		if (!o || !same_site(o->funnel->site, was->objectives[i].funnel->site))
			tell_objective(j, &was->objectives[i], true);
	}
}

static void tell_changed(struct journey *j, const struct definitions *was,
			 const struct definitions *is)
{
	for (uint32_t i = 0; is && i < is->funnel_count; i++) {
		const struct funnel *f = funnel_named(was, &is->funnels[i]);

		if (!f || !funnel_same(f, &is->funnels[i]))
			tell_funnel(j, &is->funnels[i], false);
	}
	for (uint32_t i = 0; is && i < is->objective_count; i++) {
		const struct objective *o = objective_named(was, &is->objectives[i]);

		if (!o || !objective_same(o, &is->objectives[i]))
			tell_objective(j, &is->objectives[i], false);
	}
}

/* ---- life ---- */

void journey_clock(struct journey *j, int64_t wall_minus_mono_ns)
{
	j->wall_minus_mono_ns = wall_minus_mono_ns;
	carts_clock(j->carts, wall_minus_mono_ns);
}

/* The newest stays; of the others those that nobody can refer to any more go. */
static void free_eras(struct journey *j)
{
	struct era **at = &j->era->before;

	while (*at) {
		struct era *e = *at;

		if (j->now_ns < e->left_ns + KEEP_NS || (e->rules && rules_in_use(e->rules))) {
			at = &e->before;
			continue;
		}
		*at = e->before;
		rules_free(e->rules);
		free(e);
	}
}

void journey_tick(struct journey *j, uint64_t now_ns)
{
	j->now_ns = now_ns;
	if (!j->told && j->wall_minus_mono_ns) {
		j->told = true;
		tell_changed(j, NULL, j->definitions);
	}
	outgoing_tick(j->outgoing, now_ns);
	supply_tick(j->supply, now_ns);
	carts_tick(j->carts, now_ns);
	if (j->era->before)
		free_eras(j);
}

int journey_reload(struct journey *j, const struct journey_options *options)
{
	const struct definitions *was = j->definitions;
	struct era *e;

	if (options->rules != j->era->rules) {
		e = calloc(1, sizeof(*e));
		if (!e)
			return -ENOMEM;
		e->before = j->era;
		e->rules = options->rules;
		e->from_ns = (j->latest_ns > j->now_ns ? j->latest_ns : j->now_ns) + 1;
		j->era->left_ns = j->now_ns;
		j->era = e;
	}
	j->definitions = options->definitions;
	if (j->told) {
		tell_removed(j, was, j->definitions);
		tell_changed(j, was, j->definitions);
	}
	return 0;
}

void journey_finish(struct journey *j)
{
	outgoing_finish(j->outgoing);
	carts_finish(j->carts);
}

void journey_stats(const struct journey *j, struct journey_stats *ret)
{
	struct carts_stats c;
	struct outgoing_stats o;
	struct supply_stats u;

	carts_stats(j->carts, &c);
	outgoing_stats(j->outgoing, &o);
	supply_stats(j->supply, &u);
	*ret = j->stats;
	ret->orders_again = c.orders_again;
	ret->orders_completed = c.orders_completed;
	ret->orders_unkept = c.orders_unkept;
	ret->orders_forgotten = c.orders_forgotten;
	ret->notices_unknown = c.notices_unknown;
	ret->late = c.late;
	ret->records_evicted = c.records_evicted;
	ret->changes_unshown = c.changes_unshown;
	ret->carts_opened = c.opened;
	ret->carts_ordered = c.ordered;
	ret->carts_emptied = c.emptied;
	ret->carts_abandoned = c.abandoned;
	ret->carts_evicted = c.evicted;
	ret->carts_restored = c.restored;
	ret->carts_open = c.open;
	ret->items_cut = c.items_cut;
	ret->bytes = c.bytes;
	ret->calls_held = o.held;
	ret->calls_attributed = o.attributed;
	ret->calls_alone = o.alone;
	ret->calls_dropped = o.dropped;
	ret->inner_kept = u.kept;
	ret->inner_supplied = u.supplied;
	ret->inner_unlike = u.unlike;
	ret->inner_dropped = u.dropped;
}

int journey_save(const struct journey *j, void *ctx, int (*add)(void *ctx, struct slice piece))
{
	return carts_save(j->carts, ctx, add);
}

int journey_load(struct journey *j, struct slice text)
{
	return carts_load(j->carts, text);
}

int journey_new(const struct journey_options *options, const struct journey_sink *sink,
		struct journey **ret)
{
	struct journey *j = calloc(1, sizeof(*j));
	struct carts_options carts = { .open = options->carts,
				       .bytes = options->bytes,
				       .orders = ORDERS,
				       .unshown_ns = UNSHOWN_NS,
				       .ctx = j,
				       .event = on_event,
				       .visit = on_visit };
	int err = -ENOMEM;

	if (!j)
		return err;
	j->sink = *sink;
	j->definitions = options->definitions;
	j->visit_ctx = options->ctx;
	j->visit = options->visit;
	if (options->witness)
		j->witness = *options->witness;
	j->era = calloc(1, sizeof(*j->era));
	if (!j->era)
		goto fail;
	err = keys_new(options->secret, &j->keys);
	if (err)
		goto fail;
	carts.keys = j->keys;
	err = carts_new(&carts, &j->carts);
	if (err)
		goto fail;
	err = outgoing_new(j, on_call, &j->outgoing);
	if (!err)
		err = supply_new(&j->supply);
	if (err)
		goto fail;
	j->era->rules = options->rules;
	*ret = j;
	return 0;
fail:
	journey_free(j);
	return err;
}

void journey_free(struct journey *j)
{
	if (!j)
		return;
	outgoing_free(j->outgoing);
	supply_free(j->supply);
	carts_free(j->carts);
	while (j->era) {
		struct era *e = j->era;

		j->era = e->before;
		rules_free(e->rules);
		free(e);
	}
	keys_free(j->keys);
	free(j);
}
