/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reload.c: SIGHUP. The file is read once, here; the brain gets the very same text (a memfd) and a
 * freshly opened NDJSON file (so this is also how a log is rotated). A file with an error changes
 * nothing in either process. What can only be set at the start is said.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/warden/notify.h"
#include "agent/warden/scope.h"
#include "agent/warden/warden.h"
#include "base/log.h"

static bool differs(const char *a, const char *b)
{
	return !a != !b || (a && strcmp(a, b) != 0);
}

static void say_fixed(const struct config *was, const struct config *is)
{
	if (was->source != is->source || was->ring_bytes != is->ring_bytes ||
	    was->control_ring_bytes != is->control_ring_bytes ||
	    was->data_rings != is->data_rings ||
	    was->capture_connections != is->capture_connections)
		log_warn("capture.*: a change takes effect at the next start");
	if (was->connections != is->connections || was->stream_bytes != is->stream_bytes ||
	    was->transactions != is->transactions ||
	    was->transaction_bytes != is->transaction_bytes || was->templates != is->templates ||
	    was->processes != is->processes)
		log_warn("limits.*: a change takes effect at the next start");
	if (differs(was->user, is->user) || differs(was->status_socket, is->status_socket) ||
	    was->console != is->console || was->duration_ns != is->duration_ns)
		log_warn("user, status_socket, output.console, duration: a change takes effect at "
			 "the next start");
}

static int text_fd(struct slice text)
{
	int fd = memfd_create("parcours-configuration", MFD_CLOEXEC);
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

/* The brain first: if it cannot be told, nothing is changed here either. */
static int tell_brain(struct warden *w, struct slice text, int ndjson)
{
	struct message m = { .kind = MESSAGE_RELOAD };
	int fd = text_fd(text);
	int fds[2] = { fd, ndjson };
	int err;

	if (fd < 0)
		return fd;
	err = message_send(w->brain_fd, &m, fds, ndjson >= 0 ? 2 : 1);
	close(fd);
	return err;
}

static int judge_all(const struct config *config, struct capture *capture)
{
	int err = scope_judge(config, capture);
	long found = err ? err : capture_scan(capture);

	return found < 0 ? (int)found : 0;
}

/* A scope that did not change is left alone: a process that was named may have ended and its children
 * live on, and who descends from whom can no longer be told once a parent is gone. */
static int apply(struct warden *w, const struct config *config, struct slice text, int ndjson)
{
	bool same = scope_is_same(w->config, config);
	int err = same ? 0 : scope_apply(config, w->capture);

	if (err) /* nothing was changed yet */
		return err;
	if (!same)
		err = judge_all(config, w->capture);
	/* one that is still starting reads it then; without a brain the next one is born with it */
	if (!err && w->brain_fd >= 0)
		err = tell_brain(w, text, ndjson);
	if (err && !same &&
	    (scope_apply(w->config, w->capture) || judge_all(w->config, w->capture)))
		log_error("reload: the old scope could not be set again");
	return err;
}

static void refuse(struct warden *w, const char *why)
{
	w->shared->reloads_refused++;
	log_error("reload: %s; the old configuration stays", why);
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
	notify_reloading();
	buf_init(&text, CONFIG_FILE_BYTES + 65536);
	if (w->options->config_file)
		err = config_read(w->options->config_file, &text);
	if (err)
		refuse(w, strerror(-err));
	else if (options_load_text(w->options, buf_slice(&text), false, &config))
		refuse(w, "the file has errors");
	else if (outputs_open_ndjson(config, &ndjson))
		refuse(w, "the NDJSON file cannot be opened (by now only with the rights of its "
			  "owner: root gave up the others at the start)");
	else if (apply(w, config, buf_slice(&text), ndjson))
		refuse(w, "it cannot be applied");
	else {
		say_fixed(w->config, config);
		if (w->outputs.ndjson > STDERR_FILENO)
			close(w->outputs.ndjson);
		w->outputs.ndjson = ndjson;
		ndjson = -1;
		config_free(w->config);
		w->config = config;
		config = NULL;
		log_max = (enum log_level)w->config->log_level;
	}
	if (ndjson > STDERR_FILENO)
		close(ndjson);
	config_free(config);
	buf_done(&text);
	notify("READY=1");
}
