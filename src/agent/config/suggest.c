/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suggest.c: "did you mean". The nearest key by edit distance, where near means at most a third of
 * its length; otherwise a key of another group that ends in the same word (`ports` → scope.ports).
 */
#include "agent/config/setting.h"

#include <stdio.h>

#include "base/text/suggest.h"

static const char *last_word(const char *key)
{
	const char *dot = strrchr(key, '.');

	return dot ? dot + 1 : key;
}

const char *setting_suggest(const char *path)
{
	static char found[SUGGEST_WORD * 2];
	unsigned best = suggest_limit(path);
	unsigned depth = 0;

	for (const char *p = path; *p; p++)
		depth += *p == '.';
	found[0] = 0;
	for (uint32_t i = 0; i < setting_count; i++) {
		/* compare with the key cut at the same depth, so groups are suggested too */
		char cut[SUGGEST_WORD * 2];
		unsigned dots = 0;
		size_t n = 0;

		for (const char *k = settings[i].key; *k && n + 1 < sizeof(cut); k++) {
			if (*k == '.' && dots++ == depth)
				break;
			cut[n++] = *k;
		}
		cut[n] = 0;
		if (suggest_distance(path, cut) < best) {
			best = suggest_distance(path, cut);
			snprintf(found, sizeof(found), "%s", cut);
		}
	}
	for (uint32_t i = 0; !found[0] && i < setting_count; i++)
		if (strcmp(last_word(settings[i].key), last_word(path)) == 0)
			snprintf(found, sizeof(found), "%s", settings[i].key);
	return found[0] ? found : NULL;
}
