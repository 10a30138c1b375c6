/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metric.c: counts of what could not be reached, see reach.h. A series is one attribute set; their number is
 * bounded, and what comes above is in one series with otel.metric.overflow = true. How many wait at listeners
 * that accept nobody is kept by listener; what changes is added to the series of the port.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "export/point.h"
#include "export/reach.h"
#include "export/semconv.h"

#define LISTENERS 4096

enum count { FAILURES, OVERFLOWED, REFUSED, RESET, UNACCEPTED, WAITING, COUNTS };

struct reach_series {
	uint64_t key; /* hash of what follows */
	enum count which;
	bool overflow;
	uint16_t port;
	uint8_t server_len, site_len, exe_len;
	char server[ATTEMPT_NAME], site[UINT8_MAX], exe[PC_COMM * 4];
	const char *error, *phase;     /* static text */
	uint64_t start_wall_ns, value; /* of WAITING modulo 2^64, as it goes down too */
};

struct standing {
	uint64_t listener; /* key */
	uint32_t waiting;
};

struct reach_metrics {
	struct table *table, *standing;
	uint32_t bound;
	uint64_t overflow, lost;
};

/* ---- series ---- */

static uint8_t copy(char *to, size_t room, struct slice from)
{
	size_t len = from.len < room ? from.len : room;

	if (len)
		memcpy(to, from.at, len);
	return (uint8_t)len;
}

static void describe(struct reach_series *s, enum count which, const struct reach_view *v)
{
	const struct attempt *a = v->attempt;

	*s = (struct reach_series){ .which = which, .port = v->server_port };
	if (which != FAILURES) {
		if (which !=
		    WAITING) /* what comes must go from the same series, whatever is learned */
			s->site_len = copy(s->site, sizeof(s->site), v->site);
		return;
	}
	s->server_len = copy(s->server, sizeof(s->server), v->server);
	s->error = a->error;
	s->phase = attempt_phase_name(a->phase);
	if (v->process)
		s->exe_len =
			copy(s->exe, sizeof(s->exe), slice_str(semconv_executable(v->process)));
}

static uint64_t key_of(const struct reach_series *s)
{
	uint64_t h = slice_hash(slice_of(s->server, s->server_len), s->which + 1);

	h = h * 31 + slice_hash(slice_of(s->site, s->site_len), s->port);
	h = h * 31 + slice_hash(slice_of(s->exe, s->exe_len), 3);
	h = h * 31 + slice_hash(slice_str(s->error), 4);
	h = h * 31 + slice_hash(slice_str(s->phase), 5);
	return h | 1ull << 63; /* below are those of the overflow */
}

static struct reach_series *find(struct reach_metrics *m, const struct reach_series *like,
				 uint64_t wall_ns)
{
	uint64_t key = like->overflow ? like->which : key_of(like);
	bool fresh = false;
	struct reach_series *s = table_find(m->table, &key);

	if (s || (!like->overflow && table_count(m->table) >= m->bound))
		return s;
	s = table_add(m->table, &key, &fresh);
	if (!s)
		return NULL;
	*s = *like;
	s->key = key;
	s->start_wall_ns = wall_ns;
	return s;
}

static void add(struct reach_metrics *m, enum count which, uint64_t more,
		const struct reach_view *v, uint64_t wall_ns)
{
	const struct reach_series overflow = { .which = which, .overflow = true };
	struct reach_series like, *s;

	if (!more)
		return;
	describe(&like, which, v);
	s = find(m, &like, wall_ns);
	if (!s) {
		m->overflow += more;
		s = find(m, &overflow, wall_ns);
	}
	if (s)
		s->value += more;
	else
		m->lost += more;
}

/* What waits at a listener is another number now. */
static void stand(struct reach_metrics *m, const struct reach_view *v, uint64_t wall_ns)
{
	const struct listener_news *n = v->news;
	uint32_t waiting = n->still_ns ? n->waiting : 0;
	struct standing *s = table_find(m->standing, &n->listener_id);

	if (!s && waiting)
		s = table_add(m->standing, &n->listener_id, NULL);
	if (!s) {
		m->lost += waiting != 0;
		return;
	}
	add(m, WAITING, (uint64_t)waiting - s->waiting, v, wall_ns);
	s->waiting = waiting;
	if (!waiting)
		table_remove(m->standing, s);
}

void reach_metrics_add(struct reach_metrics *m, const struct reach_view *v, uint64_t wall_ns)
{
	const struct attempt *a = v->attempt;

	if (v->news) {
		add(m, OVERFLOWED, v->news->dropped, v, wall_ns);
		add(m, REFUSED, v->news->refused, v, wall_ns);
		stand(m, v, wall_ns);
	} else if (a->client) {
		add(m, FAILURES, 1, v, wall_ns);
	} else {
		add(m, a->phase == ATTEMPT_ACCEPT ? UNACCEPTED : RESET, 1, v, wall_ns);
	}
}

/* ---- encoding ---- */

static void put_text(struct buf *b, struct slice key, const char *at, size_t len)
{
	if (len)
		attr_text(b, POINT_NUMBER, key, slice_of(at, len));
}

static void put_attributes(struct buf *b, const struct reach_series *s)
{
	if (s->overflow) {
		attr_bool(b, POINT_NUMBER, SLICE("otel.metric.overflow"), true);
		return;
	}
	put_text(b, SLICE("server.address"), s->server, s->server_len);
	if (s->port)
		attr_int(b, POINT_NUMBER, SLICE("server.port"), s->port);
	put_text(b, SLICE("parcours.site"), s->site, s->site_len);
	if (s->phase)
		attr_text(b, POINT_NUMBER, SLICE("parcours.connection.phase"), slice_str(s->phase));
	if (s->error)
		attr_text(b, POINT_NUMBER, SLICE("error.type"), slice_str(s->error));
	put_text(b, SLICE("process.executable.name"), s->exe, s->exe_len);
}

static const struct reach_series *next_of(const struct reach_metrics *m,
					  const struct reach_series *s, enum count which)
{
	s = s ? table_newer(m->table, (void *)s) : table_oldest(m->table);
	while (s && s->which != which)
		s = table_newer(m->table, (void *)s);
	return s;
}

static uint32_t put_count(const struct reach_metrics *m, enum count which, uint64_t wall_ns,
			  struct buf *b)
{
	static const struct slice names[] = { SLICE("parcours.client.connection.failures"),
					      SLICE("parcours.server.connections.overflowed"),
					      SLICE("parcours.server.connections.refused"),
					      SLICE("parcours.server.connections.reset"),
					      SLICE("parcours.server.connections.unaccepted"),
					      SLICE("parcours.server.connections.waiting") },
				  units[] = { SLICE("{connection}"), SLICE("{attempt}"),
					      SLICE("{attempt}"),    SLICE("{connection}"),
					      SLICE("{connection}"), SLICE("{connection}") };
	const struct reach_series *s = next_of(m, NULL, which);
	uint32_t points = 0;
	struct metric_open sum;
	size_t mark;

	if (!s)
		return 0;
	sum = metric_begin(b, METRIC_SUM, names[which], slice_of(NULL, 0), units[which]);
	for (; s; s = next_of(m, s, which), points++) {
		mark = point_begin(b);
		put_attributes(b, s);
		point_number(b, s->start_wall_ns, wall_ns, s->value);
		pb_end(b, mark);
	}
	metric_end(b, sum, which != WAITING);
	return points;
}

uint32_t reach_metrics_encode(const struct reach_metrics *m, uint64_t wall_ns, struct buf *out)
{
	uint32_t points = 0;

	for (unsigned c = 0; c < COUNTS; c++)
		points += put_count(m, (enum count)c, wall_ns, out);
	return points;
}

uint64_t reach_metrics_overflow(const struct reach_metrics *m)
{
	return m->overflow;
}

uint64_t reach_metrics_lost(const struct reach_metrics *m)
{
	return m->lost;
}

/* ---- life ---- */

int reach_metrics_new(uint32_t series, struct reach_metrics **ret)
{
	struct reach_metrics *m = calloc(1, sizeof(*m));
	int err;

	if (!m)
		return -ENOMEM;
	m->bound = series;
	err = table_new(sizeof(struct reach_series), sizeof(uint64_t), series + COUNTS, &m->table);
	err = err ?: table_new(sizeof(struct standing), sizeof(uint64_t), LISTENERS, &m->standing);
	if (err) {
		reach_metrics_free(m);
		return err;
	}
	*ret = m;
	return 0;
}

void reach_metrics_free(struct reach_metrics *m)
{
	if (!m)
		return;
	table_free(m->table);
	table_free(m->standing);
	free(m);
}
