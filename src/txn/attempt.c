/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attempt.c: see attempt.h. Connections that came to nothing are recognised as they end and wait a moment:
 *
 *   HOLD_NS   for another connection of the same thread by which the call went well after all (a name with
 *             several addresses: "localhost" is ::1 first)
 *   longer    while the thread serves a request that began before the attempt: it leaves on that transaction
 *
 * What is told of an attempt is always told; at the bound it only waits no longer. Also here: by which name
 * an address was asked for, so that one that is refused has the name it had while it worked. A name that was not found
 * comes from lookup/ and waits for its request like the others.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "stream/address.h"
#include "txn/internal.h"
#include "txn/lookup/lookup.h"

#define WAITING	     1024
#define LOOKUPS	     8192 /* held for half a second: 16,000 failures a second; 6 MiB */
#define HOLD_NS	     500000000ull
#define HOLD_MOST_NS 60000000000ull
#define FALL_BACK_NS 50000000ull
#define NAMES	     1024
#define MADE	     256 /* connections of late that came about */
#define NEWS	     64	 /* of listeners, that wait for the name of their process */
#define NEWS_NS	     250000000ull

struct waiting {
	uint64_t number; /* key */
	bool claimed;	 /* it is in the list of a transaction */
	struct attempt a;
};

struct host_name {
	struct pc_addr at; /* key */
	bool several;	   /* names for one address: which is meant is not known */
	uint8_t len;
	char name[ATTEMPT_NAME];
};

struct made {
	uint32_t tgid, tid;
	uint16_t family;
	struct pc_addr to;
	uint64_t start_ns;
};

struct attempts {
	struct table *waiting, *names;
	struct table *found; /* names of addresses as DNS told them, port 0 */
	struct lookups *lookups;
	uint64_t number;
	struct made made[MADE]; /* a ring */
	uint32_t made_next;
	struct listener_news news[NEWS];
	uint32_t news_count;
	uint64_t now_ns; /* of the latest tick */
};

static void on_failed(void *ctx, const struct lookup_failure *f);
static void on_found(void *ctx, struct slice name, const struct dns_message *answer);

int attempts_new(struct txn *x, struct attempts **ret)
{
	const struct lookup_sink sink = { .ctx = x, .failed = on_failed, .found = on_found };
	struct attempts *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	err = table_new(sizeof(struct waiting), sizeof(uint64_t), WAITING, &s->waiting);
	err = err ?: table_new(sizeof(struct host_name), sizeof(struct pc_addr), NAMES, &s->names);
	err = err ?: table_new(sizeof(struct host_name), sizeof(struct pc_addr), NAMES, &s->found);
	err = err ?: lookups_new(LOOKUPS, &sink, &s->lookups);
	if (err) {
		attempts_free(s);
		return err;
	}
	*ret = s;
	return 0;
}

void attempts_free(struct attempts *s)
{
	if (!s)
		return;
	table_free(s->waiting);
	table_free(s->names);
	table_free(s->found);
	lookups_free(s->lookups);
	free(s);
}

const char *attempt_phase_name(enum attempt_phase p)
{
	static const char *const names[] = { "connect", "tls", "accept", "answer", "dns" };

	return names[p];
}

/* ---- names of addresses ---- */

static struct pc_addr key_of(const struct pc_addr *a)
{
	struct pc_addr key = { .port = a->port };

	memcpy(key.ip, a->ip, sizeof(key.ip));
	return key;
}

static void note_name(struct table *names, const struct pc_addr *at, struct slice host)
{
	const struct pc_addr key = key_of(at);
	struct host_name *n;
	bool fresh = false;

	if (!host.len || host.len > ATTEMPT_NAME)
		return;
	n = table_add(names, &key, &fresh);
	if (!n && table_oldest(names)) {
		table_remove(names, table_oldest(names));
		n = table_add(names, &key, &fresh);
	}
	if (!n)
		return;
	table_touch(names, n);
	if (!fresh) {
		n->several |= !slice_ieq(slice_of(n->name, n->len), host);
		return;
	}
	memcpy(n->name, host.at, host.len);
	n->len = (uint8_t)host.len;
}

static void set_name(struct attempt *a, struct slice host)
{
	if (host.len > sizeof(a->name))
		return;
	memcpy(a->name, host.at, host.len);
	a->name_len = (uint8_t)host.len;
}

/* As it was asked for at that port, else as DNS told it. */
static void find_name(const struct attempts *s, struct attempt *a)
{
	struct pc_addr key = key_of(&a->remote);
	const struct host_name *n = table_find(s->names, &key);

	key.port = 0;
	n = n ? n : table_find(s->found, &key);
	if (n && !n->several)
		set_name(a, slice_of(n->name, n->len));
}

void attempt_named(struct txn *x, const struct connection *c, struct slice host)
{
	if (c->remote.port)
		note_name(x->attempts->names, &c->remote, host);
}

/* A call of a client was seen: its address has the name that it asked for. */
void attempt_learn(struct txn *x, const struct transaction *t)
{
	if (t->side == SIDE_CLIENT && t->family != AF_UNIX && t->server_name.len &&
	    !(t->unobserved & UNOBSERVED_ADDRESS) && t->remote.port)
		note_name(x->attempts->names, &t->remote, t->server_name);
}

/* ---- what came to nothing ---- */

static const char *errno_name(int error)
{
	static const struct {
		int error;
		const char *name;
	} names[] = {
		{ ECONNREFUSED, "ECONNREFUSED" },
		{ ECONNRESET, "ECONNRESET" },
		{ ETIMEDOUT, "ETIMEDOUT" },
		{ EHOSTUNREACH, "EHOSTUNREACH" },
		{ ENETUNREACH, "ENETUNREACH" },
		{ EHOSTDOWN, "EHOSTDOWN" },
		{ ENETDOWN, "ENETDOWN" },
		{ ECONNABORTED, "ECONNABORTED" },
		{ EACCES, "EACCES" },
		{ EPERM, "EPERM" },
		{ EADDRNOTAVAIL, "EADDRNOTAVAIL" },
		{ ENOPROTOOPT, "ENOPROTOOPT" },
		{ EPROTO, "EPROTO" },
		{ EPIPE, "EPIPE" },
		{ EMSGSIZE, "EMSGSIZE" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].error == error)
			return names[i].name;
	return "_OTHER";
}

/* A connect that did not come about, or was reset as soon as it did. */
static bool connect_failed(const struct connection *c, struct attempt *a)
{
	int error = c->error[PC_TX] ? c->error[PC_TX] : c->error[PC_RX];

	a->phase = ATTEMPT_CONNECT;
	if (!(c->flags & PC_F_REFUSED)) {
		a->error = "ECONNRESET";
		return c->flags & PC_F_IN_VAIN;
	}
	a->abandoned = !error && !(c->flags & PC_F_UNSENT);
	a->error = error ? errno_name(error) : a->abandoned ? "abandoned" : "_OTHER";
	return true;
}

static bool tls_failed(const struct connection *c, const struct handshake *h, struct attempt *a)
{
	a->phase = ATTEMPT_TLS;
	set_name(a, slice_of(h->name, h->name_len));
	if (h->state == HANDSHAKE_FAILED) {
		a->error = handshake_alert_name(h->alert);
		a->by_peer = !h->by_client;
	} else if (h->state == HANDSHAKE_NOT_TLS) {
		a->error = "not_tls";
	} else if (c->flags & PC_F_RESET_IN) {
		a->error = "ECONNRESET";
	} else if (c->error[PC_TX] || c->error[PC_RX]) {
		a->error = errno_name(c->error[PC_TX] ? c->error[PC_TX] : c->error[PC_RX]);
	} else if (c->told[PC_RX]) {
		a->error = "end_of_stream";
	} else {
		a->error = "abandoned";
		a->abandoned = true;
	}
	return true;
}

/* Not a client's doing, and no octet was answered. */
static bool server_failed(const struct connection *c, struct attempt *a)
{
	bool unaccepted = c->flags & PC_F_UNACCEPTED;

	a->phase = unaccepted ? ATTEMPT_ACCEPT : ATTEMPT_ANSWER;
	a->error = unaccepted ? "unaccepted" : "reset";
	return (unaccepted || (c->flags & PC_F_RESET_OUT)) && !(c->flags & PC_F_RESET_IN) &&
	       !c->start[PC_TX] && !c->final_pos[PC_TX];
}

static void take_facts(const struct connection *c, struct attempt *a)
{
	a->client = c->flags & PC_F_ACTIVE;
	a->start_ns = c->start_ns;
	a->end_ns = c->end_ns[PC_TX] ? c->end_ns[PC_TX] : c->end_ns[PC_RX];
	a->connection_id = c->id;
	a->family = c->family;
	a->local = c->local;
	a->remote = c->remote;
	a->retrans = c->retrans;
	a->tgid = c->tgid;
	a->tid = c->tid;
}

/* ---- waiting ---- */

/* The same call by another connection: to the same address, to the other one of this host, or at once to one
 * of the other family. */
static bool is_made(const struct attempt *a, const struct made *m)
{
	uint64_t most_ns = HOLD_NS;

	if (a->phase == ATTEMPT_DNS || !a->tid || m->tgid != a->tgid || m->tid != a->tid ||
	    m->to.port != a->remote.port)
		return false;
	if (memcmp(m->to.ip, a->remote.ip, sizeof(m->to.ip)) &&
	    !(address_is_loopback(&m->to) && address_is_loopback(&a->remote))) {
		if (m->family == a->family)
			return false;
		most_ns = FALL_BACK_NS;
	}
	return m->start_ns >= a->start_ns && m->start_ns <= a->end_ns + most_ns;
}

void attempt_made(struct txn *x, const struct connection *c)
{
	struct attempts *s = x->attempts;
	struct made *m = &s->made[s->made_next++ % MADE];

	*m = (struct made){ .tgid = c->tgid,
			    .tid = c->tid,
			    .family = c->family,
			    .to = c->remote,
			    .start_ns = c->start_ns };
	for (struct waiting *w = table_oldest(s->waiting); w; w = table_newer(s->waiting, w))
		w->a.superseded |= is_made(&w->a, m);
}

/* What was said of the address before is read by now: ends are told ahead of octets. */
static void complete(struct txn *x, struct attempt *a)
{
	if (a->client && !a->name_len)
		find_name(x->attempts, a);
	a->process = a->tgid ? process_find(x->processes, a->tgid) : NULL;
	x->stats.attempts++;
}

static void tell(struct txn *x, struct attempt *a)
{
	complete(x, a);
	if (x->sink.attempt)
		x->sink.attempt(x->sink.ctx, a);
}

static struct waiting *oldest_free(const struct attempts *s)
{
	struct waiting *w = table_oldest(s->waiting);

	while (w && w->claimed)
		w = table_newer(s->waiting, w);
	return w;
}

static void wait_for_cause(struct txn *x, const struct attempt *a)
{
	struct attempts *s = x->attempts;
	struct waiting *w, *old;
	uint64_t number = ++s->number;

	w = table_add(s->waiting, &number, NULL);
	old = w ? NULL : oldest_free(s);
	if (old) {
		tell(x, &old->a);
		table_remove(s->waiting, old);
		w = table_add(s->waiting, &number, NULL);
	}
	if (!w) { /* every one is in the list of a transaction */
		struct attempt alone = *a;

		tell(x, &alone);
		return;
	}
	w->a = *a;
	for (unsigned i = 0; i < MADE; i++)
		w->a.superseded |= is_made(a, &s->made[i]);
}

void attempt_over(struct txn *x, const struct connection *c, const struct handshake *tls,
		  uint64_t when_ns)
{
	struct attempt a = { 0 };
	bool failed;

	if (!c->opened || c->family == AF_UNIX)
		return;
	take_facts(c, &a);
	if (!a.client)
		failed = (c->flags & PC_F_PASSIVE) && server_failed(c, &a);
	else
		failed = tls ? tls_failed(c, tls, &a) : connect_failed(c, &a);
	if (!failed)
		return;
	if (when_ns)
		a.end_ns = when_ns;
	else if (!a.end_ns) /* it lasts, and the octet that says so has no certain time */
		a.end_ns = x->attempts->now_ns > a.start_ns ? x->attempts->now_ns : a.start_ns;
	if (!a.client) {
		tell(x, &a);
		return;
	}
	wait_for_cause(x, &a);
}

/* ---- what it was made for ---- */

/* From the read of the request to the first octet of its response, all by the thread that connected. */
static bool is_during(const struct transaction *t, const struct attempt *a)
{
	return a->tid && t->tgid == a->tgid && t->head_tid == a->tid &&
	       t->response.first_tid == a->tid && t->head_ns && t->head_ns <= a->start_ns &&
	       t->response.first_ns >= a->end_ns;
}

void attempt_claim(struct txn *x, struct open_txn *o)
{
	struct attempts *s = x->attempts;
	struct attempt **last = &o->t.attempts;
	struct waiting *w = table_oldest(s->waiting);

	if ((!w && !lookups_wait(s->lookups)) || !x->sink.alone || o->t.attempts ||
	    !x->sink.alone(x->sink.ctx, &o->t))
		return;
	lookups_settle(s->lookups, o->t.tgid, o->t.head_tid, o->t.head_ns, o->t.response.first_ns);
	w = table_oldest(s->waiting);
	for (; w; w = table_newer(s->waiting, w)) {
		if (w->claimed || !is_during(&o->t, &w->a))
			continue;
		w->claimed = true;
		w->a.next = NULL;
		*last = &w->a;
		last = &w->a.next;
	}
}

static struct waiting *entry_of(struct attempt *a)
{
	return (struct waiting *)((char *)a - offsetof(struct waiting, a));
}

void attempt_hand_out(struct txn *x, struct open_txn *o)
{
	for (struct attempt *a = o->t.attempts; a; a = a->next)
		complete(x, a);
}

void attempt_release(struct txn *x, struct open_txn *o)
{
	for (struct attempt *a = o->t.attempts, *next; a; a = next) {
		next = a->next;
		table_remove(x->attempts->waiting, entry_of(a));
	}
	o->t.attempts = NULL;
}

static bool may_have_a_cause(const struct txn *x, const struct attempt *a)
{
	return a->tid && x->sink.serves &&
	       x->sink.serves(x->sink.ctx, a->tgid, a->tid, a->start_ns);
}

/* ---- names that were not found ---- */

static void on_failed(void *ctx, const struct lookup_failure *f)
{
	struct attempt a = {
		.client = true,
		.phase = ATTEMPT_DNS,
		.error = f->error,
		.abandoned = f->abandoned,
		.start_ns = f->start_ns,
		.end_ns = f->end_ns,
		.connection_id = slice_hash(f->name, ATTEMPT_DNS),
		.family = f->family,
		.local = f->local,
		.remote = f->server,
		.retrans = f->again,
		.tgid = f->tgid,
		.tid = f->tid,
	};

	set_name(&a, f->name);
	wait_for_cause(ctx, &a);
}

static void on_found(void *ctx, struct slice name, const struct dns_message *answer)
{
	struct txn *x = ctx;

	for (unsigned i = 0; i < answer->addresses; i++) {
		struct pc_addr at = { 0 };

		memcpy(at.ip, answer->ip[i], sizeof(at.ip));
		note_name(x->attempts->found, &at, name);
	}
}

void attempt_dns(struct txn *x, const struct pc_dns *rec)
{
	lookups_push(x->attempts->lookups, rec);
}

void attempt_exit(struct txn *x, const struct pc_process *rec)
{
	lookups_exit(x->attempts->lookups, rec->tgid, rec->head.time_ns);
}

void attempt_lost(struct txn *x)
{
	lookups_lost(x->attempts->lookups);
}

void attempt_stats(const struct txn *x, struct txn_stats *ret)
{
	struct lookup_stats s;

	lookups_stats(x->attempts->lookups, &s);
	ret->lookups = s.begun;
	ret->lookups_failed = s.failed;
	ret->lookups_unobserved = s.unobserved;
	ret->dns_malformed = s.malformed;
}

/* ---- listeners ---- */

static void tell_news(struct txn *x, struct listener_news *n)
{
	n->process = n->tgid ? process_find(x->processes, n->tgid) : NULL;
	if (x->sink.listener)
		x->sink.listener(x->sink.ctx, n);
}

static void tell_all_news(struct txn *x, uint64_t before_ns)
{
	struct attempts *s = x->attempts;
	uint32_t n = 0;

	while (n < s->news_count && s->news[n].time_ns <= before_ns)
		tell_news(x, &s->news[n++]);
	if (!n)
		return;
	s->news_count -= n;
	memmove(s->news, s->news + n, s->news_count * sizeof(s->news[0]));
}

void attempt_listener(struct txn *x, const struct pc_listener *rec)
{
	struct attempts *s = x->attempts;
	bool shut = rec->head.flags & PC_F_REFUSED;
	uint64_t now_ns = rec->head.time_ns;

	if (s->news_count == NEWS)
		tell_all_news(x, UINT64_MAX);
	s->news[s->news_count++] = (struct listener_news){
		.time_ns = now_ns,
		.listener_id = rec->conn,
		.dropped = shut ? 0 : rec->turned,
		.refused = shut ? rec->turned : 0,
		.still_ns = rec->still_ns && rec->still_ns < now_ns ? now_ns - rec->still_ns : 0,
		.open = !shut,
		.waiting = rec->waiting,
		.backlog = rec->backlog,
		.family = rec->family,
		.local = rec->local,
		.tgid = rec->tgid,
	};
}

/* ---- time ---- */

void attempt_tick(struct txn *x, uint64_t now_ns)
{
	struct attempts *s = x->attempts;
	struct waiting *w, *next;

	s->now_ns = now_ns;
	lookups_tick(s->lookups, now_ns);
	w = table_oldest(s->waiting);
	for (; w && (w->claimed || w->a.end_ns + HOLD_NS <= now_ns); w = next) {
		next = table_newer(s->waiting, w);
		if (w->claimed ||
		    (w->a.end_ns + HOLD_MOST_NS > now_ns && may_have_a_cause(x, &w->a)))
			continue;
		tell(x, &w->a);
		table_remove(s->waiting, w);
	}
	if (s->news_count && now_ns > NEWS_NS)
		tell_all_news(x, now_ns - NEWS_NS);
}

void attempt_finish(struct txn *x)
{
	struct waiting *w;

	lookups_finish(x->attempts->lookups);
	while ((w = oldest_free(x->attempts))) {
		tell(x, &w->a);
		table_remove(x->attempts->waiting, w);
	}
	tell_all_news(x, UINT64_MAX);
}
