/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outputs.c: see outputs.h. Each agent has a status socket of its own, PID.sock, so several can run
 * on one host; what a killed one left behind is removed by the next.
 */
#include "agent/warden/outputs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/recording.h"
#include "agent/secret.h"
#include "base/log.h"

int outputs_open_ndjson(const struct config *c, int *ret_fd)
{
	int fd;

	*ret_fd = -1;
	if (!c->ndjson)
		return 0;
	if (strcmp(c->ndjson, "-") == 0) {
		*ret_fd = STDOUT_FILENO;
		return 0;
	}
	/* without waiting: a FIFO that nobody reads would hold us for ever */
	fd = open(c->ndjson, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		  0640);
	if (fd >= 0 && fcntl(fd, F_SETFL, O_APPEND)) { /* base/out.c does not wait by itself */
		close(fd);
		fd = -1;
	}
	if (fd < 0) {
		int err = -errno;

		if (err == -ENXIO)
			log_error("cannot write NDJSON to %s: nobody reads this FIFO; start its "
				  "reader first",
				  c->ndjson);
		else
			log_error("cannot write NDJSON to %s: %s; name a file in a directory that "
				  "exists "
				  "and that you may write",
				  c->ndjson, strerror(-err));
		return err;
	}
	*ret_fd = fd;
	return 0;
}

/* Sockets of agents that no longer run. */
static void sweep(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		struct slice name = slice_str(e->d_name);
		uint64_t pid;

		if (!slice_ends(name, SLICE(".sock")))
			continue;
		name.len -= 5;
		if (slice_u64(name, &pid) == 0 && kill((pid_t)pid, 0) && errno == ESRCH)
			unlinkat(dirfd(dir), e->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

static int listen_at(const char *path, int *ret_fd)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	struct stat st;
	int err = 0;
	int fd;

	if (len >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	memcpy(at.sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* a socket there is stale when nobody answers; anything else is not ours to remove */
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 || errno == EAGAIN)
			err = -EADDRINUSE;
		else
			unlink(path);
		close(fd);
		fd = err ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd < 0)
			return err ? err : -errno;
	}
	if (fchmod(fd, 0600) || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 16)) {
		err = -errno;
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

static int open_status(const struct config *c, struct outputs *o)
{
	int err;

	if (c->status_socket) {
		snprintf(o->status_path, sizeof(o->status_path), "%s", c->status_socket);
		err = listen_at(c->status_socket, &o->status);
		if (err) {
			log_error("cannot listen on the status socket %s: %s", c->status_socket,
				  err == -EADDRINUSE ? "another agent does" : strerror(-err));
			o->status_path[0] = 0;
		}
		return err;
	}
	if (mkdir(STATUS_DIRECTORY, 0755) && errno != EEXIST)
		log_debug("no " STATUS_DIRECTORY ": %s", strerror(errno));
	sweep(STATUS_DIRECTORY);
	snprintf(o->status_path, sizeof(o->status_path), STATUS_DIRECTORY "/%d.sock",
		 (int)getpid());
	err = listen_at(o->status_path, &o->status);
	if (err) {
		log_warn("`parcours status` will not work: cannot listen on %s: %s", o->status_path,
			 strerror(-err));
		o->status_path[0] = 0;
	}
	return 0;
}

/* The checkpoint of visits. One agent has it; another on the same host goes without. */
static void open_visits(const struct config *c, int *ret_fd)
{
	char path[STATE_PATH];
	int err = state_path(c, "visits", path);
	int fd = err ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600);

	if (!err && fd < 0)
		err = -errno;
	if (!err && flock(fd, LOCK_EX | LOCK_NB)) {
		err = -errno;
		close(fd);
	}
	if (!err && fchmod(fd, 0600)) /* it may have come from elsewhere, with a backup */
		log_warn("%s can be read or changed by others: %s", path, strerror(errno));
	if (!err)
		*ret_fd = fd;
	else if (err == -EWOULDBLOCK)
		log_info(
			"another agent keeps its visits in %s: a restart of this one begins visits "
			"anew; give it a --state-directory of its own",
			path);
	else
		log_warn("cannot keep visits in %s: %s; a restart begins them anew", path,
			 strerror(-err));
}

int outputs_open(const struct config *c, const char *record, bool force, struct outputs *ret)
{
	int err;

	*ret = (struct outputs){ -1, -1, -1, -1, "" };
	err = outputs_open_ndjson(c, &ret->ndjson);
	if (err)
		return err;
	if (record) {
		err = recording_create(record, force, &ret->record);
		if (err) {
			log_error("cannot record to %s: %s%s", record, strerror(-err),
				  err == -EEXIST ? "; --force replaces it" : "");
			outputs_close(ret);
			return err;
		}
	}
	open_visits(c, &ret->visits);
	err = open_status(c, ret);
	if (err)
		outputs_close(ret);
	return err;
}

void outputs_close(struct outputs *o)
{
	if (o->ndjson > STDERR_FILENO)
		close(o->ndjson);
	if (o->record >= 0)
		close(o->record);
	if (o->status >= 0)
		close(o->status);
	if (o->visits >= 0)
		close(o->visits);
	if (o->status_path[0])
		unlink(o->status_path);
	*o = (struct outputs){ -1, -1, -1, -1, "" };
}
