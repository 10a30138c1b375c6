/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_journey.c: events and definitions as rows (tests/cases/export/journey.ndjson to the last octet, which
 * tests/sql/run validates against the schema), as OTLP records, as console lines; and what of them may leave.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "event_kit.h"
#include "export/console.h"
#include "export/journey.h"
#include "txn/body/body.h"

#define GOLDEN "tests/cases/export/journey.ndjson"

static const struct preceded preceded = {
	.error_status = 502,
	.error_path = SLICE("/pay/jane@example.com"),
	.slow_lived_ns = 4200000000,
	.slow_path = SLICE("/checkout"),
	.cart_refused = true,
	.payment_refused = true,
	.reason = SLICE("card 4111 1111 1111 1111 was refused"),
	.failed_host = SLICE("pay.example"),
};

static struct event_view view;

static const struct event *viewed(const struct event *e, enum privacy mode)
{
	const struct privacy_rules rules = { .mode = mode };

	assert_int_equal(event_view_make(&view, &rules, e), 0);
	return &view.event;
}

static int begin(void **state)
{
	setenv("TZ", "UTC", 1);
	tzset();
	event_view_init(&view);
	return 0;
}

static int end(void **state)
{
	event_view_done(&view);
	return 0;
}

/* ---- rows ---- */

static struct event own_event(void)
{
	static const struct parameter parameters[] = { { SLICE("size"), SLICE("XL") } };
	struct event e = sample_event(EVENT_OWN);

	e.name = SLICE("size_guide");
	e.parameters = parameters;
	e.parameter_count = 1;
	e.flags = 1u << BODY_HOLE | 1u << BODY_CUT_TEXT;
	e.has_session = false;
	e.segment = (struct segment){ 0 };
	return e;
}

static struct event cart_event(void)
{
	struct event e = sample_event(EVENT_CART);

	e.revision = EVENT_TIME / 1000000;
	e.cart = &sample_cart;
	e.rule = NULL;
	return e;
}

static void write_all(struct buf *out)
{
	const struct event events[] = {
		sample_order(),
		added_event(),
		cart_event(),
		sample_left(&preceded),
		own_event(),
		refused_event(EVENT_CART_REFUSED, "sold out"),
		refused_event(EVENT_PAYMENT_ERROR, "insufficient funds"),
	};
	struct definition d = { .event_id = { 0xd1 },
				.revision = EVENT_TIME / 1000000,
				.time_unix_ns = EVENT_TIME,
				.funnel = &funnel };

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		event_row(out, viewed(&events[i], PRIVACY_AUDIENCE));
	definition_row(out, &d);
	d.funnel = NULL;
	d.objective = &objective;
	definition_row(out, &d);
	d.removed = true;
	definition_row(out, &d);
}

static void rows(void **state)
{
	char *text = calloc(1, 1 << 16);
	FILE *f = fopen(GOLDEN, "r");
	struct buf out;

	buf_init(&out, 1 << 20);
	write_all(&out);
	assert_false(out.failed);
	assert_non_null(f);
	assert_true(fread(text, 1, (1 << 16) - 1, f) > 0);
	fclose(f);
	buf_add_byte(&out, 0);
	assert_string_equal(out.at, text);
	buf_done(&out);
	free(text);
}

/* What was not observed is no zero. */
static void what_is_not_there_is_absent(void **state)
{
	struct cart_state cart = { .condition = CART_OPEN,
				   .opened_unix_ns = 1,
				   .last_activity_unix_ns = 2 };
	struct event e = { .kind = EVENT_CART, .event_id = { 1 }, .revision = 1, .cart = &cart };
	struct buf out;

	buf_init(&out, 1 << 16);
	event_row(&out, viewed(&e, PRIVACY_AUDIENCE));
	buf_add_byte(&out, 0);
	assert_string_equal(
		out.at, "{\"type\":\"event\",\"event_name\":\"parcours.cart\",\"time_unix_nano\":0,"
			"\"parcours.event_id\":\"01000000000000000000000000000000\",\"revision\":1,"
			"\"source\":\"rule\",\"confidence\":\"certain\",\"parcours.cart\":{},"
			"\"condition\":\"open\",\"opened_unix_nano\":1,"
			"\"last_activity_unix_nano\":2}\n");
	buf_done(&out);
}

static void amounts_are_exact(void **state)
{
	static const struct {
		struct amount a;
		const char *text;
	} cases[] = {
		{ { 0, 0, "" }, "0" },
		{ { 0, 2, "" }, "0.00" },
		{ { 5, 2, "" }, "0.05" },
		{ { -5, 2, "" }, "-0.05" },
		{ { 123450, 2, "" }, "1234.50" },
		{ { 1200, 0, "JPY" }, "1200" },
		{ { INT64_MAX, 18, "" }, "9.223372036854775807" },
		{ { INT64_MIN, 0, "" }, "-9223372036854775808" },
		{ { INT64_MIN, 18, "" }, "-9.223372036854775808" },
		{ { 1, 18, "" }, "0.000000000000000001" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[AMOUNT_TEXT];
		struct slice s = amount_text(&cases[i].a, text);

		assert_int_equal(s.len, strlen(cases[i].text));
		assert_memory_equal(s.at, cases[i].text, s.len);
	}
}

/* ---- privacy ---- */

static void texts_by_mode(void **state)
{
	static const struct {
		const char *taken, *text, *id; /* what leaves of it as a text, and as an id */
	} cases[] = {
		{ "Tent two", "Tent two", "Tent two" },
		{ "1000123456", "1000123456", "1000123456" }, /* an order number is no card */
		{ "2024112600017", "2024112600017", "2024112600017" },
		{ "4111111111111111", "{card}", "{card}" },
		{ "card 4111-1111-1111-1111!", "card {card}!", "card {card}!" },
		{ "4111\xc2\xa0"
		  "1111\xe2\x80\xaf"
		  "1111 1111",
		  "{card}", "{card}" },
		/* Luhn's sum is wrong; but a number of sixteen digits and more is like a token */
		{ "4111111111111112", "{token}", "4111111111111112" },
		{ "411111111111112", "411111111111112", "411111111111112" },
		{ "41111111111111111111", "{token}", "41111111111111111111" },
		{ "5555555555554444,378282246310005", "{card},{card}", "{card},{card}" },
		{ "for jane@example.com, please", "for {email}, please", "for {email}, please" },
		{ "eyJhbGciOiJIUzI1NiJ9.e30.x", "{token}", "eyJhbGciOiJIUzI1NiJ9.e30.x" },
		{ "code 0f1e2d3c4b5a69788796a5b4c3d2e1f0 is bad", "code {token} is bad",
		  "code 0f1e2d3c4b5a69788796a5b4c3d2e1f0 is bad" },
		{ "prod_01HQZX5R5E7W0QK2V3N4M5B6C7", "{token}", "prod_01HQZX5R5E7W0QK2V3N4M5B6C7" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (enum privacy mode = PRIVACY_AUDIENCE; mode <= PRIVACY_NONE; mode++) {
			struct item item = { .id = slice_str(cases[i].taken),
					     .name = slice_str(cases[i].taken) };
			struct parameter p = { SLICE("x"), slice_str(cases[i].taken) };
			struct event e = sample_event(EVENT_OWN);
			const char *text = mode == PRIVACY_NONE ? cases[i].taken : cases[i].text;
			const char *id = mode == PRIVACY_NONE ? cases[i].taken : cases[i].id;
			const struct event *got;

			e.name = SLICE("x");
			e.items = &item;
			e.item_count = 1;
			e.parameters = &p;
			e.parameter_count = 1;
			e.reason = e.transaction_id = slice_str(cases[i].taken);
			got = viewed(&e, mode);
			if (!slice_eq(got->reason, slice_str(text)))
				fail_msg("%s: %.*s", cases[i].taken, (int)got->reason.len,
					 got->reason.at);
			assert_true(slice_eq(got->items[0].name, slice_str(text)));
			assert_true(slice_eq(got->parameters[0].value, slice_str(text)));
			assert_true(slice_eq(got->items[0].id, slice_str(id)));
			assert_true(slice_eq(got->transaction_id, slice_str(id)));
		}
	}
}

/* Who knows it may have the cart, so it is told by its hash; the same on every host. */
static void a_cart_id_is_no_ticket(void **state)
{
	struct cart_state cart = { .id = SLICE("a8d3f9c2b1e04756a8d3f9c2b1e04756") };
	struct event e = sample_event(EVENT_CART);

	e.cart = &cart;
	assert_slice(viewed(&e, PRIVACY_AUDIENCE)->cart->id,
		     "sha256:a5c816062313f66e86117693c32f5cce");
	assert_slice(viewed(&e, PRIVACY_NONE)->cart->id, "a8d3f9c2b1e04756a8d3f9c2b1e04756");
	cart.id = SLICE("10042");
	assert_slice(viewed(&e, PRIVACY_AUDIENCE)->cart->id, "10042");
}

static void segments_and_places_are_as_of_visits(void **state)
{
	struct event e = sample_left(&preceded);

	assert_null(viewed(&e, PRIVACY_AUDIENCE)->segment.customer);
	assert_string_equal(viewed(&e, PRIVACY_CUSTOMER)->segment.customer, "gold");
	assert_slice(view.event.preceded->error_path, "/pay/{email}");
	assert_slice(view.event.preceded->reason, "card {card} was refused");
	e.site = SLICE("198.51.100.77");
	assert_slice(viewed(&e, PRIVACY_AUDIENCE)->site, "198.51.100.0");
}

/* More than a stage would tell is cut, and said to be. */
static void items_are_bounded(void **state)
{
	struct item *items = calloc(ITEMS_MAX + 1, sizeof(*items));
	struct event e = sample_order();

	e.items = items;
	e.item_count = ITEMS_MAX + 1;
	assert_int_equal(viewed(&e, PRIVACY_AUDIENCE)->item_count, ITEMS_MAX);
	assert_true(view.event.items_cut);
	free(items);
}

/* ---- OTLP ---- */

static struct slice value(struct slice message, uint32_t number, const char *key)
{
	struct slice v = { 0 };

	if (!has(message, number, key, &v))
		fail_msg("no attribute %s", key);
	return v;
}

static struct slice text(struct slice message, uint32_t number, const char *key)
{
	return field(value(message, number, key), 1).bytes;
}

/* The only LogRecord of a message. */
static struct slice record(struct events *events, char **ret_message)
{
	struct slice message;
	size_t len;

	assert_int_equal(events_count(events), 1);
	assert_int_equal(events_take(events, ret_message, &len), 0);
	message = field(slice_of(*ret_message, len), 1).bytes; /* ResourceLogs */
	return field(field(message, 2).bytes, 2).bytes;
}

static struct resources *resources;

static struct events *new_events(void)
{
	static const struct export_options options = { .host_name = "h" };
	const struct resource_limits limits = { 10, 10 };
	struct events *events;

	assert_int_equal(resources_new(&options, &limits, &resources), 0);
	assert_int_equal(events_new(resources, 4096, &events), 0);
	return events;
}

static void records(void **state)
{
	struct events *events = new_events();
	struct event order = sample_order(), left = sample_left(&preceded), own = own_event();
	struct slice r, items, first, v;
	char *message;

	assert_int_equal(event_record(events, viewed(&order, PRIVACY_AUDIENCE), 9), 0);
	r = record(events, &message);
	assert_slice(field(r, 12).bytes, "parcours.purchase");
	assert_u64(field(r, 1).value, EVENT_TIME);
	assert_int_equal(field(r, 2).value, 9);
	assert_memory_equal(field(r, 9).bytes.at, order.trace_id, 16);
	assert_memory_equal(field(r, 10).bytes.at, order.span_id, 8);
	assert_slice(text(r, 6, "parcours.event_id"), "e1020000000000000000000000000000");
	assert_slice(text(r, 6, "session.id"), "01020000000000000000000000000000");
	assert_slice(text(r, 6, "currency"), "EUR");
	assert_slice(text(r, 6, "value"), "502.90");
	assert_slice(text(r, 6, "transaction_id"), "100042");
	assert_slice(text(r, 6, "parcours.device"), "mobile");
	assert_int_equal(field(value(r, 6, "parcours.revision"), 3).value, 1);
	items = field(value(r, 6, "items"), 5).bytes;
	first = field(field(items, 1).bytes, 6).bytes;
	assert_slice(text(first, 1, "item_id"), "T-200");
	assert_int_equal(field(value(first, 1, "quantity"), 3).value, 2);
	assert_slice(text(first, 1, "price"), "249.00");
	free(message);

	assert_int_equal(event_record(events, viewed(&left, PRIVACY_AUDIENCE), 9), 0);
	r = record(events, &message);
	assert_slice(field(r, 12).bytes, "parcours.cart_abandoned");
	assert_slice(text(r, 6, "parcours.step"), "shipping");
	assert_slice(text(r, 6, "parcours.end_reason"), "timeout");
	assert_slice(text(field(value(r, 6, "parcours.preceded"), 6).bytes, 1, "failed_host"),
		     "pay.example");
	assert_slice(text(field(value(r, 6, "parcours.cart"), 6).bytes, 1, "value"), "498.00");
	assert_false(has(r, 6, "trace_id", &v));
	free(message);

	assert_int_equal(event_record(events, viewed(&own, PRIVACY_AUDIENCE), 9), 0);
	r = record(events, &message);
	assert_slice(field(r, 12).bytes, "parcours.size_guide");
	assert_false(has(r, 6, "session.id", &v));
	assert_slice(text(field(value(r, 6, "parcours.parameters"), 6).bytes, 1, "size"), "XL");
	free(message);
	events_free(events);
	resources_free(resources);
}

static void definitions_as_records(void **state)
{
	struct definition d = { .event_id = { 0xd1 }, .revision = 5, .funnel = &funnel };
	struct events *events = new_events();
	struct slice r, step;
	char *message;

	assert_int_equal(definition_record(events, &d, 9), 0);
	r = record(events, &message);
	assert_slice(field(r, 12).bytes, "parcours.definition");
	assert_slice(text(r, 6, "parcours.kind"), "funnel");
	step = field(field(field(value(r, 6, "parcours.steps"), 5).bytes, 1).bytes, 6).bytes;
	assert_slice(text(step, 1, "event"), "view_item");
	free(message);
	d.funnel = NULL;
	d.objective = &objective;
	assert_int_equal(definition_record(events, &d, 9), 0);
	r = record(events, &message);
	assert_slice(text(r, 6, "parcours.name"), "buy/checkout/mobile/FR");
	assert_int_equal(field(value(r, 6, "parcours.share_ppm"), 3).value, 950000);
	assert_slice(field(field(field(value(r, 6, "parcours.pages"), 5).bytes, 1).bytes, 1).bytes,
		     "/checkout");
	free(message);
	events_free(events);
	resources_free(resources);
}

/* The largest that may be told finds room in a batch of the smallest size. */
static void the_largest_order_has_room(void **state)
{
	struct events *events = new_events();
	struct item *items = calloc(ITEMS_MAX, sizeof(*items));
	struct event e = sample_order();
	char *name = malloc(1024), *message;

	memset(name, 'x', 1024);
	for (unsigned i = 0; i < ITEMS_MAX; i++)
		items[i] = (struct item){ .id = SLICE("T-200"), .name = slice_of(name, 1024) };
	e.items = items;
	e.item_count = ITEMS_MAX;
	assert_int_equal(event_record(events, viewed(&e, PRIVACY_NONE), 9), 0);
	record(events, &message);
	free(message);
	events_free(events);
	resources_free(resources);
	free(items);
	free(name);
}

/* ---- console ---- */

static void lines(void **state)
{
	struct console c = { .show = CONSOLE_PAGES };
	const struct event events[] = {
		added_event(),
		sample_order(),
		cart_event(),
		sample_event(EVENT_VIEW_ITEM),
		own_event(),
		sample_left(&preceded),
		refused_event(EVENT_PAYMENT_ERROR, "in\x1b[31msufficient"),
	};
	struct buf out;

	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		console_event(&c, &out, viewed(&events[i], PRIVACY_AUDIENCE));
	buf_add_byte(&out, 0);
	assert_string_equal(out.at,
			    "22:13:25.000 $ 010200 into the cart        2 x Tent \"two\" at "
			    "249.00, cart: 3 pieces, 498.00 EUR\n"
			    "22:13:25.000 $ 010200 order                502.90 EUR, no. 100042, "
			    "paid, 2 x Tent \"two\" at 249.00, …\n"
			    "22:13:25.000 $        size_guide           \n"
			    "22:13:25.000 $ 010200 cart left            at step shipping, with 3 "
			    "pieces, 498.00 EUR; payment had…\n"
			    "22:13:25.000 $ 010200 payment refused      in\\x1b[31msufficient\n");
	buf_clear(&out);
	c.show = CONSOLE_TRANSACTIONS;
	assert_false(console_event(&c, &out, &events[0]));
	assert_int_equal(out.len, 0);
	buf_done(&out);
}

static void a_flood_is_counted(void **state)
{
	struct console c = { .show = CONSOLE_ALL };
	struct event e = sample_order();
	unsigned shown = 0;
	struct buf out;

	buf_init(&out, 1 << 20);
	for (unsigned i = 0; i < CONSOLE_ROWS + 7; i++)
		shown += console_event(&c, &out, &e);
	assert_int_equal(shown, CONSOLE_ROWS);
	assert_u64(c.left_out, 7);
	/* an order that is told again is no second one */
	e.revision = 2;
	assert_false(console_event(&c, &out, &e));
	assert_u64(c.left_out, 7);
	buf_done(&out);
}

UNIT_MAIN(cmocka_unit_test_setup_teardown(rows, begin, end),
	  cmocka_unit_test_setup_teardown(what_is_not_there_is_absent, begin, end),
	  T(amounts_are_exact), cmocka_unit_test_setup_teardown(texts_by_mode, begin, end),
	  cmocka_unit_test_setup_teardown(a_cart_id_is_no_ticket, begin, end),
	  cmocka_unit_test_setup_teardown(segments_and_places_are_as_of_visits, begin, end),
	  cmocka_unit_test_setup_teardown(items_are_bounded, begin, end),
	  cmocka_unit_test_setup_teardown(records, begin, end),
	  cmocka_unit_test_setup_teardown(definitions_as_records, begin, end),
	  cmocka_unit_test_setup_teardown(the_largest_order_has_room, begin, end),
	  cmocka_unit_test_setup_teardown(lines, begin, end),
	  cmocka_unit_test_setup_teardown(a_flood_is_counted, begin, end))
