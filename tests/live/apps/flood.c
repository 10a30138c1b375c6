/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flood: both ends of a flood, for tests/live/flood.py and tests/live/capture_reset.py. Quick enough that a
 * reset meets the call that answers.
 *
 *   flood server PORT THREADS [OCTETS] a thread a connection; answers `GET /f?id=ID&n=BYTES[&w=OCTETS]` with
 *                                     BYTES of content: by one write, or w octets a write. Reads OCTETS a call
 *   flood forks PORT                  a process a connection: a child reads, its child answers, and others that
 *                                     inherit the connection only end
 *   flood reset PORT COUNT FIRST      COUNT connections, each ended by a reset at one of MOMENTS moments; their
 *                                     requests have ids from FIRST on, 2 a connection
 *   flood leave PORT COUNT FIRST      likewise, by a close: an end of stream, and a reset where more comes
 *   flood idle PORT COUNT FIRST PATH  COUNT connections, one `GET PATH?id=ID` each, then `ready`; a line of input:
 *                                     another on each, then `ready`; until the end of input
 *
 * A server's standard output is the truth, a line when it is known: `request ID SENT WANTED PID` (octets that
 * its writes took, and that it offered; 0 0: read and never answered), `connection PORT READ WRITTEN`.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX    131072
#define CONTENT_MAX (1 << 20)
#define MOMENTS	    8
#define SPIN_NS	    100000 /* a server answers within that: a reset falls before, into and after it */
#define IDLE_MAX    65536
#define A_SOURCE    2000 /* connections from one address: a free port is found soon */

static char content[CONTENT_MAX];
static size_t read_octets = HEAD_MAX;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in loopback(int port, unsigned host)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK + host) };
}

static void more_descriptors(void)
{
	struct rlimit most;

	if (getrlimit(RLIMIT_NOFILE, &most))
		die("getrlimit");
	most.rlim_cur = most.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &most))
		die("setrlimit");
}

/* ---- server ---- */

struct asked {
	unsigned long id, size, step;
};

static bool parse(const char *head, struct asked *a)
{
	*a = (struct asked){ 0 };
	return sscanf(head, "GET /f?id=%lu&n=%lu&w=%lu", &a->id, &a->size, &a->step) >= 2 &&
	       a->size <= CONTENT_MAX;
}

static ssize_t write_steps(int fd, const char *at, size_t len, size_t step)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, at + done, len - done < step ? len - done : step);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* False: it could not be written whole. */
static bool answer(int fd, const struct asked *a, unsigned long long *written)
{
	char text[4096];
	size_t len = (size_t)snprintf(text, 128, "HTTP/1.1 200 OK\r\nContent-Length: %lu\r\n\r\n",
				      a->size);
	struct iovec v[2] = { { text, len }, { content, a->size } };
	ssize_t n;

	if (a->step && a->size < sizeof(text) - len) {
		memcpy(text + len, content, a->size);
		n = write_steps(fd, text, len + a->size, a->step);
	} else {
		n = writev(fd, v, 2);
	}
	*written += n > 0 ? (unsigned long long)n : 0;
	printf("request %lu %zd %zu %d\n", a->id, n > 0 ? n : 0, len + a->size, getpid());
	return n == (ssize_t)(len + a->size);
}

static void serve(int fd, int port)
{
	static __thread char head[HEAD_MAX + 1];
	unsigned long long got = 0, written = 0;
	size_t have = 0;
	bool go_on = true;

	while (go_on && have < HEAD_MAX) {
		size_t room = HEAD_MAX - have;
		ssize_t n = read(fd, head + have, room < read_octets ? room : read_octets);
		char *at = head, *end;
		struct asked a;

		if (n <= 0)
			break;
		got += (unsigned long long)n;
		have += (size_t)n;
		head[have] = 0;
		/* Its end is in what came now, or just before. */
		end = have > (size_t)n + 3 ? head + have - n - 3 : head;
		while ((end = strstr(end, "\r\n\r\n"))) {
			end += 4;
			if (!parse(at, &a))
				go_on = false;
			else if (go_on)
				go_on = answer(fd, &a, &written);
			else
				printf("request %lu 0 0 %d\n", a.id, getpid());
			at = end;
		}
		have -= (size_t)(at - head);
		memmove(head, at, have + 1);
	}
	printf("connection %d %llu %llu\n", port, got, written);
	close(fd);
}

static void *serve_all(void *listener)
{
	for (;;) {
		struct sockaddr_in peer;
		socklen_t len = sizeof(peer);
		int fd = accept(*(int *)listener, (struct sockaddr *)&peer, &len);

		if (fd < 0)
			continue; /* reset before it was taken */
		serve(fd, ntohs(peer.sin_port));
	}
	return NULL;
}

static int listen_at(int port)
{
	struct sockaddr_in at = loopback(port, 0);
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) || listen(listener, 4096))
		die("listen");
	return listener;
}

static int server(int port, int threads)
{
	int listener = listen_at(port);
	pthread_t thread;

	for (int i = 1; i < threads; i++)
		if (pthread_create(&thread, NULL, serve_all, &listener))
			die("thread");
	serve_all(&listener);
	return 0;
}

/* ---- a process a connection ---- */

static void serve_by_child(int fd)
{
	unsigned long long written = 0;
	char head[4096];
	ssize_t n = read(fd, head, sizeof(head) - 1);
	struct asked a;

	if (n <= 0)
		_exit(0);
	head[n] = 0;
	for (int i = 0; i < 2; i++)
		if (fork() == 0)
			_exit(0);
	if (fork() == 0) {
		if (parse(head, &a))
			answer(fd, &a, &written);
		fflush(stdout);
		_exit(0);
	}
	_exit(0);
}

static void forks(int port)
{
	int listener = listen_at(port);

	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0 && fork() == 0)
			serve_by_child(fd);
		close(fd);
	}
}

/* ---- clients ---- */

static void spin(long ns)
{
	struct timespec from, now;

	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec - from.tv_nsec < ns);
}

static int request(char *at, size_t room, unsigned long id, unsigned long size)
{
	return snprintf(at, room, "GET /f?id=%lu&n=%lu HTTP/1.1\r\nHost: a\r\n\r\n", id, size);
}

static void read_some(int fd, long want)
{
	static char nothing[1 << 16];

	while (want > 0) {
		ssize_t n = recv(fd, nothing, sizeof(nothing), 0);

		if (n <= 0)
			return;
		want -= n;
	}
}

/* Connects, does what the moment says, and leaves. */
static void leave_one(int port, unsigned long i, unsigned long id, unsigned *seed, bool abort)
{
	static const unsigned long sizes[] = { 0, 100, 3000, 20000, 60000, 300000 };
	const struct linger reset = { abort, 0 };
	unsigned long size = sizes[(unsigned)rand_r(seed) % 6];
	struct sockaddr_in at = loopback(port, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char text[512];
	int len = request(text, sizeof(text), id, size);

	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)))
		die("connect");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (i % MOMENTS == 1) /* in the request */
		len /= 2;
	if (i % MOMENTS == 2) /* two at once */
		len += request(text + len, sizeof(text) - (size_t)len, id + 1, sizes[i % 5]);
	if (i % MOMENTS && send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		die("send");
	switch (i % MOMENTS) {
	case 3: /* in the answer, as soon as some of it is here */
		read_some(fd, 1);
		break;
	case 4: /* after the answer */
		read_some(fd, (long)size + 1);
		break;
	case 5:
	case 6:
	case 7:
		spin(rand_r(seed) % SPIN_NS);
		break;
	}
	close(fd);
}

static int leave_all(int port, unsigned long count, unsigned long first, bool abort)
{
	unsigned seed = (unsigned)first;

	for (unsigned long i = 0; i < count; i++)
		leave_one(port, i, first + 2 * i, &seed, abort);
	return 0;
}

static void ask(int fd, unsigned long id, const char *path)
{
	char text[4096];
	int len =
		snprintf(text, sizeof(text), "GET %s?id=%lu HTTP/1.1\r\nHost: a\r\n\r\n", path, id);

	if (send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		die("send");
}

/* A head with a Content-Length, and that. */
static void take_answer(int fd)
{
	char text[4096];
	size_t have = 0;

	for (;;) {
		ssize_t n = recv(fd, text + have, sizeof(text) - 1 - have, 0);
		unsigned long length = 0;
		char *end, *field;

		if (n <= 0)
			die("recv");
		have += (size_t)n;
		text[have] = 0;
		end = strstr(text, "\r\n\r\n");
		field = strstr(text, "Content-Length: ");
		if (field)
			length = strtoul(field + 16, NULL, 10);
		if (end && have >= (size_t)(end + 4 - text) + length)
			return;
	}
}

static int idle(int port, unsigned count, unsigned long first, const char *path)
{
	static int fds[IDLE_MAX];
	struct sockaddr_in at = loopback(port, 0);
	const int later = 1; /* bind() would look for a port that nobody has at all */
	char line[64];

	more_descriptors();
	for (unsigned i = 0; i < count && i < IDLE_MAX; i++) {
		struct sockaddr_in from = loopback(0, 1 + i / A_SOURCE);

		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
		if (fds[i] < 0 ||
		    setsockopt(fds[i], IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &later,
			       sizeof(later)) ||
		    bind(fds[i], (struct sockaddr *)&from, sizeof(from)) ||
		    connect(fds[i], (struct sockaddr *)&at, sizeof(at)))
			die("connect");
		ask(fds[i], first + i, path);
		take_answer(fds[i]);
	}
	puts("ready");
	while (fgets(line, sizeof(line), stdin)) {
		first += count;
		for (unsigned i = 0; i < count; i++) {
			ask(fds[i], first + i, path);
			take_answer(fds[i]);
		}
		puts("ready");
	}
	return 0;
}

int main(int argc, char **argv)
{
	int port = argc > 2 ? (int)strtoul(argv[2], NULL, 10) : 0;

	signal(SIGPIPE, SIG_IGN);
	memset(content, 'c', sizeof(content));
	setvbuf(stdout, NULL, _IOLBF, 1 << 16);
	if (argc >= 4 && strcmp(argv[1], "server") == 0) {
		if (argc == 5)
			read_octets = strtoul(argv[4], NULL, 10);
		return server(port, (int)strtoul(argv[3], NULL, 10));
	}
	if (argc == 3 && strcmp(argv[1], "forks") == 0)
		forks(port);
	if (argc == 5 && (strcmp(argv[1], "reset") == 0 || strcmp(argv[1], "leave") == 0))
		return leave_all(port, strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10),
				 argv[1][0] == 'r');
	if (argc == 6 && strcmp(argv[1], "idle") == 0)
		return idle(port, (unsigned)strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10),
			    argv[5]);
	fprintf(stderr, "see the head of flood.c\n");
	return 2;
}
