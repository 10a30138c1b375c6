/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span.h: sampled transactions → ExportTraceServiceRequest. Spans gather in one buffer, in the order
 * in which they come; when the batch is taken they are put together by resource.
 */
#ifndef PC_EXPORT_SPAN_H
#define PC_EXPORT_SPAN_H

#include "export/otlp.h"
#include "export/privacy.h"

struct spans;

int spans_new(struct resources *r, uint32_t batch_bytes, struct spans **ret);
void spans_free(struct spans *s);
/* -ENODATA: not one time of it was observed, so it has no place in a trace. -ENOBUFS: the batch is
 * full, take it first; or the span is larger than any batch. -ENOMEM. */
int spans_add(struct spans *s, const struct transaction *t, const struct view *v,
	      int64_t wall_minus_mono_ns);
uint32_t spans_count(const struct spans *s);
size_t spans_bytes(const struct spans *s);
/* The message, owned by the caller (free); the batch is empty then. -ENOMEM: the batch is dropped. */
int spans_take(struct spans *s, char **ret_message, size_t *ret_len);

#endif
