/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_agent.c: User-Agents and client hints as browsers, devices, robots, monitors and libraries
 * send them. What must not happen is that a person is called a robot.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/who/agents.h"

static struct agents *agents;

#define NT "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
#define MAC                                                                                        \
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "       \
	"Gecko) "
#define PHONE                                                                                      \
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "     \
	"like Gecko) "
#define DROID "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "

struct person {
	const char *text, *device, *os, *browser;
	uint32_t major;
};

static const struct person people[] = {
	{ NT "Chrome/120.0.0.0 Safari/537.36", "desktop", "Windows", "Chrome", 120 },
	{ NT "Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.61", "desktop", "Windows", "Edge",
	  120 },
	{ NT "Chrome/119.0.0.0 Safari/537.36 OPR/105.0.0.0", "desktop", "Windows", "Opera", 105 },
	{ NT "Chrome/116.0.0.0 YaBrowser/23.9.0 Yowser/2.5 Safari/537.36", "desktop", "Windows",
	  "Yandex Browser", 23 },
	{ NT "Chrome/122.0.0.0 Safari/537.36 Vivaldi/6.6", "desktop", "Windows", "Vivaldi", 6 },
	{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0",
	  "desktop", "Windows", "Firefox", 121 },
	{ "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", "desktop",
	  "Windows", "Internet Explorer", 11 },
	{ "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)", "desktop", "Windows",
	  "Internet Explorer", 8 },
	{ "Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18", "desktop", "Windows",
	  "Opera", 12 },
	{ MAC "Version/17.1 Safari/605.1.15", "desktop", "macOS", "Safari", 17 },
	{ "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:121.0) Gecko/20100101 Firefox/121.0",
	  "desktop", "macOS", "Firefox", 121 },
	{ "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 "
	  "Safari/537.36",
	  "desktop", "Linux", "Chrome", 120 },
	{ "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/119.0",
	  "desktop", "Linux", "Firefox", 119 },
	{ "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "Chrome/120.0.0.0 Safari/537.36",
	  "desktop", "Chrome OS", "Chrome", 120 },
	{ "Mozilla/5.0 (X11; FreeBSD amd64; rv:120.0) Gecko/20100101 Firefox/120.0", "desktop",
	  "BSD", "Firefox", 120 },
	{ PHONE "Version/17.1 Mobile/15E148 Safari/604.1", "mobile", "iOS", "Safari", 17 },
	{ PHONE "CriOS/120.0.6099.50 Mobile/15E148 Safari/604.1", "mobile", "iOS", "Chrome", 120 },
	{ PHONE "FxiOS/120.0 Mobile/15E148 Safari/605.1.15", "mobile", "iOS", "Firefox", 120 },
	{ PHONE "EdgiOS/120.0.2210.52 Version/17.0 Mobile/15E148 Safari/604.1", "mobile", "iOS",
	  "Edge", 120 },
	{ PHONE "Mobile/15E148 [FBAN/FBIOS;FBAV/442.0.0.43.109;FBBV/540]", "mobile", "iOS",
	  "in-app", 442 },
	{ PHONE "Mobile/15E148 Instagram 309.0.0.18.109 (iPhone13,2; iOS 17_1)", "mobile", "iOS",
	  "in-app", 309 },
	{ PHONE "GSA/292.0.581280283 Mobile/15E148 Safari/604.1", "mobile", "iOS", "in-app", 292 },
	{ "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	  "Version/16.6 Mobile/15E148 Safari/604.1",
	  "tablet", "iOS", "Safari", 16 },
	{ DROID "Chrome/120.0.0.0 Mobile Safari/537.36", "mobile", "Android", "Chrome", 120 },
	{ DROID "Chrome/120.0.0.0 Safari/537.36", "tablet", "Android", "Chrome", 120 },
	{ DROID "SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36", "mobile", "Android",
	  "Samsung Internet", 23 },
	{ "Mozilla/5.0 (Android 13; Mobile; rv:121.0) Gecko/121.0 Firefox/121.0", "mobile",
	  "Android", "Firefox", 121 },
	{ "Mozilla/5.0 (Android 13; Tablet; rv:121.0) Gecko/121.0 Firefox/121.0", "tablet",
	  "Android", "Firefox", 121 },
	{ "Mozilla/5.0 (Linux; Android 13; SM-A536B Build/TP1A; wv) AppleWebKit/537.36 (KHTML, "
	  "like Gecko) "
	  "Version/4.0 Chrome/119.0.6045.163 Mobile Safari/537.36",
	  "mobile", "Android", "Android WebView", 0 },
	{ "Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "Chrome/96.0.4664.45 Mobile Safari/537.36",
	  "mobile", "Android", "Chrome", 96 },
	{ "Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "Chrome/96.0.4664.45 Mobile Safari/537.36",
	  "mobile", "Android", "Chrome", 96 },
	{ "Mozilla/5.0 (Linux; Android 12; HarmonyOS; NOH-AN00) AppleWebKit/537.36 (KHTML, like "
	  "Gecko) "
	  "Chrome/99.0.4844.88 HuaweiBrowser/13.0.3 Mobile Safari/537.36",
	  "mobile", "HarmonyOS", "Huawei Browser", 13 },
	{ "Mozilla/5.0 (Linux; Android 9; KFMAWI) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "Silk/108.4 like "
	  "Chrome/108.0.5359.220 Safari/537.36",
	  "tablet", "Android", "Silk", 108 },
	{ "Mozilla/5.0 (Linux; Android 9; AFTMM Build/PS7624) AppleWebKit/537.36 (KHTML, like "
	  "Gecko) "
	  "Silk/108.4 like Chrome/108.0.5359.220 Safari/537.36",
	  "tv", "Android", "Silk", 108 },
	{ "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "76.0.3809.146/6.0 "
	  "TV Safari/537.36",
	  "tv", "Tizen", "other", 0 },
	{ "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "Chrome/94.0.4606.128 "
	  "Safari/537.36",
	  "tv", "webOS", "Chrome", 94 },
	{ "Mozilla/5.0 (PlayStation; PlayStation 5/3.11) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	  "Version/15.4 Safari/605.1.15",
	  "console", "PlayStation", "other", 0 },
	{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox Series X) AppleWebKit/537.36 "
	  "(KHTML, like "
	  "Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.61",
	  "console", "Xbox", "Edge", 120 },
	{ "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) "
	  "AppleWebKit/537.36 (KHTML, "
	  "like Gecko) Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15063",
	  "mobile", "Windows", "Edge", 15 },
	{ "Mozilla/5.0 (Mobile; Nokia_2720; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5.4", "mobile",
	  "KaiOS", "Firefox", 48 },
	{ "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80 (S60; SymbOS; Opera Mobi/23.348; U; en) "
	  "Presto/2.5.25 "
	  "Version/10.54",
	  "mobile", "other", "Opera", 10 },
	{ "Lynx/2.9.0dev.10 libwww-FM/2.14 SSL-MM/1.4.1 OpenSSL/3.0.8", "other", "other", "text",
	  2 },
	/* applications */
	{ "okhttp/4.12.0", "other", "other", "application", 4 },
	{ "Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ3A.230805.001)", "mobile", "Android",
	  "application", 2 },
	{ "ShopApp/312 CFNetwork/1474 Darwin/23.0.0", "other", "other", "application", 1474 },
	{ "Dart/3.1 (dart:io)", "other", "other", "application", 3 },
	/* who tells nothing */
	{ "Mozilla/5.0", "other", "other", "other", 0 },
	{ "x", "other", "other", "other", 0 },
	{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Roboto Talbott/1.0", "desktop", "Windows",
	  "other", 0 },
	{ "Mozilla/5.0 (X11; Linux x86_64) curlytail python-lovers", "desktop", "Linux", "other",
	  0 },
};

static void ask(const char *text, struct agent *ret)
{
	struct field list[1] = { { SLICE("User-Agent"), slice_str(text) } };
	struct who_fields f;

	who_fields_find(list, 1, &f);
	agent_of(agents, &f, ret);
}

static void people_are_people(void **state)
{
	for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
		const struct person *k = &people[i];
		struct agent a;

		ask(k->text, &a);
		if (a.synthetic)
			fail_msg("%s: a robot by '%s'", k->text, a.name);
		if (strcmp(device_name(a.device), k->device) || strcmp(os_name(a.os), k->os) ||
		    strcmp(a.name, k->browser) || a.version != k->major)
			fail_msg("%s: %s, %s, %s %u", k->text, device_name(a.device), os_name(a.os),
				 a.name, a.version);
	}
}

static const struct {
	const char *text, *type, *device, *robot;
} robots[] = {
	{ "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot", "bot",
	  "googlebot" },
	{ "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, "
	  "like Gecko) "
	  "Chrome/120.0.6099.71 Mobile Safari/537.36 (compatible; Googlebot/2.1; "
	  "+http://www.google.com/bot.html)",
	  "bot", "bot", "googlebot" },
	{ "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; "
	  "+http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
	  "bot", "bot", "bingbot" },
	{ "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", "bot", "bot",
	  "yandexbot" },
	{ "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
	  "bot", "bot", "slurp" },
	{ "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; "
	  "+https://openai.com/gptbot)",
	  "bot", "bot", "gptbot" },
	{ "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; "
	  "+claudebot@anthropic.com)",
	  "bot", "bot", "claudebot" },
	{ "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "bot", "bot",
	  "facebookexternalhit" },
	{ "WhatsApp/2.23.20.0", "bot", "bot", "whatsapp" },
	{ "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "bot", "bot",
	  "ahrefsbot" },
	{ "Mozilla/5.0 (compatible; NeverHeardOfBot/1.0)", "bot", "bot", "bot" },
	{ "Mozilla/5.0 (compatible; acme-spider)", "bot", "bot", "spider" },
	{ "AcmeCrawler", "bot", "bot", "crawler" },
	{ "Mozilla/5.0 (compatible; Acme/1.0; +https://acme.example/about)", "bot", "bot",
	  "+http" },
	{ "Feedly/1.0 (+http://www.feedly.com/fetcher.html; like FeedFetcher-Google)", "bot", "bot",
	  "feedly" },
	{ "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "HeadlessChrome/120.0.6099.0 Safari/537.36",
	  "bot", "bot", "headlesschrome" },
	{ "Screaming Frog SEO Spider/19.4", "bot", "bot", "screaming frog seo spider" },
	/* monitors and tests */
	{ "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "test", "bot",
	  "uptimerobot" },
	{ "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", "test", "bot", "pingdom" },
	{ "ELB-HealthChecker/2.0", "test", "bot", "elb-healthchecker" },
	{ "GoogleHC/1.0", "test", "bot", "googlehc" },
	{ "kube-probe/1.27", "test", "bot", "kube-probe" },
	{ "Consul Health Check", "test", "bot", "consul health check" },
	{ "Amazon-Route53-Health-Check-Service (ref 1; report http://amzn.to/1vsZADi)", "test",
	  "bot", "amazon-route53-health-check-service" },
	{ "Blackbox Exporter/0.24.0", "test", "bot", "blackbox exporter" },
	{ "check_http/v2.3.3 (monitoring-plugins 2.3.3)", "test", "bot", "check_http" },
	{ "Mozilla/5.0 (Linux; Android 11; moto g power (2022)) AppleWebKit/537.36 (KHTML, like "
	  "Gecko) "
	  "Chrome/119.0.0.0 Mobile Safari/537.36 Chrome-Lighthouse",
	  "test", "bot", "chrome-lighthouse" },
	{ "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
	  "HeadlessChrome/120.0.0.0 Safari/537.36 PTST/240101",
	  "test", "bot", "ptst" },
	{ "ApacheBench/2.3", "test", "bot", "apachebench" },
	{ "k6/0.48.0 (https://k6.io/)", "test", "bot", "k6" },
	{ "hey/0.0.1", "test", "bot", "hey" },
	/* libraries */
	{ "curl/7.88.1", "bot", "program", "curl" },
	{ "Wget/1.21.3", "bot", "program", "wget" },
	{ "python-requests/2.31.0", "bot", "program", "python-requests" },
	{ "Python-urllib/3.11", "bot", "program", "python-urllib" },
	{ "Python/3.11 aiohttp/3.9.1", "bot", "program", "python" },
	{ "Go-http-client/1.1", "bot", "program", "go-http-client" },
	{ "Apache-HttpClient/4.5.14 (Java/17.0.9)", "bot", "program", "apache-httpclient" },
	{ "Java/17.0.9", "bot", "program", "java" },
	{ "axios/1.6.2", "bot", "program", "axios" },
	{ "node", "bot", "program", "node" },
	{ "GuzzleHttp/7", "bot", "program", "guzzlehttp" },
	{ "PostmanRuntime/7.36.0", "bot", "program", "postmanruntime" },
	{ "WordPress/6.4.2; https://blog.example", "bot", "program", "wordpress" },
	{ "libwww-perl/6.67", "bot", "program", "libwww-perl" },
};

static void robots_say_so(void **state)
{
	for (size_t i = 0; i < sizeof(robots) / sizeof(robots[0]); i++) {
		struct agent a;

		ask(robots[i].text, &a);
		if (!a.synthetic)
			fail_msg("%s: taken for a person", robots[i].text);
		if (strcmp(synthetic_name(a.synthetic), robots[i].type) ||
		    strcmp(device_name(a.device), robots[i].device) ||
		    strcmp(a.name, robots[i].robot))
			fail_msg("%s: %s, %s by '%s'", robots[i].text, synthetic_name(a.synthetic),
				 device_name(a.device), a.name);
		assert_ptr_equal(agents_name(agents, a.browser, a.robot), a.name);
		assert_true(a.robot && a.robot <= agents_count(agents));
	}
}

/* Behind the word that said so, whatever browser the robot says to be. */
static void versions_of_robots(void **state)
{
	static const struct {
		const char *text, *name;
		uint32_t version;
	} list[] = {
		{ "curl/7.88.1", "curl", 7 },
		{ "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
		  "googlebot", 2 },
		{ "Mozilla/5.0 AppleWebKit/537.36 (compatible; bingbot/2.0) Chrome/120.0 "
		  "Safari/537.36",
		  "bingbot", 2 },
		{ "AdsBot-Google-Mobile/3", "adsbot-google", 0 }, /* any ending: no place for it */
		{ "SomethingBot/31.2", "bot", 31 },
		{ "Mozilla/5.0 (+http://example.org/why)", "+http", 0 },
		{ "d41d8cd98f00b204e9800998ecf8427e/1", "other", 0 },
		{ "John/1.0 of example", "other",
		  0 }, /* a name that nobody lists may be a person's */
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct agent a;

		ask(list[i].text, &a);
		if (strcmp(a.name, list[i].name) || a.version != list[i].version)
			fail_msg("%s: %s %u", list[i].text, a.name, a.version);
	}
}

static void none_is_unobserved(void **state)
{
	struct who_fields f;
	struct agent a;

	who_fields_find(NULL, 0, &f);
	agent_of(agents, &f, &a);
	assert_null(device_name(a.device));
	assert_null(os_name(a.os));
	assert_null(browser_name(a.browser));
	assert_null(a.name);
	assert_u64(a.version, 0);
	assert_null(synthetic_name(a.synthetic));
	ask("", &a);
	assert_null(device_name(a.device));
}

/* The hints know what the frozen User-Agent hides. */
static void hints(void **state)
{
	static const struct {
		const char *agent, *brands, *mobile, *platform, *device, *os, *browser;
		uint32_t major;
		bool robot;
	} list[] = {
		{ NT "Chrome/120.0.0.0 Safari/537.36",
		  "\"Not_A Brand\";v=\"8\", \"Chromium\";v=\"120\", \"Google Chrome\";v=\"120\"",
		  "?0", "\"Windows\"", "desktop", "Windows", "Chrome", 120, false },
		{ NT "Chrome/120.0.0.0 Safari/537.36",
		  "\"Not_A Brand\";v=\"8\", \"Chromium\";v=\"120\", \"Brave\";v=\"120\"", "?0",
		  "\"Windows\"", "desktop", "Windows", "Brave", 120, false },
		{ NT "Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0",
		  "\"Chromium\";v=\"120\", \"Microsoft Edge\";v=\"121\", \"Not?A_Brand\";v=\"24\"",
		  "?0", "\"Windows\"", "desktop", "Windows", "Edge", 121, false },
		{ DROID "Chrome/120.0.0.0 Safari/537.36",
		  "\"Google Chrome\";v=\"120\", \"Chromium\";v=\"120\"", "?0", "\"Android\"",
		  "tablet", "Android", "Chrome", 120, false },
		/* a telephone that asks for the desktop's page */
		{ "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
		  "Chrome/120.0.0.0 "
		  "Safari/537.36",
		  "\"Google Chrome\";v=\"120\", \"Chromium\";v=\"120\"", "?0", "\"Android\"",
		  "tablet", "Android", "Chrome", 120, false },
		{ DROID "Chrome/120.0.0.0 Mobile Safari/537.36",
		  "\"Android WebView\";v=\"120\", \"Chromium\";v=\"120\"", "?1", "\"Android\"",
		  "mobile", "Android", "Android WebView", 120, false },
		{ "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) "
		  "Chrome/120.0.0.0 Safari/537.36",
		  "\"Chromium\";v=\"120\"", "?0", "\"Chrome OS\"", "desktop", "Chrome OS",
		  "Chromium", 120, false },
		/* nothing but hints; garbage; a robot by hints alone */
		{ "", "\"Chromium\";v=\"120\", \"Google Chrome\";v=\"120\"", "?1", "\"Android\"",
		  "mobile", "Android", "Chrome", 120, false },
		{ NT "Chrome/120.0.0.0 Safari/537.36", ",,;;\"\"\"v=,\"", "?2", "Windows",
		  "desktop", "Windows", "Chrome", 120, false },
		{ NT "Chrome/120.0.0.0 Safari/537.36",
		  "\"HeadlessChrome\";v=\"120\", \"Chromium\";v=\"120\"", "?0", "\"Linux\"", "bot",
		  "Linux", "Chrome", 120, true },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct field fields[] = {
			{ SLICE("user-agent"), slice_str(list[i].agent) },
			{ SLICE("sec-ch-ua"), slice_str(list[i].brands) },
			{ SLICE("sec-ch-ua-mobile"), slice_str(list[i].mobile) },
			{ SLICE("sec-ch-ua-platform"), slice_str(list[i].platform) },
		};
		struct who_fields f;
		struct agent a;

		who_fields_find(fields, 4, &f);
		agent_of(agents, &f, &a);
		if (strcmp(device_name(a.device), list[i].device) ||
		    strcmp(os_name(a.os), list[i].os) ||
		    strcmp(browser_name(a.browser), list[i].browser) ||
		    a.browser_major != list[i].major || !!a.synthetic != list[i].robot)
			fail_msg("case %zu: %s, %s, %s %u", i, device_name(a.device), os_name(a.os),
				 browser_name(a.browser), a.browser_major);
	}
}

/* Every row finds itself, whatever stands around it, and says so in lower case. */
static void every_word_is_found(void **state)
{
	unsigned rows = 0;

	for (const struct agent_word *w = agents_robots; w->text; w++, rows++) {
		size_t len = strlen(w->text) - (w->text[strlen(w->text) - 1] == '*');
		struct agent a;
		char text[128];

		snprintf(text, sizeof(text), "%s%.*s/1.0",
			 w->value == AGENT_AT_START || w->kind == WORD_PROGRAM ? ""
									       : "Mozilla/5.0 (",
			 (int)len, w->text);
		ask(text, &a);
		if (a.synthetic != (w->kind == WORD_TEST ? SYNTHETIC_TEST : SYNTHETIC_BOT))
			fail_msg("%s is not found", text);
		for (const struct agent_word *other = agents_robots; other < w; other++)
			if (!strcmp(other->text, w->text))
				fail_msg("%s stands twice", w->text);
	}
	assert_true(rows > 500);
}

static void own_words(void **state)
{
	static const struct agent_word more[] = {
		{ "acme synthetic", WORD_TEST, 0, 9 },
		{ "shopapp*", WORD_PERSON, 0, 0 },
		{ NULL, 0, 0, 0 },
	};
	static const struct agent_word bad[][2] = {
		{ { "", WORD_BOT, 0, 0 }, { NULL, 0, 0, 0 } },
		{ { "x", WORD_BOT, 0, 0 }, { NULL, 0, 0, 0 } },
		{ { "Acme", WORD_BOT, 0, 0 }, { NULL, 0, 0, 0 } },
		{ { "(acme", WORD_BOT, 0, 0 }, { NULL, 0, 0, 0 } },
	};
	struct agents *before = agents, *other;
	struct agent a;

	assert_int_equal(agents_new(more, &agents), 0);
	ask("Acme Synthetic Runner/3", &a);
	assert_int_equal(a.synthetic, SYNTHETIC_TEST);
	ask("ShopApp2/3 (python-requests)", &a);
	assert_int_equal(a.synthetic, SYNTHETIC_NONE);
	ask("curl/8", &a);
	assert_int_equal(a.synthetic, SYNTHETIC_BOT);
	agents_free(agents);
	agents = before;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(agents_new(bad[i], &other), -EINVAL);
	agents_free(NULL);
}

/* Each prefix in a place of its exact size: nothing is read beyond, and people stay people. */
static void cut_at_every_octet(void **state)
{
	for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
		for (size_t n = 0; n <= strlen(people[i].text); n++) {
			char *copy = malloc(n ? n : 1);
			struct field list[1] = { { SLICE("user-agent"), slice_of(copy, n) } };
			struct who_fields f;
			struct agent a;

			assert_non_null(copy);
			memcpy(copy, people[i].text, n);
			who_fields_find(list, 1, &f);
			agent_of(agents, &f, &a);
			/* No browser's name that is cut becomes a robot's; that of the made-up one does. */
			if (a.synthetic && !strstr(people[i].text, "Roboto"))
				fail_msg("%.*s: '%s'", (int)n, people[i].text, a.name);
			free(copy);
		}
	}
}

/* 64 KiB: looked at up to AGENT_BYTES; the worst words for the index are no catastrophe. */
static void floods(void **state)
{
	char *text = malloc(65537);
	struct agent a;

	assert_non_null(text);
	for (unsigned octet = 1; octet < 256; octet++) {
		memset(text, (int)octet, 65536);
		text[65536] = 0;
		ask(text, &a);
		assert_true(octet == ' ' || octet == '\t' || a.device == DEVICE_OTHER);
	}
	for (unsigned i = 0; i < 65536; i += 8)
		memcpy(text + i, "google-_", 8);
	ask(text, &a);
	assert_int_equal(a.synthetic, SYNTHETIC_NONE);
	memset(text, '.', 65536);
	memcpy(text + AGENT_BYTES, "Googlebot", 9);
	text[0] = 'x';
	ask(text, &a);
	assert_int_equal(a.synthetic, SYNTHETIC_NONE);
	free(text);
}

static int set_up(void **state)
{
	return agents_new(NULL, &agents);
}

static int tear_down(void **state)
{
	agents_free(agents);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(people_are_people),
		T(robots_say_so),
		T(versions_of_robots),
		T(none_is_unobserved),
		T(hints),
		T(every_word_is_found),
		T(own_words),
		T(cut_at_every_octet),
		T(floods),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
