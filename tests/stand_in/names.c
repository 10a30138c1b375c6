/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.c: stands in for the words of said.h and event.h, which come with src/journey/rule and src/journey/cart.
 */
#include "journey/event.h"

const char *say_name(enum say s)
{
	static const char *const names[SAYS] = {
		[SAY_VIEW_ITEM] = "view_item",
		[SAY_VIEW_ITEM_LIST] = "view_item_list",
		[SAY_SEARCH] = "search",
		[SAY_LOGIN] = "login",
		[SAY_SIGN_UP] = "sign_up",
		[SAY_ADD_TO_CART] = "add_to_cart",
		[SAY_REMOVE_FROM_CART] = "remove_from_cart",
		[SAY_CHANGE_CART] = "parcours.change_cart",
		[SAY_VIEW_CART] = "view_cart",
		[SAY_BEGIN_CHECKOUT] = "begin_checkout",
		[SAY_CONTACT_INFO] = "parcours.add_contact_info",
		[SAY_ADDRESS_INFO] = "parcours.add_address_info",
		[SAY_SHIPPING_INFO] = "add_shipping_info",
		[SAY_PAYMENT_INFO] = "add_payment_info",
		[SAY_PAYMENT_AWAY] = "parcours.payment_away",
		[SAY_PAYMENT_NOTICE] = "parcours.payment_notice",
		[SAY_PURCHASE] = "purchase",
		[SAY_CART_REFUSED] = "parcours.cart_refused",
		[SAY_PAYMENT_ERROR] = "parcours.payment_error",
	};

	return names[s];
}

bool say_of(struct slice name, enum say *ret)
{
	for (unsigned s = 0; s < SAYS; s++) {
		const char *known = say_name((enum say)s);

		if (known && slice_eq(name, slice_str(known))) {
			*ret = (enum say)s;
			return true;
		}
	}
	return false;
}

const char *tax_basis_name(enum tax_basis b)
{
	static const char *const names[] = { "unknown", "incl", "excl" };

	return names[b];
}

const char *event_kind_name(enum event_kind k)
{
	static const char *const names[EVENTS] = {
		[EVENT_VIEW_ITEM] = "view_item",
		[EVENT_VIEW_ITEM_LIST] = "view_item_list",
		[EVENT_SEARCH] = "search",
		[EVENT_LOGIN] = "login",
		[EVENT_SIGN_UP] = "sign_up",
		[EVENT_ADD_TO_CART] = "add_to_cart",
		[EVENT_REMOVE_FROM_CART] = "remove_from_cart",
		[EVENT_VIEW_CART] = "view_cart",
		[EVENT_BEGIN_CHECKOUT] = "begin_checkout",
		[EVENT_ADD_CONTACT_INFO] = "parcours.add_contact_info",
		[EVENT_ADD_ADDRESS_INFO] = "parcours.add_address_info",
		[EVENT_ADD_SHIPPING_INFO] = "add_shipping_info",
		[EVENT_ADD_PAYMENT_INFO] = "add_payment_info",
		[EVENT_PURCHASE] = "purchase",
		[EVENT_CART_REFUSED] = "parcours.cart_refused",
		[EVENT_PAYMENT_ERROR] = "parcours.payment_error",
		[EVENT_CART] = "parcours.cart",
		[EVENT_CART_ABANDONED] = "parcours.cart_abandoned",
	};

	return names[k];
}

const char *step_name(enum step s)
{
	static const char *const names[] = {
		[STEP_NONE] = NULL,	      [STEP_CART] = "cart",
		[STEP_CHECKOUT] = "checkout", [STEP_CONTACT] = "contact",
		[STEP_ADDRESS] = "address",   [STEP_SHIPPING] = "shipping",
		[STEP_PAYMENT] = "payment",   [STEP_ORDER] = "order",
	};

	return names[s];
}

const char *cart_condition_name(enum cart_condition c)
{
	static const char *const names[] = { "open", "ordered", "emptied", "abandoned" };

	return names[c];
}
