/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bodies.c: a client that moves large bodies as fast as they come: PORT COUNT CONNECTIONS CALL PREFIX.
 * Each connection is kept, asks for /b/200/SIZE or sends as much by PUT, sizes 64 KiB to 1 MiB in turn,
 * and reads up to CALL octets a call. One thread, epoll. It checks status and length of each answer and
 * ends with 1 where one is wrong.
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST (1 << 20)
#define HEAD 4096

struct conn {
	int fd;
	char head[HEAD + 1];
	size_t head_len, to_send, sent,
		left; /* of the request with its body; of the answer's body */
	long number;  /* of the request under way */
	int in_body;
	char *request;
};

static const int sizes[] = { 64 << 10, 100000, 256 << 10, 700001, MOST };
static long count, begun, done;
static size_t call;
static const char *prefix;
static char *sink;
static int epoll;

static void watch(struct conn *c, int op)
{
	struct epoll_event e = { .events = EPOLLIN | (c->sent < c->to_send ? EPOLLOUT : 0),
				 .data.ptr = c };

	if (epoll_ctl(epoll, op, c->fd, &e))
		err(2, "epoll_ctl");
}

static void push(struct conn *c)
{
	while (c->sent < c->to_send) {
		ssize_t n = send(c->fd, c->request + c->sent, c->to_send - c->sent, MSG_DONTWAIT);

		if (n <= 0)
			return;
		c->sent += (size_t)n;
	}
}

/* False: no more to ask. */
static int begin(struct conn *c)
{
	int size, put;

	if (begun == count)
		return 0;
	c->number = begun++;
	size = sizes[c->number % 5];
	put = c->number % 3 == 0;
	c->to_send = (size_t)snprintf(c->request, HEAD,
				      "%s /b/200/%d?id=%s%ld HTTP/1.1\r\nHost: bodies\r\n"
				      "Content-Length: %d\r\n\r\n",
				      put ? "PUT" : "GET", put ? 100 : size, prefix, c->number,
				      put ? size : 0);
	if (put) {
		memset(c->request + c->to_send, 'p', (size_t)size);
		c->to_send += (size_t)size;
	}
	c->sent = c->head_len = 0;
	c->in_body = 0;
	push(c);
	return 1;
}

static void head_whole(struct conn *c, const char *end)
{
	const char *length;

	c->head[c->head_len] = 0;
	if (strncmp(c->head, "HTTP/1.1 200 ", 13))
		errx(1, "request %ld: %.60s", c->number, c->head);
	length = strcasestr(c->head, "\r\ncontent-length:");
	if (!length)
		errx(1, "request %ld: no length", c->number);
	c->left = strtoul(length + 17, NULL, 10);
	c->left -= (size_t)(c->head + c->head_len - end);
	c->in_body = 1;
}

/* One call. False: nothing more for now. */
static int pull(struct conn *c)
{
	ssize_t n = recv(c->fd, sink, call, MSG_DONTWAIT);
	size_t take;
	char *end;

	if (n == 0)
		errx(1, "request %ld: the server closed", c->number);
	if (n < 0)
		return 0;
	if (c->in_body) {
		if ((size_t)n > c->left)
			errx(1, "request %ld: too long", c->number);
		c->left -= (size_t)n;
		return 1;
	}
	take = (size_t)n < HEAD - c->head_len ? (size_t)n : HEAD - c->head_len;
	memcpy(c->head + c->head_len, sink, take);
	c->head_len += take;
	end = memmem(c->head, c->head_len, "\r\n\r\n", 4);
	if (!end && c->head_len == HEAD)
		errx(1, "request %ld: its head is too long", c->number);
	if (end) {
		head_whole(c, end + 4);
		c->left -= (size_t)n - take;
	}
	return 1;
}

static void turn(struct conn *c, int op)
{
	while (pull(c))
		if (c->in_body && !c->left) {
			done++;
			if (!begin(c))
				break;
		}
	push(c);
	watch(c, op);
}

static struct conn *open_one(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
	struct conn *c = calloc(1, sizeof(*c));

	if (!c || !(c->request = malloc(MOST + HEAD)))
		err(2, "no memory");
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(c->fd, (struct sockaddr *)&at, sizeof(at)))
		err(2, "connect");
	return c;
}

int main(int argc, char **argv)
{
	if (argc != 6)
		errx(2, "PORT COUNT CONNECTIONS CALL PREFIX");
	count = atol(argv[2]);
	call = strtoul(argv[4], NULL, 10);
	prefix = argv[5];
	sink = malloc(call);
	epoll = epoll_create1(0);
	if (!sink || epoll < 0)
		err(2, "cannot begin");
	for (int i = (int)strtol(argv[3], NULL, 10); i > 0; i--) {
		struct conn *c = open_one((int)strtol(argv[1], NULL, 10));

		if (begin(c))
			watch(c, EPOLL_CTL_ADD);
	}
	while (done < count) {
		struct epoll_event e[64];
		int n = epoll_wait(epoll, e, 64, 30000);

		if (n <= 0)
			err(2, "nothing for 30 s");
		for (int i = 0; i < n; i++)
			turn(e[i].data.ptr, EPOLL_CTL_MOD);
	}
	return 0;
}
