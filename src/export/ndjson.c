/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ndjson.c: rows of type `transaction`, `page_view`, `session`, `alias` and `stats`, written field by field in the order of
 * share/schema.md. Every field asks first whether it was observed; the names of those that were not
 * close the line. Loop thread, nothing is allocated but the caller's buffer.
 */
#include "export/ndjson.h"

#include <stdio.h>
#include <sys/socket.h>

#include "base/json.h"
#include "export/fact.h"
#include "export/segment.h"
#include "export/semconv.h"

struct row {
	struct buf *out;
	const struct transaction *t;
	const struct view *v;
};

/* A key with all that stands around it: one copy of a literal. The row opens with its type, so every
 * key has a comma before it. */
#define KEY(name) SLICE(",\"" name "\":")

static bool observed(const struct row *r, uint32_t bits)
{
	return !(r->t->unobserved & bits);
}

static void add_string(struct buf *out, struct slice value)
{
	struct json json;

	json_init(&json, out);
	json_string(&json, value);
}

static void put_number(struct row *r, struct slice key, uint64_t value)
{
	buf_add(r->out, key);
	buf_add_u64(r->out, value);
}

static void put_u64(struct row *r, uint32_t bits, struct slice key, uint64_t value)
{
	if (observed(r, bits))
		put_number(r, key, value);
}

/* at == NULL: there is none. Empty is a value. */
static void put_text(struct row *r, struct slice key, struct slice value)
{
	if (!value.at)
		return;
	buf_add(r->out, key);
	add_string(r->out, value);
}

static void put_str(struct row *r, struct slice key, const char *value)
{
	if (value && value[0])
		put_text(r, key, slice_str(value));
}

/* Our own words: nothing to escape. */
static void put_word(struct row *r, struct slice key, const char *value)
{
	buf_add(r->out, key);
	buf_add_byte(r->out, '"');
	buf_add(r->out, slice_str(value));
	buf_add_byte(r->out, '"');
}

static void put_true(struct row *r, struct slice key, bool value)
{
	if (!value)
		return;
	buf_add(r->out, key);
	buf_add(r->out, SLICE("true"));
}

/* Captured fields are arrays in OpenTelemetry: a field may be sent several times. */
static void put_field(struct row *r, struct slice key, struct slice value)
{
	if (!value.at)
		return;
	buf_add(r->out, key);
	buf_add_byte(r->out, '[');
	add_string(r->out, value);
	buf_add_byte(r->out, ']');
}

static void put_hex(struct row *r, struct slice key, const uint8_t *id, size_t len)
{
	static const uint8_t none[16];

	if (memcmp(id, none, len) == 0)
		return;
	buf_add(r->out, key);
	buf_add_byte(r->out, '"');
	buf_add_hex(r->out, id, len);
	buf_add_byte(r->out, '"');
}

static void put_times(struct row *r, int64_t wall)
{
	const struct transaction *t = r->t;
	uint32_t start = UNOBSERVED_START;

	put_u64(r, start, KEY("start_time_unix_nano"), t->start_ns + (uint64_t)wall);
	put_u64(r, start | UNOBSERVED_END, KEY("duration_ns"), t->duration_ns);
	put_u64(r, start | UNOBSERVED_FIRST_BYTE, KEY("time_to_first_byte_ns"), t->first_byte_ns);
	put_u64(r, start | UNOBSERVED_REQUEST_END, KEY("time_to_request_end_ns"), t->request_ns);
	if (t->side == SIDE_SERVER)
		put_u64(r, UNOBSERVED_WAIT, KEY("wait_ns"), t->wait_ns);
	if (t->acknowledged_ns)
		put_number(r, KEY("time_to_acknowledged_ns"), t->acknowledged_ns);
	if (t->acknowledged_at_most_ns)
		put_number(r, KEY("time_to_acknowledged_at_most_ns"), t->acknowledged_at_most_ns);
}

static void put_process(struct row *r, const char *service_name)
{
	const struct transaction *t = r->t;
	const struct process *p = t->process;

	put_u64(r, UNOBSERVED_PROCESS, KEY("process.pid"), t->tgid);
	if (t->tid)
		put_u64(r, UNOBSERVED_PROCESS, KEY("thread.id"), t->tid);
	if (observed(r, UNOBSERVED_PROCESS) && p)
		put_str(r, KEY("process.executable.name"), semconv_executable(p));
	if (r->v->executable.len)
		put_text(r, KEY("process.executable.path"), r->v->executable);
	put_str(r, KEY("service.name"), service_name ? service_name : p ? p->service : NULL);
	put_str(r, KEY("container.id"), p ? p->container : NULL);
	put_str(r, KEY("parcours.process.unit"), p ? p->unit : NULL);
}

static void put_request(struct row *r)
{
	const struct transaction *t = r->t;
	const struct view *v = r->v;

	if (observed(r, UNOBSERVED_METHOD)) {
		put_text(r, KEY("http.request.method"), v->method);
		if (!t->method_known)
			put_text(r, KEY("http.request.method_original"), v->method);
		put_text(r, KEY("url.path"), v->path);
		if (v->has_query)
			put_text(r, KEY("url.query"), v->query);
		put_text(r, KEY("parcours.url.template"), v->template_);
		put_text(r, KEY("server.address"), v->server);
	}
	put_text(r, KEY("url.scheme"), v->scheme);
	if (semconv_server_port(t))
		put_number(r, KEY("server.port"), semconv_server_port(t));
	put_text(r, KEY("user_agent.original"), v->user_agent);
	put_str(r, KEY("user_agent.name"), t->agent_name);
	if (t->agent_version) { /* OpenTelemetry has versions as text */
		put_number(r, SLICE(",\"user_agent.version\":\""), t->agent_version);
		buf_add_byte(r->out, '"');
	}
	put_str(r, KEY("user_agent.synthetic.type"), t->agent_synthetic);
	put_field(r, KEY("http.request.header.content-type"), r->v->content_type);
	put_field(r, KEY("http.request.header.referer"), v->referer);
}

static void put_response(struct row *r)
{
	const struct transaction *t = r->t;
	const struct view *v = r->v;
	char code[4];

	if (t->status)
		put_u64(r, UNOBSERVED_STATUS, KEY("http.response.status_code"), t->status);
	put_field(r, KEY("http.response.header.content-type"), v->response_type);
	put_field(r, KEY("http.response.header.location"), v->location);
	put_u64(r, UNOBSERVED_REQUEST_SIZE, KEY("http.request.body.size"), t->request.body_bytes);
	put_u64(r, UNOBSERVED_RESPONSE_SIZE, KEY("http.response.body.size"),
		t->response.body_bytes);
	put_u64(r, UNOBSERVED_REQUEST_SIZE, KEY("http.request.size"), t->request.wire_bytes);
	put_u64(r, UNOBSERVED_RESPONSE_SIZE, KEY("http.response.size"), t->response.wire_bytes);
	put_text(r, KEY("error.type"), semconv_error_type(t, code));
	if (t->interim)
		put_number(r, KEY("parcours.http.interim_responses"), t->interim);
	if (t->flags & TXN_UPGRADED) {
		if (v->upgrade.len)
			put_text(r, KEY("parcours.tunnel.protocol"), v->upgrade);
		put_number(r, KEY("parcours.tunnel.received_bytes"), t->tunnel_bytes[PC_RX]);
		put_number(r, KEY("parcours.tunnel.sent_bytes"), t->tunnel_bytes[PC_TX]);
	}
}

static void put_network(struct row *r)
{
	const struct transaction *t = r->t;
	const struct view *v = r->v;
	bool unix_socket = t->family == AF_UNIX;
	const char *version = semconv_version(t->request.seen ? &t->request : &t->response);

	put_str(r, KEY("network.protocol.name"), "http");
	if (t->request.seen || t->response.seen)
		put_str(r, KEY("network.protocol.version"), version);
	put_str(r, KEY("client.address"), v->client);
	if (v->client[0] && t->client.port)
		put_number(r, KEY("client.port"), t->client.port);
	if (v->client[0] && !t->client_is_peer)
		put_word(r, KEY("parcours.client.source"), t->client_source);
	if (!observed(r, UNOBSERVED_ADDRESS))
		return;
	put_str(r, KEY("network.transport"), unix_socket ? "unix" : "tcp");
	if (unix_socket)
		return;
	put_str(r, KEY("network.type"), strchr(v->peer, ':') ? "ipv6" : "ipv4");
	put_str(r, KEY("network.peer.address"), v->peer);
	put_number(r, KEY("network.peer.port"), t->remote.port);
	put_str(r, KEY("network.local.address"), v->local);
	put_number(r, KEY("network.local.port"), t->local.port);
}

static void put_trace(struct row *r)
{
	const struct transaction *t = r->t;
	uint8_t name[16];

	put_hex(r, KEY("trace_id"), t->trace_id, sizeof(t->trace_id));
	put_hex(r, KEY("span_id"), t->span_id, sizeof(t->span_id));
	if (t->has_parent)
		put_hex(r, KEY("parent_span_id"), t->parent_id, sizeof(t->parent_id));
	put_true(r, KEY("parcours.sampled"), t->sampled);
	put_true(r, KEY("parcours.edge"), t->side == SIDE_SERVER && !t->inner);
	put_text(r, KEY("parcours.site"), r->v->site);
	if (t->has_session) {
		put_hex(r, KEY("session.id"), t->session_id, sizeof(t->session_id));
		put_hex(r, KEY("parcours.key"), t->session_key, sizeof(t->session_key));
		if (t->has_page)
			put_hex(r, KEY("parcours.page_id"), t->page_id, sizeof(t->page_id));
	}
	if (!observed(r, UNOBSERVED_EXCHANGE))
		return;
	semconv_exchange(t, name);
	put_hex(r, KEY("parcours.exchange"), name, sizeof(name));
}

static void put_connection(struct row *r)
{
	const struct transaction *t = r->t;

	put_number(r, KEY("parcours.connection.id"), t->connection_id);
	put_number(r, KEY("parcours.connection.ordinal"), t->ordinal);
	if (t->connect_ns && t->side == SIDE_CLIENT)
		put_number(r, KEY("parcours.connection.connect_ns"), t->connect_ns);
	else if (t->connect_ns)
		put_number(r, KEY("parcours.connection.handshake_estimate_ns"), t->connect_ns);
	if (t->srtt_us)
		put_number(r, KEY("parcours.connection.rtt_ns"), t->srtt_us * 1000ull);
	if (t->family != AF_UNIX)
		put_number(r, KEY("parcours.connection.retransmissions"), t->retrans);
	if (t->resent_known)
		put_number(r, KEY("parcours.response.retransmissions"), t->resent);
	if (t->peer_id)
		put_number(r, KEY("parcours.connection.peer_id"), t->peer_id);
	put_true(r, KEY("parcours.connection.reset_received"), t->reset_in);
	put_true(r, KEY("parcours.connection.reset_sent"), t->reset_out);
}

static void put_list(struct row *r, struct slice key, const char *const *words, unsigned count)
{
	if (!count)
		return;
	buf_add(r->out, key);
	for (unsigned i = 0; i < count; i++) {
		buf_add(r->out, i ? SLICE(",\"") : SLICE("[\""));
		buf_add(r->out, slice_str(words[i]));
		buf_add_byte(r->out, '"');
	}
	buf_add_byte(r->out, ']');
}

static void put_names(struct row *r)
{
	const char *words[SEMCONV_MISSING];
	unsigned n = 0;

	for (unsigned i = 0; i < SEMCONV_FLAGS; i++)
		if (r->t->flags & 1u << i)
			words[n++] = semconv_flag(i);
	put_list(r, KEY("parcours.flags"), words, n);
	put_list(r, KEY("unobserved"), words, semconv_unobserved(r->t, words));
}

void ndjson_transaction(struct buf *out, const struct ndjson_context *c,
			const struct transaction *t, const struct view *v)
{
	struct row r = { .out = out, .t = t, .v = v };

	buf_add(out, SLICE("{\"type\":\"transaction\""));
	put_word(&r, KEY("kind"), t->side == SIDE_SERVER ? "server" : "client");
	put_times(&r, c->wall_minus_mono_ns);
	put_word(&r, KEY("outcome"), outcome_name(t->outcome));
	if (t->outcome == OUTCOME_UNOBSERVED)
		put_word(&r, KEY("parcours.unobserved.cause"), why_name(t->why));
	put_process(&r, c->service_name);
	put_request(&r);
	put_response(&r);
	put_network(&r);
	put_trace(&r);
	put_connection(&r);
	put_names(&r);
	buf_add(out, SLICE("}\n"));
}

/* What every fact begins with. */
static void put_fact(struct row *r, const struct session_fact *f)
{
	put_hex(r, KEY("parcours.event_id"), f->event_id, sizeof(f->event_id));
	put_number(r, KEY("revision"), f->revision);
	put_text(r, KEY("parcours.site"), f->site);
	put_hex(r, KEY("parcours.key"), f->key, sizeof(f->key));
}

static void put_segment(struct row *r, const struct session_fact *f)
{
	struct segment_attribute at[SEGMENT_ATTRIBUTES];
	unsigned n = segment_attributes(&f->segment, SEGMENT_ROW, at);

	for (unsigned i = 0; i < n; i++) {
		buf_add(r->out, SLICE(",\""));
		buf_add(r->out, at[i].key);
		buf_add(r->out, SLICE("\":"));
		if (at[i].value.at)
			add_string(r->out, at[i].value);
		else
			buf_add(r->out, SLICE("true"));
	}
}

void ndjson_session(struct buf *out, const struct session_fact *f)
{
	struct row r = { .out = out };

	buf_add(out, SLICE("{\"type\":\"session\""));
	put_fact(&r, f);
	put_hex(&r, KEY("session.id"), f->session_id, sizeof(f->session_id));
	put_word(&r, KEY("basis"), f->basis);
	put_number(&r, KEY("start_time_unix_nano"), f->start_unix_ns);
	put_number(&r, KEY("end_time_unix_nano"), f->time_unix_ns);
	put_word(&r, KEY("end_reason"), end_reason_name(f->end_reason));
	put_number(&r, KEY("page_views"), f->page_views);
	put_number(&r, KEY("transactions"), f->transactions);
	put_segment(&r, f);
	put_true(&r, KEY("parcours.session.shared"), f->shared);
	buf_add(out, SLICE("}\n"));
}

static void put_page_times(struct row *r, const struct page_seen *p)
{
	if (p->has & PAGE_HAS_LIVED) {
		put_number(r, p->to_proxy ? KEY("lived_to_proxy_ns") : KEY("lived_ns"),
			   p->lived_ns);
		put_number(r, KEY("server_ns"), p->server_ns);
		put_number(r, p->to_proxy ? KEY("network_to_proxy_ns") : KEY("network_ns"),
			   p->network_ns);
	}
	if (p->has & PAGE_HAS_WAIT)
		put_number(r, KEY("wait_ns"), p->wait_ns);
	if (p->has & PAGE_HAS_FIRST_BYTE)
		put_number(r, KEY("time_to_first_byte_ns"), p->first_byte_ns);
	if (p->redirects) {
		put_number(r, KEY("redirects"), p->redirects);
		put_number(r, KEY("redirect_ns"), p->redirect_ns);
	}
	if (p->has & PAGE_HAS_STAY)
		put_number(r, KEY("time_on_page_ns"), p->on_page_ns);
}

void ndjson_page(struct buf *out, const struct session_fact *f)
{
	const struct page_seen *p = f->page;
	struct row r = { .out = out };
	const char *names[PAGE_NAMES];

	buf_add(out, SLICE("{\"type\":\"page_view\""));
	put_fact(&r, f);
	put_hex(&r, KEY("session.id"), f->session_id, sizeof(f->session_id));
	put_hex(&r, KEY("parcours.page_id"), p->id, KEY_BYTES);
	put_text(&r, KEY("url.path"), p->path);
	put_text(&r, KEY("parcours.page.group"), p->group);
	put_true(&r, KEY("parcours.page.virtual"), p->is_virtual);
	put_number(&r, KEY("start_time_unix_nano"), f->start_unix_ns);
	put_page_times(&r, p);
	put_word(&r, KEY("outcome"), page_outcome_name(p->outcome));
	if (p->status)
		put_number(&r, KEY("http.response.status_code"), p->status);
	put_str(&r, KEY("parcours.apdex"), apdex_name(p->apdex));
	put_number(&r, KEY("resources"), p->resources);
	put_number(&r, KEY("failed_resources"), p->failed_resources);
	put_number(&r, KEY("calls"), p->calls);
	put_number(&r, KEY("failed_calls"), p->failed_calls);
	if (p->failed_host.len)
		put_text(&r, KEY("parcours.failed_call.host"), p->failed_host);
	put_segment(&r, f);
	put_list(&r, KEY("estimated"), names, page_estimated(p, names));
	put_list(&r, KEY("unobserved"), names, page_missing(p, names));
	buf_add(out, SLICE("}\n"));
}

void ndjson_alias(struct buf *out, const struct session_fact *f)
{
	struct row r = { .out = out };

	buf_add(out, SLICE("{\"type\":\"alias\""));
	put_fact(&r, f);
	put_hex(&r, KEY("parcours.key.new"), f->key_new, sizeof(f->key_new));
	put_word(&r, KEY("reason"), f->reason);
	put_number(&r, KEY("time_unix_nano"), f->time_unix_ns);
	buf_add(out, SLICE("}\n"));
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
