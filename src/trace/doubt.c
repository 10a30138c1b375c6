/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doubt.c: see doubt.h. One table of processes in the order of their latest loss; most hosts never lose
 * anything, so it is empty and asking costs a comparison.
 */
#include "trace/doubt.h"

#include <errno.h>
#include <stdlib.h>

#include "base/table.h"

#define TICKS 2

struct doubted {
	uint32_t tgid; /* key */
	uint64_t until_ns;
};

struct doubt {
	struct table *processes;
	uint64_t until_ns;
	unsigned lasts; /* ticks */
};

int doubt_new(uint32_t processes, struct doubt **ret)
{
	struct doubt *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	err = table_new(sizeof(struct doubted), sizeof(uint32_t), processes, &d->processes);
	if (err) {
		free(d);
		return err;
	}
	*ret = d;
	return 0;
}

void doubt_free(struct doubt *d)
{
	if (!d)
		return;
	table_free(d->processes);
	free(d);
}

void doubt_all(struct doubt *d)
{
	d->lasts = TICKS;
}

static void raise(uint64_t *at, uint64_t ns)
{
	if (ns > *at)
		*at = ns;
}

void doubt_process(struct doubt *d, uint32_t tgid, uint64_t until_ns)
{
	struct doubted *p = NULL, *oldest;
	bool fresh;

	if (tgid)
		p = table_add(d->processes, &tgid, &fresh);
	oldest = table_oldest(d->processes);
	if (!p && tgid && oldest) {
		raise(&d->until_ns, oldest->until_ns);
		table_remove(d->processes, oldest);
		p = table_add(d->processes, &tgid, &fresh);
	}
	if (!p) {
		raise(&d->until_ns, until_ns);
		return;
	}
	raise(&p->until_ns, until_ns);
	table_touch(d->processes, p);
}

uint64_t doubt_until(const struct doubt *d, uint32_t tgid)
{
	const struct doubted *p;

	if (d->lasts)
		return UINT64_MAX;
	p = table_count(d->processes) ? table_find(d->processes, &tgid) : NULL;
	return p && p->until_ns > d->until_ns ? p->until_ns : d->until_ns;
}

void doubt_tick(struct doubt *d, uint64_t now_ns)
{
	if (d->lasts && !--d->lasts)
		raise(&d->until_ns, now_ns);
}
