/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_amount.c: amounts from strangers. Input: an octet of hints, then the text. What must hold: a refusal
 * writes nothing; an amount has a good scale and a currency of ISO 4217 or none; a minus in front only turns
 * the sign; an unambiguous text does not depend on the hint of the decimal sign.
 */
#include <stdlib.h>
#include <string.h>

#include "txn/body/amount.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const codes[] = { "", "EUR", "USD", "JPY", "SEK", "KWD", "xyz", "CLF" };
	struct amount_hint hint = { 0 };
	struct amount a = { .units = 4711, .scale = 99 }, b = { 0 };
	struct slice text;
	enum amount_refusal r, without;
	char code[4] = "-";

	if (!size)
		return 0;
	hint.has_scale = data[0] & 1;
	hint.scale = data[0] >> 1 & 3;
	hint.decimal = data[0] & 8 ? '.' : data[0] & 16 ? ',' : 0;
	memcpy(hint.currency, codes[data[0] >> 5], strlen(codes[data[0] >> 5]));
	text = slice_of(data + 1, size - 1);
	r = amount_read(text, &hint, &a);
	check(r < AMOUNT_REFUSALS && amount_refusal_name(r));
	if (r) {
		check(a.units == 4711 && a.scale == 99);
	} else {
		check(a.scale <= AMOUNT_SCALE_MAX && a.units > INT64_MIN && !a.currency[3]);
		check(!a.currency[0] || amount_minor_digits(a.currency) >= 0 ||
		      !strcmp(a.currency, "xyz"));
	}
	hint.decimal = 0;
	without = amount_read(text, &hint, &b);
	if (!without)
		check(!r && !memcmp(&a.units, &b.units, sizeof(a.units)) && a.scale == b.scale);
	if (amount_currency(text, code))
		check(amount_minor_digits(code) >= 0);
	return 0;
}
