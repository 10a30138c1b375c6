/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resource.c: attributes, resources and scope of OTLP messages. A resource is encoded once and kept;
 * a transaction finds its own by one look-up of the pid and a comparison of names (exec and a late
 * answer of the warden change them). Attributes that the operator configured win over derived ones,
 * OTEL_SERVICE_NAME over OTEL_RESOURCE_ATTRIBUTES, as the specification has it.
 *
 * service.instance.id: a UUID of version 8 (RFC 9562) made of host, service, executable, container
 * and unit, so that it is the same after a restart of ours and differs between hosts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/table.h"
#include "base/utf8.h"
#include "export/otlp.h"
#include "export/privacy.h"
#include "export/semconv.h"

#define RESOURCE_BYTES 16384

struct resources {
	const struct export_options *options;
	const char *service_name; /* configured; NULL = per process */
	struct table *origins, *services;
	uint64_t epoch;
	struct buf common; /* KeyValues of every resource: host, distribution, configured ones */
	struct buf agent, scope;
	struct buf path; /* an executable without the name of a person */
};

static char *write_varint(char *at, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*at++ = (char)(v | 0x80);
	*at++ = (char)v;
	return at;
}

/*
 * KeyValue { key = 1, value = 2: AnyValue of `value_len` octets } up to where the AnyValue begins.
 * Room for all of it is reserved once, because a span has forty of these: what follows is written
 * without a check. Field numbers here are below 16. NULL: no room (the buffer says so).
 */
static char *begin_attr(struct buf *b, uint32_t field, struct slice key, size_t value_len)
{
	char *at;

	if (buf_reserve(b, key.len + value_len + 40) < 0)
		return NULL;
	at = b->at + b->len;
	*at++ = (char)(field << 3 | PB_BYTES);
	at = write_varint(at, pb_bytes_len(key.len) + pb_bytes_len(value_len));
	*at++ = 1 << 3 | PB_BYTES;
	at = write_varint(at, key.len);
	memcpy(at, key.at, key.len);
	at += key.len;
	*at++ = 2 << 3 | PB_BYTES;
	return write_varint(at, value_len);
}

void attr_text(struct buf *b, uint32_t field, struct slice key, struct slice value)
{
	size_t len = utf8_clean_len(value);
	char *at = begin_attr(b, field, key, pb_bytes_len(len));

	if (!at)
		return;
	*at++ = 1 << 3 | PB_BYTES;
	at = write_varint(at, len);
	b->len = (size_t)(at - b->at);
	if (len == value.len)
		buf_add(b, value); /* nothing to replace */
	else
		utf8_add_clean(b, value);
}

void attr_bool(struct buf *b, uint32_t field, struct slice key, bool value)
{
	char *at = begin_attr(b, field, key, 2);

	if (!at)
		return;
	*at++ = 2 << 3 | PB_VARINT;
	*at++ = value;
	b->len = (size_t)(at - b->at);
}

void attr_int(struct buf *b, uint32_t field, struct slice key, int64_t value)
{
	char *at = begin_attr(b, field, key, 1 + pb_varint_len((uint64_t)value));

	if (!at)
		return;
	*at++ = 3 << 3 | PB_VARINT;
	at = write_varint(at, (uint64_t)value);
	b->len = (size_t)(at - b->at);
}

void attr_texts(struct buf *b, uint32_t field, struct slice key, const char *const *values,
		unsigned count)
{
	size_t mark = pb_begin(b, field), value, array;

	pb_bytes(b, 1, key);
	value = pb_begin(b, 2);
	array = pb_begin(b, 5);
	for (unsigned i = 0; i < count; i++) {
		size_t element = pb_begin(b, 1);

		pb_string(b, 1, slice_str(values[i]));
		pb_end(b, element);
	}
	pb_end(b, array);
	pb_end(b, value);
	pb_end(b, mark);
}

unsigned otlp_method(struct slice method)
{
	unsigned i = 0;

	while (i < OTLP_METHODS - 1 && !slice_eq(method, otlp_method_name(i)))
		i++;
	return i;
}

struct slice otlp_method_name(unsigned index)
{
	static const struct slice names[OTLP_METHODS] = {
		{ "GET", 3 },	 { "POST", 4 },	 { "HEAD", 4 },	   { "PUT", 3 },
		{ "DELETE", 6 }, { "PATCH", 5 }, { "OPTIONS", 7 }, { "CONNECT", 7 },
		{ "TRACE", 5 },	 { "QUERY", 5 }, { "_OTHER", 6 },
	};

	return names[index];
}

/* Value of a configured attribute, or NULL. */
static const char *configured(const struct export_options *o, struct slice key)
{
	for (const char *const *a = o->resource; a && *a; a++) {
		struct slice all = slice_str(*a), name = slice_next(&all, '=');

		if (all.at && slice_eq(name, key))
			return all.at;
	}
	return NULL;
}

/* A derived attribute: only when it is known and nobody configured another. */
static void derive(const struct resources *r, struct buf *b, struct slice key, const char *value)
{
	if (value && value[0] && !configured(r->options, key))
		attr_text(b, 1, key, slice_str(value));
}

static void make_common(struct resources *r)
{
	struct buf *b = &r->common;
	const struct export_options *o = r->options;

	derive(r, b, SLICE("host.name"), o->host_name);
	derive(r, b, SLICE("host.id"), o->host_id);
	derive(r, b, SLICE("os.type"), "linux");
	derive(r, b, SLICE("os.version"), o->os_version);
	derive(r, b, SLICE("telemetry.distro.name"), "parcours");
	derive(r, b, SLICE("telemetry.distro.version"), PARCOURS_VERSION);
	for (const char *const *a = o->resource; a && *a; a++) {
		struct slice value = slice_str(*a), key = slice_next(&value, '=');

		/* A service's name is written by those who have one. */
		if (value.at && key.len && !slice_eq(key, SLICE("service.name")))
			attr_text(b, 1, key, value);
	}
}

static void add_instance(const struct resources *r, struct buf *b, struct slice names)
{
	uint64_t high = slice_hash(names, 1), low = slice_hash(names, 2);
	char text[40];

	snprintf(text, sizeof(text), "%08x-%04x-8%03x-%04x-%012llx", (unsigned)(high >> 32),
		 (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff),
		 (unsigned)(0x8000 | (low >> 48 & 0x3fff)),
		 (unsigned long long)(low & 0xffffffffffffull));
	derive(r, b, SLICE("service.instance.id"), text);
}

static void make_agent(struct resources *r)
{
	size_t mark = pb_begin(&r->agent, OTLP_RESOURCE);
	char names[512];
	int n = snprintf(names, sizeof(names), "%s/%s/parcours",
			 r->options->host_id ? r->options->host_id : "",
			 r->options->host_name ? r->options->host_name : "");

	attr_text(&r->agent, 1, SLICE("service.name"), SLICE("parcours"));
	derive(r, &r->agent, SLICE("service.version"), PARCOURS_VERSION);
	add_instance(r, &r->agent,
		     slice_of(names, (size_t)n < sizeof(names) ? (size_t)n : sizeof(names) - 1));
	buf_add(&r->agent, buf_slice(&r->common));
	pb_end(&r->agent, mark);

	mark = pb_begin(&r->scope, 1);
	pb_string(&r->scope, 1, SLICE("parcours"));
	pb_string(&r->scope, 2, SLICE(PARCOURS_VERSION));
	pb_end(&r->scope, mark);
}

static const char *origin_executable(const struct origin *o)
{
	const char *slash = strrchr(o->exe, '/');

	return slash && slash[1] ? slash + 1 : o->exe[0] ? o->exe : o->comm;
}

/* The attributes that spans and metrics share. */
static void add_service(const struct resources *r, struct buf *b, const struct origin *o)
{
	const char *executable = origin_executable(o);
	char text[1024];
	int n;

	if (r->service_name || o->service_name[0])
		attr_text(b, 1, SLICE("service.name"),
			  slice_str(r->service_name ? r->service_name : o->service_name));
	else {
		n = snprintf(text, sizeof(text), "unknown_service%s%s", executable[0] ? ":" : "",
			     executable);
		attr_text(b, 1, SLICE("service.name"), slice_of(text, (size_t)n));
	}
	n = snprintf(text, sizeof(text), "%s/%s/%s/%s/%s/%s",
		     r->options->host_id ? r->options->host_id : "",
		     r->options->host_name ? r->options->host_name : "",
		     r->service_name ? r->service_name : o->service_name, executable, o->container,
		     o->unit);
	add_instance(r, b, slice_of(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1));
	derive(r, b, SLICE("process.executable.name"), executable);
	derive(r, b, SLICE("container.id"), o->container);
	derive(r, b, SLICE("parcours.process.unit"), o->unit);
	buf_add(b, buf_slice(&r->common));
}

static bool is_same(const struct origin *o, const struct process *p)
{
	return o->start_ns == p->start_ns && strcmp(o->service_name, p->service) == 0 &&
	       strcmp(o->exe, p->exe) == 0 && strcmp(o->container, p->container) == 0 &&
	       strcmp(o->unit, p->unit) == 0;
}

static const char *copy_text(char **to, const char *from)
{
	size_t len = strlen(from) + 1;
	char *at = *to;

	memcpy(at, from, len);
	*to += len;
	return at;
}

/* The process is new, called exec, or the warden answered. */
static int learn(struct origin *o, const struct process *p)
{
	size_t len = strlen(p->exe) + strlen(p->service) + strlen(p->container) + strlen(p->unit) +
		     strlen(p->comm) + 5;
	char *text = malloc(len), *at = text;

	if (!text)
		return -ENOMEM;
	o->exe = copy_text(&at, p->exe);
	o->service_name = copy_text(&at, p->service);
	o->container = copy_text(&at, p->container);
	o->unit = copy_text(&at, p->unit);
	o->comm = copy_text(&at, p->comm);
	free(o->text);
	o->text = text;
	o->start_ns = p->start_ns;
	o->service = NULL;
	o->batch = 0;
	buf_clear(&o->resource);
	return 0;
}

static void forget_origin(struct resources *r, struct origin *o)
{
	free(o->text);
	buf_done(&o->resource);
	table_remove(r->origins, o);
}

struct origin *resources_pid(struct resources *r, uint32_t tgid)
{
	struct origin *o = table_find(r->origins, &tgid);
	bool is_new;

	if (o)
		return o;
	o = table_add(r->origins, &tgid, &is_new);
	if (!o && table_oldest(r->origins)) {
		forget_origin(r, table_oldest(r->origins));
		o = table_add(r->origins, &tgid, &is_new);
	}
	if (!o)
		return NULL;
	o->exe = o->service_name = o->container = o->unit = o->comm = "";
	buf_init(&o->resource, RESOURCE_BYTES);
	return o;
}

struct origin *resources_origin(struct resources *r, uint32_t tgid, const struct process *p)
{
	struct origin *o = resources_pid(r, tgid);

	if (!o)
		return NULL;
	table_touch(r->origins, o);
	if (p && !is_same(o, p) && learn(o, p) < 0)
		return NULL;
	return o;
}

static void add_path(struct resources *r, struct origin *o, bool strict)
{
	struct slice path = slice_str(o->exe);

	buf_clear(&r->path);
	if (strict)
		path = privacy_executable(path, &r->path);
	if (path.len && !configured(r->options, SLICE("process.executable.path")))
		attr_text(&o->resource, 1, SLICE("process.executable.path"), path);
}

struct slice resources_span(struct resources *r, struct origin *o)
{
	bool strict = r->options->privacy != PRIVACY_NONE;
	size_t mark;

	if (o->resource.len && o->strict == strict)
		return buf_slice(&o->resource);
	buf_clear(&o->resource);
	o->strict = strict; /* a reload may have changed it */
	mark = pb_begin(&o->resource, OTLP_RESOURCE);
	add_service(r, &o->resource, o);
	if (o->tgid && !configured(r->options, SLICE("process.pid")))
		attr_int(&o->resource, 1, SLICE("process.pid"), o->tgid);
	add_path(r, o, strict);
	pb_end(&o->resource, mark);
	if (o->resource.failed)
		buf_clear(&o->resource);
	return buf_slice(&o->resource);
}

static uint64_t service_key(const struct resources *r, const struct origin *o)
{
	uint64_t key = r->service_name ? 0 : slice_hash(slice_str(o->service_name), 1);

	key = slice_hash(slice_str(origin_executable(o)), key);
	key = slice_hash(slice_str(o->container), key);
	return slice_hash(slice_str(o->unit), key);
}

struct service *resources_service(struct resources *r, struct origin *o, uint64_t now_ns)
{
	struct service *s = o->service;

	if (!s || o->service_epoch != r->epoch) {
		uint64_t key = service_key(r, o);
		bool is_new;

		s = table_add(r->services, &key, &is_new);
		if (!s)
			return NULL;
		if (is_new) {
			size_t mark;

			buf_init(&s->resource, RESOURCE_BYTES);
			mark = pb_begin(&s->resource, OTLP_RESOURCE);
			add_service(r, &s->resource, o);
			pb_end(&s->resource, mark);
			if (s->resource.failed) { /* half a resource would spoil its message */
				buf_done(&s->resource);
				table_remove(r->services, s);
				return NULL;
			}
		}
		o->service = s;
		o->service_epoch = r->epoch;
	}
	s->last_ns = now_ns;
	table_touch(r->services, s);
	return s;
}

struct service *resources_known(struct resources *r, struct origin *o)
{
	uint64_t key = service_key(r, o);

	return table_find(r->services, &key);
}

struct slice resources_agent(const struct resources *r)
{
	return buf_slice(&r->agent);
}

struct slice resources_scope(const struct resources *r)
{
	return buf_slice(&r->scope);
}

struct service *resources_next_service(struct resources *r, struct service *s)
{
	return s ? table_newer(r->services, s) : table_oldest(r->services);
}

struct origin *resources_next_origin(struct resources *r, struct origin *o)
{
	return o ? table_newer(r->origins, o) : table_oldest(r->origins);
}

void resources_forget(struct resources *r, struct service *s)
{
	r->epoch++;
	buf_done(&s->resource);
	table_remove(r->services, s);
}

int resources_new(const struct export_options *o, const struct resource_limits *limits,
		  struct resources **ret)
{
	struct resources *r = calloc(1, sizeof(*r));
	int err = -ENOMEM;

	if (!r)
		return err;
	r->options = o;
	r->service_name = o->service_name;
	buf_init(&r->common, RESOURCE_BYTES);
	buf_init(&r->agent, RESOURCE_BYTES);
	buf_init(&r->scope, 256);
	buf_init(&r->path, 2 * PC_PATH); /* home/a/ becomes home/{user}/ at worst */
	err = table_new(sizeof(struct origin), sizeof(uint32_t), limits->origins, &r->origins);
	if (!err)
		err = table_new(sizeof(struct service), sizeof(uint64_t), limits->services,
				&r->services);
	if (!err) {
		make_common(r);
		make_agent(r);
		err = r->common.failed || r->agent.failed || r->scope.failed ? -ENOBUFS : 0;
	}
	if (err) {
		resources_free(r);
		return err;
	}
	*ret = r;
	return 0;
}

void resources_free(struct resources *r)
{
	if (!r)
		return;
	for (void *o; r->origins && (o = table_oldest(r->origins));)
		forget_origin(r, o);
	for (void *s; r->services && (s = table_oldest(r->services));)
		resources_forget(r, s);
	table_free(r->origins);
	table_free(r->services);
	buf_done(&r->common);
	buf_done(&r->agent);
	buf_done(&r->scope);
	buf_done(&r->path);
	free(r);
}
