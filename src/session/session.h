/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h: transactions → transactions with their site, their visitor's key and their visit, and
 * facts about visits. Stands between trace and export; sees evidence, never values (txn/evidence.h).
 *
 * A visitor is known by what a request carries, best first (enum evidence_kind), so that a visit goes
 * on while cookies change their values and names. A visit ends `timeout_ns` after its last request that
 * counts; preflights, HEAD, favicons and polling never count. Its key is that of the basis with which it
 * began; every other key that a host might give the same visitor is told as an alias, once.
 *
 * What is said of a visit is this host's view. Facts are delivered at least once: `event_id` names the
 * fact, a higher `revision` replaces it as a whole (a visit that a late transaction or a restart takes up
 * again ends once more).
 *
 * Clock: the traffic's own (start times, ticks), so live and replay say the same. One thread.
 */
#ifndef PC_SESSION_SESSION_H
#define PC_SESSION_SESSION_H

#include "session/evidence.h"
#include "session/key.h"
#include "txn/txn.h"

enum fact_kind { FACT_START, FACT_END, FACT_ALIAS, FACT_PAGE };
enum end_reason { END_TIMEOUT, END_CAP, END_SHUTDOWN, END_EVICTED, END_REASONS };
const char *end_reason_name(enum end_reason r); /* timeout, cap, shutdown, evicted */

enum page_outcome {
	PAGE_COMPLETE,
	PAGE_FAILED, /* answered with 404, 410 or 5xx */
	PAGE_CLIENT_GONE,
	PAGE_SERVER_RESET,
	PAGE_TIMED_OUT,
	PAGE_OUTCOME_UNOBSERVED,
};
/* complete error client_gone server_reset timed_out unobserved */
const char *page_outcome_name(enum page_outcome o);

enum apdex { APDEX_UNOBSERVED, APDEX_SATISFIED, APDEX_TOLERATING, APDEX_FRUSTRATED };
const char *apdex_name(enum apdex a); /* NULL: unobserved */

/* page_seen.has: what was observed */
#define PAGE_HAS_LIVED	    0x1 /* lived_ns, server_ns, network_ns */
#define PAGE_HAS_WAIT	    0x2
#define PAGE_HAS_FIRST_BYTE 0x4
#define PAGE_HAS_STAY	    0x8

/* One page view; what the times mean: share/definitions.md. Slices live as long as the call. */
struct page_seen {
	const uint8_t *id; /* KEY_BYTES */
	uint32_t revision;
	uint32_t has;
	struct slice path, group; /* as on the wire; template of it */
	struct slice failed_host; /* of the first failed call */
	uint64_t lived_ns, first_byte_ns, redirect_ns, wait_ns, server_ns, network_ns, on_page_ns;
	bool estimated; /* lived_ns, and network_ns: an end without an observed acknowledgement */
	bool to_proxy; /* the client is behind a proxy; what was lived beyond it is not in the times */
	bool is_virtual;	/* of a single-page application, by rule */
	uint8_t outcome, apdex; /* enum page_outcome, enum apdex */
	uint16_t status;	/* 0: no answer, or virtual */
	uint32_t redirects, resources, failed_resources;
	uint32_t calls;	       /* of its scripts, to this site */
	uint32_t failed_calls; /* that the servers of this host made for it */
};

/* Where a visit was come to from. Texts of campaigns are a stranger's: source is utm_source, else the host of the
 * Referer. */
struct segment_touch {
	const char *channel; /* NULL: no page yet */
	struct slice source, medium, campaign;
};

/* Which group of customers a visit belongs to, as far as is known when it is told. NULL, empty: unobserved. */
struct segment {
	const char *synthetic; /* bot, test; NULL: a person, as far as it says itself */
	bool suspected;	       /* a person who behaves like a robot; never one with a cart */
	const char *device, *os, *browser; /* of a robot: agents_name */
	char country[3];		   /* ISO 3166-1 alpha-2 */
	char region[7];			   /* ISO 3166-2: DE-BE */
	const char *touchpoint;		   /* web, application, partner_api */
	const char *customer;		   /* by rule; staff, test */
	const char *visitor;		   /* new, returning; within the life of a key */
	struct segment_touch first, last;
};

struct session_fact {
	enum fact_kind kind;
	uint8_t event_id[KEY_BYTES];
	uint32_t revision;
	struct slice site;
	uint8_t key[KEY_BYTES];
	uint64_t
		time_unix_ns; /* START: first request; END: last request that counted; ALIAS: when */

	/* START, END, PAGE */
	uint8_t session_id[KEY_BYTES];
	const char *basis; /* configured session_cookie cookie analytics cart token address */
	bool shared;	   /* visitors who cannot be told apart may be in it */
	uint64_t start_unix_ns;
	enum end_reason end_reason;
	uint64_t transactions; /* of this host's edge, the uncounted kinds included */
	uint64_t page_views;
	struct segment segment;

	/* ALIAS */
	uint8_t key_new[KEY_BYTES];
	const char *reason; /* basis rotation period merge */

	const struct page_seen *page; /* PAGE; start_unix_ns is then that of the page */
};

struct session_sink {
	void *ctx;
	void (*transaction)(void *ctx, struct transaction *t);
	void (*active)(void *ctx, const struct connection *c, enum side side, struct slice method,
		       int delta);
	void (*fact)(void *ctx, const struct session_fact *f);
	/* Once a page view, when nothing more can come in for it, and once a visit, when it first ended (and
	 * not by ours): for metrics that only add up. May be NULL. */
	void (*measure)(void *ctx, const struct session_fact *f);
	/* Each once, those of a request right before its transaction. May be NULL. */
	void (*attempt)(void *ctx, const struct attempt *a);
	void (*listener)(void *ctx, const struct listener_news *n);
};

struct session_options {
	uint8_t secret[SECRET_BYTES];
	uint64_t timeout_ns; /* 30 min */
	uint64_t cap_ns;     /* 24 h */
	uint64_t period_s;   /* life of a key: 1 day; customer: 396 days */
	bool opt_out;	     /* Sec-GPC, DNT and the opt-out cookie are honoured */
	uint32_t visits;     /* remembered visitors, with or without a visit now: 100,000 */
	uint32_t sites;	     /* 1,024 */
	const char *site;    /* of everything, or NULL */
	const char *const *site_hosts;		/* "host=site", NULL-terminated or NULL */
	const char *const *keys, *const *carts; /* evidence.h, NULL-terminated or NULL */
	const char *opt_out_cookie;		/* or NULL */
	const char *const *virtual_pages;	/* globs of paths; NULL-terminated or NULL */
	const char *const *trusted_proxies;	/* who.h, trust_read */
	/* "CONDITION\nNAME" (segment_check), NULL-terminated or NULL: the first that holds. */
	const char *const *touchpoints, *const *classes;
	/* Words of User-Agents, in lower case, NULL-terminated or NULL: robots, monitors, and applications that
	 * people use. */
	const char *const *robots, *const *monitors, *const *applications;
};

#define RULES_MAX 64 /* touchpoints and classes together */
/* NULL: fine; otherwise what is wrong with a condition. */
const char *segment_check(const char *condition);

struct session_stats {
	uint64_t transactions; /* of the edge = in_visits + opted_out + unattributed + no_site */
	uint64_t in_visits, opted_out, unattributed, no_site;
	uint64_t inner;
	uint64_t started, ended[END_REASONS]; /* by enum end_reason; resumed ones end again */
	uint64_t resumed;
	uint64_t aliases, aliases_dropped; /* dropped: more than a visit may have */
	uint64_t merged, split, polls;
	uint64_t clues_evicted, identities_evicted;
	/* Requests of which a proxy hid the client, named too many proxies, wrote no list of addresses, or
	 * named two. */
	struct client_stats {
		uint64_t hidden, cut, malformed, differ;
	} clients;
	struct segment_stats {
		uint64_t places_found, places_absent, places_damaged; /* look-ups */
		uint64_t campaigns_overflow; /* touches that found no room: "{other}" */
	} segments;
	uint64_t restored; /* started + resumed + restored = ended (all reasons) + open */
	uint32_t open, identities;
	struct page_stats {
		/* views (of documents, and virtual ones by rule) = told + lost + those that are not told
		 * yet; as visits count them, but for what was restored */
		uint64_t views, told;
		uint64_t lost; /* found no room */
		uint64_t measured;
		uint64_t restored;
		uint64_t frames;     /* navigations taken for frames by their timing */
		uint64_t prefetched; /* documents fetched ahead; used: and looked at */
		uint64_t used;
		uint64_t without_document; /* known by Referer only, let go */
		uint64_t evicted;	   /* before it was known until when they were looked at */
		uint64_t hurried;	   /* measured before its time, to make room */
		uint64_t failures_lost;	   /* failed calls of servers that found no room */
		uint32_t open;
	} pages;
	struct evidence_stats evidence;
};

struct session;

/* The strings of the options outlive the stage, or the next session_reload. */
int session_new(const struct session_options *options, const struct session_sink *sink,
		struct session **ret);
/* Times, names and bounds of time change; secret, bounds and keys stay as they were. */
void session_reload(struct session *s, const struct session_options *options);
/* Countries and regions from here on: the octets of a database (who.h, geo_new), which stay as they are until the
 * next call or the end; at == NULL: none. -errno: the one before goes on, *ret_why is a sentence. */
int session_places(struct session *s, struct slice file, const char **ret_why);
/* What is known of an open visit's segment by now, asked by its id; false: there is none, or it is over. */
bool session_segment(struct session *s, const uint8_t session_id[KEY_BYTES], struct segment *ret);
struct txn_sink session_txn_sink(struct session *s);
struct txn_witness session_witness(struct session *s);
void session_clock(struct session *s, int64_t wall_minus_mono_ns);
void session_tick(struct session *s, uint64_t now_ns);
/* The end of input: every open visit is told as it stands (END_SHUTDOWN). */
void session_finish(struct session *s);
void session_stats(const struct session *s, struct session_stats *ret);
void session_free(struct session *s);

/* checkpoint.c: open visits and what their visitors are known by, as pseudonyms. `add` gets the text in
 * pieces. -errno of `add`. */
int session_save(const struct session *s, void *ctx, int (*add)(void *ctx, struct slice piece));
/* Takes up what session_save wrote, after session_clock and a session_tick (without one a checkpoint from the future
 * is not told from others) and before the first transaction. Visits that are
 * over by now end with the next tick. -EBADMSG: damaged; -EPROTO: another version; -EKEYREJECTED: another
 * secret; then nothing was taken. */
int session_load(struct session *s, struct slice text);

#endif
