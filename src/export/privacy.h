/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privacy.h: what of a transaction may leave the process. One struct view is made of a transaction
 * and every output writes from it, so no output can forget a rule.
 *
 * Never, in any mode: Authorization, Proxy-Authorization, Cookie, Set-Cookie (the transaction stage
 * does not even copy them) and user-info in a URL. In `audience` and `customer` moreover:
 *   query      names stay, values become REDACTED, but for the parameters that were named; a name
 *              that is not like a name (it may be the value) becomes REDACTED too
 *   path       a segment like an e-mail address → {email}, a token → {token}, a number of six or
 *              more digits, a UUID or an IP address → {id}; matrix parameters lose their values
 *   addresses  of peer and client: IPv4 /24, IPv6 /48, the rest zero
 *   agent      the User-Agent field is withheld; its class (name and major version) stays
 *   types      Content-Type without its parameters
 * Referer and Location follow the rules of path and query. `none` is the wire as it was.
 */
#ifndef PC_EXPORT_PRIVACY_H
#define PC_EXPORT_PRIVACY_H

#include "base/buf.h"
#include "export/export.h"

#define PRIVACY_AGENT 33 /* octets of a class's name */

struct privacy_rules {
	enum privacy mode;
	const char *const *query_keep; /* NULL-terminated, or NULL */
	bool peer_address;
};

struct agent_class {
	char name[PRIVACY_AGENT]; /* Chrome, curl, Googlebot …; empty: no User-Agent; "other" */
	uint32_t version;	  /* major; 0 = none */
	bool bot;
};

#define PRIVACY_AGENTS 64

/* Slices point into the transaction or into `scratch`: valid until the next view_make. */
struct view {
	struct slice path, query, template_, referer, location;
	struct slice content_type, response_type; /* of request and response */
	struct slice user_agent;		  /* at == NULL: withheld or none */
	bool has_query;
	struct agent_class agent;
	char peer[46], local[46], client[46]; /* text; empty = unobserved or none */
	bool client_is_peer;
	struct buf scratch;
	struct
	{ /* classes of the User-Agents seen last, by hash: the same few come again and again */
		uint64_t hash;
		struct agent_class class;
	} agents[PRIVACY_AGENTS];
};

void view_init(struct view *v);
void view_done(struct view *v);
/* -ENOMEM, or -ENOBUFS where the texts are longer than any head: nothing of it may be exported. */
int view_make(struct view *v, const struct privacy_rules *rules, const struct transaction *t);

/* The parts, for tests and for metrics. Output is appended to `out`. */
bool privacy_is_secret(struct slice word); /* an e-mail address, a token, a long number */
void privacy_path(struct slice path, struct buf *out);
void privacy_query(struct slice query, const char *const *keep, struct buf *out);
void privacy_url(struct slice url, const struct privacy_rules *rules, struct buf *out);
/* False: the path has nothing that privacy_path would change. */
bool privacy_path_speaks(struct slice path);
void agent_classify(struct slice user_agent, struct agent_class *ret); /* view.c */
/* False: no IP address. First element of X-Forwarded-For, with or without a port. */
bool forwarded_first(struct slice forwarded_for, struct pc_addr *ret);
void privacy_address(const struct pc_addr *a, bool truncate, char ret_text[46]);

#endif
