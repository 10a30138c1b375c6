/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attempt.h: a connection that came to nothing, and what a listener turned away: facts beside transactions,
 * because nothing was asked, or nobody was there to answer.
 *
 * An attempt of a client waits in txn/ (attempt.c) until it is known what it was made for: the request that
 * its thread was serving, where it is certain that the thread served only that (trace/thread.h). Then it leaves
 * on that transaction (transaction.attempts), otherwise by itself (txn_sink.attempt).
 */
#ifndef PC_TXN_ATTEMPT_H
#define PC_TXN_ATTEMPT_H

#include "txn/process.h"

#define ATTEMPT_NAME 253 /* octets of a host's name */

enum attempt_phase {
	ATTEMPT_CONNECT, /* client: the TCP handshake, or reset right after it */
	ATTEMPT_TLS,	 /* client */
	ATTEMPT_ACCEPT,	 /* server: nobody had accepted it when the listener closed */
	ATTEMPT_ANSWER,	 /* server: reset before an octet was answered */
	ATTEMPT_DNS, /* client: its name was not found, so no connection was tried (lookup/lookup.h) */
};
const char *attempt_phase_name(enum attempt_phase p); /* connect tls accept answer dns */

struct attempt {
	struct attempt *next; /* of the same transaction */
	bool client;
	enum attempt_phase phase;
	/* error.type: ECONNREFUSED and its like; an alert's name; abandoned, end_of_stream, not_tls, unaccepted,
	 * reset; _OTHER: no packet left the host and the errno is not known. DNS: lookup.h. Static. */
	const char *error;
	bool by_peer;	 /* TLS: the alert was the other end's */
	bool abandoned;	 /* this end gave up before there was an answer */
	bool superseded; /* the same thread then reached the same port by another connection */
	/* SYN sent, or (server) established; DNS: the first question; 0 = unobserved */
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t connection_id; /* DNS: a hash of the name */
	uint16_t family;
	struct pc_addr local, remote; /* DNS: of the name server that was asked last */
	uint32_t
		retrans; /* of the connection: of a connect, SYNs sent again; DNS: questions asked again */
	uint32_t tgid, tid; /* 0 = unobserved */
	/* Of tgid, NULL: nothing more is known. Valid during the call of the sink. */
	const struct process *process;
	uint8_t name_len; /* of the host that was asked for: by TLS or DNS, or the only one known at that address */
	char name[ATTEMPT_NAME];

	/* filled by trace/ */
	bool has_cause; /* the request that it was made for is known */
	uint8_t trace_id[16], parent_id[8];

	/* filled by session/ */
	uint8_t event_id[16];
	struct slice site; /* at == NULL: none known */
	bool has_session;
	uint8_t session_id[16], session_key[16];
	bool has_page;
	uint8_t page_id[16];
};

/* A call that failed for who asked: not one of several addresses of which another was reached, and not one
 * that was let go before anybody could have answered twice. */
static inline bool attempt_failed(const struct attempt *a)
{
	return a->client && !a->superseded && (!a->abandoned || a->retrans);
}

/* What listeners turned away, see struct pc_listener. */
struct listener_news {
	uint64_t time_ns;
	uint64_t listener_id;
	uint64_t dropped, refused; /* attempts since the last news */
	uint64_t
		still_ns; /* nobody has accepted what waits for so long; 0: somebody did, or none waits */
	bool open;	  /* it listens still: waiting and backlog are known */
	uint32_t waiting, backlog;
	uint16_t family;
	struct pc_addr local;
	uint32_t tgid;
	const struct process *process; /* as in an attempt */

	/* filled by session/ */
	uint8_t event_id[16];
	struct slice site;
};

#endif
