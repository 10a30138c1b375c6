/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template.c: see template.h for the rules. Runs on the whole path of each transaction whose path was not
 * asked for lately, so it is one pass without tables beyond a class a character, and it stops at
 * TEMPLATE_BYTES however long the path is.
 */
#include "txn/target/template.h"

#include <errno.h>
#include <stdlib.h>

#include "base/table.h"

#define ID   "{id}"
#define REST "{rest}"

struct kinds { /* of the characters of a word, or of words joined by '-' and '_' */
	uint32_t digits, letters, hex_letters, capitals;
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

static void count_kinds(struct slice words, struct kinds *ret)
{
	char last = 0;

	*ret = (struct kinds){ 0 };
	for (size_t i = 0; i < words.len; i++) {
		char c = words.at[i];

		if (!is_word(c)) {
			last = 0;
			continue;
		}
		if (is_digit(c))
			ret->digits++;
		else
			ret->letters++;
		ret->capitals += is_upper(c);
		if (!is_digit(c) && is_hex(c))
			ret->hex_letters++;
		if (last && is_digit(c) != is_digit(last))
			ret->mixes++;
		if (last && is_lower(last) && is_upper(c))
			ret->humps++;
		last = c;
	}
}

/* Digits, capitals and small letters that follow each other as they do in no word: among `least`
 * characters or more, one in `every` begins another kind. */
static bool is_shuffled(const struct kinds *k, uint32_t least, uint32_t every)
{
	uint32_t all = k->letters + k->digits;

	return all >= least && k->digits && k->capitals && k->capitals < k->letters &&
	       (k->mixes + k->humps) * every >= all;
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
	if (is_shuffled(&k, 6, 2))
		return true;
	if (k.digits)
		return k.digits >= 4 || (word.len >= 10 && k.mixes >= 2) ||
		       (word.len >= 6 && k.mixes >= 4);
	return word.len >= 32 || (word.len >= 16 && (k.humps + 1) * 4 > word.len);
}

/* 8-4-4-4-12 hexadecimal digits, then no word: the short words in it need not hold a digit. */
static bool is_uuid(struct slice s)
{
	if (s.len < 36 || (s.len > 36 && is_word(s.at[36])))
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s.at[i] != '-' : !is_hex(s.at[i]))
			return false;
	}
	return true;
}

static bool is_escape(struct slice s, size_t i, char high, char low)
{
	return s.at[i] == '%' && s.len - i >= 3 && s.at[i + 1] == high &&
	       (s.at[i + 2] | 0x20) == (low | 0x20);
}

static bool is_free_text(struct slice s)
{
	unsigned foreign = 0;

	for (size_t i = 0; i < s.len; i++) {
		bool inside = i && i + 1 < s.len && is_word(s.at[i - 1]) && is_word(s.at[i + 1]);

		if (s.at[i] == '@' || (s.at[i] == '+' && inside) || is_escape(s, i, '4', '0') ||
		    is_escape(s, i, '2', '0'))
			return true;
		foreign += s.at[i] == '%' || (unsigned char)s.at[i] >= 0x80;
	}
	return foreign >= 3;
}

/* The name in front of matrix parameters, whose ';' may be encoded. */
static struct slice without_parameters(struct slice s)
{
	size_t n = 0;

	while (n < s.len && s.at[n] != ';' && !is_escape(s, n, '3', 'B'))
		n++;
	return slice_sub(s, 0, n);
}

static size_t word_len(struct slice s)
{
	size_t n = 0;

	while (n < s.len && is_word(s.at[n]))
		n++;
	return n;
}

/* A token of base64url (RFC 4648 section 5) may hold '-' and '_': its octets, or 0. */
static size_t token_len(struct slice s)
{
	struct kinds k;
	size_t n = 0;

	while (n < s.len && (is_word(s.at[n]) || s.at[n] == '-' || s.at[n] == '_'))
		n++;
	while (n && !is_word(s.at[n - 1]))
		n--;
	count_kinds(slice_sub(s, 0, n), &k);
	return is_shuffled(&k, 16, 4) ? n : 0;
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
	bool joined = false;	      /* by '-' or '_' to a word: it was looked at for a token */
	struct slice between = { 0 }; /* separators since then, not put yet */

	while (s.len) {
		size_t n = word_len(s), whole = 0;
		bool id;

		if (!n) {
			joined = joined && (s.at[0] == '-' || s.at[0] == '_');
			n = separator_len(s);
			between = slice_of(between.at ? between.at : s.at, between.len + n);
			s = slice_sub(s, n, s.len);
			continue;
		}
		if (is_uuid(s))
			whole = 36;
		else if (!joined)
			whole = token_len(s);
		id = whole || template_is_id(slice_sub(s, 0, n));
		if (whole)
			n = whole;
		joined = true;
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
	struct slice name = without_parameters(s);

	if (is_free_text(name))
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

/* Most requests are for a path that was asked for before. A path has one slot by its hash; who came there
 * last stays. Only what has its place in the set is kept, because that is for ever. */
#define RECENT	   1024 /* power of two */
#define RECENT_LEN 116

struct recent {
	const struct entry *entry; /* NULL: none */
	uint32_t len;
	char path[RECENT_LEN];
};

struct template_set {
	struct table *table;
	struct recent recent[RECENT];
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

static struct slice text_of(const struct entry *e)
{
	return slice_of(e->text.at, e->text.len);
}

/* NULL: "{other}". */
static const struct entry *look_up(struct template_set *s, struct slice path, bool learn,
				   bool *ret_overflow)
{
	struct template made;
	struct entry *e;
	uint64_t hash;
	bool fresh;

	template_make(path, &made);
	hash = slice_hash(slice_of(made.at, made.len), SEED);
	e = table_find(s->table, &hash);
	if (e && !slice_eq(text_of(e), slice_of(made.at, made.len)))
		return NULL; /* another template with the same hash */
	if (!e && learn) {
		e = table_add(s->table, &hash, &fresh);
		*ret_overflow = !e;
		if (e)
			e->text = made;
	}
	return e;
}

struct slice template_set_get(struct template_set *s, struct slice path, bool learn,
			      bool *ret_overflow)
{
	struct recent *r = NULL;
	const struct entry *e;

	*ret_overflow = false;
	if (path.len && path.len <= RECENT_LEN)
		r = &s->recent[slice_mix(path, SEED) % RECENT];
	if (r && r->entry && slice_eq(slice_of(r->path, r->len), path))
		return text_of(r->entry);
	e = look_up(s, path, learn, ret_overflow);
	if (!e)
		return SLICE("{other}");
	if (r) {
		r->entry = e;
		r->len = (uint32_t)path.len;
		memcpy(r->path, path.at, path.len);
	}
	return text_of(e);
}
