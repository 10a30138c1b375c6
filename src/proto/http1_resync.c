/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_resync.c: a way that is lost looks for a message start. A phantom message is worse than any
 * loss, and content may look like a message. So bytes alone are never believed. What is asked:
 *
 *  1. The octet is the first of a call. Senders write messages from their start; the middle of a
 *     call is never looked at.
 *  2. A whole head stands there, without any leniency, with a well-known method, and what follows it
 *     in the call fits its framing. Nothing was said by the other way while it was sent.
 *  3. The octet just before it was seen, and since then the other way bears witness that something
 *     ended in between:
 *     - a request is believed when a final response (one without a request, or of the request that
 *       was cut by the hole) began after that octet and had ended before this one. So between two
 *       pieces of one request's content no piece can be taken for a request.
 *     - a response is believed when exactly one request older than it waits, sent after that octet.
 *     Right behind a hole nothing is believed: it may have hidden the head of what follows.
 *  4. Of a connection that we joined, the first call of requests is believed without a witness (on an
 *     idle connection there is none), then the response after it. (Known limit: joined in the
 *     middle of a batch of pipelined requests, at its last one, that gets the response of another.)
 *  5. All this is true only of a client that waits for a response before it asks again. One that keeps
 *     requests in flight looks the same from the second response on, since it asks once for each
 *     response too, and a pause proves nothing: the server may be slow. So the client must have been
 *     seen to wait TURNS times with nothing missed in between (once does not do: many ask once before
 *     they begin to pipeline). Whatever says that requests are in flight ends that for good: a request
 *     before the end of the response before it, octets behind a whole request before the end of its
 *     response, more requests than responses fit into the octets that were missed, what looks like
 *     two requests without a response between them. (Known limits: a client that waited TURNS times
 *     and then keeps a constant number in flight from a hole on; one that did before we joined.)
 *  6. A request that is told after the response of a later one was given up on, as that of an unknown
 *     request, is passed over: it may be the very one, and an exchange is told once.
 *
 * What is passed over is counted as lost, call by call. Requests whose response was passed over are
 * told so. All comparisons are of times of one kernel clock; unknown times are never evidence.
 */
#include "proto/inside.h"

enum verdict { TAKE, PASS, HOLD };

#define RESPONSE_LEAST 16 /* octets of the shortest one: "HTTP/1.1 200", two line ends */

/* n octets are passed over; seen_ns: when the last of them was moved, 0 if in a hole. */
static uint64_t pass(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r,
		     uint64_t n, uint64_t seen_ns)
{
	struct way *w = &h->way[d];
	bool hole = r->bytes.len == 0;

	if (!(w->flags & LOSS_COUNTED))
		p->stats.lost[w->loss]++;
	w->flags = LOSS_COUNTED;
	w->scanned = 0;
	w->seen_ns = seen_ns;
	if (is_request(h, d) && seen_ns) {
		if (!w->first_ns)
			w->first_ns = seen_ns;
		if (seen_ns <= h->before_ns && !w->left)
			http1_in_flight(p, h);
	}
	proto_lose(p, h->c, d, r->pos, n, w->loss, hole ? r->why : (enum pc_why)w->why);
	return n;
}

/* Does the content, or the next message, that stands behind a head fit? */
static bool rest_fits(const struct head *h, struct slice rest)
{
	uint64_t size;

	if (h->framing == FRAMING_CHUNKED)
		return http1_chunk_line(rest, &size) >= 0;
	if (h->framing == FRAMING_CLOSE)
		return false;
	if (h->framing == FRAMING_LENGTH) {
		if (h->content_length >= rest.len)
			return true;
		rest = slice_sub(rest, h->content_length, rest.len);
	}
	return rest.len == 0 || http1_guess(rest) == PROTO_REQUEST ||
	       http1_guess(rest) == PROTO_MAYBE;
}

/* Did the other way move while these octets did? Then they are no head, but the end of a request's
 * content and the beginning of the next request. */
static bool is_interrupted(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t pos,
			   uint32_t size)
{
	uint64_t said = h->way[other_dir(d)].offered_ns;

	return said > stream_when(p->stream, h->c, d, pos) &&
	       said < stream_when(p->stream, h->c, d, pos + size - 1);
}

/* Rule 2. */
static enum verdict whole_head(struct proto *p, struct http1 *h, enum pc_dir d,
			       const struct range *r, bool last)
{
	bool request = is_request(h, d);
	enum proto_guess g = http1_guess(r->bytes), want = request ? PROTO_REQUEST : PROTO_RESPONSE;
	struct way *w = &h->way[d];
	struct head_facts f;
	struct head head;
	uint32_t size;

	if (g != want && g != PROTO_MAYBE)
		return PASS;
	size = http1_head_size(r->bytes, &w->scanned);
	if (size == 0)
		return r->bytes.len <= HEAD_BYTES && can_wait(r, last) ? HOLD : PASS;
	if (size > HEAD_BYTES || http1_empty_lines(r->bytes) > 0 ||
	    http1_head_parse(slice_sub(r->bytes, 0, size), request, &p->scratch, &head, &f) != 0 ||
	    head.flags & (HEAD_LENIENT | HEAD_CONFLICT | HEAD_FIELDS_CUT))
		return PASS;
	if (!request)
		return TAKE;
	if (head.minor >= 1 && !head_field(&head, SLICE("host")).at) /* RFC 9112 3.2 */
		return PASS;
	if (!http1_method_known(head.method) || is_interrupted(p, h, d, r->pos, size))
		return PASS;
	http1_request_framing(&head, &f);
	return rest_fits(&head, slice_sub(r->bytes, size, r->bytes.len)) ? TAKE : PASS;
}

/* Rule 3 and 4 for a request that was moved at t. */
static enum verdict request_witness(const struct http1 *h, enum pc_dir d, const struct range *r,
				    uint64_t t, bool may_wait)
{
	const struct way *w = &h->way[d], *answers = &h->way[other_dir(d)];

	if (h->blind)
		return PASS;
	if (h->joined && r->pos == h->c->start[d])
		return TAKE;
	if (!w->seen_ns || h->pipelined)
		return PASS;
	if (h->orphan_told && t <= h->orphan_ns)
		return PASS; /* its response was told, as that of an unknown request */
	if (h->answer_from_ns > w->seen_ns && h->answer_to_ns && h->answer_to_ns < t)
		return http1_takes_turns(h) ? TAKE : PASS;
	if (!may_wait || answers->offered_ns >= t)
		return PASS;
	return HOLD;
}

/* What looks like a request has come, and nothing from the other way since the octet before it: maybe
 * content, but likely a client that does not wait. Not where a request that was cut may go on. */
static bool unanswered_before(const struct http1 *h, enum pc_dir d, uint64_t t)
{
	const struct way *w = &h->way[d], *answers = &h->way[other_dir(d)];

	return w->seen_ns && !w->left && answers->state != WAY_LOST && answers->offered_ns >= t &&
	       h->answer_from_ns <= w->seen_ns;
}

static enum verdict judge_request(struct proto *p, struct http1 *h, enum pc_dir d,
				  const struct range *r, uint64_t t, bool last)
{
	bool may_wait = !last && !(h->expired & 1 << d) && !h->c->ended[other_dir(d)];
	enum verdict v = whole_head(p, h, d, r, last);

	if (v == PASS)
		return PASS;
	switch (request_witness(h, d, r, t, may_wait)) {
	case TAKE:
		return v;
	case HOLD:
		if (v == TAKE)
			http1_wait(p, h, d);
		return HOLD;
	default:
		if (v == TAKE && unanswered_before(h, d, t))
			http1_in_flight(p, h);
		return PASS;
	}
}

/* The n oldest requests have got responses that were not seen. */
static void pass_over(struct proto *p, struct http1 *h, uint32_t n, struct way *w, uint64_t pos)
{
	const struct message_end e = { .outcome = MESSAGE_UNOBSERVED,
				       .why = w->why,
				       .end_pos = pos };

	w->left += n;
	while (n--)
		http1_pass_over(p, h, &e);
}

/* How many of the waiting requests are older than t? */
static uint32_t older_than(const struct http1 *h, uint64_t t)
{
	uint32_t n = 0;

	while (n < h->queue.count && entry_ns(http1_queue_at(h, n)) < t)
		n++;
	return n;
}

/* Rule 3 for a response that no known request asked for: were requests moved since the octet before? */
static enum verdict orphan_witness(struct proto *p, struct http1 *h, enum pc_dir d, uint64_t t,
				   bool may_wait)
{
	const struct way *w = &h->way[d], *requests = request_way(h);

	if (h->queue.count)
		return PASS; /* all of them are younger */
	if (requests->state == WAY_LOST && !h->joined && w->seen_ns &&
	    requests->seen_ns > w->seen_ns && requests->seen_ns < t)
		return http1_takes_turns(h) ? TAKE : PASS;
	if (!may_wait || requests->offered_ns >= t || h->c->ended[h->request_dir])
		return PASS;
	http1_wait(p, h, d);
	return HOLD;
}

static enum verdict judge_response(struct proto *p, struct http1 *h, enum pc_dir d,
				   const struct range *r, uint64_t t, bool last)
{
	struct way *w = &h->way[d];
	uint32_t n = older_than(h, t);
	enum verdict v = whole_head(p, h, d, r, last);
	uint64_t asked;

	if (v != TAKE)
		return v;
	if (n == 0) {
		v = orphan_witness(p, h, d, t, !last && !(h->expired & 1 << d));
		goto out;
	}
	asked = entry_ns(http1_queue_at(h, 0));
	/* Two requests and no response between them, though nothing was missed there; or more of them
	 * than have got a response in the octets that were. */
	if ((n > 1 && w->seen_ns && w->seen_ns < asked) ||
	    w->left + n - 1 > (r->pos - w->start) / RESPONSE_LEAST)
		http1_in_flight(p, h);
	if (n == 1 && !h->blind && http1_takes_turns(h) &&
	    ((w->seen_ns && w->seen_ns < asked) || (h->joined && r->pos == h->c->start[d])))
		return TAKE;
	v = PASS;
	if (r->bytes.at[9] != '1') /* whichever it answers: those before it are answered too */
		pass_over(p, h, n, w, r->pos);
out:
	/* Passed over, it is still a witness for requests, if it is final. */
	if (v == PASS && r->bytes.at[9] != '1') {
		h->answer_from_ns = h->answer_to_ns = t;
		http1_wake(p, h, h->request_dir);
	}
	return v;
}

uint64_t http1_resync(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r,
		      bool last)
{
	struct way *w = &h->way[d];
	enum verdict v = PASS;
	struct moment m;
	uint64_t t;

	if (h->tunnel) {
		w->state = WAY_TUNNEL;
		return 0;
	}
	if (r->bytes.len == 0)
		return pass(p, h, d, r, r->len, 0);
	if (!stream_moment(p->stream, h->c, d, r->pos, &m))
		return pass(p, h, d, r, r->bytes.len, 0);
	t = stream_when(p->stream, h->c, d, r->pos);
	if (t > w->offered_ns) {
		w->offered_ns = t;
		http1_wake(p, h, other_dir(d));
	}
	if (m.call_start && m.from == r->pos && t && !m.uncertain)
		v = is_request(h, d) ? judge_request(p, h, d, r, t, last)
				     : judge_response(p, h, d, r, t, last);
	if (v == HOLD)
		return 0;
	if (v == PASS) {
		uint64_t n = m.to - r->pos;

		return pass(p, h, d, r, n < r->bytes.len ? n : r->bytes.len, t);
	}
	w->state = WAY_START;
	w->flags = 0;
	w->scanned = 0;
	h->check = true;
	return 0;
}
