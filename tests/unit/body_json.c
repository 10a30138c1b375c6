/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_json.c: the JSON reader: RFC 8259's grammar, what is no JSON, text, bounds, and that a cut changes
 * nothing. Paths: body_path.c.
 */
#include "body_kit.h"

#include "txn/body/json/json_scan.h"

static void every_kind_of_value(void **state)
{
	KIT_WANTS(JSON_PATH("$"), JSON_PATH("$.t"), JSON_PATH("$.n"), JSON_PATH("$.y"),
		  JSON_PATH("$.f"), JSON_PATH("$.z"), JSON_PATH("$.o"), JSON_PATH("$.a"));
	kit_json(
		SLICE(" {\"t\" : \"text\",\"n\":-12.50e+3,\r\n\t\"y\":true,\"f\":false,\"z\":null, "
		      "\"o\":{ },\"a\":[ ] } \n"),
		0,
		"0 object\n1 text text\n2 number -12.50e+3\n3 true\n4 false\n5 null\n6 object\n7 "
		"array\n");
	kit_json(SLICE("12"), 0, "0 number 12\n");
	kit_json(SLICE("\"\""), 0, "0 text \n");
	kit_json(SLICE("true"), 0, "0 true\n");
	kit_json(SLICE("[{},[],[[]]]"), 0, "0 array\n");
	kit_json(SLICE(""), 0, "");
}

static void numbers_as_written(void **state)
{
	static const char *const good[] = { "0",     "-0",
					    "1E400", "-1.0e-7",
					    "10",    "0.30",
					    "0e0",   "123456789012345678901234567890.123456789" };
	static const char *const bad[] = { "01",  "-",	      "+1",	   ".5",   "1.",
					   "1e",  "1e+",      "--1",	   "0x10", "1.e3",
					   "NaN", "Infinity", "-Infinity", "1_000" };
	char text[100], expected[100];

	KIT_WANTS(JSON_PATH("$[*]"));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(text, sizeof(text), "[%s]", good[i]);
		snprintf(expected, sizeof(expected), "0 number %s\n", good[i]);
		kit_json(slice_str(text), 0, expected);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "[true,%s]", bad[i]);
		kit_json(slice_str(text), FLAG(MALFORMED), "0 true\n");
	}
	kit_json(SLICE("[true,truex]"), FLAG(MALFORMED), "0 true\n");
	kit_json(SLICE("[true,1\"\"]"), FLAG(MALFORMED), "0 true\n");
	kit_json(SLICE("[true,null{}]"), FLAG(MALFORMED), "0 true\n");
}

static void escapes_and_surrogates(void **state)
{
	KIT_WANTS(JSON_PATH("$[*]"));
	kit_json(SLICE("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"), 0, "0 text \"\\/\b\f\n\r\t\n");
	kit_json(SLICE("[\"\\u20AC\\u00e9\\ud83d\\ude00x\"]"), 0,
		 "0 text \xe2\x82\xac\xc3\xa9\xf0\x9f\x98\x80x\n");
	kit_json(SLICE("[\"a\\ud83d\",\"\\ude00b\",\"\\ud83dx\",\"\\ud83d\\n\","
		       "\"\\ud83d\\ud83d\\ude00\"]"),
		 0,
		 "0 text a\xef\xbf\xbd\n0 text @1 \xef\xbf\xbd"
		 "b\n0 text @2 \xef\xbf\xbdx\n0 text @3 \xef\xbf\xbd\n\n"
		 "0 text @4 \xef\xbf\xbd\xf0\x9f\x98\x80\n");
	kit_json(SLICE("[\"caf\xc3\xa9 \xff\xc0\xaf\"]"), 0,
		 "0 text caf\xc3\xa9 \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\n");
	kit_json(SLICE("[\"\\q\"]"), FLAG(MALFORMED), "");
	kit_json(SLICE("[\"\\u12g4\"]"), FLAG(MALFORMED), "");
	kit_json(SLICE("[\"a\nb\"]"), FLAG(MALFORMED), "");
	kit_same(kit_cut(JSON_KIND, SLICE("[\"a\\u0000b\"]"), 3), SLICE("0 text a\0b\n"), "NUL");
}

static void names_may_be_escaped(void **state)
{
	KIT_WANTS(JSON_PATH("$.price"), JSON_PATH("$['a\"b']"), JSON_PATH("$.\xc3\xa9t\xc3\xa9"));
	kit_json(SLICE("{\"pr\\u0069ce\":1,\"a\\\"b\":2,\"\\u00e9t\xc3\xa9\":3,\"pri\":4,"
		       "\"prices\":5}"),
		 0, "0 number 1\n1 number 2\n2 number 3\n");
}

static void the_same_name_twice_is_told_twice(void **state)
{
	KIT_WANTS(JSON_PATH("$.a"));
	kit_json(SLICE("{\"a\":1,\"b\":0,\"a\":2}"), 0, "0 number 1\n0 number 2\n");
}

static void what_stands_before_an_error_is_kept(void **state)
{
	static const char *const bad[] = {
		"{\"a\":1,}",	       "{\"a\":1 \"b\":2}",	 "{\"a\":1,b:2}",
		"{\"a\":1]",	       "{\"a\":1,\"b\"}",	 "{\"a\":1,\"b\":,}",
		"{\"a\":1,/*x*/}",     "{\"a\":1,//x\n\"b\":2}", "{\"a\":1,'b':2}",
		"{\"a\":1,\"b\":tru}", "{\"a\":1,\"b\":[1 /]}",	 "{\"a\":1,\"b\":[NaN]}",
		"{\"a\":1,\"b\":{]}"
	};

	KIT_WANTS(JSON_PATH("$.a"), JSON_PATH("$.c"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		kit_json(slice_str(bad[i]), FLAG(MALFORMED), "0 number 1\n");
	kit_json(SLICE("]"), FLAG(MALFORMED), "");
	kit_json(SLICE("<html>"), FLAG(MALFORMED), "");
}

static void what_is_cut_is_not_taken(void **state)
{
	KIT_WANTS(JSON_PATH("$.a"), JSON_PATH("$.b"));
	kit_json(SLICE("{\"a\":\"x\",\"b\":12"), FLAG(SHORT), "0 text x\n");
	kit_json(SLICE("{\"a\":\"x\",\"b\":\"12"), FLAG(SHORT), "0 text x\n");
	kit_json(SLICE("{\"a\":\"x\",\"b\":tr"), FLAG(SHORT), "0 text x\n");
	kit_json(SLICE("{\"a\":\"x\",\"c\":{\"d\":"), FLAG(SHORT), "0 text x\n");
}

static void one_document_is_read(void **state)
{
	KIT_WANTS(JSON_PATH("$.a"));
	kit_json(SLICE("{\"a\":1}\n{\"a\":2}\n"), FLAG(MORE), "0 number 1\n");
	kit_json(SLICE("{\"a\":1} \r\n\t"), 0, "0 number 1\n");
}

static void byte_order_marks(void **state)
{
	KIT_WANTS(JSON_PATH("$.a"));
	kit_json(SLICE("\xef\xbb\xbf{\"a\":1}"), 0, "0 number 1\n");
	kit_json(SLICE("\xff\xfe{\0\"\0a\0\"\0:\0\"\0\xac\x20\x3d\xd8\x00\xde\"\0}\0"), 0,
		 "0 text \xe2\x82\xac\xf0\x9f\x98\x80\n");
	kit_json(SLICE("\xfe\xff\0{\0\"\0a\0\"\0:\0001\0}"), 0, "0 number 1\n");
}

static void long_text_is_cut_at_a_character(void **state)
{
	struct body_limits l = body_limits_default;

	l.text_bytes = 5;
	kit_limits(&l);
	KIT_WANTS(JSON_PATH("$[*]"));
	kit_json(SLICE("[\"12345\",\"123456\",\"1234\xc3\xa9\",\"12\xe2\x82\xac\xe2\x82\xac\","
		       "\"\\u20ac\\u20ac\","
		       "123456,\"\xff\xff\xff\xff\xff\xff\"]"),
		 FLAG(CUT_TEXT),
		 "0 text 12345\n0 text @1 12345 (cut)\n0 text @2 1234 (cut)\n0 text @3 "
		 "12\xe2\x82\xac (cut)\n"
		 "0 text @4 \xe2\x82\xac (cut)\n0 number @5 12345 (cut)\n0 text @6 "
		 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd (cut)\n");
	kit_limits(&body_limits_default);
}

static void a_hundred_thousand_levels_cost_a_counter(void **state)
{
	const size_t levels = 100000;
	char *text = malloc(levels * 2 + 64);
	struct body_stats stats;
	size_t len = 0;

	kit_limits(&body_limits_default);
	for (unsigned wanted = 0; wanted < 2; wanted++) {
		KIT_WANTS(JSON_PATH("$.b"),
			  { .source = BODY_JSON, .path = wanted ? SLICE("$..c") : SLICE("$.x") });
		len = (size_t)snprintf(text, 64, "{\"a\":");
		memset(text + len, '[', levels);
		memset(text + len + levels, ']', levels);
		len += levels * 2;
		len += (size_t)snprintf(text + len, 32, ",\"b\":1}");
		kit_same(kit_cut(JSON_KIND, slice_of(text, len), 16384), SLICE("0 number 1\n"),
			 "deep");
		assert_int_equal(kit.result.flags, wanted ? FLAG(CUT_DEPTH) : 0);
	}
	bodies_stats(kit.all, &stats);
	assert_u64(stats.deepest, levels + 1);
	assert_u64(stats.flagged[BODY_CUT_DEPTH], 1);
	text[len - 10] = '}'; /* the outermost bracket of a: its level is no longer known by then */
	kit_cut(JSON_KIND, slice_of(text, len), 16384);
	free(text);
}

static void so_many_values_and_no_more(void **state)
{
	struct body_limits l = body_limits_default;

	l.values = 3;
	kit_limits(&l);
	KIT_WANTS(JSON_PATH("$[*]"));
	kit_json(SLICE("[1,2,3]"), 0, "0 number 1\n0 number @1 2\n0 number @2 3\n");
	kit_json(SLICE("[1,2,3,4,5]"), FLAG(CUT_VALUES),
		 "0 number 1\n0 number @1 2\n0 number @2 3\n");
	kit_limits(&body_limits_default);
}

static void a_hole_ends_it(void **state)
{
	struct body_stats before, after;
	struct body *b;

	KIT_WANTS(JSON_PATH("$[*]"));
	bodies_stats(kit.all, &before);
	b = kit_open(JSON_KIND);
	assert_true(body_push(b, SLICE("[1,2")));
	assert_false(body_hole(b, 7));
	assert_false(body_push(b, SLICE("5,6]")));
	body_end(b, &kit.result);
	kit_same(buf_slice(&kit.out), SLICE("0 number 1\n"), "hole");
	assert_int_equal(kit.result.flags, FLAG(HOLE));
	bodies_stats(kit.all, &after);
	assert_u64(after.hole_bytes - before.hole_bytes, 7);
	assert_u64(after.opened, after.ended + after.dropped + after.open);
}

/* The two forms of each loop, on octets of all kinds at all lengths and offsets. */
static void scanning_by_sixteen_is_scanning_by_one(void **state)
{
#ifdef __SSE2__
	static const char mostly[] = "abc 0123,:\"\\[]{}\n\x1f\x80\xff/N'E~v";
	char text[96];

	srandom(1);
	for (unsigned round = 0; round < 200000; round++) {
		size_t from = (size_t)random() % 17, len = from + (size_t)random() % 64;

		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = random() % 4	 ? (char)('a' + random() % 20)
				  : random() % 2 ? mostly[(size_t)random() % (sizeof(mostly) - 1)]
						 : (char)random();
		assert_ptr_equal(scan_string_sse2(text + from, text + len),
				 scan_string_plain(text + from, text + len));
		assert_ptr_equal(scan_outside_sse2(text + from, text + len),
				 scan_outside_plain(text + from, text + len));
	}
	for (unsigned c = 0; c < 256; c++) {
		memset(text, 'a', sizeof(text));
		text[20] = (char)c;
		assert_ptr_equal(scan_string_sse2(text, text + 64),
				 scan_string_plain(text, text + 64));
		assert_ptr_equal(scan_outside_sse2(text, text + 64),
				 scan_outside_plain(text, text + 64));
	}
#else
	skip();
#endif
}

KIT_MAIN(T(every_kind_of_value), T(numbers_as_written), T(escapes_and_surrogates),
	 T(names_may_be_escaped), T(the_same_name_twice_is_told_twice),
	 T(what_stands_before_an_error_is_kept), T(what_is_cut_is_not_taken),
	 T(one_document_is_read), T(byte_order_marks), T(long_text_is_cut_at_a_character),
	 T(a_hundred_thousand_levels_cost_a_counter), T(so_many_values_and_no_more),
	 T(a_hole_ends_it), T(scanning_by_sixteen_is_scanning_by_one))
