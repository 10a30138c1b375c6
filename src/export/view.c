/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.c: the exportable view of one transaction (see privacy.h): applies the rules of privacy.c to
 * its texts and writes its addresses as text. Of a User-Agent field its class leaves always (who.h: a word of our
 * lists, what statistics need and many thousands of people share), the field itself only with `none`.
 */
#include <ctype.h>
#include <errno.h>
#include <sys/socket.h>

#include "export/privacy.h"

#define SCRATCH_MAX (1u << 20) /* five times a head of 64 KiB, and room */
#define GROWTH	    5	       /* "!" in a query becomes "REDACTED" and "=": the worst there is */

void view_init(struct view *v)
{
	memset(v, 0, sizeof(*v));
	buf_init(&v->scratch, SCRATCH_MAX);
}

void view_done(struct view *v)
{
	buf_done(&v->scratch);
}

static void set_addresses(struct view *v, const struct privacy_rules *rules,
			  const struct transaction *t)
{
	bool truncate = privacy_truncates(rules->mode, rules->peer_address);

	v->peer[0] = v->local[0] = v->client[0] = 0;
	if (!(t->unobserved & UNOBSERVED_ADDRESS) && t->family != AF_UNIX) {
		privacy_address(&t->remote, truncate, v->peer);
		privacy_address(&t->local, truncate, v->local);
	}
	v->site = privacy_site(t->site, rules, v->site_text);
	if (t->side == SIDE_SERVER && t->client_source)
		privacy_address(&t->client, truncate, v->client);
}

static struct slice since(const struct view *v, size_t from)
{
	return slice_sub(buf_slice(&v->scratch), from, v->scratch.len);
}

static struct slice make_url(struct view *v, const struct privacy_rules *rules, struct slice url)
{
	size_t from = v->scratch.len;

	if (!url.at)
		return url;
	privacy_url(url, rules, &v->scratch);
	return since(v, from);
}

static struct slice make_path(struct view *v, struct slice path)
{
	size_t from = v->scratch.len;

	if (!privacy_path_speaks(path))
		return path;
	privacy_path(path, &v->scratch);
	return since(v, from);
}

/* Parameters of a media type may hold a file's name, and with it a person's; what is no type at all
 * may hold anything. */
static struct slice media_type(struct slice value, bool strict)
{
	unsigned slashes = 0;
	struct slice type;

	if (!strict || !value.at)
		return value;
	type = slice_trim(slice_next(&value, ';'));
	for (size_t i = 0; i < type.len; i++) {
		char c = type.at[i];

		slashes += c == '/';
		if (!isalnum((unsigned char)c) && !memchr("/!#$&^_.+-*", c, 11))
			return SLICE("REDACTED");
	}
	if (privacy_is_secret(type))
		return SLICE("REDACTED"); /* application/vnd.user-0a1b2c3d4e5f+json */
	return slashes == 1 || !type.len ? type : SLICE("REDACTED");
}

/* A word that the other end was free to choose. */
static struct slice make_name(struct slice word, bool strict)
{
	return strict && privacy_is_secret(word) ? SLICE("REDACTED") : word;
}

static struct slice make_tracestate(struct view *v, struct slice tracestate)
{
	size_t from = v->scratch.len;

	privacy_tracestate(tracestate, &v->scratch);
	return since(v, from);
}

/* The host that was asked for. A client that names none asks the one it is connected to; where its
 * request was not seen nobody knows. */
static void set_server(struct view *v, const struct privacy_rules *rules,
		       const struct transaction *t)
{
	size_t from = v->scratch.len;

	v->server = v->authority = (struct slice){ NULL, 0 };
	if (t->unobserved & UNOBSERVED_METHOD)
		return;
	if (!t->server_name.len) {
		if (t->side == SIDE_CLIENT && v->peer[0])
			v->server = slice_str(v->peer);
		return;
	}
	v->server = t->server_name;
	v->authority = t->authority;
	if (rules->mode == PRIVACY_NONE)
		return;
	privacy_authority(t->authority, rules->peer_address, &v->scratch);
	v->authority = since(v, from);
	if (privacy_host(t->authority, rules->peer_address, v->host) ||
	    privacy_host(t->server_name, rules->peer_address, v->host))
		v->server = slice_str(v->host);
}

int view_make(struct view *v, const struct privacy_rules *rules, const struct transaction *t)
{
	size_t most = t->path.len + t->query.len + t->template_.len + t->referer.len +
		      t->location.len + t->authority.len + t->tracestate.len;
	struct slice exe = slice_str(t->process ? t->process->exe : NULL);
	bool strict = rules->mode != PRIVACY_NONE;
	int err;

	buf_clear(&v->scratch);
	/* So that it does not move below; an address may be longer than what it stands for. */
	err = buf_reserve(&v->scratch, GROWTH * (most + exe.len) + 256);
	if (err)
		return err;
	v->path = strict ? make_path(v, t->path) : t->path;
	v->template_ = strict ? make_path(v, t->template_) : t->template_;
	v->query = t->query;
	v->has_query = t->has_query;
	if (strict && t->has_query) {
		size_t from = v->scratch.len;

		privacy_query(t->query, rules->query_keep, &v->scratch);
		v->query = since(v, from);
	}
	v->executable = strict ? privacy_executable(exe, &v->scratch) : exe;
	v->referer = make_url(v, rules, t->referer);
	v->location = make_url(v, rules, t->location);
	v->content_type = media_type(t->content_type, strict);
	v->response_type = media_type(t->response_type, strict);
	v->user_agent = strict ? (struct slice){ NULL, 0 } : t->user_agent;
	v->method = t->method_known ? t->method : make_name(t->method, strict);
	v->scheme = make_name(t->scheme, strict);
	v->upgrade = make_name(t->upgrade, strict);
	v->tracestate = strict ? make_tracestate(v, t->tracestate) : t->tracestate;
	set_addresses(v, rules, t);
	set_server(v, rules, t);
	return 0;
}
