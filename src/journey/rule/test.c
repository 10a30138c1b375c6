/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test.c: what a condition asks of the values of its source. One of several values is enough. "Not" asks that
 * none is; so it, and that something does not exist, is known only where all was seen that could have had it.
 *
 * Regular expressions are PCRE2's, without its compiler (the process may not make memory executable), with
 * limits against those that try for ever: one that gives up leaves the question open.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <errno.h>
#include <pcre2.h>
#include <stdio.h>

#include "journey/rule/inside.h"

#define MATCH_LIMIT    20000 /* steps of one match; a fraction of a millisecond */
#define MATCH_DEPTH    500
#define MATCH_HEAP_KIB 256
#define MATCH_TEXT     8192 /* octets of a text that are looked at */

/* ---- regular expressions ---- */

void *regex_new(struct slice text, char why[WANT_ERROR_MAX], size_t *ret_at)
{
	PCRE2_SIZE place = 0;
	pcre2_code *code;
	int err = 0;

	code = pcre2_compile((PCRE2_SPTR)text.at, text.len, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF,
			     &err, &place, NULL);
	*ret_at = place;
	why[0] = 0;
	if (code || err == PCRE2_ERROR_HEAP_FAILED)
		return code;
	if (pcre2_get_error_message(err, (PCRE2_UCHAR *)why, WANT_ERROR_MAX) < 0)
		snprintf(why, WANT_ERROR_MAX, "no regular expression (error %d)", err);
	return NULL;
}

void regex_free(void *code)
{
	pcre2_code_free(code);
}

static bool make_room(struct rules *r)
{
	pcre2_match_context *limits;

	if (r->match_data && r->match_limits)
		return true;
	if (!r->match_data)
		r->match_data = pcre2_match_data_create(2, NULL); /* the whole, and group 1 */
	limits = r->match_limits ? r->match_limits : pcre2_match_context_create(NULL);
	if (!limits)
		return false;
	r->match_limits = limits;
	pcre2_set_match_limit(limits, MATCH_LIMIT);
	pcre2_set_depth_limit(limits, MATCH_DEPTH);
	pcre2_set_heap_limit(limits, MATCH_HEAP_KIB);
	return r->match_data;
}

void regex_room_free(struct rules *r)
{
	pcre2_match_data_free(r->match_data);
	pcre2_match_context_free(r->match_limits);
}

int regex_find(struct rules *r, void *code, struct slice text, struct slice *ret)
{
	const PCRE2_SIZE *found;
	uint32_t groups = 0;
	unsigned group;
	int n;

	if (text.len > MATCH_TEXT || !make_room(r))
		return -ELOOP;
	n = pcre2_match(code, (PCRE2_SPTR)(text.at ? text.at : ""), text.len, 0, 0, r->match_data,
			r->match_limits);
	if (n == PCRE2_ERROR_NOMATCH)
		return 0;
	if (n < 0)
		return -ELOOP;
	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
	group = groups > 0;
	found = pcre2_get_ovector_pointer(r->match_data);
	if ((group && (n == 1 || found[2] == PCRE2_UNSET)) ||
	    found[2 * group] > found[2 * group + 1])
		return 0;
	*ret = slice_sub(text, found[2 * group], found[2 * group + 1]);
	return 1;
}

/* ---- questions ---- */

static enum truth negated(enum truth t)
{
	return t == OPEN ? OPEN : t == YES ? NO : YES;
}

static enum truth yes_if(bool holds)
{
	return holds ? YES : NO;
}

static bool is_nothing(const struct found *v)
{
	return v->kind == TAKEN_NULL;
}

/* Words for what JSON has without a text; objects and arrays have none and equal nothing. */
static bool text_of(const struct found *v, struct slice *ret)
{
	*ret = v->kind == TAKEN_TRUE	? SLICE("true")
	       : v->kind == TAKEN_FALSE ? SLICE("false")
					: v->text;
	return v->kind <= TAKEN_FALSE;
}

/* Of a text that is cut only the beginning is known. */
static enum truth test_text(struct look *l, const struct test *t, const struct found *v)
{
	struct slice text, found;
	int n;

	if (!text_of(v, &text))
		return NO;
	switch (t->kind) {
	case TEST_EQUALS:
		if (v->cut)
			return slice_starts(t->text, text) ? OPEN : NO;
		return yes_if(slice_eq(text, t->text));
	case TEST_PREFIX:
		if (v->cut && text.len < t->text.len)
			return OPEN;
		return yes_if(slice_starts(text, t->text));
	case TEST_SUFFIX:
		return v->cut ? OPEN : yes_if(slice_ends(text, t->text));
	case TEST_CONTAINS:
		if (slice_find_slice(text, t->text) >= 0)
			return YES;
		return v->cut ? OPEN : NO;
	default:
		if (v->cut)
			return OPEN;
		n = regex_find(l->rules, t->regex, text, &found);
		return n < 0 ? OPEN : yes_if(n);
	}
}

static enum truth test_value(struct look *l, const struct test *t, const struct found *v)
{
	if (t->kind == TEST_EXISTS)
		return yes_if(!is_nothing(v));
	if (t->kind == TEST_NULL)
		return yes_if(is_nothing(v));
	return test_text(l, t, v);
}

/* YES: a value answers it; NO: none does, and there is no other; OPEN. */
static enum truth any_value(struct look *l, const struct test *t, const struct source *s,
			    const uint32_t *item, uint32_t slots)
{
	enum truth all = look_seen(l, s) == SEEN_WHOLE ? NO : OPEN;
	struct cursor c = { 0 };
	struct found v;

	while (look_next(l, s, item, slots, &c, &v)) {
		size_t used = l->rules->room_used;
		enum truth one = test_value(l, t, &v);

		l->rules->room_used = used;
		if (one == YES)
			return YES;
		if (one == OPEN)
			all = OPEN;
	}
	return all;
}

static enum truth test_holds(struct look *l, const struct test *t, const struct source *s,
			     const uint32_t *item, uint32_t slots);

/* TEST_ALL, TEST_IN: one child decides it, whatever is open elsewhere. */
static enum truth children_hold(struct look *l, const struct test *t, const struct source *s,
				const uint32_t *item, uint32_t slots)
{
	const enum truth decides = t->kind == TEST_IN ? YES : NO;
	enum truth all = negated(decides);

	for (const struct test *c = t->child; c; c = c->next) {
		enum truth one = test_holds(l, c, s, item, slots);

		if (one == decides)
			return one;
		if (one == OPEN)
			all = OPEN;
	}
	return all;
}

static enum truth test_holds(struct look *l, const struct test *t, const struct source *s,
			     const uint32_t *item, uint32_t slots)
{
	enum truth one;

	switch (t->kind) {
	case TEST_NOT:
		return negated(test_holds(l, t->child, s, item, slots));
	case TEST_EXISTS:
		one = any_value(l, t, s, item, slots);
		return t->exists ? one : negated(one);
	case TEST_IN:
	case TEST_ALL:
		return children_hold(l, t, s, item, slots);
	default:
		return any_value(l, t, s, item, slots);
	}
}

enum truth condition_holds(struct look *l, const struct condition *c, const uint32_t *item,
			   uint32_t slots)
{
	size_t used = l->rules->room_used;
	enum truth t = test_holds(l, c->test, &c->source, item, slots);

	l->rules->room_used = used;
	return t;
}

enum truth conditions_hold(struct look *l, const struct condition *first, const uint32_t *item,
			   uint32_t slots)
{
	enum truth all = YES;

	for (; first; first = first->next) {
		enum truth one = condition_holds(l, first, item, slots);

		if (one == NO)
			return NO;
		if (one == OPEN)
			all = OPEN;
	}
	return all;
}
