/* SPDX-License-Identifier: Apache-2.0 */
/*
 * take.c: which values a rule takes. A value is a source, a list of sources (the first that has something),
 * or a group: `from` and how it is to be read. GA4's names have their kind of value; those of an event of the
 * site's own say it by `type`.
 */
#include <stdio.h>

#include "journey/rule/file/file.h"

static const struct {
	const char *name;
	enum take_type type;
} fields[SAID_FIELDS] = {
	[FIELD_VALUE] = { "value", TYPE_AMOUNT },
	[FIELD_TAX] = { "tax", TYPE_AMOUNT },
	[FIELD_SHIPPING] = { "shipping", TYPE_AMOUNT },
	[FIELD_DISCOUNT] = { "discount", TYPE_AMOUNT },
	[FIELD_ITEMS_VALUE] = { "items_value", TYPE_AMOUNT },
	[FIELD_CURRENCY] = { "currency", TYPE_TEXT },
	[FIELD_TAX_BASIS] = { "tax_basis", TYPE_TEXT },
	[FIELD_TRANSACTION_ID] = { "transaction_id", TYPE_TEXT },
	[FIELD_ORDER_ID] = { "order_id", TYPE_TEXT },
	[FIELD_PAYMENT_STATUS] = { "payment_status", TYPE_TEXT },
	[FIELD_COUPON] = { "coupon", TYPE_TEXT },
	[FIELD_REASON] = { "reason", TYPE_TEXT },
	[FIELD_SEARCH_TERM] = { "search_term", TYPE_TEXT },
	[FIELD_LIST_NAME] = { "item_list_name", TYPE_TEXT },
	[FIELD_METHOD_NAME] = { "method", TYPE_TEXT },
};

#define SOURCES_MAX 8
#define ISO	    3

/* ---- how amounts are written ---- */

static bool iso(struct slice s, char ret[4])
{
	if (s.len != ISO || s.at[0] < 'A' || s.at[0] > 'Z')
		return false;
	memcpy(ret, s.at, ISO);
	ret[ISO] = 0;
	return amount_minor_digits(ret) >= 0;
}

static bool currency(struct parse *p, const struct node *n, struct hint *ret)
{
	struct source *s;

	if (!node_text(p->f, n, "a currency such as EUR, or where it stands"))
		return true;
	ret->has_currency = iso(n->text, ret->currency);
	ret->currency_from = NULL;
	if (ret->has_currency)
		return true;
	if (n->text.len == ISO) {
		file_error(p->f, n, "no currency: %.3s; write a code of ISO 4217 such as EUR",
			   n->text.at);
		return true;
	}
	if (!p->rule) {
		file_error(
			p->f, n,
			"for a whole file only a code of ISO 4217, such as EUR; where it stands is "
			"said by `currency` in the `take` of a rule");
		return true;
	}
	s = file_alloc(p->f, sizeof(*s));
	if (s && source_read(p, n, n->text, s))
		ret->currency_from = s;
	return true;
}

static void scale(struct parse *p, const struct node *n, struct hint *ret)
{
	uint64_t v;

	if (n->kind == NODE_VALUE && slice_eq(n->text, SLICE("minor")))
		ret->scale = SCALE_MINOR;
	else if (n->kind == NODE_VALUE && !slice_u64(n->text, &v) && v <= AMOUNT_SCALE_MAX)
		ret->scale = (int)v;
	else
		file_error(p->f, n,
			   "expected how many of the digits are decimals (scale: 2: 1999 is "
			   "19.99), or "
			   "minor: as many as the currency has");
}

bool hint_key(struct parse *p, const struct node *n, struct hint *ret)
{
	if (slice_eq(n->key->text, SLICE("currency")))
		return currency(p, n, ret);
	if (slice_eq(n->key->text, SLICE("scale"))) {
		scale(p, n, ret);
		return true;
	}
	if (!slice_eq(n->key->text, SLICE("decimal")))
		return false;
	if (n->kind == NODE_VALUE && n->text.len == 1 && memchr(".,", n->text.at[0], 2))
		ret->decimal = n->text.at[0];
	else
		file_error(p->f, n, "expected what stands before the decimals: \".\" or \",\"");
	return true;
}

/* ---- one value ---- */

struct value_reader {
	struct parse *p;
	const struct node *n;
	struct take *take;
	struct source from[SOURCES_MAX];
	bool own, amounts; /* own: `type` may be given; amounts: scale, currency or decimal was */
};

static bool add_source(struct value_reader *v, const struct node *n)
{
	struct slice text = n->text;

	if (!node_text(v->p->f, n, "where the value stands, such as `json $.total`"))
		return false;
	if (v->take->count == SOURCES_MAX) {
		file_error(v->p->f, n, "more than %d sources of one value", SOURCES_MAX);
		return false;
	}
	return source_read(v->p, n, text, &v->from[v->take->count++]);
}

static bool add_sources(struct value_reader *v, const struct node *n)
{
	bool all = true;

	if (n->kind != NODE_LIST)
		return add_source(v, n);
	if (!n->first)
		file_error(v->p->f, n, "an empty list: write where the value stands");
	for (const struct node *i = n->first; i; i = i->next)
		all &= add_source(v, i);
	return all && n->first;
}

static bool type(struct value_reader *v, const struct node *n)
{
	static const char *const types[] = {
		[TYPE_TEXT] = "text",	      [TYPE_INTEGER] = "integer", [TYPE_AMOUNT] = "amount",
		[TYPE_QUANTITY] = "quantity", [TYPE_BOOLEAN] = "boolean", NULL,
	};

	if (!node_text(v->p->f, n, "text, integer, amount or boolean"))
		return false;
	for (unsigned i = 0; types[i]; i++)
		if (slice_eq(n->text, slice_str(types[i]))) {
			if (!v->own && i != v->take->type)
				file_error(
					v->p->f, n,
					"%.*s is of type %s; only the names of a site's own have "
					"the type that is written",
					(int)v->take->name.len, v->take->name.at,
					types[v->take->type]);
			v->take->type = v->own ? (enum take_type)i : v->take->type;
			return true;
		}
	file_unknown(v->p->f, n, "type", n->text, types);
	return false;
}

static bool pick(struct value_reader *v, const struct node *n)
{
	static const char *const picks[] = { [PICK_ONLY] = "only",
					     [PICK_FIRST] = "first",
					     [PICK_LAST] = "last",
					     [PICK_SUM] = "sum",
					     NULL };

	if (!node_text(v->p->f, n, "only, first, last or sum"))
		return false;
	for (unsigned i = 0; picks[i]; i++)
		if (slice_eq(n->text, slice_str(picks[i]))) {
			v->take->pick = (enum pick)i;
			return true;
		}
	file_unknown(v->p->f, n, "pick", n->text, picks);
	return false;
}

static bool value_key(struct value_reader *v, const struct node *n)
{
	static const char *const list[] = { "from",  "type", "scale",	 "currency", "decimal",
					    "match", "pick", "required", "default",  NULL };
	struct slice key = n->key->text;

	if (slice_eq(key, SLICE("from")))
		return add_sources(v, n);
	if (slice_eq(key, SLICE("type")))
		return type(v, n);
	if (slice_eq(key, SLICE("pick")))
		return pick(v, n);
	if (slice_eq(key, SLICE("required")))
		return file_bool(v->p->f, n, &v->take->required);
	if (slice_eq(key, SLICE("match"))) {
		v->take->regex = file_regex(v->p, n);
		return v->take->regex;
	}
	if (slice_eq(key, SLICE("default"))) {
		v->take->default_ = n->text;
		return node_text(v->p->f, n, "what the value is where there is none");
	}
	if (hint_key(v->p, n, &v->take->hint)) {
		v->amounts = true;
		return true;
	}
	file_unknown(v->p->f, n->key, "key", key, list);
	return false;
}

static bool agrees(struct value_reader *v)
{
	const struct take *t = v->take;
	struct amount a;
	const struct amount_hint hint = { .decimal = '.' };
	bool amount = t->type == TYPE_AMOUNT || t->type == TYPE_QUANTITY;

	if (!t->count) {
		file_error(v->p->f, v->n, "%.*s: expected `from`: where the value stands",
			   (int)t->name.len, t->name.at);
		return false;
	}
	if (t->required && t->default_.at) {
		file_error(v->p->f, v->n,
			   "required and default contradict each other: with a default there is "
			   "always a value");
		return false;
	}
	if (v->amounts && !amount) {
		file_error(v->p->f, v->n, "scale, currency and decimal are for amounts%s",
			   v->own ? ": write type: amount" : "");
		return false;
	}
	if (t->pick == PICK_SUM && !amount) {
		file_error(v->p->f, v->n, "sum is for amounts%s",
			   v->own ? ": write type: amount" : "");
		return false;
	}
	if (amount && t->default_.at && amount_read(t->default_, &hint, &a)) {
		file_error(v->p->f, v->n, "default: expected a number such as 1 or 0.50");
		return false;
	}
	return true;
}

/* EUR, incl: what needs no source where nothing else can stand. */
static bool is_word(struct value_reader *v, const struct node *n)
{
	char code[4];
	bool known = false;

	if (n->kind != NODE_VALUE || v->own)
		return false;
	if (slice_eq(v->take->name, SLICE("currency")))
		known = iso(n->text, code);
	if (slice_eq(v->take->name, SLICE("tax_basis")))
		for (unsigned b = TAX_UNKNOWN; b <= TAX_EXCLUDED; b++)
			known |= slice_eq(n->text, slice_str(tax_basis_name((enum tax_basis)b)));
	if (known)
		v->from[v->take->count++] = (struct source){ FROM_CONSTANT, .name = n->text };
	return known;
}

const struct take *value_read(struct parse *p, const struct node *n, enum take_type kind, bool own)
{
	struct value_reader v = { .p = p, .n = n, .own = own };
	struct source *from;
	bool fine = true;

	v.take = file_alloc(p->f, sizeof(*v.take));
	if (!v.take)
		return NULL;
	v.take->name = n->key->text;
	v.take->type = kind;
	v.take->hint = p->hint;
	if (n->kind != NODE_GROUP) {
		fine = is_word(&v, n) || add_sources(&v, n);
	} else {
		fine = group_is(p->f, n, "`from` and how it is read");
		if (fine)
			group_each(p->f, n, m) fine &= value_key(&v, m);
	}
	if (!fine || !agrees(&v))
		return NULL;
	from = file_alloc(p->f, v.take->count * sizeof(*from));
	if (!from)
		return NULL;
	memcpy(from, v.from, v.take->count * sizeof(*from));
	v.take->from = from;
	return v.take;
}

/* ---- all of them ---- */

static bool is_own_name(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c != '_' &&
		    !(i && ((c >= '0' && c <= '9') || c == '.')))
			return false;
	}
	return s.len && s.len <= 64;
}

static void own_value(struct parse *p, const struct node *n, uint32_t *count)
{
	struct take *t, **end = (struct take **)(uintptr_t)&p->rule->own_takes;

	if (!is_own_name(n->key->text)) {
		file_error(
			p->f, n->key,
			"a name has letters, digits, '_' and '.', begins with a letter, and is not "
			"longer than 64");
		return;
	}
	if ((*count)++ == PARAMETERS) {
		file_error(p->f, n->key, "more than %d values of a site's own in one rule",
			   PARAMETERS);
		return;
	}
	t = (struct take *)(uintptr_t)value_read(p, n, TYPE_TEXT, true);
	while (*end)
		end = (struct take **)(uintptr_t) & (*end)->next;
	*end = t;
}

static void unknown_name(struct parse *p, const struct node *n)
{
	const char *list[SAID_FIELDS + 4];
	unsigned count = 0;

	for (; count < SAID_FIELDS; count++)
		list[count] = fields[count].name;
	list[count++] = "item";
	list[count++] = "items";
	list[count++] = "cart";
	list[count] = NULL;
	file_unknown(p->f, n->key, "value", n->key->text, list);
}

static void take_key(struct parse *p, const struct node *n, uint32_t *own)
{
	struct rule *rule = p->rule;
	struct slice key = n->key->text;
	bool items = slice_eq(key, SLICE("items"));

	if (items || slice_eq(key, SLICE("item"))) {
		if (rule->items)
			file_error(p->f, n->key,
				   "`item` is one, `items` a list: write one of them");
		rule->items = items_take_read(p, n, items);
		return;
	}
	if (slice_eq(key, SLICE("cart"))) {
		rule->cart = cart_take_read(p, n);
		return;
	}
	for (unsigned i = 0; i < SAID_FIELDS; i++)
		if (slice_eq(key, slice_str(fields[i].name))) {
			rule->take[i] = value_read(p, n, fields[i].type, false);
			return;
		}
	if (rule->say == SAY_OWN)
		own_value(p, n, own);
	else
		unknown_name(p, n);
}

void take_read(struct parse *p, const struct node *n)
{
	uint32_t own = 0;

	if (group_is(p->f, n, "names and where their values stand"))
		group_each(p->f, n, m) take_key(p, m, &own);
}
