/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver.c: feeds the real export stage with transactions made by hand, each different, so that the
 * tests of this folder see on the collector's side everything a transaction can be. What it wrote as
 * NDJSON is the truth that the collector's file is compared with. Prints export_stats as JSON at its
 * end; sentences for a person go to standard error.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../unit/sample.h"
#include "base/clock.h"
#include "export/export.h"

struct options {
	struct export_options export;
	uint64_t count, rate, open, templates;
	double seconds, drain, sampled;
	bool plain, quiet;
};

static const struct process processes[] = {
	{ .tgid = 100,
	  .start_ns = 1,
	  .comm = "nginx",
	  .exe = "/usr/sbin/nginx",
	  .service = "front",
	  .unit = "nginx.service" },
	{ .tgid = 101,
	  .start_ns = 2,
	  .comm = "nginx",
	  .exe = "/usr/sbin/nginx",
	  .service = "front",
	  .unit = "nginx.service" },
	{ .tgid = 200,
	  .start_ns = 3,
	  .comm = "java",
	  .exe = "/usr/lib/jvm/bin/java",
	  .service = "back",
	  .container = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
	{ .tgid = 300, .start_ns = 4, .comm = "python3" }, /* the warden has not answered */
};

static void put_request(struct transaction *t, uint64_t i, char text[8192])
{
	static const char *const methods[] = { "GET",	 "POST",     "HEAD", "PUT",
					       "DELETE", "PROPFIND", "get" };
	size_t m = i % (sizeof(methods) / sizeof(methods[0]));
	int n;

	t->method = slice_str(methods[m]);
	t->method_known = m < 5;
	n = snprintf(text, 8192, "/shop/%llu/item", (unsigned long long)i);
	if (i % 17 == 3)
		n += snprintf(text + n, 8192 - (size_t)n, "/\xff\xc3(\x01\"\\caf\xc3\xa9");
	if (i % 101 == 5) {
		memset(text + n, 'p', 5000);
		n += 5000;
	}
	t->path = slice_of(text, (size_t)n);
	t->has_query = i % 3 != 0;
	t->query = i % 6 == 1 ? slice_of("", 0) : SLICE("q=1&page=2");
	t->template_ = i % 29 == 7 ? SLICE("{other}") : SLICE("/shop/{id}/item");
	if (i % 5 == 0)
		t->user_agent = SLICE("curl/7.88.1");
	if (i % 23 == 0)
		t->user_agent = SLICE("caf\xe9 \xff"); /* not UTF-8 */
	if (i % 7 == 0)
		t->client = sample_addr("203.0.113.9", 0), t->client_source = "x-forwarded-for";
	t->request.minor = i % 13 != 0;
	t->request.body_bytes = m == 1 || m == 3 ? i * 37 % 5000 : 0;
	t->request.wire_bytes = 250 + t->request.body_bytes;
}

static void put_response(struct transaction *t, uint64_t i)
{
	static const uint16_t codes[] = { 200, 204, 301, 404, 500, 503, 200, 200 };

	t->status = codes[i % 8];
	t->response.body_bytes = i % 8 == 1 ? 0 : i * 7919 % 1000000;
	t->response.wire_bytes = 180 + t->response.body_bytes;
	t->duration_ns = 1000 + i * 104729 % 2000000000;
	t->first_byte_ns = t->duration_ns / 2;
	t->request_ns = t->duration_ns / 4;
	t->wait_ns = i % 11 * 1000000;
	t->response.first_ns = t->start_ns + t->first_byte_ns;
	t->response.last_ns = t->start_ns + t->duration_ns;
	t->request.first_ns = t->start_ns;
	t->request.last_ns = t->start_ns + t->request_ns;
}

/* Cut ones, and ones of which each part in turn was not seen. */
static void put_outcome(struct transaction *t, uint64_t i)
{
	static const enum outcome cut[] = { OUTCOME_CLIENT_GONE, OUTCOME_SERVER_RESET,
					    OUTCOME_TIMEOUT };

	if (i % 10 == 4) {
		t->outcome = cut[i / 10 % 3];
		t->reset_in = i % 20 == 4;
		return;
	}
	if (i % 10 != 9)
		return;
	t->outcome = OUTCOME_UNOBSERVED;
	t->why = (enum pc_why)(1 + i / 10 % 15);
	t->unobserved = 1u << (i / 10 % 12);
	if (i % 70 == 9)
		t->unobserved |= UNOBSERVED_START | UNOBSERVED_FIRST_BYTE;
	if (t->unobserved & UNOBSERVED_METHOD) {
		t->method = t->path = t->query = t->template_ = t->authority = t->server_name =
			slice_of(NULL, 0);
		t->method_known = t->has_query = t->request.seen = false;
	}
	if (t->unobserved & UNOBSERVED_STATUS) {
		t->status = 0;
		t->response.seen = false;
	}
	if (t->unobserved & UNOBSERVED_START)
		t->request.first_ns = 0;
	if (t->unobserved & UNOBSERVED_END)
		t->response.last_ns = 0;
	if (t->unobserved & UNOBSERVED_FIRST_BYTE)
		t->response.first_ns = 0;
}

static void put_connection(struct transaction *t, uint64_t i)
{
	t->connection_id = 1000 + i / 4;
	t->ordinal = (uint32_t)(i % 4);
	t->flags =
		(t->ordinal ? TXN_REUSED : 0) | (i % 31 == 0 ? TXN_PIPELINED | TXN_UNCERTAIN : 0);
	t->isn_client = (uint32_t)(i * 2654435761u);
	t->exchange_pos = i;
	t->retrans = i % 9 == 0 ? 2 : 0;
	if (i % 12 == 2) {
		t->family = AF_INET6;
		t->local = sample_addr("2001:db8::1", 8080);
		t->remote = sample_addr("2001:db8:1:2::99", 40000);
	} else if (i % 12 == 7) {
		t->family = AF_UNIX;
		t->srtt_us = 0;
		t->connect_ns = 0;
		t->server_port = 0;
		t->unobserved |= UNOBSERVED_EXCHANGE;
	}
	for (unsigned k = 0; k < 8; k++) {
		t->trace_id[k + 8] = (uint8_t)((i + 1) >> (8 * (7 - k)));
		t->span_id[k] = (uint8_t)((i + 1) * 31 >> (8 * (7 - k)));
		t->parent_id[k] = (uint8_t)((i + 1) * 37 >> (8 * (7 - k)));
	}
	t->has_parent = i % 4 == 1;
	if (i % 8 == 1)
		t->tracestate = SLICE("vendor=value,other=1");
}

static void make(struct transaction *t, uint64_t i, uint64_t now, const struct options *o,
		 char text[8192])
{
	const struct process *p = &processes[i % 5 % 4];

	*t = sample();
	t->start_ns = now - 3000000000 + i;
	put_response(t, i);
	if (!o->plain) {
		t->side = i % 3 == 1 ? SIDE_CLIENT : SIDE_SERVER;
		put_request(t, i, text);
		put_connection(t, i);
		put_outcome(t, i);
		t->process = t->unobserved & UNOBSERVED_PROCESS ? NULL : p;
		t->tgid = p->tgid;
	} else {
		t->trace_id[15] = (uint8_t)(i | 1);
		t->span_id[7] = (uint8_t)(i | 1);
	}
	if (o->templates) {
		t->template_ =
			slice_of(text, (size_t)snprintf(text, 8192, "/page/x%llu/y",
							(unsigned long long)(i % o->templates)));
	}
	t->sampled = (double)(i % 1000) < o->sampled * 1000;
}

static void tell(void *ctx, const char *sentence)
{
	fprintf(stderr, "say: %s\n", sentence);
}

static uint32_t figures(void *ctx, struct counter *ret, uint32_t max)
{
	const struct counter ours[] = {
		{ "parcours.agent.events.lost", "{event}", "parcours.event.kind", "data", 5,
		  false },
		{ "parcours.agent.events.lost", "{event}", "parcours.event.kind", "open", 7,
		  false },
		{ "parcours.agent.connections.open", "{connection}", NULL, NULL, 42, true },
	};

	memcpy(ret, ours, sizeof(ours));
	return 3;
}

static void print_stats(const struct export *x, double cpu_ns)
{
	struct export_stats s;

	export_stats(x, &s);
#define S(name) (unsigned long long)s.name
	printf("{\"ndjson_rows\": %llu, \"ndjson_dropped\": %llu, \"ndjson_errors\": %llu, "
	       "\"spans_encoded\": %llu, \"spans_sent\": %llu, \"spans_dropped\": %llu, "
	       "\"spans_rejected\": %llu, \"points_sent\": %llu, \"points_dropped\": %llu, "
	       "\"points_rejected\": %llu, \"requests\": %llu, \"retries\": %llu, \"failures\": "
	       "%llu, "
	       "\"last_status\": %d, \"queue_bytes\": %llu, \"series_overflow\": %llu, "
	       "\"cpu_ns_each\": %.0f}\n",
	       S(ndjson_rows), S(ndjson_dropped), S(ndjson_errors), S(spans_encoded), S(spans_sent),
	       S(spans_dropped), S(spans_rejected), S(points_sent), S(points_dropped),
	       S(points_rejected), S(requests), S(retries), S(failures), s.last_status,
	       S(queue_bytes), S(series_overflow), cpu_ns);
#undef S
}

static double thread_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static volatile sig_atomic_t stopped;

static void on_term(int number)
{
	stopped = 1;
}

/* Pushes all, then ticks on for the time that is left. Returns CPU of this thread a transaction. */
static double drive(struct export *x, const struct options *o)
{
	struct session_sink sink = export_session_sink(x);
	struct connection c = { .tgid = 100 };
	uint64_t begin = clock_mono_ns(), end = begin + (uint64_t)(o->seconds * 1e9);
	double cpu = thread_cpu_ns();
	char text[8192];

	export_tick(x, begin);
	for (uint64_t i = 0; i < o->count && !stopped; i++) {
		struct transaction t;

		make(&t, i, begin, o, text);
		sink.active(sink.ctx, &c, SIDE_SERVER, SLICE("GET"), 1);
		sink.transaction(sink.ctx, &t);
		if (i >= o->open)
			sink.active(sink.ctx, &c, SIDE_SERVER, SLICE("GET"), -1);
		if (i % 1000 == 999)
			export_tick(x, clock_mono_ns());
		if (o->rate && i % o->rate == o->rate - 1)
			usleep(100000);
	}
	cpu = (thread_cpu_ns() - cpu) / (double)(o->count ? o->count : 1);
	while (clock_mono_ns() < end && !stopped) {
		export_tick(x, clock_mono_ns());
		usleep(20000);
	}
	export_tick(x, clock_mono_ns());
	return cpu;
}

enum {
	TRACES = 256,
	METRICS,
	NDJSON,
	CONSOLE,
	COUNT,
	RATE,
	OPEN,
	TEMPLATES,
	SECONDS,
	DRAIN,
	SAMPLED,
	PRIVACY,
	INTERVAL,
	BATCH,
	QUEUE,
	TIMEOUT,
	HEADER,
	PLAIN_BODY,
	EXPLICIT,
	SERIES,
	CACERT,
	RESOURCE,
	SERVICE,
	PLAIN,
	PATIENT
};

static const struct option names[] = {
	{ "traces", 1, 0, TRACES },	{ "metrics", 1, 0, METRICS },
	{ "ndjson", 1, 0, NDJSON },	{ "console", 0, 0, CONSOLE },
	{ "count", 1, 0, COUNT },	{ "rate", 1, 0, RATE },
	{ "open", 1, 0, OPEN },		{ "templates", 1, 0, TEMPLATES },
	{ "seconds", 1, 0, SECONDS },	{ "drain", 1, 0, DRAIN },
	{ "sampled", 1, 0, SAMPLED },	{ "privacy", 1, 0, PRIVACY },
	{ "interval", 1, 0, INTERVAL }, { "batch", 1, 0, BATCH },
	{ "queue", 1, 0, QUEUE },	{ "timeout", 1, 0, TIMEOUT },
	{ "header", 1, 0, HEADER },	{ "plain-body", 0, 0, PLAIN_BODY },
	{ "explicit", 0, 0, EXPLICIT }, { "series", 1, 0, SERIES },
	{ "cacert", 1, 0, CACERT },	{ "resource", 1, 0, RESOURCE },
	{ "service", 1, 0, SERVICE },	{ "plain", 0, 0, PLAIN },
	{ "patient", 0, 0, PATIENT },	{ 0 },
};

static const char *headers[9], *resource[9];

static void add_text(const char *list[9], const char *text)
{
	for (unsigned i = 0; i < 8; i++)
		if (!list[i]) {
			list[i] = text;
			return;
		}
}

static void set_otlp(struct otlp_options *o, int option)
{
	switch (option) {
	case TRACES:
		o->traces.url = optarg;
		break;
	case METRICS:
		o->metrics.url = optarg;
		break;
	case INTERVAL:
		o->metric_interval_ns = strtoull(optarg, NULL, 10) * NS_PER_MS;
		break;
	case BATCH:
		o->batch_bytes = (uint32_t)strtoul(optarg, NULL, 10);
		break;
	case QUEUE:
		o->queue_bytes = (uint32_t)strtoul(optarg, NULL, 10);
		break;
	case TIMEOUT:
		o->traces.timeout_ms = o->metrics.timeout_ms = (uint32_t)strtoul(optarg, NULL, 10);
		break;
	case HEADER:
		add_text(headers, optarg);
		break;
	case PLAIN_BODY:
		o->traces.gzip = o->metrics.gzip = false;
		break;
	case EXPLICIT:
		o->explicit_buckets = true;
		break;
	case CACERT:
		o->traces.certificate = o->metrics.certificate = optarg;
		break;
	}
}

static bool parse(int argc, char **argv, struct options *o)
{
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case '?':
			return false;
		case NDJSON:
			o->export.ndjson_fd = open(optarg, O_WRONLY | O_CREAT | O_APPEND, 0644);
			break;
		case CONSOLE:
			o->export.console_fd = 1;
			break;
		case COUNT:
			o->count = strtoull(optarg, NULL, 10);
			break;
		case RATE:
			o->rate = strtoull(optarg, NULL, 10);
			break;
		case OPEN:
			o->open = strtoull(optarg, NULL, 10);
			break;
		case TEMPLATES:
			o->templates = strtoull(optarg, NULL, 10);
			break;
		case SECONDS:
			o->seconds = strtod(optarg, NULL);
			break;
		case DRAIN:
			o->drain = strtod(optarg, NULL);
			break;
		case SAMPLED:
			o->sampled = strtod(optarg, NULL);
			break;
		case PRIVACY:
			o->export.privacy =
				strcmp(optarg, "none") ? PRIVACY_AUDIENCE : PRIVACY_NONE;
			break;
		case SERIES:
			o->export.metric_series = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case RESOURCE:
			add_text(resource, optarg);
			break;
		case SERVICE:
			o->export.service_name = optarg;
			break;
		case PLAIN:
			o->plain = true;
			break;
		case PATIENT:
			o->export.patient = true;
			break;
		default:
			set_otlp(&o->export.otlp, option);
		}
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct options o = {
		.export = { .privacy = PRIVACY_NONE,
			    .ndjson_fd = -1,
			    .console_fd = -1,
			    .host_name = "host-of-test",
			    .host_id = "0123456789abcdef",
			    .say = tell,
			    .stats_interval_ns = 1 * NS_PER_S,
			    .otlp = { .batch_delay_ns = 500 * NS_PER_MS,
				      .metric_interval_ns = 60 * NS_PER_S,
				      .traces.gzip = true,
				      .metrics.gzip = true } },
		.count = 1000,
		.drain = 5,
		.sampled = 1,
	};
	struct export *x;
	double cpu;
	int err;

	if (!parse(argc, argv, &o))
		return 2;
	o.export.otlp.traces.headers = o.export.otlp.metrics.headers = headers;
	o.export.resource = resource;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, on_term);
	err = export_new(&o.export, &x);
	if (err) {
		fprintf(stderr, "export_new: %s\n", strerror(-err));
		return 1;
	}
	export_clock(x, clock_wall_minus_mono_ns());
	export_figures(x, NULL, figures);
	cpu = drive(x, &o);
	export_finish(x, (uint64_t)(o.drain * 1e9), true);
	print_stats(x, cpu);
	export_free(x);
	return 0;
}
