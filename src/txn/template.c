/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template.c: see template.h for the rules. Runs once a transaction on its whole path, so it is one
 * pass without tables beyond a class a character, and it stops at TEMPLATE_BYTES however long the
 * path is.
 */
#include "txn/template.h"

#include <errno.h>
#include <stdlib.h>

#include "base/table.h"

#define ID   "{id}"
#define REST "{rest}"

struct kinds { /* of the characters of a word */
	uint32_t digits, letters, hex_letters;
	uint32_t mixes; /* changes between letter and digit */
	uint32_t humps; /* lower case followed by upper case */
};

static bool is_digit(char c)
{
	return (unsigned)(c - '0') < 10;
}

static bool is_upper(char c)
{
	return (unsigned)(c - 'A') < 26;
}

static bool is_lower(char c)
{
	return (unsigned)(c - 'a') < 26;
}

static bool is_hex(char c)
{
	return is_digit(c) || (unsigned)((c | 0x20) - 'a') < 6;
}

static bool is_word(char c)
{
	return is_digit(c) || is_lower(c) || is_upper(c);
}

static void count_kinds(struct slice word, struct kinds *ret)
{
	char last = 0;

	*ret = (struct kinds){ 0 };
	for (size_t i = 0; i < word.len; i++) {
		char c = word.at[i];

		if (is_digit(c))
			ret->digits++;
		else
			ret->letters++;
		if (!is_digit(c) && is_hex(c))
			ret->hex_letters++;
		if (last && is_digit(c) != is_digit(last))
			ret->mixes++;
		if (last && is_lower(last) && is_upper(c))
			ret->humps++;
		last = c;
	}
}

bool template_is_id(struct slice word)
{
	struct kinds k;

	if (!word.len)
		return false;
	count_kinds(word, &k);
	if (!k.letters)
		return true;
	if (k.hex_letters == k.letters && (word.len >= 16 || (word.len >= 8 && k.digits)))
		return true;
	if (k.digits)
		return k.digits >= 4 || (word.len >= 10 && k.mixes >= 2);
	return word.len >= 32 || (word.len >= 16 && (k.humps + 1) * 4 > word.len);
}

/* 8-4-4-4-12 hexadecimal digits: the short words in it need not hold a digit. */
static bool is_uuid(struct slice s)
{
	if (s.len != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s.at[i] != '-' : !is_hex(s.at[i]))
			return false;
	}
	return true;
}

static bool is_free_text(struct slice s)
{
	unsigned escapes = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == '@')
			return true;
		if (s.at[i] != '%')
			continue;
		if (s.len - i >= 3 && s.at[i + 1] == '4' && s.at[i + 2] == '0')
			return true;
		escapes++;
	}
	return escapes >= 3;
}

static bool put(struct template *t, struct slice s)
{
	/* Room for "/{rest}" stays free, so that it can always be said. */
	if (t->len + s.len > TEMPLATE_BYTES - sizeof("/" REST))
		return false;
	memcpy(t->at + t->len, s.at, s.len);
	t->len += (uint32_t)s.len;
	return true;
}

/* "%2F" is one separator of three characters: its hexadecimal digits are no word. */
static size_t separator_len(struct slice s)
{
	if (s.at[0] == '%' && s.len >= 3 && is_hex(s.at[1]) && is_hex(s.at[2]))
		return 3;
	return 1;
}

static bool put_words(struct template *t, struct slice s)
{
	bool after_id = false;	      /* the last word put was {id} */
	struct slice between = { 0 }; /* separators since then, not put yet */

	while (s.len) {
		size_t n = 0;
		bool id;

		while (n < s.len && is_word(s.at[n]))
			n++;
		if (!n) {
			n = separator_len(s);
			between = slice_of(between.at ? between.at : s.at, between.len + n);
			s = slice_sub(s, n, s.len);
			continue;
		}
		id = template_is_id(slice_sub(s, 0, n));
		if (!(id && after_id)) {
			if (between.len && !put(t, between))
				return false;
			if (!put(t, id ? SLICE(ID) : slice_sub(s, 0, n)))
				return false;
		}
		between = (struct slice){ 0 };
		after_id = id;
		s = slice_sub(s, n, s.len);
	}
	return !between.len || put(t, between);
}

static bool put_segment(struct template *t, struct slice s)
{
	struct slice name = slice_next(&s, ';');

	if (is_uuid(name) || is_free_text(name))
		return put(t, SLICE(ID));
	return put_words(t, name);
}

/* One more segment; the first slash stands before the first segment, which is then empty. */
static bool put_next(struct template *t, struct slice s, unsigned number)
{
	if (number > TEMPLATE_SEGMENTS)
		return false;
	return (!number || put(t, SLICE("/"))) && put_segment(t, s);
}

void template_make(struct slice path, struct template *ret)
{
	unsigned segments = 0;

	ret->len = 0;
	while (path.at) {
		uint32_t mark = ret->len;

		if (put_next(ret, slice_next(&path, '/'), segments++))
			continue;
		memcpy(ret->at + mark, "/" REST, sizeof("/" REST) - 1);
		ret->len = mark + sizeof("/" REST) - 1;
		return;
	}
}

/* ---- the bounded set ---- */

struct entry {
	uint64_t hash; /* key */
	struct template text;
};

struct template_set {
	struct table *table;
};

/* Fixed, so that a replay gives the same: whoever finds a collision gains an "{other}". */
#define SEED 0x74656d706c617465ull

int template_set_new(uint32_t max, struct template_set **ret)
{
	struct template_set *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	err = table_new(sizeof(struct entry), sizeof(uint64_t), max, &s->table);
	if (err) {
		free(s);
		return err;
	}
	*ret = s;
	return 0;
}

void template_set_free(struct template_set *s)
{
	if (!s)
		return;
	table_free(s->table);
	free(s);
}

struct slice template_set_get(struct template_set *s, struct slice path, bool learn,
			      bool *ret_overflow)
{
	struct template made;
	struct entry *e;
	uint64_t hash;
	bool fresh;

	*ret_overflow = false;
	template_make(path, &made);
	hash = slice_hash(slice_of(made.at, made.len), SEED);
	e = table_find(s->table, &hash);
	if (e && !slice_eq(slice_of(e->text.at, e->text.len), slice_of(made.at, made.len)))
		return SLICE("{other}"); /* another template with the same hash */
	if (!e && learn) {
		e = table_add(s->table, &hash, &fresh);
		*ret_overflow = !e;
		if (e)
			e->text = made;
	}
	return e ? slice_of(e->text.at, e->text.len) : SLICE("{other}");
}
