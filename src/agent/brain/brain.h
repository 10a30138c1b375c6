/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brain.h: the unprivileged process. Forked by the warden; gives up all rights, reads the rings,
 * parses, exports. Never calls bpf(2). One loop thread, and export's worker.
 */
#ifndef PC_AGENT_BRAIN_H
#define PC_AGENT_BRAIN_H

#include <signal.h>

#include "agent/brain/census.h"
#include "agent/brain/checkpoint.h"
#include "agent/brain/shared.h"
#include "agent/config/options.h"
#include "agent/geo.h"
#include "agent/host.h"
#include "agent/recording.h"
#include "agent/rule_files.h"
#include "agent/warden/rights.h"
#include "agent/wire.h"
#include "capture/reader.h"

/* All that a brain is given; fds are those of the warden, -1 = none. */
struct brain_start {
	const struct config *config;
	const struct options *options; /* to read a configuration again */
	struct slice rules;	       /* bundle (rule_files.h) */
	struct capture_fds capture;
	const char *source; /* sock, syscall */
	int warden_fd, ndjson_fd, record_fd, status_fd, visits_fd;
	uint64_t alive_every_ns;
	struct shared *shared;
	struct account account;
	struct host host;
	uint8_t secret[16];
	uint8_t site_secret[SECRET_BYTES];
	pid_t warden;
};

struct brain {
	struct brain_start start;
	const struct config *config;
	struct config *own; /* config, when it came by a reload */
	struct buf rules;   /* the bundle that the rules at work came from */
	struct core *core;
	struct reader *reader;
	struct census *census;
	struct recorder recorder;
	struct checkpoint checkpoint;
	struct geo_file geo;
	bool stopping;	  /* MESSAGE_STOP came */
	bool answer_due;  /* MESSAGE_RELOADED is still to be sent */
	bool reloaded;	  /* … and says this */
	bool warden_gone; /* it died */
	uint64_t now_ns, clock_ns, alive_ns;
	uint64_t started_wall_ns; /* of this brain */
	uint64_t ticks;
	bool recorder_told;
	int status_clients; /* answered so far */
};

/* Exit code. Does not return to the warden's code: the caller ends with _exit. */
int brain_main(const struct brain_start *start);

/* loop.c: until stopped. */
int brain_loop(struct brain *b);
/* brain.c: called by the loop. */
void brain_drain(struct brain *b, bool *ret_more);
void brain_message(struct brain *b);
/* figures.c: all stages' stats, for `stats` rows, metrics and status. */
uint32_t brain_figures(void *ctx, struct counter *ret, uint32_t max);
/* `start_wall_ns`: of all stages but export, which a reload may make anew. */
uint32_t core_figures(const struct core *c, uint64_t start_wall_ns, struct counter *ret,
		      uint32_t max);
/* status.c: one client of the status socket. */
void brain_status(struct brain *b);

#endif
