/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.c: what one transaction is to the pages of its visitor: the document of one, a redirect on the way
 * to one, a part or a call of one, or nothing. See page.h.
 */
#include <endian.h>
#include <stdlib.h>

#include "session/page/placing.h"
#include "txn/target/template.h"

/* ---- which page ---- */

static bool has_aid(const struct page_view *v, uint32_t mark)
{
	uint32_t count = v->aid_count < PAGE_AIDS ? v->aid_count : PAGE_AIDS;

	for (uint32_t i = 0; i < count; i++)
		if (v->aids[i].mark == mark)
			return true;
	return false;
}

static struct page_view *latest(const struct placing *x)
{
	for (struct page_view *v = x->who->pages; v; v = v->next)
		if (page_is_told(v) && !page_is_after(v, x->t->start_ns))
			return v;
	return NULL;
}

/* Style sheets fetch in their own name, also those that came out of a cache. */
static bool is_aid(struct slice path)
{
	return slice_ends(path, SLICE(".css")) || slice_ends(path, SLICE(".js"));
}

static struct page_view *page_of(struct placing *x)
{
	struct page_view *v;

	if (!x->from)
		return latest(x);
	for (v = x->who->pages; v; v = v->next)
		if (v->mark == x->from && (!page_is_told(v) || !page_is_after(v, x->t->start_ns)))
			break;
	/* a Referer that says no more than the origin may be cut down to that */
	if (v && !(url_is_origin(&x->referer) && v->state == PAGE_RESTING && v != x->who->pages))
		return v;
	for (v = x->who->pages; v; v = v->next)
		if (has_aid(v, x->from))
			return v;
	return url_is_origin(&x->referer) || is_aid(x->referer.path) ? latest(x) : NULL;
}

/* ---- page views ---- */

/* Equal wherever the exchange is seen. `ordinal` tells two pages apart that one exchange made known. */
static void identify(const struct placing *x, struct page_view *v, uint8_t ordinal)
{
	const struct transaction *t = x->t;
	uint8_t what[25] = { 0 };
	uint32_t isn[2] = { htobe32(t->isn_client), htobe32(t->isn_server) };
	uint64_t pos = htobe64(t->exchange_pos);

	if (t->unobserved & UNOBSERVED_EXCHANGE) { /* as keyed as it gets: trace.h */
		memcpy(what, t->trace_id, 16);
		memcpy(what + 16, t->span_id, 8);
	} else {
		memcpy(what, isn, 8);
		memcpy(what + 8, &pos, 8);
	}
	what[24] = ordinal;
	keys_event(x->p->keys, SLICE("parcours.page_view"), site_name(x->who->site),
		   slice_of(what, sizeof(what)), v->id);
}

static void begin(struct placing *x, struct page_view *v)
{
	const struct client *client = &x->r->client;

	v->seen.to_proxy = client->source != CLIENT_PEER && (client->source || client->flags);
	v->redirected = v->prefetched = false;
	x->p->stats.views++;
	x->began = true;
	page_place(x->p, v);
}

/* It is one, and there is no room to say so. */
static void lose(struct placing *x)
{
	x->p->stats.views++;
	x->p->stats.lost++;
	x->began = true;
}

static enum page_outcome outcome_of(const struct transaction *t)
{
	static const enum page_outcome of[] = {
		[OUTCOME_COMPLETE] = PAGE_COMPLETE,
		[OUTCOME_CLIENT_GONE] = PAGE_CLIENT_GONE,
		[OUTCOME_SERVER_RESET] = PAGE_SERVER_RESET,
		[OUTCOME_TIMEOUT] = PAGE_TIMED_OUT,
		[OUTCOME_UNOBSERVED] = PAGE_OUTCOME_UNOBSERVED,
	};

	if (t->status >= 500 || t->status == 404 || t->status == 410)
		return PAGE_FAILED;
	return placing_is_left(t) ? PAGE_CLIENT_GONE : of[t->outcome];
}

/* Known already without its document, by a redirect or by what was told before it. */
static struct page_view *awaited(const struct placing *x, uint32_t mark)
{
	uint64_t at_ns = x->t->start_ns;

	for (struct page_view *v = x->who->pages; v; v = v->next) {
		if (page_is_told(v) || v->mark != mark)
			continue;
		if (!v->redirected)
			return v->prefetched || !page_is_after(v, at_ns) ? NULL : v;
		if ((int64_t)(at_ns - v->loaded_ns) < (int64_t)PAGE_REDIRECT_NS &&
		    !page_is_after(v, at_ns))
			return v;
	}
	return NULL;
}

static struct page_view *document(struct placing *x)
{
	struct transaction *t = x->t;
	uint32_t mark = url_mark(t->path, t->query);
	struct page_view *v = awaited(x, mark);
	bool redirected = v && v->redirected;

	if (!v)
		v = page_add(x->p, x->who, mark, t->start_ns);
	if (!v) {
		lose(x);
		return NULL;
	}
	page_load(x->p, v);
	v->document = true;
	v->left = placing_is_left(t);
	v->arrived_ns = placing_arrival(&x->times);
	v->seen.status = t->response.seen ? t->status : 0;
	v->seen.outcome = (uint8_t)outcome_of(t);
	v->loaded_ns = x->times.end_ns ? x->times.end_ns : t->start_ns;
	if (x->times.first_byte_ns)
		v->answered_ns = x->times.first_byte_ns + x->rtt_ns;
	if (!redirected) {
		v->start_ns = t->start_ns;
		v->first_ns = placing_first_packet(x);
	}
	page_name(v, t->path, t->template_);
	identify(x, v, 0);
	if (v->loading) {
		v->loading->document = x->times;
		burst_add(&v->loading->burst, &x->times, false);
	}
	placing_guess(x, v);
	begin(x, v);
	placing_fold_frames(x, v);
	return v;
}

static struct page_view *redirect(struct placing *x)
{
	struct transaction *t = x->t;
	struct page_view *v = awaited(x, url_mark(t->path, t->query));
	struct url_parts to;

	url_split(t->location, t->path, x->room, &to);
	if (!t->location.len || !to.path.len)
		return NULL;
	if (!v || !v->redirected) {
		v = page_add(x->p, x->who, 0, t->start_ns);
		if (!v)
			return NULL;
		v->redirected = true;
		v->first_ns = placing_first_packet(x);
	}
	v->mark = url_mark(to.path, to.query);
	v->loaded_ns = x->times.end_ns ? x->times.end_ns : t->start_ns;
	v->seen.redirects++;
	if (v->loading) /* its work and its wait; it is no part of what the document begins */
		burst_add(&v->loading->burst,
			  &(struct part_times){ .arrived_ns = x->times.arrived_ns,
						.read_ns = x->times.read_ns,
						.first_byte_ns = x->times.first_byte_ns },
			  false);
	return v;
}

static struct page_view *prefetch(struct placing *x)
{
	struct transaction *t = x->t;
	struct page_view *v = page_add(x->p, x->who, url_mark(t->path, t->query), t->start_ns);

	x->p->stats.prefetched++;
	if (!v)
		return NULL;
	v->prefetched = true;
	v->seen.status = t->status;
	v->seen.outcome = (uint8_t)outcome_of(t);
	identify(x, v, 0);
	page_name(v, t->path, t->template_);
	return v;
}

/* What was fetched ahead is looked at: something is fetched for it. When that began nobody saw. */
static void use(struct placing *x, struct page_view *v)
{
	page_load(x->p, v);
	v->document = true;
	v->start_ns = v->first_ns = v->loaded_ns = placing_arrival(&x->times);
	x->p->stats.used++;
	begin(x, v);
}

static bool is_virtual(const struct pages *p, struct slice path)
{
	for (const char *const *glob = p->virtual_; glob && *glob; glob++)
		if (url_matches(*glob, path))
			return true;
	return false;
}

/* A page by rule begins with the request that made it known. */
static struct page_view *by_rule(struct placing *x, uint32_t mark, struct slice path,
				 uint8_t ordinal)
{
	struct page_view *v = page_add(x->p, x->who, mark, x->t->start_ns);
	struct template t;

	if (!v) {
		lose(x);
		return NULL;
	}
	template_make(path, &t);
	page_name(v, path, slice_of(t.at, t.len));
	identify(x, v, ordinal);
	v->of_rule = v->seen.is_virtual = true;
	v->seen.outcome = PAGE_COMPLETE;
	v->first_ns = v->arrived_ns = placing_arrival(&x->times);
	v->loaded_ns = x->times.read_ns;
	if (v->loading)
		v->loading->document = (struct part_times){ .read_ns = x->times.read_ns,
							    .end_ns = x->times.read_ns,
							    .estimated = true };
	begin(x, v);
	return v;
}

/* ---- what belongs to a page ---- */

static bool has_failed(const struct transaction *t)
{
	return t->status >= 400 || t->outcome == OUTCOME_SERVER_RESET ||
	       t->outcome == OUTCOME_TIMEOUT;
}

static void note_aid(struct page_view *v, const struct placing *x, uint64_t end_ns)
{
	enum page_kind kind = x->r->page.kind;

	if (kind != PAGE_STYLE && kind != PAGE_SCRIPT && kind != PAGE_FRAME &&
	    kind != PAGE_NAVIGATION)
		return;
	v->aids[v->aid_count++ % PAGE_AIDS] = (struct aid){
		.start_ns = x->t->start_ns,
		.end_ns = end_ns,
		.mark = url_mark(x->t->path, x->t->query),
		.frame = kind == PAGE_FRAME || kind == PAGE_NAVIGATION,
	};
}

/* As the visit is prolonged: what may be a poll counts until it is known to be one. */
static void note_life(struct page_view *v, enum activity activity, uint64_t end_ns)
{
	if (activity == ACTIVITY_SOLID && (int64_t)(end_ns - v->life_ns) > 0)
		v->life_ns = end_ns;
	if (activity == ACTIVITY_MAYBE)
		v->maybe_ns = end_ns;
	if (activity == ACTIVITY_POLL)
		v->maybe_ns = 0;
}

/* A timer of the page asks: nobody waits for it. */
static bool is_repeated(const struct placing *x, struct page_view *v, enum role role,
			uint64_t end_ns)
{
	const struct transaction *t = x->t;
	const struct asking a = {
		.path = url_mark(t->path, SLICE("")),
		.mark = url_mark(t->path, t->query),
		.from = placing_arrival(&x->times),
		.to = end_ns,
		.part = role == ROLE_PART,
		.get = slice_eq(t->method, SLICE("GET")),
		.failed = has_failed(t),
	};

	if (!v->loading || role == ROLE_ASIDE)
		return false;
	return asked_again(&v->loading->asked, &a) || x->activity == ACTIVITY_POLL;
}

static void add(struct placing *x, struct page_view *v, enum role role)
{
	struct transaction *t = x->t;
	uint64_t end = x->times.end_ns ? x->times.end_ns : t->start_ns;

	if (role == ROLE_CALL) {
		v->seen.calls++;
	} else {
		v->seen.resources++;
		v->seen.failed_resources += has_failed(t);
	}
	note_life(v, x->activity, end);
	if (!page_is_told(v) && !v->redirected && page_is_after(v, t->start_ns))
		v->start_ns = v->first_ns = t->start_ns;
	if (role == ROLE_PART && (!v->parts_ns || (int64_t)(v->parts_ns - t->start_ns) > 0))
		v->parts_ns = t->start_ns;
	note_aid(v, x, end);
	x->repeated = is_repeated(x, v, role, end);
	if (v->loading && role != ROLE_ASIDE && !x->repeated)
		burst_add(&v->loading->burst, &x->times, role == ROLE_CALL);
}

static struct page_view *belonging(struct placing *x, enum role role)
{
	struct page_view *v;

	if (role == ROLE_CALL && is_virtual(x->p, x->t->path)) {
		v = by_rule(x, x->from, x->t->path, 0);
	} else {
		v = page_of(x);
		if (!v && x->from) {
			if (is_virtual(x->p, x->referer.path))
				v = by_rule(x, x->from, x->referer.path, 1);
			else
				v = page_add(x->p, x->who, x->from, x->t->start_ns);
		} else if (v && v->prefetched) {
			use(x, v);
		}
	}
	if (v)
		add(x, v, role);
	return v;
}

/* The process whose call it was may serve a page of somebody: they share the trace (trace/). */
static void take_failures(struct placing *x, struct page_view *v)
{
	struct failure *f = table_find(x->p->failures, x->t->trace_id);

	if (!f)
		return;
	v->seen.failed_calls += f->count;
	if (!v->failed_host)
		v->failed_host = strdup(f->host);
	table_remove(x->p->failures, f);
}

/* An icon is no part of a page, nor is the picture that a redirect names instead: asked for once. */
static bool is_icon(struct placing *x)
{
	struct transaction *t = x->t;
	struct url_parts to;

	if (x->r->page.kind == PAGE_FAVICON) {
		x->who->icon = 0;
		if (x->r->page.flags & PAGE_REDIRECT && t->location.len) {
			url_split(t->location, t->path, x->room, &to);
			x->who->icon = url_mark(to.path, to.query);
		}
		return true;
	}
	if (!x->who->icon || x->who->icon != url_mark(t->path, t->query))
		return false;
	x->who->icon = 0;
	return true;
}

bool pages_push(struct pages *p, struct identity *who, const struct request *r,
		struct transaction *t, enum activity activity, uint32_t *ret_folded)
{
	struct placing x = { .p = p, .who = who, .r = r, .t = t, .activity = activity };
	const uint64_t added = p->next_number;
	enum role role = role_of(r);
	struct page_view *v = NULL, *frame_of;

	*ret_folded = 0;
	if (is_icon(&x) || role == ROLE_NONE)
		return false;
	placing_times(&x);
	if (t->referer.len) {
		url_split(t->referer, SLICE("/"), x.room, &x.referer);
		x.from = url_mark(x.referer.path, x.referer.query);
	}
	frame_of = role == ROLE_DOCUMENT ? placing_frame_of(&x) : NULL;
	if (frame_of) {
		p->stats.frames++;
		role = ROLE_PART;
	}
	switch (role) {
	case ROLE_DOCUMENT:
		v = document(&x);
		*ret_folded = x.folded;
		break;
	case ROLE_REDIRECT:
		v = redirect(&x);
		break;
	case ROLE_PREFETCH:
		v = prefetch(&x);
		break;
	default:
		v = belonging(&x, role);
	}
	if (!v)
		return x.began;
	if (table_count(p->failures))
		take_failures(&x, v);
	page_touch(p, v, role != ROLE_CALL && role != ROLE_ASIDE && !x.repeated);
	if (page_is_told(v)) {
		t->has_page = true;
		memcpy(t->page_id, v->id, KEY_BYTES);
	}
	if (x.began || p->next_number != added)
		page_trim(p, who);
	return x.began;
}
