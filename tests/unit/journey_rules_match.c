/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_rules_match.c: which transactions a rule holds of, and of which messages it wants the content.
 */
#include "rules_kit.h"

#define SAYS_LOGIN(when) "rules:\n- name: a\n  say: login\n  when:\n    " when "\n"

static void holds(const char *target)
{
	if (strcmp(kit_get(target), "login\n") != 0)
		fail_msg("%s: said %s", target, kit.out.at);
}

static void holds_not(const char *target)
{
	if (strcmp(kit_get(target), "") != 0)
		fail_msg("%s: said %s", target, kit.out.at);
}

static void paths(void **state)
{
	kit_rules(SAYS_LOGIN("path: '/orders/{number}'"));
	holds("/orders/1017");
	holds("/orders/1017/");
	holds("/orders/a%20b?x=1");
	holds("/orders/17;jsessionid=4");
	holds("/orders;v=1/17");
	holds("/%6frders/17");
	holds_not("/orders");
	holds_not("/orders/");
	holds_not("/orders//");
	holds_not("/orders/1/2");
	holds_not("/order/1");
	holds_not("/Orders/1");
	holds_not("*");
	holds_not("");
	kit_rules(SAYS_LOGIN("path: /"));
	holds("/");
	holds("/?a");
	holds_not("/a");
	kit_rules(SAYS_LOGIN("path: ['/p/{slug}.html', '/{lang}/cart', /caf\xc3\xa9, '/x/*/y']"));
	holds("/p/a.html");
	holds_not("/p/.html");
	holds_not("/p/a.htm");
	holds("/de/cart");
	holds("/caf%C3%A9");
	holds("/x/1/y");
	holds_not("/x/1/z");
	kit_rules(SAYS_LOGIN("path: ['/a/{rest...}', /b/**]"));
	holds("/a/1");
	holds("/a/1/2/3");
	holds_not("/a");
	holds("/b");
	holds("/b/1/2");
	holds_not("/c");
	kit_rules(SAYS_LOGIN("path: { prefix: /shop, not: { suffix: .js } }"));
	holds("/shop");
	holds("/shopping/cart");
	holds_not("/shop/a.js");
	holds_not("/a/shop");
}

/* More segments than a template can have: only what takes any rest holds. */
static void deep_paths(void **state)
{
	char path[600];
	size_t n = 0;

	for (unsigned i = 0; i < 100; i++)
		n += (size_t)snprintf(path + n, sizeof(path) - n, "/s%u", i);
	kit_rules("rules:\n- { name: a, say: login, when: { path: '/s0/{r...}' }, take: { method: "
		  "path.r } }\n");
	kit_get(path);
	assert_memory_equal(kit.out.at, "login method=s1/s2/", 19);
	assert_non_null(strstr(kit.out.at, "/s98/s99\n"));
	kit_rules(SAYS_LOGIN("path: '/s0/*'"));
	holds_not(path);
}

static void methods_and_sides(void **state)
{
	kit_rules(SAYS_LOGIN("path: /a"));
	for (unsigned i = 0; i < 2; i++) {
		kit_request(i ? "OPTIONS" : "HEAD", "/a");
		kit_status(200, NULL);
		assert_string_equal(kit_say(), "");
	}
	kit_request("BREW", "/a");
	kit.t.method_known = false;
	kit_status(200, NULL);
	assert_string_equal(kit_say(), "");
	kit_request("GET", "/a");
	kit.t.side = SIDE_CLIENT;
	kit_status(200, NULL);
	assert_string_equal(kit_say(), "");
	kit_rules(SAYS_LOGIN("{ path: /a, method: [PUT, HEAD], side: outgoing }"));
	holds_not("/a");
	kit_request("HEAD", "/a");
	kit.t.side = SIDE_CLIENT;
	kit_status(200, NULL);
	assert_string_equal(kit_say(), "login\n");
}

static const char *answered(const char *method, uint16_t status)
{
	kit_request(method, "/a");
	if (status)
		kit_status(status, "text/html");
	return kit_say();
}

static void statuses(void **state)
{
	kit_rules(SAYS_LOGIN("path: /a"));
	assert_string_equal(answered("GET", 200), "login\n");
	assert_string_equal(answered("GET", 206), "login\n");
	assert_string_equal(answered("GET", 304), "login\n");
	assert_string_equal(answered("GET", 302), "");
	assert_string_equal(answered("GET", 404), "");
	assert_string_equal(answered("GET", 0), "");
	assert_string_equal(answered("GET", 999), "");
	assert_string_equal(answered("POST", 200), "login\n");
	assert_string_equal(answered("POST", 303), "login\n");
	assert_string_equal(answered("POST", 400), "");
	kit_rules(SAYS_LOGIN("{ path: /a, status: [409, 5xx] }"));
	assert_string_equal(answered("GET", 200), "");
	assert_string_equal(answered("POST", 303), "");
	assert_string_equal(answered("GET", 409), "login\n");
	assert_string_equal(answered("GET", 503), "login\n");
}

static void types(void **state)
{
	kit_rules(SAYS_LOGIN("{ path: /a, type: [text/*, application/json] }"));
	kit_request("GET", "/a");
	kit_status(200, "Text/HTML; charset=utf-8");
	assert_string_equal(kit_say(), "login\n");
	kit_request("GET", "/a");
	kit_status(200, "application/json");
	assert_string_equal(kit_say(), "login\n");
	kit_request("GET", "/a");
	kit_status(200, "application/javascript");
	assert_string_equal(kit_say(), "");
	kit_request("GET", "/a");
	kit_status(200, NULL);
	assert_string_equal(kit_say(), "");
}

static void queries_and_fields(void **state)
{
	kit_rules(SAYS_LOGIN(
		"{ path: /a, query.add-to-cart: { exists: true }, query.q: { not: '' } }"));
	holds("/a?add-to-cart=");
	holds("/a?x&add-to-cart&y");
	holds("/a?add%2dto%2Dcart=1&q=2");
	holds_not("/a?q=1");
	holds_not("/a?add-to-cart=1&q=");
	holds_not("/a");
	kit_rules(SAYS_LOGIN("{ path: /a, query.q: [one, 'two words'] }"));
	holds("/a?q=one");
	holds("/a?q=two+words");
	holds("/a?q=zero&q=two%20words");
	holds_not("/a?q=ones");
	kit_rules(SAYS_LOGIN(
		"{ path: /a, header.hx-request: 'true', response.header.x-cache: { prefix: M } }"));
	holds_not("/a");
	kit_request("GET", "/a");
	kit_field(true, "hx-request", "true");
	kit_status(200, "text/html");
	kit_field(false, "x-cache", "HIT");
	assert_string_equal(kit_say(), "");
	kit_field(false, "x-cache", "MISS"); /* one of two is enough */
	assert_string_equal(kit_say(), "login\n");
}

static void operators(void **state)
{
	kit_rules(SAYS_LOGIN(
		"{ path: /a, query.q: { prefix: ab, suffix: yz, contains: mm, regex: '^[a-z]+$', "
		"not: { in: [abmmyz] } } }"));
	holds("/a?q=abcmmxyz");
	holds_not("/a?q=abmmyz");
	holds_not("/a?q=abcxyz");
	holds_not("/a?q=abc1mmxyz");
	holds_not("/a");
	kit_rules(SAYS_LOGIN("{ path: '/a/{n}', path.n: { regex: '^[0-9]+$' } }"));
	holds("/a/17");
	holds_not("/a/b17");
	kit_rules(SAYS_LOGIN("{ path: /a, query.q: { exists: false } }"));
	holds("/a?p");
	holds_not("/a?q");
}

static void locations(void **state)
{
	static const char *const fits[] = { "/order/A1", "https://shop.example/order/A1?x=1",
					    "/order/A1#top", "//shop.example/order/A1" };

	kit_rules("rules:\n- name: a\n  say: purchase\n  when: { method: POST, path: /pay, "
		  "location: '/order/{n}' }\n"
		  "  take: { transaction_id: location.path.n, coupon: location.query.c, method: "
		  "location.host }\n");
	for (unsigned i = 0; i < 4; i++) {
		kit_request("POST", "/pay");
		kit_status(303, NULL);
		kit.t.location = slice_str(fits[i]);
		assert_memory_equal(kit_say(), "purchase order=A1", 17);
		assert_int_equal(strstr(kit.out.at, "method=shop.example") != NULL, i & 1);
	}
	kit_request("POST", "/checkout/pay"); /* not the path */
	kit_status(303, NULL);
	kit.t.location = SLICE("/order/A1");
	assert_string_equal(kit_say(), "");
	kit_request("POST", "/pay");
	kit_status(303, NULL);
	assert_string_equal(kit_say(), "");
	kit.t.location = SLICE("/cart");
	assert_string_equal(kit_say(), "");
	kit.t.location = SLICE("order/A1?c=GIFT%2010"); /* relative */
	assert_string_equal(kit_say(), "purchase order=A1 coupon=GIFT 10\n");
	kit_rules(SAYS_LOGIN(
		"{ path: /a, status: 302, location.host: { exists: true, not: shop.example } }"));
	kit_request("POST", "/a");
	kit_status(302, NULL);
	kit.t.location = SLICE("https://pay.example/x");
	assert_string_equal(kit_say(), "login\n");
	kit.t.location = SLICE("https://www.shop.example/x");
	assert_string_equal(kit_say(), "");
	kit.t.location = SLICE("/x");
	assert_string_equal(kit_say(), "");
}

static void sites(void **state)
{
	kit_rules("site: [shop.example, '*.shop.test']\n" SAYS_LOGIN("path: /a"));
	holds("/a");
	kit_request("GET", "/a");
	kit.t.server_name = kit.t.site = SLICE("other.example");
	kit_status(200, NULL);
	assert_string_equal(kit_say(), "");
	kit.t.site = SLICE("de.shop.test");
	assert_string_equal(kit_say(), "login\n");
	kit.t.site = (struct slice){ 0 };
	assert_string_equal(kit_say(), "");
	assert_int_equal(kit.undecided, 1);
	kit_rules("site: shop.example\n" SAYS_LOGIN(
		"{ path: /a, site: other.example, host: api.other.example }"));
	holds_not("/a");
	kit_request("GET", "/a");
	kit.t.site = SLICE("other.example");
	kit.t.server_name = SLICE("api.other.example");
	kit_status(200, NULL);
	assert_string_equal(kit_say(), "login\n");
}

static void navigations(void **state)
{
	kit_rules(SAYS_LOGIN("{ path: /a, navigation: true }"));
	kit_request("GET", "/a");
	kit_field(true, "sec-fetch-mode", "navigate");
	kit_field(true, "sec-fetch-dest", "document");
	kit_status(200, "text/html");
	assert_string_equal(kit_say(), "login\n");
	kit_request("GET", "/a");
	kit_field(true, "sec-fetch-mode", "cors");
	kit_field(true, "sec-fetch-dest", "empty");
	kit_status(200, "text/html");
	assert_string_equal(kit_say(), "");
	kit_rules(SAYS_LOGIN("{ path: /a, navigation: false }"));
	kit_request("GET", "/a");
	kit_field(true, "sec-fetch-mode", "cors");
	kit_field(true, "sec-fetch-dest", "empty");
	kit_status(200, "text/html");
	assert_string_equal(kit_say(), "login\n");
}

/* What was fetched ahead was shown to nobody. */
static void prefetches(void **state)
{
	kit_rules(SAYS_LOGIN("path: /a"));
	kit_request("GET", "/a");
	kit_field(true, "sec-purpose", "prefetch");
	kit_status(200, "text/html");
	assert_string_equal(kit_say(), "");
	assert_null(rules_wants(kit.rules, &kit.t, false));
}

static void first_of_a_kind(void **state)
{
	kit_rules("rules:\n"
		  "- { name: a, say: search, when: { path: /a }, take: { search_term: constant "
		  "first } }\n"
		  "- { name: b, say: search, when: { path: '/{x}' }, take: { search_term: constant "
		  "second } }\n"
		  "- { name: c, say: login, when: { query.l: { exists: true } } }\n"
		  "- { name: d, say: { own: one }, when: { path: /a } }\n"
		  "- { name: e, say: { own: two }, when: { path: /a } }\n"
		  "- { name: f, say: { own: one }, when: { path: { prefix: /a } } }\n");
	assert_string_equal(kit_get("/a?l"), "search term=first\nlogin\nown:one\nown:two\n");
	assert_int_equal(kit.overlapped, 2);
	assert_string_equal(kit_get("/b?l"), "search term=second\nlogin\n");
}

/* ---- contents ---- */

static const struct body_wants *wants(const char *method, const char *target, bool request)
{
	kit_request(method, target);
	if (!request)
		kit_status(200, "application/json");
	return rules_wants(kit.rules, &kit.t, request);
}

static void wanted_messages(void **state)
{
	kit_rules("rules:\n"
		  "- { name: a, say: add_to_cart, when: { method: POST, path: /cart/add }, take: { "
		  "item: { item_id: form id } } }\n"
		  "- { name: b, say: view_cart, when: { method: GET, path: /cart }, take: { value: "
		  "json $.v } }\n"
		  "- { name: c, say: login, when: { path: /login } }\n"
		  "- { name: d, say: { own: x }, when: { path: /cart, status: 404 }, take: { y: "
		  "json $.y } }\n");
	assert_non_null(wants("POST", "/cart/add", true));
	assert_null(wants("POST", "/cart/add", false));
	assert_null(wants("GET", "/cart/add", true));
	assert_non_null(wants("GET", "/cart", false));
	assert_null(wants("GET", "/cart", true));
	assert_null(wants("POST", "/login", false));
	assert_null(wants("GET", "/elsewhere", false));
	kit_request("GET", "/cart");
	kit_status(500, "application/json");
	assert_null(rules_wants(kit.rules, &kit.t, false));
	kit_request("GET", "/cart");
	kit_status(404, "application/json");
	assert_non_null(rules_wants(kit.rules, &kit.t, false));
}

/* Before the response has a head: by what the request says. */
static void responses_that_may_be_wanted(void **state)
{
	kit_rules("rules:\n"
		  "- { name: a, say: view_cart, when: { method: GET, path: /cart, status: 404, "
		  "query.x: '1', "
		  "header.x-a: b }, take: { value: json $.v } }\n"
		  "- { name: b, say: login, when: { method: POST, path: /login }, take: { method: "
		  "form m } }\n");
	assert_int_equal(rules_contents(kit.rules), TXN_REQUESTS | TXN_RESPONSES);
	kit_request("GET", "/cart?x=1");
	kit_field(true, "x-a", "b");
	assert_true(rules_may_want_response(kit.rules, &kit.t));
	kit_request("GET", "/cart?x=2");
	kit_field(true, "x-a", "b");
	assert_false(rules_may_want_response(kit.rules, &kit.t));
	kit_request("POST", "/cart?x=1");
	assert_false(rules_may_want_response(kit.rules, &kit.t));
	kit_request("POST", "/login");
	assert_false(rules_may_want_response(kit.rules, &kit.t));
	kit_rules(SAYS_LOGIN("path: /a"));
	assert_int_equal(rules_contents(kit.rules), 0);
}

/* Those that may hold of one message have one struct body_wants, and only those. */
static void groups(void **state)
{
	const struct body_wants *a, *b;

	kit_rules(
		"rules:\n"
		"- { name: a, say: view_item, when: { path: '/p/{x}' }, take: { value: json $.a } "
		"}\n"
		"- { name: b, say: login, when: { path: '/p/list' }, take: { method: json $.b } }\n"
		"- { name: c, say: search, when: { path: /s }, take: { search_term: json $.c } }\n"
		"- { name: d, say: sign_up, when: { method: POST, path: '/p/{x}' }, take: { "
		"method: json $.d } }\n");
	a = wants("GET", "/p/1", false);
	assert_non_null(a);
	assert_ptr_equal(wants("GET", "/p/list", false), a);
	assert_ptr_equal(wants("POST", "/p/1", false), a); /* rule a has no method */
	b = wants("GET", "/s", false);
	assert_non_null(b);
	assert_ptr_not_equal(a, b);
	/* one without a path joins them all */
	kit_rules(
		"rules:\n"
		"- { name: a, say: view_item, when: { path: '/p/{x}' }, take: { value: json $.a } "
		"}\n"
		"- { name: c, say: search, when: { path: /s }, take: { search_term: json $.c } }\n"
		"- { name: d, say: login, when: { query.x: a }, take: { method: json $.d } }\n");
	assert_ptr_equal(wants("GET", "/p/1", false), wants("GET", "/s", false));
	/* … even where it is that rule alone that may hold */
	assert_ptr_equal(wants("GET", "/z?x=a", false), wants("GET", "/s", false));
	assert_null(wants("GET", "/z", false));
}

static const char *posted(const char *json, size_t seen)
{
	kit_request("POST", "/api");
	kit_content_cut(true, "application/json", slice_str(json), seen);
	kit_status(200, "application/json");
	return kit_say();
}

/* A question is answered by what was seen; open, where the rest could have answered otherwise. */
static void conditions_on_contents(void **state)
{
	static const char json[] =
		"{\"a\":\"x\",\"b\":null,\"c\":[1,2],\"d\":true,\"pad\":\"....\",\"e\":5}";

	kit_rules(SAYS_LOGIN("{ path: /api, 'request json $.a': x, 'request json $.b': null, "
			     "'request json $.c[*]': '2', 'request json $.d': 'true' }"));
	assert_string_equal(posted(json, SIZE_MAX), "login\n");
	assert_string_equal(posted("{\"a\":\"x\"}", SIZE_MAX), "");
	assert_int_equal(kit.undecided, 0);
	assert_string_equal(posted(json, 12), "");
	assert_int_equal(kit.undecided, 1);
	kit_rules(SAYS_LOGIN("{ path: /api, 'request json $.e': { exists: false } }"));
	assert_string_equal(posted("{\"a\":1}", SIZE_MAX), "login\n");
	assert_string_equal(posted("{\"e\":null}", SIZE_MAX), "login\n");
	assert_string_equal(posted(json, SIZE_MAX), "");
	assert_string_equal(posted(json, 30), "");
	assert_int_equal(kit.undecided, 1);
	kit_rules(SAYS_LOGIN("{ path: /api, 'request json $.a': { not: y } }"));
	assert_string_equal(posted(json, SIZE_MAX), "login\n");
	assert_string_equal(posted(json, 5), "");
	/* not looked at: nothing is known */
	kit_request("POST", "/api");
	kit_status(200, NULL);
	assert_string_equal(kit_say(), "");
	assert_int_equal(kit.undecided, 1);
}

/* An array or object is there, but equals nothing. */
static void values_without_text(void **state)
{
	kit_rules(SAYS_LOGIN("{ path: /api, 'request json $.a': { exists: true, not: '' } }"));
	assert_string_equal(posted("{\"a\":{}}", SIZE_MAX), "login\n");
	assert_string_equal(posted("{\"a\":[]}", SIZE_MAX), "login\n");
	assert_string_equal(posted("{\"a\":\"\"}", SIZE_MAX), "");
	assert_string_equal(posted("{\"a\":null}", SIZE_MAX), "");
}

/* What other rules asked for has other numbers. */
static void readings_of_other_rules(void **state)
{
	kit_rules(SAYS_LOGIN("{ path: /api, 'request json $.a': x }"));
	kit_request("POST", "/api");
	kit_content(true, "application/json", "{\"a\":\"x\"}");
	kit_status(200, NULL);
	assert_string_equal(kit_say(), "login\n");
	kit.t.request.reading.wants = (const struct body_wants *)&kit;
	assert_string_equal(kit_say(), "");
	assert_int_equal(kit.undecided, 1);
}

/* While a transaction refers to wants of theirs, rules may not be freed. */
static void rules_that_are_in_use(void **state)
{
	const struct body_wants *w;

	kit_rules(SAYS_LOGIN("{ path: /api, 'request json $.a': x }"));
	w = wants("POST", "/api", true);
	assert_non_null(w);
	assert_false(rules_in_use(kit.rules));
	wants_hold(w);
	assert_true(rules_in_use(kit.rules));
	wants_release(w);
	assert_false(rules_in_use(kit.rules));
}

/* Each operation of a batch by itself: conditions and values of the same one. */
static void batches(void **state)
{
	kit_rules("rules:\n- name: a\n  say: add_to_cart\n  when: { path: /gql, graphql operation: "
		  "Add }\n"
		  "  take: { item: { item_id: graphql variable $.id }, value: graphql data $.total "
		  "}\n"
		  "- name: b\n  say: login\n  when: { path: /gql, graphql operation: In, graphql "
		  "data $.ok: 'true' }\n");
	kit_request("POST", "/gql");
	kit_content(true, "application/json",
		    "[{\"query\":\"query Q{x}\",\"operationName\":\"Q\",\"variables\":{\"id\":1}},"
		    "{\"query\":\"mutation "
		    "Add{x}\",\"operationName\":\"Add\",\"variables\":{\"id\":7}},"
		    "{\"query\":\"mutation In{x}\",\"operationName\":\"In\"}]");
	kit_status(200, "application/json");
	kit_content(false, "application/json",
		    "[{\"data\":{\"total\":1,\"ok\":true}},{\"data\":{\"total\":2.50}},{\"data\":{"
		    "\"ok\":false}}]");
	assert_string_equal(kit_say(), "add_to_cart value=250/2 [ id=7 ]\n");
	kit_request("POST", "/gql");
	kit_content(true, "application/json",
		    "{\"query\":\"mutation In{x}\",\"operationName\":\"In\"}");
	kit_status(200, "application/json");
	kit_content(false, "application/json", "{\"data\":{\"ok\":true}}");
	assert_string_equal(kit_say(), "login\n");
}

/* Rules of one address that are told apart by a text of the content: by a mark first. */
static void told_apart_by_a_text(void **state)
{
	kit_rules(
		"rules:\n"
		"- { name: a, say: { own: text }, when: { path: /api, 'request json $.a': x } }\n"
		"- { name: b, say: { own: number }, when: { path: /api, 'request json $.a': '5' } "
		"}\n"
		"- { name: c, say: { own: truth }, when: { path: /api, 'request json $.a': 'true' "
		"} }\n"
		"- { name: d, say: { own: nothing }, when: { path: /api, 'request json $.a': '' } "
		"}\n"
		"- { name: e, say: { own: other }, when: { path: /api, 'request json $.b': x } }\n"
		"- { name: f, say: { own: several }, when: { path: /api, 'request json $.c[*]': x "
		"} }\n");
	assert_string_equal(posted("{\"a\":\"x\"}", SIZE_MAX), "own:text\n");
	assert_string_equal(posted("{\"a\":5}", SIZE_MAX), "own:number\n");
	assert_string_equal(posted("{\"a\":true}", SIZE_MAX), "own:truth\n");
	assert_string_equal(posted("{\"a\":\"\"}", SIZE_MAX), "own:nothing\n");
	assert_string_equal(posted("{\"a\":null,\"b\":\"x\"}", SIZE_MAX), "own:other\n");
	assert_string_equal(posted("{\"a\":\"x\",\"b\":\"x\",\"c\":[1,2,\"x\"]}", SIZE_MAX),
			    "own:text\nown:other\nown:several\n");
	assert_string_equal(
		posted("{\"c\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,\"x\"]}", SIZE_MAX),
		"own:several\n");
	assert_string_equal(posted("{\"a\":\"x\",\"b\":\"x\"}", 9), "own:text flagged\n");
	assert_int_equal(kit.undecided, 5);
}

UNIT_MAIN(T(paths), T(deep_paths), T(methods_and_sides), T(statuses), T(types),
	  T(queries_and_fields), T(operators), T(locations), T(sites), T(navigations),
	  T(prefetches), T(first_of_a_kind), T(wanted_messages), T(responses_that_may_be_wanted),
	  T(groups), T(conditions_on_contents), T(values_without_text), T(readings_of_other_rules),
	  T(rules_that_are_in_use), T(batches), T(told_apart_by_a_text))
