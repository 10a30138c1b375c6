/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_again.c: a shop whose carts keep their ids, and that is paid at a provider's, makes orders at random: each is
 * told by its landing page, by the provider's notice, or by both, again and again, while the next cart is filled. Each
 * cart holds a number of pieces of its own, so that whatever is told says of which cart it is.
 */
#include "unit.h"

#include "cart_kit.h"

#define VISITS 8
#define ORDERS 4096
#define STEPS  6000

static uint64_t seed, now;

static unsigned any(unsigned of)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33) % of;
}

/* By number. */
static struct order {
	unsigned visit, cart; /* pieces */
	uint64_t revision;
} orders[ORDERS];

static struct visit {
	unsigned cart;	 /* pieces; 0: it is empty */
	unsigned latest; /* order */
} visits[VISITS + 1];

static unsigned carts, numbers;
static bool lossy;  /* pages that show a cart are not seen */
static bool no_ids; /* the shop shows none of its carts */
static bool ordered[ORDERS * 2];

static unsigned cart_of(const struct event *e)
{
	return e->cart && e->cart->item_count ? (unsigned)e->cart->items[0].quantity.units : 0;
}

static void watch(const struct event *e)
{
	unsigned n, of = cart_of(e), i;

	if (e->kind == EVENT_PURCHASE) {
		for (n = 0, i = 1; i < e->transaction_id.len; i++)
			n = 10 * n + (unsigned)(e->transaction_id.at[i] - '0');
		assert_true(n && n <= numbers);
		assert_u64(e->revision, ++orders[n].revision);
		assert_true(!of || of == orders[n].cart);
		assert_true(!e->item_count ||
			    e->items[0].quantity.units == (int64_t)orders[n].cart);
	}
	if (e->kind == EVENT_CART && e->cart->condition == CART_ORDERED && of)
		assert_true(ordered[of]);
	/* what was ordered was told to be before */
	if (e->kind == EVENT_CART_ABANDONED && of)
		assert_false(ordered[of]);
}

static void exchange(unsigned v, struct say_it i)
{
	char text[32] = "";

	now += any(5) ? 100 : 20000;
	i.at = now;
	i.took = 50;
	i.visit = v;
	if (no_ids)
		i.cart_id = NULL;
	if (i.say == SAY_VIEW_CART || i.say == SAY_ADD_TO_CART) {
		if (visits[v].cart)
			snprintf(text, sizeof(text), "A%u@100", visits[v].cart);
		i.cart = text;
		if (lossy && any(3) == 0)
			return;
	}
	say_it(&i);
}

enum teller { LANDING, NOTICE, CALL }; /* a call of the shop is of no visit */

static void told_of(unsigned n, enum teller by, bool by_cart)
{
	unsigned v = orders[n].visit;
	char number[16], id[16];
	struct say_it i = { .say = by == NOTICE ? SAY_PAYMENT_NOTICE : SAY_PURCHASE,
			    .number = number,
			    .status_text = any(2) ? "paid" : "settled" };

	snprintf(number, sizeof(number), "N%u", n);
	snprintf(id, sizeof(id), "c%u", v);
	if (by_cart)
		i.cart_id = id;
	exchange(by == LANDING ? v : 0, i);
}

static void pay(unsigned v)
{
	struct visit *m = &visits[v];
	char number[16];

	if (!m->cart)
		return;
	m->latest = ++numbers;
	orders[m->latest] = (struct order){ .visit = v, .cart = m->cart };
	snprintf(number, sizeof(number), "N%u", m->latest);
	if (any(3))
		exchange(v, (struct say_it){ .say = SAY_PAYMENT_AWAY, .number = number });
	ordered[m->cart] = true;
	m->cart = 0;
	if (any(3) == 0)
		exchange(v, (struct say_it){ .say = SAY_VIEW_CART });
	/* a notice of a cart that nobody saw is no order */
	if (any(4) == 0) {
		told_of(m->latest, CALL, false);
		told_of(m->latest, LANDING, any(2));
	} else {
		told_of(m->latest, lossy || no_ids || any(2) ? LANDING : NOTICE, true);
	}
	if (any(2))
		told_of(m->latest, any(2) ? LANDING : NOTICE, true);
}

static void step(unsigned v)
{
	struct visit *m = &visits[v];
	unsigned what = any(10);
	char id[16];

	snprintf(id, sizeof(id), "c%u", v);
	if (what < 3 && !m->cart) {
		m->cart = ++carts;
		exchange(v, (struct say_it){ .say = SAY_ADD_TO_CART, .cart_id = id });
	} else if (what < 5) {
		exchange(v, (struct say_it){ .say = SAY_VIEW_CART, .cart_id = id });
	} else if (what < 7) {
		pay(v);
	} else if (what < 9 && m->latest) {
		told_of(m->latest, any(2) ? LANDING : NOTICE, any(2));
	} else if (any(4) == 0) {
		visit_ends(v, END_TIMEOUT, now);
		m->cart = 0; /* the next one begins with another */
		m->latest = 0;
	}
}

static void what_is_told_again_is_of_its_own_cart(void **state)
{
	for (uint64_t s = 1; s <= 20; s++) {
		kit_start(NULL);
		kit.watch = watch;
		lossy = s & 1;
		no_ids = s & 2;
		seed = s * 7919;
		now = 1000;
		carts = numbers = 0;
		memset(orders, 0, sizeof(orders));
		memset(visits, 0, sizeof(visits));
		memset(ordered, 0, sizeof(ordered));
		for (unsigned n = 0; n < STEPS; n++) {
			step(1 + any(VISITS));
			if (any(10) == 0)
				carts_tick(kit.c, now * MS);
			if (any(200) == 0) {
				carts_finish(kit.c);
				assert_int_equal(kit_restart(KIT_WALL), 0);
			}
			assert_true(kit_adds_up());
		}
		for (unsigned n = 1; n <= numbers; n++)
			assert_true(orders[n].revision > 0);
		kit_stop();
	}
}

UNIT_MAIN(T(what_is_told_again_is_of_its_own_cart))
