/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls.c: see calls.h. One table in order of use: ended ones stand in the order of their ends. One that
 * lasts is moved to the new end when the tick meets it, so it hides no ended one for long.
 */
#include "trace/calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"

#define DEPTH	   16 /* calls above a call: more is a ring that somebody forged by equal numbers */
#define TICK_LASTS 64 /* that last, moved in one tick */

struct calls {
	struct table *table;
	uint64_t evicted;
};

int calls_new(uint32_t limit, struct calls **ret)
{
	struct calls *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	err = table_new(sizeof(struct call), sizeof(((struct call *)0)->span_id), limit, &c->table);
	if (err) {
		free(c);
		return err;
	}
	*ret = c;
	return 0;
}

void calls_free(struct calls *c)
{
	if (!c)
		return;
	table_free(c->table);
	free(c);
}

struct call *calls_add(struct calls *c, const uint8_t span_id[8])
{
	struct call *call;
	bool fresh;

	call = table_add(c->table, span_id, &fresh);
	if (!call && table_oldest(c->table)) {
		table_remove(c->table, table_oldest(c->table));
		c->evicted++;
		call = table_add(c->table, span_id, &fresh);
	}
	if (call)
		table_touch(c->table, call);
	return call;
}

struct call *calls_find(struct calls *c, const uint8_t span_id[8])
{
	return table_count(c->table) ? table_find(c->table, span_id) : NULL;
}

const uint8_t *calls_trace(struct calls *c, struct call *call)
{
	struct call *top = call, *above;

	for (unsigned i = 0; i < DEPTH && !top->settled; i++) {
		above = calls_find(c, top->above);
		if (!above)
			break;
		top = above;
	}
	for (struct call *at = call; at != top; at = above) {
		above = calls_find(c, at->above);
		memcpy(at->trace_id, top->trace_id, sizeof(at->trace_id));
		at->settled = true;
	}
	top->settled = true;
	return call->trace_id;
}

void calls_end(struct calls *c, struct call *call, uint64_t now_ns)
{
	call->ended_ns = now_ns;
	table_touch(c->table, call);
}

void calls_tick(struct calls *c, uint64_t now_ns)
{
	struct call *call;

	for (unsigned lasts = 0; lasts < TICK_LASTS && (call = table_oldest(c->table));) {
		if (!call->ended_ns) {
			table_touch(c->table, call);
			lasts++;
			continue;
		}
		if (call->ended_ns + LINK_GRACE_NS > now_ns)
			return;
		table_remove(c->table, call);
	}
}

uint64_t calls_evicted(const struct calls *c)
{
	return c->evicted;
}
