/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.c: epoll over the rings, the warden and the status socket, with a timer as backstop for
 * wake-ups that the kernel batches. The brain's only loop; export's worker is the other thread.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "agent/brain/brain.h"

#define TIMER_NS 10000000 /* 10 ms */

static int add(int epoll, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

static int open_timer(void)
{
	struct itimerspec every = { { 0, TIMER_NS }, { 0, TIMER_NS } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (timerfd_settime(fd, 0, &every, NULL)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

static void dispatch(struct brain *b, int fd, int timer)
{
	uint64_t expired;

	if (fd == b->start.warden_fd)
		brain_message(b);
	else if (fd == b->start.status_fd)
		brain_status(b);
	else if (fd == timer && read(timer, &expired, sizeof(expired)) < 0)
		return; /* another wake-up took it */
}

int brain_loop(struct brain *b)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int timer = open_timer();
	bool more = false;
	int err = epoll < 0 ? -errno : timer < 0 ? timer : 0;

	if (!err)
		err = add(epoll, timer);
	if (!err)
		err = add(epoll, b->start.warden_fd);
	if (!err)
		err = add(epoll, reader_fd(b->reader));
	if (!err && b->start.status_fd >= 0)
		err = add(epoll, b->start.status_fd);
	while (!err && !b->stopping && !b->warden_gone) {
		struct epoll_event events[8];
		int n = epoll_wait(epoll, events, 8, more ? 0 : -1);

		if (n < 0 && errno != EINTR)
			err = -errno;
		for (int i = 0; i < n; i++)
			dispatch(b, events[i].data.fd, timer);
		brain_drain(b, &more);
	}
	if (epoll >= 0)
		close(epoll);
	if (timer >= 0)
		close(timer);
	return err;
}
