/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cart.h: what was said in one visit after the other → events. A cart is opened by the first answer that
 * shows something in it, or by a step of the checkout where no cart was shown in the visit before; it is
 * ordered, emptied, or abandoned when its visit ends. Then the visit may open a second one.
 *
 * What makes a fact of evidence:
 *  - A change counts only when shown: what was asked for is kept until an answer of the visit shows the
 *    cart; the events add_to_cart and remove_from_cart carry what really changed, the transaction of the
 *    answer proves them, and the time is that of the request that asked.
 *  - An order counts once, by site and order number, or without a number by the exchange; and only of a
 *    transaction that created it or is its first landing page.
 *  - Steps never go back while the cart lives.
 *
 * Transactions come in the order of their ends, and not always in that. So what is later is told by their
 * times: of two answers that show a cart the one that ended later counts, an ask may come after the answer
 * that shows what it did, and nothing of before an order opens a cart after it.
 *
 * A visit that says something of a cart has a record; without a visit there is no cart, only events that
 * stand for themselves. Owns its copies of ids and items, within bounds. One thread, no clock of its own.
 */
#ifndef PC_JOURNEY_CART_CART_H
#define PC_JOURNEY_CART_CART_H

#include "journey/event.h"

struct carts;

struct carts_options {
	struct keys *keys;   /* event ids, seals; outlives the carts */
	uint32_t open;	     /* carts: 100,000; as many that were left are remembered */
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
		evicted;	   /* + open: see journey_stats */
	uint64_t orders_again;	   /* the same order once more: not counted again */
	uint64_t orders_completed; /* it was told again, with more */
	uint64_t orders_unkept;	   /* no room: what is learnt of them later is not told */
	uint64_t orders_forgotten; /* numbers that found no room any more */
	uint64_t changes_unshown;
	uint64_t notices_unknown; /* of a payment for no cart that is known: not told */
	uint64_t late;		  /* answers older than what is known: not taken */
	uint64_t items_cut;	  /* items left out: beyond ITEMS_MAX, or no room */
	uint64_t
		records_evicted; /* of visits without an open cart; or not made, for an empty one */
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
/* The end of input: open carts are told as they stand (END_SHUTDOWN), each once. */
void carts_finish(struct carts *c);
void carts_stats(const struct carts *c, struct carts_stats *ret);
/* As session_save and session_load, with their errors. Texts are sealed, order numbers and visitors are
 * pseudonyms. What was asked for and not yet shown goes on only where carts_finish was the last call before
 * carts_save; else it is counted, and the cart is unobserved until it is shown. */
int carts_save(const struct carts *c, void *ctx, int (*add)(void *ctx, struct slice piece));
int carts_load(struct carts *c, struct slice text);

#endif
