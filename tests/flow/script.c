/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script.c: see script.h. One function a command; each makes records in the order of the lines.
 * Positions are counted for the writer; an end whose opener is unknown is told shifted, as the kernel
 * does (abi.h, PC_F_ACTIVE).
 */
#include "script.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "words.h"

#define CONNS 256

struct conn {
	uint64_t id;
	uint64_t pos[2];   /* next octet, as the writer counts */
	uint64_t shift[2]; /* what the kernel adds */
	uint32_t pid;
	uint16_t flags; /* of every record of it */
};

struct parser {
	struct script *s;
	struct script_options options;
	struct words w;
	struct conn conns[CONNS];
	unsigned conn_count;
	uint64_t now_ns;
	bool bare;
};

static bool bad(struct parser *p, const char *why)
{
	p->w.why = why;
	return false;
}

static bool room_for_one(struct script *s)
{
	size_t room = s->room ? s->room * 2 : 256;
	struct pc_head **more;

	if (s->count < s->room)
		return true;
	more = realloc(s->records, room * sizeof(struct pc_head *));
	if (!more)
		return false;
	s->records = more;
	s->room = room;
	return true;
}

/* A cleared record at the end of the list; NULL: no memory, said. */
static void *add_record(struct parser *p, enum pc_kind kind, size_t size)
{
	struct script *s = p->s;
	struct pc_head *rec = arena_alloc(&s->arena, size);

	if (!rec || !room_for_one(s)) {
		p->w.why = "script too long";
		return NULL;
	}
	memset(rec, 0, size);
	*rec = (struct pc_head){ .kind = kind, .size = (uint32_t)size, .time_ns = p->now_ns };
	s->records[s->count++] = rec;
	return rec;
}

static uint64_t absolute(struct parser *p, const char *key)
{
	struct slice s = words_value(&p->w, key);

	return s.at ? SCRIPT_BASE_NS + words_time(&p->w, s) : 0;
}

/* @15ms: the time of this line; @+1ms: after the line before. */
static void set_time(struct parser *p)
{
	for (unsigned i = 1; i < p->w.count; i++) {
		struct slice s = p->w.at[i];

		if (s.at[0] != '@')
			continue;
		if (s.len > 1 && s.at[1] == '+')
			p->now_ns += words_time(&p->w, slice_sub(s, 2, s.len));
		else
			p->now_ns = SCRIPT_BASE_NS + words_time(&p->w, slice_sub(s, 1, s.len));
	}
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

static void copy_word(char *to, size_t room, struct slice s)
{
	size_t n = s.len < room - 1 ? s.len : room - 1;

	memcpy(to, s.at, n);
	to[n] = 0;
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

static bool on_open(struct parser *p)
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
static bool on_miss(struct parser *p)
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
static bool on_pos(struct parser *p)
{
	struct conn *c = find_conn(p);
	enum pc_dir d;

	if (!c || !direction(p, &d))
		return false;
	return !slice_u64(words_next(&p->w), &c->pos[d]) || bad(p, "pos ID rx|tx N");
}

static bool on_end(struct parser *p)
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
	return true;
}

static bool on_close(struct parser *p)
{
	struct conn *c = find_conn(p);

	return c && add_close(p, c, PC_CLOSE) &&
	       (!words_has(&p->w, "gone") || add_close(p, c, PC_GONE));
}

static bool on_gone(struct parser *p)
{
	struct conn *c = find_conn(p);

	return c && add_close(p, c, PC_GONE);
}

static bool on_process(struct parser *p, enum pc_kind kind)
{
	struct pc_process *r = add_record(p, kind, sizeof(*r));
	uint64_t pid;

	if (!r)
		return false;
	if (slice_u64(words_next(&p->w), &pid))
		return bad(p, "which process?");
	r->tgid = (uint32_t)pid;
	r->parent = (uint32_t)words_number(&p->w, "parent", 0);
	if (p->w.text_count)
		copy_word(r->file, sizeof(r->file), p->w.text[0]);
	if (p->w.text_count > 1)
		copy_word(r->comm, sizeof(r->comm), p->w.text[1]);
	return true;
}

static bool add_who(struct parser *p, uint32_t pid, struct slice exe, struct slice service)
{
	struct pc_who *r = add_record(p, PC_WHO, sizeof(*r));

	if (!r)
		return false;
	r->tgid = pid;
	copy_word(r->exe, sizeof(r->exe), exe);
	copy_word(r->service, sizeof(r->service), service);
	return true;
}

static bool on_who(struct parser *p)
{
	uint64_t pid;

	if (slice_u64(words_next(&p->w), &pid) || !p->w.text_count)
		return bad(p, "who PID \"executable\" [\"service\"]");
	return add_who(p, (uint32_t)pid, p->w.text[0],
		       p->w.text_count > 1 ? p->w.text[1] : SLICE(""));
}

static bool on_set(struct parser *p)
{
	struct script *s = p->s;
	struct slice key = words_next(&p->w), value = words_next(&p->w);
	char *text[2];

	if (!value.at || s->setting_count == SCRIPT_SETTINGS)
		return bad(p, "set KEY VALUE, of the configuration");
	text[0] = arena_alloc(&s->arena, key.len + 1);
	text[1] = arena_alloc(&s->arena, value.len + 1);
	if (!text[0] || !text[1])
		return bad(p, "script too long");
	copy_word(text[0], key.len + 1, key);
	copy_word(text[1], value.len + 1, value);
	s->settings[s->setting_count++] =
		(struct option_value){ .key = text[0], .option = "set", .value = text[1] };
	return true;
}

static bool on_rx(struct parser *p)
{
	return on_data(p, PC_RX);
}

static bool on_tx(struct parser *p)
{
	return on_data(p, PC_TX);
}

static bool on_fork(struct parser *p)
{
	return on_process(p, PC_FORK);
}

static bool on_exec(struct parser *p)
{
	return on_process(p, PC_EXEC);
}

static bool on_exit_(struct parser *p)
{
	return on_process(p, PC_EXIT);
}

static bool on_tick(struct parser *p)
{
	return add_record(p, PC_TICK, sizeof(struct pc_head));
}

static bool run_line(struct parser *p)
{
	static const struct {
		const char *name;
		bool (*run)(struct parser *p);
	} commands[] = {
		{ "rx", on_rx },     { "tx", on_tx },	   { "miss", on_miss },
		{ "open", on_open }, { "end", on_end },	   { "close", on_close },
		{ "gone", on_gone }, { "pos", on_pos },	   { "fork", on_fork },
		{ "exec", on_exec }, { "exit", on_exit_ }, { "who", on_who },
		{ "tick", on_tick }, { "set", on_set },
	};
	struct slice command = words_next(&p->w);

	if (!command.at)
		return true;
	set_time(p);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (slice_eq(command, slice_str(commands[i].name)))
			return commands[i].run(p);
	return bad(p, "unknown command");
}

static bool add_prologue(struct parser *p)
{
	struct pc_clock *clock = add_record(p, PC_CLOCK, sizeof(*clock));

	if (!clock)
		return false;
	clock->wall_minus_mono_ns = SCRIPT_WALL_NS - SCRIPT_BASE_NS;
	return add_who(p, 100, SLICE("/srv/server"), SLICE("server")) &&
	       add_who(p, 200, SLICE("/usr/bin/client"), SLICE("client"));
}

/* ---- other orders ---- */

static bool goes_first(const struct pc_head *rec, enum script_order order)
{
	enum pc_dir d = ((const struct pc_data *)rec)->dir;

	return d == (order == ORDER_RX_FIRST ? PC_RX : PC_TX);
}

/* DATA records that follow one another, in another order: theirs says nothing. */
static void reorder_run(struct pc_head **at, size_t n, enum script_order order)
{
	struct pc_head **copy = malloc(n * sizeof(*copy));
	size_t to = 0;

	if (!copy)
		return;
	memcpy(copy, at, n * sizeof(*copy));
	for (size_t i = 0; i < n && order == ORDER_REVERSE; i++)
		at[i] = copy[n - 1 - i];
	for (unsigned second = 0; second < 2 && order != ORDER_REVERSE; second++)
		for (size_t i = 0; i < n; i++)
			if (goes_first(copy[i], order) != second)
				at[to++] = copy[i];
	free(copy);
}

static void reorder(struct script *s, enum script_order order)
{
	for (size_t i = 0; i < s->count && order != ORDER_AS_IS; i++) {
		size_t n = 0;

		while (i + n < s->count && s->records[i + n]->kind == PC_DATA)
			n++;
		if (n > 1)
			reorder_run(s->records + i, n, order);
		i += n;
	}
}

bool script_parse(struct slice text, const struct script_options *options, struct script *ret,
		  unsigned *ret_line, const char **ret_why)
{
	struct parser p = { .s = ret, .options = *options, .now_ns = SCRIPT_BASE_NS };
	bool ok;

	*ret = (struct script){ 0 };
	*ret_line = 0;
	arena_pool_init(&ret->pool, 1 << 20, 1 << 30);
	arena_init(&ret->arena, &ret->pool);
	words_init(&p.w);
	ok = add_prologue(&p);
	while (ok && text.at) {
		++*ret_line;
		ok = words_cut(&p.w, slice_next(&text, '\n')) && run_line(&p) && !p.w.why;
	}
	*ret_why = p.w.why;
	words_done(&p.w);
	reorder(ret, options->order);
	return ok;
}

void script_done(struct script *s)
{
	arena_clear(&s->arena);
	arena_pool_done(&s->pool);
	free(s->records);
}
