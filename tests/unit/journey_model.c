/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_model.c: a shop that is known to the last piece makes journeys at random; what is told of them is
 * held against it. Seen whole: every change, step, order and abandoned cart, to the cent. With exchanges lost
 * and answers cut: less, and nothing that was not so. In any order of answers that overlapped: the same
 * facts in the end.
 */
#include "unit.h"

#include "cart_kit.h"

#define VISITS	 20
#define GOODS	 6
#define JOURNEYS 400

static uint64_t seed;

static unsigned any(unsigned of)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33) % of;
}

/* One visit: what the shop knows, and what was told of it. */
static struct visit_model {
	unsigned pieces[GOODS];
	int64_t added[GOODS], removed[GOODS]; /* asked for, and done */
	int64_t told_added[GOODS], told_removed[GOODS];
	unsigned shown[GOODS]; /* when last seen whole */
	bool seen;
	unsigned kept[GOODS]; /* … before it was seen empty, when that was first */
	uint64_t empty_at;
	enum step step, furthest; /* of the cart; of any of the visit: an end may be lost */
	unsigned orders, told_orders;
	char number[16];     /* of the order being told */
	int64_t order_value; /* … its goods */
	bool told_end;
	unsigned earlier; /* visits in its place */
} visits[VISITS + 1];

static bool lossy;
static unsigned numbers, unmoved;
static uint64_t now = 1000;

static unsigned id_of(unsigned v)
{
	return v + visits[v].earlier * (VISITS + 1);
}

static int64_t price(unsigned good)
{
	return 100 * (good + 1) + 1;
}

static int64_t value_of_pieces(const unsigned *pieces)
{
	int64_t sum = 0;

	for (unsigned g = 0; g < GOODS; g++)
		sum += pieces[g] * price(g);
	return sum;
}

static struct visit_model *model_of(const struct event *e)
{
	unsigned n;

	memcpy(&n, e->session_id, sizeof(n));
	return &visits[n % (VISITS + 1)];
}

static void check_change(const struct event *e, int64_t *told_moved)
{
	int64_t value = 0;

	for (uint32_t i = 0; i < e->item_count; i++) {
		unsigned g = (unsigned)(e->items[i].id.at[0] - 'A');

		assert_true(e->items[i].has_quantity && g < GOODS);
		told_moved[g] += e->items[i].quantity.units;
		value += e->items[i].quantity.units * price(g);
	}
	assert_true(!(e->has & SAID_VALUE) || e->value.units == value);
	assert_true(lossy || e->has & SAID_VALUE);
}

/* Every line that is told is one of the cart as it was when last seen. */
static void check_state(const struct visit_model *m, const struct cart_state *s)
{
	if (s->has_value && !s->items_cut && m->seen)
		assert_int_equal(s->value.units, value_of_pieces(m->shown));
	for (uint32_t i = 0; i < s->item_count; i++) {
		unsigned g = (unsigned)(s->items[i].id.at[0] - 'A');

		assert_int_equal(s->items[i].quantity.units, m->shown[g]);
	}
}

/* What the cart lends an order that shows nothing: as it was shown last; if that was empty, the order is why. */
static const unsigned *lent(const struct visit_model *m)
{
	bool soon = m->furthest >= STEP_PAYMENT || now - m->empty_at <= 60000 + 100;

	return lossy && !value_of_pieces(m->shown) && soon ? m->kept : m->shown;
}

static void check_purchase(struct visit_model *m, const struct event *e)
{
	m->told_orders++;
	assert_true(slice_eq(e->transaction_id, slice_str(m->number)));
	/* the cart as it was shown last: what was lost since then nobody knows of */
	if (e->has & SAID_ITEMS_VALUE)
		assert_int_equal(e->items_value.units,
				 lossy ? value_of_pieces(lent(m)) : m->order_value);
	assert_true(lossy || e->has & SAID_ITEMS_VALUE);
}

static void check_abandoned(struct visit_model *m, const struct event *e)
{
	if (e->end_reason == END_SHUTDOWN) { /* as it stands */
		check_state(m, e->cart);
		return;
	}
	assert_false(m->told_end);
	m->told_end = true;
	assert_true(e->cart->step <= m->furthest);
	check_state(m, e->cart);
	if (lossy)
		return;
	assert_int_equal(e->cart->step, m->step);
	assert_true(e->cart->has_value && e->cart->has_items && !e->cart->items_cut);
	assert_int_equal(e->cart->value.units, value_of_pieces(m->pieces));
}

static void watch(const struct event *e)
{
	struct visit_model *m = model_of(e);

	if (e->kind == EVENT_ADD_TO_CART)
		check_change(e, m->told_added);
	else if (e->kind == EVENT_REMOVE_FROM_CART)
		check_change(e, m->told_removed);
	else if (e->kind == EVENT_PURCHASE)
		check_purchase(m, e);
	else if (e->kind == EVENT_CART_ABANDONED)
		check_abandoned(m, e);
	else if (e->kind == EVENT_CART && e->cart->condition == CART_OPEN)
		check_state(m, e->cart);
}

/* ---- the shop ---- */

static void lines_of(const unsigned *pieces, unsigned most, char *to, size_t room)
{
	size_t len = 0;

	to[0] = 0;
	for (unsigned g = 0; g < GOODS && most; g++)
		if (pieces[g]) {
			len += (size_t)snprintf(to + len, room - len, "%s%c%u@%d", len ? " " : "",
						'A' + (int)g, pieces[g], (int)price(g));
			most--;
		}
}

static unsigned count_lines(const unsigned *pieces)
{
	unsigned n = 0;

	for (unsigned g = 0; g < GOODS; g++)
		n += pieces[g] > 0;
	return n;
}

/* One exchange whose answer shows the cart, or that is lost, or of which the end is. */
static void exchange(unsigned v, struct say_it i, bool shows)
{
	struct visit_model *m = &visits[v];
	unsigned lines = count_lines(m->pieces);
	char text[128];

	now += lossy && any(40) == 0 ? 70000 : 100;
	i.visit = id_of(v);
	i.at = now;
	i.took = 50;
	if (lossy && any(8) == 0)
		return;
	if (shows) {
		unsigned most = lossy && any(5) == 0 ? any(lines + 1) : lines;

		lines_of(m->pieces, most, text, sizeof(text));
		i.cart = most || !lines ? text : NULL;
		if (most < lines) {
			i.flags = 1 << BODY_HOLE;
			i.no_value = true;
		}
		if (!lines && value_of_pieces(m->shown)) {
			memcpy(m->kept, m->shown, sizeof(m->kept));
			m->empty_at = now;
		}
		for (unsigned g = 0; g < GOODS; g++)
			if (!(most < lines) || strchr(text, 'A' + (int)g))
				m->shown[g] = m->pieces[g];
		m->seen |= most == lines;
	}
	say_it(&i);
}

static void change(unsigned v)
{
	struct visit_model *m = &visits[v];
	unsigned g = any(GOODS), was = m->pieces[g], to;
	char asked[16];
	struct say_it i = { .say = SAY_ADD_TO_CART, .items = asked };
	bool own = any(2);

	if (was && any(3) == 0) {
		i.say = any(2) ? SAY_REMOVE_FROM_CART : SAY_CHANGE_CART;
		to = i.say == SAY_REMOVE_FROM_CART ? 0 : any(5);
	} else {
		to = was + 1 + any(3);
	}
	snprintf(asked, sizeof(asked), "%c%u", 'A' + (int)g, to > was ? to - was : was - to);
	m->pieces[g] = to;
	if (to > was)
		m->added[g] += to - was;
	else
		m->removed[g] += was - to;
	unmoved += to == was;
	if (m->step == STEP_NONE)
		m->step = STEP_CART;
	if (m->furthest < STEP_CART)
		m->furthest = STEP_CART;
	exchange(v, i, own);
	if (!own)
		exchange(v, (struct say_it){ .say = SAY_VIEW_CART }, true);
	if (!count_lines(m->pieces))
		m->step = STEP_NONE;
}

static void complete(unsigned v)
{
	static const enum say says[] = { SAY_BEGIN_CHECKOUT, SAY_CONTACT_INFO, SAY_ADDRESS_INFO,
					 SAY_SHIPPING_INFO, SAY_PAYMENT_INFO };
	struct visit_model *m = &visits[v];
	unsigned which = any(5);

	if (!count_lines(m->pieces))
		return;
	if (m->step < STEP_CHECKOUT + which)
		m->step = (enum step)(STEP_CHECKOUT + which);
	if (m->furthest < m->step)
		m->furthest = m->step;
	exchange(v, (struct say_it){ .say = says[which] }, false);
}

static void order(unsigned v)
{
	struct visit_model *m = &visits[v];
	struct say_it i = { .say = SAY_PURCHASE, .number = m->number };
	unsigned before = m->told_orders;

	if (!count_lines(m->pieces))
		return;
	m->order_value = value_of_pieces(m->pieces);
	snprintf(m->number, sizeof(m->number), "N%u", ++numbers);
	m->orders++;
	if (any(2))
		exchange(v, (struct say_it){ .say = SAY_VIEW_CART }, true);
	/* the first page may be lost, and the next one is as good */
	for (unsigned times = 1 + any(3); times; times--)
		exchange(v, i, false);
	memset(m->pieces, 0, sizeof(m->pieces));
	m->step = STEP_NONE;
	if (m->told_orders == before)
		return; /* nobody saw it */
	memset(m->shown, 0, sizeof(m->shown));
	m->seen = false;
}

static void end(unsigned v)
{
	struct visit_model *m = &visits[v];
	bool left = count_lines(m->pieces);

	m->told_end = false;
	visit_ends(id_of(v), END_TIMEOUT, now);
	assert_true(lossy || m->told_end == left);
	assert_true(m->told_orders <= m->orders);
	assert_true(lossy || m->told_orders == m->orders);
	for (unsigned g = 0; g < GOODS && !lossy; g++) {
		assert_int_equal(m->told_added[g], m->added[g]);
		assert_int_equal(m->told_removed[g], m->removed[g]);
	}
	*m = (struct visit_model){ .earlier = m->earlier + 1 };
}

static void journeys(uint64_t with, bool losses, bool restarts)
{
	kit_start(NULL);
	kit.watch = watch;
	lossy = losses;
	unmoved = 0;
	seed = with;
	memset(visits, 0, sizeof(visits));
	for (unsigned n = 0; n < JOURNEYS * 10; n++) {
		unsigned v = 1 + any(VISITS), what = any(20);

		if (what < 9)
			change(v);
		else if (what < 11)
			exchange(v, (struct say_it){ .say = SAY_VIEW_CART }, true);
		else if (what < 15)
			complete(v);
		else if (what < 17)
			order(v);
		else if (what < 18)
			end(v);
		if (restarts && any(50) == 0) {
			if (!losses || n & 1) /* it ends in order: nothing may be missed */
				carts_finish(kit.c);
			assert_int_equal(kit_restart(KIT_WALL), 0);
		}
		if (any(10) == 0)
			carts_tick(kit.c, now * MS);
		assert_true(kit_adds_up());
	}
	for (unsigned v = 1; v <= VISITS; v++)
		end(v);
	assert_u64(kit_stats().open, 0);
	carts_tick(kit.c, (now + 3700000) * MS); /* nothing is added to an order any more */
	assert_u64(kit_stats().bytes, 0);
	assert_true(restarts || kit_stats().changes_unshown == unmoved);
	kit_stop();
}

static void seen_whole_everything_is_told(void **state)
{
	for (uint64_t s = 1; s <= 20; s++)
		journeys(s, false, s & 1);
}

static void with_losses_nothing_is_told_that_was_not_so(void **state)
{
	for (uint64_t s = 1; s <= 80; s++)
		journeys(s * 7919, true, true);
}

/* ---- any order ---- */

#define AT_ONCE 5

struct facts {
	char state[256];
	int64_t added[GOODS], removed[GOODS];
	unsigned steps, orders;
};

static struct facts facts;

static void gather(const struct event *e)
{
	if (e->kind == EVENT_ADD_TO_CART)
		check_change(e, facts.added);
	else if (e->kind == EVENT_REMOVE_FROM_CART)
		check_change(e, facts.removed);
	else if (e->kind >= EVENT_BEGIN_CHECKOUT && e->kind <= EVENT_ADD_PAYMENT_INFO)
		facts.steps |= 1u << e->kind;
	else if (e->kind == EVENT_PURCHASE)
		facts.orders++;
	else if (e->kind == EVENT_CART_ABANDONED) {
		kit_cart(e);
		snprintf(facts.state, sizeof(facts.state), "%.200s", told());
	}
}

/* Answers end in the order in which the shop made them, as those of one session do; they began whenever. */
static void make_group(struct say_it *at, char texts[AT_ONCE][128], unsigned *pieces)
{
	static const enum say steps[] = { SAY_BEGIN_CHECKOUT, SAY_ADDRESS_INFO, SAY_SHIPPING_INFO };
	static const char *const asked[] = { "A1", "B1", "C1", "D1", "E1", "F1" };

	for (unsigned k = 0; k < AT_ONCE; k++) {
		unsigned what = any(4), g = any(GOODS);

		at[k] = (struct say_it){ .visit = 1, .at = 2000 + any(20), .say = SAY_VIEW_CART };
		at[k].took = 2030 + 10 * k - at[k].at;
		if (what == 3) {
			at[k].say = steps[any(3)];
			continue;
		}
		if (what) {
			at[k].say = SAY_ADD_TO_CART;
			at[k].items = asked[g];
			pieces[g]++;
		}
		lines_of(pieces, GOODS, texts[k], sizeof(texts[k]));
		if (what != 2)
			at[k].cart = texts[k];
	}
}

static void tell_in_order(const struct say_it *at, const unsigned *order, const char *last)
{
	kit_start(NULL);
	memset(&facts, 0, sizeof(facts));
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 1000, .took = 10, .items = "A1",
	    .cart = "A1@101");
	told();
	kit.watch = gather;
	lossy = false;
	for (unsigned k = 0; k < AT_ONCE; k++)
		say_it(&at[order[k]]);
	/* and once more when all is quiet */
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 5000, .took = 10, .cart = last);
	visit_ends(1, END_TIMEOUT, 5000);
	assert_true(kit_adds_up());
	kit_stop();
}

static void swap(unsigned *a, unsigned *b)
{
	unsigned was = *a;

	*a = *b;
	*b = was;
}

/* Every permutation (Heap's). */
static void permute(const struct say_it *at, unsigned *order, unsigned n, const char *last,
		    const struct facts *expect)
{
	if (n == 1) {
		tell_in_order(at, order, last);
		assert_string_equal(facts.state, expect->state);
		assert_memory_equal(facts.added, expect->added, sizeof(facts.added));
		assert_memory_equal(facts.removed, expect->removed, sizeof(facts.removed));
		assert_int_equal(facts.steps, expect->steps);
		return;
	}
	for (unsigned i = 0; i < n; i++) {
		permute(at, order, n - 1, last, expect);
		swap(&order[n % 2 ? 0 : i], &order[n - 1]);
	}
}

static void any_order_tells_the_same_in_the_end(void **state)
{
	for (uint64_t s = 1; s <= 60; s++) {
		unsigned pieces[GOODS] = { 1 }, order[AT_ONCE] = { 0, 1, 2, 3, 4 };
		char texts[AT_ONCE][128], last[128];
		struct say_it at[AT_ONCE];
		struct facts expect;

		seed = s * 104729;
		make_group(at, texts, pieces);
		lines_of(pieces, GOODS, last, sizeof(last));
		tell_in_order(at, order, last);
		expect = facts;
		for (unsigned g = 0; g < GOODS; g++)
			assert_int_equal(expect.added[g], pieces[g] - (g == 0));
		permute(at, order, AT_ONCE, last, &expect);
	}
}

UNIT_MAIN(T(seen_whole_everything_is_told), T(with_losses_nothing_is_told_that_was_not_so),
	  T(any_order_tells_the_same_in_the_end))
