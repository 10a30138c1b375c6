/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.c: what of an attempt or of a listener's news may leave, and as a row of NDJSON, see reach.h. They are
 * seldom, so the rows are written by the general writer. Loop thread.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json.h"
#include "export/reach.h"
#include "export/semconv.h"

#define SCRATCH_BYTES 4096

void reach_view_init(struct reach_view *v)
{
	memset(v, 0, sizeof(*v));
	buf_init(&v->scratch, SCRATCH_BYTES);
}

void reach_view_done(struct reach_view *v)
{
	buf_done(&v->scratch);
}

static uint64_t unix_ns(uint64_t mono_ns, int64_t wall_minus_mono_ns)
{
	return mono_ns ? mono_ns + (uint64_t)wall_minus_mono_ns : 0;
}

static int begin(struct reach_view *v, const struct privacy_rules *rules, const struct process *p,
		 struct slice site, const char *service)
{
	struct slice exe = slice_str(p && p->exe[0] ? p->exe : NULL);

	buf_clear(&v->scratch);
	v->attempt = NULL;
	v->news = NULL;
	v->process = p;
	v->service = service ? service : p && p->service[0] ? p->service : NULL;
	v->site = privacy_site(site, rules, v->site_text);
	v->executable = exe;
	if (exe.at && rules->mode != PRIVACY_NONE)
		v->executable = privacy_executable(exe, &v->scratch);
	if (!v->scratch.failed)
		return 0;
	v->scratch.failed = false;
	return -ENOMEM;
}

int reach_view_attempt(struct reach_view *v, const struct privacy_rules *rules,
		       const struct attempt *a, int64_t wall_minus_mono_ns, const char *service)
{
	int err = begin(v, rules, a->process, a->site, service);

	if (err)
		return err;
	v->attempt = a;
	v->start_unix_ns = unix_ns(a->start_ns, wall_minus_mono_ns);
	v->end_unix_ns = unix_ns(a->end_ns, wall_minus_mono_ns);
	privacy_address(&a->remote, privacy_truncates(rules->mode, rules->peer_address), v->peer);
	privacy_address(&a->local, privacy_truncates(rules->mode, rules->peer_address), v->local);
	v->server_port = a->phase == ATTEMPT_DNS ? 0 : a->client ? a->remote.port : a->local.port;
	v->server = slice_of(NULL, 0);
	if (!a->client)
		return 0;
	v->server = a->name_len ? slice_of(a->name, a->name_len) : slice_str(v->peer);
	if (rules->mode != PRIVACY_NONE &&
	    privacy_host(v->server, rules->peer_address, v->host_text))
		v->server = slice_str(v->host_text);
	return 0;
}

int reach_view_listener(struct reach_view *v, const struct privacy_rules *rules,
			const struct listener_news *n, int64_t wall_minus_mono_ns,
			const char *service)
{
	int err = begin(v, rules, n->process, n->site, service);

	if (err)
		return err;
	v->news = n;
	v->start_unix_ns = v->end_unix_ns = unix_ns(n->time_ns, wall_minus_mono_ns);
	privacy_address(&n->local, privacy_truncates(rules->mode, rules->peer_address), v->local);
	v->peer[0] = 0;
	v->server_port = n->local.port;
	v->server = slice_of(NULL, 0);
	return 0;
}

/* ---- rows ---- */

static void put_text(struct json *j, const char *key, struct slice value)
{
	if (value.at)
		json_key_string(j, key, value);
}

static void put_str(struct json *j, const char *key, const char *value)
{
	if (value && value[0])
		json_key_string(j, key, slice_str(value));
}

static void put_true(struct json *j, const char *key, bool value)
{
	if (!value)
		return;
	json_key(j, key);
	json_bool(j, true);
}

static void put_hex(struct json *j, const char *key, const uint8_t *id, size_t len)
{
	char text[32];

	for (size_t i = 0; i < 2 * len; i++)
		text[i] = "0123456789abcdef"[id[i / 2] >> (i % 2 ? 0 : 4) & 15];
	json_key_string(j, key, slice_of(text, 2 * len));
}

static void put_process(struct json *j, const struct reach_view *v, uint32_t tgid, uint32_t tid)
{
	const struct process *p = v->process;

	if (tgid)
		json_key_u64(j, "process.pid", tgid);
	if (tid)
		json_key_u64(j, "thread.id", tid);
	if (p)
		put_str(j, "process.executable.name", semconv_executable(p));
	put_text(j, "process.executable.path", v->executable);
	put_str(j, "service.name", v->service);
	put_str(j, "container.id", p ? p->container : NULL);
	put_str(j, "parcours.process.unit", p ? p->unit : NULL);
}

static void put_addresses(struct json *j, const struct reach_view *v, const struct attempt *a)
{
	json_key_string(j, "network.transport",
			a->phase == ATTEMPT_DNS ? SLICE("udp") : SLICE("tcp"));
	json_key_string(j, "network.type", strchr(v->peer, ':') ? SLICE("ipv6") : SLICE("ipv4"));
	json_key_string(j, "network.peer.address", slice_str(v->peer));
	json_key_u64(j, "network.peer.port", a->remote.port);
	json_key_string(j, "network.local.address", slice_str(v->local));
	json_key_u64(j, "network.local.port", a->local.port);
}

static void put_cause(struct json *j, const struct attempt *a)
{
	if (a->has_cause) {
		put_hex(j, "trace_id", a->trace_id, sizeof(a->trace_id));
		put_hex(j, "parent_span_id", a->parent_id, sizeof(a->parent_id));
	}
	if (a->has_session) {
		put_hex(j, "session.id", a->session_id, sizeof(a->session_id));
		put_hex(j, "parcours.key", a->session_key, sizeof(a->session_key));
	}
	if (a->has_page)
		put_hex(j, "parcours.page_id", a->page_id, sizeof(a->page_id));
}

static void put_attempt(struct json *j, const struct reach_view *v)
{
	const struct attempt *a = v->attempt;

	json_key_string(j, "type", SLICE("connection_failure"));
	json_key_string(j, "kind", a->client ? SLICE("client") : SLICE("server"));
	put_hex(j, "parcours.event_id", a->event_id, sizeof(a->event_id));
	json_key_u64(j, "revision", 1);
	if (v->start_unix_ns)
		json_key_u64(j, "start_time_unix_nano", v->start_unix_ns);
	json_key_u64(j, "end_time_unix_nano", v->end_unix_ns);
	put_str(j, "parcours.connection.phase", attempt_phase_name(a->phase));
	put_str(j, "error.type", a->error);
	put_true(j, "parcours.connection.alert_received", a->by_peer);
	put_true(j, "parcours.connection.superseded", a->superseded);
	put_text(j, "server.address", v->server);
	if (v->server_port)
		json_key_u64(j, "server.port", v->server_port);
	put_addresses(j, v, a);
	put_process(j, v, a->tgid, a->tid);
	put_text(j, "parcours.site", v->site);
	put_cause(j, a);
	if (a->phase != ATTEMPT_DNS)
		json_key_u64(j, "parcours.connection.id", a->connection_id);
	json_key_u64(j, "parcours.connection.retransmissions", a->retrans);
}

static void put_news(struct json *j, const struct reach_view *v)
{
	const struct listener_news *n = v->news;

	json_key_string(j, "type", SLICE("listener"));
	put_hex(j, "parcours.event_id", n->event_id, sizeof(n->event_id));
	json_key_u64(j, "revision", 1);
	json_key_u64(j, "time_unix_nano", v->end_unix_ns);
	json_key_u64(j, "parcours.listener.id", n->listener_id);
	json_key_u64(j, "server.port", v->server_port);
	json_key_string(j, "network.local.address", slice_str(v->local));
	json_key_u64(j, "overflowed", n->dropped);
	json_key_u64(j, "refused", n->refused);
	if (n->open) {
		json_key_u64(j, "waiting", n->waiting);
		json_key_u64(j, "backlog", n->backlog);
	}
	if (n->still_ns)
		json_key_u64(j, "still_ns", n->still_ns);
	put_process(j, v, n->tgid, 0);
	put_text(j, "parcours.site", v->site);
}

void reach_row(struct buf *out, const struct reach_view *v)
{
	struct json j;

	json_init(&j, out);
	json_object(&j);
	if (v->attempt)
		put_attempt(&j, v);
	else
		put_news(&j, v);
	json_end(&j);
	buf_add_byte(out, '\n');
}
