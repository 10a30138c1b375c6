/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_evidence.c: cookies, tokens and targets from strangers. Input: lines "NAME:VALUE", the first
 * line is the target. Whatever it is: bounded, in the arena, and the same twice.
 */
#include <stdlib.h>

#include "session/evidence.h"
#include "session/evidence/cookie.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void look(struct evidence_rules *r, const struct head *h, bool request)
{
	struct arena_pool pool;
	struct arena arena;
	struct evidence_list a, b;

	arena_pool_init(&pool, 2000, 1 << 16);
	arena_init(&arena, &pool);
	check(evidence_of(r, h, request, 1700000000, &arena, &a) == 0);
	check(evidence_of(r, h, request, 1700000000, &arena, &b) == 0);
	check(a.count <= EVIDENCE_MAX && a.count == b.count);
	for (uint32_t i = 0; i < a.count; i++) {
		check(a.at[i].kind < EVIDENCE_KINDS && a.at[i].kind != EVIDENCE_ADDRESS);
		check(!memcmp(a.at[i].hash, b.at[i].hash, sizeof(a.at[i].hash)));
	}
	arena_clear(&arena);
	arena_pool_done(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sip_key key = { 1, 2 };
	static const char *const configured[] = { "cookie:c", "header:h", "query:q", NULL };
	static struct evidence_rules *rules;
	struct slice rest = slice_of(data, size);
	struct field fields[64];
	struct head h = { .fields = fields };
	struct set_cookie c;

	if (!rules)
		check(evidence_rules_new(&key, configured, NULL, "o", &rules) == 0);
	h.target = slice_next(&rest, '\n');
	while (rest.at && h.field_count < 64) {
		struct slice value = slice_next(&rest, '\n');

		fields[h.field_count].name = slice_next(&value, ':');
		fields[h.field_count++].value = slice_trim(value);
		if (set_cookie_parse(slice_trim(value), &c))
			check(c.cookie.name.len + c.cookie.value.len <= value.len);
	}
	look(rules, &h, true);
	look(rules, &h, false);
	return 0;
}
