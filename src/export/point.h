/* SPDX-License-Identifier: Apache-2.0 */
/*
 * point.h: one Metric of metrics.proto and its points, cumulative, for all that encode some: metric/ and
 * reach/. Field numbers and their order are here; names, units and attributes are the caller's.
 *
 *   m = metric_begin(b, METRIC_SUM, …)
 *     mark = point_begin(b); attributes (field POINT_NUMBER); point_number(…); pb_end(b, mark)   each point
 *   metric_end(b, m, monotonic)
 */
#ifndef PC_EXPORT_POINT_H
#define PC_EXPORT_POINT_H

#include "base/hist.h"
#include "export/otlp.h"

/* Field of Metric. */
enum metric_kind {
	METRIC_GAUGE = 5,
	METRIC_SUM = 7,
	METRIC_HISTOGRAM = 9,
	METRIC_EXPONENTIAL = 10,
};

/* Field of the attributes, by kind of point. */
enum { POINT_EXPONENTIAL = 1, POINT_NUMBER = 7, POINT_HISTOGRAM = 9 };

struct metric_open {
	enum metric_kind kind;
	size_t metric, data;
};

/* description: may be empty. */
struct metric_open metric_begin(struct buf *b, enum metric_kind kind, struct slice name,
				struct slice description, struct slice unit);
/* monotonic: of a sum that never goes down. */
void metric_end(struct buf *b, struct metric_open m, bool monotonic);

static inline size_t point_begin(struct buf *b)
{
	return pb_begin(b, 1);
}

/* Of any point: a start that lies ahead (the clock was set) is now. */
void point_times(struct buf *b, uint64_t start_wall_ns, uint64_t wall_ns);
/* start_wall_ns 0: none, of a gauge. */
void point_number(struct buf *b, uint64_t start_wall_ns, uint64_t wall_ns, uint64_t value);
/* Of a POINT_EXPONENTIAL, but for attributes and times. */
void point_hist(struct buf *b, const struct hist *h, uint64_t count, uint64_t zeros);

#endif
