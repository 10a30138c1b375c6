/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script.h: event scripts: text that a person writes or pastes → the records of abi.h, as the capture
 * programs would have told them. tests/flow/README.md describes the language.
 */
#ifndef PC_TESTS_FLOW_SCRIPT_H
#define PC_TESTS_FLOW_SCRIPT_H

#include "agent/config/config.h"

#define SCRIPT_SETTINGS 16
#define SCRIPT_BASE_NS	1000000000000ull       /* CLOCK_MONOTONIC at @0 */
#define SCRIPT_WALL_NS	1767225600000000000ull /* wall clock then: 2026-01-01 00:00 UTC */

/* What is told in another way, and must come out the same. */
enum script_order { ORDER_AS_IS, ORDER_RX_FIRST, ORDER_TX_FIRST, ORDER_REVERSE };

struct script_options {
	uint32_t cut; /* bytes captured a piece, 1..PC_PIECE */
	enum script_order order;
};

struct script {
	struct pc_head **records;
	size_t count, room;
	struct option_value settings[SCRIPT_SETTINGS];
	uint32_t setting_count;
	struct arena_pool pool;
	struct arena arena; /* owns records and settings */
};

/* false: *ret_line and *ret_why say what is wrong with the text. */
bool script_parse(struct slice text, const struct script_options *options, struct script *ret,
		  unsigned *ret_line, const char **ret_why);
void script_done(struct script *s);

#endif
