/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns.h: one message between a resolver and a name server (RFC 1035 section 4): which name was asked for, and
 * whether the answer has an address. The octets are anybody's: who is on the way, or owns the name, wrote them.
 *
 * Of interest are questions of resolvers of applications: standard queries with recursion desired for the
 * address (A, AAAA) of one name in the class IN. Others are read and say so by their type. Plain state, no memory
 * of its own; nothing behind the end of the slice is looked at.
 */
#ifndef PC_TXN_LOOKUP_DNS_H
#define PC_TXN_LOOKUP_DNS_H

#include "base/slice.h"

#define DNS_NAME      253 /* octets of a name as text: RFC 1035 section 2.3.4 less lengths and root */
#define DNS_ADDRESSES 8	  /* of an answer that are kept */

enum { DNS_A = 1, DNS_AAAA = 28 };

enum dns_rcode { /* RFC 1035 section 4.1.1 */
		 DNS_NOERROR,
		 DNS_FORMERR,
		 DNS_SERVFAIL,
		 DNS_NXDOMAIN,
		 DNS_NOTIMP,
		 DNS_REFUSED,
};

struct dns_message {
	uint16_t id;
	uint16_t type; /* of the question */
	bool answer;
	bool recursion; /* desired, or (answer) was */
	uint8_t rcode;
	/* Answer: it has a record of the type that was asked for, or part of it is not here (truncated by the
	 * server, or cut by who copied it) and may have one. */
	bool found;
	uint8_t addresses;
	uint8_t ip[DNS_ADDRESSES][16]; /* IPv4 as ::ffff:a.b.c.d */
	uint8_t name_len;
	char name[DNS_NAME]; /* in small letters, without the last dot */
};

/* -EBADMSG: not such a message, or of no host: a question must be whole, and its name one of visible ASCII. */
int dns_read(struct slice s, struct dns_message *ret);
/* The number by which an answer has its question, of two octets or more, whatever else they are. */
uint16_t dns_id(struct slice s);
/* "NXDOMAIN"; "_OTHER" for those without a name in RFC 1035. */
const char *dns_rcode_name(uint8_t rcode);

#endif
