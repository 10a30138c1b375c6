/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_rules_read.c: rule files, right and wrong. Each error has its place and says what to write instead;
 * all of a file are told.
 */
#include "rules_kit.h"

#define RULE(text) "rules:\n- name: a\n  when: { path: /a }\n  say: view_item\n" text
#define WHEN(text) "rules:\n- name: a\n  say: view_item\n  when:\n    " text "\n"
#define TAKE(text)                                                                                 \
	"rules:\n- name: a\n  say: view_item\n  when: { path: '/a/{slug}', location: "             \
	"'/o/{number}' }\n"                                                                        \
	"  take:\n    " text "\n"
#define OWN(text)                                                                                  \
	"rules:\n- name: a\n  say: { own: rated }\n  when: { path: /a }\n  take:\n    " text "\n"

/* A text, the place of its first error, and a piece of what is said of it. */
static const struct {
	const char *text;
	unsigned line, column;
	const char *says;
} wrong[] = {
	/* YAML */
	{ "", 0, 0, "nothing in it: expected `rules:`" },
	{ "# only a comment\n", 0, 0, "nothing in it" },
	{ "rules: [", 2, 1, "not valid YAML" },
	{ "rules:\n- name: a\n bad", 3, 2, "not valid YAML" },
	{ "rules: \"\xff\"", 0, 0, "no text in UTF-8" },
	{ "a: &x 1\nb: *x\n", 1, 4, "anchors (&name) are not supported" },
	{ "rules: *x\n", 1, 8, "aliases (*name) are not supported" },
	{ "rules: !!set {}\n", 1, 8, "tags (!name) are not supported" },
	{ "rules: []\n---\nrules: []\n", 2, 1, "a second document" },
	{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 1, 17, "more than 16 groups and lists" },
	{ "? [a]\n: b\n", 1, 3, "expected a key, found a list" },
	{ TAKE("value: html p #total"), 6, 12, "would be a comment" },
	{ TAKE("value: html p #total # the sum"), 6, 12, "would be a comment" },
	/* the top */
	{ "- a\n", 1, 1, "expected `rules:` and a list of rules, found a list" },
	{ "rule: []\n", 1, 1, "unknown key rule: did you mean rules?" },
	{ "site: shop.example\n", 1, 1, "no `rules:` and a list of rules" },
	{ "rules:\n", 1, 7, "expected a list of rules (- name: …), found nothing" },
	{ "rules: []\n", 1, 8, "found an empty list" },
	{ "site: https://shop.example/\n" RULE(""), 1, 7, "a name, not an address" },
	{ "amounts: { scale: 40 }\n" RULE(""), 1, 19, "how many of the digits are decimals" },
	{ "amounts: { currency: XYZ }\n" RULE(""), 1, 22, "no currency: XYZ" },
	{ "amounts: { currency: 'json $.c' }\n" RULE(""), 1, 22, "for a whole file only a code" },
	{ "amounts: { decimal: ';' }\n" RULE(""), 1, 21, "\".\" or \",\"" },
	{ "amounts: { scala: 2 }\n" RULE(""), 1, 12, "unknown key scala: did you mean scale?" },
	/* a rule */
	{ "rules:\n- a\n", 2, 3, "expected a rule: name, when, take, say, found a value" },
	{ "rules:\n- when: { path: /a }\n  say: view_item\n", 2, 3, "a rule has a name" },
	{ "rules:\n- name: a\n  say: view_item\n", 2, 3, "a rule is about something" },
	{ "rules:\n- name: a\n  when: { path: /a }\n", 2, 3, "a rule says something" },
	{ RULE("  wen: b\n"), 5, 3, "unknown key wen: did you mean when?" },
	{ RULE("  say: search\n"), 5, 3, "say: given twice, first in line 4" },
	{ RULE("- name: a\n  when: { path: /b }\n  say: search\n"), 5, 9, "a rule of this name" },
	{ "rules:\n- name: [a]\n  when: { path: /a }\n  say: login\n", 2, 9, "a name for people" },
	{ "rules:\n- name: a\n  when: { path: /a }\n  say: purchas\n", 4, 8,
	  "unknown event purchas: did you mean purchase?" },
	{ "rules:\n- name: a\n  when: { path: /a }\n  say: { own: Rated }\n", 4, 15,
	  "small letters" },
	{ "rules:\n- name: a\n  when: { path: /a }\n  say: { own: purchase }\n", 4, 15,
	  "write say: purchase" },
	{ "rules:\n- name: a\n  when: { path: /a }\n  say: { mine: x }\n", 4, 8, "or own:" },
	/* when */
	{ WHEN("pat: /a"), 5, 5, "unknown key pat: did you mean path?" },
	{ WHEN("path: a"), 5, 11, "a path begins with '/'" },
	{ WHEN("path: /a?b=1"), 5, 13, "the query is no part of the path" },
	{ WHEN("path: /a/%20"), 5, 14, "write the character itself" },
	{ WHEN("path: '/a/{x}{y}'"), 5, 18, "one {name} a segment" },
	{ WHEN("path: '/a/{x...}/b'"), 5, 15, "it must be the whole last segment" },
	{ WHEN("path: '/a/{x'"), 5, 15, "braces stand in pairs" },
	{ WHEN("path: '/a/{1}'"), 5, 16, "a name of letters" },
	{ WHEN("path: /a/**/b"), 5, 14, "it must be last" },
	{ WHEN("path: /a/b*"), 5, 15, "stands for a whole segment" },
	{ WHEN("path: /a//b"), 5, 14, "an empty segment" },
	{ WHEN("path: []"), 5, 11, "an empty list" },
	{ WHEN("method: post"), 5, 13, "written in capitals: POST" },
	{ WHEN("method: FETCH"), 5, 13, "unknown method FETCH" },
	{ WHEN("status: 99"), 5, 13, "no status: 99" },
	{ WHEN("status: 6xx"), 5, 13, "no status: 6xx" },
	{ WHEN("side: in"), 5, 11, "unknown side in" },
	{ WHEN("navigation: yes"), 5, 17, "expected true or false" },
	{ WHEN("query.a: { equal: b }"), 5, 16, "unknown operator equal: did you mean equals?" },
	{ WHEN("query.a: { in: b }"), 5, 20, "expected a list" },
	{ WHEN("query.a: []"), 5, 14, "an empty list holds of nothing" },
	{ WHEN("query.a: { exists: maybe }"), 5, 24, "expected true or false" },
	{ WHEN("query.a: { regex: '(a' }"), 5, 26, "no regular expression: missing" },
	{ WHEN("query.a: { regex: '"
	       "(((((a{1,1000}){1,1000}){1,1000}){1,1000}){1,1000})"
	       "' }"),
	  5, 0, "no regular expression" },
	{ WHEN("path.slug: a"), 5, 10, "no {slug} in the rule's path, which has no {names}" },
	{ WHEN("cookie.cart: a"), 5, 12, "cookies are never copied" },
	{ WHEN("header.cookie: a"), 5, 12, "never copied" },
	{ WHEN("header.Authorization: a"), 5, 12, "never copied" },
	{ WHEN("header.x y: a"), 5, 12, "letters, digits" },
	{ WHEN("jsn $.a: b"), 5, 5, "no source: jsn $.a: did you mean json?" },
	{ WHEN("json a: b"), 5, 10, "a path begins with '$'" },
	{ WHEN("json $.a[-1]: b"), 5, 14, "an index from the end" },
	{ WHEN("graphql query: b"), 5, 13, "expected graphql operation" },
	{ WHEN("html p > b: c"), 5, 12, "only descendants are supported" },
	{ WHEN("constant a: a"), 5, 5, "nothing to ask of it" },
	{ WHEN("each.a: a"), 5, 5, "only below `items:`" },
	/* take */
	{ TAKE("valu: path.slug"), 6, 5, "unknown value valu: did you mean value?" },
	{ TAKE("item_id: path.slug"), 6, 5, "unknown value item_id" },
	{ TAKE("value: path.slog"), 6, 17, "no {slog} in the rule's path, which has {slug}" },
	{ TAKE("value: location.path.slug"), 6, 26, "which has {number}" },
	{ TAKE("value: location.port"), 6, 12, "expected location, location.host" },
	{ TAKE("value: []"), 6, 12, "an empty list" },
	{ TAKE("value: { scale: 2 }"), 6, 12, "expected `from`" },
	{ TAKE("value: { from: path.slug, scale: x }"), 6, 38, "minor: as many as" },
	{ TAKE("value: { from: path.slug, currency: EU }"), 6, 41, "no source: EU" },
	{ TAKE("value: { from: path.slug, type: text }"), 6, 37, "value is of type amount" },
	{ TAKE("value: { from: path.slug, pick: any }"), 6, 37, "unknown pick any" },
	{ TAKE("transaction_id: { from: path.slug, pick: sum }"), 6, 21, "sum is for amounts" },
	{ TAKE("value: { from: path.slug, match: '[' }"), 6, 40, "no regular expression" },
	{ TAKE("value: { from: path.slug, default: x }"), 6, 12, "expected a number such as 1" },
	{ TAKE("value: { from: path.slug, default: 1, required: true }"), 6, 12, "contradict" },
	{ TAKE("value: { form: path.slug }"), 6, 14, "unknown key form: did you mean from?" },
	{ TAKE("coupon: { from: path.slug, scale: 2 }"), 6, 13, "are for amounts" },
	{ TAKE("coupon: 'html #'"), 6, 20, "a name must stand here" },
	{ TAKE("coupon: constant"), 6, 21, "expected a text: constant EUR" },
	{ TAKE("item: { each: 'json $[*]' }"), 6, 13, "one `item` has no `each`" },
	{ TAKE("item: { where: { path.slug: a } }"), 6, 13, "chooses among `items`" },
	{ TAKE("items: { item_id: path.slug }"), 6, 5, "`each` says what" },
	{ TAKE("items: { each: path.slug }"), 6, 20, "something of which there are several" },
	{ TAKE("items: { each: 'json $.a' }"), 6, 20, "something of which there are several" },
	{ TAKE("items: { each: 'json $.a[*]', item_id: 'json $.b[*]' }"), 6, 44,
	  "must be below its each" },
	{ TAKE("items: { each: 'json $.a[*]', item_id: 'each.b[' }"), 6, 52,
	  "must stand in the brackets" },
	{ TAKE("items: { each: 'form a[*]', item_id: 'each.b' }"), 6, 47, "nothing below them" },
	{ TAKE("items: { each: 'json $.a[*]', item_id: each .b }"), 6, 48,
	  "a path goes on at once" },
	{ TAKE("items: { each: 'html tr', item_id: each.b }"), 6, 44,
	  "behind a blank: each .price" },
	{ TAKE("items: { each: 'json $.a[*]', prize: each.b }"), 6, 35, "did you mean price?" },
	{ TAKE("cart: { total: path.slug }"), 6, 13, "unknown value of a cart total" },
	{ TAKE("cart: { empty: true }"), 6, 20, "expected conditions" },
	{ OWN("9lives: query.a"), 6, 5, "begins with a letter" },
	{ OWN("stars: { from: query.a, type: float }"), 6, 35, "unknown type float" },
	{ OWN("stars: { from: query.a, scale: 2 }"), 6, 12, "write type: amount" },
};

static void each_error(void **state)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		unsigned line = 0, column = 0;
		char place[64];

		if (kit_compile(slice_str(wrong[i].text)) != -EINVAL)
			fail_msg("no error in\n%s", wrong[i].text);
		assert_int_equal(buf_add_byte(&kit.errors, 0), 0);
		sscanf(kit.errors.at, "shop.yaml:%u:%u", &line, &column);
		snprintf(place, sizeof(place), "%u:%u", line, column);
		if (line != wrong[i].line || (wrong[i].column && column != wrong[i].column) ||
		    !strstr(kit.errors.at, wrong[i].says))
			fail_msg("expected %u:%u %s, told\n%s of\n%s", wrong[i].line,
				 wrong[i].column, wrong[i].says, kit.errors.at, wrong[i].text);
		assert_null(kit.rules);
	}
}

static void all_errors_of_a_file(void **state)
{
	unsigned lines = 0;

	assert_int_equal(kit_compile(SLICE("rules:\n"
					   "- name: a\n"
					   "  when: { path: a, method: post, query.b: { is: c } }\n"
					   "  take: { valu: x, tax: y }\n"
					   "  say: nothing_of_this_kind\n"
					   "- nme: b\n")),
			 -EINVAL);
	for (size_t i = 0; i < kit.errors.len; i++)
		lines += kit.errors.at[i] == '\n';
	assert_int_equal(lines, 11);
}

static void errors_are_bounded(void **state)
{
	struct buf text;
	unsigned lines = 0;

	buf_init(&text, 1 << 20);
	buf_add_str(&text, "rules:\n");
	for (unsigned i = 0; i < 500; i++)
		buf_add_str(&text, "- x\n");
	assert_int_equal(kit_compile(buf_slice(&text)), -EINVAL);
	for (size_t i = 0; i < kit.errors.len; i++)
		lines += kit.errors.at[i] == '\n';
	assert_int_equal(lines, 101);
	buf_done(&text);
}

/* What a file has too much of. */
static void bounds(void **state)
{
	struct buf text;

	buf_init(&text, 4 << 20);
	buf_add_str(&text, "rules:\n");
	for (unsigned i = 0; i <= RULES_RULES_MAX; i++)
		buf_addf(&text, "- { name: r%u, when: { path: /a%u }, say: login }\n", i, i);
	assert_int_equal(kit_compile(buf_slice(&text)), -EINVAL);
	assert_non_null(strstr(kit.errors.at, "more than 1024 rules"));
	buf_clear(&text);
	buf_add_str(&text, "rules:\n- name: a\n  say: login\n  when:\n    path: /a\n");
	for (unsigned i = 0; i < 300; i++)
		buf_addf(&text, "    query.q%u: x\n", i);
	assert_int_equal(kit_compile(buf_slice(&text)), -EINVAL);
	assert_non_null(strstr(kit.errors.at, "more than 200 keys"));
	buf_clear(&text);
	for (unsigned i = 0; i < 120000; i++)
		buf_add_str(&text, i ? "- a\n" : "rules:\n");
	assert_int_equal(kit_compile(buf_slice(&text)), -EINVAL);
	assert_non_null(strstr(kit.errors.at, "more than 100000 values"));
	buf_clear(&text);
	buf_add_str(&text, "rules:\n- name: ");
	for (unsigned i = 0; i < 5000; i++)
		buf_add_str(&text, "x");
	assert_int_equal(kit_compile(buf_slice(&text)), -EINVAL);
	assert_non_null(strstr(kit.errors.at, "a text of more than 1024 octets"));
	buf_clear(&text);
	while (text.len <= RULES_TEXT_MAX)
		buf_add_str(&text, "# nothing, and very often\n");
	assert_int_equal(kit_compile(buf_slice(&text)), -EINVAL);
	assert_non_null(strstr(kit.errors.at, "more than 1048576 octets"));
	buf_clear(&text);
	buf_add_str(&text, "rules:\n- name: a\n  say: { own: x }\n  when: { path: /a }\n  take:\n");
	for (unsigned i = 0; i < 70; i++)
		buf_addf(&text, "    v%u: header.x-f%u\n", i, i);
	assert_int_equal(kit_compile(buf_slice(&text)), -EINVAL);
	assert_non_null(strstr(kit.errors.at, "more than 64 header fields"));
	buf_done(&text);
}

/* Rules that may hold of one request want more together than a reader can look for. */
static void too_many_wants(void **state)
{
	struct buf text;

	buf_init(&text, 4 << 20);
	buf_add_str(&text, "rules:\n");
	for (unsigned i = 0; i < 200; i++) {
		buf_addf(&text,
			 "- name: r%u\n  when: { path: /api }\n  say: { own: x%u }\n  take:\n", i,
			 i);
		for (unsigned k = 0; k < 10; k++)
			buf_addf(&text, "    v%u: json $.a%u.b%u\n", k, i, k);
	}
	assert_int_equal(kit_compile(buf_slice(&text)), -EINVAL);
	assert_non_null(strstr(kit.errors.at, "shop.yaml:2:"));
	assert_non_null(strstr(kit.errors.at, "this rule and 199 others may hold of one request"));
	buf_done(&text);
}

static void names_in_several_files(void **state)
{
	struct rules_builder *b;
	struct rules *r;
	unsigned line;

	kit_begin();
	assert_int_equal(rules_begin(&b), 0);
	assert_int_equal(rules_add(b, "a.yaml", SLICE(RULE("")), kit_error, NULL), 0);
	assert_int_equal(
		rules_add(b, "b.yaml",
			  SLICE("rules:\n\n- { name: b, say: login, when: { path: /b } }\n"),
			  kit_error, NULL),
		0);
	assert_int_equal(rules_end(b, kit_error, NULL, &r), 0);
	assert_int_equal(rules_count(r), 2);
	assert_string_equal(rules_name(r, 1), "b");
	assert_string_equal(rules_place(r, 1, &line), "b.yaml");
	assert_int_equal(line, 3);
	rules_free(r);
	assert_int_equal(rules_begin(&b), 0);
	assert_int_equal(rules_add(b, "a.yaml", SLICE(RULE("")), kit_error, NULL), 0);
	assert_int_equal(rules_add(b, "b.yaml", SLICE(RULE("")), kit_error, NULL), -EINVAL);
	assert_non_null(
		strstr(kit.errors.at, "b.yaml:2:9: a rule of this name stands in a.yaml:2"));
	assert_int_equal(rules_end(b, kit_error, NULL, &r), -EINVAL);
}

static void none_at_all(void **state)
{
	struct rules_builder *b;

	kit_begin();
	assert_int_equal(rules_begin(&b), 0);
	assert_int_equal(rules_end(b, kit_error, NULL, &kit.rules), 0);
	assert_int_equal(rules_count(kit.rules), 0);
	assert_string_equal(kit_get("/"), "");
	rules_free(NULL);
	rules_builder_free(NULL);
}

static void fields_that_are_asked_for(void **state)
{
	const struct slice *names;
	uint32_t count;

	kit_rules("rules:\n- name: a\n  say: login\n  when: { header.X-Requested-With: a, "
		  "response.header.x-cart: b }\n"
		  "  take: { method: header.x-requested-with, coupon: query.c }\n");
	names = rules_fields(kit.rules, &count);
	assert_int_equal(count, 2);
	assert_slice(names[0], "x-cart");
	assert_slice(names[1], "x-requested-with");
}

static void names_of_events(void **state)
{
	enum say say;

	for (unsigned i = 0; i < SAYS; i++) {
		if (i == SAY_OWN) {
			assert_null(say_name(SAY_OWN));
			continue;
		}
		assert_true(say_of(slice_str(say_name((enum say)i)), &say));
		assert_int_equal(say, i);
	}
	assert_true(say_of(SLICE("cart_refused"), &say));
	assert_int_equal(say, SAY_CART_REFUSED);
	assert_false(say_of(SLICE("parcours.purchase"), &say));
	assert_false(say_of(SLICE(""), &say));
	assert_string_equal(tax_basis_name(TAX_INCLUDED), "incl");
}

/* Cut anywhere, no file does harm, and one that is refused told why. */
static void cut_anywhere(void **state)
{
	static const char text[] =
		"site: [shop.example]\namounts: { currency: EUR }\nrules:\n- name: a\n  when:\n"
		"    path: ['/a/{b}', '/{c}/**']\n    json $.x[*]: { not: { in: [a, null] } }\n"
		"  take:\n    items:\n      each: html table tr\n      price: each td @v\n  say: "
		"view_cart\n";

	for (size_t i = 0; i < sizeof(text); i++)
		if (kit_compile(slice_of(text, i)))
			assert_true(kit.errors.len > 0);
	assert_int_equal(kit.errors.len, 0);
}

UNIT_MAIN(T(each_error), T(all_errors_of_a_file), T(errors_are_bounded), T(bounds),
	  T(too_many_wants), T(names_in_several_files), T(none_at_all),
	  T(fields_that_are_asked_for), T(names_of_events), T(cut_anywhere))
