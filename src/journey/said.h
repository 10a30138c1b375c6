/* SPDX-License-Identifier: Apache-2.0 */
/*
 * said.h: what a rule says that it saw in one transaction. It is evidence: which event comes of it, and
 * whether one does, is decided by the cart of the visit (cart/cart.h), where a change counts only when it
 * was shown, an order once, and a step never goes back.
 *
 *   transaction + readings --rule/--> struct said --cart/--> struct event --export-->
 *
 * Amounts are decimal integers (txn/body/amount.h). What was not observed is absent: a bit in `has`, a slice
 * with at == NULL. Everything borrows from the transaction's arena and the rules: valid during the call.
 */
#ifndef PC_JOURNEY_SAID_H
#define PC_JOURNEY_SAID_H

#include "txn/body/amount.h"
#include "txn/txn.h"

enum say {
	/* Nothing of a cart. */
	SAY_VIEW_ITEM,
	SAY_VIEW_ITEM_LIST,
	SAY_SEARCH,
	SAY_LOGIN,
	SAY_SIGN_UP,
	SAY_OWN, /* a name of the site's own */
	/* The visitor asked for a change; `items` are what was asked for. Whether it came to be is what the
	 * next cart that is shown says (often this very answer's). */
	SAY_ADD_TO_CART,
	SAY_REMOVE_FROM_CART,
	SAY_CHANGE_CART, /* quantities set anew, a coupon: either way */
	SAY_VIEW_CART,	 /* the cart was shown, and nothing asked for */
	/* Steps that were completed: the shop took what was entered and went on. */
	SAY_BEGIN_CHECKOUT, /* the first page of the checkout was shown */
	SAY_CONTACT_INFO,
	SAY_ADDRESS_INFO,
	SAY_SHIPPING_INFO,
	SAY_PAYMENT_INFO,
	SAY_PAYMENT_AWAY, /* sent to a payment page of another host: the step payment, not yet paid */
	SAY_PAYMENT_NOTICE, /* the provider's word, with the order's or cart's id; may be of no visit */
	SAY_PURCHASE,
	SAY_CART_REFUSED, /* a change was asked for and the shop said no; `reason` */
	SAY_PAYMENT_ERROR,
	SAYS
};
/* GA4's name where it has one, with "parcours." before ours: view_item … parcours.cart_refused; of SAY_OWN
 * NULL. */
const char *say_name(enum say s);
bool say_of(struct slice name, enum say *ret);

struct item {
	struct slice id, name, variant; /* at == NULL: unobserved */
	bool has_quantity, has_price;
	struct amount quantity; /* scale 0 for pieces; no currency */
	struct amount price;	/* of one, as the customer sees it */
};

#define ITEMS_MAX 200 /* of a cart, list or order; more are counted and left out, `items_cut` */

/* A cart as an answer shows it, whole; with nothing but an id: which cart it is about. */
struct cart_shown {
	struct slice id; /* the shop's; at == NULL: it has none that we see */
	bool has_value, has_quantity, has_items;
	struct amount value;	/* goods after discount, without shipping */
	struct amount quantity; /* pieces in all */
	const struct item *items;
	uint32_t item_count;
	bool items_cut; /* there may be more than those */
};

/* said.has: amounts that were observed */
#define SAID_VALUE	 0x01
#define SAID_TAX	 0x02
#define SAID_SHIPPING	 0x04
#define SAID_DISCOUNT	 0x08
#define SAID_ITEMS_VALUE 0x10

enum tax_basis { TAX_UNKNOWN, TAX_INCLUDED, TAX_EXCLUDED };
const char *tax_basis_name(enum tax_basis b); /* unknown, incl, excl */

struct parameter { /* of a site's own, as the rule names it */
	struct slice name, value;
};

struct said {
	enum say say;
	struct slice name; /* SAY_OWN */
	const char *rule;  /* its name, for people */
	const struct transaction *t;
	uint64_t at_ns; /* monotonic: of the request's first byte */

	uint32_t has;
	struct amount value, tax, shipping, discount, items_value;
	char currency[4]; /* of the whole; "": unobserved */
	enum tax_basis tax_basis;
	struct slice transaction_id; /* order number as shown to the customer */
	struct slice order_id, payment_status, coupon, reason, search_term, list_name, method;
	const struct item *items;
	uint32_t item_count;
	bool items_cut;
	const struct parameter *parameters;
	uint32_t parameter_count;

	const struct cart_shown *cart; /* NULL: this answer shows none */
	bool cart_is_empty; /* it shows that there is nothing in it (with cart: its value may be unobserved) */
	uint32_t
		flags; /* 1 << enum body_flag of the bodies that were read: it may be less than there was */
};

#endif
