/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reach.c: connections that came to nothing and listeners that turned somebody away → the same with their
 * page, their site and the name of the fact. What a call that failed was made for has the page; what a
 * listener did has the site of its port, where all requests on that port were of one.
 */
#include "session/internal.h"

#define PORTS	  1024
#define SITE_MOST 256

struct port_site {
	uint64_t port; /* key */
	uint64_t hash;
	bool several;
	uint16_t len;
	char name[SITE_MOST];
};

int reach_new(struct table **ret)
{
	return table_new(sizeof(struct port_site), sizeof(uint64_t), PORTS, ret);
}

/* Requests of one port come one after the other, so what it was last is looked at first. */
void reach_learn(struct session *s, const struct transaction *t)
{
	const uint64_t port = t->server_port;
	struct port_site *p = s->latest_port;
	bool fresh = false;
	uint64_t hash;

	if (!port || !t->site.len || t->site.len > SITE_MOST)
		return;
	if (!p || p->port != port) {
		p = table_add(s->ports, &port, &fresh);
		if (!p && table_oldest(s->ports)) {
			s->latest_port = NULL; /* it may be the one that goes */
			table_remove(s->ports, table_oldest(s->ports));
			p = table_add(s->ports, &port, &fresh);
		}
		if (!p)
			return;
		table_touch(s->ports, p);
		s->latest_port = p;
	}
	if (p->several)
		return;
	hash = slice_hash(t->site, 1);
	if (!fresh) {
		p->several = p->hash != hash;
		return;
	}
	p->hash = hash;
	p->len = (uint16_t)t->site.len;
	memcpy(p->name, t->site.at, t->site.len);
}

static struct slice site_of_port(const struct session *s, uint16_t port)
{
	const uint64_t key = port;
	const struct port_site *p = table_find(s->ports, &key);

	if (s->options.site)
		return slice_str(s->options.site);
	return p && !p->several ? slice_of(p->name, p->len) : slice_of(NULL, 0);
}

/* Nobody else sees this end of it: the name has the end and the moment. */
static void name_fact(struct session *s, struct slice event, struct slice site, uint64_t id,
		      uint64_t at_ns, const struct pc_addr *local, uint8_t ret[KEY_BYTES])
{
	uint64_t at_unix_ns = session_unix(s, at_ns);
	uint8_t what[16 + 18];

	for (unsigned i = 0; i < 8; i++) {
		what[i] = (uint8_t)(id >> (56 - 8 * i));
		what[8 + i] = (uint8_t)(at_unix_ns >> (56 - 8 * i));
	}
	memcpy(what + 16, local->ip, 16);
	what[32] = (uint8_t)(local->port >> 8);
	what[33] = (uint8_t)local->port;
	keys_event(s->keys, event, site, slice_of((const char *)what, sizeof(what)), ret);
}

static void tell(struct session *s, struct attempt *a)
{
	if (!s->sink.attempt)
		return;
	name_fact(s, SLICE("parcours.connection.failure"), a->site, a->connection_id, a->end_ns,
		  &a->local, a->event_id);
	s->sink.attempt(s->sink.ctx, a);
}

void reach_failed(struct session *s, const struct transaction *t)
{
	for (const struct attempt *a = t->attempts; a; a = a->next)
		if (attempt_failed(a))
			pages_failed(s->pages, t->trace_id, a->end_ns,
				     slice_of(a->name, a->name_len));
}

void reach_tell(struct session *s, const struct transaction *t)
{
	for (struct attempt *a = t->attempts; a; a = a->next) {
		a->site = t->site;
		a->has_session = t->has_session;
		memcpy(a->session_id, t->session_id, sizeof(a->session_id));
		memcpy(a->session_key, t->session_key, sizeof(a->session_key));
		a->has_page = t->has_session && t->has_page;
		memcpy(a->page_id, t->page_id, sizeof(a->page_id));
		tell(s, a);
	}
}

void reach_attempt(void *ctx, struct attempt *a)
{
	struct session *s = ctx;

	if (!a->client)
		a->site = site_of_port(s, a->local.port);
	tell(s, a);
}

void reach_listener(void *ctx, struct listener_news *n)
{
	struct session *s = ctx;

	if (!s->sink.listener)
		return;
	n->site = site_of_port(s, n->local.port);
	name_fact(s, SLICE("parcours.listener"), n->site, n->listener_id, n->time_ns, &n->local,
		  n->event_id);
	s->sink.listener(s->sink.ctx, n);
}
