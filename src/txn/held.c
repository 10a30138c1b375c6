/* SPDX-License-Identifier: Apache-2.0 */
/*
 * held.c: transactions that are over but come too early for the next stage: what it will ask about them is
 * still on its way (txn_sink.early). Each is whole and stands apart from its connection, which may end
 * meanwhile. It is handed out as soon as the answer is there, and after limits.hold_ns of the traffic's clock
 * in any case.
 */
#include "txn/internal.h"

bool held_take(struct txn *x, struct open_txn *o)
{
	if (!x->sink.early || !x->sink.early(x->sink.ctx, &o->t))
		return false;
	txn_detach(x, o);
	/* the latest tick may be an older one */
	o->held_ns = x->now_ns > o->t.response.last_ns ? x->now_ns : o->t.response.last_ns;
	list_append(&x->held, &o->waiting);
	x->stats.held++;
	return true;
}

void held_tick(struct txn *x, uint64_t now_ns)
{
	struct list *next;

	x->now_ns = now_ns;
	for (struct list *n = x->held.next; n != &x->held; n = next) {
		struct open_txn *o = list_entry(n, struct open_txn, waiting);

		next = n->next;
		if (now_ns >= o->held_ns + x->limits.hold_ns || !x->sink.early(x->sink.ctx, &o->t))
			hand_out(x, o);
	}
}

bool held_give(struct txn *x)
{
	if (list_empty(&x->held))
		return false;
	hand_out(x, list_entry(x->held.next, struct open_txn, waiting));
	return true;
}
