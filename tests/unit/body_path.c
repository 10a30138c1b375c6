/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_path.c: JSON paths (RFC 9535): what is understood, what is refused and with which words, what each
 * finds and with which indices, and a hundred of them at once against a slow reading of the standard.
 */
#include "body_kit.h"

static const char shop[] = "{\"order\":{\"code\":\"A1\",\"lines\":[{\"sku\":\"x\",\"qty\":2,"
			   "\"price\":{\"value\":\"10.00\"}},"
			   "{\"sku\":\"y\",\"qty\":1,\"price\":{\"value\":\"5.50\"},\"options\":[{"
			   "\"sku\":\"z\"},{\"sku\":\"w\"}]}],"
			   "\"total\":{\"value\":25.5}},\"0\":\"zero\",\"a b\":1}";

static void names_indices_and_wildcards(void **state)
{
	KIT_WANTS(JSON_PATH("$.order.code"), JSON_PATH("$.order.lines[1].sku"),
		  JSON_PATH("$.order.lines[*].sku"), JSON_PATH("$['order']['lines'][ 0 ].qty"),
		  JSON_PATH("$[\"a b\"]"), JSON_PATH("$.order.*.value"), JSON_PATH("$['0']"),
		  JSON_PATH("$[0]"), JSON_PATH("$.order.lines[*].options[*].sku"));
	kit_json(SLICE(shop), 0,
		 "0 text A1\n2 text x\n3 number 2\n1 text y\n2 text @1 y\n8 text @1 z\n8 text @1,1 "
		 "w\n"
		 "5 number @2 25.5\n6 text zero\n4 number 1\n");
}

static void descendants(void **state)
{
	KIT_WANTS(JSON_PATH("$..sku"), JSON_PATH("$..lines[*].sku"), JSON_PATH("$..lines[*].qty"),
		  JSON_PATH("$..price.value"), JSON_PATH("$.order..[1].sku"));
	/* objects and arrays in order: 0 whole, 1 order, 2 lines, 3 its first, 4 price, 5 its second … */
	kit_json(SLICE(shop), 0,
		 "0 text @3 x\n1 text @1 x\n2 number @1 2\n3 text @3 10.00\n0 text @5 y\n1 text "
		 "@1,1 y\n"
		 "4 text @2 y\n2 number @1,1 1\n3 text @5 5.50\n0 text @8 z\n0 text @9 w\n4 text "
		 "@7 w\n");
	/* one value, found in two ways: once, the innermost way */
	KIT_WANTS(JSON_PATH("$..a..b"), JSON_PATH("$..*"));
	kit_json(SLICE("{\"a\":{\"a\":{\"b\":1}}}"), 0,
		 "1 object\n1 object @1\n0 number @1,2 1\n1 number @2 1\n");
}

static void fields_of_a_line_can_be_joined(void **state)
{
	KIT_WANTS(JSON_PATH("$.carts[*].lines[*].id"), JSON_PATH("$.carts[*].lines[*].price"));
	kit_json(SLICE("{\"carts\":[{\"lines\":[{\"id\":1,\"price\":2},{\"price\":4,\"id\":3}]},"
		       "{\"lines\":[{\"id\":5}]}]}"),
		 0, "0 number 1\n1 number 2\n1 number @0,1 4\n0 number @0,1 3\n0 number @1 5\n");
}

static void what_is_refused_and_why(void **state)
{
	static const struct {
		const char *path;
		unsigned place;
		const char *words;
	} cases[] = {
		{ "", 0, "begins with '$'" },
		{ "order.code", 0, "begins with '$'" },
		{ "$order", 1, "'.' or '['" },
		{ "$.", 2, "must follow" },
		{ "$..", 3, "must follow" },
		{ "$...a", 3, "must follow" },
		{ "$.a.", 4, "must follow" },
		{ "$.0a", 2, "digit" },
		{ "$.add-to-cart", 2, "['add-to-cart']" },
		{ "$.a ", 3, "blanks" },
		{ "$[-1]", 2, "from the end" },
		{ "$[01]", 2, "zeros" },
		{ "$[4294967295]", 2, "too large" },
		{ "$[99999999999999999999]", 2, "too large" },
		{ "$[0:2]", 3, "slices" },
		{ "$[:2]", 2, "slices" },
		{ "$[0,1]", 3, "a path for each" },
		{ "$['a','b']", 5, "a path for each" },
		{ "$[?@.a==1]", 2, "filters" },
		{ "$[?(@.a)]", 2, "filters" },
		{ "$[a]", 2, "in quotes" },
		{ "$[]", 2, "in quotes" },
		{ "$[0", 1, "not closed" },
		{ "$['a]", 2, "closing quote" },
		{ "$['']", 2, "empty name" },
		{ "$['\\q']", 3, "escape" },
		{ "$['\\u12']", 5, "four hexadecimal" },
		{ "$['\\ud800']", 3, "surrogate" },
		{ "$['\\udc00']", 3, "surrogate" },
		{ "$['\\ud800\\u0041']", 3, "surrogate" },
		{ "$.length()", 2, "functions" },
		{ "$[*][*][*][*][*]", 13, "four wildcards" },
		{ "$.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.A.B.C.D.E.F.G", 65,
		  "32 steps" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct body_want list[2] = { JSON_PATH("$.fine"),
						   { .source = BODY_JSON,
						     .path = slice_str(cases[i].path) } };
		struct body_wants *wants = NULL;
		struct body_error error;

		assert_int_equal(wants_new(list, 2, &error, &wants), -EINVAL);
		assert_null(wants);
		assert_int_equal(error.want, 1);
		if (!strstr(error.text, cases[i].words) || error.place != cases[i].place)
			fail_msg("%s: at %u: %s", cases[i].path, error.place, error.text);
	}
}

static void escapes_in_names(void **state)
{
	KIT_WANTS(JSON_PATH("$['it\\'s']"), JSON_PATH("$[\"\\u20ac\"]"),
		  JSON_PATH("$['\\ud83d\\ude00']"), JSON_PATH("$['\\\\\\/\\b\\f\\n\\r\\t']"),
		  JSON_PATH("$ .a [ 'b' ]\n.c"));
	kit_json(SLICE("{\"it's\":1,\"\xe2\x82\xac\":2,\"\xf0\x9f\x98\x80\":3,\"\\\\/"
		       "\\b\\f\\n\\r\\t\":4,"
		       "\"a\":{\"b\":{\"c\":5}}}"),
		 0, "0 number 1\n1 number 2\n2 number 3\n3 number 4\n4 number 5\n");
}

static void too_many_of_them(void **state)
{
	struct body_want *list = calloc(WANTS_MAX + 1, sizeof(*list));
	const struct body_sink sink = { NULL, kit_taken };
	struct body_wants *wants = NULL;
	struct body_error error;
	struct body_kind kind = JSON_KIND;
	struct body *b;

	for (unsigned i = 0; i <= WANTS_MAX; i++)
		list[i] = (struct body_want)JSON_PATH("$.a.b");
	assert_int_equal(wants_new(list, WANTS_MAX + 1, &error, &wants), -E2BIG);
	assert_int_equal(wants_new(list, 1400, &error, &wants), 0);
	assert_int_equal(wants_steps(wants), 4200);
	kit_limits(&body_limits_default);
	assert_int_equal(body_open(kit.all, &kind, wants, &sink, &b), -E2BIG);
	wants_free(wants);
	free(list);
}

/* ---- a hundred at once, against one at a time ---- */

#define PATHS	 100
#define DOCUMENT 4000

static const char *const words[] = { "a", "b", "id", "price", "lines", "\xc3\xa9" };

static void random_path(char *text, size_t room)
{
	int n = snprintf(text, room, "$"), steps = 1 + (int)(random() % 4);

	for (int i = 0; i < steps; i++) {
		const char *word = words[random() % 6];
		size_t left = room - (size_t)n;

		switch (random() % 6) {
		case 0:
			n += snprintf(text + n, left, "[*]");
			break;
		case 1:
			n += snprintf(text + n, left, "[%ld]", random() % 3);
			break;
		case 2:
			n += snprintf(text + n, left, i % 2 ? ".*" : "..%s", word);
			break;
		default:
			n += snprintf(text + n, left, ".%s", word);
		}
	}
}

static void random_value(struct buf *out, unsigned depth)
{
	unsigned kind = (unsigned)random() % (depth > 5 ? 4 : 8), count = (unsigned)random() % 4;

	if (out->len > DOCUMENT)
		kind %= 4;
	if (kind == 0)
		buf_add_str(out, random() % 2 ? "true" : "null");
	else if (kind < 3)
		buf_addf(out, "%ld", random() % 1000);
	else if (kind == 3)
		buf_addf(out, "\"t\\u00e9%ld\"", random() % 100);
	else if (kind < 6) {
		buf_add_str(out, "{ ");
		for (unsigned i = 0; i < count; i++) {
			buf_addf(out, "%s\"%s\":", i ? ", " : "", words[random() % 6]);
			random_value(out, depth + 1);
		}
		buf_add_str(out, "}");
	} else {
		buf_add_str(out, "[");
		for (unsigned i = 0; i < count; i++) {
			buf_add_str(out, i ? "," : "");
			random_value(out, depth + 1);
		}
		buf_add_str(out, " ]");
	}
}

static struct buf per_want[PATHS];

static void sort_taken(void *ctx, const struct taken *v)
{
	struct buf *out = &per_want[v->want + *(uint32_t *)ctx];

	buf_addf(out, "%d %u,%u,%u,%u ", v->kind, v->index[0], v->index[1], v->index[2],
		 v->index[3]);
	buf_add(out, v->text);
	buf_add(out, SLICE("\n"));
}

static void read_with(const struct body_want *list, uint32_t count, uint32_t first,
		      struct slice text, size_t piece)
{
	const struct body_sink sink = { &first, sort_taken };
	struct body_kind kind = JSON_KIND;
	struct body_result result;
	struct body *b;

	kit_wants(list, count);
	assert_int_equal(body_open(kit.all, &kind, kit.wants, &sink, &b), 0);
	for (size_t at = 0; at < text.len; at += piece)
		body_push(b, slice_sub(text, at, at + piece));
	body_end(b, &result);
	assert_int_equal(result.flags, 0);
}

static void a_hundred_at_once_find_what_each_finds_alone(void **state)
{
	static char paths[PATHS][128];
	struct body_want list[PATHS];
	struct buf text, together[PATHS];
	size_t found = 0;

	srandom(7);
	buf_init(&text, 1 << 20);
	for (unsigned i = 0; i < PATHS; i++) {
		buf_init(&per_want[i], 16 << 20);
		buf_init(&together[i], 16 << 20);
	}
	for (unsigned round = 0; round < 60; round++) {
		for (unsigned i = 0; i < PATHS; i++) {
			random_path(paths[i], sizeof(paths[i]));
			list[i] = (struct body_want){ .source = BODY_JSON,
						      .path = slice_str(paths[i]) };
			buf_clear(&per_want[i]);
			buf_clear(&together[i]);
		}
		buf_clear(&text);
		buf_add_str(&text, "{\"lines\":[");
		random_value(&text, 0);
		buf_add_str(&text, ",");
		random_value(&text, 0);
		buf_add_str(&text, "],\"a\":");
		random_value(&text, 0);
		buf_add_str(&text, "}");
		read_with(list, PATHS, 0, buf_slice(&text), text.len);
		for (unsigned i = 0; i < PATHS; i++) {
			buf_add(&together[i], buf_slice(&per_want[i]));
			buf_clear(&per_want[i]);
			read_with(&list[i], 1, i, buf_slice(&text), 1 + (size_t)random() % 50);
			kit_same(buf_slice(&together[i]), buf_slice(&per_want[i]), paths[i]);
			found += per_want[i].len;
		}
	}
	assert_true(found > 10000);
	for (unsigned i = 0; i < PATHS; i++) {
		buf_done(&per_want[i]);
		buf_done(&together[i]);
	}
	buf_done(&text);
}

KIT_MAIN(T(names_indices_and_wildcards), T(descendants), T(fields_of_a_line_can_be_joined),
	 T(what_is_refused_and_why), T(escapes_in_names), T(too_many_of_them),
	 T(a_hundred_at_once_find_what_each_finds_alone))
