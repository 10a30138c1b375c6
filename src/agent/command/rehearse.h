/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rehearse.h: rules tried on a recording: the whole core, offline, without outputs. Says on standard output how
 * often each rule held, which never did, which lacked a value that they require or that could not be read, and
 * which held of one transaction together.
 */
#ifndef PC_AGENT_REHEARSE_H
#define PC_AGENT_REHEARSE_H

#include "agent/wire.h"

/* Takes the rules (NULL: none). Exit code. */
int rehearse(const struct config *config, struct rules *rules, const char *recording);

#endif
