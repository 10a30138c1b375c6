/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hold.h: records that wait for a verdict on their process, in order, in one bounded buffer.
 */
#ifndef PC_AGENT_HOLD_H
#define PC_AGENT_HOLD_H

#include "base/buf.h"
#include "parcours/abi.h"

#define HOLD_BYTES (4 * 1024 * 1024)

struct hold {
	struct buf records; /* each behind a struct hold_mark */
	uint64_t count;
};

void hold_init(struct hold *h);
void hold_done(struct hold *h);
/* -ENOBUFS: no room. */
int hold_add(struct hold *h, uint32_t tgid, uint64_t conn, const struct pc_head *rec);
/* Whose connection is held? 0: nobody's. */
uint32_t hold_owner(const struct hold *h, uint64_t conn);
/* Takes out all of a process and hands them to `take`, oldest first (NULL: drops). Returns how many. */
uint64_t hold_release(struct hold *h, uint32_t tgid, void *ctx,
		      void (*take)(void *ctx, const struct pc_head *rec));

#endif
