/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.h: the witness of heads and contents (txn/evidence.h): cookies sent and set, ids in URLs, tokens
 * and what the operator configured, fields of JSON among it, become keyed hashes. The only place that sees
 * their values; nothing of them is kept. Bounded: at most EVIDENCE_MAX of a message, the best by kind and
 * rank; what falls out is counted. One thread.
 */
#ifndef PC_SESSION_EVIDENCE_H
#define PC_SESSION_EVIDENCE_H

#include "base/sip.h"
#include "txn/txn.h"

#define EVIDENCE_MAX	    16
#define EVIDENCE_CONFIGURES 16 /* configured keys, and as many carts */

struct evidence_stats {
	uint64_t cookies;    /* sent and set */
	uint64_t cut;	     /* pieces of evidence that found no place beside better ones */
	uint64_t bad_tokens; /* looked like a JWT and were none: taken as they are */
	uint64_t fields;     /* of JSON, taken */
};

struct evidence_rules; /* the names, made once */

/* `keys`, what tells visitors apart, and `carts`, ids of carts: "cookie:NAME", "header:NAME", "query:NAME",
 * "json:PATH" of a request or response (wants.h; one value, so no wildcard and no descendant);
 * NULL-terminated or NULL. -EINVAL: another form, or more than EVIDENCE_CONFIGURES. `opt_out_cookie`: its
 * name, or NULL. Strings are borrowed. */
int evidence_rules_new(const struct sip_key *key, const char *const *keys, const char *const *carts,
		       const char *opt_out_cookie, struct evidence_rules **ret);
void evidence_rules_free(struct evidence_rules *r);
/* What one head says. `now_s`: wall clock, for Expires. -ENOMEM: no room in the arena. */
int evidence_of(struct evidence_rules *r, const struct head *h, bool request, int64_t now_s,
		struct arena *a, struct evidence_list *ret);
/* The fields of JSON among the rules; NULL: none. They live as long as the rules. */
const struct body_wants *evidence_wants(const struct evidence_rules *r);
/* One of them was found: adds to the list. The first of each counts. -ENOMEM: no room in the arena. */
int evidence_value(struct evidence_rules *r, const struct taken *v, bool request, struct arena *a,
		   struct evidence_list *list);
void evidence_stats(const struct evidence_rules *r, struct evidence_stats *ret);
/* 0, or -EINVAL: what is wrong with a configured key or cart, and where (octets of the whole text). */
int evidence_check(const char *configured, struct body_error *ret_error);
/* The better one goes first: by kind, then by rank. */
static inline bool evidence_is_before(const struct evidence *a, const struct evidence *b)
{
	return a->kind != b->kind ? a->kind < b->kind : a->rank < b->rank;
}
/* A value that nobody meets by chance. */
bool evidence_is_random(struct slice value);

#endif
