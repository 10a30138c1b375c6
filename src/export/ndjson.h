/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ndjson.h: one JSON object a line. Field names are OpenTelemetry's where OpenTelemetry has one;
 * share/schema.md lists them all. A value that was not observed is absent and named in `unobserved`;
 * one that does not exist (the status of a response that never came) is only absent.
 */
#ifndef PC_EXPORT_NDJSON_H
#define PC_EXPORT_NDJSON_H

#include "base/counter.h"
#include "export/privacy.h"

struct ndjson_context {
	int64_t wall_minus_mono_ns;
	const char *service_name; /* overrides what was derived; NULL = per process */
};

/* Appends one line with its '\n'. An overflow shows in out->failed: the caller takes the row back. */
void ndjson_transaction(struct buf *out, const struct ndjson_context *c,
			const struct transaction *t, const struct view *v);
/* FACT_END, FACT_ALIAS and FACT_PAGE, as fact.h has them. */
void ndjson_session(struct buf *out, const struct session_fact *f);
void ndjson_alias(struct buf *out, const struct session_fact *f);
void ndjson_page(struct buf *out, const struct session_fact *f);
void ndjson_stats(struct buf *out, uint64_t wall_ns, bool final, const struct counter *figures,
		  uint32_t count);

#endif
