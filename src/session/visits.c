/* SPDX-License-Identifier: Apache-2.0 */
/*
 * visits.c: open visits by their session.id, so that who kept nothing else of a visit can ask what is known of
 * it by now. Entries point to the visitors of identity.c, who own their visits.
 */
#include "session/internal.h"

struct open_visit {
	uint8_t id[KEY_BYTES]; /* key of its table */
	struct identity *who;
};

void visit_open(struct session *s, struct identity *who)
{
	struct open_visit *o;
	bool fresh;

	who->visit.state = VISIT_OPEN;
	s->stats.open++;
	o = table_add(s->open, who->visit.id, &fresh);
	if (o)
		o->who = who;
}

void visit_close(struct session *s, const struct identity *who)
{
	struct open_visit *o = table_find(s->open, who->visit.id);

	s->stats.open--;
	if (o && o->who == who)
		table_remove(s->open, o);
}

bool session_segment(struct session *s, const uint8_t session_id[KEY_BYTES], struct segment *ret)
{
	const struct open_visit *o = table_find(s->open, session_id);

	if (!o)
		return false;
	segment_tell(s->segments, &o->who->visit.segment, o->who->value == VALUE_CART, ret);
	return true;
}

int visits_new(uint32_t most, struct table **ret)
{
	return table_new(sizeof(struct open_visit), KEY_BYTES, most, ret);
}
