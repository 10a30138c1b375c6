/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say.c: rules and a whole transaction → what they say of it. Of a batch of GraphQL operations each is looked
 * at by itself: what a rule asks and takes of them is of the same one.
 */
#include "journey/rule/inside.h"

struct saying {
	struct rules *rules;
	struct look *look;
	const struct rules_sink *sink;
	uint32_t said;			  /* 1 << enum say */
	struct slice own[PARAMETERS / 4]; /* names of the site's own that were */
	uint32_t owns;
	/* marks of the values of one want, which mostly all rules of an address ask for */
	bool marked, marked_request;
	uint32_t want, marks;
	uint32_t mark[ORDINALS];
};

#define MARKS_UNKNOWN UINT32_MAX

/* Of one kind only the first rule is told; beyond the room, of names of the site's own, all. */
static bool is_said(const struct saying *y, const struct rule *rule)
{
	if (rule->say != SAY_OWN)
		return y->said >> rule->say & 1;
	for (uint32_t i = 0; i < y->owns; i++)
		if (slice_eq(y->own[i], rule->own))
			return true;
	return false;
}

static void note_said(struct saying *y, const struct rule *rule)
{
	if (rule->say != SAY_OWN)
		y->said |= 1u << rule->say;
	else if (y->owns < sizeof(y->own) / sizeof(y->own[0]))
		y->own[y->owns++] = rule->own;
}

/* ---- values ---- */

static void take_amounts(struct reader *r, const struct rule *rule, struct said *s)
{
	static const uint32_t bits[] = { SAID_VALUE, SAID_TAX, SAID_SHIPPING, SAID_DISCOUNT,
					 SAID_ITEMS_VALUE };
	struct amount *const at[] = { &s->value, &s->tax, &s->shipping, &s->discount,
				      &s->items_value };

	for (unsigned i = FIELD_VALUE; i <= FIELD_ITEMS_VALUE; i++)
		if (rule->take[i] && read_amount(r, rule->take[i], at[i - FIELD_VALUE]) == GOT)
			s->has |= bits[i - FIELD_VALUE];
}

static void take_texts(struct reader *r, const struct rule *rule, struct said *s)
{
	struct slice *const at[] = { &s->transaction_id, &s->order_id, &s->payment_status,
				     &s->coupon,	 &s->reason,   &s->search_term,
				     &s->list_name,	 &s->method };
	const struct take *basis = rule->take[FIELD_TAX_BASIS];
	struct slice text;

	for (unsigned i = FIELD_TRANSACTION_ID; i < SAID_FIELDS; i++)
		if (rule->take[i])
			read_text(r, rule->take[i], at[i - FIELD_TRANSACTION_ID]);
	if (!basis || read_text(r, basis, &text) != GOT)
		return;
	for (unsigned b = TAX_UNKNOWN; b <= TAX_EXCLUDED; b++)
		if (slice_eq(text, slice_str(tax_basis_name((enum tax_basis)b))))
			s->tax_basis = (enum tax_basis)b;
}

static void take_parameters(struct reader *r, const struct rule *rule, struct said *s)
{
	struct parameter *at = r->look->rules->parameter;

	s->parameters = at;
	for (const struct take *t = rule->own_takes; t; t = t->next) {
		at[s->parameter_count].name = t->name;
		if (read_any(r, t, &at[s->parameter_count].value) == GOT)
			s->parameter_count++;
	}
}

static void take_items(struct reader *r, const struct rule *rule, struct said *s)
{
	struct items list;

	if (!rule->items)
		return;
	items_read(r, rule->items, r->look->rules->items[0], &list);
	s->items = list.at;
	s->item_count = list.count;
	s->items_cut = list.cut;
}

static void take_cart(struct reader *r, const struct rule *rule, struct cart_shown *cart,
		      struct said *s)
{
	const struct cart_take *take = rule->cart;
	struct items list = { 0 };
	bool empty;

	*cart = (struct cart_shown){ 0 };
	if (!take)
		return;
	if (take->id)
		read_text(r, take->id, &cart->id);
	if (take->value)
		cart->has_value = read_amount(r, take->value, &cart->value) == GOT;
	if (take->quantity)
		cart->has_quantity = read_amount(r, take->quantity, &cart->quantity) == GOT;
	if (take->items)
		items_read(r, take->items, r->look->rules->items[1], &list);
	cart->has_items = list.shown;
	cart->items = list.at;
	cart->item_count = list.count;
	cart->items_cut = list.cut;
	empty = (take->empty && conditions_hold(r->look, take->empty, NULL, 0) == YES) ||
		(cart->has_quantity && !cart->quantity.units) || (list.shown && !list.count);
	s->cart_is_empty = empty && !list.count;
	if (cart->id.len || cart->has_value || cart->has_quantity || list.shown || s->cart_is_empty)
		s->cart = cart;
}

/* Of the whole, where the rule does not say: that of the first amount which has one. */
static void decide_currency(const struct reader *r, struct said *s)
{
	const struct amount *at[] = { s->has & SAID_VALUE ? &s->value : NULL,
				      s->cart && s->cart->has_value ? &s->cart->value : NULL };

	memcpy(s->currency, r->currency, sizeof(s->currency));
	for (unsigned i = 0; i < 2 && !s->currency[0]; i++)
		if (at[i])
			memcpy(s->currency, at[i]->currency, sizeof(s->currency));
	for (uint32_t i = 0; i < s->item_count && !s->currency[0]; i++)
		if (s->items[i].has_price)
			memcpy(s->currency, s->items[i].price.currency, sizeof(s->currency));
}

/* Values that found no room are missing as those of a hole are. */
static uint32_t flags_of_reading(const struct reading *r)
{
	if (!r->opened)
		return 0;
	return r->flags | (uint32_t)r->values_lost << BODY_MEMORY |
	       (uint32_t)(r->count > RULES_VALUES) << BODY_CUT_VALUES;
}

static uint32_t flags_of(const struct look *l, const struct rule *rule)
{
	uint32_t flags = 0;

	if (rule->wants[1])
		flags |= flags_of_reading(&l->t->request.reading);
	if (rule->wants[0])
		flags |= flags_of_reading(&l->t->response.reading);
	return flags;
}

static void tell(struct saying *y, const struct rule *rule)
{
	struct look *l = y->look;
	struct reader r = { .look = l, .rule = rule, .sink = y->sink };
	struct said s = { .say = rule->say,
			  .name = rule->own,
			  .rule = rule->name,
			  .t = l->t,
			  .at_ns = l->t->start_ns,
			  .flags = flags_of(l, rule) };
	struct cart_shown cart;

	if (rule->take[FIELD_CURRENCY])
		read_currency(&r, rule->take[FIELD_CURRENCY]);
	take_amounts(&r, rule, &s);
	take_texts(&r, rule, &s);
	take_parameters(&r, rule, &s);
	take_items(&r, rule, &s);
	take_cart(&r, rule, &cart, &s);
	if (r.missed)
		return;
	decide_currency(&r, &s);
	note_said(y, rule);
	y->sink->said(y->sink->ctx, &s);
}

/* ---- rules ---- */

static void look_at(struct saying *y, const struct rule *rule)
{
	struct look *l = y->look;
	enum truth heads = rule_holds(l, rule), all;
	bool open = false;

	if (heads == NO)
		return;
	if (rule->group && l->group != rule->group)
		look_contents(l, rule->group);
	for (l->ordinal = 0; l->ordinal < (rule->batch ? l->ordinals : 1); l->ordinal++) {
		size_t used = y->rules->room_used;

		all = conditions_hold(l, rule->content, NULL, 0);
		if (all == NO)
			continue;
		if (heads == OPEN || all == OPEN) {
			open = true;
			continue;
		}
		if (!is_said(y, rule))
			tell(y, rule);
		else if (y->sink->overlapped && !l->ordinal)
			y->sink->overlapped(y->sink->ctx, rule->number);
		y->rules->room_used = used;
	}
	if (open && y->sink->undecided)
		y->sink->undecided(y->sink->ctx, rule->number);
}

/* Of what was not seen whole, or of too many values, nothing is known by marks. */
static void mark_values(struct saying *y, bool request, uint32_t want)
{
	struct look *l = y->look;
	uint32_t at = l->values[request] ? y->rules->first[request][want] : UINT32_MAX;

	y->marked = true;
	y->marked_request = request;
	y->want = want;
	y->marks = l->seen[request] == SEEN_WHOLE ? 0 : MARKS_UNKNOWN;
	for (; at != UINT32_MAX && y->marks != MARKS_UNKNOWN; at = y->rules->next[request][at]) {
		const struct reading_value *v = look_value(l, request, at);

		if (v->cut || v->kind == TAKEN_TRUE || v->kind == TAKEN_FALSE ||
		    y->marks == ORDINALS)
			y->marks = MARKS_UNKNOWN;
		else
			y->mark[y->marks++] = segment_mark(v->text);
	}
}

/* False: none of the values is the text that the rule asks for. */
static bool text_may_be(struct saying *y, const struct entry *e)
{
	const struct group *g = y->rules->rule[e->rule]->group;

	if (y->look->group != g) {
		look_contents(y->look, g);
		y->marked = false;
	}
	if (!y->marked || y->want != e->want || y->marked_request != e->of_request)
		mark_values(y, e->of_request, e->want);
	if (y->marks == MARKS_UNKNOWN)
		return true;
	for (uint32_t i = 0; i < y->marks; i++)
		if (y->mark[i] == e->text_mark)
			return true;
	return false;
}

void rules_say(struct rules *r, const struct transaction *t, const struct rules_sink *sink)
{
	struct saying y = { .rules = r, .look = &r->look, .sink = sink };
	const struct bucket *b;

	look_init(&r->look, r, t);
	b = look_bucket(&r->look);
	if (!b->count)
		return;
	r->look.method = look_method(t);
	look_path(&r->look, b);
	for (uint32_t i = 0; i < b->count; i++) {
		const struct entry *e = &b->entry[i];

		if (look_entry(&r->look, e) &&
		    (!(e->of_request || e->of_response) || text_may_be(&y, e)))
			look_at(&y, r->rule[e->rule]);
	}
}
