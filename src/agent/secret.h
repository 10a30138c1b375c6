/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h: the site secret, from which all pseudonyms derive: 64 hexadecimal digits in a file of mode
 * 0600. Made at the first start; hosts of one site get copies of one file. Read before rights are
 * dropped, handed to the brain in memory.
 */
#ifndef PC_AGENT_SECRET_H
#define PC_AGENT_SECRET_H

#include "agent/config/config.h"
#include "session/key.h"

#define STATE_DIRECTORY "/var/lib/parcours"
#define STATE_PATH	4096

/* A file below the state directory; -ENAMETOOLONG. */
int state_path(const struct config *c, const char *name, char ret_path[STATE_PATH]);
/* Where the secret lies: as configured, or below the state directory. */
int secret_path(const struct config *c, char ret_path[STATE_PATH]);
/* -ENOENT: there is none; -EBADMSG: the file holds something else; -errno. */
int secret_read(const char *path, uint8_t ret[SECRET_BYTES]);
/* Reads it, or makes it where there is none. What is wrong is told. Where the default place cannot be
 * written, the secret lives as long as the process, and that is told, too. */
int secret_open(const struct config *c, uint8_t ret[SECRET_BYTES]);

#endif
