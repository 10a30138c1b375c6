/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trouble.c: what went wrong or was slow since the cart was opened: told when it is left (struct preceded).
 * Only what the visitor lived: pages that failed or were not satisfying, calls that failed, refusals, and
 * the service that a page's server asked in vain.
 */
#include "journey/cart/internal.h"

static void keep_path(struct carts *c, struct text **at, struct slice path)
{
	text_set(c, at, slice_sub(path, 0, PATH_BYTES));
}

/* A request that only asks may find nothing, and a page says itself that it failed. */
static bool has_failed(const struct transaction *t)
{
	bool asks_only = slice_eq(t->method, SLICE("GET")) || slice_eq(t->method, SLICE("HEAD")) ||
			 slice_eq(t->method, SLICE("OPTIONS"));

	return t->status >= (asks_only ? 500 : 400) || t->outcome == OUTCOME_SERVER_RESET ||
	       t->outcome == OUTCOME_TIMEOUT;
}

static void failed(struct carts *c, struct holder *h, uint64_t at_ns, uint16_t status,
		   struct slice path)
{
	struct rare *r = h->cart.open ? holder_rare(c, h) : NULL;

	if (!r || (r->failed && since(at_ns, r->error_ns) < 0))
		return;
	r->failed = true;
	r->error_ns = at_ns;
	r->error_status = status;
	keep_path(c, &r->error_path, path);
}

void trouble_transaction(struct carts *c, struct holder *h, const struct transaction *t)
{
	if (has_failed(t))
		failed(c, h, unix_of(c, t->start_ns), t->status, t->path);
}

void trouble_page(struct carts *c, struct holder *h, const struct session_fact *f)
{
	const struct page_seen *p = f->page;
	struct rare *r;

	if (p->outcome == PAGE_FAILED)
		failed(c, h, f->start_unix_ns, p->status, p->path);
	if (!h->cart.open)
		return;
	if (p->failed_calls && p->failed_host.len && (r = holder_rare(c, h)))
		text_set(c, &r->failed_host, p->failed_host);
	if (p->apdex <= APDEX_SATISFIED || p->outcome == PAGE_FAILED || !(p->has & PAGE_HAS_LIVED))
		return;
	r = holder_rare(c, h);
	if (!r || (r->slow_lived_ns && since(f->start_unix_ns, r->slow_ns) < 0))
		return;
	r->slow_ns = f->start_unix_ns;
	r->slow_lived_ns = p->lived_ns;
	keep_path(c, &r->slow_path, p->path);
}

void trouble_refused(struct carts *c, struct holder *h, const struct said *s)
{
	struct rare *r = h->cart.open ? holder_rare(c, h) : NULL;

	if (!r)
		return;
	if (s->say == SAY_CART_REFUSED)
		r->cart_refused = true;
	else
		r->payment_refused = true;
	keep_path(c, &r->reason, s->reason);
}

void trouble_tell(const struct holder *h, struct preceded *ret)
{
	const struct rare *r = h->rare;

	*ret = (struct preceded){ 0 };
	if (!r)
		return;
	*ret = (struct preceded){ .error_status = r->error_status,
				  .error_path = text_slice(r->error_path),
				  .slow_lived_ns = r->slow_lived_ns,
				  .slow_path = text_slice(r->slow_path),
				  .cart_refused = r->cart_refused,
				  .payment_refused = r->payment_refused,
				  .reason = text_slice(r->reason),
				  .failed_host = text_slice(r->failed_host) };
}

void trouble_clear(struct carts *c, struct holder *h)
{
	struct rare *r = h->rare;

	if (!r)
		return;
	content_free(c, r->error_path);
	content_free(c, r->slow_path);
	content_free(c, r->reason);
	content_free(c, r->failed_host);
	r->error_path = r->slow_path = r->reason = r->failed_host = NULL;
	r->failed = r->cart_refused = r->payment_refused = false;
	r->error_status = 0;
	r->error_ns = r->slow_ns = r->slow_lived_ns = 0;
}
