/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metric.c: see journey.h. One table: a series is a metric with one set of attributes, which are few: site, the
 * part of the segment that visits have (segment.h), and a name of ours, a currency or the name of an
 * objective. What comes above the bound is in one series a metric with otel.metric.overflow = true; money of
 * several currencies is never added up, so revenue that finds no series is counted as lost.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/table.h"
#include "export/journey.h"
#include "export/segment.h"

#define ATTRIBUTES_NUMBER 7 /* field of NumberDataPoint */
#define CUMULATIVE	  2
#define WHICH_MOST	  (DEFINITION_NAME + 1)

enum metric_of {
	ORDERS,
	ORDERS_UNVALUED,
	REVENUE,
	CART_CHANGES,
	PAYMENT_ERRORS,
	OBJECTIVE_PAGES,
	OBJECTIVE_GOOD,
	METRICS
};

static const struct {
	struct slice name, unit, key;
} metrics[METRICS] = {
	[ORDERS] = { SLICE("parcours.orders"), SLICE("{order}"), { NULL, 0 } },
	[ORDERS_UNVALUED] = { SLICE("parcours.orders.unvalued"), SLICE("{order}"), { NULL, 0 } },
	[REVENUE] = { SLICE("parcours.revenue"), SLICE("{minor_unit}"),
		      SLICE("parcours.currency") },
	[CART_CHANGES] = { SLICE("parcours.cart.changes"), SLICE("{change}"),
			   SLICE("parcours.event.name") },
	[PAYMENT_ERRORS] = { SLICE("parcours.payment.errors"), SLICE("{error}"), { NULL, 0 } },
	[OBJECTIVE_PAGES] = { SLICE("parcours.objective.pages"), SLICE("{page}"),
			      SLICE("parcours.objective") },
	[OBJECTIVE_GOOD] = { SLICE("parcours.objective.pages.good"), SLICE("{page}"),
			     SLICE("parcours.objective") },
};

struct journey_series {
	uint64_t key; /* hash of what follows */
	enum metric_of metric;
	char *site; /* NULL: overflow */
	size_t site_len;
	char which[WHICH_MOST]; /* of metrics[].key; "": none */
	bool has_segment;
	struct segment segment; /* its campaigns are not used */
	uint64_t start_wall_ns;
	int64_t sum;
};

struct journey_metrics {
	struct table *table;
	uint32_t bound;
	uint64_t overflow, lost;
};

/* ---- series ---- */

static uint64_t key_of(enum metric_of metric, struct slice site, const struct segment *s,
		       struct slice which)
{
	struct segment_attribute at[SEGMENT_ATTRIBUTES];
	unsigned n = s ? segment_attributes(s, SEGMENT_VISIT_METRIC, at) : 0;
	uint64_t h = slice_hash(which, slice_hash(site, metric));

	for (unsigned i = 0; i < n; i++)
		h = slice_hash(at[i].value, slice_hash(at[i].key, h));
	return h | 1ull << 63; /* below METRICS: those of the overflow */
}

/* Room for one of each metric is kept. */
static struct journey_series *overflow_series(struct journey_metrics *m, enum metric_of metric,
					      uint64_t wall_ns)
{
	const uint64_t key = metric;
	struct journey_series *s;
	bool fresh;

	if (metric == REVENUE)
		return NULL;
	s = table_add(m->table, &key, &fresh);
	if (s && fresh) {
		s->metric = metric;
		s->start_wall_ns = wall_ns;
	}
	m->overflow++;
	return s;
}

static struct journey_series *series_of(struct journey_metrics *m, enum metric_of metric,
					struct slice site, const struct segment *segment,
					struct slice which, uint64_t wall_ns)
{
	const uint64_t key = key_of(metric, site, segment, which);
	struct journey_series *s = table_find(m->table, &key);
	char *name;
	bool fresh;

	if (s)
		return s;
	if (table_count(m->table) >= m->bound || which.len >= WHICH_MOST)
		return overflow_series(m, metric, wall_ns);
	name = malloc(site.len + 1);
	s = name ? table_add(m->table, &key, &fresh) : NULL;
	if (!s) {
		free(name);
		return overflow_series(m, metric, wall_ns);
	}
	if (site.len)
		memcpy(name, site.at, site.len);
	s->metric = metric;
	s->site = name;
	s->site_len = site.len;
	if (which.len)
		memcpy(s->which, which.at, which.len);
	s->has_segment = segment != NULL;
	if (segment)
		s->segment = *segment;
	s->start_wall_ns = wall_ns;
	return s;
}

static void add(struct journey_metrics *m, struct journey_series *s, int64_t n)
{
	if (!s || __builtin_add_overflow(s->sum, n, &s->sum))
		m->lost++;
}

static void add_order(struct journey_metrics *m, const struct event *e, uint64_t wall_ns)
{
	const char *currency = e->currency[0] ? e->currency : e->value.currency;
	int digits = amount_minor_digits(currency);
	struct amount value = e->value;

	if (e->revision == 1)
		add(m, series_of(m, ORDERS, e->site, &e->segment, slice_of(NULL, 0), wall_ns), 1);
	if (!(e->has & SAID_VALUE) || digits < 0 || value.units < 0 ||
	    !amount_rescale(&value, (uint8_t)digits)) {
		if (e->revision == 1)
			add(m,
			    series_of(m, ORDERS_UNVALUED, e->site, &e->segment, slice_of(NULL, 0),
				      wall_ns),
			    1);
		return;
	}
	add(m, series_of(m, REVENUE, e->site, &e->segment, slice_str(currency), wall_ns),
	    value.units);
}

void journey_metrics_event(struct journey_metrics *m, const struct event *e, uint64_t wall_ns)
{
	const struct slice none = { NULL, 0 };

	if (e->confidence != CONFIDENCE_CERTAIN)
		return;
	switch (e->kind) {
	case EVENT_PURCHASE:
		/* once, and its value when that is told first */
		if (e->revision == 1 || e->adds_value)
			add_order(m, e, wall_ns);
		break;
	case EVENT_ADD_TO_CART:
	case EVENT_REMOVE_FROM_CART:
	case EVENT_CART_REFUSED:
		add(m, series_of(m, CART_CHANGES, e->site, &e->segment, event_name(e), wall_ns), 1);
		break;
	case EVENT_PAYMENT_ERROR:
		add(m, series_of(m, PAYMENT_ERRORS, e->site, &e->segment, none, wall_ns), 1);
		break;
	default:
		break;
	}
}

void journey_metrics_objective(struct journey_metrics *m, const struct objective *o,
			       struct slice site, bool met, uint64_t wall_ns)
{
	struct slice name = slice_str(o->name);

	add(m, series_of(m, OBJECTIVE_PAGES, site, NULL, name, wall_ns), 1);
	/* also 0, so that what is never met is seen not to be */
	add(m, series_of(m, OBJECTIVE_GOOD, site, NULL, name, wall_ns), met);
}

/* ---- encoding ---- */

static void add_attributes(struct buf *b, const struct journey_series *s)
{
	struct segment_attribute at[SEGMENT_ATTRIBUTES];
	unsigned n;

	if (!s->site) {
		attr_bool(b, ATTRIBUTES_NUMBER, SLICE("otel.metric.overflow"), true);
		return;
	}
	attr_text(b, ATTRIBUTES_NUMBER, SLICE("parcours.site"), slice_of(s->site, s->site_len));
	if (s->which[0])
		attr_text(b, ATTRIBUTES_NUMBER, metrics[s->metric].key, slice_str(s->which));
	n = s->has_segment ? segment_attributes(&s->segment, SEGMENT_VISIT_METRIC, at) : 0;
	for (unsigned i = 0; i < n; i++) {
		if (at[i].value.at)
			attr_text(b, ATTRIBUTES_NUMBER, at[i].key, at[i].value);
		else
			attr_bool(b, ATTRIBUTES_NUMBER, at[i].key, true);
	}
}

static uint32_t add_metric(const struct journey_metrics *m, enum metric_of which, uint64_t wall_ns,
			   struct buf *b)
{
	size_t before = b->len, metric = pb_begin(b, 2), data, mark;
	uint32_t points = 0;

	pb_bytes(b, 1, metrics[which].name);
	pb_bytes(b, 3, metrics[which].unit);
	data = pb_begin(b, 7);
	for (const struct journey_series *s = table_oldest(m->table); s;
	     s = table_newer(m->table, (void *)s)) {
		if (s->metric != which)
			continue;
		mark = pb_begin(b, 1);
		add_attributes(b, s);
		pb_fixed64(b, 2, s->start_wall_ns < wall_ns ? s->start_wall_ns : wall_ns);
		pb_fixed64(b, 3, wall_ns);
		pb_fixed64(b, 6, (uint64_t)s->sum);
		pb_end(b, mark);
		points++;
	}
	pb_u64(b, 2, CUMULATIVE);
	pb_u64(b, 3, 1); /* is_monotonic */
	pb_end(b, data);
	pb_end(b, metric);
	if (!points)
		b->len = before;
	return points;
}

uint32_t journey_metrics_encode(const struct journey_metrics *m, uint64_t wall_ns, struct buf *out)
{
	uint32_t points = 0;

	for (unsigned which = 0; which < METRICS && table_count(m->table); which++)
		points += add_metric(m, (enum metric_of)which, wall_ns, out);
	return points;
}

/* ---- life ---- */

uint64_t journey_metrics_overflow(const struct journey_metrics *m)
{
	return m->overflow;
}

uint64_t journey_metrics_lost(const struct journey_metrics *m)
{
	return m->lost;
}

int journey_metrics_new(uint32_t series, struct journey_metrics **ret)
{
	struct journey_metrics *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->bound = series;
	if (table_new(sizeof(struct journey_series), sizeof(uint64_t), series + METRICS,
		      &m->table)) {
		free(m);
		return -ENOMEM;
	}
	*ret = m;
	return 0;
}

void journey_metrics_free(struct journey_metrics *m)
{
	struct journey_series *s;

	if (!m)
		return;
	while ((s = table_oldest(m->table))) {
		free(s->site);
		table_remove(m->table, s);
	}
	table_free(m->table);
	free(m);
}
