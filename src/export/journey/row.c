/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row.c: rows of type `event` and `definition`, in the order of share/schema.md. What was not observed is absent.
 * Amounts are decimals as strings, so that no reader makes them floating point; quantities are numbers.
 */
#include "base/json.h"
#include "export/journey.h"
#include "export/segment.h"
#include "txn/body/body.h"

static void put_text(struct json *j, const char *key, struct slice value)
{
	if (value.at)
		json_key_string(j, key, value);
}

static void put_str(struct json *j, const char *key, const char *value)
{
	if (value && value[0])
		json_key_string(j, key, slice_str(value));
}

static void put_true(struct json *j, const char *key, bool value)
{
	if (!value)
		return;
	json_key(j, key);
	json_bool(j, true);
}

static void put_hex(struct json *j, const char *key, const uint8_t *id, size_t len)
{
	char text[2 * KEY_BYTES];

	for (size_t i = 0; i < 2 * len; i++)
		text[i] = "0123456789abcdef"[id[i / 2] >> (i % 2 ? 0 : 4) & 15];
	json_key_string(j, key, slice_of(text, 2 * len));
}

static void put_amount(struct json *j, const char *key, const struct amount *a)
{
	char text[AMOUNT_TEXT];

	json_key_string(j, key, amount_text(a, text));
}

/* The decimal as it is: JSON's numbers have no bound of their own. */
static void put_quantity(struct json *j, const struct amount *a)
{
	char text[AMOUNT_TEXT];

	json_key(j, "quantity");
	json_number(j, amount_text(a, text));
}

static void put_items(struct json *j, const struct item *items, uint32_t count)
{
	json_key(j, "items");
	json_array(j);
	for (uint32_t i = 0; i < count; i++) {
		const struct item *item = &items[i];

		json_object(j);
		put_text(j, "item_id", item->id);
		put_text(j, "item_name", item->name);
		put_text(j, "item_variant", item->variant);
		if (item->has_quantity)
			put_quantity(j, &item->quantity);
		if (item->has_price)
			put_amount(j, "price", &item->price);
		json_end(j);
	}
	json_end(j);
}

static void put_cart(struct json *j, const struct cart_state *c)
{
	json_key(j, "parcours.cart");
	json_object(j);
	put_text(j, "id", c->id);
	if (c->has_value)
		put_amount(j, "value", &c->value);
	if (c->has_value)
		put_str(j, "currency", c->value.currency);
	if (c->has_quantity)
		put_quantity(j, &c->quantity);
	if (c->has_items)
		put_items(j, c->items, c->item_count);
	put_true(j, "items_cut", c->items_cut);
	json_end(j);
}

static void put_preceded(struct json *j, const struct preceded *p)
{
	json_key(j, "preceded");
	json_object(j);
	if (p->error_status) {
		json_key_u64(j, "error_status", p->error_status);
		put_text(j, "error_path", p->error_path);
	}
	if (p->slow_lived_ns) {
		json_key_u64(j, "slow_lived_ns", p->slow_lived_ns);
		put_text(j, "slow_path", p->slow_path);
	}
	put_true(j, "cart_refused", p->cart_refused);
	put_true(j, "payment_refused", p->payment_refused);
	put_text(j, "reason", p->reason);
	put_text(j, "failed_host", p->failed_host);
	json_end(j);
}

/* Of a cart's own facts. */
static void put_state(struct json *j, const struct event *e)
{
	const struct cart_state *c = e->cart;

	put_str(j, "step", step_name(c->step));
	put_str(j, "condition", cart_condition_name(c->condition));
	if (e->kind == EVENT_CART_ABANDONED)
		put_str(j, "end_reason", end_reason_name(e->end_reason));
	if (c->opened_unix_ns)
		json_key_u64(j, "opened_unix_nano", c->opened_unix_ns);
	json_key_u64(j, "last_activity_unix_nano", c->last_activity_unix_ns);
	put_true(j, "recovered", c->recovered);
	if (e->kind == EVENT_CART_ABANDONED && preceded_any(e->preceded))
		put_preceded(j, e->preceded);
}

static void put_money(struct json *j, const struct event *e)
{
	const struct {
		uint32_t bit;
		const char *key;
		const struct amount *amount;
	} amounts[] = {
		{ SAID_VALUE, "value", &e->value },
		{ SAID_TAX, "tax", &e->tax },
		{ SAID_SHIPPING, "shipping", &e->shipping },
		{ SAID_DISCOUNT, "discount", &e->discount },
		{ SAID_ITEMS_VALUE, "parcours.items_value", &e->items_value },
	};

	put_str(j, "currency", e->currency);
	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
		if (e->has & amounts[i].bit)
			put_amount(j, amounts[i].key, amounts[i].amount);
	if (e->has)
		put_str(j, "parcours.tax_basis", tax_basis_name(e->tax_basis));
}

static void put_words(struct json *j, const struct event *e)
{
	put_text(j, "transaction_id", e->transaction_id);
	put_text(j, "parcours.order.id", e->order_id);
	put_text(j, "payment_status", e->payment_status);
	put_text(j, "coupon", e->coupon);
	put_text(j, "reason", e->reason);
	put_text(j, "search_term", e->search_term);
	put_text(j, "item_list_name", e->list_name);
	put_text(j, "method", e->method);
}

static void put_parameters(struct json *j, const struct event *e)
{
	if (!e->parameter_count)
		return;
	json_key(j, "parameters");
	json_array(j);
	for (uint32_t i = 0; i < e->parameter_count; i++) {
		json_object(j);
		json_key_string(j, "name", e->parameters[i].name);
		json_key_string(j, "value", e->parameters[i].value);
		json_end(j);
	}
	json_end(j);
}

static void put_flags(struct json *j, uint32_t flags)
{
	if (!flags)
		return;
	json_key(j, "parcours.body.flags");
	json_array(j);
	for (unsigned f = 0; f < BODY_FLAGS; f++)
		if (flags & 1u << f)
			json_string(j, slice_str(body_flag_name((enum body_flag)f)));
	json_end(j);
}

static void put_segment(struct json *j, const struct segment *s)
{
	struct segment_attribute at[SEGMENT_ATTRIBUTES];
	unsigned n = segment_attributes(s, SEGMENT_ROW, at);

	for (unsigned i = 0; i < n; i++) {
		json_key(j, at[i].key.at); /* literals, so they end with NUL */
		if (at[i].value.at)
			json_string(j, at[i].value);
		else
			json_bool(j, true);
	}
}

static void put_proof(struct json *j, const struct event *e)
{
	if (e->has_session) {
		put_hex(j, "session.id", e->session_id, KEY_BYTES);
		put_hex(j, "parcours.key", e->session_key, KEY_BYTES);
	}
	put_text(j, "parcours.site", e->site);
	put_hex(j, "parcours.event_id", e->event_id, KEY_BYTES);
	json_key_u64(j, "revision", e->revision);
	if (e->has_span) {
		put_hex(j, "trace_id", e->trace_id, sizeof(e->trace_id));
		put_hex(j, "span_id", e->span_id, sizeof(e->span_id));
	}
	put_str(j, "source", e->source == SOURCE_RULE ? "rule" : "recogniser");
	put_str(j, "confidence", e->confidence == CONFIDENCE_CERTAIN ? "certain" : "candidate");
	put_str(j, "parcours.rule", e->rule);
	put_true(j, "again", e->again);
}

void event_row(struct buf *out, const struct event *e)
{
	struct json j;

	json_init(&j, out);
	json_object(&j);
	json_key_string(&j, "type", SLICE("event"));
	json_key_string(&j, "event_name", event_name(e));
	json_key_u64(&j, "time_unix_nano", e->time_unix_ns);
	put_proof(&j, e);
	put_money(&j, e);
	put_words(&j, e);
	if (e->item_count)
		put_items(&j, e->items, e->item_count);
	put_true(&j, "items_cut", e->items_cut);
	put_true(&j, "parcours.from_cart", e->from_cart);
	if (e->cart)
		put_cart(&j, e->cart);
	if (e->cart && (e->kind == EVENT_CART || e->kind == EVENT_CART_ABANDONED))
		put_state(&j, e);
	put_parameters(&j, e);
	put_flags(&j, e->flags);
	put_segment(&j, &e->segment);
	json_end(&j);
	buf_add_byte(out, '\n');
}

/* ---- definitions ---- */

static void put_steps(struct json *j, const struct funnel *f)
{
	json_key(j, "steps");
	json_array(j);
	for (uint32_t i = 0; i < f->step_count; i++) {
		const struct funnel_step *s = &f->steps[i];

		json_object(j);
		put_str(j, "name", s->name);
		put_str(j, "event", s->event);
		if (s->pages && *s->pages) {
			json_key(j, "pages");
			json_array(j);
			for (const char *const *p = s->pages; *p; p++)
				json_string(j, slice_str(*p));
			json_end(j);
		}
		json_end(j);
	}
	json_end(j);
}

static void put_objective(struct json *j, const struct objective *o)
{
	put_str(j, "journey", o->funnel->name);
	put_str(j, "step", o->step->name);
	json_key(j, "pages");
	json_array(j);
	for (const char *const *p = o->step->pages; p && *p; p++)
		json_string(j, slice_str(*p));
	json_end(j);
	put_str(j, "parcours.device", o->device);
	put_str(j, "geo.country.iso_code", o->country);
	put_str(j, "parcours.touchpoint", o->touchpoint);
	put_str(j, "parcours.customer.class", o->customer);
	put_str(j, "parcours.visitor", o->visitor);
	put_str(j, "parcours.channel", o->channel);
	json_key_u64(j, "under_ns", o->under_ns);
	json_key_u64(j, "share_ppm", o->share_ppm);
}

void definition_row(struct buf *out, const struct definition *d)
{
	const struct funnel *f = d->objective ? d->objective->funnel : d->funnel;
	struct json j;

	json_init(&j, out);
	json_object(&j);
	json_key_string(&j, "type", SLICE("definition"));
	put_hex(&j, "parcours.event_id", d->event_id, KEY_BYTES);
	json_key_u64(&j, "revision", d->revision);
	json_key_u64(&j, "time_unix_nano", d->time_unix_ns);
	put_str(&j, "parcours.site", f->site);
	put_str(&j, "kind", d->objective ? "objective" : "funnel");
	put_str(&j, "name", d->objective ? d->objective->name : f->name);
	put_true(&j, "removed", d->removed);
	if (d->objective)
		put_objective(&j, d->objective);
	else
		put_steps(&j, f);
	json_end(&j);
	buf_add_byte(out, '\n');
}
