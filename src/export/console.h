/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console.h: one readable line a transaction, for a person at a terminal:
 *
 *   14:03:07.512 > nginx[812]          GET     /shop/cart?item=…      200   12.3 ms    4.1 kB  waited 3.2 ms
 *
 * `>` came in (server side), `<` went out (client side). A person cannot read a flood: beyond
 * CONSOLE_ROWS a second rows are left out and their number is said. Local time.
 */
#ifndef PC_EXPORT_CONSOLE_H
#define PC_EXPORT_CONSOLE_H

#include "export/privacy.h"

#define CONSOLE_ROWS 200 /* a second */

struct console {
	bool color;
	uint32_t width;	      /* columns; 0 = do not cut */
	uint64_t second;      /* of the row before: wall clock */
	char time_text[9];    /* of that second: HH:MM:SS */
	uint64_t window_ns;   /* start of the present second of the limit */
	uint32_t window_rows; /* rows shown in it */
	uint64_t hidden;      /* left out in it */
};

/* False: left out, a flood. Otherwise one line was appended to `out`. */
bool console_transaction(struct console *c, struct buf *out, const struct transaction *t,
			 const struct view *v, int64_t wall_minus_mono_ns, uint64_t now_ns);
/* Says how many were left out once the second is over; false: nothing to say. */
bool console_tick(struct console *c, struct buf *out, uint64_t now_ns);

/* Text of strangers for a terminal: controls, invalid bytes and characters that turn the direction
 * of writing become \xNN or \u{…}; at most `columns` columns, then an ellipsis. Returns columns. */
size_t console_add_text(struct buf *out, struct slice s, size_t columns);

#endif
