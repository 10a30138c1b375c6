/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console.c: what all lines of the console view have in common: when, how long, in which colour, and that a
 * person is not flooded. See console.h. Loop thread; the descriptor is behind base/out, so a terminal that is
 * held up does not hold us up.
 */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "export/console/line.h"

void line_pad(struct buf *out, size_t used, size_t columns)
{
	for (; used < columns; used++)
		buf_add_byte(out, ' ');
}

void line_add_color(const struct console *c, struct buf *out, const char *code)
{
	if (c->color)
		buf_add_str(out, code);
}

void line_add_time(struct console *c, struct buf *out, uint64_t wall_ns)
{
	uint64_t second = wall_ns / NS_PER_S;

	if (second != c->second || !c->time_text[0]) {
		time_t when = (time_t)second;
		struct tm tm;

		if (!localtime_r(&when, &tm) ||
		    !strftime(c->time_text, sizeof(c->time_text), "%T", &tm))
			memcpy(c->time_text, "--:--:--", sizeof(c->time_text));
		c->second = second;
	}
	buf_addf(out, "%s.%03u ", c->time_text, (unsigned)(wall_ns / NS_PER_MS % 1000));
}

void line_add_duration(struct buf *out, uint64_t ns)
{
	if (ns < 10 * NS_PER_MS)
		buf_addf(out, "%6.2f ms", (double)ns / 1e6);
	else if (ns < 10 * NS_PER_S)
		buf_addf(out, "%6.1f ms", (double)ns / 1e6);
	else
		buf_addf(out, "%6.1f s ", (double)ns / 1e9);
}

bool line_is_due(struct console *c, uint32_t *shown)
{
	if (*shown < CONSOLE_ROWS) {
		++*shown;
		return true;
	}
	c->hidden++;
	c->left_out++;
	return false;
}

bool console_tick(struct console *c, struct buf *out, uint64_t now_ns)
{
	bool say = c->hidden > 0;

	if (now_ns - c->window_ns < NS_PER_S)
		return false;
	if (say) {
		line_add_color(c, out, LINE_DIM);
		buf_addf(out,
			 "             %llu more in this second (use --ndjson to have them all)\n",
			 (unsigned long long)c->hidden);
		line_add_color(c, out, LINE_RESET);
	}
	c->window_ns = now_ns;
	c->window_transactions = c->window_facts = 0;
	c->hidden = 0;
	return say;
}
