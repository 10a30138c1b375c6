/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_twice.c: a request that says the same thing twice ("sid=b; sid=b": a cookie of "/" and one of a path, or
 * whoever wants to see what happens). Octets of strangers, as they stand in the head.
 */
#include "unit.h"

#include <string.h>

#include "sample.h"
#include "session/identity.h"
#include "session/session.h"

#define SECOND 1000000000ull

static struct kit {
	struct session *s;
	struct txn_sink in;
	struct transaction out;
} kit;

static void on_fact(void *ctx, const struct session_fact *f)
{
}

static void on_out(void *ctx, struct transaction *t)
{
	kit.out = *t;
}

static void start(void)
{
	const struct session_sink sink = { NULL, on_out, NULL, on_fact };
	const struct session_options o = { .secret = { 7 },
					   .timeout_ns = 1800 * SECOND,
					   .cap_ns = 86400 * SECOND,
					   .period_s = 86400,
					   .visits = 16,
					   .sites = 4 };

	memset(&kit, 0, sizeof(kit));
	assert_int_equal(session_new(&o, &sink, &kit.s), 0);
	kit.in = session_txn_sink(kit.s);
	session_clock(kit.s, SAMPLE_WALL);
}

/* `brings` so many times in its Cookie, and is given one (0: none). */
static void request(uint64_t brings, unsigned times, uint64_t given, uint64_t at_s)
{
	struct evidence sent[EVIDENCE_MAX], set = { .name = 1, .kind = EVIDENCE_KNOWN };
	struct transaction t = sample();

	for (unsigned i = 0; i < times; i++)
		sent[i] = (struct evidence){ .hash = { brings, ~brings },
					     .name = 1,
					     .kind = EVIDENCE_KNOWN };
	set.hash[0] = given;
	set.hash[1] = ~given;
	set.flags = EVIDENCE_SET;
	t.path = SLICE("/");
	t.start_ns = at_s * SECOND;
	t.request.evidence = (struct evidence_list){ sent, times };
	t.response.evidence = (struct evidence_list){ &set, given ? 1 : 0 };
	kit.in.transaction(kit.in.ctx, &t);
}

/* Two that look the same are taken for one until both send back what each was given. */
static void two_clients_are_told_apart_once(void **state)
{
	struct session_stats s;
	uint8_t first[KEY_BYTES];

	for (unsigned times = 1; times <= EVIDENCE_MAX; times++) {
		start();
		request(0, 0, 1, 10);
		memcpy(first, kit.out.session_id, KEY_BYTES);
		request(0, 0, 2, 20);
		assert_memory_equal(kit.out.session_id, first, KEY_BYTES);
		request(1, times, 0, 30);
		assert_memory_equal(kit.out.session_id, first, KEY_BYTES);
		request(2, times, 0, 40);
		assert_memory_not_equal(kit.out.session_id, first, KEY_BYTES);
		session_stats(kit.s, &s);
		assert_u64(s.split, 1);
		request(1, times, 0, 50);
		assert_memory_equal(kit.out.session_id, first, KEY_BYTES);
		session_free(kit.s);
	}
}

UNIT_MAIN(T(two_clients_are_told_apart_once))
