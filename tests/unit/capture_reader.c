/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_reader.c: the rings as the reader meets them, in plain memory, laid out as the kernel's (the
 * control ring) and as struct pc_ring says (data). Where a reader goes on when the one before it died
 * in the middle of a drain; what it makes of a record that is being written, of what an earlier lap
 * left behind, of nonsense.
 */
#include "unit.h"

#include <setjmp.h>
#include <stdlib.h>

#include "capture/reader.c"

#define BYTES	4096
#define RECORDS 8
#define KEY	0x1122334455667788ull

struct bench {
	struct ring ring;
	struct pc_ring ends;
	uint64_t taken;
	uint64_t memory[(BYTES + PC_RING_SLACK) / 8];
	unsigned seen[64];
	unsigned deadly; /* the reader dies of this record */
	struct reader_stats stats;
	jmp_buf death;
};

static void see(void *ctx, const struct pc_head *rec)
{
	struct bench *b = ctx;

	b->seen[rec->time_ns]++;
	if (rec->time_ns == b->deadly)
		longjmp(b->death, 1);
}

static struct bench *bench_new(void)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->deadly = 99;
	b->ring = (struct ring){ .consumer = (uint64_t *)&b->ends.tail,
				 .producer = (uint64_t *)&b->ends.head,
				 .data = (const char *)b->memory,
				 .bytes = BYTES,
				 .taken = &b->taken };
	return b;
}

static void *at_head(struct bench *b)
{
	return (char *)b->memory + (b->ends.head & (BYTES - 1));
}

/* As the kernel writes the control ring. */
static void put_control(struct bench *b, uint64_t name)
{
	struct pc_head head = { PC_TICK, 0, sizeof(head), name };
	char *at = at_head(b);

	*(uint32_t *)at = sizeof(head);
	memcpy(at + RECORD_HEADER, &head, sizeof(head));
	b->ends.head += RECORD_HEADER + sizeof(head);
}

/* As bpf/lib/ring.h writes a data ring; `size` of the record, filled with bytes that look like anything. */
static void put_data(struct bench *b, uint64_t name, uint32_t size, bool written)
{
	struct pc_head head = { PC_TICK, 0, size, name };
	char *at = at_head(b);

	memset(at + 8, 0x5a, pc_ring_need(size) - 8);
	memcpy(at + 8, &head, sizeof(head));
	if (written)
		*(uint64_t *)at = pc_ring_mark(b->ends.head, KEY);
	b->ends.head += pc_ring_need(size);
}

static void read_all(struct bench *b, bool data)
{
	struct reader r = { .sink = { b, see, NULL }, .ring_key = KEY };
	bool busy;

	ring_resume(&b->ring);
	if (setjmp(b->death))
		return;
	if (data)
		data_drain(&r, &b->ring, b->ends.head, UINT64_MAX);
	else
		control_drain(&r, &b->ring, b->ends.head, &busy);
	b->stats = r.stats;
}

static void fill(struct bench *b, bool data)
{
	for (unsigned i = 0; i < RECORDS; i++)
		data ? put_data(b, i, 16 + 7 * i, true) : put_control(b, i);
}

static void dies_of_a_record(void **state)
{
	for (int data = 0; data < 2; data++) {
		struct bench *b = bench_new();

		b->deadly = 3;
		fill(b, data);
		read_all(b, data);
		assert_u64(b->ends.tail, 0); /* the kernel was not told yet */
		read_all(b, data);
		for (unsigned i = 0; i < RECORDS; i++)
			assert_int_equal(b->seen[i], 1);
		assert_u64(b->ends.tail, b->ends.head);
		read_all(b, data);
		assert_int_equal(b->seen[0], 1);
		free(b);
	}
}

/* A ring that was full: the next reader has nothing to read and gives the room back all the same. */
static void dies_of_the_last_record(void **state)
{
	for (int data = 0; data < 2; data++) {
		struct bench *b = bench_new();

		b->deadly = RECORDS - 1;
		fill(b, data);
		read_all(b, data);
		assert_u64(b->ends.tail, 0);
		read_all(b, data);
		assert_int_equal(b->seen[RECORDS - 1], 1);
		assert_u64(b->ends.tail, b->ends.head);
		free(b);
	}
}

/* What a dead reader left is believed within the ring only. */
static void nonsense(void **state)
{
	static const uint64_t left[] = { 1, 23, BYTES, UINT64_MAX & ~7ull };

	for (size_t i = 0; i < 2 * sizeof(left) / sizeof(left[0]); i++) {
		struct bench *b = bench_new();

		fill(b, i % 2);
		b->taken = left[i / 2];
		read_all(b, i % 2);
		assert_int_equal(b->seen[0], 1);
		assert_int_equal(b->seen[RECORDS - 1], 1);
		free(b);
	}
}

/* Laps of every phase: records of all lengths pass the end of the ring into the slack, each read once. */
static void laps(void **state)
{
	struct bench *b = bench_new();
	unsigned total = 0;

	for (unsigned lap = 0; lap < 300; lap++) {
		uint32_t size = 16 + (lap * 37) % 3000;

		put_data(b, lap % 64, size, true);
		read_all(b, true);
		total++;
	}
	assert_u64(b->ends.tail, b->ends.head);
	for (unsigned i = 0; i < 64; i++)
		total -= b->seen[i];
	assert_int_equal(total, 0);
	assert_u64(b->stats.malformed, 0);
	free(b);
}

/* Room was taken, the mark is still to come: nothing of it and nothing behind it is read. */
static void a_record_being_written(void **state)
{
	struct bench *b = bench_new();
	uint64_t *mark;
	uint64_t pos;

	put_data(b, 0, 100, true);
	mark = at_head(b);
	pos = b->ends.head;
	put_data(b, 1, 200, false);
	put_data(b, 2, 100, true);
	read_all(b, true);
	assert_int_equal(b->seen[0] + b->seen[1] + b->seen[2], 1);
	assert_u64(b->ends.tail, pos);
	*mark = pc_ring_mark(pos, KEY);
	read_all(b, true);
	assert_int_equal(b->seen[0] + b->seen[1] + b->seen[2], 3);
	free(b);
}

/* The same place one lap later still has the mark of the lap before: it is another position's. */
static void the_mark_of_an_earlier_lap(void **state)
{
	struct bench *b = bench_new();
	const uint32_t size = 56; /* takes 64: every lap has its records at the same places */
	unsigned i;

	for (i = 0; i < BYTES / 64; i++)
		put_data(b, i % 64, size, true);
	read_all(b, true);
	b->ends.head += 64; /* taken, nothing written at all */
	read_all(b, true);
	assert_int_equal(b->seen[0], 1);
	assert_u64(b->ends.tail, BYTES);
	free(b);
}

/* A writer looks at head, others fill and the reader empties a lap, the writer looks at tail: there is
 * room, and its swap of head will tell it to look again. */
static void room_behind_an_old_head(void **state)
{
	static const uint64_t heads[] = { 0, 64, BYTES - 8, UINT32_MAX - 7ull };

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		uint64_t head = heads[i];

		assert_true(pc_ring_fits(head, head, BYTES, BYTES));
		assert_false(pc_ring_fits(head, head, BYTES + 8, BYTES));
		assert_true(pc_ring_fits(head + BYTES - 64, head, 64, BYTES));
		assert_false(pc_ring_fits(head + BYTES - 64, head, 72, BYTES));
		assert_true(pc_ring_fits(head, head + 72, 64, BYTES));
		assert_true(pc_ring_fits(head, head + 100 * BYTES, 64, BYTES));
	}
}

/* A size that cannot be: counted, and the reader goes on behind what it knew of. */
static void malformed(void **state)
{
	static const uint32_t sizes[] = { 0, 15, PC_RECORD_MAX + 1, UINT32_MAX, 2000 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct bench *b = bench_new();

		put_data(b, 0, 16, true);
		*(uint32_t *)((char *)b->memory + 8 + 4) = sizes[i];
		read_all(b, true);
		assert_u64(b->stats.malformed, 1);
		put_data(b, 1, 16, true);
		read_all(b, true);
		assert_int_equal(b->seen[0], 0);
		assert_int_equal(b->seen[1], 1);
		free(b);
	}
}

/* ---- what found no room ---- */

static struct bench *rings[2]; /* control, data */
static struct pc_counters *counters;
static unsigned told_lost, lost_at; /* records seen before it was told */

static void on_lost(void *ctx)
{
	told_lost++;
	lost_at = 0;
	for (unsigned i = 0; i < 64; i++)
		lost_at += rings[0]->seen[i] + rings[1]->seen[i];
}

/* Told before any record that was written after it, the control ring's too, and once. */
static void a_loss_is_told_first(void **state)
{
	struct reader r = { .rings = 1, .ring_key = KEY, .epoll = -1, .cpus = 2 };

	counters = calloc(2, sizeof(*counters));
	r.counters = counters;
	for (unsigned i = 0; i < 2; i++)
		rings[i] = bench_new();
	r.control_ring = rings[0]->ring;
	r.data[0] = rings[1]->ring;
	r.sink = (struct reader_sink){ rings[1], see, on_lost, NULL };
	put_control(rings[0], 1);
	put_data(rings[1], 2, sizeof(struct pc_head), true);
	reader_drain(&r, 1 << 20);
	assert_int_equal(told_lost, 0);
	put_control(rings[0], 3);
	put_data(rings[1], 4, sizeof(struct pc_head), true);
	counters[1].lost[PC_DATA]++;
	reader_drain(&r, 1 << 20);
	assert_int_equal(told_lost, 1);
	assert_int_equal(lost_at, 2);
	assert_int_equal(rings[1]->seen[4], 1);
	reader_drain(&r, 1 << 20);
	assert_int_equal(told_lost, 1);
	counters[0].lost[PC_OPEN]++;
	reader_drain(&r, 1 << 20);
	assert_int_equal(told_lost, 2);
	for (unsigned i = 0; i < 2; i++)
		free(rings[i]);
	free(counters);
}

UNIT_MAIN(T(dies_of_a_record), T(dies_of_the_last_record), T(nonsense), T(laps),
	  T(a_record_being_written), T(the_mark_of_an_earlier_lap), T(room_behind_an_old_head),
	  T(malformed), T(a_loss_is_told_first))
