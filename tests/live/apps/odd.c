/* SPDX-License-Identifier: Apache-2.0 */
/*
 * odd.c: a server that moves bytes by the system calls that an agent on the socket layer can stumble
 * over. One connection at a time, keep-alive; every request is read whole (head, then Content-Length).
 * Subject of tests/live/sockets.py.
 *
 *   odd PORT MODE
 *
 * Every answer is 200 with a body of 26 octets. Modes: plain peek trunc recvmsg recvmmsg readv sendmmsg
 * zerocopy splice_in threads compat uring uring_trap.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/errqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEAD "HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n"
#define BODY "abcdefghijklmnopqrstuvwxyz"
#define ROOM (1 << 20)

static char *room; /* below 4 GiB, so that 32-bit calls can name it */
static char *answer;
static struct io_uring ring;
static int trap_pipe[2];

struct mode {
	const char *name;
	ssize_t (*receive)(int fd, char *at, size_t len);
	int (*send)(int fd);
};

static ssize_t plain_receive(int fd, char *at, size_t len)
{
	return read(fd, at, len);
}

static int plain_send(int fd)
{
	return write(fd, answer, strlen(answer)) == (ssize_t)strlen(answer) ? 0 : -1;
}

static ssize_t peek_receive(int fd, char *at, size_t len)
{
	if (recv(fd, at, len, MSG_PEEK) <= 0)
		return 0;
	return recv(fd, at, len, 0);
}

static ssize_t recvmsg_receive(int fd, char *at, size_t len)
{
	struct iovec v[2] = { { at, 7 }, { at + 7, len - 7 } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

	return recvmsg(fd, &m, 0);
}

static ssize_t readv_receive(int fd, char *at, size_t len)
{
	struct iovec v[3] = { { at, 1 }, { at + 1, 10 }, { at + 11, len - 11 } };

	return readv(fd, v, 3);
}

static ssize_t recvmmsg_receive(int fd, char *at, size_t len)
{
	struct iovec v = { at, len };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };

	return recvmmsg(fd, &m, 1, 0, NULL) == 1 ? (ssize_t)m.msg_len : -1;
}

/* Two messages in one call: which bytes belong to which is not to be seen in the arguments. */
static int sendmmsg_send(int fd)
{
	struct iovec v[2] = { { answer, strlen(HEAD) }, { answer + strlen(HEAD), strlen(BODY) } };
	struct mmsghdr m[2] = { { .msg_hdr = { .msg_iov = &v[0], .msg_iovlen = 1 } },
				{ .msg_hdr = { .msg_iov = &v[1], .msg_iovlen = 1 } } };

	return sendmmsg(fd, m, 2, 0) == 2 ? 0 : -1;
}

static int zerocopy_send(int fd)
{
	static char page[4096] __attribute__((aligned(4096)));
	int one = 1;

	memcpy(page, answer, strlen(answer));
	if (setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)))
		return -1;
	return send(fd, page, strlen(answer), MSG_ZEROCOPY) == (ssize_t)strlen(answer) ? 0 : -1;
}

/* The call number and pointers of i386, from a 64-bit program: int 0x80. */
static long compat_call(long number, long a, long b, long c)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(number), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

static ssize_t compat_receive(int fd, char *at, size_t len)
{
	return compat_call(3, fd, (long)at, (long)len);
}

static int compat_send(int fd)
{
	return compat_call(4, fd, (long)answer, (long)strlen(answer)) == (long)strlen(answer) ? 0
											      : -1;
}

static int uring_wait(void)
{
	struct io_uring_cqe *done;
	int result;

	if (io_uring_submit(&ring) < 0 || io_uring_wait_cqe(&ring, &done))
		return -1;
	result = done->res;
	io_uring_cqe_seen(&ring, done);
	return result;
}

static ssize_t uring_receive(int fd, char *at, size_t len)
{
	io_uring_prep_recv(io_uring_get_sqe(&ring), fd, at, len, 0);
	return uring_wait();
}

static int uring_send(int fd)
{
	io_uring_prep_send(io_uring_get_sqe(&ring), fd, answer, strlen(answer), 0);
	return uring_wait() == (int)strlen(answer) ? 0 : -1;
}

/*
 * The receive completes while this task sits in read(pipe), whose buffer holds a request that was never
 * sent: an agent that believes the arguments of the running call reports it.
 */
static void *trap_feed(void *arg)
{
	static const char lie[] = "GET /never-sent HTTP/1.1\r\nHost: lie\r\n\r\n";

	usleep(200000);
	if (write(trap_pipe[1], lie, sizeof(lie) - 1) < 0)
		perror("odd: pipe");
	return arg;
}

static ssize_t trap_receive(int fd, char *at, size_t len)
{
	static char decoy[512] = "GET /never-sent HTTP/1.1\r\nHost: lie\r\n\r\n";
	pthread_t feeder;

	io_uring_prep_recv(io_uring_get_sqe(&ring), fd, at, len, 0);
	io_uring_submit(&ring);
	if (pthread_create(&feeder, NULL, trap_feed, NULL))
		return -1;
	if (read(trap_pipe[0], decoy, sizeof(decoy)) < 0)
		return -1;
	pthread_join(feeder, NULL);
	return uring_wait();
}

/* The answer is written by another thread than the one that reads. */
static void *writer(void *arg)
{
	return plain_send((int)(long)arg) ? NULL : arg;
}

static int thread_send(int fd)
{
	pthread_t t;
	void *done;

	if (pthread_create(&t, NULL, writer, (void *)(long)fd) || pthread_join(t, &done))
		return -1;
	return done ? 0 : -1;
}

static const struct mode modes[] = {
	{ "plain", plain_receive, plain_send },	      { "peek", peek_receive, plain_send },
	{ "recvmsg", recvmsg_receive, plain_send },   { "readv", readv_receive, plain_send },
	{ "recvmmsg", recvmmsg_receive, plain_send }, { "sendmmsg", plain_receive, sendmmsg_send },
	{ "zerocopy", plain_receive, zerocopy_send }, { "threads", plain_receive, thread_send },
	{ "trunc", plain_receive, plain_send },	      { "splice_in", plain_receive, plain_send },
	{ "compat", compat_receive, compat_send },    { "uring", uring_receive, uring_send },
	{ "uring_trap", trap_receive, plain_send },
};

/* The rest of a body: discarded in the kernel, moved into a pipe, or read like the head. */
static int take_body(const struct mode *m, int fd, size_t left)
{
	int nowhere[2];
	ssize_t n;

	if (pipe(nowhere))
		return -1;
	while (left) {
		if (!strcmp(m->name, "trunc"))
			n = recv(fd, NULL, left, MSG_TRUNC);
		else if (!strcmp(m->name, "splice_in"))
			n = splice(fd, NULL, nowhere[1], NULL, left < 65536 ? left : 65536, 0);
		else
			n = m->receive(fd, room, left < ROOM ? left : ROOM);
		if (n <= 0)
			return -1;
		if (!strcmp(m->name, "splice_in") && read(nowhere[0], room, (size_t)n) != n)
			return -1;
		left -= (size_t)n;
	}
	close(nowhere[0]);
	close(nowhere[1]);
	return 0;
}

static int serve_one(const struct mode *m, int fd)
{
	size_t have = 0, body = 0, over;
	char *end = NULL, *length;
	ssize_t n;

	while (!end) {
		n = m->receive(fd, room + have, 8192);
		if (n <= 0 || have > ROOM - 16384)
			return -1;
		have += (size_t)n;
		room[have] = '\0';
		end = strstr(room, "\r\n\r\n");
	}
	length = strstr(room, "Content-Length: ");
	if (length && length < end)
		body = strtoul(length + 16, NULL, 10);
	over = have - (size_t)(end + 4 - room);
	if (body > over && take_body(m, fd, body - over))
		return -1;
	return m->send(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
	const struct mode *m = NULL;

	for (size_t i = 0; argc == 3 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(argv[2], modes[i].name))
			m = &modes[i];
	room = mmap(NULL, ROOM + 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (!m || room == MAP_FAILED || pipe(trap_pipe))
		return 2;
	if (!strncmp(m->name, "uring", 5) && io_uring_queue_init(8, &ring, 0)) {
		fprintf(stderr, "odd: this kernel refuses io_uring\n");
		return 77;
	}
	answer = room + ROOM;
	memcpy(answer, HEAD BODY, sizeof(HEAD BODY));
	signal(SIGPIPE, SIG_IGN);
	a.sin_port = htons((unsigned short)strtoul(argv[1], NULL, 10));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 16))
		return 1;
	for (;;) {
		int c = accept(fd, NULL, NULL);

		while (c >= 0 && !serve_one(m, c))
			;
		close(c);
	}
}
