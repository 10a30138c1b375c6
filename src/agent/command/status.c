/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.c: `parcours status`: asks the running agent (the only one, or the one named) and prints what
 * it answers: its JSON as it is, or one counter a line.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/command/command.h"
#include "agent/config/options.h"
#include "agent/warden/outputs.h"
#include "base/buf.h"
#include "base/log.h"

#define ANSWER_BYTES (1024 * 1024)
#define AGENTS	     32
#define WAIT_SECONDS 5 /* a brain that was just ended is back by then */

static int ask(const char *path, struct buf *ret)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = WAIT_SECONDS };
	size_t len = strlen(path);
	ssize_t n = 0;
	int err = 0;
	int fd;

	if (len >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		err = -errno;
	while (!err) {
		err = buf_reserve(ret, 65536);
		n = err ? 0 : read(fd, ret->at + ret->len, 65536);
		if (n <= 0)
			break;
		ret->len += (size_t)n;
	}
	if (!err && n < 0)
		err = errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (!err && (!ret->len || ret->at[ret->len - 1] != '\n'))
		err = -ENODATA;
	close(fd);
	return err;
}

/* Our own answer, so its shape is known: one object a counter, keys in order. Prints
 * name{key="label"} value unit. */
static void print_counter(struct slice object)
{
	struct slice parts[24];
	unsigned count = 0;

	/* names, labels and units are ours and hold no quotes: odd pieces are strings */
	while (object.at && count < 24)
		parts[count++] = slice_next(&object, '"');
	if (count < 10)
		return;
	printf("%.*s", (int)parts[3].len, parts[3].at);
	if (!slice_eq(parts[5], SLICE("unit")))
		printf("{%.*s=\"%.*s\"}", (int)parts[5].len, parts[5].at, (int)parts[7].len,
		       parts[7].at);
	for (unsigned i = 4; i + 1 < count; i++)
		if (slice_eq(parts[i], SLICE("value")))
			printf(" %.*s", (int)parts[i + 1].len - 1, parts[i + 1].at + 1);
	for (unsigned i = 4; i + 2 < count; i++)
		if (slice_eq(parts[i], SLICE("unit")))
			printf(" %.*s", (int)parts[i + 2].len, parts[i + 2].at);
	putchar('\n');
}

static void print_text(struct slice answer)
{
	static const char *const facts[] = { "version",	  "pid",     "brain_pid",
					     "brain_uid", "capture", "uptime_ns" };
	long at = slice_find(answer, '[');
	struct slice head = at < 0 ? answer : slice_sub(answer, 0, (size_t)at);
	struct slice rest =
		at < 0 ? slice_of(NULL, 0) : slice_sub(answer, (size_t)at + 1, answer.len);

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		char key[32];
		struct slice value;

		snprintf(key, sizeof(key), "\"%s\":", facts[i]);
		at = slice_find_slice(head, slice_str(key));
		if (at < 0)
			continue;
		value = slice_sub(head, (size_t)at + strlen(key), head.len);
		value = slice_next(&value, ',');
		printf("%-10s %.*s\n", facts[i], (int)value.len, value.at);
	}
	/* each counter ends in its value; units have braces, so braces do not part them */
	while ((at = slice_find_slice(rest, SLICE("\"value\":"))) >= 0) {
		size_t end = (size_t)at + sizeof("\"value\":") - 1;

		while (end < rest.len && rest.at[end] != '}')
			end++;
		print_counter(slice_sub(rest, 0, end));
		rest = slice_sub(rest, end + 1, rest.len);
	}
}

static int print(const char *path, bool json)
{
	struct buf answer;
	int err;

	buf_init(&answer, ANSWER_BYTES);
	err = ask(path, &answer);
	if (!err && json)
		fwrite(answer.at, 1, answer.len, stdout);
	else if (!err)
		print_text(buf_slice(&answer));
	else
		log_error("no answer from %s: %s", path,
			  err == -ENODATA ? "it was cut short" : strerror(-err));
	buf_done(&answer);
	return err ? EXIT_RUNTIME : EXIT_OK;
}

/* Sockets in the default place; returns how many. */
static unsigned find(char paths[AGENTS][108])
{
	DIR *dir = opendir(STATUS_DIRECTORY);
	struct dirent *e;
	unsigned count = 0;

	while (dir && count < AGENTS && (e = readdir(dir))) {
		int len;

		if (!slice_ends(slice_str(e->d_name), SLICE(".sock")))
			continue;
		len = snprintf(paths[count], 108, STATUS_DIRECTORY "/%.80s", e->d_name);
		if (len > 0 && len < 108 && access(paths[count], F_OK) == 0)
			count++;
	}
	if (dir)
		closedir(dir);
	return count;
}

int command_status(int argc, char **argv)
{
	char paths[AGENTS][108];
	struct options options;
	unsigned count;

	if (options_parse(argc, argv, FOR_STATUS, &options))
		return EXIT_USAGE;
	if (options.status_socket)
		return print(options.status_socket, options.json);
	count = find(paths);
	if (count == 1)
		return print(paths[0], options.json);
	if (!count) {
		log_error("no agent runs here: no socket in " STATUS_DIRECTORY
			  "; name another with --status-socket");
		return EXIT_RUNTIME;
	}
	log_error("%u agents run here; name one:", count);
	for (unsigned i = 0; i < count; i++)
		log_error("  --status-socket %s", paths[i]);
	return EXIT_USAGE;
}
