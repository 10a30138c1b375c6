/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.c: what who.h tells, as words for NDJSON, spans and metrics. The words are part of the
 * outputs (share/schema.md): a change here is a change of a format. NULL: unobserved, or none.
 */
#include "session/who.h"

const char *device_name(enum device d)
{
	static const char *const names[DEVICES] = {
		[DEVICE_DESKTOP] = "desktop", [DEVICE_MOBILE] = "mobile",
		[DEVICE_TABLET] = "tablet",   [DEVICE_TV] = "tv",
		[DEVICE_CONSOLE] = "console", [DEVICE_WEARABLE] = "wearable",
		[DEVICE_BOT] = "bot",	      [DEVICE_PROGRAM] = "program",
		[DEVICE_OTHER] = "other",
	};

	return names[d];
}

/* user_agent.os.name */
const char *os_name(enum os o)
{
	static const char *const names[OSES] = {
		[OS_WINDOWS] = "Windows",   [OS_MACOS] = "macOS",
		[OS_LINUX] = "Linux",	    [OS_ANDROID] = "Android",
		[OS_IOS] = "iOS",	    [OS_CHROME_OS] = "Chrome OS",
		[OS_TIZEN] = "Tizen",	    [OS_WEBOS] = "webOS",
		[OS_HARMONY] = "HarmonyOS", [OS_KAIOS] = "KaiOS",
		[OS_BSD] = "BSD",	    [OS_PLAYSTATION] = "PlayStation",
		[OS_XBOX] = "Xbox",	    [OS_NINTENDO] = "Nintendo",
		[OS_OTHER] = "other",
	};

	return names[o];
}

/* user_agent.name */
const char *browser_name(enum browser b)
{
	static const char *const names[BROWSERS] = {
		[BROWSER_CHROME] = "Chrome",
		[BROWSER_SAFARI] = "Safari",
		[BROWSER_FIREFOX] = "Firefox",
		[BROWSER_EDGE] = "Edge",
		[BROWSER_OPERA] = "Opera",
		[BROWSER_SAMSUNG] = "Samsung Internet",
		[BROWSER_IE] = "Internet Explorer",
		[BROWSER_BRAVE] = "Brave",
		[BROWSER_VIVALDI] = "Vivaldi",
		[BROWSER_YANDEX] = "Yandex Browser",
		[BROWSER_UC] = "UC Browser",
		[BROWSER_DUCKDUCKGO] = "DuckDuckGo",
		[BROWSER_HUAWEI] = "Huawei Browser",
		[BROWSER_MIUI] = "MIUI Browser",
		[BROWSER_SILK] = "Silk",
		[BROWSER_QQ] = "QQ Browser",
		[BROWSER_WHALE] = "Whale",
		[BROWSER_CHROMIUM] = "Chromium",
		[BROWSER_WEBVIEW] = "Android WebView",
		[BROWSER_IN_APP] = "in-app",
		[BROWSER_TEXT] = "text",
		[BROWSER_APP] = "application",
		[BROWSER_OTHER] = "other",
	};

	return names[b];
}

const char *synthetic_name(enum synthetic s)
{
	static const char *const names[] = {
		[SYNTHETIC_BOT] = "bot",
		[SYNTHETIC_TEST] = "test",
	};

	return names[s];
}

const char *client_source_name(enum client_source s)
{
	static const char *const names[] = {
		[CLIENT_PEER] = "peer",
		[CLIENT_PROXY_PROTOCOL] = "proxy_protocol",
		[CLIENT_X_FORWARDED_FOR] = "x-forwarded-for",
		[CLIENT_FORWARDED] = "forwarded",
		[CLIENT_CF_CONNECTING_IP] = "cf-connecting-ip",
		[CLIENT_TRUE_CLIENT_IP] = "true-client-ip",
		[CLIENT_FASTLY_CLIENT_IP] = "fastly-client-ip",
		[CLIENT_X_REAL_IP] = "x-real-ip",
	};

	return names[s];
}

const char *channel_name(enum channel c)
{
	static const char *const names[CHANNELS] = {
		[CHANNEL_DIRECT] = "direct",
		[CHANNEL_INTERNAL] = "internal",
		[CHANNEL_CROSS_NETWORK] = "cross_network",
		[CHANNEL_PAID_SHOPPING] = "paid_shopping",
		[CHANNEL_PAID_SEARCH] = "paid_search",
		[CHANNEL_PAID_SOCIAL] = "paid_social",
		[CHANNEL_PAID_VIDEO] = "paid_video",
		[CHANNEL_DISPLAY] = "display",
		[CHANNEL_PAID_OTHER] = "paid_other",
		[CHANNEL_ORGANIC_SHOPPING] = "organic_shopping",
		[CHANNEL_ORGANIC_SOCIAL] = "organic_social",
		[CHANNEL_ORGANIC_VIDEO] = "organic_video",
		[CHANNEL_ORGANIC_SEARCH] = "organic_search",
		[CHANNEL_AI_ASSISTANT] = "ai_assistant",
		[CHANNEL_REFERRAL] = "referral",
		[CHANNEL_EMAIL] = "email",
		[CHANNEL_AFFILIATES] = "affiliates",
		[CHANNEL_AUDIO] = "audio",
		[CHANNEL_SMS] = "sms",
		[CHANNEL_PUSH] = "mobile_push_notifications",
		[CHANNEL_UNASSIGNED] = "unassigned",
	};

	return names[c];
}

const char *page_kind_name(enum page_kind k)
{
	static const char *const names[PAGE_KINDS] = {
		[PAGE_NAVIGATION] = "navigation",
		[PAGE_FRAME] = "frame",
		[PAGE_STYLE] = "style",
		[PAGE_SCRIPT] = "script",
		[PAGE_IMAGE] = "image",
		[PAGE_FONT] = "font",
		[PAGE_MEDIA] = "media",
		[PAGE_RESOURCE] = "resource",
		[PAGE_CALL] = "call",
		[PAGE_BEACON] = "beacon",
		[PAGE_EVENT_STREAM] = "event_stream",
		[PAGE_WEBSOCKET] = "websocket",
		[PAGE_PREFLIGHT] = "preflight",
		[PAGE_FAVICON] = "favicon",
		[PAGE_DOWNLOAD] = "download",
	};

	return names[k];
}
