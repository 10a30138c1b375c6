/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brain.c: the life of the brain: rights given up first, then the rings mapped and the
 * core made; then the loop; at the end what is left in the rings goes through the core and the exports
 * get their time. Bytes of strangers are parsed from here on, so nothing of the warden's may be left:
 * every descriptor that was not handed over is closed.
 */
#include "agent/brain/brain.h"

#include "agent/brain/confine.h"
#include "agent/brain/urgency.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define DRAIN_BYTES    (1024 * 1024) /* of a pass, then other work gets its turn */
#define TICK_EVERY_NS  (2 * NS_PER_MS)
#define BEHIND_NS      NS_PER_S /* the same while a ring holds more than a pass takes */
#define CLOCK_EVERY_NS (10 * NS_PER_S)
#define LAST_DRAIN_NS                                                                              \
	(4 * NS_PER_S) /* full rings on a busy host; the warden waits 5 s beyond the exports */
#define KEPT_FDS 14

/* ---- alone ---- */

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void close_others(const struct brain_start *s)
{
	int keep[KEPT_FDS] = { 0,
			       1,
			       2,
			       s->warden_fd,
			       s->ndjson_fd,
			       s->record_fd,
			       s->status_fd,
			       s->visits_fd,
			       s->capture.control_ring,
			       s->capture.ring_bytes,
			       s->capture.ring_ends,
			       s->capture.directives,
			       s->capture.control,
			       s->capture.counters };
	unsigned next = 0;

	qsort(keep, KEPT_FDS, sizeof(keep[0]), by_value);
	for (unsigned i = 0; i < KEPT_FDS; i++) {
		if (keep[i] < 0)
			continue;
		if ((unsigned)keep[i] > next)
			close_range(next, (unsigned)keep[i] - 1, 0);
		next = (unsigned)keep[i] + 1;
	}
	close_range(next, ~0u, 0);
}

/* The terminal sends its signals to both processes; only the warden decides. */
static void ignore_signals(void)
{
	static const int ignored[] = { SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* ---- around the core ---- */

static void deliver(void *ctx, const struct pc_head *rec)
{
	struct brain *b = ctx;

	recorder_push(&b->recorder, rec);
	core_push(b->core, rec);
}

static void from_ring(void *ctx, const struct pc_head *rec)
{
	struct brain *b = ctx;

	b->start.shared->records[rec->kind % PC_KINDS]++;
	census_push(b->census, rec);
}

/* Not a step in time: what was read until the tick before is all that it can speak of. */
static void on_lost(void *ctx)
{
	struct brain *b = ctx;
	struct pc_head rec = { PC_TICK, PC_F_LOST, sizeof(rec), b->now_ns };

	b->ticks++;
	deliver(b, &rec);
}

static int to_warden(void *ctx, const struct message *m)
{
	struct brain *b = ctx;

	return b->warden_gone ? -EPIPE : message_send(b->start.warden_fd, m, NULL, 0);
}

static void to_kernel(void *ctx, const struct pc_directive *d)
{
	struct brain *b = ctx;

	if (b->reader)
		reader_direct(b->reader, d);
}

static void say(void *ctx, const char *sentence)
{
	log_warn("%s", sentence);
}

static void push_clock(struct brain *b)
{
	struct pc_clock rec = { .head = { PC_CLOCK, 0, sizeof(rec), b->now_ns },
				.wall_minus_mono_ns = clock_wall_minus_mono_ns() };

	b->clock_ns = b->now_ns;
	deliver(b, &rec.head);
}

static void push_tick(struct brain *b)
{
	struct pc_head rec = { PC_TICK, 0, sizeof(rec), b->now_ns };

	b->ticks++;
	deliver(b, &rec);
}

static void tell_recorder(struct brain *b)
{
	struct shared *shared = b->start.shared;

	shared->recording_records = b->recorder.records;
	shared->recording_bytes = b->recorder.bytes;
	if (!b->recorder.error || b->recorder_told)
		return;
	b->recorder_told = true;
	log_error("recording ended after %llu records: %s; make room and record again",
		  (unsigned long long)b->recorder.records, strerror(-b->recorder.error));
}

/* The warden waits for it, so it is not forgotten when the socket is full. */
static void answer_reload(struct brain *b)
{
	struct message m = { .kind = MESSAGE_RELOADED, .state = b->reloaded };

	if (b->answer_due)
		b->answer_due = to_warden(b, &m) == -EAGAIN;
}

void brain_drain(struct brain *b, bool *ret_more)
{
	uint64_t before = b->start.shared->records[PC_DATA];
	/* Before the drain: a tick says that all which happened until then was read. If it said more,
	 * the core would give up what lies in the ring whenever we were kept from running. */
	uint64_t now_ns = clock_mono_ns();
	long n = reader_drain(b->reader, DRAIN_BYTES);

	/* a full pass leaves something behind; a short one does not */
	*ret_more = n > 0 && b->start.shared->records[PC_DATA] - before >= 64;
	if (now_ns - b->now_ns < (reader_is_behind(b->reader) ? BEHIND_NS : TICK_EVERY_NS))
		return;
	b->now_ns = now_ns;
	census_tick(b->census, now_ns);
	if (now_ns - b->clock_ns >= CLOCK_EVERY_NS)
		push_clock(b);
	push_tick(b);
	checkpoint_tick(&b->checkpoint, b->core, now_ns, false);
	geo_file_tick(&b->geo, b->core->session, now_ns);
	recorder_flush(&b->recorder);
	tell_recorder(b);
	answer_reload(b);
	if (now_ns - b->alive_ns >= b->start.alive_every_ns) {
		struct message m = { .kind = MESSAGE_ALIVE };

		b->alive_ns = now_ns;
		to_warden(b, &m);
	}
}

/* ---- messages ---- */

/* Files that are read at each connection to the collector, by this process and its user. */
static void check_readable(const struct config *c)
{
	const struct signal_config *signals[] = { &c->traces, &c->metrics, &c->logs };
	static const char *const names[] = { "spans", "metrics", "events" };

	for (size_t i = 0; i < 3; i++) {
		const struct signal_config *s = signals[i];
		const char *const files[] = { s->certificate, s->client_certificate,
					      s->client_key };

		for (size_t f = 0; s->url && f < 3; f++)
			if (files[f] && access(files[f], R_OK))
				/* the URL is not told: it may hold a password */
				log_error("user %u, who sends %s, cannot read %s: %s; give that "
					  "user a copy, or name a user who can with --user",
					  getuid(), names[i], files[f], strerror(errno));
	}
}

static int load_text(struct brain *b, int fd, struct config **ret)
{
	struct stat st;
	char *text;
	int code;

	if (fd < 0 || fstat(fd, &st) || st.st_size > CONFIG_FILE_BYTES)
		return -EINVAL;
	if (!st.st_size)
		return options_load_text(b->start.options, slice_of("", 0), true, ret) ? -EINVAL
										       : 0;
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return -errno;
	code = options_load_text(b->start.options, slice_of(text, (size_t)st.st_size), true, ret);
	munmap(text, (size_t)st.st_size);
	return code ? -EINVAL : 0;
}

static int load_bundle(int fd, struct buf *ret)
{
	struct stat st;
	ssize_t n = 0;
	int err;

	if (fd < 0 || fstat(fd, &st) || st.st_size > RULE_BUNDLE_BYTES)
		return -EINVAL;
	err = buf_reserve(ret, (size_t)st.st_size);
	while (!err && ret->len < (size_t)st.st_size) {
		n = pread(fd, ret->at + ret->len, (size_t)st.st_size - ret->len, (off_t)ret->len);
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		ret->len += (size_t)n;
	}
	return err;
}

/* Those at work, where they are the same; *ret_made: those that are new. */
static int load_rules(struct brain *b, int fd, struct buf *bundle, struct rules **ret,
		      struct rules **ret_made)
{
	int err = load_bundle(fd, bundle);

	if (err)
		return err;
	if (slice_eq(buf_slice(bundle), buf_slice(&b->rules))) {
		*ret = b->core->outside.rules;
		return 0;
	}
	err = rule_files_compile(buf_slice(bundle), true, ret_made);
	if (!err)
		*ret = *ret_made;
	return err;
}

static int reload_core(struct brain *b, const struct config *config, int rules_fd, int ndjson_fd)
{
	struct rules *rules = NULL, *made = NULL;
	struct buf bundle;
	int err;

	buf_init(&bundle, RULE_BUNDLE_BYTES);
	err = load_rules(b, rules_fd, &bundle, &rules, &made);
	if (!err)
		err = core_reload(b->core, config, ndjson_fd, rules);
	if (err) {
		rules_free(made);
		buf_done(&bundle);
		return err;
	}
	buf_done(&b->rules);
	b->rules = bundle;
	return 0;
}

static void reload(struct brain *b, int text_fd, int rules_fd, int ndjson_fd)
{
	struct config *config = NULL;
	int err = load_text(b, text_fd, &config);

	if (!err)
		err = reload_core(b, config, rules_fd, ndjson_fd);
	b->reloaded = !err;
	b->answer_due = true;
	if (err) {
		log_error("reload: %s", strerror(-err));
		config_free(config);
		if (ndjson_fd >= 0)
			close(ndjson_fd);
		return;
	}
	if (b->start.ndjson_fd > 2)
		close(b->start.ndjson_fd);
	b->start.ndjson_fd = ndjson_fd;
	reader_contents(b->reader, txn_contents(b->core->txn));
	census_reload(b->census, config);
	geo_file_open(&b->geo, config->geo_file, b->core->session);
	config_free(b->own);
	b->config = b->own = config;
	log_max = (enum log_level)config->log_level;
	check_readable(config);
}

void brain_message(struct brain *b)
{
	while (!b->warden_gone) {
		struct message m = { 0 };
		int fds[MESSAGE_FDS];
		int err = message_receive(b->start.warden_fd, &m, fds);

		if (err == -EAGAIN)
			return;
		if (err) {
			log_error("the warden (pid %d) is gone: nothing more is "
				  "captured; sending what is left and ending",
				  (int)b->start.warden);
			b->warden_gone = true;
			return;
		}
		if (m.kind == MESSAGE_WHO) {
			m.who.head = (struct pc_head){ PC_WHO, 0, sizeof(m.who), clock_mono_ns() };
			census_who(b->census, &m.who);
		} else if (m.kind == MESSAGE_RELOAD) {
			reload(b, fds[0], fds[1], fds[2]);
			fds[2] = -1;
			answer_reload(b);
		} else if (m.kind == MESSAGE_STOP) {
			b->stopping = true;
		}
		for (unsigned i = 0; i < MESSAGE_FDS; i++)
			if (fds[i] >= 0)
				close(fds[i]);
	}
}

/* ---- begin and end ---- */

static int begin(struct brain *b)
{
	const struct brain_start *s = &b->start;
	const struct reader_sink ring = { b, from_ring, on_lost, s->shared->taken };
	const struct census_sink sink = { b, deliver, to_warden, on_lost };
	const struct config *c = b->config;
	struct core_outside outside = {
		.config = c,
		.ndjson_fd = s->ndjson_fd,
		.host_name = s->host.name,
		.host_id = s->host.id[0] ? s->host.id : NULL,
		.os_version = s->host.os_version,
		.ctx = b,
		.direct = to_kernel,
		.figures = brain_figures,
		.say = say,
	};
	int err;

	terminal_open(c, &outside);
	memcpy(outside.secret, s->secret, sizeof(outside.secret));
	memcpy(outside.site_secret, s->site_secret, sizeof(outside.site_secret));
	b->started_wall_ns = clock_wall_ns();
	check_readable(c);
	recorder_init(&b->recorder, s->record_fd, s->shared->recording_records,
		      s->shared->recording_bytes);
	buf_init(&b->rules, RULE_BUNDLE_BYTES);
	buf_add(&b->rules, s->rules);
	err = b->rules.failed ? -ENOMEM : census_new(c, &sink, &b->census);
	if (!err) /* the warden told what is wrong with them */
		err = rule_files_compile(s->rules, true, &outside.rules);
	if (!err)
		err = core_new(&outside, &b->core);
	if (!err)
		err = reader_new(&s->capture, &ring, &b->reader);
	if (err)
		return err;
	geo_file_open(&b->geo, c->geo_file, b->core->session);
	reader_contents(b->reader, txn_contents(b->core->txn));
	reader_begin(b->reader, (uint32_t)getpid());
	b->now_ns = clock_mono_ns();
	push_clock(b);
	session_tick(b->core->session, b->now_ns);
	checkpoint_open(&b->checkpoint, s->visits_fd, b->core);
	return 0;
}

static uint64_t left_in_rings(const struct brain *b)
{
	struct reader_stats s;
	uint64_t left = 0;

	reader_stats(b->reader, &s);
	for (unsigned kind = 0; kind < PC_KINDS; kind++)
		left += s.kernel.submitted[kind] - b->start.shared->records[kind];
	return left;
}

/* Programs are detached by now: what the rings hold is all there will be. Programs that were running
 * at that moment may still write for some microseconds, so empty is believed the second time. */
static void drain_rest(struct brain *b)
{
	uint64_t until_ns = clock_mono_ns() + LAST_DRAIN_NS;
	unsigned empty = 0;

	while (empty < 2 && clock_mono_ns() < until_ns) {
		bool more;

		if (reader_drain(b->reader, DRAIN_BYTES) > 0) {
			empty = 0;
			brain_drain(b, &more);
			continue;
		}
		empty++;
		brain_message(b);
		usleep(2000);
	}
	if (empty < 2)
		log_warn("the host was too busy to read all before the end: %" PRIu64
			 " records were left in the rings",
			 left_in_rings(b));
	b->now_ns = clock_mono_ns();
	push_tick(b);
}

static void finish(struct brain *b)
{
	drain_rest(b);
	census_finish(b->census);
	core_finish(b->core, b->config->drain_ns);
	checkpoint_tick(&b->checkpoint, b->core, b->now_ns, true);
	recorder_finish(&b->recorder);
	tell_recorder(b);
}

int brain_main(const struct brain_start *start)
{
	struct brain *b = calloc(1, sizeof(*b));
	struct message ready = { .kind = MESSAGE_READY };
	int code = EXIT_RUNTIME;
	int err;

	if (!b)
		return code;
	b->start = *start;
	b->config = start->config;
	prctl(PR_SET_NAME, "parcours-brain");
	ignore_signals();
	close_others(start);
	err = account_become(&start->account);
	if (err) {
		log_error("cannot become user %u: %s", start->account.uid, strerror(-err));
		goto out;
	}
	err = urgency_ask();
	if (err) /* it may wait longer for a processor, no more */
		log_warn("no shorter slice of the processor: %s", strerror(-err));
	err = confine();
	if (err) /* a kernel without it: the user and the empty capability sets remain */
		log_warn("no seccomp filter: %s", strerror(-err));
	err = begin(b);
	if (err) {
		log_error("cannot start: %s", strerror(-err));
		goto out;
	}
	if (to_warden(b, &ready) == 0)
		err = brain_loop(b);
	if (err)
		log_error("loop: %s", strerror(-err));
	finish(b);
	code = b->warden_gone || b->recorder.error || err ? EXIT_RUNTIME : EXIT_OK;
out:
	reader_free(b->reader);
	core_free(b->core);
	geo_file_close(&b->geo);
	census_free(b->census);
	buf_done(&b->rules);
	recorder_done(&b->recorder);
	config_free(b->own);
	free(b);
	return code;
}
