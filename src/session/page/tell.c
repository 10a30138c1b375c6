/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tell.c: what is known of a page view now, from its times. See page.h and share/definitions.md.
 */
#include "session/page/page.h"

/* Times of a page taken up after a reboot lie before the clock began. */
static int64_t time_since(uint64_t now_ns, uint64_t then_ns)
{
	return (int64_t)(now_ns - then_ns);
}

#define APDEX_T_NS 3000000000ull /* "satisfied" up to it, "tolerating" up to four times as long */

static void sum_up_burst(struct page_view *v)
{
	const struct burst *b = &v->loading->burst;
	struct page_seen *s = &v->seen;
	struct burst_end end;

	if (!v->loading->document.end_ns)
		return;
	end = burst_end(b, &v->loading->document);
	if (time_since(end.at_ns, v->first_ns) < 0)
		return;
	s->has |= PAGE_HAS_LIVED;
	s->lived_ns = end.at_ns - v->first_ns;
	s->estimated = end.estimated;
	s->server_ns = stretches_within(&b->work, NULL, v->first_ns, end.at_ns);
	s->wait_ns = stretches_within(&b->wait, &b->work, v->first_ns, end.at_ns);
	if (v->loading->document.arrived_ns)
		s->has |= PAGE_HAS_WAIT;
	s->network_ns = s->lived_ns - s->server_ns - s->wait_ns;
}

static bool is_error(const struct page_seen *s)
{
	return s->outcome == PAGE_FAILED || s->outcome == PAGE_SERVER_RESET ||
	       s->outcome == PAGE_TIMED_OUT;
}

static enum apdex apdex_of(const struct page_seen *s)
{
	if (is_error(s))
		return APDEX_FRUSTRATED;
	if (!(s->has & PAGE_HAS_LIVED))
		return APDEX_UNOBSERVED;
	if (s->lived_ns > 4 * APDEX_T_NS)
		return APDEX_FRUSTRATED;
	if (s->lived_ns > APDEX_T_NS)
		return APDEX_TOLERATING;
	/* who left early did not say how it would have been */
	return s->outcome == PAGE_COMPLETE ? APDEX_SATISFIED : APDEX_UNOBSERVED;
}

/* Until the next page of the visit; of the last one, until the last that was fetched for it later. */
static void sum_up_stay(struct page_view *v)
{
	const struct page_view *next = NULL;
	struct page_seen *s = &v->seen;
	bool later = v->maybe_ns && time_since(v->maybe_ns, v->life_ns) > 0;
	uint64_t life_ns = later ? v->maybe_ns : v->life_ns;

	for (const struct page_view *o = v->who->pages; o != v; o = o->next)
		if (page_is_told(o))
			next = o;
	if (next && time_since(next->first_ns, v->first_ns) >= 0)
		s->on_page_ns = next->first_ns - v->first_ns;
	else if (v->ended && s->has & PAGE_HAS_LIVED &&
		 time_since(life_ns, v->first_ns) > (int64_t)s->lived_ns)
		s->on_page_ns = life_ns - v->first_ns;
	else
		return;
	s->has |= PAGE_HAS_STAY;
}

void page_sum_up(struct page_view *v)
{
	struct page_seen *s = &v->seen;

	if (v->loading)
		sum_up_burst(v);
	if (v->answered_ns && time_since(v->answered_ns, v->first_ns) >= 0) {
		s->has |= PAGE_HAS_FIRST_BYTE;
		s->first_byte_ns = v->answered_ns - v->first_ns;
	}
	/* a request that waited in its socket may have come before the one that led to it was read */
	if (s->redirects && v->document)
		s->redirect_ns = time_since(v->arrived_ns, v->first_ns) > 0
					 ? v->arrived_ns - v->first_ns
					 : 0;
	s->failed_host = slice_str(v->failed_host);
	s->id = v->id;
	s->apdex = (uint8_t)apdex_of(s);
	sum_up_stay(v);
}
