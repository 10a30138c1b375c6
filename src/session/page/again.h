/* SPDX-License-Identifier: Apache-2.0 */
/*
 * again.h: does a page ask for the same again, as its timers do? Background polling is no part of what
 * its visitor waited for, so it must be told from the parts of a page that loads:
 *
 *   - a part is asked for once; the same URL after it was answered is a timer's
 *   - the same path with another query (/camera.jpg?t=17), or a call, may also be the next of many: only
 *     when it comes ASKED_LEAST_NS after the one before, which was answered ASKED_IDLE_NS ago. A call that
 *     is no GET (GraphQL: one URL for all) must do so at a steady interval besides
 *
 * Remembers the ASKED paths asked for last. Pure: times in, an answer out.
 */
#ifndef PC_SESSION_PAGE_AGAIN_H
#define PC_SESSION_PAGE_AGAIN_H

#include <stdbool.h>
#include <stdint.h>

#define ASKED	       16
#define ASKED_LEAST_NS 800000000ull
#define ASKED_IDLE_NS  250000000ull

struct asked {
	uint32_t path, mark; /* hashes: of the path, of path and query; mark 0: free */
	uint32_t interval_ms;
	bool failed; /* who asks again for what failed waits for it */
	uint64_t from, to;
};

struct asked_set {
	struct asked at[ASKED];
};

struct asking {
	uint32_t path, mark;
	uint64_t from, to;
	bool part, get, failed;
};

/* true: a timer asks. In the order of the ends. */
bool asked_again(struct asked_set *s, const struct asking *a);

#endif
