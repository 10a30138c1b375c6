/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_page_kind.c: what a request was, from the header sets that real programs send: Chromium,
 * Firefox and Safari on trustworthy origins and on plain HTTP names, browsers of old, scripts and
 * simple clients. Each case says which evidence must have decided.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/who.h"

struct page_case {
	const char *of, *request, *fields; /* "METHOD path" */
	uint16_t status;
	const char *type, *disposition;
	enum page_kind kind;
	enum page_evidence evidence;
	uint32_t flags;
	bool view;
};

/* Chromium's Accept fields, in the order of the Fetch Standard and its sources. */
#define HTML                                                                                       \
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"     \
	"image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7\n"
#define IMG  "Accept: image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8\n"
#define CSS  "Accept: text/css,*/*;q=0.1\n"
#define ANY  "Accept: */*\n"
#define REF  "Referer: http://shop.test/\n"
#define UIR  "Upgrade-Insecure-Requests: 1\n"
#define XHR  "X-Requested-With: XMLHttpRequest\n"
#define JSON "Content-Type: application/json\n"
#define FORM "Content-Type: application/x-www-form-urlencoded\n"
#define FETCH(site, mode, dest)                                                                    \
	"Sec-Fetch-Site: " site "\nSec-Fetch-Mode: " mode "\nSec-Fetch-Dest: " dest "\n"

static const struct page_case cases[] = {
	/* ---- Chromium on HTTPS or loopback ---- */
	{ "typed", "GET /", UIR HTML FETCH("none", "navigate", "document") "Sec-Fetch-User: ?1\n",
	  200, "text/html; charset=utf-8", "", PAGE_NAVIGATION, EVIDENCE_FETCH, PAGE_USER, true },
	{ "link", "GET /p/1", UIR HTML REF FETCH("same-origin", "navigate", "document"), 200,
	  "text/html", "", PAGE_NAVIGATION, EVIDENCE_FETCH, PAGE_REFERRED, true },
	{ "redirected", "GET /p", UIR HTML FETCH("none", "navigate", "document"), 302, "", "",
	  PAGE_NAVIGATION, EVIDENCE_FETCH, PAGE_REDIRECT, false },
	{ "revisited", "GET /", UIR HTML FETCH("none", "navigate", "document"), 304, "", "",
	  PAGE_NAVIGATION, EVIDENCE_FETCH, PAGE_UNCHANGED, true },
	{ "not found", "GET /x", UIR HTML FETCH("none", "navigate", "document"), 404, "text/html",
	  "", PAGE_NAVIGATION, EVIDENCE_FETCH, PAGE_ERROR, true },
	{ "an error in JSON", "GET /x", UIR HTML FETCH("none", "navigate", "document"), 500,
	  "application/json", "", PAGE_NAVIGATION, EVIDENCE_FETCH, PAGE_ERROR, true },
	{ "form", "POST /cart", UIR HTML FORM REF FETCH("same-origin", "navigate", "document"), 303,
	  "", "", PAGE_NAVIGATION, EVIDENCE_FETCH, PAGE_REDIRECT | PAGE_REFERRED, false },
	{ "no content", "GET /x", UIR HTML FETCH("none", "navigate", "document"), 204, "", "",
	  PAGE_NAVIGATION, EVIDENCE_FETCH, PAGE_EMPTY, false },
	{ "no answer", "GET /x", UIR HTML FETCH("none", "navigate", "document"), 0, "", "",
	  PAGE_NAVIGATION, EVIDENCE_FETCH, PAGE_NO_ANSWER, false },
	{ "file", "GET /invoice", UIR HTML FETCH("same-origin", "navigate", "document"), 200,
	  "text/html", "attachment; filename=a.html", PAGE_DOWNLOAD, EVIDENCE_FETCH, 0, false },
	{ "feed", "GET /feed/", UIR HTML FETCH("none", "navigate", "document"), 200,
	  "application/rss+xml; charset=UTF-8", "", PAGE_NAVIGATION, EVIDENCE_FETCH, 0, true },
	{ "pdf", "GET /a.pdf", UIR HTML FETCH("none", "navigate", "document"), 200,
	  "application/pdf", "", PAGE_DOWNLOAD, EVIDENCE_FETCH, 0, false },
	{ "pdf unchanged", "GET /a.pdf", UIR HTML FETCH("none", "navigate", "document"), 304, "",
	  "", PAGE_DOWNLOAD, EVIDENCE_FETCH, PAGE_UNCHANGED, false },
	{ "text unchanged", "GET /a.txt", UIR HTML FETCH("none", "navigate", "document"), 304, "",
	  "", PAGE_NAVIGATION, EVIDENCE_FETCH, PAGE_UNCHANGED, true },
	{ "image alone", "GET /a.png", UIR HTML FETCH("none", "navigate", "document"), 200,
	  "image/png", "", PAGE_DOWNLOAD, EVIDENCE_FETCH, 0, false },
	{ "iframe", "GET /f", UIR HTML REF FETCH("same-origin", "navigate", "iframe"), 200,
	  "text/html", "", PAGE_FRAME, EVIDENCE_FETCH, PAGE_REFERRED, false },
	{ "old iframe", "GET /f", UIR HTML FETCH("same-origin", "navigate", "nested-document"), 200,
	  "text/html", "", PAGE_FRAME, EVIDENCE_FETCH, 0, false },
	{ "embed", "GET /f.svg", FETCH("same-origin", "navigate", "embed"), 200, "image/svg+xml",
	  "", PAGE_FRAME, EVIDENCE_FETCH, 0, false },
	{ "style", "GET /s", CSS FETCH("same-origin", "no-cors", "style"), 200, "text/css", "",
	  PAGE_STYLE, EVIDENCE_FETCH, 0, false },
	{ "script", "GET /s", ANY FETCH("same-origin", "no-cors", "script"), 200, "text/javascript",
	  "", PAGE_SCRIPT, EVIDENCE_FETCH, 0, false },
	{ "image", "GET /i", IMG FETCH("same-origin", "no-cors", "image"), 404, "text/html", "",
	  PAGE_IMAGE, EVIDENCE_FETCH, PAGE_ERROR, false },
	{ "font", "GET /f", ANY "Origin: https://shop.test\n" FETCH("same-origin", "cors", "font"),
	  200, "font/woff2", "", PAGE_FONT, EVIDENCE_FETCH, 0, false },
	{ "video", "GET /v", ANY "Range: bytes=0-\n" FETCH("same-origin", "no-cors", "video"), 206,
	  "video/mp4", "", PAGE_MEDIA, EVIDENCE_FETCH, 0, false },
	{ "manifest", "GET /m", ANY FETCH("same-origin", "cors", "manifest"), 200, "", "",
	  PAGE_RESOURCE, EVIDENCE_FETCH, 0, false },
	{ "service worker", "GET /sw.js",
	  ANY "Service-Worker: script\n" FETCH("same-origin", "same-origin", "serviceworker"), 200,
	  "text/javascript", "", PAGE_SCRIPT, EVIDENCE_FETCH, PAGE_WORKER, false },
	{ "fetch", "GET /api", ANY FETCH("same-origin", "cors", "empty"), 200, "application/json",
	  "", PAGE_CALL, EVIDENCE_FETCH, PAGE_POLL, false },
	{ "fetch of HTML", "GET /part", ANY FETCH("same-origin", "cors", "empty"), 200, "text/html",
	  "", PAGE_CALL, EVIDENCE_FETCH, PAGE_POLL, false },
	{ "GraphQL", "POST /graphql", ANY JSON FETCH("same-site", "cors", "empty"), 200,
	  "application/json", "", PAGE_CALL, EVIDENCE_FETCH, PAGE_POLL | PAGE_GRAPHQL, false },
	{ "beacon", "POST /collect",
	  ANY "Content-Type: text/plain;charset=UTF-8\n" FETCH("same-origin", "no-cors", "empty"),
	  204, "", "", PAGE_BEACON, EVIDENCE_FETCH, PAGE_POLL | PAGE_EMPTY, false },
	{ "ping", "POST /ping",
	  ANY "Content-Type: text/ping\nPing-To: /x\n" FETCH("same-origin", "no-cors", "empty"),
	  200, "", "", PAGE_BEACON, EVIDENCE_PROTOCOL, PAGE_POLL, false },
	{ "report", "POST /csp",
	  ANY "Content-Type: application/csp-report\n" FETCH("same-origin", "no-cors", "report"),
	  204, "", "", PAGE_BEACON, EVIDENCE_FETCH, PAGE_POLL | PAGE_EMPTY, false },
	{ "event source", "GET /events",
	  "Accept: text/event-stream\n" FETCH("same-origin", "cors", "empty"), 200,
	  "text/event-stream", "", PAGE_EVENT_STREAM, EVIDENCE_FETCH, 0, false },
	{ "websocket", "GET /ws",
	  "Connection: Upgrade\nUpgrade: websocket\n" FETCH("same-origin", "websocket",
							    "websocket"),
	  101, "", "", PAGE_WEBSOCKET, EVIDENCE_PROTOCOL, 0, false },
	{ "preflight", "OPTIONS /api",
	  ANY "Access-Control-Request-Method: POST\nOrigin: https://shop.test\n" FETCH(
		  "cross-site", "cors", "empty"),
	  204, "", "", PAGE_PREFLIGHT, EVIDENCE_PROTOCOL, PAGE_PASSIVE | PAGE_EMPTY, false },
	{ "favicon", "GET /favicon.ico", IMG FETCH("same-origin", "no-cors", "image"), 404,
	  "text/html", "", PAGE_FAVICON, EVIDENCE_WELL_KNOWN, PAGE_PASSIVE | PAGE_ERROR, false },
	{ "speculation", "GET /next",
	  UIR HTML REF "Sec-Purpose: prefetch;prerender\n" FETCH("none", "navigate", "document"),
	  200, "text/html", "", PAGE_NAVIGATION, EVIDENCE_FETCH, PAGE_PREFETCH | PAGE_REFERRED,
	  false },
	{ "link rel=prefetch of a page", "GET /next",
	  ANY REF
	  "Purpose: prefetch\nSec-Purpose: prefetch\n" FETCH("same-origin", "no-cors", "empty"),
	  200, "text/html", "", PAGE_NAVIGATION, EVIDENCE_RESPONSE, PAGE_PREFETCH | PAGE_REFERRED,
	  false },
	{ "link rel=prefetch of a script", "GET /a.js",
	  ANY "Purpose: prefetch\n" FETCH("same-origin", "no-cors", "empty"), 200,
	  "text/javascript", "", PAGE_SCRIPT, EVIDENCE_EXTENSION, PAGE_PREFETCH, false },
	{ "devtools", "GET /.well-known/appspecific/com.chrome.devtools.json",
	  FETCH("none", "no-cors", "empty"), 404, "text/html", "", PAGE_RESOURCE,
	  EVIDENCE_WELL_KNOWN, PAGE_PASSIVE | PAGE_ERROR, false },

	/* ---- Chromium on a plain HTTP name: no Sec-Fetch ---- */
	{ "http: typed", "GET /", UIR HTML, 200, "text/html", "", PAGE_NAVIGATION,
	  EVIDENCE_NAVIGATES, 0, true },
	{ "http: link", "GET /p", UIR HTML REF, 200, "text/html", "", PAGE_NAVIGATION,
	  EVIDENCE_NAVIGATES, PAGE_REFERRED | PAGE_MAYBE_FRAME, true },
	{ "http: form", "POST /cart", UIR HTML FORM REF, 200, "text/html", "", PAGE_NAVIGATION,
	  EVIDENCE_NAVIGATES, PAGE_REFERRED | PAGE_MAYBE_FRAME, true },
	{ "http: style", "GET /s?v=1", CSS REF, 200, "text/css", "", PAGE_STYLE, EVIDENCE_ACCEPT,
	  PAGE_REFERRED, false },
	{ "http: image", "GET /i", IMG REF, 200, "image/png", "", PAGE_IMAGE, EVIDENCE_ACCEPT,
	  PAGE_REFERRED, false },
	{ "http: image answered with HTML", "GET /i.php", IMG REF, 404, "text/html", "", PAGE_IMAGE,
	  EVIDENCE_ACCEPT, PAGE_REFERRED | PAGE_ERROR, false },
	{ "http: script", "GET /a.js", ANY REF, 200, "text/javascript", "", PAGE_SCRIPT,
	  EVIDENCE_EXTENSION, PAGE_REFERRED, false },
	{ "http: script without a name", "GET /bundle", ANY REF, 200, "text/javascript", "",
	  PAGE_SCRIPT, EVIDENCE_RESPONSE, PAGE_REFERRED, false },
	{ "http: font", "GET /f.woff2", ANY "Origin: http://shop.test\n" REF, 200, "font/woff2", "",
	  PAGE_FONT, EVIDENCE_EXTENSION, PAGE_REFERRED, false },
	{ "http: fetch", "GET /api/cart", ANY REF, 200, "application/json", "", PAGE_CALL,
	  EVIDENCE_RESPONSE, PAGE_REFERRED | PAGE_POLL, false },
	{ "http: fetch of HTML", "GET /part", ANY REF, 200, "text/html", "", PAGE_CALL,
	  EVIDENCE_RESPONSE, PAGE_REFERRED | PAGE_POLL, false },
	{ "http: fetch, no answer seen", "GET /api/cart", ANY REF, 0, "", "", PAGE_UNOBSERVED,
	  EVIDENCE_NONE, PAGE_REFERRED | PAGE_NO_ANSWER, false },
	{ "http: fetch, not modified", "GET /api/cart", ANY REF, 304, "", "", PAGE_UNOBSERVED,
	  EVIDENCE_NONE, PAGE_REFERRED | PAGE_UNCHANGED, false },
	{ "http: XHR", "GET /api/cart", ANY XHR REF, 200, "text/html", "", PAGE_CALL,
	  EVIDENCE_SCRIPTED, PAGE_REFERRED | PAGE_POLL, false },
	{ "http: JSON", "POST /shop-api", ANY JSON REF "Origin: http://shop.test\n", 200,
	  "application/json", "", PAGE_CALL, EVIDENCE_SCRIPTED, PAGE_REFERRED | PAGE_POLL, false },
	{ "http: form by script", "POST /cart/add", ANY FORM REF "Origin: http://shop.test\n", 200,
	  "text/html", "", PAGE_CALL, EVIDENCE_RESPONSE, PAGE_REFERRED | PAGE_POLL, false },
	{ "http: beacon", "POST /collect", ANY "Content-Type: text/plain;charset=UTF-8\n" REF, 204,
	  "", "", PAGE_BEACON, EVIDENCE_RESPONSE, PAGE_REFERRED | PAGE_POLL | PAGE_EMPTY, false },
	{ "http: event source", "GET /events", "Accept: text/event-stream\n" REF, 200,
	  "text/event-stream", "", PAGE_EVENT_STREAM, EVIDENCE_ACCEPT, PAGE_REFERRED, false },
	{ "http: event source again", "GET /events", ANY "Last-Event-ID: 7\n" REF, 200, "", "",
	  PAGE_EVENT_STREAM, EVIDENCE_SCRIPTED, PAGE_REFERRED, false },
	{ "http: websocket", "GET /ws", "Connection: Upgrade\nUpgrade: WebSocket\n", 101, "", "",
	  PAGE_WEBSOCKET, EVIDENCE_PROTOCOL, 0, false },
	{ "http: favicon", "GET /favicon.ico", IMG REF, 200, "text/html", "", PAGE_FAVICON,
	  EVIDENCE_WELL_KNOWN, PAGE_PASSIVE | PAGE_REFERRED, false },
	{ "http: touch icon", "GET /apple-touch-icon-precomposed.png", "", 404, "text/html", "",
	  PAGE_FAVICON, EVIDENCE_WELL_KNOWN, PAGE_PASSIVE | PAGE_ERROR, false },
	{ "http: prefetch", "GET /next", ANY "Purpose: prefetch\n" REF, 200, "text/html", "",
	  PAGE_NAVIGATION, EVIDENCE_RESPONSE, PAGE_PREFETCH | PAGE_REFERRED, false },
	{ "http: view of an application", "GET /", UIR HTML "X-Requested-With: com.example.shop\n",
	  200, "text/html", "", PAGE_NAVIGATION, EVIDENCE_NAVIGATES, 0, true },

	/* ---- Firefox ---- */
	{ "Firefox: page", "GET /",
	  UIR
	  "Accept: "
	  "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\n",
	  200, "text/html", "", PAGE_NAVIGATION, EVIDENCE_NAVIGATES, 0, true },
	{ "Firefox: font", "GET /f",
	  "Accept: application/font-woff2;q=1.0,application/font-woff;q=0.9,*/*;q=0.8\n", 200,
	  "font/woff2", "", PAGE_FONT, EVIDENCE_ACCEPT, 0, false },
	{ "Firefox: image", "GET /i", "Accept: image/avif,image/webp,*/*\n" REF, 200, "image/webp",
	  "", PAGE_IMAGE, EVIDENCE_ACCEPT, PAGE_REFERRED, false },
	{ "Firefox: prefetch", "GET /next", "Accept: */*\nX-Moz: prefetch\n" REF, 200, "text/html",
	  "", PAGE_NAVIGATION, EVIDENCE_RESPONSE, PAGE_PREFETCH | PAGE_REFERRED, false },
	{ "Firefox: video", "GET /v",
	  "Accept: "
	  "video/webm,video/ogg,video/*;q=0.9,application/ogg;q=0.7,audio/*;q=0.6,*/*;q=0.5\n",
	  206, "video/webm", "", PAGE_MEDIA, EVIDENCE_ACCEPT, 0, false },

	/* ---- Safari, before and after Sec-Fetch ---- */
	{ "Safari: page", "GET /",
	  UIR "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\n", 200,
	  "text/html", "", PAGE_NAVIGATION, EVIDENCE_NAVIGATES, 0, true },
	{ "Safari: page, no UIR", "GET /",
	  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\n", 200,
	  "text/html", "", PAGE_NAVIGATION, EVIDENCE_ACCEPT, 0, true },
	{ "Safari: image", "GET /i",
	  "Accept: image/webp,image/avif,video/*;q=0.8,image/png,*/*;q=0.5\n", 200, "image/png", "",
	  PAGE_IMAGE, EVIDENCE_ACCEPT, 0, false },
	{ "Safari: preview", "GET /", UIR HTML "X-Purpose: preview\nPurpose: preview\n", 200,
	  "text/html", "", PAGE_NAVIGATION, EVIDENCE_NAVIGATES, PAGE_PREFETCH, false },
	{ "Safari: page, mode only", "GET /", "Sec-Fetch-Mode: navigate\n", 200, "text/html", "",
	  PAGE_NAVIGATION, EVIDENCE_FETCH, 0, true },

	/* ---- browsers of old ---- */
	{ "IE 6: page", "GET /",
	  "Accept: image/gif, image/x-xbitmap, image/jpeg, image/pjpeg, "
	  "application/x-shockwave-flash, */*\n",
	  200, "text/html", "", PAGE_NAVIGATION, EVIDENCE_ACCEPT, 0, true },
	{ "IE 8: page", "GET /",
	  "Accept: application/x-ms-application, image/jpeg, application/xaml+xml, image/gif, "
	  "image/pjpeg, "
	  "application/x-ms-xbap, */*\n",
	  200, "text/html", "", PAGE_NAVIGATION, EVIDENCE_ACCEPT, 0, true },
	{ "IE 9: script", "GET /s", "Accept: application/javascript, */*;q=0.8\n", 200,
	  "text/javascript", "", PAGE_SCRIPT, EVIDENCE_ACCEPT, 0, false },
	{ "Opera 12: page", "GET /p",
	  "Accept: text/html, application/xml;q=0.9, application/xhtml+xml, image/png, image/webp, "
	  "*/*;q=0.1\n",
	  200, "text/html", "", PAGE_NAVIGATION, EVIDENCE_ACCEPT, 0, true },
	{ "Opera 12: image", "GET /a.png",
	  "Accept: text/html, application/xml;q=0.9, application/xhtml+xml, image/png, image/webp, "
	  "*/*;q=0.1\n",
	  404, "text/html", "", PAGE_IMAGE, EVIDENCE_EXTENSION, PAGE_ERROR, false },
	{ "Opera 12: style", "GET /a.css;jsessionid=0A.b",
	  "Accept: text/html, application/xml;q=0.9, application/xhtml+xml, image/png, image/webp, "
	  "*/*;q=0.1\n",
	  200, "text/css", "", PAGE_STYLE, EVIDENCE_EXTENSION, 0, false },

	/* ---- scripts and simple clients ---- */
	{ "axios", "GET /api", "Accept: application/json, text/plain, */*\n", 200,
	  "application/json", "", PAGE_CALL, EVIDENCE_ACCEPT, PAGE_POLL, false },
	{ "jQuery", "GET /part", "Accept: text/html, */*; q=0.01\n" XHR REF, 200, "text/html", "",
	  PAGE_CALL, EVIDENCE_SCRIPTED, PAGE_REFERRED | PAGE_POLL, false },
	{ "curl", "GET /", ANY, 200, "text/html", "", PAGE_NAVIGATION, EVIDENCE_RESPONSE, 0, true },
	{ "curl of JSON", "GET /api", ANY, 200, "application/json", "", PAGE_CALL,
	  EVIDENCE_RESPONSE, PAGE_POLL, false },
	{ "curl -I", "HEAD /", ANY, 200, "text/html", "", PAGE_NAVIGATION, EVIDENCE_RESPONSE,
	  PAGE_HEAD | PAGE_PASSIVE, false },
	{ "curl -d", "POST /login", ANY FORM, 200, "text/html", "", PAGE_NAVIGATION,
	  EVIDENCE_RESPONSE, 0, true },
	{ "no fields at all", "GET /", "", 200, "text/html", "", PAGE_NAVIGATION, EVIDENCE_RESPONSE,
	  0, true },
	{ "a file", "GET /a.bin", ANY, 200, "application/octet-stream", "", PAGE_DOWNLOAD,
	  EVIDENCE_RESPONSE, 0, false },
	{ "SOAP", "POST /ws", "Content-Type: text/xml; charset=utf-8\nSOAPAction: x\n", 200,
	  "text/xml", "", PAGE_CALL, EVIDENCE_SCRIPTED, PAGE_POLL, false },
	{ "gRPC-Web", "POST /s.S/M", "Content-Type: application/grpc-web+proto\n" ANY, 200,
	  "application/grpc-web+proto", "", PAGE_CALL, EVIDENCE_SCRIPTED, PAGE_POLL, false },
	{ "REST", "PUT /api/cart/1", ANY JSON, 200, "application/json", "", PAGE_CALL,
	  EVIDENCE_PROTOCOL, PAGE_POLL, false },
	{ "WebDAV", "PROPFIND /x", "", 207, "application/xml", "", PAGE_CALL, EVIDENCE_PROTOCOL,
	  PAGE_POLL, false },
	{ "OPTIONS", "OPTIONS *", "", 200, "", "", PAGE_CALL, EVIDENCE_PROTOCOL, PAGE_POLL, false },
	{ "GraphQL by GET", "GET /api/graphql", "Accept: application/graphql-response+json\n", 200,
	  "application/json", "", PAGE_CALL, EVIDENCE_ACCEPT, PAGE_POLL | PAGE_GRAPHQL, false },
	{ "robots.txt", "GET /robots.txt", ANY, 200, "text/plain", "", PAGE_RESOURCE,
	  EVIDENCE_EXTENSION, 0, false },
	{ "unobserved request", " ", "", 200, "text/html", "", PAGE_NAVIGATION, EVIDENCE_RESPONSE,
	  0, true },
	{ "nonsense", "GET /", "Sec-Fetch-Dest: \xff\xff\nSec-Fetch-Mode: x\nAccept: ;;;,\n", 200,
	  "\xff", "\xff", PAGE_DOWNLOAD, EVIDENCE_RESPONSE, 0, false },
};

static uint32_t fields_of(const char *text, struct field *ret)
{
	struct slice rest = slice_str(text);
	uint32_t n = 0;

	while (rest.at && rest.len) {
		struct slice value = slice_next(&rest, '\n'), name = slice_next(&value, ':');

		ret[n].name = name;
		ret[n++].value = slice_trim(value);
	}
	return n;
}

static void ask(const char *request, const char *fields, uint16_t status, struct slice type,
		struct slice disposition, struct page *ret)
{
	struct slice path = slice_str(request), method = slice_next(&path, ' ');
	struct field list[32];
	struct who_fields f;
	struct page_signs s;

	path = slice_next(&path, '?');
	who_fields_find(list, fields_of(fields, list), &f);
	page_signs_of(method, path, &f, &s);
	page_kind_of(&s, status, type, disposition, ret);
}

static void real_requests(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct page_case *k = &cases[i];
		struct page p;

		ask(k->request, k->fields, k->status, slice_str(k->type), slice_str(k->disposition),
		    &p);
		if (p.kind != k->kind || p.evidence != k->evidence || p.flags != k->flags ||
		    page_is_view(&p) != k->view)
			fail_msg("%s: %s by %d, flags %x%s", k->of,
				 page_kind_name(p.kind) ? page_kind_name(p.kind) : "unobserved",
				 p.evidence, p.flags, page_is_view(&p) ? ", a view" : "");
	}
}

/* Without its fields' names in the usual case, and with the fields in another order: the same. */
static void case_and_order_do_not_matter(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct page_case *k = &cases[i];
		struct slice path = slice_str(k->request), method = slice_next(&path, ' ');
		struct field list[32], turned[32];
		char names[32][40];
		struct who_fields f;
		struct page_signs s;
		struct page p;
		uint32_t n = fields_of(k->fields, list);

		path = slice_next(&path, '?');
		for (uint32_t j = 0; j < n; j++) {
			assert_true(list[j].name.len < sizeof(names[j]));
			for (size_t c = 0; c < list[j].name.len; c++)
				names[j][c] = list[j].name.at[c] >= 'a' && list[j].name.at[c] <= 'z'
						      ? (char)(list[j].name.at[c] ^ 0x20)
						      : list[j].name.at[c];
			turned[n - 1 - j].name = slice_of(names[j], list[j].name.len);
			turned[n - 1 - j].value = list[j].value;
		}
		who_fields_find(turned, n, &f);
		page_signs_of(method, path, &f, &s);
		page_kind_of(&s, k->status, slice_str(k->type), slice_str(k->disposition), &p);
		assert_int_equal(p.kind, k->kind);
		assert_int_equal(p.flags, k->flags);
	}
}

/* Each value cut at every octet, in a place of its exact size. */
static void cut_at_every_octet(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct page_case *k = &cases[i];
		size_t longest = strlen(k->fields);

		for (size_t n = 0; n <= longest; n++) {
			char *copy = strndup(k->fields, n);
			struct page p;

			assert_non_null(copy);
			ask(k->request, copy, k->status, slice_sub(slice_str(k->type), 0, n),
			    slice_sub(slice_str(k->disposition), 0, n), &p);
			assert_true(p.kind < PAGE_KINDS);
			assert_int_equal(p.kind == PAGE_UNOBSERVED, p.evidence == EVIDENCE_NONE);
			free(copy);
		}
	}
}

static void floods(void **state)
{
	char *text = malloc(65536);
	struct page p;

	assert_non_null(text);
	for (unsigned octet = 0; octet < 256; octet++) {
		struct slice s = slice_of(text, 65536);
		struct field list[] = {
			{ SLICE("accept"), s },		{ SLICE("content-type"), s },
			{ SLICE("sec-fetch-dest"), s }, { SLICE("sec-fetch-mode"), s },
			{ SLICE("sec-purpose"), s },	{ SLICE("x-requested-with"), s },
		};
		struct who_fields f;
		struct page_signs signs;

		memset(text, (int)octet, 65536);
		who_fields_find(list, 6, &f);
		page_signs_of(SLICE("GET"), s, &f, &signs);
		page_kind_of(&signs, 200, s, s, &p);
		assert_true(p.kind < PAGE_KINDS);
	}
	free(text);
}

static void calls(void **state)
{
	assert_true(page_kind_is_call(PAGE_CALL) && page_kind_is_call(PAGE_PREFLIGHT));
	assert_false(page_kind_is_call(PAGE_NAVIGATION) || page_kind_is_call(PAGE_IMAGE));
	assert_null(page_kind_name(PAGE_UNOBSERVED));
}

/* ---- the index of fields ---- */

static void every_field_is_found(void **state)
{
	static const char *const names[WHO_FIELDS] = {
		[WHO_HOST] = "Host",
		[WHO_USER_AGENT] = "User-Agent",
		[WHO_REFERER] = "Referer",
		[WHO_ORIGIN] = "Origin",
		[WHO_ACCEPT] = "Accept",
		[WHO_ACCEPT_LANGUAGE] = "Accept-Language",
		[WHO_CONTENT_TYPE] = "Content-Type",
		[WHO_UPGRADE] = "Upgrade",
		[WHO_UPGRADE_INSECURE] = "Upgrade-Insecure-Requests",
		[WHO_REQUESTED_WITH] = "X-Requested-With",
		[WHO_PURPOSE] = "Purpose",
		[WHO_SEC_PURPOSE] = "Sec-Purpose",
		[WHO_MOZ] = "X-Moz",
		[WHO_FETCH_DEST] = "Sec-Fetch-Dest",
		[WHO_FETCH_MODE] = "Sec-Fetch-Mode",
		[WHO_FETCH_SITE] = "Sec-Fetch-Site",
		[WHO_FETCH_USER] = "Sec-Fetch-User",
		[WHO_CH_UA] = "Sec-CH-UA",
		[WHO_CH_MOBILE] = "Sec-CH-UA-Mobile",
		[WHO_CH_PLATFORM] = "Sec-CH-UA-Platform",
		[WHO_GPC] = "Sec-GPC",
		[WHO_DNT] = "DNT",
		[WHO_FORWARDED] = "Forwarded",
		[WHO_FORWARDED_FOR] = "X-Forwarded-For",
		[WHO_FORWARDED_HOST] = "X-Forwarded-Host",
		[WHO_REAL_IP] = "X-Real-IP",
		[WHO_CF_IP] = "CF-Connecting-IP",
		[WHO_TRUE_CLIENT_IP] = "True-Client-IP",
		[WHO_FASTLY_IP] = "Fastly-Client-IP",
		[WHO_REQUEST_METHOD] = "Access-Control-Request-Method",
		[WHO_LAST_EVENT_ID] = "Last-Event-ID",
		[WHO_PING_TO] = "Ping-To",
		[WHO_RANGE] = "Range",
		[WHO_SERVICE_WORKER] = "Service-Worker",
	};

	for (unsigned i = 0; i < WHO_FIELDS; i++) {
		struct field list[4] = { { slice_str(names[i]), SLICE("first") },
					 { SLICE("cookie"), SLICE("secret") },
					 { slice_str(names[i]), SLICE("second") } };
		struct who_fields f;
		size_t len = strlen(names[i]);

		who_fields_find(list, 2, &f);
		assert_slice(f.value[i], "first");
		assert_u64(f.repeated, 0);
		who_fields_find(list, 3, &f);
		assert_slice(f.value[i], "first");
		assert_u64(f.repeated, 1ull << i);
		/* one octet more, less, or other: none */
		for (size_t at = 0; at < len; at++) {
			char name[48];

			snprintf(name, sizeof(name), "%s", names[i]);
			name[at] = name[at] == 'q' ? 'z' : 'q';
			list[0].name = slice_of(name, len);
			who_fields_find(list, 1, &f);
			for (unsigned k = 0; k < WHO_FIELDS; k++)
				assert_null(f.value[k].at);
		}
		list[0].name = slice_sub(slice_str(names[i]), 0, len - 1);
		who_fields_find(list, 1, &f);
		assert_null(f.value[i].at);
	}
}

UNIT_MAIN(T(real_requests), T(case_and_order_do_not_matter), T(cut_at_every_octet), T(floods),
	  T(calls), T(every_field_is_found))
