/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.c: `parcours check`: loads the configuration as `run` would (file, environment) and tells
 * every problem with its line. Touches nothing, needs no privilege.
 */
#include <stdio.h>

#include "agent/command/command.h"
#include "agent/config/options.h"
#include "base/log.h"

int command_check(int argc, char **argv)
{
	struct options options;
	struct config *config;
	int code;

	if (options_parse(argc, argv, FOR_CHECK, &options))
		return EXIT_USAGE;
	if (options.config_file && options.argument) {
		log_error("check: name one file");
		return EXIT_USAGE;
	}
	if (options.argument)
		options.config_file = options.argument;
	code = options_load(&options, &config);
	if (code)
		return code;
	printf("%s: good\n", options.config_file ? options.config_file : "environment");
	config_free(config);
	return EXIT_OK;
}
