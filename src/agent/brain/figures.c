/* SPDX-License-Identifier: Apache-2.0 */
/*
 * figures.c: the typed stats of all stages → one flat list with OpenTelemetry names, for NDJSON
 * `stats`, `parcours status` and the agent's own metrics. Sums that hold at any time when nothing is
 * in flight:
 *
 *   events.submitted = events.read; what found no room is events.lost beside it
 *   stream.bytes     = proto.message.bytes + .tunnel.bytes + .preface.bytes + .lost.bytes, a direction
 *   transactions.opened = transactions.closed (all outcomes) + transactions.open
 *   carts.opened + .restored = .ordered + .emptied + .abandoned + .evicted + .open
 *
 * A cause, kind or outcome that has not happened is not listed: it counts as 0.
 *
 * A sum is as old as who counts it: the kernel side and what stands in the shared page live as long as
 * the agent, the stages as long as this brain, export until a reload makes it anew. Each says its start,
 * or a backend that honours starts would add the same counts again after a restart.
 */
#include "agent/brain/brain.h"
#include "txn/body/body.h"

struct figures {
	struct counter *at;
	uint32_t count, max;
	uint64_t start_wall_ns; /* of the sums that are added */
};

static void put(struct figures *l, struct counter c)
{
	c.start_wall_ns = c.gauge ? 0 : l->start_wall_ns;
	if (l->count < l->max)
		l->at[l->count++] = c;
}

static void add(struct figures *l, const char *name, const char *unit, uint64_t value)
{
	put(l, (struct counter){ .name = name, .unit = unit, .value = value });
}

static void add_by(struct figures *l, const char *name, const char *unit, const char *key,
		   const char *label, uint64_t value)
{
	if (value)
		put(l, (struct counter){ name, unit, key, label, value, false, 0 });
}

static void add_gauge(struct figures *l, const char *name, const char *unit, uint64_t value)
{
	put(l, (struct counter){ .name = name, .unit = unit, .value = value, .gauge = true });
}

static const char *const kind_names[PC_KINDS] = {
	[PC_DATA] = "data",	    [PC_OPEN] = "open",	  [PC_END] = "end",
	[PC_CLOSE] = "close",	    [PC_GONE] = "gone",	  [PC_FORK] = "fork",
	[PC_EXEC] = "exec",	    [PC_EXIT] = "exit",	  [PC_WHO] = "who",
	[PC_CLOCK] = "clock",	    [PC_TICK] = "tick",	  [PC_ACKED] = "acked",
	[PC_RESENT] = "resent",	    [PC_ALIVE] = "alive", [PC_LOOKED] = "looked",
	[PC_LISTENER] = "listener", [PC_DNS] = "dns",
};

static const char *const direction_names[2] = { [PC_RX] = "receive", [PC_TX] = "transmit" };

/* const void *: the kernel's __u64 and our uint64_t are different types of one shape. */
static void add_kinds(struct figures *l, const char *name, const void *kinds)
{
	const uint64_t *by_kind = kinds;

	for (unsigned k = 0; k < PC_KINDS; k++)
		if (kind_names[k])
			add_by(l, name, "{event}", "parcours.event.kind", kind_names[k],
			       by_kind[k]);
}

static void add_causes(struct figures *l, const char *name, const char *unit, const void *causes,
		       unsigned count)
{
	const uint64_t *by_why = causes;

	for (unsigned w = 1; w < count && w < PC_WHY_MAX; w++)
		add_by(l, name, unit, "parcours.cause", why_name((enum pc_why)w), by_why[w]);
}

static void add_directions(struct figures *l, const char *name, const uint64_t bytes[2])
{
	for (unsigned d = 0; d < 2; d++)
		put(l, (struct counter){ name, "By", "network.io.direction", direction_names[d],
					 bytes[d], false, 0 });
}

static void add_stream(struct figures *l, const struct stream *stream)
{
	struct stream_stats s;

	stream_stats(stream, &s);
	add(l, "parcours.agent.connections.opened", "{connection}", s.opened);
	add(l, "parcours.agent.connections.joined", "{connection}", s.joined);
	add(l, "parcours.agent.connections.closed", "{connection}", s.closed);
	add(l, "parcours.agent.connections.evicted", "{connection}", s.evicted);
	add(l, "parcours.agent.connections.refused", "{connection}", s.refused);
	add(l, "parcours.agent.connections.ignored", "{connection}", s.ignored);
	add_gauge(l, "parcours.agent.connections.open", "{connection}", s.connections);
	add(l, "parcours.agent.stream.malformed", "{event}", s.malformed);
	add_directions(l, "parcours.agent.stream.bytes", s.bytes);
	add_causes(l, "parcours.agent.stream.hole.bytes", "By", s.hole_bytes, PC_WHY_MAX);
	add_causes(l, "parcours.agent.stream.holes", "{hole}", s.holes, PC_WHY_MAX);
	add(l, "parcours.agent.stream.duplicate.bytes", "By", s.duplicate_bytes);
	add(l, "parcours.agent.stream.late.bytes", "By", s.late_bytes);
	add(l, "parcours.agent.stream.after_end.bytes", "By", s.after_end_bytes);
	add(l, "parcours.agent.stream.ignored.bytes", "By", s.ignored_bytes);
	add(l, "parcours.agent.stream.uncertain", "{event}", s.uncertain);
	add_gauge(l, "parcours.agent.stream.buffered", "By", s.buffered_bytes);
}

static void add_proto(struct figures *l, const struct proto *proto)
{
	static const char *const losses[PROTO_LOSS_MAX] = {
		[PROTO_LOSS_JOINED] = "joined",
		[PROTO_LOSS_HOLE] = "hole",
		[PROTO_LOSS_MALFORMED] = "malformed",
		[PROTO_LOSS_HEAD_TOO_LARGE] = "head_too_large",
		[PROTO_LOSS_NOT_HTTP] = "not_http",
		[PROTO_LOSS_NO_REQUEST] = "no_request",
	};
	struct proto_stats s;

	proto_stats(proto, &s);
	add(l, "parcours.agent.messages.requests", "{message}", s.requests);
	add(l, "parcours.agent.messages.responses", "{message}", s.responses);
	add(l, "parcours.agent.messages.interim", "{message}", s.interim);
	add_directions(l, "parcours.agent.proto.message.bytes", s.message_bytes);
	add_directions(l, "parcours.agent.proto.tunnel.bytes", s.tunnel_bytes);
	add_directions(l, "parcours.agent.proto.preface.bytes", s.preface_bytes);
	add_directions(l, "parcours.agent.proto.lost.bytes", s.lost_by_dir);
	for (unsigned i = 0; i < PROTO_LOSS_MAX; i++)
		add_by(l, "parcours.agent.proto.loss.bytes", "By", "parcours.cause", losses[i],
		       s.lost_bytes[i]);
	add(l, "parcours.agent.tunnels", "{tunnel}", s.tunnels);
	add(l, "parcours.agent.connections.not_http", "{connection}", s.not_http);
	add(l, "parcours.agent.connections.unseen", "{connection}", s.unseen);
}

static void add_pages(struct figures *l, const struct page_stats *p)
{
	add(l, "parcours.agent.pages.views", "{page}", p->views);
	add(l, "parcours.agent.pages.told", "{page}", p->told);
	add(l, "parcours.agent.pages.measured", "{page}", p->measured);
	add(l, "parcours.agent.pages.lost", "{page}", p->lost);
	add(l, "parcours.agent.pages.restored", "{page}", p->restored);
	add(l, "parcours.agent.pages.frames", "{page}", p->frames);
	add(l, "parcours.agent.pages.prefetched", "{page}", p->prefetched);
	add(l, "parcours.agent.pages.prefetched.used", "{page}", p->used);
	add(l, "parcours.agent.pages.without_document", "{page}", p->without_document);
	add(l, "parcours.agent.pages.evicted", "{page}", p->evicted);
	add(l, "parcours.agent.pages.hurried", "{page}", p->hurried);
	add(l, "parcours.agent.pages.failures.lost", "{transaction}", p->failures_lost);
	add_gauge(l, "parcours.agent.pages.open", "{page}", p->open);
}

static void add_session(struct figures *l, const struct session *session)
{
	struct session_stats s;

	session_stats(session, &s);
	add(l, "parcours.agent.sessions.started", "{session}", s.started);
	for (unsigned r = 0; r < END_REASONS; r++)
		add_by(l, "parcours.agent.sessions.ended", "{session}", "parcours.end_reason",
		       end_reason_name((enum end_reason)r), s.ended[r]);
	add(l, "parcours.agent.sessions.resumed", "{session}", s.resumed);
	add(l, "parcours.agent.sessions.restored", "{session}", s.restored);
	add_gauge(l, "parcours.agent.sessions.open", "{session}", s.open);
	add_gauge(l, "parcours.agent.visitors", "{visitor}", s.identities);
	add(l, "parcours.agent.visitors.evicted", "{visitor}", s.identities_evicted);
	add(l, "parcours.agent.visitors.merged", "{visitor}", s.merged);
	add(l, "parcours.agent.visitors.split", "{visitor}", s.split);
	add(l, "parcours.agent.session.transactions", "{transaction}", s.transactions);
	add(l, "parcours.agent.session.attributed", "{transaction}", s.in_visits);
	add(l, "parcours.agent.session.unattributed", "{transaction}", s.unattributed);
	add(l, "parcours.agent.session.opted_out", "{transaction}", s.opted_out);
	add(l, "parcours.agent.session.inner", "{transaction}", s.inner);
	add(l, "parcours.agent.session.polls", "{transaction}", s.polls);
	add(l, "parcours.agent.session.no_site", "{transaction}", s.no_site);
	add(l, "parcours.agent.clients.hidden", "{transaction}", s.clients.hidden);
	add(l, "parcours.agent.clients.cut", "{transaction}", s.clients.cut);
	add(l, "parcours.agent.clients.malformed", "{transaction}", s.clients.malformed);
	add(l, "parcours.agent.clients.differ", "{transaction}", s.clients.differ);
	add_by(l, "parcours.agent.places", "{look-up}", "parcours.result", "found",
	       s.segments.places_found);
	add_by(l, "parcours.agent.places", "{look-up}", "parcours.result", "absent",
	       s.segments.places_absent);
	add_by(l, "parcours.agent.places", "{look-up}", "parcours.result", "damaged",
	       s.segments.places_damaged);
	add(l, "parcours.agent.campaigns.overflow", "{touch}", s.segments.campaigns_overflow);
	add_pages(l, &s.pages);
	add(l, "parcours.agent.aliases", "{alias}", s.aliases);
	add(l, "parcours.agent.aliases.dropped", "{alias}", s.aliases_dropped);
	add(l, "parcours.agent.evidence.cookies", "{cookie}", s.evidence.cookies);
	add(l, "parcours.agent.evidence.cut", "{value}", s.evidence.cut);
	add(l, "parcours.agent.evidence.evicted", "{value}", s.clues_evicted);
	add(l, "parcours.agent.evidence.bad_tokens", "{token}", s.evidence.bad_tokens);
	add(l, "parcours.agent.evidence.fields", "{value}", s.evidence.fields);
}

static void add_bodies(struct figures *l, const struct txn *txn, const struct txn_stats *s)
{
	struct body_stats stats, *b = &stats;

	txn_body_stats(txn, b);
	add(l, "parcours.agent.bodies.wanted", "{message}", s->readings);
	add(l, "parcours.agent.bodies.opened", "{body}", b->opened);
	add(l, "parcours.agent.bodies.ended", "{body}", b->ended);
	add(l, "parcours.agent.bodies.dropped", "{body}", b->dropped);
	add_gauge(l, "parcours.agent.bodies.open", "{body}", b->open);
	add(l, "parcours.agent.bodies.refused", "{body}", b->refused);
	for (unsigned f = 0; f < BODY_FLAGS; f++)
		add_by(l, "parcours.agent.bodies.flagged", "{body}", "parcours.flag",
		       body_flag_name((enum body_flag)f), b->flagged[f]);
	add(l, "parcours.agent.bodies.encoded.bytes", "By", b->encoded_bytes);
	add(l, "parcours.agent.bodies.decoded.bytes", "By", b->decoded_bytes);
	add(l, "parcours.agent.bodies.hole.bytes", "By", b->hole_bytes);
	add(l, "parcours.agent.bodies.values", "{value}", b->values);
	add(l, "parcours.agent.bodies.values.lost", "{value}", s->values_lost);
	add_gauge(l, "parcours.agent.bodies.memory", "By", b->coder_bytes);
}

static void add_txn(struct figures *l, const struct txn *txn, const struct trace *trace)
{
	struct txn_stats s;
	struct trace_stats t;

	txn_stats(txn, &s);
	add(l, "parcours.agent.transactions.opened", "{transaction}", s.opened);
	for (unsigned o = 0; o <= OUTCOME_UNOBSERVED; o++)
		add_by(l, "parcours.agent.transactions.closed", "{transaction}", "parcours.outcome",
		       outcome_name((enum outcome)o), s.closed[o]);
	add_causes(l, "parcours.agent.transactions.unobserved", "{transaction}", s.unobserved_why,
		   PC_WHY_MAX);
	add_gauge(l, "parcours.agent.transactions.open", "{transaction}", s.open);
	add(l, "parcours.agent.transactions.evicted", "{transaction}", s.evicted);
	add(l, "parcours.agent.transactions.held", "{transaction}", s.held);
	add(l, "parcours.agent.transactions.refused", "{transaction}", s.refused);
	add(l, "parcours.agent.transactions.fields_dropped", "{message}", s.fields_dropped);
	add(l, "parcours.agent.templates.overflow", "{transaction}", s.template_overflow);
	add(l, "parcours.agent.connections.failed", "{connection}", s.attempts);
	add(l, "parcours.agent.lookups.begun", "{lookup}", s.lookups);
	add(l, "parcours.agent.lookups.failed", "{lookup}", s.lookups_failed);
	add(l, "parcours.agent.lookups.unobserved", "{lookup}", s.lookups_unobserved);
	add(l, "parcours.agent.lookups.malformed", "{datagram}", s.dns_malformed);
	add_gauge(l, "parcours.agent.transactions.memory", "By", s.bytes);
	add_bodies(l, txn, &s);
	trace_stats(trace, &t);
	add(l, "parcours.agent.spans.sampled", "{span}", t.sampled);
	add(l, "parcours.agent.spans.not_sampled", "{span}", t.dropped);
	add(l, "parcours.agent.traceparent.invalid", "{transaction}", t.bad_traceparent);
	add(l, "parcours.agent.parents.header", "{span}", t.parent_header);
	add(l, "parcours.agent.parents.connection", "{span}", t.parent_linked);
	add(l, "parcours.agent.parents.process", "{span}", t.parent_inside);
	add(l, "parcours.agent.calls.ambiguous", "{call}", t.ambiguous);
	add(l, "parcours.agent.calls.evicted", "{call}", t.calls_evicted);
	add(l, "parcours.agent.calls.late", "{call}", t.late);
	add(l, "parcours.agent.calls.by_thread", "{call}", t.by_thread);
	add(l, "parcours.agent.calls.disagreed", "{call}", t.disagreed);
	add_gauge(l, "parcours.agent.threads.believed", "{process}", t.threads.believed);
	for (unsigned f = THREAD_FAULT_NONE + 1; f < THREAD_FAULTS; f++)
		add_by(l, "parcours.agent.threads.disbelieved", "{process}", "parcours.cause",
		       thread_fault_name((enum thread_fault)f), t.threads.disbelieved[f]);
}

/* Labels have no dots, and a site's own events are one. */
static const char *event_word(enum event_kind k)
{
	const char *name = event_kind_name(k), *dot = name ? strrchr(name, '.') : NULL;

	return !name ? "own" : dot ? dot + 1 : name;
}

static void add_carts(struct figures *l, const struct journey_stats *s)
{
	add(l, "parcours.agent.carts.opened", "{cart}", s->carts_opened);
	add(l, "parcours.agent.carts.restored", "{cart}", s->carts_restored);
	add(l, "parcours.agent.carts.ordered", "{cart}", s->carts_ordered);
	add(l, "parcours.agent.carts.emptied", "{cart}", s->carts_emptied);
	add(l, "parcours.agent.carts.abandoned", "{cart}", s->carts_abandoned);
	add(l, "parcours.agent.carts.evicted", "{cart}", s->carts_evicted);
	add_gauge(l, "parcours.agent.carts.open", "{cart}", s->carts_open);
	add_gauge(l, "parcours.agent.carts.memory", "By", s->bytes);
	add(l, "parcours.agent.carts.items_cut", "{item}", s->items_cut);
	add(l, "parcours.agent.carts.changes_unshown", "{change}", s->changes_unshown);
	add(l, "parcours.agent.carts.late", "{answer}", s->late);
	add(l, "parcours.agent.carts.records_evicted", "{visit}", s->records_evicted);
	add(l, "parcours.agent.orders.again", "{order}", s->orders_again);
	add(l, "parcours.agent.orders.completed", "{order}", s->orders_completed);
	add(l, "parcours.agent.orders.unkept", "{order}", s->orders_unkept);
	add(l, "parcours.agent.orders.forgotten", "{order}", s->orders_forgotten);
	add(l, "parcours.agent.payments.unknown", "{notice}", s->notices_unknown);
}

static void add_journey(struct figures *l, const struct journey *journey)
{
	struct journey_stats s;

	journey_stats(journey, &s);
	for (unsigned k = 0; k < EVENTS; k++)
		add_by(l, "parcours.agent.journey.events", "{event}", "parcours.event.name",
		       event_word((enum event_kind)k), s.events[k]);
	add(l, "parcours.agent.rules.matched", "{transaction}", s.matched);
	add(l, "parcours.agent.rules.wanted", "{message}", s.wanted);
	add(l, "parcours.agent.rules.required_missing", "{match}", s.required_missing);
	add(l, "parcours.agent.rules.undecided", "{match}", s.undecided);
	add(l, "parcours.agent.rules.overlapped", "{match}", s.overlapped);
	for (unsigned r = AMOUNT_READ + 1; r < AMOUNT_REFUSALS; r++)
		add_by(l, "parcours.agent.rules.amounts_refused", "{amount}", "parcours.cause",
		       amount_refusal_name((enum amount_refusal)r), s.amounts_refused[r]);
	add(l, "parcours.agent.inner.kept", "{message}", s.inner_kept);
	add(l, "parcours.agent.inner.supplied", "{message}", s.inner_supplied);
	add(l, "parcours.agent.inner.unlike", "{transaction}", s.inner_unlike);
	add(l, "parcours.agent.inner.dropped", "{transaction}", s.inner_dropped);
	add(l, "parcours.agent.calls.held", "{call}", s.calls_held);
	add(l, "parcours.agent.calls.attributed", "{call}", s.calls_attributed);
	add(l, "parcours.agent.calls.alone", "{call}", s.calls_alone);
	add(l, "parcours.agent.calls.dropped", "{call}", s.calls_dropped);
	add_carts(l, &s);
}

static void add_export(struct figures *l, const struct export *export)
{
	struct export_stats s;

	export_stats(export, &s);
	add(l, "parcours.agent.ndjson.rows", "{row}", s.ndjson_rows);
	add(l, "parcours.agent.ndjson.dropped", "{row}", s.ndjson_dropped);
	add(l, "parcours.agent.ndjson.errors", "{error}", s.ndjson_errors);
	add(l, "parcours.agent.console.dropped", "{row}", s.console_dropped);
	add(l, "parcours.agent.spans.encoded", "{span}", s.spans_encoded);
	add(l, "parcours.agent.spans.sent", "{span}", s.spans_sent);
	add(l, "parcours.agent.spans.dropped", "{span}", s.spans_dropped);
	add(l, "parcours.agent.spans.rejected", "{span}", s.spans_rejected);
	add(l, "parcours.agent.points.sent", "{point}", s.points_sent);
	add(l, "parcours.agent.points.dropped", "{point}", s.points_dropped);
	add(l, "parcours.agent.points.rejected", "{point}", s.points_rejected);
	add(l, "parcours.agent.log_records.encoded", "{record}", s.events_encoded);
	add(l, "parcours.agent.log_records.sent", "{record}", s.events_sent);
	add(l, "parcours.agent.log_records.dropped", "{record}", s.events_dropped);
	add(l, "parcours.agent.log_records.rejected", "{record}", s.events_rejected);
	add(l, "parcours.agent.export.requests", "{request}", s.requests);
	add(l, "parcours.agent.export.retries", "{request}", s.retries);
	add(l, "parcours.agent.export.failures", "{request}", s.failures);
	add_gauge(l, "parcours.agent.export.queue", "By", s.queue_bytes);
	add(l, "parcours.agent.metric.overflow", "{transaction}", s.series_overflow);
	add(l, "parcours.agent.metric.lost", "{transaction}", s.metric_lost);
}

uint32_t core_figures(const struct core *c, uint64_t start_wall_ns, struct counter *ret,
		      uint32_t max)
{
	struct figures l = { ret, 0, max, start_wall_ns };

	add_stream(&l, c->stream);
	add_proto(&l, c->proto);
	add_txn(&l, c->txn, c->trace);
	add_session(&l, c->session);
	add_journey(&l, c->journey);
	l.start_wall_ns = 0;
	add_export(&l, c->export);
	return l.count;
}

static void add_capture(struct figures *l, const struct brain *b)
{
	struct reader_stats s;

	reader_stats(b->reader, &s);
	add_kinds(l, "parcours.agent.events.submitted", s.kernel.submitted);
	add_kinds(l, "parcours.agent.events.read", b->start.shared->records);
	add_kinds(l, "parcours.agent.events.lost", s.kernel.lost);
	add(l, "parcours.agent.events.lost.bytes", "By", s.kernel.lost_bytes);
	add_causes(l, "parcours.agent.capture.absent.bytes", "By", s.kernel.why_bytes, 16);
	add_causes(l, "parcours.agent.capture.absent", "{range}", s.kernel.why, 16);
	add(l, "parcours.agent.capture.refused", "{socket}", s.kernel.sockets_refused);
	add(l, "parcours.agent.capture.uncertain", "{range}", s.kernel.uncertain);
	l->start_wall_ns = b->started_wall_ns;
	add(l, "parcours.agent.capture.read.bytes", "By", s.bytes);
	add(l, "parcours.agent.capture.malformed", "{event}", s.malformed);
}

static void add_census(struct figures *l, const struct brain *b)
{
	const struct shared *shared = b->start.shared;
	struct census_stats s;

	census_stats(b->census, &s);
	add(l, "parcours.agent.looks", "{process}", s.looks);
	add(l, "parcours.agent.looks.not_found", "{process}", s.not_found);
	add_by(l, "parcours.agent.verdicts", "{process}", "parcours.verdict", "yes",
	       s.verdicts_yes);
	add_by(l, "parcours.agent.verdicts", "{process}", "parcours.verdict", "no", s.verdicts_no);
	add(l, "parcours.agent.held", "{event}", s.held);
	add(l, "parcours.agent.held.not_ours", "{event}", s.held_dropped);
	add(l, "parcours.agent.held.overflow", "{event}", s.held_overflow);
	l->start_wall_ns = shared->started_wall_ns;
	add(l, "parcours.agent.brain.restarts", "{restart}", shared->restarts);
	add(l, "parcours.agent.reloads", "{reload}", shared->reloads);
	add(l, "parcours.agent.reloads.refused", "{reload}", shared->reloads_refused);
	if (b->recorder.fd >= 0) {
		add(l, "parcours.agent.recording.records", "{event}", b->recorder.records);
		add(l, "parcours.agent.recording.bytes", "By", b->recorder.bytes);
	}
}

uint32_t brain_figures(void *ctx, struct counter *ret, uint32_t max)
{
	const struct brain *b = ctx;
	struct figures l = { ret, 0, max, b->start.shared->started_wall_ns };

	add_capture(&l, b);
	add_census(&l, b);
	return l.count + core_figures(b->core, b->started_wall_ns, ret + l.count, max - l.count);
}
