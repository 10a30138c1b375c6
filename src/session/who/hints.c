/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hints.c: client hints (W3C "User-Agent Client Hints", structured fields of RFC 8941) → what they know better
 * than a User-Agent, which browsers freeze. Called by user_agent.c after it. Stateless.
 */
#include "session/who/agents.h"

static struct slice string_item(struct slice s)
{
	s = slice_trim(s);
	if (s.len >= 2 && s.at[0] == '"' && s.at[s.len - 1] == '"')
		return slice_sub(s, 1, s.len - 1);
	return (struct slice){ 0 };
}

struct brand {
	struct slice name;
	uint8_t browser, rank;
};

static const struct brand brands[] = {
	{ SLICE("Chromium"), BROWSER_CHROMIUM, 1 },
	{ SLICE("Google Chrome"), BROWSER_CHROME, 2 },
	{ SLICE("HeadlessChrome"), BROWSER_CHROME, 2 },
	{ SLICE("Microsoft Edge"), BROWSER_EDGE, 3 },
	{ SLICE("Microsoft Edge WebView2"), BROWSER_OTHER, 3 },
	{ SLICE("Opera"), BROWSER_OPERA, 3 },
	{ SLICE("Opera GX"), BROWSER_OPERA, 3 },
	{ SLICE("Brave"), BROWSER_BRAVE, 3 },
	{ SLICE("Samsung Internet"), BROWSER_SAMSUNG, 3 },
	{ SLICE("Android WebView"), BROWSER_WEBVIEW, 3 },
	{ SLICE("YaBrowser"), BROWSER_YANDEX, 3 },
	{ SLICE("Yandex"), BROWSER_YANDEX, 3 },
	{ SLICE("Vivaldi"), BROWSER_VIVALDI, 3 },
	{ SLICE("DuckDuckGo"), BROWSER_DUCKDUCKGO, 3 },
	{ SLICE("Whale"), BROWSER_WHALE, 3 },
};

#define BRANDS_LOOKED_AT 8

/* "Chromium";v="120", "Google Chrome";v="120", "Not?A_Brand";v="24". No brand that counts has a
 * comma or a semicolon in it. */
static void hint_brands(struct slice list, struct agent *ret)
{
	unsigned best = 0;

	for (unsigned n = 0; list.at && n < BRANDS_LOOKED_AT; n++) {
		struct slice rest = slice_next(&list, ','),
			     name = string_item(slice_next(&rest, ';'));
		struct slice version = slice_trim(rest);

		for (size_t i = 0; name.at && i < sizeof(brands) / sizeof(brands[0]); i++) {
			if (brands[i].rank <= best || !slice_eq(brands[i].name, name))
				continue;
			best = brands[i].rank;
			if (ret->browser ==
			    BROWSER_IN_APP) /* its view has the brands of its engine */
				break;
			ret->browser = (enum browser)brands[i].browser;
			ret->browser_major = slice_starts(version, SLICE("v=\""))
						     ? agent_version_at(version, 3)
						     : 0;
		}
	}
}

static void hint_platform(struct slice name, struct agent *ret)
{
	static const struct {
		struct slice name;
		uint8_t os;
	} platforms[] = {
		{ SLICE("Windows"), OS_WINDOWS },
		{ SLICE("macOS"), OS_MACOS },
		{ SLICE("Android"), OS_ANDROID },
		{ SLICE("Linux"), OS_LINUX },
		{ SLICE("iOS"), OS_IOS },
		{ SLICE("Chrome OS"), OS_CHROME_OS },
		{ SLICE("Chromium OS"), OS_CHROME_OS },
	};

	for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++)
		if (slice_eq(platforms[i].name, name))
			ret->os = (enum os)platforms[i].os;
}

void agent_apply_hints(const struct who_fields *w, struct agent *ret)
{
	struct slice mobile = slice_trim(w->value[WHO_CH_MOBILE]);
	bool plain = ret->device == DEVICE_DESKTOP || ret->device == DEVICE_OTHER ||
		     ret->device == DEVICE_MOBILE || ret->device == DEVICE_TABLET ||
		     ret->device == DEVICE_UNOBSERVED;

	if (w->value[WHO_CH_PLATFORM].at)
		hint_platform(string_item(w->value[WHO_CH_PLATFORM]), ret);
	if (w->value[WHO_CH_UA].at)
		hint_brands(w->value[WHO_CH_UA], ret);
	if (!plain || !mobile.at)
		return;
	/* A tablet says ?0, as a desktop does. */
	if (slice_eq(mobile, SLICE("?1")))
		ret->device = DEVICE_MOBILE;
	else if (slice_eq(mobile, SLICE("?0")) && ret->device != DEVICE_TABLET)
		ret->device = ret->os == OS_ANDROID ? DEVICE_TABLET : DEVICE_DESKTOP;
}
