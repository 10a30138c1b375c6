/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey.c: the lines of business events: what went into a cart, how far a checkout got, orders, refusals, and
 * carts that were left. What only shows a product, a list or a cart has a line as a page already; states of
 * carts replace each other and have none. See console.h.
 */
#include <stdio.h>

#include "base/clock.h"
#include "export/console/line.h"
#include "export/journey.h"

#define TITLE	  20 /* columns of what happened */
#define ITEMS	  3  /* said by name */
#define NAME_MOST 32

#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define RED    "\033[31m"

static const struct {
	const char *title, *color;
} shown[EVENTS] = {
	[EVENT_SEARCH] = { "search", "" },
	[EVENT_LOGIN] = { "login", "" },
	[EVENT_SIGN_UP] = { "sign up", "" },
	[EVENT_OWN] = { "", "" },
	[EVENT_ADD_TO_CART] = { "into the cart", GREEN },
	[EVENT_REMOVE_FROM_CART] = { "out of the cart", YELLOW },
	[EVENT_BEGIN_CHECKOUT] = { "checkout begins", "" },
	[EVENT_ADD_CONTACT_INFO] = { "contact given", "" },
	[EVENT_ADD_ADDRESS_INFO] = { "address given", "" },
	[EVENT_ADD_SHIPPING_INFO] = { "shipping chosen", "" },
	[EVENT_ADD_PAYMENT_INFO] = { "payment given", "" },
	[EVENT_PURCHASE] = { "order", GREEN },
	[EVENT_CART_REFUSED] = { "cart refused", RED },
	[EVENT_PAYMENT_ERROR] = { "payment refused", RED },
	[EVENT_CART_ABANDONED] = { "cart left", YELLOW },
};

static void say_comma(struct line_rest *r)
{
	if (r->out->len)
		line_say_str(r, ", ");
}

static void say_money(struct line_rest *r, const struct amount *a, const char *currency)
{
	char text[AMOUNT_TEXT];

	line_say(r, amount_text(a, text));
	line_say_str(r, " ");
	line_say_str(r, currency && currency[0] ? currency : a->currency[0] ? a->currency : "?");
}

static void say_item(struct line_rest *r, const struct item *i)
{
	struct line_rest name = { r->out, r->columns < NAME_MOST ? r->columns : NAME_MOST };
	size_t before = name.columns;
	char text[AMOUNT_TEXT];

	if (i->has_quantity) {
		line_say(r, amount_text(&i->quantity, text));
		line_say_str(r, " x ");
		name.columns = before = r->columns < NAME_MOST ? r->columns : NAME_MOST;
	}
	line_say(&name, i->name.len ? i->name : i->id.len ? i->id : SLICE("?"));
	r->columns -= before - name.columns;
	if (i->has_price) {
		line_say_str(r, " at ");
		line_say(r, amount_text(&i->price, text));
	}
}

static void say_items(struct line_rest *r, const struct event *e)
{
	for (uint32_t i = 0; i < e->item_count && i < ITEMS; i++) {
		say_comma(r);
		say_item(r, &e->items[i]);
	}
	if (e->item_count > ITEMS) {
		line_say_str(r, " and ");
		line_say_count(r, e->item_count - ITEMS, "more", "more");
	}
}

static void say_cart(struct line_rest *r, const struct event *e)
{
	const struct cart_state *c = e->cart;
	char text[AMOUNT_TEXT];

	say_comma(r);
	line_say_str(r, e->kind == EVENT_CART_ABANDONED ? "with " : "cart: ");
	if (c->has_quantity) {
		line_say(r, amount_text(&c->quantity, text));
		line_say_str(r,
			     c->quantity.units == 1 && !c->quantity.scale ? " piece" : " pieces");
	} else if (c->has_items) {
		line_say_count(r, c->item_count, "line", "lines");
	} else {
		line_say_str(r, "something");
	}
	if (c->has_value) {
		line_say_str(r, ", ");
		say_money(r, &c->value, NULL);
	}
}

static void say_preceded(struct line_rest *r, const struct preceded *p)
{
	if (p->payment_refused)
		line_say_str(r, "; payment had been refused");
	if (p->cart_refused)
		line_say_str(r, "; a change had been refused");
	if (p->error_status) {
		char text[24];

		line_say(r, slice_of(text, (size_t)snprintf(text, sizeof(text), "; error %u at ",
							    p->error_status)));
		line_say(r, p->error_path);
	}
	if (p->slow_lived_ns) {
		line_say_str(r, "; ");
		line_say_time(r, p->slow_lived_ns);
		line_say_str(r, " for ");
		line_say(r, p->slow_path);
	}
	if (p->failed_host.len) {
		line_say_str(r, "; no answer of ");
		line_say(r, p->failed_host);
	}
}

static void say_left(struct line_rest *r, const struct event *e)
{
	const char *step = step_name(e->cart->step);

	line_say_str(r, "at step ");
	line_say_str(r, step ? step : "?");
	say_cart(r, e);
	if (e->end_reason == END_SHUTDOWN || e->end_reason == END_EVICTED) {
		line_say_str(r, " (as it stood: ");
		line_say_str(r, end_reason_name(e->end_reason));
		line_say_str(r, ")");
	}
	if (e->preceded)
		say_preceded(r, e->preceded);
}

static void say_order(struct line_rest *r, const struct event *e)
{
	if (e->has & SAID_VALUE)
		say_money(r, &e->value, e->currency);
	else
		line_say_str(r, "value unobserved");
	if (e->transaction_id.len) {
		line_say_str(r, ", no. ");
		line_say(r, e->transaction_id);
	}
	if (e->payment_status.len) {
		line_say_str(r, ", ");
		line_say(r, e->payment_status);
	}
	say_items(r, e);
}

static void say_rest(struct line_rest *r, const struct event *e)
{
	if (e->kind == EVENT_PURCHASE) {
		say_order(r, e);
		return;
	}
	if (e->kind == EVENT_CART_ABANDONED && e->cart) {
		say_left(r, e);
		return;
	}
	line_say(r, e->reason.len ? e->reason : e->search_term);
	say_items(r, e);
	if (e->cart)
		say_cart(r, e);
	else if (e->has & SAID_VALUE) {
		say_comma(r);
		say_money(r, &e->value, e->currency);
	}
}

bool console_event(struct console *c, struct buf *out, const struct event *e)
{
	const char *title = shown[e->kind].title;
	char memory[4 * 256]; /* a character has at most four octets */
	struct buf text = { .at = memory, .room = sizeof(memory), .max = sizeof(memory) };
	size_t columns = line_columns(c), used;
	struct line_rest rest = { &text, columns < 256 ? columns - TITLE - 1 : 256 - TITLE };

	if ((c->show != CONSOLE_ALL && c->show != CONSOLE_PAGES) || !title || e->again ||
	    (e->kind == EVENT_PURCHASE && e->revision > 1) || !line_is_due(c, &c->window_facts))
		return false;
	line_add_visit(c, out, e->has_session ? e->session_id : NULL, e->segment.synthetic != NULL,
		       '$', e->time_unix_ns);
	line_add_color(c, out, shown[e->kind].color);
	used = console_add_text(out, e->kind == EVENT_OWN ? e->name : slice_str(title), TITLE);
	line_pad(out, used, TITLE + 1);
	line_add_color(c, out, LINE_RESET);
	say_rest(&rest, e);
	buf_add(out, buf_slice(&text));
	line_end(c, out);
	return true;
}
