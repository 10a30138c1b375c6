/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failed.c: calls that servers made to other services and that failed, kept by trace until the request that
 * they were made for is placed on its page (place.c). Bounded; what finds no room is counted.
 */
#include "session/page/page.h"

void pages_failed(struct pages *p, const uint8_t trace_id[16], uint64_t seen_ns, struct slice host)
{
	struct failure *f;
	bool fresh;

	f = table_add(p->failures, trace_id, &fresh);
	if (!f) {
		p->stats.failures_lost++;
		return;
	}
	f->seen_ns = seen_ns;
	f->count++;
	table_touch(p->failures, f);
	if (fresh && host.len)
		memcpy(f->host, host.at,
		       host.len < sizeof(f->host) ? host.len : sizeof(f->host) - 1);
}

/* Of a service that a server of this host asked. What a proxy passes on is the page's own request. */
static bool is_failure(const struct transaction *t)
{
	if (t->hop)
		return false;
	return t->status >= 500 || t->outcome == OUTCOME_SERVER_RESET ||
	       t->outcome == OUTCOME_TIMEOUT;
}

void pages_called(struct pages *p, const struct transaction *t)
{
	if (is_failure(t))
		pages_failed(p, t->trace_id, t->start_ns, t->server_name);
}
