/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export.h: transactions, facts and business events → NDJSON, console, OTLP spans, metrics and events. One front for all outputs: the
 * loop thread formats and encodes; one worker thread (sender.c) compresses and sends behind a
 * bounded queue. What does not fit is dropped and counted by signal, never waited for.
 *
 * The program must ignore SIGPIPE (a reader of NDJSON may leave). Options are copied, the strings in
 * them are not: they outlive the stage.
 */
#ifndef PC_EXPORT_EXPORT_H
#define PC_EXPORT_EXPORT_H

#include "base/counter.h"
#include "journey/journey.h"

enum privacy { PRIVACY_AUDIENCE, PRIVACY_CUSTOMER, PRIVACY_NONE };

/* OTLP exporter, OpenTelemetry specification "OTLP Exporter Configuration". Strings are owned by the
 * configuration and outlive the export stage. */
struct otlp_signal {
	const char *url;	    /* with its path; NULL = signal off */
	const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
	const char *certificate, *client_certificate, *client_key; /* files, or NULL */
	uint32_t timeout_ms;					   /* 10,000 */
	bool gzip;
};

struct otlp_options {
	struct otlp_signal traces, metrics, logs;
	uint64_t metric_interval_ns; /* OTEL_METRIC_EXPORT_INTERVAL, 60 s */
	uint64_t
		batch_delay_ns; /* spans wait this long at most: 500 ms (a transaction is there within a second) */
	uint32_t batch_bytes;  /* or this much: 512 KiB */
	uint32_t queue_bytes;  /* 16 MiB */
	bool explicit_buckets; /* OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION */
};

/* What the console view shows: console.h. */
enum console_show { CONSOLE_OFF, CONSOLE_ALL, CONSOLE_PAGES, CONSOLE_TRANSACTIONS };

struct export_options {
	enum privacy privacy;
	const char *const
		*query_keep; /* names of query parameters exported in any mode; NULL-terminated */
	const char *site;    /* names that an operator gave, or NULL: */
	const char *const *site_hosts; /* "host=site"; NULL-terminated. Never withheld */
	bool peer_address;	       /* full addresses in audience and customer too */
	int ndjson_fd;	/* -1 = off; owned by the caller, may be a pipe that closes */
	int console_fd; /* -1 = off */
	enum console_show console_show;
	bool patient; /* offline (replay): wait for who reads NDJSON and console; live: never */
	bool console_color;
	uint32_t console_width; /* 0 = do not cut */
	struct otlp_options otlp;
	const char *const *resource; /* "key=value" of OTEL_RESOURCE_ATTRIBUTES and configuration */
	const char *
		service_name; /* OTEL_SERVICE_NAME: overrides what was derived; NULL = per process */
	const char *host_name, *host_id, *os_version;
	uint32_t
		metric_series; /* bound of attribute sets a metric: 2,000 (specification's default) */
	uint64_t stats_interval_ns; /* 10 s */
	/* Tells a person what is wrong with an output and what to do, once a change and then at most
	 * once a minute; from the loop thread only, in push, tick or finish. NULL: nobody listens, the
	 * counts are in export_stats all the same. The sentence is valid during the call. */
	void (*say)(void *ctx, const char *sentence);
	void *say_ctx;
};

struct export_stats {
	uint64_t ndjson_rows, ndjson_dropped, ndjson_errors;
	int ndjson_errno; /* last */
	uint64_t console_rows, console_dropped;
	uint64_t spans_encoded, spans_sent, spans_dropped,
		spans_rejected; /* rejected: partial success */
	uint64_t points_sent, points_dropped, points_rejected;
	uint64_t events_encoded, events_sent, events_dropped, events_rejected;
	uint64_t requests, retries, failures; /* HTTP to the collector */
	int last_status;		      /* of the collector; 0 = no answer */
	uint64_t queue_bytes;
	uint64_t series_overflow;
	uint64_t metric_lost; /* transactions of which a metric misses a value: no memory */
};

struct export;

int export_new(const struct export_options *options, struct export **ret);
struct session_sink export_session_sink(struct export *x);
struct journey_sink export_journey_sink(struct export *x); /* the former in it */
void export_clock(struct export *x, int64_t wall_minus_mono_ns);
/* Figures for `stats` rows and the agent's own metrics: the callback fills at most max counters. */
void export_figures(struct export *x, void *ctx,
		    uint32_t (*figures)(void *ctx, struct counter *ret, uint32_t max));
void export_tick(struct export *x, uint64_t now_ns);
/*
 * Other options while all goes on: privacy, rows and their intervals change in place; counters, metrics
 * and what is queued stay. -EINVAL, and nothing changed, where only a new stage will do: what OTLP,
 * resource, service name or metrics are made from differs. The strings of the options that the stage
 * was made with are still in use. The old NDJSON descriptor may be closed afterwards.
 */
int export_reload(struct export *x, const struct export_options *options);
/* What was left at zero gets its default; a service's name may stand among the resource attributes. */
void export_set_defaults(struct export_options *o);
/* A stage made from `a` would be the same made from `b`, but for what export_reload changes in place. By
 * text, not by pointer. */
bool export_options_same(const struct export_options *a, const struct export_options *b);
/* Ends in order: last spans and metrics, queue sent within `drain_ns`, the last stats row (so that its
 * figures are final), then all is closed. last = false: another stage takes its place and goes on. */
void export_finish(struct export *x, uint64_t drain_ns, bool last);
void export_stats(const struct export *x, struct export_stats *ret);
void export_free(struct export *x);

#endif
