/* SPDX-License-Identifier: Apache-2.0 */
/*
 * semconv.h: what the OpenTelemetry semantic conventions for HTTP (stable) make of a transaction;
 * shared by NDJSON, spans and metrics so that they cannot differ.
 */
#ifndef PC_EXPORT_SEMCONV_H
#define PC_EXPORT_SEMCONV_H

#include "txn/txn.h"

#define SEMCONV_SCHEMA_URL "https://opentelemetry.io/schemas/1.37.0"

/* "Span status": 5xx is an error of both sides, 4xx of the client's only. */
static inline bool semconv_status_is_error(const struct transaction *t)
{
	return !(t->unobserved & UNOBSERVED_STATUS) &&
	       t->status >= (t->side == SIDE_CLIENT ? 400 : 500);
}

/* "or an error occurred preventing … from sending/receiving the request/response fully". What was
 * not observed is no error. */
static inline bool semconv_cut(const struct transaction *t)
{
	return t->outcome == OUTCOME_CLIENT_GONE || t->outcome == OUTCOME_SERVER_RESET ||
	       t->outcome == OUTCOME_TIMEOUT;
}

/* error.type; empty = no error. `text` keeps a status code as digits. */
static inline struct slice semconv_error_type(const struct transaction *t, char text[4])
{
	if (semconv_status_is_error(t)) {
		uint16_t s = t->status > 999 ? 999 : t->status;

		text[0] = (char)('0' + s / 100);
		text[1] = (char)('0' + s / 10 % 10);
		text[2] = (char)('0' + s % 10);
		return slice_of(text, 3);
	}
	return semconv_cut(t) ? slice_str(outcome_name(t->outcome)) : slice_of(NULL, 0);
}

/* Of the executable's path; the kernel's 15-octet name where that is not known. */
static inline const char *semconv_executable(const struct process *p)
{
	const char *slash = strrchr(p->exe, '/');

	return slash && slash[1] ? slash + 1 : p->exe[0] ? p->exe : p->comm;
}

static inline const char *semconv_version(const struct txn_message *m)
{
	return m->major != 1 ? NULL : m->minor == 0 ? "1.0" : "1.1";
}

#endif
