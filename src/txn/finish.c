/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finish.c: an open transaction → a transaction: sizes, times, outcome, process, connection facts,
 * each observed or named as unobserved; then the sink, then its memory goes back.
 *
 * Times that disagree: the clock is one (CLOCK_MONOTONIC), but two threads on two CPUs stamp the ends
 * of two calls, and the thread that read a request may be stamped after another has answered it. A
 * span that comes out negative by CLOCK_SLACK_NS at most is given as 0, by more it is unobserved;
 * either way the transaction is flagged TXN_UNCERTAIN. So no span is ever negative or invented.
 */
#include <errno.h>

#include "txn/internal.h"

#define CLOCK_SLACK_NS 1000000ull

/* from → to; false: unobserved. */
static bool span(struct transaction *t, uint64_t from, uint64_t to, uint64_t *ret)
{
	if (!from || !to)
		return false;
	if (to < from) {
		t->flags |= TXN_UNCERTAIN;
		if (from - to > CLOCK_SLACK_NS)
			return false;
		to = from;
	}
	*ret = to - from;
	return true;
}

/* Did we see where the message ended, so that its latest octet is its last one? */
static bool end_seen(const struct message_state *s)
{
	return s->done && (s->outcome == MESSAGE_COMPLETE || s->outcome == MESSAGE_CUT);
}

static void set_sizes(struct open_txn *o)
{
	struct transaction *t = &o->t;

	if (!t->request.seen)
		t->unobserved |= UNOBSERVED_METHOD;
	if (!t->request.seen || !o->request.size_known)
		t->unobserved |= UNOBSERVED_REQUEST_SIZE;
	if (!t->response.seen)
		t->unobserved |= UNOBSERVED_STATUS;
	if (!t->response.seen || !o->response.size_known)
		t->unobserved |= UNOBSERVED_RESPONSE_SIZE;
}

/* When the exchange was over; 0 = unobserved. */
static uint64_t end_time(const struct open_txn *o)
{
	const struct txn_conn *conn = o->conn;

	if (!end_seen(&o->response))
		return 0;
	if ((o->t.flags & TXN_UPGRADED) && (o->tunnel_hidden[0] || o->tunnel_hidden[1]))
		return 0;
	if (o->t.response.seen)
		return o->response.last.time_ns;
	return conn->c->end_ns[response_dir(conn->side)];
}

static void set_movers(struct open_txn *o)
{
	struct transaction *t = &o->t;

	t->request.first_tid = o->request.first.tid;
	t->request.last_tid = o->request.last.tid;
	t->response.first_tid = o->response.first.tid;
	t->response.last_tid = o->response.last.tid;
	t->request.first_ns = o->request.first.begin_ns;
	t->response.first_ns = o->response.first.begin_ns;
	t->request.last_ns = end_seen(&o->request) ? o->request.last.time_ns : 0;
	t->response.last_ns = end_seen(&o->response) ? o->response.last.time_ns : 0;
}

static void set_times(struct open_txn *o)
{
	struct transaction *t = &o->t;
	uint64_t start = o->request.first.begin_ns;

	set_movers(o);
	t->start_ns = start;
	if (!start)
		t->unobserved |= UNOBSERVED_START;
	if (!span(t, start, end_time(o), &t->duration_ns))
		t->unobserved |= UNOBSERVED_END;
	if (!span(t, start, t->response.first_ns, &t->first_byte_ns))
		t->unobserved |= UNOBSERVED_FIRST_BYTE;
	if (!span(t, start, t->request.last_ns, &t->request_ns))
		t->unobserved |= UNOBSERVED_REQUEST_END;
	if (t->side == SIDE_SERVER &&
	    !span(t, o->request.first.arrival_ns, o->request.first.time_ns, &t->wait_ns))
		t->unobserved |= UNOBSERVED_WAIT;
}

/*
 * PIPELINED and EARLY compare times, never the order of calls, which says nothing. A server stamps
 * the end of a write after the client may have answered it, so what counts there is the write's
 * beginning: a request that had arrived by then was surely sent ahead.
 */
static void set_order(struct open_txn *o)
{
	struct transaction *t = &o->t;
	const struct instant *first = &o->request.first, *last = &o->request.last;
	uint64_t came, ended;

	if (t->side == SIDE_SERVER) {
		came = first->arrival_ns ? first->arrival_ns : first->time_ns;
		if (came && came < o->before.begin_ns)
			t->flags |= TXN_PIPELINED;
		ended = last->time_ns;
	} else {
		if (first->begin_ns && first->begin_ns < o->before.time_ns)
			t->flags |= TXN_PIPELINED;
		ended = last->begin_ns;
	}
	/* Cut although it was answered: the answer came before its end. */
	if (o->request.outcome == MESSAGE_CUT)
		ended = UINT64_MAX;
	if (end_seen(&o->request) && t->response.first_ns && t->response.first_ns < ended)
		t->flags |= TXN_EARLY;
}

/* The other end closed, reset or vanished before this one closed. */
static bool peer_ended(const struct connection *c)
{
	return c->told[PC_RX] || c->error[PC_TX] || (c->flags & PC_F_RESET_IN);
}

static enum outcome outcome_of(const struct open_txn *o)
{
	const struct connection *c = o->conn->c;
	bool by_peer = peer_ended(c);

	if (!o->t.request.seen || !end_seen(&o->response))
		return OUTCOME_UNOBSERVED;
	if (o->response.outcome == MESSAGE_COMPLETE)
		return OUTCOME_COMPLETE;
	if (o->response.error == ETIMEDOUT || c->error[PC_RX] == ETIMEDOUT ||
	    c->error[PC_TX] == ETIMEDOUT)
		return OUTCOME_TIMEOUT;
	return by_peer == (o->t.side == SIDE_SERVER) ? OUTCOME_CLIENT_GONE : OUTCOME_SERVER_RESET;
}

static void set_outcome(struct open_txn *o)
{
	o->t.outcome = outcome_of(o);
	if (!end_seen(&o->response))
		o->t.why = o->response.why;
	else if (!end_seen(&o->request))
		o->t.why = o->request.why;
}

static void set_process(struct txn *x, struct open_txn *o)
{
	struct transaction *t = &o->t;
	const struct instant *by = &o->request.first;

	t->unobserved &= ~(uint32_t)UNOBSERVED_PROCESS; /* the beginning may not have known */
	if (t->side == SIDE_SERVER && t->response.seen)
		by = &o->response.first;
	t->tgid = by->tgid;
	t->tid = by->tid;
	t->process = by->tgid ? process_find(x->processes, by->tgid) : NULL;
	if (!t->tgid)
		t->unobserved |= UNOBSERVED_PROCESS;
}

bool exchange_of(const struct connection *c, enum side side, struct exchange *ret)
{
	bool told = c->flags & (PC_F_ACTIVE | PC_F_PASSIVE);

	if (!c->isn[PC_RX] && !c->isn[PC_TX])
		return false;
	ret->isn_client = c->isn[request_dir(side)];
	ret->isn_server = c->isn[response_dir(side)];
	ret->request_shift = side == SIDE_CLIENT && !told;
	ret->isn_client += (uint32_t)ret->request_shift;
	return true;
}

static void set_connection(struct open_txn *o)
{
	const struct connection *c = o->conn->c;
	struct transaction *t = &o->t;
	struct exchange name;

	t->unobserved &= ~(uint32_t)(UNOBSERVED_ADDRESS | UNOBSERVED_EXCHANGE);
	t->connection_id = c->id;
	t->family = c->family;
	t->local = c->local;
	t->remote = c->remote;
	t->source = c->source;
	t->peer_id = c->peer_id;
	t->connect_ns = c->handshake_ns;
	if (t->side == SIDE_SERVER && !(c->flags & PC_F_JOINED))
		t->established_ns = c->start_ns;
	t->srtt_us = c->srtt_us;
	t->retrans = c->retrans;
	t->reset_in = c->flags & PC_F_RESET_IN;
	t->reset_out = c->flags & PC_F_RESET_OUT;
	t->server_port = t->side == SIDE_SERVER ? c->local.port : c->remote.port;
	if (!c->opened)
		t->unobserved |= UNOBSERVED_ADDRESS;
	if (!t->request.seen || !exchange_of(c, t->side, &name)) {
		t->unobserved |= UNOBSERVED_EXCHANGE;
		return;
	}
	t->isn_client = name.isn_client;
	t->isn_server = name.isn_server;
	t->exchange_pos = t->request.pos - name.request_shift;
}

/* A path that the server did not know was made up by who asked for it. */
static bool path_is_real(const struct transaction *t)
{
	switch (t->status) {
	case 400:
	case 404:
	case 405:
	case 410:
	case 414:
	case 501:
		return false;
	}
	return true;
}

static void set_template(struct txn *x, struct transaction *t)
{
	bool overflow;

	if (!t->path.len)
		return;
	t->template_ = template_set_get(x->templates, t->path, path_is_real(t), &overflow);
	x->stats.template_overflow += overflow;
}

void say_active(struct txn *x, struct open_txn *o, int delta)
{
	if (o->counted == (delta > 0))
		return;
	o->counted = delta > 0;
	if (x->sink.active)
		x->sink.active(x->sink.ctx, o->conn->c, o->conn->side, o->t.method, delta);
}

void say_answered(struct txn *x, struct open_txn *o)
{
	if (!x->sink.answered || o->conn->side != SIDE_SERVER || !o->t.response.seen)
		return;
	set_movers(o);
	attempt_claim(x, o);
	x->sink.answered(x->sink.ctx, &o->t);
}

void say_begin(struct txn *x, struct open_txn *o)
{
	if (!x->sink.begin)
		return;
	o->t.start_ns = o->request.first.begin_ns;
	o->t.arrival_ns = o->request.first.arrival_ns;
	set_process(x, o);
	set_connection(o);
	x->sink.begin(x->sink.ctx, &o->t);
}

void finish(struct txn *x, struct open_txn *o)
{
	say_active(x, o, -1);
	if (has_content(o)) { /* what has not ended by now */
		reading_end(o, true, false);
		reading_end(o, false, false);
	}
	set_sizes(o);
	set_times(o);
	set_order(o);
	set_outcome(o);
	set_process(x, o);
	set_connection(o);
	set_template(x, &o->t);
	sent_set(o);
	x->stats.closed[o->t.outcome]++;
	if (o->t.outcome == OUTCOME_UNOBSERVED)
		x->stats.unobserved_why[o->t.why]++;
	attempt_hand_out(x, o);
	attempt_learn(x, &o->t);
	x->sink.transaction(x->sink.ctx, &o->t);
	txn_remove(x, o);
}
