/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait_list.h: records that wait for a verdict on their process, in order, in one bounded buffer.
 */
#ifndef PC_AGENT_WAIT_LIST_H
#define PC_AGENT_WAIT_LIST_H

#include "base/buf.h"
#include "parcours/abi.h"

#define WAIT_LIST_BYTES (4 * 1024 * 1024)

struct wait_list {
	struct buf records; /* each behind a struct wait_mark */
	uint64_t count;
};

void wait_list_init(struct wait_list *h);
void wait_list_done(struct wait_list *h);
/* -ENOBUFS: no room. */
int wait_list_add(struct wait_list *h, uint32_t tgid, uint64_t conn, const struct pc_head *rec);
/* Whose connection is held? 0: nobody's. */
uint32_t wait_list_owner(const struct wait_list *h, uint64_t conn);
/* Takes out all of a process and hands them to `take`, oldest first (NULL: drops). Returns how many. */
uint64_t wait_list_release(struct wait_list *h, uint32_t tgid, void *ctx,
			   void (*take)(void *ctx, const struct pc_head *rec));

#endif
