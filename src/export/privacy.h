/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privacy.h: what of a transaction may leave the process. One struct view is made of a transaction
 * and every output writes from it, so no output can forget a rule.
 *
 * Never, in any mode: Authorization, Proxy-Authorization, Cookie, Set-Cookie (the transaction stage
 * does not even copy them) and user-info in a URL. In `audience` and `customer` moreover:
 *   query      names stay, values become REDACTED, but for the parameters that were named; what may
 *              be a value becomes REDACTED too: a name that is not like a name, one without "="
 *   path       a segment like an e-mail address → {email}, a token → {token}, a number of six or
 *              more digits, a UUID or an IP address → {id}; matrix parameters lose their values
 *   addresses  IPv4 /24, IPv6 /48, the rest zero: of the peer, of our own end (it is a person's where
 *              the host is), of the client, and where a host is named by its address: Host, absolute
 *              targets, Referer, Location; never a whole one but by name (peer_address)
 *   hosts      a label of a host's name (Host, site, Referer, Location …) by the rules of a path's segment
 *   agent      the User-Agent field is withheld; its class (session/who.h: name and major version) stays
 *   types      Content-Type without its parameters; what has not the form of a type, or
 *              is like a token, becomes REDACTED
 *   names      an unknown method, the scheme of a target and the protocol that was switched to: what is
 *              like a token, an address or an e-mail address becomes REDACTED
 *   tracestate only OpenTelemetry's own member, and of that th and rv: others' values are opaque, and
 *              some vendors put a user's id there
 *   events     in texts that a rule took of the content (names, reasons, terms …) a card's number → {card}, a
 *              word like an e-mail address → {email}, a token → {token}; in ids (orders, items) the first two;
 *              a cart's id that is like a token, which may open the cart to who has it → its SHA-256
 *   executable  the directory below one named home, which is named like a person, becomes {user}
 *   fragment   cut off, also where a client sent one in its target
 * Referer and Location follow the rules of path and query. `none` is the wire as it was.
 */
#ifndef PC_EXPORT_PRIVACY_H
#define PC_EXPORT_PRIVACY_H

#include "base/buf.h"
#include "export/export.h"

#define PRIVACY_HOST 320 /* of a host's name (253 at most), its labels grown by marks, and NUL */

struct privacy_rules {
	enum privacy mode;
	const char *const *query_keep; /* NULL-terminated, or NULL */
	bool peer_address;	       /* whole addresses in any mode */
	const char *site; /* of the configuration, as the next: may leave as they are */
	const char *const *site_hosts; /* "host=site" */
};

/* Addresses are. */
static inline bool privacy_truncates(enum privacy mode, bool peer_address)
{
	return mode != PRIVACY_NONE && !peer_address;
}

/* Slices point into the transaction or into `scratch`: valid until the next view_make. */
struct view {
	struct slice path, query, template_, referer, location;
	struct slice content_type, response_type; /* of request and response */
	struct slice user_agent;		  /* at == NULL: withheld or none */
	struct slice method;			  /* as sent */
	struct slice executable;		  /* at == NULL: unknown */
	struct slice scheme, upgrade;
	struct slice tracestate;
	struct slice server;	/* server.address; at == NULL: none is known */
	struct slice authority; /* of url.full; at == NULL: none was named */
	bool has_query;
	char peer[46], local[46], client[46]; /* text; empty = unobserved or none */
	char host[PRIVACY_HOST];	      /* of a host whose name may not leave as it is */
	struct slice site;		      /* at == NULL: none */
	char site_text[PRIVACY_HOST];	      /* of a site, likewise */
	struct buf scratch;
};

void view_init(struct view *v);
void view_done(struct view *v);
/* -ENOMEM, or -ENOBUFS where the texts are longer than any head: nothing of it may be exported. */
int view_make(struct view *v, const struct privacy_rules *rules, const struct transaction *t);

/* The parts, for tests and for metrics. Output is appended to `out`. */
bool privacy_is_secret(struct slice word); /* an e-mail address, a token, a long number */
bool privacy_is_email(struct slice word);
bool privacy_is_token(struct slice word);
/* Digits of a payment card at the start of `s`, with single blanks, hyphens or dots between them: 13 to 19, the
 * first ones of a brand, Luhn's sum right (ISO/IEC 7812-1 annex B). Returns the octets, 0 where there is none. */
size_t privacy_card(struct slice s);
/* What is written instead of a segment of a path: {email}, {token}, {id}; NULL: itself. */
const char *privacy_segment(struct slice segment);
void privacy_path(struct slice path, struct buf *out);
void privacy_query(struct slice query, const char *const *keep, struct buf *out);
void privacy_url(struct slice url, const struct privacy_rules *rules, struct buf *out);
/* False: the path has nothing that privacy_path would change. */
bool privacy_path_speaks(struct slice path);
/* Of an executable: itself, or what was appended to `out`. */
struct slice privacy_executable(struct slice path, struct buf *out);
/* The members that may leave; empty = none. */
void privacy_tracestate(struct slice tracestate, struct buf *out);

/* host.c */
void privacy_address(const struct pc_addr *a, bool truncate, char ret_text[46]);
/* True: *ret_text is what may leave instead: of an IP address, in whatever form, the truncated one (`addresses`:
 * they may leave whole); of a name its labels without what is secret. False for host [":" port] too. */
bool privacy_host(struct slice host, bool addresses, char ret_text[PRIVACY_HOST]);
/* Sites are hosts. What may leave of one: itself, or *ret_text. */
struct slice privacy_site(struct slice site, const struct privacy_rules *rules,
			  char ret_text[PRIVACY_HOST]);
/* host [":" port], the host as above. */
void privacy_authority(struct slice authority, bool addresses, struct buf *out);

#endif
