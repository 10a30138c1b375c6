/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.c: /proc/PID → struct pc_who. A process may end or its pid be used again while we read: its
 * start time is compared before and after, so an answer is never mixed from two. Of the environment
 * one variable is taken, OTEL_SERVICE_NAME, and the rest is wiped: it may hold passwords. So may the
 * arguments: they are looked at for a service name and go no further.
 */
#include "agent/warden/look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define ENVIRON_BYTES 131072
#define TICK_NS	      (1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK))

static struct slice read_file(const char *proc, uint32_t tgid, const char *name, char *to,
			      size_t room)
{
	char path[512];
	size_t len = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%u/%s", proc, tgid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return slice_of(NULL, 0);
	while (len < room && (n = read(fd, to + len, room - len)) > 0)
		len += (size_t)n;
	close(fd);
	return slice_of(to, len);
}

static struct slice read_link(const char *proc, uint32_t tgid, const char *name, char *to,
			      size_t room)
{
	char path[512];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%u/%s", proc, tgid, name);
	n = readlink(path, to, room);
	return n > 0 ? slice_of(to, (size_t)n) : slice_of(NULL, 0);
}

/* Field `number` (from 3) of stat. Field 2 is a name in parentheses that may hold anything: the last
 * ')' ends it. */
static int stat_field(const char *proc, uint32_t tgid, int number, uint64_t *ret)
{
	char text[1024];
	struct slice all = read_file(proc, tgid, "stat", text, sizeof(text));
	size_t at = all.len;
	struct slice rest;

	while (at && all.at[at - 1] != ')')
		at--;
	if (!at)
		return -ENOENT;
	rest = slice_sub(all, at, all.len);
	for (int field = 2; field < number; field++)
		slice_next(&rest, ' ');
	return rest.at ? slice_u64(slice_next(&rest, ' '), ret) : -EINVAL;
}

uint64_t look_start_ns(const char *proc, uint32_t tgid)
{
	uint64_t ticks;

	if (stat_field(proc, tgid, 22, &ticks))
		return 0;
	return ticks ? ticks * TICK_NS : 1;
}

uint32_t look_parent(const char *proc, uint32_t tgid)
{
	uint64_t parent;

	return stat_field(proc, tgid, 4, &parent) ? 0 : (uint32_t)parent;
}

static void copy(char *to, size_t room, struct slice s)
{
	size_t n = s.len < room - 1 ? s.len : room - 1;

	if (n)
		memcpy(to, s.at, n);
	memset(to + n, 0, room - n);
}

/* The path of an executable that was replaced ends in " (deleted)": it is still that program. */
static struct slice undeleted(struct slice path)
{
	if (slice_ends(path, SLICE(" (deleted)")))
		path.len -= sizeof(" (deleted)") - 1;
	return path;
}

bool look_exe(const char *proc, uint32_t tgid, char *ret, size_t room)
{
	struct slice path = undeleted(read_link(proc, tgid, "exe", ret, room - 1));

	if (!path.len)
		return false;
	ret[path.len] = 0;
	return true;
}

static void look_service(const char *proc, struct look_facts *f, struct pc_who *ret)
{
	static const struct slice wanted = { "OTEL_SERVICE_NAME=", 18 };
	static char text[ENVIRON_BYTES];
	struct slice rest = read_file(proc, ret->tgid, "environ", text, sizeof(text));
	size_t len = rest.len;

	while (rest.at && rest.len) {
		struct slice entry = slice_next(&rest, 0);

		if (slice_starts(entry, wanted)) {
			f->declared = slice_sub(entry, wanted.len, entry.len);
			break;
		}
	}
	service_name(f, ret->service, sizeof(ret->service));
	explicit_bzero(text, len);
}

static uint32_t owner(const char *proc, uint32_t tgid)
{
	char text[2048];
	struct slice s = read_file(proc, tgid, "status", text, sizeof(text) - 1);
	const char *line;
	unsigned uid = 0;

	text[s.len] = 0;
	line = strstr(text, "\nUid:");
	if (!s.at || !line || sscanf(line, "\nUid: %u", &uid) != 1)
		return UINT32_MAX;
	return uid;
}

static bool is_start(uint64_t seen_ns, uint64_t wanted_ns)
{
	uint64_t apart = seen_ns > wanted_ns ? seen_ns - wanted_ns : wanted_ns - seen_ns;

	return seen_ns && (!wanted_ns || apart <= TICK_NS);
}

int look_at(const char *proc, uint32_t tgid, uint64_t start_ns, struct pc_who *ret)
{
	char exe[PC_PATH], args[4096], cgroup[8192], comm[PC_COMM + 1];
	uint64_t seen = look_start_ns(proc, tgid);
	struct look_facts f = { 0 };
	struct cgroup_names names;
	struct pc_who who = { .tgid = tgid };

	if (!is_start(seen, start_ns))
		return -ESRCH;
	who.head = (struct pc_head){ .kind = PC_WHO, .size = sizeof(who) };
	who.start_ns = start_ns ? start_ns : seen;
	who.uid = owner(proc, tgid);
	f.exe = undeleted(read_link(proc, tgid, "exe", exe, sizeof(exe)));
	f.args = read_file(proc, tgid, "cmdline", args, sizeof(args));
	names = cgroup_parse(read_file(proc, tgid, "cgroup", cgroup, sizeof(cgroup)));
	f.unit = names.unit;
	f.container = names.container;
	copy(who.exe, sizeof(who.exe), f.exe);
	copy(who.comm, sizeof(who.comm),
	     slice_trim(read_file(proc, tgid, "comm", comm, sizeof(comm))));
	for (char *c = who.comm; *c; c++)
		if (*c == '\n')
			*c = 0;
	copy(who.container, sizeof(who.container), names.container);
	copy(who.unit, sizeof(who.unit), names.unit);
	copy(who.cgroup, sizeof(who.cgroup), names.path);
	look_service(proc, &f, &who);
	if (!is_start(look_start_ns(proc, tgid), seen))
		return -ESRCH;
	*ret = who;
	return 0;
}
