/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment.h: which group of customers a visit belongs to: device, place, channel and campaign (first and
 * last touch), touchpoint, customer class, robots, new or returning. Internal to src/session: kept in each
 * visit in a few octets (struct visit_segment), told in words (struct segment, session.h).
 *
 *   segment.c     what each request adds to its visit
 *   touches.c     campaigns as text, each once, however many visits have it
 *   conditions.c  the operator's conditions, asked of each request
 *
 * Nothing is guessed: what no request of the visit said is absent. `suspected` is no verdict: such a visit is
 * counted like every other one. One thread.
 */
#ifndef PC_SESSION_SEGMENT_SEGMENT_H
#define PC_SESSION_SEGMENT_SEGMENT_H

#include "session/request.h"
#include "session/session.h"

/* ---- touches ---- */

#define TOUCHES 4096 /* campaigns remembered */

/* Where a visit came from, as text (source, medium, campaign); equal ones are one, and have one number. */

struct touches;

int touches_new(uint32_t max, struct touches **ret);
void touches_free(struct touches *t);
/* One more use of it. 0: all three are empty, or no memory. Beyond the bound all share one: "{other}". */
uint16_t touches_hold(struct touches *t, const struct slice part[3]);
void touches_leave(struct touches *t, uint16_t number); /* 0 is fine */
uint64_t touches_overflow(const struct touches *t);
struct slice touches_part(const struct touches *t, uint16_t number,
			  unsigned part); /* of 0: empty */

/* ---- rules ---- */

#define RULES RULES_MAX /* one bit each */

/* What a condition decides. */
enum rule_of { RULE_TOUCHPOINT, RULE_CLASS, RULE_KINDS };

struct conditions;

/* "CONDITION\nNAME", NULL-terminated or NULL, in the order in which they are asked; see segment_check. Strings
 * are borrowed. -EINVAL: one is none; -ENOSPC: more than RULES. */
int conditions_new(const char *const *touchpoints, const char *const *classes,
		   struct conditions **ret);
void conditions_free(struct conditions *r);
/* Those that ask for what is in no transaction (fields, cookies): one bit each that holds. */
uint64_t conditions_of_head(const struct conditions *r, const struct head *h);
/* The best of a kind that holds for the request: 1 + its place, below `best` (0: any); `best` where none. */
uint8_t conditions_of_request(const struct conditions *r, enum rule_of kind,
			      const struct request *request, uint8_t best);
const char *conditions_name(const struct conditions *r, uint8_t rule); /* NULL: 0 */
uint64_t conditions_mark(
	const struct conditions *r); /* of all of them: places mean the same while it is the same */

/* ---- of a visit ---- */

struct visit_segment {
	uint16_t first, last;		     /* touches.c; 0: none */
	uint8_t first_channel, last_channel; /* enum channel */
	uint8_t device, os, browser, synthetic;
	uint16_t robot;		   /* agents_name */
	uint8_t touchpoint, class; /* conditions_name */
	uint8_t visitor;	   /* enum visitor_kind */
	bool pages;		   /* it has a page view */
	bool fetched;		   /* something that belongs to a page was asked for */
	bool suspected;
	struct place place;
};

enum visitor_kind { VISITOR_UNOBSERVED, VISITOR_NEW, VISITOR_RETURNING };

struct segments;

int segments_new(const struct session_options *o, struct segments **ret);
void segments_free(struct segments *s);
/* Another database of places; at == NULL: none any more. As geo_replace. */
int segments_places(struct segments *s, struct slice file, const char **ret_why);
const struct conditions *segments_conditions(const struct segments *s);
struct touches *segments_touches(const struct segments *s);
void segments_stats(const struct segments *s, struct segment_stats *ret);

/* The class of the transaction's User-Agent, into it; `f`: what its request says of that. */
void segments_agent(struct segments *s, const struct who_fields *f, struct transaction *t);
uint32_t segments_words(
	const struct segments *s); /* agents_count: numbers of robots mean the same with it */
/* A visit begins with this request. */
void segment_begin(struct segments *s, const struct request *r, enum visitor_kind visitor,
		   struct visit_segment *ret);
/* One more request of it. `page`: it began a page view, of which the visit has `page_views` now; `sites`
 * for hosts of the same site. */
void segment_add(struct segments *s, struct visit_segment *v, const struct request *r,
		 const struct sites *sites, const struct known_site *site, bool page,
		 uint32_t page_views, uint64_t lasted_ns);
void segment_tell(const struct segments *s, const struct visit_segment *v, bool cart,
		  struct segment *ret);
/* Its touches are no longer used; what it has of pages was of none. */
void segment_leave(struct segments *s, struct visit_segment *v);
void segment_forget_way(struct segments *s, struct visit_segment *v);

#endif
