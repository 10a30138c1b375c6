/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export_reload.c: which options can change in place: each one that a stage was made from is changed in
 * turn and must ask for a new stage; equal texts at other addresses must not. Rows go on in another
 * file, and the counts with them.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "export/export.h"

static const char *const headers[] = { "a: b", "c: d", NULL };
static const char *const fewer[] = { "a: b", NULL };
static const char *const resource[] = { "k=v", NULL };

static struct export_options full(void)
{
	const struct otlp_signal signal = { "http://x/v1", headers, "/c", "/d", "/e", 100, true };

	return (struct export_options){
		.privacy = PRIVACY_AUDIENCE,
		.ndjson_fd = -1,
		.console_fd = -1,
		.otlp = { signal, signal, signal, 1, 2, 3, 4, false },
		.resource = resource,
		.service_name = "s",
		.host_name = "h",
		.host_id = "i",
		.os_version = "o",
		.metric_series = 9,
	};
}

static void every_setting_counts(void **state)
{
	struct export_options a = full();
	struct export_options b;

#define CHANGED(statement)                                                                         \
	do {                                                                                       \
		b = full();                                                                        \
		statement;                                                                         \
		assert_false(export_options_same(&a, &b));                                         \
		assert_false(export_options_same(&b, &a));                                         \
	} while (0)
	CHANGED(b.otlp.traces.url = NULL);
	CHANGED(b.otlp.metrics.url = "http://y/v1");
	CHANGED(b.otlp.logs.url = NULL);
	CHANGED(b.otlp.traces.headers = fewer);
	CHANGED(b.otlp.metrics.headers = NULL);
	CHANGED(b.otlp.traces.certificate = "/other");
	CHANGED(b.otlp.traces.client_certificate = NULL);
	CHANGED(b.otlp.traces.client_key = "");
	CHANGED(b.otlp.traces.timeout_ms = 99);
	CHANGED(b.otlp.metrics.gzip = false);
	CHANGED(b.otlp.metric_interval_ns++);
	CHANGED(b.otlp.batch_delay_ns++);
	CHANGED(b.otlp.batch_bytes++);
	CHANGED(b.otlp.queue_bytes++);
	CHANGED(b.otlp.explicit_buckets = true);
	CHANGED(b.resource = NULL);
	CHANGED(b.resource = fewer);
	CHANGED(b.service_name = NULL);
	CHANGED(b.host_name = "H");
	CHANGED(b.host_id = NULL);
	CHANGED(b.os_version = "");
	CHANGED(b.metric_series++);
	CHANGED(b.patient = true);
	CHANGED(b.privacy = PRIVACY_NONE);
	CHANGED(b.peer_address = true);
}

static void texts_are_compared(void **state)
{
	const char *copies[] = { strdup("a: b"), strdup("c: d"), NULL };
	struct export_options a = full();
	struct export_options b = full();

	b.otlp.traces.headers = copies;
	b.otlp.traces.url = strdup("http://x/v1");
	b.privacy = PRIVACY_CUSTOMER;
	b.ndjson_fd = 5;
	b.stats_interval_ns = 7;
	assert_true(export_options_same(&a, &b));
	free((char *)b.otlp.traces.url);
	free((char *)copies[0]);
	free((char *)copies[1]);
}

static off_t size_of(int fd)
{
	return lseek(fd, 0, SEEK_END);
}

static void rows_go_on(void **state)
{
	int one = memfd_create("one", 0);
	int two = memfd_create("two", 0);
	struct export_options o = { .ndjson_fd = one, .console_fd = -1, .stats_interval_ns = 1000 };
	struct export_stats s;
	struct export *x;
	off_t before;

	assert_int_equal(export_new(&o, &x), 0);
	export_tick(x, 1000);
	export_tick(x, 3000);
	before = size_of(one);
	assert_true(before > 0);
	o.ndjson_fd = two;
	assert_int_equal(export_reload(x, &o), 0);
	export_tick(x, 5000);
	export_tick(x, 7000);
	assert_int_equal(size_of(one), before);
	assert_true(size_of(two) > 0);
	o.service_name = "other";
	assert_int_equal(export_reload(x, &o), -EINVAL);
	export_finish(x, 0, true);
	export_stats(x, &s);
	assert_true(s.ndjson_errors == 0 && s.ndjson_dropped == 0);
	export_free(x);
	close(one);
	close(two);
}

/* The stage that a reload replaces tells its figures, but the run goes on. */
static void only_the_end_is_final(void **state)
{
	for (int last = 0; last < 2; last++) {
		int fd = memfd_create("rows", 0);
		struct export_options o = { .ndjson_fd = fd, .console_fd = -1 };
		char text[4096];
		struct export *x;
		ssize_t n;

		assert_int_equal(export_new(&o, &x), 0);
		export_finish(x, 0, last);
		export_free(x);
		n = pread(fd, text, sizeof(text) - 1, 0);
		assert_true(n > 0);
		text[n] = 0;
		assert_non_null(strstr(text, "\"stats\""));
		assert_int_equal(strstr(text, "\"final\":true") != NULL, last);
		close(fd);
	}
}

UNIT_MAIN(T(every_setting_counts), T(texts_are_compared), T(rows_go_on), T(only_the_end_is_final))
