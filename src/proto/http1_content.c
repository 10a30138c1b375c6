/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_content.c: what follows a head: content of known length, chunks (RFC 9112 7.1), trailers,
 * content that ends with the connection. Steps as in http1.c: a whole element or nothing.
 *
 * A hole is harmless in content and in a chunk's data, since it is known where they end. A hole over
 * a chunk's framing is not: the message ends unobserved.
 */
#include "proto/inside.h"

void http1_begin_content(struct proto *p, struct http1 *h, enum pc_dir d, const struct head *head,
			 const struct range *r)
{
	struct way *w = &h->way[d];
	uint64_t pos = r->pos + head->size;

	w->content = 0;
	w->left = head->content_length;
	switch (head->framing) {
	case FRAMING_LENGTH:
		if (w->left) {
			w->state = WAY_LENGTH;
			if (!(w->flags & MESSAGE_WANTED))
				budget_content(p, h, d, pos + w->left, r->pos + r->len);
			else if (pos + w->left > r->pos + r->len)
				budget_wanted(p, h, d);
			return;
		}
		break;
	case FRAMING_CHUNKED:
		w->state = WAY_CHUNK_LINE;
		if (w->flags & MESSAGE_WANTED)
			budget_wanted(p, h, d);
		else
			budget_raise(p, h, d, pos);
		return;
	case FRAMING_CLOSE:
		w->state = WAY_CLOSE;
		if (w->flags & MESSAGE_WANTED)
			budget_wanted(p, h, d);
		else
			budget_counting(p, h, d, pos);
		return;
	case FRAMING_TUNNEL:
		w->state = WAY_TUNNEL;
		break;
	case FRAMING_NONE:
		break;
	}
	http1_complete(p, h, d, pos);
}

/* False: the rest of it was wanted and is not any more. */
static bool give_content(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r,
			 uint64_t n)
{
	struct range part = *r;

	http1_account(p, h, d, r->pos, n);
	h->way[d].content += n;
	if (!p->sink.content || h->way[d].flags & MESSAGE_MUTED)
		return true;
	part.len = n;
	part.bytes = slice_sub(r->bytes, 0, n);
	return p->sink.content(p->sink.ctx, h->c, is_request(h, d), &part) ||
	       !(h->way[d].flags & MESSAGE_WANTED);
}

/* When was the latest request moved that we know of, whole or passed over? */
static uint64_t latest_request_ns(struct http1 *h)
{
	if (h->queue.count)
		return entry_ns(http1_queue_at(h, h->queue.count - 1u));
	return request_way(h)->state == WAY_LOST ? request_way(h)->seen_ns : 0;
}

/* The request of an orphan may have been HEAD: then no content comes, and where it should begin stands
 * the next response, in a call of its own and after another request. Content may look like a response: a
 * client that asks before it is answered proves nothing. */
static bool was_head(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r)
{
	struct way *w = &h->way[d];
	uint64_t asked;
	struct moment m;

	if (!(w->flags & (MESSAGE_ORPHAN | MESSAGE_MUTED)) || w->content || !r->bytes.len ||
	    !http1_takes_turns(h) || http1_guess(r->bytes) != PROTO_RESPONSE)
		return false;
	asked = latest_request_ns(h);
	return stream_moment(p->stream, h->c, d, r->pos, &m) && m.call_start && m.from == r->pos &&
	       w->first_ns && asked > w->first_ns &&
	       asked < stream_when(p->stream, h->c, d, r->pos);
}

static uint64_t step_octets(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r)
{
	struct way *w = &h->way[d];
	uint64_t n = r->len < w->left ? r->len : w->left;
	bool enough;

	if (w->state != WAY_CHUNK_DATA && was_head(p, h, d, r)) {
		http1_complete(p, h, d, r->pos);
		return 0;
	}
	if (w->state == WAY_CLOSE)
		n = r->len;
	enough = !give_content(p, h, d, r, n);
	if (w->state != WAY_CLOSE)
		w->left -= n;
	if (enough)
		budget_enough(p, h, d, r->pos + n, r->pos + r->len);
	if (w->state == WAY_CLOSE)
		return n;
	if (w->left == 0) {
		if (w->state == WAY_LENGTH)
			http1_complete(p, h, d, r->pos + n);
		else
			w->state = WAY_CHUNK_END;
	}
	return n;
}

static uint64_t step_chunk_line(struct proto *p, struct http1 *h, enum pc_dir d,
				const struct range *r, bool last)
{
	struct way *w = &h->way[d];
	uint64_t size = 0;
	long n = http1_chunk_line(r->bytes, &size);

	if (n < 0) {
		http1_lose_way(p, h, d, r->pos, PROTO_LOSS_MALFORMED, PC_WHY_NONE);
		return 0;
	}
	if (n == 0)
		return can_wait(r, last) ? 0 : http1_lose_broken(p, h, d, r);
	http1_account(p, h, d, r->pos, (uint64_t)n);
	w->left = size;
	w->state = size ? WAY_CHUNK_DATA : WAY_TRAILERS;
	if (size && size < UINT64_MAX / 4)
		budget_chunk(p, h, d, r->pos + (uint64_t)n + size, r->pos + r->len);
	return (uint64_t)n;
}

static uint64_t step_chunk_end(struct proto *p, struct http1 *h, enum pc_dir d,
			       const struct range *r, bool last)
{
	struct slice s = r->bytes;
	uint64_t n = s.len >= 1 && s.at[0] == '\n' ? 1 : 2;

	if (s.len < n && (s.len == 0 || s.at[0] == '\r'))
		return can_wait(r, last) ? 0 : http1_lose_broken(p, h, d, r);
	if (n == 2 && (s.at[0] != '\r' || s.at[1] != '\n')) {
		http1_lose_way(p, h, d, r->pos, PROTO_LOSS_MALFORMED, PC_WHY_NONE);
		return 0;
	}
	http1_account(p, h, d, r->pos, n);
	h->way[d].state = WAY_CHUNK_LINE;
	return n;
}

static uint64_t step_trailers(struct proto *p, struct http1 *h, enum pc_dir d,
			      const struct range *r, bool last)
{
	struct way *w = &h->way[d];
	struct message_end e = { .outcome = MESSAGE_COMPLETE };
	uint32_t size = http1_head_size(r->bytes, &w->scanned);

	if (!size || size > HEAD_BYTES) {
		if (r->bytes.len > HEAD_BYTES)
			http1_lose_way(p, h, d, r->pos, PROTO_LOSS_MALFORMED, PC_WHY_NONE);
		else if (!can_wait(r, last))
			http1_lose_broken(p, h, d, r);
		return 0;
	}
	http1_account(p, h, d, r->pos, size);
	if (size > 2) {
		e.trailer_count = http1_trailers_parse(slice_sub(r->bytes, 0, size), &p->scratch);
		e.trailers = p->scratch.fields;
	}
	e.end_pos = r->pos + size;
	http1_finish(p, h, d, &e);
	return size;
}

uint64_t http1_content(struct proto *p, struct http1 *h, enum pc_dir d, const struct range *r,
		       bool last)
{
	switch ((enum way_state)h->way[d].state) {
	case WAY_CHUNK_LINE:
		return step_chunk_line(p, h, d, r, last);
	case WAY_CHUNK_END:
		return step_chunk_end(p, h, d, r, last);
	case WAY_TRAILERS:
		return step_trailers(p, h, d, r, last);
	default:
		return step_octets(p, h, d, r);
	}
}
