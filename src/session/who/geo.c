/* SPDX-License-Identifier: Apache-2.0 */
/*
 * geo.c: address → country and region by a MaxMind DB, see who.h. Asked before an address is
 * shortened, once for a visit rather than for each request.
 *
 * libmaxminddb reads the tree and the records. It can only open a path, and maps the file: in a
 * process that may open nothing, of a file that may be cut under its hands. So its handle (a public
 * struct, whose layout its SONAME keeps) is filled here from bytes that the caller owns, by the
 * library's own reader of the metadata, with the checks that its open makes.
 */
#include <errno.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "session/who.h"
#include "stream/address.h"

#define METADATA_BYTES 131072 /* the format: the marker stands in the last 128 KiB */
#define SEPARATOR      16     /* zero octets between tree and data */
#define PROBE_RECORDS  1024   /* looked at for a country */
#define PROBE_NODES    65536

enum schema { SCHEMA_NESTED, SCHEMA_CODE, SCHEMA_COUNTRY, SCHEMAS };

struct geo {
	MMDB_s db;
	enum schema schema;
	struct slice type;
	struct geo_stats stats;
};

static const char *const country_paths[SCHEMAS][3] = {
	[SCHEMA_NESTED] = { "country", "iso_code" },
	[SCHEMA_CODE] = { "country_code" },
	[SCHEMA_COUNTRY] = { "country" },
};
static const char *const region_paths[SCHEMAS][4] = {
	[SCHEMA_NESTED] = { "subdivisions", "0", "iso_code" },
	[SCHEMA_CODE] = { "region_code" },
	[SCHEMA_COUNTRY] = { "region_code" },
};

/* 1: found, 0: it has none, -EBADMSG: damaged. */
static int get(const MMDB_s *db, uint32_t offset, const char *const *path, uint32_t type,
	       MMDB_entry_data_s *ret)
{
	MMDB_entry_s entry = { .mmdb = db, .offset = offset };
	int error = MMDB_aget_value(&entry, ret, path);

	if (error == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR)
		return 0;
	if (error)
		return -EBADMSG;
	return ret->has_data && ret->type == type;
}

/* ---- a record ---- */

static bool is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* ZZ and XX stand for "unknown" where a database has to say something. */
static int get_country(const MMDB_s *db, uint32_t offset, enum schema schema, char ret[3])
{
	MMDB_entry_data_s d;
	int found = get(db, offset, country_paths[schema], MMDB_DATA_TYPE_UTF8_STRING, &d);

	if (found <= 0)
		return found;
	if (d.data_size != 2 || !is_capital(d.utf8_string[0]) || !is_capital(d.utf8_string[1]))
		return 0;
	if (!memcmp(d.utf8_string, "ZZ", 2) || !memcmp(d.utf8_string, "XX", 2))
		return 0;
	memcpy(ret, d.utf8_string, 2);
	ret[2] = 0;
	return 1;
}

static int get_region(const MMDB_s *db, uint32_t offset, enum schema schema, char ret[4])
{
	MMDB_entry_data_s d;
	int found = get(db, offset, region_paths[schema], MMDB_DATA_TYPE_UTF8_STRING, &d);

	if (found <= 0)
		return found;
	if (!d.data_size || d.data_size > 3)
		return 0;
	for (uint32_t i = 0; i < d.data_size; i++)
		if (!is_capital(d.utf8_string[i]) &&
		    !(d.utf8_string[i] >= '0' && d.utf8_string[i] <= '9'))
			return 0;
	memcpy(ret, d.utf8_string, d.data_size);
	ret[d.data_size] = 0;
	return 1;
}

/* ---- opening ---- */

static int get_number(const MMDB_s *meta, const char *name, uint32_t type, uint64_t *ret)
{
	const char *const path[] = { name, NULL };
	MMDB_entry_data_s d;

	if (get(meta, 0, path, type, &d) != 1)
		return -EBADMSG;
	*ret = type == MMDB_DATA_TYPE_UINT16   ? d.uint16
	       : type == MMDB_DATA_TYPE_UINT32 ? d.uint32
					       : d.uint64;
	return 0;
}

static int read_metadata(struct geo *g, struct slice file, struct slice metadata)
{
	MMDB_s *db = &g->db, meta = { .data_section = (const uint8_t *)metadata.at,
				      .data_section_size = (uint32_t)metadata.len };
	static const char *const type_path[] = { "database_type", NULL };
	static const char *const no_path[] = { "", NULL }; /* is searched for up to the end */
	uint64_t nodes, record, version, major, build, tree;
	MMDB_entry_data_s d;

	if (get_number(&meta, "node_count", MMDB_DATA_TYPE_UINT32, &nodes) ||
	    get_number(&meta, "record_size", MMDB_DATA_TYPE_UINT16, &record) ||
	    get_number(&meta, "ip_version", MMDB_DATA_TYPE_UINT16, &version) ||
	    get_number(&meta, "binary_format_major_version", MMDB_DATA_TYPE_UINT16, &major) ||
	    get_number(&meta, "build_epoch", MMDB_DATA_TYPE_UINT64, &build))
		return -EBADMSG;
	if ((record != 24 && record != 28 && record != 32) || (version != 4 && version != 6) ||
	    major != 2 || !nodes)
		return -EBADMSG;
	tree = nodes * record / 4;
	if (tree + SEPARATOR + 3 > (uint64_t)(metadata.at - file.at))
		return -EBADMSG;
	if (get(&meta, 0, type_path, MMDB_DATA_TYPE_UTF8_STRING, &d) != 1)
		return -EBADMSG;
	g->type = slice_of(d.utf8_string, d.data_size);
	if (get(&meta, 0, no_path, MMDB_DATA_TYPE_UTF8_STRING, &d) < 0)
		return -EBADMSG; /* cut off behind what is needed */
	db->file_content = (const uint8_t *)file.at;
	db->file_size = (ssize_t)file.len;
	db->data_section = db->file_content + tree + SEPARATOR;
	db->data_section_size = (uint32_t)(file.len - tree - SEPARATOR);
	db->metadata_section = meta.data_section;
	db->metadata_section_size = meta.data_section_size;
	db->full_record_byte_size = (uint16_t)(record / 4);
	db->depth = version == 4 ? 32 : 128;
	db->metadata.node_count = (uint32_t)nodes;
	db->metadata.record_size = (uint16_t)record;
	db->metadata.ip_version = (uint16_t)version;
	db->metadata.binary_format_major_version = (uint16_t)major;
	db->metadata.build_epoch = build;
	return 0;
}

/* IPv4 lies below ::/96 of a tree for IPv6. */
static int find_v4_start(MMDB_s *db)
{
	MMDB_search_node_s node;
	uint64_t at = 0;
	uint16_t bits = 0;

	if (db->metadata.ip_version == 4)
		return 0;
	for (; bits < 96 && at < db->metadata.node_count; bits++) {
		if (MMDB_read_node(db, (uint32_t)at, &node))
			return -EBADMSG;
		at = node.left_record;
	}
	db->ipv4_start_node.node_value = (uint32_t)at;
	db->ipv4_start_node.netmask = bits;
	return 0;
}

struct probe {
	struct geo *g;
	uint32_t stack[256], depth; /* nodes to be visited: two a level */
	uint32_t nodes, records;
	bool found;
};

/* A record: does it have a country, in one of the ways that we know? */
static int probe_record(struct probe *p, uint32_t offset)
{
	char country[3];

	p->records++;
	for (unsigned s = 0; s < SCHEMAS; s++) {
		int got = get_country(&p->g->db, offset, (enum schema)s, country);

		if (got < 0)
			return got;
		if (!got)
			continue;
		p->g->schema = (enum schema)s;
		p->found = true;
		return 0;
	}
	return 0;
}

static int probe_side(struct probe *p, uint8_t type, uint64_t record, uint32_t offset)
{
	switch (type) {
	case MMDB_RECORD_TYPE_SEARCH_NODE:
		if (p->depth == sizeof(p->stack) / sizeof(p->stack[0]))
			return -EBADMSG; /* deeper than any address */
		p->stack[p->depth++] = (uint32_t)record;
		return 0;
	case MMDB_RECORD_TYPE_DATA:
		return probe_record(p, offset);
	case MMDB_RECORD_TYPE_EMPTY:
		return 0;
	default:
		return -EBADMSG;
	}
}

/* Walks the tree from its root until a record with a country is found, within bounds: a damaged tree
 * may go in circles. */
static int find_schema(struct geo *g, bool *ret_found)
{
	struct probe p = { .g = g, .depth = 1 };

	while (p.depth && !p.found && p.nodes++ < PROBE_NODES && p.records < PROBE_RECORDS) {
		MMDB_search_node_s node;

		if (MMDB_read_node(&g->db, p.stack[--p.depth], &node) ||
		    probe_side(&p, node.right_record_type, node.right_record,
			       node.right_record_entry.offset) ||
		    (!p.found && probe_side(&p, node.left_record_type, node.left_record,
					    node.left_record_entry.offset)))
			return -EBADMSG;
	}
	*ret_found = p.found;
	return 0;
}

static const char *open_it(struct geo *g, struct slice file)
{
	static const char marker[] = "\xab\xcd\xefMaxMind.com";
	struct slice tail = file.len > METADATA_BYTES
				    ? slice_sub(file, file.len - METADATA_BYTES, file.len)
				    : file;
	struct slice metadata = { 0 };
	bool found = false;
	long at;

	if (!file.len)
		return "the file is empty";
	if (file.len > UINT32_MAX)
		return "the file is larger than 4 GiB";
	while ((at = slice_find_slice(tail, slice_of(marker, sizeof(marker) - 1))) >= 0) {
		tail = slice_sub(tail, (size_t)at + sizeof(marker) - 1, tail.len);
		metadata = tail;
	}
	if (!metadata.at)
		return "no MaxMind DB, or cut off: its metadata, which stand at the end, are "
		       "missing";
	if (!metadata.len || read_metadata(g, file, metadata))
		return "its metadata are damaged, do not fit the file, or are of another version "
		       "of the "
		       "format";
	if (find_v4_start(&g->db) || find_schema(g, &found))
		return "its tree or its records are damaged";
	if (!found)
		return "its records have no country (country.iso_code, country_code or country)";
	return NULL;
}

int geo_new(struct slice file, struct geo **ret, const char **ret_why)
{
	struct geo *g = calloc(1, sizeof(*g));
	const char *why;

	if (!g) {
		*ret_why = "no memory";
		return -ENOMEM;
	}
	why = open_it(g, file);
	if (why) {
		*ret_why = why;
		free(g);
		return -EBADMSG;
	}
	*ret = g;
	return 0;
}

int geo_replace(struct geo **at, struct slice file, const char **ret_why)
{
	struct geo *fresh;
	int err = geo_new(file, &fresh, ret_why);

	if (err)
		return err;
	if (*at)
		fresh->stats = (*at)->stats;
	geo_free(*at);
	*at = fresh;
	return 0;
}

/* ---- look-up ---- */

static MMDB_lookup_result_s look_up(const MMDB_s *db, const struct pc_addr *a, int *ret_error)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };

	if (address_is_v4(a)) {
		memcpy(&v4.sin_addr, a->ip + 12, 4);
		return MMDB_lookup_sockaddr(db, (const struct sockaddr *)&v4, ret_error);
	}
	memcpy(&v6.sin6_addr, a->ip, 16);
	return MMDB_lookup_sockaddr(db, (const struct sockaddr *)&v6, ret_error);
}

void geo_find(struct geo *g, const struct pc_addr *a, struct place *ret)
{
	MMDB_lookup_result_s hit;
	int error = 0, got;

	*ret = (struct place){ 0 };
	if (!g || address_is_none(a))
		return;
	hit = look_up(&g->db, a, &error);
	if (error && error != MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR) {
		g->stats.damaged++;
		return;
	}
	if (error || !hit.found_entry) {
		g->stats.absent++;
		return;
	}
	got = get_country(&g->db, hit.entry.offset, g->schema, ret->country);
	if (got > 0)
		got = get_region(&g->db, hit.entry.offset, g->schema, ret->region);
	if (got < 0) {
		*ret = (struct place){ 0 };
		g->stats.damaged++;
		return;
	}
	if (ret->country[0])
		g->stats.found++;
	else
		g->stats.absent++;
}

void geo_get_stats(const struct geo *g, struct geo_stats *ret)
{
	*ret = g ? g->stats : (struct geo_stats){ 0 };
}

struct slice geo_type(const struct geo *g)
{
	return g->type;
}

uint64_t geo_build_s(const struct geo *g)
{
	return g->db.metadata.build_epoch;
}

void geo_free(struct geo *g)
{
	free(g);
}
