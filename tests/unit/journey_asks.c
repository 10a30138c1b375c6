/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_asks.c: what was asked for before a restart and is shown after it: joined where the process ended in
 * order, else counted; the cart is never a wrong one.
 */
#include "unit.h"

#include <errno.h>

#include "cart_kit.h"
#include "journey/cart/internal.h"

#define LATER (KIT_WALL + 3000 * (int64_t)MS) /* the clock begins 3 s later */

static void has_one(void)
{
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 5000, .took = 10, .items = "A1",
	    .cart = "A1@500");
	told();
}

static int ends_in_order(void)
{
	carts_finish(kit.c);
	told();
	return kit_restart(LATER);
}

static void ask_is_shown_after_the_restart(void **state)
{
	has_one();
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 6000, .took = 10, .items = "B2");
	assert_int_equal(ends_in_order(), 0);
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 4000, .took = 10, .cart = "A1@500 B2@300");
	told_is("add_to_cart B2@300 =6.00EUR\n"
		"view_cart A1@500 B2@300 =11.00EUR\n"
		"parcours.cart open cart A1@500 B2@300 =11.00EUR q3\n");
	/* at the time of who asked, by the clock of before */
	assert_u64(kit.last[EVENT_ADD_TO_CART].time_unix_ns, KIT_WALL + 6000 * MS);
	assert_u64(kit_stats().changes_unshown, 0);
	/* once */
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 5000, .took = 10, .cart = "A1@500 B2@300");
	told_is("");
}

static void several_asks_and_their_order(void **state)
{
	has_one();
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 6000, .took = 10, .items = "B1");
	SAY(.say = SAY_REMOVE_FROM_CART, .visit = 1, .at = 6100, .took = 10, .items = "A1");
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 6200, .took = 10, .items = "C1");
	assert_int_equal(ends_in_order(), 0);
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 4000, .took = 10, .cart = "B1@300 C1@200");
	told_is("add_to_cart B1@300 C1@200 =5.00EUR\n"
		"remove_from_cart A1@500 =5.00EUR\n"
		"view_cart B1@300 C1@200 =5.00EUR\n"
		"parcours.cart open cart B1@300 C1@200 =5.00EUR q2\n");
	assert_u64(kit.last[EVENT_ADD_TO_CART].time_unix_ns, KIT_WALL + 6000 * MS);
	assert_u64(kit_stats().changes_unshown, 0);
}

/* The first thing that a visit asked for: there is no cart yet. */
static void ask_of_a_visit_without_a_cart(void **state)
{
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 6000, .took = 10, .items = "A2");
	assert_int_equal(ends_in_order(), 0);
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 4000, .took = 10, .cart = "A2@500");
	told_is("add_to_cart A2@500 =10.00EUR\n"
		"view_cart A2@500 =10.00EUR\n"
		"parcours.cart open cart A2@500 =10.00EUR q2\n");
}

static void ask_by_pieces_alone(void **state)
{
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 1000, .took = 10, .items = "A1",
	    .quantity = 1, .no_lines = true, .value = "5.00");
	told();
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 6000, .took = 10, .items = "B2");
	assert_int_equal(ends_in_order(), 0);
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 4000, .took = 10, .quantity = 3,
	    .no_lines = true, .value = "11.00");
	assert_non_null(strstr(told(), "add_to_cart B2 =6.00EUR\n"));
}

static void refused_after_the_restart(void **state)
{
	has_one();
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 6000, .took = 10, .items = "B1");
	assert_int_equal(ends_in_order(), 0);
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 4000, .took = 10, .cart = "A1@500");
	told_is("view_cart A1@500 =5.00EUR\n");
	assert_u64(kit_stats().changes_unshown, 1);
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 5000, .took = 10, .cart = "A1@500 B1@300");
	told_is("parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n"); /* another's */
}

/* A minute is a minute, with the time that nobody was there. */
static void ask_that_nobody_shows(void **state)
{
	has_one();
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 6000, .took = 10, .items = "B1");
	assert_int_equal(ends_in_order(), 0);
	carts_tick(kit.c, (3000 + 59000) * MS);
	told_is("");
	carts_tick(kit.c, (3000 + 61000) * MS);
	told_is("parcours.cart open cart\n");
	assert_u64(kit_stats().changes_unshown, 1);
	visit_ends(1, END_TIMEOUT, 6000);
	told_is("parcours.cart abandoned cart\n"
		"parcours.cart_abandoned timeout abandoned cart\n");
}

/* Killed: what came after the checkpoint may have been told. */
static void killed_process_joins_nothing(void **state)
{
	struct buf saved;

	has_one();
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 6000, .took = 10, .items = "B1");
	buf_init(&saved, 1 << 20);
	assert_int_equal(carts_save(kit.c, &saved, kit_collect), 0);
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 7000, .took = 10, .cart = "A1@500 B1@300");
	assert_int_equal(kit.count[EVENT_ADD_TO_CART], 2);
	told();
	carts_free(kit.c);
	assert_int_equal(carts_new(&kit.options, &kit.c), 0);
	carts_clock(kit.c, KIT_WALL);
	assert_int_equal(carts_load(kit.c, buf_slice(&saved)), 0);
	buf_done(&saved);
	assert_u64(kit_stats().changes_unshown, 1);
	SAY(.say = SAY_VIEW_CART, .visit = 1, .at = 8000, .took = 10, .cart = "A1@500 B1@300");
	assert_int_equal(kit.count[EVENT_ADD_TO_CART], 2); /* not once more */
	assert_non_null(strstr(told(), "parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n"));
}

static void killed_process_and_nothing_more(void **state)
{
	has_one();
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 6000, .took = 10, .items = "B1");
	assert_int_equal(kit_restart(LATER), 0);
	visit_ends(1, END_TIMEOUT, 6000);
	told_is("parcours.cart abandoned cart\n" /* with or without B: not known */
		"parcours.cart_abandoned timeout abandoned cart\n");
	assert_u64(kit_stats().changes_unshown, 1);
}

/* What is said after the end makes it none. */
static void said_after_the_end(void **state)
{
	has_one();
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 6000, .took = 10, .items = "B1");
	carts_finish(kit.c);
	SAY(.say = SAY_SEARCH, .visit = 1, .at = 6100, .took = 10);
	told();
	assert_int_equal(kit_restart(LATER), 0);
	assert_u64(kit_stats().changes_unshown, 1);
}

/* What is told at the end says that the cart is not known; the next process knows it. */
static void end_is_told_without_what_is_not_known(void **state)
{
	has_one();
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 6000, .took = 10, .items = "B1");
	carts_finish(kit.c);
	told_is("parcours.cart_abandoned shutdown open cart\n");
	assert_int_equal(kit_restart(LATER), 0);
	SAY(.say = SAY_PURCHASE, .visit = 1, .at = 4000, .took = 10, .number = "N1");
	told_is("purchase N1\nparcours.cart ordered order\n");
}

static void damaged_asks_are_refused_or_hold(void **state)
{
	struct buf saved;

	has_one();
	SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 6000, .took = 10, .items = "SECRET1");
	SAY(.say = SAY_REMOVE_FROM_CART, .visit = 1, .at = 6100, .took = 10);
	carts_finish(kit.c);
	buf_init(&saved, 1 << 20);
	assert_int_equal(carts_save(kit.c, &saved, kit_collect), 0);
	assert_true(slice_find_slice(buf_slice(&saved), SLICE("SECRET")) < 0);
	for (size_t i = 0; i < saved.len; i++)
		for (unsigned bit = 0; bit < 8; bit += 7) {
			struct carts *c;

			saved.at[i] ^= (char)(1 << bit);
			assert_int_equal(carts_new(&kit.options, &c), 0);
			if (!carts_load(c, buf_slice(&saved)))
				carts_tick(c, UINT64_MAX / 4);
			carts_free(c);
			saved.at[i] ^= (char)(1 << bit);
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

static void no_room_for_what_was_asked(void **state)
{
	struct carts_options o = kit_options();
	char many[ITEMS_MAX * 4];
	size_t len = 0;

	for (unsigned i = 0; i < 190; i++)
		len += (size_t)snprintf(many + len, sizeof(many) - len, "%c%c1 ",
					'A' + (int)(i % 26), 'A' + (int)(i / 26));
	has_one();
	for (unsigned i = 0; i < 6; i++)
		SAY(.say = SAY_ADD_TO_CART, .visit = 1, .at = 6000 + i, .took = 10, .items = many);
	carts_finish(kit.c);
	told();
	o.keys = kit.keys;
	o.bytes = 20000;
	kit.options = o;
	assert_int_equal(kit_restart(LATER), 0);
	assert_true(kit_stats().bytes <= 20000);
	assert_true(kit_stats().changes_unshown >= 3 && kit_stats().changes_unshown < 6);
	visit_ends(1, END_TIMEOUT, 6000);
	assert_u64(kit_stats().changes_unshown, 6);
	assert_u64(kit_stats().bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		C(ask_is_shown_after_the_restart),
		C(several_asks_and_their_order),
		C(ask_of_a_visit_without_a_cart),
		C(ask_by_pieces_alone),
		C(refused_after_the_restart),
		C(ask_that_nobody_shows),
		C(killed_process_joins_nothing),
		C(killed_process_and_nothing_more),
		C(said_after_the_end),
		C(end_is_told_without_what_is_not_known),
		C(damaged_asks_are_refused_or_hold),
		C(no_room_for_what_was_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
