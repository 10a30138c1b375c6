/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h: the commands of `parcours`. Each parses its own command line (argv[0] is its name) and
 * returns the exit code: 0, 1 = it failed at run time, 2 = wrong usage or configuration.
 */
#ifndef PC_AGENT_COMMAND_H
#define PC_AGENT_COMMAND_H

struct config;

/* What reads traffic that strangers sent does not do it as root: becomes the configured user, as the brain does.
 * -errno after it was said. replay.c */
int command_drop_rights(const struct config *c);

int command_run(int argc, char **argv);
int command_check(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_record(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_status(int argc, char **argv);

#endif
