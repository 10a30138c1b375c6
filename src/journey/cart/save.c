/* SPDX-License-Identifier: Apache-2.0 */
/*
 * save.c: the carts ↔ octets of a checkpoint, as session/checkpoint.c: numbers as they lie in memory, with
 * a version made of the layout in front, and a mark of the secret. Visitors and orders are pseudonyms, what
 * a shop or a visitor wrote is sealed. The seal is named by a keyed hash of the text itself: the same text
 * is sealed alike whenever it is, no two texts are by the same stream, and what was damaged shows.
 *
 * Times are written as Unix time. What was asked for and not yet shown goes on only from a checkpoint that was
 * written at the end, after which nothing was told: from an older one it may have been told already, and the same
 * change would count twice. Then it is counted as unshown, and what is in the cart is not known until it is shown.
 */
#include <errno.h>
#include <stdlib.h>

#include "journey/cart/internal.h"

#define VERSION 4

enum {
	PART_SITE,
	PART_ID,
	PART_NUMBER,
	PART_ORDER,
	PART_ERROR,
	PART_SLOW,
	PART_REASON,
	PART_HOST,
	PARTS
};
#define PART_BYTES CART_ID_BYTES /* at least PATH_BYTES and a host's name */

struct saved_head {
	uint32_t version, holder_bytes, line_bytes, left_bytes, sold_bytes;
	uint8_t mark[KEY_BYTES];
	uint64_t holders, left, numbers, order_ids, sold;
	uint64_t at_end; /* 1: it is the last word of the process */
};

struct saved_holder {
	struct holder holder; /* pointers are NULL, times are Unix time */
	struct rare rare;
	uint8_t seal[KEY_BYTES];
	uint32_t part_len[PARTS];
	uint32_t lines, line_text;
	uint32_t asks; /* follow, the latest first */
	bool has_rare,
		has_lines; /* lines follow, then the sealed text: parts, then that of lines */
};

struct saved_ask {
	struct interval when; /* Unix time */
	uint8_t seal[KEY_BYTES];
	struct amount pieces;
	uint32_t say, lines, line_text;
	bool has_pieces, shown, has_items; /* lines follow, then their sealed text */
};

static void mark_of(const struct carts *c, uint8_t ret[KEY_BYTES])
{
	keys_event(c->options.keys, SLICE("carts checkpoint"), SLICE(""), SLICE(""), ret);
}

static void seal_name(const struct carts *c, struct slice text, uint8_t ret[KEY_BYTES])
{
	keys_event(c->options.keys, SLICE("carts seal"), SLICE(""), text, ret);
}

void text_seal(const struct carts *c, char *text, size_t len, uint8_t ret_name[KEY_BYTES])
{
	seal_name(c, slice_of(text, len), ret_name);
	keys_seal(c->options.keys, slice_of(ret_name, KEY_BYTES), text, len);
}

bool text_unseal(const struct carts *c, char *text, size_t len, const uint8_t name[KEY_BYTES])
{
	uint8_t again[KEY_BYTES];

	keys_seal(c->options.keys, slice_of(name, KEY_BYTES), text, len);
	seal_name(c, slice_of(text, len), again);
	return !memcmp(again, name, KEY_BYTES);
}

/* 0 is no time. */
void shift_time(uint64_t *at_ns, int64_t by_ns)
{
	if (*at_ns)
		*at_ns += (uint64_t)by_ns;
}

static void shift_times(struct holder *h, int64_t by_ns)
{
	shift_time(&h->last_ns, by_ns);
	shift_time(&h->touched_ns, by_ns);
	shift_time(&h->closed_ns, by_ns);
	shift_time(&h->empty_ns, by_ns);
	shift_time(&h->cart.shown.at_ns, by_ns);
	shift_time(&h->cart.shown.end_ns, by_ns);
	shift_time(&h->cart.emptied_ns, by_ns);
	shift_time(&h->cart.known_ns, by_ns);
}

/* ---- writing ---- */

static struct slice part_of(const struct holder *h, unsigned part)
{
	const struct rare none = { 0 }, *r = h->rare ? h->rare : &none;
	const struct text *const texts[PARTS] = { h->site,     h->cart.id,    r->number,
						  r->order_id, r->error_path, r->slow_path,
						  r->reason,   r->failed_host };

	return slice_sub(text_slice(texts[part]), 0, PART_BYTES);
}

static void strip(struct saved_holder *v)
{
	struct holder *h = &v->holder;
	struct rare *r = &v->rare;

	memset(&h->of_worth, 0, sizeof(h->of_worth));
	memset(&h->of_asking, 0, sizeof(h->of_asking));
	h->site = NULL;
	h->asks = NULL;
	h->loose = NULL;
	h->rare = NULL;
	h->cart.lines = NULL;
	h->cart.id = NULL;
	r->number = r->order_id = NULL;
	r->error_path = r->slow_path = r->reason = r->failed_host = NULL;
}

static int save_ask(const struct carts *c, const struct ask *a, void *ctx,
		    int (*add)(void *ctx, struct slice piece))
{
	struct saved_ask v;
	char *text;
	int err;

	memset(&v, 0, sizeof(v)); /* padding too */
	v.when = a->when;
	shift_time(&v.when.at_ns, c->wall_minus_mono_ns);
	shift_time(&v.when.end_ns, c->wall_minus_mono_ns);
	v.say = a->say;
	v.has_pieces = a->has_pieces;
	v.shown = a->shown;
	v.pieces = a->pieces;
	v.has_items = a->items;
	v.lines = a->items ? a->items->count : 0;
	v.line_text = a->items ? a->items->text_len : 0;
	text = malloc(v.line_text + 1);
	if (!text)
		return -ENOMEM;
	if (v.line_text)
		memcpy(text, lines_text(a->items), v.line_text);
	text_seal(c, text, v.line_text, v.seal);
	err = add(ctx, slice_of(&v, sizeof(v)));
	if (!err && v.lines)
		err = add(ctx, slice_of(a->items->at, v.lines * sizeof(struct line)));
	if (!err)
		err = add(ctx, slice_of(text, v.line_text));
	free(text);
	return err;
}

static int save_holder(const struct carts *c, const struct holder *h, void *ctx,
		       int (*add)(void *ctx, struct slice piece))
{
	const struct lines *lines = h->cart.lines;
	struct saved_holder v;
	size_t len = 0;
	char *text;
	int err;

	memset(&v, 0, sizeof(v)); /* padding too */
	v.holder = *h;
	v.has_rare = h->rare;
	if (h->rare)
		v.rare = *h->rare;
	strip(&v);
	shift_times(&v.holder, c->wall_minus_mono_ns);
	for (unsigned p = 0; p < PARTS; p++)
		len += v.part_len[p] = (uint32_t)part_of(h, p).len;
	for (const struct ask *a = h->asks; a; a = a->next)
		v.asks++;
	v.has_lines = lines;
	v.lines = lines ? lines->count : 0;
	v.line_text = lines ? lines->text_len : 0;
	text = malloc(len + v.line_text + 1);
	if (!text)
		return -ENOMEM;
	len = 0;
	for (unsigned p = 0; p < PARTS; p++) {
		if (v.part_len[p])
			memcpy(text + len, part_of(h, p).at, v.part_len[p]);
		len += v.part_len[p];
	}
	if (v.line_text)
		memcpy(text + len, lines_text(lines), v.line_text);
	len += v.line_text;
	text_seal(c, text, len, v.seal);
	err = add(ctx, slice_of(&v, sizeof(v)));
	if (!err && v.lines)
		err = add(ctx, slice_of(lines->at, v.lines * sizeof(lines->at[0])));
	if (!err)
		err = add(ctx, slice_of(text, len));
	for (const struct ask *a = h->asks; a && !err; a = a->next)
		err = save_ask(c, a, ctx, add);
	free(text);
	return err;
}

static int save_table(struct table *t, size_t bytes, void *ctx,
		      int (*add)(void *ctx, struct slice piece))
{
	int err = 0;

	for (void *e = table_oldest(t); e && !err; e = table_newer(t, e))
		err = add(ctx, slice_of(e, bytes));
	return err;
}

int carts_save(const struct carts *c, void *ctx, int (*add)(void *ctx, struct slice piece))
{
	struct saved_head h = { .version = VERSION,
				.holder_bytes = sizeof(struct saved_holder),
				.line_bytes = sizeof(struct line),
				.left_bytes = sizeof(struct left),
				.sold_bytes = sizeof(struct sold),
				.holders = table_count(c->holders),
				.left = table_count(c->left),
				.numbers = table_count(c->numbers),
				.order_ids = table_count(c->order_ids),
				.sold = table_count(c->sold),
				.at_end = c->at_end };
	int err;

	mark_of(c, h.mark);
	err = add(ctx, slice_of(&h, sizeof(h)));
	if (!err)
		err = save_table(c->left, sizeof(struct left), ctx, add);
	if (!err)
		err = save_table(c->numbers, sizeof(struct order), ctx, add);
	if (!err)
		err = save_table(c->order_ids, sizeof(struct order), ctx, add);
	for (struct sold *o = table_oldest(c->sold); o && !err; o = table_newer(c->sold, o))
		err = sold_save(c, o, ctx, add);
	for (unsigned w = 0; w < WORTHS; w++)
		for (struct list *l = c->worths[w].next; l != &c->worths[w] && !err; l = l->next)
			err = save_holder(c, list_entry(l, struct holder, of_worth), ctx, add);
	return err;
}

/* ---- taking it up ---- */

bool take_octets(struct slice *rest, void *to, size_t len)
{
	if (rest->len < len)
		return false;
	memcpy(to, rest->at, len);
	*rest = slice_sub(*rest, len, rest->len);
	return true;
}

bool is_amount(const struct amount *a)
{
	return a->scale <= AMOUNT_SCALE_MAX && !a->currency[3];
}

/* Flags are octets that must be 0 or 1 before they are used as such. */
bool are_flags(const void *at, size_t count)
{
	const uint8_t *octets = at;

	for (size_t i = 0; i < count; i++)
		if (octets[i] > 1)
			return false;
	return true;
}

static bool is_cart(const struct cart *k)
{
	const size_t flags = offsetof(struct cart, cut) + 1 - offsetof(struct cart, open);

	return are_flags(&k->open, flags) && k->step <= STEP_ORDER && k->shown_say < SAYS &&
	       is_amount(&k->value) && is_amount(&k->quantity) && (k->open || !k->emptied) &&
	       (!k->open || k->ordinal);
}

static bool is_holder(const struct saved_holder *v)
{
	const struct rare *r = &v->rare;

	for (unsigned p = 0; p < PARTS; p++)
		if (v->part_len[p] > PART_BYTES)
			return false;
	return are_flags(&v->has_rare, 1) && are_flags(&v->has_lines, 1) &&
	       are_flags(&v->holder.ordered, 1) && are_flags(&v->holder.ordered_numbered, 1) &&
	       are_flags(&v->holder.renamed, 1) && are_flags(&r->has_next_key, 1) &&
	       are_flags(&r->failed, 1) && are_flags(&r->cart_refused, 1) &&
	       are_flags(&r->payment_refused, 1) && v->holder.base <= BASE_CART &&
	       is_cart(&v->holder.cart) && v->lines <= ITEMS_MAX && v->asks <= ASKS_EACH &&
	       v->line_text <= LINES_TEXT_BYTES && (v->has_lines || (!v->lines && !v->line_text)) &&
	       (v->holder.cart.open || !v->has_lines);
}

static bool is_line(const struct line *l, uint32_t text_len)
{
	return l->text <= text_len &&
	       (size_t)l->text + l->id_len + l->name_len + l->variant_len <= text_len &&
	       l->quantity_scale <= AMOUNT_SCALE_MAX && l->price_scale <= AMOUNT_SCALE_MAX &&
	       l->quantity >= 0;
}

bool are_lines(struct slice lines, uint32_t text_len)
{
	for (struct line l; lines.len; lines = slice_sub(lines, sizeof(l), lines.len)) {
		memcpy(&l, lines.at, sizeof(l));
		if (!is_line(&l, text_len))
			return false;
	}
	return true;
}

static void restore_rare(struct carts *c, struct holder *h, const struct saved_holder *v,
			 const struct slice parts[PARTS])
{
	struct rare *r = holder_rare(c, h);

	if (!r)
		return;
	*r = v->rare;
	r->number = r->order_id = NULL;
	r->error_path = r->slow_path = r->reason = r->failed_host = NULL;
	text_set(c, &r->number, parts[PART_NUMBER]);
	text_set(c, &r->order_id, parts[PART_ORDER]);
	text_set(c, &r->error_path, parts[PART_ERROR]);
	text_set(c, &r->slow_path, parts[PART_SLOW]);
	text_set(c, &r->reason, parts[PART_REASON]);
	text_set(c, &r->failed_host, parts[PART_HOST]);
	named_set(c, h, NAME_ORDER, text_slice(r->number));
	named_set(c, h, NAME_ORDER, text_slice(r->order_id));
	if (r->has_next_key)
		named_set(c, h, NAME_VISITOR, slice_of(r->next_key, KEY_BYTES));
}

struct lines *lines_restore(struct carts *c, struct slice lines, const char *text,
			    uint32_t text_len)
{
	struct lines *l = content_new(c, sizeof(*l) + lines.len + text_len);

	if (!l)
		return NULL;
	l->count = (uint32_t)(lines.len / sizeof(l->at[0]));
	l->text_len = text_len;
	if (lines.len)
		memcpy(l->at, lines.at, lines.len);
	if (text_len)
		memcpy(lines_text(l), text, text_len);
	return l;
}

static struct holder *restore(struct carts *c, const struct saved_holder *v, struct slice lines,
			      const char *text)
{
	const struct holder *as = &v->holder;
	struct slice parts[PARTS];
	struct holder *h;

	for (unsigned p = 0; p < PARTS; p++) {
		parts[p] = slice_of(v->part_len[p] ? text : NULL, v->part_len[p]);
		text += v->part_len[p];
	}
	if (holder_find(c, as->session_id))
		return NULL;
	h = holder_get(c, as->session_id, as->session_key, parts[PART_SITE]);
	if (!h)
		return NULL;
	c->busy = h;
	h->base = as->base;
	h->ordered = as->ordered;
	h->ordered_numbered = as->ordered_numbered;
	h->renamed = as->renamed;
	h->empty_ns = as->empty_ns;
	memcpy(h->ordered_id, as->ordered_id, KEY_BYTES);
	h->last_ns = as->last_ns;
	h->touched_ns = as->touched_ns;
	h->closed_ns = as->closed_ns;
	h->cart = as->cart;
	h->cart.lines = NULL;
	h->cart.id = NULL;
	h->cart.told_shutdown = false;
	shift_times(h, -c->wall_minus_mono_ns);
	c->stats.open += h->cart.open;
	c->stats.restored += h->cart.open;
	text_set(c, &h->cart.id, parts[PART_ID]);
	named_set(c, h, NAME_CART, text_slice(h->cart.id));
	if (v->has_lines)
		h->cart.lines = lines_restore(c, lines, text, v->line_text);
	if (v->has_lines && !h->cart.lines)
		h->cart.complete = false;
	if (v->has_rare)
		restore_rare(c, h, v, parts);
	holder_place(c, h);
	return h;
}

static bool is_ask(const struct saved_ask *v)
{
	bool asks = v->say == SAY_ADD_TO_CART || v->say == SAY_REMOVE_FROM_CART ||
		    v->say == SAY_CHANGE_CART;

	return asks && are_flags(&v->has_pieces, 1) && are_flags(&v->shown, 1) &&
	       are_flags(&v->has_items, 1) && is_amount(&v->pieces) && v->lines <= ITEMS_MAX &&
	       v->line_text <= LINES_TEXT_BYTES && (v->has_items || (!v->lines && !v->line_text));
}

/* Nothing will explain it. What it was about may be told already, and may be in the cart or not. */
static void drop_ask(struct carts *c, struct holder *h, const struct saved_ask *v)
{
	struct cart *cart = &h->cart;

	c->stats.changes_unshown += !v->shown;
	if (cart->open && !cart->emptied && !v->shown)
		cart->unshown = cart->dirty = true;
}

static void restore_ask(struct carts *c, struct holder *h, const struct saved_ask *v,
			struct slice lines, const char *text)
{
	struct ask a = { .when = v->when,
			 .say = (enum say)v->say,
			 .has_pieces = v->has_pieces,
			 .pieces = v->pieces,
			 .shown = v->shown };

	shift_time(&a.when.at_ns, -c->wall_minus_mono_ns);
	shift_time(&a.when.end_ns, -c->wall_minus_mono_ns);
	if (v->has_items) {
		a.items = lines_restore(c, lines, text, v->line_text);
		if (!a.items) {
			drop_ask(c, h, v);
			return;
		}
	}
	if (!ask_restore(c, h, &a))
		drop_ask(c, h, v);
}

static int load_ask(const struct carts *c, struct carts *into, struct holder *h, bool at_end,
		    struct slice *rest)
{
	struct saved_ask v;
	struct slice lines;
	char *text;
	int err = 0;

	if (!take_octets(rest, &v, sizeof(v)) || !is_ask(&v))
		return -EBADMSG;
	lines = slice_sub(*rest, 0, v.lines * sizeof(struct line));
	if (rest->len < v.lines * sizeof(struct line) + v.line_text ||
	    !are_lines(lines, v.line_text))
		return -EBADMSG;
	text = malloc(v.line_text + 1);
	if (!text)
		return -ENOMEM;
	if (v.line_text)
		memcpy(text, rest->at + lines.len, v.line_text);
	if (!text_unseal(c, text, v.line_text, v.seal))
		err = -EBADMSG;
	else if (h && at_end)
		restore_ask(into, h, &v, lines, text);
	else if (h)
		drop_ask(into, h, &v);
	free(text);
	*rest = slice_sub(*rest, lines.len + v.line_text, rest->len);
	return err;
}

/* One visit; `into` NULL: only looks whether it is one. -EBADMSG; -ENOMEM. */
static int load_holder(const struct carts *c, struct carts *into, bool at_end, struct slice *rest)
{
	struct saved_holder v;
	struct holder *h = NULL;
	struct slice lines;
	size_t len;
	char *text;
	int err = 0;

	if (!take_octets(rest, &v, sizeof(v)) || !is_holder(&v))
		return -EBADMSG;
	len = v.line_text;
	for (unsigned p = 0; p < PARTS; p++)
		len += v.part_len[p];
	lines = slice_sub(*rest, 0, v.lines * sizeof(struct line));
	if (rest->len < v.lines * sizeof(struct line) + len)
		return -EBADMSG;
	if (!are_lines(lines, v.line_text))
		return -EBADMSG;
	text = malloc(len + 1);
	if (!text)
		return -ENOMEM;
	if (len)
		memcpy(text, rest->at + lines.len, len);
	if (!text_unseal(c, text, len, v.seal))
		err = -EBADMSG;
	else if (into)
		h = restore(into, &v, lines, text);
	free(text);
	*rest = slice_sub(*rest, lines.len + len, rest->len);
	for (uint32_t i = 0; i < v.asks && !err; i++)
		err = load_ask(c, into, h, at_end, rest);
	if (into)
		into->busy = NULL;
	return err;
}

static int load_left(struct carts *into, struct slice *rest)
{
	struct left l, *to;

	if (!take_octets(rest, &l, sizeof(l)) || !are_flags(&l.open, 1) ||
	    !are_flags(&l.recovered, 1) || !are_flags(&l.has_id, 1) || !are_flags(&l.ordered, 1) ||
	    l.step > STEP_ORDER || !l.ordinal)
		return -EBADMSG;
	if (!into)
		return 0;
	to = table_add(into->left, l.name, NULL);
	if (!to) {
		table_remove(into->left, table_oldest(into->left));
		to = table_add(into->left, l.name, NULL);
	}
	if (to)
		*to = l;
	return 0;
}

static int load_orders(struct carts *into, bool ids, uint64_t count, struct slice *rest)
{
	struct order o;

	for (uint64_t i = 0; i < count; i++) {
		if (!take_octets(rest, &o, sizeof(o)))
			return -EBADMSG;
		if (into)
			order_remember(into, ids ? into->order_ids : into->numbers, o.name, o.fact);
	}
	return 0;
}

static int load_all(const struct carts *c, struct carts *into, const struct saved_head *h,
		    struct slice rest)
{
	int err = 0;

	for (uint64_t i = 0; i < h->left && !err; i++)
		err = load_left(into, &rest);
	if (!err)
		err = load_orders(into, false, h->numbers, &rest);
	if (!err)
		err = load_orders(into, true, h->order_ids, &rest);
	for (uint64_t i = 0; i < h->sold && !err; i++)
		err = sold_load(c, into, &rest);
	for (uint64_t i = 0; i < h->holders && !err; i++)
		err = load_holder(c, into, h->at_end, &rest);
	return !err && rest.len ? -EBADMSG : err;
}

int carts_load(struct carts *c, struct slice text)
{
	struct slice rest = text;
	struct saved_head h;
	uint8_t mark[KEY_BYTES];
	uint32_t version;
	int err;

	if (!take_octets(&rest, &version, sizeof(version)))
		return -EBADMSG;
	if (version != VERSION)
		return -EPROTO; /* whose head may be a shorter one */
	if (!take_octets(&text, &h, sizeof(h)))
		return -EBADMSG;
	if (h.holder_bytes != sizeof(struct saved_holder) || h.line_bytes != sizeof(struct line) ||
	    h.left_bytes != sizeof(struct left) || h.sold_bytes != sizeof(struct sold))
		return -EPROTO;
	if (h.at_end > 1)
		return -EBADMSG;
	mark_of(c, mark);
	if (memcmp(h.mark, mark, sizeof(mark)))
		return -EKEYREJECTED;
	err = load_all(c, NULL, &h, text);
	return err ? err : load_all(c, c, &h, text);
}
