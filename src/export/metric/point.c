/* SPDX-License-Identifier: Apache-2.0 */
/*
 * point.c: see point.h. Stateless.
 */
#include "export/point.h"

#define CUMULATIVE 2

struct metric_open metric_begin(struct buf *b, enum metric_kind kind, struct slice name,
				struct slice description, struct slice unit)
{
	struct metric_open m = { .kind = kind, .metric = pb_begin(b, 2) };

	pb_bytes(b, 1, name);
	if (description.len)
		pb_bytes(b, 2, description);
	pb_bytes(b, 3, unit);
	m.data = pb_begin(b, kind);
	return m;
}

void metric_end(struct buf *b, struct metric_open m, bool monotonic)
{
	if (m.kind != METRIC_GAUGE)
		pb_u64(b, 2, CUMULATIVE);
	if (m.kind == METRIC_SUM && monotonic)
		pb_u64(b, 3, 1);
	pb_end(b, m.data);
	pb_end(b, m.metric);
}

void point_times(struct buf *b, uint64_t start_wall_ns, uint64_t wall_ns)
{
	pb_fixed64(b, 2, start_wall_ns < wall_ns ? start_wall_ns : wall_ns);
	pb_fixed64(b, 3, wall_ns);
}

void point_number(struct buf *b, uint64_t start_wall_ns, uint64_t wall_ns, uint64_t value)
{
	if (start_wall_ns)
		point_times(b, start_wall_ns, wall_ns);
	else
		pb_fixed64(b, 3, wall_ns);
	pb_fixed64(b, 6, value);
}

/* Fields 4 to 13 of ExponentialHistogramDataPoint. */
void point_hist(struct buf *b, const struct hist *h, uint64_t count, uint64_t zeros)
{
	size_t buckets, packed;

	pb_fixed64(b, 4, count);
	pb_double(b, 5, h->sum);
	pb_sint(b, 6, h->scale);
	pb_fixed64(b, 7, zeros);
	if (h->used) {
		buckets = pb_begin(b, 8);
		pb_sint(b, 1, h->offset);
		packed = pb_begin(b, 2);
		for (uint32_t i = 0; i < h->used; i++)
			pb_varint(b, h->bucket[i]);
		pb_end(b, packed);
		pb_end(b, buckets);
	}
	pb_double(b, 12, h->min);
	pb_double(b, 13, h->max);
}
