/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_order.c: purchases, payment off the host, carts that are recovered: each order once, whatever
 * comes again.
 */
#include "unit.h"

#include "cart_kit.h"

#define BUY .say = SAY_PURCHASE, .visit = 1

/* A cart of which one A is known, everything told. */
static void has_one(unsigned visit, uint64_t at)
{
	SAY(.say = SAY_ADD_TO_CART, .visit = visit, .at = at, .took = 10, .items = "A1",
	    .cart = "A1@500");
	told();
}

static void order_carries_what_it_shows(void **state)
{
	uint8_t expect[KEY_BYTES];

	has_one(1, 1000);
	SAY(BUY, .at = 2000, .took = 10, .number = "N1", .items = "A1@500", .value = "9.90");
	told_is("purchase N1 A1@500 =9.90EUR\n"
		"parcours.cart ordered order A1@500 =5.00EUR q1\n");
	assert_false(kit.last[EVENT_PURCHASE].from_cart);
	keys_event(kit.keys, SLICE("purchase"), SLICE("shop.example"), SLICE("N1"), expect);
	assert_memory_equal(kit.last[EVENT_PURCHASE].event_id, expect, KEY_BYTES);
	assert_u64(kit_stats().ordered, 1);
	assert_u64(kit_stats().open, 0);
}

static void order_that_shows_nothing_has_the_lines_of_its_cart(void **state)
{
	has_one(1, 1000);
	SAY(BUY, .at = 2000, .took = 10, .number = "N1");
	told_is("purchase N1 A1@500 goods 5.00EUR\n"
		"parcours.cart ordered order A1@500 =5.00EUR q1\n");
	assert_true(kit.last[EVENT_PURCHASE].from_cart);
}

static void cart_with_a_hole_lends_nothing(void **state)
{
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 1000, .took = 10, .cart = "A1@500",
	    .flags = 1 << BODY_HOLE);
	told();
	SAY(BUY, .at = 2000, .took = 10, .number = "N1");
	told_is("purchase N1\n"
		"parcours.cart ordered order A1@500 … =5.00EUR\n");
}

static void cart_that_was_not_shown_again_lends_nothing(void **state)
{
	has_one(1, 1000);
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 1500, .took = 10, .items = "B1");
	SAY(BUY, .at = 2000, .took = 10, .number = "N1");
	told_is("purchase N1\n"
		"parcours.cart ordered order\n");
}

static void reload_back_and_double_click_count_once(void **state)
{
	has_one(1, 1000);
	SAY(BUY, .at = 2000, .took = 500, .number = "N1", .method = "POST");
	SAY(BUY, .at = 2010, .took = 500, .number = "N1", .method = "POST");
	SAY(BUY, .at = 3000, .took = 10, .number = "N1");
	SAY(BUY, .at = 90000, .took = 10, .number = "N1");
	assert_int_equal(kit.count[EVENT_PURCHASE], 1);
	assert_u64(kit_stats().orders_again, 3);
	assert_u64(kit_stats().ordered, 1);
}

static void order_counts_once_across_visits(void **state)
{
	has_one(1, 1000);
	SAY(BUY, .at = 2000, .took = 10, .number = "N1");
	visit_ends(1, END_TIMEOUT, 2000);
	has_one(2, 5000);
	SAY(.say = SAY_PURCHASE, .visit = 2, .at = 6000, .took = 10, .number = "N1");
	SAY(.say = SAY_PURCHASE, .at = 7000, .took = 10, .number = "N1");
	assert_int_equal(kit.count[EVENT_PURCHASE], 1);
	assert_u64(kit_stats().orders_again, 2);
	assert_u64(kit_stats().open, 1); /* the cart of the second visit is not what was ordered */
}

static void shop_id_tells_the_same_order(void **state)
{
	has_one(1, 1000);
	SAY(BUY, .at = 2000, .took = 10, .order_id = "77");
	SAY(.say = SAY_PURCHASE, .visit = 2, .at = 3000, .took = 10, .order_id = "77",
	    .number = "N1");
	SAY(.say = SAY_PURCHASE, .visit = 3, .at = 4000, .took = 10, .number = "N1");
	assert_int_equal(kit.count[EVENT_PURCHASE], 1);
}

static void without_a_number_once_until_a_cart_is_shown(void **state)
{
	has_one(1, 1000);
	SAY(BUY, .at = 2000, .took = 10);
	SAY(BUY, .at = 3000, .took = 10);
	/* the number is seen at the reload only: the same order */
	SAY(BUY, .at = 4000, .took = 10, .number = "N1");
	assert_int_equal(kit.count[EVENT_PURCHASE], 1);
	has_one(1, 5000);
	SAY(BUY, .at = 6000, .took = 10);
	assert_int_equal(kit.count[EVENT_PURCHASE], 2);
	SAY(BUY, .at = 7000, .took = 10, .number = "N1");
	assert_int_equal(kit.count[EVENT_PURCHASE], 2);
	/* of no visit: by the exchange */
	SAY(.say = SAY_PURCHASE, .at = 8000, .took = 10);
	SAY(.say = SAY_PURCHASE, .at = 9000, .took = 10);
	assert_int_equal(kit.count[EVENT_PURCHASE], 4);
}

static void second_order_without_a_cart_has_its_own_number(void **state)
{
	has_one(1, 1000);
	SAY(BUY, .at = 2000, .took = 10, .number = "N1");
	SAY(BUY, .at = 3000, .took = 10, .number = "N2");
	assert_int_equal(kit.count[EVENT_PURCHASE], 2);
	assert_u64(kit_stats().ordered, 1);
}

static void second_cart_after_an_order_starts_anew(void **state)
{
	uint8_t first[KEY_BYTES];

	has_one(1, 1000);
	SAY(.say = SAY_SHIPPING_INFO, .visit = 1, .at = 1500);
	SAY(BUY, .at = 2000, .took = 10, .number = "N1");
	memcpy(first, kit.last[EVENT_CART].event_id, KEY_BYTES);
	told();
	/* the form of the checkout once more, by the back button */
	SAY(.say = SAY_BEGIN_CHECKOUT, .visit = 1, .at = 2500, .took = 10);
	told_is("begin_checkout again\n");
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 3000, .took = 10, .items = "B1",
	    .cart = "B1@300");
	told_is("add_to_cart B1@300 =3.00EUR\n"
		"parcours.cart open cart B1@300 =3.00EUR q1\n");
	assert_memory_not_equal(first, kit.last[EVENT_CART].event_id, KEY_BYTES);
	SAY(.say = SAY_BEGIN_CHECKOUT, .visit = 1, .at = 4000, .took = 10);
	told_is("begin_checkout B1@300 =3.00EUR\n"
		"parcours.cart open checkout B1@300 =3.00EUR q1\n");
}

static void second_cart_of_the_same_id_is_another(void **state)
{
	uint8_t first[KEY_BYTES], expect[KEY_BYTES];

	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 1000, .cart = "A1@500", .cart_id = "c7");
	keys_event(kit.keys, SLICE("parcours.cart"), SLICE("shop.example"), SLICE("c7"), expect);
	assert_memory_equal(kit.last[EVENT_CART].event_id, expect, KEY_BYTES);
	SAY(BUY, .at = 2000, .took = 10, .number = "N1");
	memcpy(first, kit.last[EVENT_CART].event_id, KEY_BYTES);
	assert_memory_equal(first, expect, KEY_BYTES);
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 3000, .cart = "B1@500", .cart_id = "c7");
	keys_event(kit.keys, SLICE("parcours.cart"), SLICE("shop.example"),
		   slice_of("c7\0\0\0\0\2", 7), expect);
	assert_memory_equal(kit.last[EVENT_CART].event_id, expect, KEY_BYTES);
	/* also in another visit */
	SAY(BUY, .at = 4000, .took = 10, .number = "N2");
	visit_ends(1, END_TIMEOUT, 4000);
	SAY(.say = SAY_VIEW_CART, .visit = 2, .at = 9000, .cart = "B1@500", .cart_id = "c7");
	keys_event(kit.keys, SLICE("parcours.cart"), SLICE("shop.example"),
		   slice_of("c7\0\0\0\0\3", 7), expect);
	assert_memory_equal(kit.last[EVENT_CART].event_id, expect, KEY_BYTES);
}

static void late_answer_of_before_the_order_opens_nothing(void **state)
{
	has_one(1, 1000);
	SAY(BUY, .at = 2000, .took = 500, .number = "N1");
	told();
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 2100, .took = 1000, .cart = "A1@500");
	SAY(.say = SAY_SHIPPING_INFO, .visit = 1, .at = 1900, .took = 10);
	told_is("add_shipping_info\n"); /* of the cart that was ordered: it was completed */
	assert_u64(kit_stats().late, 1);
}

static void emptied_by_the_order_is_ordered(void **state)
{
	has_one(1, 1000);
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 2000, .took = 10, .cart = "");
	told_is("parcours.cart emptied cart q0\n");
	SAY(BUY, .at = 2100, .took = 10, .number = "N1");
	told_is("purchase N1 A1@500 goods 5.00EUR\n"
		"parcours.cart ordered order A1@500 =5.00EUR q1\n");
	assert_u64(kit_stats().emptied, 0);
	assert_u64(kit_stats().ordered, 1);
}

static void confirmation_shows_the_ordered_cart(void **state)
{
	has_one(1, 1000);
	SAY(BUY, .at = 2000, .took = 10, .number = "N1", .cart = "A2@500");
	told_is("purchase N1 A2@500 goods 10.00EUR\n"
		"parcours.cart ordered order A2@500 =10.00EUR q2\n");
	SAY(BUY, .at = 3000, .took = 10, .number = "N1", .cart = "A2@500");
	told_is("");
	assert_u64(kit_stats().open, 0);
}

static void order_that_is_told_after_the_next_cart(void **state)
{
	has_one(1, 1000);
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 5000, .took = 10, .cart = "B1@300");
	told();
	SAY(BUY, .at = 2000, .took = 500, .number = "N1", .items = "A1@500");
	told_is("purchase N1 A1@500\n"
		"parcours.cart ordered order\n"
		"parcours.cart open cart B1@300 =3.00EUR q1\n");
}

/* The next cart is another by its id, so what became of the first nobody saw; then what came before is told. */
static void what_is_told_after_another_cart_is_not_its(void **state)
{
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 1000, .took = 10, .items = "A1",
	    .cart = "A1@500", .cart_id = "c1");
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 5000, .took = 10, .items = "B1",
	    .cart = "B1@300", .cart_id = "c2");
	told();
	SAY(.say = SAY_SHIPPING_INFO, .visit = 1, .at = 2000, .took = 10);
	told_is("add_shipping_info again\n");
	SAY(BUY, .at = 3000, .took = 10, .number = "N1", .cart_id = "c1");
	told_is("purchase N1\n");
	assert_false(kit.cart[EVENT_PURCHASE].has_items || kit.cart[EVENT_PURCHASE].has_value);
	SAY(.say = SAY_CONTACT_INFO, .visit = 1, .at = 6000, .took = 10);
	told_is("parcours.add_contact_info B1@300 =3.00EUR\n"
		"parcours.cart open contact B1@300 =3.00EUR q1\n");
	SAY(BUY, .at = 7000, .took = 10, .number = "N2", .cart_id = "c2");
	told_is("purchase N2 B1@300 goods 3.00EUR\n"
		"parcours.cart ordered order B1@300 =3.00EUR q1\n");
}

/* ---- payment off the host ---- */

#define AWAY   .say = SAY_PAYMENT_AWAY, .visit = 1
#define NOTICE .say = SAY_PAYMENT_NOTICE

static void notice_closes_the_cart(void **state)
{
	has_one(1, 1000);
	SAY(AWAY, .at = 2000, .took = 10, .order_id = "77", .number = "N1");
	told_is("add_payment_info N1 A1@500 =5.00EUR\n"
		"parcours.cart open payment A1@500 =5.00EUR q1\n");
	SAY(NOTICE, .at = 60000, .took = 10, .order_id = "77");
	told_is("purchase N1 A1@500 goods 5.00EUR\n"
		"parcours.cart ordered order A1@500 =5.00EUR q1\n");
	assert_true(kit.last[EVENT_PURCHASE].has_session);
	assert_int_equal(kit.last[EVENT_PURCHASE].session_id[0], 1);
	/* the customer comes back after all, and the provider repeats itself */
	SAY(BUY, .at = 61000, .took = 10, .number = "N1");
	SAY(NOTICE, .at = 62000, .took = 10, .order_id = "77");
	told_is("");
	visit_ends(1, END_TIMEOUT, 61000);
	told_is("");
}

static void shop_that_empties_the_cart_before_it_is_paid(void **state)
{
	has_one(1, 1000);
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 2000, .took = 10, .cart = "");
	/* nothing is in it that could be checked out */
	SAY(.say = SAY_BEGIN_CHECKOUT, .visit = 1, .at = 2100, .took = 10);
	told_is("parcours.cart emptied cart q0\nbegin_checkout again\n");
	SAY(AWAY, .at = 2200, .took = 10, .order_id = "77");
	told_is("add_payment_info A1@500 =5.00EUR\n"
		"parcours.cart open payment A1@500 =5.00EUR q1\n");
	SAY(NOTICE, .at = 60000, .took = 10, .order_id = "77");
	assert_int_equal(kit.count[EVENT_PURCHASE], 1);
}

static void notice_by_the_id_of_the_cart(void **state)
{
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 1000, .cart = "A1@500", .cart_id = "c7");
	SAY(AWAY, .at = 2000, .took = 10);
	told();
	SAY(NOTICE, .at = 60000, .took = 10, .cart_id = "c7", .number = "N1");
	told_is("purchase N1 A1@500 goods 5.00EUR\n"
		"parcours.cart ordered order A1@500 =5.00EUR q1\n");
}

static void customer_first_then_the_notice(void **state)
{
	has_one(1, 1000);
	SAY(AWAY, .at = 2000, .took = 10, .order_id = "77");
	SAY(BUY, .at = 50000, .took = 10, .number = "N1");
	told();
	SAY(NOTICE, .at = 60000, .took = 10, .order_id = "77");
	told_is("");
	assert_int_equal(kit.count[EVENT_PURCHASE], 1);
}

static void customer_comes_back_as_another_visit(void **state)
{
	has_one(1, 1000);
	SAY(AWAY, .at = 2000, .took = 10, .order_id = "77");
	told();
	SAY(.say = SAY_PURCHASE, .visit = 2, .at = 50000, .took = 10, .order_id = "77",
	    .number = "N1");
	assert_int_equal(kit.last[EVENT_PURCHASE].session_id[0], 2);
	assert_u64(kit_stats().ordered, 1);
	visit_ends(1, END_TIMEOUT, 2000);
	assert_u64(kit_stats().abandoned, 0);
}

static void no_notice_is_left_at_the_payment_page(void **state)
{
	has_one(1, 1000);
	SAY(AWAY, .at = 2000, .took = 10, .order_id = "77");
	told();
	visit_ends(1, END_TIMEOUT, 2000);
	told_is("parcours.cart abandoned payment A1@500 =5.00EUR q1\n"
		"parcours.cart_abandoned timeout abandoned payment A1@500 =5.00EUR q1\n");
	/* days later it is an order of that visit, once */
	SAY(NOTICE, .at = 90000000, .took = 10, .order_id = "77", .number = "N1");
	told_is("purchase N1\n");
	assert_int_equal(kit.last[EVENT_PURCHASE].session_id[0], 1);
	SAY(NOTICE, .at = 90001000, .took = 10, .order_id = "77", .number = "N1");
	told_is("");
	/* and nothing that could be recovered */
	SAY(.say = SAY_VIEW_CART, .visit = 2, .key = 1, .at = 90002000, .cart = "A1@500");
	told_is("view_cart A1@500 =5.00EUR\n"
		"parcours.cart open cart A1@500 =5.00EUR q1\n");
}

static void notice_of_an_unknown_cart_is_no_order(void **state)
{
	SAY(NOTICE, .at = 1000, .took = 10, .order_id = "77", .number = "N1");
	told_is("parcours.payment_notice N1\n");
	assert_u64(kit_stats().notices_unknown, 1);
}

static void refused_payment_is_of_its_cart(void **state)
{
	has_one(1, 1000);
	SAY(AWAY, .at = 2000, .took = 10, .order_id = "77");
	told();
	SAY(.say = SAY_PAYMENT_ERROR, .at = 3000, .order_id = "77", .reason = "no cover");
	assert_int_equal(kit.last[EVENT_PAYMENT_ERROR].session_id[0], 1);
	assert_u64(kit_stats().open, 1);
}

/* ---- recovered ---- */

static void recovered_by_the_same_visitor(void **state)
{
	has_one(1, 1000);
	SAY(.say = SAY_BEGIN_CHECKOUT, .visit = 1, .at = 2000);
	visit_ends(1, END_TIMEOUT, 2000);
	told();
	SAY(.say = SAY_VIEW_CART, .visit = 2, .key = 1, .at = 9000000, .cart = "A1@500");
	told_is("view_cart A1@500 =5.00EUR\n"
		"parcours.cart open checkout A1@500 =5.00EUR q1 recovered\n");
	/* what was completed is not completed again */
	SAY(.say = SAY_BEGIN_CHECKOUT, .visit = 2, .key = 1, .at = 9001000);
	told_is("begin_checkout again\n");
}

static void other_content_is_not_recovered(void **state)
{
	has_one(1, 1000);
	visit_ends(1, END_TIMEOUT, 2000);
	told();
	SAY(.say = SAY_VIEW_CART, .visit = 2, .key = 1, .at = 9000000, .cart = "B1@300");
	told_is("view_cart B1@300 =3.00EUR\n"
		"parcours.cart open cart B1@300 =3.00EUR q1\n");
	/* nor is another visitor's */
	SAY(.say = SAY_VIEW_CART, .visit = 3, .at = 9000000, .cart = "A1@500");
	told_is("view_cart A1@500 =5.00EUR\n"
		"parcours.cart open cart A1@500 =5.00EUR q1\n");
}

static void recovered_by_the_id_of_the_cart(void **state)
{
	uint8_t first[KEY_BYTES];

	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 1000, .cart = "A1@500", .cart_id = "c7");
	memcpy(first, kit.last[EVENT_CART].event_id, KEY_BYTES);
	visit_ends(1, END_TIMEOUT, 1000);
	told();
	SAY(.say = SAY_VIEW_CART, .visit = 2, .at = 9000000, .cart = "B1@300", .cart_id = "c7");
	told_is("parcours.cart open cart B1@300 =3.00EUR q1 recovered\n");
	assert_memory_equal(first, kit.last[EVENT_CART].event_id, KEY_BYTES);
}

static void cart_goes_on_in_another_open_visit(void **state)
{
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 1000, .cart = "A1@500", .cart_id = "c7");
	told();
	SAY(.say = SAY_ADD_TO_CART, .visit = 2, .at = 2000, .items = "B1", .cart = "A1@500 B1@300",
	    .cart_id = "c7");
	told_is("add_to_cart B1@300 =3.00EUR\n"
		"parcours.cart open cart A1@500 B1@300 =8.00EUR q2 recovered\n");
	visit_ends(1, END_TIMEOUT, 1000);
	told_is("");
	assert_u64(kit_stats().opened, 1);
}

static void merged_visits_have_one_cart(void **state)
{
	struct session_fact f = { .kind = FACT_ALIAS,
				  .reason = "merge",
				  .site = SLICE("shop.example") };

	has_one(1, 1000);
	kit_id(2, f.session_id);
	kit_id(1002, f.key);
	kit_id(1001, f.key_new);
	carts_fact(kit.c, &f);
	told_is("parcours.cart open cart A1@500 =5.00EUR q1\n");
	assert_int_equal(kit.last[EVENT_CART].session_id[0], 2);
	visit_ends(1, END_TIMEOUT, 1000);
	told_is("");
	visit_ends(2, END_TIMEOUT, 1000);
	assert_int_equal(kit.count[EVENT_CART_ABANDONED], 1);
}

static void known_again_by_a_later_key(void **state)
{
	struct session_fact f = { .kind = FACT_ALIAS,
				  .reason = "period",
				  .site = SLICE("shop.example") };

	has_one(1, 1000);
	kit_id(1, f.session_id);
	kit_id(1001, f.key);
	kit_id(1009, f.key_new);
	carts_fact(kit.c, &f);
	visit_ends(1, END_TIMEOUT, 1000);
	told();
	SAY(.say = SAY_VIEW_CART, .visit = 2, .key = 9, .at = 9000000, .cart = "A1@500");
	told_is("view_cart A1@500 =5.00EUR\n"
		"parcours.cart open cart A1@500 =5.00EUR q1 recovered\n");
}

static void visit_that_goes_on_has_the_same_cart(void **state)
{
	uint8_t first[KEY_BYTES];

	has_one(1, 1000);
	memcpy(first, kit.last[EVENT_CART].event_id, KEY_BYTES);
	visit_ends(1, END_TIMEOUT, 1000);
	told();
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 1700000, .cart = "A1@500");
	told_is("view_cart A1@500 =5.00EUR\n"
		"parcours.cart open cart A1@500 =5.00EUR q1\n");
	assert_memory_equal(first, kit.last[EVENT_CART].event_id, KEY_BYTES);
}

/* ---- what another host did ---- */

static void another_id_is_another_cart(void **state)
{
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 1000, .took = 10, .cart = "A1@500",
	    .cart_id = "c1");
	SAY(.say = SAY_SHIPPING_INFO, .visit = 1, .at = 2000, .took = 10);
	told();
	/* its order was made at another host, and the next one has the same goods in it */
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 3000, .took = 10, .cart = "A1@500",
	    .cart_id = "c2");
	told_is("parcours.cart_abandoned evicted open shipping A1@500 =5.00EUR q1\n"
		"view_cart A1@500 =5.00EUR\n"
		"parcours.cart open cart A1@500 =5.00EUR q1\n");
}

static void another_id_after_a_login_may_be_the_same_cart(void **state)
{
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 1000, .took = 10, .cart = "A1@500",
	    .cart_id = "c1");
	SAY(.say = SAY_SHIPPING_INFO, .visit = 1, .at = 2000, .took = 10);
	SAY(.say = SAY_LOGIN, .visit = 1, .at = 2500, .took = 10);
	told();
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 3000, .took = 10, .cart = "A1@500",
	    .cart_id = "c2");
	told_is("parcours.cart open shipping A1@500 =5.00EUR q1\n");
}

static void order_of_another_cart_leaves_this_one(void **state)
{
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 1000, .took = 10, .cart = "A1@500",
	    .cart_id = "c2");
	told();
	SAY(BUY, .at = 2000, .took = 10, .number = "N1", .cart_id = "c1");
	told_is("purchase N1\n");
	assert_u64(kit_stats().open, 1);
	assert_u64(kit_stats().ordered, 0);
}

/* A step that was completed before anything was shown may be of the cart before. */
static void cart_is_opened_when_it_is_shown(void **state)
{
	SAY(.say = SAY_SHIPPING_INFO, .visit = 1, .at = 1000, .took = 10);
	assert_u64(kit.cart[EVENT_CART].opened_unix_ns, 1000 * MS + KIT_WALL);
	assert_u64(kit.last[EVENT_CART].revision, 1); /* any word of what is in it counts more */
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 3000, .took = 10, .cart = "A1@500");
	assert_u64(kit.cart[EVENT_CART].opened_unix_ns, 3000 * MS + KIT_WALL);
	assert_u64(kit.last[EVENT_CART].revision, 3010 * MS + KIT_WALL);
}

static void last_activity_is_no_revision(void **state)
{
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 1000, .took = 10, .cart = "A1@500");
	visit_ends(1, END_TIMEOUT, 9000);
	assert_u64(kit.cart[EVENT_CART].last_activity_unix_ns, 9000 * MS + KIT_WALL);
	assert_u64(kit.last[EVENT_CART_ABANDONED].revision, 1010 * MS + KIT_WALL + 2);
}

static void change_that_nobody_showed_is_of_its_time(void **state)
{
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 1000, .took = 10, .cart = "A1@500");
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 2000, .took = 10, .items = "B1");
	visit_ends(1, END_TIMEOUT, 9000);
	assert_u64(kit.last[EVENT_CART].revision, 2010 * MS + KIT_WALL);
	assert_false(kit.cart[EVENT_CART].has_value);
}

static void empty_cart_is_told_once_and_at_the_end(void **state)
{
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 1000, .took = 10, .cart = "");
	told_is("parcours.cart emptied none q0\n");
	assert_u64(kit.last[EVENT_CART].revision, 1010 * MS + KIT_WALL);
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 2000, .took = 10, .cart = "");
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 3000, .took = 10, .cart = "");
	told_is("");
	visit_ends(1, END_TIMEOUT, 3000);
	told_is("parcours.cart emptied none q0\n");
	assert_u64(kit.last[EVENT_CART].revision, 3010 * MS + KIT_WALL);
	assert_u64(kit_stats().opened, 0);
}

UNIT_MAIN(C(order_carries_what_it_shows), C(order_that_shows_nothing_has_the_lines_of_its_cart),
	  C(cart_with_a_hole_lends_nothing), C(cart_that_was_not_shown_again_lends_nothing),
	  C(reload_back_and_double_click_count_once), C(order_counts_once_across_visits),
	  C(shop_id_tells_the_same_order), C(without_a_number_once_until_a_cart_is_shown),
	  C(second_order_without_a_cart_has_its_own_number),
	  C(second_cart_after_an_order_starts_anew), C(second_cart_of_the_same_id_is_another),
	  C(late_answer_of_before_the_order_opens_nothing), C(emptied_by_the_order_is_ordered),
	  C(confirmation_shows_the_ordered_cart), C(order_that_is_told_after_the_next_cart),
	  C(what_is_told_after_another_cart_is_not_its), C(notice_closes_the_cart),
	  C(shop_that_empties_the_cart_before_it_is_paid), C(notice_by_the_id_of_the_cart),
	  C(customer_first_then_the_notice), C(customer_comes_back_as_another_visit),
	  C(no_notice_is_left_at_the_payment_page), C(notice_of_an_unknown_cart_is_no_order),
	  C(refused_payment_is_of_its_cart), C(recovered_by_the_same_visitor),
	  C(other_content_is_not_recovered), C(recovered_by_the_id_of_the_cart),
	  C(cart_goes_on_in_another_open_visit), C(merged_visits_have_one_cart),
	  C(known_again_by_a_later_key), C(visit_that_goes_on_has_the_same_cart),
	  C(another_id_is_another_cart), C(another_id_after_a_login_may_be_the_same_cart),
	  C(order_of_another_cart_leaves_this_one), C(cart_is_opened_when_it_is_shown),
	  C(last_activity_is_no_revision), C(change_that_nobody_showed_is_of_its_time),
	  C(empty_cart_is_told_once_and_at_the_end))
