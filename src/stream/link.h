/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.h: what the files of this stage share. A link is a connection with what we need to put its
 * two directions in order.
 *
 * The life of a record: check.c says whether it can be believed; stream.c finds its link;
 * direction.c puts it in order (early ones wait, gaps get an age); hand.c offers it to the sink and
 * hold.c keeps what was not taken, moments.c with the times; link.c ends and closes.
 *
 * Three positions of a direction:
 *
 *      start ≤ … handed out … ≤ c.pos ≤ … kept by hold … ≤ frontier ≤ … gap, early records …
 *
 * Callbacks may call back (ignore, skip_to, kick): they only set flags and queue the link on
 * stream.later; whoever called back out looks at link.ignored, and settle() does the rest when no
 * callback runs. Links are freed there and in the outermost verbs only.
 */
#ifndef PC_STREAM_LINK_H
#define PC_STREAM_LINK_H

#include "base/buf.h"
#include "base/list.h"
#include "base/table.h"
#include "stream/stream.h"

#define GONE_SLOTS 4096

/* Which bytes were moved when; ascending and disjoint. */
struct moments {
	struct moment *at;
	uint32_t first, count, room; /* at[first] … at[first + count - 1] */
};

/* A range that was kept: its present bytes lie in hold.bytes, one range after the other. */
struct kept {
	uint64_t present, absent;
	enum pc_why why; /* of the absent */
};

struct hold {
	struct list by_age; /* stream.holds: the one that grew last comes last */
	struct link *link;
	enum pc_dir dir;
	struct buf bytes;
	size_t consumed; /* of bytes, from the front */
	struct kept *ranges;
	uint32_t count, room;
	struct moments moments;
	size_t cost; /* what it adds to stats.buffered_bytes */
};

/* A record that came before its place. */
struct early {
	struct early *next;
	uint64_t came_ns;
	struct pc_data rec; /* whole: arrivals and bytes follow */
};

struct direction {
	uint64_t frontier;   /* next position in order */
	struct hold *hold;   /* [c.pos, frontier), NULL when all was taken */
	struct early *early; /* ascending by position */
	uint32_t early_count;
	bool started;		     /* start is known */
	bool end_seen;		     /* END was read; delivered when its position is reached */
	uint32_t budget;	     /* last asked for */
	uint64_t until;		     /* bytes before it were asked not to be captured */
	uint64_t before;	     /* no OPEN: bytes before it may have moved before we watched */
	uint64_t promised;	     /* a control record says that the stream got this far … */
	uint64_t promised_ns;	     /* … and when we read that */
	uint64_t moved_ns;	     /* the frontier moved while a gap was open */
	uint64_t end_ready_ns;	     /* all before the END is here, but not taken */
	uint64_t lost_from, lost_to; /* latest hole without a record: what comes there is late */
};

struct link {
	struct connection c; /* first: the table's entry is the sink's connection */
	struct direction dir[2];
	bool odd; /* wants link_check after a record: a gap, an end, a close */
	bool ignored, closing, gone, closed;
	uint8_t kick; /* bit per direction */
	uint64_t close_ns;
	uint64_t touched_ns;
	uint64_t alive_ns;   /* a look found it (Unix) */
	uint8_t missed;	     /* looks in a row that did not */
	struct list later;   /* stream.later */
	struct list waiting; /* stream.waiting: something happens by time */
};

struct stream {
	struct stream_limits limits;
	struct stream_sink sink;
	struct stream_stats stats;
	struct table *links;
	uint64_t now_ns; /* of the latest record; those of one ring may be far ahead of another's */
	uint64_t tick_ns; /* all that happened before was read: nothing is late by now_ns alone */
	uint64_t deadline_ns; /* no link on `waiting` is due before */
	uint64_t idle_ns;     /* next look for idle ones */
	struct list waiting, later, holds;
	struct list spare; /* holds to be used again */
	uint32_t spares;
	/* Connections that are gone, direct-mapped by id: a record of theirs that comes now is late,
	 * not the first of an unknown connection. Written over by chance, which costs little. */
	uint64_t gone[GONE_SLOTS];
	unsigned inside; /* callbacks and pushes that we are in */
	/* The record whose bytes are offered straight from the ring. */
	struct {
		const struct link *link;
		const struct pc_data *rec;
		bool uncertain;
	} direct;
};

/* Limits may mean "never". */
static inline uint64_t add_ns(uint64_t at, uint64_t more)
{
	return at > UINT64_MAX - more ? UINT64_MAX : at + more;
}

/* check.c */
bool record_ok(const struct pc_head *rec);

/* direction.c */
void direction_start(struct link *l, enum pc_dir d, uint64_t pos);
void direction_data(struct stream *s, struct link *l, const struct pc_data *rec);
/* A control record of `time_ns` says that the direction reached pos. */
void direction_promise(struct stream *s, struct link *l, enum pc_dir d, uint64_t pos);
bool direction_has_gap(const struct direction *dir);
/* When the first gap becomes a hole; UINT64_MAX without one. */
uint64_t direction_gap_deadline(const struct stream *s, const struct link *l, enum pc_dir d);
/* Gaps that are due become holes and what waited behind them is handed out; `all`: every gap. */
void direction_close_gaps(struct stream *s, struct link *l, enum pc_dir d, bool all);
void direction_drop(struct stream *s, struct direction *dir);

/* hand.c: rec may be NULL (a hole without a record). */
void hand_range(struct stream *s, struct link *l, enum pc_dir d, struct range r,
		const struct pc_data *rec, bool uncertain);
void hand_kept(struct stream *s, struct link *l, enum pc_dir d, bool last);
/* Offers again what this link's reader asked for during a callback. */
void hand_kicked(struct stream *s, struct link *l);
void hand_end(struct stream *s, struct link *l, enum pc_dir d);

/* hold.c */
bool hold_append(struct stream *s, struct link *l, enum pc_dir d, const struct range *r,
		 const struct pc_data *rec, bool uncertain);
void hold_front(const struct hold *h, struct range *ret);
void hold_consume(struct stream *s, struct hold *h, uint64_t n); /* releases it when empty */
void hold_release(struct stream *s, struct hold *h);
void hold_free(struct hold *h);
/* Room for `bytes` within limits.total_bytes: other holds are offered for the last time, the one
 * that grew longest ago first. */
bool hold_reserve_total(struct stream *s, size_t bytes, const struct hold *except);

/* moments.c */
void moment_of(const struct pc_data *rec, uint64_t pos, bool uncertain, struct moment *ret);
bool moments_reserve(struct moments *m);	/* for one more record */
size_t moments_growth(const struct moments *m); /* bytes that moments_reserve may take */
void moments_clear(struct moments *m);
void moments_add(struct moments *m, const struct pc_data *rec, uint64_t from, uint64_t to,
		 bool uncertain);
void moments_drop_before(struct moments *m, uint64_t pos);
bool moments_find(const struct moments *m, uint64_t pos, struct moment *ret);

/* later.c */
void later_sent(struct stream *s, const struct pc_sent *rec);
void later_closed(struct stream *s, struct link *l, const struct pc_close *rec);
void later_alive(struct stream *s, const struct pc_alive *rec);
void later_looked(struct stream *s, const struct pc_alive *rec);

/* link.c */
struct link *link_find(struct stream *s, uint64_t id);
struct link *link_make(struct stream *s, uint64_t id); /* evicts; NULL: no memory */
void link_open(struct stream *s, struct link *l, const struct pc_open *rec);
void link_end(struct stream *s, struct link *l, const struct pc_end *rec);
void link_close(struct stream *s, struct link *l, const struct pc_close *rec);
bool link_was_there(const struct stream *s, uint64_t id);
void link_later(struct stream *s, struct link *l);
/* Ends what has ended, closes what is gone, notes when it is due. May free the link. */
void link_check(struct stream *s, struct link *l);
void link_finish(struct stream *s, struct link *l, enum stream_close_reason why);
void link_expire(struct stream *s, struct link *l);

#endif
