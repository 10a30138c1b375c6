/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amount.c: arithmetic of amounts (txn/body/amount.h) for the cart: exact in decimal integers, or not at
 * all. Amounts of different currencies are never added or compared; quantities have none.
 */
#include "journey/cart/internal.h"

static bool same_currency(const struct amount *a, const struct amount *b)
{
	return !memcmp(a->currency, b->currency, sizeof(a->currency));
}

/* Both to the finer scale. */
static bool align(struct amount *a, struct amount *b)
{
	uint8_t scale = a->scale > b->scale ? a->scale : b->scale;

	return amount_rescale(a, scale) && amount_rescale(b, scale);
}

bool amount_add(const struct amount *a, const struct amount *b, int sign, struct amount *ret)
{
	struct amount x = *a, y = *b;
	bool over;

	if (!same_currency(a, b) || !align(&x, &y))
		return false;
	over = sign < 0 ? __builtin_sub_overflow(x.units, y.units, &x.units)
			: __builtin_add_overflow(x.units, y.units, &x.units);
	if (over)
		return false;
	*ret = x;
	return true;
}

bool amount_same(const struct amount *a, const struct amount *b)
{
	struct amount x = *a, y = *b;

	/* what cannot be written in the finer scale is too large to be equal to what can */
	return same_currency(a, b) && align(&x, &y) && x.units == y.units;
}

int amount_sign(const struct amount *a)
{
	return a->units > 0 ? 1 : a->units < 0 ? -1 : 0;
}

static void strip(struct amount *a, int least)
{
	while (a->scale > least && a->units % 10 == 0) {
		a->units /= 10;
		a->scale--;
	}
}

bool amount_times(const struct amount *price, const struct amount *quantity, struct amount *ret)
{
	struct amount p = *price, q = *quantity;
	int digits = amount_minor_digits(p.currency);

	if (!p.currency[0])
		return false;
	strip(&q, 0);
	if (p.scale + q.scale > AMOUNT_SCALE_MAX)
		strip(&p, 0);
	if (p.scale + q.scale > AMOUNT_SCALE_MAX ||
	    __builtin_mul_overflow(p.units, q.units, &p.units))
		return false;
	p.scale = (uint8_t)(p.scale + q.scale);
	strip(&p, digits < 0 ? 0 : digits);
	if (p.scale < digits)
		amount_rescale(&p, (uint8_t)digits); /* where 63 bits are too few it stays */
	*ret = p;
	return true;
}
