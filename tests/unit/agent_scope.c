/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_scope.c: when does a reload leave the scope alone? Only when the very same processes and
 * connections are named.
 */
#include "unit.h"

#include "agent/config/config.h"
#include "agent/warden/scope.h"

static struct config *loaded(const char *text)
{
	struct config_sources from = { .file = "test.yaml", .text = slice_str(text) };
	struct problems p = { 0 };
	struct config *c = NULL;

	assert_int_equal(config_load(&from, &p, &c), 0);
	return c;
}

static bool same(const char *was, const char *is)
{
	struct config *a = loaded(was), *b = loaded(is);
	bool ret = scope_is_same(a, b);

	assert_int_equal(ret, scope_is_same(b, a));
	config_free(a);
	config_free(b);
	return ret;
}

static void whole(void **state)
{
	const char *all = "scope: {pids: [7, 8], ports: [80], executables: [nginx]}\n";

	assert_true(same("", ""));
	assert_true(same(all, all));
	assert_true(same(all, "log_level: debug\n"
			      "scope: {executables: [nginx], ports: [80], pids: [7, 8]}\n"));
	assert_false(same(all, ""));
	assert_false(same(all, "scope: {pids: [7, 9], ports: [80], executables: [nginx]}\n"));
	assert_false(same(all, "scope: {pids: [7], ports: [80], executables: [nginx]}\n"));
	assert_false(same(all, "scope: {pids: [7, 8], ports: [81], executables: [nginx]}\n"));
	assert_false(same(all, "scope: {pids: [7, 8], ports: [80], executables: [node]}\n"));
	assert_false(same(all, "scope: {pids: [7, 8], executables: [nginx]}\n"));
}

/* A path may name another cgroup than it did at the start. */
static void cgroups(void **state)
{
	const char *text = "scope: {cgroups: [/shop.slice]}\n";

	assert_false(same(text, text));
	assert_false(same(text, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(cgroups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
