/* SPDX-License-Identifier: Apache-2.0 */
/*
 * episode.h: what trace/thread.c notes in an open transaction, so that it needs no memory of its own for it:
 * of a request that is being served, by which thread and what happened on that thread meanwhile; of a call,
 * which of them it was made in. Nobody else looks at it.
 */
#ifndef PC_TXN_EPISODE_H
#define PC_TXN_EPISODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct episode {
	struct list list; /* SERVER: of its thread; CLIENT: of the request that it was made in */
	/* SERVER */
	struct thread *thread; /* that read it; NULL: not followed */
	struct list calls;
	uint64_t next_ns;      /* the thread began to read another request; 0 = it did not */
	uint64_t wait_from_ns; /* longest wait for the response of a call; 0 = none */
	uint64_t wait_to_ns;
	bool beside; /* during a wait another thread took a request that this one might have taken */
	bool doubtful; /* not a fact of its thread alone */
	/* CLIENT */
	struct transaction *cause; /* NULL: none, or it is over: */
	uint64_t cause_end_ns;
};

#endif
