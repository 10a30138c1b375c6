/* SPDX-License-Identifier: Apache-2.0 */
/*
 * census.c: see census.h. On the path of every DATA record there is one comparison: the process of
 * the record before. Questions that do not fit into the socket wait for the next tick; so do verdicts.
 * An answer that does not come within a second is asked for again, twice.
 */
#include "agent/brain/census.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/brain/wait_list.h"
#include "base/table.h"

#define PROCESSES  16384
#define ASK_AGAIN  1000000000ull
#define ASK_TIMES  3
#define EXEC_LOOKS 50 /* a second, for processes that may never open a connection */
#define EXEC_BURST 200
#define NO_VERDICT 255

struct person {
	uint32_t tgid;			/* key */
	uint8_t verdict;		/* enum pc_scope_state, or NO_VERDICT */
	bool wants_look, wants_verdict; /* still to be sent */
	bool answered;
	bool undecided; /* the kernel waits for a verdict */
	uint8_t asked;	/* times */
	uint64_t start_ns;
	uint64_t asked_ns;
	struct pc_who *who; /* told unasked; the core gets it when the process is met */
};

struct census {
	const struct config *config;
	struct census_sink sink;
	struct census_stats stats;
	struct table *people;
	struct wait_list held;
	uint32_t last_tgid; /* answered and decided: nothing to do */
	uint32_t unsent, waiting;
	bool lost; /* since the tick: what nothing else tells of */
	uint64_t now_ns;
	uint64_t tokens_ns; /* of EXEC_LOOKS: time up to which they are spent */
};

int census_new(const struct config *config, const struct census_sink *sink, struct census **ret)
{
	struct census *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->config = config;
	c->sink = *sink;
	wait_list_init(&c->held);
	err = table_new(sizeof(struct person), sizeof(uint32_t), PROCESSES, &c->people);
	if (err) {
		free(c);
		return err;
	}
	*ret = c;
	return 0;
}

void census_free(struct census *c)
{
	if (!c)
		return;
	wait_list_done(&c->held);
	for (struct person *p = table_oldest(c->people); p; p = table_newer(c->people, p))
		free(p->who);
	table_free(c->people);
	free(c);
}

static void forget(struct census *c, struct person *p)
{
	c->unsent -= p->wants_look + p->wants_verdict;
	c->waiting -= p->asked && !p->answered;
	if (c->last_tgid == p->tgid)
		c->last_tgid = 0;
	free(p->who);
	table_remove(c->people, p);
}

static struct person *person_of(struct census *c, uint32_t tgid)
{
	struct person *p;
	bool is_new;

	while (!(p = table_add(c->people, &tgid, &is_new))) {
		struct person *oldest = table_oldest(c->people);

		if (!oldest)
			return NULL;
		forget(c, oldest);
	}
	if (is_new)
		p->verdict = NO_VERDICT;
	table_touch(c->people, p);
	return p;
}

static void send_look(struct census *c, struct person *p)
{
	struct message m = { .kind = MESSAGE_LOOK, .tgid = p->tgid, .start_ns = p->start_ns };
	bool sent = c->sink.send(c->sink.ctx, &m) == 0;

	c->unsent += !sent - p->wants_look;
	p->wants_look = !sent;
	if (!sent)
		return;
	c->waiting += !p->asked;
	p->asked++;
	p->asked_ns = c->now_ns;
	c->stats.looks++;
}

/* Met: what is known of it goes before its first record. */
static void look(struct census *c, struct person *p)
{
	if (p->who) {
		p->who->head.time_ns = c->now_ns;
		c->sink.record(c->sink.ctx, &p->who->head);
		free(p->who);
		p->who = NULL;
	}
	if (!p->asked && !p->wants_look)
		send_look(c, p);
}

static void send_verdict(struct census *c, struct person *p)
{
	struct message m = { .kind = MESSAGE_VERDICT,
			     .tgid = p->tgid,
			     .start_ns = p->start_ns,
			     .state = p->verdict };
	bool sent = c->sink.send(c->sink.ctx, &m) == 0;

	c->unsent += !sent - p->wants_verdict;
	p->wants_verdict = !sent;
}

static void release(struct census *c, struct person *p)
{
	bool ours = p->verdict == PC_SCOPE_YES;
	uint64_t n;

	if (!c->held.count)
		return;
	n = wait_list_release(&c->held, p->tgid, c->sink.ctx, ours ? c->sink.record : NULL);
	if (!ours)
		c->stats.held_dropped += n;
}

static void decide(struct census *c, struct person *p, bool ours)
{
	p->verdict = ours ? PC_SCOPE_YES : PC_SCOPE_NO;
	p->undecided = false;
	*(ours ? &c->stats.verdicts_yes : &c->stats.verdicts_no) += 1;
	send_verdict(c, p);
	release(c, p);
}

static bool exe_matches(const struct census *c, const char *path)
{
	for (uint32_t i = 0; i < c->config->executables.count; i++)
		if (config_glob(c->config->executables.at[i], path))
			return true;
	return false;
}

static bool may_look_at_exec(struct census *c)
{
	const uint64_t each = 1000000000 / EXEC_LOOKS;
	uint64_t earliest = c->now_ns > EXEC_BURST * each ? c->now_ns - EXEC_BURST * each : 0;

	if (c->tokens_ns < earliest)
		c->tokens_ns = earliest;
	if (c->tokens_ns + each > c->now_ns)
		return false;
	c->tokens_ns += each;
	return true;
}

/* Another program under the same number: whatever was known is gone. */
static void renew(struct census *c, struct person *p, uint64_t start_ns)
{
	c->waiting -= p->asked && !p->answered;
	c->unsent -= p->wants_look + p->wants_verdict;
	if (c->last_tgid == p->tgid)
		c->last_tgid = 0;
	free(p->who);
	*p = (struct person){ .tgid = p->tgid, .verdict = NO_VERDICT, .start_ns = start_ns };
}

static void on_exec(struct census *c, const struct pc_process *rec)
{
	bool asks = rec->head.flags & PC_F_PROVISIONAL;
	struct person *p = person_of(c, rec->tgid);
	char file[PC_PATH + 1] = { 0 };

	if (!p)
		return;
	renew(c, p, rec->start_ns);
	p->undecided = asks;
	memcpy(file, rec->file, PC_PATH);
	if (asks && exe_matches(c, file))
		decide(c, p, true);
	if (asks || may_look_at_exec(c))
		look(c, p);
}

/* The number may have been another's. At EXIT nobody is forgotten: the last bytes of a process that
 * lived a millisecond are read after its end. */
static void on_fork(struct census *c, const struct pc_process *rec)
{
	struct person *child = table_find(c->people, &rec->tgid);
	struct person *parent = table_find(c->people, &rec->parent);

	if (child)
		forget(c, child);
	if (parent && parent->who)
		look(c, parent); /* the child is called as its parent */
}

/* What the record belongs to; 0 where it does not say. */
static void belongs_to(const struct pc_head *rec, uint32_t *ret_tgid, uint64_t *ret_conn)
{
	*ret_tgid = 0;
	*ret_conn = 0;
	if (rec->kind == PC_DATA && rec->size >= sizeof(struct pc_data)) {
		*ret_tgid = ((const struct pc_data *)rec)->tgid;
		*ret_conn = ((const struct pc_data *)rec)->conn;
	} else if (rec->kind == PC_OPEN && rec->size >= sizeof(struct pc_open)) {
		*ret_tgid = ((const struct pc_open *)rec)->tgid;
		*ret_conn = ((const struct pc_open *)rec)->conn;
	} else if (rec->kind == PC_END && rec->size >= sizeof(struct pc_end)) {
		*ret_conn = ((const struct pc_end *)rec)->conn;
	} else if (rec->kind == PC_LISTENER && rec->size >= sizeof(struct pc_listener)) {
		*ret_tgid = ((const struct pc_listener *)rec)->tgid;
	} else if (rec->kind == PC_DNS && rec->size >= sizeof(struct pc_dns)) {
		*ret_tgid = ((const struct pc_dns *)rec)->tgid;
	} else if ((rec->kind == PC_CLOSE || rec->kind == PC_GONE) &&
		   rec->size >= sizeof(struct pc_close)) {
		*ret_conn = ((const struct pc_close *)rec)->conn;
	}
}

static void put_aside(struct census *c, uint32_t tgid, uint64_t conn, const struct pc_head *rec)
{
	if (!wait_list_add(&c->held, tgid, conn, rec)) {
		c->stats.held++;
		return;
	}
	c->stats.held_overflow++;
	c->lost |= rec->kind == PC_DNS;
}

/* Scope still unknown to the kernel: true when the record was held or dropped. */
static bool provisional(struct census *c, struct person *p, uint64_t conn,
			const struct pc_head *rec)
{
	if (p->verdict == PC_SCOPE_YES)
		return false; /* our verdict is on its way */
	if (p->verdict == PC_SCOPE_NO) {
		c->stats.held_dropped++;
		return true;
	}
	p->undecided = true;
	put_aside(c, p->tgid, conn, rec);
	if (p->answered) { /* long ago, when nobody wanted a verdict */
		p->answered = false;
		p->asked = 0;
		send_look(c, p);
	}
	return true;
}

static bool held_back(struct census *c, const struct pc_head *rec)
{
	struct person *p;
	uint32_t tgid;
	uint64_t conn;

	belongs_to(rec, &tgid, &conn);
	if (!tgid) {
		/* the end of a connection that is held waits behind it */
		tgid = conn && c->held.count ? wait_list_owner(&c->held, conn) : 0;
		if (!tgid)
			return false;
		put_aside(c, tgid, conn, rec);
		return true;
	}
	if (tgid == c->last_tgid && !(rec->flags & PC_F_PROVISIONAL))
		return false;
	p = person_of(c, tgid);
	if (!p)
		return false;
	look(c, p);
	if (rec->flags & PC_F_PROVISIONAL)
		return provisional(c, p, conn, rec);
	if (p->answered)
		c->last_tgid = tgid;
	return false;
}

void census_push(struct census *c, const struct pc_head *rec)
{
	if (rec->time_ns > c->now_ns)
		c->now_ns = rec->time_ns;
	if (held_back(c, rec))
		return;
	if (rec->kind == PC_FORK && rec->size >= sizeof(struct pc_process))
		on_fork(c, (const struct pc_process *)rec);
	c->sink.record(c->sink.ctx, rec);
	if (rec->kind == PC_EXEC && rec->size >= sizeof(struct pc_process))
		on_exec(c, (const struct pc_process *)rec);
}

/* Told without a question: kept until the process is met, so that the core (and a recording) know of
 * watched processes only. */
static void keep(struct person *p, const struct pc_who *who)
{
	if (!p->who)
		p->who = malloc(sizeof(*p->who));
	if (p->who)
		*p->who = *who;
}

void census_who(struct census *c, const struct pc_who *who)
{
	struct person *p = person_of(c, who->tgid);
	bool found = who->start_ns != 0;
	char exe[PC_PATH + 1] = { 0 };

	if (!p)
		return;
	if (found && p->asked)
		c->sink.record(c->sink.ctx, &who->head);
	else if (found)
		keep(p, who);
	c->stats.answers += p->asked > 0;
	c->stats.not_found += !found;
	c->waiting -= p->asked && !p->answered;
	c->unsent -= p->wants_look;
	p->wants_look = false;
	p->asked = p->asked ? p->asked : 1;
	p->answered = true;
	if (found && !p->start_ns)
		p->start_ns = who->start_ns;
	if (!p->undecided)
		return;
	memcpy(exe, who->exe, PC_PATH);
	decide(c, p, exe_matches(c, exe));
}

static bool is_overdue(const struct census *c, const struct person *p)
{
	return p->asked && !p->answered && c->now_ns - p->asked_ns > ASK_AGAIN;
}

void census_tick(struct census *c, uint64_t now_ns)
{
	struct person *p;

	c->now_ns = now_ns;
	if (c->lost)
		c->sink.lost(c->sink.ctx);
	c->lost = false;
	if (!c->unsent && !c->waiting)
		return;
	for (p = table_oldest(c->people); p; p = table_newer(c->people, p)) {
		if (p->wants_verdict)
			send_verdict(c, p);
		if (p->wants_look || (is_overdue(c, p) && p->asked < ASK_TIMES))
			send_look(c, p);
		else if (is_overdue(c, p))
			census_who(c, &(struct pc_who){ .tgid = p->tgid });
	}
}

void census_reload(struct census *c, const struct config *config)
{
	struct person *p;

	c->config = config;
	c->last_tgid = 0;
	/* the warden has judged all that runs now; an execve asks again */
	for (p = table_oldest(c->people); p; p = table_newer(c->people, p))
		if (p->answered)
			p->verdict = NO_VERDICT;
}

void census_finish(struct census *c)
{
	struct person *p;

	for (p = table_oldest(c->people); p && c->held.count; p = table_newer(c->people, p))
		c->stats.held_dropped += wait_list_release(&c->held, p->tgid, NULL, NULL);
}

void census_stats(const struct census *c, struct census_stats *ret)
{
	*ret = c->stats;
}
