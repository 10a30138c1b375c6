/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metric.c: all series → ExportMetricsServiceRequest (metrics.proto), cumulative temporality. One
 * ResourceMetrics a service, then one of the agent's own figures. Runs once an interval in the loop
 * thread; a few milliseconds for thousands of series.
 */
#include <stdlib.h>
#include <string.h>

#include "base/counter.h"
#include "export/metric.h"
#include "export/point.h"
#include "export/semconv.h"

#define MESSAGE_MAX (16u << 20) /* below what a collector takes (20 MiB) */

struct encoder {
	struct metrics *metrics;
	struct buf out;
	uint64_t wall_ns;
	uint32_t points; /* in `out` */
	const struct metric_sink *sink;
	size_t most;
	struct slice resource; /* of the block that is being written, with its marks */
	size_t block, scope;
	long total;
	uint64_t lost;
};

static void add_series_attributes(struct buf *b, uint32_t field, const struct series *s)
{
	static const struct slice schemes[] = { { "http", 4 }, { "https", 5 }, { "_OTHER", 6 } };
	const struct series_key *k = &s->key;
	struct transaction like = { .status = k->status,
				    .outcome = k->outcome,
				    .side = k->kind & 1 ? SIDE_CLIENT : SIDE_SERVER };
	char code[4];

	if (k->kind & 2) {
		attr_bool(b, field, SLICE("otel.metric.overflow"), true);
		return;
	}
	if (k->method != METHOD_UNOBSERVED)
		attr_text(b, field, SLICE("http.request.method"), otlp_method_name(k->method));
	attr_text(b, field, SLICE("url.scheme"), schemes[k->kind >> 2]);
	if (k->status)
		attr_int(b, field, SLICE("http.response.status_code"), k->status);
	if (semconv_error_type(&like, code).len)
		attr_text(b, field, SLICE("error.type"), semconv_error_type(&like, code));
	if (k->version)
		attr_text(b, field, SLICE("network.protocol.version"),
			  k->version == 10 ? SLICE("1.0") : SLICE("1.1"));
	if (s->template_.len)
		attr_text(b, field, SLICE("parcours.url.template"), s->template_);
	if (s->address.len)
		attr_text(b, field, SLICE("server.address"), s->address);
	if (k->port)
		attr_int(b, field, SLICE("server.port"), k->port);
}

static void add_exponential_point(struct buf *b, const struct series *s, const struct samples *v,
				  uint64_t wall_ns)
{
	static const struct hist empty = { .scale = HIST_SCALE };
	const struct hist *h = v->at ? v->hist : &empty;
	uint64_t count = v->at ? h->count : v->zeros, zeros = v->at ? h->zero_count : v->zeros;
	size_t mark = point_begin(b);

	add_series_attributes(b, POINT_EXPONENTIAL, s);
	point_times(b, s->start_wall_ns, wall_ns);
	point_hist(b, h, count, zeros);
	pb_end(b, mark);
}

static void add_explicit_point(struct buf *b, const struct series *s, enum sampled_metric which,
			       const struct samples *v, uint64_t wall_ns)
{
	struct explicit_hist empty = { .count = v->zeros };
	const struct explicit_hist *h = v->at ? v->fixed : &empty;
	unsigned bounds;
	const double *bound = metrics_bounds(which, &bounds);
	size_t mark = point_begin(b), packed;

	empty.bucket[0] = v->zeros; /* 0 is at or below every first bound */
	point_times(b, s->start_wall_ns, wall_ns);
	pb_fixed64(b, 4, h->count);
	pb_double(b, 5, h->sum);
	packed = pb_begin(b, 6);
	for (unsigned i = 0; i <= bounds; i++)
		pb_raw64(b, h->bucket[i]);
	pb_end(b, packed);
	packed = pb_begin(b, 7);
	for (unsigned i = 0; i < bounds; i++) {
		uint64_t bits;

		memcpy(&bits, &bound[i], sizeof(bits));
		pb_raw64(b, bits);
	}
	pb_end(b, packed);
	add_series_attributes(b, POINT_HISTOGRAM, s);
	pb_double(b, 11, h->min);
	pb_double(b, 12, h->max);
	pb_end(b, mark);
}

/* Hands over what is there, between two blocks. A message that found no memory is given up: what comes
 * after it may find some. */
static void hand_over(struct encoder *e)
{
	char *fit, *message = e->out.at;

	e->total += e->points;
	if (e->out.failed) {
		e->lost += e->points;
		buf_done(&e->out);
	} else if (e->points) {
		fit = realloc(message, e->out.len); /* the queue counts what it holds */
		if (fit)
			message = fit;
		e->sink->take(e->sink->ctx, message, e->out.len, e->points);
		buf_init(&e->out, MESSAGE_MAX);
	} else {
		buf_clear(&e->out);
	}
	e->points = 0;
}

static void begin_block(struct encoder *e, struct slice resource)
{
	e->resource = resource;
	e->block = pb_begin(&e->out, 1);
	buf_add(&e->out, resource);
	e->scope = pb_begin(&e->out, OTLP_SCOPE);
	buf_add(&e->out, resources_scope(metrics_resources(e->metrics)));
}

static void end_block(struct encoder *e)
{
	pb_bytes(&e->out, OTLP_SCHEMA_URL, SLICE(SEMCONV_SCHEMA_URL));
	pb_end(&e->out, e->scope);
	pb_bytes(&e->out, OTLP_SCHEMA_URL, SLICE(SEMCONV_SCHEMA_URL));
	pb_end(&e->out, e->block);
}

static bool is_full(const struct encoder *e)
{
	return e->out.len >= e->most || e->out.failed;
}

/* Within a service that has more than a message takes: its block is begun again in the next. */
static void turn_message(struct encoder *e)
{
	end_block(e);
	hand_over(e);
	begin_block(e, e->resource);
}

/* The first of a list that has samples of the metric. */
static const struct series *next_with(const struct series *list, bool client,
				      enum sampled_metric which)
{
	while (list && ((list->key.kind & 1) != client ||
			!(list->samples[which].at || list->samples[which].zeros)))
		list = list->next;
	return list;
}

/* One metric with the points of all series of the list that have it. */
static void add_histograms(struct encoder *e, const struct series *list, bool client,
			   enum sampled_metric which)
{
	static const struct slice names[2][SAMPLES] = {
		{ { "http.server.request.duration", 28 },
		  { "http.server.request.body.size", 29 },
		  { "http.server.response.body.size", 30 } },
		{ { "http.client.request.duration", 28 },
		  { "http.client.request.body.size", 29 },
		  { "http.client.response.body.size", 30 } },
	};
	static const struct slice descriptions[2][SAMPLES] = {
		{ { "Duration of HTTP server requests.", 33 },
		  { "Size of HTTP server request bodies.", 35 },
		  { "Size of HTTP server response bodies.", 36 } },
		{ { "Duration of HTTP client requests.", 33 },
		  { "Size of HTTP client request bodies.", 35 },
		  { "Size of HTTP client response bodies.", 36 } },
	};
	bool fixed = metrics_explicit(e->metrics);
	struct metric_open m;

	while ((list = next_with(list, client, which))) {
		m = metric_begin(&e->out, fixed ? METRIC_HISTOGRAM : METRIC_EXPONENTIAL,
				 names[client][which], descriptions[client][which],
				 which == SAMPLE_DURATION ? SLICE("s") : SLICE("By"));
		do {
			const struct samples *v = &list->samples[which];

			if (fixed)
				add_explicit_point(&e->out, list, which, v, e->wall_ns);
			else
				add_exponential_point(&e->out, list, v, e->wall_ns);
			e->points++;
			list = next_with(list->next, client, which);
		} while (list && !is_full(e));
		metric_end(&e->out, m, false);
		if (is_full(e))
			turn_message(e);
	}
}

static void add_active(struct encoder *e, struct service *s, uint64_t start_ns)
{
	struct buf *b = &e->out;
	struct metric_open m;
	size_t point;

	if (!s->active_seen)
		return;
	m = metric_begin(b, METRIC_SUM, SLICE("http.server.active_requests"),
			 SLICE("Number of active HTTP server requests."), SLICE("{request}"));
	for (unsigned i = 0; i < OTLP_METHODS; i++) {
		if (!(s->active_seen & 1u << i))
			continue;
		point = point_begin(b);
		attr_text(b, POINT_NUMBER, SLICE("http.request.method"), otlp_method_name(i));
		attr_text(b, POINT_NUMBER, SLICE("url.scheme"), SLICE("http"));
		point_number(b, start_ns, e->wall_ns, (uint64_t)s->active[i]);
		pb_end(b, point);
		e->points++;
	}
	metric_end(b, m, false); /* it goes up and down */
}

static void add_all_histograms(struct encoder *e, const struct series *list)
{
	for (unsigned side = 0; side < 2; side++)
		for (unsigned which = 0; which < SAMPLES; which++)
			add_histograms(e, list, side, which);
}

static bool is_serving(const struct origin *o)
{
	for (unsigned i = 0; i < OTLP_METHODS; i++)
		if (o->active[i])
			return true;
	return false;
}

/* Requests in flight are counted by pid; here they become figures of services. */
static void sum_active(struct metrics *m, uint64_t now_ns)
{
	struct resources *r = metrics_resources(m);

	for (struct service *s = resources_next_service(r, NULL); s;
	     s = resources_next_service(r, s))
		memset(s->active, 0, sizeof(s->active));
	for (struct origin *o = resources_next_origin(r, NULL); o;
	     o = resources_next_origin(r, o)) {
		struct service *s;

		if (!o->active_seen)
			continue;
		/* Who serves nothing now does not keep its service from being let go. */
		s = is_serving(o) ? resources_service(r, o, now_ns) : resources_known(r, o);
		if (!s)
			continue;
		s->active_seen |= o->active_seen;
		for (unsigned i = 0; i < OTLP_METHODS; i++)
			s->active[i] += o->active[i];
	}
}

/* All figures of one name are the points of one metric. */
static void add_figure(struct encoder *e, uint64_t start_ns, const struct counter *f, uint32_t at,
		       uint32_t count)
{
	struct buf *b = &e->out;
	struct metric_open m;
	size_t point;

	for (uint32_t i = 0; i < at; i++)
		if (strcmp(f[i].name, f[at].name) == 0)
			return; /* told with the first */
	m = metric_begin(b, f[at].gauge ? METRIC_GAUGE : METRIC_SUM, slice_str(f[at].name),
			 slice_of(NULL, 0), slice_str(f[at].unit));
	for (uint32_t i = at; i < count; i++) {
		if (strcmp(f[i].name, f[at].name) != 0)
			continue;
		point = point_begin(b);
		if (f[i].key)
			attr_text(b, POINT_NUMBER, slice_str(f[i].key), slice_str(f[i].label));
		point_number(b,
			     f[i].gauge		  ? 0
			     : f[i].start_wall_ns ? f[i].start_wall_ns
						  : start_ns,
			     e->wall_ns, f[i].value);
		pb_end(b, point);
		e->points++;
	}
	metric_end(b, m, true);
}

long metrics_encode(struct metrics *m, const struct metric_others *others, uint64_t now_ns,
		    uint64_t wall_ns, uint64_t agent_start_wall_ns, const struct counter *figures,
		    uint32_t figure_count, size_t most, const struct metric_sink *sink,
		    uint64_t *ret_lost)
{
	struct encoder e = { .metrics = m, .wall_ns = wall_ns, .sink = sink, .most = most };
	struct resources *r = metrics_resources(m);

	buf_init(&e.out, MESSAGE_MAX);
	sum_active(m, now_ns);
	for (struct service *s = resources_next_service(r, NULL); s;
	     s = resources_next_service(r, s)) {
		if (!s->series && !s->active_seen)
			continue;
		begin_block(&e, buf_slice(&s->resource));
		add_all_histograms(&e, metrics_of(m, s));
		add_active(&e, s, agent_start_wall_ns);
		end_block(&e);
		if (is_full(&e))
			hand_over(&e);
	}
	begin_block(&e, resources_agent(r));
	add_all_histograms(&e, metrics_of(m, NULL));
	if (others && others->pages)
		e.points += page_metrics_encode(others->pages, wall_ns, &e.out);
	if (others && others->reach)
		e.points += reach_metrics_encode(others->reach, wall_ns, &e.out);
	if (others && others->journey)
		e.points += journey_metrics_encode(others->journey, wall_ns, &e.out);
	for (uint32_t i = 0; i < figure_count; i++)
		add_figure(&e, agent_start_wall_ns, figures, i, figure_count);
	end_block(&e);
	hand_over(&e);
	buf_done(&e.out);
	*ret_lost = e.lost;
	return e.total;
}
