/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.c: reads the rings through its own mapping, with no system call but mmap and epoll; so it
 * needs no capability and works under a seccomp filter that forbids bpf(2). First stage of the flow,
 * unprivileged half: owned by the brain, on its loop thread.
 *
 * The control ring is the kernel's (kernel/bpf/ringbuf.c): one page with the consumer's position (ours
 * to write), one with the producer's, then the data, mapped twice in a row so that a record never wraps.
 * Each record has an 8-byte header; its length has a bit while the kernel still writes it. The data
 * rings are our own: struct pc_ring of abi.h.
 */
#include "capture/reader.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#define RECORD_HEADER 8
#define RELEASE_BYTES 65536 /* give room back to the kernel at least this often */

struct ring {
	uint64_t *consumer;	  /* rw page; data ring: pc_ring.tail */
	const uint64_t *producer; /* data ring: pc_ring.head */
	const char *data;
	size_t bytes;
	uint64_t at;	 /* our position */
	uint64_t *taken; /* what lies before it was handed out, or is in hand */
};

struct reader {
	struct reader_sink sink;
	struct ring control_ring;
	struct ring data[CAPTURE_DATA_RINGS];
	uint32_t rings;
	uint64_t ring_key;
	struct pc_ring *ring_ends;
	const char *ring_bytes;
	size_t ring_stride;	      /* from one data ring's bytes to the next one's */
	uint64_t taken[READER_RINGS]; /* where the sink has no place for it */
	int epoll;
	struct pc_directive *directives;
	struct pc_control *control;
	const struct pc_counters *counters;
	struct reader_stats stats;
	uint32_t cpus; /* that have counters */
	uint64_t lost; /* records, as far as the sink knows */
	bool behind;   /* the last drain left something that was there at its beginning */
};

/* NULL with errno. */
static void *map_fd(int fd, size_t bytes, int prot, off_t offset)
{
	void *at = mmap(NULL, bytes, prot, MAP_SHARED, fd, offset);

	return at == MAP_FAILED ? NULL : at;
}

static uint64_t ring_end(const struct ring *r)
{
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
}

/* Where the reader before us stopped; what it said of itself is believed within the ring. Room that it
 * took and did not give back is given now: if that is the whole ring, no record would come any more. */
static void ring_resume(struct ring *r)
{
	uint64_t released = __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE);
	uint64_t taken = *r->taken;

	r->at = taken > released && taken <= ring_end(r) && taken % 8 == 0 ? taken : released;
	__atomic_store_n(r->consumer, r->at, __ATOMIC_RELEASE);
}

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int control_map(struct ring *r, int fd, uint32_t bytes, uint64_t *taken)
{
	size_t page = page_bytes();

	r->bytes = bytes;
	r->consumer = map_fd(fd, page, PROT_READ | PROT_WRITE, 0);
	if (!r->consumer)
		return -errno;
	r->producer = map_fd(fd, page + 2 * (size_t)bytes, PROT_READ, (off_t)page);
	if (!r->producer)
		return -errno;
	r->data = (const char *)r->producer + page;
	r->taken = taken;
	ring_resume(r);
	return 0;
}

static void control_unmap(struct ring *r)
{
	if (r->consumer)
		munmap(r->consumer, page_bytes());
	if (r->producer)
		munmap((void *)r->producer, page_bytes() + 2 * r->bytes);
}

static int data_map(struct reader *r, const struct capture_fds *fds, uint64_t *taken)
{
	const int rw = PROT_READ | PROT_WRITE;

	r->rings = fds->data_rings;
	r->ring_key = fds->ring_key;
	r->ring_stride = fds->data_ring_bytes + PC_RING_SLACK;
	r->ring_ends = map_fd(fds->ring_ends, r->rings * sizeof(struct pc_ring), rw, 0);
	if (!r->ring_ends)
		return -errno;
	r->ring_bytes = map_fd(fds->ring_bytes, r->rings * r->ring_stride, PROT_READ, 0);
	if (!r->ring_bytes)
		return -errno;
	for (uint32_t i = 0; i < r->rings; i++) {
		struct ring *q = &r->data[i];

		q->consumer = (uint64_t *)&r->ring_ends[i].tail;
		q->producer = (const uint64_t *)&r->ring_ends[i].head;
		q->data = r->ring_bytes + i * r->ring_stride;
		q->bytes = fds->data_ring_bytes;
		q->taken = taken + i;
		ring_resume(q);
	}
	return 0;
}

static int watch(struct reader *r, int fd)
{
	/* Edge-triggered: the kernel wakes us in batches, not for each record. */
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };

	return epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

static int map_all(struct reader *r, const struct capture_fds *fds)
{
	uint64_t *taken = r->sink.taken ?: r->taken;
	const int rw = PROT_READ | PROT_WRITE;
	int err;

	err = control_map(&r->control_ring, fds->control_ring, fds->control_ring_bytes, taken);
	err = err ?: watch(r, fds->control_ring);
	err = err ?: data_map(r, fds, taken + 1);
	if (err)
		return err;
	r->directives = map_fd(fds->directives, PC_DIRECTIVES * sizeof(struct pc_directive), rw, 0);
	if (!r->directives)
		return -errno;
	r->control = map_fd(fds->control, sizeof(struct pc_control), rw, 0);
	if (!r->control)
		return -errno;
	r->counters = map_fd(fds->counters, PC_CPUS * sizeof(struct pc_counters), PROT_READ, 0);
	return r->counters ? 0 : -errno;
}

static uint64_t count_lost(const struct reader *r)
{
	uint64_t lost = 0;

	for (uint32_t cpu = 0; cpu < r->cpus; cpu++)
		for (unsigned kind = 0; kind < PC_KINDS; kind++)
			lost += __atomic_load_n(&r->counters[cpu].lost[kind], __ATOMIC_RELAXED);
	return lost;
}

int reader_new(const struct capture_fds *fds, const struct reader_sink *sink, struct reader **ret)
{
	struct reader *r;
	long cpus;
	int err;

	if (fds->data_rings == 0 || fds->data_rings > CAPTURE_DATA_RINGS)
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->sink = *sink;
	cpus = sysconf(_SC_NPROCESSORS_CONF);
	r->cpus = cpus > 0 && cpus < PC_CPUS ? (uint32_t)cpus : PC_CPUS;
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll < 0)
		err = -errno;
	else
		err = map_all(r, fds);
	if (err) {
		reader_free(r);
		return err;
	}
	r->lost = count_lost(r);
	*ret = r;
	return 0;
}

static void hand_out(struct reader *r, const char *at, uint32_t len)
{
	const struct pc_head *head = (const struct pc_head *)at;

	if (len < sizeof(*head) || head->size < sizeof(*head) || head->size > len) {
		r->stats.malformed++;
		return;
	}
	r->stats.records[head->kind % PC_KINDS]++;
	r->stats.bytes += len;
	r->sink.record(r->sink.ctx, head);
}

/* Gives room back to the kernel now and then; *released is what it knows. */
static void ring_release(struct ring *q, uint64_t least, uint64_t *released)
{
	if (q->at - *released < least)
		return;
	__atomic_store_n(q->consumer, q->at, __ATOMIC_RELEASE);
	*released = q->at;
}

/* Up to position `end`. Stops early at a record that is still being written (*ret_busy). */
static long control_drain(struct reader *r, struct ring *q, uint64_t end, bool *ret_busy)
{
	uint64_t released = q->at;
	long n = 0;

	*ret_busy = false;
	while (q->at < end) {
		const char *at = q->data + (q->at & (q->bytes - 1));
		uint32_t word = __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
		uint32_t len = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (word & BPF_RINGBUF_BUSY_BIT) {
			*ret_busy = true;
			break;
		}
		q->at += ((uint64_t)len + RECORD_HEADER + 7) & ~7ull;
		__atomic_store_n(q->taken, q->at, __ATOMIC_RELEASE);
		if (!(word & BPF_RINGBUF_DISCARD_BIT)) {
			hand_out(r, at + RECORD_HEADER, len);
			n++;
		}
		ring_release(q, RELEASE_BYTES, &released);
	}
	ring_release(q, 1, &released);
	return n;
}

/* Up to position `end`, where a record ends, or about `max_bytes`. Stops early at a record that is still
 * being written. */
static long data_drain(struct reader *r, struct ring *q, uint64_t end, uint64_t max_bytes)
{
	uint64_t begin = q->at, released = begin;
	long n = 0;

	while (q->at < end && q->at - begin < max_bytes) {
		const char *at = q->data + (q->at & (q->bytes - 1));
		const struct pc_head *head = (const struct pc_head *)(at + sizeof(uint64_t));
		uint64_t mark = __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);

		if (mark != pc_ring_mark(q->at, r->ring_key))
			break;
		if (head->size < sizeof(*head) || head->size > PC_RECORD_MAX ||
		    pc_ring_need(head->size) > end - q->at) {
			r->stats.malformed++; /* nobody knows where the next one begins */
			q->at = end;
			break;
		}
		q->at += pc_ring_need(head->size);
		__atomic_store_n(q->taken, q->at, __ATOMIC_RELEASE);
		hand_out(r, (const char *)head, head->size);
		n++;
		ring_release(q, RELEASE_BYTES, &released);
	}
	ring_release(q, 1, &released);
	return n;
}

/* After the marks were read: what a thread lost before it wrote a record that lies before them is counted
 * by now. */
static void look_for_lost(struct reader *r)
{
	uint64_t lost = count_lost(r);

	if (lost == r->lost)
		return;
	r->lost = lost;
	if (r->sink.lost)
		r->sink.lost(r->sink.ctx);
}

long reader_drain(struct reader *r, uint64_t max_bytes)
{
	struct epoll_event events[1];
	uint64_t mark[CAPTURE_DATA_RINGS];
	bool busy;
	long n;

	/* Takes the edge back, so that reader_fd is readable again only after a new wake-up. */
	(void)!epoll_wait(r->epoll, events, 1, 0);
	for (uint32_t i = 0; i < r->rings; i++)
		mark[i] = ring_end(&r->data[i]);
	look_for_lost(r);
	n = control_drain(r, &r->control_ring, ring_end(&r->control_ring), &busy);
	r->behind = busy;
	if (busy)
		return n; /* an OPEN may stand behind it: its data has to wait */
	for (uint32_t i = 0; i < r->rings; i++) {
		n += data_drain(r, &r->data[i], mark[i], max_bytes);
		r->behind |= r->data[i].at < mark[i];
	}
	return n;
}

bool reader_is_behind(const struct reader *r)
{
	return r->behind;
}

int reader_fd(const struct reader *r)
{
	return r->epoll;
}

void reader_direct(struct reader *r, const struct pc_directive *d)
{
	struct pc_directive *slot = &r->directives[pc_slot(d->conn)];

	/* The kernel reads conn, the rest, conn again: it must never see ours with another's rest. */
	__atomic_store_n(&slot->conn, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (int i = 0; i < 2; i++) {
		__atomic_store_n(&slot->until[i], d->until[i], __ATOMIC_RELAXED);
		__atomic_store_n(&slot->budget[i], d->budget[i], __ATOMIC_RELAXED);
	}
	__atomic_store_n(&slot->conn, d->conn, __ATOMIC_RELEASE);
}

void reader_contents(struct reader *r, uint32_t contents)
{
	__atomic_store_n(&r->control->contents, contents, __ATOMIC_RELAXED);
}

void reader_begin(struct reader *r, uint32_t brain_tgid)
{
	uint32_t next = r->control->brain_generation + 1;

	for (uint32_t i = 0; i < PC_DIRECTIVES; i++)
		__atomic_store_n(&r->directives[i].conn, 0, __ATOMIC_RELAXED);
	r->control->brain_tgid = brain_tgid;
	__atomic_store_n(&r->control->brain_generation, next ?: 1, __ATOMIC_SEQ_CST);
}

void reader_stats(const struct reader *r, struct reader_stats *ret)
{
	const size_t words = sizeof(struct pc_counters) / sizeof(uint64_t);
	uint64_t *sum;

	*ret = r->stats;
	memset(&ret->kernel, 0, sizeof(ret->kernel));
	sum = (uint64_t *)&ret->kernel;
	for (uint32_t cpu = 0; cpu < PC_CPUS; cpu++) {
		const uint64_t *slot = (const uint64_t *)&r->counters[cpu];

		for (size_t i = 0; i < words; i++)
			sum[i] += __atomic_load_n(&slot[i], __ATOMIC_RELAXED);
	}
}

void reader_free(struct reader *r)
{
	if (!r)
		return;
	control_unmap(&r->control_ring);
	if (r->ring_ends)
		munmap(r->ring_ends, r->rings * sizeof(struct pc_ring));
	if (r->ring_bytes)
		munmap((void *)r->ring_bytes, r->rings * r->ring_stride);
	if (r->directives)
		munmap(r->directives, PC_DIRECTIVES * sizeof(struct pc_directive));
	if (r->control)
		munmap(r->control, sizeof(struct pc_control));
	if (r->counters)
		munmap((void *)r->counters, PC_CPUS * sizeof(struct pc_counters));
	if (r->epoll >= 0)
		close(r->epoll);
	free(r);
}
