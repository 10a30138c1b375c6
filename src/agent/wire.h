/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h: the core: all stages of the agent, wired. Records go in, exports come out. The brain feeds
 * it from the rings, `replay` from a file; it does not know which. One thread.
 */
#ifndef PC_AGENT_WIRE_H
#define PC_AGENT_WIRE_H

#include "agent/config/config.h"
#include "export/export.h"
#include "journey/journey.h"
#include "proto/proto.h"
#include "session/session.h"
#include "stream/stream.h"
#include "trace/trace.h"
#include "txn/txn.h"

/* What the core is given from outside. Everything stays the caller's and outlives the core, but for
 * the configuration, which the core holds for as long as it uses its strings. */
struct core_outside {
	const struct config *config;
	int ndjson_fd, console_fd; /* -1 = off */
	enum console_show console_show;
	bool console_color;
	uint32_t console_width;
	bool patient; /* offline: wait for a slow reader of the output */
	const char *host_name, *host_id, *os_version;
	uint8_t secret[16]; /* names exchanges that have no name; fixed for a replay */
	uint8_t site_secret[SECRET_BYTES]; /* of all pseudonyms, shared by the hosts of a site */
	struct rules *rules; /* NULL: none; the core's from core_new on, also where that fails */
	const struct journey_witness *witness; /* of the rules at work; NULL: nobody looks on */
	void *ctx;			       /* of the three below */
	void (*direct)(void *ctx, const struct pc_directive *d); /* NULL: nobody to direct */
	uint32_t (*figures)(void *ctx, struct counter *ret, uint32_t max);
	void (*say)(void *ctx, const char *sentence);
};

struct core {
	struct stream *stream;
	struct proto *proto;
	struct txn *txn;
	struct trace *trace;
	struct session *session;
	struct journey *journey;
	struct export *export;

	struct journey_sink exported; /* the sink of export, replaced with it by core_reload */
	struct core_outside outside;
	struct config *config;		       /* held: outside.config */
	struct config *of_export, *of_session; /* held: those that the stages were made with */
};

int core_new(const struct core_outside *outside, struct core **ret);
/* Every record, in the order in which it was read; a TICK is also the time of all stages. */
void core_push(struct core *c, const struct pc_head *rec);
/* The end of input: what is open is handed out, exports get `drain_ns`. */
void core_finish(struct core *c, uint64_t drain_ns);
/* Sampling, privacy, outputs, rules and definitions of another configuration; what is open stays open.
 * -errno: as before. Where OTLP or the resource differ, export is made anew, and its counters start again.
 * `rules` are the core's where it went well; c->outside.rules: those that it has. */
int core_reload(struct core *c, const struct config *config, int ndjson_fd, struct rules *rules);
void core_free(struct core *c);

/* terminal.c: the console_* of *ret, for standard output as it is now. */
void terminal_open(const struct config *c, struct core_outside *ret);

/* Settings → what each stage is told (stages.c). */
struct stream_limits stream_limits_of(const struct config *c);
struct txn_limits txn_limits_of(const struct config *c);
struct trace_options trace_options_of(const struct config *c, const uint8_t secret[16]);
struct session_options session_options_of(const struct config *c,
					  const uint8_t secret[SECRET_BYTES]);
/* Without rules, witness and whom to ask. */
struct journey_options journey_options_of(const struct config *c,
					  const uint8_t secret[SECRET_BYTES]);
struct export_options export_options_of(const struct core_outside *o);

#endif
