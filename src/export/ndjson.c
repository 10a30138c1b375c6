/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ndjson.c: rows of type `transaction` and `stats`, written field by field in the order of
 * share/schema.md. Every field asks first whether it was observed; the names of those that were not
 * close the line. Loop thread, nothing is allocated but the caller's buffer.
 */
#include "export/ndjson.h"

#include <stdio.h>
#include <sys/socket.h>

#include "base/json.h"
#include "export/semconv.h"

struct row {
	struct json json;
	const struct transaction *t;
	const struct view *v;
};

static bool observed(const struct row *r, uint32_t bits)
{
	return !(r->t->unobserved & bits);
}

static void put_u64(struct row *r, uint32_t bits, const char *name, uint64_t value)
{
	if (observed(r, bits))
		json_key_u64(&r->json, name, value);
}

static void put_text(struct row *r, const char *name, struct slice value)
{
	if (value.at)
		json_key_string(&r->json, name, value);
}

static void put_str(struct row *r, const char *name, const char *value)
{
	if (value && value[0])
		json_key_string(&r->json, name, slice_str(value));
}

static void put_true(struct row *r, const char *name, bool value)
{
	if (!value)
		return;
	json_key(&r->json, name);
	json_bool(&r->json, true);
}

/* Captured fields are arrays in OpenTelemetry: a field may be sent several times. */
static void put_field(struct row *r, const char *name, struct slice value)
{
	if (!value.at)
		return;
	json_key(&r->json, name);
	json_array(&r->json);
	json_string(&r->json, value);
	json_end(&r->json);
}

static void put_hex(struct row *r, const char *name, const uint8_t *id, size_t len)
{
	static const uint8_t none[16];

	if (memcmp(id, none, len) == 0)
		return;
	json_key(&r->json, name);
	json_string(&r->json, SLICE("")); /* the quotes; the digits go between them */
	r->json.out->len--;
	buf_add_hex(r->json.out, id, len);
	buf_add_byte(r->json.out, '"');
}

static void put_times(struct row *r, int64_t wall)
{
	const struct transaction *t = r->t;
	uint32_t start = UNOBSERVED_START;

	put_u64(r, start, "start_time_unix_nano", t->start_ns + (uint64_t)wall);
	put_u64(r, start | UNOBSERVED_END, "duration_ns", t->duration_ns);
	if (t->response.seen)
		put_u64(r, start | UNOBSERVED_FIRST_BYTE, "time_to_first_byte_ns", t->first_byte_ns);
	put_u64(r, start | UNOBSERVED_REQUEST_END, "time_to_request_end_ns", t->request_ns);
	if (t->side == SIDE_SERVER)
		put_u64(r, UNOBSERVED_WAIT, "wait_ns", t->wait_ns);
}

static void put_process(struct row *r, const char *service_name)
{
	const struct transaction *t = r->t;
	const struct process *p = t->process;

	put_u64(r, UNOBSERVED_PROCESS, "process.pid", t->tgid);
	if (t->tid)
		put_u64(r, UNOBSERVED_PROCESS, "thread.id", t->tid);
	if (observed(r, UNOBSERVED_PROCESS) && p)
		put_str(r, "process.executable.name", semconv_executable(p));
	put_str(r, "process.executable.path", p ? p->exe : NULL);
	put_str(r, "service.name", service_name ? service_name : p ? p->service : NULL);
	put_str(r, "container.id", p ? p->container : NULL);
	put_str(r, "parcours.process.unit", p ? p->unit : NULL);
}

static void put_request(struct row *r)
{
	const struct transaction *t = r->t;
	const struct view *v = r->v;

	if (observed(r, UNOBSERVED_METHOD)) {
		json_key_string(&r->json, "http.request.method", t->method);
		if (!t->method_known)
			json_key_string(&r->json, "http.request.method_original", t->method);
		json_key_string(&r->json, "url.path", v->path);
		if (v->has_query)
			json_key_string(&r->json, "url.query", v->query);
		put_text(r, "parcours.url.template", v->template_);
		if (t->server_name.len)
			json_key_string(&r->json, "server.address", t->server_name);
	}
	put_text(r, "url.scheme", t->scheme);
	if (t->server_port)
		json_key_u64(&r->json, "server.port", t->server_port);
	put_text(r, "user_agent.original", v->user_agent);
	put_str(r, "user_agent.name", v->agent.name);
	if (v->agent.version) {
		json_key(&r->json, "user_agent.version");
		json_string(&r->json, SLICE(""));
		r->json.out->len--;
		buf_add_u64(r->json.out, v->agent.version);
		buf_add_byte(r->json.out, '"');
	}
	put_str(r, "user_agent.synthetic.type", v->agent.bot ? "bot" : NULL);
	put_field(r, "http.request.header.content-type", t->content_type);
	put_field(r, "http.request.header.referer", v->referer);
}

static void put_response(struct row *r)
{
	const struct transaction *t = r->t;
	char code[4];

	if (t->status)
		put_u64(r, UNOBSERVED_STATUS, "http.response.status_code", t->status);
	put_field(r, "http.response.header.content-type", t->response_type);
	put_field(r, "http.response.header.location", r->v->location);
	put_u64(r, UNOBSERVED_REQUEST_SIZE, "http.request.body.size", t->request.body_bytes);
	put_u64(r, UNOBSERVED_RESPONSE_SIZE, "http.response.body.size", t->response.body_bytes);
	put_u64(r, UNOBSERVED_REQUEST_SIZE, "http.request.size", t->request.wire_bytes);
	put_u64(r, UNOBSERVED_RESPONSE_SIZE, "http.response.size", t->response.wire_bytes);
	if (semconv_error_type(t, code).len)
		json_key_string(&r->json, "error.type", semconv_error_type(t, code));
	if (t->interim)
		json_key_u64(&r->json, "parcours.http.interim_responses", t->interim);
	if (t->flags & TXN_UPGRADED) {
		if (t->upgrade.len)
			json_key_string(&r->json, "parcours.tunnel.protocol", t->upgrade);
		json_key_u64(&r->json, "parcours.tunnel.received_bytes", t->tunnel_bytes[PC_RX]);
		json_key_u64(&r->json, "parcours.tunnel.sent_bytes", t->tunnel_bytes[PC_TX]);
	}
}

static void put_network(struct row *r)
{
	const struct transaction *t = r->t;
	const struct view *v = r->v;
	bool unix_socket = t->family == AF_UNIX;
	const char *version = semconv_version(t->request.seen ? &t->request : &t->response);

	put_str(r, "network.protocol.name", "http");
	if (t->request.seen || t->response.seen)
		put_str(r, "network.protocol.version", version);
	put_str(r, "client.address", v->client);
	if (v->client_is_peer)
		json_key_u64(&r->json, "client.port", t->remote.port);
	if (!observed(r, UNOBSERVED_ADDRESS))
		return;
	put_str(r, "network.transport", unix_socket ? "unix" : "tcp");
	if (unix_socket)
		return;
	put_str(r, "network.type", strchr(v->peer, ':') ? "ipv6" : "ipv4");
	put_str(r, "network.peer.address", v->peer);
	json_key_u64(&r->json, "network.peer.port", t->remote.port);
	put_str(r, "network.local.address", v->local);
	json_key_u64(&r->json, "network.local.port", t->local.port);
}

static void put_trace(struct row *r)
{
	const struct transaction *t = r->t;
	uint8_t name[16];

	put_hex(r, "trace_id", t->trace_id, sizeof(t->trace_id));
	put_hex(r, "span_id", t->span_id, sizeof(t->span_id));
	if (t->has_parent)
		put_hex(r, "parent_span_id", t->parent_id, sizeof(t->parent_id));
	put_true(r, "parcours.sampled", t->sampled);
	if (!observed(r, UNOBSERVED_EXCHANGE))
		return;
	semconv_exchange(t, name);
	put_hex(r, "parcours.exchange", name, sizeof(name));
}

static void put_connection(struct row *r)
{
	const struct transaction *t = r->t;

	json_key_u64(&r->json, "parcours.connection.id", t->connection_id);
	json_key_u64(&r->json, "parcours.connection.ordinal", t->ordinal);
	if (t->connect_ns && t->side == SIDE_CLIENT)
		json_key_u64(&r->json, "parcours.connection.connect_ns", t->connect_ns);
	else if (t->connect_ns)
		json_key_u64(&r->json, "parcours.connection.handshake_estimate_ns", t->connect_ns);
	if (t->srtt_us)
		json_key_u64(&r->json, "parcours.connection.rtt_ns", t->srtt_us * 1000ull);
	if (t->family != AF_UNIX)
		json_key_u64(&r->json, "parcours.connection.retransmissions", t->retrans);
	if (t->peer_id)
		json_key_u64(&r->json, "parcours.connection.peer_id", t->peer_id);
	put_true(r, "parcours.connection.reset_received", t->reset_in);
	put_true(r, "parcours.connection.reset_sent", t->reset_out);
}

static void put_names(struct row *r)
{
	const char *missing[SEMCONV_MISSING];
	unsigned n = semconv_unobserved(r->t, missing);

	if (r->t->flags) {
		json_key(&r->json, "parcours.flags");
		json_array(&r->json);
		for (unsigned i = 0; i < SEMCONV_FLAGS; i++)
			if (r->t->flags & 1u << i)
				json_string(&r->json, slice_str(semconv_flag(i)));
		json_end(&r->json);
	}
	if (n) {
		json_key(&r->json, "unobserved");
		json_array(&r->json);
		for (unsigned i = 0; i < n; i++)
			json_string(&r->json, slice_str(missing[i]));
		json_end(&r->json);
	}
}

void ndjson_transaction(struct buf *out, const struct ndjson_context *c, const struct transaction *t,
			const struct view *v)
{
	struct row r = { .t = t, .v = v };

	json_init(&r.json, out);
	json_object(&r.json);
	put_str(&r, "type", "transaction");
	put_str(&r, "kind", t->side == SIDE_SERVER ? "server" : "client");
	put_times(&r, c->wall_minus_mono_ns);
	put_str(&r, "outcome", outcome_name(t->outcome));
	if (t->outcome == OUTCOME_UNOBSERVED)
		put_str(&r, "parcours.unobserved.cause", why_name(t->why));
	put_process(&r, c->service_name);
	put_request(&r);
	put_response(&r);
	put_network(&r);
	put_trace(&r);
	put_connection(&r);
	put_names(&r);
	json_end(&r.json);
	buf_add_byte(out, '\n');
}

/* A figure with an attribute is written name{key=value}, so that every value is a plain number. */
void ndjson_stats(struct buf *out, uint64_t wall_ns, bool final, const struct counter *figures,
		  uint32_t count)
{
	struct json json;

	json_init(&json, out);
	json_object(&json);
	json_key_string(&json, "type", SLICE("stats"));
	json_key_u64(&json, "time_unix_nano", wall_ns);
	if (final) {
		json_key(&json, "final");
		json_bool(&json, true);
	}
	for (uint32_t i = 0; i < count; i++) {
		char name[192];
		const struct counter *f = &figures[i];

		if (f->key)
			snprintf(name, sizeof(name), "%s{%s=%s}", f->name, f->key, f->label);
		else
			snprintf(name, sizeof(name), "%s", f->name);
		json_key_u64(&json, name, f->value);
	}
	json_end(&json);
	buf_add_byte(out, '\n');
}
