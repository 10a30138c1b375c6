/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suggest.h: "did you mean": how far a misspelt word is from those that exist. For messages of the
 * configuration only; not quick.
 */
#ifndef PC_BASE_TEXT_SUGGEST_H
#define PC_BASE_TEXT_SUGGEST_H

#define SUGGEST_WORD 48 /* longer words are no typing mistakes of ours */

/* Letters to add, take away, change or swap with their neighbour; SUGGEST_WORD where one of them is longer. */
unsigned suggest_distance(const char *a, const char *b);
/* Of a word so long: what is as far away or farther was not meant. */
unsigned suggest_limit(const char *word);
/* The nearest of a list that ends with NULL; NULL: none is near. */
const char *suggest_of(const char *word, const char *const *list);

#endif
