/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_evidence.c: what is read from heads, and that the same value gives the same hash wherever it
 * stood. Hashes of SipHash-2-4-128 and keys are compared with values computed elsewhere.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "session/evidence.h"
#include "session/key.h"
#include "txn/body/body.h"

#define HEX "8f3a77c01b2d4e5f8f3a77c01b2d4e5f"

static const struct sip_key key = { 1, 2 };

static struct fixture {
	struct evidence_rules *rules;
	struct arena_pool pool;
	struct arena arena;
	struct evidence_list list;
} f;

static const char *const configured[] = { "cookie:customer", "header:X-Visitor", "query:v", NULL };

static int setup(void **state)
{
	arena_pool_init(&f.pool, 4096, 1 << 20);
	arena_init(&f.arena, &f.pool);
	return evidence_rules_new(&key, configured, NULL, "no_measure", &f.rules);
}

static int teardown(void **state)
{
	evidence_rules_free(f.rules);
	arena_clear(&f.arena);
	arena_pool_done(&f.pool);
	return 0;
}

static const struct evidence *look(const char *target, const char *name, const char *value,
				   bool request)
{
	const struct field field = { slice_str(name), slice_str(value) };
	const struct head h = { .target = slice_str(target),
				.fields = &field,
				.field_count = name ? 1 : 0 };

	assert_int_equal(evidence_of(f.rules, &h, request, 1700000000, &f.arena, &f.list), 0);
	return f.list.at;
}

static void one(enum evidence_kind kind, unsigned flags)
{
	assert_int_equal(f.list.count, 1);
	assert_int_equal(f.list.at[0].kind, kind);
	assert_int_equal(f.list.at[0].flags, flags);
}

static void kinds_of_cookies(void **state)
{
	static const struct {
		const char *cookie;
		enum evidence_kind kind;
	} cases[] = {
		{ "JSESSIONID=" HEX, EVIDENCE_KNOWN },
		{ "wp_woocommerce_session_a1=7%7C%7C17%7C%7C8", EVIDENCE_KNOWN },
		{ "SESS" HEX "=abcdefgh", EVIDENCE_KNOWN },
		{ "JSESSIONID=1", EVIDENCE_KINDS },
		{ "PHPSESSID=deleted", EVIDENCE_KINDS },
		{ "_ga=GA1.1.1234567890.1700000000", EVIDENCE_ANALYTICS },
		{ "_ga_ABC=GS1.1.1700000000.1.1." HEX, EVIDENCE_KINDS },
		{ "unknown=" HEX, EVIDENCE_COOKIE },
		{ "unknown=dark", EVIDENCE_KINDS },
		{ "unknown=%7B%22theme%22%3A%22dark%22%7D", EVIDENCE_KINDS },
		{ "session.sig=" HEX, EVIDENCE_KINDS },
		{ "AWSALBCORS=" HEX, EVIDENCE_KINDS },
		{ "CookieConsent=" HEX, EVIDENCE_KINDS },
		{ "csrftoken=" HEX, EVIDENCE_WEAK },
		{ "csrftoken=1", EVIDENCE_KINDS },
		{ "customer=17", EVIDENCE_CONFIGURED },
		{ "no_measure=1", EVIDENCE_OPT_OUT },
		{ "no_measure=0", EVIDENCE_KINDS },
		{ "=" HEX, EVIDENCE_KINDS },
		{ HEX, EVIDENCE_KINDS },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		look("/", "Cookie", cases[i].cookie, true);
		assert_int_equal(f.list.count, cases[i].kind != EVIDENCE_KINDS);
		if (f.list.count)
			assert_int_equal(f.list.at[0].kind, cases[i].kind);
	}
}

static void a_random_value_is_the_same_everywhere(void **state)
{
	uint64_t hash[2];

	memcpy(hash, look("/", "cookie", "JSESSIONID=" HEX, true)->hash, sizeof(hash));
	assert_memory_equal(look("/a;jsessionid=" HEX "/b", NULL, NULL, true)->hash, hash, 16);
	one(EVIDENCE_KNOWN, EVIDENCE_RANDOM);
	assert_memory_equal(look("/?x=1&PHPSESSID=" HEX, NULL, NULL, true)->hash, hash, 16);
	assert_memory_equal(look("/", "set-cookie", "other=" HEX "; Path=/", false)->hash, hash,
			    16);
	one(EVIDENCE_COOKIE, EVIDENCE_RANDOM | EVIDENCE_SET);
	assert_memory_equal(look("/", "Authorization", "Bearer " HEX, true)->hash, hash, 16);
	one(EVIDENCE_TOKEN, EVIDENCE_RANDOM);
	assert_memory_equal(look("/shop/carts/" HEX "/items", NULL, NULL, true)->hash, hash, 16);
	one(EVIDENCE_CART, EVIDENCE_RANDOM);
	assert_memory_equal(look("/?v=" HEX, NULL, NULL, true)->hash, hash, 16);
	one(EVIDENCE_CONFIGURED, EVIDENCE_RANDOM);
	/* one that people choose means something only with its name */
	memcpy(hash, look("/", "Cookie", "customer=17", true)->hash, sizeof(hash));
	assert_memory_not_equal(look("/?v=17", NULL, NULL, true)->hash, hash, 16);
}

static void set_and_taken_away(void **state)
{
	look("/", "Set-Cookie", "sid=" HEX, false);
	one(EVIDENCE_KNOWN, EVIDENCE_RANDOM | EVIDENCE_SET | EVIDENCE_SCOPED);
	look("/", "Set-Cookie", "sid=" HEX "; Path=/; Max-Age=0", false);
	one(EVIDENCE_KNOWN, EVIDENCE_DELETED | EVIDENCE_SET);
	look("/", "Set-Cookie", "sid=; Path=/", false);
	one(EVIDENCE_KNOWN, EVIDENCE_DELETED | EVIDENCE_SET);
	/* {"token":""}, {"a":{"b":null},"c":[], "d":false}; {"token":"x"}, {"n":7}, {"a":true} */
	look("/", "Set-Cookie", "session=eyJ0b2tlbiI6IiJ9; Path=/", false);
	one(EVIDENCE_KNOWN, EVIDENCE_DELETED | EVIDENCE_SET);
	look("/", "Set-Cookie", "session=eyJhIjp7ImIiOm51bGx9LCJjIjpbXSwgImQiOmZhbHNlfQ==; Path=/",
	     false);
	one(EVIDENCE_KNOWN, EVIDENCE_DELETED | EVIDENCE_SET);
	look("/", "Cookie", "session=eyJ0b2tlbiI6IiJ9", true);
	assert_int_equal(f.list.count, 0);
	for (unsigned i = 0; i < 3; i++) {
		const char *const full[] = { "session=eyJ0b2tlbiI6IngifQ==", "session=eyJuIjo3fQ==",
					     "session=eyJhIjp0cnVlfQ==" };

		look("/", "Cookie", full[i], true);
		assert_int_equal(f.list.count, 1);
	}
	look("/", "Set-Cookie", "sid=" HEX, true); /* a request has no such field */
	assert_int_equal(f.list.count, 0);
}

static void tokens(void **state)
{
	/* {"sub":"u1","n":{"sub":"x"}} and {"n":{"sub":"x"},"sub" : 17} */
	static const char a[] = "Bearer eyJhIjoxfQ.eyJzdWIiOiJ1MSIsIm4iOnsic3ViIjoieCJ9fQ.sig1";
	static const char b[] = "Bearer eyJhIjoxfQ.eyJzdWIiOiJ1MSIsIm4iOnsic3ViIjoieCJ9fQ.sig2";
	static const char c[] = "bearer eyJhIjoxfQ.eyJuIjp7InN1YiI6IngifSwic3ViIiA6IDE3fQ.sig";
	static const char *const broken[] = { "Bearer eyJhIjoxfQ.!!!.sig1", "Bearer eyJhIjoxfQ..",
					      "Bearer eyJhIjoxfQ.eyJzdWIiOiJ1MSIsI",
					      "Bearer eyJhIjoxfQ.e30.x" };
	struct evidence_stats stats;
	uint64_t hash[2];

	memcpy(hash, look("/", "Authorization", a, true)->hash, sizeof(hash));
	assert_memory_equal(look("/", "Authorization", b, true)->hash, hash, 16);
	assert_memory_not_equal(look("/", "Authorization", c, true)->hash, hash, 16);
	assert_int_equal(f.list.at[0].rank, 0);
	evidence_stats(f.rules, &stats);
	assert_u64(stats.bad_tokens, 0);
	for (size_t i = 0; i < 4; i++) {
		look("/", "Authorization", broken[i], true);
		assert_int_equal(f.list.count, 1);
	}
	evidence_stats(f.rules, &stats);
	assert_u64(stats.bad_tokens, 4);
	look("/", "Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", true);
	assert_int_equal(f.list.count, 0);
	look("/", "vendure-auth-token", HEX, false);
	one(EVIDENCE_TOKEN, EVIDENCE_RANDOM | EVIDENCE_SET);
}

static void a_thousand_cookies_leave_the_best(void **state)
{
	static char text[80000];
	struct evidence_stats stats;
	size_t len = 0;

	for (unsigned i = 0; i < 1000; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "c%u=%032x%s; ", i,
					i * 7919 + 1, "ab12cd34ef56ab78");
	snprintf(text + len, sizeof(text) - len, "PHPSESSID=" HEX "; no_measure=1");
	look("/", "Cookie", text, true);
	assert_int_equal(f.list.count, EVIDENCE_MAX);
	evidence_stats(f.rules, &stats);
	assert_u64(stats.cut, 1002 - EVIDENCE_MAX);
	for (uint32_t i = 0, found = 0; i < EVIDENCE_MAX; i++) {
		found += f.list.at[i].kind == EVIDENCE_KNOWN ||
			 f.list.at[i].kind == EVIDENCE_OPT_OUT;
		if (i == EVIDENCE_MAX - 1)
			assert_int_equal(found, 2);
	}
}

static int setup_fields(void **state)
{
	static const char *const keys[] = { "cookie:customer", "json:$.session.id", NULL };
	static const char *const carts[] = { "json:$.cart", "header:X-Cart", NULL };

	arena_pool_init(&f.pool, 4096, 1 << 20);
	arena_init(&f.arena, &f.pool);
	return evidence_rules_new(&key, keys, carts, NULL, &f.rules);
}

static void field(uint32_t want, enum taken_kind kind, const char *text, bool request)
{
	const struct taken v = { .want = want, .kind = kind, .text = slice_str(text) };

	assert_int_equal(evidence_value(f.rules, &v, request, &f.arena, &f.list), 0);
}

/* They stand beside what the head said; the value is the same as in a cookie, and only the first counts. */
static void fields_of_json(void **state)
{
	struct evidence cookie;
	struct taken cut = { .kind = TAKEN_TEXT, .text = SLICE(HEX), .cut = true };

	assert_non_null(evidence_wants(f.rules));
	look("/", "Set-Cookie", "unknown=" HEX "; Path=/", false);
	one(EVIDENCE_COOKIE, EVIDENCE_SET | EVIDENCE_RANDOM);
	cookie = f.list.at[0];
	f.list.marks = 5;
	field(0, TAKEN_NULL, "", false);
	field(0, TAKEN_OBJECT, "", false);
	field(0, TAKEN_TEXT, "", false);
	assert_int_equal(evidence_value(f.rules, &cut, false, &f.arena, &f.list), 0);
	assert_int_equal(f.list.count, 1);
	field(0, TAKEN_TEXT, HEX, false);
	field(0, TAKEN_TEXT, "another", false);
	field(1, TAKEN_NUMBER, "17", false);
	assert_int_equal(f.list.count, 3);
	assert_int_equal(f.list.marks, 5);
	assert_memory_equal(&f.list.at[0], &cookie, sizeof(cookie));
	assert_int_equal(f.list.at[1].kind, EVIDENCE_CONFIGURED);
	assert_int_equal(f.list.at[1].flags, EVIDENCE_SET | EVIDENCE_RANDOM);
	assert_memory_equal(f.list.at[1].hash, cookie.hash, sizeof(cookie.hash));
	assert_int_equal(f.list.at[2].kind, EVIDENCE_CART);
	assert_int_equal(f.list.at[2].flags, EVIDENCE_SET);

	look("/carts/" HEX, "X-Cart", "17", true);
	assert_int_equal(f.list.count, 2);
	assert_int_equal(f.list.at[0].kind, EVIDENCE_CART);
	assert_int_equal(f.list.at[1].kind, EVIDENCE_CART);
	field(1, TAKEN_TEXT, HEX, true);
	assert_int_equal(f.list.count, 3);
	assert_int_equal(f.list.at[2].flags, EVIDENCE_RANDOM);
	assert_memory_equal(f.list.at[2].hash, f.list.at[0].hash, sizeof(cookie.hash));
}

static void wrong_configured_keys_are_told(void **state)
{
	static const char *const wrong[] = { "cookie:", NULL };
	static const char *const good[] = { "cookie:a",
					    "header:a",
					    "query:a",
					    "json:$.session.id",
					    "json:$[0]['a*b..c']",
					    "json:$['it\\'s']" };
	static const struct {
		const char *text;
		uint32_t place;
		const char *says;
	} bad[] = {
		{ "path:a", 0, "json:PATH" },
		{ "cookie", 0, "json:PATH" },
		{ "json:", 0, "json:PATH" },
		{ "json:session.id", 5, "$" },
		{ "json:$.items[*].id", 13, "one value" },
		{ "json:$..id", 6, "one value" },
		{ "json:$.a[?@.b]", 9, "" },
		{ "json:$.a[-1]", 9, "" },
	};
	struct body_error error;
	struct evidence_rules *r;

	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(evidence_check(good[i], &error), 0);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(evidence_check(bad[i].text, &error), -22);
		if (error.place != bad[i].place || !strstr(error.text, bad[i].says))
			fail_msg("%s: at %u, %s", bad[i].text, error.place, error.text);
	}
	assert_int_equal(evidence_rules_new(&key, wrong, NULL, NULL, &r), -22);
	assert_int_equal(evidence_rules_new(&key, NULL, wrong, NULL, &r), -22);
}

UNIT_MAIN(cmocka_unit_test_setup_teardown(kinds_of_cookies, setup, teardown),
	  cmocka_unit_test_setup_teardown(a_random_value_is_the_same_everywhere, setup, teardown),
	  cmocka_unit_test_setup_teardown(set_and_taken_away, setup, teardown),
	  cmocka_unit_test_setup_teardown(tokens, setup, teardown),
	  cmocka_unit_test_setup_teardown(a_thousand_cookies_leave_the_best, setup, teardown),
	  cmocka_unit_test_setup_teardown(fields_of_json, setup_fields, teardown),
	  cmocka_unit_test(wrong_configured_keys_are_told))
