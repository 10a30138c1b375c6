/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c: `parcours run`.
 */
#include "agent/command/command.h"
#include "agent/config/options.h"
#include "agent/warden/warden.h"

int command_run(int argc, char **argv)
{
	struct options options;
	struct config *config;
	int code;

	if (options_parse(argc, argv, FOR_RUN, &options))
		return EXIT_USAGE;
	code = options_load(&options, &config);
	return code ? code : warden_run(&options, config, NULL);
}
