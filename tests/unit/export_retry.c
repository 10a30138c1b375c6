/* SPDX-License-Identifier: Apache-2.0 */
/* Answers, the schedule of retries with times of our own, Retry-After, partial success; the queue's
 * bounds and order. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "export/queue.h"

static void answers(void **state)
{
	for (long status = 0; status < 700; status++) {
		enum answer want = ANSWER_REFUSED;

		if (status == 0 || status == 429 || status == 502 || status == 503 || status == 504)
			want = ANSWER_RETRY;
		else if (status >= 200 && status < 300)
			want = ANSWER_TAKEN;
		assert_int_equal(retry_answer(status), want);
	}
}

/* Doubling from one second to thirty, each ± half of itself, and no attempt after five minutes. */
static void schedule(void **state)
{
	static const uint32_t chances[] = { 0, 1u << 31, UINT32_MAX };

	for (unsigned c = 0; c < 3; c++) {
		struct retry r = { 0 };
		uint64_t now = 1000 * NS_PER_S, begin = now, next, base = NS_PER_S;
		unsigned attempts = 0;

		while (retry_next(&r, now, -1, chances[c], &next)) {
			uint64_t pause = next - now;

			assert_in_range(pause, base / 2, base / 2 + base);
			if (chances[c] == 0)
				assert_u64(pause, base / 2);
			assert_true(next - begin <= RETRY_GIVE_UP);
			now = next + 7; /* the attempt takes a moment */
			base = base * 2 > RETRY_MOST_NS ? RETRY_MOST_NS : base * 2;
			attempts++;
		}
		assert_in_range(attempts, 10, 30);
		assert_true(next - begin > RETRY_GIVE_UP);
	}
}

static void asked_for(void **state)
{
	struct retry r = { 0 };
	uint64_t next;

	/* "Now", again and again, must not become a busy loop. */
	assert_true(retry_next(&r, 100, 0, 0, &next));
	assert_u64(next, 100 + RETRY_FIRST_NS / 2);
	assert_true(retry_next(&r, 200, 17 * (int64_t)NS_PER_S, 5, &next));
	assert_u64(next, 200 + 17 * NS_PER_S);
	assert_false(retry_next(&r, 300, (int64_t)RETRY_GIVE_UP, 5, &next));
	assert_u64(next, 300 + RETRY_GIVE_UP); /* nothing else is sent before that either */
}

static void retry_after_values(void **state)
{
	const int64_t wall = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT: the example of RFC 9110 */
	static const struct {
		const char *in;
		int64_t seconds; /* -1: neither */
	} cases[] = {
		{ "0", 0 },
		{ "120", 120 },
		{ " 7 ", 7 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
		{ "Sun, 06 Nov 1994 08:50:37 GMT", 60 },
		{ "Sunday, 06-Nov-94 08:50:37 GMT", 60 },
		{ "Sun Nov  6 08:50:37 1994", 60 },
		{ "Sun, 06 Nov 1994 07:00:00 GMT", 0 },	    /* gone by */
		{ "Sun, 06 Nov 2044 07:00:00 GMT", 86400 }, /* nobody means that */
		{ "99999999999999999999999", 86400 },
		{ "86401", 86400 },
		{ "soon", -1 },
		{ "-1", -1 },
		{ "1.5", -1 },
		{ "", -1 },
		{ "Sun, 06 Nov 1994 08:50:37 GMT and then some more text that is far too long for "
		  "it",
		  -1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t got = retry_after_ns(slice_str(cases[i].in), wall);
		int64_t want = cases[i].seconds < 0 ? -1 : cases[i].seconds * (int64_t)NS_PER_S;

		if (got != want)
			fail_msg("%s: %lld", cases[i].in, (long long)got);
	}
	assert_int_equal(retry_after_ns(SLICE("1\0"
					      "2"),
					wall),
			 -1);
}

static void partial_successes(void **state)
{
	struct partial_success p;

	assert_true(retry_partial_success(SLICE(""), &p));
	assert_u64(p.rejected, 0);
	assert_true(retry_partial_success(SLICE("\x0a\x00"), &p)); /* present but empty */
	assert_u64(p.rejected, 0);
	assert_int_equal(p.message.len, 0);
	assert_true(retry_partial_success(SLICE("\x0a\x06\x08\x05\x12\x02no"), &p));
	assert_u64(p.rejected, 5);
	assert_slice(p.message, "no");
	assert_true(
		retry_partial_success(SLICE("\x10\x01\x0a\x02\x08\x05"), &p)); /* a field to come */
	assert_u64(p.rejected, 5);
	assert_false(retry_partial_success(SLICE("<html>"), &p));
	assert_false(retry_partial_success(SLICE("{}"), &p));
	assert_false(retry_partial_success(SLICE("\x0a\x05\x08"), &p));
	assert_false(retry_partial_success(SLICE("\x0a\x02\x08\x80"), &p));
	assert_slice(retry_status_message(SLICE("\x08\x03\x12\x03why")), "why");
	assert_int_equal(retry_status_message(SLICE("\x08\x03")).len, 0);
	assert_int_equal(retry_status_message(SLICE("Bad Request")).len, 0);
}

static void push(struct queue *q, enum signal_kind signal, size_t len, uint32_t count)
{
	char *at = malloc(len);

	memset(at, 'x', len);
	queue_push(q, signal, at, len, count);
}

static void queue_is_bounded(void **state)
{
	uint64_t dropped[SIGNALS];
	struct message *m;
	struct queue q;

	assert_int_equal(queue_init(&q, 1000, false), 0);
	push(&q, SIGNAL_TRACES, 400, 1);
	push(&q, SIGNAL_TRACES, 400, 2);
	assert_int_equal(queue_bytes(&q, dropped), 800);
	push(&q, SIGNAL_TRACES, 400, 4); /* the oldest makes room */
	assert_int_equal(queue_bytes(&q, dropped), 800);
	assert_u64(dropped[SIGNAL_TRACES], 1);
	push(&q, SIGNAL_TRACES, 1001, 8); /* larger than all: nobody makes room for it */
	assert_int_equal(queue_bytes(&q, dropped), 800);
	assert_u64(dropped[SIGNAL_TRACES], 9);

	m = queue_take(&q);
	assert_int_equal(m->count, 2);
	push(&q, SIGNAL_METRICS, 600,
	     16); /* takes the place of the waiting one, not of that being sent */
	queue_bytes(&q, dropped);
	assert_u64(dropped[SIGNAL_TRACES], 13);
	assert_u64(dropped[SIGNAL_METRICS], 0);
	push(&q, SIGNAL_METRICS, 700, 32); /* beside that being sent there is not so much room */
	assert_int_equal(queue_bytes(&q, dropped), 400);
	assert_u64(dropped[SIGNAL_METRICS], 48);
	queue_settle(&q, m, false);
	assert_int_equal(queue_bytes(&q, dropped), 0);
	assert_u64(dropped[SIGNAL_TRACES], 13);
	queue_done(&q);
}

static void lanes_take_turns(void **state)
{
	unsigned traces = 0, metrics = 0;
	struct queue q;

	queue_init(&q, 100000, false);
	for (int i = 0; i < 10; i++)
		push(&q, SIGNAL_TRACES, 10, 1);
	for (int i = 0; i < 3; i++)
		push(&q, SIGNAL_METRICS, 10, 1);
	for (int i = 0; i < 6; i++) {
		struct message *m = queue_take(&q);

		traces += m->signal == SIGNAL_TRACES;
		metrics += m->signal == SIGNAL_METRICS;
		queue_settle(&q, m, false);
	}
	assert_int_equal(traces, 3);
	assert_int_equal(metrics, 3);
	queue_done(&q);
}

/* A message that is postponed holds up its own lane only, and comes again before its followers. */
static void postponed(void **state)
{
	uint64_t dropped[SIGNALS], begin = clock_mono_ns();
	struct message *m, *again;
	struct queue q;

	queue_init(&q, 100000, false);
	push(&q, SIGNAL_TRACES, 10, 1);
	push(&q, SIGNAL_TRACES, 10, 2);
	m = queue_take(&q);
	queue_postpone(&q, m, begin + 50 * NS_PER_MS);
	push(&q, SIGNAL_METRICS, 10, 4);
	again = queue_take(&q);
	assert_int_equal(again->signal, SIGNAL_METRICS);
	queue_settle(&q, again, false);
	again = queue_take(&q);
	assert_ptr_equal(again, m);
	assert_true(clock_mono_ns() - begin >= 50 * NS_PER_MS);
	queue_settle(&q, m, true);
	m = queue_take(&q);
	assert_int_equal(m->count, 2);
	queue_settle(&q, m, false);
	queue_bytes(&q, dropped);
	assert_u64(dropped[SIGNAL_TRACES], 1);
	queue_done(&q);
}

/* What cannot be sent before the end is dropped at once, counted; what can is sent. */
static void closing(void **state)
{
	uint64_t dropped[SIGNALS], now = clock_mono_ns();
	struct message *m;
	struct queue q;

	queue_init(&q, 100000, false);
	push(&q, SIGNAL_TRACES, 10, 1);
	push(&q, SIGNAL_TRACES, 10, 2);
	push(&q, SIGNAL_METRICS, 10, 4);
	m = queue_take(&q);
	queue_postpone(&q, m, now + 60 * NS_PER_S);
	queue_close(&q, now + 10 * NS_PER_S);
	push(&q, SIGNAL_TRACES, 10, 8); /* too late */
	m = queue_take(&q);
	assert_int_equal(m->signal, SIGNAL_METRICS);
	queue_settle(&q, m, false);
	assert_null(queue_take(&q));
	assert_true(clock_mono_ns() - now < NS_PER_S);
	assert_int_equal(queue_bytes(&q, dropped), 0);
	assert_u64(dropped[SIGNAL_TRACES], 11);
	assert_u64(dropped[SIGNAL_METRICS], 0);
	queue_done(&q);
}

UNIT_MAIN(T(answers), T(schedule), T(asked_for), T(retry_after_values), T(partial_successes),
	  T(queue_is_bounded), T(lanes_take_turns), T(postponed), T(closing))
