/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address.h: internet addresses in text, as header fields, the PROXY protocol and configurations
 * write them → struct pc_addr (an IPv4 address as ::ffff:a.b.c.d, so the two spellings of one
 * address compare equal). Pure functions over slices.
 */
#ifndef PC_STREAM_ADDRESS_H
#define PC_STREAM_ADDRESS_H

#include "base/slice.h"
#include "parcours/abi.h"

/*
 * One address and nothing else: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1],
 * [2001:db8::1]:80, fe80::1%eth0 (the zone is dropped). Port 0: none given. IPv4 numbers with leading
 * zeros are refused: some read them as octal. -EINVAL: it is no address.
 */
int address_parse(struct slice text, struct pc_addr *ret);

/* All zero: the unspecified address, which no packet comes from, stands for "none". */
static inline bool address_is_none(const struct pc_addr *a)
{
	static const uint8_t none[16];

	return !memcmp(a->ip, none, sizeof(none));
}

static inline bool address_is_v4(const struct pc_addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(a->ip, mapped, sizeof(mapped));
}

static inline bool address_is_loopback(const struct pc_addr *a)
{
	static const uint8_t v6[16] = { [15] = 1 };

	return !memcmp(a->ip, v6, sizeof(v6)) || (address_is_v4(a) && a->ip[12] == 127);
}

#endif
