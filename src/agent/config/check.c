/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.c: texts that are more than texts. What could never work is refused where it is written, with
 * its line, and not found out at run time: a glob that no path can match would watch nothing in
 * silence, a bad header field would be refused by a collector with each request.
 */
#include "agent/config/setting.h"

#include <ctype.h>
#include <stdio.h>

#include "session/evidence.h"
#include "session/who.h"
#include "txn/target/target.h"

static const char *check_authority(struct slice s)
{
	struct authority a;
	long at = -1;

	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] == '@')
			at = (long)i;
	s = slice_sub(s, (size_t)(at + 1), s.len); /* user-info is for the collector */
	authority_parse(s, &a);
	if (!a.name.len || (s.at[0] != '[' && slice_find(a.name, '[') >= 0))
		return "names no host";
	if (s.at[0] == '[' && slice_find(s, ']') < 0)
		return "has an address without its closing ]";
	if (a.name.at + a.name.len + (s.at[0] == '[') < s.at + s.len && !a.port)
		return "has no port from 1 to 65535 behind its host";
	return NULL;
}

const char *check_url(const char *text)
{
	struct slice s = slice_str(text);
	struct slice rest;
	size_t n = 0;

	if (slice_istarts(s, SLICE("http://")))
		rest = slice_sub(s, 7, s.len);
	else if (slice_istarts(s, SLICE("https://")))
		rest = slice_sub(s, 8, s.len);
	else
		return "must begin with http:// or https:// (OTLP over HTTP, usually port 4318)";
	for (size_t i = 0; i < rest.len; i++)
		if ((unsigned char)rest.at[i] <= ' ')
			return "has a space in it";
	while (n < rest.len && !memchr("/?#", rest.at[n], 3))
		n++;
	return check_authority(slice_sub(rest, 0, n));
}

const char *check_base_url(const char *text)
{
	const char *why = check_url(text);

	if (!why && strpbrk(text, "?#"))
		return "has a query or fragment, but /v1/traces, /v1/metrics and /v1/logs are "
		       "appended "
		       "to it: give each signal its own endpoint";
	return why;
}

const char *check_line(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' && *p != '\t')
			return "has a control character in it";
	return NULL;
}

const char *check_absolute(const char *text)
{
	return text[0] == '/' ? NULL : "must be an absolute path (begin with /)";
}

const char *check_file(const char *text)
{
	return *text ? check_line(text) : "is empty: it names no file";
}

const char *check_glob(const char *text)
{
	if (!*text)
		return "is empty: it matches nothing";
	if (strchr(text, '/') && !memchr("/*?[", text[0], 4))
		return "matches nothing: the path of an executable begins with /";
	return check_line(text);
}

const char *check_header(const char *text)
{
	const char *p = text;

	while (*p && (isalnum((unsigned char)*p) || strchr("!#$%&'*+-.^_`|~", *p)))
		p++;
	return *p || p == text ? "is no name of a header field" : NULL;
}

const char *check_attribute(const char *text)
{
	return !*text || strchr(text, '=') ? "is no name of an attribute" : check_line(text);
}

const char *check_host(const char *text)
{
	if (!*text || strpbrk(text, " \t/=@?#"))
		return "is no host (such as shop.example.net)";
	return check_line(text);
}

const char *check_network(const char *text)
{
	const char *const list[] = { text, NULL };
	struct trust t;

	return trust_read(&t, list)
		       ? "is no network (192.0.2.0/24, 2001:db8::/32, an address, private, none); "
			 "bits behind the prefix must be zero"
		       : NULL;
}

const char *check_evidence(const char *text)
{
	static char why[WANT_ERROR_MAX + 40];
	struct body_error error;

	if (!evidence_check(text, &error))
		return NULL;
	if (error.place)
		snprintf(why, sizeof(why), "is wrong at its octet %u: %s", error.place + 1,
			 error.text);
	else
		snprintf(why, sizeof(why), "%s", error.text);
	return why;
}

const char *check_touchpoint(const char *text)
{
	static const char *const known[] = { "web", "application", "partner_api" };

	for (unsigned i = 0; i < 3; i++)
		if (!strcmp(text, known[i]))
			return NULL;
	return "is none of: web, application, partner_api";
}

const char *check_class(const char *text)
{
	size_t n = 0;

	while (islower((unsigned char)text[n]) || isdigit((unsigned char)text[n]) || text[n] == '_')
		n++;
	return n && !text[n] && n <= 32
		       ? NULL
		       : "is no name of a class: small letters, digits and _, at most 32";
}

const char *check_agent_word(const char *text)
{
	const char *p = text;

	while (*p && !isupper((unsigned char)*p) && (unsigned char)*p > ' ' && *p != '*')
		p++;
	return p > text && (!*p || (*p == '*' && !p[1]))
		       ? NULL
		       : "is no word of a User-Agent in small letters, with at most a * at its end";
}
