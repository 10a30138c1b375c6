/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.c: see inside.h. Requests lie in lists by process, method and the end of the target (last segment
 * and query), which a prefix leaves as it is. Which list is a keyed hash: strangers write targets.
 */
#include "trace/inside.h"

#include <errno.h>
#include <stdlib.h>

#include "base/sip.h"
#include "stream/address.h"

#define LISTS	 4096
#define LOOKS_AT 128 /* of one list: more that look alike would be ambiguous anyhow */

struct inside {
	uint64_t seed;
	struct inside_stats stats;
	struct list serving[LISTS];
};

/* What the outgoing request says of the one that came in. */
struct witness {
	struct slice request_id, traceparent;
	struct pc_addr peers[3]; /* last forwarded for; port 0: not said */
	unsigned peer_count;
};

enum fit { FIT_NOT, FIT_PEER, FIT_NAME };

int inside_new(struct inside **ret)
{
	struct inside *i = calloc(1, sizeof(*i));
	struct sip_key key;

	if (!i)
		return -ENOMEM;
	sip_key_random(&key);
	i->seed = key.k0;
	for (unsigned n = 0; n < LISTS; n++)
		list_init(&i->serving[n]);
	*ret = i;
	return 0;
}

void inside_free(struct inside *i)
{
	free(i);
}

void inside_stats(const struct inside *i, struct inside_stats *ret)
{
	*ret = i->stats;
}

/* From the last '/' of the path on. */
static struct slice tail_of(const struct transaction *t)
{
	size_t from = t->path.len;

	while (from && t->path.at[from - 1] != '/')
		from--;
	return slice_sub(t->path, from, t->path.len);
}

static struct list *list_of(struct inside *i, const struct transaction *t)
{
	uint64_t h = slice_mix(tail_of(t), i->seed ^ t->tgid);

	h = slice_mix(t->query, h ^ t->method.len);
	return &i->serving[h % LISTS];
}

void inside_serve(struct inside *i, struct transaction *server)
{
	if (!server->tgid || !server->start_ns || !server->path.len)
		return;
	list_append(list_of(i, server), &server->open.list);
}

void inside_forget(struct transaction *t)
{
	if (t->open.list.next)
		list_remove(&t->open.list);
}

/* ---- what a head says ---- */

static struct slice field(const struct transaction *t, struct slice name)
{
	const struct txn_message *m = &t->request;

	for (uint32_t i = 0; i < m->field_count; i++)
		if (slice_eq(m->fields[i].name, name))
			return m->fields[i].value;
	return (struct slice){ 0 };
}

/* The last member of a list, which may be spread over several fields. */
static struct slice last_member(const struct transaction *t, struct slice name)
{
	const struct txn_message *m = &t->request;
	struct slice last = { 0 };

	for (uint32_t i = 0; i < m->field_count; i++)
		if (slice_eq(m->fields[i].name, name))
			last = m->fields[i].value;
	while (slice_find(last, ',') >= 0)
		slice_next(&last, ',');
	return slice_trim(last);
}

/* RFC 7239: for="[2001:db8::1]:4711";proto=http */
static struct slice forwarded_for(struct slice member)
{
	while (member.at) {
		struct slice value = slice_trim(slice_next(&member, ';')), name;

		name = slice_next(&value, '=');
		if (!slice_ieq(name, SLICE("for")))
			continue;
		if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
			value = slice_sub(value, 1, value.len - 1);
		return value;
	}
	return (struct slice){ 0 };
}

static void add_peer(struct witness *w, struct slice text)
{
	if (text.len && !address_parse(text, &w->peers[w->peer_count]))
		w->peer_count++;
}

static void ask_head(const struct transaction *client, struct witness *ret)
{
	*ret = (struct witness){
		.request_id = field(client, SLICE("x-request-id")),
		.traceparent = field(client, SLICE("traceparent")),
	};
	add_peer(ret, last_member(client, SLICE("x-forwarded-for")));
	add_peer(ret, forwarded_for(last_member(client, SLICE("forwarded"))));
	add_peer(ret, field(client, SLICE("x-real-ip")));
}

/* ---- does it fit? ---- */

static bool same_address(const struct pc_addr *a, const struct pc_addr *b)
{
	return !memcmp(a->ip, b->ip, sizeof(a->ip));
}

/* All that are named must be the peer: one that is not says that this is another's request. */
static enum fit fit_peers(const struct witness *w, const struct transaction *server)
{
	enum fit fit = FIT_NOT;

	for (unsigned i = 0; i < w->peer_count; i++) {
		const struct pc_addr *named = &w->peers[i], *peer = &server->remote;

		if (same_address(named, &server->source))
			peer = &server->source;
		if (address_is_none(peer) || !same_address(named, peer))
			return FIT_NOT;
		if (named->port && named->port != peer->port)
			return FIT_NOT;
		if (fit != FIT_NAME)
			fit = named->port ? FIT_NAME : FIT_PEER;
	}
	return fit;
}

static bool same_target(const struct transaction *a, const struct transaction *b)
{
	return a->has_query == b->has_query && slice_eq(a->query, b->query) &&
	       (slice_ends(a->path, b->path) || slice_ends(b->path, a->path));
}

static enum fit fit_of(const struct witness *w, const struct transaction *server,
		       const struct transaction *client)
{
	struct slice id, parent;

	if (server->tgid != client->tgid || server->start_ns > client->start_ns ||
	    server->response.seen || !slice_eq(server->method, client->method) ||
	    !same_target(server, client) || !slice_eq(server->user_agent, client->user_agent) ||
	    !slice_eq(server->referer, client->referer))
		return FIT_NOT;
	id = field(server, SLICE("x-request-id"));
	if (id.len && w->request_id.len)
		return slice_eq(id, w->request_id) ? FIT_NAME : FIT_NOT;
	parent = field(server, SLICE("traceparent"));
	if (parent.len && slice_eq(parent, w->traceparent))
		return FIT_NAME;
	return fit_peers(w, server);
}

bool inside_fits(const struct transaction *server, const struct transaction *client)
{
	struct witness w;

	ask_head(client, &w);
	return fit_of(&w, server, client) != FIT_NOT;
}

struct transaction *inside_cause(struct inside *i, const struct transaction *client, bool doubted,
				 bool *ret_passed_on)
{
	struct transaction *found[] = { [FIT_NAME] = NULL };
	unsigned fits[] = { [FIT_NAME] = 0 }, looks = 0;
	bool first = true; /* no other call fits the one found by its peer */
	struct witness w;
	struct list *list;
	enum fit best;

	*ret_passed_on = false;
	if (!client->tgid || !client->start_ns || !client->path.len)
		return NULL;
	list = list_of(i, client);
	if (list_empty(list))
		return NULL;
	ask_head(client, &w);
	for (struct list *n = list->next; n != list; n = n->next) {
		struct transaction *server = list_entry(n, struct transaction, open.list);
		enum fit fit;

		if (++looks > LOOKS_AT) {
			fits[FIT_NAME] = 2;
			break;
		}
		fit = fit_of(&w, server, client);
		fits[fit]++;
		found[fit] = server;
		if (fit == FIT_NOT)
			continue;
		first = first && !(fit == FIT_PEER && server->open.asked);
		server->open.asked = true;
	}
	*ret_passed_on = fits[FIT_NAME] + fits[FIT_PEER] > 0;
	best = fits[FIT_NAME] ? FIT_NAME : FIT_PEER;
	i->stats.ambiguous += fits[best] > 1;
	if (fits[best] != 1 || (best == FIT_PEER && (!first || doubted)))
		return NULL;
	i->stats.found++;
	return found[best];
}
