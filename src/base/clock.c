/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.c: the only place that reads a clock. The offset between the two clocks is taken where the
 * wall clock was read in the shortest time between two readings of the monotonic one: a thread that
 * is preempted in between would otherwise shift every time that we export.
 */
#include "base/clock.h"

#include <time.h>

#define OFFSET_READINGS 8

static uint64_t read_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t); /* cannot fail for the two clocks used here */
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ns(void)
{
	return read_ns(CLOCK_REALTIME);
}

int64_t clock_wall_minus_mono_ns(void)
{
	uint64_t best = UINT64_MAX;
	int64_t offset = 0;

	for (int i = 0; i < OFFSET_READINGS; i++) {
		uint64_t before = clock_mono_ns();
		uint64_t wall = clock_wall_ns();
		uint64_t took = clock_mono_ns() - before;

		if (took < best) {
			best = took;
			offset = (int64_t)(wall - (before + took / 2));
		}
	}
	return offset;
}
