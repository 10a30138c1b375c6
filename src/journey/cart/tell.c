/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tell.c: struct event as it goes out: whose it is, by what it is known again (event.h has the contract of
 * ids and revisions), which exchange proves it, and the cart as it stands. Decides nothing.
 */
#include <endian.h>

#include "journey/cart/internal.h"

/* ---- which exchange ---- */

static void add(struct proof *p, const void *at, uint32_t len)
{
	memcpy(p->exchange + p->exchange_len, at, len);
	p->exchange_len += len;
}

static void add_u32(struct proof *p, uint32_t v)
{
	v = htole32(v);
	add(p, &v, sizeof(v));
}

static void add_u64(struct proof *p, uint64_t v)
{
	v = htole64(v);
	add(p, &v, sizeof(v));
}

void proof_of(const struct carts *c, const struct transaction *t, struct proof *ret)
{
	*ret = (struct proof){ .has_span = true };
	memcpy(ret->trace_id, t->trace_id, sizeof(ret->trace_id));
	memcpy(ret->span_id, t->span_id, sizeof(ret->span_id));
	if (t->unobserved & UNOBSERVED_EXCHANGE) {
		add(ret, "u", 1);
		add_u64(ret, t->connection_id);
		add_u64(ret, t->request.pos);
		add_u64(ret, unix_of(c, t->start_ns) / NS_PER_MS_);
		return;
	}
	add_u32(ret, t->isn_client);
	add_u32(ret, t->isn_server);
	add_u64(ret, t->exchange_pos);
}

/* Everything said of one transaction comes together. */
uint32_t event_ordinal(struct carts *c, enum event_kind kind, const struct proof *p)
{
	if (p->exchange_len != c->latest.exchange_len ||
	    memcmp(p->exchange, c->latest.exchange, p->exchange_len)) {
		c->latest = *p;
		memset(c->told, 0, sizeof(c->told));
	}
	return c->told[kind]++;
}

static struct slice name_of_event(const struct event *e)
{
	return e->kind == EVENT_OWN ? e->name : slice_str(event_kind_name(e->kind));
}

void event_named_by(struct carts *c, const struct proof *p, uint32_t ordinal, struct event *e)
{
	uint8_t what[sizeof(p->exchange) + sizeof(ordinal)];

	ordinal = htole32(ordinal);
	memcpy(what, p->exchange, p->exchange_len);
	memcpy(what + p->exchange_len, &ordinal, sizeof(ordinal));
	keys_event(c->options.keys, name_of_event(e), e->site,
		   slice_of(what, p->exchange_len + sizeof(ordinal)), e->event_id);
}

/* ---- what it says ---- */

void event_of_visit(struct carts *c, const uint8_t id[KEY_BYTES], const uint8_t key[KEY_BYTES],
		    struct event *e)
{
	e->has_session = true;
	memcpy(e->session_id, id, KEY_BYTES);
	memcpy(e->session_key, key, KEY_BYTES);
	if (!c->options.visit || !c->options.visit(c->options.ctx, id, &e->segment))
		e->segment = (struct segment){ 0 };
}

void event_of_holder(struct carts *c, enum event_kind kind, const struct holder *h,
		     struct event *ret)
{
	*ret = (struct event){ .kind = kind, .revision = 1, .site = text_slice(h->site) };
	event_of_visit(c, h->session_id, h->session_key, ret);
}

static void of_transaction(struct carts *c, const struct said *s, struct event *e)
{
	struct proof p;

	proof_of(c, s->t, &p);
	e->has_span = p.has_span;
	memcpy(e->trace_id, p.trace_id, sizeof(e->trace_id));
	memcpy(e->span_id, p.span_id, sizeof(e->span_id));
	e->time_unix_ns = unix_of(c, s->at_ns);
	e->rule = s->rule;
	e->flags = s->flags;
}

void event_of_said(struct carts *c, enum event_kind kind, const struct said *s, struct event *ret)
{
	*ret = (struct event){ .kind = kind,
			       .name = s->name,
			       .revision = 1,
			       .site = s->t->site,
			       .has = s->has,
			       .value = s->value,
			       .tax = s->tax,
			       .shipping = s->shipping,
			       .discount = s->discount,
			       .items_value = s->items_value,
			       .tax_basis = s->tax_basis,
			       .transaction_id = s->transaction_id,
			       .order_id = s->order_id,
			       .payment_status = s->payment_status,
			       .coupon = s->coupon,
			       .reason = s->reason,
			       .search_term = s->search_term,
			       .list_name = s->list_name,
			       .method = s->method,
			       .items = s->items,
			       .item_count = s->item_count,
			       .items_cut = s->items_cut,
			       .parameters = s->parameters,
			       .parameter_count = s->parameter_count };
	memcpy(ret->currency, s->currency, sizeof(ret->currency));
	of_transaction(c, s, ret);
	if (s->t->has_session)
		event_of_visit(c, s->t->session_id, s->t->session_key, ret);
}

/* ---- the cart as it stands ---- */

/* The lines that the latest answer showed. */
static uint32_t lines_shown(struct carts *c, const struct cart *cart, bool *cut)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < cart->lines->count; i++) {
		if (cart->lines->at[i].has & LINE_BEHIND)
			*cut = true;
		else
			line_item(cart->lines, i, &c->state_items[n++]);
	}
	return n;
}

static void count_pieces(const struct item *items, uint32_t count, struct cart_state *s)
{
	struct amount sum = { 0 };

	for (uint32_t i = 0; i < count; i++)
		if (!items[i].has_quantity || !amount_add(&sum, &items[i].quantity, 1, &sum))
			return;
	s->has_quantity = true;
	s->quantity = sum;
}

void cart_state_of(struct carts *c, const struct cart *cart, enum cart_condition condition,
		   struct cart_state *ret)
{
	*ret = (struct cart_state){ .id = text_slice(cart->id),
				    .condition = condition,
				    .step = cart->step,
				    .recovered = cart->recovered,
				    .opened_unix_ns = cart->opened_unix_ns };
	if (condition == CART_EMPTIED) {
		ret->has_items = ret->has_quantity = true;
		return;
	}
	if (cart->unshown)
		return;
	ret->has_value = cart->has_value;
	ret->value = cart->value;
	ret->has_quantity = cart->has_quantity;
	ret->quantity = cart->quantity;
	if (!cart->lines || cart->behind)
		return;
	ret->items_cut = cart->cut || !cart->complete;
	ret->items = c->state_items;
	ret->item_count = lines_shown(c, cart, &ret->items_cut);
	ret->has_items = ret->item_count;
	if (!ret->has_quantity && !ret->items_cut)
		count_pieces(ret->items, ret->item_count, ret);
}

/* A step and a look are of the cart as it is, where the answer does not say more. */
static void fill_from(const struct cart_state *state, struct event *e)
{
	if (!(e->has & SAID_VALUE) && state->has_value) {
		e->has |= SAID_VALUE;
		e->from_cart = true;
		e->value = state->value;
		if (!e->currency[0])
			memcpy(e->currency, state->value.currency, sizeof(e->currency));
	}
	if (!e->item_count && !e->items_cut && state->has_items) {
		e->from_cart = true;
		e->items = state->items;
		e->item_count = state->item_count;
		e->items_cut = state->items_cut;
	}
}

/* What is told late was so before the cart became what it is now. */
static bool shown_since(const struct cart *cart, const struct said *s)
{
	const struct interval when = interval_of(s);

	return cart->shown.end_ns && since(cart->shown.at_ns, when.end_ns) > 0;
}

static bool is_of_cart(enum event_kind kind)
{
	return kind >= EVENT_VIEW_CART && kind <= EVENT_ADD_PAYMENT_INFO;
}

static void tell(struct carts *c, enum event_kind kind, const struct holder *h,
		 const struct said *s, bool again)
{
	struct cart_state state;
	struct event e;
	struct proof p;

	event_of_said(c, kind, s, &e);
	e.again = again;
	if (h && !e.has_session)
		event_of_visit(c, h->session_id, h->session_key, &e);
	if (h && h->cart.open && !h->cart.emptied && kind >= EVENT_ADD_TO_CART &&
	    !shown_since(&h->cart, s)) {
		cart_state_of(c, &h->cart, CART_OPEN, &state);
		state.last_activity_unix_ns = unix_of(c, h->last_ns);
		e.cart = &state;
		if (is_of_cart(kind))
			fill_from(&state, &e);
	}
	proof_of(c, s->t, &p);
	if (kind == EVENT_PAYMENT_ERROR && s->transaction_id.len)
		keys_event(c->options.keys, slice_str(event_kind_name(kind)), e.site,
			   s->transaction_id, e.event_id);
	else
		event_named_by(c, &p, event_ordinal(c, kind, &p), &e);
	c->options.event(c->options.ctx, &e);
}

void tell_said(struct carts *c, enum event_kind kind, const struct holder *h, const struct said *s)
{
	tell(c, kind, h, s, false);
}

void tell_again(struct carts *c, enum event_kind kind, const struct said *s)
{
	tell(c, kind, NULL, s, true);
}

/* ---- facts of the cart itself ---- */

/* Two words of one content are still two. Of what nobody showed any word counts more. */
static uint64_t next_revision(const struct carts *c, struct cart *cart)
{
	uint64_t known = cart->known_ns ? unix_of(c, cart->known_ns) : 0;

	cart->revision = known > cart->revision ? known : cart->revision + 1;
	return cart->revision;
}

static void of_cart(const struct carts *c, struct cart *cart, const struct cart_state *state,
		    struct event *e)
{
	e->revision = next_revision(c, cart);
	e->cart = state;
	if (state->has_value) {
		e->has |= SAID_VALUE;
		e->value = state->value;
		memcpy(e->currency, state->value.currency, sizeof(e->currency));
	}
	e->items = state->items;
	e->item_count = state->item_count;
	e->items_cut = state->items_cut;
}

void tell_cart(struct carts *c, struct holder *h, enum cart_condition condition,
	       const struct said *s)
{
	struct cart_state state;
	struct event e;

	if (!h->cart.open || !h->cart.dirty)
		return;
	h->cart.dirty = false;
	event_of_holder(c, EVENT_CART, h, &e);
	cart_state_of(c, &h->cart, condition, &state);
	state.last_activity_unix_ns = unix_of(c, h->last_ns);
	e.time_unix_ns = state.last_activity_unix_ns;
	if (s)
		of_transaction(c, s, &e);
	memcpy(e.event_id, h->cart.event_id, KEY_BYTES);
	of_cart(c, &h->cart, &state, &e);
	c->options.event(c->options.ctx, &e);
}

void tell_empty(struct carts *c, struct holder *h, const struct said *s, uint64_t at_ns)
{
	struct cart_state state = { .condition = CART_EMPTIED, .has_quantity = true };
	struct event e;

	h->empty_ns = 0;
	event_of_holder(c, EVENT_CART, h, &e);
	e.revision = e.time_unix_ns = unix_of(c, at_ns);
	state.last_activity_unix_ns = unix_of(c, h->last_ns);
	e.cart = &state;
	if (s) {
		struct proof p;

		of_transaction(c, s, &e);
		proof_of(c, s->t, &p);
		event_named_by(c, &p, event_ordinal(c, EVENT_CART, &p), &e);
	} else {
		keys_event(c->options.keys, name_of_event(&e), e.site,
			   slice_of(h->session_id, KEY_BYTES), e.event_id);
	}
	c->options.event(c->options.ctx, &e);
}

void tell_abandoned(struct carts *c, struct holder *h, enum end_reason reason,
		    const struct segment *segment, uint64_t last_unix_ns)
{
	bool left = reason == END_TIMEOUT || reason == END_CAP;
	struct cart_state state;
	struct preceded preceded;
	struct event e;

	cart_state_of(c, &h->cart, left ? CART_ABANDONED : CART_OPEN, &state);
	state.last_activity_unix_ns = last_unix_ns ? last_unix_ns : unix_of(c, h->last_ns);
	trouble_tell(h, &preceded);
	event_of_holder(c, EVENT_CART, h, &e);
	if (segment)
		e.segment = *segment;
	e.time_unix_ns = state.last_activity_unix_ns;
	if (left) {
		of_cart(c, &h->cart, &state, &e);
		memcpy(e.event_id, h->cart.event_id, KEY_BYTES);
		c->options.event(c->options.ctx, &e);
	}
	e.kind = EVENT_CART_ABANDONED;
	of_cart(c, &h->cart, &state, &e);
	memcpy(e.event_id, h->cart.abandoned_id, KEY_BYTES);
	e.end_reason = reason;
	e.preceded = &preceded;
	c->options.event(c->options.ctx, &e);
}
