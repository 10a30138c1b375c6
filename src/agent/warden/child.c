/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.c: the brain as the warden's child: started, listened to, started again. A brain that dies
 * loses what it had in hand, never what is in the rings: their positions are the kernel's, and the
 * next brain goes on from there. It is started again at growing intervals, for as long as it takes.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/warden/look.h"
#include "agent/warden/scope.h"
#include "agent/warden/warden.h"
#include "base/clock.h"
#include "base/log.h"

#define BACKOFF_FIRST_NS (50 * NS_PER_MS)
#define BACKOFF_LAST_NS	 (10 * NS_PER_S)
#define HEALTHY_NS	 (30 * NS_PER_S) /* lived this long: the next death is a first one */
#define LOOKS_MAX	 8192
#define MESSAGES_A_PASS                                                                            \
	256 /* then signals and time: whoever floods us cannot keep us from ending it */

/* Often enough that a watchdog's patience does not end between two signs of life. */
static uint64_t alive_every_ns(const struct warden *w)
{
	uint64_t often = w->watchdog_ns / 4;

	return often && often < NS_PER_S ? often : NS_PER_S;
}

int warden_start_brain(struct warden *w)
{
	struct brain_start start = {
		.config = w->config,
		.options = w->options,
		.rules = buf_slice(&w->rules),
		.capture = w->fds,
		.source = w->source,
		.ndjson_fd = w->outputs.ndjson,
		.record_fd = w->outputs.record,
		.status_fd = w->outputs.status,
		.visits_fd = w->outputs.visits,
		.alive_every_ns = alive_every_ns(w),
		.shared = w->shared,
		.account = w->account,
		.host = w->host,
		.warden = getpid(),
	};
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		int err = -errno;

		log_error("socketpair: %s", strerror(-err));
		return err;
	}
	memcpy(start.secret, w->secret, sizeof(start.secret));
	memcpy(start.site_secret, w->site_secret, sizeof(start.site_secret));
	start.warden_fd = pair[1];
	pid = fork();
	if (pid < 0) {
		int err = -errno;

		log_error("fork: %s", strerror(-err));
		close(pair[0]);
		close(pair[1]);
		return err;
	}
	if (pid == 0)
		_exit(brain_main(&start));
	close(pair[1]);
	w->brain = pid;
	w->brain_fd = pair[0];
	w->brain_ready = false;
	w->brain_started_ns = w->alive_ns = clock_mono_ns();
	w->look_count = w->look_next = 0;
	return 0;
}

static void say_how(int status)
{
	if (WIFSIGNALED(status))
		log_error("the brain was ended by signal %d (%s)", WTERMSIG(status),
			  strsignal(WTERMSIG(status)));
	else
		log_error("the brain ended with code %d", WEXITSTATUS(status));
}

void warden_brain_ended(struct warden *w, int status)
{
	uint64_t now_ns = clock_mono_ns();
	bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	if (w->brain_fd >= 0)
		close(w->brain_fd);
	w->brain_fd = -1;
	w->brain = 0;
	w->brain_ready = false;
	/* the next one is born with the old configuration */
	warden_reload_drop(w, "the brain ended before it had taken it");
	if (w->state == WARDEN_STOPPING || w->state == WARDEN_STARTING) {
		if (!clean || w->state == WARDEN_STARTING) {
			w->exit_code = EXIT_RUNTIME;
			say_how(status);
		}
		return;
	}
	say_how(status);
	if (now_ns - w->brain_started_ns > HEALTHY_NS || !w->backoff_ns)
		w->backoff_ns = BACKOFF_FIRST_NS;
	else
		w->backoff_ns =
			w->backoff_ns * 2 < BACKOFF_LAST_NS ? w->backoff_ns * 2 : BACKOFF_LAST_NS;
	w->restart_ns = now_ns + w->backoff_ns;
	w->shared->restarts++;
	log_warn("starting it again in %llu ms; what arrives meanwhile waits in the ring",
		 (unsigned long long)(w->backoff_ns / NS_PER_MS));
}

/* A new brain knows nobody: everyone who runs is told to it. */
static void list_looks(struct warden *w)
{
	struct pids pids = { 0 };

	free(w->looks);
	w->looks = NULL;
	w->look_count = w->look_next = 0;
	if (pids_read("/proc", &pids))
		return;
	w->looks = pids.at;
	w->look_count = pids.count < LOOKS_MAX ? pids.count : LOOKS_MAX;
}

static int answer(struct warden *w, uint32_t tgid, uint64_t start_ns)
{
	struct message m = { .kind = MESSAGE_WHO, .tgid = tgid };

	if (look_at("/proc", tgid, start_ns, &m.who))
		m.who = (struct pc_who){ .tgid = tgid };
	return message_send(w->brain_fd, &m, NULL, 0);
}

void warden_look_more(struct warden *w)
{
	for (; w->look_next < w->look_count; w->look_next++) {
		uint32_t tgid = w->looks[w->look_next];

		if (tgid == (uint32_t)getpid() || tgid == (uint32_t)w->brain)
			continue;
		if (answer(w, tgid, 0))
			return; /* full: when it has read */
	}
	free(w->looks);
	w->looks = NULL;
	w->look_count = w->look_next = 0;
}

static void verdict(struct warden *w, const struct message *m)
{
	uint64_t start_ns = look_start_ns("/proc", m->tgid);

	/* gone, or its number was given to another (10 ms: the tick of /proc) */
	if (!w->capture || !start_ns || m->state > PC_SCOPE_PINNED)
		return;
	if (m->start_ns && start_ns > m->start_ns + 10 * NS_PER_MS)
		return;
	if (capture_set_process(w->capture, m->tgid, (enum pc_scope_state)m->state))
		log_once(LOG_WARN, "a verdict could not be set");
}

static void ready(struct warden *w)
{
	w->brain_ready = true;
	if (w->state == WARDEN_STARTING && warden_watch(w)) {
		w->exit_code = EXIT_RUNTIME;
		warden_stop(w);
		return;
	}
	list_looks(w);
	if (w->state == WARDEN_WATCHING)
		log_info("the brain is back (pid %d)", (int)w->brain);
}

void warden_message(struct warden *w)
{
	for (unsigned i = 0; i < MESSAGES_A_PASS && w->brain_fd >= 0; i++) {
		struct message m = { 0 };
		int fds[MESSAGE_FDS];
		int err = message_receive(w->brain_fd, &m, fds);

		if (err == -EAGAIN)
			return;
		if (err) {
			/* its end is told by SIGCHLD; one that talks nonsense is ended */
			if (err == -EPROTO) {
				log_error("the brain talks nonsense: ending it");
				kill(w->brain, SIGKILL);
			}
			shutdown(w->brain_fd, SHUT_RDWR);
			close(w->brain_fd);
			w->brain_fd = -1;
			return;
		}
		for (unsigned k = 0; k < MESSAGE_FDS; k++)
			if (fds[k] >= 0)
				close(fds[k]); /* it has nothing to send us */
		w->alive_ns = clock_mono_ns();
		if (m.kind == MESSAGE_READY && !w->brain_ready)
			ready(w);
		else if (m.kind == MESSAGE_LOOK)
			answer(w, m.tgid, m.start_ns);
		else if (m.kind == MESSAGE_VERDICT)
			verdict(w, &m);
		else if (m.kind == MESSAGE_RELOADED)
			warden_reloaded(w, m.state == 1);
	}
}
