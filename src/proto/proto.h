/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto.h: ranges → messages. Recognises what a connection speaks and hands its bytes to one
 * protocol (a row of proto_table[]). What is not known to us costs nothing more: stream_ignore.
 *
 * Terms are RFC 9110's: a message has a head (control data and fields), content, trailers. The
 * content's octets here are those of the message body with chunk framing taken off (RFC 9112
 * section 6), as encoded (no inflate).
 *
 * Slices in heads point into the stream: valid during the call only. One thread.
 */
#ifndef PC_PROTO_PROTO_H
#define PC_PROTO_PROTO_H

#include "stream/stream.h"
#include "tls/handshake.h"

#define HEAD_BYTES  65536 /* of a head; a larger one is a loss (PROTO_LOSS_HEAD_TOO_LARGE) */
#define HEAD_FIELDS 256	  /* later ones are skipped, flagged HEAD_FIELDS_CUT */

struct field {
	struct slice name, value; /* as on the wire, value without OWS; obs-fold joined by SP */
};

enum framing {		       /* how the content ends, RFC 9112 section 6.3 */
	       FRAMING_NONE,   /* no content */
	       FRAMING_LENGTH, /* Content-Length */
	       FRAMING_CHUNKED,
	       FRAMING_CLOSE,  /* until the connection ends */
	       FRAMING_TUNNEL, /* CONNECT with 2xx, 101: bytes are no messages any more */
};

/* head.flags */
#define HEAD_CONFLICT                                                                              \
	0x0001 /* Content-Length with Transfer-Encoding, differing lengths, codings in HTTP/1.0 */
#define HEAD_OBS_FOLD	0x0002
#define HEAD_FIELDS_CUT 0x0004
#define HEAD_LENIENT	0x0008 /* accepted as the wild writes it, not as the RFC says (bare LF …) */
#define HEAD_KEEP_ALIVE 0x0010 /* the connection goes on after this message */
#define HEAD_UPGRADE	0x0020 /* Connection: upgrade with Upgrade: … (request), 101 (response) */
#define HEAD_EXPECT	0x0040 /* Expect: 100-continue */
#define HEAD_METHOD_UNKNOWN                                                                        \
	0x0080 /* response whose request was not seen: framing assumes not HEAD */

struct head {
	uint64_t pos;  /* first byte of the message in its direction */
	uint32_t size; /* octets of the head on the wire, empty line included */
	uint16_t flags;
	uint8_t major, minor; /* HTTP version; 0.9 has no response head */
	struct slice method;  /* request */
	struct slice target;  /* request, as on the wire (any of the four forms of RFC 9112 3.2) */
	uint16_t status;      /* response */
	struct slice reason;
	enum framing framing;
	uint64_t content_length; /* FRAMING_LENGTH */
	const struct field *fields;
	uint32_t field_count;
};

/* First field of that name (ASCII case folded); empty with at == NULL when absent. */
struct slice head_field(const struct head *h, struct slice name);

enum message_outcome {
	MESSAGE_COMPLETE,
	MESSAGE_CUT,	    /* the stream ended (error says how) before the message did */
	MESSAGE_UNOBSERVED, /* a hole hid where it ended; `why` says what kind */
	MESSAGE_SHUTDOWN,   /* the agent ended first */
};

struct message_end {
	enum message_outcome outcome;
	enum pc_why why;	/* UNOBSERVED */
	int error;		/* CUT: errno, 0 = orderly end of stream */
	bool size_known;	/* content_bytes is exact for what crossed the wire */
	uint64_t content_bytes; /* octets of the content (chunk framing taken off) so far */
	uint64_t wire_bytes;	/* octets of the whole message so far, head and framing included */
	uint64_t end_pos;	/* one past the last octet of the message */
	uint32_t trailer_count;
	const struct field *trailers;
};

enum proto_loss {
	PROTO_LOSS_JOINED,    /* bytes before the first message start of a joined connection */
	PROTO_LOSS_HOLE,      /* a hole: bytes skipped up to the next message start */
	PROTO_LOSS_MALFORMED, /* bytes that are no message where one must start */
	PROTO_LOSS_HEAD_TOO_LARGE,
	PROTO_LOSS_NOT_HTTP,   /* another protocol from its first bytes */
	PROTO_LOSS_NO_REQUEST, /* a response without a request, after waiting for one */
	PROTO_LOSS_MAX
};

/* What request() and response() answer. */
#define WANT_CONTENT   0x1 /* of this message the content is wanted */
#define WANT_RESPONSE  0x2 /* request(): that of its response may be; response() will say */
#define LEAVE_RESPONSE 0x4 /* request(): it is not, though that of others is */

/*
 * Within a direction calls come in the order of the bytes: head, content…, end, next head. Requests
 * travel in connection.proto's request direction (PC_RX for a server, PC_TX for a client), which is
 * decided by who sends a request line; `server` in open says it. A response's head is delivered only
 * when its request's head was (the method decides its framing), or flagged HEAD_METHOD_UNKNOWN.
 * Interim responses (1xx but 101) come by interim(), any number, before the final head.
 *
 * Each request() is followed by exactly one end(request = true) and one end(request = false), at the
 * latest before close(). Responses belong to requests in order: the n-th end of a response whose head
 * is not flagged HEAD_METHOD_UNKNOWN answers the n-th request head. An end of a response without a
 * head before it passes a request over: its response was not seen (UNOBSERVED) or never began (CUT).
 * A flagged response is counted by nobody: its request fell into a hole; it has an end of its own.
 */
struct proto_sink {
	void *ctx;
	/* HTTP it is. side known from here on. */
	void (*open)(void *ctx, struct connection *c, bool server);
	unsigned (*request)(void *ctx, struct connection *c, const struct head *h);
	void (*interim)(void *ctx, struct connection *c, const struct head *h);
	unsigned (*response)(void *ctx, struct connection *c, const struct head *h);
	/* Content octets (unframed) at wire position r->pos; absent bytes as in struct range. Request or
	 * response by `request`. May be NULL. Unless the content of the message is wanted they need not be
	 * there: the kernel is asked to skip them, and they come as absent (PC_WHY_DIRECTIVE). Returns
	 * whether the rest is (still) wanted; that it is cannot be said here anew. */
	bool (*content)(void *ctx, struct connection *c, bool request, const struct range *r);
	void (*end)(void *ctx, struct connection *c, bool request, const struct message_end *e);
	/* From here on the connection is a tunnel (101, CONNECT); its bytes by tunnel(), until close. */
	void (*tunnel)(void *ctx, struct connection *c, enum pc_dir d, uint64_t bytes);
	/* [pos, pos+bytes) of direction d is no part of any message delivered. bytes 0, right after open:
	 * only the cause of what was missed before it. */
	void (*lost)(void *ctx, struct connection *c, enum pc_dir d, uint64_t pos, uint64_t bytes,
		     enum proto_loss loss, enum pc_why why);
	/* As the stream tells it; it need not be HTTP, or not be known to be, yet. May be NULL. */
	void (*gap)(void *ctx, struct connection *c, enum pc_dir d);
	/* As the stream tells it, of a connection that is HTTP. May be NULL. */
	void (*sent)(void *ctx, struct connection *c, const struct sent *sent);
	void (*close)(void *ctx, struct connection *c, enum stream_close_reason why);
	/* This end connected, and was let in: of any protocol. May be NULL. */
	void (*made)(void *ctx, const struct connection *c);
	/* The host that this end asks for by TLS. Valid during the call. May be NULL. */
	void (*named)(void *ctx, const struct connection *c, struct slice host);
	/* It came to its end, or its handshake did, and nothing was understood of it but that: `tls` NULL, or
	 * a handshake that was not DONE. when_ns: its handshake did then; 0: the connection. No other call for it.
	 * May be NULL. */
	void (*mute)(void *ctx, const struct connection *c, const struct handshake *tls,
		     uint64_t when_ns);
};

struct proto_limits {
	uint32_t pipelined; /* requests waiting for a response, a connection: 1,024 */
	uint64_t hold_ns;   /* a response waits this long for its request to be read: 1 s */
};

struct proto_stats {
	uint64_t requests, responses, interim;
	uint64_t complete, cut, unobserved;
	uint64_t tunnels;
	uint64_t lost[PROTO_LOSS_MAX];
	uint64_t lost_bytes[PROTO_LOSS_MAX];
	/* By direction; the four together are what the stream handed out, present or absent. */
	uint64_t message_bytes[2]; /* wire octets inside messages */
	uint64_t tunnel_bytes[2];
	uint64_t preface_bytes
		[2]; /* understood, of no message: PROXY protocol, empty lines between */
	uint64_t lost_by_dir[2]; /* lost_bytes again, by direction */
	uint64_t not_http;	 /* connections */
	uint64_t
		unseen; /* connections without a message delivered, octets in holes: with one request a
			    * connection, the requests that no transaction stands for */
};

/*
 * A protocol: detect says from the first bytes of a direction whether it is ours; parse takes what it
 * can. Rows of proto_table[] in proto.c; HTTP/2 and TLS will be rows like HTTP/1.
 */
enum proto_guess { PROTO_NO, PROTO_MAYBE, PROTO_REQUEST, PROTO_RESPONSE };

struct proto;

struct protocol {
	const char *name; /* network.protocol.name */
	enum proto_guess (*detect)(struct slice first_bytes);
	int (*open)(struct proto *p, struct connection *c, enum pc_dir request_dir);
	uint64_t (*range)(struct proto *p, struct connection *c, enum pc_dir d,
			  const struct range *r, bool last);
	void (*end)(struct proto *p, struct connection *c, enum pc_dir d, int error);
	void (*tick)(struct proto *p, uint64_t now_ns);
	void (*close)(struct proto *p, struct connection *c, enum stream_close_reason why);
};

/* Wiring: proto_new gives a stage whose stream_sink (proto_stream_sink) goes into stream_new; the
 * stream is handed back by proto_attach, since each calls the other. */
int proto_new(const struct proto_limits *limits, const struct proto_sink *sink, struct proto **ret);
struct stream_sink proto_stream_sink(struct proto *p);
void proto_attach(struct proto *p, struct stream *s);
void proto_tick(struct proto *p, uint64_t now_ns);
void proto_stats(const struct proto *p, struct proto_stats *ret);
void proto_free(struct proto *p);
/* The process records and directives that stream passes on go where the caller says. */
void proto_pass(struct proto *p, void *ctx, void (*record)(void *ctx, const struct pc_head *rec),
		void (*direct)(void *ctx, const struct pc_directive *d));

#endif
