/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto_llhttp.c: the cases of llhttp, a strict parser, read in place from the corpora beside the
 * checkout. Each input goes through our stage; start lines, fields, content, trailers and whether the
 * message was whole are compared with the events that llhttp reports. We observe what servers and
 * clients do, so we must be more lenient here and there: each such case stands in differences[] with
 * its reason. A case that is listed and does not differ fails too.
 */
#include "proto_cases.h"

#include <dirent.h>

struct difference {
	const char *file, *heading;
	const char *why;
};

#define OBSERVED "we observe: what the server refuses is still what was sent"
#define FRAMING	 "head told and flagged HEAD_CONFLICT; all that follows is its content"
#define LINE                                                                                       \
	"a line that is no field, or an odd name, is taken or passed over, flagged, as servers do"
#define FOLD	 "a folded value is joined by one space, as RFC 9112 5.2 allows"
#define BLANK	 "blanks in the start line or before the colon are taken, flagged"
#define NAME	 "the name is told without the blanks behind it"
#define LF	 "a bare LF ends a line, as nginx, Apache and others take it"
#define CR	 "a bare CR ends no line: nobody but an option of llhttp takes it so"
#define CONTROL	 "control octets in a value are taken, flagged"
#define CHUNK	 "blanks after a chunk size and any extension are taken; the size is certain"
#define NOT_HTTP "another protocol's version: not HTTP for us"

/* clang-format off */
static const struct difference differences[] = {
	{ "request/connection.md", "No restart when keep-alive is off (1.0)",
	  OBSERVED },
	{ "request/connection.md", "Not treating `\\r` as `-`",
	  LINE },
	{ "request/connection.md", "Multiple tokens with folding, LWS, and CRLF",
	  FOLD },
	{ "request/connection.md", "Invalid whitespace token with `Connection` header field",
	  BLANK },
	{ "request/connection.md", "Invalid whitespace token with `Connection` header field (lenient)",
	  NAME },
	{ "request/content-length.md", "Error on simultaneous `Content-Length` and `Transfer-Encoding: identity`",
	  OBSERVED },
	{ "request/content-length.md", "Invalid whitespace token with `Content-Length` header field",
	  BLANK },
	{ "request/content-length.md", "Invalid whitespace token with `Content-Length` header field (lenient)",
	  NAME },
	{ "request/content-length.md", "Spaces in `Content-Length` #2",
	  FRAMING },
	{ "request/content-length.md", "Spaces in `Content-Length` #3",
	  FRAMING },
	{ "request/content-length.md", "Empty `Content-Length`",
	  FRAMING },
	{ "request/content-length.md", "`Content-Length` with CR instead of dash",
	  LINE },
	{ "request/content-length.md", "Content-Length reset when no body is received",
	  "told to expect no content by the caller; we have only the octets" },
	{ "request/content-length.md", "Missing CRLF-CRLF before body (lenient)",
	  CR },
	{ "request/invalid.md", "HTTP protocol and ANNOUNCE method",
	  OBSERVED },
	{ "request/invalid.md", "Headers separated by CR",
	  CR },
	{ "request/invalid.md", "Headers separated by LF",
	  LF },
	{ "request/invalid.md", "Headers separated by dummy characters (lenient)",
	  LINE },
	{ "request/invalid.md", "Empty headers separated by CR",
	  CR },
	{ "request/invalid.md", "Empty headers separated by LF",
	  LF },
	{ "request/invalid.md", "Invalid header token #1",
	  LINE },
	{ "request/invalid.md", "Invalid header token #2",
	  LINE },
	{ "request/invalid.md", "Invalid header token #3",
	  LINE },
	{ "request/invalid.md", "Invalid method",
	  OBSERVED },
	{ "request/invalid.md", "Illegal header field name line folding",
	  LINE },
	{ "request/invalid.md", "Corrupted Connection header",
	  LINE },
	{ "request/invalid.md", "Corrupted header name",
	  LINE },
	{ "request/invalid.md", "Missing CR between headers",
	  LF },
	{ "request/invalid.md", "Only LFs present",
	  LF },
	{ "request/invalid.md", "Only LFs present (lenient)",
	  "an option of llhttp reads the next line as trailers; the empty line has ended them" },
	{ "request/invalid.md", "Spaces before headers",
	  FOLD },
	{ "request/lenient-header-value-relaxed.md", "Control char in header value (strict)",
	  CONTROL },
	{ "request/lenient-header-value-relaxed.md", "LF in header value should be rejected even with relaxed flag",
	  LF },
	{ "request/lenient-header-value-relaxed.md", "CR without LF in header value should be rejected even with relaxed flag",
	  CR },
	{ "request/lenient-headers.md", "Header value",
	  CONTROL },
	{ "request/lenient-headers.md", "Empty headers separated by CR (lenient)",
	  CR },
	{ "request/method.md", "CONNECT with body",
	  "content of CONNECT: its length is believed (RFC 9112 6.3), not read as a tunnel's octets" },
	{ "request/method.md", "SOURCE request with ICE",
	  NOT_HTTP },
	{ "request/method.md", "OPTIONS request with RTSP",
	  NOT_HTTP },
	{ "request/method.md", "ANNOUNCE request with RTSP",
	  NOT_HTTP },
	{ "request/method.md", "PRI request HTTP2",
	  OBSERVED },
	{ "request/sample.md", "No HTTP version",
	  "HTTP/0.9 is not HTTP for us: counted" },
	{ "request/sample.md", "Line folding in header value with CRLF",
	  FOLD },
	{ "request/sample.md", "Line folding in header value with LF",
	  LF },
	{ "request/sample.md", "X-SSL-Nonsense",
	  FOLD },
	{ "request/transfer-encoding.md", "Unbalanced chunk extensions quoting",
	  CHUNK },
	{ "request/transfer-encoding.md", "POST with `Transfer-Encoding` and `Content-Length`",
	  OBSERVED },
	{ "request/transfer-encoding.md", "POST with `Transfer-Encoding` and `Content-Length` (lenient)",
	  "an option of llhttp reads on with identity until the end; we believe Content-Length" },
	{ "request/transfer-encoding.md", "POST with empty `Transfer-Encoding` and `Content-Length` (lenient)",
	  FRAMING },
	{ "request/transfer-encoding.md", "POST with `chunked` before other transfer coding names",
	  FRAMING },
	{ "request/transfer-encoding.md", "POST with `chunked` and duplicate transfer-encoding",
	  FRAMING },
	{ "request/transfer-encoding.md", "POST with `chunkedchunked` as transfer-encoding",
	  FRAMING },
	{ "request/transfer-encoding.md", "Validate chunk parameters",
	  CHUNK },
	{ "request/transfer-encoding.md", "Invalid OBS fold after chunked value",
	  FOLD },
	{ "request/transfer-encoding.md", "Chunk header not terminated by CRLF (lenient)",
	  "an option of llhttp takes CR CR for a line end: framing would be guessed" },
	{ "request/transfer-encoding.md", "Space after chunk header",
	  CHUNK },
	{ "request/uri.md", "Disallow UTF-8 in URI path in strict mode",
	  OBSERVED },
	{ "request/uri.md", "Space in URI",
	  BLANK },
	{ "response/invalid.md", "Tab after HTTP version",
	  BLANK },
	{ "response/invalid.md", "Headers separated by CR",
	  CR },
	{ "response/invalid.md", "Bare CR after response line",
	  CR },
	{ "response/invalid.md", "Bare CR after response line (lenient)",
	  CR },
	{ "response/invalid.md", "Bare CR followed by CR after response line",
	  CR },
	{ "response/invalid.md", "Invalid HTTP version",
	  OBSERVED },
	{ "response/invalid.md", "Extra space between HTTP version and status code",
	  BLANK },
	{ "response/invalid.md", "Only LFs present and no body",
	  LF },
	{ "response/invalid.md", "Only LFs present",
	  LF },
	{ "response/sample.md", "RTSP response",
	  NOT_HTTP },
	{ "response/sample.md", "ICE response",
	  NOT_HTTP },
	{ "response/sample.md", "No carriage ret",
	  LF },
	{ "response/sample.md", "Spaces in header name",
	  LINE },
	{ "response/transfer-encoding.md", "Trailing space on chunked body",
	  CHUNK },
	{ "response/transfer-encoding.md", "No extension after semicolon",
	  CHUNK },
	{ "response/transfer-encoding.md", "Unbalanced chunk extensions quoting",
	  CHUNK },
	{ "response/transfer-encoding.md", "Invalid OBS fold after chunked value",
	  FOLD },
	{ "request/transfer-encoding.md", "No extension after semicolon",
	  CHUNK },
};
/* clang-format on */

/* What one side saw, as text; a line begins with its kind: M, F, B, T, E. */
static struct buf ours, theirs;
static bool response_case;
static unsigned cases, equal, listed, failed;

static void add(struct buf *b, const char *kind, struct slice one, const char *between,
		struct slice two)
{
	buf_add_str(b, kind);
	buf_add(b, one);
	buf_add_str(b, between);
	buf_add(b, two);
	buf_add_byte(b, '\n');
}

/* ---- ours ---- */

static struct buf body;
static bool ours_close;

static void our_head(const struct head *h)
{
	char line[32];

	snprintf(line, sizeof(line), "M %u.%u %u ", h->major, h->minor, h->status);
	add(&ours, line, response_case ? h->reason : h->method, " ", h->target);
	for (uint32_t i = 0; i < h->field_count; i++)
		add(&ours, "F ", h->fields[i].name, ": ", h->fields[i].value);
	buf_clear(&body);
	ours_close = h->framing == FRAMING_CLOSE;
}

static void our_interim(void *ctx, struct connection *c, const struct head *h)
{
	our_head(h);
	buf_add_str(&ours, "E complete\n");
	kit_interim(ctx, c, h);
}

static unsigned our_request(void *ctx, struct connection *c, const struct head *h)
{
	if (!response_case)
		our_head(h);
	return kit_request(ctx, c, h);
}

static unsigned our_response(void *ctx, struct connection *c, const struct head *h)
{
	if (response_case)
		our_head(h);
	return kit_response(ctx, c, h);
}

static bool our_content(void *ctx, struct connection *c, bool request, const struct range *r)
{
	if (request != response_case)
		buf_add(&body, r->bytes);
	return kit_content(ctx, c, request, r);
}

static void our_end(void *ctx, struct connection *c, bool request, const struct message_end *e)
{
	struct kit *k = ctx;

	if (request != response_case && k->message[!request].open) {
		if (body.len)
			add(&ours, "B ", buf_slice(&body), "", SLICE(""));
		for (uint32_t i = 0; i < e->trailer_count; i++)
			add(&ours, "T ", e->trailers[i].name, ": ", e->trailers[i].value);
		buf_add_str(&ours, ours_close			    ? "E close\n"
				   : e->outcome == MESSAGE_COMPLETE ? "E complete\n"
								    : "E cut\n");
	}
	kit_end(ctx, c, request, e);
}

static void play(struct slice input, bool head)
{
	struct kit k;
	struct proto_sink sink;

	kit_new(&k, true);
	kit_sink(&k, &sink);
	sink.request = our_request;
	sink.interim = our_interim;
	sink.response = our_response;
	sink.content = our_content;
	sink.end = our_end;
	kit_with(&k, &sink);
	kit_connect(&k, PC_F_PASSIVE, 0, 0);
	for (int i = 0; response_case && i < 8; i++)
		kit_call(&k, PC_RX,
			 head ? SLICE("HEAD / HTTP/1.1\r\n\r\n") : SLICE("GET / HTTP/1.1\r\n\r\n"));
	if (input.len)
		kit_call(&k, response_case ? PC_TX : PC_RX, input);
	kit_gone(&k);
	kit_finish(&k);
	kit_free(&k);
}

/* ---- theirs ---- */

/* A message as the log tells it; fields before its head is complete are kept apart. */
struct told {
	struct buf fields, content, name, value, method, target, reason, version;
	bool in_head, headed;
	unsigned status;
};

static struct told told;

static void told_clear(void)
{
	buf_clear(&told.fields);
	buf_clear(&told.content);
	buf_clear(&told.name);
	buf_clear(&told.value);
	buf_clear(&told.method);
	buf_clear(&told.target);
	buf_clear(&told.reason);
	buf_clear(&told.version);
	told.headed = false;
	told.status = 0;
}

static void told_finish(const char *how)
{
	if (!told.headed)
		return;
	if (told.content.len)
		add(&theirs, "B ", buf_slice(&told.content), "", SLICE(""));
	buf_add(&theirs, buf_slice(&told.fields)); /* trailers */
	buf_add_str(&theirs, how);
	told_clear();
}

static void told_headed(struct slice line)
{
	long at = slice_find_slice(line, SLICE("status="));
	struct slice rest = slice_sub(line, at < 0 ? line.len : (size_t)at + 7, line.len);
	uint64_t status = 0;
	char text[16];

	slice_u64(slice_next(&rest, ' '), &status);
	snprintf(text, sizeof(text), " %u ", (unsigned)status);
	buf_add_str(&theirs, "M ");
	buf_add(&theirs, buf_slice(&told.version));
	buf_add_str(&theirs, text);
	if (response_case)
		add(&theirs, "", slice_trim(buf_slice(&told.reason)), " ", SLICE(""));
	else
		add(&theirs, "", buf_slice(&told.method), " ", buf_slice(&told.target));
	buf_add(&theirs, buf_slice(&told.fields));
	buf_clear(&told.fields);
	told.headed = true;
}

static struct buf *told_span(struct slice name)
{
	static const struct {
		const char *name;
		struct buf *to;
	} spans[] = {
		{ "method", &told.method },	{ "url", &told.target },
		{ "version", &told.version },	{ "status", &told.reason },
		{ "header_field", &told.name }, { "header_value", &told.value },
		{ "body", &told.content },
	};

	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		if (slice_eq(name, slice_str(spans[i].name)))
			return spans[i].to;
	return NULL;
}

/* "off=4 len=5 span[url]=..." */
static void told_line(struct slice line, struct slice input)
{
	struct slice rest = line, off = slice_next(&rest, ' '), len;
	uint64_t from = 0, n = 0;

	if (!slice_starts(off, SLICE("off=")))
		return;
	slice_u64(slice_sub(off, 4, off.len), &from);
	if (slice_starts(rest, SLICE("len="))) {
		struct buf *to = NULL;
		long end;

		len = slice_next(&rest, ' ');
		slice_u64(slice_sub(len, 4, len.len), &n);
		end = slice_find(rest, ']');
		if (slice_starts(rest, SLICE("span[")) && end > 5)
			to = told_span(slice_sub(rest, 5, (size_t)end));
		if (to)
			buf_add(to, slice_sub(input, from, from + n));
	} else if (slice_eq(rest, SLICE("message begin")) || slice_eq(rest, SLICE("reset"))) {
		told_finish("E cut\n");
		told_clear();
	} else if (slice_eq(rest, SLICE("header_value complete"))) {
		add(&told.fields, told.headed ? "T " : "F ", buf_slice(&told.name), ": ",
		    slice_trim(buf_slice(&told.value)));
		buf_clear(&told.name);
		buf_clear(&told.value);
	} else if (slice_starts(rest, SLICE("headers complete"))) {
		told_headed(rest);
	} else if (slice_eq(rest, SLICE("message complete"))) {
		told_finish("E complete\n");
	}
}

static void tell(struct slice log, struct slice input)
{
	told_clear();
	while (log.at && log.len)
		told_line(slice_next(&log, '\n'), input);
	told_finish("E cut\n");
}

/* ---- comparing ---- */

/* Their cases say how an end that only the connection can bring was reached in neither way. */
static bool same(struct slice a, struct slice b)
{
	while (a.at && a.len) {
		struct slice one = slice_next(&a, '\n'), two = slice_next(&b, '\n');

		if (slice_eq(one, SLICE("E close")) && slice_starts(two, SLICE("E ")))
			continue;
		if (!slice_eq(one, two))
			return false;
	}
	return !b.at || !b.len;
}

static const struct difference *find(const char *file, struct slice heading)
{
	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++)
		if (strcmp(differences[i].file, file) == 0 &&
		    slice_eq(heading, slice_str(differences[i].heading)))
			return &differences[i];
	return NULL;
}

/* \r \n \t \f \xHH (a character, in UTF-8); any other backslash stands for itself. */
static void unescape(struct buf *b, struct slice s)
{
	static const char from[] = "rntf", to[] = "\r\n\t\f";

	for (size_t i = 0; i < s.len; i++) {
		const char *known = i + 1 < s.len ? strchr(from, s.at[i + 1]) : NULL;
		uint64_t v;

		if (s.at[i] != '\\' || i + 1 == s.len) {
			buf_add_byte(b, s.at[i]);
		} else if (known && *known) {
			buf_add_byte(b, to[known - from]);
			i++;
		} else if (s.at[i + 1] == 'x' && !slice_hex_u64(slice_sub(s, i + 2, i + 4), &v)) {
			if (v >= 0x80)
				buf_add_byte(b, (char)(0xc0 | v >> 6));
			buf_add_byte(b, (char)(v >= 0x80 ? 0x80 | (v & 0x3f) : v));
			i += 3;
		} else {
			buf_add_byte(b, s.at[i]);
		}
	}
}

/* Newlines of the Markdown are CRLF, the last one is none; escapes are octets. */
static void input_of(struct slice text, struct buf *ret)
{
	struct buf raw;

	buf_init(&raw, 1 << 20);
	if (text.len && text.at[text.len - 1] == '\n')
		text.len--;
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '\\' && i + 1 < text.len && text.at[i + 1] == '\n')
			i++;
		else if (text.at[i] == '\n')
			buf_add(&raw, SLICE("\r\n"));
		else
			buf_add_byte(&raw, text.at[i]);
	}
	unescape(ret, buf_slice(&raw));
	buf_done(&raw);
}

static void run_case(const char *file, struct slice heading, struct slice meta, struct slice text,
		     struct slice log)
{
	const struct difference *d = find(file, heading);
	struct buf input;
	bool is_same;

	buf_init(&input, 1 << 20);
	input_of(text, &input);
	buf_clear(&ours);
	buf_clear(&theirs);
	play(buf_slice(&input), slice_find_slice(meta, SLICE("skipBody")) >= 0);
	tell(log, buf_slice(&input));
	is_same = same(buf_slice(&ours), buf_slice(&theirs));
	cases++;
	equal += is_same;
	listed += !is_same && d;
	if (is_same == !d) {
		buf_done(&input);
		return;
	}
	failed++;
	print_error("%s: \"%.*s\" %s\n%.*s--- ours\n%.*s--- theirs\n%.*s\n", file, (int)heading.len,
		    heading.at, d ? "is listed but does not differ" : "differs", (int)text.len,
		    text.at, (int)ours.len, ours.at, (int)theirs.len, theirs.at);
	buf_done(&input);
}

static void run_file(const char *root, const char *file)
{
	char path[512];
	struct slice all, text, log, heading;
	struct markdown m = { 0 };

	snprintf(path, sizeof(path), "%s/%s", root, file);
	all = file_read(path);
	m.rest = all;
	while (markdown_block(&m, "http", &text)) {
		heading = m.heading;
		while (heading.len && (heading.at[0] == '#' || heading.at[0] == ' '))
			heading = slice_sub(heading, 1, heading.len);
		assert_true(markdown_block(&m, "log", &log));
		run_case(file, heading, m.meta, text, log);
	}
	free((void *)all.at);
}

static const char *corpora(char *path, size_t size)
{
	const char *shared = getenv("PARCOURS_SHARED");
	DIR *dir;

	snprintf(path, size, "%s/corpora/llhttp/test", shared && *shared ? shared : "../shared");
	dir = opendir(path);
	if (!dir)
		return NULL;
	closedir(dir);
	return path;
}

static void llhttp_cases(void **state)
{
	static const char *const files[] = {
		"request/connection.md",
		"request/content-length.md",
		"request/finish.md",
		"request/invalid.md",
		"request/lenient-header-value-relaxed.md",
		"request/lenient-headers.md",
		"request/lenient-version.md",
		"request/method.md",
		"request/pausing.md",
		"request/pipelining.md",
		"request/sample.md",
		"request/transfer-encoding.md",
		"request/uri.md",
		"response/connection.md",
		"response/content-length.md",
		"response/finish.md",
		"response/invalid.md",
		"response/lenient-version.md",
		"response/pausing.md",
		"response/pipelining.md",
		"response/sample.md",
		"response/transfer-encoding.md",
	};
	static struct buf *const bufs[] = { &ours,	   &theirs,	 &body,	       &told.fields,
					    &told.content, &told.name,	 &told.value,  &told.method,
					    &told.target,  &told.reason, &told.version };
	char root[256];

	if (!corpora(root, sizeof(root))) {
		print_message("skipped: no corpora\n");
		assert_null(getenv("CI"));
		skip();
	}
	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		buf_init(bufs[i], 1 << 20);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		response_case = files[i][2] == 's';
		run_file(root, files[i]);
	}
	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		buf_done(bufs[i]);
	print_message("%u cases: %u equal, %u differ for a reason, %u failed\n", cases, equal,
		      listed, failed);
	assert_true(cases > 180);
	assert_int_equal(failed, 0);
}

UNIT_MAIN(T(llhttp_cases))
