/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate.c: see inflate.h. One function a library that turns some input into at most one piece of output;
 * the loop around it, the bounds and the chain are common. All libraries allocate from the pool. Each bound
 * is checked for each coding, so neither a bomb inside a bomb nor one that shrinks again goes through.
 */
#include "txn/body/inflate.h"

#include <brotli/decode.h>
#include <errno.h>
#include <string.h>
#define ZSTD_STATIC_LINKING_ONLY /* ZSTD_customMem */
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define ZSTD_WINDOW_LOG 23 /* RFC 8878 section 3.1.1.1.2: what decoders should support, 8 MiB */

static int stage_push(struct inflate *f, unsigned number, struct slice in);

int inflate_codings(struct slice field, enum coding ret[INFLATE_CHAIN])
{
	static const struct {
		struct slice name;
		enum coding coding;
	} names[] = {
		{ SLICE("gzip"), CODING_GZIP },	      { SLICE("x-gzip"), CODING_GZIP },
		{ SLICE("deflate"), CODING_DEFLATE }, { SLICE("br"), CODING_BROTLI },
		{ SLICE("zstd"), CODING_ZSTD },
	};
	int count = 0;

	while (field.at) {
		struct slice name = slice_trim(slice_next(&field, ','));
		unsigned i;

		if (!name.len || slice_ieq(name, SLICE("identity")))
			continue;
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (slice_ieq(name, names[i].name))
				break;
		if (i == sizeof(names) / sizeof(names[0]))
			return -ENOTSUP;
		if (count == INFLATE_CHAIN)
			return -E2BIG;
		ret[count++] = names[i].coding;
	}
	return count;
}

/* ---- memory ---- */

static void *take(void *pool, size_t bytes)
{
	return coder_pool_take(pool, bytes);
}

static void give(void *pool, void *at)
{
	coder_pool_give(pool, at);
}

static voidpf take_items(voidpf pool, uInt items, uInt bytes)
{
	return coder_pool_take(pool, (size_t)items * bytes);
}

struct room {
	char *at;
	size_t len;
};

/* ---- zlib ---- */

static int zlib_begin(struct inflate *f, struct inflate_stage *s, int window_bits)
{
	z_stream *z = coder_pool_take(f->pool, sizeof(*z));
	int err;

	if (!z)
		return -ENOMEM;
	*z = (z_stream){ .zalloc = take_items, .zfree = give, .opaque = f->pool };
	err = inflateInit2(z, window_bits);
	if (err != Z_OK) {
		coder_pool_give(f->pool, z);
		return err == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
	}
	s->state = z;
	return 0;
}

/* RFC 1950 section 2.2: method, window and check bits of the two octets in front. */
static bool is_zlib(const uint8_t head[2])
{
	return (head[0] & 0x0f) == 8 && head[0] >> 4 <= 7 && (head[0] << 8 | head[1]) % 31 == 0;
}

/* Makes the decoder once the form is known. 0 = go on with what is left of *in. */
static int deflate_begin(struct inflate *f, unsigned number, struct slice *in)
{
	struct inflate_stage *s = &f->stage[number];
	int err;

	while (s->head_len < 2 && in->len) {
		s->head[s->head_len++] = (uint8_t)in->at[0];
		*in = slice_sub(*in, 1, in->len);
	}
	if (s->head_len < 2)
		return 0;
	err = zlib_begin(f, s, is_zlib(s->head) ? MAX_WBITS : -MAX_WBITS);
	if (err)
		return err;
	s->begun = true;
	return stage_push(f, number, slice_of(s->head, 2));
}

/* Each step: takes of *in, writes to out, of which it moves the front. 0 or -errno, with what stood before
 * the error written; s->ended when a member is whole. No input is left unread unless the room is full or
 * the end was met. */
static int zlib_step(struct inflate_stage *s, struct slice *in, struct room *out)
{
	z_stream *z = s->state;
	int err;

	if (s->ended) {
		/* Another member of a gzip file begins like the first; all else is junk. */
		if (s->coding != CODING_GZIP || (uint8_t)in->at[0] != 0x1f) {
			s->after = true;
			in->len = 0;
			return 0;
		}
		inflateReset(z);
		s->ended = false;
	}
	z->next_in = (Bytef *)(uintptr_t)in->at;
	z->avail_in = (uInt)in->len;
	z->next_out = (Bytef *)out->at;
	z->avail_out = (uInt)out->len;
	err = inflate(z, Z_NO_FLUSH);
	*out = (struct room){ (char *)z->next_out, z->avail_out };
	*in = slice_sub(*in, in->len - z->avail_in, in->len);
	if (err == Z_STREAM_END)
		s->ended = true;
	else if (err == Z_MEM_ERROR)
		return -ENOMEM;
	else if (err != Z_OK && err != Z_BUF_ERROR)
		return -EBADMSG;
	return 0;
}

/* ---- brotli ---- */

static int brotli_begin(struct inflate *f, struct inflate_stage *s)
{
	s->state = BrotliDecoderCreateInstance(take, give, f->pool);
	return s->state ? 0 : -ENOMEM;
}

static int brotli_step(struct inflate_stage *s, struct slice *in, struct room *out)
{
	const uint8_t *next_in = (const uint8_t *)in->at;
	uint8_t *next_out = (uint8_t *)out->at;
	size_t left = in->len;
	BrotliDecoderErrorCode why;
	BrotliDecoderResult result;

	if (s->ended) {
		s->after = true;
		in->len = 0;
		return 0;
	}
	result = BrotliDecoderDecompressStream(s->state, &left, &next_in, &out->len, &next_out,
					       NULL);
	out->at = (char *)next_out;
	*in = slice_sub(*in, in->len - left, in->len);
	if (result == BROTLI_DECODER_RESULT_ERROR) {
		why = BrotliDecoderGetErrorCode(s->state);
		return why <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
				       why >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES
			       ? -ENOMEM
			       : -EBADMSG;
	}
	s->ended = result == BROTLI_DECODER_RESULT_SUCCESS;
	return 0;
}

/* ---- zstd ---- */

static int zstd_begin(struct inflate *f, struct inflate_stage *s)
{
	ZSTD_DCtx *z = ZSTD_createDCtx_advanced((ZSTD_customMem){ take, give, f->pool });

	if (!z)
		return -ENOMEM;
	ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG);
	s->state = z;
	return 0;
}

/* Octets that frames begin with (section 3.1: 0x28 or, skippable, 0x50 to 0x5f). A frame may follow a frame;
 * whatever else follows would be damage to the library. It also knows frames of before the standard, which
 * are none. */
static bool is_frame(char c)
{
	return c == 0x28 || (c & 0xf0) == 0x50;
}

static int zstd_step(struct inflate_stage *s, struct slice *in, struct room *out)
{
	ZSTD_inBuffer i = { in->at, in->len, 0 };
	ZSTD_outBuffer o = { out->at, out->len, 0 };
	size_t left;

	if (s->ended && in->len && !is_frame(in->at[0])) {
		s->after = true;
		in->len = 0;
		return 0;
	}
	if (!s->begun && in->len && !is_frame(in->at[0]))
		return -EBADMSG;
	s->begun = true;
	left = ZSTD_decompressStream(s->state, &o, &i);
	*in = slice_sub(*in, i.pos, in->len);
	*out = (struct room){ out->at + o.pos, out->len - o.pos };
	if (ZSTD_isError(left))
		return ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ? -ENOMEM : -EBADMSG;
	s->ended = left == 0;
	return 0;
}

/* ---- all ---- */

static int step(struct inflate_stage *s, struct slice *in, struct room *out)
{
	if (s->coding == CODING_BROTLI)
		return brotli_step(s, in, out);
	if (s->coding == CODING_ZSTD)
		return zstd_step(s, in, out);
	return zlib_step(s, in, out);
}

static int hand_on(struct inflate *f, unsigned number, struct slice piece)
{
	if (number + 1 < f->count)
		return stage_push(f, number + 1, piece);
	return f->out(f->ctx, piece) ? 0 : -ECANCELED;
}

static int stage_push(struct inflate *f, unsigned number, struct slice in)
{
	struct inflate_stage *s = &f->stage[number];
	char *piece = f->room->piece[number];
	bool full = false;
	int err = 0;

	if (s->coding == CODING_DEFLATE && !s->begun)
		err = deflate_begin(f, number, &in);
	if (err || (!s->begun && s->coding == CODING_DEFLATE))
		return err;
	/* A full piece may leave more behind in the decoder than the input says. */
	while (!err && (in.len || full)) {
		uint64_t left = f->limits.output_bytes - s->out_bytes;
		struct room out = { piece, left < INFLATE_PIECE ? (size_t)left : INFLATE_PIECE };
		size_t had = in.len, made;
		int handed = 0;

		err = step(s, &in, &out);
		made = (size_t)(out.at - piece);
		s->in_bytes += had - in.len;
		s->out_bytes += made;
		full = !out.len && !s->ended;
		if (s->out_bytes > INFLATE_GRACE && s->out_bytes / f->limits.ratio > s->in_bytes)
			return -EOVERFLOW;
		if (made)
			handed = hand_on(f, number, slice_of(piece, made));
		if (handed)
			err = handed; /* what came before the error was all that is of use */
		if (!err && s->out_bytes == f->limits.output_bytes && !s->ended)
			err = -EFBIG;
		if (!made && had == in.len)
			break; /* it wants more */
	}
	return err;
}

int inflate_open(struct inflate *f, struct coder_pool *pool, struct inflate_room *room,
		 const struct inflate_limits *limits, const enum coding *list, unsigned count,
		 bool (*out)(void *ctx, struct slice piece), void *ctx)
{
	*f = (struct inflate){ .pool = pool,
			       .room = room,
			       .limits = *limits,
			       .count = count,
			       .out = out,
			       .ctx = ctx };
	for (unsigned i = 0; i < count; i++) {
		struct inflate_stage *s = &f->stage[i];
		int err = 0;

		s->coding = list[count - 1 - i];
		if (s->coding == CODING_GZIP)
			err = zlib_begin(f, s, MAX_WBITS + 16);
		else if (s->coding == CODING_BROTLI)
			err = brotli_begin(f, s);
		else if (s->coding == CODING_ZSTD)
			err = zstd_begin(f, s);
		if (err) {
			inflate_close(f);
			return err;
		}
	}
	return 0;
}

int inflate_push(struct inflate *f, struct slice in)
{
	if (!in.len)
		return 0;
	return f->count ? stage_push(f, 0, in) : f->out(f->ctx, in) ? 0 : -ECANCELED;
}

bool inflate_is_whole(const struct inflate *f)
{
	for (unsigned i = 0; i < f->count; i++)
		if (!f->stage[i].ended)
			return false;
	return true;
}

bool inflate_has_after(const struct inflate *f)
{
	for (unsigned i = 0; i < f->count; i++)
		if (f->stage[i].after)
			return true;
	return false;
}

void inflate_close(struct inflate *f)
{
	for (unsigned i = 0; i < f->count; i++) {
		struct inflate_stage *s = &f->stage[i];

		if (!s->state)
			continue;
		if (s->coding == CODING_BROTLI) {
			BrotliDecoderDestroyInstance(s->state);
		} else if (s->coding == CODING_ZSTD) {
			ZSTD_freeDCtx(s->state);
		} else {
			inflateEnd(s->state);
			coder_pool_give(f->pool, s->state);
		}
		s->state = NULL;
	}
}
