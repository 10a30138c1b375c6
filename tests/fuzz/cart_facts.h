/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cart_facts.h: what holds of the facts of carts whatever was said: of one cart's facts revisions rise and its
 * step does not go back, unless it was over in between; texts and amounts are in their ranges. A fuzz target
 * shows it each event in the order in which they are told.
 */
#ifndef PC_TESTS_FUZZ_CART_FACTS_H
#define PC_TESTS_FUZZ_CART_FACTS_H

#include <stdio.h>
#include <stdlib.h>

#include "journey/event.h"

#define FACTS 512

#define check(holds)                                                                               \
	do {                                                                                       \
		if (!(holds)) {                                                                    \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #holds);        \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct cart_facts {
	struct {
		uint8_t id[2 *
			   KEY_BYTES]; /* and the visit: another may know a cart by the same id */
		uint64_t revision;
		uint8_t step;
		bool over;
	} at[FACTS];
	unsigned count;
};

static inline void check_items(const struct item *items, uint32_t count)
{
	check(count <= ITEMS_MAX);
	for (uint32_t i = 0; i < count; i++) {
		check(!items[i].has_quantity || items[i].quantity.units >= 0);
		check(items[i].id.len <= 256 && items[i].name.len <= 256);
	}
}

/* An EVENT_CART or EVENT_CART_ABANDONED. */
static inline void cart_fact_check(struct cart_facts *f, const struct event *e)
{
	const struct cart_state *s = e->cart;
	uint8_t id[2 * KEY_BYTES];
	unsigned i = 0;

	memcpy(id, e->event_id, KEY_BYTES);
	memcpy(id + KEY_BYTES, e->session_id, KEY_BYTES);
	while (i < f->count && memcmp(f->at[i].id, id, sizeof(id)))
		i++;
	if (i == FACTS)
		return;
	if (i == f->count) {
		memcpy(f->at[f->count++].id, id, sizeof(id));
	} else {
		/* one that was over and goes on under its id may be another, or its end be forgotten */
		check(f->at[i].over ||
		      (e->revision > f->at[i].revision && s->step >= f->at[i].step));
	}
	f->at[i].revision = e->revision;
	f->at[i].step = (uint8_t)s->step;
	f->at[i].over = s->condition != CART_OPEN;
	/* it went on in another visit; or what is known of the visit was let go */
	for (unsigned k = 0; k < f->count; k++) {
		bool of_visit = !memcmp(f->at[k].id + KEY_BYTES, id + KEY_BYTES, KEY_BYTES);

		f->at[k].over |= of_visit ? e->kind == EVENT_CART_ABANDONED
					  : !memcmp(f->at[k].id, id, KEY_BYTES);
	}
	check_items(s->items, s->item_count);
	check(!s->has_value || s->value.scale <= AMOUNT_SCALE_MAX);
}

#endif
