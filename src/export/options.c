/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c: see options.h. A setting that is missing here would silently not be reloaded, so the test
 * (tests/unit/export_reload.c) changes each in turn.
 */
#include "export/options.h"

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

bool options_need_no_restart(const struct export_options *a, const struct export_options *b)
{
	/* metrics withhold more where privacy is on; whether it is cannot change between two points */
	if (a->otlp.metrics.url && (a->privacy == PRIVACY_NONE) != (b->privacy == PRIVACY_NONE))
		return false;
	return same_otlp(&a->otlp, &b->otlp) && same_list(a->resource, b->resource) &&
	       same(a->service_name, b->service_name) && same(a->host_name, b->host_name) &&
	       same(a->host_id, b->host_id) && same(a->os_version, b->os_version) &&
	       a->metric_series == b->metric_series && a->patient == b->patient;
}
