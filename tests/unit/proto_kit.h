/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto_kit.h: a small world for the protocol stage: calls of one connection → records → the real
 * stream → proto → a transcript, one line an event. Checked for every input, by abort():
 *
 *  - accounting: octets handed out by the stream = message + tunnel + preface + lost, by direction;
 *  - order: within a direction head, content, end; each request has one end and one response end;
 *  - no message reaches outside what was moved; all slices are read (for the sanitizers).
 *
 * Used by unit tests, by the runners of cases and by the fuzzers, so no cmocka here.
 */
#ifndef PC_TESTS_PROTO_KIT_H
#define PC_TESTS_PROTO_KIT_H

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "proto/proto.h"
#include "stream/address.h"

#define KIT_CONN 77
#define KIT_US	 1000ull
#define KIT_MS	 1000000ull
#define KIT_TEXT (1u << 22)

#define kit_check(cond)                                                                            \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: %s\n%.*s\n", __FILE__, __LINE__, #cond,            \
				(int)k->text.len, k->text.at ? k->text.at : "");                   \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* A message in progress, as the sink sees it. */
struct kit_message {
	bool open;
	bool orphan;
	struct head head;
	uint64_t content;
};

struct kit {
	struct stream *stream;
	struct proto *proto;
	struct connection *c; /* NULL before open and after close */
	bool server;
	enum pc_dir request_dir;
	uint64_t now_ns;
	uint64_t pos[2]; /* next octet to move, by enum pc_dir */
	struct buf text; /* the transcript */
	struct buf content;
	bool want_fields, want_content;
	unsigned answer;	       /* to requests, where no content is wanted */
	uint64_t enough;	       /* so much content of a message is; 0: all */
	struct kit_message message[2]; /* 0 request, 1 response */
	uint64_t requests, request_ends, response_ends;
	uint64_t end_pos[2];
	uint64_t tunnel[2], lost[2][PROTO_LOSS_MAX];
	uint64_t lost_to[2];
	uint64_t lost_order[2][PROTO_LOSS_MAX];
	struct pc_addr source; /* as the connection had it at its end */
	struct pc_directive direct;
	unsigned directs;
	uint64_t budget; /* octets of a call that are copied; 0: all */
	unsigned sum;	 /* of all octets that slices show, so that they are read */
};

static const char *const kit_losses[] = { "joined",    "hole",	   "malformed",
					  "too-large", "not-http", "no-request" };

__attribute__((format(printf, 2, 3))) static inline void kit_say(struct kit *k, const char *fmt,
								 ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (k->text.len < KIT_TEXT / 2)
		buf_add(&k->text,
			slice_of(line, n < (int)sizeof(line) ? (size_t)n : sizeof(line) - 1));
}

/* Printable, escaped, shortened. */
static inline void kit_say_slice(struct kit *k, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		k->sum += (unsigned char)s.at[i];
	for (size_t i = 0; i < s.len && i < 120; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if (c >= ' ' && c < 0x7f && c != '\\')
			kit_say(k, "%c", c);
		else
			kit_say(k, "\\x%02x", c);
	}
	if (s.len > 120)
		kit_say(k, "...(%zu)", s.len);
}

static inline void kit_head(struct kit *k, const struct head *h)
{
	static const char *const framing[] = { "none", "length", "chunked", "close", "tunnel" };
	static const char *const flags[] = {
		"conflict",   "fold",	 "fields-cut", "lenient",
		"keep-alive", "upgrade", "expect",     "method-unknown"
	};

	kit_say(k, " %s", framing[h->framing]);
	if (h->framing == FRAMING_LENGTH)
		kit_say(k, "=%llu", (unsigned long long)h->content_length);
	for (unsigned i = 0; i < 8; i++)
		if (h->flags & 1u << i)
			kit_say(k, " %s", flags[i]);
	kit_say(k, "\n");
	for (uint32_t i = 0; i < h->field_count; i++) {
		if (!k->want_fields) {
			for (size_t j = 0; j < h->fields[i].name.len; j++)
				k->sum += (unsigned char)h->fields[i].name.at[j];
			for (size_t j = 0; j < h->fields[i].value.len; j++)
				k->sum += (unsigned char)h->fields[i].value.at[j];
			continue;
		}
		kit_say(k, "  ");
		kit_say_slice(k, h->fields[i].name);
		kit_say(k, ": ");
		kit_say_slice(k, h->fields[i].value);
		kit_say(k, "\n");
	}
}

static inline void kit_begin(struct kit *k, bool request, const struct head *h)
{
	struct kit_message *m = &k->message[!request];
	enum pc_dir d = request ? k->request_dir : !k->request_dir;

	kit_check(!m->open);
	kit_check(h->pos >= k->end_pos[d] && h->pos + h->size <= k->pos[d]);
	*m = (struct kit_message){ .open = true, .head = *h };
	m->orphan = h->flags & HEAD_METHOD_UNKNOWN;
	k->content.len = 0;
}

static void kit_open(void *ctx, struct connection *c, bool server)
{
	struct kit *k = ctx;

	kit_check(!k->c);
	k->c = c;
	k->server = server;
	k->request_dir = server ? PC_RX : PC_TX;
}

static unsigned kit_request(void *ctx, struct connection *c, const struct head *h)
{
	struct kit *k = ctx;

	k->requests++;
	kit_begin(k, true, h);
	kit_say(k, "> ");
	kit_say_slice(k, h->method);
	kit_say(k, " ");
	kit_say_slice(k, h->target);
	kit_say(k, " %u.%u", h->major, h->minor);
	kit_head(k, h);
	return k->want_content ? WANT_CONTENT | WANT_RESPONSE : k->answer;
}

static void kit_status(struct kit *k, const struct head *h)
{
	kit_say(k, "< %u.%u %u ", h->major, h->minor, h->status);
	kit_say_slice(k, h->reason);
	kit_head(k, h);
}

static void kit_interim(void *ctx, struct connection *c, const struct head *h)
{
	struct kit *k = ctx;

	kit_check(!k->message[1].open && h->status / 100 == 1 && h->status != 101);
	kit_status(k, h);
}

static unsigned kit_response(void *ctx, struct connection *c, const struct head *h)
{
	struct kit *k = ctx;

	kit_begin(k, false, h);
	kit_check(k->message[1].orphan || k->requests > k->response_ends);
	kit_status(k, h);
	return k->want_content ? WANT_CONTENT : 0;
}

static bool kit_content(void *ctx, struct connection *c, bool request, const struct range *r)
{
	struct kit *k = ctx;

	kit_check(k->message[!request].open && r->bytes.len <= r->len);
	k->message[!request].content += r->len;
	for (size_t i = 0; i < r->bytes.len; i++)
		k->sum += (unsigned char)r->bytes.at[i];
	if (!request && k->content.len < KIT_TEXT / 2)
		buf_add(&k->content, r->bytes);
	return !k->enough || k->message[!request].content < k->enough;
}

static void kit_end(void *ctx, struct connection *c, bool request, const struct message_end *e)
{
	static const char *const outcomes[] = { "complete", "cut", "unobserved", "shutdown" };
	struct kit *k = ctx;
	struct kit_message *m = &k->message[!request];
	enum pc_dir d = request ? k->request_dir : !k->request_dir;
	bool passed = !request && !m->open;

	if (!request && !m->orphan)
		k->response_ends++;
	k->request_ends += request;
	kit_check(k->response_ends <= k->requests && k->request_ends <= k->requests);
	kit_check(request ? m->open : true);
	kit_say(k, "%s %s%s", request ? ">" : "<", passed ? "passed-over " : "",
		outcomes[e->outcome]);
	if (e->error)
		kit_say(k, " error=%d", e->error);
	if (!passed) {
		kit_say(k, " content=%llu wire=%llu%s", (unsigned long long)e->content_bytes,
			(unsigned long long)e->wire_bytes, e->size_known ? "" : " unknown");
		kit_check(e->end_pos - m->head.pos == e->wire_bytes);
		kit_check(e->end_pos <= k->pos[d]);
		kit_check(e->wire_bytes >= m->head.size + e->content_bytes);
		if (k->want_content)
			kit_check(m->content == e->content_bytes);
		if (m->head.framing == FRAMING_LENGTH && e->outcome == MESSAGE_COMPLETE &&
		    !m->orphan)
			kit_check(e->content_bytes == m->head.content_length);
		k->end_pos[d] = e->end_pos;
	}
	kit_say(k, "\n");
	for (uint32_t i = 0; i < e->trailer_count; i++) {
		kit_say(k, "  ");
		kit_say_slice(k, e->trailers[i].name);
		kit_say(k, ": ");
		kit_say_slice(k, e->trailers[i].value);
		kit_say(k, "\n");
	}
	m->open = m->orphan = false;
}

static void kit_tunnel(void *ctx, struct connection *c, enum pc_dir d, uint64_t bytes)
{
	((struct kit *)ctx)->tunnel[d] += bytes;
}

static void kit_lost(void *ctx, struct connection *c, enum pc_dir d, uint64_t pos, uint64_t bytes,
		     enum proto_loss loss, enum pc_why why)
{
	struct kit *k = ctx;

	kit_check(!bytes || (pos >= k->lost_to[d] && pos + bytes <= k->pos[d]));
	k->lost_to[d] = pos + bytes;
	k->lost[d][loss] += bytes;
}

/* Of a PROXY protocol line. */
static inline void kit_say_source(struct kit *k)
{
	char text[INET6_ADDRSTRLEN];

	kit_say(k, "> source %s %u\n", inet_ntop(AF_INET6, k->source.ip, text, sizeof(text)),
		k->source.port);
}

static void kit_close(void *ctx, struct connection *c, enum stream_close_reason why)
{
	struct kit *k = ctx;

	kit_check(k->c == c);
	kit_check(!k->message[0].open && !k->message[1].open);
	kit_check(k->requests == k->request_ends && k->requests == k->response_ends);
	k->source = c->source;
	k->c = NULL;
}

static void kit_direct(void *ctx, const struct pc_directive *d)
{
	struct kit *k = ctx;

	k->direct = *d;
	k->directs++;
}

static inline void kit_sink(struct kit *k, struct proto_sink *ret)
{
	*ret = (struct proto_sink){
		.ctx = k,
		.open = kit_open,
		.request = kit_request,
		.interim = kit_interim,
		.response = kit_response,
		.content = k->want_content ? kit_content : NULL,
		.end = kit_end,
		.tunnel = kit_tunnel,
		.lost = kit_lost,
		.close = kit_close,
	};
}

/* The stages with a sink of one's own, which calls the kit's functions. */
static inline void kit_with(struct kit *k, const struct proto_sink *sink)
{
	static const struct proto_limits limits = { .pipelined = 1024, .hold_ns = 1000 * KIT_MS };
	static const struct stream_limits bounds = {
		.connections = 64,
		.buffer_bytes = 132 * 1024,
		.total_bytes = 1 << 24,
		.pending = 64,
		.reorder_ns = 200 * KIT_MS,
		.grace_ns = 1000 * KIT_MS,
		.idle_ns = 600000 * KIT_MS,
	};
	struct stream_sink in;

	if (proto_new(&limits, sink, &k->proto) != 0)
		abort();
	in = proto_stream_sink(k->proto);
	proto_pass(k->proto, k, NULL, kit_direct);
	if (stream_new(&bounds, &in, &k->stream) != 0)
		abort();
	proto_attach(k->proto, k->stream);
}

/* An empty world; kit_with makes the stages. */
static inline void kit_new(struct kit *k, bool want_content)
{
	*k = (struct kit){ .now_ns = 1000 * KIT_MS, .want_content = want_content };
	buf_init(&k->text, KIT_TEXT);
	buf_init(&k->content, KIT_TEXT);
}

static inline void kit_start(struct kit *k, bool want_content)
{
	struct proto_sink sink;

	kit_new(k, want_content);
	kit_sink(k, &sink);
	kit_with(k, &sink);
}

static inline void kit_tick(struct kit *k, uint64_t ns)
{
	k->now_ns += ns;
	stream_tick(k->stream, k->now_ns);
	proto_tick(k->proto, stream_now_ns(k->stream));
}

static inline void kit_connect(struct kit *k, uint16_t flags, uint64_t rx_pos, uint64_t tx_pos)
{
	struct pc_open rec = {
		.head = { PC_OPEN, flags, sizeof(rec), k->now_ns },
		.conn = KIT_CONN,
		.rx_pos = rx_pos,
		.tx_pos = tx_pos,
		.family = AF_INET,
	};

	k->pos[PC_RX] = rx_pos;
	k->pos[PC_TX] = tx_pos;
	stream_push(k->stream, &rec.head);
}

/* One record. `bytes` may be shorter than len. */
static inline void kit_record(struct kit *k, enum pc_dir d, uint64_t pos, uint64_t len,
			      struct slice bytes, uint16_t flags, uint64_t time_ns, enum pc_why why)
{
	size_t size = sizeof(struct pc_data) + bytes.len;
	struct pc_data *rec = malloc(size); /* exact: sanitizers see overreads */

	if (!rec)
		abort();
	*rec = (struct pc_data){
		.head = { PC_DATA, flags, (__u32)size, time_ns },
		.conn = KIT_CONN,
		.pos = pos,
		.len = (__u32)len,
		.captured = (__u32)bytes.len,
		.tgid = 1,
		.tid = 1,
		.dir = (__u8)d,
		.why = (__u8)(bytes.len < len ? why : PC_WHY_NONE),
	};
	if (bytes.len)
		memcpy(rec + 1, bytes.at, bytes.len);
	stream_push(k->stream, &rec->head);
	free(rec);
}

/* One call of `s` at a position and a time: pieces as the kernel makes them. */
static inline void kit_call_at(struct kit *k, enum pc_dir d, uint64_t pos, struct slice s,
			       uint64_t time_ns)
{
	size_t at = 0;

	if (k->pos[d] < pos + s.len)
		k->pos[d] = pos + s.len;
	while (at < s.len) {
		size_t n = s.len - at < PC_PIECE ? s.len - at : PC_PIECE;
		uint16_t flags =
			(uint16_t)((at == 0 ? PC_F_FIRST : 0) | (at + n == s.len ? PC_F_LAST : 0));

		if (k->budget && at + n > k->budget) { /* the rest of the call but its tail */
			size_t seen = at < k->budget ? k->budget - at : 0;
			size_t tail = s.len - at - seen < PC_TAIL ? 0 : PC_TAIL;

			kit_record(k, d, pos + at, s.len - at - tail, slice_sub(s, at, at + seen),
				   flags, time_ns, PC_WHY_BUDGET);
			if (tail)
				kit_record(k, d, pos + s.len - tail, tail,
					   slice_sub(s, s.len - tail, s.len), PC_F_LAST, time_ns,
					   PC_WHY_NONE);
			return;
		}
		kit_record(k, d, pos + at, n, slice_sub(s, at, at + n), flags, time_ns,
			   PC_WHY_NONE);
		at += n;
	}
}

static inline void kit_call(struct kit *k, enum pc_dir d, struct slice s)
{
	k->now_ns += 10 * KIT_US;
	kit_call_at(k, d, k->pos[d], s, k->now_ns);
}

/* A call whose record found no room: only the position tells. */
static inline void kit_hole(struct kit *k, enum pc_dir d, uint64_t len)
{
	k->now_ns += 10 * KIT_US;
	k->pos[d] += len;
}

/* A call whose octets were not captured. */
static inline void kit_absent(struct kit *k, enum pc_dir d, uint64_t len, enum pc_why why)
{
	k->now_ns += 10 * KIT_US;
	k->pos[d] += len;
	kit_record(k, d, k->pos[d] - len, len, (struct slice){ NULL, 0 }, PC_F_FIRST | PC_F_LAST,
		   k->now_ns, why);
}

static inline void kit_dir_end(struct kit *k, enum pc_dir d, int error)
{
	struct pc_end rec = {
		.conn = KIT_CONN,
		.pos = k->pos[d],
		.error = error,
		.dir = (__u8)d,
	};

	k->now_ns += 10 * KIT_US;
	rec.head = (struct pc_head){ PC_END, 0, sizeof(rec), k->now_ns };
	stream_push(k->stream, &rec.head);
}

static inline void kit_gone(struct kit *k)
{
	struct pc_close rec = {
		.conn = KIT_CONN,
		.rx_pos = k->pos[PC_RX],
		.tx_pos = k->pos[PC_TX],
	};

	k->now_ns += 10 * KIT_US;
	rec.head = (struct pc_head){ PC_CLOSE, 0, sizeof(rec), k->now_ns };
	stream_push(k->stream, &rec.head);
	rec.head.kind = PC_GONE;
	stream_push(k->stream, &rec.head);
	for (int i = 0; i < 8; i++) /* reorder and grace run out */
		kit_tick(k, 500 * KIT_MS);
}

/* All that must hold at the end; then the totals as lines of the transcript. */
static inline void kit_finish(struct kit *k)
{
	struct proto_stats p;
	struct stream_stats s;
	uint64_t lost = 0;

	stream_flush(k->stream);
	kit_check(!k->c);
	proto_stats(k->proto, &p);
	stream_stats(k->stream, &s);
	for (int d = 0; d < 2; d++) {
		uint64_t mine = 0;

		kit_check(p.message_bytes[d] + p.tunnel_bytes[d] + p.preface_bytes[d] +
				  p.lost_by_dir[d] ==
			  s.bytes[d]);
		kit_check(p.tunnel_bytes[d] == k->tunnel[d]);
		for (int i = 0; i < PROTO_LOSS_MAX; i++)
			mine += k->lost[d][i];
		kit_check(mine == p.lost_by_dir[d]);
		lost += mine;
	}
	for (int i = 0; i < PROTO_LOSS_MAX; i++) {
		kit_check(!p.lost_bytes[i] == !p.lost[i]);
		lost -= p.lost_bytes[i];
	}
	kit_check(lost == 0);
	kit_check(p.requests == k->requests);
	for (int i = 0; i < 2; i++) {
		enum pc_dir d = i ? !k->request_dir : k->request_dir;

		if (k->tunnel[d])
			kit_say(k, "%s tunnel %llu\n", i ? "<" : ">",
				(unsigned long long)k->tunnel[d]);
		if (!i && !address_is_none(&k->source))
			kit_say_source(k);
		if (p.preface_bytes[d])
			kit_say(k, "%s preface %llu\n", i ? "<" : ">",
				(unsigned long long)p.preface_bytes[d]);
		for (int j = 0; j < PROTO_LOSS_MAX; j++)
			if (k->lost[d][j] &&
			    j == PROTO_LOSS_NOT_HTTP) /* how much depends on the cuts */
				kit_say(k, "%s lost not-http\n", i ? "<" : ">");
			else if (k->lost[d][j])
				kit_say(k, "%s lost %s %llu\n", i ? "<" : ">", kit_losses[j],
					(unsigned long long)k->lost[d][j]);
	}
}

static inline void kit_free(struct kit *k)
{
	stream_free(k->stream);
	proto_free(k->proto);
	buf_done(&k->text);
	buf_done(&k->content);
}

#endif
