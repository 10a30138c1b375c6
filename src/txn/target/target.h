/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h: the request target in its four forms (RFC 9112 section 3.2) and the authority that goes
 * with it. Slices point into what was given. User-info (RFC 3986 3.2.1) is never part of a result.
 */
#ifndef PC_TXN_TARGET_H
#define PC_TXN_TARGET_H

#include "base/slice.h"

enum target_form {
	TARGET_NONE, /* none of the four */
	TARGET_ORIGIN,
	TARGET_ABSOLUTE,
	TARGET_AUTHORITY,
	TARGET_ASTERISK,
};

struct target {
	enum target_form form;
	struct slice scheme;	/* absolute-form only; otherwise at == NULL */
	struct slice authority; /* absolute and authority-form; otherwise at == NULL */
	struct slice path;	/* "/" for an absolute-form without one, "*" for OPTIONS (3.2.4) */
	struct slice query;	/* without '?'; at == NULL: none */
};

struct authority {
	struct slice name; /* brackets of an IPv6 literal taken off */
	uint16_t port;	   /* 0 = none, or not a port */
};

void target_parse(struct slice method, struct slice target, struct target *ret);
/* host [":" port], of a Host field or a target. */
void authority_parse(struct slice s, struct authority *ret);
/* Without "user:password@". */
struct slice authority_strip(struct slice s);
/* A URL reference without user-info (Referer, Location). When there is some, the reference splits in
 * two: *ret_front is "scheme://" and *ret_rest what follows the '@'; otherwise *ret_rest is empty. */
void reference_strip(struct slice url, struct slice *ret_front, struct slice *ret_rest);

#endif
