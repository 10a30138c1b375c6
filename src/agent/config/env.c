/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env.c: OTEL_* variables (and NO_COLOR) → settings, as the OpenTelemetry specification says ("Environment Variable
 * Specification", "OTLP Exporter Configuration"): empty is unset, times are milliseconds, lists are
 * W3C Baggage without metadata. What we cannot use is a warning and ignored, as it asks; a variable
 * that would send data elsewhere than written (gRPC, a bad endpoint) is an error.
 */
#include "agent/config/setting.h"

#include <errno.h>
#include <stdio.h>

struct variable {
	const char *name;
	const char *key;  /* setting that takes its text as it is */
	const char *unit; /* appended to the text */
	void (*apply)(struct config *c, struct problems *p, const struct variable *v,
		      const struct origin *o, const char *text);
};

/* Percent-decoded into `to`; -EINVAL for a bad escape or one that means NUL. */
static int percent_decode(struct slice s, char *to, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		uint64_t byte = (unsigned char)s.at[i];

		if (s.at[i] == '%') {
			if (slice_hex_u64(slice_sub(s, i + 1, i + 3), &byte) || i + 2 >= s.len ||
			    !byte)
				return -EINVAL;
			i += 2;
		}
		if (n + 1 >= room)
			return -ENOBUFS;
		to[n++] = (char)byte;
	}
	to[n] = 0;
	return 0;
}

/* key1=value1,key2=value2 */
/* One after the other, or all (`apply`) once none is bad: the specification discards a list as a whole. */
static bool each_pair(struct config *c, struct problems *p, const struct variable *v,
		      const struct origin *o, const char *text, bool apply)
{
	const struct setting *s = setting_find(v->key);
	struct slice rest = slice_str(text);

	while (rest.at) {
		struct slice value = slice_trim(slice_next(&rest, ','));
		struct slice name = slice_trim(slice_next(&value, '='));
		char key[256];
		char decoded[4096];

		if (!name.len && !value.at)
			continue;
		value = slice_trim(value);
		if (!name.len || !value.at || percent_decode(name, key, sizeof(key)) ||
		    percent_decode(value, decoded, sizeof(decoded)) || s->check_name(key) ||
		    s->check(decoded))
			return false;
		if (apply)
			setting_apply(c, p, s, o, key, decoded);
	}
	return true;
}

static void apply_pairs(struct config *c, struct problems *p, const struct variable *v,
			const struct origin *o, const char *text)
{
	if (each_pair(c, p, v, o, text, false))
		each_pair(c, p, v, o, text, true);
	else
		problem_warn(p, o, "ignored: expected name=value,name=value (percent-coded)");
}

static void apply_protocol(struct config *c, struct problems *p, const struct variable *v,
			   const struct origin *o, const char *text)
{
	if (strcmp(text, "http/protobuf") != 0)
		problem_error(p, o, "\"%.40s\" is not offered: use http/protobuf (port 4318)",
			      text);
}

static void apply_sampler(struct config *c, struct problems *p, const struct variable *v,
			  const struct origin *o, const char *text)
{
	static const char *const known[] = { "always_on",
					     "always_off",
					     "traceidratio",
					     "parentbased_always_on",
					     "parentbased_always_off",
					     "parentbased_traceidratio" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i], text) == 0) {
			setting_apply_key(c, p, "sampling.sampler", o, text);
			return;
		}
	}
	problem_warn(p, o, "ignored: \"%.40s\" is no sampler that we have", text);
}

/* Only the ratio samplers have an argument; for others it is ignored without a word. */
static void apply_sampler_arg(struct config *c, struct problems *p, const struct variable *v,
			      const struct origin *o, const char *text)
{
	double ratio;

	if (c->sampler != NAME_RATIO && c->sampler != NAME_PARENT_RATIO)
		return;
	if (value_ratio(text, &ratio))
		problem_warn(p, o, "ignored: \"%.40s\" is not a number from 0 to 1", text);
	else
		setting_apply_key(c, p, "sampling.ratio", o, text);
}

/* OTEL_TRACES_EXPORTER: we can do otlp and none. otlp asks for the default endpoint if none is named. */
static void apply_exporter(struct config *c, struct problems *p, const struct variable *v,
			   const struct origin *o, const char *text)
{
	if (strcmp(text, "none") == 0) {
		setting_apply_key(c, p, v->key, o, "false");
	} else if (strcmp(text, "otlp") == 0) {
		setting_apply_key(c, p, v->key, o, "true");
		if (!c->otlp_endpoint)
			setting_apply_key(c, p, "otlp.endpoint", o, "http://localhost:4318");
	} else {
		problem_warn(p, o, "ignored: \"%.40s\" is neither otlp nor none", text);
	}
}

static void apply_aggregation(struct config *c, struct problems *p, const struct variable *v,
			      const struct origin *o, const char *text)
{
	if (strcmp(text, "explicit_bucket_histogram") == 0)
		setting_apply_key(c, p, "otlp.explicit_buckets", o, "true");
	else if (strcmp(text, "base2_exponential_bucket_histogram") == 0)
		setting_apply_key(c, p, "otlp.explicit_buckets", o, "false");
	else
		problem_warn(p, o, "ignored: \"%.40s\" is no aggregation that we have", text);
}

static void apply_temporality(struct config *c, struct problems *p, const struct variable *v,
			      const struct origin *o, const char *text)
{
	if (!slice_ieq(slice_str(text), SLICE("cumulative")))
		problem_warn(p, o, "ignored: metrics are cumulative");
}

static void apply_disabled(struct config *c, struct problems *p, const struct variable *v,
			   const struct origin *o, const char *text)
{
	/* only `true` is true, in any case; anything else is false */
	c->otlp_disabled = slice_ieq(slice_str(text), SLICE("true"));
	if (!c->otlp_disabled && !slice_ieq(slice_str(text), SLICE("false")))
		problem_warn(p, o, "\"%.40s\" counts as false", text);
}

/* https://no-color.org: any value but the empty one. What the file says of colours goes before it. */
static void apply_no_color(struct config *c, struct problems *p, const struct variable *v,
			   const struct origin *o, const char *text)
{
	if (c->color == COLOR_AUTO)
		c->color = COLOR_NEVER;
}

static void apply_terminal(struct config *c, struct problems *p, const struct variable *v,
			   const struct origin *o, const char *text)
{
	if (strcmp(text, "dumb") == 0)
		apply_no_color(c, p, v, o, text);
}

/* Times and choices: a bad one is a warning, so it is tried before it is applied. */
static void apply_lenient(struct config *c, struct problems *p, const struct variable *v,
			  const struct origin *o, const char *text)
{
	struct problems tried = { 0 };
	struct origin before = c->origin[setting_find(v->key) - settings];
	char with_unit[128];

	snprintf(with_unit, sizeof(with_unit), "%s%s", text, v->unit ? v->unit : "");
	setting_apply(c, &tried, setting_find(v->key), o, NULL, with_unit);
	if (tried.errors) {
		c->origin[setting_find(v->key) - settings] = before;
		problem_warn(p, o, "ignored: \"%.40s\" is no value for %s", text, v->key);
	}
}

#define EXPORTER(NAME, key)                                                                        \
	{ "OTEL_EXPORTER_OTLP" NAME "_PROTOCOL", NULL, NULL, apply_protocol },                     \
		{ "OTEL_EXPORTER_OTLP" NAME "_ENDPOINT", key ".endpoint" },                        \
		{ "OTEL_EXPORTER_OTLP" NAME "_HEADERS", key ".headers", NULL, apply_pairs },       \
		{ "OTEL_EXPORTER_OTLP" NAME "_TIMEOUT", key ".timeout", "ms", apply_lenient },     \
		{ "OTEL_EXPORTER_OTLP" NAME "_COMPRESSION", key ".compression", NULL,              \
		  apply_lenient },                                                                 \
		{ "OTEL_EXPORTER_OTLP" NAME "_CERTIFICATE", key ".certificate" },                  \
		{ "OTEL_EXPORTER_OTLP" NAME "_CLIENT_CERTIFICATE", key ".client_certificate" },    \
	{                                                                                          \
		"OTEL_EXPORTER_OTLP" NAME "_CLIENT_KEY", key ".client_key"                         \
	}

/* Order matters where one looks at another: sampler before its argument, endpoint before exporter. */
static const struct variable variables[] = {
	{ "OTEL_SDK_DISABLED", NULL, NULL, apply_disabled },
	{ "OTEL_LOG_LEVEL", "log_level", NULL, apply_lenient },
	EXPORTER("", "otlp"),
	EXPORTER("_TRACES", "otlp.traces"),
	EXPORTER("_METRICS", "otlp.metrics"),
	EXPORTER("_LOGS", "otlp.logs"),
	{ "OTEL_TRACES_EXPORTER", "otlp.traces.enabled", NULL, apply_exporter },
	{ "OTEL_METRICS_EXPORTER", "otlp.metrics.enabled", NULL, apply_exporter },
	{ "OTEL_LOGS_EXPORTER", "otlp.logs.enabled", NULL, apply_exporter },
	{ "OTEL_METRIC_EXPORT_INTERVAL", "otlp.metric_interval", "ms", apply_lenient },
	{ "OTEL_BSP_SCHEDULE_DELAY", "otlp.batch_delay", "ms", apply_lenient },
	{ "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", NULL, NULL, apply_temporality },
	{ "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", NULL, NULL,
	  apply_aggregation },
	{ "OTEL_TRACES_SAMPLER", NULL, NULL, apply_sampler },
	{ "OTEL_TRACES_SAMPLER_ARG", NULL, NULL, apply_sampler_arg },
	{ "OTEL_RESOURCE_ATTRIBUTES", "resource", NULL, apply_pairs },
	{ "OTEL_SERVICE_NAME", "service.name" },
	{ "NO_COLOR", NULL, NULL, apply_no_color },
	{ "TERM", NULL, NULL, apply_terminal },
};

static const char *value_of(char *const *environ, const char *name)
{
	size_t len = strlen(name);

	for (; *environ; environ++)
		if (strncmp(*environ, name, len) == 0 && (*environ)[len] == '=')
			return *environ + len + 1;
	return NULL;
}

void env_apply(struct config *c, struct problems *p, char *const *environ)
{
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const struct variable *v = &variables[i];
		const char *text = value_of(environ, v->name);
		struct origin o = { LEVEL_ENVIRONMENT, v->name, 0 };

		if (!text || !*text)
			continue;
		if (v->apply)
			v->apply(c, p, v, &o, text);
		else
			setting_apply_key(c, p, v->key, &o, text);
	}
}
