/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cart_kit.h: drives the carts as a reader of a test thinks of them: what is said is one `struct say_it`,
 * lines are texts ("A2@500 B1@300": two of A at 5.00, one of B), and what is told is a text, a line an event.
 */
#ifndef PC_TESTS_CART_KIT_H
#define PC_TESTS_CART_KIT_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "journey/cart/cart.h"
#include "txn/body/body.h"

#define MS	 1000000ull
#define KIT_WALL 1700000000000000000ll

struct say_it {
	enum say say;
	unsigned visit;	   /* 0: of none */
	unsigned key;	   /* of the visitor; 0: as the visit */
	uint64_t at, took; /* ms */
	const char *items; /* asked for, or of the order */
	const char *cart;  /* lines that are shown; "": it is empty; NULL: none is shown */
	const char *value; /* of the cart, or of the order: "12.50"; NULL: as the lines sum up to */
	int quantity;	   /* of the cart: shown when > 0 */
	bool no_lines;	   /* value and quantity only */
	bool no_value;
	uint32_t flags;
	bool cut;
	const char *number, *order_id, *cart_id, *reason, *method;
	const char *status_text; /* of the payment */
	const char *tax;
	const char *own;      /* what the parameter `gift` says */
	const char *currency; /* NULL: EUR */
	uint16_t status;
	bool unix_socket;
};

static struct kit {
	struct carts *c;
	struct keys *keys;
	struct carts_options options;
	char told[1 << 16];
	size_t told_len;
	char text[1 << 16];	   /* what told() returned */
	struct event last[EVENTS]; /* by kind; slices are gone */
	struct cart_state cart[EVENTS];
	unsigned count[EVENTS]; /* of purchases each once */
	bool visits_over;
	void (*watch)(const struct event *e); /* NULL: nobody */
	uint64_t exchange;
	const char *visitor;
} kit;

static void kit_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void kit_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	kit.told_len += (size_t)vsnprintf(kit.told + kit.told_len, sizeof(kit.told) - kit.told_len,
					  format, args);
	va_end(args);
	if (kit.told_len >= sizeof(kit.told))
		abort();
}

static void kit_amount(const struct amount *a)
{
	int64_t units = a->units, by = 1;

	for (unsigned i = 0; i < a->scale; i++)
		by *= 10;
	if (a->scale)
		kit_say("%" PRId64 ".%0*" PRId64, units / by, a->scale, units % by);
	else
		kit_say("%" PRId64, units);
	kit_say("%s", a->currency);
}

static void kit_items(const struct item *items, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		kit_say(" %.*s", (int)items[i].id.len, items[i].id.at ? items[i].id.at : "");
		if (items[i].has_quantity)
			kit_amount(&items[i].quantity);
		if (items[i].has_price)
			kit_say("@%" PRId64, items[i].price.units);
	}
}

static void kit_cart(const struct event *e)
{
	const struct cart_state *s = e->cart;
	const char *step = step_name(s->step);

	kit_say(" %s %s", cart_condition_name(s->condition), step ? step : "none");
	kit_items(s->items, s->item_count);
	if (s->items_cut)
		kit_say(" …");
	if (s->has_value) {
		kit_say(" =");
		kit_amount(&s->value);
	}
	if (s->has_quantity) {
		kit_say(" q");
		kit_amount(&s->quantity);
	}
	if (s->recovered)
		kit_say(" recovered");
}

static void kit_event(void *ctx, const struct event *e)
{
	const char *name = event_kind_name(e->kind);

	kit.last[e->kind] = *e;
	if (e->cart)
		kit.cart[e->kind] = *e->cart;
	kit.count[e->kind] += e->kind != EVENT_PURCHASE || e->revision == 1;
	if (kit.watch) {
		kit.watch(e);
		return;
	}
	kit_say("%s%s", name ? name : "own", e->again ? " again" : "");
	if (e->transaction_id.len)
		kit_say(" %.*s", (int)e->transaction_id.len, e->transaction_id.at);
	if (e->kind == EVENT_PURCHASE && e->revision > 1)
		kit_say(" r%" PRIu64, e->revision);
	if (e->kind == EVENT_PURCHASE && e->order_id.len && e->revision > 1)
		kit_say(" id %.*s", (int)e->order_id.len, e->order_id.at);
	if (e->kind == EVENT_PURCHASE && e->payment_status.len)
		kit_say(" %.*s", (int)e->payment_status.len, e->payment_status.at);
	if (e->kind == EVENT_CART_ABANDONED)
		kit_say(" %s", end_reason_name(e->end_reason));
	if (e->kind == EVENT_CART || e->kind == EVENT_CART_ABANDONED) {
		kit_cart(e);
	} else {
		kit_items(e->items, e->item_count);
		if (e->items_cut)
			kit_say(" …");
		if (e->has & SAID_VALUE) {
			kit_say(" =");
			kit_amount(&e->value);
		}
		if (e->has & SAID_TAX) {
			kit_say(" tax ");
			kit_amount(&e->tax);
		}
		for (uint32_t i = 0; i < e->parameter_count; i++)
			kit_say(" %.*s:%.*s", (int)e->parameters[i].name.len,
				e->parameters[i].name.at, (int)e->parameters[i].value.len,
				e->parameters[i].value.at);
		if (e->has & SAID_ITEMS_VALUE) {
			kit_say(" goods ");
			kit_amount(&e->items_value);
		}
	}
	kit_say("\n");
}

static inline const char *told(void)
{
	memcpy(kit.text, kit.told, kit.told_len);
	kit.text[kit.told_len] = 0;
	kit.told_len = 0;
	return kit.text;
}

static bool kit_visit(void *ctx, const uint8_t id[KEY_BYTES], struct segment *ret)
{
	*ret = (struct segment){ .device = "mobile", .visitor = kit.visitor };
	return !kit.visits_over;
}

static struct carts_options kit_options(void)
{
	return (struct carts_options){ .keys = kit.keys,
				       .open = 1000,
				       .bytes = 1 << 20,
				       .orders = 1000,
				       .unshown_ns = 60000 * MS,
				       .event = kit_event,
				       .visit = kit_visit };
}

static inline void kit_start(const struct carts_options *o)
{
	static const uint8_t secret[SECRET_BYTES] = { 7 };

	memset(&kit, 0, sizeof(kit));
	if (keys_new(secret, &kit.keys))
		abort();
	kit.options = o ? *o : kit_options();
	kit.options.keys = kit.keys;
	if (carts_new(&kit.options, &kit.c))
		abort();
	carts_clock(kit.c, KIT_WALL);
}

static inline void kit_stop(void)
{
	carts_free(kit.c);
	keys_free(kit.keys);
}

static inline struct carts_stats kit_stats(void)
{
	struct carts_stats s;

	carts_stats(kit.c, &s);
	return s;
}

static void kit_id(unsigned n, uint8_t ret[KEY_BYTES])
{
	memset(ret, 0, KEY_BYTES);
	memcpy(ret, &n, sizeof(n));
}

/* "A2@500": an id of letters, a quantity or none, a price in cents or none. */
static uint32_t kit_lines(const char *text, const char *currency, struct item *items)
{
	uint32_t n = 0;

	while (text && *text) {
		struct item *i = &items[n++];
		char *end = (char *)text;

		*i = (struct item){ 0 };
		while (*end >= 'A' && *end <= 'Z')
			end++;
		i->id = slice_of(text, (size_t)(end - text));
		if (*end >= '0' && *end <= '9') {
			i->has_quantity = true;
			i->quantity.units = strtol(end, &end, 10);
		}
		if (*end == '@') {
			i->has_price = true;
			i->price.units = strtol(end + 1, &end, 10);
			i->price.scale = 2;
			memcpy(i->price.currency, currency, strlen(currency));
		}
		text = *end == ' ' ? end + 1 : end;
	}
	return n;
}

static bool kit_value(const char *text, const struct item *items, uint32_t count,
		      const char *currency, struct amount *ret)
{
	*ret = (struct amount){ .scale = 2 };
	memcpy(ret->currency, currency, strlen(currency));
	if (text) {
		struct amount_hint hint = { .decimal = '.' };

		memcpy(hint.currency, currency, strlen(currency));
		return amount_read(slice_str(text), &hint, ret) == AMOUNT_READ;
	}
	for (uint32_t i = 0; i < count; i++) {
		int64_t of;

		if (!items[i].has_price || !items[i].has_quantity ||
		    __builtin_mul_overflow(items[i].price.units, items[i].quantity.units, &of) ||
		    __builtin_add_overflow(ret->units, of, &ret->units))
			return false;
	}
	return count;
}

static struct transaction kit_transaction(const struct say_it *i)
{
	struct transaction t = { .side = SIDE_SERVER,
				 .start_ns = i->at * MS,
				 .duration_ns = i->took * MS,
				 .method = slice_str(i->method ? i->method : "GET"),
				 .path = SLICE("/shop"),
				 .site = SLICE("shop.example"),
				 .status = i->status ? i->status : 200,
				 .isn_client = 1,
				 .isn_server = 2 };

	t.has_session = i->visit;
	kit_id(i->visit, t.session_id);
	kit_id(1000 + (i->key ? i->key : i->visit), t.session_key);
	/* an exchange is known by its times, so that the same is the same in any order */
	t.exchange_pos = i->at * 100000 + i->took;
	t.connection_id = 5;
	memcpy(t.span_id, &t.exchange_pos, 8);
	if (i->unix_socket)
		t.unobserved = UNOBSERVED_EXCHANGE;
	t.request.pos = t.exchange_pos;
	return t;
}

static inline void say_it(const struct say_it *i)
{
	const char *currency = i->currency ? i->currency : "EUR";
	struct transaction t = kit_transaction(i);
	struct item asked[ITEMS_MAX], shown[ITEMS_MAX];
	const struct parameter own = { SLICE("gift"), slice_str(i->own) };
	struct cart_shown cart = { .id = slice_str(i->cart_id), .items_cut = i->cut };
	struct said s = { .say = i->say,
			  .rule = "test",
			  .t = &t,
			  .at_ns = t.start_ns,
			  .transaction_id = slice_str(i->number),
			  .order_id = slice_str(i->order_id),
			  .reason = slice_str(i->reason),
			  .payment_status = slice_str(i->status_text),
			  .items = asked,
			  .flags = i->flags };

	memcpy(s.currency, currency, strlen(currency));
	s.item_count = kit_lines(i->items, currency, asked);
	if (i->cart || i->cart_id || i->no_lines || i->quantity) {
		cart.items = shown;
		cart.item_count = kit_lines(i->cart, currency, shown);
		cart.has_items = cart.item_count;
		cart.has_value = !i->no_value &&
				 kit_value(i->value, shown, cart.item_count, currency, &cart.value);
		cart.has_quantity = i->quantity > 0;
		cart.quantity.units = i->quantity;
		if (i->no_lines) {
			cart.has_items = false;
			cart.item_count = 0;
		}
		s.cart = &cart;
		s.cart_is_empty = i->cart && i->cart[0] == 0;
	} else if (i->value && kit_value(i->value, NULL, 0, currency, &s.value)) {
		s.has = SAID_VALUE;
	}
	if (i->own) {
		s.parameters = &own;
		s.parameter_count = 1;
	}
	if (i->tax && kit_value(i->tax, NULL, 0, currency, &s.tax))
		s.has |= SAID_TAX;
	carts_push(kit.c, &s);
	carts_transaction(kit.c, &t);
}

#define SAY(...) say_it(&(struct say_it){ __VA_ARGS__ })

static inline void kit_fact(enum fact_kind kind, unsigned visit, enum end_reason reason,
			    uint64_t at_ms)
{
	struct session_fact f = { .kind = kind,
				  .site = SLICE("shop.example"),
				  .end_reason = reason,
				  .time_unix_ns = at_ms * MS + (uint64_t)KIT_WALL };

	kit_id(visit, f.session_id);
	kit_id(1000 + visit, f.key);
	carts_fact(kit.c, &f);
}

static inline void visit_ends(unsigned visit, enum end_reason reason, uint64_t at_ms)
{
	kit_fact(FACT_END, visit, reason, at_ms);
}

static inline bool kit_adds_up(void)
{
	struct carts_stats s = kit_stats();

	return s.opened + s.restored == s.ordered + s.emptied + s.abandoned + s.evicted + s.open;
}

/* ---- a case with carts of its own, which add up at its end: UNIT_MAIN(C(one), C(two)) ---- */

#define told_is(text) assert_string_equal(told(), text)
#define C(name)	      cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

static inline int kit_setup(void **state)
{
	kit_start(NULL);
	return 0;
}

static inline int kit_teardown(void **state)
{
	bool right = kit_adds_up();

	kit_stop();
	return right ? 0 : -1;
}

static inline int kit_collect(void *ctx, struct slice piece)
{
	return buf_add(ctx, piece);
}

/* The process ends (at a signal, if carts_finish was called before) and begins anew, with another monotonic
 * clock. Returns what carts_load says. */
static inline int kit_restart(int64_t wall_minus_mono_ns)
{
	struct buf saved;
	int err;

	buf_init(&saved, 1 << 26);
	err = carts_save(kit.c, &saved, kit_collect);
	carts_free(kit.c);
	if (err || carts_new(&kit.options, &kit.c))
		abort();
	carts_clock(kit.c, wall_minus_mono_ns);
	err = carts_load(kit.c, buf_slice(&saved));
	buf_done(&saved);
	return err;
}

#endif
