/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * process.h: life of processes, the same for both families: fork copies the scope state, exec may ask
 * for it anew or drop it, exit clears it. Told to the brain for processes that are (or may be) ours only.
 */
#ifndef PC_BPF_PROCESS_H
#define PC_BPF_PROCESS_H

#include "lib/decide.h"
#include "lib/emit.h"
#include "lib/holds.h"

static __always_inline void pc_tell_process(struct task_struct *task, __u32 kind, __u32 state,
					    __u32 parent, const char *file)
{
	struct pc_process p = {};
	__u32 size = sizeof(p);

	pc_head_set(&p.head, kind, state == PC_SCOPE_UNKNOWN ? PC_F_PROVISIONAL : 0, size,
		    bpf_ktime_get_ns());
	p.start_ns = task->start_boottime;
	p.cgroup = bpf_get_current_cgroup_id();
	p.tgid = task->tgid;
	p.parent = parent;
	p.exit_code = kind == PC_EXIT ? task->exit_code : 0;
	p.uid = (__u32)bpf_get_current_uid_gid();
	BPF_CORE_READ_STR_INTO(&p.comm, task, comm);
	if (file)
		bpf_probe_read_kernel_str(p.file, sizeof(p.file), file);
	pc_emit_control(&p, size, kind);
}

/* Where ports or cgroups alone decide, any process (of the cgroup) may be ours at its next connection,
 * and one that lives milliseconds is gone before the warden can look: its name is told here. */
static __always_inline bool pc_may_be_ours(const struct pc_control *c, __u32 state)
{
	if (c->scope_kinds & (PC_SCOPE_BY_PROCESS | PC_SCOPE_BY_LISTENER))
		return state != PC_SCOPE_NO;
	if (c->scope_kinds & PC_SCOPE_BY_CGROUP)
		return pc_cgroup_listed(c);
	return true;
}

static __always_inline void pc_on_fork(struct task_struct *parent, struct task_struct *child)
{
	const struct pc_control *c = pc_controls();
	__u32 state;

	if (!c || parent->tgid == child->tgid)
		return; /* a thread */
	state = pc_proc_state(parent->tgid);
	pc_proc_set(child->tgid, state);
	if (pc_may_be_ours(c, state))
		pc_tell_process(child, PC_FORK, state, parent->tgid, NULL);
}

static __always_inline void pc_on_exec(struct task_struct *task, struct linux_binprm *bprm)
{
	const struct pc_control *c = pc_controls();
	__u32 before, after;
	bool serves;

	if (!c)
		return;
	before = pc_proc_state(task->tgid);
	/* whatever it was: a listener may have been handed to one that was not ours */
	serves = (c->scope_kinds & PC_SCOPE_BY_LISTENER) && pc_holds_server();
	after = pc_proc_after_exec(before, c->scope_kinds, serves);
	if (after != before)
		pc_proc_set(task->tgid, after);
	/* one that is dropped may take it up again by an accepted connection, and be gone in no time */
	if (pc_may_be_ours(c, before | after))
		pc_tell_process(task, PC_EXEC, after, BPF_CORE_READ(task, real_parent, tgid),
				bprm->filename);
}

static __always_inline void pc_on_exit(struct task_struct *task)
{
	const struct pc_control *c = pc_controls();
	__u32 state;

	if (!c || task->signal->live.counter > 0)
		return; /* other threads go on */
	state = pc_proc_state(task->tgid);
	if (!pc_may_be_ours(c, state))
		return;
	pc_proc_set(task->tgid, PC_SCOPE_NO);
	pc_tell_process(task, PC_EXIT, state, BPF_CORE_READ(task, real_parent, tgid), NULL);
}

#endif
