/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shared.h: one page of memory that the warden makes before the first brain and each brain maps. What
 * a brain has counted must not die with it: events submitted = read + lost over all of them. The brain's
 * loop thread writes what it counts, the warden what it decides; each field has one writer.
 */
#ifndef PC_AGENT_SHARED_H
#define PC_AGENT_SHARED_H

#include <stdint.h>

#include "capture/reader.h"

struct shared {
	uint64_t records[PC_KINDS];	   /* read from the rings, by enum pc_kind */
	uint64_t taken[READER_RINGS];	   /* how far each ring was read */
	uint64_t restarts;		   /* of the brain; the warden counts these and … */
	uint64_t reloads, reloads_refused; /* … these */
	uint64_t recording_records, recording_bytes;
	uint64_t started_ns; /* of the agent, CLOCK_MONOTONIC */
	uint64_t
		started_wall_ns; /* the same, CLOCK_REALTIME: start of the sums that outlive a brain */
};

#endif
