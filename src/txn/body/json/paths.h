/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths.h: all JSON paths that are wanted, as one automaton that walks down a document once. A path of n
 * steps is a row of n + 1 states; a set of states is a row of bits. Going down to a child moves each state
 * whose step fits the child one further, and keeps those of a descendant. An empty set: nobody wants
 * anything of this child or below. json.c keeps a set for each level that is open.
 *
 * Paths belong to groups, so that one automaton serves JSON, GraphQL and ld+json: a document starts with
 * the states of those groups that read it.
 */
#ifndef PC_TXN_BODY_PATHS_H
#define PC_TXN_BODY_PATHS_H

#include "txn/body/json/json_path.h"
#include "txn/body/json/names.h"
#include "txn/body/wants.h"

enum path_group {
	PATHS_JSON,
	PATHS_REQUEST,	 /* GraphQL: {query, operationName, variables}, or several in an array */
	PATHS_RESPONSE,	 /* GraphQL: {data, errors}, or several */
	PATHS_VARIABLES, /* GraphQL: the object `variables` by itself */
	PATHS_LD,
	PATH_GROUPS
};

/* Beside a path: what json.c tells of the values that it finds. */
#define PATH_PIECES 0x1 /* text in pieces too, as it comes: whole, whatever its length */
#define PATH_CLOSED 0x2 /* the end of an object */

#define PATH_NO_SLOT 0xff

struct path_state {
	enum path_step_kind kind;
	bool descendant, last; /* last: behind the last step; target is what was found */
	uint32_t name, number;
	uint8_t container_slot, child_slot; /* in index[], for descendants and wildcards */
	uint32_t target;
	uint8_t flags;
};

/* States whose step is this name or number, as a piece of paths.fit. */
struct path_fit {
	uint32_t key, from, count;
};

struct paths {
	uint32_t count, words; /* of states; of a set */
	struct path_state *state;
	struct names names;
	struct path_fit *by_name, *by_number; /* by_number in order of its key */
	uint32_t numbers;
	uint32_t *fit;
	/* wild[1]: of elements; [0]: of members */
	uint64_t *wild[2], *self, *last, *start[PATH_GROUPS];
	bool has_sets;	 /* wild or self are not empty */
	size_t name_max; /* octets of the longest name */
};

/* A child, and what it is in its object or array. */
struct path_key {
	uint32_t name;	/* number, or NAMES_NONE */
	uint32_t child; /* ordinal in the object or array */
	bool array;
};

/* `slots`: indices that stand before the path's own. 0 or -ENOMEM. */
int paths_add(struct paths *p, enum path_group group, const struct json_path *path, unsigned slots,
	      uint32_t target, uint8_t flags);
/* After the last path, before the first question. */
int paths_seal(struct paths *p);
void paths_done(struct paths *p);

/* The set of a child; false: it is empty. */
bool paths_step(const struct paths *p, const uint64_t *from, struct path_key key, uint64_t *ret_to);
bool paths_has_last(const struct paths *p, const uint64_t *set);

/* One level of a document, for paths_trace: of a value, what it is in its parent, and the number of the
 * parent in the document. */
struct path_level {
	struct path_key key;
	uint32_t container;
};

/* The indices of what `state` found at level[depth]: one way down that fits, the innermost where several
 * do. sets: a row of p->words for each level, 0 the root. */
void paths_trace(const struct paths *p, uint32_t state, const uint64_t *sets,
		 const struct path_level *level, uint32_t depth, uint32_t index[BODY_INDICES]);

static inline bool paths_in(const uint64_t *set, uint32_t state)
{
	return set[state >> 6] >> (state & 63) & 1;
}

#endif
