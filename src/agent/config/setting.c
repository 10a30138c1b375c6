/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setting.c: the one table of what can be configured. The file's keys, the options and the OTEL_*
 * variables all end here, so each has the same type, bounds and message wherever it was written.
 * To add a setting: a field in struct config, a row here, a line in share/parcours.yaml.
 */
#include "agent/config/setting.h"

#include "session/session.h"

#define KIB 1024ull
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define MS  1000000ull
#define S   (1000 * MS)
#define MIN (60 * S)

static const char *const source_names[] = { "auto", "sock", "syscall", NULL };
static const char *const acknowledge_names[] = { "auto", "on", "off", NULL };
static const char *const console_names[] = { "false", "all", "pages", "transactions", NULL };
static const char *const color_names[] = { "auto", "always", "never", NULL };
static const char *const level_names[] = { "error", "warn", "info", "debug", NULL };
static const char *const privacy_names[] = { "audience", "customer", "none", NULL };
static const char *const compression_names[] = { "none", "gzip", NULL };
static const char *const sampler_names[] = {
	"parentbased_always_on",
	"parentbased_always_off",
	"parentbased_traceidratio",
	"always_on",
	"always_off",
	"traceidratio",
	NULL,
};

#define AT(field) .offset = offsetof(struct config, field)
#define SIGNAL(name, field)                                                                        \
	{ name ".enabled", SETTING_BOOL, AT(field.enabled) },                                      \
		{ name ".endpoint", SETTING_STRING, AT(field.endpoint), .check = check_url },      \
		SIGNAL_COMMON(name, field)
#define SIGNAL_COMMON(name, field)                                                                 \
	{ name ".headers", SETTING_MAP,		AT(field.headers),                                 \
	  .joint = ": ",   .check = check_line, .check_name = check_header },                      \
		{ name ".timeout", SETTING_DURATION, AT(field.timeout_ns), MS, 10 * MIN },         \
		{ name ".compression", SETTING_CHOICE, AT(field.compression),                      \
		  .names = compression_names },                                                    \
		{ name ".certificate", SETTING_STRING, AT(field.certificate),                      \
		  .check = check_absolute },                                                       \
		{ name ".client_certificate", SETTING_STRING, AT(field.client_certificate),        \
		  .check = check_absolute },                                                       \
	{                                                                                          \
		name ".client_key", SETTING_STRING, AT(field.client_key), .check = check_absolute  \
	}

const struct setting settings[] = {
	{ "scope.pids", SETTING_NUMBERS, AT(pids), 1, 4194304 },
	{ "scope.executables", SETTING_STRINGS, AT(executables), .check = check_glob },
	{ "scope.ports", SETTING_NUMBERS, AT(ports), 1, 65535 },
	{ "scope.cgroups", SETTING_STRINGS, AT(cgroups), .check = check_absolute },

	{ "capture.source", SETTING_CHOICE, AT(source), .names = source_names },
	{ "capture.ring_size", SETTING_BYTES, AT(ring_bytes), 64 * KIB, CAPTURE_RING_MAX,
	  .power_of_two = true },
	{ "capture.control_ring_size", SETTING_BYTES, AT(control_ring_bytes), 64 * KIB, 256 * MIB,
	  .power_of_two = true },
	{ "capture.data_rings", SETTING_NUMBER, AT(data_rings), 1, CAPTURE_DATA_RINGS },
	{ "capture.connections", SETTING_NUMBER, AT(capture_connections), 1024, 4194304 },
	{ "capture.acknowledged", SETTING_CHOICE, AT(acknowledged), .names = acknowledge_names },
	{ "duration", SETTING_DURATION, AT(duration_ns), MS, 366ull * 24 * 60 * MIN },

	{ "output.ndjson", SETTING_STRING, AT(ndjson) },
	{ "output.console", SETTING_CHOICE, AT(console), .names = console_names, .truth = true },
	{ "output.color", SETTING_CHOICE, AT(color), .names = color_names },
	{ "output.stats_interval", SETTING_DURATION, AT(stats_interval_ns), 100 * MS, 60 * MIN },
	{ "status_socket", SETTING_STRING, AT(status_socket), .check = check_absolute },
	{ "log_level", SETTING_CHOICE, AT(log_level), .names = level_names },

	{ "otlp.endpoint", SETTING_STRING, AT(otlp_endpoint), .check = check_base_url },
	SIGNAL_COMMON("otlp", otlp),
	SIGNAL("otlp.traces", traces),
	SIGNAL("otlp.metrics", metrics),
	SIGNAL("otlp.logs", logs),
	{ "otlp.metric_interval", SETTING_DURATION, AT(metric_interval_ns), 100 * MS, 60 * MIN },
	{ "otlp.batch_delay", SETTING_DURATION, AT(batch_delay_ns), MS, MIN },
	{ "otlp.batch_size", SETTING_BYTES, AT(batch_bytes), 4 * KIB, 16 * MIB },
	{ "otlp.queue_size", SETTING_BYTES, AT(queue_bytes), 64 * KIB, GIB },
	{ "otlp.drain", SETTING_DURATION, AT(drain_ns), 0, MIN },
	{ "otlp.explicit_buckets", SETTING_BOOL, AT(explicit_buckets) },

	{ "service.name", SETTING_STRING, AT(service_name), .check = check_line },
	{ "service.names", SETTING_MAP, AT(service_names), .joint = "\n", .check = check_line,
	  .check_name = check_glob },
	{ "resource", SETTING_MAP, AT(resource), .joint = "=", .check = check_line,
	  .check_name = check_attribute },

	{ "sampling.sampler", SETTING_CHOICE, AT(sampler), .names = sampler_names },
	{ "sampling.ratio", SETTING_RATIO, AT(ratio) },
	{ "sampling.keep_errors", SETTING_BOOL, AT(keep_errors) },
	{ "sampling.keep_slow", SETTING_DURATION, AT(keep_slow_ns), 0, 60 * MIN },

	{ "privacy.mode", SETTING_CHOICE, AT(privacy), .names = privacy_names },
	{ "privacy.legal_basis", SETTING_STRING, AT(legal_basis), .check = check_line },
	{ "privacy.query_parameters", SETTING_STRINGS, AT(query_keep), .check = check_line },
	{ "privacy.peer_address", SETTING_BOOL, AT(peer_address) },
	{ "privacy.period", SETTING_DURATION, AT(period_ns), 60 * MIN, 396ull * 24 * 60 * MIN },
	{ "privacy.opt_out_cookie", SETTING_STRING, AT(opt_out_cookie), .check = check_line },

	{ "client.trusted_proxies", SETTING_STRINGS, AT(trusted_proxies), .check = check_network },

	{ "site.name", SETTING_STRING, AT(site_name), .check = check_line },
	{ "site.hosts", SETTING_MAP, AT(site_hosts), .joint = "=", .check = check_line,
	  .check_name = check_host },

	{ "session.timeout", SETTING_DURATION, AT(session_timeout_ns), S, 24 * 60 * MIN },
	{ "session.keys", SETTING_STRINGS, AT(session_keys), .check = check_evidence },
	{ "session.carts", SETTING_STRINGS, AT(session_carts), .check = check_evidence },
	{ "session.virtual_pages", SETTING_STRINGS, AT(virtual_pages), .check = check_line },
	{ "segment.touchpoints", SETTING_MAP, AT(touchpoints), .joint = "\n",
	  .check = check_touchpoint, .check_name = segment_check },
	{ "segment.classes", SETTING_MAP, AT(classes), .joint = "\n", .check = check_class,
	  .check_name = segment_check },
	{ "segment.robots", SETTING_STRINGS, AT(robots), .check = check_agent_word },
	{ "segment.monitors", SETTING_STRINGS, AT(monitors), .check = check_agent_word },
	{ "segment.applications", SETTING_STRINGS, AT(applications), .check = check_agent_word },
	{ "rules", SETTING_STRINGS, AT(rules), .check = check_file },
	{ "geo.file", SETTING_STRING, AT(geo_file), .check = check_absolute },
	{ "session.secret_file", SETTING_STRING, AT(secret_file), .check = check_absolute },
	{ "state_directory", SETTING_STRING, AT(state_directory), .check = check_absolute },

	{ "limits.connections", SETTING_NUMBER, AT(connections), 16, 4194304 },
	{ "limits.stream_memory", SETTING_BYTES, AT(stream_bytes), MIB, 4 * GIB },
	{ "limits.transactions", SETTING_NUMBER, AT(transactions), 16, 4194304 },
	{ "limits.transaction_memory", SETTING_BYTES, AT(transaction_bytes), MIB, 4 * GIB },
	{ "limits.path_templates", SETTING_NUMBER, AT(templates), 1, 1000000 },
	{ "limits.processes", SETTING_NUMBER, AT(processes), 16, 4194304 },
	{ "limits.visits", SETTING_NUMBER, AT(visits), 16, 4194304 },
	{ "limits.carts", SETTING_NUMBER, AT(carts), 16, 4194304 },
	{ "limits.cart_memory", SETTING_BYTES, AT(cart_bytes), MIB, 4 * GIB },
	{ "limits.metric_series", SETTING_NUMBER, AT(metric_series), 16, 1000000 },

	{ "user", SETTING_STRING, AT(user), .check = check_line },
};

#define COUNT (sizeof(settings) / sizeof(settings[0]))

const uint32_t setting_count = COUNT;
_Static_assert(COUNT <= CONFIG_SETTINGS, "struct config has an origin for each row");
_Static_assert(CONSOLE_OFF == 0 && CONSOLE_ALL == 1 && CONSOLE_PAGES == 2 &&
		       CONSOLE_TRANSACTIONS == 3,
	       "console_names follow enum console_show");
_Static_assert(offsetof(struct config, privacy) && PRIVACY_AUDIENCE == 0 && PRIVACY_NONE == 2,
	       "privacy_names follow enum privacy");

const struct setting *setting_find(const char *key)
{
	size_t len = strlen(key);

	for (uint32_t i = 0; i < COUNT; i++) {
		const char *k = settings[i].key;

		if (strncmp(k, key, len) == 0 && (!k[len] || strcmp(k + len, ".mode") == 0))
			return &settings[i];
	}
	return NULL;
}

bool setting_is_group(const char *path)
{
	size_t len = strlen(path);

	for (uint32_t i = 0; i < COUNT; i++)
		if (strncmp(settings[i].key, path, len) == 0 && settings[i].key[len] == '.')
			return true;
	return false;
}
