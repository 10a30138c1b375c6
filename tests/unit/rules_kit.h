/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_kit.h: rules from a text, errors as lines of text, a transaction whose contents are really read by the
 * wants of the rules (src/txn/body), and what is said as one line of text each. Compiling a file twice over
 * tells nothing more, so every test starts with kit_rules.
 */
#ifndef PC_TESTS_RULES_KIT_H
#define PC_TESTS_RULES_KIT_H

#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "journey/rule/rules.h"
#include "txn/body/body.h"

#define KIT_VALUES 8192
#define KIT_FIELDS 16

static struct rules_kit {
	struct rules *rules;
	struct buf errors, out;
	struct bodies *all;
	struct arena_pool pool;
	struct arena arena;
	struct transaction t;
	struct field fields[2][KIT_FIELDS];
	struct reading_value values[2][KIT_VALUES];
	uint32_t missed, undecided, overlapped;
} kit;

static inline void kit_error(void *ctx, const struct rules_error *e)
{
	buf_addf(&kit.errors, "%s:%u:%u: %s\n", e->file, e->line, e->column, e->text);
}

static inline void kit_begin(void)
{
	rules_free(kit.rules);
	kit.rules = NULL;
	if (!kit.errors.max) {
		buf_init(&kit.errors, 1 << 20);
		buf_init(&kit.out, 1 << 20);
		arena_pool_init(&kit.pool, 65536, 16 << 20);
		arena_init(&kit.arena, &kit.pool);
		assert_int_equal(bodies_new(&body_limits_default, &kit.all), 0);
	}
	buf_clear(&kit.errors);
}

/* 0 or the error; kit.errors has what was told. */
static inline int kit_compile(struct slice text)
{
	struct rules_builder *b;
	int err;

	kit_begin();
	assert_int_equal(rules_begin(&b), 0);
	err = rules_add(b, "shop.yaml", text, kit_error, NULL);
	if (err) {
		rules_builder_free(b);
		return err;
	}
	return rules_end(b, kit_error, NULL, &kit.rules);
}

static inline void kit_rules(const char *text)
{
	int err = kit_compile(slice_str(text));

	if (err)
		fail_msg("error %d\n%.*s", err, (int)kit.errors.len, kit.errors.at);
	assert_int_equal(kit.errors.len, 0);
}

/* ---- a transaction ---- */

static inline void kit_request(const char *method, const char *target)
{
	struct slice path = slice_str(target), query = path;

	arena_clear(&kit.arena);
	memset(&kit.t, 0, sizeof(kit.t));
	path = slice_next(&query, '?');
	kit.t.method = slice_str(method);
	kit.t.method_known = true;
	kit.t.path = path;
	kit.t.query = query;
	kit.t.has_query = query.at;
	kit.t.server_name = SLICE("www.shop.example");
	kit.t.site = SLICE("shop.example");
	kit.t.start_ns = 1000;
	kit.t.request.seen = true;
	kit.t.request.fields = kit.fields[1];
	kit.t.response.fields = kit.fields[0];
}

static inline void kit_field(bool request, const char *name, const char *value)
{
	struct txn_message *m = request ? &kit.t.request : &kit.t.response;

	assert_true(m->field_count < KIT_FIELDS);
	kit.fields[request][m->field_count++] = (struct field){ slice_str(name), slice_str(value) };
}

static inline void kit_status(uint16_t status, const char *type)
{
	kit.t.status = status;
	kit.t.response.seen = true;
	kit_field(false, "date", "now");
	if (!type)
		return;
	kit.t.response_type = slice_str(type);
	kit_field(false, "content-type", type);
}

static inline void kit_taken(void *ctx, const struct taken *v)
{
	bool request = ctx != NULL;
	struct reading *r = request ? &kit.t.request.reading : &kit.t.response.reading;
	struct reading_value *at = &kit.values[request][r->count++];

	assert_true(r->count <= KIT_VALUES);
	*at = (struct reading_value){ .want = v->want, .kind = (uint8_t)v->kind, .cut = v->cut };
	memcpy(at->index, v->index, sizeof(at->index));
	if (v->text.len)
		assert_int_equal(arena_copy(&kit.arena, v->text, &at->text), 0);
}

/* As src/txn reads it: what rules want of it, up to `seen` octets, then a hole where there are more. */
static inline void kit_content_cut(bool request, const char *type, struct slice text, size_t seen)
{
	struct reading *r = request ? &kit.t.request.reading : &kit.t.response.reading;
	const struct body_wants *wants = rules_wants(kit.rules, &kit.t, request);
	struct body_kind kind = { .content_type = slice_str(type), .response = !request };
	const struct body_sink sink = { request ? &kit : NULL, kit_taken };
	struct body_result result;
	struct body *b;

	if (!request)
		reading_aliases(&kit.t.request.reading, &kit.arena, &kind);
	*r = (struct reading){ .wants = wants, .wanted = wants, .values = kit.values[request] };
	if (!wants || body_open(kit.all, &kind, wants, &sink, &b))
		return;
	body_push(b, slice_sub(text, 0, seen));
	if (seen < text.len)
		body_hole(b, text.len - seen);
	body_end(b, &result);
	r->opened = true;
	r->flags = result.flags;
}

static inline void kit_content(bool request, const char *type, const char *text)
{
	kit_content_cut(request, type, slice_str(text), SIZE_MAX);
}

/* ---- what is said ---- */

static inline void kit_amount(const char *name, bool has, const struct amount *a)
{
	if (!has)
		return;
	buf_addf(&kit.out, " %s=%lld/%u", name, (long long)a->units, a->scale);
	if (a->currency[0])
		buf_addf(&kit.out, "%s", a->currency);
}

static inline void kit_text(const char *name, struct slice s)
{
	if (s.at)
		buf_addf(&kit.out, " %s=%.*s", name, (int)s.len, s.at);
}

static inline void kit_items(const struct item *items, uint32_t count, bool cut)
{
	for (uint32_t i = 0; i < count; i++) {
		buf_add_str(&kit.out, " [");
		kit_text("id", items[i].id);
		kit_text("name", items[i].name);
		kit_text("variant", items[i].variant);
		kit_amount("quantity", items[i].has_quantity, &items[i].quantity);
		kit_amount("price", items[i].has_price, &items[i].price);
		buf_add_str(&kit.out, " ]");
	}
	if (cut)
		buf_add_str(&kit.out, " (cut)");
}

static inline void kit_said(void *ctx, const struct said *s)
{
	buf_addf(&kit.out, "%s", s->say == SAY_OWN ? "own:" : say_name(s->say));
	if (s->say == SAY_OWN)
		buf_add(&kit.out, s->name);
	kit_text("order", s->transaction_id);
	kit_text("order_id", s->order_id);
	kit_text("status", s->payment_status);
	kit_text("coupon", s->coupon);
	kit_text("reason", s->reason);
	kit_text("term", s->search_term);
	kit_text("list", s->list_name);
	kit_text("method", s->method);
	kit_amount("value", s->has & SAID_VALUE, &s->value);
	kit_amount("tax", s->has & SAID_TAX, &s->tax);
	kit_amount("shipping", s->has & SAID_SHIPPING, &s->shipping);
	kit_amount("discount", s->has & SAID_DISCOUNT, &s->discount);
	kit_amount("items_value", s->has & SAID_ITEMS_VALUE, &s->items_value);
	if (s->currency[0])
		buf_addf(&kit.out, " currency=%s", s->currency);
	if (s->tax_basis)
		buf_addf(&kit.out, " tax=%s", tax_basis_name(s->tax_basis));
	for (uint32_t i = 0; i < s->parameter_count; i++)
		buf_addf(&kit.out, " %.*s=%.*s", (int)s->parameters[i].name.len,
			 s->parameters[i].name.at, (int)s->parameters[i].value.len,
			 s->parameters[i].value.at);
	kit_items(s->items, s->item_count, s->items_cut);
	if (s->cart) {
		buf_add_str(&kit.out, " cart(");
		kit_text("id", s->cart->id);
		kit_amount("value", s->cart->has_value, &s->cart->value);
		kit_amount("quantity", s->cart->has_quantity, &s->cart->quantity);
		if (s->cart->has_items)
			buf_addf(&kit.out, " items=%u", s->cart->item_count);
		kit_items(s->cart->items, s->cart->item_count, s->cart->items_cut);
		buf_add_str(&kit.out, s->cart_is_empty ? " empty )" : " )");
	}
	if (s->flags)
		buf_add_str(&kit.out, " flagged");
	buf_add_str(&kit.out, "\n");
}

static inline void kit_missed(void *ctx, uint32_t rule, const char *value, enum amount_refusal why)
{
	kit.missed++;
	buf_addf(&kit.out, "missed %s", value);
	if (why)
		buf_addf(&kit.out, ": %s", amount_refusal_name(why));
	buf_add_str(&kit.out, "\n");
}

static inline void kit_undecided(void *ctx, uint32_t rule)
{
	kit.undecided++;
}

static inline void kit_overlapped(void *ctx, uint32_t rule)
{
	kit.overlapped++;
}

/* Ends with a NUL. */
static inline const char *kit_say(void)
{
	const struct rules_sink sink = { NULL, kit_said, kit_missed, kit_undecided,
					 kit_overlapped };

	kit.missed = kit.undecided = kit.overlapped = 0;
	buf_clear(&kit.out);
	rules_say(kit.rules, &kit.t, &sink);
	assert_int_equal(buf_add_byte(&kit.out, 0), 0);
	return kit.out.at;
}

/* A GET that was answered by 200 without content that anybody looked at. */
static inline const char *kit_get(const char *target)
{
	kit_request("GET", target);
	kit_status(200, "text/html");
	return kit_say();
}

#endif
