/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out.h: rows to a descriptor that may be slow, full or closed. Rows gather in memory and are written
 * when there is enough of them or out_flush says so; a row goes out whole or not at all. Nothing here
 * waits: what the reader does not take stays in memory up to a bound, then rows are dropped and
 * counted. The descriptor stays the caller's and its flags are not touched (they belong to everybody
 * who shares it). SIGPIPE must be ignored by the program. One thread.
 */
#ifndef PC_BASE_OUT_H
#define PC_BASE_OUT_H

#include "base/buf.h"

struct out {
	int fd; /* -1 = off */
	struct buf pending;
	size_t sent;  /* of pending, already written */
	size_t mark;  /* where the row being made begins */
	size_t chunk; /* never write more at once: what a ready pipe or terminal surely takes */
	bool socket;
	bool patient; /* set by the owner: wait for the reader rather than drop (offline work) */
	bool torn;    /* the last octet written was not the end of a row */
	bool failing; /* the last write failed; tried again at each flush */
	bool closed;  /* nobody reads any more: final */
	uint64_t rows, dropped, errors;
	int error; /* errno of the last failure */
};

void out_init(struct out *o, int fd, size_t max_bytes);
struct buf *out_row(struct out *o); /* append one row to this, its '\n' included … */
bool out_commit(struct out *o); /* … then this. False: there was no room, the row is dropped */
void out_flush(struct out *o);
/* Rows go on in another file; what is pending goes there too, but for the rest of a row of which the
 * old file has the beginning: that one is dropped. */
void out_change(struct out *o, int fd);
/* Waits up to `ms` for a slow reader to take what is pending. */
void out_drain(struct out *o, unsigned ms);
/* Flushes what is taken at once and counts the rest as dropped. */
void out_done(struct out *o);

#endif
