/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_bounds.c: what is let go when the index of visitors is full: clues of visitors without a cart
 * before those of visitors with one, the oldest first, and never without an end.
 */
#include "unit.h"

#include <string.h>

#include "session/identity.h"

#define CLUES 64

static const struct sip_key key = { 1, 2 };

static struct fixture {
	struct identities *x;
	struct sites *sites;
	struct known_site *site;
} f;

static int setup(void **state)
{
	const struct identity_limits limits = { 1000, CLUES, 8, 8 };

	if (sites_new(1, &key, &f.sites))
		return -1;
	f.site = sites_by_name(f.sites, SLICE("shop.example"));
	return identities_new(&limits, &key, &f.x);
}

static int teardown(void **state)
{
	identities_free(f.x);
	sites_free(f.sites);
	return 0;
}

static bool never(void *ctx)
{
	return false;
}

/* A visitor with so many clues, named by `n`. */
static struct identity *visitor(unsigned n, enum value value, unsigned clues)
{
	struct identity *who = identities_add(f.x, f.site, never, NULL);

	assert_non_null(who);
	identities_touch(f.x, who, value);
	for (unsigned i = 0; i < clues; i++)
		identities_add_clue(f.x, who, (uint64_t[2]){ n, i }, i, EVIDENCE_KNOWN,
				    CLUE_ECHOED);
	return who;
}

static bool is_known(unsigned n, unsigned clue)
{
	return table_find(f.x->clues, (uint64_t[2]){ n, clue });
}

static void carts_outlive_made_up_cookies(void **state)
{
	struct identity *late;

	visitor(1, VALUE_CART, 4);
	visitor(2, VALUE_OPEN, 4);
	late = visitor(3, VALUE_OPEN, 4);
	identities_touch(f.x, late, VALUE_CART); /* it had its clues before */
	for (unsigned n = 100; n < 300; n++)
		visitor(n, VALUE_OPEN, CLUES_EACH);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(is_known(1, i));
		assert_false(is_known(2, i));
		assert_true(is_known(3, i));
	}
	assert_int_equal(table_count(f.x->clues), CLUES);
	/* a cart that is over is as any other */
	identities_touch(f.x, late, VALUE_IDLE);
	for (unsigned n = 300; n < 400; n++)
		visitor(n, VALUE_OPEN, CLUES_EACH);
	assert_true(is_known(1, 0));
	assert_false(is_known(3, 0));
}

/* Then the oldest of all goes. */
static void nothing_but_carts(void **state)
{
	for (unsigned n = 0; n < 200; n++)
		visitor(n, VALUE_CART, CLUES_EACH);
	assert_int_equal(table_count(f.x->clues), CLUES);
	for (unsigned n = 0; n < 200; n++)
		assert_int_equal(is_known(n, 0), n >= 200 - CLUES / CLUES_EACH);
}

/* The count of clues of carts is right whatever happens to them: one that is too high would end the favour,
 * one that is too low would search for ever. */
static void clues_of_carts_are_counted(void **state)
{
	struct identity *a = visitor(1, VALUE_CART, 6), *b = visitor(2, VALUE_OPEN, 3);

	assert_int_equal(f.x->cart_clues, 6);
	clue_move(f.x, clue_first(f.x, a), b);
	assert_int_equal(f.x->cart_clues, 5);
	clue_move(f.x, clue_first(f.x, b), a);
	assert_int_equal(f.x->cart_clues, 6);
	identities_add_clue(f.x, b, clue_first(f.x, a)->key, 0, EVIDENCE_KNOWN,
			    0); /* is the other's now */
	assert_int_equal(f.x->cart_clues, 5);
	visitor(3, VALUE_CART, CLUES_EACH + 5); /* keeps a few */
	assert_int_equal(f.x->cart_clues, 5 + CLUES_EACH);
	identities_touch(f.x, a, VALUE_CART);
	assert_int_equal(f.x->cart_clues, 5 + CLUES_EACH);
	identities_touch(f.x, a, VALUE_OPEN);
	assert_int_equal(f.x->cart_clues, CLUES_EACH);
	identities_touch(f.x, a, VALUE_CART);
	identities_remove(f.x, a);
	assert_int_equal(f.x->cart_clues, CLUES_EACH);
}

#define B(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

UNIT_MAIN(B(carts_outlive_made_up_cookies), B(nothing_but_carts), B(clues_of_carts_are_counted))
