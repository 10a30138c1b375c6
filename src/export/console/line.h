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

#define LINE_TIME     13  /* columns of line_add_time */
#define LINE_DURATION 9	  /* columns of line_add_duration */
#define LINE_WIDTH    100 /* where the terminal does not say its own */
#define LINE_LEAST    72  /* a narrower one breaks lines */
#define LINE_TAG      6	  /* digits of session.id */
#define LINE_FRONT    (LINE_TIME + 2 + LINE_TAG + 1)

void line_pad(struct buf *out, size_t used, size_t columns);
/* Nothing where colours are off. */
void line_add_color(const struct console *c, struct buf *out, const char *code);
void line_add_time(struct console *c, struct buf *out, uint64_t wall_ns);
/* Counts one more line of this second; false: it has had enough. */
bool line_is_due(struct console *c, uint32_t *shown);
/* A number with three figures at least and a unit that fits it. */
void line_add_duration(struct buf *out, uint64_t ns);

/* Time, sign, and whose visit it is (NULL: nobody's). `dim`: no person's. */
void line_add_visit(struct console *c, struct buf *out, const uint8_t session_id[KEY_BYTES],
		    bool dim, char sign, uint64_t wall_ns);
size_t line_columns(const struct console *c); /* behind that */
void line_end(struct console *c, struct buf *out);

/* What still has room on the line. */
struct line_rest {
	struct buf *out;
	size_t columns;
};

void line_say(struct line_rest *r, struct slice s);
void line_say_str(struct line_rest *r, const char *s);
void line_say_word(struct line_rest *r, const char *word); /* of ours, with _ for a blank */
void line_say_count(struct line_rest *r, uint64_t n, const char *one, const char *many);
void line_say_time(struct line_rest *r, uint64_t ns); /* 850 ms, 12.4 s, 3 min 20 s, 2 h 05 min */

#endif
