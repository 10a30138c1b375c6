/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_kit.h: a configuration of a text, and what was said of it.
 */
#ifndef PC_TESTS_CONFIG_KIT_H
#define PC_TESTS_CONFIG_KIT_H

#include "agent/config/setting.h"
#include "base/buf.h"

struct heard {
	struct buf text;
	struct problems problems;
};

static inline void collect(void *ctx, bool error, const char *line)
{
	struct heard *s = ctx;

	buf_add_str(&s->text, error ? "E " : "W ");
	buf_add_str(&s->text, line);
	buf_add_byte(&s->text, '\n');
}

static inline void said_init(struct heard *s)
{
	buf_init(&s->text, 1 << 20);
	s->problems = (struct problems){ .ctx = s, .say = collect };
}

static inline bool says(struct heard *s, const char *what)
{
	bool found = slice_find_slice(buf_slice(&s->text), slice_str(what)) >= 0;

	if (!found)
		print_error("\"%s\" is not in:\n%.*s\n", what, (int)s->text.len, s->text.at);
	return found;
}

static inline struct config *load(struct heard *s, const char *text, char *const *env,
				  const struct option_value *options, uint32_t count)
{
	struct config_sources from = { .file = text ? "f.yaml" : NULL,
				       .text = slice_str(text),
				       .environ = env,
				       .options = options,
				       .option_count = count };
	struct config *c = NULL;

	config_load(&from, &s->problems, &c);
	return c;
}

static inline struct config *good(const char *text, char *const *env)
{
	struct heard s;
	struct config *c;

	said_init(&s);
	c = load(&s, text, env, NULL, 0);
	if (!c)
		print_error("%.*s\n", (int)s.text.len, s.text.at);
	assert_non_null(c);
	buf_done(&s.text);
	return c;
}

#endif
