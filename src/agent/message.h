/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h: what warden and brain say to each other: typed messages of one size on a
 * socketpair(SOCK_SEQPACKET). Nothing in them is parsed; a message of another size or kind is an
 * error of ours or of an attacker in the brain, and ends the conversation.
 */
#ifndef PC_AGENT_MESSAGE_H
#define PC_AGENT_MESSAGE_H

#include "parcours/abi.h"

enum message_kind {
	/* brain → warden */
	MESSAGE_READY = 1, /* rings are mapped, records are being read */
	MESSAGE_LOOK,	   /* who is tgid (started at start_ns; 0 = whoever it is now)? */
	MESSAGE_VERDICT,   /* watch tgid or not: state is enum pc_scope_state */
	MESSAGE_ALIVE,	   /* once a second, or as often as a watchdog of systemd wants it */
	MESSAGE_RELOADED, /* answer to RELOAD: state 1 = it goes by it now, 0 = by the old one still */
	/* warden → brain */
	MESSAGE_WHO, /* answer to LOOK, also unasked at the start; start_ns 0 = no such process */
	MESSAGE_RELOAD, /* with fds: text of the configuration, bundle of the rules, NDJSON output (if any) */
	MESSAGE_STOP, /* nothing more is captured: drain, send, end */
	MESSAGE_END,
};

struct message {
	__u32 kind;
	__u32 tgid;
	__u64 start_ns;
	__u32 state;
	__u32 pad;
	struct pc_who who;
};

#define MESSAGE_FDS 3

/* 0, -EAGAIN (full; nothing was sent), or another -errno: the other side is gone. */
int message_send(int fd, const struct message *m, const int *fds, unsigned fd_count);
/* 0, -EAGAIN (nothing there), -EPIPE (the other side is gone), -EPROTO. Received fds (close on exec)
 * belong to the caller; unused places are -1. */
int message_receive(int fd, struct message *ret, int ret_fds[MESSAGE_FDS]);

#endif
