/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue.h: encoded messages on their way from the loop thread to the worker, one lane a signal, all
 * lanes together bounded by octets. When a message finds no room the oldest waiting ones make it: of
 * cumulative metrics the newest says it all, and of spans the newest are what somebody looks for.
 * The message that is being sent keeps its place.
 */
#ifndef PC_EXPORT_QUEUE_H
#define PC_EXPORT_QUEUE_H

#include <pthread.h>

#include "export/retry.h"

enum signal_kind { SIGNAL_TRACES, SIGNAL_METRICS, SIGNAL_LOGS, SIGNALS };

struct message {
	struct message *next;
	enum signal_kind signal;
	uint32_t count; /* spans, points or events in it */
	bool compressed;
	char *at;
	size_t len;
	struct retry retry;
};

struct lane {
	struct message *first, *last;
	struct message *sending; /* the worker's */
	uint64_t not_before_ns;
	uint64_t dropped; /* spans or points that had to make room, or found none */
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* something to send; CLOCK_MONOTONIC */
	pthread_cond_t room;	/* something was settled */
	bool patient; /* offline work: who pushes waits for room, nothing is dropped for want of it */
	struct lane lane[SIGNALS];
	unsigned turn;		 /* lane that is looked at first */
	size_t bytes, max_bytes; /* messages being sent included */
	bool closing;
	uint64_t close_ns; /* no attempt begins after that */
};

int queue_init(struct queue *q, size_t max_bytes, bool patient);
void queue_done(struct queue *q); /* the worker has ended */
/* Any thread; takes `at` over whatever happens. */
void queue_push(struct queue *q, enum signal_kind signal, char *at, size_t len, uint32_t count);
/* Worker: waits for a message that may be sent now and takes it. NULL: closing, and nothing is left or
 * the time is over; what is left then is dropped. */
struct message *queue_take(struct queue *q);
/* Worker: the message was settled (sent or dropped) and is freed. */
void queue_settle(struct queue *q, struct message *m, bool dropped);
/* Worker: try it again then. */
void queue_postpone(struct queue *q, struct message *m, uint64_t not_before_ns);
/* Worker: the message was compressed to `len` octets at `at`. */
void queue_replace(struct queue *q, struct message *m, char *at, size_t len);
/* From now on messages are sent until `until_ns`, none is waited for. */
void queue_close(struct queue *q, uint64_t until_ns);
size_t queue_bytes(struct queue *q, uint64_t ret_dropped[SIGNALS]);

#endif
