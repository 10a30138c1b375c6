/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amount.c: see amount.h. A text is taken apart from the left: signs, currency, the number as runs of digits
 * with separators between them, currency, sign. Which separator is the decimal one follows from their kinds
 * and the lengths of the runs alone; only where both readings are good writing a hint decides.
 */
#include "txn/body/amount.h"

#include "txn/body/currency.h"

#define RUNS 16

enum separator { SEP_NONE, SEP_DOT, SEP_COMMA, SEP_SPACE, SEP_QUOTE };

struct number {
	struct slice run[RUNS]; /* of digits */
	enum separator behind[RUNS];
	unsigned count;
	bool whole;		/* ends like "12,-": no decimals */
	int exponent;		/* of JSON numbers */
	unsigned decimals_from; /* first run of the decimals; count: none */
};

struct amount_reader {
	struct slice left;
	bool minus, plus, bracket; /* seen */
	struct currency currency;
	struct number number;
};

const char *amount_refusal_name(enum amount_refusal r)
{
	static const char *const names[AMOUNT_REFUSALS] = { "read",	"empty",   "ambiguous",
							    "grouping", "digits",  "other",
							    "scale",	"overflow" };

	return names[r];
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool take(struct amount_reader *r, struct slice what)
{
	if (!slice_starts(r->left, what))
		return false;
	r->left = slice_sub(r->left, what.len, r->left.len);
	return true;
}

/* Octets of the blank at the front: space, tab, ends of lines; no-break, figure, thin, narrow no-break. */
static size_t blank_at(struct slice s)
{
	static const struct slice wide[] = { SLICE("\xc2\xa0"), SLICE("\xe2\x80\x87"),
					     SLICE("\xe2\x80\x89"), SLICE("\xe2\x80\xaf") };

	if (!s.len)
		return 0;
	if (s.at[0] == ' ' || (s.at[0] >= '\t' && s.at[0] <= '\r'))
		return 1;
	for (unsigned i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		if (slice_starts(s, wide[i]))
			return wide[i].len;
	return 0;
}

static void skip_blanks(struct amount_reader *r)
{
	size_t n;

	while ((n = blank_at(r->left)))
		r->left = slice_sub(r->left, n, r->left.len);
}

static enum separator separator_at(struct slice s, size_t *ret_len)
{
	*ret_len = 1;
	if (!s.len)
		return SEP_NONE;
	switch (s.at[0]) {
	case '.':
		return SEP_DOT;
	case ',':
		return SEP_COMMA;
	case '\'':
		return SEP_QUOTE;
	default:
		break;
	}
	*ret_len = 3;
	if (slice_starts(s, SLICE("\xe2\x80\x99")))
		return SEP_QUOTE;
	*ret_len = blank_at(s);
	return *ret_len ? SEP_SPACE : SEP_NONE;
}

/* "12,-", "12.–", "12,—": no decimals. */
static bool take_whole(struct amount_reader *r)
{
	struct slice rest = slice_sub(r->left, 1, r->left.len);

	if (!r->left.len || (r->left.at[0] != '.' && r->left.at[0] != ','))
		return false;
	if (!slice_starts(rest, SLICE("-")) && !slice_starts(rest, SLICE("\xe2\x80\x93")) &&
	    !slice_starts(rest, SLICE("\xe2\x80\x94")))
		return false;
	r->left = slice_sub(rest, rest.at[0] == '-' ? 1 : 3, rest.len);
	if (r->left.len && r->left.at[0] == '-') /* "12,--" */
		r->left = slice_sub(r->left, 1, r->left.len);
	return true;
}

static void take_exponent(struct amount_reader *r)
{
	struct slice s = r->left;
	bool minus;
	size_t n = 1;
	int v = 0;

	if (s.len < 2 || (s.at[0] | 0x20) != 'e')
		return;
	minus = s.at[1] == '-';
	n += minus || s.at[1] == '+';
	if (n == s.len || !is_digit(s.at[n]))
		return;
	for (; n < s.len && is_digit(s.at[n]); n++)
		v = v < 1000 ? v * 10 + (s.at[n] - '0') : v;
	r->number.exponent = minus ? -v : v;
	r->left = slice_sub(s, n, s.len);
}

static enum amount_refusal take_number(struct amount_reader *r)
{
	struct number *n = &r->number;

	for (;;) {
		size_t digits = 0, len;
		enum separator sep;

		while (digits < r->left.len && is_digit(r->left.at[digits]))
			digits++;
		if (n->count == RUNS)
			return AMOUNT_GROUPING;
		n->run[n->count++] = slice_sub(r->left, 0, digits);
		r->left = slice_sub(r->left, digits, r->left.len);
		sep = separator_at(r->left, &len);
		if (sep == SEP_NONE || r->left.len == len || !is_digit(r->left.at[len]))
			break;
		n->behind[n->count - 1] = sep;
		r->left = slice_sub(r->left, len, r->left.len);
	}
	n->whole = take_whole(r);
	take_exponent(r);
	return AMOUNT_READ;
}

/* Groups of three; or of two with three at the end, as in India, with commas. The first is shorter or as
 * long. */
static bool groups_are_good(const struct number *n, unsigned groups)
{
	size_t inner = groups > 2 ? n->run[1].len : 3;

	if (n->run[0].len < 1 || n->run[0].at[0] == '0' || n->run[0].len > inner ||
	    (inner != 3 && (inner != 2 || n->behind[0] != SEP_COMMA)))
		return false;
	for (unsigned i = 1; i + 1 < groups; i++)
		if (n->run[i].len != inner)
			return false;
	return n->run[groups - 1].len == 3;
}

/* One separator, one time. */
static enum amount_refusal one_separator(struct number *n, const struct amount_hint *hint)
{
	const size_t before = n->run[0].len, behind = n->run[1].len;
	const char sign = n->behind[0] == SEP_DOT ? '.' : ',';
	const bool may_group = before >= 1 && before <= 3 && behind == 3 && n->run[0].at[0] != '0';

	if (n->behind[0] >= SEP_SPACE || n->whole)
		return may_group ? AMOUNT_READ : AMOUNT_GROUPING;
	if (may_group && !n->exponent) {
		if (!hint || !hint->decimal)
			return AMOUNT_AMBIGUOUS;
		if (hint->decimal != sign)
			return AMOUNT_READ;
	}
	n->decimals_from = 1;
	return AMOUNT_READ;
}

/* Decides which runs are decimals. */
static enum amount_refusal judge(struct number *n, const struct amount_hint *hint)
{
	unsigned last = n->count - 1;

	n->decimals_from = n->count;
	if (n->count == 1)
		return AMOUNT_READ;
	if (n->count == 2)
		return one_separator(n, hint);
	for (unsigned i = 1; i + 1 < last; i++)
		if (n->behind[i] != n->behind[0])
			return AMOUNT_GROUPING;
	if (n->behind[last - 1] == n->behind[0])
		return groups_are_good(n, n->count) ? AMOUNT_READ : AMOUNT_GROUPING;
	if (n->behind[last - 1] >= SEP_SPACE || n->whole || !groups_are_good(n, last))
		return AMOUNT_GROUPING;
	n->decimals_from = last;
	return AMOUNT_READ;
}

static bool append(struct amount *a, char digit)
{
	return !__builtin_mul_overflow(a->units, 10, &a->units) &&
	       !__builtin_add_overflow(a->units, digit - '0', &a->units);
}

static enum amount_refusal compute(const struct number *n, struct amount *a)
{
	int scale = -n->exponent;

	for (unsigned i = 0; i < n->count; i++) {
		for (size_t k = 0; k < n->run[i].len; k++)
			if (!append(a, n->run[i].at[k]))
				return AMOUNT_OVERFLOW;
		if (i >= n->decimals_from)
			scale += (int)n->run[i].len;
	}
	for (; scale < 0 && a->units; scale++)
		if (!append(a, '0'))
			return AMOUNT_OVERFLOW;
	if (scale > AMOUNT_SCALE_MAX)
		return AMOUNT_OVERFLOW;
	a->scale = (uint8_t)(scale < 0 ? 0 : scale);
	return AMOUNT_READ;
}

/* ---- around the number ---- */

static bool take_sign(struct amount_reader *r)
{
	if (r->minus || r->plus)
		return false;
	r->minus = take(r, SLICE("-")) || take(r, SLICE("\xe2\x88\x92")) ||
		   take(r, SLICE("\xe2\x80\x93"));
	r->plus = !r->minus && take(r, SLICE("+"));
	return r->minus || r->plus;
}

static bool take_currency(struct amount_reader *r)
{
	if (r->currency.len)
		return false;
	r->currency = currency_at(r->left);
	r->left = slice_sub(r->left, r->currency.len, r->left.len);
	return r->currency.len;
}

static enum amount_refusal take_apart(struct amount_reader *r)
{
	enum amount_refusal refusal;

	do
		skip_blanks(r);
	while ((!r->bracket && !r->minus && (r->bracket = take(r, SLICE("(")))) || take_sign(r) ||
	       take_currency(r));
	if (!r->left.len)
		return AMOUNT_EMPTY;
	/* ".50" has decimals and no more */
	if (!is_digit(r->left.at[0]) && !((r->left.at[0] == '.' || r->left.at[0] == ',') &&
					  r->left.len > 1 && is_digit(r->left.at[1])))
		return currency_has_digit(r->left) ? AMOUNT_DIGITS : AMOUNT_OTHER;
	refusal = take_number(r);
	if (refusal)
		return refusal;
	do
		skip_blanks(r);
	while (take_currency(r) || (!r->bracket && take_sign(r)));
	if (r->bracket && !take(r, SLICE(")")))
		return currency_has_digit(r->left) ? AMOUNT_DIGITS : AMOUNT_OTHER;
	skip_blanks(r);
	if (r->bracket && take_currency(r))
		skip_blanks(r);
	if (r->left.len)
		return currency_has_digit(r->left) ? AMOUNT_DIGITS : AMOUNT_OTHER;
	return r->bracket && (r->minus || r->plus) ? AMOUNT_OTHER : AMOUNT_READ;
}

bool amount_rescale(struct amount *a, uint8_t scale)
{
	struct amount b = *a;

	if (scale > AMOUNT_SCALE_MAX)
		return false;
	for (; b.scale > scale; b.scale--) {
		if (b.units % 10)
			return false;
		b.units /= 10;
	}
	for (; b.scale < scale; b.scale++)
		if (__builtin_mul_overflow(b.units, 10, &b.units))
			return false;
	*a = b;
	return true;
}

/* At least the scale of the currency's smallest unit, and no zeros beyond it. */
static void settle(struct amount *a)
{
	int digits = amount_minor_digits(a->currency);

	if (digits < 0)
		return;
	while (a->scale > digits && !(a->units % 10)) {
		a->units /= 10;
		a->scale--;
	}
	if (a->scale < digits)
		amount_rescale(
			a,
			(uint8_t)digits); /* where 63 bits are too few it stays as it is written */
}

enum amount_refusal amount_read(struct slice text, const struct amount_hint *hint,
				struct amount *ret)
{
	struct amount_reader r = { .left = text };
	struct amount a = { 0 };
	enum amount_refusal refusal = take_apart(&r);

	if (!refusal)
		refusal = judge(&r.number, hint);
	if (!refusal)
		refusal = compute(&r.number, &a);
	if (refusal)
		return refusal;
	if (hint && hint->has_scale) {
		if (a.scale || r.number.whole)
			return AMOUNT_SCALE;
		if (hint->scale > AMOUNT_SCALE_MAX)
			return AMOUNT_OVERFLOW;
		a.scale = hint->scale;
	}
	if (r.minus || r.bracket)
		a.units = -a.units;
	currency_decide(r.currency, hint ? hint->currency : "", a.currency);
	settle(&a);
	*ret = a;
	return AMOUNT_READ;
}

/* ---- arithmetic ---- */

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
