/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tags.c: what the parser must know of tags by name (WHATWG HTML sections 13.1.2 and 13.2.6): which have no
 * end or raw text, which end others, which part words.
 */
#include "txn/body/html/html.h"

/* In order. */
static const struct {
	const char *name;
	uint32_t kind;
} tags[] = {
	{ "address", TAG_BLOCK | TAG_ENDS_P },
	{ "area", TAG_VOID },
	{ "article", TAG_BLOCK | TAG_ENDS_P },
	{ "aside", TAG_BLOCK | TAG_ENDS_P },
	{ "base", TAG_VOID },
	{ "blockquote", TAG_BLOCK | TAG_ENDS_P },
	{ "body", TAG_BLOCK | TAG_BODY },
	{ "br", TAG_VOID | TAG_BLOCK },
	{ "caption", TAG_BLOCK | TAG_SCOPE },
	{ "center", TAG_BLOCK | TAG_ENDS_P },
	{ "col", TAG_VOID },
	{ "dd", TAG_BLOCK | TAG_DD | TAG_ENDS_P },
	{ "details", TAG_BLOCK | TAG_ENDS_P },
	{ "dialog", TAG_BLOCK | TAG_ENDS_P },
	{ "div", TAG_BLOCK | TAG_ENDS_P },
	{ "dl", TAG_BLOCK | TAG_DL | TAG_ENDS_P },
	{ "dt", TAG_BLOCK | TAG_DD | TAG_ENDS_P },
	{ "embed", TAG_VOID },
	{ "fieldset", TAG_BLOCK | TAG_ENDS_P },
	{ "figcaption", TAG_BLOCK | TAG_ENDS_P },
	{ "figure", TAG_BLOCK | TAG_ENDS_P },
	{ "footer", TAG_BLOCK | TAG_ENDS_P },
	{ "form", TAG_BLOCK | TAG_ENDS_P },
	{ "h1", TAG_BLOCK | TAG_ENDS_P },
	{ "h2", TAG_BLOCK | TAG_ENDS_P },
	{ "h3", TAG_BLOCK | TAG_ENDS_P },
	{ "h4", TAG_BLOCK | TAG_ENDS_P },
	{ "h5", TAG_BLOCK | TAG_ENDS_P },
	{ "h6", TAG_BLOCK | TAG_ENDS_P },
	{ "header", TAG_BLOCK | TAG_ENDS_P },
	{ "hr", TAG_VOID | TAG_BLOCK | TAG_ENDS_P },
	{ "html", TAG_BODY },
	{ "iframe", TAG_RAW },
	{ "img", TAG_VOID },
	{ "input", TAG_VOID },
	{ "li", TAG_BLOCK | TAG_LI | TAG_ENDS_P },
	{ "link", TAG_VOID },
	{ "main", TAG_BLOCK | TAG_ENDS_P },
	{ "math", TAG_FOREIGN },
	{ "menu", TAG_BLOCK | TAG_LIST | TAG_ENDS_P },
	{ "meta", TAG_VOID },
	{ "nav", TAG_BLOCK | TAG_ENDS_P },
	{ "noembed", TAG_RAW },
	{ "noframes", TAG_RAW },
	{ "noscript", TAG_RAW },
	{ "ol", TAG_BLOCK | TAG_LIST | TAG_ENDS_P },
	{ "optgroup", TAG_BLOCK | TAG_OPTGROUP },
	{ "option", TAG_BLOCK | TAG_OPTION },
	{ "p", TAG_BLOCK | TAG_P | TAG_ENDS_P },
	{ "param", TAG_VOID },
	{ "pre", TAG_BLOCK | TAG_ENDS_P },
	{ "script", TAG_RAW },
	{ "section", TAG_BLOCK | TAG_ENDS_P },
	{ "select", TAG_SELECT },
	{ "source", TAG_VOID },
	{ "style", TAG_RAW },
	{ "summary", TAG_BLOCK | TAG_ENDS_P },
	{ "svg", TAG_FOREIGN },
	{ "table", TAG_BLOCK | TAG_TABLE | TAG_SCOPE | TAG_ENDS_P },
	{ "tbody", TAG_BLOCK | TAG_ROWS },
	{ "td", TAG_BLOCK | TAG_CELL | TAG_SCOPE },
	{ "template", TAG_INERT | TAG_SCOPE },
	{ "textarea", TAG_RAW | TAG_RAW_REFS },
	{ "tfoot", TAG_BLOCK | TAG_ROWS },
	{ "th", TAG_BLOCK | TAG_CELL | TAG_SCOPE },
	{ "thead", TAG_BLOCK | TAG_ROWS },
	{ "title", TAG_RAW | TAG_RAW_REFS },
	{ "tr", TAG_BLOCK | TAG_ROW },
	{ "track", TAG_VOID },
	{ "ul", TAG_BLOCK | TAG_LIST | TAG_ENDS_P },
	{ "wbr", TAG_VOID },
	{ "xmp", TAG_RAW | TAG_ENDS_P },
};

uint32_t tag_kind(struct slice name)
{
	size_t low = 0, high = sizeof(tags) / sizeof(tags[0]);

	while (low < high) {
		size_t mid = (low + high) / 2;
		struct slice at = slice_str(tags[mid].name);
		int order = memcmp(name.at, at.at, name.len < at.len ? name.len : at.len);

		if (!order && name.len == at.len)
			return tags[mid].kind;
		if (order < 0 || (!order && name.len < at.len))
			high = mid;
		else
			low = mid + 1;
	}
	return 0;
}

uint64_t tag_key(struct slice name)
{
	uint64_t key = 0;

	if (name.len > sizeof(key))
		return slice_mix(name, 0) | 1ull << 63;
	memcpy(&key, name.at, name.len);
	return key;
}
