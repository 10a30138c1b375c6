/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_both.h: a body from a stranger, read whole and in pieces: what is taken must be the same, but for the
 * cases in which a library decides how much comes before an error. Values are UTF-8 within the bound; counts
 * add up. The third reading has a hole: never more than UTF-8 within the bound is asked of it.
 */
#ifndef PC_TESTS_FUZZ_BODY_BOTH_H
#define PC_TESTS_FUZZ_BODY_BOTH_H

#include <stdlib.h>

#include "base/utf8.h"
#include "txn/body/body.h"

#define TEXT_BYTES   64
#define GRAPHQL_NAME 256 /* of an operation from its document: a bound of its own */

static inline void check(bool holds)
{
	if (!holds)
		abort();
}

static void keep(void *ctx, const struct taken *v)
{
	struct buf *out = ctx;

	/* U+FFFD is three times as long as what it stands for */
	check(v->text.len <= 3 * (TEXT_BYTES > GRAPHQL_NAME ? TEXT_BYTES : GRAPHQL_NAME));
	check(utf8_is_valid(v->text));
	check(v->kind <= TAKEN_ARRAY);
	if (v->kind >= TAKEN_TRUE)
		check(!v->text.len && !v->cut);
	buf_addf(out, "%u %d %d %u,%u,%u,%u ", v->want, v->kind, v->cut, v->index[0], v->index[1],
		 v->index[2], v->index[3]);
	buf_add(out, v->text);
	buf_add_byte(out, '\n');
}

static struct body_result read_in(struct bodies *all, const struct body_wants *wants,
				  const struct body_kind *kind, struct slice s, size_t piece,
				  size_t hole, struct buf *out)
{
	const struct body_sink sink = { out, keep };
	struct body_result r = { 0 };
	struct body *b;

	buf_clear(out);
	if (body_open(all, kind, wants, &sink, &b))
		return r;
	for (size_t at = 0; at < s.len; at += piece) {
		struct slice part = slice_sub(s, at, at + piece);
		char *copy = malloc(part.len);

		if (at >= hole && at < hole + piece)
			body_hole(b, 3);
		memcpy(copy, part.at, part.len);
		body_push(b, slice_of(copy, part.len));
		free(copy);
	}
	body_end(b, &r);
	return r;
}

/* how: the first octet of an input, for the pieces. */
static void both(const struct body_want *list, uint32_t count, const struct body_kind *kind,
		 uint8_t how, struct slice s)
{
	static const struct body_limits limits = { 4,	 8,   TEXT_BYTES, 500,
						   1024, 200, 1 << 20,	  64 << 20 };
	static struct bodies *all;
	static struct body_wants *wants;
	static struct buf whole, pieces;
	const uint32_t libraries =
		1u << BODY_CODING_BROKEN | 1u << BODY_CUT_RATIO | 1u << BODY_SHORT;
	struct body_result a, b;
	struct body_stats stats;
	struct body_error error;

	if (!all) {
		check(!bodies_new(&limits, &all) && !wants_new(list, count, &error, &wants));
		buf_init(&whole, 64 << 20);
		buf_init(&pieces, 64 << 20);
	}
	a = read_in(all, wants, kind, s, s.len ? s.len : 1, SIZE_MAX, &whole);
	b = read_in(all, wants, kind, s, 1 + how % 31, SIZE_MAX, &pieces);
	if (!kind->content_encoding.len || !((a.flags | b.flags) & libraries))
		check(slice_eq(buf_slice(&whole), buf_slice(&pieces)) && a.flags == b.flags &&
		      a.values == b.values);
	read_in(all, wants, kind, s, 1 + how % 31, how, &pieces);
	bodies_stats(all, &stats);
	check(stats.opened == stats.ended + stats.dropped + stats.open && !stats.open);
}

#endif
