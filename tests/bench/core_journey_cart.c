/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_journey_cart.c: what carts cost: a transaction of a visit that has none while others have, one of a
 * visit that has; what is said; and 100,000 open carts in memory. CPU time of the thread, best of the rounds.
 *
 *   core_journey_cart [ROUNDS]
 */
#include <malloc.h>
#include <time.h>

#include "../unit/cart_kit.h"

#define CARTS 100000u
#define TIMES 1000000u

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static uint64_t events;

static void count(const struct event *e)
{
	events++;
}

static void start(unsigned carts)
{
	struct carts_options o = kit_options();

	o.open = CARTS;
	o.bytes = 64 << 20;
	o.orders = CARTS;
	kit_start(&o);
	kit.watch = count;
	for (unsigned i = 1; i <= carts; i++)
		SAY(.say = SAY_ADD_TO_CART, .visit = i, .at = i, .took = 10, .items = "SHIRT",
		    .cart = "SHIRT@2500 TROUSERS@4900 SOCKS@500");
}

static double transactions(unsigned carts, unsigned first)
{
	const struct say_it i = { .visit = 1, .at = 1 };
	struct transaction t = kit_transaction(&i);
	uint64_t begin;
	double took;

	start(carts);
	begin = cpu_ns();
	for (unsigned k = 0; k < TIMES; k++) {
		kit_id(first + k % 1000, t.session_id);
		t.start_ns += 1000;
		carts_transaction(kit.c, &t);
	}
	took = (double)(cpu_ns() - begin) / TIMES;
	kit_stop();
	return took;
}

static double without(void)
{
	return transactions(1000, 2000);
}

static double with_cart(void)
{
	return transactions(1000, 1);
}

/* Of which each changes the cart, and its state is told. */
static double said(void)
{
	static const char *const shown[] = { "SHIRT1@2500 SOCKS2@500", "SHIRT2@2500 SOCKS2@500" };
	uint64_t begin;
	double took;

	start(0);
	begin = cpu_ns();
	for (unsigned k = 0; k < TIMES / 10; k++)
		SAY(.say = SAY_CHANGE_CART, .visit = 1 + k % 1000, .at = 1000 + k, .took = 1,
		    .cart = shown[k / 1000 & 1]);
	took = (double)(cpu_ns() - begin) / (TIMES / 10);
	kit_stop();
	return took;
}

static double looked(void)
{
	uint64_t begin;
	double took;

	start(0);
	begin = cpu_ns();
	for (unsigned k = 0; k < TIMES / 10; k++)
		SAY(.say = SAY_VIEW_CART, .visit = 1 + k % 1000, .at = 1000 + k, .took = 1,
		    .cart = "SHIRT1@2500 SOCKS2@500");
	took = (double)(cpu_ns() - begin) / (TIMES / 10);
	kit_stop();
	return took;
}

static double viewed(void)
{
	uint64_t begin;
	double took;

	start(0);
	begin = cpu_ns();
	for (unsigned k = 0; k < TIMES / 10; k++)
		SAY(.say = SAY_VIEW_ITEM, .visit = 1 + k % 1000, .at = 1000 + k, .took = 1,
		    .items = "SHIRT1@2500");
	took = (double)(cpu_ns() - begin) / (TIMES / 10);
	kit_stop();
	return took;
}

static void weigh(void)
{
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	struct carts_stats s;

	start(CARTS);
	carts_tick(kit.c, 100000 * MS);
	s = kit_stats();
	printf("%u open carts of 3 lines: %.1f MiB, of which contents %.1f MiB; evicted %lu\n",
	       s.open, (double)(mallinfo2().uordblks + mallinfo2().hblkhd - before) / (1 << 20),
	       (double)s.bytes / (1 << 20), (unsigned long)s.evicted);
	kit_stop();
}

static void least(const char *name, double (*what)(void), unsigned rounds)
{
	double best = 0;

	for (unsigned i = 0; i < rounds; i++) {
		double took = what();

		if (!i || took < best)
			best = took;
	}
	printf("%-44s %7.0f ns\n", name, best);
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;

	least("a transaction of a visit without a cart", without, rounds);
	least("a transaction of a visit with a cart", with_cart, rounds);
	least("view_item said and told", viewed, rounds);
	least("a cart shown as it was", looked, rounds);
	least("a change said, shown and told, with the cart", said, rounds);
	weigh();
	return 0;
}
