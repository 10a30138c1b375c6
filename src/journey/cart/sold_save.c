/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sold_save.c: the orders that were told ↔ octets of a checkpoint, as save.c has the visits: numbers as they
 * lie in memory, then lines, then what a shop wrote, sealed. Each is looked at as a whole before it is taken.
 */
#include <errno.h>
#include <stdlib.h>

#include "journey/cart/internal.h"

struct saved_sold {
	struct sold sold; /* pointers are NULL, times are Unix time */
	uint8_t seal[KEY_BYTES];
	uint32_t part_len[SOLD_TEXTS];
	uint32_t lines[2], line_text[2]; /* its own, its cart's */
	bool has_lines
		[2]; /* all lines follow, then the sealed text: parts, then those of the lines */
};

static void strip(struct sold *o, int64_t by_ns)
{
	shift_time(&o->told_ns, by_ns);
	shift_time(&o->status_ns, by_ns);
	memset(o->texts, 0, sizeof(o->texts));
	o->items = o->cart_items = NULL;
}

static char *put(char *to, const void *from, size_t len)
{
	if (len)
		memcpy(to, from, len);
	return to + len;
}

int sold_save(const struct carts *c, const struct sold *o, void *ctx,
	      int (*add)(void *ctx, struct slice piece))
{
	const struct lines *const both[] = { o->items, o->cart_items };
	struct saved_sold v;
	size_t len = 0;
	char *text, *at;
	int err;

	memset(&v, 0, sizeof(v)); /* padding too */
	v.sold = *o;
	strip(&v.sold, c->wall_minus_mono_ns);
	for (unsigned i = 0; i < SOLD_TEXTS; i++)
		len += v.part_len[i] = (uint32_t)text_slice(o->texts[i]).len;
	for (unsigned i = 0; i < 2; i++) {
		v.has_lines[i] = both[i];
		v.lines[i] = both[i] ? both[i]->count : 0;
		len += v.line_text[i] = both[i] ? both[i]->text_len : 0;
	}
	at = text = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	for (unsigned i = 0; i < SOLD_TEXTS; i++)
		at = put(at, text_slice(o->texts[i]).at, v.part_len[i]);
	for (unsigned i = 0; i < 2; i++)
		at = put(at, both[i] ? lines_text(both[i]) : NULL, v.line_text[i]);
	text_seal(c, text, len, v.seal);
	err = add(ctx, slice_of(&v, sizeof(v)));
	for (unsigned i = 0; i < 2 && !err; i++)
		if (v.lines[i])
			err = add(ctx, slice_of(both[i]->at, v.lines[i] * sizeof(struct line)));
	if (!err)
		err = add(ctx, slice_of(text, len));
	free(text);
	return err;
}

static bool is_state(const struct cart_state *s)
{
	return (unsigned)s->condition <= CART_ABANDONED && (unsigned)s->step <= STEP_ORDER &&
	       are_flags(&s->has_value, 1) && are_flags(&s->has_quantity, 1) &&
	       are_flags(&s->has_items, 1) && are_flags(&s->items_cut, 1) &&
	       are_flags(&s->recovered, 1) && is_amount(&s->value) && is_amount(&s->quantity) &&
	       !s->id.at && !s->items;
}

static bool is_sold(const struct saved_sold *v)
{
	const struct sold *o = &v->sold;
	const size_t flags =
		offsetof(struct sold, adds_value) + 1 - offsetof(struct sold, has_session);
	bool holds = are_flags(&o->has_session, flags) && are_flags(v->has_lines, 2) &&
		     o->tax_basis <= TAX_EXCLUDED && !o->currency[3] && is_state(&o->cart) &&
		     !o->items && !o->cart_items && o->revision;

	for (unsigned i = 0; i < SOLD_AMOUNTS; i++)
		holds = holds && is_amount(&o->amounts[i]);
	for (unsigned i = 0; i < SOLD_TEXTS; i++)
		holds = holds && !o->texts[i] && v->part_len[i] <= SOLD_TEXT_BYTES;
	for (unsigned i = 0; i < 2; i++)
		holds = holds && v->lines[i] <= ITEMS_MAX && v->line_text[i] <= LINES_TEXT_BYTES &&
			(v->has_lines[i] || (!v->lines[i] && !v->line_text[i]));
	return holds;
}

static bool restore_contents(struct carts *c, struct sold *o, const struct saved_sold *v,
			     const char *lines, const char *text)
{
	struct lines **const both[] = { &o->items, &o->cart_items };

	for (unsigned i = 0; i < SOLD_TEXTS; text += v->part_len[i++])
		if (!sold_text(c, o, i, slice_of(text, v->part_len[i])))
			return false;
	for (unsigned i = 0; i < 2; i++) {
		if (!v->has_lines[i])
			continue;
		*both[i] = lines_restore(c, slice_of(lines, v->lines[i] * sizeof(struct line)),
					 text, v->line_text[i]);
		if (!*both[i])
			return false;
		lines += v->lines[i] * sizeof(struct line);
		text += v->line_text[i];
	}
	return true;
}

static void restore(struct carts *c, const struct saved_sold *v, const char *lines,
		    const char *text)
{
	struct sold *o = sold_add(c, v->sold.event_id);

	if (!o) {
		c->stats.orders_unkept++;
		return;
	}
	*o = v->sold;
	o->has_cart_name = false;
	strip(o, -c->wall_minus_mono_ns);
	c->busy_sold = o;
	if (restore_contents(c, o, v, lines, text)) {
		sold_name_cart(c, o);
	} else {
		sold_drop(c, o);
		c->stats.orders_unkept++;
	}
	c->busy_sold = NULL;
}

int sold_load(const struct carts *c, struct carts *into, struct slice *rest)
{
	struct saved_sold v;
	struct slice lines;
	size_t len;
	char *text;
	int err = 0;

	if (!take_octets(rest, &v, sizeof(v)) || !is_sold(&v))
		return -EBADMSG;
	len = v.line_text[0] + v.line_text[1];
	for (unsigned i = 0; i < SOLD_TEXTS; i++)
		len += v.part_len[i];
	lines = slice_sub(*rest, 0, (v.lines[0] + v.lines[1]) * sizeof(struct line));
	if (rest->len < (v.lines[0] + v.lines[1]) * sizeof(struct line) + len ||
	    !are_lines(slice_sub(lines, 0, v.lines[0] * sizeof(struct line)), v.line_text[0]) ||
	    !are_lines(slice_sub(lines, v.lines[0] * sizeof(struct line), lines.len),
		       v.line_text[1]))
		return -EBADMSG;
	text = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	put(text, rest->at + lines.len, len);
	if (!text_unseal(c, text, len, v.seal))
		err = -EBADMSG;
	else if (into)
		restore(into, &v, lines.at, text);
	free(text);
	*rest = slice_sub(*rest, lines.len + len, rest->len);
	return err;
}
