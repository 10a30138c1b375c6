/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amount.h: amounts of money as people and programs write them → decimal integers with a scale. Never floating
 * point, and never a guess: what can be read in two ways ("1.234") is decided by a hint or refused, and why is
 * named. A text holds one amount and nothing else but blanks, a sign and a currency; UTF-8.
 *
 * A number of JSON (TAKEN_NUMBER) is read with the hint decimal '.'; one that was cut is not to be read.
 */
#ifndef PC_TXN_BODY_AMOUNT_H
#define PC_TXN_BODY_AMOUNT_H

#include "base/slice.h"

#define AMOUNT_SCALE_MAX 18

struct amount {
	int64_t units; /* amount = units / 10^scale */
	uint8_t scale;
	char currency[4]; /* ISO 4217, ends with NUL; "": unobserved */
};

/* What is known beforehand, from a rule. All 0: nothing. */
struct amount_hint {
	bool has_scale; /* texts are whole numbers of the smallest unit: 311760 of scale 2 is 3117.60 */
	uint8_t scale;
	/* Where the text has no currency, or a sign of several ($, kr, ¥) of which it is one. An unambiguous
	 * one in the text is worth more. "" or an ISO code. */
	char currency[4];
	char decimal; /* '.' or ',': what stands before the decimals where that is not clear; 0 */
};

enum amount_refusal {
	AMOUNT_READ,
	AMOUNT_EMPTY,	  /* no digit at all */
	AMOUNT_AMBIGUOUS, /* 1.234, 1,234: thousands or decimals? */
	AMOUNT_GROUPING,  /* separators where none can stand: 12,34.5.6 */
	AMOUNT_DIGITS,	  /* digits that are not 0 to 9 */
	AMOUNT_OTHER,	  /* anything else in the text: words, a second amount */
	AMOUNT_SCALE,	  /* decimals, though hint.has_scale */
	AMOUNT_OVERFLOW,  /* beyond 63 bits, or more than AMOUNT_SCALE_MAX decimals */
	AMOUNT_REFUSALS
};
const char *amount_refusal_name(enum amount_refusal r); /* read, empty, ambiguous, … */

/* hint may be NULL. With a currency the scale is at least that of its smallest unit, and zeros behind that are
 * taken off (30.0000 USD: 3000, 2); without one it is as written. */
enum amount_refusal amount_read(struct slice text, const struct amount_hint *hint,
				struct amount *ret);

/* A text that is a currency and nothing else: an ISO 4217 code in any case, or an unambiguous sign. */
bool amount_currency(struct slice text, char ret[4]);
/* Decimals of the smallest unit, 0, 2, 3 or 4; -1: no currency of ISO 4217. */
int amount_minor_digits(const char *currency);
/* The same amount in another scale; false: it is not one (a rest would be lost, or 63 bits are too few). */
bool amount_rescale(struct amount *a, uint8_t scale);
/* Exact, of one currency or both without; false: it cannot be said. a + sign * b. */
bool amount_add(const struct amount *a, const struct amount *b, int sign, struct amount *ret);
bool amount_same(const struct amount *a, const struct amount *b);

#endif
