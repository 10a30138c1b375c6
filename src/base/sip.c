/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sip.c: SipHash as the paper gives it, for little and big endian machines alike.
 */
#include "base/sip.h"

#include <assert.h>
#include <endian.h>
#include <string.h>
#include <sys/random.h>

/* In registers, and without a loop for the rounds: only where all of it is in one function. */
#define INLINE static inline __attribute__((always_inline))

INLINE uint64_t rotate(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

INLINE void round_of(uint64_t v[4])
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

INLINE void absorb(uint64_t v[4], unsigned rounds, uint64_t word)
{
	v[3] ^= word;
	for (unsigned i = 0; i < rounds; i++)
		round_of(v);
	v[0] ^= word;
}

INLINE uint64_t load_word(const unsigned char *at)
{
	uint64_t word;

	memcpy(&word, at, 8);
	return le64toh(word);
}

/* What is left after the last whole word, the first octet lowest. Long keys are read back from their end:
 * a copy of so many octets as it happens would cost more than the rounds do. */
INLINE uint64_t load_rest(const unsigned char *at, size_t len)
{
	unsigned n = len & 7;
	uint64_t rest = 0;

	if (!n)
		return 0;
	if (len > 8)
		return load_word(at + len - 8) >> (64 - 8 * n);
	for (unsigned i = n; i-- > 0;)
		rest = rest << 8 | at[i];
	return rest;
}

/* All of the input through `rounds` rounds a word. */
INLINE void absorb_all(uint64_t v[4], unsigned rounds, const unsigned char *at, size_t len)
{
	size_t whole = len & ~(size_t)7;

	for (size_t i = 0; i < whole; i += 8)
		absorb(v, rounds, load_word(at + i));
	absorb(v, rounds, load_rest(at, len) | (uint64_t)len << 56);
}

INLINE uint64_t finish(uint64_t v[4], unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++)
		round_of(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t sip13(const struct sip_key *key, const void *data, size_t len)
{
	uint64_t v[4] = { key->k0 ^ 0x736f6d6570736575ull, key->k1 ^ 0x646f72616e646f6dull,
			  key->k0 ^ 0x6c7967656e657261ull, key->k1 ^ 0x7465646279746573ull };

	absorb_all(v, 1, data, len);
	v[2] ^= 0xff;
	return finish(v, 3);
}

void sip24_128(const struct sip_key *key, const void *data, size_t len, uint64_t ret[2])
{
	uint64_t v[4] = { key->k0 ^ 0x736f6d6570736575ull, key->k1 ^ 0x646f72616e646f6dull ^ 0xee,
			  key->k0 ^ 0x6c7967656e657261ull, key->k1 ^ 0x7465646279746573ull };

	absorb_all(v, 2, data, len);
	v[2] ^= 0xee;
	ret[0] = finish(v, 4);
	v[1] ^= 0xdd;
	ret[1] = finish(v, 4);
}

void sip_key_random(struct sip_key *ret)
{
	ssize_t got = getrandom(ret, sizeof(*ret), 0);

	/* Requests of up to 256 bytes are whole once the pool is ready: getrandom(2). */
	assert(got == (ssize_t)sizeof(*ret));
	(void)got;
}
