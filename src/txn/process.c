/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.c: see process.h. A forked child takes over what its parent was called, and as long as it
 * has not called exec it also gets the warden's answer about the parent when that comes later: a
 * prefork worker is asked for once. A process that ended stays for keep_ns, in a list by time of
 * death; at the limit the longest dead goes first, then who was not asked for the longest.
 */
#include "txn/process.h"

#include <errno.h>
#include <stdlib.h>

#include "base/table.h"

struct entry {
	struct process p; /* first: the table's key is p.tgid */
	uint32_t images;  /* how often it called exec, as far as we saw */
	bool inherited;	  /* names are the parent's, since no exec */
	uint64_t parent_start_ns;
	uint32_t parent_images;
	struct entry *dead_older, *dead_newer;
};

struct process_table {
	struct process_limits limits;
	struct table *table;
	struct entry *dead_oldest, *dead_newest;
};

int process_table_new(const struct process_limits *limits, struct process_table **ret)
{
	struct process_table *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->limits = *limits;
	err = table_new(sizeof(struct entry), sizeof(uint32_t), limits->processes, &t->table);
	if (err) {
		free(t);
		return err;
	}
	*ret = t;
	return 0;
}

void process_table_free(struct process_table *t)
{
	if (!t)
		return;
	table_free(t->table);
	free(t);
}

static void dead_unlink(struct process_table *t, struct entry *e)
{
	if (!e->p.gone)
		return;
	*(e->dead_older ? &e->dead_older->dead_newer : &t->dead_oldest) = e->dead_newer;
	*(e->dead_newer ? &e->dead_newer->dead_older : &t->dead_newest) = e->dead_older;
	e->dead_older = e->dead_newer = NULL;
	e->p.gone = false;
	e->p.gone_ns = 0;
}

static void dead_append(struct process_table *t, struct entry *e, uint64_t now_ns)
{
	e->p.gone = true;
	e->p.gone_ns = now_ns;
	e->dead_older = t->dead_newest;
	*(t->dead_newest ? &t->dead_newest->dead_newer : &t->dead_oldest) = e;
	t->dead_newest = e;
}

static void drop(struct process_table *t, struct entry *e)
{
	dead_unlink(t, e);
	table_remove(t->table, e);
}

static struct entry *entry_add(struct process_table *t, uint32_t tgid)
{
	struct entry *e = table_find(t->table, &tgid);
	bool fresh;

	if (!e && table_count(t->table) >= t->limits.processes) {
		struct entry *victim = t->dead_oldest ? t->dead_oldest : table_oldest(t->table);

		if (victim)
			drop(t, victim);
	}
	if (!e)
		e = table_add(t->table, &tgid, &fresh);
	if (e)
		table_touch(t->table, e);
	return e;
}

/* The number is used again: nothing of the former owner may stay. */
static void entry_reset(struct process_table *t, struct entry *e)
{
	uint32_t tgid = e->p.tgid;

	dead_unlink(t, e);
	memset(e, 0, sizeof(*e));
	e->p.tgid = tgid;
}

/* Of a field of a record: may lack its NUL when the record comes from a file. */
static void copy_text(char *to, size_t room, const char *from, size_t len)
{
	size_t n = strnlen(from, len);

	if (n >= room)
		n = room - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}

static void copy_names(struct process *to, const struct process *from)
{
	memcpy(to->comm, from->comm, sizeof(to->comm));
	memcpy(to->exe, from->exe, sizeof(to->exe));
	memcpy(to->service, from->service, sizeof(to->service));
	memcpy(to->container, from->container, sizeof(to->container));
	memcpy(to->unit, from->unit, sizeof(to->unit));
	to->who = from->who;
}

static void on_fork(struct process_table *t, const struct pc_process *r)
{
	struct entry *e = entry_add(t, r->tgid), *parent;

	if (!e)
		return;
	entry_reset(t, e);
	e->p.parent = r->parent;
	e->p.uid = r->uid;
	e->p.start_ns = r->start_ns;
	e->p.cgroup = r->cgroup;
	parent = table_find(t->table, &r->parent);
	if (parent && parent != e) {
		copy_names(&e->p, &parent->p);
		e->inherited = true;
		e->parent_start_ns = parent->p.start_ns;
		e->parent_images = parent->images;
	}
	if (!e->p.comm[0])
		copy_text(e->p.comm, sizeof(e->p.comm), r->comm, sizeof(r->comm));
}

/* Does a record with this start time speak of the process that we have under its number? */
static bool is_same(const struct entry *e, uint64_t start_ns)
{
	return !e->p.start_ns || !start_ns || e->p.start_ns == start_ns;
}

static void on_exec(struct process_table *t, const struct pc_process *r)
{
	struct entry *e = entry_add(t, r->tgid);
	uint32_t parent, images;

	if (!e)
		return;
	parent = is_same(e, r->start_ns) && e->p.parent ? e->p.parent : r->parent;
	images = e->images + 1;
	entry_reset(t, e);
	e->images = images;
	e->p.parent = parent;
	e->p.uid = r->uid;
	e->p.start_ns = r->start_ns;
	e->p.cgroup = r->cgroup;
	copy_text(e->p.comm, sizeof(e->p.comm), r->comm, sizeof(r->comm));
	copy_text(e->p.exe, sizeof(e->p.exe), r->file, sizeof(r->file));
}

static void on_exit_(struct process_table *t, const struct pc_process *r)
{
	struct entry *e = table_find(t->table, &r->tgid);

	if (e && !e->p.gone && is_same(e, r->start_ns))
		dead_append(t, e, r->head.time_ns);
}

static void on_who(struct process_table *t, const struct pc_who *r)
{
	struct entry *e = entry_add(t, r->tgid);
	struct process *p;

	if (!e || !is_same(e, r->start_ns))
		return; /* the answer came too late: another process has the number now */
	p = &e->p;
	p->who = true;
	e->inherited = false;
	p->uid = r->uid;
	if (r->start_ns)
		p->start_ns = r->start_ns;
	if (r->comm[0])
		copy_text(p->comm, sizeof(p->comm), r->comm, sizeof(r->comm));
	if (r->exe[0])
		copy_text(p->exe, sizeof(p->exe), r->exe, sizeof(r->exe));
	copy_text(p->service, sizeof(p->service), r->service, sizeof(r->service));
	copy_text(p->container, sizeof(p->container), r->container, sizeof(r->container));
	copy_text(p->unit, sizeof(p->unit), r->unit, sizeof(r->unit));
}

void process_table_push(struct process_table *t, const struct pc_head *rec)
{
	switch (rec->kind) {
	case PC_FORK:
		on_fork(t, (const struct pc_process *)rec);
		break;
	case PC_EXEC:
		on_exec(t, (const struct pc_process *)rec);
		break;
	case PC_EXIT:
		on_exit_(t, (const struct pc_process *)rec);
		break;
	case PC_WHO:
		on_who(t, (const struct pc_who *)rec);
		break;
	}
}

struct process *process_find(struct process_table *t, uint32_t tgid)
{
	struct entry *e = table_find(t->table, &tgid), *parent;

	if (!e)
		return NULL;
	table_touch(t->table, e);
	if (!e->inherited || e->p.who)
		return &e->p;
	parent = table_find(t->table, &e->p.parent);
	if (parent && parent->p.who && parent->images == e->parent_images &&
	    is_same(parent, e->parent_start_ns))
		copy_names(&e->p, &parent->p);
	return &e->p;
}

void process_table_tick(struct process_table *t, uint64_t now_ns)
{
	while (t->dead_oldest && t->dead_oldest->p.gone_ns + t->limits.keep_ns <= now_ns)
		drop(t, t->dead_oldest);
}
