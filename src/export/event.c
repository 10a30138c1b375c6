/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.c: see event.h. Records are encoded as they come; resource and scope, the agent's own because
 * a visit belongs to a site and to no process, are put around them when the message is taken.
 */
#include "export/event.h"

#include <errno.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "export/fact.h"
#include "export/segment.h"
#include "export/semconv.h"

#define RECORD_MAX (512u << 10) /* an order of 200 items with long names */
#define ATTRIBUTES EVENT_ATTRIBUTES
#define INFO	   9  /* SEVERITY_NUMBER_INFO */
#define WARN	   13 /* SEVERITY_NUMBER_WARN */

struct events {
	const struct resources *resources;
	struct buf records;
	uint32_t count;
};

static const char *const event_names[] = {
	[FACT_START] = "session.start",
	[FACT_END] = "session.end",
	[FACT_ALIAS] = "parcours.session.alias",
	[FACT_PAGE] = "parcours.page_view",
};

void attr_hex(struct buf *b, struct slice key, const uint8_t id[KEY_BYTES])
{
	char text[2 * KEY_BYTES];

	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = "0123456789abcdef"[id[i / 2] >> (i % 2 ? 0 : 4) & 15];
	attr_text(b, ATTRIBUTES, key, slice_of(text, sizeof(text)));
}

static void attr_name(struct buf *b, struct slice key, const char *name)
{
	if (name)
		attr_text(b, ATTRIBUTES, key, slice_str(name));
}

static void attr_ns(struct buf *b, struct slice key, uint64_t ns)
{
	attr_int(b, ATTRIBUTES, key, (int64_t)ns);
}

static void add_segment(struct buf *b, const struct session_fact *f)
{
	struct segment_attribute at[SEGMENT_ATTRIBUTES];
	unsigned n = segment_attributes(&f->segment, SEGMENT_ROW, at);

	for (unsigned i = 0; i < n; i++) {
		if (at[i].value.at)
			attr_text(b, ATTRIBUTES, at[i].key, at[i].value);
		else
			attr_bool(b, ATTRIBUTES, at[i].key, true);
	}
}

static void add_session(struct buf *b, const struct session_fact *f)
{
	attr_text(b, ATTRIBUTES, SLICE("parcours.basis"), slice_str(f->basis));
	add_segment(b, f);
	if (f->shared)
		attr_bool(b, ATTRIBUTES, SLICE("parcours.session.shared"), true);
	if (f->kind == FACT_START)
		return;
	attr_ns(b, SLICE("parcours.session.start_time_unix_nano"), f->start_unix_ns);
	attr_text(b, ATTRIBUTES, SLICE("parcours.end_reason"),
		  slice_str(end_reason_name(f->end_reason)));
	attr_int(b, ATTRIBUTES, SLICE("parcours.transactions"), (int64_t)f->transactions);
	attr_int(b, ATTRIBUTES, SLICE("parcours.page_views"), (int64_t)f->page_views);
}

static void add_page_times(struct buf *b, const struct page_seen *p)
{
	if (p->has & PAGE_HAS_LIVED) {
		attr_ns(b,
			p->to_proxy ? SLICE("parcours.lived_to_proxy_ns")
				    : SLICE("parcours.lived_ns"),
			p->lived_ns);
		attr_ns(b, SLICE("parcours.server_ns"), p->server_ns);
		attr_ns(b,
			p->to_proxy ? SLICE("parcours.network_to_proxy_ns")
				    : SLICE("parcours.network_ns"),
			p->network_ns);
	}
	if (p->has & PAGE_HAS_WAIT)
		attr_ns(b, SLICE("parcours.wait_ns"), p->wait_ns);
	if (p->has & PAGE_HAS_FIRST_BYTE)
		attr_ns(b, SLICE("parcours.time_to_first_byte_ns"), p->first_byte_ns);
	if (p->redirects) {
		attr_int(b, ATTRIBUTES, SLICE("parcours.redirects"), p->redirects);
		attr_ns(b, SLICE("parcours.redirect_ns"), p->redirect_ns);
	}
	if (p->has & PAGE_HAS_STAY)
		attr_ns(b, SLICE("parcours.time_on_page_ns"), p->on_page_ns);
}

static void add_page(struct buf *b, const struct session_fact *f)
{
	const struct page_seen *p = f->page;
	const char *names[PAGE_NAMES];
	unsigned count;

	attr_hex(b, SLICE("parcours.page_id"), p->id);
	attr_text(b, ATTRIBUTES, SLICE("url.path"), p->path);
	attr_text(b, ATTRIBUTES, SLICE("parcours.page.group"), p->group);
	if (p->is_virtual)
		attr_bool(b, ATTRIBUTES, SLICE("parcours.page.virtual"), true);
	add_page_times(b, p);
	attr_name(b, SLICE("parcours.outcome"), page_outcome_name(p->outcome));
	if (p->status)
		attr_int(b, ATTRIBUTES, SLICE("http.response.status_code"), p->status);
	attr_name(b, SLICE("parcours.apdex"), apdex_name(p->apdex));
	attr_int(b, ATTRIBUTES, SLICE("parcours.resources"), p->resources);
	attr_int(b, ATTRIBUTES, SLICE("parcours.failed_resources"), p->failed_resources);
	attr_int(b, ATTRIBUTES, SLICE("parcours.calls"), p->calls);
	attr_int(b, ATTRIBUTES, SLICE("parcours.failed_calls"), p->failed_calls);
	if (p->failed_host.len)
		attr_text(b, ATTRIBUTES, SLICE("parcours.failed_call.host"), p->failed_host);
	add_segment(b, f);
	count = page_estimated(p, names);
	if (count)
		attr_texts(b, ATTRIBUTES, SLICE("parcours.estimated"), names, count);
	count = page_missing(p, names);
	if (count)
		attr_texts(b, ATTRIBUTES, SLICE("parcours.unobserved"), names, count);
}

static void add_facts(struct buf *b, const struct session_fact *f)
{
	if (f->kind == FACT_ALIAS) {
		attr_hex(b, SLICE("parcours.key.new"), f->key_new);
		attr_text(b, ATTRIBUTES, SLICE("parcours.reason"), slice_str(f->reason));
		return;
	}
	attr_hex(b, SLICE("session.id"), f->session_id);
	if (f->kind == FACT_PAGE)
		add_page(b, f);
	else
		add_session(b, f);
}

/* What did not fit is taken back. */
static int end_record(struct events *e, size_t before, size_t mark)
{
	struct buf *b = &e->records;

	pb_end(b, mark);
	if (b->failed) {
		b->len = before;
		b->failed = false;
		return -ENOBUFS;
	}
	e->count++;
	return 0;
}

/* LogRecord as field 2 of ScopeLogs. */
int events_add(struct events *e, const struct session_fact *f, uint64_t observed_unix_ns)
{
	struct buf *b = &e->records;
	size_t before = b->len, mark = pb_begin(b, 2);

	pb_fixed64(b, 1, f->time_unix_ns);
	pb_u64(b, 2, INFO);
	attr_hex(b, SLICE("parcours.event_id"), f->event_id);
	attr_int(b, ATTRIBUTES, SLICE("parcours.revision"), f->revision);
	attr_text(b, ATTRIBUTES, SLICE("parcours.site"), f->site);
	attr_hex(b, SLICE("parcours.key"), f->key);
	add_facts(b, f);
	pb_fixed64(b, 11, observed_unix_ns);
	pb_string(b, 12, slice_str(event_names[f->kind]));
	return end_record(e, before, mark);
}

int events_put(struct events *e, const struct event_head *h,
	       void (*attributes)(struct buf *b, const void *ctx), const void *ctx)
{
	struct buf *b = &e->records;
	size_t before = b->len, mark = pb_begin(b, 2);

	pb_fixed64(b, 1, h->time_unix_ns);
	pb_u64(b, 2, h->warning ? WARN : INFO);
	attributes(b, ctx);
	if (h->trace_id)
		pb_bytes(b, 9, slice_of((const char *)h->trace_id, 16));
	if (h->span_id)
		pb_bytes(b, 10, slice_of((const char *)h->span_id, 8));
	pb_fixed64(b, 11, h->observed_unix_ns);
	pb_string(b, 12, slice_str(h->name));
	return end_record(e, before, mark);
}

uint32_t events_count(const struct events *e)
{
	return e->count;
}

size_t events_bytes(const struct events *e)
{
	return e->records.len;
}

int events_take(struct events *e, char **ret_message, size_t *ret_len)
{
	const struct slice schema = SLICE(SEMCONV_SCHEMA_URL),
			   scope = resources_scope(e->resources),
			   resource = resources_agent(e->resources);
	size_t inner = scope.len + e->records.len + pb_bytes_len(schema.len);
	size_t most = resource.len + inner + 128;
	struct buf out;

	buf_init(&out, most);
	buf_reserve(&out, most); /* exactly once */
	pb_tag(&out, 1, PB_BYTES);
	pb_varint(&out, resource.len + pb_bytes_len(inner) + pb_bytes_len(schema.len));
	buf_add(&out, resource);
	pb_tag(&out, OTLP_SCOPE, PB_BYTES);
	pb_varint(&out, inner);
	buf_add(&out, scope);
	buf_add(&out, buf_slice(&e->records));
	pb_bytes(&out, OTLP_SCHEMA_URL, schema);
	pb_bytes(&out, OTLP_SCHEMA_URL, schema);
	e->count = 0;
	buf_clear(&e->records);
	if (out.failed) {
		buf_done(&out);
		return -ENOMEM;
	}
	*ret_message = out.at;
	*ret_len = out.len;
	return 0;
}

int events_new(const struct resources *r, uint32_t batch_bytes, struct events **ret)
{
	struct events *e = calloc(1, sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->resources = r;
	buf_init(&e->records, (size_t)batch_bytes + RECORD_MAX);
	*ret = e;
	return 0;
}

void events_free(struct events *e)
{
	if (!e)
		return;
	buf_done(&e->records);
	free(e);
}
