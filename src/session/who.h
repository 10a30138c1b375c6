/* SPDX-License-Identifier: Apache-2.0 */
/*
 * who.h: who asked, from where, by which way, and what for: pure functions over the fields of one
 * request. They stand in front of identity and visits and know nothing of either.
 *
 *   fields       who_fields_find: one pass over a head, all that the others read
 *   address      client_address: the client behind proxies, and who may speak for it
 *   agent        agent_of: device, system, browser; robots and tests by what they say of themselves
 *   site         site_of_host, site_of_caller, client_forwarded_host: the shop that a request belongs to
 *                (request.h has the rule)
 *   channel      channel_of: where a visit came from, its campaign
 *   page kind    page_signs_of (at the request) and page_kind_of (at its end): what a request was
 *   place        geo_find: country and region of an address
 *
 * No clock, no file, no allocation but in the three `new` (agents, geo, at start). Slices handed out
 * point into what was given, or are our own static text: who keeps one copies it. Nothing is guessed:
 * what a request does not say is *_UNOBSERVED or empty. Input is from strangers: each function says
 * how much of it is looked at. One thread.
 */
#ifndef PC_SESSION_WHO_H
#define PC_SESSION_WHO_H

#include "proto/proto.h"

/* ---- fields ---- */

enum who_field {
	WHO_HOST,
	WHO_USER_AGENT,
	WHO_REFERER,
	WHO_ORIGIN,
	WHO_ACCEPT,
	WHO_ACCEPT_LANGUAGE,
	WHO_CONTENT_TYPE,
	WHO_UPGRADE,
	WHO_UPGRADE_INSECURE,
	WHO_REQUESTED_WITH,
	WHO_PURPOSE,
	WHO_SEC_PURPOSE,
	WHO_MOZ, /* X-Moz: prefetch */
	WHO_FETCH_DEST,
	WHO_FETCH_MODE,
	WHO_FETCH_SITE,
	WHO_FETCH_USER,
	WHO_CH_UA,
	WHO_CH_MOBILE,
	WHO_CH_PLATFORM,
	WHO_GPC,
	WHO_DNT,
	WHO_FORWARDED,
	WHO_FORWARDED_FOR,
	WHO_FORWARDED_HOST,
	WHO_REAL_IP,
	WHO_CF_IP,
	WHO_TRUE_CLIENT_IP,
	WHO_FASTLY_IP,
	WHO_REQUEST_METHOD, /* Access-Control-Request-Method */
	WHO_LAST_EVENT_ID,
	WHO_PING_TO,
	WHO_RANGE,
	WHO_SERVICE_WORKER,
	WHO_FIELDS
};

struct who_fields {
	const struct field *all;
	uint32_t count;
	uint64_t repeated;		/* bit 1 << enum who_field: it has more than one line */
	struct slice value[WHO_FIELDS]; /* of the first line; at == NULL: absent */
};

/* Of a head, or of a transaction's kept fields. Names in any case. */
void who_fields_find(const struct field *all, uint32_t count, struct who_fields *ret);

/* ---- address ---- */

#define TRUST_NETS 256

/* Networks whose machines are proxies of ours. */
struct trust {
	struct {
		uint64_t ip[2], mask[2]; /* as loaded from memory: compared, never counted with */
	} net[TRUST_NETS];
	uint32_t count;
};

void trust_init(struct trust *t); /* nobody */
/* Loopback, RFC 1918, unique local (RFC 4193), link-local. */
int trust_add_default(struct trust *t); /* -ENOSPC */
/* Words and networks: "private" stands for trust_add_default, "none" for nobody; NULL-terminated, NULL:
 * the default. As trust_add; *t is changed on success only. */
int trust_read(struct trust *t, const char *const *list);
/* 192.0.2.0/24, 2001:db8::/32, or one address. -EINVAL: none of these, or bits beyond the prefix are
 * set; -ENOSPC. */
int trust_add(struct trust *t, struct slice network);
bool trust_has(const struct trust *t, const struct pc_addr *a);

enum client_source {
	CLIENT_UNOBSERVED,
	CLIENT_PEER, /* the other end of the connection */
	CLIENT_PROXY_PROTOCOL,
	CLIENT_X_FORWARDED_FOR,
	CLIENT_FORWARDED,
	CLIENT_CF_CONNECTING_IP,
	CLIENT_TRUE_CLIENT_IP,
	CLIENT_FASTLY_CLIENT_IP,
	CLIENT_X_REAL_IP,
};
const char *client_source_name(enum client_source s); /* NULL: unobserved */

#define CLIENT_INSIDE	 0x1  /* trusted itself: all that was named is; the farthest is given */
#define CLIENT_HIDDEN	 0x2  /* a proxy named it unknown, or by a name of its own (RFC 7239 6.3) */
#define CLIENT_CUT	 0x4  /* more proxies than are followed */
#define CLIENT_MALFORMED 0x8  /* a field that was needed was no list of addresses */
#define CLIENT_DIFFERS	 0x10 /* X-Forwarded-For and Forwarded name two: the former is given */

struct client {
	struct pc_addr address; /* port 0: not told; all zero: unobserved */
	enum client_source source;
	uint32_t flags;
	uint8_t proxies; /* those that are trusted, the peer first; 0: its fields are a stranger's */
};

/* The other end of the connection. A Unix socket's peer has no address and is of this host. */
struct client_peer {
	bool observed, unix_socket;
	struct pc_addr address;
	struct pc_addr source; /* of the PROXY protocol; all zero: none */
};

#define CLIENT_ENTRIES 64   /* of a list, from its right end */
#define CLIENT_BYTES   4096 /* of each line, from its right end */

/*
 * The client is the first address that is not trusted, going from us outwards: the peer, what the
 * PROXY protocol said, then the list of X-Forwarded-For (or Forwarded) from the right. A step is
 * believed only when the one before it is trusted, so what a stranger writes into these fields counts
 * for nothing unless a trusted proxy stands behind it.
 *
 * X-Forwarded-For goes before Forwarded, because nearly every proxy adds to the former and passes the
 * latter on as the client sent it. Fields with one address (CF-Connecting-IP, True-Client-IP,
 * Fastly-Client-IP, X-Real-IP, in this order) count where no list names a client; behind such a
 * network its addresses must be made known by trust_add, as they change. When all that is named is
 * trusted, the farthest is the client (CLIENT_INSIDE). When a proxy hides it, or there are too many, it
 * is unobserved: the flag says why.
 */
void client_address(const struct trust *t, const struct who_fields *f,
		    const struct client_peer *peer, struct client *ret);

/*
 * The host that a trusted proxy was asked for, where it writes it down: X-Forwarded-Host, else host= of
 * Forwarded. Trusted as for the client: from the right, one entry for each of c->proxies, and the last of these
 * that is a host's name; what stands to the left of them a stranger may have written. at == NULL: none.
 */
struct slice client_forwarded_host(const struct who_fields *f, const struct client *c);

/* ---- agent ---- */

enum device {
	DEVICE_UNOBSERVED, /* no User-Agent */
	DEVICE_DESKTOP,
	DEVICE_MOBILE,
	DEVICE_TABLET,
	DEVICE_TV,
	DEVICE_CONSOLE,
	DEVICE_WEARABLE,
	DEVICE_BOT,	/* crawlers, link previews, feed readers, monitors */
	DEVICE_PROGRAM, /* HTTP libraries of programs and scripts */
	DEVICE_OTHER,
	DEVICES
};
enum os {
	OS_UNOBSERVED,
	OS_WINDOWS,
	OS_MACOS,
	OS_LINUX,
	OS_ANDROID,
	OS_IOS, /* and iPadOS, where it says so: its Safari says Macintosh by default */
	OS_CHROME_OS,
	OS_TIZEN,
	OS_WEBOS,
	OS_HARMONY,
	OS_KAIOS,
	OS_BSD,
	OS_PLAYSTATION,
	OS_XBOX,
	OS_NINTENDO,
	OS_OTHER,
	OSES
};
enum browser {
	BROWSER_UNOBSERVED,
	BROWSER_CHROME,
	BROWSER_SAFARI,
	BROWSER_FIREFOX,
	BROWSER_EDGE,
	BROWSER_OPERA,
	BROWSER_SAMSUNG,
	BROWSER_IE,
	BROWSER_BRAVE,
	BROWSER_VIVALDI,
	BROWSER_YANDEX,
	BROWSER_UC,
	BROWSER_DUCKDUCKGO,
	BROWSER_HUAWEI,
	BROWSER_MIUI,
	BROWSER_SILK,
	BROWSER_QQ,
	BROWSER_WHALE,
	BROWSER_CHROMIUM,
	BROWSER_WEBVIEW, /* a view inside of an application of Android */
	BROWSER_IN_APP,	 /* … of a network's application: Facebook, Instagram, TikTok … */
	BROWSER_TEXT,	 /* lynx, w3m, links */
	BROWSER_APP,	 /* an application's own HTTP: okhttp, CFNetwork, Dart */
	BROWSER_OTHER,
	BROWSERS
};
/* user_agent.synthetic.type of OpenTelemetry. */
enum synthetic {
	SYNTHETIC_NONE,
	SYNTHETIC_BOT,	/* crawlers, feeds, previews, HTTP libraries */
	SYNTHETIC_TEST, /* monitors, health checks, load generators, page speed tests */
};
const char *device_name(enum device d); /* NULL: unobserved, as in all of these */
const char *os_name(enum os o);
const char *browser_name(enum browser b);
const char *synthetic_name(enum synthetic s); /* NULL: none */

struct agent {
	enum device device;
	enum os os;
	enum browser browser;
	uint32_t browser_major; /* 0: not told */
	enum synthetic synthetic;
	uint16_t robot;	  /* number of the word that said so; 0: none */
	const char *name; /* user_agent.name: agents_name; lives as long as the agents */
	uint32_t version; /* of the robot, or browser_major; 0: not told */
};

#define AGENT_BYTES 1024 /* of a User-Agent that are looked at */

/* What a word of a User-Agent tells. Data: src/session/who/agents_words.c, agents_robots.c. */
enum agent_word_kind {
	WORD_BOT,
	WORD_TEST,
	WORD_PROGRAM,
	WORD_PERSON, /* looks like a robot's and is a person's: Cubot makes telephones */
	WORD_OS,
	WORD_BROWSER,
	WORD_DEVICE,
	WORD_VERSION, /* Version/17.1: that of Safari */
	WORD_MOBILE,
};

/*
 * `text`, in lower case, stands at the start of a word and ends at the end of one (a letter may not
 * follow); with a '*' at its end anything may follow. `rank` decides among several of one kind: the
 * highest wins, of equals the first.
 */
struct agent_word {
	const char *text;
	uint8_t kind, value, rank;
};

struct agents;

/* `more` words, NULL-terminated text in the last, or NULL: an operator's own robots (WORD_BOT,
 * WORD_TEST) and applications (WORD_PERSON: never a robot). They live as long as *ret.
 * -EINVAL: an empty word, capital letters; -ENOMEM. */
int agents_new(const struct agent_word *more, struct agents **ret);
void agents_free(struct agents *a);
/* The one class of a User-Agent in all outputs: of a robot, a monitor or a library the word of it that our lists
 * know (googlebot, curl; bot), of all others the browser (Chrome; "other"). NULL: none was sent. */
const char *agents_name(const struct agents *a, enum browser browser, uint16_t robot);
uint16_t agents_count(const struct agents *a); /* the highest number of a word */
/* Client hints (Sec-CH-UA, -Mobile, -Platform) go before the User-Agent, which browsers freeze. Keeps
 * the verdicts on the last few hundred values, to find them again. */
void agent_of(struct agents *a, const struct who_fields *f, struct agent *ret);

/* ---- site ---- */

#define SITE_BYTES 253 /* of a DNS name, RFC 1035 section 2.3.4 */

struct site {
	uint8_t len; /* 0: unobserved */
	char at[SITE_BYTES];
};
static inline struct slice site_slice(const struct site *s)
{
	return slice_of(s->at, s->len);
}

/* Host, authority or URL → name in lower case, without `www.`, final dot, port, user-info; an IPv6
 * address without brackets. IDN stays as sent: browsers send A-labels. What has octets that no host
 * name has, or is too long, is unobserved. Cookies know no ports either. */
void site_of_host(struct slice host, struct site *ret);
void site_of_name(struct slice name, struct site *ret); /* a host without port or brackets */
void site_of_url(struct slice url, struct site *ret);
/* Where the page stands that made a call: its Origin, otherwise its Referer. Both are a stranger's
 * text: who groups by it bounds the number of sites. */
void site_of_caller(const struct who_fields *f, struct site *ret);

/* ---- channel ---- */

/* GA4's default channel group where it has one. */
enum channel {
	CHANNEL_UNOBSERVED, /* no page, or none was asked */
	CHANNEL_DIRECT,	    /* neither Referer nor campaign */
	CHANNEL_INTERNAL,   /* from the site itself, or back from a payment or sign-in service: goes
			       on with what the visit has */
	CHANNEL_CROSS_NETWORK,
	CHANNEL_PAID_SHOPPING,
	CHANNEL_PAID_SEARCH,
	CHANNEL_PAID_SOCIAL,
	CHANNEL_PAID_VIDEO,
	CHANNEL_DISPLAY,
	CHANNEL_PAID_OTHER,
	CHANNEL_ORGANIC_SHOPPING,
	CHANNEL_ORGANIC_SOCIAL,
	CHANNEL_ORGANIC_VIDEO,
	CHANNEL_ORGANIC_SEARCH,
	CHANNEL_AI_ASSISTANT, /* ours: from ChatGPT, Perplexity … */
	CHANNEL_REFERRAL,
	CHANNEL_EMAIL,
	CHANNEL_AFFILIATES,
	CHANNEL_AUDIO,
	CHANNEL_SMS,
	CHANNEL_PUSH,
	CHANNEL_UNASSIGNED, /* a campaign that fits none of these */
	CHANNELS
};
const char *channel_name(enum channel c);

#define CHANNEL_QUERY_BYTES 8192 /* of a query that are looked at */
#define CAMPAIGN_VALUE	    128	 /* octets of a decoded value; longer ones are cut at a character */

/* A value of the query, percent-decoded, '+' as blank; len 0: absent. May be any octets, and anything
 * that a stranger wrote: the privacy rules of exports hold for it. */
struct campaign_value {
	uint8_t len;
	char at[CAMPAIGN_VALUE];
};
struct touch {
	enum channel channel;
	struct site referrer; /* host of the Referer where it is not internal */
	struct campaign_value source, medium, name, term, content, id; /* utm_* */
	const char *click; /* gclid, fbclid …: the name only, its value is a person's; NULL: none */
};

/*
 * Of a navigation: its site, Referer and query. Campaign parameters go before click ids, these before
 * the Referer; a campaign on an internal link counts, as in GA4. `own`: further sites of the same
 * shop (hosts; their subdomains count too), count of them.
 */
void channel_of(struct slice site, struct slice referer, struct slice query,
		const struct slice *own, size_t own_count, struct touch *ret);

/* ---- page kind ---- */

enum page_kind {
	PAGE_UNOBSERVED, /* nothing tells */
	PAGE_NAVIGATION, /* a document that a person looks at, or a redirect on the way there */
	PAGE_FRAME,	 /* iframe, frame, embed, object */
	PAGE_STYLE,
	PAGE_SCRIPT,
	PAGE_IMAGE,
	PAGE_FONT,
	PAGE_MEDIA,    /* audio, video, track */
	PAGE_RESOURCE, /* manifest, worker, or a static file of another kind */
	PAGE_CALL,     /* XHR, fetch, GraphQL, gRPC-Web */
	PAGE_BEACON,   /* sendBeacon, ping, reports: nobody waits for the answer */
	PAGE_EVENT_STREAM,
	PAGE_WEBSOCKET,
	PAGE_PREFLIGHT,
	PAGE_FAVICON,
	PAGE_DOWNLOAD, /* a navigation that was answered with a file to be kept */
	PAGE_KINDS
};
const char *page_kind_name(enum page_kind k);

/* What decided, in the order in which it is asked. */
enum page_evidence {
	EVIDENCE_NONE,
	EVIDENCE_PROTOCOL,   /* method, Upgrade, Access-Control-Request-Method, Ping-To */
	EVIDENCE_WELL_KNOWN, /* favicon.ico and its like, /.well-known/; not of a navigation that says
				so itself */
	EVIDENCE_FETCH,	     /* Sec-Fetch-Dest and -Mode */
	EVIDENCE_SCRIPTED,   /* X-Requested-With, or a content type that no form has */
	EVIDENCE_NAVIGATES, /* Upgrade-Insecure-Requests */
	EVIDENCE_ACCEPT,
	EVIDENCE_EXTENSION,
	EVIDENCE_RESPONSE, /* its Content-Type, with Referer: a script's request has one */
};

#define PAGE_PREFETCH 0x0001 /* asked for ahead, seen by nobody yet; the kind is what it is of */
#define PAGE_PASSIVE  0x0002 /* preflight, favicon, HEAD: neither opens nor prolongs a visit */
#define PAGE_POLL     0x0004 /* may be background polling: is, when its target comes steadily */
#define PAGE_MAYBE_FRAME                                                                           \
	0x0008		      /* NAVIGATION without Sec-Fetch and with a Referer: a frame looks \
				   the same, only the timing tells */
#define PAGE_USER      0x0010 /* Sec-Fetch-User: somebody clicked */
#define PAGE_REDIRECT  0x0020 /* 301, 302, 303, 307, 308: its time is part of the next one's */
#define PAGE_UNCHANGED 0x0040 /* 304 */
#define PAGE_ERROR     0x0080 /* status >= 400 */
#define PAGE_EMPTY     0x0100 /* 204, 205: the browser stays where it is */
#define PAGE_HEAD      0x0200
#define PAGE_GRAPHQL   0x0400 /* by path or content type */
#define PAGE_WORKER    0x0800 /* the script of a service worker */
#define PAGE_NO_ANSWER 0x1000 /* no response head was seen */
#define PAGE_REFERRED  0x2000 /* with a Referer */

/* What the request alone says: a few octets, to be kept until the response is there. */
struct page_signs {
	uint16_t flags;		/* those of PAGE_* that the request decides */
	uint8_t kind, evidence; /* PAGE_UNOBSERVED: the response decides */
	bool post;
	bool form; /* the content type of a form */
	bool file; /* the path ends like a file that is kept: 304 says no type */
};

struct page {
	enum page_kind kind;
	enum page_evidence evidence;
	uint32_t flags;
};

/* At the request's head. `path` without the query. */
void page_signs_of(struct slice method, struct slice path, const struct who_fields *f,
		   struct page_signs *ret);
/* At the end. status 0: no response was seen; type: its Content-Type; disposition: its
 * Content-Disposition. */
void page_kind_of(const struct page_signs *s, uint16_t status, struct slice type,
		  struct slice disposition, struct page *ret);
/* A page view: a navigation with an answer that is a document, an error's too; no redirect, HEAD,
 * prefetch or empty answer. */
bool page_is_view(const struct page *p);
/* Belongs to the site of its Origin or Referer. */
bool page_kind_is_call(enum page_kind k);

/* ---- place ---- */

struct place {
	char country[3]; /* ISO 3166-1 alpha-2 in capitals, NUL; empty: unobserved */
	char region[4];	 /* ISO 3166-2 without the country, NUL; empty: unobserved */
};

struct geo;
struct geo_stats {
	uint64_t found, absent; /* absent: the address is not in it, or without a country */
	uint64_t damaged;	/* look-ups that met a damaged record: the place is unobserved */
};

/*
 * A MaxMind DB 2.0 (GeoLite2, GeoIP2, DB-IP and their like) that the caller has read: `file` is
 * borrowed until geo_free and must not change, so it is a private copy, never a mapping of a file
 * that somebody may cut while it is read. Nested (country.iso_code, subdivisions[0].iso_code) or flat
 * (country_code, or country as a string; region_code) is found out here by looking at records.
 * -EBADMSG: damaged, cut off, or of no use; *ret_why says so in a sentence (static text), also for
 * -ENOMEM.
 */
int geo_new(struct slice file, struct geo **ret, const char **ret_why);
/* Another file in the place of *at (NULL: none yet). On an error *at stays as it was. On success the
 * old file's bytes are no longer used. Counters go on. */
int geo_replace(struct geo **at, struct slice file, const char **ret_why);
/* g NULL: unobserved. *ret is empty where it has no country. */
void geo_find(struct geo *g, const struct pc_addr *a, struct place *ret);
void geo_get_stats(const struct geo *g, struct geo_stats *ret);
/* Of its metadata: "GeoLite2-City", and its build time in s since 1970. Valid until geo_free. */
struct slice geo_type(const struct geo *g);
uint64_t geo_build_s(const struct geo *g);
void geo_free(struct geo *g);

#endif
