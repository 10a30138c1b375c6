/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto_libhtp.c: libhtp, another passive parser, as an oracle. Conversations are made from a seed, in
 * the ways that are allowed and in odd ones (bare LF, folded fields, blanks, extensions, trailers,
 * HTTP/1.0, empty lines, 100 Continue), cut at random, and read by both: methods, targets, versions,
 * status, one field and the octets of content must be the same.
 */
#include "unit.h"

#include "proto_kit.h"

#if __has_include(<htp/htp.h>)
#include <htp/htp.h>

#define TALKS	  4000
#define EXCHANGES 6

struct seen {
	char method[32], target[256], version[16], reason[64], field[256];
	uint64_t request_octets, response_octets;
	unsigned status;
	bool answered;
};

static struct seen ours[EXCHANGES + 1], theirs[EXCHANGES + 1];
static unsigned our_count, our_answers;
static uint64_t seed;

static unsigned dice(unsigned n)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)((seed >> 33) % n);
}

static void copy(char *to, size_t size, struct slice s)
{
	size_t n = s.len < size - 1 ? s.len : size - 1;

	memcpy(to, s.at, n);
	to[n] = '\0';
}

/* ---- what is said ---- */

/* Calls in their order; cut when they are read. */
struct call {
	bool request;
	size_t from, to;
};

static struct buf wire;
static struct call calls[EXCHANGES * 4];
static unsigned call_count;

static void say(const char *s)
{
	buf_add_str(&wire, s);
}

static const char *line_end(void)
{
	return dice(12) ? "\r\n" : "\n";
}

static void say_word(unsigned max)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEF0123456789-._~";
	unsigned n = 1 + dice(max);

	while (n--)
		buf_add_byte(&wire, letters[dice(sizeof(letters) - 1)]);
}

static void say_field(const char *name, bool odd)
{
	static const char *const blanks[] = { " ", "", "  ", "\t", " \t " };

	say(name);
	say(":");
	say(blanks[odd ? dice(5) : 0]);
	say_word(30);
	if (odd && dice(6) == 0) {
		say(line_end());
		say(dice(2) ? " " : "\t");
		say_word(10);
	}
	if (odd && dice(5) == 0)
		say(" ");
	say(line_end());
}

static void say_octets(unsigned n)
{
	while (n--)
		buf_add_byte(&wire, (char)dice(256));
}

static void say_chunked(void)
{
	for (unsigned chunks = dice(4); chunks; chunks--) {
		unsigned n = 1 + dice(40);

		buf_addf(&wire, dice(2) ? "%x" : "%04X", n);
		if (dice(3) == 0)
			say(";ext=\"a b\"");
		say("\r\n");
		say_octets(n);
		say("\r\n");
	}
	say("0\r\n");
	if (dice(3) == 0)
		say("X-Trailer: t\r\n");
	say("\r\n");
}

static void end_call(bool request, size_t from)
{
	calls[call_count++] = (struct call){ request, from, wire.len };
}

/* Head's last fields and the content. */
static void say_content(bool may_have, bool may_close, bool old)
{
	unsigned kind = may_have ? dice(old ? 2 : 3) : 0, n = dice(3) ? dice(300) : 0;

	if (kind == 2) {
		say("Transfer-Encoding: chunked\r\n\r\n");
		say_chunked();
	} else if (kind == 1 || !may_close) {
		buf_addf(&wire, dice(8) ? "Content-Length: %u\r\n" : "content-length:%04u\r\n",
			 may_have ? n : 0);
		say("\r\n");
		if (may_have)
			say_octets(n);
	} else {
		say("\r\n");
		say_octets(n);
	}
}

static const char *say_request(bool old, bool expect)
{
	static const char *const methods[] = { "GET",	 "POST",    "HEAD",	"PUT",
					       "DELETE", "OPTIONS", "PROPFIND", "FROB" };
	const char *method = methods[dice(8)];
	bool content = method[1] == 'O' || method[1] == 'U'; /* POST, PUT */
	size_t from = wire.len;

	if (dice(10) == 0)
		say("\r\n");
	say(method);
	say(" /");
	say_word(60);
	if (dice(3) == 0) {
		say("?");
		say_word(30);
	}
	say(old ? " HTTP/1.0" : " HTTP/1.1");
	say(line_end());
	say_field("Host", false);
	say_field("X-Odd", true);
	if (expect)
		say("Expect: 100-continue\r\n");
	if (content)
		say_content(true, false, old);
	else
		say("\r\n");
	end_call(true, from);
	return method;
}

static void say_response(const char *method, bool old, bool last)
{
	static const unsigned codes[] = { 200, 201, 204, 301, 304, 404, 418, 500, 599 };
	unsigned code = codes[dice(9)];
	bool none = code == 204 || code == 304 || strcmp(method, "HEAD") == 0;
	size_t from = wire.len;

	buf_addf(&wire, "HTTP/1.%d %u", old ? 0 : 1, code);
	if (dice(6)) {
		say(" ");
		say_word(12);
	} else if (dice(2)) {
		say(" ");
	}
	say(line_end());
	say_field("X-Odd", true);
	if (none)
		say("\r\n");
	else
		say_content(true, last, old);
	end_call(false, from);
}

static void converse(void)
{
	unsigned n = 1 + dice(EXCHANGES);

	buf_clear(&wire);
	call_count = 0;
	for (unsigned i = 0; i < n; i++) {
		bool old = dice(8) == 0, expect = !old && dice(8) == 0;
		const char *method = say_request(old, expect);
		size_t from = wire.len;

		if (expect) {
			say("HTTP/1.1 100 Continue\r\n\r\n");
			end_call(false, from);
		}
		say_response(method, old, i + 1 == n);
	}
}

/* ---- ours ---- */

static unsigned our_request(void *ctx, struct connection *c, const struct head *h)
{
	struct seen *s = &ours[our_count++];

	copy(s->method, sizeof(s->method), h->method);
	copy(s->target, sizeof(s->target), h->target);
	snprintf(s->version, sizeof(s->version), "HTTP/%u.%u", h->major, h->minor);
	return kit_request(ctx, c, h);
}

static unsigned our_response(void *ctx, struct connection *c, const struct head *h)
{
	struct seen *s = &ours[our_answers];

	s->status = h->status;
	s->answered = true;
	copy(s->reason, sizeof(s->reason), h->reason);
	copy(s->field, sizeof(s->field), head_field(h, SLICE("x-odd")));
	return kit_response(ctx, c, h);
}

static void our_end(void *ctx, struct connection *c, bool request, const struct message_end *e)
{
	assert_int_equal(e->outcome, MESSAGE_COMPLETE);
	if (request)
		ours[our_count - 1].request_octets = e->content_bytes;
	else
		ours[our_answers++].response_octets = e->content_bytes;
	kit_end(ctx, c, request, e);
}

/* Pieces of a call, the same for both readers. */
static size_t piece_of(size_t left, uint64_t cut_seed, size_t at)
{
	uint64_t x = (cut_seed ^ at) * 0x9E3779B97F4A7C15ull;

	return (x >> 60) ? left : 1 + (size_t)(x >> 32) % left;
}

static void read_ours(uint64_t cut_seed)
{
	struct proto_sink sink;
	struct kit k;

	our_count = our_answers = 0;
	memset(ours, 0, sizeof(ours));
	kit_new(&k, false);
	kit_sink(&k, &sink);
	sink.request = our_request;
	sink.response = our_response;
	sink.end = our_end;
	kit_with(&k, &sink);
	kit_connect(&k, PC_F_PASSIVE, 0, 0);
	for (unsigned i = 0; i < call_count; i++)
		for (size_t at = calls[i].from, n; at < calls[i].to; at += n) {
			n = piece_of(calls[i].to - at, cut_seed, at);
			kit_call(&k, calls[i].request ? PC_RX : PC_TX, slice_of(wire.at + at, n));
		}
	kit_gone(&k);
	kit_finish(&k);
	kit_free(&k);
}

/* ---- theirs ---- */

static void copy_bstr(char *to, size_t size, const bstr *b)
{
	if (b)
		copy(to, size, slice_of(bstr_ptr(b), bstr_len(b)));
	else
		to[0] = '\0';
}

static unsigned read_theirs(htp_cfg_t *cfg, uint64_t cut_seed)
{
	htp_connp_t *p = htp_connp_create(cfg);
	const htp_conn_t *conn;
	unsigned count;

	assert_non_null(p);
	memset(theirs, 0, sizeof(theirs));
	htp_connp_open(p, "192.0.2.1", 1, "192.0.2.2", 80, NULL);
	for (unsigned i = 0; i < call_count; i++)
		for (size_t at = calls[i].from, n; at < calls[i].to; at += n) {
			n = piece_of(calls[i].to - at, cut_seed, at);
			if (calls[i].request)
				htp_connp_req_data(p, NULL, wire.at + at, n);
			else
				htp_connp_res_data(p, NULL, wire.at + at, n);
		}
	htp_connp_close(p, NULL);
	conn = htp_connp_get_connection(p);
	count = (unsigned)htp_list_size(conn->transactions);
	for (unsigned i = 0; i < count && i <= EXCHANGES; i++) {
		htp_tx_t *tx = htp_list_get(conn->transactions, i);
		htp_header_t *x;

		copy_bstr(theirs[i].method, sizeof(theirs[i].method), tx->request_method);
		copy_bstr(theirs[i].target, sizeof(theirs[i].target), tx->request_uri);
		copy_bstr(theirs[i].version, sizeof(theirs[i].version), tx->request_protocol);
		copy_bstr(theirs[i].reason, sizeof(theirs[i].reason), tx->response_message);
		x = htp_table_get_c(tx->response_headers, "x-odd");
		copy_bstr(theirs[i].field, sizeof(theirs[i].field), x ? x->value : NULL);
		for (char *f = theirs[i].field; *f; f++) /* a folding tab; ours is always a space */
			*f = *f == '\t' ? ' ' : *f;
		theirs[i].status = (unsigned)tx->response_status_number;
		theirs[i].answered = tx->response_progress == HTP_RESPONSE_COMPLETE;
		theirs[i].request_octets = (uint64_t)tx->request_entity_len;
		theirs[i].response_octets = (uint64_t)tx->response_entity_len;
	}
	htp_connp_destroy_all(p);
	return count;
}

/* ---- compared ---- */

static void show(const char *who, const struct seen *s)
{
	print_error("%s: %s %s %s (%llu) → %u \"%s\" x-odd \"%s\" (%llu)%s\n", who, s->method,
		    s->target, s->version, (unsigned long long)s->request_octets, s->status,
		    s->reason, s->field, (unsigned long long)s->response_octets,
		    s->answered ? "" : " not answered");
}

/* Where a piece begins with a folded line, libhtp has ended the field already and drops that line. */
static bool same_field(const char *a, const char *b)
{
	size_t n = strlen(b);

	return strcmp(a, b) == 0 || (strncmp(a, b, n) == 0 && a[n] == ' ');
}

static bool same(const struct seen *a, const struct seen *b)
{
	return !strcmp(a->method, b->method) && !strcmp(a->target, b->target) &&
	       !strcmp(a->version, b->version) && !strcmp(a->reason, b->reason) &&
	       same_field(a->field, b->field) && a->status == b->status &&
	       a->answered == b->answered && a->request_octets == b->request_octets &&
	       a->response_octets == b->response_octets;
}

static void same_as_libhtp(void **state)
{
	htp_cfg_t *cfg = htp_config_create();
	unsigned exchanges = 0, failed = 0;

	assert_non_null(cfg);
	htp_config_set_server_personality(cfg, HTP_SERVER_APACHE_2);
	buf_init(&wire, 1 << 20);
	for (unsigned i = 0; i < TALKS; i++) {
		unsigned count;

		seed = i * 2654435761ull + 99;
		converse();
		read_ours(i);
		count = read_theirs(cfg, i);
		if (count != our_count)
			print_error("talk %u: %u requests, libhtp %u\n", i, our_count, count);
		failed += count != our_count;
		for (unsigned j = 0; j < our_count; j++) {
			exchanges++;
			if (same(&ours[j], &theirs[j]))
				continue;
			print_error("talk %u, exchange %u\n", i, j);
			show("ours", &ours[j]);
			show("theirs", &theirs[j]);
			failed++;
		}
	}
	buf_done(&wire);
	htp_config_destroy(cfg);
	print_message("%u exchanges in %u talks, %u differ\n", exchanges, TALKS, failed);
	assert_true(exchanges > TALKS);
	assert_int_equal(failed, 0);
}

#else

static void same_as_libhtp(void **state)
{
	print_message("skipped: no libhtp (package libhtp-dev)\n");
	assert_null(getenv("CI"));
	skip();
}

#endif

UNIT_MAIN(T(same_as_libhtp))
