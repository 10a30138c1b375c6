/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_rules_take.c: what rules take of a transaction: amounts as shops write them, items that are joined,
 * carts, and what is absent because it was not seen or is not certain.
 */
#include "rules_kit.h"

#define TAKE(take)                                                                                 \
	"rules:\n- name: a\n  say: purchase\n  when: { path: /o }\n  take:\n    " take "\n"

static const char *shown_cut(const char *type, const char *text, size_t seen)
{
	kit_request("GET", "/o");
	kit_status(200, type);
	kit_content_cut(false, type, slice_str(text), seen);
	return kit_say();
}

static const char *json(const char *text)
{
	return shown_cut("application/json", text, SIZE_MAX);
}

static const char *html(const char *text)
{
	return shown_cut("text/html; charset=utf-8", text, SIZE_MAX);
}

static void amounts(void **state)
{
	kit_rules(TAKE("{ value: json $.v, currency: json $.c }"));
	assert_string_equal(json("{\"v\":12.5,\"c\":\"EUR\"}"),
			    "purchase value=1250/2EUR currency=EUR\n");
	assert_string_equal(json("{\"v\":\"30.0000\",\"c\":\"USD\"}"),
			    "purchase value=3000/2USD currency=USD\n");
	assert_string_equal(json("{\"v\":1200,\"c\":\"JPY\"}"),
			    "purchase value=1200/0JPY currency=JPY\n");
	assert_string_equal(json("{\"v\":\"1 234,50 \\u20ac\"}"),
			    "purchase value=123450/2EUR currency=EUR\n");
	assert_string_equal(json("{\"v\":1e3,\"c\":\"EUR\"}"),
			    "purchase value=100000/2EUR currency=EUR\n");
	assert_string_equal(json("{\"v\":\"1.234\",\"c\":\"EUR\"}"),
			    "missed value: ambiguous\npurchase currency=EUR\n");
	assert_string_equal(json("{\"v\":12.5}"), "purchase value=125/1\n"); /* of no currency */
	assert_string_equal(json("{\"v\":12.5,\"c\":\"points\"}"),
			    "missed currency: other\npurchase value=125/1\n");
	assert_string_equal(json("{\"v\":null}"), "purchase\n");
	assert_string_equal(json("{\"v\":{\"amount\":1}}"), "purchase\n");
	assert_string_equal(json("{\"v\":99999999999999999999}"),
			    "missed value: overflow\npurchase\n");
	/* the sign in the text is worth more than what is said of the whole */
	assert_string_equal(json("{\"v\":\"\\u00a3 5.00\",\"c\":\"EUR\"}"),
			    "purchase value=500/2GBP currency=EUR\n");
}

static void scales(void **state)
{
	kit_rules(TAKE("{ value: { from: json $.v, scale: 2, currency: EUR } }"));
	assert_string_equal(json("{\"v\":311760}"), "purchase value=311760/2EUR currency=EUR\n");
	assert_string_equal(json("{\"v\":31.17}"), "missed value: scale\npurchase\n");
	kit_rules(TAKE("{ value: { from: json $.v, scale: minor, currency: json $.c } }"));
	assert_string_equal(json("{\"v\":1999,\"c\":\"EUR\"}"),
			    "purchase value=1999/2EUR currency=EUR\n");
	assert_string_equal(json("{\"v\":1999,\"c\":\"JPY\"}"),
			    "purchase value=1999/0JPY currency=JPY\n");
	assert_string_equal(json("{\"v\":1999,\"c\":\"KWD\"}"),
			    "purchase value=1999/3KWD currency=KWD\n");
	assert_string_equal(json("{\"v\":1999}"), "missed value: ambiguous\npurchase\n");
	kit_rules("amounts: { scale: 2, currency: USD, decimal: ',' }\n" TAKE(
		"{ value: json $.v, tax: { from: json $.t, currency: CHF } }"));
	assert_string_equal(json("{\"v\":100,\"t\":\"20\"}"),
			    "purchase value=100/2USD tax=20/2CHF currency=USD\n");
}

static void hints(void **state)
{
	kit_rules("amounts: { decimal: ',' }\n" TAKE("value: 'html #v'"));
	assert_string_equal(html("<b id=v>1.234 &euro;</b>"),
			    "purchase value=123400/2EUR currency=EUR\n");
	kit_rules("amounts: { decimal: '.' }\n" TAKE("value: 'html #v'"));
	assert_string_equal(html("<b id=v>1.234</b>"), "purchase value=1234/3\n");
	kit_rules(TAKE("value: { from: 'html #v', match: 'Total: (.*)', currency: EUR }"));
	assert_string_equal(html("<b id=v>Total: 12,50</b>"),
			    "purchase value=1250/2EUR currency=EUR\n");
	assert_string_equal(html("<b id=v>Sum: 12,50</b>"), "purchase\n");
}

static void texts(void **state)
{
	kit_rules(TAKE("{ transaction_id: json $.id, coupon: json $.c, reason: { from: json $.r, "
		       "default: none given } }"));
	assert_string_equal(json("{\"id\":1017,\"c\":\" SAVE \",\"r\":\"\"}"),
			    "purchase order=1017 coupon=SAVE reason=none given\n");
	assert_string_equal(json("{\"id\":true,\"c\":\"\",\"r\":\"x\"}"),
			    "purchase order=true reason=x\n");
	kit_rules("rules:\n- name: a\n  say: purchase\n  when: { path: '/o/{n}' }\n"
		  "  take: { transaction_id: path.n, search_term: query.q, method: header.x-m, "
		  "coupon: constant C,"
		  " reason: response.header.x-r, tax_basis: incl, payment_status: path }\n");
	kit_request("GET", "/o/A%20%2F1?q=caf%C3%A9+cr%C3%A8me");
	kit_field(true, "x-m", "card");
	kit_status(200, NULL);
	kit_field(false, "x-r", "late");
	assert_string_equal(kit_say(), "purchase order=A /1 status=/o/A /1 coupon=C reason=late "
				       "term=caf\xc3\xa9 cr\xc3\xa8me "
				       "method=card tax=incl\n");
}

/* Several that differ: which one is meant, the rule must say. */
static void picks(void **state)
{
	kit_rules(TAKE("{ value: html .p, currency: EUR }"));
	assert_string_equal(html("<i class=p>10,00</i><i class=p>10,00</i>"),
			    "purchase value=1000/2EUR currency=EUR\n");
	assert_string_equal(html("<i class=p>12,00</i><i class=p>10,00</i>"),
			    "purchase currency=EUR\n");
	kit_rules(TAKE("{ value: { from: html .p, pick: first }, tax: { from: html .p, pick: last "
		       "}, currency: EUR }"));
	assert_string_equal(html("<i class=p>12,00</i><i class=p>10,00</i>"),
			    "purchase value=1200/2EUR tax=1000/2EUR currency=EUR\n");
	/* behind a hole another may stand: the first is the first, whether it is the last nobody knows */
	assert_string_equal(shown_cut("text/html", "<i class=p>12,00</i><i class=p>10,00</i>", 20),
			    "purchase value=1200/2EUR currency=EUR flagged\n");
	kit_rules(TAKE("{ value: html .p, currency: EUR }"));
	assert_string_equal(shown_cut("text/html", "<i class=p>12,00</i><i class=p>10,00</i>", 20),
			    "purchase currency=EUR flagged\n");
}

static void sums(void **state)
{
	kit_rules(TAKE("{ tax: { from: ['json $.t[*].a', json $.tax], pick: sum, currency: EUR, "
		       "match: '^-?(.+)$' } }"));
	assert_string_equal(
		json("{\"t\":[{\"a\":1.5},{\"a\":\"2.25\"},{\"a\":null},{\"a\":1.5}],\"tax\":9}"),
		"purchase tax=525/2EUR\n");
	assert_string_equal(json("{\"t\":[{\"a\":-7}]}"), "purchase tax=700/2EUR\n");
	assert_string_equal(json("{\"t\":[],\"tax\":9}"), "purchase tax=900/2EUR\n");
	assert_string_equal(json("{\"t\":[]}"), "purchase\n");
	/* one that cannot be read, of another currency, beyond 63 bits, or behind a hole: none is */
	assert_string_equal(json("{\"t\":[{\"a\":1},{\"a\":\"one\"}]}"),
			    "missed tax: other\npurchase\n");
	assert_string_equal(json("{\"t\":[{\"a\":1},{\"a\":\"$ 1\"}]}"),
			    "missed tax: other\npurchase\n");
	assert_string_equal(json("{\"t\":[{\"a\":90000000000000000},{\"a\":90000000000000000}]}"),
			    "missed tax: overflow\npurchase\n");
	assert_string_equal(shown_cut("application/json", "{\"t\":[{\"a\":1},{\"a\":2}]}", 20),
			    "purchase flagged\n");
}

static void alternatives(void **state)
{
	kit_rules("rules:\n- name: a\n  say: view_item\n  when: { path: '/p/{slug}' }\n"
		  "  take: { item: { item_id: [ld+json $.sku, path.slug], price: [ld+json $.sale, "
		  "ld+json $.price] } }\n");
	kit_request("GET", "/p/boots");
	kit_status(200, "text/html");
	kit_content(false, "text/html",
		    "<script type=application/ld+json>{\"sku\":\"77\",\"price\":5}</script>");
	assert_string_equal(kit_say(), "view_item [ id=77 price=5/0 ]\n");
	kit_content(false, "text/html", "<p>nothing</p>");
	assert_string_equal(kit_say(), "view_item [ id=boots ]\n");
	/* 304: no content, the name in the path remains; of an amount nothing is known */
	kit_request("GET", "/p/boots");
	kit_status(304, NULL);
	assert_string_equal(kit_say(), "view_item [ id=boots ]\n");
	/* cut before the price that counts could have come */
	kit_request("GET", "/p/boots");
	kit_status(200, "text/html");
	kit_content_cut(false, "text/html",
			SLICE("<script type=application/ld+json>{\"price\":5,\"sale\":3}</script>"),
			46);
	assert_string_equal(kit_say(), "view_item flagged\n");
}

static void required_values(void **state)
{
	kit_rules(TAKE("{ transaction_id: { from: json $.id, required: true }, value: { from: json "
		       "$.v, required: true } }"));
	assert_string_equal(json("{\"id\":1,\"v\":2}"), "purchase order=1 value=2/0\n");
	assert_string_equal(json("{\"v\":2}"), "missed transaction_id\n");
	assert_string_equal(json("{\"id\":1,\"v\":\"a lot\"}"), "missed value: other\n");
	assert_string_equal(shown_cut("application/json", "{\"v\":2,\"id\":1}", 9),
			    "missed transaction_id\n");
	/* a default is for what is not there, not for what was not seen */
	kit_rules(TAKE("{ value: { from: json $.v, default: 0.50, currency: EUR } }"));
	assert_string_equal(json("{}"), "purchase value=50/2EUR currency=EUR\n");
	assert_string_equal(shown_cut("application/json", "{\"a\":1,\"v\":2}", 7),
			    "purchase flagged\n");
}

static void own_parameters(void **state)
{
	kit_rules("rules:\n- name: a\n  say: { own: rated }\n  when: { path: /o }\n  take:\n"
		  "    stars: { from: query.s, type: integer }\n"
		  "    loud: { from: query.l, type: boolean }\n"
		  "    paid: { from: query.p, type: amount }\n"
		  "    word: query.w\n    value: query.v\n");
	assert_string_equal(kit_get("/o?s=4&l=on&p=1.234,50&w=x&v=1"),
			    "own:rated value=1/0 stars=4 loud=true paid=1234.50 word=x\n");
	assert_string_equal(kit_get("/o?s=-4&l=FALSE&p=-0.05"),
			    "own:rated stars=-4 loud=false paid=-0.05\n");
	assert_string_equal(kit_get("/o?s=4.5&l=maybe&p=x"), "missed paid: other\nown:rated\n");
	assert_string_equal(kit_get("/o?s=99999999999999999999"), "own:rated\n");
}

#define ITEMS(more)                                                                                \
	"rules:\n- name: a\n  say: purchase\n  when: { path: /o }\n  take:\n    currency: EUR\n  " \
	"  items:\n" more

static void items_of_json(void **state)
{
	kit_rules(ITEMS("      each: json $.lines[*]\n      item_id: each.sku\n      item_name: "
			"each.p.name\n"
			"      quantity: each.n\n      price: { from: each.cents, scale: 2 }\n"));
	assert_string_equal(
		json("{\"lines\":[{\"sku\":\"a\",\"n\":2,\"p\":{\"name\":\"A\"},\"cents\":1999},"
		     "{\"cents\":50,\"sku\":\"b\"},null,{}]}"),
		"purchase currency=EUR [ id=a name=A quantity=2/0 price=1999/2EUR ] [ id=b "
		"price=50/2EUR ] "
		"(cut)\n");
	assert_string_equal(json("{\"lines\":[]}"), "purchase currency=EUR\n");
	assert_string_equal(
		shown_cut("application/json",
			  "{\"lines\":[{\"sku\":\"a\",\"n\":2},{\"sku\":\"b\",\"n\":3}]}", 40),
		"purchase currency=EUR [ id=a quantity=2/0 ] [ id=b ] (cut) flagged\n");
	assert_string_equal(json("{\"lines\":[{\"sku\":\"a\",\"n\":\"2 pieces\"}]}"),
			    "missed quantity: other\npurchase currency=EUR [ id=a ]\n");
	assert_string_equal(
		json("{\"lines\":[{\"sku\":\"a\",\"n\":\"2.00\"},{\"sku\":\"b\",\"n\":-1},{\"sku\":"
		     "\"c\",\"n\":1.5}]}"),
		"missed quantity: other\npurchase currency=EUR [ id=a quantity=2/0 ] [ id=b ] "
		"[ id=c quantity=15/1 ]\n");
}

static void items_of_html(void **state)
{
	kit_rules(
		ITEMS("      each: html table.cart tr.line\n      item_id: each @data-sku\n"
		      "      item_name: each td.name\n      quantity: each input[name=qty] @value\n"
		      "      price: { from: each .price, required: true }\n"
		      "      where: { each @data-kind: { not: gift } }\n"));
	assert_string_equal(html("<table class=cart><tr class=line data-sku=a data-kind=goods><td "
				 "class=name>A &amp; B<td><input name=qty value=2>"
				 "<td class=price>1,50\xc2\xa0\xe2\x82\xac<tr class=line "
				 "data-sku=g data-kind=gift><td class=price>0,00"
				 "<tr class=line data-sku=c data-kind=goods><td class=name>C<td "
				 "class=price>2,00</table>"),
			    "purchase currency=EUR [ id=a name=A & B quantity=2/0 price=150/2EUR ] "
			    "[ id=c name=C price=200/2EUR ]\n");
	/* a line without what it requires is none, and the list is not whole */
	assert_string_equal(html("<table class=cart><tr class=line data-sku=a data-kind=goods><td "
				 "class=name>A</table>"),
			    "missed price\npurchase currency=EUR (cut)\n");
}

static void items_of_forms(void **state)
{
	kit_rules("rules:\n- name: a\n  say: add_to_cart\n  when: { method: POST, path: /o }\n  "
		  "take:\n    items:\n"
		  "      each: form id[*]\n      item_id: each\n      quantity: { from: 'form "
		  "qty[*]', default: 1 }\n"
		  "      item_variant: constant std\n");
	kit_request("POST", "/o");
	kit_content(true, "application/x-www-form-urlencoded",
		    "id%5B0%5D=a&qty[0]=2&id[1]=b&qty[1]=3&id[2]=c");
	kit_status(303, NULL);
	assert_string_equal(
		kit_say(),
		"add_to_cart [ id=a variant=std quantity=2/0 ] [ id=b variant=std quantity=3/0 ] "
		"[ id=c variant=std quantity=1/0 ]\n");
}

/* ld+json: the block that is the product, not that of the shop. */
static void items_by_block(void **state)
{
	kit_rules("rules:\n- name: a\n  say: view_item\n  when: { path: /o }\n  take:\n    items:\n"
		  "      each: ld+json $\n      where: { \"each['@type']\": Product }\n      "
		  "item_id: each.sku\n"
		  "      item_name: each.name\n      price: { from: each.offers.price, currency: "
		  "each.offers.priceCurrency }\n");
	assert_string_equal(
		html("<script "
		     "type=application/ld+json>{\"@type\":\"Organization\",\"name\":\"Shop\"}</"
		     "script>"
		     "<script "
		     "type=application/"
		     "ld+json>{\"@type\":\"Product\",\"name\":\"Boots\",\"sku\":\"7\","
		     "\"offers\":{\"price\":\"89.90\",\"priceCurrency\":\"EUR\"}}</script>"),
		"view_item currency=EUR [ id=7 name=Boots price=8990/2EUR ]\n");
}

static void one_item(void **state)
{
	kit_rules("rules:\n- name: a\n  say: add_to_cart\n  when: { path: /o }\n  take:\n"
		  "    item: { item_id: query.id, quantity: { from: query.n, default: 1 } }\n");
	assert_string_equal(kit_get("/o?id=5&n=3"), "add_to_cart [ id=5 quantity=3/0 ]\n");
	assert_string_equal(kit_get("/o?id=5"), "add_to_cart [ id=5 quantity=1/0 ]\n");
	assert_string_equal(kit_get("/o"), "add_to_cart\n"); /* a number of nothing is no item */
	kit_rules("rules:\n- name: a\n  say: add_to_cart\n  when: { path: /o }\n  take:\n"
		  "    item: { item_id: { from: query.id, required: true } }\n");
	assert_string_equal(kit_get("/o"), "missed item_id\n");
}

static void too_many_items(void **state)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	buf_add_str(&text, "{\"lines\":[");
	for (unsigned i = 0; i < ITEMS_MAX + 50; i++)
		buf_addf(&text, "%s{\"sku\":\"s%u\"}", i ? "," : "", i);
	buf_add_str(&text, "]}");
	buf_add_byte(&text, 0);
	kit_rules(ITEMS("      each: json $.lines[*]\n      item_id: each.sku\n"));
	json(text.at);
	assert_non_null(strstr(kit.out.at, "[ id=s199 ] (cut)\n"));
	assert_null(strstr(kit.out.at, "s200"));
	buf_done(&text);
}

#define CART(more)                                                                                 \
	"rules:\n- name: a\n  say: view_cart\n  when: { path: /o }\n  take:\n    cart:\n" more

static void carts(void **state)
{
	kit_rules(CART(
		"      id: json $.id\n      value: { from: json $.total, currency: json $.cur }\n"
		"      quantity: json $.count\n"
		"      items:\n        each: json $.lines[*]\n        item_id: each.sku\n        "
		"quantity: each.n\n"));
	assert_string_equal(json("{\"id\":\"c1\",\"total\":5.00,\"cur\":\"EUR\",\"count\":2,"
				 "\"lines\":[{\"sku\":\"a\",\"n\":2}]}"),
			    "view_cart currency=EUR cart( id=c1 value=500/2EUR quantity=2/0 "
			    "items=1 [ id=a quantity=2/0 ] )\n");
	/* an empty list that was seen whole */
	assert_string_equal(json("{\"id\":\"c1\",\"lines\":[]}"),
			    "view_cart cart( id=c1 items=0 empty )\n");
	/* no list at all: an error, an answer of another kind */
	assert_string_equal(json("{\"error\":\"gone\"}"), "view_cart\n");
	/* which cart it is, and nothing of what is in it */
	assert_string_equal(json("{\"id\":\"c1\"}"), "view_cart cart( id=c1 )\n");
	assert_string_equal(json("{\"lines\":null}"), "view_cart\n");
	/* a list that was cut */
	assert_string_equal(shown_cut("application/json", "{\"lines\":[]}", 10),
			    "view_cart flagged\n");
	assert_string_equal(json("{\"count\":0,\"total\":0,\"cur\":\"EUR\"}"),
			    "view_cart currency=EUR cart( value=0/2EUR quantity=0/0 empty )\n");
	assert_string_equal(shown_cut("text/html", "<p>", SIZE_MAX), "view_cart\n");
}

static void carts_said_to_be_empty(void **state)
{
	kit_rules(CART("      items:\n        each: html ul li\n        item_name: each\n"
		       "      empty:\n        html p: { contains: cart is empty }\n"));
	assert_string_equal(html("<p>Your cart is empty.</p>"), "view_cart cart( empty )\n");
	assert_string_equal(html("<p>Sorry</p>"), "view_cart\n");
	assert_string_equal(html("<ul><li>Tea</ul>"), "view_cart cart( items=1 [ name=Tea ] )\n");
	/* both: what stands there counts */
	assert_string_equal(html("<ul><li>Tea</ul><p>Your other cart is empty."),
			    "view_cart cart( items=1 [ name=Tea ] )\n");
	kit_rules("rules:\n- name: a\n  say: view_cart\n  when: { path: /o }\n  take:\n"
		  "    cart: { value: graphql data $.activeOrder.total, empty: { graphql data "
		  "$.activeOrder: null } }\n");
	assert_string_equal(json("{\"data\":{\"activeOrder\":null}}"), "view_cart cart( empty )\n");
	assert_string_equal(json("{\"data\":{\"activeOrder\":{\"total\":7}}}"),
			    "view_cart cart( value=7/0 )\n");
	assert_string_equal(json("{\"data\":null,\"errors\":[{\"message\":\"no\"}]}"),
			    "view_cart\n");
}

/* A content cut anywhere gives the same or less, never another amount (its currency may be what is cut). */
static void cut_anywhere(void **state)
{
	static const char text[] = "{\"total\":12.50,\"cur\":\"EUR\",\"lines\":[{\"sku\":\"a\","
				   "\"n\":2,\"price\":6.25},"
				   "{\"sku\":\"b\",\"n\":12,\"price\":10.05}]}";
	static const char page[] =
		"<p class=t>12,50 EUR</p><ul><li data-sku=a><b>2</b> <i>6,25 EUR</i>"
		"<li data-sku=b><b>12</b> <i>10,05 EUR</i></ul>";
	static const char *const amounts[] = { "1250/2EUR", "625/2EUR", "1005/2EUR" };

	for (unsigned kind = 0; kind < 2; kind++) {
		struct slice all = kind ? SLICE(page) : SLICE(text);

		kit_rules(
			kind ? CART("      value: html p.t\n      items:\n        each: html li\n"
				    "        item_id: each @data-sku\n        quantity: each b\n   "
				    "     price: each i\n")
			     : CART("      value: { from: json $.total, currency: json $.cur }\n   "
				    "   items:\n"
				    "        each: json $.lines[*]\n        item_id: each.sku\n    "
				    "    quantity: each.n\n"
				    "        price: { from: each.price, currency: json $.cur }\n"));
		for (size_t i = 0; i <= all.len; i++) {
			const char *at = kit.out.at;

			kit_request("GET", "/o");
			kit_status(200, NULL);
			kit_content_cut(false, kind ? "text/html" : "application/json", all, i);
			at = kit_say();
			assert_true(i == all.len || !i || strstr(at, "flagged"));
			assert_null(strstr(at, "empty"));
			for (const char *v = at; (v = strpbrk(v, "=")) != NULL; v++) {
				bool known = strncmp(v, "=1250/2", 7) == 0 ||
					     strncmp(v, "=625/2", 6) == 0 ||
					     strncmp(v, "=1005/2", 7) == 0;

				if (strncmp(v - 5, "value", 5) == 0 ||
				    strncmp(v - 5, "price", 5) == 0)
					if (!known)
						fail_msg("cut at %zu: %s", i, at);
				if (strncmp(v - 8, "quantity", 8) == 0)
					assert_true(strncmp(v, "=2/0", 4) == 0 ||
						    strncmp(v, "=12/0", 5) == 0);
			}
		}
		for (unsigned i = 0; i < 3; i++)
			assert_non_null(strstr(kit.out.at, amounts[i]));
	}
}

/* More values than are looked at, or found room: nobody knows the rest, and that is said. */
static void more_values_than_are_kept(void **state)
{
	struct reading *r = &kit.t.response.reading;

	kit_rules(TAKE("{ value: json $.v, coupon: { from: json $.c, default: none } }"));
	json("{\"v\":5}");
	assert_string_equal(kit.out.at, "purchase coupon=none value=5/0\n");
	r->values_lost = true;
	assert_string_equal(kit_say(), "purchase value=5/0 flagged\n");
	r->values_lost = false;
	for (uint32_t i = 1; i < KIT_VALUES; i++)
		kit.values[0][i] = kit.values[0][0];
	r->count = KIT_VALUES;
	assert_string_equal(kit_say(), "purchase value=5/0 flagged\n");
}

UNIT_MAIN(T(amounts), T(scales), T(hints), T(texts), T(picks), T(sums), T(alternatives),
	  T(required_values), T(own_parameters), T(items_of_json), T(items_of_html),
	  T(items_of_forms), T(items_by_block), T(one_item), T(too_many_items), T(carts),
	  T(carts_said_to_be_empty), T(cut_anywhere), T(more_values_than_are_kept))
