/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto.c: the stage: made, wired between stream/ and txn/, and the table of protocols. Here a new
 * connection is recognised: the first octets of a direction decide. What no protocol knows is ignored
 * at once, so that it costs nothing more; of a connection that we joined the first octets mean little,
 * so there a message start is looked for until both sides have taken many turns. Of a connection that this
 * end made and that begins as TLS the handshake is watched, so that one that fails can be told.
 *
 * Connection state comes from a pool of slabs that is bounded by the stream's connections.
 * One thread; slabs live as long as the stage.
 */
#include <errno.h>
#include <stdlib.h>

#include "proto/inside.h"
#include "proto/preface.h"

static const struct protocol *const proto_table[] = {
	&http1_protocol,
};

#define SLAB_CONNS 64
#define TURNS_MAX  16 /* of a joined connection without a message start: not ours */

struct slab {
	struct slab *next;
	struct proto_conn conns[SLAB_CONNS];
};

_Static_assert(sizeof(struct proto_conn) <= 256, "10,000 idle connections must stay cheap");

/* ---- pool ---- */

static struct proto_conn *conn_new(struct proto *p)
{
	struct proto_conn *conn;

	if (!p->free) {
		struct slab *s = calloc(1, sizeof(*s));

		if (!s)
			return NULL;
		s->next = p->slabs;
		p->slabs = s;
		for (int i = 0; i < SLAB_CONNS; i++) {
			s->conns[i].next_free = p->free;
			p->free = &s->conns[i];
		}
	}
	conn = p->free;
	p->free = conn->next_free;
	memset(conn, 0, sizeof(*conn));
	return conn;
}

static void conn_free(struct proto *p, struct proto_conn *conn)
{
	conn->next_free = p->free;
	p->free = conn;
}

/* ---- shared by the protocols ---- */

void proto_lose(struct proto *p, struct connection *c, enum pc_dir d, uint64_t pos, uint64_t bytes,
		enum proto_loss loss, enum pc_why why)
{
	if (bytes == 0)
		return;
	p->stats.lost_bytes[loss] += bytes;
	p->stats.lost_by_dir[d] += bytes;
	if (loss == PROTO_LOSS_HOLE)
		((struct proto_conn *)c->proto)->holed = true;
	p->sink.lost(p->sink.ctx, c, d, pos, bytes, loss, why);
}

/* A direction that starts at its very first octet was not in use before us, whatever OPEN says; one
 * that starts at 1 may be so too (abi.h). Without TCP's numbers (Unix, MPTCP …) positions count from
 * where we came in, so there OPEN is believed. */
static bool starts_late(const struct connection *c, enum pc_dir d)
{
	if (c->flags & PC_F_JOINED && !c->isn[PC_RX] && !c->isn[PC_TX])
		return true;
	return c->start[d] > 1;
}

/* OPEN told both positions at one instant. Without it a direction starts where records are not lost
 * any more: what came before is a hole, and the two starts say nothing of each other. */
bool proto_is_joined(const struct connection *c, enum pc_dir d)
{
	return c->opened && starts_late(c, d);
}

void proto_meet(struct connection *c, enum pc_dir d)
{
	struct proto_conn *conn = c->proto;

	conn->met[d] = true;
	conn->missed[d] |= starts_late(c, d);
}

/* ---- detection ---- */

static void tell_unmade(struct proto *p, const struct connection *c)
{
	if (p->sink.unmade && c->flags & PC_F_ACTIVE)
		p->sink.unmade(p->sink.ctx, c);
}

static uint64_t not_ours(struct proto *p, struct connection *c, enum pc_dir d,
			 const struct range *r)
{
	struct proto_conn *conn = c->proto;

	p->stats.not_http++;
	p->stats.lost[PROTO_LOSS_NOT_HTTP]++;
	proto_lose(p, c, d, r->pos, r->len, PROTO_LOSS_NOT_HTTP, PC_WHY_NONE);
	tell_unmade(p, c);
	c->proto = NULL;
	conn_free(p, conn);
	stream_ignore(p->stream, c);
	return r->len;
}

/* ---- TLS that was asked for here ---- */

static void not_watched(struct proto *p, struct connection *c)
{
	struct proto_conn *conn = c->proto;

	tell_unmade(p, c);
	c->proto = NULL;
	conn_free(p, conn);
	stream_ignore(p->stream, c);
}

static void tell_mute(struct proto *p, const struct connection *c, const struct handshake *tls,
		      uint64_t when_ns)
{
	if (p->sink.mute)
		p->sink.mute(p->sink.ctx, c, tls, when_ns);
}

/* How it ends is told as soon as it is known; then it costs nothing more. */
static uint64_t shake(struct proto *p, struct connection *c, enum pc_dir d, const struct range *r,
		      bool last)
{
	struct handshake *h = &((struct proto_conn *)c->proto)->handshake;
	bool asked = h->asked, answered = h->answered;
	struct moment m;
	uint64_t n = handshake_push(h, d == PC_TX, r->pos, r->bytes, r->len, last);

	stream_moment(p->stream, c, d, r->pos, &m);
	proto_lose(p, c, d, r->pos, n, PROTO_LOSS_NOT_HTTP, PC_WHY_NONE);
	if (!asked && h->name_len && p->sink.named)
		p->sink.named(p->sink.ctx, c, slice_of(h->name, h->name_len));
	if (!answered && h->answered)
		stream_kick(p->stream, c, PC_TX);
	switch ((enum handshake_state)h->state) {
	case HANDSHAKE_GOES_ON:
		break;
	case HANDSHAKE_FAILED:
	case HANDSHAKE_NOT_TLS:
		if (!h->asked)
			break; /* the other direction says by which name */
		tell_mute(p, c, h, m.time_ns);
		not_watched(p, c);
		break;
	case HANDSHAKE_DONE:
	case HANDSHAKE_UNSEEN:
		not_watched(p, c);
	}
	return n;
}

/* No message begins here. The first octets of a connection that we made may be a handshake: it is watched,
 * or (0) there are too few of them yet to say. */
static uint64_t no_message(struct proto *p, struct connection *c, enum pc_dir d,
			   const struct range *r, bool last)
{
	struct proto_conn *conn = c->proto;
	bool first = (c->flags & PC_F_ACTIVE) && r->pos == c->start[d] && !starts_late(c, d) &&
		     !conn->missed[other_dir(d)];

	if (first && r->bytes.len < HANDSHAKE_BEGIN && can_wait(r, last))
		return 0;
	if (!first || !handshake_begins(r->bytes, d == PC_TX))
		return not_ours(p, c, d, r);
	conn->shakes = true;
	conn->handshake = (struct handshake){ 0 };
	p->stats.not_http++;
	p->stats.lost[PROTO_LOSS_NOT_HTTP]++;
	stream_kick(p->stream, c, other_dir(d));
	return 0;
}

static enum proto_guess guess(struct slice s, const struct protocol **ret)
{
	enum proto_guess best = PROTO_NO;

	for (size_t i = 0; i < sizeof(proto_table) / sizeof(proto_table[0]); i++) {
		enum proto_guess g = proto_table[i]->detect(s);

		if (g > best) {
			best = g;
			*ret = proto_table[i];
		}
	}
	return best;
}

/* Octets of an unknown connection that are no message start. */
static uint64_t pass(struct proto *p, struct connection *c, enum pc_dir d, const struct range *r,
		     uint64_t n)
{
	struct proto_conn *conn = c->proto;
	enum proto_loss loss = proto_is_joined(c, d) ? PROTO_LOSS_JOINED : PROTO_LOSS_HOLE;

	p->stats.lost[loss] += !conn->counted[d];
	conn->missed[d] = conn->counted[d] = true;
	if (!r->bytes.len)
		conn->missed_why[d] = (uint8_t)r->why;
	if (r->bytes.len && (conn->turns == 0 || conn->turn_dir != d)) {
		conn->turns++;
		conn->turn_dir = (uint8_t)d;
	}
	if (conn->turns > TURNS_MAX)
		return not_ours(p, c, d, r);
	proto_lose(p, c, d, r->pos, n, loss, r->bytes.len ? PC_WHY_BEFORE : r->why);
	conn->http1.way[d].seen_ns = r->bytes.len ? stream_when(p->stream, c, d, r->pos) : 0;
	return n;
}

/* After a miss only the first octet of a call is looked at. */
static bool is_call_start(struct proto *p, struct connection *c, enum pc_dir d,
			  const struct range *r, uint64_t *ret_call_bytes)
{
	struct moment m;

	*ret_call_bytes = r->bytes.len;
	if (!stream_moment(p->stream, c, d, r->pos, &m))
		return false;
	if (m.to - r->pos < r->bytes.len)
		*ret_call_bytes = m.to - r->pos;
	return m.call_start && m.from == r->pos;
}

/* Who opened a connection asks on it. In the middle of one that is worth more than octets, which may be
 * content that looks like a message. */
static bool fits_opener(const struct connection *c, enum pc_dir request_dir)
{
	if (c->flags & PC_F_PASSIVE)
		return request_dir == PC_RX;
	return !(c->flags & PC_F_ACTIVE) || request_dir == PC_TX;
}

static uint64_t detect(struct proto *p, struct connection *c, enum pc_dir d, const struct range *r,
		       bool last)
{
	struct proto_conn *conn = c->proto;
	const struct protocol *found = NULL;
	uint64_t call_bytes = r->bytes.len;
	enum pc_dir request_dir;
	enum proto_guess g;

	if (r->bytes.len == 0)
		return pass(p, c, d, r, r->len);
	if (conn->missed[d] && !is_call_start(p, c, d, r, &call_bytes))
		return pass(p, c, d, r, call_bytes);
	g = guess(r->bytes, &found);
	if (g == PROTO_MAYBE && can_wait(r, last))
		return 0;
	if (g == PROTO_NO || g == PROTO_MAYBE)
		return conn->missed[d] ? pass(p, c, d, r, call_bytes)
				       : no_message(p, c, d, r, last);
	request_dir = g == PROTO_REQUEST ? d : other_dir(d);
	if (conn->missed[d] && !fits_opener(c, request_dir))
		return pass(p, c, d, r, call_bytes);
	if (found->open(p, c, request_dir) != 0)
		return not_ours(p, c, d, r);
	conn->speaks = found;
	stream_kick(p->stream, c, other_dir(d));
	return 0;
}

/* ---- stream's sink ---- */

static void on_open(void *ctx, struct connection *c)
{
	struct proto *p = ctx;
	struct proto_conn *conn = conn_new(p);

	c->proto = conn;
	if (!conn) /* no memory: not watched */
		stream_ignore(p->stream, c);
	if (p->sink.made && (c->flags & PC_F_ACTIVE) && c->handshake_ns)
		p->sink.made(p->sink.ctx, c);
}

static struct range rest_of(const struct range *r, uint64_t at)
{
	return (struct range){ r->pos + at, r->len - at, slice_sub(r->bytes, at, r->bytes.len),
			       r->why };
}

/* The very first octets of a direction, whatever is known of the other: octets of a preface, 0, or
 * -EAGAIN: wait. */
static long first_octets(struct proto *p, struct connection *c, enum pc_dir d,
			 const struct range *r, bool last)
{
	struct proto_conn *conn = c->proto;
	long n;

	if (!conn->met[d] && !conn->speaks)
		proto_meet(c, d);
	if (conn->missed[d] || starts_late(c, d) || r->bytes.len == 0)
		return 0;
	n = preface_size(r->bytes, &c->source);
	if (n > 0)
		p->stats.preface_bytes[d] += (uint64_t)n;
	return n == -EAGAIN && !can_wait(r, last) ? 0 : n;
}

static uint64_t on_range(void *ctx, struct connection *c, enum pc_dir d, const struct range *r,
			 bool last)
{
	const struct proto_conn *conn = c->proto;
	struct range rest = *r;
	uint64_t at = 0;

	if (conn && r->pos == c->start[d]) {
		long n = first_octets(ctx, c, d, r, last);

		if (n < 0)
			return 0;
		at = (uint64_t)n;
		rest = rest_of(r, at);
	}
	/* Until it is known; it may turn out not to be ours and be gone. */
	while (at < r->len && (conn = c->proto) && !conn->speaks) {
		bool shakes = conn->shakes;
		uint64_t n =
			shakes ? shake(ctx, c, d, &rest, last) : detect(ctx, c, d, &rest, last);

		at += n;
		rest = rest_of(r, at);
		conn = c->proto;
		if (n == 0 && conn && !conn->speaks && conn->shakes == shakes)
			return at;
	}
	conn = c->proto;
	return at < r->len && conn ? at + conn->speaks->range(ctx, c, d, &rest, last) : at;
}

static void on_end(void *ctx, struct connection *c, enum pc_dir d, int error)
{
	struct proto_conn *conn = c->proto;

	if (conn && conn->speaks)
		conn->speaks->end(ctx, c, d, error);
}

static void on_close(void *ctx, struct connection *c, enum stream_close_reason why)
{
	struct proto *p = ctx;
	struct proto_conn *conn = c->proto;

	if (!conn)
		return;
	if (conn->speaks) {
		conn->speaks->close(p, c, why);
		p->sink.close(p->sink.ctx, c, why);
	}
	if (!conn->speaks)
		tell_unmade(p, c);
	if (!conn->speaks && why == STREAM_CLOSE_GONE)
		tell_mute(p, c, conn->shakes ? &conn->handshake : NULL, 0);
	p->stats.unseen += conn->holed && !conn->told;
	c->proto = NULL;
	conn_free(p, conn);
}

static void on_sent(void *ctx, struct connection *c, const struct sent *sent)
{
	const struct proto_conn *conn = c->proto;
	struct proto *p = ctx;

	if (conn && conn->speaks && p->sink.sent)
		p->sink.sent(p->sink.ctx, c, sent);
}

static void on_gap(void *ctx, struct connection *c, enum pc_dir d)
{
	struct proto *p = ctx;

	if (p->sink.gap)
		p->sink.gap(p->sink.ctx, c, d);
}

static void on_record(void *ctx, const struct pc_head *rec)
{
	struct proto *p = ctx;

	if (p->record)
		p->record(p->pass_ctx, rec);
}

static void on_direct(void *ctx, const struct pc_directive *d)
{
	struct proto *p = ctx;

	if (p->direct)
		p->direct(p->pass_ctx, d);
}

/* ---- the stage ---- */

int proto_new(const struct proto_limits *limits, const struct proto_sink *sink, struct proto **ret)
{
	struct proto *p;

	if (limits->pipelined == 0 || limits->pipelined > UINT16_MAX)
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->limits = *limits;
	p->sink = *sink;
	*ret = p;
	return 0;
}

struct stream_sink proto_stream_sink(struct proto *p)
{
	return (struct stream_sink){
		.ctx = p,
		.open = on_open,
		.range = on_range,
		.end = on_end,
		.close = on_close,
		.sent = on_sent,
		.gap = on_gap,
		.record = on_record,
		.direct = on_direct,
	};
}

void proto_attach(struct proto *p, struct stream *s)
{
	p->stream = s;
}

void proto_pass(struct proto *p, void *ctx, void (*record)(void *ctx, const struct pc_head *rec),
		void (*direct)(void *ctx, const struct pc_directive *d))
{
	p->pass_ctx = ctx;
	p->record = record;
	p->direct = direct;
}

void proto_tick(struct proto *p, uint64_t now_ns)
{
	for (size_t i = 0; i < sizeof(proto_table) / sizeof(proto_table[0]); i++)
		proto_table[i]->tick(p, now_ns);
}

void proto_stats(const struct proto *p, struct proto_stats *ret)
{
	*ret = p->stats;
}

/* After the stream is gone: its connections point into the slabs. */
void proto_free(struct proto *p)
{
	if (!p)
		return;
	for (struct slab *s = p->slabs, *next; s; s = next) {
		next = s->next;
		for (int i = 0; i < SLAB_CONNS; i++)
			if (!s->conns[i].shakes)
				free(s->conns[i].http1.queue.many);
		free(s);
	}
	free(p);
}
