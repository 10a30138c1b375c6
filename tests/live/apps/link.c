/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.c: a line between two network namespaces with a delay, a rate, a loss and a queue, the same in
 * both directions. Made for lib/link.py; not every kernel has netem.
 *
 *   link NEAR FAR
 *   in:  DELAY_US BITS_PER_SECOND LOSS_PER_MILLE QUEUE_BYTES SEED      what the line is from now on
 *   out: {"to_far": {"passed": 1, "lost": 0, "full": 0}, "to_near": …}  packets since the line before
 *
 * Each namespace gets a TUN device wan0. A packet that is read from one waits until those before it are
 * sent, takes its length at the rate, travels for the delay and is written to the other. Dropped: what
 * finds more than QUEUE_BYTES before it (a full queue), and LOSS_PER_MILLE of the rest, by chance with a
 * seed for each direction, so that a run can be repeated. Until the first line of input nothing passes, and
 * never anything but IPv4: what kernels say on their own would use up chances. Ends with its input. One
 * thread, real time priority where it may have it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define MTU   1500
#define SLOTS 8192 /* small packets of a full queue and of the longest line */
#define SEC   1000000000ull

struct packet {
	uint64_t due_ns;
	int len;
	char octets[MTU];
};

struct direction {
	struct packet *slots; /* a ring: the oldest at `head % SLOTS` */
	unsigned int head, tail;
	uint64_t free_ns; /* when the last packet will have been sent */
	unsigned short seed[3];
	unsigned long passed, lost, full;
};

static struct {
	uint64_t delay_us, bits_per_second, loss_per_mille, queue_bytes;
	unsigned int seed;
} line;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SEC + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int open_tun(const char *namespace)
{
	struct ifreq request = { .ifr_name = "wan0", .ifr_flags = IFF_TUN | IFF_NO_PI };
	char path[256];
	int ns, fd;

	snprintf(path, sizeof(path), "/var/run/netns/%s", namespace);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET))
		fail(path);
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request))
		fail("/dev/net/tun");
	return fd;
}

static void put(struct direction *d, const char *octets, int len, uint64_t now)
{
	uint64_t begin = d->free_ns > now ? d->free_ns : now;
	struct packet *p;

	if (d->tail - d->head == SLOTS ||
	    (begin - now) * line.bits_per_second / 8 / SEC > line.queue_bytes) {
		d->full++;
		return;
	}
	d->free_ns = begin + (uint64_t)len * 8 * SEC / line.bits_per_second;
	/* What is lost on the way took its time at the sender. */
	if (erand48(d->seed) * 1000 < (double)line.loss_per_mille) {
		d->lost++;
		return;
	}
	p = &d->slots[d->tail++ % SLOTS];
	p->due_ns = d->free_ns + line.delay_us * 1000;
	p->len = len;
	memcpy(p->octets, octets, (size_t)len);
}

static void take(struct direction *d, int from)
{
	char octets[MTU];
	ssize_t len;

	while ((len = read(from, octets, sizeof(octets))) > 0)
		if (octets[0] >> 4 == 4 && line.bits_per_second)
			put(d, octets, (int)len, now_ns());
	if (len < 0 && errno != EAGAIN)
		fail("read");
}

static void give(struct direction *d, int to)
{
	while (d->head != d->tail && d->slots[d->head % SLOTS].due_ns <= now_ns()) {
		struct packet *p = &d->slots[d->head++ % SLOTS];

		if (write(to, p->octets, (size_t)p->len) != p->len)
			fail("write");
		d->passed++;
	}
}

/* Until the next packet is due, at most a second. */
static struct timespec wait_time(const struct direction *d)
{
	uint64_t now = now_ns(), next = now + SEC;

	for (int i = 0; i < 2; i++) {
		if (d[i].head != d[i].tail && d[i].slots[d[i].head % SLOTS].due_ns < next)
			next = d[i].slots[d[i].head % SLOTS].due_ns;
	}
	next = next > now ? next - now : 0;
	return (struct timespec){ .tv_sec = (time_t)(next / SEC), .tv_nsec = (long)(next % SEC) };
}

/* false: the input has ended. */
static bool read_line(struct direction *d)
{
	char text[128];
	ssize_t len = read(STDIN_FILENO, text, sizeof(text) - 1);

	if (len <= 0)
		return false;
	text[len] = 0;
	if (sscanf(text, "%lu %lu %lu %lu %u", &line.delay_us, &line.bits_per_second,
		   &line.loss_per_mille, &line.queue_bytes, &line.seed) != 5 ||
	    !line.bits_per_second) {
		fprintf(stderr, "link: not a line: %s\n", text);
		exit(2);
	}
	printf("{");
	for (int i = 0; i < 2; i++) {
		printf("%s\": {\"passed\": %lu, \"lost\": %lu, \"full\": %lu}",
		       i ? ", \"to_near" : "\"to_far", d[i].passed, d[i].lost, d[i].full);
		d[i].passed = d[i].lost = d[i].full = 0;
		d[i].seed[0] = (unsigned short)line.seed;
		d[i].seed[1] = (unsigned short)i;
		d[i].seed[2] = 1;
	}
	printf("}\n");
	fflush(stdout);
	return true;
}

int main(int argc, char **argv)
{
	static struct direction d[2]; /* [0]: from near to far */
	struct sched_param real_time = { .sched_priority = 1 };
	struct pollfd p[3] = { { .events = POLLIN },
			       { .events = POLLIN },
			       { .fd = STDIN_FILENO, .events = POLLIN } };

	if (argc != 3) {
		fprintf(stderr, "usage: link NEAR FAR\n");
		return 2;
	}
	for (int i = 0; i < 2; i++) {
		p[i].fd = open_tun(argv[1 + i]);
		d[i].slots = calloc(SLOTS, sizeof(struct packet));
		if (!d[i].slots)
			fail("link");
	}
	prctl(PR_SET_TIMERSLACK, 1);
	sched_setscheduler(0, SCHED_FIFO, &real_time);
	for (;;) {
		struct timespec wait = wait_time(d);

		if (ppoll(p, 3, &wait, NULL) < 0 && errno != EINTR)
			fail("poll");
		if (p[2].revents && !read_line(d))
			return 0;
		for (int i = 0; i < 2; i++)
			take(&d[i], p[i].fd);
		for (int i = 0; i < 2; i++)
			give(&d[i], p[!i].fd);
	}
}
