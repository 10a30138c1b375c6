/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recording.h: the file of `record` and `replay`. A page of text that says what the file is and
 * contains (readable with head), then the records as the core got them, in that order, each at a
 * multiple of 8 bytes, and an end mark with the count, so that a cut file is told from a whole one.
 *
 * Contents: raw traffic as the applications wrote and read it, therefore personal data and secrets of
 * the people who use them; never keys of TLS. Hence 0600, and only where an operator named a file.
 */
#ifndef PC_AGENT_RECORDING_H
#define PC_AGENT_RECORDING_H

#include "base/buf.h"
#include "parcours/abi.h"

#define RECORDING_HEADER 4096
#define RECORDING_RECORD 65536 /* no record of abi.h is as large */

/* Creates the file (0600) and writes its page of text. Without `force` it must not exist: -EEXIST.
 * ret_fd appends, so a brain that is started again goes on where the last one ended. */
int recording_create(const char *path, bool force, int *ret_fd);

struct recorder {
	int fd;
	int error; /* the first -errno: nothing more is written */
	struct buf out;
	uint64_t records, bytes; /* of whole records handed to the system */
	uint64_t pending;	 /* records in out */
};

void recorder_init(struct recorder *r, int fd, uint64_t records, uint64_t bytes);
void recorder_push(struct recorder *r, const struct pc_head *rec);
void recorder_flush(struct recorder *r);
void recorder_finish(struct recorder *r); /* the end mark */
void recorder_done(struct recorder *r);

struct recording;

struct recording_facts {
	uint64_t size;	 /* of the file; 0 = a pipe */
	uint64_t offset; /* of what was read last */
	uint64_t records;
};

/* Reads the page of text. *ret_why is a sentence when it is not a recording that we can read. The fd
 * stays the caller's. */
int recording_open(int fd, struct recording **ret, const char **ret_why);
/* 1: *ret is a record, valid until the next call. 0: the end mark. -errno: *ret_why says what is wrong
 * at facts.offset. */
int recording_next(struct recording *r, const struct pc_head **ret, const char **ret_why);
void recording_facts(const struct recording *r, struct recording_facts *ret);
void recording_close(struct recording *r);

#endif
