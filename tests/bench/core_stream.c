/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_stream.c: what one record costs in src/stream, without a kernel and with a sink that does
 * nothing but take. CPU time of the thread, best of the rounds (the machine is seldom quiet).
 *
 *   core_stream [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "stream/stream.h"

#define RECORDS 400000
#define RX_LEN	120
#define TX_LEN	300

struct job {
	const char *name;
	uint32_t connections;
	uint64_t take_below; /* a range shorter than this is not taken: heads in two pieces */
	bool swap;	     /* the two pieces come in the wrong order */
	bool halves;	     /* a request comes in two records */
	bool churn;	     /* one exchange a connection */
};

struct bench {
	const struct job *job;
	struct stream *s;
	uint64_t next[2], taken, now_ns, id;
};

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void on_open(void *ctx, struct connection *c)
{
}

static uint64_t on_range(void *ctx, struct connection *c, enum pc_dir d, const struct range *r,
			 bool last)
{
	struct bench *b = ctx;

	if (r->len < b->job->take_below)
		return 0;
	b->taken += r->len;
	return r->len;
}

static void on_end(void *ctx, struct connection *c, enum pc_dir d, int error)
{
}

static void on_close(void *ctx, struct connection *c, enum stream_close_reason why)
{
}

static long push(struct bench *b, uint64_t id, enum pc_dir d, uint64_t pos, uint32_t len)
{
	static struct {
		struct pc_data rec;
		char bytes[TX_LEN];
	} r = { .rec.head.kind = PC_DATA };

	r.rec.head.size = (__u32)(sizeof(r.rec) + len);
	r.rec.head.time_ns = b->now_ns += 1000;
	r.rec.conn = id;
	r.rec.pos = pos;
	r.rec.len = r.rec.captured = len;
	r.rec.dir = (__u8)d;
	stream_push(b->s, &r.rec.head);
	return 1;
}

static long exchange(struct bench *b, uint64_t id, uint64_t n)
{
	uint64_t rx = n * RX_LEN;
	long records = 0;

	if (!b->job->halves) {
		records += push(b, id, PC_RX, rx, RX_LEN);
	} else {
		records += push(b, id, PC_RX, b->job->swap ? rx + RX_LEN / 2 : rx, RX_LEN / 2);
		records += push(b, id, PC_RX, b->job->swap ? rx : rx + RX_LEN / 2, RX_LEN / 2);
	}
	return records + push(b, id, PC_TX, n * TX_LEN, TX_LEN);
}

static long open_close(struct bench *b, uint64_t id)
{
	struct pc_open open = { .head = { PC_OPEN, 0, sizeof(open), b->now_ns },
				.conn = id,
				.family = AF_INET };
	struct pc_close close = { .head = { PC_CLOSE, 0, sizeof(close), b->now_ns },
				  .conn = id,
				  .rx_pos = RX_LEN,
				  .tx_pos = TX_LEN };
	long records;

	stream_push(b->s, &open.head);
	records = exchange(b, id, 0);
	stream_push(b->s, &close.head);
	close.head.kind = PC_GONE;
	stream_push(b->s, &close.head);
	return records + 3;
}

static double round_of(const struct job *job)
{
	static const struct stream_limits limits = { .connections = 65536,
						     .buffer_bytes = 132 << 10,
						     .total_bytes = 16 << 20,
						     .pending = 64,
						     .reorder_ns = 200000000,
						     .grace_ns = 1000000000,
						     .idle_ns = 600000000000 };
	struct bench b = { .job = job, .now_ns = 1 };
	struct stream_sink sink = { &b, on_open, on_range, on_end, on_close, NULL, NULL };
	uint64_t start, exchanges = 0;
	long records = 0;

	if (stream_new(&limits, &sink, &b.s))
		exit(1);
	for (uint64_t id = 1; id <= job->connections; id++) /* not timed: opening */
		exchange(&b, id * 7919, 0);
	start = cpu_ns();
	while (records < RECORDS) {
		exchanges++;
		if (job->churn)
			records += open_close(&b, 1000000 + exchanges);
		else
			for (uint64_t id = 1; id <= job->connections; id++)
				records += exchange(&b, id * 7919, exchanges);
	}
	start = cpu_ns() - start;
	stream_free(b.s);
	return (double)start / (double)records;
}

int main(int argc, char **argv)
{
	static const struct job jobs[] = {
		{ "in order, 1 connection", 1 },
		{ "in order, 1,000 connections", 1000 },
		{ "in order, 10,000 connections", 10000 },
		{ "request in two records, kept", 1000, .take_below = RX_LEN, .halves = true },
		{ "request in two records, swapped", 1000, .halves = true, .swap = true },
		{ "one exchange a connection", 1, .churn = true },
	};
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 9;

	printf("| stream | ns/record | records/s |\n| --- | --- | --- |\n");
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		double best = 1e9;

		for (long n = 0; n < rounds; n++) {
			double ns = round_of(&jobs[i]);

			best = ns < best ? ns : best;
		}
		printf("| %s | %.0f | %.1f M |\n", jobs[i].name, best, 1e3 / best);
	}
	return 0;
}
