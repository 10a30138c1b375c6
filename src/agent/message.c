/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.c: one message, one packet. Never blocks: a side that does not read must not stop the
 * other (the warden would no longer be able to end it). Loop threads of both processes.
 */
#include "agent/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	char bytes[CMSG_SPACE(sizeof(int) * MESSAGE_FDS)];
	struct cmsghdr align;
};

int message_send(int fd, const struct message *m, const int *fds, unsigned fd_count)
{
	struct iovec part = { (void *)m, sizeof(*m) };
	union control control = { 0 };
	struct msghdr h = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	if (fd_count) {
		struct cmsghdr *c;

		h.msg_control = control.bytes;
		h.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * fd_count);
	}
	do
		n = sendmsg(fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static void take_fds(struct msghdr *h, int ret_fds[MESSAGE_FDS])
{
	unsigned have = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
			int fd;

			memcpy(&fd, (char *)c + at, sizeof(fd));
			if (have < MESSAGE_FDS)
				ret_fds[have++] = fd;
			else
				close(fd);
		}
	}
}

int message_receive(int fd, struct message *ret, int ret_fds[MESSAGE_FDS])
{
	struct iovec part = { ret, sizeof(*ret) };
	union control control = { 0 };
	struct msghdr h = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = control.bytes,
			    .msg_controllen = sizeof(control.bytes) };
	ssize_t n;

	for (unsigned i = 0; i < MESSAGE_FDS; i++)
		ret_fds[i] = -1;
	do
		n = recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -EAGAIN : -EPIPE;
	if (n == 0)
		return -EPIPE;
	take_fds(&h, ret_fds);
	if (n == sizeof(*ret) && !(h.msg_flags & MSG_TRUNC) && ret->kind > 0 &&
	    ret->kind < MESSAGE_END)
		return 0;
	for (unsigned i = 0; i < MESSAGE_FDS; i++) {
		if (ret_fds[i] >= 0)
			close(ret_fds[i]);
		ret_fds[i] = -1;
	}
	return -EPROTO;
}
