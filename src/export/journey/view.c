/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.c: what of an event may leave the process, see privacy.h. What a rule takes is the operator's choice, but
 * nobody chooses to export a card's number that a customer wrote into a field for remarks.
 *
 * The scratch is made at its full size before the first text goes into it, so what points into it stays valid.
 */
#include <errno.h>
#include <openssl/sha.h>

#include "export/fact.h"
#include "export/journey.h"

#define SCRATCH_BYTES (512u << 10)

void event_view_init(struct event_view *v)
{
	memset(v, 0, sizeof(*v));
	buf_init(&v->scratch, SCRATCH_BYTES);
}

void event_view_done(struct event_view *v)
{
	buf_done(&v->scratch);
}

struct slice event_name(const struct event *e)
{
	return e->kind == EVENT_OWN ? e->name : slice_str(event_kind_name(e->kind));
}

/* ---- texts ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_break(char c)
{
	return (unsigned char)c <= ' ' || memchr(",;<>()[]{}\"'", c, 12);
}

/* Where a card's number begins; s.len: there is none. */
static size_t find_card(struct slice s, size_t *ret_len)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!is_digit(s.at[i]) || (i && is_digit(s.at[i - 1])))
			continue;
		*ret_len = privacy_card(slice_sub(s, i, s.len));
		if (*ret_len)
			return i;
	}
	return s.len;
}

static const char *class_of(struct slice word, bool id)
{
	if (privacy_is_email(word))
		return "{email}";
	return !id && privacy_is_token(word) ? "{token}" : NULL;
}

/* What has no card's number in it, word by word. */
static void add_words(struct slice s, bool id, struct buf *out)
{
	size_t from = 0;

	for (size_t i = 0; i <= s.len; i++) {
		struct slice word;
		const char *class;

		if (i < s.len && !is_break(s.at[i]))
			continue;
		word = slice_sub(s, from, i);
		class = class_of(word, id);
		buf_add(out, class ? slice_str(class) : word);
		if (i < s.len)
			buf_add_byte(out, s.at[i]);
		from = i + 1;
	}
}

static void add_text(struct slice s, bool id, struct buf *out)
{
	while (s.len) {
		size_t len = 0, at = find_card(s, &len);

		add_words(slice_sub(s, 0, at), id, out);
		if (len)
			buf_add_str(out, "{card}");
		s = slice_sub(s, at + len, s.len);
	}
}

/* Nearly every text is one that nothing of this can be true of. */
static bool is_plain(struct slice s)
{
	unsigned run = 0;

	for (size_t i = 0; i < s.len; i++) {
		run = is_break(s.at[i]) ? 0 : run + 1;
		if (run >= 10 || is_digit(s.at[i]) || s.at[i] == '@')
			return false;
	}
	return true;
}

static void strip(struct event_view *v, struct slice *text, bool id)
{
	size_t from = v->scratch.len;
	struct slice made;

	if (!text->len || is_plain(*text))
		return;
	add_text(*text, id, &v->scratch);
	made = slice_sub(buf_slice(&v->scratch), from, v->scratch.len);
	if (slice_eq(made, *text))
		v->scratch.len = from; /* as it was */
	else
		*text = made;
}

static void strip_items(struct event_view *v, const struct item **items, uint32_t *count, bool *cut,
			struct item to[ITEMS_MAX])
{
	*cut |= *count > ITEMS_MAX;
	*count = *count < ITEMS_MAX ? *count : ITEMS_MAX;
	for (uint32_t i = 0; i < *count; i++) {
		to[i] = (*items)[i];
		strip(v, &to[i].id, true);
		strip(v, &to[i].variant, true);
		strip(v, &to[i].name, false);
	}
	*items = to;
}

static void strip_path(struct event_view *v, struct slice *path)
{
	size_t from = v->scratch.len;

	if (!privacy_path_speaks(*path))
		return;
	privacy_path(*path, &v->scratch);
	*path = slice_sub(buf_slice(&v->scratch), from, v->scratch.len);
}

/* ---- parts ---- */

/* Who has a random id may have the cart, but it must name the same cart everywhere. */
static void make_cart_id(struct event_view *v, struct slice *id)
{
	unsigned char sum[SHA256_DIGEST_LENGTH];
	struct buf text = { .at = v->cart_id,
			    .room = sizeof(v->cart_id),
			    .max = sizeof(v->cart_id) };

	if (!id->len || !privacy_is_token(*id)) {
		strip(v, id, true);
		return;
	}
	SHA256((const unsigned char *)id->at, id->len, sum);
	buf_add_str(&text, "sha256:");
	buf_add_hex(&text, sum, 16);
	*id = buf_slice(&text);
}

static void make_cart(struct event_view *v)
{
	v->cart = *v->event.cart;
	v->event.cart = &v->cart;
	make_cart_id(v, &v->cart.id);
	if (v->cart.has_items)
		strip_items(v, &v->cart.items, &v->cart.item_count, &v->cart.items_cut,
			    v->cart_items);
}

static void make_preceded(struct event_view *v, const struct privacy_rules *rules)
{
	struct preceded *p = &v->preceded;

	*p = *v->event.preceded;
	v->event.preceded = p;
	strip_path(v, &p->error_path);
	strip_path(v, &p->slow_path);
	strip(v, &p->reason, false);
	if (privacy_host(p->failed_host, rules->peer_address, v->host))
		p->failed_host = slice_str(v->host);
}

static void make_texts(struct event_view *v)
{
	struct event *e = &v->event;
	struct slice *const texts[] = { &e->payment_status, &e->coupon,	   &e->reason,
					&e->search_term,    &e->list_name, &e->method };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		strip(v, texts[i], false);
	strip(v, &e->transaction_id, true);
	strip(v, &e->order_id, true);
	if (e->item_count)
		strip_items(v, &e->items, &e->item_count, &e->items_cut, v->items);
	for (uint32_t i = 0; i < e->parameter_count; i++) {
		v->parameters[i] = e->parameters[i];
		strip(v, &v->parameters[i].value, false);
	}
	e->parameters = v->parameters;
}

int event_view_make(struct event_view *v, const struct privacy_rules *rules, const struct event *e)
{
	int err;

	v->event = *e;
	if (v->event.parameter_count > EVENT_PARAMETERS)
		v->event.parameter_count = EVENT_PARAMETERS;
	v->event.site = privacy_site(e->site, rules, v->site);
	fact_segment(&v->event.segment, rules, v->source);
	if (rules->mode == PRIVACY_NONE)
		return 0;
	buf_clear(&v->scratch);
	err = buf_reserve(&v->scratch, SCRATCH_BYTES);
	if (err)
		return err;
	make_texts(v);
	if (e->cart)
		make_cart(v);
	if (e->preceded)
		make_preceded(v, rules);
	return v->scratch.failed ? -ENOBUFS : 0;
}

struct slice amount_text(const struct amount *a, char text[AMOUNT_TEXT])
{
	uint64_t units = a->units < 0 ? 0 - (uint64_t)a->units : (uint64_t)a->units;
	size_t at = AMOUNT_TEXT;

	for (unsigned i = 0; i <= a->scale || units; i++) {
		if (i && i == a->scale)
			text[--at] = '.';
		text[--at] = (char)('0' + units % 10);
		units /= 10;
	}
	if (a->units < 0)
		text[--at] = '-';
	return slice_of(text + at, AMOUNT_TEXT - at);
}
