/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.c: attempts and listeners' news as OTLP events, see reach.h. Where the request is known that a
 * connection was tried for, the record is one of its span, so a trace shows what its server could not reach.
 */
#include <string.h>

#include "export/reach.h"
#include "export/semconv.h"

#define ATTRIBUTES EVENT_ATTRIBUTES

static void put_text(struct buf *b, struct slice key, struct slice value)
{
	if (value.at)
		attr_text(b, ATTRIBUTES, key, value);
}

static void put_str(struct buf *b, struct slice key, const char *value)
{
	if (value && value[0])
		attr_text(b, ATTRIBUTES, key, slice_str(value));
}

static void put_number(struct buf *b, struct slice key, uint64_t value)
{
	attr_int(b, ATTRIBUTES, key, (int64_t)value);
}

/* The resource is the agent's, so the process stands among the attributes. */
static void put_process(struct buf *b, const struct reach_view *v, uint32_t tgid)
{
	const struct process *p = v->process;

	if (tgid)
		put_number(b, SLICE("process.pid"), tgid);
	if (p)
		put_str(b, SLICE("process.executable.name"), semconv_executable(p));
	put_str(b, SLICE("service.name"), v->service);
	put_str(b, SLICE("container.id"), p ? p->container : NULL);
	put_str(b, SLICE("parcours.process.unit"), p ? p->unit : NULL);
}

static void put_cause(struct buf *b, const struct attempt *a)
{
	if (a->has_session) {
		attr_hex(b, SLICE("session.id"), a->session_id);
		attr_hex(b, SLICE("parcours.key"), a->session_key);
	}
	if (a->has_page)
		attr_hex(b, SLICE("parcours.page_id"), a->page_id);
}

static void put_attempt(struct buf *b, const struct reach_view *v)
{
	const struct attempt *a = v->attempt;

	attr_hex(b, SLICE("parcours.event_id"), a->event_id);
	put_number(b, SLICE("parcours.revision"), 1);
	put_str(b, SLICE("parcours.connection.side"), a->client ? "client" : "server");
	if (v->start_unix_ns)
		put_number(b, SLICE("parcours.start_time_unix_nano"), v->start_unix_ns);
	put_str(b, SLICE("parcours.connection.phase"), attempt_phase_name(a->phase));
	put_str(b, SLICE("error.type"), a->error);
	if (a->by_peer)
		attr_bool(b, ATTRIBUTES, SLICE("parcours.connection.alert_received"), true);
	if (a->superseded)
		attr_bool(b, ATTRIBUTES, SLICE("parcours.connection.superseded"), true);
	put_text(b, SLICE("server.address"), v->server);
	if (v->server_port)
		put_number(b, SLICE("server.port"), v->server_port);
	put_str(b, SLICE("network.peer.address"), v->peer);
	put_number(b, SLICE("network.peer.port"), a->remote.port);
	put_str(b, SLICE("network.local.address"), v->local);
	put_number(b, SLICE("network.local.port"), a->local.port);
	put_process(b, v, a->tgid);
	put_text(b, SLICE("parcours.site"), v->site);
	put_cause(b, a);
	if (a->phase != ATTEMPT_DNS)
		put_number(b, SLICE("parcours.connection.id"), a->connection_id);
	put_number(b, SLICE("parcours.connection.retransmissions"), a->retrans);
}

static void put_news(struct buf *b, const struct reach_view *v)
{
	const struct listener_news *n = v->news;

	attr_hex(b, SLICE("parcours.event_id"), n->event_id);
	put_number(b, SLICE("parcours.revision"), 1);
	put_number(b, SLICE("parcours.listener.id"), n->listener_id);
	put_number(b, SLICE("server.port"), v->server_port);
	put_str(b, SLICE("network.local.address"), v->local);
	put_number(b, SLICE("parcours.overflowed"), n->dropped);
	put_number(b, SLICE("parcours.refused"), n->refused);
	if (n->open) {
		put_number(b, SLICE("parcours.waiting"), n->waiting);
		put_number(b, SLICE("parcours.backlog"), n->backlog);
	}
	if (n->still_ns)
		put_number(b, SLICE("parcours.still_ns"), n->still_ns);
	put_process(b, v, n->tgid);
	put_text(b, SLICE("parcours.site"), v->site);
}

static void put(struct buf *b, const void *ctx)
{
	const struct reach_view *v = ctx;

	if (v->attempt)
		put_attempt(b, v);
	else
		put_news(b, v);
}

int reach_event(struct events *e, const struct reach_view *v, uint64_t observed_unix_ns)
{
	const struct attempt *a = v->attempt;
	struct event_head head = {
		.name = a ? "parcours.connection.failure" : "parcours.listener",
		.warning = true,
		.time_unix_ns = v->end_unix_ns,
		.observed_unix_ns = observed_unix_ns,
	};

	if (a && a->has_cause) {
		head.trace_id = a->trace_id;
		head.span_id = a->parent_id;
	}
	return events_put(e, &head, put, v);
}
