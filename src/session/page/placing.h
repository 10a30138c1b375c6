/* SPDX-License-Identifier: Apache-2.0 */
/*
 * placing.h: one transaction while it is looked at, for place.c, role.c and frame.c. It lives as long as
 * the call of pages_push.
 */
#ifndef PC_SESSION_PAGE_PLACING_H
#define PC_SESSION_PAGE_PLACING_H

#include "session/page/page.h"

enum role {
	ROLE_NONE,
	ROLE_DOCUMENT,
	ROLE_REDIRECT,
	ROLE_PREFETCH,
	ROLE_PART, /* the page is not whole without it */
	ROLE_CALL,
	ROLE_ASIDE, /* of the page, but nobody waits for it */
};

struct placing {
	struct pages *p;
	struct identity *who;
	const struct request *r;
	struct transaction *t;
	enum activity activity;
	struct part_times times;
	uint64_t rtt_ns;
	struct url_parts referer;
	uint32_t from; /* mark of the Referer; 0: none that tells a page */
	char room[URL_ROOM];
	bool repeated; /* by a timer (again.h): nobody waits for it */
	bool began;    /* a page view */
	uint32_t folded;
};

/* ---- role.c: what it says by itself ---- */

enum role role_of(const struct request *r);
/* Times as they were at this host; all that is unobserved is 0. */
void placing_times(struct placing *x);
uint64_t placing_arrival(const struct part_times *t);
/* The first packet known of it: the SYN where the connection was made for it. */
uint64_t placing_first_packet(const struct placing *x);
/* The client did not wait for the whole response. */
bool placing_is_left(const struct transaction *t);

/* ---- frame.c ---- */

/* The page whose frame this document is, where Sec-Fetch-Dest does not tell; NULL: it is a page. */
struct page_view *placing_frame_of(const struct placing *x);
/* What may be a frame and is not taken for one: by the page of which, should that come later. */
void placing_guess(const struct placing *x, struct page_view *v);
/* The document of *v came: pages that are its frames by the same rule are folded into it. */
void placing_fold_frames(struct placing *x, struct page_view *v);

static inline bool page_is_after(const struct page_view *v, uint64_t at_ns)
{
	return (int64_t)(v->start_ns - at_ns) > 0;
}

#endif
