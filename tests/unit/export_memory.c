/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is not there, at every place where the metrics ask for some: a transaction is in a series
 * or counted as lost, a point is handed over or counted as lost, and a message that is handed over is
 * whole. malloc and its like are wrapped by the linker (rules.mk).
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "export/metric.h"
#include "sample.h"

#define COUNT 40
#define NEVER UINT64_MAX

static uint64_t asked;		    /* requests for memory so far */
static uint64_t fail_at, fail_many; /* so many fail from that one on */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t n);

static bool is_refused(void)
{
	uint64_t n = asked++;

	return n >= fail_at && n - fail_at < fail_many;
}

void *__wrap_malloc(size_t n)
{
	return is_refused() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return is_refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *at, size_t n)
{
	return is_refused() ? NULL : __real_realloc(at, n);
}

static void refuse(uint64_t at, uint64_t many)
{
	asked = 0;
	fail_at = at;
	fail_many = many;
}

struct taken {
	uint64_t points, requests; /* points told and found; sum of the counts of durations */
	unsigned messages;
};

static struct slice child(struct slice message, uint32_t number)
{
	struct pb_field f;

	while (pb_next(&message, &f) == 1)
		if (f.number == number && f.wire == PB_BYTES)
			return f.bytes;
	return slice_of(NULL, 0);
}

/* Points of one metric; a histogram of durations gives its counts. */
static uint64_t read_metric(struct slice metric, struct taken *t)
{
	bool duration = slice_ends(child(metric, 1), SLICE("request.duration"));
	struct pb_field data, p, f;
	uint64_t points = 0;

	while (pb_next(&metric, &data) == 1) {
		struct slice list = data.bytes;

		if (data.number < 5 || data.wire != PB_BYTES)
			continue;
		while (pb_next(&list, &p) == 1) {
			struct slice point = p.bytes;
			int more;

			if (p.number != 1 || p.wire != PB_BYTES)
				continue;
			points++;
			while ((more = pb_next(&point, &f)) == 1)
				if (duration && f.number == 4)
					t->requests += f.value;
			assert_int_equal(more, 0);
		}
	}
	return points;
}

static void take(void *ctx, char *message, size_t len, uint32_t points)
{
	struct slice all = slice_of(message, len);
	struct taken *t = ctx;
	struct pb_field b, m;
	uint64_t found = 0;
	int more;

	while ((more = pb_next(&all, &b)) == 1) {
		struct slice scope = child(b.bytes, OTLP_SCOPE);

		assert_true(child(b.bytes, OTLP_RESOURCE).len > 0);
		while ((more = pb_next(&scope, &m)) == 1)
			if (m.number == 2)
				found += read_metric(m.bytes, t);
		assert_int_equal(more, 0);
	}
	assert_int_equal(more, 0);
	assert_u64(found, points);
	t->points += points;
	t->messages++;
	free(message);
}

static void feed(struct metrics *m)
{
	for (unsigned i = 0; i < COUNT; i++) {
		struct process p = sample_process;
		struct transaction t = sample();

		p.tgid = 100 + i % 4;
		snprintf(p.service, sizeof(p.service), "service-%u", i % 4);
		t.process = &p;
		t.tgid = p.tgid;
		t.side = i % 3 ? SIDE_SERVER : SIDE_CLIENT;
		t.status = (uint16_t)(200 + i % 5);
		t.response.body_bytes = 0; /* so that only durations ask for memory */
		metrics_add(m, &t, 1000 + i, 2000 + i);
	}
}

/* One run; returns how often memory was asked for. */
static uint64_t run(uint64_t at, uint64_t many, bool fixed, size_t most)
{
	const struct metric_options o = { .series = 12, .explicit_buckets = fixed };
	const struct counter figures[] = { { .name = "parcours.agent.x", .unit = "1" },
					   { .name = "parcours.agent.y", .unit = "1" } };
	const struct export_options options = { .host_name = "h" };
	const struct resource_limits limits = { 10, 10 };
	struct taken taken = { 0 };
	const struct metric_sink sink = { &taken, take };
	struct resources *resources;
	struct metrics *m;
	uint64_t lost, calls, missing;
	long points;

	refuse(NEVER, 0);
	assert_int_equal(resources_new(&options, &limits, &resources), 0);
	assert_int_equal(metrics_new(&o, resources, &m), 0);
	refuse(at, many);
	feed(m);
	calls = asked;
	refuse(NEVER, 0);
	points = metrics_encode(m, NULL, 5000, 6000, 1, figures, 2, most, &sink, &lost);
	assert_u64(lost, 0);
	assert_u64(points, taken.points);
	missing = metrics_lost(m);
	assert_u64(taken.requests + missing, COUNT);
	assert_true(missing || at >= calls || metrics_overflow(m) || many == 1);

	/* and once more, with memory failing in the encoder itself */
	for (uint64_t n = 0; n < 20; n++) {
		struct taken some = { 0 };
		const struct metric_sink to = { &some, take };

		refuse(n, many);
		assert_int_equal(
			metrics_encode(m, NULL, 7000, 8000, 1, figures, 2, most, &to, &lost),
			points);
		assert_u64(some.points + lost, points);
		refuse(NEVER, 0);
	}
	metrics_free(m);
	resources_free(resources);
	return calls;
}

static void nothing_is_lost_uncounted(void **state)
{
	for (unsigned fixed = 0; fixed < 2; fixed++) {
		uint64_t calls = run(NEVER, 0, fixed, SIZE_MAX);

		assert_true(calls > 20);
		for (uint64_t n = 0; n < calls + 3; n++) {
			run(n, 1, fixed, SIZE_MAX);
			run(n, 5, fixed, 1000);
			run(n, NEVER, fixed, 1);
		}
	}
}

/* However many series a service has, a message has about the size that was asked for. */
static void messages_are_small(void **state)
{
	const struct metric_options o = { .series = 2000 };
	const struct export_options options = { .host_name = "h" };
	const struct resource_limits limits = { 10, 10 };
	struct taken taken = { 0 };
	const struct metric_sink sink = { &taken, take };
	struct resources *resources;
	struct metrics *m;
	uint64_t lost;
	long points;

	refuse(NEVER, 0);
	assert_int_equal(resources_new(&options, &limits, &resources), 0);
	assert_int_equal(metrics_new(&o, resources, &m), 0);
	for (unsigned i = 0; i < 500; i++) {
		struct transaction t = sample();

		t.status = (uint16_t)(100 + i);
		metrics_add(m, &t, 1000, 2000);
	}
	points = metrics_encode(m, NULL, 5000, 6000, 1, NULL, 0, 10000, &sink, &lost);
	assert_u64(points, 1500);
	assert_u64(taken.points, 1500);
	assert_u64(taken.requests, 500);
	assert_true(taken.messages > 20);
	metrics_free(m);
	resources_free(resources);
}

UNIT_MAIN(T(nothing_is_lost_uncounted), T(messages_are_small))
