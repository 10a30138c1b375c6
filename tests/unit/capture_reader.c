/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_reader.c: where a reader goes on when the one before it died in the middle of a drain: behind
 * the record that was in hand. On a ring in plain memory, laid out as the kernel's.
 */
#include "unit.h"

#include <setjmp.h>
#include <stdlib.h>

#include "capture/reader.c"

#define BYTES	4096
#define RECORDS 8

struct bench {
	struct ring ring;
	uint64_t consumer, producer, taken;
	uint64_t memory[BYTES / 8];
	unsigned seen[RECORDS];
	unsigned deadly; /* the reader dies of this record */
	jmp_buf death;
};

static void see(void *ctx, const struct pc_head *rec)
{
	struct bench *b = ctx;

	b->seen[rec->time_ns]++;
	if (rec->time_ns == b->deadly)
		longjmp(b->death, 1);
}

static void fill(struct bench *b)
{
	for (uint64_t i = 0; i < RECORDS; i++) {
		char *at = (char *)b->memory + b->producer;
		struct pc_head head = { PC_TICK, 0, sizeof(head), i };

		*(uint32_t *)at = sizeof(head);
		memcpy(at + RECORD_HEADER, &head, sizeof(head));
		b->producer += RECORD_HEADER + sizeof(head);
	}
	b->ring = (struct ring){ .consumer = &b->consumer,
				 .producer = &b->producer,
				 .data = (const char *)b->memory,
				 .bytes = BYTES,
				 .taken = &b->taken };
}

static void read_all(struct bench *b)
{
	struct reader r = { .sink = { b, see, NULL } };
	bool busy;

	b->ring.at = ring_resume(&b->ring);
	if (!setjmp(b->death))
		ring_drain(&r, &b->ring, b->producer, &busy);
}

static void dies_of_a_record(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->deadly = 3;
	fill(b);
	read_all(b);
	assert_u64(b->consumer, 0); /* the kernel was not told yet */
	read_all(b);
	for (unsigned i = 0; i < RECORDS; i++)
		assert_int_equal(b->seen[i], 1);
	assert_u64(b->consumer, b->producer);
	read_all(b);
	assert_int_equal(b->seen[0], 1);
	free(b);
}

/* What a dead reader left is believed within the ring only. */
static void nonsense(void **state)
{
	static const uint64_t left[] = { 1, 23, BYTES, UINT64_MAX & ~7ull };

	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		struct bench *b = calloc(1, sizeof(*b));

		b->deadly = RECORDS;
		fill(b);
		b->taken = left[i];
		read_all(b);
		assert_int_equal(b->seen[0], 1);
		assert_int_equal(b->seen[RECORDS - 1], 1);
		free(b);
	}
}

UNIT_MAIN(T(dies_of_a_record), T(nonsense))
