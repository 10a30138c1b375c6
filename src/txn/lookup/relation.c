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

enum relation relation_of(struct slice first, struct slice second)
{
	if (slice_eq(first, second))
		return RELATION_SAME;
	if (begins(first, second))
		return RELATION_STEM;
	if (begins(second, first))
		return RELATION_LONGER;
	return slice_eq(relation_label(first), relation_label(second)) ? RELATION_OTHER
								       : RELATION_NONE;
}
