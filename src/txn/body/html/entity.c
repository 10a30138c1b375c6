/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entity.c: character references (WHATWG HTML section 13.2.5.72): the numeric ones, and of the 2,231 names all
 * of ISO-8859-1 and those that shops write. The names of ISO-8859-1 count without ';' too, in text also when
 * letters follow; a name that is not here stays as it stands. A reference may be cut anywhere, so it gathers
 * before it is looked up.
 */
#include "txn/body/inside.h"

/* ISO-8859-1 from 0xa0 on, in order. */
static const char *const latin[] = {
	"nbsp",	  "iexcl",  "cent",   "pound",	"curren", "yen",    "brvbar", "sect",	"uml",
	"copy",	  "ordf",   "laquo",  "not",	"shy",	  "reg",    "macr",   "deg",	"plusmn",
	"sup2",	  "sup3",   "acute",  "micro",	"para",	  "middot", "cedil",  "sup1",	"ordm",
	"raquo",  "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",	"Atilde",
	"Auml",	  "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute", "Ecirc",  "Euml",	"Igrave",
	"Iacute", "Icirc",  "Iuml",   "ETH",	"Ntilde", "Ograve", "Oacute", "Ocirc",	"Otilde",
	"Ouml",	  "times",  "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",
	"szlig",  "agrave", "aacute", "acirc",	"atilde", "auml",   "aring",  "aelig",	"ccedil",
	"egrave", "eacute", "ecirc",  "euml",	"igrave", "iacute", "icirc",  "iuml",	"eth",
	"ntilde", "ograve", "oacute", "ocirc",	"otilde", "ouml",   "divide", "oslash", "ugrave",
	"uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml",
};

static const struct {
	const char *name;
	uint16_t code;
	bool bare; /* without ';' too */
} others[] = {
	{ "amp", '&', true },
	{ "lt", '<', true },
	{ "gt", '>', true },
	{ "quot", '"', true },
	{ "AMP", '&', true },
	{ "LT", '<', true },
	{ "GT", '>', true },
	{ "QUOT", '"', true },
	{ "COPY", 0xa9, true },
	{ "REG", 0xae, true },
	{ "apos", '\'', false },
	{ "euro", 0x20ac, false },
	{ "ndash", 0x2013, false },
	{ "mdash", 0x2014, false },
	{ "minus", 0x2212, false },
	{ "horbar", 0x2015, false },
	{ "hyphen", 0x2010, false },
	{ "lsquo", 0x2018, false },
	{ "rsquo", 0x2019, false },
	{ "sbquo", 0x201a, false },
	{ "ldquo", 0x201c, false },
	{ "rdquo", 0x201d, false },
	{ "bdquo", 0x201e, false },
	{ "lsaquo", 0x2039, false },
	{ "rsaquo", 0x203a, false },
	{ "dagger", 0x2020, false },
	{ "Dagger", 0x2021, false },
	{ "bull", 0x2022, false },
	{ "hellip", 0x2026, false },
	{ "permil", 0x2030, false },
	{ "prime", 0x2032, false },
	{ "Prime", 0x2033, false },
	{ "trade", 0x2122, false },
	{ "fnof", 0x192, false },
	{ "ensp", 0x2002, false },
	{ "emsp", 0x2003, false },
	{ "numsp", 0x2007, false },
	{ "puncsp", 0x2008, false },
	{ "thinsp", 0x2009, false },
	{ "hairsp", 0x200a, false },
	{ "zwnj", 0x200c, false },
	{ "zwj", 0x200d, false },
	{ "lrm", 0x200e, false },
	{ "rlm", 0x200f, false },
	{ "NonBreakingSpace", 0xa0, false },
	{ "ZeroWidthSpace", 0x200b, false },
	{ "Tab", '\t', false },
	{ "NewLine", '\n', false },
	{ "OElig", 0x152, false },
	{ "oelig", 0x153, false },
	{ "Scaron", 0x160, false },
	{ "scaron", 0x161, false },
	{ "Yuml", 0x178, false },
	{ "Zcaron", 0x17d, false },
	{ "zcaron", 0x17e, false },
	{ "ccaron", 0x10d, false },
	{ "Ccaron", 0x10c, false },
	{ "lstrok", 0x142, false },
	{ "Lstrok", 0x141, false },
	{ "dollar", '$', false },
	{ "comma", ',', false },
	{ "period", '.', false },
	{ "colon", ':', false },
	{ "num", '#', false },
	{ "percnt", '%', false },
	{ "lpar", '(', false },
	{ "rpar", ')', false },
	{ "plus", '+', false },
	{ "equals", '=', false },
	{ "sol", '/', false },
	{ "commat", '@', false },
	{ "excl", '!', false },
	{ "quest", '?', false },
	{ "lowbar", '_', false },
	{ "ast", '*', false },
	{ "check", 0x2713, false },
	{ "star", 0x2606, false },
	{ "starf", 0x2605, false },
	{ "rarr", 0x2192, false },
	{ "larr", 0x2190, false },
	{ "uarr", 0x2191, false },
	{ "darr", 0x2193, false },
	{ "ohm", 0x3a9, false },
};

static uint32_t named(struct slice name, bool ended)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if ((ended || others[i].bare) && slice_eq(name, slice_str(others[i].name)))
			return others[i].code;
	for (uint32_t i = 0; i < sizeof(latin) / sizeof(latin[0]); i++)
		if (slice_eq(name, slice_str(latin[i])))
			return 0xa0 + i;
	return 0;
}

/* "#163", "#xA3": what stands for the octets of windows-1252 is meant as that; what is no character is
 * U+FFFD. */
static size_t numbered(struct slice name, char ret[8], size_t *ret_used)
{
	bool hex = name.len > 1 && (name.at[1] | 0x20) == 'x';
	size_t i = hex ? 2 : 1;
	uint32_t code = 0;

	for (; i < name.len; i++) {
		uint32_t c = (uint8_t)name.at[i], digit = c - '0', letter = (c | 0x20) - 'a';

		if (hex && letter < 6)
			digit = letter + 10;
		if (digit > (hex ? 15u : 9u) || (hex && digit > 9 && letter > 5))
			break;
		code = code > 0x110000 ? code : code * (hex ? 16 : 10) + digit;
	}
	if (i == (hex ? 2 : 1))
		return 0;
	*ret_used = i;
	if (code >= 0x80 && code < 0xa0)
		code = charset_code(CHARSET_1252, (uint8_t)code);
	return charset_put(code ? code : 0xfffd, ret);
}

/* The text of a reference without '&' and ';', into `ret`; octets, 0: it is none. *ret_used: of the name,
 * where only its beginning is one (without ';'; not in attributes). */
static size_t entity_text(struct slice name, bool ended, bool in_attribute, char ret[8],
			  size_t *ret_used)
{
	uint32_t code;

	if (name.len && name.at[0] == '#')
		return numbered(name, ret, ret_used);
	code = named(name, ended);
	*ret_used = name.len;
	/* "&pound12": the longest name that it begins with */
	while (!code && !in_attribute && *ret_used > 2)
		code = named(slice_sub(name, 0, --*ret_used), false);
	return code ? charset_put(code, ret) : 0;
}

/* ---- text, and values of attributes ---- */

static void value_add(struct body *b, struct slice s)
{
	struct html *h = &b->html;
	struct attribute *a = &h->attribute[h->attributes];
	size_t room = HTML_TAG_BYTES - h->tag_len;

	if (!h->attribute_kept)
		return;
	if (s.len > room) {
		a->cut = true;
		s.len = room;
	}
	if (s.len)
		memcpy(h->tag_text + h->tag_len, s.at, s.len);
	h->tag_len += s.len;
	a->value.len += s.len;
}

void html_put(struct body *b, struct slice s)
{
	if (!s.len)
		return;
	if (b->html.in_value)
		value_add(b, s);
	else
		tree_text(b, s);
}

/* The reference at hand is over, with or without ';'; next: the octet after it, where it is not. */
void html_reference_over(struct body *b, bool ended, char next)
{
	struct html *h = &b->html;
	struct slice name = slice_of(h->entity + 1, h->entity_len - 1u);
	bool value = h->in_value;
	char text[8];
	size_t used = 0, n = 0;

	h->entity_len = 0;
	/* "?a=1&copy=2" is an address */
	if (name.len && !(value && !ended && next == '=' && name.at[0] != '#'))
		n = entity_text(name, ended, value, text, &used);
	if (!n) {
		html_put(b, slice_of(h->entity, name.len + 1));
		if (ended)
			html_put(b, SLICE(";"));
		return;
	}
	html_put(b, slice_of(text, n));
	html_put(b, slice_sub(name, used, name.len));
	if (ended && used < name.len)
		html_put(b, SLICE(";"));
}

/* One octet of a reference; false: it ended before it. */
static bool entity_push(struct body *b, char c)
{
	struct html *h = &b->html;
	bool part = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') ||
		    (c == '#' && h->entity_len == 1);

	if (part && h->entity_len < HTML_ENTITY) {
		h->entity[h->entity_len++] = c;
		return true;
	}
	html_reference_over(b, c == ';', c);
	return c == ';';
}

size_t html_references(struct body *b, struct slice s, char stop)
{
	struct html *h = &b->html;
	size_t i = 0, from = 0;

	while (i < s.len) {
		char c = s.at[i];

		if (h->entity_len) {
			if (entity_push(b, c))
				i++;
			from = i;
			continue;
		}
		if (stop ? c == stop : c == '>' || html_is_blank(c))
			break;
		if (c == '&') {
			html_put(b, slice_sub(s, from, i));
			h->entity[0] = '&';
			h->entity_len = 1;
			from = i + 1;
		}
		i++;
	}
	if (from < i && !h->entity_len)
		html_put(b, slice_sub(s, from, i));
	return i;
}
