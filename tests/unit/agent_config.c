/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_config.c: the configuration: every error with its line, precedence of file, environment and
 * command line, the OTEL_* variables.
 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "config_kit.h"

static void all_errors_have_their_line(void **state)
{
	struct heard s;

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

/* What could never work is told where it was written, not found out at run time. */
static void refused_at_once(void **state)
{
	static const char *const bad[][2] = {
		{ "scope: {executables: ['']}", "scope.executables: \"\" is empty" },
		{ "scope: {executables: [bin/nginx]}", "\"bin/nginx\" matches nothing" },
		{ "service: {names: {bin/x: y}}", "\"bin/x\" matches nothing" },
		{ "otlp: {endpoint: 'http://h:99999'}", "has no port from 1 to 65535" },
		{ "otlp: {endpoint: 'http://h:0/x'}", "has no port from 1 to 65535" },
		{ "otlp: {endpoint: 'http://h:abc'}", "has no port from 1 to 65535" },
		{ "otlp: {endpoint: 'http://h:'}", "has no port from 1 to 65535" },
		{ "otlp: {endpoint: 'http://[::1'}", "without its closing ]" },
		{ "otlp: {endpoint: 'http://[::1]x'}", "has no port from 1 to 65535" },
		{ "otlp: {endpoint: 'http://:80'}", "names no host" },
		{ "otlp: {endpoint: 'http://u:p@'}", "names no host" },
		{ "otlp: {endpoint: 'http:///x'}", "names no host" },
		{ "otlp: {endpoint: 'http://?a'}", "names no host" },
		{ "otlp: {endpoint: 'http://h?x=1'}", "give each signal its own endpoint" },
		{ "otlp: {endpoint: 'http://h#x'}", "give each signal its own endpoint" },
		{ "otlp: {headers: {'bad name': x}}", "\"bad name\" is no name of a header" },
		{ "otlp: {headers: {'': x}}", "\"\" is no name of a header field" },
		{ "otlp: {headers: {X: \"a\\nb\"}}", "stands for \"X\" has a control" },
		{ "otlp: {endpoint: 'http://u:hunter2@h:x'}", "endpoint: \"...@h:x\" has no port" },
		{ "resource: {a: 1, b: 2, a: 3}", "f.yaml:1: resource.a: given twice" },
		{ "resource: {a=b: 1}", "\"a=b\" is no name of an attribute" },
		{ "resource: {'': 1}", "\"\" is no name of an attribute" },
		{ "site: {hosts: {'a b': x}}", "\"a b\" is no host" },
		{ "client: {trusted_proxies: [10.0.0.1/8]}", "\"10.0.0.1/8\" is no network" },
		{ "client: {trusted_proxies: [proxy.example]}", "is no network (192.0.2.0/24" },
		{ "segment: {classes: {'path:/x': Big Spender}}",
		  "stands for \"path:/x\" is no name of a class" },
		{ "segment: {classes: {'path:x': staff}}", "\"path:x\" is no condition" },
		{ "segment: {touchpoints: {'path:/x': shop}}", "is none of: web, application" },
		{ "segment: {robots: [MyBot]}", "\"MyBot\" is no word of a User-Agent" },
		{ "geo: {file: places.mmdb}", "must be an absolute path" },
		{ "privacy: {period: 5s}", "privacy.period: 5s is not between 1h and 9504h" },
		{ "otlp: {drain: 2m}", "otlp.drain: 2m is not between 0 and 1m" },
		{ "otlp: {queue_size: 1}", "otlp.queue_size: 1 is not between 64KiB and 1GiB" },
	};
	struct config *c;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct heard s;

		said_init(&s);
		assert_null(load(&s, bad[i][0], NULL, NULL, 0));
		assert_true(slice_find_slice(buf_slice(&s.text), SLICE("hunter2")) < 0);
		if (!says(&s, bad[i][1]) || s.problems.errors != 1)
			fail_msg("%s: %.*s", bad[i][0], (int)s.text.len, s.text.at);
		buf_done(&s.text);
	}
	c = good("scope: {executables: ['*/nginx', '[a-c]/x', /usr/bin/*, node]}\n"
		 "otlp: {endpoint: 'https://u:p%40@[2001:db8::1]:4318/otlp/', headers: {X-a_b: "
		 "''}}\n"
		 "resource: {a: ''}\nsite: {hosts: {'2001:db8::1': x}}\n",
		 NULL);
	assert_string_equal(c->logs.url, "https://u:p%40@[2001:db8::1]:4318/otlp/v1/logs");
	config_free(c);
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
		struct heard s;

		said_init(&s);
		assert_null(load(&s, bad[i], NULL, NULL, 0));
		assert_true(s.problems.errors > 0);
		assert_true(says(&s, "f.yaml:"));
		buf_done(&s.text);
	}
}

static void aliases_do_not_explode(void **state)
{
	struct heard s;

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
		assert_u64(c->ring_bytes, 8 << 20);
		assert_null(c->traces.url);
		assert_null(c->metrics.url);
		config_free(c);
	}
}

/* Refused in a file, said on the command line; the other modes need none. */
static void customers_on_a_ground(void **state)
{
	static const struct option_value customer = { "privacy.mode", "--privacy", "customer" };
	struct heard s;
	struct config *c;

	said_init(&s);
	assert_null(load(&s, "privacy:\n  mode: customer\n", NULL, NULL, 0));
	assert_true(says(&s, "E f.yaml:2: privacy customer follows people over months: say on what "
			     "ground in privacy.legal_basis (share/privacy.md)"));
	assert_null(load(&s, "privacy: {mode: customer, legal_basis: ''}\n", NULL, NULL, 0));
	c = load(&s, NULL, NULL, &customer, 1);
	assert_non_null(c);
	assert_true(says(&s, "W --privacy: privacy customer follows people"));
	assert_int_equal(c->resource.count, 0);
	config_free(c);
	buf_done(&s.text);
	c = good("privacy: {mode: audience, legal_basis: none is needed}\n", NULL);
	assert_int_equal(c->resource.count, 0);
	config_free(c);
}

static void every_kind_of_value(void **state)
{
	struct config *c = good("scope: {pids: [1, 22], ports: 80, executables: nginx}\n"
				"capture: {ring_size: 8MiB, data_rings: 2}\n"
				"duration: 1.5\n"
				"privacy: {mode: customer, legal_basis: consent given at log-in}\n"
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
	assert_string_equal(c->resource.at[1],
			    "parcours.privacy.legal_basis=consent given at log-in");
	assert_int_equal(c->sampler, NAME_RATIO);
	assert_true(c->ratio == 0.25);
	assert_u64(c->keep_slow_ns, 250000000);
	assert_int_equal(c->console, CONSOLE_ALL);
	config_free(c);
}

/* It was a switch once and is one still; and a choice. */
static void console_by_word(void **state)
{
	static const struct {
		const char *text;
		enum console_show show;
	} cases[] = { { "output: {console: true}\n", CONSOLE_ALL },
		      { "output: {console: all}\n", CONSOLE_ALL },
		      { "output: {console: pages}\n", CONSOLE_PAGES },
		      { "output: {console: transactions}\n", CONSOLE_TRANSACTIONS },
		      { "output: {console: off}\n", CONSOLE_OFF },
		      { "output: {console: false}\n", CONSOLE_OFF } };
	const struct option_value option = { "output.console", "--console", "true" };
	struct config *c;
	struct heard s;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		c = good(cases[i].text, NULL);
		assert_int_equal(c->console, cases[i].show);
		config_free(c);
	}
	said_init(&s);
	c = load(&s, "output: {console: pages}\n", NULL, &option, 1);
	assert_non_null(c);
	assert_int_equal(c->console, CONSOLE_ALL);
	config_free(c);
	assert_null(load(&s, "output: {console: visits}\n", NULL, NULL, 0));
	assert_true(says(&s, "\"visits\" is none of: false, all, pages, transactions"));
	buf_done(&s.text);
}

/* https://no-color.org: whatever its value, unless it is empty; who asks for colours by name has them. */
static void no_color(void **state)
{
	static const struct {
		char *variable, *text;
		enum color color;
	} cases[] = { { "NO_COLOR=1", NULL, COLOR_NEVER },
		      { "NO_COLOR=0", "output: {color: auto}\n", COLOR_NEVER },
		      { "NO_COLOR=", NULL, COLOR_AUTO },
		      { "NO_COLOR=1", "output: {color: always}\n", COLOR_ALWAYS },
		      { "TERM=dumb", NULL, COLOR_NEVER },
		      { "TERM=xterm", NULL, COLOR_AUTO } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *const env[] = { cases[i].variable, NULL };
		struct config *c = good(cases[i].text, env);

		assert_int_equal(c->color, cases[i].color);
		config_free(c);
	}
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
	struct heard s;
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
	struct heard s;

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
		"OTEL_TRACES_SAMPLER=jaeger_remote",  "OTEL_METRIC_EXPORT_INTERVAL=soon",
		"OTEL_RESOURCE_ATTRIBUTES=k=v,a=%zz", "OTEL_EXPORTER_OTLP_COMPRESSION=zstd",
		"OTEL_TRACES_EXPORTER=console",	      NULL
	};
	static char *const grpc[] = { "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", NULL };
	struct heard s;
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

/* Off is off; who asks for it and for errors in one breath is told how to have them. */
static void off_keeps_nothing(void **state)
{
	static char *const env[] = { "OTEL_TRACES_SAMPLER=always_off", NULL };
	const char *both = "sampling: {sampler: always_off, keep_errors: true, keep_slow: 1s}\n";
	struct config *c;
	struct heard s;

	said_init(&s);
	c = load(&s, both, NULL, NULL, 0);
	assert_non_null(c);
	assert_int_equal(s.problems.warnings, 2);
	assert_true(says(&s, "W f.yaml:1: sampling.keep_errors has no effect with an always_off "
			     "sampler; for nothing else than these spans use traceidratio"));
	config_free(c);
	buf_done(&s.text);
	said_init(&s);
	c = load(&s, "sampling: {keep_errors: true}\n", env, NULL, 0);
	assert_non_null(c);
	assert_int_equal(c->sampler, NAME_OFF);
	assert_int_equal(s.problems.warnings, 0);
	config_free(c);
	buf_done(&s.text);
}

static void judged_as_a_whole(void **state)
{
	struct heard s;

	said_init(&s);
	assert_null(load(&s, "output: {ndjson: '-', console: true}\n", NULL, NULL, 0));
	assert_true(says(&s, "f.yaml:1: output.ndjson: \"-\" and the console view"));
	assert_null(load(&s, "otlp: {client_key: /k}\n", NULL, NULL, 0));
	assert_true(says(&s, "client_certificate and client_key go together"));
	assert_null(load(&s, "scope: {cgroups: [/1,/2,/3,/4,/5,/6,/7,/8,/9]}\n", NULL, NULL, 0));
	assert_true(says(&s, "at most 8 are possible"));
	buf_done(&s.text);
}

static void the_example_is_good(void **state)
{
	struct buf text;
	struct heard s;
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

UNIT_MAIN(T(all_errors_have_their_line), T(refused_at_once), T(syntax), T(aliases_do_not_explode),
	  T(empty_is_default), T(every_kind_of_value), T(customers_on_a_ground), T(console_by_word),
	  T(no_color), T(precedence), T(options_name_themselves), T(variables_of_the_specification),
	  T(variables_that_are_ignored), T(off_keeps_nothing), T(judged_as_a_whole),
	  T(the_example_is_good), T(the_example_tells_the_defaults))
