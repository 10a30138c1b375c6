/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sip.h: SipHash (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) with one
 * compression and three finalisation rounds, and a cheap keyed mix for integer keys. Hashes for
 * tables whose keys a stranger may choose; not a MAC for secrets.
 */
#ifndef PC_BASE_SIP_H
#define PC_BASE_SIP_H

#include <stddef.h>
#include <stdint.h>

struct sip_key {
	uint64_t k0, k1;
};

/* SipHash-2-4 with 128 bits out, as the authors' reference has it: for pseudonyms, which must not be
 * found by trying and must not collide by chance. */
void sip24_128(const struct sip_key *key, const void *data, size_t len, uint64_t ret[2]);
uint64_t sip13(const struct sip_key *key, const void *data, size_t len);
/* From the kernel's random numbers. */
void sip_key_random(struct sip_key *ret);

/* For keys of at most 8 bytes: 128-bit product folded. Without the key the collisions of a fixed
 * set of numbers cannot be foretold. */
static inline uint64_t sip_mix(const struct sip_key *key, uint64_t v)
{
	unsigned __int128 product = (unsigned __int128)(v ^ key->k0) * (key->k1 | 1);
	uint64_t folded = (uint64_t)product ^ (uint64_t)(product >> 64);

	return folded ^ folded >> 29;
}

#endif
