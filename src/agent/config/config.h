/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h: all that an operator can say, from four places. Later wins: default, file, environment
 * (OTEL_* of the OpenTelemetry specification), command line. A list or map that a higher place names
 * replaces the whole list; maps (resource, headers) are merged by key.
 *
 * One table (setting.c) knows each setting: its key in the file, its type, its bounds. Every problem
 * is reported, each with where it stands; a configuration with an error is not used.
 *
 * A configuration owns its strings (an arena); it is not changed once loaded.
 */
#ifndef PC_AGENT_CONFIG_H
#define PC_AGENT_CONFIG_H

#include <stdarg.h>

#include "base/arena.h"
#include "base/buf.h"
#include "capture/capture.h"
#include "export/export.h"
#include "trace/trace.h"

struct strings {
	const char **at; /* at[count] == NULL; NULL when empty */
	uint32_t count, room;
};

struct numbers {
	uint32_t *at;
	uint32_t count, room;
};

enum config_level { LEVEL_DEFAULT, LEVEL_FILE, LEVEL_ENVIRONMENT, LEVEL_OPTION };

/* Where a value was written: "FILE:LINE", an option, a variable. */
struct origin {
	enum config_level level;
	const char *name;
	unsigned line; /* 0 = none */
};

/* OTEL_TRACES_SAMPLER's names, in this order in setting.c. */
enum sampler_name {
	NAME_PARENT_ON,
	NAME_PARENT_OFF,
	NAME_PARENT_RATIO,
	NAME_ON,
	NAME_OFF,
	NAME_RATIO,
};

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct signal_config {
	bool enabled;
	const char *endpoint; /* as it is; NULL: the common one with its path */
	const char *url;      /* what follows from all of it; NULL = signal off */
	struct strings headers;
	uint64_t timeout_ns; /* 0 = the common one */
	int compression;     /* -1 = the common one, 0 none, 1 gzip */
	const char *certificate, *client_certificate, *client_key;
};

#define CONFIG_SETTINGS 100 /* room for the table of setting.c */

struct config {
	/* which processes and connections */
	struct numbers pids, ports;
	struct strings executables, cgroups;
	/* capture */
	int source;	  /* enum capture_source */
	int acknowledged; /* enum capture_acknowledge */
	uint64_t ring_bytes, control_ring_bytes, data_rings, capture_connections;
	uint64_t duration_ns; /* 0 = until stopped */
	/* output */
	const char *ndjson; /* a path, "-", or NULL */
	int console;	    /* enum console_show */
	int color;
	uint64_t stats_interval_ns;
	const char *status_socket; /* NULL: below /run/parcours */
	int log_level;
	/* OTLP */
	bool otlp_disabled; /* OTEL_SDK_DISABLED */
	const char *otlp_endpoint;
	struct signal_config otlp, traces, metrics,
		logs; /* otlp: common; endpoint and enabled unused */
	uint64_t metric_interval_ns, batch_delay_ns, batch_bytes, queue_bytes;
	uint64_t drain_ns; /* how long exports may take at the end */
	bool explicit_buckets;
	/* names */
	const char *service_name;
	struct strings service_names; /* "GLOB\nNAME" */
	struct strings resource;      /* "key=value" */
	/* sampling */
	int sampler; /* enum sampler_name */
	double ratio;
	bool keep_errors;
	uint64_t keep_slow_ns;
	/* privacy */
	int privacy; /* enum privacy */
	const char *legal_basis;
	struct strings query_keep;
	bool peer_address;
	uint64_t period_ns; /* life of a visitor's key; 0 = by mode */
	const char *opt_out_cookie;
	struct strings trusted_proxies; /* networks, "private", "none" */
	/* sites and visits */
	const char *site_name;	   /* of everything */
	struct strings site_hosts; /* "host=site" */
	uint64_t session_timeout_ns;
	struct strings session_keys, session_carts;    /* session/evidence.h */
	struct strings virtual_pages;		       /* globs of paths */
	struct strings touchpoints, classes;	       /* "CONDITION\nNAME" */
	struct strings robots, monitors, applications; /* words of User-Agents */
	struct strings rules;			       /* files, or globs of them */
	struct definitions definitions;		       /* `journeys` */
	const char *geo_file;			       /* a MaxMind DB */
	const char *secret_file, *state_directory;     /* NULL: the defaults of agent/secret.h */
	/* bounds */
	uint64_t connections, stream_bytes, transactions, transaction_bytes, templates, processes,
		metric_series, visits, carts, cart_bytes;
	const char *user; /* of the brain; NULL: parcours, else a free one */

	uint32_t references;
	struct arena_pool pool;
	struct arena arena;
	struct origin origin[CONFIG_SETTINGS]; /* by row of the table */
};

/* Collects what is wrong. `say` gets one line without newline; may be NULL. */
struct problems {
	void *ctx;
	void (*say)(void *ctx, bool error, const char *line);
	uint32_t errors, warnings;
};

void problem(struct problems *p, bool error, const struct origin *o, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
#define problem_error(p, o, ...) problem(p, true, o, __VA_ARGS__)
#define problem_warn(p, o, ...)	 problem(p, false, o, __VA_ARGS__)

/* A value from the command line: which setting and its text. */
struct option_value {
	const char *key;    /* of the table */
	const char *option; /* "--port", for messages */
	const char *value;
};

struct config_sources {
	const char *file; /* name for messages; NULL = no file */
	struct slice text;
	char *const *environ; /* NULL = none */
	const struct option_value *options;
	uint32_t option_count;
};

#define CONFIG_FILE_BYTES (1024 * 1024)

/* Always tells all problems. Gives a configuration only when there was no error: -EINVAL. */
int config_load(const struct config_sources *from, struct problems *p, struct config **ret);
/* One more owner; config_free ends it with the last. Stages keep strings of the configuration that they
 * were made with. */
struct config *config_hold(const struct config *c);
void config_free(struct config *c);
/* Reads a file of at most CONFIG_FILE_BYTES: -EFBIG beyond, else the errno of the system. */
int config_read(const char *path, struct buf *ret_text);

/* A scope was named: without one, listeners of the host are watched. */
bool config_is_scoped(const struct config *c);
/* The names of two globs lists: does `path` (or its last part, when the glob has no '/') match? */
bool config_glob(const char *glob, const char *path);

#endif
