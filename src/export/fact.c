/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fact.c: see fact.h. Loop thread.
 */
#include "export/fact.h"

#include <errno.h>

#define SCRATCH_BYTES                                                                              \
	(16u << 10) /* a path of PAGE_PATH octets and its group, each grown by marks */

void fact_view_init(struct fact_view *v)
{
	memset(v, 0, sizeof(*v));
	buf_init(&v->scratch, SCRATCH_BYTES);
}

void fact_view_done(struct fact_view *v)
{
	buf_done(&v->scratch);
}

/* Where in the scratch it stands: the scratch may move while it grows. */
struct span {
	size_t from, to;
	bool used;
};

static struct span strip(struct fact_view *v, struct slice path)
{
	struct span s = { v->scratch.len, 0, privacy_path_speaks(path) };

	if (s.used)
		privacy_path(path, &v->scratch);
	s.to = v->scratch.len;
	return s;
}

static struct slice stripped(const struct fact_view *v, struct span s, struct slice path)
{
	return s.used ? slice_sub(buf_slice(&v->scratch), s.from, s.to) : path;
}

static int make_page(struct fact_view *v, const struct privacy_rules *rules)
{
	struct span path, group;

	v->page = *v->fact.page;
	v->fact.page = &v->page;
	if (rules->mode == PRIVACY_NONE)
		return 0;
	buf_clear(&v->scratch);
	path = strip(v, v->page.path);
	group = strip(v, v->page.group);
	if (v->scratch.failed) {
		v->scratch.failed = false;
		return -ENOMEM;
	}
	v->page.path = stripped(v, path, v->page.path);
	v->page.group = stripped(v, group, v->page.group);
	if (privacy_host(v->page.failed_host, rules->peer_address, v->host))
		v->page.failed_host = slice_str(v->host);
	return 0;
}

/* A campaign's words are for everybody, but a link may have been made for one person. */
static struct slice word(struct slice value)
{
	return privacy_is_secret(value) ? SLICE("REDACTED") : value;
}

/* Its source may be a host. */
static void make_touch(struct segment_touch *t, const struct privacy_rules *rules,
		       char ret_text[PRIVACY_HOST])
{
	if (privacy_host(t->source, rules->peer_address, ret_text))
		t->source = slice_str(ret_text);
	else
		t->source = word(t->source);
	t->medium = word(t->medium);
	t->campaign = word(t->campaign);
}

/* What class a customer is of is his own affair in `audience`; staff and tests are no customers. */
void fact_segment(struct segment *s, const struct privacy_rules *rules,
		  char source[2][PRIVACY_HOST])
{
	if (rules->mode == PRIVACY_NONE)
		return;
	make_touch(&s->first, rules, source[0]);
	make_touch(&s->last, rules, source[1]);
	if (rules->mode == PRIVACY_AUDIENCE && s->customer && strcmp(s->customer, "staff") &&
	    strcmp(s->customer, "test"))
		s->customer = NULL;
}

int fact_view_make(struct fact_view *v, const struct privacy_rules *rules,
		   const struct session_fact *f)
{
	v->fact = *f;
	v->fact.site = privacy_site(f->site, rules, v->site);
	fact_segment(&v->fact.segment, rules, v->source);
	return f->kind == FACT_PAGE ? make_page(v, rules) : 0;
}

static const char *lived_name(const struct page_seen *p)
{
	return p->to_proxy ? "lived_to_proxy_ns" : "lived_ns";
}

static const char *network_name(const struct page_seen *p)
{
	return p->to_proxy ? "network_to_proxy_ns" : "network_ns";
}

unsigned page_missing(const struct page_seen *p, const char *ret[PAGE_NAMES])
{
	unsigned n = 0;

	if (!(p->has & PAGE_HAS_LIVED)) {
		ret[n++] = lived_name(p);
		ret[n++] = "server_ns";
		ret[n++] = network_name(p);
	}
	if (!(p->has & PAGE_HAS_WAIT))
		ret[n++] = "wait_ns";
	if (!(p->has & PAGE_HAS_FIRST_BYTE))
		ret[n++] = "time_to_first_byte_ns";
	if (!(p->has & PAGE_HAS_STAY))
		ret[n++] = "time_on_page_ns";
	return n;
}

unsigned page_estimated(const struct page_seen *p, const char *ret[PAGE_NAMES])
{
	if (!p->estimated || !(p->has & PAGE_HAS_LIVED))
		return 0;
	ret[0] = lived_name(p);
	ret[1] = network_name(p);
	return 2;
}
