/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sender.h: the one worker thread. Takes encoded messages from the queue, compresses them, posts them
 * to the collector over connections that are kept, and settles, repeats or drops them by its answers.
 * The loop thread only pushes, reads figures, and fetches sentences to tell: the worker never logs.
 */
#ifndef PC_EXPORT_SENDER_H
#define PC_EXPORT_SENDER_H

#include "export/export.h"
#include "export/queue.h"

#define SENDER_SENTENCE 512

struct sender_stats {
	uint64_t sent[SIGNALS], dropped[SIGNALS], rejected[SIGNALS]; /* spans, points */
	uint64_t requests, retries, failures;
	int last_status;
	uint64_t queue_bytes;
};

struct sender;

/* patient: sender_push waits for room rather than drop (offline work). */
int sender_new(const struct otlp_options *o, bool patient, struct sender **ret);
/* Takes `at` over. */
void sender_push(struct sender *s, enum signal_kind signal, char *at, size_t len, uint32_t count);
/* True: the next thing to tell a person (once a change, then once a minute). */
bool sender_sentence(struct sender *s, char ret_text[SENDER_SENTENCE]);
void sender_stats(struct sender *s, struct sender_stats *ret);
/* Sends what is queued for at most `drain_ns`, then ends the worker; what is left is dropped. */
void sender_finish(struct sender *s, uint64_t drain_ns);
void sender_free(struct sender *s);

#endif
