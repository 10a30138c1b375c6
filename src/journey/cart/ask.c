/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask.c: what a visitor asked for, until an answer shows what came of it. The two meet in either order: an
 * ask waits for an answer, and a change that nobody seems to have asked for waits a little for its ask
 * (struct loose), since transactions do not come in the order in which they were made.
 *
 * Who asked to add explains what has become more, who asked to remove what has become less, who changed
 * quantities both. What is told is what was shown, never what was asked for; only where an answer shows
 * how many pieces there are and not which, and as many were asked for, it is those.
 */
#include "journey/cart/internal.h"

/* ---- asks ---- */

void ask_free(struct carts *c, struct ask *a)
{
	content_free(c, a->items);
	content_free(c, a);
}

void asks_drop(struct carts *c, struct holder *h)
{
	for (struct ask *a; (a = h->asks);) {
		h->asks = a->next;
		ask_free(c, a);
	}
}

/* The first one. */
static void loose_shift(struct carts *c, struct holder *h)
{
	struct loose *l = h->loose;

	h->loose = l->next;
	content_free(c, l->up);
	content_free(c, l->down);
	content_free(c, l);
}

void loose_drop(struct carts *c, struct holder *h)
{
	while (h->loose)
		loose_shift(c, h);
}

static void wait_for(struct carts *c, struct holder *h)
{
	if (!list_is_on(&h->of_asking))
		list_append(&c->asking, &h->of_asking);
}

void asks_move(struct carts *c, struct holder *from, struct holder *to)
{
	if (!from->asks || to->asks)
		return;
	to->asks = from->asks;
	from->asks = NULL;
	wait_for(c, to);
}

static bool is_own(const struct ask *a, const struct interval *when)
{
	return a->when.at_ns == when->at_ns && a->when.end_ns == when->end_ns;
}

/* Is a product that was asked for among the lines that moved? Only where ids tell. */
static bool names_one(const struct ask *a, const struct item *moved, uint32_t count)
{
	for (uint32_t i = 0; i < a->items->count; i++) {
		struct item item;

		line_item(a->items, i, &item);
		if (!item.id.at)
			return true;
		for (uint32_t k = 0; k < count; k++)
			if (!moved[k].id.at || slice_eq(moved[k].id, item.id))
				return true;
	}
	return false;
}

/* An ask that was under way while the answer was made (another tab, a second click): lines that moved and
 * are others show that it came too late for that answer. */
static bool came_too_late(const struct ask *a, const struct interval *when,
			  const struct difference *d)
{
	return since(a->when.end_ns, when->at_ns) > 0 && !is_own(a, when) && a->items &&
	       a->items->count && d->up_count + d->down_count &&
	       !names_one(a, d->up, d->up_count) && !names_one(a, d->down, d->down_count);
}

/* An ask that was answered later than the cart was shown is none of whose effect it shows, as far as can be
 * helped (h->lenient: where nobody else explains it). */
static bool may_explain(const struct holder *h, const struct ask *a, const struct interval *when,
			const struct difference *d, bool up)
{
	if (a->say != SAY_CHANGE_CART && a->say != (up ? SAY_ADD_TO_CART : SAY_REMOVE_FROM_CART))
		return false;
	if (h->lenient)
		return since(a->when.at_ns, when->end_ns) <= 0;
	return since(a->when.end_ns, when->end_ns) <= 0 && !came_too_late(a, when, d);
}

/* The ask of the answer's own exchange, else the first one. */
static struct ask *asker(const struct holder *h, const struct interval *when,
			 const struct difference *d, bool up)
{
	struct ask *found = NULL;

	for (struct ask *a = h->asks; a; a = a->next) {
		if (!may_explain(h, a, when, d, up))
			continue;
		if (is_own(a, when))
			return a;
		if (!found || since(a->when.at_ns, found->when.at_ns) < 0)
			found = a;
	}
	return found;
}

static void mark_shown(struct holder *h, const struct interval *when, const struct difference *d,
		       bool up)
{
	struct ask *own = asker(h, when, d, up);

	for (struct ask *a = h->asks; a; a = a->next)
		if (may_explain(h, a, when, d, up) && (a == own || !is_own(own, when)))
			a->shown = true;
}

static bool count_pieces(const struct said *s, struct amount *ret)
{
	const struct amount one = { .units = 1 };
	struct amount sum = { 0 };
	struct item item;

	if (s->say == SAY_CHANGE_CART || s->items_cut || s->flags)
		return false;
	if (!s->item_count)
		sum = one;
	for (uint32_t i = 0; i < s->item_count; i++) {
		item_clean(&s->items[i], s->currency, &item);
		if (!amount_add(&sum, item.has_quantity ? &item.quantity : &one, 1, &sum))
			return false;
	}
	*ret = sum;
	return true;
}

static struct ask *ask_new(struct carts *c, const struct said *s, const struct interval *when)
{
	struct ask *a = content_new(c, sizeof(*a));
	uint32_t cut;

	if (!a)
		return NULL;
	*a = (struct ask){ .when = *when, .say = s->say };
	a->has_pieces = count_pieces(s, &a->pieces);
	if (s->item_count)
		a->items = lines_new(c, s->items, s->item_count, s->currency, NULL, NULL, &cut);
	return a;
}

/* ---- what was told of a change ---- */

static bool value_of(const struct item *items, uint32_t count, struct amount *ret)
{
	struct amount sum = { 0 }, of;

	for (uint32_t i = 0; i < count; i++) {
		if (!items[i].has_price || !items[i].has_quantity ||
		    !amount_times(&items[i].price, &items[i].quantity, &of))
			return false;
		if (!i)
			sum = of;
		else if (!amount_add(&sum, &of, 1, &sum))
			return false;
	}
	*ret = sum;
	return count;
}

struct told {
	const struct proof *proof;
	const char *rule;
	uint32_t flags;
	bool cut;
	uint64_t at_ns; /* of who asked */
};

static void tell_change(struct carts *c, struct holder *h, const struct told *t, bool up,
			const struct item *items, uint32_t count, const struct difference *d)
{
	struct cart_state state;
	struct event e;

	event_of_holder(c, up ? EVENT_ADD_TO_CART : EVENT_REMOVE_FROM_CART, h, &e);
	e.has_span = t->proof->has_span;
	memcpy(e.trace_id, t->proof->trace_id, sizeof(e.trace_id));
	memcpy(e.span_id, t->proof->span_id, sizeof(e.span_id));
	e.time_unix_ns = unix_of(c, t->at_ns);
	e.rule = t->rule;
	e.flags = t->flags;
	e.items = items;
	e.item_count = count;
	e.items_cut = t->cut;
	if (value_of(items, count, &e.value)) {
		e.has = SAID_VALUE;
	} else if (d->value_way == (up ? 1 : -1) && !(d->up_count && d->down_count)) {
		e.has = SAID_VALUE;
		e.value = d->value_by;
		e.value.units = up ? e.value.units : -e.value.units;
	}
	if (e.has)
		memcpy(e.currency, e.value.currency, sizeof(e.currency));
	cart_state_of(c, &h->cart, d->emptied ? CART_EMPTIED : CART_OPEN, &state);
	state.last_activity_unix_ns = unix_of(c, h->last_ns);
	e.cart = &state;
	event_named_by(c, t->proof, 0, &e); /* an answer shows one change each way at most */
	c->options.event(c->options.ctx, &e);
}

/* ---- who explains it ---- */

/* As many as were asked for: those that were. */
static uint32_t asked_items(struct carts *c, const struct holder *h, const struct interval *when,
			    const struct difference *d, bool up, const struct amount *by)
{
	struct ask *own = asker(h, when, d, up);
	struct amount sum = { 0 };
	uint32_t n = 0;
	bool alone = own && own->has_pieces && is_own(own, when) && amount_same(&own->pieces, by);

	for (const struct ask *a = h->asks; a; a = a->next) {
		if (!may_explain(h, a, when, d, up) || (alone && a != own))
			continue;
		if (!a->has_pieces || !a->items || !amount_add(&sum, &a->pieces, 1, &sum))
			return 0;
		for (uint32_t i = 0; i < a->items->count && n < ITEMS_MAX; i++) {
			struct item *item = &c->order_items[n++];

			line_item(a->items, i, item);
			if (!item->has_quantity) {
				item->has_quantity = true;
				item->quantity = (struct amount){ .units = 1 };
			}
		}
	}
	return amount_same(&sum, by) ? n : 0;
}

static bool asked_pieces(const struct holder *h, const struct interval *when,
			 const struct difference *d)
{
	const struct amount *in_all = &d->pieces;
	struct ask *own = asker(h, when, d, true);
	struct amount sum = { 0 };

	if (own && own->has_pieces && is_own(own, when) && amount_same(&own->pieces, in_all))
		return true;
	for (const struct ask *a = h->asks; a; a = a->next)
		if (may_explain(h, a, when, d, true) &&
		    (!a->has_pieces || !amount_add(&sum, &a->pieces, 1, &sum)))
			return false;
	return amount_same(&sum, in_all);
}

/* Lines that hold just what somebody asked to add of them. */
static uint32_t asked_lines(struct carts *c, const struct holder *h, const struct interval *when,
			    const struct difference *d)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < d->up_count && n < ITEMS_MAX; i++) {
		struct amount sum = { 0 };
		bool asked = false;

		for (const struct ask *a = h->asks; a; a = a->next)
			for (uint32_t k = 0;
			     may_explain(h, a, when, d, true) && a->items && k < a->items->count;
			     k++) {
				const struct amount one = { .units = 1 };
				struct item item;

				line_item(a->items, k, &item);
				if (!item.id.at || !slice_eq(item.id, d->up[i].id))
					continue;
				asked = amount_add(&sum, item.has_quantity ? &item.quantity : &one,
						   1, &sum);
			}
		if (asked && d->up[i].has_quantity && amount_same(&sum, &d->up[i].quantity))
			c->order_items[n++] = d->up[i];
	}
	return n;
}

/* Nothing was known of the cart before: what is in it was added only where it is what was asked for. */
static void explain_first(struct carts *c, struct holder *h, const struct told *t,
			  const struct interval *when, const struct difference *d)
{
	struct told some = *t;
	uint32_t n;

	if (asker(h, when, d, true)->say != SAY_ADD_TO_CART)
		return;
	if (d->has_pieces && amount_sign(&d->pieces) > 0 && asked_pieces(h, when, d)) {
		if (d->up_count) {
			tell_change(c, h, t, true, d->up, d->up_count, d);
			return;
		}
		n = asked_items(c, h, when, d, true, &d->pieces);
		tell_change(c, h, t, true, c->order_items, n, d);
		return;
	}
	n = asked_lines(c, h, when, d);
	some.cut = true; /* others may have been */
	if (n)
		tell_change(c, h, &some, true, c->order_items, n, d);
}

/* What has moved that way, as far as it is known: items, or nothing but that something has. */
static bool moved_way(struct carts *c, const struct holder *h, const struct interval *when,
		      const struct difference *d, bool up, const struct item **ret_items,
		      uint32_t *ret_count)
{
	const int way = up ? 1 : -1;
	const struct ask *who = asker(h, when, d, up);

	*ret_items = up ? d->up : d->down;
	*ret_count = up ? d->up_count : d->down_count;
	if (!d->base_known)
		return up;
	if (d->by_lines)
		return *ret_count;
	if (d->quantity_way) {
		struct amount by = d->quantity_by;

		if (d->quantity_way != way)
			return false;
		by.units *= way;
		*ret_items = c->order_items;
		*ret_count = who ? asked_items(c, h, when, d, up, &by) : 0;
		return true;
	}
	if (up && d->partial && d->up_count)
		return true;
	/* of a coupon nothing is added or removed */
	*ret_count = 0;
	return d->value_way == way && !d->partial && !d->has_pieces &&
	       (!who || who->say != SAY_CHANGE_CART);
}

static bool explain(struct carts *c, struct holder *h, struct told *t, const struct interval *when,
		    const struct difference *d, bool up)
{
	struct ask *who = asker(h, when, d, up);
	const struct item *items;
	uint32_t count;

	if (!moved_way(c, h, when, d, up, &items, &count))
		return true; /* there is nothing to explain */
	if (!who)
		return false;
	t->at_ns = who->when.at_ns;
	if (!is_own(who, when))
		t->rule = NULL;
	if (d->base_known)
		tell_change(c, h, t, up, items, count, d);
	else if (up)
		explain_first(c, h, t, when, d);
	mark_shown(h, when, d, up);
	return true;
}

static void keep_loose(struct carts *c, struct holder *h, const struct interval *when,
		       const struct difference *d, const struct told *t, bool up, bool down)
{
	struct loose *l = content_new(c, sizeof(*l)), **at = &h->loose;
	unsigned count = 0;
	uint32_t cut;

	if (!l)
		return;
	*l = (struct loose){
		.when = *when, .proof = *t->proof, .d = *d, .flags = t->flags, .items_cut = t->cut
	};
	if (up && d->up_count)
		l->up = lines_new(c, d->up, d->up_count, no_currency, NULL, NULL, &cut);
	if (down && d->down_count)
		l->down = lines_new(c, d->down, d->down_count, no_currency, NULL, NULL, &cut);
	l->ways = (uint8_t)(up | down << 1);
	for (; *at; at = &(*at)->next)
		count++;
	*at = l;
	if (count == LOOSE_EACH)
		loose_shift(c, h);
	wait_for(c, h);
}

bool asks_explain(struct carts *c, struct holder *h, const struct said *s,
		  const struct interval *when, const struct difference *d)
{
	struct proof proof;
	struct told t = { .proof = &proof,
			  .rule = s->rule,
			  .flags = s->flags,
			  .cut = d->partial && (s->flags || h->cart.cut) };
	bool taken = asker(h, when, d, false), up, down;

	proof_of(c, s->t, &proof);
	up = explain(c, h, &t, when, d, true);
	t.rule = s->rule;
	down = explain(c, h, &t, when, d, false);
	if (!up || !down)
		keep_loose(c, h, when, d, &t, !up, !down);
	return taken;
}

static void explain_loose(struct carts *c, struct holder *h, struct loose *l)
{
	struct told t = { .proof = &l->proof, .flags = l->flags, .cut = l->items_cut };
	struct difference d = l->d;

	d.up = c->up;
	d.down = c->down;
	lines_to(l->up, c->up, &d.up_count);
	lines_to(l->down, c->down, &d.down_count);
	if (l->ways & 1 && asker(h, &l->when, &d, true) && explain(c, h, &t, &l->when, &d, true))
		l->ways &= 2;
	if (l->ways & 2 && asker(h, &l->when, &d, false) && explain(c, h, &t, &l->when, &d, false))
		l->ways &= 1;
}

/* An ask that came after what it did. */
static void explain_late(struct carts *c, struct holder *h, const struct ask *a)
{
	bool took = false;

	for (struct loose **at = &h->loose, *l; (l = *at) && !a->shown;) {
		uint8_t ways = l->ways;

		if (since(l->when.end_ns, a->when.end_ns) <= (int64_t)LATE_NS)
			explain_loose(c, h, l);
		took |= (ways & ~l->ways) == 2;
		if (l->ways) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		content_free(c, l->up);
		content_free(c, l->down);
		content_free(c, l);
	}
	if (took && h->cart.emptied)
		cart_emptied(c, h); /* somebody had asked for that */
}

/* Before it is given up: was it answered only after the cart was shown with what it did? */
static bool explains_after_all(struct carts *c, struct holder *h, const struct ask *a)
{
	if (a->shown || !h->loose)
		return a->shown;
	h->lenient = true;
	explain_late(c, h, a);
	h->lenient = false;
	return a->shown;
}

static void trim(struct carts *c, struct holder *h)
{
	struct ask **at = &h->asks;

	for (unsigned n = 0; *at && n < ASKS_EACH; n++)
		at = &(*at)->next;
	if (!*at)
		return;
	ask_free(c, *at); /* one at a time is added */
	*at = NULL;
	c->stats.changes_unshown++;
}

void ask_note(struct carts *c, struct holder *h, const struct said *s, const struct interval *when)
{
	const struct cart *cart = &h->cart;
	struct ask *a = ask_new(c, s, when);

	if (!a)
		return;
	a->next = h->asks;
	h->asks = a;
	trim(c, h);
	explain_late(c, h, a);
	/* shown with what others had asked for, or to be without effect */
	if (a->shown || (!s->cart && !s->cart_is_empty && cart->shown.end_ns &&
			 since(cart->shown.at_ns, when->end_ns) >= 0)) {
		c->stats.late += !a->shown;
		h->asks = a->next;
		ask_free(c, a);
	}
	if (h->asks)
		wait_for(c, h);
}

bool ask_restore(struct carts *c, struct holder *h, const struct ask *as)
{
	struct ask *a = content_new(c, sizeof(*a)), **at = &h->asks;

	if (!a) {
		content_free(c, as->items);
		return false;
	}
	*a = *as;
	a->next = NULL;
	while (*at)
		at = &(*at)->next;
	*at = a;
	wait_for(c, h);
	return true;
}

/* ---- the end of asks ---- */

void asks_settle(struct carts *c, struct holder *h, const struct interval *when,
		 const struct difference *d, bool whole)
{
	for (struct ask **at = &h->asks, *a; (a = *at);) {
		bool certain = since(a->when.end_ns, when->at_ns) <= 0 || is_own(a, when);

		if (!(certain && (whole || d->moved)) && !a->shown) {
			at = &a->next;
			continue;
		}
		c->stats.changes_unshown += !d->moved && !explains_after_all(c, h, a);
		*at = a->next;
		ask_free(c, a);
	}
}

void asks_refused(struct carts *c, struct holder *h, const struct interval *when)
{
	for (struct ask **at = &h->asks, *a; (a = *at);) {
		if (since(a->when.at_ns, when->end_ns) > 0) {
			at = &a->next;
			continue;
		}
		*at = a->next;
		ask_free(c, a);
	}
}

static void leave_unknown(struct cart *cart, const struct ask *a)
{
	cart->unshown = true;
	if (since(a->when.end_ns, cart->known_ns) > 0)
		cart->known_ns = a->when.end_ns;
}

void asks_leave_unknown(struct holder *h)
{
	for (const struct ask *a = h->asks; a; a = a->next)
		leave_unknown(&h->cart, a);
}

/* What is in the cart is not known from then on, until it is shown again. */
bool asks_expire(struct carts *c, struct holder *h, uint64_t now_ns)
{
	struct cart *cart = &h->cart;

	while (h->loose && since(now_ns, h->loose->when.end_ns) > (int64_t)LATE_NS) {
		for (const struct ask *a = h->asks; a; a = a->next)
			explains_after_all(c, h, a);
		if (h->loose)
			loose_shift(c, h);
	}
	for (struct ask **at = &h->asks, *a; (a = *at);) {
		if (since(now_ns, a->when.end_ns) <= (int64_t)c->options.unshown_ns) {
			at = &a->next;
			continue;
		}
		c->stats.changes_unshown += !a->shown;
		if (cart->open && !cart->emptied && !a->shown) {
			cart->dirty |= !cart->unshown;
			leave_unknown(cart, a);
		}
		*at = a->next;
		ask_free(c, a);
	}
	tell_cart(c, h, CART_OPEN, NULL);
	return !h->asks && !h->loose;
}
