/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page_metric.c: see page_metric.h.
 */
#include "export/page_metric.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hist.h"
#include "base/table.h"
#include "export/point.h"
#include "export/segment.h"

#define APDEXES 4 /* enum apdex */

enum count {
	COUNT_VIEWS,
	COUNT_ERRORS,
	COUNT_FAILED_RESOURCES,
	COUNT_FAILED_CALLS,
	COUNT_VISITS,
	COUNTS
};

struct page_series {
	uint64_t key; /* hash of what follows */
	char *text;   /* site, then group */
	struct slice site, group;
	struct segment segment; /* its campaigns are not used */
	bool visit;		/* of visits; otherwise of pages */
	bool overflow, to_proxy;
	uint64_t start_wall_ns;
	uint64_t count[COUNTS], apdex[APDEXES];
	struct hist *lived; /* NULL: none was observed */
};

struct page_metrics {
	struct table *table;
	uint32_t bound;
	uint64_t overflow, lost;
};

/* ---- series ---- */

static enum segment_use use_of(bool visit)
{
	return visit ? SEGMENT_VISIT_METRIC : SEGMENT_PAGE_METRIC;
}

static struct slice group_of(const struct session_fact *f)
{
	return f->page ? f->page->group : slice_of(NULL, 0);
}

static uint64_t key_of(const struct session_fact *f)
{
	struct segment_attribute at[SEGMENT_ATTRIBUTES];
	unsigned n = segment_attributes(&f->segment, use_of(!f->page), at);
	uint64_t h = slice_hash(f->site, f->page ? 1 : 2);

	h = slice_hash(group_of(f), h);
	for (unsigned i = 0; i < n; i++)
		h = slice_hash(at[i].value, slice_hash(at[i].key, h));
	return h * 2 + (f->page && f->page->to_proxy);
}

static int name_series(struct page_series *s, const struct session_fact *f)
{
	struct slice site = f->site, group = group_of(f);

	s->text = malloc(site.len + group.len + 1);
	if (!s->text)
		return -ENOMEM;
	memcpy(s->text, site.at, site.len);
	if (group.len)
		memcpy(s->text + site.len, group.at, group.len);
	s->site = slice_of(s->text, site.len);
	s->group = slice_of(s->text + site.len, group.len);
	s->segment = f->segment;
	s->visit = !f->page;
	s->to_proxy = f->page && f->page->to_proxy;
	return 0;
}

/* The last place of the table is that of all who find none. */
static struct page_series *overflow_series(struct page_metrics *m, uint64_t wall_ns)
{
	const uint64_t key = 0;
	bool fresh;
	struct page_series *s = table_add(m->table, &key, &fresh);

	if (s && fresh) {
		s->overflow = true;
		s->start_wall_ns = wall_ns;
	}
	return s;
}

static struct page_series *series_of(struct page_metrics *m, const struct session_fact *f,
				     uint64_t wall_ns)
{
	const uint64_t key = key_of(f) | 1ull << 63; /* 0 is that of the overflow */
	struct page_series *s = table_find(m->table, &key);
	bool fresh;

	if (s)
		return s;
	if (table_count(m->table) >= m->bound)
		goto overflow;
	s = table_add(m->table, &key, &fresh);
	if (!s)
		goto overflow;
	if (name_series(s, f)) {
		table_remove(m->table, s);
		goto overflow;
	}
	s->start_wall_ns = wall_ns;
	return s;
overflow:
	m->overflow++;
	return overflow_series(m, wall_ns);
}

static bool add_lived(struct page_series *s, uint64_t lived_ns)
{
	if (!s->lived) {
		s->lived = malloc(sizeof(*s->lived));
		if (!s->lived)
			return false;
		hist_init(s->lived);
	}
	hist_add(s->lived, (double)lived_ns / 1e9);
	return true;
}

void page_metrics_add(struct page_metrics *m, const struct session_fact *f, uint64_t wall_ns)
{
	const struct page_seen *p = f->page;
	struct page_series *s = series_of(m, f, wall_ns);

	if (!s) {
		m->lost++;
		return;
	}
	if (!p) {
		s->count[COUNT_VISITS]++;
		return;
	}
	s->count[COUNT_VIEWS]++;
	s->count[COUNT_ERRORS] += p->outcome == PAGE_FAILED || p->outcome == PAGE_SERVER_RESET ||
				  p->outcome == PAGE_TIMED_OUT;
	s->count[COUNT_FAILED_RESOURCES] += p->failed_resources;
	s->count[COUNT_FAILED_CALLS] += p->failed_calls;
	s->apdex[p->apdex]++;
	if (p->has & PAGE_HAS_LIVED && !add_lived(s, p->lived_ns))
		m->lost++;
}

/* ---- encoding ---- */

static void add_attributes(struct buf *b, uint32_t field, const struct page_series *s)
{
	struct segment_attribute at[SEGMENT_ATTRIBUTES];
	unsigned n = segment_attributes(&s->segment, use_of(s->visit), at);

	if (s->overflow) {
		attr_bool(b, field, SLICE("otel.metric.overflow"), true);
		return;
	}
	attr_text(b, field, SLICE("parcours.site"), s->site);
	if (!s->visit)
		attr_text(b, field, SLICE("parcours.page.group"), s->group);
	if (s->to_proxy)
		attr_bool(b, field, SLICE("parcours.page.to_proxy"), true);
	for (unsigned i = 0; i < n; i++) {
		if (at[i].value.at)
			attr_text(b, field, at[i].key, at[i].value);
		else
			attr_bool(b, field, at[i].key, true);
	}
}

static void add_point(struct buf *b, const struct page_series *s, enum apdex apdex, uint64_t value,
		      uint64_t wall_ns)
{
	size_t mark = point_begin(b);

	add_attributes(b, POINT_NUMBER, s);
	if (apdex)
		attr_text(b, POINT_NUMBER, SLICE("parcours.apdex"), slice_str(apdex_name(apdex)));
	point_number(b, s->start_wall_ns, wall_ns, value);
	pb_end(b, mark);
}

/* What found no place of its own may be of either. */
static bool is_of(const struct page_series *s, bool visits)
{
	return s->overflow || s->visit == visits;
}

static uint32_t add_count(const struct page_metrics *m, enum count which, uint64_t wall_ns,
			  struct buf *b)
{
	static const struct slice names[] = { SLICE("parcours.page.views"),
					      SLICE("parcours.page.errors"),
					      SLICE("parcours.page.failed_resources"),
					      SLICE("parcours.page.failed_calls"),
					      SLICE("parcours.visits") },
				  units[] = { SLICE("{page}"), SLICE("{page}"), SLICE("{resource}"),
					      SLICE("{request}"), SLICE("{visit}") };
	struct metric_open sum =
		metric_begin(b, METRIC_SUM, names[which], slice_of(NULL, 0), units[which]);
	uint32_t points = 0;

	for (const struct page_series *s = table_oldest(m->table); s;
	     s = table_newer(m->table, (void *)s)) {
		if (!is_of(s, which == COUNT_VISITS))
			continue;
		add_point(b, s, APDEX_UNOBSERVED, s->count[which], wall_ns);
		points++;
	}
	metric_end(b, sum, true);
	return points;
}

static uint32_t add_apdex(const struct page_metrics *m, uint64_t wall_ns, struct buf *b)
{
	struct metric_open sum = metric_begin(b, METRIC_SUM, SLICE("parcours.page.apdex"),
					      slice_of(NULL, 0), SLICE("{page}"));
	uint32_t points = 0;

	for (const struct page_series *s = table_oldest(m->table); s;
	     s = table_newer(m->table, (void *)s))
		for (unsigned a = is_of(s, false) ? APDEX_SATISFIED : APDEXES; a < APDEXES;
		     a++, points++)
			add_point(b, s, (enum apdex)a, s->apdex[a], wall_ns);
	metric_end(b, sum, true);
	return points;
}

static uint32_t add_lived_time(const struct page_metrics *m, uint64_t wall_ns, struct buf *b)
{
	struct metric_open lived =
		metric_begin(b, METRIC_EXPONENTIAL, SLICE("parcours.page.lived_time"),
			     slice_of(NULL, 0), SLICE("s"));
	uint32_t points = 0;
	size_t mark;

	for (const struct page_series *s = table_oldest(m->table); s;
	     s = table_newer(m->table, (void *)s)) {
		if (!s->lived)
			continue;
		mark = point_begin(b);
		add_attributes(b, POINT_EXPONENTIAL, s);
		point_times(b, s->start_wall_ns, wall_ns);
		point_hist(b, s->lived, s->lived->count, s->lived->zero_count);
		pb_end(b, mark);
		points++;
	}
	metric_end(b, lived, false);
	return points;
}

uint32_t page_metrics_encode(const struct page_metrics *m, uint64_t wall_ns, struct buf *out)
{
	uint32_t points = 0;

	if (!table_count(m->table))
		return 0;
	for (unsigned c = 0; c < COUNTS; c++)
		points += add_count(m, (enum count)c, wall_ns, out);
	points += add_apdex(m, wall_ns, out);
	return points + add_lived_time(m, wall_ns, out);
}

/* ---- life ---- */

uint64_t page_metrics_overflow(const struct page_metrics *m)
{
	return m->overflow;
}

uint64_t page_metrics_lost(const struct page_metrics *m)
{
	return m->lost;
}

int page_metrics_new(uint32_t series, struct page_metrics **ret)
{
	struct page_metrics *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->bound = series;
	if (table_new(sizeof(struct page_series), sizeof(uint64_t), series + 1, &m->table)) {
		free(m);
		return -ENOMEM;
	}
	*ret = m;
	return 0;
}

void page_metrics_free(struct page_metrics *m)
{
	struct page_series *s;

	if (!m)
		return;
	while ((s = table_oldest(m->table))) {
		free(s->text);
		free(s->lived);
		table_remove(m->table, s);
	}
	table_free(m->table);
	free(m);
}
