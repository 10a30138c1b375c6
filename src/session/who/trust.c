/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust.c: networks whose machines may speak for others, as the configuration names them; see who.h. Read
 * once, asked with each request. Addresses are compared as the 128 bits that lie in memory.
 */
#include <errno.h>

#include "session/who.h"
#include "stream/address.h"

static void load_ip(const uint8_t ip[16], uint64_t ret[2])
{
	memcpy(ret, ip, 16);
}

static void mask_of(unsigned bits, uint64_t ret[2])
{
	uint8_t mask[16] = { 0 };

	for (unsigned i = 0; i < 16 && bits; i++) {
		unsigned here = bits < 8 ? bits : 8;

		mask[i] = (uint8_t)(0xff00u >> here);
		bits -= here;
	}
	load_ip(mask, ret);
}

void trust_init(struct trust *t)
{
	t->count = 0;
}

int trust_add(struct trust *t, struct slice network)
{
	struct slice prefix = network, address = slice_next(&prefix, '/');
	uint64_t bits = 128, ip[2], mask[2];
	struct pc_addr a;

	if (address_parse(address, &a) || a.port || slice_find(address, '%') >= 0)
		return -EINVAL;
	if (prefix.at) {
		bool v4 = slice_find(address, ':') < 0;

		if (slice_u64(prefix, &bits) || bits > (v4 ? 32 : 128))
			return -EINVAL;
		bits += v4 ? 96 : 0;
	}
	mask_of((unsigned)bits, mask);
	load_ip(a.ip, ip);
	if (ip[0] & ~mask[0] || ip[1] & ~mask[1])
		return -EINVAL;
	if (t->count == TRUST_NETS)
		return -ENOSPC;
	memcpy(t->net[t->count].ip, ip, sizeof(ip));
	memcpy(t->net[t->count].mask, mask, sizeof(mask));
	t->count++;
	return 0;
}

int trust_add_default(struct trust *t)
{
	static const struct slice nets[] = {
		SLICE("127.0.0.0/8"),	 SLICE("10.0.0.0/8"), SLICE("172.16.0.0/12"),
		SLICE("192.168.0.0/16"), SLICE("::1/128"),    SLICE("fc00::/7"),
		SLICE("169.254.0.0/16"), SLICE("fe80::/10"),
	};

	int err = 0;

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]) && !err; i++)
		err = trust_add(t, nets[i]);
	return err;
}

int trust_read(struct trust *t, const char *const *list)
{
	struct trust made = { .count = 0 };
	int err = 0;

	if (!list)
		err = trust_add_default(&made);
	for (; list && *list && !err; list++) {
		if (!strcmp(*list, "private"))
			err = trust_add_default(&made);
		else if (strcmp(*list, "none"))
			err = trust_add(&made, slice_str(*list));
	}
	if (!err)
		*t = made;
	return err;
}

bool trust_has(const struct trust *t, const struct pc_addr *a)
{
	uint64_t ip[2];

	load_ip(a->ip, ip);
	for (uint32_t i = 0; i < t->count; i++)
		if (!(((ip[0] ^ t->net[i].ip[0]) & t->net[i].mask[0]) |
		      ((ip[1] ^ t->net[i].ip[1]) & t->net[i].mask[1])))
			return true;
	return false;
}
