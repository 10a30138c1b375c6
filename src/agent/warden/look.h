/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.h: what /proc says of a process. The warden looks, because other users' processes can only be
 * read with privilege; the brain gets fixed-size strings.
 */
#ifndef PC_AGENT_LOOK_H
#define PC_AGENT_LOOK_H

#include "base/slice.h"
#include "parcours/abi.h"

/* What the service name is derived from. Slices may be empty. */
struct look_facts {
	struct slice exe;	/* path of the executable */
	struct slice args;	/* its arguments, each ended by a NUL */
	struct slice unit;	/* innermost systemd service */
	struct slice container; /* id */
	struct slice declared;	/* OTEL_SERVICE_NAME of its environment */
};

/* Process `tgid` below `proc` ("/proc"; a fixture in tests). start_ns, if not 0, must be its start
 * (to the tick of /proc, 10 ms): a pid may have been used again. -ESRCH: gone, or another one now. */
int look_at(const char *proc, uint32_t tgid, uint64_t start_ns, struct pc_who *ret);
/* Start of a process in ns since boot; 0 when it is not there. */
uint64_t look_start_ns(const char *proc, uint32_t tgid);
uint32_t look_parent(const char *proc, uint32_t tgid); /* 0: unknown */
/* Only the executable's path, for globs: false when there is none (kernel thread, gone). */
bool look_exe(const char *proc, uint32_t tgid, char *ret, size_t room);

/* First that says something: declared name, systemd unit (outside of containers), the program that an
 * interpreter runs (java -jar, main class, python, node, ruby …), the executable. */
void service_name(const struct look_facts *f, char *ret, size_t room);

/* Text of /proc/PID/cgroup → path on the unified hierarchy (or systemd's own), container id, unit. */
struct cgroup_names {
	struct slice path, container, unit;
};
struct cgroup_names cgroup_parse(struct slice text);

#endif
