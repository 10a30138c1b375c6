/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine.h: the last step of giving up rights: system calls that the brain never makes.
 */
#ifndef PC_AGENT_CONFINE_H
#define PC_AGENT_CONFINE_H

/* For this thread and all it starts, for good. Needs no_new_privs. -errno where the kernel has no
 * seccomp filters. */
int confine(void);

#endif
