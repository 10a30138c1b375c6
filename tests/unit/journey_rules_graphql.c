/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_rules_graphql.c: values of an answer of GraphQL by the fields' own names, whatever the operation calls
 * them: aliases, fragments, inline fragments, several of them; and what cannot be told is not taken.
 */
#include "rules_kit.h"

#define RULES                                                                                      \
	"rules:\n- name: a\n  say: view_cart\n  when: { path: /g, \"graphql data $.cart.*\": { "   \
	"exists: true } }\n  take: { value: graphql data $.cart.total, reason: graphql data "      \
	"$.cart.lines.first.name, cart: { value: graphql data $.cart.goods } }\n"

static const char *asked_cut(const char *request, size_t seen, const char *answer)
{
	kit_request("POST", "/g");
	kit_content_cut(true, "application/json", slice_str(request), seen);
	kit_status(200, "application/json");
	kit_content(false, "application/json", answer);
	return kit_say();
}

/* A document without quotes in it. */
static const char *asked(const char *document, const char *answer)
{
	static char request[1 << 17];

	snprintf(request, sizeof(request), "{\"query\":\"%s\"}", document);
	return asked_cut(request, SIZE_MAX, answer);
}

static void names_of_other_fields(void **state)
{
	kit_rules(RULES);
	assert_string_equal(
		asked("{cart{total goods}}", "{\"data\":{\"cart\":{\"total\":3,\"goods\":2}}}"),
		"view_cart value=3/0 cart( value=2/0 )\n");
	assert_string_equal(asked("{x:cart{sum:total total:goods goods:net}}",
				  "{\"data\":{\"x\":{\"sum\":3,\"total\":2,\"goods\":1}}}"),
			    "view_cart value=3/0 cart( value=2/0 )\n");
	assert_string_equal(asked("{ cart : other { total } x : cart { total : goods } }",
				  "{\"data\":{\"cart\":{\"total\":9},\"x\":{\"total\":2}}}"),
			    "view_cart cart( value=2/0 )\n");
	/* equal names elsewhere say nothing of these */
	assert_string_equal(asked("{other{total:goods goods:total} cart{total goods}}",
				  "{\"data\":{\"other\":{\"total\":8,\"goods\":9},\"cart\":{"
				  "\"total\":3,\"goods\":2}}}"),
			    "view_cart value=3/0 cart( value=2/0 )\n");
	/* an alias that is the name */
	assert_string_equal(asked("{cart:cart{total:total goods:goods}}",
				  "{\"data\":{\"cart\":{\"total\":3,\"goods\":2}}}"),
			    "view_cart value=3/0 cart( value=2/0 )\n");
}

static void fragments(void **state)
{
	static const char answer[] =
		"{\"data\":{\"c\":{\"t\":3,\"total\":2,\"l\":[{\"f\":{\"n\":\"tea\"}}]}}}";
	static const char expected[] = "view_cart reason=tea value=3/0 cart( value=2/0 )\n";

	kit_rules("rules:\n- name: a\n  say: view_cart\n  when: { path: /g, \"graphql data "
		  "$.cart.*\": { exists: "
		  "true } }\n  take: { value: graphql data $.cart.total, reason: \"graphql data "
		  "$.cart.lines[*].first.name\", cart: { value: graphql data $.cart.goods } }\n");
	assert_string_equal(
		asked("query Q($a:In={b:{c:[1]}}){c:cart{...F}} fragment F on Cart{t:total ...G} "
		      "fragment G on Cart{total:goods l:lines{...L}} fragment L on "
		      "Line{f:first{n:name}}",
		      answer),
		expected);
	assert_string_equal(asked("fragment F on Cart { t:total } query Q { c:cart { ...on Cart { "
				  "...F total:goods } "
				  "... { l:lines { f:first { n:name } } } } }",
				  answer),
			    expected);
	assert_string_equal(
		asked("query Q @live { c:cart(id:5,w:{a:\\\"} { x:y\\\",b:[{c:$d}]}) "
		      "@include(if:$a) { "
		      "... @skip(if: $b) { t:total } ...F @include(if:$c) l:lines { f:first { "
		      "n:name } } } "
		      "# x:y {\\n} fragment F on Cart @a(b: {c: d}) { total:goods t:total }",
		      answer),
		expected);
}

static void several_of_one(void **state)
{
	static const char two[] = "{\"data\":{\"a\":{\"total\":1},\"b\":{\"total\":2}}}";

	kit_rules(RULES);
	/* which of them is meant? */
	assert_string_equal(asked("{a:cart(id:1){total} b:cart(id:2){total}}", two), "");
	/* the fields of a mutation are done one after the other */
	assert_string_equal(asked("mutation M{a:cart(id:1){total} b:cart(id:2){total}}", two),
			    "view_cart value=2/0\n");
	assert_string_equal(asked("{cart{total} b:cart(id:2){total}}",
				  "{\"data\":{\"cart\":{\"total\":1},\"b\":{\"total\":2}}}"),
			    "view_cart value=1/0\n");
	assert_string_equal(asked("{cart{a:total b:total(in:USD) goods}}",
				  "{\"data\":{\"cart\":{\"a\":1,\"b\":2,\"goods\":3}}}"),
			    "view_cart cart( value=3/0 )\n");
	/* the same by two ways is one */
	assert_string_equal(asked("{cart{...F a:total} cart{a:total}} fragment F on C{a:total}",
				  "{\"data\":{\"cart\":{\"a\":1}}}"),
			    "view_cart value=1/0\n");
	/* of two types */
	assert_string_equal(asked("{cart{...on A{x:total} ...on B{x:goods} goods}}",
				  "{\"data\":{\"cart\":{\"x\":1,\"goods\":3}}}"),
			    "view_cart cart( value=3/0 )\n");
	assert_string_equal(asked("{cart{...on A{total} ...on B{total:goods}}}",
				  "{\"data\":{\"cart\":{\"total\":1}}}"),
			    "view_cart\n");
}

/* Nothing is taken of what is not known. */
static void not_known(void **state)
{
	static const char answer[] = "{\"data\":{\"cart\":{\"total\":1}}}",
			  request[] = "{\"query\":\"{cart{total:goods}}\"}";
	static char long_one[1 << 16];
	size_t n;

	kit_rules(RULES);
	for (size_t seen = 0; seen < sizeof(request) - 2; seen++) {
		assert_string_equal(asked_cut(request, seen, answer), "");
		assert_int_equal(kit.undecided, 1);
	}
	assert_string_equal(asked_cut(request, SIZE_MAX, answer), "view_cart cart( value=1/0 )\n");
	assert_string_equal(asked("{cart{...F}} fragment F on C{total:goods ...F}", answer), "");
	assert_string_equal(
		asked("{cart{...F}} fragment F on C{total:goods ...G} fragment G on C{...F}",
		      answer),
		"");
	n = (size_t)snprintf(long_one, sizeof(long_one), "{cart{total:goods");
	for (unsigned i = 0; i < 800; i++)
		n += (size_t)snprintf(long_one + n, sizeof(long_one) - n, " f%u", i);
	snprintf(long_one + n, sizeof(long_one) - n, "}}");
	assert_string_equal(asked(long_one, answer), "");
	n = 0;
	for (unsigned i = 0; i < 40; i++)
		n += (size_t)snprintf(long_one + n, sizeof(long_one) - n, "{f:g");
	for (unsigned i = 0; i < 40; i++)
		n += (size_t)snprintf(long_one + n, sizeof(long_one) - n, "}");
	assert_string_equal(asked(long_one, answer), "");
	/* each of twenty fragments spreads the next one twice */
	n = (size_t)snprintf(long_one, sizeof(long_one), "{cart{total:goods ...F0}}");
	for (unsigned i = 0; i < 20; i++)
		n += (size_t)snprintf(long_one + n, sizeof(long_one) - n,
				      " fragment F%u on C{a%u{...F%u} b%u{...F%u}}", i, i, i + 1, i,
				      i + 1);
	snprintf(long_one + n, sizeof(long_one) - n, " fragment F20 on C{x}");
	assert_string_equal(asked(long_one, answer), "");
	/* wide ones within each other: few nodes, but millions of fields to look at */
	n = (size_t)snprintf(long_one, sizeof(long_one), "{cart{total:goods");
	for (unsigned i = 0; i < 80; i++)
		n += (size_t)snprintf(long_one + n, sizeof(long_one) - n, " ...A");
	n += (size_t)snprintf(long_one + n, sizeof(long_one) - n, "}} fragment A on C{");
	for (unsigned i = 0; i < 80; i++)
		n += (size_t)snprintf(long_one + n, sizeof(long_one) - n, " ...B");
	n += (size_t)snprintf(long_one + n, sizeof(long_one) - n, "} fragment B on C{");
	for (unsigned i = 0; i < 400; i++)
		n += (size_t)snprintf(long_one + n, sizeof(long_one) - n, " f%u", i);
	snprintf(long_one + n, sizeof(long_one) - n, "}");
	assert_string_equal(asked(long_one, answer), "");
	/* of several operations none is chosen */
	assert_string_equal(asked("query A{cart{total:goods}} query B{cart{total}}", answer), "");
	/* which text a hash stands for is not in the request */
	assert_string_equal(
		asked_cut("{\"extensions\":{\"persistedQuery\":{\"sha256Hash\":\"aa\"}}}", SIZE_MAX,
			  answer),
		"view_cart value=1/0\n");
}

static void one_of_several_operations(void **state)
{
	static const char answer[] = "{\"data\":{\"cart\":{\"total\":1}}}";

	kit_rules(RULES);
	assert_string_equal(
		asked_cut("{\"operationName\":\"B\",\"query\":\"query A{cart{total:goods}} query "
			  "B{cart{total}}\"}",
			  SIZE_MAX, answer),
		"view_cart value=1/0\n");
	assert_string_equal(
		asked_cut("{\"query\":\"query A{cart{total:goods}} query B{cart{total}}\","
			  "\"operationName\":\"A\"}",
			  SIZE_MAX, answer),
		"view_cart cart( value=1/0 )\n");
}

static void a_batch(void **state)
{
	kit_rules("rules:\n- name: a\n  say: view_cart\n  when: { path: /g, graphql data $.is: B "
		  "}\n  take: { value: "
		  "graphql data $.cart.total }\n");
	assert_string_equal(
		asked_cut("[{\"query\":\"{is:id cart{total:goods}}\"},{\"query\":\"{x:is "
			  "cart{goods:total}}\"}]",
			  SIZE_MAX,
			  "[{\"data\":{\"is\":\"B\",\"cart\":{\"total\":1}}},{\"data\":{\"x\":"
			  "\"B\",\"cart\":{"
			  "\"goods\":2}}}]"),
		"view_cart value=2/0\n");
}

static void by_a_form(void **state)
{
	kit_rules(RULES);
	kit_request("POST", "/g");
	kit_content(true, "application/x-www-form-urlencoded",
		    "variables=%7B%7D&query=%7Bcart%7Btotal%3Agoods%20goods%3atotal%7D%7D");
	kit_status(200, "application/json");
	kit_content(false, "application/json", "{\"data\":{\"cart\":{\"total\":1,\"goods\":2}}}");
	assert_string_equal(kit_say(), "view_cart value=2/0 cart( value=1/0 )\n");
}

UNIT_MAIN(T(names_of_other_fields), T(fragments), T(several_of_one), T(not_known),
	  T(one_of_several_operations), T(a_batch), T(by_a_form))
