/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * scope.h: is this socket ours? Pure decision, tested on the host; the facts are collected by
 * decide.h. Options of one kind are OR (the maps hold them), of different kinds AND.
 */
#ifndef PC_BPF_SCOPE_H
#define PC_BPF_SCOPE_H

#include "parcours/abi.h"
#include "state.h"

/* Two bits a process: which word of pc_procs and how far to shift. */
static inline __u32 pc_proc_word(__u32 tgid)
{
	return (tgid % PC_PIDS) / 32;
}

static inline __u32 pc_proc_shift(__u32 tgid)
{
	return (tgid % 32) * 2;
}

static inline __u32 pc_proc_get(__u64 word, __u32 tgid)
{
	return (__u32)(word >> pc_proc_shift(tgid)) & 3;
}

/* Where listening decides, who serves is PINNED: so a scope that was by name before can be told from it
 * when it changes. */
#define PC_SERVES PC_SCOPE_PINNED

/* State of a process after exec; `before` what it was, by fork or by the warden. `serves`: it holds a
 * listener or an accepted connection. Where listening decides, only that outlives an exec: sshd and
 * service managers listen too, and what they start is not theirs. */
static inline __u32 pc_proc_after_exec(__u32 before, __u32 kinds, bool serves)
{
	if (kinds & PC_SCOPE_BY_LISTENER)
		return serves ? PC_SERVES : PC_SCOPE_NO;
	if (before == PC_SCOPE_PINNED || !(kinds & PC_SCOPE_EXEC_ASKS))
		return before;
	return PC_SCOPE_UNKNOWN;
}

/* Where listening decides, who uses a child of a watched listener serves, however it came by it. The
 * state of such a child says PASSIVE, or LISTENER before it has begun its own. */
static inline bool pc_use_serves(__u32 kinds, __u32 sock_flags)
{
	return (kinds & PC_SCOPE_BY_LISTENER) && (sock_flags & (PC_S_PASSIVE | PC_S_LISTENER));
}

/* A port is the server's port. Where the role is unknown (joined), either may be it. */
static inline bool pc_port_matches(__u32 flags, bool local, bool remote)
{
	if (flags & PC_S_ACTIVE)
		return remote;
	if (flags & (PC_S_PASSIVE | PC_S_LISTENER))
		return local;
	return local || remote;
}

static inline __u32 pc_decide(__u32 kinds, __u32 process, bool port, bool cgroup)
{
	if ((kinds & PC_SCOPE_BY_PORT) && !port)
		return PC_SCOPE_NO;
	if ((kinds & PC_SCOPE_BY_CGROUP) && !cgroup)
		return PC_SCOPE_NO;
	if (!(kinds & (PC_SCOPE_BY_PROCESS | PC_SCOPE_BY_LISTENER)))
		return kinds & (PC_SCOPE_BY_PORT | PC_SCOPE_BY_CGROUP) ? PC_SCOPE_YES : PC_SCOPE_NO;
	return process == PC_SCOPE_PINNED ? PC_SCOPE_YES : process;
}

/* The governor's seam: one connection of 2^shift. */
static inline bool pc_sampled_out(__u64 conn, __u32 shift)
{
	return shift && shift < 64 && ((conn * 0x9E3779B97F4A7C15ull) >> (64 - shift)) != 0;
}

/* Errors of a call after which the connection carries nothing more (Linux numbers, all machines). */
static inline bool pc_is_final(int error)
{
	switch (error) {
	case 32:  /* EPIPE */
	case 100: /* ENETDOWN */
	case 101: /* ENETUNREACH */
	case 102: /* ENETRESET */
	case 103: /* ECONNABORTED */
	case 104: /* ECONNRESET */
	case 108: /* ESHUTDOWN */
	case 110: /* ETIMEDOUT */
	case 111: /* ECONNREFUSED */
	case 112: /* EHOSTDOWN */
	case 113: /* EHOSTUNREACH */
		return true;
	}
	return false;
}

/* A reset that we send leaves after the state changed to CLOSE, so CLOSE tells it from the state it
 * left: an orderly end never goes from these two straight to CLOSE. GONE repeats what was seen. */
static inline __u32 pc_close_flags(__u32 flags, bool was_open, int error)
{
	if (flags & PC_S_RESET_IN)
		return PC_F_RESET_IN;
	return (flags & PC_S_RESET_OUT) || (was_open && !error) ? PC_F_RESET_OUT : 0;
}

#endif
