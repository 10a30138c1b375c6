/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_rules_recipes.c: every example of share/recipes/README.md compiles, and so does every recipe; that of
 * the sample shop reads what the shop (tests/shop/pages.py) answers. Run from the top of the source.
 */
#include "rules_kit.h"

#include <glob.h>

static char text[1 << 20];

static struct slice file(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n;

	if (!f)
		fail_msg("%s: %s (run from the top of the source)", path, strerror(errno));
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = 0;
	return slice_of(text, n);
}

static void compiles(struct slice s)
{
	if (kit_compile(s))
		fail_msg("%.*s\n%.*s", (int)kit.errors.len, kit.errors.at, (int)s.len, s.at);
}

static void examples_of_the_guide(void **state)
{
	struct slice rest = file("share/recipes/README.md");
	unsigned count = 0;
	long at;

	while ((at = slice_find_slice(rest, SLICE("```yaml\n"))) >= 0) {
		rest = slice_sub(rest, (size_t)at + 8, rest.len);
		at = slice_find_slice(rest, SLICE("```"));
		assert_true(at > 0);
		compiles(slice_sub(rest, 0, (size_t)at));
		rest = slice_sub(rest, (size_t)at + 3, rest.len);
		count++;
	}
	assert_int_equal(count, 3);
}

static void every_recipe(void **state)
{
	glob_t g;

	assert_int_equal(glob("share/recipes/*.yaml", 0, NULL, &g), 0);
	for (size_t i = 0; i < g.gl_pathc; i++)
		compiles(file(g.gl_pathv[i]));
	globfree(&g);
}

/* ---- the sample shop ---- */

#define HEAD                                                                                       \
	"<!doctype html><html lang=\"en\"><head><meta "                                            \
	"charset=\"utf-8\"><title>Shop</title></head><body><nav>"                                  \
	"<a href=\"/\">Alder &amp; Ash</a><a id=\"cart\" href=\"/cart\">Cart</a></nav>"

static const char *page(const char *target, uint16_t status, const char *html)
{
	kit_request("GET", target);
	kit_field(true, "sec-fetch-mode", "navigate");
	kit_field(true, "sec-fetch-dest", "document");
	kit_field(true, "referer", "http://shop.example/checkout/payment");
	kit_status(status, "text/html; charset=utf-8");
	if (html)
		kit_content(false, "text/html; charset=utf-8", html);
	return kit_say();
}

static const char *form(const char *target, const char *fields, uint16_t status,
			const char *location, const char *html)
{
	kit_request("POST", target);
	kit_content(true, "application/x-www-form-urlencoded", fields);
	kit_status(status, "text/html; charset=utf-8");
	if (location)
		kit.t.location = slice_str(location);
	kit_content(false, "text/html; charset=utf-8", html ? html : "");
	return kit_say();
}

static void products_of_the_sample_shop(void **state)
{
	compiles(file("share/recipes/sample-shop.yaml"));
	assert_string_equal(
		page("/product/chef-knife", 200,
		     HEAD "<h1>Chef&#x27;s knife 20 cm</h1><script "
			  "type=\"application/ld+json\">{\"@context\": "
			  "\"https://schema.org\", \"@type\": \"Product\", \"sku\": \"2002\", "
			  "\"name\": \"Chef's knife 20 cm\", "
			  "\"offers\": {\"@type\": \"Offer\", \"price\": \"74.50\", "
			  "\"priceCurrency\": \"EUR\"}}</script><p>74.50 EUR</p>"),
		"view_item currency=EUR [ id=2002 name=Chef's knife 20 cm price=7450/2EUR ]\n");
	assert_string_equal(page("/product/sold-last-year", 404, HEAD "<h1>Not found</h1>"), "");
	assert_string_equal(page("/category/kitchen", 200,
				 HEAD
				 "<div class=\"grid\"><a href=\"/product/chef-knife\"><img "
				 "src=\"/images/chef-knife.svg\" alt=\"\">"
				 "Chef&#x27;s knife 20 cm<br>74.50 EUR</a><a "
				 "href=\"/product/moka-pot\"><img src=\"/images/moka-pot.svg\" "
				 "alt=\"\">Moka pot 6 cups<br>29.90 EUR</a></div>"),
			    "view_item_list list=kitchen [ id=chef-knife ] [ id=moka-pot ]\n");
	assert_string_equal(page("/search?q=camp+stove", 200, NULL), "search term=camp stove\n");
	assert_string_equal(page("/search?q=", 200, NULL), "missed search_term\n");
	assert_string_equal(page("/", 200, HEAD), "");
}

static void carts_of_the_sample_shop(void **state)
{
	compiles(file("share/recipes/sample-shop.yaml"));
	assert_string_equal(form("/cart/add", "product=1003&quantity=2", 303, "/cart", NULL),
			    "add_to_cart [ id=1003 quantity=2/0 ]\n");
	assert_string_equal(form("/cart/add", "product=1003&quantity=", 303, "/cart", NULL),
			    "add_to_cart [ id=1003 quantity=1/0 ]\n");
	assert_string_equal(form("/cart/remove", "product=1003", 303, "/cart", NULL),
			    "remove_from_cart [ id=1003 ]\n");
	assert_string_equal(form("/cart/add", "product=3003&quantity=1", 409, NULL,
				 HEAD "<h1>Your cart</h1><p id=\"problem\">Sold out</p>"
				      "<p id=\"empty\">Your cart is empty.</p>"),
			    "parcours.cart_refused reason=Sold out [ id=3003 ]\n");
	assert_string_equal(
		page("/cart", 200,
		     HEAD "<h1>Your cart</h1><table id=\"basket\" data-cart=\"C1\" "
			  "data-currency=\"EUR\">"
			  "<tr class=\"line\" data-product=\"2002\"><td class=\"name\">"
			  "<a href=\"/product/chef-knife\">Chef&#x27;s knife 20 cm</a></td>\n"
			  "<td class=\"quantity\">2</td><td class=\"price\">74.50 EUR</td>"
			  "<td class=\"sum\">149.00 EUR</td></tr>\n</table><dl><dt>Goods</dt>"
			  "<dd id=\"goods\">149.00 EUR</dd><dt>Total</dt>"
			  "<dd id=\"total\">149.00 EUR</dd></dl>\n<p>In all "
			  "<b id=\"value\">149.00 EUR</b> without shipping, "
			  "<span id=\"pieces\">2</span> pieces</p>"),
		"view_cart currency=EUR cart( id=C1 value=14900/2EUR quantity=2/0 items=1 [ "
		"id=2002 "
		"name=Chef's knife 20 cm quantity=2/0 price=7450/2EUR ] )\n");
	assert_string_equal(page("/cart", 200,
				 HEAD "<h1>Your cart</h1><p id=\"empty\">Your cart is empty.</p>"),
			    "view_cart cart( empty )\n");
}

static void checkout_of_the_sample_shop(void **state)
{
	compiles(file("share/recipes/sample-shop.yaml"));
	assert_string_equal(page("/checkout/address", 200,
				 HEAD "<form id=\"checkout\" data-cart=\"C1\" method=\"post\" "
				      "action=\"/checkout/address\"></form>"),
			    "begin_checkout cart( id=C1 )\n");
	assert_string_equal(form("/checkout/address", "street=x", 303, "/checkout/shipping", NULL),
			    "parcours.add_address_info\n");
	assert_string_equal(form("/checkout/address", "street=x", 303, "/cart", NULL), "");
	assert_string_equal(
		form("/checkout/shipping", "method=express", 303, "/checkout/payment", NULL),
		"add_shipping_info\n");
	assert_string_equal(form("/checkout/payment", "card=2", 402, NULL,
				 HEAD "<p id=\"problem\">The payment was refused.</p>"),
			    "parcours.payment_error reason=The payment was refused.\n");
	assert_string_equal(form("/checkout/payment", "card=1", 303, "/order/A100000", NULL), "");
	assert_string_equal(
		page("/order/A100000", 200,
		     HEAD
		     "<h1>Thank you</h1><p id=\"thanks\" data-order-id=\"7\" data-cart=\"C1\">Your "
		     "order <b id=\"order\">A100000</b> over <b id=\"to-pay\">188.85 EUR</b> is on "
		     "its way. Payment: <i id=\"payment\">paid</i></p>"
		     "<table id=\"ordered\" data-currency=\"EUR\"></table>"),
		"purchase order=A100000 order_id=7 status=paid value=18885/2EUR currency=EUR cart( "
		"id=C1 )\n");
	/* the account and the office show it again */
	assert_string_equal(page("/account/orders/A100000", 200,
				 HEAD "<p>Order <b id=\"order\">A100000</b></p>"),
			    "");
}

/* ---- Vendure ---- */

static const char *vendure(const char *request, const char *answer)
{
	kit_request("POST", "/shop-api");
	kit_content(true, "application/json", request);
	kit_status(200, "application/json; charset=utf-8");
	kit_content(false, "application/json; charset=utf-8", answer);
	return kit_say();
}

#define ORDER                                                                                      \
	"\"id\":\"1\",\"code\":\"XR9PC8EPG5A8HBGF\",\"active\":true,\"currencyCode\":\"EUR\","     \
	"\"couponCodes\":[\"TEN\"],"                                                               \
	"\"totalQuantity\":3,\"subTotalWithTax\":4495,\"shippingWithTax\":500,\"totalWithTax\":"   \
	"4995,"                                                                                    \
	"\"discounts\":[{\"amountWithTax\":-250},{\"amountWithTax\":-250}],\"taxSummary\":[{"      \
	"\"taxTotal\":797},{"                                                                      \
	"\"taxTotal\":0}],\"lines\":[{\"quantity\":3,\"unitPriceWithTax\":1665,"                   \
	"\"productVariant\":{\"id\":\"8\",\"name\":"                                               \
	"\"Blend\"}}]"
#define CART                                                                                       \
	"cart( id=XR9PC8EPG5A8HBGF value=4495/2EUR quantity=3/0 items=1 [ id=8 name=Blend "        \
	"quantity=3/0 price=1665/2EUR ] )"

static void carts_of_vendure(void **state)
{
	static const char in[] =
		"add_to_cart coupon=TEN currency=EUR tax=incl [ id=8 quantity=3/0 ] " CART "\n";

	compiles(file("share/recipes/vendure.yaml"));
	assert_string_equal(vendure("{\"query\":\"mutation A($productVariantId: ID!, $quantity: "
				    "Int!) { addItemToOrder("
				    "productVariantId: $productVariantId, quantity: $quantity) { "
				    "...O } }\",\"variables\":{"
				    "\"productVariantId\":\"8\",\"quantity\":3}}",
				    "{\"data\":{\"addItemToOrder\":{" ORDER "}}}"),
			    in);
	assert_string_equal(vendure("{\"query\":\"mutation { addItemToOrder(productVariantId: 8, "
				    "quantity: 3) { code } }\"}",
				    "{\"data\":{\"addItemToOrder\":{" ORDER "}}}"),
			    in);
	assert_string_equal(
		vendure("{\"query\":\"mutation { order: addItemToOrder(productVariantId: 8, "
			"quantity: 3) { code } }\"}",
			"{\"data\":{\"order\":{" ORDER "}}}"),
		in);
	/* as many as there were */
	assert_string_equal(vendure("{\"query\":\"mutation { addItemToOrder(productVariantId: 8, "
				    "quantity: 9) { code } }\"}",
				    "{\"data\":{\"addItemToOrder\":{\"errorCode\":\"INSUFFICIENT_"
				    "STOCK_ERROR\",\"message\":\"Only "
				    "3\",\"quantityAvailable\":3,\"order\":{" ORDER "}}}}"),
			    "parcours.cart_refused reason=Only 3\nadd_to_cart coupon=TEN "
			    "currency=EUR tax=incl [ id=8 "
			    "quantity=9/0 ] " CART "\n");
	assert_string_equal(
		vendure("{\"query\":\"mutation { adjustOrderLine { x } }\"}",
			"{\"data\":{\"adjustOrderLine\":{\"__typename\":\"OrderLimitError\"}}}"),
		"parcours.cart_refused reason=OrderLimitError\n");
	/* what went wrong as a whole is none */
	assert_string_equal(vendure("{\"query\":\"mutation { addItemToOrder { id } }\"}",
				    "{\"errors\":[{\"message\":\"no\"}],\"data\":null}"),
			    "");
	assert_string_equal(vendure("{\"query\":\"{ activeOrder { id } }\"}",
				    "{\"data\":{\"activeOrder\":null}}"),
			    "view_cart cart( empty )\n");
	assert_string_equal(vendure("{\"query\":\"{ activeOrder { id } }\"}",
				    "{\"data\":{\"activeOrder\":{" ORDER "}}}"),
			    "view_cart coupon=TEN currency=EUR tax=incl " CART "\n");
}

static void orders_of_vendure(void **state)
{
	compiles(file("share/recipes/vendure.yaml"));
	assert_string_equal(
		vendure("{\"query\":\"mutation { addPaymentToOrder { id } }\"}",
			"{\"data\":{\"addPaymentToOrder\":{\"state\":\"PaymentSettled\"," ORDER
			"}}}"),
		"purchase order=XR9PC8EPG5A8HBGF order_id=1 status=Settled coupon=TEN "
		"value=4995/2EUR "
		"tax=797/2EUR shipping=500/2EUR discount=500/2EUR items_value=4495/2EUR "
		"currency=EUR tax=incl [ "
		"id=8 name=Blend quantity=3/0 price=1665/2EUR ] cart( id=XR9PC8EPG5A8HBGF )\n");
	assert_string_equal(
		vendure("{\"query\":\"mutation { addPaymentToOrder { id } }\"}",
			"{\"data\":{\"addPaymentToOrder\":{\"state\":\"ArrangingPayment\"," ORDER
			"}}}"),
		"add_payment_info cart( id=XR9PC8EPG5A8HBGF )\n");
	/* whether it was placed, nothing says */
	assert_string_equal(vendure("{\"query\":\"mutation { addPaymentToOrder { id } }\"}",
				    "{\"data\":{\"addPaymentToOrder\":{" ORDER "}}}"),
			    "");
	assert_string_equal(
		vendure("{\"query\":\"mutation { addPaymentToOrder { id } }\"}",
			"{\"data\":{\"addPaymentToOrder\":{\"code\":\"A\",\"active\":false}}}"),
		"purchase order=A tax=incl cart( id=A )\n");
	assert_string_equal(vendure("{\"query\":\"mutation { addPaymentToOrder { id } }\"}",
				    "{\"data\":{\"addPaymentToOrder\":{\"errorCode\":\"PAYMENT_"
				    "DECLINED_ERROR\",\"message\":\"m\","
				    "\"paymentErrorMessage\":\"declined\"}}}"),
			    "parcours.payment_error reason=declined\n");
	/* a second click, and a look back */
	assert_string_equal(vendure("{\"query\":\"mutation { addPaymentToOrder { id } }\"}",
				    "{\"data\":{\"addPaymentToOrder\":{\"errorCode\":\"NO_ACTIVE_"
				    "ORDER_ERROR\"}}}"),
			    "");
	assert_string_equal(
		vendure("{\"query\":\"{ orderByCode { id } }\"}",
			"{\"data\":{\"orderByCode\":{\"state\":\"PaymentSettled\"," ORDER "}}}"),
		"");
}

UNIT_MAIN(T(examples_of_the_guide), T(every_recipe), T(products_of_the_sample_shop),
	  T(carts_of_the_sample_shop), T(checkout_of_the_sample_shop), T(carts_of_vendure),
	  T(orders_of_vendure))
