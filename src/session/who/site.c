/* SPDX-License-Identifier: Apache-2.0 */
/*
 * site.c: the site of a request, see who.h. Called for every request, so the usual case (a Host that
 * is a name in lower case) is one pass. Stateless.
 */
#include "session/who.h"
#include "stream/address.h"
#include "txn/target/target.h"

/* Octets of a host name as written on the wire (RFC 3986 reg-name without percent-encoding, plus the
 * underscore that private names have); capital letters made small; 0: not allowed. */
static const char host_octet[256] = {
	['-'] = '-', ['.'] = '.', ['_'] = '_', ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3',
	['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9', ['a'] = 'a',
	['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h',
	['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o',
	['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v',
	['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c',
	['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h', ['I'] = 'i', ['J'] = 'j',
	['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q',
	['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x',
	['Y'] = 'y', ['Z'] = 'z',
};

/* The name; -1: it has octets that no name has. */
static int put_name(struct slice name, struct site *ret)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = host_octet[(unsigned char)name.at[i]];

		if (!c)
			return -1;
		ret->at[i] = c;
	}
	ret->len = (uint16_t)name.len;
	return 0;
}

/* An IPv6 address, without a zone or brackets, as server.address has it. */
static int put_literal(struct slice name, struct site *ret)
{
	struct pc_addr a;

	if (slice_find(name, '%') >= 0 || address_parse(name, &a))
		return -1;
	for (size_t i = 0; i < name.len; i++)
		ret->at[i] = name.at[i] == ':' ? ':' : host_octet[(unsigned char)name.at[i]];
	ret->len = (uint16_t)name.len;
	return 0;
}

void site_of_name(struct slice name, struct site *ret)
{
	bool literal = slice_find(name, ':') >= 0;

	ret->len = 0;
	if (!literal) {
		if (name.len && name.at[name.len - 1] == '.')
			name.len--;
		/* "www.shop.example" is "shop.example"; "www.example" may be a name of its own. */
		if (slice_istarts(name, SLICE("www.")) &&
		    slice_find(slice_sub(name, 4, name.len), '.') > 0)
			name = slice_sub(name, 4, name.len);
	}
	if (!name.len || name.len > SITE_BYTES ||
	    (literal ? put_literal(name, ret) : put_name(name, ret)))
		ret->len = 0;
}

void site_of_host(struct slice host, struct site *ret)
{
	struct authority a;

	host = authority_strip(slice_trim(host));
	authority_parse(host, &a);
	/* brackets are for IPv6 addresses alone */
	if (host.len && host.at[0] == '[' && slice_find(a.name, ':') < 0)
		a.name.len = 0;
	site_of_name(a.name, ret);
}

void site_of_url(struct slice url, struct site *ret)
{
	struct target t;

	ret->len = 0;
	target_parse(SLICE("GET"), slice_trim(url), &t);
	if (t.authority.at)
		site_of_host(t.authority, ret);
}

void site_of_caller(const struct who_fields *f, struct site *ret)
{
	ret->len = 0;
	if (f->value[WHO_ORIGIN].at) /* "null" where the browser hides it */
		site_of_url(f->value[WHO_ORIGIN], ret);
	if (!ret->len && f->value[WHO_REFERER].at)
		site_of_url(f->value[WHO_REFERER], ret);
}
