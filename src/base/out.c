/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out.c: see out.h. O_NONBLOCK would be the obvious way, but it is a property of the open file, which
 * a terminal or a pipe shares with the shell and its other programs. poll() and small writes give the
 * same: a pipe that polls as writable takes PIPE_BUF octets without waiting.
 */
#include "base/out.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#define OUT_BATCH    65536 /* write when this much is pending */
#define OUT_TERMINAL 512   /* a terminal promises no size: keep it small */

static void set_fd(struct out *o, int fd)
{
	struct stat st;

	o->fd = fd;
	o->chunk = PIPE_BUF;
	o->socket = o->failing = o->closed = o->torn = false;
	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	if (isatty(fd))
		o->chunk = OUT_TERMINAL;
	else if (!S_ISFIFO(st.st_mode))
		o->chunk = 0; /* files do not keep us waiting for a reader */
	o->socket = S_ISSOCK(st.st_mode);
}

void out_init(struct out *o, int fd, size_t max_bytes)
{
	*o = (struct out){ 0 };
	buf_init(&o->pending, max_bytes);
	set_fd(o, fd);
}

void out_change(struct out *o, int fd)
{
	long end = o->torn ? slice_find(buf_slice(&o->pending), '\n') : -1;

	if (end >= 0) {
		buf_consume(&o->pending, (size_t)end + 1);
		o->rows--;
		o->dropped++;
	}
	set_fd(o, fd);
}

struct buf *out_row(struct out *o)
{
	o->mark = o->pending.len;
	return &o->pending;
}

bool out_commit(struct out *o)
{
	if (o->pending.failed || o->closed) {
		o->pending.len = o->mark;
		o->pending.failed = false;
		o->dropped++;
		return false;
	}
	o->rows++;
	if (!o->failing && o->pending.len - o->sent >= OUT_BATCH)
		out_flush(o);
	return true;
}

static ssize_t write_some(const struct out *o, struct slice s)
{
	struct pollfd ready = { .fd = o->fd, .events = POLLOUT };

	if (o->patient)
		return write(o->fd, s.at, s.len);
	if (o->socket)
		return send(o->fd, s.at, s.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!o->chunk)
		return write(o->fd, s.at, s.len);
	if (poll(&ready, 1, 0) <= 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(o->fd, s.at, s.len < o->chunk ? s.len : o->chunk);
}

static void compact(struct out *o)
{
	buf_consume(&o->pending, o->sent);
	o->sent = 0;
}

/* Rows that begin in memory and will not be written were counted too early. */
static void discard(struct out *o)
{
	struct slice rest = slice_sub(buf_slice(&o->pending), o->sent, o->pending.len);
	long at;

	while ((at = slice_find(rest, '\n')) >= 0) {
		o->rows--;
		o->dropped++;
		rest = slice_sub(rest, (size_t)at + 1, rest.len);
	}
	buf_clear(&o->pending);
	o->sent = 0;
}

void out_flush(struct out *o)
{
	if (o->fd < 0 || o->closed)
		return;
	while (o->sent < o->pending.len) {
		ssize_t n =
			write_some(o, slice_sub(buf_slice(&o->pending), o->sent, o->pending.len));

		if (n > 0) {
			o->sent += (size_t)n;
			o->failing = false;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		o->error = n < 0 ? errno : EIO;
		o->errors++;
		o->failing = true;
		o->closed = o->error == EPIPE || o->error == EBADF || o->error == ECONNRESET;
		break;
	}
	if (o->sent)
		o->torn = o->pending.at[o->sent - 1] != '\n';
	if (o->closed)
		discard(o);
	else
		compact(o);
}

void out_drain(struct out *o, unsigned ms)
{
	struct pollfd ready = { .fd = o->fd, .events = POLLOUT };
	uint64_t until = clock_mono_ns() + ms * NS_PER_MS;

	out_flush(o);
	while (o->sent < o->pending.len && !o->failing && clock_mono_ns() < until) {
		poll(&ready, 1, 10);
		out_flush(o);
	}
}

void out_done(struct out *o)
{
	out_flush(o);
	discard(o);
	buf_done(&o->pending);
	o->fd = -1;
}
