/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role.c: what a transaction is by itself, before it is known of which page: its role, from what who.h
 * says of it, and its times. Stateless.
 */
#include "session/page/placing.h"

static enum role role_of_navigation(const struct request *r)
{
	uint32_t flags = r->page.flags;

	if (flags & (PAGE_HEAD | PAGE_EMPTY))
		return ROLE_NONE;
	if (flags & PAGE_PREFETCH)
		return flags & PAGE_NO_ANSWER ? ROLE_NONE : ROLE_PREFETCH;
	if (flags & PAGE_REDIRECT)
		return ROLE_REDIRECT;
	/* who gives up before the answer saw no page; who was never answered saw the browser's own */
	if (flags & PAGE_NO_ANSWER && r->t->outcome != OUTCOME_SERVER_RESET &&
	    r->t->outcome != OUTCOME_TIMEOUT)
		return ROLE_NONE;
	return ROLE_DOCUMENT;
}

enum role role_of(const struct request *r)
{
	switch (r->page.kind) {
	case PAGE_NAVIGATION:
		return role_of_navigation(r);
	case PAGE_FRAME:
	case PAGE_STYLE:
	case PAGE_SCRIPT:
	case PAGE_IMAGE:
	case PAGE_FONT:
	case PAGE_RESOURCE:
		if (r->page.evidence == EVIDENCE_WELL_KNOWN)
			return ROLE_NONE;
		return r->page.flags & (PAGE_PREFETCH | PAGE_WORKER) ? ROLE_ASIDE : ROLE_PART;
	case PAGE_CALL:
		return ROLE_CALL;
	case PAGE_MEDIA: /* the load event does not wait for all of a film */
	case PAGE_BEACON:
	case PAGE_EVENT_STREAM:
	case PAGE_WEBSOCKET:
		return ROLE_ASIDE;
	case PAGE_UNOBSERVED:
		return r->page.flags & PAGE_REFERRED ? ROLE_ASIDE : ROLE_NONE;
	default:
		return ROLE_NONE;
	}
}

/* ---- times ---- */

static uint64_t round_trip(const struct transaction *t)
{
	uint64_t smooth = t->srtt_us * 1000ull;

	/* the smoothed one counts the pauses of delayed acknowledgements */
	return t->connect_ns && (!smooth || t->connect_ns < smooth) ? t->connect_ns : smooth;
}

void placing_times(struct placing *x)
{
	const struct transaction *t = x->t;
	struct part_times *to = &x->times;

	x->rtt_ns = round_trip(t);
	*to = (struct part_times){ .read_ns = t->start_ns };
	if (!(t->unobserved & UNOBSERVED_WAIT))
		to->arrived_ns = t->start_ns - t->wait_ns;
	if (!(t->unobserved & UNOBSERVED_FIRST_BYTE))
		to->first_byte_ns = t->start_ns + t->first_byte_ns;
	if (t->acknowledged_ns) {
		to->end_ns = t->start_ns + t->acknowledged_ns;
		return;
	}
	to->estimated = true;
	if (t->acknowledged_at_most_ns)
		to->end_ns = t->start_ns + t->acknowledged_at_most_ns;
	else if (!(t->unobserved & UNOBSERVED_END))
		to->end_ns = t->start_ns + t->duration_ns + x->rtt_ns;
}

uint64_t placing_arrival(const struct part_times *t)
{
	return t->arrived_ns ? t->arrived_ns : t->read_ns;
}

/* The first packet that we know of: the SYN where the connection was made for this request. Browsers
 * also make some ahead; these wait for their first request for longer than a TLS handshake. */
uint64_t placing_first_packet(const struct placing *x)
{
	const struct transaction *t = x->t;
	uint64_t came = placing_arrival(&x->times);
	uint64_t patience = 3 * t->connect_ns + 100000000;

	if (t->ordinal || !t->established_ns || !t->connect_ns || came < t->established_ns ||
	    came - t->established_ns > patience)
		return came;
	return t->established_ns - t->connect_ns;
}

bool placing_is_left(const struct transaction *t)
{
	/* all was written before the reset came: what the client's TCP had of it tells */
	bool taken = t->acknowledged_ns || t->acknowledged_at_most_ns;

	return t->outcome == OUTCOME_CLIENT_GONE || (t->reset_in && !taken);
}
