/* SPDX-License-Identifier: Apache-2.0 */
/*
 * urgency.h: the loop is woken for a ring that fills in milliseconds: it asks for its turn early.
 */
#ifndef PC_AGENT_URGENCY_H
#define PC_AGENT_URGENCY_H

/* For the calling thread, not for those it will make. 0 or -errno; without it only waits are longer. */
int urgency_ask(void);

#endif
