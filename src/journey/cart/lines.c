/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.c: what the records own of texts and items. Each piece is one allocation with its size in front;
 * all together stay within options.bytes: where a new one does not fit, the least valuable record goes, first
 * of the orders that were told. And prices times pieces.
 */
#include <stdlib.h>

#include "journey/cart/internal.h"
#include "session/key.h"

const char no_currency[4];

#define MALLOC_BYTES 8 /* what malloc itself needs of each */

void *content_new(struct carts *c, size_t bytes)
{
	size_t whole = sizeof(uint64_t) + bytes;
	uint64_t *at;

	while (c->stats.bytes + whole + MALLOC_BYTES > c->options.bytes)
		if (!sold_evict(c) && (c->busy_sold || !holders_evict(c)))
			return NULL;
	at = malloc(whole);
	if (!at)
		return NULL;
	*at = whole + MALLOC_BYTES;
	c->stats.bytes += *at;
	return at + 1;
}

void content_free(struct carts *c, void *content)
{
	uint64_t *at = content;

	if (!at)
		return;
	c->stats.bytes -= at[-1];
	free(at - 1);
}

struct text *text_new(struct carts *c, struct slice s)
{
	struct text *t = content_new(c, sizeof(*t) + s.len);

	if (!t)
		return NULL;
	t->len = (uint32_t)s.len;
	if (s.len)
		memcpy(t->at, s.at, s.len);
	return t;
}

void text_set(struct carts *c, struct text **at, struct slice s)
{
	if (*at && slice_eq(text_slice(*at), s))
		return;
	content_free(c, *at);
	*at = NULL;
	if (s.at)
		*at = text_new(c, s);
}

/* ---- items ---- */

/* Not through the middle of a character. */
static struct slice cut_text(struct slice s, size_t most)
{
	if (s.len <= most)
		return s;
	while (most && ((unsigned char)s.at[most] & 0xc0) == 0x80)
		most--;
	return slice_sub(s, 0, most);
}

void item_clean(const struct item *i, const char currency[4], struct item *ret)
{
	*ret = *i;
	/* a part of an id would be another id */
	if (!i->id.len || i->id.len > NAME_BYTES)
		ret->id = slice_of(NULL, 0);
	if (!i->variant.len || i->variant.len > NAME_BYTES)
		ret->variant = slice_of(NULL, 0);
	ret->name = i->name.len ? cut_text(i->name, NAME_BYTES) : slice_of(NULL, 0);
	ret->has_quantity = i->has_quantity && i->quantity.units >= 0;
	memset(ret->quantity.currency, 0, sizeof(ret->quantity.currency));
	if (i->has_price && !i->price.currency[0])
		memcpy(ret->price.currency, currency, sizeof(ret->price.currency));
}

uint64_t item_mark(struct carts *c, const struct item *i, bool by_name)
{
	struct slice s = by_name ? i->name : i->id;

	/* the lowest bit, so that none is 0 */
	return s.at ? sip13(keys_value(c->options.keys), s.at, s.len) | 1 : 0;
}

static size_t texts_of(const struct item *i)
{
	return i->id.len + i->name.len + i->variant.len;
}

static void put(char *text, uint32_t *at, struct slice s)
{
	if (s.len)
		memcpy(text + *at, s.at, s.len);
	*at += (uint32_t)s.len;
}

static void line_of(struct line *l, const struct item *i, char *text, uint32_t *at)
{
	*l = (struct line){ .text = *at,
			    .id_len = (uint16_t)i->id.len,
			    .name_len = (uint16_t)i->name.len,
			    .variant_len = (uint16_t)i->variant.len };
	l->has = (uint8_t)((i->id.at ? LINE_ID : 0) | (i->name.at ? LINE_NAME : 0) |
			   (i->variant.at ? LINE_VARIANT : 0));
	put(text, at, i->id);
	put(text, at, i->name);
	put(text, at, i->variant);
	if (i->has_quantity) {
		l->has |= LINE_QUANTITY;
		l->quantity = i->quantity.units;
		l->quantity_scale = i->quantity.scale;
	}
	if (i->has_price) {
		l->has |= LINE_PRICE;
		l->price = i->price.units;
		l->price_scale = i->price.scale;
		memcpy(l->currency, i->price.currency, sizeof(l->currency));
	}
}

char *lines_text(const struct lines *l)
{
	return (char *)&l->at[l->count];
}

static struct slice piece(const struct line *l, const char *text, size_t from, size_t len,
			  uint8_t bit)
{
	return l->has & bit ? slice_of(text + l->text + from, len) : slice_of(NULL, 0);
}

void line_item(const struct lines *lines, uint32_t n, struct item *ret)
{
	const struct line *l = &lines->at[n];
	const char *text = lines_text(lines);

	*ret = (struct item){ .id = piece(l, text, 0, l->id_len, LINE_ID),
			      .name = piece(l, text, l->id_len, l->name_len, LINE_NAME),
			      .variant = piece(l, text, (size_t)l->id_len + l->name_len,
					       l->variant_len, LINE_VARIANT) };
	ret->has_quantity = l->has & LINE_QUANTITY;
	ret->quantity = (struct amount){ .units = l->quantity, .scale = l->quantity_scale };
	ret->has_price = l->has & LINE_PRICE;
	ret->price = (struct amount){ .units = l->price, .scale = l->price_scale };
	memcpy(ret->price.currency, l->currency, sizeof(l->currency));
}

void lines_to(const struct lines *l, struct item *items, uint32_t *ret_count)
{
	*ret_count = l ? l->count : 0;
	for (uint32_t i = 0; i < *ret_count; i++)
		line_item(l, i, &items[i]);
}

/* How many of `items` fit, and what their texts need. */
static uint32_t fitting(const struct item *items, uint32_t count, const char currency[4],
			uint32_t room, size_t *text)
{
	uint32_t n;
	struct item i;

	for (n = 0; n < count && n < room; n++) {
		item_clean(&items[n], currency, &i);
		if (*text + texts_of(&i) > LINES_TEXT_BYTES)
			break;
		*text += texts_of(&i);
	}
	return n;
}

static uint32_t keeping(const struct lines *old, const bool *keep, uint32_t room, size_t *text,
			uint32_t *cut)
{
	uint32_t n = 0;
	bool full = false;

	for (uint32_t k = 0; old && k < old->count; k++) {
		const struct line *l = &old->at[k];
		size_t len = (size_t)l->id_len + l->name_len + l->variant_len;

		if (!keep[k])
			continue;
		full = full || n == room || *text + len > LINES_TEXT_BYTES;
		*cut += full;
		*text += full ? 0 : len;
		n += !full;
	}
	return n;
}

struct lines *lines_new(struct carts *c, const struct item *items, uint32_t count,
			const char currency[4], const struct lines *old, const bool *keep,
			uint32_t *ret_cut)
{
	size_t text = 0;
	uint32_t cut = 0, fit = fitting(items, count, currency, ITEMS_MAX, &text), kept, at = 0, n;
	struct lines *l;
	struct item i;

	cut = count - fit;
	kept = keeping(old, keep, ITEMS_MAX - fit, &text, &cut);
	l = content_new(c, sizeof(*l) + (fit + kept) * sizeof(l->at[0]) + text);
	if (!l)
		return NULL;
	l->count = fit + kept;
	l->text_len = (uint32_t)text;
	for (n = 0; n < fit; n++) {
		item_clean(&items[n], currency, &i);
		line_of(&l->at[n], &i, lines_text(l), &at);
	}
	for (uint32_t k = 0; n < l->count; k++) {
		if (!keep[k])
			continue;
		line_item(old, k, &i);
		line_of(&l->at[n], &i, lines_text(l), &at);
		l->at[n++].has |= LINE_BEHIND;
	}
	*ret_cut = cut;
	return l;
}

bool lines_same(const struct lines *a, const struct lines *b)
{
	if (!a || !b || a->count != b->count || a->text_len != b->text_len)
		return a == b;
	return !memcmp(a->at, b->at, a->count * sizeof(a->at[0])) &&
	       !memcmp(lines_text(a), lines_text(b), a->text_len);
}

/* ---- what else than adding (txn/body/amount.h) is done with amounts: exact, or not at all ---- */

int amount_sign(const struct amount *a)
{
	return a->units > 0 ? 1 : a->units < 0 ? -1 : 0;
}

static void strip(struct amount *a, int least)
{
	while (a->scale > least && a->units % 10 == 0) {
		a->units /= 10;
		a->scale--;
	}
}

bool amount_times(const struct amount *price, const struct amount *quantity, struct amount *ret)
{
	struct amount p = *price, q = *quantity;
	int digits = amount_minor_digits(p.currency);

	if (!p.currency[0])
		return false;
	strip(&q, 0);
	if (p.scale + q.scale > AMOUNT_SCALE_MAX)
		strip(&p, 0);
	if (p.scale + q.scale > AMOUNT_SCALE_MAX ||
	    __builtin_mul_overflow(p.units, q.units, &p.units))
		return false;
	p.scale = (uint8_t)(p.scale + q.scale);
	strip(&p, digits < 0 ? 0 : digits);
	if (p.scale < digits)
		amount_rescale(&p, (uint8_t)digits); /* where 63 bits are too few it stays */
	*ret = p;
	return true;
}
