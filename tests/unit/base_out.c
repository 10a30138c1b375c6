/* SPDX-License-Identifier: Apache-2.0 */
/* Rows to descriptors that are slow, full or closed: whole rows, exact counts, no waiting. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/out.h"

static void row(struct out *o, size_t octets)
{
	struct buf *b = out_row(o);

	for (size_t i = 0; i + 1 < octets; i++)
		buf_add_byte(b, 'x');
	buf_add_byte(b, '\n');
	out_commit(o);
}

static void to_a_file(void **state)
{
	char name[] = "/tmp/base_out.XXXXXX";
	int fd = mkstemp(name);
	struct out o;

	out_init(&o, fd, 1 << 20);
	for (int i = 0; i < 1000; i++)
		row(&o, 101);
	out_flush(&o);
	assert_int_equal(lseek(fd, 0, SEEK_END), 101000);
	assert_u64(o.rows, 1000);
	assert_u64(o.dropped, 0);
	out_done(&o);
	close(fd);
	unlink(name);
}

/* Nobody reads: memory fills up to its bound, then rows are dropped; then somebody reads all. */
static void to_a_pipe_that_nobody_reads(void **state)
{
	char *got = malloc(1 << 20);
	size_t len = 0;
	ssize_t n;
	int fd[2];
	struct out o;

	assert_int_equal(pipe(fd), 0);
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	out_init(&o, fd[1], 200000);
	for (int i = 0; i < 1000; i++)
		row(&o, 1000);
	assert_true(o.dropped > 0);
	assert_u64(o.rows + o.dropped, 1000);
	assert_true(o.pending.len <= 200000);
	for (int i = 0; i < 1000 && len < o.rows * 1000; i++) {
		while ((n = read(fd[0], got + len, (1 << 20) - len)) > 0)
			len += (size_t)n;
		out_flush(&o);
	}
	assert_u64(len, o.rows * 1000);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(got[i], i % 1000 == 999 ? '\n' : 'x');
	out_done(&o);
	close(fd[0]);
	close(fd[1]);
	free(got);
}

static void to_a_pipe_that_closed(void **state)
{
	struct out o;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	out_init(&o, fd[1], 200000);
	row(&o, 10);
	row(&o, 10);
	close(fd[0]);
	out_flush(&o);
	assert_true(o.closed);
	assert_int_equal(o.error, EPIPE);
	assert_u64(o.rows, 0);
	assert_u64(o.dropped, 2);
	row(&o, 10);
	assert_u64(o.dropped, 3);
	assert_u64(o.errors, 1);
	out_done(&o);
	close(fd[1]);
}

static void to_a_full_disk(void **state)
{
	int fd = open("/dev/full", O_WRONLY);
	struct out o;

	assert_true(fd >= 0);
	out_init(&o, fd, 1000);
	for (int i = 0; i < 20; i++)
		row(&o, 100);
	out_flush(&o);
	out_flush(&o);
	assert_int_equal(o.error, ENOSPC);
	assert_false(o.closed);
	assert_u64(o.errors, 2);
	assert_u64(o.rows, 10);
	assert_u64(o.dropped, 10);
	out_done(&o);
	assert_u64(o.rows, 0);
	assert_u64(o.dropped, 20);
	close(fd);
}

/* A row that does not fit leaves nothing of itself behind. */
static void row_larger_than_all(void **state)
{
	struct out o;
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	out_init(&o, fd[1], 100);
	row(&o, 60);
	row(&o, 60);
	row(&o, 40);
	assert_u64(o.rows, 2);
	assert_u64(o.dropped, 1);
	assert_u64(o.pending.len, 100);
	out_done(&o);
	close(fd[0]);
	close(fd[1]);
}

/* The old reader has the beginning of a row: its rest must not begin the new file. */
static void another_file(void **state)
{
	char name[] = "/tmp/base_out.XXXXXX", text[4096];
	int file = mkstemp(name), fd[2];
	struct out o;
	uint64_t pending;
	ssize_t n;

	assert_int_equal(pipe(fd), 0);
	out_init(&o, fd[1], 1 << 20);
	for (int i = 0; i < 500; i++)
		row(&o, 999);
	out_flush(&o);
	assert_true(o.torn);
	pending = o.pending.len;
	out_change(&o, file);
	out_flush(&o);
	assert_u64(o.dropped, 1);
	assert_u64(o.rows, 499);
	assert_false(o.torn);
	assert_int_equal(lseek(file, 0, SEEK_END), pending / 999 * 999);
	assert_int_equal(pread(file, text, 1000, 0), 1000);
	assert_int_equal(text[998], '\n');
	n = read(fd[0], text, sizeof(text));
	assert_true(n > 0);
	out_done(&o);
	close(file);
	unlink(name);
	close(fd[0]);
	close(fd[1]);
}

static void off(void **state)
{
	struct out o;

	out_init(&o, -1, 100);
	out_flush(&o);
	out_done(&o);
	assert_u64(o.errors, 0);
}

static void patient(void **state)
{
	struct out o;
	char text[4096];
	int fd[2];
	size_t len = 0;
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe(fd), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		close(fd[0]);
		out_init(&o, fd[1], 200000);
		o.patient = true;
		for (int i = 0; i < 2000; i++)
			row(&o, 1000);
		out_flush(&o);
		_exit(o.dropped ? 1 : 0);
	}
	close(fd[1]);
	usleep(50000);
	while ((n = read(fd[0], text, sizeof(text))) > 0)
		len += (size_t)n;
	assert_u64(len, 2000000);
	close(fd[0]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(to_a_file),
		T(to_a_pipe_that_nobody_reads),
		T(to_a_pipe_that_closed),
		T(to_a_full_disk),
		T(row_larger_than_all),
		T(off),
		T(another_file),
		T(patient),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
