/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flow.c: an event script through the whole core, NDJSON on standard output:
 *
 *   flow [--cut N] [--order as-is|rx-first|tx-first|reverse] [--record FILE] [--replay FILE] SCRIPT
 *
 * The script ends at a line "---" (what follows is what tests/flow/run expects). --record writes the
 * records to FILE instead, for `parcours replay`; --replay takes more records from FILE, after the script's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/brain/brain.h"
#include "agent/recording.h"
#include "agent/wire.h"
#include "script.h"

#define SCRIPT_BYTES (256 << 20) /* those that are made by programs are long (visits) */

static const char *const usage = "usage: flow [--cut N] [--order as-is|rx-first|tx-first|reverse] "
				 "[--record FILE] [--replay FILE] "
				 "SCRIPT\n";

static void say(void *ctx, bool error, const char *line)
{
	fprintf(stderr, "flow: %s\n", line);
}

static int load_config(const struct script *s, struct config **ret)
{
	struct option_value values[SCRIPT_SETTINGS + 1] = {
		{ .key = "privacy", .option = "default of the tests", .value = "none" }
	};
	struct config_sources from = { .options = values, .option_count = s->setting_count + 1 };
	struct problems problems = { .say = say };

	memcpy(values + 1, s->settings, s->setting_count * sizeof(values[0]));
	return config_load(&from, &problems, ret);
}

static uint32_t figures(void *ctx, struct counter *ret, uint32_t max)
{
	struct core **core = ctx;

	return *core ? core_figures(*core, 0, ret, max) : 0;
}

static int read_rules(const struct config *config, struct rules **ret)
{
	struct buf bundle;
	int err;

	buf_init(&bundle, RULE_BUNDLE_BYTES);
	err = rule_files_read(config, &bundle);
	if (!err)
		err = rule_files_compile(buf_slice(&bundle), false, ret);
	buf_done(&bundle);
	return err;
}

static int push_recording(struct core *core, const char *path)
{
	const struct pc_head *rec;
	struct recording *r;
	const char *why;
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = recording_open(fd, &r, &why);
	if (!err) {
		while ((err = recording_next(r, &rec, &why)) > 0)
			core_push(core, rec);
		recording_close(r);
	}
	close(fd);
	if (err)
		fprintf(stderr, "flow: %s: %s\n", path, why);
	return err;
}

static int run_core(const struct script *s, const char *replay)
{
	struct core *core = NULL;
	struct core_outside outside = { .ndjson_fd = STDOUT_FILENO,
					.console_fd = -1,
					.patient = true,
					.ctx = &core,
					.figures = figures };
	struct config *config;
	int err = load_config(s, &config);

	if (err)
		return err;
	outside.config = config;
	err = read_rules(config, &outside.rules);
	if (err) {
		config_free(config);
		return err;
	}
	err = core_new(&outside, &core);
	if (!err) {
		for (size_t i = 0; i < s->count; i++)
			core_push(core, s->records[i]);
		if (replay)
			err = push_recording(core, replay);
		core_finish(core, 0);
	}
	core_free(core);
	config_free(config);
	return err;
}

static int write_recording(const struct script *s, const char *path)
{
	struct recorder r;
	int fd, err = recording_create(path, true, &fd);

	if (err)
		return err;
	recorder_init(&r, fd, 0, 0);
	for (size_t i = 0; i < s->count; i++)
		recorder_push(&r, s->records[i]);
	recorder_finish(&r);
	err = r.error;
	recorder_done(&r);
	close(fd);
	return err;
}

static bool parse_order(const char *name, enum script_order *ret)
{
	static const char *const names[] = { "as-is", "rx-first", "tx-first", "reverse" };

	for (unsigned i = 0; i < 4; i++) {
		if (strcmp(name, names[i]))
			continue;
		*ret = (enum script_order)i;
		return true;
	}
	return false;
}

struct arguments {
	struct script_options options;
	const char *record, *replay, *script;
};

static bool parse_arguments(int argc, char **argv, struct arguments *ret)
{
	*ret = (struct arguments){ .options.cut = PC_PIECE };
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(argv[i], "--cut")) {
			ret->options.cut = (uint32_t)strtoul(value, NULL, 10);
			i++;
		} else if (!strcmp(argv[i], "--order")) {
			if (!parse_order(value, &ret->options.order))
				return false;
			i++;
		} else if (!strcmp(argv[i], "--record")) {
			ret->record = value;
			i++;
		} else if (!strcmp(argv[i], "--replay")) {
			ret->replay = value;
			i++;
		} else {
			ret->script = argv[i];
		}
	}
	return ret->script && ret->options.cut > 0 && ret->options.cut <= PC_PIECE;
}

static int read_script(const char *path, struct buf *ret)
{
	FILE *f = fopen(path, "re");
	int err = f ? 0 : -errno;
	size_t n = 1;

	while (!err && n) {
		err = buf_reserve(ret, 65536);
		n = err ? 0 : fread(ret->at + ret->len, 1, 65536, f);
		ret->len += n;
	}
	if (f && !err && ferror(f))
		err = -EIO;
	if (f)
		fclose(f);
	return err;
}

int main(int argc, char **argv)
{
	struct arguments a;
	struct script script;
	struct buf text;
	struct slice part;
	const char *why;
	unsigned line;
	long end;
	int err;

	if (!parse_arguments(argc, argv, &a)) {
		fputs(usage, stderr);
		return 2;
	}
	buf_init(&text, SCRIPT_BYTES);
	err = read_script(a.script, &text);
	if (err) {
		fprintf(stderr, "flow: %s: %s\n", a.script, strerror(-err));
		return 2;
	}
	part = buf_slice(&text);
	end = slice_find_slice(part, SLICE("\n---\n"));
	if (end >= 0)
		part = slice_sub(part, 0, (size_t)end);
	if (!script_parse(part, &a.options, &script, &line, &why)) {
		fprintf(stderr, "%s:%u: %s\n", a.script, line, why ? why : "wrong");
		err = -EINVAL;
	} else {
		err = a.record ? write_recording(&script, a.record) : run_core(&script, a.replay);
		if (err)
			fprintf(stderr, "flow: %s\n", strerror(-err));
	}
	script_done(&script);
	buf_done(&text);
	return err ? 2 : 0;
}
