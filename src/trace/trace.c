/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.c: see trace.h. Fills the trace part of each transaction on its way to the exports.
 *
 * TraceIdRatioBased follows OpenTelemetry's consistent probability sampling: R >= T, with R the 56
 * random bits of the trace id (or "rv" of tracestate) and T = (1 − ratio) · 2^56. Any two samplers
 * that do so agree, and a higher ratio keeps all that a lower one keeps.
 */
#include "trace/trace.h"

#include <errno.h>
#include <stdlib.h>

#include "trace/calls.h"
#include "trace/context.h"
#include "trace/ends.h"
#include "trace/ids.h"
#include "trace/inside.h"
#include "txn/fields.h"

#define TRACESTATE_BYTES 2048 /* of several fields joined; W3C asks for 512 */
#define RANDOM_BITS	 56
#define PROCESSES	 4096	       /* that serve and call, or lost something */
#define HELD_NS		 2000000000ull /* a hole holds nothing back for longer, with a tick that is late */
#define HIDDEN_NS	 60000000000ull /* a request that a hole hides is over by then */

struct trace {
	struct trace_options options;
	struct txn_sink sink;
	struct ends *ends;
	struct inside *inside;
	struct calls *calls;
	struct doubt *doubt;
	struct threads *threads;
	uint64_t threshold; /* T */
	uint64_t now_ns;
	uint64_t first_ns, seen_ns; /* earliest tick, and latest time that was told of */
	struct trace_stats stats;
	char joined[TRACESTATE_BYTES];
};

int trace_reload(struct trace *t, const struct trace_options *options)
{
	if (!(options->ratio >= 0 && options->ratio <= 1))
		return -EINVAL;
	t->threshold = (uint64_t)((1.0 - options->ratio) * (double)(1ull << RANDOM_BITS));
	t->options.sampler = options->sampler;
	t->options.parent_based = options->parent_based;
	t->options.ratio = options->ratio;
	t->options.keep_errors = options->keep_errors;
	t->options.keep_slow_ns = options->keep_slow_ns;
	return 0;
}

static int new_causes(struct trace *t, uint32_t connections)
{
	const struct thread_limits limits = { PROCESSES, connections };
	int err = inside_new(&t->inside);

	if (!err)
		err = calls_new(connections, &t->calls);
	if (!err)
		err = doubt_new(PROCESSES, &t->doubt);
	if (!err)
		err = threads_new(&limits, t->doubt, &t->threads);
	return err;
}

int trace_new(const struct trace_options *options, const struct txn_sink *sink, struct trace **ret)
{
	struct trace *t;
	int err;

	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->options = *options;
	t->sink = *sink;
	err = trace_reload(t, options);
	if (err)
		goto fail;
	err = ends_new(options->connections, &t->ends);
	if (err)
		goto fail;
	err = new_causes(t, options->connections);
	if (err)
		goto fail;
	*ret = t;
	return 0;
fail:
	trace_free(t);
	return err;
}

void trace_free(struct trace *t)
{
	if (!t)
		return;
	ends_free(t->ends);
	inside_free(t->inside);
	calls_free(t->calls);
	threads_free(t->threads);
	doubt_free(t->doubt);
	free(t);
}

void trace_open(struct trace *t, const struct connection *c, enum side side)
{
	ends_open(t->ends, c, side);
}

void trace_close(struct trace *t, const struct connection *c)
{
	ends_close(t->ends, c, t->now_ns);
}

void trace_tick(struct trace *t, uint64_t now_ns)
{
	if (now_ns > t->now_ns)
		t->now_ns = now_ns;
	if (!t->first_ns)
		t->first_ns = now_ns;
	if (now_ns > t->seen_ns)
		t->seen_ns = now_ns;
	ends_tick(t->ends, t->now_ns);
	calls_tick(t->calls, t->now_ns);
	doubt_tick(t->doubt, t->now_ns);
}

void trace_lost(struct trace *t)
{
	doubt_all(t->doubt);
}

/* ---- context ---- */

/* All tracestate fields in order (section 3.3.1.1); at == NULL: none, or not valid. */
static struct slice find_tracestate(struct trace *t, const struct txn_message *m)
{
	struct slice one = { 0 };
	size_t len = 0;

	for (uint32_t i = 0; i < m->field_count; i++) {
		struct slice v = m->fields[i].value;

		if (!slice_eq(m->fields[i].name, SLICE("tracestate")))
			continue;
		if (!one.at) {
			one = v;
			continue;
		}
		if (!len) {
			if (one.len > sizeof(t->joined))
				return (struct slice){ 0 };
			memcpy(t->joined, one.at, one.len);
			len = one.len;
		}
		if (v.len >= sizeof(t->joined) - len)
			return (struct slice){ 0 };
		t->joined[len++] = ',';
		memcpy(t->joined + len, v.at, v.len);
		len += v.len;
		one = slice_of(t->joined, len);
	}
	return one.at && tracestate_valid(one) ? one : (struct slice){ 0 };
}

/* 1: a valid one, 0: none, -EINVAL: there is one that is not valid, or several. */
static int find_parent(const struct txn_message *m, struct slice *ret_text, struct traceparent *ret)
{
	struct slice text = { 0 };

	for (uint32_t i = 0; i < m->field_count; i++) {
		if (!slice_eq(m->fields[i].name, SLICE("traceparent")))
			continue;
		if (text.at)
			return -EINVAL;
		text = m->fields[i].value;
	}
	if (!text.at)
		return 0;
	if (traceparent_parse(text, ret))
		return -EINVAL;
	*ret_text = text;
	return 1;
}

/* ---- sampling ---- */

static bool is_random_enough(const struct trace *t, const struct transaction *x)
{
	uint64_t r = 0;

	if (!x->tracestate.at || !tracestate_randomness(x->tracestate, &r))
		for (unsigned i = 9; i < 16; i++)
			r = r << 8 | x->trace_id[i];
	return r >= t->threshold;
}

static bool sample(struct trace *t, const struct transaction *x, const struct traceparent *parent)
{
	if (t->options.parent_based && parent)
		return parent->sampled;
	switch (t->options.sampler) {
	case SAMPLER_ON:
		return true;
	case SAMPLER_OFF:
		return false;
	case SAMPLER_RATIO:
		break;
	}
	return is_random_enough(t, x);
}

static void decide(struct trace *t, struct transaction *x, const struct traceparent *parent)
{
	/* As a span's status has it (export/semconv.h); what was not seen may have been an error. */
	bool bad =
		x->status >= (x->side == SIDE_CLIENT ? 400 : 500) || x->outcome != OUTCOME_COMPLETE;

	bool keep = t->options.sampler != SAMPLER_OFF;

	x->sampled = sample(t, x, parent);
	keep = keep && !x->sampled;
	if (keep && t->options.keep_errors && bad) {
		x->sampled = true;
		t->stats.kept_error++;
	} else if (keep && t->options.keep_slow_ns && x->duration_ns >= t->options.keep_slow_ns) {
		x->sampled = true;
		t->stats.kept_slow++;
	}
	if (x->sampled)
		t->stats.sampled++;
	else
		t->stats.dropped++;
}

/* ---- the sink ---- */

/* The inner end of a call that was not told yet: what began with it stays, whatever made the call. */
static void begin_late(struct trace *t, const struct transaction *x, const uint8_t client_id[8])
{
	struct call *call = calls_add(t->calls, client_id);

	if (!call)
		return;
	memcpy(call->trace_id, x->trace_id, sizeof(call->trace_id));
	call->settled = call->late = true;
	calls_end(t->calls, call, t->now_ns);
}

/* What a request says itself goes before what we found out, but where it was passed on as it came: then the
 * spans between are ours to name. */
static void set_ids(struct trace *t, struct transaction *x, int found,
		    const struct traceparent *parent)
{
	struct client_end *end = x->side == SIDE_SERVER ? ends_find(t->ends, x) : NULL;
	struct exchange_name name;
	struct call *call = NULL;
	uint8_t client_id[8];

	exchange_name_of(x, t->options.secret, &name);
	span_id_of(&name, x->side, x->span_id);
	if (x->side == SIDE_CLIENT || end) {
		span_id_of(&name, SIDE_CLIENT, client_id);
		call = calls_find(t->calls, client_id);
	}
	call = call && call->late ? NULL : call;
	x->inner = end && (call || ends_is_inner(t->ends, end));
	x->open.mark = call ? call->mark : 0;
	if (found > 0) {
		x->tracestate = find_tracestate(t, &x->request);
		memcpy(x->trace_id, parent->trace_id, sizeof(x->trace_id));
	} else if (call) {
		memcpy(x->trace_id, calls_trace(t->calls, call), sizeof(x->trace_id));
	} else {
		trace_id_of(&name, x->trace_id);
	}
	if (found > 0 && !(call && call->passed_on)) {
		memcpy(x->parent_id, parent->parent_id, sizeof(x->parent_id));
		x->has_parent = true;
		t->stats.parent_header++;
	} else if (end) {
		memcpy(x->parent_id, client_id, sizeof(x->parent_id));
		x->has_parent = true;
		t->stats.parent_linked++;
	} else if (call) {
		memcpy(x->parent_id, call->parent_id, sizeof(x->parent_id));
		x->has_parent = true;
		t->stats.parent_inside++;
	}
	if (call && x->side == SIDE_CLIENT)
		calls_end(t->calls, call, t->now_ns);
	if (!end || ends_has_begun(end, x))
		return;
	ends_give_up(end);
	if (!call && found <= 0)
		begin_late(t, x, client_id);
}

static void on_transaction(void *ctx, struct transaction *x)
{
	struct trace *t = ctx;
	struct traceparent parent;
	int found = find_parent(&x->request, &x->traceparent, &parent);

	inside_forget(x);
	threads_end(t->threads, x);
	/* Its process may still be at it, for all we know. */
	if (x->side == SIDE_SERVER && x->outcome == OUTCOME_UNOBSERVED)
		doubt_process(t->doubt, x->tgid, t->seen_ns);
	set_ids(t, x, found, &parent);
	t->stats.bad_traceparent += found < 0;
	decide(t, x, found > 0 ? &parent : NULL);
	for (struct attempt *a = x->attempts; a; a = a->next) {
		a->has_cause = true;
		memcpy(a->trace_id, x->trace_id, sizeof(a->trace_id));
		memcpy(a->parent_id, x->span_id, sizeof(a->parent_id));
	}
	t->sink.transaction(t->sink.ctx, x);
}

/* ---- a call and its cause ---- */

static bool same_trace(const struct transaction *a, const struct transaction *b)
{
	struct traceparent of_a, of_b;
	struct slice text;

	if (find_parent(&a->request, &text, &of_a) <= 0 ||
	    find_parent(&b->request, &text, &of_b) <= 0)
		return true;
	return !memcmp(of_a.trace_id, of_b.trace_id, sizeof(of_a.trace_id));
}

/* By what it says, by the thread that sent it, or by both. NULL: not known for certain. */
static struct transaction *cause_of(struct trace *t, struct transaction *client)
{
	const uint64_t until = doubt_until(t->doubt, client->tgid);
	bool doubted = until == UINT64_MAX || (until && client->start_ns <= until + HIDDEN_NS);
	struct transaction *said, *at = NULL;

	said = inside_cause(t->inside, client, doubted, &client->hop);
	if (t->options.in_order)
		at = threads_call(t->threads, client, ends_serves(t->ends, client->tgid));
	if (!at || at == said)
		return said;
	if (client->hop && (said || !inside_fits(at, client))) {
		threads_contradict(t->threads, client->tgid);
		t->stats.disagreed++;
		return NULL;
	}
	if (!same_trace(at, client)) {
		t->stats.disagreed++;
		return NULL;
	}
	t->stats.by_thread++;
	return at;
}

/* A call began: what is known of its cause is noted while the cause is here. */
static struct call *note_call(struct trace *t, const struct transaction *client,
			      const struct transaction *cause)
{
	struct slice given = { 0 }, passed = { 0 };
	struct exchange_name name;
	struct traceparent parent;
	struct call *call, *above;
	uint8_t span_id[8];

	exchange_name_of(client, t->options.secret, &name);
	span_id_of(&name, SIDE_CLIENT, span_id);
	call = calls_find(t->calls, span_id);
	if (call && call->late) {
		t->stats.late++;
		return NULL;
	}
	call = calls_add(t->calls, span_id);
	if (!call)
		return NULL;
	exchange_name_of(cause, t->options.secret, &name);
	span_id_of(&name, SIDE_SERVER, call->parent_id);
	span_id_of(&name, SIDE_CLIENT, call->above);
	above = calls_find(t->calls, call->above);
	call->mark = above && above != call ? above->mark : 0;
	if (find_parent(&cause->request, &given, &parent) <= 0) {
		trace_id_of(&name, call->trace_id);
		return call;
	}
	memcpy(call->trace_id, parent.trace_id, sizeof(call->trace_id));
	call->settled = true;
	call->passed_on =
		find_parent(&client->request, &passed, &parent) > 0 && slice_eq(given, passed);
	return call;
}

static void begin_call(struct trace *t, struct transaction *x)
{
	const struct transaction *cause = cause_of(t, x);
	struct call *call = cause ? note_call(t, x, cause) : NULL;

	ends_begin(t->ends, x);
	if (call)
		x->open.mark = call->mark;
	if (t->sink.begin) {
		x->open.cause = cause;
		t->sink.begin(t->sink.ctx, x);
		x->open.cause = NULL;
	}
	if (call)
		call->mark = x->open.mark;
}

static void saw(struct trace *t, uint64_t at_ns)
{
	if (at_ns > t->seen_ns)
		t->seen_ns = at_ns;
}

static void on_begin(void *ctx, struct transaction *x)
{
	struct trace *t = ctx;

	saw(t, x->start_ns);
	if (x->side == SIDE_CLIENT) {
		begin_call(t, x);
		return;
	}
	inside_serve(t->inside, x);
	if (t->options.in_order)
		threads_read(t->threads, x);
	if (t->sink.begin)
		t->sink.begin(t->sink.ctx, x);
}

static void on_answered(void *ctx, struct transaction *x)
{
	struct trace *t = ctx;

	saw(t, x->response.last_ns);
	threads_answered(t->threads, x);
	if (t->sink.answered)
		t->sink.answered(t->sink.ctx, x);
}

/* What a hole hides, or holds back, in a client's end is no request that a process serves. */
static void on_lost(void *ctx, const struct connection *c, enum side side)
{
	struct trace *t = ctx;

	if (side == SIDE_SERVER)
		doubt_process(t->doubt, c->tgid, t->seen_ns + HELD_NS);
	if (t->sink.lost)
		t->sink.lost(t->sink.ctx, c, side);
}

static void on_active(void *ctx, const struct connection *c, enum side side, struct slice method,
		      int delta)
{
	struct trace *t = ctx;

	if (t->sink.active)
		t->sink.active(t->sink.ctx, c, side, method, delta);
}

static void on_open(void *ctx, const struct connection *c, enum side side)
{
	struct trace *t = ctx;

	trace_open(t, c, side);
	/* A request on it may have been under way when we came. */
	if (side == SIDE_SERVER && c->flags & PC_F_JOINED)
		doubt_process(t->doubt, c->tgid, t->first_ns);
	if (t->sink.open)
		t->sink.open(t->sink.ctx, c, side);
}

static void on_close(void *ctx, const struct connection *c)
{
	struct trace *t = ctx;

	trace_close(t, c);
	if (t->sink.close)
		t->sink.close(t->sink.ctx, c);
}

static void on_attempt(void *ctx, struct attempt *a)
{
	struct trace *t = ctx;

	if (t->sink.attempt)
		t->sink.attempt(t->sink.ctx, a);
}

static void on_made(void *ctx, const struct connection *c)
{
	struct trace *t = ctx;

	ends_made(t->ends, c);
}

/* It was a client all the same, of whatever reads HTTP at the other end. */
static void on_unmade(void *ctx, const struct connection *c)
{
	struct trace *t = ctx;

	trace_close(t, c);
}

static bool on_early(void *ctx, const struct transaction *x)
{
	const struct trace *t = ctx;

	return x->side == SIDE_SERVER && ends_is_awaited(t->ends, x);
}

static bool on_serves(void *ctx, uint32_t tgid, uint32_t tid, uint64_t at_ns)
{
	const struct trace *t = ctx;

	return threads_serve(t->threads, tgid, tid, at_ns);
}

static bool on_alone(void *ctx, const struct transaction *x)
{
	const struct trace *t = ctx;

	return threads_alone(t->threads, x);
}

static void on_listener(void *ctx, struct listener_news *n)
{
	struct trace *t = ctx;

	if (t->sink.listener)
		t->sink.listener(t->sink.ctx, n);
}

struct txn_sink trace_txn_sink(struct trace *t)
{
	return (struct txn_sink){
		.ctx = t,
		.begin = on_begin,
		.transaction = on_transaction,
		.early = on_early,
		.answered = on_answered,
		.lost = on_lost,
		.active = on_active,
		.open = on_open,
		.close = on_close,
		.made = on_made,
		.unmade = on_unmade,
		.attempt = on_attempt,
		.listener = on_listener,
		.serves = on_serves,
		.alone = on_alone,
	};
}

void trace_stats(const struct trace *t, struct trace_stats *ret)
{
	struct inside_stats inside;

	inside_stats(t->inside, &inside);
	*ret = t->stats;
	threads_stats(t->threads, &ret->threads);
	ret->ambiguous = inside.ambiguous;
	ret->calls_evicted = calls_evicted(t->calls);
}
