/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_kit.h: records made by hand and a sink that writes down what it was given, one line a call:
 *
 *   open 7                      range 7 rx 0+5 "hello"
 *   end 7 rx 0                  range 7 rx 5+10 "" ring           (absent, by cause)
 *   close 7 gone                range 7 tx 0+9 "abc" budget last
 *
 * What the sink takes is set by kit.take: KIT_ALL, or a number of bytes a call.
 */
#ifndef PC_TESTS_STREAM_KIT_H
#define PC_TESTS_STREAM_KIT_H

#include "unit.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "stream/stream.h"

#define KIT_ALL UINT64_MAX
#define MS	1000000ull

struct kit {
	struct stream *s;
	struct buf log;
	uint64_t take;
	uint64_t now_ns; /* time of the next record */
	uint32_t flags;	 /* of the next DATA */
	uint32_t tid;
	struct pc_directive directive;
	int directives, records;
	struct connection *c; /* the latest opened */
	/* Called in each range, before it is decided what is taken. */
	void (*in_range)(struct kit *k, struct connection *c, enum pc_dir d, const struct range *r);
	struct pc_arrival arrivals[8];
	unsigned arrival_count;
	uint64_t begin_ns;
	unsigned gaps[2]; /* by direction */
};

static const char *const kit_dir[] = { "rx", "tx" };
static const char *const kit_why[] = { "none",	    "budget", "directive", "sendfile",
				       "io_uring",  "compat", "mmsg",	   "zerocopy",
				       "no_buffer", "trunc",  "fault",	   "kernel",
				       "call",	    "ring",   "before",	   "buffer" };
static const char *const kit_close[] = { "gone", "idle", "evicted", "shutdown" };

static inline void kit_on_open(void *ctx, struct connection *c)
{
	struct kit *k = ctx;

	k->c = c;
	buf_addf(&k->log, "open %lu\n", (unsigned long)c->id);
}

static inline uint64_t kit_on_range(void *ctx, struct connection *c, enum pc_dir d,
				    const struct range *r, bool last)
{
	struct kit *k = ctx;

	assert_u64(c->pos[d], r->pos);
	assert_true(r->len > 0 && r->bytes.len <= r->len);
	buf_addf(&k->log, "range %lu %s %lu+%lu \"%.*s\"", (unsigned long)c->id, kit_dir[d],
		 (unsigned long)r->pos, (unsigned long)r->len, (int)r->bytes.len, r->bytes.at);
	if (r->bytes.len < r->len)
		buf_addf(&k->log, " %s", kit_why[r->why]);
	buf_addf(&k->log, "%s\n", last ? " last" : "");
	if (k->in_range)
		k->in_range(k, c, d, r);
	return k->take < r->len ? k->take : r->len;
}

static inline void kit_on_end(void *ctx, struct connection *c, enum pc_dir d, int error)
{
	buf_addf(&((struct kit *)ctx)->log, "end %lu %s %d\n", (unsigned long)c->id, kit_dir[d],
		 error);
}

static inline void kit_on_close(void *ctx, struct connection *c, enum stream_close_reason why)
{
	buf_addf(&((struct kit *)ctx)->log, "close %lu %s\n", (unsigned long)c->id, kit_close[why]);
}

static inline void kit_on_record(void *ctx, const struct pc_head *rec)
{
	((struct kit *)ctx)->records++;
}

static inline void kit_on_direct(void *ctx, const struct pc_directive *d)
{
	((struct kit *)ctx)->directive = *d;
	((struct kit *)ctx)->directives++;
}

static inline void kit_on_gap(void *ctx, struct connection *c, enum pc_dir d)
{
	((struct kit *)ctx)->gaps[d]++;
}

static inline struct stream_limits kit_limits(void)
{
	return (struct stream_limits){
		.connections = 64,
		.buffer_bytes = 1024,
		.total_bytes = 1 << 20,
		.pending = 8,
		.reorder_ns = 200 * MS,
		.grace_ns = 1000 * MS,
		.idle_ns = 600000 * MS,
	};
}

static inline void kit_new_limits(struct kit *k, struct stream_limits limits)
{
	struct stream_sink sink = {
		.ctx = k,
		.open = kit_on_open,
		.range = kit_on_range,
		.end = kit_on_end,
		.close = kit_on_close,
		.record = kit_on_record,
		.direct = kit_on_direct,
		.gap = kit_on_gap,
	};

	*k = (struct kit){ .take = KIT_ALL, .now_ns = 1000 * MS, .tid = 1 };
	buf_init(&k->log, 1 << 20);
	assert_int_equal(stream_new(&limits, &sink, &k->s), 0);
}

static inline void kit_new(struct kit *k)
{
	kit_new_limits(k, kit_limits());
}

static inline void kit_free(struct kit *k)
{
	stream_free(k->s);
	buf_done(&k->log);
}

/* What was logged since the last time. */
static inline void kit_expect_at(struct kit *k, const char *text, const char *file, int line)
{
	struct slice got = buf_slice(&k->log), expected = slice_str(text);
	bool same = slice_eq(got, expected);

	if (!same)
		print_message("got:\n%.*sexpected:\n%s", (int)got.len, got.at, text);
	_assert_true(same, "log as expected", file, line);
	buf_clear(&k->log);
}
#define kit_expect(k, text) kit_expect_at(k, text, __FILE__, __LINE__)

/* Bytes, then `absent` more because of why. The record is copied so that sanitizers see its end. */
static inline void kit_data(struct kit *k, uint64_t conn, enum pc_dir d, uint64_t pos,
			    const char *bytes, uint32_t absent, enum pc_why why)
{
	uint32_t captured = (uint32_t)strlen(bytes);
	size_t arrivals = k->arrival_count * sizeof(struct pc_arrival);
	size_t size = (sizeof(struct pc_data) + arrivals + captured + 7) & ~(size_t)7;
	struct pc_data *rec = calloc(1, size);

	rec->head = (struct pc_head){ PC_DATA, (__u16)k->flags, (__u32)size, k->now_ns };
	rec->conn = conn;
	rec->pos = pos;
	rec->len = captured + absent;
	rec->captured = captured;
	rec->begin_ns = k->begin_ns;
	rec->tgid = 100;
	rec->tid = k->tid;
	rec->dir = (__u8)d;
	rec->why = (__u8)why;
	rec->arrivals = (__u8)k->arrival_count;
	memcpy(rec + 1, k->arrivals, arrivals);
	memcpy((char *)(rec + 1) + arrivals, bytes, captured);
	stream_push(k->s, &rec->head);
	free(rec);
	k->arrival_count = 0;
	k->flags = 0;
}

static inline void kit_open_at(struct kit *k, uint64_t conn, uint64_t rx, uint64_t tx,
			       uint16_t flags)
{
	struct pc_open rec = {
		.head = { PC_OPEN, flags, sizeof(rec), k->now_ns },
		.conn = conn,
		.rx_pos = rx,
		.tx_pos = tx,
		.family = AF_INET,
		.tgid = 100,
	};

	stream_push(k->s, &rec.head);
}

static inline void kit_open(struct kit *k, uint64_t conn)
{
	kit_open_at(k, conn, 0, 0, PC_F_PASSIVE);
}

static inline void kit_end(struct kit *k, uint64_t conn, enum pc_dir d, uint64_t pos, int error)
{
	struct pc_end rec = {
		.head = { PC_END, 0, sizeof(rec), k->now_ns },
		.conn = conn,
		.pos = pos,
		.error = error,
		.dir = (__u8)d,
	};

	stream_push(k->s, &rec.head);
}

static inline void kit_close_kind(struct kit *k, enum pc_kind kind, uint64_t conn, uint64_t rx,
				  uint64_t tx, uint16_t flags)
{
	struct pc_close rec = {
		.head = { (__u16)kind, flags, sizeof(rec), k->now_ns },
		.conn = conn,
		.rx_pos = rx,
		.tx_pos = tx,
	};

	stream_push(k->s, &rec.head);
}

static inline void kit_close_at(struct kit *k, uint64_t conn, uint64_t rx, uint64_t tx)
{
	kit_close_kind(k, PC_CLOSE, conn, rx, tx, 0);
}

static inline void kit_gone(struct kit *k, uint64_t conn, uint64_t rx, uint64_t tx)
{
	kit_close_kind(k, PC_GONE, conn, rx, tx, 0);
}

static inline void kit_tick(struct kit *k, uint64_t more_ns)
{
	struct pc_head rec = { PC_TICK, 0, sizeof(rec), k->now_ns += more_ns };

	stream_push(k->s, &rec);
}

static inline struct stream_stats kit_stats(struct kit *k)
{
	struct stream_stats st;

	stream_stats(k->s, &st);
	return st;
}

#endif
