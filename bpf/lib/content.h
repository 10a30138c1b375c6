/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * content.h: where does the content end that a long call begins to carry? Pure, tested on the host.
 *
 * The brain says which bytes it does not want (directives), but on a host whose processors are all
 * taken it says so milliseconds after the head was moved, and by then a body of a megabyte has been
 * copied: most of what fills a ring. So the kernel side reads one thing of HTTP itself, only in calls
 * of at least PC_PIECE bytes that begin like a message with content: the Content-Length of a head that
 * leaves no doubt. What lies before the end of that content is not copied.
 *
 * It decides about copying, never about meaning: the brain parses the head itself. What is unusual (a
 * transfer coding, two lengths, folding, a bare line end, a status without content, a head beyond the
 * first piece) is left to the brain and its directives. If a length is not what it says, bytes that
 * mattered are absent by name and the brain says so; and as soon as the other direction moves bytes
 * the length is forgotten, so that nobody can hide what follows behind a length made up.
 *
 * Where somebody wants contents (pc_control.contents), the kernel cannot know whose: a server answers
 * sooner than the brain can speak of the request. So then nothing is left out but of a message that the
 * brain named (PC_BUDGET_LEAVE), and calls are copied up to four times their budget: a page of 256 KiB
 * that is written by one call is whole before anything was said of it.
 */
#ifndef PC_BPF_CONTENT_H
#define PC_BPF_CONTENT_H

#include "state.h"

#define PC_CONTENT 64 /* bytes of it that are captured behind the head */

/* pc_sock.keep: PC_CONTENTS_* of which nothing is left out, or: the brain wants what moves. */
#define PC_KEEP_WANTED (PC_CONTENTS_REQUESTS | PC_CONTENTS_RESPONSES | 0x4)

#define PC_KEEP_SHIFT 2 /* of the budget */

/* `flags`: of the brain's budget for this connection and direction, with `until`; 0 = it has not spoken. */
static inline __u32 pc_keep(__u32 flags, __u64 until, __u64 start, __u32 contents)
{
	if (flags & PC_BUDGET_CONTENT)
		return PC_KEEP_WANTED;
	return (flags & PC_BUDGET_LEAVE) && until == start ? 0 : contents;
}

enum pc_head_state {
	PC_HEAD_MORE,
	PC_HEAD_END,	 /* content of `length` bytes follows */
	PC_HEAD_UNKNOWN, /* nothing is known of what follows */
};

#define PC_LENGTH_NAME	 15
#define PC_CODING_NAME	 18
#define PC_LENGTH_DIGITS 15

/* A head being read, byte by byte; zero at its start. */
struct pc_content {
	__u64 length;
	__u32 size;			/* of the head, so far */
	__u32 line, lines;		/* bytes of this line; lines before it */
	__u32 length_name, coding_name; /* so much of this line is that name */
	__u32 digits, blank;		/* of the value; a blank followed them */
	__u32 status;
	__u32 cr, known;
	__u32 state; /* enum pc_head_state */
};

static const char pc_length_name[33] = "content-length:";
static const char pc_coding_name[33] = "transfer-encoding:";

static inline __u32 pc_content_line_end(struct pc_content *k)
{
	if (!k->cr)
		return PC_HEAD_UNKNOWN;
	if (k->line == 0)
		return k->known ? PC_HEAD_END : PC_HEAD_UNKNOWN;
	if (k->length_name == PC_LENGTH_NAME) {
		if (!k->digits)
			return PC_HEAD_UNKNOWN;
		k->known = 1;
	}
	k->cr = k->line = k->length_name = k->coding_name = 0;
	k->lines++;
	return PC_HEAD_MORE;
}

static inline __u32 pc_content_value(struct pc_content *k, __u8 c)
{
	if (c == ' ' || c == '\t') {
		k->blank = k->digits;
		return PC_HEAD_MORE;
	}
	if (c < '0' || c > '9' || k->blank || ++k->digits > PC_LENGTH_DIGITS)
		return PC_HEAD_UNKNOWN;
	k->length = k->length * 10 + (c - '0');
	return PC_HEAD_MORE;
}

static inline __u32 pc_content_name(struct pc_content *k, __u8 c)
{
	__u32 at = k->line & 31;
	__u8 lower = c | 0x20;

	if (k->line == 0 && (c == ' ' || c == '\t'))
		return PC_HEAD_UNKNOWN;
	if (k->coding_name == k->line && lower == pc_coding_name[at] &&
	    ++k->coding_name == PC_CODING_NAME)
		return PC_HEAD_UNKNOWN;
	if (k->length_name == k->line && lower == pc_length_name[at] &&
	    ++k->length_name == PC_LENGTH_NAME && k->known)
		return PC_HEAD_UNKNOWN;
	return PC_HEAD_MORE;
}

/* The next byte of the head; the result stands in k->state. */
static inline void pc_content_byte(struct pc_content *k, __u8 c)
{
	__u32 state = PC_HEAD_MORE;

	k->size++;
	if (c == '\n') {
		k->state = pc_content_line_end(k);
		return;
	}
	if (k->cr) {
		k->state = PC_HEAD_UNKNOWN;
		return;
	}
	if (c == '\r') {
		k->cr = 1;
		return;
	}
	if (k->lines == 0) {
		if (k->line >= 9 && k->line < 12) /* HTTP/1.1 200 */
			k->status = k->status * 10 + (c - '0');
	} else if (k->length_name == PC_LENGTH_NAME) {
		state = pc_content_value(k, c);
	} else {
		state = pc_content_name(k, c);
	}
	k->line++;
	k->state = state;
}

/* Do these eight bytes begin a message that may have content? */
static inline bool pc_content_begins(const __u8 *b, bool *ret_response)
{
	*ret_response = b[0] == 'H' && b[1] == 'T' && b[2] == 'T' && b[3] == 'P' && b[4] == '/' &&
			b[5] == '1' && b[6] == '.';
	return *ret_response || (b[0] == 'P' && ((b[1] == 'O' && b[2] == 'S' && b[3] == 'T') ||
						 (b[1] == 'U' && b[2] == 'T' && b[3] == ' ') ||
						 (b[1] == 'A' && b[2] == 'T' && b[3] == 'C')));
}

/* Do these four bytes begin a message, with content or without? Asked where a ring fills (copy.h): a rare method
 * is then told without its bytes. */
static inline bool pc_message_begins(const __u8 *b)
{
	__u32 four = (__u32)b[0] << 24 | (__u32)b[1] << 16 | (__u32)b[2] << 8 | b[3];

	switch (four) {
	case 0x48545450: /* HTTP */
	case 0x47455420: /* GET */
	case 0x48454144: /* HEAD */
	case 0x504f5354: /* POST */
	case 0x50555420: /* PUT */
	case 0x50415443: /* PATC */
	case 0x44454c45: /* DELE */
	case 0x4f505449: /* OPTI */
		return true;
	}
	return false;
}

/* A response to HEAD has the length and not the content: then the next message stands there. */
static inline bool pc_content_follows(const struct pc_content *k, bool response, const __u8 *b)
{
	if (k->state != PC_HEAD_END)
		return false;
	if (!response)
		return true;
	return k->status >= 200 && k->status != 204 && k->status != 304 &&
	       !(b[0] == 'H' && b[1] == 'T' && b[2] == 'T' && b[3] == 'P');
}

#endif
