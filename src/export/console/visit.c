/* SPDX-License-Identifier: Apache-2.0 */
/*
 * visit.c: the lines of visits and page views. See console.h. A page has its line when it is told first, about
 * two seconds after it was loaded, and another one where what is known of it later is worse: what failed
 * or came late then is what a person at a terminal waits for. Every other revision adds a time and no line.
 *
 * No line passes the width, or 100 columns where there is none; below LEAST columns a terminal breaks it.
 */
#include <stdio.h>

#include "base/clock.h"
#include "export/console/line.h"

#define LIVED	   (2 + LINE_DURATION + 1)
#define APDEX	   11 /* "frustrated" and a blank */
#define PATH_LEAST 16
#define SITE_MOST  32
#define HOST_MOST  32
#define REMARKS	   256

/* Parts of the lived time are said from here on, where they are a fifth of it: nobody asks why of less. */
#define TELLING_NS  (500 * NS_PER_MS)
#define PART_FIFTHS 5

#define RED    "\033[31m"
#define YELLOW "\033[33m"

static void say_agent(struct line_rest *r, const struct session_fact *f)
{
	const char *const words[] = { f->segment.device, f->segment.os, f->segment.browser };
	const char *before = ", ";

	for (unsigned i = 0; i < 3; i++) {
		if (!words[i])
			continue;
		line_say_str(r, before);
		line_say_word(r, words[i]);
		before = " ";
	}
}

static void add_start(struct console *c, struct buf *out, const struct session_fact *f)
{
	struct line_rest r = { out, line_columns(c) }, site = { out, SITE_MOST };

	line_add_visit(c, out, f->session_id, f->segment.synthetic, '+', f->start_unix_ns);
	line_say_str(&r, "visit of ");
	line_say(&site, f->site);
	r.columns -= SITE_MOST - site.columns;
	if (f->segment.first.channel) {
		line_say_str(&r, ", ");
		line_say_word(&r, f->segment.first.channel);
	}
	say_agent(&r, f);
	if (f->segment.synthetic)
		line_say_str(&r, ", no person");
	else if (f->shared)
		line_say_str(&r, ", perhaps several people");
	line_end(c, out);
}

static void add_end(struct console *c, struct buf *out, const struct session_fact *f,
		    uint64_t wall_ns)
{
	bool over = f->end_reason == END_TIMEOUT || f->end_reason == END_CAP;
	struct line_rest r = { out, line_columns(c) };

	line_add_visit(c, out, f->session_id, f->segment.synthetic, '-', wall_ns);
	line_say_str(&r, over ? "visit over: " : "visit as it stood: ");
	line_say_count(&r, f->page_views, "page", "pages");
	line_say_str(&r, ", ");
	line_say_count(&r, f->transactions, "request", "requests");
	if (f->time_unix_ns >= f->start_unix_ns) {
		line_say_str(&r, " in ");
		line_say_time(&r, f->time_unix_ns - f->start_unix_ns);
	}
	line_say_str(&r, " (");
	line_say_str(&r, end_reason_name(f->end_reason));
	line_say_str(&r, ")");
	line_end(c, out);
}

/* ---- pages ---- */

static void say_comma(struct line_rest *r)
{
	if (r->out->len)
		line_say_str(r, ", ");
}

static void say_failures(struct line_rest *r, const struct page_seen *p)
{
	if (p->outcome == PAGE_FAILED) {
		char text[16];

		line_say(r, slice_of(text,
				     (size_t)snprintf(text, sizeof(text), "error %u", p->status)));
	} else if (p->outcome != PAGE_COMPLETE) {
		line_say_word(r, page_outcome_name(p->outcome));
	}
	if (p->failed_resources) {
		char text[64];

		say_comma(r);
		line_say(r, slice_of(text,
				     (size_t)snprintf(text, sizeof(text), "%u of %u parts failed",
						      p->failed_resources, p->resources)));
	}
	if (p->failed_calls) {
		struct line_rest host = { r->out, HOST_MOST };

		say_comma(r);
		line_say_count(r, p->failed_calls, "call failed", "calls failed");
		if (p->failed_host.len) {
			line_say_str(r, ": ");
			line_say(&host, p->failed_host);
			r->columns -= HOST_MOST - host.columns;
		}
	}
}

static void say_part(struct line_rest *r, const char *before, uint64_t ns, const char *after,
		     const struct page_seen *p)
{
	if (ns * PART_FIFTHS < p->lived_ns)
		return;
	say_comma(r);
	line_say_str(r, before);
	line_say_time(r, ns);
	line_say_str(r, after);
}

/* Where the time went, when it was long enough to ask. */
static void say_parts(struct line_rest *r, const struct page_seen *p)
{
	if (!(p->has & PAGE_HAS_LIVED) || p->lived_ns < TELLING_NS)
		return;
	say_part(r, "server ", p->server_ns, "", p);
	if (p->has & PAGE_HAS_WAIT)
		say_part(r, "waiting ", p->wait_ns, "", p);
	say_part(r, p->to_proxy ? "network to proxy " : "network ", p->network_ns, "", p);
	if (p->redirects) /* all three are in it */
		say_part(r, "", p->redirect_ns, " in redirects", p);
}

static const char *apdex_color(const struct page_seen *p)
{
	switch (p->apdex) {
	case APDEX_SATISFIED:
		return "\033[32m";
	case APDEX_TOLERATING:
		return YELLOW;
	case APDEX_FRUSTRATED:
		return RED;
	}
	return "";
}

static void add_lived(const struct console *c, struct buf *out, const struct page_seen *p,
		      bool more)
{
	const char *word = apdex_name((enum apdex)p->apdex);

	line_add_color(c, out, apdex_color(p));
	buf_add_str(out, p->has & PAGE_HAS_LIVED && p->estimated ? " ~" : "  ");
	if (p->has & PAGE_HAS_LIVED)
		line_add_duration(out, p->lived_ns);
	else
		buf_add_str(out, "       - ");
	buf_addf(out, " %-*s", more ? APDEX : 0, word ? word : "-");
	line_add_color(c, out, LINE_RESET);
}

/* Path and remarks share what the figures leave: half each, then who needs less gives to the other. */
static size_t path_columns(size_t both, size_t path, size_t remarks)
{
	size_t half = both / 2;

	if (path > half && remarks < both - half)
		return path < both - remarks ? path : both - remarks;
	if (remarks <= both - half)
		return half;
	if (path < PATH_LEAST)
		path = PATH_LEAST;
	if (both - remarks > path && remarks < both)
		path = both - remarks;
	return path < half ? path : half;
}

static size_t columns_of(struct slice s)
{
	char memory[1024];
	struct buf b = { .at = memory, .room = sizeof(memory), .max = sizeof(memory) };

	return console_add_text(&b, s, 300);
}

static void add_page(struct console *c, struct buf *out, const struct session_fact *f, bool again)
{
	const struct page_seen *p = f->page;
	char memory[4 * REMARKS]; /* a character has at most four octets */
	struct buf text = { .at = memory, .room = sizeof(memory), .max = sizeof(memory) };
	struct line_rest remarks = { &text, REMARKS };
	size_t both = line_columns(c) - LIVED - APDEX, columns, used;
	bool failed;

	say_failures(&remarks, p);
	failed = text.len > 0;
	say_parts(&remarks, p);
	if (p->is_virtual) {
		say_comma(&remarks);
		line_say_str(&remarks, "virtual");
	}
	columns = path_columns(both, columns_of(p->path), REMARKS - remarks.columns);
	line_add_visit(c, out, f->session_id, f->segment.synthetic, again ? '!' : '*',
		       f->start_unix_ns);
	used = console_add_text(out, p->path.len ? p->path : SLICE("?"), columns);
	line_pad(out, used, columns);
	add_lived(c, out, p, text.len > 0);
	line_add_color(c, out, failed ? RED : LINE_DIM);
	console_add_text(out, buf_slice(&text), both - columns);
	line_end(c, out);
}

static struct console_page *page_said(struct console *c, uint64_t id)
{
	for (unsigned i = 0; i < CONSOLE_KEPT; i++)
		if (c->pages[i].id == id)
			return &c->pages[i];
	return NULL;
}

/* First seen, or worse than it was said to be. */
static bool is_news(struct console *c, const struct session_fact *f, bool *ret_again)
{
	const struct page_seen *p = f->page;
	struct console_page now = { .failed = p->failed_resources + p->failed_calls,
				    .outcome = p->outcome,
				    .apdex = p->apdex };
	struct console_page *before;
	bool news;

	memcpy(&now.id, f->event_id, sizeof(now.id));
	before = page_said(c, now.id);
	*ret_again = before != NULL;
	if (!before && f->revision > 1)
		return false; /* said long ago */
	if (!before)
		before = &c->pages[c->next_page++ % CONSOLE_KEPT];
	news = !*ret_again || (now.apdex > before->apdex && now.apdex > APDEX_SATISFIED) ||
	       now.failed > before->failed || now.outcome != before->outcome;
	*before = now;
	return news;
}

bool console_fact(struct console *c, struct buf *out, const struct session_fact *f,
		  uint64_t wall_ns)
{
	bool again = false;

	if (c->show != CONSOLE_ALL && c->show != CONSOLE_PAGES)
		return false;
	if (f->kind == FACT_ALIAS || (f->kind == FACT_PAGE && !is_news(c, f, &again)) ||
	    !line_is_due(c, &c->window_facts))
		return false;
	switch (f->kind) {
	case FACT_START:
		add_start(c, out, f);
		break;
	case FACT_END:
		add_end(c, out, f, wall_ns);
		break;
	case FACT_PAGE:
		add_page(c, out, f, again);
		break;
	case FACT_ALIAS:
		break;
	}
	return true;
}
