/* SPDX-License-Identifier: Apache-2.0 */
/*
 * currency.h: how currencies are written: the codes of ISO 4217, and the signs and short names that shops use.
 * A sign of several currencies has all of them, and is none by itself.
 */
#ifndef PC_TXN_BODY_CURRENCY_H
#define PC_TXN_BODY_CURRENCY_H

#include "base/slice.h"

struct currency {
	size_t len;	    /* octets of the sign or code; 0: none */
	struct slice codes; /* three letters each; if there is one, that is it */
};

/* The longest sign or code at the front. Codes in capitals; no letter may follow a code, or a sign that ends
 * with one. */
struct currency currency_at(struct slice text);
/* What a sign (len 0: none was there) and a hint ("": none) come to; "": unobserved. */
void currency_decide(struct currency c, const char *hint, char ret[4]);
/* Whether a digit of another script than ASCII stands in the text. */
bool currency_has_digit(struct slice text);

#endif
