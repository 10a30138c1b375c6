/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_empty.c: who is shown an empty cart before something is put into it: what is added shows against nothing,
 * also where lines have neither ids nor pieces.
 */
#include "unit.h"

#include "cart_kit.h"

static int start(void **state)
{
	kit_start(NULL);
	return 0;
}

static int stop(void **state)
{
	bool right = kit_adds_up();

	kit_stop();
	return right ? 0 : -1;
}

#define told_is(text) assert_string_equal(told(), text)
#define ADD	      .say = SAY_ADD_TO_CART, .visit = 1
#define VIEW	      .say = SAY_VIEW_CART, .visit = 1

static void cart_that_was_seen_empty_begins_with_nothing(void **state)
{
	SAY(ADD, .at = 100, .took = 1, .items = "X1", .status = 500);
	SAY(.say = SAY_CART_REFUSED, .visit = 1, .at = 110, .took = 1);
	SAY(VIEW, .at = 500, .took = 10, .cart = "");
	told();
	SAY(ADD, .at = 1000, .took = 10, .items = "X1", .cart = "A1@500 B1@300");
	told_is("add_to_cart A1@500 B1@300 =8.00EUR\n"
		"parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n");
}

static void empty_cart_of_a_visit_without_a_record(void **state)
{
	SAY(VIEW, .at = 500, .took = 10, .cart = "");
	told_is("parcours.cart emptied none q0\n");
	SAY(ADD, .at = 1000, .took = 10, .items = "X1", .cart = "A1@500 B1@300");
	told_is("add_to_cart A1@500 B1@300 =8.00EUR\n"
		"parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n");
}

static void empty_cart_before_the_page_after_a_form(void **state)
{
	SAY(VIEW, .at = 500, .took = 10, .cart = "");
	told_is("parcours.cart emptied none q0\n");
	SAY(VIEW, .at = 400, .took = 10, .cart = ""); /* told later */
	SAY(ADD, .at = 1000, .took = 10, .items = "X", .status = 302);
	SAY(VIEW, .at = 1020, .took = 10, .cart = "A1@500");
	told_is("add_to_cart A1@500 =5.00EUR\n"
		"view_cart A1@500 =5.00EUR\n"
		"parcours.cart open cart A1@500 =5.00EUR q1\n");
}

/* Had it been made after, it would not be empty. */
static void empty_cart_while_something_was_added(void **state)
{
	SAY(VIEW, .at = 995, .took = 10, .cart = "");
	told_is("parcours.cart emptied none q0\n");
	SAY(ADD, .at = 1000, .took = 10, .items = "X1", .cart = "A1@500 B1@300");
	told_is("add_to_cart A1@500 B1@300 =8.00EUR\n"
		"parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n");
}

static void empty_cart_of_another_visit(void **state)
{
	SAY(.say = SAY_VIEW_CART, .visit = 2, .at = 500, .took = 10, .cart = "");
	told_is("parcours.cart emptied none q0\n");
	SAY(ADD, .at = 1000, .took = 10, .items = "X1", .cart = "A1@500 B1@300");
	told_is("parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n");
}

static void empty_cart_of_a_visit_that_ended(void **state)
{
	SAY(VIEW, .at = 500, .took = 10, .cart = "");
	told_is("parcours.cart emptied none q0\n");
	visit_ends(1, END_TIMEOUT, 600);
	SAY(ADD, .at = 1000, .took = 10, .items = "X1", .cart = "A1@500 B1@300");
	told_is("parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n");
}

static void empty_cart_with_a_hole_is_none(void **state)
{
	SAY(VIEW, .at = 500, .took = 10, .cart = "", .flags = 1 << BODY_HOLE);
	SAY(ADD, .at = 1000, .took = 10, .items = "X1", .cart = "A1@500 B1@300");
	told_is("parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n");
}

#define C(f) cmocka_unit_test_setup_teardown(f, start, stop)
UNIT_MAIN(C(cart_that_was_seen_empty_begins_with_nothing),
	  C(empty_cart_of_a_visit_without_a_record), C(empty_cart_before_the_page_after_a_form),
	  C(empty_cart_while_something_was_added), C(empty_cart_of_another_visit),
	  C(empty_cart_of_a_visit_that_ended), C(empty_cart_with_a_hole_is_none))
