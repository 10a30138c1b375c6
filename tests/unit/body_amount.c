/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_amount.c: amounts as people and programs write them; what can be read in two ways, with every hint; and
 * all numbers of a range in all ways of grouping, against arithmetic.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "txn/body/amount.h"

static const struct amount_hint none, point = { .decimal = '.' }, comma = { .decimal = ',' },
				      cents = { .has_scale = true, .scale = 2, .currency = "USD" },
				      swedish = { .currency = "SEK" }, yen = { .currency = "JPY" },
				      euros = { .currency = "EUR" };

static const struct {
	const char *text;
	const struct amount_hint *hint;
	int64_t units;
	unsigned scale;
	const char *currency;
} good[] = {
	/* as the issue lists them */
	{ "311760", &cents, 311760, 2, "USD" },
	{ "30.0000", &none, 300000, 4, "" },
	{ "30.0000", &euros, 3000, 2, "EUR" },
	{ "1\xe2\x80\xaf"
	  "234,50\xc2\xa0\xe2\x82\xac",
	  &none, 123450, 2, "EUR" },
	{ "1 234,50 \xe2\x82\xac", &none, 123450, 2, "EUR" },
	{ "\xe2\x82\xac"
	  "1,234.50",
	  &none, 123450, 2, "EUR" },
	{ "12.345,00 EUR", &none, 1234500, 2, "EUR" },
	{ "\xc2\xa5"
	  "1200",
	  &yen, 1200, 0, "JPY" },
	{ "CHF 1'234.50", &none, 123450, 2, "CHF" },
	{ "CHF 1\xe2\x80\x99"
	  "234.50",
	  &none, 123450, 2, "CHF" },
	{ "\xe2\x82\xb9"
	  "12,34,567.89",
	  &none, 123456789, 2, "INR" },
	{ "\xe2\x82\xb9 1,00,000", &none, 10000000, 2, "INR" },
	/* plain */
	{ "0", &none, 0, 0, "" },
	{ " 7 ", &none, 7, 0, "" },
	{ "12", &euros, 1200, 2, "EUR" },
	{ "19.99", &none, 1999, 2, "" },
	{ "19,99", &none, 1999, 2, "" },
	{ "5.5", &none, 55, 1, "" },
	{ "0.234", &none, 234, 3, "" },
	{ ".50", &none, 50, 2, "" },
	{ "1234.567", &none, 1234567, 3, "" },
	{ "1,234.567", &none, 1234567, 3, "" },
	{ "1.234.567", &none, 1234567, 0, "" },
	{ "1 234 567,8", &none, 12345678, 1, "" },
	{ "KWD 1.2345", &none, 12345, 4, "KWD" },
	{ "12.5 KWD", &none, 12500, 3, "KWD" },
	{ "JPY 1,234,567", &none, 1234567, 0, "JPY" },
	{ "ISK 1.234.567", &none, 1234567, 0, "ISK" },
	{ "0.1234 USD", &none, 1234, 4, "USD" },
	{ "1.230 USD", &point, 123, 2, "USD" },
	{ "1e3", &none, 1000, 0, "" },
	{ "1.25E2", &point, 125, 0, "" },
	{ "125e-2", &point, 125, 2, "" },
	{ "0e400", &point, 0, 0, "" },
	{ "9223372036854775807", &none, INT64_MAX, 0, "" },
	{ "0.123456789012345678", &none, 123456789012345678, 18, "" },
	/* hints */
	{ "1.234", &point, 1234, 3, "" },
	{ "1.234", &comma, 1234, 0, "" },
	{ "1,234", &point, 1234, 0, "" },
	{ "1,234", &comma, 1234, 3, "" },
	{ "1.50", &comma, 150, 2, "" },
	{ "1,234.50", &comma, 123450, 2, "" },
	{ "100", &cents, 100, 2, "USD" },
	{ "\xe2\x82\xac"
	  "5",
	  &cents, 5, 2, "EUR" },
	/* signs */
	{ "-12.50", &none, -1250, 2, "" },
	{ "\xe2\x88\x92"
	  "12,50 \xe2\x82\xac",
	  &none, -1250, 2, "EUR" },
	{ "-\xe2\x82\xac"
	  "12.50",
	  &none, -1250, 2, "EUR" },
	{ "\xe2\x82\xac -12.50", &none, -1250, 2, "EUR" },
	{ "12.50-", &none, -1250, 2, "" },
	{ "+3.00", &none, 300, 2, "" },
	{ "(12.50)", &none, -1250, 2, "" },
	{ "(\xc2\xa3"
	  "12.50)",
	  &none, -1250, 2, "GBP" },
	{ "(12.50) USD", &none, -1250, 2, "USD" },
	{ "12,- \xe2\x82\xac", &none, 1200, 2, "EUR" },
	{ "1.234,\xe2\x80\x93 \xe2\x82\xac", &none, 123400, 2, "EUR" },
	{ "CHF 25.--", &none, 2500, 2, "CHF" },
	{ "Fr. 25.\xe2\x80\x94", &none, 25, 0, "" },
	/* currencies */
	{ "$5.00", &none, 500, 2, "" },
	{ "$5.00", &euros, 500, 2, "" },
	{ "US$5.00", &euros, 500, 2, "USD" },
	{ "US $5.00", &none, 500, 2, "USD" },
	{ "R$ 1.234,56", &none, 123456, 2, "BRL" },
	{ "99 kr", &none, 99, 0, "" },
	{ "99 kr", &swedish, 9900, 2, "SEK" },
	{ "99 kr", &euros, 99, 0, "" },
	{ "99 kr.", &swedish, 9900, 2, "SEK" },
	{ "1 299,00 K\xc4\x8d", &none, 129900, 2, "CZK" },
	{ "12,50 z\xc5\x82", &none, 1250, 2, "PLN" },
	{ "1200\xe5\x86\x86", &none, 1200, 0, "JPY" },
	{ "\xef\xbf\xa5"
	  "1200",
	  &yen, 1200, 0, "JPY" },
	{ "4 990 Ft", &none, 499000, 2, "HUF" },
	{ "12EUR", &none, 1200, 2, "EUR" },
	{ "12 Euro", &none, 1200, 2, "EUR" },
	{ "\xe2\x82\xbd 10", &none, 1000, 2, "RUB" },
};

static void check_good(unsigned i)
{
	struct amount a = { .scale = 77 };
	enum amount_refusal r = amount_read(slice_str(good[i].text), good[i].hint, &a);

	if (r || a.units != good[i].units || a.scale != good[i].scale ||
	    strcmp(a.currency, good[i].currency))
		fail_msg("%s: %s, %lld / 10^%u %s", good[i].text, amount_refusal_name(r),
			 (long long)a.units, a.scale, a.currency);
}

static void amounts_that_are_read(void **state)
{
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check_good(i);
}

static void amounts_that_are_refused(void **state)
{
	static const struct {
		const char *text;
		const struct amount_hint *hint;
		enum amount_refusal why;
	} bad[] = {
		{ "", &none, AMOUNT_EMPTY },
		{ " \xc2\xa0 ", &none, AMOUNT_EMPTY },
		{ "\xe2\x82\xac", &none, AMOUNT_EMPTY },
		{ "-", &none, AMOUNT_EMPTY },
		{ "1.234", &none, AMOUNT_AMBIGUOUS },
		{ "1,234", NULL, AMOUNT_AMBIGUOUS },
		{ "12.345 EUR", &none, AMOUNT_AMBIGUOUS },
		{ "\xc2\xa5"
		  "1,200",
		  &none, AMOUNT_AMBIGUOUS },
		{ "311,760", &cents, AMOUNT_AMBIGUOUS },
		{ "5.00", &cents, AMOUNT_SCALE },
		{ "5,-", &cents, AMOUNT_SCALE },
		{ "1,23,4", &none, AMOUNT_GROUPING },
		{ "1.2.3", &none, AMOUNT_GROUPING },
		{ "12.34.567", &none, AMOUNT_GROUPING },
		{ "12.05.2024", &none, AMOUNT_GROUPING },
		{ "127.0.0.1", &none, AMOUNT_GROUPING },
		{ "1234.567.890", &none, AMOUNT_GROUPING },
		{ "1234,567,890", &none, AMOUNT_GROUPING },
		{ "0,123,456", &none, AMOUNT_GROUPING },
		{ "1,234.567,8", &none, AMOUNT_GROUPING },
		{ "1.234,567 890", &none, AMOUNT_GROUPING },
		{ "12 34", &none, AMOUNT_GROUPING },
		{ "1'2", &none, AMOUNT_GROUPING },
		{ "1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9", &none, AMOUNT_GROUPING },
		{ "\xd9\xa1\xd9\xa2", &none, AMOUNT_DIGITS },
		{ "12 \xd9\xa1\xd9\xa2", &none, AMOUNT_DIGITS },
		{ "\xef\xbc\x91\xef\xbc\x92", &none, AMOUNT_DIGITS },
		{ "free", &none, AMOUNT_OTHER },
		{ "12.", &none, AMOUNT_OTHER },
		{ "12 pieces", &none, AMOUNT_OTHER },
		{ "from 12 \xe2\x82\xac", &none, AMOUNT_OTHER },
		{ "12,50 \xe2\x82\xac 9,99 \xe2\x82\xac", &none, AMOUNT_OTHER },
		{ "EUR 12 USD", &none, AMOUNT_OTHER },
		{ "--12", &none, AMOUNT_OTHER },
		{ "-12-", &none, AMOUNT_OTHER },
		{ "(-12)", &none, AMOUNT_OTHER },
		{ "(12", &none, AMOUNT_OTHER },
		{ "12)", &none, AMOUNT_OTHER },
		{ "12 QQQ", &none, AMOUNT_OTHER },
		{ "12 EURO", &none, AMOUNT_OTHER },
		{ "12 eur", &none, AMOUNT_OTHER },
		{ "0x12", &none, AMOUNT_OTHER },
		{ "NaN", &none, AMOUNT_OTHER },
		{ "9223372036854775808", &none, AMOUNT_OVERFLOW },
		{ "99999999999999999999999999", &none, AMOUNT_OVERFLOW },
		{ "1e19", &none, AMOUNT_OVERFLOW },
		{ "1e-19", &none, AMOUNT_OVERFLOW },
		{ "1e999999999999", &none, AMOUNT_OVERFLOW },
		{ "0.1234567890123456789", &none, AMOUNT_OVERFLOW },
	};

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct amount a = { .units = 77 };
		enum amount_refusal r = amount_read(slice_str(bad[i].text), bad[i].hint, &a);

		if (r != bad[i].why)
			fail_msg("%s: %s, not %s", bad[i].text, amount_refusal_name(r),
				 amount_refusal_name(bad[i].why));
		assert_true(!r || a.units == 77); /* written only on success */
	}
}

/* Digits of v in groups; indian: two, after the last three. */
static void grouped(char *out, size_t room, uint64_t v, const char *separator, bool indian)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)v), n = 0;

	for (int i = 0; i < len; i++) {
		int left = len - i;

		if (i && (indian ? left == 3 || (left > 3 && (left - 3) % 2 == 0) : left % 3 == 0))
			n += snprintf(out + n, room - (size_t)n, "%s", separator);
		out[n++] = digits[i];
	}
	out[n] = 0;
}

static void every_way_of_grouping(void **state)
{
	static const struct {
		const char *group;
		char decimal;
		bool indian;
	} ways[] = { { ",", '.', false },
		     { ".", ',', false },
		     { " ", ',', false },
		     { "\xc2\xa0", ',', false },
		     { "\xe2\x80\xaf", '.', false },
		     { "'", '.', false },
		     { "\xe2\x80\x99", ',', false },
		     { ",", '.', true },
		     { "", '.', false },
		     { "", ',', false } };
	char whole[80], text[100];

	for (uint64_t v = 0; v < 100000000000000; v = v * 7 / 3 + 1) {
		for (unsigned w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
			struct amount a;

			grouped(whole, sizeof(whole), v, ways[w].group, ways[w].indian);
			for (unsigned decimals = 1; decimals <= 2; decimals++) {
				unsigned part =
					decimals == 1 ? (unsigned)(v % 10) : (unsigned)(v % 100);

				snprintf(text, sizeof(text), "%s%c%0*u", whole, ways[w].decimal,
					 (int)decimals, part);
				assert_int_equal(amount_read(slice_str(text), NULL, &a),
						 AMOUNT_READ);
				assert_int_equal(a.scale, decimals);
				assert_true((uint64_t)a.units ==
					    v * (decimals == 1 ? 10 : 100) + part);
			}
			if (v >= 1000000 && *ways[w].group) { /* two separators: surely groups */
				assert_int_equal(amount_read(slice_str(whole), NULL, &a),
						 AMOUNT_READ);
				assert_true((uint64_t)a.units == v && !a.scale);
			}
		}
	}
}

static void currencies(void **state)
{
	char code[4];

	assert_true(amount_currency(SLICE("eur"), code) && !strcmp(code, "EUR"));
	assert_true(amount_currency(SLICE(" \xe2\x82\xac "), code) && !strcmp(code, "EUR"));
	assert_true(amount_currency(SLICE("z\xc5\x82"), code) && !strcmp(code, "PLN"));
	assert_false(amount_currency(SLICE("$"), code));
	assert_false(amount_currency(SLICE("kr"), code));
	assert_false(amount_currency(SLICE("EURO"), code));
	assert_false(amount_currency(SLICE("QQQ"), code));
	assert_false(amount_currency(SLICE(""), code));
	assert_false(amount_currency(SLICE("EU"), code));
	assert_int_equal(amount_minor_digits("EUR"), 2);
	assert_int_equal(amount_minor_digits("JPY"), 0);
	assert_int_equal(amount_minor_digits("KWD"), 3);
	assert_int_equal(amount_minor_digits("CLF"), 4);
	assert_int_equal(amount_minor_digits("UYE"), -1);
	assert_int_equal(amount_minor_digits(""), -1);
}

static void other_scales(void **state)
{
	struct amount a = { 12500, 3, "" };

	assert_true(amount_rescale(&a, 2) && a.units == 1250 && a.scale == 2);
	assert_true(amount_rescale(&a, 1) && a.units == 125);
	assert_false(amount_rescale(&a, 0));
	assert_true(a.units == 125 && a.scale == 1);
	assert_false(amount_rescale(&a, 18) || amount_rescale(&a, 19));
	assert_true(amount_rescale(&a, 4) && a.units == 125000);
	a = (struct amount){ -1500, 2, "" };
	assert_true(amount_rescale(&a, 0) && a.units == -15);
}

UNIT_MAIN(T(amounts_that_are_read), T(amounts_that_are_refused), T(every_way_of_grouping),
	  T(currencies), T(other_scales))
