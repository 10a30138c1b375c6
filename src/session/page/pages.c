/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pages.c: see page.h. The pages themselves: made, kept in order, told, measured, let go. Which
 * transaction does what to which page is place.c. Owns all of them; a visitor points to its latest.
 */
#include "session/page/page.h"

#include <errno.h>
#include <stdlib.h>

/* ---- of one visitor ---- */

static void leave_visitor(struct page_view *v)
{
	struct page_view **at = &v->who->pages;

	while (*at != v)
		at = &(*at)->next;
	*at = v->next;
}

static void join_visitor(struct page_view *v, struct identity *who)
{
	struct page_view **at = &who->pages;

	while (*at && (int64_t)((*at)->start_ns - v->start_ns) > 0)
		at = &(*at)->next;
	v->who = who;
	v->next = *at;
	*at = v;
}

/* ---- states ---- */

static void enter(struct pages *p, struct page_view *v, enum page_state state)
{
	v->state = (uint8_t)state;
	v->touched_ns = p->now_ns;
	list_remove(&v->of_state);
	list_append(&p->states[state], &v->of_state);
}

static void tell(struct pages *p, struct page_view *v)
{
	if (!v->changed || !page_is_told(v))
		return;
	v->changed = false;
	p->stats.told += !v->seen.revision++;
	page_sum_up(v);
	p->sink.tell(p->sink.ctx, v);
}

/* Nothing more can come in that would change how long it was lived. */
static void measure(struct pages *p, struct page_view *v)
{
	if (!v->loading)
		return;
	page_sum_up(v);
	table_remove(p->loading, v->loading);
	v->loading = NULL;
	if (!page_is_told(v))
		return; /* it may become a page view later: page_load */
	p->stats.measured++;
	p->sink.measure(p->sink.ctx, v);
}

/* Nothing is known to follow: it is told so. */
static void close_up(struct pages *p, struct page_view *v)
{
	uint64_t before_ns = v->seen.on_page_ns;

	v->ended = true;
	page_sum_up(v);
	v->changed |= v->seen.on_page_ns != before_ns;
	tell(p, v);
	measure(p, v);
}

static void remove_view(struct pages *p, struct page_view *v)
{
	leave_visitor(v);
	list_remove(&v->of_state);
	free(v->text);
	free(v->failed_host);
	table_remove(p->table, v);
}

void page_let_go(struct pages *p, struct page_view *v)
{
	close_up(p, v);
	p->stats.without_document += !page_is_told(v);
	remove_view(p, v);
}

void page_fold(struct pages *p, struct page_view *frame, struct page_view *into)
{
	struct page_seen *to = &into->seen;
	const struct page_seen *from = &frame->seen;

	into->aids[into->aid_count++ % PAGE_AIDS] = (struct aid){ .start_ns = frame->start_ns,
								  .end_ns = frame->loaded_ns,
								  .mark = frame->mark,
								  .frame = true };
	to->resources += 1 + from->resources;
	to->failed_resources += from->failed_resources + (from->status >= 400);
	to->calls += from->calls;
	to->failed_calls += from->failed_calls;
	if (!into->failed_host) {
		into->failed_host = frame->failed_host;
		frame->failed_host = NULL;
	}
	if ((int64_t)(frame->life_ns - into->life_ns) > 0)
		into->life_ns = frame->life_ns;
	if (into->loading && frame->loading)
		burst_join(&into->loading->burst, &frame->loading->burst);
	if (frame->loading)
		table_remove(p->loading, frame->loading);
	p->stats.views--;
	p->stats.frames++;
	remove_view(p, frame);
}

/* Its time on page is known now, or another one. */
static void tell_soon(struct pages *p, struct page_view *v)
{
	v->changed = true;
	if (v->state == PAGE_RESTING)
		enter(p, v, PAGE_LOADING);
}

void page_place(struct pages *p, struct page_view *v)
{
	struct page_view *before;

	leave_visitor(v);
	join_visitor(v, v->who);
	before = v->next;
	while (before && !page_is_told(before))
		before = before->next;
	if (before && page_is_told(v))
		tell_soon(p, before);
}

/* `waits`: the page is not whole without what came. A page that never comes to rest is told all the same. */
void page_touch(struct pages *p, struct page_view *v, bool waits)
{
	bool loads = v->loading && (int64_t)(p->now_ns - v->first_ns) < (int64_t)PAGE_LOAD_MOST_NS;

	v->changed = true;
	if (waits && loads)
		enter(p, v, PAGE_LOADING);
	else if (v->state == PAGE_RESTING)
		enter(p, v, PAGE_RESTING); /* it was used */
}

/* ---- room ---- */

static struct page_view *oldest(struct pages *p)
{
	for (int s = PAGE_STATES; s-- > 0;)
		if (!list_empty(&p->states[s]))
			return list_entry(p->states[s].next, struct page_view, of_state);
	return NULL;
}

static void make_room(struct pages *p, struct page_view *v)
{
	p->stats.hurried += page_is_told(v) && v->loading;
	page_let_go(p, v);
}

static struct page_view *make(struct pages *p)
{
	struct page_view *v = NULL, *old;
	bool fresh;

	do {
		v = table_add(p->table, &p->next_number, &fresh);
		old = v ? NULL : oldest(p);
		if (old) {
			p->stats.evicted += page_is_told(old);
			make_room(p, old);
		}
	} while (old);
	if (v)
		p->next_number++;
	return v;
}

/* How it loads is kept for the latest only. */
static struct loading *make_loading(struct pages *p, uint64_t number)
{
	struct loading *l, *old;
	bool fresh;

	do {
		l = table_add(p->loading, &number, &fresh);
		old = l ? NULL : table_oldest(p->loading);
		if (old) {
			struct page_view *v = table_find(p->table, &old->page);

			p->stats.hurried += page_is_told(v);
			tell(p, v);
			measure(p, v);
			enter(p, v, PAGE_RESTING);
		}
	} while (old);
	return l;
}

/* Pages that were fetched ahead, and such that are known by name only, push out none that is looked at. */
static void keep_latest(struct pages *p, struct identity *who, bool told)
{
	struct page_view *oldest;
	unsigned count;

	do {
		count = 0;
		for (struct page_view *v = who->pages; v; v = v->next) {
			if (page_is_told(v) != told)
				continue;
			oldest = v;
			count++;
		}
		if (count > PAGES_EACH)
			make_room(p, oldest); /* first, as the start of the next ends its time */
	} while (count > PAGES_EACH + 1);
}

struct page_view *page_add(struct pages *p, struct identity *who, uint32_t mark, uint64_t start_ns)
{
	struct page_view *v = make(p);

	if (!v)
		return NULL;
	v->mark = mark;
	v->start_ns = v->first_ns = v->life_ns = start_ns;
	list_init(&v->of_state);
	join_visitor(v, who);
	v->loading = make_loading(p, v->number);
	enter(p, v, PAGE_LOADING);
	return v;
}

void page_load(struct pages *p, struct page_view *v)
{
	if (v->loading)
		return;
	v->loading = make_loading(p, v->number);
	enter(p, v, PAGE_LOADING);
}

struct page_view *page_take_up(struct pages *p, struct identity *who, const struct page_view *as,
			       const struct loading *l)
{
	struct page_view *v = make(p);
	uint64_t number;

	if (!v)
		return NULL;
	number = v->number;
	*v = *as;
	v->number = number;
	list_init(&v->of_state);
	join_visitor(v, who);
	v->loading = l ? make_loading(p, number) : NULL;
	if (v->loading) {
		*v->loading = *l;
		v->loading->page = number;
	}
	enter(p, v, v->loading ? PAGE_LOADING : PAGE_RESTING);
	return v;
}

void page_trim(struct pages *p, struct identity *who)
{
	keep_latest(p, who, true);
	keep_latest(p, who, false);
}

int page_name(struct page_view *v, struct slice path, struct slice group)
{
	char *text;

	path = slice_sub(path, 0, PAGE_PATH);
	text = malloc(path.len + group.len + 1);
	if (!text)
		return -ENOMEM;
	if (path.len)
		memcpy(text, path.at, path.len);
	if (group.len)
		memcpy(text + path.len, group.at, group.len);
	free(v->text);
	v->text = text;
	v->seen.path = slice_of(text, path.len);
	v->seen.group = slice_of(text + path.len, group.len);
	return 0;
}

/* ---- verbs ---- */

static struct page_view *due(struct pages *p, enum page_state state, uint64_t after_ns)
{
	struct list *l = &p->states[state];
	struct page_view *v;

	if (list_empty(l))
		return NULL;
	v = list_entry(l->next, struct page_view, of_state);
	return (int64_t)(p->now_ns - v->touched_ns) < (int64_t)after_ns ? NULL : v;
}

void pages_tick(struct pages *p, uint64_t now_ns)
{
	struct page_view *v;
	struct failure *f;

	p->now_ns = now_ns;
	while ((v = due(p, PAGE_LOADING, PAGE_QUIET_NS))) {
		if (v->unsure && (int64_t)(now_ns - v->loaded_ns) < (int64_t)PAGE_UNSURE_NS) {
			enter(p, v, PAGE_LOADING);
			continue;
		}
		tell(p, v);
		enter(p, v, v->loading ? PAGE_TOLD : PAGE_RESTING);
	}
	while ((v = due(p, PAGE_TOLD, PAGE_SETTLE_NS))) {
		tell(p, v);
		measure(p, v);
		enter(p, v, PAGE_RESTING);
		if (!page_is_told(v) && !v->prefetched)
			page_let_go(p, v);
	}
	while ((f = table_oldest(p->failures)) &&
	       (int64_t)(now_ns - f->seen_ns) > (int64_t)FAILURE_KEEP_NS)
		table_remove(p->failures, f);
}

void pages_leave(struct pages *p, struct identity *who)
{
	/* the oldest first: the start of the next is the end of its time on page */
	while (who->pages) {
		struct page_view *v = who->pages;

		while (v->next)
			v = v->next;
		page_let_go(p, v);
	}
}

uint32_t pages_move(struct pages *p, struct identity *from, struct identity *into)
{
	uint32_t views = 0;

	while (from->pages) {
		struct page_view *v = from->pages;

		leave_visitor(v);
		join_visitor(v, into);
		views += page_is_told(v);
		tell_soon(p, v);
	}
	page_trim(p, into);
	return views;
}

void pages_finish(struct pages *p)
{
	for (unsigned s = 0; s < PAGE_STATES; s++)
		for (struct list *l = p->states[s].next; l != &p->states[s]; l = l->next)
			close_up(p, list_entry(l, struct page_view, of_state));
}

void pages_rules(struct pages *p, const char *const *virtual_)
{
	p->virtual_ = virtual_;
}

void pages_stats(const struct pages *p, struct page_stats *ret)
{
	*ret = p->stats;
	ret->open = table_count(p->table);
}

int pages_new(uint32_t max, struct keys *keys, const struct pages_sink *sink, struct pages **ret)
{
	struct pages *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	p->keys = keys;
	p->sink = *sink;
	for (unsigned s = 0; s < PAGE_STATES; s++)
		list_init(&p->states[s]);
	err = table_new(sizeof(struct page_view), sizeof(uint64_t), max, &p->table);
	if (!err)
		err = table_new(sizeof(struct loading), sizeof(uint64_t), max / 2 + 1, &p->loading);
	if (!err)
		err = table_new(sizeof(struct failure), 16, FAILURES, &p->failures);
	if (err) {
		pages_free(p);
		return err;
	}
	*ret = p;
	return 0;
}

void pages_free(struct pages *p)
{
	struct page_view *v;

	if (!p)
		return;
	while (p->table && (v = table_oldest(p->table))) {
		free(v->text);
		free(v->failed_host);
		table_remove(p->table, v);
	}
	table_free(p->table);
	table_free(p->loading);
	table_free(p->failures);
	free(p);
}
