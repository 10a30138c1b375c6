/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multipart.c: multipart/form-data (RFC 7578, RFC 2046 section 5.1): parts → fields (form.c). Files are passed
 * over without a look. A delimiter is looked for by its CR, which stands nowhere else in it, so a part that
 * looks like a delimiter for a while costs no second reading.
 *
 * A delimiter cannot stand inside a part, so behind a hole the next one can be trusted; the part that the
 * hole fell into is left out.
 */
#include "txn/body/inside.h"

enum multipart_state {
	PART_NONE,  /* before the first delimiter, and in a part that has no name */
	PART_AFTER, /* a delimiter was read: its line's end, or "--" */
	PART_HEAD,
	PART_BODY,
	PART_OVER, /* the last delimiter */
};

bool multipart_begin(struct body *b, struct slice content_type)
{
	struct multipart *m = &b->multipart;
	struct text room = { .at = b->text.at, .max = b->text.max };
	struct slice boundary = media_parameter(content_type, SLICE("boundary"), &room);

	if (!boundary.len || boundary.len > MULTIPART_BOUNDARY || room.cut)
		return false;
	m->state = PART_NONE;
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary.at, boundary.len);
	m->delimiter_len = (uint8_t)(boundary.len + 4);
	m->matched = 2; /* the first one may stand at the very beginning */
	m->dash = m->named = m->is_file = m->lost = m->line_cut = false;
	m->line_len = 0;
	return true;
}

/* ---- the head of a part ---- */

/* WHATWG HTML section 4.10.22.8: what browsers write for the three octets that a name in quotes cannot
 * have. In place. */
static size_t unescape_name(char *at, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		struct slice rest = slice_of(at + i, len - i);

		if (slice_istarts(rest, SLICE("%22")) || slice_istarts(rest, SLICE("%0D")) ||
		    slice_istarts(rest, SLICE("%0A"))) {
			at[n++] = at[i + 1] == '2' ? '"' : (at[i + 2] | 0x20) == 'd' ? '\r' : '\n';
			i += 2;
		} else {
			at[n++] = at[i];
		}
	}
	return n;
}

static void disposition(struct body *b, struct slice value)
{
	struct multipart *m = &b->multipart;
	struct text file = { .at = b->text.at, .max = b->text.max };
	struct slice rest = value, name;

	if (!slice_ieq(slice_trim(slice_next(&rest, ';')), SLICE("form-data")))
		return;
	b->name.len = 0;
	b->name.cut = false;
	name = media_parameter(value, SLICE("name"), &b->name);
	m->named = name.at != NULL;
	if (!m->named)
		return;
	if (name.at != b->name.at) {
		b->name.len = 0;
		text_add(&b->name, name);
	}
	b->name.len = unescape_name(b->name.at, b->name.len);
	m->is_file = media_parameter(value, SLICE("filename"), &file).at ||
		     media_parameter(value, SLICE("filename*"), &file).at;
}

static void head_line(struct body *b)
{
	struct multipart *m = &b->multipart;
	struct slice value = slice_of(m->line, m->line_len),
		     name = slice_trim(slice_next(&value, ':'));
	struct text room = { .at = b->text.at, .max = b->text.max };
	enum charset c;

	if (m->line_cut)
		body_flag(b, BODY_CUT_PARTS);
	if (slice_ieq(name, SLICE("Content-Disposition")) && !m->line_cut)
		disposition(b, slice_trim(value));
	if (!slice_ieq(name, SLICE("Content-Type")))
		return;
	value = media_parameter(value, SLICE("charset"), &room);
	if (!value.at)
		return;
	c = charset_named(value);
	if (c == CHARSET_UTF8 || c == CHARSET_1252 || c == CHARSET_8859_15)
		m->charset = c;
	else
		body_flag(b, BODY_CHARSET_UNKNOWN);
}

static void part_begin(struct body *b)
{
	struct multipart *m = &b->multipart;

	m->state = m->named && !m->is_file && !m->lost ? PART_BODY : PART_NONE;
	m->matched = 0;
	if (m->state == PART_BODY)
		field_begin(b, text_slice(&b->name));
}

static size_t head_push(struct body *b, struct slice s)
{
	struct multipart *m = &b->multipart;
	long end = slice_find(s, '\n');
	size_t n = end < 0 ? s.len : (size_t)end, room = sizeof(m->line) - m->line_len;

	if (n > room)
		m->line_cut = true;
	memcpy(m->line + m->line_len, s.at, n < room ? n : room);
	m->line_len = (uint16_t)(m->line_len + (n < room ? n : room));
	if (end < 0)
		return n;
	if (m->line_len && m->line[m->line_len - 1] == '\r')
		m->line_len--;
	if (m->line_len || m->line_cut)
		head_line(b);
	else
		part_begin(b);
	m->line_len = 0;
	m->line_cut = false;
	return n + 1;
}

/* ---- delimiters ---- */

static void content(struct body *b, struct slice s)
{
	if (b->multipart.state == PART_BODY && s.len)
		field_add(b, s, b->multipart.charset);
}

/* What looked like a delimiter and its line's end is content after all. */
static void not_delimiter(struct body *b)
{
	struct multipart *m = &b->multipart;

	m->state = m->named && !m->is_file && !m->lost ? PART_BODY : PART_NONE;
	content(b, slice_of(m->delimiter, m->delimiter_len));
	if (m->dash)
		content(b, SLICE("-"));
	m->dash = false;
	m->matched = 0;
}

/* A delimiter that is one: the part before it is over. */
static void part_end(struct body *b, bool last)
{
	struct multipart *m = &b->multipart;

	if (m->named && !m->is_file && !m->lost)
		field_end(b);
	m->state = last ? PART_OVER : PART_HEAD;
	m->named = m->is_file = m->lost = m->dash = false;
	m->charset = b->form.charset;
	m->line_len = 0;
}

static size_t after_push(struct body *b, char c)
{
	struct multipart *m = &b->multipart;

	if (c == '\n') {
		part_end(b, false);
		return 1;
	}
	if (c == '-' && m->dash) {
		part_end(b, true);
		return 1;
	}
	if (c == '-' || (!m->dash && (c == ' ' || c == '\t' || c == '\r'))) {
		m->dash |= c == '-';
		return 1;
	}
	not_delimiter(b);
	return 0;
}

static size_t body_content(struct body *b, struct slice s)
{
	struct multipart *m = &b->multipart;
	const char *hit;

	if (!m->matched) {
		hit = memchr(s.at, '\r', s.len);
		if (!hit) {
			content(b, s);
			return s.len;
		}
		content(b, slice_sub(s, 0, (size_t)(hit - s.at)));
		m->matched = 1;
		return (size_t)(hit - s.at) + 1;
	}
	if (s.at[0] == m->delimiter[m->matched]) {
		if (++m->matched == m->delimiter_len)
			m->state = PART_AFTER;
		return 1;
	}
	content(b, slice_of(m->delimiter, m->matched));
	m->matched = 0;
	return 0;
}

static bool multipart_push(struct body *b, struct slice s)
{
	struct multipart *m = &b->multipart;

	while (s.len && !b->stopped) {
		size_t n;

		if (m->state == PART_OVER)
			return false;
		if (m->state == PART_AFTER)
			n = after_push(b, s.at[0]);
		else if (m->state == PART_HEAD)
			n = head_push(b, s);
		else
			n = body_content(b, s);
		s = slice_sub(s, n, s.len);
	}
	return !b->stopped;
}

static bool multipart_hole(struct body *b)
{
	struct multipart *m = &b->multipart;

	if (m->state == PART_OVER)
		return false;
	m->state = PART_NONE;
	m->named = false;
	m->lost = true;
	m->matched = 0;
	return true;
}

static void multipart_end(struct body *b)
{
	if (b->multipart.state != PART_OVER)
		body_flag(b, BODY_SHORT);
	fields_end(b);
}

const struct reader multipart_reader = { false, multipart_push, multipart_hole, multipart_end };
