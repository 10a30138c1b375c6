/* SPDX-License-Identifier: Apache-2.0 */
/*
 * survey.c: see survey.h. One pass over /proc: links of descriptors (io_uring), the ELF class of the
 * executable (32-bit), mapped files (TLS libraries).
 */
#include "agent/command/survey.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"

static void name_of(const char *proc, const char *pid, char *to, size_t room)
{
	char path[512];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/comm", proc, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, to, room - 1);
		close(fd);
	}
	to[n > 0 ? n : 0] = 0;
	to[strcspn(to, "\n")] = 0;
}

static void count(const char *proc, const char *pid, unsigned *number, char *names, size_t room)
{
	char name[32];
	size_t at = strlen(names);

	++*number;
	name_of(proc, pid, name, sizeof(name));
	if (strstr(names, name) || at + strlen(name) + 8 > room)
		return;
	snprintf(names + at, room - at, "%s%s", at ? ", " : "", name);
}

static bool has_io_uring(const char *proc, const char *pid, bool *ret_unreadable)
{
	char path[512], target[64];
	struct dirent *e;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s/fd", proc, pid);
	dir = opendir(path);
	if (!dir) {
		*ret_unreadable = errno == EACCES;
		return false;
	}
	while (!found && (e = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);

		if (n <= 0)
			continue;
		target[n] = 0;
		found = strcmp(target, "anon_inode:[io_uring]") == 0;
	}
	closedir(dir);
	return found;
}

static bool is_compat(const char *proc, const char *pid)
{
	unsigned char head[EI_NIDENT];
	char path[512];
	bool compat = false;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/exe", proc, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, head, sizeof(head)) == sizeof(head))
		compat = memcmp(head, ELFMAG, SELFMAG) == 0 && head[EI_CLASS] == ELFCLASS32;
	close(fd);
	return compat;
}

static bool has_tls(const char *proc, const char *pid)
{
	static const char *const libraries[] = { "/libssl.so", "/libssl3.so", "/libgnutls.so",
						 "/libnss3.so" };
	char path[512], line[1024];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/maps", proc, pid);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f))
		for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
			found = found || strstr(line, libraries[i]);
	if (f)
		fclose(f);
	return found;
}

/* Of this program there are a doctor and perhaps an agent, which never watches itself. */
static bool is_own(const char *proc, const char *pid)
{
	struct stat own, other;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s/exe", proc, pid);
	return stat("/proc/self/exe", &own) == 0 && stat(path, &other) == 0 &&
	       own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

static void look_at_process(const char *proc, const char *pid, struct survey *s)
{
	bool unreadable = false;

	if (is_own(proc, pid))
		return;
	s->processes++;
	if (has_io_uring(proc, pid, &unreadable))
		count(proc, pid, &s->io_uring, s->io_uring_names, sizeof(s->io_uring_names));
	if (unreadable) {
		s->partial = true;
		s->processes--;
		return;
	}
	if (is_compat(proc, pid))
		count(proc, pid, &s->compat, s->compat_names, sizeof(s->compat_names));
	if (has_tls(proc, pid))
		count(proc, pid, &s->tls, s->tls_names, sizeof(s->tls_names));
}

/* "none [integrity] confidentiality": the one in brackets. */
static void read_lockdown(struct survey *s)
{
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	char line[128] = "";
	char *open_bracket;

	if (f && fgets(line, sizeof(line), f) && (open_bracket = strchr(line, '['))) {
		open_bracket[strcspn(open_bracket, "]")] = 0;
		if (strcmp(open_bracket + 1, "none") != 0)
			snprintf(s->lockdown, sizeof(s->lockdown), "%s", open_bracket + 1);
	}
	if (f)
		fclose(f);
}

void survey_host(const char *proc, struct survey *ret)
{
	char line[1024], path[256];
	struct dirent *e;
	FILE *f;
	DIR *dir;

	memset(ret, 0, sizeof(*ret));
	read_lockdown(ret);
	snprintf(path, sizeof(path), "%s/mounts", proc);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		ret->cgroup2 = ret->cgroup2 || strstr(line, " cgroup2 ");
	if (f)
		fclose(f);
	dir = opendir(proc);
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9')
			look_at_process(proc, e->d_name, ret);
	if (dir)
		closedir(dir);
}
