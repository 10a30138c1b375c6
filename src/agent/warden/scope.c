/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope.c: which processes and connections are watched, as far as it can be said before anything
 * happens. What starts later is decided by the kernel (fork copies) and the brain (--exe).
 */
#include "agent/warden/scope.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/warden/look.h"
#include "base/log.h"

#define PROC "/proc"

int pids_read(const char *proc, struct pids *ret)
{
	DIR *dir = opendir(proc);
	struct pids found = { 0 };
	uint32_t room = 0;
	struct dirent *e;

	if (!dir)
		return -errno;
	while ((e = readdir(dir))) {
		char exe[PC_PATH + 1];
		uint64_t pid;

		if (slice_u64(slice_str(e->d_name), &pid) || pid > UINT32_MAX ||
		    !look_exe(proc, (uint32_t)pid, exe, sizeof(exe)))
			continue;
		if (found.count == room) {
			uint32_t *more = realloc(found.at, (room + 256) * 2 * sizeof(*more));

			if (!more)
				break;
			found.at = more;
			room = (room + 256) * 2;
		}
		found.at[found.count++] = (uint32_t)pid;
	}
	closedir(dir);
	*ret = found;
	return 0;
}

/* Where cgroup2 is mounted: not always /sys/fs/cgroup itself (hybrid). */
static int cgroup_mount(char *ret, size_t room)
{
	FILE *f = fopen("/proc/mounts", "re");
	char line[1024], type[64], at[512];
	int err = -ENOENT;

	if (!f)
		return -errno;
	while (err && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %511s %63s", at, type) == 2 && strcmp(type, "cgroup2") == 0) {
			snprintf(ret, room, "%s", at);
			err = 0;
		}
	}
	fclose(f);
	return err;
}

/* A path below the mount, or the path as seen in the file system. */
static int find_cgroup(const char *path, const char *mount, uint64_t *ret_id, uint32_t *ret_level)
{
	size_t len = strlen(mount);
	const char *below = strncmp(path, mount, len) == 0 && (path[len] == '/' || !path[len])
				    ? path + len
				    : path;
	char full[1024];
	struct stat st;
	uint32_t level = 0;

	if (snprintf(full, sizeof(full), "%s%s", mount, below) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	if (stat(full, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	for (const char *p = below; *p; p++)
		level += *p != '/' && (p == below || p[-1] == '/');
	*ret_id = st.st_ino;
	*ret_level = level;
	return 0;
}

static int find_cgroups(const struct config *c, uint64_t *ids, uint32_t *levels)
{
	char mount[512];
	int err;

	if (!c->cgroups.count)
		return 0;
	err = cgroup_mount(mount, sizeof(mount));
	if (err) {
		log_error("--cgroup: no cgroup2 file system is mounted on this host");
		return err;
	}
	for (uint32_t i = 0; i < c->cgroups.count; i++) {
		err = find_cgroup(c->cgroups.at[i], mount, &ids[i], &levels[i]);
		if (err) {
			log_error("--cgroup %s: %s (paths are those below %s)", c->cgroups.at[i],
				  strerror(-err), mount);
			return err;
		}
	}
	return 0;
}

static uint32_t kinds_of(const struct config *c)
{
	uint32_t kinds = 0;

	if (c->pids.count || c->executables.count)
		kinds |= PC_SCOPE_BY_PROCESS;
	if (c->executables.count)
		kinds |= PC_SCOPE_EXEC_ASKS;
	if (c->ports.count)
		kinds |= PC_SCOPE_BY_PORT;
	if (c->cgroups.count)
		kinds |= PC_SCOPE_BY_CGROUP;
	return kinds ? kinds : PC_SCOPE_BY_LISTENER;
}

static bool same_numbers(const struct numbers *a, const struct numbers *b)
{
	return a->count == b->count &&
	       (!a->count || memcmp(a->at, b->at, a->count * sizeof(*a->at)) == 0);
}

bool scope_is_same(const struct config *a, const struct config *b)
{
	if (a->cgroups.count || b->cgroups.count || a->executables.count != b->executables.count)
		return false;
	for (uint32_t i = 0; i < a->executables.count; i++)
		if (strcmp(a->executables.at[i], b->executables.at[i]) != 0)
			return false;
	return same_numbers(&a->pids, &b->pids) && same_numbers(&a->ports, &b->ports);
}

/* A listed process, or one that descends from it. */
static bool is_pinned(const struct config *c, uint32_t pid)
{
	for (int up = 0; up < 64 && pid > 1; up++) {
		for (uint32_t i = 0; i < c->pids.count; i++)
			if (c->pids.at[i] == pid)
				return true;
		pid = look_parent(PROC, pid);
	}
	return false;
}

static bool is_executable(const struct config *c, uint32_t pid)
{
	char exe[PC_PATH + 1];

	if (!c->executables.count || !look_exe(PROC, pid, exe, sizeof(exe)))
		return false;
	for (uint32_t i = 0; i < c->executables.count; i++)
		if (config_glob(c->executables.at[i], exe))
			return true;
	return false;
}

int scope_judge(const struct config *c, struct capture *capture)
{
	struct pids pids;
	int err;

	if (!c->pids.count && !c->executables.count)
		return 0;
	err = pids_read(PROC, &pids);
	for (uint32_t i = 0; !err && i < pids.count; i++) {
		enum pc_scope_state state = is_pinned(c, pids.at[i])	   ? PC_SCOPE_PINNED
					    : is_executable(c, pids.at[i]) ? PC_SCOPE_YES
									   : PC_SCOPE_NO;

		err = capture_set_process(capture, pids.at[i], state);
	}
	free(pids.at);
	return err;
}

/* What is named and is not there is told. */
static int find_named(const struct config *c, uint64_t *ids, uint32_t *levels)
{
	for (uint32_t i = 0; i < c->pids.count; i++) {
		if (!look_start_ns(PROC, c->pids.at[i])) {
			log_error("--pid %u: there is no such process", c->pids.at[i]);
			return -ENOENT;
		}
	}
	return find_cgroups(c, ids, levels);
}

int scope_check(const struct config *c)
{
	uint64_t ids[PC_CGROUPS];
	uint32_t levels[PC_CGROUPS];

	return find_named(c, ids, levels);
}

int scope_apply(const struct config *c, struct capture *capture)
{
	uint64_t ids[PC_CGROUPS];
	uint32_t levels[PC_CGROUPS];
	struct capture_scope scope = { .kinds = kinds_of(c),
				       .port_count = c->ports.count,
				       .cgroup_ids = ids,
				       .cgroup_levels = levels,
				       .cgroup_count = c->cgroups.count };
	uint16_t *ports = calloc(c->ports.count + 1, sizeof(*ports));
	int err = ports ? find_named(c, ids, levels) : -ENOMEM;

	for (uint32_t i = 0; !err && i < c->ports.count; i++)
		ports[i] = (uint16_t)c->ports.at[i];
	scope.ports = ports;
	/* before they decide: none of them must be out for a moment */
	if (!err)
		err = scope_judge(c, capture);
	if (!err)
		err = capture_set_scope(capture, &scope);
	free(ports);
	return err;
}
