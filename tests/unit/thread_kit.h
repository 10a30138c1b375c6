/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread_kit.h: a small host for tests of trace/thread.c: one process, 100, whose threads read, call and answer by
 * the clock `now`. What a process shows is played THREAD_TRIALS times.
 */
#ifndef PC_TESTS_THREAD_KIT_H
#define PC_TESTS_THREAD_KIT_H

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "trace/trace.h"

#define MS     1000000ull
#define S      (1000 * MS)
#define TRIALS THREAD_TRIALS
#define T1     201
#define T2     202
#define T3     203

static struct trace *trace;
static struct txn_sink in;
static struct transaction seen;
static uint64_t now;
static uint32_t names;

static inline void keep(void *ctx, struct transaction *t)
{
	seen = *t;
}

static inline void start(void)
{
	const struct trace_options o = { .sampler = SAMPLER_ON,
					 .connections = 1000,
					 .in_order = true };
	const struct txn_sink sink = { .transaction = keep };
	const struct connection c = { .id = 1, .tgid = 100 };

	assert_int_equal(trace_new(&o, &sink, &trace), 0);
	in = trace_txn_sink(trace);
	trace_open(trace, &c, SIDE_SERVER);
	now = 1000 * S;
	names = 0;
}

static inline struct trace_stats stats(void)
{
	struct trace_stats s;

	trace_stats(trace, &s);
	return s;
}

static inline struct trace_stats stop(void)
{
	struct trace_stats s = stats();

	trace_free(trace);
	return s;
}

static inline void pass(uint64_t ns)
{
	now += ns;
}

/* ---- what threads do ---- */

static inline struct transaction made(enum side side, uint32_t tid)
{
	uint32_t name = ++names;

	return (struct transaction){ .side = side,
				     .status = 200,
				     .tgid = 100,
				     .tid = tid,
				     .head_tid = tid,
				     .head_ns = now,
				     .start_ns = now,
				     .arrival_ns = now,
				     .connection_id = 1000 + name,
				     .method = SLICE("GET"),
				     .path = side == SIDE_SERVER ? SLICE("/a") : SLICE("/b"),
				     .isn_client = name,
				     .isn_server = 1,
				     .request = { .seen = true,
						  .first_ns = now,
						  .last_ns = now,
						  .first_tid = tid,
						  .last_tid = tid } };
}

/* A request by a connection of its own that came `waited` ago. */
static inline struct transaction reads(uint32_t tid, uint64_t waited)
{
	struct transaction t = made(SIDE_SERVER, tid);

	t.arrival_ns -= waited;
	return t;
}

static inline void begin(struct transaction *t)
{
	in.begin(in.ctx, t);
}

static inline void answers(struct transaction *t, uint32_t tid)
{
	t->response = (struct txn_message){
		.seen = true, .first_ns = now, .last_ns = now, .first_tid = tid, .last_tid = tid
	};
	in.answered(in.ctx, t);
	in.transaction(in.ctx, t);
}

static inline void returns(struct transaction *call, uint32_t tid)
{
	call->response = (struct txn_message){
		.seen = true, .first_ns = now, .last_ns = now, .first_tid = tid, .last_tid = tid
	};
	in.transaction(in.ctx, call);
}

/* A thread reads a request, and is at it for a moment. */
static inline void serves(struct transaction *ret, uint32_t tid)
{
	*ret = reads(tid, 0);
	begin(ret);
	pass(1 * MS);
}

static inline void calls(struct transaction *ret, uint32_t tid)
{
	*ret = made(SIDE_CLIENT, tid);
	begin(ret);
}

/* A thread makes a call, which may be over at once: is its cause known? */
static inline bool call_is_linked(uint32_t tid)
{
	struct transaction call;

	calls(&call, tid);
	pass(1 * MS);
	returns(&call, tid);
	return seen.has_parent;
}

/* Whatever it was at before we came is over. */
static inline void settle(void)
{
	call_is_linked(T1);
	pass(11 * S);
}

/* One thread: each request waits until the one before it was answered, although the thread waits for a call. */
static inline void show_single(unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		struct transaction t = reads(T1, i ? 5 * MS : 0), call;

		begin(&t);
		pass(1 * MS);
		calls(&call, T1);
		pass(6 * MS);
		returns(&call, T1);
		pass(1 * MS);
		answers(&t, T1);
		pass(1 * MS);
	}
}

/* Two threads: while the one waits the other takes what comes. */
static inline void show_many(unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		struct transaction a = reads(T1, 0), b, call;

		begin(&a);
		calls(&call, T1);
		pass(1 * MS);
		serves(&b, T2);
		returns(&call, T1);
		answers(&a, T1);
		pass(1 * MS);
		answers(&b, T2);
		pass(1 * MS);
	}
}

static inline void believed(unsigned processes)
{
	assert_u64(stats().threads.believed, processes);
}

static inline void disbelieved(enum thread_fault f)
{
	assert_u64(stats().threads.believed, 0);
	for (unsigned i = 0; i < THREAD_FAULTS; i++)
		assert_u64(stats().threads.disbelieved[i], i == f);
}

/* A process that was believed. */
static inline void start_believed(void)
{
	start();
	settle();
	show_many(3 * TRIALS);
	believed(1);
}

/* … and its thread T1 is at a request. */
static inline void start_serving(struct transaction *ret)
{
	start_believed();
	serves(ret, T1);
}

#endif
