/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the console view: of transactions, visits and pages made by hand, to the last byte, and that nothing
 * that a stranger wrote makes one longer or a terminal do anything. */
#include "unit.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "export/console.h"
#include "export/fact.h"
#include "sample.h"

static struct view view;
static struct buf out;

static void done(void)
{
	view_done(&view);
	buf_done(&out);
}

#define HAS(text, what) assert_non_null(strstr(text, what))

static int in_utc(void **state)
{
	setenv("TZ", "UTC", 1);
	tzset();
	return 0;
}

/* Colours take no room; wide characters take two columns, of which these tests have some of one block. */
static void fits(size_t width)
{
	size_t columns = 0, n;

	for (size_t i = 0; i + 2 < out.len; i += n) {
		n = utf8_length(out.at + i, out.len - i);
		assert_true(n > 0);
		if (out.at[i] == '\033') {
			while (out.at[i] != 'm')
				i++;
			n = 1;
			continue;
		}
		assert_true((unsigned char)out.at[i] >= 0x20 && out.at[i] != 0x7f);
		columns += n == 3 && utf8_code(out.at + i, n) >= 0x4e00 ? 2 : 1;
	}
	if (columns > width)
		fail_msg("%zu columns of %zu: %s", columns, width, out.at);
}

static const char *line(struct console *c, const struct transaction *t)
{
	const struct privacy_rules rules = { .mode = PRIVACY_NONE };

	view_init(&view);
	buf_init(&out, 1 << 20);
	assert_int_equal(view_make(&view, &rules, t), 0);
	assert_true(console_transaction(c, &out, t, &view, SAMPLE_WALL, 1));
	buf_add_byte(&out, 0);
	return out.at;
}

static void console_line(void **state)
{
	struct transaction t = sample();
	struct console c = { .show = CONSOLE_ALL };

	assert_string_equal(line(&c, &t), "22:13:25.000 > shop-front[812]         GET     "
					  "/shop/cart?item=7&q=shoes                         200"
					  "   12.3 ms   4.1 kB  waited 3.2 ms\n");
	done();
}

/* No width lets a line grow beyond it, whatever the transaction is. */
static void console_fits(void **state)
{
	for (uint32_t width = 80; width < 240; width += 7) {
		for (unsigned kind = 0; kind < 4; kind++) {
			struct console c = { .show = CONSOLE_ALL, .width = width };
			struct transaction t = sample();

			if (kind == 1) {
				t.path = SLICE("/a/very/long/path/that/goes/on/and/on/until/there/"
					       "is/no/more/room/"
					       "for/it/on/any/line/of/any/terminal/that/anybody/"
					       "ever/had/\xe2\x82\xac");
				t.outcome = OUTCOME_CLIENT_GONE;
			}
			if (kind == 2) {
				t.side = SIDE_CLIENT;
				t.authority = t.path;
				t.unobserved = UNOBSERVED_START | UNOBSERVED_RESPONSE_SIZE;
			}
			if (kind == 3) {
				t.unobserved = UNOBSERVED_METHOD | UNOBSERVED_STATUS;
				t.outcome = OUTCOME_UNOBSERVED;
				t.why = PC_WHY_IO_URING;
				t.process = NULL;
			}
			line(&c, &t);
			fits(width);
			done();
		}
	}
}

static void console_escapes(void **state)
{
	static const struct {
		const char *in, *shown;
		size_t room;
	} cases[] = {
		{ "plain", "plain", 20 },
		{ "\033[31mred\007", "\\x1b[31mred\\x07", 30 },
		{ "a\nb\rc\td", "a\\x0ab\\x0dc\\x09d", 30 },
		{ "\xff\xfe", "\\xff\\xfe", 20 },
		{ "caf\xc3\xa9", "caf\xc3\xa9", 20 },
		{ "\xc2\x9b"
		  "31m",
		  "\\u{9b}31m", 20 }, /* C1 control */
		{ "a\xe2\x80\xae"
		  "b",
		  "a\\u{202e}b", 20 },		     /* right to left override */
		{ "\xe2\x80\x8b", "\\u{200b}", 20 }, /* zero width space */
		{ "\x7f", "\\x7f", 20 },
		{ "e\xcc\x81\xcc\x81", "e\\u{301}\\u{301}", 20 },   /* piles up */
		{ "\xd8\x9c", "\\u{61c}", 20 },			    /* Arabic letter mark */
		{ "\xf3\xa0\x81\x81", "\\u{e0041}", 20 },	    /* a tag, invisible */
		{ "\xe5\xba\x97\xe5\xba\x97", "\xe5\xba\x97…", 3 }, /* two columns each */
		{ "\xe5\xba\x97\xe5\xba\x97", "\xe5\xba\x97\xe5\xba\x97", 4 },
		{ "abcdef", "abc…", 4 },
		{ "abcd", "abcd", 4 },
		{ "ab\x01", "ab…", 4 },
		{ "abc", "", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;

		buf_init(&b, 100);
		assert_true(console_add_text(&b, slice_str(cases[i].in), cases[i].room) <=
			    cases[i].room);
		buf_add_byte(&b, 0);
		assert_string_equal(b.at, cases[i].shown);
		buf_done(&b);
	}
}

static void console_flood(void **state)
{
	const struct privacy_rules rules = { .mode = PRIVACY_NONE };
	struct transaction t = sample();
	struct console c = { .show = CONSOLE_ALL };
	unsigned shown = 0;

	view_init(&view);
	buf_init(&out, 1 << 20);
	view_make(&view, &rules, &t);
	console_tick(&c, &out, 5 * NS_PER_S);
	for (int i = 0; i < 50000; i++)
		shown += console_transaction(&c, &out, &t, &view, SAMPLE_WALL, 5 * NS_PER_S);
	assert_int_equal(shown, CONSOLE_ROWS);
	assert_false(console_tick(&c, &out, 5 * NS_PER_S + 1));
	buf_clear(&out);
	assert_true(console_tick(&c, &out, 6 * NS_PER_S));
	buf_add_byte(&out, 0);
	HAS(out.at, "49800 more");
	assert_true(console_transaction(&c, &out, &t, &view, SAMPLE_WALL, 6 * NS_PER_S));
	assert_false(console_tick(&c, &out, 7 * NS_PER_S));
	done();
}

/* ---- visits and pages ---- */

static const uint8_t page_id[KEY_BYTES] = { 9 };

static struct page_seen page(void)
{
	return (struct page_seen){ .id = page_id,
				   .revision = 1,
				   .has = PAGE_HAS_LIVED | PAGE_HAS_WAIT,
				   .path = SLICE("/product/tent-two"),
				   .group = SLICE("/product/{id}"),
				   .lived_ns = 412 * NS_PER_MS,
				   .server_ns = 300 * NS_PER_MS,
				   .network_ns = 112 * NS_PER_MS,
				   .apdex = APDEX_SATISFIED,
				   .status = 200,
				   .resources = 14 };
}

static struct session_fact fact(enum fact_kind kind, const struct page_seen *p)
{
	return (struct session_fact){ .kind = kind,
				      .event_id = { kind, 1 },
				      .revision = 1,
				      .site = SLICE("shop.example"),
				      .session_id = { 0x1f, 0x3a, 0x9c, 0xff },
				      .basis = "cookie",
				      .time_unix_ns = SAMPLE_WALL + 192 * NS_PER_S,
				      .start_unix_ns = SAMPLE_WALL,
				      .transactions = 48,
				      .page_views = 5,
				      .segment.device = "mobile",
				      .segment.os = "iOS",
				      .segment.browser = "Safari",
				      .segment.first.channel = "organic_search",
				      .page = p };
}

static const char *told(struct console *c, const struct session_fact *f)
{
	buf_done(&out);
	buf_init(&out, 1 << 20);
	assert_true(console_fact(c, &out, f, SAMPLE_WALL + 2000 * NS_PER_S));
	assert_int_equal(out.at[out.len - 1], '\n');
	buf_add_byte(&out, 0);
	assert_false(out.failed);
	return out.at;
}

static void visit_begins_and_ends(void **state)
{
	struct console c = { .show = CONSOLE_PAGES };
	struct session_fact f = fact(FACT_START, NULL);

	assert_string_equal(told(&c, &f),
			    "22:13:20.000 + 1f3a9c visit of shop.example, organic search, mobile "
			    "iOS Safari\n");
	f.segment = (struct segment){ 0 };
	f.shared = true;
	assert_string_equal(
		told(&c, &f),
		"22:13:20.000 + 1f3a9c visit of shop.example, perhaps several people\n");
	f.segment.synthetic = "bot"; /* and so not several people */
	assert_string_equal(told(&c, &f),
			    "22:13:20.000 + 1f3a9c visit of shop.example, no person\n");
	f = fact(FACT_END, NULL);
	assert_string_equal(told(&c, &f),
			    "22:46:40.000 - 1f3a9c visit over: 5 pages, 48 requests in 3 min 12 s "
			    "(timeout)\n");
	f.end_reason = END_SHUTDOWN; /* a state, no end */
	f.page_views = f.transactions = 1;
	f.time_unix_ns = f.start_unix_ns;
	assert_string_equal(told(&c, &f),
			    "22:46:40.000 - 1f3a9c visit as it stood: 1 page, 1 request in 0 ms "
			    "(shutdown)\n");
	f.time_unix_ns--; /* taken up after the clock was set back: no time is told */
	assert_null(strstr(told(&c, &f), " in "));
	done();
}

static void page_line(void **state)
{
	struct console c = { .show = CONSOLE_PAGES };
	struct page_seen p = page();
	struct session_fact f = fact(FACT_PAGE, &p);

	assert_string_equal(
		told(&c, &f),
		"22:13:20.000 * 1f3a9c /product/tent-two             412.0 ms satisfied\n");
	f.event_id[1]++;
	p.lived_ns = 12400 * NS_PER_MS;
	p.server_ns = 9000 * NS_PER_MS;
	p.wait_ns = 3100 * NS_PER_MS;
	p.network_ns = 300 * NS_PER_MS; /* no fifth of it */
	p.apdex = APDEX_FRUSTRATED;
	p.estimated = true;
	assert_string_equal(told(&c, &f),
			    "22:13:20.000 * 1f3a9c /product/tent-two           ~  12.4 s  "
			    "frustrated server 9.0 s, waiting 3.1 s\n");
	f.event_id[1]++;
	p = page();
	p.outcome = PAGE_FAILED;
	p.status = 500;
	p.apdex = APDEX_FRUSTRATED;
	p.failed_resources = 2;
	p.failed_calls = 1;
	p.failed_host = SLICE("psp.example");
	assert_string_equal(told(&c, &f),
			    "22:13:20.000 * 1f3a9c /product/tent-two   412.0 ms frustrated error "
			    "500, 2 of 14 parts failed, 1 ca…\n");
	c.width = 130;
	f.event_id[1]++;
	HAS(told(&c, &f), "error 500, 2 of 14 parts failed, 1 call failed: psp.example\n");
	done();
}

/* What was not observed is a dash, and what a proxy hides has its own name. */
static void page_unobserved(void **state)
{
	struct console c = { .show = CONSOLE_PAGES };
	struct page_seen p = page();
	struct session_fact f = fact(FACT_PAGE, &p);

	p.has = 0;
	p.apdex = APDEX_UNOBSERVED;
	p.outcome = PAGE_OUTCOME_UNOBSERVED;
	p.server_ns = 9000 * NS_PER_MS;
	HAS(told(&c, &f), "       -  -          unobserved\n");
	f.event_id[1]++;
	p = page();
	c.width = 130;
	p.to_proxy = p.is_virtual = true;
	p.lived_ns = NS_PER_S;
	p.server_ns = 0;
	p.network_ns = p.lived_ns;
	p.redirects = 1;
	p.redirect_ns = 400 * NS_PER_MS;
	HAS(told(&c, &f), "network to proxy 1.0 s, 400 ms in redirects, virtual\n");
	done();
}

/* A page has one line, and another when what is known of it is worse. */
static void page_again(void **state)
{
	struct console c = { .show = CONSOLE_ALL };
	struct page_seen p = page();
	struct session_fact f = fact(FACT_PAGE, &p);

	HAS(told(&c, &f), " * 1f3a9c");
	f.revision = 2; /* its time on page is known now */
	assert_false(console_fact(&c, &out, &f, SAMPLE_WALL));
	f.revision = 3;
	p.failed_resources = 1;
	HAS(told(&c, &f), " ! 1f3a9c");
	HAS(out.at, "1 of 14 parts failed");
	f.revision = 4;
	assert_false(console_fact(&c, &out, &f, SAMPLE_WALL));
	f.revision = 5;
	p.apdex = APDEX_TOLERATING;
	HAS(told(&c, &f), "tolerating");
	f.event_id
		[1]++; /* said before the agent was started anew, or too long ago to be remembered */
	assert_false(console_fact(&c, &out, &f, SAMPLE_WALL));
	for (unsigned i = 0; i < CONSOLE_KEPT; i++) {
		f.event_id[2]++;
		f.revision = 1;
		told(&c, &f);
	}
	f = fact(FACT_PAGE, &p);
	f.revision = 6;
	p.failed_resources = 2;
	assert_false(console_fact(&c, &out, &f, SAMPLE_WALL));
	assert_u64(c.left_out, 0); /* none of these was too much for a person */
	done();
}

/* Each choice shows what it says; an alias is for machines. */
static void console_shows(void **state)
{
	static const struct {
		enum console_show show;
		bool transactions, facts;
	} cases[] = { { CONSOLE_OFF, false, false },
		      { CONSOLE_ALL, true, true },
		      { CONSOLE_PAGES, false, true },
		      { CONSOLE_TRANSACTIONS, true, false } };
	const struct privacy_rules rules = { .mode = PRIVACY_NONE };
	struct session_fact f = fact(FACT_START, NULL), alias = fact(FACT_ALIAS, NULL);
	struct transaction t = sample();

	view_init(&view);
	buf_init(&out, 1 << 20);
	assert_int_equal(view_make(&view, &rules, &t), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct console c = { .show = cases[i].show };

		assert_int_equal(console_transaction(&c, &out, &t, &view, SAMPLE_WALL, 1),
				 cases[i].transactions);
		assert_int_equal(console_fact(&c, &out, &f, SAMPLE_WALL), cases[i].facts);
		assert_false(console_fact(&c, &out, &alias, SAMPLE_WALL));
		assert_u64(c.left_out, 0);
	}
	done();
}

/* A flood of transactions does not hide the pages, and the other way round. */
static void floods_apart(void **state)
{
	const struct privacy_rules rules = { .mode = PRIVACY_NONE };
	struct console c = { .show = CONSOLE_ALL };
	struct session_fact f = fact(FACT_START, NULL);
	struct transaction t = sample();
	unsigned facts = 0, transactions = 0;

	view_init(&view);
	buf_init(&out, 1 << 20);
	view_make(&view, &rules, &t);
	console_tick(&c, &out, 5 * NS_PER_S);
	for (unsigned i = 0; i < 1000; i++) {
		transactions += console_transaction(&c, &out, &t, &view, SAMPLE_WALL, 5 * NS_PER_S);
		facts += i < 100 && console_fact(&c, &out, &f, SAMPLE_WALL);
	}
	assert_int_equal(facts, 100);
	assert_int_equal(transactions, CONSOLE_ROWS);
	for (unsigned i = 0; i < 1000; i++)
		facts += console_fact(&c, &out, &f, SAMPLE_WALL);
	assert_int_equal(facts, CONSOLE_ROWS);
	assert_u64(c.left_out, 800 + 900);
	done();
}

/* The longest of everything, from strangers, at every width, with and without colours. */
static void facts_fit(void **state)
{
	static const struct slice texts[] = {
		SLICE("/a"),
		SLICE("/\033]0;title\007\033[2J\xff\xfe\x9b"
		      "31m/\r\n\t"),
		SLICE("/\xe5\xba\x97\xe5\xba\x97\xe5\xba\x97\xe5\xba\x97\xe5\xba\x97\xe5\xba\x97/"
		      "\xe5\xba\x97\xe5\xba\x97\xe5\xba\x97\xe5\xba\x97\xe5\xba\x97\xe5\xba\x97/"
		      "\xe5\xba\x97\xe5\xba\x97\xe5\xba\x97\xe5\xba\x97\xe5\xba\x97\xe5\xba\x97"),
		SLICE("/a/very/long/path/that/goes/on/and/on/until/there/is/no/more/room/for/it/on/"
		      "any/line/of/any/terminal/that/anybody/ever/had/and/then/some/more/of/it/for/"
		      "the/widest/of/them/all/which/this/test/tries"),
	};

	for (uint32_t width = 72; width < 240; width += 7) {
		for (unsigned kind = 0; kind < 4 * 16; kind++) {
			struct page_seen p = page();
			struct session_fact f = fact((enum fact_kind)(kind / 16), &p);
			struct console c = { .show = CONSOLE_ALL,
					     .width = kind % 16 == 15 ? 0 : width,
					     .color = kind & 1 };

			if (f.kind == FACT_ALIAS)
				continue;
			f.site = p.path = p.failed_host = texts[kind / 4 % 4];
			f.shared = true;
			f.transactions = f.page_views = UINT64_MAX;
			f.time_unix_ns = f.start_unix_ns + UINT64_MAX / 4;
			f.segment.synthetic = kind & 2 ? "bot" : NULL;
			p.outcome = PAGE_FAILED;
			p.status = 599;
			p.failed_calls = p.failed_resources = p.resources = UINT32_MAX;
			p.redirects = 3;
			p.lived_ns = 60 * NS_PER_S;
			p.redirect_ns = p.server_ns = p.wait_ns = p.network_ns = 15 * NS_PER_S;
			p.apdex = APDEX_FRUSTRATED;
			told(&c, &f);
			fits(c.width ? c.width : 100);
			assert_int_equal(strchr(out.at, '\033') != NULL, c.color);
		}
	}
	done();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(console_line),	  T(console_fits), T(console_escapes), T(console_flood),
		T(visit_begins_and_ends), T(page_line),	   T(page_unobserved), T(page_again),
		T(console_shows),	  T(floods_apart), T(facts_fit),
	};

	return cmocka_run_group_tests(tests, in_utc, NULL);
}
