/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form.c: application/x-www-form-urlencoded as the WHATWG URL standard reads it (section 5.1), and what is
 * common to the fields of all forms: which wants a name has, the charset of the value, GraphQL's fields. An
 * escape that is none stays as it is. The charset is that of the content type, or what a field `_charset_`
 * says for those after it, else UTF-8: nothing is guessed, what is no UTF-8 becomes U+FFFD.
 *
 * '&' always parts two fields, so behind a hole the next one can be read again.
 */
#include "txn/body/inside.h"

void text_add(struct text *t, struct slice s)
{
	if (s.len > t->max - t->len) {
		t->cut = true;
		s.len = t->max - t->len;
	}
	if (s.len)
		memcpy(t->at + t->len, s.at, s.len);
	t->len += s.len;
}

static void text_clear(struct text *t)
{
	t->len = 0;
	t->cut = false;
}

/* ---- fields of any form ---- */

static bool starred_fits(const struct want *w, struct slice name)
{
	return name.len >= w->front.len + w->back.len && slice_starts(name, w->front) &&
	       slice_ends(name, w->back);
}

/* Wants of a name, one after the other; start with *at = NAMES_NONE and *starred = false. */
static uint32_t want_next(const struct body_wants *w, struct slice name, uint32_t at)
{
	uint32_t number;

	if (at == NAMES_NONE) {
		number = names_find(&w->form, name);
		at = number == NAMES_NONE ? NAMES_NONE : w->form_first[number];
		if (at != NAMES_NONE)
			return at;
		at = w->starred;
	} else if (w->want[at].starred || w->want[at].same != NAMES_NONE) {
		at = w->want[at].same;
	} else {
		at = w->starred;
	}
	while (at != NAMES_NONE && w->want[at].starred && !starred_fits(&w->want[at], name))
		at = w->want[at].same;
	return at;
}

void form_begin(struct body *b, enum charset c)
{
	uint32_t *before = b->form.before;

	/* UTF-16 is never what a form is in */
	b->form = (struct form){ .before = before,
				 .charset = c == CHARSET_1252 || c == CHARSET_8859_15
						    ? c
						    : CHARSET_UTF8 };
	memset(before, 0, b->wants->form_wants * sizeof(*before));
	text_clear(&b->name);
	text_clear(&b->text);
	graphql_begin(b, 0);
}

static enum field_use use_of(const struct body *b, struct slice name)
{
	bool operation = b->wants->has & BODY_OPERATION;

	if (slice_eq(name, SLICE("_charset_")))
		return FIELD_CHARSET;
	if (b->response)
		return FIELD_PASSED;
	if (operation && slice_eq(name, SLICE("query")))
		return FIELD_QUERY;
	if (operation && slice_eq(name, SLICE("operationName")))
		return FIELD_OPERATION;
	if (body_has(b, BODY_GRAPHQL_VARIABLE) && slice_eq(name, SLICE("variables")))
		return FIELD_JSON;
	/* of GraphQL's multipart requests, which bring files */
	return (operation || body_has(b, BODY_GRAPHQL_VARIABLE)) &&
			       slice_eq(name, SLICE("operations"))
		       ? FIELD_JSON
		       : FIELD_PASSED;
}

void field_begin(struct body *b, struct slice name)
{
	struct form *f = &b->form;
	struct json_sink sink = body_json_sink(b);

	text_clear(&b->text);
	f->use = b->name.cut ? FIELD_PASSED : use_of(b, name);
	f->also = !b->name.cut && want_next(b->wants, name, NAMES_NONE) != NAMES_NONE
			  ? FIELD_TAKEN
			  : FIELD_PASSED;
	if (f->use == FIELD_JSON)
		json_read_open(&b->json, &b->wants->paths,
			       name.at[0] == 'v' ? 1u << PATHS_VARIABLES : 1u << PATHS_REQUEST, 0,
			       &sink);
}

static void add_text(struct body *b, struct slice s)
{
	switch (b->form.use) {
	case FIELD_QUERY:
		graphql_document(b, s);
		break;
	case FIELD_OPERATION:
		graphql_name(b, s);
		break;
	case FIELD_JSON:
		json_read_push(&b->json, s);
		break;
	default:
		break;
	}
	if (b->form.also == FIELD_TAKEN || b->form.use == FIELD_CHARSET)
		text_add(&b->text, s);
}

void field_add(struct body *b, struct slice octets, enum charset c)
{
	if (b->form.use == FIELD_PASSED && b->form.also == FIELD_PASSED)
		return;
	while (c != CHARSET_UTF8 && octets.len) {
		char piece[512];
		size_t len = 0, i = 0;

		for (; i < octets.len && len < sizeof(piece) - 4; i++)
			len += charset_put((uint8_t)octets.at[i] < 0x80
						   ? (uint8_t)octets.at[i]
						   : charset_code(c, (uint8_t)octets.at[i]),
					   piece + len);
		add_text(b, slice_of(piece, len));
		octets = slice_sub(octets, i, octets.len);
	}
	if (octets.len)
		add_text(b, octets);
}

void field_end(struct body *b)
{
	struct form *f = &b->form;
	struct slice name = text_slice(&b->name);
	struct taken v = { .kind = TAKEN_TEXT, .cut = b->text.cut };
	uint32_t want = NAMES_NONE;
	enum charset c;

	if (f->use == FIELD_CHARSET) {
		c = charset_named(text_slice(&b->text));
		if (c == CHARSET_UTF8 || c == CHARSET_1252 || c == CHARSET_8859_15)
			f->charset = c;
		else
			body_flag(b, BODY_CHARSET_UNKNOWN);
	}
	if (f->use == FIELD_QUERY)
		graphql_document_end(b);
	if (f->use == FIELD_JSON) {
		json_read_end(&b->json);
		/* a form that has a field of this name need be no GraphQL */
		b->result.flags |= b->json.flags &
				   ~(1u << BODY_MALFORMED | 1u << BODY_SHORT | 1u << BODY_MORE);
	}
	if (f->also != FIELD_TAKEN)
		return;
	v.text = charset_clean(&b->clean, text_slice(&b->text), v.cut);
	while ((want = want_next(b->wants, name, want)) != NAMES_NONE) {
		v.want = want;
		v.index[0] = b->result.flags >> BODY_HOLE & 1
				     ? BODY_INDEX_LOST
				     : f->before[b->wants->want[want].number]++;
		body_take(b, &v);
	}
}

void fields_end(struct body *b)
{
	if (!b->response)
		graphql_tell(b, true);
}

/* ---- urlencoded ---- */

static void put(struct body *b, struct slice s)
{
	char piece[4];

	if (!s.len)
		return;
	b->form.any = true;
	if (b->form.in_value) {
		field_add(b, s, b->form.charset);
		return;
	}
	for (size_t i = 0; b->form.charset != CHARSET_UTF8 && i < s.len; i++) {
		uint8_t c = (uint8_t)s.at[i];

		text_add(
			&b->name,
			slice_of(piece, charset_put(c < 0x80 ? c : charset_code(b->form.charset, c),
						    piece)));
	}
	if (b->form.charset == CHARSET_UTF8)
		text_add(&b->name, s);
}

static void pair_end(struct body *b)
{
	struct form *f = &b->form;

	if (f->escape) /* at the very end: it is none */
		put(b, f->escape == 1 ? SLICE("%") : slice_of((char[]){ '%', f->digit }, 2));
	f->escape = 0;
	if (f->any && !f->lost) {
		if (!f->in_value)
			field_begin(b, text_slice(&b->name));
		field_end(b);
	}
	f->any = f->in_value = f->lost = false;
	text_clear(&b->name);
}

static void name_end(struct body *b)
{
	b->form.in_value = b->form.any = true;
	if (b->name.cut)
		body_flag(b, BODY_CUT_PARTS);
	field_begin(b, text_slice(&b->name));
}

static int digit_of(char c)
{
	uint64_t v;

	return slice_hex_u64(slice_of(&c, 1), &v) ? -1 : (int)v;
}

/* The octet after '%', or after that and a digit. False: it is no escape, and the octet still to be read. */
static bool escaped(struct body *b, char c)
{
	struct form *f = &b->form;

	if (digit_of(c) < 0) {
		put(b, f->escape == 1 ? SLICE("%") : slice_of((char[]){ '%', f->digit }, 2));
		f->escape = 0;
		return false;
	}
	if (f->escape++ == 1) {
		f->digit = c;
		return true;
	}
	f->escape = 0;
	put(b, slice_of((char[]){ (char)(digit_of(f->digit) << 4 | digit_of(c)) }, 1));
	return true;
}

static bool form_push(struct body *b, struct slice s)
{
	struct form *f = &b->form;

	while (s.len && !b->stopped) {
		const char *hit;
		size_t n = 0;

		if (f->lost || (f->in_value && f->use == FIELD_PASSED && f->also == FIELD_PASSED)) {
			hit = memchr(s.at, '&', s.len);
			f->escape = 0;
			if (!hit)
				return true;
			s = slice_sub(s, (size_t)(hit - s.at), s.len);
		}
		if (f->escape) {
			if (escaped(b, s.at[0]))
				s = slice_sub(s, 1, s.len);
			continue;
		}
		while (n < s.len && s.at[n] != '&' && s.at[n] != '%' && s.at[n] != '+' &&
		       (s.at[n] != '=' || f->in_value))
			n++;
		put(b, slice_sub(s, 0, n));
		if (n == s.len)
			return true;
		if (s.at[n] == '&')
			pair_end(b);
		else if (s.at[n] == '%')
			f->escape = 1;
		else if (s.at[n] == '+')
			put(b, SLICE(" "));
		else
			name_end(b);
		s = slice_sub(s, n + 1, s.len);
	}
	return !b->stopped;
}

static bool form_hole(struct body *b)
{
	b->form.lost = true;
	return true;
}

static void form_end(struct body *b)
{
	pair_end(b);
	fields_end(b);
}

const struct reader form_reader = { false, form_push, form_hole, form_end };
