/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url.h: which page does a URL mean? Pages are compared by a mark of path and query: the target of a
 * document, the Referer of its resources, the Location of a redirect to it. Host and fragment are left
 * out: marks are compared within one visitor of one site. Pure.
 */
#ifndef PC_SESSION_PAGE_URL_H
#define PC_SESSION_PAGE_URL_H

#include "base/slice.h"

struct url_parts {
	struct slice path,
		query; /* path "/" where the URL has none; query empty where it has none */
};

/* Of an absolute URL or one that begins with a slash or a question mark; `base` is the path that a relative
 * one is taken from (RFC 3986 section 5.2; dot segments only at its beginning). `room` is for a path
 * that has to be put together; what does not fit gives an empty path. */
#define URL_ROOM 1024
void url_split(struct slice url, struct slice base, char room[URL_ROOM], struct url_parts *ret);
/* 0 is never a mark. */
uint32_t url_mark(struct slice path, struct slice query);
/* Nothing but the origin: what a Referer is cut down to for another origin, or by policy. */
bool url_is_origin(const struct url_parts *u);
/* '*' stands for any octets. */
bool url_matches(const char *glob, struct slice path);

#endif
