/* SPDX-License-Identifier: Apache-2.0 */
/*
 * family.h: what differs between the sources. Each family of BPF programs (bpf/<family>.bpf.c) has one
 * file here that opens its skeleton; all the rest (loading, attaching, maps, scan) is capture.c and the
 * same for both, by the names of the maps.
 */
#ifndef PC_CAPTURE_FAMILY_H
#define PC_CAPTURE_FAMILY_H

#include <bpf/libbpf.h>

#include "capture/capture.h"

struct family_knobs {
	uint32_t rings;	     /* data rings in use */
	uint32_t ring_bytes; /* of each, a power of two */
	uint32_t wake_bytes; /* a CPU wakes the reader each time it wrote so much */
	uint64_t ring_key;   /* see struct pc_ring */
};

struct family_look {
	uint64_t opened; /* Unix connections told of so far */
	uint64_t found;	 /* of them, by the last look */
	uint64_t doors;	 /* listeners in scope so far */
};

struct family {
	const char *name;
	const char *const *unused; /* the other family's maps, to NULL: not created */
	/* Opens (does not load) and sets the constants. NULL with errno. */
	void *(*open)(const struct family_knobs *k, struct bpf_object **ret_obj);
	int (*load)(void *skel); /* as a skeleton, so that its variables are the kernel's */
	void (*destroy)(void *skel);
	/* Before each pass of the program pc_scan (1: who listens, 2: the sockets). */
	void (*scan_pass)(void *skel, uint32_t pass);
	uint64_t (*scanned)(const void *skel); /* sockets found so far */
	/* Before a look for Unix sockets; and what there is to be looked for, and was found. */
	void (*look_begin)(void *skel, uint32_t look, uint64_t now_ns);
	void (*look_get)(const void *skel, struct family_look *ret);
};

extern const struct family family_sock, family_syscall;

/* features.c */
struct btf;
bool features_has_tracepoint(const struct btf *kernel, const char *name);
void features_of(const struct btf *kernel, struct capture_features *ret); /* NULL: no BTF */

#endif
