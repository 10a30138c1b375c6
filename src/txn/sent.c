/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sent.c: what became of a response after the server wrote it: when the client's TCP had its last byte,
 * and how many of its segments were sent again. A transaction whose last byte is waited for (the kernel
 * said so with that byte) stays open until the acknowledgement is told, the connection ends, or
 * limits.patience_ns have passed; all others are handed out at once.
 *
 * What is told may come before the bytes that it is about, so a connection keeps the latest few.
 */
#include <sys/socket.h>

#include "txn/internal.h"

/* A whole response over TCP, as its server saw it: it has an acknowledgement. */
static bool has_acknowledgement(const struct open_txn *o)
{
	return o->conn->side == SIDE_SERVER && o->response.done && o->t.response.seen &&
	       o->response.outcome == MESSAGE_COMPLETE && !(o->t.flags & TXN_UPGRADED) &&
	       o->conn->c->family != AF_UNIX;
}

static uint64_t end_pos(const struct open_txn *o)
{
	return o->response.last_pos + 1;
}

static uint64_t later_of(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Of the write that ended with the response: that is the time. Of a later one: at most then. */
static void take_ack(struct open_txn *o, const struct sent *sent)
{
	uint64_t at = later_of(sent->time_ns, o->response.last.time_ns);

	if (!sent->at_most && sent->pos == end_pos(o))
		o->acknowledged_ns = at;
	else
		o->at_most_ns = at;
}

static bool is_acknowledged(const struct open_txn *o)
{
	return o->acknowledged_ns || o->at_most_ns;
}

/* Told before the response had ended? */
static void look_back(struct open_txn *o)
{
	const struct txn_conn *conn = o->conn;
	uint32_t kept = conn->acks < ACKS_KEPT ? conn->acks : ACKS_KEPT;

	for (uint32_t i = conn->acks - kept; i != conn->acks && !is_acknowledged(o); i++) {
		const struct sent *sent = &conn->acked[i % ACKS_KEPT];

		if (sent->pos >= end_pos(o))
			take_ack(o, sent);
	}
	if (!is_acknowledged(o) && conn->c->acked_pos >= end_pos(o))
		o->at_most_ns = later_of(conn->c->closed_ns, o->response.last.time_ns);
}

void settle(struct txn *x, struct open_txn *o)
{
	if (has_acknowledgement(o) && o->response.last.awaited) {
		look_back(o);
		if (!is_acknowledged(o)) {
			list_append(&x->waiting, &o->waiting);
			return;
		}
	}
	finish(x, o);
}

void sent_tick(struct txn *x, uint64_t now_ns)
{
	while (!list_empty(&x->waiting)) {
		struct open_txn *o = list_entry(x->waiting.next, struct open_txn, waiting);

		if (now_ns < o->response.last.time_ns + x->limits.patience_ns)
			break;
		finish(x, o);
	}
}

static void acknowledged(struct txn *x, struct txn_conn *conn, const struct sent *sent)
{
	conn->acked[conn->acks++ % ACKS_KEPT] = *sent;
	for (struct open_txn *o = conn->first, *next; o; o = next) {
		next = o->next;
		if (!list_is_on(&o->waiting) || end_pos(o) > sent->pos)
			continue;
		take_ack(o, sent);
		finish(x, o);
	}
}

/* Whose segment was that? */
static struct open_txn *find_sender(const struct txn_conn *conn, uint64_t pos)
{
	for (struct open_txn *o = conn->first; o; o = o->next) {
		if (!o->t.response.seen || pos < o->t.response.pos)
			continue;
		if (!o->response.done || pos < end_pos(o))
			return o;
	}
	return NULL;
}

static void sent_again(struct txn_conn *conn, const struct sent *sent)
{
	struct open_txn *o = find_sender(conn, sent->pos);

	if (o) {
		o->t.resent += sent->again;
	} else if (conn->resents < RESENT_KEPT) {
		conn->resent[conn->resents].pos = sent->pos;
		conn->resent[conn->resents++].segments = sent->again;
	} else {
		conn->resent_lost_pos = later_of(conn->resent_lost_pos, sent->pos + 1);
	}
}

void sent_told(struct txn *x, struct txn_conn *conn, const struct sent *sent)
{
	if (conn->side != SIDE_SERVER)
		return;
	if (sent->again)
		sent_again(conn, sent);
	else
		acknowledged(x, conn, sent);
}

/* Segments that were told of before the response was; what lies before its end is of no other. */
static void collect_resent(struct txn_conn *conn, struct open_txn *o)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < conn->resents; i++) {
		if (conn->resent[i].pos >= end_pos(o))
			conn->resent[n++] = conn->resent[i];
		else if (conn->resent[i].pos >= o->t.response.pos)
			o->t.resent += conn->resent[i].segments;
	}
	conn->resents = n;
}

void sent_set(struct open_txn *o)
{
	struct transaction *t = &o->t;
	uint64_t start = o->request.first.begin_ns;

	list_remove(&o->waiting);
	if (!has_acknowledgement(o))
		return;
	collect_resent(o->conn, o);
	if (o->response.last.arrived && !is_acknowledged(o))
		o->acknowledged_ns = o->response.last.time_ns;
	t->resent_known = is_acknowledged(o) && o->conn->resent_lost_pos <= t->response.pos;
	if (start && start <= o->acknowledged_ns)
		t->acknowledged_ns = o->acknowledged_ns - start;
	else if (start && start <= o->at_most_ns)
		t->acknowledged_at_most_ns = o->at_most_ns - start;
	if (!t->acknowledged_ns)
		t->unobserved |= UNOBSERVED_ACKNOWLEDGED;
	if (!t->resent_known)
		t->unobserved |= UNOBSERVED_RESENT;
}
