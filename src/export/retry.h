/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry.h: what an answer of the collector means and when to try again, as the OTLP specification
 * ("OTLP/HTTP Response", "Retry") has it. No clock, no socket: times and chance come from the caller.
 */
#ifndef PC_EXPORT_RETRY_H
#define PC_EXPORT_RETRY_H

#include "base/slice.h"

#define RETRY_FIRST_NS 1000000000ull   /* doubles from here … */
#define RETRY_MOST_NS  30000000000ull  /* … up to here, each ± half */
#define RETRY_GIVE_UP  300000000000ull /* after the first attempt of a message: 5 minutes */

enum answer {
	ANSWER_TAKEN,
	ANSWER_RETRY,	/* 429, 502, 503, 504, or no answer at all */
	ANSWER_REFUSED, /* any other: the data is dropped */
};

enum answer retry_answer(long http_status); /* 0 = no answer */

struct retry {
	uint32_t attempts;
	uint64_t first_ns;
};

/* After an attempt that is to be repeated. `asked_ns`: Retry-After; 0 (now) and -1 (none) leave it to
 * the schedule. `chance`: any 32 random bits. False: the message has been tried long enough.
 * *ret_next_ns: not before. */
bool retry_next(struct retry *r, uint64_t now_ns, int64_t asked_ns, uint32_t chance,
		uint64_t *ret_next_ns);

/* Retry-After (RFC 9110 section 10.2.3): seconds or a date. -1 for what is neither. */
int64_t retry_after_ns(struct slice value, int64_t wall_seconds);

/* The responses of all three services have the same shape. */
struct partial_success {
	uint64_t rejected;
	struct slice message; /* of a stranger; points into the body */
};

/* False: no such message (the body is not protobuf). Present but empty is no error. */
bool retry_partial_success(struct slice body, struct partial_success *ret);
/* google.rpc.Status in the body of an error: its message, or empty. */
struct slice retry_status_message(struct slice body);

#endif
