/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shared.h: one page of memory that the warden makes before the first brain and each brain maps. What
 * a brain has counted must not die with it: events submitted = read + lost over all of them. Only the
 * brain's loop thread writes, only the next brain and the warden (for its last words) read.
 */
#ifndef PC_AGENT_SHARED_H
#define PC_AGENT_SHARED_H

#include <stdint.h>

#include "capture/reader.h"

struct shared {
	uint64_t records[16];	      /* read from the rings, by enum pc_kind */
	uint64_t taken[READER_RINGS]; /* how far each ring was read */
	uint64_t restarts;	      /* of the brain; the warden counts */
	uint64_t reloads, reloads_refused;
	uint64_t recording_records, recording_bytes;
	uint64_t started_ns; /* of the agent, CLOCK_MONOTONIC */
};

#endif
