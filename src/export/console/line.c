/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line.c: what the lines of visits, pages and events are made of beyond line_add_time: whose line it is, and
 * words that stop where the line is full. Stateless.
 */
#include <stdio.h>

#include "base/clock.h"
#include "export/console/line.h"

size_t line_columns(const struct console *c)
{
	size_t width = c->width ? c->width : LINE_WIDTH;

	return (width < LINE_LEAST ? LINE_LEAST : width) - LINE_FRONT;
}

void line_say(struct line_rest *r, struct slice s)
{
	r->columns -= console_add_text(r->out, s, r->columns);
}

void line_say_str(struct line_rest *r, const char *s)
{
	line_say(r, slice_str(s));
}

/* Of our own words that are names in a format: organic_search. */
void line_say_word(struct line_rest *r, const char *word)
{
	char text[40];
	size_t n = 0;

	for (; word[n] && n + 1 < sizeof(text); n++)
		text[n] = word[n] == '_' ? ' ' : word[n];
	line_say(r, slice_of(text, n));
}

void line_say_count(struct line_rest *r, uint64_t n, const char *one, const char *many)
{
	char text[64];

	line_say(r, slice_of(text, (size_t)snprintf(text, sizeof(text), "%llu %s",
						    (unsigned long long)n, n == 1 ? one : many)));
}

/* As people say it: 850 ms, 12.4 s, 3 min 20 s, 2 h 05 min. */
void line_say_time(struct line_rest *r, uint64_t ns)
{
	uint64_t seconds = ns / NS_PER_S;
	char text[48];
	int n;

	if (ns < NS_PER_S)
		n = snprintf(text, sizeof(text), "%u ms", (unsigned)(ns / NS_PER_MS));
	else if (seconds < 60)
		n = snprintf(text, sizeof(text), "%.1f s", (double)ns / 1e9);
	else if (seconds < 3600)
		n = snprintf(text, sizeof(text), "%u min %02u s", (unsigned)(seconds / 60),
			     (unsigned)(seconds % 60));
	else
		n = snprintf(text, sizeof(text), "%llu h %02u min",
			     (unsigned long long)(seconds / 3600), (unsigned)(seconds / 60 % 60));
	line_say(r, slice_of(text, (size_t)n));
}

void line_add_visit(struct console *c, struct buf *out, const uint8_t session_id[KEY_BYTES],
		    bool dim, char sign, uint64_t wall_ns)
{
	static const char *const colors[] = { "\033[36m", "\033[35m", "\033[34m",
					      "\033[96m", "\033[95m", "\033[94m" };

	line_add_time(c, out, wall_ns);
	line_add_color(c, out, dim ? LINE_DIM : "");
	buf_add_byte(out, sign);
	buf_add_byte(out, ' ');
	if (!session_id) {
		line_pad(out, 0, LINE_TAG + 1);
		return;
	}
	line_add_color(c, out, dim ? "" : colors[session_id[0] % 6]);
	buf_add_hex(out, session_id, LINE_TAG / 2);
	line_add_color(c, out, dim ? "" : LINE_RESET);
	buf_add_byte(out, ' ');
}

void line_end(struct console *c, struct buf *out)
{
	line_add_color(c, out, LINE_RESET);
	buf_add_byte(out, '\n');
}
