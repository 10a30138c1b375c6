/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.h: facts → OTLP log records with an event name (logs.proto, "Events" of the OpenTelemetry
 * specification), collected into ExportLogsServiceRequest messages of bounded size. Loop thread.
 */
#ifndef PC_EXPORT_EVENT_H
#define PC_EXPORT_EVENT_H

#include "export/otlp.h"

struct events;

int events_new(const struct resources *r, uint32_t batch_bytes, struct events **ret);
void events_free(struct events *e);
/* Of a record that is no session_fact. */
struct event_head {
	const char *name;
	bool warning; /* else information */
	uint64_t time_unix_ns, observed_unix_ns;
	const uint8_t *trace_id, *span_id; /* 16 and 8 octets; NULL: of no span */
};

#define EVENT_ATTRIBUTES 6 /* field of LogRecord */

/* 16 octets in hexadecimal, as an attribute of a record. */
void attr_hex(struct buf *b, struct slice key, const uint8_t id[KEY_BYTES]);
/* `attributes` writes its own, each as field EVENT_ATTRIBUTES. -ENOBUFS as events_add. */
int events_put(struct events *e, const struct event_head *h,
	       void (*attributes)(struct buf *b, const void *ctx), const void *ctx);
/* `observed_unix_ns`: now. -ENOBUFS: take the message first. */
int events_add(struct events *e, const struct session_fact *f, uint64_t observed_unix_ns);
uint32_t events_count(const struct events *e);
size_t events_bytes(const struct events *e);
/* A whole message, the caller's; it begins anew. -ENOMEM: what was collected is lost. */
int events_take(struct events *e, char **ret_message, size_t *ret_len);

#endif
