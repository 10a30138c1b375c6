/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.c: `parcours record FILE`: `run`, and every record that the core gets is kept in FILE.
 */
#include "agent/command/command.h"
#include "agent/config/options.h"
#include "agent/warden/warden.h"
#include "base/log.h"

int command_record(int argc, char **argv)
{
	struct options options;
	struct config *config;
	int code;

	if (options_parse(argc, argv, FOR_RECORD, &options))
		return EXIT_USAGE;
	if (!options.argument) {
		log_error("record: name the file to write");
		return EXIT_USAGE;
	}
	code = options_load(&options, &config);
	return code ? code : warden_run(&options, config, options.argument);
}
