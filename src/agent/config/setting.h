/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setting.h: the table of settings and how a text becomes a value. Used by yaml.c, env.c and
 * config.c only.
 */
#ifndef PC_AGENT_SETTING_H
#define PC_AGENT_SETTING_H

#include "agent/config/config.h"

enum setting_type {
	SETTING_STRING,
	SETTING_BOOL,
	SETTING_NUMBER,
	SETTING_BYTES,
	SETTING_DURATION,
	SETTING_RATIO,
	SETTING_CHOICE,
	SETTING_STRINGS,
	SETTING_NUMBERS,
	SETTING_MAP,
};

struct setting {
	const char *key; /* path in the file: otlp.traces.endpoint */
	enum setting_type type;
	size_t offset; /* in struct config */
	uint64_t min, max;
	const char *const *names; /* CHOICE: the value is the index */
	int first;		  /* CHOICE: value of names[0] */
	bool truth; /* CHOICE: true and false, in all their spellings, are names[1] and names[0] */
	const char *joint; /* MAP: between key and value */
	bool power_of_two; /* BYTES */
	/* Say what is wrong with a text, or NULL: check.c. */
	const char *(*check)(const char *text);
	const char *(*check_name)(const char *text); /* MAP: of a name */
};

extern const struct setting settings[];
extern const uint32_t setting_count;

/* Exact key; NULL when there is none. A key with a `mode` below it stands for that mode. */
const struct setting *setting_find(const char *key);
/* Some setting's key begins with `path` and a dot. */
bool setting_is_group(const char *path);
/* The key that `path` was probably meant to be, or NULL. Valid until the next call. */
const char *setting_suggest(const char *path);

/* The text of one value → *ret of the setting's type (uint64_t, bool, int, double). 0, or -EINVAL with
 * a phrase that says what would be right. */
int value_number(const char *text, uint64_t *ret);
int value_bytes(const char *text, uint64_t *ret);
int value_duration(const char *text, uint64_t *ret_ns); /* without unit: seconds */
int value_ratio(const char *text, double *ret);
int value_bool(const char *text, bool *ret);

/* A scalar, one item of a list, or (name != NULL) one entry of a map. What is wrong is told. */
void setting_apply(struct config *c, struct problems *p, const struct setting *s,
		   const struct origin *o, const char *name, const char *text);
void setting_apply_key(struct config *c, struct problems *p, const char *key,
		       const struct origin *o, const char *text);

/* check.c: what is wrong with a text that must be …, as the end of a sentence that begins with it. */
const char *check_url(const char *text);       /* http:// or https:// */
const char *check_base_url(const char *text);  /* one to which a path is appended */
const char *check_line(const char *text);      /* without control characters */
const char *check_absolute(const char *text);  /* an absolute path */
const char *check_glob(const char *text);      /* of an executable: can it match one? */
const char *check_header(const char *text);    /* a field name, RFC 9110 section 5.1 */
const char *check_attribute(const char *text); /* a name of an attribute */
const char *check_file(const char *text);      /* a name of files, perhaps with wildcards */
const char *check_host(const char *text);      /* host, as a request names it */
const char *check_evidence(const char *text);  /* valid until the next call */
const char *check_touchpoint(const char *text);
const char *check_class(const char *text);
const char *check_agent_word(const char *text); /* who.h, struct agent_word */
const char *check_network(const char *text);	/* of proxies: who.h, trust_read */

/* journeys.c: the node below the key `journeys`. */
struct yaml_document_s;
struct yaml_node_s;
void journeys_apply(struct config *c, struct problems *p, const char *file,
		    struct yaml_document_s *doc, const struct yaml_node_s *node);

/* yaml.c, env.c: whole sources. */
void yaml_apply(struct config *c, struct problems *p, const char *file, struct slice text);
void env_apply(struct config *c, struct problems *p, char *const *environ);

/* strings that live as long as the configuration; NULL: out of room */
const char *config_string(struct config *c, const char *s, size_t len);
int strings_add(struct config *c, struct strings *l, const char *s);
int numbers_add(struct config *c, struct numbers *l, uint32_t v);

#endif
