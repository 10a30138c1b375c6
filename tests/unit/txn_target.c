/* SPDX-License-Identifier: Apache-2.0 */
/*
 * txn_target.c: the four forms of RFC 9112 section 3.2, authorities, and user-info, which must never
 * come out of anything.
 */
#include "unit.h"

#include <string.h>

#include "txn/target/target.h"

#define NONE_ "\x01" /* at == NULL */

struct target_case {
	const char *method, *target;
	enum target_form form;
	const char *scheme, *authority, *path, *query;
};

static const struct target_case cases[] = {
	{ "GET", "/", TARGET_ORIGIN, NONE_, NONE_, "/", NONE_ },
	{ "GET", "/where?q=now", TARGET_ORIGIN, NONE_, NONE_, "/where", "q=now" },
	{ "GET", "/a?", TARGET_ORIGIN, NONE_, NONE_, "/a", "" },
	{ "GET", "/a?b?c", TARGET_ORIGIN, NONE_, NONE_, "/a", "b?c" },
	{ "GET", "/@user/x", TARGET_ORIGIN, NONE_, NONE_, "/@user/x", NONE_ },
	{ "GET", "//two", TARGET_ORIGIN, NONE_, NONE_, "//two", NONE_ },
	{ "GET", "/http://x/", TARGET_ORIGIN, NONE_, NONE_, "/http://x/", NONE_ },
	{ "GET", "http://www.example.org/pub/x.html", TARGET_ABSOLUTE, "http", "www.example.org",
	  "/pub/x.html", NONE_ },
	{ "GET", "HTTPS://h:8443/?a", TARGET_ABSOLUTE, "HTTPS", "h:8443", "/", "a" },
	{ "GET", "http://h", TARGET_ABSOLUTE, "http", "h", "/", NONE_ },
	{ "GET", "http://h?a=b", TARGET_ABSOLUTE, "http", "h", "/", "a=b" },
	{ "GET", "http://me:pw@h/p", TARGET_ABSOLUTE, "http", "h", "/p", NONE_ },
	{ "GET", "http://a@b@h/p", TARGET_ABSOLUTE, "http", "h", "/p", NONE_ },
	{ "GET", "http:///p", TARGET_ABSOLUTE, "http", "", "/p", NONE_ },
	{ "OPTIONS", "http://www.example.org:8001", TARGET_ABSOLUTE, "http", "www.example.org:8001",
	  "*", NONE_ },
	{ "OPTIONS", "*", TARGET_ASTERISK, NONE_, NONE_, "*", NONE_ },
	{ "CONNECT", "www.example.com:80", TARGET_AUTHORITY, NONE_, "www.example.com:80", NONE_,
	  NONE_ },
	{ "CONNECT", "[::1]:443", TARGET_AUTHORITY, NONE_, "[::1]:443", NONE_, NONE_ },
	{ "CONNECT", "u:p@h:443", TARGET_AUTHORITY, NONE_, "h:443", NONE_, NONE_ },
	{ "CONNECT", "h", TARGET_NONE, NONE_, NONE_, "h", NONE_ },
	{ "CONNECT", "h:99999", TARGET_NONE, NONE_, NONE_, "h:99999", NONE_ },
	{ "CONNECT", "/x:1", TARGET_NONE, NONE_, NONE_, "/x:1", NONE_ },
	{ "GET", "www.example.com:80", TARGET_NONE, NONE_, NONE_, "www.example.com:80", NONE_ },
	{ "GET", "mailto:me@h", TARGET_NONE, NONE_, NONE_, "h", NONE_ },
	{ "GET", "u:secret@h/x?y", TARGET_NONE, NONE_, NONE_, "h/x", "y" },
	{ "GET", "", TARGET_NONE, NONE_, NONE_, "", NONE_ },
	{ "GET", "?", TARGET_NONE, NONE_, NONE_, "", "" },
};

static void same(const char *of, struct slice got, const char *expect)
{
	if (!strcmp(expect, NONE_)) {
		if (got.at)
			fail_msg("%s: %.*s instead of nothing", of, (int)got.len, got.at);
		return;
	}
	if (!got.at || !slice_eq(got, slice_str(expect)))
		fail_msg("%s: '%.*s' instead of '%s'", of, (int)got.len, got.at, expect);
}

static void forms(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct target_case *k = &cases[i];
		struct target t;

		target_parse(slice_str(k->method), slice_str(k->target), &t);
		if (t.form != k->form)
			fail_msg("%s: form %d", k->target, t.form);
		same(k->target, t.scheme, k->scheme);
		same(k->target, t.authority, k->authority);
		if (strcmp(k->path, NONE_))
			same(k->target, t.path, k->path);
		else
			assert_int_equal(t.path.len, 0);
		same(k->target, t.query, k->query);
	}
}

static void authorities(void **state)
{
	static const struct {
		const char *in, *name;
		uint16_t port;
	} list[] = {
		{ "h", "h", 0 },
		{ "h:80", "h", 80 },
		{ "[::1]", "::1", 0 },
		{ "[fe80::1]:8080", "fe80::1", 8080 },
		{ "h:", "h", 0 },
		{ "h:x", "h", 0 },
		{ "h:65536", "h", 0 },
		{ "", "", 0 },
		{ ":80", "", 80 },
		{ "u@h:1", "h", 1 },
		{ "[::1", "[", 0 },
		{ "[::1]x:80", "::1", 0 },
		{ "10.0.0.1:1", "10.0.0.1", 1 },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct authority a;

		authority_parse(slice_str(list[i].in), &a);
		same(list[i].in, a.name, list[i].name);
		if (a.port != list[i].port)
			fail_msg("%s: port %u", list[i].in, a.port);
	}
}

static void references(void **state)
{
	static const struct {
		const char *in, *front, *rest;
	} list[] = {
		{ "http://h/p?q", "http://h/p?q", "" },
		{ "http://u:p@h/p?q#f", "http://", "h/p?q#f" },
		{ "//u@h/p", "//", "h/p" },
		{ "/p/@x", "/p/@x", "" },
		{ "http://h/a@b", "http://h/a@b", "" },
		{ "https://u@", "https://", "" },
		{ "", "", "" },
		{ "about:blank", "about:blank", "" },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct slice front, rest;

		reference_strip(slice_str(list[i].in), &front, &rest);
		assert_true(slice_eq(front, slice_str(list[i].front)));
		assert_true(slice_eq(rest, slice_str(list[i].rest)));
	}
}

/* Every prefix of a target with a password: whatever the form, the password is not there. */
static void no_prefix_leaks(void **state)
{
	static const char whole[] = "http://user:secret@shop.example:81/p?q=1";
	static const char *const methods[] = { "GET", "CONNECT", "OPTIONS" };

	for (size_t m = 0; m < 3; m++) {
		for (size_t n = sizeof("http://user:secret"); n < sizeof(whole); n++) {
			struct slice parts[4];
			struct target t;

			target_parse(slice_str(methods[m]), slice_of(whole, n), &t);
			memcpy(parts, (struct slice[]){ t.scheme, t.authority, t.path, t.query },
			       sizeof(parts));
			for (size_t i = 0; i < 4; i++)
				assert_true(slice_find_slice(parts[i], SLICE("secret")) < 0);
		}
	}
}

UNIT_MAIN(T(forms), T(authorities), T(references), T(no_prefix_leaks))
