/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.c: see evidence.h. Called by the transaction stage for each head of a server's connection,
 * so most heads must cost little: a field is looked at only when its name's length is one of ours, and a
 * cookie's name finds its row by its first two letters.
 *
 * The hash of a random value does not depend on where it stood, so that an id is the same in a cookie, in
 * a URL and as a token, and stays itself when a cookie changes its name. The hash of any other value has
 * the name in it: "1" means something else in each cookie.
 */
#include "session/evidence.h"

#include <errno.h>
#include <stdlib.h>

#include "session/evidence/configured.h"
#include "session/evidence/cookie.h"
#include "session/evidence/token.h"
#include "session/names.h"
#include "txn/body/body.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define NO_ROW	    UINT8_MAX
#define FIRSTS	    128
#define SHORT_VALUE 8 /* a session id is never shorter: "0", "deleted", "guest" */

#define CONFIGURES (2 * EVIDENCE_CONFIGURES)

struct evidence_rules {
	struct sip_key key;
	struct configured configured[CONFIGURES]; /* the number is the rank */
	uint32_t configured_count;
	struct body_wants *wants;			 /* NULL: no JSON */
	uint8_t of_want[CONFIGURES];			 /* number in `configured` */
	struct slice opt_out;				 /* at == NULL: no such cookie */
	uint8_t first[FIRSTS], next[ROWS(cookie_names)]; /* rows of cookie_names by first letters */
	uint32_t name[ROWS(cookie_names)];		 /* hashes of those that are whole names */
	struct evidence_stats stats;
};

_Static_assert(ROWS(cookie_names) < NO_ROW, "rows are numbered by an octet");

struct found {
	struct evidence_rules *rules;
	struct evidence at[EVIDENCE_MAX];
	uint32_t count;
	uint8_t flags; /* of all: EVIDENCE_SET in a response */
};

/* ---- values ---- */

/* How an octet counts in a run of letters, digits and what joins them; 0: it ends the run. Sixteen bits each,
 * so a run is one addition an octet. */
#define DIGIT	     1ull
#define UPPER	     (1ull << 16)
#define LOWER	     (1ull << 32)
#define NOT_HEX	     (1ull << 48)
#define COUNT(n, of) ((unsigned)((n) / (of)&0xffff))
#define MOST	     0xffff /* octets of a value: a head has no more, and no count may run over */

static const uint64_t octets[256] = {
	['0' ... '9'] = DIGIT, ['A' ... 'F'] = UPPER,		['G' ... 'Z'] = UPPER | NOT_HEX,
	['a' ... 'f'] = LOWER, ['g' ... 'z'] = LOWER | NOT_HEX, ['-'] = NOT_HEX,
	['_'] = NOT_HEX,
};

/* Letters and digits as a generator mixes them: digits among hexadecimal letters, or all kinds at once. */
static bool run_is_random(uint64_t counts, size_t len)
{
	unsigned digits = COUNT(counts, DIGIT), upper = COUNT(counts, UPPER),
		 lower = COUNT(counts, LOWER);

	if (len < 16)
		return false;
	if (len >= 20 && !COUNT(counts, NOT_HEX))
		return digits >= 2 && upper + lower >= 2;
	if (len >= 32 && digits == 0)
		return upper >= 4 && lower >= 4;
	return digits >= 2 && upper + lower >= 3;
}

bool evidence_is_random(struct slice value)
{
	value = slice_sub(value, 0, MOST);
	for (size_t i = 0, from = 0; i < value.len; from = ++i) {
		uint64_t counts = 0, one;

		for (; i < value.len && (one = octets[(unsigned char)value.at[i]]); i++)
			counts += one;
		if (run_is_random(counts, i - from))
			return true;
	}
	return false;
}

static uint32_t hash_name(const struct evidence_rules *r, struct slice name)
{
	return (uint32_t)sip13(&r->key, name.at, name.len);
}

static void hash_value(const struct evidence_rules *r, struct evidence *e, struct slice value,
		       bool random)
{
	uint64_t named[3];

	sip24_128(&r->key, value.at, value.len, e->hash);
	if (random) {
		e->flags |= EVIDENCE_RANDOM;
		return;
	}
	memcpy(named, e->hash, sizeof(e->hash));
	named[2] = e->name;
	sip24_128(&r->key, named, sizeof(named), e->hash);
}

/* ---- collecting ---- */

static bool is_better(const struct evidence *a, const struct evidence *b)
{
	if (a->kind == EVIDENCE_OPT_OUT || b->kind == EVIDENCE_OPT_OUT)
		return a->kind == EVIDENCE_OPT_OUT;
	return evidence_is_before(a, b);
}

static void add(struct found *f, const struct evidence *e)
{
	struct evidence *worst = &f->at[0];

	if (f->count < EVIDENCE_MAX) {
		f->at[f->count++] = *e;
		return;
	}
	f->rules->stats.cut++;
	for (uint32_t i = 1; i < f->count; i++)
		if (is_better(worst, &f->at[i]))
			worst = &f->at[i];
	if (is_better(e, worst))
		*worst = *e;
}

static void add_value(struct found *f, enum evidence_kind kind, unsigned rank, struct slice name,
		      struct slice value)
{
	struct evidence e = { .kind = (uint8_t)kind,
			      .rank = (uint8_t)rank,
			      .flags = f->flags,
			      .name = hash_name(f->rules, name) };

	hash_value(f->rules, &e, value, evidence_is_random(value));
	add(f, &e);
}

static void add_configured(struct found *f, unsigned number, struct slice value)
{
	const struct configured *c = &f->rules->configured[number];

	add_value(f, c->kind, number, c->name, value);
}

static bool matches(struct slice p, struct slice name)
{
	if (p.at[p.len - 1] != '*')
		return slice_eq(p, name);
	return slice_starts(name, slice_sub(p, 0, p.len - 1));
}

/* Every name that we know has two letters at least before its '*'. */
static unsigned begins(struct slice name)
{
	return ((unsigned char)name.at[0] * 5u + (unsigned char)name.at[1]) % FIRSTS;
}

static uint8_t row_of(const struct evidence_rules *r, struct slice name)
{
	uint8_t row = name.len < 2 ? NO_ROW : r->first[begins(name)];

	while (row != NO_ROW && !matches(cookie_names[row].name, name))
		row = r->next[row];
	return row;
}

static int configured_as(const struct evidence_rules *r, enum place place, struct slice name)
{
	for (uint32_t i = 0; i < r->configured_count; i++) {
		const struct configured *c = &r->configured[i];

		if (c->place == place &&
		    (place == PLACE_HEADER ? slice_ieq(c->name, name) : slice_eq(c->name, name)))
			return (int)i;
	}
	return -1;
}

/* What a cookie of this name is worth; EVIDENCE_KINDS: nothing. */
static enum evidence_kind kind_of(const struct evidence_rules *r, struct slice name,
				  unsigned *ret_rank)
{
	int configured = configured_as(r, PLACE_COOKIE, name);
	uint8_t row;

	if (configured >= 0) {
		*ret_rank = (unsigned)configured;
		return r->configured[configured].kind;
	}
	row = row_of(r, name);
	*ret_rank = row;
	if (row != NO_ROW)
		return cookie_names[row].kind;
	/* the signature of another cookie, which changes when that one does */
	return slice_ends(name, SLICE(".sig")) ? EVIDENCE_KINDS : EVIDENCE_COOKIE;
}

/* Hashed once for the names that we know: the rank of a configured one is no row. */
static uint32_t name_hash(const struct evidence_rules *r, enum evidence_kind kind, unsigned rank,
			  struct slice name)
{
	if (kind != EVIDENCE_CONFIGURED && kind != EVIDENCE_CART && rank != NO_ROW &&
	    slice_eq(cookie_names[rank].name, name))
		return r->name[rank];
	return hash_name(r, name);
}

static bool is_taken_away(const struct cookie *c, bool over)
{
	return over || !c->value.len || slice_ieq(c->value, SLICE("deleted")) ||
	       token_is_empty(c->value);
}

static void take_cookie(struct found *f, const struct cookie *c, bool over)
{
	struct evidence e = { .flags = f->flags };
	enum evidence_kind kind;
	bool gone, random;
	unsigned rank;

	f->rules->stats.cookies++;
	if (!c->name.len)
		return;
	kind = kind_of(f->rules, c->name, &rank);
	if (kind == EVIDENCE_KINDS)
		return;
	gone = is_taken_away(c, over);
	if (gone && !(f->flags & EVIDENCE_SET))
		return;
	random = !gone && evidence_is_random(c->value);
	if (!gone && (kind == EVIDENCE_COOKIE || kind == EVIDENCE_WEAK) && !random)
		return;
	if (!gone && kind == EVIDENCE_KNOWN && c->value.len < SHORT_VALUE)
		return;
	e.kind = (uint8_t)kind;
	e.rank = (uint8_t)rank;
	e.name = name_hash(f->rules, kind, rank, c->name);
	if (gone)
		e.flags |= EVIDENCE_DELETED;
	else
		hash_value(f->rules, &e, c->value, random);
	add(f, &e);
}

/* "0" and "false" are how some scripts write that it was taken back. */
static bool says_no(const struct cookie *c)
{
	return c->value.len && !slice_eq(c->value, SLICE("0")) &&
	       !slice_ieq(c->value, SLICE("false"));
}

static void take_cookies(struct found *f, struct slice field)
{
	const struct evidence opt_out = { .kind = EVIDENCE_OPT_OUT };
	struct cookie c;

	while (cookie_next(&field, &c)) {
		if (!f->rules->opt_out.at || !slice_eq(c.name, f->rules->opt_out))
			take_cookie(f, &c, false);
		else if (says_no(&c))
			add(f, &opt_out);
	}
}

static void take_set_cookie(struct found *f, struct slice field, int64_t now_s)
{
	struct set_cookie c;

	if (!set_cookie_parse(field, &c))
		return;
	f->flags = EVIDENCE_SET | (slice_eq(c.path, SLICE("/")) ? 0 : EVIDENCE_SCOPED);
	take_cookie(f, &c.cookie, set_cookie_is_over(&c, now_s));
	f->flags = EVIDENCE_SET;
}

/* ---- tokens ---- */

/* RFC 7519: three parts of base64url, the second a JSON object with the subject. Tokens of one subject
 * change with every renewal, the subject does not. */
static void take_token(struct found *f, struct slice token)
{
	struct slice rest = token, subject = { 0 };
	char room[TOKEN_ROOM];

	slice_next(&rest, '.');
	if (rest.at && slice_starts(token, SLICE("eyJ"))) {
		subject = token_subject(slice_next(&rest, '.'), room);
		f->rules->stats.bad_tokens += !rest.at || !subject.at;
	}
	if (subject.at)
		add_value(f, EVIDENCE_TOKEN, 0, SLICE("sub"), subject);
	else if (token.len >= SHORT_VALUE)
		add_value(f, EVIDENCE_TOKEN, 1, SLICE("token"), token);
}

/* ---- targets ---- */

static void take_parameter(struct found *f, struct slice parameter, bool query)
{
	struct cookie p = { .value = parameter };
	int configured;

	p.name = slice_next(&p.value, '=');
	if (!p.name.len || !p.value.len)
		return;
	configured = query ? configured_as(f->rules, PLACE_QUERY, p.name) : -1;
	if (configured >= 0)
		add_configured(f, (unsigned)configured, p.value);
	for (size_t i = 0; i < ROWS(url_ids) && p.value.len >= SHORT_VALUE; i++) {
		struct slice cookie = url_ids[i].cookie;

		if (slice_eq(p.name, url_ids[i].parameter))
			add_value(f, EVIDENCE_KNOWN, row_of(f->rules, cookie), cookie, p.value);
	}
}

static bool names_cart(struct slice segment)
{
	if (segment.len < 4)
		return false;
	switch (segment.at[0] | 0x20) {
	case 'b':
	case 'c':
	case 'g':
		break;
	default:
		return false;
	}
	for (size_t i = 0; i < ROWS(cart_segments); i++)
		if (slice_ieq(segment, cart_segments[i]))
			return true;
	return false;
}

static void take_path(struct found *f, struct slice path)
{
	bool parameters = slice_find(path, ';') >= 0, cart = false;

	while (path.at) {
		struct slice segment = slice_next(&path, '/'), rest = { 0 };

		if (parameters) {
			rest = segment;
			segment = slice_next(&rest, ';');
		}

		if (cart && evidence_is_random(segment))
			add_value(f, EVIDENCE_CART, CONFIGURES, SLICE("cart"), segment);
		cart = names_cart(segment);
		while (rest.at)
			take_parameter(f, slice_next(&rest, ';'), false);
	}
}

static void take_target(struct found *f, struct slice target)
{
	struct slice query = target, path = slice_next(&query, '?');

	take_path(f, path);
	while (query.at)
		take_parameter(f, slice_next(&query, '&'), true);
}

/* ---- heads ---- */

static void take_field(struct found *f, const struct field *field, bool request, int64_t now_s)
{
	struct slice name = field->name, value = field->value;

	if (f->rules->configured_count) {
		int configured = configured_as(f->rules, PLACE_HEADER, name);

		if (configured >= 0 && value.len)
			add_configured(f, (unsigned)configured, value);
	}
	switch (name.len) {
	case 6:
		if (request && slice_ieq(name, SLICE("cookie")))
			take_cookies(f, value);
		break;
	case 10:
		if (!request && slice_ieq(name, SLICE("set-cookie")))
			take_set_cookie(f, value, now_s);
		break;
	case 13:
		if (request && slice_ieq(name, SLICE("authorization")) &&
		    slice_istarts(value, SLICE("bearer ")))
			take_token(f, slice_trim(slice_sub(value, 7, value.len)));
		break;
	case 16:
	case 18:
		for (size_t i = 0; i < ROWS(token_fields); i++)
			if (slice_ieq(name, token_fields[i]))
				take_token(f, value);
		break;
	}
}

static int keep(const struct found *f, struct arena *a, struct evidence_list *ret)
{
	struct evidence *at = arena_alloc(a, f->count * sizeof(*at));

	if (!at)
		return -ENOMEM;
	memcpy(at, f->at, f->count * sizeof(*at));
	ret->at = at;
	ret->count = f->count;
	return 0;
}

int evidence_of(struct evidence_rules *r, const struct head *h, bool request, int64_t now_s,
		struct arena *a, struct evidence_list *ret)
{
	struct found f; /* `at` is not cleared: most heads say nothing */

	f.rules = r;
	f.count = 0;
	f.flags = request ? 0 : EVIDENCE_SET;
	if (request)
		take_target(&f, h->target);
	for (uint32_t i = 0; i < h->field_count; i++)
		take_field(&f, &h->fields[i], request, now_s);
	*ret = (struct evidence_list){ 0 };
	return f.count ? keep(&f, a, ret) : 0;
}

/* ---- contents ---- */

/* Only a whole value names anybody: no beginning of one, and nothing that has no text. */
int evidence_value(struct evidence_rules *r, const struct taken *v, bool request, struct arena *a,
		   struct evidence_list *list)
{
	unsigned number = r->of_want[v->want];
	struct found f;

	if (v->kind > TAKEN_NUMBER || v->cut || !v->text.len)
		return 0;
	for (uint32_t i = 0; i < list->count; i++)
		if (list->at[i].kind == r->configured[number].kind && list->at[i].rank == number)
			return 0;
	f.rules = r;
	f.count = list->count;
	f.flags = request ? 0 : EVIDENCE_SET;
	if (f.count)
		memcpy(f.at, list->at, f.count * sizeof(f.at[0]));
	r->stats.fields++;
	add_configured(&f, number, v->text);
	return keep(&f, a, list);
}

const struct body_wants *evidence_wants(const struct evidence_rules *r)
{
	return r->wants;
}

/* ---- rules ---- */

static int configure(struct evidence_rules *r, const char *const *list, enum evidence_kind kind)
{
	struct body_error error;
	unsigned n = 0;

	for (; list && *list; list++) {
		struct configured *c = &r->configured[r->configured_count];

		if (n++ == EVIDENCE_CONFIGURES || configured_parse(*list, c, &error))
			return -EINVAL;
		c->kind = kind;
		r->configured_count++;
	}
	return 0;
}

static int want_fields(struct evidence_rules *r)
{
	struct body_want want[CONFIGURES];
	struct body_error error;
	uint32_t count = 0;

	for (uint32_t i = 0; i < r->configured_count; i++) {
		if (r->configured[i].place != PLACE_JSON)
			continue;
		want[count] =
			(struct body_want){ .source = BODY_JSON, .path = r->configured[i].name };
		r->of_want[count++] = (uint8_t)i;
	}
	return count ? wants_new(want, count, &error, &r->wants) : 0;
}

int evidence_rules_new(const struct sip_key *key, const char *const *keys, const char *const *carts,
		       const char *opt_out_cookie, struct evidence_rules **ret)
{
	struct evidence_rules *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->key = *key;
	r->opt_out = slice_str(opt_out_cookie);
	memset(r->first, NO_ROW, sizeof(r->first));
	for (unsigned i = ROWS(cookie_names); i-- > 0;) {
		struct slice name = cookie_names[i].name;
		uint8_t *first = &r->first[begins(name)];

		r->name[i] = hash_name(r, name);
		r->next[i] = *first;
		*first = (uint8_t)i;
	}
	err = configure(r, keys, EVIDENCE_CONFIGURED);
	err = err ?: configure(r, carts, EVIDENCE_CART);
	err = err ?: want_fields(r);
	if (err) {
		evidence_rules_free(r);
		return err;
	}
	*ret = r;
	return 0;
}

void evidence_rules_free(struct evidence_rules *r)
{
	if (r)
		wants_free(r->wants);
	free(r);
}
void evidence_stats(const struct evidence_rules *r, struct evidence_stats *ret)
{
	*ret = r->stats;
}
