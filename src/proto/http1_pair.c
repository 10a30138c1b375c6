/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_pair.c: which response answers which request. In the ordinary case the first one that waits.
 * Responses are read before their requests now and then (the rings are not in causal order), so a
 * response without a request waits for one (limits.hold_ns). After a hole, times decide: a response
 * that was moved before a request cannot answer it.
 *
 * A response whose request fell into a hole is an orphan: delivered, flagged, since a request was
 * certainly there. A response where no octet of a request was missed (a server that gives up an idle
 * connection with 408) is told as lost, as are those of a connection that we joined.
 */
#include <errno.h>
#include <stdlib.h>

#include "proto/inside.h"

static uint64_t *slot(const struct http1 *h, uint32_t i)
{
	const struct queue *q = &h->queue;

	if (!q->many)
		return (uint64_t *)&q->few[(q->first + i) % QUEUE_FEW];
	return &q->many[(q->first + i) % q->room];
}

bool http1_queue_full(const struct proto *p, const struct http1 *h)
{
	return h->queue.count >= p->limits.pipelined;
}

static int grow(struct proto *p, struct http1 *h)
{
	struct queue *q = &h->queue;
	uint32_t room = q->many ? q->room * 2u : 16;
	uint64_t *many;

	if (room > p->limits.pipelined)
		room = p->limits.pipelined;
	many = malloc(room * sizeof(*many));
	if (!many)
		return -ENOMEM;
	for (uint32_t i = 0; i < q->count; i++)
		many[i] = *slot(h, i);
	free(q->many);
	q->many = many;
	q->room = (uint16_t)room;
	q->first = 0;
	return 0;
}

int http1_queue_push(struct proto *p, struct http1 *h, uint64_t time_ns, enum request_class class)
{
	struct queue *q = &h->queue;

	if (q->count == (q->many ? q->room : QUEUE_FEW) && grow(p, h) != 0)
		return -ENOMEM;
	*slot(h, q->count) = time_ns << 4 | class;
	q->count++;
	return 0;
}

uint64_t http1_queue_at(const struct http1 *h, uint32_t i)
{
	return *slot(h, i);
}

void http1_queue_pop(struct http1 *h)
{
	struct queue *q = &h->queue;

	q->first = (uint16_t)((q->first + 1) % (q->many ? q->room : QUEUE_FEW));
	q->count--;
}

void http1_queue_mark(struct http1 *h, uint64_t flag)
{
	if (h->queue.count)
		*slot(h, h->queue.count - 1u) |= flag;
}

void http1_queue_done(struct http1 *h)
{
	free(h->queue.many);
	h->queue = (struct queue){ 0 };
}

void http1_in_flight(struct proto *p, struct http1 *h)
{
	if (h->pipelined)
		return;
	h->pipelined = true;
	budget_raise(p, h, PC_RX, h->c->pos[PC_RX]);
	budget_raise(p, h, PC_TX, h->c->pos[PC_TX]);
}

/* How does the client use the connection? Who keeps requests in flight has sent the next one before a
 * response begins. Only requests with nothing missed between them say so. */
void http1_note_turn(struct proto *p, struct http1 *h, uint64_t asked_ns)
{
	bool counts = !h->before_gap;

	h->before_gap = true;
	if (!h->before_ns || !asked_ns)
		return;
	if (asked_ns > h->before_ns) {
		h->turns += counts && h->turns < TURNS;
		return;
	}
	http1_in_flight(p, h);
}

/* A response found the queue empty. Can its request still come? */
static bool may_come(const struct http1 *h, const struct way *requests)
{
	if (requests->state == WAY_TUNNEL || h->c->ended[h->request_dir])
		return false;
	if (requests->state != WAY_LOST || h->joined)
		return true;
	/* Lost: only if the next request would be believed (http1_resync.c). */
	return requests->seen_ns && h->answer_from_ns > requests->seen_ns;
}

/* Does a lost way of requests stand at a later one already? Then the one asked for was passed over. */
static bool went_by(struct proto *p, const struct http1 *h, enum pc_dir d, const struct range *r)
{
	const struct way *requests = &h->way[h->request_dir];
	uint64_t t;

	if (requests->state != WAY_LOST || !requests->offered_ns)
		return false;
	t = stream_when(p->stream, h->c, d, r->pos);
	return t && t < requests->offered_ns;
}

enum answer http1_answer(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r,
			 bool last)
{
	struct way *w = &h->way[d], *requests = request_way(h);
	bool behind = false; /* the oldest request is younger than this response */

	if (h->queue.count) {
		uint64_t t = h->check ? stream_when(p->stream, h->c, d, r->pos) : 0;
		uint64_t asked = entry_ns(http1_queue_at(h, 0));

		if (h->check && (!t || !asked))
			return ANSWER_UNSURE;
		behind = t < asked && h->check;
		if (!behind) {
			/* After the first one of a joined connection more may come that nobody was seen
			 * to ask for: the next one is checked too. */
			h->check = h->joined;
			h->joined = false;
			return ANSWER_FRONT;
		}
	} else if (!last && !(h->expired & 1 << d) && may_come(h, requests) &&
		   !went_by(p, h, d, r)) {
		return ANSWER_WAIT;
	}
	if (!h->joined && (behind || requests->state == WAY_LOST))
		return ANSWER_ORPHAN;
	w->loss = h->joined ? PROTO_LOSS_JOINED : PROTO_LOSS_NO_REQUEST;
	w->why = h->joined ? PC_WHY_BEFORE : PC_WHY_NONE;
	return ANSWER_MUTED;
}

void http1_pass_over(struct proto *p, struct http1 *h, const struct message_end *e)
{
	uint64_t entry = http1_queue_at(h, 0);

	http1_queue_pop(h);
	h->before_gap = true;
	/* Was a tunnel agreed to? Then whatever follows is not ours to parse. */
	if (e->outcome == MESSAGE_UNOBSERVED && (entry & 3) == REQUEST_CONNECT)
		h->blind = true;
	if (h->await && h->queue.count == 0) {
		h->await = false;
		if (h->blind && request_way(h)->state == WAY_START)
			http1_lose_way(p, h, h->request_dir, h->c->pos[h->request_dir],
				       PROTO_LOSS_HOLE, e->why);
	}
	if (e->outcome == MESSAGE_CUT)
		p->stats.cut++;
	else if (e->outcome == MESSAGE_UNOBSERVED)
		p->stats.unobserved++;
	p->sink.end(p->sink.ctx, h->c, false, e);
	http1_wake(p, h, h->request_dir);
}

void http1_answered(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t end_pos,
		    bool complete)
{
	struct way *w = &h->way[d];
	bool front = !(w->flags & (MESSAGE_ORPHAN | MESSAGE_MUTED));
	uint64_t entry = 0;

	if (!front) {
		h->before_gap = true;
	} else {
		entry = http1_queue_at(h, 0);
		http1_queue_pop(h);
		if (h->await && h->queue.count == 0)
			h->await = false;
	}
	/* Does it tell a lost request way where it is? See http1_resync.c. */
	if (request_way(h)->state == WAY_LOST && (!front || entry & REQUEST_CUT)) {
		h->answer_from_ns = w->first_ns;
		h->answer_to_ns = stream_when(p->stream, h->c, d, end_pos - 1);
	}
	if (!complete || entry & REQUEST_GAP)
		h->before_gap = true;
	if (front && complete)
		h->before_ns = stream_when(p->stream, h->c, d, end_pos - 1);
	/* What came behind a whole request before its response had ended is of another one. */
	if ((entry & (REQUEST_GAP | REQUEST_CUT)) == REQUEST_GAP && complete &&
	    request_way(h)->first_ns && request_way(h)->first_ns <= h->before_ns)
		http1_in_flight(p, h);
	if (h->queue.count)
		http1_note_turn(p, h, entry_ns(http1_queue_at(h, 0)));
	http1_wake(p, h, h->request_dir);
}
