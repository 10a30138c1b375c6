/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suggest.c: see suggest.h. Near means at most a third of the word's length.
 */
#include "base/text/suggest.h"

#include <stddef.h>
#include <string.h>

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* By rows (optimal string alignment): this one, the one before, and the one before that for letters that
 * changed places. */
unsigned suggest_distance(const char *a, const char *b)
{
	unsigned rows[3][SUGGEST_WORD + 1];
	size_t la = strlen(a);
	size_t lb = strlen(b);

	if (la > SUGGEST_WORD || lb > SUGGEST_WORD)
		return SUGGEST_WORD;
	for (unsigned j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			row[j] = least(before[j] + 1, row[j - 1] + 1,
				       before[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    earlier[j - 2] + 1 < row[j])
				row[j] = earlier[j - 2] + 1;
		}
	}
	return rows[la % 3][lb];
}

unsigned suggest_limit(const char *word)
{
	return (unsigned)strlen(word) / 3 + 1;
}

const char *suggest_of(const char *word, const char *const *list)
{
	unsigned best = suggest_limit(word);
	const char *found = NULL;

	for (; *list; list++) {
		unsigned d = suggest_distance(word, *list);

		if (d >= best)
			continue;
		best = d;
		found = *list;
	}
	return found;
}
