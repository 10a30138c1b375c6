/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outputs.h: files and sockets that are opened with the rights of who started the agent, before they
 * are dropped, and live on across brains.
 */
#ifndef PC_AGENT_OUTPUTS_H
#define PC_AGENT_OUTPUTS_H

#include "agent/config/config.h"

#define STATUS_DIRECTORY "/run/parcours"

struct outputs {
	int ndjson, record, status, visits; /* -1 = none */
	char status_path[108];		    /* removed at the end; empty = none */
};

/* NDJSON for appending, "-" is standard output. -1 when none is configured; a failure is told. */
int outputs_open_ndjson(const struct config *c, int *ret_fd);
/* All; `record` NULL = no recording. What fails is told, except for the status socket at its default
 * place: without it the agent works. */
int outputs_open(const struct config *c, const char *record, bool force, struct outputs *ret);
void outputs_close(struct outputs *o);

#endif
