/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1.c: HTTP/1.x, one connection: octets of either direction → messages (RFC 9112). Called by
 * proto.c for each range, in order of position within a direction and in no order between the two.
 *
 * A step looks at the octets that are offered and takes a whole element (head, chunk line, a piece of
 * content …) or nothing: then the stream keeps them and offers them again with more behind. A hole is
 * harmless inside content whose length is known. Anywhere else it ends the message unobserved and the
 * way is lost until http1_resync.c is certain of a message start.
 *
 * Accounting: each octet taken goes to exactly one of message_bytes, tunnel_bytes, preface_bytes and
 * lost_bytes.
 */
#include "proto/inside.h"

/* ---- waiting for the other way ---- */

static void unlist(struct proto *p, struct http1 *h)
{
	*(h->older ? &h->older->newer : &p->oldest) = h->newer;
	*(h->newer ? &h->newer->older : &p->newest) = h->older;
	h->older = h->newer = NULL;
}

void http1_wait(struct proto *p, struct http1 *h, enum pc_dir d)
{
	if (!h->waiting) {
		h->wait_ns = stream_now_ns(p->stream);
		h->older = p->newest;
		*(p->newest ? &p->newest->newer : &p->oldest) = h;
		p->newest = h;
	}
	h->waiting |= 1 << d;
}

static void stop_waiting(struct proto *p, struct http1 *h, uint8_t dirs)
{
	uint8_t before = h->waiting;

	h->waiting &= (uint8_t)~dirs;
	h->expired &= (uint8_t)~dirs;
	if (before && !h->waiting)
		unlist(p, h);
}

/* A way that is held by a full queue or by `await` has no deadline and is not listed: so kick always;
 * the stream does nothing where nothing is kept. */
void http1_wake(struct proto *p, struct http1 *h, enum pc_dir d)
{
	stream_kick(p->stream, h->c, d);
}

static void http1_tick(struct proto *p, uint64_t now_ns)
{
	while (p->oldest && now_ns >= p->oldest->wait_ns + p->limits.hold_ns) {
		struct http1 *h = p->oldest;
		uint8_t dirs = h->waiting;

		stop_waiting(p, h, dirs);
		h->expired |= dirs;
		for (int d = 0; d < 2; d++)
			if (dirs & 1 << d)
				http1_wake(p, h, d);
	}
}

/* ---- messages ---- */

/* Octets of the message in progress. */
void http1_account(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t pos, uint64_t bytes)
{
	struct way *w = &h->way[d];

	if (w->flags & MESSAGE_MUTED)
		proto_lose(p, h->c, d, pos, bytes, w->loss, w->why);
	else
		p->stats.message_bytes[d] += bytes;
}

static void start_tunnel(struct proto *p, struct http1 *h, uint64_t pos, enum pc_dir d)
{
	enum pc_dir other = other_dir(d);

	h->tunnel = true;
	h->await = false;
	h->way[d].state = WAY_TUNNEL;
	if (h->way[other].state == WAY_LOST)
		h->way[other].state = WAY_START;
	p->stats.tunnels++;
	budget_counting(p, h, d, pos);
	budget_counting(p, h, other, h->c->pos[other]);
}

/* The message in progress is over; the way stands at the next message start. */
void http1_finish(struct proto *p, struct http1 *h, enum pc_dir d, struct message_end *e)
{
	struct way *w = &h->way[d];
	bool request = is_request(h, d), muted = w->flags & MESSAGE_MUTED;
	uint8_t state = w->state;

	e->content_bytes = w->content;
	e->wire_bytes = e->end_pos - w->start;
	e->size_known = e->outcome == MESSAGE_COMPLETE || e->outcome == MESSAGE_CUT;
	w->state = WAY_START;
	w->scanned = 0;
	if (!muted) {
		p->stats.complete += e->outcome == MESSAGE_COMPLETE;
		p->stats.cut += e->outcome == MESSAGE_CUT;
		p->stats.unobserved += e->outcome == MESSAGE_UNOBSERVED;
		p->sink.end(p->sink.ctx, h->c, request, e);
	}
	if (!request)
		http1_answered(p, h, d, e->end_pos, e->outcome == MESSAGE_COMPLETE);
	w->flags = 0;
	if (state == WAY_TUNNEL)
		start_tunnel(p, h, e->end_pos, d);
}

void http1_complete(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t end_pos)
{
	struct message_end e = { .outcome = MESSAGE_COMPLETE, .end_pos = end_pos };

	http1_finish(p, h, d, &e);
}

static bool in_message(const struct way *w)
{
	return w->state >= WAY_LENGTH && w->state <= WAY_CLOSE;
}

static void enter_lost(struct http1 *h, enum pc_dir d, uint64_t pos, enum proto_loss loss,
		       enum pc_why why)
{
	struct way *w = &h->way[d];

	w->state = WAY_LOST;
	w->start = pos;
	w->left = 0;
	w->loss = loss;
	w->why = why;
	w->seen_ns = 0;
	w->scanned = 0;
	w->flags = 0;
	if (is_request(h, d)) {
		h->await = false;
		w->first_ns = 0;
		http1_queue_mark(h, REQUEST_GAP);
		if (h->queue.count == 0)
			h->before_gap = true;
		h->answer_from_ns = h->answer_to_ns = 0;
	}
}

void http1_lose_way(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t pos,
		    enum proto_loss loss, enum pc_why why)
{
	struct way *w = &h->way[d];
	bool at_start = w->state == WAY_START, owed = false;

	/* A transaction without its end always says why: nothing was missing here. */
	if (why == PC_WHY_NONE && loss == PROTO_LOSS_MALFORMED)
		why = PC_WHY_MALFORMED;
	else if (why == PC_WHY_NONE && loss == PROTO_LOSS_HEAD_TOO_LARGE)
		why = PC_WHY_BUFFER;
	if (in_message(w)) {
		struct message_end e = { .outcome = MESSAGE_UNOBSERVED,
					 .why = why,
					 .end_pos = pos };

		if (is_request(h, d))
			http1_queue_mark(h, REQUEST_CUT);
		owed = is_request(h, d);
		http1_finish(p, h, d, &e);
	}
	if (why == PC_WHY_BUDGET)
		budget_raise(p, h, d, pos);
	/* Where a response should start, it is the one to the oldest request that is missed. */
	if (at_start && !is_request(h, d) && h->queue.count && !h->check) {
		const struct message_end e = { .outcome = MESSAGE_UNOBSERVED,
					       .why = why,
					       .end_pos = pos };

		http1_pass_over(p, h, &e);
		owed = true;
	}
	enter_lost(h, d, pos, loss, why);
	w->left = owed;
	http1_wake(p, h, other_dir(d));
}

/* The element that should stand here is not whole and will not become so: what is the cause? */
uint64_t http1_lose_broken(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r)
{
	if (r->bytes.len < r->len)
		http1_lose_way(p, h, d, r->pos, PROTO_LOSS_HOLE, r->why);
	else
		http1_lose_way(p, h, d, r->pos, PROTO_LOSS_MALFORMED, PC_WHY_NONE);
	return 0;
}

/* Has the response to this request, sent at `when`, been given up before the request was told? Each of
 * those that were given up takes one request with it; what was pipelined behind waits for its own. */
static bool was_given_up(struct http1 *h, uint64_t when)
{
	if (when > h->orphan_ns)
		h->given_up = 0; /* nobody will be told to have asked for them */
	if (!h->given_up || h->queue.count != 1)
		return false;
	if (h->given_up != GIVEN_UP_ANY)
		h->given_up--;
	return true;
}

/* A final response that finds no request. */
static void give_up(const struct proto *p, struct http1 *h, const struct way *w)
{
	/* From its begin on, not from its end: its request may be read while it lasts. */
	h->orphan_ns = w->first_ns ? w->first_ns : stream_now_ns(p->stream);
	h->orphan_told = !(w->flags & MESSAGE_MUTED);
	if (!(w->flags & MESSAGE_MUTED) || w->loss != PROTO_LOSS_NO_REQUEST)
		h->given_up = GIVEN_UP_ANY;
	else if (h->given_up != GIVEN_UP_ANY)
		h->given_up++;
}

static void begin_request(struct proto *p, struct http1 *h, enum pc_dir d, struct head *head,
			  const struct head_facts *f, const struct range *r)
{
	enum request_class class = http1_request_class(head);
	uint64_t when = entry_ns(http1_queue_at(h, h->queue.count - 1u));
	bool answered = was_given_up(h, when);
	unsigned wants;

	if (h->queue.count == 1)
		http1_note_turn(p, h, when);
	http1_request_framing(head, f);
	p->stats.requests++;
	proto_tell(h->c);
	wants = p->sink.request(p->sink.ctx, h->c, head);
	if (wants & WANT_CONTENT)
		h->way[d].flags |= MESSAGE_WANTED;
	budget_expect(p, h, wants);
	h->await = class == REQUEST_CONNECT || class == REQUEST_UPGRADE;
	http1_begin_content(p, h, d, head, r);
	/* Its response had been given up when the request came at last: too late to join them. */
	if (answered) {
		struct message_end e = { .outcome = MESSAGE_UNOBSERVED,
					 .why = PC_WHY_BUFFER,
					 .end_pos = r->pos };
		enum pc_dir back = other_dir(d);

		http1_pass_over(p, h, &e);
		/* And it was framed as if this were no HEAD: where it ends is not known. */
		if (class != REQUEST_PLAIN && in_message(&h->way[back]))
			http1_lose_way(p, h, back, h->c->pos[back], PROTO_LOSS_HOLE, PC_WHY_BUFFER);
	}
	http1_wake(p, h, other_dir(d));
}

static void begin_response(struct proto *p, struct http1 *h, enum pc_dir d, struct head *head,
			   const struct head_facts *f, const struct range *r)
{
	struct way *w = &h->way[d];
	bool front = !(w->flags & (MESSAGE_MUTED | MESSAGE_ORPHAN));
	enum request_class asked = front ? http1_queue_at(h, 0) & 3 : REQUEST_PLAIN;
	bool muted = w->flags & MESSAGE_MUTED;

	http1_response_framing(head, f, asked);
	p->stats.lost[w->loss] += muted;
	if (!front)
		head->flags |= HEAD_METHOD_UNKNOWN;
	if (head->status / 100 == 1 && head->status != 101) {
		p->stats.interim += front;
		if (front) /* an orphan's would be taken for one of the request that waits */
			p->sink.interim(p->sink.ctx, h->c, head);
		w->flags = 0;
		return;
	}
	p->stats.responses += !muted;
	w->first_ns = stream_when(p->stream, h->c, d, r->pos);
	if (front) {
		h->before_ns = w->first_ns;
		h->before_gap = false;
	} else {
		give_up(p, h, w);
	}
	if (!muted) {
		proto_tell(h->c);
		if (p->sink.response(p->sink.ctx, h->c, head) & WANT_CONTENT)
			w->flags |= MESSAGE_WANTED;
	}
	http1_begin_content(p, h, d, head, r);
}

/* Who is answered decides how the response is framed, so this comes before its head. */
static bool settle_answer(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r,
			  bool last)
{
	struct way *w = &h->way[d];
	enum pc_why why;

	switch (http1_answer(p, h, d, r, last)) {
	case ANSWER_WAIT:
		http1_wait(p, h, d);
		return false;
	case ANSWER_FRONT:
		w->flags = 0;
		return true;
	case ANSWER_ORPHAN:
		w->flags = MESSAGE_ORPHAN;
		return true;
	case ANSWER_MUTED:
		w->flags = MESSAGE_MUTED;
		return true;
	case ANSWER_UNSURE: /* because of what was missed before */
		why = request_way(h)->why ? request_way(h)->why : w->why;
		http1_lose_way(p, h, d, r->pos, PROTO_LOSS_HOLE, why);
		return false;
	}
	return false;
}

/* May the way of requests read on? Returns false to hold; with `last` it must decide. */
static bool may_start(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r,
		      bool last)
{
	if (!is_request(h, d) || (!h->await && !http1_queue_full(p, h)))
		return true;
	if (last)
		http1_lose_way(p, h, d, r->pos, PROTO_LOSS_HOLE, PC_WHY_BUFFER);
	return false;
}

/* The direction ends, or nothing more can be kept, in the middle of a head. If the end comes next, the
 * message was cut here; octets that come instead belong to nothing that is known. */
static uint64_t lose_beginning(struct proto *p, struct http1 *h, enum pc_dir d,
			       const struct range *r)
{
	enter_lost(h, d, r->pos, PROTO_LOSS_MALFORMED, PC_WHY_NONE);
	h->way[d].flags = LOSS_COUNTED | HEAD_BEGUN;
	p->stats.lost[PROTO_LOSS_MALFORMED]++;
	proto_lose(p, h->c, d, r->pos, r->len, PROTO_LOSS_MALFORMED, PC_WHY_NONE);
	return r->len;
}

/* What is refused before it is whole must be refused whole too: how a head was cut says nothing. */
static bool is_odd(const struct head *head, bool request)
{
	return head->flags & HEAD_LENIENT || (request && !http1_method_known(head->method));
}

static uint64_t step_head(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r,
			  bool last)
{
	struct way *w = &h->way[d];
	bool request = is_request(h, d);
	uint32_t size = http1_head_size(r->bytes, &w->scanned);
	struct head_facts f;
	struct head head;

	if (!size || size > HEAD_BYTES) {
		enum proto_guess g = http1_guess(r->bytes);

		if (g != PROTO_MAYBE && g != (request ? PROTO_REQUEST : PROTO_RESPONSE))
			http1_lose_way(p, h, d, r->pos, PROTO_LOSS_MALFORMED, PC_WHY_NONE);
		else if (r->bytes.len > HEAD_BYTES)
			http1_lose_way(p, h, d, r->pos, PROTO_LOSS_HEAD_TOO_LARGE, PC_WHY_NONE);
		else if (r->bytes.len < r->len)
			http1_lose_way(p, h, d, r->pos, PROTO_LOSS_HOLE, r->why);
		else if (last)
			return lose_beginning(p, h, d, r);
		return 0;
	}
	if (!request && !settle_answer(p, h, d, r, last))
		return 0;
	if (http1_head_parse(slice_sub(r->bytes, 0, size), request, &p->scratch, &head, &f) != 0 ||
	    (is_odd(&head, request) && http1_guess(r->bytes) == PROTO_NO)) {
		w->flags = 0;
		http1_lose_way(p, h, d, r->pos, PROTO_LOSS_MALFORMED, PC_WHY_NONE);
		return 0;
	}
	/* From position 1 it may be whole or lack its first octet (proto.c, starts_late). */
	if (request && r->pos == 1 && h->c->start[d] == 1 && !http1_method_known(head.method)) {
		http1_lose_way(p, h, d, r->pos, PROTO_LOSS_HOLE, PC_WHY_RING);
		return 0;
	}
	if (request && http1_queue_push(p, h, stream_when(p->stream, h->c, d, r->pos),
					http1_request_class(&head))) {
		http1_lose_way(p, h, d, r->pos, PROTO_LOSS_HOLE, PC_WHY_BUFFER);
		return 0;
	}
	head.pos = w->start = r->pos;
	w->scanned = 0;
	http1_account(p, h, d, r->pos, size);
	if (request)
		begin_request(p, h, d, &head, &f, r);
	else
		begin_response(p, h, d, &head, &f, r);
	return size;
}

static uint64_t step_start(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r,
			   bool last)
{
	uint32_t empty;

	if (h->tunnel) {
		h->way[d].state = WAY_TUNNEL;
		return 0;
	}
	if (!may_start(p, h, d, r, last))
		return 0;
	if (r->bytes.len == 0) {
		http1_lose_way(p, h, d, r->pos, PROTO_LOSS_HOLE, r->why);
		return 0;
	}
	empty = http1_empty_lines(r->bytes);
	p->stats.preface_bytes[d] += empty;
	return empty ? empty : step_head(p, h, d, r, last);
}

static uint64_t step_tunnel(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r)
{
	p->stats.tunnel_bytes[d] += r->len;
	p->sink.tunnel(p->sink.ctx, h->c, d, r->len);
	return r->len;
}

static uint64_t step(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r,
		     bool last)
{
	switch ((enum way_state)h->way[d].state) {
	case WAY_START:
		return step_start(p, h, d, r, last);
	case WAY_TUNNEL:
		return step_tunnel(p, h, d, r);
	case WAY_LOST:
		return http1_resync(p, h, d, r, last);
	default:
		return http1_content(p, h, d, r, last);
	}
}

/* ---- what proto.c calls ---- */

/* A lost way is judged by what the other way has done since; wake it when that has moved on. */
static void note_offer(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r)
{
	enum pc_dir other = other_dir(d);
	uint64_t when;

	if (h->way[other].state != WAY_LOST)
		return;
	when = stream_when(p->stream, h->c, d, r->pos);
	if (when > h->way[d].offered_ns) {
		h->way[d].offered_ns = when;
		http1_wake(p, h, other);
	}
}

/* Something of this direction was missed before the first octets that we are offered. */
static void start_lost(const struct proto_conn *conn, struct http1 *h, enum pc_dir d)
{
	struct way *w = &h->way[d];
	bool joined = proto_is_joined(h->c, d);

	h->joined |= joined;
	w->state = WAY_LOST;
	w->loss = joined ? PROTO_LOSS_JOINED : PROTO_LOSS_HOLE;
	w->why = joined ? PC_WHY_BEFORE : PC_WHY_RING;
	if (!joined && conn->missed_why[d])
		w->why = conn->missed_why[d];
}

static uint64_t http1_range(struct proto *p, struct connection *c, enum pc_dir d,
			    const struct range *r, bool last)
{
	struct proto_conn *conn = c->proto;
	struct http1 *h = &conn->http1;
	uint64_t at = 0;

	if (!conn->met[d]) {
		proto_meet(c, d);
		if (conn->missed[d])
			start_lost(conn, h, d);
	}
	while (at < r->len) {
		struct range rest = { r->pos + at, r->len - at,
				      slice_sub(r->bytes, at, r->bytes.len), r->why };
		uint8_t state = h->way[d].state;
		uint64_t n;

		note_offer(p, h, d, &rest);
		n = step(p, h, d, &rest, last);

		if (n == 0 && h->way[d].state == state)
			break; /* nothing taken and no new view of it: the stream keeps it */
		at += n;
	}
	if (at)
		stop_waiting(p, h, 1 << d);
	return at;
}

static int http1_open(struct proto *p, struct connection *c, enum pc_dir request_dir)
{
	struct proto_conn *conn = c->proto;
	struct http1 *h = &conn->http1;

	h->c = c;
	h->request_dir = (uint8_t)request_dir;
	/* A direction that was not offered yet is known as joined by its OPEN. */
	for (int d = 0; d < 2; d++)
		if (conn->missed[d])
			start_lost(conn, h, d);
		else
			h->joined |= proto_is_joined(c, d);
	p->sink.open(p->sink.ctx, c, request_dir == PC_RX);
	/* What was missed before HTTP was recognised is counted; who knows the connection only now
	 * still has to hear why, for the response whose request it was. */
	for (int d = 0; d < 2; d++)
		if (conn->missed_why[d])
			p->sink.lost(p->sink.ctx, c, d, c->pos[d], 0, PROTO_LOSS_HOLE,
				     conn->missed_why[d]);
	return 0;
}

/* All that waits for a response of this connection: none will come. */
static void pass_over_all(struct proto *p, struct http1 *h, enum message_outcome outcome,
			  enum pc_why why, int error, uint64_t pos)
{
	const struct message_end e = {
		.outcome = outcome, .why = why, .error = error, .end_pos = pos
	};

	while (h->queue.count)
		http1_pass_over(p, h, &e);
}

static void http1_end(struct proto *p, struct connection *c, enum pc_dir d, int error)
{
	struct http1 *h = http1_of(c);
	struct way *w = &h->way[d];
	struct message_end e = { .outcome = MESSAGE_CUT, .error = error, .end_pos = c->pos[d] };

	stop_waiting(p, h, 1 << d);
	if (in_message(w)) {
		if (w->state == WAY_CLOSE && error == 0)
			e.outcome = MESSAGE_COMPLETE;
		http1_finish(p, h, d, &e);
	}
	if (is_request(h, d))
		http1_wake(p, h, other_dir(d));
	else if (w->state == WAY_LOST && !(w->flags & HEAD_BEGUN))
		pass_over_all(p, h, MESSAGE_UNOBSERVED, w->why, 0, c->pos[d]);
	else
		pass_over_all(p, h, MESSAGE_CUT, PC_WHY_NONE, error, c->pos[d]);
}

static void http1_close(struct proto *p, struct connection *c, enum stream_close_reason why)
{
	static const enum message_outcome outcomes[] = {
		[STREAM_CLOSE_GONE] = MESSAGE_CUT,
		[STREAM_CLOSE_IDLE] = MESSAGE_UNOBSERVED,
		[STREAM_CLOSE_EVICTED] = MESSAGE_UNOBSERVED,
		[STREAM_CLOSE_SHUTDOWN] = MESSAGE_SHUTDOWN,
	};
	struct http1 *h = http1_of(c);
	enum pc_dir answers = h->request_dir == PC_RX ? PC_TX : PC_RX;
	struct message_end e = { .outcome = outcomes[why] };

	e.why = e.outcome == MESSAGE_UNOBSERVED ? PC_WHY_BUFFER : PC_WHY_NONE;
	stop_waiting(p, h, 3);
	for (int d = 0; d < 2; d++) {
		if (!in_message(&h->way[d]))
			continue;
		e.end_pos = c->pos[d];
		e.error = e.outcome == MESSAGE_CUT ? c->error[d] : 0;
		http1_finish(p, h, d, &e);
	}
	if (e.outcome == MESSAGE_CUT && h->way[answers].state == WAY_LOST)
		pass_over_all(p, h, MESSAGE_UNOBSERVED, h->way[answers].why, 0, c->pos[answers]);
	else
		pass_over_all(p, h, e.outcome, e.why,
			      e.outcome == MESSAGE_CUT ? c->error[answers] : 0, c->pos[answers]);
	http1_queue_done(h);
}

const struct protocol http1_protocol = {
	.name = "http",
	.detect = http1_guess,
	.open = http1_open,
	.range = http1_range,
	.end = http1_end,
	.tick = http1_tick,
	.close = http1_close,
};
