/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp.h: shared by the encoders of spans, metrics and events (opentelemetry-proto v1, protobuf): attributes,
 * resources, scope. Field numbers are those of common.proto, resource.proto, trace.proto and
 * metrics.proto.
 *
 * Two kinds of resource: a span's is the process (with process.pid), a metric's is the service on
 * this host (without it), so that the workers of one server add up to one series and a restart of a
 * worker does not begin it anew.
 */
#ifndef PC_EXPORT_OTLP_H
#define PC_EXPORT_OTLP_H

#include "base/pb.h"
#include "export/export.h"

#define OTLP_RESOURCE	1 /* in ResourceSpans and ResourceMetrics */
#define OTLP_SCOPE	2 /* repeated ScopeSpans, ScopeMetrics in them */
#define OTLP_SCHEMA_URL 3 /* in all four */

/* KeyValue as field `field` of the message being written. Keys are our own ASCII literals. */
void attr_text(struct buf *b, uint32_t field, struct slice key, struct slice value);
void attr_int(struct buf *b, uint32_t field, struct slice key, int64_t value);
void attr_bool(struct buf *b, uint32_t field, struct slice key, bool value);
void attr_texts(struct buf *b, uint32_t field, struct slice key, const char *const *values,
		unsigned count);

/* Methods that OpenTelemetry knows, and one place for all others. */
#define OTLP_METHODS 11
unsigned otlp_method(struct slice method);     /* index */
struct slice otlp_method_name(unsigned index); /* "_OTHER" for the last */

struct resources;

/* What processes of one service on this host share: the resource of metrics. */
struct service {
	uint64_t key;	     /* hash of the names in it */
	struct buf resource; /* Resource as field OTLP_RESOURCE */
	void *series;	     /* list, series.c */
	uint64_t last_ns;
	int64_t active[OTLP_METHODS]; /* filled while active requests are told */
	uint32_t active_seen;	      /* methods that there ever was one of: zero is told too */
};

/* What is known of a process, by pid. */
struct origin {
	uint32_t tgid;		      /* key */
	int32_t active[OTLP_METHODS]; /* requests that it is serving */
	uint32_t active_seen;	      /* methods that there ever was one of */
	uint64_t start_ns;
	char *text; /* exe, service, container, unit, comm: to see that they changed */
	const char *exe, *service_name, *container, *unit, *comm;
	struct service *service;
	uint64_t service_epoch; /* `service` holds while the set's epoch is this */
	struct buf resource;	/* of its spans, as field OTLP_RESOURCE; empty: not made yet */
	bool strict;		/* made with privacy */
	uint64_t batch;		/* span.c: its group in the batch being made */
	uint32_t group;
};

struct resource_limits {
	uint32_t origins;  /* processes remembered: 4,096 */
	uint32_t services; /* 1,024 */
};

int resources_new(const struct export_options *o, const struct resource_limits *limits,
		  struct resources **ret);
void resources_free(struct resources *r);
/* The origin of a pid, told what is known of the process now (NULL: nothing). NULL: no memory. */
struct origin *resources_origin(struct resources *r, uint32_t tgid, const struct process *p);
/* The same without news of the process. */
struct origin *resources_pid(struct resources *r, uint32_t tgid);
struct slice resources_span(struct resources *r, struct origin *o); /* as field OTLP_RESOURCE */
/* NULL: no place for one more service. `now_ns` is noted as its last use. */
struct service *resources_service(struct resources *r, struct origin *o, uint64_t now_ns);
/* The service that it has by now, not noted as used; NULL: it has none. */
struct service *resources_known(struct resources *r, struct origin *o);
struct slice resources_agent(const struct resources *r); /* the agent's own */
struct slice resources_scope(const struct resources *r); /* InstrumentationScope as field 1 */
/* All services and origins, least recently used first: NULL starts, NULL ends. */
struct service *resources_next_service(struct resources *r, struct service *s);
struct origin *resources_next_origin(struct resources *r, struct origin *o);
/* Removes it; its series must be gone. */
void resources_forget(struct resources *r, struct service *s);

#endif
