/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h: sd_notify(3)'s protocol, without libsystemd: a datagram to $NOTIFY_SOCKET. Without that
 * variable nothing happens.
 */
#ifndef PC_AGENT_NOTIFY_H
#define PC_AGENT_NOTIFY_H

#include <stdint.h>

void notify(const char *state); /* "READY=1", "STOPPING=1", "WATCHDOG=1" */
void notify_reloading(void);	/* with the time that systemd asks for */
/* $WATCHDOG_USEC for this process, as nanoseconds; 0 = none. */
uint64_t notify_watchdog_ns(void);

#endif
