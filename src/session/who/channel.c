/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel.c: Referer, campaign parameters and click ids → channel, see who.h. The rules are those of
 * GA4's default channel group, in its order ("[GA4] Default channel group", support.google.com); whom
 * they are about is data (channels_hosts.c). Called for page views only. Stateless.
 */
#include "base/utf8.h"
#include "session/who.h"
#include "session/who/channels.h"
#include "txn/target/target.h"

/* ---- whose host is it ---- */

static int compare(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.at, b.at, n) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static const struct source_host *look_up(const struct source_host *list, size_t count,
					 struct slice key)
{
	size_t from = 0, to = count;

	while (from < to) {
		size_t middle = (from + to) / 2;
		int order = compare(key, list[middle].host);

		if (!order)
			return &list[middle];
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}

/* com, de, co.uk, com.br: what stands behind a name that is used in every country. */
static bool is_top_level(struct slice s)
{
	long dot = slice_find(s, '.');
	struct slice rest;

	if (dot < 0)
		return s.len >= 2;
	rest = slice_sub(s, (size_t)dot + 1, s.len);
	return dot >= 2 && dot <= 3 && rest.len == 2;
}

static const struct source_host *look_up_any(struct slice label)
{
	char key[32];

	if (label.len + 2 > sizeof(key))
		return NULL;
	memcpy(key, label.at, label.len);
	memcpy(key + label.len, ".*", 2);
	return look_up(source_hosts, source_host_count, slice_of(key, label.len + 2));
}

/* The longest row that fits: mail.google.com before google.*. `host` without a port. */
static enum source_kind kind_of_host(struct slice host)
{
	while (host.at && host.len) {
		const struct source_host *row = look_up(source_hosts, source_host_count, host);
		struct slice label = slice_next(&host, '.');

		if (!row && host.at && is_top_level(host))
			row = look_up_any(label);
		if (row)
			return (enum source_kind)row->kind;
	}
	return SOURCE_NONE;
}

/* Is `host` that one, or below it? */
static bool is_below(struct slice host, struct slice above)
{
	if (!above.len || host.len < above.len || !slice_ends(host, above))
		return false;
	return host.len == above.len || host.at[host.len - above.len - 1] == '.';
}

/* shop.example and checkout.shop.example, in either order; never by a name of one label only. */
static bool same_shop(struct slice a, struct slice b)
{
	return slice_eq(a, b) || (slice_find(b, '.') > 0 && is_below(a, b)) ||
	       (slice_find(a, '.') > 0 && is_below(b, a));
}

/* ---- the query ---- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* At a cut, the octets of a character whose end is missing. */
static size_t broken_tail(const char *at, size_t len)
{
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		unsigned char c = (unsigned char)at[len - back];

		if (c < 0x80)
			return 0;
		if (c >= 0xc0)
			return utf8_length(at + len - back, back) ? 0 : back;
	}
	return 0;
}

static void decode(struct slice raw, struct campaign_value *ret)
{
	size_t n = 0, i = 0;

	while (i < raw.len && n < CAMPAIGN_VALUE) {
		char c = raw.at[i++];

		if (c == '+') {
			c = ' ';
		} else if (c == '%' && raw.len - i >= 2 && hex(raw.at[i]) >= 0 &&
			   hex(raw.at[i + 1]) >= 0) {
			c = (char)(hex(raw.at[i]) << 4 | hex(raw.at[i + 1]));
			i += 2;
		}
		ret->at[n++] = c;
	}
	if (i < raw.len)
		n -= broken_tail(ret->at, n);
	ret->len = (uint8_t)n;
}

struct click_id {
	struct slice name;
	uint8_t channel;
};

/* Names that advertising and mailing systems append to links. fbclid and igsh come with every link
 * out of the network, paid or not. */
static const struct click_id click_ids[] = {
	{ SLICE("gclid"), CHANNEL_PAID_SEARCH },
	{ SLICE("gbraid"), CHANNEL_PAID_SEARCH },
	{ SLICE("wbraid"), CHANNEL_PAID_SEARCH },
	{ SLICE("msclkid"), CHANNEL_PAID_SEARCH },
	{ SLICE("yclid"), CHANNEL_PAID_SEARCH },
	{ SLICE("dclid"), CHANNEL_DISPLAY },
	{ SLICE("fbclid"), CHANNEL_ORGANIC_SOCIAL },
	{ SLICE("igsh"), CHANNEL_ORGANIC_SOCIAL },
	{ SLICE("igshid"), CHANNEL_ORGANIC_SOCIAL },
	{ SLICE("ttclid"), CHANNEL_PAID_SOCIAL },
	{ SLICE("twclid"), CHANNEL_PAID_SOCIAL },
	{ SLICE("li_fat_id"), CHANNEL_PAID_SOCIAL },
	{ SLICE("ScCid"), CHANNEL_PAID_SOCIAL },
	{ SLICE("epik"), CHANNEL_PAID_SOCIAL },
	{ SLICE("rdt_cid"), CHANNEL_PAID_SOCIAL },
	{ SLICE("mc_eid"), CHANNEL_EMAIL },
	{ SLICE("_hsenc"), CHANNEL_EMAIL },
	{ SLICE("_kx"), CHANNEL_EMAIL },
	{ SLICE("srsltid"), CHANNEL_ORGANIC_SHOPPING },
	{ SLICE("irclickid"), CHANNEL_AFFILIATES },
	{ SLICE("awc"), CHANNEL_AFFILIATES },
	{ SLICE("cjevent"), CHANNEL_AFFILIATES },
	{ SLICE("ranSiteID"), CHANNEL_AFFILIATES },
};

struct query {
	struct touch *touch;
	bool campaign;
	enum channel click;
};

static void take_utm(struct query *q, struct slice name, struct slice value)
{
	struct touch *t = q->touch;
	struct {
		struct slice name;
		struct campaign_value *value;
	} const wanted[] = {
		{ SLICE("source"), &t->source },   { SLICE("medium"), &t->medium },
		{ SLICE("campaign"), &t->name },   { SLICE("term"), &t->term },
		{ SLICE("content"), &t->content }, { SLICE("id"), &t->id },
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!slice_ieq(wanted[i].name, name) || wanted[i].value->len)
			continue;
		decode(value, wanted[i].value);
		q->campaign |= i < 3 && wanted[i].value->len;
	}
}

static void read_query(struct query *q, struct slice query)
{
	query = slice_sub(query, 0, CHANNEL_QUERY_BYTES);
	while (query.at && query.len) {
		struct slice value = slice_next(&query, '&'), name = slice_next(&value, '=');

		if (!value.len || name.len < 3)
			continue;
		if (slice_istarts(name, SLICE("utm_"))) {
			take_utm(q, slice_sub(name, 4, name.len), value);
			continue;
		}
		for (size_t i = 0; !q->click && i < sizeof(click_ids) / sizeof(click_ids[0]); i++) {
			if (!slice_eq(click_ids[i].name, name))
				continue;
			q->click = (enum channel)click_ids[i].channel;
			q->touch->click = click_ids[i].name.at;
		}
	}
}

/* ---- GA4's rules ---- */

struct words { /* in lower case */
	char source_at[CAMPAIGN_VALUE], medium_at[CAMPAIGN_VALUE], name_at[CAMPAIGN_VALUE];
	struct slice source, medium, name;
};

static struct slice lower(const struct campaign_value *v, char *at)
{
	for (size_t i = 0; i < v->len; i++)
		at[i] = v->at[i] >= 'A' && v->at[i] <= 'Z' ? (char)(v->at[i] | 0x20) : v->at[i];
	return slice_of(at, v->len);
}

static bool has(struct slice s, struct slice what)
{
	return slice_find_slice(s, what) >= 0;
}

static bool is_one_of(struct slice s, const struct slice *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_eq(s, list[i]))
			return true;
	return false;
}

#define ONE_OF(s, ...)                                                                             \
	is_one_of(s, (const struct slice[]){ __VA_ARGS__ },                                        \
		  sizeof((const struct slice[]){ __VA_ARGS__ }) / sizeof(struct slice))

/* ^(.*cp.*|ppc|retargeting|paid.*)$ */
static bool is_paid(struct slice medium)
{
	return has(medium, SLICE("cp")) || slice_starts(medium, SLICE("paid")) ||
	       ONE_OF(medium, SLICE("ppc"), SLICE("retargeting"));
}

/* ^(.*(([^a-df-z]|^)shop|shopping).*)$: "shop" at the start of a word, or "eshop". */
static bool is_shopping_name(struct slice name)
{
	struct slice rest = name;
	long at;

	if (has(name, SLICE("shopping")))
		return true;
	while ((at = slice_find_slice(rest, SLICE("shop"))) >= 0) {
		const char *here = rest.at + at;

		if (here == name.at || here[-1] < 'a' || here[-1] > 'z' || here[-1] == 'e')
			return true;
		rest = slice_sub(rest, (size_t)at + 4, rest.len);
	}
	return false;
}

static enum channel channel_paid(const struct words *w, enum source_kind kind)
{
	if (kind == SOURCE_SHOPPING || is_shopping_name(w->name))
		return CHANNEL_PAID_SHOPPING;
	if (kind == SOURCE_SEARCH)
		return CHANNEL_PAID_SEARCH;
	if (kind == SOURCE_SOCIAL)
		return CHANNEL_PAID_SOCIAL;
	return kind == SOURCE_VIDEO ? CHANNEL_PAID_VIDEO : CHANNEL_UNOBSERVED;
}

static bool is_mail(struct slice s)
{
	return ONE_OF(s, SLICE("email"), SLICE("e-mail"), SLICE("e_mail"), SLICE("e mail"));
}

static enum channel channel_unpaid(const struct words *w, enum source_kind kind)
{
	if (kind == SOURCE_SHOPPING || is_shopping_name(w->name))
		return CHANNEL_ORGANIC_SHOPPING;
	if (kind == SOURCE_SOCIAL ||
	    ONE_OF(w->medium, SLICE("social"), SLICE("social-network"), SLICE("social-media"),
		   SLICE("sm"), SLICE("social network"), SLICE("social media")))
		return CHANNEL_ORGANIC_SOCIAL;
	if (kind == SOURCE_VIDEO || has(w->medium, SLICE("video")))
		return CHANNEL_ORGANIC_VIDEO;
	if (kind == SOURCE_SEARCH || slice_eq(w->medium, SLICE("organic")))
		return CHANNEL_ORGANIC_SEARCH;
	if (kind == SOURCE_ASSISTANT)
		return CHANNEL_AI_ASSISTANT;
	if (ONE_OF(w->medium, SLICE("referral"), SLICE("app"), SLICE("link")))
		return CHANNEL_REFERRAL;
	if (kind == SOURCE_EMAIL || is_mail(w->source) || is_mail(w->medium) ||
	    slice_eq(w->medium, SLICE("newsletter")))
		return CHANNEL_EMAIL;
	if (ONE_OF(w->medium, SLICE("affiliate"), SLICE("affiliates")))
		return CHANNEL_AFFILIATES;
	if (slice_eq(w->medium, SLICE("audio")))
		return CHANNEL_AUDIO;
	if (slice_eq(w->source, SLICE("sms")) || slice_eq(w->medium, SLICE("sms")))
		return CHANNEL_SMS;
	if (slice_ends(w->medium, SLICE("push")) || has(w->medium, SLICE("mobile")) ||
	    has(w->medium, SLICE("notification")) || slice_eq(w->source, SLICE("firebase")))
		return CHANNEL_PUSH;
	return CHANNEL_UNASSIGNED;
}

static enum channel channel_of_campaign(const struct touch *t, enum source_kind referrer)
{
	struct words w;
	enum source_kind kind = referrer;
	enum channel channel;

	w.source = lower(&t->source, w.source_at);
	w.medium = lower(&t->medium, w.medium_at);
	w.name = lower(&t->name, w.name_at);
	if (w.source.len) {
		const struct source_host *word = look_up(source_words, source_word_count, w.source);

		kind = word ? (enum source_kind)word->kind : kind_of_host(w.source);
	}
	if (has(w.name, SLICE("cross-network")))
		return CHANNEL_CROSS_NETWORK;
	if (is_paid(w.medium) && (channel = channel_paid(&w, kind)))
		return channel;
	if (ONE_OF(w.medium, SLICE("display"), SLICE("banner"), SLICE("expandable"),
		   SLICE("interstitial"), SLICE("cpm")))
		return CHANNEL_DISPLAY;
	if (is_paid(w.medium))
		return CHANNEL_PAID_OTHER;
	return channel_unpaid(&w, kind);
}

static enum channel channel_of_referrer(enum source_kind kind)
{
	static const uint8_t channels[] = {
		[SOURCE_NONE] = CHANNEL_REFERRAL,
		[SOURCE_SEARCH] = CHANNEL_ORGANIC_SEARCH,
		[SOURCE_SOCIAL] = CHANNEL_ORGANIC_SOCIAL,
		[SOURCE_VIDEO] = CHANNEL_ORGANIC_VIDEO,
		[SOURCE_SHOPPING] = CHANNEL_ORGANIC_SHOPPING,
		[SOURCE_EMAIL] = CHANNEL_EMAIL,
		[SOURCE_ASSISTANT] = CHANNEL_AI_ASSISTANT,
		[SOURCE_RETURN] = CHANNEL_INTERNAL,
	};

	return (enum channel)channels[kind];
}

static bool is_own(struct slice host, struct slice site, const struct slice *own, size_t count)
{
	if (same_shop(host, site))
		return true;
	for (size_t i = 0; i < count; i++)
		if (is_below(host, own[i]))
			return true;
	return false;
}

void channel_of(struct slice site, struct slice referer, struct slice query,
		const struct slice *own, size_t own_count, struct touch *ret)
{
	struct query q = { .touch = ret };
	enum source_kind kind = SOURCE_NONE;

	ret->channel = CHANNEL_DIRECT;
	ret->referrer.len = 0;
	ret->source.len = ret->medium.len = ret->name.len = 0;
	ret->term.len = ret->content.len = ret->id.len = 0;
	ret->click = NULL;
	if (referer.len) {
		struct slice host;

		site_of_url(referer, &ret->referrer);
		host = site_slice(&ret->referrer);
		if (!host.len) {
			ret->channel = CHANNEL_UNASSIGNED; /* about:, a scheme of its own … */
		} else if (is_own(host, site, own, own_count)) {
			ret->channel = CHANNEL_INTERNAL;
			ret->referrer.len = 0;
		} else {
			kind = kind_of_host(host);
			ret->channel = channel_of_referrer(kind);
		}
	}
	if (query.len)
		read_query(&q, query);
	if (q.campaign)
		ret->channel = channel_of_campaign(ret, kind);
	if (q.click && (!q.campaign || ret->channel == CHANNEL_UNASSIGNED))
		ret->channel = q.click;
}
