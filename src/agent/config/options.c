/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c: getopt_long over one table for all commands. An option that is a setting only names its
 * key; type and bounds are the setting's.
 */
#include "agent/config/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"

#define WATCH (FOR_RUN | FOR_RECORD)
#define CORE  (WATCH | FOR_REPLAY)

struct option_row {
	const char *name;
	char letter;
	const char *argument; /* NULL = none; "[=X]": may be left out */
	unsigned commands;
	const char *key; /* of the setting; NULL: handled in take() */
	const char *help;
};

static const struct option_row rows[] = {
	{ "config", 'c', "FILE", CORE | FOR_CHECK | FOR_DOCTOR, NULL,
	  "configuration (share/parcours.yaml)" },
	{ "pid", 0, "N", WATCH, "scope.pids",
	  "watch this process and its children; repeat for more" },
	{ "exe", 0, "GLOB", WATCH, "scope.executables",
	  "watch executables: /opt/*/bin/node, nginx" },
	{ "port", 0, "N", WATCH, "scope.ports", "watch connections whose server has this port" },
	{ "cgroup", 0, "PATH", WATCH, "scope.cgroups", "watch processes in this cgroup and below" },
	{ "ndjson", 0, "FILE|-", CORE, "output.ndjson", "write transactions as NDJSON" },
	{ "otlp-endpoint", 0, "URL", CORE, "otlp.endpoint", "send to an OpenTelemetry collector" },
	{ "console", 0, "[=WHAT]", CORE, "output.console",
	  "show what happens: pages (and visits), transactions or all (all)" },
	{ "duration", 0, "SECONDS", WATCH, "duration", "stop by itself" },
	{ "ring-size", 0, "BYTES", WATCH, "capture.ring_size", "data ring of the kernel (8MiB)" },
	{ "capture", 0, "SOURCE", WATCH, "capture.source", "auto, sock or syscall (auto)" },
	{ "rules", 0, "FILE", CORE | FOR_CHECK, "rules",
	  "say what happens to carts and orders by these rules; repeat for more" },
	{ "session-timeout", 0, "DURATION", CORE, "session.timeout",
	  "a visit ends that long after its last request (30m)" },
	{ "state-directory", 0, "DIR", CORE | FOR_DOCTOR, "state_directory",
	  "site secret and open visits (/var/lib/parcours)" },
	{ "privacy", 0, "MODE", CORE, "privacy.mode", "none, audience or customer (audience)" },
	{ "user", 0, "NAME", CORE, "user", "whom the unprivileged process runs as" },
	{ "status-socket", 0, "PATH", WATCH, "status_socket", "where `parcours status` asks" },
	{ "status-socket", 0, "PATH", FOR_STATUS, NULL, "socket of the agent to ask" },
	{ "log-level", 0, "LEVEL", CORE, "log_level", "error, warn, info or debug (info)" },
	{ "json", 0, NULL, FOR_STATUS | FOR_DOCTOR, NULL, "as JSON" },
	{ "force", 0, NULL, FOR_RECORD, NULL, "replace FILE if it exists" },
	{ "help", 'h', NULL, ~0u, NULL, "this text" },
};

#define ROWS  (sizeof(rows) / sizeof(rows[0]))
#define FIRST 1000 /* getopt's value of rows[0] */

static void take(struct options *o, const struct option_row *row, const char *argument)
{
	if (row->letter == 'c')
		o->config_file = argument;
	else if (strcmp(row->name, "json") == 0)
		o->json = true;
	else if (strcmp(row->name, "force") == 0)
		o->force = true;
	else
		o->status_socket = argument;
}

static int take_value(struct options *o, const struct option_row *row, const char *argument)
{
	static char names[ROWS][24];

	if (o->count == OPTIONS_MAX) {
		log_error("more than %d options: use a configuration file", OPTIONS_MAX);
		return -EINVAL;
	}
	snprintf(names[row - rows], sizeof(names[0]), "--%s", row->name);
	o->values[o->count++] =
		(struct option_value){ row->key, names[row - rows], argument ? argument : "true" };
	return 0;
}

static const struct option_row *row_of(int got, unsigned command)
{
	if (got >= FIRST && got < FIRST + (int)ROWS)
		return &rows[got - FIRST];
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].letter && rows[i].letter == got && (rows[i].commands & command))
			return &rows[i];
	return NULL;
}

static int complain(char **argv, int got, int at)
{
	if (got == ':')
		log_error("%s: %s needs a value", argv[0], argv[at]);
	else
		log_error("%s: unknown option %s; `parcours %s --help` lists them", argv[0],
			  argv[at], argv[0]);
	return -EINVAL;
}

int options_parse(int argc, char **argv, unsigned command, struct options *ret)
{
	struct option longs[ROWS + 1] = { 0 };
	unsigned n = 0;
	int got;

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].commands & command)
			longs[n++] =
				(struct option){ rows[i].name,
						 !rows[i].argument	      ? no_argument
						 : rows[i].argument[0] == '[' ? optional_argument
									      : required_argument,
						 NULL, FIRST + (int)i };
	optind = 0;
	opterr = 0;
	for (;;) {
		int at = optind ? optind : 1;
		const struct option_row *row;

		got = getopt_long(argc, argv,
				  command & (CORE | FOR_CHECK | FOR_DOCTOR) ? ":c:h" : ":h", longs,
				  NULL);
		if (got < 0)
			break;
		row = row_of(got, command);
		if (!row)
			return complain(argv, got, at < argc ? at : argc - 1);
		if (!row->key)
			take(ret, row, optarg);
		else if (take_value(ret, row, optarg))
			return -EINVAL;
	}
	if (optind < argc && (command & (FOR_RECORD | FOR_REPLAY | FOR_CHECK)))
		ret->argument = argv[optind++];
	if (optind < argc) {
		log_error("%s: unexpected \"%s\"", argv[0], argv[optind]);
		return -EINVAL;
	}
	return 0;
}

void options_help(unsigned command)
{
	for (size_t i = 0; i < ROWS; i++) {
		char left[40];

		if (!(rows[i].commands & command))
			continue;
		snprintf(left, sizeof(left), "%s%s%s", rows[i].name,
			 rows[i].argument && rows[i].argument[0] != '[' ? " " : "",
			 rows[i].argument ? rows[i].argument : "");
		if (rows[i].letter)
			printf("  -%c, --%-22s %s\n", rows[i].letter, left, rows[i].help);
		else
			printf("      --%-22s %s\n", left, rows[i].help);
	}
}

static void say(void *ctx, bool error, const char *line)
{
	if (error)
		log_error("%s", line);
	else
		log_warn("%s", line);
}

int options_load_text(const struct options *o, struct slice text, bool quiet, struct config **ret)
{
	struct problems p = { .say = quiet ? NULL : say };
	struct config_sources from = {
		.file = o->config_file,
		.text = text,
		.environ = environ,
		.options = o->values,
		.option_count = o->count,
	};

	return config_load(&from, &p, ret) ? EXIT_USAGE : EXIT_OK;
}

int options_load(const struct options *o, struct config **ret)
{
	struct buf text;
	int code;

	buf_init(&text, CONFIG_FILE_BYTES + 65536);
	if (o->config_file) {
		int err = config_read(o->config_file, &text);

		if (err) {
			log_error("cannot read %s: %s", o->config_file,
				  err == -EFBIG ? "larger than 1 MiB" : strerror(-err));
			buf_done(&text);
			return err == -ENOENT || err == -EFBIG || err == -EISDIR ? EXIT_USAGE
										 : EXIT_RUNTIME;
		}
	}
	code = options_load_text(o, buf_slice(&text), false, ret);
	buf_done(&text);
	return code;
}
