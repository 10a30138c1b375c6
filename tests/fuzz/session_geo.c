/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_geo.c: a MaxMind DB file of any bytes. It is refused with a sentence, or answers for any
 * address with two capital letters or nothing, and is never read beyond its end.
 */
#include <stdlib.h>

#include "session/who.h"
#include "stream/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const addresses[] = { "192.0.2.1",
						 "198.51.100.77",
						 "0.0.0.1",
						 "255.255.255.255",
						 "2001:db8::1",
						 "::2",
						 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" };
	struct geo_stats stats;
	struct geo *g = NULL;
	const char *why = NULL;

	if (geo_new(slice_of(data, size), &g, &why)) {
		check(!g && why);
		return 0;
	}
	check(geo_type(g).len <= size);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct pc_addr a;
		struct place p;

		check(!address_parse(slice_str(addresses[i]), &a));
		geo_find(g, &a, &p);
		check(!p.country[0] || (p.country[1] && !p.country[2]));
		check(p.country[0] || !p.region[0]);
	}
	geo_get_stats(g, &stats);
	check(stats.found + stats.absent + stats.damaged ==
	      sizeof(addresses) / sizeof(addresses[0]));
	geo_free(g);
	return 0;
}
