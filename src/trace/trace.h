/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.h: transactions → transactions with trace, span and parent id and a sampling decision.
 *
 * W3C Trace Context (traceparent, tracestate) is honoured when valid. Without one the trace id is
 * derived from the exchange name, so that both ends of a connection, on one host or two, give the
 * same trace id and the span ids are known to each other without a header: client span = H(name, 'c'),
 * server span = H(name, 's'). The server's parent is the client's span only where that client is
 * watched too (trace_open told us of a watched client end with the same sequence numbers): a parent
 * that nobody sends is never named. No exchange name: a keyed hash of connection id and position.
 *
 * Sampling is OpenTelemetry's (OTEL_TRACES_SAMPLER: always_on, always_off, traceidratio, parentbased_*)
 * plus `keep`: errors and the slow are always kept. It decides on spans only; metrics see everything.
 */
#ifndef PC_TRACE_TRACE_H
#define PC_TRACE_TRACE_H

#include "txn/txn.h"

enum sampler { SAMPLER_ON, SAMPLER_OFF, SAMPLER_RATIO };

struct trace_options {
	enum sampler sampler;
	bool parent_based;
	double ratio;	       /* SAMPLER_RATIO: 0..1 (otherwise -EINVAL) */
	bool keep_errors;      /* status >= 500 (CLIENT: >= 400), or outcome not complete */
	uint64_t keep_slow_ns; /* 0 = off */
	uint32_t connections;  /* watched client ends remembered: 65,536 */
	uint8_t secret[16];    /* keys the hash of unnamed exchanges */
};

struct trace_stats {
	uint64_t sampled, dropped, kept_error, kept_slow;
	uint64_t parent_header, parent_linked; /* where the parent came from */
	uint64_t bad_traceparent;
};

struct trace;

int trace_new(const struct trace_options *options, const struct txn_sink *sink, struct trace **ret);
/* Another sampling decision from here on; connections and secret stay. -EINVAL as trace_new. */
int trace_reload(struct trace *t, const struct trace_options *options);
struct txn_sink trace_txn_sink(struct trace *t);
/* A connection of a known side was opened or closed: the open and close of trace_txn_sink. */
void trace_open(struct trace *t, const struct connection *c, enum side side);
void trace_close(struct trace *t, const struct connection *c);
void trace_tick(struct trace *t, uint64_t now_ns);
void trace_stats(const struct trace *t, struct trace_stats *ret);
void trace_free(struct trace *t);

#endif
