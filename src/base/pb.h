/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pb.h: writes and reads the protobuf wire format (protobuf.dev "Encoding"), without descriptors: the
 * caller knows the field numbers. Writers append to a buf and cannot fail by themselves: check
 * buf->failed once at the end. The reader never reads beyond its slice, whatever the bytes are.
 */
#ifndef PC_BASE_PB_H
#define PC_BASE_PB_H

#include "base/buf.h"

enum pb_wire { PB_VARINT, PB_FIXED64, PB_BYTES, PB_FIXED32 = 5 };

static inline size_t pb_varint_len(uint64_t v)
{
	return (size_t)(9 * (63 - __builtin_clzll(v | 1)) + 73) / 64;
}

/* Octets of a length-delimited field with a number below 16. */
static inline size_t pb_bytes_len(size_t len)
{
	return 1 + pb_varint_len(len) + len;
}

void pb_varint(struct buf *b, uint64_t v); /* bare, for packed fields */
void pb_tag(struct buf *b, uint32_t field, enum pb_wire wire);
void pb_u64(struct buf *b, uint32_t field, uint64_t v);
void pb_sint(struct buf *b, uint32_t field, int64_t v); /* zigzag */
void pb_fixed64(struct buf *b, uint32_t field, uint64_t v);
void pb_fixed32(struct buf *b, uint32_t field, uint32_t v);
void pb_double(struct buf *b, uint32_t field, double v);
void pb_raw64(struct buf *b, uint64_t v); /* bare, for packed fields */
void pb_bytes(struct buf *b, uint32_t field, struct slice s);
void pb_string(struct buf *b, uint32_t field, struct slice s); /* what is no UTF-8 is replaced */
/* A message of unknown length: mark = pb_begin(b, field); …; pb_end(b, mark). */
size_t pb_begin(struct buf *b, uint32_t field);
void pb_end(struct buf *b, size_t mark);

struct pb_field {
	uint32_t number;
	enum pb_wire wire;
	uint64_t value;	    /* VARINT, FIXED64, FIXED32 */
	struct slice bytes; /* BYTES */
};

/* Next field of *s: 1, 0 at the end, -EBADMSG for what is no protobuf (groups included). */
int pb_next(struct slice *s, struct pb_field *ret);

#endif
