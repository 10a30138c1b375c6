/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_sold.c: an order that several exchanges tell of: counted once, and the fact holds what any of them
 * knew, whichever came first; never less than before, never of two orders.
 */
#include "unit.h"

#include <errno.h>

#include "cart_kit.h"
#include "journey/cart/internal.h"

#define BUY    .say = SAY_PURCHASE, .visit = 1
#define AWAY   .say = SAY_PAYMENT_AWAY, .visit = 1
#define NOTICE .say = SAY_PAYMENT_NOTICE

/* A cart that is called c7 and holds an A, and the customer is away to pay. */
static void is_away(unsigned visit, uint64_t at, const char *number)
{
	SAY(.say = SAY_VIEW_CART, .visit = visit, .at = at, .took = 10, .cart = "A1@500",
	    .cart_id = "c7");
	SAY(.say = SAY_PAYMENT_AWAY, .visit = visit, .at = at + 100, .took = 10, .number = number);
	told();
}

static uint8_t id_then[KEY_BYTES];

static void note_id(void)
{
	memcpy(id_then, kit.last[EVENT_PURCHASE].event_id, KEY_BYTES);
}

static void same_id(uint64_t revision)
{
	assert_memory_equal(id_then, kit.last[EVENT_PURCHASE].event_id, KEY_BYTES);
	assert_u64(kit.last[EVENT_PURCHASE].revision, revision);
	assert_int_equal(kit.count[EVENT_PURCHASE], 1);
}

static void landing_page_adds_to_the_notice(void **state)
{
	struct event *e = &kit.last[EVENT_PURCHASE];
	uint8_t span[8];
	uint64_t time;

	is_away(1, 1000, NULL);
	SAY(NOTICE, .at = 50000, .took = 10, .cart_id = "c7", .number = "N1",
	    .status_text = "paid");
	told_is("purchase N1 paid A1@500 goods 5.00EUR\n"
		"parcours.cart ordered order A1@500 =5.00EUR q1\n");
	note_id();
	assert_true(e->from_cart);
	time = e->time_unix_ns;
	memcpy(span, e->span_id, sizeof(span));
	SAY(BUY, .at = 51000, .took = 10, .number = "N1", .order_id = "77", .items = "A1@490",
	    .value = "9.90", .tax = "1.58", .own = "yes");
	told_is("purchase N1 r2 id 77 paid A1@490 =9.90EUR tax 1.58EUR gift:yes\n");
	same_id(2);
	assert_false(e->from_cart);
	assert_true(e->adds_value);
	assert_u64(e->time_unix_ns, time);
	assert_memory_equal(e->span_id, span, sizeof(span));
	assert_true(e->has_session && e->session_id[0] == 1 && e->cart);
	assert_string_equal(e->segment.device, "mobile");
	assert_u64(kit_stats().orders_completed, 1);
	assert_u64(kit_stats().ordered, 1);
}

static void notice_adds_to_the_landing_page(void **state)
{
	is_away(1, 1000, NULL);
	SAY(BUY, .at = 50000, .took = 10, .number = "N1", .items = "A1@490", .value = "9.90");
	told_is("purchase N1 A1@490 =9.90EUR\n"
		"parcours.cart ordered order A1@500 =5.00EUR q1\n");
	note_id();
	SAY(NOTICE, .at = 51000, .took = 10, .number = "N1", .status_text = "paid");
	told_is("purchase N1 r2 paid A1@490 =9.90EUR\n");
	same_id(2);
	assert_false(kit.last[EVENT_PURCHASE].adds_value);
	assert_u64(kit_stats().notices_unknown, 0);
}

/* By nothing but the cart, which is no open one any more. */
static void notice_that_knows_the_cart_only(void **state)
{
	is_away(1, 1000, NULL);
	SAY(BUY, .at = 50000, .took = 10, .number = "N1", .value = "9.90");
	told();
	note_id();
	SAY(NOTICE, .at = 51000, .took = 10, .cart_id = "c7", .status_text = "paid");
	told_is("purchase N1 r2 paid A1@500 =9.90EUR\n");
	same_id(2);
	/* the next one of the provider is not of this order, for all that is known */
	SAY(NOTICE, .at = 52000, .took = 10, .cart_id = "c7", .status_text = "settled");
	told_is("parcours.payment_notice\n");
}

static void number_is_learnt_later(void **state)
{
	is_away(1, 1000, NULL);
	SAY(NOTICE, .at = 50000, .took = 10, .cart_id = "c7", .status_text = "paid");
	told();
	note_id();
	SAY(BUY, .at = 51000, .took = 10, .number = "N1", .value = "9.90");
	told_is("purchase N1 r2 paid A1@500 =9.90EUR goods 5.00EUR\n");
	same_id(2);
	/* by which it is known from then on, to anybody */
	SAY(.say = SAY_PURCHASE, .visit = 2, .at = 60000, .took = 10, .number = "N1",
	    .tax = "1.58");
	told_is("purchase N1 r3 paid A1@500 =9.90EUR tax 1.58EUR goods 5.00EUR\n");
	same_id(3);
	assert_int_equal(kit.last[EVENT_PURCHASE].session_id[0], 1);
}

static void what_says_nothing_new_tells_nothing(void **state)
{
	is_away(1, 1000, "N1");
	SAY(BUY, .at = 50000, .took = 10, .number = "N1", .order_id = "77", .items = "A1@500",
	    .value = "9.90", .status_text = "paid");
	told();
	SAY(BUY, .at = 51000, .took = 10, .number = "N1", .items = "A1@500", .value = "9.90");
	SAY(BUY, .at = 52000, .took = 10, .order_id = "77", .status_text = "paid");
	SAY(NOTICE, .at = 53000, .took = 10, .number = "N1", .value = "9.90",
	    .status_text = "paid");
	SAY(BUY, .at = 54000, .took = 10);
	told_is("");
	assert_u64(kit_stats().orders_again, 3);
	assert_u64(kit_stats().orders_completed, 0);
}

static void word_of_the_shop_goes_before_the_providers(void **state)
{
	is_away(1, 1000, "N1");
	SAY(NOTICE, .at = 50000, .took = 10, .number = "N1", .value = "7.00");
	told();
	SAY(BUY, .at = 51000, .took = 10, .number = "N1", .value = "9.90");
	told_is("purchase N1 r2 A1@500 =9.90EUR\n");
	assert_false(kit.last[EVENT_PURCHASE].adds_value);
	/* what was told by the shop stays, whoever says otherwise */
	SAY(NOTICE, .at = 52000, .took = 10, .number = "N1", .value = "7.00");
	SAY(BUY, .at = 53000, .took = 10, .number = "N1", .value = "8.00");
	told_is("");
}

static void amounts_of_two_currencies_are_not_mixed(void **state)
{
	is_away(1, 1000, "N1");
	SAY(BUY, .at = 50000, .took = 10, .number = "N1", .items = "A1@500", .value = "9.90");
	told();
	SAY(NOTICE, .at = 51000, .took = 10, .number = "N1", .tax = "200.00", .currency = "JPY");
	told_is("");
	SAY(NOTICE, .at = 52000, .took = 10, .number = "N1", .tax = "2.00", .currency = "");
	told_is("");
	SAY(NOTICE, .at = 53000, .took = 10, .number = "N1", .tax = "2.00");
	told_is("purchase N1 r2 A1@500 =9.90EUR tax 2.00EUR\n");
}

static void shop_of_another_currency_than_its_provider(void **state)
{
	is_away(1, 1000, "N1");
	SAY(NOTICE, .at = 50000, .took = 10, .number = "N1", .value = "9.90", .tax = "1.00");
	told();
	SAY(BUY, .at = 51000, .took = 10, .number = "N1", .value = "1200", .currency = "JPY");
	told_is("purchase N1 r2 A1@500 =1200JPY\n");
}

static void state_of_the_payment_is_the_latest(void **state)
{
	is_away(1, 1000, "N1");
	SAY(NOTICE, .at = 50000, .took = 10, .number = "N1", .status_text = "paid");
	told();
	/* asked for before, answered after it */
	SAY(BUY, .at = 49000, .took = 2000, .number = "N1", .status_text = "open");
	told_is("");
	SAY(BUY, .at = 60000, .took = 10, .number = "N1", .status_text = "sent");
	told_is("purchase N1 r2 sent A1@500 goods 5.00EUR\n");
}

static void whole_list_goes_before_one_with_a_hole(void **state)
{
	SAY(BUY, .at = 1000, .took = 10, .number = "N1", .items = "A1@500",
	    .flags = 1 << BODY_HOLE);
	told();
	SAY(BUY, .at = 2000, .took = 10, .number = "N1", .items = "A1@500 B1@300");
	told_is("purchase N1 r2 A1@500 B1@300\n");
	assert_int_equal(kit.last[EVENT_PURCHASE].flags, 0);
	SAY(BUY, .at = 3000, .took = 10, .number = "N1", .items = "A1@500",
	    .flags = 1 << BODY_HOLE);
	told_is("");
}

/* The shop gives the next cart the same id; the provider is late. */
static void late_notice_does_not_order_the_next_cart(void **state)
{
	is_away(1, 1000, NULL);
	SAY(BUY, .at = 50000, .took = 10, .number = "N1", .value = "9.90");
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 51000, .took = 10, .cart = "B1@300",
	    .cart_id = "c7");
	told();
	SAY(NOTICE, .at = 52000, .took = 10, .cart_id = "c7", .status_text = "paid");
	told_is("purchase N1 r2 paid A1@500 =9.90EUR\n");
	assert_u64(kit_stats().open, 1);
	/* nor by its number */
	SAY(NOTICE, .at = 53000, .took = 10, .cart_id = "c7", .number = "N1",
	    .status_text = "settled");
	told_is("purchase N1 r3 settled A1@500 =9.90EUR\n");
	assert_u64(kit_stats().open, 1);
	/* and when somebody is away to pay it, it is that one's */
	SAY(AWAY, .at = 54000, .took = 10);
	told();
	SAY(NOTICE, .at = 60000, .took = 10, .cart_id = "c7", .number = "N2");
	told_is("purchase N2 B1@300 goods 3.00EUR\n"
		"parcours.cart ordered order B1@300 =3.00EUR q1\n");
	assert_u64(kit_stats().ordered, 2);
}

/* Nobody saw that the customer of the next cart went away to pay: its notice names another order. */
static void notice_of_another_number_is_another_order(void **state)
{
	is_away(1, 1000, NULL);
	SAY(BUY, .at = 50000, .took = 10, .number = "N1", .value = "9.90");
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 51000, .took = 10, .cart = "B1@300",
	    .cart_id = "c7");
	told();
	SAY(NOTICE, .at = 52000, .took = 10, .cart_id = "c7", .number = "N2",
	    .status_text = "paid");
	told_is("purchase N2 paid B1@300 goods 3.00EUR\n"
		"parcours.cart ordered order B1@300 =3.00EUR q1\n");
	assert_int_equal(kit.count[EVENT_PURCHASE], 2);
}

static void two_ids_of_a_shop_are_two_orders(void **state)
{
	SAY(BUY, .at = 1000, .took = 10, .order_id = "77");
	SAY(BUY, .at = 2000, .took = 10, .order_id = "78");
	SAY(BUY, .at = 3000, .took = 10, .order_id = "78", .number = "N2");
	assert_int_equal(kit.count[EVENT_PURCHASE], 2);
	assert_u64(kit_stats().orders_again, 1);
}

/* It was told where nobody knew a cart; the notice names the one that is open. */
static void cart_is_closed_by_what_comes_later(void **state)
{
	is_away(1, 1000, NULL);
	SAY(.say = SAY_PURCHASE, .at = 50000, .took = 10, .number = "N1", .value = "9.90");
	told_is("purchase N1 =9.90EUR\n");
	note_id();
	SAY(NOTICE, .at = 51000, .took = 10, .cart_id = "c7", .number = "N1",
	    .status_text = "paid");
	told_is("purchase N1 r2 paid =9.90EUR\n"
		"parcours.cart ordered order A1@500 =5.00EUR q1\n");
	same_id(2);
	assert_true(kit.last[EVENT_PURCHASE].cart != NULL);
	SAY(BUY, .at = 52000, .took = 10, .number = "N1");
	told_is("purchase N1 r3 paid =9.90EUR\n"); /* whose it is */
	assert_int_equal(kit.last[EVENT_PURCHASE].session_id[0], 1);
}

/* The shop's carts have no ids; the order was told first by a call that belongs to no visit. */
static void visit_that_lands_on_it_has_ordered(void **state)
{
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 1000, .took = 10, .cart = "A1@500");
	SAY(.say = SAY_PURCHASE, .at = 2000, .took = 10, .number = "N1", .value = "9.90");
	told();
	SAY(BUY, .at = 2100, .took = 10, .number = "N1");
	told_is("purchase N1 r2 =9.90EUR\n"
		"parcours.cart ordered order A1@500 =5.00EUR q1\n");
	visit_ends(1, END_TIMEOUT, 3000);
	told_is("");
	assert_u64(kit_stats().ordered, 1);
}

/* This host knew nothing of the cart that was ordered; the shop gives the next one the same id. */
static void reload_does_not_order_the_next_cart(void **state)
{
	SAY(BUY, .at = 1000, .took = 10, .number = "N1", .cart_id = "c7");
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 61000, .took = 10, .cart = "B1@300",
	    .cart_id = "c7");
	told();
	SAY(BUY, .at = 62000, .took = 10, .number = "N1", .cart_id = "c7");
	told_is("");
	SAY(NOTICE, .at = 63000, .took = 10, .number = "N1", .cart_id = "c7",
	    .status_text = "paid");
	told_is("purchase N1 r2 paid\n");
	assert_u64(kit_stats().open, 1);
	assert_u64(kit_stats().ordered, 0);
}

static void not_told_again_when_the_visit_is_over(void **state)
{
	is_away(1, 1000, NULL);
	SAY(BUY, .at = 50000, .took = 10, .number = "N1");
	told();
	kit.visits_over = true; /* its segment would be lost */
	SAY(NOTICE, .at = 51000, .took = 10, .number = "N1", .status_text = "paid");
	told_is("");
	assert_int_equal(kit.count[EVENT_PURCHASE], 1);
}

static void not_told_again_after_an_hour(void **state)
{
	is_away(1, 1000, NULL);
	SAY(BUY, .at = 50000, .took = 10, .number = "N1");
	told();
	carts_tick(kit.c, (50000 + 3600001) * MS);
	SAY(NOTICE, .at = 51000 + 3600001, .took = 10, .number = "N1", .status_text = "paid");
	told_is("");
	visit_ends(1, END_TIMEOUT, 50000);
	assert_u64(kit_stats().bytes, 0);
}

static void restart_between_the_two(void **state)
{
	is_away(1, 1000, NULL);
	SAY(NOTICE, .at = 50000, .took = 10, .cart_id = "c7", .number = "N1",
	    .status_text = "paid");
	told();
	note_id();
	assert_int_equal(kit_restart(KIT_WALL - 1000 * (int64_t)MS), 0);
	SAY(BUY, .at = 52000, .took = 10, .number = "N1", .tax = "1.58", .own = "yes");
	told_is("purchase N1 r2 paid A1@500 tax 1.58EUR gift:yes goods 5.00EUR\n");
	same_id(2);
	/* and again, with lines of its own */
	SAY(BUY, .at = 53000, .took = 10, .number = "N1", .items = "A1@500 B2@1");
	told_is("purchase N1 r3 paid A1@500 B2@1 tax 1.58EUR gift:yes\n");
	assert_int_equal(kit_restart(KIT_WALL), 0);
	SAY(BUY, .at = 54000, .took = 10, .number = "N1", .order_id = "77");
	told_is("purchase N1 r4 id 77 paid A1@500 B2@1 tax 1.58EUR gift:yes\n");
	same_id(4);
	assert_true(kit.last[EVENT_PURCHASE].cart && kit.last[EVENT_PURCHASE].has_session);
}

static void damaged_checkpoint_is_refused_or_holds(void **state)
{
	struct buf saved;

	is_away(1, 1000, NULL);
	SAY(BUY, .at = 50000, .took = 10, .number = "N1", .items = "A1@500", .own = "yes");
	buf_init(&saved, 1 << 20);
	assert_int_equal(carts_save(kit.c, &saved, kit_collect), 0);
	for (size_t i = 0; i < saved.len; i++) {
		struct carts *c;

		saved.at[i] ^= (char)(1 + i % 255);
		assert_int_equal(carts_new(&kit.options, &c), 0);
		if (!carts_load(c, buf_slice(&saved)))
			carts_finish(c);
		carts_free(c);
		saved.at[i] ^= (char)(1 + i % 255);
		told();
	}
	for (size_t len = 0; len < saved.len; len++) {
		struct carts *c;

		assert_int_equal(carts_new(&kit.options, &c), 0);
		assert_int_equal(carts_load(c, slice_of(saved.at, len)), -EBADMSG);
		carts_free(c);
	}
	buf_done(&saved);
}

static void bound_of_bytes_lets_orders_go_first(void **state)
{
	struct carts_options o = kit_options();
	char number[16];

	kit_stop();
	o.bytes = 6000;
	kit_start(&o);
	is_away(1, 1000, NULL);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(number, sizeof(number), "N%u", i);
		SAY(.say = SAY_PURCHASE, .at = 2000 + i, .took = 10, .number = number,
		    .items = "A1@500 B1@300");
		assert_true(kit_stats().bytes <= 6000);
	}
	told();
	assert_true(kit_stats().orders_unkept > 100);
	assert_u64(kit_stats().open, 1);
	SAY(.say = SAY_PURCHASE, .at = 9000, .took = 10, .number = "N0", .tax = "1.00");
	told_is(""); /* what it held is not known any more */
	SAY(.say = SAY_PURCHASE, .at = 9000, .took = 10, .number = "N199", .tax = "1.00");
	told_is("purchase N199 r2 A1@500 B1@300 tax 1.00EUR\n");
	assert_int_equal(kit.count[EVENT_PURCHASE], 200);
}

static void bound_of_orders(void **state)
{
	char number[16];

	for (unsigned i = 0; i < 5000; i++) {
		snprintf(number, sizeof(number), "N%u", i);
		SAY(.say = SAY_PURCHASE, .at = 2000 + i, .took = 10, .number = number);
		told();
	}
	assert_true(kit_stats().orders_unkept > 0);
	assert_int_equal(kit.count[EVENT_PURCHASE], 5000);
}

static void too_long_to_keep_is_told_once(void **state)
{
	static char text[SOLD_TEXT_BYTES + 2];

	memset(text, 'x', sizeof(text) - 1);
	SAY(BUY, .at = 1000, .took = 10, .number = "N1", .reason = text);
	told();
	assert_u64(kit_stats().orders_unkept, 1);
	SAY(BUY, .at = 2000, .took = 10, .number = "N1", .tax = "1.00");
	told_is("");
	/* what would make it so is not added */
	SAY(BUY, .at = 3000, .took = 10, .number = "N2");
	told();
	SAY(BUY, .at = 4000, .took = 10, .number = "N2", .reason = text, .tax = "1.00");
	told_is("purchase N2 r2 tax 1.00EUR\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = { C(landing_page_adds_to_the_notice),
					    C(notice_adds_to_the_landing_page),
					    C(notice_that_knows_the_cart_only),
					    C(number_is_learnt_later),
					    C(what_says_nothing_new_tells_nothing),
					    C(word_of_the_shop_goes_before_the_providers),
					    C(amounts_of_two_currencies_are_not_mixed),
					    C(shop_of_another_currency_than_its_provider),
					    C(state_of_the_payment_is_the_latest),
					    C(whole_list_goes_before_one_with_a_hole),
					    C(late_notice_does_not_order_the_next_cart),
					    C(notice_of_another_number_is_another_order),
					    C(two_ids_of_a_shop_are_two_orders),
					    C(cart_is_closed_by_what_comes_later),
					    C(visit_that_lands_on_it_has_ordered),
					    C(reload_does_not_order_the_next_cart),
					    C(not_told_again_when_the_visit_is_over),
					    C(not_told_again_after_an_hour),
					    C(restart_between_the_two),
					    C(damaged_checkpoint_is_refused_or_holds),
					    C(bound_of_bytes_lets_orders_go_first),
					    C(bound_of_orders),
					    C(too_long_to_keep_is_told_once) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
