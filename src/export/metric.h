/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metric.h: every transaction → the HTTP metrics of the semantic conventions, cumulative.
 *
 *   http.{server,client}.request.duration        s    exponential histogram, or explicit buckets
 *   http.{server,client}.request.body.size       By   likewise
 *   http.{server,client}.response.body.size      By   likewise
 *   http.server.active_requests                  {request}
 *
 * A series is one attribute set of one service: series.c finds and feeds it, metric.c encodes all of
 * them. Attribute sets are bounded; what comes above the bound is in the service's series with
 * otel.metric.overflow = true and nothing else, as the metrics SDK specification has it. At the bound
 * a series without traffic for SERIES_IDLE_NS makes room for a new one; it would start anew.
 */
#ifndef PC_EXPORT_METRIC_H
#define PC_EXPORT_METRIC_H

#include "base/hist.h"
#include "export/journey.h"
#include "export/otlp.h"
#include "export/page_metric.h"
#include "export/privacy.h"
#include "export/reach.h"

#define SERIES_IDLE_NS (600ull * 1000000000)
#define EXPLICIT_MAX   15

/* Histogram with fixed bounds; the last bucket is open. */
struct explicit_hist {
	uint64_t count;
	double sum, min, max;
	uint64_t bucket[EXPLICIT_MAX + 1];
};

/* Values of one metric of one series. Most bodies are empty: as long as all are, a count will do. */
struct samples {
	uint64_t zeros; /* while at == NULL */
	union {
		void *at;
		struct hist *hist;
		struct explicit_hist *fixed;
	};
};

enum sampled_metric { SAMPLE_DURATION, SAMPLE_REQUEST, SAMPLE_RESPONSE, SAMPLES };

#define METHOD_UNOBSERVED 255

struct series_key {
	uint64_t service, template_hash, address_hash; /* address: CLIENT only */
	uint16_t status, port;			       /* 0 = none */
	uint8_t method;				       /* otlp_method, or METHOD_UNOBSERVED */
	uint8_t version;			       /* 10, 11; 0 = none */
	uint8_t outcome; /* enum outcome where it makes the error.type, else 0 */
	uint8_t kind;	 /* bit 0 side, bit 1 overflow, bits 2.. scheme */
};

struct series {
	struct series_key key;	 /* must be first */
	struct series *next;	 /* of the same service */
	struct service *service; /* NULL: the agent's own resource */
	char *text;		 /* template, then address */
	struct slice template_, address;
	uint64_t start_wall_ns, last_ns;
	struct samples samples[SAMPLES];
};

struct metrics;

struct metric_options {
	uint32_t series; /* a side */
	bool explicit_buckets;
	bool strict;   /* privacy: path templates are looked through as paths are */
	bool truncate; /* privacy: of addresses, see privacy.h */
};

int metrics_new(const struct metric_options *o, struct resources *r, struct metrics **ret);
void metrics_free(struct metrics *m);
void metrics_add(struct metrics *m, const struct transaction *t, uint64_t now_ns, uint64_t wall_ns);
void metrics_active(struct metrics *m, uint32_t tgid, struct slice method, int delta);
uint64_t metrics_overflow(const struct metrics *m);
uint64_t metrics_lost(const struct metrics *m); /* of which a value found no memory */

/* For the encoder. */
struct series *metrics_of(const struct metrics *m, const struct service *s); /* NULL: the agent's */
struct resources *metrics_resources(const struct metrics *m);
const double *metrics_bounds(enum sampled_metric which, unsigned *ret_count);
bool metrics_explicit(const struct metrics *m);

/* Everything as ExportMetricsServiceRequest messages of about `most` octets each; `take` owns what it
 * is given (free). Returns how many points there were; *ret_lost of them were in messages that found no
 * memory, the rest was handed to `take`. */
struct metric_sink {
	void *ctx;
	void (*take)(void *ctx, char *message, size_t len, uint32_t points);
};

/* Told with the agent's own; each, and all of them, may be NULL. */
struct metric_others {
	const struct page_metrics *pages;
	const struct reach_metrics *reach;
	const struct journey_metrics *journey;
};

long metrics_encode(struct metrics *m, const struct metric_others *others, uint64_t now_ns,
		    uint64_t wall_ns, uint64_t agent_start_wall_ns, const struct counter *figures,
		    uint32_t figure_count, size_t most, const struct metric_sink *sink,
		    uint64_t *ret_lost);

#endif
