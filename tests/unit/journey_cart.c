/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_cart.c: carts, their changes and steps: each rule of share/definitions.md by name.
 */
#include "unit.h"

#include "cart_kit.h"

#define ADD    .say = SAY_ADD_TO_CART, .visit = 1
#define REMOVE .say = SAY_REMOVE_FROM_CART, .visit = 1
#define CHANGE .say = SAY_CHANGE_CART, .visit = 1
#define VIEW   .say = SAY_VIEW_CART, .visit = 1

/* A cart of which one A is known, everything told. */
static void has_one(void)
{
	SAY(ADD, .at = 1000, .took = 10, .items = "A1", .cart = "A1@500");
	told();
}

/* ---- changes ---- */

static void own_answer_shows_what_was_added(void **state)
{
	SAY(ADD, .at = 1000, .took = 10, .items = "A2", .cart = "A2@500");
	told_is("add_to_cart A2@500 =10.00EUR\n"
		"parcours.cart open cart A2@500 =10.00EUR q2\n");
	assert_u64(kit.last[EVENT_ADD_TO_CART].time_unix_ns, 1000 * MS + KIT_WALL);
	assert_u64(kit.last[EVENT_CART].revision, 1010 * MS + KIT_WALL);
	assert_true(kit.last[EVENT_ADD_TO_CART].has_span);
	assert_string_equal(kit.last[EVENT_ADD_TO_CART].segment.device, "mobile");
}

static void next_answer_shows_it(void **state)
{
	uint64_t pos;

	SAY(ADD, .at = 1000, .took = 10, .items = "A1", .status = 302, .method = "POST");
	told_is("");
	SAY(VIEW, .at = 1500, .took = 10, .cart = "A1@500");
	told_is("add_to_cart A1@500 =5.00EUR\n"
		"view_cart A1@500 =5.00EUR\n"
		"parcours.cart open cart A1@500 =5.00EUR q1\n");
	/* the time of who asked, the proof of what showed it */
	assert_u64(kit.last[EVENT_ADD_TO_CART].time_unix_ns, 1000 * MS + KIT_WALL);
	memcpy(&pos, kit.last[EVENT_ADD_TO_CART].span_id, 8);
	assert_u64(pos, 1500 * 100000 + 10);
}

static void difference_is_by_lines(void **state)
{
	has_one();
	SAY(ADD, .at = 2000, .took = 10, .items = "B1", .cart = "A1@500 B2@300");
	told_is("add_to_cart B2@300 =6.00EUR\n"
		"parcours.cart open cart A1@500 B2@300 =11.00EUR q3\n");
	SAY(CHANGE, .at = 3000, .took = 10, .cart = "A3@500 B1@300");
	told_is("add_to_cart A2@500 =10.00EUR\n"
		"remove_from_cart B1@300 =3.00EUR\n"
		"parcours.cart open cart A3@500 B1@300 =18.00EUR q4\n");
	SAY(REMOVE, .at = 4000, .took = 10, .items = "A", .cart = "B1@300");
	told_is("remove_from_cart A3@500 =15.00EUR\n"
		"parcours.cart open cart B1@300 =3.00EUR q1\n");
}

static void lines_of_one_id_are_added_up(void **state)
{
	has_one();
	SAY(ADD, .at = 2000, .took = 10, .cart = "A1@500 A2@400");
	told_is("add_to_cart A2 =8.00EUR\n"
		"parcours.cart open cart A1@500 A2@400 =13.00EUR q3\n");
}

static void difference_by_pieces_where_lines_are_not_shown(void **state)
{
	SAY(VIEW, .at = 500, .took = 1, .quantity = 1);
	told();
	SAY(ADD, .at = 1000, .took = 10, .items = "B2@300", .quantity = 3);
	told_is("add_to_cart B2@300 =6.00EUR\n"
		"parcours.cart open cart q3\n");
	/* what was asked for is not what has moved: nobody knows which */
	SAY(ADD, .at = 2000, .took = 10, .items = "B2@300", .quantity = 4);
	told_is("add_to_cart\n"
		"parcours.cart open cart q4\n");
	SAY(REMOVE, .at = 3000, .took = 10, .quantity = 3);
	told_is("remove_from_cart\n"
		"parcours.cart open cart q3\n");
}

static void difference_by_value_where_nothing_else_is_shown(void **state)
{
	SAY(VIEW, .at = 500, .took = 1, .no_lines = true, .value = "5.00");
	told();
	SAY(ADD, .at = 1000, .took = 10, .items = "B1", .no_lines = true, .value = "8.00");
	told_is("add_to_cart =3.00EUR\n"
		"parcours.cart open cart =8.00EUR\n");
	/* a coupon: worth less, and nothing is gone */
	SAY(CHANGE, .at = 2000, .took = 10, .no_lines = true, .value = "7.00");
	told_is("parcours.cart open cart =7.00EUR\n");
}

static void other_currency_is_not_compared(void **state)
{
	SAY(VIEW, .at = 500, .took = 1, .no_lines = true, .value = "5.00");
	told();
	SAY(ADD, .at = 1000, .took = 10, .no_lines = true, .value = "800", .currency = "JPY");
	told_is("parcours.cart open cart =800JPY\n");
}

static void nothing_moved_is_no_event(void **state)
{
	has_one();
	SAY(ADD, .at = 2000, .took = 10, .items = "B1", .cart = "A1@500");
	told_is("");
	assert_u64(kit_stats().changes_unshown, 1);
}

static void change_that_is_never_shown_is_counted(void **state)
{
	has_one();
	SAY(ADD, .at = 2000, .took = 10, .items = "B1", .status = 302);
	carts_tick(kit.c, 30000 * MS);
	told_is("");
	assert_u64(kit_stats().changes_unshown, 0);
	/* what is in it is not known any more */
	carts_tick(kit.c, 62100 * MS);
	told_is("parcours.cart open cart\n");
	assert_u64(kit_stats().changes_unshown, 1);
	/* later nobody is believed to have asked for it */
	SAY(VIEW, .at = 70000, .took = 10, .cart = "A1@500 B1@300");
	told_is("view_cart A1@500 B1@300 =8.00EUR\n"
		"parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n");
}

static void double_click_is_shown_once(void **state)
{
	SAY(ADD, .at = 1000, .took = 30, .items = "A1", .status = 302);
	SAY(ADD, .at = 1010, .took = 40, .items = "A1", .status = 302);
	SAY(VIEW, .at = 1100, .took = 10, .cart = "A2@500");
	told_is("add_to_cart A2@500 =10.00EUR\n"
		"view_cart A2@500 =10.00EUR\n"
		"parcours.cart open cart A2@500 =10.00EUR q2\n");
}

static void double_click_with_two_answers(void **state)
{
	has_one();
	/* the second to be made is the first to answer: it shows both */
	SAY(ADD, .at = 2010, .took = 10, .items = "A1", .cart = "A3@500");
	told_is("add_to_cart A2@500 =10.00EUR\n"
		"parcours.cart open cart A3@500 =15.00EUR q3\n");
	SAY(ADD, .at = 2000, .took = 50, .items = "A1", .cart = "A2@500");
	told_is("");
	assert_u64(kit_stats().changes_unshown, 0);
}

static void page_that_was_made_before_the_other_tab_asked(void **state)
{
	SAY(ADD, .at = 1215, .took = 23, .items = "A1", .status = 302);
	SAY(ADD, .at = 1323, .took = 11, .items = "B1", .status = 302);
	SAY(VIEW, .at = 1319, .took = 23, .cart = "A1@500");
	told_is("add_to_cart A1@500 =5.00EUR\n"
		"view_cart A1@500 =5.00EUR\n"
		"parcours.cart open cart A1@500 =5.00EUR q1\n");
	SAY(VIEW, .at = 1371, .took = 10, .cart = "A1@500 B1@300");
	told_is("add_to_cart B1@300 =3.00EUR\n"
		"parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n");
	assert_u64(kit_stats().changes_unshown, 0);
}

static void page_that_shows_what_two_tabs_asked_for(void **state)
{
	has_one();
	SAY(ADD, .at = 2000, .took = 10, .items = "B1", .status = 302);
	SAY(ADD, .at = 2011, .took = 10, .items = "C1", .status = 302);
	SAY(VIEW, .at = 2012, .took = 20, .cart = "A1@500 B1@300 C1@200");
	told_is("add_to_cart B1@300 C1@200 =5.00EUR\n"
		"view_cart A1@500 B1@300 C1@200 =10.00EUR\n"
		"parcours.cart open cart A1@500 B1@300 C1@200 =10.00EUR q3\n");
}

static void nobody_asked(void **state)
{
	has_one();
	SAY(VIEW, .at = 2000, .took = 10, .cart = "A1@500 C1@100");
	told_is("view_cart A1@500 C1@100 =6.00EUR\n"
		"parcours.cart open cart A1@500 C1@100 =6.00EUR q2\n");
	/* who asks to add explains nothing that is gone */
	SAY(ADD, .at = 20000, .took = 10, .items = "B", .cart = "C1@100");
	told_is("parcours.cart open cart C1@100 =1.00EUR q1\n");
}

static void ask_comes_after_what_it_did(void **state)
{
	uint64_t pos;

	has_one();
	SAY(VIEW, .at = 2100, .took = 10, .cart = "A1@500 B1@300");
	told_is("view_cart A1@500 B1@300 =8.00EUR\n"
		"parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n");
	SAY(ADD, .at = 2000, .took = 50, .items = "B1", .status = 302);
	told_is("add_to_cart B1@300 =3.00EUR\n");
	memcpy(&pos, kit.last[EVENT_ADD_TO_CART].span_id, 8);
	assert_u64(pos, 2100 * 100000 + 10);
	/* once */
	SAY(ADD, .at = 2001, .took = 50, .items = "B1", .status = 302);
	told_is("");
}

static void older_answer_changes_nothing(void **state)
{
	has_one();
	SAY(ADD, .at = 3000, .took = 10, .items = "B1", .cart = "A1@500 B1@300");
	told();
	SAY(VIEW, .at = 2000, .took = 500, .cart = "A1@500");
	/* nor has it what was shown later */
	told_is("view_cart\n");
	assert_u64(kit_stats().late, 1);
}

static void refused_change_is_no_change(void **state)
{
	has_one();
	SAY(.say = SAY_CART_REFUSED, .visit = 1, .at = 2000, .took = 10, .reason = "sold out");
	told_is("parcours.cart_refused\n");
	SAY(ADD, .at = 3000, .took = 10, .items = "B1", .status = 302);
	SAY(.say = SAY_CART_REFUSED, .visit = 1, .at = 3100, .took = 10, .reason = "sold out");
	SAY(VIEW, .at = 3200, .took = 10, .cart = "A1@500 B1@300");
	told_is("parcours.cart_refused\n"
		"view_cart A1@500 B1@300 =8.00EUR\n"
		"parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n");
	assert_u64(kit_stats().changes_unshown, 0);
}

static void first_show_with_more_than_was_asked_for(void **state)
{
	SAY(ADD, .at = 1000, .took = 10, .items = "B1", .cart = "A1@500 B1@300");
	told_is("add_to_cart B1@300 … =3.00EUR\n"
		"parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n");
}

static void first_show_where_nothing_can_be_told_apart(void **state)
{
	SAY(ADD, .at = 1000, .took = 10, .items = "X1", .cart = "A1@500 B1@300");
	told_is("parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n");
}

/* ---- holes ---- */

static void hole_shows_what_was_added_and_never_what_is_gone(void **state)
{
	SAY(ADD, .at = 1000, .took = 10, .items = "A1 C1", .cart = "A1@500 C1@100");
	told();
	SAY(ADD, .at = 2000, .took = 10, .items = "B1", .cart = "A1@500 B1@300", .no_value = true,
	    .flags = 1 << BODY_HOLE);
	told_is("add_to_cart B1@300 … =3.00EUR\n"
		"parcours.cart open cart A1@500 B1@300 …\n");
	assert_u64(kit.last[EVENT_ADD_TO_CART].flags, 1 << BODY_HOLE);
	SAY(VIEW, .at = 3000, .took = 10, .cart = "A1@500 B1@300 C1@100");
	told_is("view_cart A1@500 B1@300 C1@100 =9.00EUR\n"
		"parcours.cart open cart A1@500 B1@300 C1@100 =9.00EUR q3\n");
}

static void hole_that_hides_the_change_leaves_the_ask(void **state)
{
	has_one();
	SAY(ADD, .at = 2000, .took = 10, .items = "B1", .cart = "A1@500", .no_value = true,
	    .flags = 1 << BODY_SHORT);
	told_is("parcours.cart open cart A1@500 …\n");
	SAY(VIEW, .at = 3000, .took = 10, .cart = "A1@500 B1@300");
	told_is("add_to_cart B1@300 =3.00EUR\n"
		"view_cart A1@500 B1@300 =8.00EUR\n"
		"parcours.cart open cart A1@500 B1@300 =8.00EUR q2\n");
}

static void hole_is_no_empty_cart(void **state)
{
	has_one();
	SAY(REMOVE, .at = 2000, .took = 10, .cart = "", .flags = 1 << BODY_HOLE);
	told_is("");
	assert_u64(kit_stats().emptied, 0);
}

static void cut_list_is_a_hole(void **state)
{
	SAY(ADD, .at = 1000, .took = 10, .items = "A1 C1", .cart = "A1@500 C1@100");
	told();
	SAY(REMOVE, .at = 2000, .took = 10, .cart = "A1@500", .cut = true, .value = "6.00");
	told_is("parcours.cart open cart A1@500 … =6.00EUR\n");
}

/* ---- the life of a cart ---- */

static void emptied_on_demand(void **state)
{
	has_one();
	SAY(REMOVE, .at = 2000, .took = 10, .cart = "");
	told_is("remove_from_cart A1@500 =5.00EUR\n"
		"parcours.cart emptied cart q0\n");
	assert_u64(kit_stats().emptied, 1);
}

static void emptied_and_filled_again_is_a_second_cart(void **state)
{
	uint8_t first[KEY_BYTES];

	has_one();
	memcpy(first, kit.last[EVENT_CART].event_id, KEY_BYTES);
	SAY(VIEW, .at = 2000, .took = 10, .cart = "");
	told_is("parcours.cart emptied cart q0\n");
	assert_memory_equal(first, kit.last[EVENT_CART].event_id, KEY_BYTES);
	SAY(ADD, .at = 3000, .took = 10, .items = "B1", .cart = "B1@300");
	told_is("add_to_cart B1@300 =3.00EUR\n"
		"parcours.cart open cart B1@300 =3.00EUR q1\n");
	assert_memory_not_equal(first, kit.last[EVENT_CART].event_id, KEY_BYTES);
	assert_u64(kit_stats().emptied, 1);
	assert_u64(kit_stats().opened, 2);
}

static void steps_never_go_back(void **state)
{
	has_one();
	SAY(.say = SAY_SHIPPING_INFO, .visit = 1, .at = 2000, .took = 10);
	told_is("add_shipping_info A1@500 =5.00EUR\n"
		"parcours.cart open shipping A1@500 =5.00EUR q1\n");
	SAY(.say = SAY_ADDRESS_INFO, .visit = 1, .at = 3000, .took = 10);
	told_is("parcours.add_address_info A1@500 =5.00EUR\n");
	SAY(.say = SAY_SHIPPING_INFO, .visit = 1, .at = 4000, .took = 10);
	SAY(.say = SAY_BEGIN_CHECKOUT, .visit = 1, .at = 5000, .took = 10);
	SAY(.say = SAY_BEGIN_CHECKOUT, .visit = 1, .at = 6000, .took = 10);
	told_is("add_shipping_info again\nbegin_checkout A1@500 =5.00EUR\nbegin_checkout again\n");
	assert_true(kit.last[EVENT_BEGIN_CHECKOUT].cart == NULL);
}

static void step_told_late_has_nothing_of_what_the_cart_became(void **state)
{
	has_one();
	SAY(CHANGE, .at = 3000, .took = 10, .items = "A2", .cart = "A2@500");
	told();
	SAY(.say = SAY_CONTACT_INFO, .visit = 1, .at = 2000, .took = 10);
	told_is("parcours.add_contact_info\n"
		"parcours.cart open contact A2@500 =10.00EUR q2\n");
	assert_null(kit.last[EVENT_ADD_CONTACT_INFO].cart);
	SAY(.say = SAY_CART_REFUSED, .visit = 1, .at = 2500, .took = 10);
	assert_null(kit.last[EVENT_CART_REFUSED].cart);
	told();
	SAY(.say = SAY_ADDRESS_INFO, .visit = 1, .at = 4000, .took = 0);
	told_is("parcours.add_address_info A2@500 =10.00EUR\n"
		"parcours.cart open address A2@500 =10.00EUR q2\n");
	assert_true(kit.last[EVENT_ADD_ADDRESS_INFO].from_cart);
}

static void step_without_a_cart_that_was_seen(void **state)
{
	SAY(.say = SAY_BEGIN_CHECKOUT, .visit = 1, .at = 2000, .took = 10);
	told_is("begin_checkout\n"
		"parcours.cart open checkout\n");
	visit_ends(1, END_TIMEOUT, 2000);
	told_is("parcours.cart abandoned checkout\n"
		"parcours.cart_abandoned timeout abandoned checkout\n");
}

static void abandoned_at_the_end_of_the_visit(void **state)
{
	has_one();
	SAY(.say = SAY_BEGIN_CHECKOUT, .visit = 1, .at = 2000, .took = 10);
	told();
	visit_ends(1, END_TIMEOUT, 2500);
	told_is("parcours.cart abandoned checkout A1@500 =5.00EUR q1\n"
		"parcours.cart_abandoned timeout abandoned checkout A1@500 =5.00EUR q1\n");
	assert_u64(kit.last[EVENT_CART_ABANDONED].time_unix_ns, 2500 * MS + KIT_WALL);
	assert_u64(kit_stats().abandoned, 1);
	assert_u64(kit_stats().open, 0);
	assert_u64(kit_stats().bytes, 0);
}

static void shutdown_tells_as_it_stands(void **state)
{
	uint64_t revision;

	has_one();
	visit_ends(1, END_SHUTDOWN, 1000);
	told_is("parcours.cart_abandoned shutdown open cart A1@500 =5.00EUR q1\n");
	revision = kit.last[EVENT_CART_ABANDONED].revision;
	carts_finish(kit.c);
	told_is("");
	assert_u64(kit_stats().open, 1);
	visit_ends(1, END_TIMEOUT, 1000);
	assert_true(kit.last[EVENT_CART_ABANDONED].revision > revision);
}

static void unshown_change_withholds_the_amount(void **state)
{
	has_one();
	SAY(ADD, .at = 2000, .took = 10, .items = "B1", .status = 302);
	visit_ends(1, END_TIMEOUT, 2000);
	told_is("parcours.cart abandoned cart\n"
		"parcours.cart_abandoned timeout abandoned cart\n");
}

static void check_preceded(const struct event *e)
{
	if (e->kind != EVENT_CART_ABANDONED)
		return;
	assert_int_equal(e->preceded->error_status, 503);
	assert_slice(e->preceded->error_path, "/shop");
	assert_u64(e->preceded->slow_lived_ns, 5000 * MS);
	assert_slice(e->preceded->slow_path, "/slow");
	assert_true(e->preceded->payment_refused);
	assert_false(e->preceded->cart_refused);
	assert_slice(e->preceded->reason, "card declined");
	assert_slice(e->preceded->failed_host, "stock.example");
}

static void what_preceded_is_told(void **state)
{
	struct page_seen page = { .path = SLICE("/slow"),
				  .has = PAGE_HAS_LIVED,
				  .lived_ns = 5000 * MS,
				  .apdex = APDEX_TOLERATING,
				  .failed_calls = 1,
				  .failed_host = SLICE("stock.example") };
	struct session_fact f = { .kind = FACT_PAGE, .page = &page, .start_unix_ns = KIT_WALL };
	struct transaction t;

	has_one();
	kit_id(1, f.session_id);
	carts_fact(kit.c, &f);
	t = kit_transaction(&(struct say_it){ .visit = 1, .at = 1500, .status = 503 });
	carts_transaction(kit.c, &t);
	t = kit_transaction(&(struct say_it){ .visit = 1, .at = 1600, .status = 404 });
	carts_transaction(kit.c, &t);
	SAY(.say = SAY_PAYMENT_ERROR, .visit = 1, .at = 1700, .reason = "card declined");
	told();
	kit.watch = check_preceded;
	visit_ends(1, END_TIMEOUT, 2500);
	assert_int_equal(kit.count[EVENT_CART_ABANDONED], 1);
	assert_int_equal(kit.last[EVENT_CART_ABANDONED].end_reason, END_TIMEOUT);
}

/* ---- events that stand for themselves ---- */

static void ids_are_by_exchange_and_ordinal(void **state)
{
	uint8_t first[KEY_BYTES], expect[KEY_BYTES];
	/* isn 1, isn 2, position 100010, ordinal 1, little-endian */
	static const uint8_t what[20] = { 1, 0, 0, 0, 2, 0, 0, 0, 0xaa, 0x86, 1, 0, 0, 0, 0, 0, 1 };

	SAY(.say = SAY_VIEW_ITEM, .visit = 1, .at = 1, .took = 10, .items = "A");
	memcpy(first, kit.last[EVENT_VIEW_ITEM].event_id, KEY_BYTES);
	SAY(.say = SAY_VIEW_ITEM, .visit = 1, .at = 1, .took = 10, .items = "B");
	keys_event(kit.keys, SLICE("view_item"), SLICE("shop.example"),
		   slice_of(what, sizeof(what)), expect);
	assert_memory_equal(kit.last[EVENT_VIEW_ITEM].event_id, expect, KEY_BYTES);
	SAY(.say = SAY_VIEW_ITEM, .visit = 0, .at = 2, .took = 10, .items = "A");
	SAY(.say = SAY_VIEW_ITEM, .visit = 1, .at = 1, .took = 10, .items = "A");
	assert_memory_equal(kit.last[EVENT_VIEW_ITEM].event_id, first, KEY_BYTES);
	told_is("view_item A\nview_item B\nview_item A\nview_item A\n");
	assert_u64(kit_stats().bytes, 0); /* and no record was made */
}

static void unix_sockets_have_ids_of_their_own(void **state)
{
	uint8_t first[KEY_BYTES];

	SAY(.say = SAY_SEARCH, .visit = 1, .at = 1, .took = 10, .unix_socket = true);
	memcpy(first, kit.last[EVENT_SEARCH].event_id, KEY_BYTES);
	SAY(.say = SAY_SEARCH, .visit = 1, .at = 2, .took = 10, .unix_socket = true);
	assert_memory_not_equal(first, kit.last[EVENT_SEARCH].event_id, KEY_BYTES);
	/* the same position on the same connection in another boot */
	carts_clock(kit.c, KIT_WALL + 1000 * MS);
	SAY(.say = SAY_SEARCH, .visit = 1, .at = 1, .took = 10, .unix_socket = true);
	assert_memory_not_equal(first, kit.last[EVENT_SEARCH].event_id, KEY_BYTES);
}

static void without_a_visit_there_is_no_cart(void **state)
{
	SAY(.say = SAY_ADD_TO_CART, .at = 1, .items = "A1", .cart = "A1@500");
	SAY(.say = SAY_VIEW_CART, .at = 2, .cart = "A1@500");
	SAY(.say = SAY_BEGIN_CHECKOUT, .at = 3);
	told_is("");
	SAY(.say = SAY_LOGIN, .at = 4);
	told_is("login\n");
	assert_false(kit.last[EVENT_LOGIN].has_session);
}

static void names_are_those_of_the_contract(void **state)
{
	assert_string_equal(event_kind_name(EVENT_PURCHASE), "purchase");
	assert_string_equal(event_kind_name(EVENT_CART_REFUSED), "parcours.cart_refused");
	assert_null(event_kind_name(EVENT_OWN));
	for (int k = 0; k < EVENTS; k++)
		assert_true(k == EVENT_OWN || event_kind_name((enum event_kind)k));
	assert_null(step_name(STEP_NONE));
	assert_string_equal(step_name(STEP_ORDER), "order");
	assert_string_equal(cart_condition_name(CART_ABANDONED), "abandoned");
}

UNIT_MAIN(C(own_answer_shows_what_was_added), C(next_answer_shows_it), C(difference_is_by_lines),
	  C(lines_of_one_id_are_added_up), C(difference_by_pieces_where_lines_are_not_shown),
	  C(difference_by_value_where_nothing_else_is_shown), C(other_currency_is_not_compared),
	  C(nothing_moved_is_no_event), C(change_that_is_never_shown_is_counted),
	  C(double_click_is_shown_once), C(double_click_with_two_answers),
	  C(page_that_was_made_before_the_other_tab_asked),
	  C(page_that_shows_what_two_tabs_asked_for), C(nobody_asked),
	  C(ask_comes_after_what_it_did), C(older_answer_changes_nothing),
	  C(refused_change_is_no_change), C(first_show_with_more_than_was_asked_for),
	  C(first_show_where_nothing_can_be_told_apart),
	  C(hole_shows_what_was_added_and_never_what_is_gone),
	  C(hole_that_hides_the_change_leaves_the_ask), C(hole_is_no_empty_cart),
	  C(cut_list_is_a_hole), C(emptied_on_demand), C(emptied_and_filled_again_is_a_second_cart),
	  C(steps_never_go_back), C(step_told_late_has_nothing_of_what_the_cart_became),
	  C(step_without_a_cart_that_was_seen), C(abandoned_at_the_end_of_the_visit),
	  C(shutdown_tells_as_it_stands), C(unshown_change_withholds_the_amount),
	  C(what_preceded_is_told), C(ids_are_by_exchange_and_ordinal),
	  C(unix_sockets_have_ids_of_their_own), C(without_a_visit_there_is_no_cart),
	  C(names_are_those_of_the_contract))
