/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_confine.c: what the brain's filter refuses and what it must not: each tried in a child that is
 * confined as the brain is.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/brain/confine.h"

/* Exit code of a confined child that ran `body`. */
static int confined(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int err = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : confine();

		_exit(err == -EINVAL || err == -ENOSYS ? 77 : err ? 1 : body());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	return WEXITSTATUS(status);
}

#define REFUSED(call) ((errno = 0), (call) == -1 && errno == EPERM)

static int run_programs(void)
{
	char *const none[] = { NULL };

	return REFUSED(execve("/bin/true", none, none)) ? 0 : 2;
}

static int reach_the_kernel(void)
{
	union bpf_attr attr = { 0 };

	if (!REFUSED(syscall(__NR_bpf, BPF_MAP_CREATE, &attr, sizeof(attr))))
		return 2;
	if (!REFUSED(syscall(__NR_perf_event_open, NULL, 0, 0, 0, 0)))
		return 3;
	if (!REFUSED(syscall(__NR_io_uring_setup, 1, NULL)))
		return 4;
	if (!REFUSED(ptrace(PTRACE_TRACEME, 0, NULL, NULL)))
		return 5;
	if (!REFUSED(syscall(__NR_mknodat, AT_FDCWD, "/tmp/x", 0, 0))) /* the last but none */
		return 6;
	return 0;
}

static void *thread(void *ctx)
{
	*(int *)ctx = (int)syscall(__NR_bpf, 0, NULL, 0) == -1 && errno == EPERM;
	return NULL;
}

/* What the loop, the exporter and the resolver live on. */
static int do_its_work(void)
{
	int inherits = 0;
	pthread_t worker;
	int pair[2];
	int fd = open("/etc/hostname", O_RDONLY);

	if (fd < 0 && errno == EPERM)
		return 2;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || write(pair[0], "x", 1) != 1)
		return 3;
	if (epoll_create1(0) < 0 || socket(AF_INET, SOCK_STREAM, 0) < 0)
		return 4;
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	    MAP_FAILED)
		return 5;
	if (pthread_create(&worker, NULL, thread, &inherits) || pthread_join(worker, NULL))
		return 6;
	return inherits ? 0 : 7;
}

static void no_programs(void **state)
{
	assert_int_equal(confined(run_programs), 0);
}

static void no_kernel(void **state)
{
	assert_int_equal(confined(reach_the_kernel), 0);
}

static void work_goes_on(void **state)
{
	assert_int_equal(confined(do_its_work), 0);
}

UNIT_MAIN(T(no_programs), T(no_kernel), T(work_goes_on))
