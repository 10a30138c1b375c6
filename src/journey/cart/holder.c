/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holder.c: the records of visits: found by session.id, and by the names that others may know them by
 * (visitor, cart id, order). At a bound the least valuable goes: first those of which nothing is known but
 * an empty cart, then the others without an open cart, then
 * carts of which no step of the checkout was completed, then the others; of each the one that was quiet
 * longest. What is left of a visit that is over is remembered in a smaller record, so that its cart is
 * recovered and a payment that is told late finds whose it was.
 */
#include <errno.h>
#include <stdlib.h>

#include "journey/cart/internal.h"
#include "session/key.h"

#define NAMES_EACH 4 /* visitor, cart, two of an order */

int holders_new(struct carts *c)
{
	const struct carts_options *o = &c->options;
	int err;

	for (unsigned w = 0; w < WORTHS; w++)
		list_init(&c->worths[w]);
	list_init(&c->asking);
	err = table_new(sizeof(struct holder), KEY_BYTES, o->open, &c->holders);
	if (!err)
		err = table_new(sizeof(struct named), KEY_BYTES, o->open * NAMES_EACH, &c->names);
	if (!err)
		err = table_new(sizeof(struct left), KEY_BYTES, o->open, &c->left);
	if (!err)
		err = table_new(sizeof(struct order), KEY_BYTES, o->orders, &c->numbers);
	if (!err)
		err = table_new(sizeof(struct order), KEY_BYTES, o->orders, &c->order_ids);
	return err ? err : sold_new(c);
}

/* ---- names ---- */

void name_of(const struct carts *c, enum name_kind kind, struct slice site, struct slice what,
	     uint8_t ret[KEY_BYTES])
{
	static const char *const kinds[] = { NULL, "visitor", "cart", "order" };

	keys_event(c->options.keys, slice_str(kinds[kind]), site, what, ret);
}

struct holder *named_find(struct carts *c, enum name_kind kind, struct slice site,
			  struct slice what)
{
	uint8_t name[KEY_BYTES];
	struct named *n;

	if (!what.len)
		return NULL;
	name_of(c, kind, site, what, name);
	n = table_find(c->names, name);
	return n ? holder_find(c, n->session_id) : NULL;
}

void named_set(struct carts *c, struct holder *h, enum name_kind kind, struct slice what)
{
	uint8_t name[KEY_BYTES];
	struct named *n;

	if (!what.len)
		return;
	name_of(c, kind, text_slice(h->site), what, name);
	n = table_add(c->names, name, NULL);
	if (!n && table_count(c->names)) {
		table_remove(c->names, table_oldest(c->names));
		n = table_add(c->names, name, NULL);
	}
	if (!n)
		return;
	memcpy(n->session_id, h->session_id, KEY_BYTES);
	table_touch(c->names, n);
}

struct left *left_find(struct carts *c, enum name_kind kind, struct slice site, struct slice what)
{
	uint8_t name[KEY_BYTES];

	if (!what.len || !table_count(c->left))
		return NULL;
	name_of(c, kind, site, what, name);
	return table_find(c->left, name);
}

void named_unset(struct carts *c, struct holder *h, enum name_kind kind, struct slice what)
{
	uint8_t name[KEY_BYTES];
	struct named *n;

	if (!what.len)
		return;
	name_of(c, kind, text_slice(h->site), what, name);
	n = table_find(c->names, name);
	if (n && !memcmp(n->session_id, h->session_id, KEY_BYTES))
		table_remove(c->names, n);
}

static void unname_all(struct carts *c, struct holder *h)
{
	named_unset(c, h, NAME_VISITOR, slice_of(h->session_key, KEY_BYTES));
	named_unset(c, h, NAME_CART, text_slice(h->cart.id));
	if (!h->rare)
		return;
	named_unset(c, h, NAME_ORDER, text_slice(h->rare->number));
	named_unset(c, h, NAME_ORDER, text_slice(h->rare->order_id));
	if (h->rare->has_next_key)
		named_unset(c, h, NAME_VISITOR, slice_of(h->rare->next_key, KEY_BYTES));
}

/* ---- records ---- */

struct holder *holder_find(struct carts *c, const uint8_t session_id[KEY_BYTES])
{
	return table_count(c->holders) ? table_find(c->holders, session_id) : NULL;
}

static enum worth worth_of(const struct holder *h)
{
	if (!h->cart.ordinal && !h->ordered && !h->asks && h->base == BASE_EMPTY)
		return WORTH_EMPTY;
	if (!h->cart.open || h->cart.emptied)
		return WORTH_NONE;
	return h->cart.step > STEP_CART ? WORTH_STEP : WORTH_CART;
}

void holder_place(struct carts *c, struct holder *h)
{
	h->worth = worth_of(h);
	list_remove(&h->of_worth);
	list_append(&c->worths[h->worth], &h->of_worth);
}

void holder_touch(struct carts *c, struct holder *h, uint64_t at_ns)
{
	if (!h->last_ns || since(at_ns, h->last_ns) > 0)
		h->last_ns = at_ns;
	if (h->worth == worth_of(h) && since(at_ns, h->touched_ns) < (int64_t)TOUCH_EVERY_NS)
		return;
	h->touched_ns = at_ns;
	holder_place(c, h);
}

/* The cart that this very visit left, when it had seemed to be over. */
static void resume(struct carts *c, struct holder *h)
{
	struct left *l = left_find(c, NAME_VISITOR, text_slice(h->site),
				   slice_of(h->session_key, KEY_BYTES));

	if (l && !memcmp(l->session_id, h->session_id, KEY_BYTES))
		h->cart.ordinal = l->open ? l->ordinal - 1 : l->ordinal;
}

struct holder *holder_get(struct carts *c, const uint8_t session_id[KEY_BYTES],
			  const uint8_t key[KEY_BYTES], struct slice of_site)
{
	struct holder *h = holder_find(c, session_id);
	struct text *site;
	bool fresh;

	if (h)
		return h;
	site = text_new(c, of_site);
	if (!site)
		return NULL;
	while (table_count(c->holders) >= c->options.open && holders_evict(c))
		;
	h = table_add(c->holders, session_id, &fresh);
	if (!h) {
		content_free(c, site);
		return NULL;
	}
	h->site = site;
	memcpy(h->session_key, key, KEY_BYTES);
	list_init(&h->of_worth);
	list_init(&h->of_asking);
	holder_place(c, h);
	named_set(c, h, NAME_VISITOR, slice_of(h->session_key, KEY_BYTES));
	resume(c, h);
	return h;
}

struct rare *holder_rare(struct carts *c, struct holder *h)
{
	if (!h->rare) {
		h->rare = content_new(c, sizeof(*h->rare));
		if (h->rare)
			memset(h->rare, 0, sizeof(*h->rare));
	}
	return h->rare;
}

/* ---- carts ---- */

void cart_clear(struct carts *c, struct cart *cart)
{
	content_free(c, cart->lines);
	content_free(c, cart->id);
	/* the next one may be known by the same id, and then its word is the later one */
	*cart = (struct cart){ .ordinal = cart->ordinal, .revision = cart->revision };
}

/* The id stays: whoever goes on under it has a second cart. */
void cart_close(struct carts *c, struct holder *h)
{
	struct cart *cart = &h->cart;

	content_free(c, cart->lines);
	cart->lines = NULL;
	cart->open = cart->emptied = cart->dirty = false;
	c->stats.open--;
	loose_drop(c, h);
	if (h->rare) {
		named_unset(c, h, NAME_ORDER, text_slice(h->rare->number));
		named_unset(c, h, NAME_ORDER, text_slice(h->rare->order_id));
		text_set(c, &h->rare->number, slice_of(NULL, 0));
		text_set(c, &h->rare->order_id, slice_of(NULL, 0));
	}
	holder_place(c, h);
}

void cart_ids(struct carts *c, struct holder *h, bool again)
{
	uint8_t what[CART_ID_BYTES + 5];
	struct cart *cart = &h->cart;
	struct slice id = text_slice(cart->id), site = text_slice(h->site), named;
	size_t len = 0;

	if (id.len) {
		memcpy(what, id.at, id.len);
		len = id.len;
		if (again)
			what[len++] = 0;
	} else {
		memcpy(what, h->session_id, KEY_BYTES);
		len = KEY_BYTES;
		again = true;
	}
	for (int shift = 24; again && shift >= 0; shift -= 8)
		what[len++] = (uint8_t)(cart->ordinal >> shift);
	named = slice_of(what, len);
	keys_event(c->options.keys, slice_str(event_kind_name(EVENT_CART)), site, named,
		   cart->event_id);
	keys_event(c->options.keys, slice_str(event_kind_name(EVENT_CART_ABANDONED)), site, named,
		   cart->abandoned_id);
}

/* Those with the least marks: of two lists that share lines, some of them are the same. */
void cart_marks(struct carts *c, const struct cart *cart, uint32_t ret[4])
{
	memset(ret, 0, 4 * sizeof(ret[0]));
	for (uint32_t i = 0; cart->lines && i < cart->lines->count; i++) {
		struct item item;
		uint32_t mark;

		line_item(cart->lines, i, &item);
		mark = (uint32_t)item_mark(c, &item, !item.id.at);
		for (unsigned k = 0; mark && k < 4; k++) {
			uint32_t was = ret[k];

			if (was == mark)
				break;
			if (was && was < mark)
				continue;
			ret[k] = mark;
			mark = was;
		}
	}
}

/* ---- what is left ---- */

static void leave_under(struct carts *c, struct slice site, const struct left *as,
			enum name_kind kind, struct slice what)
{
	struct left copy = *as, *l;

	if (!what.len)
		return;
	name_of(c, kind, site, what, copy.name);
	l = table_add(c->left, copy.name, NULL);
	if (!l && table_count(c->left)) {
		table_remove(c->left, table_oldest(c->left));
		l = table_add(c->left, copy.name, NULL);
	}
	if (!l)
		return;
	*l = copy;
	table_touch(c->left, l);
}

void left_rename(struct carts *c, const struct left *l, struct slice site,
		 const uint8_t key[KEY_BYTES])
{
	struct left copy = *l, *there = left_find(c, NAME_VISITOR, site, slice_of(key, KEY_BYTES));

	if (!there || !there->open)
		leave_under(c, site, &copy, NAME_VISITOR, slice_of(key, KEY_BYTES));
}

static void remember(struct carts *c, struct holder *h)
{
	struct slice site = text_slice(h->site);
	struct left l;

	if (!h->cart.ordinal)
		return;
	memset(&l, 0, sizeof(l)); /* padding too: it is saved as it is */
	l.opened_unix_ns = h->cart.opened_unix_ns;
	l.revision = h->cart.revision;
	l.ordinal = h->cart.ordinal;
	l.told = h->cart.told;
	l.step = h->cart.step;
	l.open = h->cart.open && !h->cart.emptied;
	l.recovered = h->cart.recovered;
	l.has_id = h->cart.id;
	l.ordered = h->ordered;
	memcpy(l.session_id, h->session_id, KEY_BYTES);
	memcpy(l.session_key, h->session_key, KEY_BYTES);
	if (h->cart.id)
		name_of(c, NAME_CART, site, text_slice(h->cart.id), l.cart_name);
	cart_marks(c, &h->cart, l.lines);
	leave_under(c, site, &l, NAME_VISITOR, slice_of(h->session_key, KEY_BYTES));
	leave_under(c, site, &l, NAME_CART, text_slice(h->cart.id));
	if (!h->rare)
		return;
	leave_under(c, site, &l, NAME_ORDER, text_slice(h->rare->number));
	leave_under(c, site, &l, NAME_ORDER, text_slice(h->rare->order_id));
	if (h->rare->has_next_key)
		leave_under(c, site, &l, NAME_VISITOR, slice_of(h->rare->next_key, KEY_BYTES));
}

static void drop(struct carts *c, struct holder *h)
{
	unname_all(c, h);
	asks_drop(c, h);
	loose_drop(c, h);
	trouble_clear(c, h);
	if (h->rare) {
		content_free(c, h->rare->number);
		content_free(c, h->rare->order_id);
		content_free(c, h->rare);
	}
	cart_clear(c, &h->cart);
	content_free(c, h->site);
	list_remove(&h->of_worth);
	list_remove(&h->of_asking);
	if (c->busy == h)
		c->busy = NULL;
	table_remove(c->holders, h);
}

void holder_leave(struct carts *c, struct holder *h)
{
	remember(c, h);
	c->stats.open -= h->cart.open;
	drop(c, h);
}

static struct holder *least(struct carts *c)
{
	for (unsigned w = 0; w < WORTHS; w++)
		for (struct list *l = c->worths[w].next; l != &c->worths[w]; l = l->next) {
			struct holder *h = list_entry(l, struct holder, of_worth);

			if (h != c->busy)
				return h;
		}
	return NULL;
}

bool holders_evict(struct carts *c)
{
	struct holder *h = least(c);

	if (!h)
		return false;
	if (h->empty_ns)
		tell_empty(c, h, NULL, h->empty_ns);
	if (h->cart.open && !h->cart.emptied) {
		asks_leave_unknown(h);
		tell_abandoned(c, h, END_EVICTED, NULL, 0);
		c->stats.evicted++;
	} else {
		c->stats.emptied += h->cart.open;
		c->stats.records_evicted++;
	}
	holder_leave(c, h);
	return true;
}

void holders_free(struct carts *c)
{
	for (struct holder *h; c->holders && (h = table_oldest(c->holders));)
		drop(c, h);
	sold_free(c);
	table_free(c->holders);
	table_free(c->names);
	table_free(c->left);
	table_free(c->numbers);
	table_free(c->order_ids);
}
