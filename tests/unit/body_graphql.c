/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_graphql.c: GraphQL over HTTP: operations by name and by document, batches, variables, all ways in which
 * a request may travel, data and errors of responses; and what is no GraphQL.
 */
#include "body_kit.h"

#include "txn/body/graphql/tree.h"

#define NAME                                                                                       \
	{                                                                                          \
		.source = BODY_GRAPHQL_NAME                                                        \
	}
#define TYPE                                                                                       \
	{                                                                                          \
		.source = BODY_GRAPHQL_TYPE                                                        \
	}
#define VARIABLE(p)                                                                                \
	{                                                                                          \
		.source = BODY_GRAPHQL_VARIABLE, .path = SLICE(p)                                  \
	}
#define DATA(p)                                                                                    \
	{                                                                                          \
		.source = BODY_GRAPHQL_DATA, .path = SLICE(p)                                      \
	}
#define ERROR_PATH(p)                                                                              \
	{                                                                                          \
		.source = BODY_GRAPHQL_ERROR, .path = SLICE(p)                                     \
	}
#define REQUEST	 ((struct body_kind){ .content_type = SLICE("application/json") })
#define QUERY	 ((struct body_kind){ .query = true })
#define DOCUMENT ((struct body_kind){ .content_type = SLICE("application/graphql") })

static void a_request(void **state)
{
	KIT_WANTS(NAME, TYPE, VARIABLE("$.input.qty"), VARIABLE("$.ids[*]"));
	kit_expect(REQUEST,
		   SLICE("{\"query\":\"mutation Add($i: In = {a: {b: 1}}) {\\n add(i: $i) { id } "
			 "}\",\"variables\":"
			 "{\"input\":{\"qty\":2},\"ids\":[7,8]}}"),
		   0, "2 number 2\n3 number 7\n3 number @0,1 8\n0 text Add\n1 text mutation\n");
	kit_expect(REQUEST,
		   SLICE("{\"operationName\":\"B\",\"query\":\"query A{a} mutation B{b}\"}"), 0,
		   "0 text B\n1 text mutation\n");
	kit_expect(REQUEST,
		   SLICE("{\"query\":\"query A{a} mutation B{b}\",\"operationName\":\"A\"}"), 0,
		   "0 text A\n1 text query\n");
}

static void operations_that_are_not_told(void **state)
{
	KIT_WANTS(NAME, TYPE);
	/* several and none chosen; one that is not there; a persisted query; its name unknown */
	kit_expect(REQUEST, SLICE("{\"query\":\"query A{a} mutation B{b}\"}"), 0, "");
	kit_expect(REQUEST,
		   SLICE("{\"operationName\":\"C\",\"query\":\"query A{a} mutation B{b}\"}"), 0,
		   "0 text C\n");
	kit_expect(REQUEST,
		   SLICE("{\"operationName\":\"A\",\"extensions\":{\"persistedQuery\":{\"version\":"
			 "1}}}"),
		   0, "0 text A\n");
	kit_expect(REQUEST, SLICE("{\"operationName\":null,\"id\":\"abc\"}"), 0, "");
	kit_expect(REQUEST, SLICE("{\"operationName\":\"\",\"query\":\"{a}\"}"), 0,
		   "1 text query\n");
	kit_expect(REQUEST, SLICE("{\"query\":\"blue shoes\"}"), 0, "");
	kit_expect(REQUEST, SLICE("{\"query\":{\"match\":1}}"), 0, "");
	kit_expect(REQUEST, SLICE("{\"query\":\"query A {a\"}"), 0, "");
	kit_expect(REQUEST, SLICE("{\"query\":\"query A {a}}\"}"), 0, "");
	kit_expect(REQUEST, SLICE("{\"x\":{\"query\":\"query A {a}\"}}"), 0, "");
	kit_expect(REQUEST, SLICE("{\"query\":\"query A {a}\",\"variables\":"), FLAG(SHORT), "");
}

/* However the document is cut. */
static void aliases(void **state)
{
	uint64_t data = graphql_place_of(0, SLICE("data")), c = graphql_place_of(data, SLICE("c")),
		 t = graphql_place_of(c, SLICE("t")), x = graphql_place_of(c, SLICE("x"));
	char expected[200];

	KIT_WANTS(NAME, { .source = BODY_GRAPHQL_ALIAS });
	snprintf(expected, sizeof(expected),
		 "0 text Q\n1 text @0,%u,%u cart\n1 text @0,%u,%u total\n1 text @0,%u,%u \n",
		 (uint32_t)c, (uint32_t)(c >> 32), (uint32_t)t, (uint32_t)(t >> 32), (uint32_t)x,
		 (uint32_t)(x >> 32));
	kit_expect(REQUEST,
		   SLICE("{\"query\":\"query Q($a: I = {b: \\\"{\\\"}) { c : cart(id: $a) @live { "
			 "...F ... on A "
			 "{ x: a } ...on B{x:b} } }\\nfragment F on C { t: total ok:ok n }\"}"),
		   0, expected);
	kit_expect(REQUEST, SLICE("{\"query\":\"query Q { c { d(x: {y: z}) { e } } }\"}"), 0,
		   "0 text Q\n");
	kit_expect(REQUEST, SLICE("{\"query\":\"query Q { c:d } query R { d:c }\"}"), 0,
		   "1 text @0,0,0,1 \n");
}

static void documents(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "{ cart { id } }", "1 text query\n" },
		{ "query{cart{id}}", "1 text query\n" },
		{ "\xef\xbb\xbf# query C {x}\n,, query #x\n A # y\n@live(if: true) {a}",
		  "0 text A\n1 text query\n" },
		{ "fragment F on T { a } subscription S_1 { ...F }",
		  "0 text S_1\n1 text subscription\n" },
		{ "query A($x: [T!]! = [{b: \"}\"}]) { a(b: \"query B {\\\"}\") { c } }",
		  "0 text A\n1 text query\n" },
		{ "query A { a(b: \"\"\"} \"\" \\\"\"\" } query B {x}\"\"\") { c } }",
		  "0 text A\n1 text query\n" },
		{ "query A { a(b: \"\") { c } } ", "0 text A\n1 text query\n" },
		{ "mutation { a(b: \"\", c: \"\"\"\"\"\") }", "1 text mutation\n" },
	};
	struct body_stats stats;
	char many[1000];
	size_t n = 0;

	KIT_WANTS(NAME, TYPE);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		kit_expect(DOCUMENT, slice_str(cases[i].text), 0, cases[i].expected);
	kit_expect(DOCUMENT, SLICE("type T { a: B }"), FLAG(MALFORMED), "");
	kit_expect(DOCUMENT, SLICE("query A { a"), FLAG(SHORT), "");
	kit_expect(DOCUMENT, SLICE("query A { a } )"), FLAG(MALFORMED), "");
	for (unsigned i = 0; i < 9; i++)
		n += (size_t)snprintf(many + n, sizeof(many) - n, "query Q%u {a} ", i);
	kit_expect(DOCUMENT, slice_of(many, n), FLAG(CUT_PARTS), "");
	n = (size_t)snprintf(many, sizeof(many), "query ");
	memset(many + n, 'n', 300);
	memcpy(many + n + 300, " {a}", 4);
	kit_cut(DOCUMENT, slice_of(many, n + 304), 9);
	assert_true(slice_ends(buf_slice(&kit.out), SLICE("nn (cut)\n1 text query\n")));
	bodies_stats(kit.all, &stats);
	assert_true(stats.flagged[BODY_CUT_PARTS] > 0);
}

static void batches(void **state)
{
	KIT_WANTS(NAME, TYPE, VARIABLE("$.id"));
	kit_expect(REQUEST,
		   SLICE("[{\"query\":\"query "
			 "A{a}\",\"variables\":{\"id\":1}},{\"variables\":{\"id\":2},\"query\":"
			 "\"mutation "
			 "B{b}\"},{\"operationName\":\"C\"}]"),
		   0,
		   "2 number 1\n0 text A\n1 text query\n2 number @1 2\n0 text @1 B\n1 text @1 "
		   "mutation\n0 text @2 C\n");
}

/* A state is used again: what the body before left in it must not be told of this one. */
static void nothing_is_left_of_the_body_before(void **state)
{
	KIT_WANTS(NAME, TYPE);
	for (unsigned i = 0; i < 3; i++) {
		kit_same(kit_cut(REQUEST, SLICE("{\"query\":\"query A{a}\",\"variables\":"), 100),
			 SLICE(""), "cut");
		kit_same(kit_cut(REQUEST, SLICE("[true]"), 100), SLICE(""), "an array");
		kit_same(kit_cut(REQUEST, SLICE("[[{}]]"), 100), SLICE(""), "an array");
	}
}

static void queries_and_forms(void **state)
{
	struct body_kind form = { .content_type = SLICE("application/x-www-form-urlencoded") };
	struct body_kind upload = { .content_type = SLICE("multipart/form-data; boundary=b") };
	struct slice query = SLICE("query=query+A(%24id:ID!)%7Bproduct(id:%24id)%7Bname%7D%7D&"
				   "variables=%7B%22id%22%3A%22"
				   "42%22%7D&extensions=%7B%7D");

	KIT_WANTS(NAME, TYPE, VARIABLE("$.id"), { .source = BODY_FORM, .path = SLICE("query") });
	kit_expect(QUERY, query, 0,
		   "3 text query A($id:ID!){product(id:$id){name}}\n2 text 42\n0 text A\n1 text "
		   "query\n");
	kit_expect(form, query, 0,
		   "3 text query A($id:ID!){product(id:$id){name}}\n2 text 42\n0 text A\n1 text "
		   "query\n");
	kit_expect(QUERY, SLICE("operationName=P&extensions=x&variables=no"), 0, "0 text P\n");
	kit_expect(QUERY, SLICE("query=shoes&variables=%7B%22id%22"), 0, "3 text shoes\n");
	kit_expect(upload,
		   SLICE("--b\r\nContent-Disposition: form-data; "
			 "name=\"operations\"\r\n\r\n{\"query\":\"mutation Up{u}\","
			 "\"variables\":{\"id\":3,\"file\":null}}\r\n--b\r\nContent-Disposition: "
			 "form-data; name=\"map\"\r\n\r\n{}"
			 "\r\n--b--"),
		   0, "2 number 3\n0 text Up\n1 text mutation\n");
}

static void responses(void **state)
{
	struct body_kind kind = { .content_type =
					  SLICE("application/graphql-response+json; charset=utf-8"),
				  .response = true };

	KIT_WANTS(NAME, DATA("$.order.code"), ERROR_PATH(""), ERROR_PATH("$.extensions.code"),
		  DATA("$..price"));
	kit_expect(kind,
		   SLICE("{\"errors\":[{\"message\":\"no "
			 "stock\",\"extensions\":{\"code\":\"X\"}},{\"message\":\"m2\"}],"
			 "\"data\":{\"order\":{\"code\":\"A1\",\"lines\":[{\"price\":5}]}},"
			 "\"operationName\":\"x\"}"),
		   0, "2 text no stock\n3 text X\n2 text @0,1 m2\n1 text A1\n4 number @0,8 5\n");
	kit_expect(kind, SLICE("[{\"data\":null},{\"data\":{\"order\":{\"code\":\"B\"}}}]"), 0,
		   "1 text @1 B\n");
	kit_expect(kind, SLICE("{\"data\":{\"data\":{\"order\":{\"code\":\"C\"}}}}"), 0, "");
}

static void who_is_wanted(void **state)
{
	struct body_kind request = REQUEST, response = JSON_KIND,
			 image = { .content_type = SLICE("image/png") };
	struct body_kind text = { .content_type = SLICE("text/plain; charset=utf-8"),
				  .response = true };
	struct body_kind none = { .response = true };

	KIT_WANTS(VARIABLE("$.id"));
	assert_true(body_is_wanted(kit.wants, &request));
	assert_false(body_is_wanted(kit.wants, &response));
	assert_true(body_is_wanted(kit.wants, &QUERY));
	assert_false(body_is_wanted(kit.wants, &DOCUMENT));
	KIT_WANTS(DATA("$.id"));
	assert_false(body_is_wanted(kit.wants, &request));
	assert_true(body_is_wanted(kit.wants, &response));
	assert_false(body_is_wanted(kit.wants, &image));
	/* JSON that is sent as text, or as nothing */
	assert_true(body_is_wanted(kit.wants, &text));
	kit_expect(text, SLICE(" \n{\"data\":{\"id\":1}}"), 0, "0 number 1\n");
	kit_expect(none, SLICE("[{\"data\":{\"id\":1}}]"), 0, "0 number 1\n");
	kit_expect(text, SLICE("data: {\"data\":{\"id\":1}}"), 0, "");
}

static void wants_that_are_refused(void **state)
{
	static const struct body_want bad[] = { { .source = BODY_GRAPHQL_NAME,
						  .path = SLICE("$.x") },
						VARIABLE("$[*][*][*][*]"),
						ERROR_PATH("$[*][*][*]"),
						DATA("id"),
						VARIABLE(""),
						{ .source = BODY_SOURCES, .path = SLICE("$") } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct body_wants *wants = NULL;
		struct body_error error;

		assert_int_equal(wants_new(&bad[i], 1, &error, &wants), -EINVAL);
		assert_true(error.text[0] && !wants);
	}
}

KIT_MAIN(T(a_request), T(operations_that_are_not_told), T(aliases), T(documents), T(batches),
	 T(nothing_is_left_of_the_body_before), T(queries_and_forms), T(responses),
	 T(who_is_wanted), T(wants_that_are_refused))
