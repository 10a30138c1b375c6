/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relation.c: see relation.h. A resolver appends whole labels, so one name begins with all labels of the other.
 * What begins with the same label only may be "db" with two endings, or two hosts: the caller looks at when they
 * were asked for.
 */
#include "txn/lookup/relation.h"

struct slice relation_label(struct slice name)
{
	long dot = slice_find(name, '.');

	return dot < 0 ? name : slice_sub(name, 0, (size_t)dot);
}

static bool begins(struct slice longer, struct slice stem)
{
	return longer.len > stem.len && longer.at[stem.len] == '.' && slice_starts(longer, stem);
}

/* Whole labels from the first one on that both have. */
static unsigned shared(struct slice a, struct slice b)
{
	unsigned labels = 0;

	for (size_t i = 0; i < a.len && i < b.len && a.at[i] == b.at[i]; i++)
		labels += a.at[i] == '.';
	return labels;
}

enum relation relation_of(struct slice first, struct slice second)
{
	if (slice_eq(first, second))
		return RELATION_SAME;
	if (begins(first, second))
		return RELATION_STEM;
	if (begins(second, first))
		return RELATION_LONGER;
	switch (shared(first, second)) {
	case 0:
		return RELATION_NONE;
	case 1:
		return RELATION_OTHER;
	}
	return RELATION_CLOSE;
}
