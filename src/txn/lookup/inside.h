/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h: one look-up, for lookup.c, which keeps them, and belong.c, which knows what belongs to one.
 */
#ifndef PC_TXN_LOOKUP_INSIDE_H
#define PC_TXN_LOOKUP_INSIDE_H

#include "txn/lookup/lookup.h"
#include "txn/lookup/relation.h"

#define QUESTIONS 8 /* of one look-up that are remembered, the latest */
#define LOOKUP_AT_ONCE_NS                                                                          \
	100000000ull /* a resolver that asks from two threads does so in this time */

/* What is known of a question, or of all for one kind of address. */
enum asked_state { UNASKED, OPEN, FOUND, EMPTY, NO_ANSWER, NO_NAME };

/* By which an answer finds its question. */
struct lookup_key {
	uint32_t tgid, hash; /* of the name */
	uint16_t id, port, type;
};

struct question {
	struct lookup_key key;
	uint64_t asked_ns;
	uint32_t server; /* hash of its address */
	uint8_t state; /* enum asked_state; NO_ANSWER: the server could not say, or is not there */
	bool of_name;  /* of the look-up's, not of a longer one */
	bool no_way;   /* its socket had an error: asked again, it is by another one */
};

struct lookup {
	uint64_t number;     /* key */
	struct lookup *next; /* in its chain */
	uint32_t tgid, tid, label;
	uint64_t first_ns, asked_ns, answered_ns, gap_ns;
	uint64_t ended_ns; /* its process did */
	uint32_t again;
	bool resolved, unsure;
	bool loose; /* its socket is not connected: musl, which asks again whatever a server could not say */
	bool scattered; /* A and AAAA come from sockets of their own: any thread may ask again (Go) */
	uint8_t state[2];  /* enum asked_state of its name: A, AAAA */
	const char *error; /* of the latest NO_ANSWER */
	uint16_t family;
	struct pc_addr local, server;
	uint8_t questions;
	struct question question[QUESTIONS];
	uint8_t name_len;
	char name[DNS_NAME];
};

static inline bool lookup_has(const struct lookup *p, enum asked_state state)
{
	return p->state[0] == state || p->state[1] == state;
}

/* belong.c */
/* Is this question, of the same process, part of it? */
bool lookup_takes(const struct lookup *p, const struct question *q, uint32_t tid,
		  struct slice name);
/* Was something asked after since_ns that may still be answered, and has not been by another server? */
bool lookup_pends(const struct lookup *p, uint64_t since_ns);
const char *lookup_errno(uint32_t error);

#endif
