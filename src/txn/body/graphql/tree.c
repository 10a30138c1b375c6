/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.c: see tree.h. Two halves: tokens → tree, as the document streams by; and, once it is over and
 * the operation is known, tree → the places of its answer, with fragments put where they are spread.
 */
#include "txn/body/graphql/tree.h"

#include <string.h>

enum tree_state {
	TREE_OUTSIDE, /* of any selection: names, variables, types, directives */
	TREE_FRAGMENT_NAME,
	TREE_FIELD, /* or what follows one */
	TREE_ALIASED,
	TREE_DOTS,
	TREE_TYPE,
	TREE_DIRECTIVE,
};

/* ---- the tree ---- */

void graphql_tree_clear(struct graphql_tree *t)
{
	t->broken = t->aliased = false;
	t->expects = TREE_OUTSIDE;
	t->dots = 0;
	t->parens = t->depth = t->current = t->fragments = t->text_len = 0;
	t->count = 1; /* 0 is none */
}

struct slice graphql_tree_text(const struct graphql_tree *t, struct graphql_text text)
{
	return slice_of(t->text + text.at, text.len);
}

static struct graphql_text keep(struct graphql_tree *t, struct slice s)
{
	struct graphql_text text = { t->text_len, (uint16_t)s.len };

	if (s.len > sizeof(t->text) - t->text_len) {
		t->broken = true;
		return (struct graphql_text){ 0 };
	}
	memcpy(t->text + t->text_len, s.at, s.len);
	t->text_len = (uint16_t)(t->text_len + s.len);
	return text;
}

static struct graphql_node *node_add(struct graphql_tree *t, enum graphql_node_kind kind,
				     struct slice name)
{
	struct graphql_node *n = &t->node[t->count], *parent;

	if (t->count == GRAPHQL_NODES) {
		t->broken = true;
		return NULL;
	}
	*n = (struct graphql_node){ .kind = kind };
	if (name.len)
		n->key = n->name = keep(t, name);
	if (t->depth) {
		parent = &t->node[t->open[t->depth - 1]];
		if (parent->last)
			t->node[parent->last].next = t->count;
		else
			parent->child = t->count;
		parent->last = t->count;
	}
	t->current = t->count++;
	return n;
}

uint16_t graphql_tree_definition(struct graphql_tree *t, bool fragment)
{
	t->parens = t->depth = t->dots = 0;
	t->expects = fragment ? TREE_FRAGMENT_NAME : TREE_OUTSIDE;
	if (t->broken || !node_add(t, NODE_ROOT, slice_of(NULL, 0)))
		return 0;
	if (fragment && t->fragments == GRAPHQL_FRAGMENTS)
		t->broken = true;
	else if (fragment)
		t->fragment[t->fragments++] = t->current;
	return t->current;
}

void graphql_tree_word(struct graphql_tree *t, struct slice word)
{
	struct graphql_node *n = &t->node[t->current];
	uint8_t expects = t->expects;

	t->dots = 0;
	if (t->broken || t->parens || expects == TREE_OUTSIDE)
		return;
	t->expects = TREE_FIELD;
	switch (expects) {
	case TREE_FRAGMENT_NAME:
		n->key = keep(t, word);
		t->expects = TREE_OUTSIDE;
		break;
	case TREE_ALIASED:
		t->aliased |= !slice_eq(word, graphql_tree_text(t, n->key));
		n->name = keep(t, word);
		break;
	case TREE_DOTS:
		if (slice_eq(word, SLICE("on"))) {
			node_add(t, NODE_INLINE, slice_of(NULL, 0));
			t->expects = TREE_TYPE;
		} else {
			node_add(t, NODE_SPREAD, word);
		}
		break;
	case TREE_FIELD:
		node_add(t, NODE_FIELD, word);
		break;
	default: /* the name of a type or directive */
		break;
	}
}

static void selection_opens(struct graphql_tree *t)
{
	if (t->depth == GRAPHQL_DEPTH) {
		t->broken = true;
		return;
	}
	t->open[t->depth++] = t->current;
	t->expects = TREE_FIELD;
}

static void selection_closes(struct graphql_tree *t)
{
	if (!t->depth)
		return;
	t->current = t->open[--t->depth];
	t->expects = t->depth ? TREE_FIELD : TREE_OUTSIDE;
}

void graphql_tree_sign(struct graphql_tree *t, char c)
{
	t->dots = c == '.' ? t->dots + 1 : 0;
	if (c == '(')
		t->parens++;
	else if (c == ')' && t->parens)
		t->parens--;
	if (t->broken || t->parens)
		return;
	/* an inline fragment of no type */
	if (t->expects == TREE_DOTS && (c == '{' || c == '@'))
		node_add(t, NODE_INLINE, slice_of(NULL, 0));
	if (c == '{')
		selection_opens(t);
	else if (c == '}')
		selection_closes(t);
	else if (c == '@' && t->depth)
		t->expects = TREE_DIRECTIVE;
	else if (c == ':' && t->expects == TREE_FIELD)
		t->expects = TREE_ALIASED;
	else if (t->dots == 3 && t->depth) {
		t->expects = TREE_DOTS;
		t->dots = 0;
	}
}

/* ---- places ---- */

#define STEPS_MAX 8192 /* selections looked at, each as often as a fragment brings it */

static bool same_name(const struct graphql_tree *t, struct graphql_text a, struct graphql_text b)
{
	return slice_eq(graphql_tree_text(t, a), graphql_tree_text(t, b));
}

static void place_add(const struct graphql_tree *t, const struct graphql_node *n, uint64_t parent,
		      uint64_t place, struct graphql_places *p)
{
	const uint32_t mask = 2 * GRAPHQL_PLACES - 1;
	uint32_t at = (uint32_t)place & mask;

	while (p->slot[at] && p->at[p->slot[at] - 1].place != place)
		at = (at + 1) & mask;
	if (p->slot[at]) {
		struct graphql_place *was = &p->at[p->slot[at] - 1];

		was->clash |= !same_name(t, was->name, n->name);
		return;
	}
	if (p->count == GRAPHQL_PLACES) {
		p->too_many = true;
		return;
	}
	p->at[p->count] = (struct graphql_place){
		.place = place, .parent = parent, .key = n->key, .name = n->name
	};
	p->slot[at] = (uint16_t)++p->count;
}

static uint16_t fragment_named(const struct graphql_tree *t, struct graphql_text name)
{
	for (uint16_t i = 0; i < t->fragments; i++)
		if (same_name(t, t->node[t->fragment[i]].key, name))
			return t->fragment[i];
	return 0;
}

/* Once for each spread, however often its fragment stands in the place of another. */
static void find_fragments(const struct graphql_tree *t, struct graphql_places *p)
{
	for (uint16_t i = 1; i < t->count; i++)
		if (t->node[i].kind == NODE_SPREAD)
			p->below[i] = t->node[fragment_named(t, t->node[i].name)].child;
		else
			p->below[i] = t->node[i].child;
}

/* What is selected by a node, and by what it spreads; each level knows where it goes on. */
static void expand(const struct graphql_tree *t, uint16_t root, struct graphql_places *p)
{
	struct {
		uint16_t next;
		uint64_t place;
	} stack[GRAPHQL_DEPTH * 2];
	unsigned depth = 1;

	stack[0].next = t->node[root].child;
	stack[0].place = graphql_place_of(0, SLICE("data"));
	while (depth && !p->too_many) {
		uint16_t at = stack[depth - 1].next;
		const struct graphql_node *n = &t->node[at];
		uint64_t place = stack[depth - 1].place;

		if (!at) {
			depth--;
			continue;
		}
		p->too_many = ++p->steps == STEPS_MAX;
		stack[depth - 1].next = n->next;
		if (n->kind == NODE_FIELD) {
			uint64_t parent = place;

			place = graphql_place_of(parent, graphql_tree_text(t, n->key));
			place_add(t, n, parent, place, p);
		}
		if (!p->below[at])
			continue;
		if (depth == GRAPHQL_DEPTH * 2) { /* a cycle of fragments ends here, too */
			p->too_many = true;
			return;
		}
		stack[depth].next = p->below[at];
		stack[depth++].place = place;
	}
}

static bool is_plain(const struct graphql_tree *t, const struct graphql_place *p)
{
	return same_name(t, p->key, p->name);
}

/* The latest of that name and parent before; NULL: none. From here on it is number `i`. */
static struct graphql_place *same_field(const struct graphql_tree *t, struct graphql_places *p,
					uint32_t i)
{
	const uint32_t mask = 2 * GRAPHQL_PLACES - 1;
	const struct graphql_place *as = &p->at[i];
	uint32_t at = (uint32_t)slice_mix(graphql_tree_text(t, as->name), as->parent) & mask;
	struct graphql_place *was = NULL;

	for (; p->slot[at]; at = (at + 1) & mask) {
		struct graphql_place *k = &p->at[p->slot[at] - 1];

		if (k->parent == as->parent && same_name(t, k->name, as->name)) {
			was = k;
			break;
		}
	}
	p->slot[at] = (uint16_t)(i + 1);
	return was;
}

/* The same field twice in one object: which is meant is not known, but that one of no alias has the name. */
static void settle(const struct graphql_tree *t, bool serial, struct graphql_places *p)
{
	const uint64_t top = graphql_place_of(0, SLICE("data"));

	memset(p->slot, 0, sizeof(p->slot));
	for (uint32_t i = 0; i < p->count; i++) {
		struct graphql_place *b = &p->at[i], *a = same_field(t, p, i);

		if (!a)
			continue;
		if (serial && a->parent == top) {
			a->clash = true;
			continue;
		}
		a->clash |= !is_plain(t, a);
		b->clash |= !is_plain(t, b);
	}
}

bool graphql_places(const struct graphql_tree *t, uint16_t root, bool serial,
		    struct graphql_places *ret)
{
	ret->too_many = t->broken || !root;
	ret->count = ret->steps = 0;
	memset(ret->slot, 0, sizeof(ret->slot));
	if (!ret->too_many) {
		find_fragments(t, ret);
		expand(t, root, ret);
	}
	if (!ret->too_many)
		settle(t, serial, ret);
	return !ret->too_many;
}
