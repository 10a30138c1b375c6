/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay.c: `parcours replay FILE`: the same core, fed from a recording. The same file gives the same
 * NDJSON each time: time, order and names come from the records, never from this host or this hour.
 *
 * The file holds bytes of strangers, so when started as root it is opened, then the rights are dropped
 * like the brain's.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/brain/brain.h"
#include "agent/brain/confine.h"
#include "agent/command/command.h"
#include "agent/recording.h"
#include "agent/secret.h"
#include "agent/warden/outputs.h"
#include "base/clock.h"
#include "base/log.h"

#define PROGRESS_EVERY_NS (200 * NS_PER_MS)
#define PROGRESS_RECORDS  8192 /* a look at the clock in between would cost more than the work */

struct replay {
	const struct config *config;
	struct recording *recording;
	struct core *core;
	struct geo_file geo;
	uint64_t started_ns, told_ns;
	bool terminal;
	struct txn_stats txn; /* at the end */
	uint8_t site_secret[SECRET_BYTES];
	struct rules *rules; /* until the core has them */
};

static uint32_t no_figures(void *ctx, struct counter *ret, uint32_t max)
{
	struct replay *r = ctx;

	return r->core ? core_figures(r->core, 0, ret, max) : 0;
}

static void say(void *ctx, const char *sentence)
{
	log_warn("%s", sentence);
}

static void progress(struct replay *r)
{
	struct recording_facts facts;
	uint64_t now_ns = clock_mono_ns();

	if (!r->terminal || now_ns - r->told_ns < PROGRESS_EVERY_NS)
		return;
	r->told_ns = now_ns;
	recording_facts(r->recording, &facts);
	if (facts.size)
		fprintf(stderr, "\r%3u %%  %llu records ",
			(unsigned)(facts.offset * 100 / facts.size),
			(unsigned long long)facts.records);
	else
		fprintf(stderr, "\r%llu records ", (unsigned long long)facts.records);
}

/* What was read is processed, whatever came after it. */
static int feed(struct replay *r)
{
	const struct pc_head *rec;
	const char *why;
	uint64_t n = 0;
	int got;

	while ((got = recording_next(r->recording, &rec, &why)) > 0) {
		core_push(r->core, rec);
		if (++n % PROGRESS_RECORDS == 0)
			progress(r);
	}
	if (r->terminal)
		fputs("\r\033[K", stderr);
	if (got < 0) {
		struct recording_facts facts;

		recording_facts(r->recording, &facts);
		log_error("at byte %llu, after %llu records: %s; what was read is processed",
			  (unsigned long long)facts.offset, (unsigned long long)facts.records, why);
	}
	return got;
}

static void summary(struct replay *r)
{
	struct recording_facts facts;
	double seconds = (double)(clock_mono_ns() - r->started_ns) / 1e9;
	struct txn_stats s = r->txn;
	uint64_t closed = 0;

	for (size_t i = 0; i < sizeof(s.closed) / sizeof(s.closed[0]); i++)
		closed += s.closed[i];
	recording_facts(r->recording, &facts);
	log_info("%llu records, %llu transactions, %.2f s (%.0f transactions/s)",
		 (unsigned long long)facts.records, (unsigned long long)closed, seconds,
		 seconds > 0 ? (double)closed / seconds : 0);
}

static int run(struct replay *r, int ndjson_fd)
{
	const struct config *c = r->config;
	struct core_outside outside = {
		.config = c,
		.ndjson_fd = ndjson_fd,
		.patient = true,
		.ctx = r,
		.rules = r->rules,
		.figures = no_figures,
		.say = say,
	};
	int err;
	int got;

	memcpy(outside.site_secret, r->site_secret, sizeof(outside.site_secret));
	r->rules = NULL;
	terminal_open(c, &outside);
	err = core_new(&outside, &r->core);
	if (err) {
		log_error("cannot start: %s", strerror(-err));
		return EXIT_RUNTIME;
	}
	if (c->geo_file)
		geo_file_open(&r->geo, c->geo_file, r->core->session);
	r->started_ns = clock_mono_ns();
	r->terminal = isatty(STDERR_FILENO);
	got = feed(r);
	core_finish(r->core, c->drain_ns);
	txn_stats(r->core->txn, &r->txn);
	summary(r);
	core_free(r->core);
	geo_file_close(&r->geo);
	return got < 0 ? EXIT_RUNTIME : EXIT_OK;
}

int command_drop_rights(const struct config *c)
{
	struct account account;
	int err;

	if (geteuid() != 0)
		return 0;
	err = account_find(c->user, &account);
	if (!err)
		err = account_become(&account);
	if (err) {
		log_error("cannot give up root's rights (--user): %s", strerror(-err));
		return err;
	}
	err = confine();
	if (err)
		log_warn("no seccomp filter: %s", strerror(-err));
	return 0;
}

/* With the rights that we were started with. */
static int read_rules(const struct config *c, struct rules **ret)
{
	struct buf bundle;
	int err;

	buf_init(&bundle, RULE_BUNDLE_BYTES);
	err = rule_files_read(c, &bundle);
	if (!err)
		err = rule_files_compile(buf_slice(&bundle), false, ret);
	buf_done(&bundle);
	return err;
}

/* The host's only where it was named: then keys and ids are those of the live agent. Otherwise none, so
 * that a recording says the same on every host. */
static int read_secret(const struct config *c, uint8_t ret[SECRET_BYTES])
{
	char path[STATE_PATH];
	int err;

	if (!c->secret_file && !c->state_directory)
		return 0;
	err = secret_path(c, path);
	if (!err)
		err = secret_read(path, ret);
	if (err)
		log_error("site secret %s: %s", path,
			  err == -EBADMSG ? "is not 64 hexadecimal digits" : strerror(-err));
	return err;
}

static int replay(struct config *c, const char *path)
{
	struct replay r = { .config = c };
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int ndjson_fd = -1;
	int code = EXIT_RUNTIME;
	const char *why;

	if (fd < 0) {
		log_error("cannot read %s: %s", path, strerror(errno));
		return code;
	}
	if (read_rules(c, &r.rules)) {
		code = EXIT_USAGE;
		goto out;
	}
	if (read_secret(c, r.site_secret) || outputs_open_ndjson(c, &ndjson_fd) ||
	    command_drop_rights(c))
		goto out;
	if (recording_open(fd, &r.recording, &why)) {
		log_error("%s: %s", path, why);
		goto out;
	}
	code = run(&r, ndjson_fd);
	recording_close(r.recording);
out:
	rules_free(r.rules);
	if (ndjson_fd > STDERR_FILENO)
		close(ndjson_fd);
	if (fd > STDERR_FILENO)
		close(fd);
	return code;
}

int command_replay(int argc, char **argv)
{
	struct options options;
	struct config *config;
	int code;

	if (options_parse(argc, argv, FOR_REPLAY, &options))
		return EXIT_USAGE;
	if (!options.argument) {
		log_error("replay: name the file to read");
		return EXIT_USAGE;
	}
	code = options_load(&options, &config);
	if (code)
		return code;
	log_max = (enum log_level)config->log_level;
	signal(SIGPIPE, SIG_IGN);
	code = replay(config, options.argument);
	config_free(config);
	return code;
}
