/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console.h: what happens, in lines that a person at a terminal can read while they come:
 *
 *   14:03:07.512 + 1f3a9c visit of shop.example, organic search, mobile iOS Safari
 *   14:03:07.512 * 1f3a9c /product/tent-two        1240.0 ms satisfied   server 980.0 ms
 *   14:05:40.118 $ 1f3a9c into the cart        2 x Tent two at 249.00, cart: 2 pieces, 498.00 EUR
 *   14:33:21.004 - 1f3a9c visit over: 5 pages, 48 requests in 3 min 12 s (timeout)
 *   14:03:07.512 > nginx[812]      GET     /product/tent-two   200   12.3 ms    4.1 kB  waited 3.2 ms
 *   14:03:07.512 x shop[815] did not reach payment.example:443 ECONNREFUSED
 *
 * `+` a visit begins, `*` a page as it was lived, `-` a visit is over; six digits of session.id say whose;
 * `$` carts, steps and orders.
 * `>` a transaction that came in (server side), `<` one that went out (client side), `x` what was
 * not reached or was turned away. console/visit.c writes the first, console/row.c transactions, console/reach.c the
 * last. A person cannot read a flood: of each kind CONSOLE_ROWS a second
 * are shown, the number of the others is said. Local time.
 */
#ifndef PC_EXPORT_CONSOLE_H
#define PC_EXPORT_CONSOLE_H

#include "export/journey.h"
#include "export/reach.h"

#define CONSOLE_ROWS 200 /* a second, of transactions; as many of visits and pages */
#define CONSOLE_KEPT 64	 /* shown last, of which a change for the worse is shown too */

/* What was said of a page. */
struct console_page {
	uint64_t id; /* of its event_id; 0: none */
	uint32_t failed;
	uint8_t outcome, apdex;
};

struct console {
	enum console_show show;
	bool color;
	uint32_t width;	   /* columns; 0: unknown. Then transactions are not cut, the rest to 100 */
	uint64_t second;   /* of the line before: wall clock */
	char time_text[9]; /* of that second: HH:MM:SS */
	uint64_t window_ns;			    /* start of the present second of the limit */
	uint32_t window_transactions, window_facts; /* shown in it */
	uint64_t hidden;			    /* left out in it */
	uint64_t left_out;			    /* in all */
	struct console_page pages[CONSOLE_KEPT];
	uint32_t next_page;
};

static inline bool console_shows_transactions(const struct console *c)
{
	return c->show == CONSOLE_ALL || c->show == CONSOLE_TRANSACTIONS;
}

/* False: not shown. Otherwise one line was appended to `out`. */
bool console_transaction(struct console *c, struct buf *out, const struct transaction *t,
			 const struct view *v, int64_t wall_minus_mono_ns, uint64_t now_ns);
/* `f` as privacy left it (fact.h). wall_ns: now, the time of a line that says what is over. */
bool console_fact(struct console *c, struct buf *out, const struct session_fact *f,
		  uint64_t wall_ns);
/* An event as privacy left it; limit and choice as of visits. */
bool console_event(struct console *c, struct buf *out, const struct event *e);
/* As console_transaction, with which it shares its limit: that somebody was not reached, or turned away. */
bool console_reach(struct console *c, struct buf *out, const struct reach_view *v,
		   uint64_t wall_ns);
/* Says how many were left out once the second is over; false: nothing to say. */
bool console_tick(struct console *c, struct buf *out, uint64_t now_ns);

/* Text of strangers for a terminal: controls, invalid bytes, characters that are invisible, pile up or turn
 * the direction of writing become \xNN or \u{…}; at most `columns` columns, then an ellipsis. Returns
 * columns. */
size_t console_add_text(struct buf *out, struct slice s, size_t columns);

#endif
