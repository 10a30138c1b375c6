/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_client.c: the client behind proxies. Fields as proxies write them and as strangers forge
 * them; the rule is one: a step outwards is believed only when a trusted machine made it.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/who.h"
#include "stream/address.h"

static struct trust trust;

static struct pc_addr addr(const char *text)
{
	struct pc_addr a = { 0 };

	if (*text)
		assert_int_equal(address_parse(slice_str(text), &a), 0);
	return a;
}

/* "Name: value\n…" → fields. */
static uint32_t fields_of(const char *text, struct field *ret)
{
	struct slice rest = slice_str(text);
	uint32_t n = 0;

	while (rest.at && rest.len) {
		struct slice value = slice_next(&rest, '\n'), name = slice_next(&value, ':');

		ret[n].name = name;
		ret[n++].value = slice_trim(value);
	}
	return n;
}

static struct client ask(const char *peer, const char *source, const char *fields)
{
	struct client_peer p = { .observed = true };
	struct field list[64];
	struct who_fields f;
	struct client c;

	p.unix_socket = !strcmp(peer, "unix");
	if (!p.unix_socket)
		p.address = addr(peer);
	p.source = addr(source);
	who_fields_find(list, fields_of(fields, list), &f);
	client_address(&trust, &f, &p, &c);
	return c;
}

struct client_case {
	const char *peer, *source, *fields, *expect; /* "": unobserved */
	enum client_source from;
	uint32_t flags;
};

static const struct client_case cases[] = {
	/* nobody stands between */
	{ "203.0.113.9", "", "", "203.0.113.9", CLIENT_PEER, 0 },
	{ "127.0.0.1", "", "", "127.0.0.1", CLIENT_PEER, CLIENT_INSIDE },
	{ "unix", "", "", "", CLIENT_UNOBSERVED, 0 },
	/* a stranger's word counts for nothing */
	{ "203.0.113.9", "", "X-Forwarded-For: 198.51.100.1", "203.0.113.9", CLIENT_PEER, 0 },
	{ "203.0.113.9", "", "Forwarded: for=198.51.100.1\nX-Real-IP: 198.51.100.1", "203.0.113.9",
	  CLIENT_PEER, 0 },
	{ "203.0.113.9", "198.51.100.1", "", "203.0.113.9", CLIENT_PEER, 0 },
	{ "203.0.113.9", "", "CF-Connecting-IP: 198.51.100.1", "203.0.113.9", CLIENT_PEER, 0 },
	/* nginx in front */
	{ "127.0.0.1", "", "X-Forwarded-For: 198.51.100.1\nX-Real-IP: 198.51.100.1", "198.51.100.1",
	  CLIENT_X_FORWARDED_FOR, 0 },
	{ "unix", "", "X-Forwarded-For: 198.51.100.1", "198.51.100.1", CLIENT_X_FORWARDED_FOR, 0 },
	{ "10.0.0.1", "", "x-forwarded-for: 198.51.100.1, 10.1.1.1", "198.51.100.1",
	  CLIENT_X_FORWARDED_FOR, 0 },
	{ "10.0.0.1", "", "X-Forwarded-For: 1.1.1.1, 198.51.100.1,192.168.1.1 , fd00::1",
	  "198.51.100.1", CLIENT_X_FORWARDED_FOR, 0 },
	{ "10.0.0.1", "", "X-Forwarded-For: 1.1.1.1, 198.51.100.1\nX-Forwarded-For: 10.2.2.2",
	  "198.51.100.1", CLIENT_X_FORWARDED_FOR, 0 },
	{ "10.0.0.1", "", "X-Forwarded-For: 198.51.100.1:4711, 10.2.2.2:80", "198.51.100.1",
	  CLIENT_X_FORWARDED_FOR, 0 },
	{ "::1", "", "X-Forwarded-For: 2001:db8::7", "2001:db8::7", CLIENT_X_FORWARDED_FOR, 0 },
	{ "::1", "", "X-Forwarded-For: [2001:db8::7]:443", "2001:db8::7", CLIENT_X_FORWARDED_FOR,
	  0 },
	{ "::1", "", "X-Forwarded-For: ::ffff:198.51.100.1, ::ffff:10.0.0.3", "198.51.100.1",
	  CLIENT_X_FORWARDED_FOR, 0 },
	{ "fe80::1", "", "X-Forwarded-For: ,, 198.51.100.1 ,,", "198.51.100.1",
	  CLIENT_X_FORWARDED_FOR, 0 },
	{ "::ffff:10.0.0.1", "", "X-Forwarded-For: 198.51.100.1", "198.51.100.1",
	  CLIENT_X_FORWARDED_FOR, 0 },
	/* all of them inside: the farthest */
	{ "127.0.0.1", "", "X-Forwarded-For: 192.168.1.50, 10.0.0.2", "192.168.1.50",
	  CLIENT_X_FORWARDED_FOR, CLIENT_INSIDE },
	{ "127.0.0.1", "", "X-Forwarded-For: 10.0.0.2\nX-Real-IP: 198.51.100.1", "198.51.100.1",
	  CLIENT_X_REAL_IP, 0 },
	{ "127.0.0.1", "", "X-Real-IP: 192.168.1.50", "192.168.1.50", CLIENT_X_REAL_IP,
	  CLIENT_INSIDE },
	/* RFC 7239, its own examples among them */
	{ "10.0.0.1", "", "Forwarded: for=192.0.2.43", "192.0.2.43", CLIENT_FORWARDED, 0 },
	{ "10.0.0.1", "", "Forwarded: For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17",
	  CLIENT_FORWARDED, 0 },
	{ "10.0.0.1", "", "Forwarded: for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60",
	  CLIENT_FORWARDED, 0 },
	{ "10.0.0.1", "", "Forwarded: by=10.9.9.9; FOR = 192.0.2.43 ; host=\"a,b;c\"", "192.0.2.43",
	  CLIENT_FORWARDED, 0 },
	{ "10.0.0.1", "", "Forwarded: for=192.0.2.43, for=198.51.100.17", "198.51.100.17",
	  CLIENT_FORWARDED, 0 },
	{ "10.0.0.1", "",
	  "Forwarded: for=192.0.2.43, for=\"[fd00::1]\", for=10.0.0.9;secret=\"x\\\"y,\"",
	  "192.0.2.43", CLIENT_FORWARDED, 0 },
	{ "10.0.0.1", "", "Forwarded: for=192.0.2.43\nForwarded: for=10.3.3.3", "192.0.2.43",
	  CLIENT_FORWARDED, 0 },
	{ "10.0.0.1", "", "Forwarded: for=192.0.2.43, for=unknown", "", CLIENT_UNOBSERVED,
	  CLIENT_HIDDEN },
	{ "10.0.0.1", "", "Forwarded: for=_gazonk", "", CLIENT_UNOBSERVED, CLIENT_HIDDEN },
	{ "10.0.0.1", "", "Forwarded: for=\"_gazonk:_p\", for=10.0.0.9", "", CLIENT_UNOBSERVED,
	  CLIENT_HIDDEN },
	{ "10.0.0.1", "", "Forwarded: proto=https", "", CLIENT_UNOBSERVED, CLIENT_HIDDEN },
	{ "10.0.0.1", "", "Forwarded: for=\"[2001:db8::1]", "", CLIENT_UNOBSERVED,
	  CLIENT_MALFORMED },
	{ "10.0.0.1", "", "Forwarded: for", "", CLIENT_UNOBSERVED, CLIENT_MALFORMED },
	{ "10.0.0.1", "", "Forwarded: for=", "", CLIENT_UNOBSERVED, CLIENT_MALFORMED },
	/* two that say the same; two that do not: nginx passes Forwarded on as the client sent it */
	{ "10.0.0.1", "", "Forwarded: for=198.51.100.1\nX-Forwarded-For: 198.51.100.1",
	  "198.51.100.1", CLIENT_X_FORWARDED_FOR, 0 },
	{ "10.0.0.1", "", "Forwarded: for=1.1.1.1\nX-Forwarded-For: 198.51.100.1", "198.51.100.1",
	  CLIENT_X_FORWARDED_FOR, CLIENT_DIFFERS },
	/* hidden in one, named in another */
	{ "10.0.0.1", "", "X-Forwarded-For: unknown\nForwarded: for=198.51.100.1", "198.51.100.1",
	  CLIENT_FORWARDED, CLIENT_HIDDEN },
	{ "10.0.0.1", "", "X-Forwarded-For: unknown, 10.0.0.2", "", CLIENT_UNOBSERVED,
	  CLIENT_HIDDEN },
	/* garbage left of the answer is not looked at; right of it nothing is believed */
	{ "10.0.0.1", "", "X-Forwarded-For: <script>, ';--, 198.51.100.1", "198.51.100.1",
	  CLIENT_X_FORWARDED_FOR, 0 },
	{ "10.0.0.1", "", "X-Forwarded-For: 198.51.100.1, <script>", "", CLIENT_UNOBSERVED,
	  CLIENT_MALFORMED },
	{ "10.0.0.1", "", "X-Forwarded-For: 198.51.100.1, 300.1.1.1", "", CLIENT_UNOBSERVED,
	  CLIENT_MALFORMED },
	{ "10.0.0.1", "", "X-Forwarded-For: ", "10.0.0.1", CLIENT_PEER, CLIENT_INSIDE },
	/* networks of one address */
	{ "10.0.0.1", "", "CF-Connecting-IP: 198.51.100.1", "198.51.100.1", CLIENT_CF_CONNECTING_IP,
	  0 },
	{ "10.0.0.1", "", "True-Client-IP: 2001:db8::1", "2001:db8::1", CLIENT_TRUE_CLIENT_IP, 0 },
	{ "10.0.0.1", "", "Fastly-Client-IP: 198.51.100.1", "198.51.100.1", CLIENT_FASTLY_CLIENT_IP,
	  0 },
	{ "10.0.0.1", "", "X-Real-IP: 198.51.100.1", "198.51.100.1", CLIENT_X_REAL_IP, 0 },
	{ "10.0.0.1", "", "X-Real-IP: 198.51.100.1\nX-Real-IP: 198.51.100.2", "", CLIENT_UNOBSERVED,
	  CLIENT_MALFORMED },
	{ "10.0.0.1", "", "X-Real-IP: 198.51.100.1, 198.51.100.2", "", CLIENT_UNOBSERVED,
	  CLIENT_MALFORMED },
	{ "10.0.0.1", "", "X-Forwarded-For: 198.51.100.1\nCF-Connecting-IP: 1.1.1.1",
	  "198.51.100.1", CLIENT_X_FORWARDED_FOR, 0 },
	/* PROXY protocol */
	{ "10.0.0.1", "198.51.100.1", "", "198.51.100.1", CLIENT_PROXY_PROTOCOL, 0 },
	{ "10.0.0.1", "198.51.100.1", "X-Forwarded-For: 1.1.1.1", "198.51.100.1",
	  CLIENT_PROXY_PROTOCOL, 0 },
	{ "10.0.0.1", "10.0.0.7", "X-Forwarded-For: 198.51.100.1", "198.51.100.1",
	  CLIENT_X_FORWARDED_FOR, 0 },
	{ "10.0.0.1", "10.0.0.7", "", "10.0.0.7", CLIENT_PROXY_PROTOCOL, CLIENT_INSIDE },
	{ "unix", "198.51.100.1", "", "198.51.100.1", CLIENT_PROXY_PROTOCOL, 0 },
};

static void chains(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct client_case *k = &cases[i];
		struct client c = ask(k->peer, k->source, k->fields);
		struct pc_addr expect = addr(k->expect);

		if (memcmp(c.address.ip, expect.ip, 16) || c.source != k->from ||
		    c.flags != k->flags)
			fail_msg("case %zu, %s | %s: source %d, flags %x", i, k->peer, k->fields,
				 c.source, c.flags);
	}
}

static void an_unobserved_peer(void **state)
{
	struct client_peer p = { .observed = false };
	struct field list[4];
	struct who_fields f;
	struct client c;

	who_fields_find(list, fields_of("X-Forwarded-For: 198.51.100.1", list), &f);
	client_address(&trust, &f, &p, &c);
	assert_int_equal(c.source, CLIENT_UNOBSERVED);
	assert_true(address_is_none(&c.address));
}

/* What the operator says is trusted: a network that serves shops has public addresses. */
static void own_networks(void **state)
{
	static const char *const bad[] = {
		"",	      "10.0.0.0/33", "10.0.0.1/8", "::/129",	  "2001:db8::1/32",
		"10.0.0.0/x", "10.0.0.0/",   "x",	   "10.0.0.1:80", "fe80::1%eth0"
	};
	struct trust before = trust;
	struct client c;

	assert_int_equal(trust_add(&trust, SLICE("198.51.100.0/24")), 0);
	assert_int_equal(trust_add(&trust, SLICE("2001:db8::/32")), 0);
	assert_int_equal(trust_add(&trust, SLICE("203.0.113.77")), 0);
	c = ask("198.51.100.1", "", "X-Forwarded-For: 192.0.2.1, 2001:db8:1::1, 203.0.113.77");
	assert_int_equal(c.source, CLIENT_X_FORWARDED_FOR);
	assert_memory_equal(c.address.ip, addr("192.0.2.1").ip, 16);
	c = ask("198.51.101.1", "", "X-Forwarded-For: 192.0.2.1");
	assert_int_equal(c.source, CLIENT_PEER);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(trust_add(&trust, slice_str(bad[i])), -EINVAL);
	trust = before;
}

static void networks_are_bounded(void **state)
{
	struct trust t;
	char text[32];

	trust_init(&t);
	for (unsigned i = 0; i < TRUST_NETS; i++) {
		snprintf(text, sizeof(text), "11.%u.%u.0/24", i / 256, i % 256);
		assert_int_equal(trust_add(&t, slice_str(text)), 0);
	}
	assert_int_equal(trust_add(&t, SLICE("12.0.0.0/8")), -ENOSPC);
	assert_true(trust_has(&t, &(struct pc_addr){ 0 }) == false);
	trust_init(&t);
	assert_int_equal(trust_add(&t, SLICE("0.0.0.0/0")), 0);
	assert_true(trust_has(&t, (struct pc_addr[]){ addr("8.8.8.8") }));
	assert_false(trust_has(&t, (struct pc_addr[]){ addr("2001:db8::1") }));
	assert_int_equal(trust_add(&t, SLICE("::/0")), 0);
	assert_true(trust_has(&t, (struct pc_addr[]){ addr("2001:db8::1") }));
}

static void edges_of_networks(void **state)
{
	static const struct {
		const char *address;
		bool in;
	} list[] = {
		{ "9.255.255.255", false },
		{ "10.0.0.0", true },
		{ "10.255.255.255", true },
		{ "11.0.0.0", false },
		{ "172.15.255.255", false },
		{ "172.16.0.0", true },
		{ "172.31.255.255", true },
		{ "172.32.0.0", false },
		{ "192.167.255.255", false },
		{ "192.168.0.0", true },
		{ "192.169.0.0", false },
		{ "126.255.255.255", false },
		{ "127.255.255.255", true },
		{ "169.254.1.1", true },
		{ "169.255.0.0", false },
		{ "::1", true },
		{ "::2", false },
		{ "fc00::", true },
		{ "fdff::1", true },
		{ "fe00::", false },
		{ "fe80::", true },
		{ "febf:ffff::", true },
		{ "fec0::", false },
		{ "::ffff:10.1.1.1", true },
		{ "::ffff:8.8.8.8", false },
		{ "100.64.0.1", false },
		{ "::10.0.0.1", false },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct pc_addr a = addr(list[i].address);

		if (trust_has(&trust, &a) != list[i].in)
			fail_msg("%s", list[i].address);
	}
}

/* A long list from the right: ours at its end are passed, up to a bound; what lies left of the answer
 * costs nothing. */
static void long_lists(void **state)
{
	char *text = malloc(70000);
	struct client c;
	size_t n;

	assert_non_null(text);
	n = (size_t)snprintf(text, 70000, "X-Forwarded-For: 1.1.1.1");
	for (unsigned i = 0; i < 1000; i++)
		n += (size_t)snprintf(text + n, 70000 - n, ", 6.6.%u.%u", i / 256, i % 256);
	snprintf(text + n, 70000 - n, ", 10.0.0.1");
	c = ask("127.0.0.1", "", text);
	assert_memory_equal(c.address.ip, addr("6.6.3.231").ip, 16);
	assert_int_equal(c.flags, 0);

	n = (size_t)snprintf(text, 70000, "X-Forwarded-For: 1.1.1.1");
	for (unsigned i = 0; i < 1000; i++)
		n += (size_t)snprintf(text + n, 70000 - n, ", 10.0.%u.%u", i / 256, i % 256);
	c = ask("127.0.0.1", "", text);
	assert_int_equal(c.source, CLIENT_UNOBSERVED);
	assert_int_equal(c.flags, CLIENT_CUT);

	n = (size_t)snprintf(text, 70000, "X-Forwarded-For: 198.51.100.1");
	for (unsigned i = 0; i < CLIENT_ENTRIES - 1; i++)
		n += (size_t)snprintf(text + n, 70000 - n, ", 10.0.0.1");
	c = ask("127.0.0.1", "", text);
	assert_int_equal(c.source, CLIENT_X_FORWARDED_FOR);
	free(text);
}

/* 64 KiB of each octet, alone and behind an address. */
static void floods(void **state)
{
	char *text = malloc(65536 + 64);

	assert_non_null(text);
	for (unsigned octet = 1; octet < 256; octet++) {
		static const char *const names[] = { "X-Forwarded-For", "Forwarded", "X-Real-IP",
						     "CF-Connecting-IP" };

		if (octet == '\n')
			continue;
		for (unsigned k = 0; k < 4; k++) {
			int n = snprintf(text, 65536, "%s: for=198.51.100.1,", names[k]);
			struct client c;

			memset(text + n, (int)octet, (size_t)(65536 - n));
			text[65536] = 0;
			c = ask("127.0.0.1", "", text);
			if (!c.source)
				assert_true(c.flags);
		}
	}
	free(text);
}

/* A list cut at every octet gives an answer that is in the list, or none. */
static void cut_at_every_octet(void **state)
{
	static const char whole[] =
		"Forwarded: for=192.0.2.43;by=\"a\\\",b\", for=\"[2001:db8::1]:80\", for=10.0.0.1";

	for (size_t n = 11; n < sizeof(whole); n++) {
		char *text = strndup(whole, n);
		struct client c;

		assert_non_null(text);
		c = ask("127.0.0.1", "", text);
		assert_true(c.source || c.flags);
		free(text);
	}
}

/* The host that was asked for: by the outermost proxy that is trusted, as far as each wrote its entry. */
static void forwarded_hosts(void **state)
{
	static const struct {
		const char *peer, *source, *fields, *expect; /* "": none */
	} list[] = {
		{ "10.0.0.1", "", "X-Forwarded-Host: www.Shop.example:8443",
		  "www.Shop.example:8443" },
		{ "unix", "", "X-Forwarded-Host: shop.example", "shop.example" },
		{ "10.0.0.1", "", "Forwarded: for=198.51.100.7;HOST=\"shop.example:80\"",
		  "shop.example:80" },
		{ "10.0.0.1", "", "X-Forwarded-Host: a.example\nForwarded: host=b.example",
		  "a.example" },
		/* an entry of each, which are as many as wrote an address */
		{ "10.0.0.1", "",
		  "X-Forwarded-For: 198.51.100.7, 10.0.0.2\nX-Forwarded-Host: evil, shop.example, "
		  "inner",
		  "shop.example" },
		{ "10.0.0.1", "", "X-Forwarded-For: 198.51.100.7\nX-Forwarded-Host: evil, inner",
		  "inner" },
		{ "10.0.0.1", "", "X-Forwarded-Host: evil, inner", "inner" },
		{ "10.0.0.1", "", "X-Forwarded-Host: evil\nX-Forwarded-Host: inner", "inner" },
		{ "10.0.0.1", "",
		  "Forwarded: for=1.1.1.1;host=evil, for=198.51.100.7;host=shop.example, "
		  "for=10.0.0.2",
		  "shop.example" },
		{ "10.0.0.1", "10.0.0.7",
		  "X-Forwarded-For: 198.51.100.7\nX-Forwarded-Host: shop.example", "shop.example" },
		/* no host's name is none */
		{ "10.0.0.1", "", "X-Forwarded-Host: ", "" },
		{ "10.0.0.1", "", "X-Forwarded-Host: a b", "" },
		{ "10.0.0.1", "", "X-Forwarded-Host: <script>", "" },
		{ "10.0.0.1", "", "X-Forwarded-Host: user@shop.example", "user@shop.example" },
		{ "10.0.0.1", "", "X-Forwarded-Host: <script>\nForwarded: host=shop.example",
		  "shop.example" },
		{ "10.0.0.1", "", "Forwarded: for=198.51.100.7", "" },
		/* who is not trusted */
		{ "203.0.113.9", "", "X-Forwarded-Host: shop.example", "" },
		{ "10.0.0.1", "198.51.100.1", "X-Forwarded-Host: shop.example", "" },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct client c = ask(list[i].peer, list[i].source, list[i].fields);
		struct field fields[64];
		struct who_fields f;
		struct slice host;

		who_fields_find(fields, fields_of(list[i].fields, fields), &f);
		host = client_forwarded_host(&f, &c);
		if (!slice_eq(host, slice_str(list[i].expect)) || !host.at != !list[i].expect[0])
			fail_msg("%s: '%.*s', %u proxies", list[i].fields, (int)host.len, host.at,
				 c.proxies);
	}
}

/* A name of 64 KiB, or 10,000 of them: looked at up to CLIENT_BYTES and CLIENT_ENTRIES. */
static void floods_of_hosts(void **state)
{
	char *text = malloc(65536);
	struct field one = { SLICE("x-forwarded-host"), { text, 65536 } };
	struct client c = { .proxies = CLIENT_ENTRIES };
	struct who_fields f;

	assert_non_null(text);
	for (unsigned every = 0; every < 8; every++) {
		struct slice host;

		for (size_t i = 0; i < 65536; i++)
			text[i] = every && i % (every + 1) == 0 ? ',' : 'x';
		who_fields_find(&one, 1, &f);
		host = client_forwarded_host(&f, &c);
		assert_int_equal(host.len, every);
	}
	free(text);
}

static void source_names(void **state)
{
	assert_null(client_source_name(CLIENT_UNOBSERVED));
	assert_string_equal(client_source_name(CLIENT_X_REAL_IP), "x-real-ip");
}

static int set_up(void **state)
{
	trust_init(&trust);
	trust_add_default(&trust);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(chains),
		T(an_unobserved_peer),
		T(own_networks),
		T(networks_are_bounded),
		T(edges_of_networks),
		T(long_lists),
		T(floods),
		T(cut_at_every_octet),
		T(forwarded_hosts),
		T(floods_of_hosts),
		T(source_names),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
