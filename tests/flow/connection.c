/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection.c: the commands of event scripts about connections: open, what is moved, how it ends.
 * Positions are counted for the writer; an end whose opener is unknown is told shifted, as the kernel
 * does (abi.h, PC_F_ACTIVE). A call becomes one or more pieces, as in the ring.
 */
#include <arpa/inet.h>

#include "parser.h"

static uint64_t absolute(struct parser *p, const char *key)
{
	struct slice s = words_value(&p->w, key);

	return s.at ? SCRIPT_BASE_NS + words_time(&p->w, s) : 0;
}

static struct conn *find_conn(struct parser *p)
{
	uint64_t id;

	if (slice_u64(words_next(&p->w), &id)) {
		p->w.why = "which connection?";
		return NULL;
	}
	for (unsigned i = 0; i < p->conn_count; i++)
		if (p->conns[i].id == id)
			return &p->conns[i];
	if (p->conn_count == CONNS) {
		p->w.why = "too many connections";
		return NULL;
	}
	p->conns[p->conn_count] = (struct conn){ .id = id, .pid = 100 };
	return &p->conns[p->conn_count++];
}

/* 10.0.0.9:40000 or [::1]:80 */
static bool parse_addr(struct slice s, struct pc_addr *ret, uint16_t *ret_family)
{
	const char *colon = s.len ? memrchr(s.at, ':', s.len) : NULL;
	char text[64];
	uint64_t port;

	if (!colon || slice_u64(slice_sub(s, (size_t)(colon - s.at) + 1, s.len), &port) ||
	    port > 65535)
		return false;
	s = slice_sub(s, 0, (size_t)(colon - s.at));
	memset(ret, 0, sizeof(*ret));
	ret->port = (uint16_t)port;
	copy_word(text, sizeof(text), s);
	memset(ret->ip + 10, 0xff, 2);
	*ret_family = AF_INET;
	if (inet_pton(AF_INET, text, ret->ip + 12) == 1)
		return true;
	if (s.len < 2)
		return false;
	copy_word(text, sizeof(text), slice_sub(s, 1, s.len - 1));
	*ret_family = AF_INET6;
	return inet_pton(AF_INET6, text, ret->ip) == 1;
}

/* The same at both ends, without a word in the script. */
static uint32_t isn_of(const struct pc_addr *a, const struct pc_addr *b)
{
	uint64_t h =
		slice_hash(slice_of(a, sizeof(*a)), 1) ^ slice_hash(slice_of(b, sizeof(*b)), 2);

	return (uint32_t)h | 1;
}

static bool open_tcp(struct parser *p, struct conn *c, struct pc_open *o, bool client)
{
	struct pc_addr from, to;
	uint16_t family;
	bool told = !words_has(&p->w, "unknown");

	if (!parse_addr(words_next(&p->w), &from, &family))
		return bad(p, "open ID server|client FROM:PORT > TO:PORT, or unix");
	words_next(&p->w); /* > */
	if (!parse_addr(words_next(&p->w), &to, &o->family))
		return bad(p, "open ID server|client FROM:PORT > TO:PORT, or unix");
	o->local = client ? from : to;
	o->remote = client ? to : from;
	o->rx_isn = client ? isn_of(&to, &from) : isn_of(&from, &to);
	o->tx_isn = client ? isn_of(&from, &to) : isn_of(&to, &from);
	if (told)
		o->head.flags |= client ? PC_F_ACTIVE : PC_F_PASSIVE;
	else if (client) {
		c->shift[PC_TX] = 1;
		o->tx_isn--;
	}
	if (words_has(&p->w, "nameless"))
		o->rx_isn = o->tx_isn = 0;
	return true;
}

bool command_open(struct parser *p)
{
	struct conn *c = find_conn(p);
	struct slice side = words_next(&p->w);
	bool client = slice_eq(side, SLICE("client"));
	struct pc_open *o = c ? add_record(p, PC_OPEN, sizeof(*o)) : NULL;

	if (!o)
		return false;
	if (!client && !slice_eq(side, SLICE("server")))
		return bad(p, "open ID server or client?");
	c->pid = (uint32_t)words_number(&p->w, "pid", client ? 200 : 100);
	c->pos[PC_RX] = words_number(&p->w, "rx", 0);
	c->pos[PC_TX] = words_number(&p->w, "tx", 0);
	o->conn = c->id;
	o->tgid = c->pid;
	o->tid = client ? (uint32_t)words_number(&p->w, "tid", c->pid) : 0;
	o->start_ns = absolute(p, "start");
	if (words_value(&p->w, "handshake").at)
		o->handshake_ns = words_time(&p->w, words_value(&p->w, "handshake"));
	o->peer_conn = words_number(&p->w, "peer", 0);
	if (words_has(&p->w, "joined"))
		o->head.flags |= PC_F_JOINED;
	if (words_has(&p->w, "unix")) {
		o->family = AF_UNIX;
		c->flags = PC_F_COUNTED;
		o->head.flags |= PC_F_COUNTED | (client ? PC_F_ACTIVE : PC_F_PASSIVE);
	} else if (!open_tcp(p, c, o, client)) {
		return false;
	}
	o->rx_pos = c->pos[PC_RX];
	o->tx_pos = c->pos[PC_TX] + c->shift[PC_TX];
	return true;
}

static enum pc_why why_of(struct parser *p)
{
	struct slice s = words_value(&p->w, "why");

	if (!s.at)
		return PC_WHY_NONE;
	for (unsigned w = 0; w < PC_WHY_MAX; w++)
		if (slice_eq(s, slice_str(why_name((enum pc_why)w))))
			return (enum pc_why)w;
	p->w.why = "unknown why=";
	return PC_WHY_NONE;
}

/* arrival=TIME of all, or arrival=LEN@TIME,LEN@TIME: of so many octets each. */
static unsigned arrivals_of(struct parser *p, uint64_t pos, uint64_t len,
			    struct pc_arrival ret[PC_ARRIVALS])
{
	struct slice list = words_value(&p->w, "arrival");
	unsigned n = 0;

	while (list.at && n < PC_ARRIVALS) {
		struct slice when = slice_next(&list, ','), count = slice_next(&when, '@');
		uint64_t octets = len;

		if (!when.at)
			when = count;
		else if (slice_u64(count, &octets))
			p->w.why = "arrival=LEN@TIME";
		pos += octets;
		ret[n++] = (struct pc_arrival){ pos, SCRIPT_BASE_NS + words_time(&p->w, when) };
	}
	return n;
}

/* One piece of a call. */
static bool add_piece(struct parser *p, const struct pc_data *call, struct slice octets,
		      uint32_t absent, const struct pc_arrival *arrivals, unsigned arrival_count)
{
	unsigned skip = 0;
	struct pc_data *d;
	char *at;

	while (skip < arrival_count && arrivals[skip].end_pos <= call->pos)
		skip++;
	d = add_record(p, PC_DATA,
		       sizeof(*d) + (arrival_count - skip) * sizeof(*arrivals) + octets.len);
	if (!d)
		return false;
	at = (char *)(d + 1);
	d->head.flags = call->head.flags;
	memcpy((char *)d + sizeof(d->head), (const char *)call + sizeof(d->head),
	       sizeof(*d) - sizeof(d->head));
	d->len = (uint32_t)octets.len + absent;
	d->captured = (uint32_t)octets.len;
	d->why = absent ? call->why : PC_WHY_NONE;
	d->arrivals = (uint8_t)(arrival_count - skip);
	memcpy(at, arrivals + skip, d->arrivals * sizeof(*arrivals));
	if (octets.len)
		memcpy(at + d->arrivals * sizeof(*arrivals), octets.at, octets.len);
	return true;
}

/* The pieces of a call: octets first, then what is absent. */
static bool add_call(struct parser *p, struct pc_data *call, struct slice octets, uint32_t absent)
{
	struct pc_arrival arrivals[PC_ARRIVALS];
	unsigned n = arrivals_of(p, call->pos, octets.len + absent, arrivals);
	uint16_t flags = call->head.flags;

	if (call->dir == PC_TX)
		n = 0;
	call->head.flags |= PC_F_FIRST;
	do {
		struct slice piece = slice_sub(octets, 0, p->options.cut);
		bool last = piece.len == octets.len;

		if (last)
			call->head.flags |= PC_F_LAST;
		if (!add_piece(p, call, piece, last ? absent : 0, arrivals, n))
			return false;
		call->head.flags = flags | (call->head.flags & PC_F_LAST);
		call->pos += piece.len;
		octets = slice_sub(octets, piece.len, octets.len);
	} while (octets.len);
	return true;
}

static bool on_data(struct parser *p, enum pc_dir d)
{
	struct conn *c = find_conn(p);
	struct slice octets = buf_slice(&p->w.octets);
	struct pc_data call = { .dir = (uint8_t)d };
	uint32_t absent;

	if (!c)
		return false;
	absent = (uint32_t)words_number(&p->w, "absent", 0);
	if (!octets.len && !absent)
		return bad(p, "which octets? \"text\", or absent=LEN why=WHY");
	call.why = (uint8_t)why_of(p);
	if (absent && call.why == PC_WHY_NONE)
		return bad(p, "absent=LEN wants why=WHY");
	call.conn = c->id;
	c->pos[d] = words_number(&p->w, "pos", c->pos[d]);
	call.pos = c->pos[d] + c->shift[d];
	c->pos[d] += octets.len + absent;
	call.begin_ns = d == PC_TX ? absolute(p, "begin") : 0;
	call.tgid = (uint32_t)words_number(&p->w, "pid", c->pid);
	call.tid = (uint32_t)words_number(&p->w, "tid", call.tgid);
	call.srtt_us = (uint32_t)words_number(&p->w, "srtt_us", 0);
	call.retrans = (uint32_t)words_number(&p->w, "retrans", 0);
	call.unread = (uint32_t)words_number(&p->w, "unread", 0);
	call.head.flags = c->flags;
	if (words_has(&p->w, "blocked"))
		call.head.flags |= PC_F_BLOCKED;
	if (words_has(&p->w, "awaited"))
		call.head.flags |= PC_F_AWAITED;
	if (words_has(&p->w, "arrived"))
		call.head.flags |= PC_F_ARRIVED;
	if (words_has(&p->w, "uncertain"))
		call.head.flags |= PC_F_UNCERTAIN;
	return add_call(p, &call, octets, absent);
}

static bool direction(struct parser *p, enum pc_dir *ret)
{
	struct slice s = words_next(&p->w);

	*ret = slice_eq(s, SLICE("tx")) ? PC_TX : PC_RX;
	return slice_eq(s, SLICE("rx")) || slice_eq(s, SLICE("tx")) || bad(p, "rx or tx?");
}

/* No room in the ring: the octets moved and nobody told. */
bool command_miss(struct parser *p)
{
	struct conn *c = find_conn(p);
	enum pc_dir d;
	uint64_t len;

	if (!c || !direction(p, &d))
		return false;
	if (slice_u64(words_next(&p->w), &len))
		return bad(p, "miss ID rx|tx LEN");
	c->pos[d] += len;
	return true;
}

/* What was moved up to here, where records say their positions themselves. */
bool command_pos(struct parser *p)
{
	struct conn *c = find_conn(p);
	enum pc_dir d;

	if (!c || !direction(p, &d))
		return false;
	return !slice_u64(words_next(&p->w), &c->pos[d]) || bad(p, "pos ID rx|tx N");
}

bool command_end(struct parser *p)
{
	struct conn *c = find_conn(p);
	struct pc_end *e = c ? add_record(p, PC_END, sizeof(*e)) : NULL;
	enum pc_dir d;

	if (!e || !direction(p, &d))
		return false;
	e->conn = c->id;
	e->dir = (uint8_t)d;
	e->pos = c->pos[d] + c->shift[d];
	e->error = words_errno(&p->w, "error");
	e->tgid = c->pid;
	return true;
}

static bool on_sent(struct parser *p, enum pc_kind kind)
{
	struct conn *c = find_conn(p);
	struct pc_sent *r = c ? add_record(p, kind, sizeof(*r)) : NULL;

	if (!r)
		return false;
	r->conn = c->id;
	r->pos = words_number(&p->w, "pos", c->pos[PC_TX]) + c->shift[PC_TX];
	r->segments = (uint32_t)words_number(&p->w, "segments", kind == PC_RESENT);
	r->retrans = (uint32_t)words_number(&p->w, "retrans", 0);
	r->head.flags |= words_has(&p->w, "at_most") ? PC_F_AT_MOST : 0;
	return true;
}

bool command_acked(struct parser *p)
{
	return on_sent(p, PC_ACKED);
}

bool command_resent(struct parser *p)
{
	return on_sent(p, PC_RESENT);
}

/* A look at every descriptor found it; `looked`: that was all that it found. */
bool command_alive(struct parser *p)
{
	struct conn *c = find_conn(p);
	struct pc_alive *r = c ? add_record(p, PC_ALIVE, sizeof(*r)) : NULL;

	if (!r)
		return false;
	r->conn = c->id;
	r->since_ns = absolute(p, "since");
	return true;
}

bool command_looked(struct parser *p)
{
	struct pc_alive *r = add_record(p, PC_LOOKED, sizeof(*r));

	if (r)
		r->since_ns = absolute(p, "since");
	return r;
}

static bool add_close(struct parser *p, struct conn *c, enum pc_kind kind)
{
	struct pc_close *r = add_record(p, kind, sizeof(*r));

	if (!r)
		return false;
	r->conn = c->id;
	r->rx_pos = c->pos[PC_RX];
	r->tx_pos = c->pos[PC_TX] + c->shift[PC_TX];
	r->acked = words_number(&p->w, "acked", r->tx_pos);
	r->unread = (uint32_t)words_number(&p->w, "unread", 0);
	r->srtt_us = (uint32_t)words_number(&p->w, "srtt_us", 0);
	r->retrans = (uint32_t)words_number(&p->w, "retrans", 0);
	r->error = words_errno(&p->w, "error");
	r->head.flags |= words_has(&p->w, "reset_in") ? PC_F_RESET_IN : 0;
	r->head.flags |= words_has(&p->w, "reset_out") ? PC_F_RESET_OUT : 0;
	if (kind == PC_GONE)
		return true;
	r->head.flags |= words_has(&p->w, "refused") ? PC_F_REFUSED : 0;
	r->head.flags |= words_has(&p->w, "unsent") ? PC_F_UNSENT : 0;
	r->head.flags |= words_has(&p->w, "unaccepted") ? PC_F_UNACCEPTED | PC_F_IN_VAIN : 0;
	r->head.flags |= words_has(&p->w, "in_vain") ? PC_F_IN_VAIN : 0;
	return true;
}

/* What a look at a listener found. */
bool command_listener(struct parser *p)
{
	struct conn *c = find_conn(p);
	struct pc_listener *r = c ? add_record(p, PC_LISTENER, sizeof(*r)) : NULL;

	if (!r)
		return false;
	if (!parse_addr(words_next(&p->w), &r->local, &r->family))
		return bad(p, "listener ID ADDRESS:PORT");
	r->conn = c->id;
	r->turned = words_number(&p->w, "turned", 0);
	r->still_ns = absolute(p, "still");
	r->waiting = (uint32_t)words_number(&p->w, "waiting", 0);
	r->backlog = (uint32_t)words_number(&p->w, "backlog", 0);
	r->tgid = (uint32_t)words_number(&p->w, "pid", 100);
	r->head.flags |= words_has(&p->w, "shut") ? PC_F_REFUSED : 0;
	return true;
}

bool command_close(struct parser *p)
{
	struct conn *c = find_conn(p);

	return c && add_close(p, c, PC_CLOSE) &&
	       (!words_has(&p->w, "gone") || add_close(p, c, PC_GONE));
}

bool command_gone(struct parser *p)
{
	struct conn *c = find_conn(p);

	return c && add_close(p, c, PC_GONE);
}

bool command_rx(struct parser *p)
{
	return on_data(p, PC_RX);
}

bool command_tx(struct parser *p)
{
	return on_data(p, PC_TX);
}
