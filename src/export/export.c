/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export.c: the front of the last stage. Takes transactions (trace fields filled) from the stage
 * before, makes the exportable view of each once, and hands it to the outputs that are on: NDJSON and
 * console rows (base/out), spans, metrics and events (OTLP). Owns all of them. What is told of visits and
 * journeys goes through told.c. Loop thread; the one worker thread belongs to sender.c.
 */
#include "export/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "export/inside.h"
#include "export/ndjson.h"

#define NDJSON_BYTES	(4u << 20) /* waiting for a slow reader */
#define CONSOLE_BYTES	(64u << 10)
#define ORIGINS		4096 /* processes remembered */
#define SERVICES	1024
#define METRIC_BYTES	(1u << 20) /* a message of metrics is handed over above this */
#define METRIC_STEP_NS	1000000ull /* between points: some backends keep milliseconds only */
#define SAY_AGAIN_NS	(60 * NS_PER_S)
#define RELOAD_DRAIN_MS 50 /* nothing is read from the rings meanwhile */

static void write_rows(struct export *x, const struct transaction *t)
{
	struct ndjson_context context = { x->wall_minus_mono_ns, x->options.service_name };

	if (x->ndjson.out.fd >= 0) {
		ndjson_transaction(out_row(&x->ndjson.out), &context, t, &x->view);
		out_commit(&x->ndjson.out);
	}
	if (has_console(x) && console_transaction(&x->terminal, out_row(&x->console.out), t,
						  &x->view, x->wall_minus_mono_ns, x->now_ns))
		out_commit(&x->console.out);
}

static void flush_spans(struct export *x)
{
	uint32_t count = spans_count(x->spans);
	char *message;
	size_t len;

	if (!count)
		return;
	if (spans_take(x->spans, &message, &len) < 0)
		x->spans_refused += count;
	else
		sender_push(x->sender, SIGNAL_TRACES, message, len, count);
}

static void add_span(struct export *x, const struct transaction *t)
{
	int err = spans_add(x->spans, t, &x->view, x->wall_minus_mono_ns);

	if (err == -ENOBUFS && spans_count(x->spans)) {
		flush_spans(x);
		err = spans_add(x->spans, t, &x->view, x->wall_minus_mono_ns);
	}
	if (err) {
		x->spans_refused++;
		return;
	}
	x->spans_encoded++;
	if (spans_count(x->spans) == 1)
		x->oldest_span_ns = x->now_ns;
	if (spans_bytes(x->spans) >= x->options.otlp.batch_bytes)
		flush_spans(x);
}

static void on_transaction(void *ctx, struct transaction *t)
{
	struct export *x = ctx;
	bool span = x->spans && t->sampled;

	if (x->ndjson.out.fd >= 0 || has_console(x) || span) {
		if (view_make(&x->view, &x->rules, t) == 0) {
			write_rows(x, t);
			if (span)
				add_span(x, t);
		} else {
			x->ndjson.out.dropped += x->ndjson.out.fd >= 0;
			x->console.out.dropped += has_console(x);
			x->spans_refused += span;
		}
	}
	if (x->metrics)
		metrics_add(x->metrics, t, x->now_ns, wall_ns(x));
}

static void on_active(void *ctx, const struct connection *c, enum side side, struct slice method,
		      int delta)
{
	struct export *x = ctx;

	if (x->metrics && side == SIDE_SERVER)
		metrics_active(x->metrics, c->tgid, method, delta);
}

struct session_sink export_session_sink(struct export *x)
{
	return (struct session_sink){ .ctx = x,
				      .transaction = on_transaction,
				      .active = on_active,
				      .fact = told_fact,
				      .measure = told_measure,
				      .attempt = told_attempt,
				      .listener = told_listener };
}

struct journey_sink export_journey_sink(struct export *x)
{
	return (struct journey_sink){ .session = export_session_sink(x),
				      .ctx = x,
				      .event = told_event,
				      .definition = told_definition,
				      .objective = told_objective };
}

void export_clock(struct export *x, int64_t wall_minus_mono_ns)
{
	x->wall_minus_mono_ns = wall_minus_mono_ns;
}

void export_figures(struct export *x, void *ctx,
		    uint32_t (*figures)(void *ctx, struct counter *ret, uint32_t max))
{
	x->figures_ctx = ctx;
	x->figures = figures;
}

static uint32_t read_figures(struct export *x)
{
	return x->figures ? x->figures(x->figures_ctx, x->figure, FIGURES) : 0;
}

static void push_metrics(void *ctx, char *message, size_t len, uint32_t points)
{
	struct export *x = ctx;

	sender_push(x->sender, SIGNAL_METRICS, message, len, points);
}

/* The points of one time are told once: the last ones, at the end, may come in the same tick as those of
 * the interval, and the wall clock may be set back. */
static uint64_t later_wall_ns(struct export *x)
{
	uint64_t wall = wall_ns(x);

	if (wall < x->metrics_wall_ns + METRIC_STEP_NS)
		wall = x->metrics_wall_ns + METRIC_STEP_NS;
	x->metrics_wall_ns = wall;
	return wall;
}

static void flush_metrics(struct export *x)
{
	const struct metric_sink sink = { x, push_metrics };
	const struct metric_others others = { x->pages, x->reach, x->journey };
	uint32_t n = read_figures(x);
	uint64_t lost;

	metrics_encode(x->metrics, &others, x->now_ns, later_wall_ns(x), x->start_wall_ns,
		       x->figure, n, METRIC_BYTES, &sink, &lost);
	x->points_refused += lost;
}

static void write_stats(struct export *x, bool final)
{
	uint32_t n;

	if (x->ndjson.out.fd < 0)
		return;
	n = read_figures(x);
	ndjson_stats(out_row(&x->ndjson.out), wall_ns(x), final, x->figure, n);
	out_commit(&x->ndjson.out);
}

/* A full disk or a reader that left: said when it begins, then once a minute while it lasts. */
static void say_outlet(struct export *x, struct outlet *o)
{
	char text[256];

	if (!x->options.say || o->errors_said == o->out.errors)
		return;
	if (o->errors_said && x->now_ns - o->said_ns < SAY_AGAIN_NS)
		return;
	if (o->out.closed)
		snprintf(text, sizeof(text),
			 "%s: the reader is gone (%s); rows are dropped and counted", o->name,
			 strerror(o->out.error));
	else
		snprintf(text, sizeof(text),
			 "%s: cannot write (%s); rows are kept as far as memory is set aside, then "
			 "dropped "
			 "and counted: make room and it goes on",
			 o->name, strerror(o->out.error));
	o->errors_said = o->out.errors;
	o->said_ns = x->now_ns;
	x->options.say(x->options.say_ctx, text);
}

static void say_sender(struct export *x)
{
	char text[SENDER_SENTENCE];

	while (x->sender && sender_sentence(x->sender, text))
		if (x->options.say)
			x->options.say(x->options.say_ctx, text);
}

/* True once the time has come; then it comes again after `interval`. The first call only starts it. */
static bool is_due(uint64_t *next_ns, uint64_t interval_ns, uint64_t now_ns)
{
	bool due = *next_ns && now_ns >= *next_ns;

	if (!interval_ns)
		return false;
	if (due || !*next_ns)
		*next_ns = now_ns + interval_ns;
	return due;
}

void export_tick(struct export *x, uint64_t now_ns)
{
	x->now_ns = now_ns;
	if (!x->start_wall_ns)
		x->start_wall_ns = wall_ns(x);
	if (x->spans && spans_count(x->spans) &&
	    now_ns - x->oldest_span_ns >= x->options.otlp.batch_delay_ns)
		flush_spans(x);
	if (x->events && events_count(x->events) &&
	    now_ns - x->oldest_event_ns >= x->options.otlp.batch_delay_ns)
		told_flush(x);
	if (x->metrics && is_due(&x->next_metrics_ns, x->options.otlp.metric_interval_ns, now_ns))
		flush_metrics(x);
	if (is_due(&x->next_stats_ns, x->options.stats_interval_ns, now_ns))
		write_stats(x, false);
	if (x->console.out.fd >= 0 && console_tick(&x->terminal, out_row(&x->console.out), now_ns))
		out_commit(&x->console.out);
	out_flush(&x->ndjson.out);
	out_flush(&x->console.out);
	say_outlet(x, &x->ndjson);
	say_outlet(x, &x->console);
	say_sender(x);
}

void export_finish(struct export *x, uint64_t drain_ns, bool last)
{
	unsigned ms = (unsigned)(drain_ns / NS_PER_MS);

	out_flush(&x->ndjson.out);
	if (x->spans)
		flush_spans(x);
	if (x->events)
		told_flush(x);
	if (x->metrics)
		flush_metrics(x);
	if (x->sender)
		sender_finish(x->sender, drain_ns);
	say_sender(x);
	write_stats(x, last);
	out_drain(&x->ndjson.out, ms);
	out_drain(&x->console.out, ms);
	say_outlet(x, &x->ndjson);
	out_done(&x->ndjson.out);
	out_done(&x->console.out);
}

void export_stats(const struct export *x, struct export_stats *ret)
{
	struct sender_stats sent = { 0 };

	if (x->sender)
		sender_stats(x->sender, &sent);
	*ret = (struct export_stats){
		.ndjson_rows = x->ndjson.out.rows,
		.ndjson_dropped = x->ndjson.out.dropped,
		.ndjson_errors = x->ndjson.out.errors,
		.ndjson_errno = x->ndjson.out.error,
		.console_rows = x->console.out.rows,
		.console_dropped = x->console.out.dropped + x->terminal.left_out,
		.spans_encoded = x->spans_encoded,
		.spans_sent = sent.sent[SIGNAL_TRACES],
		.spans_dropped = sent.dropped[SIGNAL_TRACES] + x->spans_refused,
		.spans_rejected = sent.rejected[SIGNAL_TRACES],
		.points_sent = sent.sent[SIGNAL_METRICS],
		.points_dropped = sent.dropped[SIGNAL_METRICS] + x->points_refused,
		.points_rejected = sent.rejected[SIGNAL_METRICS],
		.events_encoded = x->events_encoded,
		.events_sent = sent.sent[SIGNAL_LOGS],
		.events_dropped = sent.dropped[SIGNAL_LOGS] + x->events_refused,
		.events_rejected = sent.rejected[SIGNAL_LOGS],
		.requests = sent.requests,
		.retries = sent.retries,
		.failures = sent.failures,
		.last_status = sent.last_status,
		.queue_bytes = sent.queue_bytes,
		.series_overflow = x->metrics ? metrics_overflow(x->metrics) +
							page_metrics_overflow(x->pages) +
							reach_metrics_overflow(x->reach) +
							journey_metrics_overflow(x->journey)
					      : 0,
		.metric_lost = x->metrics
				       ? metrics_lost(x->metrics) + page_metrics_lost(x->pages) +
						 reach_metrics_lost(x->reach) +
						 journey_metrics_lost(x->journey) + x->pages_refused
				       : 0,
	};
}

static int open_otlp(struct export *x)
{
	const struct resource_limits limits = { ORIGINS, SERVICES };
	const struct metric_options metrics = {
		x->options.metric_series, x->options.otlp.explicit_buckets,
		x->options.privacy != PRIVACY_NONE,
		privacy_truncates(x->options.privacy, x->options.peer_address)
	};
	int err;

	if (!x->options.otlp.traces.url && !x->options.otlp.metrics.url &&
	    !x->options.otlp.logs.url)
		return 0;
	err = resources_new(&x->options, &limits, &x->resources);
	if (!err && x->options.otlp.traces.url)
		err = spans_new(x->resources, x->options.otlp.batch_bytes, &x->spans);
	if (!err && x->options.otlp.metrics.url)
		err = metrics_new(&metrics, x->resources, &x->metrics);
	if (!err && x->metrics)
		err = page_metrics_new(metrics.series, &x->pages);
	if (!err && x->metrics)
		err = reach_metrics_new(metrics.series, &x->reach);
	if (!err && x->metrics)
		err = journey_metrics_new(metrics.series, &x->journey);
	if (!err && x->options.otlp.logs.url)
		err = events_new(x->resources, x->options.otlp.batch_bytes, &x->events);
	if (!err)
		err = sender_new(&x->options.otlp, x->options.patient, &x->sender);
	return err;
}

static struct privacy_rules rules_of(const struct export_options *o)
{
	return (struct privacy_rules){ o->privacy, o->query_keep, o->peer_address, o->site,
				       o->site_hosts };
}

int export_new(const struct export_options *options, struct export **ret)
{
	struct export *x = calloc(1, sizeof(*x));
	int err;

	if (!x)
		return -ENOMEM;
	x->options = *options;
	export_set_defaults(&x->options);
	x->rules = rules_of(options);
	x->terminal = (struct console){ .show = options->console_show,
					.color = options->console_color,
					.width = options->console_width };
	x->ndjson.name = "NDJSON";
	x->console.name = "console";
	out_init(&x->ndjson.out, options->ndjson_fd, NDJSON_BYTES);
	out_init(&x->console.out, options->console_fd, CONSOLE_BYTES);
	x->ndjson.out.patient = x->console.out.patient = options->patient;
	view_init(&x->view);
	fact_view_init(&x->fact);
	reach_view_init(&x->reached);
	event_view_init(&x->event);
	err = open_otlp(x);
	if (err) {
		export_free(x);
		return err;
	}
	*ret = x;
	return 0;
}

/* ---- reload ---- */

int export_reload(struct export *x, const struct export_options *options)
{
	struct export_options changed = *options;

	export_set_defaults(&changed);
	if (!export_options_same(&x->options, &changed))
		return -EINVAL;
	changed.otlp = x->options.otlp;
	changed.resource = x->options.resource;
	changed.service_name = x->options.service_name;
	changed.console_fd = x->options.console_fd;
	out_drain(&x->ndjson.out, RELOAD_DRAIN_MS);
	out_change(&x->ndjson.out, options->ndjson_fd);
	x->rules = rules_of(options);
	if (changed.stats_interval_ns != x->options.stats_interval_ns)
		x->next_stats_ns = 0;
	x->options = changed;
	return 0;
}

void export_free(struct export *x)
{
	if (!x)
		return;
	sender_free(x->sender);
	page_metrics_free(x->pages);
	reach_metrics_free(x->reach);
	journey_metrics_free(x->journey);
	metrics_free(x->metrics); /* before the resources, whose services hold its series */
	spans_free(x->spans);
	events_free(x->events);
	resources_free(x->resources);
	out_done(&x->ndjson.out);
	out_done(&x->console.out);
	view_done(&x->view);
	fact_view_done(&x->fact);
	reach_view_done(&x->reached);
	event_view_done(&x->event);
	free(x);
}
