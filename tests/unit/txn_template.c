/* SPDX-License-Identifier: Apache-2.0 */
/*
 * txn_template.c: what in a path is an identifier, what is a name; and the bounded set.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "txn/target/template.h"

static const struct {
	const char *path, *expect;
} cases[] = {
	{ "/", "/" },
	{ "/index.html", "/index.html" },
	{ "/orders/1017", "/orders/{id}" },
	{ "/orders/1017/items/3", "/orders/{id}/items/{id}" },
	{ "/api/v2/users/42", "/api/v2/users/{id}" },
	{ "/user/3f2b8c1e-9d4a-4f6b-8e2d-1a2b3c4d5e6f", "/user/{id}" },
	{ "/user/3F2B8C1E-9D4A-4F6B-8E2D-1A2B3C4D5E6F/x", "/user/{id}/x" },
	{ "/abad-cafe", "/abad-cafe" },
	{ "/blob/da39a3ee5e6b4b0d3255bfef95601890afd80709", "/blob/{id}" },
	{ "/blob/deadbeefdeadbeef", "/blob/{id}" },
	{ "/facade/decade", "/facade/decade" },
	{ "/static/bundle.8f3a2c1d.js", "/static/bundle.{id}.js" },
	{ "/static/jquery-3.6.0.min.js", "/static/jquery-{id}.min.js" },
	{ "/2024-05-01/report", "/{id}/report" },
	{ "/archive/2024/05", "/archive/{id}/{id}" },
	{ "/log/20240501T120000Z", "/log/{id}" },
	{ "/p/blue-shirt-12345", "/p/blue-shirt-{id}" },
	{ "/people/jane.doe@example.org", "/people/{id}" },
	{ "/people/jane%40example.org", "/people/{id}" },
	{ "/@jane", "/{id}" },
	{ "/search/caf%C3%A9", "/search/caf%C3%A9" },
	{ "/search/red%20shoes%20for%20men", "/search/{id}" },
	{ "/cart;jsessionid=AB12/items", "/cart/items" },
	{ "/t/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "/t/{id}" },
	{ "/t/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/t/{id}" },
	{ "/t/dQwDjWgXcQkLmNoPqRsT", "/t/{id}" },
	{ "/getUserAccountDetailsByCustomer", "/getUserAccountDetailsByCustomer" },
	{ "/internationalization", "/internationalization" },
	{ "/oauth2/base64/sha256/h264/i18n/k8s", "/oauth2/base64/sha256/h264/i18n/k8s" },
	{ "/sku/A1234567", "/sku/{id}" },
	{ "/10.0.0.1/x", "/{id}/x" },
	{ "/a//b/", "/a//b/" },
	{ "/1/2/3/4/5/6/7/8", "/{id}/{id}/{id}/{id}/{id}/{id}/{id}/{id}" },
	{ "/1/2/3/4/5/6/7/8/9", "/{id}/{id}/{id}/{id}/{id}/{id}/{id}/{id}/{rest}" },
	{ "*", "*" },
	{ "", "" },
	{ "/%", "/%" },
	{ "/%2", "/%{id}" },
	{ "/%2f2", "/%2f{id}" },
	/* uuids beside other text */
	{ "/img/3f2b8c1e-9d4a-4f6b-8e2d-1a2b3c4d5e6f.jpg", "/img/{id}.jpg" },
	{ "/order-abcdefab-cdef-abcd-efab-cdefabcdefab", "/order-{id}" },
	{ "/%7b3f2b8c1e-9d4a-4f6b-8e2d-1a2b3c4d5e6f%7d", "/%7b{id}%7d" },
	{ "/urn:uuid:3f2b8c1e-9d4a-4f6b-8e2d-1a2b3c4d5e6f/x", "/urn:uuid:{id}/x" },
	{ "/3f2b8c1e-9d4a-4f6b-8e2d-1a2b3c4d5e6f-face", "/{id}-face" },
	/* tokens */
	{ "/n/V1StGXR8_Z5jdHi6B-myT", "/n/{id}" },
	{ "/n/Uakgb_J5m9g-0JDMbcJqL.html", "/n/{id}.html" },
	{ "/watch/dQw4w9WgXcQ", "/watch/{id}" },
	{ "/dp/B08N5WRWNW", "/dp/{id}" },
	{ "/s/3xYz9Ab", "/s/{id}" },
	{ "/s/k3j9x2", "/s/{id}" },
	{ "/reset/aGVsbG8gd29ybGQ=", "/reset/{id}=" },
	{ "/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "/t/{id}" },
	{ "/(S(lit3py55t21z5v55vlm25s55))/default.aspx", "/(S({id}))/default.aspx" },
	{ "/u/507f1f77bcf86cd799439011", "/u/{id}" },
	{ "/u/cjld2cjxh0000qzrmn831i7rn", "/u/{id}" },
	/* files named by a hash of their content */
	{ "/assets/index-BwA9cK3d.js", "/assets/index-{id}.js" },
	{ "/_next/chunks/pages/_app-1d2f3a4b5c6d7e8f.js", "/_next/chunks/pages/_app-{id}.js" },
	{ "/css/app.0d7c1a2b.chunk.css.map", "/css/app.{id}.chunk.css.map" },
	/* matrix parameters */
	{ "/cart;jsessionid=AB", "/cart" },
	{ "/cart%3Bjsessionid=AB/items", "/cart/items" },
	{ "/cart%3bjsessionid=AB", "/cart" },
	{ "/a;v=1/b;c=d;e=f/g", "/a/b/g" },
	{ "/;jsessionid=AB", "/" },
	/* free text */
	{ "/search/red%20shoes", "/search/{id}" },
	{ "/search/red+shoes", "/search/{id}" },
	{ "/docs/c++", "/docs/c++" },
	{ "/files/My%20Holiday.pdf", "/files/{id}" },
	{ "/q/\xe6\x97\xa5\xe6\x9c\xac", "/q/{id}" },
	{ "/q/caf\xc3\xa9", "/q/caf\xc3\xa9" },
	{ "/q/%E6%97%A5%E6%9C%AC", "/q/{id}" },
	/* names that must stay */
	{ "/en-US/products", "/en-US/products" },
	{ "/zh-Hans-CN/about", "/zh-Hans-CN/about" },
	{ "/pt_BR/checkout/step2", "/pt_BR/checkout/step2" },
	{ "/iPhone-15-Pro-Max-256GB", "/iPhone-{id}-Pro-Max-256GB" },
	{ "/Samsung-Galaxy-S24-Ultra-5G-512GB", "/Samsung-Galaxy-S24-Ultra-5G-512GB" },
	{ "/OAuth2/iPhone15/Win10x6/getV2ById", "/OAuth2/iPhone15/Win10x6/getV2ById" },
	{ "/wp-content/plugins/woocommerce/assets/js",
	  "/wp-content/plugins/woocommerce/assets/js" },
	{ "/how-to-tie-a-tie-in-10-steps", "/how-to-tie-a-tie-in-{id}-steps" },
	{ "/v1.2/graphql", "/v1.{id}/graphql" },
	{ "/img/logo@2x.png", "/img/{id}" },
};

static void rules(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct template t;

		template_make(slice_str(cases[i].path), &t);
		if (!slice_eq(slice_of(t.at, t.len), slice_str(cases[i].expect)))
			fail_msg("%s: %.*s instead of %s", cases[i].path, (int)t.len, t.at,
				 cases[i].expect);
	}
}

static void never_longer_than_its_room(void **state)
{
	struct template t;
	char path[4000];

	memset(path, 'x', sizeof(path));
	path[0] = '/';
	template_make(slice_of(path, sizeof(path)), &t);
	assert_slice(slice_of(t.at, t.len), "/{id}"); /* one word of 3,999 letters */
	for (size_t every = 2; every < 200; every++) {
		for (size_t i = 0; i < sizeof(path); i++)
			path[i] = i % every ? 'a' : '/';
		for (size_t n = 0; n < sizeof(path); n += 7) {
			template_make(slice_of(path, n), &t);
			assert_true(t.len <= TEMPLATE_BYTES);
		}
		for (size_t i = 0; i < sizeof(path); i++)
			path[i] = i % every ? 'a' : i ? '.' : '/';
		template_make(slice_of(path, sizeof(path)), &t);
		assert_true(t.len <= TEMPLATE_BYTES);
	}
}

/* A path of 64 KiB whose words are all merged into one is read to its end, once. */
static void long_segments_cost_little(void **state)
{
	static char path[65536];
	struct template t;

	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = i % 2 ? '1' : '-';
	path[0] = '/';
	for (unsigned n = 0; n < 20; n++)
		template_make(slice_of(path, sizeof(path)), &t);
	assert_slice(slice_of(t.at, t.len), "/{id}");
}

static void set_is_bounded(void **state)
{
	struct template_set *s;
	bool overflow;
	char path[32];

	assert_int_equal(template_set_new(10, &s), 0);
	for (unsigned i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "/page-%c/%u", 'a' + i, i);
		template_set_get(s, slice_str(path), true, &overflow);
		assert_false(overflow);
	}
	assert_slice(template_set_get(s, SLICE("/page-k"), true, &overflow), "{other}");
	assert_true(overflow);
	assert_slice(template_set_get(s, SLICE("/page-c/77"), true, &overflow), "/page-c/{id}");
	assert_false(overflow);
	template_set_free(s);
	template_set_free(NULL);
}

static void not_found_teaches_nothing(void **state)
{
	struct template_set *s;
	bool overflow;

	assert_int_equal(template_set_new(10, &s), 0);
	assert_slice(template_set_get(s, SLICE("/wp-admin"), false, &overflow), "{other}");
	assert_false(overflow);
	template_set_get(s, SLICE("/wp-admin"), true, &overflow);
	assert_slice(template_set_get(s, SLICE("/wp-admin"), false, &overflow), "/wp-admin");
	template_set_free(s);
}

/* What is remembered of paths changes nothing: each path, twice and among others that push it out, of each
 * length around that of a slot, gives what the rules give. */
static void remembered_paths_are_exact(void **state)
{
	struct template_set *s;
	struct template t;
	bool overflow;
	char path[200];

	assert_int_equal(template_set_new(100000, &s), 0);
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 8000; i++) {
			int len = snprintf(
				path, sizeof(path), "/%.*s/p%c%c/%u", (int)(i % 130),
				"a-path-that-is-long-enough-to-pass-the-length-of-a-slot-a-"
				"path-that-is-long-enough-to-pass-the-length-of-a-slot-in-it",
				'a' + i % 26, 'a' + i / 26 % 26, i);
			struct slice p = slice_of(path, (size_t)len);

			template_make(p, &t);
			for (unsigned twice = 0; twice < 2; twice++) {
				struct slice got = template_set_get(s, p, true, &overflow);

				assert_false(overflow);
				assert_true(slice_eq(got, slice_of(t.at, t.len)));
			}
		}
	assert_slice(template_set_get(s, SLICE(""), true, &overflow), "");
	template_set_free(s);
}

/* A stranger's path is not remembered as "{other}", nor what found no room as if it had. */
static void what_has_no_place_is_not_remembered(void **state)
{
	struct template_set *s;
	bool overflow;

	assert_int_equal(template_set_new(1, &s), 0);
	assert_slice(template_set_get(s, SLICE("/a"), false, &overflow), "{other}");
	assert_slice(template_set_get(s, SLICE("/a"), true, &overflow), "/a");
	for (unsigned i = 0; i < 2; i++) {
		assert_slice(template_set_get(s, SLICE("/b"), true, &overflow), "{other}");
		assert_true(overflow);
	}
	assert_slice(template_set_get(s, SLICE("/a"), false, &overflow), "/a");
	assert_false(overflow);
	template_set_free(s);
}

UNIT_MAIN(T(rules), T(never_longer_than_its_room), T(long_segments_cost_little), T(set_is_bounded),
	  T(not_found_teaches_nothing), T(remembered_paths_are_exact),
	  T(what_has_no_place_is_not_remembered))
