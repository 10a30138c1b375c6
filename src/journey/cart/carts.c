/* SPDX-License-Identifier: Apache-2.0 */
/*
 * carts.c: see cart.h. Takes what was said, transactions, and facts about visits in turn, and asks the
 * other files of this folder; tells the state of a cart after whatever changed it.
 */
#include <errno.h>
#include <stdlib.h>

#include "journey/cart/internal.h"

/* ---- plain events and steps ---- */

static const uint8_t kind_of[SAYS] = {
	[SAY_VIEW_ITEM] = EVENT_VIEW_ITEM,
	[SAY_VIEW_ITEM_LIST] = EVENT_VIEW_ITEM_LIST,
	[SAY_SEARCH] = EVENT_SEARCH,
	[SAY_LOGIN] = EVENT_LOGIN,
	[SAY_SIGN_UP] = EVENT_SIGN_UP,
	[SAY_OWN] = EVENT_OWN,
	[SAY_VIEW_CART] = EVENT_VIEW_CART,
	[SAY_BEGIN_CHECKOUT] = EVENT_BEGIN_CHECKOUT,
	[SAY_CONTACT_INFO] = EVENT_ADD_CONTACT_INFO,
	[SAY_ADDRESS_INFO] = EVENT_ADD_ADDRESS_INFO,
	[SAY_SHIPPING_INFO] = EVENT_ADD_SHIPPING_INFO,
	[SAY_PAYMENT_INFO] = EVENT_ADD_PAYMENT_INFO,
	[SAY_PAYMENT_AWAY] = EVENT_ADD_PAYMENT_INFO,
	[SAY_CART_REFUSED] = EVENT_CART_REFUSED,
	[SAY_PAYMENT_ERROR] = EVENT_PAYMENT_ERROR,
};

static const uint8_t step_of[SAYS] = {
	[SAY_BEGIN_CHECKOUT] = STEP_CHECKOUT, [SAY_CONTACT_INFO] = STEP_CONTACT,
	[SAY_ADDRESS_INFO] = STEP_ADDRESS,    [SAY_SHIPPING_INFO] = STEP_SHIPPING,
	[SAY_PAYMENT_INFO] = STEP_PAYMENT,    [SAY_PAYMENT_AWAY] = STEP_PAYMENT,
};

/* Once for each cart. Bit 0 is the look at it. */
static void tell_once(struct carts *c, struct holder *h, const struct said *s)
{
	uint16_t bit = (uint16_t)(1u << step_of[s->say]);

	if (h->cart.told & bit) {
		if (step_of[s->say])
			tell_again(c, (enum event_kind)kind_of[s->say], s);
		return;
	}
	h->cart.told |= bit;
	tell_said(c, (enum event_kind)kind_of[s->say], h, s);
}

/* Said of the cart before the one that is there now, or of one that is no more. */
static bool is_past(const struct carts *c, const struct holder *h, const struct interval *when)
{
	const struct cart *cart = &h->cart;

	return (h->closed_ns && since(when->at_ns, h->closed_ns) < 0) ||
	       (cart->open && cart->ordinal > 1 && unix_of(c, when->end_ns) < cart->opened_unix_ns);
}

/* The first page of the checkout, of a cart with nothing in it. */
static bool is_of_nothing(const struct said *s)
{
	struct look l;

	said_look(s, &l);
	return s->say == SAY_BEGIN_CHECKOUT && l.empty;
}

static void step_said(struct carts *c, struct holder *h, const struct said *s,
		      const struct interval *when)
{
	struct cart *cart = &h->cart;
	enum step step = (enum step)step_of[s->say];

	if (is_past(c, h, when)) {
		if (cart->open) {
			c->stats.late++;
			tell_again(c, (enum event_kind)kind_of[s->say], s);
		} else {
			tell_once(c, h, s);
		}
		return;
	}
	/* emptied, and away to be paid: that is the order */
	if (cart->emptied && s->say == SAY_PAYMENT_AWAY)
		cart->emptied = false;
	/* a checkout without a cart: a look back after the order, unless nothing was seen of it before */
	if (cart->emptied || (!cart->open && (cart->ordinal || is_of_nothing(s)))) {
		if (cart->emptied && since(when->at_ns, cart->shown.at_ns) < 0)
			tell_once(c, h, s);
		else
			tell_again(c, (enum event_kind)kind_of[s->say], s);
		return;
	}
	if (!cart->open)
		cart_open(c, h, slice_of(NULL, 0), when, NULL, 0);
	if (step > cart->step) {
		cart->step = (uint8_t)step;
		cart->dirty = true;
		holder_place(c, h);
	}
	order_begun(c, h, s);
	tell_once(c, h, s);
}

static void view_said(struct carts *c, struct holder *h, const struct said *s,
		      const struct interval *when)
{
	if (h->cart.open && !h->cart.emptied && !is_past(c, h, when))
		tell_once(c, h, s);
}

static void payment_failed(struct carts *c, struct holder *h, const struct said *s)
{
	struct holder *whose = order_holder(c, s);

	if (!whose)
		whose = h;
	if (whose) {
		c->busy = whose;
		trouble_refused(c, whose, s);
	}
	tell_said(c, EVENT_PAYMENT_ERROR, whose, s);
}

/* ---- what is said ---- */

/* Every visitor's page may show that nothing is in his cart: no other record goes for that. */
static bool has_room_for_empty(struct carts *c)
{
	bool room = table_count(c->holders) < c->options.open;

	c->stats.records_evicted += !room;
	return room;
}

/* Who has no record needs one for it. */
static bool is_worth_a_record(struct carts *c, const struct said *s)
{
	struct look l;

	switch (s->say) {
	case SAY_ADD_TO_CART:
	case SAY_REMOVE_FROM_CART:
	case SAY_CHANGE_CART:
	case SAY_PURCHASE:
		return true;
	case SAY_PAYMENT_NOTICE:
	case SAY_PAYMENT_ERROR:
	case SAY_CART_REFUSED:
		return false;
	default:
		break;
	}
	if (step_of[s->say])
		return true;
	said_look(s, &l);
	return l.something || (l.empty && has_room_for_empty(c));
}

static struct holder *record_of(struct carts *c, const struct said *s)
{
	const struct transaction *t = s->t;
	struct holder *h;

	if (!t->has_session || s->say == SAY_PAYMENT_NOTICE)
		return NULL;
	h = holder_find(c, t->session_id);
	if (!h && is_worth_a_record(c, s))
		h = holder_get(c, t->session_id, t->session_key, t->site);
	if (!h)
		return NULL;
	holder_touch(c, h, s->at_ns);
	h->cart.told_shutdown = false;
	h->renamed |= s->say == SAY_LOGIN || s->say == SAY_SIGN_UP;
	return h;
}

static void say_with_record(struct carts *c, struct holder *h, const struct said *s,
			    const struct interval *when)
{
	bool shows = s->cart || s->cart_is_empty;

	if (s->say == SAY_CART_REFUSED)
		asks_refused(c, h, when);
	if (s->say == SAY_ADD_TO_CART || s->say == SAY_REMOVE_FROM_CART ||
	    s->say == SAY_CHANGE_CART)
		ask_note(c, h, s, when);
	if (s->say == SAY_PURCHASE) {
		order_said(c, h, s, when);
		return;
	}
	if (shows)
		cart_shown(c, h, s, when, false);
	if (step_of[s->say])
		step_said(c, h, s, when);
	else if (s->say == SAY_VIEW_CART)
		view_said(c, h, s, when);
	else if (s->say == SAY_CART_REFUSED)
		trouble_refused(c, h, s);
}

void carts_push(struct carts *c, const struct said *s)
{
	const struct interval when = interval_of(s);
	struct holder *h = record_of(c, s);

	c->at_end = false;
	c->busy = h;
	if (h)
		say_with_record(c, h, s, &when);
	else if (s->say == SAY_PURCHASE)
		order_said(c, NULL, s, &when);
	else if (s->say == SAY_PAYMENT_NOTICE)
		notice_said(c, s, &when);
	if (s->say <= SAY_OWN || s->say == SAY_CART_REFUSED)
		tell_said(c, (enum event_kind)kind_of[s->say], h, s);
	if (s->say == SAY_PAYMENT_ERROR)
		payment_failed(c, h, s);
	if (h)
		tell_cart(c, h, CART_OPEN, s);
	c->busy = NULL;
}

/* ---- signs of life ---- */

void carts_transaction(struct carts *c, const struct transaction *t)
{
	struct holder *h;

	if (!t->has_session || t->inner || t->side != SIDE_SERVER)
		return;
	h = holder_find(c, t->session_id);
	if (!h)
		return;
	c->busy = h;
	holder_touch(c, h, t->start_ns);
	trouble_transaction(c, h, t);
	c->busy = NULL;
}

/* ---- visits ---- */

static void visit_over(struct carts *c, struct holder *h, const struct session_fact *f)
{
	struct cart *cart = &h->cart;

	for (const struct ask *a = h->asks; a; a = a->next)
		c->stats.changes_unshown++;
	if (h->empty_ns)
		tell_empty(c, h, NULL, h->empty_ns);
	if (cart->open && cart->emptied) {
		c->stats.emptied++;
	} else if (cart->open) {
		asks_leave_unknown(h);
		tell_abandoned(c, h, f->end_reason, &f->segment, f->time_unix_ns);
		if (f->end_reason == END_EVICTED)
			c->stats.evicted++;
		else
			c->stats.abandoned++;
	}
	holder_leave(c, h);
}

static void visit_shut(struct carts *c, struct holder *h, const struct session_fact *f)
{
	struct cart *cart = &h->cart;
	bool unshown = cart->unshown;

	if (h->empty_ns)
		tell_empty(c, h, NULL, h->empty_ns);
	if (!cart->open || cart->emptied || cart->told_shutdown)
		return;
	cart->told_shutdown = true;
	asks_leave_unknown(h);
	tell_abandoned(c, h, END_SHUTDOWN, f ? &f->segment : NULL, f ? f->time_unix_ns : 0);
	cart->unshown = unshown; /* it may yet be shown, to the next process */
}

/* Two visits are one visitor's: the cart goes on in the one that goes on. */
static void merge(struct carts *c, const struct session_fact *f)
{
	struct holder *from = named_find(c, NAME_VISITOR, f->site, slice_of(f->key_new, KEY_BYTES));
	struct holder *into;

	if (!from || !from->cart.open || from->cart.emptied ||
	    !memcmp(from->session_id, f->session_id, KEY_BYTES))
		return;
	c->busy = from;
	into = holder_get(c, f->session_id, f->key, f->site);
	if (!into || into->cart.open)
		return;
	c->busy = into;
	holder_touch(c, into, from->last_ns);
	cart_take_over(c, into, from);
	tell_cart(c, into, CART_OPEN, NULL);
}

/* The visitor has another name now, by which the next visit may know it. */
static void rename_visitor(struct carts *c, const struct session_fact *f)
{
	struct slice key = slice_of(f->key_new, KEY_BYTES);
	struct holder *h = holder_find(c, f->session_id);
	struct left *l;

	if (!h)
		return;
	c->busy = h;
	if (!holder_rare(c, h))
		return;
	if (h->rare->has_next_key)
		named_unset(c, h, NAME_VISITOR, slice_of(h->rare->next_key, KEY_BYTES));
	h->rare->has_next_key = true;
	h->renamed = true;
	memcpy(h->rare->next_key, f->key_new, KEY_BYTES);
	named_set(c, h, NAME_VISITOR, key);
	l = left_find(c, NAME_VISITOR, f->site, key);
	if (l && l->open)
		left_rename(c, l, f->site, f->key);
}

void carts_fact(struct carts *c, const struct session_fact *f)
{
	struct holder *h;

	if (f->kind == FACT_START)
		return;
	c->at_end = false;
	if (f->kind == FACT_ALIAS) {
		if (!strcmp(f->reason, "merge"))
			merge(c, f);
		else
			rename_visitor(c, f);
		c->busy = NULL;
		return;
	}
	h = holder_find(c, f->session_id);
	if (!h)
		return;
	c->busy = h;
	if (f->kind == FACT_PAGE)
		trouble_page(c, h, f);
	else if (f->end_reason == END_SHUTDOWN)
		visit_shut(c, h, f);
	else
		visit_over(c, h, f);
	c->busy = NULL;
}

/* ---- life ---- */

void carts_clock(struct carts *c, int64_t wall_minus_mono_ns)
{
	c->wall_minus_mono_ns = wall_minus_mono_ns;
}

/* The end of a visit that nobody told. */
static void expire_records(struct carts *c)
{
	for (unsigned w = 0; w < WORTHS; w++)
		while (!list_empty(&c->worths[w])) {
			struct holder *h = list_entry(c->worths[w].next, struct holder, of_worth);
			const struct session_fact f = { .end_reason = END_EVICTED };

			if (since(c->now_ns, h->last_ns) <= (int64_t)RECORD_LIFE_NS)
				break;
			visit_over(c, h, &f);
		}
}

void carts_tick(struct carts *c, uint64_t now_ns)
{
	struct list *last = c->asking.prev;

	c->now_ns = now_ns;
	if (c->swept_ns && since(now_ns, c->swept_ns) < (int64_t)TOUCH_EVERY_NS)
		return;
	c->swept_ns = now_ns;
	for (struct list *l = c->asking.next, *next; l != &c->asking; l = next) {
		struct holder *h = list_entry(l, struct holder, of_asking);
		bool end = l == last;

		next = l->next;
		if (asks_expire(c, h, now_ns))
			list_remove(&h->of_asking);
		if (end)
			break;
	}
	expire_records(c);
	sold_expire(c);
}

void carts_finish(struct carts *c)
{
	for (struct holder *h = table_oldest(c->holders); h; h = table_newer(c->holders, h))
		visit_shut(c, h, NULL);
	c->at_end = true;
}

void carts_stats(const struct carts *c, struct carts_stats *ret)
{
	*ret = c->stats;
}

int carts_new(const struct carts_options *options, struct carts **ret)
{
	struct carts *c = calloc(1, sizeof(*c));
	int err = -ENOMEM;

	if (!c)
		return err;
	c->options = *options;
	err = holders_new(c);
	if (err) {
		carts_free(c);
		return err;
	}
	*ret = c;
	return 0;
}

void carts_free(struct carts *c)
{
	if (!c)
		return;
	holders_free(c);
	free(c);
}
