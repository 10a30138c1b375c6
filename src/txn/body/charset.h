/* SPDX-License-Identifier: Apache-2.0 */
/*
 * charset.h: the charsets that shops speak → UTF-8, as a stream (WHATWG Encoding Standard: ISO-8859-1 and
 * ASCII are windows-1252, a byte order mark is worth more than any label). UTF-8 goes through as it is: what
 * is none in it is replaced where a value is taken (utf8_add_clean), so nothing is copied.
 */
#ifndef PC_TXN_BODY_CHARSET_H
#define PC_TXN_BODY_CHARSET_H

#include "base/buf.h"

#define CHARSET_PIECE 8192 /* octets of a converted piece, at most */

enum charset {
	/* By its first octet beyond ASCII: UTF-8 where a whole sequence stands there, else windows-1252. */
	CHARSET_UNDECIDED,
	CHARSET_UTF8,
	CHARSET_1252,
	CHARSET_8859_15,
	CHARSET_UTF16LE,
	CHARSET_UTF16BE,
	CHARSET_UNKNOWN, /* of a name that is none of these */
};

struct charset_reader {
	enum charset charset;
	bool begun; /* the place of a byte order mark is passed */
	uint8_t held[4], held_len;
	uint16_t high; /* surrogate that waits for its other half; 0: none */
	bool (*out)(void *ctx, struct slice piece); /* false: no more is wanted */
	void *ctx;
};

/* By label, ASCII case folded; CHARSET_UNKNOWN. */
enum charset charset_named(struct slice label);
/* The charset of the byte order mark in front, and its octets; CHARSET_UNDECIDED, 0: there is none. */
enum charset charset_mark(struct slice text, size_t *ret_len);
/* Whether octets below 0x80 are ASCII wherever they stand. */
bool charset_is_plain(enum charset c);
/* One octet beyond ASCII of CHARSET_1252 or CHARSET_8859_15. */
uint32_t charset_code(enum charset c, uint8_t octet);
/* UTF-8 of a code point, 1 to 4 octets; surrogates and what is beyond U+10FFFF: U+FFFD. */
size_t charset_put(uint32_t code, char ret[4]);

/* The text itself where it is UTF-8, else a copy in `room`, which must be able to hold three times as much,
 * with U+FFFD for what is none. Of a text that is cut, what is left of its last character is taken off. */
struct slice charset_clean(struct buf *room, struct slice text, bool cut);

void charset_begin(struct charset_reader *r, enum charset c,
		   bool (*out)(void *ctx, struct slice piece), void *ctx);
/* `piece`: CHARSET_PIECE octets to make pieces in. False: out said so, push no more. */
bool charset_push(struct charset_reader *r, char *piece, struct slice in);
/* What was held back for its other octets; what is half is U+FFFD. */
bool charset_end(struct charset_reader *r, char *piece);

#endif
