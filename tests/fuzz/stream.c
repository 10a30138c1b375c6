/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.c (fuzz): records out of any bytes. Two kinds of input, told apart by the first byte:
 * records as they stand (hostile files), and a terse script of believable records, which reaches the
 * deep states. The reader's answers come from the input too.
 *
 * Invariants: ranges of a direction join without gap or overlap; what is taken is what the counters
 * say, by cause; bounds hold; after a flush nothing is left.
 */
#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "stream/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOTAL_BYTES 40000
#define PIECE_MAX   300

struct world {
	struct stream *s;
	const uint8_t *in;
	size_t left;
	uint64_t now_ns;
	uint64_t taken[2], absent;
	uint32_t open;
};

/* A connection's own book, hung on it as a later stage would. */
struct book {
	uint64_t next[2];
	bool begun[2], ended[2];
};

static uint8_t byte(struct world *w)
{
	if (!w->left)
		return 0;
	w->left--;
	return *w->in++;
}

static uint16_t word(struct world *w)
{
	uint16_t high = byte(w);

	return (uint16_t)(high << 8 | byte(w));
}

static void on_open(void *ctx, struct connection *c)
{
	c->proto = calloc(1, sizeof(struct book));
	assert(c->proto);
	((struct world *)ctx)->open++;
}

static void act(struct world *w, struct connection *c, enum pc_dir d, const struct range *r,
		uint8_t what)
{
	struct moment m;

	if (what & 0x10)
		stream_kick(w->s, c, !d);
	if (what & 0x20)
		stream_kick(w->s, c, d);
	if (what & 0x40)
		stream_skip_to(w->s, c, d, r->pos + word(w), byte(w));
	if (what == 0xff)
		stream_ignore(w->s, c);
	if (r->bytes.len) {
		assert(stream_moment(w->s, c, d, r->pos, &m));
		assert(m.from <= r->pos && r->pos < m.to);
	}
}

static uint64_t on_range(void *ctx, struct connection *c, enum pc_dir d, const struct range *r,
			 bool last)
{
	struct world *w = ctx;
	struct book *b = c->proto;
	uint8_t what = byte(w);
	uint64_t take = r->len;
	unsigned char sum = 0;

	assert(c->pos[d] == r->pos && r->len && r->bytes.len <= r->len && !b->ended[d]);
	assert(!b->begun[d] || b->next[d] == r->pos);
	assert(r->bytes.len == r->len || (r->why > PC_WHY_NONE && r->why < PC_WHY_MAX));
	for (size_t i = 0; i < r->bytes.len; i++) /* reading it is what the sanitizer watches */
		sum = (unsigned char)(sum + r->bytes.at[i]);
	if ((what & 3) == 1)
		take = 0;
	else if ((what & 3) == 2)
		take = r->len * what / 256;
	else if ((what & 3) == 3 && sum == 7)
		take = r->len / 2;
	act(w, c, d, r, what);
	if (last && !r->bytes.len)
		take = r->len; /* the last word on absent bytes */
	b->begun[d] = true;
	b->next[d] = r->pos + take;
	w->taken[d] += take;
	if (take > r->bytes.len)
		w->absent += take - r->bytes.len;
	return take;
}

static void on_end(void *ctx, struct connection *c, enum pc_dir d, int error)
{
	struct book *b = c->proto;

	assert(!b->ended[d]);
	b->ended[d] = true;
}

static void on_close(void *ctx, struct connection *c, enum stream_close_reason why)
{
	struct book *b = c->proto;

	for (int d = 0; d < 2; d++)
		assert(!b->begun[d] || c->pos[d] == b->next[d]);
	free(b);
	((struct world *)ctx)->open--;
}

static void on_record(void *ctx, const struct pc_head *rec)
{
	const struct pc_who *who = (const struct pc_who *)rec;

	if (rec->kind == PC_WHO)
		assert(strlen(who->args) < sizeof(who->args));
}

static void check(struct world *w)
{
	struct stream_stats st;
	uint64_t holes = 0;

	stream_stats(w->s, &st);
	for (int i = 0; i < PC_WHY_MAX; i++)
		holes += st.hole_bytes[i];
	assert(st.bytes[PC_RX] == w->taken[PC_RX] && st.bytes[PC_TX] == w->taken[PC_TX]);
	assert(holes == w->absent);
	assert(st.buffered_bytes <= TOTAL_BYTES);
	assert(st.connections == w->open && st.opened - st.closed == w->open);
}

/* The bytes as a file of records. */
static void raw(struct world *w)
{
	union {
		struct pc_head head;
		char bytes[2048];
	} r;

	while (w->left >= sizeof(r.head)) {
		uint32_t size;

		memcpy(&r.head, w->in, sizeof(r.head));
		size = r.head.size;
		if (size < sizeof(r.head) || size > w->left || size > sizeof(r))
			size = sizeof(r.head);
		memcpy(&r, w->in, size);
		if (r.head.size > size)
			r.head.size =
				size; /* what a file reader promises: the record is all there */
		w->in += size;
		w->left -= size;
		stream_push(w->s, &r.head);
		check(w);
	}
}

static void data(struct world *w, uint64_t conn, uint8_t how)
{
	struct {
		struct pc_data rec;
		char rest[PC_ARRIVALS * sizeof(struct pc_arrival) + PIECE_MAX];
	} r = { .rec = { .head = { PC_DATA, word(w), 0, w->now_ns }, .conn = conn } };

	r.rec.dir = how & 1;
	r.rec.arrivals = how >> 1 & 3;
	r.rec.pos = (uint64_t)word(w) << (how & 8 ? 20 : 0);
	r.rec.captured = byte(w);
	r.rec.len = r.rec.captured + (how & 4 ? word(w) : 0);
	r.rec.why = PC_WHY_BUDGET;
	r.rec.head.size = (__u32)(sizeof(r.rec) + r.rec.arrivals * sizeof(struct pc_arrival) +
				  r.rec.captured);
	memset(r.rest, how, sizeof(r.rest));
	stream_push(w->s, &r.rec.head);
}

static void control(struct world *w, uint64_t conn, uint8_t how)
{
	static const __u16 kinds[] = { PC_OPEN, PC_END, PC_CLOSE, PC_GONE };
	union {
		struct pc_head head;
		struct pc_open open;
		struct pc_end end;
		struct pc_close close;
	} r;

	memset(&r, 0, sizeof(r));
	r.head = (struct pc_head){ kinds[how & 3], (__u16)(how << 2), sizeof(r), w->now_ns };
	r.end.conn = conn;
	if (r.head.kind == PC_OPEN) {
		r.open.rx_pos = word(w);
		r.open.tx_pos = word(w);
		r.open.family = how & 4 ? AF_UNIX : AF_INET;
	} else if (r.head.kind == PC_END) {
		r.end.pos = word(w);
		r.end.dir = how >> 3 & 1;
		r.end.error = how >> 4;
	} else {
		r.close.rx_pos = word(w);
		r.close.tx_pos = word(w);
		r.close.error = how >> 5;
	}
	stream_push(w->s, &r.head);
}

static void script(struct world *w)
{
	while (w->left) {
		uint8_t what = byte(w), how = byte(w);
		uint64_t conn = 1 + (what >> 4 & 7);

		switch (what & 7) {
		case 0:
		case 1:
		case 2:
		case 3:
		case 4:
			data(w, conn, how);
			break;
		case 5:
		case 6:
			control(w, conn, how);
			break;
		default:
			stream_tick(w->s, w->now_ns += (uint64_t)how * 10000000);
		}
		w->now_ns += how;
		check(w);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	struct world w = { .in = in, .left = size, .now_ns = 1 };
	struct stream_limits limits = { .connections = 5,
					.buffer_bytes = 700,
					.total_bytes = TOTAL_BYTES,
					.pending = 5,
					.reorder_ns = 200000000,
					.grace_ns = 1000000000,
					.idle_ns = 20000000000 };
	struct stream_sink sink = { &w, on_open, on_range, on_end, on_close, on_record, NULL };

	if (stream_new(&limits, &sink, &w.s))
		return 0;
	if (byte(&w) & 1)
		raw(&w);
	else
		script(&w);
	stream_flush(w.s);
	check(&w);
	assert(!w.open);
	stream_free(w.s);
	return 0;
}
