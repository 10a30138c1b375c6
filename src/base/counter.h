/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counter.h: how a loss or a health figure leaves its stage. Each stage has its own typed stats;
 * agent/figures.c flattens them into these, once, for NDJSON `stats`, `parcours status` and OTLP.
 */
#ifndef PC_BASE_COUNTER_H
#define PC_BASE_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

struct counter {
	const char *name;  /* parcours.agent.… , OpenTelemetry metric name; static */
	const char *unit;  /* UCUM: By, {event}, {transaction} … ; static */
	const char *key;   /* one attribute, or NULL; static */
	const char *label; /* its value; static */
	uint64_t value;
	bool gauge; /* now, rather than since the start */
	/* When a sum was zero, UNIX time in ns; the same for as long as it goes on. 0: when the export
	 * stage began. */
	uint64_t start_wall_ns;
};

#endif
