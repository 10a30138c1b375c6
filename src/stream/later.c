/* SPDX-License-Identifier: Apache-2.0 */
/*
 * later.c: what is told of a connection after its bytes: acknowledged, sent again, still there. The
 * records of bytes are the business of direction.c, those of a connection's end of link.c.
 */
#include <sys/socket.h>

#include "stream/link.h"

/* A descriptor that is on its way in a message is in no table, but not for so long. */
#define LOOKS_MISSED 2

static void tell_sent(struct stream *s, struct link *l, const struct sent *sent)
{
	if (l->ignored || l->closed || !s->sink.sent)
		return;
	s->inside++;
	s->sink.sent(s->sink.ctx, &l->c, sent);
	s->inside--;
}

void later_sent(struct stream *s, const struct pc_sent *rec)
{
	struct link *l = link_find(s, rec->conn);
	struct sent sent = { .pos = rec->pos,
			     .time_ns = rec->head.time_ns,
			     .again = rec->head.kind == PC_RESENT ? rec->segments : 0,
			     .at_most = rec->head.flags & PC_F_AT_MOST };

	if (!l)
		return;
	if (rec->retrans > l->c.retrans)
		l->c.retrans = rec->retrans;
	tell_sent(s, l, &sent);
}

/* At its close TCP tells how much was acknowledged, not when. */
void later_closed(struct stream *s, struct link *l, const struct pc_close *rec)
{
	struct sent sent = { .pos = rec->acked, .time_ns = rec->head.time_ns, .at_most = true };

	if (!rec->acked)
		return;
	l->c.acked_pos = rec->acked;
	l->c.closed_ns = rec->head.time_ns;
	tell_sent(s, l, &sent);
}

void later_alive(struct stream *s, const struct pc_alive *rec)
{
	struct link *l = link_find(s, rec->conn);

	if (!l)
		return;
	l->alive_ns = rec->head.time_ns;
	l->missed = 0;
}

/* A look has ended. Who moved bytes or was opened after it began need not have been found. */
void later_looked(struct stream *s, const struct pc_alive *rec)
{
	struct link *l = table_oldest(s->links);

	while (l) {
		struct link *next = table_newer(s->links, l);

		if (l->c.family != AF_UNIX || l->alive_ns >= rec->since_ns ||
		    l->touched_ns >= rec->since_ns)
			l->missed = 0;
		else if (++l->missed >= LOOKS_MISSED)
			link_finish(s, l, STREAM_CLOSE_GONE);
		l = next;
	}
}
