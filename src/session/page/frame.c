/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame.c: on a plain HTTP name a frame's request and that of a link that was followed are the same. What
 * differs is when they come. A parser that has the document asks for its frames at once, as soon as the
 * scripts and style sheets before them are there; a script asks when it has run. Somebody who follows a link
 * has seen the page first. So a frame begins shortly after one of these moments:
 *
 *   the end of the document; the start of its first part, which a slow browser shows late;
 *   the end of a script or style sheet that was asked for right then
 *
 * and for frames in frames the end of the frame. A document that its client left shows nothing more: what
 * comes next from there was a click.
 *
 * A page that streams shows its frames before it has ended, and an acknowledgement may be late: so a frame's
 * document may come here before its page's. Until the page is known it is taken for a page; when that comes
 * the frame is folded into it, unless it has been told by then (PAGE_UNSURE_NS). Stateless.
 */
#include "session/page/placing.h"

static bool is_soon(uint64_t at_ns, uint64_t after_ns, uint64_t within_ns)
{
	return (int64_t)(at_ns - after_ns) < (int64_t)within_ns;
}

static bool is_soon_after(uint64_t at_ns, uint64_t after_ns, uint64_t within_ns)
{
	return (int64_t)(at_ns - after_ns) >= 0 && is_soon(at_ns, after_ns, within_ns);
}

/* From the moment that the document is there, or its browser begins to look at it. */
static bool is_early(const struct page_view *v, uint64_t at_ns)
{
	return is_soon(at_ns, v->loaded_ns, PAGE_FRAME_NS) ||
	       (v->parts_ns && is_soon(v->parts_ns, v->loaded_ns, PAGE_FRAME_PARTS_NS) &&
		is_soon_after(at_ns, v->parts_ns, PAGE_FRAME_NS));
}

static bool has_frame(const struct page_view *v, uint64_t at_ns)
{
	if (v->left)
		return false;
	if (is_early(v, at_ns))
		return true;
	for (uint32_t i = 0; i < PAGE_AIDS && i < v->aid_count; i++) {
		const struct aid *a = &v->aids[i];

		if (!a->frame && is_early(v, a->start_ns) &&
		    is_soon_after(at_ns, a->end_ns, PAGE_FRAME_SCRIPT_NS))
			return true;
	}
	return false;
}

static bool has_frame_in_frame(const struct page_view *v, const struct placing *x)
{
	for (uint32_t i = 0; i < PAGE_AIDS && i < v->aid_count; i++) {
		const struct aid *a = &v->aids[i];

		if (a->frame && a->mark == x->from &&
		    is_soon(x->t->start_ns, a->end_ns, PAGE_FRAME_NS))
			return true;
	}
	return false;
}

static bool may_be_frame(const struct placing *x)
{
	return x->r->page.flags & PAGE_MAYBE_FRAME && slice_eq(x->t->method, SLICE("GET"));
}

void placing_guess(const struct placing *x, struct page_view *v)
{
	if (!may_be_frame(x) || !x->from || x->from == v->mark || !request_is_internal(x->r))
		return;
	v->guessed = x->from;
	v->unsure = true;
	for (const struct page_view *o = x->who->pages; o; o = o->next)
		if (o->mark == x->from && page_is_told(o))
			v->unsure = false;
}

void placing_fold_frames(struct placing *x, struct page_view *v)
{
	for (struct page_view *f = x->who->pages, *next; f; f = next) {
		next = f->next;
		if (f == v || f->guessed != v->mark || f->seen.revision || !f->document ||
		    page_is_after(v, f->start_ns) || !has_frame(v, f->start_ns))
			continue;
		page_fold(x->p, f, v);
		x->folded++;
	}
}

struct page_view *placing_frame_of(const struct placing *x)
{
	uint64_t at_ns = x->t->start_ns;

	if (!may_be_frame(x))
		return NULL;
	for (struct page_view *v = x->who->pages; v; v = v->next)
		if (v->document && v->mark == x->from && !page_is_after(v, at_ns))
			return has_frame(v, at_ns) ? v : NULL;
	for (struct page_view *v = x->who->pages; v; v = v->next)
		if (v->document && !page_is_after(v, at_ns) && has_frame_in_frame(v, x))
			return v;
	return NULL;
}
