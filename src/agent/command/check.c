/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.c: `parcours check`: loads the configuration and the rules as `run` would (file, environment) and tells
 * every problem with its line. Touches nothing, needs no privilege. With a recording the rules are tried on it
 * (rehearse.c).
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/command/command.h"
#include "agent/command/rehearse.h"
#include "agent/config/options.h"
#include "agent/recording.h"
#include "agent/rule_files.h"
#include "base/log.h"

/* By its first line; a configuration is none. */
static bool is_recording(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct recording *r;
	const char *why;
	bool is = fd >= 0 && recording_open(fd, &r, &why) == 0;

	if (is)
		recording_close(r);
	if (fd >= 0)
		close(fd);
	return is;
}

static int try_rules(const struct config *config, const char *recording)
{
	struct rules *rules = NULL;
	struct buf bundle;
	int err;

	buf_init(&bundle, RULE_BUNDLE_BYTES);
	err = rule_files_read(config, &bundle);
	if (!err)
		err = rule_files_compile(buf_slice(&bundle), false, &rules);
	buf_done(&bundle);
	if (err)
		return EXIT_USAGE;
	if (recording)
		return rehearse(config, rules, recording);
	rules_free(rules);
	return EXIT_OK;
}

int command_check(int argc, char **argv)
{
	const char *recording = NULL;
	struct options options;
	struct config *config;
	int code;

	if (options_parse(argc, argv, FOR_CHECK, &options))
		return EXIT_USAGE;
	if (options.argument && is_recording(options.argument))
		recording = options.argument;
	else if (options.config_file && options.argument) {
		log_error("check: %s is no recording; name one configuration", options.argument);
		return EXIT_USAGE;
	} else if (options.argument)
		options.config_file = options.argument;
	code = options_load(&options, &config);
	if (code)
		return code;
	code = try_rules(config, recording);
	if (code == EXIT_OK && !recording)
		printf("%s: good\n", options.config_file ? options.config_file : "environment");
	config_free(config);
	return code;
}
