/* SPDX-License-Identifier: Apache-2.0 */
/*
 * txn_process.c: fork, exec, exit, the warden's answers, numbers used again, and the bound.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "txn/process.h"

static struct process_table *table;

static void start(uint32_t processes)
{
	struct process_limits l = { .processes = processes, .keep_ns = 1000 };

	assert_int_equal(process_table_new(&l, &table), 0);
}

static void tell(uint16_t kind, uint32_t tgid, uint32_t parent, uint64_t start_ns, const char *file,
		 uint64_t now)
{
	struct pc_process r = { .head = { .kind = kind, .size = sizeof(r), .time_ns = now },
				.tgid = tgid,
				.parent = parent,
				.start_ns = start_ns };

	snprintf(r.file, sizeof(r.file), "%s", file);
	snprintf(r.comm, sizeof(r.comm), "c%u", tgid);
	process_table_push(table, &r.head);
}

static void who(uint32_t tgid, uint64_t start_ns, const char *exe, const char *service)
{
	struct pc_who r = { .head = { .kind = PC_WHO, .size = sizeof(r) },
			    .tgid = tgid,
			    .start_ns = start_ns };

	snprintf(r.exe, sizeof(r.exe), "%s", exe);
	snprintf(r.service, sizeof(r.service), "%s", service);
	process_table_push(table, &r.head);
}

static void exec_then_who(void **state)
{
	struct process *p;

	start(10);
	assert_null(process_find(table, 5));
	tell(PC_EXEC, 5, 1, 77, "./server", 0);
	p = process_find(table, 5);
	assert_string_equal(p->exe, "./server");
	assert_string_equal(p->comm, "c5");
	assert_false(p->who);
	p->asked = true;
	who(5, 77, "/srv/server", "shop");
	p = process_find(table, 5);
	assert_true(p->who && p->asked);
	assert_string_equal(p->exe, "/srv/server");
	assert_string_equal(p->service, "shop");
	assert_string_equal(p->comm, "c5"); /* the answer had none */
	/* Another program in the same process: to be asked for anew. */
	tell(PC_EXEC, 5, 0, 77, "/bin/other", 0);
	p = process_find(table, 5);
	assert_false(p->who || p->asked);
	assert_string_equal(p->exe, "/bin/other");
	assert_string_equal(p->service, "");
	assert_int_equal(p->parent, 1);
	process_table_free(table);
	process_table_free(NULL);
}

static void children_inherit(void **state)
{
	struct process *p;

	start(10);
	tell(PC_EXEC, 5, 1, 77, "/srv/master", 0);
	tell(PC_FORK, 6, 5, 78, "", 0);
	assert_string_equal(process_find(table, 6)->exe, "/srv/master");
	who(5, 77, "/srv/master", "shop"); /* the answer comes after the fork */
	p = process_find(table, 6);
	assert_string_equal(p->service, "shop");
	assert_true(p->who);
	tell(PC_FORK, 7, 6, 79, "", 0); /* a grandchild */
	assert_string_equal(process_find(table, 7)->service, "shop");
	process_table_free(table);
}

static void not_from_a_parent_that_changed(void **state)
{
	start(10);
	tell(PC_EXEC, 5, 1, 77, "/srv/first", 0);
	tell(PC_FORK, 6, 5, 78, "", 0);
	tell(PC_EXEC, 5, 1, 77, "/srv/second", 0);
	who(5, 77, "/srv/second", "second");
	assert_string_equal(process_find(table, 6)->exe, "/srv/first");
	assert_string_equal(process_find(table, 6)->service, "");
	process_table_free(table);
}

static void kept_for_a_while_after_exit(void **state)
{
	start(10);
	tell(PC_EXEC, 5, 1, 77, "/bin/short", 0);
	tell(PC_EXIT, 5, 0, 76, "", 50); /* of another with that number */
	assert_false(process_find(table, 5)->gone);
	tell(PC_EXIT, 5, 0, 77, "", 100);
	process_table_tick(table, 1099);
	assert_true(process_find(table, 5)->gone);
	process_table_tick(table, 1100);
	assert_null(process_find(table, 5));
	process_table_free(table);
}

static void number_used_again(void **state)
{
	start(10);
	tell(PC_EXEC, 5, 1, 77, "/bin/old", 0);
	who(5, 77, "/bin/old", "old");
	tell(PC_EXIT, 5, 0, 77, "", 100);
	tell(PC_FORK, 5, 9, 500, "", 200);
	who(5, 77, "/bin/old", "old"); /* too late */
	process_table_tick(table, 5000);
	assert_non_null(process_find(table, 5));
	assert_string_equal(process_find(table, 5)->exe, "");
	assert_string_equal(process_find(table, 5)->service, "");
	process_table_free(table);
}

static void bounded_the_dead_go_first(void **state)
{
	start(3);
	for (uint32_t i = 1; i <= 3; i++)
		tell(PC_EXEC, i, 0, i, "/bin/x", 0);
	tell(PC_EXIT, 2, 0, 2, "", 10);
	tell(PC_EXEC, 4, 0, 4, "/bin/x", 0);
	assert_null(process_find(table, 2));
	assert_non_null(process_find(table, 1)); /* now used more lately than 3 */
	tell(PC_EXEC, 5, 0, 5, "/bin/x", 0);
	assert_null(process_find(table, 3));
	assert_non_null(process_find(table, 1));
	assert_non_null(process_find(table, 4));
	process_table_free(table);
}

/* From a file: no NUL where one should be. */
static void unterminated_text(void **state)
{
	struct pc_who r = { .head = { .kind = PC_WHO, .size = sizeof(r) }, .tgid = 5 };

	start(3);
	memset(r.exe, 'x', sizeof(r.exe));
	memset(r.comm, 'y', sizeof(r.comm));
	memset(r.container, 'z', sizeof(r.container));
	process_table_push(table, &r.head);
	assert_int_equal(strlen(process_find(table, 5)->exe), PC_PATH);
	assert_int_equal(strlen(process_find(table, 5)->comm), PC_COMM);
	assert_int_equal(strlen(process_find(table, 5)->container), 72);
	process_table_free(table);
}

UNIT_MAIN(T(exec_then_who), T(children_inherit), T(not_from_a_parent_that_changed),
	  T(kept_for_a_while_after_exit), T(number_used_again), T(bounded_the_dead_go_first),
	  T(unterminated_text))
