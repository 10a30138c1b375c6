/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare.c: what an answer shows of a cart against what was known of it. By lines where both are whole; by
 * the pieces in all or the value where they are not. An answer with a hole in it shows that something was
 * added, and never that something is gone. Changes nothing.
 *
 * Lines are the same when their ids are, or their names where some line has no id; what several lines of
 * one id hold is added up.
 */
#include "journey/cart/internal.h"
#include "session/key.h"

/* ---- what can be believed ---- */

static bool can_mark(const struct item *items, uint32_t count, bool by_name)
{
	for (uint32_t i = 0; i < count; i++) {
		struct item clean;

		item_clean(&items[i], no_currency, &clean);
		if (by_name ? !clean.name.at : !clean.id.at)
			return false;
	}
	return true;
}

static void with_currency(struct amount *a, const char currency[4])
{
	if (!a->currency[0])
		memcpy(a->currency, currency, sizeof(a->currency));
}

static void look_inside(const struct said *s, bool hole, struct look *l)
{
	const struct cart_shown *cart = s->cart;

	if (cart->id.len && cart->id.len <= CART_ID_BYTES)
		l->id = cart->id;
	l->has_value = cart->has_value;
	l->value = cart->value;
	with_currency(&l->value, s->currency);
	l->has_quantity = cart->has_quantity && cart->quantity.units >= 0;
	l->quantity = cart->quantity;
	memset(l->quantity.currency, 0, sizeof(l->quantity.currency));
	if (cart->has_items && cart->item_count) {
		l->items = cart->items;
		l->item_count = cart->item_count < ITEMS_MAX ? cart->item_count : ITEMS_MAX;
		l->whole = !hole && !cart->items_cut && cart->item_count <= ITEMS_MAX &&
			   (can_mark(l->items, l->item_count, false) ||
			    can_mark(l->items, l->item_count, true));
	}
	l->something = l->item_count || (l->has_quantity && l->quantity.units > 0) ||
		       (!l->has_quantity && l->has_value && l->value.units > 0);
}

void said_look(const struct said *s, struct look *ret)
{
	bool hole = s->flags;

	*ret = (struct look){ .currency = s->currency };
	if (s->cart)
		look_inside(s, hole, ret);
	ret->empty = !hole && !ret->item_count &&
		     (s->cart_is_empty || (ret->has_quantity && !ret->quantity.units));
	if (ret->empty)
		ret->something = false;
}

/* ---- by lines ---- */

static uint64_t mark_of_line(struct carts *c, const struct lines *lines, uint32_t i, bool by_name)
{
	struct item item;

	line_item(lines, i, &item);
	return item_mark(c, &item, by_name);
}

static bool lines_can_mark(const struct lines *lines, bool by_name)
{
	uint8_t bit = by_name ? LINE_NAME : LINE_ID;

	for (uint32_t i = 0; lines && i < lines->count; i++)
		if (!(lines->at[i].has & bit))
			return false;
	return true;
}

/* The tally of a mark: one that is there, or a new one. */
static struct tally *tally_of(struct carts *c, uint64_t mark, uint32_t *count)
{
	uint32_t slot = (uint32_t)(mark >> 8) & (TALLY_SLOTS - 1);

	while (c->slots[slot] && c->tallies[c->slots[slot] - 1].mark != mark)
		slot = (slot + 1) & (TALLY_SLOTS - 1);
	if (!c->slots[slot]) {
		c->tallies[*count] =
			(struct tally){ .mark = mark, .before_known = true, .after_known = true };
		c->slots[slot] = (uint16_t)++ * count;
	}
	return &c->tallies[c->slots[slot] - 1];
}

static uint32_t tally(struct carts *c, const struct lines *before, const struct look *l,
		      bool by_name)
{
	uint32_t count = 0;
	struct item item;

	memset(c->slots, 0, sizeof(c->slots));
	for (uint32_t i = 0; i < l->item_count; i++) {
		struct tally *t;

		item_clean(&l->items[i], l->currency, &item);
		t = tally_of(c, item_mark(c, &item, by_name), &count);
		t->several |= t->is;
		t->is = true;
		if (!t->now)
			t->now = &l->items[i];
		t->after_known = t->after_known && item.has_quantity &&
				 amount_add(&t->after, &item.quantity, 1, &t->after);
	}
	for (uint32_t i = 0; before && i < before->count; i++) {
		struct tally *t = tally_of(c, mark_of_line(c, before, i, by_name), &count);

		line_item(before, i, &item);
		t->several |= t->was;
		t->was = true;
		t->line = i;
		t->before_known = t->before_known && item.has_quantity &&
				  amount_add(&t->before, &item.quantity, 1, &t->before);
	}
	return count;
}

/* Of several lines only what they have in common is known. */
static void moved(const struct tally *t, const struct amount *by, bool known, struct item *i)
{
	i->has_quantity = known;
	i->quantity = known ? *by : (struct amount){ 0 };
	if (t->several) {
		i->variant = slice_of(NULL, 0);
		i->has_price = false;
	}
}

static void add_up(struct carts *c, const struct tally *t, const struct look *l,
		   const struct amount *by, bool known, struct difference *d)
{
	struct item *i = &c->up[d->up_count++];

	item_clean(t->now, l->currency, i);
	moved(t, by, known, i);
}

static void add_down(struct carts *c, const struct tally *t, const struct lines *before,
		     const struct amount *by, bool known, struct difference *d)
{
	struct item *i = &c->down[d->down_count++];

	line_item(before, t->line, i);
	moved(t, by, known, i);
}

/* `all_before`, `all_now`: no line is hidden there. */
static void differ(struct carts *c, const struct lines *before, const struct look *l,
		   uint32_t count, bool all_before, bool all_now, struct difference *d)
{
	for (uint32_t k = 0; k < count; k++) {
		const struct tally *t = &c->tallies[k];
		struct amount by = { 0 };
		bool known = t->before_known && t->after_known &&
			     amount_add(&t->after, &t->before, -1, &by);

		d->shared |= t->was && t->is;
		if (t->is && !t->was && all_before)
			add_up(c, t, l, &t->after, t->after_known, d);
		else if (t->was && !t->is && all_now)
			add_down(c, t, before, &t->before, t->before_known, d);
		else if (t->was && t->is && known && by.units > 0)
			add_up(c, t, l, &by, true, d);
		else if (t->was && t->is && known && by.units < 0 && all_now) {
			by.units = -by.units;
			add_down(c, t, before, &by, true, d);
		}
	}
}

static void by_lines(struct carts *c, const struct holder *h, const struct look *l,
		     struct difference *d, bool keep[ITEMS_MAX])
{
	const struct cart *cart = &h->cart;
	const struct lines *before = h->base == BASE_CART ? cart->lines : NULL;
	bool all_before = h->base == BASE_EMPTY ||
			  (h->base == BASE_CART && before && cart->complete && !cart->behind);
	bool by_name = !(can_mark(l->items, l->item_count, false) && lines_can_mark(before, false));
	uint32_t count;

	d->shared = false;
	if (by_name && !(can_mark(l->items, l->item_count, true) && lines_can_mark(before, true))) {
		d->shared = true;
		return;
	}
	count = tally(c, before, l, by_name);
	if (cart->behind && before) {
		d->shared = true;
	} else {
		differ(c, before, l, count, all_before || h->base == BASE_UNKNOWN, l->whole, d);
		d->by_lines = l->whole && all_before;
		d->partial = !d->by_lines;
	}
	for (uint32_t k = 0; before && k < before->count; k++)
		keep[k] = !tally_of(c, mark_of_line(c, before, k, by_name), &count)->is;
}

/* ---- by totals ---- */

static void by_totals(const struct holder *h, const struct look *l, struct difference *d)
{
	const struct cart *cart = &h->cart;
	const struct amount none = { 0 };
	const struct amount *pieces = h->base == BASE_EMPTY ? &none : &cart->quantity;
	bool known = h->base == BASE_EMPTY || (h->base == BASE_CART && cart->has_quantity);

	if (l->has_quantity && known && amount_add(&l->quantity, pieces, -1, &d->quantity_by))
		d->quantity_way = amount_sign(&d->quantity_by);
	if (l->has_value && l->value.currency[0] && h->base == BASE_CART && cart->has_value &&
	    amount_add(&l->value, &cart->value, -1, &d->value_by))
		d->value_way = amount_sign(&d->value_by);
}

static void pieces_in_all(const struct look *l, struct difference *d)
{
	struct amount sum = { 0 };

	d->has_pieces = l->has_quantity;
	d->pieces = l->quantity;
	if (l->has_quantity || !l->whole)
		return;
	for (uint32_t i = 0; i < l->item_count; i++) {
		struct item item;

		item_clean(&l->items[i], l->currency, &item);
		if (!item.has_quantity || !amount_add(&sum, &item.quantity, 1, &sum))
			return;
	}
	d->has_pieces = true;
	d->pieces = sum;
}

void cart_compare(struct carts *c, const struct holder *h, const struct look *l,
		  struct difference *ret, bool keep[ITEMS_MAX])
{
	const struct cart *cart = &h->cart;
	struct difference d = { .base_known = h->base != BASE_UNKNOWN,
				.up = c->up,
				.down = c->down,
				.emptied = l->empty,
				.shared = true };

	memset(keep, 0, ITEMS_MAX * sizeof(keep[0]));
	if (l->empty && h->base == BASE_CART && cart->lines && cart->complete && !cart->behind) {
		const struct look nothing = { .currency = l->currency, .whole = true };
		uint32_t count =
			tally(c, cart->lines, &nothing, !lines_can_mark(cart->lines, false));

		differ(c, cart->lines, &nothing, count, true, true, &d);
		d.by_lines = true;
	} else if (l->item_count) {
		by_lines(c, h, l, &d, keep);
	}
	by_totals(h, l, &d);
	pieces_in_all(l, &d);
	d.moved = d.up_count || d.down_count || d.quantity_way || !d.base_known || l->empty ||
		  (l->has_value && !(cart->has_value && amount_same(&l->value, &cart->value)));
	*ret = d;
}
