/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_value.c: values of the configuration one by one: sizes, durations, ratios, globs. What a whole file
 * says of them: agent_config.c.
 */
#include "unit.h"

#include "agent/config/setting.h"

/* As other programs take OTEL_TRACES_SAMPLER_ARG: any way to write a number from 0 to 1. */
static void ratios(void **state)
{
	static const struct {
		const char *text;
		double value; /* below 0: refused */
	} rows[] = { { ".5", 0.5 },    { "1e-3", 1e-3 }, { "2.5E-1", 0.25 }, { "1E+0", 1 },
		     { "50e-2", 0.5 }, { "1.0", 1 },	 { "0", 0 },	     { "1e-999", 0 },
		     { "100%", 1 },    { "1e1", -1 },	 { "1e999", -1 },    { ".", -1 },
		     { "1e", -1 },     { "1e-", -1 },	 { "-0.5", -1 },     { "0x1", -1 },
		     { "1e-3%", -1 },  { "nan", -1 },	 { "", -1 },	     { "0.5 ", -1 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double got = -1;
		int err = value_ratio(rows[i].text, &got);

		assert_int_equal(err != 0, rows[i].value < 0);
		assert_true(got > rows[i].value - 1e-12 && got < rows[i].value + 1e-12);
	}
}

static void numbers_with_units(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes, ns; /* 0 = refused */
	} cases[] = {
		{ "1", 1, 1000000000 },
		{ "4MiB", 4 << 20, 0 },
		{ "64K", 65536, 0 },
		{ "1kB", 1000, 0 },
		{ "1.5GiB", 1610612736, 0 },
		{ "10s", 0, 10000000000 },
		{ "250 ms", 0, 250000000 },
		{ "0.5m", 0, 30000000000 },
		{ "1h", 0, 3600000000000 },
		{ "2d", 0, 172800000000000 },
		{ "99999999999999999999", 0, 0 },
		{ "18446744073709551615", 0, 0 },
		{ "", 0, 0 },
		{ "-1", 0, 0 },
		{ "1e3", 0, 0 },
		{ ".5", 0, 0 },
		{ "1.", 0, 0 },
		{ "0x10", 0, 0 },
		{ "1 x", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t v = 0;

		assert_int_equal(value_bytes(cases[i].text, &v) == 0, cases[i].bytes != 0);
		assert_u64(v, cases[i].bytes);
		v = 0;
		assert_int_equal(value_duration(cases[i].text, &v) == 0, cases[i].ns != 0);
		assert_u64(v, cases[i].ns);
	}
}

static void globs(void **state)
{
	assert_true(config_glob("nginx", "/usr/sbin/nginx"));
	assert_true(config_glob("python3*", "/usr/bin/python3.11"));
	assert_true(config_glob("/opt/*/bin/node", "/opt/a/b/bin/node"));
	assert_false(config_glob("nginx", "/opt/nginx/bin/other"));
	assert_false(config_glob("/usr/bin/nginx", "/usr/sbin/nginx"));
	assert_false(config_glob("*", ""));
	assert_true(config_glob("*", "curl"));
}

UNIT_MAIN(T(numbers_with_units), T(ratios), T(globs))
