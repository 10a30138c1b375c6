/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.c: see fields.h. The keep list is the one place that decides what of a head outlives the
 * call that delivered it. Names are handed on as the list writes them, so they cost no copy and a
 * later stage compares lower case with lower case.
 */
#include "txn/fields.h"

#include <assert.h>
#include <errno.h>

#include "txn/target.h"

static const struct slice keep[] = {
	/* who is asked, and by whom: server.address, page views, channels */
	SLICE("host"),
	SLICE("user-agent"),
	SLICE("referer"),
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
	/* the way here: client address behind proxies, scheme, links between services */
	SLICE("forwarded"),
	SLICE("x-forwarded-for"),
	SLICE("x-forwarded-host"),
	SLICE("x-forwarded-proto"),
	SLICE("x-real-ip"),
	SLICE("x-request-id"),
	SLICE("via"),
	SLICE("traceparent"),
	SLICE("tracestate"),
	/* what was sent, and how */
	SLICE("content-type"),
	SLICE("content-encoding"),
	SLICE("content-language"),
	SLICE("content-length"),
	SLICE("content-range"),
	SLICE("range"),
	SLICE("transfer-encoding"),
	SLICE("upgrade"),
	SLICE("expect"),
	/* what came back */
	SLICE("location"),
	SLICE("server"),
	SLICE("age"),
	SLICE("cache-control"),
	SLICE("x-cache"),
	SLICE("retry-after"),
	SLICE("server-timing"),
};

#define KEEP (sizeof(keep) / sizeof(keep[0]))
_Static_assert(KEEP * 2 <= FIELDS_SLOTS, "room for the keep list");

static unsigned hash_name(struct slice name)
{
	unsigned first = (unsigned char)name.at[0] | 0x20u;
	unsigned middle = (unsigned char)name.at[name.len / 2] | 0x20u;
	unsigned last = (unsigned char)name.at[name.len - 1] | 0x20u;

	return ((unsigned)name.len * 7 + first * 31 + middle * 5 + last) & (FIELDS_SLOTS - 1);
}

void field_index_init(struct field_index *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned i = 0; i < KEEP; i++) {
		unsigned h = hash_name(keep[i]);

		while (ret->slot[h])
			h = (h + 1) & (FIELDS_SLOTS - 1);
		ret->slot[h] = (uint8_t)(i + 1);
	}
}

struct slice field_kept(const struct field_index *index, struct slice name)
{
	if (!name.len)
		return (struct slice){ 0 };
	for (unsigned h = hash_name(name); index->slot[h]; h = (h + 1) & (FIELDS_SLOTS - 1)) {
		struct slice k = keep[index->slot[h] - 1];

		if (k.len == name.len && slice_ieq(k, name))
			return k;
	}
	return (struct slice){ 0 };
}

static int copy_value(struct arena *a, struct slice name, struct slice value, struct slice *ret)
{
	struct slice front = value, rest = { 0 };
	char *at;

	if (slice_eq(name, SLICE("referer")) || slice_eq(name, SLICE("location")))
		reference_strip(value, &front, &rest);
	if (!rest.len)
		return arena_copy(a, front, ret);
	at = arena_alloc(a, front.len + rest.len);
	if (!at)
		return -ENOMEM;
	memcpy(at, front.at, front.len);
	memcpy(at + front.len, rest.at, rest.len);
	*ret = slice_of(at, front.len + rest.len);
	return 0;
}

int fields_copy(const struct field_index *index, struct arena *a, const struct head *h,
		struct txn_message *m)
{
	struct field kept[FIELDS_KEPT], *copy;
	uint32_t n = 0;

	for (uint32_t i = 0; i < h->field_count && n < FIELDS_KEPT; i++) {
		struct slice name = field_kept(index, h->fields[i].name);

		if (!name.at)
			continue;
		kept[n].name = name;
		if (copy_value(a, name, h->fields[i].value, &kept[n].value))
			return -ENOMEM;
		n++;
	}
	if (!n)
		return 0;
	copy = arena_alloc(a, n * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, kept, n * sizeof(*copy));
	m->fields = copy;
	m->field_count = n;
	return 0;
}

struct slice fields_find(const struct txn_message *m, struct slice name)
{
	for (uint32_t i = 0; i < m->field_count; i++)
		if (slice_eq(m->fields[i].name, name))
			return m->fields[i].value;
	return (struct slice){ 0 };
}
