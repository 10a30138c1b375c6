/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint.h: open visits and carts in a file (pseudonyms only, mode 0600, opened by the warden), so that a
 * restart begins none of them twice. The file has a head and two places for a text; a new text goes
 * where the valid one is not, and only then the head points to it, so that whatever ends the process in
 * between leaves a whole one. Written when something has changed, as often as it takes a hundredth of the
 * loop's time: each second while few visits are open, every 10 s with 100,000. Loop thread.
 */
#ifndef PC_AGENT_CHECKPOINT_H
#define PC_AGENT_CHECKPOINT_H

#include "agent/wire.h"

struct checkpoint {
	int fd;		      /* -1 = none */
	uint64_t offset, len; /* of the valid text; len 0 = none */
	uint64_t next_ns, changes;
	bool failed; /* the last write did, and it was told */
};

/* Takes up what the file holds. What is wrong with it is told, and it begins empty. */
void checkpoint_open(struct checkpoint *c, int fd, struct core *core);
/* Writes when it is time; `now` = whatever the time is. */
void checkpoint_tick(struct checkpoint *c, const struct core *core, uint64_t now_ns, bool now);

#endif
