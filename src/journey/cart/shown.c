/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shown.c: an answer that shows a cart: is it later than what is known, does it open a cart or empty one,
 * and what is in it from here on. What moved goes to ask.c, which knows whether somebody asked for it.
 *
 * Of two answers to requests that overlapped nobody knows which was made first. Where both had asked to
 * add, the fuller one is taken for the later, where both had asked to remove, the emptier one: so a double
 * click ends as it did in the shop. Otherwise the one that ended later is.
 */
#include "journey/cart/internal.h"

static uint64_t later_of(uint64_t a, uint64_t b)
{
	return since(a, b) > 0 ? a : b;
}

struct interval interval_of(const struct said *s)
{
	const struct transaction *t = s->t;
	struct interval when = { s->at_ns, s->at_ns };

	if (!(t->unobserved & UNOBSERVED_END))
		when.end_ns = t->start_ns + t->duration_ns;
	else if (!(t->unobserved & UNOBSERVED_FIRST_BYTE))
		when.end_ns = t->start_ns + t->first_byte_ns;
	when.end_ns = later_of(when.end_ns, when.at_ns);
	return when;
}

/* 1: more is in it than before, and nothing less. */
static int way_of(const struct difference *d)
{
	if (d->by_lines || d->partial)
		return (d->up_count > 0) - (d->down_count > 0);
	return d->quantity_way ? d->quantity_way : d->value_way;
}

static bool is_newer(const struct cart *cart, const struct said *s, const struct interval *when,
		     const struct difference *d)
{
	int way = way_of(d);

	if (!cart->shown.end_ns || since(when->at_ns, cart->shown.end_ns) >= 0)
		return true;
	if (since(when->end_ns, cart->shown.at_ns) < 0)
		return false;
	if (way && s->say == cart->shown_say && s->say == SAY_ADD_TO_CART)
		return way > 0;
	if (way && s->say == cart->shown_say && s->say == SAY_REMOVE_FROM_CART)
		return way < 0;
	if (when->end_ns != cart->shown.end_ns)
		return since(when->end_ns, cart->shown.end_ns) > 0;
	return since(when->at_ns, cart->shown.at_ns) >= 0;
}

static void note_shown(struct cart *cart, const struct said *s, const struct interval *when)
{
	cart->shown.at_ns = when->at_ns;
	cart->shown.end_ns = later_of(when->end_ns, cart->shown.end_ns);
	cart->shown_say = (uint8_t)s->say;
	cart->known_ns = later_of(when->end_ns, cart->known_ns);
}

/* ---- a cart begins ---- */

static bool shares_lines(struct carts *c, const struct left *l, const struct item *items,
			 uint32_t count)
{
	bool known = false;

	for (unsigned k = 0; k < 4; k++)
		known |= l->lines[k];
	for (uint32_t i = 0; known && i < count; i++) {
		struct item item;
		uint32_t mark;

		item_clean(&items[i], no_currency, &item);
		mark = (uint32_t)item_mark(c, &item, !item.id.at);
		for (unsigned k = 0; mark && k < 4; k++)
			if (l->lines[k] == mark)
				return true;
	}
	return false;
}

/* Which cart that was left goes on here? */
static struct left *left_of(struct carts *c, struct holder *h, const struct item *items,
			    uint32_t count)
{
	struct slice id = text_slice(h->cart.id), site = text_slice(h->site);
	struct left *l = left_find(c, NAME_CART, site, id);

	if (l && l->open)
		return l;
	l = left_find(c, NAME_VISITOR, site, slice_of(h->session_key, KEY_BYTES));
	if (!l || !l->open || (id.len && l->has_id))
		return NULL;
	if (!memcmp(l->session_id, h->session_id, KEY_BYTES))
		return l;
	/* the visitor's, if it is seen to be that one: by what is in it, or as nobody has asked for anything */
	return shares_lines(c, l, items, count) || (!count && !h->asks) ? l : NULL;
}

static void go_on_from(struct carts *c, struct holder *h, struct left *l)
{
	struct cart *cart = &h->cart;
	struct slice site = text_slice(h->site);
	struct left *other;
	uint8_t key[KEY_BYTES];

	cart->recovered = l->recovered || memcmp(l->session_id, h->session_id, KEY_BYTES);
	cart->step = l->step;
	cart->told = l->told;
	cart->opened_unix_ns = l->opened_unix_ns;
	if (cart->revision < l->revision)
		cart->revision = l->revision;
	memcpy(key, l->session_key, KEY_BYTES);
	other = left_find(c, NAME_CART, site, text_slice(cart->id));
	if (other)
		table_remove(c->left, other);
	other = left_find(c, NAME_VISITOR, site, slice_of(key, KEY_BYTES));
	if (other)
		other->open = false;
}

/* What precedes goes with the cart, and by which order it may be known. */
static void take_rare(struct carts *c, struct holder *h, struct holder *from)
{
	struct rare *own = h->rare;

	if (!from->rare)
		return;
	if (from->rare->has_next_key)
		named_unset(c, from, NAME_VISITOR, slice_of(from->rare->next_key, KEY_BYTES));
	h->rare = from->rare;
	from->rare = own;
	h->rare->has_next_key = own && own->has_next_key;
	if (own) {
		memcpy(h->rare->next_key, own->next_key, KEY_BYTES);
		own->has_next_key = false;
	}
	named_set(c, h, NAME_ORDER, text_slice(h->rare->number));
	named_set(c, h, NAME_ORDER, text_slice(h->rare->order_id));
}

void cart_take_over(struct carts *c, struct holder *h, struct holder *from)
{
	uint32_t before = h->cart.ordinal, its = from->cart.ordinal;
	uint64_t revision = h->cart.revision;

	loose_drop(c, from);
	named_unset(c, h, NAME_CART, text_slice(h->cart.id));
	cart_clear(c, &h->cart);
	h->cart = from->cart;
	/* the next one of the same id is another than any before, in either visit */
	h->cart.ordinal = before > its ? before + 1 : its + 1;
	h->cart.dirty = true;
	from->cart = (struct cart){ .ordinal = its, .revision = h->cart.revision };
	if (h->cart.revision < revision)
		h->cart.revision = revision;
	take_rare(c, h, from);
	asks_move(c, from, h);
	named_set(c, h, NAME_CART, text_slice(h->cart.id));
	h->base = from->base;
	from->base = BASE_UNKNOWN;
	h->ordered = h->ordered_numbered = false;
	holder_place(c, from);
	holder_place(c, h);
}

/* One cart, by its id, that is open in another visit. */
static bool take_by_id(struct carts *c, struct holder *h, struct slice id)
{
	struct holder *from = named_find(c, NAME_CART, text_slice(h->site), id);

	if (!from || from == h || !from->cart.open || from->cart.emptied)
		return false;
	cart_take_over(c, h, from);
	h->cart.recovered = true;
	return true;
}

/* The place of the latest cart of that id that was ordered, in this visit or another; 0: none. */
static uint32_t ordered_before(struct carts *c, const struct holder *h, struct slice id)
{
	const struct holder *other;
	const struct left *l;

	if (!id.len)
		return 0;
	if (h->ordered && slice_eq(text_slice(h->cart.id), id))
		return h->cart.ordinal;
	other = named_find(c, NAME_CART, text_slice(h->site), id);
	if (other && other->ordered && slice_eq(text_slice(other->cart.id), id))
		return other->cart.ordinal;
	l = left_find(c, NAME_CART, text_slice(h->site), id);
	return l && l->ordered ? l->ordinal : 0;
}

void cart_open(struct carts *c, struct holder *h, struct slice id, const struct interval *when,
	       const struct item *items, uint32_t count)
{
	struct cart *cart = &h->cart;
	uint32_t before = ordered_before(c, h, id);
	struct left *l;

	h->ordered = h->ordered_numbered = false;
	trouble_clear(c, h);
	if (take_by_id(c, h, id))
		return;
	named_unset(c, h, NAME_CART, text_slice(cart->id));
	cart_clear(c, cart);
	cart->ordinal = (before > cart->ordinal ? before : cart->ordinal) + 1;
	cart->open = cart->dirty = true;
	cart->step = STEP_CART;
	cart->opened_unix_ns = unix_of(c, when->at_ns);
	text_set(c, &cart->id, id);
	named_set(c, h, NAME_CART, text_slice(cart->id));
	cart_ids(c, h, before);
	c->stats.opened++;
	c->stats.open++;
	l = left_of(c, h, items, count);
	if (l)
		go_on_from(c, h, l);
	holder_place(c, h);
}

/* The visit shows another cart: what became of this one, nobody saw. By its id it is another one, unless the
 * visitor logged in and some of its lines are still there. What was asked for is of the other. */
static void let_go(struct carts *c, struct holder *h)
{
	tell_abandoned(c, h, END_EVICTED, NULL, 0);
	c->stats.evicted++;
	cart_close(c, h);
	h->base = BASE_UNKNOWN;
}

static void learn_id(struct carts *c, struct holder *h, struct slice id)
{
	if (!id.len || slice_eq(text_slice(h->cart.id), id))
		return;
	named_unset(c, h, NAME_CART, text_slice(h->cart.id));
	text_set(c, &h->cart.id, id);
	named_set(c, h, NAME_CART, id);
	h->cart.dirty = true;
}

/* ---- and ends empty ---- */

static void show_empty(struct carts *c, struct holder *h, const struct said *s,
		       const struct interval *when)
{
	struct cart *cart = &h->cart;
	/* nothing is no pieces */
	struct look l = { .empty = true, .has_quantity = true, .currency = s->currency };
	bool keep[ITEMS_MAX], asked;
	struct difference d;

	cart_compare(c, h, &l, &d, keep);
	if (!is_newer(cart, s, when, &d)) {
		c->stats.late++;
		return;
	}
	note_shown(cart, s, when);
	if (!cart->open || cart->emptied) {
		asks_settle(c, h, when, &(struct difference){ .base_known = true }, true);
		if (h->base != BASE_EMPTY)
			tell_empty(c, h, s, when->end_ns);
		else
			h->empty_ns = when->end_ns;
		h->base = BASE_EMPTY;
		return;
	}
	asked = asks_explain(c, h, s, when, &d);
	asks_settle(c, h, when, &d, true);
	cart->emptied = cart->dirty = true;
	cart->emptied_ns = when->end_ns;
	cart->unshown = false;
	tell_cart(c, h, CART_EMPTIED, s);
	h->base = BASE_EMPTY;
	holder_place(c, h);
	if (asked)
		cart_emptied(c, h);
}

void cart_emptied(struct carts *c, struct holder *h)
{
	c->stats.emptied++;
	cart_close(c, h);
}

/* ---- what is in it ---- */

/* Returns the lines that were there before, for who still tells of them. */
static struct lines *take_lines(struct carts *c, struct holder *h, const struct look *l,
				const bool keep[ITEMS_MAX])
{
	struct cart *cart = &h->cart;
	struct lines *old = cart->lines, *fresh;
	bool complete = h->base == BASE_EMPTY || (h->base == BASE_CART && cart->complete);
	uint32_t cut = 0;

	fresh = lines_new(c, l->items, l->item_count, l->currency, l->whole ? NULL : old, keep,
			  &cut);
	c->stats.items_cut += cut;
	cart->cut = !fresh || !l->whole || cut;
	cart->complete = fresh && !cut && (l->whole || complete);
	if (l->whole)
		cart->behind = false;
	if (fresh && lines_same(fresh, old)) {
		content_free(c, fresh);
		return NULL;
	}
	cart->lines = fresh;
	cart->dirty = true;
	return old;
}

static void take_amount(bool *has, struct amount *to, bool shown, const struct amount *as,
			bool touched, bool *dirty)
{
	if (shown) {
		*dirty |= !*has || !amount_same(to, as);
		*has = true;
		*to = *as;
	} else if (touched && *has) {
		*has = false;
		*dirty = true;
	}
}

static struct lines *take(struct carts *c, struct holder *h, const struct look *l,
			  const struct difference *d, const bool keep[ITEMS_MAX])
{
	struct cart *cart = &h->cart;
	struct lines *old = NULL;
	bool shown = l->has_value && cart->has_value && amount_same(&l->value, &cart->value);
	bool same_pieces = l->has_quantity && cart->has_quantity && !d->quantity_way;
	/* what was not shown again may not be so any more */
	bool touched = d->moved || h->asks || cart->unshown;

	if (l->item_count) {
		old = take_lines(c, h, l, keep);
	} else if (cart->lines && !cart->behind && !same_pieces && !(shown && !h->asks) &&
		   touched) {
		cart->behind = cart->dirty = true;
	}
	take_amount(&cart->has_value, &cart->value, l->has_value, &l->value, touched, &cart->dirty);
	take_amount(&cart->has_quantity, &cart->quantity, l->has_quantity, &l->quantity, touched,
		    &cart->dirty);
	if (cart->unshown) {
		cart->unshown = false;
		cart->dirty = true;
	}
	return old;
}

/* ---- an answer ---- */

/* Is there a cart that the answer can be about? It may be opened for it. */
static bool find_cart(struct carts *c, struct holder *h, const struct said *s, const struct look *l,
		      const struct interval *when, bool to_order)
{
	struct cart *cart = &h->cart;

	if (to_order)
		return cart->open;
	if (cart->open && !cart->emptied)
		return true;
	if ((h->ordered && since(when->at_ns, h->closed_ns) < 0) ||
	    !is_newer(cart, s, when, &(struct difference){ 0 })) {
		c->stats.late++;
		return false;
	}
	if (cart->emptied)
		cart_emptied(c, h);
	cart_open(c, h, l->id, when, l->items, l->item_count);
	return true;
}

void cart_shown(struct carts *c, struct holder *h, const struct said *s,
		const struct interval *when, bool to_order)
{
	struct difference d;
	bool keep[ITEMS_MAX];
	struct lines *old;
	struct look l;

	said_look(s, &l);
	if (l.empty && !to_order)
		show_empty(c, h, s, when);
	if (!l.something || !find_cart(c, h, s, &l, when, to_order))
		return;
	cart_compare(c, h, &l, &d, keep);
	if (!is_newer(&h->cart, s, when, &d)) {
		c->stats.late++;
		return;
	}
	/* a step had opened it: perhaps of the one before, whose order was made at another host */
	if (!h->cart.shown.end_ns && !h->cart.recovered)
		h->cart.opened_unix_ns = unix_of(c, when->at_ns);
	if (cart_is_other(&h->cart, l.id) && (!d.shared || !h->renamed) && !to_order) {
		let_go(c, h);
		cart_open(c, h, l.id, when, l.items, l.item_count);
		cart_compare(c, h, &l, &d, keep);
	}
	learn_id(c, h, l.id);
	h->renamed = false;
	old = take(c, h, &l, &d, keep);
	note_shown(&h->cart, s, when);
	h->base = BASE_CART;
	asks_explain(c, h, s, when, &d);
	asks_settle(c, h, when, &d, l.whole || l.has_quantity || (l.has_value && !l.item_count));
	content_free(c, old);
}
