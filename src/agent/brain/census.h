/* SPDX-License-Identifier: Apache-2.0 */
/*
 * census.h: which processes the brain has heard of, what it asked the warden about them, and whether
 * they are to be watched (--exe). Stands between the rings and the core: records of a process whose
 * verdict is still out are held back (a small, bounded amount) and then passed on or dropped.
 *
 * With --exe an execve decides anew: the file as it was called may match at once; otherwise the
 * warden says what it really is. Children without execve are as their parent (the kernel copies that).
 */
#ifndef PC_AGENT_CENSUS_H
#define PC_AGENT_CENSUS_H

#include "agent/config/config.h"
#include "agent/message.h"

struct census_stats {
	uint64_t looks, answers, not_found;
	uint64_t verdicts_yes, verdicts_no;
	uint64_t held, held_dropped; /* records; dropped: not ours */
	uint64_t held_overflow;	     /* records that found no room, lost */
};

struct census_sink {
	void *ctx;
	void (*record)(void *ctx, const struct pc_head *rec); /* to the core */
	int (*send)(void *ctx, const struct message *m);      /* to the warden; -EAGAIN: later */
	/* Before the tick: of what has no positions (PC_DNS) a record found no room. */
	void (*lost)(void *ctx);
};

struct census;

int census_new(const struct config *config, const struct census_sink *sink, struct census **ret);
void census_push(struct census *c, const struct pc_head *rec); /* from the rings */
void census_who(struct census *c, const struct pc_who *who);   /* from the warden */
void census_tick(struct census *c, uint64_t now_ns);
void census_reload(struct census *c, const struct config *config);
/* Nothing more will be answered: what is still held is not known to be ours, and is dropped. */
void census_finish(struct census *c);
void census_stats(const struct census *c, struct census_stats *ret);
void census_free(struct census *c);

#endif
