/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page_kind.c: what a request was. The rules are one list of questions, page_signs_of, from the surest
 * evidence to the weakest; the first that has an answer decides. Browsers send Sec-Fetch-* only where
 * the origin is trustworthy (HTTPS, loopback), so on a plain HTTP name all below it must do.
 *
 * Two steps, because the response's Content-Type comes later than the request's fields die. Stateless.
 */
#include "session/who.h"

/* ---- words ---- */

struct row {
	struct slice word;
	uint8_t kind;
};

#define ROW(word, kind)                                                                            \
	{                                                                                          \
		SLICE(word), kind                                                                  \
	}

/* Fetch Standard, "destination". */
static const struct row destinations[] = {
	ROW("document", PAGE_NAVIGATION),
	ROW("iframe", PAGE_FRAME),
	ROW("frame", PAGE_FRAME),
	ROW("embed", PAGE_FRAME),
	ROW("object", PAGE_FRAME),
	ROW("fencedframe", PAGE_FRAME),
	ROW("nested-document", PAGE_FRAME), /* Chromium before 80 */
	ROW("style", PAGE_STYLE),
	ROW("xslt", PAGE_STYLE),
	ROW("script", PAGE_SCRIPT),
	ROW("worker", PAGE_SCRIPT),
	ROW("sharedworker", PAGE_SCRIPT),
	ROW("serviceworker", PAGE_SCRIPT),
	ROW("audioworklet", PAGE_SCRIPT),
	ROW("paintworklet", PAGE_SCRIPT),
	ROW("image", PAGE_IMAGE),
	ROW("font", PAGE_FONT),
	ROW("audio", PAGE_MEDIA),
	ROW("video", PAGE_MEDIA),
	ROW("track", PAGE_MEDIA),
	ROW("manifest", PAGE_RESOURCE),
	ROW("speculationrules", PAGE_RESOURCE),
	ROW("dictionary", PAGE_RESOURCE),
	ROW("json", PAGE_CALL),
	ROW("webidentity", PAGE_CALL),
	ROW("report", PAGE_BEACON),
};

/* Static files by extension. Nothing here that a program may answer with a page: no php, no html. */
static const struct row extensions[] = {
	ROW("css", PAGE_STYLE),	   ROW("js", PAGE_SCRIPT),
	ROW("mjs", PAGE_SCRIPT),   ROW("png", PAGE_IMAGE),
	ROW("jpg", PAGE_IMAGE),	   ROW("jpeg", PAGE_IMAGE),
	ROW("gif", PAGE_IMAGE),	   ROW("svg", PAGE_IMAGE),
	ROW("webp", PAGE_IMAGE),   ROW("avif", PAGE_IMAGE),
	ROW("ico", PAGE_IMAGE),	   ROW("bmp", PAGE_IMAGE),
	ROW("woff", PAGE_FONT),	   ROW("woff2", PAGE_FONT),
	ROW("ttf", PAGE_FONT),	   ROW("otf", PAGE_FONT),
	ROW("eot", PAGE_FONT),	   ROW("mp4", PAGE_MEDIA),
	ROW("webm", PAGE_MEDIA),   ROW("mp3", PAGE_MEDIA),
	ROW("m4a", PAGE_MEDIA),	   ROW("ogg", PAGE_MEDIA),
	ROW("wav", PAGE_MEDIA),	   ROW("m3u8", PAGE_MEDIA),
	ROW("ts", PAGE_MEDIA),	   ROW("m4s", PAGE_MEDIA),
	ROW("mpd", PAGE_MEDIA),	   ROW("vtt", PAGE_MEDIA),
	ROW("map", PAGE_RESOURCE), ROW("wasm", PAGE_RESOURCE),
	ROW("json", PAGE_CALL),	   ROW("webmanifest", PAGE_RESOURCE),
	ROW("txt", PAGE_RESOURCE),
};

/* Files that are kept or shown by a program of their own, by extension. */
static const struct row files[] = {
	ROW("zip", PAGE_DOWNLOAD), ROW("gz", PAGE_DOWNLOAD),   ROW("tgz", PAGE_DOWNLOAD),
	ROW("xz", PAGE_DOWNLOAD),  ROW("bz2", PAGE_DOWNLOAD),  ROW("zst", PAGE_DOWNLOAD),
	ROW("7z", PAGE_DOWNLOAD),  ROW("rar", PAGE_DOWNLOAD),  ROW("pdf", PAGE_DOWNLOAD),
	ROW("doc", PAGE_DOWNLOAD), ROW("docx", PAGE_DOWNLOAD), ROW("xls", PAGE_DOWNLOAD),
	ROW("csv", PAGE_DOWNLOAD), ROW("xlsx", PAGE_DOWNLOAD), ROW("ppt", PAGE_DOWNLOAD),
	ROW("odt", PAGE_DOWNLOAD), ROW("pptx", PAGE_DOWNLOAD), ROW("ods", PAGE_DOWNLOAD),
	ROW("ics", PAGE_DOWNLOAD), ROW("epub", PAGE_DOWNLOAD), ROW("exe", PAGE_DOWNLOAD),
	ROW("msi", PAGE_DOWNLOAD), ROW("dmg", PAGE_DOWNLOAD),  ROW("pkg", PAGE_DOWNLOAD),
	ROW("apk", PAGE_DOWNLOAD), ROW("iso", PAGE_DOWNLOAD),  ROW("deb", PAGE_DOWNLOAD),
};

/* Media types by their beginning, of a response; the first row that fits. */
static const struct row types[] = {
	ROW("text/html", PAGE_NAVIGATION),
	ROW("application/xhtml+xml", PAGE_NAVIGATION),
	ROW("text/css", PAGE_STYLE),
	ROW("text/javascript", PAGE_SCRIPT),
	ROW("application/javascript", PAGE_SCRIPT),
	ROW("application/x-javascript", PAGE_SCRIPT),
	ROW("application/ecmascript", PAGE_SCRIPT),
	ROW("image/", PAGE_IMAGE),
	ROW("font/", PAGE_FONT),
	ROW("application/font-", PAGE_FONT),
	ROW("application/x-font-", PAGE_FONT),
	ROW("application/vnd.ms-fontobject", PAGE_FONT),
	ROW("audio/", PAGE_MEDIA),
	ROW("video/", PAGE_MEDIA),
	ROW("application/vnd.apple.mpegurl", PAGE_MEDIA),
	ROW("application/dash+xml", PAGE_MEDIA),
	ROW("application/manifest+json", PAGE_RESOURCE),
	ROW("application/wasm", PAGE_RESOURCE),
	ROW("text/event-stream", PAGE_EVENT_STREAM),
	ROW("application/json", PAGE_CALL),
	ROW("application/graphql", PAGE_CALL),
	ROW("application/grpc", PAGE_CALL),
	ROW("application/x-protobuf", PAGE_CALL),
	ROW("application/problem+", PAGE_CALL),
	ROW("application/hal+", PAGE_CALL),
	ROW("application/ld+", PAGE_CALL),
	ROW("application/vnd.api+", PAGE_CALL),
	ROW("application/x-ndjson", PAGE_CALL),
	ROW("application/xml", PAGE_CALL),
	ROW("application/soap+xml", PAGE_CALL),
	ROW("text/xml", PAGE_CALL),
	ROW("text/x-component", PAGE_CALL),
};

/* Media types of a request that only a script sends. */
static const struct row bodies[] = {
	ROW("application/json", PAGE_CALL),
	ROW("application/graphql", PAGE_CALL),
	ROW("application/grpc", PAGE_CALL),
	ROW("application/x-protobuf", PAGE_CALL),
	ROW("application/vnd.", PAGE_CALL),
	ROW("application/merge-patch+", PAGE_CALL),
	ROW("application/ld+", PAGE_CALL),
	ROW("application/xml", PAGE_CALL),
	ROW("application/soap+xml", PAGE_CALL),
	ROW("text/xml", PAGE_CALL),
	ROW("text/x-gwt-rpc", PAGE_CALL),
	ROW("application/csp-report", PAGE_BEACON),
	ROW("application/reports+json", PAGE_BEACON),
	ROW("application/expect-ct-report+json", PAGE_BEACON),
};

/* The first media range of Accept, where it is more than any browser's navigation begins with. */
static const struct row accepts[] = {
	ROW("text/event-stream", PAGE_EVENT_STREAM),
	ROW("text/css", PAGE_STYLE),
	ROW("image/", PAGE_IMAGE),
	ROW("video/", PAGE_MEDIA),
	ROW("audio/", PAGE_MEDIA),
	ROW("application/font-", PAGE_FONT),
	ROW("font/", PAGE_FONT),
	ROW("application/manifest+json", PAGE_RESOURCE),
	ROW("application/javascript", PAGE_SCRIPT),
	ROW("text/javascript", PAGE_SCRIPT),
	ROW("application/json", PAGE_CALL),
	ROW("application/graphql", PAGE_CALL),
	ROW("application/grpc", PAGE_CALL),
	ROW("application/x-protobuf", PAGE_CALL),
	ROW("application/vnd.", PAGE_CALL),
	ROW("application/ld+", PAGE_CALL),
	ROW("application/hal+", PAGE_CALL),
	ROW("application/xml", PAGE_CALL),
	ROW("text/xml", PAGE_CALL),
	ROW("text/plain", PAGE_CALL),
	ROW("text/x-component", PAGE_CALL),
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static enum page_kind find_exact(const struct row *rows, size_t count, struct slice word)
{
	char first = word.len ? (char)(word.at[0] | 0x20) : 0;

	for (size_t i = 0; i < count; i++)
		if (rows[i].word.len == word.len && rows[i].word.at[0] == first &&
		    slice_ieq(rows[i].word, word))
			return (enum page_kind)rows[i].kind;
	return PAGE_UNOBSERVED;
}

static enum page_kind find_start(const struct row *rows, size_t count, struct slice text)
{
	char first = text.len ? (char)(text.at[0] | 0x20) : 0;

	for (size_t i = 0; i < count; i++)
		if (rows[i].word.at[0] == first && slice_istarts(text, rows[i].word))
			return (enum page_kind)rows[i].kind;
	return PAGE_UNOBSERVED;
}

/* ---- the path ---- */

static struct slice last_segment(struct slice path)
{
	const char *slash = path.len ? memrchr(path.at, '/', path.len) : NULL;

	return slash ? slice_sub(path, (size_t)(slash - path.at) + 1, path.len) : path;
}

static struct slice extension_of(struct slice file)
{
	struct slice rest = file, name = slice_next(&rest, ';'); /* ;jsessionid=… */
	const char *dot = name.len ? memrchr(name.at, '.', name.len) : NULL;

	return dot ? slice_sub(name, (size_t)(dot - name.at) + 1, name.len) : SLICE("");
}

static enum page_kind kind_of_extension(struct slice file)
{
	return find_exact(extensions, COUNT(extensions), extension_of(file));
}

static bool is_kept_file(struct slice file)
{
	struct slice ext = extension_of(file);

	return find_exact(files, COUNT(files), ext) ||
	       (find_exact(extensions, COUNT(extensions), ext) && !slice_ieq(ext, SLICE("txt")));
}

static enum page_kind kind_of_well_known(struct slice path, struct slice file)
{
	if (slice_istarts(file, SLICE("favicon")) || slice_istarts(file, SLICE("apple-touch-icon")))
		return kind_of_extension(file) == PAGE_IMAGE ? PAGE_FAVICON : PAGE_UNOBSERVED;
	return slice_starts(path, SLICE("/.well-known/")) ? PAGE_RESOURCE : PAGE_UNOBSERVED;
}

static bool is_graphql(struct slice path, struct slice file, struct slice type)
{
	return slice_ieq(file, SLICE("graphql")) || slice_ieq(file, SLICE("gql")) ||
	       slice_istarts(type, SLICE("application/graphql"));
}

/* ---- the questions ---- */

struct question {
	struct slice method, path, file, type, accept;
	const struct who_fields *f;
	struct page_signs *signs;
};

static bool says(const struct question *q, enum who_field field, struct slice word)
{
	return slice_ieq(slice_trim(q->f->value[field]), word);
}

static bool has(const struct question *q, enum who_field field)
{
	return q->f->value[field].at;
}

static enum page_kind ask_protocol(const struct question *q)
{
	if (slice_eq(q->method, SLICE("GET")))
		return says(q, WHO_UPGRADE, SLICE("websocket")) ? PAGE_WEBSOCKET : PAGE_UNOBSERVED;
	if (q->signs->post) {
		if (has(q, WHO_PING_TO) || slice_istarts(q->type, SLICE("text/ping")))
			return PAGE_BEACON;
		return PAGE_UNOBSERVED;
	}
	if (slice_eq(q->method, SLICE("OPTIONS")))
		return has(q, WHO_REQUEST_METHOD) ? PAGE_PREFLIGHT : PAGE_CALL;
	/* Only GET and POST navigate (HTML, "form submission"); HEAD is of whatever GET would be. */
	if (slice_eq(q->method, SLICE("HEAD")) || slice_eq(q->method, SLICE("CONNECT")))
		return PAGE_UNOBSERVED;
	return q->method.len ? PAGE_CALL : PAGE_UNOBSERVED;
}

static enum page_kind ask_fetch(const struct question *q)
{
	enum page_kind kind;

	if (says(q, WHO_FETCH_MODE, SLICE("websocket")))
		return PAGE_WEBSOCKET;
	kind = find_exact(destinations, COUNT(destinations),
			  slice_trim(q->f->value[WHO_FETCH_DEST]));
	if (kind)
		return kind;
	if (says(q, WHO_FETCH_MODE, SLICE("navigate")))
		return PAGE_NAVIGATION;
	if (!says(q, WHO_FETCH_DEST, SLICE("empty")) || q->signs->flags & PAGE_PREFETCH)
		return PAGE_UNOBSERVED; /* <link rel=prefetch> is empty whatever it is of */
	if (slice_istarts(q->accept, SLICE("text/event-stream")))
		return PAGE_EVENT_STREAM;
	/* sendBeacon; a fetch of a script is "cors" unless it renounces the answer. */
	if (q->signs->post && says(q, WHO_FETCH_MODE, SLICE("no-cors")))
		return PAGE_BEACON;
	return PAGE_CALL;
}

static enum page_kind ask_script(const struct question *q)
{
	/* A view inside of an application of Android sends that application's name, with pages too. */
	if (says(q, WHO_REQUESTED_WITH, SLICE("XMLHttpRequest")) ||
	    says(q, WHO_REQUESTED_WITH, SLICE("fetch")))
		return PAGE_CALL;
	if (has(q, WHO_LAST_EVENT_ID))
		return PAGE_EVENT_STREAM;
	return q->type.len ? find_start(bodies, COUNT(bodies), q->type) : PAGE_UNOBSERVED;
}

#define ACCEPT_BYTES 512

static bool accepts_document(struct slice accept)
{
	accept = slice_sub(accept, 0, ACCEPT_BYTES);
	return slice_find_slice(accept, SLICE("text/html")) >= 0 ||
	       slice_find_slice(accept, SLICE("application/xhtml+xml")) >= 0 ||
	       /* Internet Explorer's navigations up to 8 begin with image/gif */
	       slice_find_slice(accept, SLICE("application/x-ms-application")) >= 0 ||
	       slice_find_slice(accept, SLICE("application/x-shockwave-flash")) >= 0;
}

static enum page_kind ask_accept(const struct question *q)
{
	if (accepts_document(q->accept)) {
		/* Opera up to 12 accepts the same for everything. */
		enum page_kind file = kind_of_extension(q->file);

		return file ? PAGE_UNOBSERVED : PAGE_NAVIGATION;
	}
	return find_start(accepts, COUNT(accepts), q->accept);
}

/* The list. Each asks only where the ones before had no answer. */
static void decide(const struct question *q)
{
	struct page_signs *s = q->signs;
	enum page_evidence evidence = EVIDENCE_PROTOCOL;
	enum page_kind kind;

	kind = ask_protocol(q);
	if (!kind && !says(q, WHO_FETCH_MODE, SLICE("navigate"))) {
		evidence = EVIDENCE_WELL_KNOWN;
		kind = kind_of_well_known(q->path, q->file);
	}
	if (!kind && (has(q, WHO_FETCH_DEST) || has(q, WHO_FETCH_MODE))) {
		evidence = EVIDENCE_FETCH;
		kind = ask_fetch(q);
	}
	if (!kind) {
		evidence = EVIDENCE_SCRIPTED;
		kind = ask_script(q);
	}
	if (!kind && says(q, WHO_UPGRADE_INSECURE, SLICE("1"))) {
		evidence = EVIDENCE_NAVIGATES;
		kind = PAGE_NAVIGATION;
	}
	if (!kind && q->accept.len) {
		evidence = EVIDENCE_ACCEPT;
		kind = ask_accept(q);
	}
	if (!kind) {
		evidence = EVIDENCE_EXTENSION;
		kind = kind_of_extension(q->file);
	}
	s->kind = (uint8_t)kind;
	s->evidence = kind ? (uint8_t)evidence : EVIDENCE_NONE;
}

static uint16_t flags_of(const struct question *q)
{
	uint16_t flags = 0;

	if (has(q, WHO_SEC_PURPOSE) || has(q, WHO_PURPOSE) || has(q, WHO_MOZ)) {
		if (slice_istarts(slice_trim(q->f->value[WHO_SEC_PURPOSE]), SLICE("prefetch")) ||
		    says(q, WHO_PURPOSE, SLICE("prefetch")) ||
		    says(q, WHO_PURPOSE, SLICE("preview")) || says(q, WHO_MOZ, SLICE("prefetch")))
			flags |= PAGE_PREFETCH;
	}
	if (slice_eq(q->method, SLICE("HEAD")))
		flags |= PAGE_HEAD | PAGE_PASSIVE;
	if (says(q, WHO_FETCH_USER, SLICE("?1")))
		flags |= PAGE_USER;
	if (q->f->value[WHO_REFERER].len)
		flags |= PAGE_REFERRED;
	if (says(q, WHO_SERVICE_WORKER, SLICE("script")))
		flags |= PAGE_WORKER;
	if (is_graphql(q->path, q->file, q->type))
		flags |= PAGE_GRAPHQL;
	return flags;
}

void page_signs_of(struct slice method, struct slice path, const struct who_fields *f,
		   struct page_signs *ret)
{
	struct question q = {
		.method = method,
		.path = path,
		.file = last_segment(path),
		.type = slice_trim(f->value[WHO_CONTENT_TYPE]),
		.accept = slice_trim(f->value[WHO_ACCEPT]),
		.f = f,
		.signs = ret,
	};

	memset(ret, 0, sizeof(*ret));
	ret->post = slice_eq(method, SLICE("POST"));
	ret->form = slice_istarts(q.type, SLICE("application/x-www-form-urlencoded")) ||
		    slice_istarts(q.type, SLICE("multipart/form-data"));
	ret->flags = flags_of(&q);
	decide(&q);
	ret->file = ret->kind == PAGE_NAVIGATION && is_kept_file(q.file);
}

/* ---- with the response ---- */

/* Nothing of the request told. A script's request names its page in Referer; who comes without one
 * and gets a document has navigated, as simple clients do. */
static enum page_kind kind_of_response(const struct page_signs *s, uint16_t status,
				       struct slice type)
{
	enum page_kind kind = find_start(types, COUNT(types), type);

	if (kind == PAGE_NAVIGATION) {
		if (s->post && !s->form)
			return PAGE_CALL;
		return s->flags & PAGE_REFERRED && !(s->flags & PAGE_PREFETCH) ? PAGE_CALL
									       : PAGE_NAVIGATION;
	}
	if (kind)
		return kind;
	if (s->post)
		return status == 204 ? PAGE_BEACON : PAGE_CALL;
	if (!type.len)
		return PAGE_UNOBSERVED;
	return s->flags & PAGE_REFERRED ? PAGE_RESOURCE : PAGE_DOWNLOAD;
}

/* application/rss+xml and its like (RFC 7303): shown as a tree or by a style sheet. Not a picture. */
static bool is_xml(struct slice type)
{
	struct slice rest = type, name = slice_trim(slice_next(&rest, ';'));

	return slice_istarts(name, SLICE("application/")) && name.len > 4 &&
	       slice_ieq(slice_sub(name, name.len - 4, name.len), SLICE("+xml"));
}

/* What a browser shows as a page. Without a type it looks at the octets: taken as one. */
static bool is_document(struct slice type)
{
	return !type.len || find_start(types, COUNT(types), type) == PAGE_NAVIGATION ||
	       slice_istarts(type, SLICE("text/plain")) || slice_istarts(type, SLICE("text/xml")) ||
	       slice_istarts(type, SLICE("application/xml")) || is_xml(type) ||
	       slice_istarts(type, SLICE("multipart/x-mixed-replace"));
}

/* A navigation that ends in a file. 304 has no type: what the path looks like must do. */
static bool is_kept(const struct page_signs *s, uint16_t status, struct slice type,
		    struct slice disposition)
{
	if (status == 304)
		return s->file;
	if (status < 200 || status >= 300 || status == 204 || status == 205)
		return false;
	return slice_istarts(slice_trim(disposition), SLICE("attachment")) || !is_document(type);
}

static uint32_t flags_of_status(uint16_t status)
{
	switch (status) {
	case 0:
		return PAGE_NO_ANSWER;
	case 204:
	case 205:
		return PAGE_EMPTY;
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		return PAGE_REDIRECT;
	case 304:
		return PAGE_UNCHANGED;
	default:
		return status >= 400 ? PAGE_ERROR : 0;
	}
}

static uint32_t flags_of_kind(const struct page *p, const struct page_signs *s)
{
	switch (p->kind) {
	case PAGE_PREFLIGHT:
	case PAGE_FAVICON:
		return PAGE_PASSIVE;
	case PAGE_CALL:
	case PAGE_BEACON:
		return PAGE_POLL;
	case PAGE_NAVIGATION:
		return s->flags & PAGE_REFERRED && (p->evidence == EVIDENCE_NAVIGATES ||
						    p->evidence == EVIDENCE_ACCEPT)
			       ? PAGE_MAYBE_FRAME
			       : 0;
	case PAGE_RESOURCE:
		return p->evidence == EVIDENCE_WELL_KNOWN ? PAGE_PASSIVE : 0;
	default:
		return 0;
	}
}

void page_kind_of(const struct page_signs *s, uint16_t status, struct slice type,
		  struct slice disposition, struct page *ret)
{
	type = slice_trim(type);
	ret->kind = (enum page_kind)s->kind;
	ret->evidence = (enum page_evidence)s->evidence;
	ret->flags = s->flags | flags_of_status(status);
	if (!ret->kind && status) {
		ret->kind = kind_of_response(s, status, type);
		ret->evidence = ret->kind ? EVIDENCE_RESPONSE : EVIDENCE_NONE;
	}
	if (ret->kind == PAGE_NAVIGATION && is_kept(s, status, type, disposition))
		ret->kind = PAGE_DOWNLOAD;
	ret->flags |= flags_of_kind(ret, s);
}

bool page_is_view(const struct page *p)
{
	return p->kind == PAGE_NAVIGATION &&
	       !(p->flags &
		 (PAGE_PREFETCH | PAGE_HEAD | PAGE_REDIRECT | PAGE_EMPTY | PAGE_NO_ANSWER));
}

bool page_kind_is_call(enum page_kind k)
{
	return k == PAGE_CALL || k == PAGE_BEACON || k == PAGE_EVENT_STREAM ||
	       k == PAGE_WEBSOCKET || k == PAGE_PREFLIGHT;
}
