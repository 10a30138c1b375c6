/* SPDX-License-Identifier: Apache-2.0 */
/*
 * internal.h: the stage itself, for session.c, reach.c and checkpoint.c.
 */
#ifndef PC_SESSION_INTERNAL_H
#define PC_SESSION_INTERNAL_H

#include "session/identity.h"
#include "session/page/page.h"

#define NS_PER_SECOND	   1000000000ull
#define NS_PER_MILLISECOND 1000000ull
#define COOKIE_NAMES	   4096 /* of cookies that no list names, remembered over all sites */

/* Intervals of scripts: more often are calls side by side, less often may well be a person. */
#define POLL_LEAST_MS 800
#define POLL_MOST_MS  600000 /* fits 20 bits */
#define POLL_COUNT    60     /* fits 6 bits; more says no more */

struct session {
	struct session_options options; /* the secret is wiped */
	struct session_sink sink;
	struct keys *keys;
	struct evidence_rules *rules;
	struct sites *sites;
	struct identities *identities;
	struct segments *segments;
	struct pages *pages;
	struct table *aliases; /* fact.c: told lately */
	struct table *ports;   /* reach.c: which site is served there */
	struct port_site *latest_port;
	struct trust trust;
	int64_t wall_minus_mono_ns;
	uint64_t now_ns;
	struct session_stats stats;
};

/* Times of a visit taken up after a reboot lie before the clock began. */
static inline int64_t time_since(uint64_t now_ns, uint64_t then_ns)
{
	return (int64_t)(now_ns - then_ns);
}

/* For what is compared over hours at most, in 4 octets. */
static inline uint32_t short_ms(uint64_t mono_ns)
{
	return (uint32_t)(mono_ns / NS_PER_MILLISECOND);
}

static inline uint64_t session_unix(const struct session *s, uint64_t mono_ns)
{
	return mono_ns + (uint64_t)s->wall_minus_mono_ns;
}

/* ---- visits.c ---- */

/* The visit of *who is open from here on; it is over. */
void visit_open(struct session *s, struct identity *who);
void visit_close(struct session *s, struct identity *who);

/* ---- reach.c ---- */

int reach_new(struct table **ret);
void reach_learn(struct session *s, const struct transaction *t); /* its site is known */
/* What was attempted for a request in vain: before it is placed on a page, and after. */
void reach_failed(struct session *s, const struct transaction *t);
void reach_tell(struct session *s, const struct transaction *t);
/* For session_txn_sink. */
void reach_attempt(void *ctx, struct attempt *a);
void reach_listener(void *ctx, struct listener_news *n);

/* ---- fact.c ---- */

int aliases_new(uint32_t visits, struct table **ret);
void tell_start(struct session *s, const struct identity *who);
void tell_end(struct session *s, struct identity *who);
/* The key of its basis in that period. */
void visit_key_of(struct session *s, const struct identity *who, uint64_t period,
		  uint8_t ret[KEY_BYTES]);
/* Another host may know it by that. */
void tell_other_name(struct session *s, struct identity *who, const struct basis *also,
		     uint64_t at_ns);
void tell_alias(struct session *s, struct identity *who, const uint8_t key_new[KEY_BYTES],
		const char *reason, uint64_t now_ns);
/* For pages_sink. */
void tell_page(void *ctx, const struct page_view *p);
void measure_page(void *ctx, const struct page_view *p);

static inline const char *basis_name(unsigned kind)
{
	static const char *const names[EVIDENCE_KINDS] = {
		[EVIDENCE_CONFIGURED] = "configured",
		[EVIDENCE_KNOWN] = "session_cookie",
		[EVIDENCE_COOKIE] = "cookie",
		[EVIDENCE_ANALYTICS] = "analytics",
		[EVIDENCE_CART] = "cart",
		[EVIDENCE_TOKEN] = "token",
		[EVIDENCE_ADDRESS] = "address",
	};

	return names[kind];
}

#endif
