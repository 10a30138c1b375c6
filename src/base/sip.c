/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sip.c: SipHash-1-3 as the paper gives it, for little and big endian machines alike.
 */
#include "base/sip.h"

#include <assert.h>
#include <endian.h>
#include <string.h>
#include <sys/random.h>

static inline uint64_t rotate(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

static inline void round_of(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static inline void absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	round_of(v);
	v[0] ^= word;
}

uint64_t sip13(const struct sip_key *key, const void *data, size_t len)
{
	uint64_t v[4] = { key->k0 ^ 0x736f6d6570736575ull, key->k1 ^ 0x646f72616e646f6dull,
			  key->k0 ^ 0x6c7967656e657261ull, key->k1 ^ 0x7465646279746573ull };
	const unsigned char *at = data;
	uint64_t word = 0;
	size_t whole = len & ~(size_t)7;

	for (size_t i = 0; i < whole; i += 8) {
		memcpy(&word, at + i, 8);
		absorb(v, le64toh(word));
	}
	word = 0;
	if (len > whole)
		memcpy(&word, at + whole, len - whole);
	absorb(v, le64toh(word) | (uint64_t)len << 56);

	v[2] ^= 0xff;
	round_of(v);
	round_of(v);
	round_of(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void sip_key_random(struct sip_key *ret)
{
	ssize_t got = getrandom(ret, sizeof(*ret), 0);

	/* Requests of up to 256 bytes are whole once the pool is ready: getrandom(2). */
	assert(got == (ssize_t)sizeof(*ret));
	(void)got;
}
