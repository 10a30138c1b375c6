/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span.c: one transaction → one span, SERVER or CLIENT, by the stable HTTP semantic conventions:
 *
 *   name    "{method} {template}": the template is made to be of low cardinality (txn/template.h) and
 *           bounded in number, as the conventions ask of a target. Without one (not observed, or
 *           beyond the bound): "{method}". A method that OpenTelemetry does not know, or that was not
 *           seen: "HTTP". http.route is never said: only a framework knows its routes.
 *   status  Error for 5xx, on the client's side for 4xx too, and where a message was cut; else unset.
 *   times   a span must have two. What was not observed is named in parcours.unobserved, and the
 *           nearest observed times stand in (never a time that nobody saw).
 */
#include "export/span.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/utf8.h"
#include "export/semconv.h"

#define SPAN_MAX   (512u << 10) /* above the batch: the last span of it may be a large one */
#define GROUPS	   512		/* resources in a batch */
#define NO_RECORD  UINT32_MAX
#define ATTRIBUTES 9 /* field of Span */

enum { KIND_SERVER = 2, KIND_CLIENT = 3, STATUS_ERROR = 2 };
enum { FLAG_SAMPLED = 1, FLAG_HAS_REMOTE = 0x100, FLAG_REMOTE = 0x200 };

/* In front of each span (and each resource) in the buffer. */
struct record {
	uint32_t next; /* of the same group */
	uint32_t len;
};

struct group {
	uint32_t resource; /* record */
	uint32_t first, last;
	uint32_t bytes; /* of its spans */
};

struct spans {
	struct resources *resources;
	struct buf records;
	uint32_t batch_bytes;
	uint64_t batch; /* number of the present one: origins remember their group by it */
	uint32_t count, groups;
	struct group group[GROUPS];
};

static void add_name(struct buf *b, const struct transaction *t, const struct view *v)
{
	bool known = t->method_known && !(t->unobserved & UNOBSERVED_METHOD);
	struct slice target = v->template_;
	size_t mark = pb_begin(b, 5);

	buf_add(b, known ? t->method : SLICE("HTTP"));
	if (!(t->unobserved & UNOBSERVED_METHOD) && target.len && target.at[0] == '/') {
		buf_add_byte(b, ' ');
		utf8_add_clean(b, target);
	}
	pb_end(b, mark);
}

/* Earliest and latest of the times that were observed. */
static bool span_times(const struct transaction *t, uint64_t *ret_start, uint64_t *ret_end)
{
	bool timed = !(t->unobserved & (UNOBSERVED_START | UNOBSERVED_END));
	const uint64_t times[] = { t->unobserved & UNOBSERVED_START ? 0 : t->start_ns,
				   timed ? t->start_ns + t->duration_ns : 0,
				   t->request.first_ns,
				   t->request.last_ns,
				   t->response.first_ns,
				   t->response.last_ns };
	uint64_t start = UINT64_MAX, end = 0;

	if (timed) {
		*ret_start = t->start_ns;
		*ret_end = t->start_ns + t->duration_ns;
		return true;
	}
	for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		if (times[i] && times[i] < start)
			start = times[i];
		if (times[i] > end)
			end = times[i];
	}
	*ret_start = t->unobserved & UNOBSERVED_START ? start : t->start_ns;
	*ret_end = end > *ret_start ? end : *ret_start;
	return end != 0;
}

/* scheme://authority/path?query, as the client asked for it. */
static void add_url_full(struct buf *b, const struct transaction *t, const struct view *v)
{
	size_t mark, value;

	if (!v->authority.len)
		return;
	mark = pb_begin(b, ATTRIBUTES);
	pb_string(b, 1, SLICE("url.full"));
	value = pb_begin(b, 2);
	{
		size_t text = pb_begin(b, 1);

		utf8_add_clean(b, v->scheme);
		buf_add(b, SLICE("://"));
		utf8_add_clean(b, v->authority);
		utf8_add_clean(b, v->path);
		if (v->has_query) {
			buf_add_byte(b, '?');
			utf8_add_clean(b, v->query);
		}
		pb_end(b, text);
	}
	pb_end(b, value);
	pb_end(b, mark);
}

static void add_http(struct buf *b, const struct transaction *t, const struct view *v)
{
	uint32_t missing = t->unobserved;
	char code[4];

	if (!(missing & UNOBSERVED_METHOD)) {
		attr_text(b, ATTRIBUTES, SLICE("http.request.method"),
			  t->method_known ? t->method : SLICE("_OTHER"));
		if (!t->method_known)
			attr_text(b, ATTRIBUTES, SLICE("http.request.method_original"), v->method);
		attr_text(b, ATTRIBUTES, SLICE("url.path"), v->path);
		if (v->has_query)
			attr_text(b, ATTRIBUTES, SLICE("url.query"), v->query);
		if (t->side == SIDE_CLIENT)
			add_url_full(b, t, v);
		if (v->template_.len)
			attr_text(b, ATTRIBUTES, SLICE("parcours.url.template"), v->template_);
	}
	if (v->scheme.len)
		attr_text(b, ATTRIBUTES, SLICE("url.scheme"), v->scheme);
	if (t->status && !(missing & UNOBSERVED_STATUS))
		attr_int(b, ATTRIBUTES, SLICE("http.response.status_code"), t->status);
	if (semconv_error_type(t, code).len)
		attr_text(b, ATTRIBUTES, SLICE("error.type"), semconv_error_type(t, code));
	if (!(missing & UNOBSERVED_REQUEST_SIZE)) {
		attr_int(b, ATTRIBUTES, SLICE("http.request.body.size"),
			 (int64_t)t->request.body_bytes);
		attr_int(b, ATTRIBUTES, SLICE("http.request.size"), (int64_t)t->request.wire_bytes);
	}
	if (!(missing & UNOBSERVED_RESPONSE_SIZE)) {
		attr_int(b, ATTRIBUTES, SLICE("http.response.body.size"),
			 (int64_t)t->response.body_bytes);
		attr_int(b, ATTRIBUTES, SLICE("http.response.size"),
			 (int64_t)t->response.wire_bytes);
	}
	if (v->user_agent.len)
		attr_text(b, ATTRIBUTES, SLICE("user_agent.original"), v->user_agent);
	if (t->agent_name)
		attr_text(b, ATTRIBUTES, SLICE("user_agent.name"), slice_str(t->agent_name));
	if (t->agent_synthetic)
		attr_text(b, ATTRIBUTES, SLICE("user_agent.synthetic.type"),
			  slice_str(t->agent_synthetic));
}

static void add_network(struct buf *b, const struct transaction *t, const struct view *v)
{
	const char *version = semconv_version(t->request.seen ? &t->request : &t->response);

	if (v->server.len)
		attr_text(b, ATTRIBUTES, SLICE("server.address"), v->server);
	if (semconv_server_port(t))
		attr_int(b, ATTRIBUTES, SLICE("server.port"), semconv_server_port(t));
	if ((t->request.seen || t->response.seen) && version)
		attr_text(b, ATTRIBUTES, SLICE("network.protocol.version"), slice_str(version));
	if (v->client[0])
		attr_text(b, ATTRIBUTES, SLICE("client.address"), slice_str(v->client));
	if (v->client[0] && t->client.port)
		attr_int(b, ATTRIBUTES, SLICE("client.port"), t->client.port);
	if (v->client[0] && !t->client_is_peer)
		attr_text(b, ATTRIBUTES, SLICE("parcours.client.source"),
			  slice_str(t->client_source));
	if (v->peer[0]) {
		attr_text(b, ATTRIBUTES, SLICE("network.peer.address"), slice_str(v->peer));
		attr_int(b, ATTRIBUTES, SLICE("network.peer.port"), t->remote.port);
		attr_text(b, ATTRIBUTES, SLICE("network.local.address"), slice_str(v->local));
		attr_int(b, ATTRIBUTES, SLICE("network.local.port"), t->local.port);
	}
	if (!(t->unobserved & UNOBSERVED_ADDRESS))
		attr_text(b, ATTRIBUTES, SLICE("network.transport"),
			  t->family == AF_UNIX ? SLICE("unix") : SLICE("tcp"));
}

static void add_connection(struct buf *b, const struct transaction *t)
{
	attr_int(b, ATTRIBUTES, SLICE("parcours.connection.id"), (int64_t)t->connection_id);
	attr_int(b, ATTRIBUTES, SLICE("parcours.connection.ordinal"), t->ordinal);
	if (t->connect_ns && t->side == SIDE_CLIENT)
		attr_int(b, ATTRIBUTES, SLICE("parcours.connection.connect_ns"),
			 (int64_t)t->connect_ns);
	else if (t->connect_ns)
		attr_int(b, ATTRIBUTES, SLICE("parcours.connection.handshake_estimate_ns"),
			 (int64_t)t->connect_ns);
	if (t->srtt_us)
		attr_int(b, ATTRIBUTES, SLICE("parcours.connection.rtt_ns"), t->srtt_us * 1000ll);
	if (t->family != AF_UNIX)
		attr_int(b, ATTRIBUTES, SLICE("parcours.connection.retransmissions"), t->retrans);
	if (t->resent_known)
		attr_int(b, ATTRIBUTES, SLICE("parcours.response.retransmissions"), t->resent);
	if (t->peer_id)
		attr_int(b, ATTRIBUTES, SLICE("parcours.connection.peer_id"), (int64_t)t->peer_id);
	if (t->reset_in)
		attr_bool(b, ATTRIBUTES, SLICE("parcours.connection.reset_received"), true);
	if (t->reset_out)
		attr_bool(b, ATTRIBUTES, SLICE("parcours.connection.reset_sent"), true);
}

static void attr_id(struct buf *b, struct slice key, const uint8_t id[16])
{
	char text[32];

	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = "0123456789abcdef"[id[i / 2] >> (i % 2 ? 0 : 4) & 15];
	attr_text(b, ATTRIBUTES, key, slice_of(text, sizeof(text)));
}

static void add_exchange(struct buf *b, const struct transaction *t)
{
	uint8_t exchange[16];

	semconv_exchange(t, exchange);
	attr_id(b, SLICE("parcours.exchange"), exchange);
}

static void add_visit(struct buf *b, const struct transaction *t, const struct view *v)
{
	if (t->side == SIDE_SERVER && !t->inner)
		attr_bool(b, ATTRIBUTES, SLICE("parcours.edge"), true);
	if (v->site.at)
		attr_text(b, ATTRIBUTES, SLICE("parcours.site"), v->site);
	if (!t->has_session)
		return;
	attr_id(b, SLICE("session.id"), t->session_id);
	attr_id(b, SLICE("parcours.key"), t->session_key);
	if (t->has_page)
		attr_id(b, SLICE("parcours.page_id"), t->page_id);
}

static void add_facts(struct buf *b, const struct transaction *t, const struct view *v)
{
	const char *names[SEMCONV_MISSING];
	unsigned n;

	attr_text(b, ATTRIBUTES, SLICE("parcours.outcome"), slice_str(outcome_name(t->outcome)));
	if (t->outcome == OUTCOME_UNOBSERVED)
		attr_text(b, ATTRIBUTES, SLICE("parcours.unobserved.cause"),
			  slice_str(why_name(t->why)));
	if (t->side == SIDE_SERVER && !(t->unobserved & UNOBSERVED_WAIT))
		attr_int(b, ATTRIBUTES, SLICE("parcours.wait_ns"), (int64_t)t->wait_ns);
	if (t->acknowledged_ns)
		attr_int(b, ATTRIBUTES, SLICE("parcours.time_to_acknowledged_ns"),
			 (int64_t)t->acknowledged_ns);
	if (t->acknowledged_at_most_ns)
		attr_int(b, ATTRIBUTES, SLICE("parcours.time_to_acknowledged_at_most_ns"),
			 (int64_t)t->acknowledged_at_most_ns);
	if (!(t->unobserved & (UNOBSERVED_START | UNOBSERVED_FIRST_BYTE)))
		attr_int(b, ATTRIBUTES, SLICE("parcours.time_to_first_byte_ns"),
			 (int64_t)t->first_byte_ns);
	if (!(t->unobserved & (UNOBSERVED_START | UNOBSERVED_REQUEST_END)))
		attr_int(b, ATTRIBUTES, SLICE("parcours.time_to_request_end_ns"),
			 (int64_t)t->request_ns);
	if (!(t->unobserved & UNOBSERVED_EXCHANGE))
		add_exchange(b, t);
	if (t->interim)
		attr_int(b, ATTRIBUTES, SLICE("parcours.http.interim_responses"), t->interim);
	if (t->flags & TXN_UPGRADED) {
		if (v->upgrade.len)
			attr_text(b, ATTRIBUTES, SLICE("parcours.tunnel.protocol"), v->upgrade);
		attr_int(b, ATTRIBUTES, SLICE("parcours.tunnel.received_bytes"),
			 (int64_t)t->tunnel_bytes[PC_RX]);
		attr_int(b, ATTRIBUTES, SLICE("parcours.tunnel.sent_bytes"),
			 (int64_t)t->tunnel_bytes[PC_TX]);
	}
	n = semconv_unobserved(t, names);
	if (n)
		attr_texts(b, ATTRIBUTES, SLICE("parcours.unobserved"), names, n);
	n = 0;
	for (unsigned i = 0; i < SEMCONV_FLAGS; i++)
		if (t->flags & 1u << i)
			names[n++] = semconv_flag(i);
	if (n)
		attr_texts(b, ATTRIBUTES, SLICE("parcours.flags"), names, n);
}

/* Span as field 2 of ScopeSpans. */
static int add_span(struct buf *b, const struct transaction *t, const struct view *v, int64_t wall)
{
	uint32_t flags = FLAG_HAS_REMOTE | (t->sampled ? FLAG_SAMPLED : 0);
	uint64_t start, end;
	size_t mark;

	if (!span_times(t, &start, &end))
		return -ENODATA;
	mark = pb_begin(b, 2);
	pb_bytes(b, 1, slice_of(t->trace_id, sizeof(t->trace_id)));
	pb_bytes(b, 2, slice_of(t->span_id, sizeof(t->span_id)));
	if (v->tracestate.len)
		pb_string(b, 3, v->tracestate);
	if (t->has_parent) {
		pb_bytes(b, 4, slice_of(t->parent_id, sizeof(t->parent_id)));
		if (t->side == SIDE_SERVER)
			flags |= FLAG_REMOTE;
	}
	add_name(b, t, v);
	pb_u64(b, 6, t->side == SIDE_SERVER ? KIND_SERVER : KIND_CLIENT);
	pb_fixed64(b, 7, start + (uint64_t)wall);
	pb_fixed64(b, 8, end + (uint64_t)wall);
	add_http(b, t, v);
	add_network(b, t, v);
	add_facts(b, t, v);
	add_visit(b, t, v);
	add_connection(b, t);
	if (semconv_status_is_error(t) || semconv_cut(t)) {
		pb_bytes(b, 15, SLICE("\x18\x02")); /* Status { code: STATUS_CODE_ERROR } */
		_Static_assert(STATUS_ERROR == 2, "as written above");
	}
	pb_fixed32(b, 16, flags);
	pb_end(b, mark);
	return b->failed ? -ENOBUFS : 0;
}

static uint32_t begin_record(struct spans *s)
{
	const struct record none = { NO_RECORD, 0 };
	uint32_t at = (uint32_t)s->records.len;

	buf_add(&s->records, slice_of(&none, sizeof(none)));
	return at;
}

static void read_record(const struct spans *s, uint32_t at, struct record *ret)
{
	memcpy(ret, s->records.at + at, sizeof(*ret)); /* records are not aligned */
}

static void end_record(struct spans *s, uint32_t at, uint32_t next)
{
	struct record r = { next, (uint32_t)(s->records.len - at - sizeof(r)) };

	memcpy(s->records.at + at, &r, sizeof(r));
}

/* The group of an origin in the present batch; NULL: no room. */
static struct group *group_of(struct spans *s, struct origin *o)
{
	struct group *g;
	struct slice resource;

	if (o->batch == s->batch)
		return &s->group[o->group];
	if (s->groups == GROUPS)
		return NULL;
	resource = resources_span(s->resources, o);
	if (!resource.len)
		return NULL; /* no memory: whose span it is could not be said */
	g = &s->group[s->groups];
	*g = (struct group){ begin_record(s), NO_RECORD, NO_RECORD, 0 };
	buf_add(&s->records, resource);
	if (s->records.failed)
		return NULL;
	end_record(s, g->resource, NO_RECORD);
	o->batch = s->batch;
	o->group = s->groups++;
	return g;
}

int spans_add(struct spans *s, const struct transaction *t, const struct view *v,
	      int64_t wall_minus_mono_ns)
{
	uint32_t tgid = t->unobserved & UNOBSERVED_PROCESS ? 0 : t->tgid;
	struct origin *o = resources_origin(s->resources, tgid, tgid ? t->process : NULL);
	size_t before = s->records.len;
	struct group *g;
	uint32_t at;
	int err;

	if (!o)
		return -ENOMEM;
	g = group_of(s, o);
	err = -ENOBUFS;
	if (!g)
		goto fail;
	before = s->records.len;
	at = begin_record(s);
	err = add_span(&s->records, t, v, wall_minus_mono_ns);
	if (err)
		goto fail;
	end_record(s, at, NO_RECORD);
	if (g->last == NO_RECORD)
		g->first = at;
	else
		memcpy(s->records.at + g->last, &at, sizeof(at)); /* record.next */
	g->last = at;
	g->bytes += (uint32_t)(s->records.len - at - sizeof(struct record));
	s->count++;
	return 0;
fail:
	s->records.len = before;
	s->records.failed = false;
	return err;
}

uint32_t spans_count(const struct spans *s)
{
	return s->count;
}

size_t spans_bytes(const struct spans *s)
{
	return s->records.len;
}

/* One group as field 1 of the request. */
static void put_group(const struct spans *s, const struct group *g, struct buf *out)
{
	const struct slice schema = SLICE(SEMCONV_SCHEMA_URL),
			   scope = resources_scope(s->resources);
	size_t inner = scope.len + g->bytes + pb_bytes_len(schema.len);
	struct record r;

	read_record(s, g->resource, &r);
	pb_tag(out, 1, PB_BYTES);
	pb_varint(out, r.len + pb_bytes_len(inner) + pb_bytes_len(schema.len));
	buf_add(out, slice_of(s->records.at + g->resource + sizeof(r), r.len));
	pb_tag(out, OTLP_SCOPE, PB_BYTES);
	pb_varint(out, inner);
	buf_add(out, scope);
	for (uint32_t at = g->first; at != NO_RECORD; at = r.next) {
		read_record(s, at, &r);
		buf_add(out, slice_of(s->records.at + at + sizeof(r), r.len));
	}
	pb_bytes(out, OTLP_SCHEMA_URL, schema);
	pb_bytes(out, OTLP_SCHEMA_URL, schema);
}

int spans_take(struct spans *s, char **ret_message, size_t *ret_len)
{
	/* Each group adds its framing, scope and schema to what lies in the records. */
	size_t most = s->records.len + s->groups * (256 + resources_scope(s->resources).len);
	struct buf out;

	buf_init(&out, most);
	buf_reserve(&out, most); /* exactly once */
	for (uint32_t i = 0; i < s->groups; i++)
		if (s->group[i].first != NO_RECORD)
			put_group(s, &s->group[i], &out);
	s->batch++;
	s->groups = s->count = 0;
	buf_clear(&s->records);
	if (out.failed) {
		buf_done(&out);
		return -ENOMEM;
	}
	*ret_message = out.at;
	*ret_len = out.len;
	return 0;
}

int spans_new(struct resources *r, uint32_t batch_bytes, struct spans **ret)
{
	struct spans *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->resources = r;
	s->batch_bytes = batch_bytes;
	s->batch = 1; /* 0 is "in no batch" */
	buf_init(&s->records, (size_t)batch_bytes + SPAN_MAX);
	*ret = s;
	return 0;
}

void spans_free(struct spans *s)
{
	if (!s)
		return;
	buf_done(&s->records);
	free(s);
}
