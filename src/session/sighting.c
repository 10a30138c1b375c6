/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sighting.c: whose request is it? Called by session.c once a transaction, with the request and its
 * response at once, so that the first request of a visitor is bound by the cookie that its own response
 * sets. The index itself is identity.c's.
 *
 * What links two requests surely: a value that one visitor was given, or sends, comes again. A request
 * that brings nothing is linked by address, agent and language, where that is the best explanation:
 *
 *   given a cookie, by a visitor there who never sent back what it was given: the same one, who takes no
 *     cookies; likewise after a logout took the cookie away
 *   … while the first such request was under way, from the same page: parallel first requests
 *   … otherwise: a new visitor
 *   given nothing: the only visitor there; a page that the visitor's cookie would have come with: a new
 *     one; a page where several look the same: one of them, "shared"
 *
 * Two clients that look the same may be taken for one until both have sent back what each was given:
 * then they are two from there on (`split`).
 */
#include "session/identity.h"

#define MOMENT_NS	2000000000ull
#define PARALLEL_PRINTS 8 /* visitors of one look that begin at once; beyond, they are one */

struct look {
	struct identities *x;
	struct known_site *site;
	const struct request *r;
	const struct transaction *t;
	struct sighting *ret;
	struct print *print;
	uint64_t print_key[2];
	struct clue *clues[EVIDENCE_MAX]; /* of the request's evidence; NULL: none, or not usable */
	bool usable[EVIDENCE_MAX];
	bool has_print;	 /* print_key and print are filled */
	bool brings;	 /* the request has a usable value of its own */
	bool brings_jar; /* … in a cookie or its like */
	bool no_jar;	 /* its visitor seems to take no cookies */
	bool gives;	 /* the response sets one */
	bool first_gift; /* … the first that its visitor is seen to be given */
	bool has_page;	 /* … and target and referer */
	uint32_t target, referer;
	bool (*evict)(void *ctx);
	void *ctx;
};

/* ---- what a request looks like ---- */

static void make_print(struct look *l)
{
	const struct transaction *t = l->t;
	struct slice language = l->r->fields.value[WHO_ACCEPT_LANGUAGE];
	uint64_t all[7] = { 0 };

	if (l->has_print)
		return;
	memcpy(all, l->r->client.address.ip, sizeof(l->r->client.address.ip));
	identities_hash(l->x, t->user_agent, all + 2);
	identities_hash(l->x, language, all + 4);
	all[6] = l->site->hash;
	sip24_128(&l->x->key, all, sizeof(all), l->print_key);
	l->print = table_find(l->x->prints, l->print_key);
	l->has_print = true;
}

static uint32_t short_hash(const struct look *l, struct slice s)
{
	uint32_t h = s.len ? (uint32_t)sip13(&l->x->key, s.at, s.len) : 0;

	return s.len ? h | 1 : 0;
}

/* Path of a URL reference without query: what a Referer and a target are compared by. */
static struct slice path_of(struct slice url)
{
	long at = slice_find_slice(url, SLICE("://"));
	struct slice rest = at < 0 ? url : slice_sub(url, (size_t)at + 3, url.len);

	if (at >= 0) {
		at = slice_find(rest, '/');
		rest = at < 0 ? SLICE("/") : slice_sub(rest, (size_t)at, rest.len);
	}
	return slice_next(&rest, '?');
}

static void look_at_page(struct look *l)
{
	if (l->has_page)
		return;
	l->target = short_hash(l, l->t->path);
	l->referer = short_hash(l, path_of(l->t->referer));
	l->has_page = true;
}

static uint64_t end_of(const struct transaction *t)
{
	return t->unobserved & UNOBSERVED_END ? t->start_ns : t->start_ns + t->duration_ns;
}

/* ---- cookies that no list names ---- */

static struct cookie_name *name_of(const struct look *l, const struct evidence *e)
{
	const uint64_t key = l->site->hash ^ e->name;

	return table_find(l->x->names, &key);
}

static struct cookie_name *name_add(const struct look *l, const struct evidence *e)
{
	const uint64_t key = l->site->hash ^ e->name;
	struct cookie_name *n;
	bool fresh;

	n = table_add(l->x->names, &key, &fresh);
	if (!n && table_oldest(l->x->names)) {
		table_remove(l->x->names, table_oldest(l->x->names));
		n = table_add(l->x->names, &key, &fresh);
	}
	if (n)
		table_touch(l->x->names, n);
	return n;
}

/* May it link? A cookie that no list names may once it is known how it behaves. */
static bool is_usable(const struct look *l, const struct evidence *e)
{
	const struct cookie_name *n;

	if (e->kind >= EVIDENCE_OPT_OUT || e->flags & EVIDENCE_DELETED)
		return false;
	if (e->kind != EVIDENCE_COOKIE)
		return true;
	n = name_of(l, e);
	return n && n->known && !n->common;
}

static bool is_jar(unsigned kind)
{
	return kind <= EVIDENCE_ANALYTICS;
}

/* ---- clues ---- */

static struct clue *clue_of(const struct look *l, const struct evidence *e)
{
	uint64_t key[2];

	clue_key(l->site, e->hash, key);
	return table_find(l->x->clues, key);
}

static bool is_common(const struct clue *c)
{
	return c && c->state & CLUE_COMMON;
}

static void add_evidence(const struct look *l, struct identity *who, const struct evidence *e,
			 uint8_t state)
{
	uint64_t key[2];

	clue_key(l->site, e->hash, key);
	if (e->flags & EVIDENCE_SCOPED)
		state |= CLUE_SCOPED;
	identities_add_clue(l->x, who, key, e->name, e->kind, state);
}

/* It was given to a client without cookies, and its visitor sends back another that was too: two clients. */
static bool is_another_client(const struct look *l, const struct clue *c)
{
	if ((c->state & (CLUE_FIRST | CLUE_ECHOED | CLUE_PARALLEL)) != CLUE_FIRST)
		return false;
	for (const struct clue *o = clue_first(l->x, clue_who(l->x, c)); o; o = clue_next(l->x, o))
		if (o != c && o->name == c->name &&
		    (o->state & (CLUE_FIRST | CLUE_ECHOED)) == (CLUE_FIRST | CLUE_ECHOED))
			return true;
	return false;
}

static void note_echo(const struct look *l, struct clue *c, const struct evidence *e)
{
	struct cookie_name *n = e->kind == EVIDENCE_COOKIE ? name_of(l, e) : NULL;

	c->state |= CLUE_USED;
	if (n)
		n->echoed = true;
	if (c->state & CLUE_ECHOED)
		return;
	c->state |= CLUE_ECHOED;
	clue_who(l->x, c)->confirmed = true;
	clue_who(l->x, c)->emptied = false;
}

static void merge(struct look *l, struct identity *into, struct identity *from)
{
	while (from->clues)
		clue_move(l->x, clue_first(l->x, from), into);
	print_leave(l->x, from);
	into->confirmed |= from->confirmed;
	l->x->stats.merged++;
	l->ret->merged = true;
	l->ret->other = from;
}

/* The visit that goes on is the one that began first. */
static bool is_older(const struct identity *a, const struct identity *b)
{
	if ((a->visit.state == VISIT_OPEN) != (b->visit.state == VISIT_OPEN))
		return a->visit.state == VISIT_OPEN;
	return a->visit.start_ns < b->visit.start_ns;
}

/* One request has clues of two visitors. */
static struct identity *reconcile(struct look *l, struct identity *who, struct clue *c,
				  const struct evidence *e)
{
	struct cookie_name *n = e->kind == EVIDENCE_COOKIE ? name_of(l, e) : NULL;
	struct identity *other = clue_who(l->x, c);

	if (e->kind >= EVIDENCE_CART)
		return who; /* a basket may be shared, a person may have two browsers */
	if (clues_differ(l->x, who, other)) {
		if (n)
			n->common = true;
		return who;
	}
	if (is_older(other, who)) {
		merge(l, other, who);
		return other;
	}
	merge(l, who, other);
	return who;
}

/* It is a clue of nobody any more; the request may have brought it twice. */
static void split_off(struct look *l, struct clue *c)
{
	for (uint32_t i = 0; i < l->t->request.evidence.count; i++)
		if (l->clues[i] == c)
			l->clues[i] = NULL;
	clue_remove(l->x, c);
	l->x->stats.split++;
}

static struct identity *by_request(struct look *l, enum look_mode mode)
{
	const struct evidence_list *list = &l->t->request.evidence;
	const struct evidence *best = NULL;
	struct identity *who = NULL;

	for (uint32_t i = 0; i < list->count; i++) {
		const struct evidence *e = &list->at[i];
		struct clue *c = l->clues[i];

		if (!c ||
		    (l->brings_jar && (e->kind == EVIDENCE_CART || e->kind == EVIDENCE_TOKEN)))
			continue;
		if (mode == LOOK_KNOWN)
			return clue_who(l->x, c);
		if (is_another_client(l, c)) {
			split_off(l, c);
			continue;
		}
		note_echo(l, c, e);
		if (!best || evidence_is_before(e, best)) {
			best = e;
			who = clue_who(l->x, c);
		}
	}
	/* one merge at most: it moves clues, and may let some go */
	for (uint32_t i = 0; who && i < list->count && !l->ret->merged; i++) {
		struct clue *c = l->clues[i];

		if (c && clue_who(l->x, c) != who)
			who = reconcile(l, who, c, &list->at[i]);
	}
	return who;
}

/* ---- requests that bring nothing known ---- */

static bool same_page(struct look *l, const struct identity *who)
{
	look_at_page(l);
	return (l->referer &&
		(l->referer == who->first_referer || l->referer == who->first_target)) ||
	       (who->first_referer && who->first_referer == l->target);
}

static bool is_parallel(const struct look *l, const struct identity *who)
{
	return l->t->start_ns < who->first_end_ns && end_of(l->t) > who->first_ns;
}

/* Everything that this visitor would have sent along is missing. */
static bool would_have_brought(const struct look *l, const struct identity *who)
{
	for (const struct clue *c = clue_first(l->x, who); c; c = clue_next(l->x, c))
		if (is_jar(c->kind) &&
		    (c->state & (CLUE_ECHOED | CLUE_SCOPED | CLUE_COMMON)) == CLUE_ECHOED)
			return true;
	return false;
}

static bool has_jar(const struct look *l, const struct identity *who)
{
	for (const struct clue *c = clue_first(l->x, who); c; c = clue_next(l->x, c))
		if (is_jar(c->kind) && !is_common(c))
			return true;
	return false;
}

/* Somebody else who comes a moment later, before the first could send back what he was given: a page that
 * no page of the site led to. */
static bool is_next_in_line(const struct look *l, const struct identity *who)
{
	return l->r->navigation && !who->emptied && !request_is_internal(l->r) &&
	       l->t->start_ns - who->first_ns < MOMENT_NS;
}

static struct identity *by_look(struct look *l, bool *ret_parallel)
{
	struct identity *who;

	make_print(l);
	who = l->print ? table_at(l->x->identities, l->print->last) : NULL;
	if (!who)
		return NULL;
	if (l->brings) /* a value not met before: by a script, or before us */
		return who->emptied || (!has_jar(l, who) && l->print->count == 1) ? who : NULL;
	if (l->gives) {
		if (is_parallel(l, who)) {
			*ret_parallel = same_page(l, who);
			return *ret_parallel || l->print->count >= PARALLEL_PRINTS ? who : NULL;
		}
		if (!who->confirmed || who->emptied) {
			if (is_next_in_line(l, who))
				return NULL;
			l->no_jar = !who->emptied;
			return who;
		}
		return l->r->navigation || l->print->count > 1 ? NULL : who;
	}
	if (l->print->count == 1)
		return l->r->navigation && !who->emptied && would_have_brought(l, who) ? NULL : who;
	return NULL;
}

/* Among several that look the same, the one that is known by nothing else. */
static struct identity *by_address(struct look *l)
{
	const struct clue *c = table_find(l->x->clues, l->print_key);

	return c ? clue_who(l->x, c) : NULL;
}

static struct identity *begin(struct look *l)
{
	struct identity *who;

	make_print(l);
	who = identities_add(l->x, l->site, l->evict, l->ctx);
	if (!who)
		return NULL;
	l->ret->fresh = true;
	if (!l->brings && !l->gives)
		identities_add_clue(l->x, who, l->print_key, 0, EVIDENCE_ADDRESS, CLUE_ECHOED);
	print_join(l->x, who, l->print_key);
	return who;
}

static struct identity *unknown(struct look *l, bool opens, bool *ret_parallel)
{
	struct identity *who = by_look(l, ret_parallel);

	if (who)
		return who;
	if (!l->brings && !l->gives) {
		l->ret->shared = l->print && l->print->count > 1;
		who = by_address(l);
		if (who)
			return who;
		if (l->ret->shared && !l->r->navigation)
			return NULL; /* one of them, but which? */
	}
	return opens ? begin(l) : NULL;
}

/* ---- what is learned from it ---- */

static void learn_request(struct look *l, struct identity *who)
{
	const struct evidence_list *list = &l->t->request.evidence;

	for (uint32_t i = 0; i < list->count; i++) {
		const struct evidence *e = &list->at[i];

		if (!l->usable[i] || l->clues[i])
			continue;
		add_evidence(l, who, e, CLUE_ECHOED);
		who->confirmed |= is_jar(e->kind);
	}
}

/* Of a cookie that no list names, no value is believed any more. */
static void note_common(struct cookie_name *n, struct clue *c)
{
	if (n)
		n->common = true;
	else if (c->state & CLUE_GIVEN)
		c->state |= CLUE_COMMON;
}

static void learn_response(struct look *l, struct identity *who, uint8_t state)
{
	const struct evidence_list *list = &l->t->response.evidence;
	bool set = false, taken = false;

	for (uint32_t i = 0; i < list->count; i++) {
		const struct evidence *e = &list->at[i];
		struct cookie_name *n = NULL;
		struct clue *c;

		if (e->flags & EVIDENCE_DELETED) {
			for (c = clue_first(l->x, who); c; c = clue_next(l->x, c))
				taken |= c->name == e->name && e->kind <= EVIDENCE_COOKIE;
			continue;
		}
		if (e->kind == EVIDENCE_COOKIE)
			n = name_add(l, e);
		c = clue_of(l, e);
		if (c && clue_who(l->x, c) != who)
			note_common(n, c); /* what several are given names none of them */
		if (n)
			n->known = true;
		if (c || !is_usable(l, e))
			continue;
		set |= e->kind <= EVIDENCE_COOKIE;
		add_evidence(l, who, e, state | CLUE_GIVEN);
	}
	if (taken && !set)
		who->emptied = true;
}

static void remember_first(struct look *l, struct identity *who)
{
	look_at_page(l);
	who->first_ns = l->t->start_ns;
	if (end_of(l->t) > who->first_end_ns)
		who->first_end_ns = end_of(l->t);
	who->first_target = l->target;
	who->first_referer = l->referer;
}

/* A cookie that no list names is a basis when one that was set has come back before. */
static bool may_be_basis(const struct look *l, const struct evidence *e)
{
	if (!is_usable(l, e) || e->kind >= EVIDENCE_ADDRESS || is_common(clue_of(l, e)))
		return false;
	return !(e->flags & EVIDENCE_SET) || e->kind != EVIDENCE_COOKIE || name_of(l, e)->echoed;
}

static struct basis best_of(const struct look *l, const struct evidence_list *list)
{
	const struct evidence *best = NULL;

	for (uint32_t i = 0; i < list->count; i++) {
		const struct evidence *e = &list->at[i];

		if ((!best || evidence_is_before(e, best)) && may_be_basis(l, e))
			best = e;
	}
	if (!best)
		return (struct basis){ .kind = EVIDENCE_KINDS };
	return (struct basis){ { best->hash[0], best->hash[1] }, best->kind };
}

/*
 * A new visitor may begin with what his first response sets. Later values count when they come back,
 * because who takes no cookies is given a new one each time; at once when the client sends cookies, or
 * just gave one up: where its next request goes to another host, that host knows only the new value.
 */
static void choose_basis(struct look *l, bool keeps)
{
	struct basis sent = best_of(l, &l->t->request.evidence);
	struct basis set = best_of(l, &l->t->response.evidence);
	bool bare = l->no_jar || l->ret->who->basis.kind == EVIDENCE_KINDS;

	l->ret->basis = sent;
	if (l->ret->fresh && set.kind < sent.kind)
		l->ret->basis = set;
	else if ((l->brings_jar || keeps) && set.kind <= EVIDENCE_COOKIE)
		l->ret->next = set;
	if (l->first_gift)
		l->ret->also = identity_elsewhere(l->ret, &set, l->r, l->print_key);
	if (l->ret->basis.kind == EVIDENCE_KINDS && bare && l->has_print)
		l->ret->basis =
			(struct basis){ { l->print_key[0], l->print_key[1] }, EVIDENCE_ADDRESS };
}

/* A cookie that was never seen being set. Where the table is full, none is added for it. */
static void learn_name(struct look *l, const struct evidence *e)
{
	const uint64_t key = l->site->hash ^ e->name;
	const uint32_t value = (uint32_t)e->hash[0];
	struct cookie_name *n;
	bool fresh;

	n = table_add(l->x->names, &key, &fresh);
	if (!n || n->known)
		return;
	make_print(l);
	if (fresh) {
		n->value = value;
		n->print = (uint32_t)l->print_key[0];
		return;
	}
	n->repeated |= n->value == value && n->print == (uint32_t)l->print_key[0];
	n->distinct |= n->value != value && n->print != (uint32_t)l->print_key[0];
	n->known = n->echoed = n->repeated && n->distinct;
}

static void survey(struct look *l)
{
	const struct evidence_list *lists[] = { &l->t->request.evidence, &l->t->response.evidence };

	for (uint32_t i = 0; i < lists[0]->count; i++) {
		const struct evidence *e = &lists[0]->at[i];

		l->usable[i] = is_usable(l, e);
		if (e->kind == EVIDENCE_COOKIE && !l->usable[i]) {
			learn_name(l, e);
			l->usable[i] = is_usable(l, e);
		}
		if (!l->usable[i])
			continue;
		l->clues[i] = clue_of(l, e);
		if (is_common(l->clues[i])) {
			l->clues[i] = NULL;
			l->usable[i] = false;
			continue;
		}
		if (e->kind >= EVIDENCE_ADDRESS)
			continue;
		l->brings = true;
		l->brings_jar |= is_jar(e->kind);
	}
	for (uint32_t i = 0; i < lists[1]->count; i++) {
		const struct evidence *e = &lists[1]->at[i];
		const struct cookie_name *n = e->kind == EVIDENCE_COOKIE ? name_of(l, e) : NULL;

		l->gives |= !(e->flags & EVIDENCE_DELETED) && e->kind <= EVIDENCE_TOKEN &&
			    !(n && n->common);
	}
}

void identities_find(struct identities *x, struct known_site *site, const struct request *r,
		     enum look_mode mode, bool (*evict)(void *ctx), void *ctx, struct sighting *ret)
{
	struct look l = {
		.x = x, .site = site, .r = r, .t = r->t, .ret = ret, .evict = evict, .ctx = ctx
	};
	bool parallel = false, empty, keeps;
	struct identity *who;

	*ret = (struct sighting){ .basis.kind = EVIDENCE_KINDS,
				  .next.kind = EVIDENCE_KINDS,
				  .also.kind = EVIDENCE_KINDS };
	survey(&l);
	who = by_request(&l, mode);
	if (mode == LOOK_KNOWN) {
		ret->who = who;
		return;
	}
	empty = !who && !l.brings;
	ret->newcomer = empty && l.gives && request_brings_nothing(l.t);
	if (!who)
		who = unknown(&l, mode == LOOK_OPEN, &parallel);
	ret->who = who;
	if (!who)
		return;
	keeps = who->emptied;
	l.first_gift = empty && l.gives && !has_jar(&l, who);
	learn_request(&l, who);
	learn_response(&l, who, (empty ? CLUE_FIRST : 0) | (parallel ? CLUE_PARALLEL : 0));
	if (empty && l.gives)
		remember_first(&l, who);
	choose_basis(&l, keeps);
}
