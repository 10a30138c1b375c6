/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graphql.c: which operation a GraphQL request asks for (GraphQL specification, October 2021; GraphQL over
 * HTTP). The name is operationName where it is sent; otherwise the document's only operation has it. The
 * type stands in the document alone. Of a document only as much is read as that takes: its definitions, by a
 * lexer that knows names, strings, comments and brackets, fed in pieces. What is not known stays untold: a
 * persisted query without text has no type, and a document of several operations without operationName
 * neither.
 *
 * Variables, data and errors are paths (wants.c). Which fields the names of the answer stand for says the tree of its
 * selections (tree.h).
 */
#include "txn/body/inside.h"

enum lexer_state {
	LEX_TOP,	/* a definition may begin */
	LEX_NAME,	/* of an operation, or what follows it */
	LEX_DEFINITION, /* up to its selection set */
	LEX_SELECTION,	/* inside of it */
	LEX_BROKEN,	/* no GraphQL document */
};

enum lexer_inside { INSIDE_NONE, INSIDE_COMMENT, INSIDE_STRING, INSIDE_BLOCK };

void graphql_begin(struct body *b, uint32_t ordinal)
{
	struct graphql *g = &b->graphql;

	g->state = LEX_TOP;
	g->inside = INSIDE_NONE;
	g->quotes = 0;
	g->escape = false;
	g->depth = g->count = g->token_len = g->name_len = 0;
	g->token_cut = g->name_cut = g->seen_query = g->said_name = g->said_type = false;
	g->said_aliases = false;
	if (body_has(b, BODY_GRAPHQL_ALIAS))
		graphql_tree_clear(&g->tree);
	g->ordinal = ordinal;
}

/* ---- the document ---- */

static bool is_name(unsigned char c)
{
	return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Room for an operation; NULL: there are too many. */
static struct graphql_operation *operation_add(struct body *b, const char *type)
{
	struct graphql *g = &b->graphql;
	struct graphql_operation *o;

	if (g->count++ >= GRAPHQL_OPERATIONS) {
		body_flag(b, BODY_CUT_PARTS);
		return NULL;
	}
	o = &g->operation[g->count - 1];
	o->type = type;
	o->len = 0;
	o->cut = false;
	if (body_has(b, BODY_GRAPHQL_ALIAS))
		o->root = graphql_tree_definition(&g->tree, false);
	return o;
}

/* A name at the beginning of a definition. */
static void keyword(struct body *b, struct slice word)
{
	static const char *const types[] = { "query", "mutation", "subscription" };
	struct graphql *g = &b->graphql;

	for (unsigned i = 0; i < 3; i++) {
		if (!slice_eq(word, slice_str(types[i])))
			continue;
		operation_add(b, types[i]);
		g->state = LEX_NAME;
		return;
	}
	g->state = slice_eq(word, SLICE("fragment")) ? LEX_DEFINITION : LEX_BROKEN;
	if (g->state == LEX_DEFINITION && body_has(b, BODY_GRAPHQL_ALIAS))
		graphql_tree_definition(&g->tree, true);
}

static void token_over(struct body *b)
{
	struct graphql *g = &b->graphql;
	struct graphql_operation *o;

	if (!g->token_len)
		return;
	if (g->state == LEX_TOP) {
		keyword(b, slice_of(g->token, g->token_len));
	} else if (g->state == LEX_NAME) {
		if (g->count <= GRAPHQL_OPERATIONS) {
			o = &g->operation[g->count - 1];
			memcpy(o->name, g->token, g->token_len);
			o->len = g->token_len;
			o->cut = g->token_cut;
		}
		g->state = LEX_DEFINITION;
	} else if (body_has(b, BODY_GRAPHQL_ALIAS)) {
		g->tree.broken |= g->token_cut;
		graphql_tree_word(&g->tree, slice_of(g->token, g->token_len));
	}
	g->token_len = 0;
	g->token_cut = false;
}

static void punctuator(struct body *b, char c)
{
	struct graphql *g = &b->graphql;

	if (c == '"') {
		g->inside = INSIDE_STRING;
		g->quotes = 1;
		return;
	}
	if (c == '#') {
		g->inside = INSIDE_COMMENT;
		return;
	}
	if (slice_find(SLICE(" \t\r\n,\xef\xbb\xbf"), c) >= 0)
		return;
	if (g->state == LEX_TOP) { /* only the short form of a query begins without a name */
		if (c != '{') {
			g->state = LEX_BROKEN;
			return;
		}
		operation_add(b, "query");
		g->state = LEX_DEFINITION;
	}
	if (g->state == LEX_NAME)
		g->state = LEX_DEFINITION;
	if (body_has(b, BODY_GRAPHQL_ALIAS))
		graphql_tree_sign(&g->tree, c);
	if (c == '{' && !g->depth && g->state == LEX_DEFINITION)
		g->state = LEX_SELECTION;
	if (c == '{' || c == '(' || c == '[')
		g->depth++;
	if (c != '}' && c != ')' && c != ']')
		return;
	if (!g->depth) {
		g->state = LEX_BROKEN;
		return;
	}
	if (!--g->depth && g->state == LEX_SELECTION)
		g->state = LEX_TOP;
}

/* Strings end at a quote or a line's end, block strings at three quotes; their beginnings are told apart by
 * the third octet. */
static void in_string(struct graphql *g, char c)
{
	if (g->escape) {
		g->escape = false;
		g->quotes = 0;
		return;
	}
	if (c == '\\') {
		g->escape = true;
		return;
	}
	if (g->inside == INSIDE_BLOCK) {
		g->quotes = c == '"' ? g->quotes + 1 : 0;
		if (g->quotes == 3)
			g->inside = INSIDE_NONE;
		return;
	}
	if (c == '"' && g->quotes == 2) {
		g->inside = INSIDE_BLOCK;
		g->quotes = 0;
	} else if (c == '"' && g->quotes == 1) {
		g->quotes = 2; /* empty, or the second of three */
	} else if (c == '"' || c == '\n') {
		g->inside = INSIDE_NONE;
	} else {
		g->quotes = 0;
	}
}

void graphql_document(struct body *b, struct slice text)
{
	struct graphql *g = &b->graphql;

	g->seen_query = true;
	for (size_t i = 0; i < text.len && g->state != LEX_BROKEN; i++) {
		char c = text.at[i];

		/* two quotes and no third: it was the empty string */
		if (g->inside == INSIDE_STRING && g->quotes == 2 && c != '"')
			g->inside = INSIDE_NONE;
		if (g->inside == INSIDE_COMMENT) {
			if (c == '\n' || c == '\r')
				g->inside = INSIDE_NONE;
		} else if (g->inside) {
			in_string(g, c);
		} else if (is_name((unsigned char)c)) {
			if (g->state > LEX_NAME && !body_has(b, BODY_GRAPHQL_ALIAS))
				continue;
			if (g->token_len < GRAPHQL_NAME_BYTES)
				g->token[g->token_len++] = c;
			else
				g->token_cut = true;
		} else {
			token_over(b);
			if (g->state != LEX_BROKEN)
				punctuator(b, c);
		}
	}
}

void graphql_document_end(struct body *b)
{
	token_over(b);
	/* What ends within a definition is no document: which operations it would have is not known. */
	if (b->graphql.state != LEX_TOP)
		b->graphql.state = LEX_BROKEN;
}

void graphql_name(struct body *b, struct slice text)
{
	struct graphql *g = &b->graphql;
	size_t room = sizeof(g->name) - g->name_len;

	if (text.len > room) {
		g->name_cut = true;
		text.len = room;
	}
	if (text.len)
		memcpy(g->name + g->name_len, text.at, text.len);
	g->name_len = (uint16_t)(g->name_len + text.len);
}

/* ---- what is told ---- */

static void tell(struct body *b, enum body_source source, struct slice text, bool cut)
{
	for (uint32_t i = 0; i < b->wants->count; i++) {
		struct taken v = { .want = i, .kind = TAKEN_TEXT, .text = text, .cut = cut };

		v.index[0] = b->graphql.ordinal;
		if (b->wants->want[i].source == source)
			body_take(b, &v);
	}
}

static const struct graphql_operation *operation_of(const struct graphql *g)
{
	struct slice name = slice_of(g->name, g->name_len);

	if (g->state == LEX_BROKEN || !g->count || g->count > GRAPHQL_OPERATIONS)
		return NULL;
	if (!name.len)
		return g->count == 1 ? &g->operation[0] : NULL;
	for (uint32_t i = 0; i < g->count; i++)
		if (slice_eq(name, slice_of(g->operation[i].name, g->operation[i].len)))
			return &g->operation[i];
	return NULL;
}

/* Where the answer's names are others than the fields' own. */
static void tell_aliases(struct body *b, const struct graphql_operation *o)
{
	struct graphql *g = &b->graphql;
	struct graphql_places *p = &b->all->places;
	struct taken v = { .want = b->wants->alias, .kind = TAKEN_TEXT };
	bool serial = o && slice_eq(slice_str(o->type), SLICE("mutation"));

	g->said_aliases = true;
	v.index[0] = g->ordinal;
	if (!g->tree.aliased && !g->tree.broken)
		return;
	if (!o || !graphql_places(&g->tree, o->root, serial, p)) {
		v.index[3] = ALIAS_UNKNOWN;
		body_take(b, &v);
		return;
	}
	for (uint32_t i = 0; i < p->count; i++) {
		const struct graphql_place *at = &p->at[i];
		struct slice name = graphql_tree_text(&g->tree, at->name);

		if (!at->clash && slice_eq(name, graphql_tree_text(&g->tree, at->key)))
			continue;
		v.text = at->clash ? slice_of(NULL, 0) : name;
		v.index[1] = (uint32_t)at->place;
		v.index[2] = (uint32_t)(at->place >> 32);
		body_take(b, &v);
	}
}

void graphql_tell(struct body *b, bool last)
{
	struct graphql *g = &b->graphql;
	const struct graphql_operation *o = last && g->seen_query ? operation_of(g) : NULL;
	struct slice name = slice_of(g->name, g->name_len);
	bool cut = g->name_cut;

	if (!name.len && o) {
		name = slice_of(o->name, o->len);
		cut = o->cut;
	}
	if (name.len && !g->said_name) {
		g->said_name = true;
		tell(b, BODY_GRAPHQL_NAME, charset_clean(&b->clean, name, cut), cut);
	}
	if (last && g->seen_query && !g->said_aliases && body_has(b, BODY_GRAPHQL_ALIAS))
		tell_aliases(b, o);
	if (o && !g->said_type) {
		g->said_type = true;
		tell(b, BODY_GRAPHQL_TYPE, slice_str(o->type), false);
	}
}

void graphql_value(struct body *b, const struct json_value *v)
{
	if (v->target == GRAPHQL_OPERATION && v->kind == TAKEN_OBJECT)
		graphql_begin(b, v->index[0]);
	if (v->target == GRAPHQL_QUERY && v->kind == TAKEN_TEXT)
		graphql_document_end(b);
	if (v->target == GRAPHQL_NAME && v->kind == TAKEN_TEXT) {
		b->graphql.name_len = 0; /* the later one, where it stands twice */
		graphql_name(b, v->text);
		b->graphql.name_cut |= v->cut;
		graphql_tell(b, false);
	}
}

void graphql_piece(struct body *b, uint32_t target, struct slice piece)
{
	if (target == GRAPHQL_QUERY)
		graphql_document(b, piece);
}

void graphql_closed(struct body *b, uint32_t target)
{
	if (target == GRAPHQL_OPERATION)
		graphql_tell(b, true);
}

/* ---- application/graphql: the document itself ---- */

static bool document_push(struct body *b, struct slice s)
{
	graphql_document(b, s);
	if (b->graphql.state == LEX_BROKEN)
		body_flag(b, BODY_MALFORMED);
	return b->graphql.state != LEX_BROKEN;
}

static void document_end(struct body *b)
{
	bool broken = b->graphql.state == LEX_BROKEN;

	graphql_document_end(b);
	if (!broken && b->graphql.state == LEX_BROKEN)
		body_flag(b, BODY_SHORT);
	graphql_tell(b, true);
}

const struct reader graphql_document_reader = { true, document_push, NULL, document_end };
