/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suggest.c: "did you mean". The nearest key by edit distance, where near means at most a third of
 * its length; otherwise a key of another group that ends in the same word (`ports` → scope.ports).
 */
#include "agent/config/setting.h"

#include <stdio.h>

#define WORD 48

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein with one row; long words are no typing mistakes of ours. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[WORD + 1];
	size_t la = strlen(a);
	size_t lb = strlen(b);

	if (la > WORD || lb > WORD)
		return WORD;
	for (unsigned j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned up = row[j];

			row[j] = least(up + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = up;
		}
	}
	return row[lb];
}

static const char *last_word(const char *key)
{
	const char *dot = strrchr(key, '.');

	return dot ? dot + 1 : key;
}

const char *setting_suggest(const char *path)
{
	static char found[WORD * 2];
	unsigned best = (unsigned)strlen(path) / 3 + 1;
	unsigned depth = 0;

	for (const char *p = path; *p; p++)
		depth += *p == '.';
	found[0] = 0;
	for (uint32_t i = 0; i < setting_count; i++) {
		/* compare with the key cut at the same depth, so groups are suggested too */
		char cut[WORD * 2];
		unsigned dots = 0;
		size_t n = 0;

		for (const char *k = settings[i].key; *k && n + 1 < sizeof(cut); k++) {
			if (*k == '.' && dots++ == depth)
				break;
			cut[n++] = *k;
		}
		cut[n] = 0;
		if (distance(path, cut) < best) {
			best = distance(path, cut);
			snprintf(found, sizeof(found), "%s", cut);
		}
	}
	for (uint32_t i = 0; !found[0] && i < setting_count; i++)
		if (strcmp(last_word(settings[i].key), last_word(path)) == 0)
			snprintf(found, sizeof(found), "%s", settings[i].key);
	return found[0] ? found : NULL;
}
