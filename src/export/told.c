/* SPDX-License-Identifier: Apache-2.0 */
/*
 * told.c: facts of visits and pages, business events, definitions, and connections that came to nothing → the
 * outputs that are on. The view of each is made once, as privacy has it, and every output is written from it.
 */
#include "export/inside.h"
#include "export/ndjson.h"

void told_flush(struct export *x)
{
	uint32_t count = events_count(x->events);
	char *message;
	size_t len;

	if (!count)
		return;
	if (events_take(x->events, &message, &len) < 0)
		x->events_refused += count;
	else
		sender_push(x->sender, SIGNAL_LOGS, message, len, count);
}

static void event_added(struct export *x)
{
	x->events_encoded++;
	if (events_count(x->events) == 1)
		x->oldest_event_ns = x->now_ns;
	if (events_bytes(x->events) >= x->options.otlp.batch_bytes)
		told_flush(x);
}

static void add_event(struct export *x, const struct session_fact *f)
{
	if (events_add(x->events, f, wall_ns(x))) {
		told_flush(x);
		if (events_add(x->events, f, wall_ns(x))) {
			x->events_refused++;
			return;
		}
	}
	event_added(x);
}

/* FACT_START makes no row: one is written when the visit ends. */
static void write_fact(struct export *x, const struct session_fact *f)
{
	static void (*const write[])(struct buf * out, const struct session_fact *f) = {
		[FACT_END] = ndjson_session,
		[FACT_ALIAS] = ndjson_alias,
		[FACT_PAGE] = ndjson_page,
	};

	if (x->ndjson.out.fd >= 0 && write[f->kind]) {
		write[f->kind](out_row(&x->ndjson.out), f);
		out_commit(&x->ndjson.out);
	}
	if (x->console.out.fd >= 0 &&
	    console_fact(&x->terminal, out_row(&x->console.out), f, wall_ns(x)))
		out_commit(&x->console.out);
}

void told_fact(void *ctx, const struct session_fact *fact)
{
	struct export *x = ctx;

	if (fact_view_make(&x->fact, &x->rules, fact)) {
		x->events_refused++;
		return;
	}
	if (x->events)
		add_event(x, &x->fact.fact);
	write_fact(x, &x->fact.fact);
}

void told_measure(void *ctx, const struct session_fact *fact)
{
	struct export *x = ctx;

	if (!x->pages)
		return;
	if (fact_view_make(&x->fact, &x->rules, fact))
		x->pages_refused++;
	else
		page_metrics_add(x->pages, &x->fact.fact, wall_ns(x));
}

static void add_reach_event(struct export *x)
{
	if (reach_event(x->events, &x->reached, wall_ns(x))) {
		told_flush(x);
		if (reach_event(x->events, &x->reached, wall_ns(x))) {
			x->events_refused++;
			return;
		}
	}
	event_added(x);
}

/* `err`: of making the view. */
static void tell_reached(struct export *x, int err)
{
	if (err) {
		x->ndjson.out.dropped += x->ndjson.out.fd >= 0;
		x->events_refused += x->events != NULL;
		return;
	}
	if (x->ndjson.out.fd >= 0) {
		reach_row(out_row(&x->ndjson.out), &x->reached);
		out_commit(&x->ndjson.out);
	}
	if (has_console(x) &&
	    console_reach(&x->terminal, out_row(&x->console.out), &x->reached, wall_ns(x)))
		out_commit(&x->console.out);
	if (x->events)
		add_reach_event(x);
	if (x->reach)
		reach_metrics_add(x->reach, &x->reached, wall_ns(x));
}

void told_attempt(void *ctx, const struct attempt *a)
{
	struct export *x = ctx;

	tell_reached(x, reach_view_attempt(&x->reached, &x->rules, a, x->wall_minus_mono_ns,
					   x->options.service_name));
}

void told_listener(void *ctx, const struct listener_news *n)
{
	struct export *x = ctx;

	tell_reached(x, reach_view_listener(&x->reached, &x->rules, n, x->wall_minus_mono_ns,
					    x->options.service_name));
}

/* ---- business events ---- */

static void add_journey_event(struct export *x, const struct event *e)
{
	if (event_record(x->events, e, wall_ns(x))) {
		told_flush(x);
		if (event_record(x->events, e, wall_ns(x))) {
			x->events_refused++;
			return;
		}
	}
	event_added(x);
}

void told_event(void *ctx, const struct event *event)
{
	struct export *x = ctx;
	const struct event *e = &x->event.event;

	if (event_view_make(&x->event, &x->rules, event)) {
		x->ndjson.out.dropped += x->ndjson.out.fd >= 0;
		x->events_refused += x->events != NULL;
		return;
	}
	if (x->ndjson.out.fd >= 0) {
		event_row(out_row(&x->ndjson.out), e);
		out_commit(&x->ndjson.out);
	}
	if (x->console.out.fd >= 0 && console_event(&x->terminal, out_row(&x->console.out), e))
		out_commit(&x->console.out);
	if (x->events)
		add_journey_event(x, e);
	if (x->journey)
		journey_metrics_event(x->journey, e, wall_ns(x));
}

void told_definition(void *ctx, const struct definition *d)
{
	struct export *x = ctx;

	if (x->ndjson.out.fd >= 0) {
		definition_row(out_row(&x->ndjson.out), d);
		out_commit(&x->ndjson.out);
	}
	if (!x->events)
		return;
	if (definition_record(x->events, d, wall_ns(x))) {
		told_flush(x);
		if (definition_record(x->events, d, wall_ns(x))) {
			x->events_refused++;
			return;
		}
	}
	event_added(x);
}

void told_objective(void *ctx, const struct objective *o, const struct session_fact *f, bool met)
{
	struct export *x = ctx;

	if (x->journey)
		journey_metrics_objective(x->journey, o,
					  privacy_site(f->site, &x->rules, x->fact.site), met,
					  wall_ns(x));
}
