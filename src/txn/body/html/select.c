/* SPDX-License-Identifier: Apache-2.0 */
/*
 * select.c: selectors (Selectors level 4: type, id, class and attribute, descendants) and expressions (PCRE2)
 * of the configuration. Errors say where and what to write instead.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <errno.h>
#include <pcre2.h>
#include <stdio.h>

#include "txn/body/inside.h"

struct selector_reader {
	struct slice text;
	size_t at;
	struct html_wants *wants;
	struct body_error *error;
	struct html_state *part;
	uint32_t tag; /* of the part; NAMES_NONE */
};

static int fail(struct selector_reader *r, size_t place, const char *why)
{
	r->error->place = (uint32_t)place;
	snprintf(r->error->text, sizeof(r->error->text), "%s", why);
	return -EINVAL;
}

static char peek(const struct selector_reader *r)
{
	return r->at < r->text.len ? r->text.at[r->at] : 0;
}

static bool skip_blanks(struct selector_reader *r)
{
	size_t from = r->at;

	while (html_is_blank(peek(r)))
		r->at++;
	return r->at > from;
}

static bool is_ident(char c)
{
	return c == '-' || c == '_' || (unsigned char)c >= 0x80 || (c >= '0' && c <= '9') ||
	       ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* A copy in lower case where `fold`. A backslash makes the next character plain. */
static int ident(struct selector_reader *r, bool fold, struct slice *ret)
{
	size_t begin = r->at, n = 0;
	char *copy = malloc(r->text.len - r->at + 1);

	if (!copy)
		return -ENOMEM;
	while (is_ident(peek(r)) || (peek(r) == '\\' && r->at + 1 < r->text.len)) {
		char c = peek(r);

		if (c == '\\')
			c = r->text.at[++r->at];
		r->at++;
		copy[n++] = fold && c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	*ret = slice_of(copy, n);
	return n ? 0
		 : fail(r, begin,
			"a name must stand here; other characters than letters, digits, '-' and "
			"'_' "
			"follow a backslash");
}

static int quoted(struct selector_reader *r, struct slice *ret)
{
	size_t begin = r->at, n = 0;
	char quote = peek(r), *copy;

	if (quote != '"' && quote != '\'')
		return ident(r, false, ret);
	copy = malloc(r->text.len + 1);
	if (!copy)
		return -ENOMEM;
	*ret = slice_of(copy, 0);
	for (r->at++; r->at < r->text.len && peek(r) != quote; r->at++) {
		if (peek(r) == '\\' && r->at + 1 < r->text.len)
			r->at++;
		copy[n++] = peek(r);
	}
	*ret = slice_of(copy, n);
	if (!peek(r))
		return fail(r, begin, "the value has no closing quote");
	r->at++;
	return 0;
}

/* Owned by the part from the moment it is made. */
static int condition_add(struct selector_reader *r, enum condition_kind kind,
			 struct condition **ret)
{
	if (r->part->count == SELECTOR_CONDITIONS)
		return fail(r, r->at, "more than eight conditions on one element");
	*ret = &r->part->condition[r->part->count++];
	**ret = (struct condition){ .kind = kind };
	return 0;
}

static int own(const char *text, struct slice *ret)
{
	size_t len = strlen(text);
	char *copy = malloc(len + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, len);
	*ret = slice_of(copy, len);
	return 0;
}

static int bracket(struct selector_reader *r)
{
	static const char marks[] = "~^$*|";
	static const enum condition_kind kinds[] = { CONDITION_WORD, CONDITION_BEGINS,
						     CONDITION_ENDS, CONDITION_CONTAINS,
						     CONDITION_DASH };
	size_t begin = r->at++;
	struct condition *c = NULL;
	const char *mark;
	int err = condition_add(r, CONDITION_HAS, &c);

	if (err)
		return err;
	skip_blanks(r);
	err = ident(r, true, &c->name);
	if (err)
		return err;
	skip_blanks(r);
	if (peek(r) != ']') {
		mark = peek(r) ? memchr(marks, peek(r), sizeof(marks) - 1) : NULL;
		c->kind = mark ? kinds[mark - marks] : CONDITION_IS;
		r->at += mark != NULL;
		if (peek(r) != '=')
			return fail(r, r->at,
				    "'=', '~=', '^=', '$=', '*=', '|=' or ']' must stand here");
		r->at++;
		skip_blanks(r);
		err = quoted(r, &c->value);
		if (err)
			return err;
		skip_blanks(r);
	}
	if (peek(r) == 'i' || peek(r) == 's')
		return fail(r, r->at,
			    "values are compared as they are written; 'i' is not supported");
	if (peek(r) != ']')
		return fail(r, begin, "the bracket is not closed");
	r->at++;
	return 0;
}

static int short_condition(struct selector_reader *r, const char *attribute,
			   enum condition_kind kind)
{
	struct condition *c = NULL;
	int err = condition_add(r, kind, &c);

	r->at++;
	if (!err)
		err = own(attribute, &c->name);
	return err ? err : ident(r, false, &c->value);
}

static int part(struct selector_reader *r)
{
	size_t begin = r->at;
	struct slice tag = { 0 };
	int err = 0;

	r->tag = NAMES_NONE;
	if (peek(r) == '*') {
		r->at++;
	} else if (is_ident(peek(r)) || peek(r) == '\\') {
		err = ident(r, true, &tag);
		if (!err)
			err = names_add(&r->wants->tags, tag, &r->tag);
		free((void *)(uintptr_t)tag.at);
	}
	while (!err && (peek(r) == '.' || peek(r) == '#' || peek(r) == '[')) {
		if (peek(r) == '[')
			err = bracket(r);
		else if (peek(r) == '.')
			err = short_condition(r, "class", CONDITION_WORD);
		else
			err = short_condition(r, "id", CONDITION_IS);
	}
	if (err)
		return err;
	if (peek(r) == ':')
		return fail(r, r->at,
			    "pseudo-classes are not supported; name the element by its class, id "
			    "or attribute");
	if (peek(r) == ',')
		return fail(r, r->at, "several selectors are not supported; write a want for each");
	if (memchr(">+~", peek(r), 3))
		return fail(r, r->at, "only descendants are supported; write a space");
	if (r->at == begin || (r->at < r->text.len && !html_is_blank(peek(r))))
		return fail(r, r->at,
			    "a tag, '.class', '#id', '[attribute]' or '*' must stand here");
	return 0;
}

/* ---- states ---- */

static struct html_state *state_add(struct html_wants *w)
{
	struct html_state *s = realloc(w->state, (w->count + 1) * sizeof(*s));

	if (!s)
		return NULL;
	w->state = s;
	s += w->count++;
	*s = (struct html_state){ .next = NAMES_NONE };
	return s;
}

/* Into the list of its tag; lists grow with the names. */
static int state_link(struct html_wants *w, uint32_t state, uint32_t tag, uint32_t had)
{
	uint32_t *first = realloc(w->by_tag, (w->tags.count + 1) * sizeof(*first));

	if (!first)
		return -ENOMEM;
	w->by_tag = first;
	for (; had < w->tags.count; had++)
		first[had] = NAMES_NONE;
	w->state[state].next = tag == NAMES_NONE ? w->any : first[tag];
	*(tag == NAMES_NONE ? &w->any : &first[tag]) = state;
	return 0;
}

static int selector(struct html_wants *w, struct slice text, struct body_error *error,
		    uint32_t *ret_parts)
{
	struct selector_reader r = { .text = text, .wants = w, .error = error };

	skip_blanks(&r);
	if (r.at == text.len)
		return fail(&r, 0, "a selector must stand here");
	while (r.at < text.len) {
		uint32_t had = w->tags.count;
		int err;

		if (*ret_parts == SELECTOR_PARTS)
			return fail(&r, r.at,
				    "more than four parts; leave out those that others imply");
		r.part = state_add(w);
		if (!r.part)
			return -ENOMEM;
		err = part(&r);
		if (!err)
			err = state_link(w, w->count - 1, r.tag, had);
		if (err)
			return err;
		++*ret_parts;
		skip_blanks(&r);
	}
	return 0;
}

static int meta(struct html_wants *w, struct slice name)
{
	uint32_t tag, had = w->tags.count;
	struct html_state *s = state_add(w);
	char *copy = malloc(name.len + 1);
	int err;

	if (!s || !copy) {
		free(copy);
		return -ENOMEM;
	}
	memcpy(copy, name.at, name.len);
	s->count = 1;
	s->condition[0] =
		(struct condition){ .kind = CONDITION_META, .value = slice_of(copy, name.len) };
	err = names_add(&w->tags, SLICE("meta"), &tag);
	return err ? err : state_link(w, w->count - 1, tag, had);
}

static int expression(struct html_target *t, struct slice text, struct body_error *error)
{
	PCRE2_SIZE place;
	int code;

	if (!text.len)
		return 0;
	t->expression =
		pcre2_compile((PCRE2_SPTR)text.at, text.len, PCRE2_UTF, &code, &place, NULL);
	if (t->expression)
		return pcre2_pattern_info(t->expression, PCRE2_INFO_CAPTURECOUNT, &t->groups);
	error->place = (uint32_t)place;
	if (pcre2_get_error_message(code, (PCRE2_UCHAR *)error->text, sizeof(error->text)) < 0)
		snprintf(error->text, sizeof(error->text), "no regular expression (error %d)",
			 code);
	return -EINVAL;
}

static int fail_at(struct body_error *error, const char *why)
{
	error->place = 0;
	snprintf(error->text, sizeof(error->text), "%s", why);
	return -EINVAL;
}

int html_wants_add(struct html_wants *w, uint32_t want, const struct body_want *in,
		   struct body_error *error)
{
	struct html_target *t = realloc(w->target, (w->targets + 1) * sizeof(*t));
	struct slice attribute = in->source == BODY_META ? SLICE("content") : in->attribute;
	struct html_state *last;
	char *copy;
	int err;

	if (!t)
		return -ENOMEM;
	w->target = t;
	t += w->targets++;
	*t = (struct html_target){ .parts = in->source == BODY_META };
	if (in->path.len > WANT_PATH_MAX || attribute.len >= HTML_NAME_BYTES ||
	    in->expression.len > WANT_PATH_MAX)
		return fail_at(error, "too long");
	if (in->source == BODY_META && !in->path.len)
		return fail_at(error, "the property or name of a <meta> must stand here");
	err = in->source == BODY_META ? meta(w, in->path) : selector(w, in->path, error, &t->parts);
	if (!err)
		err = expression(t, in->expression, error);
	if (err)
		return err;
	copy = malloc(attribute.len + 1);
	last = copy ? state_add(w) : NULL;
	if (!last) {
		free(copy);
		return -ENOMEM;
	}
	for (size_t i = 0; i < attribute.len; i++)
		copy[i] = attribute.at[i] >= 'A' && attribute.at[i] <= 'Z'
				  ? (char)(attribute.at[i] | 0x20)
				  : attribute.at[i];
	t->attribute = slice_of(copy, attribute.len);
	last->last = true;
	last->want = want;
	last->target = w->targets - 1;
	return 0;
}

int html_wants_seal(struct html_wants *w)
{
	bool begins = true;

	w->words = (w->count + 63) / 64;
	w->start = calloc((size_t)w->words + 1, sizeof(*w->start));
	if (!w->start)
		return -ENOMEM;
	for (uint32_t i = 0; i < w->count; i++) {
		if (begins)
			w->start[i >> 6] |= 1ull << (i & 63);
		begins = w->state[i].last;
	}
	return 0;
}

void html_wants_done(struct html_wants *w)
{
	for (uint32_t i = 0; i < w->count; i++)
		for (uint32_t c = 0; c < w->state[i].count; c++) {
			free((void *)(uintptr_t)w->state[i].condition[c].name.at);
			free((void *)(uintptr_t)w->state[i].condition[c].value.at);
		}
	for (uint32_t i = 0; i < w->targets; i++) {
		free((void *)(uintptr_t)w->target[i].attribute.at);
		pcre2_code_free(w->target[i].expression);
	}
	free(w->state);
	free(w->target);
	names_done(&w->tags);
	free(w->by_tag);
	free(w->start);
	*w = (struct html_wants){ 0 };
}
