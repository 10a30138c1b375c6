/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ends.c: see ends.h. Two tables of client ends, the open ones and those that closed, in order of closing; one
 * of processes; one of the addresses that this host has, as far as its sockets have shown them.
 */
#include "trace/ends.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/table.h"
#include "stream/address.h"
#include "trace/calls.h"

#define HOSTS 256

struct host {
	uint8_t ip[16]; /* key */
};

enum name_kind { NAME_ISN = 1, NAME_SOCKET };

struct client_end { /* entry of both tables; the key comes first */
	uint64_t kind;
	uint64_t name;
	uint64_t closed_ns;
	uint64_t begun; /* the latest request that it wrote began before this position */
	uint32_t tgid;	/* of the client */
	bool mute;	/* what it writes is not told in time */
};
#define END_KEY (2 * sizeof(uint64_t))

struct ends {
	struct table *open, *closed;
	struct table *serving; /* by tgid */
	struct table *hosts;   /* by address */
};

int ends_new(uint32_t limit, struct ends **ret)
{
	struct ends *e = calloc(1, sizeof(*e));
	int err;

	if (!e)
		return -ENOMEM;
	err = table_new(sizeof(struct client_end), END_KEY, limit, &e->open);
	if (err)
		goto fail;
	err = table_new(sizeof(struct client_end), END_KEY, limit, &e->closed);
	if (err)
		goto fail;
	err = table_new(sizeof(uint64_t), sizeof(uint64_t), limit, &e->serving);
	if (err)
		goto fail;
	err = table_new(sizeof(struct host), sizeof(((struct pc_addr *)0)->ip), HOSTS, &e->hosts);
	if (err)
		goto fail;
	*ret = e;
	return 0;
fail:
	ends_free(e);
	return err;
}

void ends_free(struct ends *e)
{
	if (!e)
		return;
	table_free(e->open);
	table_free(e->closed);
	table_free(e->serving);
	table_free(e->hosts);
	free(e);
}

/* ---- names ---- */

static struct client_end name_isn(uint32_t client, uint32_t server)
{
	return (struct client_end){ .kind = NAME_ISN, .name = (uint64_t)client << 32 | server };
}

static struct client_end name_socket(uint64_t id)
{
	return (struct client_end){ .kind = NAME_SOCKET, .name = id };
}

/* What the server's end can say of a client's end. */
static struct client_end name_of(const struct connection *c)
{
	struct exchange e;

	if (exchange_of(c, SIDE_CLIENT, &e))
		return name_isn(e.isn_client, e.isn_server);
	return name_socket(c->id);
}

/* Of a request, equal at both ends. */
static uint64_t position_of(const struct transaction *x)
{
	return x->unobserved & UNOBSERVED_EXCHANGE ? x->request.pos : x->exchange_pos;
}

static void *add(struct table *table, const void *key)
{
	void *entry;
	bool fresh;

	entry = table_add(table, key, &fresh);
	if (entry || !table_oldest(table))
		return entry;
	table_remove(table, table_oldest(table));
	return table_add(table, key, &fresh);
}

/* ---- this host ---- */

static void note_host(struct ends *e, const struct connection *c)
{
	if (c->opened && c->family != AF_UNIX)
		add(e->hosts, c->local.ip);
}

/* May the client be of this host? */
static bool is_here(const struct ends *e, const struct transaction *x)
{
	return address_is_loopback(&x->remote) || table_find(e->hosts, x->remote.ip);
}

/* ---- client ends ---- */

void ends_made(struct ends *e, const struct connection *c)
{
	struct client_end key = name_of(c), *end = add(e->open, &key);

	if (end)
		end->tgid = c->tgid;
	note_host(e, c);
}

void ends_open(struct ends *e, const struct connection *c, enum side side)
{
	const uint64_t tgid = c->tgid;
	uint64_t *serving;

	if (side == SIDE_CLIENT) {
		ends_made(e, c);
		return;
	}
	note_host(e, c);
	serving = tgid ? add(e->serving, &tgid) : NULL;
	if (serving)
		table_touch(e->serving, serving);
}

void ends_close(struct ends *e, const struct connection *c, uint64_t now_ns)
{
	struct client_end key = name_of(c), was, *end;

	end = table_find(e->open, &key);
	if (!end)
		return; /* a server's end, or forgotten */
	was = *end;
	table_remove(e->open, end);
	end = add(e->closed, &key);
	if (!end)
		return;
	end->tgid = was.tgid;
	end->begun = was.begun;
	end->mute = was.mute;
	end->closed_ns = now_ns;
	table_touch(e->closed, end);
}

void ends_begin(struct ends *e, const struct transaction *x)
{
	struct client_end key = name_socket(x->connection_id), *end;

	if (!(x->unobserved & UNOBSERVED_EXCHANGE))
		key = name_isn(x->isn_client, x->isn_server);
	end = table_find(e->open, &key);
	if (end)
		end->begun = position_of(x) + 1;
}

struct client_end *ends_find(const struct ends *e, const struct transaction *x)
{
	struct client_end key = name_socket(x->peer_id);
	struct client_end *end;

	if (!(x->unobserved & UNOBSERVED_EXCHANGE))
		key = name_isn(x->isn_client, x->isn_server);
	else if (!x->peer_id || !x->request.seen)
		return NULL;
	end = table_find(e->open, &key);
	return end ? end : table_find(e->closed, &key);
}

bool ends_has_begun(const struct client_end *end, const struct transaction *x)
{
	return position_of(x) < end->begun;
}

bool ends_is_awaited(const struct ends *e, const struct transaction *x)
{
	const struct client_end *end = ends_find(e, x);
	bool unix_socket = x->family == AF_UNIX;

	if (end)
		return !end->mute && !ends_has_begun(end, x);
	if (x->ordinal || !x->request.seen)
		return false;
	if (unix_socket)
		return x->peer_id;
	return x->flags & TXN_JOINED && !(x->unobserved & UNOBSERVED_EXCHANGE) && is_here(e, x);
}

void ends_give_up(struct client_end *end)
{
	end->mute = true;
}

/* ---- processes ---- */

bool ends_serves(const struct ends *e, uint32_t tgid)
{
	const uint64_t key = tgid;

	return key && table_find(e->serving, &key);
}

bool ends_is_inner(const struct ends *e, const struct client_end *end)
{
	return ends_serves(e, end->tgid);
}

void ends_tick(struct ends *e, uint64_t now_ns)
{
	struct client_end *end;

	while ((end = table_oldest(e->closed)) && end->closed_ns + LINK_GRACE_NS <= now_ns)
		table_remove(e->closed, end);
}
