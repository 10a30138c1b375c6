/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.c: `item`, `items` and `cart` of a rule.
 */
#include "journey/rule/file/file.h"

static const struct {
	const char *name;
	enum take_type type;
} fields[ITEM_FIELDS] = {
	[ITEM_ID] = { "item_id", TYPE_TEXT },
	[ITEM_NAME] = { "item_name", TYPE_TEXT },
	[ITEM_VARIANT] = { "item_variant", TYPE_TEXT },
	[ITEM_QUANTITY] = { "quantity", TYPE_QUANTITY },
	[ITEM_PRICE] = { "price", TYPE_AMOUNT },
};

static const struct node *member(const struct node *n, struct slice key)
{
	for (const struct node *m = n->first; m; m = m->next)
		if (slice_eq(m->key->text, key))
			return m;
	return NULL;
}

static void item_key(struct parse *p, const struct node *n, bool listed, struct items_take *take)
{
	static const char *const list[] = { "item_id", "item_name", "item_variant", "quantity",
					    "price",   "each",	    "where",	    NULL };

	if (slice_eq(n->key->text, SLICE("each")))
		return;
	if (slice_eq(n->key->text, SLICE("where"))) {
		if (listed)
			take->where = conditions_read(p, n);
		else
			file_error(p->f, n->key, "`where` chooses among `items`");
		return;
	}
	for (unsigned i = 0; i < ITEM_FIELDS; i++)
		if (slice_eq(n->key->text, slice_str(fields[i].name))) {
			take->field[i] = value_read(p, n, fields[i].type, false);
			return;
		}
	file_unknown(p->f, n->key, "value of an item", n->key->text, list);
}

const struct items_take *items_take_read(struct parse *p, const struct node *n, bool listed)
{
	struct items_take *take = file_alloc(p->f, sizeof(*take));
	const struct node *each_node;
	struct each each;

	if (!take || !group_is(p->f, n, "values of an item, such as `item_id`"))
		return take;
	take->listed = listed;
	each_node = member(n, SLICE("each"));
	if (listed && !each_node) {
		file_error(p->f, n->key,
			   "`items` is a list: `each` says what there is one of for each item; one "
			   "item alone is `item`");
		return take;
	}
	if (!listed && each_node)
		file_error(p->f, each_node->key, "one `item` has no `each`: a list is `items`");
	if (listed) {
		if (!node_text(p->f, each_node, "what there is one of for each item") ||
		    !source_each(p, each_node, take, &each))
			return take;
		p->each = &each;
	}
	group_each(p->f, n, m)
	{
		item_key(p, m, listed, take);
	}
	p->each = NULL;
	return take;
}

const struct cart_take *cart_take_read(struct parse *p, const struct node *n)
{
	static const char *const list[] = { "id", "value", "quantity", "items", "empty", NULL };
	struct cart_take *cart = file_alloc(p->f, sizeof(*cart));

	if (!cart || !group_is(p->f, n, "values of a cart, such as `value`"))
		return cart;
	group_each(p->f, n, m)
	{
		struct slice key = m->key->text;

		if (slice_eq(key, SLICE("id")))
			cart->id = value_read(p, m, TYPE_TEXT, false);
		else if (slice_eq(key, SLICE("value")))
			cart->value = value_read(p, m, TYPE_AMOUNT, false);
		else if (slice_eq(key, SLICE("quantity")))
			cart->quantity = value_read(p, m, TYPE_QUANTITY, false);
		else if (slice_eq(key, SLICE("items")))
			cart->items = items_take_read(p, m, true);
		else if (slice_eq(key, SLICE("empty")))
			cart->empty = conditions_read(p, m);
		else
			file_unknown(p->f, m->key, "value of a cart", key, list);
	}
	return cart;
}
