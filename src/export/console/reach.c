/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach.c: the lines of what was not reached: calls of ours that found nobody, and people whom a server of ours
 * turned away. See console.h; what is said of each is share/schema.md's, in words. They count as
 * lines of transactions where the limit of a second is concerned. No line passes the width, or 100 columns where there
 * is none: its end is cut.
 */
#include <stdio.h>

#include "base/clock.h"
#include "export/console/line.h"

#define WIDTH	  100 /* where the terminal does not say its own */
#define FRONT	  (LINE_TIME + 2)
#define NAME_MOST 40
#define WHO_MOST  22
#define TEXT_MAX  1024
#define RED	  "\033[31m"

/* As the lines of transactions name it. */
static void say_who(struct buf *out, const struct reach_view *v, uint32_t tgid)
{
	struct slice name = v->service ? slice_str(v->service) : SLICE("?");
	struct slice path = v->executable;

	while (path.at) {
		name = slice_next(&path, '/');
		if (!name.len)
			name = SLICE("?");
	}
	console_add_text(out, name, WHO_MOST);
	if (tgid)
		buf_addf(out, "[%u]", tgid);
}

static void say_call(struct buf *out, const struct reach_view *v)
{
	const struct attempt *a = v->attempt;

	say_who(out, v, a->tgid);
	buf_add_str(out, a->phase == ATTEMPT_TLS   ? " no TLS with "
			 : a->phase == ATTEMPT_DNS ? " did not find "
						   : " did not reach ");
	console_add_text(out, v->server, NAME_MOST);
	if (v->server_port)
		buf_addf(out, ":%u", v->server_port);
	buf_add_byte(out, ' ');
	console_add_text(out, slice_str(a->error), NAME_MOST / 2);
	if (a->superseded)
		buf_add_str(out, ", another address did");
}

static void say_visitor(struct buf *out, const struct reach_view *v)
{
	say_who(out, v, v->attempt->tgid);
	buf_addf(out, " :%u left ", v->server_port);
	console_add_text(out, slice_str(v->peer), NAME_MOST);
	buf_add_str(out,
		    v->attempt->phase == ATTEMPT_ACCEPT ? " unaccepted" : " without an answer");
}

static void say_listener(struct buf *out, const struct reach_view *v)
{
	const struct listener_news *n = v->news;

	say_who(out, v, n->tgid);
	buf_addf(out, " :%u", v->server_port);
	if (n->dropped)
		buf_addf(out, " dropped %llu", (unsigned long long)n->dropped);
	if (n->refused)
		buf_addf(out, " refused %llu", (unsigned long long)n->refused);
	if (!n->open)
		buf_add_str(out, ", listens no more");
	else if (n->still_ns)
		buf_addf(out, ", accepts nobody since %.1f s, %u wait", (double)n->still_ns / 1e9,
			 n->waiting);
	else if (!n->dropped && !n->refused)
		buf_add_str(out, " accepts again");
}

bool console_reach(struct console *c, struct buf *out, const struct reach_view *v, uint64_t wall_ns)
{
	uint32_t width = c->width ? c->width : WIDTH;
	struct buf text;

	if (!console_shows_transactions(c) || !line_is_due(c, &c->window_transactions))
		return false;
	line_add_time(c, out, v->end_unix_ns ? v->end_unix_ns : wall_ns);
	line_add_color(c, out, RED);
	buf_add_str(out, "x ");
	line_add_color(c, out, LINE_RESET);
	buf_init(&text, TEXT_MAX);
	if (v->news)
		say_listener(&text, v);
	else if (v->attempt->client)
		say_call(&text, v);
	else
		say_visitor(&text, v);
	if (width > FRONT)
		console_add_text(out, buf_slice(&text), width - FRONT);
	buf_done(&text);
	buf_add_byte(out, '\n');
	return true;
}
