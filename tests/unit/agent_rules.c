/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_rules.c: which files `rules` names, and what the bundle of them is; a bundle that came damaged.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/rule_files.h"

static char place[64];

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", place, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int begin(void **state)
{
	snprintf(place, sizeof(place), "/tmp/parcours-rules-%d", (int)getpid());
	return mkdir(place, 0700);
}

static int end(void **state)
{
	char command[3][128] = { 0 };

	snprintf(command[0], 128, "%s/a.yaml", place);
	snprintf(command[1], 128, "%s/b.yaml", place);
	snprintf(command[2], 128, "%s/other", place);
	for (unsigned i = 0; i < 3; i++)
		unlink(command[i]);
	return rmdir(place);
}

static int read_names(struct buf *bundle, const char *first, const char *second)
{
	const char *names[3];
	struct config c = { .rules = { .at = names } };
	char text[2][160];

	snprintf(text[0], sizeof(text[0]), first[0] == '/' ? "%s%s" : "%s/%s",
		 first[0] == '/' ? "" : place, first);
	snprintf(text[1], sizeof(text[1]), "%s/%s", place, second ? second : "");
	names[0] = text[0];
	names[1] = second ? text[1] : NULL;
	names[2] = NULL;
	c.rules.count = second ? 2 : 1;
	return rule_files_read(&c, bundle);
}

static void files_in_their_order(void **state)
{
	char want[512];
	struct buf b;
	int n;

	write_file("a.yaml", "one\n");
	write_file("b.yaml", "");
	write_file("other", "three");
	buf_init(&b, RULE_BUNDLE_BYTES);
	assert_int_equal(read_names(&b, "other", "*.yaml"), 0);
	n = snprintf(want, sizeof(want), "%s/other%c5%cthree%s/a.yaml%c4%cone\n%s/b.yaml%c0%c",
		     place, 0, 0, place, 0, 0, place, 0, 0);
	assert_int_equal(b.len, n);
	assert_memory_equal(b.at, want, b.len);
	/* read again, it is the same: no reload of rules that did not change */
	assert_int_equal(read_names(&b, "other", "*.yaml"), 0);
	assert_int_equal(b.len, n);
	assert_memory_equal(b.at, want, b.len);
	buf_done(&b);
}

static void what_is_not_there(void **state)
{
	struct buf b;

	buf_init(&b, RULE_BUNDLE_BYTES);
	assert_int_equal(read_names(&b, "none.yaml", NULL), -ENOENT);
	assert_int_equal(read_names(&b, "*.none", NULL), 0); /* a glob may match nothing */
	assert_int_equal(b.len, 0);
	assert_int_equal(read_names(&b, "/tmp", NULL), -EISDIR);
	assert_int_equal(read_names(&b, "/dev/null", NULL), -EINVAL);
	buf_done(&b);
}

static void too_large(void **state)
{
	char *text = malloc(RULES_TEXT_MAX + 2);
	struct buf b;

	memset(text, ' ', RULES_TEXT_MAX + 1);
	text[RULES_TEXT_MAX + 1] = 0;
	write_file("a.yaml", text);
	buf_init(&b, RULE_BUNDLE_BYTES);
	assert_int_equal(read_names(&b, "a.yaml", NULL), -EFBIG);
	buf_done(&b);
	free(text);
}

static void no_rules_are_none(void **state)
{
	struct rules *r = (struct rules *)state;

	assert_int_equal(rule_files_compile(slice_of("", 0), true, &r), 0);
	assert_null(r);
}

UNIT_MAIN(cmocka_unit_test_setup_teardown(files_in_their_order, begin, end),
	  cmocka_unit_test_setup_teardown(what_is_not_there, begin, end),
	  cmocka_unit_test_setup_teardown(too_large, begin, end), T(no_rules_are_none))
