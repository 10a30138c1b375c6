/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_inflate.c: content codings through the whole room (body.h): each library's own compressor makes the
 * body, a JSON reader tells what came out. Codings that lie, are cut, damaged, bombs, and memory at its bound.
 */
#include "body_kit.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include "txn/body/pool.h"

#define ROOM (1 << 20)

static char text[300000];
static size_t text_len;

static void make_text(void)
{
	size_t len = (size_t)snprintf(text, sizeof(text), "{\"fill\":[");

	srandom(3);
	while (len < 200000)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"{\"sku\":\"%lx\",\"n\":%ld},", random(), random() % 100);
	len += (size_t)snprintf(text + len, sizeof(text) - len, "0],\"last\":\"here\"}");
	text_len = len;
}

/* window: 15 zlib, -15 raw, 31 gzip */
static struct slice deflated(struct slice in, int window, char *room)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)in.at;
	z.avail_in = (uInt)in.len;
	z.next_out = (Bytef *)room;
	z.avail_out = ROOM;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return slice_of(room, ROOM - z.avail_out);
}

static struct slice brotlied(struct slice in, char *room)
{
	size_t len = ROOM;

	assert_true(BrotliEncoderCompress(5, 18, BROTLI_MODE_TEXT, in.len, (const uint8_t *)in.at,
					  &len, (uint8_t *)room));
	return slice_of(room, len);
}

static struct slice zstded(struct slice in, char *room)
{
	size_t len = ZSTD_compress(room, ROOM, in.at, in.len, 3);

	assert_false(ZSTD_isError(len));
	return slice_of(room, len);
}

static struct body_kind coded(const char *encoding)
{
	struct body_kind kind = JSON_KIND;

	kind.content_encoding = slice_str(encoding);
	return kind;
}

static char first[ROOM], second[ROOM];

static void expect_cut(const char *encoding, struct slice s, uint32_t flags, const char *expected)
{
	static const size_t pieces[] = { 1, 3, 1000, 16384, ROOM };

	for (unsigned i = 0; i < 5; i++) {
		kit_same(kit_cut(coded(encoding), s, pieces[i]), slice_str(expected), encoding);
		assert_int_equal(kit.result.flags, flags);
	}
}

static void each_coding_and_each_pair(void **state)
{
	struct slice plain = slice_of(text, text_len);

	make_text();
	plain.len = text_len;
	KIT_WANTS(JSON_PATH("$.last"));
	expect_cut("", plain, 0, "0 text here\n");
	expect_cut("identity", plain, 0, "0 text here\n");
	expect_cut("gzip", deflated(plain, 31, first), 0, "0 text here\n");
	assert_u64(kit.result.decoded_bytes, text_len);
	expect_cut("X-GZIP", deflated(plain, 31, first), 0, "0 text here\n");
	expect_cut("deflate", deflated(plain, 15, first), 0, "0 text here\n");
	expect_cut("deflate", deflated(plain, -15, first), 0, "0 text here\n");
	expect_cut("br", brotlied(plain, first), 0, "0 text here\n");
	expect_cut("zstd", zstded(plain, first), 0, "0 text here\n");
	expect_cut("gzip, br", brotlied(deflated(plain, 31, first), second), 0, "0 text here\n");
	expect_cut("br ,gzip", deflated(brotlied(plain, first), 31, second), 0, "0 text here\n");
	expect_cut("zstd,identity,, deflate", deflated(zstded(plain, first), -15, second), 0,
		   "0 text here\n");
	expect_cut("gzip,gzip", deflated(deflated(plain, 31, first), 31, second), 0,
		   "0 text here\n");
}

static void members_and_frames_in_a_row(void **state)
{
	struct slice a = SLICE("{\"last\":"), b = SLICE("\"two\"}"), one, two;

	KIT_WANTS(JSON_PATH("$.last"));
	one = deflated(a, 31, first);
	two = deflated(b, 31, first + one.len);
	expect_cut("gzip", slice_of(first, one.len + two.len), 0, "0 text two\n");
	one = zstded(a, first);
	two = zstded(b, second);
	memcpy(first + one.len, two.at, two.len);
	expect_cut("zstd", slice_of(first, one.len + two.len), 0, "0 text two\n");
}

static void junk_behind_the_end(void **state)
{
	struct slice s = SLICE("{\"last\":1}"), all;

	KIT_WANTS(JSON_PATH("$.last"));
	all = deflated(s, 31, first);
	memset(first + all.len, 0, 20);
	expect_cut("gzip", slice_of(first, all.len + 20), FLAG(MORE), "0 number 1\n");
	all = deflated(s, 15, first);
	memcpy(first + all.len, "junk", 4);
	expect_cut("deflate", slice_of(first, all.len + 4), FLAG(MORE), "0 number 1\n");
	all = brotlied(s, first);
	memcpy(first + all.len, "junk", 4);
	expect_cut("br", slice_of(first, all.len + 4), FLAG(MORE), "0 number 1\n");
	all = zstded(s, first);
	memcpy(first + all.len, "junk", 4);
	expect_cut("zstd", slice_of(first, all.len + 4), FLAG(MORE), "0 number 1\n");
}

/* What was inflated before the place of the damage is read; the rest is not. */
static void damaged_and_cut(void **state)
{
	struct slice plain, s;

	make_text();
	plain = slice_of(text, text_len);
	KIT_WANTS(JSON_PATH("$.fill[0].n"), JSON_PATH("$.last"));
	s = deflated(plain, 31, first);
	kit_cut(coded("gzip"), slice_sub(s, 0, s.len / 2), 100);
	assert_true(slice_starts(buf_slice(&kit.out), SLICE("0 number ")));
	assert_int_equal(kit.result.flags, FLAG(SHORT));
	first[s.len - 6] ^=
		1; /* of the checksum: all was handed out, and it is told that it is not right */
	kit_cut(coded("gzip"), s, 100);
	assert_true(slice_ends(buf_slice(&kit.out), SLICE("1 text here\n")));
	assert_int_equal(kit.result.flags, FLAG(CODING_BROKEN));
	s = deflated(plain, 31, first);
	memset(first + s.len / 2, 0xff, 40);
	kit_cut(coded("gzip"), s, 100);
	assert_true(slice_starts(buf_slice(&kit.out), SLICE("0 number ")));
	/* whichever sees it first: what came out is no JSON, or the code no code */
	assert_true(kit.result.flags &&
		    !(kit.result.flags & ~(FLAG(CODING_BROKEN) | FLAG(MALFORMED))));
	s = brotlied(plain, first);
	kit_cut(coded("br"), slice_sub(s, 0, s.len - 1), 100);
	assert_int_equal(kit.result.flags, FLAG(SHORT));
	s = zstded(plain, first);
	first[s.len / 2] ^= 0x55;
	kit_cut(coded("zstd"), s, 100);
	assert_true(kit.result.flags &&
		    !(kit.result.flags & ~(FLAG(CODING_BROKEN) | FLAG(MALFORMED))));
}

static void codings_that_lie(void **state)
{
	struct slice s = SLICE("{\"last\":1}");

	KIT_WANTS(JSON_PATH("$.last"));
	expect_cut("gzip", s, FLAG(CODING_BROKEN), "");
	expect_cut("br", s, FLAG(CODING_BROKEN), "");
	expect_cut("zstd", s, FLAG(CODING_BROKEN), "");
	/* a frame of before the standard, which the library would read */
	expect_cut("zstd", SLICE("\x26\xb5\x2f\xfd\0\0\0"), FLAG(CODING_BROKEN), "");
	expect_cut("compress", s, FLAG(CODING_UNKNOWN), "");
	expect_cut("gzip, br, gzip", s, FLAG(CODING_UNKNOWN), "");
	expect_cut("gzip", SLICE(""), 0, ""); /* the answer to a HEAD */
	expect_cut("gzip", slice_sub(deflated(s, 31, first), 0, 1), FLAG(SHORT), "");
	expect_cut("deflate", slice_sub(deflated(s, 15, first), 0, 1), FLAG(SHORT), "");
}

static void a_hole_in_a_coding_ends_it(void **state)
{
	struct slice s;
	struct body *b;

	make_text();
	s = deflated(slice_of(text, text_len), 31, first);
	KIT_WANTS(JSON_PATH("$.fill[0].n"), JSON_PATH("$.last"));
	b = kit_open(coded("gzip"));
	assert_true(body_push(b, slice_sub(s, 0, s.len / 2)));
	assert_false(body_hole(b, 10));
	body_end(b, &kit.result);
	assert_true(slice_starts(buf_slice(&kit.out), SLICE("0 number ")));
	assert_int_equal(kit.result.flags, FLAG(HOLE));
}

/* 100 MB of blanks in 100 KB: given up long before, whatever the pieces are. */
static void bombs(void **state)
{
	const size_t size = 100 << 20;
	char *blanks = malloc(size);
	struct body_limits l = body_limits_default;
	struct slice s;

	memset(blanks, ' ', size);
	KIT_WANTS(JSON_PATH("$.last"));
	s = deflated(slice_of(blanks, size), 31, first);
	assert_true(s.len < 110000);
	kit_cut(coded("gzip"), s, 16384);
	assert_int_equal(kit.result.flags, FLAG(CUT_RATIO));
	assert_true(kit.result.decoded_bytes <= 200000);
	kit_cut(coded("gzip"), s, 1);
	assert_int_equal(kit.result.flags, FLAG(CUT_RATIO));
	s = deflated(s, 31, second); /* a bomb in a bomb */
	kit_cut(coded("gzip, gzip"), s, 16384);
	assert_int_equal(kit.result.flags, FLAG(CUT_RATIO));
	s = brotlied(slice_of(blanks, size), first);
	kit_cut(coded("br"), s, 16384);
	assert_int_equal(kit.result.flags, FLAG(CUT_RATIO));
	s = zstded(slice_of(blanks, size), first);
	kit_cut(coded("zstd"), s, 16384);
	assert_int_equal(kit.result.flags, FLAG(CUT_RATIO));
	l.ratio = 2000;
	l.output_bytes = 1000000;
	kit_limits(&l);
	s = deflated(slice_of(blanks, size), 31, first);
	kit_cut(coded("gzip"), s, 16384);
	assert_int_equal(kit.result.flags, FLAG(CUT_OUTPUT));
	assert_u64(kit.result.decoded_bytes, 1000000);
	kit_cut(coded(""), slice_of(blanks, size), 16384);
	assert_int_equal(kit.result.flags, FLAG(CUT_OUTPUT));
	assert_u64(kit.result.decoded_bytes, 1000000);
	free(blanks);
	kit_limits(&body_limits_default);
}

static void memory_of_decoders_is_bounded_and_used_again(void **state)
{
	struct body_limits l = body_limits_default;
	struct body_stats stats;
	struct slice s;

	make_text();
	l.coder_bytes = 100000; /* two of zlib's */
	kit_limits(&l);
	KIT_WANTS(JSON_PATH("$.last"));
	s = deflated(slice_of(text, text_len), 31, first);
	for (unsigned i = 0; i < 100; i++) {
		kit_cut(coded("gzip"), s, 5000);
		assert_int_equal(kit.result.flags, 0);
		bodies_stats(kit.all, &stats);
		assert_true(stats.coder_bytes > 30000 && stats.coder_bytes <= l.coder_bytes);
	}
	s = brotlied(slice_of(text, text_len), first);
	kit_cut(coded("br"), s, 5000);
	assert_int_equal(kit.result.flags, FLAG(MEMORY));
	s = zstded(slice_of(text, text_len), first);
	kit_cut(coded("zstd"), s, 5000);
	assert_int_equal(kit.result.flags, FLAG(MEMORY));
	bodies_stats(kit.all, &stats);
	assert_u64(stats.flagged[BODY_MEMORY], 2);
	kit_limits(&body_limits_default);
}

static void pieces_of_the_pool(void **state)
{
	struct coder_pool p;
	void *a, *b;

	coder_pool_init(&p, 10000);
	a = coder_pool_take(&p, 1);
	b = coder_pool_take(&p, 5000);
	assert_true(a && b && !((uintptr_t)a % 16) && !((uintptr_t)b % 16));
	assert_u64(p.used_bytes, 256 + 5120);
	memset(b, 1, 5000);
	assert_null(coder_pool_take(&p, 5000));
	assert_null(coder_pool_take(&p, SIZE_MAX));
	assert_null(coder_pool_take(&p, 100u << 20));
	assert_u64(p.refused, 3);
	coder_pool_give(&p, b);
	coder_pool_give(&p, NULL);
	assert_ptr_equal(coder_pool_take(&p, 5120), b);
	coder_pool_give(&p, b);
	assert_u64(p.held_bytes, 256 + 5120);
	b = coder_pool_take(&p, 8000); /* the kept piece makes way */
	assert_non_null(b);
	assert_u64(p.held_bytes, 256 + 8192);
	coder_pool_give(&p, b);
	coder_pool_give(&p, a);
	assert_u64(p.used_bytes, 0);
	coder_pool_done(&p);
	assert_u64(p.held_bytes, 0);
	for (size_t n = 1; n < 40000; n += 7) {
		coder_pool_init(&p, 64 << 20);
		a = coder_pool_take(&p, n);
		assert_true(p.used_bytes >= n &&
			    (p.used_bytes <= 256 || p.used_bytes <= n + n / 4 + 1));
		coder_pool_give(&p, a);
		coder_pool_done(&p);
	}
}

KIT_MAIN(T(each_coding_and_each_pair), T(members_and_frames_in_a_row), T(junk_behind_the_end),
	 T(damaged_and_cut), T(codings_that_lie), T(a_hole_in_a_coding_ends_it), T(bombs),
	 T(memory_of_decoders_is_bounded_and_used_again), T(pieces_of_the_pool))
