/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cart.h: what was said in one visit after the other → events. A cart is opened by the first answer that
 * shows something in it, or by an accepted change whose result was shown; it is ordered, emptied, or
 * abandoned when its visit ends. Then the visit may open a second one.
 *
 * What makes a fact of evidence:
 *  - A change counts only when shown: what was asked for is kept until the next answer of the visit shows
 *    the cart; the events add_to_cart and remove_from_cart carry what really changed, the transaction of
 *    the answer proves them, and the time is that of the request that asked.
 *  - An order counts once, by site and order number, or without a number by the exchange; and only of a
 *    transaction that created it or is its first landing page.
 *  - Steps never go back while the cart lives.
 *
 * Owns its copies of ids and items, within bounds. One thread, no clock of its own.
 */
#ifndef PC_JOURNEY_CART_CART_H
#define PC_JOURNEY_CART_CART_H

#include "journey/event.h"

struct carts;

struct carts_options {
	struct keys *keys;   /* event ids, seals; outlives the carts */
	uint32_t open;	     /* carts: 100,000 */
	size_t bytes;	     /* of their contents: 64 MiB */
	uint32_t orders;     /* order numbers remembered, so that none counts twice: 100,000 */
	uint64_t unshown_ns; /* how long a change that was asked for waits to be shown: 60 s */
	void *ctx;
	void (*event)(void *ctx, const struct event *e);
	/* As journey_options.visit. */
	bool (*visit)(void *ctx, const uint8_t session_id[KEY_BYTES], struct segment *ret);
};

struct carts_stats {
	uint64_t opened, restored, ordered, emptied, abandoned,
		evicted; /* + open: see journey_stats */
	uint64_t orders_again, changes_unshown, items_cut;
	uint32_t open;
	size_t bytes;
};

int carts_new(const struct carts_options *options, struct carts **ret);
void carts_free(struct carts *c);
void carts_clock(struct carts *c, int64_t wall_minus_mono_ns);
void carts_push(struct carts *c, const struct said *s);
/* Every transaction of a visit, after what was said of it: signs of life and failures (what preceded). */
void carts_transaction(struct carts *c, const struct transaction *t);
/* Pages (slow, failed), ends of visits and aliases. */
void carts_fact(struct carts *c, const struct session_fact *f);
void carts_tick(struct carts *c, uint64_t now_ns);
void carts_finish(struct carts *c);
void carts_stats(const struct carts *c, struct carts_stats *ret);
int carts_save(const struct carts *c, void *ctx, int (*add)(void *ctx, struct slice piece));
int carts_load(struct carts *c, struct slice text);

#endif
