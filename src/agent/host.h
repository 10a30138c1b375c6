/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h: facts of this host for resource attributes, read once at the start.
 */
#ifndef PC_AGENT_HOST_H
#define PC_AGENT_HOST_H

struct host {
	char name[65]; /* host.name */
	char id[40];   /* host.id: /etc/machine-id; empty = none */
	char os_version
		[128]; /* os.version: the distribution's own words, else the kernel's release */
};

void host_read(struct host *ret);

#endif
