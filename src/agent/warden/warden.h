/* SPDX-License-Identifier: Apache-2.0 */
/*
 * warden.h: the privileged process. Loads and attaches the programs, keeps their scope, looks at
 * processes when the brain asks, keeps the brain alive. Parses nothing that a stranger wrote.
 */
#ifndef PC_AGENT_WARDEN_H
#define PC_AGENT_WARDEN_H

#include <sys/types.h>

#include "agent/brain/brain.h"
#include "agent/warden/outputs.h"
#include "capture/capture.h"

enum warden_state {
	WARDEN_STARTING, /* the first brain is not ready yet */
	WARDEN_WATCHING,
	WARDEN_STOPPING,
};

struct warden {
	const struct options *options;
	struct config *config;
	struct buf rules;	 /* bundle (rule_files.h) of the configuration */
	struct capture *capture; /* NULL once detached */
	struct capture_fds fds;
	const char *source;
	struct outputs outputs;
	struct account account;
	struct host host;
	struct shared *shared;
	uint8_t secret[16];
	uint8_t site_secret[SECRET_BYTES];

	enum warden_state state;
	int exit_code;
	int signal_fd;
	pid_t brain; /* 0 = none */
	int brain_fd;
	bool brain_ready;
	uint64_t brain_started_ns, backoff_ns;
	uint64_t restart_ns;  /* start a brain then; 0 = no */
	uint64_t deadline_ns; /* the brain must have ended; 0 = none */
	uint64_t end_ns;      /* --duration; 0 = none */
	uint64_t watchdog_ns, watchdog_next_ns;
	uint64_t capture_next_ns; /* see capture_tick; 0 = not watching */
	uint64_t alive_ns;	  /* the brain's last sign of life */
	bool shows_progress;	  /* of a recording, to a person */
	struct config *next;	  /* a reload that the brain has not answered; NULL = none */
	struct buf next_rules;
	int next_ndjson;
	uint64_t next_until_ns; /* the brain must have answered; 0 = nothing asked */
	bool reload_again;	/* asked for meanwhile */
	uint32_t *looks;	/* processes still to be told to this brain */
	uint32_t look_count, look_next;
};

/* The whole life of `run` and `record`. Takes the configuration. Exit code. */
int warden_run(const struct options *options, struct config *config, const char *record);

/* child.c: the brain as the warden's child. */
int warden_start_brain(struct warden *w);
void warden_brain_ended(struct warden *w, int status);
void warden_message(struct warden *w);	 /* reads what the brain says */
void warden_look_more(struct warden *w); /* tells it of processes, as many as fit */
/* The first brain is ready: attach, scan. */
int warden_watch(struct warden *w);
void warden_stop(struct warden *w);
/* reload.c: SIGHUP. The brain takes a configuration first, then the warden, so both go by the same. */
void warden_reload(struct warden *w);
void warden_reloaded(struct warden *w, bool taken); /* the brain's answer */
/* There will be no answer; `why` NULL = we are ending, nobody is told. */
void warden_reload_drop(struct warden *w, const char *why);

#endif
