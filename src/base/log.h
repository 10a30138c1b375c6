/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h: one line on standard error, `parcours: …`. Never from the core, never a secret, never wire
 * bytes unescaped. log_once and the rate limit keep a flood of bad input from flooding the log.
 */
#ifndef PC_BASE_LOG_H
#define PC_BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

extern enum log_level log_max; /* LOG_INFO unless set */

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
/* Once a place in the code, whatever the number of times it happens. */
#define log_once(level, ...)                                                                       \
	do {                                                                                       \
		static bool said;                                                                  \
		if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))                           \
			log_line(level, __VA_ARGS__);                                              \
	} while (0)
#define log_debug(...)                                                                             \
	do {                                                                                       \
		if (log_max >= LOG_DEBUG)                                                          \
			log_line(LOG_DEBUG, __VA_ARGS__);                                          \
	} while (0)

#endif
