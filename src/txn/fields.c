/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.c: see fields.h. The keep list is the one place that decides what of a head outlives the
 * call that delivered it. Names are handed on as the list writes them, so they cost no copy and a
 * later stage compares lower case with lower case.
 */
#include "txn/fields.h"

#include <errno.h>

#include "txn/target.h"

/* Those of enum field_name first, in its order. */
static const struct slice keep[] = {
	SLICE("host"),
	SLICE("user-agent"),
	SLICE("referer"),
	SLICE("content-type"),
	SLICE("location"),
	SLICE("upgrade"),
	/* who asks, and how: page views, channels, customers' wishes */
	SLICE("origin"),
	SLICE("accept"),
	SLICE("accept-language"),
	SLICE("x-requested-with"),
	SLICE("purpose"),
	SLICE("sec-purpose"),
	SLICE("sec-fetch-dest"),
	SLICE("sec-fetch-mode"),
	SLICE("sec-fetch-site"),
	SLICE("sec-fetch-user"),
	SLICE("sec-ch-ua"),
	SLICE("sec-ch-ua-mobile"),
	SLICE("sec-ch-ua-platform"),
	SLICE("sec-gpc"),
	SLICE("dnt"),
	SLICE("upgrade-insecure-requests"),
	SLICE("access-control-request-method"),
	SLICE("x-moz"),
	SLICE("ping-to"),
	SLICE("last-event-id"),
	SLICE("service-worker"),
	/* the way here: client address behind proxies, scheme, links between services */
	SLICE("forwarded"),
	SLICE("x-forwarded-for"),
	SLICE("x-forwarded-host"),
	SLICE("x-forwarded-proto"),
	SLICE("x-real-ip"),
	SLICE("cf-connecting-ip"),
	SLICE("true-client-ip"),
	SLICE("fastly-client-ip"),
	SLICE("x-request-id"),
	SLICE("via"),
	SLICE("traceparent"),
	SLICE("tracestate"),
	/* what was sent */
	SLICE("content-encoding"),
	SLICE("content-language"),
	SLICE("content-length"),
	SLICE("content-range"),
	SLICE("range"),
	SLICE("transfer-encoding"),
	SLICE("expect"),
	/* what came back */
	SLICE("content-disposition"),
	SLICE("server"),
	SLICE("age"),
	SLICE("cache-control"),
	SLICE("x-cache"),
	SLICE("retry-after"),
	SLICE("server-timing"),
};

#define KEEP (sizeof(keep) / sizeof(keep[0]))
_Static_assert(KEEP * 4 <= FIELDS_SLOTS, "room for the keep list");
_Static_assert((KEEP + FIELDS_MORE) * 2 <= FIELDS_SLOTS, "and for the names beside it");

/* The factors were searched for: nearly no collision within the list and with common other names. */
static unsigned hash_name(struct slice name)
{
	unsigned first = (unsigned char)name.at[0] | 0x20u;
	unsigned middle = (unsigned char)name.at[name.len / 2] | 0x20u;
	unsigned last = (unsigned char)name.at[name.len - 1] | 0x20u;

	return ((unsigned)name.len * 16 + first * 37 + middle * 93 + last * 45) &
	       (FIELDS_SLOTS - 1);
}

static struct slice name_at(const struct field_index *index, unsigned number)
{
	return number < KEEP ? keep[number]
			     : slice_of(index->name[number - KEEP], index->len[number - KEEP]);
}

static void put(struct field_index *index, unsigned number)
{
	unsigned h = hash_name(name_at(index, number));

	while (index->slot[h])
		h = (h + 1) & (FIELDS_SLOTS - 1);
	index->slot[h] = (uint8_t)(number + 1);
}

static void put_list(struct field_index *index)
{
	memset(index->slot, 0, sizeof(index->slot));
	for (unsigned i = 0; i < KEEP; i++)
		put(index, i);
}

void field_index_init(struct field_index *ret)
{
	memset(ret, 0, sizeof(*ret));
	put_list(ret);
}

static uint64_t load(const char *at, size_t len)
{
	uint64_t v = 0;

	memcpy(&v, at, len);
	return v | 0x2020202020202020ull;
}

/* Without regard to case. Setting 0x20 makes letters small and leaves digits and '-' as they are; no
 * octet of a field name (RFC 9110 5.6.2) becomes one of the list's by it but its capital letter. */
static bool same_name(const char *ours, const char *theirs, size_t len)
{
	size_t i = 0;

	if (len < 4)
		return load(ours, 2) == load(theirs, 2) &&
		       load(ours + len - 1, 1) == load(theirs + len - 1, 1);
	if (len < 8)
		return load(ours, 4) == load(theirs, 4) &&
		       load(ours + len - 4, 4) == load(theirs + len - 4, 4);
	for (; i + 8 < len; i += 8)
		if (load(ours + i, 8) != load(theirs + i, 8))
			return false;
	return load(ours + len - 8, 8) == load(theirs + len - 8, 8);
}

/* Number in the keep list, or -1. */
static inline int find_kept(const struct field_index *index, struct slice name)
{
	unsigned n;

	if (name.len < 2)
		return -1;
	for (unsigned h = hash_name(name); (n = index->slot[h]); h = (h + 1) & (FIELDS_SLOTS - 1)) {
		struct slice k = name_at(index, n - 1);

		if (k.len == name.len && same_name(k.at, name.at, name.len))
			return (int)n - 1;
	}
	return -1;
}

struct slice field_kept(const struct field_index *index, struct slice name)
{
	int n = find_kept(index, name);

	if (n < 0)
		return (struct slice){ 0 };
	return name_at(index, (unsigned)n);
}

/* ---- names beside the list ---- */

bool field_is_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
			return false;
	}
	return name.len >= 2 && name.len <= FIELD_NAME;
}

bool field_is_secret(struct slice name)
{
	static const struct slice words[] = {
		SLICE("authoriz"),  SLICE("authentic"), SLICE("cookie"),  SLICE("token"),
		SLICE("secret"),    SLICE("password"),	SLICE("passwd"),  SLICE("api-key"),
		SLICE("apikey"),    SLICE("api_key"),	SLICE("csrf"),	  SLICE("xsrf"),
		SLICE("signature"), SLICE("jwt"),	SLICE("session"),
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_find_slice(name, words[i]) >= 0)
			return true;
	return false;
}

static int check_names(const struct field_index *index, const struct slice *names, uint32_t count)
{
	uint32_t fresh = 0;

	for (uint32_t i = 0; i < count; i++) {
		bool known = false;

		if (!field_is_name(names[i]))
			return -EINVAL;
		if (field_is_secret(names[i]))
			return -EPERM;
		for (unsigned k = 0; k < KEEP + index->more && !known; k++)
			known = slice_eq(name_at(index, k), names[i]);
		fresh += !known;
	}
	return index->more + fresh > FIELDS_MORE ? -ENOSPC : 0;
}

/* The number of a name, which is made where there is none yet. */
static unsigned number_of(struct field_index *index, struct slice name)
{
	unsigned k = 0;

	while (k < KEEP + index->more && !slice_eq(name_at(index, k), name))
		k++;
	if (k == KEEP + index->more) {
		memcpy(index->name[index->more], name.at, name.len);
		index->len[index->more++] = (uint8_t)name.len;
	}
	return k;
}

int field_index_keep(struct field_index *index, const struct slice *names, uint32_t count)
{
	int err = check_names(index, names, count);

	if (err)
		return err;
	put_list(index);
	for (uint32_t i = 0; i < count; i++) {
		unsigned k = number_of(index, names[i]);

		if (find_kept(index, names[i]) < 0)
			put(index, k);
	}
	return 0;
}

#define TOGETHER 1024 /* octets of values: surely less than a block of the arenas' pool */

struct kept {
	uint32_t number; /* in the keep list */
	uint32_t at;	 /* in the head */
};

/* How many octets the values of all have at most. */
static size_t choose(const struct field_index *index, const struct head *h, struct kept *ret,
		     uint32_t *ret_count)
{
	size_t octets = 0;
	uint32_t n = 0;

	for (uint32_t i = 0; i < h->field_count && n < FIELDS_KEPT; i++) {
		int number = find_kept(index, h->fields[i].name);

		if (number < 0)
			continue;
		ret[n++] = (struct kept){ (uint32_t)number, i };
		octets += h->fields[i].value.len;
	}
	*ret_count = n;
	return octets;
}

static char *add(char *to, struct slice s)
{
	if (s.len)
		memcpy(to, s.at, s.len);
	return to + s.len;
}

/* User-info is left out of what may hold it. */
static char *add_value(char *to, unsigned number, struct slice value)
{
	struct slice front, rest;

	if (number != FIELD_REFERER && number != FIELD_LOCATION)
		return add(to, value);
	reference_strip(value, &front, &rest);
	return add(add(to, front), rest);
}

int fields_copy(const struct field_index *index, struct arena *a, const struct head *h,
		struct txn_message *m, struct slice *const named[FIELD_NAMES])
{
	struct kept kept[FIELDS_KEPT];
	struct field *copy;
	char *to = NULL;
	size_t octets;
	uint32_t n;

	octets = choose(index, h, kept, &n);
	if (!n)
		return 0;
	copy = arena_alloc(a, n * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct slice from = h->fields[kept[i].at].value;
		unsigned number = kept[i].number;
		char *value;

		/* the values of most heads lie together; of a long one, each where there is room */
		if (octets > TOGETHER)
			to = arena_alloc(a, from.len);
		else if (!i)
			to = arena_alloc(a, octets);
		if (!to)
			return -ENOMEM;
		value = to;
		to = add_value(to, number, from);
		copy[i].name = name_at(index, number);
		copy[i].value = slice_of(value, (size_t)(to - value));
		if (number < FIELD_NAMES && named[number] && !named[number]->at)
			*named[number] = copy[i].value;
	}
	m->fields = copy;
	m->field_count = n;
	return 0;
}
