/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_channel.c: sites and channels. The expectations follow the published definitions of GA4's
 * default channel group; the data must be in the order that the search wants.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "session/who.h"
#include "session/who/channels.h"

/* ---- site ---- */

static void sites_of_hosts(void **state)
{
	static const char *const list[][2] = {
		{ "shop.example", "shop.example" },
		{ "www.shop.example", "shop.example" },
		{ "WWW.Shop.Example", "shop.example" },
		{ "www.shop.example:443", "shop.example" },
		{ "shop.example:80", "shop.example" },
		{ "shop.example:8080", "shop.example" },
		{ "shop.example:65535", "shop.example" },
		{ "shop.example:", "shop.example" },
		{ "shop.example.", "shop.example" },
		{ "www.example", "www.example" },
		{ "www.", "www" },
		{ "wwww.shop.example", "wwww.shop.example" },
		{ "user:secret@shop.example", "shop.example" },
		{ "127.0.0.1:8080", "127.0.0.1" },
		{ "[2001:DB8::1]", "2001:db8::1" },
		{ "[::1]:8080", "::1" },
		{ "[::1]:80", "::1" },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
		{ "my_shop.internal", "my_shop.internal" },
		{ "localhost", "localhost" },
		{ " shop.example ", "shop.example" },
		/* no host names */
		{ "", "" },
		{ ":80", "" },
		{ "b\xc3\xbc"
		  "cher.example",
		  "" },
		{ "shop.example/x", "" },
		{ "a b", "" },
		{ "<script>", "" },
		{ "[::1", "" },
		{ "[x]", "" },
		{ "[1.2.3.4]", "" },
		{ "[fe80::1%eth0]", "" },
		{ ".", "" },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		struct site s;

		site_of_host(slice_str(list[i][0]), &s);
		if (!slice_eq(site_slice(&s), slice_str(list[i][1])))
			fail_msg("'%s': '%.*s'", list[i][0], s.len, s.at);
	}
}

static void long_hosts(void **state)
{
	char text[70000];

	memset(text, 'a', sizeof(text));
	for (size_t n = 1; n < sizeof(text); n = n < 600 ? n + 1 : n * 2) {
		struct site s;

		site_of_host(slice_of(text, n), &s);
		assert_int_equal(s.len, n <= SITE_BYTES ? n : 0);
		memcpy(text + n - 1, ":65535", 6);
		site_of_host(slice_of(text, n + 5), &s);
		memset(text + n - 1, 'a', 6);
		assert_true(s.len <= SITE_BYTES);
	}
}

static void caller(const char *origin, const char *referer, const char *expect)
{
	struct field list[2];
	struct who_fields f;
	uint32_t n = 0;
	struct site s;

	if (origin)
		list[n++] = (struct field){ SLICE("Origin"), slice_str(origin) };
	if (referer)
		list[n++] = (struct field){ SLICE("Referer"), slice_str(referer) };
	who_fields_find(list, n, &f);
	site_of_caller(&f, &s);
	if (!slice_eq(site_slice(&s), slice_str(expect)))
		fail_msg("%s %s: '%.*s' instead of '%s'", origin, referer, s.len, s.at, expect);
}

static void calls_belong_to_their_page(void **state)
{
	const char *shop = "https://www.shop.example", *page = "https://other.example:8443/p?q";

	caller(shop, NULL, "shop.example");
	caller(shop, page, "shop.example");
	caller("null", page, "other.example");
	caller(NULL, page, "other.example");
	caller(NULL, NULL, "");
	caller("null", "about:blank", "");
}

/* ---- channels ---- */

static void expect(const char *referer, const char *query, const char *channel)
{
	static const struct slice own[] = { SLICE("shop.example.de"), SLICE("pay.other.example") };
	struct touch t;

	channel_of(SLICE("shop.example"), slice_str(referer), slice_str(query), own, 2, &t);
	if (strcmp(channel_name(t.channel), channel))
		fail_msg("'%s' '%s': %s instead of %s", referer, query, channel_name(t.channel),
			 channel);
}

static void referers(void **state)
{
	static const char *const list[][2] = {
		{ "", "direct" },
		{ "http://shop.example/", "internal" },
		{ "http://www.shop.example/a", "internal" },
		{ "https://checkout.shop.example/", "internal" },
		{ "https://SHOP.example:443/", "internal" },
		{ "https://shop.example.de/x", "internal" },
		{ "https://a.shop.example.de/x", "internal" },
		{ "https://pay.other.example/", "internal" },
		{ "https://other.example/", "referral" },
		{ "https://notshop.example/", "referral" },
		{ "https://shop.example.evil.test/", "referral" },
		{ "https://www.google.com/", "organic_search" },
		{ "https://www.google.co.uk/", "organic_search" },
		{ "https://www.google.de/url?q=x", "organic_search" },
		{ "https://google.evil-name.example/", "referral" },
		{ "https://www.bing.com/", "organic_search" },
		{ "https://duckduckgo.com/", "organic_search" },
		{ "https://search.yahoo.com/", "organic_search" },
		{ "https://yandex.ru/", "organic_search" },
		{ "https://www.baidu.com/link", "organic_search" },
		{ "android-app://com.google.android.googlequicksearchbox/", "organic_search" },
		{ "https://docs.google.com/", "referral" },
		{ "https://news.google.com/", "referral" },
		{ "https://l.facebook.com/", "organic_social" },
		{ "https://m.facebook.com/", "organic_social" },
		{ "https://t.co/abc", "organic_social" },
		{ "https://www.instagram.com/", "organic_social" },
		{ "https://out.reddit.com/", "organic_social" },
		{ "android-app://com.facebook.katana", "organic_social" },
		{ "https://www.youtube.com/", "organic_video" },
		{ "https://www.amazon.de/", "organic_shopping" },
		{ "https://www.idealo.de/", "organic_shopping" },
		{ "https://mail.google.com/", "email" },
		{ "https://outlook.live.com/", "email" },
		{ "android-app://com.google.android.gm/", "email" },
		{ "https://chatgpt.com/", "ai_assistant" },
		{ "https://gemini.google.com/", "ai_assistant" },
		{ "https://www.paypal.com/checkout", "internal" },
		{ "https://checkout.stripe.com/", "internal" },
		{ "https://accounts.google.com/", "internal" },
		{ "https://[2001:db8::1]/", "referral" },
		{ "about:blank", "unassigned" },
		{ "garbage", "unassigned" },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		expect(list[i][0], "", list[i][1]);
}

static void campaigns(void **state)
{
	static const char *const list[][2] = {
		{ "utm_source=google&utm_medium=cpc", "paid_search" },
		{ "utm_source=Google&utm_medium=CPC", "paid_search" },
		{ "utm_source=google&utm_medium=ppc&utm_campaign=x", "paid_search" },
		{ "utm_source=bing&utm_medium=paidsearch", "paid_search" },
		{ "utm_source=google&utm_medium=organic", "organic_search" },
		{ "utm_source=ads.google.com&utm_medium=cpc", "paid_other" },
		{ "utm_source=facebook&utm_medium=paid_social", "paid_social" },
		{ "utm_source=fb&utm_medium=cpc", "paid_social" },
		{ "utm_source=facebook.com&utm_medium=social", "organic_social" },
		{ "utm_source=somewhere&utm_medium=social-media", "organic_social" },
		{ "utm_source=youtube&utm_medium=cpv", "paid_video" },
		{ "utm_source=youtube&utm_medium=x", "organic_video" },
		{ "utm_source=youtube&utm_medium=cpc", "paid_video" },
		{ "utm_source=other&utm_medium=video-ad", "organic_video" },
		{ "utm_source=amazon&utm_medium=cpc", "paid_shopping" },
		{ "utm_source=google&utm_medium=cpc&utm_campaign=DE_Shopping_Brand",
		  "paid_shopping" },
		{ "utm_source=google&utm_medium=cpc&utm_campaign=eshop", "paid_shopping" },
		{ "utm_source=google&utm_medium=cpc&utm_campaign=workshop", "paid_search" },
		{ "utm_source=other&utm_medium=display", "display" },
		{ "utm_source=other&utm_medium=banner", "display" },
		{ "utm_source=other&utm_medium=cpm", "display" },
		{ "utm_source=other&utm_medium=cpc", "paid_other" },
		{ "utm_source=other&utm_medium=retargeting", "paid_other" },
		{ "utm_campaign=Cross-network&utm_medium=cpc&utm_source=google", "cross_network" },
		{ "utm_source=newsletter&utm_medium=email", "email" },
		{ "utm_source=kw12&utm_medium=e-mail", "email" },
		{ "utm_source=klaviyo&utm_medium=x", "email" },
		{ "utm_source=awin&utm_medium=affiliate", "affiliates" },
		{ "utm_source=podcast&utm_medium=audio", "audio" },
		{ "utm_source=other&utm_medium=sms", "sms" },
		{ "utm_source=other&utm_medium=web_push", "mobile_push_notifications" },
		{ "utm_source=firebase&utm_medium=x", "mobile_push_notifications" },
		{ "utm_source=partner&utm_medium=referral", "referral" },
		{ "utm_source=flyer&utm_medium=print", "unassigned" },
		{ "utm_source=chatgpt.com", "ai_assistant" },
		{ "utm_source=so%63ial%20media&utm_medium=social+media", "organic_social" },
		/* click ids alone, and beside */
		{ "gclid=abc", "paid_search" },
		{ "a=b&wbraid=abc", "paid_search" },
		{ "msclkid=abc", "paid_search" },
		{ "dclid=abc", "display" },
		{ "fbclid=abc", "organic_social" },
		{ "fbclid=abc&utm_source=facebook&utm_medium=paid", "paid_social" },
		{ "ttclid=abc", "paid_social" },
		{ "srsltid=abc", "organic_shopping" },
		{ "mc_eid=abc", "email" },
		{ "utm_source=flyer&utm_medium=print&gclid=abc", "paid_search" },
		/* none of these */
		{ "gclid=", "direct" },
		{ "gclid", "direct" },
		{ "xgclid=1", "direct" },
		{ "utm_source=", "direct" },
		{ "utm_term=x", "direct" },
		{ "q=utm_source=google", "direct" },
		{ "&&&==&=", "direct" },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		expect("", list[i][0], list[i][1]);
	expect("https://www.google.com/", "utm_source=newsletter&utm_medium=email", "email");
	expect("https://www.google.com/", "utm_medium=cpc", "paid_search");
	expect("https://shop.example/", "utm_source=other&utm_medium=banner", "display");
	expect("https://l.facebook.com/", "gclid=x", "paid_search");
}

static void values(void **state)
{
	char query[1024];
	struct touch t;

	channel_of(
		SLICE("shop.example"), SLICE("https://news.example/a"),
		SLICE("UTM_Source=a%2Bb+c&utm_medium=%zz%4&utm_campaign=x&utm_campaign=y&utm_term=t"
		      "&utm_content=%C3%A4&utm_id=7&gclid=secret&fbclid=other"),
		NULL, 0, &t);
	assert_slice(slice_of(t.source.at, t.source.len), "a+b c");
	assert_slice(slice_of(t.medium.at, t.medium.len), "%zz%4");
	assert_slice(slice_of(t.name.at, t.name.len), "x");
	assert_slice(slice_of(t.term.at, t.term.len), "t");
	assert_slice(slice_of(t.content.at, t.content.len), "\xc3\xa4");
	assert_slice(slice_of(t.id.at, t.id.len), "7");
	assert_string_equal(t.click, "gclid");
	assert_slice(site_slice(&t.referrer), "news.example");
	/* A cut never leaves half a character. */
	for (unsigned pad = 0; pad < 4; pad++) {
		int n = snprintf(query, sizeof(query), "utm_source=%.*s", (int)pad, "aaaa");

		for (unsigned i = 0; i < 60; i++)
			n += snprintf(query + n, sizeof(query) - (size_t)n, "%s", "%E2%82%AC");
		channel_of(SLICE("shop.example"), SLICE(""), slice_of(query, (size_t)n), NULL, 0,
			   &t);
		assert_true(t.source.len > CAMPAIGN_VALUE - 4);
		assert_true(utf8_is_valid(slice_of(t.source.at, t.source.len)));
	}
}

static void floods(void **state)
{
	char *text = malloc(65536);
	struct touch t;

	assert_non_null(text);
	for (unsigned octet = 0; octet < 256; octet++) {
		memset(text, (int)octet, 65536);
		channel_of(SLICE("shop.example"), slice_of(text, 65536), slice_of(text, 65536),
			   NULL, 0, &t);
		memcpy(text, "http://", 7);
		channel_of(SLICE("shop.example"), slice_of(text, 65536), slice_of(text, 65536),
			   NULL, 0, &t);
		assert_true(t.channel == CHANNEL_REFERRAL || t.channel == CHANNEL_UNASSIGNED);
	}
	memset(text, '&', 65536);
	memcpy(text + CHANNEL_QUERY_BYTES, "gclid=1", 7);
	channel_of(SLICE("shop.example"), SLICE(""), slice_of(text, 65536), NULL, 0, &t);
	assert_int_equal(t.channel, CHANNEL_DIRECT);
	free(text);
}

static void cut_at_every_octet(void **state)
{
	static const char referer[] = "https://u:p@www.google.co.uk:8443/x?q";
	static const char query[] =
		"utm_source=a%20b&utm_medium=cpc&gclid=1&utm_campaign=%E2%82%AC";

	for (size_t n = 0; n <= sizeof(referer) - 1; n++) {
		char *copy = malloc(n ? n : 1);
		struct touch t;

		assert_non_null(copy);
		memcpy(copy, referer, n);
		channel_of(SLICE("shop.example"), slice_of(copy, n), SLICE(""), NULL, 0, &t);
		assert_true(slice_find_slice(site_slice(&t.referrer), SLICE("p@")) < 0);
		free(copy);
	}
	for (size_t n = 0; n <= sizeof(query) - 1; n++) {
		char *copy = malloc(n ? n : 1);
		struct touch t;

		assert_non_null(copy);
		memcpy(copy, query, n);
		channel_of(SLICE("shop.example"), SLICE(""), slice_of(copy, n), NULL, 0, &t);
		assert_true(t.channel != CHANNEL_UNOBSERVED);
		free(copy);
	}
}

static void in_order(const struct source_host *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < list[i].host.len; k++)
			assert_false(list[i].host.at[k] >= 'A' && list[i].host.at[k] <= 'Z');
		/* SLICE ends with a NUL here, which is below all octets. */
		if (i && strcmp(list[i - 1].host.at, list[i].host.at) >= 0)
			fail_msg("'%s' does not come before '%s'", list[i - 1].host.at,
				 list[i].host.at);
	}
}

static void data_is_in_order(void **state)
{
	assert_true(source_host_count > 300);
	in_order(source_hosts, source_host_count);
	in_order(source_words, source_word_count);
}

UNIT_MAIN(T(sites_of_hosts), T(long_hosts), T(calls_belong_to_their_page), T(referers),
	  T(campaigns), T(values), T(floods), T(cut_at_every_octet), T(data_is_in_order))
