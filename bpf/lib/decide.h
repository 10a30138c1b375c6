/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * decide.h: collects the facts for scope.h: what the maps say of the process, the ports, the cgroup.
 * Both families. Runs for every socket call of an unwatched process, so the order is by price.
 */
#ifndef PC_BPF_DECIDE_H
#define PC_BPF_DECIDE_H

#include "kernel.h"
#include "maps.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#include "lib/scope.h"

static __always_inline const struct pc_control *pc_controls(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pc_control, &zero);
}

static __always_inline __u64 *pc_proc_slot(__u32 tgid)
{
	__u32 word = pc_proc_word(tgid);

	return bpf_map_lookup_elem(&pc_procs, &word);
}

static __always_inline __u32 pc_proc_state(__u32 tgid)
{
	__u64 *word = pc_proc_slot(tgid);

	return word ? pc_proc_get(*word, tgid) : PC_SCOPE_NO;
}

/* Others change their own bits of the same word at the same time, so bits are set and cleared
 * atomically; between the two steps a process is briefly in the union of both states. */
static __always_inline void pc_proc_set(__u32 tgid, __u32 state)
{
	__u64 *word = pc_proc_slot(tgid);

	if (!word)
		return;
	__sync_fetch_and_or(word, (__u64)(state & 3) << pc_proc_shift(tgid));
	__sync_fetch_and_and(word, ~((__u64)(~state & 3) << pc_proc_shift(tgid)));
}

static __always_inline bool pc_port_listed(__u16 port)
{
	__u32 word = port / 64;
	__u64 *bits = bpf_map_lookup_elem(&pc_ports, &word);

	return bits && (*bits >> (port % 64)) & 1;
}

/* The current task is in or below one of the listed cgroups. */
static __always_inline bool pc_cgroup_listed(const struct pc_control *c)
{
	for (int i = 0; i < PC_CGROUPS; i++) {
		if (i >= c->cgroups)
			break;
		if (bpf_get_current_ancestor_cgroup_id(c->cgroup_level[i]) == c->cgroup_id[i])
			return true;
	}
	return false;
}

/* Another task (the scan): walk up from its cgroup. Deeper than 16 levels is not looked at. */
static __always_inline bool pc_cgroup_of_task_listed(const struct pc_control *c,
						     struct task_struct *task)
{
	struct cgroup *g = BPF_CORE_READ(task, cgroups, dfl_cgrp);

	for (int up = 0; up < 16; up++) {
		__u64 id = BPF_CORE_READ(g, kn, id);

		for (int i = 0; i < PC_CGROUPS; i++)
			if (i < c->cgroups && id == c->cgroup_id[i])
				return true;
		g = BPF_CORE_READ(g, self.parent, cgroup);
		if (!g)
			break;
	}
	return false;
}

/* What costs least to know: the process and the ports. False: not ours, whatever the cgroup. */
static __always_inline bool pc_decide_cheap(const struct pc_control *c, __u32 tgid, __u32 flags,
					    __u16 sport, __u16 dport, __u32 *ret_process)
{
	__u32 process = PC_SCOPE_YES;

	if (c->scope_kinds & (PC_SCOPE_BY_PROCESS | PC_SCOPE_BY_LISTENER)) {
		process = pc_proc_state(tgid);
		if (process == PC_SCOPE_NO && !pc_use_serves(c->scope_kinds, flags))
			return false;
	}
	if ((c->scope_kinds & PC_SCOPE_BY_PORT) &&
	    !pc_port_matches(flags, pc_port_listed(sport), pc_port_listed(dport)))
		return false;
	if (tgid == c->warden_tgid || tgid == c->brain_tgid)
		return false;
	*ret_process = process;
	return true;
}

/* For a socket that the current process uses. `sport` local, `dport` remote, host order, 0 = none;
 * flags: what is known of the role. */
static __always_inline __u32 pc_decide_current(const struct pc_control *c, __u32 tgid, __u32 flags,
					       __u16 sport, __u16 dport)
{
	bool cgroup = true;
	__u32 process;

	if (!pc_decide_cheap(c, tgid, flags, sport, dport, &process))
		return PC_SCOPE_NO;
	if (process == PC_SCOPE_NO) { /* it serves: from now on what it calls is ours too */
		process = PC_SERVES;
		pc_proc_set(tgid, PC_SERVES);
	}
	if (c->scope_kinds & PC_SCOPE_BY_CGROUP)
		cgroup = pc_cgroup_listed(c);
	return pc_decide(c->scope_kinds, process, true, cgroup);
}

/* The same for a socket that another task holds (the scan). */
static __always_inline __u32 pc_decide_task(const struct pc_control *c, struct task_struct *task,
					    __u32 tgid, __u32 flags, __u16 sport, __u16 dport)
{
	bool cgroup = true;
	__u32 process;

	if (!pc_decide_cheap(c, tgid, flags, sport, dport, &process))
		return PC_SCOPE_NO;
	if (c->scope_kinds & PC_SCOPE_BY_CGROUP)
		cgroup = pc_cgroup_of_task_listed(c, task);
	return pc_decide(c->scope_kinds, process, true, cgroup);
}

#endif
