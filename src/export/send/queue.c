/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.c: see queue.h and retry.h. What an answer means and when to try again is pure, so that the
 * schedule is tested with times of the test's own. The queue: one lock, held for a few instructions: the loop thread never waits for a
 * network. The lanes are independent, so that a collector that refuses spans does not hold up metrics.
 */
#include "export/queue.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/pb.h"

#define DATE_MAX 64
#define DAY_NS	 86400000000000ll /* nobody means more */

int queue_init(struct queue *q, size_t max_bytes, bool patient)
{
	pthread_condattr_t attr;
	int err;

	*q = (struct queue){ .patient = patient };
	err = pthread_condattr_init(&attr);
	if (err)
		return -err;
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	err = pthread_cond_init(&q->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (err)
		return -err;
	/* These two cannot fail on Linux: they only fill their own memory. */
	pthread_cond_init(&q->room, NULL);
	pthread_mutex_init(&q->lock, NULL);
	q->max_bytes = max_bytes;
	return 0;
}

static void free_message(struct queue *q, struct message *m)
{
	q->bytes -= m->len;
	free(m->at);
	free(m);
}

/* The first waiting message of a lane goes, counted. */
static void drop_first(struct queue *q, struct lane *l)
{
	struct message *m = l->first;

	l->first = m->next;
	if (!l->first)
		l->last = NULL;
	l->dropped += m->count;
	free_message(q, m);
}

static void drop_waiting(struct queue *q)
{
	for (unsigned i = 0; i < SIGNALS; i++)
		while (q->lane[i].first)
			drop_first(q, &q->lane[i]);
}

void queue_done(struct queue *q)
{
	drop_waiting(q);
	for (unsigned i = 0; i < SIGNALS; i++)
		if (q->lane[i].sending)
			free_message(q, q->lane[i].sending);
	pthread_cond_destroy(&q->changed);
	pthread_cond_destroy(&q->room);
	pthread_mutex_destroy(&q->lock);
}

/* Room for `len` more: its own lane's oldest first, then the others'. */
static bool make_room(struct queue *q, enum signal_kind signal, size_t len)
{
	while (q->patient && q->bytes + len > q->max_bytes && !q->closing)
		pthread_cond_wait(&q->room, &q->lock);
	for (unsigned i = 0; i < SIGNALS; i++) {
		struct lane *l = &q->lane[(signal + i) % SIGNALS];

		while (q->bytes + len > q->max_bytes && l->first)
			drop_first(q, l);
	}
	return q->bytes + len <= q->max_bytes;
}

void queue_push(struct queue *q, enum signal_kind signal, char *at, size_t len, uint32_t count)
{
	struct message *m = calloc(1, sizeof(*m));
	struct lane *l = &q->lane[signal];

	pthread_mutex_lock(&q->lock);
	if (!m || q->closing || len > q->max_bytes || !make_room(q, signal, len)) {
		l->dropped += count;
		free(m);
		free(at);
	} else {
		*m = (struct message){ .signal = signal, .count = count, .at = at, .len = len };
		if (l->last)
			l->last->next = m;
		else
			l->first = m;
		l->last = m;
		q->bytes += len;
		pthread_cond_signal(&q->changed);
	}
	pthread_mutex_unlock(&q->lock);
}

/* A lane with something to do, or NULL and how long to wait. In turn: a flood of spans must not keep
 * the metrics waiting. */
static struct lane *ready_lane(struct queue *q, uint64_t now, uint64_t *ret_wait_until)
{
	*ret_wait_until = UINT64_MAX;
	for (unsigned i = 0; i < SIGNALS; i++) {
		struct lane *l = &q->lane[(q->turn + i) % SIGNALS];

		if (!l->sending && !l->first)
			continue;
		if (l->not_before_ns <= now) {
			q->turn = (q->turn + i + 1) % SIGNALS;
			return l;
		}
		if (l->not_before_ns < *ret_wait_until)
			*ret_wait_until = l->not_before_ns;
	}
	return NULL;
}

static void wait_until(struct queue *q, uint64_t until_ns)
{
	struct timespec at = { (time_t)(until_ns / NS_PER_S), (long)(until_ns % NS_PER_S) };

	if (until_ns == UINT64_MAX)
		pthread_cond_wait(&q->changed, &q->lock);
	else
		pthread_cond_timedwait(&q->changed, &q->lock, &at);
}

static struct message *take(struct lane *l)
{
	struct message *m = l->sending;

	if (!m) {
		m = l->sending = l->first;
		l->first = m->next;
		if (!l->first)
			l->last = NULL;
		m->next = NULL;
	}
	return m;
}

struct message *queue_take(struct queue *q)
{
	struct message *m = NULL;

	pthread_mutex_lock(&q->lock);
	for (;;) {
		uint64_t now = clock_mono_ns(), until;
		struct lane *l = ready_lane(q, now, &until);

		if (q->closing && (now >= q->close_ns || (!l && until > q->close_ns)))
			break; /* nothing that could still be sent in time */
		if (l) {
			m = take(l);
			break;
		}
		wait_until(q, q->closing && until > q->close_ns ? q->close_ns : until);
	}
	if (!m) {
		drop_waiting(q);
		for (unsigned i = 0; i < SIGNALS; i++) {
			struct lane *l = &q->lane[i];

			if (!l->sending)
				continue;
			l->dropped += l->sending->count;
			free_message(q, l->sending);
			l->sending = NULL;
		}
	}
	pthread_mutex_unlock(&q->lock);
	return m;
}

void queue_settle(struct queue *q, struct message *m, bool dropped)
{
	struct lane *l = &q->lane[m->signal];

	pthread_mutex_lock(&q->lock);
	if (dropped)
		l->dropped += m->count;
	l->sending = NULL;
	free_message(q, m);
	pthread_cond_signal(&q->room);
	pthread_mutex_unlock(&q->lock);
}

void queue_postpone(struct queue *q, struct message *m, uint64_t not_before_ns)
{
	pthread_mutex_lock(&q->lock);
	q->lane[m->signal].not_before_ns = not_before_ns;
	pthread_mutex_unlock(&q->lock);
}

void queue_replace(struct queue *q, struct message *m, char *at, size_t len)
{
	char *old = m->at;

	pthread_mutex_lock(&q->lock);
	q->bytes = q->bytes - m->len + len;
	m->at = at;
	m->len = len;
	m->compressed = true;
	pthread_cond_signal(&q->room);
	pthread_mutex_unlock(&q->lock);
	free(old);
}

void queue_close(struct queue *q, uint64_t until_ns)
{
	pthread_mutex_lock(&q->lock);
	q->closing = true;
	q->close_ns = until_ns;
	pthread_cond_signal(&q->changed);
	pthread_mutex_unlock(&q->lock);
}

size_t queue_bytes(struct queue *q, uint64_t ret_dropped[SIGNALS])
{
	size_t bytes;

	pthread_mutex_lock(&q->lock);
	bytes = q->bytes;
	for (unsigned i = 0; i < SIGNALS; i++)
		ret_dropped[i] = q->lane[i].dropped;
	pthread_mutex_unlock(&q->lock);
	return bytes;
}

/* ---- answers ---- */

enum answer retry_answer(long status)
{
	switch (status) {
	case 0:
	case 429:
	case 502:
	case 503:
	case 504:
		return ANSWER_RETRY;
	}
	return status >= 200 && status < 300 ? ANSWER_TAKEN : ANSWER_REFUSED;
}

bool retry_next(struct retry *r, uint64_t now_ns, int64_t asked_ns, uint32_t chance,
		uint64_t *ret_next_ns)
{
	uint64_t delay = RETRY_FIRST_NS;

	if (!r->attempts++)
		r->first_ns = now_ns;
	for (uint32_t i = 1; i < r->attempts && delay < RETRY_MOST_NS; i++)
		delay *= 2;
	if (delay > RETRY_MOST_NS)
		delay = RETRY_MOST_NS;
	delay = delay / 2 + (uint64_t)((double)delay * chance / 4294967296.0);
	if (asked_ns > 0) /* asked for "now", it would be asked without end: our own pause */
		delay = (uint64_t)asked_ns;
	*ret_next_ns = now_ns + delay;
	return now_ns + delay - r->first_ns <= RETRY_GIVE_UP;
}

int64_t retry_after_ns(struct slice value, int64_t wall_seconds)
{
	char text[DATE_MAX];
	uint64_t seconds;
	int64_t ns;
	time_t date;
	int err;

	value = slice_trim(value);
	err = slice_u64(value, &seconds);
	if (err == 0 || err == -ERANGE)
		return !err && seconds < DAY_NS / 1000000000 ? (int64_t)seconds * 1000000000
							     : DAY_NS;
	if (value.len == 0 || value.len >= sizeof(text) || memchr(value.at, 0, value.len))
		return -1;
	memcpy(text, value.at, value.len);
	text[value.len] = 0;
	date = curl_getdate(text, NULL); /* all three forms of an HTTP-date */
	if (date < 0)
		return -1;
	if (date - wall_seconds >= DAY_NS / 1000000000)
		return DAY_NS;
	ns = (date - wall_seconds) * 1000000000;
	return ns > 0 ? ns : 0;
}

bool retry_partial_success(struct slice body, struct partial_success *ret)
{
	struct pb_field f;
	int more;

	*ret = (struct partial_success){ 0 };
	while ((more = pb_next(&body, &f)) == 1) {
		struct slice inner = f.bytes;

		if (f.number != 1 || f.wire != PB_BYTES)
			continue;
		while ((more = pb_next(&inner, &f)) == 1) {
			if (f.number == 1 && f.wire == PB_VARINT)
				ret->rejected = f.value;
			else if (f.number == 2 && f.wire == PB_BYTES)
				ret->message = f.bytes;
		}
		if (more < 0)
			break;
	}
	return more == 0;
}

struct slice retry_status_message(struct slice body)
{
	struct slice message = { NULL, 0 };
	struct pb_field f;
	int more;

	while ((more = pb_next(&body, &f)) == 1)
		if (f.number == 2 && f.wire == PB_BYTES)
			message = f.bytes;
	return more == 0 ? message : slice_of(NULL, 0);
}
