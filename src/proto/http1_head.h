/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_head.h: one HTTP/1.x head (RFC 9112 sections 2 to 6) → struct head. Pure functions over a
 * slice; nothing is allocated and nothing kept: slices of the result point into the input, or into
 * the scratch where a folded value had to be joined, and live as long as both.
 *
 * An observer is as lenient as the most lenient server: what one of them accepts is parsed and
 * flagged HEAD_LENIENT. Only the line structure must hold, because without it nothing does.
 */
#ifndef PC_PROTO_HTTP1_HEAD_H
#define PC_PROTO_HTTP1_HEAD_H

#include "proto/proto.h"

/* Where fields are put and folded values joined; one a protocol instance, since a head is only valid
 * during a call. */
struct head_scratch {
	struct field fields[HEAD_FIELDS];
	uint32_t used;
	char fold[HEAD_BYTES];
};

/* What the fields say about framing and about the connection, collected in one pass. */
struct head_facts {
	uint64_t length; /* valid if has_length and not bad_length */
	bool has_length;
	bool bad_length;		 /* not a number, too large, or two that differ */
	bool has_coding;		 /* Transfer-Encoding with a coding other than identity */
	bool chunked_last;		 /* its last coding is chunked */
	bool chunked_inside;		 /* chunked elsewhere than last: RFC 9112 6.1 forbids it */
	bool close, keep_alive, upgrade; /* options of Connection */
	bool has_upgrade;		 /* an Upgrade field */
};

/* Octets up to and including the empty line that ends the head; 0: not here yet. *scanned remembers
 * how far we have looked, so that a head that comes octet by octet is not searched anew each time;
 * 0 at the start of a message. */
uint32_t http1_head_size(struct slice s, uint32_t *scanned);

/* `s` is a whole head as measured by http1_head_size. -EBADMSG: it is none. Sets everything in
 * *ret_head but pos, framing and content_length. */
int http1_head_parse(struct slice s, bool request, struct head_scratch *scratch,
		     struct head *ret_head, struct head_facts *ret_facts);

/* The fields of a trailer section, empty line included; a subset of the above. */
uint32_t http1_trailers_parse(struct slice s, struct head_scratch *scratch); /* returns how many */

/* What do these first octets begin? Empty lines in front are passed over. A request is certain only
 * when its whole line is there; PROTO_MAYBE: wait for more. */
enum proto_guess http1_guess(struct slice s);
bool http1_method_known(struct slice m);
uint32_t http1_empty_lines(struct slice s); /* octets of empty lines at the start */

/* RFC 9112 6.3. Sets framing, content_length and HEAD_CONFLICT. `request` NULL: *h is a request;
 * otherwise the class of the request that it answers. */
enum request_class { REQUEST_PLAIN, REQUEST_HEAD, REQUEST_CONNECT, REQUEST_UPGRADE };
enum request_class http1_request_class(const struct head *h);
void http1_request_framing(struct head *h, const struct head_facts *f);
void http1_response_framing(struct head *h, const struct head_facts *f, enum request_class asked);

/* One chunk-size line with its extensions (RFC 9112 7.1): octets of the line or 0 (not whole yet) or
 * -EBADMSG. */
long http1_chunk_line(struct slice s, uint64_t *ret_size);
#define CHUNK_LINE_BYTES 16384 /* longer: no chunk header */

#endif
