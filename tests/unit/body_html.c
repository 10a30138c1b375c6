/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_html.c: HTML as browsers read it, as far as body.h promises: tags, attributes, references, raw text,
 * end tags that are left out; selectors, <meta>, ld+json, expressions; charsets; bounds.
 */
#include "body_kit.h"

#define HTML(s)                                                                                    \
	{                                                                                          \
		.source = BODY_HTML, .path = SLICE(s)                                              \
	}
#define ATTRIBUTE(s, a)                                                                            \
	{                                                                                          \
		.source = BODY_HTML, .path = SLICE(s), .attribute = SLICE(a)                       \
	}
#define MATCH(s, e)                                                                                \
	{                                                                                          \
		.source = BODY_HTML, .path = SLICE(s), .expression = SLICE(e)                      \
	}
#define META(s)                                                                                    \
	{                                                                                          \
		.source = BODY_META, .path = SLICE(s)                                              \
	}
#define LD(s)                                                                                      \
	{                                                                                          \
		.source = BODY_LD_JSON, .path = SLICE(s)                                           \
	}
#define HTML_KIND                                                                                  \
	((struct body_kind){ .content_type = SLICE("text/html; charset=utf-8"), .response = true })

static void html(struct slice s, uint32_t flags, const char *expected)
{
	kit_expect(HTML_KIND, s, flags, expected);
}

static void a_cart_in_a_table(void **state)
{
	KIT_WANTS(HTML("table.cart tr td.price"), HTML("table.cart tr td.qty"), HTML("#total"),
		  ATTRIBUTE("table.cart tr td input", "value"));
	html(SLICE("<!DOCTYPE html><html><body><table class=\"x cart\"><tr><th>A</th></tr>"
		   "<tr><td class='qty n'><input value=2></td><td "
		   "class=price>10,00\xc2\xa0\xe2\x82\xac</td></tr>\n"
		   "<tr><td class=\"price\"> <b>5</b>,50 &euro; </td><td "
		   "class=qty>1</td></tr></table>"
		   "<p id=total>Total:\n <em>25.50</em></p><table><tr><td "
		   "class=price>no</td></tr></table>"),
	     0,
	     /* numbers: 0 html, 1 body, 2 table, 3 tr, 4 th, 5 tr, 6 td, 7 input, 8 td, 9 tr … */
	     "3 text @2,5,6,7 2\n1 text @2,5,6 \n0 text @2,5,8 10,00\xc2\xa0\xe2\x82\xac\n"
	     "0 text @2,9,10 5,50 \xe2\x82\xac\n1 text @2,9,12 1\n2 text @13 Total: 25.50\n");
}

static void tags_that_end_others(void **state)
{
	KIT_WANTS(HTML("td"), HTML("li"), HTML("dd"), HTML("p"), HTML("option"));
	html(SLICE("<table><tr><td>1<td>2<tr><td>3<tbody><tr><td>4<table><tr><td>5</table>6</"
		   "table>"),
	     0, "0 text @2 1\n0 text @3 2\n0 text @5 3\n0 text @11 5\n0 text @8 4 5 6\n");
	html(SLICE("<ul><li>a<li>b<ul><li>c</ul>d<li>e</ul>"), 0,
	     "1 text @1 a\n1 text @4 c\n1 text @2 b c d\n1 text @5 e\n");
	html(SLICE("<dl><dt>x<dd>a<dt>y<dd>b</dl><p>one<p>two<div>three</div>four<p>five</div></"
		   "p>"),
	     0, "2 text @2 a\n2 text @4 b\n3 text @5 one\n3 text @6 two\n3 text @8 five\n");
	html(SLICE("<select><option>1<option selected>2<optgroup><option>3</select>"), 0,
	     "4 text @1 1\n4 text @2 2\n4 text @4 3\n");
	/* an end tag that nothing is open for, one that would leave a cell, wrong nesting */
	html(SLICE("</p><div><table><tr><td>a</div>b</i></td></table></div><p><b><i>x</b>y</i></"
		   "p>"),
	     0, "0 text @3 ab\n3 text @4 xy\n");
}

static void attributes_in_all_ways(void **state)
{
	KIT_WANTS(ATTRIBUTE("a", "data-x"), ATTRIBUTE("a", "B"));
	html(SLICE("<a data-x=\"1>2\" b='\"'><A DATA-X = un/quoted b><a data-x='' data-x=twice>"
		   "<a b=\"a&amp;b&lt&eacute;&#8364;&#x80;&notit;&copy=1&copy;=1\"/><a\nb\n=\n3><a "
		   "=data-x data-x=4 / b=5>"),
	     0,
	     "0 text 1>2\n1 text \"\n0 text @1 un/quoted\n1 text @1 \n0 text @2 \n"
	     "1 text @3 a&b<\xc3\xa9\xe2\x82\xac\xe2\x82\xac&notit;&copy=1\xc2\xa9=1\n1 text @4 "
	     "3\n0 text @5 4\n1 text @5 5\n");
	html(SLICE("<a data-x=\"1"), FLAG(SHORT), "");
}

static void references_in_text(void **state)
{
	KIT_WANTS(HTML("p"));
	html(SLICE("<p>&lt;b&gt; &amp;amp; &nbsp;&pound12&euro5 &#163;&#xa3 "
		   "&#0;&#xd800;&#1114112;&#99999999999; "
		   "&nosuch; &;& &#; &#x; &thisnameislongerthananyreferenceis; &laquo&notit; &amp"),
	     0,
	     "0 text <b> &amp; \xc2\xa0\xc2\xa3"
	     "12&euro5 \xc2\xa3\xc2\xa3 \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd "
	     "&nosuch; &;& &#; &#x; &thisnameislongerthananyreferenceis; \xc2\xab\xc2\xacit; &\n");
}

static void comments_and_raw_text(void **state)
{
	KIT_WANTS(HTML("p"), HTML("script"), HTML("title"), HTML("textarea"));
	html(SLICE("<!-- <p>no</p> --><!--><p>1</p><!----><!-- -- -> --!><p>2</p><?php <p> "
		   "?><![CDATA[<p>]]><!x></3><p>3</p>"),
	     0, "0 text 1\n0 text @1 2\n0 text @2 3\n");
	html(SLICE("<script>if (a<b) x='<p>no</p></scrip'</SCRIPT "
		   "><style><p></style><title>a&amp;<p></title>"
		   "<textarea><p>&lt;</textarea x><noscript><p>no</p></noscript><p>yes"),
	     0,
	     "1 text if (a<b) x='<p>no</p></scrip'\n2 text @2 a&<p>\n3 text @3 <p><\n0 text @5 "
	     "yes\n");
	html(SLICE("<script>never"), FLAG(SHORT), "1 text never\n");
	html(SLICE("<p>a < b <3 <<i>c</i></p>"), 0, "0 text a < b <3 <c\n");
}

static void templates_and_foreign_elements(void **state)
{
	KIT_WANTS(HTML("p"), HTML("svg path"), HTML("div"));
	html(SLICE("<template><p>no</p><template></template><p>no</template><p>1</p>"), 0,
	     "0 text @4 1\n");
	html(SLICE("<div><svg><title><p>a</p></title><path/><style><p>x</p></style></svg><path/>b</"
		   "div>"),
	     0, "0 text @3 a\n1 text @1,4 \n0 text @6 x\n2 text axb\n");
}

static void selectors_of_all_kinds(void **state)
{
	KIT_WANTS(HTML("*#a"), HTML(".b.c"), HTML("i[data-k]"), HTML("[data-k='v w']"),
		  HTML("[data-k~=w]"), HTML("[data-k^=\"v \"]"), HTML("[data-k$=w]"),
		  HTML("[data-k*=\" \"]"), HTML("[lang|=de]"), HTML("div  i.md\\:x"),
		  HTML("div div"), HTML("DIV b"));
	html(SLICE("<i id=a>1</i><i class=\"c\tb\">2</i><i class=bc>3</i><i data-k=\"v w\">4</i><i "
		   "lang=de-AT>5</i><i lang=den>6</i>"),
	     0,
	     "0 text 1\n1 text @1 2\n2 text @3 4\n3 text @3 4\n4 text @3 4\n5 text @3 4\n6 text @3 "
	     "4\n7 text @3 4\n8 text @4 5\n");
	html(SLICE("<div><i class='md:x'>1</i><div><div><b>2</b></div></div></div><b>3</b>"), 0,
	     "9 text @0,1 1\n11 text @3,4 2\n10 text @2,3 2\n10 text @0,2 2\n");
}

static void what_is_refused_and_why(void **state)
{
	static const struct {
		struct body_want want;
		unsigned place;
		const char *words;
	} cases[] = {
		{ HTML(""), 0, "selector" },
		{ HTML(" "), 0, "selector" },
		{ HTML("a > b"), 2, "write a space" },
		{ HTML("a>b"), 1, "write a space" },
		{ HTML("a, b"), 1, "a want for each" },
		{ HTML("a:first-child"), 1, "pseudo-classes" },
		{ HTML("a..b"), 2, "a name" },
		{ HTML("a#"), 2, "a name" },
		{ HTML("[x"), 2, "must stand here" },
		{ HTML("[x!=y]"), 2, "'='" },
		{ HTML("[x='y]"), 3, "closing quote" },
		{ HTML("[x=y i]"), 5, "'i'" },
		{ HTML("[]"), 1, "a name" },
		{ HTML("a b c d e"), 8, "four parts" },
		{ HTML("a$"), 1, "stand here" },
		{ HTML("[x=y z]"), 0, "not closed" },
		{ HTML("a.1.2.3.4.5.6.7.8.9"), 17, "eight" },
		{ MATCH("a", "(x"), 2, "" },
		{ META(""), 0, "<meta>" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct body_wants *wants = NULL;
		struct body_error error;

		assert_int_equal(wants_new(&cases[i].want, 1, &error, &wants), -EINVAL);
		assert_null(wants);
		if (!strstr(error.text, cases[i].words) || error.place != cases[i].place ||
		    !error.text[0])
			fail_msg("%s: at %u: %s", cases[i].want.path.at, error.place, error.text);
	}
}

static void expressions(void **state)
{
	KIT_WANTS(MATCH("p", "Total: *([0-9.,]+)"), MATCH("p", "(qq)|b"), MATCH("p", "\xc3\xa9."),
		  MATCH("p", "(x+x+)+\\d"),
		  { .source = BODY_META, .path = SLICE("price"), .expression = SLICE("^(\\d+)") });
	html(SLICE("<meta name=price content='12 EUR'><p>Total: 12,50 "
		   "EUR</p><p>b</p><p>caf\xc3\xa9s\xff</p>"),
	     0, "4 text 12\n0 text @1 12,50\n2 text @3 \xc3\xa9s\n");
	html(SLICE("<p>xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxz</"
		   "p>"),
	     FLAG(MATCH_LIMIT), "");
}

static void meta_and_open_graph(void **state)
{
	KIT_WANTS(META("og:price:amount"), META("description"), META("price"));
	html(SLICE("<head><META Property=\"OG:Price:Amount\" content=\"12.50\"/><meta "
		   "name=description content='a &amp; b'>"
		   "<meta itemprop=price content=3><meta name=price><meta content=x></head>"),
	     0, "0 text @1 12.50\n1 text @2 a & b\n2 text @3 3\n");
}

static void linked_data(void **state)
{
	KIT_WANTS(LD("$.offers.price"), LD("$['@graph'][*].sku"), LD("$[*].name"));
	html(SLICE("<script>{\"offers\":{\"price\":0}}</script>"
		   "<script "
		   "type=\"application/ld+json\">{\"offers\":{\"price\":\"12.50\"},\"x\":\"</"
		   "p><!-- <b>&amp;\"}</script>"
		   "<SCRIPT TYPE='Application/LD+JSON; "
		   "charset=utf-8'>\n[{\"name\":\"a\"},{\"name\":\"b\"}]\n</script>"
		   "<script type=application/ld+json>{\"@graph\":[{},{\"sku\":1}]}</script>"),
	     0, "0 text 12.50\n2 text @1 a\n2 text @1,1 b\n1 number @2,1 1\n");
	html(SLICE("<script type=application/ld+json>{\"offers\":{\"price\":1},}</script>"
		   "<script type=application/ld+json>{\"offers\":{\"price\":2}}</script>"),
	     FLAG(MALFORMED), "0 number 1\n0 number @1 2\n");
	html(SLICE("<script type=application/ld+json>{\"offers\":{\"price\":1"), FLAG(SHORT), "");
}

static void json_that_is_sent_as_html(void **state)
{
	KIT_WANTS(JSON_PATH("$.price"), HTML("p"));
	html(SLICE("\n {\"price\":\"<p>1</p>\"}"), 0, "0 text <p>1</p>\n");
	html(SLICE("\n <p>{\"price\":1}"), 0, "1 text {\"price\":1}\n");
}

static void charsets_of_documents(void **state)
{
	static const struct {
		const char *text, *expected;
		uint32_t flags;
	} cases[] = {
		{ "<meta charset=utf-8><p>\xc3\xa9", "0 text @1 \xc3\xa9\n", 0 },
		{ "<META CHARSET = 'ISO-8859-1' ><p>\xe9\x80", "0 text @1 \xc3\xa9\xe2\x82\xac\n",
		  0 },
		{ "<meta http-equiv=Content-Type content='text/html; charset=iso-8859-15'><p>\xa4",
		  "0 text @1 \xe2\x82\xac\n", 0 },
		{ "<!-- <meta charset=utf-8> --><a title='<meta charset=utf-8>'></a><meta "
		  "charset=windows-1252><p>\xe9",
		  "0 text @2 \xc3\xa9\n", 0 },
		{ "<meta charset=utf-16><p>\xc3\xa9", "0 text @1 \xc3\xa9\n", 0 },
		{ "<meta content='charset=utf-8'><p>\xe9", "0 text @1 \xc3\xa9\n", 0 },
		{ "<p>\xe9 \xc3\xa9", "0 text \xc3\xa9 \xc3\x83\xc2\xa9\n", 0 },
		{ "<p>\xc3\xa9 \xe9", "0 text \xc3\xa9 \xef\xbf\xbd\n", 0 },
		{ "\xef\xbb\xbf<meta charset=iso-8859-1><p>\xc3\xa9", "0 text @1 \xc3\xa9\n", 0 },
		{ "<meta charset=gb2312><p>x", "", FLAG(CHARSET_UNKNOWN) },
	};
	struct body_kind none = { .content_type = SLICE("text/html"), .response = true };
	struct body_kind latin = { .content_type = SLICE("text/html;charset=latin1"),
				   .response = true };
	char text[3000];

	KIT_WANTS(HTML("p"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		kit_expect(none, slice_str(cases[i].text), cases[i].flags, cases[i].expected);
	kit_expect(latin, SLICE("<meta charset=utf-8><p>\xe9"), 0, "0 text @1 \xc3\xa9\n");
	/* beyond the first 1,024 octets nobody looks */
	memset(text, ' ', sizeof(text));
	memcpy(text + 1010, "<meta charset=utf-8>", 20);
	memcpy(text + 2000, "<p>\xe9", 4);
	kit_expect(none, slice_of(text, 2004), 0, "0 text @1 \xc3\xa9\n");
}

static void bounds(void **state)
{
	struct body_limits l = body_limits_default;
	size_t len = 0, room = 3 << 20;
	char *text = malloc(room);

	l.text_bytes = 8;
	kit_limits(&l);
	KIT_WANTS(HTML("p"), HTML("i"), ATTRIBUTE("a", "b"), ATTRIBUTE("a", "c"));
	html(SLICE("<p>123 <i>45</i> 6789</p><a b=123456789><i>x</i>"), FLAG(CUT_TEXT),
	     "1 text @1 45\n0 text 123 45 6 (cut)\n2 text @2 12345678 (cut)\n1 text @3 x\n");
	kit_limits(&body_limits_default);
	/* 100,000 elements inside each other, then one that is seen again */
	for (unsigned i = 0; i < 100000; i++)
		len += (size_t)snprintf(text + len, room - len, "<div>");
	for (unsigned i = 0; i < 100000; i++)
		len += (size_t)snprintf(text + len, room - len, "</div>");
	len += (size_t)snprintf(text + len, room - len, "<p>x</p>");
	kit_same(kit_cut(HTML_KIND, slice_of(text, len), 16384), SLICE("0 text @100000 x\n"),
		 "deep");
	assert_int_equal(kit.result.flags, FLAG(CUT_DEPTH));
	/* attributes beyond their number and size */
	len = (size_t)snprintf(text, room, "<a b=");
	memset(text + len, 'x', 9000);
	len += 9000;
	len += (size_t)snprintf(text + len, room - len, " c=1><a");
	for (unsigned i = 0; i < 40; i++)
		len += (size_t)snprintf(text + len, room - len, " x%u=1", i);
	len += (size_t)snprintf(text + len, room - len, " c=2><a c=3>");
	kit_cut(HTML_KIND, slice_of(text, len), 100);
	assert_true(slice_ends(buf_slice(&kit.out), SLICE("xxx (cut)\n3 text @2 3\n")));
	assert_int_equal(kit.result.flags, FLAG(CUT_TEXT) | FLAG(CUT_PARTS));
	/* captures in each other */
	len = 0;
	for (unsigned i = 0; i < 140; i++)
		len += (size_t)snprintf(text + len, room - len, "<i>");
	kit_cut(HTML_KIND, slice_of(text, len), 100);
	assert_int_equal(kit.result.flags, FLAG(CUT_PARTS));
	assert_int_equal(kit.result.values, 128);
	free(text);
}

static void a_hole_ends_it(void **state)
{
	struct body_kind none = { .content_type = SLICE("text/html"), .response = true };
	struct body *b;

	KIT_WANTS(HTML("p"));
	for (unsigned held = 0; held < 2; held++) { /* its charset still looked for, or known */
		b = kit_open(held ? none : HTML_KIND);
		body_push(b, SLICE("<p>1</p><p>2"));
		assert_false(body_hole(b, 5));
		body_push(b, SLICE("</p><p>3</p>"));
		body_end(b, &kit.result);
		kit_same(buf_slice(&kit.out), SLICE("0 text 1\n"), "hole");
		assert_int_equal(kit.result.flags, FLAG(HOLE));
	}
}

KIT_MAIN(T(a_cart_in_a_table), T(tags_that_end_others), T(attributes_in_all_ways),
	 T(references_in_text), T(comments_and_raw_text), T(templates_and_foreign_elements),
	 T(selectors_of_all_kinds), T(what_is_refused_and_why), T(expressions),
	 T(meta_and_open_graph), T(linked_data), T(json_that_is_sent_as_html),
	 T(charsets_of_documents), T(bounds), T(a_hole_ends_it))
