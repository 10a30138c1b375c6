/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_config.c: the configuration: every error with its line, precedence of file, environment and
 * command line, the OTEL_* variables, sizes and durations, globs.
 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/config/setting.h"
#include "base/buf.h"

struct said {
	struct buf text;
	struct problems problems;
};

static void collect(void *ctx, bool error, const char *line)
{
	struct said *s = ctx;

	buf_add_str(&s->text, error ? "E " : "W ");
	buf_add_str(&s->text, line);
	buf_add_byte(&s->text, '\n');
}

static void said_init(struct said *s)
{
	buf_init(&s->text, 1 << 20);
	s->problems = (struct problems){ .ctx = s, .say = collect };
}

static bool says(struct said *s, const char *what)
{
	bool found = slice_find_slice(buf_slice(&s->text), slice_str(what)) >= 0;

	if (!found)
		print_error("\"%s\" is not in:\n%.*s\n", what, (int)s->text.len, s->text.at);
	return found;
}

static struct config *load(struct said *s, const char *text, char *const *env,
			   const struct option_value *options, uint32_t count)
{
	struct config_sources from = { .file = text ? "f.yaml" : NULL,
				       .text = slice_str(text),
				       .environ = env,
				       .options = options,
				       .option_count = count };
	struct config *c = NULL;

	config_load(&from, &s->problems, &c);
	return c;
}

static struct config *good(const char *text, char *const *env)
{
	struct said s;
	struct config *c;

	said_init(&s);
	c = load(&s, text, env, NULL, 0);
	if (!c)
		print_error("%.*s\n", (int)s.text.len, s.text.at);
	assert_non_null(c);
	buf_done(&s.text);
	return c;
}

static void all_errors_have_their_line(void **state)
{
	struct said s;

	said_init(&s);
	assert_null(load(&s,
			 "scope:\n"			/* 1 */
			 "  prots: [80]\n"		/* 2 */
			 "  ports: [80, 70000, x]\n"	/* 3 */
			 "capture:\n"			/* 4 */
			 "  ring_size: 5000000\n"	/* 5 */
			 "  source: kprobe\n"		/* 6 */
			 "output: yes\n"		/* 7 */
			 "otlp:\n"			/* 8 */
			 "  endpoint: localhost:4318\n" /* 9 */
			 "  timeout: soon\n"		/* 10 */
			 "sampling: {ratio: 1.5}\n"	/* 11 */
			 "privacy: {mode: [a]}\n"	/* 12 */
			 "user: a\n"			/* 13 */
			 "user: b\n"			/* 14 */
			 "ports: [1]\n",		/* 15 */
			 NULL, NULL, 0));
	assert_int_equal(s.problems.errors, 12);
	assert_true(says(&s, "E f.yaml:2: unknown key scope.prots: did you mean scope.ports?"));
	assert_true(says(&s, "E f.yaml:3: scope.ports: 70000 is not between 1 and 65535"));
	assert_true(says(&s, "E f.yaml:3: scope.ports: \"x\" is not a whole number"));
	assert_true(says(&s, "E f.yaml:5: capture.ring_size: 5000000 is not a power of two"));
	assert_true(says(&s, "E f.yaml:6: capture.source: \"kprobe\" is none of: auto, sock"));
	assert_true(says(&s, "E f.yaml:7: output: expected a group of keys, found a value"));
	assert_true(says(&s, "E f.yaml:9: otlp.endpoint: \"localhost:4318\" must begin with http"));
	assert_true(says(&s, "E f.yaml:10: otlp.timeout: \"soon\" is not a duration"));
	assert_true(says(&s, "E f.yaml:11: sampling.ratio: \"1.5\" is not a number from 0 to 1"));
	assert_true(says(&s, "E f.yaml:12: privacy.mode: expected one value, found a list"));
	assert_true(says(&s, "E f.yaml:14: user: given twice"));
	assert_true(says(&s, "E f.yaml:15: unknown key ports: did you mean scope.ports?"));
	buf_done(&s.text);
}

static void syntax(void **state)
{
	static const char *const bad[] = {
		"scope: [1,\n",
		"scope:\n\t- 1\n",
		"a: 'x\n",
		"- 1\n",
		"just words\n",
		"a: *nowhere\n",
		"user: a\n---\nb: c\n",
		"a: \xff\xff\n",
		"? [a]\n: b\n",
		"user: \"a\\0b\"\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct said s;

		said_init(&s);
		assert_null(load(&s, bad[i], NULL, NULL, 0));
		assert_true(s.problems.errors > 0);
		assert_true(says(&s, "f.yaml:"));
		buf_done(&s.text);
	}
}

static void aliases_do_not_explode(void **state)
{
	struct said s;

	said_init(&s);
	assert_null(load(&s,
			 "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a]\n"
			 "scope: &s {executables: *b, scope: *s}\n",
			 NULL, NULL, 0));
	assert_true(s.problems.errors < 100);
	buf_done(&s.text);
}

static void empty_is_default(void **state)
{
	static const char *const empty[] = { "",	 "# nothing\n", "---\n",
					     "scope:\n", "~\n",		"otlp: {endpoint: }\n" };

	for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
		struct config *c = good(empty[i], NULL);

		assert_false(config_is_scoped(c));
		assert_u64(c->ring_bytes, 4 << 20);
		assert_null(c->traces.url);
		assert_null(c->metrics.url);
		config_free(c);
	}
}

static void every_kind_of_value(void **state)
{
	struct config *c = good("scope: {pids: [1, 22], ports: 80, executables: nginx}\n"
				"capture: {ring_size: 8MiB, data_rings: 2}\n"
				"duration: 1.5\n"
				"privacy: customer\n"
				"service:\n  name: shop\n  names: {'/opt/*': a, nginx: edge}\n"
				"resource: {deployment.environment.name: test}\n"
				"sampling: {sampler: traceidratio, ratio: 25%, keep_slow: 250ms}\n"
				"output: {console: yes}\n",
				NULL);

	assert_int_equal(c->pids.count, 2);
	assert_int_equal(c->pids.at[1], 22);
	assert_int_equal(c->ports.at[0], 80);
	assert_string_equal(c->executables.at[0], "nginx");
	assert_null(c->executables.at[1]);
	assert_u64(c->ring_bytes, 8 << 20);
	assert_u64(c->duration_ns, 1500000000);
	assert_int_equal(c->privacy, PRIVACY_CUSTOMER);
	assert_string_equal(c->service_name, "shop");
	assert_string_equal(c->service_names.at[1], "nginx\nedge");
	assert_string_equal(c->resource.at[0], "deployment.environment.name=test");
	assert_int_equal(c->sampler, NAME_RATIO);
	assert_true(c->ratio == 0.25);
	assert_u64(c->keep_slow_ns, 250000000);
	assert_true(c->console);
	config_free(c);
}

static void precedence(void **state)
{
	static char *const env[] = { "OTEL_SERVICE_NAME=from-env",
				     "OTEL_EXPORTER_OTLP_ENDPOINT=http://env:4318/base/",
				     "OTEL_RESOURCE_ATTRIBUTES=a=env,c=env%20c",
				     "OTEL_EXPORTER_OTLP_TIMEOUT=2500", NULL };
	static const struct option_value options[] = {
		{ "otlp.endpoint", "--otlp-endpoint", "http://option:1" },
		{ "scope.ports", "--port", "81" },
		{ "scope.ports", "--port", "82" },
	};
	static const char file[] = "service: {name: from-file}\nscope: {ports: [1, 2, 3]}\n"
				   "resource: {a: file, b: file}\n"
				   "otlp: {endpoint: 'http://file:1', timeout: 9s, "
				   "metrics: {endpoint: 'http://own/x'}}\n";
	struct said s;
	struct config *c = good(file, NULL);

	assert_string_equal(c->traces.url, "http://file:1/v1/traces");
	assert_string_equal(c->metrics.url, "http://own/x");
	config_free(c);
	c = good(file, env);
	assert_string_equal(c->service_name, "from-env");
	assert_string_equal(c->traces.url, "http://env:4318/base/v1/traces");
	assert_u64(c->traces.timeout_ns, 2500000000);
	assert_int_equal(c->resource.count, 3);
	assert_string_equal(c->resource.at[0], "a=env");
	assert_string_equal(c->resource.at[1], "b=file");
	assert_string_equal(c->resource.at[2], "c=env c");
	assert_int_equal(c->ports.count, 3);
	config_free(c);
	said_init(&s);
	c = load(&s, file, env, options, 3);
	assert_non_null(c);
	assert_string_equal(c->traces.url, "http://option:1/v1/traces");
	assert_int_equal(c->ports.count, 2);
	assert_int_equal(c->ports.at[0], 81);
	config_free(c);
	buf_done(&s.text);
}

static void options_name_themselves(void **state)
{
	static const struct option_value options[] = { { "scope.ports", "--port", "0" } };
	struct said s;

	said_init(&s);
	assert_null(load(&s, NULL, NULL, options, 1));
	assert_true(says(&s, "E --port: scope.ports: 0 is not between 1 and 65535"));
	buf_done(&s.text);
}

static void variables_of_the_specification(void **state)
{
	static char *const env[] = {
		"OTEL_TRACES_EXPORTER=otlp",
		"OTEL_METRICS_EXPORTER=none",
		"OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20x%2Cy , k=v",
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS=only=traces",
		"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION=none",
		"OTEL_EXPORTER_OTLP_METRICS_TIMEOUT=100",
		"OTEL_TRACES_SAMPLER=parentbased_traceidratio",
		"OTEL_TRACES_SAMPLER_ARG=0.125",
		"OTEL_METRIC_EXPORT_INTERVAL=5000",
		"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=explicit_bucket_"
		"histogram",
		"OTEL_SDK_DISABLED=",
		NULL
	};
	static char *const disabled[] = { "OTEL_SDK_DISABLED=TRUE",
					  "OTEL_EXPORTER_OTLP_ENDPOINT=http://x", NULL };
	struct config *c = good(NULL, env);

	assert_string_equal(c->traces.url, "http://localhost:4318/v1/traces");
	assert_null(c->metrics.url);
	assert_string_equal(c->metrics.headers.at[0], "Authorization: Bearer x,y");
	assert_string_equal(c->metrics.headers.at[1], "k: v");
	assert_int_equal(c->traces.headers.count, 1);
	assert_string_equal(c->traces.headers.at[0], "only: traces");
	assert_int_equal(c->traces.compression, 0);
	assert_int_equal(c->metrics.compression, 1);
	assert_u64(c->metrics.timeout_ns, 100000000);
	assert_u64(c->traces.timeout_ns, 10000000000);
	assert_int_equal(c->sampler, NAME_PARENT_RATIO);
	assert_true(c->ratio == 0.125);
	assert_u64(c->metric_interval_ns, 5000000000);
	assert_true(c->explicit_buckets);
	config_free(c);
	c = good(NULL, disabled);
	assert_null(c->traces.url);
	config_free(c);
}

/* The specification: what cannot be understood is warned of and ignored. */
static void variables_that_are_ignored(void **state)
{
	static char *const env[] = {
		"OTEL_TRACES_SAMPLER=jaeger_remote", "OTEL_METRIC_EXPORT_INTERVAL=soon",
		"OTEL_RESOURCE_ATTRIBUTES=a=%zz",    "OTEL_EXPORTER_OTLP_COMPRESSION=zstd",
		"OTEL_TRACES_EXPORTER=console",	     NULL
	};
	static char *const grpc[] = { "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", NULL };
	struct said s;
	struct config *c;

	said_init(&s);
	c = load(&s, NULL, env, NULL, 0);
	assert_non_null(c);
	assert_int_equal(s.problems.warnings, 5);
	assert_true(says(&s, "W OTEL_METRIC_EXPORT_INTERVAL: ignored: \"soon\""));
	assert_int_equal(c->sampler, NAME_PARENT_ON);
	assert_u64(c->metric_interval_ns, 60000000000);
	assert_int_equal(c->resource.count, 0);
	assert_int_equal(c->traces.compression, 1);
	config_free(c);
	/* but what would go elsewhere than written is an error */
	assert_null(load(&s, NULL, grpc, NULL, 0));
	assert_true(says(&s, "E OTEL_EXPORTER_OTLP_PROTOCOL: \"grpc\" is not offered"));
	buf_done(&s.text);
}

static void judged_as_a_whole(void **state)
{
	struct said s;

	said_init(&s);
	assert_null(load(&s, "output: {ndjson: '-', console: true}\n", NULL, NULL, 0));
	assert_true(says(&s, "f.yaml:1: output.ndjson: \"-\" and the console view"));
	assert_null(load(&s, "otlp: {client_key: /k}\n", NULL, NULL, 0));
	assert_true(says(&s, "client_certificate and client_key go together"));
	assert_null(load(&s, "scope: {cgroups: [/1,/2,/3,/4,/5,/6,/7,/8,/9]}\n", NULL, NULL, 0));
	assert_true(says(&s, "at most 8 are possible"));
	buf_done(&s.text);
}

static void numbers_with_units(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes, ns; /* 0 = refused */
	} cases[] = {
		{ "1", 1, 1000000000 },
		{ "4MiB", 4 << 20, 0 },
		{ "64K", 65536, 0 },
		{ "1kB", 1000, 0 },
		{ "1.5GiB", 1610612736, 0 },
		{ "10s", 0, 10000000000 },
		{ "250 ms", 0, 250000000 },
		{ "0.5m", 0, 30000000000 },
		{ "1h", 0, 3600000000000 },
		{ "2d", 0, 172800000000000 },
		{ "99999999999999999999", 0, 0 },
		{ "18446744073709551615", 0, 0 },
		{ "", 0, 0 },
		{ "-1", 0, 0 },
		{ "1e3", 0, 0 },
		{ ".5", 0, 0 },
		{ "1.", 0, 0 },
		{ "0x10", 0, 0 },
		{ "1 x", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t v = 0;

		assert_int_equal(value_bytes(cases[i].text, &v) == 0, cases[i].bytes != 0);
		assert_u64(v, cases[i].bytes);
		v = 0;
		assert_int_equal(value_duration(cases[i].text, &v) == 0, cases[i].ns != 0);
		assert_u64(v, cases[i].ns);
	}
}

static void globs(void **state)
{
	assert_true(config_glob("nginx", "/usr/sbin/nginx"));
	assert_true(config_glob("python3*", "/usr/bin/python3.11"));
	assert_true(config_glob("/opt/*/bin/node", "/opt/a/b/bin/node"));
	assert_false(config_glob("nginx", "/opt/nginx/bin/other"));
	assert_false(config_glob("/usr/bin/nginx", "/usr/sbin/nginx"));
	assert_false(config_glob("*", ""));
	assert_true(config_glob("*", "curl"));
}

static void the_example_is_good(void **state)
{
	struct buf text;
	struct said s;
	struct config *c;
	char *slash;

	buf_init(&text, 1 << 20);
	/* run from the top of the checkout, as make does */
	assert_int_equal(config_read("share/parcours.yaml", &text), 0);
	buf_add_byte(&text, 0);
	said_init(&s);
	c = load(&s, text.at, NULL, NULL, 0);
	assert_non_null(c);
	assert_int_equal(s.problems.warnings, 0);
	/* it names every setting */
	for (uint32_t i = 0; i < setting_count; i++) {
		slash = strrchr(settings[i].key, '.');
		slash = slash ? slash + 1 : (char *)settings[i].key;
		if (!strstr(text.at, slash))
			print_error("%s is missing\n", settings[i].key);
		assert_non_null(strstr(text.at, slash));
	}
	config_free(c);
	buf_done(&text);
	buf_done(&s.text);
}

static void the_example_tells_the_defaults(void **state)
{
	struct buf text;
	struct config *from_file, *from_nothing = good("", NULL);

	buf_init(&text, 1 << 20);
	assert_int_equal(config_read("share/parcours.yaml", &text), 0);
	buf_add_byte(&text, 0);
	from_file = good(text.at, NULL);
	for (uint32_t i = 0; i < setting_count; i++) {
		const struct setting *s = &settings[i];
		size_t bytes = s->type == SETTING_BOOL	   ? sizeof(bool)
			       : s->type == SETTING_CHOICE ? sizeof(int)
							   : 8;

		if (memcmp((char *)from_file + s->offset, (char *)from_nothing + s->offset, bytes))
			print_error("%s differs\n", s->key);
		assert_memory_equal((char *)from_file + s->offset, (char *)from_nothing + s->offset,
				    bytes);
	}
	config_free(from_file);
	config_free(from_nothing);
	buf_done(&text);
}

UNIT_MAIN(T(all_errors_have_their_line), T(syntax), T(aliases_do_not_explode), T(empty_is_default),
	  T(every_kind_of_value), T(precedence), T(options_name_themselves),
	  T(variables_of_the_specification), T(variables_that_are_ignored), T(judged_as_a_whole),
	  T(numbers_with_units), T(globs), T(the_example_is_good),
	  T(the_example_tells_the_defaults))
