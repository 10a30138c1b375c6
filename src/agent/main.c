/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c: `parcours COMMAND`. Finds the command; all else is in command/, one file each. The
 * architecture is in brain/wire.c, the privileged part in warden/.
 */
#include <stdio.h>
#include <string.h>

#include "agent/command/command.h"
#include "agent/config/options.h"
#include "base/log.h"

struct command {
	const char *name, *argument, *help;
	unsigned bit;
	int (*main)(int argc, char **argv);
};

static const struct command commands[] = {
	{ "run", "", "watch applications and send what they serve and call", FOR_RUN, command_run },
	{ "check", " [FILE]", "validate a configuration, or try its rules on a recording",
	  FOR_CHECK, command_check },
	{ "doctor", "", "what this host offers, what will and will not be seen", FOR_DOCTOR,
	  command_doctor },
	{ "record", " FILE", "run, and keep all that was captured in FILE", FOR_RECORD,
	  command_record },
	{ "replay", " FILE", "process a recording as if it happened now", FOR_REPLAY,
	  command_replay },
	{ "status", "", "counters of a running agent", FOR_STATUS, command_status },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const char exit_codes[] =
	"\nExit codes: 0 = as asked; 1 = failed at run time (no privilege, kernel, file, damaged\n"
	"recording, agent not there); 2 = wrong command line or configuration.\n";

static void help(void)
{
	printf("parcours " PARCOURS_VERSION
	       ": HTTP traffic of unmodified applications, as exact transactions\n\n"
	       "  parcours COMMAND [options]\n\n");
	for (size_t i = 0; i < COMMANDS; i++) {
		char left[32];

		snprintf(left, sizeof(left), "%s%s", commands[i].name, commands[i].argument);
		printf("  %-14s %s\n", left, commands[i].help);
	}
	printf("\n`parcours COMMAND --help` lists the options of a command.\n%s", exit_codes);
}

static void help_command(const struct command *c)
{
	printf("parcours %s%s [options]: %s\n\n", c->name, c->argument, c->help);
	options_help(c->bit);
	if (c->bit & (FOR_RUN | FOR_RECORD))
		printf("\nOptions of one kind are OR (--port 80 --port 443), of different kinds "
		       "AND.\n"
		       "--pid and --exe are one kind: processes.\n"
		       "With neither scope option nor file, all that listens on TCP is watched.\n"
		       "The OTEL_* variables of the OpenTelemetry specification are honoured; the\n"
		       "command line wins over them, and they win over the file. Spans of errors\n"
		       "are kept beside what the sampler takes; OTEL_TRACES_SAMPLER=always_off\n"
		       "sends none (sampling.keep_errors, sampling.keep_slow).\n"
		       "SIGHUP reads the file again; SIGTERM sends what is left and ends.\n");
	fputs(exit_codes, stdout);
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		help();
		return EXIT_OK;
	}
	if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
		puts("parcours " PARCOURS_VERSION);
		return EXIT_OK;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i].name) != 0)
			continue;
		if (wants_help(argc - 1, argv + 1)) {
			help_command(&commands[i]);
			return EXIT_OK;
		}
		return commands[i].main(argc - 1, argv + 1);
	}
	if (*name)
		log_error("unknown command \"%s\"; `parcours --help` lists them", name);
	else
		log_error("no command given; `parcours --help` lists them");
	return EXIT_USAGE;
}
