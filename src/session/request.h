/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.h: what a request says by itself: who asked, whether it counts as a sign of life, and which
 * site it belongs to. The one rule of sites: what the operator configured (site.name, site.hosts), else
 * the host that it was sent to at the edge, in lower case, without port and "www."; behind a proxy that is
 * trusted the host that this one was asked for, where it says so (who.h); a call made by a page
 * (XHR, fetch) belongs to the site of its Origin or Referer, where that is configured, seen here or shares
 * its last two labels with the host. An inner hop belongs to the site of the request that caused it
 * (session.c); where that is not certain, to that of its own host.
 * Sites are interned and bounded; one that is in use is never let go. One thread.
 */
#ifndef PC_SESSION_REQUEST_H
#define PC_SESSION_REQUEST_H

#include "base/sip.h"
#include "session/who.h"
#include "txn/txn.h"

struct known_site {
	uint64_t hash;	  /* key of the table: of the name, keyed by the site secret; its mark */
	uint32_t used_by; /* identities */
	struct site name;
};

struct sites;
struct request;

/* `name`: of everything, or NULL. `hosts`: "host=site", NULL-terminated or NULL. Strings are borrowed. */
int sites_new(uint32_t max, const struct sip_key *key, struct sites **ret);
void sites_name(struct sites *s, const char *name, const char *const *hosts);
void sites_free(struct sites *s);
/* NULL: no host known, or no room. */
struct known_site *sites_of(struct sites *s, const struct request *r);
struct known_site *sites_by_name(struct sites *s, struct slice name);
/* The URL is of a host that was configured to be of this site: *ret_host of it. */
bool sites_has_url(const struct sites *s, const struct known_site *site, struct slice url,
		   struct slice *ret_host);
struct known_site *sites_by_mark(struct sites *s, uint64_t mark); /* NULL: let go meanwhile */
static inline struct slice site_name(const struct known_site *s)
{
	return site_slice(&s->name);
}

/* ---- what a request is ---- */

/* What who.h says of a transaction; points into it. */
struct request {
	const struct transaction *t;
	struct who_fields fields;
	struct page page;
	struct client client;
	struct slice authority,
		host;	 /* asked for, by the client's own word: with and without port */
	bool navigation; /* it says itself that it goes to a page; who only fetches one does not */
	bool counts;	 /* it may open or prolong a visit: no preflight, HEAD or icon */
};

void request_read(const struct transaction *t, const struct trust *trust, struct request *ret);
/* It comes from a page of the same host, by its Referer. */
bool request_is_internal(const struct request *r);
/* Nothing that tells visitors apart, nor a cookie of which it is not known yet what it is. */
bool request_brings_nothing(const struct transaction *t);
/* It changes a basket or goes to the checkout. */
bool request_touches_cart(const struct transaction *t);

#endif
