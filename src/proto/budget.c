/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget.c: how much of a call the kernel should copy. The policy, in one place:
 *
 *  - By default PC_BUDGET octets of each call: a whole head of 64 KiB is seen even if it comes in one
 *    call.
 *  - Content of known length that nobody wants is skipped from the next call on (stream_skip_to): the
 *    kernel makes no record until its end is reached. A chunk's data likewise. Below SKIP_BYTES the
 *    directive would cost more than it saves.
 *  - The call that carries head and content together cannot be skipped. Once a server has written a
 *    response longer than BUDGET_SMALL with its length, calls of its responses are copied up to
 *    BUDGET_SMALL only: hardly any response head is longer, and the length says where the next one is.
 *    Back to the default as soon as this is no longer safe: chunked content (its framing may lie
 *    anywhere in a call), requests that are pipelined (several heads in one call), a head that was
 *    cut. What is read keeps the default: servers read requests in small calls and long heads do
 *    occur; a client's read joins head and chunks in one buffer, where a server writes the framing in
 *    vectors of its own, which are always copied.
 *  - Content that ends with the connection, and tunnels: only counted, so one octet a call.
 */
#include "proto/inside.h"

#define SKIP_BYTES	4096
#define BUDGET_SMALL	16384
#define BUDGET_COUNTING 1 /* 0 would mean the default */

static void set(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t pos, uint32_t budget)
{
	h->way[d].budget = budget;
	stream_skip_to(p->stream, h->c, d, pos, budget);
}

/* `offered`: octets before it are here already. */
void budget_content(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t end_pos,
		    uint64_t offered)
{
	struct way *w = &h->way[d];
	uint32_t budget = w->budget;

	if (p->sink.want_octets || (w->flags & (MESSAGE_ORPHAN | MESSAGE_MUTED)))
		return;
	if (h->pipelined)
		budget = 0;
	else if (!is_request(h, d) && d == PC_TX && w->left > BUDGET_SMALL)
		budget = BUDGET_SMALL;
	if (end_pos > offered + SKIP_BYTES || budget != w->budget)
		set(p, h, d, end_pos, budget);
}

void budget_chunk(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t end_pos,
		  uint64_t offered)
{
	if (p->sink.want_octets)
		return;
	if (end_pos > offered + SKIP_BYTES)
		set(p, h, d, end_pos, 0);
}

void budget_counting(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t pos)
{
	const struct way *w = &h->way[d];

	/* An orphan's content may be the next message: its request may have been HEAD. */
	if (h->tunnel || (!p->sink.want_octets && !(w->flags & (MESSAGE_ORPHAN | MESSAGE_MUTED))))
		set(p, h, d, pos, BUDGET_COUNTING);
}

void budget_raise(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t pos)
{
	if (h->way[d].budget)
		set(p, h, d, pos, 0);
}
