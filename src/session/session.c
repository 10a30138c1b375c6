/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.c: see session.h. Takes each transaction from trace, asks sighting.c whose it is, decides
 * whether it opens, goes on with or only belongs to a visit, and hands it on with what was found. Owns
 * all visitors and visits of this host.
 *
 * Times are compared as signed differences: a visit taken up after a reboot began before the clock did.
 */
#include <errno.h>
#include <stdlib.h>

#include "session/internal.h"

/* Of so many visitors one has pages of which something may still be learned. */
#define PAGES_SHARE    8
#define TOUCH_EVERY_MS 1000 /* a list in order to the second is in order enough */

/* ---- visits ---- */

static void end_visit(struct session *s, struct identity *who, enum end_reason reason)
{
	struct visit *v = &who->visit;

	if (reason != END_SHUTDOWN)
		pages_leave(s->pages, who);
	v->end_reason = (uint8_t)reason;
	v->revision++;
	s->stats.ended[reason]++;
	visit_close(s, who);
	tell_end(s, who);
}

static uint32_t period_at(const struct session *s, uint64_t mono_ns)
{
	return (uint32_t)(session_unix(s, mono_ns) / NS_PER_SECOND / s->options.period_s);
}

/* New: nothing of the site was brought, and something was given to keep. Returning: a visit before this one is
 * known, under the same key. Both are said within the life of a key only; beyond it nobody is known again. */
static enum visitor_kind visitor_of(const struct session *s, const struct identity *who,
				    const struct sighting *seen, uint64_t at_ns)
{
	if (who->visit.state == VISIT_ENDED)
		return who->visit.period == period_at(s, at_ns) ? VISITOR_RETURNING
								: VISITOR_UNOBSERVED;
	return seen->fresh && seen->newcomer ? VISITOR_NEW : VISITOR_UNOBSERVED;
}

static void begin_visit(struct session *s, struct identity *who, const struct sighting *seen,
			const struct request *r)
{
	uint64_t at_ns = r->t->start_ns;
	struct visit v = { .basis = who->basis.kind,
			   .shared = seen->shared,
			   .start_ns = at_ns,
			   .last_ns = at_ns,
			   .solid_ns = at_ns,
			   .period = period_at(s, at_ns),
			   .start_unix_ns = session_unix(s, at_ns) };
	enum visitor_kind visitor = visitor_of(s, who, seen, at_ns);

	pages_leave(s->pages, who); /* of latecomers to the visit before */
	segment_leave(s->segments, &who->visit.segment);
	segment_begin(s->segments, r, visitor, &v.segment);
	visit_key_of(s, who, v.period, v.key);
	keys_session(s->keys, v.key, v.start_unix_ns, v.id);
	identities_visit(s->identities, who, &v);
	s->stats.started++;
	visit_open(s, who);
}

/* The key rests on something else now, or a period has turned: hosts that see only that must be told. */
static void follow_basis(struct session *s, struct identity *who, const struct basis *now,
			 uint64_t at_ns)
{
	uint32_t period = period_at(s, at_ns);
	bool same = now->kind == EVIDENCE_KINDS ||
		    !memcmp(now->hash, who->basis.hash, sizeof(now->hash));
	const char *reason = !same && now->kind == who->basis.kind ? "rotation"
			     : !same				   ? "basis"
								   : "period";
	uint8_t key[KEY_BYTES];

	if (same && period == who->visit.period)
		return;
	if (!same)
		who->basis = *now;
	who->visit.period = period;
	if (who->visit.state != VISIT_OPEN)
		return;
	visit_key_of(s, who, period, key);
	tell_alias(s, who, key, reason, at_ns);
}

static bool is_over(const struct session *s, const struct visit *v, uint64_t now_ns,
		    enum end_reason *ret)
{
	if (time_since(now_ns, v->last_ns) > (int64_t)s->options.timeout_ns)
		*ret = END_TIMEOUT;
	else if (time_since(now_ns, v->start_ns) > (int64_t)s->options.cap_ns)
		*ret = END_CAP;
	else
		return false;
	return true;
}

/* A transaction that came late: the visit that had timed out goes on, or it lies within an ended one. */
static bool take_up(struct session *s, struct identity *who, uint64_t at_ns, bool counts)
{
	struct visit *v = &who->visit;

	if (v->state != VISIT_ENDED || time_since(at_ns, v->start_ns) < 0 ||
	    time_since(at_ns, v->start_ns) > (int64_t)s->options.cap_ns)
		return false;
	if (time_since(at_ns, v->last_ns) <= 0)
		return true;
	if (!counts || v->end_reason == END_CAP ||
	    time_since(at_ns, v->last_ns) > (int64_t)s->options.timeout_ns)
		return false;
	s->stats.resumed++;
	visit_open(s, who);
	return true;
}

/* Does the transaction belong to a visit, opened for it where it may? */
static bool join(struct session *s, struct identity *who, const struct sighting *seen,
		 const struct request *r, bool counts)
{
	uint64_t at_ns = r->t->start_ns;
	struct visit *v = &who->visit;
	enum end_reason reason;

	if (v->state == VISIT_OPEN && is_over(s, v, at_ns, &reason))
		end_visit(s, who, reason);
	if (v->state == VISIT_OPEN || take_up(s, who, at_ns, counts)) {
		follow_basis(s, who, &seen->basis, at_ns);
		v->shared |= seen->shared;
		return true;
	}
	if (seen->basis.kind != EVIDENCE_KINDS)
		who->basis = seen->basis;
	if (!counts || who->basis.kind == EVIDENCE_KINDS)
		return false;
	begin_visit(s, who, seen, r);
	return true;
}

/* ---- signs of life ---- */

/*
 * Polling: the same target again and again at a steady interval, without a navigation between. Known at
 * the fourth request; until then the requests are "maybe", and what they prolonged is taken back.
 */
static enum activity activity_of(struct identity *who, const struct request *r)
{
	const struct transaction *t = r->t;
	/* with its content's size: all that is asked of an API of one address, by a person too, has one path */
	uint64_t seed = t->unobserved & UNOBSERVED_REQUEST_SIZE ? 1 : t->request.body_bytes + 1;
	uint32_t target = (uint32_t)slice_mix(t->path, seed) | 1, now_ms = short_ms(t->start_ns);
	struct poll *p = &who->polls[0];
	uint32_t interval, slack;
	int32_t since_ms;
	bool alike;

	if (r->navigation) {
		memset(who->polls, 0, sizeof(who->polls));
		return ACTIVITY_SOLID;
	}
	for (unsigned i = 0; i < POLLS && p->target != target; i++)
		if (who->polls[i].target == target ||
		    (p->target &&
		     (!who->polls[i].target || (int32_t)(who->polls[i].last_ms - p->last_ms) < 0)))
			p = &who->polls[i];
	if (p->target != target) {
		*p = (struct poll){ .target = target, .last_ms = now_ms };
		return ACTIVITY_SOLID;
	}
	since_ms = (int32_t)(now_ms - p->last_ms);
	if (since_ms < POLL_LEAST_MS)
		return ACTIVITY_SOLID;
	p->last_ms = now_ms;
	if (since_ms > POLL_MOST_MS) {
		p->steady = 0;
		return ACTIVITY_SOLID;
	}
	interval = (uint32_t)since_ms;
	slack = p->interval / 10; /* a timer that waits for the answer before */
	alike = interval + slack >= p->interval && interval <= p->interval + slack;
	p->steady = alike ? p->steady + (p->steady < POLL_COUNT) : 0;
	p->interval = interval & 0xfffff;
	p->times += p->times < POLL_COUNT;
	if (p->times == 1 || p->steady == 1)
		return ACTIVITY_MAYBE;
	return p->steady > 1 ? ACTIVITY_POLL : ACTIVITY_SOLID;
}

static void prolong(struct identity *who, uint64_t at_ns, enum activity activity)
{
	struct visit *v = &who->visit;

	if (activity == ACTIVITY_SOLID && time_since(at_ns, v->solid_ns) > 0)
		v->solid_ns = at_ns;
	if (activity != ACTIVITY_POLL && time_since(at_ns, v->last_ns) > 0)
		v->last_ns = at_ns;
	/* the first polls looked like more */
	if (activity == ACTIVITY_POLL && time_since(v->last_ns, v->solid_ns) > 0)
		v->last_ns = v->solid_ns;
}

/* ---- eviction ---- */

static void forget(struct session *s, struct identity *who)
{
	pages_leave(s->pages, who); /* of a latecomer to a visit that is over */
	segment_leave(s->segments, &who->visit.segment);
	identities_remove(s->identities, who);
}

static bool evict(void *ctx)
{
	struct session *s = ctx;

	for (unsigned v = 0; v < VALUES; v++) {
		struct identity *who = identities_oldest(s->identities, v);

		if (!who)
			continue;
		if (who->visit.state == VISIT_OPEN)
			end_visit(s, who, END_EVICTED);
		forget(s, who);
		s->stats.identities_evicted++;
		return true;
	}
	return false;
}

/* ---- transactions ---- */

static bool declines(const struct session *s, const struct request *r)
{
	const struct evidence_list *list = &r->t->request.evidence;

	if (!s->options.opt_out)
		return false;
	for (uint32_t i = 0; i < list->count; i++)
		if (list->at[i].kind == EVIDENCE_OPT_OUT)
			return true;
	return slice_eq(r->fields.value[WHO_GPC], SLICE("1")) ||
	       slice_eq(r->fields.value[WHO_DNT], SLICE("1"));
}

static void mark(struct transaction *t, const struct identity *who)
{
	t->has_session = true;
	memcpy(t->session_id, who->visit.id, KEY_BYTES);
	memcpy(t->session_key, who->visit.key, KEY_BYTES);
}

/* Two visits turned out to be one visitor's: the one that goes on has, and counts, those pages of the other of
 * which something may still be told. */
static void unite(struct session *s, struct identity *into, struct identity *from, uint64_t at_ns)
{
	uint32_t views;

	if (from->visit.state != VISIT_OPEN || into->visit.state != VISIT_OPEN)
		return;
	views = pages_move(s->pages, from, into);
	into->visit.page_views += views;
	from->visit.page_views -= views;
	tell_alias(s, into, from->visit.key, "merge", at_ns);
}

/* To the end of its list, where it is not nearly there. */
static void keep(struct session *s, struct identity *who, const struct transaction *t)
{
	bool cart = who->value == VALUE_CART || request_touches_cart(t);
	enum value value = cart ? VALUE_CART : VALUE_OPEN;

	/* unsigned, so that no time of long ago, or none at all, counts as one to come */
	if (who->value == value && short_ms(t->start_ns) - who->touched_ms < TOUCH_EVERY_MS)
		return;
	who->touched_ms = short_ms(t->start_ns);
	identities_touch(s->identities, who, value);
}

static void place(struct session *s, struct identity *who, const struct sighting *seen,
		  struct transaction *t, const struct request *r)
{
	enum activity activity = r->counts ? activity_of(who, r) : ACTIVITY_NONE;
	bool alive = activity == ACTIVITY_SOLID || activity == ACTIVITY_MAYBE;
	struct visit *v = &who->visit;
	uint64_t started = s->stats.started;
	uint32_t folded;
	bool page;

	s->stats.polls += activity == ACTIVITY_POLL;
	who->seen_ns = t->start_ns;
	if (!join(s, who, seen, r, alive)) {
		if (who->value == VALUE_IDLE)
			identities_touch(s->identities, who, VALUE_IDLE);
		s->stats.unattributed++;
		return;
	}
	if (r->counts)
		prolong(who, t->start_ns, activity);
	if (v->state == VISIT_OPEN && alive)
		keep(s, who, t);
	if (seen->merged)
		unite(s, who, seen->other, t->start_ns);
	page = pages_push(s->pages, who, r, t, activity, &folded);
	v->page_views += page - folded;
	if (folded && v->page_views == 1)
		segment_forget_way(s->segments, &v->segment); /* it had that of a frame */
	v->transactions++;
	segment_add(s->segments, &v->segment, r, s->sites, who->site, page, v->page_views,
		    v->last_ns - v->start_ns);
	if (s->stats.started != started)
		tell_start(s, who); /* its first page says by which way it came */
	if (seen->next.kind != EVIDENCE_KINDS)
		follow_basis(s, who, &seen->next, t->start_ns);
	if (seen->also.kind != EVIDENCE_KINDS)
		tell_other_name(s, who, &seen->also, t->start_ns);
	s->stats.in_visits++;
	mark(t, who);
	if (v->state == VISIT_ENDED) { /* it was told already, without this one */
		v->revision++;
		tell_end(s, who);
	}
}

static void tell_client(struct session *s, struct transaction *t, const struct client *c)
{
	t->client_source = client_source_name(c->source);
	t->client_is_peer = c->source == CLIENT_PEER;
	t->client = c->address;
	if (!c->source && (c->flags || t->unobserved & UNOBSERVED_ADDRESS))
		t->unobserved |= UNOBSERVED_CLIENT;
	s->stats.clients.hidden += !!(c->flags & CLIENT_HIDDEN);
	s->stats.clients.cut += !!(c->flags & CLIENT_CUT);
	s->stats.clients.malformed += !!(c->flags & CLIENT_MALFORMED);
	s->stats.clients.differ += !!(c->flags & CLIENT_DIFFERS);
}

static void attribute(struct session *s, struct transaction *t)
{
	struct known_site *site;
	struct sighting seen;
	struct request r;

	request_read(t, &s->trust, &r);
	segments_agent(s->segments, &r.fields, t);
	tell_client(s, t, &r.client);
	if (t->unobserved & (UNOBSERVED_METHOD | UNOBSERVED_START))
		return;
	site = t->inner ? sites_by_mark(s->sites, t->open.mark) : NULL;
	if (!site)
		site = sites_of(s->sites, &r);
	s->stats.transactions += !t->inner;
	s->stats.inner += t->inner;
	if (!site) {
		s->stats.no_site += !t->inner;
		return;
	}
	t->site = site_name(site);
	if (t->inner) {
		identities_find(s->identities, site, &r, LOOK_KNOWN, NULL, NULL, &seen);
		if (seen.who && seen.who->visit.state == VISIT_OPEN)
			mark(t, seen.who);
		return;
	}
	if (declines(s, &r)) {
		s->stats.opted_out++;
		return;
	}
	identities_find(s->identities, site, &r, r.counts ? LOOK_OPEN : LOOK_LABEL, evict, s,
			&seen);
	if (seen.who)
		place(s, seen.who, &seen, t, &r);
	else
		s->stats.unattributed++;
}

static void on_transaction(void *ctx, struct transaction *t)
{
	struct session *s = ctx;

	reach_failed(s, t);
	if (t->side == SIDE_SERVER) {
		attribute(s, t);
	} else {
		struct who_fields said = { .value[WHO_USER_AGENT] = t->user_agent };

		segments_agent(s->segments, &said, t);
		pages_called(s->pages, t);
	}
	if (t->side == SIDE_SERVER)
		reach_learn(s, t);
	reach_tell(s, t);
	s->sink.transaction(s->sink.ctx, t);
}

/* A call whose cause is here: its inner end will be of the cause's site, and is over before that one is. What
 * only the response would tell of the cause is not known yet. */
static void on_begin(void *ctx, struct transaction *t)
{
	struct session *s = ctx;
	struct known_site *site;
	struct request r;

	if (!t->open.cause || t->open.mark)
		return;
	request_read(t->open.cause, &s->trust, &r);
	site = sites_of(s->sites, &r);
	t->open.mark = site ? site->hash : 0;
}

static void on_active(void *ctx, const struct connection *c, enum side side, struct slice method,
		      int delta)
{
	struct session *s = ctx;

	if (s->sink.active)
		s->sink.active(s->sink.ctx, c, side, method, delta);
}

struct txn_sink session_txn_sink(struct session *s)
{
	return (struct txn_sink){ .ctx = s,
				  .begin = on_begin,
				  .transaction = on_transaction,
				  .active = on_active,
				  .attempt = reach_attempt,
				  .listener = reach_listener };
}

static int on_head(void *ctx, const struct head *h, bool request, struct arena *a,
		   struct evidence_list *ret)
{
	struct session *s = ctx;

	int err = evidence_of(s->rules, h, request,
			      (int64_t)(session_unix(s, s->now_ns) / NS_PER_SECOND), a, ret);

	if (!err && request)
		ret->marks = conditions_of_head(segments_conditions(s->segments), h);
	return err;
}

static const struct body_wants *on_wants(void *ctx, const struct transaction *t, bool request)
{
	struct session *s = ctx;

	return evidence_wants(s->rules);
}

static int on_value(void *ctx, const struct taken *v, bool request, struct arena *a,
		    struct evidence_list *list)
{
	struct session *s = ctx;

	return evidence_value(s->rules, v, request, a, list);
}

struct txn_witness session_witness(struct session *s)
{
	return (struct txn_witness){
		.ctx = s,
		.head = on_head,
		.contents = evidence_wants(s->rules) ? TXN_REQUESTS | TXN_RESPONSES : 0,
		.wants = on_wants,
		.value = on_value,
	};
}

/* ---- life ---- */

void session_clock(struct session *s, int64_t wall_minus_mono_ns)
{
	s->wall_minus_mono_ns = wall_minus_mono_ns;
}

void session_tick(struct session *s, uint64_t now_ns)
{
	struct identity *who;
	enum end_reason reason;

	s->now_ns = now_ns;
	pages_tick(s->pages, now_ns);
	for (unsigned v = VALUE_OPEN; v < VALUES; v++)
		while ((who = identities_oldest(s->identities, v)) &&
		       is_over(s, &who->visit, now_ns, &reason)) {
			if (who->visit.state == VISIT_OPEN)
				end_visit(s, who, reason);
			identities_touch(s->identities, who, VALUE_IDLE);
		}
	/* remembered for as long as a visit could have lasted, so that a latecomer finds it */
	while ((who = identities_oldest(s->identities, VALUE_IDLE)) &&
	       time_since(now_ns, who->seen_ns) > (int64_t)s->options.cap_ns)
		forget(s, who);
}

void session_finish(struct session *s)
{
	pages_finish(s->pages);
	for (unsigned v = VALUE_OPEN; v < VALUES; v++)
		for (struct identity *who = identities_oldest(s->identities, v); who;
		     who = identities_newer(s->identities, who))
			if (who->visit.state == VISIT_OPEN)
				end_visit(s, who, END_SHUTDOWN);
}

void session_stats(const struct session *s, struct session_stats *ret)
{
	*ret = s->stats;
	ret->merged = s->identities->stats.merged;
	ret->split = s->identities->stats.split;
	ret->clues_evicted = s->identities->stats.clues_evicted;
	ret->identities = identities_count(s->identities);
	evidence_stats(s->rules, &ret->evidence);
	pages_stats(s->pages, &ret->pages);
	segments_stats(s->segments, &ret->segments);
}

int session_places(struct session *s, struct slice file, const char **ret_why)
{
	return segments_places(s->segments, file, ret_why);
}

void session_reload(struct session *s, const struct session_options *o)
{
	s->options.timeout_ns = o->timeout_ns;
	s->options.cap_ns = o->cap_ns;
	s->options.period_s = o->period_s;
	s->options.opt_out = o->opt_out;
	sites_name(s->sites, o->site, o->site_hosts);
	pages_rules(s->pages, o->virtual_pages);
	trust_read(&s->trust, o->trusted_proxies); /* the configuration was checked */
}

int session_new(const struct session_options *options, const struct session_sink *sink,
		struct session **ret)
{
	const struct identity_limits limits = { .identities = options->visits,
						.clues = 2 * options->visits + CLUES_EACH,
						.prints = options->visits + 1,
						.names = COOKIE_NAMES };
	struct session *s = calloc(1, sizeof(*s));
	const struct pages_sink told = { s, tell_page, measure_page };
	int err = -ENOMEM;

	if (!s)
		return err;
	s->options = *options;
	s->sink = *sink;
	err = keys_new(options->secret, &s->keys);
	if (!err)
		err = trust_read(&s->trust, options->trusted_proxies);
	if (!err)
		err = evidence_rules_new(keys_value(s->keys), options->keys, options->carts,
					 options->opt_out_cookie, &s->rules);
	if (!err)
		err = sites_new(options->sites, keys_value(s->keys), &s->sites);
	if (!err)
		err = identities_new(&limits, keys_value(s->keys), &s->identities);
	if (!err)
		err = segments_new(options, &s->segments);
	if (!err)
		err = pages_new(options->visits / PAGES_SHARE + 1, s->keys, &told, &s->pages);
	if (!err)
		err = aliases_new(options->visits, &s->aliases);
	if (!err)
		err = reach_new(&s->ports);
	if (err) {
		session_free(s);
		return err;
	}
	explicit_bzero(s->options.secret, sizeof(s->options.secret)); /* the keys have it */
	sites_name(s->sites, options->site, options->site_hosts);
	pages_rules(s->pages, options->virtual_pages);
	*ret = s;
	return 0;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	pages_free(s->pages);
	table_free(s->aliases);
	table_free(s->ports);
	identities_free(s->identities);
	segments_free(s->segments);
	sites_free(s->sites);
	evidence_rules_free(s->rules);
	keys_free(s->keys);
	free(s);
}
