/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match.c: expressions on what was taken (PCRE2), with limits against those that try for ever, without a
 * just-in-time compiler (the brain may not make memory executable), in memory from the pool of the decoders.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <errno.h>
#include <pcre2.h>

#include "txn/body/inside.h"

#define MATCH_LIMIT	100000 /* steps of one match; some milliseconds */
#define MATCH_DEPTH	1000
#define MATCH_HEAP_KIB	256
#define CAPTURES_LOOKED 2 /* the whole, and group 1 */

struct matcher {
	pcre2_general_context *general;
	pcre2_match_context *limits;
	pcre2_match_data *data;
	struct coder_pool *pool;
};

static void *take(PCRE2_SIZE bytes, void *pool)
{
	return coder_pool_take(pool, bytes);
}

static void give(void *at, void *pool)
{
	coder_pool_give(pool, at);
}

void *html_match_new(struct coder_pool *pool)
{
	struct matcher *m = coder_pool_take(pool, sizeof(*m));

	if (!m)
		return NULL;
	*m = (struct matcher){ .pool = pool };
	m->general = pcre2_general_context_create(take, give, pool);
	m->limits = m->general ? pcre2_match_context_create(m->general) : NULL;
	m->data = m->general ? pcre2_match_data_create(CAPTURES_LOOKED, m->general) : NULL;
	if (!m->limits || !m->data) {
		html_match_free(m);
		return NULL;
	}
	pcre2_set_match_limit(m->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(m->limits, MATCH_DEPTH);
	pcre2_set_heap_limit(m->limits, MATCH_HEAP_KIB);
	return m;
}

void html_match_free(void *data)
{
	struct matcher *m = data;

	if (!m)
		return;
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->limits);
	pcre2_general_context_free(m->general);
	coder_pool_give(m->pool, m);
}

int html_match(const struct html_target *t, void *data, struct slice text, struct slice *ret)
{
	struct matcher *m = data;
	const PCRE2_SIZE *found;
	const unsigned group = t->groups > 0;
	int n;

	n = pcre2_match(t->expression, (PCRE2_SPTR)(text.at ? text.at : ""), text.len, 0,
			PCRE2_NO_UTF_CHECK, m->data, m->limits);
	if (n == PCRE2_ERROR_NOMATCH)
		return 0;
	if (n < 0)
		return n == PCRE2_ERROR_NOMEMORY ? -ENOMEM : -ELOOP;
	found = pcre2_get_ovector_pointer(m->data);
	if (group && found[2] == PCRE2_UNSET)
		return 0;
	if (found[2 * group] >
	    found[2 * group + 1]) /* \K in a lookahead: it ends before it begins */
		return 0;
	*ret = slice_sub(text, found[2 * group], found[2 * group + 1]);
	return 1;
}
