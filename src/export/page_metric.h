/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page_metric.h: page views and visits → metrics that only add up, so that agents may be summed:
 *
 *   parcours.page.views             {page}  sum
 *   parcours.page.errors            {page}  sum        answered with an error, reset or timed out
 *   parcours.page.failed_resources  {resource}  sum
 *   parcours.page.failed_calls      {request}  sum     of servers, to other services
 *   parcours.page.apdex             {page}  sum        by parcours.apdex
 *   parcours.page.lived_time        s       exponential histogram
 *   parcours.visits                 {visit}  sum
 *
 * A series of pages is one site, page group and the part of the segment with the fewest values (and whether
 * the client is behind a proxy); of visits one site and a larger part of it (segment.h). Their number is
 * bounded; what comes above is in one series with otel.metric.overflow = true. Loop thread.
 */
#ifndef PC_EXPORT_PAGE_METRIC_H
#define PC_EXPORT_PAGE_METRIC_H

#include "export/otlp.h"

struct page_metrics;

int page_metrics_new(uint32_t series, struct page_metrics **ret);
void page_metrics_free(struct page_metrics *m);
/* A fact as fact.h has it: FACT_PAGE, or FACT_END of a visit. */
void page_metrics_add(struct page_metrics *m, const struct session_fact *f, uint64_t wall_ns);
/* All of them as Metric messages of a ScopeMetrics (field 2); returns how many points. */
uint32_t page_metrics_encode(const struct page_metrics *m, uint64_t wall_ns, struct buf *out);
uint64_t page_metrics_overflow(const struct page_metrics *m);
uint64_t page_metrics_lost(const struct page_metrics *m); /* found no memory at all */

#endif
