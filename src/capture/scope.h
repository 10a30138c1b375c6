/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope.h: changes of the scope in memory that the kernel reads at the same time. Nothing here is
 * atomic as a whole; each step leaves what is in both, the old and the new scope, in scope. Used by
 * capture.c alone; tested without a kernel.
 */
#ifndef PC_CAPTURE_SCOPE_H
#define PC_CAPTURE_SCOPE_H

#include "capture/capture.h"

/* Puts the cgroups of `scope` into the list beside those that are there; when there is no room for
 * both, in the place of those that are not in it. Nothing when it names none. */
void scope_cgroups_add(struct pc_control *control, const struct capture_scope *scope);
/* Takes those out that `scope` does not name. */
void scope_cgroups_keep(struct pc_control *control, const struct capture_scope *scope);

/* From processes that were named to those who serve, who are PINNED in the default scope: */
void scope_procs_age(uint64_t *procs, uint32_t words);	 /* all that are watched become YES … */
void scope_procs_sweep(uint64_t *procs, uint32_t words); /* … and who is still YES goes */

#endif
