/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row.c: the line of a transaction. Columns have fixed widths so that the eye can run down them; the target
 * takes what the width leaves. See console.h.
 */
#include <stdio.h>

#include "base/clock.h"
#include "export/console/line.h"
#include "export/semconv.h"

#define WIDE	   100000 /* no cutting */
#define METHOD	   7
#define TARGET	   48 /* padded to this where nothing is cut */
#define TARGET_MIN 12
#define REMARK_MAX 96

/* How a line is divided: time 13, side 2, who, method 8, target, status 5, duration 10, size 9,
 * remarks. */
struct columns {
	size_t who, target, remarks;
};

static const char *status_color(const struct transaction *t)
{
	if (t->outcome != OUTCOME_COMPLETE)
		return "\033[35m";
	switch (t->status / 100) {
	case 2:
		return "\033[32m";
	case 3:
		return "\033[36m";
	case 4:
		return "\033[33m";
	case 5:
		return "\033[31m";
	}
	return "";
}

static void add_size(struct buf *out, uint64_t octets)
{
	if (octets < 1000)
		buf_addf(out, "%5llu B ", (unsigned long long)octets);
	else if (octets < 1000000)
		buf_addf(out, "%5.1f kB", (double)octets / 1e3);
	else if (octets < 1000000000)
		buf_addf(out, "%5.1f MB", (double)octets / 1e6);
	else
		buf_addf(out, "%5.1f GB", (double)octets / 1e9);
}

static void add_who(struct buf *out, const struct transaction *t, size_t columns)
{
	const struct process *p = t->process;
	const char *name = !p ? "?" : p->service[0] ? p->service : semconv_executable(p);
	size_t used = console_add_text(out, slice_str(name), columns - 9), before = out->len;

	buf_addf(out, "[%u]", t->tgid);
	line_pad(out, used + (out->len - before), columns);
}

/* Remarks take from the target only where there is no room beside it. */
static struct columns divide(uint32_t width, size_t remarks)
{
	struct columns c = { 24, TARGET, WIDE };
	size_t rest;

	if (!width)
		return c;
	if (width < 110)
		c.who = 18;
	rest = 13 + 2 + c.who + METHOD + 1 + 5 + 10 + 9;
	rest = width > rest + TARGET_MIN ? width - rest : TARGET_MIN;
	c.remarks = width < 110 ? 0 : 22;
	if (remarks > c.remarks)
		c.remarks = remarks < rest - TARGET_MIN ? remarks : rest - TARGET_MIN;
	c.target = rest - c.remarks;
	return c;
}

static void add_target(struct buf *out, const struct transaction *t, const struct view *v,
		       size_t columns, bool cut)
{
	size_t most = cut ? columns : WIDE, used = 0;

	if (t->unobserved & UNOBSERVED_METHOD) {
		line_pad(out, console_add_text(out, SLICE("(not seen)"), most), columns);
		return;
	}
	if (t->side == SIDE_CLIENT)
		used = console_add_text(out, v->authority, most / 2);
	used += console_add_text(out, v->path.len ? v->path : v->authority, most - used);
	if (v->has_query && used < most) {
		buf_add_byte(out, '?');
		used++;
		used += console_add_text(out, v->query, most - used);
	}
	line_pad(out, used, columns);
}

/* What is worth a word only when it is there. Our own words: ASCII. */
static size_t remarks(const struct transaction *t, char text[REMARK_MAX])
{
	size_t n = 0;

	text[0] = 0;
	if (t->outcome == OUTCOME_UNOBSERVED)
		n += (size_t)snprintf(text + n, REMARK_MAX - n, "  unobserved: %.24s",
				      why_name(t->why));
	else if (t->outcome != OUTCOME_COMPLETE)
		n += (size_t)snprintf(text + n, REMARK_MAX - n, "  %.24s",
				      outcome_name(t->outcome));
	if (t->side == SIDE_SERVER && !(t->unobserved & UNOBSERVED_WAIT) && t->wait_ns > NS_PER_MS)
		n += (size_t)snprintf(text + n, REMARK_MAX - n, "  waited %.1f ms",
				      (double)t->wait_ns / 1e6);
	if (t->flags & TXN_UPGRADED)
		n += (size_t)snprintf(text + n, REMARK_MAX - n, "  upgraded");
	return n;
}

static void add_figures(const struct console *c, struct buf *out, const struct transaction *t)
{
	bool timed = !(t->unobserved & (UNOBSERVED_START | UNOBSERVED_END));

	line_add_color(c, out, status_color(t));
	if (t->status && !(t->unobserved & UNOBSERVED_STATUS))
		buf_addf(out, "  %3u", t->status);
	else
		buf_add_str(out, "    -");
	line_add_color(c, out, LINE_RESET);
	buf_add_byte(out, ' ');
	if (timed)
		line_add_duration(out, t->duration_ns);
	else
		buf_add_str(out, "       - ");
	buf_add_byte(out, ' ');
	if (!(t->unobserved & UNOBSERVED_RESPONSE_SIZE))
		add_size(out, t->response.body_bytes);
	else
		buf_add_str(out, "    -   ");
}

static void add_row(const struct console *c, struct buf *out, const struct transaction *t,
		    const struct view *v)
{
	char remark[REMARK_MAX];
	size_t remark_len = remarks(t, remark);
	struct columns columns = divide(c->width, remark_len);
	struct slice method = t->unobserved & UNOBSERVED_METHOD ? SLICE("?") : v->method;

	line_add_color(c, out, t->side == SIDE_CLIENT ? LINE_DIM : "");
	buf_add_str(out, t->side == SIDE_SERVER ? "> " : "< ");
	add_who(out, t, columns.who);
	line_pad(out, console_add_text(out, method, METHOD), METHOD + 1);
	add_target(out, t, v, columns.target, c->width != 0);
	line_add_color(c, out, LINE_RESET);
	add_figures(c, out, t);
	if (remark_len) {
		line_add_color(c, out, t->outcome == OUTCOME_COMPLETE ? LINE_DIM : status_color(t));
		console_add_text(out, slice_of(remark, remark_len), columns.remarks);
		line_add_color(c, out, LINE_RESET);
	}
	buf_add_byte(out, '\n');
}

bool console_transaction(struct console *c, struct buf *out, const struct transaction *t,
			 const struct view *v, int64_t wall_minus_mono_ns, uint64_t now_ns)
{
	uint64_t when = t->unobserved & UNOBSERVED_START ? now_ns : t->start_ns;

	if (!console_shows_transactions(c) || !line_is_due(c, &c->window_transactions))
		return false;
	line_add_time(c, out, when + (uint64_t)wall_minus_mono_ns);
	add_row(c, out, t, v);
	return true;
}
