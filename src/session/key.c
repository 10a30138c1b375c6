/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key.c: see key.h. HMAC by hand over libcrypto's SHA-256 (RFC 2104): the states after the inner and the
 * outer pad are kept for each key, which halves the cost of a short message. libcrypto cannot fail here
 * but for want of memory at the start: all contexts are made in keys_new.
 */
#include "session/key.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define BLOCK  64 /* of SHA-256 */
#define DIGEST 32

struct mac {
	EVP_MD_CTX *inner, *outer;
};

struct period {
	uint64_t length_s, number;
	bool made;
	struct mac mac;
};

struct keys {
	const EVP_MD *sha256;
	EVP_MD_CTX *work;
	struct mac extract, event, seal;
	struct period period[2]; /* the turn of a period has both in use */
	struct sip_key value;
};

static void must(int ok)
{
	assert(ok == 1);
	(void)ok;
}

static int mac_init(struct mac *m)
{
	m->inner = EVP_MD_CTX_new();
	m->outer = EVP_MD_CTX_new();
	return m->inner && m->outer ? 0 : -ENOMEM;
}

static void mac_done(struct mac *m)
{
	EVP_MD_CTX_free(m->inner);
	EVP_MD_CTX_free(m->outer);
}

/* Keys here are never longer than a block. */
static void mac_key(const struct keys *k, struct mac *m, struct slice key)
{
	uint8_t pad[BLOCK] = { 0 };

	memcpy(pad, key.at, key.len);
	for (unsigned i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36;
	must(EVP_DigestInit_ex(m->inner, k->sha256, NULL));
	must(EVP_DigestUpdate(m->inner, pad, BLOCK));
	for (unsigned i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	must(EVP_DigestInit_ex(m->outer, k->sha256, NULL));
	must(EVP_DigestUpdate(m->outer, pad, BLOCK));
	OPENSSL_cleanse(pad, sizeof(pad));
}

static void mac(struct keys *k, const struct mac *m, const struct slice *parts, unsigned count,
		uint8_t ret[DIGEST])
{
	uint8_t inner[DIGEST];

	must(EVP_MD_CTX_copy_ex(k->work, m->inner));
	for (unsigned i = 0; i < count; i++)
		must(EVP_DigestUpdate(k->work, parts[i].at, parts[i].len));
	must(EVP_DigestFinal_ex(k->work, inner, NULL));
	must(EVP_MD_CTX_copy_ex(k->work, m->outer));
	must(EVP_DigestUpdate(k->work, inner, DIGEST));
	must(EVP_DigestFinal_ex(k->work, ret, NULL));
}

/* HKDF-Expand of at most one block: T(1) = HMAC(PRK, info 01). */
static void expand(struct keys *k, struct slice info, uint8_t ret[DIGEST])
{
	const struct slice parts[] = { info, SLICE("\x01") };

	mac(k, &k->extract, parts, 2, ret);
}

int keys_new(const uint8_t secret[SECRET_BYTES], struct keys **ret)
{
	const struct slice material = slice_of(secret, SECRET_BYTES);
	struct keys *k = calloc(1, sizeof(*k));
	uint8_t made[DIGEST];
	int err = -ENOMEM;

	if (!k)
		return err;
	k->sha256 = EVP_sha256();
	k->work = EVP_MD_CTX_new();
	if (!k->work || mac_init(&k->extract) || mac_init(&k->event) || mac_init(&k->seal) ||
	    mac_init(&k->period[0].mac) || mac_init(&k->period[1].mac))
		goto fail;
	mac_key(k, &k->extract, SLICE("parcours"));
	mac(k, &k->extract, &material, 1, made);
	mac_key(k, &k->extract, slice_of(made, DIGEST));
	expand(k, SLICE("event"), made);
	mac_key(k, &k->event, slice_of(made, DIGEST));
	expand(k, SLICE("seal"), made);
	mac_key(k, &k->seal, slice_of(made, DIGEST));
	expand(k, SLICE("value"), made);
	memcpy(&k->value, made, sizeof(k->value));
	k->value.k0 = le64toh(k->value.k0);
	k->value.k1 = le64toh(k->value.k1);
	OPENSSL_cleanse(made, sizeof(made));
	*ret = k;
	return 0;
fail:
	keys_free(k);
	return err;
}

void keys_free(struct keys *k)
{
	if (!k)
		return;
	EVP_MD_CTX_free(k->work);
	mac_done(&k->extract);
	mac_done(&k->event);
	mac_done(&k->seal);
	mac_done(&k->period[0].mac);
	mac_done(&k->period[1].mac);
	OPENSSL_cleanse(k, sizeof(*k));
	free(k);
}

const struct sip_key *keys_value(const struct keys *k)
{
	return &k->value;
}

static const struct mac *period_mac(struct keys *k, uint64_t length_s, uint64_t number)
{
	struct period *p = &k->period[number & 1];
	const uint64_t words[2] = { htobe64(length_s), htobe64(number) };
	uint8_t info[6 + sizeof(words)], made[DIGEST];

	if (p->made && p->number == number && p->length_s == length_s)
		return &p->mac;
	memcpy(info, "period", 6);
	memcpy(info + 6, words, sizeof(words));
	expand(k, slice_of(info, sizeof(info)), made);
	mac_key(k, &p->mac, slice_of(made, DIGEST));
	OPENSSL_cleanse(made, sizeof(made));
	p->number = number;
	p->length_s = length_s;
	p->made = true;
	return &p->mac;
}

void keys_visitor(struct keys *k, uint64_t period_s, uint64_t number, struct slice site,
		  bool by_address, const uint64_t hash[2], uint8_t ret[KEY_BYTES])
{
	const uint64_t value[2] = { htole64(hash[0]), htole64(hash[1]) };
	const struct slice parts[] = { site, SLICE("\0"), by_address ? SLICE("u") : SLICE("c"),
				       slice_of(value, sizeof(value)) };
	uint8_t made[DIGEST];

	mac(k, period_mac(k, period_s, number), parts, 4, made);
	memcpy(ret, made, KEY_BYTES);
}

void keys_session(struct keys *k, const uint8_t key[KEY_BYTES], uint64_t start_unix_ns,
		  uint8_t ret[KEY_BYTES])
{
	const uint64_t start = htobe64(start_unix_ns);
	const struct slice parts[] = { SLICE("session.id\0"), slice_of(key, KEY_BYTES),
				       slice_of(&start, sizeof(start)) };
	uint8_t made[DIGEST];

	mac(k, &k->event, parts, 3, made);
	memcpy(ret, made, KEY_BYTES);
}

void keys_event(struct keys *k, struct slice name, struct slice site, struct slice what,
		uint8_t ret[KEY_BYTES])
{
	const struct slice parts[] = { name, SLICE("\0"), site, SLICE("\0"), what };
	uint8_t made[DIGEST];

	mac(k, &k->event, parts, 5, made);
	memcpy(ret, made, KEY_BYTES);
}

void keys_seal(struct keys *k, struct slice name, char *text, size_t len)
{
	uint8_t stream[DIGEST];

	for (size_t at = 0; at < len; at += DIGEST) {
		const uint32_t block = htobe32((uint32_t)(at / DIGEST));
		const struct slice parts[] = { name, slice_of(&block, sizeof(block)) };

		mac(k, &k->seal, parts, 2, stream);
		for (size_t i = 0; i < DIGEST && at + i < len; i++)
			text[at + i] = (char)((uint8_t)text[at + i] ^ stream[i]);
	}
	OPENSSL_cleanse(stream, sizeof(stream));
}

void secret_fingerprint(const uint8_t secret[SECRET_BYTES], char ret_text[20])
{
	static const char hex[] = "0123456789abcdef";
	uint8_t text[21 + SECRET_BYTES] = "parcours fingerprint\n", made[DIGEST];
	char *to = ret_text;

	memcpy(text + 21, secret, SECRET_BYTES);
	must(EVP_Digest(text, sizeof(text), made, NULL, EVP_sha256(), NULL));
	OPENSSL_cleanse(text, sizeof(text));
	for (unsigned i = 0; i < 8; i++) {
		if (i && i % 2 == 0)
			*to++ = '-';
		*to++ = hex[made[i] >> 4];
		*to++ = hex[made[i] & 15];
	}
	*to = 0;
}
