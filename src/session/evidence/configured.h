/* SPDX-License-Identifier: Apache-2.0 */
/*
 * configured.h: where the operator says that something stands which tells visitors or carts apart, as the
 * texts of session.keys and session.carts write it. Stateless; evidence.c looks there.
 */
#ifndef PC_SESSION_CONFIGURED_H
#define PC_SESSION_CONFIGURED_H

#include "txn/evidence.h"

enum place { PLACE_COOKIE, PLACE_HEADER, PLACE_QUERY, PLACE_JSON };

struct configured {
	enum place place;
	struct slice name; /* borrowed; JSON: its path (txn/body/wants.h) */
	enum evidence_kind kind;
};

/* "cookie:NAME", "header:NAME", "query:NAME" or "json:PATH", a path that leads to one value. 0 and *ret but
 * for its kind; -EINVAL and *error: its place is an octet of the text. */
int configured_parse(const char *text, struct configured *ret, struct body_error *error);

#endif
