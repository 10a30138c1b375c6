/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.h: which request a thread is serving → for a call that it sends, the request that made it do so.
 *
 * That holds where a thread serves one request at a time, from the first octet that it reads to the last that
 * it writes (an episode). Nothing tells us so but what the threads of a process do, so a process is believed
 * after it has shown TRIALS times that its threads wait, each time where a loop of events, or a scheduler of
 * its own on top of threads (goroutines), would have had the chance to do otherwise:
 *
 *   - it let wait: a request lay in the socket while the thread waited for the response of a call, and
 *     the thread read it only after it had answered the one it was at. So a single thread shows it.
 *   - beside: while the thread waited, another one took a request that might have been its own: of a new
 *     connection, or of one that had been with another thread. With N threads that serve more than one
 *     connection N times as often, since loops that have their connections each pass N - 1 times of N.
 *
 * Light load shows neither and is no proof: a loop that has one request open looks like a thread. And one
 * time that it is not so takes the belief away for as long as the process lives (enum thread_fault).
 * Only what comes after a loss (doubt.h) is not judged, nor believed.
 *
 * A thread's own records come in the order in which it made them as long as there is one ring, and their
 * times order them exactly: a thread does one thing at a time. Records that contradict that take the belief
 * away too. What no rule can see is the first time that a process does what it never did before.
 *
 * Followed are only processes that serve and call; what is noted of a request lies in it (txn/episode.h).
 * Bounded: the thread, and the process, that did nothing for the longest time is forgotten.
 */
#ifndef PC_TRACE_THREAD_H
#define PC_TRACE_THREAD_H

#include "trace/doubt.h"
#include "txn/txn.h"

#define THREAD_TRIALS 16

enum thread_fault {
	THREAD_FAULT_NONE,
	THREAD_FAULT_OVERLAP, /* it read a request while it was at another */
	THREAD_FAULT_HANDED, /* another thread went on: with the request, its response, a call's response */
	THREAD_FAULT_OUTSIDE, /* a thread that serves made a call while it served none */
	THREAD_FAULT_ORDER,   /* its records did not come in order */
	THREAD_FAULT_CONTENT, /* a call's head names another request */
	THREAD_FAULTS
};
const char *thread_fault_name(enum thread_fault f); /* overlap, handed_on … */

struct thread_limits {
	uint32_t processes, threads;
};

struct threads_stats {
	uint64_t disbelieved[THREAD_FAULTS]; /* processes, ever */
	uint32_t believed;		     /* now */
};

struct threads;

/* The doubt is looked at for as long as the threads live. */
int threads_new(const struct thread_limits *limits, const struct doubt *doubt,
		struct threads **ret);
/* A server's request was read. It stays known until threads_end. */
void threads_read(struct threads *t, struct transaction *server);
void threads_answered(struct threads *t, struct transaction *server);
/* A transaction is handed out, of either side. */
void threads_end(struct threads *t, struct transaction *x);
/* A call began. `serves`: its process serves. NULL: of which request is not known for certain. */
struct transaction *threads_call(struct threads *t, struct transaction *client, bool serves);
/* Is a thread at a request that it had read by then? */
bool threads_serve(const struct threads *t, uint32_t tgid, uint32_t tid, uint64_t at_ns);
/* The response has ended: is it certain that whatever its thread did for it was done for no other? Before
 * threads_answered. */
bool threads_alone(struct threads *t, const struct transaction *server);
/* What was believed of this process is wrong. */
void threads_contradict(struct threads *t, uint32_t tgid);
void threads_stats(struct threads *t, struct threads_stats *ret);
void threads_free(struct threads *t);

#endif
