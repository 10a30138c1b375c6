/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope.h: the configured scope → the kernel's maps, and the processes of the host.
 */
#ifndef PC_AGENT_SCOPE_H
#define PC_AGENT_SCOPE_H

#include "agent/config/config.h"
#include "capture/capture.h"

struct pids {
	uint32_t *at; /* free() */
	uint32_t count;
};

/* Processes below `proc` with an executable (no kernel threads). */
int pids_read(const char *proc, struct pids *ret);

/* What cannot be resolved (no such cgroup, no such pid) is told and -ENOENT. */
int scope_check(const struct config *config);
/* The same, and then verdicts, ports, cgroups, kinds; on -ENOENT nothing was changed. What is in the
 * scope of before and in this one is watched all the time. Who started meanwhile: scope_judge again. */
int scope_apply(const struct config *config, struct capture *capture);
/* The same processes and connections are named. Never with cgroups: a path may be another one by now. */
bool scope_is_same(const struct config *a, const struct config *b);
/* Verdicts on the processes that exist: --pid with all descendants, --exe; everything else is not ours. */
int scope_judge(const struct config *config, struct capture *capture);

#endif
