/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_recording.c: what was recorded is read back, through a file and through a pipe; a file cut at
 * any position, or changed at any byte, gives the whole records before and one clear error.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/recording.h"
#include "agent/recording_format.h"

#define RECORDS 9

static char path[64];

/* Records of odd lengths, so padding is met. */
static const struct pc_head *sample(unsigned i)
{
	static _Alignas(8) char bytes[RECORDING_RECORD];
	struct pc_head *head = (struct pc_head *)bytes;

	*head = (struct pc_head){ .kind = (__u16)(PC_DATA + i % 8),
				  .size = (__u32)(sizeof(*head) + i * 13),
				  .time_ns = 1000 + i };
	for (size_t b = sizeof(*head); b < head->size; b++)
		bytes[b] = (char)(i * 7 + b);
	return head;
}

static int made(void)
{
	struct recorder r;
	int fd;

	snprintf(path, sizeof(path), "/tmp/parcours-unit-%d.rec", (int)getpid());
	assert_int_equal(recording_create(path, true, &fd), 0);
	recorder_init(&r, fd, 0, 0);
	for (unsigned i = 0; i < RECORDS; i++)
		recorder_push(&r, sample(i));
	recorder_finish(&r);
	assert_int_equal(r.error, 0);
	assert_u64(r.records, RECORDS);
	recorder_done(&r);
	close(fd);
	return open(path, O_RDONLY);
}

/* Reads to the end; how many records, and the last answer. */
static unsigned read_all(int fd, int *ret_last, const char **ret_why)
{
	struct recording *r;
	const struct pc_head *rec;
	unsigned n = 0;
	int got = recording_open(fd, &r, ret_why);

	*ret_last = got;
	if (got)
		return 0;
	while ((got = recording_next(r, &rec, ret_why)) > 0) {
		const struct pc_head *want = sample(n);

		assert_true(n < RECORDS);
		assert_int_equal(rec->size, want->size);
		assert_memory_equal(rec, want, want->size);
		n++;
	}
	*ret_last = got;
	recording_close(r);
	return n;
}

static void back(void **state)
{
	const char *why;
	struct stat st;
	int fd = made();
	int last;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(read_all(fd, &last, &why), RECORDS);
	assert_int_equal(last, 0);
	close(fd);
	unlink(path);
}

static void through_a_pipe(void **state)
{
	char bytes[8192 + RECORDING_HEADER];
	const char *why;
	int ends[2];
	int fd = made();
	ssize_t n = read(fd, bytes, sizeof(bytes));
	int last;

	assert_true(n > RECORDING_HEADER && n < (ssize_t)sizeof(bytes));
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], bytes, (size_t)n), n);
	close(ends[1]);
	assert_int_equal(read_all(ends[0], &last, &why), RECORDS);
	assert_int_equal(last, 0);
	close(ends[0]);
	close(fd);
	unlink(path);
}

static int memory_file(const char *bytes, size_t len)
{
	int fd = memfd_create("unit", 0);

	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void cut_anywhere(void **state)
{
	char bytes[8192 + RECORDING_HEADER];
	int fd = made();
	ssize_t n = read(fd, bytes, sizeof(bytes));
	unsigned most = 0;

	for (ssize_t len = 0; len < n; len++) {
		const char *why = NULL;
		int last;
		int cut = memory_file(bytes, (size_t)len);
		unsigned got = read_all(cut, &last, &why);

		assert_true(last < 0);
		assert_non_null(why);
		assert_true(got >= most);
		most = got;
		close(cut);
	}
	assert_int_equal(most, RECORDS);
	close(fd);
	unlink(path);
}

static void other_header(void **state)
{
	static const struct {
		const char *from, *to, *says;
	} cases[] = {
		{ "parcours recording", "parcours recorded!", "no recording" },
		{ "abi: 1\n", "abi: 9\n", "record format 9" },
		{ "abi: 1\n", "abi: x\n", "names no record format" },
		{ "endian: ", "endian: x", "other byte order" },
	};
	char bytes[8192 + RECORDING_HEADER];
	int fd = made();
	ssize_t n = read(fd, bytes, sizeof(bytes));

	assert_true(n > 0);
	assert_int_equal(PC_ABI_VERSION, 1); /* or change the cases */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char copy[sizeof(bytes)];
		const char *why = "";
		char *at;
		int last;
		int changed;

		memcpy(copy, bytes, sizeof(copy));
		at = memmem(copy, RECORDING_HEADER, cases[i].from, strlen(cases[i].from));
		assert_non_null(at);
		memcpy(at, cases[i].to, strlen(cases[i].to));
		changed = memory_file(copy, (size_t)n);
		assert_int_equal(read_all(changed, &last, &why), 0);
		assert_true(last < 0);
		assert_non_null(strstr(why, cases[i].says));
		close(changed);
	}
	close(fd);
	unlink(path);
}

static void impossible_length(void **state)
{
	static const uint32_t lengths[] = { 0, 15, RECORDING_RECORD + 1, UINT32_MAX };
	char bytes[8192 + RECORDING_HEADER];
	int fd = made();
	ssize_t n = read(fd, bytes, sizeof(bytes));

	assert_true(n > 0);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		/* of the third record */
		size_t at = RECORDING_HEADER + recording_padded(16) + recording_padded(29);
		struct recording_facts facts;
		const struct pc_head *rec;
		struct recording *r;
		const char *why;
		int changed;

		memcpy(bytes + at + offsetof(struct pc_head, size), &lengths[i], 4);
		changed = memory_file(bytes, (size_t)n);
		assert_int_equal(recording_open(changed, &r, &why), 0);
		assert_int_equal(recording_next(r, &rec, &why), 1);
		assert_int_equal(recording_next(r, &rec, &why), 1);
		assert_int_equal(recording_next(r, &rec, &why), -EINVAL);
		recording_facts(r, &facts);
		assert_u64(facts.offset, at);
		assert_u64(facts.records, 2);
		recording_close(r);
		close(changed);
	}
	close(fd);
	unlink(path);
}

static void not_over_a_file(void **state)
{
	int fd = made();
	int other;

	close(fd);
	assert_int_equal(recording_create(path, false, &other), -EEXIST);
	assert_int_equal(recording_create(path, true, &other), 0);
	close(other);
	unlink(path);
	assert_int_equal(symlink("/tmp/parcours-unit-elsewhere", path), 0);
	assert_true(recording_create(path, false, &other) < 0);
	assert_int_not_equal(access("/tmp/parcours-unit-elsewhere", F_OK), 0);
	unlink(path);
}

/* A second brain goes on where the first one was killed in the middle of a record. */
static void goes_on(void **state)
{
	struct recorder r;
	const char *why;
	int last;
	int fd;

	close(made());
	assert_int_equal(recording_create(path, true, &fd), 0);
	assert_int_equal(write(fd, "the first one's half", 20), 20);
	recorder_init(&r, fd, 0, 0);
	for (unsigned i = 0; i < 4; i++)
		recorder_push(&r, sample(i));
	recorder_flush(&r);
	assert_int_equal(write(fd, "half a rec", 10), 10);
	recorder_done(&r);
	recorder_init(&r, fd, r.records, r.bytes);
	for (unsigned i = 4; i < RECORDS; i++)
		recorder_push(&r, sample(i));
	recorder_finish(&r);
	recorder_done(&r);
	close(fd);
	fd = open(path, O_RDONLY);
	assert_int_equal(read_all(fd, &last, &why), RECORDS);
	assert_int_equal(last, 0);
	close(fd);
	unlink(path);
}

static void full_disk(void **state)
{
	struct recorder r;
	int fd = open("/dev/full", O_WRONLY);

	if (fd < 0)
		skip();
	recorder_init(&r, fd, 0, 0);
	recorder_push(&r, sample(1));
	recorder_flush(&r);
	assert_int_equal(r.error, -ENOSPC);
	assert_u64(r.records, 0);
	recorder_push(&r, sample(2));
	recorder_finish(&r);
	assert_int_equal(r.error, -ENOSPC);
	recorder_done(&r);
	close(fd);
}

UNIT_MAIN(T(back), T(through_a_pipe), T(cut_anywhere), T(other_header), T(impossible_length),
	  T(not_over_a_file), T(goes_on), T(full_disk))
