/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_lately.c: what the session stage remembers of texts that come again (hosts, agents, languages)
 * gives what it would find out anew, also when others pushed it out and when a site was let go.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/evidence.h"
#include "session/identity.h"
#include "session/request.h"

static const struct sip_key key = { 1, 2 };

static void hosts(void **state)
{
	struct sites *s;
	char host[170], want[160];

	assert_int_equal(sites_new(4, &key, &s), 0);
	for (unsigned i = 0; i < 4000; i++) {
		unsigned n = i % 7 ? i / 2 % 40
				   : i % 6; /* some again soon, some after they were let go */
		struct known_site *site;
		int len;

		len = snprintf(want, sizeof(want), "shop%u.%.*s.example", n, (int)n * 3,
			       "long-names-have-no-slot-long-names-have-no-slot-long-names-have-no-"
			       "slot-long-names-have-no-slot-long-names-have-no-slot");
		snprintf(host, sizeof(host), "%s%s", i % 2 ? "WWW." : "", want);
		site = sites_by_name(s, slice_str(host));
		assert_non_null(site);
		assert_true(slice_eq(site_name(site), slice_of(want, (size_t)len)));
		assert_null(sites_by_name(s, SLICE("no host")));
		assert_null(sites_by_name(s, SLICE("")));
	}
	sites_free(s);
}

/* One that is in use stays the same, whatever else is asked for. */
static void a_used_host_stays(void **state)
{
	struct sites *s;
	struct known_site *kept;
	char host[32];

	assert_int_equal(sites_new(2, &key, &s), 0);
	kept = sites_by_name(s, SLICE("kept.example"));
	kept->used_by = 1;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(host, sizeof(host), "h%u.example", i);
		assert_non_null(sites_by_name(s, slice_str(host)));
		assert_ptr_equal(sites_by_name(s, SLICE("kept.example")), kept);
	}
	sites_free(s);
}

static void texts(void **state)
{
	const struct identity_limits limits = { 4, 4, 4, 4 };
	struct identities *x;
	static char text[300];

	assert_int_equal(identities_new(&limits, &key, &x), 0);
	for (unsigned i = 0; i < 6000; i++) {
		struct slice s = slice_of(text, i * 7 % sizeof(text));
		uint64_t want[2], got[2];

		memset(text, 'a', sizeof(text));
		text[i % 50] = (char)('a' + i % 5);
		sip24_128(&key, s.at, s.len, want);
		for (unsigned twice = 0; twice < 2; twice++) {
			identities_hash(x, s, got);
			assert_memory_equal(got, want, sizeof(want));
		}
	}
	identities_free(x);
}

/* ---- values that look random, octet by octet ---- */

static bool joins(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
	       c == '_';
}

static bool plain_run(const char *at, size_t len)
{
	unsigned digits = 0, upper = 0, lower = 0, hex = 0;

	for (size_t i = 0; i < len; i++) {
		bool digit = at[i] >= '0' && at[i] <= '9';

		digits += digit;
		upper += at[i] >= 'A' && at[i] <= 'Z';
		lower += at[i] >= 'a' && at[i] <= 'z';
		hex += digit || ((at[i] | 0x20) >= 'a' && (at[i] | 0x20) <= 'f');
	}
	if (len < 16)
		return false;
	if (len >= 20 && hex == len)
		return digits >= 2 && upper + lower >= 2;
	if (len >= 32 && digits == 0)
		return upper >= 4 && lower >= 4;
	return digits >= 2 && upper + lower >= 3;
}

static bool plain(const char *at, size_t len)
{
	for (size_t i = 0, from = 0; i <= len; i++) {
		if (i < len && joins(at[i]))
			continue;
		if (plain_run(at + from, i - from))
			return true;
		from = i + 1;
	}
	return false;
}

static void random_values(void **state)
{
	static const char *const alphabets[] = { "0123456789",
						 "0123456789abcdef",
						 "abcdefABCDEF0123456789.",
						 "abcdefghijklmnopqrstuvwxyz-",
						 "ABCXYZabcxyz",
						 "aZ09_-.:=%\x80\xff@[`{/" };
	static char text[70000];
	unsigned yes = 0;

	srandom(3);
	for (unsigned i = 0; i < 60000; i++) {
		const char *from = alphabets[i % 6];
		size_t len = (size_t)random() % 48, of = strlen(from);

		for (size_t n = 0; n < len; n++)
			text[n] = from[(size_t)random() % of];
		assert_int_equal(evidence_is_random(slice_of(text, len)), plain(text, len));
		yes += plain(text, len);
	}
	assert_in_range(yes, 10000, 50000);
	/* no count runs over into the next: the longest value, and one that is longer than any */
	memset(text, '1', sizeof(text));
	assert_false(evidence_is_random(slice_of(text, 65535)));
	assert_false(evidence_is_random(slice_of(text, sizeof(text))));
	memset(text, 'f', sizeof(text));
	memcpy(text, "12", 2);
	assert_true(evidence_is_random(slice_of(text, 65535)));
}

UNIT_MAIN(T(hosts), T(a_used_host_stays), T(texts), T(random_values))
