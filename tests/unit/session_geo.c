/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_geo.c: country and region from MaxMind DB files that the test writes: the three ways in which
 * they are laid out, both versions, all record sizes; files that are cut off at every octet, damaged,
 * of another kind; another file in the place of the first.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>

#include "mmdb_kit.h"
#include "session/who.h"

static struct pc_addr addr(const char *text)
{
	struct pc_addr a;

	assert_int_equal(address_parse(slice_str(text), &a), 0);
	return a;
}

static void expect(struct geo *g, const char *text, const char *country, const char *region)
{
	struct pc_addr a = addr(text);
	struct place p;

	geo_find(g, &a, &p);
	if (strcmp(p.country, country) || strcmp(p.region, region))
		fail_msg("%s: '%s' '%s' instead of '%s' '%s'", text, p.country, p.region, country,
			 region);
}

enum { NESTED, CODE, FLAT };

/* 192.0.2.0/24 DE-BY, 198.51.100.0/25 FR without region, 2001:db8::/32 JP-13 (version 6). */
static void make(unsigned version, unsigned record_size, unsigned schema, struct buf *out)
{
	struct mmdb_kit *k = malloc(sizeof(*k));
	static const char *const names[] = { "", "country_code", "country" };
	uint32_t de, fr, jp;

	assert_non_null(k);
	mmdb_init(k, version, record_size);
	if (schema == NESTED) {
		de = mmdb_nested(k, "DE", "BY");
		fr = mmdb_nested(k, "FR", NULL);
		jp = mmdb_nested(k, "JP", "13");
	} else {
		de = mmdb_flat(k, names[schema], "DE", "BY");
		fr = mmdb_flat(k, names[schema], "FR", NULL);
		jp = mmdb_flat(k, names[schema], "JP", "13");
	}
	mmdb_put(k, "192.0.2.0/24", de);
	mmdb_put(k, "198.51.100.0/25", fr);
	if (version == 6)
		mmdb_put(k, "2001:db8::/32", jp);
	mmdb_write(k, "Test-City", out);
	mmdb_done(k);
	free(k);
}

static void every_layout(void **state)
{
	for (unsigned i = 0; i < 2 * 3 * 3; i++) {
		unsigned version = i % 2 ? 6 : 4, size = 24 + i / 2 % 3 * 4;
		struct geo_stats stats;
		struct geo *g = NULL;
		const char *why = NULL;
		struct buf b;

		buf_init(&b, 1 << 20);
		make(version, size, i / 6, &b);
		if (geo_new(buf_slice(&b), &g, &why))
			fail_msg("version %u, records of %u bits: %s", version, size, why);
		expect(g, "192.0.2.1", "DE", "BY");
		expect(g, "192.0.2.255", "DE", "BY");
		expect(g, "::ffff:192.0.2.7", "DE", "BY");
		expect(g, "198.51.100.127", "FR", "");
		expect(g, "198.51.100.128", "", "");
		expect(g, "203.0.113.1", "", "");
		expect(g, "2001:db8::1", version == 6 ? "JP" : "", version == 6 ? "13" : "");
		expect(g, "2001:db9::1", "", "");
		assert_slice(geo_type(g), "Test-City");
		assert_u64(geo_build_s(g), 1700000000);
		geo_get_stats(g, &stats);
		assert_u64(stats.found, version == 6 ? 5 : 4);
		assert_u64(stats.absent, version == 6 ? 3 : 4);
		assert_u64(stats.damaged, 0);
		geo_free(g);
		buf_done(&b);
	}
}

static void without_a_file(void **state)
{
	struct geo_stats stats;

	expect(NULL, "192.0.2.1", "", "");
	geo_get_stats(NULL, &stats);
	assert_u64(stats.absent, 0);
	geo_free(NULL);
}

static void nobody_is_nowhere(void **state)
{
	struct pc_addr none = { 0 };
	const char *why;
	struct place p;
	struct geo *g;
	struct buf b;

	buf_init(&b, 1 << 20);
	make(6, 24, NESTED, &b);
	assert_int_equal(geo_new(buf_slice(&b), &g, &why), 0);
	geo_find(g, &none, &p);
	assert_string_equal(p.country, "");
	geo_free(g);
	buf_done(&b);
}

/* The bytes are copied to a place of their exact size, so that a sanitizer sees what is read beyond. */
static int open_copy(struct slice file, struct geo **ret, const char **ret_why, char **ret_copy)
{
	char *copy = malloc(file.len ? file.len : 1);

	assert_non_null(copy);
	memcpy(copy, file.at, file.len);
	*ret_copy = copy;
	return geo_new(slice_of(copy, file.len), ret, ret_why);
}

static void cut_off_anywhere(void **state)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	make(6, 28, NESTED, &b);
	for (size_t n = 0; n < b.len; n++) {
		struct geo *g = NULL;
		const char *why = NULL;
		char *copy;

		assert_int_equal(open_copy(slice_of(b.at, n), &g, &why, &copy), -EBADMSG);
		assert_non_null(why);
		assert_null(g);
		free(copy);
	}
	buf_done(&b);
}

/* Each octet set to several others: refused, or answers something, but never reads beyond. */
static void damaged_anywhere(void **state)
{
	static const unsigned char other[] = { 0x00, 0xff, 0x7f, 0x20, 0xe1 };
	unsigned refused = 0, opened = 0;
	struct buf b;

	buf_init(&b, 1 << 20);
	make(4, 24, NESTED, &b);
	for (size_t i = 0; i < b.len; i++) {
		for (unsigned k = 0; k < sizeof(other); k++) {
			char was = b.at[i], *copy;
			struct geo *g = NULL;
			const char *why = NULL;
			struct pc_addr a = addr("192.0.2.1");
			struct place p;

			b.at[i] = (char)other[k];
			if (open_copy(buf_slice(&b), &g, &why, &copy)) {
				refused++;
				assert_non_null(why);
			} else {
				opened++;
				geo_find(g, &a, &p);
				assert_true(strlen(p.country) == 0 || strlen(p.country) == 2);
				geo_free(g);
			}
			free(copy);
			b.at[i] = was;
		}
	}
	assert_true(refused > 100 && opened > 100);
	buf_done(&b);
}

static void refuse(struct slice file, const char *part)
{
	struct geo *g = NULL;
	const char *why = "";

	assert_int_equal(geo_new(file, &g, &why), -EBADMSG);
	if (slice_find_slice(slice_str(why), slice_str(part)) < 0)
		fail_msg("'%s' instead of '%s'", why, part);
}

static void other_files(void **state)
{
	struct mmdb_kit *k = malloc(sizeof(*k));
	struct buf b;
	uint32_t at;

	refuse(SLICE(""), "empty");
	refuse(SLICE("network,geoname_id\n192.0.2.0/24,2921044\n"), "no MaxMind DB");
	refuse(SLICE("\xab\xcd\xefMaxMind.com"), "metadata");
	/* GeoLite2-ASN: a good file that knows no country. */
	assert_non_null(k);
	mmdb_init(k, 6, 24);
	at = (uint32_t)k->data.len;
	mmdb_map(&k->data, 1);
	mmdb_string(&k->data, "autonomous_system_number");
	mmdb_number(&k->data, 6, 4, 64496);
	mmdb_put(k, "192.0.2.0/24", at);
	buf_init(&b, 1 << 20);
	mmdb_write(k, "GeoLite2-ASN", &b);
	refuse(buf_slice(&b), "no country");
	buf_done(&b);
	mmdb_done(k);
	free(k);
}

/* A country in full, in small letters, or "unknown" is none. */
static void odd_values(void **state)
{
	static const char *const odd[] = { "Germany", "de", "ZZ", "XX", "D", "", "D1" };
	struct mmdb_kit *k = malloc(sizeof(*k));
	const char *why;
	struct geo *g;
	struct buf b;

	assert_non_null(k);
	mmdb_init(k, 4, 24);
	mmdb_put(k, "192.0.2.0/24", mmdb_nested(k, "DE", "Bavaria"));
	for (unsigned i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		char network[32];

		snprintf(network, sizeof(network), "10.%u.0.0/16", i);
		mmdb_put(k, network, mmdb_nested(k, odd[i], "BY"));
	}
	buf_init(&b, 1 << 20);
	mmdb_write(k, "Test", &b);
	assert_int_equal(geo_new(buf_slice(&b), &g, &why), 0);
	expect(g, "192.0.2.1", "DE", "");
	for (unsigned i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.%u.0.1", i);
		expect(g, text, "", "");
	}
	geo_free(g);
	buf_done(&b);
	mmdb_done(k);
	free(k);
}

static void another_in_its_place(void **state)
{
	struct geo_stats stats;
	struct geo *g = NULL, *before;
	const char *why;
	struct buf a, b;

	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	make(4, 24, NESTED, &a);
	make(6, 32, CODE, &b);
	assert_int_equal(geo_replace(&g, buf_slice(&a), &why), 0);
	expect(g, "192.0.2.1", "DE", "BY");
	expect(g, "2001:db8::1", "", "");
	before = g;
	assert_int_equal(geo_replace(&g, slice_sub(buf_slice(&b), 0, b.len / 2), &why), -EBADMSG);
	assert_ptr_equal(g, before);
	expect(g, "192.0.2.1", "DE", "BY");
	assert_int_equal(geo_replace(&g, buf_slice(&b), &why), 0);
	buf_done(&a); /* the old bytes are no longer used */
	expect(g, "192.0.2.1", "DE", "BY");
	expect(g, "2001:db8::1", "JP", "13");
	geo_get_stats(g, &stats);
	assert_u64(stats.found, 4);
	assert_u64(stats.absent, 1);
	geo_free(g);
	buf_done(&b);
}

UNIT_MAIN(T(every_layout), T(without_a_file), T(nobody_is_nowhere), T(cut_off_anywhere),
	  T(damaged_anywhere), T(other_files), T(odd_values), T(another_in_its_place))
