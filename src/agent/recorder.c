/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recorder.c: writes a recording. The warden creates the file as root before it drops its rights; the
 * brain's loop thread appends whole records, buffered. A disk that is full ends the recording at the
 * last whole record and is told; it never stops the agent.
 */
#include "agent/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "agent/recording_format.h"

#define FLUSH_BYTES (256 * 1024)

static int write_all(int fd, const char *at, size_t len)
{
	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static void header_text(char *page)
{
	struct utsname host = { 0 };
	struct tm utc = { 0 };
	time_t now = time(NULL);
	char when[40];
	int n;

	uname(&host);
	gmtime_r(&now, &utc);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &utc);
	memset(page, ' ', RECORDING_HEADER);
	n = snprintf(
		page, RECORDING_HEADER,
		RECORDING_MAGIC
		"abi: %d\nendian: " RECORDING_ENDIAN "\ncreated: %s\n"
		"program: parcours " PARCOURS_VERSION "\nkernel: %s %s\nmachine: %s\n"
		"host: %s\ncpus: %ld\n\n"
		"This file holds the raw traffic of the applications that were watched, after\n"
		"decryption, as they wrote and read it: addresses, cookies, passwords, tokens,\n"
		"personal data of the people who used them. It holds no TLS keys. Keep it as\n"
		"you would keep those, and delete it when it has served its purpose.\n"
		"Read it with: parcours replay FILE\n",
		PC_ABI_VERSION, when, host.sysname, host.release, host.machine, host.nodename,
		sysconf(_SC_NPROCESSORS_ONLN));
	page[n] = ' ';
	page[RECORDING_HEADER - 1] = '\n';
}

int recording_create(const char *path, bool force, int *ret_fd)
{
	char page[RECORDING_HEADER];
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
	int err;
	int fd;

	/* forced: a new file in its place, so that readers of the old one and its mode do not stay */
	if (force && unlink(path) && errno != ENOENT)
		return -errno;
	fd = open(path, flags | O_EXCL, 0600);
	if (fd < 0)
		return -errno;
	header_text(page);
	err = write_all(fd, page, sizeof(page));
	if (err) {
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

void recorder_init(struct recorder *r, int fd, uint64_t records, uint64_t bytes)
{
	const off_t end = (off_t)(RECORDING_HEADER + bytes);
	struct stat st;

	*r = (struct recorder){ .fd = fd, .records = records, .bytes = bytes };
	buf_init(&r->out, FLUSH_BYTES + RECORDING_RECORD + 64);
	/* a brain that died while it wrote, be it at its first record, may have left a piece of one */
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > end &&
	    ftruncate(fd, end))
		r->error = -errno;
}

void recorder_flush(struct recorder *r)
{
	int err;

	if (r->error || !r->out.len)
		goto out;
	err = write_all(r->fd, r->out.at, r->out.len);
	if (err) {
		r->error = err;
		/* cut off what was written in part; if that fails too, replay says where it ends */
		if (ftruncate(r->fd, (off_t)(RECORDING_HEADER + r->bytes)))
			r->error = err;
		goto out;
	}
	r->bytes += r->out.len;
	r->records += r->pending;
out:
	r->pending = 0;
	buf_clear(&r->out);
}

void recorder_push(struct recorder *r, const struct pc_head *rec)
{
	static const char zeroes[8];
	size_t len = rec->size;

	if (r->fd < 0 || r->error || len < sizeof(*rec) || len > RECORDING_RECORD)
		return;
	if (buf_add(&r->out, slice_of(rec, len)) ||
	    buf_add(&r->out, slice_of(zeroes, recording_padded(len) - len))) {
		r->error = -ENOMEM;
		return;
	}
	r->pending++;
	if (r->out.len >= FLUSH_BYTES)
		recorder_flush(r);
}

void recorder_finish(struct recorder *r)
{
	struct recording_end end = { .head = { .kind = RECORDING_END, .size = sizeof(end) } };

	if (r->fd < 0)
		return;
	recorder_flush(r);
	end.records = r->records;
	end.bytes = r->bytes;
	if (!r->error)
		r->error = write_all(r->fd, (const char *)&end, sizeof(end));
}

void recorder_done(struct recorder *r)
{
	buf_done(&r->out);
}
