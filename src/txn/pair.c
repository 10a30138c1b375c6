/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair.c: proto's calls → open transactions. The n-th request head of a connection and the n-th
 * response head belong together (proto.h), so both are counted and found by number: a transaction
 * that was evicted or refused leaves a gap in the numbers and its messages fall into it, while its
 * neighbours stay right. A response whose request was not seen (HEAD_METHOD_UNKNOWN) is a real
 * exchange: it becomes a transaction of its own with UNOBSERVED_METHOD and takes no number.
 */
#include "txn/internal.h"

#define ROOM_TRIES 16

/* The time of the byte at pos; cleared when unobserved. */
static bool instant_get(struct txn *x, struct open_txn *o, enum pc_dir d, uint64_t pos,
			struct instant *ret)
{
	struct moment m;

	*ret = (struct instant){ 0 };
	if (!stream_moment(x->stream, o->conn->c, d, pos, &m))
		return false;
	ret->time_ns = ret->begin_ns = m.time_ns;
	if (m.begin_ns)
		ret->begin_ns = m.begin_ns;
	/* A call that blocked tells when its first byte was queued, if that; never its others. */
	if (d == PC_TX && m.blocked && !(m.begin_ns && m.call_start && m.from == pos))
		ret->begin_ns = 0;
	ret->arrival_ns = m.arrival_ns;
	ret->tgid = m.tgid;
	ret->tid = m.tid;
	ret->awaited = m.awaited;
	ret->arrived = m.arrived;
	if (m.uncertain)
		o->t.flags |= TXN_UNCERTAIN;
	return true;
}

/* The latest octet of a message that moved. Where the stream's end ends the message, nobody can ask
 * for its time any more, so it is noted as the octets come by. */
static void note_last(struct txn *x, struct open_txn *o, struct message_state *s, enum pc_dir d,
		      uint64_t pos)
{
	s->last_pos = pos;
	instant_get(x, o, d, pos, &s->last);
}

static struct open_txn *by_number(const struct txn_conn *conn, uint64_t number)
{
	for (struct open_txn *o = conn->first; o; o = o->next)
		if (o->number == number)
			return o;
	return NULL;
}

static void on_open(void *ctx, struct connection *c, bool server)
{
	struct txn *x = ctx;
	enum side side = server ? SIDE_SERVER : SIDE_CLIENT;
	struct txn_conn *conn;
	bool fresh;

	if (x->sink.open)
		x->sink.open(x->sink.ctx, c, side);
	conn = table_add(x->conns, &c->id, &fresh);
	if (!conn)
		return; /* its requests will be counted as refused */
	conn->c = c;
	conn->side = side;
	c->txn = conn;
}

static struct open_txn *begin(struct txn *x, struct txn_conn *conn, uint64_t number)
{
	struct open_txn *o = txn_add(x, conn, number);
	uint32_t ordinal = conn->ordinal++;

	if (!o)
		return NULL;
	o->t.side = conn->side;
	o->t.ordinal = ordinal;
	if (ordinal)
		o->t.flags |= TXN_REUSED;
	if (conn->c->flags & PC_F_JOINED)
		o->t.flags |= TXN_JOINED;
	return o;
}

static void say_lost(struct txn *x, const struct connection *c, enum side side)
{
	if (x->sink.lost)
		x->sink.lost(x->sink.ctx, c, side);
}

static unsigned on_request(void *ctx, struct connection *c, const struct head *h)
{
	struct txn *x = ctx;
	struct txn_conn *conn = c->txn;
	struct open_txn *o;
	enum pc_dir d;

	if (!conn) {
		txn_refuse(x);
		say_lost(x, c, SIDE_SERVER); /* or a client's: nobody knows any more */
		return 0;
	}
	d = request_dir(conn->side);
	conn->lost[d] = false;
	conn->request = o = begin(x, conn, conn->requests++);
	if (!o) {
		say_lost(x, c, conn->side);
		return 0;
	}
	for (unsigned i = 0; head_request(x, o, h); i++) {
		if (i < ROOM_TRIES && txn_evict(x, o))
			continue;
		o->t.request.seen = false; /* what was copied of it is not all */
		txn_give_up(o);
		finish(x, o);
		say_lost(x, c, conn->side);
		return 0;
	}
	instant_get(x, o, d, h->pos, &o->request.first);
	note_last(x, o, &o->request, d, h->pos + h->size - 1);
	o->t.head_ns = o->request.last.time_ns;
	o->t.head_tid = o->request.last.tid;
	o->t.head_tid_before = conn->head_tid;
	conn->head_tid = o->t.head_tid;
	say_active(x, o, 1);
	say_begin(x, o);
	return is_read(x) ? reading_begin(x, o, h, true) : 0;
}

static void on_interim(void *ctx, struct connection *c, const struct head *h)
{
	struct txn_conn *conn = c->txn;
	struct open_txn *o = conn ? by_number(conn, conn->responses) : NULL;

	if (!o)
		return;
	o->t.interim++;
	if (h->status == 100)
		o->t.flags |= TXN_CONTINUE;
}

/* A response whose request was not seen. */
static struct open_txn *begin_unasked(struct txn *x, struct txn_conn *conn)
{
	struct open_txn *o = begin(x, conn, NO_NUMBER);
	enum pc_dir d = request_dir(conn->side);

	if (!o)
		return NULL;
	o->request.done = true;
	o->request.outcome = MESSAGE_UNOBSERVED;
	o->request.why = conn->lost_why[d];
	if (o->request.why == PC_WHY_NONE && (conn->c->flags & PC_F_JOINED))
		o->request.why = PC_WHY_BEFORE;
	return o;
}

static unsigned on_response(void *ctx, struct connection *c, const struct head *h)
{
	struct txn *x = ctx;
	struct txn_conn *conn = c->txn;
	bool copied = true;
	struct open_txn *o;
	enum pc_dir d;

	if (!conn) {
		if (h->flags & HEAD_METHOD_UNKNOWN)
			txn_refuse(x);
		return 0;
	}
	d = response_dir(conn->side);
	if (h->flags & HEAD_METHOD_UNKNOWN)
		o = begin_unasked(x, conn);
	else
		o = by_number(conn, conn->responses++);
	conn->lost[d] = false;
	conn->in_response = true;
	conn->response = o;
	if (!o)
		return 0;
	txn_set_value(x, o, VALUE_WHOLE);
	for (unsigned i = 0; head_response(x, o, h); i++) {
		if (i < ROOM_TRIES && txn_evict(x, o))
			continue;
		x->stats.fields_dropped++;
		copied = false;
		break;
	}
	instant_get(x, o, d, h->pos, &o->response.first);
	note_last(x, o, &o->response, d, h->pos + h->size - 1);
	if (h->framing == FRAMING_TUNNEL) {
		conn->tunnel = o;
		conn->tunnel_pos[d] = h->pos + h->size;
	}
	return is_read(x) && copied ? reading_begin(x, o, h, false) : 0;
}

static bool on_content(void *ctx, struct connection *c, bool request, const struct range *r)
{
	struct txn *x = ctx;
	struct txn_conn *conn = c->txn;
	struct open_txn *o = !conn ? NULL : request ? conn->request : conn->response;

	if (!o || !r->len)
		return false;
	if (request)
		note_last(x, o, &o->request, request_dir(conn->side), r->pos + r->len - 1);
	else
		note_last(x, o, &o->response, response_dir(conn->side), r->pos + r->len - 1);
	return has_content(o) && reading_push(o, request, r);
}

static void end_message(struct txn *x, struct open_txn *o, bool request,
			const struct message_end *e)
{
	struct message_state *s = request ? &o->request : &o->response;
	struct txn_message *m = request ? &o->t.request : &o->t.response;
	enum side side = o->conn->side;

	s->outcome = e->outcome;
	s->why = e->outcome == MESSAGE_SHUTDOWN ? PC_WHY_SHUTDOWN : e->why;
	s->error = e->error;
	s->size_known = e->size_known;
	m->wire_bytes = e->wire_bytes;
	m->body_bytes = e->content_bytes;
	/* What is cut ended with the latest octet that came by. */
	if (m->seen && e->outcome == MESSAGE_COMPLETE && s->last_pos + 1 != e->end_pos)
		note_last(x, o, s, request ? request_dir(side) : response_dir(side),
			  e->end_pos - 1);
	s->done = true;
}

static void end_request(struct txn *x, struct txn_conn *conn, const struct message_end *e)
{
	struct open_txn *o = conn->request;

	conn->request = NULL;
	if (!o)
		return;
	end_message(x, o, true, e);
	if (has_content(o))
		reading_end(o, true, e->outcome == MESSAGE_COMPLETE);
	conn->tunnel_pos[request_dir(conn->side)] = e->end_pos;
	txn_set_value(x, o, VALUE_WHOLE);
	if (o->response.done)
		settle(x, o);
}

/* Bytes went by that are in no message: the response that never began may have been there. */
static void blame_nobody(const struct txn_conn *conn, struct message_state *s, enum pc_dir d)
{
	if (!conn->lost[d])
		return;
	s->outcome = MESSAGE_UNOBSERVED;
	s->why = conn->lost_why[d];
}

/*
 * The answer to an unknown request: was that a HEAD, so that what was taken for content were other
 * responses? Its size is a fact only when there was none; when it was cut, responses that others wait
 * for may have been in it.
 */
static void doubt_content(struct txn_conn *conn, struct open_txn *o, const struct message_end *e)
{
	enum pc_dir d = response_dir(conn->side);

	if (e->outcome == MESSAGE_COMPLETE && !e->content_bytes)
		return;
	o->response.size_known = false;
	if (e->outcome == MESSAGE_COMPLETE)
		return;
	conn->lost[d] = true;
	conn->lost_why[d] = o->request.why;
}

static void end_response(struct txn *x, struct txn_conn *conn, const struct message_end *e)
{
	struct open_txn *o;

	/* No head before it: its request is passed over. */
	o = conn->in_response ? conn->response : by_number(conn, conn->responses++);
	conn->in_response = false;
	conn->response = NULL;
	if (!o)
		return;
	end_message(x, o, false, e);
	if (has_content(o))
		reading_end(o, false, e->outcome == MESSAGE_COMPLETE);
	if (o->number == NO_NUMBER)
		doubt_content(conn, o, e);
	if (!o->t.response.seen && e->outcome == MESSAGE_CUT)
		blame_nobody(conn, &o->response, response_dir(conn->side));
	o->before = conn->last_response;
	conn->last_response = o->response.last;
	if (conn->tunnel == o) {
		o->response.done = false; /* until the tunnel ends */
		say_answered(x, o);
		return;
	}
	say_answered(x, o);
	say_active(x, o, -1);
	if (o->request.done)
		settle(x, o);
}

static void on_end(void *ctx, struct connection *c, bool request, const struct message_end *e)
{
	struct txn_conn *conn = c->txn;

	if (!conn)
		return;
	if (request)
		end_request(ctx, conn, e);
	else
		end_response(ctx, conn, e);
}

static void on_tunnel(void *ctx, struct connection *c, enum pc_dir d, uint64_t bytes)
{
	struct txn_conn *conn = c->txn;
	struct open_txn *o = conn ? conn->tunnel : NULL;
	struct instant at;

	if (!o || !bytes)
		return;
	o->t.tunnel_bytes[d] += bytes;
	conn->tunnel_pos[d] += bytes;
	/* The two directions are read in any order: the later time counts. */
	o->tunnel_hidden[d] = !instant_get(ctx, o, d, conn->tunnel_pos[d] - 1, &at);
	if (at.time_ns > o->response.last.time_ns)
		o->response.last = at;
}

static void on_lost(void *ctx, struct connection *c, enum pc_dir d, uint64_t pos, uint64_t bytes,
		    enum proto_loss loss, enum pc_why why)
{
	struct txn_conn *conn = c->txn;

	if (!conn && loss == PROTO_LOSS_HOLE)
		say_lost(ctx, c, SIDE_SERVER); /* or a client's: it is not known yet */
	/* A response that nobody asked for (408 on an idle connection) was seen: nothing is missing. */
	if (!conn || loss == PROTO_LOSS_NO_REQUEST)
		return;
	conn->lost[d] = true;
	if (why == PC_WHY_NONE && loss == PROTO_LOSS_HEAD_TOO_LARGE)
		why = PC_WHY_BUFFER;
	else if (why == PC_WHY_NONE && loss == PROTO_LOSS_MALFORMED)
		why = PC_WHY_MALFORMED;
	if (why != PC_WHY_NONE)
		conn->lost_why[d] = why;
	say_lost(ctx, c, conn->side);
}

/* What the end of the connection means for a message that had not ended. */
static void close_message(const struct txn_conn *conn, struct open_txn *o, struct message_state *s,
			  enum pc_dir d, enum stream_close_reason why)
{
	if (s->done)
		return;
	s->done = true;
	if (why == STREAM_CLOSE_SHUTDOWN) {
		s->outcome = MESSAGE_SHUTDOWN;
		s->why = PC_WHY_SHUTDOWN;
	} else if (why != STREAM_CLOSE_GONE) {
		s->outcome = MESSAGE_UNOBSERVED;
		s->why = PC_WHY_BUFFER;
	} else if (conn->tunnel == o) {
		s->outcome = MESSAGE_COMPLETE;
	} else {
		s->outcome = MESSAGE_CUT;
		s->error = conn->c->error[d];
		blame_nobody(conn, s, d);
	}
}

static void on_close(void *ctx, struct connection *c, enum stream_close_reason why)
{
	struct txn *x = ctx;
	struct txn_conn *conn = c->txn;

	while (conn && conn->first) {
		struct open_txn *o = conn->first;

		close_message(conn, o, &o->request, request_dir(conn->side), why);
		close_message(conn, o, &o->response, response_dir(conn->side), why);
		finish(x, o);
	}
	if (conn)
		table_remove(x->conns, conn);
	if (why == STREAM_CLOSE_GONE)
		attempt_over(x, c, NULL, 0);
	c->txn = NULL;
	if (x->sink.close)
		x->sink.close(x->sink.ctx, c);
}

static void on_gap(void *ctx, struct connection *c, enum pc_dir d)
{
	const struct txn_conn *conn = c->txn;

	say_lost(ctx, c, conn ? conn->side : SIDE_SERVER);
}

static void on_made(void *ctx, const struct connection *c)
{
	attempt_made(ctx, c);
}

static void on_named(void *ctx, const struct connection *c, struct slice host)
{
	attempt_named(ctx, c, host);
}

static void on_mute(void *ctx, const struct connection *c, const struct handshake *tls,
		    uint64_t when_ns)
{
	attempt_over(ctx, c, tls, when_ns);
}

static void on_sent(void *ctx, struct connection *c, const struct sent *sent)
{
	if (c->txn)
		sent_told(ctx, c->txn, sent);
}

struct proto_sink txn_proto_sink(struct txn *x)
{
	return (struct proto_sink){
		.ctx = x,
		.open = on_open,
		.request = on_request,
		.interim = on_interim,
		.response = on_response,
		.content = on_content,
		.end = on_end,
		.tunnel = on_tunnel,
		.lost = on_lost,
		.sent = on_sent,
		.gap = on_gap,
		.close = on_close,
		.made = on_made,
		.named = on_named,
		.mute = on_mute,
	};
}
