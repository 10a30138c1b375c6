/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.c: the text of a value → a number, size, duration, ratio or truth. One grammar for file,
 * environment and command line. Nothing is rounded or clamped in silence: what does not fit is an
 * error. Independent of the locale.
 */
#include "agent/config/setting.h"

#include <errno.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit byte_units[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "K", 1ull << 10 },
	{ "KiB", 1ull << 10 },
	{ "M", 1ull << 20 },
	{ "MiB", 1ull << 20 },
	{ "G", 1ull << 30 },
	{ "GiB", 1ull << 30 },
	{ "kB", 1000 },
	{ "MB", 1000000 },
	{ "GB", 1000000000 },
	{ NULL, 0 },
};

static const struct unit duration_units[] = {
	{ "", 1000000000 },	 { "ns", 1 },
	{ "us", 1000 },		 { "ms", 1000000 },
	{ "s", 1000000000 },	 { "min", 60000000000 },
	{ "m", 60000000000 },	 { "h", 3600000000000 },
	{ "d", 86400000000000 }, { NULL, 0 },
};

/* digits [ '.' digits ] → whole and billionths; what follows is left in *rest. */
static int decimal(const char *text, uint64_t *ret_whole, uint64_t *ret_billionths,
		   const char **ret_rest)
{
	const char *p = text;
	uint64_t whole = 0;
	uint64_t part = 0;
	uint64_t scale = 100000000;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (whole > (UINT64_MAX - 9) / 10)
			return -ERANGE;
		whole = whole * 10 + (uint64_t)(*p - '0');
	}
	if (*p == '.') {
		p++;
		if (*p < '0' || *p > '9')
			return -EINVAL;
		for (; *p >= '0' && *p <= '9'; p++, scale /= 10)
			part += (uint64_t)(*p - '0') * scale;
	}
	*ret_whole = whole;
	*ret_billionths = part;
	*ret_rest = p;
	return 0;
}

static int with_unit(const char *text, const struct unit *units, uint64_t *ret)
{
	uint64_t whole, part;
	const char *rest;
	int err = decimal(text, &whole, &part, &rest);

	if (err)
		return err;
	while (*rest == ' ')
		rest++;
	for (; units->name; units++)
		if (strcmp(units->name, rest) == 0)
			break;
	if (!units->name)
		return -EINVAL;
	if (whole > (UINT64_MAX / units->factor) - 1)
		return -ERANGE;
	part = (uint64_t)((unsigned __int128)part * units->factor / 1000000000);
	*ret = whole * units->factor + part;
	return 0;
}

int value_number(const char *text, uint64_t *ret)
{
	return slice_u64(slice_str(text), ret);
}

int value_bytes(const char *text, uint64_t *ret)
{
	return with_unit(text, byte_units, ret);
}

int value_duration(const char *text, uint64_t *ret_ns)
{
	return with_unit(text, duration_units, ret_ns);
}

/* 'e' [sign] digits → the power of ten; not by strtod, whose decimal point is the locale's. */
static int exponent(const char *text, double *ret)
{
	bool negative = text[1] == '-';
	const char *p = text + 1 + (text[1] == '-' || text[1] == '+');
	int power = 0;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++)
		power = power < 1000 ? power * 10 + (*p - '0') : power;
	if (*p)
		return -EINVAL;
	*ret = 1;
	for (power = power < 400 ? power : 400; power; power--)
		*ret = negative ? *ret / 10 : *ret * 10;
	return 0;
}

int value_ratio(const char *text, double *ret)
{
	uint64_t whole = 0, part = 0, scale = 100000000;
	const char *rest = text;
	double v, factor = 1;

	if (*text == '.' && text[1] >= '0' && text[1] <= '9') { /* .5, as other programs take it */
		for (rest = text + 1; *rest >= '0' && *rest <= '9'; rest++, scale /= 10)
			part += (uint64_t)(*rest - '0') * scale;
	} else if (decimal(text, &whole, &part, &rest)) {
		return -EINVAL;
	}
	if (strcmp(rest, "%") == 0)
		factor = 0.01;
	else if ((*rest == 'e' || *rest == 'E') && exponent(rest, &factor))
		return -EINVAL;
	else if (*rest && *rest != 'e' && *rest != 'E')
		return -EINVAL;
	v = ((double)whole + (double)part / 1e9) * factor;
	if (v > 1)
		return -ERANGE;
	*ret = v;
	return 0;
}

int value_bool(const char *text, bool *ret)
{
	static const char *const yes[] = { "true", "yes", "on", "1" };
	static const char *const no[] = { "false", "no", "off", "0" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		bool is_yes = slice_ieq(slice_str(text), slice_str(yes[i]));

		if (is_yes || slice_ieq(slice_str(text), slice_str(no[i]))) {
			*ret = is_yes;
			return 0;
		}
	}
	return -EINVAL;
}
