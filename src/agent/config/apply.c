/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apply.c: one value of one setting, from wherever it was written, into struct config. Keeps the
 * precedence of config.h: sources are applied in ascending level, and the first item that a higher
 * level gives to a list drops what a lower one had said.
 */
#include "agent/config/setting.h"

#include <errno.h>
#include <stdio.h>

void problem(struct problems *p, bool error, const struct origin *o, const char *fmt, ...)
{
	char line[768];
	int at = 0;
	va_list args;

	if (error)
		p->errors++;
	else
		p->warnings++;
	if (!p->say)
		return;
	if (o && o->line)
		at = snprintf(line, sizeof(line), "%.255s:%u: ", o->name, o->line);
	else if (o && o->name)
		at = snprintf(line, sizeof(line), "%.255s: ", o->name);
	va_start(args, fmt);
	vsnprintf(line + at, sizeof(line) - (size_t)at, fmt, args);
	va_end(args);
	/* values come from a file: a terminal must not act on them */
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	p->say(p->ctx, error, line);
}

const char *config_string(struct config *c, const char *s, size_t len)
{
	char *copy = arena_alloc(&c->arena, len + 1);

	if (!copy)
		return NULL;
	if (len)
		memcpy(copy, s, len);
	copy[len] = 0;
	return copy;
}

/* Room for one more and for the closing NULL. Old arrays stay in the arena: they halve each time. */
static void *grown(struct config *c, const void *at, uint32_t count, uint32_t *room, size_t each)
{
	uint32_t more = *room ? *room * 2 : 8;
	void *bigger;

	if (at && count + 2 <= *room)
		return (void *)at;
	bigger = arena_alloc(&c->arena, more * each);
	if (!bigger)
		return NULL;
	if (count)
		memcpy(bigger, at, count * each);
	*room = more;
	return bigger;
}

int strings_add(struct config *c, struct strings *l, const char *s)
{
	const char **at = grown(c, l->at, l->count, &l->room, sizeof(*at));
	const char *copy = config_string(c, s, strlen(s));

	if (!at || !copy)
		return -ENOMEM;
	l->at = at;
	l->at[l->count++] = copy;
	l->at[l->count] = NULL;
	return 0;
}

int numbers_add(struct config *c, struct numbers *l, uint32_t v)
{
	uint32_t *at = grown(c, l->at, l->count, &l->room, sizeof(*at));

	if (!at)
		return -ENOMEM;
	l->at = at;
	l->at[l->count++] = v;
	return 0;
}

static int map_set(struct config *c, struct strings *l, const char *joint, const char *name,
		   const char *text)
{
	size_t name_len = strlen(name);
	size_t joint_len = strlen(joint);
	size_t text_len = strlen(text);
	char *entry = arena_alloc(&c->arena, name_len + joint_len + text_len + 1);

	if (!entry)
		return -ENOMEM;
	memcpy(entry, name, name_len);
	memcpy(entry + name_len, joint, joint_len);
	memcpy(entry + name_len + joint_len, text, text_len + 1);
	for (uint32_t i = 0; i < l->count; i++) {
		if (strncmp(l->at[i], entry, name_len + joint_len) == 0) {
			l->at[i] = entry;
			return 0;
		}
	}
	return strings_add(c, l, entry);
}

static void name_list(char *to, size_t room, const char *const *names)
{
	size_t at = 0;

	to[0] = 0;
	for (; *names && at < room; names++)
		at += (size_t)snprintf(to + at, room - at, "%s%s", at ? ", " : "", *names);
}

static void apply_choice(struct config *c, struct problems *p, const struct setting *s,
			 const struct origin *o, const char *text)
{
	char names[256];
	bool yes;

	if (s->truth && value_bool(text, &yes) == 0) {
		*(int *)((char *)c + s->offset) = yes;
		return;
	}
	for (int i = 0; s->names[i]; i++) {
		if (strcmp(s->names[i], text) == 0) {
			*(int *)((char *)c + s->offset) = i;
			return;
		}
	}
	name_list(names, sizeof(names), s->names);
	problem_error(p, o, "%s: \"%.80s\" is none of: %s", s->key, text, names);
}

/* A bound in the largest unit that divides it: 9504h, not 34214400000000000. */
static const char *bound_text(char to[32], const struct setting *s, uint64_t v)
{
	static const struct unit {
		const char *name;
		uint64_t factor;
	} times[] = { { "h", 3600000000000 },
		      { "m", 60000000000 },
		      { "s", 1000000000 },
		      { "ms", 1000000 },
		      { "ns", 1 } },
	  sizes[] = { { "GiB", 1ull << 30 }, { "MiB", 1 << 20 }, { "KiB", 1 << 10 }, { "", 1 } },
	  none[] = { { "", 1 } };
	const struct unit *u = s->type == SETTING_DURATION ? times
			       : s->type == SETTING_BYTES  ? sizes
							   : none;

	while (u->factor > 1 && (!v || v % u->factor))
		u++;
	snprintf(to, 32, "%llu%s", (unsigned long long)(v / u->factor), v ? u->name : "");
	return to;
}

/* The three whole-number types differ in their grammar and in how a bound is best said. */
static bool number_of(struct problems *p, const struct setting *s, const struct origin *o,
		      const char *text, uint64_t *ret)
{
	static const char *const hint[] = {
		[SETTING_NUMBER] = "a whole number",
		[SETTING_NUMBERS] = "a whole number",
		[SETTING_BYTES] = "a size (such as 65536, 64KiB, 4MiB)",
		[SETTING_DURATION] = "a duration (such as 500ms, 10s, 5m)",
	};
	char low[32], high[32];
	uint64_t v;
	int err = s->type == SETTING_BYTES	? value_bytes(text, &v)
		  : s->type == SETTING_DURATION ? value_duration(text, &v)
						: value_number(text, &v);

	if (err == -EINVAL) {
		problem_error(p, o, "%s: \"%.80s\" is not %s", s->key, text, hint[s->type]);
		return false;
	}
	if (err || v < s->min || v > s->max) {
		problem_error(p, o, "%s: %.80s is not between %s and %s", s->key, text,
			      bound_text(low, s, s->min), bound_text(high, s, s->max));
		return false;
	}
	if (s->power_of_two && (v & (v - 1))) {
		problem_error(p, o, "%s: %.80s is not a power of two (such as 4MiB)", s->key, text);
		return false;
	}
	*ret = v;
	return true;
}

static void drop_lower(struct config *c, const struct setting *s, const struct origin *o)
{
	struct origin *was = &c->origin[s - settings];

	if (o->level > was->level) {
		if (s->type == SETTING_STRINGS)
			memset((char *)c + s->offset, 0, sizeof(struct strings));
		else if (s->type == SETTING_NUMBERS)
			memset((char *)c + s->offset, 0, sizeof(struct numbers));
	}
	*was = *o;
}

void setting_apply(struct config *c, struct problems *p, const struct setting *s,
		   const struct origin *o, const char *name, const char *text)
{
	void *field = (char *)c + s->offset;
	const char *why = s->check ? s->check(text) : NULL;
	uint64_t v;
	int err = 0;

	if (why && name) { /* the value of a header field may be a password */
		problem_error(p, o, "%s: what stands for \"%.80s\" %s", s->key, name, why);
		return;
	}
	if (!why && name) {
		why = s->check_name(name);
		if (why)
			text = name;
	}
	if (why) {
		const char *at = strrchr(text, '@'); /* nor is user-info for a log */

		problem_error(p, o, "%s: \"%s%.80s\" %s", s->key, at ? "..." : "", at ? at : text,
			      why);
		return;
	}
	drop_lower(c, s, o);
	switch (s->type) {
	case SETTING_STRING:
		*(const char **)field = config_string(c, text, strlen(text));
		err = *(const char **)field ? 0 : -ENOMEM;
		break;
	case SETTING_STRINGS:
		err = strings_add(c, field, text);
		break;
	case SETTING_MAP:
		err = map_set(c, field, s->joint, name, text);
		break;
	case SETTING_BOOL:
		if (value_bool(text, field))
			problem_error(p, o, "%s: \"%.80s\" is neither true nor false", s->key,
				      text);
		break;
	case SETTING_RATIO:
		if (value_ratio(text, field))
			problem_error(p, o, "%s: \"%.80s\" is not a number from 0 to 1", s->key,
				      text);
		break;
	case SETTING_CHOICE:
		apply_choice(c, p, s, o, text);
		break;
	case SETTING_NUMBER:
	case SETTING_BYTES:
	case SETTING_DURATION:
		if (number_of(p, s, o, text, &v))
			*(uint64_t *)field = v;
		break;
	case SETTING_NUMBERS:
		if (number_of(p, s, o, text, &v))
			err = numbers_add(c, field, (uint32_t)v);
		break;
	}
	if (err)
		problem_error(p, o, "%s: the configuration is too large", s->key);
}

void setting_apply_key(struct config *c, struct problems *p, const char *key,
		       const struct origin *o, const char *text)
{
	setting_apply(c, p, setting_find(key), o, NULL, text);
}
