/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * piece.h: which bytes of a long call are captured. Pure, tested on the host.
 *
 * A call moves `total` bytes that lie in vectors. Not wanted: what stands before `skip` (the brain
 * said so), nor what stands before `content` (content.h). Wanted: `budget` bytes from there on, then
 * only small vectors (chunk-size lines) and the last PC_TAIL bytes (end of a chunked body), because
 * framing sits there.
 */
#ifndef PC_BPF_PIECE_H
#define PC_BPF_PIECE_H

#include "state.h"

/* How far a call has been walked. All offsets count from the first byte of the call. */
struct pc_walk {
	__u32 total;
	__u32 done;
	__u32 skip;    /* nothing wanted before this */
	__u32 budget;  /* capture everything before this offset */
	__u32 content; /* nothing wanted from where this was set to this offset */
	__u32 left;    /* of the current vector, not beyond total */
	__u32 vector;  /* its whole length, not beyond total */
	__u64 base;    /* user address of its next byte */
	__u64 iov;     /* user address of the next struct iovec */
	__u32 vectors; /* that follow at iov */
};

struct pc_plan {
	__u32 copy; /* so many bytes from here are wanted … */
	__u32 hole; /* … or, when copy is 0, so many are not */
};

static inline __u32 pc_min(__u32 a, __u32 b)
{
	return a < b ? a : b;
}

/* What to do with the next bytes of the current vector (left > 0). */
static inline void pc_plan_next(const struct pc_walk *w, struct pc_plan *ret)
{
	__u32 tail = w->total > PC_TAIL ? w->total - PC_TAIL : 0;

	ret->copy = 0;
	ret->hole = 0;
	if (w->done < w->skip)
		ret->hole = pc_min(w->left, w->skip - w->done);
	else if (w->done < w->content)
		ret->hole = pc_min(w->left, w->content - w->done);
	else if (w->done < w->budget)
		ret->copy = pc_min(w->left, w->budget - w->done);
	else if (w->vector <= PC_SMALL || w->done >= tail)
		ret->copy = w->left;
	else
		ret->hole = pc_min(w->left, tail - w->done);
}

/* The walk when a call with this span and directive is met. `until` and `start` are positions. */
static inline void pc_walk_begin(struct pc_walk *w, __u32 total, __u64 start, __u64 until,
				 __u32 budget)
{
	__u64 skip = until > start ? until - start : 0;
	__u64 end;

	w->total = total;
	w->done = 0;
	w->skip = skip < total ? (__u32)skip : total;
	end = (__u64)w->skip + budget;
	w->budget = end < total ? (__u32)end : total;
	w->content = 0;
	w->left = 0;
	w->vector = 0;
}

/* Content ends `end` bytes from the first byte of the call; it has been walked into. */
static inline void pc_walk_content(struct pc_walk *w, __u64 end)
{
	__u64 budget = end + (w->budget - w->skip);

	w->content = end < w->total ? (__u32)end : w->total;
	w->budget = budget < w->total ? (__u32)budget : w->total;
}

#endif
