/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_stage.h: what the stage of the fuzz target journey_stage is given: what may be asked of a shop that
 * answers each change with the cart, two sets of rules for it, four of definitions, which differ in each way in
 * which a reload may find them different; and what of all that events may say.
 */
#ifndef PC_TESTS_FUZZ_JOURNEY_STAGE_H
#define PC_TESTS_FUZZ_JOURNEY_STAGE_H

#include "cart_facts.h"
#include "journey/definition.h"

#define MS	 1000000ull
#define PRODUCTS 4
#define SITES	 2
#define NUMBERS	 8

static const int64_t prices[PRODUCTS] = { 125, 250, 1999, 100000 };
static const char *const sites[SITES] = { "a.example", "b.example" };

static const struct {
	const char *method, *path;
	uint16_t status;
} asks[] = {
	{ "POST", "/cart/items", 200 },
	{ "POST", "/cart/items", 409 },
	{ "DELETE", "/cart/items/P0", 200 },
	{ "PATCH", "/cart/items/P1", 200 },
	{ "GET", "/cart", 200 },
	{ "GET", "/checkout", 200 },
	{ "POST", "/checkout/contact", 200 },
	{ "POST", "/checkout/shipping", 200 },
	{ "POST", "/checkout/payment", 200 },
	{ "POST", "/checkout/payment", 201 },
	{ "POST", "/checkout/payment", 402 },
	{ "POST", "/notify", 200 },
	{ "GET", "/product/P2", 200 },
	{ "GET", "/own", 200 },
	{ "POST", "/payments", 402 },
	{ "GET", "/", 503 },
};

/* clang-format off */
#define LINES                                                                                                                     \
	"items: { each: 'json $.items[*]', item_id: each.product, quantity: each.quantity, price: each.price }"
#define SHOWN                                                                                                                     \
	"currency: json $.currency, cart: { id: json $.id, value: json $.value, quantity: json $.quantity, " LINES " }"
#define RULE(name, when, take, say) "  - name: " name "\n    when: { " when " }\n    take: { " take " }\n    say: " say "\n"
#define FEW                                                                                                                       \
	"amounts: { decimal: \".\" }\nrules:\n"                                                                                  \
	RULE("put", "method: POST, path: /cart/items", "item: { item_id: request json $.product, "                               \
	     "quantity: { from: request json $.quantity, default: 1 } }, " SHOWN, "add_to_cart")                                 \
	RULE("ordered", "method: POST, path: /checkout/payment, status: 201",                                                     \
	     "transaction_id: { from: json $.number, required: true }, order_id: json $.order, currency: json $.currency, "      \
	     "value: json $.total, tax: json $.tax, cart: { id: json $.id }, " LINES, "purchase")

static const char few_rules[] = FEW;
static const char all_rules[] = FEW
	RULE("look", "method: GET, path: /cart", SHOWN, "view_cart")
	RULE("out", "method: DELETE, path: '/cart/items/{product}'", "item: { item_id: path.product }, " SHOWN, "remove_from_cart")
	RULE("changed", "method: PATCH, path: '/cart/items/{product}'",
	     "item: { item_id: path.product, quantity: request json $.quantity }, " SHOWN, "change_cart")
	RULE("begun", "method: GET, path: /checkout", "cart: { id: json $.id }", "begin_checkout")
	RULE("contact", "method: POST, path: /checkout/contact", "cart: { id: json $.id }", "add_contact_info")
	RULE("shipping", "method: POST, path: /checkout/shipping", "cart: { id: json $.id }", "add_shipping_info")
	RULE("away", "method: POST, path: /checkout/payment, status: 200, 'json $.redirect': { exists: true }",
	     "cart: { id: json $.id }", "payment_away")
	RULE("refused", "method: POST, path: /checkout/payment, status: [402, 503]", "reason: json $.error", "payment_error")
	RULE("no change", "method: [POST, PATCH], path: '/cart/{what...}', status: 409", "reason: json $.error", "cart_refused")
	RULE("word", "method: POST, path: /notify", "transaction_id: { from: json $.number, required: true }, "
	     "currency: json $.currency, value: json $.total, cart: { id: json $.id }", "payment_notice")
	RULE("product", "method: GET, path: '/product/{id}'", "item: { item_id: path.id }", "view_item")
	RULE("call", "side: outgoing, method: POST, path: /payments, status: 402", "reason: json $.error", "payment_error")
	RULE("own", "method: GET, path: /own", "a: json $.id", "{ own: looked }");
/* clang-format on */

static const char *const pages[] = { "/checkout*", NULL };
static const struct funnel_step steps[] = { { "view", "view_item", NULL },
					    { "checkout", NULL, pages } };
static const struct funnel one_funnel[] = { { "buy", NULL, steps, 2 } };
static const struct funnel two_funnels[] = { { "buy", "a.example", steps, 2 },
					     { "look", NULL, steps, 1 } };
static const struct objective fast[] = { { .name = "buy/checkout",
					   .funnel = one_funnel,
					   .step = &steps[1],
					   .under_ns = 100 * MS,
					   .share_ppm = 950000 } };
static const struct objective faster[] = {
	{ .name = "buy/checkout",
	  .funnel = two_funnels,
	  .step = &steps[1],
	  .under_ns = 50 * MS,
	  .share_ppm = 950000 },
	{ .name = "buy/checkout/mobile",
	  .funnel = two_funnels,
	  .step = &steps[1],
	  .device = "mobile",
	  .under_ns = 200 * MS,
	  .share_ppm = 500000 },
};
static const struct definitions definitions[] = {
	{ 0 }, { one_funnel, NULL, 1, 0 }, { one_funnel, fast, 1, 1 }, { two_funnels, faster, 2, 2 }
};

/* ---- what of it may be told ---- */

static inline bool is_amount(const struct amount *a, int64_t cents)
{
	return a->units == cents && a->scale == 2 && !memcmp(a->currency, "EUR", 4);
}

/* What the items come to in cents, or -1: not all is known. */
static inline int64_t check_prices(const struct item *items, uint32_t count, int64_t *ret_pieces)
{
	int64_t sum = 0;

	*ret_pieces = 0;
	check_items(items, count);
	for (uint32_t i = 0; i < count; i++) {
		unsigned p;

		check(!items[i].id.at || (items[i].id.len == 2 && items[i].id.at[0] == 'P'));
		p = items[i].id.at ? (unsigned)(items[i].id.at[1] - '0') : PRODUCTS;
		check(p < PRODUCTS || !items[i].id.at);
		check(!items[i].has_price || p == PRODUCTS ||
		      is_amount(&items[i].price, prices[p]));
		if (!items[i].has_price || !items[i].has_quantity)
			sum = *ret_pieces = -1;
		if (sum < 0)
			continue;
		sum += items[i].price.units * items[i].quantity.units;
		*ret_pieces += items[i].quantity.units;
	}
	return sum;
}

static inline void check_cart(const struct cart_state *s)
{
	int64_t pieces, sum = check_prices(s->items, s->item_count, &pieces);

	if (!s->has_items || s->items_cut || sum < 0)
		return;
	check(!s->has_value || is_amount(&s->value, sum));
	check(!s->has_quantity || s->quantity.units == pieces);
}

#endif
