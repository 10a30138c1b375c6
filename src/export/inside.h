/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h: the front itself, for export.c (its life, transactions, time) and told.c (facts, events, connections
 * that came to nothing). Loop thread.
 */
#ifndef PC_EXPORT_INSIDE_H
#define PC_EXPORT_INSIDE_H

#include "base/out.h"
#include "export/console.h"
#include "export/event.h"
#include "export/fact.h"
#include "export/journey.h"
#include "export/metric.h"
#include "export/reach.h"
#include "export/sender.h"
#include "export/span.h"

#define FIGURES 768

/* One output to a descriptor, and what was last said of its failing. */
struct outlet {
	struct out out;
	const char *name;
	uint64_t errors_said;
	uint64_t said_ns;
};

struct export
{
	struct export_options options;
	struct privacy_rules rules;
	struct view view;
	struct fact_view fact;
	struct reach_view reached;
	struct event_view event;
	struct outlet ndjson, console;
	struct console terminal;
	int64_t wall_minus_mono_ns;
	uint64_t now_ns;
	uint64_t next_stats_ns, next_metrics_ns;
	struct resources *resources; /* these seven: NULL = that signal is off */
	struct spans *spans;
	struct metrics *metrics;
	struct page_metrics *pages;
	struct reach_metrics *reach;
	struct journey_metrics *journey;
	struct events *events;
	struct sender *sender;
	uint64_t start_wall_ns;	  /* of the agent's own counters */
	uint64_t metrics_wall_ns; /* of the latest points */
	uint64_t oldest_span_ns;  /* when the batch was begun */
	uint64_t oldest_event_ns;
	uint64_t spans_encoded, spans_refused, points_refused, events_encoded, events_refused,
		pages_refused;
	void *figures_ctx;
	uint32_t (*figures)(void *ctx, struct counter *ret, uint32_t max);
	struct counter figure[FIGURES];
};

static inline uint64_t wall_ns(const struct export *x)
{
	return x->now_ns + (uint64_t)x->wall_minus_mono_ns;
}

static inline bool has_console(const struct export *x)
{
	return x->console.out.fd >= 0 && console_shows_transactions(&x->terminal);
}

/* told.c: for export_session_sink and export_journey_sink. */
void told_fact(void *ctx, const struct session_fact *fact);
void told_measure(void *ctx, const struct session_fact *fact);
void told_attempt(void *ctx, const struct attempt *a);
void told_listener(void *ctx, const struct listener_news *n);
void told_event(void *ctx, const struct event *e);
void told_definition(void *ctx, const struct definition *d);
void told_objective(void *ctx, const struct objective *o, const struct session_fact *f, bool met);
/* Hands over the events that were collected. */
void told_flush(struct export *x);

#endif
