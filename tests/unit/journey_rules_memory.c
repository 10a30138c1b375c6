/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_rules_memory.c: no memory, at each place where rules are compiled: told as such, nothing is left
 * behind (the sanitizers' run), and with memory again all is well.
 */
#include "rules_kit.h"

static long left = -1; /* allocations that succeed; -1: all */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *at, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *at, size_t n);

static bool refused(void)
{
	if (left > 0)
		left--;
	return left == 0;
}

void *__wrap_malloc(size_t n)
{
	return refused() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *at, size_t n)
{
	return refused() ? NULL : __real_realloc(at, n);
}

static const char text[] =
	"amounts: { currency: EUR }\nsite: shop.example\nrules:\n"
	"- name: a\n  say: purchase\n  when: { path: '/o/{n}', json $.ok: { regex: '^y' }, "
	"header.x-a: b }\n"
	"  take:\n    value: { from: [json $.v, html .v], match: '[0-9.]+' }\n"
	"    items: { each: 'json $.l[*]', item_id: each.id, where: { each.k: [a, b] } }\n"
	"- name: b\n  say: add_to_cart\n  when: { method: POST, path: /o/add }\n  take: { item: { "
	"item_id: form id } }\n";

static int compile(void)
{
	struct rules_builder *b;
	int err = rules_begin(&b);

	if (err)
		return err;
	err = rules_add(b, "shop.yaml", slice_str(text), kit_error, NULL);
	if (err) {
		rules_builder_free(b);
		return err;
	}
	return rules_end(b, kit_error, NULL, &kit.rules);
}

static void refused_at_each_place(void **state)
{
	long n = 1;
	int err;

	kit_begin();
	do {
		kit.rules = NULL;
		left = n++;
		err = compile();
		left = -1;
		assert_true(err == 0 || err == -ENOMEM);
		assert_true(!err == (kit.rules != NULL));
		assert_true(n < 10000);
	} while (err);
	assert_true(n > 30);
	assert_int_equal(kit.errors.len, 0);
	assert_int_equal(rules_count(kit.rules), 2);
}

UNIT_MAIN(T(refused_at_each_place))
