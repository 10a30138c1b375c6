/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.h: transactions → transactions with trace, span and parent id and a sampling decision.
 *
 * W3C Trace Context (traceparent, tracestate) is honoured when valid. Without one the trace id is
 * derived from the exchange name, so that both ends of a connection, on one host or two, give the
 * same trace id and the span ids are known to each other without a header: client span = H(name, 'c'),
 * server span = H(name, 's'). The server's parent is the client's span only where that client is
 * watched too (trace_open told us of a watched client end with the same sequence numbers): a parent
 * that nobody sends is never named. Where that client serves others itself, the transaction is an inner
 * hop (transaction.inner): certain, since the connection is known by its name. No exchange name: a keyed
 * hash of connection id and position.
 *
 * The parent of a client's span is the server's span of the same process that caused it, where that is
 * certain: by what it says (inside.h), or by the thread that sent it where threads serve one request at a
 * time (thread.h). Where the two disagree there is none, and the threads of the process are not believed
 * any more. Then both ends of the call are of its trace (calls.h).
 *
 * Sampling is OpenTelemetry's (OTEL_TRACES_SAMPLER: always_on, always_off, traceidratio, parentbased_*)
 * plus `keep`: errors and the slow are kept where a sampler that takes some would have left them, also
 * against a parent's decision. Off is off, as who sets the standard variable expects: the always_off
 * samplers keep nothing of ours (parent-based: what the parent sampled). Only errors and the slow: ratio
 * 0 and `keep`. It decides on spans only; metrics see everything.
 */
#ifndef PC_TRACE_TRACE_H
#define PC_TRACE_TRACE_H

#include "trace/thread.h"
#include "txn/txn.h"

enum sampler { SAMPLER_ON, SAMPLER_OFF, SAMPLER_RATIO };

struct trace_options {
	enum sampler sampler;
	bool parent_based;
	double ratio;	  /* SAMPLER_RATIO: 0..1 (otherwise -EINVAL) */
	bool keep_errors; /* status >= 500 (CLIENT: >= 400), or outcome not complete; not with OFF */
	uint64_t keep_slow_ns; /* 0 = off; not with OFF */
	uint32_t connections;  /* watched client ends remembered: 65,536 */
	bool in_order; /* records of a thread come in the order in which it made them: one data ring */
	uint8_t secret[16]; /* keys the hash of unnamed exchanges */
};

struct trace_stats {
	uint64_t sampled, dropped, kept_error, kept_slow;
	/* Where the parent came from: a header, the other end of the connection, the same process. */
	uint64_t parent_header, parent_linked, parent_inside;
	uint64_t ambiguous; /* calls that fit several requests of their process: no parent */
	uint64_t by_thread; /* calls whose cause only their thread told */
	uint64_t disagreed; /* calls whose thread and content name two requests: no parent */
	struct threads_stats threads;
	uint64_t
		late; /* calls told after their inner end was over, which then began a trace: no parent */
	uint64_t calls_evicted; /* calls whose cause was forgotten for room */
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
/* Records were lost, of whatever process, before what is told from here on. */
void trace_lost(struct trace *t);
void trace_tick(struct trace *t, uint64_t now_ns);
void trace_stats(const struct trace *t, struct trace_stats *ret);
void trace_free(struct trace *t);

#endif
