/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h: the unprivileged half of capture. Maps the rings and arrays whose fds it is given and
 * reads them; never calls bpf(2), so it works as any user without capabilities.
 */
#ifndef PC_CAPTURE_READER_H
#define PC_CAPTURE_READER_H

#include <stdbool.h>

#include "base/slice.h"
#include "parcours/abi.h"

#define CAPTURE_DATA_RINGS 8
#define READER_RINGS	   (1 + CAPTURE_DATA_RINGS)
#define CAPTURE_RING_MAX   (256u << 20) /* the verifier takes no offset of 2^29 into a map's value */

struct capture_fds {
	int control_ring;
	int ring_bytes, ring_ends; /* of all data rings: mapped arrays, see struct pc_ring */
	uint32_t data_rings;
	uint32_t control_ring_bytes, data_ring_bytes; /* of one ring */
	uint64_t ring_key;
	int directives, control, counters; /* mapped arrays; sizes follow from abi.h */
};

struct reader_sink {
	void *ctx;
	/* The record lies in the ring: valid during the call only. Its size was checked against the
	 * ring's, not against its kind. */
	void (*record)(void *ctx, const struct pc_head *rec);
	/* Records found no room; all of them before what is handed out from here on was written by whom. May
	 * be NULL. */
	void (*lost)(void *ctx);
	/* NULL, or memory that outlives this process: how far each ring was taken, READER_RINGS of it.
	 * The ring itself is told only now and then; the next reader goes on from here, so no record is
	 * taken twice, neither one that was counted nor one that was somebody's end. */
	uint64_t *taken;
};

struct reader_stats {
	uint64_t records[PC_KINDS]; /* read, by enum pc_kind */
	uint64_t bytes;
	uint64_t malformed;	   /* not a record at all: dropped */
	struct pc_counters kernel; /* sum over CPUs */
};

struct reader;

int reader_new(const struct capture_fds *fds, const struct reader_sink *sink, struct reader **ret);
/* One pass in the order that abi.h promises, at most about `max_bytes` of data. Returns records read. */
/* A pass that meets a control record still being written leaves the data for the next pass. */
long reader_drain(struct reader *r, uint64_t max_bytes);
/* The last pass left something that was there when it began. */
bool reader_is_behind(const struct reader *r);
/* For epoll: readable when a ring wants a look. Wake-ups are batched: poll at least every 20 ms. */
int reader_fd(const struct reader *r);
void reader_direct(struct reader *r, const struct pc_directive *d);
/* PC_CONTENTS_*: of which messages somebody wants contents. */
void reader_contents(struct reader *r, uint32_t contents);
/* So that every connection is told anew (a new brain). Before the first drain; old directives go. */
void reader_begin(struct reader *r, uint32_t brain_tgid);
void reader_stats(const struct reader *r, struct reader_stats *ret);
void reader_free(struct reader *r);

#endif
