/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree.c: which elements are open, and their text (WHATWG HTML section 13.2.6, its rules for end tags that are
 * left out).
 *
 * Text is what a reader sees of it: blanks in a row are one, blocks are parted by one. All captures share one
 * text; an element inside another one is a piece of it.
 */
#include "txn/body/inside.h"

bool tree_begin(struct body *b)
{
	struct html *h = &b->html;
	size_t words = (b->all->limits.steps + 63) / 64;

	if (!h->level) {
		h->level = calloc(HTML_DEPTH + 2, sizeof(*h->level));
		h->sets = calloc((HTML_DEPTH + 2) * words * 2 + 1, sizeof(*h->sets));
		h->tag_text = malloc(HTML_TAG_BYTES);
	}
	if (!h->level || !h->sets || !h->tag_text) {
		tree_free(h);
		return false;
	}
	h->depth = h->over = h->elements = h->blocks = h->foreign = h->inert = h->captures = 0;
	h->ld = h->space = false;
	b->text.len = 0;
	b->text.cut = false;
	if (b->wants->html.words)
		memcpy(h->sets, b->wants->html.start, b->wants->html.words * sizeof(uint64_t));
	return true;
}

void tree_free(struct html *h)
{
	free(h->level);
	free(h->sets);
	free(h->tag_text);
	h->level = NULL;
	h->sets = NULL;
	h->tag_text = NULL;
}

/* ---- elements ---- */

static void captures_over(struct body *b, uint32_t depth)
{
	struct html *h = &b->html;

	/* those of one element in the order of the configuration */
	uint32_t from = h->captures;

	while (from && h->capture[from - 1].depth >= depth)
		from--;
	for (uint32_t i = from; i < h->captures; i++) {
		const struct html_capture *c = &h->capture[i];

		html_hand_out(b, c->state,
			      html_trim(slice_sub(text_slice(&b->text), c->from, b->text.len)),
			      b->text.cut, c->index);
	}
	h->captures = from;
	if (from)
		return;
	b->text.len = 0;
	b->text.cut = false;
}

static void pop(struct body *b)
{
	struct html *h = &b->html;

	if (h->level[h->depth].kind & TAG_BLOCK)
		h->space = true;
	captures_over(b, h->depth);
	if (h->foreign == h->depth)
		h->foreign = 0;
	if (h->inert == h->depth)
		h->inert = 0;
	h->depth--;
}

/* Ends the innermost open element of `what`, and all in it, unless one of `stop` is further in. */
static bool end_open(struct body *b, uint32_t what, uint32_t stop)
{
	struct html *h = &b->html;

	for (uint32_t d = h->depth; d; d--) {
		if (h->level[d].kind & what) {
			while (h->depth >= d)
				pop(b);
			return true;
		}
		if (h->level[d].kind & stop)
			return false;
	}
	return false;
}

/* End tags that a start tag brings with it. */
static void imply_ends(struct body *b, uint32_t kind)
{
	if (kind & TAG_LI)
		end_open(b, TAG_LI, TAG_LIST | TAG_SCOPE);
	if (kind & TAG_DD)
		end_open(b, TAG_DD, TAG_DL | TAG_SCOPE);
	if (kind & TAG_OPTION)
		end_open(b, TAG_OPTION, TAG_SELECT | TAG_OPTGROUP | TAG_SCOPE);
	if (kind & TAG_OPTGROUP)
		while (end_open(b, TAG_OPTGROUP | TAG_OPTION, TAG_SELECT | TAG_SCOPE))
			;
	if (kind & TAG_CELL)
		end_open(b, TAG_CELL, TAG_ROW | TAG_TABLE | TAG_INERT);
	if (kind & TAG_ROW)
		end_open(b, TAG_ROW, TAG_TABLE | TAG_INERT);
	if (kind & TAG_ROWS)
		while (end_open(b, TAG_ROWS | TAG_ROW, TAG_TABLE | TAG_INERT))
			;
	if (kind & TAG_ENDS_P)
		end_open(b, TAG_P, TAG_SCOPE);
}

static void ld_begin(struct body *b)
{
	struct html *h = &b->html;
	struct json_sink sink = body_json_sink(b);
	const struct attribute *type = html_attribute(h, SLICE("type"));
	struct slice media;

	if (!type || h->inert || !body_has(b, BODY_LD_JSON))
		return;
	media = type->value;
	if (!slice_ieq(slice_trim(slice_next(&media, ';')), SLICE("application/ld+json")))
		return;
	h->ld = true;
	json_read_open(&b->json, &b->wants->paths, 1u << PATHS_LD, h->blocks++, &sink);
}

static void ld_end(struct body *b)
{
	b->html.ld = false;
	json_read_end(&b->json);
	b->result.flags |= b->json.flags;
}

void tree_start(struct body *b)
{
	struct html *h = &b->html;
	struct slice name = slice_of(h->name, h->name_len);
	uint32_t kind = h->foreign ? 0 : tag_kind(name);
	bool leaf = kind & TAG_VOID || (h->self_closing && (h->foreign || kind & TAG_FOREIGN));

	if (h->over || h->depth == HTML_DEPTH) {
		h->over += !leaf;
		h->elements++;
		body_flag(b, BODY_CUT_DEPTH);
		return;
	}
	imply_ends(b, kind);
	if (kind & TAG_BLOCK)
		h->space = true;
	h->level[h->depth + 1] = (struct html_level){ tag_key(name), h->elements++, kind };
	html_look(b, h->depth + 1);
	if (slice_eq(name, SLICE("script")))
		ld_begin(b);
	h->depth++;
	if (leaf) {
		pop(b);
		return;
	}
	if (kind & TAG_FOREIGN)
		h->foreign = h->depth;
	if (kind & TAG_INERT && !h->inert)
		h->inert = h->depth;
}

void tree_end(struct body *b)
{
	struct html *h = &b->html;
	struct slice name = slice_of(h->name, h->name_len);
	const uint32_t beyond = TAG_CELL | TAG_ROW | TAG_ROWS | TAG_TABLE | TAG_BODY | TAG_INERT;
	uint64_t key = tag_key(name);
	uint32_t kind = tag_kind(name);

	if (h->ld && slice_eq(name, SLICE("script")))
		ld_end(b);
	if (h->over) {
		h->over -= !(kind & TAG_VOID);
		return;
	}
	for (uint32_t d = h->depth; d; d--) {
		if (h->level[d].name == key) {
			while (h->depth >= d)
				pop(b);
			return;
		}
		if (h->level[d].kind & (kind & beyond ? TAG_INERT : TAG_SCOPE))
			return;
	}
}

void tree_over(struct body *b)
{
	if (b->html.ld)
		ld_end(b);
	while (b->html.depth)
		pop(b);
}

/* ---- text ---- */

bool tree_wants_text(const struct body *b)
{
	return b->html.captures && !b->html.inert && !b->html.over;
}

void tree_text(struct body *b, struct slice s)
{
	struct html *h = &b->html;

	while (s.len && tree_wants_text(b)) {
		size_t n = 0;

		if (html_is_blank(s.at[0])) {
			h->space = true;
			s = slice_sub(s, 1, s.len);
			continue;
		}
		while (n < s.len && !html_is_blank(s.at[n]))
			n++;
		if (h->space && b->text.len)
			text_add(&b->text, SLICE(" "));
		h->space = false;
		text_add(&b->text, slice_sub(s, 0, n));
		s = slice_sub(s, n, s.len);
	}
}
