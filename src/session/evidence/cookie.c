/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cookie.c: see cookie.h. Pure functions over slices, linear in the length of the field, so that 64 KiB
 * of cookies cost no more than 64 KiB of anything else. Called by evidence.c for each head.
 */
#include "session/evidence/cookie.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void split(struct slice pair, struct cookie *ret)
{
	struct slice value = pair, name = slice_next(&value, '=');

	if (!value.at) { /* no '=' */
		value = name;
		name = slice_sub(name, 0, 0);
	}
	ret->name = slice_trim(name);
	ret->value = slice_trim(value);
}

bool cookie_next(struct slice *rest, struct cookie *ret)
{
	while (rest->at) {
		struct slice pair = slice_trim(slice_next(rest, ';'));

		if (!pair.len)
			continue;
		split(pair, ret);
		return true;
	}
	return false;
}

/* Section 5.2.2: digits with a '-' in front or not, else the attribute is ignored. */
static void take_max_age(struct slice value, struct set_cookie *c)
{
	bool minus = value.len && value.at[0] == '-';
	int64_t v = 0;

	if (minus)
		value = slice_sub(value, 1, value.len);
	if (!value.len)
		return;
	for (size_t i = 0; i < value.len; i++) {
		if (!is_digit(value.at[i]))
			return;
		if (v < INT64_MAX / 10 - 1)
			v = v * 10 + (value.at[i] - '0');
	}
	c->has_max_age = true;
	c->max_age_s = minus ? -v : v;
}

bool set_cookie_parse(struct slice field, struct set_cookie *ret)
{
	struct slice rest = field, pair = slice_next(&rest, ';');

	*ret = (struct set_cookie){ 0 };
	split(slice_trim(pair), &ret->cookie);
	if (!ret->cookie.name.len && !ret->cookie.value.len)
		return false;
	while (rest.at) {
		struct cookie attribute;

		split(slice_trim(slice_next(&rest, ';')), &attribute);
		if (slice_ieq(attribute.name, SLICE("Max-Age")))
			take_max_age(attribute.value, ret);
		else if (slice_ieq(attribute.name, SLICE("Path")))
			ret->path = slice_starts(attribute.value, SLICE("/")) ? attribute.value
									      : slice_of(NULL, 0);
		else if (slice_ieq(attribute.name, SLICE("Expires")) &&
			 cookie_date(attribute.value, &ret->expires_s))
			ret->has_expires = true;
	}
	return true;
}

bool set_cookie_is_over(const struct set_cookie *c, int64_t now_s)
{
	if (c->has_max_age)
		return c->max_age_s <= 0;
	return c->has_expires && c->expires_s <= now_s;
}

/* ---- dates ---- */

struct date {
	bool has_time, has_day, has_month, has_year;
	int hour, minute, second, day, month, year;
};

static bool is_delimiter(char c)
{
	unsigned char u = (unsigned char)c;

	return u == 0x09 || (u >= 0x20 && u <= 0x2f) || (u >= 0x3b && u <= 0x40) ||
	       (u >= 0x5b && u <= 0x60) || (u >= 0x7b && u <= 0x7e);
}

/* At least `least` and at most `most` digits, then no digit. Returns how many, 0: it is not so. */
static size_t digits(struct slice s, size_t least, size_t most, int *ret)
{
	size_t n = 0;
	int v = 0;

	while (n < s.len && n < most && is_digit(s.at[n]))
		v = v * 10 + (s.at[n++] - '0');
	if (n < least || (n < s.len && is_digit(s.at[n])))
		return 0;
	*ret = v;
	return n;
}

static bool take_time(struct slice s, struct date *d)
{
	int part[3];

	for (unsigned i = 0; i < 3; i++) {
		size_t n = digits(s, 1, 2, &part[i]);

		if (!n || (i < 2 && (n >= s.len || s.at[n] != ':')))
			return false;
		s = slice_sub(s, n + 1, s.len);
	}
	d->hour = part[0];
	d->minute = part[1];
	d->second = part[2];
	return d->has_time = true;
}

static bool take_month(struct slice s, struct date *d)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";

	for (int m = 0; m < 12 && s.len >= 3; m++) {
		if (!slice_ieq(slice_sub(s, 0, 3), slice_of(names + 3 * m, 3)))
			continue;
		d->month = m + 1;
		return d->has_month = true;
	}
	return false;
}

static void take_token(struct slice s, struct date *d)
{
	if (!d->has_time && take_time(s, d))
		return;
	if (!d->has_day && digits(s, 1, 2, &d->day)) {
		d->has_day = true;
		return;
	}
	if (!d->has_month && take_month(s, d))
		return;
	if (!d->has_year && digits(s, 2, 4, &d->year))
		d->has_year = true;
}

/* Days since 1970 of a date of the Gregorian calendar. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool cookie_date(struct slice s, int64_t *ret_unix_s)
{
	struct date d = { 0 };
	size_t from = 0;

	for (size_t i = 0; i <= s.len; i++) {
		if (i < s.len && !is_delimiter(s.at[i]))
			continue;
		if (i > from)
			take_token(slice_sub(s, from, i), &d);
		from = i + 1;
	}
	if (!d.has_time || !d.has_day || !d.has_month || !d.has_year)
		return false;
	if (d.year >= 70 && d.year <= 99)
		d.year += 1900;
	else if (d.year <= 69)
		d.year += 2000;
	if (d.day < 1 || d.day > 31 || d.year < 1601 || d.hour > 23 || d.minute > 59 ||
	    d.second > 59)
		return false;
	*ret_unix_s =
		days_of(d.year, d.month, d.day) * 86400 + d.hour * 3600 + d.minute * 60 + d.second;
	return true;
}
