/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lookup.c: see lookup.h. A look-up stays until half a second after its last answer, as another server or another
 * ending may be asked next; where nothing was answered, until the resolver had time to ask again:
 *
 *   LOOSE_NS      where a server of musl could not say: it asks again after half of its 5 s
 *   PATIENCE_NS   after one question: resolv.conf(5) caps its timeout at 30 s
 *   2 × gap       after the second, which shows how long it waits (c-ares doubles that each time)
 *
 * or until its process ended, or its thread is known to have gone on. Which look-up a question belongs to is
 * belong.c's. Its name is the shortest that all others begin with: what was asked for before an
 * ending was appended. Only answers to that name say why it failed.
 *
 * In one table by age; from a process and the first label of a name a chain leads to those that it may be.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/table.h"
#include "txn/lookup/inside.h"

#define HOLD_NS	    500000000ull
#define LOOSE_NS    3000000000ull
#define PATIENCE_NS 31000000000ull
#define GAP_NS	    500000000ull  /* sooner it is another server or the same question told twice */
#define SLACK_NS    1000000000ull /* of a resolver's timer */
#define BUCKETS	    1024
#define EARLY	    64		 /* answers that came before their question */
#define ENDED	    1024	 /* numbers of processes that are given one after the other */
#define LATE_NS	    200000000ull /* a record behind the end of its process */

struct ended {
	uint32_t tgid;
	uint64_t at_ns;
};

struct early {
	struct lookup_key key;
	uint64_t at_ns;
	struct dns_message m;
};

struct lookups {
	struct lookup_sink sink;
	struct table *table;
	struct lookup *bucket[BUCKETS];
	uint64_t number;
	uint32_t open; /* not resolved */
	struct early early[EARLY];
	uint32_t early_next;
	struct ended ended[ENDED]; /* processes of late, each at its number */
	uint64_t now_ns;	   /* of the latest tick */
	uint64_t lost_ns;    /* what was asked until then may have an answer that is missing */
	unsigned lost_ticks; /* until that is known: as many that go forward */
	struct lookup_stats stats;
};

int lookups_new(uint32_t most, const struct lookup_sink *sink, struct lookups **ret)
{
	struct lookups *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	l->sink = *sink;
	err = table_new(sizeof(struct lookup), sizeof(uint64_t), most, &l->table);
	if (err) {
		free(l);
		return err;
	}
	*ret = l;
	return 0;
}

void lookups_free(struct lookups *l)
{
	if (!l)
		return;
	table_free(l->table);
	free(l);
}

bool lookups_wait(const struct lookups *l)
{
	return l->open > 0;
}

void lookups_stats(const struct lookups *l, struct lookup_stats *ret)
{
	*ret = l->stats;
}

static struct slice name_of(const struct lookup *p)
{
	return slice_of(p->name, p->name_len);
}

/* ---- the end of one ---- */

static void forget(struct lookups *l, struct lookup *p)
{
	struct lookup **at = &l->bucket[p->label % BUCKETS];

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	l->open -= !p->resolved;
	table_remove(l->table, p);
}

/* Why, as far as is known. NULL: nobody answered. */
static const char *error_of(const struct lookup *p)
{
	if (lookup_has(p, NO_NAME))
		return "NXDOMAIN";
	if (p->error && (lookup_has(p, OPEN) || lookup_has(p, NO_ANSWER)))
		return p->error;
	return lookup_has(p, OPEN) ? NULL : "NODATA";
}

/* When something of it was seen last. */
static uint64_t latest_ns(const struct lookup *p)
{
	return p->answered_ns > p->asked_ns ? p->answered_ns : p->asked_ns;
}

static uint64_t due_ns(const struct lookup *p)
{
	uint64_t due;

	if (p->resolved || !lookup_pends(p, 0))
		return latest_ns(p) + (p->loose && lookup_has(p, NO_ANSWER) ? LOOSE_NS : HOLD_NS);
	due = p->asked_ns + PATIENCE_NS;
	if (p->gap_ns && p->asked_ns + 2 * p->gap_ns + SLACK_NS < due)
		due = p->asked_ns + 2 * p->gap_ns + SLACK_NS;
	return p->ended_ns && p->ended_ns + LATE_NS < due ? p->ended_ns + LATE_NS : due;
}

/* `open`: what an open question makes of it; NULL: not known. */
static void tell(struct lookups *l, struct lookup *p, const char *open, bool abandoned)
{
	const char *error = error_of(p);
	struct lookup_failure f = {
		.error = error ? error : open,
		.abandoned = !error && abandoned,
		.name = name_of(p),
		.start_ns = p->first_ns,
		.end_ns = latest_ns(p),
		.tgid = p->tgid,
		.tid = p->tid,
		.again = p->again,
		.family = p->family,
		.local = p->local,
		.server = p->server,
	};

	if (!p->resolved && (p->unsure || !f.error)) {
		l->stats.unobserved++;
	} else if (!p->resolved) {
		l->stats.failed++;
		l->sink.failed(l->sink.ctx, &f);
	}
	forget(l, p);
}

/* ---- answers ---- */

static bool is_key(const struct lookup_key *a, const struct lookup_key *b)
{
	return a->id == b->id && a->port == b->port && a->type == b->type && a->hash == b->hash &&
	       a->tgid == b->tgid;
}

static enum asked_state state_of(const struct dns_message *m)
{
	if (m->rcode == DNS_NXDOMAIN)
		return NO_NAME;
	if (m->rcode != DNS_NOERROR)
		return NO_ANSWER;
	return m->found ? FOUND : EMPTY;
}

/* A server that could not say is overruled by one that can, not the other way round. */
static void set_state(struct lookup *p, struct question *q, enum asked_state state,
		      const char *error, uint64_t at_ns)
{
	uint8_t *all = &p->state[q->key.type == DNS_AAAA];

	q->state = (uint8_t)state;
	if (at_ns > p->answered_ns)
		p->answered_ns = at_ns;
	if (!q->of_name || (state == NO_ANSWER && *all != OPEN && *all != NO_ANSWER))
		return;
	if (state == NO_ANSWER)
		p->error = error;
	*all = (uint8_t)state;
}

static void resolve(struct lookups *l, struct lookup *p)
{
	l->open -= !p->resolved;
	p->resolved = true;
}

static void take_answer(struct lookups *l, struct lookup *p, struct question *q,
			const struct dns_message *m, uint64_t at_ns)
{
	if (m->found && q->state != FOUND && l->sink.found)
		l->sink.found(l->sink.ctx, slice_of(m->name, m->name_len), m);
	set_state(p, q, state_of(m), dns_rcode_name(m->rcode), at_ns);
	if (q->state == FOUND)
		resolve(l, p);
	if (p->resolved && p->state[0] && p->state[1] && !lookup_has(p, NO_ANSWER) &&
	    !lookup_pends(p, 0))
		forget(l, p); /* nothing is to come */
}

static void on_answer(struct lookups *l, const struct pc_dns *rec, const struct lookup_key *key,
		      uint32_t label, const struct dns_message *m)
{
	const uint64_t at_ns = rec->head.time_ns;
	const bool loose = !rec->remote.port;
	struct early *e;

	for (struct lookup *p = l->bucket[label % BUCKETS]; p; p = p->next)
		for (unsigned i = 0; i < p->questions; i++)
			if (is_key(&p->question[i].key, key)) {
				p->loose |= loose;
				take_answer(l, p, &p->question[i], m, at_ns);
				return;
			}
	e = &l->early[l->early_next++ % EARLY];
	e->key = *key;
	e->at_ns = at_ns;
	e->m = *m;
}

static uint32_t server_of(const struct pc_dns *rec)
{
	return (uint32_t)slice_hash(slice_of(rec->remote.ip, 16), 2);
}

/* By its port, which one of the other family may have too; by its server, where it is connected to one. */
static bool is_of_socket(const struct question *q, const struct pc_dns *rec)
{
	return q->key.port == rec->local.port && (!rec->remote.port || q->server == server_of(rec));
}

/* A socket said that nobody is there (`error`), or gave what nobody could read: whose questions it had. `id`: only
 * the one of that number; -1: all. */
static void on_socket(struct lookups *l, const struct pc_dns *rec, const char *error, int id)
{
	struct lookup *p = table_oldest(l->table), *next;

	for (; p; p = next) {
		next = table_newer(l->table, p);
		if (p->tgid != rec->tgid || p->resolved)
			continue;
		for (unsigned i = 0; i < p->questions; i++) {
			struct question *q = &p->question[i];

			if (q->state != OPEN || !is_of_socket(q, rec) ||
			    (id >= 0 && q->key.id != id))
				continue;
			if (error)
				set_state(p, q, NO_ANSWER, error, rec->head.time_ns);
			else
				p->unsure = true;
			q->no_way = error;
		}
	}
}

/* ---- questions ---- */

static struct lookup *add(struct lookups *l, const struct pc_dns *rec, const struct dns_message *m,
			  uint32_t label)
{
	const struct ended *e = &l->ended[rec->tgid % ENDED];
	struct lookup *p, *old;
	uint64_t number = ++l->number;

	p = table_add(l->table, &number, NULL);
	old = p ? NULL : table_oldest(l->table);
	if (old) {
		old->unsure |= due_ns(old) > rec->head.time_ns;
		tell(l, old, NULL, false);
		p = table_add(l->table, &number, NULL);
	}
	if (!p) {
		l->stats.unobserved++;
		return NULL;
	}
	p->tgid = rec->tgid;
	p->tid = rec->tid;
	p->label = label;
	p->first_ns = rec->head.time_ns;
	p->unsure = p->first_ns <= l->lost_ns;
	if (e->tgid == p->tgid && e->at_ns >= p->first_ns)
		p->ended_ns = e->at_ns;
	memcpy(p->name, m->name, m->name_len);
	p->name_len = m->name_len;
	p->next = l->bucket[label % BUCKETS];
	l->bucket[label % BUCKETS] = p;
	l->open++;
	l->stats.begun++;
	return p;
}

/* The latest of a chain is looked at first; one of the thread itself is preferred. */
static struct lookup *find(struct lookups *l, const struct question *q, uint32_t tid,
			   struct slice name, uint32_t label)
{
	struct lookup *other = NULL;

	for (struct lookup *p = l->bucket[label % BUCKETS]; p; p = p->next) {
		if (p->tgid != q->key.tgid || (p->ended_ns && p->ended_ns < q->asked_ns) ||
		    !lookup_takes(p, q, tid, name))
			continue;
		if (p->tid == tid)
			return p;
		other = other ? other : p;
	}
	return other;
}

/* The shorter name is the one that was meant: what is known of the longer one is none of its answers. */
static void rename_to(struct lookup *p, const struct dns_message *m)
{
	memcpy(p->name, m->name, m->name_len);
	p->name_len = m->name_len;
	p->state[0] = p->state[1] = UNASKED;
	p->error = NULL;
	for (unsigned i = 0; i < p->questions; i++)
		p->question[i].of_name = false;
}

/* The place of `new`: of the same question before, else a free one, else the oldest. */
static struct question *place_of(struct lookup *p, const struct question *new)
{
	struct question *q = &p->question[0];

	for (unsigned i = 0; i < p->questions; i++)
		if (is_key(&p->question[i].key, &new->key))
			return &p->question[i];
	if (p->questions < QUESTIONS)
		return &p->question[p->questions++];
	for (unsigned i = 1; i < QUESTIONS; i++)
		if (p->question[i].asked_ns < q->asked_ns)
			q = &p->question[i];
	return q;
}

/* How long it waited for an answer before it asked again. */
static void note_again(struct lookup *p, const struct question *q)
{
	const uint64_t now_ns = q->asked_ns;
	uint64_t before_ns = 0;

	for (unsigned i = 0; i < p->questions; i++) {
		const struct question *o = &p->question[i];

		if (o->asked_ns && o->key.type == q->key.type && o->key.hash == q->key.hash &&
		    o->state == OPEN && o->asked_ns > before_ns)
			before_ns = o->asked_ns;
	}
	if (!before_ns || now_ns < before_ns + GAP_NS)
		return;
	p->again++;
	if (now_ns - before_ns > p->gap_ns)
		p->gap_ns = now_ns - before_ns;
}

static void use_early(struct lookups *l, struct lookup *p, struct question *q)
{
	for (unsigned i = 0; i < EARLY; i++) {
		struct early *e = &l->early[i];

		if (!e->at_ns || !is_key(&e->key, &q->key))
			continue;
		if (e->at_ns + SLACK_NS > q->asked_ns && e->at_ns < q->asked_ns + SLACK_NS) {
			e->at_ns = 0;
			take_answer(l, p, q, &e->m, q->asked_ns);
			return;
		}
	}
}

/* Of the name itself. */
static void note_asked(struct lookup *p, const struct pc_dns *rec, uint16_t type)
{
	const unsigned kind = type == DNS_AAAA;
	uint8_t *state = &p->state[kind];

	if (*state == UNASKED && p->state[!kind] != UNASKED && p->local.port != rec->local.port)
		p->scattered = true;
	if (*state == UNASKED || *state == NO_ANSWER)
		*state = OPEN;
	p->family = rec->family;
	p->local = rec->local;
	p->server = rec->remote;
}

static void on_question(struct lookups *l, const struct pc_dns *rec, const struct lookup_key *key,
			uint32_t label, const struct dns_message *m)
{
	const struct slice name = slice_of(m->name, m->name_len);
	struct question new = {
		.key = *key,
		.state = OPEN,
		.asked_ns = rec->head.time_ns,
		.no_way = rec->error,
		.server = server_of(rec),
	};
	struct lookup *p = find(l, &new, rec->tid, name, label);
	enum relation relation;
	struct question *q;

	p = p ? p : add(l, rec, m, label);
	if (!p)
		return;
	relation = relation_of(name_of(p), name);
	if (relation == RELATION_STEM)
		rename_to(p, m);
	new.of_name = relation == RELATION_SAME || relation == RELATION_STEM;
	q = place_of(p, &new);
	if (q->asked_ns && is_key(&q->key, key) && q->state == OPEN &&
	    new.asked_ns < q->asked_ns + GAP_NS)
		return; /* the same datagram, told twice */
	note_again(p, &new);
	*q = new;
	p->asked_ns = new.asked_ns;
	if (q->of_name)
		note_asked(p, rec, m->type);
	table_touch(l->table, p);
	if (rec->error)
		set_state(p, q, NO_ANSWER, lookup_errno(rec->error), new.asked_ns);
	else
		use_early(l, p, q);
}

void lookups_push(struct lookups *l, const struct pc_dns *rec)
{
	struct slice octets = slice_of(rec + 1, rec->captured);
	struct dns_message m;
	struct lookup_key key;
	uint32_t label;

	if (rec->dir == PC_RX && (rec->error || !rec->captured)) {
		on_socket(l, rec, rec->error ? lookup_errno(rec->error) : NULL, -1);
		return;
	}
	if (dns_read(octets, &m) || m.answer != (rec->dir == PC_RX)) {
		l->stats.malformed++;
		if (rec->dir == PC_RX && octets.len >= 2)
			on_socket(l, rec, NULL, dns_id(octets));
		return;
	}
	if (!m.name_len || (m.type != DNS_A && m.type != DNS_AAAA))
		return;
	if (!m.answer &&
	    !m.recursion) /* of a server that looks for itself; answers are compared with questions */
		return;
	key = (struct lookup_key){
		.tgid = rec->tgid,
		.id = m.id,
		.port = rec->local.port,
		.type = m.type,
		.hash = (uint32_t)slice_hash(slice_of(m.name, m.name_len), 1),
	};
	label = (uint32_t)slice_hash(relation_label(slice_of(m.name, m.name_len)), rec->tgid);
	if (m.answer)
		on_answer(l, rec, &key, label, &m);
	else
		on_question(l, rec, &key, label, &m);
}

/* ---- time ---- */

void lookups_tick(struct lookups *l, uint64_t now_ns)
{
	struct lookup *p = table_oldest(l->table), *next;

	if (now_ns > l->now_ns && l->lost_ticks && !--l->lost_ticks)
		l->lost_ns = now_ns;
	l->now_ns = now_ns;
	for (; p; p = next) {
		bool early = p->ended_ns && p->ended_ns < p->asked_ns + SLACK_NS;

		next = table_newer(l->table, p);
		if (due_ns(p) <= now_ns)
			tell(l, p, early ? "abandoned" : "timeout", early);
	}
}

void lookups_settle(struct lookups *l, uint32_t tgid, uint32_t tid, uint64_t since_ns,
		    uint64_t until_ns)
{
	struct lookup *p = table_oldest(l->table), *next;

	for (; p; p = next) {
		next = table_newer(l->table, p);
		if (p->tgid != tgid || p->tid != tid || p->resolved || p->first_ns < since_ns ||
		    latest_ns(p) > until_ns)
			continue;
		if (!lookup_pends(p, 0) || p->asked_ns + SLACK_NS <= until_ns)
			tell(l, p, "timeout", false);
	}
}

/* Ends are told ahead of octets: what it asked and was answered may still be on its way here. */
void lookups_exit(struct lookups *l, uint32_t tgid, uint64_t at_ns)
{
	l->ended[tgid % ENDED] = (struct ended){ .tgid = tgid, .at_ns = at_ns };
	for (struct lookup *p = table_oldest(l->table); p; p = table_newer(l->table, p))
		if (p->tgid == tgid && !p->ended_ns)
			p->ended_ns = at_ns;
}

/*
 * A loss is told when it is seen, ahead of records that were written before it. Of two ticks to come the time of the
 * first may have been taken before that, the second says that all until then was read; what is held back until
 * its process is known comes later still.
 */
void lookups_lost(struct lookups *l)
{
	for (struct lookup *p = table_oldest(l->table); p; p = table_newer(l->table, p))
		p->unsure = true;
	l->lost_ns = UINT64_MAX;
	l->lost_ticks = 2;
}

void lookups_finish(struct lookups *l)
{
	struct lookup *p;

	while ((p = table_oldest(l->table)))
		tell(l, p, NULL, false);
}
