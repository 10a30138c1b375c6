/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.h: the witness of heads (txn/evidence.h): cookies sent and set, ids in URLs, tokens and
 * what the operator configured become keyed hashes. The only place that sees their values; nothing of
 * them is kept. Bounded: at most EVIDENCE_MAX of a head, the best by kind and rank; what falls out is
 * counted. One thread.
 */
#ifndef PC_SESSION_EVIDENCE_H
#define PC_SESSION_EVIDENCE_H

#include "base/sip.h"
#include "txn/txn.h"

#define EVIDENCE_MAX	    16
#define EVIDENCE_CONFIGURES 16 /* configured keys */

struct evidence_stats {
	uint64_t cookies;    /* sent and set */
	uint64_t cut;	     /* pieces of evidence that found no place beside better ones */
	uint64_t bad_tokens; /* looked like a JWT and were none: taken as they are */
};

struct evidence_rules; /* the names, made once */

/* `configured`: "cookie:NAME", "header:NAME", "query:NAME"; NULL-terminated or NULL. -EINVAL: another
 * form, or more than EVIDENCE_CONFIGURES. `opt_out_cookie`: its name, or NULL. Strings are borrowed. */
int evidence_rules_new(const struct sip_key *key, const char *const *configured,
		       const char *opt_out_cookie, struct evidence_rules **ret);
void evidence_rules_free(struct evidence_rules *r);
/* What one head says. `now_s`: wall clock, for Expires. -ENOMEM: no room in the arena. */
int evidence_of(struct evidence_rules *r, const struct head *h, bool request, int64_t now_s,
		struct arena *a, struct evidence_list *ret);
void evidence_stats(const struct evidence_rules *r, struct evidence_stats *ret);
/* NULL: fine; otherwise what is wrong with a configured key. */
const char *evidence_check(const char *configured);
/* A value that nobody meets by chance. */
bool evidence_is_random(struct slice value);

#endif
