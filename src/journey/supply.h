/* SPDX-License-Identifier: Apache-2.0 */
/*
 * supply.h: contents that an inner hop has whole → the edge, whose own was not. The fact is the edge's
 * (visit, span, event id): what is taken from the hop is what was read of a message's content, all of one
 * message or nothing.
 *
 *   edge's server end ← proxy's client end ← inner server end (← …)
 *
 * A hop passes for the edge only by links that trace knows for certain (parents), where it is the one hop of
 * that request that was answered, and where both ends tell the same message: method, target, status and type
 * are equal, and the size, where both know it and neither is coded otherwise. So an error page of the proxy, a
 * second upstream that was tried, a mirrored request, a range or a 304 out of a cache take nothing, nor an answer out
 * of a cache that began before the hop's did (it is renewed in the background).
 *
 * Hops are over before their edge is, in whatever order; one that is told later is not waited for. Bounds: SUPPLY_HOPS hops,
 * SUPPLY_BYTES of what was read, SUPPLY_NS; after a hop had to be forgotten, edges that had begun before take
 * nothing. One thread.
 */
#ifndef PC_JOURNEY_SUPPLY_H
#define PC_JOURNEY_SUPPLY_H

#include "txn/txn.h"

#define SUPPLY_HOPS  16384
#define SUPPLY_BYTES (8u << 20)
#define SUPPLY_NS    15000000000ull

struct supply;

struct supply_stats {
	uint64_t kept;	   /* messages of hops that were read whole */
	uint64_t supplied; /* messages whose content the edge took from a hop */
	uint64_t unlike;   /* edges that lacked one and whose hop was several, or another message */
	uint64_t dropped;  /* hops that found no room */
};

int supply_new(struct supply **ret);
/* false: it passes a request on to a server of this host, whose own end is read anyway. */
bool supply_needs(const struct transaction *t);
/* A hop is over: an inner SERVER's transaction, or the CLIENT's that passed a request on. */
void supply_hop(struct supply *s, const struct transaction *t);
/* The edge is over. `wants`: of its response, its request; what is wanted by other ones does not fit. true:
 * *ret is *t with readings in it that live until the next call. */
bool supply_edge(struct supply *s, const struct transaction *t, const struct body_wants *wants[2],
		 struct transaction *ret);
/* May anything be here for it? */
bool supply_has(const struct supply *s, const struct transaction *t);
void supply_tick(struct supply *s, uint64_t now_ns);
void supply_stats(const struct supply *s, struct supply_stats *ret);
void supply_free(struct supply *s);

#endif
