/* SPDX-License-Identifier: Apache-2.0 */
/*
 * txn_template.c: what in a path is an identifier, what is a name; and the bounded set.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "txn/template.h"

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

UNIT_MAIN(T(rules), T(never_longer_than_its_room), T(set_is_bounded), T(not_found_teaches_nothing))
