/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line.h: what the lines of the console view are made of, for the files of this folder. All text of
 * strangers goes through console_add_text; our own words are ASCII and go as they are.
 */
#ifndef PC_EXPORT_CONSOLE_LINE_H
#define PC_EXPORT_CONSOLE_LINE_H

#include "export/console.h"

#define LINE_RESET "\033[0m"
#define LINE_DIM   "\033[2m"

#define LINE_TIME     13 /* columns of line_add_time */
#define LINE_DURATION 9	 /* columns of line_add_duration */

void line_pad(struct buf *out, size_t used, size_t columns);
/* Nothing where colours are off. */
void line_add_color(const struct console *c, struct buf *out, const char *code);
void line_add_time(struct console *c, struct buf *out, uint64_t wall_ns);
/* Counts one more line of this second; false: it has had enough. */
bool line_is_due(struct console *c, uint32_t *shown);
/* A number with three figures at least and a unit that fits it. */
void line_add_duration(struct buf *out, uint64_t ns);

#endif
