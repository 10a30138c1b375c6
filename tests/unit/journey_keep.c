/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_keep.c: what carts are kept within (records, bytes, orders), who goes first, and how they survive a
 * restart; the arithmetic of their amounts.
 */
#include "unit.h"

#include <errno.h>

#include "cart_kit.h"
#include "journey/cart/internal.h"

static void start_small(uint32_t open, size_t bytes, uint32_t orders)
{
	struct carts_options o = kit_options();

	kit_stop();
	o.open = open;
	o.bytes = bytes;
	o.orders = orders;
	kit_start(&o);
}

static void opens(unsigned visit, uint64_t at)
{
	SAY(.say = SAY_VIEW_CART, .visit = visit, .at = at, .cart = "A1@500");
}

/* ---- bounds ---- */

static void least_valuable_goes_first(void **state)
{
	start_small(4, 1 << 20, 10);
	opens(1, 1000);
	SAY(.say = SAY_BEGIN_CHECKOUT, .visit = 1, .at = 1100);
	opens(2, 2000);
	opens(3, 3000);
	SAY(.say = SAY_ADD_TO_CART, .visit = 4, .at = 4000, .items = "A1");
	told();
	opens(5, 5000); /* 4 has no cart */
	told_is("view_cart A1@500 =5.00EUR\nparcours.cart open cart A1@500 =5.00EUR q1\n");
	assert_u64(kit_stats().records_evicted, 1);
	opens(6, 6000); /* 2 is the oldest that completed no step of a checkout */
	told_is("parcours.cart_abandoned evicted open cart A1@500 =5.00EUR q1\n"
		"view_cart A1@500 =5.00EUR\nparcours.cart open cart A1@500 =5.00EUR q1\n");
	assert_int_equal(kit.last[EVENT_CART_ABANDONED].session_id[0], 2);
	assert_u64(kit_stats().evicted, 1);
	visit_ends(1, END_TIMEOUT, 1100);
	told_is("parcours.cart abandoned checkout A1@500 =5.00EUR q1\n"
		"parcours.cart_abandoned timeout abandoned checkout A1@500 =5.00EUR q1\n");
}

/* Every page of a shop shows an empty cart to who has none. */
static void empty_carts_take_no_others_place(void **state)
{
	start_small(4, 1 << 20, 10);
	SAY(.say = SAY_PURCHASE, .visit = 1, .at = 1000, .took = 10);
	opens(2, 2000);
	for (unsigned v = 3; v <= 100; v++)
		SAY(.say = SAY_VIEW_CART, .visit = v, .at = 100 * v, .took = 10, .cart = "");
	assert_int_equal(kit.count[EVENT_CART], 1 + 2); /* of two there was room for a record */
	assert_u64(kit_stats().records_evicted, 96);
	told();
	/* the order of no number is known again */
	SAY(.say = SAY_PURCHASE, .visit = 1, .at = 20000, .took = 10);
	told_is("");
	/* and a cart finds room: what is told of one that goes is all that is known */
	SAY(.say = SAY_VIEW_CART, .visit = 3, .at = 21000, .took = 10, .cart = "");
	opens(101, 22000);
	opens(102, 23000);
	assert_u64(kit_stats().evicted, 0);
	told_is("view_cart A1@500 =5.00EUR\n"
		"parcours.cart open cart A1@500 =5.00EUR q1\n"
		"parcours.cart emptied none q0\n"
		"view_cart A1@500 =5.00EUR\n"
		"parcours.cart open cart A1@500 =5.00EUR q1\n");
}

static void flood_of_carts_stays_within_the_bytes(void **state)
{
	start_small(100000, 20000, 10);
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 1, .items = "A1", .cart = "A1@500");
	SAY(.say = SAY_BEGIN_CHECKOUT, .visit = 1, .at = 2);
	for (unsigned i = 2; i < 3000; i++) {
		opens(i, i * 1000);
		assert_true(kit_stats().bytes <= 20000);
		assert_true(kit_adds_up());
		told();
	}
	assert_true(kit_stats().evicted > 1000);
	visit_ends(1, END_TIMEOUT, 2);
	told_is("parcours.cart abandoned checkout A1@500 =5.00EUR q1\n"
		"parcours.cart_abandoned timeout abandoned checkout A1@500 =5.00EUR q1\n");
}

static void look_away(const struct event *e)
{
}

static void longer_list_is_cut_and_counted(void **state)
{
	static struct item items[ITEMS_MAX];
	static char texts[ITEMS_MAX][200];
	const struct say_it i = { .visit = 1, .at = 1 };
	struct transaction t = kit_transaction(&i);
	struct cart_shown cart = { .has_items = true, .items = items, .item_count = ITEMS_MAX };
	struct said s = { .say = SAY_VIEW_CART, .t = &t, .cart = &cart };

	for (unsigned k = 0; k < ITEMS_MAX; k++) {
		memset(texts[k], 'x', sizeof(texts[k]));
		texts[k][0] = (char)('A' + k % 26);
		texts[k][1] = (char)('A' + k / 26);
		items[k] = (struct item){ .id = slice_of(texts[k], sizeof(texts[k])) };
	}
	kit.watch = look_away;
	carts_push(kit.c, &s);
	assert_u64(kit_stats().items_cut, ITEMS_MAX - LINES_TEXT_BYTES / sizeof(texts[0]));
	/* once as it is, once as a change that somebody may still say to have asked for */
	assert_true(kit_stats().bytes < 2 * (LINES_TEXT_BYTES + 10000));
}

static void oldest_order_is_forgotten_and_counted(void **state)
{
	char number[8] = "N0";

	start_small(100, 1 << 20, 3);
	for (char c = '0'; c < '4'; c++) {
		number[1] = c;
		SAY(.say = SAY_PURCHASE, .visit = 1, .at = (uint64_t)c * 1000, .number = number);
	}
	assert_u64(kit_stats().orders_forgotten, 1);
	SAY(.say = SAY_PURCHASE, .visit = 1, .at = 90000, .number = "N3");
	assert_int_equal(kit.count[EVENT_PURCHASE], 4);
}

static void every_order_of_100000_is_remembered(void **state)
{
	start_small(100, 1 << 20, 100000);
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 100000; i++) {
			char number[16];

			snprintf(number, sizeof(number), "N%u", i);
			SAY(.say = SAY_PURCHASE, .at = i, .number = number);
			kit.told_len = 0;
		}
	assert_int_equal(kit.count[EVENT_PURCHASE], 100000);
	assert_u64(kit_stats().orders_again, 100000);
	assert_u64(kit_stats().orders_forgotten, 0);
}

static void visit_whose_end_is_lost_ends(void **state)
{
	opens(1, 1000);
	told();
	carts_tick(kit.c, 1000 * MS + RECORD_LIFE_NS);
	told_is("");
	carts_tick(kit.c, 3000 * MS + RECORD_LIFE_NS);
	told_is("parcours.cart_abandoned evicted open cart A1@500 =5.00EUR q1\n");
	assert_u64(kit_stats().bytes, 0);
}

/* ---- the checkpoint ---- */

static void restart_changes_nothing(void **state)
{
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 1000, .took = 10, .items = "A1",
	    .cart = "A1@500", .cart_id = "c7");
	SAY(.say = SAY_PAYMENT_AWAY, .visit = 1, .at = 2000, .order_id = "77", .number = "N7");
	SAY(.say = SAY_PAYMENT_ERROR, .visit = 1, .at = 2500, .reason = "no");
	SAY(.say = SAY_PURCHASE, .visit = 2, .at = 3000, .number = "N1");
	opens(3, 3000);
	visit_ends(3, END_TIMEOUT, 3000);
	told();
	/* the clock begins anew */
	assert_int_equal(kit_restart(KIT_WALL + 3000 * MS), 0);
	assert_u64(kit_stats().restored, 1);
	assert_u64(kit_stats().open, 1);
	told_is("");
	SAY(.say = SAY_PURCHASE, .visit = 2, .at = 100, .number = "N1");
	SAY(.say = SAY_PAYMENT_INFO, .visit = 1, .at = 200); /* its event was told */
	told_is("add_payment_info again\n");
	SAY(.say = SAY_VIEW_CART, .visit = 4, .key = 3, .at = 500, .cart = "A1@500");
	told_is("parcours.cart open cart A1@500 =5.00EUR q1 recovered\n");
	SAY(.say = SAY_PAYMENT_NOTICE, .at = 1000, .order_id = "77");
	told_is("purchase N7 A1@500 goods 5.00EUR\n"
		"parcours.cart ordered order A1@500 =5.00EUR q1\n");
	/* written by this program, at rest */
	assert_int_equal(kit_restart(KIT_WALL + 3000 * MS), 0);
}

static void trouble_and_base_survive(void **state)
{
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 1000, .items = "A1", .cart = "A1@500");
	SAY(.say = SAY_CART_REFUSED, .visit = 1, .at = 2000, .reason = "sold out");
	told();
	assert_int_equal(kit_restart(KIT_WALL), 0);
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 3000, .items = "B1", .cart = "A1@500 B1@300");
	told_is("add_to_cart B1@300 =3.00EUR\n"
		"parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n");
	visit_ends(1, END_TIMEOUT, 3000);
	assert_int_equal(kit.count[EVENT_CART_ABANDONED], 1);
}

static void login_and_empty_cart_survive(void **state)
{
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 1000, .took = 10, .cart = "A1@500 B1@300",
	    .cart_id = "guest");
	SAY(.say = SAY_LOGIN, .visit = 1, .at = 2000, .took = 10);
	SAY(.say = SAY_VIEW_CART, .visit = 2, .at = 1000, .took = 10, .cart = "");
	SAY(.say = SAY_VIEW_CART, .visit = 2, .at = 2500, .took = 10, .cart = "");
	told();
	/* killed; the clock begins anew */
	assert_int_equal(kit_restart(KIT_WALL + 3000 * MS), 0);
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 1000, .took = 10, .cart = "A1@500 B1@300",
	    .cart_id = "own");
	told_is("parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n");
	visit_ends(2, END_TIMEOUT, 2500);
	told_is("parcours.cart emptied none q0\n");
	assert_u64(kit.last[EVENT_CART].revision, 2510 * MS + KIT_WALL);
	assert_u64(kit_stats().evicted, 0);
}

static void save_now(struct buf *b)
{
	buf_init(b, 1 << 24);
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 1000, .items = "SECRET1",
	    .cart = "SECRET1@500", .cart_id = "private-cart");
	SAY(.say = SAY_PAYMENT_AWAY, .visit = 1, .at = 2000, .number = "private-number");
	SAY(.say = SAY_PURCHASE, .visit = 2, .at = 3000, .number = "private-order");
	assert_int_equal(carts_save(kit.c, b, kit_collect), 0);
}

static void nothing_can_be_read_in_it(void **state)
{
	struct buf b, again;

	save_now(&b);
	assert_true(slice_find_slice(buf_slice(&b), SLICE("private")) < 0);
	assert_true(slice_find_slice(buf_slice(&b), SLICE("SECRET")) < 0);
	assert_true(slice_find_slice(buf_slice(&b), SLICE("shop.example")) < 0);
	/* the same text is sealed alike: two checkpoints tell nothing more than one */
	buf_init(&again, 1 << 24);
	assert_int_equal(carts_save(kit.c, &again, kit_collect), 0);
	assert_int_equal(b.len, again.len);
	assert_memory_equal(b.at, again.at, b.len);
	buf_done(&again);
	buf_done(&b);
}

static int load_into_new(struct slice text)
{
	struct carts_stats s;
	struct carts *c;
	int err;

	assert_int_equal(carts_new(&kit.options, &c), 0);
	carts_clock(c, KIT_WALL);
	err = carts_load(c, text);
	carts_stats(c, &s);
	assert_u64(s.restored, err ? 0 : 1);
	assert_u64(s.open, err ? 0 : 1);
	carts_free(c);
	return err;
}

static void damaged_is_refused_whole(void **state)
{
	struct buf b;

	save_now(&b);
	assert_int_equal(load_into_new(buf_slice(&b)), 0);
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(load_into_new(slice_of(b.at, len)), -EBADMSG);
	buf_add_byte(&b, 0);
	assert_int_equal(load_into_new(buf_slice(&b)), -EBADMSG);
	b.len--;
	/* texts have a keyed hash over them: no octet of the last one changes unseen */
	for (size_t at = b.len - 10; at < b.len; at++) {
		b.at[at] ^= 1;
		assert_int_equal(load_into_new(buf_slice(&b)), -EBADMSG);
		b.at[at] ^= 1;
	}
	b.at[0] ^= 1;
	assert_int_equal(load_into_new(buf_slice(&b)), -EPROTO);
	b.at[0] ^= 1;
	buf_done(&b);
}

static void other_secret_is_refused(void **state)
{
	static const uint8_t secret[SECRET_BYTES] = { 8 };
	struct keys *other, *own = kit.keys;
	struct buf b;

	save_now(&b);
	assert_int_equal(keys_new(secret, &other), 0);
	kit.options.keys = other;
	assert_int_equal(load_into_new(buf_slice(&b)), -EKEYREJECTED);
	kit.options.keys = own;
	keys_free(other);
	buf_done(&b);
}

/* ---- amounts ---- */

static struct amount amount(int64_t units, uint8_t scale, const char *currency)
{
	struct amount a = { .units = units, .scale = scale };

	memcpy(a.currency, currency, strlen(currency));
	return a;
}

#define AMOUNT(...) (&(struct amount[]){ amount(__VA_ARGS__) }[0])

static void amounts_of_one_currency_are_compared_in_any_scale(void **state)
{
	assert_true(amount_same(AMOUNT(500, 2, "EUR"), AMOUNT(5000000, 6, "EUR")));
	assert_false(amount_same(AMOUNT(500, 2, "EUR"), AMOUNT(5000001, 6, "EUR")));
	assert_false(amount_same(AMOUNT(500, 2, "EUR"), AMOUNT(500, 2, "USD")));
	assert_false(amount_same(AMOUNT(500, 2, "EUR"), AMOUNT(500, 2, "")));
	assert_false(amount_same(AMOUNT(INT64_MAX, 0, "EUR"), AMOUNT(5, 18, "EUR")));
}

static void sums_are_exact_or_none(void **state)
{
	struct amount a;

	assert_true(amount_add(AMOUNT(1, 0, "EUR"), AMOUNT(25, 2, "EUR"), -1, &a));
	assert_true(amount_same(&a, AMOUNT(75, 2, "EUR")));
	assert_false(amount_add(AMOUNT(1, 0, "EUR"), AMOUNT(1, 0, "JPY"), 1, &a));
	assert_false(amount_add(AMOUNT(INT64_MAX, 0, "EUR"), AMOUNT(1, 0, "EUR"), 1, &a));
	assert_false(amount_add(AMOUNT(INT64_MIN, 0, "EUR"), AMOUNT(1, 0, "EUR"), -1, &a));
	assert_false(amount_add(AMOUNT(INT64_MAX / 5, 0, "EUR"), AMOUNT(1, 2, "EUR"), 1, &a));
}

static void products_are_exact_or_none(void **state)
{
	struct amount a;

	/* 1.5 kg at 3.33 */
	assert_true(amount_times(AMOUNT(333, 2, "EUR"), AMOUNT(15, 1, ""), &a));
	assert_int_equal(a.units, 4995);
	assert_int_equal(a.scale, 3);
	assert_true(amount_times(AMOUNT(250, 2, "EUR"), AMOUNT(2000, 3, ""), &a));
	assert_int_equal(a.units, 500);
	assert_int_equal(a.scale, 2);
	assert_true(amount_times(AMOUNT(1200, 0, "JPY"), AMOUNT(3, 0, ""), &a));
	assert_int_equal(a.units, 3600);
	assert_false(amount_times(AMOUNT(250, 2, ""), AMOUNT(2, 0, ""), &a));
	assert_false(amount_times(AMOUNT(INT64_MAX, 2, "EUR"), AMOUNT(2, 0, ""), &a));
	assert_false(amount_times(AMOUNT(3, 18, "EUR"), AMOUNT(3, 1, ""), &a));
}

UNIT_MAIN(C(least_valuable_goes_first), C(empty_carts_take_no_others_place),
	  C(flood_of_carts_stays_within_the_bytes), C(longer_list_is_cut_and_counted),
	  C(oldest_order_is_forgotten_and_counted), C(every_order_of_100000_is_remembered),
	  C(visit_whose_end_is_lost_ends), C(restart_changes_nothing), C(trouble_and_base_survive),
	  C(login_and_empty_cart_survive), C(nothing_can_be_read_in_it),
	  C(damaged_is_refused_whole), C(other_secret_is_refused),
	  T(amounts_of_one_currency_are_compared_in_any_scale), T(sums_are_exact_or_none),
	  T(products_are_exact_or_none))
