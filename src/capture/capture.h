/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture.h: the privileged half of capture. Loads the programs, attaches them, keeps the scope maps,
 * walks what was there before us. Only the warden calls it; only this folder touches libbpf.
 * The unprivileged half is reader.h.
 */
#ifndef PC_CAPTURE_CAPTURE_H
#define PC_CAPTURE_CAPTURE_H

#include "capture/reader.h"

enum capture_source { CAPTURE_AUTO, CAPTURE_SOCK, CAPTURE_SYSCALL };

/* When the last byte of a response was acknowledged: while there are distant or slow peers (auto). */
enum capture_acknowledge {
	CAPTURE_ACKNOWLEDGE_AUTO,
	CAPTURE_ACKNOWLEDGE_ON,
	CAPTURE_ACKNOWLEDGE_OFF
};

struct capture_options {
	enum capture_source source;
	uint32_t data_ring_bytes; /* all together: a power of two up to CAPTURE_RING_MAX; 8 MiB */
	uint32_t control_ring_bytes; /* 4 MiB */
	uint32_t data_rings;	     /* one per group of CPUs; 1 */
	uint32_t connections;	     /* syscall source: size of its hash; 65,536 */
	enum capture_acknowledge acknowledge;
};

struct capture_scope {
	uint32_t kinds; /* PC_SCOPE_BY_* */
	const uint16_t *ports;
	uint32_t port_count;
	const uint64_t *cgroup_ids; /* inode numbers in the cgroup2 mount */
	const uint32_t *cgroup_levels;
	uint32_t cgroup_count;
};

/* What this kernel offers, for `doctor` and for messages; filled without loading anything. */
struct capture_features {
	bool btf, privileged;
	bool sock_length;    /* tracepoints sock_send_length, sock_recv_length */
	bool data_ready;     /* sk_data_ready: arrival, wait */
	bool sendmsg_locked; /* tcp_sendmsg_locked: first byte of a blocked write */
	bool reset, retransmit, destroy, probe;
	bool refused; /* tcp_send_reset also for no socket: SYNs to a port where nobody listens any more */
	char kernel[65];
};

struct capture;

/* Fails with -errno and a sentence that says what to do in *ret_why (static or owned by a static
 * buffer of this file). */
int capture_new(const struct capture_options *o, struct capture **ret, const char **ret_why);
void capture_features(struct capture_features *ret);
enum capture_source capture_source(const struct capture *c);
/* Rings and arrays for the brain. The fds stay owned by capture. */
void capture_fds(const struct capture *c, struct capture_fds *ret);
int capture_set_scope(struct capture *c, const struct capture_scope *scope);
/* Verdict on a process (PC_SCOPE_*), also for processes that exist already; a process that nobody set
 * is NO. --pid: PC_SCOPE_PINNED. Children inherit at fork; with PC_SCOPE_EXEC_ASKS in the kinds (--exe)
 * an exec makes a process UNKNOWN until it is set again. */
int capture_set_process(struct capture *c, uint32_t tgid, enum pc_scope_state state);
/* Sockets and listeners that exist already: storage, position. After the scope is set and after
 * capture_attach (so that none falls in between), before `ready`; again after a reload. Returns how
 * many or -errno. Processes that matched --exe or --pid must have been set before. */
long capture_scan(struct capture *c);
int capture_attach(struct capture *c, const char **ret_why); /* from here on events flow */
/*
 * Once a second. Attaches the hook that stamps the first byte of a send while sends that sleep are
 * seen (those before it say PC_F_BLOCKED), takes it off 10 minutes after the last one: it costs every
 * send of the host more than a tenth of a microsecond. The same for acknowledgements, which cost every
 * segment, and distant or slow peers. Looks every few seconds for Unix sockets that are gone, and each time
 * at the listeners in scope.
 */
void capture_tick(struct capture *c, uint64_t now_ns);
/* Takes off what capture_attach and capture_tick attached; what is loaded stays, and capture_attach may be
 * called again. Events between are not seen. */
void capture_detach(struct capture *c);
/* Before capture_free: what listeners turned away since the last tick is told. */
void capture_last(struct capture *c);
void capture_free(struct capture *c);

#endif
