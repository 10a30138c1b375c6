/* SPDX-License-Identifier: Apache-2.0 */
/*
 * said.c: the names of what is said, as rule files write them. Ours are found with and without the
 * "parcours." in front.
 */
#include "journey/said.h"

#define OURS "parcours."

static const char *const names[SAYS] = {
	[SAY_VIEW_ITEM] = "view_item",
	[SAY_VIEW_ITEM_LIST] = "view_item_list",
	[SAY_SEARCH] = "search",
	[SAY_LOGIN] = "login",
	[SAY_SIGN_UP] = "sign_up",
	[SAY_ADD_TO_CART] = "add_to_cart",
	[SAY_REMOVE_FROM_CART] = "remove_from_cart",
	[SAY_CHANGE_CART] = OURS "change_cart",
	[SAY_VIEW_CART] = "view_cart",
	[SAY_BEGIN_CHECKOUT] = "begin_checkout",
	[SAY_CONTACT_INFO] = OURS "add_contact_info",
	[SAY_ADDRESS_INFO] = OURS "add_address_info",
	[SAY_SHIPPING_INFO] = "add_shipping_info",
	[SAY_PAYMENT_INFO] = "add_payment_info",
	[SAY_PAYMENT_AWAY] = OURS "payment_away",
	[SAY_PAYMENT_NOTICE] = OURS "payment_notice",
	[SAY_PURCHASE] = "purchase",
	[SAY_CART_REFUSED] = OURS "cart_refused",
	[SAY_PAYMENT_ERROR] = OURS "payment_error",
};

const char *say_name(enum say s)
{
	return names[s];
}

bool say_of(struct slice name, enum say *ret)
{
	for (unsigned i = 0; i < SAYS; i++) {
		struct slice n = slice_str(names[i]);

		if (!n.len)
			continue;
		if (slice_eq(n, name) || (slice_starts(n, SLICE(OURS)) &&
					  slice_eq(slice_sub(n, sizeof(OURS) - 1, n.len), name))) {
			*ret = (enum say)i;
			return true;
		}
	}
	return false;
}

const char *tax_basis_name(enum tax_basis b)
{
	static const char *const all[] = {
		[TAX_UNKNOWN] = "unknown",
		[TAX_INCLUDED] = "incl",
		[TAX_EXCLUDED] = "excl",
	};

	return all[b];
}
