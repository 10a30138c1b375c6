/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope.c: see scope.h. The warden's only thread writes, programs of the kernel read (and change the
 * bits of processes) meanwhile.
 */
#include "capture/scope.h"

#define LOW_BITS 0x5555555555555555ull /* of each process' two */

static bool is_named(const struct capture_scope *scope, uint64_t id)
{
	for (uint32_t i = 0; i < scope->cgroup_count; i++)
		if (scope->cgroup_ids[i] == id)
			return true;
	return false;
}

static bool is_listed(const struct pc_control *c, uint64_t id)
{
	for (uint32_t i = 0; i < c->cgroups; i++)
		if (c->cgroup_id[i] == id)
			return true;
	return false;
}

/* Id and level are two words: without an id the entry matches nobody. */
static void put(struct pc_control *c, uint32_t at, uint64_t id, uint32_t level)
{
	__atomic_store_n(&c->cgroup_id[at], 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&c->cgroup_level[at], level, __ATOMIC_SEQ_CST);
	__atomic_store_n(&c->cgroup_id[at], id, __ATOMIC_SEQ_CST);
}

void scope_cgroups_add(struct pc_control *c, const struct capture_scope *scope)
{
	for (uint32_t i = 0; i < scope->cgroup_count; i++) {
		uint64_t id = scope->cgroup_ids[i];
		uint32_t at = c->cgroups;

		if (is_listed(c, id))
			continue;
		if (at == PC_CGROUPS)
			for (at = 0; is_named(scope, c->cgroup_id[at]);)
				at++; /* ends: the new ones are at most as many as there is room */
		put(c, at, id, scope->cgroup_levels[i]);
		if (at == c->cgroups)
			__atomic_store_n(&c->cgroups, at + 1, __ATOMIC_SEQ_CST);
	}
}

void scope_cgroups_keep(struct pc_control *c, const struct capture_scope *scope)
{
	for (uint32_t i = 0; i < c->cgroups;) {
		uint32_t last = c->cgroups - 1;

		if (is_named(scope, c->cgroup_id[i])) {
			i++;
			continue;
		}
		if (i != last)
			put(c, i, c->cgroup_id[last], c->cgroup_level[last]);
		__atomic_store_n(&c->cgroups, last, __ATOMIC_SEQ_CST);
	}
}

void scope_procs_age(uint64_t *procs, uint32_t words)
{
	for (uint32_t i = 0; i < words; i++) {
		uint64_t was = __atomic_load_n(&procs[i], __ATOMIC_SEQ_CST);
		uint64_t watched = (was | was >> 1) & LOW_BITS;

		if (!was)
			continue;
		__atomic_or_fetch(&procs[i], watched, __ATOMIC_SEQ_CST);
		__atomic_and_fetch(&procs[i], ~(watched << 1), __ATOMIC_SEQ_CST);
	}
}

void scope_procs_sweep(uint64_t *procs, uint32_t words)
{
	for (uint32_t i = 0; i < words; i++) {
		uint64_t was = __atomic_load_n(&procs[i], __ATOMIC_SEQ_CST);

		while (was && !__atomic_compare_exchange_n(&procs[i], &was,
							   was & ((was >> 1 & LOW_BITS) * 3), false,
							   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
	}
}
