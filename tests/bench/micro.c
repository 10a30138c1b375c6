/* SPDX-License-Identifier: Apache-2.0 */
/*
 * micro.c: what one call costs a process that nobody watches. Prints nanoseconds of its own CPU time a
 * call; started by tests/bench/bench.py in turns with and without the agent.
 *
 *   micro getppid COUNT   a system call that has nothing to do with sockets
 *   micro socket COUNT    calls on a TCP connection to itself over loopback: write, read there, and back
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int pair(int ends[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&a, len) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&a, &len) ||
	    connect(ends[0], (struct sockaddr *)&a, len))
		return -1;
	ends[1] = accept(listener, NULL, NULL);
	close(listener);
	for (int i = 0; i < 2; i++)
		setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return ends[1] < 0 ? -1 : 0;
}

/* Four socket calls a round. */
static int round_trips(long count)
{
	char buf[64] = "x";
	int ends[2];

	if (pair(ends))
		return -1;
	for (long i = 0; i < count; i++)
		for (int from = 0; from < 2; from++)
			if (write(ends[from], buf, sizeof(buf)) != sizeof(buf) ||
			    read(ends[!from], buf, sizeof(buf)) != sizeof(buf))
				return -1;
	return 0;
}

int main(int argc, char **argv)
{
	long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0, calls = count;
	double begin = cpu_ns();

	if (count <= 0)
		return 2;
	if (!strcmp(argv[1], "getppid")) {
		for (long i = 0; i < count; i++)
			syscall(SYS_getppid);
	} else if (round_trips(count)) {
		perror("micro");
		return 1;
	} else {
		calls = count * 4;
	}
	printf("%.2f\n", (cpu_ns() - begin) / (double)calls);
	return 0;
}
