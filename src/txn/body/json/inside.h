/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h: what json.c (structure) and json_text.c (strings, numbers, literals, handing out) share. Those
 * that read take octets from `at` on, and return where they stopped.
 */
#ifndef PC_TXN_BODY_JSON_INSIDE_H
#define PC_TXN_BODY_JSON_INSIDE_H

#include "txn/body/json/json.h"

/* The value at hand (r->depth) to each path that found it. */
void json_read_hand_out(struct json_reader *r, enum taken_kind kind, struct slice text);
/* Those of them with this flag; whether there is one. say may be NULL. */
bool json_read_each_flagged(struct json_reader *r, uint8_t flag,
			    void (*say)(struct json_reader *r, uint32_t target, struct slice piece),
			    struct slice piece);
void json_read_string_begin(struct json_reader *r, enum json_string what);
const char *json_read_string(struct json_reader *r, const char *at, const char *end);
void json_read_number_begin(struct json_reader *r);
const char *json_read_number(struct json_reader *r, const char *at, const char *end);
bool json_read_number_end(struct json_reader *r); /* of the text; false: it is none yet */
void json_read_literal_begin(struct json_reader *r, const char *word); /* static */
bool json_read_literal_end(struct json_reader *r);		       /* as json_read_number_end */
const char *json_read_literal(struct json_reader *r, const char *at, const char *end);

static inline uint64_t *json_read_set_of(const struct json_reader *r, uint32_t depth)
{
	return r->sets + (size_t)depth * r->paths->words;
}

static inline const char *json_read_broken(struct json_reader *r, const char *at)
{
	r->state = JSON_BROKEN;
	r->flags |= 1u << BODY_MALFORMED;
	return at;
}

static inline void json_read_value_over(struct json_reader *r)
{
	r->state = r->depth ? JSON_AFTER : JSON_DONE;
}

#endif
