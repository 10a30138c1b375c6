/* SPDX-License-Identifier: Apache-2.0 */
/* The wire format against bytes decoded by hand, and the reader against every cut and garbage. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/pb.h"

static void written(void **state)
{
	struct buf b;

	buf_init(&b, 1000);
	pb_u64(&b, 1, 150); /* the example of the protobuf documentation */
	assert_slice(buf_slice(&b), "\x08\x96\x01");
	buf_clear(&b);
	pb_bytes(&b, 2, SLICE("testing"));
	assert_slice(buf_slice(&b), "\x12\x07testing");
	buf_clear(&b);
	pb_sint(&b, 3, -2);
	pb_sint(&b, 3, 2147483647);
	assert_slice(buf_slice(&b), "\x18\x03\x18\xfe\xff\xff\xff\x0f");
	buf_clear(&b);
	pb_u64(&b, 16, UINT64_MAX);
	assert_slice(buf_slice(&b), "\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
	buf_clear(&b);
	pb_fixed64(&b, 7, 0x0102030405060708);
	pb_fixed32(&b, 16, 0x01020304);
	assert_slice(buf_slice(&b), "\x39\x08\x07\x06\x05\x04\x03\x02\x01\x85\x01\x04\x03\x02\x01");
	buf_clear(&b);
	pb_double(&b, 5, 1.0);
	assert_slice(buf_slice(&b), "\x29\0\0\0\0\0\0\xf0\x3f");
	buf_clear(&b);
	pb_string(&b, 1, SLICE("a\xff"));
	assert_slice(buf_slice(&b), "\x0a\x04"
				    "a\xef\xbf\xbd");
	buf_done(&b);
}

static void varint_lengths(void **state)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		for (int less = 0; less < 2; less++) {
			uint64_t v = (1ull << bit) - (uint64_t)less;
			struct buf b;

			buf_init(&b, 100);
			pb_varint(&b, v);
			assert_int_equal(b.len, pb_varint_len(v));
			buf_done(&b);
		}
	}
}

/* Nested messages at every length around the places where the length's octets change. */
static void nested(void **state)
{
	static const size_t sizes[] = {
		0, 1, 126, 127, 128, 129, 16382, 16383, 16384, 16385, 100000
	};
	char *filler = calloc(1, 100000);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct pb_field f;
		struct slice s;
		struct buf b;
		size_t outer, inner, outer_len;

		buf_init(&b, 200000);
		outer = pb_begin(&b, 1);
		inner = pb_begin(&b, 2);
		buf_add(&b, slice_of(filler, sizes[i]));
		pb_end(&b, inner);
		pb_u64(&b, 3, 7);
		pb_end(&b, outer);
		assert_false(b.failed);
		s = buf_slice(&b);
		assert_int_equal(pb_next(&s, &f), 1);
		assert_int_equal(s.len, 0);
		outer_len = f.bytes.len;
		s = f.bytes;
		assert_int_equal(pb_next(&s, &f), 1);
		assert_int_equal(f.number, 2);
		assert_int_equal(f.bytes.len, sizes[i]);
		assert_int_equal(pb_bytes_len(sizes[i]) + 2, outer_len);
		assert_int_equal(pb_next(&s, &f), 1);
		assert_u64(f.value, 7);
		assert_int_equal(pb_next(&s, &f), 0);
		buf_done(&b);
	}
	free(filler);
}

static int read_all(struct slice s)
{
	struct pb_field f;
	int more;

	while ((more = pb_next(&s, &f)) == 1)
		;
	return more;
}

static void cut_everywhere(void **state)
{
	struct buf b;
	unsigned good = 0;

	buf_init(&b, 1000);
	pb_u64(&b, 1, 300);
	pb_bytes(&b, 2, SLICE("hello"));
	pb_fixed64(&b, 3, 1);
	pb_fixed32(&b, 4, 1);
	for (size_t cut = 0; cut <= b.len; cut++) {
		char *exact = malloc(cut ? cut : 1); /* so that ASan sees a read beyond */

		memcpy(exact, b.at, cut);
		good += read_all(slice_of(exact, cut)) == 0;
		free(exact);
	}
	assert_int_equal(good, 5); /* before, between and after four fields */
	buf_done(&b);
}

static void garbage(void **state)
{
	static const struct slice bad[] = {
		SLICE("\x00\x01"),					   /* field 0 */
		SLICE("\x0b"),						   /* group */
		SLICE("\x0f\x01"),					   /* wire type 7 */
		SLICE("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),	   /* longer than all */
		SLICE("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), /* eleven octets */
		SLICE("<html>"),
	};
	uint32_t seed = 1;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(read_all(bad[i]), -EBADMSG);
	for (int i = 0; i < 100000; i++) {
		char text[16];

		for (size_t at = 0; at < sizeof(text); at++)
			text[at] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
		read_all(slice_of(text, seed % 17)); /* ends, within its bounds */
	}
}

static void too_small(void **state)
{
	struct buf b;
	size_t mark;

	buf_init(&b, 20);
	mark = pb_begin(&b, 1);
	pb_bytes(&b, 1, SLICE("more than twenty octets of text"));
	pb_end(&b, mark);
	assert_true(b.failed);
	buf_done(&b);
}

UNIT_MAIN(T(written), T(varint_lengths), T(nested), T(cut_everywhere), T(garbage), T(too_small))
