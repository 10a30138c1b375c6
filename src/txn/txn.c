/* SPDX-License-Identifier: Apache-2.0 */
/*
 * txn.c: the life of the stage, and its memory. Transactions live in arenas from one pool, so in the
 * steady state nothing is allocated. At a limit the least valuable transaction is handed out as
 * unobserved (PC_WHY_BUFFER), the oldest of its kind first; when even that makes no room the new one
 * is refused. Both are counted, so opened = closed + open holds at any time.
 */
#include <errno.h>
#include <stdlib.h>

#include "txn/internal.h"

#define BLOCK_BYTES 2080 /* an ordinary transaction with its kept fields in one block */
#define EVICT_TRIES 16	 /* for one new transaction: a large one may need several blocks */

int txn_new(const struct txn_limits *limits, const struct txn_sink *sink, struct txn **ret)
{
	struct txn *x = calloc(1, sizeof(*x));
	int err = -ENOMEM;

	if (!x)
		return err;
	x->limits = *limits;
	x->sink = *sink;
	arena_pool_init(&x->pool, BLOCK_BYTES, limits->bytes);
	field_index_init(&x->fields);
	list_init(&x->waiting);
	list_init(&x->held);
	err = table_new(sizeof(struct txn_conn), sizeof(uint64_t), limits->open, &x->conns);
	if (err)
		goto fail;
	err = process_table_new(&limits->processes, &x->processes);
	if (err)
		goto fail;
	err = template_set_new(limits->templates, &x->templates);
	if (err)
		goto fail;
	err = attempts_new(x, &x->attempts);
	if (err)
		goto fail;
	err = bodies_new(limits->bodies ?: &body_limits_default, &x->bodies);
	if (err)
		goto fail;
	*ret = x;
	return 0;
fail:
	txn_free(x);
	return err;
}

void txn_free(struct txn *x)
{
	if (!x)
		return;
	for (unsigned v = 0; v < VALUES; v++)
		while (x->age[v].oldest)
			txn_remove(x, x->age[v].oldest);
	while (!list_empty(&x->held))
		txn_remove(x, list_entry(x->held.next, struct open_txn, waiting));
	bodies_free(x->bodies);
	arena_pool_done(&x->pool);
	template_set_free(x->templates);
	process_table_free(x->processes);
	attempts_free(x->attempts);
	table_free(x->conns);
	free(x);
}

void txn_attach(struct txn *x, struct stream *s)
{
	x->stream = s;
}

void txn_watch(struct txn *x, const struct txn_witness *witness)
{
	x->witness = *witness;
}

void txn_record(struct txn *x, const struct pc_head *rec)
{
	if (rec->kind == PC_CLOCK)
		x->wall_minus_mono_ns = ((const struct pc_clock *)rec)->wall_minus_mono_ns;
	else if (rec->kind == PC_LISTENER)
		attempt_listener(x, (const struct pc_listener *)rec);
	else if (rec->kind == PC_DNS)
		attempt_dns(x, (const struct pc_dns *)rec);
	else
		process_table_push(x->processes, rec);
	if (rec->kind == PC_EXIT)
		attempt_exit(x, (const struct pc_process *)rec);
}

void txn_lost(struct txn *x)
{
	attempt_lost(x);
}

void txn_tick(struct txn *x, uint64_t now_ns)
{
	sent_tick(x, now_ns);
	held_tick(x, now_ns);
	attempt_tick(x, now_ns);
	process_table_tick(x->processes, now_ns);
}

void txn_finish(struct txn *x)
{
	while (held_give(x))
		;
	attempt_finish(x);
}

int txn_keep(struct txn *x, const struct slice *names, uint32_t count)
{
	return field_index_keep(&x->fields, names, count);
}

void txn_stats(const struct txn *x, struct txn_stats *ret)
{
	*ret = x->stats;
	ret->bytes = x->pool.used_bytes;
	attempt_stats(x, ret);
}

int64_t txn_wall_minus_mono_ns(const struct txn *x)
{
	return x->wall_minus_mono_ns;
}

/* ---- lists ---- */

static void age_unlink(struct txn *x, struct open_txn *o)
{
	struct age_list *l = &x->age[o->value];

	*(o->older ? &o->older->newer : &l->oldest) = o->newer;
	*(o->newer ? &o->newer->older : &l->newest) = o->older;
}

static void age_append(struct txn *x, struct open_txn *o)
{
	struct age_list *l = &x->age[o->value];

	o->older = l->newest;
	o->newer = NULL;
	*(l->newest ? &l->newest->newer : &l->oldest) = o;
	l->newest = o;
}

void txn_set_value(struct txn *x, struct open_txn *o, unsigned value)
{
	if (o->value == value)
		return;
	age_unlink(x, o);
	o->value = value;
	age_append(x, o);
}

static void conn_append(struct txn_conn *conn, struct open_txn *o)
{
	*(conn->last ? &conn->last->next : &conn->first) = o;
	conn->last = o;
}

static void conn_unlink(struct txn_conn *conn, struct open_txn *o)
{
	struct open_txn *before = NULL;

	/* Nearly always the first. */
	for (struct open_txn *at = conn->first; at != o; at = at->next)
		before = at;
	*(before ? &before->next : &conn->first) = o->next;
	if (conn->last == o)
		conn->last = before;
	if (conn->request == o)
		conn->request = NULL;
	if (conn->response == o)
		conn->response = NULL;
	if (conn->tunnel == o)
		conn->tunnel = NULL;
}

void txn_detach(struct txn *x, struct open_txn *o)
{
	conn_unlink(o->conn, o);
	age_unlink(x, o);
	o->conn = NULL;
}

void txn_remove(struct txn *x, struct open_txn *o)
{
	struct arena arena = o->arena; /* o lies in it */

	attempt_release(x, o);
	if (has_content(o))
		reading_release(o);
	list_remove(&o->waiting);
	if (o->conn)
		txn_detach(x, o);
	x->stats.open--;
	arena_clear(&arena);
}

/* ---- making room ---- */

static void give_up(struct message_state *s)
{
	if (s->done)
		return;
	s->done = true;
	s->outcome = MESSAGE_UNOBSERVED;
	s->why = PC_WHY_BUFFER;
	s->size_known = false;
}

void txn_give_up(struct open_txn *o)
{
	give_up(&o->request);
	give_up(&o->response);
}

bool txn_evict(struct txn *x, const struct open_txn *keep)
{
	/* All of it was seen, and when it was acknowledged; only which call it answers is given away. */
	if (held_give(x)) {
		x->stats.evicted++;
		return true;
	}
	/* Only when it was acknowledged is given away. */
	if (!list_empty(&x->waiting)) {
		x->stats.evicted++;
		finish(x, list_entry(x->waiting.next, struct open_txn, waiting));
		return true;
	}
	for (unsigned v = 0; v < VALUES; v++) {
		struct open_txn *o = x->age[v].oldest;

		if (o == keep && o)
			o = o->newer;
		if (!o)
			continue;
		txn_give_up(o);
		x->stats.evicted++;
		finish(x, o);
		return true;
	}
	return false;
}

void txn_refuse(struct txn *x)
{
	x->stats.opened++;
	x->stats.refused++;
	x->stats.closed[OUTCOME_UNOBSERVED]++;
	x->stats.unobserved_why[PC_WHY_BUFFER]++;
}

struct open_txn *txn_add(struct txn *x, struct txn_conn *conn, uint64_t number)
{
	struct open_txn *o = NULL;
	struct arena arena;

	arena_init(&arena, &x->pool);
	for (unsigned i = 0; i < EVICT_TRIES; i++) {
		if (x->stats.open < x->limits.open)
			o = arena_alloc(&arena, sizeof(*o));
		if (o || !txn_evict(x, NULL))
			break;
	}
	if (!o) {
		txn_refuse(x);
		return NULL;
	}
	memset(o, 0, sizeof(*o));
	o->arena = arena;
	o->conn = conn;
	o->number = number;
	o->value = VALUE_HALF;
	list_init(&o->waiting);
	conn_append(conn, o);
	age_append(x, o);
	x->stats.opened++;
	x->stats.open++;
	return o;
}
