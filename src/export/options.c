/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c: what options mean that were not given, and whether others may take their place while all goes on
 * (export_reload). Pure.
 */
#include "export/privacy.h"
#include "export/queue.h"

/* What a caller left at zero gets the value that the header names. A service's name may also stand
 * among the resource attributes; OTEL_SERVICE_NAME wins. */
void export_set_defaults(struct export_options *o)
{
	for (const char *const *a = o->resource; a && *a && !o->service_name; a++)
		if (slice_starts(slice_str(*a), SLICE("service.name=")))
			o->service_name = *a + strlen("service.name=");
	struct otlp_signal *signal[] = { &o->otlp.traces, &o->otlp.metrics, &o->otlp.logs };

	for (unsigned i = 0; i < SIGNALS; i++)
		if (!signal[i]->timeout_ms)
			signal[i]->timeout_ms = 10000;
	if (!o->otlp.batch_bytes)
		o->otlp.batch_bytes = 512u << 10;
	if (!o->otlp.queue_bytes)
		o->otlp.queue_bytes = 16u << 20;
	if (!o->metric_series)
		o->metric_series = 2000;
}

/* A setting that is missing here would silently not be reloaded, so tests/unit/export_reload.c changes
 * each in turn. */
static bool same(const char *a, const char *b)
{
	return slice_eq(slice_str(a), slice_str(b)) && !a == !b;
}

static bool same_list(const char *const *a, const char *const *b)
{
	while (a && *a && b && *b && same(*a, *b))
		a++, b++;
	return !(a && *a) && !(b && *b);
}

static bool same_signal(const struct otlp_signal *a, const struct otlp_signal *b)
{
	return same(a->url, b->url) && same_list(a->headers, b->headers) &&
	       same(a->certificate, b->certificate) &&
	       same(a->client_certificate, b->client_certificate) &&
	       same(a->client_key, b->client_key) && a->timeout_ms == b->timeout_ms &&
	       a->gzip == b->gzip;
}

static bool same_otlp(const struct otlp_options *a, const struct otlp_options *b)
{
	return same_signal(&a->traces, &b->traces) && same_signal(&a->metrics, &b->metrics) &&
	       same_signal(&a->logs, &b->logs) && a->metric_interval_ns == b->metric_interval_ns &&
	       a->batch_delay_ns == b->batch_delay_ns && a->batch_bytes == b->batch_bytes &&
	       a->queue_bytes == b->queue_bytes && a->explicit_buckets == b->explicit_buckets;
}

bool export_options_same(const struct export_options *a, const struct export_options *b)
{
	/* metrics withhold more where privacy is on; whether it is cannot change between two points */
	if (a->otlp.metrics.url && ((a->privacy == PRIVACY_NONE) != (b->privacy == PRIVACY_NONE) ||
				    privacy_truncates(a->privacy, a->peer_address) !=
					    privacy_truncates(b->privacy, b->peer_address)))
		return false;
	return same_otlp(&a->otlp, &b->otlp) && same_list(a->resource, b->resource) &&
	       same(a->service_name, b->service_name) && same(a->host_name, b->host_name) &&
	       same(a->host_id, b->host_id) && same(a->os_version, b->os_version) &&
	       a->metric_series == b->metric_series && a->patient == b->patient;
}
