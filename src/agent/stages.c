/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages.c: settings → what each stage is told. The only place where the names of the configuration
 * and those of the stages meet.
 */
#include "agent/wire.h"

struct stream_limits stream_limits_of(const struct config *c)
{
	return (struct stream_limits){
		.connections = (uint32_t)c->connections,
		.buffer_bytes = 132 * 1024,
		.total_bytes = c->stream_bytes,
		.pending = 64,
		.reorder_ns = 200000000,
		.grace_ns = 1000000000,
		.idle_ns = 600000000000,
	};
}

struct txn_limits txn_limits_of(const struct config *c)
{
	return (struct txn_limits){
		.open = (uint32_t)c->transactions,
		.bytes = c->transaction_bytes,
		.patience_ns = 10000000000,
		.hold_ns =
			800000000, /* a caller that waits for a processor; seen within a second all the same */
		.templates = (uint32_t)c->templates,
		.processes = { .processes = (uint32_t)c->processes, .keep_ns = 30000000000 },
	};
}

struct trace_options trace_options_of(const struct config *c, const uint8_t secret[16])
{
	static const struct {
		enum sampler sampler;
		bool parent_based;
	} samplers[] = {
		[NAME_PARENT_ON] = { SAMPLER_ON, true },
		[NAME_PARENT_OFF] = { SAMPLER_OFF, true },
		[NAME_PARENT_RATIO] = { SAMPLER_RATIO, true },
		[NAME_ON] = { SAMPLER_ON, false },
		[NAME_OFF] = { SAMPLER_OFF, false },
		[NAME_RATIO] = { SAMPLER_RATIO, false },
	};
	struct trace_options o = {
		.sampler = samplers[c->sampler].sampler,
		.parent_based = samplers[c->sampler].parent_based,
		.ratio = c->ratio,
		.keep_errors = c->keep_errors,
		.keep_slow_ns = c->keep_slow_ns,
		.connections = (uint32_t)c->connections,
		.in_order = c->data_rings == 1,
	};

	memcpy(o.secret, secret, sizeof(o.secret));
	return o;
}

#define DAY_S 86400u

/* How long a key may live where the operator did not say: a day, which the audience mode is made for; the
 * longest that the CNIL's exemption knows where visitors are to be known again. */
static uint64_t period_s(const struct config *c)
{
	if (c->period_ns)
		return c->period_ns / 1000000000;
	return c->privacy == PRIVACY_CUSTOMER ? 396 * DAY_S : DAY_S;
}

struct session_options session_options_of(const struct config *c,
					  const uint8_t secret[SECRET_BYTES])
{
	struct session_options o = {
		.timeout_ns = c->session_timeout_ns,
		.cap_ns = DAY_S * 1000000000ull,
		.period_s = period_s(c),
		.opt_out = c->privacy != PRIVACY_NONE,
		.visits = (uint32_t)c->visits,
		.sites = 1024,
		.site = c->site_name,
		.site_hosts = c->site_hosts.at,
		.keys = c->session_keys.at,
		.carts = c->session_carts.at,
		.opt_out_cookie = c->opt_out_cookie,
		.virtual_pages = c->virtual_pages.at,
		.trusted_proxies = c->trusted_proxies.at,
		.touchpoints = c->touchpoints.at,
		.classes = c->classes.at,
		.robots = c->robots.at,
		.monitors = c->monitors.at,
		.applications = c->applications.at,
	};

	memcpy(o.secret, secret, sizeof(o.secret));
	return o;
}

struct journey_options journey_options_of(const struct config *c,
					  const uint8_t secret[SECRET_BYTES])
{
	struct journey_options o = {
		.definitions = &c->definitions,
		.carts = (uint32_t)c->carts,
		.bytes = c->cart_bytes,
	};

	memcpy(o.secret, secret, sizeof(o.secret));
	return o;
}

static struct otlp_signal signal_of(const struct signal_config *s)
{
	return (struct otlp_signal){
		.url = s->url,
		.headers = s->headers.at,
		.certificate = s->certificate,
		.client_certificate = s->client_certificate,
		.client_key = s->client_key,
		.timeout_ms = (uint32_t)(s->timeout_ns / 1000000),
		.gzip = s->compression == 1,
	};
}

struct export_options export_options_of(const struct core_outside *out)
{
	const struct config *c = out->config;

	return (struct export_options){
		.privacy = (enum privacy)c->privacy,
		.query_keep = c->query_keep.at,
		.peer_address = c->peer_address,
		.site = c->site_name,
		.site_hosts = c->site_hosts.at,
		.ndjson_fd = out->ndjson_fd,
		.console_fd = out->console_fd,
		.console_show = out->console_show,
		.patient = out->patient,
		.console_color = out->console_color,
		.console_width = out->console_width,
		.otlp = {
			.traces = signal_of(&c->traces),
			.metrics = signal_of(&c->metrics),
			.logs = signal_of(&c->logs),
			.metric_interval_ns = c->metric_interval_ns,
			.batch_delay_ns = c->batch_delay_ns,
			.batch_bytes = (uint32_t)c->batch_bytes,
			.queue_bytes = (uint32_t)c->queue_bytes,
			.explicit_buckets = c->explicit_buckets,
		},
		.resource = c->resource.at,
		.service_name = c->service_name,
		.host_name = out->host_name,
		.host_id = out->host_id,
		.os_version = out->os_version,
		.metric_series = (uint32_t)c->metric_series,
		.stats_interval_ns = c->stats_interval_ns,
		.say = out->say,
		.say_ctx = out->ctx,
	};
}
