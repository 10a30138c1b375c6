/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_form.c: urlencoded forms (WHATWG URL section 5.1) and multipart/form-data (RFC 7578): names, escapes,
 * charsets, repeated fields, files, delimiters that are none, holes.
 */
#include "body_kit.h"

#define FORM(text)                                                                                 \
	{                                                                                          \
		.source = BODY_FORM, .path = SLICE(text)                                           \
	}
#define FORM_KIND  ((struct body_kind){ .content_type = SLICE("application/x-www-form-urlencoded") })
#define PART(name) "--b\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define MULTIPART_KIND                                                                             \
	((struct body_kind){ .content_type = SLICE("multipart/form-data; boundary=b") })

static void form(struct slice s, uint32_t flags, const char *expected)
{
	kit_expect(FORM_KIND, s, flags, expected);
}

static void parts(struct slice s, uint32_t flags, const char *expected)
{
	kit_expect(MULTIPART_KIND, s, flags, expected);
}

static void pairs(void **state)
{
	KIT_WANTS(FORM("id"), FORM("qty"), FORM("note"));
	form(SLICE("id=42&qty=2&other=x&note=a+b%20c%26d"), 0,
	     "0 text 42\n1 text 2\n2 text a b c&d\n");
	form(SLICE("&&id=&qty&=x&note=a=b=c&"), 0, "0 text \n1 text \n2 text a=b=c\n");
	form(SLICE("%69d=1&i%64=2&ID=3&idx=4"), 0, "0 text 1\n0 text @1 2\n");
	form(SLICE("id=1;qty=2"), 0, "0 text 1;qty=2\n");
	form(SLICE(""), 0, "");
	form(SLICE("id"), 0, "0 text \n");
}

static void escapes_that_are_none(void **state)
{
	KIT_WANTS(FORM("a"), FORM("%zz"));
	form(SLICE("a=100%&a=%4&a=%zz&a=%%34&a=%4%34&a=%C3%A9%c3&%zz=1"), 0,
	     "0 text 100%\n0 text @1 %4\n0 text @2 %zz\n0 text @3 %4\n0 text @4 %44\n"
	     "0 text @5 \xc3\xa9\xef\xbf\xbd\n1 text 1\n");
	kit_same(kit_cut(FORM_KIND, SLICE("a=x%00y"), 2), SLICE("0 text x\0y\n"), "NUL");
}

static void names_with_a_star(void **state)
{
	KIT_WANTS(FORM("cart[*][qty]"), FORM("items[]"), FORM("x*"), FORM("cart[b][qty]"),
		  FORM("items[]"));
	form(SLICE("cart%5Ba%5D%5Bqty%5D=1&cart[b][qty]=2&cart[][qty]=3&cart[qty]=9&items[]=p&"
		   "items%5b%5d=q&x=0&yx=1"),
	     0,
	     "0 text 1\n3 text 2\n0 text @1 2\n0 text @2 3\n4 text p\n1 text p\n4 text @1 q\n1 "
	     "text @1 q\n2 text 0\n");
}

static void charsets_of_forms(void **state)
{
	struct body_kind latin = {
		.content_type =
			SLICE("application/x-www-form-urlencoded; charset=\"ISO-8859-1\"")
	};
	struct body_kind odd = { .content_type = SLICE(
					 "application/x-www-form-urlencoded;charset=shift_jis") };

	KIT_WANTS(FORM("a"), FORM("pr\xc3\xa9nom"));
	kit_expect(latin, SLICE("a=caf%E9+%80\xe9&pr%e9nom=1"), 0,
		   "0 text caf\xc3\xa9 \xe2\x82\xac\xc3\xa9\n1 text 1\n");
	form(SLICE("a=%E9&_charset_=windows-1252&a=%E9&_charset_=koi8-r"), FLAG(CHARSET_UNKNOWN),
	     "0 text \xef\xbf\xbd\n0 text @1 \xc3\xa9\n");
	kit_expect(odd, SLICE("a=1"), FLAG(CHARSET_UNKNOWN), "");
}

static void long_names_and_values(void **state)
{
	struct body_limits l = body_limits_default;
	char text[3000];

	l.text_bytes = 10;
	kit_limits(&l);
	KIT_WANTS(FORM("a"), FORM("nn*"));
	form(SLICE("a=12345678%C3%A9&a=123456789%C3%A9&a=0123456789x"), FLAG(CUT_TEXT),
	     "0 text 12345678\xc3\xa9\n0 text @1 123456789 (cut)\n0 text @2 0123456789 (cut)\n");
	memset(text, 'n', sizeof(text));
	memcpy(text + 2000, "=1&a=2", 6);
	form(slice_of(text, 2006), FLAG(CUT_PARTS), "0 text 2\n");
	kit_limits(&body_limits_default);
}

static struct slice with_hole(struct body_kind kind, struct slice before, struct slice behind)
{
	struct body *b = kit_open(kind);

	body_push(b, before);
	assert_true(body_hole(b, 100));
	body_push(b, behind);
	body_end(b, &kit.result);
	return buf_slice(&kit.out);
}

/* The pair of the hole is left out; the next is read, but how many there were before is not known. */
static void behind_a_hole(void **state)
{
	KIT_WANTS(FORM("a"), FORM("b"));
	kit_same(with_hole(FORM_KIND, SLICE("a=1&b=2"), SLICE("3&a=4&b=5")),
		 SLICE("0 text 1\n0 text @? 4\n1 text @? 5\n"), "in a value");
	assert_int_equal(kit.result.flags, FLAG(HOLE));
	kit_same(with_hole(FORM_KIND, SLICE("a=1&b=%4"), SLICE("1")), SLICE("0 text 1\n"),
		 "in an escape");
	kit_same(with_hole(FORM_KIND, SLICE("a=1&"), SLICE("b=7&a=4")),
		 SLICE("0 text 1\n0 text @? 4\n"),
		 "between pairs: the name may be the end of a longer one");
	kit_same(with_hole(FORM_KIND, SLICE("a=1"), SLICE("")), SLICE(""), "at the end");
	kit_same(with_hole(MULTIPART_KIND, SLICE(PART("a") "1\r\n" PART("b") "2"),
			   SLICE("3\r\n" PART("a") "4\r\n" PART("b") "5\r\n--b--\r\n")),
		 SLICE("0 text 1\n0 text @? 4\n1 text @? 5\n"), "in a part");
	assert_int_equal(kit.result.flags, FLAG(HOLE));
	kit_same(with_hole(MULTIPART_KIND, SLICE("--b\r\nContent-Disposition: form-"),
			   SLICE("data; name=\"a\"\r\n\r\n1\r\n" PART("b") "5\r\n--b--")),
		 SLICE("1 text @? 5\n"), "in a head");
}

static void values_of_parts(void **state)
{
	KIT_WANTS(FORM("a"), FORM("b"), FORM("q\"uo\r\nte"));
	parts(SLICE(PART("a") "1\r\n" PART("b") "line\r\nline\r\n\r\n--b--\r\nepilogue --b"), 0,
	      "0 text 1\n1 text line\r\nline\r\n\n");
	parts(SLICE("preamble\r\n" PART("a") "\r\n" PART("a") "2\r\n--b--"), 0,
	      "0 text \n0 text @1 2\n");
	parts(SLICE(PART("q%22uo%0D%0Ate") "x\r\n--b--"), 0, "2 text x\n");
	parts(SLICE("--b\r\nCONTENT-DISPOSITION:form-data ; NAME=a\r\nX: y\r\n\r\n1\r\n--b  \r\n"
		    "Content-Disposition: form-data; name=\"b\"\r\n\r\n2\r\n--b--"),
	      0, "0 text 1\n1 text 2\n");
	parts(SLICE("--b--"), 0, "");
}

static void files_are_passed_over(void **state)
{
	KIT_WANTS(FORM("a"), FORM("f"));
	parts(SLICE("--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x; "
		    "name=\\\"a\\\".png\"\r\n"
		    "Content-Type: image/png\r\n\r\n\x89PNG\r\n\r\r\n--bx\r\n--a\r\n" PART(
			    "a") "1\r\n--b--"),
	      0, "0 text 1\n");
	parts(SLICE("--b\r\nContent-Disposition: form-data; name=\"f\"; "
		    "filename=\"\"\r\n\r\n\r\n" PART("a") "1\r\n--b--"),
	      0, "0 text 1\n");
	parts(SLICE("--b\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n0\r\n" PART(
		      "a") "1\r\n--b--"),
	      0, "0 text 1\n");
	parts(SLICE("--b\r\n\r\n0\r\n" PART("a") "1\r\n--b--"), 0, "0 text 1\n");
}

static void delimiters_that_are_none(void **state)
{
	KIT_WANTS(FORM("a"));
	parts(SLICE(PART("a") "\r\n--bx\r\n-b\r\r\n--\r\n--b-x\r\n--c\r\n--b--"), 0,
	      "0 text \r\n--bx\r\n-b\r\r\n--\r\n--b-x\r\n--c\n");
}

static void charsets_of_parts(void **state)
{
	KIT_WANTS(FORM("a"));
	parts(SLICE("--b\r\nContent-Disposition: form-data; name=a\r\nContent-Type: text/plain; "
		    "charset=iso-8859-15\r\n\r\n"
		    "\xa4\r\n" PART("a") "\xc3\xa9\r\n" PART("_charset_") "windows-1252\r\n" PART(
			    "a") "\xe9\r\n--b--"),
	      0, "0 text \xe2\x82\xac\n0 text @1 \xc3\xa9\n0 text @2 \xc3\xa9\n");
}

static void parts_that_lie(void **state)
{
	static const char *const types[] = {
		"multipart/form-data",
		"multipart/form-data; boundary=",
		"multipart/form-data; boundary=\"\"",
		"multipart/form-data; charset=utf-8; boundary",
		"multipart/form-data; "
		"boundary=12345678901234567890123456789012345678901234567890123456789012345678901",
	};
	struct body_kind quoted = {
		.content_type = SLICE("Multipart/Form-Data; x=\"; boundary=c\"; Boundary=\"b\"")
	};
	char text[4000];
	size_t len;

	KIT_WANTS(FORM("a"));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct body_kind kind = { .content_type = slice_str(types[i]) };

		kit_expect(kind, SLICE(PART("a") "1\r\n--b--"), FLAG(MALFORMED), "");
	}
	kit_expect(quoted, SLICE(PART("a") "1\r\n--b--"), 0, "0 text 1\n");
	parts(SLICE(PART("a") "1\r\n"), FLAG(SHORT), "");
	parts(SLICE("x"), FLAG(SHORT), "");
	/* a head beyond all measure: its part is left out */
	len = (size_t)snprintf(text, sizeof(text), "--b\r\nContent-Disposition: form-data; x=");
	memset(text + len, 'x', 2000);
	len += 2000;
	len += (size_t)snprintf(text + len, sizeof(text) - len,
				"; name=a\r\n\r\n1\r\n" PART("a") "2\r\n--b--");
	parts(slice_of(text, len), FLAG(CUT_PARTS), "0 text 2\n");
}

static void names_that_are_refused(void **state)
{
	static const struct {
		const char *name;
		unsigned place;
	} cases[] = { { "", 0 }, { "a*b*c", 3 }, { "**", 1 } };

	for (unsigned i = 0; i < 3; i++) {
		const struct body_want want = { .source = BODY_FORM,
						.path = slice_str(cases[i].name) };
		struct body_wants *wants = NULL;
		struct body_error error;

		assert_int_equal(wants_new(&want, 1, &error, &wants), -EINVAL);
		assert_int_equal(error.place, cases[i].place);
		assert_null(wants);
	}
}

KIT_MAIN(T(pairs), T(escapes_that_are_none), T(names_with_a_star), T(charsets_of_forms),
	 T(long_names_and_values), T(behind_a_hole), T(values_of_parts), T(files_are_passed_over),
	 T(delimiters_that_are_none), T(charsets_of_parts), T(parts_that_lie),
	 T(names_that_are_refused))
