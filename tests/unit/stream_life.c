/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_life.c: open, end, close in any order with the data, brain restarts, limits of the table,
 * idle connections, shutdown, and records that contradict the contract.
 */
#include "stream_kit.h"

#include <errno.h>

/* GONE was read first; its positions say what is still to come. */
static void gone_before_data(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	kit_end(&k, 7, PC_RX, 5, 0);
	kit_close_at(&k, 7, 5, 3);
	kit_gone(&k, 7, 5, 3);
	kit_data(&k, 7, PC_RX, 0, "hello", 0, 0);
	kit_expect(&k, "open 7\nrange 7 rx 0+5 \"hello\"\nend 7 rx 0\n");
	assert_u64(k.c->final_pos[PC_TX], 3);
	kit_data(&k, 7, PC_TX, 0, "abc", 0, 0);
	kit_expect(&k, "range 7 tx 0+3 \"abc\"\nend 7 tx 0\nclose 7 gone\n");
	assert_int_equal(kit_stats(&k).connections, 0);
	kit_free(&k);
}

static void gone_with_data_missing(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	kit_data(&k, 7, PC_RX, 0, "hello", 0, 0);
	kit_gone(&k, 7, 5, 30);
	kit_data(&k, 7, PC_TX, 10, "abc", 0, 0);
	buf_clear(&k.log);
	kit_tick(&k, 199 * MS);
	kit_expect(&k, "");
	kit_tick(&k, 1 * MS); /* both the gap between records and what GONE promised */
	kit_expect(&k, "range 7 tx 0+10 \"\" ring\nrange 7 tx 10+3 \"abc\"\n"
		       "range 7 tx 13+17 \"\" ring\nend 7 rx 0\nend 7 tx 0\nclose 7 gone\n");
	kit_free(&k);
}

static void end_with_data_missing(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	kit_end(&k, 7, PC_RX, 8, ECONNRESET);
	assert_false(k.c->ended[PC_RX]);
	kit_data(&k, 7, PC_RX, 0, "abc", 0, 0);
	kit_tick(&k, 200 * MS);
	kit_expect(&k, "open 7\nrange 7 rx 0+3 \"abc\"\nrange 7 rx 3+5 \"\" ring\nend 7 rx 104\n");
	assert_true(k.c->ended[PC_RX] && k.c->told[PC_RX] && !k.c->told[PC_TX]);
	assert_int_equal(k.c->error[PC_RX], ECONNRESET);
	/* Bytes after the end cannot be handed out; they are not forgotten either. */
	kit_data(&k, 7, PC_RX, 8, "more", 0, 0);
	kit_gone(&k, 7, 12, 0);
	kit_expect(&k, "end 7 tx 0\nclose 7 gone\n");
	assert_u64(kit_stats(&k).after_end_bytes, 4);
	kit_free(&k);
}

/* Reads may follow a CLOSE; it frees the connection only after the grace. */
static void read_after_close(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	kit_close_kind(&k, PC_CLOSE, 7, 0, 0, PC_F_RESET_IN);
	kit_tick(&k, 20 * MS);
	kit_data(&k, 7, PC_RX, 0, "ten bytes!", 0, 0);
	kit_expect(&k, "open 7\nrange 7 rx 0+10 \"ten bytes!\"\n");
	kit_tick(&k, 980 * MS);
	kit_expect(&k, "end 7 rx 104\nend 7 tx 104\nclose 7 gone\n");
	kit_gone(&k, 7, 10, 0); /* known no more: nothing to tell */
	kit_expect(&k, "");
	kit_free(&k);
}

/* An END that the application was told overrides what CLOSE implied. */
static void end_after_close(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	kit_close_kind(&k, PC_CLOSE, 7, 0, 0, PC_F_RESET_IN);
	kit_end(&k, 7, PC_TX, 0, EPIPE);
	kit_expect(&k, "open 7\nend 7 tx 32\n");
	kit_gone(&k, 7, 0, 0);
	kit_expect(&k, "end 7 rx 104\nclose 7 gone\n");
	kit_free(&k);
}

static void data_before_open(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_data(&k, 7, PC_RX, 100, "abc", 0, 0);
	assert_false(k.c->opened);
	assert_u64(k.c->start[PC_RX], 100);
	assert_int_equal(k.c->tgid, 100);
	kit_open_at(&k, 7, 0, 50, PC_F_PASSIVE);
	assert_true(k.c->opened);
	assert_int_equal(k.c->family, AF_INET);
	assert_u64(k.c->start[PC_TX], 50);
	kit_data(&k, 7, PC_TX, 50, "x", 0, 0);
	kit_expect(&k, "open 7\nrange 7 rx 100+3 \"abc\"\nrange 7 tx 50+1 \"x\"\n");
	kit_gone(&k, 7, 103, 51);
	kit_expect(&k, "end 7 rx 0\nend 7 tx 0\nclose 7 gone\n");
	kit_free(&k);
}

/* The OPEN was lost. Seen from the first byte one way: so is the other. Nothing may look as if it had
 * not moved: the response is missing, not unwritten. */
static void open_lost(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_data(&k, 7, PC_RX, 0, "GET", 0, 0);
	kit_data(&k, 7, PC_TX, 5, "body", 0, 0);
	kit_tick(&k, 200 * MS);
	kit_expect(&k, "open 7\nrange 7 rx 0+3 \"GET\"\nrange 7 tx 0+5 \"\" ring\n"
		       "range 7 tx 5+4 \"body\"\n");
	kit_data(&k, 8, PC_RX, 0, "GET", 0, 0);
	kit_gone(&k, 8, 3, 50);
	kit_tick(&k, 200 * MS);
	kit_expect(&k, "open 8\nrange 8 rx 0+3 \"GET\"\nrange 8 tx 0+50 \"\" ring\nend 8 rx 0\n"
		       "end 8 tx 0\nclose 8 gone\n");
	kit_data(&k, 9, PC_RX, 70, "GET", 0, 0); /* perhaps older than we are */
	kit_gone(&k, 9, 73, 50);
	kit_tick(&k, 200 * MS);
	kit_expect(&k, "open 9\nrange 9 rx 70+3 \"GET\"\nrange 9 tx 0+50 \"\" before\n"
		       "end 9 rx 0\nend 9 tx 0\nclose 9 gone\n");
	kit_free(&k);
}

/* Told again (scope or brain changed) for a connection that we know: its positions are promises. */
static void open_again(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	kit_data(&k, 7, PC_RX, 0, "abc", 0, 0);
	kit_open_at(&k, 7, 9, 0, PC_F_PASSIVE | PC_F_JOINED);
	kit_data(&k, 7, PC_RX, 3, "def", 0, 0);
	kit_tick(&k, 200 * MS);
	kit_data(&k, 7, PC_RX, 9, "jkl", 0, 0);
	kit_expect(&k, "open 7\nrange 7 rx 0+3 \"abc\"\nrange 7 rx 3+3 \"def\"\n"
		       "range 7 rx 6+3 \"\" ring\nrange 7 rx 9+3 \"jkl\"\n");
	assert_u64(kit_stats(&k).opened, 1);
	assert_u64(kit_stats(&k).joined, 0);
	kit_free(&k);
}

static void joined(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open_at(&k, 7, 5000000000ull, 12, PC_F_JOINED);
	kit_data(&k, 7, PC_RX, 5000000000ull, "tail of a body", 0, 0);
	kit_gone(&k, 7, 5000000014ull, 12);
	kit_expect(&k,
		   "open 7\nrange 7 rx 5000000000+14 \"tail of a body\"\nend 7 rx 0\nend 7 tx 0\n"
		   "close 7 gone\n");
	assert_u64(kit_stats(&k).bytes[PC_RX], 14);
	assert_u64(kit_stats(&k).joined, 1);
	kit_free(&k);
}

static void table_full(void **state)
{
	struct stream_limits limits = kit_limits();
	struct kit k;

	limits.connections = 2;
	kit_new_limits(&k, limits);
	kit_open(&k, 1);
	kit_open(&k, 2);
	k.now_ns += 2000 * MS;
	k.take = 0;
	kit_data(&k, 1, PC_RX, 0, "abc", 0, 0); /* 2 is the least recently used now */
	kit_open(&k, 3);
	kit_expect(&k, "open 1\nopen 2\nrange 1 rx 0+3 \"abc\"\nclose 2 evicted\nopen 3\n");
	/* What was kept of an evicted one is offered for the last time. It did not end: no end. */
	k.now_ns += 2000 * MS;
	kit_data(&k, 3, PC_RX, 0, "x", 0, 0);
	buf_clear(&k.log);
	kit_open(&k, 4);
	kit_expect(&k, "range 1 rx 0+3 \"abc\" last\nrange 1 rx 0+3 \"\" buffer last\n"
		       "close 1 evicted\nopen 4\n");
	assert_u64(kit_stats(&k).evicted, 2);
	assert_u64(kit_stats(&k).hole_bytes[PC_WHY_BUFFER], 3);
	assert_int_equal(kit_stats(&k).connections, 2);
	kit_free(&k);
}

static void idle(void **state)
{
	struct kit k;
	struct pc_open rec = {
		.head = { PC_OPEN, 0, sizeof(rec), 1000 * MS },
		.conn = 1,
		.family = AF_UNIX,
	};

	kit_new(&k);
	stream_push(k.s, &rec.head);
	kit_open(&k, 2);		      /* TCP tells its end */
	kit_data(&k, 3, PC_RX, 0, "x", 0, 0); /* its OPEN was lost, its GONE may be too */
	kit_tick(&k, 500000 * MS);
	kit_data(&k, 3, PC_RX, 1, "y", 0, 0);
	buf_clear(&k.log);
	kit_tick(&k, 175000 * MS);
	kit_expect(&k, "close 1 idle\n");
	kit_tick(&k, 600000 * MS);
	kit_expect(&k, "close 3 idle\n");
	assert_int_equal(kit_stats(&k).connections, 1);
	kit_free(&k);
}

static void shutdown_hands_out(void **state)
{
	struct kit k;

	kit_new(&k);
	kit_open(&k, 7);
	k.take = 0;
	kit_data(&k, 7, PC_RX, 0, "abc", 0, 0);
	kit_data(&k, 7, PC_TX, 5, "x", 0, 0);
	buf_clear(&k.log);
	k.take = 2;
	stream_flush(k.s);
	kit_expect(&k, "range 7 tx 0+5 \"\" ring\nrange 7 tx 2+3 \"\" ring\n"
		       "range 7 rx 0+3 \"abc\" last\nrange 7 rx 2+1 \"\" buffer last\n"
		       "range 7 tx 4+1 \"\" ring last\nrange 7 tx 5+1 \"x\" last\n"
		       "close 7 shutdown\n");
	assert_u64(kit_stats(&k).bytes[PC_RX] + kit_stats(&k).bytes[PC_TX], 9);
	assert_u64(kit_stats(&k).hole_bytes[PC_WHY_BUFFER], 1);
	assert_u64(kit_stats(&k).hole_bytes[PC_WHY_RING], 5);
	assert_u64(kit_stats(&k).buffered_bytes, 0);
	kit_free(&k);
}

/* One record of each kind, then each field that can contradict the contract. */
static void hostile(void **state)
{
	union {
		struct pc_head head;
		struct pc_data data;
		struct pc_open open;
		struct pc_end end;
		struct pc_close close;
		struct pc_process process;
		struct pc_who who;
		struct pc_dns dns;
		char bytes[2048];
	} r;
	struct kit k;
	unsigned bad = 0;

#define BAD(change)                                                                                \
	do {                                                                                       \
		change;                                                                            \
		stream_push(k.s, &r.head);                                                         \
		assert_u64(kit_stats(&k).malformed, ++bad);                                        \
	} while (0)
#define DATA()                                                                                     \
	(memset(&r, 0, sizeof(r)), r.data.head = (struct pc_head){ PC_DATA, 0, 200, 1 },           \
	 r.data.len = 10, r.data.captured = 10)

	kit_new(&k);
	BAD((memset(&r, 0, sizeof(r)), r.head = (struct pc_head){ 0, 0, 200, 1 }));
	BAD(r.head.kind = 18);
	BAD((memset(&r, 0, sizeof(r)),
	     r.head = (struct pc_head){ PC_LISTENER, 0, sizeof(struct pc_listener) - 1, 1 }));
	BAD((memset(&r, 0, sizeof(r)),
	     r.head = (struct pc_head){ PC_DNS, 0, sizeof(struct pc_dns) - 1, 1 }));
	BAD((r.head.size = sizeof(struct pc_dns) + 9, r.dns.captured = 10));
	BAD((r.head.size = sizeof(struct pc_dns) + 600, r.dns.captured = PC_DNS_BYTES + 1));
	BAD((r.dns.captured = PC_DNS_BYTES, r.dns.dir = 2));
	BAD((memset(&r, 0, sizeof(r)),
	     r.head = (struct pc_head){ PC_RESENT, 0, sizeof(struct pc_sent), 1 }));
	BAD((r.head = (struct pc_head){ PC_ACKED, 0, sizeof(struct pc_sent) - 1, 1 }));
	BAD((r.head = (struct pc_head){ PC_LOOKED, 0, sizeof(struct pc_head), 1 }));
	BAD(r.head.kind = 65535);
	BAD((r.head.kind = PC_TICK, r.head.size = 8));
	BAD((DATA(), r.head.size = 0));
	BAD((DATA(), r.head.size = sizeof(struct pc_data) - 1));
	BAD((DATA(), r.head.size = sizeof(struct pc_data) + 9));
	BAD((DATA(), r.head.time_ns = UINT64_MAX));
	BAD((DATA(), r.data.dir = 2));
	BAD((DATA(), r.data.arrivals = PC_ARRIVALS + 1));
	BAD((DATA(), r.data.len = 9));
	BAD((DATA(), r.data.len = r.data.captured = 0));
	BAD((DATA(), r.data.len = 20));
	BAD((DATA(), r.data.len = 20, r.data.why = PC_WHY_RING));
	BAD((DATA(), r.data.len = 20, r.data.why = 255));
	BAD((DATA(), r.data.pos = UINT64_MAX - 5));
	BAD((DATA(), r.data.captured = UINT32_MAX, r.data.len = UINT32_MAX));
	BAD((memset(&r, 0, sizeof(r)), r.head = (struct pc_head){ PC_OPEN, 0, 16, 1 }));
	BAD((r.head.size = sizeof(r.open), r.open.tx_pos = UINT64_MAX));
	BAD((memset(&r, 0, sizeof(r)), r.head = (struct pc_head){ PC_END, 0, sizeof(r.end), 1 },
	     r.end.dir = 3));
	BAD((r.end.dir = 0, r.end.pos = PC_NEVER));
	BAD((memset(&r, 0, sizeof(r)), r.head = (struct pc_head){ PC_GONE, 0, sizeof(r.close), 1 },
	     r.close.rx_pos = PC_NEVER));
	BAD((memset(&r, 'x', sizeof(r)), r.head = (struct pc_head){ PC_WHO, 0, sizeof(r.who), 1 }));
	BAD(r.head = ((struct pc_head){ PC_EXEC, 0, sizeof(r.process), 1 }));
	BAD(r.head = ((struct pc_head){ PC_CLOCK, 0, sizeof(struct pc_head), 1 }));
	kit_expect(&k, "");
	assert_int_equal(k.records, 0);
	DATA();
	stream_push(k.s, &r.head); /* the unharmed one */
	assert_u64(kit_stats(&k).malformed, bad);
	assert_u64(kit_stats(&k).bytes[PC_RX], 10);
	memset(&r, 0, sizeof(r));
	r.head = (struct pc_head){ PC_WHO, 0, sizeof(r.who), 1 };
	stream_push(k.s, &r.head);
	assert_int_equal(k.records, 1);
	kit_free(&k);
#undef BAD
#undef DATA
}

static void refuses_bad_limits(void **state)
{
	struct stream_sink sink = { 0 };
	struct stream_limits limits = kit_limits();
	struct stream *s;

	assert_int_equal(stream_new(&limits, &sink, &s), -EINVAL);
	stream_free(NULL);
}

UNIT_MAIN(T(gone_before_data), T(gone_with_data_missing), T(end_with_data_missing),
	  T(read_after_close), T(end_after_close), T(data_before_open), T(open_lost), T(open_again),
	  T(joined), T(table_full), T(idle), T(shutdown_hands_out), T(hostile),
	  T(refuses_bad_limits))
