/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node.c: see node.h. The tree is built by a stack of what is open; libyaml's own state grows with the depth,
 * which ends the reading at NODE_DEPTH. A '#' behind a blank begins a comment in YAML, also where a selector
 * was meant (html p #total), so one that a letter follows at once is refused.
 */
#include "journey/rule/file/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

#include "base/text/suggest.h"
#include "base/utf8.h"

/* ---- errors ---- */

static void tell(struct file *f, unsigned line, unsigned column, const char *format, va_list list)
{
	struct rules_error e = { .file = f->name, .line = line, .column = column };

	if (f->errors++ > NODE_ERRORS)
		return;
	if (f->errors > NODE_ERRORS)
		snprintf(e.text, sizeof(e.text), "more than %d errors; the others are not told",
			 NODE_ERRORS);
	else
		vsnprintf(e.text, sizeof(e.text), format, list);
	/* what was quoted of the file may be anything */
	for (char *c = e.text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	if (f->error)
		f->error(f->ctx, &e);
}

void file_error(struct file *f, const struct node *at, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	tell(f, at ? at->line : 0, at ? at->column : 0, format, list);
	va_end(list);
}

void file_error_in(struct file *f, const struct node *at, size_t octet, const char *format, ...)
{
	unsigned column = at->column + !at->plain;
	va_list list;

	for (size_t i = 0; i < octet && i < at->text.len; i++)
		column += (at->text.at[i] & 0xc0) != 0x80;
	va_start(list, format);
	tell(f, at->line, column, format, list);
	va_end(list);
}

void file_unknown(struct file *f, const struct node *at, const char *what, struct slice word,
		  const char *const *list)
{
	char text[SUGGEST_WORD + 1] = "";
	const char *meant;

	if (word.len < sizeof(text) && word.len)
		memcpy(text, word.at, word.len);
	meant = suggest_of(text, list);
	if (meant)
		file_error(f, at, "unknown %s %.*s: did you mean %s?", what,
			   (int)slice_sub(word, 0, 60).len, word.at, meant);
	else
		file_error(f, at, "unknown %s %.*s", what, (int)slice_sub(word, 0, 60).len,
			   word.at);
}

/* ---- memory ---- */

void *file_alloc(struct file *f, size_t len)
{
	void *at = arena_alloc(f->arena, len);

	if (!at) {
		f->no_memory = true;
		return NULL;
	}
	return memset(at, 0, len);
}

struct slice file_copy(struct file *f, struct slice s)
{
	char *at = file_alloc(f, s.len + 1);

	if (!at)
		return slice_of(NULL, 0);
	if (s.len)
		memcpy(at, s.at, s.len);
	return slice_of(at, s.len);
}

/* ---- questions ---- */

const char *node_kind_name(const struct node *n)
{
	return n->kind == NODE_LIST    ? "a list"
	       : n->kind == NODE_GROUP ? "a group of keys"
				       : "a value";
}

bool node_is_null(const struct node *n)
{
	return n->kind == NODE_VALUE && n->plain &&
	       (!n->text.len || slice_eq(n->text, SLICE("~")) || slice_eq(n->text, SLICE("null")));
}

bool node_text(struct file *f, const struct node *n, const char *what)
{
	if (n->kind == NODE_VALUE && !node_is_null(n) && n->text.len)
		return true;
	file_error(f, n, "expected %s, found %s", what,
		   n->kind == NODE_VALUE ? "nothing" : node_kind_name(n));
	return false;
}

/* ---- building ---- */

struct builder {
	struct file *f;
	struct node *open[NODE_DEPTH], **end[NODE_DEPTH]; /* end: where the next member goes */
	const struct node *key[NODE_DEPTH];		  /* that waits for its value */
	unsigned depth, nodes;
	struct node *root;
	unsigned documents;
	/* where lines begin, as far as it was asked */
	size_t line_at;
	size_t line;
};

/* Octets of a line break as YAML has them (also NEL, LS, PS); 0: none. */
static size_t line_break(struct slice s, size_t i)
{
	const char *at = s.at + i;
	size_t left = s.len - i;

	if (at[0] == '\r')
		return left > 1 && at[1] == '\n' ? 2 : 1;
	if (at[0] == '\n')
		return 1;
	if (left > 1 && memcmp(at, "\xc2\x85", 2) == 0)
		return 2;
	if (left > 2 && (memcmp(at, "\xe2\x80\xa8", 3) == 0 || memcmp(at, "\xe2\x80\xa9", 3) == 0))
		return 3;
	return 0;
}

/* The octets from a place to the end of its line. Places come in order, so lines are looked for once. */
static struct slice rest_of_line(struct builder *b, const yaml_mark_t *mark)
{
	struct slice s = b->f->octets;
	size_t i, end;

	while (b->line < mark->line && b->line_at < s.len) {
		size_t n = line_break(s, b->line_at);

		b->line += n > 0;
		b->line_at += n ? n : 1;
	}
	i = b->line_at;
	for (size_t column = 0; column < mark->column && i < s.len; column++)
		i += utf8_length(s.at + i, s.len - i) ?: 1;
	for (end = i; end < s.len && !line_break(s, end);)
		end++;
	return slice_sub(s, i, end);
}

static void syntax(struct builder *b, const yaml_parser_t *p)
{
	struct node at = { .line = (unsigned)p->problem_mark.line + 1,
			   .column = (unsigned)p->problem_mark.column + 1 };

	if (p->error == YAML_MEMORY_ERROR)
		b->f->no_memory = true;
	else if (p->error == YAML_READER_ERROR)
		file_error(b->f, NULL, "no text in UTF-8: %s at octet %zu",
			   p->problem ? p->problem : "bad octet", p->problem_offset);
	else
		file_error(b->f, &at, "not valid YAML: %s%s%s",
			   p->problem ? p->problem : "an error", p->context ? " " : "",
			   p->context ? p->context : "");
}

static struct node *add(struct builder *b, const yaml_event_t *e, enum node_kind kind)
{
	struct node *n = file_alloc(b->f, sizeof(*n));

	if (!n)
		return NULL;
	n->kind = kind;
	n->line = (unsigned)e->start_mark.line + 1;
	n->column = (unsigned)e->start_mark.column + 1;
	if (++b->nodes > NODES) {
		file_error(b->f, n, "more than %d values in one file; write two files", NODES);
		return NULL;
	}
	if (!b->depth) {
		b->root = n;
		return n;
	}
	if (b->open[b->depth - 1]->kind == NODE_GROUP && !b->key[b->depth - 1]) {
		if (kind != NODE_VALUE) {
			file_error(b->f, n, "expected a key, found %s", node_kind_name(n));
			return NULL;
		}
		b->key[b->depth - 1] = n;
		return n;
	}
	n->key = b->key[b->depth - 1];
	b->key[b->depth - 1] = NULL;
	*b->end[b->depth - 1] = n;
	b->end[b->depth - 1] = &n->next;
	return n;
}

static bool open_node(struct builder *b, const yaml_event_t *e, enum node_kind kind)
{
	struct node *n = add(b, e, kind);

	if (!n)
		return false;
	if (b->depth == NODE_DEPTH) {
		file_error(b->f, n, "more than %d groups and lists inside each other", NODE_DEPTH);
		return false;
	}
	b->open[b->depth] = n;
	b->key[b->depth] = NULL;
	b->end[b->depth++] = &n->first;
	return true;
}

static bool scalar(struct builder *b, const yaml_event_t *e)
{
	struct slice text = slice_of(e->data.scalar.value, e->data.scalar.length), rest;
	struct node *n = add(b, e, NODE_VALUE);
	size_t blanks = 0;

	if (!n)
		return false;
	n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (text.len > NODE_TEXT) {
		file_error(b->f, n, "a text of more than %d octets", NODE_TEXT);
		text.len = 0;
	}
	if (text.len && memchr(text.at, 0, text.len)) {
		file_error(b->f, n, "a text with a NUL character");
		text.len = 0;
	}
	n->text = file_copy(b->f, text);
	if (!n->plain || !n->text.len)
		return n->text.at;
	rest = rest_of_line(b, &e->end_mark);
	while (blanks < rest.len && slice_is_space(rest.at[blanks]))
		blanks++;
	if (blanks + 1 < rest.len && rest.at[blanks] == '#' && rest.at[blanks + 1] != ' ' &&
	    rest.at[blanks + 1] != '#')
		file_error(b->f, n,
			   "what stands behind the '#' would be a comment: put the whole text in "
			   "quotes, or a blank behind the '#'");
	return n->text.at;
}

/* Neither anchors nor tags. */
static bool is_simple(struct builder *b, const yaml_event_t *e, const yaml_char_t *anchor,
		      const yaml_char_t *tag)
{
	struct node at = { .line = (unsigned)e->start_mark.line + 1,
			   .column = (unsigned)e->start_mark.column + 1 };

	if (anchor)
		file_error(b->f, &at,
			   "anchors (&name) are not supported: write the text where it is "
			   "needed, or put it in quotes if it begins with '&'");
	else if (tag)
		file_error(b->f, &at,
			   "tags (!name) are not supported: leave it out, or put the text in "
			   "quotes if it begins with '!'");
	return !anchor && !tag;
}

/* False: the reading ends here. */
static bool event(struct builder *b, const yaml_event_t *e)
{
	struct node at = { .line = (unsigned)e->start_mark.line + 1,
			   .column = (unsigned)e->start_mark.column + 1 };

	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->documents++)
			file_error(b->f, &at, "a second document (---): write two files");
		return b->documents == 1;
	case YAML_ALIAS_EVENT:
		file_error(b->f, &at,
			   "aliases (*name) are not supported: write the text where it is needed, "
			   "or put it in quotes if it begins with '*'");
		return false;
	case YAML_SCALAR_EVENT:
		return is_simple(b, e, e->data.scalar.anchor, e->data.scalar.tag) && scalar(b, e);
	case YAML_SEQUENCE_START_EVENT:
		return is_simple(b, e, e->data.sequence_start.anchor, e->data.sequence_start.tag) &&
		       open_node(b, e, NODE_LIST);
	case YAML_MAPPING_START_EVENT:
		return is_simple(b, e, e->data.mapping_start.anchor, e->data.mapping_start.tag) &&
		       open_node(b, e, NODE_GROUP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return true;
	default:
		return true;
	}
}

struct node *node_read(struct file *f)
{
	struct builder b = { .f = f };
	yaml_parser_t parser;
	bool more = true;

	if (f->octets.len > RULES_TEXT_MAX) {
		file_error(f, NULL, "more than %u octets; write several files", RULES_TEXT_MAX);
		return NULL;
	}
	if (!yaml_parser_initialize(&parser)) {
		f->no_memory = true;
		return NULL;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)f->octets.at, f->octets.len);
	while (more) {
		yaml_event_t e;

		if (!yaml_parser_parse(&parser, &e)) {
			syntax(&b, &parser);
			b.root = NULL;
			break;
		}
		more = event(&b, &e) && e.type != YAML_STREAM_END_EVENT;
		if (!more && e.type != YAML_STREAM_END_EVENT)
			b.root = NULL;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	if (!b.root && !f->errors && !f->no_memory)
		file_error(f, NULL, "nothing in it: expected `rules:` and a list of rules");
	return b.root;
}
