/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey.h: business events and definitions (journey/event.h, journey/definition.h) → rows, OTLP events and
 * metrics. Every output of an event is written from what event_view_make gives; of definitions all may leave:
 * they are the operator's.
 *
 *   parcours.orders                {order}       sum
 *   parcours.orders.unvalued       {order}       sum   of them: without a value or currency that was observed
 *   parcours.revenue               {minor_unit}  sum   by parcours.currency: values of orders in the smallest
 *                                                      unit of their currency (ISO 4217), so it is exact
 *   parcours.cart.changes          {change}      sum   by parcours.event.name
 *   parcours.payment.errors        {error}       sum
 *   parcours.objective.pages       {page}        sum   page views of an objective, by parcours.objective
 *   parcours.objective.pages.good  {page}        sum   of them: met
 *
 * Loop thread.
 */
#ifndef PC_EXPORT_JOURNEY_H
#define PC_EXPORT_JOURNEY_H

#include "export/event.h"
#include "export/privacy.h"
#include "journey/journey.h"

#define EVENT_PARAMETERS 32 /* exported of a site's own */

struct event_view {
	struct event event;
	struct cart_state cart;
	struct preceded preceded;
	struct item items[ITEMS_MAX], cart_items[ITEMS_MAX];
	struct parameter parameters[EVENT_PARAMETERS];
	char site[PRIVACY_HOST], host[PRIVACY_HOST], source[2][PRIVACY_HOST];
	char cart_id[72];
	struct buf scratch;
};

void event_view_init(struct event_view *v);
void event_view_done(struct event_view *v);
/* v->event is valid until the next call, and as long as `e` is. -ENOMEM, -ENOBUFS: nothing of it may be exported. */
int event_view_make(struct event_view *v, const struct privacy_rules *rules, const struct event *e);
/* event_name of a row. */
struct slice event_name(const struct event *e);

/* Anything had gone wrong or been slow. */
static inline bool preceded_any(const struct preceded *p)
{
	return p && (p->error_status || p->slow_lived_ns || p->cart_refused || p->payment_refused ||
		     p->reason.len || p->failed_host.len);
}

/* 1234.50, without rounding. */
#define AMOUNT_TEXT 24
struct slice amount_text(const struct amount *a, char text[AMOUNT_TEXT]);

void event_row(struct buf *out, const struct event *e);
void definition_row(struct buf *out, const struct definition *d);
/* -ENOBUFS as events_add. */
int event_record(struct events *events, const struct event *e, uint64_t observed_unix_ns);
int definition_record(struct events *events, const struct definition *d, uint64_t observed_unix_ns);

struct journey_metrics;

int journey_metrics_new(uint32_t series, struct journey_metrics **ret);
void journey_metrics_free(struct journey_metrics *m);
void journey_metrics_event(struct journey_metrics *m, const struct event *e, uint64_t wall_ns);
/* `site`: what may leave of it. */
void journey_metrics_objective(struct journey_metrics *m, const struct objective *o,
			       struct slice site, bool met, uint64_t wall_ns);
/* As page_metrics_encode. */
uint32_t journey_metrics_encode(const struct journey_metrics *m, uint64_t wall_ns, struct buf *out);
uint64_t journey_metrics_overflow(const struct journey_metrics *m);
uint64_t journey_metrics_lost(const struct journey_metrics *m);

#endif
