/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.c: the names of event.h, as they are exported and hashed: part of the contract between hosts.
 */
#include "journey/event.h"

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
		[EVENT_PAYMENT_NOTICE] = "parcours.payment_notice",
	};

	return names[k];
}

const char *step_name(enum step s)
{
	static const char *const names[] = { NULL,	"cart",	    "checkout", "contact",
					     "address", "shipping", "payment",	"order" };

	return names[s];
}

const char *cart_condition_name(enum cart_condition c)
{
	static const char *const names[] = { "open", "ordered", "emptied", "abandoned" };

	return names[c];
}
