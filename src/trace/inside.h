/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h: the requests that a process is serving → for a request that it sends itself, which of them
 * made it do so. Known by content, as a proxy passes a request on: same process, same method, the same
 * target (or, where a prefix is put before it or taken off, an ending of it), the same agent and referer, and
 *
 *   - a name of the request that both carry (X-Request-Id, traceparent; Forwarded with a port), or
 *   - the peer of the request that came in, as the last one forwarded for.
 *
 * By the peer alone no link is made where a hole may hide a request that looks the same (`doubted`).
 * A link is certain or it is not made: exactly one request fits among those that were read before, are not
 * answered yet; and by the peer alone only the first call that fits, since a second may be that of a request
 * which was not seen. What says otherwise (another X-Request-Id, port, agent) makes it not fit.
 *
 * The open requests are the transactions themselves, in lists through them: no memory of its own but the
 * heads of the lists, and nothing to evict.
 */
#ifndef PC_TRACE_INSIDE_H
#define PC_TRACE_INSIDE_H

#include "txn/txn.h"

struct inside;

struct inside_stats {
	uint64_t found;
	uint64_t ambiguous; /* several fit, or too many to look at */
};

int inside_new(struct inside **ret);
/* A server's request began; it stays known until inside_forget, which may be called for any transaction. */
void inside_serve(struct inside *i, struct transaction *server);
void inside_forget(struct transaction *t);
/* NULL: none for certain. *ret_passed_on: it passes on a request that the process was asked, be it certain
 * or not which. */
struct transaction *inside_cause(struct inside *i, const struct transaction *client, bool doubted,
				 bool *ret_passed_on);
/* Is it the request, or might it be, that the call passes on? */
bool inside_fits(const struct transaction *server, const struct transaction *client);
void inside_stats(const struct inside *i, struct inside_stats *ret);
void inside_free(struct inside *i);

#endif
