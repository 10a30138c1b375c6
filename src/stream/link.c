/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.c: opens, ends and closes connections, and knows when something is due by time alone.
 *
 * END, CLOSE and GONE may be read before the last DATA: they only note what is promised; the sink
 * hears of an end when its position was reached or what is missing was given up. A connection goes
 * when its socket is gone, limits.grace_ns after CLOSE (a read may follow a CLOSE, but not for
 * ever), or when it was used longest ago and another one needs its place.
 */
#include "stream/link.h"

#include <errno.h>

struct link *link_find(struct stream *s, uint64_t id)
{
	return table_find(s->links, &id);
}

static uint32_t gone_slot(uint64_t id)
{
	return (uint32_t)(id * 0x9E3779B97F4A7C15ull >> 40) % GONE_SLOTS;
}

bool link_was_there(const struct stream *s, uint64_t id)
{
	return id && s->gone[gone_slot(id)] == id;
}

struct link *link_make(struct stream *s, uint64_t id)
{
	struct link *l = table_add(s->links, &id, NULL);

	while (!l) {
		struct link *oldest = table_oldest(s->links);

		if (!oldest)
			return NULL;
		s->stats.evicted++;
		link_finish(s, oldest, STREAM_CLOSE_EVICTED);
		l = table_add(s->links, &id, NULL);
	}
	l->c.final_pos[PC_RX] = l->c.final_pos[PC_TX] = PC_NEVER;
	l->touched_ns = s->now_ns;
	list_init(&l->later);
	list_init(&l->waiting);
	s->stats.opened++;
	return l;
}

static void take_facts(struct link *l, const struct pc_open *rec)
{
	struct connection *c = &l->c;

	c->opened = true;
	c->family = rec->family;
	c->flags |= rec->head.flags;
	c->local = rec->local;
	c->remote = rec->remote;
	c->isn[PC_RX] = rec->rx_isn;
	c->isn[PC_TX] = rec->tx_isn;
	c->peer_id = rec->peer_conn;
	c->start_ns = rec->start_ns;
	c->handshake_ns = rec->handshake_ns;
	c->cgroup = rec->cgroup;
	c->tid = rec->tid;
	if (!c->tgid)
		c->tgid = rec->tgid;
}

/* The first OPEN, one that its own DATA overtook, or one told again to a new brain. */
void link_open(struct stream *s, struct link *l, const struct pc_open *rec)
{
	if (!l->c.opened && (rec->head.flags & PC_F_JOINED))
		s->stats.joined++;
	take_facts(l, rec);
	if (l->ignored)
		return;
	direction_promise(s, l, PC_RX, rec->rx_pos);
	direction_promise(s, l, PC_TX, rec->tx_pos);
	l->odd = true;
}

void link_end(struct stream *s, struct link *l, const struct pc_end *rec)
{
	struct direction *dir = &l->dir[rec->dir];

	if (dir->end_seen || l->c.ended[rec->dir] || l->ignored)
		return;
	dir->end_seen = true;
	l->c.told[rec->dir] = true;
	l->c.error[rec->dir] = rec->error;
	l->c.end_ns[rec->dir] = rec->head.time_ns;
	direction_promise(s, l, rec->dir, rec->pos);
	l->odd = true;
}

void link_close(struct stream *s, struct link *l, const struct pc_close *rec)
{
	struct connection *c = &l->c;

	c->flags |= rec->head.flags & (PC_F_RESET_IN | PC_F_RESET_OUT | PC_F_REFUSED | PC_F_UNSENT |
				       PC_F_UNACCEPTED | PC_F_IN_VAIN);
	c->final_pos[PC_RX] = rec->rx_pos;
	c->final_pos[PC_TX] = rec->tx_pos;
	c->unread = rec->unread;
	if (rec->srtt_us)
		c->srtt_us = rec->srtt_us;
	if (rec->min_rtt_us)
		c->min_rtt_us = rec->min_rtt_us;
	if (rec->retrans > c->retrans)
		c->retrans = rec->retrans;
	for (int d = PC_RX; d <= PC_TX; d++) {
		if (l->dir[d].end_seen)
			continue;
		/* Who resets a connection finds ECONNRESET on its own socket afterwards. */
		if (rec->error && !(c->flags & PC_F_RESET_OUT))
			c->error[d] = rec->error;
		else if (!c->error[d] && (c->flags & PC_F_RESET_IN))
			c->error[d] = ECONNRESET;
		if (!c->end_ns[d])
			c->end_ns[d] = rec->head.time_ns;
	}
	later_closed(s, l, rec);
	if (!l->closing)
		l->close_ns = s->now_ns;
	l->closing = true;
	/* no octet moved, so none can follow, whenever the application lets go of its socket */
	l->gone |= rec->head.kind == PC_GONE || rec->head.flags & (PC_F_REFUSED | PC_F_IN_VAIN);
	if (!l->ignored) {
		direction_promise(s, l, PC_RX, rec->rx_pos);
		direction_promise(s, l, PC_TX, rec->tx_pos);
	}
	l->odd = true;
}

void link_later(struct stream *s, struct link *l)
{
	if (!list_is_on(&l->later))
		list_append(&s->later, &l->later);
}

static void end_both(struct stream *s, struct link *l)
{
	for (int d = PC_RX; d <= PC_TX; d++) {
		hand_end(s, l, d);
		hand_kicked(s, l);
	}
}

void link_finish(struct stream *s, struct link *l, enum stream_close_reason why)
{
	for (int d = PC_RX; d <= PC_TX; d++) {
		if (!l->c.ended[d])
			direction_close_gaps(s, l, d, true);
		hand_kicked(s, l);
	}
	for (int d = PC_RX; d <= PC_TX; d++) {
		hand_kept(s, l, d, true);
		hand_kicked(s, l);
	}
	if (why == STREAM_CLOSE_GONE)
		end_both(s, l);
	l->closed = true;
	for (int d = PC_RX; d <= PC_TX; d++)
		if (!l->ignored && l->c.ended[d] && direction_has_gap(&l->dir[d]))
			s->stats.after_end_bytes += l->dir[d].promised - l->dir[d].frontier;
	s->inside++;
	s->sink.close(s->sink.ctx, &l->c, why);
	s->inside--;
	s->stats.closed++;
	if (why == STREAM_CLOSE_GONE)
		s->gone[gone_slot(l->c.id)] = l->c.id;
	direction_drop(s, &l->dir[PC_RX]);
	direction_drop(s, &l->dir[PC_TX]);
	list_remove(&l->later);
	list_remove(&l->waiting);
	table_remove(s->links, l);
}

static uint64_t deadline(const struct stream *s, const struct link *l)
{
	uint64_t due = l->closing ? add_ns(l->close_ns, s->limits.grace_ns) : UINT64_MAX;

	for (int d = PC_RX; d <= PC_TX && !l->ignored; d++) {
		const struct direction *dir = &l->dir[d];
		uint64_t t = UINT64_MAX;

		if (l->c.ended[d])
			continue;
		if (direction_has_gap(dir))
			t = direction_gap_deadline(s, l, d);
		else if (dir->end_seen && dir->hold)
			t = add_ns(dir->end_ready_ns, s->limits.grace_ns);
		if (t < due)
			due = t;
	}
	return due;
}

/* An END whose position was reached and whose bytes were all taken. */
static void check_end(struct stream *s, struct link *l, enum pc_dir d)
{
	struct direction *dir = &l->dir[d];

	if (!dir->end_seen || l->c.ended[d] || direction_has_gap(dir))
		return;
	if (!dir->hold)
		hand_end(s, l, d);
	else if (!dir->end_ready_ns)
		dir->end_ready_ns = s->now_ns;
}

static bool is_complete(const struct link *l)
{
	for (int d = PC_RX; d <= PC_TX && !l->ignored; d++)
		if (!l->c.ended[d] && direction_has_gap(&l->dir[d]))
			return false;
	return true;
}

void link_check(struct stream *s, struct link *l)
{
	uint64_t due;

	if (l->ignored) {
		direction_drop(s, &l->dir[PC_RX]);
		direction_drop(s, &l->dir[PC_TX]);
	} else {
		check_end(s, l, PC_RX);
		check_end(s, l, PC_TX);
	}
	if (l->gone && is_complete(l)) {
		link_finish(s, l, STREAM_CLOSE_GONE);
		return;
	}
	due = deadline(s, l);
	l->odd = due != UINT64_MAX;
	if (!l->odd) {
		list_remove(&l->waiting);
		return;
	}
	if (!list_is_on(&l->waiting))
		list_append(&s->waiting, &l->waiting);
	if (due < s->deadline_ns)
		s->deadline_ns = due;
}

void link_expire(struct stream *s, struct link *l)
{
	if (l->closing && s->tick_ns >= add_ns(l->close_ns, s->limits.grace_ns)) {
		link_finish(s, l, STREAM_CLOSE_GONE);
		return;
	}
	for (int d = PC_RX; d <= PC_TX && !l->ignored; d++) {
		struct direction *dir = &l->dir[d];

		if (l->c.ended[d])
			continue;
		direction_close_gaps(s, l, d, false);
		if (dir->end_seen && !direction_has_gap(dir) && dir->hold && dir->end_ready_ns &&
		    s->tick_ns >= add_ns(dir->end_ready_ns, s->limits.grace_ns))
			hand_kept(s, l, d, true);
	}
	link_check(s, l);
}
