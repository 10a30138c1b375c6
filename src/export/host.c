/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.c: what may leave of an address and of a host's name, in a field of its own, a site or a URL. See
 * privacy.h. A host is named by who asks, so it is text of strangers; of a name each label goes through
 * the rules of a path's segment, because customers, files and tokens are put there as well.
 */
#include <arpa/inet.h>
#include <stdio.h>

#include "export/privacy.h"
#include "txn/target/target.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* inet_ntop goes through printf, which would be a tenth of the cost of a row. */
static void write_v4(const unsigned char ip[4], char *to)
{
	for (unsigned i = 0; i < 4; i++) {
		if (ip[i] >= 100)
			*to++ = (char)('0' + ip[i] / 100);
		if (ip[i] >= 10)
			*to++ = (char)('0' + ip[i] / 10 % 10);
		*to++ = (char)('0' + ip[i] % 10);
		*to++ = i < 3 ? '.' : 0;
	}
}

void privacy_address(const struct pc_addr *a, bool truncate, char ret_text[46])
{
	static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	unsigned char ip[16];
	bool v4 = memcmp(a->ip, mapped, sizeof(mapped)) == 0;

	memcpy(ip, a->ip, sizeof(ip));
	if (truncate && v4)
		ip[15] = 0;
	else if (truncate)
		memset(ip + 6, 0, 10);
	if (truncate && ip[0] == 0x20 && ip[1] == 0x02)
		ip[5] = 0; /* 6to4 (RFC 3056): an IPv4 address stands in the first 48 bits */
	if (v4)
		write_v4(ip + 12, ret_text);
	else
		inet_ntop(AF_INET6, ip, ret_text, 46);
}

static bool host_address(struct slice host, char ret_text[46])
{
	struct pc_addr a = { 0 };
	char text[64]; /* an address is shorter in every form */
	struct in_addr v4;
	long zone;

	if (!host.len || !(is_digit(host.at[0]) || slice_find(host, ':') >= 0))
		return false;
	if (host.at[0] == '[')
		host = slice_sub(host, 1, host.at[host.len - 1] == ']' ? host.len - 1 : host.len);
	zone = slice_find(host, '%');
	if (zone >= 0)
		host = slice_sub(host, 0, (size_t)zone);
	if (slice_ends(host, SLICE(".")))
		host.len--;
	if (host.len >= sizeof(text))
		return false;
	memcpy(text, host.at, host.len);
	text[host.len] = 0;
	if (inet_aton(text, &v4)) { /* also 3405803785 and 0xcb.0x71.9, as resolvers take them */
		a.ip[10] = a.ip[11] = 0xff;
		memcpy(a.ip + 12, &v4, 4);
	} else if (inet_pton(AF_INET6, text, a.ip) != 1) {
		return false;
	}
	privacy_address(&a, true, ret_text);
	return true;
}

static bool has_port(struct slice s)
{
	size_t n = s.len;

	while (n && is_digit(s.at[n - 1]))
		n--;
	return n && n < s.len && s.at[n - 1] == ':';
}

/* Like an address, or a number that was parted like one. */
static bool is_numeric(struct slice s)
{
	unsigned digits = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (!is_digit(s.at[i]) && !memchr(".-:", s.at[i], 3))
			return false;
		digits += is_digit(s.at[i]);
	}
	return digits >= 4;
}

/* Labels are like segments of a path: a shop a customer, a bucket a file, a token before the name. One of an
 * internationalised name (RFC 5890) only looks like a token. */
static bool host_words(struct slice host, char ret_text[PRIVACY_HOST])
{
	struct buf out = { .at = ret_text, .room = PRIVACY_HOST - 1, .max = PRIVACY_HOST - 1 };
	struct slice rest = host;
	const char *whole = is_numeric(host) ? "{id}" : NULL;
	bool changed = false, first = true;

	while (rest.at && !whole) {
		struct slice label = slice_next(&rest, '.');
		const char *class =
			slice_starts(label, SLICE("xn--")) ? NULL : privacy_segment(label);

		if (class && strcmp(class, "{email}") == 0)
			whole = class; /* its dots are no borders of labels */
		if (!first)
			buf_add_byte(&out, '.');
		first = false;
		buf_add(&out, class ? slice_str(class) : label);
		changed |= class != NULL;
	}
	if (out.failed || host.len >= PRIVACY_HOST)
		whole = "{token}"; /* longer than any host's name */
	if (whole) {
		buf_clear(&out);
		buf_add_str(&out, whole);
	}
	ret_text[out.len] = 0;
	return changed || whole;
}

bool privacy_host(struct slice host, bool addresses, char ret_text[PRIVACY_HOST])
{
	if (host_address(host, ret_text)) /* also 1.2.3.4 as 0x01020304, so before the words */
		return !addresses;
	return host.len && !has_port(host) && host_words(host, ret_text);
}

/* By an operator: he knows what he calls it. */
static bool is_named(struct slice site, const struct privacy_rules *rules)
{
	const char *const *each = rules->site_hosts;

	if (rules->site && slice_eq(site, slice_str(rules->site)))
		return true;
	for (; each && *each; each++) {
		struct slice name = slice_str(*each);

		slice_next(&name, '=');
		if (name.at && slice_eq(site, name))
			return true;
	}
	return false;
}

struct slice privacy_site(struct slice site, const struct privacy_rules *rules,
			  char ret_text[PRIVACY_HOST])
{
	if (rules->mode == PRIVACY_NONE || is_named(site, rules) ||
	    !privacy_host(site, rules->peer_address, ret_text))
		return site;
	return slice_str(ret_text);
}

void privacy_authority(struct slice authority, bool addresses, struct buf *out)
{
	struct authority a;
	char text[PRIVACY_HOST];
	bool address = true;

	authority_parse(authority, &a);
	if (host_address(authority, text)) {
		a.port = 0; /* an IPv6 address without its brackets, or one without a port */
	} else if (!host_address(a.name, text)) {
		address = false;
		if (!privacy_host(a.name, addresses, text)) {
			buf_add(out, authority);
			return;
		}
	}
	if (address && addresses) {
		buf_add(out, authority);
		return;
	}
	buf_addf(out, address && strchr(text, ':') ? "[%s]" : "%s", text);
	if (a.port)
		buf_addf(out, ":%u", a.port);
}
