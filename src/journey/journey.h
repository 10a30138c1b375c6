/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey.h: transactions of visits → business events. Stands between session and export:
 *
 *   rule/  which rules may want something of a message (asked by txn at its head), which hold of a whole
 *          transaction, and what they take of it → struct said
 *   cart/  one machine a visit: said → events
 *   outgoing  whose visit an outgoing call was made for
 *
 *   supply    contents that an inner hop of the edge's exchange has whole, and the edge has not
 *
 * Only the edge of an exchange says something (an inner hop is the same fact once more), and a CLIENT's
 * transaction by a rule that asks for outgoing ones. What session tells passes through unchanged, each
 * event after the transaction that proves it: right after it, but for that of a call, which is told when
 * the request is over that the call was made for, since only then its visit is known.
 *
 * Definitions (funnels, objectives) are told when the clock is known first, and again where a reload
 * changed one.
 *
 * Clock: the traffic's own. One thread. Bounds: options.
 */
#ifndef PC_JOURNEY_JOURNEY_H
#define PC_JOURNEY_JOURNEY_H

#include "journey/definition.h"
#include "journey/event.h"
#include "journey/rule/rules.h"
#include "txn/reading.h"

struct journey_sink {
	struct session_sink session; /* all of its calls pass through */
	void *ctx;
	void (*event)(void *ctx, const struct event *e);
	void (*definition)(void *ctx, const struct definition *d);
	/* A page view, once, that is of an objective. */
	void (*objective)(void *ctx, const struct objective *o, const struct session_fact *f,
			  bool met);
};

/* Who looks on while rules are asked: `parcours check`. */
struct journey_witness {
	void *ctx;
	void (*said)(void *ctx, const struct said *s);
	void (*missed)(void *ctx, uint32_t rule, const char *value, enum amount_refusal why);
	void (*undecided)(void *ctx, uint32_t rule);
	void (*overlapped)(void *ctx, uint32_t rule);
	void (*over)(void *ctx, const struct transaction *t); /* all were asked about it */
};

struct journey_options {
	uint8_t secret[SECRET_BYTES];
	/* NULL: no rule. The stage's from journey_new and journey_reload on, once they went well: contents
	 * that are being read still refer to them, and names of rules stand in what carts keep. */
	struct rules *rules;
	const struct definitions
		*definitions; /* outlive the stage or the next journey_reload; NULL: none */
	const struct journey_witness *witness; /* NULL: nobody; copied */
	uint32_t carts;			       /* open at once: 100,000 */
	size_t bytes;			       /* of all carts' contents together: 64 MiB */
	/* What is known of a visit now, asked of session; false: it is over. */
	void *ctx;
	bool (*visit)(void *ctx, const uint8_t session_id[KEY_BYTES], struct segment *ret);
};

struct journey_stats {
	uint64_t events[EVENTS];
	uint64_t matched,
		wanted; /* transactions a rule held of; messages whose content was asked for */
	uint64_t required_missing; /* rules that held but for a value they require */
	uint64_t amounts_refused[AMOUNT_REFUSALS];
	/* Rules of which it was not seen whether they hold; that held too, but one before said the same. */
	uint64_t undecided, overlapped;
	uint64_t orders_again;			  /* the same order once more: not counted again */
	uint64_t orders_completed, orders_unkept; /* as carts_stats */
	uint64_t orders_forgotten, notices_unknown, late, records_evicted; /* as carts_stats */
	uint64_t changes_unshown; /* asked for and never shown: no event */
	uint64_t carts_opened, carts_ordered, carts_emptied, carts_abandoned;
	uint64_t carts_evicted, items_cut;
	uint32_t
		carts_open; /* gauge; opened + restored = ordered + emptied + abandoned + evicted + open */
	uint64_t carts_restored;
	size_t bytes;
	/* Calls that said something or failed, of requests that were not over yet: held = attributed +
	 * alone (no visit was found, or too late) + held now. Dropped: no room, they said nothing. */
	uint64_t calls_held, calls_attributed, calls_alone, calls_dropped;
	/* Contents of inner hops, as supply_stats. */
	uint64_t inner_kept, inner_supplied, inner_unlike, inner_dropped;
};

struct journey;

int journey_new(const struct journey_options *options, const struct journey_sink *sink,
		struct journey **ret);
struct session_sink journey_session_sink(struct journey *j);
struct txn_reader journey_reader(struct journey *j);
/* Rules and definitions of other options; the rules that there were are freed when nothing that began
 * under them is open. The same rules once more change nothing. -ENOMEM: as before. */
int journey_reload(struct journey *j, const struct journey_options *options);
void journey_clock(struct journey *j, int64_t wall_minus_mono_ns);
void journey_tick(struct journey *j, uint64_t now_ns);
void journey_finish(struct journey *j); /* open carts are told as they stand (END_SHUTDOWN) */
void journey_stats(const struct journey *j, struct journey_stats *ret);
void journey_free(struct journey *j);

/* As session_save and session_load: open carts, amounts, and ids as pseudonyms or sealed. */
int journey_save(const struct journey *j, void *ctx, int (*add)(void *ctx, struct slice piece));
int journey_load(struct journey *j, struct slice text);

#endif
