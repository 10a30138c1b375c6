/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.c: see trace.h. Fills the trace part of each transaction on its way to the exports.
 *
 * Watched client ends are remembered by what the server's end can name: the pair of initial sequence
 * numbers, or the socket on a Unix connection. A client may close before the server's transaction
 * comes through, so a closed end stays LINK_GRACE_NS in a table of its own, in order of closing.
 *
 * TraceIdRatioBased follows OpenTelemetry's consistent probability sampling: R >= T, with R the 56
 * random bits of the trace id (or "rv" of tracestate) and T = (1 − ratio) · 2^56. Any two samplers
 * that do so agree, and a higher ratio keeps all that a lower one keeps.
 */
#include "trace/trace.h"

#include <errno.h>
#include <stdlib.h>

#include "base/table.h"
#include "trace/context.h"
#include "trace/ids.h"
#include "txn/fields.h"

#define LINK_GRACE_NS	 5000000000ull
#define TRACESTATE_BYTES 2048 /* of several fields joined; W3C asks for 512 */
#define RANDOM_BITS	 56

enum link_kind { LINK_ISN = 1, LINK_SOCKET };

struct link { /* entry of both tables; the key comes first */
	uint64_t kind;
	uint64_t name;
	uint64_t closed_ns;
};
#define LINK_KEY (2 * sizeof(uint64_t))

struct trace {
	struct trace_options options;
	struct txn_sink sink;
	struct table *open, *closed;
	uint64_t threshold; /* T */
	uint64_t now_ns;
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
	err = table_new(sizeof(struct link), LINK_KEY, options->connections, &t->open);
	if (err)
		goto fail;
	err = table_new(sizeof(struct link), LINK_KEY, options->connections, &t->closed);
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
	table_free(t->open);
	table_free(t->closed);
	free(t);
}

/* ---- watched client ends ---- */

static struct link link_isn(uint32_t client, uint32_t server)
{
	return (struct link){ .kind = LINK_ISN, .name = (uint64_t)client << 32 | server };
}

/* At the limit the oldest goes: its server's spans will be roots. */
static struct link *link_add(struct table *table, const struct link *key)
{
	struct link *l;
	bool fresh;

	l = table_add(table, key, &fresh);
	if (l || !table_oldest(table))
		return l;
	table_remove(table, table_oldest(table));
	return table_add(table, key, &fresh);
}

/* What the server's end can say of a client's end. */
static struct link link_of(const struct connection *c)
{
	struct exchange e;

	if (exchange_of(c, SIDE_CLIENT, &e))
		return link_isn(e.isn_client, e.isn_server);
	return (struct link){ .kind = LINK_SOCKET, .name = c->id };
}

void trace_open(struct trace *t, const struct connection *c, enum side side)
{
	struct link key = link_of(c);

	if (side == SIDE_CLIENT)
		link_add(t->open, &key);
}

void trace_close(struct trace *t, const struct connection *c)
{
	struct link key = link_of(c), *l;

	l = table_find(t->open, &key);
	if (!l)
		return; /* a server's end, or forgotten */
	table_remove(t->open, l);
	l = link_add(t->closed, &key);
	if (l) {
		l->closed_ns = t->now_ns;
		table_touch(t->closed, l);
	}
}

void trace_tick(struct trace *t, uint64_t now_ns)
{
	struct link *l;

	if (now_ns > t->now_ns)
		t->now_ns = now_ns;
	while ((l = table_oldest(t->closed)) && l->closed_ns + LINK_GRACE_NS <= t->now_ns)
		table_remove(t->closed, l);
}

/* Is the client's end of a server's transaction watched? */
static bool is_linked(const struct trace *t, const struct transaction *x)
{
	struct link key = { .kind = LINK_SOCKET, .name = x->peer_id };

	if (!(x->unobserved & UNOBSERVED_EXCHANGE))
		key = link_isn(x->isn_client, x->isn_server);
	else if (!x->peer_id || !x->request.seen)
		return false;
	return table_find(t->open, &key) || table_find(t->closed, &key);
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

	x->sampled = sample(t, x, parent);
	if (!x->sampled && t->options.keep_errors && bad) {
		x->sampled = true;
		t->stats.kept_error++;
	} else if (!x->sampled && t->options.keep_slow_ns &&
		   x->duration_ns >= t->options.keep_slow_ns) {
		x->sampled = true;
		t->stats.kept_slow++;
	}
	if (x->sampled)
		t->stats.sampled++;
	else
		t->stats.dropped++;
}

/* ---- the sink ---- */

static void on_transaction(void *ctx, struct transaction *x)
{
	struct trace *t = ctx;
	struct traceparent parent;
	struct exchange_name name;
	int found = find_parent(&x->request, &x->traceparent, &parent);

	exchange_name_of(x, t->options.secret, &name);
	span_id_of(&name, x->side, x->span_id);
	if (found > 0) {
		x->tracestate = find_tracestate(t, &x->request);
		memcpy(x->trace_id, parent.trace_id, sizeof(x->trace_id));
		memcpy(x->parent_id, parent.parent_id, sizeof(x->parent_id));
		x->has_parent = true;
		t->stats.parent_header++;
	} else {
		trace_id_of(&name, x->trace_id);
		if (x->side == SIDE_SERVER && is_linked(t, x)) {
			span_id_of(&name, SIDE_CLIENT, x->parent_id);
			x->has_parent = true;
			t->stats.parent_linked++;
		}
	}
	t->stats.bad_traceparent += found < 0;
	decide(t, x, found > 0 ? &parent : NULL);
	t->sink.transaction(t->sink.ctx, x);
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

struct txn_sink trace_txn_sink(struct trace *t)
{
	return (struct txn_sink){
		.ctx = t,
		.transaction = on_transaction,
		.active = on_active,
		.open = on_open,
		.close = on_close,
	};
}

void trace_stats(const struct trace *t, struct trace_stats *ret)
{
	*ret = t->stats;
}
