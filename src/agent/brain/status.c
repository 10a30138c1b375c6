/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.c: answers `parcours status`: one JSON object to each client of the status socket, then
 * closed. A client cannot ask anything, so there is nothing to parse; one that does not read gets what
 * fits into its socket and no more. The socket was made by the warden, for root only.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "agent/brain/brain.h"
#include "base/clock.h"
#include "base/json.h"

#define STATUS_BYTES (192 * 1024)
#define FIGURES	     512
#define CLIENTS	     8 /* answered a pass */

static void write_counter(struct json *j, const struct counter *c)
{
	json_object(j);
	json_key_string(j, "name", slice_str(c->name));
	if (c->key)
		json_key_string(j, c->key, slice_str(c->label));
	json_key_string(j, "unit", slice_str(c->unit));
	json_key(j, "gauge");
	json_bool(j, c->gauge);
	json_key_u64(j, "value", c->value);
	json_end(j);
}

static void write_status(struct brain *b, struct buf *out)
{
	const struct brain_start *s = &b->start;
	struct counter counters[FIGURES];
	uint32_t count = brain_figures(b, counters, FIGURES);
	struct json j;

	json_init(&j, out);
	json_object(&j);
	json_key_string(&j, "version", SLICE(PARCOURS_VERSION));
	json_key_u64(&j, "pid", (uint64_t)s->warden);
	json_key_u64(&j, "brain_pid", (uint64_t)getpid());
	json_key_u64(&j, "brain_uid", getuid());
	json_key_string(&j, "capture", slice_str(s->source));
	json_key_u64(&j, "uptime_ns", clock_mono_ns() - s->shared->started_ns);
	json_key(&j, "counters");
	json_array(&j);
	for (uint32_t i = 0; i < count; i++)
		write_counter(&j, &counters[i]);
	json_end(&j);
	json_end(&j);
	buf_add_byte(out, '\n');
}

void brain_status(struct brain *b)
{
	struct buf text;

	buf_init(&text, STATUS_BYTES);
	for (int i = 0; i < CLIENTS; i++) {
		int fd = accept4(b->start.status_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			break;
		if (!text.len)
			write_status(b, &text);
		if (!text.failed &&
		    send(fd, text.at, text.len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)text.len)
			shutdown(fd, SHUT_RDWR); /* its reader sees a cut answer and says so */
		b->status_clients++;
		close(fd);
	}
	buf_done(&text);
}
