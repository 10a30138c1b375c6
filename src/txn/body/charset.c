/* SPDX-License-Identifier: Apache-2.0 */
/*
 * charset.c: see charset.h. Octets that belong together are held until all have come: at most four. The
 * two tables are the differences to ISO-8859-1, from the indexes of the Encoding Standard.
 */
#include "txn/body/charset.h"

#include "base/utf8.h"

#define REPLACEMENT 0xfffd

enum charset charset_named(struct slice label)
{
	static const struct {
		struct slice label;
		enum charset charset;
	} labels[] = {
		{ SLICE("utf-8"), CHARSET_UTF8 },
		{ SLICE("utf8"), CHARSET_UTF8 },
		{ SLICE("unicode-1-1-utf-8"), CHARSET_UTF8 },
		{ SLICE("iso-8859-1"), CHARSET_1252 },
		{ SLICE("iso8859-1"), CHARSET_1252 },
		{ SLICE("iso88591"), CHARSET_1252 },
		{ SLICE("iso_8859-1"), CHARSET_1252 },
		{ SLICE("latin1"), CHARSET_1252 },
		{ SLICE("l1"), CHARSET_1252 },
		{ SLICE("windows-1252"), CHARSET_1252 },
		{ SLICE("cp1252"), CHARSET_1252 },
		{ SLICE("x-cp1252"), CHARSET_1252 },
		{ SLICE("us-ascii"), CHARSET_1252 },
		{ SLICE("ascii"), CHARSET_1252 },
		{ SLICE("iso-8859-15"), CHARSET_8859_15 },
		{ SLICE("iso8859-15"), CHARSET_8859_15 },
		{ SLICE("latin9"), CHARSET_8859_15 },
		{ SLICE("l9"), CHARSET_8859_15 },
		{ SLICE("utf-16"), CHARSET_UTF16LE },
		{ SLICE("utf-16le"), CHARSET_UTF16LE },
		{ SLICE("ucs-2"), CHARSET_UTF16LE },
		{ SLICE("unicode"), CHARSET_UTF16LE },
		{ SLICE("utf-16be"), CHARSET_UTF16BE },
	};

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (slice_ieq(label, labels[i].label))
			return labels[i].charset;
	return CHARSET_UNKNOWN;
}

enum charset charset_mark(struct slice text, size_t *ret_len)
{
	*ret_len = 2;
	if (slice_starts(text, SLICE("\xfe\xff")))
		return CHARSET_UTF16BE;
	if (slice_starts(text, SLICE("\xff\xfe")))
		return CHARSET_UTF16LE;
	*ret_len = 3;
	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		return CHARSET_UTF8;
	*ret_len = 0;
	return CHARSET_UNDECIDED;
}

bool charset_is_plain(enum charset c)
{
	return c <= CHARSET_8859_15;
}

uint32_t charset_code(enum charset c, uint8_t octet)
{
	static const uint16_t controls[32] = {
		0x20ac, 0x81,	0x201a, 0x192,	0x201e, 0x2026, 0x2020, 0x2021,
		0x2c6,	0x2030, 0x160,	0x2039, 0x152,	0x8d,	0x17d,	0x8f,
		0x90,	0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
		0x2dc,	0x2122, 0x161,	0x203a, 0x153,	0x9d,	0x17e,	0x178,
	};

	if (c == CHARSET_1252)
		return octet >= 0x80 && octet < 0xa0 ? controls[octet - 0x80] : octet;
	switch (octet) {
	case 0xa4:
		return 0x20ac;
	case 0xa6:
		return 0x160;
	case 0xa8:
		return 0x161;
	case 0xb4:
		return 0x17d;
	case 0xb8:
		return 0x17e;
	case 0xbc:
		return 0x152;
	case 0xbd:
		return 0x153;
	case 0xbe:
		return 0x178;
	default:
		return octet;
	}
}

size_t charset_put(uint32_t code, char ret[4])
{
	if ((code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
		code = REPLACEMENT;
	if (code < 0x80) {
		ret[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		ret[0] = (char)(0xc0 | code >> 6);
		ret[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		ret[0] = (char)(0xe0 | code >> 12);
		ret[1] = (char)(0x80 | (code >> 6 & 0x3f));
		ret[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	ret[0] = (char)(0xf0 | code >> 18);
	ret[1] = (char)(0x80 | (code >> 12 & 0x3f));
	ret[2] = (char)(0x80 | (code >> 6 & 0x3f));
	ret[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* Octets of the sequence that begins with `first`, as far as that can be told; 1: no sequence does. */
static size_t expected(uint8_t first)
{
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 1;
}

struct slice charset_clean(struct buf *room, struct slice text, bool cut)
{
	for (size_t back = 1; cut && back <= 3 && back <= text.len; back++) {
		const char *at = text.at + text.len - back;

		if ((unsigned char)*at < 0x80)
			break;
		if ((unsigned char)*at < 0xc0)
			continue;
		if (expected((uint8_t)*at) > back)
			text.len -= back;
		break;
	}
	if (utf8_is_valid(text))
		return text;
	buf_clear(room);
	utf8_add_clean(room, text);
	return buf_slice(room);
}

void charset_begin(struct charset_reader *r, enum charset c,
		   bool (*out)(void *ctx, struct slice piece), void *ctx)
{
	*r = (struct charset_reader){ .charset = c, .out = out, .ctx = ctx };
}

/* Two octets of UTF-16. Returns the octets written: up to 3 for an unpaired half before this one, and 4. */
static size_t put_unit(struct charset_reader *r, uint8_t first, uint8_t second, char *to)
{
	uint32_t unit = r->charset == CHARSET_UTF16LE ? (uint32_t)second << 8 | first
						      : (uint32_t)first << 8 | second;
	size_t n = 0;

	if (r->high && unit >= 0xdc00 && unit < 0xe000) {
		n = charset_put(0x10000 + ((uint32_t)(r->high - 0xd800) << 10) + (unit - 0xdc00),
				to);
		r->high = 0;
		return n;
	}
	if (r->high)
		n = charset_put(REPLACEMENT, to);
	r->high = 0;
	if (unit >= 0xd800 && unit < 0xdc00) {
		r->high = (uint16_t)unit;
		return n;
	}
	return n + charset_put(unit, to + n);
}

static bool push_utf16(struct charset_reader *r, char *piece, struct slice in)
{
	size_t len = 0;

	for (size_t i = 0; i < in.len; i++) {
		if (!r->held_len) {
			r->held[r->held_len++] = (uint8_t)in.at[i];
			continue;
		}
		r->held_len = 0;
		len += put_unit(r, r->held[0], (uint8_t)in.at[i], piece + len);
		if (len > CHARSET_PIECE - 8) {
			if (!r->out(r->ctx, slice_of(piece, len)))
				return false;
			len = 0;
		}
	}
	return !len || r->out(r->ctx, slice_of(piece, len));
}

static bool push_single(struct charset_reader *r, char *piece, struct slice in)
{
	size_t len = 0;

	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = (uint8_t)in.at[i];

		if (c < 0x80)
			piece[len++] = (char)c;
		else
			len += charset_put(charset_code(r->charset, c), piece + len);
		if (len > CHARSET_PIECE - 8) {
			if (!r->out(r->ctx, slice_of(piece, len)))
				return false;
			len = 0;
		}
	}
	return !len || r->out(r->ctx, slice_of(piece, len));
}

static bool push_decided(struct charset_reader *r, char *piece, struct slice in)
{
	if (!in.len)
		return true;
	if (r->charset == CHARSET_UTF8)
		return r->out(r->ctx, in);
	if (r->charset == CHARSET_UTF16LE || r->charset == CHARSET_UTF16BE)
		return push_utf16(r, piece, in);
	return push_single(r, piece, in);
}

/* Whatever is held is decided now, and goes first. */
static bool decide(struct charset_reader *r, char *piece)
{
	struct slice held = slice_of(r->held, r->held_len);

	r->charset = held.len && utf8_length(held.at, held.len) ? CHARSET_UTF8 : CHARSET_1252;
	r->held_len = 0;
	return push_decided(r, piece, held);
}

static bool push_undecided(struct charset_reader *r, char *piece, struct slice in)
{
	size_t plain = 0;

	if (!r->held_len) {
		while (plain < in.len && (uint8_t)in.at[plain] < 0x80)
			plain++;
		if (plain && !r->out(r->ctx, slice_sub(in, 0, plain)))
			return false;
		in = slice_sub(in, plain, in.len);
	}
	while (in.len) {
		r->held[r->held_len++] = (uint8_t)in.at[0];
		in = slice_sub(in, 1, in.len);
		if (r->held_len == expected(r->held[0]))
			return decide(r, piece) && push_decided(r, piece, in);
	}
	return true;
}

static bool push_begun(struct charset_reader *r, char *piece, struct slice in)
{
	return r->charset == CHARSET_UNDECIDED ? push_undecided(r, piece, in)
					       : push_decided(r, piece, in);
}

/* The place of the mark is passed: what was held was it, or is text. */
static bool begin(struct charset_reader *r, char *piece)
{
	uint8_t held[sizeof(r->held)];
	size_t len = r->held_len, mark;
	enum charset c = charset_mark(slice_of(r->held, len), &mark);

	memcpy(held, r->held, sizeof(held));
	r->begun = true;
	r->held_len = 0;
	if (c != CHARSET_UNDECIDED)
		r->charset = c;
	return push_begun(r, piece, slice_of(held + mark, len - mark));
}

bool charset_push(struct charset_reader *r, char *piece, struct slice in)
{
	while (!r->begun && in.len) {
		static const char marks[][3] = { "\xef\xbb\xbf", "\xfe\xff", "\xff\xfe" };
		bool maybe = false;

		r->held[r->held_len++] = (uint8_t)in.at[0];
		in = slice_sub(in, 1, in.len);
		for (unsigned i = 0; i < 3; i++)
			maybe |= r->held_len < (i ? 2 : 3) &&
				 !memcmp(marks[i], r->held, r->held_len);
		if (!maybe && !begin(r, piece))
			return false;
	}
	return !in.len || push_begun(r, piece, in);
}

bool charset_end(struct charset_reader *r, char *piece)
{
	size_t len = 0;

	if (!r->begun && !begin(r, piece))
		return false;
	if (r->charset == CHARSET_UNDECIDED && r->held_len)
		return decide(r, piece);
	if (r->high)
		len += charset_put(REPLACEMENT, piece);
	if (r->held_len)
		len += charset_put(REPLACEMENT, piece + len);
	r->high = 0;
	r->held_len = 0;
	return !len || r->out(r->ctx, slice_of(piece, len));
}
