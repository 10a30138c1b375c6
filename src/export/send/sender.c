/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sender.c: see sender.h. libcurl does HTTP and TLS, zlib the compression; retry.h says what an answer
 * means. One request at a time a worker, as the specification allows: a batch every half second needs
 * no more, and the order of cumulative metrics is kept.
 */
#include "export/sender.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

#include "base/clock.h"
#include "export/console.h"
#include "export/privacy.h"

#define BODY_MAX     65536 /* of an answer: more is not looked at */
#define HEAD_MAX     65536 /* of an answer with all interim ones; libcurl keeps what it is sent */
#define SAY_AGAIN_NS (60 * NS_PER_S)
#define SHOWN	     120 /* columns of a stranger's message */
#define SENTENCES    4	 /* when nobody fetches them the last one is overwritten */

/* One endpoint. */
struct target {
	const struct otlp_signal *options;
	const char *name; /* spans, metrics, events */
	CURL *curl;
	struct curl_slist *headers, *headers_gzip;
	char shown[256]; /* the URL without user-info and query */
	bool failing, odd_answer_said;
	uint64_t said_ns, partial_said_ns;
	long said_status;
};

struct reply {
	struct sender *sender;
	struct buf body;
	int64_t retry_after_ns;
	size_t head_bytes;
	bool headed; /* the last head that began has ended */
	long status; /* 0 = none */
	CURLcode code;
	char error[CURL_ERROR_SIZE];
};

struct sender {
	struct queue queue;
	struct target target[SIGNALS];
	pthread_t thread;
	bool running;
	struct reply reply;
	unsigned random;
	_Atomic uint64_t abort_ns; /* no transfer lives beyond that */
	_Atomic uint64_t sent[SIGNALS], rejected[SIGNALS];
	_Atomic uint64_t requests, retries, failures;
	_Atomic int last_status;
	pthread_mutex_t sentence_lock;
	char sentence[SENTENCES][SENDER_SENTENCE];
	unsigned sentences; /* waiting to be told */
};

static size_t on_body(char *at, size_t size, size_t n, void *ctx)
{
	struct reply *r = ctx;
	struct slice s = slice_sub(slice_of(at, size * n), 0, BODY_MAX - r->body.len);

	buf_add(&r->body, s);
	return s.len < size * n ? 0
				: size * n; /* 0 ends the transfer: the status is known by now */
}

/* Also of interim responses, whose fields say nothing of the final one. */
static size_t on_header(char *at, size_t size, size_t n, void *ctx)
{
	struct reply *r = ctx;
	struct slice value = slice_of(at, size * n), name;

	r->head_bytes += value.len;
	if (r->head_bytes > HEAD_MAX)
		return 0; /* ends the transfer, as no answer */
	r->headed = slice_eq(value, SLICE("\r\n")) || slice_eq(value, SLICE("\n"));
	if (slice_starts(value, SLICE("HTTP/")))
		r->retry_after_ns = -1;
	name = slice_next(&value, ':');
	if (value.at && slice_ieq(slice_trim(name), SLICE("Retry-After"))) {
		while (value.len &&
		       (value.at[value.len - 1] == '\n' || value.at[value.len - 1] == '\r'))
			value.len--;
		r->retry_after_ns = retry_after_ns(value, (int64_t)(clock_wall_ns() / NS_PER_S));
	}
	return size * n;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct sender *s = ctx;

	return clock_mono_ns() >= atomic_load(&s->abort_ns); /* 1 ends the transfer */
}

static void say(struct sender *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct sender *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	pthread_mutex_lock(&s->sentence_lock);
	if (s->sentences < SENTENCES)
		s->sentences++;
	vsnprintf(s->sentence[s->sentences - 1], SENDER_SENTENCE, fmt, args);
	pthread_mutex_unlock(&s->sentence_lock);
	va_end(args);
}

/* Text of the collector, fit for a terminal. */
static const char *shown(struct slice text, char ret[SHOWN * 4])
{
	struct buf b = { .at = ret, .room = SHOWN * 4 - 1, .max = SHOWN * 4 - 1 };

	console_add_text(&b, slice_sub(text, 0, 1000), SHOWN);
	ret[b.len] = 0;
	return ret;
}

static const char *advice(long status)
{
	switch (status) {
	case 401:
	case 403:
		return "check the headers (OTEL_EXPORTER_OTLP_HEADERS)";
	case 404:
	case 405:
		return "check the path of the endpoint (usually /v1/traces, /v1/metrics and "
		       "/v1/logs)";
	case 413:
		return "lower otlp.batch_size or let the collector take larger requests";
	case 415:
		return "the endpoint does not take application/x-protobuf: is it an OTLP/HTTP one?";
	case 429:
	case 503:
		return "it is busy; sending again later";
	case 502:
	case 504:
		return "what stands before it does not reach it; sending again later";
	}
	if (status >= 300 && status < 400)
		return "it redirects, which is not followed: name the final address as endpoint";
	return "its log should say why";
}

/* Not the same thing again and again: when it changes, and once a minute while it lasts. */
static bool is_news(struct target *t, long status)
{
	uint64_t now = clock_mono_ns();

	if (t->failing && t->said_status == status && now - t->said_ns < SAY_AGAIN_NS)
		return false;
	t->failing = true;
	t->said_status = status;
	t->said_ns = now;
	return true;
}

static void say_failure(struct sender *s, struct target *t, enum answer answer)
{
	const struct reply *r = &s->reply;
	char text[SHOWN * 4];
	struct slice message;

	if (!is_news(t, r->status ? r->status : -(long)r->code))
		return;
	if (!r->status) {
		say(s,
		    "OTLP %s: no answer from %s (%s): is a collector listening there? Data is kept "
		    "as "
		    "far as the queue goes and sent again; the oldest is dropped and counted",
		    t->name, t->shown, r->error[0] ? r->error : curl_easy_strerror(r->code));
		return;
	}
	message = retry_status_message(buf_slice(&r->body));
	say(s, "OTLP %s: %s answers %ld%s%s%s: %s%s", t->name, t->shown, r->status,
	    message.len ? " (" : "", message.len ? shown(message, text) : "",
	    message.len ? ")" : "", advice(r->status),
	    answer == ANSWER_REFUSED ? "; this data is dropped and counted" : "");
}

static void say_recovery(struct sender *s, struct target *t)
{
	if (!t->failing)
		return;
	t->failing = false;
	say(s, "OTLP %s: %s takes data again", t->name, t->shown);
}

/* 200: taken, but perhaps not all of it; and perhaps by something that is no collector. */
static void on_taken(struct sender *s, struct target *t, struct message *m)
{
	struct partial_success partial;
	char text[SHOWN * 4];

	say_recovery(s, t);
	if (!retry_partial_success(buf_slice(&s->reply.body), &partial)) {
		partial = (struct partial_success){ 0 };
		if (!t->odd_answer_said)
			say(s,
			    "OTLP %s: %s answers %ld with something that is no OTLP answer: is it "
			    "a "
			    "collector? Data counts as sent",
			    t->name, t->shown, s->reply.status);
		t->odd_answer_said = true;
	}
	if (partial.rejected > m->count)
		partial.rejected = m->count;
	atomic_fetch_add(&s->rejected[m->signal], partial.rejected);
	atomic_fetch_add(&s->sent[m->signal], m->count - partial.rejected);
	if (!partial.rejected && !partial.message.len)
		goto settle;
	if (!t->partial_said_ns || clock_mono_ns() - t->partial_said_ns > SAY_AGAIN_NS) {
		t->partial_said_ns = clock_mono_ns();
		say(s, "OTLP %s: %s rejected %llu of %u: %s", t->name, t->shown,
		    (unsigned long long)partial.rejected, m->count,
		    partial.message.len ? shown(partial.message, text) : "it does not say why");
	}
settle:
	queue_settle(&s->queue, m, false);
}

static void on_answer(struct sender *s, struct target *t, struct message *m)
{
	enum answer answer = retry_answer(s->reply.status);
	uint64_t next_ns;
	bool again;

	if (s->reply.code == CURLE_URL_MALFORMAT || s->reply.code == CURLE_SSL_CACERT_BADFILE ||
	    s->reply.code == CURLE_SSL_CERTPROBLEM)
		answer = ANSWER_REFUSED; /* our own configuration: no use in asking again */
	if (answer == ANSWER_TAKEN) {
		on_taken(s, t, m);
		return;
	}
	atomic_fetch_add(&s->failures, 1);
	say_failure(s, t, answer);
	if (answer == ANSWER_REFUSED) {
		queue_settle(&s->queue, m, true);
		return;
	}
	again = retry_next(&m->retry, clock_mono_ns(), s->reply.retry_after_ns,
			   (uint32_t)rand_r(&s->random) << 16 ^ (uint32_t)rand_r(&s->random),
			   &next_ns);
	queue_postpone(&s->queue, m, next_ns);
	if (again)
		atomic_fetch_add(&s->retries, 1);
	else
		queue_settle(&s->queue, m, true);
}

/* zlib's fastest: spans of one service are so alike that a better level saves little more. */
static void compress_message(struct sender *s, struct message *m)
{
	z_stream z = { 0 };
	char *out;
	size_t room;

	if (deflateInit2(&z, 1, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return; /* no memory: it goes as it is */
	room = deflateBound(&z, m->len);
	out = malloc(room);
	if (out) {
		z.next_in = (Bytef *)m->at;
		z.avail_in = (uInt)m->len;
		z.next_out = (Bytef *)out;
		z.avail_out = (uInt)room;
		if (deflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out < m->len) {
			char *fit = malloc(z.total_out); /* the queue counts what it holds */

			if (fit) {
				memcpy(fit, out, z.total_out);
				queue_replace(&s->queue, m, fit, z.total_out);
			}
		}
	}
	free(out);
	deflateEnd(&z);
}

static void attempt(struct sender *s, struct message *m)
{
	struct target *t = &s->target[m->signal];
	uint64_t now = clock_mono_ns(), until = atomic_load(&s->abort_ns),
		 timeout = t->options->timeout_ms;

	if (t->options->gzip && !m->compressed && !m->retry.attempts)
		compress_message(s, m);
	if (until < now + timeout * NS_PER_MS)
		timeout = until > now ? (until - now) / NS_PER_MS + 1 : 1;
	buf_clear(&s->reply.body);
	s->reply.retry_after_ns = -1;
	s->reply.head_bytes = 0;
	s->reply.headed = false;
	s->reply.status = 0;
	s->reply.error[0] = 0;
	curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, m->compressed ? t->headers_gzip : t->headers);
	curl_easy_setopt(t->curl, CURLOPT_POSTFIELDS, m->at);
	curl_easy_setopt(t->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)m->len);
	curl_easy_setopt(t->curl, CURLOPT_TIMEOUT_MS, (long)timeout);
	s->reply.code = curl_easy_perform(t->curl);
	atomic_fetch_add(&s->requests, 1);
	/* A whole head is an answer, whatever became of the body: a collector that said 200 has taken the
	 * data, one that said 400 wants it never again. */
	if (s->reply.headed)
		curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &s->reply.status);
	if (s->reply.status < 200) { /* none, or an interim one and then nothing */
		s->reply.status = 0;
		s->reply.retry_after_ns = -1;
	}
	atomic_store(&s->last_status, (int)s->reply.status);
	on_answer(s, t, m);
}

static void *worker(void *ctx)
{
	struct sender *s = ctx;
	struct message *m;

	while ((m = queue_take(&s->queue)))
		attempt(s, m);
	return NULL;
}

static void set_shown(struct target *t)
{
	const struct privacy_rules rules = { .mode = PRIVACY_NONE };
	struct slice url = slice_str(t->options->url);
	struct buf b = { .at = t->shown,
			 .room = sizeof(t->shown) - 1,
			 .max = sizeof(t->shown) - 1 };

	privacy_url(slice_next(&url, '?'), &rules, &b);
	t->shown[b.len] = 0;
}

static int set_headers(struct target *t)
{
	static const char *const ours[] = { "Content-Type: application/x-protobuf", "Expect:" };

	for (unsigned gzip = 0; gzip < 2; gzip++) {
		struct curl_slist *list = NULL, *next;

		for (unsigned i = 0; i < 2; i++) {
			next = curl_slist_append(list, ours[i]);
			list = next ? next : list;
			if (!next)
				goto fail;
		}
		if (gzip && !(next = curl_slist_append(list, "Content-Encoding: gzip")))
			goto fail;
		for (const char *const *h = t->options->headers; h && *h; h++)
			if (!curl_slist_append(list, *h))
				goto fail;
		*(gzip ? &t->headers_gzip : &t->headers) = list;
		continue;
	fail:
		curl_slist_free_all(list);
		return -ENOMEM;
	}
	return 0;
}

static int target_init(struct sender *s, struct target *t, const char *name,
		       const struct otlp_signal *options)
{
	CURL *c;

	t->name = name;
	t->options = options;
	if (!options->url)
		return 0;
	set_shown(t);
	t->curl = c = curl_easy_init();
	if (!c || set_headers(t) < 0)
		return -ENOMEM;
	curl_easy_setopt(c, CURLOPT_URL, options->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_POST, 1L);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "parcours/" PARCOURS_VERSION " OTLP-Exporter-C");
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &s->reply);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, &s->reply);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, s);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, s->reply.error);
	if (options->certificate)
		curl_easy_setopt(c, CURLOPT_CAINFO, options->certificate);
	if (options->client_certificate)
		curl_easy_setopt(c, CURLOPT_SSLCERT, options->client_certificate);
	if (options->client_key)
		curl_easy_setopt(c, CURLOPT_SSLKEY, options->client_key);
	return 0;
}

/* The worker takes no signal: those are the loop's. */
static int start_worker(struct sender *s)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&s->thread, NULL, worker, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	s->running = err == 0;
	return -err;
}

int sender_new(const struct otlp_options *o, bool patient, struct sender **ret)
{
	struct sender *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	if (!s)
		return err;
	pthread_mutex_init(&s->sentence_lock, NULL);
	buf_init(&s->reply.body, BODY_MAX);
	atomic_store(&s->abort_ns, UINT64_MAX / 2);
	s->random = (unsigned)clock_mono_ns();
	err = queue_init(&s->queue, o->queue_bytes, patient);
	if (!err && curl_global_init(CURL_GLOBAL_DEFAULT))
		err = -ENOMEM;
	if (!err)
		err = target_init(s, &s->target[SIGNAL_TRACES], "spans", &o->traces);
	if (!err)
		err = target_init(s, &s->target[SIGNAL_METRICS], "metrics", &o->metrics);
	if (!err)
		err = target_init(s, &s->target[SIGNAL_LOGS], "events", &o->logs);
	if (!err)
		err = start_worker(s);
	if (err) {
		sender_free(s);
		return err;
	}
	*ret = s;
	return 0;
}

void sender_push(struct sender *s, enum signal_kind signal, char *at, size_t len, uint32_t count)
{
	queue_push(&s->queue, signal, at, len, count);
}

bool sender_sentence(struct sender *s, char ret_text[SENDER_SENTENCE])
{
	bool any;

	pthread_mutex_lock(&s->sentence_lock);
	any = s->sentences > 0;
	if (any) {
		memcpy(ret_text, s->sentence[0], SENDER_SENTENCE);
		s->sentences--;
		memmove(s->sentence[0], s->sentence[1],
			sizeof(s->sentence) - sizeof(s->sentence[0]));
	}
	pthread_mutex_unlock(&s->sentence_lock);
	return any;
}

void sender_stats(struct sender *s, struct sender_stats *ret)
{
	for (unsigned i = 0; i < SIGNALS; i++) {
		ret->sent[i] = atomic_load(&s->sent[i]);
		ret->rejected[i] = atomic_load(&s->rejected[i]);
	}
	ret->requests = atomic_load(&s->requests);
	ret->retries = atomic_load(&s->retries);
	ret->failures = atomic_load(&s->failures);
	ret->last_status = atomic_load(&s->last_status);
	ret->queue_bytes = queue_bytes(&s->queue, ret->dropped);
}

void sender_finish(struct sender *s, uint64_t drain_ns)
{
	uint64_t until = clock_mono_ns() + drain_ns;

	if (!s->running)
		return;
	atomic_store(&s->abort_ns, until);
	queue_close(&s->queue, until);
	pthread_join(s->thread, NULL);
	s->running = false;
}

void sender_free(struct sender *s)
{
	if (!s)
		return;
	sender_finish(s, 0);
	for (unsigned i = 0; i < SIGNALS; i++) {
		curl_easy_cleanup(s->target[i].curl);
		curl_slist_free_all(s->target[i].headers);
		curl_slist_free_all(s->target[i].headers_gzip);
	}
	if (s->queue.max_bytes)
		queue_done(&s->queue);
	buf_done(&s->reply.body);
	pthread_mutex_destroy(&s->sentence_lock);
	free(s);
}
