/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.c: see notify.h. The address begins with '/' or, for the abstract name space, '@'.
 */
#include "agent/warden/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/slice.h"

void notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;
	socklen_t size;
	int fd;

	if (!len)
		return;
	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(to.sun_path)) {
		log_once(LOG_WARN, "NOTIFY_SOCKET is no address that we can use: %s", path);
		return;
	}
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = 0;
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&to,
		   size) < 0)
		log_once(LOG_WARN, "NOTIFY_SOCKET %s does not take messages", path);
	close(fd);
}

void notify_reloading(void)
{
	char text[80];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)(clock_mono_ns() / NS_PER_US));
	notify(text);
}

uint64_t notify_watchdog_ns(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t value;

	if (!usec || slice_u64(slice_str(usec), &value))
		return 0;
	if (value > UINT64_MAX / NS_PER_US)
		return 0;
	if (pid) {
		uint64_t mine;

		if (slice_u64(slice_str(pid), &mine) || mine != (uint64_t)getpid())
			return 0;
	}
	return value * NS_PER_US;
}
