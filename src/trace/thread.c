/* SPDX-License-Identifier: Apache-2.0 */
/*
 * thread.c: see thread.h. Two tables, processes and their threads; a thread has its open requests in a list
 * through them, mostly one. A process that was found out is only remembered as such.
 *
 * A thread of before (the process was forgotten, or its number was given to another) has another generation.
 */
#include "trace/thread.h"

#include <errno.h>
#include <stdlib.h>

#include "base/table.h"

/* How long the request lasts that a thread was at when we came, or that a hole hides. */
#define SETTLE_NS 10000000000ull
/* A request is there for a thread that waits when it comes so long before the wait ends. */
#define MARGIN_NS 200000ull
#define READS	  4

struct taken {
	uint64_t at_ns;
	uint32_t tid;
};

struct proc {
	uint32_t tgid; /* key */
	uint32_t generation;
	uint64_t start_ns;   /* of the process; 0 = not known */
	uint64_t settled_ns; /* what happened before is not judged */
	uint64_t last_ns;    /* of what is known of any thread */
	uint32_t open;	     /* requests that are followed */
	uint32_t waited, beside;
	uint32_t several;	   /* threads that served more than one connection */
	struct taken reads[READS]; /* the latest that another thread might have taken */
	unsigned read_count;
	enum thread_fault fault;
};

struct thread {
	uint32_t tgid, tid; /* key */
	uint32_t generation;
	bool served, several;
	bool strayed; /* made a call without having served */
	bool excused; /* the end of the request it was at is not known: until it reads another */
	struct list open;
	uint64_t conn; /* of the latest request */
	uint64_t last_ns;
	/* The latest request that ended, and how long it waited for a call. */
	uint64_t ended_conn, ended_ns, wait_from_ns, wait_to_ns;
};
#define THREAD_KEY (2 * sizeof(uint32_t))

struct threads {
	const struct doubt *doubt;
	struct table *procs, *threads;
	uint32_t generation;
	uint64_t disbelieved[THREAD_FAULTS];
};

const char *thread_fault_name(enum thread_fault f)
{
	static const char *const names[THREAD_FAULTS] = {
		[THREAD_FAULT_NONE] = "none",	     [THREAD_FAULT_OVERLAP] = "overlap",
		[THREAD_FAULT_HANDED] = "handed_on", [THREAD_FAULT_OUTSIDE] = "outside",
		[THREAD_FAULT_ORDER] = "order",	     [THREAD_FAULT_CONTENT] = "content",
	};

	return names[f];
}

int threads_new(const struct thread_limits *limits, const struct doubt *doubt, struct threads **ret)
{
	struct threads *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->doubt = doubt;
	err = table_new(sizeof(struct proc), sizeof(uint32_t), limits->processes, &t->procs);
	if (err)
		goto fail;
	err = table_new(sizeof(struct thread), THREAD_KEY, limits->threads, &t->threads);
	if (err)
		goto fail;
	*ret = t;
	return 0;
fail:
	threads_free(t);
	return err;
}

void threads_free(struct threads *t)
{
	if (!t)
		return;
	table_free(t->procs);
	table_free(t->threads);
	free(t);
}

/* ---- processes ---- */

static struct proc *proc_find(const struct threads *t, uint32_t tgid)
{
	return table_count(t->procs) ? table_find(t->procs, &tgid) : NULL;
}

static void proc_begin(struct threads *t, struct proc *p, const struct transaction *x)
{
	*p = (struct proc){ .tgid = p->tgid,
			    .generation = ++t->generation,
			    .start_ns = x->process ? x->process->start_ns : 0,
			    .settled_ns = x->start_ns + SETTLE_NS,
			    .last_ns = x->start_ns };
}

static struct proc *proc_add(struct threads *t, const struct transaction *x)
{
	struct proc *p;
	bool fresh;

	p = table_add(t->procs, &x->tgid, &fresh);
	if (!p && table_oldest(t->procs)) {
		table_remove(t->procs, table_oldest(t->procs));
		p = table_add(t->procs, &x->tgid, &fresh);
	}
	if (p)
		proc_begin(t, p, x);
	return p;
}

/* Of a transaction. NULL: not followed. */
static struct proc *proc_of(struct threads *t, const struct transaction *x)
{
	struct proc *p = proc_find(t, x->tgid);
	uint64_t start_ns = x->process ? x->process->start_ns : 0;

	if (!p)
		return NULL;
	if (!p->start_ns)
		p->start_ns = start_ns;
	else if (start_ns && start_ns != p->start_ns)
		proc_begin(t, p, x); /* another one by the same number */
	table_touch(t->procs, p);
	return p->fault ? NULL : p;
}

static void disbelieve(struct threads *t, struct proc *p, enum thread_fault f)
{
	if (p->fault)
		return;
	p->fault = f;
	t->disbelieved[f]++;
}

void threads_contradict(struct threads *t, uint32_t tgid)
{
	struct proc *p = proc_find(t, tgid);

	if (p)
		disbelieve(t, p, THREAD_FAULT_CONTENT);
}

static bool shown_beside(const struct proc *p)
{
	return p->beside >= (uint64_t)THREAD_TRIALS * (p->several ? p->several : 1);
}

static bool is_believed(const struct proc *p)
{
	return !p->fault && (p->waited >= THREAD_TRIALS || shown_beside(p));
}

void threads_stats(struct threads *t, struct threads_stats *ret)
{
	*ret = (struct threads_stats){ 0 };
	for (unsigned f = 0; f < THREAD_FAULTS; f++)
		ret->disbelieved[f] = t->disbelieved[f];
	for (struct proc *p = table_oldest(t->procs); p; p = table_newer(t->procs, p))
		ret->believed += is_believed(p);
}

/* ---- threads ---- */

/* The request is no longer at its thread. */
static void leave(struct threads *t, struct transaction *x)
{
	struct episode *e = &x->open.episode;
	struct proc *p = proc_find(t, e->thread->tgid);

	if (p && p->generation == e->thread->generation)
		p->open--;
	e->thread = NULL;
	list_remove(&e->list);
	while (!list_empty(&e->calls)) {
		struct transaction *call =
			list_entry(e->calls.next, struct transaction, open.episode.list);

		call->open.episode.cause = NULL;
		call->open.episode.cause_end_ns = x->response.last_ns ?: UINT64_MAX;
		list_remove(&call->open.episode.list);
	}
}

static struct transaction *first_open(const struct thread *th)
{
	return list_entry(th->open.next, struct transaction, open.episode.list);
}

static void thread_clear(struct threads *t, struct thread *th)
{
	struct proc *p = proc_find(t, th->tgid);

	while (!list_empty(&th->open))
		leave(t, first_open(th));
	if (p && p->generation == th->generation)
		p->several -= th->several;
}

static struct thread *thread_find(const struct threads *t, const struct proc *p, uint32_t tid)
{
	const uint32_t key[] = { p->tgid, tid };
	struct thread *th = table_find(t->threads, key);

	return th && th->generation == p->generation ? th : NULL;
}

static struct thread *thread_add(struct threads *t, const struct proc *p, uint32_t tid)
{
	const uint32_t key[] = { p->tgid, tid };
	struct thread *th = table_find(t->threads, key), *oldest;
	bool fresh;

	if (th && th->generation == p->generation)
		return th;
	if (!th)
		th = table_add(t->threads, key, &fresh);
	else
		thread_clear(t, th);
	oldest = table_oldest(t->threads);
	if (!th && oldest) {
		thread_clear(t, oldest);
		table_remove(t->threads, oldest);
		th = table_add(t->threads, key, &fresh);
	}
	if (!th)
		return NULL;
	*th = (struct thread){ .tgid = p->tgid, .tid = tid, .generation = p->generation };
	list_init(&th->open);
	return th;
}

static bool is_doubtful(const struct threads *t, const struct transaction *x)
{
	return x->open.episode.doubtful || x->flags & TXN_UNCERTAIN ||
	       x->start_ns <= doubt_until(t->doubt, x->tgid);
}

/* ---- a request is read ---- */

/* It lay there while the thread waited, and a loop would have taken it. All of it: came it in parts, one
 * knows of the first only. */
static bool was_let_wait(const struct thread *th, const struct transaction *x)
{
	uint64_t from = th->wait_from_ns;

	if (!th->wait_to_ns || !x->arrival_ns || x->head_ns != x->start_ns ||
	    x->connection_id == th->ended_conn)
		return false;
	if (x->arrival_ns > from)
		from = x->arrival_ns;
	return from + MARGIN_NS <= th->wait_to_ns;
}

/* The thread reads while others are open on it. Whether it was still at them shows when they end. */
static void meet_open(struct threads *t, struct thread *th, struct transaction *x)
{
	struct list *n = th->open.next;

	while (n != &th->open) {
		struct transaction *other = list_entry(n, struct transaction, open.episode.list);
		struct episode *e = &other->open.episode;

		n = n->next;
		if (is_doubtful(t, other)) {
			leave(t, other);
		} else if (other->connection_id == x->connection_id) {
			/* Read together. They end in turn, but which of them is it at? */
			e->doubtful = x->open.episode.doubtful = true;
		} else if (!e->next_ns) {
			e->next_ns = x->head_ns;
		}
	}
}

static void note_read(struct proc *p, struct thread *th, const struct transaction *x)
{
	if (th->conn && th->conn != x->connection_id && !th->several) {
		th->several = true;
		p->several++;
	}
	th->conn = x->connection_id;
	th->last_ns = p->last_ns = x->head_ns;
	if (x->ordinal == 0 || (x->head_tid_before && x->head_tid_before != th->tid))
		p->reads[p->read_count++ % READS] = (struct taken){ x->head_ns, th->tid };
	th->served = true;
	th->excused = false;
	th->wait_from_ns = th->wait_to_ns = 0;
}

/* THREAD_FAULT_NONE: it may have been at no other. */
static enum thread_fault fault_of_read(const struct thread *th, const struct transaction *x)
{
	if (th->strayed)
		return THREAD_FAULT_OUTSIDE;
	if (x->connection_id != th->conn && x->head_ns < th->last_ns)
		return THREAD_FAULT_ORDER;
	if (x->connection_id != th->ended_conn && x->head_ns < th->ended_ns)
		return THREAD_FAULT_OVERLAP;
	return THREAD_FAULT_NONE;
}

void threads_read(struct threads *t, struct transaction *x)
{
	struct episode *e = &x->open.episode;
	struct proc *p = proc_of(t, x);
	enum thread_fault fault;
	struct thread *th;

	if (!p)
		return;
	th = x->head_tid && x->head_ns ? thread_add(t, p, x->head_tid) : NULL;
	if (!th) {
		p->settled_ns = p->last_ns + SETTLE_NS; /* a thread is at what nobody knows of */
		return;
	}
	table_touch(t->threads, th);
	fault = fault_of_read(th, x);
	if (fault) {
		disbelieve(t, p, fault);
		return;
	}
	p->waited += was_let_wait(th, x);
	meet_open(t, th, x);
	note_read(p, th, x);
	list_init(&e->calls);
	list_append(&th->open, &e->list);
	e->thread = th;
	p->open++;
}

/* ---- it calls ---- */

/* The one that the thread is at; NULL: none, or not certain. *ret_open: so many lie at the thread. */
static struct transaction *present(const struct threads *t, const struct thread *th,
				   uint32_t *ret_open)
{
	struct transaction *x = NULL;

	*ret_open = 0;
	for (const struct list *n = th->open.next; n != &th->open; n = n->next) {
		/* What it began to answer before it read another it has left. */
		if (x && !x->response.seen)
			return NULL;
		x = list_entry(n, struct transaction, open.episode.list);
		++*ret_open;
	}
	return x && !x->response.seen && !is_doubtful(t, x) ? x : NULL;
}

/* A thread made a call; nothing is known that it served then. */
static void stray(struct threads *t, struct proc *p, struct thread *th, const struct transaction *x)
{
	uint64_t doubt_ns = doubt_until(t->doubt, p->tgid);

	if (x->start_ns <= p->settled_ns || doubt_ns == UINT64_MAX ||
	    (doubt_ns && x->start_ns <= doubt_ns + SETTLE_NS))
		return;
	if (!th)
		th = thread_add(t, p, x->tid);
	if (!th)
		return;
	if (!th->served)
		th->strayed = true;
	else if (!th->excused)
		disbelieve(t, p, THREAD_FAULT_OUTSIDE);
}

struct transaction *threads_call(struct threads *t, struct transaction *x, bool serves)
{
	struct proc *p = proc_find(t, x->tgid);
	struct transaction *cause;
	struct thread *th;
	uint32_t open;

	if (!p && serves && x->start_ns)
		proc_add(t, x);
	p = proc_of(t, x);
	if (!p || !x->tid || !x->start_ns)
		return NULL;
	th = thread_find(t, p, x->tid);
	if (!th || list_empty(&th->open)) {
		stray(t, p, th, x);
		return NULL;
	}
	table_touch(t->threads, th);
	if (x->start_ns < th->last_ns) {
		disbelieve(t, p, THREAD_FAULT_ORDER);
		return NULL;
	}
	th->last_ns = p->last_ns = x->start_ns;
	cause = present(t, th, &open);
	if (!cause)
		return NULL;
	x->open.episode.cause = cause;
	list_append(&cause->open.episode.calls, &x->open.episode.list);
	if (!is_believed(p) || (!shown_beside(p) && p->open != open))
		return NULL;
	return cause;
}

/* ---- what is done meanwhile that is no call ---- */

bool threads_serve(const struct threads *t, uint32_t tgid, uint32_t tid, uint64_t at_ns)
{
	const struct proc *p = proc_find(t, tgid);
	const struct thread *th = p ? thread_find(t, p, tid) : NULL;

	return th && !list_empty(&th->open) && first_open(th)->head_ns <= at_ns;
}

bool threads_alone(struct threads *t, const struct transaction *x)
{
	const struct episode *e = &x->open.episode;
	const struct thread *th = e->thread;
	const struct proc *p = th ? proc_find(t, th->tgid) : NULL;

	if (!p || p->generation != th->generation || !is_believed(p) || is_doubtful(t, x))
		return false;
	if (first_open(th) != x || e->list.next != &th->open || e->next_ns)
		return false;
	return shown_beside(p) || p->open == 1;
}

/* ---- they end ---- */

static bool others_took(const struct proc *p, uint32_t tid, uint64_t from_ns, uint64_t to_ns)
{
	for (unsigned i = 0; i < READS && i < p->read_count; i++) {
		const struct taken *r = &p->reads[i];

		if (r->tid != tid && r->at_ns > from_ns && r->at_ns < to_ns)
			return true;
	}
	return false;
}

/* What the thread did between its call and the response. */
static void call_ended(struct threads *t, struct transaction *x)
{
	struct transaction *cause = x->open.episode.cause;
	uint64_t from = x->request.last_ns, to = x->response.first_ns;
	struct episode *e;
	struct proc *p;

	if (list_is_on(&x->open.episode.list))
		list_remove(&x->open.episode.list);
	x->open.episode.cause = NULL;
	p = proc_of(t, x);
	if (!p || !to || !x->response.first_tid || (x->flags & TXN_UNCERTAIN))
		return;
	if (x->response.first_tid != x->tid || (!cause && to > x->open.episode.cause_end_ns)) {
		disbelieve(t, p, THREAD_FAULT_HANDED);
		return;
	}
	if (!cause || !from || to <= from)
		return;
	e = &cause->open.episode;
	e->beside = e->beside || others_took(p, x->tid, from, to);
	if (to - from > e->wait_to_ns - e->wait_from_ns) {
		e->wait_from_ns = from;
		e->wait_to_ns = to;
	}
}

/* An episode is over. Did the thread, and it alone, see to it? */
static void judge(struct threads *t, struct proc *p, struct thread *th, struct transaction *x)
{
	const struct episode *e = &x->open.episode;
	uint64_t end = x->response.last_ns;

	if (x->request.last_tid != th->tid || x->response.first_tid != th->tid ||
	    x->response.last_tid != th->tid) {
		disbelieve(t, p, THREAD_FAULT_HANDED);
		return;
	}
	if (e->next_ns && e->next_ns < end) {
		disbelieve(t, p, THREAD_FAULT_OVERLAP);
		return;
	}
	p->beside += e->beside;
	th->ended_conn = x->connection_id;
	th->ended_ns = end;
	th->wait_from_ns = e->wait_from_ns;
	th->wait_to_ns = e->next_ns ? 0 : e->wait_to_ns;
}

void threads_answered(struct threads *t, struct transaction *x)
{
	struct thread *th = x->open.episode.thread;
	struct proc *p;

	if (!th)
		return;
	p = proc_find(t, th->tgid);
	if (!p || p->fault || p->generation != th->generation) {
		leave(t, x);
		return;
	}
	/* Its end was not seen, or it has none: what the thread is at from here on is not known. */
	if (!x->response.last_ns || (x->flags & TXN_UPGRADED) || is_doubtful(t, x) ||
	    !x->request.last_tid || !x->response.first_tid || !x->response.last_tid)
		th->excused = true;
	else
		judge(t, p, th, x);
	leave(t, x);
}

void threads_end(struct threads *t, struct transaction *x)
{
	struct episode *e = &x->open.episode;

	if (x->side == SIDE_CLIENT) {
		if (e->cause || e->cause_end_ns)
			call_ended(t, x);
		return;
	}
	if (!e->thread)
		return;
	e->thread->excused = true;
	leave(t, x);
}
