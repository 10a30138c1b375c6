/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_suggest.c: what was meant by a misspelt word.
 */
#include "unit.h"

#include "base/text/suggest.h"

static void distances(void **state)
{
	assert_int_equal(suggest_distance("", ""), 0);
	assert_int_equal(suggest_distance("", "abc"), 3);
	assert_int_equal(suggest_distance("abc", ""), 3);
	assert_int_equal(suggest_distance("from", "form"), 1);
	assert_int_equal(suggest_distance("path", "pat"), 1);
	assert_int_equal(suggest_distance("kitten", "sitting"), 3);
	assert_int_equal(suggest_distance("ab", "ba"), 1);
	assert_int_equal(
		suggest_distance("a", "a word that is longer than any of ours ever was or is"),
		SUGGEST_WORD);
}

static void nearest(void **state)
{
	static const char *const list[] = { "name", "when", "take", "say", NULL },
				 *none[] = { NULL };

	assert_string_equal(suggest_of("nmae", list), "name");
	assert_string_equal(suggest_of("wen", list), "when");
	assert_null(suggest_of("purpose", list));
	assert_null(suggest_of("", list));
	assert_null(suggest_of("name", none));
}

UNIT_MAIN(T(distances), T(nearest))
