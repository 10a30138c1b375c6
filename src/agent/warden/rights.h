/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rights.h: what each process may do. The warden keeps six capabilities, the brain none and a user of
 * its own. Both: no_new_privs. Everything here is one-way.
 */
#ifndef PC_AGENT_RIGHTS_H
#define PC_AGENT_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct account {
	uid_t uid;
	gid_t gid;
	char name[64]; /* empty: a free uid without an entry */
};

/* Names of the needed capabilities that this process does not have, separated by spaces; true when
 * there are any. */
bool rights_missing(char *ret_names, size_t room);
/* The warden: only its capabilities, bounding set dropped too, no way back by exec. */
int rights_keep_warden(void);

/* Whom the brain runs as: `name` (or a number) when configured, else `parcours` if that user exists,
 * else a free uid of the range that systemd keeps for dynamic users. Never root, never nobody.
 * -ENOENT: no such user; -EINVAL: one that must not be used; -EAGAIN: no free uid. */
int account_find(const char *name, struct account *ret);
/* For good: groups, gid, uid, capabilities, dumpable, core size. */
int account_become(const struct account *a);

#endif
