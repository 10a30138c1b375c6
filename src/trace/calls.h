/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls.h: calls whose cause is known → parent and trace of the call, for both of its ends.
 *
 * A call is named by what both ends know, the id of its client span (ids.h). The inner end is over
 * before the call is, and the call before the request that caused it; so what was found out when it began is
 * kept until LINK_GRACE_NS after its client end was handed out. The trace is asked for when a transaction
 * is handed out, through all calls above it, and is then settled: all that follows has the same.
 *
 * Bounded; at the limit the one that was used longest ago goes and is counted: its ends begin a trace of
 * their own.
 */
#ifndef PC_TRACE_CALLS_H
#define PC_TRACE_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#define LINK_GRACE_NS 15000000000ull /* longer than txn_limits.patience_ns: 10 s */

struct call {
	uint8_t span_id[8]; /* key: of its client span */
	uint8_t parent_id[8];
	uint8_t trace_id[16]; /* of the request that caused it, as far as that one knows itself */
	uint8_t above[8]; /* the call that the cause came in by; there need be none of that name */
	bool settled;	  /* trace_id is the trace */
	bool late;	/* its inner end was handed out before it began: it has no cause any more */
	bool passed_on; /* with the traceparent of its cause: that one names no span between */
	uint64_t mark;	/* transaction.open.mark */
	uint64_t ended_ns; /* 0: it lasts */
};

struct calls;

int calls_new(uint32_t limit, struct calls **ret);
/* Cleared but for its name; NULL: no memory. */
struct call *calls_add(struct calls *c, const uint8_t span_id[8]);
/* NULL: its cause is not known. */
struct call *calls_find(struct calls *c, const uint8_t span_id[8]);
const uint8_t *calls_trace(struct calls *c, struct call *call); /* 16 octets */
void calls_end(struct calls *c, struct call *call, uint64_t now_ns);
void calls_tick(struct calls *c, uint64_t now_ns);
uint64_t calls_evicted(const struct calls *c);
void calls_free(struct calls *c);

#endif
