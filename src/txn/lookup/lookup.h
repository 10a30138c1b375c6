/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup.h: datagrams between a process and name servers (struct pc_dns) → look-ups of names that failed, each
 * once. A look-up is what a thread asks to have the address of one host: for IPv4 and IPv6, of several
 * servers, again when nobody answers, and with the endings of the search list (resolv.conf(5)), as long as none of it
 * was found. If any was, it is no failure.
 *
 *   NXDOMAIN SERVFAIL REFUSED FORMERR NOTIMP _OTHER   what the answer said (RFC 1035 section 4.1.1)
 *   NODATA        the name is there, without an address of a kind that was asked for
 *   timeout       asked, and again perhaps, and nobody ever answered
 *   ECONNREFUSED … the errno of the call: nobody is at the server's port, or there is no way to it
 *   abandoned     the process ended before anybody could have answered
 *
 * Where a record is missing, or the octets of an answer, what is open then is not told but counted.
 * Bounded; records of one ring come in order, of several nearly. Loop thread, no clock.
 */
#ifndef PC_TXN_LOOKUP_LOOKUP_H
#define PC_TXN_LOOKUP_LOOKUP_H

#include "parcours/abi.h"
#include "txn/lookup/dns.h"

/* What failed. Valid during the call. */
struct lookup_failure {
	const char *error; /* static */
	bool abandoned;
	struct slice name;
	uint64_t start_ns;  /* the first question */
	uint64_t end_ns;    /* the last answer; timeout: the last question */
	uint32_t tgid, tid; /* that asked first */
	uint32_t again;	    /* questions beyond the first of each kind */
	uint16_t family;
	struct pc_addr local, server; /* of the latest question for the name */
};

struct lookup_sink {
	void *ctx;
	void (*failed)(void *ctx, const struct lookup_failure *f);
	/* The addresses of a name that was found, as the answer to a question has them. May be NULL. */
	void (*found)(void *ctx, struct slice name, const struct dns_message *answer);
};

struct lookup_stats {
	uint64_t begun;
	uint64_t failed;
	uint64_t unobserved; /* that found no room, or whose answer was perhaps not seen */
	uint64_t malformed;  /* datagrams that were no message for us */
};

struct lookups;

int lookups_new(uint32_t most, const struct lookup_sink *sink, struct lookups **ret);
void lookups_push(struct lookups *l, const struct pc_dns *rec);
/* Records found no room: of what was asked until the second tick from here an answer may be missing. */
void lookups_lost(struct lookups *l);
/* Is anything open? Costs nothing. */
bool lookups_wait(const struct lookups *l);
/* The thread, which did nothing else from since_ns on, went on at until_ns: what it asked meanwhile is over. */
void lookups_settle(struct lookups *l, uint32_t tgid, uint32_t tid, uint64_t since_ns,
		    uint64_t until_ns);
void lookups_exit(struct lookups *l, uint32_t tgid, uint64_t at_ns);
void lookups_tick(struct lookups *l, uint64_t now_ns);
void lookups_finish(struct lookups *l);
void lookups_stats(const struct lookups *l, struct lookup_stats *ret);
void lookups_free(struct lookups *l);

#endif
