/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.c: events and definitions as OTLP log records: GA4's names behind "parcours." as event names, GA4's and
 * OpenTelemetry's as attributes. Items and carts are nested values (AnyValue of common.proto: array 5, map 6).
 */
#include "export/journey.h"
#include "export/segment.h"
#include "txn/body/body.h"

#define ATTRIBUTES EVENT_ATTRIBUTES
#define NAME_MOST  256

enum { ANY_STRING = 1, ANY_ARRAY = 5, ANY_MAP = 6, VALUE = 2, VALUES = 1 };

static void put_text(struct buf *b, uint32_t field, struct slice key, struct slice value)
{
	if (value.at)
		attr_text(b, field, key, value);
}

static void put_str(struct buf *b, uint32_t field, struct slice key, const char *value)
{
	if (value && value[0])
		attr_text(b, field, key, slice_str(value));
}

static void put_true(struct buf *b, uint32_t field, struct slice key, bool value)
{
	if (value)
		attr_bool(b, field, key, true);
}

/* Exact decimals travel as text: AnyValue has no other type for them. */
static void put_amount(struct buf *b, uint32_t field, struct slice key, const struct amount *a)
{
	char text[AMOUNT_TEXT];

	attr_text(b, field, key, amount_text(a, text));
}

/* Pieces are whole numbers; a length or a weight is a decimal, as text. */
static void put_quantity(struct buf *b, uint32_t field, const struct amount *a)
{
	struct amount whole = *a;

	if (amount_rescale(&whole, 0))
		attr_int(b, field, SLICE("quantity"), whole.units);
	else
		put_amount(b, field, SLICE("quantity"), a);
}

struct nest {
	size_t pair, value, inner;
};

/* KeyValue of an array or a map. */
static struct nest begin_nest(struct buf *b, uint32_t field, struct slice key, uint32_t kind)
{
	struct nest n = { .pair = pb_begin(b, field) };

	pb_bytes(b, 1, key);
	n.value = pb_begin(b, VALUE);
	n.inner = pb_begin(b, kind);
	return n;
}

static void end_nest(struct buf *b, struct nest n)
{
	pb_end(b, n.inner);
	pb_end(b, n.value);
	pb_end(b, n.pair);
}

static void put_item(struct buf *b, const struct item *item)
{
	size_t value = pb_begin(b, VALUES), map = pb_begin(b, ANY_MAP);

	put_text(b, VALUES, SLICE("item_id"), item->id);
	put_text(b, VALUES, SLICE("item_name"), item->name);
	put_text(b, VALUES, SLICE("item_variant"), item->variant);
	if (item->has_quantity)
		put_quantity(b, VALUES, &item->quantity);
	if (item->has_price)
		put_amount(b, VALUES, SLICE("price"), &item->price);
	pb_end(b, map);
	pb_end(b, value);
}

static void put_items(struct buf *b, uint32_t field, const struct item *items, uint32_t count)
{
	struct nest n = begin_nest(b, field, SLICE("items"), ANY_ARRAY);

	for (uint32_t i = 0; i < count; i++)
		put_item(b, &items[i]);
	end_nest(b, n);
}

static void put_texts(struct buf *b, uint32_t field, struct slice key, const char *const *texts)
{
	struct nest n;

	if (!texts || !*texts)
		return;
	n = begin_nest(b, field, key, ANY_ARRAY);
	for (; *texts; texts++) {
		size_t value = pb_begin(b, VALUES);

		pb_string(b, ANY_STRING, slice_str(*texts));
		pb_end(b, value);
	}
	end_nest(b, n);
}

static void put_cart(struct buf *b, const struct cart_state *c)
{
	struct nest n = begin_nest(b, ATTRIBUTES, SLICE("parcours.cart"), ANY_MAP);

	put_text(b, VALUES, SLICE("id"), c->id);
	if (c->has_value) {
		put_amount(b, VALUES, SLICE("value"), &c->value);
		put_str(b, VALUES, SLICE("currency"), c->value.currency);
	}
	if (c->has_quantity)
		put_quantity(b, VALUES, &c->quantity);
	if (c->has_items)
		put_items(b, VALUES, c->items, c->item_count);
	put_true(b, VALUES, SLICE("items_cut"), c->items_cut);
	end_nest(b, n);
}

static void put_preceded(struct buf *b, const struct preceded *p)
{
	struct nest n = begin_nest(b, ATTRIBUTES, SLICE("parcours.preceded"), ANY_MAP);

	if (p->error_status) {
		attr_int(b, VALUES, SLICE("error_status"), p->error_status);
		put_text(b, VALUES, SLICE("error_path"), p->error_path);
	}
	if (p->slow_lived_ns) {
		attr_int(b, VALUES, SLICE("slow_lived_ns"), (int64_t)p->slow_lived_ns);
		put_text(b, VALUES, SLICE("slow_path"), p->slow_path);
	}
	put_true(b, VALUES, SLICE("cart_refused"), p->cart_refused);
	put_true(b, VALUES, SLICE("payment_refused"), p->payment_refused);
	put_text(b, VALUES, SLICE("reason"), p->reason);
	put_text(b, VALUES, SLICE("failed_host"), p->failed_host);
	end_nest(b, n);
}

static void put_state(struct buf *b, const struct event *e)
{
	const struct cart_state *c = e->cart;

	put_str(b, ATTRIBUTES, SLICE("parcours.step"), step_name(c->step));
	put_str(b, ATTRIBUTES, SLICE("parcours.condition"), cart_condition_name(c->condition));
	if (c->opened_unix_ns)
		attr_int(b, ATTRIBUTES, SLICE("parcours.opened_unix_nano"),
			 (int64_t)c->opened_unix_ns);
	attr_int(b, ATTRIBUTES, SLICE("parcours.last_activity_unix_nano"),
		 (int64_t)c->last_activity_unix_ns);
	put_true(b, ATTRIBUTES, SLICE("parcours.recovered"), c->recovered);
	if (e->kind != EVENT_CART_ABANDONED)
		return;
	put_str(b, ATTRIBUTES, SLICE("parcours.end_reason"), end_reason_name(e->end_reason));
	if (preceded_any(e->preceded))
		put_preceded(b, e->preceded);
}

static void put_money(struct buf *b, const struct event *e)
{
	const struct {
		uint32_t bit;
		struct slice key;
		const struct amount *amount;
	} amounts[] = {
		{ SAID_VALUE, SLICE("value"), &e->value },
		{ SAID_TAX, SLICE("tax"), &e->tax },
		{ SAID_SHIPPING, SLICE("shipping"), &e->shipping },
		{ SAID_DISCOUNT, SLICE("discount"), &e->discount },
		{ SAID_ITEMS_VALUE, SLICE("parcours.items_value"), &e->items_value },
	};

	put_str(b, ATTRIBUTES, SLICE("currency"), e->currency);
	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
		if (e->has & amounts[i].bit)
			put_amount(b, ATTRIBUTES, amounts[i].key, amounts[i].amount);
	if (e->has)
		put_str(b, ATTRIBUTES, SLICE("parcours.tax_basis"), tax_basis_name(e->tax_basis));
}

static void put_words(struct buf *b, const struct event *e)
{
	put_text(b, ATTRIBUTES, SLICE("transaction_id"), e->transaction_id);
	put_text(b, ATTRIBUTES, SLICE("parcours.order.id"), e->order_id);
	put_text(b, ATTRIBUTES, SLICE("payment_status"), e->payment_status);
	put_text(b, ATTRIBUTES, SLICE("coupon"), e->coupon);
	put_text(b, ATTRIBUTES, SLICE("parcours.reason"), e->reason);
	put_text(b, ATTRIBUTES, SLICE("search_term"), e->search_term);
	put_text(b, ATTRIBUTES, SLICE("item_list_name"), e->list_name);
	put_text(b, ATTRIBUTES, SLICE("method"), e->method);
}

static void put_parameters(struct buf *b, const struct event *e)
{
	struct nest n;

	if (!e->parameter_count)
		return;
	n = begin_nest(b, ATTRIBUTES, SLICE("parcours.parameters"), ANY_MAP);
	for (uint32_t i = 0; i < e->parameter_count; i++)
		attr_text(b, VALUES, e->parameters[i].name, e->parameters[i].value);
	end_nest(b, n);
}

static void put_flags(struct buf *b, uint32_t flags)
{
	const char *names[BODY_FLAGS];
	unsigned count = 0;

	for (unsigned f = 0; f < BODY_FLAGS; f++)
		if (flags & 1u << f)
			names[count++] = body_flag_name((enum body_flag)f);
	if (count)
		attr_texts(b, ATTRIBUTES, SLICE("parcours.body.flags"), names, count);
}

static void put_segment(struct buf *b, const struct segment *s)
{
	struct segment_attribute at[SEGMENT_ATTRIBUTES];
	unsigned n = segment_attributes(s, SEGMENT_ROW, at);

	for (unsigned i = 0; i < n; i++) {
		if (at[i].value.at)
			attr_text(b, ATTRIBUTES, at[i].key, at[i].value);
		else
			attr_bool(b, ATTRIBUTES, at[i].key, true);
	}
}

static void put_event(struct buf *b, const void *ctx)
{
	const struct event *e = ctx;

	attr_hex(b, SLICE("parcours.event_id"), e->event_id);
	attr_int(b, ATTRIBUTES, SLICE("parcours.revision"), (int64_t)e->revision);
	put_text(b, ATTRIBUTES, SLICE("parcours.site"), e->site);
	if (e->has_session) {
		attr_hex(b, SLICE("session.id"), e->session_id);
		attr_hex(b, SLICE("parcours.key"), e->session_key);
	}
	put_str(b, ATTRIBUTES, SLICE("parcours.source"),
		e->source == SOURCE_RULE ? "rule" : "recogniser");
	put_str(b, ATTRIBUTES, SLICE("parcours.confidence"),
		e->confidence == CONFIDENCE_CERTAIN ? "certain" : "candidate");
	put_str(b, ATTRIBUTES, SLICE("parcours.rule"), e->rule);
	put_true(b, ATTRIBUTES, SLICE("parcours.again"), e->again);
	put_money(b, e);
	put_words(b, e);
	if (e->item_count)
		put_items(b, ATTRIBUTES, e->items, e->item_count);
	put_true(b, ATTRIBUTES, SLICE("parcours.items_cut"), e->items_cut);
	put_true(b, ATTRIBUTES, SLICE("parcours.from_cart"), e->from_cart);
	if (e->cart)
		put_cart(b, e->cart);
	if (e->cart && (e->kind == EVENT_CART || e->kind == EVENT_CART_ABANDONED))
		put_state(b, e);
	put_parameters(b, e);
	put_flags(b, e->flags);
	put_segment(b, &e->segment);
}

int event_record(struct events *events, const struct event *e, uint64_t observed_unix_ns)
{
	struct slice name = event_name(e);
	char text[NAME_MOST];
	struct buf full = { .at = text, .room = sizeof(text), .max = sizeof(text) };

	if (!slice_starts(name, SLICE("parcours.")))
		buf_add_str(&full, "parcours.");
	buf_add(&full, slice_sub(name, 0, NAME_MOST - 16));
	buf_add_byte(&full, 0);
	return events_put(
		events,
		&(struct event_head){
			.name = text,
			.warning = e->kind == EVENT_PAYMENT_ERROR || e->kind == EVENT_CART_REFUSED,
			.time_unix_ns = e->time_unix_ns,
			.observed_unix_ns = observed_unix_ns,
			.trace_id = e->has_span ? e->trace_id : NULL,
			.span_id = e->has_span ? e->span_id : NULL,
		},
		put_event, e);
}

/* ---- definitions ---- */

static void put_steps(struct buf *b, const struct funnel *f)
{
	struct nest n = begin_nest(b, ATTRIBUTES, SLICE("parcours.steps"), ANY_ARRAY);

	for (uint32_t i = 0; i < f->step_count; i++) {
		const struct funnel_step *s = &f->steps[i];
		size_t value = pb_begin(b, VALUES), map = pb_begin(b, ANY_MAP);

		put_str(b, VALUES, SLICE("name"), s->name);
		put_str(b, VALUES, SLICE("event"), s->event);
		put_texts(b, VALUES, SLICE("pages"), s->pages);
		pb_end(b, map);
		pb_end(b, value);
	}
	end_nest(b, n);
}

static void put_objective(struct buf *b, const struct objective *o)
{
	put_str(b, ATTRIBUTES, SLICE("parcours.journey"), o->funnel->name);
	put_str(b, ATTRIBUTES, SLICE("parcours.step"), o->step->name);
	put_texts(b, ATTRIBUTES, SLICE("parcours.pages"), o->step->pages);
	put_str(b, ATTRIBUTES, SLICE("parcours.device"), o->device);
	put_str(b, ATTRIBUTES, SLICE("geo.country.iso_code"), o->country);
	put_str(b, ATTRIBUTES, SLICE("parcours.touchpoint"), o->touchpoint);
	put_str(b, ATTRIBUTES, SLICE("parcours.customer.class"), o->customer);
	put_str(b, ATTRIBUTES, SLICE("parcours.visitor"), o->visitor);
	put_str(b, ATTRIBUTES, SLICE("parcours.channel"), o->channel);
	attr_int(b, ATTRIBUTES, SLICE("parcours.under_ns"), (int64_t)o->under_ns);
	attr_int(b, ATTRIBUTES, SLICE("parcours.share_ppm"), o->share_ppm);
}

static void put_definition(struct buf *b, const void *ctx)
{
	const struct definition *d = ctx;
	const struct funnel *f = d->objective ? d->objective->funnel : d->funnel;

	attr_hex(b, SLICE("parcours.event_id"), d->event_id);
	attr_int(b, ATTRIBUTES, SLICE("parcours.revision"), (int64_t)d->revision);
	put_str(b, ATTRIBUTES, SLICE("parcours.site"), f->site);
	put_str(b, ATTRIBUTES, SLICE("parcours.kind"), d->objective ? "objective" : "funnel");
	put_str(b, ATTRIBUTES, SLICE("parcours.name"), d->objective ? d->objective->name : f->name);
	put_true(b, ATTRIBUTES, SLICE("parcours.removed"), d->removed);
	if (d->objective)
		put_objective(b, d->objective);
	else
		put_steps(b, f);
}

int definition_record(struct events *events, const struct definition *d, uint64_t observed_unix_ns)
{
	return events_put(events,
			  &(struct event_head){ .name = "parcours.definition",
						.time_unix_ns = d->time_unix_ns,
						.observed_unix_ns = observed_unix_ns },
			  put_definition, d);
}
