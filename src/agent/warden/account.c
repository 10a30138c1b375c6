/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account.c: whom the brain runs as. A user of its own matters: with the same uid, others could trace
 * it and read what it has parsed; that is why nobody (shared by many daemons) is refused.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/warden/rights.h"
#include "base/slice.h"

/* systemd's range for DynamicUser=: no distribution hands these out. */
#define DYNAMIC_FIRST 61184
#define DYNAMIC_LAST  65519
#define NOBODY	      65534

/* -ENOENT: there is no such entry. */
static int from_entry(const struct passwd *pw, struct account *ret)
{
	if (!pw)
		return -ENOENT;
	if (pw->pw_uid == 0 || pw->pw_gid == 0 || pw->pw_uid == NOBODY ||
	    strcmp(pw->pw_name, "nobody") == 0)
		return -EINVAL;
	ret->uid = pw->pw_uid;
	ret->gid = pw->pw_gid;
	snprintf(ret->name, sizeof(ret->name), "%s", pw->pw_name);
	return 0;
}

/* From status: the directory of a process without core dump (another brain) belongs to root. */
static bool runs_as(int proc, const char *pid, uid_t uid)
{
	char path[300];
	char text[1024];
	unsigned found = 0;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/status", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0)
		return false;
	text[n] = 0;
	return strstr(text, "\nUid:") && sscanf(strstr(text, "\nUid:"), "\nUid: %u", &found) == 1 &&
	       found == uid;
}

static bool is_running(uid_t uid)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	bool found = false;

	while (proc && !found && (e = readdir(proc)))
		found = e->d_name[0] >= '0' && e->d_name[0] <= '9' &&
			runs_as(dirfd(proc), e->d_name, uid);
	if (proc)
		closedir(proc);
	return found;
}

static int find_free(struct account *ret)
{
	const uint32_t span = DYNAMIC_LAST - DYNAMIC_FIRST + 1;
	uint32_t start = (uint32_t)(slice_hash(SLICE("parcours"), 0) % span);

	for (uint32_t i = 0; i < 64; i++) {
		uid_t uid = DYNAMIC_FIRST + (start + i) % span;

		if (getpwuid(uid) || getgrgid(uid) || is_running(uid))
			continue;
		*ret = (struct account){ .uid = uid, .gid = uid };
		return 0;
	}
	return -EAGAIN;
}

int account_find(const char *name, struct account *ret)
{
	uint64_t uid;

	memset(ret, 0, sizeof(*ret));
	if (!name) {
		int err = from_entry(getpwnam("parcours"), ret);

		return err == -ENOENT ? find_free(ret) : err;
	}
	if (slice_u64(slice_str(name), &uid))
		return from_entry(getpwnam(name), ret);
	if (uid == 0 || uid == NOBODY || uid >= UINT32_MAX)
		return -EINVAL;
	if (from_entry(getpwuid((uid_t)uid), ret) == 0)
		return 0;
	ret->uid = (uid_t)uid;
	ret->gid = (gid_t)uid;
	return 0;
}
