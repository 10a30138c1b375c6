/* SPDX-License-Identifier: Apache-2.0 */
/*
 * warden.c: start, loop and end of the privileged process. Order of the start: files and sockets with
 * the rights of who started us; then the rights are dropped to six capabilities; then the programs are
 * loaded; then the brain is forked; when it reads, the programs are attached and what is there already
 * is scanned; then, and only then, `ready`.
 *
 * Order of the end: detach (nothing is captured any more), STOP (the brain drains, sends, ends), wait,
 * but not for ever.
 */
#include "agent/warden/warden.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/secret.h"
#include "agent/warden/notify.h"
#include "agent/warden/scope.h"
#include "base/clock.h"
#include "base/log.h"

#define END_MARGIN_NS  (5 * NS_PER_S) /* beyond the drain of exports */
#define START_LIMIT_NS (10 * NS_PER_S)

#define FIRST_PID_NAMESPACE 0xEFFFFFFC /* the kernel's PROC_PID_INIT_INO */

/* ---- start ---- */

static int check_rights(void)
{
	char missing[256];

	if (!rights_missing(missing, sizeof(missing)))
		return 0;
	log_error("parcours must be started as root, or with the capabilities that it keeps: "
		  "missing %s. Try: sudo parcours …; `parcours doctor` says more",
		  missing);
	return -EPERM;
}

/* The kernel names processes by their numbers in the first PID namespace. In another one a number means
 * somebody else: scope and names would be wrong, and we would not know ourselves. */
static int check_namespace(void)
{
	struct stat own;

	if (stat("/proc/self/ns/pid", &own) || own.st_ino == FIRST_PID_NAMESPACE)
		return 0;
	log_error(
		"parcours runs in a PID namespace of its own and would take processes for others: "
		"start it on the host, or its container with the host's (docker run --pid=host, "
		"hostPID: true)");
	return -ENOTSUP;
}

static int find_account(struct warden *w)
{
	const char *name = w->config->user;
	int err = account_find(name, &w->account);

	if (err == -ENOENT)
		log_error("user %s: there is no such user on this host", name);
	else if (err == -EINVAL)
		log_error("user %s: must be neither root nor nobody (others run as nobody and "
			  "could trace the process)",
			  name ? name : "parcours");
	else if (err)
		log_error("no free user id between 61184 and 65519: name one with --user");
	return err;
}

static int block_signals(struct warden *w)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	w->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return w->signal_fd < 0 ? -errno : 0;
}

/* While the programs are loaded one may end us, there is nothing to send yet; but who asks to read the
 * configuration again (logrotate) does not mean that. It is answered when we listen. */
static void hold_reload(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int load_capture(struct warden *w)
{
	const struct config *c = w->config;
	const struct capture_options options = {
		.source = (enum capture_source)c->source,
		.data_ring_bytes = (uint32_t)c->ring_bytes,
		.control_ring_bytes = (uint32_t)c->control_ring_bytes,
		.data_rings = (uint32_t)c->data_rings,
		.connections = (uint32_t)c->capture_connections,
		.acknowledge = (enum capture_acknowledge)c->acknowledged,
	};
	const char *why = NULL;
	int err = capture_new(&options, &w->capture, &why);

	if (err) {
		log_error("cannot capture: %s (%s)", why ? why : "the kernel refuses",
			  strerror(-err));
		return err;
	}
	capture_fds(w->capture, &w->fds);
	w->source = capture_source(w->capture) == CAPTURE_SYSCALL ? "syscall" : "sock";
	err = scope_apply(c, w->capture);
	if (err && err != -ENOENT)
		log_error("cannot set the scope: %s", strerror(-err));
	return err;
}

static int prepare(struct warden *w, const char *record)
{
	int err;

	hold_reload();
	err = check_rights();
	err = err ?: check_namespace();
	if (err)
		return err;
	host_read(&w->host);
	err = find_account(w);
	if (err)
		return err;
	err = secret_open(w->config, w->site_secret);
	if (err)
		return err;
	err = outputs_open(w->config, record, w->options->force, &w->outputs);
	if (err)
		return err;
	w->shared = mmap(NULL, sizeof(*w->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w->shared == MAP_FAILED) {
		w->shared = NULL;
		return -errno;
	}
	w->shared->started_ns = clock_mono_ns();
	w->shared->started_wall_ns = clock_wall_ns();
	if (getrandom(w->secret, sizeof(w->secret), 0) != sizeof(w->secret))
		return -errno;
	err = rights_keep_warden();
	if (err) {
		log_error("cannot drop privileges: %s", strerror(-err));
		return err;
	}
	err = load_capture(w);
	if (!err)
		err = block_signals(w);
	return err;
}

int warden_watch(struct warden *w)
{
	const char *why = NULL;
	long found;
	int err = capture_attach(w->capture, &why);

	if (err) {
		log_error("cannot attach: %s (%s)", why ? why : "the kernel refuses",
			  strerror(-err));
		return err;
	}
	/* what started between the first judgement and now */
	err = scope_judge(w->config, w->capture);
	found = err ? err : capture_scan(w->capture);
	if (found < 0) {
		log_error("cannot scan existing sockets: %s", strerror((int)-found));
		return (int)found;
	}
	log_debug("%ld sockets were there already", found);
	w->capture_next_ns = clock_mono_ns() + NS_PER_S;
	return 0;
}

static void say_ready(struct warden *w)
{
	w->state = WARDEN_WATCHING;
	if (w->config->duration_ns)
		w->end_ns = clock_mono_ns() + w->config->duration_ns;
	/* exactly this line: others wait for it */
	fputs("ready\n", stderr);
	notify("READY=1");
}

/* ---- loop ---- */

void warden_stop(struct warden *w)
{
	struct message m = { .kind = MESSAGE_STOP };
	uint64_t now_ns = clock_mono_ns();

	if (w->state == WARDEN_STOPPING) {
		/* asked twice: now */
		if (w->brain)
			kill(w->brain, SIGKILL);
		return;
	}
	w->state = WARDEN_STOPPING;
	w->restart_ns = 0;
	notify("STOPPING=1");
	warden_reload_drop(w, NULL);
	if (w->capture)
		capture_last(w->capture);
	capture_free(w->capture);
	w->capture = NULL;
	w->capture_next_ns = 0;
	if (!w->brain)
		return;
	w->deadline_ns = now_ns + w->config->drain_ns + END_MARGIN_NS;
	if (message_send(w->brain_fd, &m, NULL, 0)) {
		log_error("the brain does not listen: ending it");
		kill(w->brain, SIGKILL);
	}
}

static void take_signals(struct warden *w)
{
	struct signalfd_siginfo info;

	while (read(w->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		int status;

		if (info.ssi_signo == SIGHUP)
			warden_reload(w);
		else if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			warden_stop(w);
		else if (w->brain && waitpid(w->brain, &status, WNOHANG) == w->brain)
			warden_brain_ended(w, status);
	}
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return !b || (a && a < b) ? a : b;
}

static int wait_ms(const struct warden *w, uint64_t now_ns)
{
	uint64_t next = sooner(sooner(w->restart_ns, w->deadline_ns),
			       sooner(w->end_ns, w->watchdog_next_ns));

	next = sooner(sooner(next, w->capture_next_ns), w->next_until_ns);
	if (!next)
		return -1;
	return next <= now_ns ? 0 : (int)((next - now_ns) / NS_PER_MS) + 1;
}

/* Over the line of before, and what is logged goes over this one. */
static void show_progress(const struct warden *w)
{
	fprintf(stderr, "\r\033[K%llu records, %.1f MB\r",
		(unsigned long long)w->shared->recording_records,
		(double)w->shared->recording_bytes / 1e6);
}

static void take_time(struct warden *w, uint64_t now_ns)
{
	if (w->restart_ns && now_ns >= w->restart_ns) {
		w->restart_ns = 0;
		if (warden_start_brain(w))
			w->restart_ns = now_ns + w->backoff_ns;
	}
	if (w->deadline_ns && now_ns >= w->deadline_ns && w->brain) {
		log_error("the brain did not %s in time: ending it",
			  w->state == WARDEN_STARTING ? "start" : "end");
		w->deadline_ns = 0;
		w->exit_code = EXIT_RUNTIME;
		kill(w->brain, SIGKILL);
	}
	if (w->next_until_ns && now_ns >= w->next_until_ns) {
		w->next_until_ns = 0;
		log_error("the brain does not answer: ending it");
		if (w->brain)
			kill(w->brain, SIGKILL);
	}
	if (w->end_ns && now_ns >= w->end_ns) {
		w->end_ns = 0;
		warden_stop(w);
	}
	if (w->capture_next_ns && now_ns >= w->capture_next_ns) {
		w->capture_next_ns = now_ns + NS_PER_S;
		capture_tick(w->capture, now_ns);
		if (w->shows_progress)
			show_progress(w);
	}
	if (w->watchdog_next_ns && now_ns >= w->watchdog_next_ns) {
		w->watchdog_next_ns = now_ns + w->watchdog_ns / 2;
		/* a brain that hangs must not look alive; where it is being started again, we are */
		if (!w->brain || now_ns - w->alive_ns < w->watchdog_ns)
			notify("WATCHDOG=1");
	}
}

static bool goes_on(const struct warden *w)
{
	return w->brain || w->restart_ns;
}

static void loop(struct warden *w)
{
	while (goes_on(w)) {
		bool telling = w->brain_ready && w->look_next < w->look_count;
		struct pollfd polled[2] = {
			{ .fd = w->signal_fd, .events = POLLIN },
			{ .fd = w->brain_fd, .events = POLLIN | (telling ? POLLOUT : 0) },
		};

		if (poll(polled, 2, wait_ms(w, clock_mono_ns())) < 0 && errno != EINTR) {
			log_error("poll: %s", strerror(errno));
			w->exit_code = EXIT_RUNTIME;
			warden_stop(w);
		}
		if (polled[1].revents & (POLLIN | POLLHUP | POLLERR))
			warden_message(w);
		if (telling)
			warden_look_more(w);
		if (w->state == WARDEN_STARTING && w->brain_ready &&
		    w->look_next == w->look_count) {
			w->deadline_ns = 0;
			say_ready(w);
		}
		take_signals(w);
		take_time(w, clock_mono_ns());
	}
}

/* Read and tried once, before anything is watched. */
static int read_rules(struct warden *w)
{
	struct rules *rules = NULL;
	int err = rule_files_read(w->config, &w->rules);

	if (!err)
		err = rule_files_compile(buf_slice(&w->rules), false, &rules);
	rules_free(rules);
	return err;
}

int warden_run(const struct options *options, struct config *config, const char *record)
{
	struct warden w = { .options = options,
			    .config = config,
			    .outputs = { -1, -1, -1, -1, "" },
			    .next_ndjson = -1,
			    .signal_fd = -1,
			    .brain_fd = -1 };

	log_max = (enum log_level)config->log_level;
	buf_init(&w.rules, RULE_BUNDLE_BYTES);
	buf_init(&w.next_rules, RULE_BUNDLE_BYTES);
	if (read_rules(&w)) {
		w.exit_code = EXIT_USAGE;
		goto out;
	}
	if (prepare(&w, record)) {
		w.exit_code = EXIT_RUNTIME;
		goto out;
	}
	w.shows_progress =
		record && isatty(STDERR_FILENO) && !(config->console && isatty(STDOUT_FILENO));
	w.watchdog_ns = notify_watchdog_ns();
	w.watchdog_next_ns = w.watchdog_ns ? clock_mono_ns() : 0;
	w.alive_ns = clock_mono_ns();
	w.deadline_ns = clock_mono_ns() + START_LIMIT_NS;
	if (warden_start_brain(&w))
		w.exit_code = EXIT_RUNTIME;
	loop(&w);
	if (w.shows_progress)
		fputs("\r\033[K", stderr);
	if (record)
		log_info("%s holds %llu records, %llu bytes", record,
			 (unsigned long long)w.shared->recording_records,
			 (unsigned long long)w.shared->recording_bytes);
out:
	if (w.signal_fd >= 0)
		close(w.signal_fd);
	warden_reload_drop(&w, NULL);
	capture_free(w.capture);
	outputs_close(&w.outputs);
	if (w.shared)
		munmap(w.shared, sizeof(*w.shared));
	free(w.looks);
	buf_done(&w.rules);
	buf_done(&w.next_rules);
	config_free(w.config);
	return w.exit_code;
}
