/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reload.c: SIGHUP. The files are read once, here: the configuration and the rules that it names; the brain gets
 * the very same text of both (memfds) and a freshly opened NDJSON file (so this is also how a log is
 * rotated). A file with an error, rules too, changes nothing in either process. What can only be set at the start is said.
 *
 * Both must go by the same configuration: the brain, which may refuse it, takes it first and answers,
 * then the scope changes here. When the brain has it and the scope cannot be set, the brain is ended:
 * the next one is born with the old configuration.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/warden/notify.h"
#include "agent/warden/scope.h"
#include "agent/warden/warden.h"
#include "base/clock.h"
#include "base/log.h"

#define ANSWER_LIMIT_NS (10 * NS_PER_S)

static bool differs(const char *a, const char *b)
{
	return !a != !b || (a && strcmp(a, b) != 0);
}

static bool same_list(const char *const *a, const char *const *b)
{
	while (a && *a && b && *b && !strcmp(*a, *b))
		a++, b++;
	return !(a && *a) && !(b && *b);
}

static void say_fixed(const struct config *was, const struct config *is)
{
	if (was->source != is->source || was->ring_bytes != is->ring_bytes ||
	    was->control_ring_bytes != is->control_ring_bytes ||
	    was->data_rings != is->data_rings ||
	    was->capture_connections != is->capture_connections ||
	    was->acknowledged != is->acknowledged)
		log_warn("capture.*: a change takes effect at the next start");
	if (was->connections != is->connections || was->stream_bytes != is->stream_bytes ||
	    was->transactions != is->transactions ||
	    was->transaction_bytes != is->transaction_bytes || was->templates != is->templates ||
	    was->processes != is->processes)
		log_warn("limits.*: a change takes effect at the next start");
	if (was->visits != is->visits || differs(was->secret_file, is->secret_file) ||
	    differs(was->state_directory, is->state_directory) ||
	    differs(was->opt_out_cookie, is->opt_out_cookie) ||
	    !same_list(was->session_keys.at, is->session_keys.at) ||
	    !same_list(was->session_carts.at, is->session_carts.at))
		log_warn("limits.visits, state_directory, session.secret_file, session.keys, "
			 "session.carts, privacy.opt_out_cookie: a change takes effect at the next "
			 "start");
	if (was->carts != is->carts || was->cart_bytes != is->cart_bytes)
		log_warn("limits.carts, limits.cart_memory: a change takes effect at the next "
			 "start");
	if (!same_list(was->touchpoints.at, is->touchpoints.at) ||
	    !same_list(was->classes.at, is->classes.at) ||
	    !same_list(was->robots.at, is->robots.at) ||
	    !same_list(was->monitors.at, is->monitors.at) ||
	    !same_list(was->applications.at, is->applications.at))
		log_warn("segment.*: a change takes effect at the next start");
	if (differs(was->user, is->user) || differs(was->status_socket, is->status_socket) ||
	    was->console != is->console || was->duration_ns != is->duration_ns)
		log_warn("user, status_socket, output.console, duration: a change takes effect at "
			 "the next start");
}

static int text_fd(struct slice text)
{
	int fd = memfd_create("parcours-text", MFD_CLOEXEC);
	size_t done = 0;

	if (fd < 0)
		return -errno;
	while (done < text.len) {
		ssize_t n = write(fd, text.at + done, text.len - done);

		if (n < 0) {
			int err = -errno;

			close(fd);
			return err;
		}
		done += (size_t)n;
	}
	return fd;
}

static int tell_brain(struct warden *w, struct slice text, int ndjson)
{
	struct message m = { .kind = MESSAGE_RELOAD };
	int fds[3] = { text_fd(text), -1, ndjson };
	int err;

	if (fds[0] < 0)
		return fds[0];
	fds[1] = text_fd(buf_slice(&w->next_rules));
	err = fds[1] < 0 ? fds[1] : message_send(w->brain_fd, &m, fds, ndjson >= 0 ? 3 : 2);
	close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	return err;
}

/* ---- the end of a reload ---- */

static void put_ndjson(int fd)
{
	if (fd > STDERR_FILENO)
		close(fd);
}

static void finished(struct warden *w)
{
	notify("READY=1");
	if (!w->reload_again)
		return;
	w->reload_again = false;
	warden_reload(w);
}

static void refuse(struct warden *w, const char *why)
{
	w->shared->reloads_refused++;
	log_error("reload: %s; the old configuration stays", why);
	finished(w);
}

static int judge_all(const struct config *config, struct capture *capture)
{
	int err = scope_judge(config, capture);
	long found = err ? err : capture_scan(capture);

	return found < 0 ? (int)found : 0;
}

/* A scope that did not change is left alone: a process that was named may have ended and its children
 * live on, and who descends from whom can no longer be told once a parent is gone. */
static int change_scope(struct warden *w, const struct config *to)
{
	int err;

	if (scope_is_same(w->config, to))
		return 0;
	err = scope_apply(to, w->capture);
	return err ?: judge_all(to, w->capture);
}

/* The brain goes by `next` already, if there is one. */
static void commit(struct warden *w, struct config *next, int ndjson)
{
	struct buf was = w->rules;

	if (change_scope(w, next)) {
		if (scope_apply(w->config, w->capture) || judge_all(w->config, w->capture))
			log_error("reload: the old scope could not be set again");
		config_free(next);
		put_ndjson(ndjson);
		if (w->brain) {
			log_warn("starting the brain again, with the old configuration");
			kill(w->brain, SIGKILL);
		}
		refuse(w, "it cannot be applied");
		return;
	}
	say_fixed(w->config, next);
	put_ndjson(w->outputs.ndjson);
	w->outputs.ndjson = ndjson;
	config_free(w->config);
	w->config = next;
	w->rules = w->next_rules;
	w->next_rules = was;
	log_max = (enum log_level)next->log_level;
	w->shared->reloads++;
	log_info("reloaded");
	finished(w);
}

void warden_reload_drop(struct warden *w, const char *why)
{
	if (!w->next)
		return;
	config_free(w->next);
	put_ndjson(w->next_ndjson);
	w->next = NULL;
	w->next_ndjson = -1;
	w->next_until_ns = 0;
	if (why)
		refuse(w, why);
}

void warden_reloaded(struct warden *w, bool taken)
{
	struct config *next = w->next;
	int ndjson = w->next_ndjson;

	if (!next) /* nobody asked */
		return;
	if (!taken) {
		warden_reload_drop(w, "the brain cannot take it");
		return;
	}
	w->next = NULL;
	w->next_ndjson = -1;
	w->next_until_ns = 0;
	commit(w, next, ndjson);
}

/* ---- its beginning ---- */

/* What is wrong with them is said, with its line. */
static int read_rules(struct warden *w, const struct config *config)
{
	struct rules *rules = NULL;
	int err = rule_files_read(config, &w->next_rules);

	if (!err)
		err = rule_files_compile(buf_slice(&w->next_rules), false, &rules);
	rules_free(rules);
	return err;
}

/* Without a brain the next one is born with it; one that is still starting reads it then. */
static void hand_over(struct warden *w, struct config *config, struct slice text, int ndjson)
{
	int err;

	if (w->brain_fd < 0) {
		commit(w, config, ndjson);
		return;
	}
	err = tell_brain(w, text, ndjson);
	if (err) {
		config_free(config);
		put_ndjson(ndjson);
		refuse(w, "the brain cannot be told");
		return;
	}
	w->next = config;
	w->next_ndjson = ndjson;
	w->next_until_ns = clock_mono_ns() + ANSWER_LIMIT_NS;
}

/* What came through a pipe is gone: read again it would be empty, which is a configuration, of the whole host. */
static int read_again(const char *path, struct buf *ret)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	return S_ISREG(st.st_mode) ? config_read(path, ret) : -ESPIPE;
}

void warden_reload(struct warden *w)
{
	struct config *config = NULL;
	struct buf text;
	int ndjson = -1;
	int err = 0;

	if (w->state != WARDEN_WATCHING) {
		if (w->state == WARDEN_STARTING)
			log_warn("reload: not before `ready`; send SIGHUP again then");
		return;
	}
	if (w->next) {
		w->reload_again = true;
		return;
	}
	notify_reloading();
	buf_init(&text, CONFIG_FILE_BYTES + 65536);
	if (w->options->config_file)
		err = read_again(w->options->config_file, &text);
	if (err)
		refuse(w, err == -ESPIPE ? "it came through a pipe and cannot be read again"
					 : strerror(-err));
	else if (options_load_text(w->options, buf_slice(&text), false, &config))
		refuse(w, "the file has errors");
	else if (read_rules(w, config))
		refuse(w, "the rules cannot be used");
	else if (!scope_is_same(w->config, config) && scope_check(config))
		refuse(w, "its scope cannot be watched");
	else if (outputs_open_ndjson(config, &ndjson))
		refuse(w, "the NDJSON file cannot be opened (by now only with the rights of its "
			  "owner: root gave up the others at the start)");
	else {
		hand_over(w, config, buf_slice(&text), ndjson);
		config = NULL;
	}
	config_free(config);
	buf_done(&text);
}
