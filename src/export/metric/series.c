/* SPDX-License-Identifier: Apache-2.0 */
/*
 * series.c: transaction → series (see metric.h). Every transaction comes here, so the way of one that
 * is like those before is three look-ups by small keys and three histogram additions, and nothing is
 * allocated on it. Loop thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/table.h"
#include "export/metric.h"
#include "export/semconv.h"

#define KIND_CLIENT   1
#define KIND_OVERFLOW 2
#define KIND_SCHEME   2	   /* shift */
#define OVERFLOWS     1025 /* places beyond the bound: one a service */

struct metrics {
	struct metric_options options;
	struct resources *resources;
	struct table *series[2]; /* by side */
	struct series *orphans;	 /* services that found no place: told as the agent's */
	uint64_t first_wall_ns;	 /* start of the series that begin before anything was evicted */
	uint64_t overflow, lost; /* transactions */
};

/* Seconds: advice of the semantic conventions. Octets: the SDK's default bounds. */
static const double duration_bounds[] = { 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
					  0.5,	 0.75, 1,     2.5,  5,	   7.5, 10 };
static const double size_bounds[] = { 0,   5,	10,   25,   50,	  75,	100,  250,
				      500, 750, 1000, 2500, 5000, 7500, 10000 };

const double *metrics_bounds(enum sampled_metric which, unsigned *ret_count)
{
	*ret_count = which == SAMPLE_DURATION ? sizeof(duration_bounds) / sizeof(double)
					      : sizeof(size_bounds) / sizeof(double);
	return which == SAMPLE_DURATION ? duration_bounds : size_bounds;
}

static void add_explicit(struct explicit_hist *h, enum sampled_metric which, double value,
			 uint64_t times)
{
	unsigned bounds, i = 0;
	const double *bound = metrics_bounds(which, &bounds);

	while (i < bounds && value > bound[i])
		i++;
	h->bucket[i] += times;
	if (!h->count || value < h->min)
		h->min = value;
	if (!h->count || value > h->max)
		h->max = value;
	h->count += times;
	h->sum += value * (double)times;
}

/* The first value that is not zero: now there is something to distribute. */
static bool begin_samples(const struct metrics *m, struct samples *s, enum sampled_metric which)
{
	if (m->options.explicit_buckets) {
		s->fixed = calloc(1, sizeof(*s->fixed));
		if (s->fixed && s->zeros)
			add_explicit(s->fixed, which, 0, s->zeros);
		return s->fixed;
	}
	s->hist = malloc(sizeof(*s->hist));
	if (!s->hist)
		return false;
	hist_init(s->hist);
	s->hist->count = s->hist->zero_count = s->zeros; /* min, max and sum are zero already */
	return true;
}

/* False: no memory, the value is lost. The next one tries again. */
static bool add_sample(const struct metrics *m, struct series *series, enum sampled_metric which,
		       double value)
{
	struct samples *s = &series->samples[which];

	if (!s->at && value == 0) {
		s->zeros++;
		return true;
	}
	if (!s->at && !begin_samples(m, s, which))
		return false;
	if (m->options.explicit_buckets)
		add_explicit(s->fixed, which, value, 1);
	else
		hist_add(s->hist, value);
	return true;
}

static uint8_t scheme_of(struct slice scheme)
{
	if (scheme.len == 0 || slice_eq(scheme, SLICE("http")))
		return 0;
	return slice_eq(scheme, SLICE("https")) ? 1 : 2;
}

static uint8_t version_of(const struct transaction *t)
{
	const struct txn_message *m = t->request.seen ? &t->request : &t->response;

	return m->seen && m->major == 1 ? (uint8_t)(10 + (m->minor != 0)) : 0;
}

/* server.address of a client, as the view has it (view.c). `text` keeps what was made for it. */
static struct slice client_address(const struct metrics *m, const struct transaction *t,
				   char text[PRIVACY_HOST])
{
	if (t->side != SIDE_CLIENT || t->unobserved & UNOBSERVED_METHOD)
		return slice_of(NULL, 0);
	if (t->server_name.len) {
		if (m->options.strict && (privacy_host(t->authority, !m->options.truncate, text) ||
					  privacy_host(t->server_name, !m->options.truncate, text)))
			return slice_str(text);
		return t->server_name;
	}
	if (t->unobserved & UNOBSERVED_ADDRESS || t->family == AF_UNIX)
		return slice_of(NULL, 0);
	privacy_address(&t->remote, m->options.truncate, text);
	return slice_str(text);
}

static void make_key(const struct transaction *t, struct slice template_, struct slice address,
		     uint64_t service, struct series_key *ret)
{
	bool named = !(t->unobserved & UNOBSERVED_METHOD);

	*ret = (struct series_key){
		.service = service,
		.template_hash = named && template_.len ? slice_hash(template_, 1) : 0,
		.status = t->unobserved & UNOBSERVED_STATUS ? 0 : t->status,
		.method = named ? (uint8_t)otlp_method(t->method) : METHOD_UNOBSERVED,
		.version = version_of(t),
		.outcome = semconv_cut(t) && !semconv_status_is_error(t) ? (uint8_t)t->outcome : 0,
		.kind = (uint8_t)(t->side == SIDE_CLIENT) |
			(uint8_t)(scheme_of(t->scheme) << KIND_SCHEME),
	};
	if (t->side == SIDE_CLIENT) {
		ret->address_hash = address.len ? slice_hash(address, 1) : 0;
		ret->port = semconv_server_port(t);
	}
}

static void free_series(struct metrics *m, struct series *s)
{
	struct table *table = m->series[s->key.kind & KIND_CLIENT];
	struct series **at = s->service ? (struct series **)&s->service->series : &m->orphans;

	while (*at && *at != s)
		at = &(*at)->next;
	if (*at)
		*at = s->next;
	for (unsigned i = 0; i < SAMPLES; i++)
		free(s->samples[i].at);
	free(s->text);
	table_remove(table, s);
}

static int name_series(struct series *s, struct slice template_, struct slice address)
{
	size_t len = template_.len + address.len;

	s->text = malloc(len ? len : 1);
	if (!s->text)
		return -ENOMEM;
	s->template_ = slice_of(s->text, template_.len);
	s->address = slice_of(s->text + template_.len, address.len);
	if (template_.len)
		memcpy(s->text, template_.at, template_.len);
	if (address.len)
		memcpy(s->text + template_.len, address.at, address.len);
	return 0;
}

static struct series *make_series(struct metrics *m, struct service *service,
				  const struct series_key *key, struct slice template_,
				  struct slice address, uint64_t wall_ns)
{
	struct series **list = service ? (struct series **)&service->series : &m->orphans;
	bool is_new;
	struct series *s = table_add(m->series[key->kind & KIND_CLIENT], key, &is_new);

	if (!s || !is_new)
		return s;
	if (name_series(s, template_, address) < 0) {
		table_remove(m->series[key->kind & KIND_CLIENT], s);
		return NULL;
	}
	if (!m->first_wall_ns)
		m->first_wall_ns = wall_ns;
	s->start_wall_ns = m->first_wall_ns;
	s->service = service;
	s->next = *list;
	*list = s;
	return s;
}

/* Room for one more of `table`: below the bound, or by letting go of the oldest, if it is idle. */
static bool make_room(struct metrics *m, struct table *table, uint64_t now_ns, uint64_t wall_ns)
{
	struct series *oldest;

	if (table_count(table) < m->options.series)
		return true;
	oldest = table_oldest(table);
	if (now_ns - oldest->last_ns < SERIES_IDLE_NS)
		return false;
	free_series(m, oldest);
	m->first_wall_ns = wall_ns; /* what begins from here on must not claim the time before */
	return true;
}

/* Attributes of a series that stands for all that found no place of their own. */
static struct series *overflow_series(struct metrics *m, struct service *service,
				      const struct series_key *wanted, uint64_t wall_ns)
{
	const struct series_key key = { .service = wanted->service,
					.kind = KIND_OVERFLOW | (wanted->kind & KIND_CLIENT) };

	return make_series(m, service, &key, slice_of(NULL, 0), slice_of(NULL, 0), wall_ns);
}

static struct series *find_series(struct metrics *m, const struct transaction *t,
				  struct service *service, uint64_t now_ns, uint64_t wall_ns)
{
	struct table *table = m->series[t->side == SIDE_CLIENT];
	struct slice template_ =
		t->unobserved & UNOBSERVED_METHOD ? slice_of(NULL, 0) : t->template_;
	char clean[4096], text[PRIVACY_HOST];
	struct slice address = client_address(m, t, text);
	struct series_key key;
	struct series *s;

	make_key(t, template_, address, service ? service->key : 0, &key);
	s = table_find(table, &key);
	if (s)
		return s;
	if (m->options.strict && privacy_path_speaks(template_)) {
		struct buf out = { .at = clean, .room = sizeof(clean), .max = sizeof(clean) };

		privacy_path(template_, &out); /* on the stack: templates are short */
		template_ = out.failed ? SLICE("{other}") : buf_slice(&out);
		make_key(t, template_, address, service ? service->key : 0, &key);
		s = table_find(table, &key);
		if (s)
			return s;
	}
	if (!service || !make_room(m, table, now_ns, wall_ns))
		return overflow_series(m, service, &key, wall_ns);
	s = make_series(m, service, &key, template_, address, wall_ns);
	return s ? s : overflow_series(m, service, &key, wall_ns); /* which may be there already */
}

/* A service that nobody needs any more gives its place to a new one. */
static struct service *find_service(struct metrics *m, struct origin *o, uint64_t now_ns)
{
	struct service *s = resources_service(m->resources, o, now_ns), *oldest;

	if (s)
		return s;
	oldest = resources_next_service(m->resources, NULL);
	if (!oldest || now_ns - oldest->last_ns < SERIES_IDLE_NS)
		return NULL;
	while (oldest->series)
		free_series(m, oldest->series);
	resources_forget(m->resources, oldest);
	return resources_service(m->resources, o, now_ns);
}

void metrics_add(struct metrics *m, const struct transaction *t, uint64_t now_ns, uint64_t wall_ns)
{
	uint32_t tgid = t->unobserved & UNOBSERVED_PROCESS ? 0 : t->tgid;
	struct origin *o = resources_origin(m->resources, tgid, tgid ? t->process : NULL);
	struct service *service = o ? find_service(m, o, now_ns) : NULL;
	struct series *s = find_series(m, t, service, now_ns, wall_ns);
	bool whole = s;

	if (s) {
		s->last_ns = now_ns;
		table_touch(m->series[t->side == SIDE_CLIENT], s);
		m->overflow += (s->key.kind & KIND_OVERFLOW) != 0;
		if (!(t->unobserved & (UNOBSERVED_START | UNOBSERVED_END)))
			whole &= add_sample(m, s, SAMPLE_DURATION, (double)t->duration_ns / 1e9);
		if (!(t->unobserved & UNOBSERVED_REQUEST_SIZE))
			whole &= add_sample(m, s, SAMPLE_REQUEST, (double)t->request.body_bytes);
		if (!(t->unobserved & UNOBSERVED_RESPONSE_SIZE))
			whole &= add_sample(m, s, SAMPLE_RESPONSE, (double)t->response.body_bytes);
	}
	m->lost += !whole;
}

void metrics_active(struct metrics *m, uint32_t tgid, struct slice method, int delta)
{
	struct origin *o = resources_pid(m->resources, tgid);
	unsigned which = otlp_method(method);

	/* One that had begun before us, or whose pid was forgotten since: there are never fewer than none. */
	if (!o || (delta < 0 && !o->active[which]))
		return;
	o->active[which] += delta;
	o->active_seen |= 1u << which;
}

uint64_t metrics_overflow(const struct metrics *m)
{
	return m->overflow;
}

uint64_t metrics_lost(const struct metrics *m)
{
	return m->lost;
}

struct series *metrics_of(const struct metrics *m, const struct service *s)
{
	return s ? s->series : m->orphans;
}

struct resources *metrics_resources(const struct metrics *m)
{
	return m->resources;
}

bool metrics_explicit(const struct metrics *m)
{
	return m->options.explicit_buckets;
}

int metrics_new(const struct metric_options *o, struct resources *r, struct metrics **ret)
{
	struct metrics *m = calloc(1, sizeof(*m));
	int err = m ? 0 : -ENOMEM;

	if (m) {
		m->options = *o;
		m->resources = r;
	}
	for (unsigned side = 0; !err && side < 2; side++)
		err = table_new(sizeof(struct series), sizeof(struct series_key),
				o->series + OVERFLOWS, &m->series[side]);
	if (err) {
		metrics_free(m);
		return err;
	}
	*ret = m;
	return 0;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	for (unsigned side = 0; side < 2; side++) {
		for (void *s; m->series[side] && (s = table_oldest(m->series[side]));)
			free_series(m, s);
		table_free(m->series[side]);
	}
	free(m);
}
