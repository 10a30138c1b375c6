/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console.c: see console.h. Columns have fixed widths so that the eye can run down them; the target
 * takes what the width leaves. Loop thread; the descriptor is behind base/out, so a terminal that is
 * held up does not hold us up.
 */
#include "export/console.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/utf8.h"
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

#define RESET "\033[0m"
#define DIM   "\033[2m"

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

static bool is_hidden(uint32_t code)
{
	return (code >= 0x80 && code < 0xa0) ||	     /* C1 controls */
	       (code >= 0x200b && code <= 0x200f) || /* zero width, direction marks */
	       (code >= 0x2028 && code <= 0x202e) || /* separators, overrides */
	       (code >= 0x2060 && code <= 0x206f) || code == 0xfeff || code == 0xad;
}

/* One character as it may be shown; returns the octets of `s` that it took. */
static size_t show(struct slice s, char text[12], size_t *ret_octets, size_t *ret_columns)
{
	unsigned char c = (unsigned char)s.at[0];
	size_t n = utf8_length(s.at, s.len);
	uint32_t code = n ? utf8_code(s.at, n) : 0;

	if (!n || c < 0x20 || c == 0x7f) {
		*ret_octets = *ret_columns = (size_t)snprintf(text, 12, "\\x%02x", c);
		return n ? n : 1;
	}
	if (is_hidden(code)) {
		*ret_octets = *ret_columns = (size_t)snprintf(text, 12, "\\u{%x}", code);
		return n;
	}
	memcpy(text, s.at, n);
	*ret_octets = n;
	*ret_columns = 1;
	return n;
}

size_t console_add_text(struct buf *out, struct slice s, size_t columns)
{
	size_t used = 0;

	while (s.len) {
		char text[12];
		size_t octets, wide, n = show(s, text, &octets, &wide);
		bool last = n == s.len;

		if (used + wide + !last > columns) {
			if (used < columns) {
				buf_add_str(out, "…");
				used++;
			}
			break;
		}
		buf_add(out, slice_of(text, octets));
		used += wide;
		s = slice_sub(s, n, s.len);
	}
	return used;
}

static void pad(struct buf *out, size_t used, size_t columns)
{
	for (; used < columns; used++)
		buf_add_byte(out, ' ');
}

static void add_color(const struct console *c, struct buf *out, const char *code)
{
	if (c->color)
		buf_add_str(out, code);
}

static void add_time(struct console *c, struct buf *out, uint64_t wall_ns)
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

/* A number with three figures at least and a unit that fits it: width 9. */
static void add_duration(struct buf *out, uint64_t ns)
{
	if (ns < 10 * NS_PER_MS)
		buf_addf(out, "%6.2f ms", (double)ns / 1e6);
	else if (ns < 10 * NS_PER_S)
		buf_addf(out, "%6.1f ms", (double)ns / 1e6);
	else
		buf_addf(out, "%6.1f s ", (double)ns / 1e9);
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
	pad(out, used + (out->len - before), columns);
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
		pad(out, console_add_text(out, SLICE("(not seen)"), most), columns);
		return;
	}
	if (t->side == SIDE_CLIENT)
		used = console_add_text(out, t->authority, most / 2);
	used += console_add_text(out, v->path.len ? v->path : t->authority, most - used);
	if (v->has_query && used < most) {
		buf_add_byte(out, '?');
		used++;
		used += console_add_text(out, v->query, most - used);
	}
	pad(out, used, columns);
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

	add_color(c, out, status_color(t));
	if (t->status && !(t->unobserved & UNOBSERVED_STATUS))
		buf_addf(out, "  %3u", t->status);
	else
		buf_add_str(out, "    -");
	add_color(c, out, RESET);
	buf_add_byte(out, ' ');
	if (timed)
		add_duration(out, t->duration_ns);
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
	struct slice method = t->unobserved & UNOBSERVED_METHOD ? SLICE("?") : t->method;

	add_color(c, out, t->side == SIDE_CLIENT ? DIM : "");
	buf_add_str(out, t->side == SIDE_SERVER ? "> " : "< ");
	add_who(out, t, columns.who);
	pad(out, console_add_text(out, method, METHOD), METHOD + 1);
	add_target(out, t, v, columns.target, c->width != 0);
	add_color(c, out, RESET);
	add_figures(c, out, t);
	if (remark_len) {
		add_color(c, out, t->outcome == OUTCOME_COMPLETE ? DIM : status_color(t));
		console_add_text(out, slice_of(remark, remark_len), columns.remarks);
		add_color(c, out, RESET);
	}
	buf_add_byte(out, '\n');
}

bool console_tick(struct console *c, struct buf *out, uint64_t now_ns)
{
	bool say = c->hidden > 0;

	if (now_ns - c->window_ns < NS_PER_S)
		return false;
	if (say) {
		add_color(c, out, DIM);
		buf_addf(out,
			 "             %llu more in this second (use --ndjson to have them all)\n",
			 (unsigned long long)c->hidden);
		add_color(c, out, RESET);
	}
	c->window_ns = now_ns;
	c->window_rows = 0;
	c->hidden = 0;
	return say;
}

bool console_transaction(struct console *c, struct buf *out, const struct transaction *t,
			 const struct view *v, int64_t wall_minus_mono_ns, uint64_t now_ns)
{
	uint64_t when = t->unobserved & UNOBSERVED_START ? now_ns : t->start_ns;

	if (c->window_rows >= CONSOLE_ROWS) {
		c->hidden++;
		return false;
	}
	c->window_rows++;
	add_time(c, out, when + (uint64_t)wall_minus_mono_ns);
	add_row(c, out, t, v);
	return true;
}
