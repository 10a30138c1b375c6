/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.c: the fields of a head that say who and what, found in one pass, so that the functions
 * beside this file do not each search a head of fifty lines. Names are told apart by length, first and
 * last letter before they are compared; nearly every other field is passed over by that alone.
 */
#include "session/who.h"

/* Names by length, to find the few candidates of a name at once. */
struct name {
	const char *text;
	char head, tail;
	uint8_t field;
};

#define NAME(text, field)                                                                          \
	{                                                                                          \
		text, (text)[0], (text)[sizeof(text) - 2], field                                   \
	}

/* Ordered by length. */
static const struct name names[] = {
	NAME("dnt", WHO_DNT),
	NAME("host", WHO_HOST),
	NAME("x-moz", WHO_MOZ),
	NAME("range", WHO_RANGE),
	NAME("accept", WHO_ACCEPT),
	NAME("origin", WHO_ORIGIN),
	NAME("referer", WHO_REFERER),
	NAME("upgrade", WHO_UPGRADE),
	NAME("sec-gpc", WHO_GPC),
	NAME("purpose", WHO_PURPOSE),
	NAME("ping-to", WHO_PING_TO),
	NAME("forwarded", WHO_FORWARDED),
	NAME("x-real-ip", WHO_REAL_IP),
	NAME("sec-ch-ua", WHO_CH_UA),
	NAME("user-agent", WHO_USER_AGENT),
	NAME("sec-purpose", WHO_SEC_PURPOSE),
	NAME("content-type", WHO_CONTENT_TYPE),
	NAME("last-event-id", WHO_LAST_EVENT_ID),
	NAME("sec-fetch-dest", WHO_FETCH_DEST),
	NAME("sec-fetch-mode", WHO_FETCH_MODE),
	NAME("sec-fetch-site", WHO_FETCH_SITE),
	NAME("sec-fetch-user", WHO_FETCH_USER),
	NAME("true-client-ip", WHO_TRUE_CLIENT_IP),
	NAME("service-worker", WHO_SERVICE_WORKER),
	NAME("accept-language", WHO_ACCEPT_LANGUAGE),
	NAME("x-forwarded-for", WHO_FORWARDED_FOR),
	NAME("x-requested-with", WHO_REQUESTED_WITH),
	NAME("sec-ch-ua-mobile", WHO_CH_MOBILE),
	NAME("cf-connecting-ip", WHO_CF_IP),
	NAME("fastly-client-ip", WHO_FASTLY_IP),
	NAME("x-forwarded-host", WHO_FORWARDED_HOST),
	NAME("sec-ch-ua-platform", WHO_CH_PLATFORM),
	NAME("upgrade-insecure-requests", WHO_UPGRADE_INSECURE),
	NAME("access-control-request-method", WHO_REQUEST_METHOD),
};

#define NAMES	  (sizeof(names) / sizeof(names[0]))
#define NAME_MAX_ 29

_Static_assert(NAMES == WHO_FIELDS, "each field has its name");
_Static_assert(WHO_FIELDS <= 64, "bits of repeated");

/* First name of each length; the names of length n are [first[n], first[n + 1]). Checked by the unit
 * test against the list. */
static const uint8_t first[NAME_MAX_ + 2] = {
	[3] = 0,   [4] = 1,   [5] = 2,	 [6] = 4,   [7] = 6,   [8] = 11,  [9] = 11,
	[10] = 14, [11] = 15, [12] = 16, [13] = 17, [14] = 18, [15] = 24, [16] = 26,
	[17] = 31, [18] = 31, [19] = 32, [20] = 32, [21] = 32, [22] = 32, [23] = 32,
	[24] = 32, [25] = 32, [26] = 33, [27] = 33, [28] = 33, [29] = 33, [30] = 34,
};

static uint64_t load(const char *at, size_t len)
{
	uint64_t v = 0;

	memcpy(&v, at, len);
	return v | 0x2020202020202020ull;
}

/* Without regard to case, as in txn/fields.c: setting 0x20 makes letters small and leaves digits and
 * '-' as they are, and no octet of a field name but a capital letter becomes one of ours by it. */
static bool same(const char *ours, const char *theirs, size_t len)
{
	size_t i = 0;

	if (len < 8)
		return len == 3 ? load(ours, 2) == load(theirs, 2)
				: load(ours, 4) == load(theirs, 4) &&
					  load(ours + len - 4, 4) == load(theirs + len - 4, 4);
	for (; i + 8 < len; i += 8)
		if (load(ours + i, 8) != load(theirs + i, 8))
			return false;
	return load(ours + len - 8, 8) == load(theirs + len - 8, 8);
}

static int find(struct slice name)
{
	char head, tail;

	if (name.len < 3 || name.len > NAME_MAX_)
		return -1;
	head = (char)(name.at[0] | 0x20);
	tail = (char)(name.at[name.len - 1] | 0x20);
	for (unsigned i = first[name.len]; i < first[name.len + 1]; i++)
		if (names[i].head == head && names[i].tail == tail &&
		    same(names[i].text, name.at, name.len))
			return names[i].field;
	return -1;
}

void who_fields_find(const struct field *all, uint32_t count, struct who_fields *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->all = all;
	ret->count = count;
	for (uint32_t i = 0; i < count; i++) {
		int n = find(all[i].name);

		if (n < 0)
			continue;
		if (!ret->value[n].at)
			ret->value[n] = all[i].value;
		else
			ret->repeated |= 1ull << n;
	}
}
