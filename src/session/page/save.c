/* SPDX-License-Identifier: Apache-2.0 */
/*
 * save.c: the pages of a visitor ↔ octets of a checkpoint (session/checkpoint.c, which keeps every other
 * program and every other secret out). A page that is taken up goes on: what comes for it is found to be
 * its part, no page by rule begins twice, and how it loads is measured to its end.
 *
 * Since the checkpoint a page may have been told again, up to REVISIONS_AHEAD times in the 10 s to the next
 * one; so it goes on with a revision beyond these. What the URL of a page says is sealed under the site
 * secret. Times are written as they are, and moved by what lies between the two clocks.
 */
#include <string.h>

#include "session/page/page.h"
#include "txn/target/template.h"

#define REVISIONS_AHEAD 16
#define HOST_BYTES	sizeof(((struct failure *)0)->host)
#define TEXT_BYTES	(PAGE_PATH + TEMPLATE_BYTES + HOST_BYTES)

struct saved_page {
	struct page_view view; /* pointers within are NULL, lengths are those of the text */
	uint32_t host_len;
	bool loads; /* a struct loading follows, then the text */
};

/* Sealed or opened again. The same page has the same text whenever it is sealed, up to its host, which
 * comes last. */
static void seal(const struct pages *p, const struct page_view *v, char *text, size_t len)
{
	keys_seal(p->keys, slice_of(v->id, KEY_BYTES), text, len);
}

static int save_text(const struct pages *p, const struct page_view *v, uint32_t host_len, void *ctx,
		     int (*add)(void *ctx, struct slice piece))
{
	char text[TEXT_BYTES];
	size_t len = v->seen.path.len + v->seen.group.len;

	if (v->text)
		memcpy(text, v->text, len);
	if (host_len)
		memcpy(text + len, v->failed_host, host_len);
	seal(p, v, text, len + host_len);
	return add(ctx, slice_of(text, len + host_len));
}

static int save_page(const struct pages *p, const struct page_view *v, void *ctx,
		     int (*add)(void *ctx, struct slice piece))
{
	struct saved_page saved;
	int err;

	memset(&saved, 0, sizeof(saved)); /* padding too */
	saved.view = *v;
	saved.view.of_state = (struct list){ 0 };
	saved.view.next = NULL;
	saved.view.who = NULL;
	saved.view.loading = NULL;
	saved.view.text = saved.view.failed_host = NULL;
	saved.view.seen.id = NULL;
	saved.view.seen.path.at = saved.view.seen.group.at = saved.view.seen.failed_host.at = NULL;
	/* what has no name yet cannot be sealed */
	saved.host_len = v->failed_host && v->text ? (uint32_t)strlen(v->failed_host) : 0;
	saved.loads = v->loading;
	err = add(ctx, slice_of(&saved, sizeof(saved)));
	if (!err && v->loading)
		err = add(ctx, slice_of(v->loading, sizeof(*v->loading)));
	return err ? err : save_text(p, v, saved.host_len, ctx, add);
}

int pages_save(const struct pages *p, const struct identity *who, void *ctx,
	       int (*add)(void *ctx, struct slice piece))
{
	uint32_t count = 0;
	int err;

	for (const struct page_view *v = who->pages; v; v = v->next)
		count++;
	err = add(ctx, slice_of(&count, sizeof(count)));
	for (const struct page_view *v = who->pages; v && !err; v = v->next)
		err = save_page(p, v, ctx, add);
	return err;
}

uint32_t pages_layout(void)
{
	return (uint32_t)(sizeof(struct saved_page) << 16 | sizeof(struct loading));
}

/* ---- taking them up ---- */

static bool take(struct slice *rest, void *to, size_t len)
{
	if (rest->len < len)
		return false;
	memcpy(to, rest->at, len);
	*rest = slice_sub(*rest, len, rest->len);
	return true;
}

/* 0 is no time. */
static void move(uint64_t *at_ns, int64_t by_ns)
{
	if (*at_ns)
		*at_ns += (uint64_t)by_ns;
}

static void move_times(struct part_times *t, int64_t by_ns)
{
	move(&t->arrived_ns, by_ns);
	move(&t->read_ns, by_ns);
	move(&t->first_byte_ns, by_ns);
	move(&t->end_ns, by_ns);
}

static void move_stretches(struct stretches *s, int64_t by_ns)
{
	for (uint32_t i = 0; i < s->count; i++) {
		move(&s->at[i].from, by_ns);
		move(&s->at[i].to, by_ns);
	}
}

static void move_groups(struct part_group *g, uint32_t count, int64_t by_ns)
{
	for (uint32_t i = 0; i < count; i++) {
		move(&g[i].time.from, by_ns);
		move(&g[i].time.to, by_ns);
		move(&g[i].last_from, by_ns);
	}
}

static void move_loading(struct loading *l, int64_t by_ns)
{
	move_times(&l->document, by_ns);
	move_groups(l->burst.parts, l->burst.part_count, by_ns);
	move_groups(l->burst.calls, l->burst.call_count, by_ns);
	move_stretches(&l->burst.work, by_ns);
	move_stretches(&l->burst.wait, by_ns);
	for (unsigned i = 0; i < ASKED; i++) {
		move(&l->asked.at[i].from, by_ns);
		move(&l->asked.at[i].to, by_ns);
	}
}

static void move_view(struct page_view *v, int64_t by_ns)
{
	uint64_t *const times[] = { &v->first_ns,  &v->start_ns, &v->arrived_ns, &v->answered_ns,
				    &v->loaded_ns, &v->parts_ns, &v->life_ns,	 &v->maybe_ns };

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		move(times[i], by_ns);
	for (unsigned i = 0; i < PAGE_AIDS; i++) {
		move(&v->aids[i].start_ns, by_ns);
		move(&v->aids[i].end_ns, by_ns);
	}
}

static bool is_page(const struct saved_page *s, const struct loading *l)
{
	const struct page_seen *seen = &s->view.seen;

	return seen->path.len <= PAGE_PATH && seen->group.len <= TEMPLATE_BYTES &&
	       s->host_len < HOST_BYTES && seen->outcome <= PAGE_OUTCOME_UNOBSERVED &&
	       seen->apdex <= APDEX_FRUSTRATED && l->burst.part_count <= BURST_PARTS &&
	       l->burst.call_count <= BURST_CALLS && l->burst.work.count <= BURST_WORK &&
	       l->burst.wait.count <= BURST_WORK;
}

/* Without memory for its path it goes on without, as page_name says. */
static void restore_text(struct pages *p, struct page_view *v, const struct saved_page *s,
			 struct slice sealed)
{
	size_t path_len = s->view.seen.path.len, len = path_len + s->view.seen.group.len;
	char text[TEXT_BYTES];

	memcpy(text, sealed.at, sealed.len);
	seal(p, v, text, sealed.len);
	if (len)
		page_name(v, slice_of(text, path_len), slice_of(text + path_len, len - path_len));
	if (s->host_len)
		v->failed_host = strndup(text + len, s->host_len);
}

static void restore(struct pages *p, struct identity *who, const struct saved_page *s,
		    struct loading *l, struct slice sealed, int64_t by_ns)
{
	struct page_view as = s->view, *v;

	move_view(&as, by_ns);
	move_loading(l, by_ns);
	as.ended = false; /* as its visit was by our own end */
	as.seen.has &= ~(uint32_t)PAGE_HAS_STAY;
	as.seen.on_page_ns = 0;
	as.seen.path = as.seen.group = as.seen.failed_host = slice_of(NULL, 0);
	as.seen.revision += REVISIONS_AHEAD;
	v = page_take_up(p, who, &as, s->loads ? l : NULL);
	if (!v) {
		p->stats.lost += page_is_told(&as);
		return;
	}
	restore_text(p, v, s, sealed);
	p->stats.restored += page_is_told(v);
}

bool pages_load(struct pages *p, struct identity *who, struct slice *rest, uint64_t now_ns,
		int64_t by_ns)
{
	uint32_t count;

	if (!take(rest, &count, sizeof(count)))
		return false;
	if (p && (int64_t)(now_ns - p->now_ns) > 0)
		p->now_ns = now_ns;
	for (uint32_t i = 0; i < count; i++) {
		struct loading l = { 0 };
		struct saved_page s;
		size_t len;

		if (!take(rest, &s, sizeof(s)) || (s.loads && !take(rest, &l, sizeof(l))) ||
		    !is_page(&s, &l))
			return false;
		len = s.view.seen.path.len + s.view.seen.group.len + s.host_len;
		if (rest->len < len)
			return false;
		if (who)
			restore(p, who, &s, &l, slice_sub(*rest, 0, len), by_ns);
		*rest = slice_sub(*rest, len, rest->len);
	}
	return true;
}
