/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake.h: how a TLS handshake goes, told from its records, without any secret: RFC 8446 and RFC 5246.
 *
 * Of interest is one that comes to nothing. What can be seen of that in clear: an alert of either end while
 * no keys are in use; an answer that is no TLS; and of a client that sends its alert in TLS 1.3 under keys
 * already (OpenSSL does not) that its first such record is too short for a Finished, though not which it is. A server that does not like the client's
 * certificate in TLS 1.3 says so under keys, after the client was done: that is not seen.
 *
 * Fed with ranges of both directions in any order. Plain state, no memory of its own.
 */
#ifndef PC_TLS_HANDSHAKE_H
#define PC_TLS_HANDSHAKE_H

#include <stdbool.h>

#include "base/slice.h"

#define HANDSHAKE_NAME	       128 /* octets kept of a host's name; a longer one is none */
#define HANDSHAKE_BEGIN	       6   /* octets that handshake_begins wants */
#define HANDSHAKE_ALERT_HIDDEN 255 /* an alert, under keys */

enum handshake_state {
	HANDSHAKE_GOES_ON,
	HANDSHAKE_DONE,	   /* the client uses its keys: it is content with the server */
	HANDSHAKE_FAILED,  /* by an alert */
	HANDSHAKE_NOT_TLS, /* the server answered, but not in TLS */
	HANDSHAKE_UNSEEN,  /* octets are missing, or it cannot be told any more */
};

struct handshake {
	uint64_t next[2];     /* server, client: where its next record begins */
	uint8_t state;	      /* enum handshake_state */
	bool asked, answered; /* ClientHello, ServerHello were seen */
	bool tls13;
	bool by_client; /* the alert */
	uint8_t alert;	/* RFC 8446 section 6, or HANDSHAKE_ALERT_HIDDEN */
	uint8_t name_len;
	char name[HANDSHAKE_NAME]; /* server_name of the ClientHello (RFC 6066), as sent */
};

/* Could these be the first octets of a client (a ClientHello) or of what a server answers to one? */
bool handshake_begins(struct slice first, bool client);
/* Positions count from the beginning of each direction. `len` octets at pos, of which the first bytes.len
 * are here. Returns how many were taken; fewer: more of them are wanted in one piece, or (a client's, once it
 * has asked) the server's answer first, unless `last`. */
uint64_t handshake_push(struct handshake *h, bool client, uint64_t pos, struct slice bytes,
			uint64_t len, bool last);
/* "unknown_ca"; of RFC 8446 section 6 and RFC 5246 section 7.2; "alert" for others and the hidden. */
const char *handshake_alert_name(uint8_t alert);

#endif
