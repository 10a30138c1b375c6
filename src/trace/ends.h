/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ends.h: the ends of connections whose both ends may be watched. A client's end is remembered by what the
 * server's end can name: the pair of initial sequence numbers, or the socket on a Unix connection. A client
 * may close before the server's transaction comes through, so a closed end stays for LINK_GRACE_NS.
 *
 * And the processes that have a server's end: what asks for them is no edge.
 *
 * Order. A client's end is known when it has connected (ends_made), so before its server reads the first
 * octet; but for Unix sockets, and for a connection of before us, whose first use tells of it. What it writes
 * is told when its call returns, and the server may have answered by then. So a server's transaction may
 * have to wait: ends_is_awaited.
 *
 * Bounded; at the limit the oldest goes: its server's spans will be roots.
 */
#ifndef PC_TRACE_ENDS_H
#define PC_TRACE_ENDS_H

#include "txn/txn.h"

struct client_end;
struct ends;

int ends_new(uint32_t limit, struct ends **ret);
void ends_made(struct ends *e, const struct connection *c); /* a client's, should it be HTTP */
void ends_open(struct ends *e, const struct connection *c, enum side side);
void ends_close(struct ends *e, const struct connection *c, uint64_t now_ns);
/* A request is written at a client's end. */
void ends_begin(struct ends *e, const struct transaction *client);
/* The client's end of a server's transaction; NULL: not watched. */
struct client_end *ends_find(const struct ends *e, const struct transaction *server);
/* Its client's end, or the request that this one wrote, is still to be told, as far as we can know. */
bool ends_is_awaited(const struct ends *e, const struct transaction *server);
/* It did not tell in time: this end's requests are not waited for again. */
void ends_give_up(struct client_end *end);
/* Was it told that the client wrote this request? */
bool ends_has_begun(const struct client_end *end, const struct transaction *server);
/* Who asked serves others here, so the request that made it ask was seen there. */
bool ends_is_inner(const struct ends *e, const struct client_end *end);
bool ends_serves(const struct ends *e, uint32_t tgid);
void ends_tick(struct ends *e, uint64_t now_ns);
void ends_free(struct ends *e);

#endif
