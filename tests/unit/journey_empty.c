/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_empty.c: who is shown an empty cart before something is put into it: what is added shows against nothing,
 * also where lines have neither ids nor pieces.
 */
#include "unit.h"

#include "cart_kit.h"

#define ADD  .say = SAY_ADD_TO_CART, .visit = 1
#define VIEW .say = SAY_VIEW_CART, .visit = 1

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

static void checkout_of_an_empty_cart_opens_none(void **state)
{
	SAY(.say = SAY_BEGIN_CHECKOUT, .visit = 1, .at = 1000, .took = 10, .cart = "");
	told_is("parcours.cart emptied none q0\nbegin_checkout again\n");
	visit_ends(1, END_TIMEOUT, 1000);
	told_is("");
	assert_u64(kit_stats().opened, 0);
	/* accepted input is of some cart, whatever else the page shows */
	SAY(.say = SAY_ADDRESS_INFO, .visit = 2, .at = 2000, .took = 10);
	assert_u64(kit_stats().open, 1);
}

/* A removal that was lost, and what was put in then was lost too: nobody knows what was ordered. */
static void cart_that_was_empty_long_before_lends_the_order_nothing(void **state)
{
	SAY(VIEW, .at = 1000, .took = 10, .cart = "A1@500");
	SAY(VIEW, .at = 2000, .took = 10, .cart = "");
	SAY(VIEW, .at = 40000, .took = 10, .cart = "");
	told();
	SAY(.say = SAY_PURCHASE, .visit = 1, .at = 62011, .took = 10, .number = "N1");
	told_is("purchase N1\nparcours.cart ordered order\n");
	assert_u64(kit_stats().ordered, 1);
}

/* … unless he was away to pay: the shop had emptied the cart by then. */
static void cart_that_was_emptied_while_it_was_paid_is_what_was_ordered(void **state)
{
	SAY(VIEW, .at = 1000, .took = 10, .cart = "A1@500");
	SAY(.say = SAY_PAYMENT_AWAY, .visit = 1, .at = 1500, .took = 10);
	SAY(VIEW, .at = 2000, .took = 10, .cart = "");
	told();
	SAY(.say = SAY_PURCHASE, .visit = 1, .at = 900000, .took = 10, .number = "N1");
	told_is("purchase N1 A1@500 goods 5.00EUR\n"
		"parcours.cart ordered order A1@500 =5.00EUR q1\n");
}

/* The order shows as many pieces as there were. */
static void emptied_cart_of_as_many_pieces(void **state)
{
	SAY(VIEW, .at = 1000, .took = 10, .cart = "A1@500");
	SAY(VIEW, .at = 2000, .took = 10, .cart = "");
	told();
	SAY(.say = SAY_PURCHASE, .visit = 1, .at = 3000, .took = 10, .number = "N1", .quantity = 1);
	told_is("purchase N1 A1@500 goods 5.00EUR\n"
		"parcours.cart ordered order A1@500 =5.00EUR q1\n");
	SAY(VIEW, .at = 5000, .took = 10, .cart = "A1@500");
	SAY(VIEW, .at = 6000, .took = 10, .cart = "");
	told();
	SAY(.say = SAY_PURCHASE, .visit = 1, .at = 66011, .took = 10, .number = "N2",
	    .quantity = 1);
	told_is("purchase N2\nparcours.cart ordered order q1\n");
}

/* The order shows what was in it. */
static void emptied_cart_is_what_the_order_shows(void **state)
{
	SAY(VIEW, .at = 1000, .took = 10, .cart = "A1@500");
	SAY(VIEW, .at = 2000, .took = 10, .cart = "");
	told();
	SAY(.say = SAY_PURCHASE, .visit = 1, .at = 3000, .took = 10, .number = "N1",
	    .cart = "B1@300");
	told_is("purchase N1 B1@300 goods 3.00EUR\n"
		"parcours.cart ordered order B1@300 =3.00EUR q1\n");
}

/* It was paid all the same, whatever this host saw of it. */
static void notice_of_a_cart_that_was_emptied(void **state)
{
	SAY(VIEW, .at = 1000, .took = 10, .cart = "A1@500", .cart_id = "c7");
	SAY(.say = SAY_REMOVE_FROM_CART, .visit = 1, .at = 2000, .took = 10, .cart = "");
	visit_ends(1, END_TIMEOUT, 2000);
	told();
	SAY(.say = SAY_PAYMENT_NOTICE, .at = 3000, .took = 10, .number = "N1", .cart_id = "c7");
	told_is("parcours.payment_notice N1\n");
	assert_u64(kit_stats().notices_unknown, 1);
}

UNIT_MAIN(C(cart_that_was_seen_empty_begins_with_nothing),
	  C(empty_cart_of_a_visit_without_a_record), C(empty_cart_before_the_page_after_a_form),
	  C(empty_cart_while_something_was_added), C(empty_cart_of_another_visit),
	  C(empty_cart_of_a_visit_that_ended), C(empty_cart_with_a_hole_is_none),
	  C(cart_that_was_empty_long_before_lends_the_order_nothing),
	  C(cart_that_was_emptied_while_it_was_paid_is_what_was_ordered),
	  C(emptied_cart_is_what_the_order_shows), C(emptied_cart_of_as_many_pieces),
	  C(checkout_of_an_empty_cart_opens_none), C(notice_of_a_cart_that_was_emptied))
