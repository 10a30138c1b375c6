/* SPDX-License-Identifier: Apache-2.0 */
/*
 * urgency.c: the loop's place in the queue for a processor. A ring holds some milliseconds of a busy
 * host. The loop needs little time, but soon after it is woken; on a machine whose processors are all
 * taken it would wait for the others' slices, or for the next tick. From 6.12 on a task may ask the
 * fair scheduler for a shorter slice: it then gets its share in smaller parts and earlier, not more of
 * it, so nobody is given less. No privilege is needed. Older kernels take no notice.
 */
#include "agent/brain/urgency.h"

#include <errno.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLICE_NS 100000 /* the shortest that the kernel gives */

int urgency_ask(void)
{
	struct sched_attr a = {
		.size = sizeof(a),
		.sched_policy = SCHED_NORMAL,
		.sched_flags = SCHED_FLAG_RESET_ON_FORK, /* the loop only, not export's worker */
		.sched_runtime = SLICE_NS,
	};

	errno = 0;
	a.sched_nice = getpriority(PRIO_PROCESS, 0);
	if (errno)
		return -errno;
	return syscall(__NR_sched_setattr, 0, &a, 0) ? -errno : 0;
}
