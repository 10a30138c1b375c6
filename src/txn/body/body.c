/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body.c: see body.h. The way of the octets: body_push → inflate.c (codings off; bounds) → decoded() →
 * charset.c → text() → a reader → body_take(). Each of them may say that no more is of use. Why it ended is
 * kept as flags; the first abnormal end also keeps the reader from taking the rest for the whole.
 */
#include "txn/body/body.h"

#include "txn/body/inside.h"

const char *body_flag_name(enum body_flag f)
{
	static const char *const names[BODY_FLAGS] = {
		"hole",	      "short",	    "coding_unknown", "coding_broken", "charset_unknown",
		"malformed",  "cut_output", "cut_ratio",      "cut_depth",     "cut_text",
		"cut_values", "cut_parts",  "match_limit",    "memory",	       "more",
	};

	return names[f];
}

/* ---- values ---- */

void body_flag(struct body *b, enum body_flag f)
{
	b->result.flags |= 1u << f;
}

void body_take(struct body *b, const struct taken *v)
{
	if (b->stopped)
		return;
	if (b->result.values == b->all->limits.values) {
		body_flag(b, BODY_CUT_VALUES);
		b->stopped = true;
		return;
	}
	b->result.values++;
	if (v->cut)
		body_flag(b, BODY_CUT_TEXT);
	b->sink.taken(b->sink.ctx, v);
}

static void on_value(void *ctx, const struct json_value *v)
{
	struct taken t = { v->target, v->kind, v->text, { 0 }, v->cut };

	if (v->target >= GRAPHQL_OPERATION) {
		graphql_value(ctx, v);
		return;
	}
	memcpy(t.index, v->index, sizeof(t.index));
	body_take(ctx, &t);
}

static void on_piece(void *ctx, uint32_t target, struct slice piece)
{
	graphql_piece(ctx, target, piece);
}

static void on_closed(void *ctx, uint32_t target)
{
	graphql_closed(ctx, target);
}

struct json_sink body_json_sink(struct body *b)
{
	return (struct json_sink){ b, on_value, on_piece, on_closed };
}

/* ---- the way of the octets ---- */

static void json_body_begin(struct body *b)
{
	struct json_sink sink = body_json_sink(b);

	b->reader = &json_body_reader;
	graphql_begin(b, 0);
	if (b->response && b->aliases_unknown && body_has(b, BODY_GRAPHQL_DATA))
		body_flag(b, BODY_CUT_PARTS);
	json_read_open(&b->json, &b->wants->paths,
		       1u << PATHS_JSON | (!b->response		? 1u << PATHS_REQUEST
					   : b->aliases_unknown ? 0
								: 1u << PATHS_RESPONSE),
		       0, &sink);
	json_read_aliases(&b->json, b->aliases, b->alias_count);
}

static bool json_body_push(struct body *b, struct slice s)
{
	bool more = json_read_push(&b->json, s);

	b->result.flags |= b->json.flags;
	return more && !b->stopped;
}

static void json_body_end(struct body *b)
{
	json_read_end(&b->json);
	b->result.flags |= b->json.flags;
}

const struct reader json_body_reader = { true, json_body_push, NULL, json_body_end };

static bool html_body_begin(struct body *b)
{
	if (!html_begin(b)) {
		body_flag(b, BODY_MEMORY);
		b->stopped = true;
		return false;
	}
	b->reader = &html_reader;
	return true;
}

/* UTF-8. A body whose type says little, or HTML, is JSON when it begins like an object or array. */
static bool text(void *ctx, struct slice piece)
{
	struct body *b = ctx;
	size_t i = 0;

	if (!b->reader) {
		while (i < piece.len && memchr(" \t\r\n", piece.at[i], 4))
			i++;
		if (i == piece.len)
			return true;
		if (piece.at[i] == '{' || piece.at[i] == '[')
			json_body_begin(b);
		else if (!b->is_html || !html_body_begin(b))
			return false;
	}
	return b->reader->push(b, piece) && !b->stopped;
}

/* The charset of HTML is known, or will not be: what was held back goes on. */
static bool release(struct body *b)
{
	struct slice held = slice_of(b->hold, b->held);

	b->holding = false;
	b->charset.charset = html_charset(held);
	if (b->charset.charset != CHARSET_UNKNOWN)
		return charset_push(&b->charset, b->all->piece, held);
	body_flag(b, BODY_CHARSET_UNKNOWN);
	b->stopped = true;
	return false;
}

static bool hold(struct body *b, struct slice piece)
{
	struct slice part = slice_sub(piece, 0, sizeof(b->hold) - b->held);

	memcpy(b->hold + b->held, part.at, part.len);
	b->held += (uint32_t)part.len;
	if (b->held < sizeof(b->hold))
		return true;
	piece = slice_sub(piece, part.len, piece.len);
	return release(b) && (!piece.len || charset_push(&b->charset, b->all->piece, piece));
}

/* Codings are off. */
static bool decoded(void *ctx, struct slice piece)
{
	struct body *b = ctx;
	struct bodies *all = b->all;
	uint64_t left = all->limits.output_bytes - b->result.decoded_bytes;

	if (piece.len > left) {
		body_flag(b, BODY_CUT_OUTPUT);
		piece.len = left;
	}
	b->result.decoded_bytes += piece.len;
	if (b->reader && !b->reader->is_text)
		return b->reader->push(b, piece) && !b->stopped;
	if (b->holding)
		return hold(b, piece);
	return charset_push(&b->charset, all->piece, piece);
}

/* It cannot be read on; what came before counts. */
static void stop(struct body *b)
{
	if (b->holding)
		release(b);
	b->stopped = true;
}

static bool push(struct body *b, struct slice octets)
{
	static const struct {
		int err;
		enum body_flag flag;
	} causes[] = {
		{ -EBADMSG, BODY_CODING_BROKEN },
		{ -EFBIG, BODY_CUT_OUTPUT },
		{ -EOVERFLOW, BODY_CUT_RATIO },
		{ -ENOMEM, BODY_MEMORY },
	};
	int err = inflate_push(&b->inflate, octets);

	if (err == -ECANCELED) {
		b->over = true;
		return false;
	}
	for (unsigned i = 0; err && i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].err == err)
			body_flag(b, causes[i].flag);
	if (err || b->result.flags >> BODY_CUT_OUTPUT & 1)
		stop(b);
	return !b->stopped;
}

/* ---- the five verbs ---- */

/* 0, or the flag of why the octets cannot be read. */
static int codings_open(struct body *b, const struct body_kind *kind)
{
	const struct inflate_limits limits = { b->all->limits.output_bytes, b->all->limits.ratio };
	enum coding list[INFLATE_CHAIN];
	int count = kind->query ? 0 : inflate_codings(kind->content_encoding, list);

	b->inflate = (struct inflate){ .out = decoded, .ctx = b };
	if (count < 0) {
		body_flag(b, BODY_CODING_UNKNOWN);
		return count;
	}
	if (inflate_open(&b->inflate, &b->all->pool, &b->all->room, &limits, list, (unsigned)count,
			 decoded, b)) {
		body_flag(b, BODY_MEMORY);
		return -ENOMEM;
	}
	return 0;
}

/* What the fields say; CHARSET_UNDECIDED: nothing. */
static enum charset charset_said(struct body *b, const struct body_kind *kind)
{
	struct text room = { .at = b->text.at, .max = b->text.max };
	struct slice label = kind->query
				     ? slice_of(NULL, 0)
				     : media_parameter(kind->content_type, SLICE("charset"), &room);

	return label.len ? charset_named(label) : CHARSET_UNDECIDED;
}

static void reader_begin(struct body *b, const struct body_kind *kind)
{
	enum charset said = charset_said(b, kind), c = said ? said : CHARSET_UTF8;

	b->reader = NULL;
	b->is_html = b->holding = false;
	b->held = 0;
	charset_begin(&b->charset, c, text, b);
	switch (media_of(kind)) {
	case MEDIA_JSON:
		json_body_begin(b);
		break;
	case MEDIA_DOCUMENT:
		graphql_begin(b, 0);
		b->reader = &graphql_document_reader;
		break;
	case MEDIA_FORM:
		form_begin(b, c);
		b->reader = &form_reader;
		break;
	case MEDIA_MULTIPART:
		form_begin(b, CHARSET_UTF8);
		b->reader = &multipart_reader;
		if (multipart_begin(b, kind->content_type))
			return;
		body_flag(b, BODY_MALFORMED);
		b->stopped = true;
		return;
	case MEDIA_HTML:
		b->is_html = true;
		b->holding = !b->stopped && said == CHARSET_UNDECIDED;
		break;
	default:
		break;
	}
	if (c != CHARSET_UNKNOWN)
		return;
	body_flag(b, BODY_CHARSET_UNKNOWN);
	b->stopped = true;
}

int body_open(struct bodies *all, const struct body_kind *kind, const struct body_wants *wants,
	      const struct body_sink *sink, struct body **ret)
{
	struct body *b;

	if (!body_is_wanted(wants, kind))
		return -ENOENT;
	if (wants_steps(wants) > all->limits.steps)
		return -E2BIG;
	b = body_state_take(all);
	if (!b)
		return -ENOBUFS;
	b->wants = wants;
	b->sink = *sink;
	b->result = (struct body_result){ 0 };
	b->response = kind->response;
	b->aliases = kind->aliases;
	b->alias_count = kind->alias_count;
	b->aliases_unknown = kind->aliases_unknown;
	b->stopped = b->over = false;
	if (codings_open(b, kind))
		b->stopped = true;
	reader_begin(b, kind);
	*ret = b;
	return 0;
}

bool body_push(struct body *b, struct slice octets)
{
	if (b->stopped || b->over)
		return false;
	b->result.encoded_bytes += octets.len;
	return push(b, octets);
}

bool body_hole(struct body *b, uint64_t octets)
{
	if (b->stopped || b->over)
		return false;
	b->all->stats.hole_bytes += octets;
	body_flag(b, BODY_HOLE);
	if (b->inflate.count || !b->reader || !b->reader->hole || !b->reader->hole(b))
		stop(b);
	return !b->stopped;
}

void body_end(struct body *b, struct body_result *ret)
{
	if (!b->stopped && !b->over && b->result.encoded_bytes && !inflate_is_whole(&b->inflate)) {
		body_flag(b, BODY_SHORT);
		stop(b);
	}
	if (b->holding && !b->over)
		b->over = !release(b);
	if (inflate_has_after(&b->inflate))
		body_flag(b, BODY_MORE);
	if (!b->stopped && !b->over && (!b->reader || b->reader->is_text))
		b->over = !charset_end(&b->charset, b->all->piece);
	if (!b->stopped && b->reader && b->result.decoded_bytes)
		b->reader->end(b);
	if (ret)
		*ret = b->result;
	b->all->stats.ended++;
	body_state_give(b);
}

void body_drop(struct body *b)
{
	b->all->stats.dropped++;
	body_state_give(b);
}
