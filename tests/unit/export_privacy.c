/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may leave: a table of things that must not, each put wherever such a thing can stand, and a
 * table of ordinary texts that must stay as they are.
 */
#include "unit.h"

#include <stdlib.h>

#include "export/privacy.h"
#include "sample.h"

/* Made up for this test; none opens anything. */
static const char *const secrets[] = {
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
	"eyJhbGciOiJub25lIn0",
	"ghp_16C7e42F292c6912E7710c838347Ae178B4a",
	"xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
	"AKIAIOSFODNN7EXAMPLE",
	"wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
	"sk_live_4eC39HqLyjWDarjtT1zdp7dc",
	"AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY",
	"glpat-XxYyZz1234567890abcd",
	"npm_1234567890abcdefghijklmnopqrstuvwxyz",
	"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",
	"d41d8cd98f00b204e9800998ecf8427e",
	"da39a3ee5e6b4b0d3255bfef95601890afd80709",
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"550e8400-e29b-41d4-a716-446655440000",
	"550E8400-E29B-41D4-A716-446655440000",
	"01ARZ3NDEKTSV4RRFFQ69G5FAV",
	"507f1f77bcf86cd799439011",
	"cjld2cjxh0000qzrmn831i7rn",
	"V1StGXR8_Z5jdHi6B-myT",
	"john.doe@example.com",
	"john.doe%40example.com",
	"j.doe+shop@mail.example.co.uk",
	"j@x.org",
	"@john@example.com",
	"john@intranet",
	"user:password@shop",
	"john%2540example.com",
	"john%252540example.com",
	"%6a%6fhn%25252540example.com",
	"4111%2525201111%2525201111%2525201111",
	"4111111111111111",
	"4111-1111-1111-1111",
	"4111%201111%201111%201111",
	"DE89370400440532013000",
	"GB29NWBK60161331926819",
	"+4915112345678",
	"+49-151-12345678",
	"0151 12345678",
	"078-05-1120",
	"19800101",
	"1234567",
	"100000",
	"192.168.17.23",
	"10.0.0.15",
	"2001:db8::ff00:42:8329",
	"fe80::1ff:fe23:4567:890a",
	"sess_9f8b7c6d5e4f3a2b1c0d",
	"QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
	"dXNlcjpwYXNzd29yZDEyMzQ1Njc4",
	"MTIzNDU2Nzg5MDEyMzQ1Njc4OTA",
	"0xdeadbeefcafebabe0123456789abcdef",
	"a1b2c3d4e5f6",
	"x7Kq9ZpL2mN4",
	"order-20231105-0000123",
	"customer_00012345",
	"TRK1Z999AA10123456784",
	"1Z999AA10123456784",
	"MRN-00483920",
	"hunter2hunter2hunter2",
	"PHPSESSID0a1b2c3d4e5f6g7h8i9j",
	"0a1b2c3d-invite-4e5f6a7b8c9d0e1f",
	"rEsEtPaSsWoRdToKeNaBcDeFgH",
};

static const char *const ordinary[] = {
	"/",
	"",
	"/index.html",
	"/shop/cart",
	"/products/red-running-shoes-size-42",
	"/how-to-write-a-very-long-blog-post-title-about-nothing-in-particular",
	"/api/v1/orders/17",
	"/orders/12345",
	"/2023/11/05/news",
	"/static/css/bootstrap.min.css",
	"/jquery-3.7.1.min.js",
	"/wp-content/themes/twentytwentythree/style.css",
	"/checkout/shippingAddressSelection",
	"/CategoryOverviewPage",
	"/a/b/c/d/e/f",
	"/caf%C3%A9/menu",
	"/graphql",
	"/.well-known/security.txt",
	"/users/john.smith", /* a person's word is a word like any other: documented */
	"/page-2",
	"/release-1.2.3",
	"//double//slash/",
};

static struct slice cleaned(struct buf *b, struct slice path)
{
	buf_clear(b);
	privacy_path(path, b);
	assert_false(b->failed);
	return buf_slice(b);
}

static void in_a_path(void **state)
{
	static const char *const frames[] = { "/%s",  "/a/%s/b",   "/a/%s",
					      "%s/x", "/a;p=%s/b", "/a;%s" };
	struct buf out;
	int stayed = 0;

	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		for (size_t f = 0; f < sizeof(frames) / sizeof(frames[0]); f++) {
			char path[256];
			struct slice s;

			snprintf(path, sizeof(path), frames[f], secrets[i]);
			s = cleaned(&out, slice_str(path));
			if (slice_find_slice(s, slice_str(secrets[i])) >= 0) {
				print_error("%s stays in %s\n", secrets[i], path);
				stayed++;
			}
			assert_int_equal(privacy_path_speaks(slice_str(path)),
					 !slice_eq(s, slice_str(path)));
		}
	}
	assert_int_equal(stayed, 0);
	buf_done(&out);
}

static void in_a_query(void **state)
{
	struct buf out;
	int stayed = 0;

	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		char query[512];

		buf_clear(&out);
		snprintf(query, sizeof(query), "%s&a=%s&%s=1&b=%s", secrets[i], secrets[i],
			 secrets[i], secrets[i]);
		privacy_query(slice_str(query), NULL, &out);
		if (slice_find_slice(buf_slice(&out), slice_str(secrets[i])) >= 0) {
			print_error("%s stays in %.*s\n", secrets[i], (int)out.len, out.at);
			stayed++;
		}
	}
	assert_int_equal(stayed, 0);
	buf_done(&out);
}

static void ordinary_stays(void **state)
{
	struct buf out;
	int changed = 0;

	buf_init(&out, 1 << 16);
	for (size_t i = 0; i < sizeof(ordinary) / sizeof(ordinary[0]); i++) {
		struct slice s = cleaned(&out, slice_str(ordinary[i]));

		if (!slice_eq(s, slice_str(ordinary[i]))) {
			print_error("%s became %.*s\n", ordinary[i], (int)s.len, s.at);
			changed++;
		}
		assert_false(privacy_path_speaks(slice_str(ordinary[i])));
	}
	assert_int_equal(changed, 0);
	buf_done(&out);
}

static void query_forms(void **state)
{
	static const char *const keep[] = { "page", "utm_source", NULL };
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "" },
		{ "a=1", "a=REDACTED" },
		{ "a=", "a=" },
		{ "a", "REDACTED" }, /* ?alice: a value without a name */
		{ "alice.smith&b=1&wsdl", "REDACTED&b=REDACTED&REDACTED" },
		{ "page&PAGE", "page&REDACTED" },
		{ "a=1&b=2", "a=REDACTED&b=REDACTED" },
		{ "page=3&q=x", "page=3&q=REDACTED" },
		{ "page=3&page=4", "page=3&page=4" },
		{ "PAGE=3", "PAGE=REDACTED" }, /* names are case sensitive */
		{ "utm_source=mail&utm_medium=x", "utm_source=mail&utm_medium=REDACTED" },
		{ "filter[size]=42", "filter[size]=REDACTED" },
		{ "a=b=c", "a=REDACTED" },
		{ "=x", "=REDACTED" },
		{ "&&", "&&" },
		{ "a b=1", "REDACTED=REDACTED" },
		{ "<script>", "REDACTED" },
	};
	struct buf out;

	buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&out);
		privacy_query(slice_str(cases[i].in), keep, &out);
		if (!slice_eq(buf_slice(&out), slice_str(cases[i].out)))
			fail_msg("%s became %.*s", cases[i].in, (int)out.len, out.at);
	}
	buf_done(&out);
}

static void urls(void **state)
{
	static const struct {
		const char *in, *strict, *none;
	} cases[] = {
		{ "http://user:pw@shop.example/a?b=c#d", "http://shop.example/a?b=REDACTED",
		  "http://shop.example/a?b=c#d" },
		{ "https://a@b@shop.example/", "https://shop.example/", "https://shop.example/" },
		{ "//user@shop.example/x", "//shop.example/x", "//shop.example/x" },
		{ "/relative/john@example.com?x=1", "/relative/{email}?x=REDACTED",
		  "/relative/john@example.com?x=1" },
		{ "http://shop.example", "http://shop.example", "http://shop.example" },
		{ "http://shop.example?x=1", "http://shop.example?x=REDACTED",
		  "http://shop.example?x=1" },
		{ "mailto:john@example.com", "REDACTED", "mailto:john@example.com" },
		{ "data:text/plain,john", "REDACTED", "data:text/plain,john" },
		/* An address in a query is no authority of the reference. */
		{ "/login?email=john&next=http://shop.example/a",
		  "/login?email=REDACTED&next=REDACTED",
		  "/login?email=john&next=http://shop.example/a" },
		{ "go?who=john&to=http://shop.example/", "go?who=REDACTED&to=REDACTED",
		  "go?who=john&to=http://shop.example/" },
		{ "/reset/d41d8cd98f00b204e9800998ecf8427e/http://shop.example/",
		  "/reset/{token}/http://shop.example/",
		  "/reset/d41d8cd98f00b204e9800998ecf8427e/http://shop.example/" },
		{ "http://u:p@h:8080/reset/d41d8cd98f00b204e9800998ecf8427e",
		  "http://h:8080/reset/{token}",
		  "http://h:8080/reset/d41d8cd98f00b204e9800998ecf8427e" },
		{ "", "", "" },
	};
	struct buf out;

	buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int none = 0; none < 2; none++) {
			struct privacy_rules rules = { .mode = none ? PRIVACY_NONE
								    : PRIVACY_AUDIENCE };
			const char *want = none ? cases[i].none : cases[i].strict;

			buf_clear(&out);
			privacy_url(slice_str(cases[i].in), &rules, &out);
			if (!slice_eq(buf_slice(&out), slice_str(want)))
				fail_msg("%s became %.*s, not %s", cases[i].in, (int)out.len,
					 out.at, want);
		}
	}
	buf_done(&out);
}

#define HOME                                                                                       \
	"/home"                                                                                    \
	"/" /* in pieces: no path of a real machine */

static void executables(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "/usr/sbin/nginx", "/usr/sbin/nginx" },
		{ HOME "alice/bin/shop", HOME "{user}/bin/shop" },
		{ HOME "alice@corp.example/.nvm/v20/bin/node", HOME "{user}/.nvm/v20/bin/node" },
		{ "/var/home/alice/shop", "/var/home/{user}/shop" },
		{ "/nfs/home//alice/shop", "/nfs/home//{user}/shop" },
		{ HOME "home/shop", HOME "{user}/shop" },
		{ HOME "shop", HOME "shop" },
		{ "/opt/homes/alice/shop", "/opt/homes/alice/shop" },
		{ "/opt/at-home/alice/shop", "/opt/at-home/alice/shop" },
		{ "", "" },
	};
	struct buf out;

	buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice s = privacy_executable(slice_str(cases[i].in), &out);

		if (!slice_eq(s, slice_str(cases[i].out)))
			fail_msg("%s became %.*s", cases[i].in, (int)s.len, s.at);
	}
	assert_false(out.failed);
	buf_done(&out);
}

static void addresses(void **state)
{
	static const struct {
		const char *in, *cut;
	} cases[] = {
		{ "192.0.2.77", "192.0.2.0" },
		{ "10.1.2.3", "10.1.2.0" },
		{ "127.0.0.1", "127.0.0.0" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1::" },
		{ "::1", "::" },
	};
	char text[46];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pc_addr a = sample_addr(cases[i].in, 1);

		privacy_address(&a, false, text);
		assert_string_equal(text, cases[i].in);
		privacy_address(&a, true, text);
		assert_string_equal(text, cases[i].cut);
	}
}

/* The whole view: what none shows and audience does not. */
static void views(void **state)
{
	static const char *const keep[] = { "item", NULL };
	struct privacy_rules rules = { .mode = PRIVACY_NONE };
	struct transaction t = sample();
	struct view v;

	t.path = SLICE("/users/john.doe@example.com/orders");
	t.client_source = "x-forwarded-for";
	t.client_is_peer = false;
	t.client = sample_addr("203.0.113.99", 0);
	t.response_type = SLICE("application/pdf ; name=\"John Doe.pdf\"");
	view_init(&v);
	assert_int_equal(view_make(&v, &rules, &t), 0);
	assert_slice(v.path, "/users/john.doe@example.com/orders");
	assert_slice(v.query, "item=7&q=shoes");
	assert_string_equal(v.peer, "192.0.2.77");
	assert_string_equal(v.client, "203.0.113.99");
	assert_true(v.user_agent.len > 0);
	assert_int_equal(v.response_type.len, t.response_type.len);

	rules = (struct privacy_rules){ .mode = PRIVACY_AUDIENCE, .query_keep = keep };
	assert_int_equal(view_make(&v, &rules, &t), 0);
	assert_slice(v.path, "/users/{email}/orders");
	assert_slice(v.query, "item=7&q=REDACTED");
	assert_slice(v.referer, "http://shop.example/list?page=REDACTED");
	assert_string_equal(v.peer, "192.0.2.0");
	assert_string_equal(v.client, "203.0.113.0");
	assert_string_equal(v.local, "10.1.2.0"); /* our own is a person's, on a desktop */
	assert_null(v.user_agent.at);
	assert_null(v.content_type.at); /* none was sent */
	assert_slice(v.response_type, "application/pdf");

	rules.peer_address = true;
	t.client_source = "peer";
	t.client = t.remote;
	assert_int_equal(view_make(&v, &rules, &t), 0);
	assert_string_equal(v.peer, "192.0.2.77");
	assert_string_equal(v.client, "192.0.2.77");
	view_done(&v);
}

/* The growth that view.c reserves for is the worst: slices must not move. */
static void worst_growth(void **state)
{
	static const char *const pieces[] = { "!&", "!=b&", "=b&", ";a=b", "/a@b.c", "&" };
	struct privacy_rules rules = { .mode = PRIVACY_AUDIENCE };
	size_t most = 60000;
	char *text = malloc(most);
	struct view v;

	view_init(&v);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct transaction t = sample();
		size_t len = 0, piece = strlen(pieces[i]);

		while (len + piece <= most) {
			memcpy(text + len, pieces[i], piece);
			len += piece;
		}
		t.path = slice_of(text, len / 2);
		t.query = slice_of(text + len / 2, len - len / 2);
		t.has_query = true;
		assert_int_equal(view_make(&v, &rules, &t), 0);
		assert_false(v.scratch.failed);
		assert_true(v.query.at >= v.scratch.at &&
			    v.query.at + v.query.len <= v.scratch.at + v.scratch.len);
	}
	view_done(&v);
	free(text);
}

UNIT_MAIN(T(in_a_path), T(in_a_query), T(ordinary_stays), T(query_forms), T(urls), T(executables),
	  T(addresses), T(views), T(worst_growth))
