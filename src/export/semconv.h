/* SPDX-License-Identifier: Apache-2.0 */
/*
 * semconv.h: what the OpenTelemetry semantic conventions for HTTP (stable) make of a transaction;
 * shared by NDJSON, spans and metrics so that they cannot differ.
 */
#ifndef PC_EXPORT_SEMCONV_H
#define PC_EXPORT_SEMCONV_H

#include "txn/txn.h"

#define SEMCONV_SCHEMA_URL "https://opentelemetry.io/schemas/1.37.0"

/* "Span status": 5xx is an error of both sides, 4xx of the client's only. */
static inline bool semconv_status_is_error(const struct transaction *t)
{
	return !(t->unobserved & UNOBSERVED_STATUS) &&
	       t->status >= (t->side == SIDE_CLIENT ? 400 : 500);
}

/* "or an error occurred preventing … from sending/receiving the request/response fully". What was
 * not observed is no error. */
static inline bool semconv_cut(const struct transaction *t)
{
	return t->outcome == OUTCOME_CLIENT_GONE || t->outcome == OUTCOME_SERVER_RESET ||
	       t->outcome == OUTCOME_TIMEOUT;
}

/* error.type; empty = no error. `text` keeps a status code as digits. */
static inline struct slice semconv_error_type(const struct transaction *t, char text[4])
{
	if (semconv_status_is_error(t)) {
		uint16_t s = t->status > 999 ? 999 : t->status;

		text[0] = (char)('0' + s / 100);
		text[1] = (char)('0' + s / 10 % 10);
		text[2] = (char)('0' + s % 10);
		return slice_of(text, 3);
	}
	return semconv_cut(t) ? slice_str(outcome_name(t->outcome)) : slice_of(NULL, 0);
}

/* Of the executable's path; the kernel's 15-octet name where that is not known. */
static inline const char *semconv_executable(const struct process *p)
{
	const char *slash = strrchr(p->exe, '/');

	return slash && slash[1] ? slash + 1 : p->exe[0] ? p->exe : p->comm;
}

#define SEMCONV_MISSING 23

/* Names of what was not observed, as NDJSON spells them; returns how many. */
static inline unsigned semconv_unobserved(const struct transaction *t,
					  const char *ret[SEMCONV_MISSING])
{
	static const struct {
		uint32_t bits;
		const char *name;
	} table[] = {
		{ UNOBSERVED_START, "start_time_unix_nano" },
		{ UNOBSERVED_START | UNOBSERVED_END, "duration_ns" },
		{ UNOBSERVED_START | UNOBSERVED_FIRST_BYTE, "time_to_first_byte_ns" },
		{ UNOBSERVED_START | UNOBSERVED_REQUEST_END, "time_to_request_end_ns" },
		{ UNOBSERVED_WAIT, "wait_ns" },
		{ UNOBSERVED_ACKNOWLEDGED, "time_to_acknowledged_ns" },
		{ UNOBSERVED_PROCESS, "process.pid" },
		{ UNOBSERVED_PROCESS, "process.executable.name" },
		{ UNOBSERVED_METHOD, "http.request.method" },
		{ UNOBSERVED_METHOD, "url.path" },
		{ UNOBSERVED_METHOD, "url.query" },
		{ UNOBSERVED_STATUS, "http.response.status_code" },
		{ UNOBSERVED_REQUEST_SIZE, "http.request.body.size" },
		{ UNOBSERVED_RESPONSE_SIZE, "http.response.body.size" },
		{ UNOBSERVED_REQUEST_SIZE, "http.request.size" },
		{ UNOBSERVED_RESPONSE_SIZE, "http.response.size" },
		{ UNOBSERVED_ADDRESS, "network.peer.address" },
		{ UNOBSERVED_ADDRESS, "network.local.address" },
		{ UNOBSERVED_EXCHANGE, "parcours.exchange" },
		{ UNOBSERVED_RESENT, "parcours.response.retransmissions" },
		{ UNOBSERVED_CLIENT, "client.address" },
	};
	unsigned n = 0;

	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (t->unobserved & table[i].bits &&
		    (table[i].bits != UNOBSERVED_WAIT || t->side == SIDE_SERVER))
			ret[n++] = table[i].name;
	if (!(t->unobserved & UNOBSERVED_PROCESS) &&
	    (!t->process || !semconv_executable(t->process)[0]))
		ret[n++] = "process.executable.name";
	return n;
}

/* server.port. A client's is the one it asks for, which behind a proxy is not the one it is connected
 * to: of the authority (absolute or authority-form, else Host); not named there it is the default of the
 * scheme (RFC 9110 section 4.2); no authority at all: the peer's. Where the request was not seen nobody
 * knows: 0. A server's is the port it listens on: what scheme stood before a proxy in front is not
 * known, so neither is a port that was not named. */
static inline uint16_t semconv_server_port(const struct transaction *t)
{
	if (t->side == SIDE_SERVER)
		return t->server_port;
	if (t->unobserved & UNOBSERVED_METHOD)
		return 0;
	if (!t->server_name.len || t->authority_port)
		return t->server_name.len ? t->authority_port : t->server_port;
	if (slice_ieq(t->scheme, SLICE("https")) || slice_ieq(t->scheme, SLICE("wss")))
		return 443;
	return slice_ieq(t->scheme, SLICE("http")) || slice_ieq(t->scheme, SLICE("ws")) ? 80 : 0;
}

/* 16 octets: client's and server's initial sequence number, offset of the request; big endian. */
static inline void semconv_exchange(const struct transaction *t, uint8_t ret_name[16])
{
	for (unsigned i = 0; i < 4; i++) {
		ret_name[i] = (uint8_t)(t->isn_client >> (24 - 8 * i));
		ret_name[4 + i] = (uint8_t)(t->isn_server >> (24 - 8 * i));
	}
	for (unsigned i = 0; i < 8; i++)
		ret_name[8 + i] = (uint8_t)(t->exchange_pos >> (56 - 8 * i));
}

#define SEMCONV_FLAGS 9

static inline const char *semconv_flag(unsigned bit)
{
	static const char *const names[SEMCONV_FLAGS] = {
		"pipelined", "early_response", "reused",    "joined",	      "conflict",
		"upgraded",  "continue",       "uncertain", "no_target_form",
	};

	return names[bit];
}

static inline const char *semconv_version(const struct txn_message *m)
{
	return m->major != 1 ? NULL : m->minor == 0 ? "1.0" : "1.1";
}

#endif
