/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page.h: the transactions of a visitor → page views, with what was fetched for each and how long it
 * was lived. Internal to src/session; session.c decides about visits, this about pages.
 *
 * A page is looked for by its URL: what a resource or a call of a script came from is in its Referer.
 * So a page may be known before its document is (transactions come in the order of their ends), or never
 * get one: it came out of a cache, or a script changed the URL. Such a page is told only where a rule says
 * that it is one.
 *
 *   LOADING   something came of late; told 2 s after the last of it
 *   TOLD      measured when nothing more can come in: 12 s
 *   RESTING   kept to learn until when it was looked at, and what is fetched for it later
 *
 * A fact is told again, with a higher revision, when it has changed. Of a visitor the PAGES_EACH
 * latest page views are kept (tabs) and as many others; of all, the oldest goes first. One thread, the
 * traffic's own clock.
 */
#ifndef PC_SESSION_PAGE_PAGE_H
#define PC_SESSION_PAGE_PAGE_H

#include "base/list.h"
#include "base/table.h"
#include "session/identity.h"
#include "session/page/again.h"
#include "session/page/burst.h"
#include "session/page/url.h"
#include "session/session.h"

#define PAGES_EACH	  4
#define PAGE_AIDS	  8 /* style sheets, scripts and frames of a page that fetch more in its name */
#define PAGE_PATH	  1024 /* octets kept of a path */
#define PAGE_QUIET_NS	  2000000000ull
#define PAGE_SETTLE_NS	  10000000000ull /* as long as an acknowledgement is waited for (txn.h) */
#define PAGE_LOAD_MOST_NS 60000000000ull
/* So long what may be a frame waits for the document of its page before it is told. */
#define PAGE_UNSURE_NS 10000000000ull
/* A redirect leads to a page that is asked for by then; later it is somebody's own doing. */
#define PAGE_REDIRECT_NS 5000000000ull
/* Without Sec-Fetch-* a frame looks like a link that was followed; nobody is that quick (frame.c). */
#define PAGE_FRAME_NS	     400000000ull
#define PAGE_FRAME_SCRIPT_NS 150000000ull /* after a script */
#define PAGE_FRAME_PARTS_NS                                                                        \
	BURST_GAP_NS /* a first part later than that is no sign of a slow browser */

enum page_state { PAGE_LOADING, PAGE_TOLD, PAGE_RESTING, PAGE_STATES };

/* While it loads. */
struct loading {
	uint64_t page; /* its number: key of the table */
	struct burst burst;
	struct part_times document;
	struct asked_set asked;
};

/* What fetches more in the name of a page, by its own URL. */
struct aid {
	uint64_t start_ns, end_ns;
	uint32_t mark;
	bool frame;
};

struct page_view {
	uint64_t number; /* key of the table */
	struct list of_state;
	struct page_view *next; /* of the visitor, by start, the latest first */
	struct identity *who;
	struct loading *loading; /* NULL: measured */
	char *text;		 /* path, then group */
	char *failed_host;	 /* of the first failed call */
	uint8_t state;
	bool document, of_rule;	     /* it is a page view because of either */
	bool redirected, prefetched; /* what made it known, as long as it has no document */
	bool changed;		     /* since it was told */
	bool ended;		     /* the visit is over, or it is let go */
	bool left;		     /* its document, by the client */
	bool unsure; /* it may be a frame: the page that its Referer names is not known yet */
	uint8_t id[KEY_BYTES];
	uint32_t mark;
	uint32_t
		guessed; /* mark of the page that it would be a frame of; 0: it says that it is none */
	uint32_t aid_count;
	struct aid aids[PAGE_AIDS];
	uint64_t touched_ns;
	uint64_t first_ns;    /* first packet known of it; redirects included */
	uint64_t start_ns;    /* first request read */
	uint64_t arrived_ns;  /* of the document's request */
	uint64_t answered_ns; /* first byte of the document, as the client had it; 0 unobserved */
	uint64_t loaded_ns;   /* end of the document, or of the redirect to it */
	uint64_t parts_ns;    /* start of its first part; 0: none yet */
	uint64_t life_ns;     /* end of what was fetched last for it, polls left out */
	uint64_t maybe_ns;    /* … of what may turn out to be one; 0: nothing since */
	struct page_seen seen;
};

/* What a request is worth as a sign of life of its visitor. */
enum activity {
	ACTIVITY_NONE,
	ACTIVITY_SOLID,
	ACTIVITY_MAYBE, /* the second and third of what may be a poll */
	ACTIVITY_POLL,
};

struct pages_sink {
	void *ctx;
	/* It is told as it stands now; `seen` lacks nothing. */
	void (*tell)(void *ctx, const struct page_view *p);
	/* Once a page, after nothing more can come in. */
	void (*measure)(void *ctx, const struct page_view *p);
};

struct pages;

/* `virtual_`: globs of paths, NULL-terminated or NULL; lives as long as the stage, or pages_rules. */
int pages_new(uint32_t max, struct keys *keys, const struct pages_sink *sink, struct pages **ret);
void pages_rules(struct pages *p, const char *const *virtual_);
/* One transaction of the edge that belongs to the visit of `who`. true: a page view began. *ret_folded: so many
 * that had begun before turned out to be frames of it, and are none any more. */
bool pages_push(struct pages *p, struct identity *who, const struct request *r,
		struct transaction *t, enum activity activity, uint32_t *ret_folded);
/* A call that a server of this host made: it matters if it failed. */
void pages_called(struct pages *p, const struct transaction *t);
/* The same of anything that failed in a trace; `host`: empty, or the one that was asked. */
void pages_failed(struct pages *p, const uint8_t trace_id[16], uint64_t seen_ns, struct slice host);
void pages_tick(struct pages *p, uint64_t now_ns);
/* The visit is over: all its pages are told as they stand and let go. */
void pages_leave(struct pages *p, struct identity *who);
/* The end of input: all are told as they stand, and kept for a checkpoint. */
void pages_finish(struct pages *p);
/* Both are one visitor. Returns how many page views went over; they are told again, as those of `into`. */
uint32_t pages_move(struct pages *p, struct identity *from, struct identity *into);
/* save.c: the pages of a visitor for a checkpoint, in pieces. -errno of `add`. */
int pages_save(const struct pages *p, const struct identity *who, void *ctx,
	       int (*add)(void *ctx, struct slice piece));
/* Takes up what pages_save wrote off the beginning of *rest. who == NULL: only looks whether it is that.
 * `now_ns`: when it was written, by this clock; `by_ns`: what the clock then lacks of this one. */
bool pages_load(struct pages *p, struct identity *who, struct slice *rest, uint64_t now_ns,
		int64_t by_ns);
uint32_t pages_layout(void); /* another one: written by another version */
void pages_stats(const struct pages *p, struct page_stats *ret);
void pages_free(struct pages *p);

/* ---- for the files of this folder ---- */

struct failure {
	uint8_t trace_id[16]; /* key */
	uint64_t seen_ns;
	uint32_t count;
	uint8_t host_len;
	char host[64]; /* cut, where it is longer */
};
#define FAILURES	1024
#define FAILURE_KEEP_NS 120000000000ull /* a request of a page lasts no longer */

struct pages {
	struct table *table, *loading, *failures;
	struct list states[PAGE_STATES];
	struct keys *keys;
	struct pages_sink sink;
	const char *const *virtual_;
	uint64_t next_number, now_ns;
	struct page_stats stats;
};

/* pages.c */
struct page_view *page_add(struct pages *p, struct identity *who, uint32_t mark, uint64_t start_ns);
/* It becomes a page view: it is measured from here on, where it was not yet. */
void page_load(struct pages *p, struct page_view *v);
/* As it stood in a checkpoint; `l` NULL: it was measured. NULL: no room. */
struct page_view *page_take_up(struct pages *p, struct identity *who, const struct page_view *as,
			       const struct loading *l);
/* Of a visitor the latest stay. */
void page_trim(struct pages *p, struct identity *who);
/* It is a page view, or its start changed: in its order, and the time on the page before is known. */
void page_place(struct pages *p, struct page_view *v);
void page_touch(struct pages *p, struct page_view *v, bool waits);
void page_let_go(struct pages *p, struct page_view *v);
/* A frame that was taken for a page and was not told: it goes, and what it had is the page's. */
void page_fold(struct pages *p, struct page_view *frame, struct page_view *into);
static inline bool page_is_told(const struct page_view *v)
{
	return v->document || v->of_rule;
}
/* -ENOMEM: the view goes on without. */
int page_name(struct page_view *v, struct slice path, struct slice group);

/* tell.c: what `seen` says is brought up to date. */
void page_sum_up(struct page_view *v);

#endif
