/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_memory.c: once states and decoders have reached their working size no body calls malloc; and whichever
 * allocation fails, it is counted, nothing leaks, and the next body is read. Allocators are wrapped
 * (tests/rules.mk).
 */
#include "body_kit.h"

#include <zlib.h>

void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__real_realloc(void *at, size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_realloc(void *at, size_t len);

static unsigned calls, fail_at; /* fail_at: the n-th call from now on fails; 0: none */

static bool refused(void)
{
	calls++;
	return fail_at && !--fail_at;
}

void *__wrap_malloc(size_t len)
{
	return refused() ? NULL : __real_malloc(len);
}

void *__wrap_calloc(size_t count, size_t len)
{
	return refused() ? NULL : __real_calloc(count, len);
}

void *__wrap_realloc(void *at, size_t len)
{
	return refused() ? NULL : __real_realloc(at, len);
}

static const struct body_want list[] = {
	{ BODY_JSON, SLICE("$..a") },
	{ BODY_FORM, SLICE("a") },
	{ BODY_FORM, SLICE("*b") },
	{ BODY_GRAPHQL_NAME },
	{ BODY_GRAPHQL_VARIABLE, SLICE("$.a") },
	{ BODY_HTML, SLICE("table td"), SLICE(""), SLICE("(\\d+) x") },
	{ BODY_META, SLICE("a") },
	{ BODY_LD_JSON, SLICE("$.a[0]['b c']") },
};

#define LIST (sizeof(list) / sizeof(list[0]))

static void count(void *ctx, const struct taken *v)
{
	++*(unsigned *)ctx;
}

static char gzip[200];
static size_t gzip_len;

static void make_gzip(void)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t) "{\"a\":1}",
		       .avail_in = 7,
		       .next_out = (Bytef *)gzip,
		       .avail_out = sizeof(gzip) };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	gzip_len = sizeof(gzip) - z.avail_out;
	deflateEnd(&z);
}

static unsigned one(struct bodies *all, const struct body_wants *wants, const char *type,
		    const char *coding, struct slice s)
{
	const struct body_kind kind = { slice_str(type), slice_str(coding),
					.response = *type == 't' };
	unsigned values = 0;
	const struct body_sink sink = { &values, count };
	struct body *b;

	if (body_open(all, &kind, wants, &sink, &b))
		return 0;
	for (size_t at = 0; at < s.len; at += 5)
		body_push(b, slice_sub(s, at, at + 5));
	body_end(b, NULL);
	return values;
}

/* One of each kind; how many values. */
static unsigned some(struct bodies *all, const struct body_wants *wants)
{
	return one(all, wants, "application/json", "",
		   SLICE("{\"query\":\"query A{a}\",\"variables\":{\"a\":\"\\u20ac\xff\"}}")) +
	       one(all, wants, "application/json", "gzip", slice_of(gzip, gzip_len)) +
	       one(all, wants, "application/x-www-form-urlencoded", "", SLICE("a=1&bb=%ff")) +
	       one(all, wants, "multipart/form-data; boundary=b", "",
		   SLICE("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--")) +
	       one(all, wants, "text/html", "",
		   SLICE("<meta name=a content=b><script type=application/ld+json>{\"a\":[{\"b "
			 "c\":1}]}</script>"
			 "<table><td>12 x<td>y\xff</table>"));
}

#define SOME 10

static void no_malloc_once_it_works(void **state)
{
	struct body_wants *wants;
	struct body_error error;
	struct bodies *all;
	unsigned before;

	make_gzip();
	assert_int_equal(wants_new(list, LIST, &error, &wants), 0);
	assert_int_equal(bodies_new(&body_limits_default, &all), 0);
	/* twice: the matcher that the first round needed at last keeps a piece that the first coding gave back */
	assert_int_equal(some(all, wants), SOME);
	assert_int_equal(some(all, wants), SOME);
	before = calls;
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(some(all, wants), SOME);
	assert_int_equal(calls, before);
	bodies_free(all);
	wants_free(wants);
}

static void whichever_allocation_fails(void **state)
{
	struct body_wants *wants = NULL;
	struct body_error error;
	struct bodies *all = NULL;
	struct body_stats stats;
	unsigned n = 0, told = 0;
	int err = -ENOMEM;

	make_gzip();
	for (n = 1; err; n++) {
		fail_at = n;
		err = wants_new(list, LIST, &error, &wants);
		/* the library of expressions says it in its own words */
		assert_true(!err || err == -ENOMEM || (err == -EINVAL && error.text[0]));
	}
	assert_true(n > 40);
	fail_at = 1;
	assert_int_equal(bodies_new(&body_limits_default, &all), -ENOMEM);
	for (n = 1; told < 10; n++) {
		unsigned values;

		fail_at = 0;
		assert_int_equal(bodies_new(&body_limits_default, &all), 0);
		fail_at = n;
		values = some(all, wants);
		if (!fail_at) {
			assert_true(values < SOME);
			bodies_stats(all, &stats);
			assert_true(stats.refused + stats.flagged[BODY_MEMORY] > 0);
		} else {
			told++; /* there are no more to fail */
		}
		fail_at = 0;
		assert_int_equal(some(all, wants), SOME);
		bodies_free(all);
	}
	assert_true(n > 20);
	wants_free(wants);
}

static void so_many_bodies_at_once(void **state)
{
	struct body_limits l = body_limits_default;
	const struct body_kind kind = { .content_type = SLICE("application/json") };
	unsigned values = 0;
	const struct body_sink sink = { &values, count };
	struct body_wants *wants;
	struct body_error error;
	struct body_stats stats;
	struct bodies *all;
	struct body *b[3];

	l.open = 2;
	assert_int_equal(wants_new(list, LIST, &error, &wants), 0);
	assert_int_equal(bodies_new(&l, &all), 0);
	assert_int_equal(body_open(all, &kind, wants, &sink, &b[0]), 0);
	assert_int_equal(body_open(all, &kind, wants, &sink, &b[1]), 0);
	assert_int_equal(body_open(all, &kind, wants, &sink, &b[2]), -ENOBUFS);
	body_push(b[0], SLICE("{\"a\":1,\"b\":{\"a\""));
	body_push(b[1], SLICE("{\"a\":2}"));
	body_drop(b[1]);
	assert_int_equal(body_open(all, &kind, wants, &sink, &b[1]), 0);
	body_push(b[0], SLICE(":3}}"));
	body_end(b[0], NULL);
	assert_int_equal(values, 3);
	bodies_stats(all, &stats);
	assert_u64(stats.refused, 1);
	assert_u64(stats.opened, 3);
	assert_u64(stats.ended, 1);
	assert_u64(stats.dropped, 1);
	assert_u64(stats.open, 1);
	assert_u64(stats.values, 3);
	bodies_free(all); /* the open one too */
	wants_free(wants);
}

KIT_MAIN(T(no_malloc_once_it_works), T(whichever_allocation_fails), T(so_many_bodies_at_once))
