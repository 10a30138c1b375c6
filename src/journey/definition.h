/* SPDX-License-Identifier: Apache-2.0 */
/*
 * definition.h: what the operator declares of the journeys of a site: funnels (ordered steps) and objectives
 * (how many of the pages of a step are to be there within a time, for a segment). They are told as facts, so
 * that who reads the facts of all hosts has them beside the events; the figures of both are SQL
 * (share/sql/journeys.sql). Of objectives the agent counts good and all, which only add up.
 *
 * Made by agent/config and not changed afterwards; all strings and arrays are its.
 */
#ifndef PC_JOURNEY_DEFINITION_H
#define PC_JOURNEY_DEFINITION_H

#include "session/session.h"

#define FUNNELS_MAX	16
#define FUNNEL_STEPS	16
#define STEP_PAGES	16
#define OBJECTIVES_MAX	64 /* of all funnels together */
#define DEFINITION_NAME 64 /* octets of a name, at most */

/* A step is reached by an event (its event_name), by a page (its path fits one of the globs), or by either. */
struct funnel_step {
	const char *name;
	const char *event;	  /* or NULL */
	const char *const *pages; /* NULL-terminated, or NULL */
};

struct funnel {
	const char *name;
	const char *site; /* NULL: of every site */
	const struct funnel_step *steps;
	uint32_t step_count;
};

/* Of the page views of a step, by those of the segment that are named (NULL: whatever it is). */
struct objective {
	const char *name;
	const struct funnel *funnel;
	const struct funnel_step *step; /* has pages */
	const char *device, *country, *touchpoint, *customer, *visitor, *channel;
	uint64_t under_ns;
	uint32_t share_ppm; /* of a million: 950,000 */
};

struct definitions {
	const struct funnel *funnels;
	const struct objective *objectives;
	uint32_t funnel_count, objective_count;
};

/* As it is told: one of both. */
struct definition {
	uint8_t event_id[KEY_BYTES]; /* keys_event("parcours.definition", site, kind 00 name) */
	uint64_t revision;	     /* when it was told first: ms since 1970 */
	uint64_t time_unix_ns;
	const struct funnel *funnel;
	const struct objective *objective;
	bool removed; /* it is in the configuration no more */
};

bool funnel_same(const struct funnel *a, const struct funnel *b);
bool objective_same(const struct objective *a, const struct objective *b);

enum objective_result { OBJECTIVE_NOT_OF_IT, OBJECTIVE_MET, OBJECTIVE_MISSED };
/* What a page view (FACT_PAGE) says of it. A page error is a miss whatever its time; a page of which the time
 * was not observed, or that was left before it was whole within the time, says nothing: as Apdex. */
enum objective_result objective_judge(const struct objective *o, const struct session_fact *f);

#endif
