/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.c: the architecture. A record goes down this list:
 *
 *   stream   bytes of each connection and direction, in order, holes explicit
 *   proto    bytes → messages
 *   txn      messages → transactions
 *   trace    transactions → with trace ids, parents and a sampling decision
 *   session  … with their site and visit; facts about visits
 *   journey  … → business events, by rules; carts
 *   export   NDJSON, console, OTLP
 *
 * Each stage is made with the sink of the next, so they are made from the last to the first. What goes
 * against the flow: proto tells stream which bytes it does not need (a directive for the kernel, which
 * leaves by `direct`), txn asks stream when a byte was moved, and shows session each head of a server
 * while it stands in the stream, because what tells visitors apart is never copied; journey asks session what is
 * known of a visit.
 */
#include "agent/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Nothing is read from the rings meanwhile: as long as they can hold a busy host. */
#define RELOAD_DRAIN_NS 50000000ull

/* A step between journey and export, so that a reload can replace the last stage under the others. */
static void on_transaction(void *ctx, struct transaction *t)
{
	struct core *c = ctx;

	c->exported.session.transaction(c->exported.session.ctx, t);
}

static void on_active(void *ctx, const struct connection *conn, enum side side, struct slice method,
		      int delta)
{
	struct core *c = ctx;

	c->exported.session.active(c->exported.session.ctx, conn, side, method, delta);
}

static void on_fact(void *ctx, const struct session_fact *f)
{
	struct core *c = ctx;

	c->exported.session.fact(c->exported.session.ctx, f);
}

static void on_measure(void *ctx, const struct session_fact *f)
{
	struct core *c = ctx;

	c->exported.session.measure(c->exported.session.ctx, f);
}

/* Processes and the clock, in their place between the bytes. */
static void on_record(void *ctx, const struct pc_head *rec)
{
	struct core *c = ctx;

	txn_record(c->txn, rec);
	if (rec->kind != PC_CLOCK)
		return;
	session_clock(c->session, txn_wall_minus_mono_ns(c->txn));
	journey_clock(c->journey, txn_wall_minus_mono_ns(c->txn));
	export_clock(c->export, txn_wall_minus_mono_ns(c->txn));
}

static void on_direct(void *ctx, const struct pc_directive *d)
{
	struct core *c = ctx;

	if (c->outside.direct)
		c->outside.direct(c->outside.ctx, d);
}

static void on_attempt(void *ctx, const struct attempt *a)
{
	struct core *c = ctx;

	c->exported.session.attempt(c->exported.session.ctx, a);
}

static void on_listener(void *ctx, const struct listener_news *n)
{
	struct core *c = ctx;

	c->exported.session.listener(c->exported.session.ctx, n);
}

static void on_event(void *ctx, const struct event *e)
{
	struct core *c = ctx;

	c->exported.event(c->exported.ctx, e);
}

static void on_definition(void *ctx, const struct definition *d)
{
	struct core *c = ctx;

	c->exported.definition(c->exported.ctx, d);
}

static void on_objective(void *ctx, const struct objective *o, const struct session_fact *f,
			 bool met)
{
	struct core *c = ctx;

	c->exported.objective(c->exported.ctx, o, f, met);
}

static bool on_visit(void *ctx, const uint8_t session_id[KEY_BYTES], struct segment *ret)
{
	struct core *c = ctx;

	return session_segment(c->session, session_id, ret);
}

static int new_journey(struct core *c)
{
	struct journey_options options =
		journey_options_of(c->outside.config, c->outside.site_secret);
	const struct journey_sink to_export = {
		.session = { c, on_transaction, on_active, on_fact, on_measure, on_attempt,
			     on_listener },
		.ctx = c,
		.event = on_event,
		.definition = on_definition,
		.objective = on_objective,
	};

	options.rules = c->outside.rules;
	options.witness = c->outside.witness;
	options.ctx = c;
	options.visit = on_visit;
	return journey_new(&options, &to_export, &c->journey);
}

/* Header fields that rules ask for, beside those that are kept anyway. */
static int keep_fields(struct core *c, const struct rules *rules)
{
	uint32_t count = 0;
	const struct slice *names = rules ? rules_fields(rules, &count) : NULL;

	return count ? txn_keep(c->txn, names, count) : 0;
}

int core_new(const struct core_outside *outside, struct core **ret)
{
	const struct stream_limits stream = stream_limits_of(outside->config);
	const struct proto_limits proto = { .pipelined = 1024, .hold_ns = 1000000000 };
	const struct txn_limits txn = txn_limits_of(outside->config);
	const struct trace_options trace = trace_options_of(outside->config, outside->secret);
	const struct session_options session =
		session_options_of(outside->config, outside->site_secret);
	const struct export_options export = export_options_of(outside);
	struct core *c = calloc(1, sizeof(*c));
	struct session_sink to_journey;
	struct txn_sink to_session, to_trace;
	struct txn_witness witness;
	struct txn_reader reader;
	struct proto_sink to_txn;
	struct stream_sink to_proto;
	int err = -ENOMEM;

	if (!c) {
		rules_free(outside->rules);
		return err;
	}
	c->outside = *outside;
	c->config = config_hold(outside->config);
	c->of_export = config_hold(outside->config);
	c->of_session = config_hold(outside->config);
	err = export_new(&export, &c->export);
	if (err)
		goto fail;
	export_figures(c->export, outside->ctx, outside->figures);
	c->exported = export_journey_sink(c->export);
	err = new_journey(c);
	if (err)
		goto fail;
	to_journey = journey_session_sink(c->journey);
	err = session_new(&session, &to_journey, &c->session);
	if (err)
		goto fail;
	to_session = session_txn_sink(c->session);
	err = trace_new(&trace, &to_session, &c->trace);
	if (err)
		goto fail;
	to_trace = trace_txn_sink(c->trace);
	err = txn_new(&txn, &to_trace, &c->txn);
	if (err)
		goto fail;
	to_txn = txn_proto_sink(c->txn);
	err = proto_new(&proto, &to_txn, &c->proto);
	if (err)
		goto fail;
	proto_pass(c->proto, c, on_record, on_direct);
	to_proto = proto_stream_sink(c->proto);
	err = stream_new(&stream, &to_proto, &c->stream);
	if (err)
		goto fail;
	proto_attach(c->proto, c->stream);
	txn_attach(c->txn, c->stream);
	err = keep_fields(c, outside->rules);
	if (err)
		goto fail;
	reader = journey_reader(c->journey);
	txn_read(c->txn, &reader);
	witness = session_witness(c->session);
	txn_watch(c->txn, &witness);
	*ret = c;
	return 0;
fail:
	if (!c->journey)
		rules_free(outside->rules);
	core_free(c);
	return err;
}

/* Another name for a service, where the configuration has one for its executable. */
static const char *configured_name(const struct config *config, const char *exe)
{
	for (uint32_t i = 0; i < config->service_names.count; i++) {
		struct slice name = slice_str(config->service_names.at[i]);
		struct slice glob = slice_next(&name, '\n');
		char pattern[PC_PATH];

		if (glob.len >= sizeof(pattern))
			continue;
		memcpy(pattern, glob.at, glob.len);
		pattern[glob.len] = 0;
		if (config_glob(pattern, exe))
			return name.at;
	}
	return NULL;
}

static void push_who(struct core *c, const struct pc_who *rec)
{
	struct pc_who who = *rec;
	const char *name;

	who.exe[sizeof(who.exe) - 1] = 0;
	name = configured_name(c->outside.config, who.exe);
	if (name)
		snprintf(who.service, sizeof(who.service), "%s", name);
	stream_push(c->stream, &who.head);
}

void core_push(struct core *c, const struct pc_head *rec)
{
	uint64_t now_ns;

	if (rec->kind == PC_WHO && rec->size == sizeof(struct pc_who)) {
		push_who(c, (const struct pc_who *)rec);
		return;
	}
	stream_push(c->stream, rec);
	if (rec->kind != PC_TICK)
		return;
	if (rec->flags & PC_F_LOST) {
		trace_lost(c->trace);
		txn_lost(c->txn);
	}
	now_ns = rec->time_ns;
	stream_tick(c->stream, now_ns);
	proto_tick(c->proto, now_ns);
	txn_tick(c->txn, now_ns);
	trace_tick(c->trace, now_ns);
	session_tick(c->session, now_ns);
	journey_tick(c->journey, now_ns);
	export_tick(c->export, now_ns);
}

void core_finish(struct core *c, uint64_t drain_ns)
{
	stream_flush(c->stream);
	txn_finish(c->txn);
	session_finish(c->session);
	journey_finish(c->journey);
	export_finish(c->export, drain_ns, true);
}

/* The old one tells its last figures and gives up what a slow collector would not take. */
static int replace_export(struct core *c, const struct core_outside *outside)
{
	const struct export_options options = export_options_of(outside);
	struct export *export;
	int err = export_new(&options, &export);

	if (err)
		return err;
	export_figures(export, outside->ctx, outside->figures);
	export_clock(export, txn_wall_minus_mono_ns(c->txn));
	export_finish(c->export, RELOAD_DRAIN_NS, false);
	export_free(c->export);
	c->export = export;
	c->exported = export_journey_sink(export);
	config_free(c->of_export);
	c->of_export = config_hold(outside->config);
	return 0;
}

int core_reload(struct core *c, const struct config *config, int ndjson_fd, struct rules *rules)
{
	struct journey_options journey = journey_options_of(config, c->outside.site_secret);
	const struct trace_options trace = trace_options_of(config, c->outside.secret);
	const struct session_options session = session_options_of(config, c->outside.site_secret);
	struct core_outside outside = c->outside;
	struct export_options export;
	struct txn_reader reader;
	int err;

	outside.config = config;
	outside.ndjson_fd = ndjson_fd;
	outside.rules = journey.rules = rules;
	export = export_options_of(&outside);
	err = export_reload(c->export, &export);
	if (err)
		err = replace_export(c, &outside);
	if (!err)
		err = trace_reload(c->trace, &trace);
	if (!err)
		err = keep_fields(c, rules);
	if (!err)
		err = journey_reload(c->journey, &journey);
	if (err)
		return err;
	session_reload(c->session, &session);
	reader = journey_reader(c->journey);
	txn_read(c->txn, &reader);
	c->outside = outside;
	config_free(c->config);
	c->config = config_hold(config);
	return 0;
}

void core_free(struct core *c)
{
	if (!c)
		return;
	stream_free(c->stream);
	proto_free(c->proto);
	txn_free(c->txn);
	trace_free(c->trace);
	session_free(c->session);
	journey_free(c->journey);
	export_free(c->export);
	config_free(c->config);
	config_free(c->of_export);
	config_free(c->of_session);
	free(c);
}
