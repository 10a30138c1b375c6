/* SPDX-License-Identifier: Apache-2.0 */
/* Unix connections that are gone without a word: what two looks in a row do not find. */
#include "stream_kit.h"

static void opened(struct kit *k, uint64_t conn, uint16_t family)
{
	struct pc_open rec = { .head = { PC_OPEN, PC_F_PASSIVE, sizeof(rec), k->now_ns },
			       .conn = conn,
			       .family = family,
			       .tgid = 100 };

	stream_push(k->s, &rec.head);
}

static void told(struct kit *k, enum pc_kind kind, uint64_t conn, uint64_t since_ns)
{
	struct pc_alive rec = { .head = { (__u16)kind, 0, sizeof(rec), k->now_ns },
				.conn = conn,
				.since_ns = since_ns };

	stream_push(k->s, &rec.head);
}

/* A second later: a look that finds `found` (0: nothing). */
static void look(struct kit *k, uint64_t found)
{
	uint64_t since_ns;

	kit_tick(k, 5000 * MS);
	since_ns = k->now_ns;
	kit_tick(k, MS);
	if (found)
		told(k, PC_ALIVE, found, since_ns);
	kit_tick(k, MS);
	told(k, PC_LOOKED, 0, since_ns);
}

static void not_found_twice(void **state)
{
	struct kit k;

	kit_new(&k);
	opened(&k, 7, AF_UNIX);
	look(&k, 7);
	look(&k, 0);
	assert_int_equal(kit_stats(&k).connections, 1); /* its descriptor may be on its way */
	look(&k, 7);
	look(&k, 0);
	assert_int_equal(kit_stats(&k).connections, 1);
	look(&k, 0);
	assert_int_equal(kit_stats(&k).connections, 0);
	assert_int_equal(kit_stats(&k).closed, 1);
	kit_free(&k);
}

static void tcp_is_no_business_of_a_look(void **state)
{
	struct kit k;

	kit_new(&k);
	opened(&k, 7, AF_INET);
	for (int i = 0; i < 5; i++)
		look(&k, 0);
	assert_int_equal(kit_stats(&k).connections, 1);
	kit_free(&k);
}

/* Opened, or used, after the look began: it need not have been found. */
static void younger_than_the_look(void **state)
{
	struct kit k;
	uint64_t since_ns;

	kit_new(&k);
	for (int i = 0; i < 3; i++) {
		kit_tick(&k, 5000 * MS);
		since_ns = k.now_ns;
		kit_tick(&k, MS);
		if (i == 0)
			opened(&k, 7, AF_UNIX);
		else
			kit_data(&k, 7, PC_RX, (uint64_t)i - 1, "x", 0, PC_WHY_NONE);
		told(&k, PC_LOOKED, 0, since_ns);
		assert_int_equal(kit_stats(&k).connections, 1);
	}
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_found_twice),
		cmocka_unit_test(tcp_is_no_business_of_a_look),
		cmocka_unit_test(younger_than_the_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
