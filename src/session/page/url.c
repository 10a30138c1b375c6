/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url.c: see url.h. A wrong mark joins nothing, or a resource to the wrong page of the same visitor; it
 * never makes a page.
 */
#include "session/page/url.h"

/* What stands behind "//host". */
static struct slice behind_authority(struct slice rest)
{
	for (size_t i = 0; i < rest.len; i++)
		if (rest.at[i] == '/' || rest.at[i] == '?')
			return slice_sub(rest, i, rest.len);
	return slice_of(rest.at + rest.len, 0);
}

static struct slice folder_of(struct slice path)
{
	const char *slash = path.len ? memrchr(path.at, '/', path.len) : NULL;

	return slash ? slice_sub(path, 0, (size_t)(slash - path.at) + 1) : SLICE("/");
}

/* "../x" seen from "/a/b/c" is "/a/x". */
static struct slice join(struct slice base, struct slice path, char room[URL_ROOM])
{
	struct slice folder = folder_of(base);

	while (path.len && path.at[0] == '.') {
		if (slice_starts(path, SLICE("../"))) {
			path = slice_sub(path, 3, path.len);
			if (folder.len > 1)
				folder = folder_of(slice_sub(folder, 0, folder.len - 1));
		} else if (slice_starts(path, SLICE("./"))) {
			path = slice_sub(path, 2, path.len);
		} else {
			break;
		}
	}
	if (folder.len + path.len > URL_ROOM)
		return slice_of(NULL, 0);
	memcpy(room, folder.at, folder.len);
	memcpy(room + folder.len, path.at, path.len);
	return slice_of(room, folder.len + path.len);
}

void url_split(struct slice url, struct slice base, char room[URL_ROOM], struct url_parts *ret)
{
	struct slice rest = url, path;
	long scheme;

	rest = slice_next(&rest, '#');
	scheme = slice_find_slice(rest, SLICE("://"));
	if (scheme >= 0 && slice_find(slice_sub(rest, 0, (size_t)scheme), '/') < 0 &&
	    slice_find(slice_sub(rest, 0, (size_t)scheme), '?') < 0)
		rest = behind_authority(slice_sub(rest, (size_t)scheme + 3, rest.len));
	else if (slice_starts(rest, SLICE("//")))
		rest = behind_authority(slice_sub(rest, 2, rest.len));
	else
		scheme = -1;
	path = slice_next(&rest, '?');
	ret->query = rest;
	if (path.len && path.at[0] == '/')
		ret->path = path;
	else if (scheme >= 0 || (!path.len && !base.len))
		ret->path = SLICE("/");
	else
		ret->path = path.len ? join(base, path, room) : base;
}

uint32_t url_mark(struct slice path, struct slice query)
{
	uint64_t h = slice_hash(path, 1);

	if (query.len)
		h += slice_hash(query, 2) * 3;
	return (uint32_t)(h ^ h >> 32) | 1;
}

bool url_is_origin(const struct url_parts *u)
{
	return u->path.len == 1 && !u->query.len;
}

bool url_matches(const char *glob, struct slice path)
{
	const char *star = NULL;
	size_t at = 0, mark = 0;

	while (at < path.len) {
		if (*glob == '*') {
			star = ++glob;
			mark = at;
		} else if (*glob && *glob == path.at[at]) {
			glob++;
			at++;
		} else if (star) {
			glob = star;
			at = ++mark;
		} else {
			return false;
		}
	}
	while (*glob == '*')
		glob++;
	return !*glob;
}
