/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_head.c: the head parser. Two passes over the bytes, both by memchr for line ends: the first
 * finds the empty line, so that the second sees whole lines only and never has to stop in the middle.
 * Framing facts are taken from every field line, also from those beyond HEAD_FIELDS.
 *
 * Stateless; one thread per scratch.
 */
#include "proto/http1_head.h"

#include <errno.h>

#include "proto/fields.h"

uint32_t http1_head_size(struct slice s, uint32_t *scanned)
{
	size_t line = *scanned; /* start of a line */

	for (;;) {
		const char *lf = line < s.len ? memchr(s.at + line, '\n', s.len - line) : NULL;
		size_t len;

		if (!lf) {
			*scanned = (uint32_t)line;
			return 0;
		}
		len = (size_t)(lf - s.at) - line;
		/* The start line is never empty: the caller has passed over empty lines. */
		if (len == 0 || (len == 1 && lf[-1] == '\r'))
			return (uint32_t)(lf - s.at + 1);
		line += len + 1;
		if (line > HEAD_BYTES)
			return 0;
	}
}

/* The next line without its end; a bare LF is flagged. The caller made sure that there is one. */
static struct slice next_line(struct slice *s, uint16_t *flags)
{
	const char *lf = memchr(s->at, '\n', s->len);
	struct slice line = { s->at, (size_t)(lf - s->at) };

	s->at += line.len + 1;
	s->len -= line.len + 1;
	if (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	else
		*flags |= HEAD_LENIENT;
	return line;
}

/* HTTP/d.d; RFC 9112 2.3. */
static bool parse_version(struct slice s, struct head *h)
{
	if (s.len != 8 || memcmp(s.at, "HTTP/", 5) != 0 || s.at[6] != '.' || !is_digit(s.at[5]) ||
	    !is_digit(s.at[7]))
		return false;
	h->major = (uint8_t)(s.at[5] - '0');
	h->minor = (uint8_t)(s.at[7] - '0');
	if (h->major != 1)
		h->flags |= HEAD_LENIENT;
	return true;
}

static bool has_blank_or_control(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.at[i] <= ' ' || s.at[i] == 0x7f)
			return true;
	return false;
}

/* method SP target SP version. Servers take more blanks, and blanks inside the target: so the method
 * is what stands before the first blank, the version what stands after the last. */
static int parse_request_line(struct slice line, struct head *h)
{
	struct slice all = trim(line);
	size_t method = 0, version;

	if (all.len != line.len)
		h->flags |= HEAD_LENIENT;
	while (method < all.len && is_token(all.at[method]))
		method++;
	if (method == 0 || method == all.len || !is_blank(all.at[method]))
		return -EBADMSG;
	for (version = all.len; !is_blank(all.at[version - 1]);)
		version--;
	if (version <= method + 1 || !parse_version(slice_sub(all, version, all.len), h))
		return -EBADMSG;
	h->method = slice_sub(all, 0, method);
	h->target = trim(slice_sub(all, method, version));
	if (h->target.len == 0)
		return -EBADMSG;
	if (method + h->target.len + 2 != version || has_blank_or_control(h->target))
		h->flags |= HEAD_LENIENT;
	return 0;
}

/* version SP 3DIGIT [SP reason]. Without a reason the second SP is often left out too. */
static int parse_status_line(struct slice line, struct head *h)
{
	struct slice rest;

	if (line.len < 12 || !parse_version(slice_sub(line, 0, 8), h) || !is_blank(line.at[8]))
		return -EBADMSG;
	rest = trim(slice_sub(line, 8, line.len));
	if (rest.len < 3 || !is_digit(rest.at[0]) || !is_digit(rest.at[1]) ||
	    !is_digit(rest.at[2]) || rest.at[0] == '0' || (rest.len > 3 && !is_blank(rest.at[3])))
		return -EBADMSG;
	if (line.at[8] != ' ' || is_blank(line.at[9]) || line.len < 13 || has_control(rest))
		h->flags |= HEAD_LENIENT;
	h->status =
		(uint16_t)((rest.at[0] - '0') * 100 + (rest.at[1] - '0') * 10 + rest.at[2] - '0');
	h->reason = trim(slice_sub(rest, 3, rest.len));
	return 0;
}

/* Content-Length: a number, or a list of equal ones as made by a joining proxy (RFC 9110 8.6). */
static void note_length(struct slice value, struct head_facts *f)
{
	struct slice rest = value;

	if (value.len == 0)
		f->bad_length = true;
	while (rest.at) {
		struct slice one = trim(slice_next(&rest, ','));
		uint64_t n;

		if (slice_u64(one, &n) != 0 || (f->has_length && n != f->length)) {
			f->bad_length = true;
			return;
		}
		f->has_length = true;
		f->length = n;
	}
}

static void note_codings(struct slice value, struct head_facts *f, uint16_t *flags)
{
	struct slice rest = value;

	while (rest.at) {
		struct slice one = trim(slice_next(&rest, ','));

		if (one.len == 0)
			continue;
		if (is_name(one, SLICE("identity"))) { /* RFC 2616's way to say "none" */
			*flags |= HEAD_LENIENT;
			f->chunked_inside |= f->chunked_last;
			f->chunked_last = false;
			continue;
		}
		f->has_coding = true;
		f->chunked_inside |= f->chunked_last;
		f->chunked_last = is_name(one, SLICE("chunked"));
	}
}

static void note_connection(struct slice value, struct head_facts *f)
{
	struct slice rest = value;

	while (rest.at) {
		struct slice one = trim(slice_next(&rest, ','));

		f->close |= is_name(one, SLICE("close"));
		f->keep_alive |= is_name(one, SLICE("keep-alive"));
		f->upgrade |= is_name(one, SLICE("upgrade"));
	}
}

/* Length and first letter leave almost no field to compare. */
static void note_field(const struct field *x, struct head_facts *f, uint16_t *flags)
{
	char first = (char)(x->name.at[0] | 0x20);

	if (x->name.len == 14 && first == 'c' && is_name(x->name, SLICE("content-length")))
		note_length(x->value, f);
	else if (x->name.len == 17 && first == 't' && is_name(x->name, SLICE("transfer-encoding")))
		note_codings(x->value, f, flags);
	else if (x->name.len == 10 && first == 'c' && is_name(x->name, SLICE("connection")))
		note_connection(x->value, f);
	else if (x->name.len == 7 && first == 'u' && is_name(x->name, SLICE("upgrade")))
		f->has_upgrade = x->value.len > 0;
	else if (x->name.len == 6 && first == 'e' && is_name(x->name, SLICE("expect")) &&
		 is_name(x->value, SLICE("100-continue")))
		*flags |= HEAD_EXPECT;
}

/* Joins value and the folded lines that follow by single spaces, in the scratch (RFC 9112 5.2). */
static void unfold(struct slice *s, struct head_scratch *scratch, struct field *x, uint16_t *flags)
{
	char *to = scratch->fold + scratch->used;
	size_t len = x->value.len;

	/* All values together are shorter than the head, so the scratch cannot overflow: each fold
	 * puts one space where at least one blank and a line end stood. */
	memcpy(to, x->value.at, len);
	while (s->len && is_blank(s->at[0])) {
		struct slice more = trim(next_line(s, flags));

		if (len && more.len)
			to[len++] = ' ';
		memcpy(to + len, more.at, more.len);
		len += more.len;
	}
	x->value = slice_of(to, len);
	scratch->used += (uint32_t)len;
	*flags |= HEAD_OBS_FOLD;
}

/* Names with odd characters, blanks before the colon and control octets in values occur and are taken
 * by one server or another; a line without a colon is passed over as they do. */
static bool parse_field(struct slice line, struct field *ret, uint16_t *flags)
{
	size_t n = 0;
	long colon;

	while (n < line.len && is_token(line.at[n]))
		n++;
	if (n == 0 || n == line.len || line.at[n] != ':') {
		*flags |= HEAD_LENIENT;
		colon = slice_find(line, ':');
		if (colon <= 0)
			return false;
		ret->name = trim(slice_sub(line, 0, (size_t)colon));
		n = (size_t)colon;
		if (ret->name.len == 0)
			return false;
	} else {
		ret->name = slice_sub(line, 0, n);
	}
	ret->value = trim(slice_sub(line, n + 1, line.len));
	if (has_control(ret->value))
		*flags |= HEAD_LENIENT;
	return true;
}

/* All field lines up to the empty one. Returns how many were kept. */
static uint32_t parse_fields(struct slice s, struct head_scratch *scratch, struct head_facts *f,
			     uint16_t *flags)
{
	uint32_t kept = 0;

	while (s.len) {
		struct slice line = next_line(&s, flags);
		struct field x;

		if (line.len == 0)
			break;
		if (is_blank(line.at[0]) || !parse_field(line, &x, flags)) {
			*flags |= HEAD_LENIENT;
			continue;
		}
		if (s.len && is_blank(s.at[0]))
			unfold(&s, scratch, &x, flags);
		if (f)
			note_field(&x, f, flags);
		if (kept < HEAD_FIELDS)
			scratch->fields[kept++] = x;
		else
			*flags |= HEAD_FIELDS_CUT;
	}
	return kept;
}

int http1_head_parse(struct slice s, bool request, struct head_scratch *scratch,
		     struct head *ret_head, struct head_facts *ret_facts)
{
	struct head h = { .size = (uint32_t)s.len };
	struct head_facts f = { 0 };
	struct slice rest = s;
	struct slice line = next_line(&rest, &h.flags);
	int err = request ? parse_request_line(line, &h) : parse_status_line(line, &h);

	if (err)
		return err;
	scratch->used = 0;
	h.field_count = parse_fields(rest, scratch, &f, &h.flags);
	h.fields = scratch->fields;
	if (f.has_upgrade && f.upgrade)
		h.flags |= HEAD_UPGRADE;
	/* RFC 9112 9.3 */
	if (!f.close && (f.keep_alive || h.major > 1 || (h.major == 1 && h.minor >= 1)))
		h.flags |= HEAD_KEEP_ALIVE;
	*ret_head = h;
	*ret_facts = f;
	return 0;
}

uint32_t http1_trailers_parse(struct slice s, struct head_scratch *scratch)
{
	uint16_t flags = 0;

	scratch->used = 0;
	return parse_fields(s, scratch, NULL, &flags);
}
