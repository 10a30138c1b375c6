/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.c: see target.h. Lenient as servers are: bytes that a URI must not have are kept as they
 * came, because the target is compared with what the server logged. Only the form decides. What has
 * none of the four forms is given as a path, and all up to its last '@' is taken off, because
 * nothing in it can be relied on to be no password.
 */
#include "txn/target/target.h"

static bool is_alpha(char c)
{
	return (unsigned)((c | 0x20) - 'a') < 26;
}

static bool is_digit(char c)
{
	return (unsigned)(c - '0') < 10;
}

/* Length of "scheme" when "scheme://" stands in front, else 0 (RFC 3986 section 3.1). */
static size_t scheme_len(struct slice s)
{
	size_t n = 0;

	if (!s.len || !is_alpha(s.at[0]))
		return 0;
	while (n < s.len && (is_alpha(s.at[n]) || is_digit(s.at[n]) || s.at[n] == '+' ||
			     s.at[n] == '-' || s.at[n] == '.'))
		n++;
	return slice_starts(slice_sub(s, n, s.len), SLICE("://")) ? n : 0;
}

static struct slice after_last_at(struct slice s)
{
	const char *at = s.len ? memrchr(s.at, '@', s.len) : NULL;

	return at ? slice_sub(s, (size_t)(at - s.at) + 1, s.len) : s;
}

struct slice authority_strip(struct slice s)
{
	return after_last_at(s);
}

/* Where the authority ends: '/', '?' or '#' (RFC 3986 section 3.2). */
static size_t authority_len(struct slice s)
{
	size_t n = 0;

	while (n < s.len && s.at[n] != '/' && s.at[n] != '?' && s.at[n] != '#')
		n++;
	return n;
}

static void split_query(struct slice s, struct target *ret)
{
	long mark = slice_find(s, '?');

	ret->path = s;
	if (mark < 0)
		return;
	ret->path = slice_sub(s, 0, (size_t)mark);
	ret->query = slice_sub(s, (size_t)mark + 1, s.len);
}

static void parse_absolute(struct slice method, struct slice s, size_t scheme, struct target *ret)
{
	struct slice rest = slice_sub(s, scheme + 3, s.len);
	size_t n = authority_len(rest);

	ret->form = TARGET_ABSOLUTE;
	ret->scheme = slice_sub(s, 0, scheme);
	ret->authority = authority_strip(slice_sub(rest, 0, n));
	rest = slice_sub(rest, n, rest.len);
	split_query(rest, ret);
	if (ret->path.len)
		return;
	/* RFC 9110 4.2.3: an empty path is "/"; RFC 9112 3.2.4: for OPTIONS it means "*". */
	ret->path = !ret->query.at && slice_eq(method, SLICE("OPTIONS")) ? SLICE("*") : SLICE("/");
}

/* authority-form: "host:port" and nothing else; the port is required (RFC 9112 section 3.2.3). */
static bool is_authority(struct slice s)
{
	struct authority a;

	if (!s.len || authority_len(s) != s.len)
		return false;
	authority_parse(s, &a);
	return a.name.len && a.port;
}

void target_parse(struct slice method, struct slice target, struct target *ret)
{
	bool connect = slice_eq(method, SLICE("CONNECT"));
	size_t scheme = scheme_len(target);

	*ret = (struct target){ .form = TARGET_NONE };
	if (connect && is_authority(authority_strip(target))) {
		ret->form = TARGET_AUTHORITY;
		ret->authority = authority_strip(target);
	} else if (target.len && target.at[0] == '/' && !connect) {
		ret->form = TARGET_ORIGIN;
		split_query(target, ret);
	} else if (slice_eq(target, SLICE("*"))) {
		ret->form = TARGET_ASTERISK;
		ret->path = target;
	} else if (scheme && !connect) {
		parse_absolute(method, target, scheme, ret);
	} else {
		split_query(after_last_at(target), ret);
	}
}

void authority_parse(struct slice s, struct authority *ret)
{
	struct slice port = { 0 };
	uint64_t value;
	long end;

	s = authority_strip(s);
	if (s.len && s.at[0] == '[' && (end = slice_find(s, ']')) > 0) {
		ret->name = slice_sub(s, 1, (size_t)end);
		if ((size_t)end + 1 < s.len && s.at[end + 1] == ':')
			port = slice_sub(s, (size_t)end + 2, s.len);
	} else {
		port = s;
		ret->name = slice_next(&port, ':');
	}
	ret->port = 0;
	if (port.at && !slice_u64(port, &value) && value <= 65535)
		ret->port = (uint16_t)value;
}

void reference_strip(struct slice url, struct slice *ret_front, struct slice *ret_rest)
{
	struct slice rest, clean;
	size_t scheme, from, n;

	*ret_front = url;
	*ret_rest = (struct slice){ 0 };
	if (slice_find(url, '@') < 0)
		return;
	scheme = scheme_len(url);
	from = scheme ? scheme + 3 : 0;
	if (!scheme) {
		if (!slice_starts(url, SLICE("//")))
			return;
		from = 2; /* network-path reference */
	}
	rest = slice_sub(url, from, url.len);
	n = authority_len(rest);
	clean = authority_strip(slice_sub(rest, 0, n));
	if (clean.len == n)
		return;
	*ret_front = slice_sub(url, 0, from);
	*ret_rest = slice_of(clean.at, (size_t)(rest.at + rest.len - clean.at));
}
