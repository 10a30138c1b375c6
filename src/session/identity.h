/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.h: who is who: an index from pieces of evidence (clues) to visitors (identities). Internal
 * to this folder; session.c decides about visits, this about visitors.
 *
 *   clue      hash of a value on a site → the identity that it belongs to
 *   print     hash of address, agent and language on a site → the identity seen there last
 *   identity  one visitor: its clues, the visit it has or had, what it polls
 *
 * They refer to one another by their places in these tables (table.h), of 4 octets: there are many of them.
 * All three are bounded; an identity without a visit goes first, one with a cart last, and so do clues: who
 * brings many made-up cookies pushes out what others of his kind are known by, not what carts are.
 */
#ifndef PC_SESSION_IDENTITY_H
#define PC_SESSION_IDENTITY_H

#include "base/list.h"
#include "base/table.h"
#include "session/segment/segment.h"

#define CLUES_EACH  8  /* of an identity; the oldest makes room */
#define POLLS	    3  /* targets of a visitor that may be polled at once */
#define ALIASES_MAX 32 /* of a visit: a cookie that changes with each response makes no flood */

struct identity;
struct page_view;

/* clue.state */
#define CLUE_ECHOED   0x01 /* a request sent it */
#define CLUE_FIRST    0x02 /* it was given to a request that brought nothing */
#define CLUE_PARALLEL 0x04 /* … while another such request of the same visitor was under way */
#define CLUE_SCOPED   0x08 /* not every request of its visitor brings it */
#define CLUE_USED     0x10 /* since eviction last came by */
#define CLUE_GIVEN    0x20 /* a response set it, to a request that did not bring it */
#define CLUE_COMMON   0x40 /* … and to another visitor's too: it tells nobody apart */

struct clue {
	uint64_t key[2];
	uint32_t who, next; /* places: its identity; the one of it that is older */
	uint32_t name;
	uint8_t kind, state;
};

struct print {
	uint64_t key[2];
	uint32_t last;	/* place of the identity */
	uint32_t count; /* identities whose print this is */
};

struct basis {
	uint64_t hash[2];
	uint8_t kind;
};

struct poll {
	uint32_t last_ms;	/* of the clock's, whose upper bits are left out */
	uint32_t target;	/* hash; 0 = free */
	uint32_t interval : 20; /* ms between the last two; at most POLL_MOST_MS */
	uint32_t steady : 6; /* intervals in a row that were alike; more than a few are as many */
	uint32_t times : 6;
};

enum visit_state { VISIT_NONE, VISIT_OPEN, VISIT_ENDED };

/* What each transaction needs stands first. */
struct visit {
	uint8_t id[KEY_BYTES], key[KEY_BYTES];
	uint64_t start_ns, last_ns; /* of the first and the last request that count */
	uint64_t solid_ns;	    /* of the last one that is surely no poll */
	uint32_t transactions, page_views;
	uint8_t state, end_reason;
	uint8_t basis; /* enum evidence_kind */
	bool shared;
	bool measured; /* told for metrics that only add up */
	uint8_t alias_count;
	struct visit_segment segment;
	uint32_t period; /* of its key, or of the latest one that was told for it */
	uint32_t revision;
	uint64_t start_unix_ns;
};

/* What is let go first. */
enum value { VALUE_IDLE, VALUE_OPEN, VALUE_CART, VALUES };

/* The id of its visit is the key of its table, so that who kept only that finds it. */
struct identity {
	struct visit visit;
	/* What only some transactions need: of the last request that brought nothing: parallel ones are told
	 * by them. */
	uint64_t first_ns, first_end_ns;
	uint32_t first_target, first_referer;
	struct list of_value;
	uint32_t print; /* place; 0: none */
	uint32_t clues; /* place of the newest; 0: none */
	/* What each needs. */
	struct known_site *site;
	struct page_view *pages; /* page/page.h: of its visit, the latest first */
	struct basis basis;	 /* what its key rests on now */
	uint64_t seen_ns;	 /* any transaction */
	uint32_t touched_ms;	 /* its place in the list is from then, as poll.last_ms */
	uint32_t icon;		 /* mark of where a redirect sent the icon to; 0: nowhere */
	uint8_t value;
	uint8_t clue_count;
	bool confirmed; /* a clue that was given to it came back */
	bool emptied;	/* and was taken away again (a logout) */
	struct poll polls[POLLS];
};

/* What is known of a cookie that no list names. */
struct cookie_name {
	uint64_t key; /* of site and name */
	bool known;   /* a response set it, or it behaved as if one had */
	bool echoed;  /* a value that was set came back */
	bool common;  /* one value was given to several clients: it names nobody */
	/* Until it is known: a value and who sent it, whether he sent it again, and whether another client
	 * sent another. Both together are what a visitor's cookie does that was set before us, or by
	 * another host of the site. */
	bool repeated, distinct;
	uint32_t value, print;
};

struct identity_stats {
	uint64_t merged, split, clues_evicted;
};

struct identities {
	struct table *clues, *prints, *identities, *names;
	struct list values[VALUES];
	struct sip_key key;
	struct hashed_text *texts;
	uint32_t cart_clues; /* of identities with a cart */
	uint64_t next_number;
	struct identity_stats stats;
};

struct identity_limits {
	uint32_t identities, clues, prints, names;
};

int identities_new(const struct identity_limits *limits, const struct sip_key *key,
		   struct identities **ret);
void identities_free(struct identities *x);

/* sip24_128 under the site's key of a text that comes again and again: an agent, a language. */
void identities_hash(struct identities *x, struct slice text, uint64_t ret[2]);

/* What a request says, found out by identities_find. */
struct sighting {
	struct identity *who; /* NULL: nobody can be named */
	struct basis basis;   /* best basis of the request, of a new visitor of the response too */
	struct basis next;    /* what the response gives a client that is known to keep it */
	struct basis also;    /* what another host may know the same visitor by */
	bool fresh;	      /* the identity was made for it */
	bool newcomer; /* it brought nothing that tells visitors apart, and was given something */
	bool shared;   /* others look the same */
	bool merged;   /* `other` turned out to be the same visitor */
	struct identity *other;
};

enum look_mode {
	LOOK_KNOWN, /* only who is known by what the request carries; nothing is learned */
	LOOK_LABEL, /* no new identity */
	LOOK_OPEN,
};

/* Who is given the first thing that tells him apart (`set`) was known by his looks alone until then: here, or,
 * where he came from a page of the site, on another host. The host that goes on may know only the new value.
 * By what else it may know him; kind EVIDENCE_KINDS: nothing. */
struct basis identity_elsewhere(const struct sighting *seen, const struct basis *set,
				const struct request *r, const uint64_t print_key[2]);

/* sighting.c: whose request it is. `evict` is called while there is no room for a new identity: it must
 * take one away (identities_remove) or return false. */
void identities_find(struct identities *x, struct known_site *site, const struct request *r,
		     enum look_mode mode, bool (*evict)(void *ctx), void *ctx,
		     struct sighting *ret);
/* A bare identity; NULL: none could be made. */
struct identity *identities_add(struct identities *x, struct known_site *site,
				bool (*evict)(void *ctx), void *ctx);
void identities_add_clue(struct identities *x, struct identity *who, const uint64_t key[2],
			 uint32_t name, uint8_t kind, uint8_t state);
void identities_remove(struct identities *x, struct identity *who);
/* It has another visit from here on, which is known by its id. */
void identities_visit(struct identities *x, struct identity *who, const struct visit *visit);
struct identity *identities_by_visit(const struct identities *x, const uint8_t id[KEY_BYTES]);
void identities_touch(struct identities *x, struct identity *who, enum value value);
struct identity *identities_oldest(struct identities *x, enum value value);    /* NULL: none */
struct identity *identities_newer(struct identities *x, struct identity *who); /* of its value */
uint32_t identities_count(const struct identities *x);

/* ---- the index, for sighting.c ---- */

static inline struct identity *clue_who(const struct identities *x, const struct clue *c)
{
	return table_at(x->identities, c->who);
}

/* Of one visitor, the newest first. */
static inline struct clue *clue_first(const struct identities *x, const struct identity *who)
{
	return table_at(x->clues, who->clues);
}

static inline struct clue *clue_next(const struct identities *x, const struct clue *c)
{
	return table_at(x->clues, c->next);
}

void clue_key(const struct known_site *site, const uint64_t hash[2], uint64_t ret[2]);
void clue_remove(struct identities *x, struct clue *c);
void clue_move(struct identities *x, struct clue *c, struct identity *to);
/* Both send a session of the same name, and not the same one: no one visitor does. */
bool clues_differ(const struct identities *x, const struct identity *a, const struct identity *b);
void print_leave(struct identities *x, struct identity *who);
void print_join(struct identities *x, struct identity *who, const uint64_t key[2]);

#endif
