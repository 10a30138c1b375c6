/* SPDX-License-Identifier: Apache-2.0 */
/*
 * truth.c: a blocking server, a thread a connection, that writes down its own monotonic times, so that
 * the agent's times can be held against them. Subject of tests/live/time_truth.py.
 *
 *   truth PORT LOG
 *   GET /t/DELAY_US/SIZE/WRITES   sleeps, then answers with SIZE octets in WRITES calls
 *
 * One line a request: target, then ns of CLOCK_MONOTONIC after the first read, before and after the
 * first write, after the last write.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX 8192
#define BODY_MAX (16 << 20)

static FILE *record;
static pthread_mutex_t record_lock = PTHREAD_MUTEX_INITIALIZER;
static char *body;

static unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long long)t.tv_sec * 1000000000ull + (unsigned long long)t.tv_nsec;
}

static int write_all(int fd, const char *at, size_t len)
{
	while (len) {
		ssize_t n = write(fd, at, len);

		if (n <= 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Head and first part of the body leave in one call, the rest in `writes - 1` more. */
static int answer(int fd, const char *target, unsigned long long read_ns)
{
	unsigned long delay = 0, size = 0, writes = 1, part;
	unsigned long long before, first, last;
	static __thread char head[256];
	size_t head_len;
	char *out;

	if (sscanf(target, "/t/%lu/%lu/%lu", &delay, &size, &writes) != 3 || size > BODY_MAX ||
	    !writes)
		return -1;
	if (delay)
		usleep((useconds_t)delay);
	head_len = (size_t)snprintf(head, sizeof(head),
				    "HTTP/1.1 200 OK\r\nContent-Length: %lu\r\n\r\n", size);
	part = size / writes;
	out = malloc(head_len + size);
	if (!out)
		return -1;
	memcpy(out, head, head_len);
	memcpy(out + head_len, body, size);
	before = now_ns();
	if (write_all(fd, out, head_len + (writes == 1 ? size : part)))
		goto fail;
	first = last = now_ns();
	for (unsigned long i = 1; i < writes; i++) {
		size_t from = part * i, to = i + 1 == writes ? size : part * (i + 1);

		usleep(200);
		if (write_all(fd, out + head_len + from, to - from))
			goto fail;
		last = now_ns();
	}
	free(out);
	pthread_mutex_lock(&record_lock);
	fprintf(record, "%s %llu %llu %llu %llu\n", target, read_ns, before, first, last);
	fflush(record);
	pthread_mutex_unlock(&record_lock);
	return 0;
fail:
	free(out);
	return -1;
}

static void *serve(void *arg)
{
	int fd = (int)(long)arg;
	char head[HEAD_MAX + 1], *end, *target;
	unsigned long long read_ns = 0;
	size_t have = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, head + have, HEAD_MAX - have);
		if (n <= 0)
			break;
		if (!have)
			read_ns = now_ns();
		have += (size_t)n;
		head[have] = '\0';
		end = strstr(head, "\r\n\r\n");
		if (!end)
			continue;
		target = strchr(head, ' ');
		if (!target || !strchr(target + 1, ' '))
			break;
		*strchr(target + 1, ' ') = '\0';
		if (answer(fd, target + 1, read_ns))
			break;
		have = 0; /* the client never pipelines here */
	}
	close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
	pthread_attr_t attr;
	pthread_t thread;

	if (argc != 3)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	a.sin_port = htons((unsigned short)strtoul(argv[1], NULL, 10));
	record = fopen(argv[2], "w");
	body = malloc(BODY_MAX);
	if (!record || !body)
		return 1;
	memset(body, 'b', BODY_MAX);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 128)) {
		perror("truth");
		return 1;
	}
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (;;) {
		int c = accept(fd, NULL, NULL);

		if (c >= 0 && pthread_create(&thread, &attr, serve, (void *)(long)c))
			close(c);
	}
}
