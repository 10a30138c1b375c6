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
	const char *joint;	  /* MAP: between key and value */
	bool power_of_two;	  /* BYTES */
	/* Says what is wrong with a text, or NULL. */
	const char *(*check)(const char *text);
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

/* yaml.c, env.c: whole sources. */
void yaml_apply(struct config *c, struct problems *p, const char *file, struct slice text);
void env_apply(struct config *c, struct problems *p, char *const *environ);

/* strings that live as long as the configuration; NULL: out of room */
const char *config_string(struct config *c, const char *s, size_t len);
int strings_add(struct config *c, struct strings *l, const char *s);
int numbers_add(struct config *c, struct numbers *l, uint32_t v);

#endif
