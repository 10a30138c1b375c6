/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_path.c: see json_path.h. A reader of one character after the other (RFC 9535 section 2.1.1, the
 * ABNF of appendix A). Runs when the configuration is read, so errors matter more than speed: each says
 * what stands there and what would be understood.
 */
#include "txn/body/json/json_path.h"

#include <errno.h>
#include <stdio.h>

#include "txn/body/charset.h"

struct path_reader {
	struct slice text;
	size_t at;
	struct json_path *path;
	size_t used; /* of path->text */
	struct body_error *error;
};

static int fail(struct path_reader *r, size_t place, const char *why)
{
	r->error->place = (uint32_t)place;
	snprintf(r->error->text, sizeof(r->error->text), "%s", why);
	return -EINVAL;
}

/* The character at the reader; 0 at the end. */
static unsigned char peek(const struct path_reader *r)
{
	return r->at < r->text.len ? (unsigned char)r->text.at[r->at] : 0;
}

static bool next_is(struct path_reader *r, char c)
{
	if (r->at >= r->text.len || r->text.at[r->at] != c)
		return false;
	r->at++;
	return true;
}

static void skip_blank(struct path_reader *r)
{
	while (peek(r) == ' ' || peek(r) == '\t' || peek(r) == '\n' || peek(r) == '\r')
		r->at++;
}

static bool is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_first(unsigned char c)
{
	return c == '_' || c >= 0x80 || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static void put(struct path_reader *r, uint32_t code)
{
	char octets[4];
	size_t n = charset_put(code, octets);

	/* An escape is longer than what it stands for, so the text never outgrows the path. */
	memcpy(r->path->text + r->used, octets, n);
	r->used += n;
}

/* ---- names in quotes ---- */

static int hex4(struct path_reader *r, uint32_t *ret)
{
	uint64_t v;

	if (r->at + 4 > r->text.len || slice_hex_u64(slice_sub(r->text, r->at, r->at + 4), &v))
		return fail(r, r->at, "\\u is followed by four hexadecimal digits");
	r->at += 4;
	*ret = (uint32_t)v;
	return 0;
}

static int unicode(struct path_reader *r, size_t begin)
{
	uint32_t code, low;
	int err = hex4(r, &code);

	if (err)
		return err;
	if (code >= 0xd800 && code < 0xdc00) {
		if (!next_is(r, '\\') || !next_is(r, 'u'))
			return fail(r, begin,
				    "half of a surrogate pair; write both, or the character");
		err = hex4(r, &low);
		if (err)
			return err;
		if (low < 0xdc00 || low >= 0xe000)
			return fail(r, begin,
				    "half of a surrogate pair; write both, or the character");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code >= 0xdc00 && code < 0xe000) {
		return fail(r, begin, "half of a surrogate pair; write both, or the character");
	}
	put(r, code);
	return 0;
}

static int escape(struct path_reader *r, char quote)
{
	static const char letters[] = "bfnrt/\\", meant[] = "\b\f\n\r\t/\\";
	size_t begin = r->at - 1;
	unsigned char c = peek(r);
	const char *hit = c ? memchr(letters, c, sizeof(letters) - 1) : NULL;

	if (c == 'u') {
		r->at++;
		return unicode(r, begin);
	}
	if (!hit && c != (unsigned char)quote)
		return fail(r, begin, "no such escape; a backslash itself is written \\\\");
	r->at++;
	put(r, hit ? (unsigned char)meant[hit - letters] : c);
	return 0;
}

static int quoted(struct path_reader *r, char quote, struct path_step *step)
{
	size_t begin = r->at - 1, from = r->used;

	while (!next_is(r, quote)) {
		unsigned char c = peek(r);
		int err = 0;

		if (r->at >= r->text.len)
			return fail(r, begin, "the name has no closing quote");
		if (c < 0x20)
			return fail(r, r->at, "a control character; write it as \\u00XX");
		r->at++;
		if (c == '\\')
			err = escape(r, quote);
		else
			r->path->text[r->used++] = (char)c;
		if (err)
			return err;
	}
	if (r->used == from)
		return fail(r, begin, "the empty name is not supported; write [*] for any member");
	step->kind = PATH_NAME;
	step->name = r->path->text + from;
	step->name_len = r->used - from;
	return 0;
}

/* ---- steps ---- */

static int shorthand(struct path_reader *r, struct path_step *step)
{
	size_t from = r->used, begin = r->at;

	if (!is_name_first(peek(r))) {
		if (is_digit(peek(r)))
			return fail(
				r, begin,
				"a name after '.' does not begin with a digit; write ['0'] for a "
				"member of that name, [0] for an element");
		return fail(
			r, begin,
			"a name, '*' or '[' must follow the '.'; write other names as ['name']");
	}
	while (is_name_first(peek(r)) || is_digit(peek(r)))
		r->path->text[r->used++] = r->text.at[r->at++];
	if (peek(r) && !memchr(".[ \t\r\n", peek(r), 6))
		return fail(
			r, begin,
			peek(r) == '('
				? "functions are not supported"
				: "names with other characters than letters, digits and '_' are "
				  "written in brackets and quotes: ['add-to-cart']");
	step->kind = PATH_NAME;
	step->name = r->path->text + from;
	step->name_len = r->used - from;
	return 0;
}

static int number(struct path_reader *r, struct path_step *step)
{
	size_t begin = r->at;
	uint64_t v;

	if (next_is(r, '-'))
		return fail(r, begin,
			    "an index from the end is not known before the end; write one from the "
			    "start, "
			    "or [*] for all");
	while (is_digit(peek(r)))
		r->at++;
	if (slice_u64(slice_sub(r->text, begin, r->at), &v) || v > UINT32_MAX - 1)
		return fail(r, begin, "the index is too large");
	if (r->at - begin > 1 && r->text.at[begin] == '0')
		return fail(r, begin, "an index has no zeros in front");
	step->kind = PATH_NUMBER;
	step->number = (uint32_t)v;
	return 0;
}

static int bracket(struct path_reader *r, struct path_step *step)
{
	size_t begin = r->at - 1;
	unsigned char c;
	int err = 0;

	skip_blank(r);
	c = peek(r);
	if (c == '\'' || c == '"') {
		r->at++;
		err = quoted(r, (char)c, step);
	} else if (is_digit(c) || c == '-') {
		err = number(r, step);
	} else if (next_is(r, '*')) {
		step->kind = PATH_WILD;
	} else if (c == '?') {
		err = fail(r, r->at,
			   "filters are not supported; take [*] and compare the value in the rule");
	} else if (c == ':') {
		err = fail(r, r->at, "slices are not supported; write one index, or [*] for all");
	} else {
		err = fail(
			r, r->at,
			"an index, '*', or a name in quotes must stand in the brackets: [0], [*], "
			"['name']");
	}
	if (err)
		return err;
	skip_blank(r);
	if (peek(r) == ',')
		return fail(
			r, r->at,
			"several in one pair of brackets are not supported; write a path for each");
	if (peek(r) == ':')
		return fail(r, r->at, "slices are not supported; write one index, or [*] for all");
	if (!next_is(r, ']'))
		return fail(r, begin, "the bracket is not closed");
	return 0;
}

static int segment(struct path_reader *r, struct path_step *step)
{
	if (next_is(r, '['))
		return bracket(r, step);
	if (!next_is(r, '.'))
		return fail(r, r->at, "'.' or '[' must stand here");
	if (next_is(r, '.')) {
		step->descendant = true;
		if (next_is(r, '['))
			return bracket(r, step);
	}
	if (next_is(r, '*')) {
		step->kind = PATH_WILD;
		return 0;
	}
	return shorthand(r, step);
}

int json_path_parse(struct slice text, struct json_path *ret, struct body_error *ret_error)
{
	struct path_reader r = { .text = text, .path = ret, .error = ret_error };

	ret->count = ret->slots = 0;
	if (text.len > WANT_PATH_MAX)
		return fail(&r, WANT_PATH_MAX, "the path is too long");
	if (!next_is(&r, '$'))
		return fail(&r, 0, "a path begins with '$', the document: $.order.code");
	for (;;) {
		struct path_step *step = &ret->step[ret->count];
		size_t before = r.at;
		int err;

		skip_blank(&r);
		if (r.at == text.len && before == r.at)
			return 0;
		if (r.at == text.len)
			return fail(&r, before, "blanks at the end");
		if (ret->count == PATH_STEPS)
			return fail(&r, r.at, "more than 32 steps");
		*step = (struct path_step){ 0 };
		before = r.at;
		err = segment(&r, step);
		if (err)
			return err;
		ret->count++;
		ret->slots += (unsigned)step->descendant + (step->kind == PATH_WILD);
		if (ret->slots > BODY_INDICES)
			return fail(
				&r, before,
				"more than four wildcards and descendants; write names instead");
	}
}
