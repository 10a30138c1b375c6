/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.h: what a GraphQL document selects (specification of October 2021, sections 2.4 to 2.8): fields with
 * their aliases, fragments and inline fragments, from the tokens of graphql.c. So the fields of an answer can be told
 * from its names: that of `{ total: subTotal }` has a `total`, which is none.
 *
 * A tree in a fixed room. A document that has more is `broken`: nothing is known of the names in its answer.
 * Arguments and directives are passed over, so a field that may be left out counts as there.
 */
#ifndef PC_TXN_BODY_GRAPHQL_TREE_H
#define PC_TXN_BODY_GRAPHQL_TREE_H

#include "base/slice.h"

#define GRAPHQL_NODES	  768
#define GRAPHQL_TEXT	  12288 /* of all names */
#define GRAPHQL_DEPTH	  32 /* of selections within each other, with fragments in their places */
#define GRAPHQL_FRAGMENTS 64
#define GRAPHQL_PLACES	  1024 /* fields of an operation, with fragments in their places */

enum graphql_node_kind { NODE_ROOT, NODE_FIELD, NODE_SPREAD, NODE_INLINE };

struct graphql_text {
	uint16_t at, len;
};

struct graphql_node {
	uint8_t kind;
	uint16_t child, last, next; /* 0: none; last: child */
	struct graphql_text key, name;
};

struct graphql_tree {
	bool broken;
	bool aliased;	  /* some key is not the field's name */
	uint8_t expects;  /* enum tree_state */
	uint8_t dots;	  /* in a row */
	uint16_t parens;  /* of arguments, that are open */
	uint16_t depth;	  /* selections that are open */
	uint16_t current; /* node at hand */
	uint16_t open[GRAPHQL_DEPTH];
	uint16_t count, fragments, text_len;
	uint16_t fragment[GRAPHQL_FRAGMENTS]; /* roots; key: the name */
	struct graphql_node node[GRAPHQL_NODES];
	char text[GRAPHQL_TEXT];
};

/* Which field stands where in an answer. */
struct graphql_place {
	uint64_t place, parent; /* graphql_place_of the keys from the outermost on */
	struct graphql_text key, name;
	/* Several fields stand there, as answers of different types have them; or it is one that the same
	 * parent has once more under another key. Not to be told. */
	bool clash;
};

struct graphql_places {
	bool too_many;
	uint32_t count, steps;
	struct graphql_place at[GRAPHQL_PLACES];
	uint16_t slot[2 * GRAPHQL_PLACES]; /* of place: number + 1; then of parent and name */
	uint16_t below
		[GRAPHQL_NODES]; /* what a node selects, a spread by its fragment; 0: nothing */
};

static inline uint64_t graphql_place_of(uint64_t parent, struct slice key)
{
	return slice_mix(key, parent);
}

void graphql_tree_clear(struct graphql_tree *t);
/* An operation or a fragment begins: the number of its root. The first word of a fragment is its name. */
uint16_t graphql_tree_definition(struct graphql_tree *t, bool fragment);
void graphql_tree_word(struct graphql_tree *t, struct slice word);
void graphql_tree_sign(struct graphql_tree *t, char c);
struct slice graphql_tree_text(const struct graphql_tree *t, struct graphql_text text);

/* All fields of an operation, below `data`. `serial`: a mutation, whose fields are done one after the other, so that
 * of the same one the last says how it is. False: the tree is broken, or they are too many. */
bool graphql_places(const struct graphql_tree *t, uint16_t root, bool serial,
		    struct graphql_places *ret);

#endif
