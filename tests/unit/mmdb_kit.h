/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmdb_kit.h: writes small MaxMind DB files (format 2.0), since none ships: a tree of either version
 * and of any record size, records of strings, maps and arrays, and the metadata at the end.
 */
#ifndef PC_TESTS_MMDB_KIT_H
#define PC_TESTS_MMDB_KIT_H

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "stream/address.h"

#define MMDB_NODES 8192
#define MMDB_NONE  0xffffffffu
#define MMDB_DATA  0x80000000u /* | offset in the data section */

struct mmdb_kit {
	uint32_t node[MMDB_NODES][2];
	uint32_t nodes;
	unsigned record_size, ip_version;
	struct buf data;
};

static inline void mmdb_init(struct mmdb_kit *k, unsigned ip_version, unsigned record_size)
{
	memset(k, 0, sizeof(*k));
	k->ip_version = ip_version;
	k->record_size = record_size;
	k->nodes = 1;
	k->node[0][0] = k->node[0][1] = MMDB_NONE;
	buf_init(&k->data, 1 << 20);
}

/* ---- values; types: 2 string, 5 uint16, 6 uint32, 7 map, 9 uint64, 11 array ---- */

static inline void mmdb_control(struct buf *b, unsigned type, unsigned size)
{
	assert(size < 29 + 256);
	buf_add_byte(b, (char)((type < 8 ? type << 5 : 0) | (size < 29 ? size : 29)));
	if (type >= 8)
		buf_add_byte(b, (char)(type - 7));
	if (size >= 29)
		buf_add_byte(b, (char)(size - 29));
}

static inline void mmdb_string(struct buf *b, const char *s)
{
	mmdb_control(b, 2, (unsigned)strlen(s));
	buf_add_str(b, s);
}

static inline void mmdb_number(struct buf *b, unsigned type, unsigned bytes, uint64_t v)
{
	mmdb_control(b, type, bytes);
	while (bytes--)
		buf_add_byte(b, (char)(v >> (8 * bytes)));
}

static inline void mmdb_map(struct buf *b, unsigned pairs)
{
	mmdb_control(b, 7, pairs);
}

static inline void mmdb_array(struct buf *b, unsigned elements)
{
	mmdb_control(b, 11, elements);
}

/* Records as GeoLite2-City and DB-IP write them, and flat ones; their place in the data section. */
static inline uint32_t mmdb_nested(struct mmdb_kit *k, const char *country, const char *region)
{
	uint32_t at = (uint32_t)k->data.len;

	mmdb_map(&k->data, region ? 3 : 2);
	mmdb_string(&k->data, "continent");
	mmdb_map(&k->data, 1);
	mmdb_string(&k->data, "code");
	mmdb_string(&k->data, "EU");
	mmdb_string(&k->data, "country");
	mmdb_map(&k->data, 2);
	mmdb_string(&k->data, "geoname_id");
	mmdb_number(&k->data, 6, 4, 2921044);
	mmdb_string(&k->data, "iso_code");
	mmdb_string(&k->data, country);
	if (region) {
		mmdb_string(&k->data, "subdivisions");
		mmdb_array(&k->data, 1);
		mmdb_map(&k->data, 1);
		mmdb_string(&k->data, "iso_code");
		mmdb_string(&k->data, region);
	}
	return at;
}

static inline uint32_t mmdb_flat(struct mmdb_kit *k, const char *name, const char *country,
				 const char *region)
{
	uint32_t at = (uint32_t)k->data.len;

	mmdb_map(&k->data, region ? 2 : 1);
	mmdb_string(&k->data, name);
	mmdb_string(&k->data, country);
	if (region) {
		mmdb_string(&k->data, "region_code");
		mmdb_string(&k->data, region);
	}
	return at;
}

/* ---- tree ---- */

/* network: "192.0.2.0/24", "2001:db8::/32". IPv4 goes below ::/96 of a tree of version 6. */
static inline void mmdb_put(struct mmdb_kit *k, const char *network, uint32_t offset)
{
	struct slice bits = slice_str(network), text = slice_next(&bits, '/');
	uint64_t prefix = 0;
	struct pc_addr a;
	unsigned from = 0, bit;
	uint32_t at = 0;

	assert(!address_parse(text, &a) && !slice_u64(bits, &prefix));
	if (address_is_v4(&a)) {
		memset(a.ip, 0, 12);
		from = k->ip_version == 4 ? 96 : 0;
		prefix += 96;
	}
	for (unsigned i = from;; i++) {
		bit = a.ip[i / 8] >> (7 - i % 8) & 1;
		if (i + 1 == prefix)
			break;
		if (k->node[at][bit] == MMDB_NONE) {
			assert(k->nodes < MMDB_NODES);
			k->node[k->nodes][0] = k->node[k->nodes][1] = MMDB_NONE;
			k->node[at][bit] = k->nodes++;
		}
		at = k->node[at][bit];
		assert(!(at & MMDB_DATA));
	}
	k->node[at][bit] = MMDB_DATA | offset;
}

static inline uint32_t mmdb_record(const struct mmdb_kit *k, uint32_t v)
{
	if (v == MMDB_NONE)
		return k->nodes;
	return v & MMDB_DATA ? k->nodes + 16 + (v & ~MMDB_DATA) : v;
}

static inline void mmdb_octets(struct buf *b, uint32_t v, unsigned count)
{
	while (count--)
		buf_add_byte(b, (char)(v >> (8 * count)));
}

static inline void mmdb_metadata(const struct mmdb_kit *k, const char *type, struct buf *b)
{
	buf_add(b, slice_of("\xab\xcd\xefMaxMind.com", 14));
	mmdb_map(b, 6);
	mmdb_string(b, "node_count");
	mmdb_number(b, 6, 4, k->nodes);
	mmdb_string(b, "record_size");
	mmdb_number(b, 5, 2, k->record_size);
	mmdb_string(b, "ip_version");
	mmdb_number(b, 5, 2, k->ip_version);
	mmdb_string(b, "binary_format_major_version");
	mmdb_number(b, 5, 2, 2);
	mmdb_string(b, "build_epoch");
	mmdb_number(b, 9, 8, 1700000000);
	mmdb_string(b, "database_type");
	mmdb_string(b, type);
}

static inline void mmdb_write(const struct mmdb_kit *k, const char *type, struct buf *out)
{
	static const char zero[16];

	for (uint32_t i = 0; i < k->nodes; i++) {
		uint32_t l = mmdb_record(k, k->node[i][0]), r = mmdb_record(k, k->node[i][1]);

		if (k->record_size == 28) {
			mmdb_octets(out, l & 0xffffff, 3);
			buf_add_byte(out, (char)((l >> 20 & 0xf0) | r >> 24));
			mmdb_octets(out, r & 0xffffff, 3);
		} else {
			mmdb_octets(out, l, k->record_size / 8);
			mmdb_octets(out, r, k->record_size / 8);
		}
	}
	buf_add(out, slice_of(zero, 16));
	buf_add(out, buf_slice(&k->data));
	mmdb_metadata(k, type, out);
	assert(!out->failed && !k->data.failed);
}

static inline void mmdb_done(struct mmdb_kit *k)
{
	buf_done(&k->data);
}

#endif
