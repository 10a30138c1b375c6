/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_files.h: the files that `rules` names → one bundle of octets → compiled rules. The warden (or the command)
 * reads them, once, with its rights; whoever needs the rules compiles them from the bundle: the brain gets
 * the very same octets, at its start by inheritance, at a reload by a memfd, and may have no right to the
 * files. Two bundles that are equal are the same rules.
 *
 * A bundle is a sequence of: name, NUL, octets of the file in decimal, NUL, the file.
 */
#ifndef PC_AGENT_RULE_FILES_H
#define PC_AGENT_RULE_FILES_H

#include "agent/config/config.h"
#include "journey/rule/rules.h"

#define RULE_BUNDLE_BYTES (4u << 20)

/* Of all files, in the order in which they are named, those of a glob by name; *bundle is initialised with
 * RULE_BUNDLE_BYTES. -errno after it was said: a file that is named must be there, a glob may match nothing
 * (which is a warning). */
int rule_files_read(const struct config *c, struct buf *bundle);
/* *ret is NULL where the bundle is empty. -EINVAL after every problem was said with file and line (`quiet`: another
 * process said them), -ENOMEM, -EBADMSG. */
int rule_files_compile(struct slice bundle, bool quiet, struct rules **ret);

#endif
