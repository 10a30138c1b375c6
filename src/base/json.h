/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h: writes RFC 8259 text into a buf. Commas are kept by the writer. Strings may hold any bytes:
 * what is not UTF-8 becomes U+FFFD, controls are escaped.
 */
#ifndef PC_BASE_JSON_H
#define PC_BASE_JSON_H

#include "base/buf.h"

struct json {
	struct buf *out;
	uint64_t comma; /* bit per depth: a value stands before */
	uint64_t array; /* bit per depth: [ rather than { */
	unsigned depth;
};

void json_init(struct json *j, struct buf *out);
void json_object(struct json *j); /* { … close with json_end */
void json_array(struct json *j);
void json_end(struct json *j);
void json_key(struct json *j, const char *key); /* our own names only: not escaped */
void json_string(struct json *j, struct slice s);
void json_u64(struct json *j, uint64_t v);
void json_i64(struct json *j, int64_t v);
void json_double(struct json *j, double v); /* shortest that reads back; NaN, infinity: null */
void json_bool(struct json *j, bool v);
void json_number(struct json *j,
		 struct slice s); /* that is one by RFC 8259: a decimal of our own */

static inline void json_key_string(struct json *j, const char *key, struct slice s)
{
	json_key(j, key);
	json_string(j, s);
}

static inline void json_key_u64(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	json_u64(j, v);
}

#endif
