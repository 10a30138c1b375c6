/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cookie.h: the fields Cookie and Set-Cookie as browsers read and write them: RFC 6265 section 5.2
 * (Set-Cookie), 5.1.1 (dates), 5.4 (Cookie), with a pair without '=' taken for a value without a name, as
 * browsers do by now (draft-ietf-httpbis-rfc6265bis section 5.6). Quotes belong to the value. Slices
 * point into the field; nothing is kept.
 */
#ifndef PC_SESSION_COOKIE_H
#define PC_SESSION_COOKIE_H

#include "base/slice.h"

struct cookie {
	struct slice name, value; /* either may be empty */
};

struct set_cookie {
	struct cookie cookie;
	bool has_max_age, has_expires;
	struct slice path; /* at == NULL: the directory of what was asked for (section 5.1.4) */
	int64_t max_age_s; /* as far as 64 bits go */
	int64_t expires_s; /* Unix time */
};

/* The next pair of a Cookie field; false at its end. Starts with the whole field in *rest. Empty pairs
 * are passed over. */
bool cookie_next(struct slice *rest, struct cookie *ret);
/* One Set-Cookie field; false: a browser would ignore it. */
bool set_cookie_parse(struct slice field, struct set_cookie *ret);
/* It takes the cookie away: it is over at `now_s` (Max-Age before Expires, section 5.3). */
bool set_cookie_is_over(const struct set_cookie *c, int64_t now_s);
/* RFC 6265 section 5.1.1; false: no date. */
bool cookie_date(struct slice s, int64_t *ret_unix_s);

#endif
