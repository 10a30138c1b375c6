/* SPDX-License-Identifier: Apache-2.0 */
/*
 * found.c: which selectors an element answers, and how what it has is handed out. Each level has two sets of
 * states: those with which a child is looked at, and those that this element itself brought; the second tell
 * afterwards which elements the parts of a selector found.
 */
#include "txn/body/inside.h"

static uint64_t *known(const struct body *b, uint32_t depth)
{
	return b->html.sets + (size_t)depth * 2 * b->wants->html.words;
}

static uint64_t *found(const struct body *b, uint32_t depth)
{
	return known(b, depth) + b->wants->html.words;
}

static bool in(const uint64_t *set, uint32_t state)
{
	return set[state >> 6] >> (state & 63) & 1;
}

/* ---- handing out ---- */

void html_hand_out(struct body *b, uint32_t state, struct slice text, bool cut,
		   const uint32_t index[BODY_INDICES])
{
	const struct html_state *s = &b->wants->html.state[state];
	const struct html_target *t = &b->wants->html.target[s->target];
	struct taken v = { .want = s->want, .kind = TAKEN_TEXT, .cut = cut };
	int matched = 1;

	v.text = charset_clean(&b->clean, text, cut);
	if (t->expression) {
		if (!b->all->matcher)
			b->all->matcher = html_match_new(&b->all->pool);
		matched =
			b->all->matcher ? html_match(t, b->all->matcher, v.text, &v.text) : -ENOMEM;
	}
	if (matched < 0)
		body_flag(b, matched == -ENOMEM ? BODY_MEMORY : BODY_MATCH_LIMIT);
	if (matched <= 0)
		return;
	memcpy(v.index, index, sizeof(v.index));
	body_take(b, &v);
}

struct slice html_trim(struct slice s)
{
	while (s.len && s.at[0] == ' ')
		s = slice_sub(s, 1, s.len);
	while (s.len && s.at[s.len - 1] == ' ')
		s.len--;
	return s;
}

/* Which elements the parts of a selector found, from the last one at `depth` upwards, the innermost each. */
static void trace(const struct body *b, uint32_t state, uint32_t depth,
		  uint32_t index[BODY_INDICES])
{
	const struct html_wants *w = &b->wants->html;
	uint32_t part = w->target[w->state[state].target].parts;

	memset(index, 0, BODY_INDICES * sizeof(*index));
	while (part--) {
		while (depth && !in(found(b, depth), state))
			depth--;
		index[part] = b->html.level[depth].number;
		depth -= depth > 0;
		state--;
	}
}

const struct attribute *html_attribute(const struct html *h, struct slice name)
{
	for (uint32_t i = 0; i < h->attributes; i++)
		if (slice_eq(h->attribute[i].name, name))
			return &h->attribute[i];
	return NULL;
}

/* An element that a whole selector found. */
static void element_found(struct body *b, uint32_t state, uint32_t depth)
{
	struct html *h = &b->html;
	const struct html_wants *w = &b->wants->html;
	struct slice name = w->target[w->state[state].target].attribute;
	uint32_t index[BODY_INDICES];
	const struct attribute *a;

	trace(b, state, depth, index);
	if (name.len) {
		a = html_attribute(h, name);
		if (a)
			html_hand_out(b, state, slice_sub(a->value, 0, b->text.max),
				      a->cut || a->value.len > b->text.max, index);
		return;
	}
	if (h->captures == HTML_CAPTURES) {
		body_flag(b, BODY_CUT_PARTS);
		return;
	}
	h->capture[h->captures] = (struct html_capture){ state, depth, b->text.len, { 0 } };
	memcpy(h->capture[h->captures++].index, index, sizeof(index));
}

/* ---- conditions ---- */

static bool has_word(struct slice list, struct slice word)
{
	size_t from = 0;

	for (size_t i = 0; i <= list.len; i++) {
		if (i < list.len && !html_is_blank(list.at[i]))
			continue;
		if (i > from && slice_eq(slice_sub(list, from, i), word))
			return true;
		from = i + 1;
	}
	return false;
}

static bool is_meta(const struct html *h, struct slice name)
{
	static const struct slice keys[] = { SLICE("property"), SLICE("name"), SLICE("itemprop") };

	for (unsigned i = 0; i < 3; i++) {
		const struct attribute *a = html_attribute(h, keys[i]);

		if (a && slice_ieq(html_trim(a->value), name) && !a->cut)
			return true;
	}
	return false;
}

/* A value that is cut fulfils nothing that its rest could undo. */
static bool fulfils(const struct html *h, const struct condition *c)
{
	const struct attribute *a = html_attribute(h, c->name);
	struct slice v;

	if (c->kind == CONDITION_META)
		return is_meta(h, c->value);
	if (!a)
		return false;
	v = a->value;
	switch (c->kind) {
	case CONDITION_HAS:
		return true;
	case CONDITION_BEGINS:
		return c->value.len && slice_starts(v, c->value);
	case CONDITION_CONTAINS:
		return c->value.len && slice_find_slice(v, c->value) >= 0;
	case CONDITION_WORD:
		return has_word(v, c->value);
	case CONDITION_ENDS:
		return !a->cut && c->value.len && slice_ends(v, c->value);
	case CONDITION_DASH:
		return !a->cut && slice_starts(v, c->value) &&
		       (v.len == c->value.len || v.at[c->value.len] == '-');
	default:
		return !a->cut && slice_eq(v, c->value);
	}
}

/* The states of one tag, or of none, that this element takes a part further. */
static void match(struct body *b, uint32_t state, uint32_t depth)
{
	const struct html_wants *w = &b->wants->html;
	uint64_t *mine = found(b, depth);

	for (; state != NAMES_NONE; state = w->state[state].next) {
		const struct html_state *s = &w->state[state];
		bool fits = in(known(b, depth - 1), state);

		for (uint32_t i = 0; fits && i < s->count; i++)
			fits = fulfils(&b->html, &s->condition[i]);
		if (fits)
			mine[(state + 1) >> 6] |= 1ull << ((state + 1) & 63);
	}
}

void html_look(struct body *b, uint32_t depth)
{
	const struct html_wants *w = &b->wants->html;
	uint32_t tag = names_find(&w->tags, slice_of(b->html.name, b->html.name_len));
	uint64_t *mine = found(b, depth);

	memset(mine, 0, w->words * sizeof(*mine));
	if (!b->html.inert && !b->html.name_cut && w->count) {
		match(b, w->any, depth);
		match(b, tag == NAMES_NONE ? NAMES_NONE : w->by_tag[tag], depth);
	}
	if (w->words)
		memcpy(known(b, depth), known(b, depth - 1), w->words * sizeof(*mine));
	for (uint32_t i = 0; i < w->words; i++)
		for (uint64_t bits = mine[i]; bits; bits &= bits - 1) {
			uint32_t state = i * 64 + (uint32_t)__builtin_ctzll(bits);

			known(b, depth)[i] |= 1ull << (state & 63);
			if (w->state[state].last)
				element_found(b, state, depth);
		}
}

bool tree_looks_at(const struct body *b, struct slice name)
{
	const struct html_wants *w = &b->wants->html;

	if (body_has(b, BODY_LD_JSON) && slice_eq(name, SLICE("script")))
		return true;
	return w->count && (w->any != NAMES_NONE || names_find(&w->tags, name) != NAMES_NONE);
}
