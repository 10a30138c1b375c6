/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns.h: messages of DNS for tests, octet by octet as RFC 1035 has them. No parser is used to make them.
 */
#ifndef PC_TESTS_UNIT_DNS_H
#define PC_TESTS_UNIT_DNS_H

#include <string.h>

#include "base/slice.h"
#include "txn/lookup/dns.h"

#define DNS_IS_ANSWER 0x8180
#define DNS_ASKS      0x0100

struct dns_octets {
	unsigned char at[2048];
	size_t len;
};

static inline void dns_u16(struct dns_octets *o, unsigned v)
{
	o->at[o->len++] = (unsigned char)(v >> 8);
	o->at[o->len++] = (unsigned char)v;
}

static inline void dns_name(struct dns_octets *o, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		o->at[o->len++] = (unsigned char)n;
		memcpy(o->at + o->len, name, n);
		o->len += n;
		name += n + (name[n] == '.');
	}
	o->at[o->len++] = 0;
}

/* A message with its question; `records` is what the head says of the answer. */
static inline void dns_begin(struct dns_octets *o, unsigned id, unsigned flags, const char *name,
			     unsigned type, unsigned records)
{
	o->len = 0;
	dns_u16(o, id);
	dns_u16(o, flags);
	dns_u16(o, 1);
	dns_u16(o, records);
	dns_u16(o, 0);
	dns_u16(o, 1); /* EDNS: not looked at, and often not here */
	dns_name(o, name);
	dns_u16(o, type);
	dns_u16(o, 1);
}

/* owner NULL: a pointer to the question's name. */
static inline void dns_record(struct dns_octets *o, const char *owner, unsigned type,
			      const void *data, size_t len)
{
	if (owner)
		dns_name(o, owner);
	else
		dns_u16(o, 0xc00c);
	dns_u16(o, type);
	dns_u16(o, 1);
	dns_u16(o, 0);
	dns_u16(o, 60);
	dns_u16(o, (unsigned)len);
	memcpy(o->at + o->len, data, len);
	o->len += len;
}

static inline struct slice dns_slice(const struct dns_octets *o)
{
	return slice_of(o->at, o->len);
}

#endif
