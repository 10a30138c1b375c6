/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.c: the exportable view of one transaction (see privacy.h): applies the rules of privacy.c to
 * its texts, writes its addresses as text, and reduces a User-Agent field to a class. The class is
 * what statistics need and what many thousands of people share.
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

static long find_folded(struct slice s, const char *what)
{
	size_t len = strlen(what);

	for (size_t i = 0; i + len <= s.len; i++)
		if (slice_ieq(slice_of(s.at + i, len), slice_of(what, len)))
			return (long)i;
	return -1;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

static uint32_t number_at(struct slice s)
{
	uint32_t v = 0;

	for (size_t i = 0; i < s.len && i < 6 && isdigit((unsigned char)s.at[i]); i++)
		v = v * 10 + (uint32_t)(s.at[i] - '0');
	return v;
}

static void set_name(struct agent_class *c, struct slice name)
{
	if (name.len == 0 || name.len >= sizeof(c->name) || privacy_is_secret(name))
		name = SLICE("other");
	memcpy(c->name, name.at, name.len);
	c->name[name.len] = 0;
}

/* The word around position `at`, and the number after its slash. */
static void set_word(struct agent_class *c, struct slice agent, size_t at)
{
	size_t from = at, to = at;

	while (from && is_word(agent.at[from - 1]))
		from--;
	while (to < agent.len && is_word(agent.at[to]))
		to++;
	/* A part of an address (mybot@example.com) is no program's name. */
	if ((from && agent.at[from - 1] == '@') || (to < agent.len && agent.at[to] == '@'))
		set_name(c, SLICE("other"));
	else
		set_name(c, slice_sub(agent, from, to));
	if (to < agent.len && agent.at[to] == '/')
		c->version = number_at(slice_sub(agent, to + 1, agent.len));
}

/* Most specific first: every browser also says that it is some other one. */
static bool classify_browser(struct slice agent, struct agent_class *c)
{
	static const struct {
		const char *mark, *name;
	} browsers[] = {
		{ "Edg/", "Edge" },
		{ "EdgA/", "Edge" },
		{ "EdgiOS/", "Edge" },
		{ "OPR/", "Opera" },
		{ "SamsungBrowser/", "Samsung Internet" },
		{ "YaBrowser/", "Yandex Browser" },
		{ "Vivaldi/", "Vivaldi" },
		{ "FxiOS/", "Firefox" },
		{ "Firefox/", "Firefox" },
		{ "CriOS/", "Chrome" },
		{ "HeadlessChrome/", "HeadlessChrome" },
		{ "Chrome/", "Chrome" },
		{ "MSIE ", "Internet Explorer" },
	};

	for (size_t i = 0; i < sizeof(browsers) / sizeof(browsers[0]); i++) {
		long at = slice_find_slice(agent, slice_str(browsers[i].mark));

		if (at < 0)
			continue;
		set_name(c, slice_str(browsers[i].name));
		c->version = number_at(
			slice_sub(agent, (size_t)at + strlen(browsers[i].mark), agent.len));
		return true;
	}
	if (slice_find_slice(agent, SLICE("Safari/")) >= 0) {
		long at = slice_find_slice(agent, SLICE("Version/"));

		set_name(c, SLICE("Safari"));
		c->version = at < 0 ? 0 : number_at(slice_sub(agent, (size_t)at + 8, agent.len));
		return true;
	}
	return false;
}

void agent_classify(struct slice agent, struct agent_class *ret)
{
	static const char *const bots[] = { "bot",	  "crawl",    "spider",	   "slurp",
					    "monitor",	  "uptime",   "pingdom",   "health",
					    "kube-probe", "headless", "lighthouse" };
	size_t word = 0;

	*ret = (struct agent_class){ 0 };
	if (agent.len == 0)
		return;
	for (size_t i = 0; i < sizeof(bots) / sizeof(bots[0]); i++) {
		long at = find_folded(agent, bots[i]);

		if (at < 0)
			continue;
		ret->bot = true;
		set_word(ret, agent, (size_t)at);
		return;
	}
	if (classify_browser(agent, ret))
		return;
	/* A product (RFC 9110 section 10.1.5) with its version is a program's name; a word alone may be that
	 * of a device, and with it a person's. */
	while (word < agent.len && is_word(agent.at[word]))
		word++;
	if (word && word + 1 < agent.len && agent.at[word] == '/' &&
	    isdigit((unsigned char)agent.at[word + 1]))
		set_word(ret, agent, 0);
	else
		set_name(ret, SLICE("other"));
}

static void set_agent(struct view *v, struct slice agent)
{
	uint64_t hash;
	unsigned at;

	v->agent = (struct agent_class){ 0 };
	if (agent.len == 0)
		return;
	hash = slice_hash(agent, 0) | 1; /* 0 marks an empty place */
	at = (unsigned)(hash >> 32) % PRIVACY_AGENTS;
	if (v->agents[at].hash != hash) {
		agent_classify(agent, &v->agents[at].class);
		v->agents[at].hash = hash;
	}
	v->agent = v->agents[at].class;
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
	set_agent(v, t->user_agent);
	set_addresses(v, rules, t);
	set_server(v, rules, t);
	return 0;
}
