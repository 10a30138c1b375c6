/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture_scope.c: the scope changes under a kernel that goes on deciding: after each single store what
 * is in the old scope and in the new one must be found.
 */
#include "unit.h"

#include "capture/scope.h"

static struct capture_scope scope_of(const uint64_t *ids, uint32_t count)
{
	static const uint32_t levels[PC_CGROUPS] = { 1, 1, 1, 1, 1, 1, 1, 1 };

	return (struct capture_scope){ .cgroup_ids = ids,
				       .cgroup_levels = levels,
				       .cgroup_count = count };
}

static bool listed(const struct pc_control *c, uint64_t id)
{
	for (uint32_t i = 0; i < c->cgroups; i++)
		if (c->cgroup_id[i] == id && c->cgroup_level[i] == 1)
			return true;
	return false;
}

static void change(struct pc_control *c, const uint64_t *to, uint32_t count)
{
	struct capture_scope scope = scope_of(to, count);
	struct pc_control was = *c;

	scope_cgroups_add(c, &scope);
	for (uint32_t i = 0; i < count; i++)
		assert_true(listed(c, to[i]));
	if (was.cgroups + count <= PC_CGROUPS) /* room for both */
		for (uint32_t i = 0; i < was.cgroups; i++)
			assert_true(listed(c, was.cgroup_id[i]));
	scope_cgroups_keep(c, &scope);
	for (uint32_t i = 0; i < count; i++)
		assert_true(listed(c, to[i]));
	assert_int_equal(c->cgroups, count);
}

static void cgroups(void **state)
{
	const uint64_t one[] = { 11, 12, 13 }, two[] = { 13, 14 };
	const uint64_t full[] = { 1, 2, 3, 4, 5, 6, 7, 8 },
		       other[] = { 9, 8, 10, 1, 11, 12, 13, 14 };
	struct pc_control c = { 0 };

	change(&c, one, 3);
	change(&c, two, 2);
	change(&c, one, 3);
	change(&c, full, 8);
	change(&c, other, 8);
	change(&c, two, 2);
	scope_cgroups_add(&c, &(struct capture_scope){ 0 });
	assert_int_equal(c.cgroups, 2); /* they count until the kinds say otherwise */
	change(&c, NULL, 0);
}

static void set(uint64_t *procs, unsigned pid, uint64_t state)
{
	procs[pid / 32] |= state << (pid % 32 * 2);
}

static unsigned get(const uint64_t *procs, unsigned pid)
{
	return (unsigned)(procs[pid / 32] >> (pid % 32 * 2)) & 3;
}

/* By name → who serves: watched all the time if both, not at all in the end if only named. */
static void processes(void **state)
{
	uint64_t procs[2] = { 0 };

	set(procs, 0, PC_SCOPE_YES);
	set(procs, 1, PC_SCOPE_PINNED);
	set(procs, 31, PC_SCOPE_UNKNOWN);
	set(procs, 32, PC_SCOPE_PINNED);
	set(procs, 63, PC_SCOPE_YES);
	scope_procs_age(procs, 2);
	for (unsigned pid = 0; pid < 64; pid++)
		assert_int_equal(get(procs, pid),
				 pid == 0 || pid == 1 || pid == 31 || pid == 32 || pid == 63
					 ? PC_SCOPE_YES
					 : PC_SCOPE_NO);
	set(procs, 1, PC_SCOPE_PINNED); /* the scan finds listeners of these */
	set(procs, 40, PC_SCOPE_PINNED);
	set(procs, 63, PC_SCOPE_PINNED);
	scope_procs_sweep(procs, 2);
	for (unsigned pid = 0; pid < 64; pid++)
		assert_int_equal(get(procs, pid), pid == 1 || pid == 40 || pid == 63
							  ? PC_SCOPE_PINNED
							  : PC_SCOPE_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cgroups),
		cmocka_unit_test(processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
