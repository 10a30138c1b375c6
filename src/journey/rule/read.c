/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read.c: a value that a rule takes, as text, whole number, amount or boolean. What is not certain is not
 * taken: a text that was cut, several values that differ (unless the rule says which), an amount of which
 * another may stand where a content was not seen. A source is passed over for the next, and a default counts,
 * only where it was seen to have nothing; a text also where its content was not looked at at all (304). A sum is
 * one of all values that a source has, and they were all seen and can all be read.
 */
#include <stdio.h>

#include "journey/rule/inside.h"

static bool is_amount(const struct take *t)
{
	return t->type == TYPE_AMOUNT || t->type == TYPE_QUANTITY;
}

static void miss(struct reader *r, const struct take *t, enum amount_refusal why)
{
	if (t->required)
		r->missed = true;
	if (r->sink->missed && (t->required || why))
		r->sink->missed(r->sink->ctx, r->rule->number, t->name.at, why);
}

/* ---- picking ---- */

/* What a value has as text; GOT_NOTHING: null, empty, an object, or the expression does not find it. */
static enum got text_of(struct reader *r, const struct take *t, struct found *v)
{
	int n;

	if (v->kind == TAKEN_TRUE || v->kind == TAKEN_FALSE)
		v->text = v->kind == TAKEN_TRUE ? SLICE("true") : SLICE("false");
	else if (v->kind > TAKEN_NUMBER)
		return GOT_NOTHING;
	if (v->cut)
		return GOT_REFUSED;
	if (t->regex) {
		n = regex_find(r->look->rules, t->regex, v->text, &v->text);
		if (n <= 0)
			return n ? GOT_REFUSED : GOT_NOTHING;
	}
	v->text = slice_trim(v->text);
	return v->text.len ? GOT : GOT_NOTHING;
}

/* More values of it may stand where the content was not seen. */
static bool may_have_more(const struct reader *r, const struct source *s)
{
	uint32_t single = s->per_item ? r->slots : s->batch ? 1 : 0;

	return s->from == FROM_BODY && s->slots > single && look_seen(r->look, s) != SEEN_WHOLE;
}

static enum got pick(struct reader *r, const struct take *t, const struct source *s,
		     struct found *ret)
{
	struct cursor c = { 0 };
	enum got got = GOT_NOTHING;
	struct found v;

	while (look_next(r->look, s, r->item, r->slots, &c, &v)) {
		enum got one = text_of(r, t, &v);

		if (one == GOT_NOTHING)
			continue;
		if (one == GOT_REFUSED && t->pick != PICK_LAST)
			return GOT_REFUSED;
		if (got == GOT && t->pick == PICK_ONLY && !slice_eq(v.text, ret->text))
			return GOT_REFUSED;
		*ret = v;
		got = one;
		if (t->pick == PICK_FIRST)
			return GOT;
	}
	if (got == GOT && may_have_more(r, s) && (t->pick == PICK_LAST || is_amount(t)))
		return GOT_REFUSED;
	return got;
}

/* *ret_known: it was seen that there is nothing. */
static enum got pick_any(struct reader *r, const struct take *t, struct found *ret, bool *ret_known)
{
	*ret_known = true;
	for (uint32_t i = 0; i < t->count; i++) {
		const struct source *s = &t->from[i];
		enum got got = pick(r, t, s, ret);
		enum seen seen;

		ret->from = s;
		if (got != GOT_NOTHING)
			return got;
		seen = look_seen(r->look, s);
		if (seen == SEEN_PART || (seen == SEEN_NOT && is_amount(t)))
			return GOT_REFUSED;
		*ret_known &= seen == SEEN_WHOLE;
	}
	return GOT_NOTHING;
}

/* As pick_any, with the default; what is missed is told but for amounts that are there. */
static enum got find(struct reader *r, const struct take *t, struct found *ret, bool *ret_default)
{
	bool known;
	enum got got = pick_any(r, t, ret, &known);

	*ret_default = got == GOT_NOTHING && known && t->default_.at;
	if (*ret_default) {
		*ret = (struct found){ .text = t->default_ };
		return GOT;
	}
	if (got != GOT)
		miss(r, t, AMOUNT_READ);
	return got;
}

/* ---- kinds ---- */

enum got read_text(struct reader *r, const struct take *t, struct slice *ret)
{
	struct found v;
	bool is_default;
	enum got got = find(r, t, &v, &is_default);

	if (got == GOT)
		*ret = v.text;
	return got;
}

void read_currency(struct reader *r, const struct take *t)
{
	struct slice text;

	r->currency[0] = 0;
	if (read_text(r, t, &text) == GOT && !amount_currency(text, r->currency)) {
		r->currency[0] = 0;
		miss(r, t, AMOUNT_OTHER);
	}
}

static void hint_currency(struct reader *r, const struct hint *h, char ret[4])
{
	const struct take from = { .count = 1, .from = h->currency_from };
	struct found v;
	bool known;

	memcpy(ret, h->has_currency ? h->currency : r->currency, 4);
	if (!h->currency_from)
		return;
	ret[0] = 0;
	if (pick_any(r, &from, &v, &known) == GOT && !amount_currency(v.text, ret))
		ret[0] = 0;
}

static enum amount_refusal parse_amount(struct reader *r, const struct take *t,
					const struct found *v, bool is_default, struct amount *ret)
{
	struct amount_hint hint = { .decimal = t->hint.decimal };
	int scale = is_default ? SCALE_NONE : t->hint.scale;

	if (is_default || v->kind == TAKEN_NUMBER)
		hint.decimal = '.';
	if (t->type == TYPE_AMOUNT)
		hint_currency(r, &t->hint, hint.currency);
	if (scale == SCALE_MINOR) {
		scale = amount_minor_digits(hint.currency);
		if (scale < 0)
			return AMOUNT_AMBIGUOUS;
	}
	hint.has_scale = scale >= 0;
	hint.scale = (uint8_t)(scale >= 0 ? scale : 0);
	return amount_read(v->text, &hint, ret);
}

/* All of the source; where one cannot be read, nothing. */
static enum amount_refusal add_up(struct reader *r, const struct take *t, const struct source *s,
				  struct amount *ret)
{
	struct cursor c = { 0 };
	struct amount one;
	bool begun = false;
	struct found v;

	while (look_next(r->look, s, r->item, r->slots, &c, &v)) {
		enum amount_refusal why;

		if (text_of(r, t, &v) != GOT)
			continue;
		why = parse_amount(r, t, &v, false, &one);
		if (why)
			return why;
		if (begun && !amount_add(&one, ret, 1, &one))
			return memcmp(one.currency, ret->currency, sizeof(one.currency))
				       ? AMOUNT_OTHER
				       : AMOUNT_OVERFLOW;
		begun = true;
		*ret = one;
	}
	return AMOUNT_READ;
}

enum got read_amount(struct reader *r, const struct take *t, struct amount *ret)
{
	enum amount_refusal why;
	struct found v;
	struct amount a;
	bool is_default;
	enum got got = find(r, t, &v, &is_default);

	if (got != GOT)
		return got;
	if (t->pick == PICK_SUM && !is_default)
		why = add_up(r, t, v.from, &a);
	else
		why = parse_amount(r, t, &v, is_default, &a);
	if (!why && t->type == TYPE_QUANTITY && (a.currency[0] || a.units < 0))
		why = AMOUNT_OTHER;
	if (why) {
		miss(r, t, why);
		return GOT_REFUSED;
	}
	if (t->type == TYPE_QUANTITY)
		amount_rescale(&a, 0);
	*ret = a;
	return GOT;
}

/* ---- as text ---- */

static bool boolean(struct slice text, struct slice *ret)
{
	static const struct slice yes[] = { SLICE("true"), SLICE("yes"), SLICE("on"), SLICE("1") },
				  no[] = { SLICE("false"), SLICE("no"), SLICE("off"), SLICE("0") };

	for (unsigned i = 0; i < 4; i++)
		if (slice_ieq(text, yes[i]) || slice_ieq(text, no[i])) {
			*ret = slice_ieq(text, yes[i]) ? SLICE("true") : SLICE("false");
			return true;
		}
	return false;
}

/* Digits, perhaps with a sign, of 63 bits. */
static bool is_integer(struct slice text)
{
	uint64_t v;

	if (text.len && (text.at[0] == '-' || text.at[0] == '+'))
		text = slice_sub(text, 1, text.len);
	return !slice_u64(text, &v);
}

#define AMOUNT_ROOM 40

static bool amount_text(struct reader *r, const struct amount *a, struct slice *ret)
{
	struct rules *rules = r->look->rules;
	char *to = rules->room + rules->room_used;
	uint64_t units = a->units < 0 ? 0 - (uint64_t)a->units : (uint64_t)a->units, one = 1;
	int n;

	if (rules->room_used + AMOUNT_ROOM > RULES_ROOM)
		return false;
	for (unsigned i = 0; i < a->scale; i++)
		one *= 10;
	if (a->scale)
		n = snprintf(to, AMOUNT_ROOM, "%s%llu.%0*llu", a->units < 0 ? "-" : "",
			     (unsigned long long)(units / one), a->scale,
			     (unsigned long long)(units % one));
	else
		n = snprintf(to, AMOUNT_ROOM, "%lld", (long long)a->units);
	rules->room_used += (size_t)n;
	*ret = slice_of(to, (size_t)n);
	return true;
}

enum got read_any(struct reader *r, const struct take *t, struct slice *ret)
{
	struct amount a;
	struct slice text;
	enum got got;
	bool fits;

	got = is_amount(t) ? read_amount(r, t, &a) : read_text(r, t, &text);
	if (got != GOT)
		return got;
	switch (t->type) {
	case TYPE_INTEGER:
		fits = is_integer(text);
		break;
	case TYPE_BOOLEAN:
		fits = boolean(text, &text);
		break;
	case TYPE_TEXT:
		fits = true;
		break;
	default:
		fits = amount_text(r, &a, &text);
		break;
	}
	if (fits) {
		*ret = text;
		return GOT;
	}
	miss(r, t, AMOUNT_READ);
	return GOT_REFUSED;
}
