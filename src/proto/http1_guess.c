/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_guess.c: do these octets begin an HTTP/1 message? Used for detection (what a connection
 * speaks), to refuse garbage before a whole head is waited for, and as the first test of a resync
 * candidate. Says NO as early as it can: a method is a short token followed by a blank, which neither
 * TLS, SSH, MySQL, PostgreSQL nor Redis begin with; lines of text protocols fail at their end,
 * because no HTTP version stands there.
 *
 * Stateless.
 */
#include "proto/fields.h"
#include "proto/http1_head.h"

#define METHOD_BYTES 32 /* the longest registered one has 17 */

uint32_t http1_empty_lines(struct slice s)
{
	size_t i = 0;

	for (;;) {
		if (i < s.len && s.at[i] == '\n')
			i += 1;
		else if (i + 1 < s.len && s.at[i] == '\r' && s.at[i + 1] == '\n')
			i += 2;
		else
			return (uint32_t)i;
	}
}

static bool is_version(struct slice s)
{
	return s.len == 8 && memcmp(s.at, "HTTP/", 5) == 0 && is_digit(s.at[5]) && s.at[6] == '.' &&
	       is_digit(s.at[7]);
}

/* HTTP/d.d, blanks (one by the grammar), three digits. */
static enum proto_guess guess_status(struct slice s)
{
	static const char version[] = "HTTP/d.d";
	size_t i, digits;

	for (i = 0; i < 8; i++) {
		if (i == s.len)
			return PROTO_MAYBE;
		if (version[i] == 'd' ? !is_digit(s.at[i]) : s.at[i] != version[i])
			return PROTO_NO;
	}
	while (i < s.len && is_blank(s.at[i]) && i < 16)
		i++;
	for (digits = i; i < s.len && i < digits + 3; i++)
		if (digits == 8 || !is_digit(s.at[i]))
			return PROTO_NO;
	return i == digits + 3 ? PROTO_RESPONSE : PROTO_MAYBE;
}

bool http1_method_known(struct slice m)
{
	static const struct slice known[] = {
		SLICE("GET"),	 SLICE("POST"),	     SLICE("HEAD"),  SLICE("PUT"),
		SLICE("DELETE"), SLICE("OPTIONS"),   SLICE("PATCH"), SLICE("CONNECT"),
		SLICE("TRACE"),	 SLICE("PROPFIND"),  SLICE("MKCOL"), SLICE("COPY"),
		SLICE("MOVE"),	 SLICE("PROPPATCH"), SLICE("LOCK"),  SLICE("UNLOCK"),
		SLICE("REPORT"), SLICE("SEARCH"),    SLICE("QUERY"), SLICE("PURGE"),
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (slice_eq(m, known[i]))
			return true;
	return false;
}

static enum proto_guess guess_request(struct slice s)
{
	struct slice method, line;
	size_t n = 0;
	long lf;

	while (n < s.len && n <= METHOD_BYTES && is_token(s.at[n]))
		n++;
	if (n == s.len)
		return PROTO_MAYBE;
	if (n == 0 || n > METHOD_BYTES || !is_blank(s.at[n]))
		return PROTO_NO;
	method = slice_sub(s, 0, n);
	lf = slice_find(s, '\n');
	line = slice_sub(s, n, lf < 0 ? s.len : (size_t)lf);
	if (lf >= 0 && line.len && line.at[line.len - 1] == '\r')
		line.len--;
	line = slice_trim(line);
	if (lf < 0) {
		if (http1_method_known(method))
			return s.len > HEAD_BYTES ? PROTO_REQUEST : PROTO_MAYBE;
		if (line.len && line.at[line.len - 1] == '\r')
			line.len--;
		return s.len > HEAD_BYTES || has_control(line) ? PROTO_NO : PROTO_MAYBE;
	}
	if (line.len < 10 || !is_blank(line.at[line.len - 9]) ||
	    !is_version(slice_sub(line, line.len - 8, line.len)))
		return PROTO_NO;
	if (slice_eq(method, SLICE("PRI")) && line.at[line.len - 3] == '2') /* RFC 9113 3.4 */
		return PROTO_NO;
	return has_control(line) && !http1_method_known(method) ? PROTO_NO : PROTO_REQUEST;
}

enum proto_guess http1_guess(struct slice s)
{
	size_t skip = http1_empty_lines(s);
	enum proto_guess guess;

	s = slice_sub(s, skip, s.len);
	if (s.len == 0 || (s.len == 1 && s.at[0] == '\r'))
		return PROTO_MAYBE;
	guess = guess_status(s);
	return guess == PROTO_NO ? guess_request(s) : guess;
}
