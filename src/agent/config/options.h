/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h: the command line of every command. Options that are settings become rows for
 * config_load; the others stand in struct options. Valid as long as argv.
 */
#ifndef PC_AGENT_OPTIONS_H
#define PC_AGENT_OPTIONS_H

#include "agent/config/config.h"

/* Commands, as bits: which options each takes. */
#define FOR_RUN	   0x01
#define FOR_CHECK  0x02
#define FOR_DOCTOR 0x04
#define FOR_RECORD 0x08
#define FOR_REPLAY 0x10
#define FOR_STATUS 0x20

#define OPTIONS_MAX 512

struct options {
	const char *config_file;
	const char *status_socket;
	bool json, force;
	struct option_value values[OPTIONS_MAX];
	uint32_t count;
	const char *argument; /* FILE of record and replay, of check */
};

/* Exit codes, also in --help. */
#define EXIT_OK	     0
#define EXIT_RUNTIME 1
#define EXIT_USAGE   2

/* 0, or -EINVAL after it said on standard error what is wrong. argv[0] is the command. */
int options_parse(int argc, char **argv, unsigned command, struct options *ret);
/* Options of this command, one a line, for --help. */
void options_help(unsigned command);
/* File (if any), environment, options → configuration; problems go to standard error. Returns an exit
 * code: EXIT_OK, EXIT_USAGE for what the operator wrote, EXIT_RUNTIME for what the system refused. */
int options_load(const struct options *o, struct config **ret);
/* The same with the text given: a reload. quiet: another process told the problems already. */
int options_load_text(const struct options *o, struct slice text, bool quiet, struct config **ret);

#endif
