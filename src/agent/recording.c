/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recording.c: reads a recording, in large pieces, from a file or a pipe. The file may be damaged or
 * hostile: lengths are checked here, what a record means is checked by whoever takes it (stream_push).
 */
#include "agent/recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/recording_format.h"

#define WINDOW (1024 * 1024)

struct recording {
	int fd;
	bool ended; /* of the file */
	uint64_t size;
	uint64_t base;	/* offset in the file of window[0] */
	size_t at, len; /* in the window */
	uint64_t last;	/* offset of what was read last */
	uint64_t records;
	_Alignas(8) char window[WINDOW];
};

/* At least `want` bytes from r->at on, if the file has them; -errno only when reading fails. */
static int fill(struct recording *r, size_t want)
{
	if (r->len - r->at >= want)
		return 0;
	/* at is a multiple of 8 and stays one */
	memmove(r->window, r->window + r->at, r->len - r->at);
	r->base += r->at;
	r->len -= r->at;
	r->at = 0;
	while (!r->ended && r->len < want) {
		ssize_t n = read(r->fd, r->window + r->len, WINDOW - r->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		r->ended = n == 0;
		r->len += (size_t)n;
	}
	return 0;
}

/* Value of "\nkey: value\n" in the page. */
static struct slice header_value(struct slice page, const char *key)
{
	while (page.at) {
		struct slice line = slice_next(&page, '\n');

		if (slice_starts(line, slice_str(key)))
			return slice_sub(line, strlen(key), line.len);
	}
	return slice_of(NULL, 0);
}

static const char *judge_header(struct slice page)
{
	static char why[160];
	struct slice abi = header_value(page, "abi: ");
	uint64_t version;

	if (!slice_starts(page, SLICE(RECORDING_MAGIC)))
		return "this is no recording of parcours";
	if (page.len < RECORDING_HEADER)
		return "the file ends within its header";
	if (slice_u64(abi, &version))
		return "its header names no record format (abi)";
	if (version != PC_ABI_VERSION) {
		snprintf(why, sizeof(why),
			 "made by a parcours with record format %llu, this one reads %d: use the "
			 "version that its header names",
			 (unsigned long long)version, PC_ABI_VERSION);
		return why;
	}
	if (!slice_eq(header_value(page, "endian: "), SLICE(RECORDING_ENDIAN)))
		return "made on a machine with the other byte order: replay it on one like that";
	return NULL;
}

int recording_open(int fd, struct recording **ret, const char **ret_why)
{
	struct recording *r = malloc(sizeof(*r));
	struct stat st;
	struct slice page;
	int err;

	if (!r) {
		*ret_why = "no memory";
		return -ENOMEM;
	}
	memset(r, 0, offsetof(struct recording, window));
	r->fd = fd;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		r->size = (uint64_t)st.st_size;
	err = fill(r, RECORDING_HEADER);
	if (err) {
		*ret_why = strerror(-err);
		goto fail;
	}
	page = slice_of(r->window, r->len < RECORDING_HEADER ? r->len : RECORDING_HEADER);
	*ret_why = judge_header(page);
	if (*ret_why) {
		err = -EINVAL;
		goto fail;
	}
	r->at = RECORDING_HEADER;
	*ret = r;
	return 0;
fail:
	free(r);
	return err;
}

static int judge_end(struct recording *r, const struct pc_head *head, const char **ret_why)
{
	struct recording_end end;

	if (head->size != sizeof(end) || r->len - r->at < sizeof(end)) {
		*ret_why = "the end mark is damaged";
		return -EINVAL;
	}
	memcpy(&end, head, sizeof(end));
	if (end.records != r->records || end.bytes != r->last - RECORDING_HEADER) {
		*ret_why = "the end mark counts other records than there are";
		return -EINVAL;
	}
	return 0;
}

int recording_next(struct recording *r, const struct pc_head **ret, const char **ret_why)
{
	const struct pc_head *head;
	uint64_t padded;
	int err = fill(r, sizeof(*head));

	r->last = r->base + r->at;
	if (err)
		goto unreadable;
	if (r->len - r->at < sizeof(*head)) {
		*ret_why = r->len == r->at ? "the end mark is missing: the recording was cut short"
					   : "the file ends within a record";
		return -ENODATA;
	}
	head = (const void *)(r->window + r->at);
	if (head->size < sizeof(*head) || head->size > RECORDING_RECORD) {
		*ret_why = "a record with an impossible length: the file is damaged";
		return -EINVAL;
	}
	padded = recording_padded(head->size);
	err = fill(r, padded);
	if (err)
		goto unreadable;
	head = (const void *)(r->window + r->at); /* the window may have moved */
	if (head->kind == RECORDING_END)
		return judge_end(r, head, ret_why);
	if (r->len - r->at < padded) {
		*ret_why = "the file ends within a record";
		return -ENODATA;
	}
	r->at += padded;
	r->records++;
	*ret = head;
	return 1;
unreadable:
	*ret_why = strerror(-err);
	return err;
}

void recording_facts(const struct recording *r, struct recording_facts *ret)
{
	*ret = (struct recording_facts){ r->size, r->last, r->records };
}

void recording_close(struct recording *r)
{
	free(r);
}
