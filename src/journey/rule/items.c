/* SPDX-License-Identifier: Apache-2.0 */
/*
 * items.c: lines of a cart, list or order. Each value of `each` is one; a field belongs to it when its value
 * has the same indices as far as those of `each` go. A list is known to be empty only where its array or
 * object was seen, and all that it could have had in it.
 */
#include "journey/rule/inside.h"

/* False: nothing of it is there, or a required field is not. */
static bool item_read(struct reader *r, const struct items_take *take, struct item *ret)
{
	const struct take *const *f = take->field;
	struct slice *const texts[] = { &ret->id, &ret->name, &ret->variant };
	bool before = r->missed, any = false;

	*ret = (struct item){ 0 };
	r->missed = false;
	for (unsigned i = ITEM_ID; i <= ITEM_VARIANT; i++)
		any |= f[i] && read_text(r, f[i], texts[i - ITEM_ID]) == GOT;
	if (f[ITEM_QUANTITY])
		ret->has_quantity = read_amount(r, f[ITEM_QUANTITY], &ret->quantity) == GOT;
	if (f[ITEM_PRICE])
		ret->has_price = read_amount(r, f[ITEM_PRICE], &ret->price) == GOT;
	any |= ret->has_price || (ret->has_quantity && take->listed);
	any &= !r->missed;
	/* one line less is a list that is cut; the one item of an event is that event's */
	r->missed = before || (r->missed && !take->listed);
	return any;
}

static bool container_seen(struct reader *r, const struct items_take *take)
{
	struct cursor c = { 0 };
	struct found v;

	if (!take->has_container)
		return false;
	while (look_next(r->look, &take->container, NULL, 0, &c, &v))
		if (v.kind == TAKEN_ARRAY || v.kind == TAKEN_OBJECT)
			return true;
	return false;
}

static void list_read(struct reader *r, const struct items_take *take, struct item *room,
		      struct items *ret)
{
	struct cursor c = { 0 };
	const uint32_t *before = NULL;
	struct found v;

	r->slots = take->each.slots;
	while (look_next(r->look, &take->each, NULL, 0, &c, &v)) {
		enum truth wanted;

		if (v.kind == TAKEN_NULL)
			continue;
		r->item = look_value(r->look, take->each.wish->request, v.value)->index;
		if (before && memcmp(before, r->item, r->slots * sizeof(*before)) == 0)
			continue;
		before = r->item;
		wanted = conditions_hold(r->look, take->where, r->item, r->slots);
		if (wanted == NO)
			continue;
		if (wanted == OPEN || ret->count == ITEMS_MAX ||
		    !item_read(r, take, &room[ret->count]))
			ret->cut = true;
		else
			ret->count++;
		if (ret->count == ITEMS_MAX && ret->cut)
			break;
	}
	r->item = NULL;
	r->slots = 0;
	ret->cut |= look_seen(r->look, &take->each) != SEEN_WHOLE;
	ret->shown = ret->count || (!ret->cut && container_seen(r, take));
}

void items_read(struct reader *r, const struct items_take *take, struct item *room,
		struct items *ret)
{
	*ret = (struct items){ .at = room };
	if (take->listed) {
		list_read(r, take, room, ret);
		return;
	}
	ret->count = item_read(r, take, room);
	ret->shown = ret->count;
}
