/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h: one line of an event script, cut into words: the command, its options in any order
 * (word, key=value, @time) and the octets of its quoted strings, joined.
 */
#ifndef PC_TESTS_FLOW_WORDS_H
#define PC_TESTS_FLOW_WORDS_H

#include "base/buf.h"

#define WORDS_MAX   32
#define WORDS_BYTES (64 << 20)

struct words {
	struct slice at[WORDS_MAX];
	unsigned count;
	unsigned next;	      /* of the positional words */
	struct slice text[4]; /* of each quoted string; into octets */
	unsigned text_count;
	struct buf octets;
	const char *why; /* what is wrong; NULL: nothing yet */
};

void words_init(struct words *w);
void words_done(struct words *w);
/* false: w->why says what is wrong. */
bool words_cut(struct words *w, struct slice line);
struct slice words_next(struct words *w); /* next word without '=' and '@'; at == NULL: none */
bool words_has(struct words *w, const char *flag);
struct slice words_value(struct words *w, const char *key); /* at == NULL: not given */
uint64_t words_number(struct words *w, const char *key, uint64_t otherwise);
/* "15ms" and the like, in nanoseconds. */
uint64_t words_time(struct words *w, struct slice text);
/* The errno of "ECONNRESET", 0 when not given. */
int words_errno(struct words *w, const char *key);

#endif
