/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ahead.c: a library that, loaded before others, lets a program's wall clock go two seconds ahead, as on a host
 * whose clock is not set. CLOCK_MONOTONIC, which the kernel stamps events with, stays as it is.
 */
#include <dlfcn.h>
#include <time.h>

static int (*ask)(clockid_t id, struct timespec *t);

__attribute__((constructor)) static void find(void)
{
	ask = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	int err = ask(id, t);

	if (!err && id == CLOCK_REALTIME)
		t->tv_sec += 2;
	return err;
}
