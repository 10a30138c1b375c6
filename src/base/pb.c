/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pb.c: see pb.h. A nested message is written in place: one octet is kept for its length, and the
 * few that are longer than 127 octets are moved by the octets that their length needs more.
 */
#include "base/pb.h"

#include <endian.h>
#include <errno.h>

#include "base/utf8.h"

#define VARINT_MAX 10

void pb_varint(struct buf *b, uint64_t v)
{
	char *at;

	if (buf_reserve(b, VARINT_MAX) < 0)
		return;
	at = b->at + b->len;
	while (v >= 0x80) {
		*at++ = (char)(v | 0x80);
		v >>= 7;
	}
	*at++ = (char)v;
	b->len = (size_t)(at - b->at);
}

void pb_tag(struct buf *b, uint32_t field, enum pb_wire wire)
{
	pb_varint(b, (uint64_t)field << 3 | wire);
}

void pb_u64(struct buf *b, uint32_t field, uint64_t v)
{
	pb_tag(b, field, PB_VARINT);
	pb_varint(b, v);
}

void pb_sint(struct buf *b, uint32_t field, int64_t v)
{
	pb_u64(b, field, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

void pb_raw64(struct buf *b, uint64_t v)
{
	uint64_t little = htole64(v);

	buf_add(b, slice_of(&little, sizeof(little)));
}

void pb_fixed64(struct buf *b, uint32_t field, uint64_t v)
{
	pb_tag(b, field, PB_FIXED64);
	pb_raw64(b, v);
}

void pb_fixed32(struct buf *b, uint32_t field, uint32_t v)
{
	uint32_t little = htole32(v);

	pb_tag(b, field, PB_FIXED32);
	buf_add(b, slice_of(&little, sizeof(little)));
}

void pb_double(struct buf *b, uint32_t field, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	pb_fixed64(b, field, bits);
}

void pb_bytes(struct buf *b, uint32_t field, struct slice s)
{
	pb_tag(b, field, PB_BYTES);
	pb_varint(b, s.len);
	buf_add(b, s);
}

void pb_string(struct buf *b, uint32_t field, struct slice s)
{
	pb_tag(b, field, PB_BYTES);
	pb_varint(b, utf8_clean_len(s));
	utf8_add_clean(b, s);
}

size_t pb_begin(struct buf *b, uint32_t field)
{
	pb_tag(b, field, PB_BYTES);
	buf_add_byte(b, 0);
	return b->len;
}

void pb_end(struct buf *b, size_t mark)
{
	size_t len, more;
	char *at;

	if (b->failed)
		return;
	len = b->len - mark;
	more = pb_varint_len(len) - 1;
	if (more) {
		if (buf_reserve(b, more) < 0)
			return;
		memmove(b->at + mark + more, b->at + mark, len);
		b->len += more;
	}
	for (at = b->at + mark - 1; len >= 0x80; len >>= 7)
		*at++ = (char)(len | 0x80);
	*at = (char)len;
}

static int take_varint(struct slice *s, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < VARINT_MAX && i < s->len; i++) {
		unsigned char c = (unsigned char)s->at[i];

		v |= (uint64_t)(c & 0x7f) << (7 * i);
		if (c < 0x80) {
			*s = slice_sub(*s, i + 1, s->len);
			*ret = v;
			return 0;
		}
	}
	return -EBADMSG;
}

static int take_fixed(struct slice *s, size_t octets, uint64_t *ret)
{
	uint64_t v = 0;

	if (s->len < octets)
		return -EBADMSG;
	memcpy(&v, s->at, octets);
	*ret = le64toh(v);
	*s = slice_sub(*s, octets, s->len);
	return 0;
}

int pb_next(struct slice *s, struct pb_field *ret)
{
	struct pb_field f = { 0 };
	uint64_t tag;
	int err;

	if (s->len == 0)
		return 0;
	if (take_varint(s, &tag) < 0 || tag >> 3 == 0 || tag >> 3 >= 1u << 29)
		return -EBADMSG;
	f.number = (uint32_t)(tag >> 3);
	f.wire = tag & 7;
	switch (f.wire) {
	case PB_VARINT:
		err = take_varint(s, &f.value);
		break;
	case PB_FIXED64:
		err = take_fixed(s, 8, &f.value);
		break;
	case PB_FIXED32:
		err = take_fixed(s, 4, &f.value);
		break;
	case PB_BYTES:
		err = take_varint(s, &f.value);
		if (!err && f.value > s->len)
			err = -EBADMSG;
		if (!err) {
			f.bytes = slice_sub(*s, 0, f.value);
			*s = slice_sub(*s, f.value, s->len);
		}
		break;
	default:
		err = -EBADMSG;
	}
	if (err)
		return err;
	*ret = f;
	return 1;
}
