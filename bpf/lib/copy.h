/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * copy.h: the bytes of one call → DATA records. Finds the user's buffers from the call's arguments,
 * walks them as piece.h plans, copies what is wanted. Both families.
 *
 * A record is [captured bytes][absent bytes of one cause]. It is sent when it is full, or when bytes
 * follow an absence, or when the cause of the absence changes. Short calls (nearly all) are one
 * record and never see the loop.
 */
#ifndef PC_BPF_COPY_H
#define PC_BPF_COPY_H

#include "lib/calls.h"
#include "lib/emit.h"

#define PC_MSG_IOV __builtin_offsetof(struct user_msghdr, msg_iov)

#define PC_FEW 512 /* so few bytes are kept whatever they are */

#define PC_VECTORS_SHORT 4    /* gathered without a loop helper: nginx sends 2 to 4 */
#define PC_VECTORS_MAX	 1024 /* UIO_MAXIOV of the kernel */
/* Each step takes up a vector, fills up a piece or leaves one absence behind. */
#define PC_STEPS (2 * PC_VECTORS_MAX + 64)

/* The arguments of the call in the current task. */
struct pc_args {
	__u32 form;
	__u32 fd;
	__u64 at;    /* buffer, iovec, msghdr */
	__u64 count; /* vectors or messages */
};

/* Sets up the walk over the user's buffers. Returns the cause if there are none to be had. */
static __always_inline __u32 pc_walk_source(struct pc_walk *w, const struct pc_args *a)
{
	__u64 m[2]; /* msg_iov, msg_iovlen */

	w->vectors = 0;
	w->iov = 0;
	switch (a->form & PC_FORM_MASK) {
	case PC_FORM_BUF:
		w->base = a->at;
		w->left = w->vector = w->total;
		return PC_WHY_NONE;
	case PC_FORM_IOV:
		w->iov = a->at;
		w->vectors = a->count < PC_VECTORS_MAX ? a->count : PC_VECTORS_MAX;
		return PC_WHY_NONE;
	case PC_FORM_MMSG:
		if (a->count != 1)
			return PC_WHY_MMSG;
		/* fall through: a struct mmsghdr begins with its msghdr */
	case PC_FORM_MSG:
		if (bpf_probe_read_user(m, sizeof(m), (void *)(a->at + PC_MSG_IOV)))
			return PC_WHY_FAULT;
		w->iov = m[0];
		w->vectors = m[1] < PC_VECTORS_MAX ? m[1] : PC_VECTORS_MAX;
		return PC_WHY_NONE;
	case PC_FORM_SENDFILE:
	case PC_FORM_SPLICE:
		return PC_WHY_SENDFILE;
	case PC_FORM_URING:
		return PC_WHY_IO_URING;
	}
	return PC_WHY_CALL;
}

/* `len` bytes from the user to offset `at` of the record's bytes. */
static __always_inline bool pc_copy_user(struct pc_scratch *x, __u64 at, __u64 len, __u64 from)
{
	at += x->data.arrivals * (__u64)sizeof(struct pc_arrival);
	barrier_var(at);
	if (at > PC_ARRIVALS * sizeof(struct pc_arrival) + PC_PIECE)
		return false;
	barrier_var(len);
	if (len > PC_PIECE)
		return false;
	return !bpf_probe_read_user(x->rest + at, len, (void *)from);
}

static __always_inline void pc_piece_send(struct pc_scratch *x)
{
	__u32 bytes = x->data.arrivals * (__u32)sizeof(struct pc_arrival) + x->data.captured;

	pc_emit_data(x, bytes);
	x->data.head.flags &= ~PC_F_FIRST;
	x->data.pos += x->data.len;
	x->data.len = 0;
	x->data.captured = 0;
	x->data.arrivals = 0;
	x->data.why = PC_WHY_NONE;
}

static __always_inline void pc_piece_hole(struct pc_scratch *x, __u32 len, __u32 why)
{
	if (x->data.why && x->data.why != why)
		pc_piece_send(x);
	x->data.why = why;
	x->data.len += len;
}

static __always_inline void pc_walk_advance(struct pc_walk *w, __u32 n)
{
	w->base += n;
	w->done += n;
	w->left -= n;
}

static __always_inline bool pc_next_vector(struct pc_walk *w)
{
	struct iovec v;

	if (!w->vectors || bpf_probe_read_user(&v, sizeof(v), (void *)w->iov))
		return false;
	w->iov += sizeof(v);
	w->vectors--;
	w->base = v.iov_base;
	w->left = v.iov_len < w->total - w->done ? v.iov_len : w->total - w->done;
	w->vector = w->left;
	return true;
}

/* One step of the walk; 1 ends it. */
static long pc_step(__u32 i, struct pc_scratch **ctx)
{
	struct pc_scratch *x = *ctx;
	struct pc_walk *w = &x->walk;
	struct pc_plan plan;

	if (w->done >= w->total)
		return 1;
	if (!w->left)
		return !pc_next_vector(w);
	pc_plan_next(w, &plan);
	if (plan.copy) {
		if (x->data.why || x->data.captured >= PC_PIECE)
			pc_piece_send(x);
		plan.copy = pc_min(plan.copy, PC_PIECE - x->data.captured);
		if (pc_copy_user(x, x->data.captured, plan.copy, w->base)) {
			x->data.captured += plan.copy;
			x->data.len += plan.copy;
		} else {
			pc_piece_hole(x, plan.copy, PC_WHY_FAULT);
		}
		pc_walk_advance(w, plan.copy);
		/* the first piece is looked at before it is sent */
		return x->data.captured >= PC_PIECE && x->data.head.flags & PC_F_FIRST;
	}
	if (w->done >= w->skip) /* what is before `skip` was told in one piece */
		pc_piece_hole(x, plan.hole, PC_WHY_BUDGET);
	pc_walk_advance(w, plan.hole);
	return 0;
}

/* One byte of a head; 1 ends it. */
static long pc_head_step(__u32 i, struct pc_scratch **ctx)
{
	struct pc_scratch *x = *ctx;
	__u64 at = x->data.arrivals * (__u64)sizeof(struct pc_arrival) + i;

	barrier_var(at);
	if (at >= sizeof(x->rest))
		return 1;
	pc_content_byte(&x->head, x->rest[at]);
	return x->head.state != PC_HEAD_MORE;
}

/* The ring is filling and this call begins no message: told without its bytes. Content of known length does
 * not miss them; of chunks the framing is lost, which an overflow would have taken with the heads of others. */
static __always_inline bool pc_is_dispensable(struct pc_scratch *x)
{
	__u64 at = x->data.arrivals * (__u64)sizeof(struct pc_arrival);

	barrier_var(at);
	return x->pressed && x->data.captured > PC_FEW &&
	       at <= PC_ARRIVALS * sizeof(struct pc_arrival) && !pc_message_begins(x->rest + at);
}

/* The call's first piece is here. Does it begin a message with content of known length that is not kept? Then
 * of that content no more than PC_CONTENT bytes are captured, in this call and in those that follow. */
static __always_inline void pc_find_content(struct pc_scratch *x, struct pc_sock *s)
{
	__u64 at, have, end;
	bool response;

	if (!x->data.why && pc_is_dispensable(x)) {
		x->data.captured = 0;
		x->data.why = PC_WHY_BUDGET;
		return;
	}
	if (x->walk.skip || x->data.why || x->data.captured < PC_PIECE)
		return;
	at = x->data.arrivals * (__u64)sizeof(struct pc_arrival);
	barrier_var(at);
	if (at > PC_ARRIVALS * sizeof(struct pc_arrival) ||
	    !pc_content_begins(x->rest + at, &response) ||
	    s->keep[x->data.dir & 1] & (response ? PC_CONTENTS_RESPONSES : PC_CONTENTS_REQUESTS))
		return;
	__builtin_memset(&x->head, 0, sizeof(x->head));
	bpf_loop(PC_PIECE - PC_CONTENT, pc_head_step, &x, 0);
	have = x->head.size;
	at += have;
	barrier_var(at);
	if (at > PC_ARRIVALS * sizeof(struct pc_arrival) + PC_PIECE ||
	    !pc_content_follows(&x->head, response, x->rest + at))
		return;
	end = have + x->head.length;
	if (end <= PC_PIECE)
		return;
	pc_walk_content(&x->walk, end);
	s->content[x->data.dir & 1] = x->data.pos + end;
	x->data.captured = have + PC_CONTENT;
	x->data.why = PC_WHY_BUDGET;
}

/* A call that moved 5 GB in a thousand vectors, or just one that does not fit a piece: what stands in
 * the scratch record that pc_tell_call has left taken. */
__noinline int pc_copy_long(struct pc_sock *s)
{
	struct pc_scratch *x = pc_scratch_taken();
	struct pc_walk *w;

	if (!x)
		return 0;
	if (!s) {
		pc_scratch_give(x);
		return 0;
	}
	w = &x->walk;
	bpf_loop(PC_STEPS, pc_step, &x, 0);
	pc_find_content(x, s);
	bpf_loop(PC_STEPS, pc_step, &x, 0);
	if (w->done < w->total) /* the vectors ended early, could not be read, or are too many */
		pc_piece_hole(x, w->total - w->done, PC_WHY_FAULT);
	x->data.head.flags |= PC_F_LAST;
	if (x->data.len)
		pc_piece_send(x);
	pc_scratch_give(x);
	return 0;
}

/* Gathers up to four vectors into one record. False: not so short, nothing was done. */
static __always_inline bool pc_copy_short(struct pc_scratch *x)
{
	struct pc_walk *w = &x->walk;
	struct iovec *v = x->few;
	__u64 bytes = w->vectors * (__u64)sizeof(struct iovec);
	__u32 total = w->total, at = 0;

	if (total >= PC_PIECE || w->skip || w->budget < total)
		return false;
	if (w->left) {
		if (!pc_copy_user(x, 0, total, w->base))
			return false;
		goto out;
	}
	barrier_var(bytes);
	if (bytes == 0 || bytes > sizeof(x->few) || bpf_probe_read_user(v, bytes, (void *)w->iov))
		return false;
	for (__u32 i = 0; i < PC_VECTORS_SHORT && i < w->vectors && at < total; i++) {
		__u32 len = v[i].iov_len < total - at ? v[i].iov_len : total - at;

		if (len && !pc_copy_user(x, at, len, v[i].iov_base))
			return false;
		at += len;
	}
	if (at < total)
		return false; /* vectors shorter than the call: cannot be */
out:
	x->data.head.flags |= PC_F_LAST;
	x->data.len = x->data.captured = total;
	if (pc_is_dispensable(x)) {
		x->data.captured = 0;
		x->data.why = PC_WHY_BUDGET;
	}
	pc_piece_send(x);
	return true;
}

#endif
