/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.c: octets → start tags, end tags and text, by the states of WHATWG HTML section 13.2.5 that change what
 * is seen: tags, attributes in three ways of quoting, comments and what is taken for one, raw text, character
 * references. Of a tag at whose attributes nobody looks only the end is looked for; of text that nobody wants
 * only the next '<'. A comment that begins in a script is text of the script.
 */
#include "txn/body/inside.h"

enum token_state {
	T_TEXT,
	T_OPEN,	     /* '<' */
	T_NAME,	     /* of a tag */
	T_BEFORE,    /* an attribute, '/' or '>' */
	T_ATTRIBUTE, /* its name */
	T_AFTER,     /* the name: '=' or not */
	T_EQUALS,    /* a value */
	T_QUOTED,
	T_UNQUOTED,
	T_DECLARATION, /* "<!": a comment or not */
	T_COMMENT,
	T_BOGUS, /* up to '>' */
	T_RAW,
	T_RAW_OPEN, /* '<' in raw text: its end tag or not */
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_letter(char c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

/* ---- tags ---- */

static void tag_begin(struct html *h, bool end_tag)
{
	h->state = T_NAME;
	h->end_tag = end_tag;
	h->self_closing = h->name_cut = false;
	h->name_len = 0;
	h->attributes = 0;
	h->tag_len = 0;
	h->attribute_kept = false;
}

static void attribute_over(struct html *h)
{
	if (h->attribute_kept)
		h->attributes++;
	h->attribute_kept = false;
}

static void attribute_begin(struct body *b)
{
	struct html *h = &b->html;

	attribute_over(h);
	h->state = T_ATTRIBUTE;
	if (h->quiet)
		return;
	if (h->attributes == HTML_ATTRIBUTES) {
		body_flag(b, BODY_CUT_PARTS);
		return;
	}
	h->attribute_kept = true;
	h->attribute[h->attributes] =
		(struct attribute){ .name = slice_of(h->tag_text + h->tag_len, 0) };
}

static void attribute_name(struct html *h, char c)
{
	struct attribute *a = &h->attribute[h->attributes];

	if (!h->attribute_kept)
		return;
	if (h->tag_len == HTML_TAG_BYTES) {
		a->cut = true;
		return;
	}
	h->tag_text[h->tag_len++] = lower(c);
	a->name.len++;
}

static void value_begin(struct html *h)
{
	if (h->attribute_kept)
		h->attribute[h->attributes].value = slice_of(h->tag_text + h->tag_len, 0);
}

static void tag_over(struct body *b)
{
	struct html *h = &b->html;
	struct slice name = slice_of(h->name, h->name_len);
	uint32_t kind = tag_kind(name);

	attribute_over(h);
	h->state = T_TEXT;
	if (h->end_tag) {
		tree_end(b);
		return;
	}
	if (kind & TAG_RAW && !h->foreign) {
		h->state = T_RAW;
		h->raw_len = h->name_len;
		h->raw_refs = kind & TAG_RAW_REFS;
		memcpy(h->raw, h->name, h->name_len);
	}
	tree_start(b);
}

static void name_over(struct body *b)
{
	struct html *h = &b->html;

	h->state = T_BEFORE;
	h->quiet = h->end_tag || h->name_cut || !tree_looks_at(b, slice_of(h->name, h->name_len));
}

/* ---- the states: each takes at least one octet, or changes the state ---- */

static size_t text(struct body *b, struct slice s)
{
	struct html *h = &b->html;
	const char *hit;
	size_t n;

	if (tree_wants_text(b) || h->entity_len) {
		n = html_references(b, s, '<');
	} else {
		hit = memchr(s.at, '<', s.len);
		n = hit ? (size_t)(hit - s.at) : s.len;
	}
	if (n == s.len)
		return n;
	h->state = T_OPEN;
	h->end_tag = false;
	return n + 1;
}

static size_t open_tag(struct body *b, char c)
{
	struct html *h = &b->html;

	if (is_letter(c)) {
		tag_begin(h, h->end_tag);
		return 0;
	}
	if (c == '/' && !h->end_tag) {
		h->end_tag = true;
		return 1;
	}
	if (h->end_tag) { /* "</>" is nothing, "</3" a comment */
		h->state = c == '>' ? T_TEXT : T_BOGUS;
		return 1;
	}
	if (c == '!' || c == '?') {
		h->state = c == '!' ? T_DECLARATION : T_BOGUS;
		h->matched = 0;
		return 1;
	}
	h->state = T_TEXT;
	html_put(b, SLICE("<"));
	return 0;
}

/* Blank, '/', '>' and, for attributes, '=' end a name. */
static size_t name_length(struct slice s, bool attribute)
{
	size_t n = 0;

	while (n < s.len && s.at[n] != '>' && s.at[n] != '/' && !(attribute && s.at[n] == '=') &&
	       !html_is_blank(s.at[n]))
		n++;
	return n;
}

static size_t name(struct body *b, struct slice s)
{
	struct html *h = &b->html;
	size_t n = name_length(s, false);

	for (size_t i = 0; i < n && !h->name_cut; i++) {
		h->name_cut = h->name_len == HTML_NAME_BYTES;
		if (!h->name_cut)
			h->name[h->name_len++] = lower(s.at[i]);
	}
	if (n < s.len)
		name_over(b);
	return n;
}

static size_t before(struct body *b, char c)
{
	struct html *h = &b->html;

	if (c == '>') {
		tag_over(b);
	} else if (c == '/') {
		h->self_closing = true;
	} else if (!html_is_blank(c)) {
		h->self_closing = false;
		attribute_begin(b);
		attribute_name(h, c); /* a '=' here is part of the name */
	}
	return 1;
}

static size_t attribute(struct html *h, struct slice s)
{
	size_t n = name_length(s, true);

	for (size_t i = 0; i < n && h->attribute_kept; i++)
		attribute_name(h, s.at[i]);
	if (n == s.len)
		return n;
	h->state = s.at[n] == '=' ? T_EQUALS : T_AFTER;
	value_begin(h);
	return n + (s.at[n] == '=');
}

static size_t after(struct html *h, char c)
{
	if (html_is_blank(c))
		return 1;
	h->state = c == '=' ? T_EQUALS : T_BEFORE;
	return c == '=';
}

static size_t equals(struct html *h, char c)
{
	if (html_is_blank(c))
		return 1;
	if (c == '>') {
		h->state = T_BEFORE;
		return 0;
	}
	h->state = c == '"' || c == '\'' ? T_QUOTED : T_UNQUOTED;
	h->in_value = true;
	h->quote = c;
	return h->state == T_QUOTED;
}

static size_t value(struct body *b, struct slice s)
{
	struct html *h = &b->html;
	char stop = h->state == T_QUOTED ? h->quote : 0;
	const char *hit;
	size_t n;

	if (stop && h->quiet) {
		hit = memchr(s.at, stop, s.len);
		n = hit ? (size_t)(hit - s.at) : s.len;
	} else {
		n = html_references(b, s, stop);
	}
	if (n == s.len)
		return n;
	h->state = T_BEFORE;
	h->in_value = false;
	return n + (stop != 0);
}

/* "--" makes a comment; whatever else is taken for one up to '>' (a CDATA section of svg is seldom text). */
static size_t declaration(struct html *h, char c)
{
	if (c == '-' && ++h->matched == 2) {
		h->state = T_COMMENT;
		return 1;
	}
	if (c == '-')
		return 1;
	h->state = T_BOGUS;
	return 0;
}

/* matched: dashes in a row, the two in front too ("<!-->" is whole); 3: "--!". */
static size_t comment(struct html *h, struct slice s)
{
	const char *hit;
	char c = s.at[0];

	if (!h->matched) {
		hit = memchr(s.at, '-', s.len);
		h->matched = hit != NULL;
		return hit ? (size_t)(hit - s.at) + 1 : s.len;
	}
	if (c == '-')
		h->matched = h->matched == 3 ? 1 : 2;
	else if (c == '>' && h->matched >= 2)
		h->state = T_TEXT;
	else
		h->matched = c == '!' && h->matched == 2 ? 3 : 0;
	return 1;
}

static size_t bogus(struct html *h, struct slice s)
{
	const char *hit = memchr(s.at, '>', s.len);

	if (!hit)
		return s.len;
	h->state = T_TEXT;
	return (size_t)(hit - s.at) + 1;
}

static void raw_put(struct body *b, struct slice s)
{
	struct html *h = &b->html;

	if (!s.len)
		return;
	if (h->ld)
		json_read_push(&b->json, s);
	else if (tree_wants_text(b))
		tree_text(b, s);
}

static size_t raw(struct body *b, struct slice s)
{
	struct html *h = &b->html;
	const char *hit;
	size_t n;

	if (h->raw_refs && (tree_wants_text(b) || h->entity_len)) {
		n = html_references(b, s, '<');
	} else {
		hit = memchr(s.at, '<', s.len);
		n = hit ? (size_t)(hit - s.at) : s.len;
		raw_put(b, slice_sub(s, 0, n));
	}
	if (n == s.len)
		return n;
	h->state = T_RAW_OPEN;
	h->matched = 1;
	return n + 1;
}

/* matched: octets of "</name". */
static size_t raw_open(struct body *b, char c)
{
	struct html *h = &b->html;

	if (h->matched == h->raw_len + 2u && (html_is_blank(c) || c == '/' || c == '>')) {
		tag_begin(h, true);
		memcpy(h->name, h->raw, h->raw_len);
		h->name_len = h->raw_len;
		name_over(b);
		return 0;
	}
	if (h->matched < h->raw_len + 2u &&
	    (h->matched == 1 ? c == '/' : lower(c) == h->raw[h->matched - 2])) {
		h->raw_seen[h->matched++] = c;
		return 1;
	}
	h->state = T_RAW;
	h->raw_seen[0] = '<';
	raw_put(b, slice_of(h->raw_seen, h->matched));
	return 0;
}

static size_t step(struct body *b, struct slice s)
{
	struct html *h = &b->html;
	char c = s.at[0];

	switch (h->state) {
	case T_TEXT:
		return text(b, s);
	case T_OPEN:
		return open_tag(b, c);
	case T_NAME:
		return name(b, s);
	case T_BEFORE:
		return before(b, c);
	case T_ATTRIBUTE:
		return attribute(h, s);
	case T_AFTER:
		return after(h, c);
	case T_EQUALS:
		return equals(h, c);
	case T_QUOTED:
	case T_UNQUOTED:
		return value(b, s);
	case T_DECLARATION:
		return declaration(h, c);
	case T_COMMENT:
		return comment(h, s);
	case T_BOGUS:
		return bogus(h, s);
	case T_RAW:
		return raw(b, s);
	default:
		return raw_open(b, c);
	}
}

static bool html_push(struct body *b, struct slice s)
{
	while (s.len && !b->stopped)
		s = slice_sub(s, step(b, s), s.len);
	return !b->stopped;
}

/* A tag that is not whole is none; text is. */
static void html_end(struct body *b)
{
	struct html *h = &b->html;

	if ((h->state == T_TEXT || h->state == T_RAW) && h->entity_len)
		html_reference_over(b, false, 0);
	if (h->state != T_TEXT)
		body_flag(b, BODY_SHORT);
	tree_over(b);
}

const struct reader html_reader = { true, html_push, NULL, html_end };

bool html_begin(struct body *b)
{
	struct html *h = &b->html;

	if (!tree_begin(b))
		return false;
	h->state = T_TEXT;
	h->entity_len = 0;
	h->matched = 0;
	h->in_value = false;
	return true;
}
