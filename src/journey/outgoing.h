/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outgoing.h: outgoing calls → the visit of the request that they were made for. Trace names the cause of a call
 * where it is certain (its parent); but the call is over before its cause is, and whose visit that is, is
 * known only then. So a call that has something to say is kept, as a copy, until the edge's transaction
 * comes that its parents lead to: call → (inner server → hop of the proxy →) edge.
 *
 * Bounds: CALLS_MOST calls and CALLS_BYTES of their content; CALLS_SPANS transactions remembered, so that
 * a call that outlives its cause finds it too. A call that waits longer than CALLS_PATIENCE_NS is handed
 * out without a visit. One thread.
 */
#ifndef PC_JOURNEY_OUTGOING_H
#define PC_JOURNEY_OUTGOING_H

#include "txn/txn.h"

#define CALLS_MOST	  1024
#define CALLS_BYTES	  (8u << 20)
#define CALLS_SPANS	  8192
#define CALLS_DEPTH	  8 /* hops from a call to its edge */
#define CALLS_PATIENCE_NS 60000000000ull

struct outgoing;

struct outgoing_stats {
	uint64_t held, attributed, alone, dropped;
	uint32_t open;
};

/* `ready`: a call with site and session of its cause, where those are known. Valid during the call. */
int outgoing_new(void *ctx, void (*ready)(void *ctx, const struct transaction *call),
		 struct outgoing **ret);
/* Every transaction, after session: the spans that calls may lead to. Calls that waited for it are handed
 * out. */
void outgoing_seen(struct outgoing *c, const struct transaction *t);
/* A CLIENT's transaction that has something to say: handed out now or later, or dropped and counted. */
void outgoing_push(struct outgoing *c, const struct transaction *call);
void outgoing_tick(struct outgoing *c, uint64_t now_ns);
void outgoing_finish(struct outgoing *c); /* those that wait are handed out without a visit */
void outgoing_stats(const struct outgoing *c, struct outgoing_stats *ret);
void outgoing_free(struct outgoing *c);

#endif
