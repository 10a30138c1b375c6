/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_kit.h: events made by hand, as the journey stage would tell them. Tests change what they are about.
 */
#ifndef PC_TESTS_EVENT_KIT_H
#define PC_TESTS_EVENT_KIT_H

#include "base/pb.h"
#include "journey/definition.h"
#include "journey/event.h"

#define EVENT_TIME 1700000005000000000ull

static inline struct amount euro(int64_t cents)
{
	return (struct amount){ .units = cents, .scale = 2, .currency = "EUR" };
}

static const struct item sample_items[2] = {
	{ .id = SLICE("T-200"),
	  .name = SLICE("Tent \"two\""),
	  .has_quantity = true,
	  .quantity = { .units = 2 },
	  .has_price = true,
	  .price = { .units = 24900, .scale = 2, .currency = "EUR" } },
	{ .id = SLICE("R-7"),
	  .name = SLICE("Rope"),
	  .variant = SLICE("blue"),
	  .has_quantity = true,
	  .quantity = { .units = 15, .scale = 1 } },
};

static const struct cart_state sample_cart = {
	.id = SLICE("c-81"),
	.condition = CART_OPEN,
	.step = STEP_SHIPPING,
	.has_value = true,
	.has_quantity = true,
	.has_items = true,
	.value = { .units = 49800, .scale = 2, .currency = "EUR" },
	.quantity = { .units = 3 },
	.items = sample_items,
	.item_count = 2,
	.opened_unix_ns = EVENT_TIME - 60000000000,
	.last_activity_unix_ns = EVENT_TIME,
};

static inline struct event sample_event(enum event_kind kind)
{
	return (struct event){
		.kind = kind,
		.event_id = { 0xe1, 2 },
		.revision = 1,
		.time_unix_ns = EVENT_TIME,
		.site = SLICE("shop.example"),
		.has_session = true,
		.session_id = { 1, 2 },
		.session_key = { 3, 4 },
		.segment = { .device = "mobile", .country = "FR", .customer = "gold" },
		.has_span = true,
		.trace_id = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
		.span_id = { 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8 },
		.rule = "shop: order",
	};
}

static inline struct event sample_order(void)
{
	struct event e = sample_event(EVENT_PURCHASE);

	e.has = SAID_VALUE | SAID_TAX | SAID_SHIPPING | SAID_DISCOUNT | SAID_ITEMS_VALUE;
	e.value = euro(50290);
	e.tax = euro(8030);
	e.shipping = euro(490);
	e.discount = euro(0);
	e.items_value = euro(49800);
	memcpy(e.currency, "EUR", 4);
	e.tax_basis = TAX_INCLUDED;
	e.transaction_id = SLICE("100042");
	e.order_id = SLICE("77");
	e.payment_status = SLICE("paid");
	e.coupon = SLICE("SPRING");
	e.items = sample_items;
	e.item_count = 2;
	return e;
}

static inline struct event sample_left(const struct preceded *preceded)
{
	struct event e = sample_event(EVENT_CART_ABANDONED);

	e.revision = EVENT_TIME / 1000000;
	e.has_span = false;
	e.rule = NULL;
	e.has = SAID_VALUE;
	e.value = euro(49800);
	memcpy(e.currency, "EUR", 4);
	e.tax_basis = TAX_INCLUDED;
	e.cart = &sample_cart;
	e.end_reason = END_TIMEOUT;
	e.preceded = preceded;
	return e;
}

static inline struct event added_event(void)
{
	struct event e = sample_event(EVENT_ADD_TO_CART);

	e.has = SAID_VALUE;
	e.value = euro(24900);
	memcpy(e.currency, "EUR", 4);
	e.items = sample_items;
	e.item_count = 1;
	e.items_cut = e.from_cart = true;
	e.cart = &sample_cart;
	return e;
}

static inline struct event refused_event(enum event_kind kind, const char *reason)
{
	struct event e = sample_event(kind);

	e.reason = slice_str(reason);
	return e;
}

/* ---- definitions ---- */

static const char *const pages[] = { "/checkout", "/checkout/*", NULL };
static const struct funnel_step steps[] = { { "product", "view_item", NULL },
					    { "checkout", "begin_checkout", pages } };
static const struct funnel funnel = { "buy", "shop.example", steps, 2 };
static const struct objective objective = { .name = "buy/checkout/mobile/FR",
					    .funnel = &funnel,
					    .step = &steps[1],
					    .device = "mobile",
					    .country = "FR",
					    .under_ns = 2000000000,
					    .share_ppm = 950000 };

/* ---- protobuf ---- */

static inline struct pb_field field(struct slice message, uint32_t number)
{
	struct pb_field f;

	while (pb_next(&message, &f) == 1)
		if (f.number == number)
			return f;
	fail_msg("no field %u", number);
	return f;
}

static inline bool has(struct slice message, uint32_t number, const char *key,
		       struct slice *ret_value)
{
	struct pb_field f;

	while (pb_next(&message, &f) == 1)
		if (f.number == number && slice_eq(field(f.bytes, 1).bytes, slice_str(key))) {
			*ret_value = field(f.bytes, 2).bytes;
			return true;
		}
	return false;
}

#endif
