/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c: one line a message on standard error, in one write so that lines of the two processes and
 * of the export worker never mix. Control bytes are escaped: a line may quote what a stranger sent.
 * At most LOG_BURST lines at once and LOG_A_SECOND on average; what was held back is told in one
 * line as soon as there is room again. Any thread.
 */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define LOG_LINE     1024
#define LOG_BURST    200
#define LOG_A_SECOND 10

enum log_level log_max = LOG_INFO;

/* Process-wide by nature, like the descriptor it guards. */
static struct {
	pthread_mutex_t lock;
	uint64_t since_ns;
	uint32_t room;
	uint64_t held_back;
} limit = { .lock = PTHREAD_MUTEX_INITIALIZER, .room = LOG_BURST };

/* Takes one line's place. ret_held: lines kept back before this one, to be told first. */
static bool may_write(uint64_t *ret_held)
{
	uint64_t now = clock_mono_ns();
	uint64_t earned;
	bool may = true;

	*ret_held = 0;
	pthread_mutex_lock(&limit.lock);
	if (!limit.since_ns)
		limit.since_ns = now;
	earned = (now - limit.since_ns) / (NS_PER_S / LOG_A_SECOND);
	if (earned) {
		limit.room =
			earned > LOG_BURST - limit.room ? LOG_BURST : limit.room + (uint32_t)earned;
		limit.since_ns += earned * (NS_PER_S / LOG_A_SECOND);
	}
	if (limit.room) {
		limit.room--;
		*ret_held = limit.held_back;
		limit.held_back = 0;
	} else {
		limit.held_back++;
		may = false;
	}
	pthread_mutex_unlock(&limit.lock);
	return may;
}

static void write_line(const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char line[LOG_LINE * 4 + 16];
	size_t n = 0;
	ssize_t wrote;

	memcpy(line, "parcours: ", 10);
	n = 10;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= 0x20 && c != 0x7f) {
			line[n++] = (char)c;
			continue;
		}
		line[n++] = '\\';
		line[n++] = 'x';
		line[n++] = hex[c >> 4];
		line[n++] = hex[c & 15];
	}
	line[n++] = '\n';
	wrote = write(STDERR_FILENO, line, n);
	(void)wrote; /* nobody left to tell */
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const prefix[] = { "error: ", "warning: ", "", "debug: " };
	char text[LOG_LINE];
	uint64_t held;
	va_list args;
	int at, n;

	if (level > log_max || !may_write(&held))
		return;
	if (held) {
		n = snprintf(text, sizeof(text), "%llu lines held back (too many at once)",
			     (unsigned long long)held);
		write_line(text, (size_t)n);
	}
	at = snprintf(text, sizeof(text), "%s", prefix[level]);
	va_start(args, fmt);
	n = vsnprintf(text + at, sizeof(text) - (size_t)at, fmt, args);
	va_end(args);
	if (n < 0)
		n = 0;
	at += n;
	write_line(text, (size_t)at < sizeof(text) ? (size_t)at : sizeof(text) - 1);
}
