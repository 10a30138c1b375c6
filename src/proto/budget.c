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
 *  - Content that is wanted is copied whole, up to BUDGET_WANTED octets a call; said of a response as
 *    soon as its request is here, since the server may write it before anything can be said of it. What
 *    was said lasts until a request comes whose response is not wanted: connections keep their habits.
 *  - Where contents of some responses are wanted, the kernel leaves none out by itself unless told so of
 *    the very one (PC_BUDGET_LEAVE), and BUDGET_SMALL is never set: the next response may be wanted.
 */
#include "proto/inside.h"

#define SKIP_BYTES	4096
#define BUDGET_SMALL	16384
#define BUDGET_COUNTING 1 /* 0 would mean the default */
#define BUDGET_WANTED	(PC_BUDGET_CONTENT | 1u << 20)

static void set(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t pos, uint32_t budget)
{
	h->way[d].budget = budget;
	stream_skip_to(p->stream, h->c, d, pos, budget);
}

static bool is_wanted(const struct way *w)
{
	return w->budget & PC_BUDGET_CONTENT;
}

/* `offered`: octets before it are here already. */
void budget_content(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t end_pos,
		    uint64_t offered)
{
	struct way *w = &h->way[d];
	uint32_t was = w->budget & ~PC_BUDGET_LEAVE, budget = is_wanted(w) ? 0 : was;

	if (w->flags & (MESSAGE_ORPHAN | MESSAGE_MUTED))
		return;
	if (h->pipelined)
		budget = 0;
	else if (!is_request(h, d) && d == PC_TX && w->left > BUDGET_SMALL)
		budget = h->reads ? 0 : BUDGET_SMALL;
	if (end_pos > offered + SKIP_BYTES || budget != was)
		set(p, h, d, end_pos, budget);
}

void budget_chunk(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t end_pos,
		  uint64_t offered)
{
	if (h->way[d].flags & MESSAGE_WANTED)
		return;
	if (end_pos > offered + SKIP_BYTES)
		set(p, h, d, end_pos, 0);
}

void budget_counting(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t pos)
{
	const struct way *w = &h->way[d];

	/* An orphan's content may be the next message: its request may have been HEAD. */
	if (h->tunnel || !(w->flags & (MESSAGE_ORPHAN | MESSAGE_MUTED)))
		set(p, h, d, pos, BUDGET_COUNTING);
}

void budget_raise(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t pos)
{
	struct way *w = &h->way[d];

	if (w->budget & PC_BUDGET_BYTES && !is_wanted(w))
		set(p, h, d, pos, 0);
}

void budget_wanted(struct proto *p, struct http1 *h, enum pc_dir d)
{
	if (h->way[d].budget != BUDGET_WANTED)
		set(p, h, d, h->c->pos[d], BUDGET_WANTED);
}

void budget_enough(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t pos, uint64_t offered)
{
	struct way *w = &h->way[d];

	w->flags &= (uint8_t)~MESSAGE_WANTED;
	if (w->state == WAY_LENGTH)
		budget_content(p, h, d, pos + w->left, offered);
	else if (w->state == WAY_CHUNK_DATA && w->left < UINT64_MAX / 4)
		budget_chunk(p, h, d, pos + w->left, offered);
	else if (w->state == WAY_CLOSE)
		budget_counting(p, h, d, pos);
}

/* The response begins where the one before it ended, if that was seen and no other is asked for. */
void budget_expect(struct proto *p, struct http1 *h, unsigned wants)
{
	enum pc_dir d = other_dir(h->request_dir);
	struct way *w = &h->way[d];

	h->reads = wants & (WANT_RESPONSE | LEAVE_RESPONSE);
	if (wants & WANT_RESPONSE && w->state != WAY_CLOSE)
		budget_wanted(p, h, d);
	else if (wants & LEAVE_RESPONSE && w->state == WAY_START && h->queue.count == 1)
		set(p, h, d, h->c->pos[d], PC_BUDGET_LEAVE);
}
