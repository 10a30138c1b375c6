/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_kit.h: one body through src/txn/body, whole or cut, and what was taken of it as lines of text: the
 * want's number, kind, indices that are not 0, text. So a test says what it expects as one string, and the
 * same body cut at every octet must give the same string.
 */
#ifndef PC_TESTS_BODY_KIT_H
#define PC_TESTS_BODY_KIT_H

#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "txn/body/body.h"

#define FLAG(f) (1u << BODY_##f)

static struct body_kit {
	struct bodies *all;
	struct body_wants *wants;
	struct buf out;
	struct body_result result;
} kit;

static inline void kit_taken(void *ctx, const struct taken *v)
{
	static const char *const kinds[] = { "text", "number", "true", "false",
					     "null", "object", "array" };
	int last = BODY_INDICES - 1;

	buf_addf(&kit.out, "%u %s", v->want, kinds[v->kind]);
	while (last >= 0 && !v->index[last])
		last--;
	for (int i = 0; i <= last; i++)
		buf_addf(&kit.out, v->index[i] == BODY_INDEX_LOST ? "%s?" : "%s%u", i ? "," : " @",
			 v->index[i]);
	if (v->kind <= TAKEN_NUMBER) {
		buf_add(&kit.out, SLICE(" "));
		buf_add(&kit.out, v->text);
	}
	if (v->cut)
		buf_add(&kit.out, SLICE(" (cut)"));
	buf_add(&kit.out, SLICE("\n"));
}

static inline void kit_limits(const struct body_limits *l)
{
	bodies_free(kit.all);
	kit.all = NULL;
	assert_int_equal(bodies_new(l, &kit.all), 0);
}

static inline void kit_wants(const struct body_want *list, uint32_t count)
{
	struct body_error error;

	wants_free(kit.wants);
	kit.wants = NULL;
	if (wants_new(list, count, &error, &kit.wants))
		fail_msg("want %u at %u: %s", error.want, error.place, error.text);
	if (!kit.all)
		kit_limits(&body_limits_default);
}
#define KIT_WANTS(...)                                                                             \
	do {                                                                                       \
		const struct body_want list_[] = { __VA_ARGS__ };                                  \
		kit_wants(list_, sizeof(list_) / sizeof(list_[0]));                                \
	} while (0)
#define JSON_PATH(text)                                                                            \
	{                                                                                          \
		.source = BODY_JSON, .path = SLICE(text)                                           \
	}

static inline struct body *kit_open(struct body_kind kind)
{
	const struct body_sink sink = { NULL, kit_taken };
	struct body *b = NULL;

	if (!kit.out.max)
		buf_init(&kit.out, 64 << 20);
	buf_clear(&kit.out);
	assert_int_equal(body_open(kit.all, &kind, kit.wants, &sink, &b), 0);
	return b;
}

/* In pieces of `piece` octets, each in memory of its own size so that a read beyond it is seen. */
static inline struct slice kit_cut(struct body_kind kind, struct slice s, size_t piece)
{
	struct body *b = kit_open(kind);

	for (size_t at = 0; at < s.len; at += piece) {
		struct slice part = slice_sub(s, at, at + piece);
		char *copy = malloc(part.len);

		memcpy(copy, part.at, part.len);
		body_push(b, slice_of(copy, part.len));
		free(copy);
	}
	body_end(b, &kit.result);
	return buf_slice(&kit.out);
}

static inline void kit_same(struct slice got, struct slice expected, const char *how)
{
	if (!slice_eq(got, expected))
		fail_msg("%s: got\n%.*sexpected\n%.*s", how, (int)got.len, got.at ? got.at : "",
			 (int)expected.len, expected.at);
}

/* Whole, in pieces of 1, 2, 3, 7 octets, and in two at each place: always the same. */
static inline void kit_expect(struct body_kind kind, struct slice s, uint32_t flags,
			      const char *expected)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 64 };
	char how[80];

	kit_same(kit_cut(kind, s, s.len ? s.len : 1), slice_str(expected), "whole");
	assert_int_equal(kit.result.flags, flags);
	for (unsigned i = 0; i < 5; i++) {
		snprintf(how, sizeof(how), "in pieces of %zu", pieces[i]);
		kit_same(kit_cut(kind, s, pieces[i]), slice_str(expected), how);
		assert_int_equal(kit.result.flags, flags);
	}
	for (size_t at = 1; at < s.len && at < 3000; at++) {
		struct body *b = kit_open(kind);

		body_push(b, slice_sub(s, 0, at));
		body_push(b, slice_sub(s, at, s.len));
		body_end(b, &kit.result);
		snprintf(how, sizeof(how), "in two at %zu", at);
		kit_same(buf_slice(&kit.out), slice_str(expected), how);
		assert_int_equal(kit.result.flags, flags);
	}
}

#define JSON_KIND                                                                                  \
	((struct body_kind){ .content_type = SLICE("application/json"), .response = true })

/* A response of application/json. */
static inline void kit_json(struct slice s, uint32_t flags, const char *expected)
{
	kit_expect(JSON_KIND, s, flags, expected);
}

static inline int kit_over(void **state)
{
	wants_free(kit.wants);
	bodies_free(kit.all);
	buf_done(&kit.out);
	kit = (struct body_kit){ 0 };
	return 0;
}

#define KIT_MAIN(...)                                                                              \
	int main(void)                                                                             \
	{                                                                                          \
		static const struct CMUnitTest tests[] = { __VA_ARGS__ };                          \
		return cmocka_run_group_tests(tests, NULL, kit_over);                              \
	}

#endif
