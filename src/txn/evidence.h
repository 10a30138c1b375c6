/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.h: what a head says about who sent it, without saying it. Cookies and tokens are never
 * copied (fields.h); instead a witness looks at each head of a server's connection while it stands in
 * the stream, and at those values of contents that he asked for, and leaves keyed hashes in the
 * transaction's arena. Which fields and names matter, and the key, are the witness's affair
 * (session/evidence.c).
 */
#ifndef PC_TXN_EVIDENCE_H
#define PC_TXN_EVIDENCE_H

#include "base/arena.h"
#include "proto/proto.h"
#include "txn/reading.h"

/* In the order of how much an exported key should rest on it. */
enum evidence_kind {
	EVIDENCE_CONFIGURED,
	EVIDENCE_KNOWN,	    /* session cookie of a common platform, or its id in a URL */
	EVIDENCE_COOKIE,    /* another cookie with a random value */
	EVIDENCE_ANALYTICS, /* a visitor id of a measuring script */
	EVIDENCE_CART,	    /* id of a cart or checkout, in the path or configured */
	EVIDENCE_TOKEN,	    /* bearer token, or the subject of a JWT */
	EVIDENCE_ADDRESS, /* address, User-Agent and Accept-Language together; made by the session stage */
	EVIDENCE_WEAK,	  /* CSRF cookie of a client: links, is never a basis */
	EVIDENCE_OPT_OUT, /* the cookie by which a person declines to be measured; no hash */
	EVIDENCE_KINDS
};

/* evidence.flags */
#define EVIDENCE_SET	 0x01 /* given by the response; otherwise sent by the request */
#define EVIDENCE_DELETED 0x02 /* the response takes the value of this name away: no hash */
#define EVIDENCE_SCOPED	 0x08 /* set without Path=/, so that not every request will bring it back */
#define EVIDENCE_RANDOM	 0x04 /* the value looks random, so its hash does not depend on the name */

struct taken;

struct evidence {
	uint64_t hash
		[2]; /* of the value, keyed by the site secret: equal on every host that shares it */
	uint32_t name; /* keyed hash of the name of the cookie, field or parameter */
	uint8_t kind, flags;
	uint8_t rank; /* within the kind: the lowest first */
};

struct evidence_list {
	const struct evidence *at; /* in the transaction's arena */
	uint32_t count;
	uint64_t marks; /* conditions of the witness that hold for the head, a bit each */
};

struct txn_witness {
	void *ctx;
	/* One head of a server's connection; its slices are valid during the call only. -ENOMEM: no
	 * room in the arena, and it will be asked again after others made room. */
	int (*head)(void *ctx, const struct head *h, bool request, struct arena *a,
		    struct evidence_list *ret);
	/* As in struct txn_reader (reading.h), of servers. Wants are the witness's as long as the stage lives. */
	uint32_t contents;
	const struct body_wants *(*wants)(void *ctx, const struct transaction *t, bool request);
	/* One value of a content, valid during the call only: adds to the list, which has what the head said.
	 * -ENOMEM: no room in the arena; it is not shown again. */
	int (*value)(void *ctx, const struct taken *v, bool request, struct arena *a,
		     struct evidence_list *list);
};

#endif
