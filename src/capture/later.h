/* SPDX-License-Identifier: Apache-2.0 */
/*
 * later.h: the hooks that are attached only while they are wanted, because they cost everybody on the
 * host, the look for Unix sockets that are gone, and the look at listeners. Part of capture.c's work in a
 * file of its own.
 */
#ifndef PC_CAPTURE_LATER_H
#define PC_CAPTURE_LATER_H

#include "capture/family.h"

/* A program that is attached while a counter of the kernel's moves. */
struct later {
	struct bpf_program *program; /* NULL: this kernel has no such hook */
	struct bpf_link *link;
	uint64_t count;	    /* at the last tick */
	uint64_t news_ns;   /* when it had moved */
	uint64_t leaves_ns; /* nothing may ask any longer, then it is detached; 0: it stays */
};

struct later_hooks {
	struct later stamp, ack;
	enum capture_acknowledge acknowledge;
	struct bpf_program *look;
	uint32_t looks; /* done */
	uint64_t look_next_ns;
	uint64_t unix_opened, unix_found; /* at the last look */
	uint32_t empty_left;		  /* looks that may find nothing before it is believed */
	struct bpf_program *doors;
	int doors_fd; /* the map of listeners in scope */
};

/* Is it attached by later_tick? */
bool later_is_ours(const struct bpf_program *p);
void later_init(struct later_hooks *l, struct bpf_object *obj,
		enum capture_acknowledge acknowledge);
/* Also at once, when capture begins. */
void later_tick(struct later_hooks *l, const struct family *family, void *skel,
		const struct pc_counters *counters, struct pc_control *control, uint64_t now_ns);
/* What listeners turned away since the last time is told. */
void later_doors(struct later_hooks *l, const struct family *family, const void *skel);
/* Runs an iterator once over all there is; `map`: of the storage that it walks, -1: none. */
int later_run_iter(const struct bpf_program *p, int map);
void later_done(struct later_hooks *l);

#endif
