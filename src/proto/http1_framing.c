/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_framing.c: where does the content end? RFC 9112 section 6.3, in its order. Where the RFC
 * tells a server to refuse (differing lengths, codings that do not end in chunked), nobody can know
 * where the next message starts: all that follows in this direction is taken as content, so that no
 * part of it can be mistaken for a message.
 *
 * Stateless.
 */
#include "proto/http1_head.h"

enum request_class http1_request_class(const struct head *h)
{
	if (slice_eq(h->method, SLICE("HEAD")))
		return REQUEST_HEAD;
	if (slice_eq(h->method, SLICE("CONNECT")))
		return REQUEST_CONNECT;
	return h->flags & HEAD_UPGRADE ? REQUEST_UPGRADE : REQUEST_PLAIN;
}

/* Rules 3 and 4 of both sides: Transfer-Encoding overrides Content-Length. */
static bool coded(struct head *h, const struct head_facts *f)
{
	if (!f->has_coding)
		return false;
	if (f->has_length || f->bad_length || f->chunked_inside)
		h->flags |= HEAD_CONFLICT;
	/* HTTP/1.0 does not know it: RFC 9112 6.1 calls the framing faulty; it is used all the same. */
	if (h->major == 1 && h->minor == 0)
		h->flags |= HEAD_LENIENT | HEAD_CONFLICT;
	h->framing = f->chunked_last ? FRAMING_CHUNKED : FRAMING_CLOSE;
	return true;
}

/* Nothing can follow content that ends with the connection. */
static void settle(struct head *h)
{
	if (h->framing == FRAMING_CLOSE || h->framing == FRAMING_TUNNEL)
		h->flags &= (uint16_t)~HEAD_KEEP_ALIVE;
}

void http1_request_framing(struct head *h, const struct head_facts *f)
{
	if (coded(h, f)) {
		if (h->framing == FRAMING_CLOSE)
			h->flags |= HEAD_CONFLICT;
	} else if (f->bad_length) {
		h->framing = FRAMING_CLOSE;
		h->flags |= HEAD_CONFLICT;
	} else if (f->has_length) {
		h->framing = FRAMING_LENGTH;
		h->content_length = f->length;
	} else {
		h->framing = FRAMING_NONE;
	}
	settle(h);
}

void http1_response_framing(struct head *h, const struct head_facts *f, enum request_class asked)
{
	if (f->bad_length || (f->has_coding && f->has_length))
		h->flags |= HEAD_CONFLICT;
	if (h->status == 101) {
		h->framing = FRAMING_TUNNEL;
		h->flags |= HEAD_UPGRADE;
	} else if (asked == REQUEST_CONNECT && h->status / 100 == 2) {
		h->framing = FRAMING_TUNNEL;
	} else if (asked == REQUEST_HEAD || h->status / 100 == 1 || h->status == 204 ||
		   h->status == 304) {
		h->framing = FRAMING_NONE;
	} else if (coded(h, f)) {
		;
	} else if (f->has_length && !f->bad_length) {
		h->framing = FRAMING_LENGTH;
		h->content_length = f->length;
	} else {
		h->framing = FRAMING_CLOSE;
	}
	settle(h);
}
