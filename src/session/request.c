/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.c: see request.h. A Host field is a stranger's text: what is no host name makes no site, and a
 * flood of made-up names only pushes out names that nobody uses.
 */
#include "session/request.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/sip.h"
#include "base/table.h"
#include "txn/target/target.h"

/* What a Host field said lately, and the site that it is: one slot each, who came there last stays. */
#define HOSTS	 16 /* power of two */
#define HOST_LEN 112

struct host {
	struct known_site *site; /* NULL: free */
	uint32_t len;
	char name[HOST_LEN];
};

struct sites {
	struct table *table;
	struct host lately[HOSTS];
	struct sip_key key;
	const char *name;
	const char *const *hosts;
};

int sites_new(uint32_t max, const struct sip_key *key, struct sites **ret)
{
	struct sites *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->key = *key;
	err = table_new(sizeof(struct known_site), sizeof(uint64_t), max, &s->table);
	if (err) {
		sites_free(s);
		return err;
	}
	*ret = s;
	return 0;
}

void sites_name(struct sites *s, const char *name, const char *const *hosts)
{
	s->name = name;
	s->hosts = hosts;
}

void sites_free(struct sites *s)
{
	if (!s)
		return;
	table_free(s->table);
	free(s);
}

static struct slice field_of(const struct txn_message *m, struct slice name)
{
	for (uint32_t i = 0; i < m->field_count; i++)
		if (slice_eq(m->fields[i].name, name))
			return m->fields[i].value;
	return slice_of(NULL, 0);
}

/* Host, or what the proxy in front made it of. */
static void set_host(struct request *r)
{
	struct slice forwarded = { 0 };
	struct authority a;

	r->authority = r->t->authority;
	r->host = r->t->server_name;
	if (r->client.proxies)
		forwarded = client_forwarded_host(&r->fields, &r->client);
	if (!forwarded.at)
		return;
	r->authority = authority_strip(forwarded);
	authority_parse(r->authority, &a);
	r->host = a.name;
}

void request_read(const struct transaction *t, const struct trust *trust, struct request *ret)
{
	const struct client_peer peer = { .observed = !(t->unobserved & UNOBSERVED_ADDRESS),
					  .unix_socket = t->family == AF_UNIX,
					  .address = t->remote,
					  .source = t->source };
	struct page_signs signs;

	ret->t = t;
	who_fields_find(t->request.fields, t->request.field_count, &ret->fields);
	client_address(trust, &ret->fields, &peer, &ret->client);
	set_host(ret);
	page_signs_of(t->method, t->path, &ret->fields, &signs);
	page_kind_of(&signs, t->response.seen ? t->status : 0, t->response_type,
		     field_of(&t->response, SLICE("content-disposition")), &ret->page);
	ret->navigation =
		(ret->page.kind == PAGE_NAVIGATION || ret->page.kind == PAGE_DOWNLOAD) &&
		(ret->page.evidence == EVIDENCE_FETCH || ret->page.evidence == EVIDENCE_NAVIGATES ||
		 ret->page.evidence == EVIDENCE_ACCEPT);
	ret->counts = !(ret->page.flags & PAGE_PASSIVE) && ret->page.kind != PAGE_PREFLIGHT;
}

static struct slice host_of(struct slice url)
{
	struct authority a;
	long at = slice_find_slice(url, SLICE("://"));

	if (at < 0)
		return slice_of(NULL, 0);
	url = slice_sub(url, (size_t)at + 3, url.len);
	authority_parse(slice_next(&url, '/'), &a);
	return a.name;
}

bool request_is_internal(const struct request *r)
{
	struct slice host = host_of(r->t->referer);

	return host.len && (slice_ieq(host, r->host) || slice_ieq(host, r->t->server_name));
}

bool request_brings_nothing(const struct transaction *t)
{
	const struct evidence_list *list = &t->request.evidence;

	for (uint32_t i = 0; i < list->count; i++)
		if (list->at[i].kind <= EVIDENCE_TOKEN)
			return false;
	return true;
}

bool request_touches_cart(const struct transaction *t)
{
	/* each with a letter that is seldom in others */
	static const struct {
		struct slice word;
		char seldom;
	} words[] = { { SLICE("cart"), 'c' },
		      { SLICE("basket"), 'k' },
		      { SLICE("checkout"), 'k' } };
	bool safe = slice_eq(t->method, SLICE("GET"));

	for (uint32_t i = 0; i < t->request.evidence.count; i++)
		if (t->request.evidence.at[i].kind == EVIDENCE_CART)
			return true;
	for (unsigned i = safe ? 2 : 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_find(t->path, words[i].seldom) >= 0 &&
		    slice_find_slice(t->path, words[i].word) >= 0)
			return true;
	return false;
}

static struct known_site *find(const struct sites *s, const struct site *name)
{
	const uint64_t key = sip13(&s->key, name->at, name->len);

	return name->len ? table_find(s->table, &key) : NULL;
}

static void forget(struct sites *s, struct known_site *site)
{
	for (unsigned i = 0; i < HOSTS; i++)
		if (s->lately[i].site == site)
			s->lately[i].site = NULL;
	table_remove(s->table, site);
}

static struct known_site *intern(struct sites *s, const struct site *name)
{
	const uint64_t key = sip13(&s->key, name->at, name->len);
	struct known_site *site = find(s, name);
	bool fresh;

	if (site || !name->len)
		return site;
	site = table_add(s->table, &key, &fresh);
	for (struct known_site *old = table_oldest(s->table); !site && old;) {
		struct known_site *newer = table_newer(s->table, old);

		if (!old->used_by) {
			forget(s, old);
			site = table_add(s->table, &key, &fresh);
		}
		old = newer;
	}
	if (site)
		site->name = *name;
	return site;
}

/* By the host as it was sent, with its port or without, or as sites are named; NULL: by none. */
static const char *configured(const struct sites *s, struct slice authority, struct slice host)
{
	struct site name;

	if (!s->hosts)
		return NULL;
	site_of_name(host, &name);
	for (const char *const *h = s->hosts; *h; h++) {
		struct slice to = slice_str(*h), from = slice_next(&to, '=');

		if (slice_ieq(from, host) || slice_ieq(from, authority) ||
		    slice_ieq(from, site_slice(&name)))
			return to.at;
	}
	return NULL;
}

struct known_site *sites_by_name(struct sites *s, struct slice name)
{
	struct host *h = &s->lately[slice_mix(name, 0) % HOSTS];
	struct known_site *site;
	struct site normal;

	if (h->site && slice_eq(slice_of(h->name, h->len), name))
		return h->site;
	site_of_name(name, &normal);
	site = intern(s, &normal);
	if (site && name.len <= HOST_LEN) {
		h->site = site;
		h->len = (uint32_t)name.len;
		memcpy(h->name, name.at, name.len);
	}
	return site;
}

bool sites_has_url(const struct sites *s, const struct known_site *site, struct slice url,
		   struct slice *ret_host)
{
	struct slice host;
	struct site named;
	const char *name;

	if (!s->hosts || !url.len)
		return false;
	host = host_of(url);
	name = configured(s, host, host);
	site_of_name(slice_str(name), &named);
	if (!name || !slice_eq(site_slice(&named), site_name(site)))
		return false;
	*ret_host = host;
	return true;
}

struct known_site *sites_by_mark(struct sites *s, uint64_t mark)
{
	return mark ? table_find(s->table, &mark) : NULL;
}

/* The last two labels; the whole name where it has no more, or is an address. */
static struct slice tail_of(struct slice host)
{
	unsigned dots = 0;

	if (!host.len || (host.at[host.len - 1] >= '0' && host.at[host.len - 1] <= '9'))
		return host;
	for (size_t i = host.len; i-- > 0;)
		if (host.at[i] == '.' && ++dots == 2)
			return slice_sub(host, i + 1, host.len);
	return host;
}

/* Where the page of a call stands; NULL: nowhere that may count. */
static struct known_site *caller_of(struct sites *s, const struct request *r)
{
	struct site from, host;
	const char *name;

	site_of_caller(&r->fields, &from);
	if (!from.len)
		return NULL;
	name = configured(s, site_slice(&from), site_slice(&from));
	if (name)
		return sites_by_name(s, slice_str(name));
	site_of_name(r->host, &host);
	if (slice_eq(tail_of(site_slice(&from)), tail_of(site_slice(&host))))
		return intern(s, &from);
	return find(s, &from);
}

struct known_site *sites_of(struct sites *s, const struct request *r)
{
	const struct transaction *t = r->t;
	struct known_site *caller = NULL;
	const char *name = s->name;

	if (!name)
		name = configured(s, r->authority, r->host);
	if (!name && r->host.at != t->server_name.at)
		name = configured(s, t->authority, t->server_name);
	if (name)
		return sites_by_name(s, slice_str(name));
	if (page_kind_is_call(r->page.kind))
		caller = caller_of(s, r);
	return caller ? caller : sites_by_name(s, r->host);
}
