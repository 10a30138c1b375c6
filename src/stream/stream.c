/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.c: the verbs of the stage. Finds the connection of each record and lets direction.c and
 * link.c do the work; afterwards, when no callback runs, settles what the sink asked for.
 *
 * The ordinary DATA record costs one look-up and touches one connection: being most recently used
 * is noted once a second only, since it would touch the neighbours in that order.
 */
#include "stream/link.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#define TOUCH_NS   1000000000ull
#define SETTLE_MAX 4096 /* links looked at after one push; the rest after the next */
#define IDLE_LOOKS 8	/* a term of limits.idle_ns */

int stream_new(const struct stream_limits *limits, const struct stream_sink *sink,
	       struct stream **ret)
{
	struct stream *s;
	int err;

	if (!sink->open || !sink->range || !sink->end || !sink->close || !limits->buffer_bytes ||
	    !limits->pending)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->limits = *limits;
	s->sink = *sink;
	s->deadline_ns = UINT64_MAX;
	s->idle_ns = limits->idle_ns ? 0 : UINT64_MAX;
	list_init(&s->waiting);
	list_init(&s->later);
	list_init(&s->holds);
	list_init(&s->spare);
	err = table_new(sizeof(struct link), sizeof(uint64_t), limits->connections, &s->links);
	if (err) {
		free(s);
		return err;
	}
	*ret = s;
	return 0;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	for (struct link *l = table_oldest(s->links); l; l = table_newer(s->links, l)) {
		direction_drop(s, &l->dir[PC_RX]);
		direction_drop(s, &l->dir[PC_TX]);
	}
	while (!list_empty(&s->spare)) {
		struct hold *h = list_entry(s->spare.next, struct hold, by_age);

		list_remove(&h->by_age);
		hold_free(h);
	}
	table_free(s->links);
	free(s);
}

/* Links that asked for something during callbacks. */
static void settle(struct stream *s)
{
	for (int n = 0; n < SETTLE_MAX && !list_empty(&s->later); n++) {
		struct link *l = list_entry(s->later.next, struct link, later);
		uint8_t kick = l->kick;

		list_remove(&l->later);
		l->kick = 0;
		for (int d = PC_RX; d <= PC_TX; d++)
			if (kick >> d & 1)
				hand_kept(s, l, d, false);
		link_check(s, l);
	}
}

static void look_for_idle(struct stream *s)
{
	struct link *l = table_oldest(s->links);

	s->idle_ns = add_ns(s->tick_ns, s->limits.idle_ns / IDLE_LOOKS);
	while (l && s->tick_ns >= add_ns(l->touched_ns, s->limits.idle_ns)) {
		struct link *next = table_newer(s->links, l);

		if (l->c.family == AF_UNIX || !l->c.opened)
			link_finish(s, l, STREAM_CLOSE_IDLE);
		l = next;
	}
}

/* What time alone brings about. */
static void expire(struct stream *s)
{
	struct list due, *node;

	if (s->tick_ns >= s->deadline_ns) {
		/* Taken over as a whole: link_check puts back what still waits. */
		list_init(&due);
		while (!list_empty(&s->waiting)) {
			node = s->waiting.next;
			list_remove(node);
			list_append(&due, node);
		}
		s->deadline_ns = UINT64_MAX;
		while (!list_empty(&due)) {
			node = due.next;
			list_remove(node);
			link_expire(s, list_entry(node, struct link, waiting));
		}
	}
	if (s->tick_ns >= s->idle_ns)
		look_for_idle(s);
}

static void leave(struct stream *s)
{
	if (s->tick_ns >= s->deadline_ns || s->tick_ns >= s->idle_ns)
		expire(s);
	if (!list_empty(&s->later))
		settle(s);
	s->inside--;
}

static void tell_directive(struct stream *s, const struct link *l)
{
	struct pc_directive directive = { .conn = l->c.id };

	if (!s->sink.direct)
		return;
	for (int d = PC_RX; d <= PC_TX; d++) {
		directive.until[d] = l->ignored ? PC_NEVER : l->dir[d].until;
		directive.budget[d] = l->ignored ? 0 : l->dir[d].budget;
	}
	s->sink.direct(s->sink.ctx, &directive);
}

/* A new link and its sink's state. */
static struct link *open_link(struct stream *s, uint64_t id, const struct pc_open *rec)
{
	struct link *l = link_make(s, id);

	if (!l) {
		s->stats.refused++;
		return NULL;
	}
	if (rec)
		link_open(s, l, rec);
	s->sink.open(s->sink.ctx, &l->c);
	return l;
}

static void push_data(struct stream *s, const struct pc_data *rec)
{
	struct link *l = link_find(s, rec->conn);

	if (!l && link_was_there(s, rec->conn)) {
		s->stats.late_bytes += rec->len;
		return;
	}
	if (!l)
		l = open_link(s, rec->conn, NULL);
	if (!l)
		return;
	if (s->now_ns - l->touched_ns >= TOUCH_NS) {
		l->touched_ns = s->now_ns;
		table_touch(s->links, l);
	}
	if (rec->srtt_us)
		l->c.srtt_us = rec->srtt_us;
	if (rec->retrans > l->c.retrans)
		l->c.retrans = rec->retrans;
	if (!l->c.tgid)
		l->c.tgid = rec->tgid;
	if (l->ignored) {
		/* Another connection has taken its slot before the kernel looked. */
		s->stats.ignored_bytes += rec->len;
		tell_directive(s, l);
		return;
	}
	direction_data(s, l, rec);
	if (l->odd)
		link_check(s, l);
}

static void push_open(struct stream *s, const struct pc_open *rec)
{
	struct link *l = link_find(s, rec->conn);

	if (!l)
		l = open_link(s, rec->conn, rec);
	else
		link_open(s, l, rec);
	if (l)
		link_check(s, l);
}

static void push_control(struct stream *s, const struct pc_head *rec)
{
	/* END, CLOSE and GONE hold the connection at the same place. */
	const struct pc_end *end = (const struct pc_end *)rec;
	struct link *l = link_find(s, end->conn);

	if (!l) /* closed already, or none of its bytes was ever seen */
		return;
	if (rec->kind == PC_END)
		link_end(s, l, end);
	else
		link_close(s, l, (const struct pc_close *)rec);
	link_check(s, l);
}

void stream_push(struct stream *s, const struct pc_head *rec)
{
	if (!record_ok(rec)) {
		s->stats.malformed++;
		return;
	}
	s->stats.records[rec->kind]++;
	if (rec->time_ns > s->now_ns)
		s->now_ns = rec->time_ns;
	if (rec->kind == PC_TICK && rec->time_ns > s->tick_ns)
		s->tick_ns = rec->time_ns;
	s->inside++;
	switch (rec->kind) {
	case PC_DATA:
		push_data(s, (const struct pc_data *)rec);
		break;
	case PC_OPEN:
		push_open(s, (const struct pc_open *)rec);
		break;
	case PC_END:
	case PC_CLOSE:
	case PC_GONE:
		push_control(s, rec);
		break;
	case PC_ACKED:
	case PC_RESENT:
		later_sent(s, (const struct pc_sent *)rec);
		break;
	case PC_ALIVE:
		later_alive(s, (const struct pc_alive *)rec);
		break;
	case PC_LOOKED:
		later_looked(s, (const struct pc_alive *)rec);
		break;
	case PC_TICK:
		break;
	default:
		if (s->sink.record)
			s->sink.record(s->sink.ctx, rec);
	}
	leave(s);
}

void stream_tick(struct stream *s, uint64_t now_ns)
{
	if (now_ns > s->now_ns)
		s->now_ns = now_ns;
	if (now_ns > s->tick_ns)
		s->tick_ns = now_ns;
	s->inside++;
	leave(s);
}

void stream_flush(struct stream *s)
{
	struct link *l;

	s->inside++;
	while ((l = table_oldest(s->links)))
		link_finish(s, l, STREAM_CLOSE_SHUTDOWN);
	s->inside--;
}

void stream_stats(const struct stream *s, struct stream_stats *ret)
{
	*ret = s->stats;
	ret->connections = table_count(s->links);
}

uint64_t stream_now_ns(const struct stream *s)
{
	return s->now_ns;
}

/* The record whose bytes are offered, if it holds the position. */
static const struct pc_data *offered_at(const struct stream *s, const struct link *l, enum pc_dir d,
					uint64_t pos)
{
	const struct pc_data *rec = s->direct.rec;

	if (s->direct.link != l || !rec || rec->dir != d || pos < rec->pos ||
	    pos - rec->pos >= rec->len)
		return NULL;
	return rec;
}

uint64_t stream_when(struct stream *s, const struct connection *c, enum pc_dir d, uint64_t pos)
{
	const struct link *l = (const struct link *)c;
	const struct pc_data *rec = offered_at(s, l, d, pos);
	struct moment m;

	if (rec && s->direct.uncertain)
		return 0;
	if (rec)
		return d == PC_TX && rec->begin_ns ? rec->begin_ns : rec->head.time_ns;
	if (!l->dir[d].hold || !moments_find(&l->dir[d].hold->moments, pos, &m) || m.uncertain)
		return 0;
	return d == PC_TX && m.begin_ns ? m.begin_ns : m.time_ns;
}

bool stream_moment(struct stream *s, const struct connection *c, enum pc_dir d, uint64_t pos,
		   struct moment *ret)
{
	const struct link *l = (const struct link *)c;
	const struct pc_data *rec = offered_at(s, l, d, pos);

	if (rec) {
		moment_of(rec, pos, s->direct.uncertain, ret);
		return true;
	}
	if (l->dir[d].hold && moments_find(&l->dir[d].hold->moments, pos, ret))
		return true;
	*ret = (struct moment){ 0 };
	return false;
}

void stream_skip_to(struct stream *s, struct connection *c, enum pc_dir d, uint64_t pos,
		    uint32_t budget)
{
	struct link *l = (struct link *)c;
	struct direction *dir = &l->dir[d];
	bool tell = pos > dir->frontier || budget != dir->budget ||
		    (budget & PC_BUDGET_LEAVE && pos > dir->until);

	if (l->ignored || l->closed)
		return;
	if (pos > dir->until)
		dir->until = pos;
	dir->budget = budget;
	if (tell)
		tell_directive(s, l);
}

/* Acts now when no push is under way. */
static void act(struct stream *s, struct link *l)
{
	link_later(s, l);
	if (s->inside)
		return;
	s->inside++;
	leave(s);
}

void stream_ignore(struct stream *s, struct connection *c)
{
	struct link *l = (struct link *)c;

	if (l->ignored || l->closed)
		return;
	l->ignored = true;
	s->stats.ignored++;
	tell_directive(s, l);
	act(s, l);
}

void stream_kick(struct stream *s, struct connection *c, enum pc_dir d)
{
	struct link *l = (struct link *)c;

	if (l->ignored || l->closed || !l->dir[d].hold)
		return;
	l->kick |= (uint8_t)(1u << d);
	act(s, l);
}
