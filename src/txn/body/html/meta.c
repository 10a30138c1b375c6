/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta.c: the charset of a document by its first octets, before they are text (WHATWG HTML section 13.2.3.2):
 * <meta charset=…>, or <meta http-equiv=content-type content="…;charset=…">. Comments do not count; of other
 * tags only the attributes are passed over, so a '>' in quotes ends none.
 */
#include "txn/body/html/html.h"

/* The next attribute of a tag; false: the tag ended, *at behind it. */
static bool next_attribute(struct slice *at, struct slice *ret_name, struct slice *ret_value)
{
	struct slice s = *at;
	size_t n = 0;
	char quote = 0;

	while (n < s.len && (html_is_blank(s.at[n]) || s.at[n] == '/'))
		n++;
	s = slice_sub(s, n, s.len);
	*at = s;
	if (!s.len || s.at[0] == '>')
		return false;
	for (n = 1; n < s.len && !html_is_blank(s.at[n]) && s.at[n] != '=' && s.at[n] != '>' &&
		    s.at[n] != '/';)
		n++;
	*ret_name = slice_sub(s, 0, n);
	*ret_value = slice_sub(s, 0, 0);
	s = slice_sub(s, n, s.len);
	for (n = 0; n < s.len && html_is_blank(s.at[n]);)
		n++;
	if (n < s.len && s.at[n] == '=') {
		for (n++; n < s.len && html_is_blank(s.at[n]);)
			n++;
		s = slice_sub(s, n, s.len);
		if (s.len && (s.at[0] == '"' || s.at[0] == '\'')) {
			quote = s.at[0];
			s = slice_sub(s, 1, s.len);
		}
		for (n = 0; n < s.len &&
			    (quote ? s.at[n] != quote : !html_is_blank(s.at[n]) && s.at[n] != '>');)
			n++;
		*ret_value = slice_sub(s, 0, n);
		s = slice_sub(s, n + (quote != 0), s.len);
	}
	*at = s;
	return true;
}

/* "text/html; charset=x" */
static struct slice charset_in(struct slice content)
{
	size_t i = 0, n = 0;

	while (i + 7 <= content.len && !slice_ieq(slice_sub(content, i, i + 7), SLICE("charset")))
		i++;
	content = slice_sub(content, i + 7, content.len);
	while (content.len && html_is_blank(content.at[0]))
		content = slice_sub(content, 1, content.len);
	if (!content.len || content.at[0] != '=')
		return slice_of(NULL, 0);
	content = slice_trim(slice_sub(content, 1, content.len));
	if (content.len && (content.at[0] == '"' || content.at[0] == '\''))
		content = slice_sub(content, 1, content.len);
	while (n < content.len && !html_is_blank(content.at[n]) && content.at[n] != ';' &&
	       content.at[n] != '"' && content.at[n] != '\'')
		n++;
	return slice_sub(content, 0, n);
}

static enum charset of_tag(struct slice *at, bool is_meta)
{
	struct slice name, value, label = { 0 }, content = { 0 };
	bool typed = false;
	enum charset c;

	while (next_attribute(at, &name, &value)) {
		if (slice_ieq(name, SLICE("charset")))
			label = value;
		else if (slice_ieq(name, SLICE("content")))
			content = value;
		else if (slice_ieq(name, SLICE("http-equiv")))
			typed = slice_ieq(value, SLICE("content-type"));
	}
	if (!is_meta || !at->len) /* its end was not seen */
		return CHARSET_UNDECIDED;
	if (!label.len && typed)
		label = charset_in(content);
	label = slice_trim(label);
	if (!label.len)
		return CHARSET_UNDECIDED;
	c = charset_named(label);
	/* it could be read as ASCII, so it is none of these */
	return c == CHARSET_UTF16LE || c == CHARSET_UTF16BE ? CHARSET_UTF8 : c;
}

enum charset html_charset(struct slice text)
{
	while (text.len) {
		long hit = slice_find(text, '<'), end;
		enum charset c;
		bool is_meta;

		if (hit < 0)
			break;
		text = slice_sub(text, (size_t)hit + 1, text.len);
		if (slice_starts(text, SLICE("!--"))) {
			end = slice_find_slice(slice_sub(text, 2, text.len), SLICE("-->"));
			if (end < 0)
				break;
			text = slice_sub(text, 2 + (size_t)end + 3, text.len);
			continue;
		}
		if (!text.len || !(text.at[0] == '/' ||
				   ((text.at[0] | 0x20) >= 'a' && (text.at[0] | 0x20) <= 'z')))
			continue;
		is_meta = slice_istarts(text, SLICE("meta")) && text.len > 4 &&
			  (html_is_blank(text.at[4]) || text.at[4] == '/');
		while (text.len && !html_is_blank(text.at[0]) && text.at[0] != '>')
			text = slice_sub(text, 1, text.len);
		c = of_tag(&text, is_meta);
		if (c != CHARSET_UNDECIDED)
			return c;
	}
	return CHARSET_UNDECIDED;
}
