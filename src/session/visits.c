/* SPDX-License-Identifier: Apache-2.0 */
/*
 * visits.c: visits that are open, and what is known of one by now, for who kept nothing of it but its
 * session.id. Visits are their visitors', in identity.c.
 */
#include "session/internal.h"

void visit_open(struct session *s, struct identity *who)
{
	who->visit.state = VISIT_OPEN;
	s->stats.open++;
}

void visit_close(struct session *s, struct identity *who)
{
	who->visit.state = VISIT_ENDED;
	s->stats.open--;
}

bool session_segment(struct session *s, const uint8_t session_id[KEY_BYTES], struct segment *ret)
{
	const struct identity *who = identities_by_visit(s->identities, session_id);

	if (!who || who->visit.state != VISIT_OPEN)
		return false;
	segment_tell(s->segments, &who->visit.segment, who->value == VALUE_CART, ret);
	return true;
}
