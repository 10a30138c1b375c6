/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.c: the exportable view of one transaction (see privacy.h): applies the rules of privacy.c to
 * its texts, writes its addresses as text, and reduces a User-Agent field to a class. The class is
 * what statistics need and what many thousands of people share.
 */
#include <arpa/inet.h>
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
	if (is_word(agent.at[0]))
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

bool forwarded_first(struct slice forwarded, struct pc_addr *ret)
{
	struct slice first = slice_trim(slice_next(&forwarded, ','));
	char text[INET6_ADDRSTRLEN];
	struct in_addr v4;
	long end;

	if (first.len && first.at[0] == '[') {
		end = slice_find(first, ']');
		first = slice_sub(first, 1, end < 0 ? 1 : (size_t)end);
	} else if (slice_find(first, '.') >= 0 && (end = slice_find(first, ':')) >= 0 &&
		   slice_find(slice_sub(first, (size_t)end + 1, first.len), ':') < 0) {
		first = slice_sub(first, 0, (size_t)end);
	}
	if (first.len == 0 || first.len >= sizeof(text))
		return false;
	memcpy(text, first.at, first.len);
	text[first.len] = 0;
	*ret = (struct pc_addr){ 0 };
	if (inet_pton(AF_INET, text, &v4) == 1) {
		ret->ip[10] = ret->ip[11] = 0xff;
		memcpy(ret->ip + 12, &v4, 4);
		return true;
	}
	return inet_pton(AF_INET6, text, ret->ip) == 1;
}

static void set_addresses(struct view *v, const struct privacy_rules *rules,
			  const struct transaction *t)
{
	bool truncate = rules->mode != PRIVACY_NONE && !rules->peer_address;
	struct pc_addr forwarded;

	v->peer[0] = v->local[0] = v->client[0] = 0;
	v->client_is_peer = false;
	if (!(t->unobserved & UNOBSERVED_ADDRESS) && t->family != AF_UNIX) {
		privacy_address(&t->remote, truncate, v->peer);
		privacy_address(&t->local, false, v->local);
	}
	if (t->side != SIDE_SERVER)
		return;
	if (forwarded_first(t->forwarded_for, &forwarded)) {
		privacy_address(&forwarded, truncate, v->client);
	} else if (v->peer[0]) {
		memcpy(v->client, v->peer, sizeof(v->client));
		v->client_is_peer = true;
	}
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

/* Parameters of a media type may hold a file's name, and with it a person's. */
static struct slice media_type(struct slice value, bool strict)
{
	return strict && value.at ? slice_trim(slice_next(&value, ';')) : value;
}

int view_make(struct view *v, const struct privacy_rules *rules, const struct transaction *t)
{
	size_t most =
		t->path.len + t->query.len + t->template_.len + t->referer.len + t->location.len;
	bool strict = rules->mode != PRIVACY_NONE;
	int err;

	buf_clear(&v->scratch);
	err = buf_reserve(&v->scratch, GROWTH * most + 64); /* so that it does not move below */
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
	v->referer = make_url(v, rules, t->referer);
	v->location = make_url(v, rules, t->location);
	v->content_type = media_type(t->content_type, strict);
	v->response_type = media_type(t->response_type, strict);
	v->user_agent = strict ? (struct slice){ NULL, 0 } : t->user_agent;
	set_agent(v, t->user_agent);
	set_addresses(v, rules, t);
	return 0;
}
