/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rooms.c: stands in for src/journey/rule and src/journey/cart where they have no files yet, so that what is
 * around them links: no rule can be compiled, and nothing is said of a cart.
 */
#include <errno.h>
#include <stdlib.h>

#include "journey/cart/cart.h"
#include "journey/rule/rules.h"

int rules_begin(struct rules_builder **ret)
{
	return -ENOSYS;
}

int rules_add(struct rules_builder *b, const char *file, struct slice text, rules_error_fn *error,
	      void *ctx)
{
	return -ENOSYS;
}

int rules_end(struct rules_builder *b, rules_error_fn *error, void *ctx, struct rules **ret)
{
	return -ENOSYS;
}

void rules_builder_free(struct rules_builder *b)
{
}

uint32_t rules_count(const struct rules *r)
{
	return 0;
}

bool rules_in_use(const struct rules *r)
{
	return false;
}

const struct body_wants *rules_wants(struct rules *r, const struct transaction *t, bool request)
{
	return NULL;
}

void rules_say(struct rules *r, const struct transaction *t, const struct rules_sink *sink)
{
}

struct carts {
	struct carts_options options;
};

int carts_new(const struct carts_options *options, struct carts **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void carts_free(struct carts *c)
{
	free(c);
}

void carts_clock(struct carts *c, int64_t wall_minus_mono_ns)
{
}

void carts_push(struct carts *c, const struct said *s)
{
}

void carts_transaction(struct carts *c, const struct transaction *t)
{
}

void carts_fact(struct carts *c, const struct session_fact *f)
{
}

void carts_tick(struct carts *c, uint64_t now_ns)
{
}

void carts_finish(struct carts *c)
{
}

void carts_stats(const struct carts *c, struct carts_stats *ret)
{
	*ret = (struct carts_stats){ 0 };
}

int carts_save(const struct carts *c, void *ctx, int (*add)(void *ctx, struct slice piece))
{
	return 0;
}

int carts_load(struct carts *c, struct slice text)
{
	return text.len ? -EBADMSG : 0;
}
