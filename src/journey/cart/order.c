/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order.c: each order once. It is known again by its number on its site (the event's own id), by the
 * shop's internal id, or, where the visit has shown no cart since, by being the visit's. Whose cart was
 * ordered says the id of the cart or order, else the visit. A provider's notice closes a cart that is known,
 * and is no order of its own.
 */
#include "journey/cart/internal.h"

/* What is known of the order besides what is said. */
struct deal {
	struct slice number, order_id;
	uint8_t number_id[KEY_BYTES], order_name[KEY_BYTES];
	uint8_t fact[KEY_BYTES]; /* that tells it, once it is known */
};

static void deal_of(struct carts *c, const struct holder *whose, const struct said *s,
		    struct deal *ret)
{
	struct slice site = whose ? text_slice(whose->site) : s->t->site;
	const struct rare *rare = whose ? whose->rare : NULL;

	*ret = (struct deal){ .number = s->transaction_id, .order_id = s->order_id };
	if (!ret->number.len && rare)
		ret->number = text_slice(rare->number);
	if (!ret->order_id.len && rare)
		ret->order_id = text_slice(rare->order_id);
	if (ret->number.len)
		keys_event(c->options.keys, slice_str(event_kind_name(EVENT_PURCHASE)), site,
			   ret->number, ret->number_id);
	if (ret->order_id.len)
		name_of(c, NAME_ORDER, site, ret->order_id, ret->order_name);
}

void order_remember(struct carts *c, struct table *of, const uint8_t name[KEY_BYTES],
		    const uint8_t fact[KEY_BYTES])
{
	struct order *o = table_add(of, name, NULL);

	if (!o && table_count(of)) {
		table_remove(of, table_oldest(of));
		c->stats.orders_forgotten += of != c->sold_carts;
		o = table_add(of, name, NULL);
	}
	if (!o)
		return;
	memcpy(o->fact, fact, KEY_BYTES);
	table_touch(of, o);
}

/* Was it told, under either name? Both are names of it from here on (remember). */
static bool is_known(struct carts *c, struct deal *d)
{
	const struct order *o = NULL;

	if (d->number.len)
		o = table_find(c->numbers, d->number_id);
	if (!o && d->order_id.len)
		o = table_find(c->order_ids, d->order_name);
	if (o)
		memcpy(d->fact, o->fact, KEY_BYTES);
	return o;
}

static void remember(struct carts *c, const struct deal *d)
{
	if (d->number.len)
		order_remember(c, c->numbers, d->number_id, d->fact);
	if (d->order_id.len)
		order_remember(c, c->order_ids, d->order_name, d->fact);
}

static bool has_cart(const struct holder *h)
{
	return h && h->cart.open;
}

struct holder *order_holder(struct carts *c, const struct said *s)
{
	struct slice site = s->t->site;
	struct holder *h = NULL;

	if (s->cart)
		h = named_find(c, NAME_CART, site, s->cart->id);
	if (!has_cart(h))
		h = named_find(c, NAME_ORDER, site, s->transaction_id);
	if (!has_cart(h))
		h = named_find(c, NAME_ORDER, site, s->order_id);
	return h;
}

static void name_order(struct carts *c, struct holder *h, struct text **at, struct slice what)
{
	if (!what.len || what.len > CART_ID_BYTES || slice_eq(text_slice(*at), what))
		return;
	named_unset(c, h, NAME_ORDER, text_slice(*at));
	text_set(c, at, what);
	named_set(c, h, NAME_ORDER, text_slice(*at));
}

void order_begun(struct carts *c, struct holder *h, const struct said *s)
{
	struct deal d;

	if (!has_cart(h) || (!s->transaction_id.len && !s->order_id.len) || !holder_rare(c, h))
		return;
	deal_of(c, h, s, &d);
	if (is_known(c, &d)) /* a look back at an order that was made */
		return;
	name_order(c, h, &h->rare->number, s->transaction_id);
	name_order(c, h, &h->rare->order_id, s->order_id);
}

/* ---- the cart that was ordered ---- */

/* What the order does not say of itself. */
static void fill_from(const struct cart_state *state, struct event *e)
{
	bool whole = state->has_items && !state->items_cut;

	if (!whole || e->item_count || e->items_cut || e->flags)
		return;
	e->from_cart = true;
	e->items = state->items;
	e->item_count = state->item_count;
	/* the total to pay has more in it than that */
	if (state->has_value && !(e->has & (SAID_VALUE | SAID_ITEMS_VALUE))) {
		e->has |= SAID_ITEMS_VALUE;
		e->items_value = state->value;
		if (!e->currency[0])
			memcpy(e->currency, state->value.currency, sizeof(e->currency));
	}
}

/* Its names are those of the fact from here on. */
static void tell_purchase(struct carts *c, struct holder *whose, const struct said *s,
			  struct deal *d, const struct cart_state *state)
{
	struct cart_state of = { .condition = CART_ORDERED };
	struct proof p;
	struct event e;

	event_of_said(c, EVENT_PURCHASE, s, &e);
	e.transaction_id = d->number;
	e.order_id = d->order_id;
	if (whose)
		e.site = text_slice(whose->site);
	if (whose && (!e.has_session || s->say == SAY_PAYMENT_NOTICE))
		event_of_visit(c, whose->session_id, whose->session_key, &e);
	if (state) {
		e.cart = state;
		fill_from(state, &e);
	} else if (s->cart && s->cart->id.len) { /* another host may know that cart */
		of.id = s->cart->id;
		e.cart = &of;
	}
	proof_of(c, s->t, &p);
	if (d->number.len)
		memcpy(e.event_id, d->number_id, KEY_BYTES);
	else
		event_named_by(c, &p, event_ordinal(c, EVENT_PURCHASE, &p), &e);
	memcpy(d->fact, e.event_id, KEY_BYTES);
	remember(c, d);
	c->options.event(c->options.ctx, &e);
	sold_keep(c, &e, s, state);
}

static void close_ordered(struct carts *c, struct holder *h, const struct said *s,
			  const struct interval *when, const struct deal *d)
{
	if (has_cart(h)) {
		h->cart.dirty = true;
		tell_cart(c, h, CART_ORDERED, s);
		c->stats.ordered++;
		cart_close(c, h);
	}
	asks_refused(c, h, when); /* what was asked for before is in the order, or never was */
	h->base = BASE_UNKNOWN;
	h->ordered = true;
	h->ordered_numbered = d->number.len;
	memcpy(h->ordered_id, d->fact, KEY_BYTES);
	h->closed_ns = when->end_ns;
}

/* The cart was shown after the order had ended: what is in it is another one. */
static bool is_next(const struct holder *h, const struct interval *when)
{
	const struct cart *cart = &h->cart;

	return cart->open && !cart->emptied && cart->shown.end_ns &&
	       since(cart->shown.at_ns, when->end_ns) >= 0;
}

static void order_before(struct carts *c, struct holder *h, const struct said *s,
			 const struct interval *when, struct deal *d)
{
	struct cart next = h->cart, *cart = &h->cart;
	char id[CART_ID_BYTES];
	struct cart_state state;

	if (cart->id)
		memcpy(id, cart->id->at, cart->id->len);
	cart->lines = NULL;
	cart->has_value = cart->has_quantity = false;
	cart->step = STEP_ORDER;
	cart_state_of(c, cart, CART_ORDERED, &state);
	tell_purchase(c, h, s, d, &state);
	close_ordered(c, h, s, when, d);
	cart_open(c, h, slice_of(cart->id ? id : NULL, cart->id ? cart->id->len : 0), &next.shown,
		  NULL, 0);
	content_free(c, cart->lines); /* of one that another visit held by that id: older */
	cart->lines = next.lines;
	cart->complete = next.complete;
	cart->behind = next.behind;
	cart->cut = next.cut;
	cart->has_value = next.has_value;
	cart->value = next.value;
	cart->has_quantity = next.has_quantity;
	cart->quantity = next.quantity;
	cart->shown = next.shown;
	cart->shown_say = next.shown_say;
	h->base = BASE_CART;
}

/* The cart of the order is not the one that the visit has now: it was ordered where this host did not see it. */
static bool is_of_another(const struct holder *h, const struct said *s)
{
	return has_cart(h) && s->cart && cart_is_other(&h->cart, s->cart->id) && !h->renamed;
}

static void order_cart(struct carts *c, struct holder *whose, const struct said *s,
		       const struct interval *when, struct deal *d)
{
	struct cart_state state;

	c->busy = whose;
	if (is_next(whose, when) && is_of_another(whose, s)) {
		tell_purchase(c, whose, s, d, NULL); /* the cart that it was is no more */
		return;
	}
	if (is_next(whose, when)) {
		order_before(c, whose, s, when, d);
		return;
	}
	whose->cart.step = STEP_ORDER;
	asks_leave_unknown(whose);
	cart_state_of(c, &whose->cart, CART_ORDERED, &state);
	state.last_activity_unix_ns = unix_of(c, whose->last_ns);
	tell_purchase(c, whose, s, d, &state);
	close_ordered(c, whose, s, when, d);
}

/* It is shown empty because it was ordered: what was in it before is what was. Not where that was so long before
 * that something else may have been put in since, unless the order was begun or the customer was away to pay. */
static void recall(struct carts *c, struct holder *h, const struct interval *when)
{
	struct cart *cart = &h->cart;
	const struct rare *r = h->rare;

	if (!cart->emptied)
		return;
	h->base = BASE_CART;
	if (cart->step >= STEP_PAYMENT || (r && (r->number || r->order_id)) ||
	    since(when->at_ns, cart->emptied_ns) <= (int64_t)c->options.unshown_ns)
		return;
	content_free(c, cart->lines);
	cart->lines = NULL;
	cart->complete = cart->has_value = cart->has_quantity = false;
	h->base = BASE_UNKNOWN;
}

/* ---- orders ---- */

/* The visit's last order once more: it has shown no cart since, and one of the two has no number. */
static bool is_last_again(struct carts *c, const struct holder *h, struct deal *d)
{
	if (!h || !h->ordered || (h->cart.open && !h->cart.emptied) ||
	    (d->number.len && h->ordered_numbered) ||
	    sold_is_other(sold_find(c, h->ordered_id), d->number, d->order_id))
		return false;
	memcpy(d->fact, h->ordered_id, KEY_BYTES);
	return true;
}

/* It was told before. A cart that is named with it and still open was ordered by it, if it was opened before
 * and it is known to have been told without one: otherwise it is the next that the shop gave the same id. */
static void order_again(struct carts *c, struct holder *whose, const struct said *s,
			const struct interval *when, const struct deal *d)
{
	const struct sold *sold = sold_find(c, d->fact);
	struct cart_state state;
	bool closes = has_cart(whose) && sold && !sold->has_cart &&
		      whose->cart.opened_unix_ns <= sold->time_unix_ns;

	remember(c, d);
	if (closes) {
		c->busy = whose;
		recall(c, whose, when);
		whose->cart.step = STEP_ORDER;
		asks_leave_unknown(whose);
		cart_state_of(c, &whose->cart, CART_ORDERED, &state);
		state.last_activity_unix_ns = unix_of(c, whose->last_ns);
	}
	sold_again(c, d->fact, s, closes ? &state : NULL);
	if (closes)
		close_ordered(c, whose, s, when, d);
}

/* Nobody's cart is named with an order that was told without a visit: it is of the visit that lands on it. */
static struct holder *lands(struct carts *c, struct holder *h, const struct said *s,
			    const struct deal *d)
{
	const struct sold *sold = sold_find(c, d->fact);

	return sold && !sold->has_session && !is_of_another(h, s) ? h : NULL;
}

void order_said(struct carts *c, struct holder *h, const struct said *s,
		const struct interval *when)
{
	struct holder *named = order_holder(c, s);
	struct holder *whose = has_cart(named) ? named : is_of_another(h, s) ? NULL : h;
	struct deal d;

	deal_of(c, has_cart(whose) ? whose : NULL, s, &d);
	if (is_known(c, &d) || is_last_again(c, h, &d)) {
		c->stats.orders_again++;
		order_again(c, has_cart(named) ? named : lands(c, h, s, &d), s, when, &d);
		if (h && h->ordered && !memcmp(h->ordered_id, d.fact, KEY_BYTES))
			h->ordered_numbered |= d.number.len > 0;
		return;
	}
	if (has_cart(whose))
		recall(c, whose, when);
	if (whose == h && has_cart(h) && s->cart)
		cart_shown(c, h, s, when, true);
	if (has_cart(whose))
		order_cart(c, whose, s, when, &d);
	else
		tell_purchase(c, h, s, &d, NULL);
	if (h && (h != whose || !h->ordered) && !has_cart(h))
		close_ordered(c, h, s, when, &d);
}

/* ---- notices of payment ---- */

static struct left *left_order(struct carts *c, const struct said *s)
{
	struct slice site = s->t->site;
	struct left *l = NULL;

	if (s->cart)
		l = left_find(c, NAME_CART, site, s->cart->id);
	if (!l)
		l = left_find(c, NAME_ORDER, site, s->transaction_id);
	return l ? l : left_find(c, NAME_ORDER, site, s->order_id);
}

/* Under each of its names. */
static void left_ordered(struct carts *c, struct left *l, struct slice site)
{
	struct left *const copies[] = { l, table_find(c->left, l->cart_name),
					left_find(c, NAME_VISITOR, site,
						  slice_of(l->session_key, KEY_BYTES)) };

	for (unsigned i = 0; i < 3; i++) {
		if (!copies[i] || memcmp(copies[i]->session_id, l->session_id, KEY_BYTES))
			continue;
		copies[i]->open = false;
		copies[i]->ordered = true;
	}
}

/* The visit was over; the order is still its. */
static void notice_of_left(struct carts *c, struct left *l, const struct said *s)
{
	struct said of = *s;
	struct transaction t = *s->t;
	struct deal d;

	deal_of(c, NULL, s, &d);
	t.has_session = true;
	memcpy(t.session_id, l->session_id, KEY_BYTES);
	memcpy(t.session_key, l->session_key, KEY_BYTES);
	of.t = &t;
	tell_purchase(c, NULL, &of, &d, NULL);
}

/* The order that the notice is about, where it was told before and nobody has been sent to pay since. */
static bool is_of_sold(struct carts *c, const struct holder *whose, const struct said *s,
		       struct deal *d)
{
	const struct sold *sold;

	if (is_known(c, d))
		return true;
	sold = s->cart ? sold_of_cart(c, s->t->site, s->cart->id) : NULL;
	if (!sold || sold->has_notice || sold_is_other(sold, s->transaction_id, s->order_id) ||
	    (has_cart(whose) && whose->cart.step >= STEP_PAYMENT))
		return false;
	memcpy(d->fact, sold->event_id, KEY_BYTES);
	return true;
}

/* Another host may know the cart or the order. */
static void tell_notice(struct carts *c, const struct said *s)
{
	struct cart_state state = { 0 };
	struct event e;

	event_of_said(c, EVENT_PAYMENT_NOTICE, s, &e);
	e.has_session = false;
	e.segment = (struct segment){ 0 };
	if (s->cart && s->cart->id.len) {
		state.id = s->cart->id;
		e.cart = &state;
	}
	if (s->transaction_id.len) {
		keys_event(c->options.keys, slice_str(event_kind_name(e.kind)), e.site,
			   s->transaction_id, e.event_id);
	} else {
		struct proof p;

		proof_of(c, s->t, &p);
		event_named_by(c, &p, event_ordinal(c, e.kind, &p), &e);
	}
	c->options.event(c->options.ctx, &e);
}

void notice_said(struct carts *c, const struct said *s, const struct interval *when)
{
	struct holder *whose = order_holder(c, s);
	struct left *l = whose ? NULL : left_order(c, s);
	bool left = l && l->open, known;
	struct deal d;

	deal_of(c, has_cart(whose) ? whose : NULL, s, &d);
	known = is_of_sold(c, whose, s, &d);
	if (left)
		left_ordered(c, l, s->t->site);
	if (has_cart(whose) && !known)
		recall(c, whose, when);
	if (known)
		order_again(c, whose, s, when, &d);
	else if (has_cart(whose))
		order_cart(c, whose, s, when, &d);
	else if (left)
		notice_of_left(c, l, s);
	else if (!whose && !(l && l->ordered)) {
		c->stats.notices_unknown++;
		tell_notice(c, s);
	}
}
