/* SPDX-License-Identifier: Apache-2.0 */
/*
 * txn_fields.c: what of a head is kept, what never is, and the parts that are read from fields.
 */
#include "txn_kit.h"

#include "base/arena.h"
#include "txn/fields.h"

#define F(n, v)                                                                                    \
	{                                                                                          \
		{ n, sizeof(n) - 1 },                                                              \
		{                                                                                  \
			v, sizeof(v) - 1                                                           \
		}                                                                                  \
	}

static void never_kept(void **state)
{
	static const char *const secrets[] = {
		"Authorization",
		"authorization",
		"Cookie",
		"COOKIE",
		"Set-Cookie",
		"Set-Cookie2",
		"cookie2",
		"X-Api-Key",
		"X-Auth-Token",
		"X-CSRF-Token",
		"Proxy-Authorization",
		"WWW-Authenticate",
		"X-Amz-Security-Token",
		"",
	};
	struct field_index index;

	field_index_init(&index);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		assert_null(field_kept(&index, slice_str(secrets[i])).at);
}

static void kept_in_lower_case(void **state)
{
	static const char *const wanted[] = { "Host", "USER-AGENT", "TraceParent", "server-timing",
					      "Sec-Fetch-Dest" };
	struct field_index index;

	field_index_init(&index);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct slice k = field_kept(&index, slice_str(wanted[i]));

		assert_true(slice_ieq(k, slice_str(wanted[i])));
		for (size_t j = 0; j < k.len; j++)
			assert_false(k.at[j] >= 'A' && k.at[j] <= 'Z');
	}
	/* Each single-octet change of a kept name is another name. */
	for (size_t j = 0; j < 4; j++) {
		char name[] = "host";

		name[j]++;
		assert_null(field_kept(&index, slice_str(name)).at);
	}
}

/* Names that rules ask for: kept from then on, until others are asked for; never those of secrets. */
static void kept_beside_the_list(void **state)
{
	static const struct slice two[] = { SLICE("x-shop-cart"), SLICE("hx-request") },
				  one[] = { SLICE("x-order"), SLICE("host") };
	static const char *const secrets[] = { "authorization", "cookie",
					       "set-cookie",	"proxy-authorization",
					       "x-api-key",	"x-auth-token",
					       "x-csrf-token",	"www-authenticate" };
	static const char *const odd[] = { "x", "X-Shop", "a b", "x:y", "" };
	static struct field_index index;
	struct slice kept;

	field_index_init(&index);
	assert_null(field_kept(&index, SLICE("X-Shop-Cart")).at);
	assert_int_equal(field_index_keep(&index, two, 2), 0);
	kept = field_kept(&index, SLICE("X-Shop-Cart"));
	assert_slice(kept, "x-shop-cart");
	assert_slice(field_kept(&index, SLICE("HX-Request")), "hx-request");
	assert_slice(field_kept(&index, SLICE("Referer")), "referer");
	assert_int_equal(field_index_keep(&index, one, 2), 0);
	assert_null(field_kept(&index, SLICE("x-shop-cart")).at);
	assert_slice(field_kept(&index, SLICE("X-Order")), "x-order");
	assert_slice(field_kept(&index, SLICE("Host")), "host");
	assert_slice(kept, "x-shop-cart"); /* transactions still point at it */
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		struct slice s = slice_str(secrets[i]);

		assert_int_equal(field_index_keep(&index, &s, 1), -1 /* EPERM */);
		assert_null(field_kept(&index, s).at);
	}
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct slice s = slice_str(odd[i]);

		assert_int_equal(field_index_keep(&index, &s, 1), -22 /* EINVAL */);
	}
	assert_slice(field_kept(&index, SLICE("X-Order")), "x-order");
}

/* Names of all calls together are bounded, since none may be forgotten. */
static void names_beside_the_list_are_bounded(void **state)
{
	static struct field_index index;
	char text[FIELDS_MORE + 1][16];
	struct slice names[FIELDS_MORE + 1];

	field_index_init(&index);
	for (unsigned i = 0; i <= FIELDS_MORE; i++)
		names[i] =
			slice_of(text[i], (size_t)snprintf(text[i], sizeof(text[i]), "x-f%u", i));
	assert_int_equal(field_index_keep(&index, names, FIELDS_MORE + 1), -28 /* ENOSPC */);
	assert_null(field_kept(&index, SLICE("x-f0")).at);
	assert_int_equal(field_index_keep(&index, names, FIELDS_MORE), 0);
	for (unsigned i = 0; i < FIELDS_MORE; i++)
		assert_true(slice_eq(field_kept(&index, names[i]), names[i]));
	assert_int_equal(field_index_keep(&index, &names[FIELDS_MORE], 1), -28);
	assert_int_equal(field_index_keep(&index, names, 3), 0);
}

static void copies(void **state)
{
	static const struct field fields[] = {
		F("Host", "shop.example"),
		F("Cookie", "sid=secret"),
		F("Referer", "http://me:pw@shop.example/a?b"),
		F("Accept", ""),
		F("Authorization", "Bearer secret"),
		F("Host", "second.example"),
	};
	struct head h = { .fields = fields, .field_count = 6 };
	struct field_index index;
	struct slice host = { 0 }, upgrade = { 0 };
	struct slice *const named[FIELD_NAMES] = {
		[FIELD_HOST] = &host, [FIELD_UPGRADE] = &upgrade
	};
	struct txn_message m = { 0 };
	struct arena_pool pool;
	struct arena a;

	arena_pool_init(&pool, 1000, 10000);
	arena_init(&a, &pool);
	field_index_init(&index);
	assert_int_equal(fields_copy(&index, &a, &h, &m, named), 0);
	assert_int_equal(m.field_count, 4);
	assert_slice(host, "shop.example"); /* the first of two */
	assert_slice(m.fields[1].name, "referer");
	assert_slice(m.fields[1].value, "http://shop.example/a?b");
	assert_slice(m.fields[2].name, "accept");
	assert_slice(m.fields[2].value, "");
	assert_non_null(m.fields[2].value.at);
	assert_slice(m.fields[3].value, "second.example");
	assert_null(upgrade.at);
	arena_clear(&a);
	arena_pool_done(&pool);
}

static void many_fields(void **state)
{
	static struct field fields[HEAD_FIELDS];
	struct head h = { .fields = fields, .field_count = HEAD_FIELDS };
	struct field_index index;
	struct slice host = { 0 }, upgrade = { 0 };
	struct slice *const named[FIELD_NAMES] = {
		[FIELD_HOST] = &host, [FIELD_UPGRADE] = &upgrade
	};
	struct txn_message m = { 0 };
	struct arena_pool pool;
	struct arena a;

	for (unsigned i = 0; i < HEAD_FIELDS; i++)
		fields[i] = (struct field){ SLICE("Via"), SLICE("1.1 proxy") };
	arena_pool_init(&pool, 1000, 10000);
	arena_init(&a, &pool);
	field_index_init(&index);
	assert_int_equal(fields_copy(&index, &a, &h, &m, named), 0);
	assert_int_equal(m.field_count, FIELDS_KEPT);
	arena_clear(&a);
	pool.max_bytes = 0;
	arena_pool_done(&pool);
	arena_pool_init(&pool, 1000, 500);
	m = (struct txn_message){ 0 };
	assert_true(fields_copy(&index, &a, &h, &m, named) < 0);
	assert_int_equal(m.field_count, 0);
	arena_pool_done(&pool);
}

static void parts_of_a_transaction(void **state)
{
	static const struct field asked[] = {
		F("Host", "shop.example:8080"),
		F("User-Agent", "check/1.0"),
		F("X-Forwarded-For", "192.0.2.1, 10.0.0.1"),
		F("Content-Type", "application/json"),
	};
	static const struct field answered[] = {
		F("Content-Type", "text/html"),
		F("Location", "https://u:p@shop.example/next"),
	};
	struct txn_limits l = kit_limits();
	struct connection c = kit_conn(1);
	struct head h = { .size = 20, .status = 302, .fields = answered, .field_count = 2 };
	const struct transaction *t = &kit.seen[0];

	kit_start(&l);
	kit.in.open(kit.in.ctx, &c, true);
	kit_request(&c, 0, 10, "BREW", "/pot/1?x=%20", asked, 4);
	kit_end(&c, true, 10, 10, 0, MESSAGE_COMPLETE);
	kit.in.response(kit.in.ctx, &c, &h);
	kit_end(&c, false, 20, 20, 0, MESSAGE_COMPLETE);
	assert_slice(t->method, "BREW");
	assert_false(t->method_known);
	assert_slice(t->scheme, "http");
	assert_slice(t->path, "/pot/1");
	assert_slice(t->query, "x=%20");
	assert_slice(t->template_, "/pot/{id}");
	assert_slice(t->authority, "shop.example:8080");
	assert_slice(t->server_name, "shop.example");
	assert_int_equal(t->authority_port, 8080);
	assert_int_equal(t->server_port, 80);
	assert_slice(t->user_agent, "check/1.0");
	assert_slice(t->content_type, "application/json");
	assert_slice(t->response_type, "text/html");
	assert_slice(t->location, "https://shop.example/next");
	assert_null(t->referer.at);
	/* RFC 9112 3.2.2: the target's authority comes before the Host field's. */
	kit_request(&c, 10, 10, "GET", "http://u:p@other.example/?a", asked, 4);
	kit_end(&c, true, 20, 10, 0, MESSAGE_COMPLETE);
	kit_response(&c, 20, 20, 200, 0);
	kit_end(&c, false, 40, 20, 0, MESSAGE_COMPLETE);
	assert_slice(kit.seen[1].server_name, "other.example");
	assert_slice(kit.seen[1].path, "/");
	assert_slice(kit.seen[1].query, "a");
	assert_true(kit.seen[1].method_known);
	kit.in.close(kit.in.ctx, &c, STREAM_CLOSE_GONE);
	kit_stop();
}

/* A client end whose opener was unknown: ISN and positions as abi.h says, corrected by the side. */
static void exchange_of_an_unknown_opener(void **state)
{
	struct connection c = kit_conn(1);
	struct exchange e;

	assert_true(exchange_of(&c, SIDE_SERVER, &e));
	assert_int_equal(e.isn_client, 1000);
	assert_int_equal(e.isn_server, 2000);
	assert_u64(e.request_shift, 0);
	c.flags = PC_F_JOINED;
	c.isn[PC_TX] = UINT32_MAX;
	assert_true(exchange_of(&c, SIDE_CLIENT, &e));
	assert_int_equal(e.isn_client, 0);
	assert_int_equal(e.isn_server, 1000);
	assert_u64(e.request_shift, 1);
	c.isn[PC_TX] = c.isn[PC_RX] = 0;
	assert_false(exchange_of(&c, SIDE_CLIENT, &e));
}

UNIT_MAIN(T(never_kept), T(kept_in_lower_case), T(kept_beside_the_list),
	  T(names_beside_the_list_are_bounded), T(copies), T(many_fields),
	  T(parts_of_a_transaction), T(exchange_of_an_unknown_opener))
