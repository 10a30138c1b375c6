/* SPDX-License-Identifier: Apache-2.0 */
/*
 * txn.h: messages → transactions: one request with its response as one process saw it.
 *
 * A transaction is handed to the sink once, when both messages have ended (or the connection has, or
 * a hole hid the rest). Everything in it was observed; what was not is absent and named by a bit in
 * `unobserved`. Times are CLOCK_MONOTONIC ns; wall clock is added at export (wall_minus_mono_ns).
 *
 * Ownership: struct transaction and all it points to live in the transaction's arena and die when
 * the sink returns. One thread.
 */
#ifndef PC_TXN_TXN_H
#define PC_TXN_TXN_H

#include "base/list.h"
#include "proto/proto.h"
#include "txn/attempt.h"
#include "txn/episode.h"
#include "txn/evidence.h"
#include "txn/process.h"
#include "txn/reading.h"

enum side { SIDE_SERVER, SIDE_CLIENT };

enum outcome {
	OUTCOME_COMPLETE,
	OUTCOME_CLIENT_GONE,  /* the client closed or reset before the response was whole */
	OUTCOME_SERVER_RESET, /* the server closed or reset before the response was whole */
	OUTCOME_TIMEOUT,      /* ETIMEDOUT on the connection */
	OUTCOME_UNOBSERVED,   /* a head or the end of the response was not seen: see `why` */
};
const char *outcome_name(
	enum outcome o); /* complete, client_gone, server_reset, timed_out, unobserved */
const char *why_name(enum pc_why w); /* ring, budget, io_uring … for exports */

/* Bits of transaction.unobserved; names in share/schema.md are the NDJSON names. */
#define UNOBSERVED_METHOD	 0x0001 /* request head, therefore method and target */
#define UNOBSERVED_STATUS	 0x0002 /* response head */
#define UNOBSERVED_REQUEST_SIZE	 0x0004
#define UNOBSERVED_RESPONSE_SIZE 0x0008
#define UNOBSERVED_START	 0x0010 /* request's first byte */
#define UNOBSERVED_END		 0x0020 /* response's last byte, therefore the duration */
#define UNOBSERVED_FIRST_BYTE	 0x0040 /* response's first byte */
#define UNOBSERVED_WAIT		 0x0080
#define UNOBSERVED_ADDRESS	 0x0100
#define UNOBSERVED_PROCESS	 0x0200
#define UNOBSERVED_EXCHANGE	 0x0400 /* no initial sequence numbers (Unix, MPTCP) */
#define UNOBSERVED_REQUEST_END	 0x0800
#define UNOBSERVED_ACKNOWLEDGED	 0x1000 /* of a whole response over TCP (SERVER) */
#define UNOBSERVED_RESENT	 0x2000
#define UNOBSERVED_CLIENT                                                                          \
	0x4000 /* a proxy that is trusted spoke for somebody and did not say for whom */

/* transaction.flags */
#define TXN_PIPELINED	   0x0001 /* the request came before the previous response had ended */
#define TXN_EARLY	   0x0002 /* the response began before the request had ended */
#define TXN_REUSED	   0x0004 /* not the first on its connection */
#define TXN_JOINED	   0x0008 /* the connection was open before us */
#define TXN_CONFLICT	   0x0010 /* conflicting framing (HEAD_CONFLICT on either head) */
#define TXN_UPGRADED	   0x0020 /* ended in 101 or CONNECT 2xx; tunnel_bytes counts */
#define TXN_CONTINUE	   0x0040 /* an interim 100 was seen */
#define TXN_UNCERTAIN	   0x0080 /* a time or position is uncertain */
#define TXN_NO_TARGET_FORM 0x0100 /* the target is none of RFC 9112's four forms */

/* One message of a transaction, copied fields only (see keep list in txn/fields.c): Authorization,
 * Cookie, Set-Cookie, Proxy-Authorization are never copied. */
struct txn_message {
	bool seen; /* the head was */
	uint8_t major, minor;
	enum framing framing;
	uint32_t head_bytes;
	uint64_t wire_bytes;
	uint64_t body_bytes;	      /* valid unless its UNOBSERVED bit is set */
	uint64_t pos;		      /* of its first byte */
	uint64_t first_ns, last_ns;   /* 0 = unobserved */
	uint32_t first_tid, last_tid; /* who moved those octets; 0 = unobserved */
	const struct field *fields;
	uint32_t field_count;
	struct evidence_list evidence; /* SERVER */
	struct reading reading;	       /* of its content */
};

struct transaction {
	enum side side;
	enum outcome outcome;
	enum pc_why why; /* OUTCOME_UNOBSERVED, or a size is unobserved */
	uint32_t unobserved;
	uint32_t flags;

	/* start_ns: SERVER first byte of the request read; CLIENT first byte of the request written.
	 * duration_ns: start → last byte of the response written (SERVER) or read (CLIENT). A tunnel:
	 * → last byte in either direction. No response, not even a head: → the end of the connection
	 * in the response's direction, which is when the outcome was known.
	 * first_byte_ns: start → first byte of the response written or read.
	 * wait_ns (SERVER): arrival at the socket → read of the request's first byte.
	 * request_ns: start → last byte of the request.
	 * Never negative: see src/txn/finish.c for clocks that disagree. */
	uint64_t start_ns, duration_ns, first_byte_ns, wait_ns, request_ns;

	/* SERVER: start → the client's TCP had the last byte of the response; never before duration_ns.
	 * 0 = unobserved or none. at_most: not when that was, but when it was the case for certain. */
	uint64_t acknowledged_ns, acknowledged_at_most_ns;
	bool resent_known; /* SERVER, and all was acknowledged: */
	uint32_t resent;   /* segments of the response that were sent again */

	struct slice method; /* as sent */
	bool method_known; /* one of the names of RFC 9110, PATCH, QUERY: else _OTHER on metrics */
	struct slice scheme; /* http */
	struct slice path;   /* url.path, as on the wire; empty for authority-form */
	struct slice query;  /* without '?'; at == NULL: none */
	bool has_query;
	struct slice authority;	  /* Host or absolute-form, user-info taken off */
	struct slice server_name; /* server.address: host of authority */
	uint16_t server_port;	  /* port of the server's end of the connection; 0 unobserved */
	uint16_t authority_port;  /* of the authority; 0 = none given */
	struct slice template_;	  /* path template of low cardinality: /orders/{id} */
	uint16_t status;
	struct slice user_agent, referer, content_type, response_type, location;
	struct slice upgrade; /* protocol switched to */
	struct txn_message request, response;
	uint64_t tunnel_bytes[2];
	uint32_t interim; /* count of 1xx */

	/* Who wrote the response (SERVER; no response: who read the request) or the request (CLIENT).
	 * tgid 0: unobserved. NULL: nothing but the tgid is known. */
	const struct process *process;
	uint32_t tgid, tid;
	/* Of the last octet of the request's head: before that nobody can have acted on it. 0 = unobserved */
	uint32_t head_tid;
	uint64_t head_ns;
	uint32_t head_tid_before; /* of the request before this one on its connection; 0 = none */
	uint64_t arrival_ns; /* SERVER: the request's first byte, at the socket; 0 = unobserved */

	/* connection facts */
	uint64_t connection_id;
	uint16_t family;
	struct pc_addr local, remote;
	struct pc_addr source; /* behind the peer by its PROXY protocol line; all zero: none */
	uint64_t peer_id;
	uint64_t
		connect_ns; /* CLIENT: SYN → established; SERVER: srtt then (an estimate); 0 none */
	uint64_t established_ns; /* SERVER: the connection was; 0 = before us */
	uint32_t srtt_us, retrans;
	bool reset_in, reset_out;
	uint32_t ordinal; /* of this transaction on its connection, from 0 */

	/* Exchange name: equal at both ends of a connection. server-to-client ISN, client-to-server
	 * ISN, offset of the request's first byte. Valid unless UNOBSERVED_EXCHANGE. */
	uint32_t isn_client, isn_server;
	uint64_t exchange_pos;

	struct { /* of trace/, from begin on; all zero before */
		struct list list;
		bool asked; /* a call of the process may have been made for it */
		/* CLIENT, at begin only: the request that caused it; NULL: none for certain. */
		const struct transaction *cause;
		/* Of a call whose cause is known, at both of its ends: a mark that session/ gave the call
		 * at begin; 0: none. */
		uint64_t mark;
		struct episode episode;
	} open;

	/* SERVER: connections that came to nothing, made for it for certain */
	struct attempt *attempts;

	/* filled by trace/ */
	struct slice traceparent, tracestate; /* as received, verified; at == NULL: none */
	uint8_t trace_id[16], span_id[8], parent_id[8];
	bool has_parent, sampled;
	bool hop; /* CLIENT: it passes on a request that its process was asked, as a proxy does */
	bool inner; /* SERVER: another server of this host passed the request on, so it is not the edge */

	/* filled by session/ */
	struct slice site; /* at == NULL: none known */
	/* What its User-Agent is (session/who.h): a browser's name or a robot's, its major version, "bot" or
	 * "test". NULL: none was sent, no robot. Live as long as the stage. */
	const char *agent_name, *agent_synthetic;
	uint32_t agent_version; /* 0: not told */
	/* SERVER: who asked, behind the proxies that are trusted. NULL: nobody was observed; "peer": the
	 * other end of the connection; else the field that named it. */
	const char *client_source;
	bool client_is_peer;
	struct pc_addr client; /* port 0: not told */
	bool has_session;
	uint8_t session_id[16], session_key[16];
	bool has_page; /* it is a page view's, or was fetched for one */
	uint8_t page_id[16];
};

struct txn_sink {
	void *ctx;
	/* The head of a request was seen. *t has what it says, start_ns, who moved it and the facts of the
	 * connection; it stays where it is, and grows, until transaction() hands it out. Not for a request
	 * whose head was not seen or found no memory. May be NULL. */
	void (*begin)(void *ctx, struct transaction *t);
	void (*transaction)(void *ctx, struct transaction *t);
	/* *t is over: would transaction() come too early, since something that it needs is still to be told? Then
	 * it is asked again with each tick, for txn_limits.hold_ns at most. Its connection may close meanwhile.
	 * May be NULL. */
	bool (*early)(void *ctx, const struct transaction *t);
	/* The response of a SERVER's *t has ended, or became a tunnel: who moved the first and last octets of
	 * both messages, and when, stands in it now. transaction() follows, at once or when the last octet was
	 * acknowledged; without this call where the response was not seen to end. May be NULL. */
	void (*answered)(void *ctx, struct transaction *t);
	/* Octets of a connection are in no message, or are missing and hold back what came after them, or a
	 * request found no memory: one may be open that nobody will hear of, or not yet. May be NULL. */
	void (*lost)(void *ctx, const struct connection *c, enum side side);
	/* A request arrived or its response ended: for active_requests. May be NULL. */
	void (*active)(void *ctx, const struct connection *c, enum side side, struct slice method,
		       int delta);
	/* A connection of a known side, passed on from proto's open and close (trace_open and
	 * trace_close want them). May be NULL. */
	void (*open)(void *ctx, const struct connection *c, enum side side);
	void (*close)(void *ctx, const struct connection *c);
	/* This end connected, and was let in: before open(), which need not come. unmade(): nor will it. May be
	 * NULL. */
	void (*made)(void *ctx, const struct connection *c);
	void (*unmade)(void *ctx, const struct connection *c);
	/* Not of a transaction. Valid during the call; the later stages fill in their parts. May be NULL. */
	void (*attempt)(void *ctx, struct attempt *a);
	void (*listener)(void *ctx, struct listener_news *n);
	/* Questions about what attempts were made for; both NULL: nothing is known of threads. Is a thread at a
	 * request that it had read by at_ns? Was what the thread of *t did between its read and its response (which
	 * has ended) for certain done for it? */
	bool (*serves)(void *ctx, uint32_t tgid, uint32_t tid, uint64_t at_ns);
	bool (*alone)(void *ctx, const struct transaction *t);
};

struct body_limits;

struct txn_limits {
	uint32_t open;	      /* transactions open at once: 65,536 */
	size_t bytes;	      /* arenas of all of them: 32 MiB */
	uint64_t patience_ns; /* for the acknowledgement of a whole response: 10 s */
	uint64_t hold_ns;     /* for what txn_sink.early waits for: 800 ms */
	uint32_t templates;   /* distinct path templates; beyond: "{other}" */
	struct process_limits processes;
	const struct body_limits *bodies; /* NULL: body_limits_default; copied */
};

struct txn_stats {
	uint64_t opened, closed[8]; /* by enum outcome; opened = sum of closed + open, always */
	uint64_t unobserved_why[PC_WHY_MAX];
	uint64_t evicted; /* handed out early as unobserved (buffer) to make room */
	uint64_t held;	  /* that txn_sink.early held back */
	uint64_t
		refused; /* no memory within the bound: counted as opened and unobserved (buffer) */
	uint64_t fields_dropped; /* heads whose fields found no memory */
	uint64_t template_overflow;
	uint64_t attempts;						     /* handed out */
	uint64_t lookups, lookups_failed, lookups_unobserved, dns_malformed; /* lookup/lookup.h */
	uint64_t readings; /* messages of which somebody wanted something */
	uint64_t
		values_lost; /* values of contents, or readings before the first, that found no memory */
	uint32_t open;
	size_t bytes;
};

/* Initial sequence numbers by role and the correction of positions for an end whose opener was
 * unknown at OPEN (abi.h, PC_F_ACTIVE). false: the connection has no exchange name. */
struct exchange {
	uint32_t isn_client, isn_server;
	uint64_t request_shift; /* to be taken off positions of requests */
};
bool exchange_of(const struct connection *c, enum side side, struct exchange *ret);

struct txn;

int txn_new(const struct txn_limits *limits, const struct txn_sink *sink, struct txn **ret);
struct proto_sink txn_proto_sink(struct txn *x);
void txn_attach(struct txn *x, struct stream *s); /* moments are asked of the stream */
void txn_watch(struct txn *x, const struct txn_witness *witness); /* before the first head */
/* Header fields that are copied beside those of the keep list (fields.h), from the next head on: at most
 * FIELDS_MORE in the life of the stage. -EINVAL, -EPERM, -ENOSPC: field_index_keep. */
int txn_keep(struct txn *x, const struct slice *names, uint32_t count);
/* FORK EXEC EXIT WHO CLOCK LISTENER DNS */
void txn_record(struct txn *x, const struct pc_head *rec);
void txn_lost(struct txn *x); /* records found no room before what follows */
void txn_tick(struct txn *x, uint64_t now_ns);
void txn_finish(struct txn *x); /* the end of input: attempts that wait are handed out */
void txn_stats(const struct txn *x, struct txn_stats *ret);
int64_t txn_wall_minus_mono_ns(const struct txn *x);
void txn_free(struct txn *x);

#endif
