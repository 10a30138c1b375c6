/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sold.c: what was told of an order, kept while another exchange may know more of it: the page that the
 * customer lands on after the provider's notice, the notice after that page, a reload that shows another
 * state of the payment. What is new is added and the whole fact is told again under its id with the next
 * revision; the proof, the time and the visit stay those of the first.
 *
 * What was told is not taken back: of two values the first stays, but the shop's own word goes before the
 * provider's, lines that the order shows before those that its cart had lent it, and the state of the payment
 * is the latest. Amounts of two currencies are never in one fact.
 *
 * A record is of use while the visit of the order is known (later its segment could not be told again), and
 * for SOLD_NS. It is the first to go where content finds no room, and what does not fit into it unchanged is
 * not kept at all: a fact that is told again holds all that it held before.
 */
#include <stdlib.h>

#include "journey/cart/internal.h"

#define SOLD_MAX	4096
#define SOLD_NS		3600000000000ull
#define PARAMETER_BYTES 4096 /* of all that a rule of a site has besides */

/* ---- records ---- */

int sold_new(struct carts *c)
{
	int err = table_new(sizeof(struct sold), KEY_BYTES, SOLD_MAX, &c->sold);

	return err ? err : table_new(sizeof(struct order), KEY_BYTES, SOLD_MAX, &c->sold_carts);
}

void sold_drop(struct carts *c, struct sold *o)
{
	struct order *of_cart = o->has_cart_name ? table_find(c->sold_carts, o->cart_name) : NULL;

	if (of_cart && !memcmp(of_cart->fact, o->event_id, KEY_BYTES))
		table_remove(c->sold_carts, of_cart);
	for (unsigned i = 0; i < SOLD_TEXTS; i++)
		content_free(c, o->texts[i]);
	content_free(c, o->items);
	content_free(c, o->cart_items);
	table_remove(c->sold, o);
}

struct sold *sold_find(struct carts *c, const uint8_t fact[KEY_BYTES])
{
	return table_count(c->sold) ? table_find(c->sold, fact) : NULL;
}

struct sold *sold_of_cart(struct carts *c, struct slice site, struct slice cart_id)
{
	uint8_t name[KEY_BYTES];
	struct order *of_cart;

	if (!cart_id.len || !table_count(c->sold_carts))
		return NULL;
	name_of(c, NAME_CART, site, cart_id, name);
	of_cart = table_find(c->sold_carts, name);
	return of_cart ? sold_find(c, of_cart->fact) : NULL;
}

static bool differ(const struct text *a, struct slice b)
{
	return a && b.len && !slice_eq(text_slice(a), b);
}

bool sold_is_other(const struct sold *o, struct slice number, struct slice order_id)
{
	return o &&
	       (differ(o->texts[SOLD_NUMBER], number) || differ(o->texts[SOLD_ORDER_ID], order_id));
}

static struct sold *oldest(struct carts *c)
{
	struct sold *o = table_oldest(c->sold);

	return o && o == c->busy_sold ? table_newer(c->sold, o) : o;
}

bool sold_evict(struct carts *c)
{
	struct sold *o = oldest(c);

	if (!o)
		return false;
	sold_drop(c, o);
	c->stats.orders_unkept++;
	return true;
}

void sold_expire(struct carts *c)
{
	struct sold *o;

	while ((o = table_oldest(c->sold)) && since(c->now_ns, o->told_ns) > (int64_t)SOLD_NS)
		sold_drop(c, o);
}

void sold_free(struct carts *c)
{
	for (struct sold *o; c->sold && (o = table_oldest(c->sold));)
		sold_drop(c, o);
	table_free(c->sold);
	table_free(c->sold_carts);
}

/* ---- keeping ---- */

/* A name and a value after the other, each with its length in front. */
static struct text *keep_parameters(struct carts *c, const struct event *e, bool *full)
{
	char octets[PARAMETER_BYTES];
	size_t len = 0;

	for (uint32_t i = 0; i < e->parameter_count; i++) {
		const struct slice both[] = { e->parameters[i].name, e->parameters[i].value };

		for (unsigned k = 0; k < 2; k++) {
			uint32_t of = (uint32_t)both[k].len;

			if (both[k].len + sizeof(of) > sizeof(octets) - len) {
				*full = true;
				return NULL;
			}
			memcpy(octets + len, &of, sizeof(of));
			len += sizeof(of);
			if (of)
				memcpy(octets + len, both[k].at, of);
			len += of;
		}
	}
	return len ? text_new(c, slice_of(octets, len)) : NULL;
}

static uint32_t parameters_of(const struct text *t, struct parameter *ret)
{
	struct slice rest = text_slice(t);
	uint32_t n = 0;

	while (rest.len && n < SOLD_PARAMETERS) {
		struct slice both[2];

		for (unsigned k = 0; k < 2; k++) {
			uint32_t len;

			if (rest.len < sizeof(len))
				return n;
			memcpy(&len, rest.at, sizeof(len));
			rest = slice_sub(rest, sizeof(len), rest.len);
			both[k] = slice_sub(rest, 0, len);
			rest = slice_sub(rest, both[k].len, rest.len);
		}
		ret[n++] = (struct parameter){ .name = both[0], .value = both[1] };
	}
	return n;
}

static bool same_item(const struct item *a, const struct item *b)
{
	return slice_eq(a->id, b->id) && slice_eq(a->name, b->name) &&
	       slice_eq(a->variant, b->variant) && a->has_quantity == b->has_quantity &&
	       a->has_price == b->has_price;
}

/* As they are, or not at all. */
static struct lines *keep_lines(struct carts *c, const struct item *items, uint32_t count)
{
	struct lines *l;
	struct item kept;
	uint32_t cut = 0;

	l = lines_new(c, items, count, no_currency, NULL, NULL, &cut);
	for (uint32_t i = 0; l && !cut && i < count; i++) {
		line_item(l, i, &kept);
		cut += !same_item(&kept, &items[i]);
	}
	if (!cut)
		return l;
	content_free(c, l);
	return NULL;
}

static struct slice *text_at(struct event *e, unsigned which)
{
	struct slice *const at[] = {
		[SOLD_SITE] = &e->site,		[SOLD_NUMBER] = &e->transaction_id,
		[SOLD_ORDER_ID] = &e->order_id, [SOLD_STATUS] = &e->payment_status,
		[SOLD_COUPON] = &e->coupon,	[SOLD_REASON] = &e->reason,
		[SOLD_METHOD] = &e->method,	[SOLD_TERM] = &e->search_term,
		[SOLD_LIST] = &e->list_name
	};

	return at[which];
}

/* false: no room, or more than is kept. */
bool sold_text(struct carts *c, struct sold *o, unsigned which, struct slice s)
{
	if (!s.len)
		return true;
	if (s.len > SOLD_TEXT_BYTES)
		return false;
	o->texts[which] = text_new(c, s);
	return o->texts[which];
}

static bool keep_contents(struct carts *c, struct sold *o, const struct event *e)
{
	const struct cart_state *state = e->cart;
	bool full = e->parameter_count > SOLD_PARAMETERS;
	struct event of = *e;

	for (unsigned i = 0; i < SOLD_OF_EVENT; i++)
		full = full || !sold_text(c, o, i, *text_at(&of, i));
	if (!full && e->parameter_count)
		o->texts[SOLD_OWN] = keep_parameters(c, e, &full);
	full = full || (e->parameter_count && !o->texts[SOLD_OWN]);
	full = full || (state && !sold_text(c, o, SOLD_CART, state->id));
	if (!full && state && state->item_count) {
		o->cart_items = keep_lines(c, state->items, state->item_count);
		full = !o->cart_items;
	}
	o->lent_items = state && e->item_count && e->items == state->items;
	if (!full && e->item_count && !o->lent_items) {
		o->items = keep_lines(c, e->items, e->item_count);
		full = !o->items;
	}
	return !full;
}

static void keep_amounts(struct sold *o, uint32_t has, const struct amount of[SOLD_AMOUNTS],
			 const char currency[4], enum tax_basis basis)
{
	o->has = has;
	memcpy(o->amounts, of, sizeof(o->amounts));
	memcpy(o->currency, currency, sizeof(o->currency));
	o->tax_basis = (uint8_t)basis;
}

void sold_name_cart(struct carts *c, struct sold *o)
{
	struct slice id = text_slice(o->texts[SOLD_CART]);
	struct order *of_cart;

	if (!id.len)
		return;
	name_of(c, NAME_CART, text_slice(o->texts[SOLD_SITE]), id, o->cart_name);
	order_remember(c, c->sold_carts, o->cart_name, o->event_id);
	of_cart = table_find(c->sold_carts, o->cart_name);
	o->has_cart_name = of_cart;
}

struct sold *sold_add(struct carts *c, const uint8_t fact[KEY_BYTES])
{
	struct sold *o = sold_find(c, fact);

	if (o)
		sold_drop(c, o);
	o = table_add(c->sold, fact, NULL);
	if (!o && sold_evict(c))
		o = table_add(c->sold, fact, NULL);
	return o;
}

void sold_keep(struct carts *c, const struct event *e, const struct said *s, bool of_cart)
{
	const struct amount of[] = { e->value, e->tax, e->shipping, e->discount, e->items_value };
	struct sold *o = sold_add(c, e->event_id);
	struct segment segment;

	if (!o) {
		c->stats.orders_unkept++;
		return;
	}
	c->busy_sold = o;
	o->revision = e->revision;
	o->told_ns = o->status_ns = s->at_ns;
	o->time_unix_ns = e->time_unix_ns;
	o->has_session = e->has_session;
	memcpy(o->session_id, e->session_id, KEY_BYTES);
	memcpy(o->session_key, e->session_key, KEY_BYTES);
	o->has_segment = e->has_session && c->options.visit &&
			 c->options.visit(c->options.ctx, e->session_id, &segment);
	memcpy(o->trace_id, e->trace_id, sizeof(o->trace_id));
	memcpy(o->span_id, e->span_id, sizeof(o->span_id));
	o->has_notice = o->only_notice = s->say == SAY_PAYMENT_NOTICE;
	o->items_cut = e->items_cut;
	o->flags = e->flags;
	keep_amounts(o, e->has, of, e->currency, e->tax_basis);
	o->lent_value = e->from_cart && e->has & ~s->has & SAID_ITEMS_VALUE;
	o->has_cart = of_cart;
	if (e->cart)
		o->cart = *e->cart;
	o->cart.items = NULL;
	o->cart.id = slice_of(NULL, 0);
	if (keep_contents(c, o, e)) {
		sold_name_cart(c, o);
	} else {
		sold_drop(c, o);
		c->stats.orders_unkept++;
	}
	c->busy_sold = NULL;
}

/* ---- telling again ---- */

static void tell_next(struct carts *c, struct sold *o)
{
	struct parameter own[SOLD_PARAMETERS];
	struct cart_state state = o->cart;
	struct event e = { .kind = EVENT_PURCHASE,
			   .revision = ++o->revision,
			   .time_unix_ns = o->time_unix_ns,
			   .has_span = true,
			   .adds_value = o->adds_value,
			   .has = o->has,
			   .value = o->amounts[0],
			   .tax = o->amounts[1],
			   .shipping = o->amounts[2],
			   .discount = o->amounts[3],
			   .items_value = o->amounts[4],
			   .tax_basis = (enum tax_basis)o->tax_basis,
			   .items_cut = o->items_cut,
			   .from_cart = o->lent_items || o->lent_value,
			   .parameters = own,
			   .flags = o->flags };

	memcpy(e.event_id, o->event_id, KEY_BYTES);
	memcpy(e.trace_id, o->trace_id, sizeof(e.trace_id));
	memcpy(e.span_id, o->span_id, sizeof(e.span_id));
	memcpy(e.currency, o->currency, sizeof(e.currency));
	for (unsigned i = 0; i < SOLD_OF_EVENT; i++)
		*text_at(&e, i) = text_slice(o->texts[i]);
	e.parameter_count = parameters_of(o->texts[SOLD_OWN], own);
	if (o->has_session)
		event_of_visit(c, o->session_id, o->session_key, &e);
	if (o->has_cart || o->texts[SOLD_CART]) {
		state.id = text_slice(o->texts[SOLD_CART]);
		state.items = c->state_items;
		lines_to(o->cart_items, c->state_items, &state.item_count);
		e.cart = &state;
	}
	e.items = o->lent_items ? state.items : c->order_items;
	e.item_count = state.item_count;
	if (!o->lent_items)
		lines_to(o->items, c->order_items, &e.item_count);
	c->options.event(c->options.ctx, &e);
	c->stats.orders_completed++;
}

/* ---- what is new ---- */

/* What the goods of the cart were worth, now that the order says more of its own. */
static void give_back(struct sold *o)
{
	if (o->lent_value)
		o->has &= ~(uint32_t)SAID_ITEMS_VALUE;
	o->lent_value = false;
}

/* Of one currency, or of none: those of one fact never are of two. */
static bool add_amounts(struct sold *o, const struct said *s, bool first)
{
	const struct amount of[] = { s->value, s->tax, s->shipping, s->discount, s->items_value };
	bool same = !memcmp(o->currency, s->currency, sizeof(o->currency)), more = false;

	if (!s->has) {
		more = !o->has && !o->currency[0] && s->currency[0];
		if (more)
			memcpy(o->currency, s->currency, sizeof(o->currency));
		return more;
	}
	if (!same && o->has && (!s->currency[0] || (o->currency[0] && !first)))
		return false;
	if (!same) {
		keep_amounts(o, s->has, of, s->currency, s->tax_basis);
		o->lent_value = false;
		return true;
	}
	if (s->has & SAID_ITEMS_VALUE)
		give_back(o);
	for (unsigned i = 0; i < SOLD_AMOUNTS; i++) {
		const uint32_t bit = 1u << i;

		if (!(s->has & bit) || (o->has & bit && !first) ||
		    (o->has & bit && amount_same(&o->amounts[i], &of[i])))
			continue;
		o->has |= bit;
		o->amounts[i] = of[i];
		more = true;
	}
	if (o->tax_basis == TAX_UNKNOWN && s->tax_basis != TAX_UNKNOWN) {
		o->tax_basis = (uint8_t)s->tax_basis;
		more = true;
	}
	return more;
}

static bool add_text(struct carts *c, struct sold *o, unsigned which, struct slice s, bool instead)
{
	struct text *fresh;

	if (!s.len || s.len > SOLD_TEXT_BYTES || (o->texts[which] && !instead) ||
	    slice_eq(text_slice(o->texts[which]), s))
		return false;
	fresh = text_new(c, s);
	if (!fresh)
		return false;
	content_free(c, o->texts[which]);
	o->texts[which] = fresh;
	return true;
}

static bool add_texts(struct carts *c, struct sold *o, const struct said *s)
{
	bool later = since(s->at_ns, o->status_ns) >= 0, more;

	more = add_text(c, o, SOLD_NUMBER, s->transaction_id, false);
	more |= add_text(c, o, SOLD_ORDER_ID, s->order_id, false);
	more |= add_text(c, o, SOLD_STATUS, s->payment_status, later);
	more |= add_text(c, o, SOLD_COUPON, s->coupon, false);
	more |= add_text(c, o, SOLD_REASON, s->reason, false);
	more |= add_text(c, o, SOLD_METHOD, s->method, false);
	more |= add_text(c, o, SOLD_TERM, s->search_term, false);
	more |= add_text(c, o, SOLD_LIST, s->list_name, false);
	if (s->payment_status.len && later)
		o->status_ns = s->at_ns;
	return more;
}

/* A list that may lack some is worth less than any that is whole. */
static bool add_items(struct carts *c, struct sold *o, const struct said *s)
{
	bool whole = !s->items_cut && !s->flags, more;
	struct lines *fresh;

	if (!s->item_count)
		return false;
	if ((o->items || o->lent_items) && !(whole && (o->lent_items || o->items_cut || o->flags)))
		return false;
	fresh = keep_lines(c, s->items, s->item_count);
	if (!fresh)
		return false;
	more = !lines_same(fresh, o->lent_items ? o->cart_items : o->items) || o->items_cut ||
	       o->flags;
	content_free(c, o->items);
	o->items = fresh;
	o->lent_items = false;
	give_back(o);
	o->items_cut = s->items_cut;
	o->flags = s->say == SAY_PURCHASE ? s->flags : o->flags | s->flags;
	return more;
}

static bool add_parameters(struct carts *c, struct sold *o, const struct said *s)
{
	const struct event e = { .parameters = s->parameters,
				 .parameter_count = s->parameter_count };
	bool full = s->parameter_count > SOLD_PARAMETERS;

	if (!s->parameter_count || full || o->texts[SOLD_OWN])
		return false;
	o->texts[SOLD_OWN] = keep_parameters(c, &e, &full);
	return o->texts[SOLD_OWN];
}

static bool add_visit(struct carts *c, struct sold *o, const struct said *s)
{
	struct segment segment;

	if (o->has_session || !s->t->has_session || s->say == SAY_PAYMENT_NOTICE)
		return false;
	o->has_session = true;
	memcpy(o->session_id, s->t->session_id, KEY_BYTES);
	memcpy(o->session_key, s->t->session_key, KEY_BYTES);
	o->has_segment =
		c->options.visit && c->options.visit(c->options.ctx, o->session_id, &segment);
	return true;
}

/* It was told without one. */
static bool add_cart(struct carts *c, struct sold *o, const struct cart_state *state)
{
	struct lines *fresh = NULL;

	if (!state || o->has_cart || state->id.len > SOLD_TEXT_BYTES)
		return false;
	if (state->item_count)
		fresh = keep_lines(c, state->items, state->item_count);
	if (state->item_count && !fresh)
		return false;
	o->cart = *state;
	o->cart.items = NULL;
	o->cart.id = slice_of(NULL, 0);
	o->cart_items = fresh;
	o->has_cart = true;
	add_text(c, o, SOLD_CART, state->id, false);
	sold_name_cart(c, o);
	return true;
}

static bool has_value(const struct sold *o)
{
	return o->has & SAID_VALUE && (o->currency[0] || o->amounts[0].currency[0]);
}

void sold_again(struct carts *c, const uint8_t fact[KEY_BYTES], const struct said *s,
		const struct cart_state *state)
{
	struct sold *o = sold_find(c, fact);
	bool shop = s->say == SAY_PURCHASE, valued, more;
	struct segment segment;

	if (!o)
		return;
	/* the visit is over: what it was could not be told again */
	if (o->has_segment && !c->options.visit(c->options.ctx, o->session_id, &segment)) {
		sold_drop(c, o);
		return;
	}
	c->busy_sold = o;
	valued = has_value(o);
	more = add_cart(c, o, state);
	more |= add_amounts(o, s, shop && o->only_notice);
	more |= add_texts(c, o, s);
	more |= add_items(c, o, s);
	more |= add_parameters(c, o, s);
	more |= add_visit(c, o, s);
	o->only_notice = o->only_notice && !shop;
	o->has_notice |= !shop;
	o->adds_value = !valued && has_value(o);
	if (more) {
		o->flags |= s->flags;
		o->told_ns = s->at_ns;
		table_touch(c->sold, o);
		tell_next(c, o);
	}
	c->busy_sold = NULL;
}
