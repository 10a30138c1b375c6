/* SPDX-License-Identifier: Apache-2.0 */
/*
 * belong.c: which look-up a question belongs to. Only names, threads, sockets and times tell:
 *
 *   the same name, another kind of address   by the same thread; by another one at once (a goroutine each)
 *   the same, and nobody has answered        asked again: by the same thread, or by any where such a pair was seen
 *   the same, and a server could not say     another server, or the same one from the same socket. From another
 *                                            socket the process asks anew (a goroutine, or after an error of that
 *                                            socket, only later). Where the other kind of address was found: at
 *                                            once, or from the same socket
 *   the same, and it was answered            the process asks anew
 *   another name, after all was in vain      an ending more or less of the search list, or another one. Where only
 *                                            the first label is the same, at once after an answer: "www.a.example" and
 *                                            "www.b.example" may be two hosts
 */
#include <errno.h>

#include "txn/lookup/inside.h"

#define NEXT_NS	   20000000ull	/* between an answer and the next question of the same look-up */
#define STALLED_NS 200000000ull /* no resolver gives up sooner */

/* Another question says all that the answer to this one could, or took its place. */
static bool is_covered(const struct lookup *p, const struct question *q)
{
	for (unsigned i = 0; i < p->questions; i++) {
		const struct question *o = &p->question[i];

		if (o->key.hash != q->key.hash)
			continue;
		if (o->state == NO_NAME)
			return true;
		if (o->key.type == q->key.type &&
		    (o->state == FOUND || o->state == EMPTY || o->asked_ns > q->asked_ns))
			return true;
	}
	return false;
}

bool lookup_pends(const struct lookup *p, uint64_t since_ns)
{
	for (unsigned i = 0; i < p->questions; i++) {
		const struct question *q = &p->question[i];

		if (q->state == OPEN && q->asked_ns >= since_ns && !is_covered(p, q))
			return true;
	}
	return false;
}

static bool is_over(const struct lookup *p, uint64_t now_ns)
{
	return !p->resolved && !lookup_pends(p, now_ns > STALLED_NS ? now_ns - STALLED_NS : 0);
}

/* The latest question for the name, of this type (0: of any). NULL: none. */
static const struct question *latest(const struct lookup *p, uint32_t name, uint16_t type)
{
	const struct question *found = NULL;

	for (unsigned i = 0; i < p->questions; i++) {
		const struct question *q = &p->question[i];

		if (q->key.hash == name && (!type || q->key.type == type) &&
		    (!found || q->asked_ns > found->asked_ns))
			found = q;
	}
	return found;
}

/* Did this server get the question from this socket, or another server? */
static bool goes_on(const struct lookup *p, const struct question *new)
{
	bool known = false;

	for (unsigned i = 0; i < p->questions; i++) {
		const struct question *q = &p->question[i];

		if (q->key.hash != new->key.hash || q->server != new->server)
			continue;
		if (q->key.port == new->key.port)
			return true;
		known = true;
	}
	return !known;
}

static bool takes_again(const struct lookup *p, const struct question *new, bool same_thread,
			const struct question *old)
{
	const bool at_once = new->asked_ns < p->answered_ns + NEXT_NS;

	if (old->state == OPEN)
		return same_thread || (p->scattered && new->asked_ns > old->asked_ns + STALLED_NS);
	if (old->state != NO_ANSWER)
		return false;
	if (p->scattered || (same_thread && old->no_way))
		return at_once;
	return same_thread && goes_on(p, new) &&
	       (!p->resolved || at_once || new->key.port == old->key.port);
}

bool lookup_takes(const struct lookup *p, const struct question *new, uint32_t tid,
		  struct slice name)
{
	const bool same_thread = p->tid == tid;
	const struct question *any = latest(p, new->key.hash, 0),
			      *old = latest(p, new->key.hash, new->key.type);

	if (old)
		return takes_again(p, new, same_thread, old);
	if (any)
		return same_thread || new->asked_ns < any->asked_ns + LOOKUP_AT_ONCE_NS;
	switch (relation_of(slice_of(p->name, p->name_len), name)) {
	case RELATION_NONE:
	case RELATION_SAME: /* another name of the same hash */
		return false;
	case RELATION_STEM:
	case RELATION_LONGER:
	case RELATION_CLOSE:
		if (same_thread || p->scattered)
			return is_over(p, new->asked_ns);
		break;
	case RELATION_OTHER:
		break;
	}
	return is_over(p, new->asked_ns) && new->asked_ns < p->answered_ns + NEXT_NS;
}

const char *lookup_errno(uint32_t error)
{
	switch (error) {
	case ECONNREFUSED:
		return "ECONNREFUSED";
	case EHOSTUNREACH:
		return "EHOSTUNREACH";
	case ENETUNREACH:
		return "ENETUNREACH";
	case ETIMEDOUT:
		return "ETIMEDOUT";
	}
	return "_OTHER";
}
