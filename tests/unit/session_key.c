/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_key.c: keys, ids and the keyed hash against values computed by another implementation (Python's
 * hmac and hashlib; the vectors of SipHash's authors). They are a contract between versions and hosts.
 */
#include "unit.h"

#include <endian.h>
#include <string.h>

#include "session/key.h"

static void assert_hex(const void *got, size_t len, const char *want)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *at = got;

	assert_int_equal(strlen(want), 2 * len);
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(want[2 * i], hex[at[i] >> 4]);
		assert_int_equal(want[2 * i + 1], hex[at[i] & 15]);
	}
}

static void siphash_128(void **state)
{
	const struct sip_key key = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	uint64_t got[2];

	sip24_128(&key, "", 0, got);
	got[0] = htole64(got[0]);
	got[1] = htole64(got[1]);
	assert_hex(got, 16, "a3817f04ba25a8e66df67214c7550293");
	sip24_128(&key, "\0", 1, got);
	got[0] = htole64(got[0]);
	got[1] = htole64(got[1]);
	assert_hex(got, 16, "da87c1d86b99af44347659119b22fc45");
}

static void derivations(void **state)
{
	const uint64_t hash[2] = { 0x0123456789abcdef, 0xfedcba9876543210 };
	const struct slice site = SLICE("shop.example");
	uint8_t secret[SECRET_BYTES], key[KEY_BYTES], id[KEY_BYTES], other[KEY_BYTES];
	struct keys *k;
	char print[20];

	for (unsigned i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)i;
	assert_int_equal(keys_new(secret, &k), 0);
	keys_visitor(k, 86400, 20000, site, false, hash, key);
	assert_hex(key, sizeof(key), "bdf484ef4b913d0ac7002f6a7cb0aaeb");
	keys_visitor(k, 86400, 20001, site, false, hash, other);
	assert_memory_not_equal(key, other, KEY_BYTES);
	keys_visitor(k, 86400, 20002, site, false, hash, other);
	keys_visitor(k, 86400, 20000, site, true, hash, other);
	assert_hex(other, sizeof(other), "ea3de7a01e890936fa9d370ff5037f7b");
	keys_session(k, key, 1700000000000000000, id);
	assert_hex(id, sizeof(id), "a3ad15b2d2e41eeca6fdcaf323d5aec8");
	keys_event(k, SLICE("session.end"), site, slice_of(id, sizeof(id)), other);
	assert_hex(other, sizeof(other), "abcec85a771862b815383039bbe3a9b7");
	assert_true(keys_value(k)->k0 == 0xc51ee54df8921763 &&
		    keys_value(k)->k1 == 0x165b8ec5992acc5c);
	secret_fingerprint(secret, print);
	assert_string_equal(print, "310c-58ed-b26d-f2d5");
	keys_free(k);
}

static void a_sealed_text_is_opened_by_its_name_and_secret(void **state)
{
	const char clear[] = "/a/path/that/is/longer/than/one/block";
	uint8_t secret[SECRET_BYTES];
	char text[sizeof(clear)];
	struct keys *k;

	for (unsigned i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)i;
	assert_int_equal(keys_new(secret, &k), 0);
	memcpy(text, clear, sizeof(clear));
	keys_seal(k, SLICE("name"), text, sizeof(clear) - 1);
	assert_hex(text, sizeof(clear) - 1,
		   "d519f73c03af3ec8aba1b387b6dbe77e73b6b69c4150bfdecbfd97dbe360f197be03df2e67");
	keys_seal(k, SLICE("name"), text, sizeof(clear) - 1);
	assert_string_equal(text, clear);
	keys_seal(k, SLICE("name"), text, sizeof(clear) - 1);
	keys_seal(k, SLICE("another"), text, sizeof(clear) - 1);
	assert_string_not_equal(text, clear);
	keys_free(k);
}

UNIT_MAIN(T(siphash_128), T(derivations), T(a_sealed_text_is_opened_by_its_name_and_secret))
